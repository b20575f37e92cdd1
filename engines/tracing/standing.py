"""How sure is a verdict about time, and does it stand out at all?

Every system has a tail, and the slowest hundredth of any requests spends its time somewhere. To name that place as if
somebody had broken it would accuse the innocent. So a cause is weighed:

- *How much*: its share of the gap between the slow and the fast, with an interval from resampling both cohorts.
- *Since when*: whether the requests of one part of the time spend more on it than those before. The test is Pettitt's
  (1979) on ranks, so a few very slow requests prove nothing, and its chance is known without any simulation.
- *How far out*: whether the slow are so slow that no ordinary spread explains it.

Integers throughout, and the resampling has a fixed seed: equal data have equal verdicts, everywhere.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from engines.tracing.aggregate import PPM, percentile

RESAMPLES: Final = 100
LOW_PPM: Final = 50_000
HIGH_PPM: Final = 950_000
"""The interval covers nine of ten resamples."""
SURE: Final = 10_000
"""Thousandths of a nat: a change this clear is seen by chance once in 11,000 times."""
TAIL_PPM: Final = 4_000_000
"""A p99 of four times the p50 is no ordinary tail, even if it was always like that."""
FELT_PPM: Final = 50_000
"""What makes requests slower by less than a twentieth is not felt, however sure it is."""
MULTIPLIER: Final = 6364136223846793005
INCREMENT: Final = 1442695040888963407
MASK: Final = (1 << 64) - 1


class Change(NamedTuple):
    """From some trace on more time is spent: the mean before and after, and how clear that is."""

    at: int
    """The first trace after it."""
    before_us: int
    after_us: int
    evidence: int
    """Thousandths of a nat: by chance it is seen 2 x exp(-evidence / 1000) times."""


class Stretch(NamedTuple):
    """Values in the order of time: those from one place to before another are larger than the rest."""

    first: int
    end: int
    evidence: int
    """Thousandths of a nat."""


class Standing(NamedTuple):
    """What a cause amounts to, and how sure that is."""

    tail_ppm: int
    """Of the tail: p99 as a share of p50; of two samples: the mean now as a share of the mean before."""
    low_ppm: int
    high_ppm: int
    """The interval of the cause's share of the gap."""
    change: Change | None
    """Of what the requests took, or of what this cause took of it, whichever is clearer; None: there is none."""
    stands_out: bool
    """False: an ordinary tail, or no difference that matters."""


def of_tail(
    tail_ppm: int,
    durations: Sequence[int],
    of_cause: Sequence[int],
    cohorts: tuple[Sequence[tuple[int, int]], Sequence[tuple[int, int]]],
) -> Standing:
    """The standing of a cause in a tail. ``durations`` and ``of_cause`` are those of all traces, in order of time."""
    changes = [each for each in (change_of(durations), change_of(of_cause)) if each is not None]
    change = max(changes, key=lambda each: each.evidence, default=None)
    sure = change is not None and change.evidence >= SURE
    return Standing(tail_ppm, *interval(*cohorts), change, sure or tail_ppm >= TAIL_PPM)


def of_samples(now: Sequence[tuple[int, int]], before: Sequence[tuple[int, int]]) -> Standing:
    """The standing of a cause between two samples; a trace is (what the cause took, what all took)."""
    whole_now, whole_before = sum(each[1] for each in now), sum(each[1] for each in before)
    ratio_ppm = whole_now * len(before) * PPM // max(1, whole_before * len(now))
    change = shift_of([each[1] for each in before], [each[1] for each in now])
    sure = change.evidence >= SURE and ratio_ppm - PPM >= FELT_PPM
    return Standing(ratio_ppm, *interval(now, before), change, sure)


def shift_of(before: Sequence[int], now: Sequence[int]) -> Change:
    """How clear it is that one sample is larger than another (Wilcoxon's rank sum, with its normal approximation)."""
    m, n = len(before), len(now)
    places = ranks([*before, *now])
    over = sum(places[m:]) - n * (m + n + 1)  # twice the rank sum minus twice what is expected of it
    variance = m * n * (m + n + 1)  # twelve times its variance
    evidence = 1_500 * over * over // variance if over > 0 and variance else 0
    return Change(m, mean(before), mean(now), evidence)


def change_of(values: Sequence[int]) -> Change | None:
    """The clearest change in values in the order of time, up or down; None if there is none at all."""
    n = len(values)
    best, at, below = 0, 0, 0
    for index, rank in enumerate(ranks(values)[:-1], 1):
        below += rank
        swing = abs(index * (n + 1) - below)
        if swing > best:
            best, at = swing, index
    if not at:
        return None
    before, after = values[:at], values[at:]
    evidence = 6_000 * best * best // (n**3 + n**2)
    return Change(at, mean(before), mean(after), evidence)


def stretch_of(values: Sequence[int]) -> Stretch | None:
    """The stretch whose ranks lie highest above the middle; None where all are alike."""
    n = len(values)
    best, first, end = 0, 0, 0
    total, since = 0, 0
    for index, rank in enumerate(ranks(values)):
        if total <= 0:
            total, since = 0, index
        total += rank - (n + 1)
        if total > best:
            best, first, end = total, since, index + 1
    return Stretch(first, end, 6_000 * best * best // (n**3 + n**2)) if best else None


def of_marks(evidence: int, marks: Sequence[int]) -> int:
    """The evidence of a test on ranks where all values are 0 or 1: ties leave less room for chance (Lehmann, 1975)."""
    n, ones = len(marks), sum(marks)
    whole = n**3 - n
    left = whole - sum(count**3 - count for count in (ones, n - ones))
    return evidence * whole // left if left else 0


def of_rates(before: Sequence[int], now: Sequence[int]) -> int:
    """How clear it is that more of now are 1 than of before: the test of two proportions, in thousandths of a nat."""
    m, n = len(before), len(now)
    ones = sum(before) + sum(now)
    over = sum(now) * m - sum(before) * n
    variance = m * n * ones * (m + n - ones)
    return 500 * over * over * (m + n) // variance if over > 0 and variance else 0


def mean(values: Sequence[int]) -> int:
    """Rounded down; of nothing 0."""
    return sum(values) // max(1, len(values))


def ranks(values: Sequence[int]) -> list[int]:
    """Twice the rank of every value, ties in the middle."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0] * len(values)
    i = 0
    while i < len(order):
        j = i
        while j < len(order) and values[order[j]] == values[order[i]]:
            j += 1
        for place in order[i:j]:
            found[place] = i + j + 1
        i = j
    return found


def interval(
    slow: Sequence[tuple[int, int]], fast: Sequence[tuple[int, int]], resamples: int = RESAMPLES
) -> tuple[int, int]:
    """Lower and upper end of the cause's share of the gap, in ppm. A trace is (what the cause took, what all took).

    The smaller cohort alone is resampled: what the larger one adds to the uncertainty is next to nothing.
    """
    few, many, sign = (slow, fast, 1) if len(slow) <= len(fast) else (fast, slow, -1)
    part_of_many, whole_of_many = sum(each[0] for each in many), sum(each[1] for each in many)
    state, found = 1, []
    for _ in range(resamples):
        part = whole = 0
        for _ in range(len(few)):
            state = (state * MULTIPLIER + INCREMENT) & MASK
            one = few[(state >> 33) * len(few) >> 31]
            part += one[0]
            whole += one[1]
        gap = sign * (whole * len(many) - whole_of_many * len(few))
        if gap > 0:
            found.append(sign * (part * len(many) - part_of_many * len(few)) * PPM // gap)
    found.sort()
    return percentile(found, LOW_PPM), percentile(found, HIGH_PPM)


__all__ = [
    "SURE",
    "Change",
    "Standing",
    "Stretch",
    "change_of",
    "interval",
    "mean",
    "of_marks",
    "of_rates",
    "of_samples",
    "of_tail",
    "ranks",
    "shift_of",
    "stretch_of",
]
