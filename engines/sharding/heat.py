"""DynamoDB's partitions: split when they are too large or too hot; and the one thing no split can cure.

A partition holds about 10 GB and serves 3000 read units and 1000 write units a second. Partitions are ranges of the
key's hash. A hot one is split between two items; a single hot item ends up alone in a partition, and above
3000 or 1000 units it is throttled. The cure is in the key: n salted copies of it, at the price of n reads.

Simplified: an item collection with a sort key, which DynamoDB may split inside, is one item here; bursts and
adaptive capacity are left out.

Source: Amazon DynamoDB Developer Guide, "Partitions and data distribution", "Designing partition keys", "Using write
sharding"; Elhemali et al., "Amazon DynamoDB", USENIX ATC 2022, section 4.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from typing import Final

from engines.errors import UserError
from engines.sharding.hashing.fast import hash64

PARTITION_BYTES: Final = 10 * 10**9
READ_UNITS: Final = 3000
WRITE_UNITS: Final = 1000
HASHES: Final = 1 << 64


@dataclass(frozen=True, slots=True)
class Item:
    """A partition key's data and traffic. None is negative."""

    key: bytes
    size_bytes: int = 0
    read_units: float = 0
    """A second."""
    write_units: float = 0
    """A second."""


@dataclass(frozen=True, slots=True)
class Partition:
    """The items whose hash lies in [low, high)."""

    low: int
    high: int
    items: tuple[Item, ...]
    """In the order of their hashes."""

    @property
    def size_bytes(self) -> int:
        """Of all items."""
        return sum(item.size_bytes for item in self.items)

    @property
    def read_units(self) -> float:
        """Asked for, a second."""
        return fsum(item.read_units for item in self.items)

    @property
    def write_units(self) -> float:
        """Asked for, a second."""
        return fsum(item.write_units for item in self.items)

    @property
    def heat(self) -> float:
        """The scarcest resource, relative to its limit: above 1 requests are throttled, or the data does not fit."""
        return max(self.size_bytes / PARTITION_BYTES, self.read_units / READ_UNITS, self.write_units / WRITE_UNITS)

    @property
    def throttled_reads(self) -> float:
        """Read units a second that are refused."""
        return max(0.0, self.read_units - READ_UNITS)

    @property
    def throttled_writes(self) -> float:
        """Write units a second that are refused."""
        return max(0.0, self.write_units - WRITE_UNITS)

    @property
    def divisible(self) -> bool:
        """There are two items to cut between."""
        return len(self.items) > 1 and hash64(self.items[0].key) < hash64(self.items[-1].key)


def table(items: Sequence[Item]) -> Partition:
    """All items in one partition. UserError if a key is there twice or a number is negative."""
    ordered = sorted(items, key=lambda item: (hash64(item.key), item.key))
    for before, after in itertools.pairwise(ordered):
        if before.key == after.key:
            raise UserError(f"heat: item {after.key!r} is there twice: add its numbers up to one item")
    for item in ordered:
        if not (item.size_bytes >= 0 and item.read_units >= 0 and item.write_units >= 0):
            raise UserError(f"heat: item {item.key!r} has a negative size or traffic: 0 or more is accepted")
    return Partition(0, HASHES, tuple(ordered))


def split(partition: Partition) -> tuple[Partition, ...]:
    """Two partitions, cut between two items where the hotter half is coolest; itself if it is indivisible."""
    items = partition.items
    if not partition.divisible:
        return (partition,)
    cuts = [i for i in range(1, len(items)) if hash64(items[i - 1].key) < hash64(items[i].key)]
    left = _heats(items)
    right = _heats(items[::-1])
    best = min(cuts, key=lambda i: (max(left[i], right[len(items) - i]), abs(2 * i - len(items)), i))
    at = hash64(items[best].key)
    return (Partition(partition.low, at, items[:best]), Partition(at, partition.high, items[best:]))


def split_for_heat(partitions: Sequence[Partition]) -> tuple[Partition, ...]:
    """Split every partition that is too large or too hot until none is, or what is left is one item."""
    done: list[Partition] = []
    waiting = list(reversed(partitions))
    while waiting:
        partition = waiting.pop()
        if partition.heat > 1 and partition.divisible:
            waiting += reversed(split(partition))
        else:
            done.append(partition)
    return tuple(done)


def salted(key: bytes, copies: int) -> tuple[bytes, ...]:
    """The keys that together stand for a hot one: ``key#0`` to ``key#(copies-1)``. A reader must ask all of them."""
    if not 1 <= copies <= 1000:
        raise UserError(f"heat: {copies} salted copies of a key: 1 to 1000 are accepted")
    return tuple(b"%b#%d" % (key, i) for i in range(copies))


def salt(item: Item, copies: int) -> tuple[Item, ...]:
    """The item as salted copies: writes spread over them; a read asks all, so every copy has all reads."""
    return tuple(
        Item(
            key, item.size_bytes // copies + (i < item.size_bytes % copies), item.read_units, item.write_units / copies
        )
        for i, key in enumerate(salted(item.key, copies))
    )


def _heats(items: Sequence[Item]) -> list[float]:
    """heats[i] is the heat of the first i items."""
    heats = [0.0]
    size, reads, writes = 0, 0.0, 0.0
    for item in items:
        size += item.size_bytes
        reads += item.read_units
        writes += item.write_units
        heats.append(max(size / PARTITION_BYTES, reads / READ_UNITS, writes / WRITE_UNITS))
    return heats
