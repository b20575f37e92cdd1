"""What clients asked and what they were told: invoke, then return, or unknown for ever.

An operation whose answer never came may or may not have happened, now or later; it is *unknown*, not failed.

A history that is judged is kept whole: a verdict on a window that lost its prefix would be wrong both ways. So it is
compact, and it is a *tape* of invocations and returns that only grows: 27 bytes each, 54 an operation. A checkpoint
refers to the tape by its length and never copies it. A run that was rewound and goes on as before finds its events on
the tape already; one that goes on differently takes a copy of the part they share, so that the other future stays true.

The judge comes from outside: whoever runs a world may ask one about its history. No engine calls it, and its verdict
is no part of the digest.
"""

from array import array
from collections import deque
from collections.abc import Sequence
from itertools import count
from typing import Any, Final, NamedTuple, Protocol
from weakref import WeakValueDictionary

from engines.records import new
from engines.sim.clock import Clock
from engines.sim.pattern import Check

HISTORY_MAX: Final = 256
"""Finished operations that a history keeps that nobody judges."""
RECENT_MAX: Final = 12
"""The newest operations of a client, for the picture."""

CLIENT_HISTORY: Final = "client history"
"""What the check is called in which a judge gives its verdict."""

INVOKED: Final = "invoked"
OK: Final = "ok"
FAILED: Final = "fail"
UNKNOWN: Final = "unknown"
_STATUSES: Final = (INVOKED, OK, FAILED, UNKNOWN)
_NO_VALUE: Final = 0x80
_ATTEMPTS_MAX: Final = 0xFFFF


class Operation(NamedTuple):
    """One client operation. ``returned_us`` is None while it is open or unknown."""

    client: str
    serial: int
    f: str
    """What the function is called: ``set``, ``get`` ..."""
    key: str
    value: int | None
    status: str
    invoked_us: int
    returned_us: int | None = None
    result: Any = None
    attempts: int = 1
    start: int = 0
    """Its place among all invocations and returns: what real time is, also between things of one moment."""
    end: int | None = None
    """The place of its return; None while it is open or unknown."""


class Judge(Protocol):
    """Whoever says whether a whole client history keeps what was promised."""

    def __call__(self, operations: Sequence[Operation]) -> Check:
        """The verdict, with the operations that show it as its witness."""


# -- the tape ----------------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """One event of the tape; names are symbols."""

    status: int
    client: int
    serial: int
    f: int
    key: int
    """Of a return: how often it was asked."""
    value: int | None
    at_us: int


_tapes: Final[WeakValueDictionary[int, "Tape"]] = WeakValueDictionary()
_numbers: Final = count()


def tape_numbered(number: int) -> "Tape":
    """The tape of this number. KeyError if nobody holds it any more."""
    return _tapes[number]


class Symbols(dict[str, int]):
    """Numbers that stand for names, given as they are asked for."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def __missing__(self, name: str) -> int:
        number = self[name] = len(self.names)
        self.names.append(name)
        return number


class Tape:
    """Invocations and returns in their order, packed. It pickles as a reference: whoever pickles it must hold it."""

    __slots__ = (
        "__weakref__", "at_us", "clients", "fs", "keys", "names", "number", "serials", "statuses", "symbols", "values",
    )  # fmt: skip

    def __init__(self) -> None:
        self.number = next(_numbers)
        _tapes[self.number] = self
        self.statuses = bytearray()
        self.fs = array("H")
        self.clients = array("H")
        self.keys = array("H")
        self.serials = array("I")
        self.values = array("q")
        self.at_us = array("q")
        self.names: list[str] = []
        self.symbols = Symbols(self.names)

    def __reduce__(self) -> tuple[Any, ...]:
        return tape_numbered, (self.number,)

    def __len__(self) -> int:
        return len(self.statuses)

    def append(self, status: int, client: int, serial: int, f: int, key: int, value: int | None, at_us: int) -> None:
        """One event more: the fields of its ``Row``."""
        if value is None:
            status, value = status | _NO_VALUE, 0
        self.statuses.append(status)
        self.clients.append(client)
        self.serials.append(serial)
        self.fs.append(f)
        self.keys.append(key)
        self.values.append(value)
        self.at_us.append(at_us)

    def row(self, place: int) -> Row:
        """The event at a place."""
        return new(Row, self.fields(place))

    def fields(self, place: int) -> tuple[int, int, int, int, int, int | None, int]:
        """The same, bare: for whoever reads all of them, one by one."""
        status = self.statuses[place]
        return (
            status & ~_NO_VALUE, self.clients[place], self.serials[place], self.fs[place], self.keys[place],
            None if status & _NO_VALUE else self.values[place], self.at_us[place],
        )  # fmt: skip

    def copy(self, length: int) -> "Tape":
        """A tape of its own that begins with the first ``length`` events of this one."""
        copy = Tape()
        for name in self.names:
            copy.symbols[name]
        for column in ("statuses", "fs", "clients", "keys", "serials", "values", "at_us"):
            setattr(copy, column, getattr(self, column)[:length])
        return copy

    @property
    def size(self) -> int:
        """Bytes of all events."""
        columns = (self.fs, self.clients, self.keys, self.serials, self.values, self.at_us)
        return len(self) + sum(len(each) * each.itemsize for each in columns)


class Pending(NamedTuple):
    """An operation that is open."""

    place: int
    invoked_us: int
    attempts: int


class History:
    """All operations of a run, from the first on."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        """Operations are stamped with true time: real-time order is what consistency models speak of."""
        self.tape = Tape()
        self.length = 0
        """How much of the tape has happened."""
        self.open: dict[tuple[str, int], Pending] = {}
        self.counts: dict[tuple[str, str], int] = {}
        """How many operations of a client ended with a status, over the whole run."""
        self.newest: dict[str, deque[tuple[int, int, int]]] = {}
        """client -> (serial, place of its invocation, place of its return or -1) of its newest operations."""

    def invoke(self, client: str, serial: int, f: str, key: str, value: int | None = None) -> None:
        """The client asks."""
        place, now_us, symbols = self.length, self.clock.now_us, self.tape.symbols
        self._put(0, client, serial, symbols[f], symbols[key], value)
        self.open[client, serial] = new(Pending, (place, now_us, 1))
        self.newest.setdefault(client, deque(maxlen=RECENT_MAX)).append((serial, place, -1))

    def retry(self, client: str, serial: int) -> None:
        """The client asks again."""
        pending = self.open[client, serial]
        self.open[client, serial] = pending._replace(attempts=pending.attempts + 1)

    def finish(self, client: str, serial: int, status: str, result: int | None = None) -> None:
        """The client learns the outcome, or gives up (``unknown``)."""
        pending = self.open.pop((client, serial))
        self.counts[client, status] = self.counts.get((client, status), 0) + 1
        attempts = min(pending.attempts, _ATTEMPTS_MAX)
        place = self.length
        self._put(_STATUSES.index(status), client, serial, 0, attempts, result)
        newest = self.newest[client]
        for at in range(len(newest) - 1, -1, -1):  # almost always the last one
            if newest[at][1] == pending.place:
                newest[at] = (serial, pending.place, place)
                break

    def _put(self, status: int, client: str, serial: int, f: int, key: int, value: int | None) -> None:
        tape = self.tape
        row = status, tape.symbols[client], serial, f, key, value, self.clock.now_us
        if self.length == len(tape.statuses):
            tape.append(*row)
        elif tape.row(self.length) != row:
            self.tape = tape.copy(self.length)
            self.tape.append(*row)
        self.length += 1

    def operation(self, start: int, end: int) -> Operation:
        """The operation of an invocation at ``start`` and a return at ``end`` (-1: open)."""
        asked = self.tape.row(start)
        names = self.tape.names
        client = names[asked.client]
        open_now = end < 0
        told = self.tape.row(end) if not open_now else asked
        attempts = told.key
        if open_now:
            pending = self.open.get((client, asked.serial))
            attempts = pending.attempts if pending else 1
        answered = not open_now and _STATUSES[told.status] != UNKNOWN
        return Operation(
            client, asked.serial, names[asked.f], names[asked.key], asked.value,
            INVOKED if open_now else _STATUSES[told.status], asked.at_us, told.at_us if answered else None,
            None if open_now else told.value, attempts, start, end if answered else None,
        )  # fmt: skip

    def recent(self, client: str) -> tuple[Operation, ...]:
        """The newest operations of a client, oldest first."""
        return tuple(self.operation(start, end) for _, start, end in self.newest.get(client, ()))

    def operations(self) -> tuple[Operation, ...]:
        """All operations, in the order of their invocation."""
        found: list[tuple[int, int]] = []
        asked: dict[tuple[int, int], int] = {}
        tape = self.tape
        for place in range(self.length):
            who = tape.clients[place], tape.serials[place]
            if not tape.statuses[place] & ~_NO_VALUE:
                asked[who] = len(found)
                found.append((place, -1))
            else:
                at = asked.pop(who)
                found[at] = found[at][0], place
        return tuple(self.operation(start, end) for start, end in found)


class RecentHistory:
    """Only the newest operations, for a world whose history nobody judges: the oldest finished ones go first."""

    def __init__(self, clock: Clock, maximum: int = HISTORY_MAX) -> None:
        self.clock = clock
        self.finished: deque[Operation] = deque(maxlen=maximum)
        self.open: dict[tuple[str, int], Operation] = {}

    def invoke(self, client: str, serial: int, f: str, key: str, value: int | None = None) -> None:
        """The client asks."""
        self.open[client, serial] = Operation(client, serial, f, key, value, INVOKED, self.clock.now_us)

    def finish(self, client: str, serial: int, status: str, result: Any = None) -> None:
        """The client learns the outcome, or gives up (``unknown``)."""
        operation = self.open.pop((client, serial))
        returned = None if status == UNKNOWN else self.clock.now_us
        self.finished.append(operation._replace(status=status, returned_us=returned, result=result))

    def operations(self) -> tuple[Operation, ...]:
        """All that are kept, in the order of their invocation."""
        return tuple(sorted((*self.finished, *self.open.values()), key=lambda each: (each.invoked_us, each.client)))


__all__ = [
    "CLIENT_HISTORY", "FAILED", "HISTORY_MAX", "INVOKED", "OK", "UNKNOWN", "History", "Judge", "Operation", "Pending",
    "RecentHistory", "Row", "Tape", "tape_numbered",
]  # fmt: skip
