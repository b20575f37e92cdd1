"""Outbox and inbox: a message exactly when its event, and its effect exactly once.

Whoever writes an event and then sends a message about it can die in between: the event is there, the message never
was. So the message is written *with* the event, in one transaction, and a relay sends what is in the outbox, again
and again, until it is acknowledged: at least once. Whoever receives it notes (consumer, message id) in the transaction
of the effect: the second time, there is nothing to do.

``Outbox`` and ``Inbox`` are records to be kept in whatever is durable. ``save_with_messages`` and ``Relay`` do the same
on an event store, whose stream ``$outbox`` is the outbox.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from engines.event_sourcing.append import ANY, Appended, ExpectedRevision
from engines.event_sourcing.events import NO_METADATA, Metadata, NewEvent, RecordedEvent

OUTBOX: Final = "$outbox"
RESEND_US: Final = 500_000
"""How long the relay waits for an acknowledgement before it sends again."""


class Message(NamedTuple):
    """Something to be told."""

    id: str
    topic: str
    data: Any


class Entry(NamedTuple):
    """A message in the outbox."""

    message: Message
    sent: int = 0
    """How often it was sent."""
    due_us: int = 0
    """When it is to be sent next."""


@dataclass(slots=True)
class Outbox:
    """Messages that are not acknowledged yet, in their order."""

    entries: dict[str, Entry] = field(default_factory=dict)
    acknowledged: int = 0

    def put(self, message: Message) -> None:
        """Write a message, in the transaction of its event. A message that waits already is not written twice."""
        self.entries.setdefault(message.id, Entry(message))

    def send(self, now_us: int, limit: int = 100) -> tuple[Message, ...]:
        """What the relay is to send now; without an acknowledgement it will be due again."""
        due = [entry for entry in self.entries.values() if entry.due_us <= now_us][:limit]
        for entry in due:
            self.entries[entry.message.id] = Entry(entry.message, entry.sent + 1, now_us + RESEND_US)
        return tuple(entry.message for entry in due)

    def acknowledge(self, id: str) -> bool:
        """A message has arrived; False: that was known."""
        known = self.entries.pop(id, None) is not None
        self.acknowledged += known
        return known


@dataclass(slots=True)
class Inbox:
    """Which messages a consumer has taken in."""

    taken: dict[tuple[str, str], bool] = field(default_factory=dict)
    """(consumer, message id)."""

    def take(self, consumer: str, id: str) -> bool:
        """Note a message, in the transaction of its effect. False: it was taken before, and has no effect now."""
        if (consumer, id) in self.taken:
            return False
        self.taken[consumer, id] = True
        return True


class BatchStore(Protocol):
    """A store that appends to several streams in one transaction, as both stores of the library do."""

    def save_batches(self, batches: Sequence[tuple[str, Sequence[NewEvent], ExpectedRevision]]) -> tuple[Appended, ...]:
        """All of it or nothing."""

    def get_events(self, aggregate_id: str, first: int = 0, limit: int = ...) -> tuple[RecordedEvent, ...]:
        """A stream from a revision on."""


def save_with_messages(
    store: BatchStore,
    stream: str,
    events: Sequence[NewEvent],
    expected: ExpectedRevision,
    messages: Sequence[Message],
    metadata: Metadata = NO_METADATA,
) -> Appended:
    """Append events and what is to be told about them: both or neither."""
    told = [NewEvent(message.id, message.topic, message.data, 1, metadata) for message in messages]
    batches: list[tuple[str, Sequence[NewEvent], ExpectedRevision]] = [(stream, events, expected)]
    if told:
        batches.append((OUTBOX, told, ANY))
    return store.save_batches(batches)[0]


class Relay:
    """Sends what is in a store's outbox, in order, each until it has arrived. Its position is its owner's to keep."""

    def __init__(self, store: BatchStore, send: Callable[[Message], bool], after: int = -1) -> None:
        """``send`` returns whether the message has arrived; ``after``: the revision that arrived last."""
        self.store = store
        self.send = send
        self.after = after

    def run(self, limit: int = 100) -> int:
        """Send what waits; return how many arrived. It stops at the first that did not, and begins there next time."""
        arrived = 0
        for event in self.store.get_events(OUTBOX, self.after + 1, limit):
            if not self.send(Message(event.id, event.type, event.data)):
                break
            self.after = event.revision
            arrived += 1
        return arrived


__all__ = ["OUTBOX", "RESEND_US", "BatchStore", "Entry", "Inbox", "Message", "Outbox", "Relay", "save_with_messages"]
