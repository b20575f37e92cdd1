"""Whoever plays with the keys: random keys, sizes, clicks and answers break nothing, in a simulation and in a log."""

import pytest

from engines.resilience.calllog import LoggedCall
from engines.resilience.recorded import VARIANT, CallLog
from engines.sim.source import Source
from tests.monkey import Monkey, screen
from tui.panels.resilience import PANEL
from tui.session import Session

DEEDS = 250


@pytest.mark.parametrize(
    ("seed", "variant", "scenario"), [(1, "breaker", ""), (2, "envoy", ""), (3, "", "retry-storm"), (4, "", "outlier")]
)
def test_random_keys_break_nothing(seed: int, variant: str, scenario: str) -> None:
    session = Session((PANEL,), "resilience", variant=variant, scenario=scenario, sandbox=True)
    session.resize(80, 24)
    Monkey(session, seed).play(DEEDS)


def test_random_keys_break_nothing_in_recorded_calls() -> None:
    calls = [LoggedCall(i * 50_000, i % 200 < 120, 30_000) for i in range(1_000)]
    variant = VARIANT.on(Source("calls.jsonl", "0" * 64, CallLog(calls)))
    session = Session((PANEL,), "resilience", recorded=variant, sandbox=True)
    session.resize(120, 36)
    Monkey(session, 5).play(DEEDS)
    session.resize(120, 36)
    assert "client" in screen(session)
