"""The ring of memcached clients: 160 points for each node of average weight, on a circle of 32 bits.

A node of weight w among n has floor(40 * n * w / sum(w)) digests, so with equal weights a join moves keys only to
the newcomer, and with others it may move a few more. libketama computes the floor with 32-bit floats, which can
lose a digest; here it is exact.

Source: libketama, ``ketama_create_continuum`` and ``ketama_get_server``.
"""

from fractions import Fraction

from engines.sharding.batch import Batch, Key, raw
from engines.sharding.hashing import ketama
from engines.sharding.strategies.base import Spot, Strategy
from engines.sharding.strategies.circle import Circle


class Ketama(Strategy):
    """Which server of a memcached client's list has a key."""

    name = "ketama"
    circle: Circle

    def __init__(self, nodes: tuple[str, ...]) -> None:
        super().__init__(nodes)
        for node in nodes:
            self.check_join(node, 1)
            self.weights[node] = 1
        self._rebuild()

    def owner(self, key: Key) -> str:
        """The node of the first point at or after the key's."""
        return self.circle.owner(ketama.position(raw(key)))

    def owners(self, batch: Batch) -> list[str]:
        """The owner of every key."""
        return self.circle.owners(map(ketama.position, batch.keys))

    def replicas(self, key: Key, rf: int) -> tuple[str, ...]:
        """The first ``rf`` different nodes clockwise."""
        self.check_rf(rf)
        return self.circle.distinct(ketama.position(raw(key)), rf)

    def join(self, node: str, weight: float = 1) -> None:
        """Put the node's points on the circle."""
        self.check_join(node, weight)
        self.weights[node] = weight
        self._rebuild()

    def leave(self, node: str) -> None:
        """Take the node's points off the circle."""
        self.check_leave(node)
        del self.weights[node]
        self._rebuild()

    def locate(self, key: Key) -> Spot:
        """The key's position, unsigned 32 bits."""
        return Spot(token=ketama.position(raw(key)))

    def _rebuild(self) -> None:
        total = sum(map(Fraction, self.weights.values()))
        average = ketama.DIGESTS * len(self.weights)
        self.circle = Circle(
            {node: ketama.points(node, max(1, int(average * Fraction(w) / total))) for node, w in self.weights.items()}
        )
