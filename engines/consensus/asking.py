"""What the clients of both algorithms share: the pace at which they ask by themselves, and what waits to be asked.

One request is outstanding at a time; what is asked meanwhile waits in a queue.
"""

from collections import deque
from typing import Final

from engines.sim.history import UNKNOWN, History
from engines.sim.node import Context

QUEUE_MAX: Final = 64
KEYS: Final = "xyzuvw"
"""What a client that works by itself asks about."""


class Asking:
    """A client that asks at an interval, or only what it is told. ``_next`` is the algorithm's own."""

    __slots__ = ("history", "id", "interval_us", "queue")

    def __init__(self, id: str, history: History, interval_us: int) -> None:
        self.id = id
        self.history = history
        self.interval_us = interval_us
        """Mean time between requests; 0: only what it is told, -1: as fast as it is answered."""
        self.queue: deque[tuple[str, str, int]] = deque(maxlen=QUEUE_MAX)

    def on_start(self, ctx: Context) -> None:
        """Begin to work. What it had asked in an earlier life stays unknown."""
        for client, serial in tuple(self.history.open):
            if client == self.id:
                self.history.finish(client, serial, UNKNOWN)
        self.set_interval(ctx, self.interval_us)

    def set_interval(self, ctx: Context, interval_us: int) -> None:
        """Work at another pace."""
        self.interval_us = interval_us
        ctx.cancel_timer("think")
        if interval_us:
            ctx.set_timer("think", self._pause(ctx))

    def _pause(self, ctx: Context) -> int:
        if self.interval_us < 0:
            return 1
        return ctx.stream("think").between(self.interval_us // 2, self.interval_us * 3 // 2)

    def _goes_on(self, ctx: Context) -> None:
        """The request is answered: ask what waits, or think a moment where it asks as fast as it can."""
        if self.queue:
            self._next(ctx)
        elif self.interval_us < 0:
            ctx.set_timer("think", 1)

    def _next(self, ctx: Context) -> None:
        """Ask the first that waits."""
        raise NotImplementedError

    def on_synced(self, ctx: Context) -> None:
        """Nothing to do: the question left after the sync."""


__all__ = ["KEYS", "QUEUE_MAX", "Asking"]
