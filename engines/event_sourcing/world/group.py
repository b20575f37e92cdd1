"""A persistent group: the store keeps the position, and hands each event to one of several consumers.

What is done here is the library's ``Group``; the node feeds it with what is durable, tells it the time, and carries its
deliveries and the answers. The consumers share one database, so that what one has done the other knows.
"""

from collections import deque
from typing import Any, Final

from engines.event_sourcing.errors import EventStoreError
from engines.event_sourcing.groups import Group, GroupOptions, Nack
from engines.event_sourcing.subscriptions import OnPoison, Parked
from engines.event_sourcing.world import events as e
from engines.event_sourcing.world.checks import Ledger
from engines.event_sourcing.world.client import STORE
from engines.event_sourcing.world.messages import Done, Handed, Join, NotDone
from engines.event_sourcing.world.node import StoreNode
from engines.event_sourcing.world.rules import Control, account_of
from engines.sim.disk import Disk
from engines.sim.node import Context

JOIN_US: Final = 300_000
"""How often a consumer says that it is there."""
GONE_US: Final = 2_000_000
"""After which one that says nothing is gone."""
TICK_US: Final = 100_000
NACKS: Final = {OnPoison.PARK: Nack.PARK, OnPoison.PARK_STREAM: Nack.RETRY, OnPoison.STOP: Nack.STOP}
"""What a consumer asks for that cannot read an event. A group promises no order, so no stream is held behind one."""


class Letters:
    """The database of all consumers: how often the effect of each position was done. It survives them."""

    def __init__(self) -> None:
        self.done: dict[int, int] = {}
        self.repeated: list[int] = []
        """Positions whose effect was done again, as it happened."""


class GroupNode(StoreNode):
    """A store with a persistent group in it."""

    def __init__(self, disk: Disk, control: Control, ledger: Ledger) -> None:
        super().__init__(disk, control, ledger)
        self.kept: dict[str, Any] = disk.registers.setdefault("group", {"checkpoint": 0, "parked": ()})
        """What of the group survives: its checkpoint, and what it has parked."""
        options = GroupOptions(timeout_us=control.ack_us, retries=control.retries)
        self.group = Group(options, self.kept["checkpoint"], self.kept["parked"])
        self.heard: dict[str, int] = {}
        """When each consumer was heard from."""
        self.lives: dict[str, int] = {}
        self.before = 0
        """The head when the group began; what lies between its checkpoint and this may have been handed out before."""

    def on_start(self, ctx: Context) -> None:
        """Begin behind the checkpoint."""
        again = self.ledger.starts > 0
        super().on_start(ctx)
        self.before = self.readable if again else 0
        if again:
            ctx.note(e.GroupBegan(self.group.checkpoint, self.readable))
        ctx.set_timer("tick", TICK_US)

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """A consumer says that it is there, or what became of an event."""
        match message:
            case Join(incarnation=incarnation):
                if src in self.heard and self.lives[src] != incarnation:
                    self.part(ctx, src)
                if src not in self.heard:
                    self.group.join(src)
                    ctx.note(e.ConsumerJoined(src, len(self.group.consumers)))
                self.heard[src], self.lives[src] = ctx.now_us, incarnation
            case Done(position=position):
                self.group.ack(position, ctx.now_us)
            case NotDone(position=position, what=what):
                if position in self.group.unacknowledged():
                    self.group.nack(position, what, "it cannot be read", ctx.now_us)
            case _:
                super().on_message(ctx, src, message)
        self.go_on(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Time goes on for the group as well."""
        if name == "tick":
            for consumer in [each for each, at in self.heard.items() if ctx.now_us - at >= GONE_US]:
                self.part(ctx, consumer)
            self.group.tick(ctx.now_us)
            ctx.set_timer("tick", TICK_US)
        else:
            super().on_timer(ctx, name)
        self.go_on(ctx)

    def part(self, ctx: Context, consumer: str) -> None:
        """A consumer is gone, or came back and knows nothing: what it held is handed out again."""
        held = sum(each.consumer == consumer for each in self.group.handed())
        del self.heard[consumer]
        self.group.leave(consumer, ctx.now_us)
        ctx.note(e.ConsumerGone(consumer, held))

    def go_on(self, ctx: Context) -> None:
        """Hand out what there is, and keep what must survive."""
        group = self.group
        group.feed(self.memory.events[group.fed_to : self.readable])
        for each in group.dispatch(ctx.now_us):
            event = each.event
            if each.attempt or event.position <= self.before:
                ctx.note(e.HandedAgain(event.position, event.stream, event.revision, each.consumer, each.attempt))
            ctx.send(each.consumer, Handed(event, each.attempt))
        known = {each.event.position: True for each in self.kept["parked"]}
        for parked in group.parked:
            event = parked.event
            if event.position not in known:
                ctx.note(e.EventParked(event.position, event.stream, event.revision, False, parked.attempts))
        if group.checkpoint != self.kept["checkpoint"]:
            ctx.note(e.GroupCheckpoint(group.checkpoint, self.kept["checkpoint"]))
        self.kept["checkpoint"], self.kept["parked"] = group.checkpoint, tuple(group.parked)

    @property
    def parked(self) -> tuple[Parked, ...]:
        """What is put aside."""
        return tuple(self.group.parked)


class ConsumerNode:
    """One of those that share the work of the group: it writes letters."""

    def __init__(self, name: str, incarnation: int, control: Control, letters: Letters) -> None:
        self.name = name
        self.incarnation = incarnation
        self.control = control
        self.letters = letters
        self.queue: deque[Handed] = deque()
        self.current: Handed | None = None
        self.effects = 0

    def on_start(self, ctx: Context) -> None:
        """Say that it is there."""
        self.on_timer(ctx, "join")

    def on_synced(self, ctx: Context) -> None:
        """What it does is durable at once."""

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """An event to handle; a copy of one that waits already is that one."""
        if isinstance(message, Handed):
            held = (*self.queue, self.current) if self.current is not None else tuple(self.queue)
            if all(each.event.position != message.event.position for each in held):
                self.queue.append(message)
            self.proceed(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Say again that it is there, or be done with an event."""
        if name == "join":
            ctx.send(STORE, Join(self.incarnation))
            ctx.set_timer("join", JOIN_US)
        elif self.current is not None:
            self.finish(ctx, self.current)
            self.current = None
            self.proceed(ctx)

    def proceed(self, ctx: Context) -> None:
        """Take the next event."""
        if self.current is None and self.queue:
            self.current = self.queue.popleft()
            ctx.set_timer("handle", self.control.handle_us)

    def finish(self, ctx: Context, handed: Handed) -> None:
        """The effect, and the answer."""
        event, letters = handed.event, self.letters
        place = event.position, event.stream, event.revision
        try:
            account_of(self.control).upcasters.lift(event)
        except EventStoreError:
            ctx.send(STORE, NotDone(event.position, NACKS[self.control.poison]))
            return
        times = letters.done.get(event.position, 0)
        if times and self.control.idempotent:
            ctx.note(e.EffectKnown(*place))
        else:
            letters.done[event.position] = times + 1
            self.effects += 1
            if times:
                letters.repeated.append(event.position)
            ctx.note(e.EffectRepeated(*place, times + 1) if times else e.EffectDone(*place))
        ctx.send(STORE, Done(event.position))


__all__ = ["ConsumerNode", "GroupNode", "Letters"]
