"""What each design survives, and what it owes afterwards: every client answered or given up, replicas equal.

Clocks may be wrong where the design does not trust them; elsewhere that lies beyond the model. The models that a design
promises are judged all the time. Hybrid time trusts no clock where everybody hears of every write before it is done;
where fewer acknowledge it, whoever has not heard of it may have the slower clock.
"""

from dataclasses import replace
from typing import Any, Final, get_args

from engines.consistency.world.commands import Perform, SetWorkload
from engines.consistency.world.events import ConsistencyEvent
from engines.consistency.world.options import WORKLOADS
from engines.sim import faults
from engines.sim.chaos import After, Chaos, Hazard, Stage, order
from engines.sim.hazards import HAZARDS, SKEW, expire
from engines.sim.random import Stream
from engines.units import US_PER_MS, US_PER_S


def _perform(draw: Stream, stage: Stage) -> Perform:
    """At the client's own replica: who asks another one leaves the session that was promised."""
    return Perform(draw.pick(stage.clients), draw.chance(500_000), draw.pick("xy"))


def _far(draw: Stream, stage: Stage) -> tuple[After, ...]:
    """One client hears from one replica late, or from all replicas but one: what others have seen it has not."""
    client, near = draw.pick(stage.clients), stage.server(draw)
    late_us = (100, 300, 700)[draw.below(2 + (stage.severity > 0))] * US_PER_MS
    if draw.chance(500_000):
        return (After(0, faults.Slow(client, near, late_us, late_us // 3)),)
    return tuple(After(0, faults.Slow(client, each, late_us, late_us // 3)) for each in stage.servers if each != near)


def _wrong_clock(draw: Stream, stage: Stage) -> tuple[After, ...]:
    """A clock is wrong, in a world whose writes are acknowledged by all machines there are."""
    all_hear = len({stage.setting("nodes", 5), stage.setting("n", 3), stage.setting("w", 1)}) == 1
    return SKEW.make(draw, stage) if all_hear else ()


def missing(engine: Any) -> str:
    """No operation of a client is open any more."""
    waiting = [client for client in engine.clients if engine.book.is_open(client)]
    return f"{', '.join(waiting)} asked and neither got an answer nor gave up" if waiting else ""


def role(engine: Any, node: str) -> str:
    """Replica, the one that leads, or client."""
    if node not in engine.servers:
        return "client" if node else ""
    return "leader" if getattr(engine.hosts[node].node, "leads", False) else "replica"


SILENT: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "linearizable": (("remember", "the store-back keeps all that it keeps; see store_back without it"),),
    "causal": (
        ("client_vector", "a client stays with its replica; without both it shows"),
        ("sticky", "a client carries its vector to any replica"),
    ),
    "eventual": (
        ("send_to_all", "anti-entropy brings the rest, later"),
        ("read_repair", "hints and anti-entropy bring the rest"),
        ("hinted_handoff", "anti-entropy brings the rest, later"),
        ("anti_entropy", "hints bring the rest; without both, replicas stay apart"),
    ),
    "weak": (("push", "nothing is promised of other caches"),),
}
"""Rules whose absence alone breaks no promise of the variant."""
TOGETHER: Final[dict[str, tuple[tuple[str, ...], ...]]] = {
    "causal": (("client_vector", "sticky"),),
    "eventual": (("send_to_all", "anti_entropy"), ("hinted_handoff", "anti_entropy")),
}
"""Those of them that stand in for each other."""


def chaos_of(variant: str) -> Chaos:
    """What a design survives."""
    trusted = tuple(replace(each, beyond=True) if each is SKEW else each for each in HAZARDS)
    hazards = HAZARDS if variant == "causal" else trusted
    timers = {"eventual": ("compare",), "mongodb": ("election",)}.get(variant)
    quorums = (("n", (2, 3)), ("r", (1, 2)), ("w", (1, 2, 3))) if variant == "eventual" else ()
    clocks = (Hazard("wrong clock", _wrong_clock, 2),) if variant == "eventual" else ()
    return Chaos(
        hazards=(*hazards, *clocks, Hazard("far", _far, 9), *((expire(*timers),) if timers else ())),
        orders=(
            order("ask", _perform, weight=3),
            order("workload", lambda draw, stage: SetWorkload(draw.pick(tuple(WORKLOADS)))),
        ),
        settings=(
            ("nodes", (3, 3, 5)),
            ("clients", (2, 4, 6, 6)),
            ("keys", (1, 1, 1, 2)),
            ("workload", ("busy", "busy", "busy", "light")),
            *quorums,
        ),
        wait_us=500 * US_PER_MS,
        rest=(After(0, SetWorkload("off")),),
        quiet_us=8 * US_PER_S,
        calm_us=6 * US_PER_S if variant == "eventual" else 1_500 * US_PER_MS,
        promise="every operation ends",
        missing=missing,
        role=role,
        events=get_args(ConsistencyEvent),
        silent=SILENT.get(variant, ()),
        together=TOGETHER.get(variant, ()),
    )


__all__ = ["SILENT", "TOGETHER", "chaos_of", "missing", "role"]
