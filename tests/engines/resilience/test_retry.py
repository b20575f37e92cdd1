"""Retries: the delays of every backoff, what attempts amount to, and budgets that cap them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.errors import UserError
from engines.resilience.retry import (
    BACKOFFS,
    ActiveBudget,
    Decorrelated,
    Draw,
    EqualJitter,
    ExponentialBackoff,
    FixedBackoff,
    FullJitter,
    Retry,
    RetryBudget,
    amplification,
)
from engines.sim.random import Stream

MS = 1_000
S = 1_000_000


def draw(seed: int = 1) -> Draw:
    return Stream(seed, "retry").between


def test_fixed_waits_the_same_every_time() -> None:
    assert [FixedBackoff(100 * MS).delay_us(a, 0, draw()) for a in (1, 2, 9)] == [100 * MS] * 3


def test_exponential_doubles_up_to_its_cap() -> None:
    backoff = ExponentialBackoff(100 * MS, S)
    assert [backoff.delay_us(a, 0, draw()) // MS for a in (1, 2, 3, 4, 5, 500)] == [100, 200, 400, 800, 1000, 1000]


@given(st.integers(1, 80), st.integers(0, 1 << 30))
def test_full_jitter_is_anything_from_nothing_to_the_exponential(attempt: int, seed: int) -> None:
    whole_us = ExponentialBackoff(100 * MS, 5 * S).delay_us(attempt, 0, draw())
    assert 0 <= FullJitter(100 * MS, 5 * S).delay_us(attempt, 0, draw(seed)) <= whole_us


@given(st.integers(1, 80), st.integers(0, 1 << 30))
def test_equal_jitter_keeps_half_for_certain(attempt: int, seed: int) -> None:
    whole_us = ExponentialBackoff(100 * MS, 5 * S).delay_us(attempt, 0, draw())
    assert whole_us // 2 <= EqualJitter(100 * MS, 5 * S).delay_us(attempt, 0, draw(seed)) <= whole_us


@given(st.integers(0, 20 * S), st.integers(0, 1 << 30))
def test_decorrelated_lies_between_the_base_and_three_times_the_last(previous_us: int, seed: int) -> None:
    delay_us = Decorrelated(100 * MS, 10 * S).delay_us(1, previous_us, draw(seed))
    assert min(100 * MS, 10 * S) <= delay_us <= min(10 * S, max(100 * MS, 3 * (previous_us or 100 * MS)))


@pytest.mark.parametrize("name", ["full-jitter", "equal-jitter", "decorrelated"])
def test_jitter_spreads_clients_that_failed_together(name: str) -> None:
    backoff = BACKOFFS[name](100 * MS, 10 * S)
    delays = [backoff.delay_us(3, 200 * MS, draw(client)) for client in range(400)]
    middle = sorted(delays)[200]
    assert len(set(delays)) > 390
    assert abs(middle - sum(delays) // 400) < 40 * MS, "no side is preferred"


def test_the_same_stream_gives_the_same_delays() -> None:
    one, other = draw(7), draw(7)
    backoff = FullJitter()
    assert [backoff.delay_us(a, 0, one) for a in range(1, 9)] == [backoff.delay_us(a, 0, other) for a in range(1, 9)]


@pytest.mark.parametrize("numbers", [(-1, 10), (10, 9), (0, 1 << 62)])
def test_delays_out_of_range_are_refused(numbers: tuple[int, int]) -> None:
    with pytest.raises(UserError, match="0 <= base <= cap"):
        ExponentialBackoff(*numbers)


def test_attempts_multiply_over_layers() -> None:
    assert [amplification(3, layers) for layers in (1, 2, 3, 4)] == [4, 16, 64, 256]
    assert amplification(0, 9) == 1


# -- when not to try again -------------------------------------------------------------------------------------------


def test_a_retry_ends_after_its_attempts() -> None:
    retry = Retry(2, FixedBackoff(10 * MS))
    assert [retry.decide(attempt, 0, draw()).again for attempt in (1, 2, 3)] == [True, True, False]
    assert retry.decide(3, 0, draw()).why == "3 attempts failed, 2 retries allowed"


def test_a_retry_that_would_start_after_the_deadline_is_not_made() -> None:
    retry = Retry(3, FixedBackoff(10 * MS))
    assert retry.decide(1, 0, draw(), left_us=10 * MS + 1).again
    refused = retry.decide(1, 0, draw(), left_us=10 * MS)
    assert not refused.again
    assert "after the deadline" in refused.why


def test_no_retries_and_too_many_are_told_apart() -> None:
    assert not Retry(0).decide(1, 0, draw()).again
    with pytest.raises(UserError, match="0 to 100 are accepted"):
        Retry(101)


# -- budgets ---------------------------------------------------------------------------------------------------------


def test_a_budget_caps_retries_near_its_share() -> None:
    budget = RetryBudget(200_000, 0)
    granted = 0
    for call in range(1_000):
        budget.deposit(call * MS)
        granted += budget.withdraw(call * MS).ok
    assert granted == 200


def test_everything_failing_with_three_retries_costs_a_fifth_more_and_not_three_times_more() -> None:
    budget, attempts = RetryBudget(200_000, 0), 0
    for call in range(1_000):
        budget.deposit(call * MS)
        attempts += 1 + sum(budget.withdraw(call * MS).ok for _ in range(3))
    assert attempts == 1_200


def test_a_quiet_client_may_retry_a_few_times_a_second() -> None:
    budget = RetryBudget(200_000, 3, ttl_us=S)
    assert [budget.withdraw(0).ok for _ in range(5)] == [True, True, True, False, False]
    assert "used up" in budget.withdraw(0).why
    assert budget.available(2 * S) == 3, "they come back when the withdrawals expire"
    assert budget.withdraw(2 * S).ok


def test_deposits_expire() -> None:
    budget = RetryBudget(PPM, 0, ttl_us=10 * S)
    budget.deposit(0)
    assert budget.available(9 * S) == 1
    assert budget.available(10 * S) == 0
    assert not budget.withdraw(10 * S).ok


PPM = 1_000_000


@given(st.lists(st.tuples(st.integers(0, 3 * S), st.booleans()), max_size=80), st.integers(0, 5))
def test_retries_never_exceed_what_the_last_deposits_and_the_reserve_allow(
    steps: list[tuple[int, bool]], min_per_s: int
) -> None:
    budget = RetryBudget(300_000, min_per_s, ttl_us=10 * S)
    now_us, deposits, retries = 0, [], []
    for gap_us, retry in steps:
        now_us += gap_us
        before = budget.available(now_us)
        if not retry:
            budget.deposit(now_us)
            deposits.append(now_us)
        elif budget.withdraw(now_us).ok:
            retries.append(now_us)
            assert before >= 1
        else:
            assert before == 0
        recent = [at for at in retries if at > now_us - 9 * S]
        paid = sum(300_000 for at in deposits if at > now_us - 20 * S)
        assert len(recent) * PPM <= paid + min_per_s * 10 * PPM + PPM


def test_looking_at_a_budget_changes_nothing() -> None:
    budget = RetryBudget(PPM, 0)
    budget.deposit(0)
    budget.available(60 * S)
    assert budget.available(0) == 1


@pytest.mark.parametrize("numbers", [(-1, 0, S), (0, -1, S), (0, 0, 9)])
def test_budgets_out_of_range_are_refused(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(UserError, match="retry budget"):
        RetryBudget(*numbers)


def test_envoy_s_budget_is_a_share_of_what_is_under_way_and_at_least_three() -> None:
    budget = ActiveBudget(200_000, 3)
    for _ in range(10):
        budget.begin()
    assert budget.allowed == 3, "a fifth of ten would be two"
    assert [budget.withdraw().ok for _ in range(4)] == [True, True, True, False]
    for _ in range(90):
        budget.begin()
    assert budget.allowed == 20, "a fifth of 103"
    assert budget.withdraw().ok
    budget.end(retry=True)
    assert (budget.active, budget.retries) == (103, 3)
    assert budget.withdraw().why == "4 of 20 retries under way"


def test_envoy_s_budget_refuses_numbers_out_of_range() -> None:
    with pytest.raises(UserError, match="retry budget"):
        ActiveBudget(PPM + 1)
