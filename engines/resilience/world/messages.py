"""What services say to each other: a request and its answer."""

from typing import Final, NamedTuple


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


class Answer(NamedTuple):
    """It is done, or why not."""

    id: int
    why: str
    """One of the outcomes below."""


OK: Final = "ok"
ERROR: Final = "error"
"""The host answered with an error of its own."""
ABORTED: Final = "aborted"
"""An injected abort (Istio): the request never left."""
TIMEOUT: Final = "timeout"
"""The caller stopped waiting."""
FULL: Final = "full"
"""The host's line was full."""
SHED: Final = "shed"
"""The host refused because the wait would be too long."""
EXPIRED: Final = "expired"
"""The host found the deadline over before it began."""
DOWNSTREAM: Final = "downstream"
"""The host needed another service, and that call failed."""
OPEN: Final = "open"
"""The caller's breaker rejected it."""
LIMITED: Final = "limited"
"""The caller's limiter rejected it."""
BULKHEAD: Final = "bulkhead"
"""The caller's bulkhead was full."""
CAPPED: Final = "capped"
"""The caller's proxy was at a cap (Envoy)."""
NO_HOST: Final = "no host"

REJECTED: Final = (OPEN, LIMITED, BULKHEAD, CAPPED)
"""Outcomes of calls that never left the caller."""
FALLBACK: Final = "fallback"
"""Failed, but something useful was served in its place."""
DIED: Final = "died"
"""The caller crashed while it waited."""

WORDS: Final = {
    OK: "ok",
    ERROR: "the host answered with an error",
    ABORTED: "the proxy aborted it (injected)",
    TIMEOUT: "no answer in time",
    FULL: "the line at the host was full",
    SHED: "the host sheds load: the wait would be too long",
    EXPIRED: "its deadline was over before the host began",
    DOWNSTREAM: "a service behind it failed",
    OPEN: "the breaker is open",
    LIMITED: "the limiter had no token",
    BULKHEAD: "the bulkhead was full",
    CAPPED: "the proxy was at its cap",
    FALLBACK: "a fallback was served",
    DIED: "the caller crashed",
}
