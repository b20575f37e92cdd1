"""Vector clocks: who has seen what.

A clock counts, per node, the events its owner has seen. A missing entry is 0. One clock is before another iff each of
its entries is at most the other's and they differ; two clocks of which neither is before the other are *concurrent*.
The merge takes the larger entry of each node: the least upper bound.

It is often written that two clocks are concurrent if ``vc1 > vc2 and vc2 > vc1``. That is never true, whatever ``>``
means, as long as it is an order: see ``both_greater``.

Pruning cuts a clock that has grown too long, oldest entry first (Dynamo: ten entries). What is cut counts as 0 from
then on, so an ancestor may look concurrent: false siblings, never a lost order the other way round.

Sources: Fidge 1988, Mattern 1989; DeCandia et al., "Dynamo", SOSP 2007, section 4.4.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from itertools import combinations
from typing import Final

CLOCK_MAX: Final = 10
"""Dynamo's limit of entries."""


class Order(Enum):
    """How one clock stands to another."""

    EQUAL = "equal"
    BEFORE = "before"
    AFTER = "after"
    CONCURRENT = "concurrent"


@dataclass(frozen=True, slots=True)
class VectorClock:
    """An immutable clock; entries are sorted by node and never 0, so equal clocks are equal objects."""

    entries: tuple[tuple[str, int], ...] = ()

    @classmethod
    def of(cls, counts: Mapping[str, int] | Iterable[tuple[str, int]]) -> "VectorClock":
        """A clock of these counts; a count is 0 or more."""
        items = counts.items() if isinstance(counts, Mapping) else counts
        return cls(tuple(sorted((node, count) for node, count in items if count)))

    def __iter__(self) -> Iterator[tuple[str, int]]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def get(self, node: str) -> int:
        """How many events of the node are seen."""
        for name, count in self.entries:
            if name == node:
                return count
        return 0

    def tick(self, node: str) -> "VectorClock":
        """The clock after one more event at the node."""
        counts = dict(self.entries)
        counts[node] = counts.get(node, 0) + 1
        return VectorClock.of(counts)

    def merge(self, other: "VectorClock") -> "VectorClock":
        """The least clock that is not before either."""
        counts = dict(self.entries)
        for node, count in other.entries:
            counts[node] = max(count, counts.get(node, 0))
        return VectorClock.of(counts)

    def __le__(self, other: "VectorClock") -> bool:
        counts = dict(other.entries)
        return all(count <= counts.get(node, 0) for node, count in self.entries)

    def __ge__(self, other: "VectorClock") -> bool:
        return other <= self

    def __lt__(self, other: "VectorClock") -> bool:
        return self != other and self <= other

    def __gt__(self, other: "VectorClock") -> bool:
        return other < self

    def compare(self, other: "VectorClock") -> Order:
        """One of the four verdicts."""
        if self == other:
            return Order.EQUAL
        if self <= other:
            return Order.BEFORE
        return Order.AFTER if other <= self else Order.CONCURRENT

    def __str__(self) -> str:
        return "{" + ", ".join(f"{node}:{count}" for node, count in self.entries) + "}"


EMPTY: Final = VectorClock()
"""Nothing seen."""


def both_greater(one: VectorClock, other: VectorClock) -> bool:
    """``one > other and other > one``: never true. If both held, each would be unequal to the other and equal to it."""
    return one > other and other > one


@lru_cache(maxsize=8)
def concurrent_pairs(clocks: tuple[VectorClock, ...]) -> tuple[int, int]:
    """(pairs of which neither clock is before the other, all pairs)."""
    orders = [one.compare(other) for one, other in combinations(clocks, 2)]
    return orders.count(Order.CONCURRENT), len(orders)


def prune(clock: VectorClock, touched_us: Mapping[str, int], limit: int = CLOCK_MAX) -> VectorClock:
    """The clock without its oldest entries, at most ``limit`` of them; ``touched_us`` says when each node last
    wrote."""
    if len(clock) <= limit:
        return clock
    newest = sorted(clock.entries, key=lambda entry: (-touched_us.get(entry[0], 0), entry[0]))
    return VectorClock.of(newest[:limit])


__all__ = ["CLOCK_MAX", "EMPTY", "Order", "VectorClock", "both_greater", "concurrent_pairs", "prune"]
