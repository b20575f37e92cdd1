"""Typed selections: a panel's own record in ``Focus.pick``, read and changed part by part.

A panel defines one frozen record (a ``NamedTuple`` with a default for every part) of what can be selected beside a node
and how things are looked at. Nothing in particular is ``None``, so a fresh ``Focus()`` selects nothing in any panel.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from engines.sim.views import Flight
from tui.panel import Focus


@dataclass(frozen=True, slots=True)
class OnMessage:
    """A message in flight is selected."""

    id: int

    def among(self, flights: Iterable[Flight]) -> Flight | None:
        """The message itself, if it is still one of these; else None."""
        return next((each for each in flights if each.id == self.id), None)

    def nearest(self, flights: Iterable[Any]) -> "OnMessage | None":
        """The one of these that was sent closest to it: the answer of a question that has arrived."""
        near = min(flights, key=lambda each: (abs(each.id - self.id), each.id), default=None)
        return OnMessage(near.id) if near is not None else None

    def walk(self, flights: Sequence[Any], direction: str) -> "OnMessage | None":
        """Where an arrow leads among these, round and round: left back, down to the node, and the others on."""
        if direction == "down" or not flights:
            return None
        return OnMessage(after([each.id for each in flights], self.id, -1 if direction == "left" else 1))


P = TypeVar("P")
T = TypeVar("T")


def message_of(snapshot: Any, focus: Focus) -> Flight | None:
    """The selected message, while it flies: the pick itself, or ``what`` it says is selected; else None."""
    pick = getattr(focus.pick, "what", focus.pick)
    return pick.among(snapshot.flights) if isinstance(pick, OnMessage) else None


def there(found: T | None) -> T:
    """What a focus names that fits: it is there."""
    assert found is not None
    return found


def reader(kind: type[P]) -> Callable[[Focus], P]:
    """A function that reads a focus' record of this kind; where nothing was chosen, its defaults."""
    default = kind()

    def read(focus: Focus) -> P:
        return focus.pick if isinstance(focus.pick, kind) else default

    return read


def chooser(kind: type[P]) -> Callable[..., Focus]:
    """A function that changes parts of that record: ``choose(focus, chart="time")``."""
    default: Any = kind()

    def choose(focus: Focus, **parts: Any) -> Focus:
        now: Any = focus.pick if isinstance(focus.pick, kind) else default
        chosen = now._replace(**parts)
        return replace(focus, pick=None if chosen == default else chosen)

    return choose


def touching(flights: Iterable[T], node: str) -> list[T]:
    """The messages in flight from or to a node, the next to arrive first."""
    every: Iterable[Any] = flights
    return sorted((each for each in every if node in (each.src, each.dst)), key=lambda each: (each.arrives_us, each.id))


def after(items: Sequence[T], now: T | None, step: int = 1) -> T:
    """The item so many places further on, round and round; the first, or the last, if ``now`` is none of them."""
    if now not in items:
        return items[0 if step > 0 else -1]
    return items[(items.index(now) + step) % len(items)]


def beyond(items: Sequence[T], now: T, step: int) -> T | None:
    """The item so many places further on, stopping at the ends; the last, if ``now`` is none of them; None: of none."""
    place = items.index(now) if now in items else len(items) - 1
    return items[max(0, min(len(items) - 1, place + step))] if items else None


def above(levels: Sequence[int], now: int) -> int:
    """The next higher level; above the highest the first again."""
    return next((level for level in levels if level > now), levels[0])
