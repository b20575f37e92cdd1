"""The gap between the slow and the fast cohort of one root operation, taken apart.

For each place and kind of time: its mean contribution to the critical path in the slow cohort, minus that in the fast
one. All of it is kept as integers over one common denominator, ``slow x fast``, and rounded only to be shown.
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from engines.tracing.aggregate import PPM
from engines.tracing.cohorts import Book, Seen, TraceSummary
from engines.tracing.waiting import CALL, EXTRA, QUEUE, SELF, UNKNOWN, Time

GROUPS_MAX: Final = 40
"""Contributions listed one by one; the rest is one line, so that they still add up."""
GROWN: Final = ((3, 1, 20_000), (3, 2, 500_000))
"""What is done while a thing is held has grown if it takes a / b times as long and adds this share of the wait.

Slow requests were picked for being slow: a little growth of everything is what that picking does, not a reason.
"""
OTHERS: Final = "(others)"

Key: TypeAlias = tuple[str, str, Time, str, bool]
"""(service, operation or nothing, kind, peer, guess)."""


class Comparison(Enum):
    """Which requests are set against which."""

    TAIL = "tail"
    """The slowest hundredth against the faster half: an explanation of the tail, and no incident."""
    BASELINE = "baseline"
    """All of now against all of before."""
    WINDOW = "window"
    """The requests of a stretch of time against those outside it."""
    ATTRIBUTE = "attribute"
    """The requests with a value of an attribute against those without."""
    ERRORS = "errors"
    """The requests that fail against those that go well."""


class Contribution(NamedTuple):
    """What one kind of time of one operation adds to the gap."""

    service: str
    operation: str
    kind: Time
    peer: str
    guess: bool
    scaled: int
    """Exactly, over ``Diagnosis.scale``; negative if the slow requests spend less on it."""
    us: int
    """The same in microseconds, rounded so that all of them still add up to ``gap_us``."""
    ppm: int
    """Of the gap."""
    slow_us: int
    """Mean in the slow cohort."""
    fast_us: int


class Cause(NamedTuple):
    """A place where the extra time is spent, over all operations of the service."""

    service: str
    operation: str
    """Where most of it is spent."""
    kind: Time
    peer: str
    """What is waited for or called; of extra work the cache that missed."""
    guess: bool
    ppm: int
    us: int
    slow_us: int
    fast_us: int
    saved_us: int
    """Mean time the slow requests would have been answered sooner without it, at -1 if nobody worked it out."""
    used: int
    limit: int
    waiting: int
    """How saturated the thing waited for was at worst, -1 where no span says."""
    missed_slow_ppm: int = 0
    """Of extra work: the share of the slow requests whose lookup missed ..."""
    missed_fast_ppm: int = 0
    """... and of the fast ones."""
    comparison: Comparison = Comparison.TAIL


class Gap:
    """Both cohorts' sums by part, and what follows from them."""

    def __init__(
        self,
        book: Book,
        slow: list[TraceSummary],
        fast: list[TraceSummary],
        comparison: Comparison = Comparison.TAIL,
    ) -> None:
        self.book, self.slow, self.fast, self.comparison = book, slow, fast, comparison
        self.scale = len(slow) * len(fast)
        self.slow_sum, self.fast_sum = _sums(slow), _sums(fast)
        self.parts = sorted(self.slow_sum | self.fast_sum)
        self.total = self.scaled(self.parts)
        self.below = self._chains_below()
        self.by_cause = self.grouped(self.parts, with_operation=False)

    def scaled(self, parts: Iterable[int]) -> int:
        """Mean in the slow cohort minus mean in the fast one of these parts together, times the scale."""
        extra = 0
        for part in parts:
            extra += self.slow_sum.get(part, 0) * len(self.fast) - self.fast_sum.get(part, 0) * len(self.slow)
        return extra

    def ppm(self, scaled: int) -> int:
        """As a share of the gap."""
        return scaled * PPM // self.total

    def mean(self, cohort: str, parts: Sequence[int]) -> int:
        """Mean microseconds of these parts in the ``slow`` or the ``fast`` cohort."""
        sums, traces = (self.slow_sum, self.slow) if cohort == "slow" else (self.fast_sum, self.fast)
        return sum(sums.get(part, 0) for part in parts) // len(traces)

    def contributions(self) -> tuple[Contribution, ...]:
        """Per service, operation and kind, the largest first; they add up exactly."""
        groups = self.grouped(self.parts, with_operation=True)
        found = [(self.scaled(parts), key, parts) for key, parts in groups.items()]
        found.sort(key=lambda each: (-each[0], each[1]))
        if len(found) > GROUPS_MAX:
            rest = [part for _, _, parts in found[GROUPS_MAX - 1 :] for part in parts]
            found[GROUPS_MAX - 1 :] = [(self.scaled(rest), (OTHERS, "", SELF, "", False), rest)]
        whole = [scaled // self.scale for scaled, _, _ in found]
        short = self.total // self.scale - sum(whole)
        order = sorted(range(len(found)), key=lambda i: (-(found[i][0] % self.scale), i))
        for i in order[:short]:
            whole[i] += 1
        return tuple(
            Contribution(*key, scaled, us, self.ppm(scaled), self.mean("slow", parts), self.mean("fast", parts))
            for (scaled, key, parts), us in zip(found, whole, strict=True)
        )

    def causes(self) -> list[Cause]:
        """Per service, kind and peer, the largest first."""
        found = [self.cause(key) for key in self.by_cause]
        return sorted(found, key=lambda each: (-self.scaled(self.same(each)), each[:5]))

    def grouped(self, parts: Iterable[int], with_operation: bool) -> dict[Key, list[int]]:
        """Parts by (service, operation, kind, peer, guess)."""
        groups: dict[Key, list[int]] = {}
        for number in parts:
            part = self.book.parts[number]
            chain = self.book.chains[part.chain]
            operation = chain.operation if with_operation else ""
            groups.setdefault((chain.service, operation, part.kind, part.peer, part.guess), []).append(number)
        return groups

    def cause(self, key: Key) -> Cause:
        """What one kind of time of one service amounts to."""
        parts = self.by_cause[key]
        scaled = self.scaled(parts)
        most = max(parts, key=lambda part: (self.scaled([part]), -part))
        part = self.book.parts[most]
        chain = self.book.chains[part.chain]
        seen = self._worst(parts)
        return Cause(
            chain.service,
            chain.operation,
            part.kind,
            part.peer,
            part.guess,
            self.ppm(scaled),
            scaled // self.scale,
            self.mean("slow", parts),
            self.mean("fast", parts),
            self._saved(parts),
            seen.used,
            seen.limit,
            seen.waiting,
            comparison=self.comparison,
        )

    def _worst(self, parts: list[int]) -> Seen:
        """The most saturated sight of what these parts wait for, in the slow cohort."""
        wanted = frozenset(parts)
        sights = [seen for summary in self.slow for seen in summary.seen if seen.part in wanted]
        return max(sights, key=lambda each: (each.waiting, each.used, each.limit), default=Seen(-1, -1, -1, -1))

    def _saved(self, parts: list[int]) -> int:
        """Mean time saved in the slow cohort, counting what each trace would have saved without its longest part."""
        wanted = frozenset(parts)
        saved = [max((us for part, us in each.saved if part in wanted), default=0) for each in self.slow]
        return sum(saved) // len(saved) if any(saved) else UNKNOWN

    def _chains_below(self) -> dict[int, list[int]]:
        """For every chain: the parts in it and in all chains below it."""
        below: dict[int, list[int]] = {}
        for part in self.parts:
            chain = self.book.parts[part].chain
            while chain >= 0:
                below.setdefault(chain, []).append(part)
                chain = self.book.chains[chain].parent
        return below

    def same(self, cause: Cause) -> list[int]:
        """The parts a cause is made of."""
        return self.by_cause[cause.service, "", cause.kind, cause.peer, cause.guess]

    def fast_visits(self, cause: Cause) -> int:
        """How many of the fast traces meet this cause on their critical path."""
        return len(_visits(self.fast, self.same(cause)))

    def behind(self, wait: Cause) -> list[int]:
        """What is done while the thing waited for is held: a worker serves the whole request; with a connection or a
        lock the operation calls others."""
        waits = self.same(wait)
        chains = dict.fromkeys(self.book.parts[part].chain for part in waits)
        found = {part for chain in chains for part in self.below[chain]} - set(waits)
        if wait.kind != QUEUE:
            parts = self.book.parts
            found = {part for part in found if parts[part].chain not in chains or parts[part].kind == CALL}
        return sorted(found)

    def has_grown(self, waits: Sequence[int], rest: Sequence[int]) -> bool:
        """Whether that takes longer in the slow cohort, where it is done at all."""
        extra, waited = self.scaled(rest), self.scaled(waits)
        slow, fast = _visits(self.slow, rest), _visits(self.fast, rest)
        if len(fast) * 10 < len(self.fast):  # seldom on the critical path of fast requests: no telling how long it took
            return extra * 4 >= waited
        return any(
            sum(slow) * len(fast) * b >= sum(fast) * len(slow) * a and extra * PPM >= waited * share
            for a, b, share in GROWN
        )


def parts_of(book: Book, cause: Cause) -> list[int]:
    """All parts of a book that are the time of this cause; of extra work all that is work."""
    wanted = cause.kind, cause.peer, cause.guess
    found = []
    for number, part in enumerate(book.parts):
        if book.chains[part.chain].service != cause.service:
            continue
        if part.kind in (SELF, CALL) if cause.kind == EXTRA else (part.kind, part.peer, part.guess) == wanted:
            found.append(number)
    return found


def spent(traces: Sequence[TraceSummary], parts: Iterable[int]) -> list[int]:
    """What these parts took in each of these traces."""
    wanted = frozenset(parts)
    return [sum(length for part, length in summary.parts if part in wanted) for summary in traces]


def _sums(traces: list[TraceSummary]) -> dict[int, int]:
    sums: dict[int, int] = {}
    for summary in traces:
        for part, length in summary.parts:
            sums[part] = sums.get(part, 0) + length
    return sums


def _visits(traces: list[TraceSummary], parts: Sequence[int]) -> list[int]:
    """What these parts took in each trace whose critical path met any of them."""
    wanted = frozenset(parts)
    found = ([length for part, length in summary.parts if part in wanted] for summary in traces)
    return [sum(each) for each in found if each]


__all__ = ["GROUPS_MAX", "OTHERS", "Cause", "Comparison", "Contribution", "Gap", "parts_of", "spent"]
