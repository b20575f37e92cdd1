"""What happens when a cluster changes its members or hands its leadership over: one record per kind.

``src`` is the other server or client; the node it happened to stands on the event itself. A configuration is a record
of quorum.py, a change a ``Change``.
"""

from typing import NamedTuple, TypeAlias

from engines.consensus.raft.messages import Refusal
from engines.consensus.raft.progress import Round
from engines.consensus.raft.quorum import Change, Configuration

# -- membership ------------------------------------------------------------------------------------------------


class ServerStarted(NamedTuple):
    """A new machine with an empty log and no configuration: it waits to be written to."""


class ChangeAsked(NamedTuple):
    """A person asks ``target`` for a change; none: to leave the joint configuration."""

    target: str
    changes: tuple[Change, ...]
    joint: bool


class ChangeDenied(NamedTuple):
    """A server does not make the change that ``src`` asks for."""

    src: str
    changes: tuple[Change, ...]
    why: Refusal
    entry: int
    """The entry that is in the way: a configuration that has not committed; 0: none."""
    configuration: Configuration


class ChangeAnswered(NamedTuple):
    """A person is told by ``src`` how a change ended; ``why`` it was not made, or None."""

    src: str
    why: Refusal | None
    leader: str
    """Whom to ask instead, if it knows."""


class CatchUpBegan(NamedTuple):
    """A leader brings a new server up to date, before it counts."""

    server: str
    goal: int


class RoundEnded(NamedTuple):
    """The new server holds what the leader held when the round began."""

    server: str
    number: int
    goal: int
    took_us: int
    within_us: int
    """The last round must take less than this."""
    how: Round
    last: int
    """Where the leader's log ends by now."""


class CatchUpFailed(NamedTuple):
    """The new server has not answered for so long that the leader gives it up."""

    server: str
    silent_us: int


class ConfigurationAppended(NamedTuple):
    """A leader appended a configuration: it rules from now on, committed or not (or, by rule, from its commit on)."""

    entry: int
    term: int
    before: Configuration
    after: Configuration
    at_once: bool
    """Whether it rules from the append on."""


class ConfigurationAdopted(NamedTuple):
    """A server goes by another configuration, for an entry was stored or committed."""

    entry: int
    before: Configuration
    after: Configuration


class ConfigurationFellBack(NamedTuple):
    """The entry was deleted: the configuration before it rules again."""

    entry: int
    before: Configuration
    after: Configuration


class ConfigurationCommitted(NamedTuple):
    """The newest configuration is committed: the change is done, or its joint half."""

    entry: int
    configuration: Configuration


# -- transfer --------------------------------------------------------------------------------------------------


class TransferAsked(NamedTuple):
    """A person asks ``target`` to hand its leadership over."""

    target: str
    to: str


class TransferBegan(NamedTuple):
    """A leader takes no more commands and brings its successor to the end of its log."""

    to: str
    match: int
    last: int
    within_us: int


class TransferDenied(NamedTuple):
    """A server does not hand over."""

    src: str
    to: str
    why: Refusal


class TimeoutNowSent(NamedTuple):
    """The successor holds everything: it is told to stand for election at once."""

    to: str
    last: int


class TransferAborted(NamedTuple):
    """The leader goes on: it takes commands again."""

    to: str
    why: Refusal
    after_us: int


class HandedOver(NamedTuple):
    """The successor stands in a newer term: the old leader follows."""

    to: str
    term: int


class ToldToStand(NamedTuple):
    """The leader told this server to stand for election: no waiting, no pre-vote, and voters may not ignore it."""

    src: str
    term: int


class TransferAnswered(NamedTuple):
    """A person is told by ``src`` how the transfer ended."""

    src: str
    to: str
    why: Refusal | None


class Held(NamedTuple):
    """A leader that hands over takes no command; the client asks again."""

    src: str
    serial: int
    to: str


MembershipEvent: TypeAlias = (
    ServerStarted | ChangeAsked | ChangeDenied | ChangeAnswered | CatchUpBegan | RoundEnded | CatchUpFailed
    | ConfigurationAppended | ConfigurationAdopted | ConfigurationFellBack | ConfigurationCommitted
)  # fmt: skip
TransferEvent: TypeAlias = (
    TransferAsked | TransferBegan | TransferDenied | TimeoutNowSent | TransferAborted | HandedOver | ToldToStand
    | TransferAnswered | Held
)  # fmt: skip
ChangeEvent: TypeAlias = MembershipEvent | TransferEvent

__all__ = [
    "CatchUpBegan", "CatchUpFailed", "ChangeAnswered", "ChangeAsked", "ChangeDenied", "ChangeEvent",
    "ConfigurationAdopted", "ConfigurationAppended", "ConfigurationCommitted", "ConfigurationFellBack", "HandedOver",
    "Held", "MembershipEvent", "RoundEnded", "ServerStarted", "TimeoutNowSent", "ToldToStand", "TransferAborted",
    "TransferAnswered", "TransferAsked", "TransferBegan", "TransferDenied", "TransferEvent",
]  # fmt: skip
