"""What a person or a script can ask of a Raft cluster, besides all faults."""

from dataclasses import dataclass
from typing import Final

from engines.sim import faults
from engines.sim.rules import SetRule


@dataclass(frozen=True, slots=True)
class Propose:
    """A client asks for a command: of the named server, or of the one it believes to lead (no name).

    A client that does not ``insist`` asks once, at once, and forgets what it had asked before.
    """

    op: str
    key: str
    value: int
    node: str = ""
    insist: bool = True
    client: str = ""
    """Who asks, if not the person."""


@dataclass(frozen=True, slots=True)
class SetWorkload:
    """How fast the clients ask: ``off light busy flood``."""

    level: str


@dataclass(frozen=True, slots=True)
class SetTiming:
    """Other timeouts, on every server, from the next time they are used."""

    heartbeat_us: int
    election_min_us: int
    election_max_us: int


@dataclass(frozen=True, slots=True)
class SetReads:
    """How questions are answered from now on: ``log index lease``."""

    mode: str


@dataclass(frozen=True, slots=True)
class AddServer:
    """A server becomes a voter, once it has caught up, or a learner. A new name is a new machine; none: the next.

    This and the commands below ask ``node``, or whoever is believed to lead.
    """

    server: str = ""
    learner: bool = False
    node: str = ""


@dataclass(frozen=True, slots=True)
class RemoveServer:
    """A server is no member any more. Its machine stays."""

    server: str
    node: str = ""


@dataclass(frozen=True, slots=True)
class ChangeJoint:
    """Any change, by a joint configuration; ``auto_leave``: the leader leaves it by itself."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    learn: tuple[str, ...] = ()
    auto_leave: bool = True
    node: str = ""


@dataclass(frozen=True, slots=True)
class LeaveJoint:
    """From the joint configuration to the new one alone."""

    node: str = ""


@dataclass(frozen=True, slots=True)
class Transfer:
    """The leader hands its office to this server."""

    server: str
    node: str = ""


COMMANDS: Final = (
    *faults.FAULTS, Propose, SetRule, SetWorkload, SetTiming, AddServer, RemoveServer, ChangeJoint, LeaveJoint,
    Transfer, SetReads,
)  # fmt: skip

__all__ = [
    "COMMANDS", "AddServer", "ChangeJoint", "LeaveJoint", "Propose", "RemoveServer", "SetReads", "SetRule", "SetTiming",
    "SetWorkload", "Transfer",
]  # fmt: skip
