"""What a sharded cluster survives, and what it owes afterwards: every key at its owners, all plans carried out.

A lease trusts the clock of its owner, so wrong clocks lie beyond the model.
"""

from dataclasses import replace
from typing import Any, Final, get_args

from engines.sharding.world import commands as c
from engines.sharding.world.events import ShardingEvent
from engines.sharding.world.options import WORKLOADS
from engines.sim import faults
from engines.sim.chaos import After, Chaos, Hazard, Stage, order
from engines.sim.hazards import HAZARDS, SKEW
from engines.sim.random import Stream
from engines.units import US_PER_MS, US_PER_S

KEYS: Final = ("cart:1", "{a}x", "{a}y", "k", "hot")
COORDINATOR: Final = "cfg"


def _node(draw: Stream, stage: Stage) -> str:
    return draw.pick(tuple(each for each in stage.servers if each != COORDINATOR))


def _asked(draw: Stream, stage: Stage) -> str:
    return draw.pick(("", "", *stage.servers))


def _keys(draw: Stream, stage: Stage) -> c.MultiGet:
    return c.MultiGet(tuple(draw.pick(KEYS) for _ in range(draw.between(1, 3))))


def _called_off(draw: Stream, stage: Stage) -> tuple[After, ...]:
    """A node joins, another dies, and the plan is called off and begun anew, slower than before. Meanwhile the way from
    the clients to the newcomer is long: what was asked under one plan arrives under the other."""
    new, dead = draw.pick(("n7", "n8")), _node(draw, stage)
    dead_us = draw.between(20, 400) * US_PER_MS
    slow_us = dead_us + draw.between(600, 1_800) * US_PER_MS
    held_us = dead_us + draw.between(1_200, 1_900) * US_PER_MS
    free_us = dead_us + draw.between(2_300, 3_300) * US_PER_MS
    return (
        *(After(0, c.Put(key, draw.below(99))) for key in KEYS),
        After(US_PER_S, c.SetBandwidth(draw.pick((20, 60, 200)))), After(US_PER_S, c.AddNode(new)),
        After(US_PER_S + dead_us, faults.Crash(dead)),
        After(US_PER_S + slow_us, c.SetBandwidth(draw.pick((1, 1, 5)))),
        *(After(US_PER_S + held_us, faults.Clog(client, new)) for client in stage.clients),
        *(After(US_PER_S + held_us + draw.below(300) * US_PER_MS, c.Get(key)) for key in KEYS),
        *(After(US_PER_S + free_us, faults.Unclog(client, new)) for client in stage.clients),
        After(US_PER_S + free_us + US_PER_S, faults.Restart(dead)),
    )  # fmt: skip


def missing(engine: Any) -> str:
    """Everybody knows the newest map, every key has its copies, and nobody holds what is not his."""
    cluster = engine.cluster
    cfg = cluster.cfg()
    now = cfg.map
    if now.dead or now.placement.stale:
        return f"{', '.join((*now.dead, *now.placement.stale))} is still taken for dead or stale"
    if cfg.progress is not None or cfg.queue or cfg.first:
        return "a plan of the coordinator is not carried out"
    late = [node for node in now.nodes if cluster.node(node).map is not now]
    if late:
        return f"{', '.join(late)} does not know the newest map"
    for key, version in cluster.ledger.acked.items():
        group = now.group(key)
        if len(group) != now.placement.copies or min(cluster.version_at(node, key) for node in group) < version:
            return f"{key} lacks a copy of its newest acknowledged version"
    for id in cluster.machines:
        node = cluster.node(id)
        strange = [key for key in node.store if id not in now.group(key)]
        if strange:
            return f"{id} still holds {strange[0]}, which is not its own"
        if node.pending or node.blocked or node.writing or node.transfers.flying:
            return f"{id} still has something to do"
    return "a request was never answered" if cluster.history.open else ""


def role(engine: Any, node: str) -> str:
    """Coordinator, member, other machine or client."""
    if node == COORDINATOR:
        return "coordinator"
    if node not in engine.servers:
        return "client" if node else ""
    return "member" if node in engine.cluster.members else "spare"


CHAOS: Final = Chaos(
    hazards=(
        *(replace(each, beyond=True) if each is SKEW else each for each in HAZARDS),
        Hazard("called off", _called_off, 2),
    ),
    orders=(
        order(
            "ask",
            lambda draw, stage: c.Get(draw.pick(KEYS), _asked(draw, stage)),
            lambda draw, stage: c.Put(draw.pick(KEYS), draw.below(99), _asked(draw, stage)),
            _keys,
            weight=3,
        ),
        order(
            "members",
            lambda draw, stage: c.AddNode(draw.pick(("", "n7", "n8"))),
            lambda draw, stage: c.RemoveNode(_node(draw, stage)),
            weight=2,
        ),
        order(
            "shape",
            lambda draw, stage: c.SetVnodes(draw.pick((1, 8, 40))),
            lambda draw, stage: c.SetReplication(draw.between(1, 3)),
            lambda draw, stage: c.SetRackAware(draw.chance(500_000)),
            lambda draw, stage: c.Bound(draw.pick((100, 125, 300))),
            lambda draw, stage: c.SetBandwidth(draw.pick((5, 60, 2_000))),
            lambda draw, stage: c.SetFullCoverage(draw.chance(500_000), draw.chance(500_000)),
            lambda draw, stage: c.MoveSlot(draw.pick((0, 7_629, 15_495)), draw.pick(("cold", _node(draw, stage)))),
            lambda draw, stage: c.MoveChunk(draw.pick(("hot", "last", "")), _node(draw, stage)),
            lambda draw, stage: c.SplitChunk(draw.pick(("hot", "last", ""))),
            lambda draw, stage: c.MergeChunks(draw.pick(("hot", ""))),
            lambda draw, stage: c.SetBalancer(draw.chance(500_000)),
            lambda draw, stage: c.SplitForHeat(draw.chance(500_000)),
            weight=2,
        ),
        order("load", lambda draw, stage: c.SetWorkload(draw.pick(WORKLOADS), 110, draw.pick((2, 10)))),
        order("salt", lambda draw, stage: c.Salt(draw.pick(KEYS), draw.between(1, 4))),
    ),
    settings=(
        ("keys", (20, 60, 200)),
        ("nodes", (3, 5, 6)),
        ("vnodes", (1, 8, 40)),
        ("rf", (1, 2, 3)),
        ("rack_aware", (True, False)),
        ("clients", (1, 2, 3)),
        ("rate", (2, 10)),
        ("workload", WORKLOADS),
        ("bandwidth", (5, 60, 2_000)),
        ("router", (True, False, False, False)),
        ("chunks", (1, 3)),
    ),
    wait_us=800 * US_PER_MS,
    rest=tuple(
        After(5 * US_PER_S, command)
        for command in (c.SetWorkload("off"), c.SetBalancer(False), c.SplitForHeat(False), c.SetBandwidth(5_000))
    ),
    quiet_us=250 * US_PER_S,  # five of six nodes may have to leave: some 180 units, one after the other, 0.6 s each
    promise="everything comes to rest",
    missing=missing,
    role=role,
    events=get_args(ShardingEvent),
)

__all__ = ["CHAOS", "missing", "role"]
