"""What the machines say to each other. Named tuples: immutable, comparable, cheap.

A version is ``term << TERM_SHIFT | n``: the n-th write of a key, under the coordinator's term. So a write of a newer
term outdoes whatever a deposed owner had still written by itself.
"""

from typing import Final, NamedTuple, TypeAlias

from engines.sharding.world.events import RefusalReason, Said

TERM_SHIFT: Final = 32


def count_of(version: int) -> int:
    """How many writes of its key a version stands for."""
    return version & ((1 << TERM_SHIFT) - 1)


class Item(NamedTuple):
    """A key on its way."""

    key: str
    version: int
    value: int


# -- clients and nodes -----------------------------------------------------------------------------------------


class Request(NamedTuple):
    """``get``, ``put`` or ``mget``. ``asking``: the plan of the ASK that gives the one-shot permission; 0: none."""

    serial: int
    op: str
    keys: tuple[str, ...]
    value: int = 0
    asking: int = 0


class Answer(NamedTuple):
    """Done: the items found (a key that does not exist is absent), or the item written."""

    serial: int
    items: tuple[Item, ...]


class Moved(NamedTuple):
    """Another node owns it, for good: learn that. Where there are no slots (-1) the whole map comes along."""

    serial: int
    slot: int
    owner: str
    epoch: int


class Ask(NamedTuple):
    """Ask that node, this once, and learn nothing from it. The permission is good for this plan only."""

    serial: int
    slot: int
    owner: str
    epoch: int
    plan: int


class Refusal(NamedTuple):
    """``TRYAGAIN CROSSSLOT CLUSTERDOWN NOLEASE``, and why; ``about``: the nodes or keys it is because of."""

    serial: int
    said: Said
    why: RefusalReason
    about: tuple[str, ...] = ()


class WantMap(NamedTuple):
    """CLUSTER SLOTS: what does your map look like?"""


# -- keys on their way -----------------------------------------------------------------------------------------


class Keys(NamedTuple):
    """MIGRATE: some keys of a moving unit."""

    plan: int
    unit: str
    number: int
    items: tuple[Item, ...]


class KeysAck(NamedTuple):
    """They are on the target's disk."""

    plan: int
    unit: str
    number: int


class Replicate(NamedTuple):
    """The owner of a key has written it, knowing this term and epoch."""

    term: int
    epoch: int
    ticket: int
    item: Item


class ReplicateAck(NamedTuple):
    """The replica has it too; or refuses, because it knows a newer term."""

    ticket: int
    ok: bool
    term: int


# -- the coordinator -------------------------------------------------------------------------------------------


class Heat(NamedTuple):
    """What a node tells of a chunk or slot it owns: keys and requests since the last time."""

    unit: str
    keys: int
    ops: int


class Heartbeat(NamedTuple):
    """I live, I know this epoch; my clock says ``at_us``. ``heat`` goes along where a balancer needs it."""

    at_us: int
    epoch: int
    keys: int
    ops: int
    heat: tuple[Heat, ...]
    hottest: tuple[tuple[str, int], ...]


class HeartbeatAck(NamedTuple):
    """Heard what you sent at ``at_us``: your lease counts from there, if you know this term."""

    at_us: int
    term: int
    pace: int
    """Send at most so many keys a second."""


class MapUpdate(NamedTuple):
    """A newer map: that of this epoch."""

    epoch: int


class MapAck(NamedTuple):
    """Learned. ``units``: how many of my keys belong to which unit of this plan."""

    epoch: int
    plan: int
    units: tuple[tuple[str, int], ...]


class Import(NamedTuple):
    """CLUSTER SETSLOT IMPORTING: take keys of this unit."""

    plan: int
    unit: str


class ImportOk(NamedTuple):
    """Ready to take them."""

    plan: int
    unit: str


class Migrate(NamedTuple):
    """CLUSTER SETSLOT MIGRATING: give the keys of this unit."""

    plan: int
    unit: str


class UnitEmpty(NamedTuple):
    """The source has nothing left to give."""

    plan: int
    unit: str


class WantCut(NamedTuple):
    """Where could the chunk that begins at ``low`` be split? By heat or by number of keys."""

    low: str
    by_heat: bool


class Cut(NamedTuple):
    """At this key; nowhere: it holds one key only."""

    low: str
    at: str
    keys: int
    ops: int
    by_heat: bool


ClientMessage: TypeAlias = Request | Answer | Moved | Ask | Refusal
KeyMessage: TypeAlias = Keys | KeysAck | Replicate | ReplicateAck
CoordinatorMessage: TypeAlias = (
    Heartbeat | HeartbeatAck | MapUpdate | MapAck | WantMap | Import | ImportOk | Migrate | UnitEmpty | WantCut | Cut
)
Message: TypeAlias = ClientMessage | KeyMessage | CoordinatorMessage


def is_routine(message: object) -> bool:
    """Whether a message says little and comes all the time."""
    return isinstance(message, Heartbeat | HeartbeatAck | MapAck) or (isinstance(message, ReplicateAck) and message.ok)
