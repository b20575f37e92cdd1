"""The states of a breaker, the table of its transitions, and the records by which it tells what it did and why.

Three states are judgements: CLOSED, OPEN, HALF_OPEN. Three are orders: DISABLED (all calls pass, nothing is counted),
METRICS_ONLY (all pass, all are counted, nothing trips) and FORCED_OPEN (none passes). They are resilience4j's, as are
their names.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from engines.resilience import explain


class State(StrEnum):
    """Where a breaker can be."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    DISABLED = "disabled"
    METRICS_ONLY = "metrics_only"
    FORCED_OPEN = "forced_open"


class Cause(StrEnum):
    """What can move it."""

    FAILURE_RATE = "failure rate"
    SLOW_RATE = "slow call rate"
    WAIT_OVER = "wait over"
    PROBE_SUCCEEDED = "probe succeeded"
    PROBE_FAILED = "probe failed"
    PROBE_ABANDONED = "probe abandoned"
    LATE_SUCCESS = "late success"
    LATE_FAILURE = "late failure"
    RATES_BELOW = "rates below thresholds"
    HALF_OPEN_EXPIRED = "half-open too long"
    RESET = "reset"
    DISABLE = "disable"
    METRICS = "metrics only"
    FORCE_OPEN = "force open"


ORDERS: Final[dict[Cause, State]] = {
    Cause.RESET: State.CLOSED,
    Cause.DISABLE: State.DISABLED,
    Cause.METRICS: State.METRICS_ONLY,
    Cause.FORCE_OPEN: State.FORCED_OPEN,
}
"""What a person may order, in any state."""

TRANSITIONS: Final[dict[tuple[State, Cause], State]] = {
    (State.CLOSED, Cause.FAILURE_RATE): State.OPEN,
    (State.CLOSED, Cause.SLOW_RATE): State.OPEN,
    (State.OPEN, Cause.WAIT_OVER): State.HALF_OPEN,
    (State.HALF_OPEN, Cause.PROBE_SUCCEEDED): State.CLOSED,
    (State.HALF_OPEN, Cause.PROBE_FAILED): State.OPEN,
    (State.HALF_OPEN, Cause.PROBE_ABANDONED): State.OPEN,
    (State.HALF_OPEN, Cause.LATE_SUCCESS): State.CLOSED,
    (State.HALF_OPEN, Cause.LATE_FAILURE): State.OPEN,
    (State.HALF_OPEN, Cause.RATES_BELOW): State.CLOSED,
    (State.HALF_OPEN, Cause.FAILURE_RATE): State.OPEN,
    (State.HALF_OPEN, Cause.SLOW_RATE): State.OPEN,
    (State.HALF_OPEN, Cause.HALF_OPEN_EXPIRED): State.OPEN,
    **{(state, order): to for state in State for order, to in ORDERS.items()},
}
"""Every edge there is. What is not here cannot happen."""

Permit = int
"""The era in which a call was let through."""


class Rejection(NamedTuple):
    """A call that was not let through, and why, as data."""

    state: State
    cause: Cause | None
    """What brought the breaker into this state; None: it has never moved."""
    wait_us: int
    """Until a call can be let through; 0: that depends on results, not on time."""
    probes: int
    """Probes that were permitted, all of them given away (half-open)."""

    @property
    def why(self) -> str:
        """In words."""
        return explain.rejection(self.state, self.cause or "", self.wait_us, self.probes)


class Transition(NamedTuple):
    """A change of state; ``why`` has the numbers."""

    at_us: int
    src: State
    dst: State
    why: str
    cause: Cause


class Why(NamedTuple):
    """Why a breaker is where it is, and what would move it: all numbers as they are at one moment."""

    state: str
    since_us: int
    cause: str
    reason: str
    """What moved it here, in words."""
    rate_ppm: int
    threshold_ppm: int
    boundary: str
    slow_ppm: int
    slow_threshold_ppm: int
    calls: int
    failures: int
    slow: int
    minimum: int
    countdown_us: int
    """Until time alone may move it; 0: it cannot, or any call does."""
    probes_permitted: int
    probes_left: int
    probes_running: int
    closes: str
    """What would move it on, in words and numbers."""
