"""Where one key lives, under every strategy: for people who compare with the system they run.

``cassandra`` gives each node one token, evenly spaced, and places replicas as SimpleStrategy does; ``ketama`` is the
ring of memcached clients with nodes of equal weight.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engines.errors import UserError
from engines.sharding.batch import KeySet
from engines.sharding.compare import STRATEGIES, make
from engines.sharding.keys import show
from engines.sharding.strategies.base import VNODES_DEFAULT, Strategy
from engines.sharding.strategies.cassandra import Cassandra
from engines.sharding.strategies.ketama import Ketama

LOCATABLE: Final = (*STRATEGIES, "cassandra", "ketama")


@dataclass(frozen=True, slots=True)
class Placement:
    """One key under one strategy."""

    key: bytes
    strategy: str
    slot: int | None
    """Redis slot, bucket, table entry or chunk, from 0; None where there is no such thing."""
    token: int | None
    """Position on the circle, signed 64-bit (ketama: unsigned 32-bit); None where there is no circle."""
    node: str
    replicas: tuple[str, ...]
    """The owner first."""

    def to_json(self) -> dict[str, Any]:
        """The record under its public names; bytes of the key that are no text are escaped."""
        return {
            "key": show(self.key),
            "strategy": self.strategy,
            "slot": self.slot,
            "token": self.token,
            "node": self.node,
            "replicas": list(self.replicas),
        }


def locate(
    keys: Iterable[bytes],
    nodes: tuple[str, ...],
    strategies: Sequence[str] = LOCATABLE,
    rf: int = 1,
    vnodes: int = VNODES_DEFAULT,
) -> Iterator[Placement]:
    """Every key in order, under every strategy in order. ``rf`` replicas including the owner.

    Range sharding chooses its chunks by the keys if they are a KeySet, else it cuts the alphabet. UserError at once
    for an unknown strategy and for more replicas than nodes.
    """
    built: list[Strategy] = []
    for name in dict.fromkeys(strategies):
        if name == "cassandra":
            built.append(Cassandra(nodes))
        elif name == "ketama":
            built.append(Ketama(nodes))
        elif name in STRATEGIES:
            built.append(make(name, nodes, vnodes, keys if isinstance(keys, KeySet) else None))
        else:
            raise UserError(f"no strategy is called {name!r}; one of {', '.join(LOCATABLE)} is accepted")
        built[-1].replicas(b"", rf)
    return (_place(strategy, key, rf) for key in keys for strategy in built)


def _place(strategy: Strategy, key: bytes, rf: int) -> Placement:
    spot = strategy.locate(key)
    replicas = strategy.replicas(key, rf)
    return Placement(key, strategy.name, spot.slot, spot.token, replicas[0], replicas)
