"""What became of the writes: convergence, staleness, loss.

Eventual consistency is a promise about the end: once writes stop and everything is delivered, all replicas are equal. A
finite history cannot break it, so it is judged at quiescence. With the replicas at hand that is a comparison. With a
client history alone the last reads that began after every write had ended must agree.

A read is *stale* if it returns a write (or the initial value) that ended before another write of the key began, and
that one ended before the read began. Its age is the time from the end of the first such write to the read. A write is
*lost* if it was acknowledged, nobody ever read it, and a read that began after it ended returned something stale by it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from engines.consistency.history import Call, History, Key, Operation, Status
from engines.consistency.verdict import OK, Verdict, Why, unknown, violation


class Stale(NamedTuple):
    """A stale read: the first write that made it stale, and how long that was over when the read began."""

    read: int
    newest: int
    age_us: int


@dataclass(frozen=True, slots=True)
class Staleness:
    """All stale reads of a history."""

    reads: int
    stale: tuple[Stale, ...]
    lost: tuple[int, ...]
    """Acknowledged writes that are gone."""

    @property
    def share_ppm(self) -> int:
        """Stale reads among all reads."""
        return len(self.stale) * 1_000_000 // self.reads if self.reads else 0


def replicas_agree(replicas: Mapping[str, Mapping[Key, Any]]) -> tuple[str, str, Key] | None:
    """None if all are equal, otherwise two that differ and a key they differ in."""
    names = list(replicas)
    for name in names[1:]:
        one, other = replicas[names[0]], replicas[name]
        for key in [*one, *(key for key in other if key not in one)]:
            if one.get(key) != other.get(key):
                return names[0], name, key
    return None


def converged(history: History) -> Verdict:
    """Whether the last reads agree, those that began when every write was over."""
    if not history.real_time:
        return unknown(Why.NO_REAL_TIME)
    if any(each.call is Call.TXN for each in history.operations):
        return unknown(Why.NOT_A_REGISTER)
    compared = False
    for operations in history.keys().values():
        writes = [o for o in operations if o.call is not Call.READ and o.status is not Status.FAIL]
        if any(write.end is None for write in writes):
            return unknown(Why.OPEN_WRITES)
        over = max((write.end or 0 for write in writes), default=-1)
        last: dict[str, Operation] = {}
        for operation in operations:
            if operation.call is Call.READ and operation.done and operation.start > over:
                last[operation.process] = operation
        reads = list(last.values())
        for read in reads[1:]:
            if read.value != reads[0].value:
                return violation(Why.DIVERGED, tuple(sorted((reads[0].number, read.number))), read.number)
        compared = compared or len(reads) > 1
    return OK if compared else unknown(Why.NO_FINAL_READS)


def staleness(history: History) -> Staleness:
    """Stale reads and lost writes of registers with unique values, by real time."""
    stale: list[Stale] = []
    lost: list[int] = []
    total = 0
    for operations in history.keys().values():
        writes = [o for o in operations if o.call is Call.WRITE and o.status is not Status.FAIL]
        reads = [o for o in operations if o.call is Call.READ and o.done]
        total += len(reads)
        found = _stale_reads(writes, reads)
        stale += found
        read_values = {read.value for read in reads}
        hidden = {each.newest for each in found}
        lost += [w.number for w in writes if w.done and w.value not in read_values and w.number in hidden]
    stale.sort(key=lambda each: each.read)
    return Staleness(total, tuple(stale), tuple(sorted(lost)))


def _stale_reads(writes: Sequence[Operation], reads: Sequence[Operation]) -> list[Stale]:
    by_value = {write.value: write for write in writes}
    done = sorted((write for write in writes if write.end is not None), key=lambda write: write.end or 0)
    place = {write.number: at for at, write in enumerate(done)}
    found = []
    for read in reads:
        own = by_value.get(read.value)
        if own is not None and own.end is None:
            continue
        ended = -1 if own is None or own.end is None else own.end
        for at in range(0 if own is None else place[own.number] + 1, len(done)):
            write = done[at]
            if not write.before(read):
                break
            if write.start > ended:
                found.append(Stale(read.number, write.number, read.start_us - (write.end_us or 0)))
                break
    return found


__all__ = ["Stale", "Staleness", "converged", "replicas_agree", "staleness"]
