"""A bulkhead: so many calls at once and no more, so that one slow callee cannot use up all workers of its caller.

Permits, and optionally a line of callers that wait for one. A permit that is given back goes to the first in line;
who that is, and how long it waits, is the caller's business: the bulkhead counts.

Sources: M. Nygard, Release It!; the semaphore bulkheads of Hystrix and resilience4j.
"""

from typing import NamedTuple

from engines.errors import UserError

LIMIT_MAX = 1_000_000


class Entry(NamedTuple):
    """Whether a call may start, must wait in line, or neither."""

    ok: bool
    queued: bool
    why: str


class Bulkhead:
    """Permits in use never exceed ``limit``, callers in line never ``queue_max``."""

    __slots__ = ("limit", "queue_max", "refused", "used", "waiting")

    def __init__(self, limit: int, queue_max: int = 0) -> None:
        self.used = 0
        self.waiting = 0
        self.refused = 0
        self.retune(limit, queue_max)

    def retune(self, limit: int, queue_max: int) -> int:
        """Other limits; how many in line may start because of it. Calls that run are not interrupted."""
        if not 1 <= limit <= LIMIT_MAX or not 0 <= queue_max <= LIMIT_MAX:
            raise UserError(f"bulkhead: {limit} permits, line of {queue_max}: 1 or more and 0 or more are accepted")
        self.limit = limit
        self.queue_max = queue_max
        start = min(self.waiting, max(0, limit - self.used))
        self.waiting -= start
        self.used += start
        return start

    def acquire(self) -> Entry:
        """A call wants in."""
        if self.used < self.limit and not self.waiting:
            self.used += 1
            return Entry(True, False, "")
        if self.waiting < self.queue_max:
            self.waiting += 1
            return Entry(False, True, f"{self.used} of {self.limit} permits in use: place {self.waiting} in line")
        self.refused += 1
        line = f", {self.waiting} of {self.queue_max} in line" if self.queue_max else ""
        return Entry(False, False, f"bulkhead full: {self.used} of {self.limit} permits in use{line}")

    def release(self) -> bool:
        """A call ended; True: the first in line starts with its permit."""
        assert self.used > 0, "a permit was given back twice"
        if self.waiting and self.used <= self.limit:
            self.waiting -= 1
            return True
        self.used -= 1
        return False

    def give_up(self) -> None:
        """Somebody in line waits no longer."""
        assert self.waiting > 0
        self.waiting -= 1
