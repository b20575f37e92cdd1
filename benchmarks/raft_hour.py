"""What an hour of Raft takes: memory, and the cost of a step at its end beside that at its beginning.

Five servers, four busy clients, as the app keeps a run: with checkpoints, events, all checks, and the client history,
which is kept whole because it is judged. Logs are compacted, and so is what the checks remember. It runs in a process
of its own, so that its memory is its own.
"""

import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from engines.consensus.pattern import PATTERN
from engines.consensus.raft.engine import RaftEngine
from engines.sim.timeline import Timeline
from engines.units import US_PER_S

MINUTE_US: Final = 60 * US_PER_S
MINUTES: Final = 60
WINDOW: Final = 5
"""Minutes of virtual time over which the cost of a step is measured, at either end."""


@dataclass(frozen=True, slots=True)
class Hour:
    """Bytes and entries at the end of an hour, and seconds of real time."""

    resident_bytes: int
    resident_after_ten_bytes: int
    history_bytes: int
    entries: int
    longest_log: int
    later_over_earlier: float
    """Real time per message in the last minutes, as a share of that in the first."""

    def lines(self) -> list[str]:
        """For people."""
        mb = 1e6
        return [
            f"memory of an hour of Raft      {self.resident_bytes / mb:>9.0f} MB for the whole process, "
            f"{self.resident_after_ten_bytes / mb:.0f} MB after ten minutes  (target: below 100 MB)",
            f"  of that, client history      {self.history_bytes / mb:>9.1f} MB: it is kept whole",
            f"  entries committed            {self.entries:>12,}, the longest log holds {self.longest_log:,}",
            f"  a message, last five minutes {self.later_over_earlier:>12.2f}x the time of one in the first five",
        ]


def hour() -> Hour:
    """In a process of its own."""
    command = [sys.executable, "-m", "benchmarks.raft_hour"]
    numbers = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    resident, after_ten, history, entries, longest, ratio = numbers
    return Hour(int(resident), int(after_ten), int(history), int(entries), int(longest), float(ratio))


def lines() -> list[str]:
    """For people."""
    return hour().lines()


def _resident() -> int:
    """The peak of this process. What getrusage says may still be that of the process it was started from."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _engine(timeline: Timeline[Any, Any]) -> RaftEngine:
    engine = timeline.engine
    assert isinstance(engine, RaftEngine)
    return engine


def _hour_here() -> Hour:
    timeline: Timeline[Any, Any] = Timeline(PATTERN.variants[0], 42, (("clients", 4), ("workload", "busy")))
    costs = []
    after_ten = 0
    for minute in range(MINUTES):
        before, start = _engine(timeline).deliveries, time.process_time()
        timeline.advance((minute + 1) * MINUTE_US)
        costs.append((time.process_time() - start) / (_engine(timeline).deliveries - before))
        if minute == 9:
            after_ten = _resident()
    engine = _engine(timeline)
    assert all(check.ok for check in engine.check())
    servers = engine.servers
    return Hour(
        _resident(),
        after_ten,
        engine.history.tape.size,
        max(engine.raft(server).commit_index for server in servers),
        max(len(engine.hosts[server].disk.log) for server in servers),
        sum(costs[-WINDOW:]) / sum(costs[:WINDOW]),
    )


if __name__ == "__main__":
    found = _hour_here()
    print(
        found.resident_bytes, found.resident_after_ten_bytes, found.history_bytes, found.entries, found.longest_log,
        found.later_over_earlier,
    )  # fmt: skip
