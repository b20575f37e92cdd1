"""Consistent hashing: nodes and keys on one circle, a key belongs to the next node clockwise.

A node has many points, its virtual nodes: with v of them on each of n nodes the coefficient of variation of the
load is sqrt((n-1)/(n v + 1)) in the root mean square. The i-th point of ``n1`` is the hash of ``n1#i``.

Laws: a join moves keys only to the newcomer, a leave only the leaver's keys.

Source: Karger et al., STOC 1997; virtual nodes: Dynamo, DeCandia et al., SOSP 2007, section 6.2.
"""

from bisect import bisect_left
from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

from engines.sharding.batch import Batch
from engines.sharding.hashing.fast import hash64, hash64_many
from engines.sharding.strategies.base import VNODES_DEFAULT, Members, Spot, check_vnodes
from engines.sharding.strategies.circle import Circle

from_bytes = int.from_bytes
CIRCLE: Final = 1 << 64
"""Positions on the circle. Inside they are unsigned; ``Spot.token`` shows the same circle signed."""


def signed(position: int) -> int:
    """An unsigned 64-bit position as a signed one: the circle is the same, its seam lies elsewhere."""
    return position - CIRCLE if position >> 63 else position


class Ring(Members):
    """A circle of 64-bit hashes; a node of weight w has round(w * vnodes) points, at least one."""

    def __init__(self, nodes: tuple[str, ...], vnodes: int = VNODES_DEFAULT, *, name: str = "ring") -> None:
        super().__init__(name, nodes)
        check_vnodes(name, vnodes)
        self.vnodes = vnodes
        self._points: dict[str, list[int]] = {}
        self.circle = Circle({})
        for node in nodes:
            self._admit(node, 1)
        self.circle = Circle(self._points)

    def owner(self, key: bytes) -> str:
        """The node of the first point at or after the key's hash."""
        circle = self.circle  # ``hash64`` and ``Circle.owner``, written out: their calls would cost a quarter
        digest = blake2b(key, digest_size=8).digest()
        return circle.names[bisect_left(circle.tokens, from_bytes(digest, "little"))]

    def owners(self, batch: Batch) -> list[str]:
        """The owner of every key."""
        return self.circle.owners(batch.hashes)

    def replicas(self, key: bytes, rf: int) -> tuple[str, ...]:
        """The first ``rf`` different nodes clockwise."""
        self.check_rf(rf)
        return self.circle.distinct(hash64(key), rf)

    def join(self, node: str, weight: float = 1) -> None:
        """Put the node's points on the circle."""
        self._admit(node, weight)
        self.circle = Circle(self._points)

    def leave(self, node: str) -> None:
        """Take the node's points off the circle."""
        self.check_leave(node)
        del self.weights[node], self._points[node]
        self.circle = Circle(self._points)

    def locate(self, key: bytes) -> Spot:
        """The key's position, signed."""
        return Spot(token=signed(hash64(key)))

    @property
    def points(self) -> Mapping[str, list[int]]:
        """The points of every node, in the order of their labels; unsigned 64-bit."""
        return self._points

    def shares(self) -> dict[str, float]:
        """The exact part of the circle that each node owns; the sum is 1."""
        arcs = self.circle.arcs(CIRCLE)
        return {node: arcs.get(node, 0) / CIRCLE for node in self.weights}

    def _admit(self, node: str, weight: float) -> None:
        self.check_join(node, weight)
        self.weights[node] = weight
        label = node.encode()
        self._points[node] = hash64_many(
            [b"%b#%d" % (label, i) for i in range(max(1, round(weight * self.vnodes)))]
        ).tolist()
