"""Runs of replicated stores for the tests of their panel."""

from collections.abc import Callable
from functools import cache
from typing import Any

from engines.consistency.formats import shiviz
from engines.consistency.pattern import PATTERN
from engines.consistency.recorded import RECORDED, log_of
from engines.consistency.world.commands import Perform, SetPreset, SetQuorum
from engines.consistency.world.snapshot import Snapshot
from engines.sim import faults
from engines.sim.pattern import Config
from engines.sim.rules import SetRule
from engines.sim.timeline import Timeline
from engines.units import US_PER_MS

Run = Timeline[Any, Snapshot]


def run(variant: str, until_ms: int, *inputs: tuple[int, Any], config: Config = (), seed: int = 42) -> Run:
    """A run with these commands at these milliseconds."""
    timeline: Run = Timeline(PATTERN.variant(variant), seed, config)
    for at_ms, command in inputs:
        timeline.advance(at_ms * US_PER_MS)
        timeline.submit(command)
    timeline.advance(until_ms * US_PER_MS)
    return timeline


def story(name: str, until_ms: int) -> Run:
    """A scenario up to this time."""
    scenario = PATTERN.scenario(name)
    timeline: Run = Timeline(PATTERN.variant(scenario.variant), scenario.seed, scenario.config, scenario)
    timeline.advance(until_ms * US_PER_MS)
    return timeline


LOG = """send hello to bob
alice {"alice":1}
got hello
bob {"bob":1,"alice":1}
bob thinks
bob {"bob":2,"alice":1}
alice works on
alice {"alice":2}
carol wakes
carol {"carol":1}
bob tells carol
bob {"bob":3,"alice":1}
carol hears
carol {"carol":2,"bob":3,"alice":1}
alice hears carol
alice {"alice":3,"carol":2,"bob":3}
"""


def log_run(text: str = LOG) -> Run:
    """A log with vector clocks, played to its end."""
    events = shiviz.parse(text, "log.txt")
    timeline: Run = Timeline(RECORDED.on(log_of(events, "log.txt", "0" * 64, "log.txt")), 0)
    timeline.advance(1 << 40)
    return timeline


MOMENTS: dict[str, Callable[[], Run]] = {
    "beginning": lambda: run("eventual", 0),
    "steady": lambda: run("eventual", 2_000),
    "inversion": lambda: story("store-back", 850),
    "rollback": lambda: story("rollback", 3_000),
    "siblings": lambda: story("siblings", 900),
    "mess": lambda: run(
        "eventual", 3_000,
        (500, faults.Lose("r3", "*", 300_000)), (501, faults.Slow("*", "r1", 150_000, 1_000)),
        (600, faults.Isolate("r2")), (700, faults.Skew("r4", 200_000, 0)), (800, faults.Freeze("r5")),
        (900, faults.Crash("r1")), (950, SetQuorum(3, 2, 2)), (1_000, SetRule("strict_quorum", False)),
    ),
    "centres": lambda: run("eventual", 2_000, (500, SetPreset("local_quorum")), config=(("centres", 2), ("nodes", 6))),
    "causal": lambda: run(
        "causal", 2_500, (500, SetRule("hybrid_time", False)), (600, faults.Slow("r1", "*", 300_000, 0))
    ),
    "long": lambda: run("weak", 12_000, config=(("clients", 6), ("nodes", 7), ("workload", "busy"))),
    "log": log_run,
    "you": lambda: run("sequential", 900, (300, Perform("you", True, "x")), (500, Perform("you", False, "x", "r1"))),
}  # fmt: skip
"""Runs that the tests look at again and again."""


@cache
def standing(name: str) -> Run:
    """One of them; nobody moves it."""
    return MOMENTS[name]()
