"""A small ASCII timeline: a history as one draws it in a mail.

::

    A |--w x=1-----|
    B      |--r x=1--|
    C         |--cas x=1>2-->
    C2 |--a k=text--x

One line per process (a name may stand on several lines). A bar begins at its first ``|`` and ends at the second;
``>`` in its place is an unknown outcome, ``x`` a failure. Columns tell time: at equal columns an invocation comes
before a return. Calls: ``r`` ``w`` ``cas`` ``a`` (append) ``acquire`` ``release``; the key may be left out (``w 1``
is ``w =1``); ``nil`` is the initial value.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from engines.consistency.formats.edn import Symbol
from engines.consistency.formats.records import _initial, text_of
from engines.consistency.history import Call, History, Operation, Status
from engines.errors import UserError

BAR: Final = re.compile(r"\|-*\s*([^\s|>-][^|]*?)\s*-*(\||>(?=\s|\||$)|x(?=\s|\||$))")
CALLS: Final = {
    "r": Call.READ,
    "read": Call.READ,
    "w": Call.WRITE,
    "write": Call.WRITE,
    "cas": Call.CAS,
    "a": Call.APPEND,
    "append": Call.APPEND,
    "acquire": Call.ACQUIRE,
    "release": Call.RELEASE,
}
SHORT: Final = {Call.READ: "r", Call.WRITE: "w", Call.CAS: "cas", Call.APPEND: "a"}
ENDS: Final = {"|": Status.OK, ">": Status.INFO, "x": Status.FAIL}


def parse(lines: Iterable[tuple[int, str]], name: str) -> History:
    """A history from numbered lines. UserError with line and column."""
    bars: list[tuple[int, int, str, Call, Any, Any, Status]] = []
    for number, line in lines:
        text = line.rstrip("\n").expandtabs()
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        match = re.match(r"\s*(\S+?)\s*(?=\|)", text)
        if match is None:
            raise UserError(f"{name}: line {number}: a process and its bars are accepted, such as: A |--w x=1--|")
        bars += _bars(text, match.end(), match.group(1), f"{name}: line {number}")
    if not bars:
        raise UserError(f"{name}: no operations: bars such as |--w x=1--| are accepted")
    return _assembled(bars, name)


def _bars(text: str, at: int, process: str, where: str) -> list[tuple[int, int, str, Call, Any, Any, Status]]:
    found = []
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        match = BAR.match(text, at)
        if match is None:
            raise UserError(f"{where}, column {at + 1}: a bar such as |--w x=1--| is accepted")
        call, key, value = _label(match.group(1), f"{where}, column {at + 1}")
        found.append((at, match.end() - 1, process, call, key, value, ENDS[match.group(2)]))
        # A bar may begin where the one before it ends.
        at = match.end()
    return found


def _label(text: str, where: str) -> tuple[Call, Any, Any]:
    word, _, rest = text.partition(" ")
    call = CALLS.get(word)
    if call is None:
        raise UserError(f"{where}: {word!r}: one of {', '.join(CALLS)} is accepted")
    key, equals, value = rest.strip().partition("=")
    if not equals:
        key, value = "", key
    if call in (Call.ACQUIRE, Call.RELEASE):
        return call, None, None
    if call is Call.CAS:
        old, arrow, new = value.partition(">")
        if not arrow:
            raise UserError(f"{where}: a cas is written cas x=old>new")
        return call, key or None, (_value(old), _value(new))
    return call, key or None, _value(value)


def _value(text: str) -> Any:
    text = text.strip()
    if text in ("nil", ""):
        return None
    if re.fullmatch(r"-?\d{1,18}", text):
        return int(text)
    return Symbol(text) if text in ("true", "false") else text


def _assembled(bars: list[tuple[int, int, str, Call, Any, Any, Status]], name: str) -> History:
    bars.sort(key=lambda bar: bar[0])
    events = sorted([(bar[0], 0, at) for at, bar in enumerate(bars)] + [(bar[1], 1, at) for at, bar in enumerate(bars)])
    places = {(kind, at): place for place, (_, kind, at) in enumerate(events)}
    free: dict[str, int] = {}
    operations = []
    for at, (start, end, process, call, key, value, status) in enumerate(bars):
        if start < free.get(process, -1):
            raise UserError(f"{name}: process {process}: two bars overlap at column {start + 1}")
        free[process] = end
        over = None if status is Status.INFO else places[1, at]
        over_us = None if status is Status.INFO else end * 1_000
        operations.append(Operation(at, process, call, key, value, status, places[0, at], over, start * 1_000, over_us))
    return History(tuple(operations), _initial(tuple(operations)))


def label(operation: Operation) -> str:
    """``w x=1``, ``r x=1``, ``cas x=1>2``."""
    if operation.call is Call.TXN:
        parts = (f"{SHORT[call]} {text_of(key)}={text_of(value)}" for call, key, value in operation.value)
        return "txn " + " ".join(parts)
    if operation.call in (Call.ACQUIRE, Call.RELEASE):
        return str(operation.call.value)
    key = "" if operation.key is None else f"{text_of(operation.key)}="
    if operation.call is Call.CAS:
        return f"cas {key}{text_of(operation.value[0])}>{text_of(operation.value[1])}"
    if operation.call is Call.READ and operation.status is not Status.OK:
        return f"r {key}?"
    return f"{SHORT[operation.call]} {key}{text_of(operation.value)}"


def draw(history: History) -> list[str]:
    """The history as lines that ``parse`` reads back; every invocation and return has a column of its own."""
    labels = {operation.number: label(operation) for operation in history.operations}
    events = sorted(
        [(operation.start, operation.number, 0) for operation in history.operations]
        + [(operation.end, operation.number, 1) for operation in history.operations if operation.end is not None]
    )
    begins: dict[int, int] = {}
    ends: dict[int, int] = {}
    column = 0
    free: dict[str, int] = {}
    for _, number, kind in events:
        operation = history.operations[number]
        if kind == 0:
            column = max(column + 1, free.get(operation.process, 0))
            begins[number] = column
            free[operation.process] = column + len(labels[number]) + 7
        else:
            column = max(column + 1, begins[number] + len(labels[number]) + 5)
            ends[number] = column
            free[operation.process] = column + 2
    width = max(len(operation.process) for operation in history.operations)
    out = []
    for process, operations in history.sessions().items():
        line = process.ljust(width)
        for operation in operations:
            begin = begins[operation.number] + width
            end = ends.get(operation.number, begins[operation.number] + len(labels[operation.number]) + 5) + width
            mark = {Status.OK: "|", Status.FAIL: "x", Status.INFO: ">"}[operation.status]
            line = line.ljust(begin) + f"|--{labels[operation.number]}".ljust(end - begin, "-") + mark
        out.append(line)
    return out


__all__ = ["draw", "label", "parse"]
