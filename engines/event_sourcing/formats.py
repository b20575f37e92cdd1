"""Events as others write them: JSON lines, CloudEvents, and the rows of two other stores.

JSON lines: ``{"stream": "account-7", "type": "MoneyDeposited", "data": {...}}``, and, where it is known, ``id revision
position version who at_us (or time, RFC 3339) causation_id correlation_id command``. CloudEvents 1.0: lines or one
array; the stream is the subject, or else the source. ``eventsourcing``: the table ``stored_events``; Emmett:
``emt_messages``.

A revision or position that is not said is counted. Everything is read as a stream.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from engines.errors import UserError, too_many_digits
from engines.event_sourcing.events import RecordedEvent

WANTED: Final = 'a JSON object with "stream", "type" and "data", or a CloudEvent ("specversion") is needed'
LINE_BYTES_MAX: Final = 16 << 20
_TEXTS: Final = ("id", "who", "causation_id", "correlation_id", "command")
_NUMBERS: Final = ("revision", "position", "version", "at_us")
_TOPIC: Final = re.compile(r"[\w.]+:([\w.]+)")


class Counter:
    """Gives positions and revisions to events that name none."""

    def __init__(self) -> None:
        self.position = 0
        self.heads: dict[str, int] = {}

    def place(self, stream: str, revision: int | None, position: int | None) -> tuple[int, int]:
        """(position, revision) of the next event."""
        self.position = self.position + 1 if position is None else position
        head = self.heads.get(stream, -1) + 1 if revision is None else revision
        self.heads[stream] = head
        return self.position, head


def read_lines(
    lines: Iterable[bytes], name: str, skip_bad: bool = False, skipped: Callable[[], None] = lambda: None
) -> Iterator[RecordedEvent]:
    """The events of JSON lines, or of one JSON array. UserError names file and line."""
    counter = Counter()
    for number, line in enumerate(lines, 1):
        text = line.strip().removeprefix(b"\xef\xbb\xbf")
        if not text:
            continue
        if number == 1 and text.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise UserError(f"{name}: UTF-16: UTF-8 is needed")
        if number == 1 and text.startswith(b"["):
            yield from _array(line, lines, name, counter, skip_bad, skipped)
            return
        try:
            yield _event(_parse(text), counter)
        except BadLine as error:
            if not skip_bad:
                raise UserError(f"{name}: line {number}: {error}") from None
            skipped()


class BadLine(ValueError):
    """A line that is no event."""


def _array(
    first: bytes, rest: Iterable[bytes], name: str, counter: Counter, skip_bad: bool, skipped: Callable[[], None]
) -> Iterator[RecordedEvent]:
    """One array of events, as CloudEvents' batch format has it."""
    text = first + b"".join(rest)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else too_many_digits(text)
        what = what or f"no JSON ({error})"
        raise UserError(f"{name}: {what}: an array of events is needed") from None
    for index, each in enumerate(found):
        try:
            yield _event(each, counter)
        except BadLine as error:
            if not skip_bad:
                raise UserError(f"{name}: element {index}: {error}") from None
            skipped()


def _parse(text: bytes) -> Any:
    if len(text) > LINE_BYTES_MAX:
        raise BadLine(f"a line of {len(text):,} bytes: at most {LINE_BYTES_MAX:,} are accepted")
    try:
        return json.loads(text)
    except UnicodeDecodeError as error:
        raise BadLine(f"byte {error.start}: not UTF-8") from None
    except (ValueError, RecursionError) as error:
        said = getattr(error, "msg", "") or ("nested too deeply" if isinstance(error, RecursionError) else "")
        if not said:
            raise BadLine(too_many_digits(text) or f"no JSON ({error}): {WANTED}") from None
        raise BadLine(f"no JSON ({said}, column {getattr(error, 'colno', 1)}): {WANTED}") from None


def _event(found: Any, counter: Counter) -> RecordedEvent:
    if not isinstance(found, dict):
        raise BadLine(f"{str(found)[:40]!r}: {WANTED}")
    if "specversion" in found:
        return _cloud_event(found, counter)
    stream = next((found[key] for key in ("stream", "stream_id", "streamId", "aggregate_id") if key in found), None)
    if not isinstance(stream, str) or not isinstance(found.get("type"), str) or not stream:
        raise BadLine(WANTED)
    metadata = found.get("metadata")
    given = {**(metadata if isinstance(metadata, dict) else {}), **found}
    texts = [_text(given, key) for key in _TEXTS]
    numbers = [_number(given, key) for key in _NUMBERS]
    position, revision = counter.place(stream, numbers[0], numbers[1])
    at_us = numbers[3] if numbers[3] is not None else _time(given.get("time"))
    return RecordedEvent(
        position, stream, revision, texts[0] or f"{stream}@{revision}", found["type"], numbers[2] or 1,
        _body(found.get("data")), texts[1], at_us, texts[2], texts[3], texts[4], _text(given, "command_cause"),
    )  # fmt: skip


def _cloud_event(found: dict[str, Any], counter: Counter) -> RecordedEvent:
    for key in ("id", "source", "type"):
        if not isinstance(found.get(key), str) or not found[key]:
            raise BadLine(f'a CloudEvent without "{key}": it is required')
    stream = _text(found, "subject") or found["source"]
    body: str | bytes = _body(found.get("data"))
    if "data_base64" in found:
        try:
            body = base64.b64decode(_text(found, "data_base64"), validate=True)
        except binascii.Error:
            raise BadLine('"data_base64" is no base64') from None
    sequence = _text(found, "sequence")
    revision = int(sequence) if sequence.isascii() and sequence.isdecimal() and len(sequence) < 16 else None
    position, revision = counter.place(stream, revision, None)
    return RecordedEvent(
        position, stream, revision, found["id"], found["type"], 1, body, found["source"], _time(found.get("time")),
        _text(found, "causationid"), _text(found, "correlationid"),
    )  # fmt: skip


def _body(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _text(given: dict[str, Any], key: str) -> str:
    value = given.get(key)
    if value is None:
        return ""
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise BadLine(f'"{key}": a text is needed, not {str(value)[:30]!r}')
    return str(value)


def _number(given: dict[str, Any], key: str) -> int | None:
    value = given.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 62:
        raise BadLine(f'"{key}": a whole number from 0 is needed, not {str(value)[:30]!r}')
    return value


def _time(value: Any) -> int:
    """RFC 3339 as microseconds since 1970; 0 if there is none."""
    if value is None or value == "":
        return 0
    try:
        when = datetime.fromisoformat(value)
        since = (when if when.tzinfo else when.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
        return max(0, since.days * 86_400_000_000 + since.seconds * 1_000_000 + since.microseconds)
    except (TypeError, ValueError, OverflowError):
        raise BadLine(f'"time": {str(value)[:40]!r} is no time: RFC 3339 is needed, as 2026-01-31T12:00:00Z') from None


def from_eventsourcing(rows: Iterable[tuple[Any, ...]]) -> Iterator[RecordedEvent]:
    """Rows ``(number, originator_id, originator_version, topic, state)`` of ``stored_events``, in their order."""
    for number, stream, revision, topic, state in rows:
        match = _TOPIC.fullmatch(topic)
        body: str | bytes = bytes(state) if not isinstance(state, str) else state
        at_us = 0
        try:
            data = json.loads(body)
            body = body if isinstance(body, str) else body.decode()
            stamp = data.get("timestamp") if isinstance(data, dict) else None
            at_us = _time(stamp.get("_data_") if isinstance(stamp, dict) else stamp)
        except (ValueError, RecursionError):
            pass  # compressed, encrypted, or of a transcoder of its own: it stays bytes
        yield RecordedEvent(
            number, str(stream), revision, f"{stream}@{revision}", match[1] if match else topic, 1, body, "", at_us
        )


def from_emmett(rows: Iterable[tuple[Any, ...]]) -> Iterator[RecordedEvent]:
    """Rows ``(global_position, stream_id, stream_position, message_id, message_type, message_schema_version,
    message_data, message_metadata, created)`` of ``emt_messages``, in their order.
    """
    for position, stream, revision, id, type_, version, data, metadata, created in rows:
        given: dict[str, Any] = {}
        try:
            found = json.loads(metadata) if metadata else {}
            given = found if isinstance(found, dict) else {}
            at_us = _time(created if isinstance(created, str) else None)
        except (ValueError, RecursionError):
            at_us = 0
        number = int(version) if str(version).isdecimal() else 1
        who, cause, story = (str(given.get(key) or "") for key in ("userId", "causationId", "correlationId"))
        body = data if isinstance(data, str | bytes) else json.dumps(data)
        yield RecordedEvent(
            position, str(stream), int(revision), str(id), str(type_), number, body, who, at_us, cause, story
        )


__all__ = ["WANTED", "from_emmett", "from_eventsourcing", "read_lines"]
