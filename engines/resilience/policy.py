"""What a breaker may be told: every knob by which the breakers of this world differ, as a named field.

Breakers share three states and disagree about everything else: what the window holds and which calls count, whether
the threshold itself trips, when judgement is passed, who ends the waiting, how a half-open breaker makes up its
mind, and what becomes of results that arrive too late. Here each of these is a value, so that two libraries can be
compared by running both on the same calls. Shares are parts per million, times are microseconds.
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final

from engines.errors import UserError
from engines.units import PPM, exact
from engines.units import tenths as percent

TIME_MAX_US: Final = 7 * 24 * 3_600 * 1_000_000
CALLS_MAX: Final = 1_000_000


class WindowKind(StrEnum):
    """How results are remembered; ``window.py`` says it in detail."""

    COUNT = "count"
    TIME = "time"
    FIRES = "fires"
    TICK = "tick"
    POLLY = "polly"


class Boundary(StrEnum):
    """Whether the limit itself is already over it."""

    AT = ">="
    ABOVE = ">"


class JudgedOn(StrEnum):
    """When the window is held against the thresholds."""

    RESULT = "every result"
    FAILURE = "a failure"
    TICK = "a timer"


class Waiting(StrEnum):
    """Who ends the waiting of an open breaker."""

    LAZY = "the next call"
    TIMER = "a timer"


class HalfOpenRule(StrEnum):
    """How a half-open breaker makes up its mind."""

    FIRST_RESULT = "the first result"
    RATE = "the rates of the probes"


class LateRule(StrEnum):
    """What the result of a call is worth that started before the last change of state."""

    IGNORED = "counts only if the breaker is closed again"
    AS_ANY = "counts like any other result in the state it finds"


class ReleaseRule(StrEnum):
    """What becomes of a permit whose call ends without a result."""

    RETURNED = "the permit is given back"
    REOPENS = "a half-open breaker opens again"
    SUCCESS = "counts as a success"
    FAILURE = "counts as a failure"


@dataclass(frozen=True, slots=True)
class BreakerOptions:
    """All of it. The defaults are the article's numbers, with the minimum volume that it does not mention."""

    window: WindowKind = WindowKind.TIME
    window_us: int = 10_000_000
    """Length of a window in time."""
    buckets: int = 10
    """Parts of a window in time."""
    size: int = 100
    """Results in a window by count."""
    minimum: int = 20
    """Calls in the window below which nothing is judged."""
    failure_ppm: int = 500_000
    failure_at: Boundary = Boundary.AT
    """Whether a failure rate equal to the threshold trips."""
    slow_us: int = 0
    """A call that took longer is slow; 0: slowness is not judged."""
    slow_ppm: int = PPM
    """Share of slow calls that trips (reaching it is enough)."""
    judged_on: JudgedOn = JudgedOn.RESULT
    wait_us: int = 30_000_000
    """How long an open breaker lets nobody through."""
    wait_at: Boundary = Boundary.AT
    """Whether a call exactly at the end of the waiting is let through (lazy waiting only)."""
    waiting: Waiting = Waiting.LAZY
    probes: int = 1
    """Calls a half-open breaker lets through."""
    half_open: HalfOpenRule = HalfOpenRule.FIRST_RESULT
    half_open_max_us: int = 0
    """How long a breaker may be half-open before it opens again; 0: for ever."""
    late: LateRule = LateRule.IGNORED
    released: ReleaseRule = ReleaseRule.RETURNED
    inner_rejections: bool = False
    """Whether a rejection further in (bulkhead, limiter) is a failure; else it is no result, and ``released`` holds."""
    reset_on_close: bool = True
    """Whether a breaker that closes forgets what it counted before."""
    probe_counts: bool = False
    """Whether the probe that closes it is counted after that, so that the empty window begins with one good call."""
    rejection_reopens: bool = False
    """Whether a call that is turned away while the probes are out opens it again, and starts the wait anew."""

    def __post_init__(self) -> None:
        """UserError for numbers that make no breaker."""
        limits = (
            ("window_us", 1, TIME_MAX_US),
            ("buckets", 1, 1_000),
            ("size", 1, CALLS_MAX),
            ("minimum", 0, CALLS_MAX),
            ("failure_ppm", 1, PPM),
            ("slow_us", 0, TIME_MAX_US),
            ("slow_ppm", 1, PPM),
            ("wait_us", 1, TIME_MAX_US),
            ("probes", 1, 10_000),
            ("half_open_max_us", 0, TIME_MAX_US),
        )
        for name, low, high in limits:
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise UserError(f"breaker: {name} {value!r}: a whole number from {low} to {high} is accepted")
        if self.window is not WindowKind.COUNT and self.window_us < self.buckets:
            raise UserError(
                f"breaker: window_us {self.window_us}: it must be at least 1 us for each of its {self.buckets} buckets"
            )
        if (self.window is WindowKind.TICK) != (self.judged_on is JudgedOn.TICK):
            raise UserError("breaker: a window that is summed up by a timer is judged on it, and no other one is")

    @property
    def needed(self) -> int:
        """The minimum as it is in force: a window by count holds no more than its size."""
        return min(self.minimum, self.size) if self.window is WindowKind.COUNT else self.minimum

    @property
    def probes_needed(self) -> int:
        """Results after which a half-open breaker is judged by its rates."""
        return max(1, min(self.minimum, self.probes))

    def words(self) -> tuple[tuple[str, str], ...]:
        """The options in force, for people: (name, value)."""
        return tuple((each.name, _word(each.name, getattr(self, each.name))) for each in fields(self))


def _word(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and name.endswith("_us"):
        return time_word(value) if value else "off"
    if isinstance(value, int) and name.endswith("_ppm"):
        return percent(value)
    return str(value)


def time_word(us: int) -> str:
    """A time in words, to the millisecond from a second on: ``30 s``, ``1.25 s``, ``500 ms``, ``12 us``."""
    return exact(us if us < 1_000_000 else us - us % 1_000)


__all__ = [
    "PPM", "TIME_MAX_US", "Boundary", "BreakerOptions", "HalfOpenRule", "JudgedOn", "LateRule", "ReleaseRule",
    "Waiting", "WindowKind", "percent", "time_word",
]  # fmt: skip
