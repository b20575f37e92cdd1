"""Streams of keys: the n-th key is a function of (seed, n) alone, so any part of a stream can be made at once."""

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from math import isfinite
from typing import Final, Protocol

from engines.errors import UserError
from engines.sharding.batch import KeySet
from engines.sim.random import draw, stream_key

DISTINCT_MAX: Final = 10_000_000
SKEW_MAX: Final = 10.0
_SCALE: Final = 1 << 44
"""Zipf weights are rounded to whole multiples of 2**-44: sums are exact and the same on every platform."""


class Workload(Protocol):
    """An endless stream of keys."""

    def key(self, n: int) -> bytes:
        """The n-th key, n >= 0."""


def name(i: int) -> bytes:
    """The i-th key of a population: ``k0``, ``k1``, ..."""
    return b"k%d" % i


class Uniform:
    """Every one of ``distinct`` keys is equally likely."""

    def __init__(self, seed: int, distinct: int) -> None:
        self.distinct = _population("uniform", distinct)
        self._stream = stream_key(seed, "workload/uniform")

    def key(self, n: int) -> bytes:
        """The n-th key."""
        return name(draw(self._stream, n) * self.distinct >> 64)


class Zipf:
    """The k-th most frequent of ``distinct`` keys has a weight of k ** -skew: O(distinct) memory, O(log) a draw."""

    def __init__(self, seed: int, distinct: int, skew: float = 1.1) -> None:
        self.distinct = _population("zipf", distinct)
        self.skew = _skew(skew)
        self._stream = stream_key(seed, "workload/zipf")
        self._sums = list(accumulate(_zipf_units(distinct, skew)))

    def key(self, n: int) -> bytes:
        """The n-th key; ``k0`` is the hottest."""
        return name(bisect_right(self._sums, draw(self._stream, n) * self._sums[-1] >> 64))

    @property
    def hottest_share(self) -> float:
        """The part of the load that is the hottest key's."""
        return self._sums[0] / self._sums[-1]


class Monotonic:
    """Keys that only grow, such as timestamps: fixed width, so their order as bytes is their order as numbers."""

    def __init__(self, start: int = 0) -> None:
        if start < 0:
            raise UserError(f"monotonic: a start of {start}: 0 or more is accepted")
        self.start = start

    def key(self, n: int) -> bytes:
        """The n-th key."""
        return b"%020d" % (self.start + n)


class HotKey:
    """One key gets ``hot_ppm`` millionths of the load, ``distinct`` others share the rest equally."""

    def __init__(self, seed: int, distinct: int, hot_ppm: int, hot: bytes = b"hot") -> None:
        if not 0 <= hot_ppm <= 1_000_000:
            raise UserError(f"hot key: a share of {hot_ppm} millionths: 0 to 1000000 is accepted")
        self.rest = Uniform(seed, distinct)
        self.hot = hot
        self.hot_ppm = hot_ppm
        self._stream = stream_key(seed, "workload/hot")

    def key(self, n: int) -> bytes:
        """The n-th key."""
        return self.hot if draw(self._stream, n) * 1_000_000 >> 64 < self.hot_ppm else self.rest.key(n)


def take(workload: Workload, count: int, start: int = 0) -> Iterator[bytes]:
    """``count`` keys of a stream from the start-th on."""
    return map(workload.key, range(start, start + count))


def zipf_keys(distinct: int, skew: float = 1.1) -> KeySet:
    """Every key of the population once, its weight the load that Zipf's law expects of it, the hottest first.

    Weights are relative; the hottest key weighs 1.
    """
    keys = KeySet()
    for i, units in enumerate(_zipf_units(_population("zipf", distinct), _skew(skew))):
        keys.add(name(i), units / _SCALE)
    return keys


def _zipf_units(distinct: int, skew: float) -> Iterator[int]:
    return (round(k**-skew * _SCALE) for k in range(1, distinct + 1))


def _population(kind: str, distinct: int) -> int:
    if not 1 <= distinct <= DISTINCT_MAX:
        raise UserError(f"{kind}: {distinct} different keys: 1 to {DISTINCT_MAX} are accepted")
    return distinct


def _skew(skew: float) -> float:
    if not isfinite(skew) or not 0 <= skew <= SKEW_MAX:
        raise UserError(f"zipf: a skew of {skew}: 0 (uniform) to {SKEW_MAX:g} is accepted")
    return skew
