"""Runs of a bank on an event store, and a FILE of events, for the tests of their panel."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from engines.event_sourcing.demo import batches
from engines.event_sourcing.events import RecordedEvent
from engines.event_sourcing.memory_store import MemoryStore
from engines.event_sourcing.pattern import PATTERN
from engines.event_sourcing.recorded import VARIANT, source
from engines.event_sourcing.world.snapshot import Snapshot
from engines.sim.pattern import Config
from engines.sim.source import Source
from engines.sim.timeline import Timeline
from engines.units import US_PER_MS

Run = Timeline[Any, Snapshot]


def run(until_ms: int, *inputs: tuple[int, Any], variant: str = "store", config: Config = (), seed: int = 42) -> Run:
    """A run with these commands at these milliseconds."""
    timeline: Run = Timeline(PATTERN.variant(variant), seed, config)
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


@cache
def stored() -> Sequence[RecordedEvent]:
    """Some events of the demonstration."""
    store = MemoryStore()
    for batch in batches(400):
        store.save_events(*batch)
    return store.read_all()


@cache
def file_source() -> Source:
    """A FILE of them. It must live as long as its runs."""
    events = stored()
    store = MemoryStore.of(events)
    return source(events, "event store", store.integrity(), "demo.db", "0" * 64)


def file_run() -> Run:
    """The FILE at its end."""
    timeline: Run = Timeline(VARIANT.on(file_source()), 0, ())
    timeline.advance(10**15)
    return timeline
