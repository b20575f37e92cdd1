"""What all services share and a person can change: rules, sampling, retries; and what is wrong with each service."""

from dataclasses import dataclass, field
from typing import Final

from engines.resilience.policy import BreakerOptions
from engines.tracing.sampling import PPM, Errors, Latency, Share, Tail
from engines.tracing.world.rules import Rules

HEAD: Final = "head"
TAIL: Final = "tail"
W3C: Final = "w3c"
B3: Final = "b3"
HEADERS: Final = (W3C, B3)
"""What calls carry."""
BREAKER: Final = BreakerOptions()


@dataclass(slots=True)
class Trouble:
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

    rules: Rules
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
    troubles: dict[str, Trouble] = field(default_factory=dict)

    @property
    def head_ppm(self) -> int:
        """The ratio at the head: the tail sampler needs all spans."""
        return self.ppm if self.variant == HEAD else PPM

    def tail(self) -> Tail | None:
        """The policies of the collector, if it has any."""
        if self.variant == HEAD:
            return None
        return Tail((Errors(), Latency(self.slow_us), Share(self.ppm)))

    def sampling(self) -> str:
        """In words."""
        share = f"{self.ppm // 10_000} %"
        if self.variant == HEAD:
            return "every trace" if self.ppm == PPM else f"head {share}"
        return f"tail: errors, slower than {self.slow_us // 1_000} ms, {share} of the rest"

    def trouble(self, service: str) -> Trouble:
        """What is wrong with this service, to be changed in place."""
        return self.troubles.setdefault(service, Trouble())
