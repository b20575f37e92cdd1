"""The checks themselves: each turns red for what it forbids."""

from typing import Any

from engines.sharding.pattern import PATTERN
from engines.sharding.world import commands as c
from engines.sharding.world.checks import COPIES, NECESSARY, ONE_OWNER, REDIRECTS, WRITES
from engines.sharding.world.engine import ShardingEngine
from engines.sharding.world.ownership import ShardMap
from engines.sim import faults
from engines.sim.timeline import Timeline

SMALL = (("keys", 60), ("clients", 0), ("workload", "off"))


def broken(engine: Any) -> tuple[str, ...]:
    return tuple(check.name for check in engine.check() if not check.ok)


def test_two_nodes_that_answer_for_one_key_are_seen() -> None:
    engine = ShardingEngine("ring", 1, SMALL)
    key = engine.cluster.keys[0]
    owner = engine.cluster.cfg().map.owner(key)
    other = next(node for node in engine.cluster.machines if node != owner)
    node = engine.cluster.node(other)
    placement = node.map.placement
    node.map = ShardMap(9, 1, placement.but(directory={key: other}))
    engine.apply(c.Get(key, owner))
    engine.run(500_000, 1_000)
    assert broken(engine) == (ONE_OWNER,)


def test_a_read_that_misses_an_acknowledged_write_is_seen() -> None:
    engine = ShardingEngine("ring", 1, SMALL)
    key = engine.cluster.keys[0]
    owner = engine.cluster.node(engine.cluster.cfg().map.owner(key))
    owner.store.drop(key)
    engine.apply(c.Get(key))
    engine.run(400_000, 1_000)
    assert WRITES in broken(engine)


def test_a_copy_that_vanished_is_seen() -> None:
    engine = ShardingEngine("ring", 1, (("keys", 60), ("clients", 0), ("workload", "off"), ("rf", 2)))
    engine.cluster.node("n1").store.drop(next(iter(engine.cluster.node("n1").store)))
    engine.run(2_000_000, 1_000)
    assert broken(engine) == (COPIES,)


def test_a_request_in_circles_is_seen() -> None:
    engine = ShardingEngine("ring", 1, SMALL)
    key = engine.cluster.keys[0]
    one, two = engine.cluster.node("n1"), engine.cluster.node("n2")
    placement = one.map.placement
    one.map = ShardMap(9, 1, placement.but(directory={key: "n2"}))
    two.map = ShardMap(9, 1, placement.but(directory={key: "n1"}))
    engine.apply(c.Get(key, "n1"))
    engine.run(3_000_000, 2_000)
    assert REDIRECTS in broken(engine)


def test_a_join_that_moves_keys_between_survivors_is_seen() -> None:
    engine = ShardingEngine("ring", 1, SMALL)
    cfg = engine.cluster.cfg()
    members = cfg.map.placement.members
    engine.apply(c.AddNode("n7", "dc1:r1"))
    plan = cfg.map.plan
    assert plan is not None
    assert broken(engine) == ()
    key = next(key for key in engine.cluster.keys if plan.target.owner(key) in members)
    other = next(node for node in members if node != plan.base.owner(key))
    plan.target.directory[key] = other
    plan.target.forget()
    engine.checks._necessary(plan)
    assert broken(engine) == (NECESSARY,)


def test_modulo_is_exempt_and_says_why() -> None:
    run: Timeline[Any, Any] = Timeline(PATTERN.variant("modulo"), 1, SMALL)
    run.submit(c.AddNode())
    run.advance(20_000_000)
    assert broken(run.engine) == ()
    (law,) = [check for check in run.check() if check.name == NECESSARY]
    assert law.detail.startswith("not demanded here: hash mod n")


def test_a_skewed_clock_makes_a_lease_lie() -> None:
    config = (("keys", 60), ("clients", 0), ("workload", "off"), ("rf", 2), ("vnodes", 16))
    run: Timeline[Any, Any] = Timeline(PATTERN.variant("ring"), 1, config)
    run.advance(1_000_000)
    key = run.engine.cluster.keys[0]  # type: ignore[attr-defined]
    owner = run.engine.cluster.cfg().map.owner(key)  # type: ignore[attr-defined]
    run.submit(faults.Skew(owner, 0, -900_000))
    run.submit(faults.Isolate(owner))
    run.advance(5_000_000)
    run.submit(c.Put(key, 5))
    run.advance(9_000_000)
    run.submit(c.Get(key, owner))
    run.advance(11_000_000)
    assert ONE_OWNER in broken(run.engine)
