"""Windows: what they hold, what they forget, and that looking changes nothing."""

import pickle
from collections import deque
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.resilience.window import (
    NEVER,
    Bucket,
    Counts,
    CountWindow,
    FiresWindow,
    PollyWindow,
    TickWindow,
    TimeWindow,
    Window,
)

S = 1_000_000
Result = tuple[int, bool, bool]


@st.composite
def logs(draw: st.DrawFn) -> list[Result]:
    """Results in the order of time."""
    now_us, found = 0, []
    for gap_us, failed, slow in draw(
        st.lists(st.tuples(st.integers(0, 3 * S), st.booleans(), st.booleans()), max_size=60)
    ):
        now_us += gap_us
        found.append((now_us, failed, slow))
    return found


results = logs()


def tally(records: Iterable[Result]) -> Counts:
    found = list(records)
    return Counts(len(found), sum(failed for _, failed, _ in found), sum(slow for _, _, slow in found))


def total(buckets: Iterable[Bucket]) -> Counts:
    found = list(buckets)
    return Counts(*(sum(getattr(b, name) for b in found) for name in Counts._fields))


@given(results, st.integers(1, 12))
def test_a_count_window_holds_the_last_results_however_old(records: list[Result], size: int) -> None:
    window = CountWindow(size)
    kept: deque[Result] = deque(maxlen=size)
    for at_us, failed, slow in records:
        window.record(at_us, failed, slow)
        kept.append((at_us, failed, slow))
        assert window.counts(at_us + 1_000 * S) == tally(kept) == total(window.buckets(at_us))


@given(results, st.integers(1, 10), st.integers(0, 12 * S))
def test_a_time_window_holds_the_running_bucket_and_those_before_it(
    records: list[Result], buckets: int, later_us: int
) -> None:
    window = TimeWindow(buckets * S, buckets)
    for index, (at_us, failed, slow) in enumerate(records):
        window.record(at_us, failed, slow)
        for now_us in (at_us, at_us + later_us):
            first = now_us // S - buckets + 1
            inside = tally(r for r in records[: index + 1] if r[0] // S >= first)
            assert window.counts(now_us) == inside == total(window.buckets(now_us))
            assert [b.start_us for b in window.buckets(now_us)] == [(first + i) * S for i in range(buckets)]


@given(results)
def test_a_tick_window_sees_completed_buckets_only(records: list[Result]) -> None:
    window = TickWindow(10 * S, 20)
    for index, (at_us, failed, slow) in enumerate(records):
        while window.next_us() <= at_us:
            tick_us = window.tick()
            inside = tally(r for r in records[:index] if tick_us - 10 * S <= r[0] < tick_us)
            assert Counts(window.calls, window.failures, window.slow) == inside
            assert tick_us % 500_000 == 0
        window.record(at_us, failed, slow)


def test_a_tick_window_stops_ticking_when_it_is_empty_and_starts_again() -> None:
    window = TickWindow(10 * S, 20)
    assert window.next_us() == NEVER
    window.record(1_200_000, True, False)
    assert window.next_us() == 1_500_000
    ticks = 0
    while window.next_us() != NEVER:
        window.tick()
        ticks += 1
    assert ticks == 21, "twenty with the call inside and one without"
    window.record(60 * S, False, False)
    assert window.next_us() == 60_500_000


def test_a_tick_window_ticks_from_its_reset_on() -> None:
    window = TickWindow(10 * S, 20)
    window.record(100_000, True, False)
    window.reset(1_234_000)
    assert (window.calls, window.next_us()) == (0, NEVER)
    window.record(1_300_000, True, False)
    assert window.next_us() == 1_734_000


def test_a_fires_window_counts_starts_and_failures_apart() -> None:
    window = FiresWindow(10 * S, 10)
    for _ in range(4):
        window.started(0)
    window.record(0, True, True)
    assert window.counts(0) == Counts(4, 1, 1)
    window.record(12 * S, True, False)
    assert window.counts(12 * S) == Counts(0, 1, 0), "the failure of a call whose start is forgotten"


def polly_model(records: list[Result], span_us: int) -> Counts:
    """Sub-windows as the library keeps them, without totals."""
    width_us = span_us // 10
    parts: list[tuple[int, list[Result]]] = []
    now_us = 0
    for record in records:
        now_us = record[0]
        if not parts or now_us - parts[-1][0] >= width_us:
            parts.append((now_us, []))
        parts[-1][1].append(record)
    return tally(record for start_us, part in parts for record in part if now_us - start_us < span_us)


@given(results)
def test_a_polly_window_starts_a_part_at_the_first_result_that_finds_the_last_too_old(records: list[Result]) -> None:
    window = PollyWindow(30 * S)
    for index, (at_us, failed, slow) in enumerate(records):
        window.record(at_us, failed, slow)
        expected = polly_model(records[: index + 1], 30 * S)
        assert Counts(window.calls, window.failures, window.slow) == expected == window.counts(at_us)


@pytest.mark.parametrize(
    ("at_us", "starts"),
    [
        (2_999_999, [0]),
        (3_000_000, [0, 3_000_000]),
        (29_999_999, [0, 29_999_999]),
        (30_000_000, [30_000_000]),
    ],
    ids=["same part", "new part", "first part still in", "first part dropped"],
)
def test_polly_parts_are_three_seconds_long_and_live_for_thirty(at_us: int, starts: list[int]) -> None:
    window = PollyWindow(30 * S)
    window.record(0, True, False)
    window.record(at_us, False, False)
    assert [bucket.start_us for bucket in window.buckets(at_us)] == starts
    assert window.calls == sum(bucket.calls for bucket in window.buckets(at_us))


def test_a_polly_window_below_200_ms_tumbles() -> None:
    assert not PollyWindow(200_000).tumbling
    window = PollyWindow(199_999, now_us=0)
    assert window.tumbling
    window.record(0, True, False)
    window.record(199_998, True, False)
    assert window.counts(199_998) == Counts(2, 2, 0)
    window.record(199_999, False, False)
    assert window.counts(199_999) == Counts(1, 0, 0), "it starts over as a whole"


MAKERS: list[Callable[[], Window]] = [
    lambda: CountWindow(7),
    lambda: TimeWindow(10 * S, 10),
    lambda: FiresWindow(10 * S, 10),
    lambda: TickWindow(10 * S, 20),
    lambda: PollyWindow(30 * S),
    lambda: PollyWindow(150_000),
]


@pytest.mark.parametrize("make", MAKERS)
@settings(max_examples=30)
@given(records=results, ahead_us=st.integers(0, 40 * S))
def test_looking_changes_nothing(make: Callable[[], Window], records: list[Result], ahead_us: int) -> None:
    seen, unseen = make(), make()
    for at_us, failed, slow in records:
        for window in (seen, unseen):
            window.started(at_us)
            window.record(at_us, failed, slow)
        seen.counts(at_us + ahead_us)
        seen.buckets(at_us + ahead_us)
        seen.next_us()
    assert pickle.dumps(seen) == pickle.dumps(unseen)


@pytest.mark.parametrize("make", MAKERS)
def test_a_reset_forgets_everything(make: Callable[[], Window]) -> None:
    window = make()
    for at_us in range(0, 5 * S, 100_000):
        window.started(at_us)
        window.record(at_us, True, True)
    window.reset(5 * S)
    assert window.counts(5 * S) == Counts(0, 0, 0)
    assert total(window.buckets(5 * S)) == Counts(0, 0, 0)
