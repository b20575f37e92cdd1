"""Jaeger JSON, as its query service writes it."""

import io
import json
from typing import Any

import pytest

from engines.errors import UserError
from engines.tracing.formats import Format, Notices, read, scan, write
from engines.tracing.spans import KeyValues, Kind, Link, Scope, Span, SpanEvent, Status

TRACE, ROOT, CHILD, OTHER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "53995c3f42cd8ad8", "a" * 16
START = 1_700_000_000_000_000
PROCESSES = {"p1": {"serviceName": "auth", "tags": [{"key": "ip", "type": "string", "value": "10.0.0.1"}]}}


def document(*spans: dict[str, Any], processes: Any = PROCESSES, **changes: Any) -> dict[str, Any]:
    good = {
        "traceID": TRACE,
        "spanID": ROOT,
        "operationName": "GET",
        "startTime": START,
        "duration": 9,
        "processID": "p1",
    }
    given = [good | span for span in spans] or [good | changes]
    return {"data": [{"traceID": TRACE, "spans": given, "processes": processes}], "total": 0, "errors": None}


def spans_of(data: Any, notices: Notices | None = None) -> list[Span]:
    return list(read(io.BytesIO(json.dumps(data).encode()), "spans", notices=notices))


def refused(data: Any) -> str:
    with pytest.raises(UserError) as caught:
        spans_of(data)
    return str(caught.value)


def ref(kind: str, span: str, trace: str = TRACE) -> dict[str, str]:
    return {"refType": kind, "traceID": trace, "spanID": span}


def tag(key: str, value: Any, kind: str = "string") -> dict[str, Any]:
    return {"key": key, "type": kind, "value": value}


def test_times_are_microseconds() -> None:
    (span,) = spans_of(document())
    assert (span.start_ns, span.end_ns) == (START * 1000, (START + 9) * 1000)


def test_a_process_is_a_service_and_its_tags_are_the_resource() -> None:
    (span,) = spans_of(document())
    assert (span.service, span.resource) == ("auth", (("ip", "10.0.0.1"),))


@pytest.mark.parametrize("order", [("spans", "processes"), ("processes", "spans")])
def test_processes_may_stand_on_either_side_of_the_spans(
    order: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = document()["data"][0]
    data = {"data": [{key: trace[key] for key in order}]}
    assert spans_of(data)[0].service == "auth"
    monkeypatch.setattr(scan, "CHUNK_BYTES", 40)
    assert spans_of(data)[0].service == "auth"
    assert spans_of({key: trace[key] for key in order})[0].service == "auth"


def test_a_trace_may_stand_alone_or_in_a_list() -> None:
    trace = document()["data"][0]
    assert spans_of(trace) == spans_of([trace]) == spans_of(document())
    lines = json.dumps(trace) + "\n" + json.dumps(trace)
    assert len(list(read(io.BytesIO(lines.encode()), "spans"))) == 2


def test_a_process_inside_the_span_is_understood() -> None:
    (span,) = spans_of(document(process=PROCESSES["p1"], processID=None, processes=None) | {})
    assert span.service == "auth"


def test_a_process_that_is_missing_is_noted() -> None:
    notices = Notices()
    (span,) = spans_of(document(processID="p9"), notices)
    assert span.service == ""
    assert notices.lines() == ["1 span of an unknown process, first: 'p9'"]


def test_spans_ahead_of_a_cut_are_kept_without_their_service_if_bad_records_are_skipped() -> None:
    data = json.dumps(document({}, {}, {})).encode()
    cut = data[: data.rindex(b'"operationName"')]
    notices = Notices()
    found = list(read(io.BytesIO(cut), "spans", skip_bad=True, notices=notices))
    assert [span.service for span in found] == ["", ""]
    assert [line.partition(",")[0] for line in notices.lines()] == [
        "2 spans of an unknown process",
        "1 bad record skipped",
    ]


def test_leading_zeros_of_ids_may_be_missing() -> None:
    (span,) = spans_of(document(traceID="abc", spanID="1f", references=[ref("CHILD_OF", "1", "ABC")]))
    assert (span.trace_id, span.span_id, span.parent_id) == ("abc".zfill(32), "1f".zfill(16), "1".zfill(16))


def test_the_parent_is_the_child_of_reference_within_the_trace_and_all_others_are_links() -> None:
    references = [ref("CHILD_OF", OTHER, "b" * 32), ref("FOLLOWS_FROM", OTHER), ref("CHILD_OF", CHILD)]
    (span,) = spans_of(document(references=references))
    assert span.parent_id == CHILD
    assert span.links == (Link("b" * 32, OTHER), Link(TRACE, OTHER))
    assert span.attributes == ()


def test_a_span_that_only_follows_has_a_parent_that_does_not_wait() -> None:
    (span,) = spans_of(document(references=[ref("FOLLOWS_FROM", CHILD)]))
    assert (span.parent_id, span.links) == (CHILD, ())
    assert span.get("opentracing.ref_type") == "follows_from"


def test_the_parent_may_be_a_field_of_its_own_as_it_once_was() -> None:
    (span,) = spans_of(document(parentSpanID=CHILD))
    assert span.parent_id == CHILD


def test_tags_with_agreed_names_are_fields() -> None:
    tags = [
        tag("span.kind", "server"),
        tag("otel.status_code", "ERROR"),
        tag("error", True, "bool"),
        tag("otel.status_description", "no connection"),
        tag("otel.scope.name", "lib"),
        tag("otel.scope.version", "1"),
        tag("w3c.tracestate", "a=b"),
        tag("http.method", "GET"),
    ]
    (span,) = spans_of(document(tags=tags))
    assert (span.kind, span.status, span.status_message) == (Kind.SERVER, Status.ERROR, "no connection")
    assert (span.scope, span.trace_state) == (Scope("lib", "1"), "a=b")
    assert span.attributes == (("http.method", "GET"),)


@pytest.mark.parametrize(("value", "status"), [(True, Status.ERROR), ("true", Status.ERROR), (False, Status.UNSET)])
def test_the_error_tag_alone_is_a_status(value: Any, status: Status) -> None:
    (span,) = spans_of(document(tags=[tag("error", value, "bool")]))
    assert (span.status, span.attributes) == (status, ())


def test_tags_have_types() -> None:
    tags = [
        tag("s", "x"),
        tag("b", True, "bool"),
        tag("i", 5, "int64"),
        tag("j", "-5", "int64"),
        tag("f", 1, "float64"),
        tag("y", "AQI=", "binary"),
        tag("w", "many", "int64"),
    ]
    (span,) = spans_of(document(tags=tags))
    assert repr(span.attributes) == repr(
        (("s", "x"), ("b", True), ("i", 5), ("j", -5), ("f", 1.0), ("y", b"\x01\x02"), ("w", "many"))
    )


def test_logs_are_events() -> None:
    logs = [
        {"timestamp": START + 1, "fields": [tag("event", "cache miss"), tag("key", "k")]},
        {"timestamp": START + 2, "fields": [tag("message", "hello")]},
    ]
    (span,) = spans_of(document(logs=logs))
    assert span.events == (
        SpanEvent((START + 1) * 1000, "cache miss", (("key", "k"),)),
        SpanEvent((START + 2) * 1000, "log", (("message", "hello"),)),
    )


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"traceID": "x"}, "traceID: "),
        ({"spanID": None}, "spanID: no id"),
        ({"startTime": "soon"}, "startTime: 'soon' is no whole number"),
        ({"duration": -1}, "duration: '-1' is no whole number"),
        ({"references": [5]}, "references[0]: a reference is an object"),
        ({"references": [{}]}, "references[0].spanID: no id"),
        ({"tags": [5]}, "tags: a list of"),
        ({"tags": [tag("a", [1])]}, "tags: a tag holds text"),
        ({"logs": [5]}, "logs[0]: a log is an object"),
        ({"logs": [{"timestamp": "x"}]}, "logs[0].timestamp: "),
        ({"operationName": 5}, "operationName: '5' is no string"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(changes: dict[str, Any], what: str) -> None:
    assert f"at data[0].spans[1].{what}" in refused(document({}, changes))
    data = io.BytesIO(json.dumps(document({}, changes, {})).encode())
    notices = Notices()
    assert len(list(read(data, "spans", skip_bad=True, notices=notices))) == 2
    assert notices.skipped == 1


@pytest.mark.parametrize("processes", [5, [1], {"p1": 5}, {"p1": {"serviceName": 5}}, {"p1": {"tags": 5}}])
def test_processes_of_the_wrong_type_are_refused(processes: Any) -> None:
    assert "byte" in refused(document(processes=processes))


@pytest.mark.parametrize("trace", [5, [1], {"spans": 5}, {"spans": [5]}])
def test_traces_of_the_wrong_type_are_refused(trace: Any) -> None:
    assert "byte" in refused({"data": [trace]})


def test_what_jaeger_can_say_is_written_without_a_tag_of_our_own() -> None:
    span = Span(
        TRACE,
        ROOT,
        CHILD,
        "GET",
        "auth",
        Kind.CLIENT,
        START * 1000,
        (START + 5) * 1000,
        Status.ERROR,
        "no",
        attributes=(("i", 1), ("s", "x"), ("b", False)),
        resource=(("host", "a"),),
        events=(SpanEvent(START * 1000, "e", (("k", "v"),)),),
        links=(Link("c" * 32, OTHER),),
        scope=Scope("lib"),
    )
    assert b"dp-tui" not in b"".join(write([span], Format.JAEGER))


def test_what_jaeger_cannot_say_is_in_a_tag_of_our_own() -> None:
    span = Span(TRACE, ROOT, "", "GET", "auth", start_ns=START * 1000 + 1, attributes=(("k", KeyValues((("a", 1),))),))
    data = b"".join(write([span], Format.JAEGER))
    assert b"dp-tui.rest" in data
    (found,) = read(io.BytesIO(data), "spans")
    assert found == span


@pytest.mark.parametrize(
    "text", ["x", "5", "{}x", '{"nonsense":1}', '{"start_ns":"x"}', '{"kind":77}', '{"links":[5]}']
)
def test_a_tag_of_our_own_that_we_did_not_write_is_refused(text: str) -> None:
    assert "not written by dp-tui" in refused(document(tags=[tag("dp-tui.rest", text)]))
