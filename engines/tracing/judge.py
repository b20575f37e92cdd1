"""The user's traces, judged: the critical path and self time of every trace, and a diagnosis over all of them.

Spans come as a stream, in any order and from many traces at once; nobody says when a trace is complete. So all are
held, and judged at the end of the stream; past ``SPANS_MAX`` the oldest trace is judged before its time, whole, and
what is late for it is refused and counted. What is held of a span is what the analysis needs, so a large file fits.

The digest is a hash of every span as it was read, in the order of the file, and of the result.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from sys import intern
from typing import Final, NamedTuple, Protocol

from engines.sim.pattern import Check
from engines.tracing.aggregate import Aggregates, Row, groups_of
from engines.tracing.cohorts import FACT_LENGTH, NUMBERS, Book, TraceSummary
from engines.tracing.critical import NoLength, Path, critical_path, fault_of, self_times
from engines.tracing.diagnosis import Diagnosis
from engines.tracing.examination import Examination, Proposal, compare, examine, propose
from engines.tracing.spans import Attributes, Kind, Span, plain, said
from engines.tracing.split import Choice, Cohort, Where
from engines.tracing.store import SpanStore
from engines.tracing.symptoms import Symptoms, host_of_call, symptoms_of
from engines.tracing.tree import Flaw, Note, Tree, build, trees
from engines.tracing.unfelt import Site, own_of

SPANS_MAX: Final = 1_000_000
"""Spans held at once: a gigabyte, if hardly two of them have an attribute in common."""
WITNESSES_MAX: Final = 5
PAIRS_MAX: Final = 50_000
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
    baseline: Iterable[Span] | None = None,
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
        self.store = SpanStore(spans_max + 1)
        self.spans_max = spans_max
        self.spans = 0
        self.results: list[TraceResult] = []
        self.book = Book()
        self.aggregates = Aggregates()
        self.services: dict[str, None] = {}
        self.counts: dict[Flaw, int] = {}
        self.summaries: list[TraceSummary] = []
        self.symptoms: list[Symptoms] = []
        self.held: dict[str, tuple[Span, ...]] | None = {}
        """The spans of traces that may have been torn, to join them; None: there is more than can be held."""
        self.called: frozenset[str] = frozenset()
        """The services that others call, as far as there are spans of them."""
        self.baseline: Cohort | None = None
        self.broken_paths: list[str] = []
        self.first_us: int | None = None
        self.last_us = 0
        self._names: dict[str, None] = {}
        self._peers: dict[str, None] = {}
        self._digest = blake2b(digest_size=16)
        self._resources: dict[Attributes, int] = {}
        self._pairs: dict[tuple[str, str], tuple[str, str]] = {}
        self._sites: dict[tuple[Site, ...], tuple[Site, ...]] = {}

    def hear(self, span: Span) -> None:
        """Take one span."""
        self.spans += 1
        self._hash(span)
        self._names[span.service] = None
        if span.kind == Kind.CLIENT:
            self._peers[host_of_call(span)] = None
        if isinstance(self.choice, Where):
            self._look_for(span, self.choice)
        self.store.add(self._lean(span))
        while len(self.store) > self.spans_max:
            self.held = None
            self._judge(self.store.pop_oldest())

    def _look_for(self, span: Span, wanted: Where) -> None:
        value = plain(said(span, wanted.key))
        if value == wanted.value:
            self.having[span.trace_id] = None
        elif value is not None and len(self.values) < VALUES_MAX:
            self.values[value] = None

    def compare_with(self, spans: Iterable[Span]) -> None:
        """Take the traces of a better time."""
        summaries, symptoms = [], []
        for tree in trees(map(self._lean, spans)):
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
        total = len(self.results) + len(self.store.trace_ids())
        self.called = frozenset(self._names.keys() & self._peers.keys())
        while spans := self.store.pop_oldest():
            self._judge(spans)
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
                spans_of=self._spans_of if self.held is not None else None,
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
            self.store.refused_spans,
            tuple(notices.lines()) if notices is not None else (),
            self._checks(found.diagnosis),
            self._digest.hexdigest(),
        )

    def _spans_of(self, trace_id: str) -> tuple[Span, ...]:
        return (self.held or {}).get(trace_id, ())

    def _judge(self, spans: tuple[Span, ...]) -> None:
        tree = build(spans)
        path = critical_path(tree)
        if fault := fault_of(tree, path):
            self.broken_paths.append(f"trace {tree.trace_id}: {fault}")
        self.summaries.append(self.book.add(tree, path))
        own = self_times(tree)
        self.aggregates.take(groups_of(tree, path, own))
        self.symptoms.append(symptoms := symptoms_of(tree, own_of(tree, own, self._sites)))
        if self.held is not None and (
            symptoms.root in self.called or any(dst in self.called for _, dst, _ in symptoms.silent)
        ):
            self.held[tree.trace_id] = spans
        self.results.append(_result(tree, path, own))
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

    def _lean(self, span: Span) -> Span:
        """A span with what the analysis looks at, its strings and attributes shared with those before it."""
        kept = []
        for pair in span.attributes:
            key, value = pair
            if isinstance(value, str) and len(value) > FACT_LENGTH:
                continue
            if key.startswith(NUMBERS) and not isinstance(value, int) and not key.endswith("name"):
                continue
            if type(value) is str:  # of equal pairs one is enough; True and 1 are equal and not the same
                known = self._pairs.get(pair)
                if known is None and len(self._pairs) < PAIRS_MAX:
                    self._pairs[pair] = pair
                pair = known or pair
            kept.append(pair)
        return Span(
            intern(span.trace_id),
            intern(span.span_id),
            intern(span.parent_id),
            span.name,
            span.service,
            span.kind,
            span.start_ns,
            span.end_ns,
            span.status,
            attributes=tuple(kept),
        )

    def _hash(self, span: Span) -> None:
        """Feed every field of a span to the digest; a resource in full the first time, then by its number."""
        number = self._resources.setdefault(span.resource, len(self._resources))
        plain = (int(span.kind), int(span.status), *span[6:8], *span[9:11], *span[12:], number)
        self._digest.update(f"{span[:5]!a}{plain!a}".encode())
        if number == len(self._resources) - 1:
            self._digest.update(ascii(span.resource).encode())


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


def _result(tree: Tree, path: Path, self_us: list[int]) -> TraceResult:
    """What is kept of a trace."""
    root, spans = tree.spans[tree.root], tree.spans
    own: dict[str, int] = {}
    for span, time in zip(spans[: tree.real], self_us, strict=False):
        own[span.label] = own.get(span.label, 0) + time
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
