"""Hedged requests: ask a second server when the first takes longer than most, and take the answer that comes first.

The delay is a quantile of the latencies seen lately, so at p95 about one call in twenty is asked twice: that is what
it costs. A cap on the share of hedged calls keeps a slow service, where *every* call is slower than its past, from
being asked for twice the work.

Source: J. Dean and L. A. Barroso, The Tail at Scale, CACM 56(2), 2013.
"""

from bisect import bisect_left, insort
from collections import deque
from typing import NamedTuple

from engines.errors import UserError
from engines.resilience.policy import PPM, percent, time_word


class Permission(NamedTuple):
    """Whether a second request may go out, and why (not)."""

    ok: bool
    why: str


class Hedge:
    """The last ``size`` latencies, kept in order, and how many calls were hedged."""

    __slots__ = ("calls", "cap_ppm", "hedged", "minimum", "quantile_ppm", "recent", "size", "sorted_us")

    def __init__(self, quantile_ppm: int = 950_000, size: int = 500, minimum: int = 20, cap_ppm: int = 100_000) -> None:
        if not 0 < quantile_ppm < PPM or not 1 <= minimum <= size <= 10_000 or not 0 <= cap_ppm <= PPM:
            raise UserError(
                f"hedge: quantile {quantile_ppm} ppm of {minimum} to {size} latencies, at most {cap_ppm} ppm of the "
                f"calls: a quantile between 0 and {PPM}, 1 <= minimum <= size <= 10000 and a share are accepted"
            )
        self.quantile_ppm = quantile_ppm
        self.size = size
        self.minimum = minimum
        self.cap_ppm = cap_ppm
        self.recent: deque[int] = deque()
        self.sorted_us: list[int] = []
        self.calls = 0
        self.hedged = 0

    def record(self, duration_us: int) -> None:
        """An answer came after this long."""
        if len(self.recent) == self.size:
            del self.sorted_us[bisect_left(self.sorted_us, self.recent.popleft())]
        self.recent.append(duration_us)
        insort(self.sorted_us, duration_us)

    def delay_us(self) -> int | None:
        """When to ask again: the quantile (nearest rank), once there are latencies enough."""
        count = len(self.sorted_us)
        if count < self.minimum:
            return None
        return self.sorted_us[max(0, -(-count * self.quantile_ppm // PPM) - 1)]

    def begin(self) -> None:
        """A call starts."""
        self.calls += 1

    def ask(self) -> Permission:
        """The delay of a call has passed: may it be hedged?"""
        if (self.hedged + 1) * PPM > self.cap_ppm * max(self.calls, 1):
            return Permission(False, f"{self.hedged} of {self.calls} calls hedged, at most {percent(self.cap_ppm)}")
        self.hedged += 1
        delay_us = self.delay_us()
        exactly = "" if delay_us is None else f" ({time_word(delay_us)})"
        return Permission(True, f"slower than {percent(self.quantile_ppm)} of the last calls{exactly}")
