"""What a PBFT cluster survives: up to f traitors that do as they like, and any fault of machines and network besides.

Who is a traitor is drawn once for a seed, and how it may lie: a few acts, or any. More than f of them lie beyond the
model: then nothing is promised, and a hunt that is told to go there (``beyond``) finds what breaks.
"""

from typing import Any, Final, get_args

from engines.consensus.pbft import events as e
from engines.consensus.pbft.commands import SetAct, SetWorkload
from engines.consensus.pbft.options import WORKLOADS
from engines.consensus.pbft.rules import Act
from engines.sim.chaos import After, Chaos, Hazard, Stage, Theme, order
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


def acts(stage: Stage) -> tuple[Act, ...]:
    """What the traitors of this seed may do: any act, or one to three of them."""
    lot = Stream(stage.lot, "acts")
    return tuple(Act) if lot.chance(300_000) else tuple(lot.pick(tuple(Act)) for _ in range(lot.between(1, 3)))


def _misbehave(draw: Stream, stage: Stage) -> tuple[After, ...]:
    return _do(draw, stage, acts(stage))


def _do(draw: Stream, stage: Stage, acts: tuple[Act, ...]) -> tuple[After, ...]:
    node, act = draw.pick(traitors(stage)), draw.pick(acts).value
    return After(0, SetAct(node, act, True)), *stage.until(draw, SetAct(node, act, False))


def _lie(name: str, *acts: Act) -> Hazard:
    """Traitors that lie about one thing only."""
    return Hazard(name, lambda draw, stage: _do(draw, stage, acts))


LIES: Final = (
    _lie("lies about states", Act.WRONG_STATE, Act.WRONG_STATE, Act.WRONG_CHECKPOINT, Act.FORGETFUL),
    _lie("lies about views", Act.FORGE_PROOF, Act.OMIT_PROOF, Act.LOW_CHECKPOINT, Act.WRONG_O, Act.NEW_VIEW_TO_SOME),
    _lie("lies of a primary", Act.EQUIVOCATE, Act.EQUIVOCATE, Act.WITHHOLD_BODY, Act.SKIP_NUMBERS, Act.SILENT_TO_SOME),
    _lie("lies in votes", Act.WRONG_VOTES, Act.EARLY_COMMIT, Act.TWO_FACED),
    _lie("lies to clients", Act.WRONG_REPLY),
)
THEMES: Final = (
    Theme(
        "anything",
        (e.Proposed, e.Accepted, e.BecamePrepared, e.Committed, e.Executed, e.Stable, e.ViewEntered),
    ),
    Theme(  # replicas that fall behind and are told a state
        "states",
        ways=(
            (e.Executed, "isolate"),
            (e.Stable, "isolate"),
            (e.Proposed, "kill"),
            (e.FellBehind, "hazard"),
            (e.CheckpointTaken, "freeze"),
            (e.StateInstalled, "kill"),
        ),
        hazards=("lies about states", "crash"),
        settings=(
            ("nodes", (4, 4, 7)),
            ("workload", ("busy", "flood")),
            ("checkpoint", (1, 2)),
            ("windows", (2, 4)),
        ),
    ),
    Theme(  # views that change while a request is on its way
        "views",
        ways=(
            (e.BecamePrepared, "isolate"),
            (e.Proposed, "kill"),
            (e.ViewChangeStarted, "isolate"),
            (e.NewViewSent, "one link"),
            (e.NewViewSent, "hazard"),
            (e.ViewEntered, "mute"),
            (e.Committed, "kill"),
        ),
        hazards=("lies about views", "lies in votes", "delay"),
        settings=(("nodes", (4, 4, 7)), ("workload", ("light", "busy", "flood")), ("checkpoint", (1, 2, 5))),
    ),
    Theme(  # primaries that tell some one thing and others another
        "primaries",
        ways=(
            (e.Proposed, "hazard"),
            (e.Accepted, "one link"),
            (e.BecamePrepared, "mute"),
            (e.Equivocated, "hazard"),
            (e.ViewEntered, "hazard"),
        ),
        hazards=("lies of a primary", "lies in votes", "loss"),
        settings=(("nodes", (4, 4, 7)), ("clients", (2, 4)), ("workload", ("busy", "flood"))),
    ),
    Theme(  # clients that are told something else
        "clients",
        ways=((e.Executed, "hazard"), (e.Executed, "mute"), (e.Proposed, "kill")),
        hazards=("lies to clients", "delay", "loss"),
        settings=(("nodes", (4, 4, 7)), ("workload", ("light", "busy", "flood"))),
    ),
)


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
    hazards=(*HAZARDS, *LIES, Hazard("act", _misbehave, 6), Hazard("conspiracy", _conspire, 6, beyond=True)),
    orders=(order("workload", lambda draw, stage: SetWorkload(draw.pick(tuple(WORKLOADS)))),),
    themes=THEMES,
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
    events=get_args(e.PbftEvent),
)

__all__ = ["CHAOS", "bites", "missing", "role", "traitors"]
