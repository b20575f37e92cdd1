"""Regular registers: one order of the writes, true to time, explains each read taken alone.

A read may return the last write before it or one that overlaps it, but all reads agree on one order of the writes.
(With one writer this is Lamport's regular register; new/old inversions are allowed.) With unique values everything
known about the order of writes is two kinds of edges. For a write w let A be the latest start and B the earliest end
among w and its reads. Then w1 is before w2 if w1 ends before A of w2 (some read of w2 began when w1 was over), or if
B of w1 lies before the start of w2. The register is regular iff these edges have no cycle.

The writes are taken out in order, one that nothing left must precede at a time; what cannot be taken out is a cycle.
"""

from heapq import heappop, heappush
from typing import NamedTuple

from engines.consistency.history import Call, History, Operation, Status
from engines.consistency.verdict import OK, Verdict, Why, unknown, violation

FOR_EVER = 1 << 62


class Zone(NamedTuple):
    """A write with its reads: when it may have happened."""

    write: int
    start: int
    end: int
    latest_start: int
    earliest_end: int
    last_reader: int
    first_reader: int


def zones_of(operations: list[Operation], initial: object) -> tuple[list[Zone], Verdict | None]:
    """One zone per write that is certain or was read; the initial value's write is -1. Or what makes it impossible."""
    writes: dict[object, Operation] = {}
    reads: list[Operation] = []
    for operation in operations:
        if operation.status is Status.FAIL:
            continue
        if operation.call is Call.WRITE:
            writes[operation.value] = operation
        elif operation.status is Status.OK:
            reads.append(operation)
    spans: dict[object, list[int]] = {initial: [-2, -1, -2, -1, -1, -1]}
    for value, write in writes.items():
        end = FOR_EVER if write.end is None else write.end
        spans[value] = [write.start, end, write.start, end, -1, -1]
    seen: set[object] = set()
    for read in reads:
        assert read.end is not None
        span = spans.get(read.value)
        if span is None:
            return [], violation(Why.THIN_AIR, (read.number,), read.number)
        if span[0] > read.end:
            return [], violation(Why.IMPOSSIBLE_RETURN, (writes[read.value].number, read.number), read.number)
        seen.add(read.value)
        if read.start > span[2]:
            span[2], span[4] = read.start, read.number
        if read.end < span[3]:
            span[3], span[5] = read.end, read.number
    zones = []
    for value, span in spans.items():
        write_or_none = writes.get(value)
        if write_or_none is None or write_or_none.status is Status.OK or value in seen:
            zones.append(Zone(-1 if write_or_none is None else write_or_none.number, *span))
    return zones, None


def _take_out(zones: list[Zone]) -> list[Zone]:
    """Take out, in order, what nothing else must precede; return what is left."""
    by_end: list[tuple[int, int]] = []
    by_early: list[tuple[int, int]] = []
    waiting: list[tuple[int, int]] = []
    ready: list[tuple[int, int]] = []
    left = dict(enumerate(zones))
    for number, zone in left.items():
        heappush(by_end, (zone.end, number))
        heappush(by_early, (zone.earliest_end, number))
        heappush(waiting, (zone.latest_start, number))
    while left:
        ends, earlies = _two(by_end, left), _two(by_early, left)
        while waiting and waiting[0][0] <= ends[0][0]:
            number = heappop(waiting)[1]
            if number in left:
                heappush(ready, (left[number].start, number))
        while ready and ready[0][1] not in left:
            heappop(ready)
        candidates = [ends[0][1], earlies[0][1]] + ([ready[0][1]] if ready else [])
        chosen = next((each for each in candidates if _free(each, left[each], ends, earlies)), None)
        if chosen is None:
            return list(left.values())
        del left[chosen]
    return []


def _two(heap: list[tuple[int, int]], left: dict[int, Zone]) -> list[tuple[int, int]]:
    """The two smallest that are still there."""
    first = _top(heap, left)
    assert first is not None
    heappop(heap)
    second = _top(heap, left)
    heappush(heap, first)
    return [first] if second is None else [first, second]


def _top(heap: list[tuple[int, int]], left: dict[int, Zone]) -> tuple[int, int] | None:
    while heap and heap[0][1] not in left:
        heappop(heap)
    return heap[0] if heap else None


def _free(number: int, zone: Zone, ends: list[tuple[int, int]], earlies: list[tuple[int, int]]) -> bool:
    end = next((value for value, other in ends if other != number), FOR_EVER)
    early = next((value for value, other in earlies if other != number), FOR_EVER)
    return zone.latest_start <= end and zone.start <= early


def regular_zones(zones: list[Zone]) -> Verdict:
    """The verdict about one register."""
    left = _take_out(zones)
    if not left:
        return OK
    for one in left:
        for other in left:
            if one is not other and one.end < other.latest_start and _before(other, one):
                shown = [one.write, other.write, other.last_reader if one.end >= other.start else -1]
                if one.start > other.earliest_end or one.end >= other.start:
                    shown.append(other.first_reader if one.start > other.earliest_end else -1)
                shown.append(one.last_reader if other.end < one.latest_start and other.end >= one.start else -1)
                last = max(other.last_reader, one.last_reader, other.first_reader)
                found = tuple(sorted({each for each in shown if each >= 0}))
                return violation(Why.NO_WRITE_ORDER, found, max(found, default=last))
    found = tuple(sorted(zone.write for zone in left if zone.write >= 0))
    return violation(Why.NO_WRITE_ORDER, found, None)


def _before(one: Zone, other: Zone) -> bool:
    return one.end < other.latest_start or one.earliest_end < other.start


def regular(history: History) -> Verdict:
    """The verdict over all keys; the history's values are unique."""
    if not history.real_time:
        return unknown(Why.NO_REAL_TIME)
    for operations in history.keys().values():
        zones, impossible = zones_of(operations, history.initial)
        verdict = impossible or regular_zones(zones)
        if verdict.broken:
            return verdict
    return OK


__all__ = ["Zone", "regular", "regular_zones", "zones_of"]
