"""Counter-based random numbers: a draw is a function of (seed, stream, counter) and of nothing else.

A sequential generator couples everything: one extra draw anywhere reshuffles all that follows, so a fault
injected at one link would change the latency of every other message. Here every purpose (a link, a node's
election timer, a client's think time) owns a stream, and the n-th draw of a stream is the same number
whatever the rest of the world does.

The mixer is the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), applied to ``key + n * GOLDEN``.
"""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b
from struct import Struct
from typing import Final, TypeVar

T = TypeVar("T")

MASK64 = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15
MIX_1 = 0xBF58476D1CE4E5B9
MIX_2 = 0x94D049BB133111EB


@lru_cache(maxsize=4_096)
def stream_key(seed: int, name: str) -> int:
    """The 64-bit key of the stream ``name`` under ``seed``. Remembered: a run that begins anew asks for it again."""
    return int.from_bytes(blake2b(f"{seed}/{name}".encode(), digest_size=8).digest(), "big")


def draw(key: int, n: int) -> int:
    """The n-th 64-bit number of the stream with this key."""
    z = (key + n * GOLDEN) & MASK64
    z = ((z ^ (z >> 30)) * MIX_1) & MASK64
    z = ((z ^ (z >> 27)) * MIX_2) & MASK64
    return z ^ (z >> 31)


AHEAD: Final = 16
"""How many numbers ``draws`` makes at a time."""


def _lanes(numbers: Sequence[int]) -> int:
    """These, each in 128 bits of one long integer: so much the product of two 64-bit numbers needs."""
    return sum(number << 128 * lane for lane, number in enumerate(numbers))


_ONES: Final = _lanes([1] * AHEAD)
_MASKS: Final = _lanes([MASK64] * AHEAD)
_STEPS: Final = _lanes([n * GOLDEN & MASK64 for n in reversed(range(AHEAD))])
_UNPACK: Final = Struct("<" + "Q8x" * AHEAD).unpack


def draws(key: int, n: int) -> list[int]:
    """The numbers from the n-th on, ``AHEAD`` of them, the n-th last: ``pop`` takes them in their order.

    One long integer holds them side by side, and each step of the mixer is taken for all at once: a third of the time.
    """
    z = (_ONES * ((key + n * GOLDEN) & MASK64) + _STEPS) & _MASKS
    z = ((z ^ (z >> 30 & _MASKS)) * MIX_1) & _MASKS
    z = ((z ^ (z >> 27 & _MASKS)) * MIX_2) & _MASKS
    z ^= z >> 31 & _MASKS
    return list(_UNPACK(z.to_bytes(16 * AHEAD, "little")))


class Stream:
    """A cursor on one stream. Its whole state is the key and the number of draws taken."""

    __slots__ = ("key", "taken")

    def __init__(self, seed: int, name: str) -> None:
        self.key = stream_key(seed, name)
        self.taken = 0

    def next(self) -> int:
        """The next 64-bit number."""
        value = draw(self.key, self.taken)
        self.taken += 1
        return value

    def below(self, bound: int) -> int:
        """A number in [0, bound), uniform to within bound / 2**64."""
        return (self.next() * bound) >> 64

    def between(self, low: int, high: int) -> int:
        """A number in [low, high], both ends included."""
        return low + self.below(high - low + 1)

    def chance(self, ppm: int) -> bool:
        """True with a probability of ``ppm`` parts per million."""
        return self.below(1_000_000) < ppm

    def pick(self, options: Sequence[T]) -> T:
        """One of these."""
        return options[self.below(len(options))]
