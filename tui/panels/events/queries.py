"""States folded for the screen: at the cursor, of one stream and of all, with the difference an event made."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from engines.event_sourcing import ORDER, Aggregate, Change, CorruptStore, UnknownEvent, difference
from engines.event_sourcing.events import RecordedEvent, category
from engines.event_sourcing.world.rules import aggregate_of
from engines.event_sourcing.world.snapshot import Snapshot
from tui.kit.memo import of_stream, once
from tui.kit.words import plain
from tui.panel import Figure

KEYS_MAX: Final = 12
"""Fields of a foreign state that are shown."""


class Folded(NamedTuple):
    """A state right after an event."""

    state: Any
    changes: tuple[Change, ...]
    """What the last event did."""
    events: int
    """How many were folded."""
    unread: str
    """Why the last event could not be read; empty: it could."""
    kind: str
    """Whose fold it is: ``account``, ``order``, or ``data``: of streams nobody here knows."""


def _said(state: dict[str, Any], event: RecordedEvent) -> dict[str, Any]:
    """Of a foreign stream: what its data last said, field by field."""
    data = event.data
    if isinstance(data, dict):
        return {**state, "type": event.type, **data}
    return {**state, "type": event.type, "data": data if not isinstance(data, bytes) else f"{len(data)} bytes"}


def aggregate_for(snapshot: Snapshot, stream: str) -> Aggregate[Any] | None:
    """How streams of this category are folded; None: nobody here knows."""
    kinds: dict[str, Aggregate[Any]] = {"account": aggregate_of(snapshot.release), "order": ORDER}
    return kinds.get(category(stream))


def fold(snapshot: Snapshot, stream: str, until: int) -> Folded:
    """The state of a stream as it was at a position."""
    events = [event for event in of_stream(snapshot.events, stream) if event.position <= until]
    aggregate = aggregate_for(snapshot, stream)
    if aggregate is not None:
        try:
            return _known(aggregate, events)
        except UnknownEvent:
            if snapshot.source is None:
                return _as_far(aggregate, events)
    state: dict[str, Any] = {}
    before = state
    for event in events:
        before, state = state, _said(state, event)
    shown = dict(list(state.items())[:KEYS_MAX])
    return Folded(shown, difference(before, state)[:KEYS_MAX], len(events), "", "data")


def _known(aggregate: Aggregate[Any], events: Sequence[RecordedEvent]) -> Folded:
    state = before = aggregate.initial
    for event in events:
        before, state = state, aggregate.apply(state, event)
    return Folded(state, difference(before, state), len(events), "", aggregate.category)


def _as_far(aggregate: Aggregate[Any], events: Sequence[RecordedEvent]) -> Folded:
    """What can be read, without what cannot."""
    state = before = aggregate.initial
    unread = ""
    changed: tuple[Change, ...] = ()
    for event in events:
        try:
            before, state = state, aggregate.apply(state, event)
            changed = difference(before, state)
        except UnknownEvent as error:
            unread, changed = error.why, ()
    return Folded(state, changed, len(events), unread, aggregate.category)


def balances_at(snapshot: Snapshot, until: int) -> tuple[tuple[str, int], ...]:
    """A projection folded to a position: what every account holds, those that moved last in order of name."""
    return once(snapshot.events, ("balances", until), lambda: _balances(snapshot, until))


def _balances(snapshot: Snapshot, until: int) -> tuple[tuple[str, int], ...]:
    aggregate = aggregate_of(snapshot.release)
    states: dict[str, Any] = {}
    for event in snapshot.events:
        if event.position > until:
            break
        if event.category == aggregate.category:
            try:
                states[event.stream] = aggregate.apply(states.get(event.stream, aggregate.initial), event)
            except UnknownEvent:
                continue
    return tuple((name, states[name].balance) for name in sorted(states, key=_natural))


def _natural(name: str) -> tuple[str, int]:
    head, _, number = name.rpartition("-")
    return (head, int(number)) if number.isascii() and number.isdecimal() else (name, 0)


def show(value: Any, width: int = 60) -> str:
    """A value in a few plain characters."""
    if isinstance(value, tuple | list):
        text = ", ".join(show(each, 30) for each in value) or "none"
    elif isinstance(value, dict):
        text = " ".join(f"{name}={show(each, 24)}" for name, each in value.items())
    else:
        text = str(value)
    text = plain(text)
    return text if len(text) <= width else text[: max(0, width - 2)] + ".."


def data_of(event: RecordedEvent) -> str:
    """The data of an event in one line."""
    if isinstance(event.body, bytes):
        return f"{len(event.body)} bytes"
    try:
        return show(event.data, 200)
    except CorruptStore:  # shown as it is
        return show(event.body, 200)


def figures(snapshot: Snapshot) -> tuple[Figure, ...]:
    """The numbers that sum a run up."""
    store, subscribers = snapshot.store, snapshot.subscribers
    return (
        Figure("events", len(snapshot.events)),
        Figure("streams", len({event.stream for event in snapshot.events})),
        Figure("appends", store.appends),
        Figure("conflicts", store.conflicts),
        Figure("syncs", store.syncs),
        Figure("effects", sum(each.effects for each in subscribers)),
        Figure("effects_twice", sum(each.twice for each in subscribers)),
        Figure("parked", sum(len(each.parked) for each in subscribers)),
        Figure("most_behind", max((each.behind for each in subscribers), default=0)),
    )


__all__ = ["Folded", "aggregate_for", "balances_at", "data_of", "fold", "show"]
