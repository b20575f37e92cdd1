"""A machine that does one thing at a time: what comes meanwhile waits in line, and a full line turns away."""

from collections import deque
from typing import Any

from engines.cqrs.world import events as e
from engines.cqrs.world.meter import Meter
from engines.cqrs.world.rules import LINE_MAX
from engines.sim.node import Context


class Server:
    """Takes messages in turn. Subclasses say what each costs (``cost_us``) and what is done then (``serve``)."""

    def __init__(self, name: str, meter: Meter) -> None:
        self.name = name
        self.meter = meter
        self.line: deque[tuple[str, Any]] = deque()
        self.working: tuple[str, Any] | None = None
        self.full = False
        """Whether somebody was told that the line is full, since it was empty."""

    def cost_us(self, message: Any) -> int:
        """How long a message keeps the machine busy; 0: no time worth counting, it does not wait in line."""
        raise NotImplementedError

    def serve(self, ctx: Context, src: str, message: Any) -> None:
        """Do it."""
        raise NotImplementedError

    def on_synced(self, ctx: Context) -> None:
        """Messages wait for the disk by themselves."""

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """Serve it in its turn."""
        if not self.cost_us(message):
            self.serve(ctx, src, message)
        elif len(self.line) >= LINE_MAX:
            if not self.full:
                ctx.note(e.TurnedAway(len(self.line)))
            self.full = True
            self.meter.turned_away[self.name] = self.meter.turned_away.get(self.name, 0) + 1
        else:
            self.line.append((src, message))
            self.work(ctx)

    def work(self, ctx: Context) -> None:
        """The next in line, unless something is in hand."""
        if self.working is None and self.line:
            self.working = self.line.popleft()
            cost = max(1, self.cost_us(self.working[1]))
            self.meter.worked(self.name, cost, ctx.now_us)
            ctx.set_timer("work", cost)
            if not self.line:
                self.full = False

    def on_timer(self, ctx: Context, name: str) -> None:
        """What was in hand is done. Subclasses with timers of their own ask here last."""
        if name == "work" and self.working is not None:
            (src, message), self.working = self.working, None
            self.serve(ctx, src, message)
            self.work(ctx)

    @property
    def waiting(self) -> int:
        """How many are in line or in hand."""
        return len(self.line) + (self.working is not None)


__all__ = ["Server"]
