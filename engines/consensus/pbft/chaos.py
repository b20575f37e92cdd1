"""What a PBFT cluster survives: up to f traitors that do as they like, and any fault of machines and network besides.

Who is a traitor is drawn once for a seed. More than f of them lie beyond the model: then nothing is promised, and a
hunt that is told to go there (``beyond``) finds what breaks.
"""

from typing import Any, Final, get_args

from engines.consensus.pbft.commands import SetAct, SetWorkload
from engines.consensus.pbft.events import PbftEvent
from engines.consensus.pbft.options import WORKLOADS
from engines.consensus.pbft.rules import Act
from engines.sim.chaos import After, Chaos, Hazard, Stage, order
from engines.sim.hazards import HAZARDS
from engines.sim.random import Stream
from engines.units import US_PER_MS, US_PER_S


def traitors(stage: Stage, more: int = 0) -> tuple[str, ...]:
    """The traitors of this seed: one to f, or ``more`` than f."""
    count = len(stage.servers)
    f = (count - 1) // 3
    first = stage.lot % count
    number = f + more if more else 1 + stage.lot // count % f
    return tuple(stage.servers[(first + place) % count] for place in range(number))


def _misbehave(draw: Stream, stage: Stage) -> tuple[After, ...]:
    node, act = draw.pick(traitors(stage)), draw.pick(tuple(Act)).value
    return After(0, SetAct(node, act, True)), *stage.until(draw, SetAct(node, act, False))


def _conspire(draw: Stream, stage: Stage) -> tuple[After, ...]:
    """One more than f of them, in the same act."""
    act = draw.pick(tuple(Act)).value
    return tuple(After(0, SetAct(node, act, True)) for node in traitors(stage, more=1))


def missing(engine: Any) -> str:
    """An answer to every client that asked. The checks say within which time; this says that there is one."""
    waiting = sorted(client for client, _ in engine.history.open)
    return f"{', '.join(waiting)} asked and was never answered" if waiting else ""


def bites(engine: Any) -> dict[str, int]:
    """Messages that acts have withheld, delayed or altered."""
    return {"act": sum(engine.traitor(each).bites for each in engine.servers)}


def role(engine: Any, node: str) -> str:
    """Primary, backup, traitor or client."""
    if node not in engine.servers:
        return "client" if node else ""
    if engine.acts[node]:
        return "traitor"
    return "primary" if node == engine.group.primary(engine.replica(node).view) else "backup"


CHAOS: Final = Chaos(
    hazards=(*HAZARDS, Hazard("act", _misbehave, 6), Hazard("conspiracy", _conspire, 6, beyond=True)),
    orders=(order("workload", lambda draw, stage: SetWorkload(draw.pick(tuple(WORKLOADS)))),),
    settings=(
        ("nodes", (4, 4, 7, 10)),
        ("workload", ("light", "busy", "flood")),
        ("checkpoint", (2, 5)),
        ("clients", (1, 2, 4)),
    ),
    wait_us=300 * US_PER_MS,
    rest=(After(0, SetWorkload("off")),),
    quiet_us=12 * US_PER_S,
    promise="every request is answered",
    missing=missing,
    role=role,
    faults=((SetAct, "act"),),
    bites=bites,
    events=get_args(PbftEvent),
)

__all__ = ["CHAOS", "bites", "missing", "role", "traitors"]
