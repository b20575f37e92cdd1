"""A client with a workload: keys drawn uniformly, by Zipf's law, ever growing, or mostly one. And ``you``, who types.

A salted key is kept as n copies under names of their own; a read takes one of them, and the plain key while that copy
does not exist yet; a write writes the plain key and every copy.
"""

from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from engines.sharding.workload import HOT_PPM, Workload, copy_name, growing, weighted, zipf
from engines.sharding.world import messages as m
from engines.sharding.world.events import BY_HAND, Answered, Ending, Hop, RequestSent, Said
from engines.sharding.world.ledger import Ledger
from engines.sharding.world.requests import InFlight, Requests
from engines.sim.history import FAILED, OK, UNKNOWN, RecentHistory
from engines.sim.node import Context
from engines.sim.service import exponential_ppm
from engines.units import PPM, US_PER_MS, US_PER_S

WRITES_PPM: Final = 250_000
QUEUE_MAX: Final = 64
LOG_EVERY: Final = 30
"""Of the requests of a workload that meet no redirect one in so many is recorded."""
STATUS: Final = {Ending.OK: OK, Ending.FAIL: FAILED, Ending.UNKNOWN: UNKNOWN}
START_US: Final = 400 * US_PER_MS
GROWING_MAX: Final = 4_000
"""Keys that one client adds at most; from then on it writes the newest again."""


@dataclass(frozen=True, slots=True)
class Load:
    """What the clients ask, shared by all of them."""

    kind: str
    skew: int
    rate: int
    keys: Workload
    """Which keys; those of ``monotonic`` are made as they are written."""
    salted: tuple[tuple[str, int], ...]
    poisson: bool
    """Requests come at random; else evenly."""

    def copies(self, key: str) -> int:
        """How many salted copies of a key there are."""
        for name, count in self.salted:
            if name == key:
                return count
        return 0


@lru_cache(maxsize=8)
def make_load(
    kind: str,
    skew: int,
    rate: int,
    keys: tuple[tuple[str, int], ...],
    salted: tuple[tuple[str, int], ...] = (),
    poisson: bool = True,
) -> Load:
    """``keys`` with their own weights; Zipf gives the k-th of them a weight of k ** -skew."""
    workload = (
        zipf([key for key, _ in keys], skew / 100) if kind == "zipf" else weighted(keys, HOT_PPM * (kind == "hot"))
    )
    return Load(kind, skew, rate, workload, salted, poisson)


class Operation(NamedTuple):
    """One thing a person or the workload wants; it may take several requests."""

    serial: int
    parts: int
    quiet: bool
    logged: bool


class Client:
    """Makes requests at a rate; ``you`` only those that are typed."""

    def __init__(self, id: str, requests: Requests, load: Load, ledger: Ledger, history: RecentHistory) -> None:
        self.id = id
        self.requests = requests
        self.load = load
        self.ledger = ledger
        self.history = history
        self.works = id != "you"
        self.serial = 0
        self.born = 0
        self.left: dict[int, int] = {}
        """serial -> parts that are still under way."""
        self.queue: deque[tuple[Operation, str, tuple[str, ...], int, str]] = deque()
        self.done = 0
        self.failed = 0
        self.hops: dict[str, tuple[Hop, ...]] = {}
        """key -> the way of the newest request for it; of ``you`` only."""

    def on_start(self, ctx: Context) -> None:
        """Begin to work, once the nodes had time to find each other."""
        for client, serial in tuple(self.history.open):
            if client == self.id:  # asked in an earlier life
                self.history.finish(client, serial, UNKNOWN)
        if self.works:
            ctx.set_timer("think", START_US + self.pause(ctx))

    def pause(self, ctx: Context) -> int:
        """Time to the next request: random (exponential), or always the same."""
        mean = US_PER_S // max(1, self.load.rate)
        stream = ctx.stream("think")
        if not self.load.poisson:
            return mean
        return max(1, mean * exponential_ppm(stream.next()) // PPM)

    def set_load(self, ctx: Context, load: Load) -> None:
        """Another workload."""
        idle = self.load.kind == "off"
        self.load = load
        if self.works and idle and load.kind != "off":
            ctx.set_timer("think", self.pause(ctx))

    def on_timer(self, ctx: Context, name: str) -> None:
        """Think of the next request, or time one out that is in flight."""
        if name != "think":
            self.requests.on_timer(ctx, name, self.on_done)
            self.drain(ctx)
            return
        if self.load.kind == "off":
            return
        ctx.set_timer("think", self.pause(ctx))
        if not self.requests.free() or self.queue:
            return
        stream = ctx.stream("work")
        if self.load.kind == "monotonic" and (self.born < GROWING_MAX or stream.below(2)):
            self.born = min(self.born + 1, GROWING_MAX)
            self.ask(ctx, "put", (growing(self.born, self.id),), stream.between(1, 99), "", True)
            return
        key = self.load.keys.pick(stream.below)
        op = "put" if stream.chance(WRITES_PPM) else "get"
        self.ask(ctx, op, (key,), stream.between(1, 99), "", True)

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """An answer."""
        self.requests.on_message(ctx, src, message, self.on_done)
        self.drain(ctx)

    def on_synced(self, ctx: Context) -> None:
        """A client keeps nothing on disk."""

    def ask(self, ctx: Context, op: str, keys: tuple[str, ...], value: int, node: str, quiet: bool) -> None:
        """Read or write. Several keys: one request where there are slots, else one for each."""
        parts = (
            [(op, keys)]
            if self.requests.map.placement.strategy.slot_table or len(keys) == 1
            else [("get", (key,)) for key in keys]
        )
        copies = self.load.copies(keys[0]) if len(keys) == 1 else 0
        if copies and op == "put":
            parts += [("put", (copy_name(keys[0], number),)) for number in range(1, copies + 1)]
        elif copies:
            number = ctx.stream("salt").between(1, copies)
            parts = [("get", (copy_name(keys[0], number),))]
        if len(self.queue) + len(parts) > QUEUE_MAX:
            return
        self.serial += 1
        asked = Operation(self.serial, len(parts), quiet, not quiet or self.serial % LOG_EVERY == 1)
        self.history.invoke(self.id, self.serial, op, " ".join(keys), value if op == "put" else None)
        self.left[self.serial] = len(parts)
        if not quiet:
            for key in keys:
                self.ledger.touch(key)
        self.queue.extend((asked, each, some, value, node) for each, some in parts)
        self.drain(ctx)

    def drain(self, ctx: Context) -> None:
        """Send what waits, while there is room."""
        while self.queue and self.requests.free():
            asked, op, keys, value, node = self.queue.popleft()
            request = self.requests.send(ctx, op, keys, value, node, asked)
            if asked.logged:
                written = value if op == "put" else 0
                epoch = BY_HAND if node else self.requests.source(keys[0])
                ctx.note(RequestSent(op, keys, request.node, written, epoch))

    def on_done(self, ctx: Context, request: InFlight, status: Ending, items: tuple[m.Item, ...]) -> None:
        """One request is over; when all parts are, so is the operation."""
        asked: Operation = request.origin
        salted = request.op == "get" and status is Ending.OK and not items and "#" in request.keys[0]
        plain = self.plain_of(request.keys[0]) if salted else ""
        if plain:
            self.queue.append((asked, "get", (plain,), 0, ""))
            self.drain(ctx)
            return
        if not asked.quiet:
            for key in request.keys:
                self.hops.pop(key, None)
                self.hops[key] = tuple(request.hops)
            while len(self.hops) > 8:
                del self.hops[next(iter(self.hops))]
        if asked.logged or status is not Ending.OK or any(hop.said is not Said.SERVED for hop in request.hops):
            values = tuple((item.key, item.value) for item in items)
            hops = tuple(request.hops)
            ctx.note(Answered(request.op, request.keys, values, hops, not asked.quiet, status))
        if asked.serial not in self.left:
            return
        self.left[asked.serial] -= 1
        if status is not Ending.OK:
            self.failed += 1
            del self.left[asked.serial]
            self.history.finish(self.id, asked.serial, STATUS[status])
        elif not self.left[asked.serial]:
            del self.left[asked.serial]
            self.done += 1
            result = ", ".join(f"{item.key}={item.value}" for item in items) or "no such key"
            self.history.finish(self.id, asked.serial, OK, result if request.op != "put" else "written")

    def plain_of(self, copy: str) -> str:
        """The key whose salted copy this is, or nothing."""
        for key, count in self.load.salted:
            if any(copy_name(key, number) == copy for number in range(1, count + 1)):
                return key
        return ""
