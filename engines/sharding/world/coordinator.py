"""``cfg``: owns the authoritative map and its epoch, notices the dead, carries out changes of ownership as plans.

It is one machine, where real systems have a consensus group or gossip. What it decided is on disk. It learns of nodes
by their messages only.

A change runs so: announce the plan (every node counts its keys that will move); for each unit tell the target to
import, then the source to migrate; when the source is empty assign the unit: a new epoch, told to the new owner first
and to all others once it has acknowledged, so that a MOVED never names a node that does not know yet. With copies all
units are assigned at once at the end: until then the old group has every write, and a failure can call the plan off.
"""

from collections.abc import Callable
from typing import Any, Final

from engines.errors import UserError
from engines.sharding.world import events as e
from engines.sharding.world import messages as m
from engines.sharding.world.balancing import Balancing
from engines.sharding.world.changes import Known, PlacementChange, changed, plan_kind
from engines.sharding.world.events import ChangeKind, ChangeReason, UnitKind, UnitState
from engines.sharding.world.ownership import Atlas, Group, Plan, ShardMap, probes
from engines.sharding.world.progress import Progress, UnitProgress
from engines.sharding.world.rules import AGAIN_US, DEAD_US, TICK_US
from engines.sim.disk import Disk
from engines.sim.node import Context

QUEUE_MAX: Final = 32
CFG_ID: Final = "cfg"


class Coordinator:
    """The owner of the map."""

    def __init__(
        self, disk: Disk, first_map: ShardMap, atlas: Atlas, keys: tuple[str, ...], balancing: Balancing
    ) -> None:
        self.disk = disk
        self.atlas = atlas
        read = disk.registers.get
        self.map: ShardMap = read("map", first_map)
        atlas.add(self.map)
        self.queue: tuple[PlacementChange, ...] = read("queue", ())
        self.running: PlacementChange | None = read("running", None)
        """The change that the plan carries out."""
        self.current: PlacementChange | None = read("current", None)
        """The same, or what a failure interrupted, while somebody catches up."""
        self.number: int = read("number", 0)
        self.pace: int = read("pace", 0)
        self.audience: Group = read("audience", first_map.nodes)
        """Every node that ever took part."""
        self.keys = keys
        self.balancing = balancing
        self.progress: Progress | None = None
        self.heard: dict[str, int] = {}
        self.epochs: dict[str, int] = {}
        """The newest epoch that each node acknowledged."""
        self.sent: dict[str, int] = {}
        self.first: Group = read("first", ())
        """The nodes that must acknowledge the newest map before it is sent to the others."""
        self.ticked_us = 0

    # -- life ------------------------------------------------------------------------------------------------

    def on_start(self, ctx: Context) -> None:
        """Take up what was going on."""
        self.heard = dict.fromkeys(self.audience, ctx.now_us)
        self.ticked_us = ctx.now_us
        if self.map.plan is not None:
            self.progress = Progress(self.map.plan, ctx.now_us)
            for unit in self.map.done:
                self.progress.units[unit] = UnitProgress(self.map.plan.unit(unit), state=UnitState.DONE)
        ctx.set_timer("tick", TICK_US)

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """One handler for every kind of message."""
        HANDLERS[type(message)](self, ctx, src, message)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Who died, what is next, what was not acknowledged."""
        ctx.set_timer("tick", TICK_US)
        if ctx.now_us - self.ticked_us > 3 * TICK_US:
            self.heard = dict.fromkeys(self.heard, ctx.now_us)
        self.ticked_us = ctx.now_us
        dead = tuple(node for node in self.map.nodes
                     if node not in self.map.dead and ctx.now_us - self.heard.get(node, 0) > DEAD_US)  # fmt: skip
        self.handle_silence(ctx, dead)
        self.repeat_map(ctx)
        if self.progress is None:
            self.next_change(ctx)
        if self.progress is not None:
            self.push(ctx, self.progress)
        elif not self.queue:
            for change in self.balancing.tick(ctx, self.map.placement, not self.map.dead):
                self.order(ctx, change)

    def on_synced(self, ctx: Context) -> None:
        """Messages that had to wait for the disk leave by themselves."""

    # -- the map ---------------------------------------------------------------------------------------------

    def publish(self, ctx: Context, new: ShardMap, first: Group = ()) -> None:
        """Publish a new epoch: to its new owners first, to all others once these have acknowledged it."""
        self.map = new
        self.atlas.add(new)
        self.disk.write("map", new)
        ctx.persist()
        kept = [node for node in (*self.first, *first) if self.reachable(ctx, node)]
        self.set_first(tuple(dict.fromkeys(kept)))
        self.sent.clear()
        self.repeat_map(ctx)

    def set_first(self, first: Group) -> None:
        """Set and persist the nodes that must learn the newest map first."""
        if first != self.first:
            self.first = first
            self.disk.write("first", first)

    def next_map(self, **but: Any) -> ShardMap:
        """The map of the next epoch: as it is, but for something."""
        now = self.map
        fields: dict[str, Any] = {
            "epoch": now.epoch + 1, "term": now.term, "placement": now.placement, "plan": now.plan, "done": now.done,
            "dead": now.dead, "off": now.off, "full_coverage": now.full_coverage,
            "reads_when_down": now.reads_when_down,
        }  # fmt: skip
        return ShardMap(**{**fields, **but})

    def repeat_map(self, ctx: Context) -> None:
        """Resend the map to every node that has not acknowledged this epoch."""
        self.set_first(tuple(node for node in self.first if self.reachable(ctx, node)))
        for node in self.first or self.audience:
            silent = self.progress is not None and node in self.map.nodes and node not in self.progress.counted
            behind = self.epochs.get(node, 0) < self.map.epoch or silent or node in self.first
            if behind and self.reachable(ctx, node) and ctx.now_us - self.sent.get(node, -AGAIN_US) >= AGAIN_US:
                self.sent[node] = ctx.now_us
                ctx.send(node, m.MapUpdate(self.map.epoch))

    def reachable(self, ctx: Context, node: str) -> bool:
        """Whether the node sent a heartbeat lately."""
        return node not in self.map.dead and ctx.now_us - self.heard.get(node, ctx.now_us) <= DEAD_US

    def on_map_ack(self, ctx: Context, src: str, ack: m.MapAck) -> None:
        """A node has acknowledged an epoch."""
        self.epochs[src] = max(self.epochs.get(src, 0), ack.epoch)
        if ack.epoch == self.map.epoch and src in self.first:
            self.set_first(tuple(node for node in self.first if node != src))
            if not self.first:
                self.repeat_map(ctx)
        if self.progress is not None and ack.plan == self.progress.plan.number:
            self.progress.count(src, ack.units)
            self.push(ctx, self.progress)

    def on_want_map(self, ctx: Context, src: str, want: m.WantMap) -> None:
        """Send the newest map, unless its new owners have to learn it first."""
        if not self.first or src in self.first:
            ctx.send(src, m.MapUpdate(self.map.epoch))

    # -- who lives -------------------------------------------------------------------------------------------

    def on_heartbeat(self, ctx: Context, src: str, beat: m.Heartbeat) -> None:
        """A node is alive. One that was declared dead gets the new map before it gets a lease."""
        self.heard[src] = ctx.now_us
        self.epochs[src] = max(self.epochs.get(src, 0), beat.epoch)
        if src in self.map.dead:
            stale = src in self.map.placement.stale
            ctx.note(e.HeardAgain(src, beat.epoch, beat.keys, stale))
            self.publish(ctx, self.next_map(dead=tuple(node for node in self.map.dead if node != src)))
        self.balancing.on_heartbeat(src, beat)
        if beat.epoch < self.map.epoch and (not self.first or src in self.first):
            ctx.send(src, m.MapUpdate(self.map.epoch))
        ctx.send(src, m.HeartbeatAck(beat.at_us, self.map.term, self.pace))

    def handle_silence(self, ctx: Context, dead: Group) -> None:
        """Declare nodes dead. A plan with copies is called off first, in an epoch of its own: those answering for keys
        handed to them have to stop before the old owners go on."""
        plan = self.map.plan
        if plan is None or not plan.retain:
            if dead:
                self.declare_dead(ctx, dead)
        elif dead and not self.map.off:
            ctx.note(e.PlanCalledOff(plan.number, plan.cause, dead))
            self.publish(ctx, self.next_map(off=True), plan.target.members)
        elif self.map.off and not self.first:
            self.progress = None
            self.declare_dead(ctx, dead)

    def declare_dead(self, ctx: Context, dead: Group) -> None:
        """Promote replicas where there are any."""
        now = self.map
        plan, placement = now.plan, now.placement
        copies = placement.rf > 1 or (plan is not None and plan.retain)
        if copies:
            plan = None
            placement = placement.with_stale(dead, now.term + 1)
        new = self.next_map(term=now.term + 1, placement=placement, plan=plan, off=False,
                            done=now.done if plan is not None else (), dead=(*now.dead, *dead))  # fmt: skip
        promoted = self.promoted(now, new) if copies else {}
        for node in dead:
            silent_us = ctx.now_us - self.heard.get(node, 0)
            uncovered = node in new.uncovered
            ctx.note(e.DeclaredDead(node, silent_us, new.term, new.epoch, copies, tuple(promoted), uncovered))
        self.publish(ctx, new, tuple(promoted))

    def promoted(self, old: ShardMap, new: ShardMap) -> dict[str, None]:
        """Who owns something that a dead node owned before."""
        return dict.fromkeys(
            new.owner(probe)
            for probe in (*probes(old.placement), *self.keys)
            if old.owner(probe) in new.dead and new.owner(probe) not in new.dead
        )

    # -- changes ---------------------------------------------------------------------------------------------

    def order(self, ctx: Context, change: PlacementChange) -> None:
        """Queue a change of ownership; changes are made one after the other."""
        if len(self.queue) >= QUEUE_MAX:
            raise UserError(f"{QUEUE_MAX} changes wait already: let some of them finish first")
        self.queue = (*self.queue, change)
        self.disk.write("queue", self.queue)
        if self.progress is not None or self.first:
            running = self.progress.plan.cause if self.progress else None
            ctx.note(e.ChangeQueued(change.cause, running, len(self.queue)))
        else:
            self.next_change(ctx)

    def known(self) -> Known:
        """What the coordinator knows of the keys."""
        return self.balancing.known(self.keys)

    def next_change(self, ctx: Context) -> None:
        """Who is out of date catches up first; then what was interrupted; then what waits."""
        if self.first:
            return
        placement = self.map.placement
        for node in placement.stale:
            if node not in self.map.dead:
                self.begin(ctx, PlacementChange(e.Cause(ChangeKind.RECOVER, ChangeReason.CAME_BACK, node)))
                return
        if self.current is not None and self.current.kind is not ChangeKind.RECOVER:
            self.begin(ctx, self.current)
        elif self.queue:
            change, *rest = self.queue
            self.queue = tuple(rest)
            self.disk.write("queue", self.queue)
            self.begin(ctx, change)

    def begin(self, ctx: Context, change: PlacementChange) -> None:
        """Plan a change; one that moves nothing is made at once."""
        try:
            target = changed(self.map.placement, change, self.known())
        except UserError as error:
            ctx.note(e.ChangeRefused(change.cause, str(error)))
            self.keep_current(None)
            return
        if change.kind is not ChangeKind.RECOVER:
            self.keep_current(change)
        self.running = change
        self.disk.write("running", change)
        if change.kind is ChangeKind.JOIN and change.cause.node not in self.audience:
            self.audience = (*self.audience, change.cause.node)
            self.disk.write("audience", self.audience)
            self.heard[change.cause.node] = ctx.now_us
        if change.kind in (ChangeKind.SPLIT, ChangeKind.MERGE):
            ctx.note(e.ChunksChanged(change.cause, change.at, len(target.strategy.chunks)))
            self.keep_current(None)
            self.publish(ctx, self.next_map(placement=target))
            return
        self.number += 1
        self.disk.write("number", self.number)
        plan = Plan(self.number, change.cause, self.map.placement, target, plan_kind(self.map.placement, change))
        self.progress = Progress(plan, ctx.now_us)
        for unit in plan.units.values():
            self.progress.units[unit.id] = UnitProgress(unit)
        self.publish(ctx, self.next_map(plan=plan, done=()))
        copies, units = plan.retain, len(plan.units)
        ctx.note(e.PlanAnnounced(plan.number, plan.cause, units, plan.kind, self.map.epoch, copies))

    def keep_current(self, change: PlacementChange | None) -> None:
        """What is being done, also after a crash."""
        self.current = change
        self.disk.write("current", change)

    # -- a plan, unit by unit --------------------------------------------------------------------------------

    def push(self, ctx: Context, progress: Progress) -> None:
        """Send the next orders of a plan; assign what is empty."""
        if self.first or self.map.off:
            return
        plan = progress.plan
        alive = [node for node in self.map.nodes if node not in self.map.dead]
        if not all(node in progress.counted for node in alive):
            return
        if not progress.announced:
            progress.announced = True
            keys, units = progress.keys(), sum(each.keys > 0 for each in progress.units.values())
            ctx.note(e.PlanCounted(plan.cause, keys, units))
        for each in progress.next_units():
            each.began_us = ctx.now_us
            self.tell(ctx, each, UnitState.IMPORTING)
        for each in progress.units.values():
            end = each.unit.target if each.state == UnitState.IMPORTING else each.unit.source
            late = ctx.now_us - each.ordered_us >= AGAIN_US
            if late and each.state in (UnitState.IMPORTING, UnitState.MIGRATING) and self.reachable(ctx, end):
                self.tell(ctx, each, each.state)
        ready = [each for each in progress.units.values() if each.state == UnitState.EMPTY]
        if not plan.retain and ready:
            self.assign(ctx, progress, ready)
            return
        moved = all(each.state in (UnitState.EMPTY, UnitState.DONE) for each in progress.units.values())
        if moved and all(node in progress.counted for node in plan.base.members if self.may_own(node)):
            self.finish(ctx, progress)

    def may_own(self, node: str) -> bool:
        """Whether the node could hold keys that no other has: then the plan waits for it even while it is dead."""
        base = self.map.placement
        return node not in self.map.dead or base.rf == 1 or node in base.only_stale_owners()

    def tell(self, ctx: Context, each: UnitProgress, state: UnitState) -> None:
        """CLUSTER SETSLOT: the target IMPORTING first, then the source MIGRATING."""
        each.state = state
        each.ordered_us = ctx.now_us
        number = self.map.plan.number if self.map.plan else 0
        if state == UnitState.IMPORTING:
            ctx.send(each.unit.target, m.Import(number, each.unit.id))
        else:
            ctx.send(each.unit.source, m.Migrate(number, each.unit.id))

    def on_import_ok(self, ctx: Context, src: str, ok: m.ImportOk) -> None:
        """The target is ready: tell the source."""
        each = self.unit_in(ok, UnitState.IMPORTING)
        if each is not None:
            self.tell(ctx, each, UnitState.MIGRATING)

    def on_unit_empty(self, ctx: Context, src: str, empty: m.UnitEmpty) -> None:
        """The source has nothing left: assign it."""
        each = self.unit_in(empty, UnitState.MIGRATING)
        if each is not None and self.progress is not None:
            each.state = UnitState.EMPTY
            self.push(ctx, self.progress)

    def unit_in(self, message: m.ImportOk | m.UnitEmpty, state: UnitState) -> UnitProgress | None:
        """The unit that is meant, if it is in this state. After a restart of ``cfg`` the news may be ahead of it."""
        if self.progress is None or self.progress.plan.number != message.plan:
            return None
        each = self.progress.units.get(message.unit)
        if each is None or each.state not in (state, UnitState.PLANNED):
            return None
        return each

    def assign(self, ctx: Context, progress: Progress, ready: list[UnitProgress]) -> None:
        """CLUSTER SETSLOT NODE: these units have new owners."""
        done = self.map.done
        for each in ready:
            each.state = UnitState.DONE
            done = (*done, each.unit.id)
            if progress.plan.kind is not UnitKind.LANE or each.keys:
                took_us = ctx.now_us - each.began_us
                ctx.note(e.UnitAssigned(each.unit.name, each.keys, self.map.epoch + 1, took_us))
        targets = tuple(dict.fromkeys(each.unit.target for each in ready))
        self.publish(ctx, self.next_map(done=done), targets)

    def finish(self, ctx: Context, progress: Progress) -> None:
        """The target is the placement now."""
        plan = progress.plan
        targets = tuple(dict.fromkeys(each.unit.target for each in progress.units.values()))
        took_us = ctx.now_us - progress.began_us
        ctx.note(e.PlanDone(plan.cause, progress.keys(), took_us, self.map.epoch + 1))
        self.progress = None
        if self.running is not None and self.running.kind is not ChangeKind.RECOVER:
            self.keep_current(None)
        placement = plan.target
        gone = [node for node in self.map.dead if node not in placement.members]
        dead = tuple(node for node in self.map.dead if node not in gone)
        self.publish(
            ctx, self.next_map(placement=placement, plan=None, done=(), dead=dead), targets if plan.retain else ()
        )

    # -- balance ---------------------------------------------------------------------------------------------

    def on_cut(self, ctx: Context, src: str, cut: m.Cut) -> None:
        """A node found where a chunk can be split, or that it cannot."""
        if self.progress is None and not self.queue:
            for change in self.balancing.on_cut(ctx, self.map.placement, cut):
                self.order(ctx, change)


HANDLERS: Final[dict[type, Callable[[Coordinator, Context, str, Any], None]]] = {
    m.Heartbeat: Coordinator.on_heartbeat,
    m.MapAck: Coordinator.on_map_ack,
    m.WantMap: Coordinator.on_want_map,
    m.ImportOk: Coordinator.on_import_ok,
    m.UnitEmpty: Coordinator.on_unit_empty,
    m.Cut: Coordinator.on_cut,
}
