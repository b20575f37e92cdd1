"""Things a node has to do later, on one timer of its host: a heap of (when, number, what), with those that lapse.

A service has hundreds of things pending: work that ends, calls that time out. A timer for each would leave its name
behind in the host for ever; so the node keeps its own list, and one timer that always stands for the first entry that
still counts. A timeout whose answer has come costs no step.
"""

from heapq import heappop, heappush
from typing import Final

from engines.sim.node import Context

TIMER: Final = "next"


class Agenda:
    """Entries by time. ``lapsed`` numbers are skipped."""

    __slots__ = ("armed_us", "heap", "live", "number")

    def __init__(self) -> None:
        self.heap: list[tuple[int, int, str, int]] = []
        self.live: dict[int, None] = {}
        self.number = 0
        self.armed_us = -1

    def add(self, at_us: int, what: str, subject: int) -> int:
        """Do ``what`` with ``subject`` then; the number returned cancels it."""
        self.number += 1
        heappush(self.heap, (at_us, self.number, what, subject))
        self.live[self.number] = None
        return self.number

    def cancel(self, number: int) -> None:
        """It needs no doing any more."""
        self.live.pop(number, None)

    def fired(self, now_us: int) -> int:
        """The timer ran out: what is due until when. A clock that drifts may read a little less than was asked for."""
        until_us, self.armed_us = max(now_us, self.armed_us), -1
        return until_us

    def due(self, until_us: int) -> tuple[str, int] | None:
        """The next thing that is due, taken off the list; None if nothing is."""
        heap = self.heap
        while heap:
            at_us, number, what, subject = heap[0]
            if number not in self.live:
                heappop(heap)
            elif at_us > until_us:
                break
            else:
                heappop(heap)
                del self.live[number]
                return what, subject
        return None

    def arm(self, ctx: Context) -> None:
        """Let the host's timer stand for the first entry that counts."""
        heap = self.heap
        while heap and heap[0][1] not in self.live:
            heappop(heap)
        at_us = heap[0][0] if heap else -1
        if at_us != self.armed_us:
            self.armed_us = at_us
            if at_us < 0:
                ctx.cancel_timer(TIMER)
            else:
                ctx.set_timer(TIMER, at_us - ctx.now_us)
