"""The metastable storm in numbers: goodput before, during and after the trigger, and after each cure.

80 % load at random arrivals, a dip of 6 s, 3 retries, and a timeout shorter than the wait in line.
"""

import re
from typing import Any

import pytest

from benchmarks import cures
from engines.resilience.pattern import PATTERN
from engines.resilience.world import commands as c
from engines.resilience.world import events as e
from engines.resilience.world.scenarios import CURE_MS, DIP_END_MS, DIP_MS, NO_HEAD_ROOM, STORM
from engines.sim.faults import Narrate
from engines.sim.timeline import Timeline
from engines.units import US_PER_S
from tests.engines.resilience.world.lab import Run, breaker, goodput, red, told

OFFERED = 16_000
"""Calls of clients in thousandths a second."""
CAPACITY = 20


def storm(seconds: int, **config: Any) -> Run:
    """The story's world, so long, under its script up to the cure."""
    run: Run = Timeline(PATTERN.variant("breaker"), STORM.seed, tuple({**dict(STORM.config), **config}.items()))
    for at_ms, percent in ((DIP_MS, 200), (DIP_END_MS, 100)):
        run.advance(at_ms * 1_000)
        run.submit(c.SlowService("catalog", percent))
    run.advance(seconds * US_PER_S)
    return run


def test_the_load_is_at_random_and_80_percent_of_what_catalog_can_do() -> None:
    config = dict(STORM.config)
    assert config.get("poisson", True)
    assert config["rate"] * 100 == 80 * CAPACITY
    service_s = (220 + 30 + 2 * 25) / 1_000
    assert dict(config["slow"]) == {"catalog": 220, "catalog-db": 30}
    assert config["workers"] / service_s == pytest.approx(CAPACITY)
    assert config["workers"] / (service_s + 0.22) == pytest.approx(12, abs=0.5), "in the dip"


def test_before_the_dip_every_call_is_answered() -> None:
    seen = told("retry-storm", 4).snapshot()
    assert seen.failed == 0
    assert seen.amplified_ppm == 1_000_000


def test_in_the_dip_goodput_falls_to_nothing_while_attempts_multiply() -> None:
    run = told("retry-storm", 1)
    run.advance(9_500_000)
    seen = run.snapshot()
    assert goodput(seen, 7, 9) == 0
    assert (seen.amplified_ppm, seen.peak_edge) == (4_000_000, "api>catalog")
    assert seen.edge("api>catalog").amplified_ppm == 4_000_000
    catalog, edge = seen.service("catalog"), seen.edge("api>catalog")
    assert catalog.hosts[0].wait_us > edge.timeout_us == US_PER_S


def test_after_the_dip_goodput_stays_at_nothing_for_good() -> None:
    run = storm(100)
    seen = run.snapshot()
    assert goodput(seen, 7, 99) == 0
    catalog = seen.service("catalog")
    assert catalog.hosts[0].slow_percent == 100
    assert (catalog.busy, catalog.workers) == (6, 6)
    assert catalog.wasted_per_s == catalog.done_per_s == pytest.approx(CAPACITY, abs=2)
    assert seen.amplified_ppm == 4_000_000
    assert red(run) == []


def test_the_line_of_36_takes_longer_to_serve_than_its_callers_wait() -> None:
    seen = told("retry-storm").snapshot()
    catalog, edge = seen.service("catalog"), seen.edge("api>catalog")
    assert catalog.queue_max == 36
    assert 36 / CAPACITY == 1.8
    assert catalog.hosts[0].wait_us > edge.timeout_us == US_PER_S


@pytest.mark.parametrize(
    ("name", "back_s", "end_s"), [("storm-breaker", 45, 47), ("storm-budget", 21, 28), ("storm-shedding", 16, 22)]
)
def test_each_cure_brings_all_of_it_back(name: str, back_s: int, end_s: int) -> None:
    run = told(name)
    seen = run.snapshot()
    assert goodput(seen, 7, CURE_MS // 1_000) == 0
    ended = [row for row in seen.series if back_s * US_PER_S < row.at_us <= end_s * US_PER_S]
    assert sum(row.goodput for row in ended) >= 0.95 * sum(row.offered for row in ended)
    assert not any(row.errors for row in ended)
    assert seen.service("catalog").wasted_per_s == 0
    assert red(run) == []


def test_the_budget_takes_7_s_and_the_breaker_empties_the_line_in_3() -> None:
    seen = told("storm-budget").snapshot()
    first = next(row.at_us for row in seen.series if row.at_us > CURE_MS * 1_000 and row.goodput)
    assert 7 * US_PER_S <= first - CURE_MS * 1_000 <= 8 * US_PER_S
    run = told("storm-breaker", 14)
    opened_us = breaker(run.snapshot()).since_us
    run.advance(opened_us + 2_500_000)
    assert run.snapshot().service("catalog").queue > 0
    run.advance(opened_us + 3_200_000)
    assert run.snapshot().service("catalog").queue == 0
    assert breaker(told("storm-breaker").snapshot()).history[1].since_us - opened_us == pytest.approx(30e6, abs=1e5)


@pytest.mark.parametrize("name", ["storm-breaker", "storm-budget", "storm-shedding"])
def test_a_cure_is_one_command(name: str) -> None:
    applied = [line for line in told(name).branch.log if isinstance(line.command, c.Cure)]
    assert len(applied) == 1


def test_without_retries_the_same_dip_is_forgotten() -> None:
    seen = storm(40, retries=0).snapshot()
    ended = [row for row in seen.series if row.at_us > 20 * US_PER_S]
    assert sum(row.goodput for row in ended) >= 0.95 * sum(row.offered for row in ended)


def test_evenly_paced_calls_hide_how_near_the_edge_a_shop_is() -> None:
    seen = {}
    for poisson in (False, True):
        config = (*NO_HEAD_ROOM.config, ("poisson", poisson))
        run: Run = Timeline(PATTERN.variant("breaker"), NO_HEAD_ROOM.seed, config)
        run.advance(16 * US_PER_S)
        seen[poisson] = run.snapshot()
    assert seen[False].failed == 0
    assert goodput(seen[True], 12, 15) == 0


def test_at_90_percent_it_collapses_by_itself_and_again_after_a_breaker() -> None:
    run = told("no-head-room", 14)
    seen = run.snapshot()
    assert not any(host.ailing for service in seen.services for host in service.hosts)
    assert goodput(seen, 11, 14) == 0
    assert goodput(seen, 1, 9) >= 15_000
    run = told("no-head-room", 57)
    states = [each.state for each in breaker(run.snapshot()).history]
    assert states == ["open", "half_open", "closed", "open"]
    assert goodput(run.snapshot(), 48, 51) >= 18_000
    seen = told("no-head-room").snapshot()
    assert goodput(seen, 60, 67) >= 13_000
    assert not any(row.errors for row in seen.series if row.at_us > 60 * US_PER_S)


@pytest.mark.soak
def test_what_the_cures_are_worth_is_what_the_last_cue_says() -> None:
    texts = [step.command.text for step in NO_HEAD_ROOM.script if isinstance(step.command, Narrate)]
    told_ = re.findall(r"(breaker|budget|shedding) (\d+) and (\d+) %", texts[-1])
    assert [name for name, *_ in told_] == ["breaker", "budget", "shedding"]
    for name, *shares in told_:
        measured = [cures.mean(rate, name) for rate in cures.RATES.values()]
        assert [round(share) for share in measured] == list(map(int, shares))
    assert cures.mean(16, "none") == 0


def test_retries_told_of_after_a_budget_was_given_were_made_under_it() -> None:
    run = told("storm-budget", 16)
    made = run.snapshot().edge("api>catalog").retry
    events = run.engine.told(1 << 20)
    cured_us = next(each.at_us for each in events if isinstance(each.what, e.CureApplied))
    retries = [each for each in events if isinstance(each.what, e.CallRetried)]
    after = sum(each.what.times for each in retries if each.at_us > cured_us)
    assert after == 2
    assert made is not None
    assert made.retried >= sum(each.what.times for each in retries) > after
