"""What both roads survive, and what they owe afterwards: every read model has caught up, and no saga is left open."""

from typing import Any, Final, get_args

from engines.cqrs.queries import Freshness
from engines.cqrs.world import commands as c
from engines.cqrs.world.events import CqrsEvent
from engines.cqrs.world.rules import BUS, SAGA, SERVICES, STAGES, STORE
from engines.cqrs.world.table import NAMES, ORDERS
from engines.event_sourcing.subscriptions import CheckpointPolicy
from engines.sim import faults
from engines.sim.chaos import After, Chaos, Hazard, Stage, order
from engines.sim.hazards import HAZARDS, SLOW_DISK
from engines.sim.random import Stream
from engines.units import US_PER_MS, US_PER_S

BEHIND_MAX: Final = 6
"""Events that a read model may be behind while little is asked for."""
DURABLE: Final = (STORE, BUS, SAGA)
"""Whose disk may be slow: all others hold what they have in one transaction of their own."""
SAFE: Final = (CheckpointPolicy.EFFECT_FIRST, CheckpointPolicy.TOGETHER)
"""Policies that lose nothing, with projections that are idempotent."""


def _slow_disk(draw: Stream, stage: Stage) -> tuple[After, ...]:
    node = draw.pick(DURABLE)
    fsync_us = draw.pick((1, 5, 20, 60)[: 2 + stage.severity]) * US_PER_MS
    return After(0, faults.SlowDisk(node, fsync_us)), *stage.until(draw, faults.SlowDisk(node, 0))


def _poison(draw: Stream, stage: Stage) -> tuple[After, ...]:
    """An order that the read models cannot take, and some time later they can."""
    later = draw.between(1, 2_000) * US_PER_MS
    tried = tuple(After(later + US_PER_MS, c.ReplayParked(name)) for name in NAMES)
    return After(0, c.Poison(draw.pick(stage.clients))), After(later, c.Widen()), *tried


def _user(make: Any) -> Any:
    return lambda draw, stage: make(draw.pick(stage.clients), draw)


def missing(engine: Any) -> str:
    """Every read model is near the head, nothing is parked, and every saga has ended."""
    seen = engine.snapshot()
    late = [f"{each.name} is {each.behind} events behind" for each in seen.projections if each.behind > BEHIND_MAX]
    late += [f"{each.name} has parked {each.parked}" for each in seen.projections if each.parked]
    if engine.saga.open:
        late.append(f"{len(engine.saga.open)} sagas have not ended")
    return ", ".join(late)


def role(engine: Any, node: str) -> str:
    """The stage of a machine."""
    return next((stage for stage, names in engine.stages() if node in names), "")


CHAOS: Final = Chaos(
    hazards=(
        *(each for each in HAZARDS if each is not SLOW_DISK),
        Hazard("slow disk", _slow_disk, SLOW_DISK.weight),
    ),
    orders=(
        order(
            "create",
            _user(lambda user, draw: c.Create(user, 1 + draw.below(3), 30, "book", draw.chance(500_000))),
            weight=3,
        ),
        order("add", _user(lambda user, draw: c.AddTo(user, 1, 1 + draw.below(20))), weight=2),
        order("note", _user(lambda user, draw: c.Note(user, "ring twice"))),
        order("resend", _user(lambda user, draw: c.Resend(user)), weight=2),
        order("ask", _user(lambda user, draw: c.Ask(user, draw.pick(("summary", "history", "revenue")))), weight=2),
        order(
            "scale",
            lambda draw, stage: c.AddNode(draw.pick(STAGES)),
            lambda draw, stage: c.RemoveNode(draw.pick(STAGES)),
        ),
        order(
            "rebuild",
            lambda draw, stage: c.Rebuild(draw.pick(NAMES), draw.pick(("in place", "beside"))),
            lambda draw, stage: c.Rebuild(ORDERS, "beside", "v2"),
        ),
        order("swap", lambda draw, stage: c.Swap(draw.pick(NAMES), draw.chance(300_000)), weight=2),
        order("decline", lambda draw, stage: c.Decline(draw.pick(SERVICES), 1 + draw.below(2))),
        order("freshness", lambda draw, stage: c.SetOption("freshness", draw.pick(tuple(Freshness)).value)),
        order("policy", lambda draw, stage: c.SetOption("policy", draw.pick(SAFE).value)),
        Hazard("poison", _poison),
    ),
    settings=(
        ("writes", (2, 6, 0)),
        ("reads", (20, 40, 4)),
        ("projectors", (1, 2)),
        ("replicas", (2, 1, 3)),
        ("freshness", tuple(each.value for each in Freshness)),
        ("apply_us", (2_000, 6_000)),
    ),
    wait_us=300 * US_PER_MS,
    rest=(
        After(0, c.SetOption("writes", "0")),
        After(0, c.Widen()),
        *(After(at_s * US_PER_S, c.ReplayParked(name)) for at_s in (1, 3) for name in NAMES),
    ),
    quiet_us=11 * US_PER_S,
    promise="read models catch up, sagas end",
    missing=missing,
    role=role,
    events=get_args(CqrsEvent),
)

__all__ = ["CHAOS", "missing", "role"]
