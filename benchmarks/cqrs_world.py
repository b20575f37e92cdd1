"""Read latency under a burst of writes in the simulation, with 1 to 8 read replicas, beside the CRUD table.

Virtual time, so the figures are the same on every machine: 400 queries a second of 4 ms each (1.6 replicas' worth), 2
orders a second, then 40 a second for four seconds. A query to the CRUD table is a join of 6 ms, a command there 4 ms.
"""

import time
from typing import Final

from engines.cqrs.pattern import PATTERN
from engines.cqrs.world.commands import SetOption
from engines.sim.pattern import Config
from engines.units import US_PER_S, span

REPLICAS: Final = (1, 2, 4, 8)
BEFORE_S: Final = 3
BURST_S: Final = 4
CONFIG: Final[Config] = (
    ("writes", 2), ("reads", 400), ("read_us", 4_000), ("projectors", 3), ("commands", 4), ("sagas", False),
)  # fmt: skip


def took(calls: list[tuple[int, int]], first_s: int, last_s: int) -> tuple[int, int]:
    """Median and 99th percentile of the calls that were answered between two seconds."""
    found = sorted(us for at, us in calls if first_s * US_PER_S <= at < last_s * US_PER_S)
    return (found[len(found) // 2], found[len(found) * 99 // 100]) if found else (0, 0)


def run(replicas: int) -> tuple[str, float, int]:
    """One run: its line, and the seconds and steps it took."""
    engine = PATTERN.variants[0].make(42, (*CONFIG, ("replicas", replicas)))
    start = time.perf_counter()
    kept: dict[str, list[tuple[int, int]]] = {road: [] for road in engine.meter.calls}
    worst = 0
    for second in range(BEFORE_S + BURST_S):
        if second == BEFORE_S:
            engine.apply(SetOption("writes", "40"))
        engine.run((second + 1) * US_PER_S, 1 << 60)
        for road, calls in engine.meter.calls.items():
            kept[road] += calls
            calls.clear()
        worst = max(worst, engine.snapshot().projections[0].age_us)
    seconds = time.perf_counter() - start
    assert all(check.ok for check in engine.check())
    calm, burst = took(kept["query"], 1, BEFORE_S), took(kept["query"], BEFORE_S, BEFORE_S + BURST_S)
    table = took(kept["crud query"], BEFORE_S, BEFORE_S + BURST_S)
    name = f"cqrs world: {replicas} replica{'s' if replicas > 1 else ' '}"
    said = f"a query p50 {span(calm[0])}, p99 {span(calm[1])}; in the burst p50 {span(burst[0])}, p99 {span(burst[1])}"
    beside = f"rows up to {span(worst)} old; the CRUD table p50 {span(table[0])}, p99 {span(table[1])}"
    return f"{name}: {said}, {beside}", seconds, engine.position


def lines() -> list[str]:
    """The figures."""
    runs = [run(replicas) for replicas in REPLICAS]
    seconds, steps = sum(each[1] for each in runs), sum(each[2] for each in runs)
    span_s = len(REPLICAS) * (BEFORE_S + BURST_S)
    speed = f"cqrs world: {steps / seconds:,.0f} steps/s, {span_s / seconds:,.1f} times real time at this load"
    return [each[0] for each in runs] + [speed]
