"""What happened: events, one typed record per kind, and the log that keeps the newest of them.

An ``Event`` says when and on which node; ``what`` is a named tuple whose class is the kind of event. The kinds of
this file happen in every world, whatever pattern runs in it: they are ``KernelEvent``. A pattern adds its own in its
``events.py``. ``why`` is always an ``Enum``: the sentence about it belongs to whoever tells of it.

Events are named tuples because a run makes a hundred thousand a second. The two kinds that make up most of them are
kept flat, as ``(position, at_us, node, kind, *fields)``, and become an ``Event`` when somebody looks.
"""

import re
from collections import deque
from enum import Enum
from functools import lru_cache
from typing import Any, ClassVar, Final, NamedTuple, Protocol, TypeAlias

from engines.sim.digest import Digest

RING_EVENTS: Final = 512
"""How many events of every kind are kept, newest last."""
JOURNAL_EVENTS: Final = 512
"""How many events that tell a story are kept beside them."""

Raw: TypeAlias = tuple[Any, ...]
"""``(position, at_us, node, what)``, or flat: ``(position, at_us, node, kind, *fields)``."""


# -- messages, timers, disks -----------------------------------------------------------------------------------


class LossReason(Enum):
    """Why a message never arrived."""

    CHANCE = "loss"
    """The link drops a share of what it carries."""
    CUT = "cut"
    CRASHED = "crashed"
    """The receiver was down."""
    OVERFLOW = "overflow"
    """The buffers of the frozen receiver were full."""
    DROPPED = "dropped"
    """A person took it out of the air."""


class Delivered(NamedTuple):
    """The node received a message."""

    src: str
    message: Any


class TimerFired(NamedTuple):
    """A timer of the node ran out."""

    name: str


class Synced(NamedTuple):
    """Writes that waited for the disk are durable now."""


class Waiting(NamedTuple):
    """A message reached a frozen node and waits in its buffers."""

    src: str
    message: Any


class Lost(NamedTuple):
    """The node will never see this message."""

    src: str
    message: Any
    why: LossReason
    loss_ppm: int
    """The share that its link loses."""


class LostAgain(NamedTuple):
    """Another message of a type that was ``Lost`` on this link since the last command, for a reason that lasts."""

    src: str
    message: Any
    why: LossReason
    loss_ppm: int


# -- faults of machines ----------------------------------------------------------------------------------------


class Crashed(NamedTuple):
    """The node died: with it these unsynced writes, and messages that had not left it yet."""

    lost_writes: int
    unsent: int


class Restarted(NamedTuple):
    """A new node started on the old disk."""


class Frozen(NamedTuple):
    """The node stopped for a while and keeps everything."""


class Thawed(NamedTuple):
    """The node goes on; so many messages, timers and syncs waited for it."""

    waited: int


class Skewed(NamedTuple):
    """The node's clock was set: its distance from true time, and its drift."""

    offset_us: int
    drift_ppm: int


class DiskSlowed(NamedTuple):
    """A disk sync takes so long from now on."""

    fsync_us: int


class TimersExpired(NamedTuple):
    """A timer of these nodes runs out at one moment."""

    timer: str
    nodes: tuple[str, ...]
    in_us: int


# -- faults of the network -------------------------------------------------------------------------------------


class Isolated(NamedTuple):
    """All links between the node and the other servers are cut."""


class Reconnected(NamedTuple):
    """They all work again."""


class Partitioned(NamedTuple):
    """Servers of different sides cannot reach each other."""

    sides: tuple[tuple[str, ...], ...]


class LinkCut(NamedTuple):
    """The link from ``src`` to the node drops everything. ``*`` stands for every node, in all events of links."""

    src: str


class LinkMended(NamedTuple):
    """The link from ``src`` to the node carries messages again."""

    src: str


class LossSet(NamedTuple):
    """The link from ``src`` to the node loses this share of the messages."""

    src: str
    ppm: int


class LatencySet(NamedTuple):
    """The link from ``src`` to the node takes so long."""

    src: str
    latency_us: int
    jitter_us: int


class DuplicationSet(NamedTuple):
    """The link from ``src`` to the node delivers this share of the messages twice."""

    src: str
    ppm: int


class ReorderingSet(NamedTuple):
    """The link from ``src`` to the node lets this share of the messages be overtaken."""

    src: str
    ppm: int


class Clogged(NamedTuple):
    """The link from ``src`` to the node holds back what is sent."""

    src: str


class Unclogged(NamedTuple):
    """The link from ``src`` to the node releases what it held back."""

    src: str


class DropMissed(NamedTuple):
    """A message that a person wanted to drop is not in flight any more."""

    id: int


class Healed(NamedTuple):
    """Every fault that was in force is undone."""


class Cue(NamedTuple):
    """What the lecturer says; with ``pause`` the run stops here."""

    text: str
    pause: bool


KernelEvent: TypeAlias = (
    Delivered | TimerFired | Synced | Waiting | Lost | LostAgain
    | Crashed | Restarted | Frozen | Thawed | Skewed | DiskSlowed | TimersExpired
    | Isolated | Reconnected | Partitioned | LinkCut | LinkMended | LossSet | LatencySet | DuplicationSet
    | ReorderingSet | Clogged | Unclogged | DropMissed | Healed | Cue
)  # fmt: skip

QUIET: Final[frozenset[type]] = frozenset({Delivered, TimerFired, Synced, Waiting, LostAgain})
"""Routine: counted, digested and steppable, but not worth a line of the journal by themselves."""


# -- an event --------------------------------------------------------------------------------------------------


class Event(NamedTuple):
    """Something that happened."""

    position: int
    at_us: int
    node: str
    """Where. Of a link fault and a lost message it is the receiver; empty for the world as a whole."""
    what: Any

    @property
    def kind(self) -> str:
        """The kind as text: the name of the record in snake case."""
        return kind_of(type(self.what))


def event_of(raw: Raw) -> Event:
    """A kept record as the event it stands for."""
    if len(raw) == 4 and not isinstance(raw[3], type):
        return Event._make(raw)
    return Event(raw[0], raw[1], raw[2], raw[3]._make(raw[4:]))


class Watcher(Protocol):
    """Whoever looks at every event of a run, such as a hunt."""

    def take(self, fresh: list[Raw], /) -> None:
        """These have just happened."""


class EventLog:
    """The newest events of a run, all kinds and those that tell a story. An engine is one."""

    QUIET: ClassVar[frozenset[type]] = QUIET
    """Kinds that tell no story by themselves. A pattern adds its own."""

    def __init__(self) -> None:
        self.fresh: list[Raw] = []
        """What has just happened and was not taken over yet."""
        self.ring: deque[Raw] = deque(maxlen=RING_EVENTS)
        self.journal: deque[Raw] = deque(maxlen=JOURNAL_EVENTS)
        self.events_total = 0
        self.told_total = 0
        """How many events that tell a story there were so far: the number of the newest line of the journal."""
        self.cue: tuple[int, str] | None = None
        """What the lecturer said last, and when."""
        self.digest: Digest | None = None
        """Set for a run that will be compared with another; a checkpoint cannot be taken then."""
        self.watcher: Watcher | None = None

    def drain(self) -> None:
        """Take fresh events over."""
        fresh = self.fresh
        if fresh:
            untold = _untold(self.QUIET)
            self.events_total += len(fresh)
            self.ring.extend(fresh)
            told = [raw for raw in fresh if type(raw[3]) not in untold]
            if told:
                self.told_total += len(told)
                self.journal.extend(told)
            if self.digest is not None:
                self.digest.feed(map(_plain, fresh))
            if self.watcher is not None:
                self.watcher.take(fresh)
            fresh.clear()

    def latest(self, count: int) -> tuple[Event, ...]:
        """The newest events, oldest first, as many as are still kept."""
        return _newest(self.ring, count)

    def told(self, count: int) -> tuple[Event, ...]:
        """The newest events that tell a story, oldest first."""
        return _newest(self.journal, count)


@lru_cache(maxsize=32)
def _untold(quiet: frozenset[type]) -> frozenset[type]:
    """What stands in the place of ``what`` in records that tell no story: quiet ones, and those that are flat."""
    return quiet | {type}


def _newest(ring: deque[Raw], count: int) -> tuple[Event, ...]:
    count = max(0, min(count, len(ring)))
    return tuple(event_of(ring[i]) for i in range(len(ring) - count, len(ring)))


def _plain(raw: Raw) -> Raw:
    """A record as it goes into the digest: a kind by its name."""
    return (*raw[:3], raw[3].__name__, *raw[4:]) if type(raw[3]) is type else raw


def kind_of(kind: type) -> str:
    """The name of a kind of event in snake case."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind.__name__).lower()
