"""Random worlds: whatever befalls the shop and however its edges are tuned, the checks hold."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import UserError
from engines.resilience.pattern import PATTERN
from engines.resilience.world.options import PRESET_NAMES
from engines.sim.timeline import Timeline
from tests.engines.resilience.world.random_worlds import failures
from tests.engines.resilience.world.strategies import schedules

Run = Timeline[Any, Any]


def played(variant: str, seed: int, config: tuple[tuple[str, Any], ...], schedule: list[tuple[int, Any]]) -> Run:
    run: Run = Timeline(PATTERN.variant(variant), seed, config)
    for wait_us, command in schedule:
        run.advance(run.now_us + wait_us)
        with suppress(UserError):
            run.submit(command)
    run.advance(run.now_us + 1_500_000)
    return run


@settings(max_examples=60)
@given(
    st.integers(0, 1 << 32),
    st.sampled_from(PRESET_NAMES),
    st.fixed_dictionaries(
        {},
        optional={
            "retry_at": st.sampled_from(("clients", "api", "everywhere")),
            "bulkhead": st.integers(0, 3),
            "limit": st.sampled_from((0, 5)),
            "hedge": st.sampled_from((0, 50)),
            "budget": st.sampled_from((0, 10)),
            "deadline": st.booleans(),
            "fallback": st.booleans(),
            "workers": st.integers(1, 3),
            "queue": st.integers(0, 4),
            "catalog_hosts": st.integers(1, 3),
            "outlier": st.booleans(),
        },
    ),
    schedules,
)
def test_every_check_holds_in_every_world(
    seed: int, preset: str, config: dict[str, Any], schedule: list[tuple[int, Any]]
) -> None:
    run = played("breaker", seed, (("preset", preset), *config.items()), schedule)
    assert [check for check in run.check() if not check.ok] == []


@settings(max_examples=20)
@given(st.integers(0, 1 << 32), schedules)
def test_every_check_holds_behind_envoy(seed: int, schedule: list[tuple[int, Any]]) -> None:
    run = played("envoy", seed, (), schedule)
    assert [check for check in run.check() if not check.ok] == []


def red_worlds(first: int, count: int) -> dict[int, list[str]]:
    """Those in which a check is red, and which."""
    found = {number: [check.name for check in failures(number)] for number in range(first, first + count)}
    return {number: names for number, names in found.items() if names}


@pytest.mark.parametrize("first", range(0, 300, 50))
def test_no_check_is_red_where_no_rule_is_broken(first: int) -> None:
    assert red_worlds(first, 50) == {}


@pytest.mark.parametrize("number", [396, 494, 602, 700, 747, 757, 827, 855, 913, 1473])
def test_worlds_that_have_been_red_without_reason_are_green(number: int) -> None:
    assert failures(number) == []


@pytest.mark.soak
@pytest.mark.parametrize("first", range(0, 10_000, 500))
def test_no_check_is_red_in_ten_thousand_worlds(first: int) -> None:
    assert red_worlds(first, 500) == {}


@pytest.mark.parametrize("preset", PRESET_NAMES)
def test_breakers_start_closed_and_a_healthy_shop_serves_everybody(preset: str) -> None:
    run: Run = Timeline(PATTERN.variant("breaker"), 42, (("preset", preset),))
    run.advance(20_000_000)
    seen = run.snapshot()
    assert seen.failed == 0
    assert seen.good > 200
    assert {edge.breaker.state for edge in seen.edges if edge.breaker is not None} <= {"closed"}
    assert all(edge.breaker.rejected == 0 for edge in seen.edges if edge.breaker is not None)
