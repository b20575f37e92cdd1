"""A piece of a hunt as a worker gets it, on this machine or another: plain data in, plain data out.

A worker resolves pattern and variant by name, so nothing but names, numbers and commands travels; if its version of the
engine is another one, it says so instead of judging runs that differ.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module
from typing import Any, Final, NamedTuple

from engines.errors import UserError
from engines.hunt.coverage import Situation
from engines.hunt.plan import Plan
from engines.hunt.profiles import PROFILES, draw
from engines.hunt.shrink import BUDGET, Halfway, Shrinker, Shrunk
from engines.hunt.trial import Judge, Violation, play
from engines.sim.hazards import ANYTHING
from engines.sim.pattern import Config, Pattern, Scenario, Variant

YOUNG_MAX: Final = 20_000
"""So many new objects may live before somebody looks for cycles among them; 700 is usual."""
HOMES: Final = {"events": "event_sourcing"}
"""Folders that are not called as the pattern."""


@lru_cache(maxsize=16)
def pattern_of(name: str) -> Pattern:
    """A pattern by its name, or by that of a module that has a ``PATTERN``."""
    module = name if "." in name else f"engines.{HOMES.get(name, name)}.pattern"
    pattern: Pattern = import_module(module).PATTERN
    return pattern


@dataclass(frozen=True, slots=True)
class Request:
    """What is hunted: everything that a worker needs to know."""

    pattern: str
    variant: str
    engine_version: int
    profile: str = "usual"
    config: Config = ()
    """Settings that are not drawn; a broken rule is one of them."""
    scenario: str = ""
    fixed: bool = False
    """Whether all settings are as given, none drawn."""
    judge: str = ""
    """A module whose ``judged`` looks at a run that is over, and at what its clients were told; none: nobody does."""

    def find_judge(self) -> Judge | None:
        """Who looks at the runs."""
        if not self.judge:
            return None
        judge: Judge = import_module(self.judge).judged
        return judge

    def find_variant(self) -> Variant:
        """The variant; UserError if it is not the one that is meant."""
        variant = pattern_of(self.pattern).variant(self.variant)
        if variant.engine_version != self.engine_version:
            raise UserError(
                f"a worker has version {variant.engine_version} of the engine {self.variant!r}, and the hunt is for "
                f"version {self.engine_version}: install the same dp-tui on all machines"
            )
        return variant

    def find_scenario(self) -> Scenario | None:
        """The story that is played meanwhile, if any."""
        return pattern_of(self.pattern).scenario(self.scenario) if self.scenario else None

    @property
    def tolerated(self) -> tuple[str, ...]:
        """Checks that the story breaks on purpose."""
        scenario = self.find_scenario()
        return scenario.breaks if scenario else ()

    def plan(self, seed: int) -> Plan:
        """What is drawn for a seed."""
        return self.drawn(seed)[0]

    def drawn(self, seed: int) -> tuple[Plan, Any]:
        """The same, and a fresh engine to play it."""
        variant = self.find_variant()
        chaos = variant.chaos or ANYTHING
        if self.fixed:
            themes = tuple(replace(theme, settings=()) for theme in chaos.themes)
            chaos = replace(chaos, settings=(), themes=themes)
        return draw(variant, chaos, PROFILES[self.profile], seed, self.config, self.find_scenario())


class Seed(NamedTuple):
    """What became of one seed."""

    seed: int
    violation: Violation | None
    idle: bool
    """Its faults touched nothing."""
    steps: int
    checks: int
    injected: tuple[tuple[str, int], ...]
    bites: tuple[tuple[str, int], ...]
    situations: tuple[Situation, ...]
    """Those that no earlier seed of its batch came through."""


@contextmanager
def few_collections() -> Iterator[None]:
    """Worlds are made of records that die by themselves: cycles among them are looked for more seldom than usual."""
    usual = gc.get_threshold()
    gc.set_threshold(YOUNG_MAX, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def batch(request: Request, seeds: tuple[int, ...]) -> tuple[Seed, ...]:
    """Play these seeds, one after the other."""
    variant, tolerated, judge = request.find_variant(), request.tolerated, request.find_judge()
    known: dict[Situation, bool] = {}
    found = []
    with few_collections():
        for seed in seeds:
            plan, engine = request.drawn(seed)
            trial = play(plan, variant, tolerated, judge=judge, engine=engine)
            fresh = tuple(each for each in trial.situations if each not in known)
            known.update(trial.situations)
            found.append(Seed(
                seed, trial.violation, trial.idle, trial.steps, trial.checks, tuple(trial.injected.items()),
                tuple(trial.bites.items()), fresh,
            ))  # fmt: skip
    return tuple(found)


def shorten(request: Request, seed: int, budget: int = BUDGET, half: Halfway | None = None) -> Shrunk | Halfway:
    """Shrink the run of a seed that breaks a guarantee, a slice at a time: what it came to, or where to go on."""
    plan = half.best if half is not None else request.plan(seed)
    pinned, judge = dict(request.config), request.find_judge()
    going_on = replace(half) if half is not None else None  # who told it keeps it as it was
    shrinker = Shrinker(plan, request.find_variant(), request.tolerated, budget, pinned, judge, going_on)
    with few_collections():
        return shrinker.go_on() or shrinker.half


def shortened(request: Request, seed: int, budget: int = BUDGET) -> Shrunk:
    """The same to its end."""
    found = shorten(request, seed, budget)
    while isinstance(found, Halfway):
        found = shorten(request, seed, budget, found)
    return found


__all__ = ["HOMES", "Request", "Seed", "batch", "pattern_of", "shorten", "shortened"]
