"""The states of a breaker, and the table of its transitions.

Three states are judgements: CLOSED, OPEN, HALF_OPEN. Three are orders: DISABLED (all calls pass, nothing is counted),
METRICS_ONLY (all pass, all are counted, nothing trips) and FORCED_OPEN (none passes). They are resilience4j's, as are
their names.
"""

from enum import StrEnum
from textwrap import wrap
from typing import Final


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
    CALL_REJECTED = "a call was turned away"
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
    (State.HALF_OPEN, Cause.CALL_REJECTED): State.OPEN,
    (State.HALF_OPEN, Cause.HALF_OPEN_EXPIRED): State.OPEN,
    **{(state, order): to for state in State for order, to in ORDERS.items()},
}
"""Every edge there is. What is not here cannot happen."""

Permit = int
"""The era in which a call was let through."""


def diagram() -> str:
    """The table as a picture: from every state the ways out of it, what leads along each, and where to.

    Orders lead from every state to theirs, so they are drawn once.
    """
    ways: dict[tuple[str, State], list[str]] = {}
    for (src, cause), dst in TRANSITIONS.items():
        start = "any state" if cause in ORDERS else src.value
        causes = ways.setdefault((start, dst), [])
        if cause.value not in causes:
            causes.append(cause.value)
    lines = []
    for (start, dst), causes in ways.items():
        *first, last = wrap(", ".join(causes), 60)
        lines += [f"{start if not number else '':<12}{text}" for number, text in enumerate(first)]
        lines.append(f"{'' if first else start:<12}{last + ' ':-<62}> {dst.value}")
    return "\n".join(lines)
