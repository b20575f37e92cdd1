"""Rendezvous hashing: every node bids for a key, the highest bid wins, the next highest are the replicas.

A bid depends on the key and the bidder alone, so a newcomer wins keys for itself only and a leaver's keys go to
whoever bid next. No circle and no table; the price is one bid per node and key.

With weights a bid is -w / ln(u), u the hash in (0, 1): then the share of each node is exactly w / sum(w).

Source: Thaler and Ravishankar, "Using Name-Based Mappings to Increase Hit Rates", IEEE/ACM ToN 1998;
weights: Resch, "New Hashing Algorithms for Data Storage", SDC 2015.
"""

from math import log

from engines.sharding.batch import Batch, Key, raw
from engines.sharding.hashing.fast import MASK64, fold, hash64, hash64_pair
from engines.sharding.strategies.base import Names, Spot, Strategy


class Rendezvous(Strategy):
    """Bidders in the order of their names; of equal bids the smaller name wins."""

    name = "rendezvous"

    def __init__(self, nodes: tuple[str, ...]) -> None:
        super().__init__(nodes)
        self._bidders: list[tuple[str, int, int, float]] = []
        for node in nodes:
            self._admit(node, 1)
        self._arrange()

    def owner(self, key: Key) -> str:
        """The highest bidder."""
        bids = self._bids(hash64(raw(key)))
        return self._bidders[bids.index(max(bids))][0]

    def owners(self, batch: Batch) -> list[str]:
        """The owner of every key."""
        names = [bidder[0] for bidder in self._bidders]
        if self._weighted:
            return [names[bids.index(max(bids))] for bids in map(self._bids, batch.hashes)]
        pairs = [(first, second) for _, first, second, _ in self._bidders]
        found: list[str] = []
        for number in batch.hashes:  # ``fold``, written out
            bids = [((p := (number ^ first) * second) ^ p >> 64) & MASK64 for first, second in pairs]
            found.append(names[bids.index(max(bids))])
        return found

    def replicas(self, key: Key, rf: int) -> tuple[str, ...]:
        """The ``rf`` highest bidders, the highest first."""
        self.check_rf(rf)
        bids = self._bids(hash64(raw(key)))
        order = sorted(range(len(bids)), key=lambda i: -bids[i])
        return tuple(self._bidders[i][0] for i in order[:rf])

    def join(self, node: str, weight: float = 1) -> None:
        """One more bidder."""
        self._admit(node, weight)
        self._arrange()

    def leave(self, node: str) -> None:
        """One bidder less."""
        self.check_leave(node)
        del self.weights[node]
        self._bidders = [bidder for bidder in self._bidders if bidder[0] != node]
        self._arrange()

    def locate(self, key: Key) -> Spot:
        """There is no place but the owner."""
        return Spot()

    def walks(self) -> None:
        """Every permutation of the nodes."""

    def moves_least(self, leave: Names) -> bool:
        """Always: no bid depends on another bidder."""
        return True

    def _bids(self, number: int) -> list[float]:
        """All bids: whole numbers if all weights are equal, which keeps the order and is exact."""
        if not self._weighted:
            return [fold(number, first, second) for _, first, second, _ in self._bidders]
        return [
            -weight / log(((fold(number, first, second) >> 12) + 0.5) * 2.0**-52)
            for _, first, second, weight in self._bidders
        ]

    def _arrange(self) -> None:
        self._bidders.sort()
        self._weighted = len(set(self.weights.values())) > 1

    def _admit(self, node: str, weight: float) -> None:
        self.check_join(node, weight)
        self.weights[node] = weight
        first, second = hash64_pair(node)
        self._bidders.append((node, first, second | 1, weight))
