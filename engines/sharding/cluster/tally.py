"""How many keys every node owns and every chunk holds, for the picture: counted once for a map, then only what is new.

A snapshot is taken ten times a second and after every step of a test. Keys are never deleted and a published map does
not change, so a count needs to be taken up only where it stopped.
"""

from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from engines.sharding.cluster.ownership import Placement, ShardMap, raw
from engines.sharding.strategies.chunks import Chunks, find

if TYPE_CHECKING:
    from engines.sharding.cluster.engine import ShardingEngine


class Tally:
    """Counts, and how many of the stored keys are in them."""

    __slots__ = ("by_node", "data", "seen", "weights")

    def __init__(self) -> None:
        self.by_node: dict[str, int] = {}
        self.data: dict[str, int] = {}
        """By node, a key counting with its size; empty where all keys are alike."""
        self.weights: list[int] = []
        """By chunk: its keys with their weights."""
        self.seen = 0


def count(placement: Placement, keys: tuple[str, ...]) -> dict[str, int]:
    """How many of these keys each node owns."""
    counts: dict[str, int] = {}
    for key in keys:
        owner = placement.owner(key)
        counts[owner] = counts.get(owner, 0) + 1
    return counts


def owned(engine: "ShardingEngine", now: ShardMap) -> dict[str, int]:
    """How many keys each node owns by this map; nodes that own nothing are left out. Do not change it."""
    stored = engine.ledger.stored
    tally = now.memo("owned", Tally)
    if not tally.seen and now.plan is None:
        # Every run of one world begins with the same placement of the same keys: count those once for all runs.
        tally.by_node = dict(now.placement.memo("owned", partial(count, now.placement, engine.keys)))
        tally.seen = len(engine.keys)
    counts = tally.by_node
    if tally.seen < len(stored):
        for key in islice(stored, tally.seen, None):
            owner = now.owner(key)
            counts[owner] = counts.get(owner, 0) + 1
        tally.seen = len(stored)
    return counts


def data(engine: "ShardingEngine", now: ShardMap) -> dict[str, int]:
    """How much data each node owns: a key counts with its size. Do not change it."""
    if not engine.sizes:
        return owned(engine, now)
    stored = engine.ledger.stored
    tally = now.memo("data", Tally)
    if tally.seen < len(stored):
        for key in islice(stored, tally.seen, None):
            owner = now.owner(key)
            tally.data[owner] = tally.data.get(owner, 0) + engine.sizes.get(key, 1)
        tally.seen = len(stored)
    return tally.data


def chunk_keys(engine: "ShardingEngine", now: ShardMap, table: Chunks) -> list[int]:
    """How many keys each chunk holds, a key counting with its weight. Do not change it."""
    stored = engine.ledger.stored
    tally = now.memo("chunks", Tally)
    if not tally.weights:
        tally.weights = [0] * len(table)
    if tally.seen < len(stored):
        for key in islice(stored, tally.seen, None):
            tally.weights[find(table, raw(key))] += engine.sizes.get(key, 1)
        tally.seen = len(stored)
    return tally.weights
