"""Every story of the resilience panel, line by line, as it was when somebody last looked at it.

A transcript that differs is a change of behaviour: raise the engine's version, write the files again with
``DP_TUI_WRITE_GOLDEN=1`` and read the difference before committing it.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from engines.resilience import PATTERN
from engines.sim.clock import format_time
from engines.sim.pattern import Scenario
from engines.sim.timeline import Timeline
from engines.sim.world import QUIET_KINDS, Event

GOLDEN = Path(__file__).parent / "golden"


def line(event: Event) -> str:
    """An event that tells a story, as one line of text."""
    who = f"{event.peer}>{event.node}" if event.peer else event.node or "-"
    detail = " ".join(f"{name}={value}" for name, value in event.detail)
    words = [format_time(event.at_us), f"#{event.position}", who, event.kind]
    if event.message is not None:
        words.append(type(event.message).__name__)
    if event.why:
        words.append(f"({event.why})")
    return " ".join([*words, detail]).rstrip()


def transcript(scenario: Scenario) -> str:
    """The told events of a scenario, how its checks end, and its digest."""
    variant = PATTERN.variant(scenario.variant)
    run: Timeline[Any, Any] = Timeline(variant, scenario.seed, scenario.config, scenario)
    lines: list[str] = []
    while run.step() and run.now_us <= scenario.end_us:
        told = run.engine.told_total - len(lines)
        lines += [line(event) for event in run.engine.told(told)] if told else []
    run.seek_time(scenario.end_us)
    lines = lines[: run.engine.told_total]
    for check in run.check():
        lines.append(f"{check.name}: {'ok' if check.ok else check.detail}")
        lines += [f"    {witness}" for witness in check.witness]
    lines.append("digest {} of {} events".format(*run.digest()))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("scenario", PATTERN.scenarios, ids=lambda scenario: scenario.name)
def test_a_story_is_told_as_before(scenario: Scenario) -> None:
    path = GOLDEN / f"{scenario.name}.txt"
    text = transcript(scenario)
    if os.environ.get("DP_TUI_WRITE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        path.write_text(text, encoding="ascii")
    assert path.read_text(encoding="ascii") == text


def test_no_transcript_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {scenario.name for scenario in PATTERN.scenarios}


def test_only_events_that_tell_a_story_are_told() -> None:
    for scenario in PATTERN.scenarios:
        run: Timeline[Any, Any] = Timeline(PATTERN.variant(scenario.variant), scenario.seed, scenario.config, scenario)
        run.advance(scenario.end_us)
        assert not QUIET_KINDS & {event.kind for event in run.engine.told(1 << 20)}
