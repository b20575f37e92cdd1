"""Trace files in and out: OTLP JSON and protobuf, Jaeger JSON, Zipkin v2 JSON.

``read`` tells the format from the content and hands on one span at a time, so a file need not fit into memory.
``write`` is its inverse: what is written in any format reads back as the same spans. The code of a format is loaded
when a file of it is met.

detect         which format a file is in, from its content
documents scan    JSON documents as a stream
notices        what was odd and handed on all the same
otlp_json jaeger zipkin    the formats
values rest    the parts of a span as OTLP writes them; what the other two formats cannot say
"""

import io
from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO

from engines.errors import UserError
from engines.tracing.formats.detect import ACCEPTED, HEAD_BYTES, Format, compressed, is_json, is_protobuf
from engines.tracing.formats.notices import Notices
from engines.tracing.spans import Kind, Span, Status


def read(stream: BinaryIO, name: str, *, skip_bad: bool = False, notices: Notices | None = None) -> Iterator[Span]:
    """The spans of a file, as they come. ``name`` is what messages call it.

    UserError with the place for what cannot be read, and for a file without spans; with ``skip_bad`` bad records are
    counted in ``notices`` and left out. What is odd but readable is handed on and noted there.
    """
    notices = Notices() if notices is None else notices
    head = b""
    while len(head) < HEAD_BYTES and (more := stream.read(HEAD_BYTES - len(head))):
        head += more
    head = head.removeprefix(b"\xef\xbb\xbf")
    whole: BinaryIO = io.BufferedReader(_Joined(head, stream), 1 << 16)
    if is_json(head):
        from engines.tracing.formats.documents import Documents
        from engines.tracing.formats.scan import Json

        yield from Documents(Json(whole, name), notices, skip_bad).spans()
    elif is_protobuf(head):
        from engines.tracing import protobuf

        yield from protobuf.read(whole, name, skip_bad=skip_bad, notices=notices)
    elif not head.strip():
        raise UserError(f"{name}: is empty: {ACCEPTED}")
    elif by := compressed(head):
        raise UserError(f"{name}: byte 0: compressed with {by}: decompress it first")
    else:
        raise UserError(f"{name}: byte 0: neither JSON nor OTLP protobuf: {ACCEPTED}")
    if not notices.spans:
        reasons = notices.lines()
        raise UserError(f"{name}: holds no spans{''.join(f'; {each}' for each in reasons)}: {ACCEPTED}")


def write(spans: Iterable[Span], form: Format) -> Iterator[bytes]:
    """The bytes of a file that holds these spans. Jaeger groups them by trace; all others keep their order.

    A simulation's snapshot holds plain data, so a kind and a status may be plain numbers.
    """
    spans = map(_typed, spans)
    match form:
        case Format.OTLP_JSON | Format.OTLP_LINES:
            from engines.tracing.formats import otlp_json

            return otlp_json.write_object(spans) if form is Format.OTLP_JSON else otlp_json.write_lines(spans)
        case Format.JAEGER:
            from engines.tracing.formats import jaeger

            return jaeger.write(spans)
        case Format.ZIPKIN:
            from engines.tracing.formats import zipkin

            return zipkin.write(spans)
        case Format.OTLP_PROTOBUF:
            from engines.tracing import protobuf

            return protobuf.write(spans)


def _typed(span: Span) -> Span:
    if type(span.kind) is Kind and type(span.status) is Status:
        return span
    return span._replace(kind=Kind(span.kind), status=Status(span.status))


class _Joined(io.RawIOBase):
    """The head that was looked at, then the rest of the stream."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._head[: len(buffer)]
        self._head = self._head[len(data) :]
        data = data or self._stream.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


__all__ = ["Format", "Notices", "read", "write"]
