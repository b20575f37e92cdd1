"""What every networked world shows in its snapshot: messages in flight, links that differ, the state of machines.

These are facts. The sentences about them are the panel's.
"""

from collections.abc import Iterable
from operator import itemgetter
from typing import Any, NamedTuple

from engines.sim.clock import Clock
from engines.sim.host import DELIVER, LOST, Host
from engines.sim.network import Link, LinkOptions


class Flight(NamedTuple):
    """A message on its way. Whether it will be lost is not told: nobody in the cluster knows either."""

    id: int
    src: str
    dst: str
    message: Any
    departs_us: int
    arrives_us: int


class LinkView(NamedTuple):
    """A directed link that is not as it was laid."""

    src: str
    dst: str
    cut: bool
    clogged: bool
    held: int
    """Messages that a clogged link keeps back."""
    loss_ppm: int
    latency_us: int
    jitter_us: int
    duplicate_ppm: int
    reorder_ppm: int
    laid: LinkOptions
    """What it was when it was laid."""

    @property
    def lossy(self) -> bool:
        """Whether its loss was changed."""
        return self.loss_ppm != self.laid.loss_ppm

    @property
    def slow(self) -> bool:
        """Whether its latency or jitter was changed."""
        return (self.latency_us, self.jitter_us) != (self.laid.latency_us, self.laid.jitter_us)

    @property
    def shuffled(self) -> bool:
        """Whether it delivers messages twice or out of order, other than when it was laid."""
        return (self.duplicate_ppm, self.reorder_ppm) != (self.laid.duplicate_ppm, self.laid.reorder_ppm)


class HostView(NamedTuple):
    """The state of a machine, whatever runs on it."""

    id: str
    status: str
    """``up``, ``crashed`` or ``frozen``."""
    clock_off_us: int
    """How far its clock is ahead of true time."""
    drift_ppm: int
    fsync_us: int
    """What a sync of its disk takes."""
    unsynced: int
    """Writes that a crash would lose."""
    waiting: int
    """Messages and timers that wait for a frozen machine."""
    cut_from: tuple[str, ...]
    """Servers it cannot reach in at least one direction."""


def flights(clock: Clock) -> tuple[Flight, ...]:
    """Messages on their way, in the order in which they were sent."""
    now = clock.now_us
    return tuple(
        Flight(seq, link.src, link.dst, message, departs, at if what == DELIVER else 2 * at - departs)
        for at, seq, what, link, message, departs in sorted(
            (entry[:6] for entry in clock.heap if entry[2] <= LOST), key=itemgetter(1)
        )
        if departs <= now
    )


def changed_links(hosts: Iterable[Host]) -> tuple[LinkView, ...]:
    """All links that are not as they were laid."""
    return tuple(link_view(link) for host in hosts for link in host.links.values() if link.faulty)


def link_view(link: Link) -> LinkView:
    """One link."""
    return LinkView(
        link.src, link.dst, link.cut, link.clogged, len(link.held), link.loss_ppm, link.latency_us,
        link.jitter_us, link.duplicate_ppm, link.reorder_ppm, link.options,
    )  # fmt: skip


def host_view(host: Host, hosts: dict[str, Host], servers: Iterable[str]) -> HostView:
    """One machine among the servers of its world."""
    back = host.id
    return HostView(
        id=host.id,
        status=host.status,
        clock_off_us=host.now_us - host.clock.now_us,
        drift_ppm=host.drift_ppm if host.skewed else 0,
        fsync_us=host.disk.fsync_us,
        unsynced=len(host.disk.undo),
        waiting=len(host.inbox),
        cut_from=tuple(
            other
            for other in servers
            if (other in host.links and host.links[other].cut)
            or (back in hosts[other].links and hosts[other].links[back].cut)
        ),
    )


__all__ = ["Flight", "HostView", "LinkView", "changed_links", "flights", "host_view", "link_view"]
