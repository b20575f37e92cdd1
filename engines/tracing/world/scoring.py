"""What the tool makes of the spans, and how that compares with what was injected.

The verdicts are the library's (``tracing.verdicts``), which sees spans and nothing else. ``score`` alone looks at the
truth.
"""

from typing import Final, NamedTuple

from engines.tracing.aggregate import Row, aggregate
from engines.tracing.critical import critical_path
from engines.tracing.diagnosis import Diagnosis, Lack, NoDiagnosis, diagnose
from engines.tracing.tree import MISSING_NAME, build
from engines.tracing.verdicts import OF_TIME, RECENT, Trouble, Verdict, verdicts
from engines.tracing.world.collector import Collector
from engines.tracing.world.events import Score
from engines.tracing.world.snapshot import Fault
from engines.units import US_PER_S

SETTLED_US: Final = 4 * US_PER_S
"""Holes in a trace count only so long after its last span: until then its missing spans may still come."""
AGGREGATED: Final = 60
"""The newest traces, which the table of operations is made of."""
FELT_PPM: Final = 50_000
"""A fault that takes less than this of the extra time is not felt."""


class Findings(NamedTuple):
    """What is known at the latest tick."""

    diagnosis: Diagnosis | None = None
    lack: NoDiagnosis | None = NoDiagnosis(Lack.NOTHING)
    root: tuple[str, str] = ("", "")
    verdicts: tuple[Verdict, ...] = ()
    score: Score = Score.NONE
    aggregates: tuple[Row, ...] = ()


NOTHING: Final = Findings()


def find(collector: Collector, now_us: int, injected: tuple[Fault, ...], before: Findings, table: bool) -> Findings:
    """Look at the spans that are there now. The ``table`` of operations is renewed if asked for."""
    diagnosis, lack, root = diagnosed(collector)
    named = named_in(collector, now_us, diagnosis)
    rows = operations(collector) if table else before.aggregates
    return Findings(diagnosis, lack, root, named, score(named, injected, diagnosis), rows)


def diagnosed(collector: Collector) -> tuple[Diagnosis | None, NoDiagnosis | None, tuple[str, str]]:
    """The diagnosis of the root operation with the most traces, or why there is none."""
    roots = [root for root in collector.book.roots() if root[1] != MISSING_NAME]
    if not roots:
        return None, NOTHING.lack, ("", "")
    service, operation, _ = roots[0]
    found = diagnose(collector.book, service, operation)
    root = service, operation
    return (found, None, root) if isinstance(found, Diagnosis) else (None, found, root)


def named_in(collector: Collector, now_us: int, diagnosis: Diagnosis | None) -> tuple[Verdict, ...]:
    """What the spans that are there now say, the most urgent first."""
    symptoms = tuple(collector.symptoms.values())
    settled = tuple(each for each in symptoms if now_us - each.last_us > SETTLED_US)[-RECENT:]
    return verdicts(symptoms[-RECENT:], settled, collector.callers, diagnosis, collector.late_of)


def operations(collector: Collector) -> tuple[Row, ...]:
    """Where the newest traces spend their time, by operation."""
    newest = [each for each in collector.store.trace_ids() if each in collector.judged][-AGGREGATED:]
    trees = [build(collector.store.trace(trace_id)) for trace_id in newest]
    return aggregate((tree, critical_path(tree)) for tree in trees)


def score(named: tuple[Verdict, ...], injected: tuple[Fault, ...], diagnosis: Diagnosis | None = None) -> Score:
    """The first verdict against the newest fault."""
    if not injected:
        return Score.NONE
    if not named:
        timed = diagnosis is not None and injected[-1].kind in OF_TIME.values()
        return Score.UNFELT if timed and not _felt(injected[-1], diagnosis) else Score.NO_VERDICT
    fault, first = injected[-1], named[0]
    if names(first, fault):
        return Score.RIGHT
    if diagnosis is not None:
        cold = (Trouble.CACHE, diagnosis.verdict.peer)
        if first.kind == Trouble.EXTRA and (fault.kind, fault.service) == cold:
            return Score.MISSES
        if fault.kind in OF_TIME.values() and not _felt(fault, diagnosis):
            return Score.UNFELT
    return Score.OTHER_KIND if first.service == fault.service else Score.OTHER_SERVICE


def _felt(fault: Fault, diagnosis: Diagnosis | None) -> bool:
    """Whether slow requests spend more on it than fast ones."""
    assert diagnosis is not None
    ppm = sum(
        each.ppm for each in diagnosis.contributions
        if each.service == fault.service and OF_TIME[each.kind] == fault.kind
    )  # fmt: skip
    return ppm >= FELT_PPM


def names(verdict: Verdict, fault: Fault) -> bool:
    """Whether it names the right service and the right kind."""
    return verdict.service == fault.service and verdict.kind == fault.kind
