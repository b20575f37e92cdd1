"""Range sharding: neighbours in key order live together, so scans are cheap, and so is finding the hot end.

Keys that only grow (timestamps, counters) all fall into the last chunk. A join changes nothing by itself: the
balancer moves chunks to the newcomer until sizes are level, so less than the ideal moves, and load stays uneven
by up to three chunk sizes.

Source: MongoDB manual, "Ranged Sharding"; Bigtable, Chang et al., OSDI 2006, section 5.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from math import fsum
from typing import Final, Self

from engines.errors import UserError
from engines.sharding.batch import Batch, Key, raw
from engines.sharding.strategies.balancer import balance
from engines.sharding.strategies.base import PieceMove, Spec, Spot, Strategy, following, listed
from engines.sharding.strategies.chunks import Chunk, Chunks, presplit

CHUNKS_PER_NODE: Final = 64
CHUNKS_MAX: Final = 8192


def alphabet(nodes: Sequence[str]) -> Chunks:
    """The textbook example, A-M and N-Z on two nodes: the capital letters cut evenly.

    More than 26 nodes cut between triples of letters; 17576 is the most.
    """
    letters = 1 if len(nodes) <= 26 else 3
    cuts = [-(-(26**letters) * i // len(nodes)) for i in range(1, len(nodes))]
    places = [26**k for k in reversed(range(letters))]
    return presplit([bytes(ord("A") + cut // place % 26 for place in places) for cut in cuts], nodes)


def from_sample(sample: Sequence[tuple[bytes, float]], nodes: Sequence[str], chunks: int | None = None) -> Chunks:
    """Chunks of about equal weight by a sample of (key, weight), dealt in order so that the nodes' weights are level.

    By default 64 chunks a node, 8192 in all, never more than there are different keys. A single key heavier than
    the chunk size makes a chunk of its own, marked jumbo. An empty sample makes one chunk.
    """
    values = [
        (key, fsum(weight for _, weight in group)) for key, group in groupby(sorted(sample), lambda item: item[0])
    ]
    total = fsum(weight for _, weight in values)
    wanted = chunks or min(CHUNKS_PER_NODE * len(nodes), CHUNKS_MAX)
    limit = total / max(1, min(wanted, len(values)))
    parts: list[list[tuple[bytes, float]]] = [[]]
    below, goal = 0.0, limit
    for key, weight in values:
        if parts[-1] and (below >= goal or weight > limit or parts[-1][-1][1] > limit):
            parts.append([])
            goal = (goal if goal <= below < goal + limit else below) + limit
        parts[-1].append((key, weight))
        below += weight
    table: list[Chunk] = []
    below = 0.0
    for i, part in enumerate(parts):
        size = fsum(weight for _, weight in part)
        high = parts[i + 1][0][0] if i + 1 < len(parts) else None
        share = (below + size / 2) / total if total else 0
        node = nodes[min(int(share * len(nodes)), len(nodes) - 1)]
        table.append(Chunk(part[0][0] if i else b"", high, node, size, jumbo=len(part) == 1 and size > limit))
        below += size
    return tuple(table)


class Range(Strategy):
    """A table of chunks, and a balancer that runs at every join and leave."""

    name = "range"

    def __init__(self, nodes: tuple[str, ...], chunks: Chunks | None = None) -> None:
        """``chunks`` must lie on these nodes; by default the letters A to Z are cut evenly."""
        super().__init__(nodes)
        for node in nodes:
            self.check_join(node, 1)
            self.weights[node] = 1
        self.chunks = alphabet(nodes) if chunks is None else chunks
        for chunk in self.chunks:
            if chunk.node not in self.weights:
                raise UserError(f"range: {chunk} is on {chunk.node!r}, which is no member: {listed(nodes)} are")
        sized = fsum(chunk.size for chunk in self.chunks)
        if not sized:
            self.chunks = tuple(replace(chunk, size=1) for chunk in self.chunks)
        self.chunk_size = (sized or len(self.chunks)) / len(self.chunks)
        """The average: what the balancer's threshold is counted in."""

    def owner(self, key: Key) -> str:
        """The node of the chunk that holds the key."""
        return self.chunks[bisect_right(self._lows, raw(key)) - 1].node

    def owners(self, batch: Batch) -> list[str]:
        """The owner of every key."""
        lows = self._lows
        nodes = [chunk.node for chunk in self.chunks]
        return [nodes[bisect_right(lows, key) - 1] for key in batch.keys]

    def replicas(self, key: Key, rf: int) -> tuple[str, ...]:
        """The owner and the nodes behind it in the list."""
        self.check_rf(rf)
        nodes = self.nodes
        return following(nodes, nodes.index(self.owner(key)), rf)

    def join(self, node: str, weight: float = 1) -> None:
        """Add an empty node, and let the balancer fill it."""
        self.check_join(node, weight)
        self.weights[node] = weight
        self._balance()

    def leave(self, node: str) -> None:
        """Drain the node: all its chunks go to the emptiest others."""
        self.check_leave(node)
        del self.weights[node]
        self._balance()

    def locate(self, key: Key) -> Spot:
        """The number of the chunk, in key order from 0."""
        return Spot(slot=bisect_right(self._lows, raw(key)) - 1)

    @classmethod
    def build(cls, nodes: tuple[str, ...], spec: Spec) -> Self:
        """Chunks by the sample, if there is one."""
        return cls(nodes, from_sample(spec.sample, nodes, spec.chunks) if spec.sample else None)

    def shares(self) -> dict[str, float]:
        """By the sizes of the chunks."""
        held = dict.fromkeys(self.weights, 0.0)
        for chunk in self.chunks:
            held[chunk.node] += chunk.size
        total = fsum(held.values())
        return {node: size / total for node, size in held.items()}

    def pieces(self, node: str) -> int:
        """Its chunks."""
        return sum(chunk.node == node for chunk in self.chunks)

    def owns_any(self, node: str) -> bool:
        """Whether it has a chunk."""
        return any(chunk.node == node for chunk in self.chunks)

    def plan_kind(self, change: str) -> str:
        """Chunk by chunk, as long as only the table changes."""
        return "chunk" if change in ("chunks", "join", "leave") else "lane"

    def piece_moves(self, target: Self) -> tuple[PieceMove, ...]:
        """The chunks with another node; both tables have the same bounds."""
        return tuple(
            PieceMove(old.node, new.node, low=old.low, high=old.high)
            for old, new in zip(self.chunks, target.chunks, strict=True)
            if old.node != new.node
        )

    def probes(self) -> tuple[bytes, ...]:
        """The low end of every chunk."""
        return tuple(self._lows)

    def learn_sizes(self, sizes: Mapping[bytes, float]) -> None:
        """The balancer goes by them."""
        self.chunks = tuple(replace(chunk, size=sizes.get(chunk.low, 0)) for chunk in self.chunks)

    def _balance(self) -> None:
        owner = [chunk.node for chunk in self.chunks]
        for migration in balance(self.chunks, self.weights, self.chunk_size):
            owner[migration.chunk] = migration.target
        self.chunks = tuple(replace(chunk, node=node) for chunk, node in zip(self.chunks, owner, strict=True))

    @property
    def chunks(self) -> Chunks:
        """The table, in key order. Setting it replaces it whole."""
        return self._chunks

    @chunks.setter
    def chunks(self, chunks: Chunks) -> None:
        self._chunks = chunks
        self._lows = [chunk.low for chunk in chunks]
