"""hash(key) mod n: the best spread there is, and the worst change.

With n -> n + 1 nodes a key stays only if both remainders agree: n/(n+1) of all keys move, and (n-1)/(n+1) of
them from one survivor to another, for nothing.
"""

from engines.sharding.batch import Batch, Key, raw
from engines.sharding.hashing.fast import hash64
from engines.sharding.strategies.base import Spot, Strategy, following


class Modulo(Strategy):
    """Nodes are numbered in the order they joined; a leave closes the gap."""

    name = "modulo"
    takes_weights = False

    def __init__(self, nodes: tuple[str, ...]) -> None:
        super().__init__(nodes)
        for node in nodes:
            self.join(node)

    def owner(self, key: Key) -> str:
        """The node whose number is the remainder."""
        return self._names[hash64(raw(key)) % len(self._names)]

    def owners(self, batch: Batch) -> list[str]:
        """The owner of every key."""
        names, n = self._names, len(self._names)
        return [names[h % n] for h in batch.hashes]

    def replicas(self, key: Key, rf: int) -> tuple[str, ...]:
        """The owner and the nodes with the next numbers."""
        self.check_rf(rf)
        return following(self._names, hash64(raw(key)) % len(self._names), rf)

    def join(self, node: str, weight: float = 1) -> None:
        """Give the node the next number."""
        self.check_join(node, weight)
        self.weights[node] = weight
        self._names = self.nodes

    def leave(self, node: str) -> None:
        """Remove the node; those behind it get lower numbers."""
        self.check_leave(node)
        del self.weights[node]
        self._names = self.nodes

    def locate(self, key: Key) -> Spot:
        """The remainder."""
        return Spot(slot=hash64(raw(key)) % len(self._names))
