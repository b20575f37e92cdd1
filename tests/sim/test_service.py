"""Pools, service times and load curves: the parts services are made of."""

import math
import pickle
from itertools import pairwise
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.sim import load
from engines.sim import service as s
from engines.sim.random import Stream
from engines.units import PPM

DRAWS = 20_000


def draws(what: s.Distribution) -> list[int]:
    stream = Stream(7, "draws")
    return sorted(what.draw(stream) for _ in range(DRAWS))


# -- distributions ---------------------------------------------------------------------------------------------


def test_the_exponential_table_is_minus_ln_of_1_minus_u() -> None:
    table = tuple(round(-math.log(1 - i / 64) * 1e6) for i in range(33))
    assert table == s.EXPONENTIAL


def test_the_lognormal_tables_are_exp_of_normal_quantiles() -> None:
    normal = NormalDist()
    assert s.LOGNORMAL[1:] == tuple(round(math.exp(normal.inv_cdf(i / 64)) * 1e6) for i in range(1, 64))
    tail = tuple(round(math.exp(normal.inv_cdf(1 - (64 - i) / 4096)) * 1e6) for i in s.TAIL_AT)
    assert tail == s.LOGNORMAL_TAIL
    assert round(math.exp(normal.inv_cdf(1 - 1 / 32768)) * 1e6) == s.TAIL_TOP


@pytest.mark.parametrize("ppm", [100_000, 500_000, 900_000, 990_000, 998_000])
def test_exponential_draws_have_the_quantiles_of_the_law(ppm: int) -> None:
    found = draws(s.Exponential(100_000))[DRAWS * ppm // PPM]
    assert found == pytest.approx(-math.log(1 - ppm / PPM) * 100_000, rel=0.08)


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("ppm", [100_000, 500_000, 900_000, 990_000, 998_000])
def test_heavy_tailed_draws_have_the_quantiles_of_the_law(ppm: int, wide: bool) -> None:
    found = draws(s.HeavyTail(100_000, wide))[DRAWS * ppm // PPM]
    sigma = 1 if wide else 0.5
    assert found == pytest.approx(math.exp(sigma * NormalDist().inv_cdf(ppm / PPM)) * 100_000, rel=0.10)


@pytest.mark.parametrize(
    "what",
    [
        s.Fixed(50_000),
        s.Uniform(1, 99_999),
        s.Exponential(50_000),
        s.HeavyTail(50_000),
        s.HeavyTail(50_000, True),
        s.Pauses(50_000, 900_000, 30_000),
    ],
)
def test_the_mean_of_many_draws_is_the_mean_that_is_told(what: s.Distribution) -> None:
    assert sum(draws(what)) / DRAWS == pytest.approx(what.mean_us, rel=0.03)


@pytest.mark.parametrize("what", [s.Fixed(5), s.Uniform(1, 9), s.Exponential(5), s.HeavyTail(5), s.Pauses(5, 9, 9)])
def test_every_draw_takes_one_number_of_its_stream(what: s.Distribution) -> None:
    stream = Stream(1, "x")
    what.draw(stream)
    assert stream.taken == 1


def test_pauses_come_as_often_as_they_should() -> None:
    found = draws(s.Pauses(10_000, 1_000_000, 30_000))
    assert sum(us > 500_000 for us in found) == pytest.approx(DRAWS * 0.03, rel=0.1)
    assert {us // 1_000 for us in found} <= {9, 10, 11, 1_009, 1_010, 1_011}


@given(st.integers(0, 2**64 - 1))
def test_draws_are_never_negative_and_have_an_end(number: int) -> None:
    assert 0 <= s.exponential_ppm(number) <= 32 * s.LN2_PPM
    assert 0 <= s.lognormal_ppm(number) <= s.TAIL_TOP


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_the_lognormal_grows_with_its_number(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert s.lognormal_ppm(low) <= s.lognormal_ppm(high)


# -- load curves -----------------------------------------------------------------------------------------------


def test_a_step_a_pulse_and_a_ramp_change_when_they_say() -> None:
    step, pulse, ramp = load.StepUp(1, 9, 100), load.Pulse(1, 9, 100, 50), load.Ramp(100, 200, 1_000, 2_000)
    assert [step.at(t) for t in (99, 100, 999)] == [1, 9, 9]
    assert [pulse.at(t) for t in (99, 100, 149, 150)] == [1, 9, 9, 1]
    assert [ramp.at(t) for t in (0, 1_000, 1_500, 2_000, 9_000)] == [100, 100, 150, 200, 200]


@given(st.integers(0, 10_000))
def test_the_sine_is_the_sine(part: int) -> None:
    assert load.sine_ppm(part, 10_000) == pytest.approx(math.sin(2 * math.pi * part / 10_000) * PPM, abs=1_500)


def test_a_sine_load_swings_around_its_mean_and_is_never_negative() -> None:
    day = load.Sine(1_000, 1_500, 400)
    assert [day.at(t) for t in (0, 100, 200, 300, 400)] == [1_000, 2_500, 1_000, 0, 1_000]


def arrivals(curve: load.Curve, until_us: int, poisson: bool) -> list[int]:
    stream, now, found = Stream(3, "arrivals"), 0, []
    while now < until_us:
        area = s.exponential_ppm(stream.next()) if poisson else PPM
        now += load.gap_us(curve, now, area)
        found.append(now)
    return found


@pytest.mark.parametrize("poisson", [False, True])
def test_as_many_calls_come_as_the_area_under_the_curve(poisson: bool) -> None:
    curve = load.Ramp(0, 200_000, 0, 10_000_000)
    count = len(arrivals(curve, 10_000_000, poisson))
    assert count == pytest.approx(1_000, rel=0.1 if poisson else 0.02)


def test_an_even_load_has_even_gaps() -> None:
    found = arrivals(load.Constant(20_000), 1_000_000, poisson=False)
    assert {later - earlier for earlier, later in pairwise(found)} == {50_000}


def test_without_load_one_asks_again_later() -> None:
    assert load.gap_us(load.Constant(0), 0, PPM, 500_000) == 500_000


def test_a_slower_service_takes_longer_in_proportion() -> None:
    assert [s.scaled(1_000, percent) for percent in (100, 250, 10)] == [1_000, 2_500, 100]


# -- pools -----------------------------------------------------------------------------------------------------


def test_a_pool_grants_then_queues_then_refuses() -> None:
    pool = s.Pool(1, 1)
    assert [pool.acquire(holder, 10) for holder in (1, 2, 3)] == [s.GRANTED, s.QUEUED, s.REFUSED]
    assert (pool.busy, len(pool.line), pool.refused) == (1, 1, 1)
    assert pool.grant(20) is None
    assert pool.oldest_wait_us(25) == 15
    assert pool.release(1)
    assert pool.grant(30) == (2, 20)
    assert (pool.busy, len(pool.line), pool.taken, pool.oldest_wait_us(40)) == (1, 0, 2, 0)


def test_nobody_overtakes_the_line_while_a_permit_is_free() -> None:
    pool = s.Pool(1, 2)
    for holder in (1, 2):
        pool.acquire(holder, 0)
    pool.release(1)
    assert pool.acquire(3, 1) == s.QUEUED
    assert pool.grant(1) == (2, 1)


def test_the_newest_is_served_first_where_that_is_asked_for() -> None:
    pool = s.Pool(1, 9, newest_first=True)
    for holder in (1, 2, 3):
        pool.acquire(holder, holder)
    pool.release(1)
    assert pool.grant(10) == (3, 7)


def test_who_gives_up_waiting_leaves_the_line() -> None:
    pool = s.Pool(1, 9)
    for holder in (1, 2, 3):
        pool.acquire(holder, 0)
    assert pool.release(2)
    assert not pool.release(2)
    pool.release(1)
    assert pool.grant(5) == (3, 5)


def test_a_smaller_pool_grants_nothing_until_enough_came_back() -> None:
    pool = s.Pool(2, 9)
    for holder in (1, 2, 3):
        pool.acquire(holder, 0)
    pool.size = 1
    pool.release(1)
    assert pool.grant(1) is None
    pool.release(2)
    assert pool.grant(1) == (3, 1)


@given(st.integers(1, 4), st.integers(0, 4), st.lists(st.tuples(st.booleans(), st.integers(0, 12)), max_size=60))
def test_permits_are_never_lost_nor_made(size: int, queue_max: int, deeds: list[tuple[bool, int]]) -> None:
    pool, inside, line = s.Pool(size, queue_max), set[int](), list[int]()
    for now, (comes, who) in enumerate(deeds):
        if comes and who not in inside and who not in line:
            match pool.acquire(who, now):
                case s.GRANTED:
                    inside.add(who)
                case s.QUEUED:
                    line.append(who)
        elif not comes:
            assert pool.release(who) == (who in inside or who in line)
            inside.discard(who)
            line = [each for each in line if each != who]
            if (granted := pool.grant(now)) is not None:
                assert granted[0] == line.pop(0)
                inside.add(granted[0])
        assert (set(pool.held), list(pool.line)) == (inside, line)
        assert pool.busy <= size
        assert len(line) <= queue_max
        assert pool.busy == size or not line


def test_a_pool_is_plain_data() -> None:
    pool = s.Pool(1, 1)
    pool.acquire(1, 0)
    copy = pickle.loads(pickle.dumps(pool))
    assert copy.held == {1: 0}


# -- latencies -------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=200), st.integers(1, PPM))
def test_a_quantile_is_at_most_a_sixteenth_too_large(values: list[int], ppm: int) -> None:
    latencies = s.Latencies()
    for value in values:
        latencies.record(value)
    exact = sorted(values)[max(1, -(-len(values) * ppm // PPM)) - 1]
    assert exact <= latencies.quantile_us(ppm) <= exact + exact // 16


def test_latencies_add_up() -> None:
    one, other = s.Latencies(), s.Latencies()
    one.record(5)
    other.record(9)
    one.add(other)
    assert (one.count, one.quantile_us(500_000), one.quantile_us(PPM)) == (2, 5, 9)
    assert s.Latencies().quantile_us(990_000) == 0
