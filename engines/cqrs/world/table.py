"""A read model as machines of the world keep it: the library's, with what replication and checkpoints need besides.

A projection is code, and code is no part of a machine's state: a table keeps the name of its code instead, and looks it
up when a checkpoint is opened.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from engines.cqrs.projections import Change, Get, MemoryModel, Projection, Row
from engines.cqrs.read_models import (
    CUSTOMER_HISTORY,
    ORDER_SUMMARY,
    ORDER_SUMMARY_BUGGY,
    ORDER_SUMMARY_V2,
    REVENUE_BY_DAY,
)
from engines.event_sourcing.events import RecordedEvent
from engines.event_sourcing.order import LINE_ADDED
from engines.state import kept

NARROW: Final = 20
"""Characters that a column of the read models takes, until it is widened."""
ORDERS: Final = ORDER_SUMMARY.name
HISTORY: Final = CUSTOMER_HISTORY.name
REVENUE: Final = REVENUE_BY_DAY.name
NAMES: Final = (ORDERS, HISTORY, REVENUE)
"""The projections."""


def _narrow(projection: Projection) -> Projection:
    """The same, written to a table whose column is too narrow for some names."""
    change = projection.changes.get(LINE_ADDED)
    if change is None:
        return projection

    def checked(get: Get, event: RecordedEvent, data: Any) -> Iterable[Row]:
        if len(data["item"]) > NARROW:
            raise ValueError(f"place for {len(data['item'])} characters in a column of {NARROW}")
        assert change is not None
        return change(get, event, data)

    changes: dict[str, Change] = {**projection.changes, LINE_ADDED: checked}
    return replace(projection, changes=changes)


_RELEASES: Final = {
    ORDERS: {"right": ORDER_SUMMARY, "buggy": ORDER_SUMMARY_BUGGY, "v2": ORDER_SUMMARY_V2},
    HISTORY: {"right": CUSTOMER_HISTORY},
    REVENUE: {"right": REVENUE_BY_DAY},
}
CODES: Final[dict[str, Projection]] = {
    f"{name}/{release}/{width}": made
    for name, releases in _RELEASES.items()
    for release, code in releases.items()
    for width, made in (("wide", code), ("narrow", _narrow(code)))
}
"""``projection/release/width`` -> the code."""
_NAMES: Final = {id(code): name for name, code in reversed(CODES.items())}


def releases(projection: str) -> tuple[str, ...]:
    """The releases of a projection's code that there are."""
    return tuple(_RELEASES[projection])


def code(projection: str, release: str, narrow: bool) -> Projection:
    """The code of a projection."""
    return CODES[f"{projection}/{release}/{'narrow' if narrow else 'wide'}"]


class Table(MemoryModel):
    """A read model, or a copy of one."""

    def __init__(self, projection: Projection) -> None:
        super().__init__(projection)
        self.generation = 0
        self.stamp = 0
        """Counts changes."""
        self.changed: dict[Any, int] = {}
        """Key -> the stamp of its last change."""
        self.origin: dict[Any, int] = {}
        """Of a copy: key -> the generation of its row."""
        self.catching = False
        """It is reading history from the store."""
        self.stopped_at = 0
        """The event at which a rebuild stands still."""

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        return kept(self, projection=self.code)

    def __setstate__(self, state: tuple[None, dict[str, Any]]) -> None:
        for name, value in state[1].items():
            setattr(self, name, CODES[value] if name == "projection" else value)

    @property
    def code(self) -> str:
        """The name of its code."""
        return _NAMES[id(self.projection)]

    @property
    def release(self) -> str:
        """``right buggy v2``."""
        return self.code.split("/")[1]

    def put(self, row: Row) -> None:
        """Write a row."""
        super().put(row)
        self.changed[row[0]] = self.stamp
        self.origin[row[0]] = self.generation

    def behind(self, stamp: int) -> tuple[Row, ...]:
        """The rows that changed behind a stamp."""
        return tuple(self.get(key) for key, at in self.changed.items() if at > stamp)

    def reset(self, projection: Projection | None = None) -> None:
        """Begin anew."""
        super().reset(projection)
        self.changed.clear()
        self.origin.clear()


__all__ = ["CODES", "HISTORY", "NAMES", "NARROW", "ORDERS", "REVENUE", "Table", "code", "releases"]
