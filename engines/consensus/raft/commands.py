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


COMMANDS: Final = (*faults.FAULTS, Propose, SetRule, SetWorkload, SetTiming)

__all__ = ["COMMANDS", "Propose", "SetRule", "SetTiming", "SetWorkload"]
