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

from engines.sharding.cluster import messages as m
from engines.sharding.cluster.ledger import Ledger
from engines.sharding.cluster.ownership import Atlas, ShardMap, raw
from engines.sharding.cluster.rules import REDIRECTS_MAX
from engines.sharding.cluster.snapshot import Hop
from engines.sharding.hashing import crc16
from engines.sim.clock import US_PER_MS
from engines.sim.node import Context

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
class Errand:
    """One request under way."""

    lane: int
    serial: int
    op: str
    keys: tuple[str, ...]
    value: int
    origin: Any
    """Whoever asked, for the callback."""
    node: str = ""
    asking: bool = False
    redirects: int = 0
    """In a row."""
    epoch: int = 0
    """Of the newest map that sent it anywhere."""
    tries: int = 0
    silences: int = 0
    """Of the tries, those that nobody answered."""
    floors: tuple[int, ...] = ()
    hops: list[Hop] = field(default_factory=list)


class Courier:
    """The redirect-following half of a client or router. ``done`` is called with (ctx, errand, status, items)."""

    def __init__(self, id: str, first_map: ShardMap, atlas: Atlas, ledger: Ledger, home: str = "") -> None:
        self.id = id
        self.atlas = atlas
        self.home = home
        """The router to ask instead of the nodes, if there is one."""
        self.map = first_map
        self.learned: dict[int, str] = {}
        """slot -> owner, from MOVED."""
        self.ledger = ledger
        self.slotted = first_map.placement.strategy.name == "slots"
        self.serial = 0
        self.errands: dict[int, Errand] = {}
        """By lane, a small number that also names the timers."""
        self.moved = 0
        self.asked = 0
        self.tried_again = 0
        self.newest: list[Hop] = []

    def free(self) -> bool:
        """Whether another request may be sent."""
        return len(self.errands) < SLOTS_MAX

    def owner(self, key: str) -> str:
        """Who owns the key, as far as it is known here; or the router."""
        if self.home:
            return self.home
        if self.slotted:
            slot = crc16.slot(raw(key))
            if slot in self.learned:
                return self.learned[slot]
        return self.map.owner(key)

    def send(self, ctx: Context, op: str, keys: tuple[str, ...], value: int, node: str, origin: Any) -> Errand:
        """Send a request: to this node, or to the owner in the cached map."""
        lane = next(lane for lane in range(SLOTS_MAX) if lane not in self.errands)
        self.serial += 1
        errand = Errand(lane, self.serial, op, keys, value, origin, epoch=self.map.epoch)
        errand.floors = tuple(self.ledger.floor(key) for key in keys)
        self.errands[lane] = errand
        self.go(ctx, errand, node or self.owner(keys[0]))
        return errand

    def go(self, ctx: Context, errand: Errand, node: str, asking: bool = False) -> None:
        """Ask this node."""
        errand.node, errand.asking = node, asking
        ctx.send(node, m.Request(errand.serial, errand.op, errand.keys, errand.value, asking))
        ctx.set_timer(f"patience{errand.lane}", PATIENCE_US)

    def find(self, src: str, serial: int) -> Errand | None:
        """The request that this answers, if it still waits for this node."""
        for errand in self.errands.values():
            if errand.serial == serial and errand.node == src:
                return errand
        return None

    def on_message(self, ctx: Context, src: str, message: Any, done: "Done") -> None:
        """An answer, a redirect, a refusal, or a map."""
        if isinstance(message, m.MapUpdate):
            self.learn(ctx, message.epoch)
            return
        errand = self.find(src, message.serial)
        if errand is None:
            return
        match message:
            case m.Answer(items=items):
                self.hop(ctx, errand, "served" if len(items) == len(errand.keys) else "missing", "")
                self.finish(ctx, errand, "ok", items, done)
            case m.Moved(epoch=epoch) | m.Ask(epoch=epoch) if epoch < errand.epoch:
                self.hop(ctx, errand, "MOVED" if isinstance(message, m.Moved) else "ASK", message.owner)
                ctx.note("old_redirect", "lags", keys=errand.keys, asked=src, epoch=epoch, known=errand.epoch)
                self.refused(ctx, errand, "OLD", f"{src} has an old map", done)
            case m.Moved(owner=owner, epoch=epoch):
                self.moved += 1
                errand.epoch = epoch
                self.learn_moved(ctx, errand, message)
                self.redirect(ctx, errand, "MOVED", owner, done)
            case m.Ask(owner=owner, epoch=epoch):
                self.asked += 1
                errand.epoch = epoch
                self.redirect(ctx, errand, "ASK", owner, done)
            case m.Refusal(code=code, why=why):
                self.hop(ctx, errand, code, "")
                self.refused(ctx, errand, code, why, done)

    def redirect(self, ctx: Context, errand: Errand, answer: str, owner: str, done: "Done") -> None:
        """Go where the answer points, a bounded number of times."""
        self.ledger.redirects += 1
        self.hop(ctx, errand, answer, owner)
        errand.redirects += 1
        if errand.redirects > REDIRECTS_MAX:
            chain = tuple(f"{hop.node} {hop.answer} {hop.to}".strip() for hop in errand.hops)
            self.ledger.long_chains.append((self.id, errand.keys[0], chain))
        if errand.redirects > 3 * REDIRECTS_MAX:
            ctx.note("too_many_redirects", keys=errand.keys, redirects=errand.redirects)
            self.finish(ctx, errand, "fail", (), done)
            return
        ctx.note("follow", answer, keys=errand.keys, asked=errand.node, to=owner, redirects=errand.redirects,
                 learned=answer == "MOVED")  # fmt: skip
        ctx.cancel_timer(f"patience{errand.lane}")
        self.go(ctx, errand, owner, answer == "ASK")

    def learn_moved(self, ctx: Context, errand: Errand, moved: m.Moved) -> None:
        """What a MOVED teaches: this slot, or a newer map."""
        if moved.slot < 0:
            self.learn(ctx, moved.epoch)
            return
        self.learned[moved.slot] = moved.owner
        if self.moved % REINITIALIZE == 0:
            ctx.send(errand.node, m.WantMap())

    def learn(self, ctx: Context, epoch: int) -> None:
        """A newer map: what was learned slot by slot is in it, or older than it."""
        newer = self.atlas.get(epoch)
        if newer is None or epoch <= self.map.epoch:
            return
        ctx.note("map_cached", epoch=newer.epoch, before=self.map.epoch, slots=len(self.learned))
        self.map = newer
        self.learned.clear()

    def refused(self, ctx: Context, errand: Errand, code: str, why: str, done: "Done") -> None:
        """Ask again after a pause, or not at all."""
        ctx.cancel_timer(f"patience{errand.lane}")
        errand.tries += 1
        errand.redirects = 0
        most = DOWN_TRIES_MAX if code == "CLUSTERDOWN" else TRIES_MAX
        if code == "CROSSSLOT" or errand.tries > most:
            ctx.note("failed", code, keys=errand.keys, because=why, tries=errand.tries)
            unsure = errand.op == "put" and errand.silences > 0
            self.finish(ctx, errand, "unknown" if unsure else "fail", (), done)
            return
        if code == "TRYAGAIN":
            self.tried_again += 1
        ctx.set_timer(f"pause{errand.lane}", PAUSE_US if code == "TRYAGAIN" else DOWN_PAUSE_US)

    def on_timer(self, ctx: Context, name: str, done: "Done") -> None:
        """A pause is over; or nobody answered: another node may know better."""
        lane = int(name.removeprefix("pause").removeprefix("patience"))
        errand = self.errands.get(lane)
        if errand is None:
            return
        if name.startswith("pause"):
            self.go(ctx, errand, self.owner(errand.keys[0]))
            return
        self.hop(ctx, errand, "timeout", "")
        errand.tries += 1
        errand.silences += 1
        errand.redirects = 0
        if errand.silences > DOWN_TRIES_MAX or errand.tries > TRIES_MAX:
            ctx.note("failed", "timeout", keys=errand.keys, because=f"{errand.node} does not answer",
                     tries=errand.tries)  # fmt: skip
            self.finish(ctx, errand, "unknown", (), done)
            return
        others = [node for node in self.map.nodes if node != errand.node and ctx.knows(node) and not self.home]
        again = others[ctx.stream("other").below(len(others))] if others else errand.node
        ctx.note("no_answer", keys=errand.keys, asked=errand.node, to=again, tries=errand.tries)
        self.go(ctx, errand, again)

    def hop(self, ctx: Context, errand: Errand, answer: str, to: str) -> None:
        """Remember the way."""
        hop = Hop(errand.node, answer, to, ctx.now_us)
        errand.hops.append(hop)
        del errand.hops[:-HOPS_MAX]
        if answer != "served":
            self.newest.append(hop)
            del self.newest[:-8]

    def finish(self, ctx: Context, errand: Errand, status: str, items: tuple[m.Item, ...], done: "Done") -> None:
        """It is over."""
        del self.errands[errand.lane]
        ctx.cancel_timer(f"patience{errand.lane}")
        ctx.cancel_timer(f"pause{errand.lane}")
        if status == "ok":
            self.account(errand, items)
        else:
            self.ledger.failed += 1
        done(ctx, errand, status, items)

    def account(self, errand: Errand, items: tuple[m.Item, ...]) -> None:
        """For the checks: what is acknowledged now, and what was read that is older than it may be."""
        if errand.op == "put":
            self.ledger.ack(items[0].key, items[0].version)
            return
        found = {item.key: item.version for item in items}
        for key, floor in zip(errand.keys, errand.floors, strict=True):
            if found.get(key, 0) < floor:
                self.ledger.misses.append((self.id, errand.node, key, found.get(key, 0), floor))


Done = Callable[[Context, Errand, str, tuple[m.Item, ...]], None]
