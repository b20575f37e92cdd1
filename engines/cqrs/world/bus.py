"""The broker between the roads: what it has confirmed is on its disk, and everybody gets it at least once."""

from typing import Any, Final

from engines.cqrs.world.messages import Deliver, Publish, Published, Subscribe, Taken
from engines.cqrs.world.rules import SAGA, Control
from engines.event_sourcing.events import RecordedEvent
from engines.sim.disk import Disk
from engines.sim.node import Context

AGAIN_US: Final = 300_000
"""After which what a subscriber has not confirmed is sent again."""
WINDOW: Final = 60
"""How far a subscriber may be behind what it is sent."""
AGAIN_MAX: Final = 15
"""How many are sent again at once."""


class BusNode:
    """Keeps events by their position; it does not care in which order they come."""

    def __init__(self, disk: Disk, control: Control) -> None:
        self.disk = disk
        self.control = control
        self.events: dict[int, RecordedEvent] = {event.position: event for event in disk.log}
        self.head = max(self.events, default=0)
        self.taken: dict[str, int] = dict(disk.registers.get("taken", ()))
        """Subscriber -> the position up to which it has handled everything."""
        self.sent: dict[str, int] = {}
        """Subscriber -> the newest position that was sent to it."""
        self.looked: dict[str, int] = {}
        """Where each stood when it was last looked whether it got on."""
        self.twice = 0
        """Messages that were here already."""
        self.again = 0
        """Deliveries that were repeated."""

    def on_start(self, ctx: Context) -> None:
        """Everybody is behind, as far as it knows."""
        ctx.set_timer("again", AGAIN_US)

    def on_synced(self, ctx: Context) -> None:
        """Messages wait for the disk by themselves."""

    def subscribers(self) -> tuple[str, ...]:
        """Who gets everything."""
        return (*self.control.nodes["projectors"], SAGA)

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """An event, or how far a subscriber is."""
        match message:
            case Publish(event=event):
                if event.position in self.events:
                    self.twice += 1
                else:
                    self.events[event.position] = event
                    self.head = max(self.head, event.position)
                    self.disk.append(event)
                    ctx.persist()
                    for name in self.subscribers():
                        self.deliver(ctx, name, event)
                ctx.send(src, Published(event.position))
            case Taken(position=position):
                if position > self.taken.get(src, 0):
                    self.note(src, position)
                    self.fill(ctx, src)
            case Subscribe(position=position):
                self.note(src, position)
                self.sent[src] = position
                self.fill(ctx, src)

    def note(self, name: str, position: int) -> None:
        """A subscriber has handled everything up to here."""
        self.taken[name] = position
        self.disk.write("taken", tuple(self.taken.items()))

    def deliver(self, ctx: Context, name: str, event: RecordedEvent) -> None:
        """Send an event at once, unless its subscriber is far behind: then it comes in its turn."""
        taken = self.taken.get(name, 0)
        if taken < event.position <= taken + WINDOW:
            ctx.send(name, Deliver(event))
            self.sent[name] = max(self.sent.get(name, 0), event.position)

    def fill(self, ctx: Context, name: str) -> None:
        """A subscriber has room: what comes next."""
        taken = self.taken.get(name, 0)
        first = max(self.sent.get(name, 0), taken) + 1
        for position in range(first, min(self.head, taken + WINDOW) + 1):
            event = self.events.get(position)
            if event is not None:
                ctx.send(name, Deliver(event))
            self.sent[name] = position

    def on_timer(self, ctx: Context, name: str) -> None:
        """Whoever does not get on is sent again what it has not confirmed."""
        for each in self.subscribers():
            taken = self.taken.get(each, 0)
            if taken < self.head and self.looked.get(each) == taken:
                waiting = [self.events[position] for position in range(taken + 1, min(self.head, taken + WINDOW) + 1)
                           if position in self.events]  # fmt: skip
                for event in waiting[:AGAIN_MAX]:
                    ctx.send(each, Deliver(event))
                    self.again += 1
            self.looked[each] = taken
        ctx.set_timer("again", AGAIN_US)


__all__ = ["BusNode"]
