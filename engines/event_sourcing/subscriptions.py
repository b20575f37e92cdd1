"""Catch-up subscriptions, checkpoint policies, and what a handler that fails may do.

A catch-up subscription is a position its client keeps: history, then what comes, by the same question, so there is no
hole between. What a crash between effect and checkpoint does depends on their order alone:

    checkpoint first   lost: effects 1 2 4 5 after a crash while on 3
    effect first       repeated: 1 2 3 3 4 5
    one transaction    once: 1 2 3 4 5

A repeat does no harm to a handler that remembers, with its effect, the newest revision of each stream it has seen.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from engines.event_sourcing.errors import EventStoreError
from engines.event_sourcing.events import RecordedEvent
from engines.event_sourcing.store import EventStore

Filter = Callable[[RecordedEvent], bool]


class CatchUp:
    """A reader of all streams that keeps its own position."""

    def __init__(self, store: EventStore, after: int = 0, wants: Filter | None = None) -> None:
        self.store = store
        self.position = after
        """Everything up to it was read; with a filter also what was not wanted."""
        self.wants = wants

    def pull(self, limit: int = 100) -> tuple[RecordedEvent, ...]:
        """The next events, at most ``limit`` of those in the store are looked at; none: it has caught up."""
        page = self.store.read_all(self.position, limit)
        if page:
            self.position = page[-1].position
        return page if self.wants is None else tuple(event for event in page if self.wants(event))

    @property
    def behind(self) -> int:
        """How many events it has not read."""
        return self.store.head() - self.position


class CheckpointPolicy(Enum):
    """What a subscriber does first, its effect or its checkpoint."""

    CHECKPOINT_FIRST = "checkpoint first"
    EFFECT_FIRST = "effect first"
    TOGETHER = "one transaction"


class Moment(Enum):
    """A point at which a subscriber may die."""

    BEGIN = "before anything"
    BETWEEN = "between effect and checkpoint"
    DONE = "after both"


class OnPoison(Enum):
    """What becomes of an event whose handler fails."""

    PARK = "park it, go on"
    PARK_STREAM = "park it and the rest of its stream, go on"
    STOP = "stop"


class Parked(NamedTuple):
    """An event that was put aside, with the reason."""

    event: RecordedEvent
    error: str
    attempts: int


class Handled(NamedTuple):
    """An effect that is durable: which event, and whether it had been done before."""

    position: int
    stream: str
    revision: int


@dataclass(slots=True)
class Durable:
    """What of a subscriber survives its crash."""

    checkpoint: int = 0
    effects: list[Handled] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    """Of an idempotent handler: stream -> newest revision whose effect is in ``effects``."""
    parked: list[Parked] = field(default_factory=list)
    held: dict[str, int] = field(default_factory=dict)
    """Streams that are parked as a whole -> how many of their events are."""


class Stopped(EventStoreError):
    """A subscriber that stops at a poison event."""


class Subscriber:
    """Handles events in order, with a checkpoint. It is a generator of moments, so a test can let it die at each."""

    def __init__(
        self,
        handle: Callable[[RecordedEvent], None],
        policy: CheckpointPolicy = CheckpointPolicy.TOGETHER,
        *,
        idempotent: bool = False,
        poison: OnPoison = OnPoison.STOP,
        attempts: int = 1,
        durable: Durable | None = None,
    ) -> None:
        self.handle = handle
        self.policy = policy
        self.idempotent = idempotent
        self.poison = poison
        self.attempts = attempts
        self.durable = durable if durable is not None else Durable()

    def moments(self, event: RecordedEvent) -> Iterator[Moment]:
        """Handle one event. What happens between two moments happens as a whole or not at all."""
        yield Moment.BEGIN
        self.first_half(event)
        yield Moment.BETWEEN
        self.second_half(event)
        yield Moment.DONE

    def first_half(self, event: RecordedEvent) -> None:
        """What comes first, by the policy. Of one transaction nothing is to be seen before its end."""
        if self.policy is CheckpointPolicy.CHECKPOINT_FIRST:
            self.durable.checkpoint = event.position
        elif self.policy is CheckpointPolicy.EFFECT_FIRST:
            self._effect(event)

    def second_half(self, event: RecordedEvent) -> None:
        """The rest."""
        if self.policy is not CheckpointPolicy.EFFECT_FIRST:
            self._effect(event)
        self.durable.checkpoint = max(self.durable.checkpoint, event.position)

    def take(self, events: Sequence[RecordedEvent]) -> int:
        """Handle what lies behind the checkpoint; return how many events that were."""
        taken = 0
        for event in events:
            if event.position > self.durable.checkpoint:
                for _ in self.moments(event):
                    pass
                taken += 1
        return taken

    def _effect(self, event: RecordedEvent) -> None:
        durable = self.durable
        if self.idempotent and event.revision <= durable.seen.get(event.stream, -1):
            return
        if event.stream in durable.held:
            self._park(event, "an event before it in its stream is parked", 0)
            return
        error = ""
        for _ in range(self.attempts):
            try:
                self.handle(event)
                break
            except EventStoreError as failed:
                error = str(failed)
        else:
            if self.poison is OnPoison.STOP:
                raise Stopped(f"position {event.position}, stream {event.stream!r} revision {event.revision}: {error}")
            self._park(event, error, self.attempts)
            return
        durable.effects.append(Handled(event.position, event.stream, event.revision))
        durable.seen[event.stream] = event.revision

    def _park(self, event: RecordedEvent, error: str, attempts: int) -> None:
        durable = self.durable
        durable.parked.append(Parked(event, error, attempts))
        if self.poison is OnPoison.PARK_STREAM:
            durable.held[event.stream] = durable.held.get(event.stream, 0) + 1

    def replay_parked(self) -> int:
        """Try what is parked again, oldest first; return how many went through. What fails stays parked, in order."""
        durable = self.durable
        waiting, durable.parked, durable.held = durable.parked, [], {}
        before = len(durable.effects)
        for parked in waiting:
            self._effect(parked.event)
        return len(durable.effects) - before


__all__ = [
    "CatchUp",
    "CheckpointPolicy",
    "Durable",
    "Filter",
    "Handled",
    "Moment",
    "OnPoison",
    "Parked",
    "Stopped",
    "Subscriber",
]
