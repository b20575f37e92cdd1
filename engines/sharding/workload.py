"""Which keys are asked for: all alike, by Zipf's law, mostly one; and what salting does about that one.

A workload holds no randomness. ``pick`` is given a draw: ``below(n)`` returns a whole number from 0 to n - 1, such as
``random.Random(1).randrange``. The clients of the living cluster ask with it what they ask for.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import isfinite
from typing import Final

from engines.errors import UserError
from engines.sharding.batch import KeySet

DISTINCT_MAX: Final = 10_000_000
SKEW_MAX: Final = 10.0
HOT_PPM: Final = 400_000
"""The hot key's part of all requests, in millionths."""
SCALE: Final = 1 << 24
"""Zipf weights are whole multiples of 2**-24: sums are exact and the same on every platform."""


@dataclass(frozen=True, slots=True)
class Workload:
    """A distribution of requests over keys."""

    keys: tuple[str, ...]
    sums: tuple[int, ...]
    """Running sums of the keys' weights."""
    hot_ppm: int = 0
    """So many millionths of all requests are for the first key, before weights decide."""

    def pick(self, below: Callable[[int], int]) -> str:
        """The next key."""
        if self.hot_ppm and below(1_000_000) < self.hot_ppm:
            return self.keys[0]
        return self.keys[bisect_right(self.sums, below(self.sums[-1]))]


def weighted(keys: Sequence[tuple[str, int]], hot_ppm: int = 0) -> Workload:
    """Keys with weights of their own, at least 1 each."""
    weights = (max(1, weight) for _, weight in keys)
    return Workload(tuple(key for key, _ in keys), tuple(accumulate(weights)), hot_ppm)


def zipf(keys: Sequence[str], skew: float = 1.1) -> Workload:
    """The k-th of the keys has a weight of k ** -skew."""
    return Workload(tuple(keys), tuple(accumulate(zipf_units(len(keys), skew))))


def zipf_units(distinct: int, skew: float) -> Iterator[int]:
    """The weights k ** -skew of the first ``distinct`` keys, in units of 2**-24 and at least one."""
    if not 1 <= distinct <= DISTINCT_MAX:
        raise UserError(f"zipf: {distinct} different keys: 1 to {DISTINCT_MAX} are accepted")
    if not isfinite(skew) or not 0 <= skew <= SKEW_MAX:
        raise UserError(f"zipf: a skew of {skew}: 0 (uniform) to {SKEW_MAX:g} is accepted")
    return (max(1, round(k**-skew * SCALE)) for k in range(1, distinct + 1))


def zipf_keys(distinct: int, skew: float = 1.1) -> KeySet:
    """The keys ``k0``, ``k1``, ... with the load that Zipf's law expects of each; the first, the hottest, weighs 1."""
    keys = KeySet()
    for i, units in enumerate(zipf_units(distinct, skew)):
        keys.add(b"k%d" % i, units / SCALE)
    return keys


def growing(number: int, writer: str) -> str:
    """The number-th key of a writer whose keys only grow, such as timestamps: fixed width, so their order is kept."""
    return f"t{number:08d}.{writer}"


def copy_name(key: str, number: int) -> str:
    """What a salted copy of a key is called. Without its hash tag, or all copies would meet in one slot again."""
    return f"{key.replace('{', '(').replace('}', ')')}#{number}"
