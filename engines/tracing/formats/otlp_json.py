"""OTLP JSON: ``resourceSpans`` hold ``scopeSpans`` hold ``spans``, in one object or in one object a line.

Before 2022 a scope was called ``instrumentationLibrary``, and its spans ``instrumentationLibrarySpans``; both are read,
and Tempo's ``batches`` are ``resourceSpans``.

The order of keys in JSON is free. Where a resource or a scope stands behind its spans, those are held until it is
read; everything written by an exporter has it in front, and then each span is handed on at once.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby, islice
from typing import Any, Final, TypeAlias, TypeVar

from engines.tracing.formats.notices import UNOWNED, Notices, misnamed
from engines.tracing.formats.scan import CUT, BadInput, Json
from engines.tracing.formats.values import (
    Bad,
    Shared,
    integer_of,
    list_of,
    span_id_of,
    text_of,
    trace_id_of,
    written,
)
from engines.tracing.spans import NO_SCOPE, Attributes, Kind, Link, Scope, Span, SpanEvent, Status, made_of

E = TypeVar("E")
P = TypeVar("P")
Resource: TypeAlias = tuple[str, Attributes]
"""The service's name, and all other attributes."""

UINT32: Final = 1 << 32
NO_RESOURCE: Final[Resource] = ("", ())
SERVICE: Final = "service.name"
SCOPE_SPANS: Final = {"scopeSpans": "scope", "instrumentationLibrarySpans": "instrumentationLibrary"}
"""The keys of a scope's spans, and how the scope is called among them."""
UNREAD: Final = ("scope_spans", "instrumentation_library_spans")
"""Spans with the names that protobuf has and JSON does not."""
_DROPPED: Final = ("droppedAttributesCount", "droppedEventsCount", "droppedLinksCount")
_UNSET: Final = (Status.UNSET, "")
BATCH: Final = 256
"""Spans in one line of the form by lines."""

_KINDS: Final[dict[int | str, Kind]] = dict(enumerate(Kind)) | {f"SPAN_KIND_{kind.name}": kind for kind in Kind}
_STATUSES: Final[dict[int | str, Status]] = dict(enumerate(Status)) | {f"STATUS_CODE_{s.name}": s for s in Status}


class OtlpReader:
    """Reads the value of one ``resourceSpans`` key after the other."""

    def __init__(self, notices: Notices, skip_bad: bool) -> None:
        self.notices = notices
        self.skip_bad = skip_bad
        self.shared = Shared()
        self._trace: tuple[Any, str] = (None, "")
        """The id of the last trace, as it was written and as it reads."""

    def resource_spans(self, doc: Json) -> Iterator[Span]:
        """All spans of the list that begins here."""
        for _ in doc.items():
            value = doc.value_in_window()
            if value is not CUT:
                yield from self._decoded(doc, value)
                continue
            resource: Resource | None = None
            held: list[Span] = []
            try:
                for key in doc.members():
                    if key == "resource":
                        resource = self._part(doc, self.resource, doc.value())
                    elif key in SCOPE_SPANS:
                        for _ in doc.items():
                            for span in self._scope_spans(doc, resource or NO_RESOURCE, SCOPE_SPANS[key]):
                                if resource is None:
                                    held.append(span)
                                else:
                                    yield span
                    else:
                        self._unread(doc, key)
                        doc.skip()
            except BadInput:
                yield from self._unowned(doc, held, True)
                raise
            service, attributes = resource or NO_RESOURCE
            for span in held:
                yield span._replace(service=service, resource=attributes)

    def _unowned(self, doc: Json, held: list[Span], counted: bool) -> Iterator[Span]:
        """Spans that waited for a resource or scope which cannot be read: sound themselves, so not skipped."""
        if self.skip_bad:
            for span in held:
                if counted:
                    self.notices.note(UNOWNED, doc.place)
                yield span

    def _unread(self, doc: Json, key: str) -> None:
        if key in UNREAD:
            self.notices.note(misnamed(key), doc.place)

    def _scope_spans(self, doc: Json, resource: Resource, scope_key: str) -> Iterator[Span]:
        scope: Scope | None = None
        held: list[Span] = []
        try:
            for key in doc.members():
                if key == scope_key:
                    scope = self._part(doc, self.scope, doc.value())
                elif key == "spans":
                    for _ in doc.items():
                        span = self._span(doc, doc.value(), resource, scope or NO_SCOPE)
                        if span is not None and scope is None:
                            held.append(span)
                        elif span is not None:
                            yield span
                else:
                    doc.skip()
        except BadInput:
            yield from self._unowned(doc, held, resource is not NO_RESOURCE)
            raise
        for span in held:
            yield span if scope is None else span._replace(scope=scope)

    def _decoded(self, doc: Json, value: Any) -> Iterator[Span]:
        """The same, of an element of ``resourceSpans`` that is decoded already."""
        value = _member(doc, value, "")
        resource = self._part(doc, self.resource, value.get("resource"), "resource")
        path = doc.path
        for key in value:
            if key not in SCOPE_SPANS:
                self._unread(doc, key)
                continue
            scope_key = SCOPE_SPANS[key]
            for at_scope, scope_spans in enumerate(_elements(doc, value, key)):
                path += (key, at_scope)
                scope = self._part(doc, self.scope, _member(doc, scope_spans, "").get(scope_key), scope_key)
                path += ("spans", 0)
                for at, each in enumerate(_elements(doc, scope_spans, "spans")):
                    path[-1] = at
                    if (span := self._span(doc, each, resource, scope)) is not None:
                        yield span
                del path[-4:]

    def _part(self, doc: Json, convert: Callable[[Any], P], value: Any, at: str = "") -> P:
        try:
            return convert({} if value is None else value)
        except Bad as bad:
            raise doc.bad_value(str(bad), f"{at}.{bad.field}".strip(".")) from None

    def _span(self, doc: Json, value: Any, resource: Resource, scope: Scope) -> Span | None:
        try:
            span = self.span(value, resource, scope)
        except Bad as bad:
            error: BadInput = doc.bad_value(str(bad), bad.field)
            if not self.skip_bad:
                raise error from None
            self.notices.skip(str(error))
            return None
        self.notices.look(span, 1, doc.place)
        return span

    # -- parts -------------------------------------------------------------------------------------------------

    def resource(self, value: Any) -> Resource:
        """The service's name, and all other attributes."""
        attributes = self.shared.attributes(_object(value, "").get("attributes"))
        for at, (key, name) in enumerate(attributes):
            if key == SERVICE and isinstance(name, str):
                return name, self.shared.whole(attributes[:at] + attributes[at + 1 :])
        return "", self.shared.whole(attributes)

    def scope(self, value: Any) -> Scope:
        """Who instrumented."""
        value = _object(value, "")
        return Scope(
            text_of(value.get("name"), "name"),
            text_of(value.get("version"), "version"),
            self.shared.attributes(value.get("attributes")),
            integer_of(value.get("droppedAttributesCount"), "droppedAttributesCount", UINT32),
        )

    def span(self, value: Any, resource: Resource, scope: Scope) -> Span:
        """One span. Bad names the field that cannot be read."""
        if type(value) is not dict:
            raise Bad("", "an object is needed here")
        get = value.get
        trace = get("traceId")
        if trace != self._trace[0]:  # the spans of a trace mostly stand together
            self._trace = trace, trace_id_of(trace, "traceId")
        parent, state, flags, status = get("parentSpanId"), get("traceState"), get("flags"), get("status")
        events, links = get("events"), get("links")
        lost, lost_events, lost_links = map(get, _DROPPED)
        return made_of((
            self._trace[1],
            span_id_of(get("spanId"), "spanId"),
            span_id_of(parent, "parentSpanId") if parent else "",
            self.shared.one(text_of(get("name"), "name")),
            resource[0],
            _enum(_KINDS, get("kind"), "kind"),
            integer_of(get("startTimeUnixNano"), "startTimeUnixNano"),
            integer_of(get("endTimeUnixNano"), "endTimeUnixNano"),
            *(_status(status) if status else _UNSET),
            self.shared.attributes(get("attributes")),
            resource[1],
            self._events(events) if events is not None else (),
            self._links(links) if links is not None else (),
            text_of(state, "traceState") if state is not None else "",
            scope,
            integer_of(flags, "flags", UINT32) if flags is not None else 0,
            integer_of(lost, "droppedAttributesCount", UINT32) if lost is not None else 0,
            integer_of(lost_events, "droppedEventsCount", UINT32) if lost_events is not None else 0,
            integer_of(lost_links, "droppedLinksCount", UINT32) if lost_links is not None else 0,
        ))  # fmt: skip

    def _events(self, value: Any) -> tuple[SpanEvent, ...]:
        return tuple([self.event(each, f"events[{at}]") for at, each in enumerate(list_of(value, "events"))])

    def _links(self, value: Any) -> tuple[Link, ...]:
        return tuple([self.link(each, f"links[{at}]") for at, each in enumerate(list_of(value, "links"))])

    def event(self, value: Any, at: str) -> SpanEvent:
        """One event of a span; ``at`` is what messages call it."""
        get = _object(value, at).get
        return SpanEvent(
            integer_of(get("timeUnixNano"), f"{at}.timeUnixNano"),
            self.shared.one(text_of(get("name"), f"{at}.name")),
            self.shared.attributes(get("attributes"), f"{at}.attributes"),
            integer_of(get("droppedAttributesCount"), f"{at}.droppedAttributesCount", UINT32),
        )

    def link(self, value: Any, at: str) -> Link:
        """One link of a span."""
        get = _object(value, at).get
        return Link(
            trace_id_of(get("traceId"), f"{at}.traceId"),
            span_id_of(get("spanId"), f"{at}.spanId"),
            text_of(get("traceState"), f"{at}.traceState"),
            self.shared.attributes(get("attributes"), f"{at}.attributes"),
            integer_of(get("droppedAttributesCount"), f"{at}.droppedAttributesCount", UINT32),
            integer_of(get("flags"), f"{at}.flags", UINT32),
        )


def _member(doc: Json, value: Any, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise doc.bad_value("an object is needed here", field)
    return value


def _elements(doc: Json, value: dict[str, Any], key: str) -> list[Any]:
    found = value.get(key)
    if found is not None and not isinstance(found, list):
        raise doc.bad_value("a list is needed here", key)
    return found or []


def _object(value: Any, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Bad(field, "an object is needed here")
    return value


def _status(value: Any) -> tuple[Status, str]:
    status = _object(value, "status")
    return _enum(_STATUSES, status.get("code"), "status.code"), text_of(status.get("message"), "status.message")


def _enum(known: Mapping[int | str, E], value: Any, field: str) -> E:
    """By number, or by the name that protobuf's own mapping writes; a number of a later version is 0."""
    if value is None:
        return known[0]
    if isinstance(value, int) and not isinstance(value, bool):
        return known.get(value, known[0])
    if isinstance(value, str) and value in known:
        return known[value]
    raise Bad(
        field, f"{str(value)[:40]!r} is none of the numbers 0 to {sum(isinstance(each, int) for each in known) - 1}"
    )


# -- out -------------------------------------------------------------------------------------------------------


def write_object(spans: Iterable[Span]) -> Iterator[bytes]:
    """One object, a part at a time."""
    head = b'{"resourceSpans":['
    for batch in batches(spans):
        for group in grouped(batch):
            yield head + _dumps(group)
            head = b","
    yield (head if head != b"," else b"") + b"]}\n"


def write_lines(spans: Iterable[Span]) -> Iterator[bytes]:
    """One object a line."""
    for batch in batches(spans):
        yield _dumps({"resourceSpans": grouped(batch)}) + b"\n"


def batches(spans: Iterable[Span]) -> Iterator[list[Span]]:
    """So that no output is held whole."""
    every = iter(spans)
    while batch := list(islice(every, BATCH)):
        yield batch


def grouped(spans: Iterable[Span]) -> list[dict[str, Any]]:
    """Neighbours of one resource and scope share them; the order of spans stays."""
    found = []
    for _, same in groupby(spans, key=lambda span: repr((span.service, span.resource))):
        of_resource = list(same)
        first = of_resource[0]
        scopes = []
        for _, of_scope in groupby(of_resource, key=lambda span: repr(span.scope)):
            members = list(of_scope)
            scopes.append({"scope": written_scope(members[0].scope), "spans": [written_span(each) for each in members]})
        name = ((SERVICE, first.service),) if first.service else ()
        found.append({"resource": {"attributes": written((*name, *first.resource))}, "scopeSpans": scopes})
    return found


def written_scope(scope: Scope) -> dict[str, Any]:
    """A scope as OTLP JSON."""
    return _filled(
        name=scope.name,
        version=scope.version,
        attributes=written(scope.attributes),
        droppedAttributesCount=scope.dropped_attributes,
    )


def written_span(span: Span) -> dict[str, Any]:
    """A span as OTLP JSON, without its resource and scope."""
    return {"traceId": span.trace_id, "spanId": span.span_id} | _filled(
        traceState=span.trace_state,
        parentSpanId=span.parent_id,
        flags=span.flags,
        name=span.name,
        kind=span.kind.value,
        startTimeUnixNano=str(span.start_ns),
        endTimeUnixNano=str(span.end_ns),
        attributes=written(span.attributes),
        droppedAttributesCount=span.dropped_attributes,
        events=[written_event(each) for each in span.events],
        droppedEventsCount=span.dropped_events,
        links=[written_link(each) for each in span.links],
        droppedLinksCount=span.dropped_links,
        status=_filled(message=span.status_message, code=span.status.value),
    )


def written_event(event: SpanEvent) -> dict[str, Any]:
    """An event as OTLP JSON."""
    return _filled(
        timeUnixNano=str(event.time_ns),
        name=event.name,
        attributes=written(event.attributes),
        droppedAttributesCount=event.dropped_attributes,
    )


def written_link(link: Link) -> dict[str, Any]:
    """A link as OTLP JSON."""
    return {"traceId": link.trace_id, "spanId": link.span_id} | _filled(
        traceState=link.trace_state,
        attributes=written(link.attributes),
        droppedAttributesCount=link.dropped_attributes,
        flags=link.flags,
    )


def _filled(**fields: Any) -> dict[str, Any]:
    """Without what has its default."""
    return {key: value for key, value in fields.items() if value}


def _dumps(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
