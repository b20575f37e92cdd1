"""When the pattern pays, as arithmetic on what a run has counted.

Costs are server time: so many microseconds a second. Both totals are compared over the same reads and writes, and then
each side alone, since that is what the pattern is about: sides that are scaled apart.
"""

from enum import Enum
from typing import Final, NamedTuple

FULL_US: Final = 1_000_000
"""What one server can work in a second."""

FORMULA: Final = (
    "CRUD = reads x join + writes x write, all of it on one store",
    "CQRS = writes x (command + projections x apply) + reads x row",
    "pays: staleness <= what readers accept, and CQRS < CRUD",
    "scales: staleness <= what readers accept, CRUD is more than its one store can do, and command servers, projectors "
    "and replicas each have room",
    "not: readers accept less staleness than there is, or CRUD does it for less",
)
"""In words, for those who ask: a line each."""


class Load(NamedTuple):
    """What a run has counted: rates a second, and service times."""

    reads: int
    writes: int
    projections: int
    join_us: int
    """A read of the CRUD store."""
    write_us: int
    """A write of the CRUD store."""
    command_us: int
    """A command on the write side."""
    apply_us: int
    """An event applied to one projection."""
    row_us: int
    """A read of a read model."""
    staleness_us: int = 0
    """Of the read models: the age that nearly all answers stay below."""
    accepted_us: int = 0
    """What readers accept of it."""
    command_servers: int = 1
    replicas: int = 1


class Why(Enum):
    """What decides."""

    CHEAPER = "reads outnumber writes: rows made once are read for less than joins"
    SCALES = "one store is not enough for both, and each side alone has room"
    STALE = "readers accept less staleness than there is"
    DEARER = "the same load costs less on one store"
    FULL = "neither has room for the load: add servers to the fuller side"


class Verdict(NamedTuple):
    """What comes of it, in microseconds of work a second."""

    pays: bool
    why: Why
    crud_us: int
    cqrs_us: int
    write_us: int
    """Of the CQRS total: commands."""
    project_us: int
    """Of the CQRS total: projectors, all of them."""
    read_us: int
    """Of the CQRS total: queries."""

    @property
    def ratio_permille(self) -> int:
        """CQRS for each 1,000 of CRUD."""
        return self.cqrs_us * 1_000 // self.crud_us if self.crud_us else 0


def weigh(load: Load) -> Verdict:
    """Whether the pattern pays under a load."""
    crud = load.reads * load.join_us + load.writes * load.write_us
    write, read = load.writes * load.command_us, load.reads * load.row_us
    project = load.writes * load.projections * load.apply_us
    cqrs = write + project + read
    fullest = max(write // max(1, load.command_servers), load.writes * load.apply_us, read // max(1, load.replicas))
    if load.staleness_us > load.accepted_us:
        pays, why = False, Why.STALE
    elif crud > FULL_US and fullest > FULL_US:
        pays, why = False, Why.FULL
    elif cqrs < crud:
        pays, why = True, Why.CHEAPER
    elif crud > FULL_US:
        pays, why = True, Why.SCALES
    else:
        pays, why = False, Why.DEARER
    return Verdict(pays, why, crud, cqrs, write, project, read)


def break_even_reads(load: Load) -> int | None:
    """From how many reads a write on the pattern is cheaper (times 100, rounded up); None: never."""
    gain = load.join_us - load.row_us
    extra = load.command_us + load.projections * load.apply_us - load.write_us
    if extra <= 0:
        return 0
    return -(-extra * 100 // gain) if gain > 0 else None


__all__ = ["FORMULA", "FULL_US", "Load", "Verdict", "Why", "break_even_reads", "weigh"]
