"""What a person may ask of these worlds besides faults."""

from dataclasses import dataclass
from typing import Final

from engines.sim import faults
from engines.sim.rules import SetRule


@dataclass(frozen=True, slots=True)
class Perform:
    """A client reads or writes a key, at this replica from now on (empty: where it is). It waits its turn."""

    client: str
    write: bool
    key: str
    replica: str = ""


@dataclass(frozen=True, slots=True)
class SetQuorum:
    """Other numbers N, R and W, for operations that begin from now on; the preset becomes ``custom``."""

    n: int
    r: int
    w: int


@dataclass(frozen=True, slots=True)
class SetPreset:
    """Another consistency level of Cassandra, or another read preference of MongoDB."""

    name: str


@dataclass(frozen=True, slots=True)
class SetWorkload:
    """How fast the clients work: ``off light busy flood``."""

    level: str


COMMANDS: Final = (*faults.FAULTS, SetRule, Perform, SetQuorum, SetPreset, SetWorkload)
