"""The simulated world: a kernel, and what a person does to it.

``World`` is the engine every networked pattern stands on: it applies faults to the hosts and links of the kernel, and
records each. A pattern subclasses it, builds its nodes in ``make_node``, looks at the outcome of every step in
``observe``, where its checks live, and adds its own commands in ``validate`` and ``execute``.
"""

from heapq import heappush
from typing import Any, Final

from engines.errors import UserError
from engines.sim import events as e
from engines.sim import faults
from engines.sim.events import Event, LossReason
from engines.sim.host import CRASHED, FROZEN, LOST, UP, Host
from engines.sim.kernel import Kernel
from engines.sim.network import Link

ALL: Final = "*"


class World(Kernel):
    """The simulated world. Subclasses supply the nodes, the checks and the snapshot."""

    # -- faults ------------------------------------------------------------------------------------------------------

    def apply(self, command: Any) -> tuple[Event, ...]:
        """Apply a command now; return the events it caused.

        Raises UserError, before anything has changed, if it names something that does not exist or cannot be done.
        """
        before = self.events_total
        self.give(command)
        return self.latest(self.events_total - before)

    def give(self, command: Any) -> None:
        """The same, for whoever asks for no events: a hunt gives thousands of commands and looks at none."""
        self.validate(command)
        self.position += 1
        self.execute(command)
        if not isinstance(command, faults.Narrate):
            self.losses_told.clear()
        for host in self.hosts.values():
            self.observe(host)
        self.settle(self.clock.now_us)
        self.drain()

    def resolve(self, command: Any) -> Any:
        """The command with symbolic node names replaced; subclasses know what they mean."""
        return command

    def validate(self, command: Any) -> None:
        """Refuse a command that makes no sense here. Subclasses extend it for their own commands."""
        for name in _named(command):
            if name not in self.hosts:
                raise UserError(f"no node {name!r} in this cluster: it has {', '.join(self.hosts)}")
        src, dst = getattr(command, "src", ALL), getattr(command, "dst", ALL)
        named = isinstance(command, faults.FAULTS) and ALL not in (src, dst) and src != dst
        if named and dst not in self.hosts[src].links:
            raise UserError(f"no link from {src} to {dst}: it has links to {', '.join(self.hosts[src].links)}")
        faults.validate_values(command)

    def execute(self, command: Any) -> None:
        """Carry out a valid command. Subclasses extend it for their own commands."""
        match command:
            case faults.Crash(node=node):
                self.crash(self.hosts[node])
            case faults.Restart(node=node):
                self.restart(self.hosts[node])
            case faults.Freeze(node=node):
                if self.hosts[node].status == UP:
                    self.hosts[node].status = FROZEN
                    self.record(e.Frozen(), node)
            case faults.Thaw(node=node):
                self.thaw(self.hosts[node])
            case faults.Isolate(node=node):
                self.isolate(node, True)
                self.record(e.Isolated(), node)
            case faults.Reconnect(node=node):
                self.isolate(node, False)
                self.record(e.Reconnected(), node)
            case faults.Partition(sides=sides):
                self.partition(sides)
            case faults.Skew(node=node, offset_us=offset_us, drift_ppm=drift_ppm):
                self.hosts[node].skew(offset_us, drift_ppm)
                self.record(e.Skewed(offset_us, drift_ppm), node)
            case faults.SlowDisk(node=node, fsync_us=fsync_us):
                self.hosts[node].disk.fsync_us = fsync_us
                self.record(e.DiskSlowed(fsync_us), node)
            case faults.Drop(message=message):
                self.drop(message)
            case faults.ExpireTimers(nodes=nodes, timer=timer, in_us=in_us):
                self.expire_timers(nodes, timer, in_us)
            case faults.Heal():
                self.heal()
            case faults.Narrate(text=text, pause=pause):
                self.cue = (self.clock.now_us, text)
                self.record(e.Cue(text, pause))
            case _:
                self.execute_on_links(command)

    def execute_on_links(self, command: Any) -> None:
        """The faults of directed links."""
        src = command.src
        links = self.links_between(src, command.dst)
        what: e.KernelEvent
        match command:
            case faults.Cut():
                what = e.LinkCut(src)
                for link in links:
                    link.cut = True
            case faults.Mend():
                what = e.LinkMended(src)
                for link in links:
                    link.cut = False
            case faults.Lose(ppm=ppm):
                what = e.LossSet(src, ppm)
                for link in links:
                    link.set_loss(ppm)
            case faults.Slow(latency_us=latency_us, jitter_us=jitter_us):
                what = e.LatencySet(src, latency_us, jitter_us)
                for link in links:
                    link.latency_us, link.jitter_us = latency_us, jitter_us
            case faults.Duplicate(ppm=ppm):
                what = e.DuplicationSet(src, ppm)
                for link in links:
                    link.duplicate_ppm = ppm
            case faults.Reorder(ppm=ppm):
                what = e.ReorderingSet(src, ppm)
                for link in links:
                    link.reorder_ppm = ppm
            case faults.Clog():
                what = e.Clogged(src)
                for link in links:
                    link.clogged = True
            case faults.Unclog():
                what = e.Unclogged(src)
                for link in links:
                    self.hosts[link.src].unclog(link)
            case _:
                raise AssertionError(f"no rule for {command!r}")
        self.record(what, command.dst)

    def links_between(self, src: str, dst: str) -> list[Link]:
        """The links named by a pair in which ``*`` stands for every node."""
        sources = self.hosts if src == ALL else (src,)
        return [
            link for source in sources for link in self.hosts[source].links.values() if dst == ALL or link.dst == dst
        ]

    def crash(self, host: Host) -> None:
        """Lose everything volatile, and whatever had not left the host yet."""
        if host.status != CRASHED:
            lost_writes, unsent = host.crash()
            self.record(e.Crashed(lost_writes, unsent), host.id)

    def restart(self, host: Host) -> None:
        """Build a new node on the old disk."""
        if host.status == CRASHED:
            host.status = UP
            host.node = self.make_node(host)
            self.record(e.Restarted(), host.id)
            host.node.on_start(host)

    def thaw(self, host: Host) -> None:
        """Let a frozen host go on."""
        if host.status == FROZEN:
            self.record(e.Thawed(host.thaw()), host.id)

    def isolate(self, node: str, cut: bool) -> None:
        """Cut or mend all links between a node and the other servers."""
        for other, link in self.hosts[node].links.items():
            if other in self.servers:
                link.cut = self.hosts[other].links[node].cut = cut

    def partition(self, sides: tuple[tuple[str, ...], ...]) -> None:
        """Cut between sides, connect within them."""
        side_of = {name: number for number, side in enumerate(sides) for name in side}
        for src, side in side_of.items():
            for dst, link in self.hosts[src].links.items():
                if dst in side_of:
                    link.cut = side != side_of[dst]
        self.record(e.Partitioned(sides))

    def drop(self, message: int) -> None:
        """Take one message out of the air."""
        entries = self.clock.remove(frozenset({message}))
        if entries and entries[0][2] <= LOST:
            self.lost(entries[0][3], entries[0][4], LossReason.DROPPED)
        else:
            for entry in entries:
                heappush(self.clock.heap, entry)
            self.record(e.DropMissed(message))

    def expire_timers(self, nodes: tuple[str, ...], timer: str, in_us: int) -> None:
        """Let the timer of several nodes run out at one moment."""
        hit = []
        for name in nodes:
            host = self.hosts[name]
            if host.status != CRASHED and host.timer_left_us(timer) is not None:
                host.rearm(timer, in_us)
                hit.append(name)
        self.record(e.TimersExpired(timer, tuple(hit), in_us))

    def heal(self) -> None:
        """Undo every fault that is still in force."""
        self.record(e.Healed())
        for host in self.hosts.values():
            for link in host.links.values():
                held = link.held
                link.heal()
                if held:
                    host.unclog(link)
            host.skew(0, 0)
            host.disk.fsync_us = 0
            self.restart(host)
            self.thaw(host)
            if host.flush():
                self.record(e.Synced(), host.id)
                host.node.on_synced(host)


def _named(command: Any) -> list[str]:
    """The nodes a command names. Only links may be named by ``*``; a pattern's own command may name nobody."""
    names = []
    for field in ("src", "dst"):
        name = getattr(command, field, None)
        if isinstance(name, str) and name != ALL:
            names.append(name)
    node = getattr(command, "node", None)
    if isinstance(node, str) and (node or isinstance(command, faults.FAULTS)):
        names.append(node)
    names.extend(getattr(command, "nodes", ()))
    for side in getattr(command, "sides", ()):
        names.extend(side)
    return names


__all__ = ["ALL", "World"]
