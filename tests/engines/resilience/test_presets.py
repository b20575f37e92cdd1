"""Every preset exactly at its boundaries: the threshold, the wait, the minimum, late results, released permits."""

from dataclasses import replace

import pytest

from engines.errors import UserError
from engines.resilience import Cause, State
from engines.resilience.calllog import Replay
from engines.resilience.policy import BreakerOptions, WindowKind
from engines.resilience.presets import PRESETS, preset
from tests.engines.resilience.drive import MS, Bench, S, options

# -- the threshold and the minimum -----------------------------------------------------------------------------------

THRESHOLDS = [
    ("article", "." * 10 + "x" * 10, "open", "20 calls, exactly 50 %"),
    ("article", "." * 11 + "x" * 9, "closed", "20 calls, 45 %"),
    ("article", "x" * 19, "closed", "19 calls are one short of the minimum"),
    ("article", "x" * 20, "open", "20 calls are the minimum"),
    ("article", "x" * 10 + "." * 10, "open", "judged on a success too"),
    ("resilience4j", "." * 50 + "x" * 50, "open", "100 calls, exactly 50 %"),
    ("resilience4j", "." * 51 + "x" * 49, "closed", "100 calls, 49 %"),
    ("resilience4j", "x" * 99, "closed", "99 calls are one short of the minimum"),
    ("resilience4j", "x" * 50 + "." * 50, "open", "judged on a success too"),
    ("resilience4j", "x" * 49 + "." * 51 + "x" * 49, "closed", "the oldest failures make room for the new ones"),
    ("resilience4j", "." * 51 + "x" * 49 + "x", "open", "the hundred-and-first replaces a success"),
    ("resilience4j-time", "." * 50 + "x" * 50, "open", "100 calls, exactly 50 %"),
    ("resilience4j-time", "." * 51 + "x" * 49, "closed", "100 calls, 49 %"),
    ("resilience4j-time", "x" * 99, "closed", "99 calls are one short of the minimum"),
    ("resilience4j-time", "x" * 50 + "." * 50, "open", "judged on a success too"),
    ("polly", "." * 90 + "x" * 10, "open", "100 calls, exactly 10 %"),
    ("polly", "." * 91 + "x" * 9, "closed", "100 calls, 9 %"),
    ("polly", "x" * 99, "closed", "99 calls are one short of the minimum"),
    ("polly", "x" * 10 + "." * 90, "closed", "a success is never judged"),
    ("polly", "x" * 10 + "." * 90 + "x", "open", "the next failure is"),
    ("opossum", ".x", "closed", "exactly 50 % is not more than 50 %"),
    ("opossum", ".xx", "open", "2 of 3 is"),
    ("opossum", "x", "open", "no minimum: one failed call is 100 %"),
]


@pytest.mark.parametrize(("name", "outcomes", "state", "why"), THRESHOLDS, ids=[f"{t[0]}: {t[3]}" for t in THRESHOLDS])
def test_at_the_threshold(name: str, outcomes: str, state: str, why: str) -> None:
    assert Bench(name).calls(outcomes).state == state


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [("." * 10 + "x" * 10, "open"), ("." * 11 + "x" * 9, "closed"), ("x" * 19, "closed"), ("x" * 20, "open")],
    ids=["exactly 50 %", "45 %", "19 calls", "20 calls"],
)
def test_hystrix_judges_when_a_bucket_is_complete(outcomes: str, state: str) -> None:
    bench = Bench("hystrix").calls(outcomes)
    assert bench.state == "closed", "the running bucket never counts"
    assert bench.wait(499_999).poll().state == "closed"
    assert bench.wait(1).poll().state == state
    if state == "open":
        assert bench.moves[0].at_us == 500 * MS


def test_hystrix_trips_at_its_tick_even_if_nobody_looks_until_later() -> None:
    bench = Bench("hystrix").calls("x" * 20).wait(3 * S)
    assert bench.rejected().state is State.OPEN
    assert bench.moves[0].at_us == 500 * MS, "not when the call came"


def test_hystrix_counts_no_short_circuits() -> None:
    bench = Bench("hystrix").trip()
    before = bench.breaker.window.counts(bench.now_us)
    for _ in range(5):
        bench.rejected()
    assert bench.breaker.window.counts(bench.now_us) == before


def test_hystrix_window_holds_twenty_completed_buckets() -> None:
    bench = Bench("hystrix").calls("x" * 19).wait(10 * S).calls("x")
    assert bench.wait(500 * MS).poll().state == "closed", "the nineteen are 10.5 s old: 21 buckets ago"
    bench = Bench("hystrix").calls("x" * 19).wait(10 * S - 1).calls("x")
    assert bench.wait(1).poll().state == "open", "the nineteen are in the oldest of the twenty"


def test_the_article_s_window_is_the_running_second_and_nine_before() -> None:
    assert Bench("article").calls("x" * 19).wait(10 * S - 1).calls("x").state == "open"
    assert Bench("article").calls("x" * 19).wait(10 * S).calls("x").state == "closed"


def test_resilience4j_by_time_forgets_whole_seconds_after_a_hundred() -> None:
    assert Bench("resilience4j-time").calls("x" * 99).wait(100 * S - 1).calls("x").state == "open"
    assert Bench("resilience4j-time").calls("x" * 99).wait(100 * S).calls("x").state == "closed"


def test_polly_forgets_a_sub_window_thirty_seconds_after_it_began() -> None:
    assert Bench("polly").calls("x" * 99).wait(30 * S - 1).calls("x").state == "open"
    assert Bench("polly").calls("x" * 99).wait(30 * S).calls("x").state == "closed"


@pytest.mark.parametrize(("kind", "needed"), [(WindowKind.COUNT, 10), (WindowKind.TIME, 100)])
def test_resilience4j_cuts_the_minimum_to_the_size_of_a_window_by_count_only(kind: WindowKind, needed: int) -> None:
    bench = Bench("resilience4j", window=kind, size=10)
    assert bench.calls("x" * (needed - 1)).state == "closed"
    assert bench.calls("x").state == "open"


def test_without_a_minimum_the_article_s_breaker_trips_on_the_first_failed_call() -> None:
    assert Bench("article", minimum=0).calls("x").state == "open"


# -- opossum's denominator -------------------------------------------------------------------------------------------


def test_opossum_counts_calls_that_are_still_running() -> None:
    bench = Bench("opossum")
    first, second, third = bench.begin(), bench.begin(), bench.begin()
    bench.end(first, False)
    assert bench.state == "closed", "1 failure of 3 fires"
    bench.end(second, False)
    assert bench.state == "open", "2 of 3"
    bench.end(third, True)


def test_opossum_counts_rejected_calls() -> None:
    bench = Bench("opossum").trip()
    for _ in range(7):
        bench.rejected()
    assert bench.breaker.window.counts(bench.now_us).calls == 8


def test_opossum_trips_on_a_failure_whose_start_it_has_forgotten() -> None:
    bench = Bench("opossum")
    permit = bench.begin()
    bench.wait(11 * S).end(permit, False)
    assert bench.state == "open", "1 failure of 0 fires is more than any share"


# -- the wait --------------------------------------------------------------------------------------------------------

WAITS = [
    ("article", 30 * S, -1, False),
    ("article", 30 * S, 0, True),
    ("hystrix", 5 * S, 0, False),
    ("hystrix", 5 * S, 1, True),
    ("resilience4j", 60 * S, 0, False),
    ("resilience4j", 60 * S, 1, True),
    ("resilience4j-time", 60 * S, 0, False),
    ("resilience4j-time", 60 * S, 1, True),
    ("polly", 5 * S, -1, False),
    ("polly", 5 * S, 0, True),
    ("opossum", 30 * S, -1, False),
    ("opossum", 30 * S, 0, True),
]


@pytest.mark.parametrize(("name", "wait_us", "off_us", "admitted"), WAITS)
def test_at_the_end_of_the_wait(name: str, wait_us: int, off_us: int, admitted: bool) -> None:
    bench = Bench(name).trip()
    bench.now_us = bench.breaker.since_us + wait_us + off_us
    assert bench.admits() is admitted
    assert bench.state == ("half_open" if admitted else "open")


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "opossum"])
def test_a_lazy_breaker_is_open_until_a_call_comes(name: str) -> None:
    bench = Bench(name).trip()
    assert bench.wait(3_600 * S).poll().state == "open"
    assert bench.breaker.next_us() is None
    bench.begin()
    assert bench.moves[-1][:3] == (bench.now_us, State.OPEN, State.HALF_OPEN), "stamped with the call that caused it"


def test_opossum_s_timer_needs_no_call() -> None:
    bench = Bench("opossum").trip()
    opened_us = bench.now_us
    assert bench.breaker.next_us() == opened_us + 30 * S
    assert bench.wait(3_600 * S).poll().state == "half_open"
    assert bench.moves[-1].at_us == opened_us + 30 * S


def test_resilience4j_can_be_told_to_use_a_timer() -> None:
    bench = Bench("resilience4j", waiting=options("opossum").waiting).trip()
    assert bench.wait(60 * S).poll().state == "half_open"


# -- half-open -------------------------------------------------------------------------------------------------------

SINGLE = ["article", "hystrix", "polly", "opossum"]


@pytest.mark.parametrize("name", SINGLE)
def test_one_probe_decides(name: str) -> None:
    bench = Bench(name, rejection_reopens=False).half_open()
    assert bench.rejected().state is State.HALF_OPEN
    bench.end(bench.probe, True)
    assert (bench.state, bench.breaker.cause) == ("closed", Cause.PROBE_SUCCEEDED)

    bench = Bench(name).half_open()
    bench.wait(7 * MS).end(bench.probe, False)
    assert (bench.state, bench.breaker.cause) == ("open", Cause.PROBE_FAILED)
    assert bench.breaker.since_us == bench.now_us, "the waiting starts anew"


@pytest.mark.parametrize(("failed", "state"), [(5, "open"), (4, "closed")])
def test_resilience4j_judges_ten_probes_when_all_are_in(failed: int, state: str) -> None:
    bench = Bench("resilience4j").half_open()
    permits = [bench.probe, *(bench.begin() for _ in range(9))]
    assert bench.rejected().probes == 10
    for index, permit in enumerate(permits):
        assert bench.state == "half_open"
        bench.end(permit, index >= failed)
    assert bench.state == state


def test_resilience4j_hangs_half_open_while_one_probe_does_not_end() -> None:
    bench = Bench("resilience4j").half_open()
    for permit in [bench.probe, *(bench.begin() for _ in range(9))][:9]:
        bench.end(permit, True)
    bench.wait(24 * 3_600 * S).poll()
    assert bench.state == "half_open"
    assert bench.rejected().wait_us == 0, "no time will help"


def test_a_maximum_wait_takes_resilience4j_back_to_open() -> None:
    bench = Bench("resilience4j", half_open_max_us=20 * S).half_open()
    began_us = bench.now_us
    assert bench.wait(20 * S - 1).poll().state == "half_open"
    assert bench.wait(1).poll().state == "open"
    assert bench.moves[-1].at_us == began_us + 20 * S
    assert bench.breaker.cause is Cause.HALF_OPEN_EXPIRED


def test_resilience4j_s_probes_can_trip_it_by_being_slow() -> None:
    bench = Bench("resilience4j").half_open()
    for permit in [bench.probe, *(bench.begin() for _ in range(9))]:
        bench.end(permit, True, 60 * S + 1)
    assert (bench.state, bench.breaker.cause) == ("open", Cause.SLOW_RATE)


@pytest.mark.parametrize(
    ("slow", "duration_us", "state"),
    [(100, 60 * S, "closed"), (100, 60 * S + 1, "open"), (99, 60 * S + 1, "closed")],
    ids=["exactly 60 s is not slow", "all slow", "all but one slow"],
)
def test_resilience4j_trips_on_slow_successes(slow: int, duration_us: int, state: str) -> None:
    bench = Bench("resilience4j").calls("." * (100 - slow)).calls("." * slow, duration_us)
    assert bench.state == state


# -- late results ----------------------------------------------------------------------------------------------------

LATE = [
    ("article", True, "half_open", None),
    ("article", False, "half_open", None),
    ("hystrix", True, "closed", Cause.LATE_SUCCESS),
    ("hystrix", False, "open", Cause.LATE_FAILURE),
    ("polly", True, "closed", Cause.LATE_SUCCESS),
    ("polly", False, "open", Cause.LATE_FAILURE),
    ("opossum", True, "closed", Cause.LATE_SUCCESS),
    ("opossum", False, "open", Cause.LATE_FAILURE),
    ("resilience4j", True, "half_open", None),
    ("resilience4j-time", False, "half_open", None),
]


@pytest.mark.parametrize(("name", "ok", "state", "cause"), LATE)
def test_a_late_result_in_a_half_open_breaker(name: str, ok: bool, state: str, cause: Cause | None) -> None:
    bench = Bench(name)
    old = bench.begin()
    bench.half_open()
    moved = bench.end(old, ok)
    assert bench.state == state
    assert (moved.cause if moved else None) is cause


def test_a_late_result_is_one_of_the_ten_in_resilience4j() -> None:
    bench = Bench("resilience4j")
    old = bench.begin()
    bench.half_open()
    for permit in [bench.probe, *(bench.begin() for _ in range(9))][:9]:
        bench.end(permit, True)
    assert bench.state == "half_open"
    bench.end(old, True)
    assert (bench.state, bench.breaker.cause) == ("closed", Cause.RATES_BELOW)


@pytest.mark.parametrize(
    ("name", "counted"), [("article", 0), ("hystrix", 1), ("resilience4j", 0), ("resilience4j-time", 1), ("polly", 1)]
)
def test_a_late_result_in_an_open_breaker_moves_nothing(name: str, counted: int) -> None:
    bench = Bench(name)
    old = bench.begin()
    bench.trip()
    since_us = bench.breaker.since_us
    before = bench.breaker.window.counts(bench.now_us + S).calls
    assert bench.end(old, False) is None
    assert (bench.state, bench.breaker.since_us) == ("open", since_us)
    assert bench.breaker.window.counts(bench.now_us + S).calls - before == counted


def test_resilience4j_counts_a_late_result_in_open_in_the_place_of_its_oldest() -> None:
    bench = Bench("resilience4j")
    old = bench.begin()
    bench.trip()
    assert bench.breaker.window.failures == 100
    bench.end(old, True)
    assert (bench.state, bench.breaker.window.failures) == ("open", 99)


@pytest.mark.parametrize("name", PRESETS)
def test_a_late_result_counts_in_a_breaker_that_has_closed_again(name: str) -> None:
    bench = Bench(name)
    old = bench.begin()
    bench.half_open()
    for permit in [bench.probe, *(bench.begin() for _ in range(bench.options.probes - 1))]:
        bench.end(permit, True)
    assert bench.state == "closed"
    before = bench.breaker.window.counts(bench.now_us + 500 * MS).failures
    bench.end(old, False)
    assert bench.breaker.window.counts(bench.now_us + 500 * MS).failures == before + 1


# -- permits without a result ----------------------------------------------------------------------------------------

RELEASED = [
    ("article", "half_open", True),
    ("hystrix", "open", False),
    ("resilience4j", "half_open", True),
    ("resilience4j-time", "half_open", True),
    ("polly", "closed", True),
    ("opossum", "open", False),
]


@pytest.mark.parametrize(("name", "state", "next_passes"), RELEASED)
def test_a_cancelled_probe(name: str, state: str, next_passes: bool) -> None:
    bench = Bench(name).half_open()
    left = bench.breaker.probes_left
    bench.breaker.release(bench.probe, bench.now_us)
    assert bench.state == state
    if state == "half_open":
        assert bench.breaker.probes_left == left + 1
    assert bench.admits() is next_passes


def test_a_late_release_gives_no_probe_away() -> None:
    bench = Bench("article")
    old = bench.begin()
    bench.half_open()
    left = bench.breaker.probes_left
    bench.breaker.release(old, bench.now_us)
    assert (bench.state, bench.breaker.probes_left) == ("half_open", left)


@pytest.mark.parametrize(
    ("name", "state"), [("article", "half_open"), ("hystrix", "open"), ("polly", "open"), ("opossum", "open")]
)
def test_a_probe_that_is_rejected_further_in(name: str, state: str) -> None:
    bench = Bench(name).half_open()
    bench.breaker.refused(bench.probe, bench.now_us)
    assert bench.state == state


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "opossum"])
def test_a_release_in_a_closed_breaker_changes_nothing_but_counts(name: str) -> None:
    bench = Bench(name).calls("..")
    before = bench.breaker.window.counts(bench.now_us + 500 * MS)
    assert bench.breaker.release(bench.begin(), bench.now_us) is None
    assert bench.state == "closed"
    counted = bench.breaker.window.counts(bench.now_us + 500 * MS).calls - before.calls
    assert counted == (1 if name == "polly" else 0), "what Polly does not handle is a success"


# -- closing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in PRESETS if name != "opossum"])
def test_closing_forgets_what_was_counted(name: str) -> None:
    bench = Bench(name).half_open()
    for permit in [bench.probe, *(bench.begin() for _ in range(bench.options.probes - 1))]:
        bench.end(permit, True)
    assert bench.state == "closed"
    counted = 1 if name == "hystrix" else 0
    assert bench.breaker.window.counts(bench.now_us + S).calls == counted, "Hystrix counts its probe after that"


def test_opossum_remembers_across_closing() -> None:
    bench = Bench("opossum").half_open()
    bench.end(bench.probe, True)
    assert bench.state == "closed"
    assert bench.calls("x").state == "closed", "1 failure of 2 fires: the probe's is remembered"
    assert bench.calls("x").state == "open", "2 of 3"


def test_hystrix_starts_its_timer_anew_when_it_closes() -> None:
    bench = Bench("hystrix").half_open()
    bench.wait(123_456).end(bench.probe, True)
    closed_us = bench.now_us
    bench.calls("x" * 20)
    assert bench.breaker.next_us() == closed_us + 500 * MS


# -- the table of presets --------------------------------------------------------------------------------------------


def test_the_presets_are_the_published_ones_in_order() -> None:
    assert list(PRESETS) == ["article", "hystrix", "resilience4j", "resilience4j-time", "polly", "opossum"]
    assert options("article") == BreakerOptions()


def test_an_unknown_preset_names_those_there_are() -> None:
    with pytest.raises(UserError, match=r"unknown preset 'sentinel': one of article, hystrix, .* is accepted"):
        preset("sentinel")


@pytest.mark.parametrize(
    "changed",
    [
        {"window_us": 0},
        {"buckets": 0},
        {"size": 0},
        {"minimum": -1},
        {"failure_ppm": 0},
        {"failure_ppm": 1_000_001},
        {"slow_ppm": 0},
        {"wait_us": 0},
        {"wait_us": -1},
        {"probes": 0},
        {"half_open_max_us": -1},
        {"window_us": 9},
        {"failure_ppm": 0.5},
        {"minimum": True},
    ],
    ids=str,
)
def test_numbers_that_make_no_breaker_are_refused(changed: dict[str, object]) -> None:
    with pytest.raises(UserError, match="breaker: "):
        options("article", **changed)


def test_a_timer_and_a_window_that_needs_one_belong_together() -> None:
    with pytest.raises(UserError, match="summed up by a timer"):
        options("article", window=WindowKind.TICK)


# -- what the libraries do beside their documentation ------------------------------------------------------------------


def replayed(name: str, calls: list[tuple[int, bool, int]]) -> list[tuple[int, str]]:
    """The transitions of a log of (start, ok, duration) in milliseconds, as (when, where to)."""
    replay = Replay(PRESETS[name])
    for at_ms, ok, duration_ms in calls:
        replay.call(at_ms * MS, ok, duration_ms * MS)
    replay.finish()
    return [(moved.at_us // MS, moved.dst.value) for moved in replay.transitions]


def test_hystrix_counts_the_probe_that_closed_it_after_the_reset() -> None:
    trip = [(ms, False, 0) for ms in range(0, 200, 10)]
    again = [(ms, False, 0) for ms in range(5_510, 5_700, 10)]
    assert len(again) == 19, "one short of the minimum, but for the probe"
    found = replayed("hystrix", [*trip, (5_501, True, 0), *again, (6_400, True, 0)])
    assert found == [(500, "open"), (5_501, "half_open"), (5_501, "closed"), (6_001, "open")]
    assert replayed("hystrix", [*trip, (5_501, True, 0), *again[1:], (6_400, True, 0)])[-1] == (5_501, "closed")


def test_a_call_that_hystrix_turns_away_while_the_probe_is_out_opens_it_again_and_restarts_the_wait() -> None:
    trip = [(ms, False, 0) for ms in range(0, 200, 10)]
    calls = [*trip, (5_501, True, 100), (5_550, True, 0), (5_700, True, 0), (10_550, True, 0), (10_551, True, 0)]
    assert replayed("hystrix", calls) == [
        (500, "open"), (5_501, "half_open"), (5_550, "open"), (10_551, "half_open"), (10_551, "closed"),
    ]  # fmt: skip
    replay = Replay(PRESETS["hystrix"])
    for at_ms, ok, duration_ms in calls:
        replay.call(at_ms * MS, ok, duration_ms * MS)
    assert list(replay.admitted[-5:]) == [1, 0, 0, 0, 1]
    assert "Hystrix #1853" in replay.transitions[2].why


def test_under_steady_calls_a_slow_probe_keeps_hystrix_open_for_ever() -> None:
    calls = [(ms, ms >= 1_000, 0 if ms < 1_000 else 300) for ms in range(0, 60_000, 40)]
    moves = replayed("hystrix", calls)
    assert [where for _, where in moves].count("half_open") == 11
    assert "closed" not in [where for _, where in moves]
    healed = Replay(replace(PRESETS["hystrix"], options=options("hystrix", rejection_reopens=False)))
    for at_ms, ok, duration_ms in calls:
        healed.call(at_ms * MS, ok, duration_ms * MS)
    assert healed.transitions[-1].dst is State.CLOSED, "as it was before 1.5.13"


def test_an_older_call_that_is_cancelled_gives_a_permit_to_the_probes_of_resilience4j() -> None:
    bench = Bench("resilience4j")
    old = bench.begin()
    bench.half_open().breaker.release(old, bench.now_us)
    assert 1 + sum(bench.admits() for _ in range(50)) == 11
    bench = Bench("article")
    old = bench.begin()
    bench.half_open().breaker.release(old, bench.now_us)
    assert not bench.admits(), "elsewhere it is none of the probes' business"
