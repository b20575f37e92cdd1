"""The ring against uhashring, and what a comparison of all strategies costs.

Both rings have 100 nodes with 160 points each and answer the same 200,000 keys, one call a key, in turns in the
same process. uhashring is asked as its documentation shows, ``HashRing(nodes).get_node(key)``, which takes text and
hashes with MD5; ours takes bytes, so encoding the text is part of its time. uhashring's ketama mode, which makes
four points of a digest, is printed as well. Our bulk call is printed without a target: uhashring has none.
"""

import gc
import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from engines.sharding.batch import Batch, KeySet
from engines.sharding.change import change
from engines.sharding.compare import STRATEGIES, compare
from engines.sharding.strategies.ring import Ring

NODES: Final = tuple(f"n{i}" for i in range(1, 101))
VNODES: Final = 160
LOOKUPS: Final = 200_000
ROUNDS: Final = 5
GROWTH: Final = (10, 100, 1000)
GROWTH_KEYS: Final = 20_000


def seconds(work: Callable[[], object]) -> float:
    """How long it takes, from a clean heap."""
    gc.collect()
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


@dataclass(frozen=True, slots=True)
class Rings:
    """Seconds to build, lookups a second; the best of several alternating rounds."""

    build: float
    build_uhashring: float
    build_ketama: float
    lookups: float
    lookups_uhashring: float
    lookups_ketama: float
    bulk: float


def rings() -> Rings:
    """Ours and theirs, in turns."""
    theirs: Any = importlib.import_module("uhashring").HashRing
    nodes = list(NODES)
    text = [f"user:{i}" for i in range(LOOKUPS)]
    raw = [key.encode() for key in text]
    our_ring, their_ring, their_ketama = Ring(NODES, VNODES), theirs(nodes), theirs(nodes, hash_fn="ketama")
    points = [len(our_ring.circle), len(their_ring.get_points()), len(their_ketama.get_points())]
    assert points == [len(NODES) * VNODES] * 3, points

    def lookups(find: Callable[[str], object], keys: list[str]) -> Callable[[], object]:
        return lambda: [find(key) for key in keys]

    programs: tuple[Callable[[], object], ...] = (
        lambda: Ring(NODES, VNODES),
        lambda: theirs(nodes),
        lambda: theirs(nodes, hash_fn="ketama"),
        lookups(lambda key: our_ring.owner(key.encode()), text),
        lookups(lambda key: their_ring.get_node(key), text),
        lookups(lambda key: their_ketama.get_node(key), text),
        lambda: our_ring.owners(Batch(raw)),
    )
    best = [min(column) for column in zip(*([seconds(p) for p in programs] for _ in range(ROUNDS)), strict=True)]
    return Rings(*best[:3], *(LOOKUPS / spent for spent in best[3:]))


def ring_join_seconds() -> tuple[float, float]:
    """One more node on a ring of 1,000 with 160 points each: ours, and uhashring's; the best of several."""
    theirs: Any = importlib.import_module("uhashring").HashRing
    nodes = [f"n{i}" for i in range(1, 1_001)]
    ours, other = Ring(tuple(nodes), VNODES), theirs(nodes)
    best = [float("inf")] * 2
    for _ in range(ROUNDS):
        for place, (join, leave) in enumerate(((ours.join, ours.leave), (other.add_node, other.remove_node))):
            best[place] = min(best[place], seconds(lambda join=join: join("new")))  # type: ignore[misc]
            leave("new")
    return best[0], best[1]


def join_seconds(keys: int, nodes: int, strategies: tuple[str, ...] = STRATEGIES) -> float:
    """One node joins ``nodes`` others, seen by the strategies."""
    many = KeySet(b"user:%d" % i for i in range(keys))
    return seconds(lambda: compare(many, change(nodes, 1), strategies))


@dataclass(frozen=True, slots=True)
class Sharding:
    """All figures of this file."""

    rings: Rings
    ring_join: tuple[float, float]
    """Seconds of a join to a ring of 1,000 nodes: ours, uhashring's."""
    join_100k: float
    """Seconds for 100,000 keys, 10 nodes, all strategies."""
    join_1m: float
    """Seconds for 1,000,000."""
    growth: tuple[tuple[str, tuple[float, ...]], ...]
    """For every strategy: microseconds a key for 10, 100 and 999 nodes and one more."""

    def lines(self) -> list[str]:
        """For people."""
        ring = self.rings
        found = [
            f"ring, 100 nodes x 160 points   {ring.build * 1000:>12,.1f} ms to build",
            f"uhashring, the same            {ring.build_uhashring * 1000:>12,.1f}            ours is "
            f"{ring.build_uhashring / ring.build:.1f}x  (target: 1x)",
            f"uhashring, ketama mode         {ring.build_ketama * 1000:>12,.1f}            ours is "
            f"{ring.build_ketama / ring.build:.1f}x",
            f"ring, owner(key)               {ring.lookups:>12,.0f} lookups/s",
            f"uhashring, get_node(key)       {ring.lookups_uhashring:>12,.0f}            ours is "
            f"{ring.lookups / ring.lookups_uhashring:.1f}x  (target: 1.5x)",
            f"uhashring, ketama mode         {ring.lookups_ketama:>12,.0f}            ours is "
            f"{ring.lookups / ring.lookups_ketama:.1f}x",
            f"ring, owners(batch)            {ring.bulk:>12,.0f}",
            f"ring, join to 1,000 nodes      {self.ring_join[0] * 1000:>12,.1f} ms",
            f"uhashring, add_node            {self.ring_join[1] * 1000:>12,.1f}            ours is "
            f"{self.ring_join[1] / self.ring_join[0]:.1f}x  (target: 1x)",
            f"a join seen by 8 strategies    {self.join_100k:>12.2f} s for 100,000 keys  (target: 3 s)",
            f"                               {self.join_1m:>12.2f} s for 1,000,000  (target: 30 s)",
            "us a key, one more node joins         10        100        999",
        ]
        for name, costs in self.growth:
            found.append(f"  {name:<26}" + "".join(f"{cost:>11.2f}" for cost in costs))
        return found


def measure() -> Sharding:
    """All of it, about a minute."""
    growth = tuple(
        (name, tuple(join_seconds(GROWTH_KEYS, min(n, 999), (name,)) * 1e6 / GROWTH_KEYS for n in GROWTH))
        for name in STRATEGIES
    )
    return Sharding(rings(), ring_join_seconds(), join_seconds(100_000, 10), join_seconds(1_000_000, 10), growth)
