"""Subscribers: they poll the store for all streams, handle event by event, and keep a checkpoint.

Handling takes time and has two halves, whose order is the checkpoint policy; a crash may fall between them.
"""

from collections import deque
from typing import Any, Final

from engines.event_sourcing.errors import EventStoreError
from engines.event_sourcing.events import RecordedEvent
from engines.event_sourcing.gaps import Cure, Poller
from engines.event_sourcing.subscriptions import CheckpointPolicy, Durable, OnPoison, Stopped, Subscriber
from engines.event_sourcing.world import events as e
from engines.event_sourcing.world.client import STORE
from engines.event_sourcing.world.messages import Page, Poll
from engines.event_sourcing.world.rules import POLL_TIMEOUT_US, Control, account_of
from engines.sim.disk import Disk
from engines.sim.node import Context

POISON_ATTEMPTS: Final = 3


class SubscriberNode:
    """``mail`` writes to customers, ``books`` keeps a projection of all balances."""

    def __init__(self, name: str, disk: Disk, control: Control) -> None:
        self.name = name
        self.control = control
        self.durable: Durable = disk.registers.setdefault("durable", Durable())
        self.poller: Poller = disk.registers.setdefault("poller", Poller(control.cure, control.patience_us))
        self.balances: dict[str, int] = disk.registers.setdefault("balances", {})
        """The projection of ``books``: what each account holds."""
        self.inbox: deque[RecordedEvent] = deque()
        self.current: RecordedEvent | None = None
        self.half = 0
        self.asked = 0
        self.head = 0
        """The newest position the store has told of."""
        self.stopped_at = 0
        self.told: dict[str, int] = disk.registers.setdefault("told", {"effects": 0})
        self.told_parked: dict[int, bool] = disk.registers.setdefault("told_parked", {})
        self.done: dict[int, int] = disk.registers.setdefault("done", {})
        """How often the effect of each position was done."""

    def on_start(self, ctx: Context) -> None:
        """Go on behind the checkpoint."""
        ctx.set_timer("poll", 1 + ctx.stream("poll").below(self.control.poll_us))

    def on_synced(self, ctx: Context) -> None:
        """What it keeps is durable at once: one transaction of its own database."""

    def on_timer(self, ctx: Context, name: str) -> None:
        """Ask the store, or handle the next half of an event."""
        if name == "poll":
            self.asked += 1
            numbered = self.control.variant == "numbered"
            after = min([self.poller.mark, *(gap - 1 for gap in self.poller.holes)]) if numbered else self.read_to
            if numbered and self.poller.cure is not Cure.GAP_AWARE:
                after = self.poller.mark
            ctx.send(STORE, Poll(self.asked, after))
            ctx.set_timer("poll", POLL_TIMEOUT_US)
        elif self.half == 0:
            self.first(ctx)
        else:
            self.second(ctx)

    @property
    def read_to(self) -> int:
        """The position up to which it holds events."""
        if self.inbox:
            return self.inbox[-1].position
        return self.current.position if self.current is not None else self.durable.checkpoint

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """A page of events."""
        if not isinstance(message, Page):
            return
        self.head = max(self.head, message.head)
        stale = message.number != self.asked or message.after > self.read_to
        if stale and (self.control.rules.ignore_stale_pages or message.view is not None):
            ctx.note(e.StalePage(message.after))
            return
        if message.view is not None:
            self.look(ctx, message)
        elif not self.stopped_at:
            known = self.read_to if self.control.rules.ignore_stale_pages else message.after
            self.inbox.extend(event for event in message.events if event.position > known)
            self.proceed(ctx)
        if not self.inbox and self.current is None:
            ctx.set_timer("poll", self.control.poll_us)

    def proceed(self, ctx: Context) -> None:
        """Handle the next event."""
        if self.current is None and self.inbox:
            self.current, self.half = self.inbox.popleft(), 0
            ctx.set_timer("handle", self.control.handle_us // 2)
        elif self.current is None:
            ctx.set_timer("poll", self.control.poll_us)

    def subscriber(self) -> Subscriber:
        """The library's handler, on what is durable here."""
        control = self.control
        return Subscriber(
            self.handle,
            control.policy,
            idempotent=control.idempotent,
            poison=control.poison,
            attempts=1 if control.poison is OnPoison.STOP else POISON_ATTEMPTS,
            durable=self.durable,
        )

    def handle(self, event: RecordedEvent) -> None:
        """The effect. UnknownEvent if nobody here can read it."""
        data, _ = account_of(self.control).upcasters.lift(event)
        amount = data.get("amount", 0)
        sign = -1 if event.type == "MoneyWithdrawn" else 1
        self.balances[event.stream] = self.balances.get(event.stream, 0) + sign * amount

    def first(self, ctx: Context) -> None:
        """The first half of an event."""
        assert self.current is not None
        self.half = 1
        try:
            self.subscriber().first_half(self.current)
        except EventStoreError:
            self.stop(ctx)
            return
        self.tell(ctx)
        ctx.set_timer("handle", self.control.handle_us // 2)

    def second(self, ctx: Context) -> None:
        """The second half of an event."""
        assert self.current is not None
        try:
            self.subscriber().second_half(self.current)
        except EventStoreError:
            self.stop(ctx)
            return
        self.current, self.half = None, 0
        self.tell(ctx)
        self.proceed(ctx)

    def look(self, ctx: Context, page: Page) -> None:
        """A look at a store with gaps: everything it delivers is handled in one transaction with the position."""
        assert page.view is not None
        self.poller.cure = self.control.cure
        fresh = {event.position: event for event in page.events}
        wanted = self.poller.poll(page.view, ctx.now_us)
        for number in self.poller.passed:
            ctx.note(e.GapPassed(number, self.poller.cure.value))
        self.poller.seen.clear()
        self.poller.passed.clear()
        subscriber = self.subscriber()
        subscriber.policy = CheckpointPolicy.TOGETHER
        for number in wanted:
            try:
                subscriber.second_half(fresh[number])
            except Stopped:
                subscriber.poison = OnPoison.PARK
                subscriber.second_half(fresh[number])
        self.durable.checkpoint = max(self.durable.checkpoint, self.poller.mark)
        self.tell(ctx)
        ctx.set_timer("poll", self.control.poll_us)

    def stop(self, ctx: Context) -> None:
        """Stand still at an event that cannot be handled."""
        assert self.current is not None
        event = self.current
        if self.control.policy is CheckpointPolicy.CHECKPOINT_FIRST:
            self.durable.checkpoint = event.position - 1
        self.stopped_at, self.current, self.half = event.position, None, 0
        self.inbox.clear()
        ctx.note(e.SubscriberStopped(event.position, event.stream, event.revision))

    def resume(self, ctx: Context) -> None:
        """Try again where it stopped, and what it parked."""
        if self.durable.parked:
            done = self.subscriber().replay_parked()
            self.tell(ctx)
            ctx.note(e.ParkedReplayed(done, len(self.durable.parked)))
        if self.stopped_at:
            self.stopped_at = 0
            ctx.set_timer("poll", 0)

    def tell(self, ctx: Context) -> None:
        """Note what became durable."""
        durable = self.durable
        for effect in durable.effects[self.told["effects"] :]:
            times = self.done[effect.position] = self.done.get(effect.position, 0) + 1
            place = effect.position, effect.stream, effect.revision
            ctx.note(e.EffectDone(*place) if times == 1 else e.EffectRepeated(*place, times))
        self.told["effects"] = len(durable.effects)
        for parked in durable.parked:
            if parked.event.position not in self.told_parked:
                self.told_parked[parked.event.position] = True
                event = parked.event
                ctx.note(
                    e.EventParked(event.position, event.stream, event.revision, not parked.attempts, parked.attempts)
                )


__all__ = ["SubscriberNode"]
