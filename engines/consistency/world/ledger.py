"""The book of what clients did, and the judges that read it. It knows true time; no node asks it for anything."""

from collections import deque
from typing import Final, NamedTuple

from engines.consistency.history import Call, Operation, Status
from engines.consistency.live import LiveJudge
from engines.consistency.verdict import OK, Verdict
from engines.consistency.world.messages import NO_TAG, Tag
from engines.sim.clock import Clock

INITIAL: Final = 0
LOST_KEPT: Final = 32


class Lost(NamedTuple):
    """An acknowledged write that an older one has overwritten, by timestamp."""

    key: str
    value: int
    by: int
    tag: Tag
    by_tag: Tag


class Ledger:
    """One history, judged as it grows."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.judge = LiveJudge(INITIAL)
        self.values = 0
        self.done = 0
        self.unknown = 0
        self.failed = 0
        self.oldest_us = 0
        """The age of the oldest value that a read returned, since somebody last set this to 0."""
        self.tags: dict[tuple[str, int], Tag] = {}
        """The timestamp a coordinator gave each write."""
        self.acked: dict[str, tuple[Tag, int, int]] = {}
        """By key: the largest timestamp of an acknowledged write, its value, the position of its return."""
        self.lost: deque[Lost] = deque(maxlen=LOST_KEPT)
        self.lost_total = 0
        self.floor: dict[str, deque[tuple[int, Tag]]] = {}
        """By key: (return, largest timestamp so far) of acknowledged writes, for reads that begin later."""
        self.overlap_from = 0
        """Writes and reads that began before this position do not count for the overlap of quorums."""
        self.overlap: Verdict = OK
        self.missed: tuple[Operation, Tag, Tag] | None = None
        """The first read whose quorum missed an acknowledged write: what it returned, and what it should have."""
        self.changed = 0
        """Counts returns: whoever watches compares it."""

    def begin(self, client: str, write: bool, key: str) -> int:
        """A client begins an operation; return the value it writes (0: it reads)."""
        value = 0
        if write:
            self.values += 1
            value = self.values
        call = Call.WRITE if write else Call.READ
        self.judge.invoke(client, call, key, value if write else None, self.clock.now_us)
        return value

    def is_open(self, client: str) -> bool:
        """Whether the client has an operation open."""
        return client in self.judge.build.open

    def finish(self, client: str, status: Status, value: int = 0) -> tuple[Operation, int | None]:
        """The operation is over; return it, and for a read since when its value had been overwritten."""
        operation = self.judge.complete(client, status, value if status is Status.OK else None, self.clock.now_us)
        self.changed += 1
        if status is Status.INFO:
            self.unknown += 1
            return operation, None
        if status is Status.FAIL:
            self.failed += 1
            return operation, None
        self.done += 1
        if operation.call is Call.WRITE:
            self._acknowledged(operation)
            return operation, None
        self._overlaps(operation)
        age_us = self.judge.age_us(operation)
        self.oldest_us = max(self.oldest_us, age_us or 0)
        return operation, age_us

    def tagged(self, key: str, value: int, tag: Tag) -> None:
        """A coordinator gives a write its timestamp."""
        self.tags[key, value] = tag

    def sequenced(self, key: str, value: int, place: int) -> None:
        """A write has its place in the one order."""
        self.judge.place(key, value, place)

    def rolled_back(self, key: str, value: int) -> None:
        """A write is undone; it is lost if a client was told that it happened."""
        fresh = self.judge.fresh.get(key)
        if fresh is not None and value in fresh.place:
            self.lost.append(Lost(key, value, -1, NO_TAG, NO_TAG))
            self.lost_total += 1
            self.changed += 1

    def _acknowledged(self, write: Operation) -> None:
        tag = self.tags.get((write.key, write.value))
        if tag is None or write.end is None:
            return
        best = self.acked.get(write.key)
        if best is None or tag > best[0]:
            self.acked[write.key] = (tag, write.value, write.end)
        elif best[2] < write.start:
            self.lost.append(Lost(write.key, write.value, best[1], tag, best[0]))
            self.lost_total += 1
        if write.start >= self.overlap_from:
            floor = self.floor.setdefault(write.key, deque(maxlen=64))
            floor.append((write.end, max(tag, floor[-1][1]) if floor else tag))

    def _overlaps(self, read: Operation) -> None:
        if read.start < self.overlap_from or self.missed is not None:
            return
        due = [tag for end, tag in self.floor.get(read.key, ()) if end < read.start]
        tag = self.tags.get((read.key, read.value), NO_TAG)
        if due and tag < due[-1]:
            self.missed = read, tag, due[-1]

    def restart_overlap(self, counts: bool) -> None:
        """The numbers changed: only what begins from now on counts, if anything does."""
        self.overlap_from = self.judge.build.position if counts else 1 << 62
        self.floor.clear()


__all__ = ["INITIAL", "Ledger", "Lost"]
