"""Where one key lives, under every strategy: for people who compare with the system they run.

``cassandra`` gives each node one token, evenly spaced, and places replicas as SimpleStrategy does; ``ketama`` is the
ring of memcached clients with nodes of equal weight.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any, Final

from engines.errors import UserError
from engines.sharding.batch import Key, KeySet, raw
from engines.sharding.compare import STRATEGIES, assignment, make
from engines.sharding.hashing.fast import hash64
from engines.sharding.keys import show
from engines.sharding.strategies.base import VNODES_DEFAULT, Assignment, Strategy
from engines.sharding.strategies.cassandra import Cassandra
from engines.sharding.strategies.ketama import Ketama

OTHERS: Final[dict[str, type[Strategy]]] = {kind.name: kind for kind in (Cassandra, Ketama)}
"""Rings of other systems: placed, but not compared."""
LOCATABLE: Final = (*STRATEGIES, *OTHERS)


@dataclass(frozen=True, slots=True)
class Location:
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
    keys: Iterable[Key],
    nodes: tuple[str, ...],
    strategies: Sequence[str] = LOCATABLE,
    rf: int = 1,
    vnodes: int = VNODES_DEFAULT,
) -> Iterator[Location]:
    """Every key in order, under every strategy in order. ``rf`` replicas including the owner.

    If the keys are a KeySet, range sharding chooses its chunks by them and bounded loads fill up with them; else range
    cuts the alphabet and a bounded load sees each key alone. UserError at once for an unknown strategy and for more
    replicas than nodes.
    """
    built: list[Strategy] = []
    for name in dict.fromkeys(strategies):
        if name in OTHERS:
            built.append(OTHERS[name](nodes))
        elif name in STRATEGIES:
            built.append(make(name, nodes, vnodes, keys if isinstance(keys, KeySet) else None))
        else:
            raise UserError(f"no strategy is called {name!r}; one of {', '.join(LOCATABLE)} is accepted")
        built[-1].replicas(b"", rf)
    return _places(keys, tuple(built), rf)


def _places(keys: Iterable[Key], built: tuple[Strategy, ...], rf: int) -> Iterator[Location]:
    weights: Iterable[float] = repeat(1)
    assigned: dict[str, Assignment | None] = {}
    if isinstance(keys, KeySet):
        weights = keys.weights()
        assigned = {each.name: assignment(each, keys) for each in built}
    for key, weight in zip(keys, weights, strict=False):
        for strategy in built:
            found = assigned.get(strategy.name)
            yield _place(strategy, key, rf, found.place(hash64(raw(key)), weight) if found is not None else "")


def _place(strategy: Strategy, key: Key, rf: int, owner: str) -> Location:
    """``owner`` is that of an assignment, or nothing: then the strategy says. The other replicas stay."""
    spot = strategy.locate(key)
    replicas = strategy.replicas(key, rf)
    if owner:
        replicas = (owner, *(node for node in replicas if node != owner))[:rf]
    return Location(raw(key), strategy.name, spot.slot, spot.token, replicas[0], replicas)
