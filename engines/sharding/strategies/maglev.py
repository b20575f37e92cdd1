"""Maglev: a table of prime size that the nodes fill in turns, each in its own order.

Node i prefers the entries (offset + j * skip) mod M for j = 0, 1, ...; offset = h1 mod M, skip = h2 mod (M-1) + 1,
and M being prime makes this a permutation. In every round each node takes the first entry of its list that is
still free, so loads differ by one entry; but a join also shifts a few entries between survivors.

With weights a node of the largest weight takes a turn in every round, the others in proportion.

Source: Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, section 3.4;
weights as Envoy's MaglevTable has them.
"""

from typing import Final

from engines.errors import UserError
from engines.sharding.batch import Batch, Key, raw
from engines.sharding.hashing.fast import hash64, hash64_pair
from engines.sharding.strategies.base import Spot, Strategy

TABLE: Final = 65_537
"""The paper's small table."""


def is_prime(number: int) -> bool:
    """By trial division: tables are small."""
    return number > 1 and all(number % d for d in range(2, int(number**0.5) + 1))


def fill(weights: dict[str, float], size: int) -> list[str]:
    """The lookup table of the paper's listing 1, for a prime size. Independent of the order of the nodes."""
    names = sorted(weights)
    heaviest = max(weights.values())
    place: list[int] = []
    skips: list[int] = []
    for name in names:
        first, second = hash64_pair(name)
        place.append(first % size)
        skips.append(second % (size - 1) + 1)
    table = [-1] * size
    due = [0.0] * len(names)
    filled = 0
    turn = 0
    while True:
        turn += 1
        for i, name in enumerate(names):
            if turn * weights[name] < due[i]:
                continue
            due[i] += heaviest
            at, skip = place[i], skips[i]
            while table[at] >= 0:
                at = (at + skip) % size
            table[at] = i
            place[i] = at
            filled += 1
            if filled == size:
                return [names[i] for i in table]


class Maglev(Strategy):
    """The table of a load balancer; every balancer computes the same one."""

    name = "maglev"

    def __init__(self, nodes: tuple[str, ...], size: int = TABLE) -> None:
        super().__init__(nodes)
        if not is_prime(size):
            raise UserError(f"maglev: a table of {size} entries: a prime number is needed, such as {TABLE}")
        self.size = size
        for node in nodes:
            self.check_join(node, 1)
            self._room()
            self.weights[node] = 1
        self.table = fill(self.weights, size)
        """table[entry] is the entry's node."""

    def owner(self, key: Key) -> str:
        """The node of the key's entry."""
        return self.table[hash64(raw(key)) % self.size]

    def owners(self, batch: Batch) -> list[str]:
        """The owner of every key."""
        table, size = self.table, self.size
        return [table[h % size] for h in batch.hashes]

    def replicas(self, key: Key, rf: int) -> tuple[str, ...]:
        """The first ``rf`` different nodes from the key's entry on. A node without an entry comes last."""
        self.check_rf(rf)
        found: list[str] = []
        start = hash64(raw(key)) % self.size
        for i in range(self.size):
            name = self.table[(start + i) % self.size]
            if name not in found:
                found.append(name)
                if len(found) == rf:
                    break
        found += [name for name in self.weights if name not in found]
        return tuple(found[:rf])

    def join(self, node: str, weight: float = 1) -> None:
        """Fill a new table."""
        self.check_join(node, weight)
        self._room()
        self.weights[node] = weight
        self.table = fill(self.weights, self.size)

    def leave(self, node: str) -> None:
        """Fill a new table."""
        self.check_leave(node)
        del self.weights[node]
        self.table = fill(self.weights, self.size)

    def locate(self, key: Key) -> Spot:
        """The table entry."""
        return Spot(slot=hash64(raw(key)) % self.size)

    def shares(self) -> dict[str, float]:
        """The part of the table that each node has."""
        return {node: self.table.count(node) / self.size for node in self.weights}

    def walks(self) -> None:
        """As many as the table has entries."""

    def _room(self) -> None:
        if len(self.weights) >= self.size:
            raise UserError(f"maglev: {len(self.weights) + 1} nodes in a table of {self.size}: take a larger prime")
