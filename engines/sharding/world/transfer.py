"""The source's side of a migration: keys leave in batches, at a bounded pace, and stay until they are acknowledged.

As MIGRATE in Redis, the hand-over is atomic for each key: until the new holders have confirmed it, the source has the
key and answers for it; from then on it answers ASK. A write of a key that is in the air waits for that moment (Redis
blocks the whole server for it), so there is never a moment with two versions.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from engines.sharding.world.messages import Item, Keys, KeysAck, UnitEmpty
from engines.sharding.world.ownership import Plan, Unit
from engines.sharding.world.rules import AGAIN_US, TICK_US
from engines.sim.clock import US_PER_MS
from engines.sim.node import Context

if TYPE_CHECKING:
    from engines.sharding.world.node import ShardNode

IN_AIR_MAX: Final = 512
"""Keys of one source that may wait for an acknowledgement."""


@dataclass(slots=True)
class Giving:
    """A unit on its way out."""

    unit: Unit
    todo: list[str]
    total: int
    in_air: int = 0
    moved: int = 0
    reported_us: int = -1
    """When the coordinator was last sent UnitEmpty."""


@dataclass(slots=True)
class Parcel:
    """A batch that waits for its acknowledgement."""

    unit: str
    receiver: str
    items: tuple[Item, ...]
    sent_us: int


@dataclass(slots=True)
class Transfers:
    """All that a node is giving."""

    giving: dict[str, Giving] = field(default_factory=dict)
    parcels: dict[int, Parcel] = field(default_factory=dict)
    flying: dict[str, int] = field(default_factory=dict)
    """key -> how many receivers have not confirmed it."""
    credit: int = 0
    """What may be sent now, in thousandths of a key."""

    def clear(self) -> None:
        """Give up; nothing of this is needed any more."""
        self.giving.clear()
        self.parcels.clear()
        self.flying.clear()

    def finish(self, unit: str) -> None:
        """The unit is assigned."""
        self.giving.pop(unit, None)
        for number in [number for number, parcel in self.parcels.items() if parcel.unit == unit]:
            for item in self.parcels.pop(number).items:
                self.flying.pop(item.key, None)

    def begin(self, node: "ShardNode", plan: Plan, unit: Unit) -> None:
        """List what has to go."""
        todo = [
            key for key, cell in node.store.cells.items()
            if cell.left != plan.number and plan.unit_of(key) == unit.id and plan.base.owner(key) == node.id
        ]  # fmt: skip
        todo.sort(reverse=True)
        self.giving[unit.id] = Giving(unit, todo, len(todo))

    def tick(self, ctx: Context, node: "ShardNode", plan: Plan) -> None:
        """Send as many keys as the bandwidth allows, and again what was lost."""
        pace = node.pace
        self.credit = min(self.credit + pace * (TICK_US // US_PER_MS), max(1_000, pace * 1_000 // 2))
        for giving in self.giving.values():
            self._send_some(ctx, node, plan, giving)
        for number, parcel in self.parcels.items():
            if ctx.now_us - parcel.sent_us >= AGAIN_US and parcel.receiver not in node.map.dead:
                parcel.sent_us = ctx.now_us
                ctx.send(parcel.receiver, Keys(plan.number, parcel.unit, number, parcel.items))
        for giving in self.giving.values():
            late = giving.reported_us < 0 or ctx.now_us - giving.reported_us >= AGAIN_US
            if not giving.todo and not giving.in_air and late:
                if giving.reported_us < 0:
                    ctx.note("unit_empty", unit=giving.unit.id, target=giving.unit.target, keys=giving.moved)
                giving.reported_us = ctx.now_us
                ctx.send("cfg", UnitEmpty(plan.number, giving.unit.id))

    def _send_some(self, ctx: Context, node: "ShardNode", plan: Plan, giving: Giving) -> None:
        batches: dict[str, list[Item]] = {}
        busy: list[str] = []
        while giving.todo and self.credit >= 1_000 and len(self.flying) < IN_AIR_MAX:
            key = giving.todo.pop()
            cell = node.store.get(key)
            if cell is None or cell.left == plan.number:
                continue
            if key in node.writing:
                busy.append(key)
                continue
            self.credit -= 1_000
            receivers = plan.receivers(key)
            for receiver in receivers:
                batches.setdefault(receiver, []).append(Item(key, cell.version, cell.value))
            self.flying[key] = len(receivers)
            giving.in_air += 1
            if not receivers or not node.rules.keep_until_acked:
                self._handed(ctx, node, plan, giving, key)
        giving.todo.extend(reversed(busy))
        for receiver, items in batches.items():
            number = node.store.number()
            ctx.persist()
            ctx.note("keys_sent", "" if node.rules.keep_until_acked else "not_kept", unit=giving.unit.id, to=receiver,
                     keys=len(items), first=items[0].key, left=len(giving.todo), pace=node.pace)  # fmt: skip
            ctx.send(receiver, Keys(plan.number, giving.unit.id, number, tuple(items)))
            if node.rules.keep_until_acked:
                self.parcels[number] = Parcel(giving.unit.id, receiver, tuple(items), ctx.now_us)

    def on_ack(self, ctx: Context, node: "ShardNode", plan: Plan, m: KeysAck) -> None:
        """The receiver has them."""
        parcel = self.parcels.pop(m.number, None)
        giving = self.giving.get(m.unit)
        if parcel is None or giving is None or m.plan != plan.number:
            return
        for item in parcel.items:
            if item.key in self.flying:
                self.flying[item.key] -= 1
                if self.flying[item.key] <= 0:
                    self._handed(ctx, node, plan, giving, item.key)
        ctx.persist()

    def _handed(self, ctx: Context, node: "ShardNode", plan: Plan, giving: Giving, key: str) -> None:
        """All new holders have the key: from now on the answer is ASK."""
        del self.flying[key]
        giving.in_air -= 1
        giving.moved += 1
        cell = node.store.get(key)
        if cell is not None:
            if plan.retain:
                node.store.put(key, cell._replace(left=plan.number))
            else:
                node.store.drop(key)
        node.release(ctx, key)
