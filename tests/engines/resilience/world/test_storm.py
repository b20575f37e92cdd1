"""The metastable storm in numbers: goodput before, during and after the trigger, and after each cure.

90 % load, a dip of 10 s, 3 retries, and a timeout shorter than the wait in line.
"""

import pytest

from engines.resilience.pattern import PATTERN
from engines.resilience.world import commands as c
from engines.resilience.world.scenarios import CURE_MS, DIP_MS, STORM
from engines.sim.clock import US_PER_S
from engines.sim.timeline import Timeline
from tests.engines.resilience.world.lab import Run, after, goodput, red, told

OFFERED = 6_000
"""Calls of clients in thousandths a second."""


def test_before_the_dip_every_call_is_served_at_90_percent_load() -> None:
    seen = told("retry-storm", 4).snapshot()
    assert goodput(seen, 1, 3) == OFFERED
    assert seen.failed == 0


def test_in_the_dip_goodput_falls_to_nothing_while_attempts_multiply() -> None:
    seen = told("retry-storm", 14).snapshot()
    assert goodput(seen, 7, 13) == 0
    assert (seen.amplified_ppm, seen.peak_edge) == (4_000_000, "api>catalog")
    assert seen.edge("api>catalog").amplified_ppm == 4_000_000
    assert sum(row.peak for row in seen.series[-8:]) / 8 == pytest.approx(4 * 6, abs=2)
    assert {row.peak for row in seen.series if row.at_us <= DIP_MS * 1_000} == {6}


def test_after_the_dip_goodput_stays_at_nothing_for_good() -> None:
    assert DIP_MS == 4_000
    run: Run = Timeline(PATTERN.variant("breaker"), STORM.seed, STORM.config, STORM)
    run.advance(100 * US_PER_S)
    seen = run.snapshot()
    assert goodput(seen, 7, 99) == 0
    assert seen.offered >= 590
    catalog = seen.service("catalog")
    assert catalog.hosts[0].slow_percent == 100
    assert (catalog.busy, catalog.workers) == (2, 2)
    assert catalog.wasted_per_s == catalog.done_per_s >= 6
    assert red(run) == []


def test_the_wait_in_line_is_longer_than_the_timeout() -> None:
    seen = told("retry-storm").snapshot()
    catalog, edge = seen.service("catalog"), seen.edge("api>catalog")
    assert catalog.hosts[0].wait_us > edge.timeout_us == US_PER_S


@pytest.mark.parametrize(
    ("name", "back_s", "end_s"), [("storm-breaker", 50, 54), ("storm-budget", 36, 42), ("storm-shedding", 18, 30)]
)
def test_each_cure_brings_all_of_it_back(name: str, back_s: int, end_s: int) -> None:
    run = told(name)
    seen = run.snapshot()
    assert goodput(seen, 7, CURE_MS // 1_000) == 0
    assert goodput(seen, back_s, end_s - 1) >= OFFERED * 95 // 100
    assert seen.service("catalog").wasted_per_s == 0
    assert red(run) == []


@pytest.mark.parametrize("name", ["storm-breaker", "storm-budget", "storm-shedding"])
def test_a_cure_is_one_command(name: str) -> None:
    cures = [line for line in told(name).branch.log if isinstance(line.command, c.Cure)]
    assert len(cures) == 1


def test_a_budget_of_20_percent_is_no_cure_at_90_percent_load() -> None:
    run = told("retry-storm", 17)
    seen = after(run, 40, c.SetOption("api>catalog", "budget_ppm", 200_000))
    assert goodput(seen, 20, 55) == 0


def test_a_deadline_alone_is_no_cure_either_since_calls_begin_with_too_little_time_left() -> None:
    run = told("retry-storm", 17)
    seen = after(run, 30, c.Cure("catalog", "deadline"))
    assert goodput(seen, 20, 45) < OFFERED // 10


def test_without_retries_the_same_dip_is_forgotten() -> None:
    config = {**dict(STORM.config), "retries": 0}
    run: Run = Timeline(PATTERN.variant("breaker"), STORM.seed, tuple(config.items()))
    after(run, 6)
    after(run, 10, c.SlowService("catalog", 200))
    seen = after(run, 40, c.SlowService("catalog", 100))
    assert goodput(seen, 50, 55) == OFFERED
