"""What there is to see of a world of event sourcing, or of a file of events."""

from typing import NamedTuple

from engines.event_sourcing.events import RecordedEvent
from engines.event_sourcing.snapshots import Snapshot as KeptSnapshot
from engines.event_sourcing.world.checks import Fold
from engines.sim.pattern import Check
from engines.sim.views import Flight, HostView, LinkView


class StoreView(NamedTuple):
    """The store."""

    status: str = "up"
    head: int = 0
    """The newest position readers are shown."""
    written: int = 0
    """The newest position that is written; more than ``head`` while a sync is under way."""
    waiting_pages: int = 0
    syncs: int = 0
    sync_us: int = 0
    appends: int = 0
    conflicts: int = 0
    queue: int = 0
    open_transactions: tuple[tuple[int, str], ...] = ()
    """Of the numbered store: numbers taken and not committed, with who took them."""
    burnt: tuple[int, ...] = ()
    capacity: int = 0


class WriterView(NamedTuple):
    """A teller, or the desk that carries transfers on."""

    name: str
    status: str
    command: str
    """What it is doing; empty: nothing."""
    stream: str
    amount: int
    expected: int
    """The revision it has seen."""
    attempt: int
    appending: bool
    waiting: int
    done: int
    conflicts: int
    refused: int


class SubscriberView(NamedTuple):
    """A subscriber, and where it stands."""

    name: str
    status: str
    checkpoint: int
    behind: int
    """Events it has not handled."""
    handling: int
    """The position it is at; 0: none."""
    half: int
    effects: int
    twice: int
    """Effects that were done again."""
    parked: tuple[tuple[int, str, int, bool], ...]
    """(position, stream, revision, whether it is only held behind one)."""
    stopped_at: int
    holes: tuple[int, ...]
    balances: tuple[tuple[str, int], ...]
    """The projection it keeps."""


class GroupView(NamedTuple):
    """A persistent group."""

    checkpoint: int
    """Written: a restart begins behind it."""
    done_to: int
    """All up to it are done."""
    handed: tuple[tuple[int, str, int, int], ...]
    """What consumers hold: (position, consumer, attempt, when it is handed out again)."""
    consumers: tuple[str, ...]
    parked: tuple[int, ...]
    stopped: bool


class FoldCost(NamedTuple):
    """What loading states has cost."""

    loads: int
    folded: int
    without: int
    """What it would have cost from zero."""
    newest: tuple[Fold, ...]


class Source(NamedTuple):
    """Of a file: what it is."""

    name: str
    kind: str
    events_total: int
    streams_total: int
    integrity_ok: bool
    integrity: str


class Snapshot(NamedTuple):
    """Everything."""

    now_us: int
    seed: int
    variant: str
    events: tuple[RecordedEvent, ...]
    """What readers see, in global order."""
    store: StoreView
    writers: tuple[WriterView, ...]
    subscribers: tuple[SubscriberView, ...]
    kept: tuple[KeptSnapshot, ...]
    """Snapshots that are kept."""
    schema: int
    release: int
    cost: FoldCost
    conflicts: tuple[tuple[int, str, int, int, str], ...]
    """The newest: (time, stream, expected, actual, who)."""
    flights: tuple[Flight, ...]
    links: tuple[LinkView, ...]
    """Links that are not as they were laid."""
    hosts: tuple[HostView, ...]
    options: tuple[tuple[str, str], ...]
    rules: tuple[tuple[str, bool], ...]
    checks: tuple[Check, ...]
    cue: tuple[int, str] | None
    source: Source | None = None
    group: GroupView | None = None

    @property
    def recorded(self) -> bool:
        """Whether it is of a file."""
        return self.source is not None


__all__ = ["FoldCost", "GroupView", "Snapshot", "Source", "StoreView", "SubscriberView", "WriterView"]
