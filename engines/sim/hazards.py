"""The faults of any world, as hazards: machines that stop, networks that are cut in part or whole, links that are bad.

Each draws whom it hits and how hard (``Stage.severity``), and when it ends. Cuts are of every shape that has broken a
real system: two sides, one machine, one way, a bridge, a ring, a star.
"""

from typing import Final

from engines.sim import faults
from engines.sim.chaos import After, Chaos, Hazard, Stage, some
from engines.sim.random import Stream
from engines.units import US_PER_MS

# -- machines ----------------------------------------------------------------------------------------------------


def _crash(draw: Stream, stage: Stage) -> tuple[After, ...]:
    node = stage.machine(draw)
    return After(0, faults.Crash(node)), *stage.until(draw, faults.Restart(node))


def _crash_many(draw: Stream, stage: Stage) -> tuple[After, ...]:
    """Some servers at one moment, as when a rack loses its power."""
    down = some(draw, stage.servers)
    back = draw.between(1, stage.longest_us) if stage.longest_us else 0
    ends = tuple(After(back, faults.Restart(node)) for node in down) if back else ()
    return *(After(0, faults.Crash(node)) for node in down), *ends


def _restart(draw: Stream, stage: Stage) -> tuple[After, ...]:
    """A crash that lasts a moment: what was not durable is gone, and nobody noticed the absence."""
    node = stage.server(draw)
    return After(0, faults.Crash(node)), After(draw.below(20 * US_PER_MS), faults.Restart(node))


def _freeze(draw: Stream, stage: Stage) -> tuple[After, ...]:
    node = stage.machine(draw)
    return After(0, faults.Freeze(node)), *stage.until(draw, faults.Thaw(node))


def _skew(draw: Stream, stage: Stage) -> tuple[After, ...]:
    offset = (30, 300, 3_000)[stage.severity] * US_PER_MS
    drift = draw.pick((0, -500_000, -50_000, 50_000, 1_000_000)[: 3 + stage.severity])
    node = stage.server(draw)
    return After(0, faults.Skew(node, draw.between(-offset, offset), drift)), *stage.until(
        draw, faults.Skew(node, 0, 0)
    )


def _slow_disk(draw: Stream, stage: Stage) -> tuple[After, ...]:
    node = stage.server(draw)
    fsync_us = draw.pick((1, 5, 20, 60, 150)[: 3 + stage.severity]) * US_PER_MS
    return After(0, faults.SlowDisk(node, fsync_us)), *stage.until(draw, faults.SlowDisk(node, 0))


def _slow_disks(draw: Stream, stage: Stage) -> tuple[After, ...]:
    """Storage that several share takes its time."""
    fsync_us = draw.pick((20, 60, 150)) * US_PER_MS
    slow = some(draw, stage.servers) if draw.chance(500_000) else stage.servers
    end = draw.between(1, stage.longest_us) if stage.longest_us else 0
    ends = tuple(After(end, faults.SlowDisk(node, 0)) for node in slow) if end else ()
    return *(After(0, faults.SlowDisk(node, fsync_us)) for node in slow), *ends


# -- the network, cut in part or whole -----------------------------------------------------------------------------


def _partition(draw: Stream, stage: Stage) -> tuple[After, ...]:
    one = some(draw, stage.servers)
    other = tuple(each for each in stage.servers if each not in one)
    if not other:
        return ()
    return After(0, faults.Partition((one, other))), *stage.until(draw, faults.Mend("*", "*"))


def _isolate(draw: Stream, stage: Stage) -> tuple[After, ...]:
    node = stage.server(draw)
    return After(0, faults.Isolate(node)), *stage.until(draw, faults.Reconnect(node))


def _one_way(draw: Stream, stage: Stage) -> tuple[After, ...]:
    src, dst = stage.link(draw)
    return After(0, faults.Cut(src, dst)), *stage.until(draw, faults.Mend(src, dst))


def _cut_all(pairs: list[tuple[str, str]], draw: Stream, stage: Stage) -> tuple[After, ...]:
    """Cut these links in both directions, and mend them all at one moment."""
    known = frozenset(stage.links)
    ways = [way for one, other in pairs for way in ((one, other), (other, one)) if way in known]
    end = draw.between(1, stage.longest_us) if stage.longest_us else 0
    mends = tuple(After(end, faults.Mend(*way)) for way in ways) if end else ()
    return *(After(0, faults.Cut(*way)) for way in ways), *mends


def _bridge(draw: Stream, stage: Stage) -> tuple[After, ...]:
    """Two halves that reach each other through one server only."""
    order = _shuffled(draw, stage.servers)
    middle = len(order) // 2
    return _cut_all([(one, other) for one in order[:middle] for other in order[middle + 1 :]], draw, stage)


def _ring(draw: Stream, stage: Stage) -> tuple[After, ...]:
    """Every server reaches its two neighbours only: each sees a majority of five, and none the same."""
    order = _shuffled(draw, stage.servers)
    n = len(order)
    apart = [(order[i], order[j]) for i in range(n) for j in range(i + 2, n) if (i, j) != (0, n - 1)]
    return _cut_all(apart, draw, stage)


def _star(draw: Stream, stage: Stage) -> tuple[After, ...]:
    """Everybody reaches one server, and nobody else."""
    _, *leaves = _shuffled(draw, stage.servers)
    return _cut_all([(leaves[i], each) for i in range(len(leaves)) for each in leaves[i + 1 :]], draw, stage)


def _shuffled(draw: Stream, of: tuple[str, ...]) -> list[str]:
    left, order = list(of), []
    while left:
        order.append(left.pop(draw.below(len(left))))
    return order


# -- the network, bad ----------------------------------------------------------------------------------------------


def _share(draw: Stream, stage: Stage) -> int:
    return draw.pick((20_000, 50_000, 100_000, 300_000, 500_000, 800_000)[stage.severity : 4 + stage.severity])


def _lose(draw: Stream, stage: Stage) -> tuple[After, ...]:
    link = stage.link(draw)
    return After(0, faults.Lose(*link, _share(draw, stage))), *stage.until(draw, faults.Lose(*link, 0))


def _slow(draw: Stream, stage: Stage) -> tuple[After, ...]:
    most = (40, 150, 700)[stage.severity] * US_PER_MS
    return (After(0, faults.Slow(*stage.link(draw), draw.below(most), draw.below(most))),)


def _duplicate(draw: Stream, stage: Stage) -> tuple[After, ...]:
    link = stage.link(draw)
    return After(0, faults.Duplicate(*link, _share(draw, stage))), *stage.until(draw, faults.Duplicate(*link, 0))


def _reorder(draw: Stream, stage: Stage) -> tuple[After, ...]:
    link = stage.link(draw)
    return After(0, faults.Reorder(*link, _share(draw, stage))), *stage.until(draw, faults.Reorder(*link, 0))


def _clog(draw: Stream, stage: Stage) -> tuple[After, ...]:
    link = stage.link(draw)
    return After(0, faults.Clog(*link)), *stage.until(draw, faults.Unclog(*link))


def _heal(draw: Stream, stage: Stage) -> tuple[After, ...]:
    """A lull: some faults show only in what comes after them."""
    return (After(0, faults.Heal()),)


CRASH: Final = Hazard("crash", _crash, 3)
RACK: Final = Hazard("rack", _crash_many)
RESTART: Final = Hazard("restart", _restart)
FREEZE: Final = Hazard("freeze", _freeze, 2)
SKEW: Final = Hazard("skew", _skew)
SLOW_DISK: Final = Hazard("slow disk", _slow_disk)
SLOW_DISKS: Final = Hazard("slow disks", _slow_disks)
PARTITION: Final = Hazard("partition", _partition, 2)
ISOLATE: Final = Hazard("isolate", _isolate, 2)
ONE_WAY: Final = Hazard("one-way", _one_way, 2)
BRIDGE: Final = Hazard("bridge", _bridge)
RING: Final = Hazard("ring", _ring)
STAR: Final = Hazard("star", _star)
LOSE: Final = Hazard("loss", _lose, 2)
SLOW: Final = Hazard("delay", _slow, 2)
DUPLICATE: Final = Hazard("duplicate", _duplicate)
REORDER: Final = Hazard("reorder", _reorder)
CLOG: Final = Hazard("clog", _clog)
LULL: Final = Hazard("lull", _heal)

MACHINES: Final = (CRASH, RACK, RESTART, FREEZE)
CUTS: Final = (PARTITION, ISOLATE, ONE_WAY, BRIDGE, RING, STAR)
LINKS: Final = (LOSE, SLOW, DUPLICATE, REORDER, CLOG)
HAZARDS: Final = (*MACHINES, SKEW, SLOW_DISK, *CUTS, *LINKS, LULL)
"""All of them."""


def expire(*timers: str) -> Hazard:
    """Timers of several servers that run out at one moment."""

    def make(draw: Stream, stage: Stage) -> tuple[After, ...]:
        who = some(draw, stage.servers)
        return (After(0, faults.ExpireTimers(who, draw.pick(timers), draw.pick((0, 1_000, 30_000)))),)

    return Hazard("timers", make)


ANYTHING: Final = Chaos(HAZARDS)
"""For a variant that publishes nothing: whatever may befall a world, and no promise but its checks."""

__all__ = [
    "ANYTHING", "BRIDGE", "CLOG", "CRASH", "CUTS", "DUPLICATE", "FREEZE", "HAZARDS", "ISOLATE", "LINKS", "LOSE",
    "LULL", "MACHINES", "ONE_WAY", "PARTITION", "RACK", "REORDER", "RESTART", "RING", "SKEW", "SLOW", "SLOW_DISK",
    "SLOW_DISKS", "STAR", "expire",
]  # fmt: skip
