"""The settings of a traced system."""

from dataclasses import dataclass
from typing import Any, Final

from engines.sim.clock import US_PER_MS
from engines.sim.network import PPM
from engines.sim.pattern import Config, Setting
from engines.tracing.topology import SIZE_MAX, SIZE_MIN
from engines.tracing.world.control import HEADERS, W3C, Control
from engines.tracing.world.rules import RULE_NAMES, Rules
from engines.tracing.world.users import SHAPES, TRAFFIC

RATE_MAX: Final = 500
ATTEMPTS_MAX: Final = 5

SETTINGS: Final = (
    Setting("services", 72, SIZE_MIN, SIZE_MAX, help="services in all, data stores and queues included"),
    Setting("load", "steady", choices=SHAPES, help="how the users' requests come"),
    Setting("rate", 8, 0, RATE_MAX, help="requests a second, on average"),
    Setting("traffic", "mixed", choices=TRAFFIC, help="what the users ask for"),
    Setting("keep_ppm", PPM, 0, PPM, help="share of the traces kept: of all (head), or of what no policy wants (tail)"),
    Setting("slow_ms", 500, 1, 60_000, help="the tail keeps every trace that took longer (tail)"),
    Setting("attempts", 2, 1, ATTEMPTS_MAX, help="how often a call is made before its caller gives up"),
    Setting("backoff", True, help="wait between attempts, longer each time, with jitter"),
    Setting("breakers", False, help="a circuit breaker in front of every call between services"),
    Setting("store_spans", 6_000, 100, 100_000, help="spans the store holds; whole traces go when it is full"),
    Setting("headers", W3C, choices=HEADERS, help="what calls carry: W3C traceparent, or Zipkin's b3"),
    Setting("correct", False, help="take the clocks' offsets out before analysing"),
    Setting("continue_trace", True, help="rule: a server's span is a child of the context it extracted"),
    Setting("fresh_span_id", True, help="rule: a child span gets an id of its own"),
    Setting("inject_own", True, help="rule: a call carries the context of its own CLIENT span"),
    Setting("own_context", True, help="rule: the current span belongs to one request, not to the process"),
    Setting("parent_decides", True, help="rule: a service keeps what its caller keeps"),
    Setting("same_coin", True, help="rule: the root decides by the randomness in the trace id"),
    Setting("whole_traces", True, help="rule: a full store gives up whole traces"),
    Setting("tail_waits", True, help="rule: the tail sampler waits for the whole trace"),
    Setting("late_joins", True, help="rule: a late span joins its trace"),
)


@dataclass(frozen=True, slots=True)
class Options:
    """The settings by name."""

    services: int
    load: str
    rate: int
    traffic: str
    keep_ppm: int
    slow_ms: int
    attempts: int
    backoff: bool
    breakers: bool
    store_spans: int
    headers: str
    correct: bool
    rules: Rules

    def control(self, variant: str) -> Control:
        """What all nodes share."""
        return Control(
            self.rules, variant, self.keep_ppm, self.slow_ms * US_PER_MS, self.attempts, self.backoff, self.breakers,
            self.headers, self.correct,
        )  # fmt: skip


def read(config: Config) -> Options:
    """The defaults, but for what is given."""
    given = dict(config)
    values: dict[str, Any] = {setting.name: given.get(setting.name, setting.default) for setting in SETTINGS}
    rules = Rules(**{name: values.pop(name) for name in RULE_NAMES})
    return Options(**values, rules=rules)
