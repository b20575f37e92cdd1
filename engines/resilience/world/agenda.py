"""What a machine has to do later. Timeouts, waits and deadlines run on its monotonic clock: a wrong wall clock does
nothing to them.
"""

from collections.abc import Iterator
from heapq import heappop
from typing import NamedTuple

from engines.sim.agenda import TIMER, Agenda
from engines.sim.clock import Clock
from engines.sim.node import Context


class Due(NamedTuple):
    """Something to do: for an edge of the machine, or for the machine itself."""

    what: str
    edge: str = ""
    id: int = 0
    """The call, the attempt or the job it is about."""


class Schedule(Agenda[Due]):
    """An agenda on the monotonic clock."""

    __slots__ = ("clock",)

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def due(self, ctx: Context) -> Iterator[Due]:
        """What is due, one by one, also what is added meanwhile."""
        self.armed_us = -1
        while (at_us := self.next_us()) is not None and at_us <= self.clock.now_us:
            yield self.entries.pop(heappop(self.heap)[1])

    def arm(self, ctx: Context) -> None:
        """Let the machine be woken for the first of it."""
        at_us = self.next_us()
        if at_us is None:
            ctx.cancel_timer(TIMER)
        else:
            ctx.set_timer(TIMER, at_us - self.clock.now_us)
