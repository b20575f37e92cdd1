"""What all services share and a person can change: rules, sampling, retries; and what is wrong with each service."""

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from engines.resilience.policy import BreakerOptions
from engines.tracing.sampling import PPM, Errors, Latency, Share, Tail
from engines.tracing.world.rules import TracingRules

HEAD: Final = "head"
TAIL: Final = "tail"
W3C: Final = "w3c"
B3: Final = "b3"
HEADERS: Final = (W3C, B3)
"""What calls carry."""
BREAKER: Final = BreakerOptions()


class Sampling(NamedTuple):
    """Which traces are kept, or by which of these rules one was."""

    variant: str
    ppm: int
    """The share: of all at the head, of what no policy wants at the tail."""
    slow_us: int
    policy: str = ""
    """Of a trace that the tail has kept: ``error latency share``."""


@dataclass(slots=True)
class Condition:
    """What is wrong with one service. All zero: nothing."""

    slow_percent: int = 100
    pool_size: int = 0
    lock_us: int = 0
    cold_ppm: int = 0
    """The share of hits the cache is held at."""
    fail_ppm: int = 0
    drops_header: bool = False
    lose_ppm: int = 0
    late_us: int = 0

    def clear(self) -> None:
        """Nothing is wrong any more."""
        self.slow_percent, self.drops_header = 100, False
        self.pool_size = self.lock_us = self.cold_ppm = self.fail_ppm = self.lose_ppm = self.late_us = 0


@dataclass(slots=True)
class Control:
    """Shared by all nodes."""

    rules: TracingRules
    variant: str
    ppm: int
    """The share of traces kept: at the head, or of what no tail policy wants."""
    slow_us: int
    """The tail keeps what took longer."""
    attempts: int
    backoff: bool
    breakers: bool
    headers: str = W3C
    correct: bool = False
    """Analyse with the clocks' offsets taken out."""
    troubles: dict[str, Condition] = field(default_factory=dict)

    @property
    def head_ppm(self) -> int:
        """The ratio at the head: the tail sampler needs all spans."""
        return self.ppm if self.variant == HEAD else PPM

    def tail(self) -> Tail | None:
        """The policies of the collector, if it has any."""
        if self.variant == HEAD:
            return None
        return Tail((Errors(), Latency(self.slow_us), Share(self.ppm)))

    def sampling(self) -> Sampling:
        """What is kept."""
        return Sampling(self.variant, self.ppm, self.slow_us)

    def trouble(self, service: str) -> Condition:
        """What is wrong with this service, to be changed in place."""
        return self.troubles.setdefault(service, Condition())
