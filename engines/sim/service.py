"""What a service is made of: places to wait, and service times from distributions. (Load over time: load.py.)

A *pool* is a number of permits and a bounded line before them. Worker threads, database connections and the
permits of a bulkhead are all of this kind; what differs is who holds a permit and for how long. Nothing here sends a
message or knows the time: whoever owns a pool passes the time in, and records its own decisions.

Draws are integers from a ``Stream``, one 64-bit number each, so that the n-th draw never depends on what the others
were, and no platform's logarithm decides a digest. The tables hold quantiles in parts per million, linear in between:

- exponential: a number of halvings, which is geometric, plus a remainder below ln 2 from a table (J. H. Ahrens,
  U. Dieter, "Computer methods for sampling from the exponential and normal distributions", CACM 15, 1972)
- heavy tail: the lognormal with sigma 1, refined twice where it is steep; its square root has sigma 1/2
"""

from dataclasses import dataclass
from math import isqrt
from typing import Final, TypeAlias

from engines.sim.load import interpolate
from engines.sim.random import Stream
from engines.units import PPM

# -- service times ---------------------------------------------------------------------------------------------

LN2_PPM: Final = 693_147
HALVINGS_MAX: Final = 31
EXPONENTIAL: Final = (
    0, 15_748, 31_749, 48_009, 64_539, 81_346, 98_440, 115_832, 133_531, 151_550, 169_899, 188_591, 207_639, 227_057,
    246_860, 267_063, 287_682, 308_735, 330_242, 352_221, 374_693, 397_683, 421_213, 445_311, 470_004, 495_321,
    521_297, 547_965, 575_364, 603_535, 632_523, 662_376, LN2_PPM,
)  # fmt: skip
"""-ln(1 - i/64) for i = 0..32, in millionths: the exponential below its median."""

LOGNORMAL: Final = (
    0, 116_034, 155_248, 187_132, 215_645, 242_247, 267_667, 292_334, 316_526, 340_440, 364_223, 387_988, 411_829,
    435_827, 460_049, 484_560, 509_416, 534_673, 560_384, 586_601, 613_376, 640_762, 668_813, 697_586, 727_138,
    757_531, 788_832, 821_109, 854_439, 888_901, 924_583, 961_581, 1_000_000, 1_039_954, 1_081_569, 1_124_985,
    1_170_359, 1_217_865, 1_267_697, 1_320_077, 1_375_255, 1_433_516, 1_495_185, 1_560_641, 1_630_320, 1_704_735,
    1_784_489, 1_870_300, 1_963_031, 2_063_729, 2_173_680, 2_294_491, 2_428_191, 2_577_402, 2_745_574, 2_937_373,
    3_159_297, 3_420_746, 3_735_983, 4_128_017, 4_637_245, 5_343_814, 6_441_310, 8_618_187,
)  # fmt: skip
"""exp(z) at the probabilities i/64, i = 0..63, in millionths of the median. What lies above is in LOGNORMAL_TAIL."""

LOGNORMAL_TAIL: Final = (
    8_618_187, 8_960_451, 9_350_289, 9_800_970, 10_331_867, 10_972_751, 11_772_554, 12_819_603, 14_297_254,
    16_687_582, 22_137_413, 32_691_140,
)  # fmt: skip
"""exp(z) above 63/64, at the 64ths of that last 64th which ``TAIL_AT`` lists."""
TAIL_AT: Final = (0, 6, 12, 18, 24, 30, 36, 42, 48, 54, 60, 63)
TAIL_TOP: Final = 55_079_224
"""The far end of the last stretch: a chance of 1 in 32768."""


def exponential_ppm(number: int) -> int:
    """A 64-bit number as an exponential draw with mean 1, in millionths. Never more than 32 ln 2, about 22."""
    halvings = 0
    while halvings < HALVINGS_MAX and number >> (63 - halvings) & 1:
        halvings += 1
    rest = number & 0xFFFF_FFFF
    index = rest >> 27
    return halvings * LN2_PPM + interpolate(EXPONENTIAL[index], EXPONENTIAL[index + 1], rest & 0x7FF_FFFF, 1 << 27)


def lognormal_ppm(number: int) -> int:
    """A 64-bit number as a lognormal draw with median 1 and sigma 1, in millionths. Never more than about 55."""
    index, rest = number >> 58, number >> 26 & 0xFFFF_FFFF
    if index < 63:
        return interpolate(LOGNORMAL[index], LOGNORMAL[index + 1], rest, 1 << 32)
    at = rest * 64 >> 32
    step = max(i for i, start in enumerate(TAIL_AT) if start <= at)
    low, begin = LOGNORMAL_TAIL[step], TAIL_AT[step] << 26
    last = step + 1 == len(TAIL_AT)
    high, end = (TAIL_TOP, 64 << 26) if last else (LOGNORMAL_TAIL[step + 1], TAIL_AT[step + 1] << 26)
    return interpolate(low, high, rest - begin, end - begin)


@dataclass(frozen=True, slots=True)
class Fixed:
    """Always the same."""

    us: int

    @property
    def mean_us(self) -> int:
        """The mean."""
        return self.us

    def draw(self, stream: Stream) -> int:
        """One time. It takes a number from the stream as all do, so that a change of shape shifts no other draw."""
        stream.next()
        return self.us


@dataclass(frozen=True, slots=True)
class Uniform:
    """Any time between two, both included."""

    low_us: int
    high_us: int

    @property
    def mean_us(self) -> int:
        """The mean."""
        return (self.low_us + self.high_us) // 2

    def draw(self, stream: Stream) -> int:
        """One time."""
        return stream.between(self.low_us, self.high_us)


@dataclass(frozen=True, slots=True)
class Exponential:
    """Without memory: what queueing theory calls M. Its p99 is 4.6 times the mean."""

    mean_us: int

    def draw(self, stream: Stream) -> int:
        """One time."""
        return self.mean_us * exponential_ppm(stream.next()) // PPM


@dataclass(frozen=True, slots=True)
class HeavyTail:
    """Lognormal: most draws near the median and a few far out, as measured services are.

    ``wide`` is sigma 1, with p99 at 10 times the median; without it sigma is 1/2, with p99 at 3.2 times.
    """

    median_us: int
    wide: bool = False

    @property
    def mean_us(self) -> int:
        """The mean: the median times exp(sigma^2 / 2)."""
        return self.median_us * (1_648_721 if self.wide else 1_133_148) // PPM

    def draw(self, stream: Stream) -> int:
        """One time."""
        ppm = lognormal_ppm(stream.next())
        return self.median_us * (ppm if self.wide else isqrt(ppm * PPM)) // PPM


@dataclass(frozen=True, slots=True)
class Pauses:
    """Around a usual time, and now and then a pause on top: garbage collection, a cold cache, a lock, a slow disk."""

    usual_us: int
    pause_us: int
    pause_ppm: int

    @property
    def mean_us(self) -> int:
        """The mean."""
        return self.usual_us + self.pause_us * self.pause_ppm // PPM

    def draw(self, stream: Stream) -> int:
        """One time: the high half of the number decides the usual part, give or take a tenth, the low half pauses."""
        number = stream.next()
        us = self.usual_us * 9 // 10 + ((number >> 32) * (self.usual_us // 5 + 1) >> 32)
        return us + self.pause_us if (number & 0xFFFF_FFFF) * PPM >> 32 < self.pause_ppm else us


Distribution: TypeAlias = Fixed | Uniform | Exponential | HeavyTail | Pauses


def scaled(us: int, percent: int) -> int:
    """A drawn time of a service that has become slower (or faster): 100 percent changes nothing."""
    return us * percent // 100


# -- places to wait --------------------------------------------------------------------------------------------

GRANTED: Final = "granted"
QUEUED: Final = "queued"
REFUSED: Final = "refused"


class Pool:
    """Permits, and a bounded line before them: workers of a service, connections to a database, a bulkhead.

    Holders are named by numbers that their owner chooses and never uses twice. A permit that is not given back is
    gone for good: that is a bug worth showing, so nothing here repairs it.
    """

    __slots__ = ("held", "line", "newest_first", "queue_max", "refused", "size", "taken")

    def __init__(self, size: int, queue_max: int, newest_first: bool = False) -> None:
        self.size = size
        self.queue_max = queue_max
        self.newest_first = newest_first
        """Serve the newest in line first: under overload the others have given up already."""
        self.held: dict[int, int] = {}
        """holder -> since when"""
        self.line: dict[int, int] = {}
        """who waits -> since when, in the order of arrival"""
        self.taken = 0
        """Permits handed out so far."""
        self.refused = 0

    @property
    def busy(self) -> int:
        """Permits in use. It may exceed the size for a while after that was lowered."""
        return len(self.held)

    def acquire(self, holder: int, now_us: int) -> str:
        """Take a permit or a place in line: ``granted``, ``queued`` or ``refused``."""
        assert holder not in self.held
        assert holder not in self.line
        if len(self.held) < self.size and not self.line:
            self._grant(holder, now_us)
            return GRANTED
        if len(self.line) < self.queue_max:
            self.line[holder] = now_us
            return QUEUED
        self.refused += 1
        return REFUSED

    def release(self, holder: int) -> bool:
        """Give a permit or a place in line back; False if it has neither. Ask ``grant`` who is next."""
        if self.held.pop(holder, None) is not None:
            return True
        return self.line.pop(holder, None) is not None

    def grant(self, now_us: int) -> tuple[int, int] | None:
        """The next in line takes a free permit: who it is, and how long it waited. None if nobody can."""
        if not self.line or len(self.held) >= self.size:
            return None
        holder = next(reversed(self.line)) if self.newest_first else next(iter(self.line))
        since_us = self.line.pop(holder)
        self._grant(holder, now_us)
        return holder, now_us - since_us

    def oldest_wait_us(self, now_us: int) -> int:
        """How long the one who came first has waited."""
        return now_us - next(iter(self.line.values())) if self.line else 0

    def _grant(self, holder: int, now_us: int) -> None:
        self.held[holder] = now_us
        self.taken += 1


# -- how long things took --------------------------------------------------------------------------------------

SUB_BITS: Final = 4
"""A bucket is 1/16 of its power of two wide: a quantile is at most 6 percent off."""


class Latencies:
    """Durations in buckets that widen with the value, as HdrHistogram keeps them; memory does not grow with calls."""

    __slots__ = ("buckets", "count")

    def __init__(self) -> None:
        self.buckets: dict[int, int] = {}
        self.count = 0

    def record(self, us: int) -> None:
        """Count a duration."""
        index = _bucket(us)
        self.buckets[index] = self.buckets.get(index, 0) + 1
        self.count += 1

    def add(self, other: "Latencies") -> None:
        """Count all that another has counted."""
        for index, count in other.buckets.items():
            self.buckets[index] = self.buckets.get(index, 0) + count
        self.count += other.count

    def quantile_us(self, ppm: int) -> int:
        """The smallest bound that at least this share of the durations does not exceed; 0 if there are none."""
        wanted = max(1, -(-self.count * ppm // PPM))
        seen = 0
        for index in sorted(self.buckets):
            seen += self.buckets[index]
            if seen >= wanted:
                return _top(index)
        return 0


def _bucket(us: int) -> int:
    """The bucket of a duration: its exponent, then its leading bits."""
    shift = max(0, us.bit_length() - SUB_BITS - 1)
    return (shift << SUB_BITS) + (us >> shift)


def _top(index: int) -> int:
    """The largest duration of a bucket."""
    if index < 2 << SUB_BITS:
        return index
    shift = (index >> SUB_BITS) - 1
    return ((index - (shift << SUB_BITS) + 1) << shift) - 1


__all__ = [
    "EXPONENTIAL", "GRANTED", "LOGNORMAL", "LOGNORMAL_TAIL", "QUEUED", "REFUSED", "TAIL_AT", "TAIL_TOP",
    "Distribution", "Exponential", "Fixed", "HeavyTail", "Latencies", "Pauses", "Pool", "Uniform", "exponential_ppm",
    "lognormal_ppm", "scaled",
]  # fmt: skip
