"""What a Raft cluster survives, and what it owes a bounded time after all is healed.

Any number of servers may crash, freeze or be cut off, messages may be lost, repeated and out of order, clocks wrong
and disks slow, members change and leaders hand over meanwhile: no guarantee breaks, and once all is well again a leader
commits what it is asked for.
"""

from typing import Any, Final, get_args

from engines.consensus.raft.commands import (
    AddServer,
    ChangeJoint,
    LeaveJoint,
    Propose,
    RemoveServer,
    SetWorkload,
    Transfer,
)
from engines.consensus.raft.events import RaftEvent
from engines.consensus.raft.options import WORKLOADS
from engines.sim.chaos import After, Chaos, Stage, order
from engines.sim.hazards import HAZARDS, expire
from engines.sim.random import Stream
from engines.units import US_PER_MS, US_PER_S

MARK: Final = 77
"""What is written after the heal."""


def _propose(draw: Stream, stage: Stage) -> Propose:
    node = draw.pick(("", *stage.servers))
    return Propose(draw.pick(("set", "add", "del")), draw.pick("xy"), draw.between(-9, 9), node, draw.chance(500_000))


def _load(draw: Stream, stage: Stage) -> SetWorkload:
    return SetWorkload(draw.pick(tuple(WORKLOADS)))


def _member(draw: Stream, stage: Stage) -> str:
    """A server of this cluster, or one that may come."""
    count = len(stage.servers)
    return draw.pick((*stage.servers, f"n{count + 1}", f"n{count + 2}"))


def _asked(draw: Stream, stage: Stage) -> str:
    """Whoever leads, or any server: a client may be wrong about that."""
    return draw.pick(("", "", *stage.servers))


def _joint(draw: Stream, stage: Stage) -> ChangeJoint:
    add, remove = _member(draw, stage), stage.server(draw)
    return ChangeJoint((add,), (remove,) if remove != add else (), (), draw.chance(800_000), _asked(draw, stage))


def missing(engine: Any) -> str:
    """A leader, and the write that was asked for at every member that counts."""
    leader = engine.leader()
    if not leader:
        return "there is no leader"
    members = [each for each in engine.servers if engine.raft(leader).configuration.votes(each)]
    behind = [each for each in members if engine.raft(each).kv.values.get("q") != MARK]
    if behind:
        return f"the write asked for after the heal has not been applied by {', '.join(behind)}"
    return ""


def role(engine: Any, node: str) -> str:
    """Leader, follower, candidate ... or client."""
    if node not in engine.servers:
        return "client" if node else ""
    return str(engine.raft(node).role.value)


CHAOS: Final = Chaos(
    hazards=(*HAZARDS, expire("election", "heartbeat", "quorum")),
    orders=(
        order("propose", _propose, weight=3),
        order("workload", _load),
        order(
            "members",
            lambda draw, stage: AddServer(_member(draw, stage), draw.chance(200_000), _asked(draw, stage)),
            lambda draw, stage: RemoveServer(stage.server(draw), _asked(draw, stage)),
            _joint,
            lambda draw, stage: LeaveJoint(_asked(draw, stage)),
            weight=2,
        ),
        order("transfer", lambda draw, stage: Transfer(stage.server(draw), _asked(draw, stage))),
    ),
    settings=(
        ("nodes", (3, 5, 5, 7)),
        ("workload", ("light", "busy", "flood")),
        ("clients", (1, 2, 4)),
        ("noop", (True, False)),
    ),
    wait_us=150 * US_PER_MS,
    rest=(After(0, SetWorkload("off")), After(1_500 * US_PER_MS, Propose("set", "q", MARK))),
    quiet_us=8 * US_PER_S,
    calm_us=500 * US_PER_MS,
    promise="the cluster works again",
    missing=missing,
    role=role,
    events=get_args(RaftEvent),
)

__all__ = ["CHAOS", "MARK", "missing", "role"]
