"""Runs of CQRS for the tests of its panel."""

from functools import cache
from typing import Any

from engines.cqrs.demo import batches
from engines.cqrs.pattern import PATTERN
from engines.cqrs.recorded import VARIANT, OrderRecords, source
from engines.cqrs.world.snapshot import Snapshot
from engines.event_sourcing import ANY, Integrity, MemoryStore, NewEvent
from engines.sim.pattern import Check, Config
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


@cache
def shop() -> MemoryStore:
    """A store of orders, with an event at its end that only some of its read models can read."""
    store = MemoryStore()
    for stream, events in batches(250):
        store.save_events(stream, events, ANY)
    store.save_events("order-1", [NewEvent("bad", "LineAdded", {"item": "pen"})])
    return store


def file_run(park: bool = False) -> Run:
    """The store as a FILE, at its end."""
    events = shop().events
    integrity = Integrity(True, f"{len(events)} events", len(events))
    records = OrderRecords(events, "event store", integrity, (Check("integrity", True, "intact", ()),), park)
    timeline: Run = Timeline(VARIANT.on(source(records, "shop.db", "0" * 64)), 0, ())
    timeline.advance(10**15)
    return timeline
