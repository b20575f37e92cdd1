"""Consistent hashing with bounded loads: a node at its capacity sends further keys clockwise to the next with room.

Capacity is c times the average, cap = ceil(c * total / n), so no node is ever more than c times as busy as the
mean, at the price of some keys moving between survivors when the capacity changes.

A key of weight w is w units of load, requests for instance. The node that takes its first unit owns it; units that
do not fit walk on. So even a key hotter than a whole node is served, by several, and the bound holds.
With weights that are no whole numbers there are no units to round up to: then cap = c * total / n.

Source: Mirrokni, Thorup, Zadimoghaddam, "Consistent Hashing with Bounded Loads", SODA 2018, section 1.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil, fsum
from typing import Final

from engines.errors import UserError
from engines.sharding.batch import Batch
from engines.sharding.strategies.base import VNODES_DEFAULT
from engines.sharding.strategies.circle import Circle
from engines.sharding.strategies.ring import Ring

FACTOR: Final = Fraction(5, 4)
"""c = 1.25, the paper's example and HAProxy's recommendation."""


class Filling:
    """One assignment in progress. Keys are placed in the order they come; equal orders give equal owners."""

    def __init__(self, circle: Circle, caps: dict[str, float]) -> None:
        self._circle = circle
        self.caps = caps
        self.loads: dict[str, float] = dict.fromkeys(caps, 0)
        """What every node has taken so far."""

    def place(self, position: int, weight: float = 1) -> str:
        """Place one key and return its owner. If all nodes are full, the first on the walk takes what is left."""
        owner = None
        for node in self._circle.walk(position):
            room = self.caps[node] - self.loads[node]
            if room <= 0:
                continue
            owner = owner or node
            taken = min(room, weight)
            self.loads[node] += taken
            weight -= taken
            if weight <= 0:
                return owner
        first = self._circle.owner(position)
        self.loads[first] += weight
        return owner or first

    def owners(self, batch: Batch) -> list[str]:
        """Place every key of a batch, in order."""
        if batch.weights is not None:
            return list(map(self.place, batch.hashes, batch.weights))
        tokens, names, caps, loads = self._circle.tokens, self._circle.names, self.caps, self.loads
        found: list[str] = []
        for position in batch.hashes:
            node = names[bisect_left(tokens, position)]
            if loads[node] + 1 <= caps[node]:
                loads[node] += 1
                found.append(node)
            else:
                found.append(self.place(position))
        return found


class Bounded(Ring):
    """A ring, and the bound c on the load of a node relative to its fair share."""

    def __init__(self, nodes: tuple[str, ...], vnodes: int = VNODES_DEFAULT, factor: Fraction | float = FACTOR) -> None:
        super().__init__(nodes, vnodes, name="bounded")
        if not 1 <= factor <= 1000:
            raise UserError(f"bounded: a load bound of {factor} times the mean: a number from 1 to 1000 is accepted")
        self.factor = Fraction(factor).limit_denominator(1_000_000)

    def caps(self, total: float, *, whole: bool = True) -> dict[str, float]:
        """The capacity of every node for a total load: ceil(c * total * share), without ceil if not ``whole``."""
        everybody = sum(map(Fraction, self.weights.values()))
        fair = {node: self.factor * Fraction(total) * Fraction(w) / everybody for node, w in self.weights.items()}
        rounding: Callable[[Fraction], float] = ceil if whole else float
        return {node: rounding(cap) for node, cap in fair.items()}

    def filling(self, total: float, *, whole: bool = True) -> Filling:
        """Empty nodes, waiting for keys that weigh ``total`` together."""
        return Filling(self.circle, self.caps(total, whole=whole))

    def owners(self, batch: Batch) -> list[str]:
        """The owners if these were all keys. ``owner`` is of a key alone: the node that takes it when all are idle."""
        weights: Sequence[float] = batch.weights if batch.weights is not None else (1,) * len(batch)
        return self.filling(fsum(weights), whole=all(float(w).is_integer() for w in weights)).owners(batch)
