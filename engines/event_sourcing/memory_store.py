"""A store in memory: the same decisions, the same chain, nothing durable."""

from collections.abc import Iterable, Iterator, Sequence

from engines.event_sourcing.append import ANY, Appended, ExpectedRevision, Place, check_expected, decide
from engines.event_sourcing.errors import EventStoreError, StreamClosed
from engines.event_sourcing.events import GENESIS, TOMBSTONE, ChainCheck, NewEvent, RecordedEvent, check_names, rows_of
from engines.event_sourcing.store import ALL_LIMIT, Hiding, Integrity, hiding_of


class MemoryStore:
    """Streams in memory. It is told the time by ``now_us``, which its owner may set."""

    def __init__(self) -> None:
        self.events: list[RecordedEvent] = []
        self.now_us = 0
        """What an event without a time of its own is stamped with."""
        self._streams: dict[str, list[int]] = {}
        """The positions of each stream's events."""
        self._ids: dict[tuple[str, str], int] = {}
        """(stream, id) -> the newest revision with this id."""

    @classmethod
    def of(cls, events: Iterable[RecordedEvent]) -> "MemoryStore":
        """A store that holds these events, which were recorded before, from the first one on."""
        store = cls()
        for event in events:
            store.events.append(event)
            store._streams.setdefault(event.stream, []).append(event.position)
            store._ids[event.stream, event.id] = event.revision
        return store

    def save_events(self, aggregate_id: str, events: Sequence[NewEvent], expected: ExpectedRevision = ANY) -> Appended:
        """Append a batch, all of it or nothing."""
        check_expected(expected)
        check_names(aggregate_id, events)
        places = self._streams.get(aggregate_id, [])
        current = len(places) - 1
        if places and self.events[places[-1] - 1].type == TOMBSTONE:
            raise StreamClosed(f"stream {aggregate_id!r} was closed at revision {current}: nothing can follow")

        def after(revision: int, limit: int) -> list[Place]:
            found = places[revision + 1 : revision + 1 + limit]
            return [Place(self.events[at - 1].id, self.events[at - 1].revision, at) for at in found]

        def find(id: str) -> Place | None:
            revision = self._ids.get((aggregate_id, id))
            return None if revision is None else Place(id, revision, places[revision])

        gone = current >= 0 and self._hiding(aggregate_id).before > current
        repeat = decide(aggregate_id, expected, current, [event.id for event in events], after, find, gone)
        if repeat is not None:
            return Appended(
                aggregate_id, tuple(each.revision for each in repeat), tuple(each.position for each in repeat), True
            )
        previous = self.events[-1].checksum if self.events else GENESIS
        rows = rows_of(aggregate_id, current, len(self.events), events, previous, self.now_us)
        written = [RecordedEvent(*row) for row in rows]
        self.events.extend(written)
        if written:
            self._streams.setdefault(aggregate_id, places).extend(event.position for event in written)
            self._ids.update(((aggregate_id, event.id), event.revision) for event in written)
        return Appended(
            aggregate_id, tuple(event.revision for event in written), tuple(event.position for event in written), False
        )

    def save_batches(self, batches: Sequence[tuple[str, Sequence[NewEvent], ExpectedRevision]]) -> tuple[Appended, ...]:
        """Append to several streams in one transaction: all of it or nothing."""
        length = len(self.events)
        try:
            return tuple(self.save_events(*batch) for batch in batches)
        except EventStoreError:
            self._cut(length)
            raise

    def _cut(self, length: int) -> None:
        """Take back what was written behind a position, in a transaction that failed."""
        for event in reversed(self.events[length:]):
            places = self._streams[event.stream]
            places.pop()
            del self._ids[event.stream, event.id]
            for at in places:
                self._ids[event.stream, self.events[at - 1].id] = self.events[at - 1].revision
            if not places:
                del self._streams[event.stream]
        del self.events[length:]

    def get_events(
        self, aggregate_id: str, first: int = 0, limit: int = ALL_LIMIT, *, backward: bool = False
    ) -> tuple[RecordedEvent, ...]:
        """A stream from a revision on, without what is hidden."""
        places = self._streams.get(aggregate_id, [])
        newest = len(places) - 1
        hiding = self._hiding(aggregate_id)
        lowest = hiding.first_seen(0 if backward else first, newest)
        highest = newest if not backward or first < 0 else min(first, newest)
        found = places[lowest : highest + 1]
        seen = [self.events[at - 1] for at in (reversed(found) if backward else found)]
        return tuple(event for event in seen if hiding.shows(event, newest, self.now_us))[:limit]

    def read_all(self, after: int = 0, limit: int = ALL_LIMIT, *, backward: bool = False) -> tuple[RecordedEvent, ...]:
        """All streams in global order."""
        if backward:
            until = after - 1 if after else len(self.events)
            return tuple(reversed(self.events[max(0, until - limit) : max(0, until)]))
        return tuple(self.events[after : after + limit])

    def replay(self, after: int = 0) -> Iterator[RecordedEvent]:
        """All streams in global order."""
        return iter(self.events[after:])

    def revision(self, aggregate_id: str) -> int:
        """The newest revision, -1 without a stream."""
        return len(self._streams.get(aggregate_id, ())) - 1

    def head(self) -> int:
        """The newest position."""
        return len(self.events)

    def streams(self) -> tuple[tuple[str, int], ...]:
        """Every stream and its newest revision."""
        return tuple(sorted((name, len(places) - 1) for name, places in self._streams.items()))

    def integrity(self) -> Integrity:
        """Read everything and verify it."""
        return verify(self.events)

    def _hiding(self, stream: str) -> Hiding:
        places = self._streams.get("$$" + stream)
        return hiding_of(self.events[places[-1] - 1] if places else None)


def verify(events: Sequence[RecordedEvent]) -> Integrity:
    """The chain of these events, from the first one on."""
    check = ChainCheck()
    for event in events:
        broken = check.feed(event)
        if broken is not None:
            return Integrity(False, str(broken), check.position, check.position, check.checksum)
    said = f"{check.position} events, chain intact"
    return Integrity(True, said, check.position, check.position, check.checksum)


__all__ = ["MemoryStore", "verify"]
