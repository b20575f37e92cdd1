"""Random worlds under every fault of the model: no check fails, all comes to rest, and every fault has bitten."""

from __future__ import annotations

import pytest

from engines.cqrs.pattern import PATTERN
from engines.cqrs.world import commands as c
from engines.cqrs.world.checks import DEMANDS
from engines.hunt.plan import Plan
from engines.hunt.trial import play
from engines.sim import faults as f
from engines.sim.pattern import Step
from tests.engines.cqrs.world.lab import batter, failed, world


def battered(seeds: range) -> dict[str, int]:
    done: dict[str, int] = {}
    for seed in seeds:
        engine = world(seed, writes=6, reads=20 + seed % 3 * 10)
        for name, count in batter(engine, seed).items():
            done[name] = done.get(name, 0) + count
        assert failed(engine) == [], f"seed {seed}: {[each for each in engine.check() if not each.ok]}"
        for projection in engine.snapshot().projections:
            assert (projection.behind, projection.parked) == (0, 0), f"seed {seed}: {projection.name}"
        assert not engine.saga.open, f"seed {seed}: a saga that never ends"
    return done


def test_whatever_happens_no_check_fails() -> None:
    done = battered(range(100))
    assert len(done) == 29
    assert min(done.values()) > 10


@pytest.mark.soak
def test_whatever_happens_in_2000_seeds_no_check_fails() -> None:
    battered(range(1_000, 3_000))


def test_a_copy_that_was_told_of_half_an_event_is_told_of_the_rest() -> None:
    """A replica that asked for what it had missed, in the middle of an event, took the half for the whole of it: what
    ten thousand seeds of a hunt have found."""
    times = (
        (300_000, c.Ask("u1", "history")), (535_000, f.Slow("*", "*", 107_993, 64_739)),
        (730_000, c.Rebuild("order_summary", "beside", "v2")), (800_000, c.Resend("u1")),
        (980_000, c.AddNode("commands")), (1_100_000, f.Crash("bus")), (1_300_000, f.Restart("bus")),
        (1_490_000, f.Freeze("store")), (1_617_000, f.Thaw("store")),
        (1_700_000, c.Rebuild("order_summary", "beside", "v2")), (2_070_000, f.Lose("*", "*", 300_000)),
        (2_300_000, f.Lose("*", "*", 0)),
    )  # fmt: skip
    config = (
        ("writes", 6), ("reads", 4), ("projectors", 2), ("replicas", 3), ("freshness", "version token"),
        ("apply_us", 6_000),
    )  # fmt: skip
    plan = Plan("sourced", 2884, config, tuple(Step(at_us, command) for at_us, command in times), 0, 3_000_000)
    assert play(plan, PATTERN.variant("sourced")).violation is None


def test_the_world_makes_its_promises() -> None:
    assert tuple(check.name for check in world().check()) == tuple(DEMANDS)
