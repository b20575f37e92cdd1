"""What services say to each other, a request and its answer, and how a call can end."""

from enum import StrEnum
from typing import Final, NamedTuple


class Outcome(StrEnum):
    """How a call ended."""

    OK = "ok"
    ERROR = "error"
    """The host answered with an error of its own."""
    ABORTED = "aborted"
    """An injected abort (Istio): the request never left."""
    TIMEOUT = "timeout"
    """The caller stopped waiting."""
    FULL = "full"
    """The host's line was full."""
    SHED = "shed"
    """The host refused because the wait would be too long."""
    EXPIRED = "expired"
    """The host found the deadline over before it began."""
    DOWNSTREAM = "downstream"
    """The host needed another service, and that call failed."""
    OPEN = "open"
    """The caller's breaker rejected it."""
    LIMITED = "limited"
    """The caller's limiter rejected it."""
    BULKHEAD = "bulkhead"
    """The caller's bulkhead was full."""
    CAPPED = "capped"
    """The caller's proxy was at a cap (Envoy)."""
    FALLBACK = "fallback"
    """Failed, but something useful was served in its place."""
    DIED = "died"
    """The caller crashed while it waited."""
    LOGGED = "logged"
    """It failed, and a log of the user's does not say why."""


SERVED: Final = (Outcome.OK, Outcome.FALLBACK)
"""Outcomes that give the caller something."""
REJECTED: Final = (Outcome.OPEN, Outcome.LIMITED, Outcome.BULKHEAD, Outcome.CAPPED)
"""Outcomes of calls that never left the caller."""
INNER: Final = (Outcome.LIMITED, Outcome.BULKHEAD, Outcome.CAPPED)
"""Rejections further in than the breaker, in the usual order."""
BLAMED: Final = (
    Outcome.ERROR, Outcome.DOWNSTREAM, Outcome.FULL, Outcome.SHED, Outcome.ABORTED, Outcome.TIMEOUT,
)  # fmt: skip
"""What speaks against the host that was asked. (``EXPIRED`` does not: the caller was late.)"""


class Request(NamedTuple):
    """Please do this. A named tuple, because a busy run makes thousands a second."""

    id: int
    """The attempt; unique at the sender."""
    root: int
    """The call of a client on whose behalf this is."""
    kind: str
    attempt: int
    """1 for the first try of a call."""
    timeout: str
    """How long the sender will wait from now on, as gRPC's ``grpc-timeout`` says it: ``850000u``; empty: not told."""
    hedge: bool
    """A second request for a call whose first is still running."""


class Origin(NamedTuple):
    """Where a failure began, which those further up only pass on."""

    why: Outcome
    edge: str


class Answer(NamedTuple):
    """It is done, or why not."""

    id: int
    why: Outcome
    origin: Origin | None = None
    """Where it began, if a service behind the host failed."""
