"""What a store is, and what all stores share: hiding, closing, integrity.

A stream is never rewritten. Hiding a prefix is itself an event, in the stream ``$$NAME``; so is closing, a tombstone
in the stream itself. Both are covered by the chain like everything else, and the numbering goes on behind them.
``$all`` shows every event, hidden or not: its positions have no gaps. Space is not taken back.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple, Protocol

from engines.event_sourcing.append import ANY, Appended, ExpectedRevision
from engines.event_sourcing.errors import BadEvent
from engines.event_sourcing.events import HIDDEN, TOMBSTONE, NewEvent, RecordedEvent

ALL_LIMIT: Final = 1 << 62
"""No limit."""


class Integrity(NamedTuple):
    """Whether a store is what was written, and where it is not."""

    ok: bool
    detail: str
    events: int
    """How many were read and found right."""
    position: int = 0
    """The head the chain was verified to; whoever keeps it with its checksum will notice a store that was cut off."""
    checksum: str = ""
    library: str = ""
    """The version of the library underneath, with what is known against it."""


class EventStore(Protocol):
    """Append-only streams with one global order."""

    def save_events(self, aggregate_id: str, events: Sequence[NewEvent], expected: ExpectedRevision = ANY) -> Appended:
        """Append a batch, all of it or nothing. Conflict if the stream is not where ``expected`` says."""

    def get_events(
        self, aggregate_id: str, first: int = 0, limit: int = ALL_LIMIT, *, backward: bool = False
    ) -> tuple[RecordedEvent, ...]:
        """A stream from a revision on, oldest first; with ``backward`` from ``first`` down (-1: from the newest)."""

    def read_all(self, after: int = 0, limit: int = ALL_LIMIT, *, backward: bool = False) -> tuple[RecordedEvent, ...]:
        """All streams in global order, after a position; ``backward``: those before it (0: from the newest)."""

    def replay(self, after: int = 0) -> Iterator[RecordedEvent]:
        """All streams in global order, a page at a time."""

    def revision(self, aggregate_id: str) -> int:
        """The newest revision of a stream, -1 without one."""

    def head(self) -> int:
        """The newest position, 0 in an empty store."""

    def streams(self) -> tuple[tuple[str, int], ...]:
        """Every stream and its newest revision, by name."""

    def integrity(self) -> Integrity:
        """Read everything and verify it."""


class Hiding(NamedTuple):
    """Which events of a stream its readers do not see."""

    before: int = 0
    """The first revision that is seen."""
    max_count: int = 0
    """Only the newest ones are; 0: all."""
    max_age_us: int = 0
    """Only those are that are not older; 0: all."""

    def first_seen(self, first: int, newest: int) -> int:
        """The first revision that a reader sees who asks from ``first`` on."""
        seen = max(first, self.before)
        return max(seen, newest + 1 - self.max_count) if self.max_count else seen

    def shows(self, event: RecordedEvent, newest: int, now_us: int) -> bool:
        """Whether a reader sees an event now."""
        if event.revision < self.first_seen(0, newest):
            return False
        return not self.max_age_us or event.at_us >= now_us - self.max_age_us


SHOWN: Final = Hiding()


def hiding_of(event: RecordedEvent | None) -> Hiding:
    """What the newest event of ``$$stream`` says."""
    if event is None or event.type != HIDDEN:
        return SHOWN
    data: dict[str, Any] = event.data
    return Hiding(data.get("before", 0), data.get("max_count", 0), data.get("max_age_us", 0))


def hide(store: EventStore, stream: str, id: str, hiding: Hiding) -> Appended:
    """Hide events of a stream from its readers, at once."""
    if hiding.before < 0 or hiding.max_count < 0 or hiding.max_age_us < 0:
        raise BadEvent(f"stream {stream!r}: {hiding}: nothing here can be negative")
    return store.save_events("$$" + stream, [NewEvent(id, HIDDEN, hiding._asdict())])


def delete(store: EventStore, stream: str, id: str) -> Appended:
    """Hide all events of a stream. Whoever writes to it again goes on with its numbering."""
    return hide(store, stream, id, Hiding(before=store.revision(stream) + 1))


def close(store: EventStore, stream: str, id: str, expected: ExpectedRevision = ANY) -> Appended:
    """Close a stream for ever."""
    return store.save_events(stream, [NewEvent(id, TOMBSTONE, {})], expected)


__all__ = ["ALL_LIMIT", "SHOWN", "EventStore", "Hiding", "Integrity", "close", "delete", "hide", "hiding_of"]
