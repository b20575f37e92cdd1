"""Bad trace files: every complaint names the place, what is merely odd is noted, and nothing ends in a traceback."""

import contextlib
import io
import json
import re
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import UserError
from engines.tracing.formats import Format, Notices, read, scan, write
from engines.tracing.spans import Kind, Link, Scope, Span, SpanEvent, Status

TRACE, ROOT, CHILD = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "53995c3f42cd8ad8"
START_NS = 1_700_000_000_000_000_000
END_NS = START_NS + 90_000_000
SPANS = [
    Span(TRACE, ROOT, "", "GET /cart", "gateway", Kind.SERVER, START_NS, END_NS),
    Span(TRACE, CHILD, ROOT, "GET /cart", "cart", Kind.SERVER, START_NS + 1_000_000, END_NS),
]
JSON_FORMATS = [form for form in Format if form is not Format.OTLP_PROTOBUF]


def exported(form: Format, spans: list[Span] = SPANS) -> bytes:
    return b"".join(write(spans, form))


def refused(data: bytes) -> str:
    """The complaint about a file."""
    with pytest.raises(UserError) as caught:
        list(read(io.BytesIO(data), "spans"))
    message = str(caught.value)
    assert message.startswith("spans: ")
    assert "\n" not in message
    return message


def skipping(data: bytes) -> tuple[list[Span], Notices]:
    notices = Notices()
    return list(read(io.BytesIO(data), "spans", skip_bad=True, notices=notices)), notices


def noticed(data: bytes) -> tuple[list[Span], list[str]]:
    notices = Notices()
    return list(read(io.BytesIO(data), "spans", notices=notices)), notices.lines()


def otlp(*spans: dict[str, Any], **changes: Any) -> bytes:
    """One OTLP document with these spans, each changed from a good one."""
    good = {
        "traceId": TRACE,
        "spanId": ROOT,
        "name": "GET",
        "startTimeUnixNano": str(START_NS),
        "endTimeUnixNano": str(END_NS),
    }
    scope = {"spans": [good | span for span in spans] or [good | changes]}
    return json.dumps({"resourceSpans": [{"resource": {}, "scopeSpans": [scope]}]}).encode()


# -- truncated -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", Format)
def test_a_file_cut_anywhere_reads_as_its_beginning_or_is_refused(form: Format) -> None:
    data = exported(form)
    for cut in range(len(data.rstrip())):
        found: list[Span] = []
        with contextlib.suppress(UserError):
            found.extend(read(io.BytesIO(data[:cut]), "spans"))
        assert found == SPANS[: len(found)]


@pytest.mark.parametrize("form", Format)
def test_a_cut_in_the_middle_says_that_the_file_may_be_truncated(form: Format) -> None:
    data = exported(form)
    message = refused(data[: len(data) // 2])
    assert "truncated?" in message
    assert "byte" in message


def test_what_stands_ahead_of_the_cut_is_kept_if_bad_records_are_skipped() -> None:
    data = exported(Format.OTLP_LINES) + exported(Format.OTLP_LINES)[:100]
    found, notices = skipping(data)
    assert found == SPANS
    assert notices.lines()[0].startswith("1 bad record skipped, first: spans: line 2, byte ")


# -- syntax --------------------------------------------------------------------------------------------------------


def test_broken_syntax_names_line_byte_and_path() -> None:
    data = json.dumps(json.loads(otlp()), indent=1).replace('"name": "GET"', '"name" "GET"').encode()
    line = data[: data.index(b'"name" "GET"')].count(b"\n") + 1
    byte = data.index(b' "GET"') + 1
    message = refused(data)
    assert f"line {line}, byte {byte}, at resourceSpans[0].scopeSpans[0].spans[0]: no JSON: " in message


def test_an_error_early_in_a_large_file_is_found_without_reading_the_rest() -> None:
    class Counting(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1, /) -> bytes:
            data = super().read(size)
            Counting.taken += len(data)
            return data

    broken = otlp().replace(b'"name": "GET"', b'"name" "GET"')
    with pytest.raises(UserError, match="no JSON"):
        list(read(Counting(broken + exported(Format.OTLP_LINES) * 20_000), "spans"))
    assert Counting.taken < 2 * scan.CHUNK_BYTES


@pytest.mark.parametrize(
    "text",
    ["{", "[", "{]", "[}", '{"a"', '{"a":', '{"a":1', '{"a":1,}', "[1,", "[[[", '{"a" 1}', "{1:2}", "{}}", '["', '{"'],
)
def test_scraps_of_json_are_refused_with_their_byte(text: str) -> None:
    assert "byte" in refused(text.encode())


@pytest.mark.parametrize("depth", [2_000, 200_000])
def test_nesting_without_end_is_refused(depth: int) -> None:
    for text in (
        '{"result":' * depth,
        "[" * depth,
        '{"a":' * depth,
        '{"resourceSpans":' + "[" * depth,
        '[{"traceId":' + "[" * depth,
    ):
        assert "byte" in refused(text.encode())


def test_a_number_of_too_many_digits_is_refused() -> None:
    assert "too many digits" in refused(b'{"a":' + b"1" * 5_000 + b"}")


def test_a_value_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "VALUE_MAX", 1 << 20)
    assert "a value of more than 1 MB" in refused(b'{"resourceSpans":[{"scopeSpans":[{"spans":["' + b"x" * (3 << 20))


# -- no trace data -------------------------------------------------------------------------------------------------


def test_an_empty_file_says_what_is_accepted() -> None:
    for data in (b"", b" \n\t\r\n"):
        assert refused(data).startswith("spans: is empty: OTLP JSON")


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        (b'{"a":1}', "no trace data in an object with a: OTLP JSON"),
        (b"{}", "no trace data in an object with no keys"),
        (b'{"resource_spans":[]}', "OTLP JSON writes resourceSpans"),
        (b'{"took":5,"hits":{"hits":[]}}', "Elasticsearch"),
        (b"[1,2]", "'1' is no trace data"),
        (b'["x"]', "'x' is no trace data"),
        (b"[[[{}]]]", "is no trace data"),
        (b'[{"traceId":"' + TRACE.encode() + b'","id":"' + ROOT.encode() + b'","binaryAnnotations":[]}]', "Zipkin v1"),
    ],
)
def test_json_without_traces_is_refused_with_a_hint(data: bytes, hint: str) -> None:
    message = refused(data)
    assert hint in message
    assert "byte" in message


@pytest.mark.parametrize(
    "data", [b'{"resourceSpans":[]}', b'{"resourceSpans":null}', b'{"data":null}', b'{"data":[]}', b"[]"]
)
def test_a_file_without_spans_is_refused(data: bytes) -> None:
    assert "holds no spans" in refused(data)


def test_logs_and_metrics_between_the_traces_are_passed_over_and_noted() -> None:
    data = b'{"resourceLogs":[{"x":[1,2]}]}\n' + exported(Format.OTLP_LINES) + b'{"resourceMetrics":[]}\n'
    found, lines = noticed(data)
    assert found == SPANS
    assert [line.split(",")[0] for line in lines] == [
        "1 document with resourceLogs",
        "1 document with resourceMetrics",
    ]


@given(st.binary(min_size=1, max_size=200))
def test_binary_noise_never_ends_in_a_traceback(noise: bytes) -> None:
    for data in (noise, b"\n" + noise, b"\n\x20\n" + noise):
        with contextlib.suppress(UserError):
            list(read(io.BytesIO(data), "spans"))


@pytest.mark.parametrize(
    "data", [bytes(range(256)), b"\x7fELF\x02\x01\x01", b"\x89PNG\r\n", "{".encode("utf-16"), b"hello"]
)
def test_what_is_neither_json_nor_protobuf_is_refused(data: bytes) -> None:
    assert "byte 0: neither JSON nor OTLP protobuf" in refused(data)


@pytest.mark.parametrize(
    ("magic", "by"), [(b"\x1f\x8b\x08", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"PK\x03\x04", "zip")]
)
def test_a_compressed_file_is_told_from_noise(magic: bytes, by: str) -> None:
    assert f"compressed with {by}: decompress it first" in refused(magic + b"rest")


# -- mixed ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", JSON_FORMATS)
@pytest.mark.parametrize("second", JSON_FORMATS)
def test_mixed_formats_are_refused_at_the_line_of_the_second(first: Format, second: Format) -> None:
    data = exported(first) + exported(second)
    alike = {first, second} <= {Format.OTLP_JSON, Format.OTLP_LINES} or first is second
    if alike:
        assert len(list(read(io.BytesIO(data), "spans"))) == 4
    else:
        assert "one format a file is accepted" in refused(data)
        found, notices = skipping(data)
        assert (len(found), notices.skipped) == (2, 1)


def test_protobuf_behind_json_is_refused() -> None:
    message = refused(exported(Format.OTLP_LINES) + exported(Format.OTLP_PROTOBUF))
    assert re.match(r"spans: line [23], byte \d+", message)


# -- bytes and escapes ---------------------------------------------------------------------------------------------


def test_bytes_that_are_no_utf_8_are_refused_where_they_stand() -> None:
    data = otlp().replace(b"GET", b"G\xffT")
    assert refused(data) == f"spans: line 1, byte {data.index(0xFF)}, at resourceSpans[0]: bytes that are no UTF-8"


def test_a_line_that_is_no_utf_8_is_skipped_alone() -> None:
    found, notices = skipping(otlp() + b"\n" + otlp().replace(b"GET", b"G\xffT") + b"\n" + otlp())
    assert (len(found), notices.skipped) == (2, 1)


def test_characters_cut_by_the_window_are_read_whole() -> None:
    for pad in range(5):
        text = "x" * pad + "ä€𝄞" * 100_000
        data = json.dumps(json.loads(otlp(name=text)), ensure_ascii=False).encode()
        assert next(read(io.BytesIO(data), "spans")).name == text


def test_half_a_character_in_an_escape_becomes_the_replacement_character() -> None:
    found = list(read(io.BytesIO(otlp(name="a\ud800b")), "spans"))
    assert found[0].name == "a\ufffdb"
    found = list(read(io.BytesIO(otlp(name="𝄞")), "spans"))
    assert found[0].name == "𝄞"


# -- wrong fields --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "field", "what"),
    [
        ({"traceId": "123"}, "traceId", "'123' is no id: 32 hexadecimal digits"),
        ({"traceId": None}, "traceId", "no id: 32"),
        ({"traceId": 5}, "traceId", "'5' is no id"),
        ({"traceId": "W47/95gDgQPSabYzgT/GDA="}, "traceId", "their bytes as base64"),
        ({"spanId": ""}, "spanId", "no id: 16"),
        ({"spanId": "7uGbfsPBsXM=="}, "spanId", "their bytes as base64"),
        ({"parentSpanId": "xyz"}, "parentSpanId", "is no id"),
        ({"name": 7}, "name", "'7' is no string"),
        ({"kind": "server"}, "kind", "is none of the numbers 0 to 5"),
        ({"startTimeUnixNano": "soon"}, "startTimeUnixNano", "is no whole number"),
        ({"startTimeUnixNano": -1}, "startTimeUnixNano", "is no whole number"),
        ({"endTimeUnixNano": str(1 << 64)}, "endTimeUnixNano", "is no whole number"),
        ({"endTimeUnixNano": 1.5}, "endTimeUnixNano", "is no whole number"),
        ({"endTimeUnixNano": True}, "endTimeUnixNano", "is no whole number"),
        ({"attributes": {"a": 1}}, "attributes", "a list of"),
        ({"attributes": [{"value": {}}]}, "attributes", "a list of"),
        ({"attributes": [{"key": 5, "value": {"stringValue": "x"}}]}, "attributes", "a list of"),
        ({"attributes": [{"key": "a", "value": "x"}]}, "attributes", "a list of"),
        ({"attributes": [{"key": "a", "value": {"intValue": "x"}}]}, "attributes", "no integer of 64 bits"),
        ({"attributes": [{"key": "a", "value": {"intValue": 1 << 63}}]}, "attributes", "no integer of 64 bits"),
        ({"attributes": [{"key": "a", "value": {"boolValue": 1}}]}, "attributes", "neither true nor false"),
        ({"attributes": [{"key": "a", "value": {"doubleValue": "x"}}]}, "attributes", "is no number"),
        ({"attributes": [{"key": "a", "value": {"bytesValue": "%"}}]}, "attributes", "is not base64"),
        ({"attributes": [{"key": "a", "value": {"arrayValue": {"values": 1}}}]}, "attributes", "is no list"),
        ({"attributes": [{"key": "a", "value": {"kvlistValue": {"values": [1]}}}]}, "attributes", "a list of"),
        ({"events": [{"timeUnixNano": "x"}]}, "events[0].timeUnixNano", "is no whole number"),
        ({"events": [5]}, "events[0]", "an object is needed"),
        ({"links": [{"traceId": "x"}]}, "links[0].traceId", "is no id"),
        ({"status": 2}, "status", "an object is needed"),
        ({"status": {"code": "BAD"}}, "status.code", "is none of the numbers"),
        ({"droppedAttributesCount": 1 << 32}, "droppedAttributesCount", "is no whole number from 0 to 4294967295"),
    ],
)
def test_a_field_that_cannot_be_read_is_named(changes: dict[str, Any], field: str, what: str) -> None:
    data = otlp({}, changes, {})
    message = refused(data)
    assert f"at resourceSpans[0].scopeSpans[0].spans[1].{field}: " in message
    assert what in message
    found, notices = skipping(data)
    assert (len(found), notices.skipped) == (2, 1)


def test_a_value_within_values_without_end_is_refused() -> None:
    value: dict[str, Any] = {"stringValue": "x"}
    for _ in range(100):
        value = {"arrayValue": {"values": [value]}}
    assert "lists more than 32 deep" in refused(otlp(attributes=[{"key": "a", "value": value}]))


@pytest.mark.parametrize(
    "bad", [5, "x", [], [5], {"scopeSpans": 5}, {"scopeSpans": [5]}, {"scopeSpans": [{"spans": 5}]}, {"resource": 5}]
)
def test_parts_of_the_wrong_type_are_refused(bad: Any) -> None:
    message = refused(json.dumps({"resourceSpans": [bad]}).encode())
    assert "byte" in message or "holds no spans" in message


FULL = SPANS[1]._replace(
    status=Status.ERROR,
    attributes=(("a", "x"), ("n", 5), ("l", (1, "y"))),
    resource=(("host.name", "n1"),),
    events=(SpanEvent(START_NS, "e", (("k", True),)),),
    links=(Link(TRACE, ROOT, attributes=(("k", 0.5),)),),
    scope=Scope("lib", "1", (("k", b"z"),)),
)
junk: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, -1, 1.5, 1 << 70, "", "x", "\n\x00", TRACE, ROOT, [], [[]], {}, [{}], {"a": 1}]
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container in a document with every key or position in it."""
    inner = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [(value, key) for key, _ in inner] + [place for _, each in inner for place in places(each)]


@pytest.mark.parametrize("form", [Format.OTLP_JSON, Format.JAEGER, Format.ZIPKIN])
@settings(max_examples=120)
@given(st.data())
def test_a_document_with_junk_in_any_place_is_read_or_refused_in_one_printable_line(form: Format, data: Any) -> None:
    document = json.loads(exported(form, [FULL, FULL]))
    for _ in range(data.draw(st.integers(1, 3))):
        if found := places(document):
            container, key = data.draw(st.sampled_from(found))
            container[key] = deepcopy(data.draw(junk))
    text = json.dumps(document).encode()
    for skip_bad in (False, True):
        message = "spans: read"
        try:
            list(read(io.BytesIO(text), "spans", skip_bad=skip_bad))
        except UserError as error:
            message = str(error)
        assert message.startswith("spans: ")
        assert message.isprintable()


# -- odd, but readable ---------------------------------------------------------------------------------------------


def test_ids_of_zeros_are_handed_on_and_noted() -> None:
    found, lines = noticed(otlp({"traceId": "0" * 32}, {"spanId": "0" * 16}, {}))
    assert [span.span_id for span in found] == [ROOT, "0" * 16, ROOT]
    assert lines == ["2 spans with an id of zeros, first: line 1, byte 19, at resourceSpans[0].scopeSpans[0].spans[0]"]


def test_a_span_that_ends_before_it_starts_is_handed_on_and_noted() -> None:
    found, lines = noticed(otlp({"endTimeUnixNano": str(START_NS - 1)}))
    assert found[0].end_ns == START_NS - 1
    assert lines[0].startswith("1 span that ends before it starts, first: line 1")


def test_a_span_that_starts_at_0_is_handed_on_and_noted() -> None:
    found, lines = noticed(otlp({"startTimeUnixNano": "0"}))
    assert found[0].start_ns == 0
    assert lines[0].startswith("1 span that starts at 0, first: line 1")


@pytest.mark.parametrize(("factor", "unit"), [(10**9, "seconds"), (10**6, "milliseconds"), (10**3, "microseconds")])
def test_times_in_a_wrong_unit_are_suspicious_and_not_converted(factor: int, unit: str) -> None:
    start, end = START_NS // factor, START_NS // factor + 2
    found, lines = noticed(otlp({"startTimeUnixNano": str(start), "endTimeUnixNano": str(end)}))
    assert (found[0].start_ns, found[0].end_ns) == (start, end)
    assert lines == [f"1 of 1 span has times that look like {unit}: nothing was converted"]


@pytest.mark.parametrize("form", [Format.JAEGER, Format.ZIPKIN])
@pytest.mark.parametrize(("factor", "unit"), [(10**6, "seconds"), (10**3, "milliseconds")])
def test_jaeger_and_zipkin_count_microseconds(form: Format, factor: int, unit: str) -> None:
    late = [
        span._replace(start_ns=START_NS // factor // 1000 * 1000, end_ns=START_NS // factor // 1000 * 1000 + 5_000)
        for span in SPANS
    ]
    found, lines = noticed(exported(form, late))
    assert found == late
    assert lines == [f"2 of 2 spans have times that look like {unit}: nothing was converted"]


@pytest.mark.parametrize("form", [Format.JAEGER, Format.ZIPKIN])
def test_nanoseconds_where_microseconds_belong_are_suspicious(form: Format) -> None:
    data = exported(form).replace(str(START_NS // 1000).encode(), str(START_NS).encode())
    data = data.replace(str(START_NS // 1000 + 1000).encode(), str(START_NS + 1_000_000).encode())
    found, lines = noticed(data)
    assert found[0].start_ns == START_NS * 1000
    assert lines == ["2 of 2 spans have times that look like nanoseconds: nothing was converted"]


def test_virtual_time_of_a_simulation_is_not_suspicious() -> None:
    spans = [
        SPANS[0]._replace(start_ns=at * 1_000_000, end_ns=at * 1_000_000 + 5_000_000) for at in range(1, 60_000, 500)
    ]
    assert noticed(exported(Format.OTLP_JSON, spans))[1] == []


def test_a_single_odd_time_does_not_accuse_the_whole_file() -> None:
    wrong = {"startTimeUnixNano": "1700000000", "endTimeUnixNano": "1700000001"}
    assert noticed(otlp(wrong, {}, {}))[1] == []


# -- large ---------------------------------------------------------------------------------------------------------


def many(count: int) -> list[Span]:
    return [SPANS[0]._replace(span_id=f"{at + 1:016x}", trace_id=f"{at // 50 + 1:032x}") for at in range(count)]


def test_100_000_spans_of_one_resource_pass_one_at_a_time() -> None:
    dense = {"traceId": TRACE, "startTimeUnixNano": START_NS, "endTimeUnixNano": END_NS}
    count = 100_000
    data = otlp(*(dense | {"spanId": f"{at + 1:016x}"} for at in range(count)))
    assert sum(1 for span in read(io.BytesIO(data), "spans") if span.trace_id == TRACE) == count


def test_a_jaeger_trace_of_20_000_spans_finds_its_processes_behind_them() -> None:
    spans = [span._replace(trace_id=TRACE) for span in many(20_000)]
    data = json.loads(exported(Format.JAEGER, spans[:1]))
    data["data"][0]["spans"] *= 20_000
    found = list(read(io.BytesIO(json.dumps(data).encode()), "spans"))
    assert len(found) == 20_000
    assert {span.service for span in found} == {"gateway"}


@pytest.mark.parametrize("form", Format)
def test_more_than_a_window_of_any_format_reads_as_it_was_written(form: Format) -> None:
    spans = many(5_000)
    data = exported(form, spans)
    assert len(data) > 2 * scan.CHUNK_BYTES or form is Format.OTLP_PROTOBUF
    assert list(read(io.BytesIO(data), "spans")) == spans


def test_spans_are_handed_on_before_the_file_is_read_to_its_end() -> None:
    data = exported(Format.OTLP_JSON, SPANS * 5_000)

    class Counting(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1, /) -> bytes:
            found = super().read(size)
            Counting.taken += len(found)
            return found

    spans = read(Counting(data), "spans")
    assert next(spans) == SPANS[0]
    assert Counting.taken < len(data) // 2
