"""The trace of a real etcd-io/raft node set, as its ``with_tla`` build writes it: NDJSON, one event a line.

Each server hands a ``TracingEvent`` to the application's logger; the usual one (zap) puts it beside a time:

{"level":"debug","ts":1718271673.27,"msg":"trace","tag":"trace","event":{"name":"BecomeLeader","nid":"2",
 "state":{"term":2,"vote":"2","commit":3},"role":"StateLeader","log":3,"conf":[["1","2","3"],[]]}}

``log`` is the last index, ``conf`` the voters and, while a configuration is joint, the outgoing ones. Events about a
message carry ``msg`` (type, term, from, to, number of entries, logTerm and index before them, commit, reject); a
snapshot's last index stands in ``entries``. A change of the configuration stands in ``prop.cc``: what was asked for as
``changes`` where it is appended, the new voters as ``newconf`` where it is applied, which is written before it rules.
An empty list is left out. Names are decimal numbers as text, and 0 is nobody. Terms of entries are not written: what
can be known of them follows from who sent what (etcd_servers.py).

Lines of other events in the same log are passed over, and so are lines of plain text; one that begins as JSON and is
none, or names a node, was cut or altered, and that is said. Whatever stands before the first brace of a line is no part
of it, as etcd's own ``validate.sh`` has it. A time may be seconds, or text as ISO 8601 has it, or be missing.

Source: etcd-io/raft, state_trace.go and tla/README.md.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final, NamedTuple

from engines.errors import UserError, too_many_digits

LINE_MAX: Final = 1 << 20
NUMBER_MAX: Final = 1 << 62
LOGS_MAX: Final = 1 << 22
"""Entries in the logs of all servers together: each is kept, by its term."""
ROLES: Final = {
    "StateFollower": "follower", "StatePreCandidate": "precandidate", "StateCandidate": "candidate",
    "StateLeader": "leader",
}  # fmt: skip
FORM: Final = (
    'one event a line is accepted, as the with_tla build of etcd-io/raft writes it: {"event":{"name":"BecomeLeader",'
    '"nid":"2","state":{"term":2,"vote":"2","commit":3},"role":"StateLeader","log":3,"conf":[["1","2","3"],[]]}}'
)
NOBODY: Final = "0"
"""How etcd writes that a vote was given to nobody."""


class TraceMessage(NamedTuple):
    """A message, as far as it is written down."""

    type: str
    term: int
    src: str
    dst: str
    entries: int
    """How many entries it carries; of a snapshot, its last index."""
    prev_term: int
    prev: int
    """The index before its entries; of an answer, the index it confirms; of a vote request, where the log ends."""
    commit: int
    reject: bool


class TraceEvent(NamedTuple):
    """One line."""

    line: int
    at_us: int | None
    """As written; None: the line tells no time."""
    name: str
    node: str
    term: int
    vote: str
    commit: int
    role: str
    last: int
    voters: tuple[str, ...]
    outgoing: tuple[str, ...]
    message: TraceMessage | None
    changes: tuple[str, ...]
    """Of a change of the configuration: ``+4``, ``-1``, ``~5``; of one that is applied: the new voters."""


class _Bad(Exception):
    """A line that is no event."""


class TraceReader:
    """Reads a stream once. ``skipped``: bad lines; ``passed``: lines that are about something else."""

    def __init__(self, stream: BinaryIO, name: str, *, skip_bad: bool = False) -> None:
        self.stream = stream
        self.name = name
        self.skip_bad = skip_bad
        self.skipped = 0
        self.passed = 0
        self.events = 0
        self.logs: dict[str, int] = {}
        """The highest last index of each server."""
        self.entries = 0

    def __iter__(self) -> Iterator[TraceEvent]:
        number = 0
        while line := self.stream.readline(LINE_MAX + 1):
            number += 1
            if not line.strip():
                continue
            try:
                event = parse(line, number)
                if event is not None:
                    self._count(event)
            except _Bad as bad:
                while len(line) > LINE_MAX and not line.endswith(b"\n"):
                    line = self.stream.readline(LINE_MAX + 1)
                if not self.skip_bad:
                    raise UserError(f"{self.name}: line {number}: {bad}") from None
                self.skipped += 1
                continue
            if event is None:
                self.passed += 1
                continue
            self.events += 1
            yield event
        if not self.events:
            found = ", ".join(
                f"{count:,} {'line' if count == 1 else 'lines'} {what}"
                for count, what in ((self.passed, "of something else"), (self.skipped, "that cannot be read"))
                if count
            )
            raise UserError(f"{self.name}: holds no event of a raft node{f' but {found}' if found else ''}: {FORM}")

    def _count(self, event: TraceEvent) -> None:
        """Keep account of the entries in all logs. ``_Bad`` if this line makes them too many."""
        known = self.logs.get(event.node, 0)
        beside = self.entries - known
        if event.last > known and beside + event.last > LOGS_MAX:
            others = f", and the other servers' logs reach {beside:,}" if beside else ""
            raise _Bad(f'"log" is {event.last:,}{others}: {LOGS_MAX:,} entries in all logs together are accepted')
        self.logs[event.node] = max(known, event.last)
        self.entries = beside + self.logs[event.node]


def parse(line: bytes, number: int) -> TraceEvent | None:
    """One line; None if it is about something else. ``_Bad`` if it is no event and not about something else."""
    if len(line) > LINE_MAX:
        raise _Bad(f"longer than {LINE_MAX:,} bytes: {FORM}")
    try:
        text = line.decode("utf-8").strip()
    except UnicodeDecodeError as error:
        raise _Bad(f"byte 0x{line[error.start]:02x} is not UTF-8: {FORM}") from None
    brace = text.find("{")
    if brace < 0:
        return None
    try:
        found = json.loads(text[brace:])
    except json.JSONDecodeError as error:
        if '"nid"' not in text and (error.msg == "Extra data" or not text.startswith('{"', brace)):
            return None
        cut = error.msg != "Extra data" and (error.pos >= len(text) - brace or not text.endswith("}"))
        raise _Bad(f"{'the line is cut off' if cut else f'no JSON ({error.msg})'}: {FORM}") from None
    except RecursionError:
        raise _Bad(f"nested too deeply: {FORM}") from None
    except ValueError as error:
        raise _Bad(too_many_digits(text) or f"no JSON ({error}): {FORM}") from None
    event = found.get("event") if isinstance(found, dict) else None
    if isinstance(found, dict) and event is None and "nid" in found and "state" in found:
        event = found
    if not isinstance(found, dict) or not isinstance(event, dict) or "nid" not in event:
        return None
    return _event(event, _time(found.get("ts")), number)


def _event(event: dict[str, Any], at_us: int | None, number: int) -> TraceEvent:
    state = event.get("state")
    if not isinstance(state, dict):
        raise _Bad('"state" is no object: an object with term, vote and commit is accepted')
    role = event.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise _Bad(f'"role" is {json.dumps(role)[:40]}: one of {", ".join(ROLES)} is accepted')
    conf = event.get("conf")
    if not isinstance(conf, list) or len(conf) != 2:
        raise _Bad('"conf" is no pair: two lists of names, the voters and the outgoing ones, are accepted')
    return TraceEvent(
        number, at_us, _text(event, "name"), _text(event, "nid"), _whole(state, "term"), _text(state, "vote"),
        _whole(state, "commit"), ROLES[role], _whole(event, "log"), _names(conf[0]), _names(conf[1]),
        _message(event.get("msg")), _changes(event),
    )  # fmt: skip


def _message(found: Any) -> TraceMessage | None:
    if found is None:
        return None
    if not isinstance(found, dict):
        raise _Bad(f'"msg" is {json.dumps(found)[:40]}: an object with type, term, from and to is accepted')
    reject = found.get("reject", False)
    if not isinstance(reject, bool):
        raise _Bad(f'"reject" is {json.dumps(reject)[:40]}: true or false is accepted')
    return TraceMessage(
        _text(found, "type"), _whole(found, "term"), _text(found, "from"), _text(found, "to"), _whole(found, "entries"),
        _whole(found, "logTerm"), _whole(found, "index"), _whole(found, "commit"), reject,
    )  # fmt: skip


def _changes(event: dict[str, Any]) -> tuple[str, ...]:
    prop = event.get("prop")
    change = prop.get("cc") if isinstance(prop, dict) else event.get("cc")
    if not isinstance(change, dict):
        return ()
    signs = {"AddNewServer": "+", "RemoveServer": "-", "AddLearner": "~"}
    asked = change.get("changes") or []
    if not isinstance(asked, list) or not all(isinstance(each, dict) for each in asked):
        raise _Bad('"changes" is no list of objects: a list of objects with nid and action is accepted')
    if asked:
        return tuple(f"{signs.get(str(each.get('action')), '?')}{_text(each, 'nid')}" for each in asked)
    return _names(change.get("newconf") or [])


def _names(found: Any) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(_is_name(each) for each in found):
        raise _Bad(f'{json.dumps(found)[:40]} is no list of names: a list such as ["1","2"] is accepted')
    return tuple(sorted({str(each) for each in found}, key=natural))


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    if not _is_name(value):
        raise _Bad(f'"{name}" is {json.dumps(value)[:40]}: a text such as "1" is accepted')
    return str(value)


def _is_name(value: Any) -> bool:
    """Whether it can name something on a screen: a short text, or a number from 0 on."""
    if type(value) is int:
        return 0 <= value < 1 << 64
    return type(value) is str and 0 < len(value) <= 40 and value.isprintable()


def _whole(found: dict[str, Any], name: str) -> int:
    value = found.get(name)
    if type(value) is not int or not 0 <= value <= NUMBER_MAX:
        raise _Bad(f'"{name}" is {json.dumps(value)[:40]}: a whole number from 0 to {NUMBER_MAX} is accepted')
    return value


def _time(found: Any) -> int | None:
    if found is None:
        return None
    if (type(found) is int or type(found) is float) and 0 <= found < 1e12:
        return round(float(found) * 1_000_000)
    try:
        moment = datetime.fromisoformat(found)
    except (TypeError, ValueError):
        known = "seconds, or a time as 2026-01-05T12:00:00Z is accepted"
        raise _Bad(f'"ts" is {json.dumps(found)[:40]}: {known}') from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000_000)


def natural(name: str) -> tuple[int, int, str]:
    """2 before 10."""
    return (0, int(name), "") if name.isascii() and name.isdecimal() else (1, 0, name)


__all__ = ["FORM", "NOBODY", "ROLES", "TraceEvent", "TraceMessage", "TraceReader", "natural", "parse"]
