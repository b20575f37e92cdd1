"""What a node has to do later: many dates, one timer of the world.

A node has a timeout for every call and a date for every job. As timers of the world each would need a name of its own,
and each that is put off or cancelled would still come up once as a step in which nothing happens. Here they are a heap
of plain tuples in the node, and the world is only asked to wake it for the next one that still holds.
"""

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Final

from engines.sim.node import Context

TIMER: Final = "agenda"


class Agenda:
    """Dates by time; what is due at the same moment comes in the order in which it was put down."""

    __slots__ = ("heap", "live", "serial")

    def __init__(self) -> None:
        self.heap: list[tuple[int, int, str, str, int]] = []
        """(due, number, what, edge or nothing, call or job or nothing)"""
        self.live: dict[int, None] = {}
        self.serial = 0

    def add(self, due_us: int, what: str, edge: str = "", id: int = 0) -> int:
        """Put a date down; its number cancels it."""
        self.serial += 1
        heappush(self.heap, (due_us, self.serial, what, edge, id))
        self.live[self.serial] = None
        return self.serial

    def cancel(self, number: int) -> None:
        """Strike a date off; no error if it is over."""
        self.live.pop(number, None)

    def next_us(self) -> int | None:
        """When the next date is due."""
        heap = self.heap
        while heap and heap[0][1] not in self.live:
            heappop(heap)
        return heap[0][0] if heap else None

    def due(self, now_us: int) -> Iterator[tuple[str, str, int]]:
        """The dates until now one by one, also those that are added meanwhile: (what, edge, id)."""
        while (at_us := self.next_us()) is not None and at_us <= now_us:
            _, number, what, edge, id = heappop(self.heap)
            del self.live[number]
            yield what, edge, id

    def wake(self, ctx: Context, now_us: int) -> None:
        """Ask the world to wake the node for the next date. Called at the end of everything a node does."""
        at_us = self.next_us()
        if at_us is None:
            ctx.cancel_timer(TIMER)
        else:
            ctx.set_timer(TIMER, at_us - now_us)
