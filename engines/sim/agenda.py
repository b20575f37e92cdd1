"""What a node has to do later: many deadlines, one timer of its host.

A node may have a timeout for every call and a deadline for every job. As timers of the host each would need a name of
its own, and each that is put off or cancelled would still come up once as a step in which nothing happens. Here they
are a heap in the node, and the host's timer stands for the first one that still holds.

    number = self.agenda.add(ctx.now_us + TIMEOUT_US, Timeout(call))
    self.agenda.cancel(number)
    self.agenda.arm(ctx)                            # at the end of whatever the node did

    def on_timer(self, ctx, name):
        for what in self.agenda.due(ctx):           # also what is added meanwhile
            ...
        self.agenda.arm(ctx)
"""

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Final, Generic, TypeVar

from engines.sim.node import Context

TIMER: Final = "agenda"
T = TypeVar("T")


class Agenda(Generic[T]):
    """Deadlines by time; what is due at one moment comes in the order in which it was added. Entries are plain data."""

    __slots__ = ("armed_us", "entries", "heap", "number")

    def __init__(self) -> None:
        self.heap: list[tuple[int, int]] = []
        """(due, number)"""
        self.entries: dict[int, T] = {}
        """What still holds, by number."""
        self.number = 0
        self.armed_us = -1
        """What the host's timer stands for; -1: nothing."""

    def __len__(self) -> int:
        return len(self.entries)

    def add(self, due_us: int, what: T) -> int:
        """Do this then, on the node's own clock; the number returned cancels it."""
        self.number += 1
        heappush(self.heap, (due_us, self.number))
        self.entries[self.number] = what
        return self.number

    def cancel(self, number: int) -> None:
        """Forget an entry; no error if it is over."""
        self.entries.pop(number, None)

    def next_us(self) -> int | None:
        """When the next entry is due."""
        heap = self.heap
        while heap and heap[0][1] not in self.entries:
            heappop(heap)
        return heap[0][0] if heap else None

    def due(self, ctx: Context) -> Iterator[T]:
        """The timer ran out: what is due, one by one.

        A clock that drifts may read a little less than was asked for, and a timer can be run out by hand: what it
        stood for is due all the same.
        """
        until_us, self.armed_us = max(ctx.now_us, self.armed_us), -1
        while (at_us := self.next_us()) is not None and at_us <= until_us:
            yield self.entries.pop(heappop(self.heap)[1])

    def arm(self, ctx: Context) -> None:
        """Let the host's timer stand for the first entry that holds."""
        at_us = self.next_us()
        if at_us is None:
            if self.armed_us >= 0:
                self.armed_us = -1
                ctx.cancel_timer(TIMER)
        elif at_us != self.armed_us:
            self.armed_us = at_us
            ctx.set_timer(TIMER, at_us - ctx.now_us)


__all__ = ["TIMER", "Agenda"]
