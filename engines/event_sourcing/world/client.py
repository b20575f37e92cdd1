"""Tellers: they load an account, decide, append what follows, and on a conflict do all of it again."""

import json
from collections import deque
from typing import Any, Final, NamedTuple

from engines.event_sourcing.account import DEPOSITED, Account, Deposit, Withdraw
from engines.event_sourcing.aggregate import Refused
from engines.event_sourcing.errors import UnknownEvent
from engines.event_sourcing.gaps import Cure, Poller
from engines.event_sourcing.snapshots import Snapshot, encode_state
from engines.event_sourcing.world import events as e
from engines.event_sourcing.world.checks import Ledger
from engines.event_sourcing.world.messages import (
    ANY_REVISION,
    Append,
    Conflicting,
    KeepSnapshot,
    Movement,
    NotSaved,
    Origin,
    Page,
    Poll,
    Read,
    RefusedBy,
    Saved,
    Stream,
)
from engines.event_sourcing.world.rules import ATTEMPTS, POLL_TIMEOUT_US, TIMEOUT_US, Control, account_of
from engines.sim.disk import Disk
from engines.sim.node import Context

STORE: Final = "store"
JOBS_MAX: Final = 8
NEWER_DEPOSIT: Final = 4
FEE: Final = 1
"""What a ``Charge`` takes besides its amount, as a second event of the same batch."""


class Job(NamedTuple):
    """A command a teller is to carry out."""

    id: str
    command: str
    stream: str
    amount: int
    to: str = ""
    story: str = ""
    cause: str = ""

    @property
    def amounts(self) -> tuple[int, ...]:
        """What it moves, event by event."""
        return (self.amount, FEE) if self.command == "Charge" else (self.amount,)


def state_of(snapshot: Snapshot, schema: int) -> Account:
    """A kept state, read as one of this schema. From the second on money is counted in hundredths."""
    owner, balance, status, movements = json.loads(snapshot.state)
    return Account(owner, balance // 100 if schema > 1 else balance, status, movements)


def snapshot_of(stream: str, revision: int, state: Account, schema: int) -> Snapshot:
    """A state as it is kept under this schema."""
    balance = state.balance * 100 if schema > 1 else state.balance
    return Snapshot(stream, revision, schema, encode_state([state.owner, balance, state.status, state.movements]))


class Teller:
    """Does one command at a time; others wait."""

    def __init__(self, name: str, incarnation: int, control: Control, ledger: Ledger) -> None:
        self.name = name
        self.incarnation = incarnation
        self.control = control
        self.ledger = ledger
        self.jobs: deque[Job] = deque()
        self.job: Job | None = None
        self.number = 0
        self.attempt = 0
        self.state = Account()
        self.revision = -1
        self.snapshot = -1
        """The revision of the snapshot the last load began with."""
        self.folded = 0
        """Events the last load folded."""
        self.outgoing: Read | Append | None = None
        self.conflicts = self.done = self.refused = 0

    def on_start(self, ctx: Context) -> None:
        """Begin to work."""
        self.think(ctx)

    def on_synced(self, ctx: Context) -> None:
        """A teller keeps nothing."""

    def think(self, ctx: Context) -> None:
        """The next command comes after a while."""
        if self.control.think_us:
            ctx.set_timer("think", self.control.think_us // 2 + ctx.stream("think").below(self.control.think_us))

    def on_timer(self, ctx: Context, name: str) -> None:
        """Time for another command, or no answer came."""
        if name == "think":
            if self.control.think_us:
                self.make_work(ctx)
            self.think(ctx)
        elif self.job is not None and self.outgoing is not None:
            ctx.note(e.AskedAgain(self.job.stream, self.outgoing.request))
            self.send(ctx, self.outgoing)

    def make_work(self, ctx: Context) -> None:
        """A customer wants something."""
        draw = ctx.stream("work")
        account, kind, amount = 1 + draw.below(self.control.accounts), draw.below(10), 5 + draw.below(45)
        other = 1 + draw.below(self.control.accounts)
        if kind < 5:
            self.ask(ctx, "Deposit", account, amount)
        elif kind < 8 or other == account or not self.control.transfers:
            self.ask(ctx, "Withdraw", account, amount)
        else:
            self.ask(ctx, "Transfer", account, amount, other)

    def ask(self, ctx: Context, command: str, account: int, amount: int, to: int = 0) -> bool:
        """Take a command on; False if too many wait."""
        if len(self.jobs) >= JOBS_MAX:
            return False
        self.number += 1
        id = f"{self.name}{f'.{self.incarnation}' if self.incarnation else ''}-{self.number}"
        target = f"account-{to}" if to else ""
        self.jobs.append(Job(id, command, f"account-{account}", amount, target, f"story-{id}"))
        if self.job is None:
            self.begin(ctx)
        return True

    def begin(self, ctx: Context) -> None:
        """The next command, if one waits."""
        ctx.cancel_timer("answer")
        self.job = self.outgoing = None
        self.attempt = 0
        if self.jobs:
            self.job = self.jobs.popleft()
            self.load(ctx)

    def load(self, ctx: Context) -> None:
        """Ask for the stream."""
        assert self.job is not None
        self.attempt += 1
        first = -1 if self.control.snapshots_every else 0
        self.send(ctx, Read(f"{self.job.id}#{self.attempt}", self.job.stream, first))

    def send(self, ctx: Context, message: Read | Append) -> None:
        """Ask, and wait for the answer."""
        self.outgoing = message
        ctx.send(STORE, message)
        ctx.set_timer("answer", TIMEOUT_US)

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """Answers to what was asked last; older ones are of no use."""
        if self.outgoing is None or getattr(message, "request", "") != self.outgoing.request:
            return
        waits_for_stream = isinstance(self.outgoing, Read)
        match message:
            case Stream() if waits_for_stream:
                self.fold(ctx, message)
            case Saved() if not waits_for_stream:
                self.recorded(ctx, message)
            case Conflicting() if not waits_for_stream:
                self.conflicted(ctx)
            case NotSaved(why=why) if not waits_for_stream:
                self.fail(ctx, e.FailureReason.FULL if why is RefusedBy.FULL else e.FailureReason.CLOSED)

    def fold(self, ctx: Context, message: Stream) -> None:
        """The state, and what the command makes of it."""
        job = self.job
        assert job is not None
        aggregate = account_of(self.control)
        state, self.snapshot = Account(), -1
        old = message.snapshot is not None and message.snapshot.schema != self.control.schema
        if old and self.control.rules.drop_old_snapshots:  # the layout changed while the answer was on its way
            self.send(ctx, Read(f"{job.id}#{self.attempt}", job.stream, 0))
            return
        if message.snapshot is not None:
            state, self.snapshot = state_of(message.snapshot, self.control.schema), message.snapshot.revision
        for event in message.events:
            try:
                _, passed = aggregate.upcasters.lift(event)
                state = aggregate.apply(state, event)
            except UnknownEvent:
                self.fail(ctx, e.FailureReason.UNREADABLE, event.revision)
                return
            if len(passed) > 1:
                ctx.note(e.EventLifted(event.stream, event.revision, event.type, passed[0], passed[-1]))
        self.state, self.folded = state, len(message.events)
        self.revision = message.events[-1].revision if message.events else self.snapshot
        self.ledger.folded(job.stream, self.revision, state, self.snapshot, self.folded)
        command = Deposit if job.command == "Deposit" else Withdraw
        try:
            aggregate.decide(state, command(sum(job.amounts)))
            decided = [each for amount in job.amounts for each in aggregate.decide(state, command(amount))]
        except Refused:
            why = e.RefusalReason.FUNDS if state.status == "open" else e.RefusalReason.STATE
            ctx.note(e.CommandRefused(job.stream, job.command, job.amount, state.balance, self.attempt, why))
            self.refused += 1
            self.begin(ctx)
            return
        types = aggregate.upcasters.types
        batch = tuple(
            Movement(f"{job.id}/{index}", type_, data["amount"], job.to, types[type_])
            for index, (type_, data) in enumerate(decided)
        )
        origin = Origin(self.name, job.id, job.command, job.story, job.cause)
        self.send(ctx, Append(f"{job.id}#{self.attempt}", job.stream, self.revision, batch, origin))

    def recorded(self, ctx: Context, message: Saved) -> None:
        """The command is recorded."""
        job = self.job
        assert job is not None
        sign = 1 if job.command == "Deposit" else -1
        balance = self.state.balance + sign * sum(job.amounts)
        ctx.note(e.CommandDone(job.stream, job.command, job.amount, balance, self.attempt))
        self.done += 1
        every = self.control.snapshots_every
        wrote = len(job.amounts)
        if every and message.revision == self.revision + wrote and message.revision - self.snapshot >= every:
            after = Account(self.state.owner, balance, self.state.status, self.state.movements + wrote)
            kept = snapshot_of(job.stream, message.revision, after, self.control.schema)
            ctx.send(STORE, KeepSnapshot(kept))
        self.begin(ctx)

    def conflicted(self, ctx: Context) -> None:
        """Somebody wrote meanwhile: load and decide again."""
        self.conflicts += 1
        if self.attempt >= ATTEMPTS:
            self.fail(ctx, e.FailureReason.CONFLICTS)
        else:
            self.load(ctx)

    def fail(self, ctx: Context, why: e.FailureReason, revision: int = -1) -> None:
        """Give up."""
        assert self.job is not None
        ctx.note(e.CommandFailed(self.job.stream, self.job.command, why, revision))
        self.begin(ctx)


class Desk(Teller):
    """Carries the money of transfers on: it reads all streams and reacts to an event with a command.

    Its command's id is made of the event's position, and it appends whatever the revision is: should it die and read
    the event again, the store recognises the batch. Its own position is kept once the answer is there.
    """

    def __init__(self, name: str, incarnation: int, disk: Disk, control: Control, ledger: Ledger) -> None:
        super().__init__(name, incarnation, control, ledger)
        self.registers = disk.registers
        self.registers.setdefault("position", 0)
        self.poller = Poller(Cure.HIGH_WATER, mark=self.registers["position"])
        self.asked = 0
        self.todo: deque[tuple[int, Job | None]] = deque()
        """Positions that were read, with what they ask for."""

    def on_start(self, ctx: Context) -> None:
        """Begin to read."""
        ctx.set_timer("poll", 1 + ctx.stream("poll").below(self.control.poll_us))

    def on_timer(self, ctx: Context, name: str) -> None:
        """Ask for more, or again."""
        if name == "poll":
            self.asked += 1
            ctx.send(STORE, Poll(self.asked, self.poller.mark if self.control.variant == "numbered" else self.read_to))
            ctx.set_timer("poll", POLL_TIMEOUT_US)
        else:
            super().on_timer(ctx, name)

    @property
    def read_to(self) -> int:
        """The position up to which it has read."""
        return self.todo[-1][0] if self.todo else int(self.registers["position"])

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """A page of events, or an answer."""
        if not isinstance(message, Page):
            super().on_message(ctx, src, message)
            return
        if message.number != self.asked:
            return
        fresh = {event.position: event for event in message.events}
        if message.view is not None:
            wanted = self.poller.poll(message.view, ctx.now_us)
            self.poller.seen.clear()
            self.poller.passed.clear()
            fresh = {number: fresh[number] for number in wanted}
        for position, event in fresh.items():
            data = event.data
            job = None
            if data.get("to"):
                job = Job(f"desk-{position}", "Deposit", data["to"], data["amount"], "", event.correlation_id, event.id)
            self.todo.append((position, job))
        ctx.set_timer("poll", self.control.poll_us)
        self.proceed(ctx)

    def proceed(self, ctx: Context) -> None:
        """React to the next event that asks for something."""
        while self.todo and self.todo[0][1] is None:
            self.registers["position"] = self.todo.popleft()[0]
        if not self.todo or self.job is not None:
            return
        job = self.todo[0][1]
        assert job is not None
        self.job, self.attempt = job, 1
        origin = Origin(self.name, job.id, job.command, job.story, job.cause)
        batch = (Movement(f"{job.id}/0", DEPOSITED, job.amount, "", 3),)
        self.send(ctx, Append(f"{job.id}#{self.attempt}", job.stream, ANY_REVISION, batch, origin))

    def recorded(self, ctx: Context, message: Saved) -> None:
        """The event was reacted to."""
        self.done += 1
        self.finish(ctx)

    def fail(self, ctx: Context, why: e.FailureReason, revision: int = -1) -> None:
        """The store is full: what cannot be written is not tried for ever."""
        assert self.job is not None
        ctx.note(e.CommandFailed(self.job.stream, self.job.command, why, revision))
        self.finish(ctx)

    def finish(self, ctx: Context) -> None:
        """On to the next event."""
        ctx.cancel_timer("answer")
        self.job = self.outgoing = None
        self.registers["position"] = self.todo.popleft()[0]
        self.proceed(ctx)


__all__ = ["STORE", "Desk", "Job", "Teller", "snapshot_of", "state_of"]
