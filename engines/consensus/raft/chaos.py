"""What a Raft cluster survives, and what it owes a bounded time after all is healed.

Any number of servers may crash, freeze or be cut off, messages may be lost, repeated and out of order, clocks wrong
and disks slow: no guarantee breaks, and once all is well again a leader commits what it is asked for.
"""

from typing import Any, Final, get_args

from engines.consensus.raft.commands import Propose, SetWorkload
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


def missing(engine: Any) -> str:
    """A leader, the write that was asked for, everywhere, and equal logs."""
    if not engine.leader():
        return "there is no leader"
    behind = [each for each in engine.servers if engine.raft(each).kv.values.get("q") != MARK]
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
    orders=(order("propose", _propose, weight=3), order("workload", _load)),
    settings=(
        ("nodes", (3, 5, 5, 7)),
        ("workload", ("light", "busy", "flood")),
        ("clients", (1, 2, 4)),
        ("noop", (True, False)),
    ),
    wait_us=150 * US_PER_MS,
    rest=(After(0, SetWorkload("off")), After(2 * US_PER_S, Propose("set", "q", MARK))),
    quiet_us=5 * US_PER_S,
    promise="the cluster works again",
    missing=missing,
    role=role,
    events=get_args(RaftEvent),
)

__all__ = ["CHAOS", "MARK", "missing", "role"]
