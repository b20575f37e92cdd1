"""``dp-tui run tracing FILE``: the contract of its JSON in every format, the hygiene of odd files, what it refuses."""

import io
import json
import re
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engines.errors import UserError
from engines.sim.recording import SourceFile
from engines.sim.timeline import Timeline
from engines.tracing.formats import Format, read, write
from engines.tracing.spans import Kind, Span, Status
from tests.commandline import dp_tui
from tests.engines.tracing.requests import login
from tests.monkey import screen
from tests.ptyscreen import PtyApp, python
from tui.options import FORMATS, SPAN_FORMATS, DataOptions
from tui.progress import Progress
from tui.registry import PANELS
from tui.session import Session
from tui.userdata import reader, reopen, tracing
from tui.userdata.verdict_words import lack_words

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
START_NS = 1_700_000_000_000_000_000
MS = 1_000_000


def span(number: int, parent: int, start_ms: float, end_ms: float, service: str = "api", **fields: Any) -> Span:
    """A span by number, relative to the start of the trace."""
    start_ns, end_ns = (START_NS + int(at * MS) for at in (start_ms, end_ms))
    given: dict[str, Any] = {
        "trace_id": TRACE,
        "name": f"op{number}",
        "kind": Kind.SERVER,
        "start_ns": start_ns,
        "end_ns": end_ns,
    }
    ids = {"span_id": f"{number:016x}", "parent_id": f"{parent:016x}" if parent else ""}
    return Span(**(given | ids | {"service": service} | fields))


SOUND = [
    span(1, 0, 0, 100, "gateway"),
    span(2, 1, 10, 40, "auth", status=Status.ERROR),
    span(3, 1, 45, 95, "cart"),
]


def saved(path: Path, spans: Iterable[Span] = SOUND, form: Format = Format.OTLP_JSON) -> str:
    path.write_bytes(b"".join(write(spans, form)))
    return str(path)


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Judge spans, or bytes, and give the JSON."""

    def judge(given: Iterable[Span] | bytes, form: Format = Format.OTLP_JSON, **options: Any) -> dict[str, Any]:
        path = tmp_path / "spans"
        path.write_bytes(given if isinstance(given, bytes) else b"".join(write(given, form)))
        tracing.report(str(path), DataOptions(**options), True)
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return judge


def refused(path: Path, data: bytes, **options: Any) -> str:
    path.write_bytes(data)
    with pytest.raises(UserError) as caught:
        tracing.report(str(path), DataOptions(**options), True)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


# -- the contract --------------------------------------------------------------------------------------------------


def test_the_json_has_the_fields_of_every_run_and_those_of_this_pattern(run: Any) -> None:
    found = run(SOUND)
    assert list(found)[:7] == ["pattern", "variant", "seed", "virtual_time_us", "events", "digest", "checks"]
    assert {"snapshot", "traces", "services", "diagnosis"} <= set(found)
    assert (found["pattern"], found["variant"], found["seed"]) == ("tracing", None, None)
    assert (found["virtual_time_us"], found["events"]) == (100_000, 3)
    assert found["services"] == ["auth", "cart", "gateway"]
    (trace,) = found["traces"]
    assert {
        key: trace[key] for key in ("trace_id", "spans", "services", "errors", "missing_parents", "duration_us")
    } == {
        "trace_id": TRACE,
        "spans": 3,
        "services": 3,
        "errors": 1,
        "missing_parents": 0,
        "duration_us": 100_000,
    }


def test_the_critical_path_is_a_partition_of_the_root(run: Any) -> None:
    (trace,) = run(SOUND)["traces"]
    path = trace["critical_path"]
    assert set(path[0]) == {"span_id", "service", "operation", "start_us", "end_us"}
    assert [(each["service"], each["end_us"] - each["start_us"]) for each in path] == [
        ("gateway", 10_000),
        ("auth", 30_000),
        ("gateway", 5_000),
        ("cart", 50_000),
        ("gateway", 5_000),
    ]
    assert [each["end_us"] for each in path[:-1]] == [each["start_us"] for each in path[1:]]
    assert trace["self_time_us"] == {"cart/op3": 50_000, "auth/op2": 30_000, "gateway/op1": 20_000}


@pytest.mark.parametrize("form", Format)
def test_every_format_gives_the_same_judgement(run: Any, form: Format) -> None:
    assert run(SOUND, form) == run(SOUND)


def test_the_digest_tells_different_data_apart(run: Any) -> None:
    assert run(SOUND)["digest"] == run(SOUND)["digest"] != run(SOUND[:2])["digest"]


def test_below_100_traces_there_is_no_diagnosis_and_the_reason_is_given(run: Any) -> None:
    found = run(SOUND)
    assert found["diagnosis"] is None
    assert "100" in found["diagnosis_reason"]


def test_from_100_traces_on_the_slow_service_is_named(run: Any) -> None:
    spans = []
    for at in range(300):
        slow = at % 50 == 0
        for each in (
            span(1, 0, 0, 400 if slow else 100, "gateway"),
            span(2, 1, 10, 340 if slow else 40, "auth"),
            span(3, 1, 345 if slow else 45, 395 if slow else 95, "cart"),
        ):
            spans.append(each._replace(trace_id=f"{at + 1:032x}"))
    found = run(spans)
    assert found["diagnosis_reason"] == ""
    assert found["diagnosis"]["verdict"]["service"] == "auth"
    assert all(check["ok"] for check in found["checks"])


def test_standard_input_is_read_for_a_dash(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    data = b"".join(write(SOUND, Format.OTLP_PROTOBUF))
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(data)))
    assert tracing.report("-", DataOptions(), True)
    assert json.loads(capsys.readouterr().out)["snapshot"]["file"] == "standard input"


def test_the_report_for_people_names_the_file_the_traces_and_the_checks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(tmp_path / "spans.json")
    assert tracing.report(path, DataOptions(), False)
    text = capsys.readouterr().out
    assert text.startswith(f"3 spans of {path}: 1 trace, 3 services, 1 error, 0 missing parents")
    assert "ok      critical path: " in text


def test_names_from_the_file_send_no_control_characters_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(tmp_path / "spans", [span(1, 0, 0, 9, "caf\u00e9", name="\x1b[31mred\x07\u202e")])
    tracing.report(path, DataOptions(), False)
    text = capsys.readouterr().out
    assert "caf\u00e9 \\x1b[31mred\\x07\\u202e" in text
    assert text.replace("\n", "").isprintable()


def test_bad_records_are_skipped_and_counted_where_that_is_asked_for(run: Any, tmp_path: Path) -> None:
    data = b"".join(write(SOUND, Format.OTLP_LINES)) + b'{"resourceSpans":tru}\n{"a":1}\n'
    assert refused(tmp_path / "x", data).startswith("line 2, byte ")
    found = run(data, skip_bad=True)
    assert found["events"] == 3
    assert any("2 bad records skipped, first: " in line for line in found["snapshot"]["notices"])


def test_another_format_is_printed_on_request(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    path = saved(tmp_path / "spans")
    for name in SPAN_FORMATS:
        assert tracing.report(path, DataOptions(to=name), False)
        data = capsysbinary.readouterr().out
        assert data == b"".join(write(SOUND, Format(name)))
        assert list(read(io.BytesIO(data), name)) == SOUND


def test_the_formats_of_the_command_line_are_those_that_are_written() -> None:
    assert list(SPAN_FORMATS) == [form.value for form in Format]
    assert reader("tracing") is tracing
    assert len(FORMATS["tracing"]) == 4


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"nodes": 5}, "--nodes: traces take --skip-bad, --to"),
        ({"join": 1}, "--join: traces take --skip-bad, --to"),
        ({"to": "jaeger"}, "--json and --to: one of the two is accepted"),
    ],
)
def test_options_of_other_data_are_refused(tmp_path: Path, options: dict[str, Any], what: str) -> None:
    path = saved(tmp_path / "spans")
    with pytest.raises(UserError, match=what):
        tracing.report(path, DataOptions(**options), True)


def test_the_app_does_not_print(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="dp-tui run tracing FILE --to"):
        tracing.opening(saved(tmp_path / "spans"), DataOptions(to="jaeger"))


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(UserError, match="cannot be read"):
            tracing.report(str(path), DataOptions(), True)


# -- the command ---------------------------------------------------------------------------------------------------


def test_the_command_judges_a_file_and_standard_input_alike(tmp_path: Path) -> None:
    path = saved(tmp_path / "spans", form=Format.JAEGER)
    by_name, by_pipe = (
        dp_tui("run", "tracing", path, "--json"),
        dp_tui("run", "tracing", "-", "--json", given=Path(path).read_bytes()),
    )
    assert (by_name.returncode, by_pipe.returncode) == (0, 0)
    assert json.loads(by_name.stdout)["traces"] == json.loads(by_pipe.stdout)["traces"]


def test_the_command_ends_with_2_and_one_line_for_what_it_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    path.write_bytes(b"".join(write(SOUND, Format.OTLP_JSON))[:-40])
    found = dp_tui("run", "tracing", str(path))
    assert (found.returncode, found.stdout, found.stderr.count("\n")) == (2, "", 1)
    assert found.stderr.startswith(f"dp-tui: {path}: line 1, byte ")


# -- as a run ------------------------------------------------------------------------------------------------------


def test_a_file_opens_as_a_run_one_trace_a_step(tmp_path: Path) -> None:
    spans = [each._replace(trace_id=f"{at + 1:032x}") for at in range(5) for each in SOUND]
    path = saved(tmp_path / "spans", spans)
    opening = tracing.opening(path, DataOptions())
    assert opening.variant is not None
    timeline: Timeline[Any, Any] = Timeline(opening.variant, 0, opening.config)
    assert timeline.step()
    timeline.advance(timeline.engine.end_us)  # type: ignore[attr-defined]
    assert timeline.position == 5


def test_a_saved_run_finds_its_file_again_and_notices_a_change(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    opening = tracing.opening(saved(path), DataOptions())
    assert opening.variant is not None
    assert opening.variant.source is not None
    file = SourceFile(str(path), opening.variant.source.sha256, False)
    assert reopen("tracing", file).sha256 == file.sha256
    saved(path, SOUND[:2])
    with pytest.raises(UserError, match="changed since the run was saved"):
        reopen("tracing", file)


def test_the_hash_covers_what_stands_behind_a_broken_message(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    sound = b"".join(write(SOUND, Format.OTLP_PROTOBUF))
    hashes = []
    for tail in (b"\x12\x00" + b"a" * 100_000, b"\x12\x00" + b"b" * 100_000):
        path.write_bytes(sound + tail)
        opening = tracing.opening(str(path), DataOptions(skip_bad=True))
        assert opening.variant is not None
        assert opening.variant.source is not None
        hashes.append(opening.variant.source.sha256)
    assert hashes[0] != hashes[1]


# -- hygiene: every odd trace as a file ----------------------------------------------------------------------------


def notes(found: dict[str, Any]) -> str:
    """Everything that is said about odd data."""
    said = [*found["snapshot"]["notices"], *found["snapshot"]["wrong"]]
    return "\n".join(said + [note for trace in found["traces"] for note in trace["notes"]])


HYGIENE: dict[str, tuple[list[Span], str]] = {
    "duplicate ids": ([*SOUND, span(3, 1, 45, 60, "cart")], "duplicate"),
    "a cycle": ([*SOUND, span(8, 9, 20, 30), span(9, 8, 20, 30)], "cycle"),
    "only a cycle": ([span(8, 9, 20, 30), span(9, 8, 20, 30)], "cycle"),
    "its own parent": ([span(8, 8, 20, 30)], "cycle"),
    "an orphan": ([*SOUND, span(4, 77, 50, 60)], "missing"),
    "several roots": ([*SOUND, span(4, 0, 50, 60)], "root"),
    "a span id of zeros": ([*SOUND, span(0, 1, 50, 60)], "zeros"),
    "a trace id of zeros": ([each._replace(trace_id="0" * 32) for each in SOUND], "zeros"),
    "end before start": ([*SOUND, span(4, 1, 60, 50)], "end"),
    "start 0": ([*SOUND, span(4, 1, 50, 60)._replace(start_ns=0)], "starts at 0"),
}


@pytest.mark.parametrize("case", HYGIENE)
@pytest.mark.parametrize("form", Format)
def test_odd_traces_are_judged_and_what_is_odd_is_said(run: Any, case: str, form: Format) -> None:
    spans, said = HYGIENE[case]
    found = run(spans, form)
    assert found["events"] == len(spans)
    assert said in notes(found)
    for trace in found["traces"]:
        path = trace["critical_path"]
        assert sum(each["end_us"] - each["start_us"] for each in path) == trace["duration_us"]
        assert path or trace["notes"]


@pytest.mark.parametrize(
    ("form", "shrunk", "unit"),
    [
        (Format.OTLP_JSON, 1_000_000_000, "seconds"),
        (Format.OTLP_LINES, 1_000_000, "milliseconds"),
        (Format.OTLP_PROTOBUF, 1_000, "microseconds"),
        (Format.JAEGER, 1_000, "milliseconds"),
        (Format.ZIPKIN, 1_000_000, "seconds"),
    ],
)
def test_times_in_the_wrong_unit_are_suspicious(run: Any, form: Format, shrunk: int, unit: str) -> None:
    unit_ns = 1_000 if form in (Format.JAEGER, Format.ZIPKIN) else 1

    def late(at_ns: int) -> int:
        return at_ns // shrunk // unit_ns * unit_ns

    found = run([each._replace(start_ns=late(each.start_ns), end_ns=late(each.end_ns)) for each in SOUND], form)
    assert f"3 of 3 spans have times that look like {unit}: nothing was converted" in notes(found)


@pytest.mark.parametrize("form", [Format.OTLP_LINES, Format.OTLP_PROTOBUF, Format.JAEGER])
def test_a_trace_of_8_000_levels_is_judged(run: Any, form: Format) -> None:
    depth = 8_000
    spans = [span(at + 1, at, at / 1_000, 20 - at / 1_000) for at in range(depth)]
    (trace,) = run(spans, form)["traces"]
    assert (trace["spans"], trace["duration_us"]) == (depth, 20_000)
    assert sum(each["end_us"] - each["start_us"] for each in trace["critical_path"]) == 20_000


def test_100_000_spans_are_judged(run: Any) -> None:
    spans = [span(at + 1, 0 if at == 0 else 1 + (at - 1) // 10, 0, 2_000, f"s{at % 70}") for at in range(100_000)]
    found = run(spans, Format.OTLP_PROTOBUF)
    (trace,) = found["traces"]
    assert (found["events"], trace["spans"], trace["services"]) == (100_000, 100_000, 70)
    assert sum(each["end_us"] - each["start_us"] for each in trace["critical_path"]) == trace["duration_us"]


# -- what cannot be read -------------------------------------------------------------------------------------------


def test_truncated_mixed_and_noisy_files_are_refused_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "spans"
    dense = {form: b"".join(write(SOUND, form)) for form in Format}
    for form in Format:
        cut = refused(path, dense[form][: len(dense[form]) * 2 // 3])
        assert "byte " in cut
        assert "truncated?" in cut
    assert "line 2, byte " in refused(path, dense[Format.OTLP_LINES] + dense[Format.JAEGER])
    assert "one format a file" in refused(path, dense[Format.JAEGER] + dense[Format.ZIPKIN])
    assert "byte 0: neither JSON nor OTLP protobuf" in refused(path, bytes(range(256)) * 40)
    assert "no ResourceSpans of OTLP protobuf" in refused(path, b"\x0a\x05\x0a\x99\x01\x02\x03")
    assert "is empty" in refused(path, b"")


def test_wrong_ids_are_refused_with_their_path(tmp_path: Path) -> None:
    data = b"".join(write(SOUND, Format.OTLP_JSON)).replace(b'"0000000000000002"', b'"2"', 1)
    message = refused(tmp_path / "spans", data)
    assert "scopeSpans[0].spans[0].spanId: '2' is no id: 16 hexadecimal digits are accepted" in message


# -- in the app ----------------------------------------------------------------------------------------------------


def test_a_file_in_the_app_is_saved_replayed_and_refused_when_it_has_changed(tmp_path: Path) -> None:
    spans = [each._replace(trace_id=f"{at + 1:032x}") for at in range(5) for each in SOUND]
    path = saved(tmp_path / "spans.json", spans)
    env = {"XDG_STATE_HOME": str(tmp_path / "state"), "HOME": str(tmp_path)}
    with PtyApp(python("-m", "tui", "tracing", path), size=(120, 36), env=env) as app:
        app.wait_for("3 spans, 3 services")
        app.send("f")
        app.wait_for("recorded data: faults need a simulation")
        app.send("esc")
        app.wait_for(lambda screen: "apply" not in screen.text())
        app.send(",")
        app.wait_for("4 traces")
        app.send("q")
        assert app.wait() == 0
    (run,) = (tmp_path / "state").rglob("*.json")
    done = dp_tui("replay", str(run), "--headless")
    assert done.returncode == 0, done.stderr
    assert "the same run" in done.stdout
    saved(Path(path), spans[:-1])
    refused_run = dp_tui("replay", str(run), "--headless")
    assert (refused_run.returncode, refused_run.stdout) == (2, "")
    assert refused_run.stderr.startswith(f"dp-tui: {path}: changed since the run was saved")
    assert refused_run.stderr.count("\n") == 1


def session_of(path: str) -> Session:
    """The app on a FILE, without a terminal."""
    return Session(PANELS, "tracing", recorded=tracing.opening(path, DataOptions()).variant, sandbox=True)


def test_what_was_odd_about_the_file_stands_in_the_journal(tmp_path: Path) -> None:
    late = [each._replace(start_ns=each.start_ns // 1_000_000, end_ns=each.end_ns // 1_000_000) for each in SOUND]
    session = session_of(saved(tmp_path / "spans.json", late))
    for size in ((80, 24), (120, 36)):
        session.resize(*size)
        shown = " ".join(re.sub(r"[^ -~]", " ", screen(session)).split())
        assert "3 of 3 spans have times that look like milliseconds" in shown


# -- progress ------------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """A standard error that somebody watches."""

    def isatty(self) -> bool:
        return True


def test_a_long_reading_says_how_far_it_is_and_how_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter(range(100))
    monkeypatch.setattr("time.monotonic", lambda: float(next(now)))
    terminal = Terminal()
    progress = Progress("spans\n.json", "bytes", 280_000_000, stream=terminal)
    progress.at(35_000_000)
    assert terminal.getvalue() == "\rspans?.json: 12 % of 280 MB, 35 MB/s, ctrl+c stops\x1b[K"
    progress.counted("traces judged", 1, 2_000)
    progress.counted("traces judged", 500, 2_000)
    assert "spans?.json: 500 of 2,000 traces judged, 500/s, ctrl+c stops" in terminal.getvalue()
    progress.close()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_nobody_who_does_not_watch_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tracing.report(saved(tmp_path / "spans.json"), DataOptions(), False)
    assert capsys.readouterr().err == ""


def test_every_trace_is_counted_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, int, int]] = []
    monkeypatch.setattr(Progress, "counted", lambda self, *given: told.append(given))
    path = saved(tmp_path / "spans.json")
    tracing.judged(path, DataOptions())
    tracing.opening(path, DataOptions())
    assert told == [("traces judged", 1, 1), ("traces worked out", 1, 1)]


# -- one trace, one root, a baseline ---------------------------------------------------------------------------------


def logins_file(path: Path, count: int, **steps: Any) -> str:
    spans = [each for number in range(count) for each in login(number, auth_us=2_000 + number % 7, **steps)]
    path.write_bytes(b"".join(write(spans, Format.OTLP_LINES)))
    return str(path)


def test_one_trace_is_exported_by_the_beginning_of_its_id(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    path = logins_file(tmp_path / "spans.json", 12)
    trace = read(io.BytesIO(Path(path).read_bytes()), "x")
    wanted = next(trace).trace_id
    tracing.report(path, DataOptions(trace=wanted, to="jaeger"), False)
    exported = list(read(io.BytesIO(capsysbinary.readouterr().out), "x"))
    assert {span.trace_id for span in exported} == {wanted}
    hexadecimal = "a trace id or its beginning is accepted, in hex, as 4bf92f"
    for unclear, said in (
        ("f", "no trace begins so"), ("0", "12 traces begin so: "), ("", hexadecimal), (" ", hexadecimal),
        ("login", hexadecimal),
    ):  # fmt: skip
        with pytest.raises(UserError, match=said):
            tracing.report(path, DataOptions(trace=unclear, to="jaeger"), False)


@pytest.mark.parametrize("options", [DataOptions(), DataOptions(baseline="")])
def test_a_file_without_a_name_is_refused(options: DataOptions, tmp_path: Path) -> None:
    file = logins_file(tmp_path / "spans.json", 12) if options.baseline is not None else ""
    with pytest.raises(UserError, match=r"^'': the name of a file is accepted, or - for standard input$"):
        tracing.report(file, options, False)


def test_with_a_baseline_the_report_says_what_became_slower(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    now = logins_file(tmp_path / "now.json", 60, db_us=9_000)
    before = logins_file(tmp_path / "before.json", 80)
    assert tracing.report(now, DataOptions(baseline=before), False)
    text = capsys.readouterr().out
    assert "auth-db is slow now: " in text
    assert "60 now against 80 in the baseline" in text
    opened = tracing.opening(now, DataOptions(baseline=before))
    assert opened.variant is not None
    assert opened.variant.source is not None
    assert opened.variant.source.path == "", "a saved run names one file, so it cannot be replayed from one"


def test_a_root_operation_is_chosen_and_an_unknown_one_is_refused_with_those_there_are(tmp_path: Path) -> None:
    path = logins_file(tmp_path / "spans.json", 120)
    found = tracing.judged(path, DataOptions(root="web GET /login")).examination
    assert [(each.service, each.operation) for each in found.diagnoses] == [("web", "GET /login")]
    with pytest.raises(UserError, match=r"of 1 root operations: 'web GET /login'"):
        tracing.judged(path, DataOptions(root="web GET /logout"))
    with pytest.raises(UserError, match=r"a service and an operation are accepted"):
        tracing.judged(path, DataOptions(root="web"))


def test_an_ordinary_tail_is_called_ordinary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spans = [each for number in range(120) for each in login(number, auth_us=2_000 + number * 37 % 900)]
    path = tmp_path / "spans.json"
    path.write_bytes(b"".join(write(spans, Format.OTLP_LINES)))
    tracing.report(str(path), DataOptions(), False)
    text = capsys.readouterr().out
    assert "an ordinary tail: nothing stands out" in text
    assert "in 9 of 10 resamples of" in text
    assert "is slow at p99" not in text


# -- one part against the rest ---------------------------------------------------------------------------------------


def incident_file(path: Path) -> str:
    """Of 200 logins, one every ten seconds, 100 to 139 find a slow database on another host."""
    found = [each for i in range(100) for each in login(i)]
    found += [each for i in range(100, 140) for each in login(i, db_us=60_000, host="h2")]
    return saved(path, [*found, *(each for i in range(140, 200) for each in login(i))])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"window": "1000s..1400s"}, "40 in the window against 160 outside it"),
        ({"window": "1000s.."}, "100 in the window against 100 outside it"),
        ({"where": "host.name=h2"}, "40 in the chosen traces against 160 in the others"),
    ],
)
def test_some_traces_are_set_against_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: dict[str, Any], said: str
) -> None:
    path = incident_file(tmp_path / "spans.json")
    assert tracing.report(path, DataOptions(**options), False)
    text = capsys.readouterr().out
    assert "auth-db is slow in the " in text
    assert said in text
    opened = tracing.opening(path, DataOptions(**options))
    assert opened.variant is not None
    assert opened.variant.source is not None
    assert opened.variant.source.path == "", "a saved run does not hold the choice, so it cannot be replayed"


def test_the_window_that_the_data_propose_is_reported_with_what_is_different_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = incident_file(tmp_path / "spans.json")
    assert tracing.report(path, DataOptions(), False)
    text = capsys.readouterr().out
    assert "a change\n  40 traces from 16:40.000 to 23:10.000 differ from the 160 outside it: --window 10" in text
    assert tracing.report(path, DataOptions(), True)
    found = json.loads(capsys.readouterr().out)["window"]
    assert (found["from_us"], found["to_us"], found["inside"]) == (1_000_000_000, 1_390_000_001, 40)
    assert found["diagnosis"]["comparison"] == "window"
    assert found["verdicts"][0]["service"] == "auth-db"


def test_failures_are_reported_with_the_walk_to_where_they_begin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spans = [each for i in range(80) for each in login(i)]
    spans += [each._replace(status=Status.ERROR) for i in range(80, 110) for each in login(i)]
    path = saved(tmp_path / "spans.json", spans)
    assert tracing.report(path, DataOptions(), False)
    text = capsys.readouterr().out
    assert "failures\n  30 of 110 requests of web GET /login fail, 100 % of them first in auth-db SELECT tokens" in text
    assert "100 % fail now, 0 % before" in text
    assert tracing.report(path, DataOptions(errors=True), True)
    found = json.loads(capsys.readouterr().out)["failures"][0]
    assert (found["failed"], found["first"][0]["service"], found["walk"][-1]["traces"]) == (30, "auth-db", 30)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"window": "40s"}, r"--window '40s': a stretch of time, as 41\.2s\.\.72s"),
        ({"window": "9s..3s"}, r"--window '9s\.\.3s': the window ends before it begins"),
        (
            {"window": "0s..0s"},
            r"--window '0s\.\.0s': the window is empty: 41",
        ),
        ({"window": "version=v2"}, r"--window 'version=v2': a stretch of time, as 41\.2s\.\.72s or 1m\.\. is accepted"),
        ({"window": "soon..3s"}, r"'soon\.\.3s': 'soon' is no length of time; 41\.2s, 1500ms or 2m is one"),
        ({"window": "9000s.."}, r"it begins after the data, which last 1,990"),
        ({"where": "version"}, r"--where 'version': KEY=VALUE, as version=v2 is accepted$"),
        ({"where": "errors"}, r"--where 'errors': KEY=VALUE, as version=v2 is accepted$"),
        ({"window": "soon"}, r"--window 'soon': a stretch of time, as 41\.2s\.\.72s or 1m\.\. is accepted$"),
        ({"where": "host.name=h3"}, r"no trace has it; host\.name is 'h1', 'h2' there"),
        ({"where": "version=v2"}, r"no trace has it; no span has that attribute"),
        ({"where": "a=b", "errors": True}, r"--where and --errors: one comparison at a time"),
    ],
)
def test_a_choice_that_cannot_be_made_is_refused_with_what_could(
    tmp_path: Path, options: dict[str, Any], what: str
) -> None:
    path = incident_file(tmp_path / "spans.json")
    with pytest.raises(UserError, match=what):
        tracing.judged(path, DataOptions(**options))


def test_errors_of_traces_none_of_which_fails_say_so(tmp_path: Path) -> None:
    path = tmp_path / "sound.json"
    path.write_bytes(b"".join(write(SOUND, Format.OTLP_JSON)))
    found = tracing.judged(str(path), DataOptions(errors=True))
    assert found.examination.lack is not None
    assert lack_words(found.examination.lack) == (
        "no request fails, so there is nothing to set against those that go well"
    )
