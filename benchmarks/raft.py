"""Raft under load with events and all invariants on, and what a seek costs.

Eight clients, each asking as soon as it is answered; the ratio to the bare kernel says what the algorithm, its
notes and its checks cost. The seek is measured on ten minutes of virtual time with the default workload.
"""

import random
import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.kernel import ours
from engines.consensus.pattern import PATTERN
from engines.consensus.raft.engine import RaftEngine
from engines.sim.timeline import Timeline
from engines.units import US_PER_S

TEN_MINUTES_US: Final = 600 * US_PER_S
SEEKS: Final = 60
ROUNDS: Final = 4


@dataclass(frozen=True, slots=True)
class Load:
    """Messages a second, the best of several rounds."""

    raft: float
    kernel: float
    events: int
    checks: int

    def lines(self) -> list[str]:
        """For people."""
        return [
            f"Raft, 5 nodes under load       {self.raft:>12,.0f} messages/s, {self.checks} checks after every event"
            "  (target: 100,000)",
            f"  against the bare kernel      {self.kernel / self.raft:>12.1f}x the time of a message",
        ]


def load() -> Load:
    """Messages a second with the next command sent as soon as the last is answered."""
    engine = RaftEngine(42, (("clients", 8), ("workload", "flood")))
    best = 0.0
    for _ in range(ROUNDS):
        before, start = engine.deliveries, time.perf_counter()
        until = engine.now_us + 15 * US_PER_S
        while engine.run(until, 512) == 512:
            pass
        best = max(best, (engine.deliveries - before) / (time.perf_counter() - start))
    checks = engine.check()
    assert all(check.ok for check in checks)
    return Load(best, ours(), engine.events_total, len(checks))


@dataclass(frozen=True, slots=True)
class Seek:
    """Seconds to go to a random position, and the memory that makes it quick."""

    median_s: float
    worst_s: float
    positions: int
    checkpoints: int
    checkpoint_bytes: int
    resident_bytes: int

    def lines(self) -> list[str]:
        """For people."""
        return [
            f"seek in ten minutes of Raft    {self.median_s * 1e3:>9.0f} ms median, {self.worst_s * 1e3:.0f} ms worst, "
            f"of {self.positions:,} positions",
            f"  checkpoints                  {self.checkpoints:>12} of {self.checkpoint_bytes / 1e6:.1f} MB together",
            f"  whole process                {self.resident_bytes / 1e6:>9.0f} MB at most  (target: below 150 MB)",
        ]


def seek() -> Seek:
    """In a process of its own, so that its memory is its own."""
    output = subprocess.run(
        [sys.executable, "-m", "benchmarks.raft"], capture_output=True, text=True, check=True
    ).stdout.split()
    median, worst, positions, checkpoints, size, resident = output
    return Seek(float(median), float(worst), int(positions), int(checkpoints), int(size), int(resident))


def _seek_here() -> Seek:
    timeline: Timeline[Any, Any] = Timeline(PATTERN.variants[0], 42)
    timeline.advance(TEN_MINUTES_US)
    chance = random.Random(42)
    seconds = []
    for _ in range(SEEKS):
        position = chance.randrange(timeline.branch.end_position)
        start = time.perf_counter()
        timeline.seek(position)
        timeline.snapshot()
        seconds.append(time.perf_counter() - start)
    kept = timeline.branch.checkpoints
    return Seek(
        statistics.median(seconds),
        max(seconds),
        timeline.branch.end_position,
        len(kept),
        sum(len(each.blob) for each in kept),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )


if __name__ == "__main__":
    found = _seek_here()
    print(
        found.median_s, found.worst_s, found.positions, found.checkpoints, found.checkpoint_bytes, found.resident_bytes
    )
