"""The traced system: simulated requests a second; and how faults are injected whose verdicts are judged elsewhere."""

import time
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, Final, NamedTuple

from engines.sim import faults
from engines.sim.random import Stream
from engines.tracing.formats import Format, read, write
from engines.tracing.judge import judge
from engines.tracing.spans import Span
from engines.tracing.topology import CACHE, DATABASE, SERVICE, Topology
from engines.tracing.verdicts import Verdict
from engines.tracing.world import commands as c
from engines.tracing.world.engine import TracingEngine
from engines.tracing.world.rules import LINK_JITTER_US, LINK_LATENCY_US
from engines.tracing.world.scoring import names
from engines.tracing.world.snapshot import Fault
from engines.tracing.world.users import FOCUS

US: Final = 1_000_000
SEEDS: Final = 100
SERVICES: Final = 16
ROUND_TRIP_US: Final = 2 * (LINK_LATENCY_US + LINK_JITTER_US // 2)


class Plan(NamedTuple):
    """How a kind of fault is injected: into whom, as what, and under which load."""

    kind: str
    title: str
    roles: tuple[str, ...]
    inject: Callable[[str], Any]
    """One command, or several."""
    calm_s: int
    """Traffic before the fault."""
    ill_s: int
    """And with it, until the verdict is taken."""
    rate: int
    rush_ppm: int = 0
    """Load from the fault on, as a share of what one connection of the victim's pool can do; 0: as before."""
    over_ms: int = 0
    """When it is thawed, after so long; 0: never."""


def _on_links(command: Callable[..., Any], *values: int) -> Callable[[str], Any]:
    """A fault of all links of a machine, both ways."""
    return lambda name: (command("*", name, *values), command(name, "*", *values))


PLANS: Final = (
    Plan("slow", "slow service (x10)", (SERVICE,), lambda name: c.SlowService(name, 1_000), 8, 4, 15),
    Plan("pool", "pool shrunk to 1", ("pool",), lambda name: c.ShrinkPool(name, 1), 6, 2, 30, 950_000),
    Plan("lock", "lock held 25 ms", (DATABASE,), lambda name: c.Lock(name, 25_000), 8, 5, 18),
    Plan("cache", "cold cache", (CACHE,), lambda name: c.ColdCache(name, 100_000), 4, 5, 15),
    Plan("loss", "packet loss, 10 %", (SERVICE,), lambda name: faults.Lose("*", name, 100_000), 3, 7, 15),
    Plan("retries", "retry amplification", (SERVICE, DATABASE), lambda name: c.Amplify(name, 300_000), 4, 6, 15),
    Plan("header", "header dropped", ("caller",), lambda name: c.DropHeader(name), 5, 5, 12),
    Plan("skew", "clock 80 ms off", (SERVICE, DATABASE), lambda name: faults.Skew(name, 80_000, 0), 4, 5, 12),
    Plan("lost", "30 % of the spans lost", (SERVICE, DATABASE), lambda name: c.LoseSpans(name, 300_000), 4, 5, 15),
    Plan("late", "spans 3 s late", (SERVICE, DATABASE), lambda name: c.LateSpans(name, 3 * US), 3, 8, 12),
    Plan(
        "doubled", "30 % of the messages doubled", (SERVICE, DATABASE), _on_links(faults.Duplicate, 300_000), 4, 5, 12
    ),
    Plan("crash", "crashed", (SERVICE, DATABASE), lambda name: faults.Crash(name), 5, 5, 12),
    Plan("freeze", "frozen for a second", (SERVICE, DATABASE), lambda name: faults.Freeze(name), 5, 5, 15, 0, 1_000),
    Plan("errors", "30 % errors, no retries", (SERVICE, DATABASE), lambda name: c.Amplify(name, 300_000, 1), 4, 5, 12),
    Plan("network", "60 ms on its links", (SERVICE,), _on_links(faults.Slow, 60_000, 5_000), 8, 4, 15),
)


def able(topology: Topology, traffic: str, roles: tuple[str, ...]) -> list[str]:
    """The services that each such request meets (what is asked on a miss only is not) and that can have the fault."""
    met: dict[str, None] = {}
    todo = [(entry.service, entry.operation) for entry in topology.entries if entry.operation == FOCUS[traffic]]
    while todo:
        service, operation = todo.pop()
        met[service] = None
        for stage in topology.by_name[service].operation(operation).stages:
            todo += [(call.dst, call.operation) for call in stage if not call.only_on_miss]
    found = []
    for name in met:
        service_of = topology.by_name[name]
        calls = any(
            topology.by_name[call.dst].role in (SERVICE, DATABASE, CACHE)
            for operation in service_of.operations for stage in operation.stages for call in stage
        )  # fmt: skip
        has = {service_of.role, "pool" if service_of.pool_of in met else "", "caller" if calls else ""}
        if has & set(roles):
            found.append(name)
    return sorted(found)


def stricken(plan: Plan, seed: int, services: int = SERVICES) -> tuple[TracingEngine, str]:
    """A system that traffic ran through, before the fault and with it; and what it was, for people."""
    stream = Stream(seed, f"trial {plan.kind}")
    topology = Topology(seed, services)
    ways = [traffic for traffic in ("checkout", "product", "home") if able(topology, traffic, plan.roles)]
    traffic = ways[stream.below(len(ways))]
    victims = able(topology, traffic, plan.roles)
    victim = victims[stream.below(len(victims))]
    config = (("services", services), ("traffic", traffic), ("rate", plan.rate), ("store_spans", 100_000))
    engine = TracingEngine("head", seed, config)
    engine.run(plan.calm_s * US, 1 << 60)
    engine.settle(plan.calm_s * US)
    commands = plan.inject(victim)
    for command in commands if isinstance(commands, tuple) else (commands,):
        engine.apply(command)
    if plan.over_ms:
        over_us = plan.calm_s * US + plan.over_ms * 1_000
        engine.run(over_us, 1 << 60)
        engine.settle(over_us)
        engine.apply(faults.Thaw(victim))
    if plan.rush_ppm:
        database = topology.by_name[topology.by_name[victim].pool_of]
        held_us = max(operation.work_us for operation in database.operations) + ROUND_TRIP_US
        engine.apply(c.SetLoad("steady", plan.rush_ppm // held_us))
    until_us = (plan.calm_s + plan.ill_s) * US
    engine.run(until_us, 1 << 60)
    engine.apply(c.SetLoad("off", 0))
    engine.run(until_us + 5 * US, 1 << 60)
    engine.tick()
    return engine, f"{traffic}: {victim}"


def trial(number: int, seed: int) -> tuple[int, int, bool, str]:
    """One fault, one seed: whether the first verdict names it, and what was said."""
    engine, who = stricken(PLANS[number], seed)
    fault = next(iter(engine.injected.values()))
    return number, seed, *_judged(engine.findings.verdicts, fault, who)


def through_file(number: int, seed: int, services: int = SERVICES) -> tuple[int, int, bool, str]:
    """The same from a FILE: the spans are written as OTLP JSON, read again and judged."""
    engine, who = stricken(PLANS[number], seed, services)
    fault = next(iter(engine.injected.values()))
    return number, seed, *_judged(judge(filed(engine), "a file").examination.verdicts, fault, who)


def filed(engine: TracingEngine) -> Iterator[Span]:
    """The spans that the collector holds, written to a file and read again."""
    store = engine.collector().store
    spans = [span for trace_id in store.trace_ids() for span in store.trace(trace_id)]
    return read(BytesIO(b"".join(write(spans, Format.OTLP_LINES))), "a file")


def _judged(verdicts: tuple[Verdict, ...], fault: Fault, who: str) -> tuple[bool, str]:
    said = verdicts[:1]
    told = f"{said[0].kind} {said[0].service}" if said else "nothing"
    return bool(said) and names(said[0], fault), f"{who}; said {told}"


class Pace(NamedTuple):
    """How fast the simulation is."""

    requests_per_s: int
    """Of processor time, which is wall time on a quiet machine."""
    spans_per_request: int
    us_per_step: int


def pace() -> Pace:
    """Requests through 72 services, with full spans and the diagnosis of every second."""
    engine = TracingEngine("head", 42, (("services", 72), ("rate", 20)))
    engine.run(2 * US, 1 << 60)
    sent, spans, started = engine.users().sent, engine.collector().received, time.process_time()
    steps = engine.run(22 * US, 1 << 60)
    took = time.process_time() - started
    requests = engine.users().sent - sent
    spans = engine.collector().received - spans
    return Pace(round(requests / took), spans // requests, round(took * 1_000_000 / steps))


def lines() -> list[str]:
    """For ``make bench``."""
    found = pace()
    return [
        f"tracing: {found.requests_per_s} simulated requests a second through 72 services, "
        f"{found.spans_per_request} spans each; {found.us_per_step} us a step"
    ]
