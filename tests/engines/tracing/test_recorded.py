"""A trace file as a run: one step is one trace, and nothing but narration can be added."""

import pickle
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings

from engines.errors import UserError
from engines.sim.faults import Crash, Narrate
from engines.sim.pattern import Pattern
from engines.sim.recording import read, record
from engines.sim.source import Source
from engines.sim.timeline import Timeline
from engines.tracing import analysis
from engines.tracing.critical import Path, critical_path
from engines.tracing.diagnosis import Lack, NoDiagnosis
from engines.tracing.judge import judge
from engines.tracing.recorded import VARIANT, source
from engines.tracing.records import Records
from engines.tracing.spans import Kind, Span
from engines.tracing.tree import Flaw, Note, Tree
from engines.tracing.verdicts import Trouble
from engines.tracing.world.events import AllRead, Most, TraceJudged
from engines.tracing.world.snapshot import TRACES_MAX, Snapshot, pace_of
from tests.engines.tracing.requests import MS, login
from tests.engines.tracing.shapes import defective_traces, span

Run = Timeline[Any, Snapshot]
EPOCH_NS = 1_700_000_000 * 10**9


def file(count: int = 120) -> list[Span]:
    """Logins of today, one every ten seconds; every fiftieth waits for its pool."""
    full = (("pool.name", "auth-db"), ("pool.in_use", 10), ("pool.max", 10), ("pool.waiting", 34))
    spans = [each for i in range(count) for each in login(i, pool_us=900 * MS if i % 50 == 7 else 0, sights=full)]
    return [each._replace(start_ns=each.start_ns + EPOCH_NS, end_ns=each.end_ns + EPOCH_NS) for each in spans]


def opened(spans: list[Span]) -> Source:
    return source(spans, "spans.json", "ab" * 32, "spans.json")


def run(spans: list[Span] | None = None) -> Run:
    return Timeline(VARIANT.on(opened(file() if spans is None else spans)), 0)


def ended(spans: list[Span] | None = None) -> Run:
    played = run(spans)
    played.advance(1 << 60)
    return played


def test_one_step_is_one_trace_at_the_end_of_its_last_span() -> None:
    played = run()
    assert played.step()
    assert played.step()
    seen = played.snapshot()
    assert [row.trace_id for row in seen.traces] == [f"{2:032x}", f"{1:032x}"]
    assert seen.now_us == 10_000 * MS + seen.traces[0].duration_us
    assert played.back()
    assert len(played.snapshot().traces) == 1


def test_traces_are_played_in_the_order_in_which_they_were_complete() -> None:
    long, short = span("long", "", 0, 90, trace_id="a" * 32), span("short", "", 10, 20, trace_id="b" * 32)
    late = span("late", "long", 95, 99, trace_id="a" * 32, kind=Kind.CONSUMER)
    played = run([long, short, late])
    played.step()
    assert [row.operation for row in played.snapshot().traces] == ["short"]
    played.step()
    assert played.now_us == 99
    assert played.snapshot().traces[0].duration_us == 90


def test_time_is_counted_from_the_first_span_and_spans_stay_as_they_are() -> None:
    spans = file(3)
    seen = ended(spans).snapshot()
    assert seen.traces[-1].start_us == 0
    assert seen.store.spans(f"{1:032x}") == tuple(each for each in spans if each.trace_id == f"{1:032x}")


def test_at_the_end_the_diagnosis_is_over_all_traces_and_is_told() -> None:
    played = ended()
    seen = played.snapshot()
    assert seen.diagnosis is not None
    assert seen.diagnosis.traces == 120
    assert seen.verdicts[0].evidence == seen.diagnosis.verdict
    assert seen.root_operation == ("web", "GET /login")
    assert (seen.verdicts[0].kind, seen.verdicts[0].service) == (Trouble.POOL, "auth")
    assert played.engine.told(1)[0].what == AllRead(seen.verdicts[0], None)


def test_with_few_traces_the_reason_why_there_is_no_diagnosis_is_told() -> None:
    played = ended(file(20))
    assert played.snapshot().diagnosis is None
    assert played.snapshot().no_diagnosis == NoDiagnosis(Lack.FEW, "web", "GET /login", 20)
    assert played.engine.told(1)[0].what == AllRead(None, NoDiagnosis(Lack.FEW, "web", "GET /login", 20))


def test_every_trace_is_told_with_where_its_time_went() -> None:
    played = run()
    for _ in range(8):
        played.step()
    event = played.engine.told(1)[0]
    assert isinstance(event.what, TraceJudged)
    assert event.what.most == Most("auth", "acquire connection", 900 * MS)
    assert event.what.operation == "GET /login"


def test_the_study_is_renewed_when_the_traces_have_grown_by_a_fourth_and_at_the_end() -> None:
    played = run()
    renewed = []
    while played.step():
        renewed.append(played.engine.studied)  # type: ignore[attr-defined]
    changes = sorted(set(renewed))
    assert changes[:8] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert all(later <= max(earlier + 1, earlier * 5 // 4) for earlier, later in pairwise(changes))
    assert changes[-1] == 120


def test_services_and_the_map_come_from_the_spans() -> None:
    seen = ended().snapshot()
    assert [(each.name, each.layer, each.called) for each in seen.services] == [
        ("web", "edge", 120),
        ("auth", "domain", 120),
        ("auth-db", "data", 120),
    ]
    assert [(each.src, each.dst, each.calls) for each in seen.map_edges] == [
        ("web", "auth", 120),
        ("auth", "auth-db", 120),
    ]


def test_the_services_are_those_that_send_spans_as_in_the_report() -> None:
    call = span("SELECT", "a", 1, 9, kind=Kind.CLIENT, attributes=(("server.address", "10.0.0.7"),))
    spans = [span("a", "", 0, 10), call]
    assert [(each.name, each.layer) for each in ended(spans).snapshot().services] == [("svc", "edge")]
    assert judge(spans, "x").services == ("svc",)


def test_a_service_whose_caller_is_missing_is_not_at_the_edge_for_that() -> None:
    lost = span("x", "lost", 2, 5, service="deep")
    seen = ended([span("a", "", 0, 10), span("b", "a", 1, 9, service="deep"), lost]).snapshot()
    assert [(each.name, each.layer, each.called) for each in seen.services] == [("svc", "edge", 1), ("deep", "data", 2)]


@settings(max_examples=60, deadline=None)
@given(defective_traces())
def test_whatever_is_wrong_every_service_is_there(trace: list[Span]) -> None:
    seen = ended(trace).snapshot()
    assert sorted(each.name for each in seen.services) == sorted(judge(trace, "x").services)
    assert all(check.ok for check in seen.checks)


def test_the_strip_has_a_point_for_every_second_in_which_traces_ended() -> None:
    seen = ended(file(12)).snapshot()
    assert [(each.at_us, each.requests) for each in seen.series] == [(at * 10_000_000, 1) for at in range(12)]


def test_the_strip_holds_all_of_a_long_file_at_a_coarser_pace() -> None:
    quarter_us = 21_600_000_000
    seen = ended(
        [span("a", "", at * quarter_us, at * quarter_us + 10, trace_id=f"{at:032x}") for at in range(400)]
    ).snapshot()
    assert pace_of(seen.now_us).words == "day"
    assert [each.at_us // 86_400_000_000 for each in seen.series] == list(range(100))
    assert [each.requests for each in seen.series] == [4] * 100


def test_while_a_file_is_played_the_last_point_is_not_whole() -> None:
    played = run([span("a", "", at * 250_000, at * 250_000 + 10, trace_id=f"{at:032x}") for at in range(12)])
    played.advance(1_600_000)
    assert [each.requests for each in played.snapshot().series] == [4, 3]
    played.advance(1 << 60)
    assert [each.requests for each in played.snapshot().series] == [4, 4, 4]


def test_the_list_is_bounded_and_warm_by_rank() -> None:
    seen = ended(file(TRACES_MAX + 30)).snapshot()
    assert len(seen.traces) == len(seen.store.entries) == TRACES_MAX
    hottest = max(seen.traces, key=lambda row: row.heat_ppm)
    assert hottest.heat_ppm == 1_000_000
    assert hottest.duration_us == max(row.duration_us for row in seen.traces)
    assert seen.collector.traces == TRACES_MAX + 30


def test_a_seek_equals_the_first_run_there() -> None:
    played = run()
    seen = {}
    while played.step():
        seen[played.position] = played.snapshot(), played.check(), played.engine.told(600)
    for position in (3, 119, 60, 120, 1):
        played.seek(position)
        assert (played.snapshot(), played.check(), played.engine.told(600)) == seen[position]


def test_looking_changes_nothing_and_a_checkpoint_holds_no_spans() -> None:
    played = ended()
    before = pickle.dumps(played.engine)
    played.snapshot()
    played.check()
    assert pickle.dumps(played.engine) == before
    assert len(before) < 60_000


def test_a_saved_run_is_replayed_on_its_file_and_comes_to_the_same_digest() -> None:
    pattern = Pattern(7, "tracing", "Tracing", "How do we find what is slow?", (), (), recorded=VARIANT)
    played = ended(file(120))
    text = record(pattern, played)
    again = read(text, "run.json", (pattern,), lambda name, asked: opened(file(120)))
    assert again.verify()[0]
    assert again.open().snapshot() == played.snapshot()
    changed = read(text, "run.json", (pattern,), lambda name, asked: opened(file(121)))
    assert not changed.verify()[0]


def test_the_checks_hold_and_a_broken_path_turns_one_red(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [(check.name, check.ok) for check in ended().check()] == [("critical path", True), ("contributions", True)]

    def gappy(tree: Tree) -> Path:
        whole = critical_path(tree)
        return whole._replace(segments=whole.segments[:-1] if tree.trace_id.endswith("3") else whole.segments)

    monkeypatch.setattr(analysis, "critical_path", gappy)
    played = run()
    played.step()
    assert played.check()[0].ok
    played.advance(1 << 60)
    assert not played.check()[0].ok
    assert played.check()[0].witness[0].startswith(f"trace {3:032x}")


def test_nothing_can_be_injected_but_the_lecturer_may_speak() -> None:
    played = ended(file(2))
    with pytest.raises(UserError, match="recorded data: faults need a simulation"):
        played.submit(Crash("web"))
    played.submit(Narrate("Look at auth."))
    assert played.snapshot().cue == (played.now_us, "Look at auth.")


def test_a_file_without_a_start_does_not_begin_in_1970() -> None:
    now = EPOCH_NS // 1_000
    seen = ended([span("a", "", now, now + 9), span("b", "a", 0, now + 5)]).snapshot()
    assert seen.now_us == 9
    assert isinstance(seen.traces[0].note, Note)
    assert seen.traces[0].note.kind is Flaw.NO_START


def test_times_that_no_clock_measured_are_no_accident() -> None:
    """Jaeger counts microseconds in 64 bits, so its nanoseconds may need 74."""
    odd = [span("a", "", 5, 1 << 70), span("b", "a", 1 << 64, 1 << 66), span("c", "a", 7, 9)]
    played, judged = run(odd), judge(odd, "x")
    played.step()
    assert played.snapshot().traces[0].duration_us == judged.traces[0].duration_us == (1 << 70) - 5
    assert max(row.max_us for row in judged.aggregates) == (1 << 70) - 5
    assert all(check.ok for check in (*played.check(), *judged.checks))


def test_no_spans_are_a_run_of_nothing() -> None:
    played = ended([])
    assert (played.position, played.snapshot().traces, len(Records([]))) == (0, (), 0)
