"""Formats, what holds for all of them: an export reads back as the same spans, and the format is told from content."""

import io
import json
from typing import Any, BinaryIO, cast

import pytest
from hypothesis import given, settings

from engines.errors import UserError
from engines.sim.timeline import Timeline
from engines.tracing.formats import Format, Notices, read, write
from engines.tracing.formats.detect import is_json, is_protobuf
from engines.tracing.pattern import PATTERN
from engines.tracing.spans import Kind, Span, Status
from engines.units import US_PER_S
from tests.engines.tracing.anyspans import spans, traces

TRACE, ROOT, CHILD = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", "53995c3f42cd8ad8"
START_NS = 1_700_000_000_000_000_000
PLAIN = (
    Span(TRACE, ROOT, "", "GET /cart", "gateway", Kind.SERVER, START_NS, START_NS + 90_000_000),
    Span(TRACE, CHILD, ROOT, "GET /cart", "cart", Kind.SERVER, START_NS + 1_000_000, START_NS + 80_000_000),
)


def again(data: bytes, name: str = "spans") -> list[Span]:
    return list(read(io.BytesIO(data), name))


def by_trace(found: list[Span]) -> list[Span]:
    """Traces in the order of their first spans, as Jaeger groups them."""
    order = {span.trace_id: -at for at, span in reversed(list(enumerate(found)))}
    return sorted(found, key=lambda span: -order[span.trace_id])


@pytest.mark.parametrize("form", Format)
@settings(max_examples=30)
@given(traces)
def test_what_is_exported_reads_back_as_the_same_spans(form: Format, given_spans: list[Span]) -> None:
    wanted = by_trace(given_spans) if form is Format.JAEGER else given_spans
    found = again(b"".join(write(given_spans, form)))
    assert found == wanted
    assert repr(found) == repr(wanted)


@pytest.mark.parametrize("form", Format)
def test_reading_does_not_depend_on_how_the_bytes_arrive(form: Format) -> None:
    class Drops(io.RawIOBase):
        def __init__(self, data: bytes) -> None:
            self.data = io.BytesIO(data)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any, /) -> int:
            return self.data.readinto(memoryview(buffer)[:7])

    data = b"".join(write(PLAIN, form))
    assert list(read(cast(BinaryIO, Drops(data)), "drops")) == list(PLAIN)


@settings(max_examples=30)
@given(spans)
def test_every_format_is_told_from_its_content(span: Span) -> None:
    for form in Format:
        data = b"".join(write([span], form))
        assert is_json(data) == (form is not Format.OTLP_PROTOBUF)
        assert is_protobuf(data) == (form is Format.OTLP_PROTOBUF)
        if form is not Format.OTLP_PROTOBUF:
            assert again(b"\n" + data) == again(b"\xef\xbb\xbf \r\n" + data) == [span]


def test_a_pretty_printed_document_reads_as_a_dense_one() -> None:
    for form in (Format.OTLP_JSON, Format.JAEGER, Format.ZIPKIN):
        data = json.loads(b"".join(write(PLAIN, form)))
        assert again(json.dumps(data, indent=2).encode()) == list(PLAIN)


def test_documents_may_follow_each_other_in_any_layout() -> None:
    one, two = (b"".join(write([span], Format.OTLP_JSON)).strip() for span in PLAIN)
    assert (
        again(one + two)
        == again(one + b"\n\n" + two + b"\r\n")
        == again(b"[" + one + b",\n" + two + b"]")
        == list(PLAIN)
    )


def test_two_formats_in_one_file_are_refused_with_their_place() -> None:
    mixed = b"".join(write(PLAIN, Format.OTLP_LINES)) + b"".join(write(PLAIN, Format.ZIPKIN))
    with pytest.raises(UserError, match=r"spans: line 2, byte \d+.*Zipkin v2 JSON after OTLP JSON: one format a file"):
        again(mixed)


def test_strings_that_are_equal_are_kept_once() -> None:
    span = PLAIN[0]._replace(attributes=(("http.method", "GET"),), resource=(("host.name", "a"),))
    data = b"".join(write([span] * 3, Format.OTLP_LINES)) + b"".join(write([span] * 2, Format.OTLP_LINES))
    found = again(data)
    assert len(found) == 5
    assert len({id(each.attributes[0]) for each in found}) == 1
    assert len({id(each.name) for each in found}) == 1


@pytest.mark.parametrize("form", Format)
def test_spans_of_plain_numbers_are_exported_as_well(form: Format) -> None:
    plain = [span._replace(kind=cast(Kind, int(span.kind)), status=cast(Status, int(span.status))) for span in PLAIN]
    assert b"".join(write(plain, form)) == b"".join(write(PLAIN, form))


@pytest.fixture(scope="module")
def simulated() -> list[Span]:
    """What a simulation has collected after three seconds."""
    run: Timeline[Any, Any] = Timeline(PATTERN.variants[0], 42)
    run.advance(3 * US_PER_S)
    seen = run.snapshot()
    found = [span for trace in seen.traces for span in seen.store.spans(trace.trace_id)]
    return [span._replace(kind=Kind(span.kind), status=Status(span.status)) for span in found]


@pytest.mark.parametrize("form", Format)
def test_a_simulated_run_is_exported_and_reads_back_without_a_notice(form: Format, simulated: list[Span]) -> None:
    notices = Notices()
    data = b"".join(write(simulated, form))
    assert list(read(io.BytesIO(data), "run", notices=notices)) == by_trace(simulated)
    assert len(simulated) > 100
    assert notices.lines() == []


def test_nothing_to_export_is_an_empty_file_of_its_format() -> None:
    for form in Format:
        data = b"".join(write([], form))
        with pytest.raises(UserError, match=r"holds no spans|is empty"):
            again(data)


def test_notices_are_silent_about_sound_data() -> None:
    for form in Format:
        notices = Notices()
        assert list(read(io.BytesIO(b"".join(write(PLAIN, form))), "spans", notices=notices)) == list(PLAIN)
        assert (notices.spans, notices.lines()) == (2, [])
