"""Stores that take numbers before they commit, and how a poller can lose an event there.

A database sequence hands out 3 and 4 to two transactions; 4 commits first. A poller sees 1 2 4, notes "4", and never
sees 3. Our own SQLite store has one writer at a time and no such gap; ``NumberedStore`` is the other kind.

Cures: the *high-water mark* (Marten) reads only below the lowest number that a living transaction may still fill. A
number burnt by a rollback is passed when no transaction that began before it was seen is alive; it judges on one view
of the store and never crosses a number that is outstanding. The *gap-aware token* (Axon) is a position and a set of
holes, which are asked for again until they are too old.

Two cures that are wrong: to pass any gap after a fixed time loses a commit that is slower than that; a timer that each
poll restarts never runs out, so a number burnt by a rollback stops the poller for ever.
"""

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple


class Fate(Enum):
    """What became of a number that was taken."""

    OPEN = "in flight"
    COMMITTED = "committed"
    BURNT = "rolled back"


class Taken(NamedTuple):
    """A number a transaction has taken."""

    number: int
    transaction: int
    fate: Fate


class View(NamedTuple):
    """What one look at the store shows: rows that are committed, and transactions that live."""

    rows: tuple[int, ...]
    """Committed numbers, ascending."""
    highest: int
    """The highest number that was ever taken."""
    alive: tuple[int, ...]
    """Transactions that live, in the order in which they began."""
    began: int
    """How many transactions ever began."""


class NumberedStore:
    """A table with a sequence: numbers are taken at once, rows are seen at commit."""

    def __init__(self) -> None:
        self.taken: list[Taken] = []
        self.alive: dict[int, bool] = {}
        self.began = 0

    def begin(self) -> int:
        """A transaction begins; its id."""
        self.began += 1
        self.alive[self.began] = True
        return self.began

    def take(self, transaction: int) -> int:
        """It takes the next number."""
        assert transaction in self.alive
        self.taken.append(Taken(len(self.taken) + 1, transaction, Fate.OPEN))
        return len(self.taken)

    def commit(self, transaction: int) -> tuple[int, ...]:
        """Its rows become visible."""
        return self._end(transaction, Fate.COMMITTED)

    def rollback(self, transaction: int) -> tuple[int, ...]:
        """Its numbers are burnt."""
        return self._end(transaction, Fate.BURNT)

    def _end(self, transaction: int, fate: Fate) -> tuple[int, ...]:
        del self.alive[transaction]
        ended = []
        for index, taken in enumerate(self.taken):
            if taken.transaction == transaction and taken.fate is Fate.OPEN:
                self.taken[index] = taken._replace(fate=fate)
                ended.append(taken.number)
        return tuple(ended)

    def view(self, after: int = 0, limit: int = 1 << 62) -> View:
        """One consistent look at the numbers behind ``after``."""
        rows = tuple(taken.number for taken in self.taken[after : after + limit] if taken.fate is Fate.COMMITTED)
        return View(rows, len(self.taken), tuple(self.alive), self.began)


class Cure(Enum):
    """How a poller treats gaps."""

    NAIVE = "naive"
    HIGH_WATER = "high-water mark"
    GAP_AWARE = "gap-aware token"
    SKIP_BY_TIME = "skip by time"
    RESTARTED_TIMER = "restarted timer"


@dataclass(slots=True)
class Poller:
    """Reads a numbered store by polling."""

    cure: Cure
    patience_us: int = 3_000_000
    """After which time a gap is passed, by the cures that know one; a gap-aware token drops its hole then."""
    mark: int = 0
    """All up to it was read, or given up."""
    seen: list[int] = field(default_factory=list)
    """In the order in which they came."""
    passed: list[int] = field(default_factory=list)
    """Numbers that were given up."""
    holes: dict[int, int] = field(default_factory=dict)
    """Gap -> when it was first seen."""
    suspects: dict[int, int] = field(default_factory=dict)
    """Of the high-water mark: gap -> how many transactions had begun when it was first seen."""

    def poll(self, view: View, now_us: int) -> tuple[int, ...]:
        """One look; the numbers it delivers."""
        fresh = self._poll(view, now_us)
        self.seen.extend(fresh)
        return tuple(fresh)

    def _poll(self, view: View, now_us: int) -> list[int]:
        match self.cure:
            case Cure.NAIVE:
                fresh = [number for number in view.rows if number > self.mark]
                self.mark = max([self.mark, *fresh])
                return fresh
            case Cure.GAP_AWARE:
                return self._gap_aware(view, now_us)
            case _:
                return self._in_order(view, now_us)

    def _gap_aware(self, view: View, now_us: int) -> list[int]:
        fresh = [number for number in view.rows if number > self.mark or number in self.holes]
        top = max([self.mark, *fresh])
        rows = dict.fromkeys(view.rows)
        for number in range(self.mark + 1, top):
            if number not in rows:
                self.holes[number] = now_us
        for number in fresh:
            self.holes.pop(number, None)
        for number in [gap for gap, since in self.holes.items() if now_us - since >= self.patience_us]:
            del self.holes[number]
            self.passed.append(number)
        self.mark = top
        return fresh

    def _in_order(self, view: View, now_us: int) -> list[int]:
        """Up to the first gap that must still be waited for."""
        rows = dict.fromkeys(view.rows)
        top = view.rows[-1] if view.rows else 0
        if self.cure is Cure.HIGH_WATER:
            # A number burnt at the very end is no gap that anybody waits behind.
            for number in range(self.mark + 1, top + 1):
                if number not in rows:
                    self.suspects.setdefault(number, view.began)
        fresh = []
        while self.mark < top:
            number = self.mark + 1
            if number in rows:
                fresh.append(number)
            elif self._waits(number, view, now_us):
                break
            else:
                self.passed.append(number)
            self.holes.pop(number, None)
            self.suspects.pop(number, None)
            self.mark = number
        return fresh

    def _waits(self, gap: int, view: View, now_us: int) -> bool:
        if self.cure is Cure.HIGH_WATER:
            # Whoever could fill it had begun when it was first seen missing.
            return any(transaction <= self.suspects[gap] for transaction in view.alive)
        since = self.holes.setdefault(gap, now_us)
        if self.cure is Cure.RESTARTED_TIMER:
            self.holes[gap] = now_us
        return now_us - since < self.patience_us if self.cure is Cure.SKIP_BY_TIME else True


__all__ = ["Cure", "Fate", "NumberedStore", "Poller", "Taken", "View"]
