"""The read side of somebody's store, folded from its first event: every read model, and whether they can be trusted.

The write model is folded beside them by its own rules, so that a summary is compared with something that was not made
by the code that made it. Events that no projection can read stop that projection, and no other; ``park`` puts them
aside instead, with what follows in their streams.
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from engines.cqrs.projections import Lag, MemoryModel, Projection, lag
from engines.cqrs.projector import Projector, rebuilder
from engines.cqrs.read_models import ORDER_SUMMARY, PROJECTIONS
from engines.event_sourcing.errors import UnknownEvent
from engines.event_sourcing.events import RecordedEvent, category
from engines.event_sourcing.order import ORDER, Order
from engines.event_sourcing.subscriptions import Parked, Stopped

SHOWN: Final = 5
"""Disagreements that are told one by one."""


class Stop(NamedTuple):
    """Where a projection stands still."""

    event: RecordedEvent
    why: str


class Rebuild:
    """Folds events, in global order, into all read models."""

    def __init__(self, projections: Iterable[Projection] = tuple(PROJECTIONS.values()), park: bool = False) -> None:
        self.projectors: dict[str, Projector] = {}
        for projection in projections:
            model = MemoryModel(projection)
            self.projectors[projection.name] = Projector(model) if park else rebuilder(model)
        self.stops: dict[str, Stop] = {}
        self.head = 0
        self.now_us = 0
        """The newest time an event has told."""
        self.events = 0
        self.orders = 0
        """Events of orders."""
        self.others: dict[str, int] = {}
        """Category -> events of other kinds, which are skipped."""
        self.types: dict[str, int] = {}
        self._states: dict[str, Order] = {}
        """The write model."""
        self._lost: dict[str, str] = {}
        """Orders whose events the write model cannot read -> why."""
        self._oldest: dict[str, int] = {}
        """Projection that stopped -> when the event happened at which it did."""

    @property
    def models(self) -> dict[str, Any]:
        """The read models by name."""
        return {name: projector.model for name, projector in self.projectors.items()}

    def take(self, event: RecordedEvent) -> None:
        """One event more."""
        self.head = event.position
        self.now_us = max(self.now_us, event.at_us)
        self.events += 1
        self.types[event.type] = self.types.get(event.type, 0) + 1
        if event.type in ORDER.upcasters.types:
            self.orders += 1
            self._write_model(event)
        else:
            kind = category(event.stream)
            self.others[kind] = self.others.get(kind, 0) + 1
        for name, projector in self.projectors.items():
            if name not in self.stops:
                try:
                    projector.handle(event)
                except Stopped as stopped:
                    self.stops[name] = Stop(event, str(stopped))
                    self._oldest[name] = event.at_us

    def _write_model(self, event: RecordedEvent) -> None:
        if event.stream in self._lost:
            return
        state = self._states.get(event.stream, ORDER.initial)
        try:
            self._states[event.stream] = ORDER.apply(state, event)
        except UnknownEvent as error:
            self._lost[event.stream] = str(error)

    def lag(self, name: str) -> Lag:
        """How far a projection is behind the newest event."""
        return lag(self.projectors[name].model.position, self.head, self._oldest.get(name, 0), self.now_us)

    def parked(self) -> tuple[tuple[str, Parked], ...]:
        """What was put aside, by projection."""
        return tuple((name, each) for name, projector in self.projectors.items() for each in projector.model.parked)

    def unreadable(self) -> tuple[str, ...]:
        """Why projections stand still."""
        return tuple(stop.why for stop in self.stops.values())

    def disagreements(self) -> tuple[str, ...]:
        """Orders whose summary is not what the write model says. A projection that has stopped is not asked."""
        projector = self.projectors.get(ORDER_SUMMARY.name)
        if projector is None or ORDER_SUMMARY.name in self.stops:
            return ()
        model, found = projector.model, []
        for name in sorted(self._states):
            state = self._states[name]
            if name in self._lost or name in model.held or state.status == ORDER.initial.status:
                continue
            row = model.get(name)
            told = None if row is None else (row.customer, row.status, row.lines, row.total)
            wanted = (state.customer, state.status, len(state.lines), state.total)
            if told != wanted:
                found.append(f"{name}: the summary says {told}, its events say {wanted}")
        return tuple(found)


__all__ = ["SHOWN", "Rebuild", "Stop"]
