"""A queue between producers and consumers: every consumer gets every message, a few at a time, at least once.

A broker records no spans, as real ones do not: the producer's and the consumer's span tell of it, and the headers it
keeps with a message are what joins them. A message that is not acknowledged is delivered again.
"""

from collections import deque
from typing import Any, NamedTuple

from engines.sim.agenda import Agenda
from engines.sim.node import Context
from engines.tracing.topology import Service
from engines.tracing.world.events import Redelivered
from engines.tracing.world.figures import Figures
from engines.tracing.world.messages import OK, Ack, Call, Deliver, Reply
from engines.tracing.world.rules import BACKLOG_MAX, PREFETCH, REDELIVER_US


class Queued(NamedTuple):
    """A message, and when it came."""

    call: Call
    at_us: int


class Broker:
    """One queue."""

    def __init__(self, service: Service, life: int) -> None:
        self.id = service.name
        self.consumers = service.consumers
        self.agenda: Agenda[tuple[str, int]] = Agenda()
        self.waiting: dict[str, deque[Queued]] = {name: deque(maxlen=BACKLOG_MAX) for name in service.consumers}
        self.out: dict[int, tuple[str, Queued, int]] = {}
        """What a consumer has and has not acknowledged: (who, what, the entry of the agenda)."""
        self.busy: dict[str, int] = dict.fromkeys(service.consumers, 0)
        self.figures = Figures()
        self.edges: dict[str, Figures] = {}
        self.served = 0
        self.number = life << 32

    @property
    def depth(self) -> int:
        """Messages that wait, for all consumers."""
        return sum(len(line) for line in self.waiting.values())

    def on_start(self, ctx: Context) -> None:
        """Nothing to do until somebody publishes."""

    def on_synced(self, ctx: Context) -> None:
        """It writes nothing to a disk."""

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """Something is published, or done."""
        if type(message) is Call:
            for name in self.consumers:
                self.waiting[name].append(Queued(message, ctx.now_us))
                self.deliver(ctx, name)
            self.served += 1
            self.figures.count(0, False)
            ctx.send(src, Reply(message.number, OK))
        elif type(message) is Ack and message.number in self.out:
            name, kept, entry = self.out.pop(message.number)
            self.agenda.cancel(entry)
            self.busy[name] -= 1
            self.edges.setdefault(name, Figures()).count(ctx.now_us - kept.at_us, False)
            self.deliver(ctx, name)
        self.agenda.arm(ctx)

    def deliver(self, ctx: Context, name: str) -> None:
        """Hand on what the consumer has room for."""
        line = self.waiting[name]
        while line and self.busy[name] < PREFETCH:
            self.busy[name] += 1
            self.hand(ctx, name, line.popleft())

    def hand(self, ctx: Context, name: str, kept: Queued) -> None:
        """Deliver one message, and expect its acknowledgement."""
        self.number += 1
        entry = self.agenda.add(ctx.now_us + REDELIVER_US, ("again", self.number))
        self.out[self.number] = (name, kept, entry)
        operation = f"process {kept.call.operation.partition(' ')[2]}"
        waited_us = max(0, ctx.now_us - kept.at_us)
        ctx.send(name, Deliver(self.number, operation, kept.call.headers, kept.call.truth, waited_us))

    def on_timer(self, ctx: Context, name: str) -> None:
        """A message was not acknowledged in time."""
        for _, number in self.agenda.due(ctx):
            name, kept, _ = self.out.pop(number)
            ctx.note(Redelivered(name, REDELIVER_US))
            self.hand(ctx, name, kept)
        self.agenda.arm(ctx)
