"""What there is to see of a traced system, frozen and bounded. The picture is drawn from this and from nothing else.

A recorded run fills the same record as far as a file can tell: ``recorded`` is set, ``services`` and ``map_edges`` are
what the spans show, and whatever only a simulation knows is empty.

Spans are shared between snapshots, never copied: an entry of ``store`` is the same object until its trace changes, so a
picture may cache what it works out by (trace id, number of spans). Shares are parts per million (``_ppm``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

from engines.sim.pattern import Check
from engines.sim.views import Flight, LinkView
from engines.tracing.aggregate import Row
from engines.tracing.context import NewTrace
from engines.tracing.critical import NoLength
from engines.tracing.diagnosis import Diagnosis, NoDiagnosis
from engines.tracing.examination import Examination, Proposal
from engines.tracing.failures import Failures
from engines.tracing.spans import Span
from engines.tracing.split import Choice
from engines.tracing.tree import Note
from engines.tracing.verdicts import Trouble, Verdict
from engines.tracing.world.control import Sampling
from engines.tracing.world.events import Score
from engines.units import US_PER_S

TRACES_MAX: int = 200
"""Rows of the list: the newest traces of the store."""
HOPS_MAX: int = 128
"""Hops kept of one trace."""
SERIES_MAX: int = 120
"""Points of the strip."""


class Ailing(NamedTuple):
    """What was done to a service; a field at its default: nothing of the kind."""

    slow_percent: int = 100
    pool_usual: int = 0
    pool_size: int = 0
    lock_us: int = 0
    hits_ppm: int = -1
    """The share of hits of a cold cache."""
    fail_ppm: int = 0
    drops_header: bool = False
    lose_ppm: int = 0
    late_us: int = 0


WELL: Final = Ailing()


class ServiceView(NamedTuple):
    """A service as it is now. A pool of 0 connections: it has none."""

    name: str
    layer: str
    """``edge domain data``."""
    role: str
    """``gateway service consumer cache database queue``."""
    status: str
    """``up crashed frozen``."""
    cut_from: tuple[str, ...] = ()
    """Whom it cannot reach, or who cannot reach it."""
    clock_off_us: int = 0
    drift_ppm: int = 0
    waiting: int = 0
    """Messages that wait for it while it is frozen."""
    workers_busy: int = 0
    workers_max: int = 0
    queue_depth: int = 0
    queue_max: int = 0
    pool_name: str = ""
    """The database the pool's connections lead to."""
    pool_in_use: int = 0
    pool_max: int = 0
    pool_waiting: int = 0
    calls_per_s: int = 0
    """Of the last ten seconds, as all four."""
    errors_ppm: int = 0
    p50_us: int = 0
    p99_us: int = 0
    ailing: Ailing = WELL
    called: int = 0
    """Calls it served in all."""


class MapEdge(NamedTuple):
    """A call of the service map; figures of the last ten seconds."""

    src: str
    dst: str
    asynchronous: bool = False
    calls_per_s: int = 0
    errors_ppm: int = 0
    p99_us: int = 0
    breaker: str = ""
    """``closed open half_open``; empty: none stands here."""
    calls: int = 0
    """Calls in all."""


class Strayed(NamedTuple):
    """A call that should have continued a trace began this one instead."""

    src: str
    dst: str
    why: NewTrace


Oddness: TypeAlias = Note | Strayed | NoLength
"""What is odd about a trace."""


class TraceRow(NamedTuple):
    """A trace in the list: one row, never two."""

    trace_id: str
    service: str
    """Of the root, or of the earliest span while the root is missing."""
    operation: str
    start_us: int
    duration_us: int
    spans: int
    services: int
    errors: int
    missing: int
    """Parents that are named and not there."""
    complete: bool
    """Nothing more is expected of it; late spans still find their place."""
    kept: Sampling | None
    """By what it was kept; None: it is of a FILE."""
    heat_ppm: int = 0
    """Its rank by duration among the traces listed: 0 the fastest, a million the slowest."""
    note: Oddness | None = None
    extent_us: int = 0
    """From the first start to the last end of all its spans, of a FILE; more than the root's where some lie outside."""


class Hop(NamedTuple):
    """A call on the wire, and what became of its headers."""

    at_us: int
    src: str
    dst: str
    operation: str
    headers: tuple[tuple[str, str], ...]
    why: NewTrace | None
    """Why a new trace was started; None: it was continued."""
    span_id: str
    """The span it led to in the service that was called."""
    from_spans: bool = False
    """Nobody saw it on the wire: it is what the spans tell of it."""


class TraceEntry(NamedTuple):
    """The spans of a trace in the order in which they arrived, and its hops."""

    trace_id: str
    spans: Sequence[Span]
    hops: tuple[Hop, ...] = ()


class Study(Protocol):
    """Sets some of the traces so far against the others."""

    def examine(self, choice: Choice) -> Examination:
        """Worked out once for each choice."""
        ...

    def having(self, choice: Choice) -> frozenset[str]:
        """The ids of the traces with an attribute, of the whole FILE."""
        ...


class SpanTable(NamedTuple):
    """The newest traces of the store, the newest first, in the order of ``Snapshot.traces``."""

    entries: tuple[TraceEntry, ...] = ()

    def entry(self, trace_id: str) -> TraceEntry | None:
        """All there is of a trace; None if it is gone."""
        for entry in self.entries:
            if entry.trace_id == trace_id:
                return entry
        return None

    def spans(self, trace_id: str) -> Sequence[Span]:
        """The spans of a trace; () if it is gone."""
        entry = self.entry(trace_id)
        return entry.spans if entry is not None else ()

    def hops(self, trace_id: str) -> tuple[Hop, ...]:
        """The calls of a trace, in the order in which they arrived."""
        entry = self.entry(trace_id)
        return entry.hops if entry is not None else ()


class Pace(NamedTuple):
    """How much time a point of the strip stands for."""

    us: int
    words: str


PACES: Final = (
    Pace(US_PER_S, "second"), Pace(10 * US_PER_S, "10 seconds"), Pace(60 * US_PER_S, "minute"),
    Pace(600 * US_PER_S, "10 minutes"), Pace(3_600 * US_PER_S, "hour"), Pace(21_600 * US_PER_S, "6 hours"),
    Pace(86_400 * US_PER_S, "day"), Pace(604_800 * US_PER_S, "week"), Pace(31_557_600 * US_PER_S, "year"),
)  # fmt: skip


def pace_of(lasts_us: int) -> Pace:
    """The finest pace at which the strip of a recorded run holds all of its time."""
    return next((each for each in PACES if lasts_us < SERIES_MAX * each.us), PACES[-1])


class Sample(NamedTuple):
    """A point of the strip: a second of what the users saw, of a recorded run as much as its pace says. A percentile of
    nothing is 0."""

    at_us: int
    requests: int
    errors: int
    p50_us: int
    p90_us: int
    p99_us: int
    spans: int = 0
    """Spans that reached the collector."""
    calls: int = 0
    """Calls between services, attempts included."""


class Fault(NamedTuple):
    """What was injected: the truth the verdict is scored against."""

    kind: Trouble
    service: str
    at_us: int
    command: Any
    """What injected it."""
    usual: int = 0
    """What the number it changed was before; 0: no matter."""
    over_us: int = -1
    """When a crash or a freeze was over: its traces are still to come. -1: it is in force."""


class Retries(NamedTuple):
    """How often a call is made in all, and whether callers back off between attempts."""

    attempts: int
    backoff: bool


class CollectorView(NamedTuple):
    """The store of spans, and what became of those that are not in it."""

    traces: int = 0
    spans: int = 0
    spans_max: int = 0
    received: int = 0
    evicted_traces: int = 0
    evicted_spans: int = 0
    refused_spans: int = 0
    """Late for a trace that is gone already."""
    lost_spans: int = 0
    """Lost by exporters and on the wire."""
    late_spans: int = 0
    """Arrived after their trace had been judged complete."""
    unsampled_traces: int = 0
    """Decided against at the head or at the tail."""
    pending_traces: int = 0
    """Wait for the decision at the tail."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The whole picture at one moment."""

    now_us: int
    seed: int
    variant: str
    recorded: bool
    services: tuple[ServiceView, ...]
    map_edges: tuple[MapEdge, ...]
    traces: tuple[TraceRow, ...]
    """The newest first, at most 200, in the order of ``store.entries``."""
    store: SpanTable
    series: tuple[Sample, ...]
    """Oldest first, at most 120."""
    aggregates: tuple[Row, ...]
    """Rows of ``tracing.aggregate`` over the newest 60 traces, renewed every five seconds."""
    diagnosis: Diagnosis | None
    """Of the root operation below."""
    no_diagnosis: NoDiagnosis | None
    """Why there is none; None if there is one."""
    root_operation: tuple[str, str]
    """Whose traces are diagnosed: service and operation of the one with the most of them; empty: of none yet."""
    verdicts: tuple[Verdict, ...]
    """What the tool names, the first first; the scoring looks at the first."""
    injected: tuple[Fault, ...]
    """Faults in force, the newest last; empty: none, or not known."""
    score: Score
    collector: CollectorView
    sampling: Sampling | None
    """What is kept; None: of a FILE."""
    correction: bool
    """Whether the analysis takes the clocks' offsets out."""
    load: str
    rate_per_s: int
    retries: Retries | None
    """None: of a FILE."""
    operations: tuple[str, ...] = ()
    """What ``you`` can ask for."""
    rules: tuple[tuple[str, bool], ...] = ()
    checks: tuple[Check, ...] = ()
    flights: tuple[Flight, ...] = ()
    links: tuple[LinkView, ...] = ()
    cue: tuple[int, str] | None = None
    """The newest words of the lecturer: (time, text)."""
    failures: tuple[Failures, ...] = field(default=(), repr=False)
    """Of a FILE: which requests fail, and where that begins. Like the rest below it follows from the traces, and is
    no part of the digest."""
    proposal: Proposal | None = field(default=None, repr=False)
    """Of a FILE: the window that the data propose."""
    study: Study | None = field(default=None, repr=False, compare=False)
    """Of a FILE: whoever sets some of its traces against the others; not part of what is seen."""

    def service(self, name: str) -> ServiceView | None:
        """The service of this name."""
        for view in self.services:
            if view.name == name:
                return view
        return None

    def trace(self, trace_id: str) -> TraceRow | None:
        """The row of this trace."""
        for row in self.traces:
            if row.trace_id == trace_id:
                return row
        return None
