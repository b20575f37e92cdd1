"""Many traces examined whole: what the spans say first, and what each root operation suffers from.

A FILE, a part of one and a living system are examined alike. Root operations are listed by *harm*: how many requests
there are, times how much longer the slow ones take than the typical ones.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from engines.tracing.cohorts import Book, TraceSummary
from engines.tracing.diagnosis import SAMPLE_MIN, TRACES_MIN, Diagnosis, Lack, NoDiagnosis, diagnose, diagnose_against
from engines.tracing.symptoms import Symptoms
from engines.tracing.tree import MISSING_NAME
from engines.tracing.verdicts import Verdict, callers_of, verdicts


class Examination(NamedTuple):
    """What was found."""

    verdicts: tuple[Verdict, ...]
    """All that is named, the most urgent first."""
    diagnoses: tuple[Diagnosis, ...]
    """Of all root operations with enough traces and a tail, those that stand out and do the most harm first."""
    lack: NoDiagnosis | None
    """Why there is no diagnosis; None if there is one."""

    @property
    def diagnosis(self) -> Diagnosis | None:
        """Of the root operation that does the most harm."""
        return self.diagnoses[0] if self.diagnoses else None


class Cohort(NamedTuple):
    """Traces to examine, or to compare with."""

    summaries: Sequence[TraceSummary]
    symptoms: Sequence[Symptoms]


def examine(
    book: Book, now: Cohort, root: tuple[str, str] | None = None, baseline: Cohort | None = None
) -> Examination:
    """Examine these traces. With ``root`` the latency of that operation is diagnosed, and of no other. With a baseline
    only what is worse than there is named."""
    before = baseline.summaries if baseline is not None else None
    diagnoses, lack = diagnose_all(book, now.summaries, root, before)
    worst = diagnoses[0] if diagnoses else None
    named = verdicts(now.symptoms, now.symptoms, callers_of((*now.symptoms, *(baseline or NO_SAMPLE).symptoms)), worst)
    if baseline is not None:
        old = verdicts(baseline.symptoms, baseline.symptoms, callers_of(baseline.symptoms), None)
        known = frozenset((each.kind, each.service) for each in old)
        named = tuple(each for each in named if (each.kind, each.service) not in known)
    return Examination(named, diagnoses, lack)


NO_SAMPLE: Final = Cohort((), ())


def diagnose_all(
    book: Book,
    among: Sequence[TraceSummary] | None = None,
    root: tuple[str, str] | None = None,
    before: Sequence[TraceSummary] | None = None,
) -> tuple[tuple[Diagnosis, ...], NoDiagnosis | None]:
    """The diagnoses of all root operations with enough traces, or of one; or the reason why there is none."""

    def diagnosis(service: str, operation: str) -> Diagnosis | NoDiagnosis:
        if before is None:
            return diagnose(book, service, operation, among)
        return diagnose_against(book, service, operation, among if among is not None else book.traces.values(), before)

    if root is not None:
        found = diagnosis(*root)
        return ((found,), None) if isinstance(found, Diagnosis) else ((), found)
    roots = [each for each in book.roots(among) if each[1] != MISSING_NAME or each[0]]
    enough = [each for each in roots if each[2] >= (TRACES_MIN if before is None else SAMPLE_MIN)]
    if not enough:
        return (), NoDiagnosis(Lack.FEW, *roots[0]) if roots else NoDiagnosis(Lack.NOTHING)
    results = [diagnosis(service, operation) for service, operation, _ in enough]
    diagnoses = [each for each in results if isinstance(each, Diagnosis)]
    if not diagnoses:
        return (), next(each for each in results if isinstance(each, NoDiagnosis))
    diagnoses.sort(key=lambda each: (not each.standing.stands_out, -each.harm_us, each.service, each.operation))
    return tuple(diagnoses), None


__all__ = ["Cohort", "Examination", "diagnose_all", "examine"]
