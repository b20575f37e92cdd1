"""Runs of CQRS for the tests of its panel."""

from functools import cache
from typing import Any

from engines.cqrs.pattern import PATTERN
from engines.cqrs.world.snapshot import Snapshot
from engines.sim.pattern import Config
from engines.sim.timeline import Timeline
from engines.units import US_PER_MS

Run = Timeline[Any, Snapshot]


def run(until_ms: int, *inputs: tuple[int, Any], config: Config = (), seed: int = 42) -> Run:
    """A run with these commands at these milliseconds."""
    timeline: Run = Timeline(PATTERN.variants[0], seed, config)
    for at_ms, command in inputs:
        timeline.advance(at_ms * US_PER_MS)
        timeline.submit(command)
    timeline.advance(until_ms * US_PER_MS)
    return timeline


@cache
def story(name: str, until_ms: int) -> Run:
    """A scenario up to this time; not to be changed."""
    scenario = PATTERN.scenario(name)
    timeline: Run = Timeline(PATTERN.variant(scenario.variant), scenario.seed, scenario.config, scenario)
    timeline.advance(until_ms * US_PER_MS)
    return timeline
