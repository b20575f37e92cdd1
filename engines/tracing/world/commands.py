"""What a person can ask of the traced system, besides all faults. Frozen records, so that a run can be saved.

Two faults of the list are the simulation's own: packet loss is ``faults.Lose``, a wrong clock ``faults.Skew``.
Every fault that is given again replaces itself; ``faults.Heal`` ends them all. A service may be named ``slowest``: the
one with the highest p99 at that moment. What is recorded is what this stands for.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from engines.sim import faults
from engines.sim.rules import SetRule


@dataclass(frozen=True, slots=True)
class Request:
    """``you`` send one request, as ``POST /checkout``; no name: the next operation in turn."""

    operation: str = ""


@dataclass(frozen=True, slots=True)
class SetLoad:
    """How the users' requests come: ``off steady bursts wave ramp``, so many a second on average."""

    shape: str
    rate: int


@dataclass(frozen=True, slots=True)
class SlowService:
    """Everything the service does itself takes ``percent`` of its usual time; 100 ends it."""

    service: str
    percent: int


@dataclass(frozen=True, slots=True)
class ShrinkPool:
    """The service's pool of database connections holds so many from now on; 0 gives it back its usual size."""

    service: str
    size: int


@dataclass(frozen=True, slots=True)
class Lock:
    """A table of this database is locked: queries wait for each other, each holds the lock so long; 0 ends it."""

    service: str
    hold_us: int


@dataclass(frozen=True, slots=True)
class ColdCache:
    """The cache forgets all it has. With ``ppm`` below its usual share of hits it stays so cold; 0: it warms up."""

    service: str
    ppm: int = 0


@dataclass(frozen=True, slots=True)
class Amplify:
    """The service answers 503 to this share of its calls, and everybody tries again at once, up to ``attempts`` times
    at every layer. A share of 0 ends it."""

    service: str
    ppm: int
    attempts: int = 3


@dataclass(frozen=True, slots=True)
class SetRetries:
    """How often a call is made in all before its caller gives up, and whether it backs off between attempts."""

    attempts: int
    backoff: bool = True


@dataclass(frozen=True, slots=True)
class SetBreakers:
    """A circuit breaker stands in front of every call between services, or none does."""

    on: bool


@dataclass(frozen=True, slots=True)
class DropHeader:
    """The service does not pass the trace headers on to those it calls."""

    service: str
    on: bool = True


@dataclass(frozen=True, slots=True)
class LoseSpans:
    """The service's exporter loses this share of its spans; 0 ends it."""

    service: str
    ppm: int


@dataclass(frozen=True, slots=True)
class LateSpans:
    """The service's exporter holds its spans back for so long; 0 ends it."""

    service: str
    delay_us: int


@dataclass(frozen=True, slots=True)
class SetSampling:
    """Keep this share of the traces: of all (head), or of those that no tail policy keeps anyhow (tail)."""

    ppm: int


@dataclass(frozen=True, slots=True)
class Correct:
    """Analyse with the clocks' offsets taken out, as far as the spans betray them. The spans stay as they are."""

    on: bool


Order: TypeAlias = (
    SetLoad
    | SlowService
    | ShrinkPool
    | Lock
    | ColdCache
    | Amplify
    | SetRetries
    | SetBreakers
    | DropHeader
    | LoseSpans
    | LateSpans
    | SetSampling
    | Correct
    | SetRule
)
"""What changes the system, and is told as it was asked."""
COMMANDS: Final[tuple[type, ...]] = (
    *faults.FAULTS, Request, SetLoad, SlowService, ShrinkPool, Lock, ColdCache, Amplify, SetRetries, SetBreakers,
    DropHeader, LoseSpans, LateSpans, SetSampling, Correct, SetRule,
)  # fmt: skip
