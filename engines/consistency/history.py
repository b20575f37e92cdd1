"""A client history: operations with the positions at which they were invoked and returned.

Real time is the order of these positions and nothing else: one operation is before another iff its return stands before
the other's invocation. The outcome is one of three. ``ok``: it happened, somewhere in its interval. ``fail``: it never
happened. ``info``: nobody knows; it may have happened, may happen later, or never, so its interval has no end.

A session is a process. After an ``info`` its later operations are not ordered behind the unknown one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, NamedTuple

from engines.errors import UserError

Key = Any
"""Anything that can be compared and hashed."""


class Call(Enum):
    """What an operation does."""

    READ = "read"
    WRITE = "write"
    CAS = "cas"
    APPEND = "append"
    ACQUIRE = "acquire"
    RELEASE = "release"
    TXN = "txn"


class Status(Enum):
    """How an operation ended."""

    OK = "ok"
    FAIL = "fail"
    INFO = "info"


class Operation(NamedTuple):
    """One client operation. ``ret`` is None if nobody knows the outcome."""

    number: int
    """Its place in the history: the order of invocations."""
    process: str
    call: Call
    key: Key
    value: Any
    """What was read (None if that is unknown), written or appended; (old, new) of a cas; micro-operations of a txn."""
    status: Status
    start: int
    end: int | None
    start_us: int = 0
    end_us: int | None = None

    @property
    def done(self) -> bool:
        """It certainly happened."""
        return self.status is Status.OK

    def before(self, other: "Operation") -> bool:
        """It returned before the other was invoked."""
        return self.end is not None and self.end < other.start


class Mark(NamedTuple):
    """Something that befell the system while clients worked: a fault, drawn on the same axis."""

    at: int
    at_us: int
    text: str


@dataclass(frozen=True, slots=True)
class History:
    """A whole history, its operations in order of invocation."""

    operations: tuple[Operation, ...]
    initial: Any = None
    """The value nobody wrote."""
    real_time: bool = True
    """Whether positions tell real time; without, nothing is known but each session's order."""
    doubt: str = ""
    """Why real time is not known, in words with its place."""
    timed: bool = True
    """Whether times are known; without, they are only places in the order."""
    marks: tuple[Mark, ...] = ()

    def sessions(self) -> dict[str, list[Operation]]:
        """Operations by process, in the order of first appearance, each in session order."""
        found: dict[str, list[Operation]] = {}
        for operation in self.operations:
            found.setdefault(operation.process, []).append(operation)
        return found

    def keys(self) -> dict[Key, list[Operation]]:
        """Operations by key, in the order of first appearance."""
        found: dict[Key, list[Operation]] = {}
        for operation in self.operations:
            found.setdefault(operation.key, []).append(operation)
        return found

    def with_operation(self, operation: Operation) -> "History":
        """The history in which this operation stands for the one of the same index."""
        changed = list(self.operations)
        changed[operation.number] = operation
        return replace(self, operations=tuple(changed))

    def moved(self, index: int, end: int) -> "History":
        """The history in which one operation returns just after another position than it did.

        Positions are renumbered: the return is taken out of the order of all invocations and returns and put back so
        that ``end`` of the others stand before it, but never before its own invocation and never behind the next
        invocation of its own session.
        """
        events = sorted(self._events(), key=lambda event: event[0])
        line = [(each, is_end) for _, each, is_end in events if not (each == index and is_end)]
        low = line.index((index, False)) + 1
        process = self.operations[index].process
        later = (at for at, (each, is_end) in enumerate(line) if not is_end and self._next_of(each, index, process))
        place = max(low, min(end, next(later, len(line))))
        line.insert(place, (index, True))
        starts = {each: at for at, (each, is_end) in enumerate(line) if not is_end}
        ends = {each: at for at, (each, is_end) in enumerate(line) if is_end}
        return replace(
            self,
            operations=tuple(
                operation._replace(start=starts[operation.number], end=ends.get(operation.number))
                for operation in self.operations
            ),
        )

    def _next_of(self, each: int, index: int, process: str) -> bool:
        return each > index and self.operations[each].process == process

    def _events(self) -> Iterable[tuple[int, int, bool]]:
        for operation in self.operations:
            yield operation.start, operation.number, False
            if operation.end is not None:
                yield operation.end, operation.number, True


class HistoryBuilder:
    """Takes invocations and returns in their order; each process does one thing at a time."""

    def __init__(self, initial: Any = None) -> None:
        self.initial = initial
        self.operations: list[Operation] = []
        self.open: dict[str, int] = {}
        self.position = 0
        self.marks: list[Mark] = []

    def invoke(self, process: str, call: Call, key: Key, value: Any = None, at_us: int = 0, where: str = "") -> int:
        """The process asks; return the operation's index. UserError if it still waits for an answer."""
        if process in self.open:
            raise UserError(
                f"{where}process {process} invokes {call.value} while its {self._pending(process)} is open; "
                "a process does one operation at a time"
            )
        index = len(self.operations)
        self.operations.append(
            Operation(index, process, call, key, value, Status.INFO, self.position, None, at_us, None)
        )
        self.open[process] = index
        self.position += 1
        return index

    def complete(self, process: str, status: Status, value: Any = None, at_us: int = 0, where: str = "") -> Operation:
        """The process learns the outcome; a value given replaces the invocation's. UserError if it asked nothing."""
        if process not in self.open:
            raise UserError(f"{where}process {process} returns {status.value} without an invocation")
        index = self.open.pop(process)
        operation = self.operations[index]
        ended = (None, None) if status is Status.INFO else (self.position, at_us)
        if value is None or (status is not Status.OK and operation.call is not Call.READ):
            value = operation.value
        operation = operation._replace(status=status, value=value, end=ended[0], end_us=ended[1])
        self.operations[index] = operation
        self.position += 1
        return operation

    def mark(self, text: str, at_us: int = 0) -> None:
        """A fault, or something else that befell the system."""
        self.marks.append(Mark(self.position, at_us, text))
        self.position += 1

    def build(self) -> History:
        """The history so far; what is still open has an unknown outcome."""
        return History(tuple(self.operations), self.initial, marks=tuple(self.marks))

    def _pending(self, process: str) -> str:
        return self.operations[self.open[process]].call.value


def history(*operations: tuple[Any, ...], initial: Any = 0) -> History:
    """A history from (process, call, key, value, start, end) with any integer times; ``end`` None is ``info``.

    An optional seventh field is the status. Times of invocation and return are put into one order; at equal times
    invocations come first, so that the intervals touch.
    """
    rows = []
    for number, row in enumerate(operations):
        process, call, key, value, start, end = row[:6]
        status = row[6] if len(row) > 6 else (Status.INFO if end is None else Status.OK)
        rows.append((start, number, process, Call(call), key, value, end, Status(status)))
    events = sorted(
        [(row[0], 0, row[1]) for row in rows]
        + [(row[6], 1, row[1]) for row in rows if row[6] is not None and row[7] is not Status.INFO]
    )
    place = {(kind, number): at for at, (_, kind, number) in enumerate(events)}
    rows.sort(key=lambda row: place[0, row[1]])
    return History(
        tuple(
            Operation(
                index, str(process), call, key, value, status, place[0, number], place.get((1, number)), start, end
            )
            for index, (start, number, process, call, key, value, end, status) in enumerate(rows)
        ),
        initial,
    )


__all__ = ["Call", "History", "HistoryBuilder", "Key", "Mark", "Operation", "Status", "history"]
