"""The write side: command nodes, which validate and decide, and the event store with its outbox.

A command's way is the library's ``Execution``; a node carries it over the network: load the order's stream, decide,
append with the revision that was seen, on a conflict all of it again. Nodes keep nothing, so any of them may take a
command, or its repeat. The store writes events and the messages about them in one transaction, and a relay sends each
message until the bus has confirmed it.
"""

import json
from dataclasses import dataclass
from typing import Any, Final

from engines.cqrs import bus
from engines.cqrs.bus import Execution
from engines.cqrs.errors import CqrsError
from engines.cqrs.outbox import Message, Outbox
from engines.cqrs.world import events as e
from engines.cqrs.world.ledger import Ledger
from engines.cqrs.world.messages import (
    Append,
    Conflicting,
    Draft,
    Load,
    Loaded,
    NotSaved,
    Page,
    Publish,
    Published,
    Read,
    Reply,
    Saved,
    Submit,
)
from engines.cqrs.world.meter import Meter
from engines.cqrs.world.rules import ATTEMPTS, BUS, CAPACITY, STORE, Control
from engines.cqrs.world.server import Server
from engines.event_sourcing.append import NO_STREAM
from engines.event_sourcing.errors import Conflict
from engines.event_sourcing.events import NewEvent, RecordedEvent
from engines.event_sourcing.memory_store import MemoryStore
from engines.sim.disk import Disk
from engines.sim.node import Context

PAGE_EVENTS: Final = 10
RELAY_US: Final = 50_000
"""How often the relay looks whether a message is due again."""
PUBLISHED: Final = "published"
"""The register of the store's disk that tells which messages the bus has confirmed: up to a position, and beyond."""


@dataclass(slots=True)
class Job:
    """A command in the hands of a node."""

    submit: Submit
    sender: str
    execution: Execution
    outgoing: Load | Append
    asked: int = 0


class CommandNode(Server):
    """Takes commands, one decision at a time."""

    def __init__(self, name: str, incarnation: int, control: Control, ledger: Ledger, meter: Meter) -> None:
        super().__init__(name, meter)
        self.control = control
        self.ledger = ledger
        self.incarnation = incarnation
        self.number = 0
        self.jobs: dict[str, Job] = {}
        """By the request they wait for."""

    def on_start(self, ctx: Context) -> None:
        """It remembers nothing."""

    def cost_us(self, message: Any) -> int:
        """Deciding costs; passing on does not."""
        return self.control.decide_us if isinstance(message, Submit) else 0

    def on_timer(self, ctx: Context, name: str) -> None:
        """The store does not answer: ask again."""
        job = self.jobs.get(name)
        if job is None:
            super().on_timer(ctx, name)
        elif job.asked >= ATTEMPTS:
            del self.jobs[name]  # whoever sent it asks elsewhere
        else:
            self.send(ctx, job)

    def send(self, ctx: Context, job: Job) -> None:
        """Ask the store, and wait."""
        job.asked += 1
        request = job.outgoing.request
        self.jobs[request] = job
        ctx.send(STORE, job.outgoing)
        ctx.set_timer(request, self.control.timeout_us)

    def request(self) -> str:
        """A name for a question to the store; an answer to another life of this node is not taken for its own."""
        self.number += 1
        return f"{self.name}.{self.incarnation}#{self.number}"

    def serve(self, ctx: Context, src: str, message: Any) -> None:
        """A command, or the store's word on one."""
        if isinstance(message, Submit):
            self.begin(ctx, src, message)
        elif not isinstance(message, Published):  # without an outbox nobody waits for the bus to confirm
            self.heard(ctx, message)

    def heard(self, ctx: Context, message: Any) -> None:
        """The store's word on a command."""
        job = self.jobs.pop(message.request, None)
        if job is None:
            return
        ctx.cancel_timer(message.request)
        match message:
            case Loaded(events=events):
                self.decide(ctx, job, events)
            case Saved():
                self.saved(ctx, job, message)
            case Conflicting(expected=expected, actual=actual):
                ctx.note(e.Conflicted(job.submit.order, job.submit.name, expected, actual))
                conflict = Conflict(job.submit.order, str(expected), actual, "")
                answer = job.execution.conflicted(conflict)
                if answer is None:
                    self.load(ctx, job)
                else:
                    self.answer(ctx, job, answer)
            case NotSaved():
                ctx.note(e.StoreFull(job.submit.order, job.submit.name))

    def begin(self, ctx: Context, src: str, submit: Submit) -> None:
        """Validate, and load."""
        if self.control.rules.dedupe and any(job.submit.id == submit.id for job in self.jobs.values()):
            return  # it is under way
        try:
            execution = Execution.of(submit.command(), dedupe=self.control.rules.dedupe)
        except CqrsError as error:
            ctx.note(e.CommandInvalid(submit.order, submit.name))
            why = str(error)
            ctx.send(src, Reply(bus.Answer(submit.id, submit.name, submit.order, bus.Status.REFUSED, -1, 0, why)))
            return
        self.load(ctx, Job(submit, src, execution, Load("", "")))

    def load(self, ctx: Context, job: Job) -> None:
        """Ask for the order's events."""
        job.outgoing, job.asked = Load(self.request(), job.execution.stream), 0
        self.send(ctx, job)

    def decide(self, ctx: Context, job: Job, events: tuple[RecordedEvent, ...]) -> None:
        """The library decides."""
        wanted = job.execution.decide(events, job.submit.declined)
        if isinstance(wanted, bus.Answer):
            ctx.note(e.CommandRepeated(job.submit.order, job.submit.name, wanted.position))
            self.answer(ctx, job, wanted)
            return
        expected = -1 if wanted.expected is NO_STREAM else wanted.expected
        assert isinstance(expected, int)
        batch = tuple(
            Draft(each.id, each.type, json.dumps(each.data, separators=(",", ":")), each.version, each.metadata)
            for each in wanted.events
        )
        job.outgoing, job.asked = Append(self.request(), wanted.stream, expected, batch), 0
        self.send(ctx, job)

    def saved(self, ctx: Context, job: Job, message: Saved) -> None:
        """It is recorded. Without an outbox it is this node that tells the bus, once, if it lives long enough."""
        if not self.control.rules.outbox:
            for event in message.events:
                ctx.send(BUS, Publish(event))
        self.answer(ctx, job, job.execution.appended(message.appended))

    def answer(self, ctx: Context, job: Job, answer: bus.Answer) -> None:
        """Tell whoever sent it."""
        submit = job.submit
        if not answer.repeated:
            if answer.status is bus.Status.ACCEPTED:
                ctx.note(e.CommandDone(submit.order, submit.name, answer.version, answer.position))
            elif answer.status is not bus.Status.NOTHING:
                ctx.note(e.CommandRefused(submit.order, submit.name, answer.status, submit.declined))
        ctx.send(job.sender, Reply(answer))


class StoreNode(Server):
    """The event store: one writer at a time, and an outbox."""

    def __init__(self, disk: Disk, control: Control, ledger: Ledger, meter: Meter) -> None:
        super().__init__(STORE, meter)
        self.disk = disk
        self.control = control
        self.ledger = ledger
        self.memory = MemoryStore.of(event for transaction in disk.log for event in transaction)
        self.outbox = Outbox()
        upto, beyond = disk.registers.get(PUBLISHED, (0, ()))
        self.upto: int = upto
        """Every message up to this position has arrived."""
        self.beyond: dict[int, bool] = dict.fromkeys(beyond, True)
        """Positions behind it whose message has arrived."""
        self.conflicts = 0

    def on_start(self, ctx: Context) -> None:
        """The log is the store; what was not confirmed is in the outbox."""
        if self.control.rules.outbox:
            for event in self.memory.events[self.upto :]:
                if event.position not in self.beyond:
                    self.outbox.put(Message(str(event.position), event.type, event.position))
        ctx.set_timer("relay", RELAY_US)

    def cost_us(self, message: Any) -> int:
        """Writing costs more than reading."""
        match message:
            case Append():
                return self.control.append_us
            case Load() | Read():
                return self.control.load_us
        return 0

    def on_timer(self, ctx: Context, name: str) -> None:
        """What was not confirmed is due again."""
        if name == "relay":
            self.relay(ctx)
            ctx.set_timer("relay", RELAY_US)
        else:
            super().on_timer(ctx, name)

    def relay(self, ctx: Context) -> None:
        """Send what is due."""
        for message in self.outbox.send(ctx.now_us, 20):
            ctx.send(BUS, Publish(self.memory.events[message.data - 1]))

    def serve(self, ctx: Context, src: str, message: Any) -> None:
        """Write, read, or note that a message has arrived."""
        match message:
            case Load(request=request, order=order):
                ctx.send(src, Loaded(request, order, self.memory.get_events(order)))
            case Append():
                self.append(ctx, src, message)
            case Read(projection=projection, generation=generation, after=after):
                page = self.memory.read_all(after, PAGE_EVENTS)
                ctx.send(src, Page(projection, generation, after, page, self.memory.head()))
            case Published(position=position):
                self.outbox.acknowledge(str(position))
                self.confirm(position)

    def append(self, ctx: Context, src: str, message: Append) -> None:
        """The library's table decides; a transaction holds the events and the messages about them."""
        if self.memory.head() + len(message.batch) > CAPACITY:
            ctx.send(src, NotSaved(message.request))
            return
        batch = [NewEvent(each.id, each.type, json.loads(each.body), each.version, each.metadata)
                 for each in message.batch]  # fmt: skip
        self.memory.now_us = ctx.now_us
        try:
            appended = self.memory.save_events(
                message.order, batch, message.expected if message.expected >= 0 else NO_STREAM
            )
        except Conflict as conflict:
            self.conflicts += 1
            ctx.send(src, Conflicting(message.request, message.expected, conflict.actual))
            return
        events = tuple(self.memory.events[position - 1] for position in appended.positions)
        if not appended.repeated:
            self.disk.append(events)
            ctx.persist()
            self.ledger.wrote(events)
            ctx.note(e.Appended(
                message.order, events[0].revision, events[-1].position, events[-1].type, events[0].who,
                events[0].command,
            ))  # fmt: skip
        ctx.send(src, Saved(message.request, appended, events))
        if self.control.rules.outbox and not appended.repeated:
            for event in events:
                self.outbox.put(Message(str(event.position), event.type, event.position))
            self.relay(ctx)

    def confirm(self, position: int) -> None:
        """A message has arrived."""
        if position <= self.upto or position in self.beyond:
            return
        self.beyond[position] = True
        while self.upto + 1 in self.beyond:
            self.upto += 1
            del self.beyond[self.upto]
        self.disk.write(PUBLISHED, (self.upto, tuple(self.beyond)))


__all__ = ["CommandNode", "Job", "StoreNode"]
