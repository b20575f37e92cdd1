"""A machine: the node that runs on it, its disk, its clock and timers, and its outgoing links.

A host is the context of its node: the effects a node may ask for are its methods. What befalls the machine itself
(a crash, a thaw, a skewed clock) is here too; the world decides when, and records it.

A slow disk syncs one thing at a time, as disks do, and each sync covers all that was written before it began: what is
written meanwhile waits for the next one, together (*group commit*).
"""

from heapq import heappush
from typing import Any, Final, Protocol

from engines.sim.clock import Clock, Entry
from engines.sim.disk import Disk
from engines.sim.events import LossReason, Raw
from engines.sim.network import Link
from engines.sim.node import Node
from engines.sim.random import Stream, draws
from engines.units import PPM

DELIVER: Final = 0
LOST: Final = 1
TIMER: Final = 2
SYNC: Final = 3
ARRIVED: Final = 4
"""A delivery that waited in the buffers of a frozen host: no cut can take it back."""

UP: Final = "up"
CRASHED: Final = "crashed"
FROZEN: Final = "frozen"


class Surroundings(Protocol):
    """What a host sees of its world."""

    seed: int
    position: int
    clock: Clock
    fresh: list[Raw]


class Host:
    """A machine."""

    __slots__ = (
        "barrier_us", "clock", "disk", "drift_ppm", "id", "inbox", "incarnation", "links", "node", "now_base_us",
        "offset_us", "skewed", "status", "streams", "sync_ends_us", "sync_next", "timers", "world",
    )  # fmt: skip

    def __init__(self, world: Surroundings, id: str) -> None:
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
        """When all that was persisted so far is durable: no message leaves earlier."""
        self.sync_ends_us = 0
        """When the sync that is under way is done."""
        self.sync_next = False
        """Whether another one begins then."""
        self.offset_us = 0
        self.drift_ppm = 0
        self.now_base_us = 0
        self.skewed = False
        self.node: Node

    # -- the effects a node may ask for ------------------------------------------------------------------------

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
        ahead = link.ahead
        if not ahead:
            ahead = link.ahead = draws(link.key, n)
        z = ahead.pop()
        clock = self.clock
        departs = clock.now_us
        if self.barrier_us > departs:
            departs = self.barrier_us
        arrives = departs + link.latency_us + ((z >> 32) * (link.jitter_us + 1) >> 32)
        if link.cut or link.clogged or (link.loss_threshold and z & 0xFFFFF < link.loss_threshold):
            self._send_badly(link, message, departs, arrives)
            return
        if link.reorder_ppm and link.reorders.chance(link.reorder_ppm):
            arrives += link.reorders.between(link.latency_us, 3 * link.latency_us + 1)
            link.reordered += 1
        elif arrives < link.last_arrival_us:
            arrives = link.last_arrival_us
        else:
            link.last_arrival_us = arrives
        clock.seq += 1
        heappush(clock.heap, (arrives, clock.seq, DELIVER, link, message, departs))
        if link.duplicate_ppm and link.duplicates.chance(link.duplicate_ppm):
            again = arrives + link.duplicates.between(1, link.latency_us + 1)
            link.duplicated += 1
            clock.schedule(again, DELIVER, link, message, departs)

    def _send_badly(self, link: Link, message: object, departs: int, arrives: int) -> None:
        """The message will not arrive as sent: it dies half way, or waits in a clogged link."""
        if link.cut or not link.clogged:
            why = LossReason.CUT if link.cut else LossReason.CHANCE
            half_way = departs + (arrives - departs) // 2
            self.clock.schedule(half_way, LOST, link, message, departs, why)
        else:
            link.held.append((message, departs, arrives - departs))
            link.held_back += 1

    def send_at_once(self, dst: str, message: object) -> None:
        """Send a message that waits for no sync, and overtakes those that do: for showing why none may."""
        link = self.links[dst]
        barrier_us, self.barrier_us = self.barrier_us, 0
        newest_us, link.last_arrival_us = link.last_arrival_us, 0
        self.send(dst, message)
        self.barrier_us = barrier_us
        link.last_arrival_us = max(newest_us, link.last_arrival_us)

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
        if self.sync_ends_us <= now:
            self.barrier_us = now + disk.fsync_us
            self._sync()
        elif not self.sync_next:
            self.sync_next = True
            self.barrier_us = self.sync_ends_us + disk.fsync_us
        return False

    def _sync(self) -> None:
        """Begin to make durable what is written by now, until ``barrier_us``."""
        self.sync_next = False
        self.sync_ends_us = self.barrier_us
        self.clock.schedule(self.barrier_us, SYNC, self.id, self.disk.writes, self.incarnation)

    def synced(self, writes: int) -> None:
        """A sync is done, of the writes before that number; the next one begins if something waits for it."""
        self.disk.synced(writes)
        if self.sync_next:
            self._sync()

    def flush(self) -> bool:
        """All that waits for the disk is durable now, and what waited for that leaves now. False: nothing did."""
        now = self.clock.now_us
        if self.barrier_us <= now and not self.disk.undo:
            return False
        self.disk.synced(self.disk.writes)
        self.barrier_us = self.sync_ends_us = now
        self.sync_next = False
        heap = self.clock.heap
        self.clock.remove(frozenset(entry[1] for entry in heap if entry[2] == SYNC and entry[3] == self.id))
        unsent = frozenset(
            entry[1] for entry in heap if entry[2] <= LOST and entry[3].src == self.id and entry[5] > now
        )
        waiting = sorted(self.clock.remove(unsent), key=lambda entry: int(entry[1]))
        self._forget_unsent()
        for at, _, what, link, message, departs, *why in waiting:
            at -= departs - now
            if what == DELIVER:
                at = link.last_arrival_us = max(at, link.last_arrival_us)
            self.clock.schedule(at, what, link, message, now, *why)
        for link in self.links.values():
            link.held = [(message, min(departs, now), flight_us) for message, departs, flight_us in link.held]
        return True

    def knows(self, name: str) -> bool:
        """Whether there is a link to this name."""
        return name in self.links

    def stream(self, purpose: str) -> Stream:
        """The random stream of this host for this purpose."""
        stream = self.streams.get(purpose)
        if stream is None:
            stream = self.streams[purpose] = Stream(self.world.seed, f"{self.id}/{purpose}")
        return stream

    def note(self, what: Any, /) -> None:
        """Record that something happened: a record of its kind (see events.py)."""
        world = self.world
        world.fresh.append((world.position, self.clock.now_us, self.id, what))

    # -- timers and clocks, as the world and the picture see them --------------------------------------------------

    def timer_left_us(self, name: str) -> int | None:
        """True time until the timer runs out, or None if it does not run."""
        timer = self.timers.get(name)
        if timer is None or timer[0] < 0:
            return None
        return max(0, timer[0] - self.clock.now_us)

    def rearm(self, name: str, delay_us: int) -> None:
        """Give a running timer a new deadline in true time, also an earlier one."""
        deadline = self.clock.now_us + delay_us
        self.timers[name] = [deadline, deadline]
        self.clock.schedule(deadline, TIMER, self.id, name, self.incarnation)

    def skew(self, offset_us: int, drift_ppm: int) -> None:
        """Set the clock and let running timers follow it: a jump forward brings them nearer."""
        now = self.clock.now_us
        jump = now + offset_us - self.now_us
        old_drift = self.drift_ppm if self.skewed else 0
        self.offset_us, self.drift_ppm, self.now_base_us = offset_us, drift_ppm, now
        self.skewed = offset_us != 0 or drift_ppm != 0
        for name, timer in self.timers.items():
            if timer[0] >= 0:
                local_left = (timer[0] - now) * (PPM + old_drift) // PPM - jump
                self.rearm(name, max(0, local_left) * PPM // (PPM + drift_ppm))

    # -- what befalls the machine ----------------------------------------------------------------------------------

    def crash(self) -> tuple[int, int]:
        """Lose everything volatile, and whatever had not left yet; return the numbers of lost writes and messages.

        A sync that is due now is done.
        """
        clock = self.clock
        now = clock.now_us
        unsent = frozenset(
            entry[1] for entry in clock.heap if entry[2] <= LOST and entry[3].src == self.id and entry[5] > now
        )
        clock.remove(unsent)
        held_back = 0
        for link in self.links.values():
            sent = [each for each in link.held if each[1] <= now]
            held_back += len(link.held) - len(sent)
            link.held = sent
        self._forget_unsent()
        for entry in clock.heap:
            if entry[2] == SYNC and entry[0] <= now and entry[3] == self.id and entry[5] == self.incarnation:
                self.disk.synced(entry[4])
        lost = self.disk.crash()
        self.status = CRASHED
        self.incarnation += 1
        self.timers.clear()
        self.inbox.clear()
        self.barrier_us = self.sync_ends_us = 0
        self.sync_next = False
        return lost, len(unsent) + held_back

    def _forget_unsent(self) -> None:
        """What never left delays nobody: the next message of a link queues behind what is really in the air."""
        newest: dict[str, int] = {}
        for entry in self.clock.heap:
            if entry[2] == DELIVER and entry[3].src == self.id:
                newest[entry[3].dst] = max(newest.get(entry[3].dst, 0), entry[0])
        for dst, link in self.links.items():
            link.last_arrival_us = min(link.last_arrival_us, newest.get(dst, 0))

    def thaw(self) -> int:
        """Go on: everything that waited happens now, in the order in which it came. Return how much that is."""
        self.status = UP
        waited, self.inbox = self.inbox, []
        now = self.clock.now_us
        for entry in waited:
            if entry[2] == TIMER:
                timer = self.timers.get(entry[4])
                if timer is not None:
                    timer[0] = timer[1] = now
            what = ARRIVED if entry[2] == DELIVER else entry[2]
            self.clock.schedule(now, what, *entry[3:])
        return len(waited)

    def unclog(self, link: Link) -> None:
        """Release what a link holds back, in order; each message still takes its own flight time."""
        link.clogged = False
        held, link.held = link.held, []
        now = self.clock.now_us
        for message, departs, flight_us in held:
            arrives = max(now, departs) + flight_us
            link.last_arrival_us = arrives = max(arrives, link.last_arrival_us)
            self.clock.schedule(arrives, DELIVER, link, message, max(now, departs))


__all__ = ["ARRIVED", "CRASHED", "DELIVER", "FROZEN", "LOST", "SYNC", "TIMER", "UP", "Host", "Surroundings"]
