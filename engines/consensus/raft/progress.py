"""What a leader knows of one other server, and how it therefore sends to it.

``probe``       the logs are not known to agree: one message at a time, until one is accepted
``replicate``   they agree up to ``match_index``: entries are sent at once, ``next_index`` runs ahead of the answers

A new leader begins optimistically, in ``replicate`` right behind the end of its own log; the first refusal leads to
``probe``, and the next success back again. (The words are those of etcd's ``tracker``.)
"""

from enum import Enum


class ProgressState(Enum):
    """How entries are sent to a server."""

    PROBE = "probe"
    REPLICATE = "replicate"


class PeerProgress:
    """One server, as its leader sees it."""

    __slots__ = ("heard_at_us", "match_index", "next_index", "state")

    def __init__(self, next_index: int, heard_at_us: int | None = None) -> None:
        self.state = ProgressState.REPLICATE
        self.next_index = next_index
        """The next entry to send to it."""
        self.match_index = 0
        """The last entry it is known to hold as the leader does. It never falls."""
        self.heard_at_us = heard_at_us
        """When it last answered in this term; None: never."""

    @property
    def probing(self) -> bool:
        """Whether it gets one message at a time."""
        return self.state is ProgressState.PROBE

    def probe(self, next_index: int) -> None:
        """It refused: try here, and wait for its word."""
        self.state = ProgressState.PROBE
        self.next_index = next_index

    def replicate(self) -> None:
        """The place where the logs agree is found: send what follows it."""
        self.state = ProgressState.REPLICATE
        self.next_index = self.match_index + 1


__all__ = ["PeerProgress", "ProgressState"]
