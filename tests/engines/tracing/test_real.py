"""Traces of a real system: five processes on loopback, the OpenTelemetry SDK, faults that really happen."""

import pytest

from benchmarks.tracing_real import FAULTS, right, shop, trial
from engines.tracing.spans import Status
from engines.tracing.symptoms import symptoms_of
from engines.tracing.tree import build
from tests.engines.tracing.requests import login


def test_a_real_system_says_who_drops_the_headers() -> None:
    judged = trial("header", 1, requests=60)
    assert right("header", judged), judged.examination.verdicts
    assert judged.services == ("auth", "catalog", "gateway", "stock", "users")
    assert not judged.notices


def test_a_call_that_was_refused_is_one_that_nobody_answered() -> None:
    root = login(0)[0]
    refused = login(0)[1]._replace(
        status=Status.ERROR, attributes=(("peer.service", "auth"), ("error.type", "ConnectionRefusedError"))
    )
    assert [(each.src, each.dst) for each in symptoms_of(build([root, refused])).unanswered] == [("web", "auth")]


def test_nobody_is_left_when_the_shop_closes() -> None:
    with shop() as opened:
        processes = list(opened.processes.values())
        opened.ask()
    assert all(process.returncode is not None for process in processes)


@pytest.mark.soak
@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_that_really_happens_is_named(fault: str) -> None:
    assert sum(right(fault, trial(fault, seed)) for seed in range(5)) >= 4
