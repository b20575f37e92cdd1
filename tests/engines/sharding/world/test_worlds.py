"""Random faults and orders: nothing that was acknowledged is lost, and everything comes to rest again."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import UserError
from engines.sharding.pattern import PATTERN
from engines.sharding.world import commands as c
from engines.sharding.world.engine import ShardingEngine
from engines.sim import faults
from engines.sim.codec import decode_command, encode_command
from engines.sim.pattern import Config
from engines.sim.rules import SetRule
from engines.sim.timeline import Timeline
from engines.units import US_PER_S
from tests.engines.sharding.world import strategies as some

VARIANTS = tuple(variant.name for variant in PATTERN.variants)
Run = Timeline[Any, Any]


def broken(run: Run) -> list[Any]:
    return [check for check in run.check() if not check.ok]


def play(variant: str, seed: int, config: Config, schedule: list[tuple[int, Any]]) -> Run:
    """A run in which all this happened, healed and left in peace for a while."""
    run: Run = Timeline(PATTERN.variant(variant), seed, config, keep_checkpoints=False)
    for span_us, command in schedule:
        run.advance(run.now_us + span_us)
        try:
            run.submit(command)
        except UserError:
            continue
    assert broken(run) == []
    run.submit(faults.Heal())
    run.advance(run.now_us + 10 * US_PER_S)
    for command in (c.SetWorkload("off"), c.SetBalancer(False), c.SplitForHeat(False), c.SetBandwidth(5_000)):
        try:
            run.submit(command)
        except UserError:
            continue
    run.advance(run.now_us + 90 * US_PER_S)
    return run


def at_rest(engine: ShardingEngine) -> None:
    """Everybody knows the newest map, every key has its copies, and nobody holds what is not his."""
    cfg = engine.cluster.cfg()
    now = cfg.map
    assert (now.dead, now.placement.stale, cfg.progress, cfg.queue, cfg.first) == ((), (), None, (), ())
    assert all(engine.cluster.node(node).map is now for node in now.nodes)
    for key, version in engine.cluster.ledger.acked.items():
        group = now.group(key)
        assert len(group) == now.placement.copies
        assert min(engine.cluster.version_at(node, key) for node in group) >= version
    for id in engine.cluster.machines:
        node = engine.cluster.node(id)
        assert [key for key in node.store if id not in now.group(key)] == []
        assert (node.pending, node.blocked, node.writing, node.transfers.flying) == ({}, {}, {}, {})
    assert engine.cluster.history.open == {}


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(VARIANTS), some.seeds, some.configs, some.schedules)
def test_nothing_breaks_and_everything_comes_to_rest(
    variant: str, seed: int, config: Config, schedule: list[tuple[int, Any]]
) -> None:
    run = play(variant, seed, config, schedule)
    at_rest(run.engine)  # type: ignore[arg-type]
    assert broken(run) == []


@pytest.mark.soak
@settings(deadline=None, max_examples=3_000)
@given(st.sampled_from(VARIANTS), some.seeds, some.configs, st.lists(
    st.tuples(st.sampled_from((0, 100_000, 1_000_000, 4_000_000)), some.harm | some.members | some.shapes), min_size=10,
    max_size=50,
))  # fmt: skip
def test_the_same_for_hours(variant: str, seed: int, config: Config, schedule: list[tuple[int, Any]]) -> None:
    run = play(variant, seed, config, schedule)
    at_rest(run.engine)  # type: ignore[arg-type]
    assert broken(run) == []


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("rf", [1, 2, 3])
def test_a_join_and_a_leave_under_load(variant: str, rf: int) -> None:
    config = (("keys", 400), ("rf", rf), ("bandwidth", 400))
    run = play(variant, 3, config, [(2_000_000, c.AddNode()), (9_000_000, c.RemoveNode("n2")), (9_000_000, c.Get("k"))])
    engine: Any = run.engine
    at_rest(engine)
    members = tuple(n for n in engine.cluster.machines if n != "n2")
    assert engine.cluster.members == members or variant == "jump"
    assert broken(run) == []


@pytest.mark.parametrize("rf", [1, 2, 3])
def test_every_command_is_refused_with_advice_or_carried_out(rf: int) -> None:
    for variant in VARIANTS:
        run: Run = Timeline(PATTERN.variant(variant), 1, (("keys", 50), ("rf", rf)))
        for command in (
            c.AddNode("n1"), c.AddNode("NO"), c.RemoveNode("n9"), c.SetVnodes(0), c.SetReplication(4), c.Bound(50),
            c.SetWorkload("wild"), c.Salt("k", 99), c.SetBandwidth(0), c.MoveSlot(20_000, "n1"), c.MoveChunk("?", "n1"),
            c.SplitChunk("?"), c.MergeChunks("?"), SetRule("none", True), c.Get("k", "cfg"), c.MultiGet(()),
        ):  # fmt: skip
            before = run.snapshot()
            with pytest.raises(UserError):
                run.submit(command)
            assert run.snapshot() == before


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_last_node_stays_names_are_unique_and_copies_need_nodes(variant: str) -> None:
    run: Run = Timeline(PATTERN.variant(variant), 1, (("nodes", 2), ("keys", 50)))
    before = run.snapshot()
    for command, words in (
        (c.SetReplication(3), "3 copies on 2 nodes: every copy needs a node of its own"),
        (c.AddNode("n2"), "n2 is a member already: choose another name"),
    ):
        with pytest.raises(UserError, match=words):
            run.submit(command)
        assert run.snapshot() == before
    run.submit(c.RemoveNode("n1"))
    with pytest.raises(UserError, match="the last node cannot leave: its keys would have no owner"):
        run.submit(c.RemoveNode("n2"))
    run.advance(60 * US_PER_S)
    snapshot = run.snapshot()
    assert [node.id for node in snapshot.nodes if node.role == "member"] == ["n2"]
    assert snapshot.node("n2").owned == snapshot.balance.keys >= 50
    assert broken(run) == []


def test_a_world_with_more_copies_than_nodes_is_refused() -> None:
    with pytest.raises(UserError, match="rf 3: every copy needs a node of its own, and there are 2 nodes"):
        Timeline(PATTERN.variant("ring"), 1, (("nodes", 2), ("rf", 3)))


@given(some.commands)
def test_every_command_can_be_saved(command: Any) -> None:
    assert decode_command(json.loads(json.dumps(encode_command(command))), c.COMMANDS, "here") == command


def test_a_coordinator_that_is_down_takes_no_orders() -> None:
    run: Run = Timeline(PATTERN.variant("ring"), 1, (("keys", 50),))
    run.submit(faults.Crash("cfg"))
    with pytest.raises(UserError, match="cfg is crashed"):
        run.submit(c.AddNode())


def test_a_plan_survives_the_coordinator() -> None:
    run: Run = Timeline(PATTERN.variant("slots"), 1, (("keys", 400), ("bandwidth", 20)))
    run.submit(c.AddNode())
    run.advance(2_500_000)
    run.submit(faults.Crash("cfg"))
    run.advance(4_000_000)
    run.submit(faults.Restart("cfg"))
    run.advance(60_000_000)
    engine: Any = run.engine
    assert engine.cluster.cfg().map.placement.members[-1] == "n7"
    assert engine.cluster.cfg().progress is None
    assert broken(run) == []


def test_a_minute_of_the_default_workload_is_quick_to_compute() -> None:
    run: Run = Timeline(PATTERN.variant("ring"), 1)
    run.advance(60 * US_PER_S)
    assert run.position < 40_000
    snapshot = run.snapshot()
    assert sum(client.done for client in snapshot.clients) > 2_000
    assert sum(client.failed for client in snapshot.clients) == 0


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_dead_node_with_the_only_copy_cannot_be_drained(variant: str) -> None:
    """It would be waited for until somebody restarts it, without a word."""
    run: Run = Timeline(PATTERN.variant(variant), 1, (("nodes", 4), ("keys", 50), ("rf", 1)))
    run.advance(1_000_000)
    last = run.snapshot().nodes[-1].id
    run.submit(faults.Crash(last))
    run.advance(3_000_000)
    with pytest.raises(UserError, match=f"{last} is down and has the only copy of its keys.*restart it first"):
        run.submit(c.RemoveNode(last))
    run.submit(faults.Restart(last))
    run.advance(4_000_000)
    run.submit(c.RemoveNode(last))


def test_a_node_is_not_queued_twice_to_leave() -> None:
    run: Run = Timeline(PATTERN.variant("ring"), 1, (("nodes", 4), ("keys", 400), ("rf", 1), ("bandwidth", 50)))
    run.advance(1_000_000)
    run.submit(c.AddNode())
    run.submit(c.RemoveNode("n2"))
    with pytest.raises(UserError, match="n2 is to leave already: that waits for the change under way"):
        run.submit(c.RemoveNode("n2"))
