"""What is stored: an event before and after it was written, what is known about its origin, and its checksum.

An event's *body* is its data as text (JSON) or as bytes, exactly as it is stored; ``data`` reads it. So an event can
be kept, passed on and compared without being parsed, and nobody changes what was written by changing a dictionary.

The checksums form a chain: that of event i covers the checksum of i - 1 and everything that is stored of i. Whoever
changes an event must change all that follow it, and whoever knows one later checksum sees that.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from engines.event_sourcing.errors import BadEvent, CorruptStore, EventTooLarge

MAX_EVENT_BYTES: Final = 1 << 20
"""The largest body. What is larger belongs into a file, and its name into the event."""
GENESIS: Final = "0" * 32
"""The checksum before the first event."""
TOMBSTONE: Final = "$tombstone"
"""The type of an event that closes its stream for ever."""
HIDDEN: Final = "$hidden"
"""The type of an event in ``$$stream`` that hides a prefix of ``stream``, or all but its newest or youngest events."""

_encoder: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))
_scan: Final[Callable[[str, int], tuple[Any, int]]] = vars(json.JSONDecoder())["scan_once"]
"""A value and where it ends. Bodies have no blanks around them, so what ``decode`` does about blanks is not needed."""


def _chunks() -> Callable[[Any, int], Iterable[str]]:
    """The encoder behind ``JSONEncoder.encode``, made once instead of for every event."""
    make = vars(json.encoder).get("c_make_encoder")
    if make is None:
        return lambda data, _: (_encoder.encode(data),)
    text = json.encoder.encode_basestring
    made: Callable[[Any, int], Iterable[str]] = make(None, _encoder.default, text, None, ":", ",", False, False, False)
    return made


_encode: Final = _chunks()
_digest_size: Final = len(GENESIS) // 2
_empty: Final = blake2b(digest_size=_digest_size).copy
"""A digest of nothing yet: a copy costs less than a new one."""


class Metadata(NamedTuple):
    """Who did it, when, and because of what."""

    who: str = ""
    at_us: int = 0
    """Microseconds since 1970; 0: unknown, a store with a clock fills it in."""
    causation_id: str = ""
    """The message that caused this one: the id of a command, or of another event."""
    correlation_id: str = ""
    """The whole story; copied on from message to message."""
    command: str = ""
    """The name of the command that caused it, since commands themselves are not stored."""
    command_cause: str = ""
    """What caused that command: the id of the event somebody reacted to."""


NO_METADATA: Final = Metadata()


class NewEvent(NamedTuple):
    """An event that is to be written."""

    id: str
    """Its message id: a repeat of a batch is recognised by it."""
    type: str
    data: Any
    """What JSON can say, or bytes."""
    version: int = 1
    """Of the schema of its data."""
    metadata: Metadata = NO_METADATA


class RecordedEvent(NamedTuple):
    """An event that was written. Flat, because a replay makes a million of them."""

    position: int
    """In the whole store, from 1, without gaps."""
    stream: str
    revision: int
    """In its stream, from 0, without gaps."""
    id: str
    type: str
    version: int
    body: str | bytes
    who: str = ""
    at_us: int = 0
    causation_id: str = ""
    correlation_id: str = ""
    command: str = ""
    command_cause: str = ""
    checksum: str = ""
    """In hex, of it and of all before it."""

    @property
    def data(self) -> Any:
        """Its data. CorruptStore if the text is no JSON."""
        body = self.body
        if isinstance(body, bytes):
            return body
        try:
            value, end = _scan(body, 0)
            if end != len(body):
                value = json.loads(body)
            return value
        except (ValueError, StopIteration, RecursionError) as error:
            raise CorruptStore(f"stream {self.stream!r} revision {self.revision}: its data is no JSON") from error

    @property
    def metadata(self) -> Metadata:
        """Who, when and why, as a record."""
        return Metadata(*self[7:13])

    @property
    def category(self) -> str:
        """What its stream is one of."""
        return category(self.stream)


def category(stream: str) -> str:
    """``account`` for ``account-7``, and for ``$$account-7``."""
    return stream.lstrip("$").partition("-")[0]


def encode_body(data: Any, stream: str, revision: int) -> str | bytes:
    """Data as it is stored. BadEvent or EventTooLarge that name stream and revision."""
    if isinstance(data, bytes):
        body: str | bytes = data
        size = len(data)
    else:
        try:
            body = "".join(_encode(data, 0))
            size = len(body) if body.isascii() else len(body.encode())
        except (TypeError, ValueError, RecursionError) as error:
            raise BadEvent(f"stream {stream!r} revision {revision}: data that is no JSON: {error}") from error
    if size > MAX_EVENT_BYTES:
        raise EventTooLarge(
            f"stream {stream!r} revision {revision}: an event of {size:,} bytes: at most {MAX_EVENT_BYTES:,} "
            "are accepted; store the content elsewhere and its address here"
        )
    return body


def chain(previous: str, event: RecordedEvent) -> str:
    """The checksum of an event, given that of the event before it.

    No name holds a control character and JSON escapes them, so the separator cannot be forged.
    """
    body = event.body
    text = previous + "\x1f".join(map(str, event[:6])) + "\x1f" + "\x1f".join(map(str, event[7:13]))
    tail = b"\x1ej" + body.encode() if isinstance(body, str) else b"\x1eb" + body
    return blake2b(text.encode() + tail, digest_size=_digest_size).hexdigest()


Row = tuple[int, str, int, str, str, int, str | bytes, str, int, str, str, str, str, str]
"""The fields of a ``RecordedEvent``, bare."""


def rows_of(
    stream: str, revision: int, position: int, events: Sequence[NewEvent], previous: str, at_us: int
) -> list[Row]:
    """A batch behind a revision, a position and a checksum, chained one to the other.

    An append is measured in microseconds: a row is made in one go, and what events share is worked out once.
    """
    rows: list[Row] = []
    known: Metadata | None = None
    suffix = ""
    when = at_us
    for id, type_, data, version, meta in events:
        revision += 1
        position += 1
        if meta is not known:
            known = meta
            when = meta.at_us or at_us
            suffix = f"\x1f{meta[0]}\x1f{when}\x1f" + "\x1f".join(meta[2:])
        body = encode_body(data, stream, revision)
        text = f"{previous}{position}\x1f{stream}\x1f{revision}\x1f{id}\x1f{type_}\x1f{version}{suffix}\x1e"
        whole = f"{text}j{body}".encode() if isinstance(body, str) else text.encode() + b"b" + body
        digest = _empty()
        digest.update(whole)
        previous = digest.hexdigest()
        rows.append((
            position, stream, revision, id, type_, version, body, meta[0], when, meta[2], meta[3], meta[4], meta[5],
            previous,
        ))  # fmt: skip
    return rows


def check_names(stream: str, events: Iterable[NewEvent]) -> None:
    """BadEvent unless the names can be stored and the ids are unique within the batch."""
    if not _usable(stream):
        raise BadEvent(f"stream {stream[:40]!r}: the name of a stream is 1 to 512 printable characters")
    seen: set[str] = set()
    checked: Metadata | None = NO_METADATA
    for index, event in enumerate(events):
        id = event.id
        if not _usable(id) or not _usable(event.type):
            name, what = (event.type, "a type") if _usable(id) else (id, "an id")
            where = f"stream {stream!r}, event {index} of the batch"
            raise BadEvent(f"{where}: {name[:40]!r}: {what} is 1 to 512 printable characters")
        if event.metadata is not checked:
            for text in event.metadata:
                if isinstance(text, str) and text and not text.isprintable():
                    where = f"stream {stream!r}, event {index} of the batch"
                    raise BadEvent(f"{where}: {text!r}: metadata holds no control characters")
            checked = event.metadata
        if id in seen:
            where = f"stream {stream!r}, event {index} of the batch"
            raise BadEvent(f"{where}: the id {id!r} is there twice: ids are unique within a batch")
        seen.add(id)


def _usable(name: str) -> bool:
    return 0 < len(name) <= 512 and name.isprintable()


class Broken(NamedTuple):
    """Where a chain of checksums breaks, and what does not fit there."""

    position: int
    stream: str
    revision: int
    why: str

    def __str__(self) -> str:
        return f"position {self.position} (stream {self.stream!r} revision {self.revision}): {self.why}"


class ChainCheck:
    """Verifies events in global order, as they are read: positions, revisions and checksums."""

    def __init__(self, position: int = 0, checksum: str = GENESIS, heads: Mapping[str, int] | None = None) -> None:
        self.position = position
        self.checksum = checksum
        self.heads: dict[str, int] = dict(heads or {})
        """The newest revision of every stream that was seen; empty streams when it begins in the middle are unknown."""
        self._whole = position == 0 or heads is not None

    def feed(self, event: RecordedEvent) -> Broken | None:
        """The next event; what is wrong with it."""
        where = event.position, event.stream, event.revision
        if event.position != self.position + 1:
            return Broken(*where, f"position {self.position + 1} is missing")
        head = self.heads.get(event.stream, -1 if self._whole else event.revision - 1)
        if event.revision != head + 1:
            return Broken(*where, f"revision {head + 1} was expected")
        try:
            checksum = chain(self.checksum, event)
        except (TypeError, UnicodeError, AttributeError):
            return Broken(*where, "a field is not of its type")
        if checksum != event.checksum:
            return Broken(*where, "its checksum does not fit: it, or the checksum before it, was changed")
        self.position = event.position
        self.checksum = checksum
        self.heads[event.stream] = event.revision
        return None


__all__ = [
    "GENESIS",
    "HIDDEN",
    "MAX_EVENT_BYTES",
    "NO_METADATA",
    "TOMBSTONE",
    "Broken",
    "ChainCheck",
    "Metadata",
    "NewEvent",
    "RecordedEvent",
    "Row",
    "category",
    "chain",
    "check_names",
    "encode_body",
    "rows_of",
]
