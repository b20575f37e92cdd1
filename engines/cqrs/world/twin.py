"""The CRUD table beside the roads: the same commands and questions, one machine, tables that are changed in place."""

from typing import Any

from engines.cqrs.crud import CrudStore
from engines.cqrs.queries import Outcome, Reply
from engines.cqrs.world import messages as m
from engines.cqrs.world.meter import Meter
from engines.cqrs.world.rules import CAPACITY, TWIN, Control
from engines.cqrs.world.server import Server
from engines.sim.disk import Disk
from engines.sim.node import Context


class TwinNode(Server):
    """One database, which reads and writes."""

    def __init__(self, disk: Disk, control: Control, meter: Meter) -> None:
        super().__init__(TWIN, meter)
        self.control = control
        self.store: CrudStore = disk.registers.setdefault("store", CrudStore())
        self.rows = 0
        """Rows it has touched."""

    def on_start(self, ctx: Context) -> None:
        """Its tables are on its disk."""

    def cost_us(self, message: Any) -> int:
        """A transaction, or a join."""
        match message:
            case m.Submit():
                return self.control.update_us
            case m.Question():
                return self.control.join_us
        return 0

    def serve(self, ctx: Context, src: str, message: Any) -> None:
        """Change rows, or put them together."""
        match message:
            case m.Submit() if len(self.store.answers) < CAPACITY:
                answer, touched = self.store.execute(message.command(), ctx.now_us, message.declined)
                self.rows += touched.all
                ctx.send(src, m.Reply(answer))
            case m.Question():
                rows, touched = self.store.query(message.query())
                self.rows += touched.all
                reply = Reply(message.id, Outcome.OK, rows, 0, 1)
                ctx.send(src, m.Told(message.name, message.key, reply))


__all__ = ["TwinNode"]
