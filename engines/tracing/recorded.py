"""The user's traces as a run: one step is one trace that is complete, at the end of its last span.

The state is only how far the run has come. Aggregates, the map and the diagnosis are worked out over the traces so far
when somebody looks: anew when their number has grown by a quarter, and at the end of the data. What is worked out is
kept with the records, not in the state, so a checkpoint is small and stepping back in a large file costs nothing.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from functools import partial
from itertools import groupby, islice
from typing import Any, Final, NamedTuple, TypeVar

from engines.sim.faults import Narrate
from engines.sim.pattern import Check, Config, Variant, needs_source
from engines.sim.recorded import RecordedEngine
from engines.sim.source import Source
from engines.state import kept
from engines.tracing.aggregate import P50, P90, P99, PPM, Aggregates, Row, percentile
from engines.tracing.examination import Examination, Proposal, compare, examine, propose
from engines.tracing.judge import contributions_check, partition_check
from engines.tracing.packed import Shelf
from engines.tracing.records import Calls, Record, Records
from engines.tracing.spans import Span
from engines.tracing.split import Choice, Cohort
from engines.tracing.tree import Note
from engines.tracing.world.events import AllRead, Noticed, Score, TraceJudged
from engines.tracing.world.snapshot import (
    SERIES_MAX,
    TRACES_MAX,
    CollectorView,
    MapEdge,
    Sample,
    ServiceView,
    Snapshot,
    SpanTable,
    TraceRow,
    pace_of,
)
from engines.units import US_PER_S

WITNESSES_MAX: Final = 5
OVERVIEWS_MAX: Final = 12
"""Studies remembered with the records, so that going back and forth does not work them out again."""
GROWTH: Final = 4
"""What is worked out over all traces is renewed when their number has grown by a fourth."""


class Overview(NamedTuple):
    """What the first traces, so many, say together."""

    traces: int
    aggregates: tuple[Row, ...]
    services: tuple[ServiceView, ...]
    edges: tuple[MapEdge, ...]
    examination: Examination
    proposal: Proposal | None
    checks: tuple[Check, ...]


class Study(NamedTuple):
    """The first traces of a FILE, so many, to be set against each other."""

    records: Records
    taken: int

    def examine(self, choice: Choice) -> Examination:
        """Some of them against the others, worked out once."""
        return remembered(self.records, (self.taken, choice), partial(_compared, self, choice))

    def having(self, choice: Choice) -> frozenset[str]:
        """The ids of the traces with an attribute, of the whole FILE."""
        return self.records.having(choice)


class TracingRecorded(RecordedEngine):
    """The engine of a trace file."""

    def __init__(self, source: Source, seed: int, config: Config) -> None:
        super().__init__(source, seed, config)
        self.spans = 0
        self.broken: tuple[str, ...] = ()
        """Traces whose critical path is no partition, the first few."""
        self.studied = 0
        """Of how many traces the overview is."""
        self._snapshot: tuple[tuple[int, int], Snapshot] | None = None

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        """What is worked out is no state."""
        return kept(self, _snapshot=None)

    @property
    def records(self) -> Records:
        """The traces of the file."""
        found = self.source.records
        assert isinstance(found, Records)
        return found

    def at_us(self, record: Record) -> int:
        """When its last span ended."""
        return record.at_us

    def take(self, index: int, record: Record) -> None:
        """One trace more is complete."""
        row, count = record.row, index + 1
        self.spans += row.spans
        if record.fault and len(self.broken) < WITNESSES_MAX:
            self.broken = (*self.broken, f"trace {row.trace_id}: {record.fault}")
        last = count == len(self.records)
        if last or count >= self.studied + max(1, self.studied // GROWTH):
            self.studied = count
        self.note(
            TraceJudged(
                row.trace_id,
                row.service,
                row.operation,
                row.duration_us,
                row.spans,
                row.services,
                row.errors,
                row.missing,
                row.note if isinstance(row.note, Note) else None,
                record.most,
            ),
            row.service,
        )
        if last:
            found = self.overview().examination
            self.note(AllRead(found.verdicts[0] if found.verdicts else None, found.lack))
        if index == 0 or last:
            for notice in self.records.notices:
                self.note(Noticed(notice))

    def overview(self) -> Overview:
        """What the traces up to the last renewal say together."""
        return remembered(self.records, self.studied, lambda: _overview(self.records, self.studied))

    def check(self) -> tuple[Check, ...]:
        """Whether the analysis of this file is exact."""
        return (partition_check(self.taken, self.broken), *self.overview().checks)

    def snapshot(self) -> Snapshot:
        """The newest traces, and what all of them say together."""
        key = (self.position, self.now_us)
        if self._snapshot is None or self._snapshot[0] != key:
            self._snapshot = (key, self._look())
        return self._snapshot[1]

    def _look(self) -> Snapshot:
        overview, records = self.overview(), self.records
        newest = records[max(0, self.taken - TRACES_MAX) : self.taken][::-1]
        found = overview.examination
        diagnosis = found.diagnosis
        return Snapshot(
            now_us=self.now_us,
            seed=0,
            variant="recorded",
            recorded=True,
            services=overview.services,
            map_edges=overview.edges,
            traces=_warm([record.row for record in newest]),
            store=SpanTable(tuple(record.entry for record in newest)),
            series=_series(records, self.taken, self.now_us),
            aggregates=overview.aggregates,
            diagnosis=diagnosis,
            no_diagnosis=found.lack,
            root_operation=(diagnosis.service, diagnosis.operation) if diagnosis is not None else ("", ""),
            verdicts=found.verdicts,
            injected=(),
            score=Score.NONE,
            collector=CollectorView(traces=self.taken, spans=self.spans, received=self.spans),
            sampling=None,
            correction=False,
            load="",
            rate_per_s=0,
            retries=None,
            checks=self.check(),
            cue=self.cue,
            failures=found.failures,
            proposal=overview.proposal,
            study=Study(records, self.studied),
        )


def source(
    spans: Iterable[Span] | Shelf,
    name: str,
    sha256: str,
    path: str = "",
    skipped: int = 0,
    notices: tuple[str, ...] = (),
    progress: Callable[[int, int], None] | None = None,
    baseline: Iterable[Span] | Shelf | None = None,
    root: tuple[str, str] | None = None,
    choice: Choice | None = None,
) -> Source:
    """The spans of a file as records that can be played; ``notices``: what was odd about it. ``progress`` is told how
    many traces are worked out, of how many; ``baseline``: the spans of a better time to compare with;
    ``root``: whose latency is diagnosed, by default that of all root operations; ``choice``: which traces are set
    against the others, unless the person chooses anew."""
    return Source(name, sha256, Records(spans, notices, progress, baseline, root, choice), path, skipped)


T = TypeVar("T")


def remembered(records: Records, key: object, made: Callable[[], T]) -> T:
    """What was worked out over some of the records, or work it out; the last few are kept with them."""
    known = records.overviews
    found: T = known.pop(key) if key in known else made()
    known[key] = found  # the newest use last
    if len(known) > OVERVIEWS_MAX:
        del known[next(iter(known))]
    return found


def _cohort(records: Records, count: int) -> Cohort:
    first = list(islice(records, count))
    return Cohort([record.summary for record in first], [record.symptoms for record in first])


def _compared(study: Study, choice: Choice) -> Examination:
    records = study.records
    traces = _cohort(records, study.taken)
    return compare(records.book, traces, choice, records.begin_us, records.having(choice), records.root)


def _overview(records: Records, count: int) -> Overview:
    """Everything about the first ``count`` traces together."""
    first = list(islice(records, count))
    aggregates = Aggregates()
    calls: dict[tuple[str, str, bool], list[Calls]] = {}
    for record in first:
        aggregates.take(record.groups)
        for call in record.calls:
            calls.setdefault((call.src, call.dst, call.asynchronous), []).append(call)
    elapsed_us = max(1, first[-1].at_us) if first else 1
    traces, proposal = _cohort(records, count), None
    if records.choice is not None:
        found = Study(records, count).examine(records.choice)
    else:
        found = examine(records.book, traces, records.root, records.baseline, spans_of=records.spans_of)
        proposal = propose(records.book, traces, records.begin_us, records.root) if records.baseline is None else None
    return Overview(
        count,
        aggregates.rows(),
        _services(records, calls, elapsed_us),
        tuple(
            _edge(src, dst, asynchronous, some, elapsed_us) for (src, dst, asynchronous), some in calls.items() if src
        ),
        found,
        proposal,
        (contributions_check(found.diagnosis),) if found.diagnosis is not None else (),
    )


def _services(
    records: Records, calls: dict[tuple[str, str, bool], list[Calls]], elapsed_us: int
) -> tuple[ServiceView, ...]:
    """The services met so far, edge first."""
    served: dict[str, list[Calls]] = {}
    for (src, dst, _), some in calls.items():
        served.setdefault(dst, []).extend(some)
        if src:
            served.setdefault(src, [])
    found = []
    for name, layer in records.layers.items():
        if name not in served:
            continue
        per_s, errors_ppm, lasted = _figures(served[name], elapsed_us)
        role = "gateway" if layer == "edge" else "database" if layer == "data" else "service"
        p50_us, p99_us = percentile(lasted, P50), percentile(lasted, P99)
        view = ServiceView(name, layer, role, "up", calls_per_s=per_s, errors_ppm=errors_ppm)
        found.append(view._replace(p50_us=p50_us, p99_us=p99_us, called=len(lasted)))
    return tuple(found)


def _edge(src: str, dst: str, asynchronous: bool, calls: list[Calls], elapsed_us: int) -> MapEdge:
    per_s, errors_ppm, lasted = _figures(calls, elapsed_us)
    return MapEdge(src, dst, asynchronous, per_s, errors_ppm, percentile(lasted, P99), "", len(lasted))


def _figures(calls: list[Calls], elapsed_us: int) -> tuple[int, int, list[int]]:
    """(calls a second, share of errors, durations in order)."""
    lasted = sorted(duration_us for call in calls for duration_us in call.durations_us)
    errors = sum(call.errors for call in calls)
    return len(lasted) * US_PER_S // elapsed_us, errors * PPM // max(1, len(lasted)), lasted


def _warm(rows: list[TraceRow]) -> tuple[TraceRow, ...]:
    """Rows with their rank by duration."""
    last = max(1, len(rows) - 1)
    heat = {
        i: place * PPM // last for place, i in enumerate(sorted(range(len(rows)), key=lambda i: rows[i].duration_us))
    }
    return tuple(row._replace(heat_ppm=heat[i]) for i, row in enumerate(rows))


def _series(records: Records, taken: int, now_us: int) -> tuple[Sample, ...]:
    """What ended in each second of the run so far, or in each hour of a long one, oldest first; those in which nothing
    ended are left out."""
    step_us = pace_of(now_us).us
    whole: list[tuple[int, Sample]] = remembered(records, ("series", step_us), lambda: _samples(records, step_us))
    count = bisect_right(whole, taken, key=lambda each: each[0])
    first = whole[count - 1][0] if count else 0
    samples = [sample for _, sample in whole[:count]]
    if first < taken:  # the last one is not over yet
        rows = [record.row for record in records[first:taken]]
        samples.append(_sample(records[first].at_us // step_us * step_us, rows))
    return tuple(samples[-SERIES_MAX:])


def _samples(records: Records, step_us: int) -> list[tuple[int, Sample]]:
    """All points of the strip, each with the number of traces up to its end."""
    found: list[tuple[int, Sample]] = []
    for step, some in groupby(records, lambda record: record.at_us // step_us):
        rows = [record.row for record in some]
        found.append((len(rows) + (found[-1][0] if found else 0), _sample(step * step_us, rows)))
    return found


def _sample(at_us: int, rows: list[TraceRow]) -> Sample:
    lasted = sorted(row.duration_us for row in rows)
    return Sample(
        at_us,
        len(rows),
        sum(row.errors > 0 for row in rows),
        percentile(lasted, P50),
        percentile(lasted, P90),
        percentile(lasted, P99),
        sum(row.spans for row in rows),
    )


VARIANT: Final = Variant(
    "recorded",
    "Recorded traces",
    "the traces of a file, each as it was completed",
    needs_source,
    (Narrate,),
    engine_version=4,
    from_source=TracingRecorded,
    fidelity=(
        ("modelled", "every trace of the file, with its critical path, self times and a diagnosis over all so far"),
        ("simplified", "a trace counts as complete when its last span has ended: nobody knows what never arrived"),
        ("simplified", "waits have no standard span: on foreign traces they are told by name, and marked as a guess"),
        ("left out", "a database that sends no spans is no service on the map, only time in the spans of its callers"),
        ("left out", "pools and queues as metrics: only what spans say about them is known"),
    ),
)

__all__ = ["VARIANT", "TracingRecorded", "source"]
