"""What tellers, subscribers and the store send each other."""

from enum import Enum
from typing import NamedTuple, TypeAlias

from engines.event_sourcing.events import RecordedEvent
from engines.event_sourcing.gaps import View
from engines.event_sourcing.groups import Nack
from engines.event_sourcing.snapshots import Snapshot


class Movement(NamedTuple):
    """An event a teller wants written: plain values only, so that it can be shown and compared."""

    id: str
    type: str
    amount: int
    to: str = ""
    """The account the money goes on to."""
    version: int = 1
    owner: str = ""


class Origin(NamedTuple):
    """Who sends a command, and why."""

    who: str
    command_id: str
    command: str
    correlation_id: str
    cause: str = ""
    """The event it reacts to."""


class Read(NamedTuple):
    """A stream from a revision on; -1: from the newest usable snapshot."""

    request: str
    stream: str
    first: int


class Stream(NamedTuple):
    """The answer to ``Read``."""

    request: str
    stream: str
    snapshot: Snapshot | None
    events: tuple[RecordedEvent, ...]


class Append(NamedTuple):
    """Write a batch. ``expected``: a revision; -1: no stream; -2: any."""

    request: str
    stream: str
    expected: int
    batch: tuple[Movement, ...]
    origin: Origin


class Saved(NamedTuple):
    """It is durable."""

    request: str
    stream: str
    revision: int
    position: int
    repeated: bool


class Conflicting(NamedTuple):
    """The stream is not where the writer believed it to be."""

    request: str
    stream: str
    expected: int
    actual: int


class RefusedBy(Enum):
    """Why a store refuses."""

    FULL = "full"
    CLOSED = "closed"


class NotSaved(NamedTuple):
    """The store refuses."""

    request: str
    stream: str
    why: RefusedBy


class KeepSnapshot(NamedTuple):
    """Keep a folded state."""

    snapshot: Snapshot


class Poll(NamedTuple):
    """The next events of all streams behind a position."""

    number: int
    after: int


class Page(NamedTuple):
    """The answer to ``Poll``."""

    number: int
    after: int
    events: tuple[RecordedEvent, ...]
    head: int
    view: View | None = None
    """Of a store that takes numbers before it commits: what this look showed."""


class Join(NamedTuple):
    """A consumer of the group is there; it says so again and again."""

    incarnation: int
    """Its connection: one that was started anew has another, and holds nothing."""


class Handed(NamedTuple):
    """An event for one consumer of the group; ``attempt`` counts from 0."""

    event: RecordedEvent
    attempt: int


class Done(NamedTuple):
    """A consumer has handled an event: an acknowledgement."""

    position: int


class NotDone(NamedTuple):
    """A consumer could not handle an event: a negative acknowledgement, and what it asks for."""

    position: int
    what: Nack


EventMessage: TypeAlias = (
    Read
    | Stream
    | Append
    | Saved
    | Conflicting
    | NotSaved
    | KeepSnapshot
    | Poll
    | Page
    | Join
    | Handed
    | Done
    | NotDone
)

ANY_REVISION = -2

__all__ = [
    "ANY_REVISION", "Append", "Conflicting", "Done", "EventMessage", "Handed", "Join", "KeepSnapshot", "Movement",
    "NotDone", "NotSaved", "Origin", "Page", "Poll", "Read", "RefusedBy", "Saved", "Stream",
]  # fmt: skip
