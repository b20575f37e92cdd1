"""How sure a verdict is, and whether it stands out: the tests behind it, and what is acquitted."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.sim.random import Stream
from engines.tracing.diagnosis import Comparison
from engines.tracing.judge import judge
from engines.tracing.spans import Span
from engines.tracing.standing import SURE, change_of, interval, of_marks, of_rates, of_samples, of_tail
from engines.tracing.verdicts import Trouble
from tests.engines.tracing.requests import MS, login

values = st.lists(st.integers(0, 1_000), min_size=2, max_size=60)


def noise(count: int, seed: int, middle: int = 1_000) -> list[int]:
    """A heavy tail: mostly near the middle, now and then many times that."""
    draw = Stream(seed, "noise")
    return [middle + draw.below(200) * (20 if draw.below(20) == 0 else 1) for _ in range(count)]


def test_where_something_changed_is_found_and_sure() -> None:
    found = change_of([*noise(80, 1), *noise(40, 2, 3_000)])
    assert found is not None
    assert 77 <= found.at <= 83
    assert found.evidence > SURE
    assert found.after_us > 2 * found.before_us


def test_what_was_slow_before_is_a_change_too() -> None:
    found = change_of([*noise(40, 2, 3_000), *noise(80, 1)])
    assert found is not None
    assert found.evidence > SURE
    assert found.before_us > found.after_us


def test_of_300_series_in_which_nothing_changes_none_is_sure() -> None:
    assert max(found.evidence for seed in range(300) if (found := change_of(noise(150, seed)))) < SURE


def test_a_few_very_slow_ones_prove_nothing() -> None:
    found = change_of([*noise(100, 1), *[900_000] * 4])
    assert found is not None
    assert found.evidence < SURE


@given(values)
def test_pettitts_statistic_is_that_of_all_pairs(series: list[int]) -> None:
    """Pettitt: U(t) is the sum of sign(x_j - x_i) over all i up to t and all j after it."""
    found = change_of(series)
    n = len(series)
    swings = [
        abs(sum((b > a) - (b < a) for a in series[:at] for b in series[at:]))
        for at in range(1, n)
    ]  # fmt: skip
    best = max(swings)
    assert (found is None) == (best == 0)
    if found is not None:
        assert swings[found.at - 1] == best
        assert found.evidence == 6_000 * best * best // (n**3 + n**2)


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(100, 500)), min_size=1, max_size=20))
def test_the_interval_is_the_same_every_time_and_in_order(slow: list[tuple[int, int]]) -> None:
    fast = [(1, 50)] * 30
    assert interval(slow, fast) == interval(slow, fast)
    low, high = interval(slow, fast)
    assert low <= high


def test_where_all_slow_ones_are_alike_the_interval_is_a_point() -> None:
    assert interval([(90, 100)] * 5, [(0, 10)] * 50) == (1_000_000, 1_000_000)


def test_more_traces_make_the_interval_narrower() -> None:
    few = [(40, 100), (80, 100), (60, 100)]
    wide, narrow = interval(few, [(0, 10)] * 500), interval(few * 30, [(0, 10)] * 500)
    assert narrow[1] - narrow[0] < (wide[1] - wide[0]) // 2


def test_a_tail_stands_out_by_its_length_or_by_a_change_alone() -> None:
    still, cohorts = noise(120, 3), ([(50, 100)], [(10, 50)] * 9)
    assert not of_tail(2_000_000, still, still, cohorts).stands_out
    assert of_tail(4_000_000, still, still, cohorts).stands_out
    assert of_tail(2_000_000, [*still[:60], *(each * 3 for each in still[60:])], still, cohorts).stands_out


def test_between_two_samples_a_difference_must_be_sure_and_felt() -> None:
    before = [(10, each) for each in noise(100, 4, 1_000)]
    slower = [(10, each * 2) for _, each in before]
    hardly = [(10, each + 30) for _, each in before]
    assert of_samples(slower, before).stands_out
    assert not of_samples(hardly, before).stands_out
    assert not of_samples(slower[:3], before).stands_out


@pytest.mark.parametrize(
    ("before", "now", "nats"),
    [((5, 100), (20, 60), 11.4), ((5, 100), (5, 100), 0), ((20, 60), (5, 100), 0), ((0, 50), (50, 50), 50)],
)
def test_two_rates_are_told_apart_by_the_test_of_two_proportions(
    before: tuple[int, int], now: tuple[int, int], nats: float
) -> None:
    marks = [[1] * ones + [0] * (all_of - ones) for ones, all_of in (before, now)]
    assert of_rates(*marks) / 1_000 == pytest.approx(nats, abs=0.06)


def test_of_300_series_of_failures_at_one_rate_none_is_a_sure_change() -> None:
    for seed in range(300):
        draw = Stream(seed, "marks")
        marks = [int(draw.below(12) == 0) for _ in range(150)]
        found = change_of(marks)
        assert found is None or of_marks(found.evidence, marks) < SURE, seed


# -- through the whole analysis --------------------------------------------------------------------------------------


def logins(count: int, seed: int, **steps: int) -> list[tuple[int, dict[str, Any]]]:
    draw = Stream(seed, "logins")
    return [(i, {"auth_us": 2 * MS + draw.below(MS), **steps}) for i in range(count)]


def spans(plan: list[tuple[int, dict[str, Any]]]) -> list[Span]:
    return [each for number, steps in plan for each in login(number, **steps)]


def test_an_ordinary_system_is_acquitted_and_nothing_is_named() -> None:
    found = judge(spans(logins(150, 1)), "x").examination
    assert found.diagnosis is not None
    assert not found.diagnosis.standing.stands_out
    assert found.verdicts == ()


def test_against_a_baseline_what_became_slower_is_named_although_all_of_now_is_slow() -> None:
    now, before = spans(logins(60, 2, db_us=9 * MS)), spans(logins(80, 3))
    alone = judge(now, "now").examination
    assert alone.verdicts == ()
    found = judge(now, "now", baseline=before).examination
    assert found.diagnosis is not None
    assert found.diagnosis.comparison is Comparison.BASELINE
    assert (found.verdicts[0].kind, found.verdicts[0].service) == (Trouble.SLOW, "auth-db")
    assert sum(each.us for each in found.diagnosis.contributions) == found.diagnosis.gap_us


def test_against_itself_nothing_became_slower() -> None:
    now = spans(logins(60, 2))
    found = judge(now, "now", baseline=now).examination
    assert found.verdicts == ()
    assert found.lack is not None


@pytest.mark.parametrize("count", [5, 19])
def test_too_few_traces_of_either_side_are_said(count: int) -> None:
    found = judge(spans(logins(60, 2)), "now", baseline=spans(logins(count, 3))).examination
    assert found.lack is not None
    assert found.lack.traces == count
