"""What the stories say is what happens in them."""

import functools
from collections.abc import Sequence
from typing import Any

from engines.sim.timeline import Timeline
from engines.tracing.context import NewTrace
from engines.tracing.critical import critical_path
from engines.tracing.pattern import PATTERN
from engines.tracing.skew import corrected
from engines.tracing.spans import Kind
from engines.tracing.tree import build
from engines.tracing.world.events import BreakerMoved, Score
from engines.tracing.world.snapshot import Snapshot, Strayed
from tests.engines.tracing.world.system import path_of


@functools.cache
def at(name: str, ms: int | None = None) -> Timeline[Any, Any]:
    scenario = PATTERN.scenario(name)
    run: Timeline[Any, Any] = Timeline(PATTERN.variant(scenario.variant), scenario.seed, scenario.config, scenario)
    run.advance(scenario.end_us if ms is None else ms * 1_000)
    return run


def seen(name: str, ms: int | None = None) -> Snapshot:
    snapshot: Snapshot = at(name, ms).snapshot()
    return snapshot


def test_auth_is_blocked_its_database_pool_is_exhausted_at_p99() -> None:
    end = seen("auth-pool-p99")
    assert end.diagnosis is not None
    verdict = end.diagnosis.verdict
    assert (verdict.service, verdict.kind, verdict.peer) == ("auth", "pool", "auth-db")
    assert verdict.ppm > 500_000
    assert (verdict.used, verdict.limit) == (1, 1)
    assert verdict.waiting > 0
    assert end.score is Score.RIGHT
    assert sum(each.us for each in end.diagnosis.contributions) == end.diagnosis.gap_us
    calm = max(sample.p99_us for sample in seen("auth-pool-p99", 5_400).series)
    assert max(sample.p99_us for sample in end.series) > 2 * calm


def test_one_of_72_drops_the_header_and_is_named() -> None:
    end = seen("dropped-header")
    assert len(end.services) == 72
    assert (end.verdicts[0].kind, end.verdicts[0].service, end.score) == ("header", "catalog", Score.RIGHT)
    broken = [row for row in end.traces if row.service == "catalog-cache"]
    assert broken
    assert all(isinstance(row.note, Strayed) and row.note.src == "catalog" for row in broken)


def test_an_extracted_parent_that_is_not_used_makes_as_many_traces_as_hops() -> None:
    end = seen("unused-parent")
    late = [row for row in end.traces if row.start_us > 2_200_000 and row.complete]
    assert late
    assert all(row.services == 1 for row in late)
    hops = [hop for row in late for hop in end.store.hops(row.trace_id) if hop.src != "users"]
    assert all(hop.headers[0][0] == "traceparent" for hop in hops)
    assert all(hop.why is NewTrace.UNUSED for hop in hops)


def test_a_failing_database_is_called_up_to_nine_times_for_one_request() -> None:
    end = seen("retry-storm", 7_900)
    tries = [sum(span.service == "auth-db" for span in entry.spans) for entry in end.store.entries]
    assert 3 < max(tries) <= 9
    assert (end.verdicts[0].kind, end.verdicts[0].service) == ("retries", "auth-db")


def test_breakers_end_the_storm_first_below_and_then_above() -> None:
    told = [event for event in at("retry-storm").engine.told(1 << 20) if isinstance(event.what, BreakerMoved)]
    assert [(event.node, event.what.moved.dst.value) for event in told] == [("auth", "open"), ("gateway", "open")]
    assert (told[0].what.moved.bad, told[0].what.moved.calls) == (11, 22)


def test_of_a_fan_out_only_the_slowest_is_on_the_critical_path() -> None:
    def last(ms: int | None, since_us: int) -> list[str]:
        found = []
        for entry in seen("fan-out", ms).store.entries:
            tree = build(entry.spans)
            if tree.start_us[tree.root] < since_us or tree.missing_parents:
                continue
            on_path = {tree.spans[row].service for row in critical_path(tree).on_path}
            found.append("vouchers" if "vouchers" in on_path else "another")
        return found

    assert last(7_400, 0).count("vouchers") * 2 < len(last(7_400, 0))
    slow = last(None, 7_600_000)
    assert slow.count("vouchers") * 4 > 3 * len(slow)


def test_the_slowest_of_the_fan_out_is_named_at_its_end() -> None:
    end = seen("fan-out")
    assert (end.verdicts[0].kind, end.verdicts[0].service, end.score) == ("slow", "vouchers", Score.RIGHT)


def test_nobody_waits_for_the_mailer() -> None:
    entries = [each for each in seen("async-consumer").store.entries if any(s.service == "mailer" for s in each.spans)]
    assert len(entries) > 10
    for row in (each for each in seen("async-consumer").traces if not each.complete):
        assert row.duration_us < 250_000, "a row shows the root, not the last span"
    for entry in entries:
        assert not any("mailer" in label for label in path_of(entry.spans))
    roots = [next(s for s in each.spans if not s.parent_id) for each in entries]
    mails = [next(s for s in each.spans if s.kind == Kind.CONSUMER) for each in entries]
    assert sum(mail.end_us > root.end_us for mail, root in zip(mails, roots, strict=True)) > 10


def test_a_skewed_clock_starts_children_before_their_parents_until_it_is_corrected() -> None:
    end = seen("clock-skew")
    assert (end.verdicts[0].kind, end.verdicts[0].service, end.correction) == ("skew", "cart", True)

    def early(spans: Sequence[Any]) -> bool:
        by_id = {span.span_id: span for span in spans}
        return any(span.parent_id in by_id and span.start_ns < by_id[span.parent_id].start_ns for span in spans)

    skewed = [entry.spans for entry in end.store.entries if early(entry.spans)]
    assert len(skewed) > 10
    assert not any(early(corrected(spans).spans) for spans in skewed)


def test_head_sampling_misses_the_errors_that_tail_sampling_keeps_of_the_same_requests() -> None:
    head, tail = seen("head-sampling"), seen("tail-sampling")
    errors = [sum(sample.errors for sample in each.series) for each in (head, tail)]
    assert errors[0] == errors[1] > 3
    assert sum(row.errors > 0 for row in head.traces) == 0
    assert sum(row.errors > 0 for row in tail.traces) == errors[1]
    assert all(row.kept is not None and row.kept.policy == "error" for row in tail.traces if row.errors)


def test_a_flushed_cache_is_named_and_not_the_pool_behind_it() -> None:
    end = seen("cache-stampede")
    assert (end.verdicts[0].kind, end.verdicts[0].service, end.score) == (
        "cache", "catalog-cache", Score.RIGHT,
    )  # fmt: skip
    assert end.diagnosis is not None
    assert any(
        each.key == "cache.hit" and each.value == "false" and each.slow_ppm > each.fast_ppm
        for each in end.diagnosis.differences
    )


def test_the_misses_that_are_left_of_a_stampede_are_credited_to_the_cold_cache() -> None:
    later = seen("cache-stampede", 12_000)
    assert (later.verdicts[0].kind, later.verdicts[0].service) == ("extra", "catalog-db")
    assert later.score is Score.MISSES
