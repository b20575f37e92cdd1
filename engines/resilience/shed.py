"""Load shedding: a server that cannot answer everybody turns some away at once, instead of being late for all.

A line that never empties is a standing queue: everyone in it waits as long as it is, and gains nothing. Controlled
delay tells it from a burst: if the line has not been empty for a whole interval, nobody may have waited longer than a
short target; otherwise the interval itself is the limit. Serving the newest first under overload helps the same way,
since those are the callers that still wait.

Source: B. Maurer, Fail at Scale, ACM Queue 13(8), 2015, after Nichols and Jacobson, Controlling Queue Delay (CoDel).
"""

from typing import NamedTuple

from engines.errors import UserError
from engines.resilience.policy import TIME_MAX_US, time_word


class Verdict(NamedTuple):
    """Whether a request is served, and why (not)."""

    ok: bool
    why: str


class ControlledDelay:
    """Judges a request when its turn comes, by how long it has waited."""

    __slots__ = ("empty_us", "interval_us", "shed", "target_us")

    def __init__(self, target_us: int = 5_000, interval_us: int = 100_000, now_us: int = 0) -> None:
        if not 1 <= target_us <= interval_us <= TIME_MAX_US:
            raise UserError(
                f"shedding: target {target_us} us, interval {interval_us} us: 1 <= target <= interval is accepted"
            )
        self.target_us = target_us
        self.interval_us = interval_us
        self.empty_us = now_us
        self.shed = 0

    def emptied(self, now_us: int) -> None:
        """The line is empty."""
        self.empty_us = now_us

    def overloaded(self, now_us: int) -> bool:
        """The line has not been empty for more than an interval."""
        return now_us - self.empty_us > self.interval_us

    def limit_us(self, now_us: int) -> int:
        """How long a request may have waited."""
        return self.target_us if self.overloaded(now_us) else self.interval_us

    def judge(self, now_us: int, waited_us: int) -> Verdict:
        """A request's turn has come."""
        limit_us = self.limit_us(now_us)
        if waited_us <= limit_us:
            return Verdict(True, "")
        self.shed += 1
        why = f"waited {time_word(waited_us)}, at most {time_word(limit_us)}"
        if self.overloaded(now_us):
            why += f" while the line has not been empty for {time_word(self.interval_us)}"
        return Verdict(False, why)


class WaitLimit:
    """The plain rule: nobody who has waited longer than this is served."""

    __slots__ = ("limit_us", "shed")

    def __init__(self, limit_us: int) -> None:
        if not 1 <= limit_us <= TIME_MAX_US:
            raise UserError(f"shedding: limit {limit_us} us: 1 to {TIME_MAX_US} is accepted")
        self.limit_us = limit_us
        self.shed = 0

    def judge(self, now_us: int, waited_us: int) -> Verdict:
        """A request's turn has come."""
        if waited_us <= self.limit_us:
            return Verdict(True, "")
        self.shed += 1
        return Verdict(False, f"waited {time_word(waited_us)}, at most {time_word(self.limit_us)}")
