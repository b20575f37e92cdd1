"""OTLP, JSON and protobuf: what the specification says about reading it."""

import importlib
import io
import json
import struct
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import UserError
from engines.tracing import protobuf
from engines.tracing.formats import Format, Notices, read, scan, write
from engines.tracing.spans import KeyValues, Kind, Link, Scope, Span, SpanEvent, Status
from tests.engines.tracing.anyspans import traces

TRACE, ROOT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
START_NS = 1_700_000_000_000_000_000
SPAN = Span(TRACE, ROOT, "", "GET", "auth", Kind.SERVER, START_NS, START_NS + 1_000)
messages: Any = importlib.import_module("opentelemetry.proto.trace.v1.trace_pb2")


def one(document: Any) -> Span:
    (found,) = read(io.BytesIO(json.dumps(document).encode()), "spans")
    return found


def document(**changes: Any) -> dict[str, Any]:
    span = {"traceId": TRACE, "spanId": ROOT, "name": "GET", "startTimeUnixNano": str(START_NS)}
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "auth"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span | changes]}]}]}


def refused(data: bytes) -> str:
    with pytest.raises(UserError) as caught:
        list(read(io.BytesIO(data), "spans"))
    return str(caught.value)


# -- JSON ----------------------------------------------------------------------------------------------------------


def test_every_field_is_read() -> None:
    found = one(
        {
            "resourceSpans": [
                {
                    "resource": {
                        "attributes": [
                            {"key": "host.name", "value": {"stringValue": "n1"}},
                            {"key": "service.name", "value": {"stringValue": "auth"}},
                        ],
                        "droppedAttributesCount": 1,
                    },
                    "scopeSpans": [
                        {
                            "scope": {"name": "lib", "version": "1.2", "droppedAttributesCount": 3},
                            "spans": [
                                {
                                    "traceId": TRACE.upper(),
                                    "spanId": ROOT.upper(),
                                    "parentSpanId": "eee19b7ec3c1b174",
                                    "traceState": "ot=th:8",
                                    "flags": 257,
                                    "name": "GET /login",
                                    "kind": 3,
                                    "startTimeUnixNano": "1544712660000000001",
                                    "endTimeUnixNano": 1544712661000000000,
                                    "attributes": [
                                        {"key": "s", "value": {"stringValue": "x"}},
                                        {"key": "b", "value": {"boolValue": True}},
                                        {"key": "i", "value": {"intValue": "-7"}},
                                        {"key": "j", "value": {"intValue": 7}},
                                        {"key": "d", "value": {"doubleValue": 0.5}},
                                        {"key": "n", "value": {"doubleValue": "-Infinity"}},
                                        {"key": "y", "value": {"bytesValue": "AQI="}},
                                        {"key": "a", "value": {"arrayValue": {"values": [{"intValue": 1}, {}]}}},
                                        {
                                            "key": "k",
                                            "value": {
                                                "kvlistValue": {"values": [{"key": "x", "value": {"intValue": "1"}}]}
                                            },
                                        },
                                        {"key": "e", "value": {"stringValue": ""}},
                                        {"key": "u", "value": {}},
                                    ],
                                    "droppedAttributesCount": 4,
                                    "events": [
                                        {"timeUnixNano": "1544712660500000000", "name": "miss", "attributes": []}
                                    ],
                                    "droppedEventsCount": 5,
                                    "links": [{"traceId": TRACE, "spanId": ROOT, "flags": 1, "traceState": "a=b"}],
                                    "droppedLinksCount": 6,
                                    "status": {"code": 2, "message": "no connection"},
                                    "somethingNew": [1, 2],
                                }
                            ],
                            "schemaUrl": "x",
                        }
                    ],
                    "schemaUrl": "y",
                }
            ],
            "more": {"a": [1]},
        }
    )
    assert found == Span(
        TRACE,
        ROOT,
        "eee19b7ec3c1b174",
        "GET /login",
        "auth",
        Kind.CLIENT,
        1544712660000000001,
        1544712661000000000,
        Status.ERROR,
        "no connection",
        attributes=(
            ("s", "x"),
            ("b", True),
            ("i", -7),
            ("j", 7),
            ("d", 0.5),
            ("n", float("-inf")),
            ("y", b"\x01\x02"),
            ("a", (1, None)),
            ("k", KeyValues((("x", 1),))),
            ("e", ""),
            ("u", None),
        ),
        resource=(("host.name", "n1"),),
        events=(SpanEvent(1544712660500000000, "miss"),),
        links=(Link(TRACE, ROOT, "a=b", flags=1),),
        trace_state="ot=th:8",
        scope=Scope("lib", "1.2", (), 3),
        flags=257,
        dropped_attributes=4,
        dropped_events=5,
        dropped_links=6,
    )


def test_jaegers_newer_api_wraps_the_document() -> None:
    assert one({"result": document()}) == one(document())


def test_null_is_the_default_of_every_field() -> None:
    names = (
        "parentSpanId",
        "kind",
        "attributes",
        "events",
        "links",
        "status",
        "traceState",
        "flags",
        "endTimeUnixNano",
    )
    assert one(document(**dict.fromkeys(names))) == SPAN._replace(kind=Kind.UNSPECIFIED, end_ns=0)


@pytest.mark.parametrize(
    ("kind", "read_as"), [(2, Kind.SERVER), ("SPAN_KIND_CLIENT", Kind.CLIENT), (99, Kind.UNSPECIFIED)]
)
def test_a_kind_is_a_number_and_names_are_understood(kind: Any, read_as: Kind) -> None:
    assert one(document(kind=kind)).kind is read_as


def test_a_resource_and_a_scope_may_stand_behind_their_spans() -> None:
    found = document()
    (group,) = found["resourceSpans"]
    (scope_spans,) = group["scopeSpans"]
    late = {"spans": scope_spans["spans"], "scope": {"name": "lib"}}
    span = one({"resourceSpans": [{"scopeSpans": [late], "resource": group["resource"]}]})
    assert (span.service, span.scope.name) == ("auth", "lib")


@settings(max_examples=25)
@given(traces)
def test_walking_through_a_large_document_reads_the_same_as_decoding_a_small_one(spans: list[Span]) -> None:
    data = b"".join(write(spans, Format.OTLP_JSON))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "CHUNK_BYTES", 50)
        walked = list(read(io.BytesIO(data), "spans"))
    assert repr(walked) == repr(list(read(io.BytesIO(data), "spans"))) == repr(spans)


def test_walking_finds_the_late_resource_and_names_the_same_place(monkeypatch: pytest.MonkeyPatch) -> None:
    found = document()
    (group,) = found["resourceSpans"]
    (scope_spans,) = group["scopeSpans"]
    late = {"spans": scope_spans["spans"] * 3, "scope": {"name": "lib"}}
    data = {"resourceSpans": [{"scopeSpans": [late], "resource": group["resource"]}]}
    bad = json.loads(json.dumps(data))
    bad["resourceSpans"][0]["scopeSpans"][0]["spans"][1]["spanId"] = "x"
    monkeypatch.setattr(scan, "CHUNK_BYTES", 50)
    spans = list(read(io.BytesIO(json.dumps(data).encode()), "spans"))
    assert {(span.service, span.scope.name) for span in spans} == {("auth", "lib")}
    assert "at resourceSpans[0].scopeSpans[0].spans[1].spanId: 'x' is no id" in refused(json.dumps(bad).encode())


@pytest.mark.parametrize("chunk", [50, 1 << 18])
@pytest.mark.parametrize("late", ["resource", "scope"])
def test_sound_spans_whose_late_owner_is_unreadable_are_kept_where_bad_records_are_skipped(
    monkeypatch: pytest.MonkeyPatch, chunk: int, late: str
) -> None:
    found = document()
    (group,) = found["resourceSpans"]
    (scope_spans,) = group["scopeSpans"]
    inner = {"spans": scope_spans["spans"] * 3, "scope": {"name": "lib"}}
    text = json.dumps({"resourceSpans": [{"scopeSpans": [inner], "resource": group["resource"]}]})
    data = text[: text.index(f'"{late}": {{') + len(late) + 6].encode()
    monkeypatch.setattr(scan, "CHUNK_BYTES", chunk)
    notices = Notices()
    spans = list(read(io.BytesIO(data), "spans", skip_bad=True, notices=notices))
    assert [(span.span_id, span.service) for span in spans] == [(SPAN.span_id, "")] * 3
    said = "\n".join(notices.lines())
    assert "3 spans without their resource or scope, which is unreadable" in said
    assert "1 bad record skipped" in said
    with pytest.raises(UserError, match="truncated"):
        list(read(io.BytesIO(data), "spans"))


def test_a_file_that_ends_in_a_value_says_what_would_be_accepted_and_names_no_empty_key() -> None:
    found = json.dumps(document())
    message = refused(found[: found.index('"scopeSpans"') + 3].encode())
    assert "at resourceSpans[0]: the file ends inside a value: is it truncated? A whole document is accepted" in message


def test_what_is_written_is_otlp_json() -> None:
    (line,) = b"".join(write([SPAN], Format.OTLP_LINES)).splitlines()
    assert json.loads(line) == {
        "resourceSpans": [
            {
                "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "auth"}}]},
                "scopeSpans": [
                    {
                        "scope": {},
                        "spans": [
                            {
                                "traceId": TRACE,
                                "spanId": ROOT,
                                "name": "GET",
                                "kind": 2,
                                "startTimeUnixNano": str(START_NS),
                                "endTimeUnixNano": str(START_NS + 1_000),
                            }
                        ],
                    }
                ],
            }
        ]
    }


# -- protobuf --------------------------------------------------------------------------------------------------------


def packed(*spans: Span) -> bytes:
    return b"".join(write(spans, Format.OTLP_PROTOBUF))


def test_what_is_written_is_a_traces_data_message() -> None:
    data = messages.TracesData.FromString(packed(SPAN))
    (span,) = data.resource_spans[0].scope_spans[0].spans
    assert (span.trace_id.hex(), span.name, span.kind) == (TRACE, "GET", 2)
    assert data.resource_spans[0].resource.attributes[0].value.string_value == "auth"


def test_messages_may_follow_each_other_also_with_the_collectors_lengths() -> None:
    one_message = packed(SPAN)
    framed = struct.pack(">I", len(one_message)) + one_message
    assert list(read(io.BytesIO(one_message * 3), "spans")) == [SPAN] * 3
    assert list(read(io.BytesIO(framed * 3), "spans")) == [SPAN] * 3


def test_a_cut_message_names_its_byte() -> None:
    data = packed(SPAN)
    message = refused(data + data[:-3])
    assert f"byte {len(data) + 2}: a message of {len(data) - 2} bytes, of which {len(data) - 5} are left" in message
    assert "truncated?" in message


def test_a_message_that_is_none_names_its_byte() -> None:
    data = packed(SPAN)
    wrong = data[:2] + b"\x0a\xff" + data[4:]
    assert refused(wrong).startswith("spans: byte 2, at resource_spans[0]: no ResourceSpans of OTLP protobuf")
    notices = Notices()
    assert list(read(io.BytesIO(wrong + data), "spans", skip_bad=True, notices=notices)) == [SPAN]
    assert notices.skipped == 1


def test_another_message_behind_the_first_names_its_byte() -> None:
    data = packed(SPAN)
    assert f"byte {len(data)}: 0x12 begins no ResourceSpans" in refused(data + b"\x12\x00")
    found = list(read(io.BytesIO(data + b"\x12\x00"), "spans", skip_bad=True))
    assert found == [SPAN]


def test_a_length_without_end_is_refused() -> None:
    data = packed(SPAN)
    assert "a length of more than 10 bytes" in refused(data + b"\x0a" + b"\xff" * 12)
    assert "the file ends inside a length" in refused(data + b"\x0a\xff")
    assert "at most 1073741824 are accepted" in refused(data + b"\x0a\xff\xff\xff\xff\x7f")


@pytest.mark.parametrize(
    ("field", "raw", "what"),
    [("trace_id", b"", "0 bytes: 16"), ("trace_id", b"1", "1 bytes: 16"), ("span_id", b"12345", "5 bytes: 8")],
)
def test_an_id_of_a_wrong_length_is_refused_with_its_path(field: str, raw: bytes, what: str) -> None:
    data = messages.TracesData.FromString(packed(SPAN, SPAN))
    setattr(data.resource_spans[0].scope_spans[0].spans[1], field, raw)
    message = refused(data.SerializeToString())
    assert f"at resource_spans[0].scope_spans[0].spans[1].{field}: an id of {what}" in message
    found = list(read(io.BytesIO(data.SerializeToString()), "spans", skip_bad=True))
    assert found == [SPAN]


def test_a_log_export_has_the_same_frames_and_is_refused() -> None:
    logs: Any = importlib.import_module("opentelemetry.proto.logs.v1.logs_pb2")
    data = logs.LogsData()
    data.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=1, severity_text="INFO")
    assert "trace_id: an id of 0 bytes: 16 are needed" in refused(data.SerializeToString())


def test_a_broken_attribute_is_refused_with_its_span_and_costs_no_other() -> None:
    whole = packed(SPAN._replace(attributes=(("key", "value"),)), SPAN._replace(span_id="f" * 16))
    assert whole.count(b"value") == 1
    broken = whole.replace(b"value", b"v\xfflue")
    assert "spans[0].attributes: an attribute, event, link or status that is no OTLP protobuf" in refused(broken)
    notices = Notices()
    assert [each.span_id for each in read(io.BytesIO(broken), "spans", skip_bad=True, notices=notices)] == ["f" * 16]
    assert notices.skipped == 1


def test_equal_bytes_of_attributes_read_alike_whatever_their_type() -> None:
    pairs = (("a", 1), ("a", True), ("a", 1.0), ("a", "1"), ("a", None), ("a", b"1"), ("a", 1))
    spans = [SPAN._replace(attributes=pairs), SPAN._replace(span_id="e" * 16, attributes=pairs[::-1])]
    found = list(read(io.BytesIO(packed(*spans)), "spans"))
    assert [repr(each.attributes) for each in found] == [repr(each.attributes) for each in spans]


def test_lists_without_end_are_refused() -> None:
    data = messages.TracesData.FromString(packed(SPAN))
    value = data.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="a").value
    for _ in range(40):
        value = value.array_value.values.add()
    assert "lists more than 32 deep" in refused(data.SerializeToString())


def test_zero_ids_are_handed_on_and_noted() -> None:
    notices = Notices()
    spans = [SPAN._replace(span_id="0" * 16)]
    assert list(read(io.BytesIO(packed(*spans)), "spans", notices=notices)) == spans
    assert notices.lines() == [
        "1 span with an id of zeros, first: in the message at byte 2, at resource_spans[0].scope_spans[0].spans[0]"
    ]


@settings(max_examples=150)
@given(st.data())
def test_protobuf_with_wrong_bytes_anywhere_is_read_or_refused_in_one_printable_line(data: st.DataObject) -> None:
    full = SPAN._replace(
        attributes=(("a", "x"), ("n", 5), ("l", (1, "y"))),
        events=(SpanEvent(START_NS, "e"),),
        links=(Link(TRACE, ROOT),),
    )
    raw = bytearray(packed(full, full))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.sampled_from([0, 1, 10, 18, 127, 128, 255]) | st.integers(0, 255))
    for skip_bad in (False, True):
        message = "spans: read"
        try:
            list(read(io.BytesIO(bytes(raw)), "spans", skip_bad=skip_bad))
        except UserError as error:
            message = str(error)
        assert message.startswith("spans: ")
        assert message.isprintable()


def test_without_the_extra_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    data = packed(SPAN)
    monkeypatch.setitem(sys.modules, "opentelemetry.proto.trace.v1.trace_pb2", None)
    assert refused(data) == protobuf.EXTRA
    assert "pip install 'dp-tui[otlp]'" in protobuf.EXTRA
    with pytest.raises(UserError, match="otlp"):
        packed(SPAN)
