"""Consistent hashing with bounded loads: a node at its capacity sends further keys clockwise to the next with room.

Capacity is c times the average, cap = ceil(c * total / n), so no node is ever more than c times as busy as the
mean, at the price of some keys moving between survivors when the capacity changes.

One key lives on one node, whatever it weighs. A key of weight w (requests, say) goes to the first node of its walk
that has room for all of w; one that fits nowhere goes to the node with the most room, the first of its walk if several
have as much. So the bound holds but for single keys that are too heavy for it: such a key has a node to itself as far
as possible, and the others keep away. Lines that repeat a key are one key with the sum of their weights.
With weights that are no whole numbers there are no units to round up to: then cap = c * total / n.

Source: Mirrokni, Thorup, Zadimoghaddam, "Consistent Hashing with Bounded Loads", SODA 2018, section 1.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from math import ceil, fsum
from types import MappingProxyType
from typing import Final, Self

from engines.errors import UserError
from engines.sharding.batch import Batch
from engines.sharding.strategies.base import FACTOR, VNODES_DEFAULT, Names, Spec
from engines.sharding.strategies.circle import Circle
from engines.sharding.strategies.ring import Ring

NONE: Final[Mapping[int, float]] = MappingProxyType({})


def repeated(hashes: Sequence[int], weights: Callable[[], Iterable[float]]) -> dict[int, float]:
    """The keys that come more than once, by their hash, each with the sum of its weights.

    Some two million are looked at together, which bounds the memory; ``weights`` gives those of all keys anew.
    """
    found: dict[int, float] = {}
    parts = 1 + len(hashes) // 2_000_000
    for part in range(parts):
        once: set[int] = set()
        for number in hashes:
            if number % parts == part:
                if number in once:
                    found[number] = 0
                once.add(number)
    if found:
        for number, weight in zip(hashes, weights(), strict=True):
            if number in found:
                found[number] += weight
    return found


class Filling:
    """One assignment in progress. Keys are placed in the order they come; equal orders give equal owners."""

    def __init__(self, circle: Circle, caps: dict[str, float], repeats: Mapping[int, float]) -> None:
        self._circle = circle
        self._repeats = repeats
        self._placed: dict[int, str] = {}
        """Where the keys are that come again."""
        self.caps = caps
        self.loads: dict[str, float] = dict.fromkeys(caps, 0)
        """What every node has taken so far."""

    def place(self, position: int, weight: float = 1) -> str:
        """Place one key, or find again the one that was placed, and return its owner."""
        if position not in self._repeats:
            return self._take(position, weight)
        if position not in self._placed:
            self._placed[position] = self._take(position, self._repeats[position])
        return self._placed[position]

    def _take(self, position: int, weight: float) -> str:
        """The first node of the walk with room for all of it, else the first of those with the most room."""
        best, most = "", 0.0
        seen: dict[str, None] = {}
        for node in self._circle.walk(position):
            if node in seen:
                continue
            seen[node] = None
            room = self.caps[node] - self.loads[node]
            if room >= weight:
                best = node
                break
            if not best or room > most:
                best, most = node, room
            if len(seen) == len(self.caps):
                break
        self.loads[best] += weight
        return best

    def owners(self, batch: Batch) -> list[str]:
        """Place every key of a batch, in order."""
        if batch.weights is not None:
            return list(map(self.place, batch.hashes, batch.weights))
        tokens, names, caps, loads, repeats = (
            self._circle.tokens, self._circle.names, self.caps, self.loads, self._repeats,
        )  # fmt: skip
        found: list[str] = []
        for position in batch.hashes:
            node = names[bisect_left(tokens, position)]
            if loads[node] + 1 <= caps[node] and position not in repeats:
                loads[node] += 1
                found.append(node)
            else:
                found.append(self.place(position))
        return found


class Bounded(Ring):
    """A ring, and the bound c on the load of a node relative to its fair share."""

    name = "bounded"
    needs_whole_load = True

    def __init__(self, nodes: tuple[str, ...], vnodes: int = VNODES_DEFAULT, factor: Fraction | float = FACTOR) -> None:
        super().__init__(nodes, vnodes)
        if not 1 <= factor <= 1000:
            raise UserError(f"bounded: a load bound of {factor} times the mean: a number from 1 to 1000 is accepted")
        self.factor = Fraction(factor).limit_denominator(1_000_000)

    def caps(self, total: float, *, whole: bool = True) -> dict[str, float]:
        """The capacity of every node for a total load: ceil(c * total * share), without ceil if not ``whole``."""
        everybody = sum(map(Fraction, self.weights.values()))
        fair = {node: self.factor * Fraction(total) * Fraction(w) / everybody for node, w in self.weights.items()}
        rounding: Callable[[Fraction], float] = ceil if whole else float
        return {node: rounding(cap) for node, cap in fair.items()}

    @classmethod
    def build(cls, nodes: Names, spec: Spec) -> Self:
        """With so many virtual nodes and this bound."""
        return cls(nodes, spec.vnodes, spec.factor)

    def walks(self) -> None:
        """A key may be pushed on to any node."""

    def moves_least(self, leave: Names) -> bool:
        """No: the bound itself moves."""
        return False

    def directory(self, weights: Mapping[bytes, int]) -> dict[bytes, str]:
        """The owners of all these keys; the heavy ones are placed first, and leave their nodes less room."""
        keys = sorted(weights, key=lambda key: (-weights[key], key))
        return dict(zip(keys, self.owners(Batch(keys, [weights[key] for key in keys])), strict=True))

    def assignment(self, total: float, *, whole: bool = True, repeats: Mapping[int, float] = NONE) -> Filling:
        """Empty nodes with their capacities."""
        return Filling(self.circle, self.caps(total, whole=whole), repeats)

    def owners(self, batch: Batch) -> list[str]:
        """The owners if these were all keys. ``owner`` is of a key alone: the node that takes it when all are idle."""
        weights: Sequence[float] = batch.weights if batch.weights is not None else (1,) * len(batch)
        whole = all(float(w).is_integer() for w in weights)
        repeats = repeated(batch.hashes, lambda: weights)
        return self.assignment(fsum(weights), whole=whole, repeats=repeats).owners(batch)
