"""Virtual time in integer microseconds, and the queue of what happens next.

The queue is a heap of plain tuples ``(time_us, seq, ...)``. ``seq`` counts schedulings, so two things at the
same microsecond happen in the order in which they were asked for and tuples are never compared beyond it.
Entries are data, never callables: a callable would neither survive a checkpoint nor point at the right world
after a branch.
"""

from heapq import heapify, heappush
from typing import Any, TypeAlias

Entry: TypeAlias = tuple[Any, ...]
"""``(time_us, seq, *what)``; what follows belongs to the world that scheduled it."""


class Clock:
    """The time that is now, and the heap of entries still to come."""

    __slots__ = ("heap", "now_us", "seq")

    def __init__(self) -> None:
        self.now_us = 0
        self.seq = 0
        self.heap: list[Entry] = []

    def schedule(self, at_us: int, *what: object) -> int:
        """Put an entry in the queue and return its ``seq``, by which it can be removed again."""
        self.seq += 1
        heappush(self.heap, (at_us, self.seq, *what))
        return self.seq

    def remove(self, seqs: frozenset[int]) -> list[Entry]:
        """Take the entries with these numbers out of the queue; return them in their order."""
        removed = sorted(entry for entry in self.heap if entry[1] in seqs)
        if removed:
            self.heap[:] = [entry for entry in self.heap if entry[1] not in seqs]
            heapify(self.heap)
        return removed


__all__ = ["Clock", "Entry"]
