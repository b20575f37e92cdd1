"""Dotted version vectors: siblings without false ones.

A server that stores values for clients names each put with a *dot*: its own name and the next number. A put carries the
context its client read. It replaces exactly the values whose dots that context covers and stays beside the others.
With a plain vector per value, a put through one server covers whatever that server stored before, also what the
client never saw; with dots it cannot.

Source: Preguica, Baquero, Almeida, Fonte, Goncalves, "Brief announcement: efficient causality tracking in distributed
storage systems with dotted version vectors", PODC 2012; Riak's ``dvvset``.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from engines.consistency.vector import EMPTY, VectorClock


class Dot(NamedTuple):
    """One put: the server that took it, and its number there. Two equal puts are two dots."""

    server: str
    number: int


@dataclass(frozen=True, slots=True)
class Siblings:
    """What a server holds of one key: all values nobody has overwritten, and everything it has seen."""

    seen: VectorClock = EMPTY
    values: tuple[tuple[Dot, Any], ...] = ()
    """Sorted by dot."""

    @property
    def context(self) -> VectorClock:
        """What a reader is given, to hand back with its put."""
        return self.seen

    def read(self) -> tuple[Any, ...]:
        """All current values."""
        return tuple(value for _, value in self.values)

    def put(self, server: str, value: Any, context: VectorClock = EMPTY) -> "Siblings":
        """The siblings after a put through this server."""
        seen = self.seen.merge(context)
        dot = Dot(server, seen.get(server) + 1)
        kept = tuple((each, old) for each, old in self.values if context.get(each.server) < each.number)
        return Siblings(seen.tick(server), tuple(sorted((*kept, (dot, value)), key=_by_dot)))

    def merge(self, other: "Siblings") -> "Siblings":
        """Both together: a value is dropped iff the other side has seen its dot and holds it no longer."""
        mine, theirs = dict(self.values), dict(other.values)
        kept = {dot: value for dot, value in self.values if dot in theirs or other.seen.get(dot.server) < dot.number}
        kept |= {dot: value for dot, value in other.values if dot in mine or self.seen.get(dot.server) < dot.number}
        return Siblings(self.seen.merge(other.seen), tuple(sorted(kept.items(), key=_by_dot)))


def _by_dot(entry: tuple[Dot, Any]) -> Dot:
    return entry[0]


__all__ = ["Dot", "Siblings"]
