"""How often the first verdict is right, from FILES alone: faults, weak faults, two at once, and healthy systems.

    python -m benchmarks tracing-verdicts        (all of it, which takes an hour of two cores)
    python -m benchmarks.tracing_verdicts [PART ...] [--systems N] [--first SEED] [--services N ...] [--jobs N]

A part is a kind of fault, or ``weak``, ``two``, ``healthy``; rows come as they are counted, and what is not as it
should be is told with its seed on standard error.

For every kind of fault and every seed a system of its own is made, traffic runs, the fault is injected into a service
that the seed picks; then the collector's spans are written as OTLP JSON and read again, and what is judged is that
file. There is no baseline but where a column says so: then the file of the time before the fault is the other one.
"Spans late" is judged in the simulation, because no file says when a span arrived. The tables are the same however many
processes there are.
"""

import argparse
import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import Pool
from typing import Any, Final, NamedTuple

from benchmarks.tracing_world import PLANS, SEEDS, SERVICES, US, Plan, able, filed, stricken, through_file, trial
from engines.sim import faults
from engines.sim.random import Stream
from engines.tracing.judge import judge
from engines.tracing.topology import DATABASE, SERVICE, Topology
from engines.tracing.verdicts import Trouble, Verdict
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


class Found(NamedTuple):
    """What came of one system."""

    seed: int
    right: tuple[bool, ...]
    """In every column."""
    said: str


def one(number: int, services: int, seed: int) -> Found:
    """A fault of one kind, one seed."""
    late = PLANS[number].kind == Trouble.LATE
    _, _, right, said = trial(number, seed) if late else through_file(number, seed, services)
    return Found(seed, (right,), said)


def weak(number: int, seed: int) -> Found:
    """A weak fault: whether it is named without a baseline, and with the time before it as one."""
    plan = WEAK[number]
    engine, who = stricken(plan, seed)
    fault = next(iter(engine.injected.values()))
    spans = list(filed(engine))
    now = [span for span in spans if span.start_us >= plan.calm_s * US]
    before = [span for span in spans if span.start_us < plan.calm_s * US]
    found = judge(spans, "a file"), judge(now, "now", baseline=before)
    first = [each.examination.verdicts[:1] for each in found]
    right = tuple([(each.kind, each.service) for each in some] == [(fault.kind, fault.service)] for some in first)
    return Found(seed, right, f"{who}; said {_named(first[0])}, with a baseline {_named(first[1])}")


def two(number: int, seed: int) -> Found:
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
    named = judge(filed(engine), "a file").examination.verdicts[:NAMED]
    known = [(each.kind, each.service) for each in named]
    right = all((fault.kind, fault.service) in known for fault in engine.injected.values())
    return Found(seed, (right,), f"{traffic}: {' and '.join(victims)}; said {_named(named)}")


def acquitted(seed: int) -> Found:
    """A healthy system: whether nothing is named."""
    traffic, rate = TRAFFIC[seed % 4], RATES[seed // 4 % 4]
    engine = TracingEngine(
        "head", seed, (("services", SERVICES), ("traffic", traffic), ("rate", rate), ("store_spans", 100_000))
    )
    engine.run(12 * US, 1 << 60)
    named = judge(filed(engine), "a file").examination.verdicts
    return Found(seed, (named == (),), f"{traffic} at {rate}/s; said {_named(named)}")


def _named(verdicts: Sequence[Verdict]) -> str:
    return ", ".join(f"{each.kind} {each.service}" for each in verdicts) or "nothing"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be counted."""

    parts: tuple[str, ...] = ()
    """Kinds of faults, ``weak``, ``two``, ``healthy``; none: all."""
    systems: int = SEEDS
    first: int = 0
    """The seed of the first system."""
    services: tuple[int, ...] = (SERVICES, LARGE)
    jobs: int | None = None
    """Processes; None: one a core."""

    def wants(self, part: str) -> bool:
        """Whether a part is to be counted."""
        return not self.parts or part in self.parts


class _Counter:
    """Counts over seeds, on processes."""

    def __init__(self, pool: Any, asked: Asked) -> None:
        self.pool, self.asked = pool, asked

    def right(self, title: str, what: Callable[[int], Found], systems: int) -> list[int]:
        """How many are right, by column."""
        found = []
        seeds = range(self.asked.first, self.asked.first + systems)
        for each in self.pool.imap(partial(_undisturbed, what), seeds):
            found.append(each.right)
            if not any(each.right):
                print(f"  {title}, seed {each.seed}: {each.said}", file=sys.stderr, flush=True)
        return [sum(column) for column in zip(*found, strict=True)]


def _undisturbed(what: Callable[[int], Found], seed: int) -> Found:
    """One system, without the garbage collector: what it would walk again and again is all still held."""
    gc.disable()
    found = what(seed)
    gc.enable()
    gc.collect()
    return found


def table(asked: Asked = Asked()) -> Iterator[str]:
    """The tables for the README, row by row."""
    systems = asked.systems
    with Pool(asked.jobs) as pool:
        counter = _Counter(pool, asked)
        kinds = [number for number, plan in enumerate(PLANS) if asked.wants(plan.kind)]
        if kinds:
            yield f"| injected fault, {systems} systems | {' | '.join(f'{each} services' for each in asked.services)} |"
            yield f"| --- | {' | '.join('---:' for _ in asked.services)} |"
        for number in kinds:
            yield _row(counter, number)
        if asked.wants("weak"):
            yield from ("", f"| weak fault, {systems} systems | alone | with a baseline |", "| --- | ---: | ---: |")
            for number, plan in enumerate(WEAK):
                alone, against = counter.right(plan.title, partial(weak, number), systems)
                yield f"| {plan.title} | {alone} | {against} |"
        if asked.wants("two"):
            yield from ("", f"| two at once, {systems} systems | both among the first {NAMED} |", "| --- | ---: |")
            for number, pair in enumerate(PAIRS):
                title = " and ".join(pair)
                yield f"| {title} | {counter.right(title, partial(two, number), systems)[0]} |"
        if asked.wants("healthy"):
            healthy = HEALTHY * systems
            accused = healthy - counter.right("healthy", acquitted, healthy)[0]
            yield from ("", f"Of {healthy} healthy systems {accused} are accused.")


def _row(counter: _Counter, number: int) -> str:
    """A kind of fault in systems of every size."""
    plan, late = PLANS[number], PLANS[number].kind == Trouble.LATE
    cells = []
    for services in counter.asked.services:
        title = f"{plan.title}, {services} services"
        skipped = late and services != SERVICES
        cells.append(
            "" if skipped else f"{counter.right(title, partial(one, number, services), counter.asked.systems)[0]}"
        )
    return f"| {plan.title}{', in the simulation' if late else ''} | {' | '.join(cells)} |"


def _asked() -> Asked:
    parts = [plan.kind for plan in PLANS] + ["weak", "two", "healthy"]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.tracing_verdicts")
    parser.add_argument("parts", metavar="PART", nargs="*", help=f"of {', '.join(parts)}; none: all")
    parser.add_argument("--systems", type=int, default=SEEDS)
    parser.add_argument("--first", type=int, default=0, help="the seed of the first system")
    parser.add_argument("--services", type=int, nargs="+", default=(SERVICES, LARGE))
    parser.add_argument("--jobs", type=int)
    given = parser.parse_args()
    if unknown := [part for part in given.parts if part not in parts]:
        parser.error(f"no such part: {unknown[0]}; one of {', '.join(parts)} is accepted")
    return Asked(tuple(given.parts), given.systems, given.first, tuple(given.services), given.jobs)


if __name__ == "__main__":
    for line in table(_asked()):
        print(line, flush=True)
