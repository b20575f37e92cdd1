"""Retries: how long to wait before the next attempt, and when not to try again at all.

A retry that everybody makes is load. With r retries at each of L layers a failing leaf sees (1 + r) ** L calls for
every call of a client. Waiting spreads the attempts out, jitter keeps clients from coming back together, and a
*budget* caps what retries may add: near 1 + ratio, however many layers there are.

``attempt`` is the number of attempts that have failed, from 1; ``previous_us`` is the last delay, 0 at first. ``draw``
gives a whole number between two, both included: ``random.randint`` is one.

Sources: M. Brooker, Exponential Backoff And Jitter (AWS, 2015): full, equal and decorrelated jitter; Finagle's
RetryBudget (a token bucket of deposits that expire); Envoy's retry budget (a share of the active requests).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from engines.errors import UserError
from engines.resilience.policy import PPM, TIME_MAX_US, percent

DOUBLINGS_MAX: Final = 62


Draw: TypeAlias = Callable[[int, int], int]


def _accept(base_us: int, cap_us: int) -> None:
    if not 0 <= base_us <= cap_us <= TIME_MAX_US:
        raise UserError(f"retry: base {base_us} us, cap {cap_us} us: 0 <= base <= cap <= {TIME_MAX_US} is accepted")


def exponential_us(base_us: int, cap_us: int, attempt: int) -> int:
    """min(cap, base * 2 ** (attempt - 1))."""
    return min(cap_us, base_us << min(attempt - 1, DOUBLINGS_MAX))


@dataclass(frozen=True, slots=True)
class FixedBackoff:
    """The same every time; the base is the delay."""

    base_us: int = 100_000
    cap_us: int = TIME_MAX_US

    def __post_init__(self) -> None:
        """UserError for numbers out of range."""
        _accept(self.base_us, self.cap_us)

    def delay_us(self, attempt: int, previous_us: int, draw: Draw) -> int:
        """The base."""
        return self.base_us


@dataclass(frozen=True, slots=True)
class ExponentialBackoff(FixedBackoff):
    """Twice as long every time: min(cap, base * 2 ** (attempt - 1))."""

    cap_us: int = 10_000_000

    def delay_us(self, attempt: int, previous_us: int, draw: Draw) -> int:
        """Without jitter: clients that failed together come back together."""
        return exponential_us(self.base_us, self.cap_us, attempt)


@dataclass(frozen=True, slots=True)
class FullJitter(ExponentialBackoff):
    """Anything from nothing to the exponential delay."""

    def delay_us(self, attempt: int, previous_us: int, draw: Draw) -> int:
        """U(0, exponential)."""
        return draw(0, exponential_us(self.base_us, self.cap_us, attempt))


@dataclass(frozen=True, slots=True)
class EqualJitter(ExponentialBackoff):
    """Half of the exponential delay for certain, the other half at random."""

    def delay_us(self, attempt: int, previous_us: int, draw: Draw) -> int:
        """exponential / 2 + U(0, exponential / 2)."""
        whole_us = exponential_us(self.base_us, self.cap_us, attempt)
        return whole_us - whole_us // 2 + draw(0, whole_us // 2)


@dataclass(frozen=True, slots=True)
class Decorrelated(ExponentialBackoff):
    """From the base to three times the last delay, up to the cap."""

    def delay_us(self, attempt: int, previous_us: int, draw: Draw) -> int:
        """min(cap, U(base, 3 * previous))."""
        high_us = max(self.base_us, 3 * (previous_us or self.base_us))
        return min(self.cap_us, draw(self.base_us, high_us))


BACKOFFS: Final[dict[str, type[FixedBackoff]]] = {
    "fixed": FixedBackoff,
    "exponential": ExponentialBackoff,
    "full-jitter": FullJitter,
    "equal-jitter": EqualJitter,
    "decorrelated": Decorrelated,
}
"""By the names of the literature."""


def amplification(retries: int, layers: int) -> int:
    """Attempts at the leaf for one call of a client when everything fails: (1 + r) ** L."""
    calls: int = (1 + retries) ** layers
    return calls


class Denial(Enum):
    """What does not allow a retry."""

    BUDGET = "budget"
    """A share of the calls may be retries, and it is used up."""
    UNDER_WAY = "requests under way"
    """A share of the requests under way may be retries, and it is used up."""
    CAP = "cap"
    """So many retries may be under way, and they are."""


class Grant(NamedTuple):
    """Whether a retry may be made, with the numbers that decide it."""

    ok: bool
    by: Denial
    used: int
    """Retries left (of a budget), or under way."""
    allowed: int
    """The share in parts per million (of a budget), or retries that may be under way."""
    active: int = 0
    """Requests under way."""

    @property
    def why(self) -> str:
        """In words."""
        match self.by:
            case Denial.BUDGET if self.ok:
                return f"{self.used} retries left in the budget"
            case Denial.BUDGET:
                return f"retry budget of {percent(self.allowed)} used up"
            case Denial.UNDER_WAY if self.ok:
                return f"{self.used} of {self.allowed} retries under way"
            case Denial.UNDER_WAY:
                return f"{self.used} retries under way, {self.allowed} allowed for {self.active} requests"
            case Denial.CAP:
                return f"overflow: {self.used} of {self.allowed} retries"


class RetryBudget:
    """A share of the calls may be retries, and a few a second always (Finagle's budget).

    Every call deposits ``ratio_ppm`` of a retry, which expires after ``ttl_us``; ``min_per_s`` retries a second are
    in reserve, so that a quiet client may retry too. A retry withdraws a whole one. Amounts are kept in millionths.
    """

    __slots__ = ("balance", "bins", "edge_us", "min_per_s", "ratio_ppm", "ttl_us", "width_us")

    BINS: Final = 10

    def __init__(self, ratio_ppm: int = 200_000, min_per_s: int = 3, ttl_us: int = 10_000_000, now_us: int = 0) -> None:
        if not 0 <= ratio_ppm <= 1_000 * PPM or not 0 <= min_per_s <= 1_000_000 or ttl_us < self.BINS:
            raise UserError(
                f"retry budget: ratio {ratio_ppm} ppm, {min_per_s} a second, over {ttl_us} us: a ratio from 0 to "
                "1000, 0 to 1000000 retries a second and 10 us or more are accepted"
            )
        self.ratio_ppm = ratio_ppm
        self.min_per_s = min_per_s
        self.ttl_us = ttl_us
        self.width_us = ttl_us // self.BINS
        self.bins: deque[int] = deque([0] * self.BINS, maxlen=self.BINS)
        self.balance = 0
        self.edge_us = now_us + self.width_us

    @property
    def reserve(self) -> int:
        """Millionths of a retry that are always there within one time to live."""
        return self.min_per_s * self.ttl_us

    def _advance(self, now_us: int) -> None:
        steps = min((now_us - self.edge_us) // self.width_us + 1, self.BINS)
        self.edge_us += ((now_us - self.edge_us) // self.width_us + 1) * self.width_us
        for _ in range(steps):
            self.balance -= self.bins[0]
            self.bins.append(0)

    def deposit(self, now_us: int) -> None:
        """A first attempt was made."""
        if now_us >= self.edge_us:
            self._advance(now_us)
        self.balance += self.ratio_ppm
        self.bins[-1] += self.ratio_ppm

    def available(self, now_us: int) -> int:
        """Whole retries that could be made now; changes nothing."""
        steps = 0 if now_us < self.edge_us else min((now_us - self.edge_us) // self.width_us + 1, self.BINS)
        gone = sum(list(self.bins)[:steps])
        return max(0, (self.balance - gone + self.reserve) // PPM)

    def withdraw(self, now_us: int) -> Grant:
        """A retry is wanted."""
        if now_us >= self.edge_us:
            self._advance(now_us)
        left = self.balance + self.reserve
        if left < PPM:
            return Grant(False, Denial.BUDGET, 0, self.ratio_ppm)
        self.balance -= PPM
        self.bins[-1] -= PPM
        return Grant(True, Denial.BUDGET, left // PPM - 1, self.ratio_ppm)


class ActiveBudget:
    """Retries under way may be a share of the requests under way, or a few (Envoy's budget: 20 %, at least 3)."""

    __slots__ = ("active", "minimum", "ratio_ppm", "retries")

    def __init__(self, ratio_ppm: int = 200_000, minimum: int = 3) -> None:
        if not 0 <= ratio_ppm <= PPM or minimum < 0:
            raise UserError(f"retry budget: {ratio_ppm} ppm, at least {minimum}: 0 to {PPM} and 0 or more are accepted")
        self.ratio_ppm = ratio_ppm
        self.minimum = minimum
        self.active = 0
        self.retries = 0

    @property
    def allowed(self) -> int:
        """Retries that may be under way at once, as things are."""
        return max(self.minimum, self.active * self.ratio_ppm // PPM)

    def begin(self) -> None:
        """A request, first attempt or retry, is under way."""
        self.active += 1

    def end(self, retry: bool = False) -> None:
        """It is over."""
        assert self.active > 0
        self.active -= 1
        if retry:
            assert self.retries > 0
            self.retries -= 1

    def withdraw(self) -> Grant:
        """A retry is wanted; if granted it counts until ``end(retry=True)``."""
        if self.retries >= self.allowed:
            return Grant(False, Denial.UNDER_WAY, self.retries, self.allowed, self.active)
        self.retries += 1
        self.active += 1
        return Grant(True, Denial.UNDER_WAY, self.retries, self.allowed, self.active)


class Decision(NamedTuple):
    """Whether and when to try again."""

    again: bool
    delay_us: int
    why: str


@dataclass(frozen=True, slots=True)
class Retry:
    """At most ``retries`` more attempts, spaced by the backoff."""

    retries: int = 3
    backoff: FixedBackoff = FullJitter()

    def __post_init__(self) -> None:
        """UserError for numbers out of range."""
        if not 0 <= self.retries <= 100:
            raise UserError(f"retry: {self.retries} retries: 0 to 100 are accepted")

    def decide(self, attempt: int, previous_us: int, draw: Draw, left_us: int | None = None) -> Decision:
        """After ``attempt`` failed attempts; ``left_us`` is what the deadline leaves, if there is one."""
        if attempt > self.retries:
            return Decision(False, 0, f"{attempt} attempts failed, {self.retries} retries allowed")
        delay_us = self.backoff.delay_us(attempt, previous_us, draw)
        if left_us is not None and delay_us >= left_us:
            return Decision(False, 0, f"the delay of {delay_us} us would end after the deadline, {left_us} us left")
        return Decision(True, delay_us, f"retry {attempt} of {self.retries} after {delay_us} us")
