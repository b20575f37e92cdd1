"""ShiViz logs: events with vector clocks, in and out.

A parser expression with the groups ``event``, ``host`` and ``clock`` says how an event is written: its text, then
``host {"host": 1}`` (this is what is written here), or the other way round. Both are tried unless an expression is
given; it may be in ShiViz's own form, ``(?<event>...)``. A host's own entry starts at 1 and grows by 1; an entry for
another host names an event that must exist. A log that breaks this is refused at its line.

Source: bitbucket.org/bestchai/shiviz.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from engines.consistency.formats.timeline import label
from engines.consistency.history import Call, History, Status
from engines.consistency.vector import VectorClock
from engines.errors import UserError

EVENT_FIRST: Final = r"^(?P<event>.*)\n(?P<host>\S+) (?P<clock>\{.*\})"
HOST_FIRST: Final = r"(?<!\S)(?P<host>\S+) (?P<clock>\{.*\})\n(?P<event>.*)"
TEXT_MAX: Final = 64 << 20


class ShivizEvent(NamedTuple):
    """One event of a host."""

    line: int
    host: str
    clock: VectorClock
    text: str


def expression(given: str | None) -> re.Pattern[str] | None:
    """The user's parser expression. UserError if it is none."""
    if given is None:
        return None
    try:
        found = re.compile(re.sub(r"\(\?<(?=[A-Za-z_])", "(?P<", given), re.MULTILINE)
    except (re.error, OverflowError, RecursionError) as error:
        raise UserError(f"--parser: no regular expression: {error}") from None
    for name in ("event", "host", "clock"):
        if name not in found.groupindex:
            raise UserError(f"--parser: the group (?<{name}>...) is missing")
    return found


def looks_like(text: str) -> bool:
    """Whether this may be the beginning of such a log."""
    return any(re.search(each, text, re.MULTILINE) for each in (EVENT_FIRST, HOST_FIRST))


def parse(text: str, name: str, parser: re.Pattern[str] | None = None) -> tuple[ShivizEvent, ...]:
    """The events of a log, in its order. UserError with the line of what is wrong."""
    choices = [parser] if parser else [re.compile(each, re.MULTILINE) for each in (EVENT_FIRST, HOST_FIRST)]
    trouble: UserError | None = None
    for each in choices:
        try:
            events = tuple(_events(text, name, each))
            if not events:
                raise UserError(f"{name}: the parser expression finds no event")
            _consistent(events, name)
        except UserError as error:
            trouble = trouble or error
        else:
            return events
    assert trouble is not None
    raise trouble


def _events(text: str, name: str, parser: re.Pattern[str]) -> Iterable[ShivizEvent]:
    line, last = 1, 0
    for match in parser.finditer(text):
        line += text.count("\n", last, match.start())
        last = match.start()
        at = line + text.count("\n", match.start(), match.start("clock"))
        host = match.group("host")
        try:
            clock = json.loads(match.group("clock"))
        except (ValueError, RecursionError):
            raise UserError(f'{name}: line {at}: no clock: {{"host": 1}} is accepted') from None
        if not isinstance(clock, dict) or not all(_count(each) for each in clock.values()):
            raise UserError(f"{name}: line {at}: a clock counts in whole numbers from 0")
        if not clock.get(host):
            raise UserError(f"{name}: line {at}: the clock of {host} has no entry for {host}")
        yield ShivizEvent(at, host, VectorClock.of(clock), match.group("event").strip())


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53


def _consistent(events: tuple[ShivizEvent, ...], name: str) -> None:
    """Own entries are 1, 2, 3 ...; every other entry names an event that exists, and never falls back."""
    by_host: dict[str, list[ShivizEvent]] = {}
    for event in events:
        by_host.setdefault(event.host, []).append(event)
    for host, own in by_host.items():
        own.sort(key=lambda event: event.clock.get(host))
        before = VectorClock()
        for number, event in enumerate(own, 1):
            if event.clock.get(host) != number:
                found = event.clock.get(host)
                raise UserError(f"{name}: line {event.line}: {host} counts {found} where {number} is next")
            if not before <= event.clock:
                raise UserError(f"{name}: line {event.line}: the clock of {host} falls back behind its event before")
            before = event.clock
    for event in events:
        for host, count in event.clock:
            if count > len(by_host.get(host, ())):
                raise UserError(f"{name}: line {event.line}: it names event {count} of {host}, and there is none")


def write(events: Iterable[tuple[str, VectorClock, str]]) -> list[str]:
    """A log, event first."""
    lines = []
    for host, clock, text in events:
        own = {host: clock.get(host)} | {node: count for node, count in clock if node != host}
        lines += [text.replace("\n", " "), f"{host} {json.dumps(own)}"]
    return lines


def from_history(history: History) -> list[tuple[str, VectorClock, str]]:
    """Invocations and returns as events: a read that returns has seen what the write had seen when it was invoked."""
    events = sorted(
        [(operation.start, operation.number, False) for operation in history.operations]
        + [(operation.end, operation.number, True) for operation in history.operations if operation.end is not None]
    )
    clocks: dict[str, VectorClock] = {}
    written: dict[tuple[Any, Any], VectorClock] = {}
    out = []
    for _, number, returns in events:
        operation = history.operations[number]
        host = "p" + operation.process if operation.process[:1].isdigit() else operation.process.replace(" ", "_")
        clock = clocks.get(host, VectorClock())
        if returns and operation.call is Call.READ and operation.status is Status.OK:
            clock = clock.merge(written.get((operation.key, operation.value), clock))
        clock = clocks[host] = clock.tick(host)
        if not returns and operation.call is Call.WRITE:
            written[operation.key, operation.value] = clock
        asked = operation._replace(status=Status.INFO) if operation.call is Call.READ and not returns else operation
        state = operation.status.value if returns else "invoke"
        out.append((host, clock, f"{state} {label(asked)}"))
    return out


__all__ = ["ShivizEvent", "expression", "from_history", "looks_like", "parse", "write"]
