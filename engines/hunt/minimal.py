"""The least number of commands that breaks a guarantee: breadth first, over what a small find is made of.

Delta debugging drops commands; it never moves one to another moment, nor gives one twice. For a find with few machines
and few commands that can be tried out: all ways to give none of its commands, then all ways to give one at any of its
moments, then two ... States are engines; those that are equal are gone into once. What is found first is minimal among
these commands and moments, and if nothing smaller is found, the find was.

The search is made once for each number of commands, from none on. To come to that number anew costs little beside it,
and between two of them nothing is left over: so it can be told how far it is, and another worker can go on.
"""

import pickle
from collections.abc import Iterator
from dataclasses import replace
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from engines.errors import UserError
from engines.hunt.plan import Plan
from engines.hunt.trial import Violation, play
from engines.sim.pattern import Check, Step, Variant

SERVERS_MAX: Final = 3
INPUTS_MAX: Final = 6
STATES_MAX: Final = 1_500
"""States that one search goes into."""
TRIES_MAX: Final = 5_000
"""Commands that one search gives: each is an engine that is packed and unpacked, some seconds in all."""


class Minimal(NamedTuple):
    """What a search came to."""

    plan: Plan
    violation: Violation
    proven: bool
    """Whether nothing smaller was found though everything was tried; else the search was given up."""
    states: int


class _State(NamedTuple):
    """An engine, packed, at a moment, and the commands that were given so far."""

    moment: int
    blob: bytes
    given: tuple[Step, ...]


class Breadth:
    """One search."""

    def __init__(self, plan: Plan, violation: Violation, variant: Variant, tolerated: tuple[str, ...]) -> None:
        self.plan, self.violation = plan, violation
        self.variant = variant
        self.tolerated = tolerated
        self.moments = tuple(dict.fromkeys(step.at_us for step in plan.inputs))
        self.commands = tuple(dict.fromkeys(step.command for step in plan.inputs))
        self.seen: dict[bytes, bool] = {}
        self.states = 0
        self.tries = 0
        self.histories: list[Any] = []
        """What packed engines refer to: a checkpoint names the tape of its client history and does not hold it."""

    def _packed(self, engine: Any) -> bytes:
        self.histories.append(getattr(engine, "history", None))
        return pickle.dumps(engine, 5)

    def search(self, most: int) -> Minimal | None:
        """Level by level, up to so many commands; None if they break nothing."""
        level = [_State(0, self._packed(self.variant.make(self.plan.seed, self.plan.config)), ())]
        for count in range(most + 1):
            more = count < most
            following: list[_State] = []
            for state in level:
                self.states += 1
                if self.states > STATES_MAX or self.tries > TRIES_MAX:
                    return Minimal(self.plan, self.violation, False, self.states)
                for engine, moment in self._futures(state):
                    if self._broken(engine) and (found := self._confirmed(state.given)) is not None:
                        return found
                    if more and moment < len(self.moments):
                        following += self._given(engine, moment, state.given)
            level = following
        return None

    def _futures(self, state: _State) -> Iterator[tuple[Any, int]]:
        """The engine as it is, and at each later moment if nothing more is done, and at the end."""
        engine = pickle.loads(state.blob)
        for moment in range(state.moment, len(self.moments)):
            engine.run(self.moments[moment], 1 << 60)
            yield engine, moment
        engine.run(self.plan.end_us, 1 << 60)
        yield engine, len(self.moments)

    def _given(self, engine: Any, moment: int, given: tuple[Step, ...]) -> Iterator[_State]:
        """What comes of each command there."""
        blob = self._packed(engine)
        for command in self.commands:
            self.tries += 1
            other = pickle.loads(blob)
            try:
                other.apply(other.resolve(command))
            except UserError:
                continue
            packed = self._packed(other)
            mark = blake2b(packed, digest_size=12).digest()
            if mark not in self.seen:
                self.seen[mark] = True
                yield _State(moment, packed, (*given, Step(self.moments[moment], command)))

    def _broken(self, engine: Any) -> bool:
        failed: list[Check] = [each for each in engine.check() if not each.ok and each.name not in self.tolerated]
        return any(each.name == self.violation.check for each in failed)

    def _confirmed(self, given: tuple[Step, ...]) -> Minimal | None:
        """The plan of these commands, if it breaks the guarantee in the same way."""
        plan = replace(self.plan, inputs=given, tail=0)
        violation = play(plan, self.variant, self.tolerated, watch=False).violation
        if violation is None or violation.kind != self.violation.kind:
            return None
        return Minimal(plan.until(violation.at_us), violation, True, self.states)


def searchable(plan: Plan, violation: Violation, variant: Variant) -> bool:
    """Whether machines and commands are few, and something breaks at a step."""
    if violation.at_end or not 0 < len(plan.inputs) <= INPUTS_MAX:
        return False
    return len(variant.make(plan.seed, plan.config).servers) <= SERVERS_MAX


def least(
    plan: Plan, violation: Violation, variant: Variant, tolerated: tuple[str, ...], most: int
) -> Minimal | None:  # fmt: skip
    """A run of at most so many of these commands that breaks alike; None if there is none. Not ``proven``: it was given
    up, and the plan is as it was."""
    return Breadth(plan, violation, variant, tolerated).search(most)


def minimal(plan: Plan, violation: Violation, variant: Variant, tolerated: tuple[str, ...] = ()) -> Minimal | None:
    """The smallest run, where it is ``searchable``; else None."""
    if not searchable(plan, violation, variant):
        return None
    for most in range(len(plan.inputs)):
        found = least(plan, violation, variant, tolerated, most)
        if found is not None:
            return found
    return Minimal(plan, violation, True, 0)


__all__ = ["INPUTS_MAX", "SERVERS_MAX", "Minimal", "least", "minimal", "searchable"]
