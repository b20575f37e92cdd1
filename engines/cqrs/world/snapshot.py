"""What there is to see of both roads, or of a file of orders."""

from typing import Any, NamedTuple

from engines.cqrs.queries import Freshness
from engines.cqrs.read_models import OrderSummary
from engines.cqrs.saga import Phase
from engines.cqrs.verdict import Load, Verdict
from engines.cqrs.world.ledger import Side
from engines.cqrs.world.meter import Pace, Work
from engines.event_sourcing.events import RecordedEvent
from engines.sim.pattern import Check
from engines.sim.views import Flight, HostView, LinkView


class MachineView(NamedTuple):
    """A machine with a line before it."""

    name: str
    stage: str
    """``users commands store bus projectors replicas saga services crud``."""
    status: str
    waiting: int
    work: Work
    busy_us: int
    turned_away: int


class TableView(NamedTuple):
    """One generation of a read model, where it is built."""

    projection: str
    generation: int
    release: str
    role: str
    """``live next old``."""
    home: str
    position: int
    rows: tuple[Any, ...]
    """The newest, as the library's named tuples."""
    parked: tuple[RecordedEvent, ...]
    catching: bool
    stopped_at: int
    percent: int


class ProjectionView(NamedTuple):
    """A projection and its gap."""

    name: str
    home: str
    status: str
    """Of its home."""
    position: int
    behind: int
    """Events that are stored and not in it."""
    age_us: int
    """How old the oldest of them is; 0: none."""
    parked: int
    tables: tuple[TableView, ...]
    replicas: tuple[tuple[str, int, int], ...]
    """(replica, the position of its copy, the generation it serves)."""
    moving: bool
    """It is being built at a new home."""


class Gap(NamedTuple):
    """The gap of all projections at one moment."""

    at_us: int
    gaps: tuple[tuple[int, int], ...]
    """(events behind, age) in the order of the projections."""


class SagaView(NamedTuple):
    """A saga that has not ended, or has lately."""

    order: str
    phase: Phase
    step: str
    asked: int
    waiting: bool
    why: str


class BusView(NamedTuple):
    """The broker."""

    status: str
    events: int
    twice: int
    again: int
    taken: tuple[tuple[str, int], ...]


class StoreView(NamedTuple):
    """The event store."""

    status: str
    head: int
    conflicts: int
    outbox: int
    """Messages that the bus has not confirmed."""
    unsynced: int
    capacity: int


class UserView(NamedTuple):
    """A user."""

    name: str
    status: str
    orders: tuple[tuple[str, str, int, int], ...]
    """(order, customer, the version it knows, the position of its last write), newest last."""
    waiting: tuple[str, ...]
    """What it has no answer to yet."""
    missed: int


class Costs(NamedTuple):
    """The run as the verdict's formula takes it, and the verdict."""

    load: Load
    verdict: Verdict
    judged: int
    stale: int
    """Answers about orders, and how many did not show everything."""
    misses: int
    """Own writes that users did not see."""
    waited_out: int


class Source(NamedTuple):
    """Of a file: what it is."""

    name: str
    kind: str
    events_total: int
    integrity_ok: bool
    integrity: str


class Snapshot(NamedTuple):
    """Everything."""

    now_us: int
    seed: int
    variant: str
    events: tuple[RecordedEvent, ...]
    machines: tuple[MachineView, ...]
    store: StoreView
    bus: BusView
    projections: tuple[ProjectionView, ...]
    gaps: tuple[Gap, ...]
    """Over time, oldest first."""
    sides: tuple[Side, ...]
    """The newest answers beside the truth."""
    crud: tuple[OrderSummary, ...]
    """The CRUD table's orders as summaries, newest last."""
    users: tuple[UserView, ...]
    sagas: tuple[SagaView, ...]
    ended: tuple[tuple[str, int], ...]
    """Phase -> sagas that have ended so."""
    paces: tuple[Pace, ...]
    costs: Costs
    freshness: Freshness
    narrow: bool
    flights: tuple[Flight, ...]
    links: tuple[LinkView, ...]
    """Links that are not as they were laid."""
    hosts: tuple[HostView, ...]
    options: tuple[tuple[str, str], ...]
    rules: tuple[tuple[str, bool], ...]
    checks: tuple[Check, ...]
    cue: tuple[int, str] | None
    source: Source | None = None

    @property
    def recorded(self) -> bool:
        """Whether it is of a file."""
        return self.source is not None


__all__ = [
    "BusView", "Costs", "Gap", "MachineView", "Pace", "ProjectionView", "SagaView", "Side", "Snapshot", "Source",
    "StoreView", "TableView", "UserView",
]  # fmt: skip
