"""The rounds in which a new server catches up (dissertation 4.2.1), and the reasons for saying no.

A round sends all that the leader holds at its start. Rounds shorten as long as the link is faster than the clients; the
server is let in when one took less than an election timeout, and turned away if ten did not get there.
"""

from enum import Enum
from typing import Final

ROUNDS_MAX: Final = 10


class Refusal(Enum):
    """Why a leader, or who was taken for one, does not make a change or hand over."""

    NOT_LEADER = "not_leader"
    PENDING = "pending"
    """A change is under way."""
    EARLY = "early"
    """It has committed nothing in its term yet."""
    TRANSFERRING = "transferring"
    """It hands its office over."""
    IMPOSSIBLE = "impossible"
    """The configuration does not allow it (``quorum.Refused``)."""
    TIMEOUT = "timeout"
    """The new server does not catch up, or the target did not take over."""
    NO_VOTER = "no_voter"
    """The target of a transfer must be a voter."""
    CHANGED = "changed"
    """The target left the voters while the transfer was under way."""
    DEPOSED = "deposed"
    """The leader stepped down before it was done."""


class Round(Enum):
    """How the catching up of a new server goes on."""

    GOING = "going"
    NEXT = "next"
    CAUGHT_UP = "caught_up"
    TOO_SLOW = "too_slow"


class Rounds:
    """The rounds of one new server; times are the leader's own."""

    __slots__ = ("goal", "number", "since_us", "took_us")

    def __init__(self, goal: int, now_us: int) -> None:
        self.number = 1
        self.goal = goal
        """The leader's last index when the round began."""
        self.since_us = now_us
        self.took_us = 0
        """What the last full round took."""

    def reached(self, match: int, last: int, now_us: int, timeout_us: int) -> Round:
        """The server holds the log up to ``match``; the leader's ends at ``last``."""
        if match < self.goal:
            return Round.GOING
        self.took_us = now_us - self.since_us
        if self.took_us < timeout_us:
            return Round.CAUGHT_UP
        if self.number == ROUNDS_MAX:
            return Round.TOO_SLOW
        self.number += 1
        self.goal = last
        self.since_us = now_us
        return Round.NEXT


__all__ = ["ROUNDS_MAX", "Refusal", "Round", "Rounds"]
