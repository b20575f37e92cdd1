"""Follows redirects: what every client library of a sharded store does, and every router for its clients.

It caches a map and learns from MOVED alone: in ``slots`` one slot at a time, and the whole map anew after every fifth
(as redis-py does); elsewhere the newer map that comes with the MOVED. An ASK sends the request on, with a one-shot
permission, and teaches nothing. TRYAGAIN and a cluster that is down are asked again after a pause, silence at another
node. So is a redirect by a map older than one that was followed before: its node lags, and would send it in circles.

TRYAGAIN has a dozen tries. Silence, and a cluster that is down, are tried three times more and then believed, as
redis-py does: who waits for a dead owner has no room for other requests.

A write that is repeated may happen twice: there are no sessions here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from engines.sharding.world import events as e
from engines.sharding.world import messages as m
from engines.sharding.world.events import Ending, Hop, RefusalReason, Said
from engines.sharding.world.ledger import Ledger
from engines.sharding.world.ownership import Atlas, ShardMap
from engines.sharding.world.rules import REDIRECTS_MAX
from engines.sim.node import Context
from engines.units import US_PER_MS

SLOTS_MAX: Final = 16
"""Requests under way at once."""
PATIENCE_US: Final = 1_000 * US_PER_MS
PAUSE_US: Final = 150 * US_PER_MS
DOWN_PAUSE_US: Final = 400 * US_PER_MS
TRIES_MAX: Final = 12
DOWN_TRIES_MAX: Final = 3
REINITIALIZE: Final = 5
"""Ask for the whole map after so many MOVED."""
HOPS_MAX: Final = 12


@dataclass(slots=True)
class InFlight:
    """One request under way."""

    lane: int
    serial: int
    op: str
    keys: tuple[str, ...]
    value: int
    origin: Any
    """The caller's own handle, for the callback."""
    node: str = ""
    asking: int = 0
    """The plan of the ASK that it follows now; 0: none."""
    redirects: int = 0
    """In a row."""
    epoch: int = 0
    """Of the newest map that sent it anywhere."""
    tries: int = 0
    silences: int = 0
    """Of the tries, those that nobody answered."""
    floors: tuple[int, ...] = ()
    hops: list[Hop] = field(default_factory=list)


class Requests:
    """The requests that a client or router has in flight. ``done`` is called with (ctx, request, status, items)."""

    def __init__(self, id: str, first_map: ShardMap, atlas: Atlas, ledger: Ledger, home: str = "") -> None:
        self.id = id
        self.atlas = atlas
        self.home = home
        """The router to ask instead of the nodes, if there is one."""
        self.map = first_map
        self.learned: dict[int, str] = {}
        """slot -> owner, from MOVED."""
        self.ledger = ledger
        self.serial = 0
        self.under_way: dict[int, InFlight] = {}
        """By lane, a small number that also names the timers."""
        self.moved = 0
        self.asked = 0
        self.tried_again = 0
        self.newest: list[Hop] = []

    def free(self) -> bool:
        """Whether another request may be sent."""
        return len(self.under_way) < SLOTS_MAX

    def owner(self, key: str) -> str:
        """Who owns the key, as far as it is known here; or the router."""
        if self.home:
            return self.home
        slot = self.map.placement.strategy.slot_of(key)
        return self.learned[slot] if slot in self.learned else self.map.owner(key)

    def source(self, key: str) -> int:
        """The epoch of the map that names the owner, or what else does."""
        if self.home:
            return e.BY_ROUTER
        return e.BY_MOVED if self.map.placement.strategy.slot_of(key) in self.learned else self.map.epoch

    def send(self, ctx: Context, op: str, keys: tuple[str, ...], value: int, node: str, origin: Any) -> InFlight:
        """Send a request: to this node, or to the owner in the cached map."""
        lane = next(lane for lane in range(SLOTS_MAX) if lane not in self.under_way)
        self.serial += 1
        request = InFlight(lane, self.serial, op, keys, value, origin, epoch=self.map.epoch)
        request.floors = tuple(self.ledger.floor(key) for key in keys)
        self.under_way[lane] = request
        self.go(ctx, request, node or self.owner(keys[0]))
        return request

    def go(self, ctx: Context, request: InFlight, node: str, asking: int = 0) -> None:
        """Ask this node."""
        request.node, request.asking = node, asking
        ctx.send(node, m.Request(request.serial, request.op, request.keys, request.value, asking))
        ctx.set_timer(f"patience{request.lane}", PATIENCE_US)

    def find(self, src: str, serial: int) -> InFlight | None:
        """The request that this answers, if it still waits for this node."""
        for request in self.under_way.values():
            if request.serial == serial and request.node == src:
                return request
        return None

    def on_message(self, ctx: Context, src: str, message: Any, done: "Done") -> None:
        """An answer, a redirect, a refusal, or a map."""
        if isinstance(message, m.MapUpdate):
            self.learn(ctx, message.epoch)
            return
        request = self.find(src, message.serial)
        if request is None:
            return
        match message:
            case m.Answer(items=items):
                self.hop(ctx, request, Said.SERVED if len(items) == len(request.keys) else Said.MISSING, "")
                self.finish(ctx, request, Ending.OK, items, done)
            case m.Moved(epoch=epoch) | m.Ask(epoch=epoch) if self.is_old(request, epoch):
                said = Said.MOVED if isinstance(message, m.Moved) else Said.ASK
                self.hop(ctx, request, said, message.owner)
                ctx.note(e.OldRedirect(request.keys, src, epoch, request.epoch))
                self.refused(ctx, request, said, None, (), done)
            case m.Moved(owner=owner, epoch=epoch):
                self.moved += 1
                request.epoch = epoch
                self.learn_moved(ctx, request, message)
                self.redirect(ctx, request, Said.MOVED, owner, done)
            case m.Ask(owner=owner, epoch=epoch, plan=plan):
                self.asked += 1
                request.epoch = epoch
                self.redirect(ctx, request, Said.ASK, owner, done, plan)
            case m.Refusal(said=said, why=why, about=about):
                self.hop(ctx, request, said, "")
                self.refused(ctx, request, said, why, about, done)

    @staticmethod
    def is_old(request: InFlight, epoch: int) -> bool:
        """Whether a redirect comes from an older map than one that sent the request on before: its node lags."""
        return epoch < request.epoch

    def redirect(self, ctx: Context, request: InFlight, said: Said, owner: str, done: "Done", plan: int = 0) -> None:
        """Go where the answer points, a bounded number of times."""
        self.ledger.redirects += 1
        self.hop(ctx, request, said, owner)
        request.redirects += 1
        if request.redirects > REDIRECTS_MAX:
            chain = tuple(f"{hop.node} {hop.said.value} {hop.to}".strip() for hop in request.hops)
            self.ledger.long_chains.append((self.id, request.keys[0], chain))
        if request.redirects > 3 * REDIRECTS_MAX:
            ctx.note(e.TooManyRedirects(request.keys, request.redirects))
            self.finish(ctx, request, Ending.FAIL, (), done)
            return
        ctx.note(e.Followed(request.keys, request.node, owner, said, request.redirects))
        ctx.cancel_timer(f"patience{request.lane}")
        self.go(ctx, request, owner, plan)

    def learn_moved(self, ctx: Context, request: InFlight, moved: m.Moved) -> None:
        """What a MOVED teaches: this slot, or a newer map."""
        if moved.slot < 0:
            self.learn(ctx, moved.epoch)
            return
        self.learned[moved.slot] = moved.owner
        if self.moved % REINITIALIZE == 0:
            ctx.send(request.node, m.WantMap())

    def learn(self, ctx: Context, epoch: int) -> None:
        """A newer map: what was learned slot by slot is in it, or older than it."""
        newer = self.atlas.get(epoch)
        if newer is None or epoch <= self.map.epoch:
            return
        ctx.note(e.MapCached(newer.epoch, self.map.epoch, len(self.learned)))
        self.map = newer
        self.learned.clear()

    def refused(
        self, ctx: Context, request: InFlight, said: Said, why: RefusalReason | None, about: tuple[str, ...],
        done: "Done",
    ) -> None:  # fmt: skip
        """Ask again after a pause, or not at all. No ``why``: it was sent on by an old map."""
        ctx.cancel_timer(f"patience{request.lane}")
        request.tries += 1
        request.redirects = 0
        most = DOWN_TRIES_MAX if said is Said.CLUSTERDOWN else TRIES_MAX
        if said is Said.CROSSSLOT or request.tries > most:
            ctx.note(e.GaveUp(request.keys, request.node, said, why, about, request.tries))
            unsure = request.op == "put" and request.silences > 0
            self.finish(ctx, request, Ending.UNKNOWN if unsure else Ending.FAIL, (), done)
            return
        if said is Said.TRYAGAIN:
            self.tried_again += 1
        ctx.set_timer(f"pause{request.lane}", PAUSE_US if said is Said.TRYAGAIN else DOWN_PAUSE_US)

    def on_timer(self, ctx: Context, name: str, done: "Done") -> None:
        """A pause is over; or nobody answered: another node may know better."""
        lane = int(name.removeprefix("pause").removeprefix("patience"))
        request = self.under_way.get(lane)
        if request is None:
            return
        if name.startswith("pause"):
            self.go(ctx, request, self.owner(request.keys[0]))
            return
        self.hop(ctx, request, Said.TIMEOUT, "")
        request.tries += 1
        request.silences += 1
        request.redirects = 0
        if request.silences > DOWN_TRIES_MAX or request.tries > TRIES_MAX:
            ctx.note(e.GaveUp(request.keys, request.node, Said.TIMEOUT, None, (), request.tries))
            self.finish(ctx, request, Ending.UNKNOWN, (), done)
            return
        others = [node for node in self.map.nodes if node != request.node and ctx.knows(node) and not self.home]
        again = others[ctx.stream("other").below(len(others))] if others else request.node
        ctx.note(e.NoAnswer(request.keys, request.node, again, request.tries))
        self.go(ctx, request, again)

    def hop(self, ctx: Context, request: InFlight, said: Said, to: str) -> None:
        """Remember the way."""
        hop = Hop(request.node, said, to, ctx.now_us)
        request.hops.append(hop)
        del request.hops[:-HOPS_MAX]
        if said is not Said.SERVED:
            self.newest.append(hop)
            del self.newest[:-8]

    def finish(self, ctx: Context, request: InFlight, status: Ending, items: tuple[m.Item, ...], done: "Done") -> None:
        """It is over."""
        del self.under_way[request.lane]
        ctx.cancel_timer(f"patience{request.lane}")
        ctx.cancel_timer(f"pause{request.lane}")
        if status is Ending.OK:
            self.account(request, items)
        else:
            self.ledger.failed += 1
        done(ctx, request, status, items)

    def account(self, request: InFlight, items: tuple[m.Item, ...]) -> None:
        """For the checks: what is acknowledged now, and what was read that is older than it may be."""
        if request.op == "put":
            self.ledger.ack(items[0].key, items[0].version)
            return
        found = {item.key: item.version for item in items}
        for key, floor in zip(request.keys, request.floors, strict=True):
            if found.get(key, 0) < floor:
                self.ledger.misses.append((self.id, request.node, key, found.get(key, 0), floor))


Done = Callable[[Context, InFlight, Ending, tuple[m.Item, ...]], None]
