"""Keys on their way through the strategies: each key is hashed once, all strategies share the numbers."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Final, TypeAlias

from engines.sharding.hashing import crc16
from engines.sharding.hashing.fast import hash64_many

Key: TypeAlias = bytes | str
"""A key: bytes of any value, or text, which stands for its UTF-8 bytes."""

BATCH: Final = 16_384
"""Keys looked at together: enough to make a loop's overhead vanish, few enough to stop between two batches."""


def raw(key: Key) -> bytes:
    """A key as bytes; what ``text`` could not read comes back as it was."""
    return key if isinstance(key, bytes) else key.encode("utf-8", "surrogateescape")


def text(key: bytes) -> str:
    """A key as text; bytes that are none are kept as surrogates."""
    return key.decode("utf-8", "surrogateescape")


class Batch:
    """Some keys, in order, with their weights; the numbers of a hash are made when they are first asked for."""

    __slots__ = ("_hashes", "_slots", "keys", "weights")

    def __init__(self, keys: Sequence[bytes], weights: Sequence[float] | None = None) -> None:
        assert weights is None or len(weights) == len(keys)
        self.keys = keys
        self.weights = weights
        """One of each key; None: every key weighs 1."""
        self._hashes: array[int] | None = None
        self._slots: list[int] | None = None

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def hashes(self) -> "array[int]":
        """Unsigned 64-bit hashes, one of each key."""
        if self._hashes is None:
            self._hashes = hash64_many(self.keys)
        return self._hashes

    @property
    def slots(self) -> list[int]:
        """Redis slots, one of each key."""
        if self._slots is None:
            self._slots = crc16.slots(self.keys)
        return self._slots


class KeySet:
    """Many keys in one block of memory: a key costs its length and 8 bytes, 16 if keys have weights of their own.

    Keys are bytes of any value, and may repeat. Weights are finite and not negative.
    """

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._block = bytearray()
        self._ends = array("Q")
        self._weights: array[float] | None = None
        self.total: float = 0
        """The sum of all weights."""
        self.whole = True
        """All weights are whole numbers."""
        for key in keys:
            self.add(key)

    def add(self, key: Key, weight: float = 1) -> None:
        """Append one key."""
        assert 0 <= weight < float("inf"), weight
        self._block += raw(key)
        self._ends.append(len(self._block))
        self.total += weight
        if weight != 1 and self._weights is None:
            self._weights = array("d", [1.0]) * (len(self._ends) - 1)
        if self._weights is not None:
            self._weights.append(weight)
            self.whole = self.whole and float(weight).is_integer()

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, i: int) -> bytes:
        if not 0 <= i < len(self._ends):
            raise IndexError(i)
        return bytes(self._block[self._ends[i - 1] if i else 0 : self._ends[i]])

    def __iter__(self) -> Iterator[bytes]:
        for batch in self.batches():
            yield from batch.keys

    def weight(self, i: int) -> float:
        """The weight of the i-th key."""
        return 1 if self._weights is None else self._weights[i]

    def weights(self) -> Iterator[float]:
        """The weights of all keys, in order."""
        return repeat(1, len(self)) if self._weights is None else iter(self._weights)

    @property
    def weighted(self) -> bool:
        """Some key has a weight other than 1."""
        return self._weights is not None

    def batches(self, size: int = BATCH) -> Iterator[Batch]:
        """All keys in order, ``size`` at a time."""
        for start in range(0, len(self._ends), size):
            ends = self._ends[start : start + size]
            low = self._ends[start - 1] if start else 0
            block = bytes(self._block[low : ends[-1]])
            keys: list[bytes] = []
            at = low
            for end in ends:
                keys.append(block[at - low : end - low])
                at = end
            yield Batch(keys, None if self._weights is None else self._weights[start : start + size])

    def sample(self, limit: int) -> list[tuple[bytes, float]]:
        """At most ``limit`` (key, weight), evenly spaced; all of them if there are no more."""
        count = min(limit, len(self))
        picks = (i * len(self) // count for i in range(count))
        return [(self[i], self.weight(i)) for i in picks]
