"""What happens in these worlds besides what happens to machines and messages."""

from enum import Enum
from typing import NamedTuple, TypeAlias

from engines.consistency.history import Status
from engines.consistency.vector import VectorClock
from engines.consistency.verdict import Why
from engines.consistency.world.messages import Tag
from engines.rules import RuleSwitched


class Outcome(Enum):
    """Why a client stopped waiting."""

    NO_ANSWER = "no answer"
    REFUSED = "refused"
    CRASHED = "crashed"


class Repair(Enum):
    """By which way a replica caught up."""

    READ_REPAIR = "read repair"
    HINT = "hinted handoff"
    ANTI_ENTROPY = "anti-entropy"
    RESEND = "resend"


class Asked(NamedTuple):
    """A client begins an operation, at this replica (empty: at all of them)."""

    write: bool
    key: str
    value: int
    replica: str


class Answered(NamedTuple):
    """The operation is over; ``age_us``: how long a read's value had been overwritten (-1: it was fresh)."""

    write: bool
    key: str
    value: int
    took_us: int
    age_us: int


class GaveUp(NamedTuple):
    """The client does not know what became of its operation; ``failed``: it knows that nothing did."""

    write: bool
    key: str
    value: int
    why: Outcome
    failed: bool


class Moved(NamedTuple):
    """The client's session goes on at another replica."""

    replica: str
    was: str


class StoredBack(NamedTuple):
    """A reader stores what it read at a majority before it returns it."""

    key: str
    value: int


class Sequenced(NamedTuple):
    """A write has its place in the one order of all writes."""

    place: int
    key: str
    value: int
    client: str


class Applied(NamedTuple):
    """A replica shows another replica's write from now on."""

    key: str
    value: int
    src: str


class Outdated(NamedTuple):
    """A write arrived, and the replica holds a newer one: last writer wins."""

    key: str
    value: int
    kept: int


class HeldBack(NamedTuple):
    """A write arrived before what it depends on: it waits."""

    key: str
    value: int
    src: str
    vector: VectorClock
    mine: VectorClock


class Released(NamedTuple):
    """What it depended on has come: it is delivered."""

    key: str
    value: int
    src: str


class Waits(NamedTuple):
    """A replica lets a client wait until it has seen what the client has seen."""

    client: str
    seen: VectorClock
    mine: VectorClock


class Repaired(NamedTuple):
    """A replica got what it lacked."""

    key: str
    value: int
    src: str
    how: Repair


class HintKept(NamedTuple):
    """A write is kept for a replica that does not answer; ``counts``: it counts as one of the W acknowledgements."""

    key: str
    owner: str
    counts: bool


class HintDone(NamedTuple):
    """The hint was handed over, and deleted."""

    key: str
    owner: str


class TreesCompared(NamedTuple):
    """Two Merkle trees were compared."""

    peer: str
    comparisons: int
    differing: int


class SiblingsSeen(NamedTuple):
    """A read found values none of which has overwritten another."""

    key: str
    values: tuple[int, ...]


class Unavailable(NamedTuple):
    """Too few replicas answer: nothing was done."""

    key: str
    write: bool
    needs: int
    alive: int


class Overwritten(NamedTuple):
    """An acknowledged write is gone: an older one has the larger timestamp."""

    key: str
    value: int
    by: int
    tag: Tag
    by_tag: Tag


class Elected(NamedTuple):
    """A primary, in this term."""

    term: int


class SteppedDown(NamedTuple):
    """A primary heard of a newer term, or of no majority for too long: then it is its own term."""

    term: int


class RolledBack(NamedTuple):
    """A secondary undoes what the new primary never had."""

    key: str
    value: int
    entries: int


class ModelBroken(NamedTuple):
    """The history does not satisfy a model from now on."""

    model: str
    why: Why
    client: str
    """Whose return shows it."""
    write: bool
    key: str
    value: int


class Converged(NamedTuple):
    """All replicas are equal, for the first time since they were not; ``after_us``: since the last write and fault."""

    after_us: int


class QuorumSet(NamedTuple):
    """N, R and W from now on."""

    n: int
    r: int
    w: int


class PresetChosen(NamedTuple):
    """A preset by name, and what it asks of a read and of a write."""

    name: str
    read: str
    write: str


class PreferenceSet(NamedTuple):
    """Where reads of a replica set go from now on."""

    name: str


class WorkloadSet(NamedTuple):
    """How fast the clients work from now on."""

    level: str


# -- a history of the user -----------------------------------------------------------------------------------------


class Began(NamedTuple):
    """An operation of the file begins: ``w x=1``, as the file has it."""

    label: str


class Ended(NamedTuple):
    """It returns; ``age_us``: since when the value it read had been overwritten (-1: it was fresh)."""

    label: str
    status: Status
    age_us: int


class Happened(NamedTuple):
    """An event of a log with vector clocks; ``heard``: the hosts whose messages arrived with it."""

    text: str
    clock: VectorClock
    heard: tuple[str, ...]


class VerdictFell(NamedTuple):
    """This return shows that the history does not satisfy a model."""

    model: str
    why: Why
    label: str


ClientEvent: TypeAlias = Asked | Answered | GaveUp | Moved | ModelBroken
OrderEvent: TypeAlias = QuorumSet | PresetChosen | PreferenceSet | WorkloadSet | RuleSwitched
ReplicaEvent: TypeAlias = (
    StoredBack | Sequenced | Applied | Outdated | HeldBack | Released | Waits | Repaired | HintKept | HintDone
    | TreesCompared | SiblingsSeen | Unavailable | Overwritten | Elected | SteppedDown | RolledBack | Converged
)  # fmt: skip
FileEvent: TypeAlias = Began | Ended | Happened | VerdictFell
ConsistencyEvent: TypeAlias = ClientEvent | OrderEvent | ReplicaEvent | FileEvent
