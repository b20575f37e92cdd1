"""The user's traces, judged: the critical path and self time of every trace, and a diagnosis over all of them.

Spans come as a stream, in any order and from many traces at once; nobody says when a trace is complete. So all are
held, and judged at the end of the stream; past ``SPANS_MAX`` the oldest trace is judged before its time, whole, and
what is late for it is refused and counted. What is held of a span is what the analysis needs, so a large file fits.

The digest is a hash of every span as it was read, in the order of the file, and of the result.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from sys import intern
from typing import Any, Final, NamedTuple, Protocol

from engines.sim.pattern import Check
from engines.tracing.aggregate import Aggregates, Row
from engines.tracing.cohorts import FACT_LENGTH, NUMBERS, Book
from engines.tracing.critical import critical_path, fault_of, self_times
from engines.tracing.diagnosis import Diagnosis, NoDiagnosis, diagnose_worst
from engines.tracing.gap import Cause
from engines.tracing.spans import Attributes, Span, is_zero
from engines.tracing.store import SpanStore
from engines.tracing.tree import Tree, build
from engines.tracing.waiting import UNKNOWN
from engines.tracing.words import duration, every, percent, plural

SPANS_MAX: Final = 1_000_000
"""Spans held at once: a gigabyte, if hardly two of them have an attribute in common."""
AGGREGATES_MAX: Final = 20
WITNESSES_MAX: Final = 5
PAIRS_MAX: Final = 50_000
SLOWEST: Final = 10


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
    notes: tuple[str, ...]
    """What was wrong with the trace, and why its path is empty or has no length."""

    def to_json(self) -> dict[str, Any]:
        """Under its public names."""
        keys = ("span_id", "service", "operation", "start_us", "end_us")
        return {
            "trace_id": self.trace_id,
            "spans": self.spans,
            "services": self.services,
            "errors": self.errors,
            "missing_parents": self.missing_parents,
            "duration_us": self.duration_us,
            "extent_us": self.extent_us,
            "critical_path": [dict(zip(keys, each, strict=True)) for each in self.critical_path],
            "self_time_us": dict(self.self_time_us),
            "root": {"service": self.service, "operation": self.operation, "start_us": self.start_us},
            "notes": list(self.notes),
        }


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
    diagnosis: Diagnosis | None
    diagnosis_reason: str
    """Why there is none; empty if there is one."""
    aggregates: tuple[Row, ...]
    counts: tuple[tuple[str, int], ...]
    """How often each kind of thing was wrong, over all traces."""
    refused_spans: int
    """Too late for a trace that had to be judged before the end."""
    notices: tuple[str, ...]
    checks: tuple[Check, ...]
    digest: str

    def as_json(self) -> dict[str, Any]:
        """Everything but the traces, under its public names."""
        return {
            "services": list(self.services),
            "diagnosis": None if self.diagnosis is None else diagnosis_json(self.diagnosis),
            "diagnosis_reason": self.diagnosis_reason,
            "snapshot": {
                "file": self.name,
                "spans": self.events,
                "traces": len(self.traces),
                "services": len(self.services),
                "errors": sum(each.errors for each in self.traces),
                "missing_parents": sum(each.missing_parents for each in self.traces),
                "refused_spans": self.refused_spans,
                "wrong": dict(self.counts),
                "notices": list(self.notices),
                "aggregates": [row._asdict() for row in self.aggregates[:AGGREGATES_MAX]],
            },
        }

    def traces_json(self) -> Iterator[dict[str, Any]]:
        """The traces, one by one."""
        return (each.to_json() for each in self.traces)

    def lines(self) -> list[str]:
        """For people; the checks are left to the caller. Names in them come from the file and can hold anything."""
        missing = sum(each.missing_parents for each in self.traces)
        errors = sum(each.errors for each in self.traces)
        lines = [
            f"{plural(self.events, 'span')} of {self.name}: {plural(len(self.traces), 'trace')}, "
            f"{plural(len(self.services), 'service')}, {plural(errors, 'error')}, {plural(missing, 'missing parent')}",
            f"digest {self.digest}",
            *self.notices,
            *(f"{count:,} x {kind}" for kind, count in self.counts),
        ]
        if self.refused_spans:
            were = "was" if self.refused_spans == 1 else "were"
            lines.append(
                f"{plural(self.refused_spans, 'span')} {were} too late for traces that had to be judged before the end"
            )
        lines += ["", "diagnosis"]
        lines += [f"  {line}" for line in _diagnosis_lines(self.diagnosis, self.diagnosis_reason)]
        lines += ["", f"{'slowest traces':<40}{'took':>12}{'spans':>8}{'services':>10}  on its critical path"]
        slowest = sorted(self.traces, key=lambda each: (-each.duration_us, each.trace_id))[:SLOWEST]
        lines += [_trace_line(each) for each in slowest]
        lines += ["", f"{'on critical paths':<40}{'in all':>12}{'spans':>8}{'errors':>8}{'p50':>11}{'p99':>11}"]
        for row in self.aggregates[:SLOWEST]:
            lines.append(
                f"{_short(row.service, row.operation):<39} {duration(row.path_us):>11} {row.spans:>7,} {row.errors:>7,}"
                f" {duration(row.p50_us):>10} {duration(row.p99_us):>10}"
            )
        return lines


def judge(
    spans: Iterable[Span],
    name: str,
    notices: Oddities | None = None,
    spans_max: int = SPANS_MAX,
    progress: Callable[[int, int], None] | None = None,
) -> Judgement:
    """Read the stream to its end and judge it. Whatever reading raises passes through. ``progress`` is told how many
    traces are judged, of how many."""
    court = _Court(spans_max)
    for span in spans:
        court.hear(span)
    return court.close(name, notices, progress)


class _Court:
    """Holds traces until they are judged."""

    def __init__(self, spans_max: int) -> None:
        self.store = SpanStore(spans_max + 1)
        self.spans_max = spans_max
        self.spans = 0
        self.results: list[TraceResult] = []
        self.book = Book()
        self.aggregates = Aggregates()
        self.services: dict[str, None] = {}
        self.counts: dict[str, int] = {}
        self.broken_paths: list[str] = []
        self.first_us: int | None = None
        self.last_us = 0
        self._digest = blake2b(digest_size=16)
        self._resources: dict[Attributes, int] = {}
        self._pairs: dict[tuple[str, str], tuple[str, str]] = {}

    def hear(self, span: Span) -> None:
        """Take one span."""
        self.spans += 1
        self._hash(span)
        self.store.add(self._lean(span))
        while len(self.store) > self.spans_max:
            self._judge(self.store.pop_oldest())

    def close(
        self, name: str, notices: Oddities | None, progress: Callable[[int, int], None] | None = None
    ) -> Judgement:
        """No more spans will come."""
        total = len(self.results) + len(self.store.trace_ids())
        while spans := self.store.pop_oldest():
            self._judge(spans)
            if progress is not None:
                progress(len(self.results), total)
        found = diagnose_worst(self.book)
        diagnosis, reason = (None, found.reason) if isinstance(found, NoDiagnosis) else (found, "")
        for result in self.results:
            self._digest.update(ascii(tuple(result)).encode())
        self._digest.update(ascii((diagnosis, reason)).encode())
        return Judgement(
            name,
            self.spans,
            self.last_us - (self.first_us or 0),
            tuple(self.results),
            tuple(sorted(self.services)),
            diagnosis,
            reason,
            self.aggregates.rows(),
            tuple(sorted(self.counts.items())),
            self.store.refused_spans,
            tuple(notices.lines()) if notices is not None else (),
            self._checks(diagnosis),
            self._digest.hexdigest(),
        )

    def _judge(self, spans: tuple[Span, ...]) -> None:
        tree = build(spans)
        path = critical_path(tree)
        if fault := fault_of(tree, path):
            self.broken_paths.append(f"trace {tree.trace_id}: {fault}")
        self.book.add(tree, path)
        self.aggregates.add(tree, path)
        self.results.append(_result(tree, path.reason, [(each.row, each.start_us, each.end_us) for each in path[0]]))
        self.services.update(dict.fromkeys(tree.services()))
        for kind, count in tree.counts.items():
            self.counts[kind] = self.counts.get(kind, 0) + count
        first, last = min(tree.start_us), max(tree.end_us)
        self.first_us = first if self.first_us is None else min(self.first_us, first)
        self.last_us = max(self.last_us, last)

    def _checks(self, diagnosis: Diagnosis | None) -> tuple[Check, ...]:
        witness = tuple(self.broken_paths[:WITNESSES_MAX])
        partition = f"in {every(len(self.results))} the lengths add up exactly to the root's duration"
        checks = [Check("critical path", not witness, partition, witness)]
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
    detail = f"{len(diagnosis.contributions)} contributions add up exactly to the gap of {duration(diagnosis.gap_us)}"
    return Check("contributions", not witness, detail, witness)


def _result(tree: Tree, reason: str, path: list[tuple[int, int, int]]) -> TraceResult:
    """What is kept of a trace."""
    root, spans = tree.spans[tree.root], tree.spans
    own: dict[str, int] = {}
    for span, time in zip(spans[: tree.real], self_times(tree), strict=False):
        own[span.label] = own.get(span.label, 0) + time
    notes = [f"{note.kind}: {note.text}" for note in tree.notes]
    if is_zero(tree.trace_id):
        notes.append("trace id of zeros: these spans need not belong together")
    if reason:
        notes.append(f"critical path: {reason}")
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
        tuple((spans[row].span_id, spans[row].service, spans[row].name, start, end) for row, start, end in path),
        tuple(sorted(own.items(), key=lambda each: (-each[1], each[0]))),
        tuple(notes),
    )


def diagnosis_json(found: Diagnosis) -> dict[str, Any]:
    """A diagnosis under its public names."""
    return {
        "service": found.service,
        "operation": found.operation,
        "sentence": found.sentence,
        "traces": found.traces,
        "cohorts": {
            "slow": {"traces": found.slow, "at_least_us": found.p99_us, "mean_us": found.slow_mean_us},
            "fast": {"traces": found.fast, "at_most_us": found.p50_us, "mean_us": found.fast_mean_us},
        },
        "gap_us": found.gap_us,
        "verdict": _cause_json(found.verdict),
        "alternatives": [_cause_json(each) for each in found.alternatives],
        "walk": [step.text for step in found.walk],
        "contributions": [
            {
                "service": each.service,
                "operation": each.operation,
                "kind": each.kind,
                "peer": each.peer,
                "guess": each.guess,
                "us": each.us,
                "share_ppm": each.ppm,
                "slow_us": each.slow_us,
                "fast_us": each.fast_us,
            }
            for each in found.contributions
        ],
        "differences": [each._asdict() for each in found.differences],
        "slow_trace": found.slow_trace,
        "median_trace": found.median_trace,
    }


def _cause_json(cause: Cause) -> dict[str, Any]:
    found = {name: value for name, value in cause._asdict().items() if name != "ppm"}
    found["share_ppm"] = cause.ppm
    for name in ("saved_us", "used", "limit", "waiting"):
        found[name] = None if found[name] == UNKNOWN else found[name]
    return found


def _diagnosis_lines(found: Diagnosis | None, reason: str) -> list[str]:
    if found is None:
        return [f"none: {reason}"]
    lines = [
        found.sentence,
        f"of {found.traces:,} {found.service} {found.operation}: {found.slow:,} at or above p99 "
        f"({duration(found.p99_us)}) against {found.fast:,} at or below p50 ({duration(found.p50_us)}); "
        f"the gap of their means is {duration(found.gap_us)}",
    ]
    if found.verdict.saved_us != UNKNOWN:
        lines.append(f"what if: without it the slow ones would take {duration(found.verdict.saved_us)} less")
    lines += [f"next: {each.sentence}" for each in found.alternatives[:3]]
    lines += [
        f"{each.service} {each.key}={each.value}: in {percent(each.slow_ppm)} of the slow, "
        f"{percent(each.fast_ppm)} of the fast ones"
        for each in found.differences[:3]
    ]
    lines.append(f"compare trace {found.slow_trace} (p99) with {found.median_trace} (p50)")
    return lines


def _trace_line(found: TraceResult) -> str:
    spent: dict[tuple[str, str], int] = {}
    for _, service, operation, start, end in found.critical_path:
        spent[service, operation] = spent.get((service, operation), 0) + end - start
    most = max(spent, key=lambda each: (spent[each], each))
    share = percent(spent[most] * 1_000_000 // found.duration_us) if found.duration_us else "all"
    more = found.extent_us > found.duration_us * 11 // 10
    outside = f"; {duration(found.extent_us)} with all its spans" if more else ""
    return (
        f"{_short(found.service, found.operation):<39} {duration(found.duration_us):>11} {found.spans:>7,}"
        f"{found.services:>10,}  {share} {' '.join(most).strip()}{outside}"
    )


def _short(service: str, operation: str) -> str:
    text = f"{service} {operation}".strip()
    return text if len(text) < 40 else f"{text[:36]}..."


__all__ = ["Judgement", "Oddities", "TraceResult", "contributions_check", "diagnosis_json", "judge"]
