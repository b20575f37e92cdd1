"""Merkle trees over a few key ranges: what differs is found by comparing hashes from the root down.

With eight leaves, equal trees cost one comparison; one differing leaf costs seven (the root, then two a level).

Source: DeCandia et al., "Dynamo", SOSP 2007, section 4.7.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

LEAVES: Final = 8
NODES: Final = 2 * LEAVES - 1


def leaf_of(key: str, keys: str) -> int:
    """The leaf of a key: its place among all keys, round and round."""
    return keys.index(key) % LEAVES


def tree(held: Mapping[int, Any]) -> tuple[int, ...]:
    """The hashes of all nodes, root first, children of i at 2i+1 and 2i+2; ``held`` is what each leaf holds."""
    hashes = [0] * NODES
    for leaf in range(LEAVES):
        hashes[LEAVES - 1 + leaf] = _hash(repr(held.get(leaf)))
    for node in range(LEAVES - 2, -1, -1):
        hashes[node] = _hash(f"{hashes[2 * node + 1]} {hashes[2 * node + 2]}")
    return tuple(hashes)


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "big")


def compare(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[tuple[int, ...], int]:
    """(leaves that differ, comparisons it took)."""
    differing, comparisons, nodes = [], 0, [0]
    while nodes:
        deeper = []
        for node in nodes:
            comparisons += 1
            if one[node] != other[node]:
                if node >= LEAVES - 1:
                    differing.append(node - LEAVES + 1)
                else:
                    deeper += [2 * node + 1, 2 * node + 2]
        nodes = deeper
    return tuple(differing), comparisons


__all__ = ["LEAVES", "compare", "leaf_of", "tree"]
