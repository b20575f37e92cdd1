"""What was served, how fast, and what it cost. Machines write into it, and never read it."""

from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

from engines.units import PPM, US_PER_S

WINDOW_US: Final = 2 * US_PER_S
"""Rates and latencies on the screen are of the newest two seconds."""
KEPT: Final = 1_500
ROADS: Final = ("command", "query", "crud command", "crud query")


class Pace(NamedTuple):
    """What users got of one kind within the window."""

    road: str
    done: int
    per_s: int
    p50_us: int
    p99_us: int
    total: int


class Work(NamedTuple):
    """How busy a machine was within the window."""

    name: str
    jobs: int
    busy_ppm: int


class Meter:
    """Counts."""

    def __init__(self) -> None:
        self.calls: dict[str, deque[tuple[int, int]]] = {road: deque(maxlen=KEPT) for road in ROADS}
        """(when, how long it took) of the newest calls of each road, as users saw them."""
        self.totals: dict[str, int] = dict.fromkeys(ROADS, 0)
        self.jobs: dict[str, deque[tuple[int, int]]] = {}
        """(when, what it cost) of the newest jobs of each machine."""
        self.busy_us: dict[str, int] = {}
        """What each machine has worked, in all."""
        self.turned_away: dict[str, int] = {}
        self.stale = self.misses = self.waited_out = 0
        """Answers that were older than the truth; own writes that a user did not see; waits that timed out."""
        self.judged = 0
        """Answers that were compared with the truth."""

    def called(self, road: str, took_us: int, now_us: int) -> None:
        """A user has its answer."""
        self.calls[road].append((now_us, took_us))
        self.totals[road] += 1

    def worked(self, name: str, cost_us: int, now_us: int) -> None:
        """A machine takes something in hand."""
        self.busy_us[name] = self.busy_us.get(name, 0) + cost_us
        jobs = self.jobs.get(name)
        if jobs is None:
            jobs = self.jobs[name] = deque(maxlen=KEPT)
        jobs.append((now_us, cost_us))

    def pace(self, road: str, now_us: int) -> Pace:
        """The window of one road."""
        took = sorted(took for at, took in self.calls[road] if at > now_us - WINDOW_US)
        span = max(1, min(now_us, WINDOW_US))
        count = len(took)
        return Pace(
            road, count, (count * US_PER_S + span // 2) // span,
            took[(count - 1) // 2] if took else 0, took[(count * 99 - 1) // 100] if took else 0, self.totals[road],
        )  # fmt: skip

    def window(self, names: Iterable[str], now_us: int) -> int:
        """Jobs a second of some machines together."""
        jobs = sum(1 for name in names for at, _ in self.jobs.get(name, ()) if at > now_us - WINDOW_US)
        span = max(1, min(now_us, WINDOW_US))
        return (jobs * US_PER_S + span // 2) // span

    def work(self, name: str, now_us: int) -> Work:
        """The window of one machine."""
        jobs = busy_us = 0
        for at, cost in reversed(self.jobs.get(name, ())):
            if at <= now_us - WINDOW_US:
                break
            jobs += 1
            busy_us += cost
        span = max(1, min(now_us, WINDOW_US))
        return Work(name, jobs, min(PPM, busy_us * PPM // span))


__all__ = ["KEPT", "ROADS", "WINDOW_US", "Meter", "Pace", "Work"]
