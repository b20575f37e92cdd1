"""OTLP protobuf: the bytes an exporter sends, written to a file. Needs the extra ``otlp``.

A TracesData message is nothing but its ResourceSpans, each with a tag and a length in front; so is an
ExportTraceServiceRequest, and so are several of either, one after the other. The frames are walked here, and one
ResourceSpans at a time is decoded by Google's library, so the file is never held whole. The collector's file exporter
puts four bytes of length before every message; that is read as well.

This is the one module of the package that needs more than the standard library, and only once it is used.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from importlib import import_module
from itertools import groupby
from typing import Any, BinaryIO, Final

from engines.errors import UserError
from engines.tracing.formats.notices import OLD_MESSAGES, Notices
from engines.tracing.formats.otlp_json import SERVICE, batches
from engines.tracing.formats.scan import BadInput
from engines.tracing.formats.values import DEPTH_MAX, Bad, Shared
from engines.tracing.spans import NO_SCOPE, Attributes, KeyValues, Kind, Link, Scope, Span, SpanEvent, Status, Value

EXTRA: Final = "OTLP protobuf needs two libraries more: pip install 'dp-tui[otlp]'"
RESOURCE_SPANS: Final = 0x0A
"""Field 1, length-delimited."""
OLD_FIELD: Final = 1_000
"""Where a ResourceSpans had its spans before 2022."""
VARINT_MAX: Final = 10
MESSAGE_MAX: Final = 1 << 30

_KINDS: Final = dict(enumerate(Kind))
_STATUSES: Final = dict(enumerate(Status))


def _library() -> tuple[Any, Any]:
    """The generated messages, and the error their parser raises. UserError that names the extra."""
    try:
        messages = import_module("opentelemetry.proto.trace.v1.trace_pb2")
        return messages, import_module("google.protobuf.message").DecodeError
    except ImportError:
        raise UserError(EXTRA) from None


def read(stream: BinaryIO, name: str, *, skip_bad: bool, notices: Notices) -> Iterator[Span]:
    """The spans of a file. UserError with the byte for what cannot be read."""
    messages, decode_error = _library()
    unknown = import_module("google.protobuf.unknown_fields").UnknownFieldSet
    reader = _Reader(name, notices, skip_bad)
    for number, (begin, frame) in enumerate(_frames(stream, name, notices, skip_bad)):
        try:
            group = messages.ResourceSpans.FromString(frame)
        except decode_error:
            bad = BadInput(f"{name}: byte {begin}, at resource_spans[{number}]: no ResourceSpans of OTLP protobuf")
            if not skip_bad:
                raise bad from None
            notices.skip(str(bad))
            continue
        if not group.scope_spans and OLD_FIELD in (each.field_number for each in unknown(group)):
            notices.note(OLD_MESSAGES, partial("byte {}".format, begin))
        yield from reader.resource_spans(group, begin, number)


def _frames(stream: BinaryIO, name: str, notices: Notices, skip_bad: bool) -> Iterator[tuple[int, bytes]]:
    """The bytes of every ResourceSpans, and where they begin."""
    at = 0
    try:
        while tag := stream.read(1):
            if tag == b"\x00":
                stream.read(3)  # the collector's length of four bytes; what follows has its own
                at += 4
                continue
            if tag[0] != RESOURCE_SPANS:
                raise BadInput(
                    f"{name}: byte {at}: {tag[0]:#04x} begins no ResourceSpans of OTLP protobuf, that would be 0x0a"
                )
            length, size = _varint(stream, name, at + 1)
            begin = at + 1 + size
            if length > MESSAGE_MAX:
                raise BadInput(f"{name}: byte {at}: a message of {length} bytes; at most {MESSAGE_MAX} are accepted")
            frame = stream.read(length)
            if len(frame) < length:
                raise BadInput(
                    f"{name}: byte {begin}: a message of {length} bytes, of which {len(frame)} are left: is the file "
                    "truncated?"
                )
            at = begin + length
            yield begin, frame
    except BadInput as bad:
        if not skip_bad:
            raise
        notices.skip(str(bad))


def _varint(stream: BinaryIO, name: str, at: int) -> tuple[int, int]:
    """A length, and how many bytes it took."""
    value = 0
    for size in range(VARINT_MAX):
        byte = stream.read(1)
        if not byte:
            raise BadInput(f"{name}: byte {at + size}: the file ends inside a length: is it truncated?")
        value |= (byte[0] & 0x7F) << 7 * size
        if byte[0] < 0x80:
            return value, size + 1
    raise BadInput(f"{name}: byte {at}: a length of more than {VARINT_MAX} bytes: this is no OTLP protobuf")


class _Reader:
    """Turns messages into spans."""

    def __init__(self, name: str, notices: Notices, skip_bad: bool) -> None:
        self.name = name
        self.notices = notices
        self.skip_bad = skip_bad
        self.shared = Shared()
        self._at = (0, 0, 0, 0)

    def resource_spans(self, group: Any, byte: int, number: int) -> Iterator[Span]:
        """All spans of one ResourceSpans message, which begins at ``byte`` and is the ``number``-th."""
        service, resource = self._resource(group.resource)
        for at_scope, scope_spans in enumerate(group.scope_spans):
            scope = self._scope(scope_spans.scope)
            for at, message in enumerate(scope_spans.spans):
                self._at = byte, number, at_scope, at
                try:
                    span = self._span(message, service, resource, scope)
                except Bad as bad:
                    error = BadInput(f"{self.name}: {self.place()}.{bad.field}: {bad}")
                    if not self.skip_bad:
                        raise error from None
                    self.notices.skip(str(error))
                    continue
                self.notices.look(span, 1, self.place)
                yield span

    def place(self) -> str:
        """Of the last span."""
        byte, number, at_scope, at = self._at
        return f"in the message at byte {byte}, at resource_spans[{number}].scope_spans[{at_scope}].spans[{at}]"

    def _resource(self, message: Any) -> tuple[str, Attributes]:
        attributes = self._attributes(message.attributes)
        for at, (key, value) in enumerate(attributes):
            if key == SERVICE and isinstance(value, str):
                return value, self.shared.whole(attributes[:at] + attributes[at + 1 :])
        return "", self.shared.whole(attributes)

    def _scope(self, message: Any) -> Scope:
        scope = Scope(
            message.name, message.version, self._attributes(message.attributes), message.dropped_attributes_count
        )
        return NO_SCOPE if scope == NO_SCOPE else scope

    def _span(self, message: Any, service: str, resource: Attributes, scope: Scope) -> Span:
        status = message.status
        parent = message.parent_span_id
        events, links = message.events, message.links
        return Span(
            _id(message.trace_id, 16, "trace_id"),
            _id(message.span_id, 8, "span_id"),
            _id(parent, 8, "parent_span_id") if parent else "",
            self.shared.one(message.name),
            service,
            _KINDS.get(message.kind, Kind.UNSPECIFIED),
            message.start_time_unix_nano,
            message.end_time_unix_nano,
            _STATUSES.get(status.code, Status.UNSET),
            status.message,
            self._attributes(message.attributes),
            resource,
            tuple(self._event(each) for each in events) if events else (),
            tuple(self._link(each, f"links[{at}]") for at, each in enumerate(links)) if links else (),
            message.trace_state,
            scope,
            message.flags,
            message.dropped_attributes_count,
            message.dropped_events_count,
            message.dropped_links_count,
        )

    def _event(self, message: Any) -> SpanEvent:
        return SpanEvent(
            message.time_unix_nano,
            self.shared.one(message.name),
            self._attributes(message.attributes),
            message.dropped_attributes_count,
        )

    def _link(self, message: Any, at: str) -> Link:
        return Link(
            _id(message.trace_id, 16, f"{at}.trace_id"),
            _id(message.span_id, 8, f"{at}.span_id"),
            message.trace_state,
            self._attributes(message.attributes),
            message.dropped_attributes_count,
            message.flags,
        )

    def _attributes(self, pairs: Any) -> Attributes:
        if not pairs:
            return ()
        one = self.shared.one
        found = []
        for pair in pairs:
            value = pair.value
            if text := value.string_value:
                found.append(one((pair.key, text)))
            else:
                found.append((one(pair.key), _value(value)))
        return tuple(found)


def _id(raw: bytes, size: int, field: str) -> str:
    if len(raw) != size:
        raise Bad(field, f"an id of {len(raw)} bytes: {size} are needed")
    return raw.hex()


def _value(message: Any, depth: int = 0) -> Value:
    if depth > DEPTH_MAX:
        raise Bad("attributes", f"lists more than {DEPTH_MAX} deep")
    match message.WhichOneof("value"):
        case None:
            return None
        case "array_value":
            return tuple(_value(each, depth + 1) for each in message.array_value.values)
        case "kvlist_value":
            return KeyValues(tuple((each.key, _value(each.value, depth + 1)) for each in message.kvlist_value.values))
        case kind:
            return getattr(message, kind)


# -- out -------------------------------------------------------------------------------------------------------


def write(spans: Iterable[Span]) -> Iterator[bytes]:
    """TracesData messages one after the other, which is the same as one that holds all."""
    messages, _ = _library()
    for batch in batches(spans):
        data = messages.TracesData()
        for _, same in groupby(batch, key=lambda span: repr((span.service, span.resource))):
            of_resource = list(same)
            first = of_resource[0]
            group = data.resource_spans.add()
            _fill(group.resource.attributes, (((SERVICE, first.service),) if first.service else ()) + first.resource)
            for _, of_scope in groupby(of_resource, key=lambda span: repr(span.scope)):
                members = list(of_scope)
                scope_spans = group.scope_spans.add()
                scope = members[0].scope
                _set(scope_spans.scope, name=scope.name, version=scope.version)
                _set(scope_spans.scope, dropped_attributes_count=scope.dropped_attributes)
                _fill(scope_spans.scope.attributes, scope.attributes)
                for span in members:
                    _write_span(scope_spans.spans.add(), span)
        yield data.SerializeToString()


def _write_span(message: Any, span: Span) -> None:
    _set(
        message,
        trace_id=bytes.fromhex(span.trace_id),
        span_id=bytes.fromhex(span.span_id),
        parent_span_id=bytes.fromhex(span.parent_id),
        trace_state=span.trace_state,
        flags=span.flags,
        name=span.name,
        kind=span.kind.value,
        start_time_unix_nano=span.start_ns,
        end_time_unix_nano=span.end_ns,
        dropped_attributes_count=span.dropped_attributes,
        dropped_events_count=span.dropped_events,
        dropped_links_count=span.dropped_links,
    )
    _set(message.status, code=span.status.value, message=span.status_message)
    _fill(message.attributes, span.attributes)
    for event in span.events:
        each = message.events.add(time_unix_nano=event.time_ns, name=event.name)
        each.dropped_attributes_count = event.dropped_attributes
        _fill(each.attributes, event.attributes)
    for link in span.links:
        each = message.links.add(trace_id=bytes.fromhex(link.trace_id), span_id=bytes.fromhex(link.span_id))
        _set(each, trace_state=link.trace_state, flags=link.flags, dropped_attributes_count=link.dropped_attributes)
        _fill(each.attributes, link.attributes)


def _set(message: Any, /, **fields: Any) -> None:
    """All fields that differ from their default."""
    for name, value in fields.items():
        if value:
            setattr(message, name, value)


def _fill(pairs: Any, attributes: Attributes) -> None:
    for key, value in attributes:
        _write_value(pairs.add(key=key).value, value)


def _write_value(message: Any, value: Value) -> None:
    if value is None:
        return
    for kind, name in _SCALARS.items():
        if type(value) is kind:
            setattr(message, name, value)
            return
    if isinstance(value, KeyValues):
        message.kvlist_value.SetInParent()
        _fill(message.kvlist_value.values, value.pairs)
        return
    message.array_value.SetInParent()
    for each in value:
        _write_value(message.array_value.values.add(), each)


_SCALARS: Final[Mapping[type, str]] = {
    str: "string_value",
    bool: "bool_value",
    int: "int_value",
    float: "double_value",
    bytes: "bytes_value",
}
