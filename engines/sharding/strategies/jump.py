"""Jump consistent hash: no table at all, buckets are numbered 0 to n-1, and only the last one can go.

As n grows a key jumps from bucket to bucket, each time to the newest with the probability 1/n; the loop visits
only the jumps, ln n of them. A join appends a bucket and moves keys only there; the last bucket's leave is the
exact reverse. A node in the middle cannot be removed, only replaced: the last bucket's node takes over the number
of the leaver. Then the leaver's keys go to that node, and that node's own keys spread over all: of n nodes
1/n + (1/n)(n-2)/(n-1) of the keys move, nearly twice the ideal.

Source: Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash Algorithm", 2014, figure 1.
"""

from typing import Final

from engines.sharding.batch import Batch, Key, raw
from engines.sharding.hashing.fast import hash64
from engines.sharding.strategies.base import Names, Spot, Strategy, following

LCG: Final = 2862933555777941757
MASK64: Final = (1 << 64) - 1


def jump(key: int, buckets: int) -> int:
    """The bucket, 0 to buckets - 1, of an unsigned 64-bit key."""
    b, j = -1, 0
    while j < buckets:
        b = j
        key = (key * LCG + 1) & MASK64
        j = int((b + 1) * (2147483648.0 / ((key >> 33) + 1)))
    return b


class Jump(Strategy):
    """Nodes by bucket number."""

    name = "jump"
    takes_weights = False

    def __init__(self, nodes: tuple[str, ...]) -> None:
        super().__init__(nodes)
        self._buckets: list[str] = []
        for node in nodes:
            self.join(node)

    @property
    def nodes(self) -> tuple[str, ...]:
        """The members in the order of their buckets."""
        return tuple(self._buckets)

    def owner(self, key: Key) -> str:
        """The node of the key's bucket."""
        return self._buckets[jump(hash64(raw(key)), len(self._buckets))]

    def owners(self, batch: Batch) -> list[str]:
        """The owner of every key."""
        buckets, n = self._buckets, len(self._buckets)
        found: list[str] = []
        for key in batch.hashes:  # the loop of ``jump``, written out: a call for each key costs half as much again
            b = j = 0
            while j < n:
                b = j
                key = (key * LCG + 1) & MASK64
                j = int((b + 1) * (2147483648.0 / ((key >> 33) + 1)))
            found.append(buckets[b])
        return found

    def replicas(self, key: Key, rf: int) -> tuple[str, ...]:
        """The owner and the nodes of the next buckets."""
        self.check_rf(rf)
        return following(self.nodes, jump(hash64(raw(key)), len(self._buckets)), rf)

    def join(self, node: str, weight: float = 1) -> None:
        """Append a bucket."""
        self.check_join(node, weight)
        self.weights[node] = weight
        self._buckets.append(node)

    def leave(self, node: str) -> None:
        """Remove the last bucket; if it was not the leaver's, its node takes over the leaver's bucket."""
        self.check_leave(node)
        del self.weights[node]
        last = self._buckets.pop()
        if last != node:
            self._buckets[self._buckets.index(node)] = last

    def moves_least(self, leave: Names) -> bool:
        """As long as it is the last buckets that go."""
        return not leave or self.nodes[-len(leave) :] == leave

    def locate(self, key: Key) -> Spot:
        """The bucket."""
        return Spot(slot=jump(hash64(raw(key)), len(self._buckets)))
