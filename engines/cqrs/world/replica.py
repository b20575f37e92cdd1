"""Read replicas: copies of the read models, and the library's ``Reader``, which answers from them.

A copy is brought on by what changed behind its stamp; one that misses something fetches it. Readers are moved to
another generation when the copy of it is whole, in one step.
"""

from typing import Any, Final

from engines.cqrs.deployment import Deployment
from engines.cqrs.errors import UnknownProjection
from engines.cqrs.queries import Freshness, Outcome, Reader, Reply
from engines.cqrs.world import events as e
from engines.cqrs.world.ledger import Ledger
from engines.cqrs.world.messages import Fetch, Question, Rows, Told
from engines.cqrs.world.meter import Meter
from engines.cqrs.world.rules import ROUNDING_US, Control
from engines.cqrs.world.server import Server
from engines.cqrs.world.table import CODES, Table
from engines.event_sourcing.subscriptions import Parked
from engines.sim.disk import Disk
from engines.sim.node import Context

PART_US: Final = 400_000
"""Of readers that are moved by parts: how long the second part takes to follow."""


class ReplicaNode(Server):
    """One machine."""

    def __init__(self, name: str, disk: Disk, control: Control, ledger: Ledger, meter: Meter) -> None:
        super().__init__(name, meter)
        self.control = control
        self.ledger = ledger
        self.copies: dict[str, dict[int, Table]] = disk.registers.setdefault("copies", {})
        """Projection -> generation -> what is kept of it."""
        self.served: dict[str, Deployment] = disk.registers.setdefault("served", {})
        self.swapped: dict[str, int] = disk.registers.setdefault("swapped", {})
        """Projection -> the swap it has made last."""
        self.reader = Reader(self.served)
        self.askers: dict[str, tuple[str, Question]] = {}
        """Who waits for an answer."""

    def on_start(self, ctx: Context) -> None:
        """Copies are on its disk; what is missing is told at the next beat of their projectors."""
        for projection in self.served:
            ctx.set_timer(f"part:{projection}", PART_US)

    def cost_us(self, message: Any) -> int:
        """Finding a row by its key. Copying goes on beside it, and no question waits for it."""
        return self.control.read_us if isinstance(message, Question) else 0

    def serve(self, ctx: Context, src: str, message: Any) -> None:
        """A question, or what has changed."""
        match message:
            case Question():
                self.ask(ctx, src, message)
            case Rows():
                self.meter.worked(self.name, self.control.copy_us, ctx.now_us)
                self.take(ctx, src, message)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Somebody has waited long enough, or the second part of a swap is due."""
        kind, _, projection = name.partition(":")
        if kind == "due":
            self.answer(ctx)
        elif kind == "part":
            served = self.served[projection]
            assert isinstance(served.live, Table)
            wanted = served.live.generation
            for key, generation in served.live.origin.items():
                if generation != wanted:
                    row = self.copies[projection][wanted].get(key)
                    if row is not None:
                        served.live.put(row)
            self.ledger.shown(self.name, projection, served.live)
        else:
            super().on_timer(ctx, name)

    # -- copying -------------------------------------------------------------------------------------------------

    def take(self, ctx: Context, src: str, rows: Rows) -> None:
        """Bring a copy on."""
        copies = self.copies.setdefault(rows.projection, {})
        if rows.swap < self.swapped.get(rows.projection, 0):
            return  # of a projector that has been replaced
        copy = copies.get(rows.generation)
        if copy is None:
            copy = copies[rows.generation] = Table(CODES[rows.code])
            copy.generation = rows.generation
        if rows.since > copy.stamp:
            ctx.send(src, Fetch(rows.projection, rows.generation, copy.stamp))
            return
        if rows.stamp >= copy.stamp:
            copy.projection = CODES[rows.code]
            copy.stamp = rows.stamp
            for row in rows.rows:
                copy.put(row)
            copy.advance(rows.position)
            copy.parked = [Parked(event, "", 0) for event in rows.parked]
        self.move(ctx, rows, copies)
        self.answer(ctx)

    def move(self, ctx: Context, rows: Rows, copies: dict[int, Table]) -> None:
        """Serve what is to be served, once its copy is whole."""
        name = rows.projection
        target = copies.get(rows.serving)
        if rows.swap > self.swapped.get(name, 0) and rows.generation == rows.serving and target is not None:
            self.swapped[name] = rows.swap
            served = self.served.get(name)
            if served is None:
                self.served[name] = Deployment(target, Table)
            else:
                before = served.live
                assert isinstance(before, Table)
                if not self.control.rules.swap_whole and target.count():
                    target = self.halfway(ctx, name, before, target)
                served.live = target
                ctx.note(e.ReadersMoved(name, before.generation, target.generation))
            self.ledger.shown(self.name, name, target)
        if name in self.served and rows.generation == rows.serving:
            self.served[name].target = rows.target
            live = self.served[name].live
            assert isinstance(live, Table)
            kept = (*rows.kept, live.generation)
            for generation in [each for each in copies if each not in kept]:
                del copies[generation]

    def halfway(self, ctx: Context, name: str, before: Table, target: Table) -> Table:
        """The rule is off: half of the old rows stay, and follow later."""
        mixed = Table(target.projection)
        mixed.generation, mixed.stamp = target.generation, target.stamp
        for row in target.rows():
            mixed.put(row)
        for index, row in enumerate(before.rows()):
            if index % 2 and mixed.get(row[0]) is not None:
                mixed.put(row)
                mixed.origin[row[0]] = before.generation
        mixed.advance(target.position)
        self.copies[name][target.generation] = mixed
        ctx.set_timer(f"part:{name}", PART_US)
        return mixed

    # -- answering -----------------------------------------------------------------------------------------------

    def ask(self, ctx: Context, src: str, question: Question) -> None:
        """The answer, or a place among those that wait."""
        self.reader.promises = self.control.rules.say_stale
        try:
            reply = self.reader.ask(question.query(), ctx.now_us)
        except UnknownProjection:  # this replica is new, and has no copy yet
            reply = Reply(question.id, Outcome.REBUILDING, (), 0, 0, 0, 0)
        if reply is None:
            if question.id not in self.askers:
                ctx.note(e.QueryWaits(question.key, question.position, question.freshness))
            self.askers[question.id] = (src, question)
            self.look(ctx)
        else:
            self.tell(ctx, src, question, reply)

    def look(self, ctx: Context) -> None:
        """Look again when the first of those that wait has waited long enough."""
        due = self.reader.due_us()
        if due is not None:
            ctx.set_timer("due", max(0, due - ctx.now_us) + ROUNDING_US)

    def answer(self, ctx: Context) -> None:
        """Those that need not wait any longer."""
        if self.reader.waiting:
            self.reader.promises = self.control.rules.say_stale
            for reply in self.reader.replies(ctx.now_us):
                asker = self.askers.pop(reply.query_id, None)
                if asker is not None:
                    self.tell(ctx, *asker, reply)
            self.look(ctx)

    def tell(self, ctx: Context, src: str, question: Question, reply: Reply) -> None:
        """Send an answer."""
        if question.freshness is not Freshness.ANY and reply.outcome is Outcome.TIMED_OUT:
            ctx.note(e.QueryTimedOut(question.key, question.position, reply.position))
        self.ledger.answered(ctx.now_us, question, reply)
        ctx.send(src, Told(question.name, question.key, reply))


__all__ = ["ReplicaNode"]
