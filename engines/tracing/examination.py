"""Many traces examined whole: what the spans say first, and what each root operation suffers from.

A FILE, a part of one and a living system are examined alike, by themselves or one part against another. Root operations
are listed by *harm*: how many requests there are, times how much longer the slow ones take than the typical ones.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Final, NamedTuple

from engines.tracing.cohorts import Book, TraceSummary
from engines.tracing.diagnosis import (
    TRACES_MIN,
    Diagnosis,
    Lack,
    NoDiagnosis,
    diagnose,
    diagnose_against,
    diagnose_change,
)
from engines.tracing.failures import Failures, failures_of
from engines.tracing.gap import Comparison
from engines.tracing.rejoin import rejoined
from engines.tracing.spans import Span
from engines.tracing.split import SAMPLE_MIN, Choice, Cohort, Window, comparison_of, proposed, split
from engines.tracing.tree import MISSING_NAME
from engines.tracing.unfelt import grown
from engines.tracing.verdicts import OF_TIME, Failing, Trouble, Verdict, callers_of, verdicts


class Examination(NamedTuple):
    """What was found."""

    verdicts: tuple[Verdict, ...]
    """All that is named, the most urgent first."""
    diagnoses: tuple[Diagnosis, ...]
    """Of all root operations with enough traces and a tail, those that stand out and do the most harm first."""
    lack: NoDiagnosis | None
    """Why there is no diagnosis; None if there is one."""
    failures: tuple[Failures, ...] = ()
    """Of all root operations with failures to speak of, what stands out first."""

    @property
    def diagnosis(self) -> Diagnosis | None:
        """Of the root operation that does the most harm."""
        return self.diagnoses[0] if self.diagnoses else None


class Proposal(NamedTuple):
    """The window that the data propose, and what is different in it."""

    window: Window
    inside: int
    """How many traces begin in it ..."""
    outside: int
    """... and how many do not."""
    examination: Examination


def examine(
    book: Book,
    now: Cohort,
    root: tuple[str, str] | None = None,
    baseline: Cohort | None = None,
    comparison: Comparison = Comparison.BASELINE,
    spans_of: Callable[[str], Sequence[Span]] | None = None,
) -> Examination:
    """Examine these traces. With ``root`` the latency of that operation is diagnosed, and of no other. With a baseline
    only what is worse than there is named; ``comparison``: what kind of baseline it is. ``spans_of``: the
    spans of a trace by its id, to join what a dropped header tore before its time is diagnosed."""
    if spans_of is not None and any(each.kind is Trouble.HEADER for each in _named(now, baseline, None)):
        whole = rejoined(book, now, spans_of)
        joined = examine(book, whole, root, baseline, comparison)
        return joined._replace(verdicts=_worse(_named(now, baseline, joined.diagnosis), now, baseline))
    diagnoses, lack = diagnose_all(book, now.summaries, root, baseline.summaries if baseline else None, comparison)
    named = _worse(_named(now, baseline, diagnoses[0] if diagnoses else None), now, baseline)
    return Examination(named or _unfelt(now, baseline), diagnoses, lack, failures_of(book, now, baseline, comparison))


def _unfelt(now: Cohort, baseline: Cohort | None) -> tuple[Verdict, ...]:
    """Of a system of which nothing else is to be said: what has grown in it all the same."""
    traces = [each.own for each in sorted(now.symptoms, key=lambda each: (each.start_us, each.trace_id))]
    found = grown(traces, None if baseline is None else [each.own for each in baseline.symptoms])
    return tuple(Verdict(OF_TIME[each.site.kind], each.site.service, each) for each in found)


def _named(now: Cohort, baseline: Cohort | None, worst: Diagnosis | None) -> tuple[Verdict, ...]:
    """What the spans of now say."""
    known = callers_of((*now.symptoms, *(baseline or NO_SAMPLE).symptoms))
    return verdicts(now.symptoms, now.symptoms, known, worst)


def _worse(named: tuple[Verdict, ...], now: Cohort, baseline: Cohort | None) -> tuple[Verdict, ...]:
    """Of these what the baseline does not say as well."""
    if baseline is None:
        return named
    old = verdicts(baseline.symptoms, baseline.symptoms, callers_of(baseline.symptoms), None)
    known = {(each.kind, each.service): each for each in old}
    asked = ((each, known.get((each.kind, each.service))) for each in named)
    return tuple(each for each, before in asked if not _as_before(each, before, now, baseline))


def compare(
    book: Book, traces: Cohort, choice: Choice, begin_us: int, having: Collection[str] = (),
    root: tuple[str, str] | None = None,
) -> Examination:  # fmt: skip
    """Examine the chosen traces against the others."""
    inside, outside = split(choice, traces, begin_us, having)
    return examine(book, inside, root, outside, comparison_of(choice))


def propose(book: Book, traces: Cohort, begin_us: int, root: tuple[str, str] | None = None) -> Proposal | None:
    """The window that the data propose, examined; None: they propose none."""
    window = proposed(traces, begin_us)
    if window is None:
        return None
    inside, outside = split(window, traces, begin_us)
    found = examine(book, inside, root, outside, Comparison.WINDOW)
    return Proposal(window, len(inside.summaries), len(outside.summaries), found)


def _as_before(now: Verdict, before: Verdict | None, sample: Cohort, baseline: Cohort) -> bool:
    """Whether what is named was named in the baseline, and is no worse."""
    if before is None:
        return False
    if isinstance(now.evidence, Failing) and isinstance(before.evidence, Failing):
        here, there = now.evidence.failures * len(baseline.symptoms), before.evidence.failures * len(sample.symptoms)
        return here < WORSE * there
    return True


NO_SAMPLE: Final = Cohort((), ())
WORSE: Final = 2
"""Failures that were there before count again when there are so many times as many of them."""


def diagnose_all(
    book: Book,
    among: Sequence[TraceSummary] | None = None,
    root: tuple[str, str] | None = None,
    before: Sequence[TraceSummary] | None = None,
    comparison: Comparison = Comparison.BASELINE,
) -> tuple[tuple[Diagnosis, ...], NoDiagnosis | None]:
    """The diagnoses of all root operations with enough traces, or of one; or the reason why there is none."""

    def diagnosis(service: str, operation: str) -> Diagnosis | NoDiagnosis:
        if before is None:
            tail = diagnose(book, service, operation, among)
            return (isinstance(tail, Diagnosis) and diagnose_change(book, tail, among)) or tail
        all_now = among if among is not None else book.traces.values()
        return diagnose_against(book, service, operation, all_now, before, comparison)

    if root is not None:
        found = diagnosis(*root)
        return ((found,), None) if isinstance(found, Diagnosis) else ((), found)
    roots = [each for each in book.roots(among) if each[1] != MISSING_NAME or each[0]]
    enough = [each for each in roots if each[2] >= (TRACES_MIN if before is None else SAMPLE_MIN)]
    if not enough and before is not None:
        return (), NoDiagnosis(Lack.FEW_NOW, *(roots[0] if roots else ("", "", 0)), comparison)
    if not enough:
        return (), NoDiagnosis(Lack.FEW, *roots[0]) if roots else NoDiagnosis(Lack.NOTHING)
    results = [diagnosis(service, operation) for service, operation, _ in enough]
    diagnoses = [each for each in results if isinstance(each, Diagnosis)]
    if not diagnoses:
        return (), next(each for each in results if isinstance(each, NoDiagnosis))
    diagnoses.sort(key=lambda each: (not each.standing.stands_out, -each.harm_us, each.service, each.operation))
    return tuple(diagnoses), None


__all__ = ["Cohort", "Examination", "Proposal", "compare", "diagnose_all", "examine", "propose"]
