"""A failing run made small: fewer commands, fewer machines, an earlier end, while the same guarantee breaks alike.

Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", TSE 2002) over the
commands, between attempts at settings, sizes and times, until nothing more can go. A shorter run counts only if the
same check fails with the same class of witness (``Violation.kind``): another bug on the way is not followed.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from engines.errors import UserError
from engines.hunt.minimal import minimal
from engines.hunt.plan import Plan
from engines.hunt.trial import Judge, Trial, Violation, play
from engines.sim.pattern import Config, Setting, Step, Variant
from engines.units import US_PER_MS

T = TypeVar("T")
BUDGET: Final = 600
"""Runs that one shrinking may make."""
GRAINS_US: Final = (100 * US_PER_MS, 10 * US_PER_MS, US_PER_MS)
"""Times are rounded to these where that changes nothing."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """A failing run, as small as it came."""

    plan: Plan
    violation: Violation
    before: int
    """Commands that the run had before."""
    runs: int
    """How many runs it took."""
    minimal: bool = False
    """Whether a breadth-first search has shown that no fewer of these commands would do."""

    @property
    def inputs(self) -> int:
        """Commands that are left."""
        return len(self.plan.inputs)


class Shrinker:
    """One shrinking."""

    def __init__(
        self,
        plan: Plan,
        variant: Variant,
        tolerated: tuple[str, ...],
        budget: int,
        pinned: dict[str, Any],
        judge: Judge | None,
    ) -> None:
        self.variant = variant
        self.judge = judge
        self.tolerated = tolerated
        self.budget = budget
        self.pinned = pinned
        self.runs = 0
        trial = self._play(plan)
        plan, violation = trial.plan, trial.violation
        assert violation is not None, f"seed {plan.seed} breaks nothing"
        self.kind = violation.kind
        self.before = len(plan.inputs)
        self.best = plan if violation.at_end else plan.until(violation.at_us)
        self.violation = violation

    def _play(self, plan: Plan) -> Trial:
        self.runs += 1
        return play(plan, self.variant, self.tolerated, watch=False, judge=self.judge)

    def still(self, plan: Plan) -> bool:
        """Whether this one fails in the same way; then it is the best so far."""
        if self.runs >= self.budget or plan == self.best:
            return False
        try:
            violation = self._play(plan).violation
        except UserError:  # settings that do not go together
            return False
        if violation is None or violation.kind != self.kind:
            return False
        self.violation = violation
        self.best = plan if violation.at_end else plan.until(violation.at_us)
        return True

    def shrink(self) -> Shrunk:
        """Until nothing more can go, or the budget is used up."""
        self._without_rest()
        while True:
            size = self._size()
            self._fewer()
            self._simpler()
            self._sooner()
            self._rounder()
            if self._size() == size or self.runs >= self.budget:
                return Shrunk(self.best, self.violation, self.before, self.runs)

    def _size(self) -> tuple[Any, ...]:
        return self.best.inputs, self.best.config, self.best.end_us

    def _without_rest(self) -> None:
        """What a judge found needs no heal, and not so long an end."""
        if self.violation.at_end and self.best.tail and self.still(replace(self.best, tail=0)):
            for parts in (2, 4, 8, 16):
                while self.still(self.best.until(self.best.end_us - self.best.end_us // parts)):
                    pass

    def _fewer(self) -> None:
        """Drop commands: halves, quarters ... single ones."""
        if self.best.chaos:
            minimise(self.best.chaos, lambda chaos: self.still(self.best.with_chaos(tuple(chaos))))

    def _simpler(self) -> None:
        """Settings as they are by default, or smaller."""
        for setting in self.variant.settings:
            if setting.name not in self.pinned:
                for config in simpler(self.best.config, setting):
                    given = dict(config)
                    ordered = tuple(
                        (each.name, given[each.name]) for each in self.variant.settings if each.name in given
                    )
                    if self.still(replace(self.best, config=ordered)):
                        break

    def _sooner(self) -> None:
        """Take time out: before the first command, between two, before the heal."""
        for place in range(len(self.best.inputs)):
            inputs = self.best.inputs
            if place >= len(inputs):
                break
            gap = inputs[place].at_us - (inputs[place - 1].at_us if place else 0)
            while gap > 2 * US_PER_MS and self.runs < self.budget:
                gap //= 2
                if not self.still(_pulled(self.best, place, gap)):
                    break
                inputs = self.best.inputs
                if place >= len(inputs):
                    break
                gap = inputs[place].at_us - (inputs[place - 1].at_us if place else 0)

    def _rounder(self) -> None:
        """Times a person can read."""
        for place in range(len(self.best.inputs)):
            for grain in GRAINS_US:
                if place >= len(self.best.inputs):
                    break
                step = self.best.inputs[place]
                if step.at_us % grain == 0:
                    break
                floor = self.best.inputs[place - 1].at_us if place else 0
                if self.still(_moved(self.best, place, max(floor, step.at_us // grain * grain))):
                    break


def minimise(items: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> Sequence[T]:
    """The smallest part of the items that the ddmin algorithm finds for which ``fails`` still holds."""
    if fails(()):
        return ()
    parts = 2
    while len(items) >= 2:
        size = max(1, len(items) // parts)
        for start in range(0, len(items), size):
            rest = (*items[:start], *items[start + size :])
            if fails(rest):
                items, parts = rest, max(2, parts - 1)
                break
        else:
            if size == 1:
                break
            parts = min(len(items), parts * 2)
    return items


def simpler(config: Config, setting: Setting) -> Iterator[Config]:
    """This configuration with one setting left out, or with less of it."""
    given = dict(config)
    now = given.get(setting.name, setting.default)
    if setting.name in given:
        yield tuple((name, value) for name, value in config if name != setting.name)
    if setting.name in SIZES and isinstance(now, int):
        for value in sorted({setting.low, setting.low + 1, now // 2, now - 1}):
            if setting.low <= value < now:
                yield (*((name, each) for name, each in config if name != setting.name), (setting.name, value))


SIZES: Final = ("nodes", "clients", "keys", "services", "accounts")
"""Settings of which less is simpler."""


def _pulled(plan: Plan, place: int, gap_us: int) -> Plan:
    """The plan with so much time taken out before this command; nothing else changes."""
    inputs = plan.inputs
    late = tuple(Step(step.at_us - gap_us, step.command) for step in inputs[place:])
    return replace(plan, inputs=(*inputs[:place], *late), end_us=plan.end_us - (gap_us if plan.tail else 0))


def _moved(plan: Plan, place: int, at_us: int) -> Plan:
    inputs = plan.inputs
    return replace(plan, inputs=(*inputs[:place], Step(at_us, inputs[place].command), *inputs[place + 1 :]))


def shrink(
    plan: Plan,
    variant: Variant,
    tolerated: tuple[str, ...] = (),
    budget: int = BUDGET,
    pinned: dict[str, Any] | None = None,
    judge: Judge | None = None,
) -> Shrunk:
    """The smallest run that fails as this one does. ``pinned``: settings that stay as they are."""
    shrunk = Shrinker(plan, variant, tolerated, budget, pinned or {}, judge).shrink()
    least = minimal(shrunk.plan, shrunk.violation, variant, tolerated)
    if least is None:
        return shrunk
    return replace(shrunk, plan=least.plan, violation=least.violation, minimal=least.proven)


__all__ = ["BUDGET", "Shrinker", "Shrunk", "minimise", "shrink", "simpler"]
