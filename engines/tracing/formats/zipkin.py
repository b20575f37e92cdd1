"""Zipkin v2 JSON: a list of spans, or a list of traces that are lists of spans, or a span a line.

Ids are padded with zeros on the left, as Zipkin itself does. Times are microseconds and all tags are strings
(https://zipkin.io/zipkin-api/#/default/post_spans). A caller and its callee may share one span id (``shared``), and
what becomes known late of a span comes in a record of its own, perhaps without a time; all of them are handed on as
they are, and ``tree`` puts them together. What OpenTelemetry knows beyond that is tags with agreed names
(https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/).
"""

import contextlib
import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from engines.tracing.formats.notices import Notices
from engines.tracing.formats.otlp_json import OtlpReader
from engines.tracing.formats.rest import REST, rest_of, restored
from engines.tracing.formats.scan import Json
from engines.tracing.formats.values import (
    Bad,
    ended_ns,
    integer_of,
    list_of,
    padded_span_id_of,
    padded_trace_id_of,
    text_of,
)
from engines.tracing.spans import NO_SCOPE, NS_PER_US, Attributes, Kind, Scope, Span, SpanEvent, Status, Value

_SAID: Final = {"CLIENT": Kind.CLIENT, "SERVER": Kind.SERVER, "PRODUCER": Kind.PRODUCER, "CONSUMER": Kind.CONSUMER}
_STATUSES: Final = {status.name: status for status in Status}
_TAGGED: Final = (
    *("span.kind", "error", "otel.status_code", "otel.scope.name", "otel.scope.version", "otel.library.name"),
    *("otel.library.version", "w3c.tracestate", REST),
)
"""Tags that are fields of a span here."""


class ZipkinReader:
    """Reads one span after the other."""

    def __init__(self, notices: Notices, skip_bad: bool) -> None:
        self.notices = notices
        self.skip_bad = skip_bad
        self.otlp = OtlpReader(notices, skip_bad)

    def take(self, doc: Json, value: Any) -> Iterator[Span]:
        """The span of a value just read."""
        try:
            span = self.span(value)
        except Bad as bad:
            error = doc.bad_value(str(bad), bad.field)
            if not self.skip_bad:
                raise error from None
            self.notices.skip(str(error))
            return
        self.notices.look(span, NS_PER_US, doc.place)
        yield span

    def span(self, value: dict[str, Any]) -> Span:
        """One span. Bad names the field that cannot be read."""
        get = value.get
        one = self.otlp.shared.one
        tags = self._tags(get("tags"))
        known = {key: text for key, text in tags if key in _TAGGED}
        local = _endpoint(get("localEndpoint"), "localEndpoint")
        remote = _endpoint(get("remoteEndpoint"), "remoteEndpoint")
        plain = tuple(pair for pair in tags if pair[0] not in _TAGGED) if known else tags
        plain += _addresses(remote, "peer.service", "network.peer", plain)
        plain += _addresses(local, "", "network.local", plain)
        start_ns = integer_of(get("timestamp"), "timestamp") * NS_PER_US
        name, version = (
            known.get(f"otel.scope.{each}", known.get(f"otel.library.{each}", "")) for each in ("name", "version")
        )
        span = Span(
            padded_trace_id_of(get("traceId"), "traceId"),
            padded_span_id_of(get("id"), "id"),
            padded_span_id_of(get("parentId"), "parentId") if get("parentId") else "",
            one(text_of(get("name"), "name")),
            one(text_of(local.get("serviceName"), "localEndpoint.serviceName")),
            _kind(get("kind"), known.get("span.kind", "")),
            start_ns,
            ended_ns(start_ns, integer_of(get("duration"), "duration") * NS_PER_US),
            _status(known),
            known.get("error", "") if known.get("error") not in (None, "true", "false") else "",
            plain,
            events=tuple(
                self._annotation(each, at) for at, each in enumerate(list_of(get("annotations"), "annotations"))
            ),
            trace_state=known.get("w3c.tracestate", ""),
            scope=Scope(name, version) if name or version else NO_SCOPE,
        )
        return restored(span, known[REST], self.otlp) if REST in known else span

    def _tags(self, value: Any) -> tuple[tuple[str, str], ...]:
        one = self.otlp.shared.one
        if value is None:
            return ()
        if not isinstance(value, dict):
            raise Bad("tags", 'an object such as {"http.method": "GET"} is accepted')
        return tuple(one((key, text if type(text) is str else _text(text))) for key, text in value.items())

    def _annotation(self, value: Any, at: int) -> SpanEvent:
        if not isinstance(value, dict):
            raise Bad(f"annotations[{at}]", "an annotation is an object")
        if "endpoint" in value:
            raise Bad(f"annotations[{at}].endpoint", "this is Zipkin v1; v2 is accepted")
        time_ns = integer_of(value.get("timestamp"), f"annotations[{at}].timestamp") * NS_PER_US
        name, attributes = _event(text_of(value.get("value"), f"annotations[{at}].value"))
        return SpanEvent(time_ns, self.otlp.shared.one(name), attributes)


def _event(text: str) -> tuple[str, Attributes]:
    """An annotation is a text; OpenTelemetry puts an event with attributes there as ``{"name": {"key": ...}}``."""
    if text.startswith("{"):
        with contextlib.suppress(ValueError, RecursionError):
            match list(json.loads(text).items()):
                case [(str(name), dict(found))] if all(isinstance(each, str | int | float) for each in found.values()):
                    return name, tuple(found.items())
    return text, ()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _kind(value: Any, tag: str) -> Kind:
    if value is None:
        return Kind.INTERNAL if tag.lower() == "internal" else Kind.UNSPECIFIED
    if not isinstance(value, str) or value not in _SAID:
        raise Bad("kind", f"{str(value)[:40]!r} is none of {' '.join(_SAID)}")
    return _SAID[value]


def _status(known: dict[str, str]) -> Status:
    told = _STATUSES.get(known.get("otel.status_code", ""))
    if told is not None:
        return told
    return Status.ERROR if known.get("error", "false") != "false" else Status.UNSET


def _endpoint(value: Any, field: str) -> dict[str, Any]:
    if value is not None and not isinstance(value, dict):
        raise Bad(field, 'an object such as {"serviceName": "auth"} is accepted')
    return value or {}


def _addresses(endpoint: dict[str, Any], service: str, prefix: str, tags: Attributes) -> Attributes:
    """An endpoint as attributes, unless the tags already have them."""
    found: list[tuple[str, Value]] = []
    if service and endpoint.get("serviceName"):
        found.append((service, _text(endpoint["serviceName"])))
    if address := endpoint.get("ipv4") or endpoint.get("ipv6"):
        found.append((f"{prefix}.address", _text(address)))
    if port := endpoint.get("port"):
        found.append((f"{prefix}.port", port if type(port) is int else _text(port)))
    has = {key for key, _ in tags}
    return tuple(pair for pair in found if pair[0] not in has)


# -- out -------------------------------------------------------------------------------------------------------


def write(spans: Iterable[Span]) -> Iterator[bytes]:
    """One list of all spans, a span at a time."""
    reader = ZipkinReader(Notices(), skip_bad=False)
    head = "["
    for span in spans:
        yield (head + json.dumps(_written(span, reader), separators=(",", ":"))).encode()
        head = ","
    yield b"[]\n" if head == "[" else b"]\n"


def _written(span: Span, reader: ZipkinReader) -> dict[str, Any]:
    """A span as Zipkin has it, with our own tag if something is missing."""
    tags = {key: _tag(value) for key, value in span.attributes if key != REST}
    if span.kind is Kind.INTERNAL:
        tags["span.kind"] = "internal"
    if span.status:
        tags["otel.status_code"] = span.status.name
    if span.is_error:
        tags["error"] = span.status_message or "true"
    if span.scope.name:
        tags["otel.scope.name"] = span.scope.name
    if span.scope.version:
        tags["otel.scope.version"] = span.scope.version
    if span.trace_state:
        tags["w3c.tracestate"] = span.trace_state
    took = (span.end_ns - span.start_ns) // NS_PER_US
    found: dict[str, Any] = {
        "traceId": span.trace_id,
        "id": span.span_id,
        "name": span.name,
        "timestamp": span.start_us,
    }
    found |= {"parentId": span.parent_id} if span.parent_id else {}
    found |= {"kind": span.kind.name} if span.kind.name in _SAID else {}
    found |= {"duration": took} if took > 0 else {}
    found |= {"localEndpoint": {"serviceName": span.service}} if span.service else {}
    annotations = [{"timestamp": event.time_ns // NS_PER_US, "value": _annotation(event)} for event in span.events]
    found |= {"annotations": annotations} if annotations else {}
    found["tags"] = tags
    if rest := rest_of(span, reader.span(found)):
        tags[REST] = rest
    return found


def _annotation(event: SpanEvent) -> str:
    if not event.attributes or not all(isinstance(value, str | int | float) for _, value in event.attributes):
        return event.name
    return json.dumps({event.name: dict(event.attributes)})


def _tag(value: Value) -> str:
    """As text: truth values as JSON has them, numbers as digits."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
