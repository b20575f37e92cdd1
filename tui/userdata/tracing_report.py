"""The report on a file of traces: for people as lines, for programs under the public names of the command line."""

from collections.abc import Iterator
from typing import Any, Final

from engines import units
from engines.tracing.diagnosis import Comparison, Diagnosis
from engines.tracing.examination import Examination, Proposal
from engines.tracing.failures import Beginning, Failures
from engines.tracing.gap import Cause
from engines.tracing.judge import Judgement, TraceResult
from engines.tracing.spans import is_zero
from engines.tracing.verdicts import Verdict
from engines.tracing.waiting import UNKNOWN
from engines.units import percent, share, stamp
from tui.kit.words import plural
from tui.userdata.verdict_words import (
    THAN,
    WHEN,
    cause_words,
    failure_step_words,
    failure_words,
    flaw_words,
    lack_words,
    no_length_words,
    ordinary_words,
    sentence,
    standing_words,
    step_words,
)

AGGREGATES_MAX: Final = 20
SLOWEST: Final = 10
ROOTS_MAX: Final = 5
PPM: Final = 1_000_000


# -- for people ------------------------------------------------------------------------------------------------------


def lines(found: Judgement) -> list[str]:
    """All but the checks. Names come from the file and can hold anything: whoever prints a line escapes it."""
    missing = sum(each.missing_parents for each in found.traces)
    errors = sum(each.errors for each in found.traces)
    text = [
        f"{plural(found.events, 'span')} of {found.name}: {plural(len(found.traces), 'trace')}, "
        f"{plural(len(found.services), 'service')}, {plural(errors, 'error')}, {plural(missing, 'missing parent')}",
        f"digest {found.digest}",
        *found.notices,
        *(f"{count:,} x {kind}" for kind, count in found.counts),
    ]
    if found.refused_spans:
        were = "was" if found.refused_spans == 1 else "were"
        spans = plural(found.refused_spans, "span")
        text.append(f"{spans} {were} too late for traces that had to be judged before the end")
    text += ["", "diagnosis"]
    text += [f"  {line}" for line in _diagnosis_lines(found.examination)]
    for title, more in (("failures", _failure_lines(found.examination)), ("a change", _proposal_lines(found.proposal))):
        text += ["", title, *(f"  {line}" for line in more)] if more else []
    text += ["", f"{'slowest traces':<40}{'took':>12}{'spans':>8}{'services':>10}  on its critical path"]
    slowest = sorted(found.traces, key=lambda each: (-each.duration_us, each.trace_id))[:SLOWEST]
    text += [_trace_line(each) for each in slowest]
    text += ["", f"{'on critical paths':<40}{'in all':>12}{'spans':>8}{'errors':>8}{'p50':>11}{'p99':>11}"]
    for row in found.aggregates[:SLOWEST]:
        text.append(
            f"{_short(row.service, row.operation):<39} {units.fixed(row.path_us):>11} {row.spans:>7,} {row.errors:>7,}"
            f" {units.fixed(row.p50_us):>10} {units.fixed(row.p99_us):>10}"
        )
    return text


def _failure_lines(found: Examination) -> list[str]:
    """Where requests begin to fail, and the way there."""
    text = []
    for each in found.failures[:ROOTS_MAX]:
        text.append(failure_words(each))
        text += [f"  {failure_step_words(step, each.failed)}" for step in each.walk[1:]]
        others = each.beginnings[1:3]
        text += [f"  also {share(other.traces, each.failed)} first in {_where(other)}" for other in others]
        text.append(f"  see trace {each.example}")
    return text


def _where(found: Beginning) -> str:
    return f"{found.service} {found.operation}".strip() + (f" ({found.error})" if found.error else "")


def _proposal_lines(found: Proposal | None) -> list[str]:
    """The window that the data propose, and what is different in it."""
    if found is None:
        return []
    window, inside = found.window, found.examination
    low, high = window.from_us // 1_000, -(-window.to_us // 1_000)
    text = [
        f"{plural(found.inside, 'trace')} from {stamp(window.from_us)} to {stamp(window.to_us)} differ from the "
        f"{found.outside:,} outside it: --window {low}ms..{high}ms"
    ]
    return text + [f"  {line}" for line in (*_diagnosis_lines(inside)[:3], *_failure_lines(inside)[:3])]


def _diagnosis_lines(found: Examination) -> list[str]:
    text = [sentence(each) for each in found.verdicts if not isinstance(each.evidence, Cause)]
    diagnosis = found.diagnosis
    if diagnosis is None:
        return [*text, f"none{' of latency' if text else ''}: {lack_words(found.lack)}"]
    stands_out = diagnosis.standing.stands_out
    text += [cause_words(diagnosis.verdict) if stands_out else ordinary_words(diagnosis)]
    text += [standing_words(diagnosis)] if stands_out else []
    if diagnosis.comparison is not Comparison.TAIL:
        text.append(
            f"of {diagnosis.service} {diagnosis.operation}: {diagnosis.slow:,} {WHEN[diagnosis.comparison]} against "
            f"{diagnosis.fast:,} {THAN[diagnosis.comparison]}; {units.fixed(diagnosis.slow_mean_us)} instead of "
            f"{units.fixed(diagnosis.fast_mean_us)} on average"
        )
    else:
        text.append(_cohorts(diagnosis))
    if stands_out and diagnosis.verdict.saved_us != UNKNOWN:
        text.append(f"what if: without it the slow ones would take {units.fixed(diagnosis.verdict.saved_us)} less")
    text += [f"next: {cause_words(each)}" for each in diagnosis.alternatives[:3]] if stands_out else []
    text += [
        f"{each.service} {each.key}={each.value}: in {percent(each.slow_ppm)} of the slow, "
        f"{percent(each.fast_ppm)} of the fast ones"
        for each in diagnosis.differences[:3]
    ]
    kinds = ("p99", "p50")
    if diagnosis.comparison is not Comparison.TAIL:
        kinds = f"typical {WHEN[diagnosis.comparison]}", f"typical {THAN[diagnosis.comparison]}"
    text.append(f"compare trace {diagnosis.slow_trace} ({kinds[0]}) with {diagnosis.median_trace} ({kinds[1]})")
    for other in found.diagnoses[1:ROOTS_MAX]:
        name = f"{other.service} {other.operation}"
        said = cause_words(other.verdict) if other.standing.stands_out else ordinary_words(other)
        text.append(f"also {name}, {plural(other.traces, 'trace')}: {said}")
    return text


def _cohorts(diagnosis: Diagnosis) -> str:
    low, high = units.fixed(diagnosis.p50_us), units.fixed(diagnosis.p99_us)
    return (
        f"of {diagnosis.traces:,} {diagnosis.service} {diagnosis.operation}: {diagnosis.slow:,} at or above "
        f"p99 ({high}) against {diagnosis.fast:,} at or below p50 ({low}); "
        f"the gap of their means is {units.fixed(diagnosis.gap_us)}"
    )


def _trace_line(found: TraceResult) -> str:
    spent: dict[tuple[str, str], int] = {}
    for _, service, operation, start, end in found.critical_path:
        spent[service, operation] = spent.get((service, operation), 0) + end - start
    most = max(spent, key=lambda each: (spent[each], each))
    share = percent(spent[most] * PPM // found.duration_us) if found.duration_us else "all"
    more = found.extent_us > found.duration_us * 11 // 10
    outside = f"; {units.fixed(found.extent_us)} with all its spans" if more else ""
    return (
        f"{_short(found.service, found.operation):<39} {units.fixed(found.duration_us):>11} {found.spans:>7,}"
        f"{found.services:>10,}  {share} {' '.join(most).strip()}{outside}"
    )


def _short(service: str, operation: str) -> str:
    text = f"{service} {operation}".strip()
    return text if len(text) < 40 else f"{text[:36]}..."


# -- for programs ----------------------------------------------------------------------------------------------------


def head(found: Judgement) -> dict[str, Any]:
    """Everything but the traces, under its public names."""
    examination = found.examination
    diagnosis = examination.diagnosis
    return {
        "services": list(found.services),
        "verdicts": [verdict_json(each) for each in examination.verdicts],
        "diagnosis": None if diagnosis is None else diagnosis_json(diagnosis),
        "diagnosis_reason": lack_words(examination.lack),
        "failures": [failures_json(each) for each in examination.failures],
        "window": None if found.proposal is None else proposal_json(found.proposal),
        "diagnoses": [
            {
                "root": {"service": each.service, "operation": each.operation},
                "traces": each.traces,
                "harm_us": each.harm_us,
                "stands_out": each.standing.stands_out,
                "verdict": cause_json(each.verdict),
            }
            for each in examination.diagnoses
        ],
        "snapshot": {
            "file": found.name,
            "spans": found.events,
            "traces": len(found.traces),
            "services": len(found.services),
            "errors": sum(each.errors for each in found.traces),
            "missing_parents": sum(each.missing_parents for each in found.traces),
            "refused_spans": found.refused_spans,
            "wrong": {str(kind): count for kind, count in found.counts},
            "notices": list(found.notices),
            "aggregates": [row._asdict() for row in found.aggregates[:AGGREGATES_MAX]],
        },
    }


def traces(found: Judgement) -> Iterator[dict[str, Any]]:
    """The traces, one by one."""
    return (trace_json(each) for each in found.traces)


def trace_json(found: TraceResult) -> dict[str, Any]:
    """One trace under its public names."""
    keys = ("span_id", "service", "operation", "start_us", "end_us")
    notes = [f"{note.kind}: {flaw_words(note)}" for note in found.notes]
    if is_zero(found.trace_id):
        notes.append("trace id of zeros: these spans need not belong together")
    if found.no_length is not None:
        notes.append(f"critical path: {no_length_words(found.no_length)}")
    return {
        "trace_id": found.trace_id,
        "spans": found.spans,
        "services": found.services,
        "errors": found.errors,
        "missing_parents": found.missing_parents,
        "duration_us": found.duration_us,
        "extent_us": found.extent_us,
        "critical_path": [dict(zip(keys, each, strict=True)) for each in found.critical_path],
        "self_time_us": dict(found.self_time_us),
        "root": {"service": found.service, "operation": found.operation, "start_us": found.start_us},
        "notes": notes,
    }


def verdict_json(found: Verdict) -> dict[str, Any]:
    """A verdict under its public names."""
    return {"kind": str(found.kind), "service": found.service, "sentence": sentence(found), "share_ppm": found.ppm}


def diagnosis_json(found: Diagnosis) -> dict[str, Any]:
    """A diagnosis under its public names."""
    return {
        "service": found.service,
        "operation": found.operation,
        "sentence": cause_words(found.verdict) if found.standing.stands_out else ordinary_words(found),
        "traces": found.traces,
        "cohorts": {
            "slow": {"traces": found.slow, "at_least_us": found.p99_us, "mean_us": found.slow_mean_us},
            "fast": {"traces": found.fast, "at_most_us": found.p50_us, "mean_us": found.fast_mean_us},
        },
        "gap_us": found.gap_us,
        "comparison": found.comparison.value,
        "standing": {
            "stands_out": found.standing.stands_out,
            "ratio_ppm": found.standing.tail_ppm,
            "share_low_ppm": found.standing.low_ppm,
            "share_high_ppm": found.standing.high_ppm,
            "change": None if found.standing.change is None else found.standing.change._asdict(),
        },
        "verdict": cause_json(found.verdict),
        "alternatives": [cause_json(each) for each in found.alternatives],
        "walk": [step_words(step) for step in found.walk],
        "contributions": [
            {
                "service": each.service,
                "operation": each.operation,
                "kind": str(each.kind),
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


def failures_json(found: Failures) -> dict[str, Any]:
    """What fails of one root operation, under its public names."""
    return {
        "root": {"service": found.service, "operation": found.operation},
        "sentence": failure_words(found),
        "traces": found.traces,
        "failed": found.failed,
        "stands_out": found.stands_out,
        "before_ppm": found.before_ppm,
        "now_ppm": found.now_ppm,
        "first": [each._asdict() for each in found.beginnings],
        "walk": [each._asdict() for each in found.walk],
        "trace": found.example,
    }


def proposal_json(found: Proposal) -> dict[str, Any]:
    """The window that the data propose, and what is different in it."""
    inside = found.examination
    return {
        "from_us": found.window.from_us,
        "to_us": found.window.to_us,
        "inside": found.inside,
        "outside": found.outside,
        "verdicts": [verdict_json(each) for each in inside.verdicts],
        "diagnosis": None if inside.diagnosis is None else diagnosis_json(inside.diagnosis),
        "failures": [failures_json(each) for each in inside.failures],
    }


def cause_json(cause: Cause) -> dict[str, Any]:
    """A cause under its public names; what no span tells is null."""
    left_out = ("ppm", "missed_slow_ppm", "missed_fast_ppm", "comparison")
    found = {name: value for name, value in cause._asdict().items() if name not in left_out}
    found |= {"kind": str(cause.kind), "share_ppm": cause.ppm, "sentence": cause_words(cause)}
    for name in ("saved_us", "used", "limit", "waiting"):
        found[name] = None if found[name] == UNKNOWN else found[name]
    return found
