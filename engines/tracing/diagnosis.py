"""Why are the slow requests slow? One sentence, with its evidence.

Of one root operation, the slow cohort (durations at or above the 99th percentile) is set against the fast one (at or
below the 50th). For each place and kind of time the mean contribution to the critical path in the fast cohort is
subtracted from that in the slow one. A critical path is a partition of its trace, and means are linear, so these
differences add up *exactly* to the gap between the cohorts' mean durations. (Percentiles of self times do not add up
to anything.) Sums are integers over one common denominator, ``slow x fast``; nothing is rounded before it is shown.

The largest contribution is where the time *shows*, which need not be where it comes from: a queue is long because its
workers are held, a pool is empty because its connections are. So from a wait the walk goes on downstream, if what is
done while the thing is held has grown as well; it ends where waiting dominates and what lies below is as fast as ever,
or where something works.

What the first cause does not explain is explained in the same way, and what is left then again: two faults at once are
two causes, and a queue that is long because of the first is none.

Work that only the slow requests do is not slow by that alone. If a cache beside it missed in the slow cohort and not
in the fast one, the miss is the reason, and the work is called *extra*.

Below 100 traces the slow cohort would be a single request: there is no diagnosis then, but a reason.

The slowest hundredth need not be slow for the reason for which everything is slower since a moment: whoever is seldom
slow, and very slow then, fills the tail as before. So where something else makes up far more of the change than the
tail's cause does, it is the change that is explained, as a window against the rest.
"""

from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from engines.tracing.aggregate import P50, P99, PPM, percentile, rank
from engines.tracing.cohorts import Book, TraceSummary
from engines.tracing.gap import Cause, Comparison, Contribution, Gap, parts_of, spent
from engines.tracing.split import SAMPLE_MIN, SURE
from engines.tracing.standing import TAIL_PPM, Standing, mean, of_samples, of_tail, stretch_of
from engines.tracing.waiting import CALL, EXTRA, HELD, SELF

TRACES_MIN: Final = 100
ALTERNATIVES_MAX: Final = 5
DIFFERENCES_MAX: Final = 8
WORTH_TELLING_PPM: Final = 10_000
"""An alternative explains at least a hundredth of the gap."""
DIFFERENCE_PPM: Final = 200_000
"""An attribute differs if its shares in the cohorts are a fifth apart."""
MISSED_PPM: Final = 500_000
"""A cache explains work if the shares of its misses are this far apart ..."""
SPARED_PPM: Final = 100_000
"""... and at most this share of the fast requests do that work at all."""
MOSTLY: Final = 2
"""Of a change somebody else is the cause if they explain so many times as much of it."""
_MISSES: Final = frozenset({"false", "miss", "MISS", "0"})


class Lack(Enum):
    """Why there is no diagnosis."""

    NOTHING = "no trace is complete"
    FEW = "too few traces"
    """Of any root operation: the one named has the most."""
    NO_TAIL = "no tail"
    """The slowest are no slower than the typical ones."""
    FEW_NOW = "too few traces now"
    FEW_BEFORE = "too few traces in the baseline"
    NOT_SLOWER = "not slower"
    """On average it is as fast as in the baseline, or faster."""


class NoDiagnosis(NamedTuple):
    """There is none, and why."""

    why: Lack
    service: str = ""
    operation: str = ""
    traces: int = 0
    comparison: Comparison = Comparison.TAIL


class Through(NamedTuple):
    """A step of the walk from the root: so much of the gap arises in this operation or below it."""

    service: str
    operation: str
    ppm: int


class Behind(NamedTuple):
    """A step from a wait to what is done while the thing waited for is held."""

    wait: Cause
    cause: Cause


WalkStep: TypeAlias = Through | Behind | Cause


class Difference(NamedTuple):
    """An attribute that is more frequent in one cohort than in the other."""

    service: str
    key: str
    value: str
    slow_ppm: int
    fast_ppm: int


class Diagnosis(NamedTuple):
    """The answer, and everything it rests on. Integers and strings only."""

    service: str
    operation: str
    traces: int
    slow: int
    """How many traces are at or above p99."""
    fast: int
    p50_us: int
    p99_us: int
    slow_mean_us: int
    fast_mean_us: int
    scale: int
    gap_scaled: int
    gap_us: int
    contributions: tuple[Contribution, ...]
    """Sum of ``scaled`` = ``gap_scaled``, sum of ``us`` = ``gap_us``. The largest first."""
    walk: tuple[WalkStep, ...]
    verdict: Cause
    alternatives: tuple[Cause, ...]
    differences: tuple[Difference, ...]
    slow_trace: str
    """The trace at p99, to be compared with ..."""
    median_trace: str
    """... the trace at p50."""
    standing: Standing
    """How sure the verdict is, and whether it stands out."""
    comparison: Comparison = Comparison.TAIL

    @property
    def harm_us(self) -> int:
        """How many requests there are, times how much longer the slow ones take."""
        return self.traces * self.gap_us


def diagnose(
    book: Book, service: str, operation: str, among: Iterable[TraceSummary] | None = None
) -> Diagnosis | NoDiagnosis:
    """The diagnosis of one root operation, or the reason why there is none; over all traces of the book, or some."""
    traces = book.of(service, operation, among)
    if len(traces) < TRACES_MIN:
        return NoDiagnosis(Lack.FEW, service, operation, len(traces))
    traces.sort(key=lambda each: (each.duration_us, each.start_us, each.trace_id))
    durations = [each.duration_us for each in traces]
    p50_us, p99_us = percentile(durations, P50), percentile(durations, P99)
    slow = [each for each in traces if each.duration_us >= p99_us]
    fast = [each for each in traces if each.duration_us <= p50_us]
    gap = Gap(book, slow, fast)
    if gap.total <= 0:
        return NoDiagnosis(Lack.NO_TAIL, service, operation, len(traces))

    def standing(parts: list[int]) -> Standing:
        in_time = sorted(traces, key=lambda each: (each.start_us, each.trace_id))
        cohorts = tuple(list(zip(spent(each, parts), _lasted(each), strict=True)) for each in (slow, fast))
        tail_ppm = p99_us * PPM // max(1, p50_us)
        return of_tail(tail_ppm, _lasted(in_time), spent(in_time, parts), (cohorts[0], cohorts[1]))

    slow_trace = traces[rank(len(traces), P99) - 1].trace_id
    median_trace = traces[rank(len(traces), P50) - 1].trace_id
    return _diagnosis(gap, (service, operation), len(traces), (p50_us, p99_us), (slow_trace, median_trace), standing)


def diagnose_change(book: Book, found: Diagnosis, among: Iterable[TraceSummary] | None = None) -> Diagnosis | None:
    """Why the requests of a stretch of time are slower than the others, if the cause of this tail is not it; else
    None. ``among``: the traces that the tail is of."""
    if found.standing.tail_ppm >= TAIL_PPM:
        return None
    traces = sorted(book.of(found.service, found.operation, among), key=lambda each: (each.start_us, each.trace_id))
    stretch = stretch_of(_lasted(traces))
    if stretch is None or stretch.evidence < SURE:
        return None
    inside, outside = traces[stretch.first : stretch.end], traces[: stretch.first] + traces[stretch.end :]
    made = diagnose_against(book, found.service, found.operation, inside, outside, Comparison.WINDOW)
    if not isinstance(made, Diagnosis) or not made.standing.stands_out:
        return None
    parts = parts_of(book, found.verdict)
    more_us = mean(spent(inside, parts)) - mean(spent(outside, parts))
    other = made.verdict.service != found.verdict.service and made.verdict.us > MOSTLY * more_us
    return made if other else None


def diagnose_against(
    book: Book,
    service: str,
    operation: str,
    now: Iterable[TraceSummary],
    before: Iterable[TraceSummary],
    comparison: Comparison = Comparison.BASELINE,
) -> Diagnosis | NoDiagnosis:
    """Why these requests of one root operation are slower than those; or the reason why there is no telling."""
    samples = [
        sorted(book.of(service, operation, each), key=lambda each: (each.duration_us, each.start_us, each.trace_id))
        for each in (now, before)
    ]
    slow, fast = samples
    fewest = min(len(slow), len(fast))
    if fewest < SAMPLE_MIN:
        few = Lack.FEW_BEFORE if len(fast) < SAMPLE_MIN else Lack.FEW_NOW
        return NoDiagnosis(few, service, operation, fewest, comparison)
    gap = Gap(book, slow, fast, comparison)
    if gap.total <= 0:
        return NoDiagnosis(Lack.NOT_SLOWER, service, operation, len(slow), comparison)

    def standing(parts: list[int]) -> Standing:
        cohorts = [list(zip(spent(each, parts), _lasted(each), strict=True)) for each in samples]
        return of_samples(cohorts[0], cohorts[1])

    medians = [each[rank(len(each), P50) - 1] for each in samples]
    p50_us, p99_us = medians[1].duration_us, medians[0].duration_us
    ids = medians[0].trace_id, medians[1].trace_id
    return _diagnosis(gap, (service, operation), len(slow), (p50_us, p99_us), ids, standing)


def _lasted(traces: Iterable[TraceSummary]) -> list[int]:
    return [each.duration_us for each in traces]


def _diagnosis(
    gap: Gap,
    root: tuple[str, str],
    traces: int,
    bounds_us: tuple[int, int],
    ids: tuple[str, str],
    standing: Callable[[list[int]], Standing],
) -> Diagnosis:
    """What a gap comes to. ``bounds_us``: of the fast cohort and of the slow one; ``ids``: a trace of either."""
    slow, fast = gap.slow, gap.fast
    causes = gap.causes()
    differences = _differences(gap.book, slow, fast)
    (walk, verdict), *rest = _explanations(gap, causes)
    named = _spared(gap, verdict, differences)
    walk = _ending_with(walk, named)
    return Diagnosis(
        *root,
        traces,
        len(slow),
        len(fast),
        *bounds_us,
        sum(_lasted(slow)) // len(slow),
        sum(_lasted(fast)) // len(fast),
        gap.scale,
        gap.total,
        gap.total // gap.scale,
        gap.contributions(),
        walk,
        named,
        tuple(_spared(gap, each, differences) for _, each in rest),
        differences[:DIFFERENCES_MAX],
        *ids,
        standing(gap.same(verdict)),
        gap.comparison,
    )


def _explanations(gap: Gap, causes: list[Cause]) -> list[tuple[tuple[WalkStep, ...], Cause]]:
    """The causes that explain the gap, each with the way to it. What the first leaves is explained again, and so on:
    a wait that is the consequence of what has been named already is no cause of its own."""
    found: list[tuple[tuple[WalkStep, ...], Cause]] = []
    explained: set[int] = set()
    for cause in causes:
        left = [part for part in gap.same(cause) if part not in explained]
        if found and (not left or gap.ppm(gap.scaled(left)) < WORTH_TELLING_PPM):
            continue
        walk, end = _walk_down(gap, cause)
        for each in (*(step.wait for step in walk if isinstance(step, Behind)), end):
            explained.update(gap.same(each))
        if all(gap.same(end) != gap.same(named) for _, named in found):
            found.append((walk, end))
        if len(found) > ALTERNATIVES_MAX:
            break
    return found


def _walk_down(gap: Gap, cause: Cause) -> tuple[tuple[WalkStep, ...], Cause]:
    """From the root to a contribution, and on while that is only the consequence of something below."""
    steps = _way_to(gap, cause)
    tried: list[int] = []
    while cause.kind in HELD:
        waits = gap.same(cause)
        tried += waits
        rest = [part for part in gap.behind(cause) if part not in tried]
        if not rest or not gap.has_grown(waits, rest):
            break
        groups = gap.grouped(rest, with_operation=False)
        following = gap.cause(max(groups, key=lambda key: (gap.scaled(groups[key]), key)))
        if following.ppm <= 0:
            break
        steps.append(Behind(cause, following))
        cause = following
    return tuple(steps), cause


def _way_to(gap: Gap, cause: Cause) -> list[WalkStep]:
    """The calls from the root operation to where most of this cause is."""
    most = max(gap.same(cause), key=lambda part: (gap.scaled([part]), -part))
    chain = gap.book.parts[most].chain
    way: list[int] = []
    while chain >= 0:
        way.append(chain)
        chain = gap.book.chains[chain].parent
    steps: list[WalkStep] = []
    for each in reversed(way):
        service, operation = gap.book.chains[each][1:]
        steps.append(Through(service, operation, gap.ppm(gap.scaled(gap.below[each]))))
    steps.append(cause)
    return steps


def _ending_with(walk: tuple[WalkStep, ...], named: Cause) -> tuple[WalkStep, ...]:
    """The walk to a cause that has turned out to be extra work."""
    return (*walk[:-1], named) if named.kind == EXTRA else walk


def _differences(book: Book, slow: list[TraceSummary], fast: list[TraceSummary]) -> tuple[Difference, ...]:
    """The attributes whose share in the cohorts differs most."""
    counts: dict[int, list[int]] = {}
    for side, cohort in enumerate((slow, fast)):
        for summary in cohort:
            for fact in summary.facts:
                counts.setdefault(fact, [0, 0])[side] += 1
    found = []
    for number, (in_slow, in_fast) in counts.items():
        service, key, value = book.facts[number]
        made = Difference(service, key, value, in_slow * PPM // len(slow), in_fast * PPM // len(fast))
        if abs(made.slow_ppm - made.fast_ppm) >= DIFFERENCE_PPM:
            found.append(made)
    found.sort(key=lambda each: (-abs(each.slow_ppm - each.fast_ppm), each[:3]))
    return tuple(found)


def _spared(gap: Gap, cause: Cause, differences: Sequence[Difference]) -> Cause:
    """The same cause, or if a cache beside it explains why only slow requests meet it, that."""
    if cause.kind not in (SELF, CALL) or gap.fast_visits(cause) * PPM > len(gap.fast) * SPARED_PPM:
        return cause
    beside = _beside(gap, cause)
    for each in differences:
        miss = each.key.replace("_", ".").startswith("cache.") and each.value in _MISSES
        if miss and each.service in beside and each.slow_ppm - each.fast_ppm >= MISSED_PPM:
            return cause._replace(
                kind=EXTRA, peer=each.service, missed_slow_ppm=each.slow_ppm, missed_fast_ppm=each.fast_ppm
            )
    return cause


def _beside(gap: Gap, cause: Cause) -> frozenset[str]:
    """The services called where this one is, and who calls them: a cache in front of it is one of these."""
    chains = gap.book.chains
    most = max(gap.same(cause), key=lambda part: (gap.scaled([part]), -part))
    chain = gap.book.parts[most].chain
    above = _caller(gap, chain)
    if above < 0:
        return frozenset()
    found = {chains[each].service for each in gap.below if _caller(gap, each) == above}
    return frozenset(found - {chains[chain].service} | {chains[above].service})


def _caller(gap: Gap, chain: int) -> int:
    """The operation of another service that led here, above whatever that service calls its own steps; -1: none."""
    chains = gap.book.chains
    service = chains[chain].service
    while chain >= 0 and chains[chain].service == service:
        chain = chains[chain].parent
    while chain >= 0 and chains[chain].parent >= 0 and chains[chains[chain].parent].service == chains[chain].service:
        chain = chains[chain].parent
    return chain


__all__ = [
    "TRACES_MIN",
    "Behind",
    "Cause",
    "Comparison",
    "Contribution",
    "Diagnosis",
    "Difference",
    "Lack",
    "NoDiagnosis",
    "Standing",
    "Through",
    "WalkStep",
    "diagnose",
    "diagnose_against",
    "diagnose_change",
]
