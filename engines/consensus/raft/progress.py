"""What a leader knows of one other server, and how it therefore sends to it.

``probe``       the logs are not known to agree: one message at a time, until one is accepted
``replicate``   they agree up to ``match_index``: entries are sent at once, ``next_index`` runs ahead of the answers, by
                no more messages than the window holds
``snapshot``    the entries it needs are gone: pieces of a snapshot, one at a time, and no entries

A server that is to be let in catches up in rounds (dissertation 4.2.1). A round sends all that the leader holds at its
start. Rounds shorten as long as the link is faster than the clients; the server is let in when one took less than an
election timeout, and turned away if ten did not get there.

A new leader begins optimistically, in ``replicate`` right behind the end of its own log; the first refusal leads to
``probe``, and the next success back again. (The words are those of etcd's ``tracker``.)
"""

from enum import Enum
from typing import Final

from engines.consensus.raft.messages import LogSnapshot


class ProgressState(Enum):
    """How entries are sent to a server."""

    PROBE = "probe"
    REPLICATE = "replicate"
    SNAPSHOT = "snapshot"


class PeerProgress:
    """One server, as its leader sees it."""

    __slots__ = ("heard_at_us", "inflight", "match_index", "next_index", "offset", "snapshot", "state")

    def __init__(self, next_index: int, heard_at_us: int | None = None) -> None:
        self.state = ProgressState.REPLICATE
        self.next_index = next_index
        """The next entry to send to it."""
        self.match_index = 0
        """The last entry it is known to hold as the leader does. It never falls."""
        self.inflight: list[int] = []
        """The last index of each message with entries that it has not answered."""
        self.snapshot: LogSnapshot | None = None
        """What is being sent to it instead of entries."""
        self.offset = 0
        """How many rows of that it is known to have."""
        self.heard_at_us = heard_at_us
        """When it last answered in this term; None: never."""

    @property
    def probing(self) -> bool:
        """Whether it gets one entry at a time."""
        return self.state is ProgressState.PROBE

    def sent(self, index: int) -> None:
        """A message with entries up to an index is on its way; the next one begins behind it."""
        self.next_index = index + 1
        self.inflight.append(index)

    def confirm(self, index: int) -> None:
        """It holds everything up to an index, and did not before."""
        self.match_index = index
        inflight = self.inflight
        while inflight and inflight[0] <= index:
            del inflight[0]

    def probe(self, next_index: int) -> None:
        """Try here, and wait for its word."""
        self.state = ProgressState.PROBE
        self.next_index = next_index
        self.inflight.clear()
        self.snapshot = None

    def replicate(self) -> None:
        """The place where the logs agree is found: send what follows it."""
        self.state = ProgressState.REPLICATE
        self.next_index = self.match_index + 1
        self.inflight.clear()
        self.snapshot = None

    def transfer(self, snapshot: LogSnapshot) -> None:
        """What it needs is gone: it gets this, from the beginning."""
        self.state = ProgressState.SNAPSHOT
        self.inflight.clear()
        self.snapshot = snapshot
        self.offset = 0


ROUNDS_MAX: Final = 10


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


__all__ = ["ROUNDS_MAX", "PeerProgress", "ProgressState", "Round", "Rounds"]
