"""What was served and what was acknowledged: the notebook of the checks and of the picture, not of the cluster.

No machine reads it. Nodes and clients only write down what they did, as a tracing probe in them would.
"""

from collections import deque
from typing import Final, NamedTuple

from engines.sim.clock import US_PER_S, Clock

WINDOW: Final = 5
"""Requests a second are counted over so many seconds."""
TOUCHED_MAX: Final = 8


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
        self.by_node: deque[dict[str, int]] = deque([{}], maxlen=WINDOW)
        self.by_key: deque[dict[str, int]] = deque([{}], maxlen=WINDOW)
        self.node_keys: dict[str, dict[str, int]] = {}
        self.redirects = 0
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
        nodes, keys = self.by_node[-1], self.by_key[-1]
        nodes[node] = nodes.get(node, 0) + 1
        keys[key] = keys.get(key, 0) + 1
        here = self.node_keys.setdefault(node, {})
        here[key] = here.get(key, 0) + 1
        if op == "put":
            self.stored[key] = None

    def roll(self) -> None:
        """Begin a new second if it is time; counts of single nodes are halved with it, so old heat fades."""
        second = self.clock.now_us // US_PER_S
        if second == self.second:
            return
        for _ in range(min(second - self.second, WINDOW)):
            self.by_node.append({})
            self.by_key.append({})
            self.node_keys = {
                node: kept
                for node, keys in self.node_keys.items()
                if (kept := {key: count - (count + 3) // 4 for key, count in keys.items() if count > 1})
            }
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

    def ops_by_node(self) -> dict[str, int]:
        """Requests over the whole window."""
        return _sum(self.by_node)

    def ops_by_key(self) -> dict[str, int]:
        """Requests over the whole window."""
        return _sum(self.by_key)

    def span_s(self) -> int:
        """How many seconds the window covers now."""
        return max(1, min(WINDOW, self.second + 1))


def _sum(counts: deque[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in counts:
        for name, count in part.items():
            total[name] = total.get(name, 0) + count
    return total
