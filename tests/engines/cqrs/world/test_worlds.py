"""Random worlds under every fault of the model: no check fails, all comes to rest, and every fault has bitten."""

from __future__ import annotations

import pytest

from engines.cqrs.world.checks import DEMANDS
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


def test_the_world_makes_its_promises() -> None:
    assert tuple(check.name for check in world().check()) == tuple(DEMANDS)
