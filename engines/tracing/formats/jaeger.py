"""Jaeger's JSON, as its query service and its UI write it: ``data`` holds traces hold ``spans`` and ``processes``.

Times are microseconds. The kind, the status and the events of OpenTelemetry have no fields of their own; they are
tags and logs with agreed names (https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/jaeger/). The
processes usually stand behind the spans, so the spans of a trace are held, small, until their services are known.
A span that only *follows from* another has it as its parent, as Jaeger shows it, and a tag that says so, because a
parent does not wait for such a child.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, Final, NamedTuple

from engines.tracing.formats.notices import UNKNOWN_PROCESS, Notices
from engines.tracing.formats.otlp_json import UINT32, OtlpReader
from engines.tracing.formats.rest import REST, rest_of, restored
from engines.tracing.formats.scan import CUT, BadInput, Json
from engines.tracing.formats.values import (
    Bad,
    Shared,
    bytes_of,
    ended_ns,
    integer_of,
    list_of,
    padded_span_id_of,
    padded_trace_id_of,
    text_of,
)
from engines.tracing.spans import (
    NO_SCOPE,
    NS_PER_US,
    Attributes,
    Kind,
    Link,
    Scope,
    Span,
    SpanEvent,
    Status,
    Value,
)

REF_TYPE: Final = "opentracing.ref_type"
FOLLOWS: Final = "follows_from"
_TAGGED: Final = (
    *("span.kind", "error", "otel.status_code", "otel.status_description", "otel.scope.name", "otel.scope.version"),
    *("otel.library.name", "otel.library.version", "w3c.tracestate", REST),
)
"""Tags that are fields of a span here."""
_KINDS: Final = {kind.name.lower(): kind for kind in Kind if kind}
_STATUSES: Final = {status.name: status for status in Status}


class _Found(NamedTuple):
    """A span whose process may not be known yet."""

    span: Span
    process: str
    """Which; empty if it was inside the span."""
    rest: str
    """Our own tag."""


class JaegerReader:
    """Reads one trace after the other."""

    def __init__(self, notices: Notices, skip_bad: bool) -> None:
        self.notices = notices
        self.skip_bad = skip_bad
        self.otlp = OtlpReader(notices, skip_bad)
        self.shared: Shared = self.otlp.shared

    def traces(self, doc: Json) -> Iterator[Span]:
        """All spans of the list of traces that begins here."""
        for _ in doc.items():
            value = doc.value_in_window()
            if value is CUT:
                yield from self.trace(doc, doc.members(), {})
            else:
                yield from self._decoded(doc, value)

    def _decoded(self, doc: Json, value: Any) -> Iterator[Span]:
        """One trace that is decoded already."""
        if not isinstance(value, dict) or not isinstance(value.get("spans") or [], list):
            raise doc.bad_value('a trace is {"traceID": ..., "spans": [...], "processes": {...}}')
        processes, trace_id = self._processes(doc, value.get("processes")), value.get("traceID")
        doc.path += ("spans", 0)
        for at, each in enumerate(value.get("spans") or []):
            doc.path[-1] = at
            if (found := self._span(doc, each, trace_id)) is not None:
                yield self._whole(doc, found, processes)
        del doc.path[-2:]

    def trace(self, doc: Json, members: Iterator[str], seen: dict[str, Any]) -> Iterator[Span]:
        """The spans of one trace. ``seen`` are the members that were already taken."""
        processes = self._processes(doc, seen.get("processes"))
        trace_id = seen.get("traceID")
        held: list[_Found] = []
        failure: BadInput | None = None
        try:
            for key in members:
                if key == "processes":
                    processes = self._processes(doc, doc.value())
                elif key == "traceID":
                    trace_id = doc.value()
                elif key == "spans":
                    for _ in doc.items():
                        if (found := self._span(doc, doc.value(), trace_id)) is not None:
                            held.append(found)
                else:
                    doc.skip()
        except BadInput as error:
            if not self.skip_bad:
                raise
            failure = error  # what was read ahead of it is kept, if need be without its service
        for each in held:
            yield self._whole(doc, each, processes)
        if failure is not None:
            raise failure

    def _whole(self, doc: Json, found: "_Found", processes: dict[str, tuple[str, Attributes]]) -> Span:
        """With its process, and with what our own tag says; that may speak of the process, so it comes last."""
        span, process, rest = found
        if process:
            if process not in processes:
                self.notices.note(UNKNOWN_PROCESS, partial(repr, process))
            service, resource = processes.get(process, ("", ()))
            span = span._replace(service=service, resource=resource)
        try:
            return restored(span, rest, self.otlp) if rest else span
        except Bad as bad:
            raise doc.bad(str(bad)) from None

    def _processes(self, doc: Json, value: Any) -> dict[str, tuple[str, Attributes]]:
        try:
            return {name: self.process(each) for name, each in (value or {}).items()}
        except (AttributeError, TypeError):
            raise doc.bad_value('processes are {"p1": {"serviceName": ..., "tags": [...]}, ...}') from None
        except Bad as bad:
            raise doc.bad_value(str(bad), bad.field) from None

    def _span(self, doc: Json, value: Any, trace_id: Any) -> "_Found | None":
        try:
            found = self.span(value, trace_id)
        except Bad as bad:
            error = doc.bad_value(str(bad), bad.field)
            if not self.skip_bad:
                raise error from None
            self.notices.skip(str(error))
            return None
        self.notices.look(found.span, NS_PER_US, doc.place)
        return found

    # -- parts -------------------------------------------------------------------------------------------------

    def process(self, value: Any) -> tuple[str, Attributes]:
        """A service and what is known of its host."""
        tags = self.tags(value.get("tags"), "tags")
        return self.shared.one(text_of(value.get("serviceName"), "serviceName")), self.shared.whole(tags)

    def span(self, value: Any, of_trace: Any = None) -> "_Found":
        """One span; the id of its trace may stand on the trace alone. Bad names the field that cannot be read."""
        if not isinstance(value, dict):
            raise Bad("", "a span is an object")
        get = value.get
        trace_id = padded_trace_id_of(get("traceID") or of_trace, "traceID")
        parent, links, follows = self._references(get("references"), trace_id)
        if not parent and get("parentSpanID"):
            parent = padded_span_id_of(get("parentSpanID"), "parentSpanID")
        tags = self.tags(get("tags"), "tags")
        known = {key: tag for key, tag in tags if key in _TAGGED}
        plain = tuple(pair for pair in tags if pair[0] not in _TAGGED) if known else tags
        if follows:
            plain = (*plain, (REF_TYPE, FOLLOWS)) if (REF_TYPE, FOLLOWS) not in plain else plain
        start_ns = integer_of(get("startTime"), "startTime") * NS_PER_US
        service, resource = self.process(get("process")) if isinstance(get("process"), dict) else ("", ())
        span = Span(
            trace_id,
            padded_span_id_of(get("spanID"), "spanID"),
            parent,
            self.shared.one(text_of(get("operationName"), "operationName")),
            service,
            _KINDS.get(str(known.get("span.kind", "")).lower(), Kind.UNSPECIFIED),
            start_ns,
            ended_ns(start_ns, integer_of(get("duration"), "duration") * NS_PER_US),
            _status(known),
            str(known.get("otel.status_description", "")),
            plain,
            resource,
            tuple(self._log(each, f"logs[{at}]") for at, each in enumerate(list_of(get("logs"), "logs"))),
            links,
            str(known.get("w3c.tracestate", "")),
            _scope(known),
            integer_of(get("flags"), "flags", UINT32),
        )
        return _Found(span, text_of(get("processID"), "processID"), str(known.get(REST, "")))

    def _references(self, value: Any, trace_id: str) -> tuple[str, tuple[Link, ...], bool]:
        """The parent, the links, and whether the parent does not wait for this span."""
        found: list[tuple[str, Link]] = []
        for at, each in enumerate(list_of(value, "references")):
            if not isinstance(each, dict):
                raise Bad(f"references[{at}]", "a reference is an object")
            link = Link(
                padded_trace_id_of(each.get("traceID") or trace_id, f"references[{at}].traceID"),
                padded_span_id_of(each.get("spanID"), f"references[{at}].spanID"),
            )
            found.append((str(each.get("refType")), link))
        for wanted in ("CHILD_OF", "FOLLOWS_FROM"):
            for at, (kind, link) in enumerate(found):
                if kind == wanted and link.trace_id == trace_id:
                    others = tuple(link for _, link in (*found[:at], *found[at + 1 :]))
                    return link.span_id, others, wanted == "FOLLOWS_FROM"
        return "", tuple(link for _, link in found), False

    def _log(self, value: Any, at: str) -> SpanEvent:
        if not isinstance(value, dict):
            raise Bad(at, "a log is an object")
        fields = self.tags(value.get("fields"), f"{at}.fields")
        name = next((str(text) for key, text in fields if key == "event"), "log")
        time_ns = integer_of(value.get("timestamp"), f"{at}.timestamp") * NS_PER_US
        return SpanEvent(time_ns, self.shared.one(name), tuple(pair for pair in fields if pair[0] != "event"))

    def tags(self, items: Any, field: str) -> Attributes:
        """Tags with a type each."""
        if not items:
            return ()
        found: list[tuple[str, Value]] = []
        one = self.shared.one
        try:
            for item in items:
                key, value, kind = item["key"], item.get("value"), item.get("type")
                if type(key) is not str:
                    raise TypeError
                if type(value) is str and (kind == "string" or kind is None):
                    found.append(one((key, value)))
                else:
                    found.append((one(key), _typed(value, kind, field)))
        except (AttributeError, KeyError, TypeError):
            raise Bad(field, 'a list of {"key": ..., "type": "string", "value": ...} is accepted') from None
        return tuple(found)


def _typed(value: Any, kind: Any, field: str) -> Value:
    """A tag's value; where type and value disagree the value is kept as it stands."""
    try:
        match kind, value:
            case "int64", str():
                return int(value)
            case "float64", int() | str() if not isinstance(value, bool):
                return float(value)
            case "bool", "true" | "false":
                return bool(value == "true")
            case "binary", str():
                return bytes_of(value)
    except (ValueError, OverflowError):
        return str(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise Bad(field, f"a tag holds text, a number or a truth value, not {type(value).__name__}")


def _status(known: dict[str, Value]) -> Status:
    told = _STATUSES.get(str(known.get("otel.status_code", "")))
    if told is not None:
        return told
    return Status.ERROR if known.get("error") in (True, "true") else Status.UNSET


def _scope(known: dict[str, Value]) -> Scope:
    name = known.get("otel.scope.name", known.get("otel.library.name", ""))
    version = known.get("otel.scope.version", known.get("otel.library.version", ""))
    return Scope(str(name), str(version)) if name or version else NO_SCOPE


# -- out -------------------------------------------------------------------------------------------------------


def write(spans: Iterable[Span]) -> Iterator[bytes]:
    """One object; spans of one trace stand together, in the order of their traces' first spans."""
    traces: dict[str, list[Span]] = {}
    for span in spans:
        traces.setdefault(span.trace_id, []).append(span)
    reader = JaegerReader(Notices(), skip_bad=False)
    head = '{"data":['
    for trace_id, members in traces.items():
        names: dict[str, str] = {}
        processes = {}
        written = []
        for span in members:
            key = repr((span.service, span.resource))
            if key not in names:
                names[key] = f"p{len(names) + 1}"
                processes[names[key]] = {"serviceName": span.service, "tags": _tags(span.resource)}
            written.append(_written(span, names[key], processes[names[key]], reader))
        trace = {"traceID": trace_id, "spans": written, "processes": processes}
        yield (head + json.dumps(trace, separators=(",", ":"))).encode()
        head = ","
    yield f"{head if not traces else ''}]}}\n".encode()


def _written(span: Span, process: str, said: dict[str, Any], reader: JaegerReader) -> dict[str, Any]:
    """A span as Jaeger has it, with our own tag if something is missing."""
    references = [_reference("CHILD_OF", span.trace_id, span.parent_id)] if span.parent_id else []
    references += [_reference("FOLLOWS_FROM", link.trace_id, link.span_id) for link in span.links]
    extra: list[tuple[str, Value]] = []
    if span.kind:
        extra.append(("span.kind", span.kind.name.lower()))
    if span.status:
        extra.append(("otel.status_code", span.status.name))
    if span.is_error:
        extra.append(("error", True))
    extra += [("otel.status_description", span.status_message)] if span.status_message else []
    extra += [("otel.scope.name", span.scope.name)] if span.scope.name else []
    extra += [("otel.scope.version", span.scope.version)] if span.scope.version else []
    extra += [("w3c.tracestate", span.trace_state)] if span.trace_state else []
    written = _tags((*span.attributes, *extra))
    found: dict[str, Any] = {
        "traceID": span.trace_id,
        "spanID": span.span_id,
        "flags": span.flags,
        "operationName": span.name,
        "references": references,
        "startTime": span.start_us,
        "duration": max(0, span.end_ns - span.start_ns) // NS_PER_US,
        "tags": written,
        "logs": [
            {
                "timestamp": event.time_ns // NS_PER_US,
                "fields": _tags((("event", event.name), *event.attributes)),
            }
            for event in span.events
        ],
        "processID": process,
        "warnings": None,
    }
    service, resource = reader.process(said)
    if rest := rest_of(span, reader.span(found).span._replace(service=service, resource=resource)):
        written.append({"key": REST, "type": "string", "value": rest})
    return found


def _reference(kind: str, trace_id: str, span_id: str) -> dict[str, str]:
    return {"refType": kind, "traceID": trace_id, "spanID": span_id}


def _tags(attributes: Attributes) -> list[dict[str, Any]]:
    return [{"key": key, **_tag(value)} for key, value in attributes if key != REST]


def _tag(value: Value) -> dict[str, Any]:
    match value:
        case bool():
            return {"type": "bool", "value": value}
        case int():
            return {"type": "int64", "value": value}
        case float():
            return {"type": "float64", "value": value}
        case bytes():
            return {"type": "binary", "value": base64.b64encode(value).decode("ascii")}
    return {"type": "string", "value": str(value)}


__all__ = ["FOLLOWS", "REF_TYPE", "JaegerReader", "write"]
