"""Replicas of the simpler designs; Dynamo's and MongoDB's have rooms of their own.

What a replica holds is on its disk and survives a crash. An answer leaves after what it says is durable.
"""

from collections import deque
from typing import Any, ClassVar, Final, NamedTuple

from engines.consistency.hybrid import HybridClock, Stamp
from engines.consistency.vector import EMPTY, VectorClock
from engines.consistency.world import events as ev
from engines.consistency.world import messages as m
from engines.consistency.world.ledger import INITIAL, Ledger
from engines.consistency.world.messages import NO_TAG, Tag, Version
from engines.rules import Rules
from engines.sim.disk import Disk
from engines.sim.node import Context
from engines.units import US_PER_MS

RESEND_US: Final = 250 * US_PER_MS
WAITING_MAX: Final = 64
COUNTS: Final = 1_000
"""A tag's number is microseconds times this, plus the counter of a hybrid time."""


class Seat(NamedTuple):
    """What a replica finds when it starts."""

    id: str
    peers: tuple[str, ...]
    disk: Disk
    rules: Rules
    book: Ledger


class Replica:
    """What all replicas share: a store on disk, peers, rules."""

    design: ClassVar[str] = ""

    def __init__(self, seat: Seat) -> None:
        self.id, self.peers, self.disk, self.rules, self.book = seat

    def rule(self, name: str) -> bool:
        """Whether a rule is on."""
        return bool(getattr(self.rules, name))

    def held(self, key: str) -> Any:
        """What is stored under a key."""
        return self.disk.registers.get(f"key {key}")

    def version(self, key: str) -> Version:
        """The version stored under a key."""
        return self.disk.registers.get(f"key {key}") or Version(NO_TAG, INITIAL)

    def keep(self, key: str, held: Any) -> None:
        """Store it."""
        self.disk.write(f"key {key}", held)

    def values(self) -> tuple[tuple[str, int, Tag], ...]:
        """(key, value, tag) of everything stored, for the picture and for convergence."""
        found = []
        for name, held in self.disk.registers.items():
            if name.startswith("key "):
                found.append((name[4:], held.value, held.tag))
        return tuple(sorted(found))

    @property
    def vector(self) -> VectorClock:
        """What the replica has seen, where its design counts that."""
        return EMPTY

    @property
    def pending(self) -> int:
        """What it still has to do for others: hints, updates held back, operations in hand."""
        return 0

    def on_start(self, ctx: Context) -> None:
        """Begin, or begin again."""

    def on_timer(self, ctx: Context, name: str) -> None:
        """Nothing is due."""

    def on_synced(self, ctx: Context) -> None:
        """Nothing waits for the disk: answers leave after it by themselves."""

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """A message."""
        raise NotImplementedError


class AbdReplica(Replica):
    """Answers queries, keeps what is newer."""

    design = "linearizable"

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """The two rounds of a client."""
        match message:
            case m.Query(op, key):
                version = self.version(key)
                ctx.send(src, m.Tagged(op, version.tag, version.value))
            case m.Store(op, key, tag, value):
                if tag > self.version(key).tag:
                    self.keep(key, Version(tag, value))
                    ctx.persist()
                    ctx.note(ev.Applied(key, value, src))
                ctx.send(src, m.Stored(op))


class OrderedReplica(Replica):
    """Total order broadcast with a fixed sequencer, the last replica.

    A write goes through the sequencer, which gives it a place; every replica delivers places in order. A read returns
    what is here. So all replicas go through the same states, each at its own time: sequential, not linearizable.
    """

    design = "sequential"

    def __init__(self, seat: Seat, *, log_reads: bool = False) -> None:
        super().__init__(seat)
        self.log_reads = log_reads
        self.sequencer = max((self.id, *self.peers))
        self.buffer: dict[int, m.Ordered] = {}
        self.asked: dict[tuple[str, int], tuple[str, m.Forward]] = {}
        """Operations of own clients under way: (client, serial) -> (where to answer, what)."""
        self.placed: dict[str, tuple[int, int]] = {}
        """At the sequencer, by client: its newest operation and its place."""
        for place, each in enumerate(self.disk.log, 1):
            self.placed[each.forward.client] = each.forward.serial, place

    @property
    def applied(self) -> int:
        """The last place that is delivered here."""
        return int(self.disk.registers.get("applied", 0))

    @property
    def vector(self) -> VectorClock:
        """How far the order is delivered."""
        return VectorClock.of({self.sequencer: self.applied})

    @property
    def pending(self) -> int:
        """Places that came too early, and operations under way."""
        return len(self.buffer) + len(self.asked)

    def on_start(self, ctx: Context) -> None:
        """Look after what is missing, now and then."""
        ctx.set_timer("resend", RESEND_US)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Ask the sequencer again: for own operations, and for what may be missing."""
        ctx.set_timer("resend", RESEND_US)
        if self.id != self.sequencer:
            for _, forward in list(self.asked.values())[:8]:
                ctx.send(self.sequencer, forward)
            ctx.send(self.sequencer, m.Missing(self.applied + 1))

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """Clients, the sequencer's part, the order."""
        match message:
            case m.Request(serial, write, key, value, _):
                if not write and not self.log_reads:
                    ctx.send(src, m.Reply(serial, True, self.version(key).value, EMPTY))
                    return
                forward = m.Forward(src, serial, write, key, value)
                if write and not self.rule("wait_for_delivery"):
                    ctx.send(src, m.Reply(serial, True, value, EMPTY))
                self.asked = {k: v for k, v in self.asked.items() if k[0] != src}
                self.asked[src, serial] = src, forward
                if self.id == self.sequencer:
                    self._sequence(ctx, self.id, forward)
                else:
                    ctx.send(self.sequencer, forward)
            case m.Forward():
                self._sequence(ctx, src, message)
            case m.Ordered():
                self.buffer[message.place] = message
                self._deliver(ctx)
            case m.Missing(place):
                for at in range(place, min(place + 16, len(self.disk.log) + 1)):
                    ctx.send(src, self.disk.log[at - 1])

    def _sequence(self, ctx: Context, home: str, forward: m.Forward) -> None:
        serial, place = self.placed.get(forward.client, (0, 0))
        if forward.serial <= serial:
            if forward.serial == serial and home != self.id:
                ctx.send(home, self.disk.log[place - 1])
            return
        place = len(self.disk.log) + 1
        ordered = m.Ordered(place, home, forward)
        self.placed[forward.client] = forward.serial, place
        self.disk.append(ordered)
        ctx.persist()
        if forward.write:
            self.book.sequenced(forward.key, forward.value, place)
            ctx.note(ev.Sequenced(place, forward.key, forward.value, forward.client))
        for peer in self.peers:
            ctx.send(peer, ordered)
        self.buffer[place] = ordered
        self._deliver(ctx)

    def _deliver(self, ctx: Context) -> None:
        for place in [place for place in self.buffer if place <= self.applied]:
            del self.buffer[place]
        while (ordered := self.buffer.pop(self.applied + 1, None)) is not None:
            forward = ordered.forward
            if forward.write:
                self.keep(forward.key, Version((ordered.place, ""), forward.value))
                if self.id != ordered.home:
                    ctx.note(ev.Applied(forward.key, forward.value, ordered.home))
            self.disk.write("applied", ordered.place)
            ctx.persist()
            asked = self.asked.pop((forward.client, forward.serial), None)
            if asked is not None and (self.rule("wait_for_delivery") or not forward.write):
                value = forward.value if forward.write else self.version(forward.key).value
                ctx.send(asked[0], m.Reply(forward.serial, True, value, EMPTY))


class CausalReplica(Replica):
    """Causal broadcast: apply, tell everybody, deliver what depends on nothing that is missing.

    An update of src with vector V is delivered where V[src] = L[src] + 1 and V[j] <= L[j] for all others. Replicas
    ask each other now and then for what they lack, so every update arrives sooner or later.
    """

    design = "causal"

    def __init__(self, seat: Seat) -> None:
        super().__init__(seat)
        self.clock = HybridClock(self.disk.registers.get("hybrid", Stamp(0)))
        self.held_back: list[m.Update] = []
        self.waiting: deque[tuple[str, m.Request]] = deque(maxlen=WAITING_MAX)
        self.known: dict[str, VectorClock] = {}

    @property
    def vector(self) -> VectorClock:
        """L: how many updates of each replica are delivered here."""
        vector: VectorClock = self.disk.registers.get("vector", EMPTY)
        return vector

    @property
    def pending(self) -> int:
        """Updates that wait for others."""
        return len(self.held_back)

    def on_start(self, ctx: Context) -> None:
        """Compare vectors now and then."""
        ctx.set_timer("digest", ctx.stream("digest").between(RESEND_US // 2, RESEND_US))

    def on_timer(self, ctx: Context, name: str) -> None:
        """Tell everybody what is delivered here."""
        ctx.set_timer("digest", RESEND_US)
        for peer in self.peers:
            ctx.send(peer, m.Digest(self.vector))

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """Clients, updates, comparisons."""
        match message:
            case m.Request():
                if self.rule("client_vector") and not message.seen <= self.vector:
                    self.waiting.append((src, message))
                    ctx.note(ev.Waits(src, message.seen, self.vector))
                else:
                    self._serve(ctx, src, message)
            case m.Update():
                self._take(ctx, message)
            case m.Digest(vector):
                self._compare(ctx, src, vector)

    def _serve(self, ctx: Context, client: str, request: m.Request) -> None:
        value = request.value
        if request.write:
            done = self.disk.registers.get(f"wrote {client}", 0)
            if request.serial < done:
                return  # overtaken by a later write of its client, which has given it up
            if request.serial > done:  # else the network repeated it: once more would be after who has seen it
                self.disk.write(f"wrote {client}", request.serial)
                self._write(ctx, request.key, value)
        else:
            value = self.version(request.key).value
        ctx.send(client, m.Reply(request.serial, True, value, self.vector))

    def _write(self, ctx: Context, key: str, value: int) -> None:
        vector = self.vector.tick(self.id)
        stamp = self.clock.send(ctx.now_us)
        tag = stamp.l_us * COUNTS + stamp.c, self.id
        self.book.tagged(key, value, tag)
        update = m.Update(self.id, vector, key, value, tag)
        self.disk.write("vector", vector)
        self.disk.write("hybrid", stamp)
        self.disk.append(update)
        self._store(ctx, update)
        ctx.persist()
        for peer in self.peers:
            ctx.send(peer, update)

    def _store(self, ctx: Context, update: m.Update) -> None:
        held = self.version(update.key)
        if self.rule("hybrid_time") and held.tag > update.tag:
            ctx.note(ev.Outdated(update.key, update.value, held.value))
        else:
            self.keep(update.key, Version(update.tag, update.value))
            if update.src != self.id:
                ctx.note(ev.Applied(update.key, update.value, update.src))

    def _take(self, ctx: Context, update: m.Update) -> None:
        mine = self.vector
        count = update.vector.get(update.src)
        if count <= mine.get(update.src) or update in self.held_back:
            return
        if self._ready(update) or not self.rule("delivery"):
            self._apply(ctx, update)
            self._release(ctx)
        else:
            self.held_back.append(update)
            ctx.note(ev.HeldBack(update.key, update.value, update.src, update.vector, mine))

    def _ready(self, update: m.Update) -> bool:
        mine = self.vector
        return all(
            count == mine.get(node) + 1 if node == update.src else count <= mine.get(node)
            for node, count in update.vector
        )

    def _apply(self, ctx: Context, update: m.Update) -> None:
        counts = dict(self.vector)
        counts[update.src] = max(counts.get(update.src, 0), update.vector.get(update.src))
        self.disk.write("vector", VectorClock.of(counts))
        stamp = self.clock.receive(ctx.now_us, Stamp(update.tag[0] // COUNTS, update.tag[0] % COUNTS))
        self.disk.write("hybrid", stamp)
        self._store(ctx, update)
        ctx.persist()

    def _release(self, ctx: Context) -> None:
        grown = True
        while grown:
            grown = False
            for update in list(self.held_back):
                if self._ready(update) or update.vector.get(update.src) <= self.vector.get(update.src):
                    self.held_back.remove(update)
                    if self._ready(update):
                        ctx.note(ev.Released(update.key, update.value, update.src))
                        self._apply(ctx, update)
                    grown = True
        for _ in range(len(self.waiting)):
            client, request = self.waiting.popleft()
            if request.seen <= self.vector:
                self._serve(ctx, client, request)
            else:
                self.waiting.append((client, request))

    def _compare(self, ctx: Context, src: str, vector: VectorClock) -> None:
        """Send what the other lacks of this replica's own updates; forget what everybody has."""
        self.known[src] = vector
        base: int = self.disk.registers.get("base", 0)
        lacks = vector.get(self.id)
        for update in self.disk.log[max(0, lacks - base) : max(0, lacks - base) + 8]:
            ctx.send(src, update)
        if len(self.known) == len(self.peers):
            everywhere = min(each.get(self.id) for each in self.known.values())
            if everywhere - base >= 64:
                kept = self.disk.log[everywhere - base :]
                self.disk.truncate(0)
                self.disk.append(*kept)
                self.disk.write("base", everywhere)


class CacheReplica(Replica):
    """Fire and forget: a write is stored here, pushed once, and answered at once. No retry, no repair."""

    design = "weak"

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """Clients and pushes."""
        match message:
            case m.Request(serial, write, key, value, _):
                if write:
                    self.keep(key, Version((ctx.now_us, self.id), value))
                    ctx.persist()
                    if self.rule("push"):
                        for peer in self.peers:
                            ctx.send(peer, m.Push(key, value))
                else:
                    value = self.version(key).value
                ctx.send(src, m.Reply(serial, True, value, EMPTY))
            case m.Push(key, value):
                self.keep(key, Version((ctx.now_us, src), value))
                ctx.persist()
                ctx.note(ev.Applied(key, value, src))


__all__ = ["COUNTS", "RESEND_US", "AbdReplica", "CacheReplica", "CausalReplica", "OrderedReplica", "Replica", "Seat"]
