"""A failing run made small: fewer commands, fewer machines, an earlier end, while the same guarantee breaks alike.

Delta debugging (Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", TSE 2002) over the
commands, which goes on where it has dropped something instead of beginning anew, between attempts at settings, sizes
and times, until nothing more can go. A shorter run counts only if the same check fails with the same class of witness
(``Violation.kind``): another bug on the way is not followed.

Of a run that needs luck - which page is torn, which message comes late - dropping commands changes the luck, and so it
ends early. Therefore fewer commands are also tried under a few other seeds of the world.

It is done in slices of a number of runs, between which it is plain data: whoever drives it can say how far it is, hand
it to another worker, or stop and keep what there is. What was tried in vain is not tried again.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Final, TypeVar

from engines.errors import UserError
from engines.hunt.minimal import least, searchable
from engines.hunt.plan import Plan
from engines.hunt.trial import Judge, Violation, play
from engines.sim.faults import Cut, Isolate, Partition
from engines.sim.pattern import Config, Setting, Step, Variant
from engines.units import US_PER_MS

T = TypeVar("T")
BUDGET: Final = 1_000
"""Runs that one shrinking may make."""
SLICE: Final = 16
"""Runs between two times at which it can be told how far it is."""
GRAINS_US: Final = (100 * US_PER_MS, 10 * US_PER_MS, US_PER_MS)
"""Times are rounded to these where that changes nothing."""
FEW: Final = 5
"""With so many commands or fewer no other seeds are tried."""
MANY: Final = 24
"""With more commands than these, only the last of them are tried so."""
LAST: Final = (0, 1, 2, 4, 8, 16)
"""So many of the last commands."""
LUCK: Final = 10
"""Other seeds that are tried with the same commands."""


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


@dataclass(slots=True)
class Sweep:
    """Where delta debugging is: parts of this size are dropped, from the last one to the first."""

    size: int = 0
    """0: it has not begun."""
    end: int = 0
    """Where the part ends that is to be dropped next."""
    dropped: bool = False
    """Whether something went in this sweep."""


@dataclass(slots=True)
class Halfway:
    """A shrinking between two slices."""

    best: Plan
    violation: Violation
    before: int
    runs: int = 0
    phase: int = 0
    sweep: Sweep = field(default_factory=Sweep)
    size: tuple[Any, ...] = ()
    """What there was when the phases began anew."""
    tried: dict[bytes, None] = field(default_factory=dict)
    """Plans that do not fail in the same way."""
    breadth: int = -1
    """With how many commands the breadth-first search tries it next; -1: commands are still dropped."""

    @property
    def shrunk(self) -> Shrunk:
        """As small as it is by now."""
        return Shrunk(self.best, self.violation, self.before, self.runs)


class _Pause(Exception):
    """A slice is over."""


class Shrinker:
    """One shrinking."""

    def __init__(
        self,
        plan: Plan,
        variant: Variant,
        tolerated: tuple[str, ...] = (),
        budget: int = BUDGET,
        pinned: dict[str, Any] | None = None,
        judge: Judge | None = None,
        half: Halfway | None = None,
    ) -> None:
        """``pinned``: settings that stay as they are. ``half``: where to go on."""
        self.variant = variant
        self.judge = judge
        self.tolerated = tolerated
        self.budget = budget
        self.pinned = pinned or {}
        if half is None:
            trial = play(plan, variant, tolerated, watch=False, judge=judge)
            plan, violation = trial.plan, trial.violation
            assert violation is not None, f"seed {plan.seed} breaks nothing"
            half = Halfway(_to_the_point(plan, violation), violation, len(plan.inputs), 1)
        self.half = half
        self.kind = half.violation.kind
        self.pause_at = budget

    @property
    def best(self) -> Plan:
        """The smallest run so far."""
        return self.half.best

    def still(self, plan: Plan) -> bool:
        """Whether this one fails in the same way; then it is the best so far."""
        half = self.half
        mark = blake2b(repr(plan).encode(), digest_size=12).digest()
        if half.runs >= self.budget or mark in half.tried or plan == half.best:
            return False
        if half.runs >= self.pause_at:
            raise _Pause
        half.runs += 1
        try:
            violation = play(plan, self.variant, self.tolerated, watch=False, judge=self.judge).violation
        except UserError:  # settings that do not go together
            violation = None
        if violation is None or violation.kind != self.kind:
            half.tried[mark] = None
            return False
        half.violation, half.best = violation, _to_the_point(plan, violation)
        return True

    def go_on(self) -> Shrunk | None:
        """A slice more; None if that was not the last one."""
        half = self.half
        if half.breadth >= 0:
            return self._least()
        phases = (
            self._without_rest, self._elsewhere, self._fewer, self._merged, self._simpler, self._sooner, self._rounder,
        )  # fmt: skip
        self.pause_at = min(self.budget, half.runs + SLICE)
        try:
            while True:
                if half.phase == 0:
                    half.size = self._size()
                phases[half.phase]()
                half.phase = (half.phase + 1) % len(phases)
                if half.phase == 0 and (self._size() == half.size or half.runs >= self.budget):
                    if not searchable(half.best, half.violation, self.variant):
                        return half.shrunk
                    half.breadth = 0
                    return None
        except _Pause:
            return None

    def _least(self) -> Shrunk | None:
        """Nothing more can be dropped: perhaps other moments do with less. None: not with so few."""
        half, shrunk = self.half, self.half.shrunk
        found = least(half.best, half.violation, self.variant, self.tolerated, half.breadth)
        if found is not None:
            return replace(shrunk, plan=found.plan, violation=found.violation, minimal=found.proven)
        half.breadth += 1
        return replace(shrunk, minimal=True) if half.breadth == len(half.best.inputs) else None

    def _size(self) -> tuple[Any, ...]:
        return self.best.inputs, self.best.config, self.best.end_us

    def _without_rest(self) -> None:
        """What a judge found needs no heal, and not so long an end."""
        if self.half.violation.at_end and self.best.tail and self.still(replace(self.best, tail=0)):
            for parts in (2, 4, 8, 16):
                while self.still(self.best.until(self.best.end_us - self.best.end_us // parts)):
                    pass

    def _fewer(self) -> None:
        """Drop commands: halves, quarters ... single ones."""

        def fails(chaos: Sequence[Step]) -> Sequence[Step] | None:
            return self.best.chaos if self.still(self.best.with_chaos(tuple(chaos))) else None

        if self.best.chaos:
            minimise(self.best.chaos, fails, self.half.sweep)
        self.half.sweep = Sweep()

    def _elsewhere(self) -> None:
        """The last few commands, then all but a part, under this seed and under others."""
        chaos = self.best.chaos
        many = len(chaos)
        if many <= FEW:
            return
        kept = [chaos[many - size :] for size in LAST if size < many]
        if many <= MANY:
            for parts in (2, 4, many):
                size = max(1, many // parts)
                kept += [(*chaos[:start], *chaos[start + size :]) for start in range(0, many, size)]
        for some in kept:
            if self.still(self.best.with_chaos(some)):
                return
        for some in kept:
            for seed in range(LUCK):
                if self.still(replace(self.best.with_chaos(some), seed=seed)):
                    return

    def _merged(self) -> None:
        """Links that are cut at one moment, as one cut: of a machine, or of all machines from each other."""
        for at_us in dict.fromkeys(step.at_us for step in self.best.chaos):
            cuts = [step for step in self.best.chaos if step.at_us == at_us and isinstance(step.command, Cut)]
            names = sorted({name for step in cuts for name in (step.command.src, step.command.dst)} - {"*"})
            if len(cuts) < 2:
                continue
            apart = Partition(tuple((name,) for name in names))
            for command in (*(Isolate(name) for name in names), *((apart,) if len(names) > 1 else ())):
                first = self.best.chaos.index(cuts[0])
                rest = [step for step in self.best.chaos if step not in cuts]
                if self.still(self.best.with_chaos((*rest[:first], Step(at_us, command), *rest[first:]))):
                    break

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
            while gap > 2 * US_PER_MS and self.half.runs < self.budget:
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


def minimise(
    items: Sequence[T], fails: Callable[[Sequence[T]], Sequence[T] | None], sweep: Sweep | None = None
) -> Sequence[T]:
    """A part of the items that still fails, of which no single one can be dropped.

    ``fails`` returns what is left of the items it is given, if these fail, perhaps less. ``sweep``: where to go on, and
    where it is.
    """
    if fails(()) is not None:
        return ()
    sweep = Sweep() if sweep is None else sweep
    if not sweep.size:
        sweep.size, sweep.end = max(1, len(items) // 2), len(items)
    while True:
        while sweep.end > 0:
            start = max(0, sweep.end - sweep.size)
            rest = (*items[:start], *items[sweep.end :])
            left = fails(rest) if rest else None
            if left is not None:
                items, sweep.dropped = left, True
            sweep.end = min(start, len(items))
        if sweep.size == 1 and not sweep.dropped:
            return items
        sweep.size, sweep.end, sweep.dropped = max(1, sweep.size // 2), len(items), False


def simpler(config: Config, setting: Setting) -> Iterator[Config]:
    """This configuration with one setting left out, or with less of it; never with more of it, or it would go on so."""
    given = dict(config)
    now = given.get(setting.name, setting.default)
    sized = setting.name in SIZES and isinstance(now, int)
    if setting.name in given and not (sized and setting.default > now):
        yield tuple((name, value) for name, value in config if name != setting.name)
    if sized:
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


def _to_the_point(plan: Plan, violation: Violation) -> Plan:
    """The plan up to its violation."""
    return plan if violation.at_end else plan.until(violation.at_us)


def shrink(
    plan: Plan,
    variant: Variant,
    tolerated: tuple[str, ...] = (),
    budget: int = BUDGET,
    pinned: dict[str, Any] | None = None,
    judge: Judge | None = None,
) -> Shrunk:
    """The smallest run that fails as this one does. ``pinned``: settings that stay as they are."""
    shrinker = Shrinker(plan, variant, tolerated, budget, pinned, judge)
    while (shrunk := shrinker.go_on()) is None:
        pass
    return shrunk


__all__ = ["BUDGET", "SLICE", "Halfway", "Shrinker", "Shrunk", "Sweep", "minimise", "shrink", "simpler"]
