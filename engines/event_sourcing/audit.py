"""What an audit asks: the difference an event made, the state at a date, and who caused what.

Time is not order: clocks run back, revisions do not. "The state at a date" is therefore the fold of a prefix: up to the
last event that is not later than the date. Events within it that claim to be later are counted, so that the answer
says when it is doubtful.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, NamedTuple

from engines.event_sourcing.events import RecordedEvent


class Change(NamedTuple):
    """One field of a state before and after an event."""

    name: str
    before: Any
    after: Any


def plain(state: Any) -> dict[str, Any]:
    """The fields of a state by name."""
    if is_dataclass(state) and not isinstance(state, type):
        return {each.name: getattr(state, each.name) for each in fields(state)}
    if isinstance(state, Mapping):
        return {str(key): value for key, value in state.items()}
    return {"state": state}


def difference(before: Any, after: Any) -> tuple[Change, ...]:
    """What an event changed, in the order of the fields."""
    old, new = plain(before), plain(after)
    names = [*old, *(name for name in new if name not in old)]
    return tuple(Change(name, old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name))


class AtDate(NamedTuple):
    """How much of a stream had happened at a date."""

    events: int
    """Events in the prefix."""
    doubtful: int
    """Of these, events that claim to be later than the date: a clock ran back."""


def at_date(events: Sequence[RecordedEvent], at_us: int) -> AtDate:
    """The prefix that had happened: up to the last event that is not later than the date."""
    count = 0
    for index, event in enumerate(events, 1):
        if event.at_us <= at_us:
            count = index
    return AtDate(count, sum(1 for event in events[:count] if event.at_us > at_us))


class Balances(NamedTuple):
    """A small projection: what every account holds, at a position."""

    position: int
    balances: tuple[tuple[str, int], ...]
    """Stream and balance, by name."""

    @property
    def total(self) -> int:
        """Of all accounts."""
        return sum(amount for _, amount in self.balances)


def balances(events: Iterable[RecordedEvent], amount: Callable[[RecordedEvent], int | None]) -> Balances:
    """Fold events of all streams into the balance of each. ``amount`` is None for an event that moves nothing."""
    held: dict[str, int] = {}
    position = 0
    for event in events:
        position = event.position
        moved = amount(event)
        if moved is not None:
            held[event.stream] = held.get(event.stream, 0) + moved
    return Balances(position, tuple(sorted(held.items())))


class TreeNode(NamedTuple):
    """A message in the causation tree: an event, or a command that is known by what it caused."""

    depth: int
    id: str
    label: str
    event: RecordedEvent | None
    """None: a command, which no store keeps."""


def causation_tree(events: Iterable[RecordedEvent], correlation_id: str) -> tuple[TreeNode, ...]:
    """The tree of one story, parents before children, siblings in global order: command, event, command, event ..."""
    story = [event for event in events if event.correlation_id == correlation_id]
    known = {event.id: event for event in story}
    children: dict[str, list[str]] = {}
    commands: dict[str, str] = {}
    roots: list[str] = []

    def under(parent: str, child: str) -> None:
        siblings = children.setdefault(parent, []) if parent else roots
        if child not in siblings:
            siblings.append(child)

    for event in story:
        cause = event.causation_id
        if cause and cause not in known and cause not in commands:
            commands[cause] = event.command or "command"
            under(event.command_cause if event.command_cause in known else "", cause)
        under(cause if cause in known or cause in commands else "", event.id)
    found: list[TreeNode] = []
    placed: dict[str, bool] = {}
    stack = [(0, id) for id in reversed(roots)]
    while stack:
        depth, id = stack.pop()
        if id in placed:
            continue
        placed[id] = True
        found.append(TreeNode(depth, id, known[id].type if id in known else commands[id], known.get(id)))
        stack.extend((depth + 1, child) for child in reversed(children.get(id, [])))
    # A circle of causes has no root: forged ids, told as roots of their own.
    found.extend(TreeNode(0, id, event.type, event) for id, event in known.items() if id not in placed)
    return tuple(found)


__all__ = [
    "AtDate",
    "Balances",
    "Change",
    "TreeNode",
    "at_date",
    "balances",
    "causation_tree",
    "difference",
    "plain",
]
