"""Load that changes over time: curves of calls per second, and when the next call comes under one.

Rates are in calls per 1000 s, so that whole numbers are fine enough. Nothing here knows the time or draws a number:
whoever makes the calls passes both in.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from engines.units import PPM, US_PER_S


def interpolate(low: int, high: int, part: int, whole: int) -> int:
    """The value at ``part`` of the ``whole`` way from one to another."""
    return low + (high - low) * part // whole


@dataclass(frozen=True, slots=True)
class Constant:
    """The same rate for ever."""

    per_ks: int

    def at(self, now_us: int) -> int:
        """The rate at this time."""
        return self.per_ks


@dataclass(frozen=True, slots=True)
class StepUp:
    """One rate, and from a moment on another."""

    before_per_ks: int
    after_per_ks: int
    at_us: int

    def at(self, now_us: int) -> int:
        """The rate at this time."""
        return self.after_per_ks if now_us >= self.at_us else self.before_per_ks


@dataclass(frozen=True, slots=True)
class Ramp:
    """From one rate to another, evenly."""

    before_per_ks: int
    after_per_ks: int
    from_us: int
    until_us: int

    def at(self, now_us: int) -> int:
        """The rate at this time."""
        done = min(max(now_us - self.from_us, 0), self.until_us - self.from_us)
        return interpolate(self.before_per_ks, self.after_per_ks, done, max(1, self.until_us - self.from_us))


@dataclass(frozen=True, slots=True)
class Pulse:
    """A rate, and another one for a while."""

    base_per_ks: int
    peak_per_ks: int
    at_us: int
    for_us: int

    def at(self, now_us: int) -> int:
        """The rate at this time."""
        return self.peak_per_ks if self.at_us <= now_us < self.at_us + self.for_us else self.base_per_ks


QUARTER_SINE: Final = (
    0, 98_017, 195_090, 290_285, 382_683, 471_397, 555_570, 634_393, 707_107, 773_010, 831_470, 881_921, 923_880,
    956_940, 980_785, 995_185, 1_000_000,
)  # fmt: skip
"""sin(i/16 of a right angle) in millionths."""


def sine_ppm(part: int, whole: int) -> int:
    """The sine of ``part`` of a ``whole`` turn, in millionths."""
    quarter, rest = divmod(part % whole * 4, whole)
    if quarter % 2:
        rest = whole - rest
    index, fraction = divmod(rest * 16, whole)
    value = QUARTER_SINE[index]
    if fraction:
        value = interpolate(value, QUARTER_SINE[index + 1], fraction, whole)
    return -value if quarter >= 2 else value


@dataclass(frozen=True, slots=True)
class Sine:
    """A day: the rate swings around its mean, and begins there, rising."""

    mean_per_ks: int
    swing_per_ks: int
    period_us: int

    def at(self, now_us: int) -> int:
        """The rate at this time."""
        return max(0, self.mean_per_ks + self.swing_per_ks * sine_ppm(now_us, self.period_us) // PPM)


Curve: TypeAlias = Constant | StepUp | Ramp | Pulse | Sine

SHAPES: Final = ("off", "steady", "ramp", "pulse", "wave")


def shaped(shape: str, low_per_ks: int, high_per_ks: int, span_us: int, now_us: int) -> Curve:
    """A load by the name of its shape, from now on: at one rate, up to another, or between the two."""
    match shape:
        case "off":
            return Constant(0)
        case "steady":
            return Constant(low_per_ks)
        case "ramp":
            return Ramp(low_per_ks, high_per_ks, now_us, now_us + span_us)
        case "pulse":
            return Pulse(low_per_ks, high_per_ks, now_us, span_us)
        case "wave":
            return Sine((low_per_ks + high_per_ks) // 2, (high_per_ks - low_per_ks) // 2, span_us)
    raise AssertionError(f"no load of shape {shape!r}")


SLICE_US: Final = 20_000
"""A curve counts as level for so long."""
KILOSECOND_US: Final = 1_000 * US_PER_S


def gap_us(curve: Curve, now_us: int, calls_ppm: int, longest_us: int = 10 * US_PER_S) -> int:
    """How long until the area under the curve has grown by ``calls_ppm`` millionths of a call.

    With ``PPM`` it is an evenly paced load; with ``exponential_ppm`` of a draw it is a Poisson process of that
    rate. ``longest_us`` if there are not as many calls until then: ask again at that time.
    """
    left = calls_ppm * (KILOSECOND_US // PPM)
    passed = 0
    while passed < longest_us:
        rate = curve.at(now_us + passed)
        if rate * SLICE_US >= left:
            return max(1, passed + left // rate)
        left -= rate * SLICE_US
        passed += SLICE_US
    return longest_us


__all__ = [
    "SHAPES", "Constant", "Curve", "Pulse", "Ramp", "Sine", "StepUp", "gap_us", "interpolate", "shaped", "sine_ppm",
]  # fmt: skip
