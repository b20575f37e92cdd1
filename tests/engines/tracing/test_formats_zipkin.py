"""Zipkin v2 JSON."""

import io
import json
from typing import Any

import pytest

from engines.errors import UserError
from engines.tracing.formats import Format, Notices, read, write
from engines.tracing.spans import KeyValues, Kind, Scope, Span, SpanEvent, Status

TRACE, ROOT, CHILD = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "53995c3f42cd8ad8"
START = 1_700_000_000_000_000
GOOD: dict[str, Any] = {
    "traceId": TRACE,
    "id": ROOT,
    "name": "get",
    "timestamp": START,
    "duration": 9,
    "localEndpoint": {"serviceName": "auth"},
}


def spans_of(data: Any) -> list[Span]:
    return list(read(io.BytesIO(json.dumps(data).encode()), "spans"))


def one(**changes: Any) -> Span:
    (span,) = spans_of([GOOD | changes])
    return span


def test_a_span_has_a_service_a_kind_a_parent_and_microseconds() -> None:
    assert one(kind="CLIENT", parentId=CHILD) == Span(
        TRACE, ROOT, CHILD, "get", "auth", Kind.CLIENT, START * 1000, (START + 9) * 1000
    )


def test_spans_come_in_a_list_in_a_list_of_traces_or_one_a_line() -> None:
    span = one()
    assert spans_of([GOOD, GOOD]) == spans_of([[GOOD], [GOOD]]) == [span, span]
    lines = json.dumps(GOOD) + "\n" + json.dumps(GOOD) + "\n" + json.dumps([GOOD])
    assert list(read(io.BytesIO(lines.encode()), "spans")) == [span] * 3


def test_the_order_of_keys_is_free() -> None:
    assert spans_of([dict(reversed(GOOD.items()))]) == [one()]


def test_trace_ids_of_64_bits_are_padded_on_the_left() -> None:
    assert one(traceId=TRACE[16:]).trace_id == "0" * 16 + TRACE[16:]


def test_both_halves_of_a_shared_span_are_handed_on() -> None:
    found = spans_of([GOOD | {"kind": "CLIENT"}, GOOD | {"kind": "SERVER", "shared": True}])
    assert [(span.span_id, span.kind) for span in found] == [(ROOT, Kind.CLIENT), (ROOT, Kind.SERVER)]


def test_a_span_without_times_is_not_finished() -> None:
    span = dict(GOOD)
    del span["timestamp"], span["duration"]
    notices = Notices()
    (found,) = read(io.BytesIO(json.dumps([span]).encode()), "spans", notices=notices)
    assert (found.start_ns, found.end_ns) == (0, 0)
    assert notices.lines()[0].startswith("1 span that starts at 0")


def test_annotations_are_events_and_tags_are_attributes() -> None:
    span = one(annotations=[{"timestamp": START + 1, "value": "miss"}], tags={"http.method": "GET", "n": 5})
    assert span.events == (SpanEvent((START + 1) * 1000, "miss"),)
    assert span.attributes == (("http.method", "GET"), ("n", "5"))


def test_an_event_with_attributes_is_an_annotation_that_holds_json() -> None:
    def event(text: str) -> SpanEvent:
        return one(annotations=[{"timestamp": START, "value": text}]).events[0]

    assert event('{"miss": {"key": "k", "n": 5}}') == SpanEvent(START * 1000, "miss", (("key", "k"), ("n", 5)))
    for text in ('{"miss": 5}', '{"a": {}, "b": {}}', "{", '{"a": {"b": []}}', "{" * 5_000, '{"a":' * 100_000):
        assert event(text) == SpanEvent(START * 1000, text)
    span = one()._replace(events=(SpanEvent(START * 1000, "miss", (("key", "k"), ("n", 5))),))
    data = b"".join(write([span], Format.ZIPKIN))
    assert b"dp-tui" not in data
    assert list(read(io.BytesIO(data), "spans")) == [span]


@pytest.mark.parametrize(
    ("tags", "status", "message"),
    [
        ({"error": "no connection"}, Status.ERROR, "no connection"),
        ({"error": "true"}, Status.ERROR, ""),
        ({"error": "false"}, Status.UNSET, ""),
        ({"error": ""}, Status.ERROR, ""),
        ({"otel.status_code": "OK"}, Status.OK, ""),
        ({"otel.status_code": "ERROR", "error": "x"}, Status.ERROR, "x"),
    ],
)
def test_the_error_tag_is_a_status(tags: dict[str, str], status: Status, message: str) -> None:
    span = one(tags=tags)
    assert (span.status, span.status_message, span.attributes) == (status, message, ())


def test_tags_with_agreed_names_are_fields() -> None:
    span = one(tags={"span.kind": "internal", "otel.scope.name": "lib", "w3c.tracestate": "a=b"})
    assert (span.kind, span.scope, span.trace_state) == (Kind.INTERNAL, Scope("lib"), "a=b")
    older = one(tags={"otel.library.name": "lib", "otel.library.version": "1"})
    assert (older.scope, older.attributes) == (Scope("lib", "1"), ())


def test_endpoints_are_attributes() -> None:
    span = one(
        localEndpoint={"serviceName": "auth", "ipv4": "10.0.0.1"},
        remoteEndpoint={"serviceName": "db", "ipv6": "::1", "port": 5432},
    )
    assert span.attributes == (
        ("peer.service", "db"),
        ("network.peer.address", "::1"),
        ("network.peer.port", 5432),
        ("network.local.address", "10.0.0.1"),
    )


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"traceId": "x"}, "traceId: 'x' is no id"),
        ({"traceId": "abx"}, "traceId: 'abx' is no id"),
        ({"id": None}, "id: no id"),
        ({"parentId": "y"}, "parentId: 'y' is no id"),
        ({"kind": "INTERNAL"}, "kind: 'INTERNAL' is none of CLIENT"),
        ({"kind": 5}, "kind: '5' is none of CLIENT"),
        ({"timestamp": "x"}, "timestamp: 'x' is no whole number"),
        ({"duration": -5}, "duration: '-5' is no whole number"),
        ({"name": 5}, "name: '5' is no string"),
        ({"localEndpoint": 5}, "localEndpoint: an object"),
        ({"localEndpoint": {"serviceName": 5}}, "localEndpoint.serviceName: '5' is no string"),
        ({"remoteEndpoint": []}, "remoteEndpoint: an object"),
        ({"tags": [1]}, "tags: an object"),
        ({"annotations": [5]}, "annotations[0]: an annotation is an object"),
        ({"annotations": [{"timestamp": "x"}]}, "annotations[0].timestamp: "),
        (
            {"annotations": [{"timestamp": 1, "value": "sr", "endpoint": {}}]},
            "annotations[0].endpoint: this is Zipkin v1",
        ),
        ({"tags": {"dp-tui.rest": "x"}}, "dp-tui.rest: this tag was not written by dp-tui"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(UserError) as caught:
        spans_of([GOOD, GOOD | changes])
    assert f"at [1].{what}" in str(caught.value)
    notices = Notices()
    data = io.BytesIO(json.dumps([GOOD, GOOD | changes, GOOD]).encode())
    assert len(list(read(data, "spans", skip_bad=True, notices=notices))) == 2
    assert notices.skipped == 1


def test_what_zipkin_can_say_is_written_without_a_tag_of_our_own() -> None:
    span = one(
        kind="SERVER", parentId=CHILD, tags={"a": "b", "error": "no"}, annotations=[{"timestamp": 1, "value": "x"}]
    )
    assert b"dp-tui" not in b"".join(write([span._replace(status=Status.ERROR)], Format.ZIPKIN)).replace(b"otel", b"")


def test_what_zipkin_cannot_say_is_in_a_tag_of_our_own() -> None:
    span = one()._replace(attributes=(("n", 5), ("k", KeyValues((("a", True),)))), resource=(("host", "x"),))
    data = b"".join(write([span], Format.ZIPKIN))
    assert json.loads(data)[0]["tags"]["n"] == "5"
    (found,) = read(io.BytesIO(data), "spans")
    assert found == span
