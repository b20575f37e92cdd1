"""What Jaeger and Zipkin cannot say, in one tag of our own, so that an export loses nothing.

Both count microseconds, know no scope and no resource attributes of a link, and Zipkin's tags are all strings. A span
is written as well as the format allows, read back, and the fields that came out different are put into the tag
``dp-tui.rest`` as OTLP JSON. Other viewers show one tag more; we read the span as it was.
"""

import json
from typing import Any, Final

from engines.tracing.formats.otlp_json import OtlpReader, written_event, written_link, written_scope
from engines.tracing.formats.values import Bad, written
from engines.tracing.spans import Kind, Span, Status

REST: Final = "dp-tui.rest"

_PLAIN: Final = (
    *("parent_id", "name", "service", "start_ns", "end_ns", "status_message", "trace_state", "flags"),
    *("dropped_attributes", "dropped_events", "dropped_links"),
)


def rest_of(span: Span, said: Span) -> str:
    """The fields of ``span`` that ``said``, the same span read back, has lost; empty if there are none."""
    fields = {
        name: _written(name, mine)
        for name, mine, theirs in zip(Span._fields, span, said, strict=True)
        if mine != theirs or repr(mine) != repr(theirs)
    }
    return json.dumps(fields, separators=(",", ":")) if fields else ""


def _written(name: str, value: Any) -> Any:
    match name:
        case "attributes" | "resource":
            return written(value)
        case "events":
            return [written_event(each) for each in value]
        case "links":
            return [written_link(each) for each in value]
        case "scope":
            return written_scope(value)
        case "kind" | "status":
            return value.value
    return value


def restored(span: Span, text: str, otlp: OtlpReader) -> Span:
    """The span with the fields of the tag. Bad if the tag is not one that we wrote."""
    try:
        fields = json.loads(text)
        return span._replace(**{name: _read(name, value, otlp) for name, value in fields.items()})
    except (Bad, ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise Bad(REST, "this tag was not written by dp-tui, or was changed") from None


def _read(name: str, value: Any, otlp: OtlpReader) -> Any:
    match name:
        case "attributes" | "resource":
            return otlp.shared.attributes(value)
        case "events":
            return tuple(otlp.event(each, "events") for each in value)
        case "links":
            return tuple(otlp.link(each, "links") for each in value)
        case "scope":
            return otlp.scope(value)
        case "kind":
            return Kind(value)
        case "status":
            return Status(value)
    if name not in _PLAIN or type(value) is not type(Span._field_defaults.get(name, "")):
        raise TypeError(name)
    return value
