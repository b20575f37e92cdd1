"""Random worlds of PBFT: faults of every kind and traitors within the fault model, then healing and a quiet time."""

from typing import Any, Final, NamedTuple

from engines.consensus.pbft import commands as c
from engines.consensus.pbft.engine import ACTS, PbftEngine
from engines.sim import faults
from engines.sim.pattern import Config
from engines.sim.random import Stream

SIZES: Final = (4, 4, 7, 10)
STEPS: Final = 24
QUIET_US: Final = 12_000_000
"""Longer than a request takes after healing; the bound that is promised is longer still."""


class World(NamedTuple):
    """What was drawn, and the run at its end."""

    engine: PbftEngine
    traitors: tuple[str, ...]
    open: tuple[str, ...]
    """Clients that still wait for an answer, after the quiet time."""

    @property
    def red(self) -> dict[str, str]:
        """The checks that failed, and what broke them."""
        return {check.name: check.detail for check in self.engine.check() if not check.ok}


def world(seed: int, config: Config = (), more: int = 0, acts: tuple[str, ...] = ACTS) -> World:
    """Up to f traitors, ``more`` than f if that is asked for; links, clocks, disks, crashes; then all is healed."""
    stream = Stream(seed, "world")
    size = SIZES[stream.below(len(SIZES))]
    load = ("light", "busy", "flood")[stream.below(3)]
    engine = PbftEngine(seed, (("nodes", size), ("workload", load), *config))
    names = list(engine.servers)
    count = engine.group.f + more if more else stream.below(engine.group.f + 1)
    first = stream.below(size)
    traitors = tuple(names[(first + place) % size] for place in range(count))

    def misbehave(node: str) -> None:
        engine.apply(c.SetAct(node, acts[stream.below(len(acts))], True))

    for node in traitors:
        for _ in range(1 + stream.below(3)):
            misbehave(node)
    for _ in range(STEPS):
        engine.run(engine.now_us + stream.below(300_000), 1 << 30)
        engine.apply(fault(stream, names))
        if traitors and not stream.below(4):
            misbehave(traitors[stream.below(len(traitors))])
    engine.apply(faults.Heal())
    engine.apply(c.SetWorkload("off"))
    engine.run(engine.now_us + QUIET_US, 1 << 30)
    return World(engine, traitors, tuple(client for client, _ in engine.history.open))


def fault(stream: Stream, names: list[str]) -> Any:
    """Something that goes wrong, or is mended."""
    a, b = names[stream.below(len(names))], names[stream.below(len(names))]
    choices = (
        faults.Lose(a, b, 300_000), faults.Duplicate(a, "*", 300_000), faults.Reorder(a, "*", 300_000),
        faults.Slow(a, b, 60_000, 60_000), faults.Cut(a, b), faults.Crash(a), faults.Restart(a), faults.Restart(b),
        faults.Freeze(a), faults.Thaw(a), faults.Isolate(a), faults.Reconnect(a), faults.SlowDisk(a, 20_000),
        faults.Heal(),
    )  # fmt: skip
    return choices[stream.below(len(choices))]
