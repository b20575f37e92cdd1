"""What the machines say to each other.

``Truth`` travels with a request beside what is on the wire: no service looks at it. It is what the checks compare the
traces with.
"""

from typing import Final, NamedTuple

from engines.tracing.spans import Span

Headers = tuple[tuple[str, str], ...]


class Truth(NamedTuple):
    """Which request this belongs to, and which span really caused it."""

    request: int
    cause: str = ""


NOBODY: Final = Truth(0)


class Call(NamedTuple):
    """A request from a service, or from a user, to a service. Numbers are the caller's and never used twice."""

    number: int
    operation: str
    headers: Headers
    truth: Truth = NOBODY


class Reply(NamedTuple):
    """The answer; 200 and below 400 is success."""

    number: int
    status: int
    hit: bool = True
    """Whether a cache had it."""


class Deliver(NamedTuple):
    """A queue hands a message to a consumer."""

    number: int
    operation: str
    headers: Headers
    truth: Truth = NOBODY
    waited_us: int = 0
    """How long it lay in the queue."""


class Ack(NamedTuple):
    """The consumer has done what the message asked for."""

    number: int


class Export(NamedTuple):
    """Spans on their way to the collector."""

    spans: tuple[Span, ...]


Message = Call | Reply | Deliver | Ack | Export
OK: Final = 200
UNAVAILABLE: Final = 503
GATEWAY_TIMEOUT: Final = 504
