"""What may befall a shop, and what it owes afterwards: every call of a client ends.

Its checks are about the protections, not about the services: whatever the services do and however the edges are tuned,
a breaker keeps its word, no permit is lost, and every call ends once.
"""

from typing import Any, Final, get_args

from engines.resilience.order import ORDER
from engines.resilience.world import commands as c
from engines.resilience.world import topology as t
from engines.resilience.world.events import ResilienceEvent
from engines.resilience.world.options import BREAKER_NUMBERS, NUMBERS, PRESET_NAMES
from engines.sim.chaos import After, Chaos, Hazard, Stage, order
from engines.sim.hazards import CLOG, CRASH, DUPLICATE, FREEZE, ISOLATE, LOSE, LULL, ONE_WAY, REORDER, RESTART, SLOW
from engines.sim.random import Stream
from engines.units import US_PER_MS, US_PER_S

EDGES: Final = ("clients>api", "api>auth", "api>catalog", "api>cart", "api>payment", "catalog>catalog-db", "*")
SERVICES: Final = ("api", "auth", "catalog", "payment", "payment-db", "payment-2")
_PERCENT: Final = (0, 30, 100)
_NUMBERS: Final = (*NUMBERS, *(f"breaker.{name}" for name in BREAKER_NUMBERS))
_TIMES: Final = ("timeout_us",)
"""Without its timeout a call may wait for ever, as it was told to."""


def _delay(draw: Stream, stage: Stage) -> tuple[After, ...]:
    edge = draw.pick(EDGES)
    return After(0, c.Delay(edge, draw.pick(_PERCENT[1:]), draw.below(2_000_000))), *stage.until(
        draw, c.Delay(edge, 0, 0)
    )


def _abort(draw: Stream, stage: Stage) -> tuple[After, ...]:
    edge = draw.pick(EDGES)
    return After(0, c.Abort(edge, draw.pick(_PERCENT[1:]))), *stage.until(draw, c.Abort(edge, 0))


def _slow_service(draw: Stream, stage: Stage) -> tuple[After, ...]:
    service = draw.pick(SERVICES)
    return After(0, c.SlowService(service, draw.pick((1_000, 10_000)))), *stage.until(draw, c.SlowService(service, 0))


def _sick(draw: Stream, stage: Stage) -> tuple[After, ...]:
    service = draw.pick(SERVICES)
    return After(0, c.SickHost(service, draw.pick((30, 100)))), *stage.until(draw, c.SickHost(service, 0))


def _shuffled(draw: Stream) -> tuple[str, ...]:
    left, found = list(ORDER), []
    while left:
        found.append(left.pop(draw.below(len(left))))
    return tuple(found)


def _option(draw: Stream, stage: Stage) -> c.SetOption:
    name = draw.pick(tuple(each for each in _NUMBERS if each not in _TIMES))
    return c.SetOption(draw.pick(EDGES), name, draw.pick((-1, 0, 1, 2, 3, 50_000, 200_000, 1_000_000)))


def _load(draw: Stream, stage: Stage) -> c.SetLoad:
    return c.SetLoad(draw.pick(("steady", "ramp", "pulse", "wave")), draw.below(41), draw.below(61), 2)


def _service(draw: Stream, stage: Stage) -> c.SetService:
    return c.SetService(
        draw.pick(SERVICES), draw.pick(("workers", "queue_max", "shed_us")), draw.pick((0, 1, 2, 400_000))
    )


def missing(engine: Any) -> str:
    """No call of a client is under way."""
    waiting = len(engine.invariants.clients)
    return f"{waiting} calls of clients never ended" if waiting else ""


def role(engine: Any, node: str) -> str:
    """Clients, the edge, a service or a store."""
    if node in ("", "clients", "api"):
        return node
    return "store" if node.endswith("-db") else "service"


def bites(engine: Any) -> dict[str, int]:
    """Requests that injected delays and errors have hit."""
    return {"edge": sum(fault.hits for fault in engine.shop.injected.values())}


CHAOS: Final = Chaos(
    hazards=(
        CRASH, RESTART, FREEZE, ISOLATE, ONE_WAY, LOSE, SLOW, DUPLICATE, REORDER, CLOG, LULL,
        Hazard("edge delay", _delay, 2), Hazard("edge error", _abort, 2), Hazard("slow service", _slow_service, 2),
        Hazard("sick host", _sick),
    ),
    orders=(
        order("call", lambda draw, stage: c.Call(draw.pick(("", *t.KINDS)))),
        order("burst", lambda draw, stage: c.Burst(draw.between(1, 60), draw.pick(("", "buy", "catalog")))),
        order("load", _load, lambda draw, stage: c.SetMix(draw.pick(t.MIXES))),
        order("capacity", _service),
        order("preset", lambda draw, stage: c.SetPreset(draw.pick(EDGES), draw.pick(PRESET_NAMES))),
        order(
            "breaker",
            lambda draw, stage: c.SetBreaker(
                draw.pick(EDGES), draw.pick(("reset", "reset", "disable", "metrics_only", "force_open"))
            ),
        ),
        order("option", _option, weight=2),
        order("order", lambda draw, stage: c.SetOrder(draw.pick(EDGES), _shuffled(draw))),
        order(
            "cure",
            lambda draw, stage: c.Cure(draw.pick(SERVICES), draw.pick(("breaker", "budget", "shedding", "deadline"))),
        ),
    ),
    settings=(
        ("preset", PRESET_NAMES),
        ("retry_at", ("clients", "api", "everywhere", "nowhere")),
        ("retries", (1, 2, 3, 10)),
        ("bulkhead", (0, 1, 3)),
        ("limit", (0, 5)),
        ("hedge", (0, 50, 95)),
        ("budget", (0, 5, 10, 20)),
        ("deadline", (False, True)),
        ("fallback", (False, True)),
        ("workers", (1, 2, 8)),
        ("queue", (0, 4, 32)),
        ("catalog_hosts", (1, 3)),
        ("outlier", (False, True)),
        ("timeout_ms", (40, 1_000)),
        ("client_timeout_ms", (300, 4_000)),
        ("mix", ("shop", "catalog", "buy")),
        ("rate", (4, 10, 25)),
        ("poisson", (False, True)),
        ("shape", ("uniform", "heavy", "pauses")),
    ),
    wait_us=1_000 * US_PER_MS,
    rest=(After(0, c.SetLoad("off", 0)),),
    quiet_us=90 * US_PER_S,
    calm_us=1_500 * US_PER_MS,
    promise="every call ends",
    missing=missing,
    role=role,
    faults=((c.Delay, "edge"), (c.Abort, "edge")),
    bites=bites,
    events=get_args(ResilienceEvent),
)  # fmt: skip

__all__ = ["CHAOS", "bites", "missing", "role"]
