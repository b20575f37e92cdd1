"""Chunks: a table split into ranges [low, high) of the shard key, each on one node. Pure functions on tuples.

Invariant: chunks[0].low = b"", chunks[i].high = chunks[i + 1].low, the last high is None (infinity), every range
is not empty. Keys are ordered as bytes. One key value is the smallest unit: a chunk that holds only one value
cannot be split, however large it is; MongoDB calls it jumbo and does not move it by itself.

Source: MongoDB manual, "Data Partitioning with Chunks", "Indivisible/Jumbo Chunks".
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from math import fsum
from typing import TypeAlias

from engines.errors import UserError
from engines.sharding.keys import show


@dataclass(frozen=True, slots=True)
class Chunk:
    """A range of keys and its node."""

    low: bytes
    high: bytes | None
    """Exclusive; None: infinity."""
    node: str
    size: float = 0
    """Of its data, in any unit, the same for all chunks."""
    jumbo: bool = False
    """Too large, and of one key value: stays where it is."""

    def __str__(self) -> str:
        """``[low, high)``."""
        return f"[{show(self.low) or '-inf'}, {'+inf' if self.high is None else show(self.high)})"


Chunks: TypeAlias = tuple[Chunk, ...]


def presplit(bounds: Sequence[bytes], nodes: Sequence[str]) -> Chunks:
    """len(bounds) + 1 chunks, dealt to the nodes in contiguous runs. Bounds must ascend and not be empty."""
    lows = [b"", *bounds]
    for low, high in pairwise(lows):
        if low >= high:
            raise UserError(
                f"range: bound {show(high)!r} after {show(low)!r}: bounds must ascend, none is empty or twice"
            )
    highs: list[bytes | None] = [*bounds, None]
    return tuple(
        Chunk(low, high, nodes[i * len(nodes) // len(lows)])
        for i, (low, high) in enumerate(zip(lows, highs, strict=True))
    )


def find(chunks: Chunks, key: bytes) -> int:
    """The index of the chunk that holds a key."""
    return bisect_right(chunks, key, key=lambda chunk: chunk.low) - 1


def split(chunks: Chunks, at: bytes, size_below: float | None = None) -> Chunks:
    """Cut the chunk that holds ``at``, which becomes the low end of the right part; both stay on their node.

    ``size_below`` of the data lies left of the cut, by default half. UserError if a chunk begins there already.
    """
    i = find(chunks, at)
    whole = chunks[i]
    if at == whole.low:
        raise UserError(
            f"range: cannot split at {show(at)!r}: a chunk begins there already; choose a key inside {whole}"
        )
    below = whole.size / 2 if size_below is None else size_below
    left = replace(whole, high=at, size=below, jumbo=False)
    right = replace(whole, low=at, size=whole.size - below, jumbo=False)
    return (*chunks[:i], left, right, *chunks[i + 1 :])


def merge(chunks: Chunks, i: int) -> Chunks:
    """Join chunk i and the next. UserError if there is none, or if it is on another node."""
    if not 0 <= i < len(chunks) - 1:
        raise UserError(f"range: chunk {i} has no right neighbour; 0 to {len(chunks) - 2} are accepted")
    left, right = chunks[i], chunks[i + 1]
    if left.node != right.node:
        raise UserError(f"range: {left} is on {left.node} and {right} on {right.node}: move one of them first")
    return (*chunks[:i], replace(left, high=right.high, size=left.size + right.size, jumbo=False), *chunks[i + 2 :])


def move(chunks: Chunks, i: int, node: str) -> Chunks:
    """Give chunk i to a node."""
    if not 0 <= i < len(chunks):
        raise UserError(f"range: there is no chunk {i}; 0 to {len(chunks) - 1} are accepted")
    return (*chunks[:i], replace(chunks[i], node=node), *chunks[i + 1 :])


def split_key(load: Iterable[tuple[bytes, float]]) -> bytes | None:
    """Where to cut a chunk with these (key, size), sorted by key, so that the parts differ least.

    None if all data is of one key value: nothing can be cut.
    """
    values = [(key, fsum(size for _, size in group)) for key, group in groupby(load, key=lambda item: item[0])]
    total = fsum(size for _, size in values)
    below = 0.0
    best: tuple[float, bytes] | None = None
    for (_, size), (key, _) in pairwise(values):
        below += size
        if best is None or abs(total - 2 * below) < best[0]:
            best = (abs(total - 2 * below), key)
    return None if best is None else best[1]


def autosplit(chunks: Chunks, i: int, load: Sequence[tuple[bytes, float]], limit: float) -> Chunks:
    """Cut chunk i until no part is larger than ``limit``; parts of one key value that are larger become jumbo.

    ``load`` is the chunk's data, (key, size) sorted by key.
    """
    total = fsum(size for _, size in load)
    chunks = (*chunks[:i], replace(chunks[i], size=total), *chunks[i + 1 :])
    if total <= limit:
        return chunks
    at = split_key(load)
    if at is None:
        return (*chunks[:i], replace(chunks[i], jumbo=True), *chunks[i + 1 :])
    left = [item for item in load if item[0] < at]
    right = load[len(left) :]
    chunks = split(chunks, at, fsum(size for _, size in left))
    chunks = autosplit(chunks, i + 1, right, limit)
    return autosplit(chunks, i, left, limit)
