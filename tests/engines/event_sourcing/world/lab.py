"""Worlds for tests: one line each."""

from __future__ import annotations

from typing import Any

from engines.event_sourcing.world.engine import EventEngine
from engines.event_sourcing.world.group_world import GroupEngine

S = 1_000_000
MS = 1_000


def world(variant: str = "store", seed: int = 1, **config: Any) -> EventEngine:
    engine = GroupEngine if variant == "group" else EventEngine
    return engine(variant, seed, tuple(sorted(config.items())))


def go(engine: EventEngine, us: int) -> EventEngine:
    engine.run(engine.now_us + us, 1 << 40)
    return engine


def failed(engine: EventEngine) -> list[str]:
    return [check.name for check in engine.check() if not check.ok]
