"""The hunt itself: hands out seeds, folds what comes back in their order, and shortens what was found.

It never waits longer than it is told, so a command line with a progress bar and an app that must answer keys drive the
same hunt. Results are folded in the order of the seeds, whoever worked them out and whenever: they are the same with
one process, with ten, and with another machine.
"""

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, NamedTuple

from engines.hunt.coverage import Situation
from engines.hunt.executors import Workers
from engines.hunt.jobs import Request, Seed, batch, shorten
from engines.hunt.shrink import BUDGET, Halfway, Shrunk
from engines.hunt.trial import Violation

BATCH: Final = 8
AHEAD: Final = 3
"""Batches handed out for each worker: one in work, two to come."""
ATTEMPTS: Final = 3
"""How often work is handed out whose worker dies."""
KINDS_MAX: Final = 12
"""Kinds of violation that are shortened; more of a kind are only counted."""


class Found(NamedTuple):
    """A kind of violation: the first seed that shows it, and how often it was met."""

    seed: int
    violation: Violation


@dataclass(slots=True)
class Tally:
    """What a hunt has come to so far, over the seeds that were folded."""

    seeds: int = 0
    next_seed: int = 0
    """The first seed that was not folded: where to go on."""
    idle: list[int] = field(default_factory=list)
    """Seeds whose faults touched nothing: they do not count."""
    deadly: list[int] = field(default_factory=list)
    """Seeds whose workers died, every time."""
    steps: int = 0
    checks: int = 0
    failures: int = 0
    found: dict[tuple[str, str], Found] = field(default_factory=dict)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    injected: dict[str, int] = field(default_factory=dict)
    bites: dict[str, int] = field(default_factory=dict)
    situations: dict[Situation, bool] = field(default_factory=dict)
    last_new: int = 0
    """After how many seeds a situation was reached for the first time, most lately."""

    @property
    def inert(self) -> tuple[str, ...]:
        """Families of faults that were injected and never touched anything."""
        return tuple(family for family in self.injected if not self.bites.get(family))

    def fold(self, result: Seed) -> tuple[str, str] | None:
        """Take a seed in. Its kind of violation, if it is the first of it."""
        self.next_seed = result.seed + 1
        self.steps += result.steps
        self.checks += result.checks
        if result.idle:
            self.idle.append(result.seed)
            return None
        self.seeds += 1
        for family, number in result.injected:
            self.injected[family] = self.injected.get(family, 0) + number
        for family, number in result.bites:
            self.bites[family] = self.bites.get(family, 0) + number
        known = len(self.situations)
        self.situations.update(dict.fromkeys(result.situations, True))
        if len(self.situations) > known:
            self.last_new = self.seeds
        if result.violation is None:
            return None
        self.failures += 1
        kind = result.violation.kind
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if kind in self.found:
            return None
        self.found[kind] = Found(result.seed, result.violation)
        return kind


class Shrinking(NamedTuple):
    """How far it is with what is being made small."""

    left: int
    """Commands that are left."""
    runs: int
    """Runs that it took."""
    breadth: int
    """With how many commands the breadth-first search tries it now; -1: commands are still dropped."""


class _Work(NamedTuple):
    """A batch that was handed out."""

    number: int
    seeds: tuple[int, ...]
    attempt: int


class Search:
    """A hunt under way."""

    def __init__(
        self,
        request: Request,
        workers: Workers,
        first: int = 0,
        last: int | None = 999,
        until_new: int = 0,
        budget: int = BUDGET,
        stop_at_find: bool = False,
        size: int = BATCH,
    ) -> None:
        """Seeds ``first`` to ``last``, both included; without ``last`` it goes on until it is told to ``finish``.

        ``until_new``: finish when so many seeds in a row reached no new situation. ``budget``: runs for shortening one
        violation; 0: none is shortened. ``size``: seeds that are handed out together.
        """
        self.request = request
        self.workers = workers
        self.until_new = until_new
        self.budget = budget
        self.stop_at_find = stop_at_find
        self.size = size
        """Seeds of the batches that are still to be handed out; nothing that is found depends on it."""
        self.tally = Tally(next_seed=first)
        self.shrunk: dict[tuple[str, str], Shrunk] = {}
        self.halfway: dict[tuple[str, str], Halfway] = {}
        """What is being made small, as it was told last."""
        self._batches = self._cut(first, last)
        self._numbers = count()
        self._running: dict[Future[Any], _Work] = {}
        self._shortening: dict[Future[Any], tuple[tuple[str, str], int]] = {}
        self._done: dict[int, tuple[Seed, ...]] = {}
        self._folded = 0
        self._ending = False
        self._closed = False

    def _cut(self, first: int, last: int | None) -> Iterator[tuple[int, ...]]:
        while last is None or first <= last:
            end = first + self.size
            yield tuple(range(first, end if last is None else min(end, last + 1)))
            first = end

    @property
    def shortening(self) -> bool:
        """Whether something that was found is being made small."""
        return bool(self._shortening)

    @property
    def shrinking(self) -> Shrinking | None:
        """How far it is with what is being made small; None before the first word."""
        half = next(iter(self.halfway.values()), None)
        return None if half is None else Shrinking(len(half.best.inputs), half.runs, half.breadth)

    def finish(self) -> None:
        """Hand out no more seeds; what was handed out is still folded and shortened."""
        self._ending = True

    def drop(self) -> None:
        """The same, and what was handed out and is not done is given up: those seeds were never played."""
        self._ending = self._closed = True
        for future in self._running:
            future.cancel()
        self._running.clear()

    def advance(self, patience_s: float | None) -> bool:
        """Hand work out and fold what is done, waiting at most so long; False if nothing is left to do."""
        while not self._ending and len(self._running) < AHEAD * self.workers.width:
            seeds = next(self._batches, None)
            if seeds is None:
                self._ending = True
                break
            self._hand_out(_Work(next(self._numbers), seeds, 1))
            if patience_s == 0 or self.workers.width == 1:
                break
        pending = (*self._running, *self._shortening)
        if not pending:
            return not self._ending
        done, _ = wait(pending, patience_s, FIRST_COMPLETED)
        for future in [each for each in pending if each in done]:
            self._collect(future)
        return bool(self._running or self._shortening) or not self._ending

    def stop(self) -> None:
        """Give up what is being worked on; what is being made small stays as small as it is."""
        self._ending = True
        self._running.clear()
        self._shortening.clear()
        self.shrunk |= {kind: half.shrunk for kind, half in self.halfway.items()}
        self.halfway.clear()
        self.workers.close()

    # -- inside ------------------------------------------------------------------------------------------------------

    def _hand_out(self, work: _Work) -> None:
        self._running[self.workers.submit(batch, self.request, work.seeds)] = work

    def _collect(self, future: "Future[Any]") -> None:
        """A job is done, or its worker is gone."""
        if future in self._shortening:
            kind, attempt = self._shortening.pop(future)
            error = _error(future)
            if error is None:
                self._shortened(kind, future.result())
            elif self.workers.lost(error):
                self.workers.renew()
                if attempt < ATTEMPTS:
                    self._shorten(kind, attempt + 1)
            else:
                raise error
            return
        work = self._running.pop(future, None)
        if work is None:
            return
        error = _error(future)
        if error is None:
            self._done[work.number] = future.result()
            self._fold()
        elif self.workers.lost(error):
            self._again(work)
        else:
            raise error

    def _again(self, work: _Work) -> None:
        """A worker died over this: everything of its pool is handed out anew, and what keeps killing is singled out."""
        self.workers.renew()
        others = [other for future, other in self._running.items() if future.done() and _error(future) is not None]
        for future in [each for each, other in self._running.items() if other in others]:
            del self._running[future]
        for each in sorted((work, *others)):
            if each.attempt < ATTEMPTS:
                self._hand_out(each._replace(attempt=each.attempt + 1))
            elif len(each.seeds) == 1:
                self.tally.deadly.append(each.seeds[0])
                self._done[each.number] = ()
                self._fold()
            else:
                self._done[each.number] = self._one_by_one(each.seeds)
                self._fold()

    def _one_by_one(self, seeds: tuple[int, ...]) -> tuple[Seed, ...]:
        """The seeds of a batch that killed every worker it was given to: those that do not kill, do count."""
        results: list[Seed] = []
        for seed in seeds:
            for _ in range(ATTEMPTS):
                future = self.workers.submit(batch, self.request, (seed,))
                error = _error(future)
                if error is None:
                    results += future.result()
                    break
                if not self.workers.lost(error):
                    raise error
                self.workers.renew()
            else:
                self.tally.deadly.append(seed)
        return tuple(results)

    def _fold(self) -> None:
        """Take in what is done, in the order of the seeds; nothing that lies behind the end of the hunt."""
        while self._folded in self._done and not self._closed:
            for result in self._done.pop(self._folded):
                kind = self.tally.fold(result)
                if kind is not None and self.budget and len(self.tally.found) <= KINDS_MAX:
                    self._shorten(kind, 1)
                weary = self.until_new and self.tally.seeds - self.tally.last_new >= self.until_new
                if weary or (kind is not None and self.stop_at_find):
                    self._ending = self._closed = True
                    self._running.clear()
                    return
            self._folded += 1

    def _shorten(self, kind: tuple[str, str], attempt: int) -> None:
        seed = self.tally.found[kind].seed
        future = self.workers.submit(shorten, self.request, seed, self.budget, self.halfway.get(kind))
        self._shortening[future] = kind, attempt

    def _shortened(self, kind: tuple[str, str], result: Shrunk | Halfway) -> None:
        """A slice is done."""
        if isinstance(result, Halfway):
            self.halfway[kind] = result
            self._shorten(kind, 1)
        else:
            self.halfway.pop(kind, None)
            self.shrunk[kind] = result


def _error(future: "Future[Any]") -> BaseException | None:
    """What a job ended with; an answer of the user's mistake is passed on as it is."""
    try:
        error = future.exception()
    except BaseException as gone:  # cancelled
        return gone
    return error


def hunt(request: Request, workers: Workers, first: int = 0, last: int = 999, **more: Any) -> Search:
    """A whole hunt, from its first seed to its last. UserError as of the workers."""
    search = Search(request, workers, first, last, **more)
    while search.advance(None):
        pass
    return search


__all__ = ["BATCH", "Found", "Search", "Shrinking", "Tally", "hunt"]
