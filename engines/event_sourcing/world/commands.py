"""What a person can ask of the world, besides all faults."""

from dataclasses import dataclass
from typing import Final

from engines.sim import faults
from engines.sim.rules import SetRule


@dataclass(frozen=True, slots=True)
class Act:
    """A teller is asked to ``deposit``, ``withdraw``, ``charge`` or ``transfer``; the account by its number.

    To charge is to withdraw with a fee of 1: two events of one batch.
    """

    teller: str
    action: str
    account: int
    amount: int
    to: int = 0


@dataclass(frozen=True, slots=True)
class Race:
    """Two tellers withdraw the same amount from one account at the same moment."""

    account: int
    amount: int


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL: the process dies, the machine does not, and what was written is in its cache."""

    node: str


@dataclass(frozen=True, slots=True)
class Poison:
    """A program of the next release writes a deposit that the present ones cannot read."""

    account: int
    amount: int


@dataclass(frozen=True, slots=True)
class Release:
    """The next release is installed everywhere: it knows the new deposits, and old ones are lifted."""


@dataclass(frozen=True, slots=True)
class ReplayParked:
    """The subscriber tries what it has parked again."""

    node: str


@dataclass(frozen=True, slots=True)
class ChangeSchema:
    """The layout of snapshots changes; the ones that are kept are of the old layout."""


@dataclass(frozen=True, slots=True)
class Tamper:
    """Somebody with access to the file changes the amount of an event; 0: of the newest one with an amount."""

    position: int
    amount: int


@dataclass(frozen=True, slots=True)
class Verify:
    """Read the whole log and verify the chain."""


@dataclass(frozen=True, slots=True)
class Compact:
    """Keep the newest event of each stream (the compacted log only)."""


@dataclass(frozen=True, slots=True)
class HoldCommit:
    """The next transaction stays open for so long (numbered store only); with ``burn`` it rolls back then."""

    span_us: int
    burn: bool = False


@dataclass(frozen=True, slots=True)
class SetOption:
    """A number or choice that can be changed while it runs, one of ``options.LIVE``."""

    name: str
    value: str


COMMANDS: Final[tuple[type, ...]] = (
    *faults.FAULTS, Act, Race, Kill, Poison, Release, ReplayParked, ChangeSchema, Tamper, Verify, Compact, HoldCommit,
    SetOption, SetRule,
)  # fmt: skip
