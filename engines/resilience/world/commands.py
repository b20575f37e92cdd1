"""What a person can ask of the service world, besides all faults. Frozen records, so that a run can be saved.

An edge is named by its two ends, ``api>catalog``; ``*`` stands for every edge. A service is named by its own name, also
where it has several hosts (``payment`` runs on ``payment-1`` ... ``payment-5``).
"""

from dataclasses import dataclass
from typing import Final

from engines.sim import faults
from engines.sim.rules import SetRule


@dataclass(frozen=True, slots=True)
class Call:
    """``you`` make one call: ``browse`` (auth, catalog), ``fill`` a cart (auth, cart) or ``buy`` (auth, cart, payment).

    The name of a service calls that one alone; an empty one takes turns as the clients do.
    """

    what: str = ""


BURST_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Burst:
    """So many calls of the clients at one moment: a push message, a full hour, the end of an outage."""

    count: int
    what: str = ""


@dataclass(frozen=True, slots=True)
class SetLoad:
    """The calls of the clients. ``shape``: ``off steady ramp pulse wave``.

    ``per_s`` is the rate; ``to_per_s`` where a ramp ends, a pulse stands, a wave has its top; ``span_s`` how long the
    ramp, the pulse or the period of the wave lasts. With ``poisson`` the calls come at random, else evenly paced.
    """

    shape: str
    per_s: int
    to_per_s: int = 0
    span_s: int = 10
    poisson: bool = True


@dataclass(frozen=True, slots=True)
class SetMix:
    """What the clients ask for: ``shop`` (a mixture of browse, fill and buy), one of these, or one service alone."""

    mix: str


@dataclass(frozen=True, slots=True)
class Delay:
    """Istio's delay fault: this percentage of the calls over an edge waits so long before it leaves. 0 ends it."""

    edge: str
    percent: int
    delay_us: int


@dataclass(frozen=True, slots=True)
class Abort:
    """Istio's abort fault: this percentage of the calls over an edge is answered with the status at once. 0 ends it."""

    edge: str
    percent: int
    status: int = 503


@dataclass(frozen=True, slots=True)
class SlowService:
    """Everything a service (or one host of it) does itself takes this percentage of its usual time; 100 ends it."""

    service: str
    percent: int


@dataclass(frozen=True, slots=True)
class SickHost:
    """A host (or every host of a service) answers this percentage of its calls with an error; 0 ends it."""

    service: str
    percent: int


@dataclass(frozen=True, slots=True)
class SetService:
    """Change a service: ``workers``, ``queue_max``, ``shed_us``, ``newest_first`` (0 or 1).

    With ``shed_us`` it refuses a call when the line is so long that the call would wait longer; 0 ends that.
    """

    service: str
    name: str
    value: int


@dataclass(frozen=True, slots=True)
class SetPreset:
    """The breaker of an edge follows another preset: ``article hystrix resilience4j resilience4j-time polly opossum``.

    ``none`` takes the breaker away.
    """

    edge: str
    preset: str


@dataclass(frozen=True, slots=True)
class SetBreaker:
    """An operator's hand on a breaker: ``reset disable metrics_only force_open``."""

    edge: str
    mode: str


@dataclass(frozen=True, slots=True)
class SetOption:
    """Tune an edge while it works: a field of ``EdgeOptions``, or ``breaker.`` and a field of ``BreakerOptions``."""

    edge: str
    name: str
    value: int


@dataclass(frozen=True, slots=True)
class SetBackoff:
    """How long retries wait: ``fixed exponential full-jitter equal-jitter decorrelated``."""

    edge: str
    backoff: str
    base_us: int
    cap_us: int = 10_000_000


@dataclass(frozen=True, slots=True)
class SetOrder:
    """The order of the pipeline, outermost first: all of ``retry breaker limiter timeout bulkhead``."""

    edge: str
    order: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cure:
    """What ends a retry storm, on every edge into this service: ``breaker budget shedding deadline``."""

    service: str
    name: str


COMMANDS: Final[tuple[type, ...]] = (
    *faults.FAULTS, Call, Burst, SetLoad, SetMix, Delay, Abort, SlowService, SickHost, SetService, SetPreset,
    SetBreaker, SetOption, SetBackoff, SetOrder, Cure, SetRule,
)  # fmt: skip
