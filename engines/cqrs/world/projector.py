"""Projectors: machines that build read models from events, and tell the replicas what has changed in them.

Each projection has a home. The library's ``Deployment`` says which of its generations readers see, the library's
``Projector`` applies events to each. What is live is fed by the bus; what is built (a rebuild in place, a generation
beside, a projection that moves to another machine) reads history from the store, and stops at poison.
"""

from collections import deque
from typing import Any, Final, NamedTuple

from engines.cqrs.deployment import Deployment
from engines.cqrs.projector import Effect, Projector
from engines.cqrs.world import events as e
from engines.cqrs.world.ledger import Ledger
from engines.cqrs.world.messages import Deliver, Fetch, Page, Read, Rows, Serving, Subscribe, Taken
from engines.cqrs.world.meter import Meter
from engines.cqrs.world.rules import BUS, STORE, Control
from engines.cqrs.world.table import Table, code
from engines.event_sourcing.events import RecordedEvent
from engines.event_sourcing.subscriptions import OnPoison, Stopped
from engines.sim.disk import Disk
from engines.sim.node import Context

BEAT_US: Final = 100_000
"""How often replicas are told where a read model is, whether it has changed or not."""
POISON_ATTEMPTS: Final = 3
QUEUE_MAX: Final = 400


class Task(NamedTuple):
    """An event for one read model, or a page of history."""

    projection: str
    generation: int
    event: RecordedEvent | None
    page: Page | None = None


class ProjectorNode:
    """One machine."""

    def __init__(self, name: str, disk: Disk, control: Control, ledger: Ledger, meter: Meter) -> None:
        self.name = name
        self.control = control
        self.ledger = ledger
        self.meter = meter
        self.deployments: dict[str, Deployment] = disk.registers.setdefault("deployments", {})
        self.swapped: dict[str, tuple[int, int]] = disk.registers.setdefault("swapped", {})
        """Projection -> (the number of the swap, the generation readers were moved to)."""
        self.projectors: dict[int, Projector] = {}
        self.tasks: deque[Task] = deque()
        self.task: Task | None = None
        self.half = 0
        self.since = 0
        """The stamp before the task in hand."""
        self.head = 0
        """The newest position it has heard of."""
        self.heard = self.position()
        """The newest position the bus has delivered."""
        self.acknowledged = 0
        self.told_parked: dict[tuple[int, int], bool] = disk.registers.setdefault("told_parked", {})

    # -- what there is -------------------------------------------------------------------------------------------

    def tables(self) -> list[Table]:
        """All read models that are kept here."""
        found: list[Table] = []
        for deployment in self.deployments.values():
            for model in deployment.models():
                assert isinstance(model, Table)
                found.append(model)
        return found

    def table(self, projection: str, generation: int) -> Table | None:
        """One of them."""
        for table in self.tables():
            if table.generation == generation and table.projection.name == projection:
                return table
        return None

    def projector(self, table: Table) -> Projector:
        """The library's, with the rules as they are now."""
        found = self.projectors.get(table.generation)
        if found is None or found.model is not table:
            found = self.projectors[table.generation] = Projector(table)
        control = self.control
        if not (self.half and self.task is not None and self.task.generation == table.generation):
            found.policy = control.policy  # both halves of an event go by the same
        found.idempotent, found.ordered = control.rules.idempotent, control.rules.in_order
        found.poison = OnPoison.PARK_STREAM if control.rules.hold_stream else OnPoison.PARK
        found.attempts = POISON_ATTEMPTS
        if table.catching:
            found.poison, found.attempts = OnPoison.STOP, 1
        return found

    def serves(self, projection: str) -> bool:
        """Whether readers see what is kept here."""
        return projection in self.swapped

    def on_start(self, ctx: Context) -> None:
        """Take up the projections whose home this is; go on behind the checkpoints."""
        self.take_up()
        for table in self.tables():
            if not table.catching:
                self.ledger.applied(table.projection.name, table, (), resumed=True)
        ctx.send(BUS, Subscribe(self.position()))
        ctx.set_timer("beat", BEAT_US)
        self.read_on(ctx)

    def on_synced(self, ctx: Context) -> None:
        """What it keeps is one transaction of its own database."""

    def take_up(self) -> None:
        """Begin the projections whose home this is now, from nothing: read models are disposable."""
        for projection, home in self.control.homes.items():
            if home == self.name and projection not in self.deployments:
                table = self.begin(Table(code(projection, "right", self.control.narrow)))
                self.deployments[projection] = Deployment(table, Table)

    def begin(self, table: Table) -> Table:
        """A new generation: it reads history first."""
        self.control.generations += 1
        table.generation, table.catching = self.control.generations, True
        return table

    # -- what a person asks for --------------------------------------------------------------------------------------

    def rebuild(self, ctx: Context, projection: str, beside: bool, release: str) -> None:
        """Fold everything anew, in place or beside."""
        deployment = self.deployments[projection]
        made = code(projection, release, self.control.narrow)
        if beside:
            table = deployment.begin(made)
            assert isinstance(table, Table)
            self.begin(table)
        else:
            live = deployment.live
            assert isinstance(live, Table)
            deployment.reset(self.head, made)
            self.projectors.pop(live.generation, None)
            live.stopped_at = 0
            self.begin(live)
            self.serve(projection)
        self.read_on(ctx)
        self.tell_all(ctx, projection)

    def serve(self, projection: str) -> None:
        """Readers are to be moved to what is live now."""
        live = self.deployments[projection].live
        assert isinstance(live, Table)
        self.control.swaps += 1
        self.swapped[projection] = (self.control.swaps, live.generation)

    def swap(self, ctx: Context, projection: str, back: bool) -> None:
        """Move readers, in one step."""
        deployment = self.deployments[projection]
        if back:
            deployment.back()
        else:
            deployment.swap(deployment.live.position)  # no reader goes back in time
        self.serve(projection)
        live = deployment.live
        assert isinstance(live, Table)
        ctx.note(e.Swapped(projection, live.generation, live.release, back))
        self.tell_all(ctx, projection)

    def deploy(self, projection: str, release: str) -> None:
        """From now on other code; what was built stays."""
        live = self.deployments[projection].live
        live.projection = code(projection, release, self.control.narrow)

    def replay_parked(self, ctx: Context, projection: str) -> None:
        """Try again what is parked."""
        done = left = 0
        for table in self.tables():
            if table.projection.name != projection:
                continue
            table.stamp += 1
            done += self.projector(table).replay_parked()
            left += len(table.parked)
            if table.stopped_at:
                table.stopped_at = 0
        ctx.note(e.ParkedReplayed(projection, done, left))
        self.read_on(ctx)
        self.tell_all(ctx, projection)

    # -- messages ------------------------------------------------------------------------------------------------

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """An event, a page of history, or a replica that misses something."""
        match message:
            case Deliver(event=event):
                self.deliver(ctx, event)
            case Page(projection=projection, generation=generation, head=head):
                self.head = max(self.head, head)
                table = self.table(projection, generation)
                if (
                    table is not None
                    and table.catching
                    and not any(
                        task.page is not None and task.generation == generation
                        for task in (*self.tasks, self.task)
                        if task
                    )
                ):
                    self.tasks.append(Task(projection, generation, None, message))
                    self.work(ctx)
            case Fetch(projection=projection, generation=generation, since=since):
                table = self.table(projection, generation)
                if table is not None:
                    ctx.send(src, self.rows(projection, table, since))
            case Serving(projection=projection, swap=swap):
                mine = self.swapped.get(projection, (0, 0))[0]
                if projection in self.deployments and self.control.homes[projection] != self.name and swap > mine:
                    del self.deployments[projection]
                    self.swapped.pop(projection, None)
                    ctx.note(e.ProjectionLeft(projection, src))

    def deliver(self, ctx: Context, event: RecordedEvent) -> None:
        """An event of the bus, for every read model here."""
        self.head = max(self.head, event.position)
        if event.position > self.heard + 1:
            ctx.note(e.EventEarly(event.position, event.stream, self.heard + 1))
        elif event.position <= self.heard:
            ctx.note(e.EventAgain(event.position, event.stream))
        self.heard = max(self.heard, event.position)
        for table in self.tables():
            projector = self.projector(table)
            ready = projector.offer(event)
            if table.catching:
                projector.early.update((each.position, each) for each in ready)
            elif len(self.tasks) < QUEUE_MAX:
                self.tasks.extend(Task(table.projection.name, table.generation, each) for each in ready)
        self.work(ctx)
        if event.position <= self.position():
            ctx.send(BUS, Taken(self.position()))

    def position(self) -> int:
        """Up to where everything that is live here is done: what the bus need not send again."""
        live = [table.position for table in self.tables() if not table.catching]
        return min(live) if live else self.head

    # -- work ------------------------------------------------------------------------------------------------------

    def work(self, ctx: Context) -> None:
        """The next task, if none is in hand."""
        while self.task is None and self.tasks:
            task = self.tasks.popleft()
            table = self.table(task.projection, task.generation)
            if table is None or (task.page is not None) != table.catching:
                continue
            self.task, self.half, self.since = task, 0, table.stamp
            cost = self.control.apply_us
            if task.page is not None:  # in one transaction, which is cheaper
                cost = cost * len(task.page.events) // 2
            self.meter.worked(self.name, cost, ctx.now_us)
            ctx.set_timer("work", cost if task.page is not None else cost // 2)

    def on_timer(self, ctx: Context, name: str) -> None:
        """A half of an event is done, or a page; or it is time to be heard."""
        if name == "beat":
            self.take_up()
            for projection in self.deployments:
                self.tell_all(ctx, projection, changes=False)
                if self.serves(projection):
                    self.announce(ctx, projection)
            self.read_on(ctx)
            ctx.set_timer("beat", BEAT_US)
            return
        task = self.task
        if task is None:
            return
        table = self.table(task.projection, task.generation)
        if table is None or (task.page is not None) != table.catching:
            self.task = None
        elif task.page is not None:
            self.task = None
            self.page(ctx, table, task.page)
        elif self.half == 0:
            assert task.event is not None
            self.half = 1
            table.stamp += 1
            self.projector(table).first_half(task.event)
            ctx.set_timer("work", max(1, self.control.apply_us // 2))
            return
        else:
            assert task.event is not None
            table.stamp += 1  # a replica that was told of the first half has not been told of this one
            self.second(ctx, table, task.event)
            self.task = None
        self.work(ctx)

    def second(self, ctx: Context, table: Table, event: RecordedEvent) -> None:
        """The rest of an event; then the replicas hear of it, and the bus that it need not send it again."""
        projector = self.projector(table)
        projector.second_half(event)
        name = table.projection.name
        self.ledger.applied(name, table, projector.changed)
        self.tell_parked(ctx, table)
        if projector.effect is Effect.REPEATED:
            ctx.note(e.RepeatIgnored(name, event.position, event.stream, event.revision))
        following = projector.early.pop(table.position + 1, None)
        if following is not None:
            self.tasks.appendleft(Task(name, table.generation, following))
        for replica in self.control.nodes["replicas"]:
            ctx.send(replica, self.rows(name, table, self.since))
        upto = self.position()
        if upto > self.acknowledged:
            self.acknowledged = upto
            ctx.send(BUS, Taken(upto))

    def page(self, ctx: Context, table: Table, page: Page) -> None:
        """Some history. At its end the read model goes over to what the bus sends."""
        projector, name = self.projector(table), table.projection.name
        before = table.stamp
        table.stamp += 1
        events = [event for event in page.events if event.position > table.position]
        try:
            projector.take(events)
        except Stopped:
            stopped = table.position + 1
            if table.stopped_at != stopped:
                table.stopped_at = stopped
                ctx.note(e.RebuildStopped(name, stopped, table.generation))
        self.ledger.applied(name, table, ())
        if not table.stopped_at and table.position >= page.head:
            self.caught_up(ctx, table)
        for replica in self.control.nodes["replicas"]:
            ctx.send(replica, self.rows(name, table, before))
        self.read_on(ctx)

    def caught_up(self, ctx: Context, table: Table) -> None:
        """It is where the store was a moment ago; from here on the bus feeds it."""
        name = table.projection.name
        table.catching = False
        if table.position:
            ctx.note(e.CaughtUp(name, table.generation, table.position))
        projector = self.projector(table)
        for position in [each for each in projector.early if each <= table.position]:
            del projector.early[position]
        following = projector.early.pop(table.position + 1, None)
        if following is not None:
            self.tasks.append(Task(name, table.generation, following))
        ctx.send(BUS, Subscribe(self.position()))
        if not self.serves(name):
            self.serve(name)
            if table.position:  # at the very beginning it has come from nowhere
                ctx.note(e.ProjectionMoved(name, table.generation))
            self.announce(ctx, name)

    def read_on(self, ctx: Context) -> None:
        """Ask for history, for every read model that needs some. A question that was lost is asked at the next beat."""
        for table in self.tables():
            if table.catching and not table.stopped_at:
                ctx.send(STORE, Read(table.projection.name, table.generation, table.position))

    # -- what others are told ------------------------------------------------------------------------------------------

    def rows(self, projection: str, table: Table, since: int) -> Rows:
        """What has changed in a read model behind a stamp."""
        deployment = self.deployments[projection]
        swap, serving = self.swapped.get(projection, (0, 0))
        kept = tuple(each.generation for each in deployment.models() if isinstance(each, Table))
        parked = tuple(each.event for each in table.parked)
        return Rows(
            projection, table.code, table.generation, since, table.stamp, table.position, table.behind(since), parked,
            swap, serving, deployment.target, kept,
        )  # fmt: skip

    def tell_all(self, ctx: Context, projection: str, changes: bool = True) -> None:
        """All replicas: where the read models of a projection are, and with ``changes`` all rows too."""
        for table in self.tables():
            if table.projection.name == projection:
                for replica in self.control.nodes["replicas"]:
                    ctx.send(replica, self.rows(projection, table, 0 if changes else table.stamp))

    def announce(self, ctx: Context, projection: str) -> None:
        """The other projectors: this one serves it now."""
        if self.control.homes.get(projection) == self.name:
            for other in self.control.nodes["projectors"]:
                if other != self.name:
                    ctx.send(other, Serving(projection, self.swapped[projection][0]))

    def tell_parked(self, ctx: Context, table: Table) -> None:
        """Note what was parked."""
        for parked in table.parked[-1:]:
            place = (table.generation, parked.event.position)
            if place not in self.told_parked:
                self.told_parked[place] = True
                event = parked.event
                name = table.projection.name
                ctx.note(e.EventParked(name, event.position, event.stream, event.revision, not parked.attempts))


__all__ = ["ProjectorNode", "Task"]
