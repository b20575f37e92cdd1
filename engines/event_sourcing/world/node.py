"""The store as a node: decides on appends by the library's table, writes them to its disk, syncs, then answers.

Appends that come while a sync is under way wait for the next one and share it. Readers are shown what is durable.
"""

from dataclasses import dataclass
from typing import Any, Final

from engines.event_sourcing.account import DEPOSITED, OPENED
from engines.event_sourcing.append import ANY, NO_STREAM, Appended
from engines.event_sourcing.errors import Conflict, StreamClosed
from engines.event_sourcing.events import Metadata, NewEvent, RecordedEvent
from engines.event_sourcing.gaps import NumberedStore
from engines.event_sourcing.log_compaction import CompactedLog
from engines.event_sourcing.memory_store import MemoryStore
from engines.event_sourcing.snapshots import MemorySnapshots
from engines.event_sourcing.world import events as e
from engines.event_sourcing.world.checks import Ledger
from engines.event_sourcing.world.device import Device, frame, recover
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
from engines.event_sourcing.world.rules import CAPACITY, PAGE_EVENTS, Control
from engines.sim.disk import Disk
from engines.sim.node import Context

LAZY_SYNC_US: Final = 400_000
"""When a store that acknowledges first gets round to syncing."""
LOCK_US: Final = 1_000
"""How often a transaction looks whether the one before it in its stream has ended: the key (stream, revision) is
unique, so it must wait for that one. Hence the numbers of a stream are in the order of its revisions."""
WINDOW: Final = 60
"""Numbers that one look at the numbered store shows."""


def new_event(movement: Movement, origin: Origin) -> NewEvent:
    """A movement as an event."""
    if movement.type == OPENED:
        data: dict[str, Any] = {"owner": movement.owner}
    else:
        data = {"amount": movement.amount}
        if movement.type == DEPOSITED:
            data = {"sum": movement.amount} if movement.version == 1 else {**data, "currency": "EUR"}
            if movement.version > 3:
                data["note"] = "thanks"
        if movement.to:
            data["to"] = movement.to
    meta = Metadata(origin.who, 0, origin.command_id, origin.correlation_id, origin.command, origin.cause)
    return NewEvent(movement.id, movement.type, data, movement.version, meta)


@dataclass(slots=True)
class Waiting:
    """A batch that is written and not synced, and who waits for it."""

    src: str
    append: Append
    appended: Appended


class StoreNode:
    """A store with one writer at a time."""

    def __init__(self, disk: Disk, control: Control, ledger: Ledger) -> None:
        self.control = control
        self.ledger = ledger
        self.device: Device = disk.registers.setdefault("device", Device())
        self.snapshots: MemorySnapshots = disk.registers.setdefault("snapshots", MemorySnapshots())
        self.memory = MemoryStore()
        self.readable = 0
        """The newest position readers are shown."""
        self.offset = 0
        self.queue: list[tuple[str, Append]] = []
        self.waiting: list[Waiting] = []
        self.syncing = False

    def on_start(self, ctx: Context) -> None:
        """Read the log. What is read is synced before anybody sees it."""
        found = recover(self.device, whole_batches=self.control.rules.whole_batches)
        self.device.sync()
        self.memory, self.offset, self.readable = MemoryStore.of(found.events), found.offset, len(found.events)
        self.ledger.recovered(self.memory.events)
        if self.ledger.starts:
            ctx.note(e.StoreRecovered(len(found.events), found.dropped, found.broken))
        self.ledger.starts += 1

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """A question, or something to write."""
        match message:
            case Read():
                self.read(ctx, src, message)
            case Append():
                self.append(ctx, src, message)
            case KeepSnapshot(snapshot=snapshot):
                self.snapshots.save_snapshot(snapshot)
                ctx.note(e.SnapshotKept(snapshot.stream, snapshot.revision, snapshot.schema))
            case Poll(number=number, after=after):
                ctx.send(src, self.page(number, after))

    def on_timer(self, ctx: Context, name: str) -> None:
        """The sync is done: what waited for it is durable."""
        self.device.sync()
        self.syncing = False
        self.readable = self.memory.head()
        waiting, self.waiting = self.waiting, []
        for each in waiting:
            self.answer(ctx, each)
        if self.queue:
            self.flush(ctx)

    def on_synced(self, ctx: Context) -> None:
        """The disk of this node is its own device."""

    # -- reading -------------------------------------------------------------------------------------------------

    def visible(self) -> list[RecordedEvent]:
        """Everything a reader can be given, in global order."""
        return self.memory.events[: self.readable]

    def read(self, ctx: Context, src: str, message: Read) -> None:
        """A stream, from the newest usable snapshot if that is asked for."""
        first, snapshot = message.first, None
        if first < 0:
            first = 0
            kept = self.snapshots.snapshot(message.stream)
            if kept is not None and kept.schema != self.control.schema and self.control.rules.drop_old_snapshots:
                ctx.note(e.SnapshotIgnored(kept.stream, kept.revision, kept.schema))
            elif kept is not None:
                snapshot, first = kept, kept.revision + 1
        events = tuple(each for each in self.memory.get_events(message.stream, first) if each.position <= self.readable)
        ctx.send(src, Stream(message.request, message.stream, snapshot, events))

    def page(self, number: int, after: int) -> Page:
        """The next events of all streams."""
        until = min(after + PAGE_EVENTS, self.readable)
        return Page(number, after, tuple(self.memory.events[after:until]), self.readable)

    # -- writing -------------------------------------------------------------------------------------------------

    def append(self, ctx: Context, src: str, message: Append) -> None:
        """Write, or wait for the sync that is under way."""
        self.queue.append((src, message))
        if not self.syncing:
            self.flush(ctx)

    def flush(self, ctx: Context) -> None:
        """Decide on everything that waits, write it, and sync once."""
        queue, self.queue = self.queue, []
        wrote = False
        for src, message in queue:
            appended = self.decide(ctx, src, message)
            if appended is None:
                continue
            waiting = Waiting(src, message, appended)
            if not appended.repeated:
                self.write(appended)
                wrote = True
            if self.control.rules.sync_first and appended.position > self.readable:
                self.waiting.append(waiting)
            else:
                self.answer(ctx, waiting)
        if wrote:
            self.syncing = self.control.rules.sync_first
            if not self.syncing:
                self.readable = self.memory.head()
            ctx.set_timer("sync", self.control.sync_us if self.syncing else LAZY_SYNC_US)

    def decide(self, ctx: Context, src: str, message: Append) -> Appended | None:
        """The library's decision; None: it was refused, and the writer was told."""
        batch = [new_event(each, message.origin) for each in message.batch]
        if self.memory.head() + len(batch) > CAPACITY:
            ctx.send(src, NotSaved(message.request, message.stream, RefusedBy.FULL))
            return None
        expected = {ANY_REVISION: ANY, -1: NO_STREAM}.get(message.expected, message.expected)
        if not self.control.rules.check_expected:
            expected = ANY
        self.memory.now_us = ctx.now_us
        try:
            appended = self.memory.save_events(message.stream, batch, expected)
            if appended.repeated and not self.control.rules.recognise_repeats:
                if expected is not ANY:
                    raise Conflict(message.stream, "", self.memory.revision(message.stream), "")
                again = [event._replace(id=event.id + "+" * self.memory.head()) for event in batch]
                appended = self.memory.save_events(message.stream, again, ANY)
        except Conflict as conflict:
            ctx.note(e.Conflicted(message.stream, message.expected, conflict.actual, message.origin.who))
            self.ledger.conflicts += 1
            ctx.send(src, Conflicting(message.request, message.stream, message.expected, conflict.actual))
            return None
        except StreamClosed:
            ctx.send(src, NotSaved(message.request, message.stream, RefusedBy.CLOSED))
            return None
        return appended

    def write(self, appended: Appended) -> None:
        """The batch's frames, page by page; they wait for the sync."""
        events = self.memory.events[appended.positions[0] - 1 : appended.positions[-1]]
        for event in events:
            data = frame(event, event is events[-1])
            for page, content in self.device.splice(self.offset, data):
                self.device.write(page, content)
            self.offset += len(data)
        self.ledger.wrote(events)

    def answer(self, ctx: Context, waiting: Waiting) -> None:
        """It is durable, or so the writer is told."""
        append, appended = waiting.append, waiting.appended
        origin = append.origin
        if appended.repeated:
            ctx.note(e.Repeated(append.stream, self.shown(appended.position), origin.who))
        else:
            first = appended.revisions[0]
            ctx.note(e.Appended(
                append.stream, first, appended.revision, self.shown(appended.position), origin.who, origin.command
            ))  # fmt: skip
        self.ledger.acknowledged(self.memory.events, appended.positions)
        saved = Saved(
            append.request, append.stream, appended.revision, self.shown(appended.position), appended.repeated
        )
        ctx.send(waiting.src, saved)

    def shown(self, position: int) -> int:
        """The number under which readers know a position."""
        return position

    # -- what a person does to the file ------------------------------------------------------------------------------

    def tamper(self, position: int, body: str) -> None:
        """Change an event in the file, and nothing else: its checksum stays."""
        self.memory.events[position - 1] = self.memory.events[position - 1]._replace(body=body)
        self.rewrite()

    def rewrite(self) -> None:
        """The whole log anew."""
        self.offset = 0
        events = self.memory.events
        for event, behind in zip(events, [*events[1:], None], strict=True):
            last = behind is None or behind.causation_id != event.causation_id
            data = frame(event, last)
            for page, content in self.device.splice(self.offset, data):
                self.device.write(page, content)
            self.offset += len(data)
        self.device.sync()


class NumberedNode(StoreNode):
    """A store whose transactions take their numbers at once and commit later, each when it is ready."""

    def __init__(self, disk: Disk, control: Control, ledger: Ledger) -> None:
        super().__init__(disk, control, ledger)
        self.numbers: NumberedStore = disk.registers.setdefault("numbers", NumberedStore())
        self.number_of: list[int] = disk.registers.setdefault("number_of", [])
        """The number of each event, in the order of the commits."""
        self.rows: dict[int, int] = {number: index for index, number in enumerate(self.number_of)}
        self.open: dict[int, tuple[str, Append]] = {}

    def on_start(self, ctx: Context) -> None:
        """Open transactions died with the process: their numbers are burnt."""
        super().on_start(ctx)
        while len(self.number_of) < len(self.memory.events):
            transaction = self.numbers.begin()
            self.number_of.append(self.numbers.take(transaction))
            self.numbers.commit(transaction)
        for transaction in tuple(self.numbers.alive):
            self.burn(ctx, transaction)
        self.rows = {number: index for index, number in enumerate(self.number_of)}

    def append(self, ctx: Context, src: str, message: Append) -> None:
        """A transaction begins and takes its numbers."""
        transaction = self.numbers.begin()
        for _ in message.batch:
            self.numbers.take(transaction)
        self.open[transaction] = (src, message)
        span = 1 + ctx.stream("commit").below(self.control.commit_us)
        burn = ""
        if self.ledger.hold is not None:
            span, burns = self.ledger.hold
            burn, self.ledger.hold = "burn" if burns else "", None
        ctx.set_timer(f"{burn or 'commit'}:{transaction}", span)

    def on_timer(self, ctx: Context, name: str) -> None:
        """A transaction ends: it commits, or its numbers are burnt."""
        what, _, number = name.partition(":")
        transaction = int(number)
        stream = self.open[transaction][1].stream
        if any(other < transaction and each.stream == stream for other, (_, each) in self.open.items()):
            ctx.set_timer(name, LOCK_US)
            return
        src, message = self.open.pop(transaction)
        if what == "burn":
            self.burn(ctx, transaction)
            return
        numbers = [each.number for each in self.numbers.taken if each.transaction == transaction]
        appended = self.decide(ctx, src, message)
        if appended is None or appended.repeated:
            self.burn(ctx, transaction)
        else:
            self.numbers.commit(transaction)
            for each in numbers:
                self.rows[each] = len(self.number_of)
                self.number_of.append(each)
            self.write(appended)
            self.device.sync()
            self.readable = self.memory.head()
            for each in numbers:
                if any(other > numbers[-1] for other in self.number_of[-8:]):
                    ctx.note(e.GapFilled(each, message.stream))
        if appended is not None:
            self.answer(ctx, Waiting(src, message, appended))

    def burn(self, ctx: Context, transaction: int) -> None:
        """A transaction rolls back."""
        for number in self.numbers.rollback(transaction):
            ctx.note(e.RolledBack(number))

    def shown(self, position: int) -> int:
        """Its number."""
        return self.number_of[position - 1] if position <= len(self.number_of) else 0

    def visible(self) -> list[RecordedEvent]:
        """In the order of their numbers."""
        events = self.memory.events
        return [events[self.rows[number]]._replace(position=number) for number in sorted(self.rows)]

    def page(self, number: int, after: int) -> Page:
        """What is committed behind a number, and who is still under way."""
        view = self.numbers.view(after, WINDOW)
        events = self.memory.events
        found = tuple(events[self.rows[each]]._replace(position=each) for each in view.rows)
        return Page(number, after, found, view.highest, view)


class LogNode(StoreNode):
    """A store that is a log in Kafka's manner: the stream is the key, and compaction keeps its newest event."""

    def __init__(self, disk: Disk, control: Control, ledger: Ledger) -> None:
        super().__init__(disk, control, ledger)
        self.log: CompactedLog = disk.registers.setdefault("log", CompactedLog(CAPACITY + 1))
        self.gone: dict[int, bool] = disk.registers.setdefault("gone", {})
        """Positions that were compacted away."""

    def fill(self) -> None:
        """The log holds what is readable."""
        for event in self.memory.events[self.log.next_offset : self.readable]:
            self.log.append(event.stream, str(event.position), event.at_us)

    def compact(self, now_us: int) -> int:
        """Close the segment and clean it; how many records went."""
        self.fill()
        self.log.roll()
        removed = self.log.compact(now_us)
        kept = dict.fromkeys(each.offset + 1 for each in self.log.read(0))
        self.gone.update((position, True) for position in range(1, self.log.next_offset + 1) if position not in kept)
        return removed

    def visible(self) -> list[RecordedEvent]:
        """What compaction has left."""
        return [event for event in super().visible() if event.position not in self.gone]

    def read(self, ctx: Context, src: str, message: Read) -> None:
        """A stream, as far as it is still there."""
        found = self.memory.get_events(message.stream, max(0, message.first))
        events = tuple(each for each in found if each.position <= self.readable and each.position not in self.gone)
        ctx.send(src, Stream(message.request, message.stream, None, events))

    def page(self, number: int, after: int) -> Page:
        """A reader at the head sees everything, a late one what compaction has left."""
        found = super().page(number, after)
        return found._replace(events=tuple(each for each in found.events if each.position not in self.gone))


__all__ = ["LogNode", "NumberedNode", "StoreNode", "new_event"]
