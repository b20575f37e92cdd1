"""What there is to see of a traced system, frozen and bounded. The picture is drawn from this and from nothing else.

A recorded run fills the same record as far as a file can tell: ``recorded`` is set, ``services`` and ``map_edges`` are
what the spans show, and whatever only a simulation knows is empty.

Spans are shared between snapshots, never copied: an entry of ``store`` is the same object until its trace changes, so a
picture may cache what it works out by (trace id, number of spans). Shares are parts per million (``_ppm``).
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from engines.sim.pattern import Check
from engines.tracing.spans import Span

TRACES_MAX: int = 200
"""Rows of the list: the newest traces of the store."""
HOPS_MAX: int = 128
"""Hops kept of one trace."""
SERIES_MAX: int = 120
"""Points of the strip, a second each."""


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
    troubles: tuple[str, ...] = ()
    """What is wrong with it, in words: ``slow x8``, ``pool 20 > 2``, ``drops the trace headers``."""
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
    sampled_by: str
    """Why it was kept: ``all``, ``head 10 %``, ``tail: error`` ..."""
    heat_ppm: int = 0
    """Its rank by duration among the traces listed: 0 the fastest, a million the slowest."""
    note: str = ""
    """What is odd about it, in words: ``starts a new trace: no traceparent header``."""
    extent_us: int = 0
    """From the first start to the last end of all its spans, of a FILE; more than the root's where some lie outside."""


class Hop(NamedTuple):
    """A call on the wire, and what became of its headers."""

    at_us: int
    src: str
    dst: str
    operation: str
    headers: tuple[tuple[str, str], ...]
    outcome: str
    """``continued``, or ``new trace: no traceparent header``."""
    span_id: str
    """The span it led to in the service that was called."""


class TraceEntry(NamedTuple):
    """The spans of a trace in the order in which they arrived, and its hops."""

    trace_id: str
    spans: tuple[Span, ...]
    hops: tuple[Hop, ...] = ()


class SpanTable(NamedTuple):
    """The newest traces of the store, the newest first, in the order of ``Snapshot.traces``."""

    entries: tuple[TraceEntry, ...] = ()

    def entry(self, trace_id: str) -> TraceEntry | None:
        """All there is of a trace; None if it is gone."""
        for entry in self.entries:
            if entry.trace_id == trace_id:
                return entry
        return None

    def spans(self, trace_id: str) -> tuple[Span, ...]:
        """The spans of a trace; () if it is gone."""
        entry = self.entry(trace_id)
        return entry.spans if entry is not None else ()

    def hops(self, trace_id: str) -> tuple[Hop, ...]:
        """The calls of a trace, in the order in which they arrived."""
        entry = self.entry(trace_id)
        return entry.hops if entry is not None else ()


class Sample(NamedTuple):
    """A point of the strip: one second of what the users saw. A percentile of nothing is 0."""

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


class ChangedLink(NamedTuple):
    """A link that is not as it was laid."""

    src: str
    dst: str
    cut: bool
    clogged: int
    loss_ppm: int
    latency_us: int
    jitter_us: int
    duplicate_ppm: int
    reorder_ppm: int


class Flight(NamedTuple):
    """A message on its way."""

    id: int
    src: str
    dst: str
    letter: str
    """C call, ``c`` its answer, ``x`` an error; P published, D delivered to a consumer, ``d`` acknowledged; S spans."""
    what: str
    """In words."""
    trace_id: str
    """Of the headers it carries; empty if it carries none."""
    departs_us: int
    arrives_us: int


class Fault(NamedTuple):
    """What was injected: the truth the verdict is scored against."""

    kind: str
    """``slow pool lock cache loss retries header skew lost late``."""
    service: str
    text: str
    """In words: ``pool of auth cut from 20 to 2``."""
    at_us: int


class Verdict(NamedTuple):
    """What the tool says from the spans alone."""

    kind: str
    """As ``Fault.kind``, or ``queue network`` where the time goes there, or ``extra``: work that typical requests
    do not have."""
    service: str
    sentence: str
    ppm: int = 0
    """Its share of the gap between p99 and p50, where it speaks of time."""


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
    aggregates: tuple[Any, ...]
    """Rows of ``tracing.aggregate`` over the newest 60 traces, renewed every five seconds."""
    diagnosis: Any
    """A ``tracing.diagnosis.Diagnosis`` of the root operation below, or None."""
    no_diagnosis: str
    """Why there is none; empty if there is one."""
    root_operation: str
    """Whose traces are diagnosed: the one with the most of them, as ``gateway POST /checkout``."""
    verdicts: tuple[Verdict, ...]
    """What the tool names, the first first; the scoring looks at the first."""
    injected: tuple[Fault, ...]
    """Faults in force, the newest last; empty: none, or not known."""
    score: str
    """``the verdict names it``, or what it names instead; empty: nothing to score."""
    collector: CollectorView
    sampling: str
    """In words: ``every trace``, ``head 10 %``, ``tail: errors, slower than 800 ms, 5 % of the rest``."""
    correction: bool
    """Whether the analysis takes the clocks' offsets out."""
    load: str
    rate_per_s: int
    retries: str
    """In words: ``2 attempts with backoff``."""
    operations: tuple[str, ...] = ()
    """What ``you`` can ask for."""
    rules: tuple[tuple[str, bool], ...] = ()
    checks: tuple[Check, ...] = ()
    flights: tuple[Flight, ...] = ()
    links: tuple[ChangedLink, ...] = ()
    cue: tuple[int, str] | None = None
    """The newest words of the lecturer: (time, text)."""

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
