"""Nodes on a clock and a network: executes one thing at a time, and records what happened.

The kernel owns the hosts, the links and the queue. What a person does to them is in world.py, which is what a pattern
stands on.

A *step* is one delivery, one loss, one timer or one finished disk sync. ``position`` counts steps and commands
together: it names a place in the run, whatever speed it was watched at.
"""

from collections.abc import Container, Iterable
from heapq import heappop
from typing import Any, Final

from engines.sim import events as e
from engines.sim.clock import Clock, Entry
from engines.sim.events import Event, EventLog, LossReason
from engines.sim.host import ARRIVED, CRASHED, DELIVER, FROZEN, LOST, SYNC, TIMER, UP, Host
from engines.sim.network import Link, LinkOptions
from engines.sim.node import Node
from engines.sim.views import Flight, flights

DRAIN_STEPS: Final = 64
"""After so many steps events are taken over: what nobody keeps dies young, before a collector of cycles sees it."""
FROZEN_INBOX: Final = 1_024
"""What a frozen node's socket buffers hold before the network drops the rest."""


class Kernel(EventLog):
    """Hosts, links, and the queue of what happens next."""

    def __init__(
        self,
        seed: int,
        servers: Iterable[str],
        clients: Iterable[str],
        link: LinkOptions,
        links: Iterable[tuple[str, str]] | None = None,
    ) -> None:
        """``links``: who can reach whom, both ways; without it everybody can reach everybody."""
        super().__init__()
        self.seed = seed
        self.position = 0
        self.clock = Clock()
        self.servers = tuple(servers)
        self.clients = tuple(clients)
        self.deliveries = 0
        self.losses_told: dict[tuple[str, str, str], bool] = {}
        self.link_options = link
        self.hosts: dict[str, Host] = {id: Host(self, id) for id in (*self.servers, *self.clients)}
        if links is None:
            for src, host in self.hosts.items():
                host.links = {dst: Link(seed, src, dst, link) for dst in self.hosts if dst != src}
        else:
            for src, dst in links:
                self.connect(src, dst)

    def connect(self, one: str, other: str, link: LinkOptions | None = None) -> None:
        """Lay a link both ways, unless there is one."""
        for src, dst in ((one, other), (other, one)):
            links = self.hosts[src].links
            if dst not in links:
                links[dst] = Link(self.seed, src, dst, link or self.link_options)

    def add_host(
        self, id: str, links: Iterable[str] | None = None, client: bool = False, link: LinkOptions | None = None
    ) -> Host:
        """A new machine in a running world, linked both ways to ``links``, else to everybody; its node starts now."""
        assert id not in self.hosts, f"there is a {id} already"
        others = tuple(self.hosts) if links is None else tuple(links)
        host = self.hosts[id] = Host(self, id)
        if client:
            self.clients = (*self.clients, id)
        else:
            self.servers = (*self.servers, id)
        for other in others:
            self.connect(id, other, link)
        host.node = self.make_node(host)
        host.node.on_start(host)
        return host

    # -- for the subclass --------------------------------------------------------------------------------------

    def make_node(self, host: Host) -> Node:
        """A new node for this host, on its disk."""
        raise NotImplementedError

    def observe(self, host: Host) -> None:
        """Called after every step with the host it happened on: the place for checks."""

    def begin(self) -> None:
        """Build and start all nodes. Called once, at the end of the subclass's constructor."""
        for host in self.hosts.values():
            host.node = self.make_node(host)
        for host in self.hosts.values():
            host.node.on_start(host)
        for host in self.hosts.values():
            self.observe(host)
        self.drain()

    # -- the engine ----------------------------------------------------------------------------------------------

    @property
    def now_us(self) -> int:
        """True virtual time."""
        return self.clock.now_us

    def next_us(self) -> int | None:
        """When the next entry of the queue is due (it may turn out to be a stale timer)."""
        return self.clock.heap[0][0] if self.clock.heap else None

    def run(self, until_us: int, max_steps: int) -> int:
        """Execute at most ``max_steps`` steps that are due until then; return how many there were.

        Time ends at ``until_us`` if nothing that is due was left over, else at the last step.
        """
        steps = 0
        while steps < max_steps:
            piece = min(DRAIN_STEPS, max_steps - steps)
            done = self._execute(until_us, piece)
            steps += done
            if done < piece:
                break
            self.drain()
        else:
            self.settle(self.clock.now_us)
        self.drain()
        return steps

    def run_to(self, kinds: Container[type], until_us: int, max_steps: int) -> int:
        """The same, but the step at which an event of one of these kinds is recorded is the last."""
        fresh, execute = self.fresh, self._execute
        steps = seen = 0
        found = False
        while steps < max_steps and not found and execute(until_us, 1):
            steps += 1
            many = len(fresh)
            while seen < many:
                if type(fresh[seen][3]) in kinds:
                    found = True
                seen += 1
        if steps == max_steps or found:
            self.settle(self.clock.now_us)
        self.drain()
        return steps

    def _execute(self, until_us: int, max_steps: int) -> int:
        """The loop itself: what is due, one step after the other."""
        clock = self.clock
        heap = clock.heap
        hosts = self.hosts
        fresh = self.fresh
        observe = self.observe
        delivered = e.Delivered
        steps = deliveries = 0
        while steps < max_steps:
            if not heap or heap[0][0] > until_us:
                if until_us > clock.now_us:
                    clock.now_us = until_us
                break
            entry = heappop(heap)
            if entry[2] == DELIVER:
                at, _, _, link, message, _ = entry
                src, dst = link.src, link.dst
                host = hosts[dst]
                clock.now_us = at
                self.position = position = self.position + 1
                steps += 1
                if link.cut or host.status != UP:
                    self.deliver_badly(link, host, entry)
                    continue
                deliveries += 1
                fresh.append((position, at, dst, delivered, src, message))
                host.node.on_message(host, src, message)
                observe(host)
            elif self.execute_other(entry):
                steps += 1
        self.deliveries += deliveries
        return steps

    def execute_other(self, entry: Entry) -> bool:
        """Execute an entry that is no delivery. False if it was stale and nothing happened."""
        at, what = entry[0], entry[2]
        if what == TIMER:
            host = self.hosts[entry[3]]
            name, incarnation = entry[4], entry[5]
            timer = host.timers.get(name)
            if timer is None or incarnation != host.incarnation or timer[1] != at or host.status == CRASHED:
                return False
            if timer[0] < 0:
                timer[1] = -1
                return False
            if timer[0] > at:
                timer[1] = timer[0]
                self.clock.schedule(timer[0], TIMER, host.id, name, incarnation)
                return False
            if host.status == FROZEN:
                host.inbox.append(entry)
                return False
            self.clock.now_us = at
            self.position += 1
            del host.timers[name]
            self.fresh.append((self.position, at, host.id, e.TimerFired, name))
            host.node.on_timer(host, name)
            self.observe(host)
            return True
        if what == ARRIVED:
            self.take_up(self.hosts[entry[3].dst], entry)
            return True
        if what == LOST:
            self.clock.now_us = at
            self.position += 1
            self.lost(entry[3], entry[4], entry[6])
            return True
        host = self.hosts[entry[3]]
        if entry[5] != host.incarnation:
            return False
        self.clock.now_us = at
        self.position += 1
        host.synced(entry[4])
        self.fresh.append((self.position, at, host.id, e.Synced()))
        if host.status == FROZEN:
            host.inbox.append(entry)
        else:
            host.node.on_synced(host)
        self.observe(host)
        return True

    def step(self) -> tuple[Event, ...]:
        """Execute exactly one step, however far away it is; return its events (none: nothing is left to happen)."""
        before = self.events_total
        while self.clock.heap:
            if self.run(self.clock.heap[0][0], 1):
                break
        return self.latest(self.events_total - before)

    def settle(self, at_us: int) -> None:
        """Let time pass to ``at_us`` without a step: stale timers that are due by then leave the queue.

        Called before every command, so that a replay, which comes here by another sequence of calls, numbers
        what the command schedules exactly as the first run did; and wherever the world comes to rest, so that
        it looks the same by whichever calls it was reached.
        """
        heap = self.clock.heap
        while heap and heap[0][0] <= at_us and self.is_stale(heap[0]):
            self.execute_other(heappop(heap))
        self.clock.now_us = max(self.clock.now_us, at_us)

    def is_stale(self, entry: Entry) -> bool:
        """Whether executing this entry now would be no step."""
        if entry[2] == SYNC:
            return bool(entry[5] != self.hosts[entry[3]].incarnation)
        if entry[2] != TIMER:
            return False
        host = self.hosts[entry[3]]
        timer = host.timers.get(entry[4])
        return (
            timer is None
            or entry[5] != host.incarnation
            or timer[1] != entry[0]
            or timer[0] != entry[0]
            or host.status != UP
        )

    def record(self, what: Any, node: str = "") -> None:
        """Record something that happened to the world rather than inside a node (see events.py)."""
        self.fresh.append((self.position, self.clock.now_us, node, what))

    # -- what goes wrong with messages -----------------------------------------------------------------------------

    def deliver_badly(self, link: Link, host: Host, entry: Entry) -> None:
        """A message reaches a host that cannot take it now, or its link was cut behind it."""
        if link.cut:
            self.lost(link, entry[4], LossReason.CUT)
        elif host.status == CRASHED:
            self.lost(link, entry[4], LossReason.CRASHED)
        elif len(host.inbox) >= FROZEN_INBOX:
            self.lost(link, entry[4], LossReason.OVERFLOW)
        else:
            host.inbox.append(entry)
            self.fresh.append((self.position, entry[0], link.dst, e.Waiting(link.src, entry[4])))

    def take_up(self, host: Host, entry: Entry) -> None:
        """A thawed host finds a message that waited for it, unless it died or froze again at this very moment."""
        at, link, message = entry[0], entry[3], entry[4]
        self.clock.now_us = at
        self.position += 1
        if host.status == CRASHED:
            self.lost(link, message, LossReason.CRASHED)
        elif host.status == FROZEN:
            host.inbox.append(entry)
        else:
            self.deliveries += 1
            self.fresh.append((self.position, at, link.dst, e.Delivered, link.src, message))
            host.node.on_message(host, link.src, message)
            self.observe(host)

    def lost(self, link: Link, message: object, why: LossReason) -> None:
        """Record the end of a message, on the receiver that never sees it.

        A cut link or a dead host swallows every heartbeat: each type of message is told once, until a command
        changes something; after that it is ``LostAgain``, which is quiet.
        """
        what = (link.src, link.dst, type(message).__name__)
        again = what in self.losses_told and why in (LossReason.CUT, LossReason.CRASHED)
        kind = e.LostAgain if again else e.Lost
        self.losses_told[what] = True
        self.record(kind(link.src, message, why, link.loss_ppm), link.dst)

    def flights(self) -> tuple[Flight, ...]:
        """Messages on their way, in the order in which they were sent."""
        return flights(self.clock)


__all__ = ["FROZEN_INBOX", "Kernel"]
