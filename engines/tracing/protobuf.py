"""OTLP protobuf: the bytes an exporter sends, written to a file. Needs the extra ``otlp``.

A TracesData message is nothing but its ResourceSpans, each with a tag and a length in front; so is an
ExportTraceServiceRequest, and so are several of either, one after the other. The frames are walked here, and one
ResourceSpans at a time is decoded by Google's library, so the file is never held whole. The collector's file exporter
puts four bytes of length before every message; that is read as well.

Most of the time would go into attributes: six messages within messages a span, nearly all of them equal to some before.
So spans are read by a description of our own in which whatever is small and repeats is only bytes (on the wire the two
are the same), and bytes that were met before are looked up instead of decoded.

This is the one module of the package that needs more than the standard library, and only once it is used.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
from importlib import import_module
from itertools import groupby
from typing import Any, BinaryIO, Final

from engines.errors import UserError
from engines.tracing.formats.notices import OLD_MESSAGES, Notices
from engines.tracing.formats.otlp_json import SERVICE, batches
from engines.tracing.formats.scan import BadInput
from engines.tracing.formats.values import DEPTH_MAX, Bad, Shared
from engines.tracing.spans import (
    NO_SCOPE,
    Attributes,
    KeyValues,
    Kind,
    Link,
    Scope,
    Span,
    SpanEvent,
    Status,
    Value,
    made_of,
)

EXTRA: Final = "OTLP protobuf needs two libraries more: pip install 'dp-tui[otlp]'"
RESOURCE_SPANS: Final = 0x0A
"""Field 1, length-delimited."""
OLD_FIELD: Final = 1_000
"""Where a ResourceSpans had its spans before 2022."""
VARINT_MAX: Final = 10
MESSAGE_MAX: Final = 1 << 30
KNOWN_MAX: Final = 50_000
"""Attributes kept as they came and as they read ..."""
KNOWN_LENGTH: Final = 256
"""... if they have at most so many bytes."""

_KINDS: Final = dict(enumerate(Kind))
_STATUSES: Final = dict(enumerate(Status))


def _library() -> tuple[Any, Any]:
    """The generated messages, and the error their parser raises. UserError that names the extra."""
    try:
        messages = import_module("opentelemetry.proto.trace.v1.trace_pb2")
        return messages, import_module("google.protobuf.message").DecodeError
    except ImportError:
        raise UserError(EXTRA) from None


_BYTES, _STRING, _FIXED64, _FIXED32, _INT32, _UINT32, _MESSAGE = 12, 9, 6, 7, 5, 13, 11
"""Types of fields, as descriptor.proto numbers them."""
_FLAT: Final = {
    "ResourceSpans": (("resource", 1, _BYTES, False), ("scope_spans", 2, "ScopeSpans", True)),
    "ScopeSpans": (("scope", 1, _BYTES, False), ("spans", 2, "Span", True)),
    "Span": (
        ("trace_id", 1, _BYTES, False), ("span_id", 2, _BYTES, False), ("trace_state", 3, _STRING, False),
        ("parent_span_id", 4, _BYTES, False), ("name", 5, _STRING, False), ("kind", 6, _INT32, False),
        ("start_time_unix_nano", 7, _FIXED64, False), ("end_time_unix_nano", 8, _FIXED64, False),
        ("attributes", 9, _BYTES, True), ("dropped_attributes_count", 10, _UINT32, False),
        ("events", 11, _BYTES, True), ("dropped_events_count", 12, _UINT32, False), ("links", 13, _BYTES, True),
        ("dropped_links_count", 14, _UINT32, False), ("status", 15, _BYTES, False), ("flags", 16, _FIXED32, False),
    ),
    "Event": (
        ("time_unix_nano", 1, _FIXED64, False), ("name", 2, _STRING, False), ("attributes", 3, _BYTES, True),
        ("dropped_attributes_count", 4, _UINT32, False),
    ),
}  # fmt: skip
"""The messages of opentelemetry/proto/trace/v1/trace.proto, with what they hold beside spans as bytes: a name, a
number, a type, whether it repeats."""


@cache
def _flat(name: str) -> Any:
    """A message as ``_FLAT`` describes it."""
    return import_module("google.protobuf.message_factory").GetMessageClass(
        _flat_pool().FindMessageTypeByName(f"dp_tui.flat.{name}")
    )


@cache
def _flat_pool() -> Any:
    descriptors = import_module("google.protobuf.descriptor_pb2")
    file = descriptors.FileDescriptorProto(name="dp_tui/flat_trace.proto", package="dp_tui.flat", syntax="proto3")
    for name, fields in _FLAT.items():
        message = file.message_type.add(name=name)
        for field, number, kind, repeated in fields:
            made = message.field.add(name=field, number=number, label=3 if repeated else 1)
            if isinstance(kind, str):
                made.type, made.type_name = _MESSAGE, f".dp_tui.flat.{kind}"
            else:
                made.type = kind
    pool = import_module("google.protobuf.descriptor_pool").DescriptorPool()
    pool.Add(file)
    return pool


def read(stream: BinaryIO, name: str, *, skip_bad: bool, notices: Notices) -> Iterator[Span]:
    """The spans of a file. UserError with the byte for what cannot be read."""
    messages, decode_error = _library()
    flat = _flat("ResourceSpans")
    unknown = import_module("google.protobuf.unknown_fields").UnknownFieldSet
    reader = _Reader(name, notices, skip_bad, messages, decode_error)
    for number, (begin, frame) in enumerate(_frames(stream, name, notices, skip_bad)):
        try:
            group = flat.FromString(frame)
            service, resource = reader.resource(group.resource)
        except decode_error:
            bad = BadInput(f"{name}: byte {begin}, at resource_spans[{number}]: no ResourceSpans of OTLP protobuf")
            if not skip_bad:
                raise bad from None
            notices.skip(str(bad))
            continue
        if not group.scope_spans and OLD_FIELD in (each.field_number for each in unknown(group)):
            notices.note(OLD_MESSAGES, partial("byte {}".format, begin))
        yield from reader.resource_spans(group, service, resource, begin, number)


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

    def __init__(self, name: str, notices: Notices, skip_bad: bool, messages: Any, decode_error: Any) -> None:
        common = import_module("opentelemetry.proto.common.v1.common_pb2")
        self.name = name
        self.notices = notices
        self.skip_bad = skip_bad
        self.shared = Shared()
        self._at, self._nth = (0, 0, 0), 0
        self._trace: tuple[bytes | None, str] = (None, "")
        self._error = decode_error
        self._key_value = common.KeyValue.FromString
        self._scope_of = common.InstrumentationScope.FromString
        self._resource_of = import_module("opentelemetry.proto.resource.v1.resource_pb2").Resource.FromString
        self._event_of = _flat("Event").FromString
        self._link_of = messages.Span.Link.FromString
        self._status_of = messages.Status.FromString
        self._pairs: dict[bytes, tuple[str, Value]] = {}
        self._names: dict[str, str] = {}
        self._statuses: dict[bytes, tuple[Status, str]] = {b"": (Status.UNSET, "")}

    def resource_spans(self, group: Any, service: str, resource: Attributes, byte: int, number: int) -> Iterator[Span]:
        """All spans of one ResourceSpans message, which begins at ``byte`` and is the ``number``-th."""
        for at_scope, scope_spans in enumerate(group.scope_spans):
            self._at, self._nth = (byte, number, at_scope), 0
            spans = scope_spans.spans
            try:
                scope = self._scope(scope_spans.scope)
            except self._error:
                self._refuse("scope", "no instrumentation scope of OTLP protobuf")
                continue
            look, place, one = self.notices.look, self.place, self._span
            for self._nth, message in enumerate(spans):
                try:
                    span = one(message, service, resource, scope)
                except Bad as bad:
                    self._refuse(bad.field, str(bad))
                    continue
                except self._error:
                    self._refuse("attributes", "an attribute, event, link or status that is no OTLP protobuf")
                    continue
                look(span, 1, place)
                yield span

    def _refuse(self, field: str, why: str) -> None:
        error = BadInput(f"{self.name}: {self.place()}.{field}: {why}")
        if not self.skip_bad:
            raise error from None
        self.notices.skip(str(error))

    def place(self) -> str:
        """Of the last span."""
        byte, number, at_scope = self._at
        return f"in the message at byte {byte}, at resource_spans[{number}].scope_spans[{at_scope}].spans[{self._nth}]"

    def resource(self, raw: bytes) -> tuple[str, Attributes]:
        """The service of a Resource message, and its other attributes."""
        attributes = self._attributes_of(self._resource_of(raw).attributes)
        for at, (key, value) in enumerate(attributes):
            if key == SERVICE and isinstance(value, str):
                return value, self.shared.whole(attributes[:at] + attributes[at + 1 :])
        return "", self.shared.whole(attributes)

    def _scope(self, raw: bytes) -> Scope:
        message = self._scope_of(raw)
        attributes = self._attributes_of(message.attributes)
        scope = Scope(message.name, message.version, attributes, message.dropped_attributes_count)
        return NO_SCOPE if scope == NO_SCOPE else scope

    def _span(self, message: Any, service: str, resource: Attributes, scope: Scope) -> Span:
        parent, name, raw = message.parent_span_id, message.name, message.status
        events, links = message.events, message.links
        known = self._pairs
        try:  # nearly always all of it was met before
            (status, said), operation, kind = self._statuses[raw], self._names[name], _KINDS[message.kind]
            attributes = tuple(map(known.__getitem__, message.attributes))
        except KeyError:
            status, said = self._statuses.get(raw) or self._status(raw)
            operation = self._names.get(name) or self._name(name)
            kind = _KINDS.get(message.kind, Kind.UNSPECIFIED)
            attributes = tuple([known.get(pair) or self._pair(pair) for pair in message.attributes])
        if (trace := message.trace_id) != self._trace[0]:  # the spans of a trace mostly stand together
            self._trace = trace, trace.hex() if len(trace) == 16 else _id(trace, 16, "trace_id")
        if len(own := message.span_id) != 8:
            _id(own, 8, "span_id")
        return made_of((
            self._trace[1],
            own.hex(),
            parent.hex() if len(parent) == 8 else _id(parent, 8, "parent_span_id") if parent else "",
            operation,
            service,
            kind,
            message.start_time_unix_nano,
            message.end_time_unix_nano,
            status,
            said,
            attributes,
            resource,
            tuple([self._event(each) for each in events]) if events else (),
            tuple([self._link(each, f"links[{at}]") for at, each in enumerate(links)]) if links else (),
            message.trace_state,
            scope,
            message.flags,
            message.dropped_attributes_count,
            message.dropped_events_count,
            message.dropped_links_count,
        ))  # fmt: skip

    def _name(self, name: str) -> str:
        """An operation that was not met before."""
        if len(self._names) < KNOWN_MAX:
            self._names[name] = name
        return name

    def _status(self, raw: bytes) -> tuple[Status, str]:
        message = self._status_of(raw)
        found = _STATUSES.get(message.code, Status.UNSET), self.shared.one(message.message)
        if len(self._statuses) < KNOWN_MAX:
            self._statuses[raw] = found
        return found

    def _pair(self, raw: bytes) -> tuple[str, Value]:
        """An attribute that was not met before."""
        message = self._key_value(raw)
        found = self.shared.one(message.key), _value(message.value)
        if len(self._pairs) < KNOWN_MAX and len(raw) <= KNOWN_LENGTH:
            self._pairs[raw] = found
        return found

    def _event(self, raw: bytes) -> SpanEvent:
        message, known = self._event_of(raw), self._pairs
        name = message.name
        return SpanEvent(
            message.time_unix_nano,
            self._names.get(name) or self._name(name),
            tuple([known.get(pair) or self._pair(pair) for pair in message.attributes]),
            message.dropped_attributes_count,
        )

    def _link(self, raw: bytes, at: str) -> Link:
        message = self._link_of(raw)
        return Link(
            _id(message.trace_id, 16, f"{at}.trace_id"),
            _id(message.span_id, 8, f"{at}.span_id"),
            message.trace_state,
            self._attributes_of(message.attributes),
            message.dropped_attributes_count,
            message.flags,
        )

    def _attributes_of(self, pairs: Any) -> Attributes:
        """Of a message that is decoded whole."""
        return tuple((self.shared.one(pair.key), _value(pair.value)) for pair in pairs)


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
