"""Why do requests fail? The same walk as for time, over errors.

A request that fails has usually failed below: each caller passes the error on. The service that *fails first* is the
one whose span is an error while nothing it called has failed; of several of these in one trace the deepest, and of
equally deep ones the earliest. Counted over all failing requests of a root operation this gives the walk from the root
to where most failures begin, with the share of them at every step.

As with time there is an ordinary amount. The rate is compared with that of the baseline, or, without one, with that
before the clearest change in the order of time; a rate that never changed is told, and called so.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final, NamedTuple

from engines.tracing.aggregate import PPM
from engines.tracing.cohorts import Book, TraceSummary
from engines.tracing.gap import Comparison
from engines.tracing.split import SAMPLE_MIN, Cohort
from engines.tracing.standing import SURE, Change, change_of, of_marks, of_rates
from engines.tracing.symptoms import Origin

FAILED_MIN: Final = 5
"""Fewer failures than this have no pattern."""
ORIGINS_MAX: Final = 5
STEP_PPM: Final = 100_000
"""The walk ends where less than a tenth of the failures go on."""


class Beginning(NamedTuple):
    """So many failing requests begin to fail here."""

    service: str
    operation: str
    error: str
    """Of its spans: error.type, the type of an exception, a status code; empty: no span says."""
    traces: int


class Passed(NamedTuple):
    """So many of the failing requests had failed in this operation."""

    service: str
    operation: str
    traces: int


class Failures(NamedTuple):
    """Of one root operation: what fails, where that begins, and whether it was always so."""

    service: str
    operation: str
    traces: int
    failed: int
    beginnings: tuple[Beginning, ...]
    """Where, the most failures first."""
    walk: tuple[Passed, ...]
    """From the root to where most of them begin."""
    before_ppm: int
    """The rate of failures in the baseline, or before the change."""
    now_ppm: int
    """The rate now, or from the change on; over all, where nothing changed."""
    change: Change | None
    """How clear the difference is; ``at`` counts the traces of the root operation in the order of time. Without a
    baseline None where there is no difference at all."""
    stands_out: bool
    example: str
    """A trace that shows it."""
    comparison: Comparison = Comparison.TAIL
    """What is set against what; TAIL: nothing, so before the change and after it."""

    @property
    def first(self) -> Beginning:
        """Where most failures begin."""
        return self.beginnings[0]


def failures_of(
    book: Book, now: Cohort, baseline: Cohort | None = None, comparison: Comparison = Comparison.BASELINE
) -> tuple[Failures, ...]:
    """The failures of every root operation that has any to speak of: what stands out first, then by their number.

    Where those that fail are set against those that go well, they are counted among both, and nothing stands out.
    """
    before = _by_root(baseline) if baseline is not None else None
    found = []
    for root, traces in _by_root(now).items():
        name = book.chains[root]
        others = before.get(root, []) if before is not None else None
        if comparison is Comparison.ERRORS and others is not None:
            traces, others = sorted(traces + others, key=_in_time), None
        made = _failures((name.service, name.operation), traces, others)
        if made is None:
            continue
        if baseline is not None and comparison is Comparison.ERRORS:
            made = made._replace(change=None, stands_out=False)
        found.append(made._replace(comparison=comparison) if baseline is not None else made)
    return tuple(sorted(found, key=lambda each: (not each.stands_out, -each.failed, each.service, each.operation)))


_Trace = tuple[TraceSummary, Origin | None]


def _by_root(cohort: Cohort) -> dict[int, list[_Trace]]:
    found: dict[int, list[_Trace]] = {}
    for summary, symptoms in zip(cohort.summaries, cohort.symptoms, strict=True):
        failed = symptoms.failed and symptoms.origin is not None
        found.setdefault(summary.root, []).append((summary, symptoms.origin if failed else None))
    for traces in found.values():
        traces.sort(key=_in_time)
    return found


def _in_time(trace: _Trace) -> tuple[int, str]:
    return trace[0].start_us, trace[0].trace_id


def _failures(root: tuple[str, str], traces: list[_Trace], before: list[_Trace] | None) -> Failures | None:
    failing = [(summary, origin) for summary, origin in traces if origin is not None]
    if len(failing) < FAILED_MIN:
        return None
    counts = Counter((each.service, each.operation, each.error) for _, each in failing)
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    beginnings = tuple(Beginning(*key, count) for key, count in ordered[:ORIGINS_MAX])
    first = beginnings[0]
    example = next(summary.trace_id for summary, each in failing if each[:3] == first[:3])
    marks = [int(origin is not None) for _, origin in traces]
    change, was_ppm, is_ppm, stands_out = _standing(marks, before)
    walk = _walk([each for _, each in failing], first)
    return Failures(
        *root, len(traces), len(failing), beginnings, walk, was_ppm, is_ppm, change, stands_out, example
    )  # fmt: skip


def _standing(marks: Sequence[int], before: list[_Trace] | None) -> tuple[Change | None, int, int, bool]:
    """(the difference, the rate before, the rate now, whether it stands out)."""
    rate_ppm = sum(marks) * PPM // len(marks)
    if before is not None:
        old = [int(origin is not None) for _, origin in before]
        if len(old) < SAMPLE_MIN:
            return None, 0, rate_ppm, False
        change = Change(len(old), 0, 0, of_rates(old, marks))
        return change, sum(old) * PPM // len(old), rate_ppm, change.evidence >= SURE
    when = change_of(marks)
    if when is None or of_marks(when.evidence, marks) < SURE:
        return when, rate_ppm, rate_ppm, False
    rates = [sum(part) * PPM // len(part) for part in (marks[: when.at], marks[when.at :])]
    return when, rates[0], rates[1], True


def _walk(origins: Sequence[Origin], first: Beginning) -> tuple[Passed, ...]:
    """The way from the root to where most failures begin, with how many of all failures took each step."""
    ways = Counter(each.way for each in origins if each[:3] == first[:3])
    way = min(ways, key=lambda each: (-ways[each], len(each), each))
    steps = []
    for length in range(1, len(way) + 1):
        count = sum(each.way[:length] == way[:length] for each in origins)
        if count * PPM < len(origins) * STEP_PPM:
            break
        steps.append(Passed(*way[length - 1], count))
    return tuple(steps)


__all__ = ["Beginning", "Failures", "Passed", "failures_of"]
