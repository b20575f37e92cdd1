"""Every fault as data: frozen records that can be saved, replayed, listed and drawn.

A node name may be ``*`` in the link faults: every node. Times are microseconds, chances parts per million.
Three faults that are easily confused are kept apart: a *crash* loses volatile state and unsynced writes, a
*freeze* keeps everything but time (a long garbage-collection pause), a *cut* drops messages.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

from engines.errors import UserError
from engines.units import PPM, US_PER_S


@dataclass(frozen=True, slots=True)
class Crash:
    """The node dies: volatile state and unsynced writes are gone, its disk stays."""

    node: str


@dataclass(frozen=True, slots=True)
class Restart:
    """A crashed node starts again from its disk."""

    node: str


@dataclass(frozen=True, slots=True)
class Freeze:
    """The node stops for a while: messages and timers wait for it."""

    node: str


@dataclass(frozen=True, slots=True)
class Thaw:
    """A frozen node goes on and finds everything that waited."""

    node: str


@dataclass(frozen=True, slots=True)
class Isolate:
    """All links between the node and the other servers are cut, both ways."""

    node: str


@dataclass(frozen=True, slots=True)
class Reconnect:
    """All links between the node and the other servers work again."""

    node: str


@dataclass(frozen=True, slots=True)
class Cut:
    """One direction of one link drops everything."""

    src: str
    dst: str


@dataclass(frozen=True, slots=True)
class Mend:
    """One direction of one link carries messages again."""

    src: str
    dst: str


@dataclass(frozen=True, slots=True)
class Partition:
    """Servers of different sides cannot reach each other. Who is on no side keeps all links."""

    sides: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Lose:
    """The link loses this share of its messages; 0 ends it."""

    src: str
    dst: str
    ppm: int


@dataclass(frozen=True, slots=True)
class Slow:
    """The link takes latency + [0, jitter] for a message."""

    src: str
    dst: str
    latency_us: int
    jitter_us: int


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The link delivers this share of its messages twice; 0 ends it."""

    src: str
    dst: str
    ppm: int


@dataclass(frozen=True, slots=True)
class Reorder:
    """The link lets this share of its messages be overtaken; 0 restores order."""

    src: str
    dst: str
    ppm: int


@dataclass(frozen=True, slots=True)
class Clog:
    """The link holds its messages back without losing one."""

    src: str
    dst: str


@dataclass(frozen=True, slots=True)
class Unclog:
    """The link releases what it held."""

    src: str
    dst: str


@dataclass(frozen=True, slots=True)
class Skew:
    """The node's clock jumps by ``offset_us`` (from true time) and then runs ``drift_ppm`` too fast."""

    node: str
    offset_us: int
    drift_ppm: int


@dataclass(frozen=True, slots=True)
class SlowDisk:
    """A sync of the node's disk takes this long: until then a crash loses the write. 0 ends it."""

    node: str
    fsync_us: int


@dataclass(frozen=True, slots=True)
class Drop:
    """One message in flight, by its number, never arrives."""

    message: int


@dataclass(frozen=True, slots=True)
class ExpireTimers:
    """The named timer of all these nodes runs out at the same moment, ``in_us`` from now."""

    nodes: tuple[str, ...]
    timer: str
    in_us: int


@dataclass(frozen=True, slots=True)
class Heal:
    """Everything is well again: links, clocks and disks as they were, frozen nodes thaw, dead ones restart."""


@dataclass(frozen=True, slots=True)
class Narrate:
    """What a lecturer says at this point. It changes nothing in the world; with ``pause`` the run stops here.

    A person may have changed the story on the way. ``broken`` is said instead once a check has failed, so that nobody
    is told that all is well next to a red light.
    """

    text: str
    pause: bool = True
    broken: str = ""


Fault: TypeAlias = (
    Crash | Restart | Freeze | Thaw | Isolate | Reconnect | Cut | Mend | Partition | Lose | Slow | Duplicate
    | Reorder | Clog | Unclog | Skew | SlowDisk | Drop | ExpireTimers | Heal | Narrate
)  # fmt: skip

FAULTS: tuple[type[Fault], ...] = (
    Crash, Restart, Freeze, Thaw, Isolate, Reconnect, Cut, Mend, Partition, Lose, Slow, Duplicate,
    Reorder, Clog, Unclog, Skew, SlowDisk, Drop, ExpireTimers, Heal, Narrate,
)  # fmt: skip


def validate_values(command: Any) -> None:
    """UserError if a fault holds a number or a grouping that makes no sense in any world."""
    match command:
        case Lose(ppm=ppm) | Duplicate(ppm=ppm) | Reorder(ppm=ppm) if not 0 <= ppm <= PPM:
            raise UserError(f"a share of {ppm} ppm: it must lie between 0 and {PPM}")
        case Slow(latency_us=latency, jitter_us=jitter) if latency < 0 or jitter < 0:
            raise UserError(f"a latency of {latency} us with {jitter} us of jitter: neither can be negative")
        case Skew(drift_ppm=drift) if not -900_000 <= drift <= 9_000_000:
            raise UserError(f"a drift of {drift} ppm: it must lie between -900000 and 9000000")
        case SlowDisk(fsync_us=fsync) if not 0 <= fsync <= 60 * US_PER_S:
            raise UserError(f"a disk sync of {fsync} us: it must lie between 0 and 60000000")
        case ExpireTimers(in_us=in_us) if in_us < 0:
            raise UserError(f"timers cannot run out {-in_us} us ago")
        case Partition(sides=sides):
            names = [name for side in sides for name in side]
            if len(sides) < 2 or len(set(names)) != len(names):
                raise UserError("a partition needs two or more sides, and no node on two of them")
