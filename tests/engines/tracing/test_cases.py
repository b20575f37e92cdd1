"""Small files that other tools wrote, each read as what it says. The files stand in ``cases``."""

from io import BytesIO
from pathlib import Path
from typing import Final

import pytest

from engines.errors import UserError
from engines.sim.pattern import Check
from engines.sim.random import Stream
from engines.tracing.critical import critical_path
from engines.tracing.formats import Format, Notices, read, write
from engines.tracing.judge import judge
from engines.tracing.recorded import VARIANT, source
from engines.tracing.spans import Kind, Span
from engines.tracing.tree import Flaw, Tree, build
from tui.userdata import tracing_report

CASES = Path(__file__).with_name("cases")
READABLE = sorted(path.stem for path in CASES.glob("*.json") if path.stem != "jaeger-tag-key-int")


def spans_of(case: str, notices: Notices | None = None) -> list[Span]:
    with (CASES / f"{case}.json").open("rb") as stream:
        return list(read(stream, case, notices=notices))


def tree_of(case: str) -> Tree:
    return build(spans_of(case))


def path_of(case: str) -> list[tuple[str, float]]:
    """(operation, milliseconds) along the critical path."""
    tree = tree_of(case)
    return [(tree.spans[each.row].name, each.duration_us / 1_000) for each in critical_path(tree).segments]


@pytest.mark.parametrize("case", READABLE)
@pytest.mark.parametrize("form", Format)
def test_export_and_import_are_the_identity(case: str, form: Format) -> None:
    if form is Format.OTLP_PROTOBUF:
        pytest.importorskip("opentelemetry.proto.trace.v1.trace_pb2")
    spans = spans_of(case)
    assert list(read(BytesIO(b"".join(write(spans, form))), case)) == spans


def test_tags_that_zipkin_sends_late_join_their_span() -> None:
    tree = tree_of("zipkin-late-tags")
    assert (tree.duration_us, tree.real, tree.counts) == (10_000, 2, {})
    assert tree.spans[tree.root].get("user") == "7"
    assert judge(spans_of("zipkin-late-tags"), "x").virtual_time_us == 10_000


def test_a_record_without_a_time_never_becomes_the_root_of_1970() -> None:
    late = spans_of("zipkin-late-tags")
    tree = build([late[1], late[2]])  # the record with the time of span a is lost
    assert tree.spans[tree.root].span_id == late[0].span_id
    assert (tree.start_us[tree.root], tree.duration_us) == (late[1].start_us, 8_000)
    assert tree.notes[0].kind == Flaw.NO_TIME


def test_calls_tried_again_under_one_id_each_enclose_their_answer() -> None:
    tree = tree_of("zipkin-retry-same-id")
    begin = tree.start_us[tree.root]
    back = [row for row in range(tree.real) if tree.spans[row].service == "back"]
    assert [(tree.start_us[row] - begin, tree.end_us[row] - begin) for row in back] == [(1_500, 3_500), (5_500, 8_500)]
    above = [tree.spans[tree.parent[row]] for row in back]
    assert [(each.kind, each.get("attempt")) for each in above] == [(Kind.CLIENT, "1"), (Kind.CLIENT, "2")]
    assert Flaw.DUPLICATE_ID not in tree.counts


def test_zipkins_ids_are_padded() -> None:
    tree = tree_of("zipkin-unpadded-ids")
    assert tree.trace_id == "0bf92f3577b34da6a3ce929d0e0e4736"
    assert [span.span_id for span in tree.spans] == ["00f067aa0ba902b7", "a0f067aa0ba902b7"]
    assert tree.parent == [-1, 0]


def test_bytes_in_the_alphabet_of_urls() -> None:
    (span,) = spans_of("otlp-bytes-urlsafe")
    assert span.get("k") == b"\xff\xef"


def test_scopes_as_otlp_called_them_before_2022() -> None:
    assert [(span.service, span.scope.name) for span in spans_of("otlp-old-and-new-scope")] == [
        ("web", "x"),
        ("old", "x"),
    ]


def test_a_line_break_in_a_name_begins_no_line_of_the_report() -> None:
    notices = Notices()
    spans = spans_of("names-newline", notices)
    assert "forged" in spans[0].name
    lines = tracing_report.lines(judge(spans, "x", notices))
    assert any("SELECT *\n" in line for line in lines), "one name, one line: whoever prints it escapes the break"


def test_a_duration_that_went_below_zero_is_noted_and_columns_keep_a_blank() -> None:
    notices = Notices()
    found = judge(spans_of("jaeger-duration-overflow", notices), "x", notices)
    assert found.notices[0].startswith("1 span that lasts 531 years: its exporter miscounted, first: line 1")
    row = next(line for line in tracing_report.lines(found) if line.startswith("db q"))
    assert row.split()[-4:] == ["16,746,744,074", "s", "16,746,744,074", "s"]


def test_a_straggler_is_not_the_root_of_a_longer_trace() -> None:
    tree = tree_of("late-small-root")
    assert tree.is_missing(tree.root)
    assert (tree.duration_us, tree.extent_us) == (9_000_000, 10_001_000)
    result = judge(spans_of("late-small-root"), "x")
    assert "10.00 s with all its spans" in next(line for line in tracing_report.lines(result) if "9.00 s" in line)


@pytest.mark.parametrize("case", ["tempo-api-v1", "otlp-base64-ids"])
def test_what_tempo_and_kiali_write(case: str) -> None:
    assert path_of(case) == [("GET /", 20), ("SELECT", 60), ("GET /", 20)]
    assert tree_of(case).trace_id == "0102030405060708090a0b0c0d0e0f10"


def test_tempos_second_api_wraps_the_trace() -> None:
    whole = (CASES / "otlp-base64-ids.json").read_bytes()
    assert list(read(BytesIO(b'{"trace":' + whole + b',"metrics":{}}'), "x")) == spans_of("otlp-base64-ids")


def test_a_key_that_is_no_text_is_refused_in_one_line() -> None:
    with pytest.raises(UserError) as caught:
        spans_of("jaeger-tag-key-int")
    assert str(caught.value).startswith("jaeger-tag-key-int: line 1, byte 9, at data[0].spans[0].tags: a list of")
    assert "\n" not in str(caught.value)


def test_the_id_of_the_trace_may_stand_on_the_trace_alone() -> None:
    (span,) = spans_of("jaeger-traceid-on-trace-only")
    assert (span.trace_id, span.span_id) == (f"{'abc':0>32}", f"{'1':0>16}")


def test_an_id_with_the_dashes_of_a_uuid() -> None:
    text = '[{"traceId":"4BF92F35-77b3-4da6-a3ce-929d0e0e4736","id":"1","timestamp":1700000000000000}]'
    (span,) = read(BytesIO(text.encode()), "x")
    assert span.trace_id == "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"took":3,"hits":{"hits":[{"_source":{"traceID":"1"}}]}}', "documents of Elasticsearch"),
        ('{"_index":"jaeger-span-2024-01-01","_source":{"traceID":"1"}}', "documents of Elasticsearch"),
        ('{"@timestamp":"2024-01-01","transaction":{}}', "an Elastic APM server"),
        ('{"resourceSpans":[{"scope_spans":[{"spans":[]}]}]}', "which OTLP JSON calls scopeSpans"),
        ('{"resource_spans":[]}', "OTLP JSON writes resourceSpans"),
        ('{"resourceLogs":[]}', "document with resourceLogs, which is no trace"),
    ],
)
def test_a_file_without_spans_says_why(text: str, reason: str) -> None:
    with pytest.raises(UserError, match=r"no spans|no trace|documents|resourceSpans") as caught:
        list(read(BytesIO(text.encode()), "x"))
    assert reason in str(caught.value)


# -- mutated input -------------------------------------------------------------------------------------------------

MUTATED: Final = 2_000
"""In ``make test``; ten times as many in ``make soak``."""
OPENED: Final = 4
"""Of so many files that can be read one is opened, as the app does."""


def mutated(data: bytes, draw: Stream) -> bytes:
    """The bytes with a few of them changed, left out, doubled, or swapped for what often breaks readers."""
    found = bytearray(data)
    for _ in range(1 + draw.below(4)):
        at = draw.below(len(found))
        match draw.below(5):
            case 0:
                found[at] = draw.below(256)
            case 1:
                del found[at : at + 1 + draw.below(20)]
            case 2:
                found[at:at] = found[at : at + draw.below(30)]
            case 3:
                found[at:at] = (b"null", b"-1", b"1e400", b'"\\ud800"', b"[[", b"}", b"\x00", b'{"a":')[draw.below(8)]
            case 4:
                found[at:] = b""
        if not found:
            return b"{"
    return bytes(found)


def nothing_but_the_users_error(numbers: range) -> None:
    """Every mutated file is read or refused in one line, and what is read is judged; some of it is opened as well."""
    files = [path.read_bytes() for path in sorted(CASES.glob("*.json"))]
    spans = spans_of("zipkin-retry-same-id")
    files += [b"".join(write(spans, form)) for form in (Format.JAEGER, Format.OTLP_LINES, Format.OTLP_PROTOBUF)]
    for number in numbers:
        draw = Stream(number, "mutated")
        data = mutated(files[draw.below(len(files))], draw)
        for skip_bad in (False, True):
            said = ""
            checks: tuple[Check, ...] = ()
            try:
                found = list(read(BytesIO(data), "x", skip_bad=skip_bad))
                checks = judge(found, "x").checks
                if number % OPENED == 0:
                    run = VARIANT.on(source(found, "x", "0" * 64)).make(0, ())
                    run.run(1 << 90, len(found))
                    checks += run.check()
            except UserError as error:
                said = str(error)
            assert "\n" not in said, (number, said)
            assert all(check.ok for check in checks), number


def test_of_mutated_files_none_ends_in_a_traceback() -> None:
    nothing_but_the_users_error(range(MUTATED))


@pytest.mark.soak
def test_of_very_many_mutated_files_none_ends_in_a_traceback() -> None:
    nothing_but_the_users_error(range(MUTATED, 10 * MUTATED))
