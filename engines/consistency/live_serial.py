"""Sequential consistency of a history that grows: an order that is extended, never sought anew from the beginning.

An order that was found once stays legal; what returned since is put behind it, and only its newest part is taken apart
again: a window, which grows while nothing fits. What stands before the window is summed up by the newest write of each
key. So each return costs what it adds. The window ends at ``WINDOW_MAX``: whoever has to be put further back than that
is not found, and the answer is ``unknown`` unless the newest operations already show a violation. (A part of a history
that no order explains proves that none explains the whole, as long as it has the writes that its reads return.)

After real time was broken the history before that is caught up with, some operations at each return.
"""

from collections.abc import Sequence
from typing import Any, Final

from engines.consistency.history import Call, Key, Operation, Status
from engines.consistency.sequential import Serial
from engines.consistency.verdict import OK, Budget, Verdict, Why, unknown, violation

CHUNK: Final = 48
"""Operations that are put behind the order at once."""
CHUNKS: Final = 4
"""How many of them a return catches up with."""
WINDOW: Final = 32
"""Operations of the order that are taken apart first."""
WINDOW_MAX: Final = 512
EVERY: Final = 8
"""Returns between two looks at a history that is caught up with, once it is long."""


class LiveSerial:
    """One order of everything that returned, as far as it was found."""

    def __init__(self, initial: Any, budget: Budget) -> None:
        self.initial = initial
        self.budget = budget
        self.order: list[int] = []
        """A legal order: operation numbers."""
        self.placed: dict[int, None] = {}
        self.behind: list[int] = []
        """What returned and stands in no order yet, in the order of the returns."""
        self.writes: dict[tuple[Key, Any], int] = {}
        self.keys: dict[Key, None] = {}
        self.since = 0
        self.wait = 1
        """Looks are rarer the longer it gets, and while nothing is found."""
        self.verdict: Verdict = OK

    def wrote(self, number: int, key: Key, value: Any) -> None:
        """A write was asked for."""
        self.writes[key, value] = number
        self.keys[key] = None

    def returned(self, operation: Operation) -> None:
        """An operation happened. It may have been placed before, if it is a write that somebody has read."""
        if operation.number not in self.placed:
            self.behind.append(operation.number)

    def judge(self, operations: Sequence[Operation]) -> Verdict:
        """The verdict, some returns further on."""
        if self.verdict.broken:
            return self.verdict
        self.since += 1
        if self.since >= self.wait or (self.verdict.ok and len(self.behind) > 2 * CHUNK):
            self.since = 0
            for _ in range(CHUNKS):
                if self.behind and not self._extend(operations):
                    break
            if not self.verdict.ok and not self.verdict.broken:
                self.verdict = self._proof(operations, self.behind[-4 * CHUNK :]) or self.verdict
        if self.behind and self.verdict.ok and len(self.behind) > 2 * CHUNK:
            return unknown(Why.STEPS)  # not caught up with yet
        return self.verdict

    def _extend(self, operations: Sequence[Operation]) -> bool:
        """Put the next operations into the order. Whether that went."""
        window = WINDOW
        while True:
            window = min(window, len(self.order))
            found, proven = self._within(operations, window)
            if found is not None:
                taken = self.behind[:CHUNK]
                self.order[len(self.order) - window :] = found
                self.placed |= dict.fromkeys(found)
                self.behind = [each for each in self.behind[len(taken) :] if each not in self.placed]
                self.verdict, self.wait = OK, max(1, min(EVERY, len(self.order) // 16))
                return True
            if proven is not None:
                self.verdict = proven
                return False
            if window == len(self.order) or window >= WINDOW_MAX:
                break
            window *= 4
        self.verdict = unknown(Why.STEPS)
        self.wait = min(512, self.wait * 2)
        return False

    def _within(self, operations: Sequence[Operation], window: int) -> tuple[list[int] | None, Verdict | None]:
        """(the window and the next operations in an order; or why none is possible)."""
        cut = len(self.order) - window
        chosen = self._closed(operations, [*self.order[cut:], *self.behind[:CHUNK]], cut)
        if chosen is None:
            return None, None  # a read of what was overwritten before the window: it must grow
        start = self._state(operations, cut)
        serial = Serial([*start, *(operations[number] for number in chosen)], self.initial)
        everything = (1 << len(serial.operations)) - 1
        first = (1 << len(start)) - 1
        for at in range(len(start)):
            serial.after[at] |= everything & ~first
        if serial.thin_air is not None:
            return None, violation(Why.THIN_AIR, (serial.thin_air,), serial.thin_air)
        if not serial.saturate():
            return None, self._proof(operations, chosen)
        found, _, lacking = serial.search(self.budget)
        if found is not None:
            return [serial.operations[at].number for at in found if at >= len(start)], None
        return None, None if lacking is not None else self._proof(operations, chosen)

    def _closed(self, operations: Sequence[Operation], numbers: list[int], cut: int) -> list[int] | None:
        """These operations and the writes their reads return, in the order of invocation; None: one stands before
        the cut and is not the newest of its key there."""
        inside = dict.fromkeys(numbers)
        newest = self._newest(operations, cut)
        for number in numbers:
            each = operations[number]
            if each.call is not Call.READ or each.value == self.initial:
                if each.call is Call.READ and each.key in newest:
                    return None
                continue
            write = self.writes.get((each.key, each.value))
            if write is None or write in inside or newest.get(each.key) == write:
                continue
            if write in self.placed:
                return None
            inside[write] = None
        return sorted(inside)

    def _newest(self, operations: Sequence[Operation], cut: int) -> dict[Key, int]:
        """By key, the newest write before the cut."""
        found: dict[Key, int] = {}
        for at in range(cut - 1, -1, -1):
            number = self.order[at]
            each = operations[number]
            if each.call is Call.WRITE and each.key not in found:
                found[each.key] = number
                if len(found) == len(self.keys):
                    break
        return found

    def _state(self, operations: Sequence[Operation], cut: int) -> list[Operation]:
        """What stands before the cut, as one write a key by somebody who is over."""
        return [
            operations[number]._replace(process=f"\0before {at}", status=Status.OK)
            for at, number in enumerate(self._newest(operations, cut).values())
        ]

    def _proof(self, operations: Sequence[Operation], numbers: list[int]) -> Verdict | None:
        """Whether these alone, with the writes they read, can stand in no order: then nothing that has them can."""
        closed = dict.fromkeys(numbers)
        for number in numbers:
            each = operations[number]
            write = self.writes.get((each.key, each.value))
            if each.call is Call.READ and write is not None:
                closed[write] = None
        serial = Serial([operations[number] for number in sorted(closed)], self.initial)
        if not serial.saturate():
            cycle = serial.cycle()
            reads = [number for number in cycle if operations[number].call is Call.READ]
            return violation(Why.NO_SERIAL_ORDER, cycle, max(reads, default=None))
        found, longest, lacking = serial.search(self.budget)
        if found is not None or lacking is not None:
            return None
        done = dict.fromkeys(longest)
        first: dict[str, int] = {}
        for at, operation in enumerate(serial.operations):
            if at not in done:
                first.setdefault(operation.process, operation.number)
        stuck = tuple(sorted(first.values()))
        prefix = tuple(serial.operations[at].number for at in longest)
        return violation(Why.NO_SERIAL_ORDER, stuck, stuck[0] if stuck else None, prefix)


__all__ = ["WINDOW_MAX", "LiveSerial"]
