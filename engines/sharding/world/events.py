"""What happens in a sharded cluster, one record per kind. Reasons are codes and numbers: panels say them in words.

``who`` answers, gives or takes is the node of the event; every record says the rest.
"""

from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from engines.sim.rules import RuleSwitched

Keys: TypeAlias = tuple[str, ...]
Nodes: TypeAlias = tuple[str, ...]

# -- names of things -----------------------------------------------------------------------------------------------


class UnitKind(Enum):
    """In what a plan is cut."""

    LANE = "lane"
    """All keys that go from one owner to another."""
    SLOTS = "slots"
    CHUNK = "chunk"


class UnitName(NamedTuple):
    """A unit of a plan: what changes hands at once."""

    kind: UnitKind
    source: str
    target: str
    first: int = -1
    """Of slots: the first and the last."""
    last: int = -1
    low: str = ""
    """Of a chunk: where it begins."""


class UnitState(Enum):
    """How far a unit is."""

    PLANNED = "planned"
    """It waits for its turn."""
    IMPORTING = "importing"
    """The target was told."""
    MIGRATING = "migrating"
    """The source was told: keys travel."""
    EMPTY = "empty"
    """The source has nothing left."""
    DONE = "done"
    """Assigned to its new owner."""


class ChangeKind(Enum):
    """What is changed about a placement."""

    JOIN = "join"
    LEAVE = "leave"
    VNODES = "vnodes"
    COPIES = "copies"
    RACKS = "racks"
    BOUND = "bound"
    SLOTS = "slots"
    CHUNKS = "chunks"
    SPLIT = "split"
    MERGE = "merge"
    RECOVER = "recover"
    """A node that missed writes catches up."""


class ChangeReason(Enum):
    """Why it is changed."""

    ORDERED = "ordered"
    """Somebody asked for it."""
    UNEVEN = "uneven"
    """The balancer: one node has much more than another, or a chunk outgrew its limit."""
    HOT = "hot"
    """One node gets many more requests than the others."""
    CAME_BACK = "came back"


class Cause(NamedTuple):
    """A change of the placement and why it is made. Which numbers are set depends on ``kind`` and ``why``."""

    kind: ChangeKind
    why: ChangeReason = ChangeReason.ORDERED
    node: str = ""
    """Who joins, leaves, catches up or receives; uneven or hot: who has the most."""
    number: int = 0
    """Virtual nodes, copies, percent, a slot, how many slots; uneven: what ``node`` has; split: keys, requests."""
    low: str = ""
    """Where the chunk begins."""
    peer: str = ""
    """Uneven or hot: who has the least."""
    other: int = 0
    """What ``peer`` has; a split: the limit."""
    documents: bool = False
    """What is counted are documents, of which a key can have several."""


class MembershipKind(Enum):
    """What happened to nodes."""

    JOINS = "joins"
    LEAVES = "leaves"
    CRASHED = "crashed"
    IS_BACK = "is back"


class Membership(NamedTuple):
    """A change of who takes part, or runs."""

    kind: MembershipKind
    nodes: Nodes


# -- requests ------------------------------------------------------------------------------------------------------


class Said(Enum):
    """What a request was answered."""

    SERVED = "served"
    MISSING = "missing"
    """There is no such key."""
    MOVED = "MOVED"
    ASK = "ASK"
    TRYAGAIN = "TRYAGAIN"
    CROSSSLOT = "CROSSSLOT"
    CLUSTERDOWN = "CLUSTERDOWN"
    NOLEASE = "NOLEASE"
    TIMEOUT = "timeout"
    """Nothing, for as long as the client waited."""


class Hop(NamedTuple):
    """One answer on the way of a request."""

    node: str
    said: Said
    to: str
    """Where it was sent on."""
    at_us: int


class RefusalReason(Enum):
    """Why a request is refused."""

    DIFFERENT_SLOTS = "different slots"
    UNCOVERED = "uncovered"
    """Some slot has no live owner, and full coverage is asked for."""
    OWNER_DEAD = "owner dead"
    LEASE_OUT = "lease out"
    CALLED_OFF = "called off"
    """The plan that moves the key."""
    NOT_ARRIVED = "not arrived"
    NOT_OPEN = "not open"
    """The key's unit waits for its turn, and a new key has no place yet."""
    PARTLY_GONE = "partly gone"
    """Some of the keys have left, some have not."""
    IN_THE_AIR = "in the air"
    """Too many writes wait for the key to land."""
    ROUTER = "router"
    """The router had no better answer."""


SAID_BY: dict[RefusalReason, Said] = {
    RefusalReason.DIFFERENT_SLOTS: Said.CROSSSLOT,
    RefusalReason.UNCOVERED: Said.CLUSTERDOWN,
    RefusalReason.OWNER_DEAD: Said.CLUSTERDOWN,
    RefusalReason.LEASE_OUT: Said.NOLEASE,
    RefusalReason.CALLED_OFF: Said.TRYAGAIN,
    RefusalReason.NOT_ARRIVED: Said.TRYAGAIN,
    RefusalReason.NOT_OPEN: Said.TRYAGAIN,
    RefusalReason.PARTLY_GONE: Said.TRYAGAIN,
    RefusalReason.IN_THE_AIR: Said.TRYAGAIN,
    RefusalReason.ROUTER: Said.TRYAGAIN,
}
"""How each is said on the wire."""


class Refused(NamedTuple):
    """The node says no. ``about``: the nodes or keys it is because of."""

    client: str
    keys: Keys
    why: RefusalReason
    about: tuple[str, ...]


class MovedReason(Enum):
    """Why the client is sent to the owner for good."""

    NOT_MINE = "not mine"
    IMPORTING = "importing"
    """The node takes the key's unit in, but the client did not say ASKING."""
    OLD_ASK = "old ask"
    """It did, with the permission of another plan."""


class SentAway(NamedTuple):
    """The node answers MOVED."""

    client: str
    key: str
    owner: str
    slot: int
    epoch: int
    why: MovedReason


class Asked(NamedTuple):
    """The node answers ASK: the key has left already."""

    client: str
    key: str
    target: str
    slot: int
    unit: UnitName


class Denied(NamedTuple):
    """A rule is off: the node says that there is no such key, where it should answer ASK."""

    client: str
    key: str
    target: str


BY_MOVED: Final = 0
BY_ROUTER: Final = -1
BY_HAND: Final = -2
"""No map says whom a client asks: a MOVED did, it has a router, or whoever typed the request chose."""


class RequestSent(NamedTuple):
    """A client asks."""

    op: str
    keys: Keys
    to: str
    value: int
    epoch: int
    """Of the cached map that names this node; or one of ``BY_..``."""


class Followed(NamedTuple):
    """A client goes where it was sent."""

    keys: Keys
    asked: str
    to: str
    said: Said
    """MOVED or ASK."""
    redirects: int
    """In a row."""


class OldRedirect(NamedTuple):
    """A client is sent on by a node whose map is older than what it knows: it does not follow."""

    keys: Keys
    asked: str
    epoch: int
    known: int


class NoAnswer(NamedTuple):
    """A client lost patience and asks another node."""

    keys: Keys
    asked: str
    to: str
    tries: int


class Ending(Enum):
    """How a request ended."""

    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "unknown"
    """It may have happened or not."""


class Answered(NamedTuple):
    """A request is over."""

    op: str
    keys: Keys
    values: tuple[tuple[str, int], ...]
    hops: tuple[Hop, ...]
    yours: bool
    """Somebody typed it."""
    why: Ending


class GaveUp(NamedTuple):
    """A client gives a request up."""

    keys: Keys
    asked: str
    said: Said
    """TIMEOUT, what it was answered last, or MOVED: by maps that are old."""
    because: RefusalReason | None
    about: tuple[str, ...]
    tries: int


class TooManyRedirects(NamedTuple):
    """A client gives a request up that was only ever sent on."""

    keys: Keys
    redirects: int


class MapCached(NamedTuple):
    """A client caches a newer map, and drops slots that it learned by MOVED."""

    epoch: int
    before: int
    slots: int


class WriteWaits(NamedTuple):
    """A write waits for its key to land."""

    client: str
    key: str


class ReplicaRefused(NamedTuple):
    """A replica refuses a write of an older term: somebody else was promoted."""

    owner: str
    key: str
    term: int
    own_term: int


# -- plans ---------------------------------------------------------------------------------------------------------


class ChangeOrdered(NamedTuple):
    """A person orders a change of the placement."""

    cause: Cause


class ChangeQueued(NamedTuple):
    """It waits for the one under way; None: for the newest map to be known."""

    cause: Cause
    running: Cause | None
    place: int


class ChangeRefused(NamedTuple):
    """It cannot be made any more; ``message`` says why, as it would have been refused to a person."""

    cause: Cause
    message: str


class PlanAnnounced(NamedTuple):
    """Nodes count what they have to give."""

    plan: int
    cause: Cause
    units: int
    unit: UnitKind
    epoch: int
    copies: bool


class PlanCounted(NamedTuple):
    """So many keys change their owner, as the nodes counted them."""

    cause: Cause
    keys: int
    units: int


class PlanDone(NamedTuple):
    """The target is the placement now."""

    cause: Cause
    keys: int
    took_us: int
    epoch: int


class PlanCalledOff(NamedTuple):
    """Nodes fell silent in the middle of a plan with copies: the old owners go on."""

    plan: int
    cause: Cause
    silent: Nodes


class ChunksChanged(NamedTuple):
    """A chunk is split, or two are merged: nothing moves."""

    cause: Cause
    at: str
    chunks: int


class Importing(NamedTuple):
    """The node takes a unit in."""

    unit: UnitName


class Migrating(NamedTuple):
    """The node gives a unit away."""

    unit: UnitName
    keys: int


class KeysSent(NamedTuple):
    """A parcel of keys leaves; ``kept`` until it is acknowledged, unless the rule is off."""

    unit: UnitName
    to: str
    keys: int
    first: str
    left: int
    pace: int
    kept: bool


class UnitEmptied(NamedTuple):
    """The node has nothing of the unit left to give."""

    unit: UnitName
    keys: int


class UnitAssigned(NamedTuple):
    """The unit has a new owner."""

    unit: UnitName
    keys: int
    epoch: int
    took_us: int


class StuckReason(Enum):
    """What cannot be divided any further."""

    TOO_LARGE = "too large"
    TOO_HOT = "too hot"


class Indivisible(NamedTuple):
    """A chunk or slot that is one key: no split makes it smaller or cooler."""

    slot: int
    """-1: it is the chunk that begins at ``low``."""
    low: str
    keys: int
    ops: int
    limit: int
    documents: bool
    why: StuckReason


# -- who lives -----------------------------------------------------------------------------------------------------


class DeclaredDead(NamedTuple):
    """A node was silent for too long."""

    dead: str
    silent_us: int
    term: int
    epoch: int
    copies: bool
    promoted: Nodes
    uncovered: bool
    """Nobody else has its keys."""


class HeardAgain(NamedTuple):
    """A node that was declared dead sends heartbeats; ``stale``: it missed writes."""

    back: str
    epoch: int
    keys: int
    stale: bool


class MapLearned(NamedTuple):
    """A node that missed some maps learns the newest."""

    epoch: int
    before: int


# -- settings ------------------------------------------------------------------------------------------------------


class WorkloadSet(NamedTuple):
    """What the clients ask from now on."""

    pattern: str
    skew: int
    rate: int


class BandwidthSet(NamedTuple):
    """A node sends at most so many keys a second."""

    keys_per_s: int


class CoverageSet(NamedTuple):
    """Whether one slot without an owner takes the cluster down, and whether reads may pass then."""

    on: bool
    reads: bool


class BalancerSet(NamedTuple):
    """The balancer is switched."""

    on: bool


class HeatSplitSet(NamedTuple):
    """Splitting for heat is switched."""

    on: bool


class Salted(NamedTuple):
    """A key is kept as so many copies; 1: no longer."""

    key: str
    n: int


RequestEvent: TypeAlias = (
    Refused | SentAway | Asked | Denied | RequestSent | Followed | OldRedirect | NoAnswer | Answered | GaveUp
    | TooManyRedirects | MapCached
)  # fmt: skip
PlanEvent: TypeAlias = (
    ChangeOrdered | ChangeQueued | ChangeRefused | PlanAnnounced | PlanCounted | PlanDone | PlanCalledOff
    | ChunksChanged | Indivisible
)  # fmt: skip
UnitEvent: TypeAlias = Importing | Migrating | KeysSent | UnitEmptied | UnitAssigned
NodeEvent: TypeAlias = DeclaredDead | HeardAgain | MapLearned | WriteWaits | ReplicaRefused
SettingEvent: TypeAlias = (
    WorkloadSet | RuleSwitched | BandwidthSet | CoverageSet | BalancerSet | HeatSplitSet | Salted
)  # fmt: skip
ShardingEvent: TypeAlias = RequestEvent | PlanEvent | UnitEvent | NodeEvent | SettingEvent
