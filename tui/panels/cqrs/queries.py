"""What is worked out for the screen: read models at a date, the same order on both models, the rows of a story."""

from typing import Any, Final, NamedTuple

from engines.cqrs import OrderSummary, changes_at, fold
from engines.cqrs import projection as projection_named
from engines.cqrs.projections import Projection, RowChange
from engines.cqrs.read_models import PROJECTIONS, summary_of
from engines.cqrs.world.snapshot import MachineView, ProjectionView, Snapshot
from engines.event_sourcing import TreeNode, UnknownEvent, causation_tree
from engines.units import PPM_PER_PERCENT, span
from tui.kit.memo import of_stream, once
from tui.panel import Figure

SHORT: Final = {"order_summary": "summary", "customer_history": "history", "revenue_by_day": "revenue"}
"""Projections as they are called where room is short."""


class Sides(NamedTuple):
    """One order as everybody has it."""

    order: str
    read: OrderSummary | None
    write: OrderSummary | None
    crud: OrderSummary | None
    late: bool = True
    """Whether the projection has events still to come, or parked ones: what it lacks may be among them."""

    @property
    def stale(self) -> bool:
        """Whether the read model does not show everything, and may yet."""
        read = self.read.version if self.read is not None else -1
        return self.late and self.write is not None and read < self.write.version

    @property
    def wrong(self) -> bool:
        """Whether being late does not explain what the read model shows: it lacks what it has passed, or a version is
        not as the write model had it.

        When it changed is not asked: a release that knows notes has changed a row at one.
        """
        if self.read is None or self.stale:
            return self.read is None and self.write is not None and not self.late
        return self.write is None or self.read._replace(changed_us=self.write.changed_us) != self.write

    @property
    def failing(self) -> str:
        """The word for a read model that does not answer as the write model does; empty: it does."""
        return "stale" if self.stale else "wrong" if self.wrong else ""


class Told(NamedTuple):
    """A message of a story, and the rows it changed."""

    node: TreeNode
    rows: tuple[RowChange, ...]


def machine(snapshot: Snapshot, name: str) -> MachineView | None:
    """A machine by its name."""
    return next((each for each in snapshot.machines if each.name == name), None)


def written(snapshot: Snapshot, order: str) -> OrderSummary | None:
    """What the write model says of an order: the fold of its events."""
    try:
        return summary_of(of_stream(snapshot.events, order))
    except UnknownEvent:
        return None


def shown(snapshot: Snapshot, order: str) -> OrderSummary | None:
    """What the read model says of an order, where it is built."""
    if not snapshot.projections or not snapshot.projections[0].tables:
        return None
    rows = snapshot.projections[0].tables[0].rows
    row = next((each for each in rows if each[0] == order), None)
    return OrderSummary(*row[:9]) if row is not None else None


def noted(snapshot: Snapshot, order: str) -> str:
    """The note on an order, as readers see it; empty: none, or a release that knows nothing of notes."""
    tables = snapshot.projections[0].tables if snapshot.projections else ()
    row = next((each for each in tables[0].rows if each[0] == order), None) if tables else None
    return str(getattr(row, "note", ""))


def sides(snapshot: Snapshot, order: str) -> Sides:
    """An order on both models, and in the CRUD table."""
    crud = next((row for row in snapshot.crud if row.order == order), None)
    view = snapshot.projections[0] if snapshot.projections else None
    late = view is None or view.behind > 0 or view.parked > 0
    return Sides(order, shown(snapshot, order), written(snapshot, order), crud, late)


def made_by(view: ProjectionView) -> Projection:
    """The code of a projection, as the library has it."""
    return projection_named(view.name)


def rows_at(snapshot: Snapshot, view: ProjectionView, position: int) -> tuple[Any, ...]:
    """The rows of a projection at a date: the fold of what had happened right after the event at a position."""
    events = snapshot.events
    parked = view.tables[0].parked if view.tables else ()
    held = {event.stream: event.revision for event in reversed(parked)}

    def work() -> tuple[Any, ...]:
        try:
            return fold(made_by(view), events[:position], held).rows()
        except UnknownEvent:
            return ()

    return once(events, ("rows", view.name, position), work)


def answer(snapshot: Snapshot, view: ProjectionView, key: str, position: int) -> tuple[Any, ...]:
    """The rows of a file's read model that answer a question: with this key, or found by it."""
    code = made_by(view)
    place = code.columns.index(code.by) if code.by else 0
    until = min(position or view.position, view.position)
    return tuple(row for row in rows_at(snapshot, view, until) if key in (row[0], row[place]))


def story(snapshot: Snapshot, order: str) -> tuple[Told, ...]:
    """The causation tree of an order: command, event, command, event ..., each event with the rows it changed."""
    events = of_stream(snapshot.events, order)
    if not events:
        return ()

    def work() -> tuple[Told, ...]:
        nodes = causation_tree(events, events[0].correlation_id)
        places = [node.event.position for node in nodes if node.event is not None]
        rows = changes_at(PROJECTIONS.values(), snapshot.events, places)
        return tuple(Told(node, rows.get(node.event.position, ()) if node.event is not None else ()) for node in nodes)

    return once(snapshot.events, ("story", order), work)


def brief(row: Any) -> str:
    """A row in a few words."""
    if row is None:
        return "nothing"
    if isinstance(row, OrderSummary) or hasattr(row, "version"):
        return f"{row.status} {row.total} v{row.version}"
    if hasattr(row, "amount"):
        return f"{row.orders} orders {row.amount}"
    return f"{row.status} {row.total}"


def share(ppm: int) -> str:
    """A part of a machine's time, to the nearest percent."""
    return f"{(ppm + PPM_PER_PERCENT // 2) // PPM_PER_PERCENT} %"


def work_us(us: int) -> str:
    """Work a second."""
    return span(us) if us else "0"


def worst(snapshot: Snapshot) -> ProjectionView | None:
    """The projection that is the furthest behind, or has parked the most."""
    return max(snapshot.projections, key=lambda view: (view.behind, view.parked), default=None)


def figures(snapshot: Snapshot) -> tuple[Figure, ...]:
    """The numbers that sum a run up."""
    found = [Figure("events", len(snapshot.events))]
    for view in snapshot.projections:
        found.append(Figure(f"{view.name}_behind", view.behind))
        found.append(Figure(f"{view.name}_parked", view.parked))
    if snapshot.recorded:
        return tuple(found)
    costs = snapshot.costs
    for pace in snapshot.paces:
        name = pace.road.replace(" ", "_")
        found.append(Figure(f"{name}_total", pace.total))
        found.append(Figure(f"{name}_p50_us", pace.p50_us, span(pace.p50_us) if pace.done else "none"))
    return (
        *found,
        Figure("answers_judged", costs.judged), Figure("answers_stale", costs.stale),
        Figure("own_writes_missed", costs.misses),
        Figure("sagas_completed", dict(snapshot.ended).get("completed", 0)),
        Figure("sagas_compensated", dict(snapshot.ended).get("compensated", 0)),
        Figure("crud_us_per_s", costs.verdict.crud_us, work_us(costs.verdict.crud_us)),
        Figure("cqrs_us_per_s", costs.verdict.cqrs_us, work_us(costs.verdict.cqrs_us)),
        Figure("pays", "yes" if costs.verdict.pays else "no"),
    )  # fmt: skip
