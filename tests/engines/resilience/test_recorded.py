"""A call log as a run: the same transitions as the report, and a picture of them at every step."""

import pickle
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import UserError
from engines.resilience.calllog import LoggedCall, Replay
from engines.resilience.presets import PRESETS
from engines.resilience.recorded import EDGE, VARIANT, CallLog
from engines.resilience.world.commands import SetPreset
from engines.resilience.world.events import BreakerMoved, CallRejected, PresetChosen
from engines.resilience.world.snapshot import BreakerView, Snapshot
from engines.sim.source import Source
from engines.sim.timeline import Timeline

MS = 1_000
S = 1_000_000
CALLS = [LoggedCall(at * 25 * MS, not 200 <= at < 720 or at % 5 == 0, (at * 37 % 90) * MS) for at in range(6_000)]


def run(calls: list[LoggedCall], preset: str = "article") -> Timeline[Any, Snapshot]:
    source = Source("calls.jsonl", "ab" * 32, CallLog(calls), "calls.jsonl")
    return Timeline(VARIANT.on(source), 0, (("preset", preset),))


def breaker_of(snapshot: Snapshot) -> BreakerView:
    edge = snapshot.edge(EDGE)
    assert edge is not None
    assert edge.breaker is not None
    return edge.breaker


def told(timeline: Timeline[Any, Snapshot]) -> list[tuple[int, str, str]]:
    return [
        (event.at_us, event.what.moved.src.value, event.what.moved.dst.value)
        for event in timeline.engine.told(600)
        if isinstance(event.what, BreakerMoved)
    ]


def test_steps_are_starts_and_results_in_the_order_of_time() -> None:
    log = CallLog([LoggedCall(0, True, 10), LoggedCall(5, False, 0), LoggedCall(5, True, 3), LoggedCall(10, True, 1)])
    assert [(step.at_us, step.call, step.ends) for step in log] == [
        (0, 0, False),
        (5, 1, False),
        (5, 1, True),
        (5, 2, False),
        (8, 2, True),
        (10, 0, True),
        (10, 3, False),
        (11, 3, True),
    ]
    assert log[-1] == log[7] == log[7:][0]
    assert len(log) == 8


@pytest.mark.parametrize("preset", PRESETS)
def test_a_run_has_the_transitions_of_the_report(preset: str) -> None:
    report = Replay(PRESETS[preset])
    for call in CALLS:
        report.call(*call)
    report.finish()
    timeline = run(CALLS, preset)
    timeline.advance(1 << 50)
    engine: Any = timeline.engine
    moves = [(move.at_us, move.src, move.dst, move.why) for move in report.transitions]
    assert [(m.at_us, m.src, m.dst, m.why) for m in engine.breaker.history] == moves[-32:]
    assert engine.offered - engine.rejected == sum(report.admitted)
    assert len(told(timeline)) == len(moves) > 1
    assert all(check.ok for check in engine.check())
    assert breaker_of(timeline.snapshot()).rejected == report.tally.rejected


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2 * S), st.booleans(), st.integers(0, 9 * S)), min_size=1, max_size=60))
def test_every_step_leaves_a_picture_and_every_law_holds(rows: list[tuple[int, bool, int]]) -> None:
    now_us, calls = 0, []
    for gap_us, ok, duration_us in rows:
        now_us += gap_us
        calls.append(LoggedCall(now_us, ok, duration_us))
    timeline = run(calls, "opossum")
    while timeline.step():
        snapshot = timeline.snapshot()
        edge = snapshot.edge(EDGE)
        assert edge is not None
        assert edge.running <= snapshot.offered
        assert len(snapshot.series) <= 240
        assert len(snapshot.calls) <= 12
    engine: Any = timeline.engine
    assert timeline.position == 2 * len(calls)
    assert engine.good + engine.failed + engine.rejected == len(calls) == engine.offered
    assert not engine.running


def test_the_breaker_of_the_picture_says_why_it_is_open_and_what_would_close_it() -> None:
    timeline = run(CALLS)
    timeline.advance(17 * S)
    breaker = breaker_of(timeline.snapshot())
    assert breaker.state == "open"
    assert "failed, threshold >= 50 %" in breaker.why.reason
    assert breaker.why.closes.startswith("the first call ")
    assert breaker.countdown_us > 0
    assert breaker.rejected_here == breaker.rejected > 0
    assert [stretch.state for stretch in breaker.history] == ["closed", "open"]
    assert breaker.history[-1].lasted_us == -1
    assert ("minimum", "20") in breaker.options.words()
    assert sum(bucket.calls for bucket in breaker.buckets) == breaker.calls


def leaves(value: object) -> Iterator[object]:
    """What is left of a picture when all tuples and records are taken apart."""
    if isinstance(value, tuple):
        for each in value:
            yield from leaves(each)
    elif isinstance(value, Enum):
        yield value.value
    elif is_dataclass(value):
        for field in fields(value):
            yield from leaves(getattr(value, field.name))
    else:
        yield value


def test_pictures_and_events_are_plain_data() -> None:
    timeline = run(CALLS, "opossum")
    timeline.advance(17 * S)
    found = {type(each) for each in (*leaves(timeline.snapshot()), *leaves(timeline.engine.told(600)))}
    assert found <= {int, str, bool, type(None)}


def test_a_seek_equals_the_first_run_there() -> None:
    timeline = run(CALLS)
    seen = {}
    while timeline.step():
        if timeline.position % 97 == 0:
            seen[timeline.position] = timeline.snapshot()
    for position in (97 * 40, 97 * 3, 97 * 20):
        timeline.seek(position)
        assert timeline.snapshot() == seen[position]


def test_taking_a_picture_changes_nothing() -> None:
    timeline = run(CALLS)
    timeline.advance(20 * S)
    before = pickle.dumps(timeline.engine)
    timeline.snapshot()
    assert pickle.dumps(timeline.engine) == before


def test_a_log_with_the_time_of_day_is_played_from_its_first_second() -> None:
    epoch_us = 1_700_000_000 * S + 250 * MS
    moved = [replace_time(call, call.at_us + epoch_us) for call in CALLS]
    shifted = [replace_time(call, call.at_us + 250 * MS) for call in CALLS]
    for preset in PRESETS:
        late, early = run(moved, preset), run(shifted, preset)
        late.advance(1 << 50)
        early.advance(1 << 50)
        assert late.snapshot() == early.snapshot()


def replace_time(call: LoggedCall, at_us: int) -> LoggedCall:
    return call._replace(at_us=at_us)


def test_a_long_silence_costs_no_more_than_the_samples_that_are_shown() -> None:
    timeline = run([LoggedCall(0, True, 0), LoggedCall(20 * 3_600 * S, True, 0)])
    timeline.advance(1 << 50)
    series = timeline.snapshot().series
    assert len(series) == 240
    assert series[-1].at_us == 20 * 3_600 * S
    assert {b.at_us - a.at_us for a, b in pairwise(series)} == {500 * MS}


def test_a_probe_too_many_turns_the_check_red(monkeypatch: pytest.MonkeyPatch) -> None:
    from engines.resilience.breaker import Breaker

    monkeypatch.setattr(Breaker, "acquire", lambda self, now_us: self.era)
    timeline = run([LoggedCall(0, False, 0)] * 30)
    timeline.advance(1 << 50)
    assert [check.name for check in timeline.engine.check() if not check.ok] == ["open rejects"]


def test_what_happens_over_and_over_is_told_once_a_second() -> None:
    timeline = run([LoggedCall(i * MS, False, 0) for i in range(1_500)], "article")
    timeline.advance(1 << 50)
    rejected = [event for event in timeline.engine.told(600) if isinstance(event.what, CallRejected)]
    assert [event.what.times for event in rejected] == [1, 1_000]


@pytest.mark.parametrize("preset", PRESETS)
def test_another_preset_judges_the_log_anew(preset: str) -> None:
    timeline, other = run(CALLS), run(CALLS, preset)
    for each in (timeline, other):
        each.advance(60 * S)
    timeline.submit(SetPreset("*", preset))
    seen, wanted = timeline.snapshot(), other.snapshot()
    assert seen == wanted
    assert timeline.engine.told(1)[0].what == PresetChosen(EDGE, preset)
    for each in (timeline, other):
        each.advance(1 << 50)
    assert timeline.snapshot() == other.snapshot()
    timeline.seek(40)
    assert timeline.snapshot().preset == "article", "the log is still there as it was judged before"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (SetPreset("*", "none"), "unknown preset 'none'"),
        (SetPreset("api>auth", "polly"), "one of client>service, "),
    ],
)
def test_a_log_takes_a_preset_that_there_is_and_nothing_else(command: SetPreset, words: str) -> None:
    timeline = run(CALLS)
    timeline.advance(S)
    with pytest.raises(UserError, match=words):
        timeline.submit(command)
