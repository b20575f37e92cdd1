"""What is selected: a scope of the store, an event in it, a way to look, and a machine for the verbs.

Up and down move the cursor through the events of the scope: that is time travel, and everything else on the screen is
shown as it was right after that event. Left and right choose a machine; the verbs act on it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from engines.event_sourcing.events import RecordedEvent, category
from engines.event_sourcing.world.snapshot import Snapshot
from tui.kit.memo import once
from tui.kit.selection import after, chooser, reader
from tui.panel import Focus

ALL: Final = "all"
SCOPES: Final = ("all", "stream", "type", "category", "story")
VIEWS: Final = ("stream", "tree", "balances", "machines")
LISTS: Final = ("stream", "tree")
"""Those that are lists of events."""


class Chosen(NamedTuple):
    """What is looked at, and how."""

    scope: str = ALL
    value: str = ""
    """The stream, type, category or story of the scope."""
    cursor: int = 0
    """The position the cursor stands at; 0: the newest event, whatever comes."""
    view: str = "stream"
    audit: bool = False
    """Whether the list shows who, when and why instead of the data."""


read: Final = reader(Chosen)
choose: Final = chooser(Chosen)


def belongs(event: RecordedEvent, chosen: Chosen) -> bool:
    """Whether an event is in the scope."""
    match chosen.scope:
        case "stream":
            return event.stream == chosen.value
        case "type":
            return event.type == chosen.value
        case "category":
            return category(event.stream) == chosen.value
        case "story":
            return event.correlation_id == chosen.value
        case _:
            return True


def listed(snapshot: Snapshot, focus: Focus) -> Sequence[RecordedEvent]:
    """The events of the scope that the search lets through, in global order."""
    chosen = read(focus)
    if chosen.scope == ALL and not focus.find:
        return snapshot.events
    wanted = focus.find.lower()
    question = (chosen.scope, chosen.value, wanted)
    return once(snapshot.events, question, lambda: [
        event for event in snapshot.events if belongs(event, chosen) and (not wanted or wanted in _text(event))
    ])  # fmt: skip


def _text(event: RecordedEvent) -> str:
    body = event.body if isinstance(event.body, str) else ""
    return f"{event.stream} {event.type} {event.who} {event.command} {event.id} {body}".lower()


def index_of(events: Sequence[RecordedEvent], cursor: int) -> int:
    """Where the cursor stands in a list: at its event, or at the last one before it; -1 in an empty list."""
    if not cursor or not events:
        return len(events) - 1
    return max(0, bisect_right(events, cursor, key=lambda event: event.position) - 1)


def current(snapshot: Snapshot, focus: Focus) -> RecordedEvent | None:
    """The event under the cursor."""
    events = listed(snapshot, focus)
    index = index_of(events, read(focus).cursor)
    return events[index] if index >= 0 else None


def seen_until(snapshot: Snapshot, focus: Focus) -> int:
    """The position up to which the screen shows the world: the cursor's, or the head."""
    event = current(snapshot, focus)
    if event is not None and read(focus).cursor:
        return event.position
    return snapshot.events[-1].position if snapshot.events else 0


def machines(snapshot: Snapshot) -> tuple[str, ...]:
    """The machines in the order in which they stand on the screen."""
    writers = tuple(each.name for each in snapshot.writers)
    return (*writers, *(("store",) if writers else ()), *(each.name for each in snapshot.subscribers))


def fit(snapshot: Snapshot, focus: Focus) -> Focus:
    """The focus with what is gone replaced by what is nearest."""
    if focus.node and focus.node not in machines(snapshot):
        focus = replace(focus, node="")
    chosen = read(focus)
    if chosen.cursor and snapshot.events and chosen.cursor > snapshot.events[-1].position:
        focus = choose(focus, cursor=0)
    if chosen.scope != ALL and not any(belongs(event, chosen) for event in snapshot.events):
        focus = choose(focus, scope=ALL, value="")
    return focus


def move(snapshot: Snapshot, focus: Focus, direction: str) -> Focus:
    """Where an arrow leads."""
    if direction in ("left", "right"):
        names = ("", *machines(snapshot))
        return replace(focus, node=after(names, focus.node, 1 if direction == "right" else -1), chosen=True)
    return step(snapshot, focus, 1 if direction == "down" else -1)


def step(snapshot: Snapshot, focus: Focus, by: int) -> Focus:
    """The cursor, so many events on. At the newest it follows what comes."""
    events = listed(snapshot, focus)
    if not events:
        return focus
    index = min(len(events) - 1, max(0, index_of(events, read(focus).cursor) + by))
    return at(focus, events, index)


def walk(snapshot: Snapshot, focus: Focus, rows: int) -> Focus | None:
    """So many events on in the stream; None: a machine is selected, or the picture is no list."""
    focus = fit(snapshot, focus)
    if focus.area != "picture" or focus.node or read(focus).view not in LISTS:
        return None
    return step(snapshot, focus, rows)


def at(focus: Focus, events: Sequence[RecordedEvent], index: int) -> Focus:
    """The cursor on an event of a list."""
    cursor = 0 if index == len(events) - 1 else events[index].position
    return replace(choose(focus, cursor=cursor), why=False)


__all__ = ["SCOPES", "VIEWS", "Chosen", "choose", "current", "fit", "index_of", "listed", "machines", "move", "read"]
