"""The services an order needs: ``stock`` puts goods aside, the ``bank`` takes money, ``dispatch`` sends parcels.

Each keeps what it did with the message that asked for it (an inbox), so it does a thing once, however often it is
asked. What is undone before it comes is refused when it comes.
"""

from typing import Any, Final

from engines.cqrs.commands import PAY_ORDER, RELEASE_STOCK, RESERVE_STOCK, SHIP_ORDER
from engines.cqrs.outbox import Inbox
from engines.cqrs.world import events as e
from engines.cqrs.world.ledger import Ledger
from engines.cqrs.world.messages import Perform, Performed
from engines.cqrs.world.meter import Meter
from engines.cqrs.world.rules import Control
from engines.cqrs.world.server import Server
from engines.sim.disk import Disk
from engines.sim.node import Context

SERVICE_OF: Final = {RESERVE_STOCK: "stock", RELEASE_STOCK: "stock", PAY_ORDER: "bank", SHIP_ORDER: "dispatch"}
"""Who does what a command of the saga is about; the others concern the order alone."""
DECLINED: Final = {"stock": "out of stock", "bank": "card declined", "dispatch": "no room in the van"}


class ServiceNode(Server):
    """One of the three."""

    def __init__(self, name: str, disk: Disk, control: Control, ledger: Ledger, meter: Meter) -> None:
        super().__init__(name, meter)
        self.control = control
        self.ledger = ledger
        self.inbox: Inbox = disk.registers.setdefault("inbox", Inbox())
        self.said: dict[str, str] = disk.registers.setdefault("said", {})
        """Message id -> what was answered; empty: done."""
        self.undone: dict[str, bool] = disk.registers.setdefault("undone", {})
        """Ids of what must not be done any more."""
        self.stands: dict[str, int] = disk.registers.setdefault("stands", {})
        """Order -> how often it stands done."""

    def on_start(self, ctx: Context) -> None:
        """Wait to be asked."""

    def cost_us(self, message: Any) -> int:
        """All the same."""
        return self.control.service_us

    def serve(self, ctx: Context, src: str, message: Any) -> None:
        """Do it once, and say the same whenever asked."""
        if not isinstance(message, Perform):
            return
        fresh = self.inbox.take(self.name, message.id)
        if fresh or not self.control.rules.inbox:
            self.said[message.id] = self.perform(ctx, message)
        ctx.send(src, Performed(message.id, self.said[message.id]))

    def perform(self, ctx: Context, message: Perform) -> str:
        """Do it; returns why not."""
        order = message.order
        if message.undoes:
            self.undone[message.undoes] = True
            if self.stands.get(order, 0):
                self.stands[order] -= 1
                self.ledger.served(order, self.name, -1)
                ctx.note(e.StepUndone(order, message.name))
            return ""
        if message.id in self.undone:
            return "undone before it came"
        declines = self.ledger.declines
        if declines.get(self.name, 0):
            declines[self.name] -= 1
        elif self.name != "bank" or not ctx.stream("decline").chance(self.control.declines_ppm):
            self.stands[order] = self.stands.get(order, 0) + 1
            self.ledger.served(order, self.name, 1)
            ctx.note(e.StepServed(order, message.name, self.stands[order]))
            return ""
        ctx.note(e.StepDeclined(order, message.name))
        return DECLINED[self.name]


__all__ = ["SERVICE_OF", "ServiceNode"]
