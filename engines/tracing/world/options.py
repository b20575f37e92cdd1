"""The settings of a traced system."""

from dataclasses import dataclass
from typing import Final

from engines.sim.options import option, settings_of
from engines.tracing.topology import SIZE_MAX, SIZE_MIN
from engines.tracing.world.control import HEADERS, W3C, Control
from engines.tracing.world.rules import ALL_ON, TracingRules
from engines.tracing.world.users import SHAPES, TRAFFIC
from engines.units import PPM, US_PER_MS

RATE_MAX: Final = 500
ATTEMPTS_MAX: Final = 5


@dataclass(frozen=True, slots=True)
class Options:
    """The settings by name."""

    services: int = option(72, SIZE_MIN, SIZE_MAX, help="services in all, data stores and queues included")
    load: str = option("steady", choices=SHAPES, help="how the users' requests come")
    rate: int = option(8, 0, RATE_MAX, help="requests a second, on average")
    traffic: str = option("mixed", choices=TRAFFIC, help="what the users ask for")
    keep_ppm: int = option(
        PPM, 0, PPM, help="share of the traces kept: of all (head), or of what no policy wants (tail)"
    )
    slow_ms: int = option(500, 1, 60_000, help="the tail keeps every trace that took longer (tail)")
    attempts: int = option(2, 1, ATTEMPTS_MAX, help="how often a call is made before its caller gives up")
    backoff: bool = option(True, help="wait between attempts, longer each time, with jitter")
    breakers: bool = option(False, help="a circuit breaker in front of every call between services")
    store_spans: int = option(6_000, 100, 100_000, help="spans the store holds; whole traces go when it is full")
    headers: str = option(W3C, choices=HEADERS, help="what calls carry: W3C traceparent, or Zipkin's b3")
    correct: bool = option(False, help="take the clocks' offsets out before analysing")
    rules: TracingRules = ALL_ON

    def control(self, variant: str) -> Control:
        """What all nodes share."""
        return Control(
            self.rules, variant, self.keep_ppm, self.slow_ms * US_PER_MS, self.attempts, self.backoff, self.breakers,
            self.headers, self.correct,
        )  # fmt: skip


SETTINGS: Final = settings_of(Options)
