"""The projector: takes events as a bus delivers them and applies each to its model, whatever happens on the way.

Duplicates      an event whose (stream, revision) was applied changes nothing (``idempotent``)
Reordering      an event ahead of its turn waits until those before it are there (``ordered``)
Crashes         effect and checkpoint in one transaction: once. The checkpoint first: lost. The effect first: repeated,
                which does no harm to who is idempotent
Poison          live: the event is parked and its stream held, and everything else goes on. In a rebuild: stop, since a
                model with a hole in it must not take the place of another

Nothing of this reaches the write side: a projector that fails is behind, and that is all.
"""

from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final

from engines.cqrs.projections import Model, Row
from engines.event_sourcing.errors import EventStoreError
from engines.event_sourcing.events import RecordedEvent
from engines.event_sourcing.subscriptions import CheckpointPolicy, Moment, OnPoison, Parked, Stopped

EARLY_MAX: Final = 10_000
"""How many events may wait for their turn; more are dropped, and come again from the store."""


class Effect(Enum):
    """What became of an event."""

    APPLIED = "applied"
    SKIPPED = "not of its types"
    REPEATED = "was applied before"
    PARKED = "parked"
    EARLY = "ahead of its turn"
    OLD = "behind the position"


class Projector:
    """Applies events to one model."""

    def __init__(
        self,
        model: Model,
        policy: CheckpointPolicy = CheckpointPolicy.TOGETHER,
        *,
        idempotent: bool = True,
        ordered: bool = True,
        poison: OnPoison = OnPoison.PARK_STREAM,
        attempts: int = 3,
    ) -> None:
        self.model = model
        self.policy = policy
        self.idempotent = idempotent
        self.ordered = ordered
        self.poison = poison
        self.attempts = attempts
        self.early: dict[int, RecordedEvent] = {}
        """Events ahead of their turn, by position. Volatile: after a crash they are read again."""
        self.changed: tuple[Row, ...] = ()
        """The rows that the last event wrote: what read replicas are told."""
        self.effect = Effect.SKIPPED
        """What became of the last event."""

    # -- in whatever order a bus delivers --------------------------------------------------------------------------

    def offer(self, event: RecordedEvent) -> tuple[RecordedEvent, ...]:
        """The events that can be handled now that this one is here, in order; none: it must wait."""
        if not self.ordered:
            return (event,)
        due = self.model.position + 1
        if event.position > due:
            if len(self.early) < EARLY_MAX:
                self.early[event.position] = event
            self.effect = Effect.EARLY
            return ()
        if event.position < due and self.idempotent:
            self.effect = Effect.OLD
            return ()
        ready = [event]
        while (following := self.early.pop(ready[-1].position + 1, None)) is not None:
            ready.append(following)
        return tuple(ready)

    def missing(self) -> int:
        """The position it waits for while later events are there; 0: none."""
        return self.model.position + 1 if self.early else 0

    def deliver(self, event: RecordedEvent) -> tuple[Effect, ...]:
        """Offer an event and handle what can be handled: one effect for each that was, or why this one was not."""
        effects = []
        for ready in self.offer(event):
            self.handle(ready)
            effects.append(self.effect)
        return tuple(effects) or (self.effect,)

    # -- one event -------------------------------------------------------------------------------------------------

    def moments(self, event: RecordedEvent) -> Iterator[Moment]:
        """Handle one event. What happens between two moments happens as a whole or not at all."""
        yield Moment.BEGIN
        self.first_half(event)
        yield Moment.BETWEEN
        self.second_half(event)
        yield Moment.DONE

    def handle(self, event: RecordedEvent) -> Effect:
        """Handle one event. Stopped if it is poison and the policy says so."""
        self.first_half(event)
        self.second_half(event)
        return self.effect

    def first_half(self, event: RecordedEvent) -> None:
        """What comes first, by the policy. Of one transaction nothing is to be seen before its end."""
        if self.policy is CheckpointPolicy.TOGETHER:
            return
        with self.model.transaction():
            if self.policy is CheckpointPolicy.CHECKPOINT_FIRST:
                self._advance(event)
            else:
                self._apply(event)

    def second_half(self, event: RecordedEvent) -> None:
        """The rest."""
        with self.model.transaction():
            if self.policy is not CheckpointPolicy.EFFECT_FIRST:
                self._apply(event)
            if self.policy is not CheckpointPolicy.CHECKPOINT_FIRST:
                self._advance(event)

    def take(self, events: Iterable[RecordedEvent]) -> int:
        """Handle events in global order, all in one transaction: of a rebuild, or of a page read from the store.
        Return how many there were. Stopped at poison if the policy says so; what came before it is kept."""
        taken = 0
        stopped: Stopped | None = None
        with self.model.transaction():
            for event in events:
                try:
                    self._apply(event)
                except Stopped as error:
                    stopped = error
                    break
                self._advance(event)
                taken += 1
        if stopped is not None:
            raise stopped
        return taken

    def replay_parked(self) -> int:
        """Try what is parked again, oldest first; return how many went through. What fails stays parked, in order."""
        through = 0
        with self.model.transaction():
            for parked in self.model.unpark():
                if parked.event.revision <= self.model.seen(parked.event.stream) and self.idempotent:
                    continue
                self._apply(parked.event)
                through += self.effect is not Effect.PARKED
        return through

    # -- inside ----------------------------------------------------------------------------------------------------

    def _advance(self, event: RecordedEvent) -> None:
        if event.position > self.model.position:
            self.model.advance(event.position)

    def _apply(self, event: RecordedEvent) -> None:
        model = self.model
        self.changed = ()
        if self.idempotent and event.revision <= model.seen(event.stream):
            self.effect = Effect.REPEATED
            return
        if event.stream in model.held:
            self._park(event, "an event before it in its stream is parked", 0)
            return
        if not model.projection.handles(event.type):
            self.effect = Effect.SKIPPED
            model.saw(event.stream, event.revision)
            return
        error = ""
        for _ in range(self.attempts):
            try:
                self.changed = model.projection.rows_after(model.get, event)
                break
            except EventStoreError as failed:
                error = str(failed)
        else:
            if self.poison is OnPoison.STOP:
                raise Stopped(f"{model.projection.name} stops at position {event.position}: {error}")
            self._park(event, error, self.attempts)
            return
        for row in self.changed:
            model.put(row)
        model.saw(event.stream, event.revision)
        self.effect = Effect.APPLIED

    def _park(self, event: RecordedEvent, error: str, attempts: int) -> None:
        self.model.park(Parked(event, error, attempts), self.poison is OnPoison.PARK_STREAM)
        self.effect = Effect.PARKED


def rebuilder(model: Model) -> Projector:
    """A projector for a rebuild: it stops at poison."""
    return Projector(model, poison=OnPoison.STOP, attempts=1)


__all__ = ["EARLY_MAX", "Effect", "Projector", "rebuilder"]
