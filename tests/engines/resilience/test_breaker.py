"""The machine: its table has every edge and no other, and its reasons tell the truth."""

import pickle
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.resilience import ORDERS, TRANSITIONS, Breaker, Cause, Rejection, State
from engines.resilience import breaker as machine
from engines.resilience.explain import failures_to_trip
from engines.resilience.policy import HalfOpenRule, LateRule, ReleaseRule, percent, time_word
from engines.resilience.presets import PRESETS
from engines.resilience.states import diagram
from engines.sim.random import Stream
from tests.engines.resilience.drive import MS, Bench, S, options

# -- the table -------------------------------------------------------------------------------------------------------


def walk(preset: str, seed: int, changed: dict[str, object]) -> list[tuple[State, Cause, State]]:
    """A random life of a breaker; the edges it took."""
    stream = Stream(seed, preset)
    breaker = Breaker(options(preset, **changed))
    edges: list[tuple[State, Cause, State]] = []
    now_us = 0
    flying: list[int] = []
    for _ in range(400):
        now_us += stream.below(4) * stream.below(2_000) * MS
        match stream.below(12):
            case 0 | 1 | 2 | 3 | 4:
                permit = breaker.acquire(now_us)
                if isinstance(permit, int):
                    flying.append(permit)
            case 5 | 6 | 7 | 8 | 9 if flying:
                permit = flying.pop(stream.below(len(flying)))
                breaker.result(permit, now_us, stream.chance(600_000), stream.below(90) * S)
            case 10 if flying:
                permit = flying.pop(stream.below(len(flying)))
                (breaker.release if stream.below(2) else breaker.refused)(permit, now_us)
            case 11 if stream.below(8) == 0:
                breaker.order(list(ORDERS)[stream.below(4)] if stream.below(3) else Cause.RESET, now_us)
            case _:
                breaker.poll(now_us)
        edges.extend((moved.src, moved.cause, moved.dst) for moved in breaker.drain())
    return edges


def test_no_edge_is_taken_that_the_table_does_not_have_and_every_edge_is_taken() -> None:
    variations: list[dict[str, object]] = [
        {"minimum": 2},
        {"minimum": 2, "half_open_max_us": 2 * S},
        {"minimum": 2, "slow_us": 40 * S, "slow_ppm": 300_000, "failure_ppm": 900_000, "wait_us": S},
        {"minimum": 2, "wait_us": S},
    ]
    taken = set()
    for seed, (preset, changed) in enumerate(product(PRESETS, variations)):
        for again in range(4):
            for src, cause, dst in walk(preset, 100 * seed + again, changed):
                assert TRANSITIONS[src, cause] is dst
                taken.add((src, cause))
    assert taken == set(TRANSITIONS)


@pytest.mark.parametrize("state", State)
def test_an_undeclared_edge_cannot_be_taken(state: State) -> None:
    undeclared = [cause for cause in Cause if (state, cause) not in TRANSITIONS]
    assert undeclared or state is State.HALF_OPEN
    for cause in undeclared:
        breaker = Breaker(options("article"))
        breaker.state = state
        with pytest.raises(AssertionError, match=f"{state.value} cannot be moved by '{cause.value}'"):
            breaker._move(0, cause)
        assert (breaker.state, breaker.era) == (state, 0)


def test_the_picture_of_the_machine_is_made_from_its_table() -> None:
    drawn = diagram()
    assert machine.__doc__ is not None
    assert "\n".join(f"    {line}" for line in drawn.split("\n")) in machine.__doc__
    assert all(cause.value in drawn for cause in Cause)
    assert all(f"> {state.value}" in drawn for state in State)


def test_every_state_obeys_every_order() -> None:
    for state, order in product(State, ORDERS):
        assert TRANSITIONS[state, order] is ORDERS[order]


def test_every_state_but_an_ordered_one_can_be_left_by_itself() -> None:
    left = {state for state, cause in TRANSITIONS if cause not in ORDERS}
    assert left == {State.CLOSED, State.OPEN, State.HALF_OPEN}


# -- orders ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
def test_disabled_lets_all_through_and_counts_nothing(preset: str) -> None:
    bench = Bench(preset)
    bench.breaker.order(Cause.DISABLE, 0)
    bench.calls("x" * 50)
    assert bench.state == "disabled"
    assert bench.breaker.window.counts(0).calls == 0


def test_metrics_only_counts_and_never_trips() -> None:
    bench = Bench("article")
    bench.breaker.order(Cause.METRICS, 0)
    bench.calls("x" * 50)
    assert bench.state == "metrics_only"
    assert bench.breaker.window.counts(0).failures == 50


def test_forced_open_lets_nobody_through_until_it_is_reset() -> None:
    bench = Bench("article")
    bench.breaker.order(Cause.FORCE_OPEN, 0)
    assert bench.wait(3_600 * S).rejected().why == "forced open"
    bench.breaker.order(Cause.RESET, bench.now_us)
    bench.calls(".")
    assert bench.state == "closed"


# -- permits ---------------------------------------------------------------------------------------------------------


def test_an_admitted_call_gets_a_shared_number() -> None:
    bench = Bench("article")
    assert bench.begin() is bench.begin()


def test_a_result_of_an_older_era_is_late() -> None:
    bench = Bench("article")
    old = bench.begin()
    bench.half_open()
    assert old != bench.breaker.era == bench.probe


@given(st.lists(st.sampled_from(["begin", "ok", "fail", "release", "wait"]), max_size=60), st.sampled_from([*PRESETS]))
def test_a_half_open_permit_is_never_lost(steps: list[str], preset: str) -> None:
    bench = Bench(preset).half_open()
    era, out = bench.breaker.era, [bench.probe]
    for step in steps:
        if step == "wait":
            bench.wait(MS)
        elif step == "begin" and bench.admits():
            out.append(era)
        elif out and step in ("ok", "fail"):
            bench.end(out.pop(), step == "ok")
        elif out and step == "release":
            bench.breaker.release(out.pop(), bench.now_us)
        if bench.breaker.era != era:
            return
        assert bench.breaker.probes_running == len(out) <= bench.options.probes
        if bench.options.released is ReleaseRule.RETURNED:
            ended = bench.breaker.window.calls if bench.options.half_open is HalfOpenRule.RATE else 0
            assert bench.breaker.probes_left + len(out) + ended == bench.options.probes


def test_half_open_admits_exactly_its_probes() -> None:
    for preset in PRESETS:
        bench = Bench(preset).half_open()
        assert sum(bench.admits() for _ in range(50)) == bench.options.probes - 1


# -- reasons ---------------------------------------------------------------------------------------------------------


def test_a_rejection_says_why_and_how_long() -> None:
    bench = Bench("article").trip().wait(17_600 * MS)
    rejection = bench.rejected()
    assert rejection == Rejection(State.OPEN, Cause.FAILURE_RATE, 12_400 * MS, 1)
    assert rejection.why == "open: failure rate, 12.4 s left"
    assert Bench("article").half_open().rejected().why == "half-open: the probe is out"


def test_a_trip_says_the_numbers() -> None:
    moved = Bench("article").calls("." * 8 + "x" * 12).moves[-1]
    assert moved.why == "12 of 20 (60 %) failed, threshold >= 50 %"
    assert moved.cause is Cause.FAILURE_RATE


def test_why_tells_the_way_in_and_the_way_out() -> None:
    bench = Bench("article").calls("..x")
    why = bench.breaker.why(bench.now_us)
    assert (why.calls, why.failures, why.minimum, why.rate_ppm, why.options.failure_ppm) == (3, 1, 20, 333_333, 500_000)
    assert why.closes == (
        "opens when >= 50 % of the calls of 10 s failed; now 1 of 3 (33.3 %), 17 calls short of the minimum of 20"
    )
    why = bench.trip().wait(10 * S).breaker.why(bench.now_us)
    assert (why.state, why.countdown_us) == ("open", 20 * S)
    assert why.closes == "the first call 20 s or more from now makes it half-open, then 1 probe passes"
    assert why.reason.endswith("threshold >= 50 %")
    why = Bench("article").half_open().breaker.why(0)
    assert (why.options.probes, why.probes_left, why.probes_running) == (1, 0, 1)
    assert why.closes == (
        "closes if the next result is a success, opens if it is a failure; 0 of 1 probes left, 1 running; "
        "waits without a limit"
    )


OUTLOOKS = [
    ("hystrix", "opens when >= 50 % of the calls of 20 completed buckets of 500 ms failed; now 0 of 40 (0 %), "
                "40 more failures in a row trip it, judged every 500 ms"),
    ("resilience4j", "opens when >= 50 % of the last 100 calls failed; now 0 of 40 (0 %), 60 calls short of the "
                     "minimum of 100"),
    ("polly", "opens when >= 10 % of the calls of 30 s failed; now 0 of 40 (0 %), 60 calls short of the minimum of "
              "100"),
    ("opossum", "opens when > 50 % of the calls asked for in 10 s failed; now 0 of 40 (0 %), 41 more failures in a "
                "row trip it"),
]  # fmt: skip


def test_where_slowness_is_judged_a_slow_probe_is_a_bad_one() -> None:
    bench = Bench("article", slow_us=S).half_open()
    bench.end(bench.probe, True, S + 1)
    assert (bench.state, bench.moves[-1].why) == ("open", "the probe was too slow")


@pytest.mark.parametrize(("preset", "words"), OUTLOOKS)
def test_what_would_open_a_closed_breaker_is_told_by_its_own_rules(preset: str, words: str) -> None:
    bench = Bench(preset).calls("." * 40).wait(500 * MS).poll()
    assert bench.breaker.why(bench.now_us).closes == words


def test_slow_calls_are_told_where_they_are_judged() -> None:
    bench = Bench("resilience4j").calls("..", 61 * S)
    assert ", or >= 100 % were slow (now 2); " in bench.breaker.why(bench.now_us).closes


def test_a_half_open_breaker_tells_how_long_it_may_be_that() -> None:
    bench = Bench("resilience4j", half_open_max_us=20 * S).half_open().wait(5 * S)
    assert bench.breaker.why(bench.now_us).closes == (
        "judged when 10 results are in, 0 so far: closes if < 50 % failed; 9 of 10 probes left, 1 running; "
        "opens again in 15 s"
    )


@given(
    calls=st.integers(0, 300),
    good=st.integers(0, 300),
    threshold_ppm=st.integers(1, 1_000_000),
    above=st.booleans(),
)
def test_so_many_more_failures_trip_it_and_one_less_does_not(
    calls: int, good: int, threshold_ppm: int, above: bool
) -> None:
    failures = max(0, calls - good)

    def over(more: int) -> bool:
        share = (failures + more) * 1_000_000 - threshold_ppm * (calls + more)
        return share > 0 if above else share >= 0

    more = failures_to_trip(calls, failures, threshold_ppm, above)
    if more == 0:
        assert not any(over(n) for n in range(1, 2_000))
    else:
        assert over(more)
        assert more == 1 or not over(more - 1)


def test_percentages_are_cut_off_so_that_below_a_threshold_never_reads_like_it() -> None:
    assert percent(499_999) == "49.9 %"
    assert percent(500_000) == "50 %"
    assert [time_word(us) for us in (30 * S, 1_250 * MS, 500 * MS, 12)] == ["30 s", "1.25 s", "500 ms", "12 us"]


@settings(max_examples=40)
@given(st.sampled_from([*PRESETS]), st.integers(0, 1 << 30))
def test_looking_changes_nothing(preset: str, seed: int) -> None:
    stream = Stream(seed, "look")
    seen, unseen = Breaker(options(preset, minimum=3)), Breaker(options(preset, minimum=3))
    now_us = 0
    for _ in range(60):
        now_us += stream.below(3_000) * MS
        failed = stream.chance(500_000)
        for breaker in (seen, unseen):
            permit = breaker.acquire(now_us)
            if isinstance(permit, int):
                breaker.result(permit, now_us, failed, 0)
        seen.why(now_us + stream.below(60) * S)
        seen.next_us()
        seen.countdown_us(now_us)
    assert pickle.dumps(seen) == pickle.dumps(unseen)


# -- retuning --------------------------------------------------------------------------------------------------------


def test_a_longer_wait_holds_for_a_breaker_that_is_open() -> None:
    bench = Bench("article").trip()
    bench.breaker.retune(replace(bench.options, wait_us=60 * S), bench.now_us)
    assert bench.breaker.countdown_us(bench.now_us) == 60 * S
    assert not bench.wait(60 * S - 1).admits()
    assert bench.wait(1).admits()


def test_a_window_is_kept_if_its_shape_is() -> None:
    bench = Bench("article").calls("x" * 19)
    bench.breaker.retune(replace(bench.options, failure_ppm=600_000), bench.now_us)
    assert bench.breaker.window.counts(bench.now_us).calls == 19
    bench.breaker.retune(replace(bench.options, buckets=5), bench.now_us)
    assert bench.breaker.window.counts(bench.now_us).calls == 0


def test_more_probes_pass_at_once_when_there_may_be_more() -> None:
    bench = Bench("article").half_open()
    bench.breaker.retune(replace(bench.options, probes=3), bench.now_us)
    assert [bench.admits() for _ in range(3)] == [True, True, False]


def test_a_timer_that_is_over_under_the_new_options_fires_at_once() -> None:
    bench = Bench("opossum").trip().wait(10 * S)
    bench.breaker.retune(replace(bench.options, wait_us=5 * S), bench.now_us)
    assert bench.state == "half_open"


def test_a_limit_on_time_acts_from_the_moment_it_is_set_and_rewrites_nothing() -> None:
    bench = Bench("opossum").trip().wait(10 * S)
    bench.breaker.retune(replace(bench.options, wait_us=5 * S), bench.now_us)
    moved = bench.breaker.history[-1]
    assert (moved.at_us, moved.why) == (bench.now_us, "the timer of 5 s ran out, 10 s after it opened")
    bench.wait(14 * S)
    bench.breaker.retune(replace(bench.options, half_open_max_us=5 * S, wait_us=3 * S), bench.now_us)
    moved = bench.breaker.history[-1]
    assert (moved.at_us, moved.dst) == (bench.now_us, "open")
    assert moved.why == "half-open for 14 s, over the 5 s now allowed, with 0 of 1 results"
    assert bench.wait(3 * S - 1).poll().state == "open"
    assert bench.wait(1).poll().state == "half_open"


def test_fewer_results_needed_free_a_breaker_that_hangs_half_open() -> None:
    bench = Bench("resilience4j").half_open()
    permits = [bench.probe, *(bench.begin() for _ in range(9))]
    for permit in permits[:6]:
        bench.end(permit, True)
    bench.breaker.retune(replace(bench.options, minimum=7), bench.now_us)
    assert bench.state == "half_open"
    bench.breaker.retune(replace(bench.options, minimum=6), bench.now_us)
    assert (bench.state, bench.breaker.cause) == ("closed", Cause.RATES_BELOW)


@given(st.lists(st.tuples(st.sampled_from([*PRESETS]), st.sampled_from("x.?w")), max_size=60), st.integers(0, 1 << 30))
def test_a_breaker_survives_any_change_of_options_and_closes_when_all_is_well(
    steps: list[tuple[str, str]], seed: int
) -> None:
    stream, bench, flying = Stream(seed, "retune"), Bench("article", minimum=3), list[int]()
    for preset, step in steps:
        bench.wait(stream.below(3 * S))
        if step == "w":
            bench.breaker.retune(options(preset, minimum=3), bench.now_us)
        permit = bench.breaker.acquire(bench.now_us)
        if isinstance(permit, int):
            flying.append(permit)
        if step in "x." and flying:
            bench.end(flying.pop(stream.below(len(flying))), step == ".")
        assert all(TRANSITIONS[moved.src, moved.cause] is moved.dst for moved in bench.breaker.drain())
        assert bench.breaker.probes_left >= 0
        assert bench.breaker.probes_running >= 0
    for permit in flying:
        bench.end(permit, True)
    for _ in range(30):
        bench.wait(61 * S)
        permit = bench.breaker.acquire(bench.now_us)
        if isinstance(permit, int):
            bench.end(permit, True)
    assert bench.state == "closed"


def test_late_results_can_be_ignored_or_not_in_any_preset() -> None:
    bench = Bench("polly", late=LateRule.IGNORED)
    old = bench.begin()
    bench.half_open().end(old, True)
    assert bench.state == "half_open"
