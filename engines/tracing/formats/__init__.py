"""Trace files in and out: OTLP JSON and protobuf, Jaeger JSON, Zipkin v2 JSON.

``read`` tells the format from the content and hands on one span at a time, so a file need not fit into memory.
``write`` is its inverse: what is written in any format reads back as the same spans.
"""

import io
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, BinaryIO

from engines.errors import UserError
from engines.tracing.formats import jaeger, otlp_json, zipkin
from engines.tracing.formats.detect import (
    ACCEPTED,
    DECISIVE,
    HEAD_BYTES,
    OTHER_SIGNALS,
    Format,
    compressed,
    hint,
    is_json,
    is_protobuf,
)
from engines.tracing.formats.notices import Notices
from engines.tracing.formats.scan import BadInput, Json
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
        yield from _Documents(Json(whole, name), notices, skip_bad).spans()
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
        skipped = f" but {notices.skipped:,} bad records, first: {notices.first_skipped}" if notices.skipped else ""
        raise UserError(f"{name}: holds no spans{skipped}: {ACCEPTED}")


def write(spans: Iterable[Span], form: Format) -> Iterator[bytes]:
    """The bytes of a file that holds these spans. Jaeger groups them by trace; all others keep their order.

    A simulation's snapshot holds plain data, so a kind and a status may be plain numbers.
    """
    spans = map(_typed, spans)
    match form:
        case Format.OTLP_JSON:
            return otlp_json.write_object(spans)
        case Format.OTLP_LINES:
            return otlp_json.write_lines(spans)
        case Format.JAEGER:
            return jaeger.write(spans)
        case Format.ZIPKIN:
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


class _Documents:
    """The JSON documents of a file, all of one format."""

    def __init__(self, doc: Json, notices: Notices, skip_bad: bool) -> None:
        self.doc = doc
        self.notices = notices
        self.skip_bad = skip_bad
        self.form: Format | None = None
        self.otlp = otlp_json.OtlpReader(notices, skip_bad)
        self.jaeger = jaeger.JaegerReader(notices, skip_bad)
        self.zipkin = zipkin.ZipkinReader(notices, skip_bad)

    def spans(self) -> Iterator[Span]:
        """Of one document after the other."""
        doc = self.doc
        while doc.peek():
            try:
                yield from self._document(depth=0)
            except BadInput as error:
                if not self.skip_bad:
                    raise
                self.notices.skip(str(error))
                if not doc.next_document():
                    return

    def _document(self, depth: int) -> Iterator[Span]:
        """An object, or a list of them: Zipkin's spans, its traces of spans, or documents of another format."""
        doc = self.doc
        first = doc.peek()
        if first == "[" and depth < 2:
            for _ in doc.items():
                yield from self._document(depth + 1)
        elif first != "{":
            value = doc.value()
            raise doc.bad_value(f"{str(value)[:40]!r} is no trace data: {ACCEPTED}")
        elif self.form is Format.ZIPKIN:
            yield from self._zipkin(doc.value())
        else:
            yield from self._object()

    def _object(self, wrapped: bool = False) -> Iterator[Span]:
        """Its first decisive key tells the format; what stands ahead of that is kept."""
        doc = self.doc
        members = doc.members()
        seen: dict[str, Any] = {}
        found = False
        for key in members:
            form = DECISIVE.get(key)
            if form is not None:
                self._agree(form)
                found = True
            if key == "resourceSpans":
                yield from self.otlp.resource_spans(doc)
            elif key == "data":
                yield from self.jaeger.traces(doc)
            elif key == "result" and not wrapped and doc.peek() == "{":  # Jaeger's newer API wraps OTLP so
                yield from self._object(wrapped=True)
                found = True
            elif form is Format.JAEGER:
                yield from self.jaeger.trace(doc, chain([key], members), seen)
            elif form is Format.ZIPKIN:
                for each in chain([key], members):
                    seen[each] = doc.value()
                yield from self._zipkin(seen)
            elif key in OTHER_SIGNALS:
                self.notices.note(f"documents with {key}, which are no traces", doc.place)
                found = True
                doc.skip()
            elif found:
                doc.skip()
            else:
                seen[key] = doc.value()
        if not found:
            raise doc.bad(hint(list(seen)))

    def _zipkin(self, value: dict[str, Any]) -> Iterator[Span]:
        for key in ("resourceSpans", "data", "traceID", "processes"):
            if key in value:
                self._agree(DECISIVE[key])
        if "binaryAnnotations" in value:
            raise self.doc.bad_value("this is Zipkin v1; v2 is accepted", "binaryAnnotations")
        yield from self.zipkin.take(self.doc, value)

    def _agree(self, form: Format) -> None:
        """One format a file."""
        if self.form is not None and form is not self.form:
            raise self.doc.bad(f"{form.label} after {self.form.label}: one format a file is accepted")
        self.form = form


__all__ = ["BadInput", "Format", "Notices", "read", "write"]
