"""What the variant publishes as survivable it survives: hunts draw from the same list."""

import pytest

from engines.cqrs.pattern import PATTERN
from engines.cqrs.world.chaos import CHAOS, missing, role
from engines.hunt import request_for
from engines.hunt.trial import play
from engines.sim import faults
from tests.engines.cqrs.world.lab import S, go, world

VARIANT = PATTERN.variants[0]


@pytest.mark.parametrize("seeds", [range(2), pytest.param(range(2, 100), marks=pytest.mark.soak)])
def test_random_seeds_keep_every_promise(seeds: range) -> None:
    assert VARIANT.chaos is CHAOS
    for seed in seeds:
        trial = play(request_for(PATTERN, VARIANT.name).plan(seed), VARIANT)
        assert trial.violation is None, f"seed {seed}: {trial.violation}"


def test_what_is_missing_is_named() -> None:
    engine = go(world(1, writes=20), 2 * S)
    assert missing(go(world(1, writes=0), S)) == ""
    engine.apply(faults.Crash("p1"))
    go(engine, 2 * S)
    assert "order_summary is" in missing(engine)
    assert "events behind" in missing(engine)


def test_every_machine_has_a_role() -> None:
    engine = world()
    assert [role(engine, name) for name in ("u1", "c1", "store", "bus", "p1", "r1", "saga", "bank", "crud")] == [
        "users", "commands", "store", "bus", "projectors", "replicas", "saga", "services", "crud",
    ]  # fmt: skip
    assert role(engine, "") == ""
