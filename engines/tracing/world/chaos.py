"""What may befall a traced system, and what it owes afterwards: every user is answered or has given up.

The checks are about the traces: whatever breaks in the system itself, spans hang together, and what is missing is
accounted for. A service that drops the headers breaks its traces by itself: that lies beyond the model.
"""

from dataclasses import replace
from typing import Any, Final, get_args

from engines.sim.chaos import After, Chaos, Hazard, Stage, order
from engines.sim.hazards import CLOG, CRASH, DUPLICATE, FREEZE, ISOLATE, LOSE, LULL, ONE_WAY, REORDER, SKEW, SLOW
from engines.sim.random import Stream
from engines.tracing.world import commands as c
from engines.tracing.world.control import HEAD, TAIL
from engines.tracing.world.events import TracingEvent
from engines.tracing.world.telemetry import COLLECTOR
from engines.tracing.world.users import SHAPES, TRAFFIC
from engines.units import US_PER_MS, US_PER_S

_SHARES: Final = (100_000, 500_000, 1_000_000)
SYMPTOMS: Final = "symptoms"


def _service(draw: Stream, stage: Stage) -> str:
    return draw.pick(stage.servers)


def _share(draw: Stream) -> int:
    return draw.pick((0, *_SHARES))


def missing(engine: Any) -> str:
    """No user waits any more."""
    waiting = sum(len(engine.hosts[client].node.waiting) for client in engine.clients)
    return f"{waiting} users neither got an answer nor gave up" if waiting else ""


def role(engine: Any, node: str) -> str:
    """What a machine is in the topology: edge, domain, data, queue; the collector; users."""
    service = engine.topology.by_name.get(node)
    if service is not None:
        return str(service.role)
    return "users" if node in engine.clients else node


def _delay(draw: Stream, stage: Stage) -> tuple[After, ...]:
    """All that one machine says is late: one link alone carries too little to show it, the collector only listens."""
    spoken = tuple(link for link in stage.links if link[0] != COLLECTOR)
    made = SLOW.make(draw, stage._replace(links=spoken))
    return tuple(After(each.us, replace(each.command, dst="*")) for each in made)


SILENT: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    HEAD: (("tail_waits", "the decision falls at the head, and no collector decides anything"),),
    TAIL: (
        ("parent_decides", "every service sends all its spans, whatever its caller does; the collector decides"),
        ("same_coin", "no root tosses a coin, all is sent; the collector decides"),
    ),
}
"""Rules whose absence breaks no promise of the variant."""

_CHAOS: Final = Chaos(
    hazards=(
        CRASH, FREEZE, ISOLATE, ONE_WAY, LOSE, replace(SLOW, make=_delay), DUPLICATE, REORDER, CLOG, SKEW, LULL,
        Hazard("headers", lambda draw, stage: (After(0, c.DropHeader(_service(draw, stage))),), 2, beyond=True),
    ),
    orders=(
        order(
            "trouble",
            lambda draw, stage: c.SlowService(_service(draw, stage), draw.pick((50, 100, 800))),
            lambda draw, stage: c.ShrinkPool(_service(draw, stage), draw.below(4)),
            lambda draw, stage: c.Lock(_service(draw, stage), draw.pick((0, 20_000, 200_000))),
            lambda draw, stage: c.ColdCache(_service(draw, stage), _share(draw)),
            lambda draw, stage: c.Amplify(_service(draw, stage), _share(draw), draw.between(1, 5)),
            weight=3,
        ),
        order(
            "spans",
            lambda draw, stage: c.LoseSpans(_service(draw, stage), _share(draw)),
            lambda draw, stage: c.LateSpans(_service(draw, stage), draw.pick((0, 200_000, 3_000_000))),
            weight=2,
        ),
        order(
            "load",
            lambda draw, stage: c.Request(),
            lambda draw, stage: c.SetLoad(draw.pick(SHAPES), draw.below(30)),
            weight=2,
        ),
        order(
            "tuning",
            lambda draw, stage: c.SetRetries(draw.between(1, 5), draw.chance(500_000)),
            lambda draw, stage: c.SetBreakers(draw.chance(500_000)),
            lambda draw, stage: c.SetSampling(_share(draw)),
            lambda draw, stage: c.Correct(draw.chance(500_000)),
        ),
    ),
    settings=(
        ("services", (12, 12, 18, 24)),
        ("rate", (2, 8, 24)),
        ("traffic", TRAFFIC[:3]),
        ("keep_ppm", (1_000_000, 300_000)),
        ("store_spans", (6_000, 400)),
        ("headers", ("w3c", "b3")),
    ),
    wait_us=900 * US_PER_MS,
    rest=(After(0, c.SetLoad("off", 0)),),
    quiet_us=10 * US_PER_S,
    calm_us=2_500 * US_PER_MS,
    promise="every user is answered or gives up",
    missing=missing,
    role=role,
    events=get_args(TracingEvent),
)  # fmt: skip


def chaos_of(variant: str) -> Chaos:
    """What a variant survives."""
    return replace(_CHAOS, silent=SILENT[variant])


__all__ = ["SILENT", "chaos_of", "missing", "role"]
