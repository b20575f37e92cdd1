"""What happens to questions that are answered beside the log: one record per kind. ``client`` is who asked."""

from enum import Enum
from typing import NamedTuple, TypeAlias

from engines.consensus.raft.messages import Command


class ReadWait(Enum):
    """What a question waits for."""

    COMMIT = "commit"
    """The leader has not committed an entry of its term yet, so it does not know how far the log is committed."""
    ROUND = "round"
    """A majority must acknowledge heartbeats that were sent after it."""
    APPLIED = "applied"
    """The server has not applied enough."""


class ReadHow(Enum):
    """Why a question could be answered."""

    ROUND = "round"
    LEASE = "lease"
    ALONE = "alone"
    """Nobody was asked: the rule ``confirm_reads`` is off."""


class ReadWaits(NamedTuple):
    """A question cannot be answered yet."""

    client: str
    key: str
    why: ReadWait
    round: int
    needs: int
    """What must be applied; 0: not known yet."""


class ReadServed(NamedTuple):
    """A question was answered from the state machine, as it is after ``applied``."""

    client: str
    key: str
    result: int | None
    how: ReadHow
    applied: int
    round: int
    acks: tuple[str, ...]
    """Who had acknowledged the round, besides the leader."""


class ReadGivenUp(NamedTuple):
    """A leader stepped down before it could confirm that it led."""

    client: str
    key: str


class Forwarded(NamedTuple):
    """A follower passed a request on to the leader it knows."""

    client: str
    leader: str
    command: Command


class ReadsSet(NamedTuple):
    """A person chose how questions are answered."""

    mode: str


ReadEvent: TypeAlias = ReadWaits | ReadServed | ReadGivenUp | Forwarded | ReadsSet

__all__ = ["Forwarded", "ReadEvent", "ReadGivenUp", "ReadHow", "ReadServed", "ReadWait", "ReadWaits", "ReadsSet"]
