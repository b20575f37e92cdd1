"""The process that carries an order through: the library's saga, on a machine that may die at any step.

It begins when the bus tells of an order. What it decides is written to its own log before it
asks anybody for anything, and every request has an id that follows from that log: so it may ask again, for ever. For
each step it asks the service first, and then sends the command, with what the service has said, to the write side.
"""

import json
from typing import Any, Final

from engines.cqrs import saga as library
from engines.cqrs.saga import SAGA as AGGREGATE
from engines.cqrs.saga import STEPS, Kind, Phase, Saga
from engines.cqrs.world import events as e
from engines.cqrs.world.ledger import Ledger
from engines.cqrs.world.messages import Deliver, Perform, Performed, Reply, Submit, Taken
from engines.cqrs.world.rules import ROUNDING_US, TWIN, Control
from engines.cqrs.world.services import SERVICE_OF
from engines.event_sourcing.events import RecordedEvent
from engines.event_sourcing.order import CREATED
from engines.sim.disk import Disk
from engines.sim.node import Context

SEEN: Final = "$seen"
"""A record of the log: what the bus has told about an order."""


class SagaNode:
    """All sagas."""

    def __init__(self, disk: Disk, control: Control, ledger: Ledger) -> None:
        self.disk = disk
        self.control = control
        self.ledger = ledger
        self.sagas: dict[str, Saga] = {}
        self.created: dict[str, tuple[str, str]] = {}
        """Order -> the id of the command that created it, and its story."""
        self.last: dict[str, str] = {}
        """Order -> the newest event that its saga has caused or reacts to."""
        self.upto: int = disk.registers.get("upto", 0)
        """Every event up to here has been taken in."""
        self.beyond: dict[int, bool] = {}
        self.sent = 0
        self.open: dict[str, bool] = {}
        """Orders whose saga has not ended."""
        for order, type, body in disk.log:
            self.replay(order, type, json.loads(body))

    def replay(self, order: str, type: str, data: Any) -> None:
        """One record of the log."""
        if type == SEEN:
            self.created[order] = (data[0], data[1])
            self.last[order] = data[2]
            return
        state = AGGREGATE.evolve(self.sagas.get(order, Saga()), type, data)
        self.sagas[order] = state
        if type == library.DONE:
            done = dict(state.ids).get(data["step"], "")
            self.last[order] = f"{done}/0"
        if state.over:
            self.open.pop(order, None)
        else:
            self.open[order] = True

    def on_start(self, ctx: Context) -> None:
        """Go on with what has not ended."""
        for order in tuple(self.open):
            self.go_on(ctx, order)

    def on_synced(self, ctx: Context) -> None:
        """Messages wait for the disk by themselves."""

    def write(self, ctx: Context, order: str, type: str, data: Any) -> None:
        """One record more."""
        self.disk.append((order, type, json.dumps(data, separators=(",", ":"))))
        ctx.persist()
        self.replay(order, type, data)

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """An event, what a service did, or what became of a command."""
        match message:
            case Deliver(event=event):
                self.take(ctx, event)
                ctx.send(src, Taken(self.upto))
            case Performed(id=id, declined=declined):
                self.performed(ctx, id, declined)
            case Reply(answer=answer) if src != TWIN:
                told = library.Answered(answer.command_id, answer.ok, answer.why, ctx.now_us)
                self.decide(ctx, answer.order, told)

    def take(self, ctx: Context, event: RecordedEvent) -> None:
        """An event: once."""
        if event.position <= self.upto or event.position in self.beyond:
            return
        order = event.stream
        if self.control.sagas and event.type == CREATED:
            self.write(ctx, order, SEEN, [event.causation_id, event.correlation_id, event.id])
        self.beyond[event.position] = True
        while self.upto + 1 in self.beyond:
            self.upto += 1
            del self.beyond[self.upto]
        self.disk.write("upto", self.upto)
        if order in self.created and order not in self.sagas:
            ctx.note(e.SagaBegan(order))
            self.decide(ctx, order, library.Start(order, self.created[order][0], ctx.now_us))

    def decide(self, ctx: Context, order: str, what: Any) -> None:
        """The library decides; write it down, then act on it."""
        before = self.sagas.get(order, Saga())
        decided = AGGREGATE.decide(before, what)
        for each in decided:
            self.write(ctx, order, each.type, each.data)
        if not decided:
            if isinstance(what, library.Tick):
                self.look(ctx, order)
            return
        state = self.sagas[order]
        if state.phase is Phase.COMPENSATING and before.phase is Phase.RUNNING:
            ctx.note(e.SagaTurned(order, STEPS[before.step].name, isinstance(what, library.Tick)))
        if state.over:
            ctx.note(e.SagaEnded(order, state.phase))
            self.ledger.saga_ended(order, state.phase)
        self.go_on(ctx, order)

    def go_on(self, ctx: Context, order: str) -> None:
        """Ask for what the saga wants now, and look again when it is due."""
        self.look(ctx, order)
        wanted = library.request(self.sagas[order])
        if wanted is None:
            return
        command = wanted.command
        service = SERVICE_OF.get(command.name)
        if wanted.asked > 1:
            ctx.note(e.SagaAsksAgain(order, wanted.step, wanted.asked))
        if service is not None:
            ctx.send(service, Perform(command.id, command.name, order, command.undoes))
        else:
            self.submit(ctx, order, Submit.of(command))

    def look(self, ctx: Context, order: str) -> None:
        """Look again when time alone changes something."""
        due = library.due_us(self.sagas[order])
        if due is not None:
            ctx.set_timer(order, max(0, due - ctx.now_us) + ROUNDING_US)
        else:
            ctx.cancel_timer(order)

    def performed(self, ctx: Context, id: str, declined: str) -> None:
        """The service has spoken: now the command, which records it."""
        for order in self.open:
            wanted = library.request(self.sagas[order])
            if wanted is not None and wanted.command.id == id:
                self.submit(ctx, order, Submit.of(wanted.command)._replace(declined=declined))
                return

    def submit(self, ctx: Context, order: str, submit: Submit) -> None:
        """Send a command to the write side, and to the table beside it."""
        nodes = self.control.nodes["commands"]
        self.sent += 1
        story, cause = self.created[order][1], self.last[order]
        submit = submit._replace(story=story, cause=cause)
        ctx.send(nodes[self.sent % len(nodes)], submit)
        if self.control.twin:
            ctx.send(TWIN, submit)

    def on_timer(self, ctx: Context, name: str) -> None:
        """No answer, or the pause after a failure is over."""
        state = self.sagas[name]
        wanted = library.request(state)
        forward = wanted is not None and not wanted.undo and STEPS[state.step].kind is not Kind.RETRIED
        if forward and not self.control.rules.ask_again:
            assert wanted is not None
            silence = library.Answered(wanted.command.id, False, "no answer in time", ctx.now_us)
            self.decide(ctx, name, silence)
        else:
            self.decide(ctx, name, library.Tick(ctx.now_us))


__all__ = ["SagaNode"]
