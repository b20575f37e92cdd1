"""Nodes on a clock and a network, with faults and a record of events.

``World`` is the engine every networked pattern stands on: it owns the hosts, the links and the queue, executes
one entry at a time, applies faults, and records what happened. A pattern subclasses it, builds its nodes in
``make_node``, and looks at the outcome of every step in ``observe``, where its checks live.

A *step* is one delivery, one loss, one timer or one finished disk sync. ``position`` counts steps and commands
together: it names a place in the run, whatever speed it was watched at.
"""

from collections import deque
from collections.abc import Iterable
from heapq import heappop, heappush
from operator import itemgetter
from typing import Any, Final, NamedTuple

from engines.errors import UserError
from engines.sim import faults
from engines.sim.clock import US_PER_S, Clock, Entry, format_span
from engines.sim.digest import Digest
from engines.sim.disk import Disk
from engines.sim.network import PPM, Link, LinkOptions
from engines.sim.node import Node
from engines.sim.random import GOLDEN, MASK64, MIX_1, MIX_2, Stream

DELIVER: Final = 0
LOST: Final = 1
TIMER: Final = 2
SYNC: Final = 3
ARRIVED: Final = 4
"""A delivery that waited in the buffers of a frozen host: no cut can take it back."""

UP: Final = "up"
CRASHED: Final = "crashed"
FROZEN: Final = "frozen"

RING_EVENTS: Final = 512
"""How many events of every kind are kept, newest last."""
JOURNAL_EVENTS: Final = 512
"""How many events that tell a story are kept beside them."""
FROZEN_INBOX: Final = 1_024
"""What a frozen node's socket buffers hold before the network drops the rest."""
ALL: Final = "*"


class Event(NamedTuple):
    """Something that happened. A named tuple, because a run makes a hundred thousand a second."""

    position: int
    at_us: int
    kind: str
    node: str
    peer: str = ""
    message: Any = None
    why: str = ""
    detail: tuple[tuple[str, Any], ...] = ()

    def get(self, name: str, default: Any = None) -> Any:
        """One value of the detail."""
        for key, value in self.detail:
            if key == name:
                return value
        return default


QUIET_KINDS: Final = frozenset({"deliver", "timer", "synced", "wait", "lost_again"})
"""Routine: counted, digested and steppable, but not worth a line of the journal by themselves."""


class Flight(NamedTuple):
    """A message on its way. Whether it will be lost is not told: nobody in the cluster knows either."""

    id: int
    src: str
    dst: str
    message: Any
    departs_us: int
    arrives_us: int


class Host:
    """A machine: the node that runs on it, its disk, its clock and timers. It is the node's context."""

    __slots__ = (
        "barrier_us", "clock", "disk", "drift_ppm", "id", "inbox", "incarnation", "links", "node", "now_base_us",
        "offset_us", "skewed", "status", "streams", "timers", "world",
    )  # fmt: skip

    def __init__(self, world: "World", id: str) -> None:
        self.world = world
        self.clock = world.clock
        self.id = id
        self.disk = Disk()
        self.links: dict[str, Link] = {}
        self.status = UP
        self.incarnation = 0
        self.timers: dict[str, list[int]] = {}
        """name -> [deadline, time of its entry in the queue]; -1 for none. See ``set_timer``."""
        self.inbox: list[Entry] = []
        self.streams: dict[str, Stream] = {}
        self.barrier_us = 0
        self.offset_us = 0
        self.drift_ppm = 0
        self.now_base_us = 0
        self.skewed = False
        self.node: Node

    # -- the effects a node may ask for ---------------------------------------------------------------------

    @property
    def now_us(self) -> int:
        """The host's own clock."""
        now = self.clock.now_us
        if not self.skewed:
            return now
        return now + self.offset_us + (now - self.now_base_us) * self.drift_ppm // PPM

    def send(self, dst: str, message: object) -> None:
        """Put a message on the link to ``dst``; it leaves once everything persisted before is durable."""
        link = self.links[dst]
        n = link.sent
        link.sent = n + 1
        z = (link.key + n * GOLDEN) & MASK64
        z = ((z ^ (z >> 30)) * MIX_1) & MASK64
        z = ((z ^ (z >> 27)) * MIX_2) & MASK64
        z ^= z >> 31
        clock = self.clock
        departs = clock.now_us
        if self.barrier_us > departs:
            departs = self.barrier_us
        arrives = departs + link.latency_us + ((z >> 32) * (link.jitter_us + 1) >> 32)
        if link.cut or link.clogged or z & 0xFFFFF < link.loss_threshold:
            self.world.send_badly(link, message, departs, arrives)
            return
        if link.reorder_ppm and link.reorders.chance(link.reorder_ppm):
            arrives += link.reorders.between(link.latency_us, 3 * link.latency_us + 1)
        elif arrives < link.last_arrival_us:
            arrives = link.last_arrival_us
        else:
            link.last_arrival_us = arrives
        clock.seq += 1
        heappush(clock.heap, (arrives, clock.seq, DELIVER, link, message, departs))
        if link.duplicate_ppm and link.duplicates.chance(link.duplicate_ppm):
            again = arrives + link.duplicates.between(1, link.latency_us + 1)
            clock.schedule(again, DELIVER, link, message, departs)

    def set_timer(self, name: str, delay_us: int) -> None:
        """(Re)start a timer.

        A timer that is put off, as an election timer is by every heartbeat, leaves its entry in the queue where
        it is; when that comes up early it is queued again for the true deadline. So a reset costs no push.
        """
        if self.skewed:
            delay_us = delay_us * PPM // (PPM + self.drift_ppm)
        clock = self.clock
        deadline = clock.now_us + (delay_us if delay_us > 0 else 0)
        timer = self.timers.get(name)
        if timer is None:
            self.timers[name] = [deadline, deadline]
        else:
            timer[0] = deadline
            if 0 <= timer[1] <= deadline:
                return
            timer[1] = deadline
        clock.seq += 1
        heappush(clock.heap, (deadline, clock.seq, TIMER, self.id, name, self.incarnation))

    def cancel_timer(self, name: str) -> None:
        """Stop a timer; no error if it does not run."""
        timer = self.timers.get(name)
        if timer is not None:
            timer[0] = -1

    def persist(self) -> bool:
        """Make all writes so far durable. True if they are; else ``on_synced`` will be called."""
        disk = self.disk
        if not disk.fsync_us and not disk.undo:
            return True
        now = self.clock.now_us
        self.barrier_us = max(self.barrier_us, now) + disk.fsync_us
        self.clock.schedule(self.barrier_us, SYNC, self.id, disk.writes, self.incarnation)
        return False

    def knows(self, name: str) -> bool:
        """Whether there is a link to this name."""
        return name in self.links

    def stream(self, purpose: str) -> Stream:
        """The random stream of this host for this purpose."""
        stream = self.streams.get(purpose)
        if stream is None:
            stream = self.streams[purpose] = Stream(self.world.seed, f"{self.id}/{purpose}")
        return stream

    def note(self, kind: str, why: str = "", **detail: object) -> None:
        """Record that something happened, and why."""
        world = self.world
        world.fresh.append(
            (world.position, self.clock.now_us, kind, self.id, "", None, why, tuple(detail.items()) if detail else ())
        )

    # -- what the world and the picture want to know ---------------------------------------------------------

    def timer_left_us(self, name: str) -> int | None:
        """True time until the timer runs out, or None if it does not run."""
        timer = self.timers.get(name)
        if timer is None or timer[0] < 0:
            return None
        return max(0, timer[0] - self.clock.now_us)


class World:
    """The simulated world. Subclasses supply the nodes, the checks and the snapshot."""

    def __init__(self, seed: int, servers: Iterable[str], clients: Iterable[str], link: LinkOptions) -> None:
        self.seed = seed
        self.position = 0
        self.clock = Clock()
        self.servers = tuple(servers)
        self.clients = tuple(clients)
        self.fresh: list[tuple[Any, ...]] = []
        self.ring: deque[tuple[Any, ...]] = deque(maxlen=RING_EVENTS)
        self.journal: deque[tuple[Any, ...]] = deque(maxlen=JOURNAL_EVENTS)
        self.events_total = 0
        self.told_total = 0
        """How many events that tell a story there were so far: the number of the newest line of the journal."""
        self.deliveries = 0
        self.losses_told: dict[tuple[str, str, str], bool] = {}
        self.digest: Digest | None = None
        """Set for a run that will be compared with another; a checkpoint cannot be taken then."""
        self.hosts: dict[str, Host] = {id: Host(self, id) for id in (*self.servers, *self.clients)}
        for src, host in self.hosts.items():
            host.links = {dst: Link(seed, src, dst, link) for dst in self.hosts if dst != src}

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
        clock = self.clock
        heap = clock.heap
        hosts = self.hosts
        fresh = self.fresh
        observe = self.observe
        steps = 0
        while steps < max_steps:
            if not heap or heap[0][0] > until_us:
                if until_us > clock.now_us:
                    clock.now_us = until_us
                break
            entry = heappop(heap)
            what = entry[2]
            if what == DELIVER:
                at, _, _, link, message, _ = entry
                host = hosts[link.dst]
                clock.now_us = at
                self.position += 1
                steps += 1
                if link.cut or host.status != UP:
                    self.deliver_badly(link, host, entry)
                    continue
                self.deliveries += 1
                fresh.append((self.position, at, "deliver", link.dst, link.src, message, "", ()))
                host.node.on_message(host, link.src, message)
                observe(host)
            elif self.execute_other(entry):
                steps += 1
        if steps == max_steps:
            self.settle(clock.now_us)
        self.drain()
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
            self.fresh.append((self.position, at, "timer", host.id, "", None, name, ()))
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
        host.disk.synced(entry[4])
        self.fresh.append((self.position, at, "synced", host.id, "", None, "", ()))
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

    def drain(self) -> None:
        """Move fresh events to the rings."""
        fresh = self.fresh
        if fresh:
            self.events_total += len(fresh)
            self.ring.extend(fresh)
            told = [event for event in fresh if event[2] not in QUIET_KINDS]
            self.told_total += len(told)
            self.journal.extend(told)
            if self.digest is not None:
                self.digest.feed(fresh)
            fresh.clear()

    def latest(self, count: int) -> tuple[Event, ...]:
        """The newest events, oldest first, as many as the ring still holds."""
        count = min(count, len(self.ring))
        return tuple(Event._make(self.ring[i]) for i in range(len(self.ring) - count, len(self.ring)))

    def told(self, count: int) -> tuple[Event, ...]:
        """The newest events that tell a story, oldest first."""
        count = min(count, len(self.journal))
        return tuple(Event._make(self.journal[i]) for i in range(len(self.journal) - count, len(self.journal)))

    def record(self, kind: str, node: str = "", peer: str = "", why: str = "", **detail: object) -> None:
        """Record something that happened to the world rather than inside a node."""
        self.fresh.append((self.position, self.clock.now_us, kind, node, peer, None, why, tuple(detail.items())))

    # -- what goes wrong with messages -----------------------------------------------------------------------------

    def send_badly(self, link: Link, message: object, departs: int, arrives: int) -> None:
        """The message will not arrive as sent: it dies half way, or waits in a clogged link."""
        if link.cut or not link.clogged:
            why = "cut" if link.cut else "loss"
            half_way = departs + (arrives - departs) // 2
            self.clock.schedule(half_way, LOST, link, message, departs, why)
        else:
            link.held.append((message, departs, arrives - departs))

    def deliver_badly(self, link: Link, host: Host, entry: Entry) -> None:
        """A message reaches a host that cannot take it now, or its link was cut behind it."""
        if link.cut:
            self.lost(link, entry[4], "cut")
        elif host.status == CRASHED:
            self.lost(link, entry[4], "crashed")
        elif len(host.inbox) >= FROZEN_INBOX:
            self.lost(link, entry[4], "overflow")
        else:
            host.inbox.append(entry)
            self.fresh.append((self.position, entry[0], "wait", link.dst, link.src, entry[4], "frozen", ()))

    def take_up(self, host: Host, entry: Entry) -> None:
        """A thawed host finds a message that waited for it, unless it died or froze again at this very moment."""
        at, link, message = entry[0], entry[3], entry[4]
        self.clock.now_us = at
        self.position += 1
        if host.status == CRASHED:
            self.lost(link, message, "crashed")
        elif host.status == FROZEN:
            host.inbox.append(entry)
        else:
            self.deliveries += 1
            self.fresh.append((self.position, at, "deliver", link.dst, link.src, message, "", ()))
            host.node.on_message(host, link.src, message)
            self.observe(host)

    def lost(self, link: Link, message: object, why: str) -> None:
        """Record the end of a message. ``node`` is the receiver that never sees it, ``peer`` the sender.

        A cut link or a dead host swallows every heartbeat: each kind of message is told once, until a command
        changes something; after that it is ``lost_again``, which is quiet.
        """
        what = (link.src, link.dst, type(message).__name__)
        event = (link.dst, link.src, message, why, (("loss_ppm", link.loss_ppm),))
        if what in self.losses_told and why in ("cut", "crashed"):
            self.fresh.append((self.position, self.clock.now_us, "lost_again", *event))
        else:
            self.fresh.append((self.position, self.clock.now_us, "lost", *event))
            self.losses_told[what] = True

    def flights(self) -> tuple[Flight, ...]:
        """Messages on their way, in the order in which they were sent."""
        now = self.clock.now_us
        return tuple(
            Flight(seq, link.src, link.dst, message, departs, at if what == DELIVER else 2 * at - departs)
            for at, seq, what, link, message, departs in sorted(
                (entry[:6] for entry in self.clock.heap if entry[2] <= LOST), key=itemgetter(1)
            )
            if departs <= now
        )

    # -- faults ------------------------------------------------------------------------------------------------------

    def apply(self, command: Any) -> tuple[Event, ...]:
        """Apply a command now; return the events it caused.

        Raises UserError, before anything has changed, if it names something that does not exist or cannot be done.
        """
        self.validate(command)
        before = self.events_total
        self.position += 1
        self.execute(command)
        if not isinstance(command, faults.Narrate):
            self.losses_told.clear()
        for host in self.hosts.values():
            self.observe(host)
        self.settle(self.clock.now_us)
        self.drain()
        return self.latest(self.events_total - before)

    def resolve(self, command: Any) -> Any:
        """The command with symbolic node names replaced; subclasses know what they mean."""
        return command

    def validate(self, command: Any) -> None:
        """Refuse a command that makes no sense here. Subclasses extend it for their own commands."""
        for name in _named(command):
            if name not in self.hosts:
                raise UserError(f"no node {name!r} in this cluster: it has {', '.join(self.hosts)}")
        match command:
            case faults.Lose(ppm=ppm) | faults.Duplicate(ppm=ppm) | faults.Reorder(ppm=ppm) if not 0 <= ppm <= PPM:
                raise UserError(f"a share of {ppm} ppm: it must lie between 0 and {PPM}")
            case faults.Slow(latency_us=latency, jitter_us=jitter) if latency < 0 or jitter < 0:
                raise UserError(f"a latency of {latency} us with {jitter} us of jitter: neither can be negative")
            case faults.Skew(drift_ppm=drift) if not -900_000 <= drift <= 9_000_000:
                raise UserError(f"a drift of {drift} ppm: it must lie between -900000 and 9000000")
            case faults.SlowDisk(fsync_us=fsync) if not 0 <= fsync <= 60 * US_PER_S:
                raise UserError(f"a disk sync of {fsync} us: it must lie between 0 and 60000000")
            case faults.ExpireTimers(in_us=in_us) if in_us < 0:
                raise UserError(f"timers cannot run out {-in_us} us ago")
            case faults.Partition(sides=sides):
                names = [name for side in sides for name in side]
                if len(sides) < 2 or len(set(names)) != len(names):
                    raise UserError("a partition needs two or more sides, and no node on two of them")

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
                    self.record("freeze", node)
            case faults.Thaw(node=node):
                self.thaw(self.hosts[node])
            case faults.Isolate(node=node) | faults.Reconnect(node=node):
                cut = isinstance(command, faults.Isolate)
                for other in self.servers:
                    if other != node:
                        self.hosts[node].links[other].cut = self.hosts[other].links[node].cut = cut
                self.record("isolate" if cut else "reconnect", node)
            case faults.Partition(sides=sides):
                self.partition(sides)
            case faults.Skew(node=node, offset_us=offset_us, drift_ppm=drift_ppm):
                self.skew(self.hosts[node], offset_us, drift_ppm)
                self.record("skew", node, offset_us=offset_us, drift_ppm=drift_ppm)
            case faults.SlowDisk(node=node, fsync_us=fsync_us):
                self.hosts[node].disk.fsync_us = fsync_us
                self.record("slow_disk", node, fsync_us=fsync_us)
            case faults.Drop(message=message):
                self.drop(message)
            case faults.ExpireTimers(nodes=nodes, timer=timer, in_us=in_us):
                self.expire_timers(nodes, timer, in_us)
            case faults.Heal():
                self.heal()
            case faults.Narrate(text=text, pause=pause):
                self.record("cue", why=text, pause=pause)
            case _:
                self.execute_on_links(command)

    def execute_on_links(self, command: Any) -> None:
        """The faults of directed links."""
        links = self.links_between(command.src, command.dst)
        detail: dict[str, int] = {}
        for link in links:
            match command:
                case faults.Cut():
                    link.cut = True
                case faults.Mend():
                    link.cut = False
                case faults.Lose(ppm=ppm):
                    link.set_loss(ppm)
                    detail = {"ppm": ppm}
                case faults.Slow(latency_us=latency_us, jitter_us=jitter_us):
                    link.latency_us, link.jitter_us = latency_us, jitter_us
                    detail = {"latency_us": latency_us, "jitter_us": jitter_us}
                case faults.Duplicate(ppm=ppm):
                    link.duplicate_ppm = ppm
                    detail = {"ppm": ppm}
                case faults.Reorder(ppm=ppm):
                    link.reorder_ppm = ppm
                    detail = {"ppm": ppm}
                case faults.Clog():
                    link.clogged = True
                case faults.Unclog():
                    self.unclog(link)
                case _:
                    raise AssertionError(f"no rule for {command!r}")
        self.record(type(command).__name__.lower(), command.dst, command.src, "", **detail)

    def links_between(self, src: str, dst: str) -> list[Link]:
        """The links named by a pair in which ``*`` stands for every node."""
        sources = self.hosts if src == ALL else (src,)
        return [
            link for source in sources for link in self.hosts[source].links.values() if dst == ALL or link.dst == dst
        ]

    def crash(self, host: Host) -> None:
        """Lose everything volatile, and whatever had not left the host yet. A sync that is due now is done."""
        if host.status == CRASHED:
            return
        now = self.clock.now_us
        unsent = frozenset(
            entry[1] for entry in self.clock.heap if entry[2] <= LOST and entry[3].src == host.id and entry[5] > now
        )
        self.clock.remove(unsent)
        held_back = 0
        for link in host.links.values():
            sent = [each for each in link.held if each[1] <= now]
            held_back += len(link.held) - len(sent)
            link.held = sent
        self.forget_unsent(host)
        for entry in self.clock.heap:
            if entry[2] == SYNC and entry[0] <= now and entry[3] == host.id and entry[5] == host.incarnation:
                host.disk.synced(entry[4])
        lost = host.disk.crash()
        host.status = CRASHED
        host.incarnation += 1
        host.timers.clear()
        host.inbox.clear()
        host.barrier_us = 0
        self.record("crash", host.id, lost_writes=lost, unsent=len(unsent) + held_back)

    def forget_unsent(self, host: Host) -> None:
        """What never left delays nobody: the next message of a link queues behind what is really in the air."""
        newest: dict[str, int] = {}
        for entry in self.clock.heap:
            if entry[2] == DELIVER and entry[3].src == host.id:
                newest[entry[3].dst] = max(newest.get(entry[3].dst, 0), entry[0])
        for dst, link in host.links.items():
            link.last_arrival_us = min(link.last_arrival_us, newest.get(dst, 0))

    def restart(self, host: Host) -> None:
        """Build a new node on the old disk."""
        if host.status != CRASHED:
            return
        host.status = UP
        host.node = self.make_node(host)
        self.record("restart", host.id)
        host.node.on_start(host)

    def thaw(self, host: Host) -> None:
        """Everything that waited happens now, in the order in which it came."""
        if host.status != FROZEN:
            return
        host.status = UP
        waited, host.inbox = host.inbox, []
        self.record("thaw", host.id, waited=len(waited))
        now = self.clock.now_us
        for entry in waited:
            if entry[2] == TIMER:
                timer = host.timers.get(entry[4])
                if timer is not None:
                    timer[0] = timer[1] = now
            what = ARRIVED if entry[2] == DELIVER else entry[2]
            self.clock.schedule(now, what, *entry[3:])

    def partition(self, sides: tuple[tuple[str, ...], ...]) -> None:
        """Cut between sides, connect within them."""
        side_of = {name: number for number, side in enumerate(sides) for name in side}
        for src in side_of:
            for dst in side_of:
                if src != dst:
                    self.hosts[src].links[dst].cut = side_of[src] != side_of[dst]
        self.record("partition", sides=sides)

    def unclog(self, link: Link) -> None:
        """Release what the link held back, in order; each message still takes its own flight time."""
        link.clogged = False
        held, link.held = link.held, []
        now = self.clock.now_us
        for message, departs, flight_us in held:
            arrives = max(now, departs) + flight_us
            link.last_arrival_us = arrives = max(arrives, link.last_arrival_us)
            self.clock.schedule(arrives, DELIVER, link, message, max(now, departs))

    def skew(self, host: Host, offset_us: int, drift_ppm: int) -> None:
        """Set the host's clock and let its running timers follow it: a jump forward brings them nearer."""
        now = self.clock.now_us
        jump = now + offset_us - host.now_us
        old_drift = host.drift_ppm if host.skewed else 0
        host.offset_us, host.drift_ppm, host.now_base_us = offset_us, drift_ppm, now
        host.skewed = offset_us != 0 or drift_ppm != 0
        for name, timer in host.timers.items():
            if timer[0] >= 0:
                local_left = (timer[0] - now) * (PPM + old_drift) // PPM - jump
                self.rearm(host, name, max(0, local_left) * PPM // (PPM + drift_ppm))

    def rearm(self, host: Host, name: str, delay_us: int) -> None:
        """Give a running timer a new deadline in true time, also an earlier one."""
        deadline = self.clock.now_us + delay_us
        host.timers[name] = [deadline, deadline]
        self.clock.schedule(deadline, TIMER, host.id, name, host.incarnation)

    def drop(self, message: int) -> None:
        """Take one message out of the air."""
        entries = self.clock.remove(frozenset({message}))
        if entries and entries[0][2] <= LOST:
            self.lost(entries[0][3], entries[0][4], "dropped")
        else:
            for entry in entries:
                heappush(self.clock.heap, entry)
            self.record("drop_missed", why="it is not in flight any more", message=message)

    def expire_timers(self, nodes: tuple[str, ...], timer: str, in_us: int) -> None:
        """Let the timer of several nodes run out at one moment."""
        hit = []
        for name in nodes:
            host = self.hosts[name]
            if host.status != CRASHED and host.timer_left_us(timer) is not None:
                self.rearm(host, timer, in_us)
                hit.append(name)
        self.record("expire_timers", why=timer, nodes=tuple(hit), in_us=in_us)

    def heal(self) -> None:
        """Undo every fault that is still in force."""
        self.record("heal")
        for host in self.hosts.values():
            for link in host.links.values():
                held = link.held
                link.heal()
                if held:
                    self.unclog(link)
            self.skew(host, 0, 0)
            host.disk.fsync_us = 0
            self.restart(host)
            self.thaw(host)

    def faults_of(self, node: str) -> tuple[str, ...]:
        """The faults in force at a node and its links, in words."""
        host = self.hosts[node]
        found = []
        if host.status != UP:
            found.append(host.status)
        if host.skewed:
            drift = f", {host.drift_ppm} ppm too fast" if host.drift_ppm else ""
            found.append(f"clock {format_span(host.now_us - self.now_us)} off{drift}")
        if host.disk.fsync_us:
            found.append(f"a disk sync takes {format_span(host.disk.fsync_us)}")
        for link in host.links.values():
            back = self.hosts[link.dst].links[node]
            for one, arrow in ((link, f"to {link.dst}"), (back, f"from {link.dst}")):
                found.extend(f"{what} {arrow}" for what in describe_link(one))
        return tuple(found)


def describe_link(link: Link) -> list[str]:
    """What is wrong with a link, in words."""
    options = link.options
    found = []
    if link.cut:
        found.append("cut")
    if link.clogged:
        found.append(f"clogged with {len(link.held)}")
    if link.loss_ppm != options.loss_ppm:
        found.append(f"{link.loss_ppm // 10_000} % loss")
    if (link.latency_us, link.jitter_us) != (options.latency_us, options.jitter_us):
        found.append(f"{format_span(link.latency_us)} latency")
    if link.duplicate_ppm != options.duplicate_ppm:
        found.append(f"{link.duplicate_ppm // 10_000} % twice")
    if link.reorder_ppm != options.reorder_ppm:
        found.append(f"{link.reorder_ppm // 10_000} % out of order")
    return found


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
