"""MongoDB's balancer: moves chunks from the shard with the most data to the one with the least.

- It starts when the data sizes of two shards differ by at least three times the chunk size.
- A shard takes part in at most one migration at a time, so of n shards floor(n/2) migrations run in parallel.
- A draining shard gives everything first; a jumbo chunk is not moved, except off a draining shard, where the
  manual leaves it to the operator and this function plays him.

The size of a shard is taken relative to its weight, 1 for all in MongoDB.

Source: MongoDB manual (6.0 and later), "Sharded Cluster Balancer": migration thresholds, concurrency.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import fsum
from typing import Final

from engines.sharding.strategies.chunks import Chunks

THRESHOLD: Final = 3
"""Chunk sizes by which two shards must differ before anything moves."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One chunk on its way."""

    chunk: int
    """Index in the table the round was planned for."""
    source: str
    target: str


class Balancer:
    """The state of a balancing run: who holds what. Rounds are planned from it and applied to it."""

    def __init__(self, chunks: Chunks, shards: Mapping[str, float], chunk_size: float) -> None:
        self.shards = dict(shards)
        """Weights of the shards that may receive. Nodes that hold chunks and are not here are draining."""
        self.chunk_size = chunk_size
        self.sizes = [chunk.size for chunk in chunks]
        self.jumbo = [chunk.jumbo for chunk in chunks]
        self.held: dict[str, list[int]] = {name: [] for name in shards}
        for i, chunk in enumerate(chunks):
            self.held.setdefault(chunk.node, []).append(i)
        self.data = {name: fsum(self.sizes[i] for i in held) for name, held in self.held.items()}

    def round(self) -> tuple[Migration, ...]:
        """The migrations that may run now, in parallel; none if the cluster is balanced."""
        planned: list[Migration] = []
        free = sorted(self.shards, key=self._fullness)
        for name in self.held:
            if name not in self.shards and self.held[name] and free:
                planned.append(Migration(self.held[name][0], name, free.pop(0)))
        while len(free) >= 2:
            target, source = free[0], free.pop()
            if self._fullness(source) - self._fullness(target) < THRESHOLD * self.chunk_size:
                break
            chunk = self._candidate(source, target)
            if chunk is not None:
                planned.append(Migration(chunk, source, target))
                free.pop(0)
        return tuple(planned)

    def apply(self, migration: Migration) -> None:
        """The chunk has arrived."""
        i, source, target = migration.chunk, migration.source, migration.target
        self.held[source].remove(i)
        self.held[target].append(i)
        self.data[source] -= self.sizes[i]
        self.data[target] += self.sizes[i]

    def _fullness(self, name: str) -> float:
        return self.data[name] / self.shards[name]

    def _candidate(self, source: str, target: str) -> int | None:
        """The first chunk of the source that may move and does not merely turn the tables."""
        gap = self._fullness(source) - self._fullness(target)
        worth = 1 / self.shards[source] + 1 / self.shards[target]
        for i in self.held[source]:
            if not self.jumbo[i] and 0 < self.sizes[i] * worth < 2 * gap:
                return i
        return None


def plan_round(chunks: Chunks, shards: Mapping[str, float], chunk_size: float) -> tuple[Migration, ...]:
    """The migrations the balancer starts on this table: each shard in at most one, floor(n/2) at most."""
    return Balancer(chunks, shards, chunk_size).round()


def balance(chunks: Chunks, shards: Mapping[str, float], chunk_size: float) -> tuple[Migration, ...]:
    """All migrations until the cluster is balanced, in order."""
    balancer = Balancer(chunks, shards, chunk_size)
    done: list[Migration] = []
    while planned := balancer.round():
        for migration in planned:
            balancer.apply(migration)
        done += planned
    return tuple(done)
