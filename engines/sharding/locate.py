"""Where one key lives, under every strategy: for people who compare with the system they run.

``cassandra`` gives each node one token, evenly spaced, and places replicas as SimpleStrategy does; ``ketama`` is the
ring of memcached clients with nodes of equal weight.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

from engines.errors import UserError
from engines.sharding.batch import KeySet
from engines.sharding.compare import STRATEGIES, filling, make
from engines.sharding.hashing.fast import hash64
from engines.sharding.keys import show
from engines.sharding.strategies.base import VNODES_DEFAULT, Strategy
from engines.sharding.strategies.bounded import Bounded, Filling
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

    If the keys are a KeySet, range sharding chooses its chunks by them and bounded loads fill up with them; else range
    cuts the alphabet and a bounded load sees each key alone. UserError at once for an unknown strategy and for more
    replicas than nodes.
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
    return _places(keys, tuple(built), rf)


def _places(keys: Iterable[bytes], built: tuple[Strategy, ...], rf: int) -> Iterator[Placement]:
    weights: Iterable[float] = repeat(1)
    fillings: dict[str, Filling] = {}
    if isinstance(keys, KeySet):
        weights = keys.weights()
        fillings = {each.name: filling(each, keys) for each in built if isinstance(each, Bounded)}
    for key, weight in zip(keys, weights, strict=False):
        for strategy in built:
            filled = fillings.get(strategy.name)
            yield _place(strategy, key, rf, filled.place(hash64(key), weight) if filled is not None else "")


def _place(strategy: Strategy, key: bytes, rf: int, owner: str) -> Placement:
    """``owner`` is that of a filling, or nothing: then the strategy says. The other replicas follow as they would."""
    spot = strategy.locate(key)
    replicas = strategy.replicas(key, rf)
    if owner:
        replicas = (owner, *(node for node in replicas if node != owner))[:rf]
    return Placement(key, strategy.name, spot.slot, spot.token, replicas[0], replicas)
