"""What a person can ask of the sharded cluster, besides all faults. Frozen records, so that a run can be saved.

A node may be named ``hot`` (the most loaded one), ``cold`` (the least loaded), ``new`` (the newest member) or
``owner:KEY`` (who owns the key now); a key may be ``hot`` (the hottest). What is recorded is what these stand for.
"""

from dataclasses import dataclass
from typing import Final

from engines.sim import faults
from engines.sim.rules import SetRule


@dataclass(frozen=True, slots=True)
class AddNode:
    """A machine joins. No name: the next free one; no rack: the least used one."""

    name: str = ""
    rack: str = ""
    weight: int = 1


@dataclass(frozen=True, slots=True)
class RemoveNode:
    """A machine is drained: it gives all it has to the others and then leaves."""

    node: str


@dataclass(frozen=True, slots=True)
class Get:
    """``you`` read a key: from the named node, or from the owner in your cached map (no name)."""

    key: str
    node: str = ""


@dataclass(frozen=True, slots=True)
class Put:
    """``you`` write a key."""

    key: str
    value: int
    node: str = ""


@dataclass(frozen=True, slots=True)
class MultiGet:
    """``you`` read several keys in one request (slots), or in one request for each key (all other variants)."""

    keys: tuple[str, ...]
    node: str = ""


@dataclass(frozen=True, slots=True)
class SetVnodes:
    """So many tokens for each node (and unit of weight)."""

    n: int


@dataclass(frozen=True, slots=True)
class SetReplication:
    """So many copies of every key."""

    rf: int


@dataclass(frozen=True, slots=True)
class SetRackAware:
    """Copies on different racks (NetworkTopology), or simply on the next nodes."""

    on: bool


@dataclass(frozen=True, slots=True)
class SetWorkload:
    """What the clients ask: ``off uniform zipf monotonic hot``.

    The skew of zipf comes in hundredths, the rate in requests a second of each client.
    """

    pattern: str
    skew: int = 110
    rate: int = 20


@dataclass(frozen=True, slots=True)
class Salt:
    """The clients keep ``n`` copies of this key, ``key#1`` to ``key#n``: a read takes one, a write all. 1 ends it."""

    key: str
    n: int


@dataclass(frozen=True, slots=True)
class SplitForHeat:
    """The coordinator splits and moves the unit that gets the most requests (range and slots)."""

    on: bool


@dataclass(frozen=True, slots=True)
class Bound:
    """No node takes more than ``percent`` of the mean (bounded): 125 stands for c = 1.25."""

    percent: int


@dataclass(frozen=True, slots=True)
class SetBandwidth:
    """A node sends at most so many keys a second to their new owners."""

    keys_per_s: int


@dataclass(frozen=True, slots=True)
class SetFullCoverage:
    """On: one slot without a live owner takes the whole cluster down. Off: only that slot is down (slots).

    With ``reads`` a cluster that is down still answers reads (``cluster-allow-reads-when-down``).
    """

    on: bool
    reads: bool = False


@dataclass(frozen=True, slots=True)
class MoveSlot:
    """Give one slot to another node (slots)."""

    slot: int
    to: str


@dataclass(frozen=True, slots=True)
class MoveChunk:
    """Give the chunk that begins at ``min`` to another node (range)."""

    min: str
    to: str


@dataclass(frozen=True, slots=True)
class SplitChunk:
    """Split the chunk that begins at ``min``: at ``at``, or at its middle key (range)."""

    min: str
    at: str = ""


@dataclass(frozen=True, slots=True)
class MergeChunks:
    """Merge the chunk that begins at ``min`` with the next one, if one node owns both (range)."""

    min: str


@dataclass(frozen=True, slots=True)
class SetBalancer:
    """The coordinator moves units from the fullest to the emptiest node by itself (range and slots)."""

    on: bool


COMMANDS: Final[tuple[type, ...]] = (
    *faults.FAULTS, AddNode, RemoveNode, Get, Put, MultiGet, SetVnodes, SetReplication, SetRackAware, SetWorkload,
    Salt, SplitForHeat, Bound, SetBandwidth, SetFullCoverage, MoveSlot, MoveChunk, SplitChunk, MergeChunks,
    SetBalancer, SetRule,
)  # fmt: skip
