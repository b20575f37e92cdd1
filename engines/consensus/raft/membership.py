"""Which configuration rules, and how a server comes in: dissertation, chapter 4.

A configuration is an entry of the log. The newest one *in the log* rules, from the moment it is appended, committed or
not; if the entry is truncated, the one before it rules again (4.1). There is one change at a time: the next is taken
only after the former has committed, and only by a leader that has committed an entry of its own term (the mend of 2015
to the dissertation: without it two leaders can change the same configuration in two ways, whose majorities are apart).

A new server is brought up to date before it counts, in *rounds*: a round sends all that the leader holds at its start.
Rounds shorten as long as the link is faster than the clients; the server is let in when one took less than an election
timeout, and turned away if ten did not get there (4.2.1).

This module is told everything and does nothing: who sends and waits is in changes.py.
"""

from enum import Enum
from typing import Final

from engines.consensus.raft.quorum import Configuration

ROUNDS_MAX: Final = 10


class Configurations:
    """The configurations of a log by index, oldest first. The first of them, the *base*, is committed."""

    __slots__ = ("known",)

    def __init__(self, base: Configuration, index: int = 0) -> None:
        self.known: list[tuple[int, Configuration]] = [(index, base)]

    @property
    def newest(self) -> Configuration:
        """The last one in the log."""
        return self.known[-1][1]

    @property
    def index(self) -> int:
        """Where the newest stands; 0 (or the end of the snapshot) if the log holds none."""
        return self.known[-1][0]

    def append(self, index: int, configuration: Configuration) -> None:
        """An entry with a configuration was appended."""
        assert index > self.index, f"a configuration at {index} does not follow one at {self.index}"
        self.known.append((index, configuration))

    def truncate(self, last: int) -> bool:
        """The log ends at ``last`` now. Whether a configuration went with the rest."""
        before = len(self.known)
        while len(self.known) > 1 and self.index > last:
            self.known.pop()
        return len(self.known) < before

    def at(self, index: int) -> tuple[int, Configuration]:
        """The newest at or before an index, and where it stands."""
        return next(each for each in reversed(self.known) if each[0] <= index or each is self.known[0])

    def compact(self, index: int) -> None:
        """The log begins behind ``index``: what ruled there is the base."""
        base = self.at(index)
        self.known = [base, *(each for each in self.known if each[0] > max(index, base[0]))]

    def replace(self, base: Configuration, index: int) -> None:
        """The whole log was replaced by a snapshot."""
        self.known = [(index, base)]

    def possible(self, commit: int) -> tuple[Configuration, ...]:
        """Those that may be in force somewhere: the newest known committed one, and all after it."""
        first = self.at(commit)[0]
        return tuple(configuration for index, configuration in self.known if index >= first)

    def votes(self, server: str, commit: int) -> bool:
        """Whether the server counts in any that may be in force: only then may it stand for election.

        So also a removed server may, as long as it does not know its removal committed: it may be the only one whose
        log lets it win, and so the only one that can finish the change (4.2.2).
        """
        return any(each.votes(server) for each in self.possible(commit))


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


__all__ = ["ROUNDS_MAX", "Configurations", "Refusal", "Round", "Rounds"]
