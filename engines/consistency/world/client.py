"""A client: one session, one operation at a time, each recorded in the ledger from invocation to return.

It asks its replica and waits. After ``PATIENCE_US`` it gives up: what became of a write is unknown then, and its
session goes on. The linearizable register is different: there the client itself asks all replicas (``AbdClient``).

ABD, multi-writer (Attiya, Bar-Noy, Dolev 1995; Lynch and Shvartsman 1997). Write: ask a majority for their tags, store
(largest number + 1, own name) at a majority. Read: ask a majority, store the largest back at a majority, return it.
With the store-back every later read meets the value at a majority; without it a value may be seen and then not seen.
"""

from collections import deque
from typing import Any, Final, NamedTuple

from engines.consistency.history import Status
from engines.consistency.vector import VectorClock
from engines.consistency.world import events as ev
from engines.consistency.world.ledger import Ledger
from engines.consistency.world.messages import NO_TAG, Query, Reply, Request, Store, Stored, Tag, Tagged
from engines.rules import Rules
from engines.sim.disk import Disk
from engines.sim.node import Context
from engines.units import US_PER_MS

PATIENCE_US: Final = 1_000 * US_PER_MS
AGAIN_US: Final = 150 * US_PER_MS
"""A replica that has not answered a client is asked again after this (ABD)."""
READ_AGAIN_US: Final = 400 * US_PER_MS
"""A read that is not answered is asked again; a write is not: it might happen twice."""
QUEUE_MAX: Final = 16
AT_ONCE_US: Final = 1
"""The interval of a client that asks again as soon as it is answered."""
READS_PPM: Final = 600_000


class Wish(NamedTuple):
    """An operation that waits its turn."""

    write: bool
    key: str
    replica: str


class Current(NamedTuple):
    """The operation that is open."""

    serial: int
    write: bool
    key: str
    value: int
    began_us: int


class Client:
    """Works by itself, or only when it is told."""

    def __init__(
        self, id: str, home: str, replicas: tuple[str, ...], book: Ledger, disk: Disk, rules: Rules, keys: str,
        interval_us: int,
    ) -> None:  # fmt: skip
        self.id = id
        self.replicas = replicas
        self.home: str = disk.registers.get("home", home)
        self.book = book
        self.disk = disk
        self.rules = rules
        self.keys = keys
        self.interval_us = interval_us
        self.serial: int = disk.registers.get("serial", 0)
        self.seen = VectorClock()
        """The session's vector; without one, the context of its newest answer."""
        self.contexts: dict[str, VectorClock] = {}
        """By key, the context that a read brought: handed back with the next write of the key."""
        self.current: Current | None = None
        self.queue: deque[Wish] = deque(maxlen=QUEUE_MAX)

    # -- its own work ------------------------------------------------------------------------------------------

    def on_start(self, ctx: Context) -> None:
        """Begin to work. What it had asked in an earlier life stays unknown, and its session is a new one."""
        if self.book.is_open(self.id):
            operation, _ = self.book.finish(self.id, Status.INFO)
            ctx.note(ev.GaveUp(operation.call.value == "write", operation.key, 0, ev.Outcome.CRASHED, False))
        self.set_interval(ctx, self.interval_us)

    def set_interval(self, ctx: Context, interval_us: int) -> None:
        """Work at another pace; 0: only when told."""
        self.interval_us = interval_us
        ctx.cancel_timer("think")
        if interval_us:
            ctx.set_timer("think", self._pause(ctx))

    def _pause(self, ctx: Context) -> int:
        if self.interval_us == AT_ONCE_US:
            return AT_ONCE_US
        return ctx.stream("think").between(self.interval_us // 2, self.interval_us * 3 // 2)

    def perform(self, ctx: Context, wish: Wish) -> None:
        """Do this as soon as what is open is over."""
        self.queue.append(wish)
        if self.current is None:
            self._next(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Think, or lose patience."""
        if name == "think":
            if self.interval_us > AT_ONCE_US:
                ctx.set_timer("think", self._pause(ctx))
            if self.current is None and self.interval_us:
                stream = ctx.stream("work")
                key = self.keys[stream.below(len(self.keys))]
                self.perform(ctx, Wish(not stream.chance(READS_PPM), key, ""))
        elif name == "again" and self.current is not None and not self.current.write:
            self.ask(ctx)
        elif name == "patience" and self.current is not None:
            self._over(ctx, Status.INFO, 0, ev.Outcome.NO_ANSWER)

    def on_synced(self, ctx: Context) -> None:
        """Nothing to do."""

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """The answer."""
        if isinstance(message, Reply) and self.current is not None and message.serial == self.current.serial:
            if hasattr(self.rules, "client_vector"):
                self.seen = self.seen.merge(message.seen)
            else:
                self.seen = self.contexts[self.current.key] = message.seen
            value = self.current.value if self.current.write else message.value
            self._over(ctx, Status.OK if message.ok else Status.FAIL, value, ev.Outcome.REFUSED)

    # -- an operation --------------------------------------------------------------------------------------------

    def _next(self, ctx: Context) -> None:
        wish = self.queue.popleft()
        self._settle_home(ctx, wish)
        self.serial += 1
        self.disk.write("serial", self.serial)
        ctx.persist()
        value = self.book.begin(self.id, wish.write, wish.key)
        self.current = Current(self.serial, wish.write, wish.key, value, ctx.now_us)
        ctx.note(ev.Asked(wish.write, wish.key, value, self.asks()))
        ctx.set_timer("patience", PATIENCE_US)
        self.ask(ctx)

    def _settle_home(self, ctx: Context, wish: Wish) -> None:
        home = wish.replica or self.home
        if not wish.replica and not getattr(self.rules, "sticky", True):
            home = self.replicas[ctx.stream("move").below(len(self.replicas))]
        if home != self.home:
            ctx.note(ev.Moved(home, self.home))
            self.home = home
            self.disk.write("home", home)

    def asks(self) -> str:
        """Whom it asks; empty: everybody."""
        return self.home

    def ask(self, ctx: Context) -> None:
        """Send the question."""
        assert self.current is not None
        now = self.current
        seen = self.contexts.get(now.key, VectorClock())
        if hasattr(self.rules, "client_vector"):
            seen = self.seen if self.rules.client_vector else VectorClock()
        ctx.send(self.home, Request(now.serial, now.write, now.key, now.value, seen))
        if not now.write:
            ctx.set_timer("again", READ_AGAIN_US)

    def _over(self, ctx: Context, status: Status, value: int, why: ev.Outcome) -> None:
        assert self.current is not None
        now, self.current = self.current, None
        ctx.cancel_timer("patience")
        ctx.cancel_timer("again")
        _, age_us = self.book.finish(self.id, status, value)
        if status is Status.OK:
            took_us = ctx.now_us - now.began_us
            ctx.note(ev.Answered(now.write, now.key, value, took_us, -1 if age_us is None else age_us))
        else:
            ctx.note(ev.GaveUp(now.write, now.key, now.value, why, status is Status.FAIL))
        if self.queue:
            self._next(ctx)
        elif self.interval_us == AT_ONCE_US:
            ctx.set_timer("think", AT_ONCE_US)


class AbdClient(Client):
    """Coordinates its own operations."""

    def __init__(
        self, id: str, home: str, replicas: tuple[str, ...], book: Ledger, disk: Disk, rules: Rules, keys: str,
        interval_us: int,
    ) -> None:  # fmt: skip
        super().__init__(id, home, replicas, book, disk, rules, keys, interval_us)
        self.answers: dict[str, tuple[Tag, int]] = {}
        self.storing: tuple[Tag, int] | None = None
        self.newest: dict[str, tuple[Tag, int]] = {}
        """By key, the largest version it has returned or written: what it remembers."""

    def asks(self) -> str:
        """Everybody."""
        return ""

    @property
    def majority(self) -> int:
        """More than half."""
        return len(self.replicas) // 2 + 1

    def ask(self, ctx: Context) -> None:
        """The first round: which versions are there?"""
        self.answers, self.storing = {}, None
        self._send(ctx)

    def _send(self, ctx: Context) -> None:
        assert self.current is not None
        now = self.current
        for replica in self.replicas:
            if replica in self.answers:
                continue
            if self.storing is None:
                ctx.send(replica, Query(now.serial, now.key))
            else:
                ctx.send(replica, Store(now.serial, now.key, *self.storing))
        ctx.set_timer("again", AGAIN_US)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Ask again whoever has not answered."""
        if name == "again":
            if self.current is not None:
                self._send(ctx)
            return
        super().on_timer(ctx, name)

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """Answers of the two rounds."""
        now = self.current
        if now is None or message.op != now.serial:
            return
        if isinstance(message, Tagged) and self.storing is None:
            self.answers[src] = message.tag, message.value
            if len(self.answers) == self.majority:
                self._second_round(ctx, now)
        elif isinstance(message, Stored) and self.storing is not None:
            self.answers[src] = self.storing
            if len(self.answers) == self.majority:
                self._return(ctx, now, self.storing)

    def _second_round(self, ctx: Context, now: Current) -> None:
        best = max(self.answers.values())
        if now.write:
            best = (best[0][0] + 1, self.id), now.value
            self.book.tagged(now.key, now.value, best[0])
        elif getattr(self.rules, "remember", True):
            best = max(best, self.newest.get(now.key, (NO_TAG, 0)))
        if not now.write and not getattr(self.rules, "store_back", True):
            self._return(ctx, now, best)
            return
        if not now.write:
            ctx.note(ev.StoredBack(now.key, best[1]))
        self.answers, self.storing = {}, best
        self._send(ctx)

    def _return(self, ctx: Context, now: Current, best: tuple[Tag, int]) -> None:
        self.newest[now.key] = max(best, self.newest.get(now.key, (NO_TAG, 0)))
        self.storing = None
        ctx.cancel_timer("again")
        self._over(ctx, Status.OK, best[1], ev.Outcome.NO_ANSWER)


__all__ = ["AGAIN_US", "PATIENCE_US", "AbdClient", "Client", "Current", "Wish"]
