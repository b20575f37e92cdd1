"""From lines to a history: what all formats of client histories share.

A format turns a line into a ``Record``: process, type, function, key, value, time. The ``Assembler`` pairs
invocations with returns, tells keys from values, and says at which line something cannot be.

- ``[key value]`` as the value of a read, write or cas is a key and its value (Jepsen's independent keys)
- a process that is no client (``:nemesis``) leaves a mark: a fault, drawn on the time axis
- a file of ``ok`` lines alone has no invocations, so no real time is known; sessions are
- times that run backwards: then real time is not known either, and the line is named
- what is open at the end has an unknown outcome
"""

from collections.abc import Hashable
from dataclasses import replace
from typing import Any, Final, NamedTuple

from engines.consistency.formats.edn import Keyword, Map, Symbol
from engines.consistency.history import Call, History, HistoryBuilder, Mark, Operation, Status
from engines.errors import UserError

FUNCTIONS: Final = {
    "read": Call.READ,
    "r": Call.READ,
    "get": Call.READ,
    "write": Call.WRITE,
    "w": Call.WRITE,
    "put": Call.WRITE,
    "cas": Call.CAS,
    "append": Call.APPEND,
    "acquire": Call.ACQUIRE,
    "release": Call.RELEASE,
    "txn": Call.TXN,
}
TYPES: Final = ("invoke", "ok", "fail", "info")
TEXTS_MAX: Final = 60


class Record(NamedTuple):
    """One line of a history."""

    process: Any
    type: str
    f: str
    value: Any
    key: Any = None
    time_ns: int | None = None


class BadLineError(UserError):
    """What is wrong with a line; whoever reads the file adds its name and number."""


class Assembler:
    """Takes records in their order."""

    def __init__(self) -> None:
        self.build = HistoryBuilder(None)
        self.names: dict[Any, str] = {}
        self.last_ns: int | None = None
        self.last_line = 0
        self.first_ns: int | None = None
        self.doubt = ""
        self.only_ok = False
        self.timed = False

    def take(self, record: Record, line: int) -> None:
        """One record. BadLineError if it cannot be."""
        if record.type not in TYPES:
            raise BadLineError(f"type {_short(record.type)}: one of {', '.join(TYPES)} is accepted")
        at_us = self._time(record.time_ns, line)
        process = self._process(record.process)
        if not _is_client(record.process):
            value = "" if record.value is None else f" {text_of(record.value)}"
            self.build.mark(f"{process} {record.f}{value}"[: 2 * TEXTS_MAX], at_us)
            return
        call = FUNCTIONS.get(record.f)
        if call is None:
            known = ", ".join(dict.fromkeys(each.value for each in FUNCTIONS.values()))
            raise BadLineError(f"function {_short(record.f)} is unknown: one of {known} is accepted (get, put: kv)")
        call, key, value = _parts(call, record)
        if record.type == "invoke":
            if self.only_ok:
                raise BadLineError(f"process {process} invokes, but the lines above return without an invocation")
            _shape(call, value, False)
            self.build.invoke(process, call, key, value, at_us)
            return
        status = Status(record.type)
        if not self.build.operations and status is Status.OK:
            self.only_ok = True
        if self.only_ok:
            self.build.invoke(process, call, key, value, at_us)
        self._complete(process, status, call, key, value, at_us)

    def _complete(self, process: str, status: Status, call: Call, key: Any, value: Any, at_us: int) -> None:
        open_ = self.build.open.get(process)
        if open_ is None:
            raise BadLineError(f"process {process} returns {status.value} without an invocation")
        asked = self.build.operations[open_]
        if asked.call is not call:
            raise BadLineError(f"process {process} returns {call.value}, but what is open is {asked.call.value}")
        if status is Status.OK:
            if key is not None and asked.key is not None and key != asked.key:
                raise BadLineError(f"process {process} returns key {key}, but asked for {asked.key}")
            _shape(call, value if call in (Call.READ, Call.TXN) else asked.value, True)
        self.build.complete(process, status, value if call in (Call.READ, Call.TXN) else None, at_us)

    def history(self) -> History:
        """All of it. UserError if there is nothing."""
        found = self.build.build()
        if not found.operations:
            raise UserError("no operations: lines that invoke and return are accepted")
        operations = found.operations
        if not self.timed:
            operations = tuple(each._replace(start_us=each.start, end_us=each.end) for each in operations)
        doubt = self.doubt
        if self.only_ok:
            doubt = "the file holds returns alone, no invocations"
        marks = found.marks if self.timed else tuple(Mark(each.at, each.at, each.text) for each in found.marks)
        return replace(
            found,
            operations=operations,
            marks=marks,
            initial=_initial(operations),
            real_time=not doubt,
            doubt=doubt,
            timed=self.timed,
        )

    def _time(self, time_ns: int | None, line: int) -> int:
        if time_ns is None:
            return self.build.position if not self.timed else (self.last_ns or 0) // 1_000
        self.timed = True
        if self.last_ns is not None and time_ns < self.last_ns and not self.doubt:
            self.doubt = f"line {line}: time {time_ns} is before the {self.last_ns} of line {self.last_line}"
        self.last_ns, self.last_line = time_ns, line
        if self.first_ns is None:
            self.first_ns = time_ns
        return (time_ns - self.first_ns) // 1_000

    def _process(self, process: Any) -> str:
        name = self.names.get(process)
        if name is None:
            name = self.names[process] = text_of(process)
        return name


def _is_client(process: Any) -> bool:
    return not isinstance(process, Keyword) and process != "nemesis"


def _parts(call: Call, record: Record) -> tuple[Call, Any, Any]:
    """Call, key and value, each in one form whatever the format."""
    value = record.value
    if call is Call.TXN or _is_txn(value):
        return Call.TXN, None, _txn(value)
    if record.key is not None:
        return call, plain(record.key), _plain_value(call, value)
    independent = isinstance(value, tuple) and not isinstance(value, Map | Keyword | Symbol) and len(value) == 2
    if independent and (call in (Call.READ, Call.WRITE, Call.APPEND) or isinstance(value[1], tuple)):
        return call, plain(value[0]), _plain_value(call, value[1])
    return call, None, _plain_value(call, value)


def _plain_value(call: Call, value: Any) -> Any:
    if call in (Call.ACQUIRE, Call.RELEASE):
        return None
    if call is Call.CAS and isinstance(value, tuple) and not isinstance(value, Keyword | Symbol):
        return tuple(plain(each) for each in value)
    return plain(value)


def _is_txn(value: Any) -> bool:
    return (
        isinstance(value, tuple)
        and not isinstance(value, Map | Keyword | Symbol)
        and bool(value)
        and all(isinstance(each, tuple) and len(each) == 3 and _micro(each[0]) is not None for each in value)
    )


def _micro(name: Any) -> Call | None:
    found = FUNCTIONS.get(name if isinstance(name, str) else getattr(name, "name", ""))
    return found if found in (Call.READ, Call.WRITE) else None


def _txn(value: Any) -> tuple[Any, ...]:
    if value is None or isinstance(value, Keyword):
        return ()
    if not _is_txn(value):
        raise BadLineError(f"value {_short(value)}: a txn is a list of [:read key value] and [:write key value]")
    return tuple((_micro(each[0]), plain(each[1]), plain(each[2])) for each in value)


def _shape(call: Call, value: Any, ok: bool) -> None:
    if call is Call.CAS and not (isinstance(value, tuple) and len(value) == 2):
        raise BadLineError(f"value {_short(value)}: a cas takes [old new]")
    if call in (Call.WRITE, Call.APPEND) and value is None:
        raise BadLineError(f"a {call.value} without a value")
    if call is Call.TXN and not value and not ok:
        raise BadLineError("a txn without operations")


def plain(value: Any) -> Hashable:
    """A value that can be compared and remembered: no ``True`` that equals 1, no list."""
    if isinstance(value, bool):
        return Symbol(str(value).lower())
    if isinstance(value, Keyword | Symbol):
        return value
    if isinstance(value, Map):
        return Map((plain(key), plain(each)) for key, each in value)
    if isinstance(value, dict):
        return Map((key, plain(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return tuple(plain(each) for each in value)
    return value if isinstance(value, Hashable) else str(value)


def text_of(value: Any) -> str:
    """A value as a person reads it."""
    if value is None:
        return "nil"
    if isinstance(value, Map):
        return "{" + ", ".join(f"{text_of(key)} {text_of(each)}" for key, each in value) + "}"
    if isinstance(value, frozenset):
        return "#{" + " ".join(sorted(text_of(each) for each in value)) + "}"
    if isinstance(value, tuple) and not isinstance(value, Keyword | Symbol):
        return "[" + " ".join(text_of(each) for each in value) + "]"
    return str(value)


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else text_of(value)
    return text if len(text) <= TEXTS_MAX else text[: TEXTS_MAX - 3] + "..."


def _initial(operations: tuple[Operation, ...]) -> Any:
    """nil; or 0, where somebody reads a 0 that nobody writes and nobody reads nil."""
    if any(each.call is Call.APPEND for each in operations):
        return ""
    read = [each for each in operations if each.call is Call.READ and each.status is Status.OK]
    if any(each.value is None for each in read) or not any(_is_zero(each.value) for each in read):
        return None
    written = any(_writes_zero(each) for each in operations)
    return None if written else 0


def _is_zero(value: Any) -> bool:
    return isinstance(value, int) and value == 0


def _writes_zero(each: Operation) -> bool:
    return (each.call is Call.WRITE and _is_zero(each.value)) or (each.call is Call.CAS and _is_zero(each.value[1]))


__all__ = ["FUNCTIONS", "Assembler", "BadLineError", "Record", "plain", "text_of"]
