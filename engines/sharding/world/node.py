"""A machine of the cluster: it answers for its keys, redirects for others, gives and takes units, keeps copies.

``verdict`` is the protocol of Redis Cluster (specification, "Redirection and resharding"; cluster.c, getNodeByQuery)
in its order: CROSSSLOT, CLUSTERDOWN, then the owner's answers (serve, ASK, TRYAGAIN), the importer's, and MOVED. All
strategies speak it; only ``slots`` has slots and full coverage.

The node knows the cluster from the newest map it was sent and from orders of ``cfg``. Keys, map and orders are on disk.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engines.sharding.world import events as e
from engines.sharding.world import messages as m
from engines.sharding.world.events import SAID_BY, MovedReason, RefusalReason, Said
from engines.sharding.world.ledger import Ledger
from engines.sharding.world.load_stats import LoadStats
from engines.sharding.world.ownership import Atlas, Group, Plan, ShardMap
from engines.sharding.world.rules import AGAIN_US, HEARTBEAT_US, LEASE_US, TICK_US, ShardRules
from engines.sharding.world.store import Cell, Store
from engines.sharding.world.transfer import Transfers
from engines.sim.disk import Disk
from engines.sim.node import Context

CFG: Final = "cfg"
BLOCKED_MAX: Final = 64
PACE: Final = 60
"""Keys a second that a node sends, unless it is told otherwise."""


@dataclass(slots=True)
class Writing:
    """A write that waits for its replicas."""

    src: str
    serial: int
    item: m.Item
    waits: Group
    sent_us: int


class ShardNode:
    """One machine."""

    def __init__(
        self, id: str, disk: Disk, first_map: ShardMap, atlas: Atlas, rules: ShardRules, ledger: Ledger,
        sizes: dict[str, int],
    ) -> None:  # fmt: skip
        self.id = id
        self.atlas = atlas
        self.sizes = sizes
        """How large the data of a key is, where it is more than 1."""
        self.rules = rules
        self.ledger = ledger
        self.store = Store(disk)
        self.map: ShardMap = self.store.read("map", first_map)
        self.importing: tuple[str, ...] = self.store.read("importing", ())
        self.migrating: tuple[str, ...] = self.store.read("migrating", ())
        self.transfers = Transfers(id, self.store)
        self.pace: int = PACE
        self.pending: dict[int, Writing] = {}
        self.writing: dict[str, int] = {}
        """key -> how many of its writes wait for replicas."""
        self.blocked: dict[str, deque[tuple[str, m.Request]]] = {}
        """Writes of keys that are in the air."""
        self.counted: tuple[int, tuple[tuple[str, int], ...]] = (0, ())
        """Plan, and what this node reported of its units."""
        self.lease_until_us = 0
        self.answers: dict[Said, int] = {}
        self.stats = LoadStats()

    # -- life ------------------------------------------------------------------------------------------------

    def on_start(self, ctx: Context) -> None:
        """Recover from the disk: resume migrations, start the heartbeat."""
        plan = self.map.plan
        if plan is not None:
            self.counted = (plan.number, self.count_units(plan))
            for unit in self.migrating:
                self.transfers.begin(plan, plan.unit(unit))
        if self.migrating:
            ctx.set_timer("move", TICK_US)
        self.beat(ctx)

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """One handler for every kind of message."""
        HANDLERS[type(message)](self, ctx, src, message)

    def on_timer(self, ctx: Context, name: str) -> None:
        """The next heartbeat, the next batch of keys, or what was not acknowledged."""
        if name == "beat":
            self.beat(ctx)
        elif name == "move":
            plan = self.map.plan
            if plan is not None and self.transfers.giving:
                keep = self.rules.keep_until_acked
                handed = self.transfers.tick(ctx, plan, self.pace, self.map.dead, self.writing, keep)
                self.release(ctx, handed)
                ctx.set_timer("move", TICK_US)
        elif name == "again":
            self.repeat_writes(ctx)

    def on_synced(self, ctx: Context) -> None:
        """Messages that had to wait for the disk leave by themselves."""

    def beat(self, ctx: Context) -> None:
        """Send a heartbeat with the load statistics."""
        ctx.set_timer("beat", HEARTBEAT_US)
        ops, heat, hottest = self.stats.report(self.id, self.map.placement.strategy, self.store, self.sizes)
        ctx.send(CFG, m.Heartbeat(ctx.now_us, self.map.epoch, len(self.store), ops, heat, hottest))

    def on_heartbeat_ack(self, ctx: Context, src: str, ack: m.HeartbeatAck) -> None:
        """The lease counts from when the heartbeat was sent, and holds in the term it was given in."""
        self.pace = ack.pace
        if ack.term == self.map.term:
            self.lease_until_us = max(self.lease_until_us, ack.at_us + LEASE_US)

    def needs_lease(self) -> bool:
        """Where somebody else could be promoted: with copies, or while keys are on their way to have some."""
        plan = self.map.plan
        return self.map.placement.rf > 1 or (plan is not None and plan.retain)

    def may_serve(self, ctx: Context) -> bool:
        """Whether nobody can have been promoted in its place."""
        return not self.rules.lease or not self.needs_lease() or ctx.now_us < self.lease_until_us

    # -- requests --------------------------------------------------------------------------------------------

    def on_request(self, ctx: Context, src: str, request: m.Request) -> None:
        """Answer, redirect, or let the write wait."""
        answer = self.verdict(ctx, src, request)
        if answer is not None:
            ctx.send(src, answer)
        elif request.op != "put":
            self.read(ctx, src, request)
        elif request.keys[0] not in self.transfers.flying:
            self.write(ctx, src, request)
        else:
            self.block(ctx, src, request)

    def verdict(self, ctx: Context, src: str, request: m.Request) -> Any:
        """The answer if it is a redirect or a refusal; None: serve it here."""
        now, keys = self.map, request.keys
        strategy = now.placement.strategy
        slotted, slot = bool(strategy.slot_table), strategy.slot_of(keys[0])
        if any(strategy.slot_of(key) != slot for key in keys):
            return self.refuse(ctx, src, request, RefusalReason.DIFFERENT_SLOTS)
        reads = request.op != "put" and now.reads_when_down
        if slotted and now.full_coverage and now.uncovered and not reads:
            return self.refuse(ctx, src, request, RefusalReason.UNCOVERED, *now.uncovered)
        owner, unit = now.owner(keys[0]), now.moving(keys[0])
        if owner == self.id:
            if not self.may_serve(ctx):
                return self.refuse(ctx, src, request, RefusalReason.LEASE_OUT)
            return self.as_owner(ctx, src, request, unit, slot)
        if self.admits(request, unit):
            if now.off:
                return self.refuse(ctx, src, request, RefusalReason.CALLED_OFF)
            missing = [key for key in keys if key not in self.store]
            if len(dict.fromkeys(keys)) > 1 and missing:
                return self.refuse(ctx, src, request, RefusalReason.NOT_ARRIVED, missing[0])
            if not self.may_serve(ctx):
                return self.refuse(ctx, src, request, RefusalReason.LEASE_OUT)
            return None
        if owner in now.dead and not slotted:
            return self.refuse(ctx, src, request, RefusalReason.OWNER_DEAD, owner)
        return self.moved(ctx, src, request, slot, owner, unit)

    def admits(self, request: m.Request, unit: str) -> bool:
        """Whether this node imports the unit under the very plan that the request's ASK was given under.

        An ASK of a plan that was called off is void: under the plan that begins anew the key may not be here yet.
        """
        plan = self.map.plan
        if plan is None or unit not in self.importing:
            return False
        return request.asking == plan.number or (request.asking > 0 and not self.rules.ask_names_plan)

    def as_owner(self, ctx: Context, src: str, request: m.Request, unit: str, slot: int) -> Any:
        """While a unit migrates: what is here is served, what has left is asked for at the target."""
        plan, keys = self.map.plan, request.keys
        if plan is None or not unit:
            return None
        if unit not in self.migrating:
            known = any(unit == each for each, _ in self.counted[1])
            new = request.op == "put" and keys[0] not in self.store and not known
            return self.refuse(ctx, src, request, RefusalReason.NOT_OPEN) if new else None
        target = plan.target.owner(keys[0])
        if target == self.id:
            return None
        here = [key for key in keys if self.has(key, plan)]
        if len(here) == len(keys):
            return None
        if here:
            gone = next(key for key in keys if key not in here)
            return self.refuse(ctx, src, request, RefusalReason.PARTLY_GONE, here[0], gone)
        if not self.rules.ask_redirects:
            ctx.note(e.Denied(src, keys[0], target))
            return None
        self.count(Said.ASK)
        ctx.note(e.Asked(src, keys[0], target, slot, plan.unit(unit).name))
        return m.Ask(request.serial, slot, target, self.map.epoch, plan.number)

    def has(self, key: str, plan: Plan) -> bool:
        """Whether the key is here and was not handed over."""
        cell = self.store.get(key)
        return cell is not None and cell.left != plan.number

    def moved(self, ctx: Context, src: str, request: m.Request, slot: int, owner: str, unit: str) -> m.Moved:
        """Name the owner, for good."""
        self.count(Said.MOVED)
        why = MovedReason.NOT_MINE
        if unit in self.importing:
            why = MovedReason.OLD_ASK if request.asking else MovedReason.IMPORTING
        ctx.note(e.SentAway(src, request.keys[0], owner, slot, self.map.epoch, why))
        return m.Moved(request.serial, slot, owner, self.map.epoch)

    def refuse(self, ctx: Context, src: str, request: m.Request, why: RefusalReason, *about: str) -> m.Refusal:
        """Refuse the request, and say why."""
        self.count(SAID_BY[why])
        ctx.note(e.Refused(src, request.keys, why, about))
        return m.Refusal(request.serial, SAID_BY[why], why, about)

    def count(self, said: Said) -> None:
        """One more answer of this kind."""
        self.answers[said] = self.answers.get(said, 0) + 1

    def block(self, ctx: Context, src: str, request: m.Request) -> None:
        """The key is in the air: the write waits for it to land, unless too many do."""
        key = request.keys[0]
        queue = self.blocked.setdefault(key, deque())
        if len(queue) >= BLOCKED_MAX:
            ctx.send(src, self.refuse(ctx, src, request, RefusalReason.IN_THE_AIR, key))
            return
        queue.append((src, request))
        ctx.note(e.WriteWaits(src, key))

    def release(self, ctx: Context, keys: Sequence[str]) -> None:
        """These keys have landed: answer the writes that waited for them."""
        plan = self.map.plan
        for key in keys:
            self.ledger.moved += plan is not None and plan.target.owner(key) != self.id
        self.unblock(ctx, keys)

    def unblock(self, ctx: Context, keys: Sequence[str]) -> None:
        """Answer the writes that waited for these keys."""
        for key in keys:
            for src, request in self.blocked.pop(key, ()):
                self.on_request(ctx, src, request)

    def read(self, ctx: Context, src: str, request: m.Request) -> None:
        """Serve what is here."""
        found = []
        for key in request.keys:
            self.served(key, request.op)
            cell = self.store.get(key)
            if cell is not None:
                found.append(m.Item(key, cell.version, cell.value))
        ctx.send(src, m.Answer(request.serial, tuple(found)))

    def served(self, key: str, op: str) -> None:
        """Count a served request."""
        self.count(Said.SERVED)
        self.stats.record(key)
        self.ledger.serve(self.id, key, op)

    # -- writes and their replicas ---------------------------------------------------------------------------

    def write(self, ctx: Context, src: str, request: m.Request) -> None:
        """Store the next version; it is acknowledged once every replica that is alive has it."""
        key, now = request.keys[0], self.map
        old = self.store.get(key)
        term = now.term if old is None else max(now.term, old.version >> m.TERM_SHIFT)
        version = (term << m.TERM_SHIFT) + (m.count_of(old.version) if old else 0) + 1
        plan, unit = now.plan, now.moving(key)
        left = old.left if old else 0
        if plan is not None and old is None and unit in self.migrating:
            left = plan.number
        self.store.put(key, Cell(version, request.value, left))
        self.served(key, "put")
        item = m.Item(key, version, request.value)
        waits = tuple(node for node in self.write_group(key) if node != self.id)
        ticket = self.store.number()
        ctx.persist()
        if not waits:
            ctx.send(src, m.Answer(request.serial, (item,)))
            return
        self.pending[ticket] = Writing(src, request.serial, item, waits, ctx.now_us)
        self.writing[key] = self.writing.get(key, 0) + 1
        for node in waits:
            ctx.send(node, m.Replicate(now.term, now.epoch, ticket, item))
        ctx.set_timer("again", AGAIN_US)

    def write_group(self, key: str) -> Group:
        """Who has to have a write: the group, and in the middle of a move with copies the old and the new one."""
        now, unit = self.map, self.map.moving(key)
        plan = now.plan
        if plan is None or not unit:
            return now.group(key)
        cell = self.store.get(key)
        handed = cell is not None and cell.left == plan.number
        if not handed and now.owner(key) == self.id:
            return now.group(key)
        return plan.both(key) if plan.retain else plan.target.group(key)

    def on_replicate(self, ctx: Context, src: str, message: m.Replicate) -> None:
        """Copy what the owner wrote, unless somebody was promoted over its head."""
        if message.term < self.map.term:
            ctx.note(e.ReplicaRefused(src, message.item.key, message.term, self.map.term))
            ctx.send(src, m.ReplicateAck(message.ticket, False, self.map.term))
            return
        key, version, value = message.item
        plan = self.map.plan
        wanted = self.id in self.map.group(key) or (plan is not None and self.id in plan.both(key))
        cell = self.store.get(key)
        if (wanted or message.epoch > self.map.epoch) and (cell is None or cell.version < version):
            handed = plan is not None and self.map.moving(key) in self.migrating
            left = plan.number if plan is not None and handed else cell.left if cell else 0
            self.store.put(key, Cell(version, value, left))
            ctx.persist()
        ctx.send(src, m.ReplicateAck(message.ticket, True, message.term))

    def on_replicate_ack(self, ctx: Context, src: str, ack: m.ReplicateAck) -> None:
        """Answer the client once every live replica has acknowledged."""
        writing = self.pending.get(ack.ticket)
        if writing is None:
            return
        if not ack.ok:
            ctx.send(CFG, m.WantMap())
            return
        writing.waits = tuple(node for node in writing.waits if node != src)
        if not writing.waits:
            self.finish_write(ctx, ack.ticket, m.Answer(writing.serial, (writing.item,)))

    def finish_write(self, ctx: Context, ticket: int, answer: Any) -> None:
        """Answer the client."""
        writing = self.pending.pop(ticket)
        key = writing.item.key
        self.writing[key] -= 1
        if not self.writing[key]:
            del self.writing[key]
        ctx.send(writing.src, answer)

    def repeat_writes(self, ctx: Context) -> None:
        """Resend writes that a replica has not acknowledged."""
        for ticket, writing in self.pending.items():
            if ctx.now_us - writing.sent_us >= AGAIN_US:
                writing.sent_us = ctx.now_us
                for node in writing.waits:
                    ctx.send(node, m.Replicate(self.map.term, self.map.epoch, ticket, writing.item))
        if self.pending:
            ctx.set_timer("again", AGAIN_US)

    # -- maps ------------------------------------------------------------------------------------------------

    def on_map(self, ctx: Context, src: str, update: m.MapUpdate) -> None:
        """Learn a newer map; act on what it changes here."""
        old, new = self.map, self.atlas.get(update.epoch)
        if new is not None and new.epoch > old.epoch:
            self.map = new
            self.store.write("map", new)
            self.follow_plan(old, new)
            another = (old.plan.number if old.plan else 0) != (new.plan.number if new.plan else 0)
            if another or len(new.done) > len(old.done) or new.placement is not old.placement:
                self.sweep(another and self.id in new.placement.stale)
            ctx.persist()
            if new.epoch > old.epoch + 1:
                ctx.note(e.MapLearned(new.epoch, old.epoch))
            for ticket in list(self.pending):
                self.judge_again(ctx, ticket)
            self.unblock(ctx, [key for key in self.blocked if key not in self.transfers.flying])
        plan = self.map.plan
        if plan is None:
            self.counted = (0, ())
        elif plan.number != self.counted[0]:
            self.counted = (plan.number, self.count_units(plan))
        ctx.send(src, m.MapAck(self.map.epoch, *self.counted))

    def follow_plan(self, old: ShardMap, new: ShardMap) -> None:
        """Forget the orders of a plan that is over, and of units that are assigned."""
        if new.plan is None or old.plan is None or new.plan.number != old.plan.number:
            self.transfers.clear()
            self.importing = self.migrating = ()
        else:
            for unit in new.done:
                self.transfers.finish(unit)
            self.importing = tuple(unit for unit in self.importing if unit not in new.done)
            self.migrating = tuple(unit for unit in self.migrating if unit not in new.done)
        self.store.write("importing", self.importing)
        self.store.write("migrating", self.migrating)

    def sweep(self, anew: bool) -> None:
        """Drop the keys that are others' now. Their new groups have them: a unit is not assigned before.

        ``anew``: it missed writes while others were promoted, and copies everything once more.
        """
        now = self.map
        if anew:
            gone = [key for key in self.store if self.id not in now.placement.group(key)]
        else:
            gone = [key for key in self.store if self.id not in now.group(key) and not now.moving(key)]
        for key in gone:
            self.store.drop(key)

    def judge_again(self, ctx: Context, ticket: int) -> None:
        """A write that waits for replicas: who has to have it under the new map, and is it still ours to decide?"""
        writing = self.pending[ticket]
        key = writing.item.key
        plan = self.map.plan
        taking = plan is not None and not self.map.off and self.map.moving(key) in self.importing
        mine = taking or self.map.owner(key) == self.id
        if not mine:
            slot = self.map.placement.strategy.slot_of(key)
            answer = m.Moved(writing.serial, slot, self.map.owner(key), self.map.epoch)
            self.finish_write(ctx, ticket, answer)
            return
        group = self.write_group(key)
        writing.waits = tuple(node for node in writing.waits if node in group)
        if not writing.waits:
            self.finish_write(ctx, ticket, m.Answer(writing.serial, (writing.item,)))
            return
        for node in writing.waits:
            ctx.send(node, m.Replicate(self.map.term, self.map.epoch, ticket, writing.item))

    def count_units(self, plan: Plan) -> tuple[tuple[str, int], ...]:
        """How many keys of this node move in which unit; of lanes also those that some key could be born in."""
        counts = dict.fromkeys((unit for unit, source in plan.lanes().items() if source == self.id), 0)
        for key in self.store:
            unit = plan.unit_of(key)
            if unit and plan.base.owner(key) == self.id:
                counts[unit] = counts.get(unit, 0) + 1
        return tuple(sorted(counts.items()))

    # -- orders of the coordinator ---------------------------------------------------------------------------

    def on_import(self, ctx: Context, src: str, order: m.Import) -> None:
        """Take keys of this unit."""
        plan = self.map.plan
        if plan is None or plan.number != order.plan:
            ctx.send(src, m.WantMap())
            return
        if order.unit not in self.importing and order.unit not in self.map.done:
            self.importing = (*self.importing, order.unit)
            self.store.write("importing", self.importing)
            ctx.note(e.Importing(plan.unit(order.unit).name))
        ctx.persist()
        ctx.send(src, m.ImportOk(order.plan, order.unit))

    def on_migrate(self, ctx: Context, src: str, order: m.Migrate) -> None:
        """Give the keys of this unit."""
        plan = self.map.plan
        if plan is None or plan.number != order.plan:
            ctx.send(src, m.WantMap())
            return
        if order.unit in self.migrating or order.unit in self.map.done:
            return
        self.migrating = (*self.migrating, order.unit)
        self.store.write("migrating", self.migrating)
        ctx.persist()
        self.transfers.begin(plan, plan.unit(order.unit))
        ctx.note(e.Migrating(plan.unit(order.unit).name, self.transfers.giving[order.unit].total))
        ctx.set_timer("move", TICK_US)

    def on_keys(self, ctx: Context, src: str, parcel: m.Keys) -> None:
        """Store what arrives, unless something newer is here."""
        plan = self.map.plan
        if plan is None or plan.number != parcel.plan:
            return
        for key, version, value in parcel.items:
            cell = self.store.get(key)
            if cell is None or cell.version < version:
                self.store.put(key, Cell(version, value))
        ctx.persist()
        ctx.send(src, m.KeysAck(parcel.plan, parcel.unit, parcel.number))

    def on_keys_ack(self, ctx: Context, src: str, ack: m.KeysAck) -> None:
        """The keys have landed."""
        if self.map.plan is not None:
            self.release(ctx, self.transfers.on_ack(ctx, self.map.plan, ack))

    def on_want_map(self, ctx: Context, src: str, want: m.WantMap) -> None:
        """CLUSTER SLOTS."""
        ctx.send(src, m.MapUpdate(self.map.epoch))

    def on_want_cut(self, ctx: Context, src: str, want: m.WantCut) -> None:
        """Where a chunk could be split."""
        ctx.send(src, self.stats.cut(want, self.map.placement.strategy.chunks, self.store, self.sizes))


HANDLERS: Final[dict[type, Callable[[ShardNode, Context, str, Any], None]]] = {
    m.Request: ShardNode.on_request,
    m.Replicate: ShardNode.on_replicate,
    m.ReplicateAck: ShardNode.on_replicate_ack,
    m.Keys: ShardNode.on_keys,
    m.KeysAck: ShardNode.on_keys_ack,
    m.HeartbeatAck: ShardNode.on_heartbeat_ack,
    m.MapUpdate: ShardNode.on_map,
    m.Import: ShardNode.on_import,
    m.Migrate: ShardNode.on_migrate,
    m.WantMap: ShardNode.on_want_map,
    m.WantCut: ShardNode.on_want_cut,
}
