"""What was served and what was acknowledged: the notebook of the checks and of the picture, not of the cluster.

No machine reads it. Nodes and clients only write down what they did, as a tracing probe in them would.
"""

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from engines.sharding.world.snapshot import WINDOW_S
from engines.sim.clock import Clock
from engines.units import US_PER_S

TOUCHED_MAX: Final = 8
SPAN_MIN_US: Final = US_PER_S // 4
"""The window of a run that has just begun."""
T = TypeVar("T")


class Serve(NamedTuple):
    """A node answered for a key as its owner."""

    node: str
    key: str
    op: str


class Ledger:
    """One notebook for a cluster."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.acked: dict[str, int] = {}
        """key -> the newest version that some client was told to be written."""
        self.stored: dict[str, None] = {}
        """Every key that some owner ever wrote."""
        self.fresh: list[Serve] = []
        """Since the last look of the checks."""
        self.misses: list[tuple[str, str, str, int, int]] = []
        """(client, node, key, version read, version acknowledged before it was asked)."""
        self.long_chains: list[tuple[str, str, tuple[str, ...]]] = []
        """(client, key, the answers) of requests that met more redirects than they may."""
        self.second = 0
        self.served: deque[dict[tuple[str, str], int]] = deque([{}], maxlen=WINDOW_S)
        """By second: requests for (node, key)."""
        self.redirects = 0
        self.moved = 0
        """Keys that were handed over to another owner."""
        self.failed = 0
        self.touched: dict[str, None] = {}
        """What ``you`` asked for, the newest last."""

    def begin(self, keys: tuple[str, ...]) -> None:
        """These keys are stored from the beginning, once written and acknowledged."""
        self.stored = dict.fromkeys(keys)
        self.acked = dict.fromkeys(keys, 1)

    def serve(self, node: str, key: str, op: str) -> None:
        """A node answers for a key."""
        self.roll()
        self.fresh.append(Serve(node, key, op))
        now = self.served[-1]
        now[node, key] = now.get((node, key), 0) + 1
        if op == "put":
            self.stored[key] = None

    def roll(self) -> None:
        """Begin a new second if it is time."""
        second = self.clock.now_us // US_PER_S
        for _ in range(min(second - self.second, WINDOW_S)):
            self.served.append({})
        self.second = second

    def floor(self, key: str) -> int:
        """The version a read that begins now must at least see."""
        return self.acked.get(key, 0)

    def ack(self, key: str, version: int) -> None:
        """A client learned that this is written."""
        if version > self.acked.get(key, 0):
            self.acked[key] = version

    def touch(self, key: str) -> None:
        """``you`` asked for it."""
        self.touched.pop(key, None)
        self.touched[key] = None
        while len(self.touched) > TOUCHED_MAX:
            del self.touched[next(iter(self.touched))]

    def ops(self) -> dict[tuple[str, str], int]:
        """Requests for (node, key) over the whole window."""
        return _sum(self.served, lambda pair: pair)

    def ops_by_node(self) -> dict[str, int]:
        """Requests over the whole window."""
        return _sum(self.served, lambda pair: pair[0])

    def ops_by_key(self) -> dict[str, int]:
        """Requests over the whole window."""
        return _sum(self.served, lambda pair: pair[1])

    def per_ks(self, count: int) -> int:
        """A count over the window as a rate, per 1,000 s. The window ends now, in the middle of its last second."""
        begins_us = max(0, self.second - len(self.served) + 1) * US_PER_S
        return count * 1_000 * US_PER_S // max(SPAN_MIN_US, self.clock.now_us - begins_us)


def _sum(counts: deque[dict[tuple[str, str], int]], name: Callable[[tuple[str, str]], T]) -> dict[T, int]:
    total: dict[T, int] = {}
    for part in counts:
        for pair, count in part.items():
            who = name(pair)
            total[who] = total.get(who, 0) + count
    return total
