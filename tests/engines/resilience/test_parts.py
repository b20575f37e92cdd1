"""Bulkhead, limiter, deadlines, hedging, shedding, fallback: each rule at its edge, and its reason."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.errors import UserError
from engines.resilience.bulkhead import Bulkhead
from engines.resilience.deadline import DIGITS_MAX, NEVER, after, expired, header, left_us, received
from engines.resilience.fallback import Fallback, Kind
from engines.resilience.hedge import Hedge
from engines.resilience.limiter import TokenBucket
from engines.resilience.shed import ControlledDelay, WaitLimit

MS = 1_000
S = 1_000_000

# -- bulkhead --------------------------------------------------------------------------------------------------------


def test_a_full_bulkhead_refuses_and_says_how_full_it_is() -> None:
    bulkhead = Bulkhead(2)
    assert [bulkhead.acquire().ok for _ in range(3)] == [True, True, False]
    assert bulkhead.acquire().why == "bulkhead full: 2 of 2 permits in use"
    assert bulkhead.refused == 2
    assert not bulkhead.release()
    assert bulkhead.acquire().ok


def test_a_permit_that_is_given_back_goes_to_the_first_in_line() -> None:
    bulkhead = Bulkhead(1, 2)
    entries = [bulkhead.acquire() for _ in range(4)]
    assert [(entry.ok, entry.queued) for entry in entries] == [
        (True, False),
        (False, True),
        (False, True),
        (False, False),
    ]
    assert entries[3].why == "bulkhead full: 1 of 1 permits in use, 2 of 2 in line"
    assert bulkhead.release()
    assert (bulkhead.used, bulkhead.waiting) == (1, 1)
    bulkhead.give_up()
    assert not bulkhead.release()
    assert bulkhead.used == 0


@given(st.lists(st.sampled_from(["acquire", "release", "give up", "smaller", "larger"]), max_size=100))
def test_no_permit_is_lost_whatever_happens(steps: list[str]) -> None:
    bulkhead, running, waiting = Bulkhead(3, 2), 0, 0
    for step in steps:
        if step == "acquire":
            entry = bulkhead.acquire()
            running += entry.ok
            waiting += entry.queued
        elif step == "release" and running:
            if bulkhead.release():
                waiting -= 1
            else:
                running -= 1
        elif step == "give up" and waiting:
            bulkhead.give_up()
            waiting -= 1
        elif step in ("smaller", "larger"):
            started = bulkhead.retune(1 if step == "smaller" else 5, 2)
            running, waiting = running + started, waiting - started
        assert (bulkhead.used, bulkhead.waiting) == (running, waiting)
        assert running <= 5
        assert waiting <= 2


def test_a_smaller_bulkhead_drains_before_it_lets_anybody_in() -> None:
    bulkhead = Bulkhead(3, 1)
    for _ in range(4):
        bulkhead.acquire()
    assert bulkhead.retune(2, 1) == 0
    assert not bulkhead.release(), "three ran, two may: the line waits on"
    assert bulkhead.release()


@pytest.mark.parametrize("numbers", [(0, 0), (1, -1)])
def test_a_bulkhead_needs_a_permit(numbers: tuple[int, int]) -> None:
    with pytest.raises(UserError, match="bulkhead"):
        Bulkhead(*numbers)


# -- limiter ---------------------------------------------------------------------------------------------------------


def test_a_token_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    bucket = TokenBucket(10, 3)
    assert [bucket.take(0).ok for _ in range(4)] == [True, True, True, False]
    assert bucket.take(0).wait_us == 100 * MS
    assert not bucket.take(100 * MS - 1).ok
    assert bucket.take(100 * MS).ok


@given(st.lists(st.integers(0, 300 * MS), max_size=80), st.integers(1, 20), st.integers(1, 5))
def test_no_span_of_time_gets_more_than_its_rate_and_a_burst(gaps: list[int], rate: int, burst: int) -> None:
    bucket, now_us, taken = TokenBucket(rate, burst), 0, []
    for gap_us in gaps:
        now_us += gap_us
        whole = bucket.tokens(now_us)
        got = bucket.take(now_us)
        assert got.ok == (whole >= 1)
        if got.ok:
            taken.append(now_us)
    for i, start_us in enumerate(taken):
        for j in range(i, len(taken)):
            assert (j - i + 1 - burst) * S <= (taken[j] - start_us) * rate


@given(st.integers(1, 1_000), st.integers(0, 10 * S))
def test_the_wait_that_a_refusal_names_is_exact(rate: int, asked_us: int) -> None:
    bucket = TokenBucket(rate, 1)
    assert bucket.take(asked_us).ok
    wait_us = bucket.take(asked_us).wait_us
    assert not bucket.take(asked_us + wait_us - 1).ok
    assert bucket.take(asked_us + wait_us).ok


def test_a_new_rate_keeps_the_tokens_up_to_the_new_burst() -> None:
    bucket = TokenBucket(10, 10)
    bucket.retune(1, 2, 0)
    assert bucket.tokens(0) == 2
    with pytest.raises(UserError, match="limiter"):
        bucket.retune(0, 2, 0)
    assert bucket.rate_per_s == 1


# -- deadline --------------------------------------------------------------------------------------------------------


def test_a_deadline_leaves_less_and_less() -> None:
    until_us = after(S, 300 * MS)
    assert (left_us(until_us, S), left_us(until_us, S + 299_999)) == (300 * MS, 1)
    assert not expired(until_us, S + 299_999)
    assert expired(until_us, S + 300_000), "nothing is left"
    assert left_us(until_us, 2 * S) == 0


def test_a_hop_takes_the_sooner_of_the_deadline_and_its_own_timeout() -> None:
    assert after(S, 2 * S, 10 * S) == 3 * S
    assert after(S, 2 * S, 2 * S) == 2 * S
    assert after(S, 0, 2 * S) == 2 * S, "no timeout of its own"
    assert after(S, 0) == NEVER


def test_a_deadline_travels_as_what_is_left() -> None:
    assert header(10 * S, 10 * S - 250 * MS) == "250000u"
    assert received("250000u", 77 * S) == 77 * S + 250 * MS, "another clock, the same time left"
    assert (header(NEVER, 5), received("", 5)) == ("", NEVER), "none is not told"


@given(st.integers(0, 10**15))
def test_what_arrives_is_never_more_than_what_was_sent(left: int) -> None:
    told = header(S + left, S)
    assert len(told) <= DIGITS_MAX + 1
    assert received(told, S) <= S + left
    if left < 10**8:
        assert received(told, S) == S + left


@pytest.mark.parametrize(
    ("header", "us"), [("1H", 3_600 * S), ("2M", 120 * S), ("3S", 3 * S), ("4m", 4_000), ("5u", 5), ("6999n", 6)]
)
def test_every_unit_of_the_header_is_understood(header: str, us: int) -> None:
    assert received(header, 0) == us


@pytest.mark.parametrize("header", ["5", "u", "5x", "-5u", "123456789u", "1.5S", " 5u", "५u"])
def test_a_malformed_header_is_refused(header: str) -> None:
    with pytest.raises(UserError, match="grpc-timeout"):
        received(header, 0)


# -- hedging ---------------------------------------------------------------------------------------------------------


def test_the_delay_is_the_quantile_of_the_last_latencies() -> None:
    hedge = Hedge(950_000, size=100, minimum=20)
    for ms in range(1, 20):
        hedge.record(ms * MS)
    assert hedge.delay_us() is None, "too few to know"
    for ms in range(20, 101):
        hedge.record(ms * MS)
    assert hedge.delay_us() == 95 * MS
    for _ in range(100):
        hedge.record(MS)
    assert hedge.delay_us() == MS, "the old ones are forgotten"


@given(st.lists(st.integers(0, 1_000), min_size=20, max_size=60), st.integers(1, 999_999))
def test_the_quantile_is_the_nearest_rank(latencies: list[int], quantile_ppm: int) -> None:
    hedge = Hedge(quantile_ppm, size=40, minimum=20)
    for us in latencies:
        hedge.record(us)
    last = sorted(latencies[-40:])
    found = hedge.delay_us()
    assert found is not None
    assert sum(us <= found for us in last) * 1_000_000 >= quantile_ppm * len(last)
    assert sum(us < found for us in last) * 1_000_000 < quantile_ppm * len(last)


def test_no_more_than_the_cap_is_asked_twice() -> None:
    hedge = Hedge(cap_ppm=100_000)
    granted = 0
    for _ in range(200):
        hedge.begin()
        granted += hedge.ask().ok
    assert granted == 20
    assert hedge.ask().why == "20 of 200 calls hedged, at most 10 %"


def test_a_hedge_needs_sensible_numbers() -> None:
    with pytest.raises(UserError, match="hedge"):
        Hedge(1_000_000)


# -- shedding --------------------------------------------------------------------------------------------------------


def test_a_burst_may_wait_an_interval_and_a_standing_queue_only_the_target() -> None:
    shed = ControlledDelay(5 * MS, 100 * MS)
    assert shed.judge(100 * MS, 100 * MS).ok, "the line was empty an interval ago"
    refused = shed.judge(100 * MS + 1, 6 * MS)
    assert not refused.ok
    assert refused.why == "waited 6 ms, at most 5 ms while the line has not been empty for 100 ms"
    assert shed.judge(100 * MS + 1, 5 * MS).ok
    shed.emptied(200 * MS)
    assert shed.judge(200 * MS, 100 * MS).ok
    assert not shed.judge(200 * MS, 100 * MS + 1).ok
    assert shed.shed == 2


def test_a_wait_limit_is_a_limit() -> None:
    limit = WaitLimit(50 * MS)
    assert limit.judge(0, 50 * MS).ok
    assert limit.judge(0, 50 * MS + 1).why == "waited 50.001 ms, at most 50 ms"
    assert limit.shed == 1


@pytest.mark.parametrize("numbers", [(0, 1), (2, 1)])
def test_shedding_needs_sensible_numbers(numbers: tuple[int, int]) -> None:
    with pytest.raises(UserError, match="shedding"):
        ControlledDelay(*numbers)
    with pytest.raises(UserError, match="shedding"):
        WaitLimit(0)


# -- fallback --------------------------------------------------------------------------------------------------------


def test_without_a_fallback_the_cause_is_all_there_is() -> None:
    served = Fallback[int](Kind.NONE).serve(0, "timeout")
    assert (served.ok, served.why) == (False, "timeout")


def test_a_constant_is_always_there() -> None:
    fallback = Fallback(Kind.CONSTANT, 7)
    assert fallback.serve(0, "open") == (True, 7, 0, "open: a fixed value instead")
    fallback.remember(0, 8)
    assert fallback.serve(0, "open").value == 7


def test_a_cached_answer_says_its_age_and_is_refused_when_too_old() -> None:
    fallback: Fallback[str] = Fallback(Kind.CACHED, stale_us=10 * S)
    assert fallback.serve(0, "open").why == "open: no good answer was ever seen"
    fallback.remember(5 * S, "prices")
    assert fallback.serve(15 * S, "open") == (True, "prices", 10 * S, "open: the answer of 10 s ago instead")
    refused = fallback.serve(15 * S + 1, "open")
    assert not refused.ok
    assert refused.value is None
    assert fallback.served == 1
