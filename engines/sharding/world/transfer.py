"""The source's side of a migration: keys leave in batches, at a bounded pace, and stay until they are acknowledged.

As MIGRATE in Redis, the hand-over is atomic for each key: until the new holders have confirmed it, the source has the
key and answers for it; from then on it answers ASK. A write of a key that is in the air waits for that moment (Redis
blocks the whole server for it), so there is never a moment with two versions.
"""

from collections.abc import Container
from dataclasses import dataclass
from typing import Final

from engines.sharding.world.events import KeysSent, UnitEmptied
from engines.sharding.world.messages import Item, Keys, KeysAck, UnitEmpty
from engines.sharding.world.ownership import Group, Plan, Unit
from engines.sharding.world.rules import AGAIN_US, TICK_US
from engines.sharding.world.store import Store
from engines.sim.node import Context
from engines.units import US_PER_MS

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


class Transfers:
    """All that a node is giving. Methods that hand keys over return them: writes that waited for them can go on."""

    def __init__(self, id: str, store: Store) -> None:
        self.id = id
        self.store = store
        self.giving: dict[str, Giving] = {}
        self.parcels: dict[int, Parcel] = {}
        self.flying: dict[str, int] = {}
        """key -> how many receivers have not confirmed it."""
        self.credit = 0
        """What may be sent now, in thousandths of a key."""

    def clear(self) -> None:
        """Forget all transfers: their plan is over."""
        self.giving.clear()
        self.parcels.clear()
        self.flying.clear()

    def finish(self, unit: str) -> None:
        """The unit is assigned."""
        self.giving.pop(unit, None)
        for number in [number for number, parcel in self.parcels.items() if parcel.unit == unit]:
            for item in self.parcels.pop(number).items:
                self.flying.pop(item.key, None)

    def begin(self, plan: Plan, unit: Unit) -> None:
        """List what has to go."""
        todo = [
            key for key, cell in self.store.cells.items()
            if cell.left != plan.number and plan.unit_of(key) == unit.id and plan.base.owner(key) == self.id
        ]  # fmt: skip
        todo.sort(reverse=True)
        self.giving[unit.id] = Giving(unit, todo, len(todo))

    def tick(self, ctx: Context, plan: Plan, pace: int, dead: Group, writing: Container[str], keep: bool) -> list[str]:
        """Send as many keys as the bandwidth allows, and resend what was not acknowledged.

        ``writing``: keys that wait for their replicas, and for now stay. ``keep``: until they are acknowledged.
        """
        handed: list[str] = []
        self.credit = min(self.credit + pace * (TICK_US // US_PER_MS), max(1_000, pace * 1_000 // 2))
        for giving in self.giving.values():
            handed += self._send_some(ctx, plan, giving, pace, writing, keep)
        for number, parcel in self.parcels.items():
            if ctx.now_us - parcel.sent_us >= AGAIN_US and parcel.receiver not in dead:
                parcel.sent_us = ctx.now_us
                ctx.send(parcel.receiver, Keys(plan.number, parcel.unit, number, parcel.items))
        for giving in self.giving.values():
            late = giving.reported_us < 0 or ctx.now_us - giving.reported_us >= AGAIN_US
            if not giving.todo and not giving.in_air and late:
                if giving.reported_us < 0:
                    ctx.note(UnitEmptied(giving.unit.name, giving.moved))
                giving.reported_us = ctx.now_us
                ctx.send("cfg", UnitEmpty(plan.number, giving.unit.id))
        return handed

    def _send_some(
        self, ctx: Context, plan: Plan, giving: Giving, pace: int, writing: Container[str], keep: bool
    ) -> list[str]:
        handed: list[str] = []
        batches: dict[str, list[Item]] = {}
        busy: list[str] = []
        while giving.todo and self.credit >= 1_000 and len(self.flying) < IN_AIR_MAX:
            key = giving.todo.pop()
            cell = self.store.get(key)
            if cell is None or cell.left == plan.number:
                continue
            if key in writing:
                busy.append(key)
                continue
            self.credit -= 1_000
            receivers = plan.receivers(key)
            for receiver in receivers:
                batches.setdefault(receiver, []).append(Item(key, cell.version, cell.value))
            self.flying[key] = len(receivers)
            giving.in_air += 1
            if not receivers or not keep:
                self._hand_over(plan, giving, key)
                handed.append(key)
        giving.todo.extend(reversed(busy))
        for receiver, items in batches.items():
            number = self.store.number()
            ctx.persist()
            ctx.note(KeysSent(giving.unit.name, receiver, len(items), items[0].key, len(giving.todo), pace, keep))
            ctx.send(receiver, Keys(plan.number, giving.unit.id, number, tuple(items)))
            if keep:
                self.parcels[number] = Parcel(giving.unit.id, receiver, tuple(items), ctx.now_us)
        return handed

    def on_ack(self, ctx: Context, plan: Plan, ack: KeysAck) -> list[str]:
        """The receiver has them."""
        parcel = self.parcels.pop(ack.number, None)
        giving = self.giving.get(ack.unit)
        if parcel is None or giving is None or ack.plan != plan.number:
            return []
        handed: list[str] = []
        for item in parcel.items:
            if item.key in self.flying:
                self.flying[item.key] -= 1
                if self.flying[item.key] <= 0:
                    self._hand_over(plan, giving, item.key)
                    handed.append(item.key)
        ctx.persist()
        return handed

    def _hand_over(self, plan: Plan, giving: Giving, key: str) -> None:
        """All new holders have the key: from now on the answer is ASK."""
        del self.flying[key]
        giving.in_air -= 1
        giving.moved += 1
        cell = self.store.get(key)
        if cell is not None:
            if plan.retain:
                self.store.put(key, cell._replace(left=plan.number))
            else:
                self.store.drop(key)
