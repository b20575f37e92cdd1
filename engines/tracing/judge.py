"""The user's traces, judged: the critical path and self time of every trace, and a diagnosis over all of them.

Spans come as a stream, in any order and from many traces at once; nobody says when a trace is complete. So all are
held, and judged at the end of the stream; past ``SPANS_MAX`` the oldest trace is judged before its time, whole, and
what is late for it is refused and counted. What is held of a span is what the analysis needs, and that as a few bytes
(``packed``), so a large file fits.

The digest is a hash of every span as it was read, in the order of the file, and of the result.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final, NamedTuple, Protocol

from engines.sim.pattern import Check
from engines.tracing.aggregate import Aggregates, Row, groups_of
from engines.tracing.cohorts import Book, TraceSummary
from engines.tracing.critical import NoLength, Path, critical_path, fault_of, self_times
from engines.tracing.diagnosis import Diagnosis
from engines.tracing.examination import Examination, Proposal, compare, examine, propose
from engines.tracing.packed import Codec, Shelf, shelved, spoken
from engines.tracing.spans import Span, plain, said
from engines.tracing.split import Choice, Cohort, Where
from engines.tracing.symptoms import Symptoms, symptoms_of
from engines.tracing.tree import Flaw, Note, Tree, build
from engines.tracing.unfelt import Site, own_of

SPANS_MAX: Final = 1_000_000
"""Spans held at once: some hundred megabytes."""
WITNESSES_MAX: Final = 5
VALUES_MAX: Final = 8


class Oddities(Protocol):
    """What a reader found odd about the file."""

    def lines(self) -> list[str]: ...


class TraceResult(NamedTuple):
    """One trace, judged."""

    trace_id: str
    service: str
    """Of the root."""
    operation: str
    start_us: int
    duration_us: int
    spans: int
    services: int
    errors: int
    missing_parents: int
    extent_us: int
    """From the first start to the last end of all its spans: more than the root's duration if some lie outside it."""
    critical_path: tuple[tuple[str, str, str, int, int], ...]
    """(span id, service, operation, start, end)."""
    self_time_us: tuple[tuple[str, int], ...]
    """By service/operation, the largest first."""
    notes: tuple[Note, ...]
    """What was wrong with the trace."""
    no_length: NoLength | None
    """Why its path is empty or has no length."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Everything that was found."""

    name: str
    events: int
    """Spans read."""
    virtual_time_us: int
    """From the first start to the last end."""
    traces: tuple[TraceResult, ...]
    services: tuple[str, ...]
    examination: Examination
    proposal: Proposal | None
    """What a stretch of time shows that the data propose by themselves."""
    having: int
    """Traces with the attribute that was asked for."""
    values: tuple[str, ...]
    """Some of the values that attribute has."""
    aggregates: tuple[Row, ...]
    counts: tuple[tuple[Flaw, int], ...]
    """How often each kind of thing was wrong, over all traces."""
    refused_spans: int
    """Too late for a trace that had to be judged before the end."""
    notices: tuple[str, ...]
    checks: tuple[Check, ...]
    digest: str


def judge(
    spans: Iterable[Span],
    name: str,
    notices: Oddities | None = None,
    spans_max: int = SPANS_MAX,
    progress: Callable[[int, int], None] | None = None,
    root: tuple[str, str] | None = None,
    baseline: Iterable[Span] | Shelf | None = None,
    choice: Choice | None = None,
) -> Judgement:
    """Read the stream to its end and judge it. Whatever reading raises passes through. ``progress`` is told how many
    traces are judged, of how many; ``root``: whose latency is diagnosed, by default that of all root operations;
    ``baseline``: the spans of a better time, with which all of these are compared; ``choice``: instead, which of these
    traces are set against the others."""
    court = _Court(spans_max, choice)
    if baseline is not None:
        court.compare_with(baseline)
    for span in spans:
        court.hear(span)
    return court.close(name, notices, progress, root)


class _Court:
    """Holds traces until they are judged."""

    def __init__(self, spans_max: int, choice: Choice | None = None) -> None:
        self.choice = choice
        self.having: dict[str, None] = {}
        self.values: dict[str, None] = {}
        self.shelf = Shelf(Codec(lean=True, heard=self._heard))
        self.gone: OrderedDict[str, None] = OrderedDict()
        """Traces judged before their time, as many as there may be spans."""
        self.refused_spans = 0
        self.spans_max = spans_max
        self.spans = 0
        self.results: list[TraceResult] = []
        self.book = Book()
        self.aggregates = Aggregates()
        self.services: dict[str, None] = {}
        self.counts: dict[Flaw, int] = {}
        self.summaries: list[TraceSummary] = []
        self.symptoms: list[Symptoms] = []
        self.baseline: Cohort | None = None
        self.broken_paths: list[str] = []
        self.first_us: int | None = None
        self.last_us = 0
        self._digest = blake2b(digest_size=16)
        self._labels: dict[tuple[str, str], str] = {}
        self._known: dict[object, object] = {}
        self._sites: dict[tuple[Site, ...], tuple[Site, ...]] = {}

    def hear(self, span: Span) -> None:
        """Take one span."""
        self.spans += 1
        if isinstance(self.choice, Where):
            self._look_for(span, self.choice)
        if span.trace_id in self.gone:
            self.refused_spans += 1
            data = self.shelf.codec.pack(span)
        else:
            data = self.shelf.add(span)
        self._digest.update(span.trace_id.encode("utf-8", "surrogatepass"))
        self._digest.update(spoken(data))
        while self.shelf.spans > self.spans_max:
            spans = self.shelf.pop_oldest()
            self.gone[spans[0].trace_id] = None
            if len(self.gone) > self.spans_max:
                self.gone.popitem(last=False)
            self._judge(spans)

    def _heard(self, what: object) -> None:
        """What the bytes of a span do not say by themselves."""
        self._digest.update(ascii(what).encode())

    def _look_for(self, span: Span, wanted: Where) -> None:
        value = plain(said(span, wanted.key))
        if value == wanted.value:
            self.having[span.trace_id] = None
        elif value is not None and len(self.values) < VALUES_MAX:
            self.values[value] = None

    def compare_with(self, spans: Iterable[Span] | Shelf) -> None:
        """Take the traces of a better time."""
        summaries, symptoms, shelf = [], [], shelved(spans, lean=True)
        for tree in map(build, map(shelf.unpack, shelf.ids())):
            summaries.append(self.book.add(tree, critical_path(tree)))
            symptoms.append(symptoms_of(tree, own_of(tree, self_times(tree), self._sites)))
        self.baseline = Cohort(summaries, symptoms)

    def close(
        self,
        name: str,
        notices: Oddities | None,
        progress: Callable[[int, int], None] | None = None,
        root: tuple[str, str] | None = None,
    ) -> Judgement:
        """No more spans will come."""
        total = len(self.results) + len(self.shelf)
        for trace_id in self.shelf.ids():
            self._judge(self.shelf.unpack(trace_id))
            if progress is not None:
                progress(len(self.results), total)
        traces, begin_us = Cohort(self.summaries, self.symptoms), self.first_us or 0
        proposal = None
        if self.choice is not None:
            found = compare(self.book, traces, self.choice, begin_us, self.having, root)
        else:
            found = examine(
                self.book,
                traces,
                root,
                self.baseline,
                spans_of=None if self.gone else self.shelf.unpack,
            )
            proposal = propose(self.book, traces, begin_us, root) if self.baseline is None else None
        for result in self.results:
            self._digest.update(ascii(tuple(result)).encode())
        self._digest.update(ascii(tuple(found)).encode())
        return Judgement(
            name,
            self.spans,
            self.last_us - (self.first_us or 0),
            tuple(self.results),
            tuple(sorted(self.services)),
            found,
            proposal,
            len(self.having),
            tuple(self.values),
            self.aggregates.rows(),
            tuple(sorted(self.counts.items())),
            self.refused_spans,
            tuple(notices.lines()) if notices is not None else (),
            self._checks(found.diagnosis),
            self._digest.hexdigest(),
        )

    def _judge(self, spans: Sequence[Span]) -> None:
        tree = build(spans)
        path = critical_path(tree)
        if fault := fault_of(tree, path):
            self.broken_paths.append(f"trace {tree.trace_id}: {fault}")
        self.summaries.append(self.book.add(tree, path))
        own = self_times(tree)
        self.aggregates.take(groups_of(tree, path, own))
        self.symptoms.append(symptoms_of(tree, own_of(tree, own, self._sites), self._known))
        self.results.append(_result(tree, path, own, self._labels))
        self.services.update(dict.fromkeys(tree.services()))
        for kind, count in tree.counts.items():
            self.counts[kind] = self.counts.get(kind, 0) + count
        first, last = min(tree.start_us), max(tree.end_us)
        self.first_us = first if self.first_us is None else min(self.first_us, first)
        self.last_us = max(self.last_us, last)

    def _checks(self, diagnosis: Diagnosis | None) -> tuple[Check, ...]:
        checks = [partition_check(len(self.results), tuple(self.broken_paths[:WITNESSES_MAX]))]
        if diagnosis is not None:
            checks.append(contributions_check(diagnosis))
        return tuple(checks)


def contributions_check(diagnosis: Diagnosis) -> Check:
    """Whether the contributions add up exactly to the gap between the cohorts."""
    exact = sum(each.scaled for each in diagnosis.contributions) - diagnosis.gap_scaled
    shown = sum(each.us for each in diagnosis.contributions) - diagnosis.gap_us
    witness = (
        (f"they miss the gap by {exact} / {diagnosis.scale} us", f"as shown, by {shown} us") if exact or shown else ()
    )
    detail = f"{len(diagnosis.contributions)} contributions add up exactly to the gap of {diagnosis.gap_us:,} us"
    return Check("contributions", not witness, detail, witness)


def partition_check(traces: int, broken: tuple[str, ...]) -> Check:
    """Whether every critical path is a partition of its root's interval."""
    each = "the one trace" if traces == 1 else f"each of {traces:,} traces"
    return Check("critical path", not broken, f"in {each} the lengths add up exactly to the root's duration", broken)


def _result(tree: Tree, path: Path, self_us: list[int], labels: dict[tuple[str, str], str]) -> TraceResult:
    """What is kept of a trace; ``labels``: service/operation of the traces before it, which are shared."""
    root, spans = tree.spans[tree.root], tree.spans
    own: dict[str, int] = {}
    for span, time in zip(spans[: tree.real], self_us, strict=False):
        key = span.service, span.name
        label = labels.get(key) or labels.setdefault(key, span.label)
        own[label] = own.get(label, 0) + time
    return TraceResult(
        tree.trace_id,
        root.service,
        root.name,
        tree.start_us[tree.root],
        tree.duration_us,
        tree.real,
        len(tree.services()),
        tree.errors(),
        tree.missing_parents,
        tree.extent_us,
        tuple((each.span_id, each.service, each.operation, each.start_us, each.end_us) for each in path.steps(tree)),
        tuple(sorted(own.items(), key=lambda each: (-each[1], each[0]))),
        tree.notes,
        path.reason,
    )


__all__ = ["Judgement", "Oddities", "TraceResult", "contributions_check", "judge", "partition_check"]
