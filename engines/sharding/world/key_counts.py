"""How many keys every node owns and every chunk holds, for the picture: counted once per map, then only new keys.

A snapshot is taken ten times a second and after every step of a test. Keys are never deleted and a published map does
not change, so a count needs to be taken up only where it stopped.
"""

from functools import partial
from itertools import islice

from engines.sharding.batch import raw
from engines.sharding.strategies.chunks import Chunks, find
from engines.sharding.world.cluster import Cluster
from engines.sharding.world.ownership import Placement, ShardMap


class KeyCounts:
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


def owned(cluster: Cluster, now: ShardMap) -> dict[str, int]:
    """How many keys each node owns by this map; nodes that own nothing are left out. Do not change it."""
    stored = cluster.ledger.stored
    kept = now.memo("owned", KeyCounts)
    if not kept.seen and now.plan is None:
        # Every run of one world begins with the same placement of the same keys: count those once for all runs.
        kept.by_node = dict(now.placement.memo("owned", partial(count, now.placement, cluster.keys)))
        kept.seen = len(cluster.keys)
    counts = kept.by_node
    if kept.seen < len(stored):
        for key in islice(stored, kept.seen, None):
            owner = now.owner(key)
            counts[owner] = counts.get(owner, 0) + 1
        kept.seen = len(stored)
    return counts


def data(cluster: Cluster, now: ShardMap) -> dict[str, int]:
    """How much data each node owns: a key counts with its size. Do not change it."""
    if not cluster.sizes:
        return owned(cluster, now)
    stored = cluster.ledger.stored
    kept = now.memo("data", KeyCounts)
    if kept.seen < len(stored):
        for key in islice(stored, kept.seen, None):
            owner = now.owner(key)
            kept.data[owner] = kept.data.get(owner, 0) + cluster.sizes.get(key, 1)
        kept.seen = len(stored)
    return kept.data


def chunk_keys(cluster: Cluster, now: ShardMap, table: Chunks) -> list[int]:
    """How many keys each chunk holds, a key counting with its weight. Do not change it."""
    stored = cluster.ledger.stored
    kept = now.memo("chunks", KeyCounts)
    if not kept.weights:
        kept.weights = [0] * len(table)
    if kept.seen < len(stored):
        for key in islice(stored, kept.seen, None):
            kept.weights[find(table, raw(key))] += cluster.sizes.get(key, 1)
        kept.seen = len(stored)
    return kept.weights
