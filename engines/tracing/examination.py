"""Many traces examined whole: what the spans say first, and what each root operation suffers from.

A FILE, a part of one and a living system are examined alike. Root operations are listed by *harm*: how many requests
there are, times how much longer the slow ones take than the typical ones.
"""

from collections.abc import Sequence
from typing import NamedTuple

from engines.tracing.cohorts import Book, TraceSummary
from engines.tracing.diagnosis import TRACES_MIN, Diagnosis, Lack, NoDiagnosis, diagnose
from engines.tracing.symptoms import Symptoms
from engines.tracing.tree import MISSING_NAME
from engines.tracing.verdicts import Verdict, callers_of, verdicts


class Examination(NamedTuple):
    """What was found."""

    verdicts: tuple[Verdict, ...]
    """All that is named, the most urgent first."""
    diagnoses: tuple[Diagnosis, ...]
    """Of all root operations with enough traces and a tail, those that do the most harm first."""
    lack: NoDiagnosis | None
    """Why there is no diagnosis; None if there is one."""

    @property
    def diagnosis(self) -> Diagnosis | None:
        """Of the root operation that does the most harm."""
        return self.diagnoses[0] if self.diagnoses else None


def examine(
    book: Book,
    symptoms: Sequence[Symptoms],
    among: Sequence[TraceSummary] | None = None,
    root: tuple[str, str] | None = None,
) -> Examination:
    """Examine these traces. With ``root`` the latency of that operation is diagnosed, and of no other."""
    diagnoses, lack = diagnose_all(book, among, root)
    named = verdicts(symptoms, symptoms, callers_of(symptoms), diagnoses[0] if diagnoses else None)
    return Examination(named, diagnoses, lack)


def diagnose_all(
    book: Book, among: Sequence[TraceSummary] | None = None, root: tuple[str, str] | None = None
) -> tuple[tuple[Diagnosis, ...], NoDiagnosis | None]:
    """The diagnoses of all root operations with enough traces, or of one; or the reason why there is none."""
    if root is not None:
        found = diagnose(book, *root, among)
        return ((found,), None) if isinstance(found, Diagnosis) else ((), found)
    roots = [each for each in book.roots(among) if each[1] != MISSING_NAME or each[0]]
    enough = [each for each in roots if each[2] >= TRACES_MIN]
    if not enough:
        return (), NoDiagnosis(Lack.FEW, *roots[0]) if roots else NoDiagnosis(Lack.NOTHING)
    results = [diagnose(book, service, operation, among) for service, operation, _ in enough]
    diagnoses = [each for each in results if isinstance(each, Diagnosis)]
    if not diagnoses:
        return (), next(each for each in results if isinstance(each, NoDiagnosis))
    diagnoses.sort(key=lambda each: (-each.harm_us, each.service, each.operation))
    return tuple(diagnoses), None


__all__ = ["Examination", "diagnose_all", "examine"]
