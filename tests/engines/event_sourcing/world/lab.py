"""Worlds for tests: one line each."""

from __future__ import annotations

from typing import Any

from engines.event_sourcing.world.engine import EventEngine
from engines.event_sourcing.world.group_world import GroupEngine
from engines.sim import faults
from engines.sim.random import Stream

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


def batter(engine: EventEngine, seed: int, times: int = 40) -> dict[str, int]:
    """Every fault of the model, at random; how often each was applied."""
    stream = Stream(seed, "batter")
    from engines.event_sourcing.world import commands as c

    names = tuple(engine.hosts)
    bitten: dict[str, int] = {}
    for _ in range(times):
        go(engine, stream.below(150 * MS))
        a, b = names[stream.below(len(names))], names[stream.below(len(names))]
        kinds: tuple[Any, ...] = (
            faults.Crash(a), faults.Crash("store"), faults.Restart(a), faults.Restart("store"), c.Kill("store"),
            faults.Freeze(a), faults.Thaw(a), faults.Lose(a, b, 300_000), faults.Duplicate("*", "*", 200_000),
            faults.Reorder(a, "*", 300_000), faults.Slow(a, b, 30_000, 20_000), faults.Cut(a, b), faults.Mend(a, b),
            faults.Skew(a, -40_000, 100_000), faults.Heal(), c.Race(1, 90), faults.Crash("mail"), c.ChangeSchema(),
        )  # fmt: skip
        command = kinds[stream.below(len(kinds))]
        try:
            engine.validate(command)
        except Exception:
            continue
        engine.apply(command)
        bitten[type(command).__name__] = bitten.get(type(command).__name__, 0) + 1
    engine.apply(faults.Heal())
    go(engine, 3 * S)
    return bitten
