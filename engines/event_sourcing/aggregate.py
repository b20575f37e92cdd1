"""Aggregates: state is the fold of a stream, and a command decides on that state which events follow.

An aggregate is a record of pure functions. ``Repository`` loads it (snapshot and rest, or from zero), lets a command
decide, and appends with the revision it has seen; on a conflict it reloads and decides *again*, a bounded number of
times: what was right a moment ago may be refused now.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Generic, NamedTuple, TypeVar

from engines.event_sourcing.append import NO_STREAM, Appended
from engines.event_sourcing.errors import Conflict, EventStoreError, UnknownEvent
from engines.event_sourcing.events import NO_METADATA, TOMBSTONE, Metadata, NewEvent, RecordedEvent
from engines.event_sourcing.snapshots import Snapshot, SnapshotStore, encode_state
from engines.event_sourcing.store import EventStore
from engines.event_sourcing.upcast import Upcasters

S = TypeVar("S")

ATTEMPTS: Final = 5
"""How often a command is tried before the conflict is its answer."""
SNAPSHOT_EVERY: Final = 100


class Refused(EventStoreError):
    """The aggregate does not allow this command in its present state."""


class Decided(NamedTuple):
    """What a command wants to be recorded."""

    type: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Aggregate(Generic[S]):
    """A kind of stream."""

    category: str
    initial: S
    evolve: Callable[[S, str, Any], S]
    """(state, type, data of the newest version) -> state. It never refuses: what happened has happened."""
    decide: Callable[[S, Any], tuple[Decided, ...]]
    """(state, command) -> events. Refused if the state does not allow it."""
    upcasters: Upcasters
    schema: int = 1
    """The version of the state's layout: a snapshot of another one is ignored."""
    to_plain: Callable[[S], Any] = field(default=lambda state: state)
    """The state as JSON can say it, and back."""
    from_plain: Callable[[Any], S] = field(default=lambda plain: plain)

    def apply(self, state: S, event: RecordedEvent) -> S:
        """One step of the fold. UnknownEvent names stream and revision."""
        if event.type == TOMBSTONE:
            return state
        data, _ = self.upcasters.lift(event)
        try:
            return self.evolve(state, event.type, data)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            why = f"{event.type} without a usable {error}"
            raise UnknownEvent(event.stream, event.revision, why) from error

    def fold(self, events: Iterable[RecordedEvent], state: S | None = None) -> S:
        """The state after these events."""
        folded = self.initial if state is None else state
        for event in events:
            folded = self.apply(folded, event)
        return folded


class Loaded(NamedTuple, Generic[S]):
    """A state, and what it took to fold it."""

    state: S
    revision: int
    replayed: int
    """Events that were folded."""
    snapshot: int
    """The revision of the snapshot it began with; -1: from zero."""


class Executed(NamedTuple, Generic[S]):
    """The outcome of a command."""

    state: S
    appended: Appended
    attempts: int
    conflicts: tuple[str, ...]
    """What each failed attempt was told."""


class Repository(Generic[S]):
    """Loads and changes aggregates of one kind in a store."""

    def __init__(
        self,
        store: EventStore,
        aggregate: Aggregate[S],
        snapshots: SnapshotStore | None = None,
        every: int = SNAPSHOT_EVERY,
    ) -> None:
        assert every > 0
        self.store = store
        self.aggregate = aggregate
        self.snapshots = snapshots
        self.every = every

    def load(self, stream: str) -> Loaded[S]:
        """The present state: the newest usable snapshot and the rest, or all of it."""
        state, first = self.aggregate.initial, 0
        kept = self.snapshots.snapshot(stream) if self.snapshots is not None else None
        if kept is not None and kept.schema == self.aggregate.schema:
            state, first = self.aggregate.from_plain(json.loads(kept.state)), kept.revision + 1
        events = self.store.get_events(stream, first)
        state = self.aggregate.fold(events, state)
        revision = events[-1].revision if events else max(first - 1, self.store.revision(stream))
        return Loaded(state, revision, len(events), first - 1)

    def at_revision(self, stream: str, revision: int) -> S:
        """The state as it was right after a revision."""
        return self.aggregate.fold(self.store.get_events(stream, 0, revision + 1))

    def execute(
        self, stream: str, command: Any, id: str, metadata: Metadata = NO_METADATA, attempts: int = ATTEMPTS
    ) -> Executed[S]:
        """Decide and append; on a conflict reload and decide again. Refused, or Conflict after the last attempt.

        ``id`` is the command's: its events are ``id/0``, ``id/1`` ..., so a repeat after an answer that was lost is
        recognised if nothing else has happened to the stream.
        """
        conflicts: list[str] = []
        while True:
            loaded = self.load(stream)
            decided = self.aggregate.decide(loaded.state, command)
            meta = metadata._replace(causation_id=metadata.causation_id or id, command=type(command).__name__)
            events = [
                NewEvent(f"{id}/{index}", type_, data, self.aggregate.upcasters.types[type_], meta)
                for index, (type_, data) in enumerate(decided)
            ]
            try:
                expected = loaded.revision if loaded.revision >= 0 else NO_STREAM
                appended = self.store.save_events(stream, events, expected)
            except Conflict as conflict:
                conflicts.append(str(conflict))
                if len(conflicts) >= attempts:
                    raise
                continue
            state = self._evolve(loaded.state, decided)
            self._keep(stream, state, appended, loaded)
            return Executed(state, appended, len(conflicts) + 1, tuple(conflicts))

    def _evolve(self, state: S, decided: tuple[Decided, ...]) -> S:
        for type_, data in decided:
            state = self.aggregate.evolve(state, type_, data)
        return state

    def _keep(self, stream: str, state: S, appended: Appended, loaded: Loaded[S]) -> None:
        """A snapshot, once ``every`` events came since the last one."""
        if self.snapshots is None or appended.repeated or not appended.revisions:
            return
        if appended.revision - loaded.snapshot >= self.every:
            plain = encode_state(self.aggregate.to_plain(state))
            self.snapshots.save_snapshot(Snapshot(stream, appended.revision, self.aggregate.schema, plain))


__all__ = [
    "ATTEMPTS",
    "SNAPSHOT_EVERY",
    "Aggregate",
    "Decided",
    "Executed",
    "Loaded",
    "Refused",
    "Repository",
]
