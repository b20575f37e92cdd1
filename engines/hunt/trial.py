"""A plan, played: whether a guarantee broke, whether the faults bit, and which situations it came through."""

import re
import traceback
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple, TypeAlias

from engines.errors import UserError
from engines.hunt.bites import Bites
from engines.hunt.coverage import LOOK_STEPS, Situation, Watch
from engines.hunt.nemesis import Lookout
from engines.hunt.plan import Plan
from engines.sim.chaos import Chaos
from engines.sim.events import RING_EVENTS, kind_of
from engines.sim.hazards import ANYTHING
from engines.sim.pattern import Check, Step, Variant
from engines.units import US_PER_S

NO_EXCEPTION: Final = "the engine goes on"
"""What every engine owes, as a check is named."""
LOOKS: Final = 20
"""How often it is looked whether a promise is kept before its bound."""
LOOK_US: Final = 5 * US_PER_S
"""And at least so often, however far away the bound is."""
CHECK_STEPS: Final = 128
"""Steps between two looks at the checks, which stand after every step."""
_NAMES: Final = re.compile(r"(?<![A-Za-z])[A-Za-z]{0,2}\d[\w.:>]*")
_REPEATED: Final = re.compile(r"#(?:\W{1,3}(?:and )?#)+")


class Violation(NamedTuple):
    """A guarantee that did not hold."""

    check: str
    detail: str
    witness: tuple[str, ...]
    position: int
    """The step or command that broke it; of a promise that was not kept, the end of the run."""
    at_us: int
    at_end: bool = False
    """Whether it is liveness: nothing broke, something that was due did not happen."""

    @property
    def kind(self) -> tuple[str, str]:
        """Check and class of witness: what was said without its names and numbers."""
        return self.check, _REPEATED.sub("#", _NAMES.sub("#", self.detail))


@dataclass(slots=True)
class Trial:
    """What became of a plan."""

    plan: Plan
    """The plan as it happened: whatever waited for its moment stands at that moment."""
    violation: Violation | None = None
    steps: int = 0
    checks: int = 0
    """How many guarantees were examined, each after every step."""
    refused: int = 0
    """Commands that could not be given."""
    injected: dict[str, int] = field(default_factory=dict)
    bites: dict[str, int] = field(default_factory=dict)
    situations: dict[Situation, bool] = field(default_factory=dict)

    @property
    def idle(self) -> bool:
        """Whether faults were injected and none touched anything: such a seed shows nothing."""
        return bool(self.injected) and not any(self.bites.values())


Judge: TypeAlias = Callable[[Any], tuple[Check, ...]]
"""Looks at an engine whose run is over and says more about it than its own checks: what its clients were told."""


def play(
    plan: Plan,
    variant: Variant,
    tolerated: tuple[str, ...] = (),
    watch: bool = True,
    judge: Judge | None = None,
    engine: Any = None,
) -> Trial:
    """Play a plan until its end or the first violation.

    ``tolerated``: checks that may fail, since a story breaks them on purpose. Without ``watch`` only the verdict
    counts: no bites, no situations. ``engine``: a fresh one of the plan's seed and configuration, if there is one.
    """
    return Player(plan, variant, tolerated, watch, judge, engine).play()


class Player:
    """One run of a plan."""

    def __init__(
        self,
        plan: Plan,
        variant: Variant,
        tolerated: tuple[str, ...],
        watch: bool,
        judge: Judge | None = None,
        engine: Any = None,
    ) -> None:
        self.plan = plan
        self.judge = judge
        self.variant = variant
        self.chaos: Chaos = variant.chaos or ANYTHING
        self.tolerated = tolerated
        self.engine: Any = variant.make(plan.seed, plan.config) if engine is None else engine
        self.trial = Trial(plan)
        self.steps = list(plan.inputs)
        """What is to be done, by time; what springs meanwhile is put in."""
        self.given = 0
        """How many of them are done."""
        self.bites: Bites | None = None
        self.watch: Watch | None = None
        self.lookout: Lookout | None = None
        if watch:
            self.bites = Bites(self.engine, self.chaos.faults)
            self.watch = Watch(self.engine, self.chaos, self.bites)
            self.engine.watcher = self.watch
        if plan.chains:
            kinds = {kind_of(each): each for each in self.chaos.events}
            self.lookout = self.engine.watcher = Lookout(self.engine, self.watch, kinds, plan.chains)

    def play(self) -> Trial:
        """To the end, or to the first violation."""
        trial, engine = self.trial, self.engine
        try:
            self._play()
        except Exception as error:  # an engine that cannot go on is found like any other mistake
            where = traceback.extract_tb(error.__traceback__)[-1]
            said = (str(error).splitlines() or [""])[0]
            lines = (f"{type(error).__name__}: {said}"[:200], f"in {where.name}, line {where.lineno}: {where.line}")
            trial.violation = Violation(NO_EXCEPTION, type(error).__name__, lines, engine.position + 1, engine.now_us)
            self._tell()
            return trial
        self._tell()
        trial.steps = engine.position
        trial.checks = engine.position * len(engine.check())
        if self.bites is not None and self.watch is not None:
            self.bites.close()
            if self.chaos.bites is not None:
                for family, count in self.chaos.bites(engine).items():
                    self.bites.count(family, count)
            trial.injected, trial.bites = self.bites.injected, self.bites.counts
            trial.situations = self.watch.situations
        return trial

    def _tell(self) -> None:
        """The plan, as it happened."""
        if self.plan.chains:
            self.trial.plan = replace(self.plan, inputs=tuple(self.steps), chains=())

    def _play(self) -> None:
        steps = self.steps
        while self.given < len(steps):
            if self._reach():
                return
            self.given += 1
            if len(steps) - self.given < self.plan.tail:
                self._stand_down()
            if self._give(steps[self.given - 1].command):
                return
        if not self._rest():
            self.trial.violation = self._owed() or self._judged()

    def _reach(self) -> bool:
        """Run to the next command, which may be put in on the way; whether a guarantee broke."""
        lookout = self.lookout
        if lookout is None:
            return self._run(self.steps[self.given].at_us)
        while True:
            if lookout.sprung:
                self._put_in(lookout)
            until_us = self.steps[self.given].at_us
            later_us = lookout.lay(self.engine.now_us)
            target_us = until_us if later_us is None else min(until_us, later_us)
            if self._run_on_the_lookout(target_us, lookout) if lookout.laid else self._run(target_us):
                return True
            if target_us == until_us and not lookout.sprung:
                return False

    def _run_on_the_lookout(self, until_us: int, lookout: Lookout) -> bool:
        """Like ``_run``, but for stopping at the step at which an ambush springs."""
        engine, watch = self.engine, self.watch
        steps = 0
        while done := engine.run_to(lookout.laid, until_us, LOOK_STEPS - steps):
            steps = (steps + done) % LOOK_STEPS
            if lookout.sprung:
                break
            if not steps:
                if watch is not None:
                    watch.look()
                if self._broken():
                    return True
        if watch is not None:
            watch.look()
        return self._broken()

    def _put_in(self, lookout: Lookout) -> None:
        """What has sprung happens at its time, unless all is healed by then."""
        engine, steps, tail = self.engine, self.steps, self.plan.tail
        for at_us, command in lookout.strikes(engine.now_us):
            if not tail or at_us < steps[-tail].at_us:
                insort(steps, Step(at_us, command), self.given, len(steps) - tail, key=lambda step: step.at_us)

    def _stand_down(self) -> None:
        """All is healed: nobody lies in wait any more."""
        if self.lookout is not None:
            self.lookout = None
            self.engine.watcher = self.watch

    def _rest(self) -> bool:
        """What follows the last command: to the end, or until the promise is kept; whether a guarantee broke."""
        plan, chaos = self.plan, self.chaos
        if plan.tail and chaos.missing is not None:
            at_us = self.steps[-1].at_us + chaos.calm_us
            while at_us < plan.end_us:
                if self._run(at_us):
                    return True
                if not chaos.missing(self.engine):
                    return False
                at_us += min(LOOK_US, max(1, chaos.quiet_us // LOOKS))
        return self._run(plan.end_us)

    def _owed(self) -> Violation | None:
        """What of the promise is missing at the end of a plan that has healed the world."""
        missing = self.chaos.missing(self.engine) if self.plan.tail and self.chaos.missing is not None else ""
        if not missing:
            return None
        return Violation(self.chaos.promise, missing, (), self.engine.position, self.engine.now_us, at_end=True)

    def _judged(self) -> Violation | None:
        """What a judge of the whole run finds."""
        for check in self.judge(self.engine) if self.judge is not None else ():
            if not check.ok and check.name not in self.tolerated:
                where = self.engine.position, self.engine.now_us
                return Violation(check.name, check.detail, check.witness, *where, at_end=True)
        return None

    def _run(self, until_us: int) -> bool:
        """Let everything happen that is due until then; whether a guarantee broke."""
        engine, watch = self.engine, self.watch
        if watch is None:
            while engine.run(until_us, CHECK_STEPS) == CHECK_STEPS:
                if self._broken():
                    return True
        else:
            while engine.run(until_us, LOOK_STEPS) == LOOK_STEPS:
                watch.look()
                if self._broken():
                    return True
            watch.look()
        return self._broken()

    def _give(self, command: Any) -> bool:
        """Carry a command out, if that can be; whether a guarantee broke by it."""
        engine = self.engine
        try:
            command = engine.resolve(command)
            engine.give(command)
        except UserError:
            self.trial.refused += 1
            return False
        if self.bites is not None:
            self.bites.given(command)
        return self._broken()

    def _broken(self) -> bool:
        """Whether a guarantee does not hold any more; the first of them is taken down."""
        failed = [check for check in self.engine.check() if not check.ok and check.name not in self.tolerated]
        if not failed:
            return False
        first: Check = min(failed, key=lambda check: check.position)
        at_us = self._time_of(first.position)
        self.trial.violation = Violation(first.name, first.detail, first.witness, first.position, at_us)
        return True

    def _time_of(self, position: int) -> int:
        """When that step was; by playing it again where that is not remembered any more."""
        for event in reversed(self.engine.latest(RING_EVENTS)):
            if event.position == position:
                return int(event.at_us)
            if event.position < position:
                break
        engine: Any = self.variant.make(self.plan.seed, self.plan.config)
        for step in (*self.steps, None):
            if step is None or (engine.run(step.at_us, position - engine.position) and engine.position == position):
                break
            try:
                engine.apply(engine.resolve(step.command))
            except UserError:
                continue
            if engine.position == position:
                break
        if engine.position < position:
            engine.run(self.plan.end_us, position - engine.position)
        return int(engine.now_us)


__all__ = ["Player", "Trial", "Violation", "play"]
