"""What a visitor may use, who may come in, and who has had enough. Plain numbers; told the time.

Three counts guard the door. *Connections* that have not logged in are few and short-lived, so nobody can fill the
server by not logging in. *Visits* are counted in all and by address. *Failed logins* are counted by address over a
window of time; who has too many is not let in until the oldest of them are forgotten.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Final

ADDRESSES_MAX: Final = 10_000
"""Addresses whose failures are remembered; beyond them the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits, in seconds, MB and counts."""

    sessions: int = 50
    per_address: int = 20
    waiting: int = 40
    """Connections that have not logged in."""
    login_s: float = 20.0
    """How long a connection may take to log in, and after that be without a terminal."""
    tries: int = 6
    """Keys that one connection may offer in vain."""
    failures: int = 30
    """Failed logins of one address within `failure_window_s`."""
    failure_window_s: float = 600.0
    idle_s: float = 15 * 60.0
    total_s: float = 2 * 60 * 60.0
    stalled_s: float = 60.0
    """How long a client may take none of what is written to it."""
    cpu_s: int = 20 * 60
    """Processor time of a visitor's app."""
    memory_mb: int = 1_024
    """Address space of a visitor's app: about ten times what it touches."""


class Book:
    """Who is there now, and who failed lately."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.waiting = 0
        """Connections that have not logged in."""
        self.visits: Counter[str] = Counter()
        self.opened = 0
        """Visits so far."""
        self._failures: dict[str, deque[float]] = {}

    @property
    def present(self) -> int:
        """Visits there are now."""
        return self.visits.total()

    def knock(self, address: str, now_s: float) -> str:
        """A connection has come; why it may not stay, or nothing. Who stays must `answer` or `go`."""
        if self.waiting >= self.limits.waiting:
            return "too many connections have not logged in"
        if len(self._recent(address, now_s)) >= self.limits.failures:
            return "too many failed logins from this address"
        self.waiting += 1
        return ""

    def go(self) -> None:
        """A connection that knocked has logged in, or has left."""
        self.waiting -= 1

    def failed(self, address: str, now_s: float) -> None:
        """A login has failed."""
        self._recent(address, now_s).append(now_s)
        while len(self._failures) > ADDRESSES_MAX:
            del self._failures[next(iter(self._failures))]

    def enter(self, address: str) -> str:
        """A visit begins; why it may not, or nothing. Who entered must `leave`."""
        if self.present >= self.limits.sessions:
            return f"all {self.limits.sessions} places are taken; please try again later"
        if self.visits[address] >= self.limits.per_address:
            return f"{self.limits.per_address} visits from your address are all there may be; please try again later"
        self.visits[address] += 1
        self.opened += 1
        return ""

    def leave(self, address: str) -> None:
        """A visit has ended."""
        self.visits[address] -= 1
        if not self.visits[address]:
            del self.visits[address]

    def _recent(self, address: str, now_s: float) -> deque[float]:
        """The failures of an address that still count."""
        recent = self._failures.pop(address, None)
        recent = deque(maxlen=self.limits.failures) if recent is None else recent
        while recent and now_s - recent[0] >= self.limits.failure_window_s:
            recent.popleft()
        self._failures[address] = recent  # as the newest
        if not recent and len(self._failures) > ADDRESSES_MAX:
            del self._failures[next(iter(self._failures))]
        return recent
