"""A token bucket: calls spend tokens, which come at a steady rate up to a burst.

The level is kept in millionths of a token, so that a rate in tokens a second adds whole numbers in every microsecond
and nothing is rounded, however often it is asked.

Source: Turner, New directions in communications, IEEE Communications 24(10), 1986 (the leaky bucket as a meter).
"""

from typing import Final, NamedTuple

from engines.errors import UserError

TOKEN: Final = 1_000_000
"""Millionths of a token."""
RATE_MAX: Final = 10_000_000


class Taken(NamedTuple):
    """Whether there was a token; else when there will be one."""

    ok: bool
    wait_us: int
    why: str


class TokenBucket:
    """At most ``burst`` calls at once and ``rate_per_s`` a second in the long run."""

    __slots__ = ("at_us", "burst", "level", "rate_per_s", "refused")

    def __init__(self, rate_per_s: int, burst: int, now_us: int = 0) -> None:
        self.at_us = now_us
        self.refused = 0
        self._accept(rate_per_s, burst)
        self.level = burst * TOKEN

    def _accept(self, rate_per_s: int, burst: int) -> None:
        if not 1 <= rate_per_s <= RATE_MAX or not 1 <= burst <= RATE_MAX:
            raise UserError(f"limiter: {rate_per_s} a second, burst {burst}: 1 to {RATE_MAX} are accepted")
        self.rate_per_s = rate_per_s
        self.burst = burst

    def retune(self, rate_per_s: int, burst: int, now_us: int) -> None:
        """Another rate from now on; what is in the bucket stays, up to the new burst."""
        level = self._level(now_us)
        self._accept(rate_per_s, burst)
        self.at_us = now_us
        self.level = min(level, burst * TOKEN)

    def _level(self, now_us: int) -> int:
        return min(self.burst * TOKEN, self.level + (now_us - self.at_us) * self.rate_per_s)

    def tokens(self, now_us: int) -> int:
        """Whole tokens there are; changes nothing."""
        return self._level(now_us) // TOKEN

    def take(self, now_us: int) -> Taken:
        """Spend a token, if there is one."""
        level = self._level(now_us)
        self.at_us = now_us
        if level >= TOKEN:
            self.level = level - TOKEN
            return Taken(True, 0, "")
        self.level = level
        self.refused += 1
        wait_us = -(-(TOKEN - level) // self.rate_per_s)
        return Taken(False, wait_us, f"no token: {self.rate_per_s} a second, the next one in {wait_us} us")
