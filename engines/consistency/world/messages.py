"""Everything that travels, for all designs: one block of records.

``op`` numbers an operation of its coordinator, so that a late answer is told from the right one.
"""

from typing import Any, NamedTuple, TypeAlias

from engines.consistency.dotted import Siblings
from engines.consistency.vector import VectorClock

Tag = tuple[int, str]
"""A version: time or number, then the writer's name; compared in this order."""
NO_TAG: Tag = (0, "")


# -- clients and coordinators ------------------------------------------------------------------------------------


class Request(NamedTuple):
    """A client asks its replica. ``seen``: what the session has seen, if the design carries it."""

    serial: int
    write: bool
    key: str
    value: int
    seen: VectorClock


class Reply(NamedTuple):
    """The replica answers; not ``ok``: nothing was done."""

    serial: int
    ok: bool
    value: int
    seen: VectorClock


# -- ABD ---------------------------------------------------------------------------------------------------------


class Query(NamedTuple):
    """What is your newest version of this key?"""

    op: int
    key: str


class Tagged(NamedTuple):
    """It is this one."""

    op: int
    tag: Tag
    value: int


class Store(NamedTuple):
    """Keep this version, unless yours is newer."""

    op: int
    key: str
    tag: Tag
    value: int


class Stored(NamedTuple):
    """It is kept, or something newer is."""

    op: int


# -- total order broadcast -----------------------------------------------------------------------------------------


class Forward(NamedTuple):
    """A replica asks the sequencer for a place in the order."""

    client: str
    serial: int
    write: bool
    key: str
    value: int


class ReadHere(NamedTuple):
    """The read preference sends a read to this member, which answers from what it has."""

    client: str
    serial: int
    key: str


class Ordered(NamedTuple):
    """The sequencer's order: this operation stands at this place."""

    place: int
    home: str
    forward: Forward


class Missing(NamedTuple):
    """A replica asks for everything from this place on."""

    place: int


# -- causal broadcast ----------------------------------------------------------------------------------------------


class Update(NamedTuple):
    """A write on its way to the other replicas, with the vector it depends on."""

    src: str
    vector: VectorClock
    key: str
    value: int
    tag: Tag


class Digest(NamedTuple):
    """What I have delivered: send me what I lack."""

    vector: VectorClock


# -- Dynamo --------------------------------------------------------------------------------------------------------


class Version(NamedTuple):
    """A value of a replica under last-writer-wins."""

    tag: Tag
    value: int


class Put(NamedTuple):
    """Keep this; ``owner``: for whom a stand-in keeps it (empty: for yourself)."""

    op: int
    key: str
    held: Any
    owner: str


class PutAck(NamedTuple):
    """It is kept."""

    op: int


class Get(NamedTuple):
    """What do you hold under this key?"""

    op: int
    key: str


class Got(NamedTuple):
    """This."""

    op: int
    key: str
    held: Any


class HandOff(NamedTuple):
    """A hint comes home."""

    key: str
    held: Any


class HandOffAck(NamedTuple):
    """It arrived: the hint can go."""

    key: str
    held: Any


class Tree(NamedTuple):
    """The hashes of all nodes of a Merkle tree, root first."""

    hashes: tuple[int, ...]


class Leaves(NamedTuple):
    """All keys of the leaves that differ; ``answer``: send yours back."""

    held: tuple[tuple[str, Any], ...]
    leaves: tuple[int, ...]
    answer: bool


# -- cache ---------------------------------------------------------------------------------------------------------


class Push(NamedTuple):
    """A write, sent once and never again."""

    key: str
    value: int


# -- primary and secondaries ---------------------------------------------------------------------------------------


class OplogEntry(NamedTuple):
    """One write in the primary's log."""

    term: int
    key: str
    value: int


class Beat(NamedTuple):
    """The primary's heartbeat, with what comes behind ``place`` of its log."""

    term: int
    place: int
    place_term: int
    entries: tuple[OplogEntry, ...]
    committed: int


class BeatAck(NamedTuple):
    """How far a secondary's log agrees; not ``ok``: it does not hold what comes before."""

    term: int
    ok: bool
    place: int


class Vote(NamedTuple):
    """A secondary that hears no primary asks for votes."""

    term: int
    place: int
    place_term: int


class VoteAck(NamedTuple):
    """Granted or not."""

    term: int
    granted: bool


Held: TypeAlias = Version | Siblings
