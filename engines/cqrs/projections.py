"""Projections: a read model is the fold of the events up to its position, shaped for one kind of question.

A projection is a record of pure functions: for each type of event, which rows it changes. Types it does not name it
skips, so an old version lives on beside events that only a newer one knows. The rows live in a ``Model``, in memory
here, in SQLite in ``sqlite_models``; both keep with them the position, and per stream the newest revision that was
applied, which makes applying idempotent.

    lag = (head - position events, age of the oldest event that is not applied)
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol

from engines.event_sourcing.audit import at_date
from engines.event_sourcing.errors import UnknownEvent
from engines.event_sourcing.events import RecordedEvent
from engines.event_sourcing.order import ORDER
from engines.event_sourcing.subscriptions import Parked
from engines.event_sourcing.upcast import Upcasters

Row = tuple[Any, ...]
"""A record of texts and whole numbers; its first field is its key."""
Get = Callable[[Any], Any]
"""key -> row; None if there is none."""
Change = Callable[[Get, RecordedEvent, Any], Iterable[Row]]
"""(rows, event, its data in the newest version) -> the rows as they are afterwards."""


@dataclass(frozen=True, slots=True)
class Projection:
    """How events become rows."""

    name: str
    version: int
    row: Any
    """The row, a ``NamedTuple`` class."""
    changes: Mapping[str, Change]
    """Type of event -> what it changes. Other types are skipped."""
    by: str = ""
    """A field that rows are also found by."""
    upcasters: Upcasters = ORDER.upcasters

    @property
    def columns(self) -> tuple[str, ...]:
        """The fields of a row, its key first."""
        return tuple(self.row._fields)

    def handles(self, type: str) -> bool:
        """Whether an event of this type can change anything."""
        return type in self.changes

    def rows_after(self, get: Get, event: RecordedEvent) -> tuple[Row, ...]:
        """The rows an event changes, as they are afterwards. UnknownEvent, naming stream and revision, if it cannot
        be read; nothing was changed then."""
        change = self.changes.get(event.type)
        if change is None:
            return ()
        data, _ = self.upcasters.lift(event)
        try:
            return tuple(change(get, event, data))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            why = f"{self.name} version {self.version} finds no usable {error} in {event.type}"
            raise UnknownEvent(event.stream, event.revision, why) from error


class Model(Protocol):
    """The rows of a projection, and how far it is."""

    projection: Projection
    parked: list[Parked]
    """Events that were put aside, oldest first."""
    held: dict[str, int]
    """Streams that wait -> the revision of the first event that was put aside."""

    @property
    def position(self) -> int:
        """Of the last event that was applied or skipped, in global order."""

    def advance(self, position: int) -> None:
        """Move the position."""

    def seen(self, stream: str) -> int:
        """The newest revision of a stream that was applied; -1: none."""

    def saw(self, stream: str, revision: int) -> None:
        """It was applied."""

    def get(self, key: Any) -> Any:
        """The row with this key, or None."""

    def put(self, row: Row) -> None:
        """Write a row."""

    def find(self, value: Any) -> tuple[Any, ...]:
        """The rows whose field ``projection.by`` has this value, in the order of their keys."""

    def rows(self) -> tuple[Any, ...]:
        """All rows, in the order of their keys."""

    def count(self) -> int:
        """How many rows there are."""

    def park(self, parked: Parked, hold: bool) -> None:
        """Put an event aside, and with ``hold`` whatever follows in its stream."""

    def unpark(self) -> list[Parked]:
        """Take out what was put aside."""

    def reset(self, projection: Projection | None = None) -> None:
        """Back to position 0, with no rows; from now on by this projection, if one is given."""

    def transaction(self) -> AbstractContextManager[None]:
        """What is done inside is durable as a whole, or not at all."""


class MemoryModel:
    """A model in memory."""

    def __init__(self, projection: Projection) -> None:
        self.projection = projection
        self.position = 0
        self.parked: list[Parked] = []
        self.held: dict[str, int] = {}
        self._rows: dict[Any, Row] = {}
        self._seen: dict[str, int] = {}
        self._by: dict[Any, dict[Any, bool]] = {}
        """Value of the field ``by`` -> keys."""
        self._place = projection.columns.index(projection.by) if projection.by else -1

    def advance(self, position: int) -> None:
        """Move the position."""
        self.position = position

    def seen(self, stream: str) -> int:
        """The newest revision that was applied."""
        return self._seen.get(stream, -1)

    def saw(self, stream: str, revision: int) -> None:
        """It was applied."""
        self._seen[stream] = revision

    def get(self, key: Any) -> Any:
        """The row, or None."""
        return self._rows.get(key)

    def put(self, row: Row) -> None:
        """Write a row."""
        key = row[0]
        if self._place >= 0:
            before = self._rows.get(key)
            if before is not None and before[self._place] != row[self._place]:
                del self._by[before[self._place]][key]
            self._by.setdefault(row[self._place], {})[key] = True
        self._rows[key] = row

    def find(self, value: Any) -> tuple[Any, ...]:
        """Rows by the second key."""
        return tuple(self._rows[key] for key in sorted(self._by.get(value, ())))

    def rows(self) -> tuple[Any, ...]:
        """All rows."""
        return tuple(self._rows[key] for key in sorted(self._rows))

    def count(self) -> int:
        """How many there are."""
        return len(self._rows)

    def park(self, parked: Parked, hold: bool) -> None:
        """Put an event aside."""
        self.parked.append(parked)
        if hold:
            self.held.setdefault(parked.event.stream, parked.event.revision)

    def unpark(self) -> list[Parked]:
        """Take out what was put aside."""
        found, self.parked, self.held = self.parked, [], {}
        return found

    def reset(self, projection: Projection | None = None) -> None:
        """Begin anew."""
        if projection is not None:
            self.projection = projection
            self._place = projection.columns.index(projection.by) if projection.by else -1
        self.position = 0
        for kept in (self.parked, self.held, self._rows, self._seen, self._by):
            kept.clear()

    def transaction(self) -> AbstractContextManager[None]:
        """Memory has none to offer: whoever crashes loses all of it, or keeps all of it."""
        return nullcontext()


def fold(projection: Projection, events: Iterable[RecordedEvent], held: Mapping[str, int] | None = None) -> MemoryModel:
    """The model that these events, in global order, make: what every model at that position must equal.

    ``held``: streams whose events from a revision on are put aside. UnknownEvent at an event that cannot be read.
    """
    model = MemoryModel(projection)
    aside = held or {}
    for event in events:
        if event.revision < aside.get(event.stream, event.revision + 1):
            for row in projection.rows_after(model.get, event):
                model.put(row)
            model.saw(event.stream, event.revision)
        model.advance(event.position)
    return model


class Lag(NamedTuple):
    """How far a projection is behind: two figures, since one alone says little."""

    events: int
    """head - position."""
    age_us: int
    """Of the oldest event that is not applied; 0 if there is none."""


def lag(position: int, head: int, oldest_us: int, now_us: int) -> Lag:
    """The lag of a model at ``position``. ``oldest_us``: when the event behind that position happened."""
    behind = max(0, head - position)
    return Lag(behind, max(0, now_us - oldest_us) if behind else 0)


def model_at(projection: Projection, events: Sequence[RecordedEvent], at_us: int) -> MemoryModel:
    """A projection at a date: the fold of what had happened by then."""
    return fold(projection, events[: at_date(events, at_us).events])


class RowChange(NamedTuple):
    """A row before and after an event."""

    projection: str
    before: Any
    """None: there was none."""
    after: Any


def changes_at(
    projections: Iterable[Projection], events: Sequence[RecordedEvent], positions: Iterable[int]
) -> dict[int, tuple[RowChange, ...]]:
    """Position -> the rows that its event changed, in all these projections: the last step from a command to what a
    reader sees. One pass for all positions; events that cannot be read change nothing."""
    wanted = dict.fromkeys(positions, True)
    last = max(wanted, default=0)
    found: dict[int, list[RowChange]] = {position: [] for position in wanted}
    for projection in projections:
        model = MemoryModel(projection)
        for event in events:
            if event.position > last:
                break
            try:
                after = projection.rows_after(model.get, event)
            except UnknownEvent:
                continue
            if event.position in wanted:
                found[event.position] += [RowChange(projection.name, model.get(row[0]), row) for row in after]
            for row in after:
                model.put(row)
    return {position: tuple(changes) for position, changes in found.items()}


def changes_of(projection: Projection, events: Sequence[RecordedEvent], position: int) -> tuple[RowChange, ...]:
    """The rows that the event at a position changed."""
    return changes_at((projection,), events, (position,))[position]


NO_LAG: Final = Lag(0, 0)

__all__ = [
    "NO_LAG",
    "Change",
    "Get",
    "Lag",
    "MemoryModel",
    "Model",
    "Projection",
    "Row",
    "RowChange",
    "changes_at",
    "changes_of",
    "fold",
    "lag",
    "model_at",
]
