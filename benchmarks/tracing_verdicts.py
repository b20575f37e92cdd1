"""How often the first verdict is right, from FILES alone: faults, weak faults, two at once, and healthy systems.

    python -m benchmarks tracing-verdicts        (or python -m benchmarks.tracing_verdicts SEEDS)

For every kind of fault and every seed a system of its own is made, traffic runs, the fault is injected into a service
that the seed picks; then the collector's spans are written as OTLP JSON and read again, and what is judged is that
file. There is no baseline but where a column says so: then the file of the time before the fault is the other one.
"Spans late" is judged in the simulation, because no file says when a span arrived. Each run is a process's own; the
tables are the same however many there are.
"""

import sys
from collections.abc import Callable
from functools import partial
from multiprocessing import Pool
from typing import Any, Final

from benchmarks.tracing_world import PLANS, SEEDS, SERVICES, US, Plan, able, filed, stricken, through_file, trial
from engines.sim import faults
from engines.sim.random import Stream
from engines.tracing.judge import judge
from engines.tracing.topology import DATABASE, SERVICE, Topology
from engines.tracing.verdicts import Trouble
from engines.tracing.world import commands as c
from engines.tracing.world.engine import TracingEngine

LARGE: Final = 72
HEALTHY: Final = 3
"""Healthy systems for every system with a fault of one kind."""
TRAFFIC: Final = ("checkout", "product", "home", "mixed")
RATES: Final = (12, 15, 18, 25)
NAMED: Final = 3
"""Of two faults at once both are among the first so many verdicts."""

WEAK: Final = (
    Plan("slow", "slow service (x2)", (SERVICE,), lambda name: c.SlowService(name, 200), 8, 6, 15),
    Plan("slow", "slow service (x1.5)", (SERVICE,), lambda name: c.SlowService(name, 150), 8, 6, 15),
    Plan("loss", "packet loss, 1 %", (SERVICE,), lambda name: faults.Lose("*", name, 10_000), 3, 10, 15),
    Plan("lock", "lock held 5 ms", (DATABASE,), lambda name: c.Lock(name, 5_000), 8, 6, 18),
)
PAIRS: Final = (("slow", "retries"), ("header", "slow"), ("skew", "lost"), ("lock", "doubled"), ("slow", "slow"))
"""Two faults at once, each in a service of its own."""


def one(number: int, seed: int, services: int) -> bool:
    """A fault of one kind, one seed."""
    late = PLANS[number].kind == Trouble.LATE
    return (trial(number, seed) if late else through_file(number, seed, services))[2]


def weak(number: int, seed: int) -> tuple[bool, bool]:
    """A weak fault: whether it is named without a baseline, and with the time before it as one."""
    plan = WEAK[number]
    engine, _ = stricken(plan, seed)
    fault = next(iter(engine.injected.values()))
    spans = list(filed(engine))
    now = [span for span in spans if span.start_us >= plan.calm_s * US]
    before = [span for span in spans if span.start_us < plan.calm_s * US]
    found = (judge(spans, "a file").examination, judge(now, "now", baseline=before).examination)
    alone, against = (
        bool(each.verdicts) and (each.verdicts[0].kind, each.verdicts[0].service) == (fault.kind, fault.service)
        for each in found
    )
    return alone, against


def two(number: int, seed: int) -> bool:
    """Two faults at once: whether both are among the first verdicts."""
    plans = [next(plan for plan in PLANS if plan.kind == kind) for kind in PAIRS[number]]
    stream, topology = Stream(seed, f"two {number}"), Topology(seed, SERVICES)
    traffic = TRAFFIC[stream.below(3)]
    victims: list[str] = []
    for plan in plans:
        left = [name for name in able(topology, traffic, plan.roles) if name not in victims]
        if not left:
            return two(number, seed + 100_000)
        victims.append(left[stream.below(len(left))])
    config = (("services", SERVICES), ("traffic", traffic), ("rate", 15), ("store_spans", 100_000))
    engine = TracingEngine("head", seed, config)
    engine.run(6 * US, 1 << 60)
    engine.settle(6 * US)
    for plan, victim in zip(plans, victims, strict=True):
        commands = plan.inject(victim)
        for command in commands if isinstance(commands, tuple) else (commands,):
            engine.apply(command)
    engine.run(12 * US, 1 << 60)
    engine.apply(c.SetLoad("off", 0))
    engine.run(17 * US, 1 << 60)
    named = [(each.kind, each.service) for each in judge(filed(engine), "a file").examination.verdicts[:NAMED]]
    return all((fault.kind, fault.service) in named for fault in engine.injected.values())


def acquitted(seed: int) -> bool:
    """A healthy system: whether nothing is named."""
    config = (("services", SERVICES), ("traffic", TRAFFIC[seed % 4]), ("rate", RATES[seed // 4 % 4]))
    engine = TracingEngine("head", seed, (*config, ("store_spans", 100_000)))
    engine.run(12 * US, 1 << 60)
    return judge(filed(engine), "a file").examination.verdicts == ()


def _count(pool: Any, what: Callable[[int], Any], seeds: int, title: str) -> list[Any]:
    found = pool.map(what, range(seeds), chunksize=2)
    right = sum(any(each) if isinstance(each, tuple) else each for each in found)
    print(f"  {title}: {right} of {seeds}", file=sys.stderr, flush=True)
    return list(found)


def table(seeds: int = SEEDS) -> list[str]:
    """The tables for the README."""
    few = max(1, seeds // 3)
    lines = [
        f"| injected fault | 16 services, {seeds} systems | 72 services, {few} systems |",
        "| --- | ---: | ---: |",
    ]
    with Pool() as pool:
        for number, plan in enumerate(PLANS):
            small = sum(_count(pool, partial(one, number, services=SERVICES), seeds, plan.title))
            large = "" if plan.kind == Trouble.LATE else sum(
                _count(pool, partial(one, number, services=LARGE), few, f"{plan.title}, {LARGE} services")
            )  # fmt: skip
            note = ", in the simulation" if plan.kind == Trouble.LATE else ""
            lines.append(f"| {plan.title}{note} | {small} | {large} |")
        lines += ["", f"| weak fault, {few} systems | alone | with a baseline |", "| --- | ---: | ---: |"]
        for number, plan in enumerate(WEAK):
            found = _count(pool, partial(weak, number), few, plan.title)
            lines.append(f"| {plan.title} | {sum(each[0] for each in found)} | {sum(each[1] for each in found)} |")
        lines += ["", f"| two at once, {few} systems | both among the first {NAMED} |", "| --- | ---: |"]
        for number, pair in enumerate(PAIRS):
            found = _count(pool, partial(two, number), few, " and ".join(pair))
            lines.append(f"| {' and '.join(pair)} | {sum(found)} |")
        healthy = _count(pool, acquitted, HEALTHY * seeds, "healthy systems acquitted")
        lines += ["", f"Of {len(healthy)} healthy systems {len(healthy) - sum(healthy)} are accused."]
    return lines


if __name__ == "__main__":
    print("\n".join(table(*map(int, sys.argv[1:2]))))
