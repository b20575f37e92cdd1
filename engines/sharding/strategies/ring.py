"""Consistent hashing: nodes and keys on one circle, a key belongs to the next node clockwise.

A node has many points, its virtual nodes: with v of them on each of n nodes the coefficient of variation of the
load is sqrt((n-1)/(n v + 1)) in the root mean square. The i-th point of ``n1`` is the hash of ``n1#i``.

Laws: a join moves keys only to the newcomer, a leave only the leaver's keys.

Source: Karger et al., STOC 1997; virtual nodes: Dynamo, DeCandia et al., SOSP 2007, section 6.2.
"""

from bisect import bisect_left
from collections.abc import Hashable, Iterator, Mapping
from hashlib import blake2b
from typing import Final, Self

from engines.sharding.batch import Batch, Key, raw
from engines.sharding.hashing.fast import hash64, hash64_many
from engines.sharding.strategies.base import FACTOR, VNODES_DEFAULT, Names, Spec, Spot, Strategy, check_vnodes
from engines.sharding.strategies.circle import Circle

from_bytes = int.from_bytes
CIRCLE: Final = 1 << 64
"""Positions on the circle. Inside they are unsigned; ``Spot.token`` shows the same circle signed."""


def signed(position: int) -> int:
    """An unsigned 64-bit position as a signed one: the circle is the same, its seam lies elsewhere."""
    return position - CIRCLE if position >> 63 else position


class Ring(Strategy):
    """A circle of 64-bit hashes; a node of weight w has round(w * vnodes) points, at least one."""

    name = "ring"
    circle: Circle

    def __init__(self, nodes: tuple[str, ...], vnodes: int = VNODES_DEFAULT) -> None:
        super().__init__(nodes)
        check_vnodes(self.name, vnodes)
        self.vnodes = vnodes
        self._points: dict[str, list[int]] = {}
        for node in nodes:
            self._admit(node, 1)
        self.circle = Circle(self._points)

    def owner(self, key: Key) -> str:
        """The node of the first point at or after the key's hash."""
        circle = self.circle  # ``hash64`` and ``Circle.owner``, written out: their calls would cost a quarter
        digest = blake2b(key if isinstance(key, bytes) else raw(key), digest_size=8).digest()
        return circle.names[bisect_left(circle.tokens, from_bytes(digest, "little"))]

    def owners(self, batch: Batch) -> list[str]:
        """The owner of every key."""
        return self.circle.owners(batch.hashes)

    def replicas(self, key: Key, rf: int) -> tuple[str, ...]:
        """The first ``rf`` different nodes clockwise."""
        self.check_rf(rf)
        return self.circle.distinct(hash64(raw(key)), rf)

    def join(self, node: str, weight: float = 1) -> None:
        """Put the node's points on the circle."""
        self._admit(node, weight)
        self.circle.add(node, self._points[node])

    def leave(self, node: str) -> None:
        """Take the node's points off the circle."""
        self.check_leave(node)
        del self.weights[node]
        self.circle.remove(node, self._points.pop(node), self._points)

    def locate(self, key: Key) -> Spot:
        """The key's position, signed."""
        return Spot(token=signed(hash64(raw(key))))

    @property
    def points(self) -> Mapping[str, list[int]]:
        """The points of every node, in the order of their labels; unsigned 64-bit."""
        return self._points

    def shares(self) -> dict[str, float]:
        """The exact part of the circle that each node owns; the sum is 1."""
        arcs = self.circle.arcs(CIRCLE)
        return {node: arcs.get(node, 0) / CIRCLE for node in self.weights}

    @classmethod
    def build(cls, nodes: Names, spec: Spec) -> Self:
        """With so many virtual nodes."""
        return cls(nodes, spec.vnodes)

    def with_vnodes(self, vnodes: int) -> Self:
        """The same members with so many points each."""
        return self.of(self.weights, Spec(vnodes, self.factor or FACTOR))

    @classmethod
    def of(cls, weights: Mapping[str, float], spec: Spec) -> Self:
        """A ring of these nodes with these weights."""
        ring = cls.build(tuple(weights), spec)
        for node, weight in weights.items():
            if weight != 1:
                ring._place(node, weight)
        ring.circle = Circle(ring._points)
        return ring

    def mark(self) -> Hashable:
        """The members with their weights, and the points of each; what stands on a ring may know more."""
        return (self.vnodes, tuple(self.weights.items())) if type(self) is Ring else None

    def pieces(self, node: str) -> int:
        """Its points."""
        return len(self._points.get(node, ()))

    def walks(self) -> Iterator[Names] | None:
        """From every point once around."""
        return (self.circle.distinct(token, len(self.weights)) for token in self.circle.tokens)

    def moves_least(self, leave: Names) -> bool:
        """Always: points do not depend on each other."""
        return True

    def _admit(self, node: str, weight: float) -> None:
        self.check_join(node, weight)
        self._place(node, weight)

    def _place(self, node: str, weight: float) -> None:
        self.weights[node] = weight
        label = node.encode()
        self._points[node] = hash64_many(
            [b"%b#%d" % (label, i) for i in range(max(1, round(weight * self.vnodes)))]
        ).tolist()
