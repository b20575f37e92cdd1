"""The user's own orders as a run: one event of the store a step, and every read model as it was right after it.

The models are folded as a rebuild folds them: one that meets an event it cannot read stands still there, and the gap
that opens behind it is shown as any gap is. What is judged of the whole file was judged when it was opened.
"""

from collections.abc import Iterable
from typing import Final

from engines.cqrs.projections import lag
from engines.cqrs.projector import Effect, Projector, rebuilder
from engines.cqrs.queries import Freshness
from engines.cqrs.saga import CATEGORY, SAGA, STEPS, Phase, Saga
from engines.cqrs.verdict import Load, weigh
from engines.cqrs.world import events as e
from engines.cqrs.world.snapshot import BusView, Costs, ProjectionView, SagaView, Snapshot, StoreView, TableView
from engines.cqrs.world.snapshot import Source as SourceView
from engines.cqrs.world.table import NAMES, Table, code
from engines.event_sourcing.errors import UnknownEvent
from engines.event_sourcing.events import RecordedEvent
from engines.event_sourcing.recorded import OfRecords, Records
from engines.event_sourcing.store import Integrity
from engines.event_sourcing.subscriptions import Stopped
from engines.sim.faults import Narrate
from engines.sim.pattern import Check, Config, Variant, needs_source
from engines.sim.source import Source

HOME: Final = "file"
ROWS_SHOWN: Final = 60
"""Rows of a read model that are shown, the newest."""
SAGAS_SHOWN: Final = 12
NO_LOAD: Final = Load(0, 0, len(NAMES), 0, 0, 0, 0, 0)
"""A file tells what was written, not what was read: no verdict comes of it."""


class OrderRecords(Records):
    """The events of a store, and what was judged of them."""

    def __init__(
        self,
        events: Iterable[RecordedEvent],
        kind: str,
        integrity: Integrity,
        checks: tuple[Check, ...] = (),
        park: bool = False,
    ) -> None:
        """``park``: events that cannot be read are put aside; else their read models stop there."""
        super().__init__(events, kind, integrity)
        self.checks = checks
        self.park = park
        self._cut: tuple[RecordedEvent, ...] = ()

    def until(self, count: int) -> tuple[RecordedEvent, ...]:
        """The first so many events; the same object again, so that what was worked out of it need not be again."""
        if len(self._cut) != count:
            self._cut = self.events[:count]
        return self._cut


class OrdersRecorded(OfRecords):
    """The engine of a FILE of orders."""

    def __init__(self, source: Source, seed: int, config: Config) -> None:
        super().__init__(source, seed, config)
        self.tables = {name: Table(code(name, "right", False)) for name in NAMES}
        self.sagas: dict[str, Saga] = {}
        """By stream, in the order in which they were last touched."""
        self.ended: dict[str, int] = {}

    @property
    def records(self) -> OrderRecords:
        """The events of the file."""
        found = self.source.records
        assert isinstance(found, OrderRecords)
        return found

    def take(self, index: int, record: RecordedEvent) -> None:
        """One event more, and what every read model makes of it."""
        what = record.command or record.type
        told = e.Appended(record.stream, record.revision, record.position, record.type, record.who, what)
        self.note(told, HOME)
        for name, table in self.tables.items():
            if not table.stopped_at:
                table.stamp += 1
                projector = Projector(table) if self.records.park else rebuilder(table)
                try:
                    if projector.handle(record) is Effect.PARKED:
                        held = len(table.parked) > 1 and table.parked[-1].attempts == 0
                        self.note(e.EventParked(name, record.position, record.stream, record.revision, held), HOME)
                except Stopped:
                    table.stopped_at = record.position
                    self.note(e.RebuildStopped(name, record.position, table.generation), HOME)
        if record.category == CATEGORY:
            self._saga(record)

    def _saga(self, record: RecordedEvent) -> None:
        before = self.sagas.pop(record.stream, SAGA.initial)
        try:
            after = SAGA.apply(before, record)
        except UnknownEvent:  # somebody else's stream of that name
            return
        self.sagas[record.stream] = after
        if after.over and not before.over:
            self.ended[after.phase.value] = self.ended.get(after.phase.value, 0) + 1
            self.note(e.SagaEnded(after.order, after.phase), HOME)

    def check(self) -> tuple[Check, ...]:
        """What was judged of the file."""
        return self.records.checks

    def snapshot(self) -> Snapshot:
        """The events so far, and the read models they make."""
        records = self.records
        events = records.until(self.taken)
        head = events[-1].position if events else 0
        source = SourceView(
            self.source.name, records.kind, len(records), records.integrity.ok, records.integrity.detail
        )
        shown = [(stream, saga) for stream, saga in self.sagas.items() if saga.phase is not Phase.ABSENT]
        return Snapshot(
            self.now_us, 0, "recorded", events, (), StoreView("up", head, 0, 0, 0, len(records)),
            BusView("up", head, 0, 0, ()), tuple(self._projection(name, head) for name in NAMES), (), (), (), (),
            tuple(_saga_view(saga) for _, saga in shown[-SAGAS_SHOWN:]), tuple(self.ended.items()), (),
            Costs(NO_LOAD, weigh(NO_LOAD), 0, 0, 0, 0), Freshness.ANY, False, (), (), (), (), (), self.check(),
            self.cue, source,
        )  # fmt: skip

    def _projection(self, name: str, head: int) -> ProjectionView:
        table = self.tables[name]
        oldest = self.records.at[table.position] if table.position < self.taken else 0
        behind = lag(table.position, head, oldest, self.now_us)
        newest = list(table.changed)[-ROWS_SHOWN:]
        parked = tuple(each.event for each in table.parked)
        view = TableView(
            name, table.generation, table.release, "live", HOME, table.position,
            tuple(table.get(key) for key in newest), parked, False, table.stopped_at, 100,
        )  # fmt: skip
        return ProjectionView(
            name, HOME, "up", table.position, behind.events, behind.age_us, len(parked), (view,), (), False
        )


def _saga_view(saga: Saga) -> SagaView:
    return SagaView(saga.order, saga.phase, STEPS[saga.step].name, saga.asked, saga.waiting, saga.why)


def source(records: OrderRecords, name: str, sha256: str, path: str = "", skipped: int = 0) -> Source:
    """The events of a store as records that can be played."""
    return Source(name, sha256, records, path, skipped)


VARIANT: Final = Variant(
    "recorded",
    "Recorded orders",
    "the read models of a store, event by event",
    needs_source,
    (Narrate,),
    from_source=OrdersRecorded,
    fidelity=(
        ("modelled", "every event of the store, and every read model as a fold of the events up to it"),
        ("simplified", "the run's time begins with the first event and never goes back; events keep their own times"),
        ("simplified", "a read model has applied an event as soon as it happens: a file holds no lag of its own"),
    ),
)

__all__ = ["VARIANT", "OrderRecords", "OrdersRecorded", "source"]
