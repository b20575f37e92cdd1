"""``dp-tui run resilience FILE``: the contract of its JSON, its report for people, and what it refuses."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engines.errors import UserError
from engines.resilience.calllog import LoggedCall
from engines.resilience.presets import PRESETS
from engines.sim.recording import SourceFile
from engines.sim.timeline import Timeline
from tui.cli import main
from tui.glyphs import BRAILLE
from tui.layout import arrange
from tui.options import DataOptions
from tui.panel import Focus
from tui.panels import resilience as panel
from tui.userdata import reopen, resilience

CALLS = [LoggedCall(i * 50_000, not 100 <= i < 400, 20_000) for i in range(2_000)]


def lines(calls: list[LoggedCall] = CALLS) -> str:
    return "".join(
        json.dumps({"at_ms": call.at_us / 1_000, "ok": call.ok, "duration_ms": call.duration_us / 1_000}) + "\n"
        for call in calls
    )


@pytest.fixture
def log(tmp_path: Path) -> str:
    path = tmp_path / "calls.jsonl"
    path.write_text(lines())
    return str(path)


def run(capsys: pytest.CaptureFixture[str], file: str, **options: Any) -> dict[str, Any]:
    assert resilience.report(file, DataOptions(**options), True)
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_json_has_the_fields_of_every_run_and_those_of_this_pattern(
    capsys: pytest.CaptureFixture[str], log: str
) -> None:
    found = run(capsys, log, preset="hystrix")
    assert list(found)[:8] == [
        "pattern", "variant", "seed", "virtual_time_us", "events", "digest", "checks", "snapshot"
    ]  # fmt: skip
    assert (found["pattern"], found["variant"], found["seed"], found["preset"]) == (
        "resilience", "hystrix", None, "hystrix"
    )  # fmt: skip
    assert (found["virtual_time_us"], found["events"]) == (1_999 * 50_000 + 20_000, 2_000)
    assert set(found["checks"][0]) == {"name", "ok", "detail", "witness"}
    assert len(found["admitted"]) == 2_000
    assert {type(each) for each in found["admitted"]} == {bool}
    first = found["transitions"][0]
    assert list(first) == ["at_ms", "from", "to", "why"]
    assert (first["from"], first["to"]) == ("closed", "open")
    assert {each["to"] for each in found["transitions"]} == {"open", "half_open", "closed"}


def test_times_are_whole_numbers_of_milliseconds_where_they_can_be(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text(lines([LoggedCall(1_500, False, 250)]) + lines([LoggedCall(3_000, True, 0)]))
    found = run(capsys, str(path), preset="opossum")
    assert [each["at_ms"] for each in found["transitions"]] == [1.75]
    assert found["admitted"] == [True, False]
    assert found["virtual_time_us"] == 1_500


def test_without_a_preset_it_is_the_article_s(capsys: pytest.CaptureFixture[str], log: str) -> None:
    assert run(capsys, log)["preset"] == "article"


def test_compare_finds_for_every_preset_what_it_finds_alone(capsys: pytest.CaptureFixture[str], log: str) -> None:
    together = run(capsys, log, compare=True)
    assert list(together["presets"]) == list(PRESETS)
    for name in PRESETS:
        alone = run(capsys, log, preset=name)
        assert together["presets"][name]["transitions"] == alone["transitions"]
        assert together["presets"][name]["admitted"] == alone["admitted"]
        assert together["presets"][name]["summary"]["rejected"] == alone["snapshot"]["rejected"]
    assert together["variant"] is None


def test_equal_runs_have_equal_digests(capsys: pytest.CaptureFixture[str], log: str, tmp_path: Path) -> None:
    other = tmp_path / "same.jsonl"
    other.write_text(lines().replace(", ", ","))
    digest = run(capsys, log)["digest"]
    assert digest == run(capsys, log)["digest"] == run(capsys, str(other))["digest"]
    assert digest != run(capsys, log, preset="polly")["digest"]


def test_the_report_for_people_tells_the_transitions_and_the_laws(capsys: pytest.CaptureFixture[str], log: str) -> None:
    assert resilience.report(log, DataOptions(), False)
    text = capsys.readouterr().out
    assert "2,000 calls of" in text
    assert "failed, threshold >= 50 %" in text
    assert "closed > open: " in text
    assert "ok      open rejects: no call passed an open breaker" in text
    assert "at the end closed: opens when >= 50 % of the calls of 10 s failed" in text


def test_the_comparison_for_people_has_a_row_a_preset(capsys: pytest.CaptureFixture[str], log: str) -> None:
    assert resilience.report(log, DataOptions(compare=True), False)
    text = capsys.readouterr().out
    rows = {line.split()[0]: line.split() for line in text.splitlines() if line.split()[:1] and line[0].isalpha()}
    assert set(PRESETS) <= set(rows)
    assert len({rows[name][3] for name in PRESETS}) > 3, "they disagree about this log"


def test_a_log_that_trips_nothing_says_so(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text(lines([LoggedCall(0, True, 1_000)]))
    assert resilience.report(str(path), DataOptions(), False)
    assert "none\n" in capsys.readouterr().out


def test_dash_is_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines().encode())))
    found = run(capsys, "-")
    assert (found["snapshot"]["file"], found["events"]) == ("standard input", 2_000)


def test_bad_lines_are_skipped_and_counted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text(lines() + '{"at_ms": 1}\n' + '{"at_ms": 1, "ok": tru')
    found = run(capsys, str(path), skip_bad=True)
    assert (found["snapshot"]["skipped"], found["events"]) == (2, 2_000)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"preset": "netflix"}, r"unknown preset 'netflix': one of article, hystrix, resilience4j, .* is accepted"),
        ({"preset": "polly", "compare": True}, r"--preset and --compare: one of the two is accepted"),
        ({"rf": 3}, r"--rf: a call log takes --preset, --compare, --sort, --skip-bad"),
        ({"nodes": 3}, r"--nodes: a call log takes"),
    ],
)
def test_options_that_make_no_sense_are_refused(log: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        resilience.report(log, DataOptions(**options), True)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"calls\.jsonl: cannot be read: No such file"):
        resilience.report(str(tmp_path / "calls.jsonl"), DataOptions(), True)
    with pytest.raises(UserError, match=r"cannot be read: Is a directory"):
        resilience.report(str(tmp_path), DataOptions(), True)


def test_a_bad_line_is_named_with_its_file(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_bytes(lines().encode() + b'{"at_ms": 99999999, "ok": true, "duration_ms": NaN}\n')
    with pytest.raises(UserError, match=rf"^{path}: line 2001: NaN is no number of JSON"):
        resilience.report(str(path), DataOptions(), True)
    with pytest.raises(UserError, match=rf"^{path}: line 2001: NaN"):
        resilience.opening(str(path), DataOptions())


def test_the_app_opens_the_log_as_a_run(log: str) -> None:
    opening = resilience.opening(log, DataOptions(preset="polly"))
    assert opening.variant is not None
    assert opening.config == (("preset", "polly"),)
    timeline: Any = Timeline(opening.variant, 0, opening.config)
    timeline.advance(1 << 50)
    assert timeline.position == 4_000
    assert timeline.snapshot().preset == "polly"
    assert timeline.snapshot().recorded


def test_a_saved_run_finds_its_log_again_unless_it_was_changed(log: str) -> None:
    opening = resilience.opening(log, DataOptions())
    assert opening.variant is not None
    source = opening.variant.source
    assert source is not None
    again = reopen("resilience", SourceFile(log, source.sha256, False))
    assert list(again.records) == list(source.records)
    Path(log).write_text(lines(CALLS[:-1]))
    with pytest.raises(UserError, match="changed since the run was saved"):
        reopen("resilience", SourceFile(log, source.sha256, False))


def test_the_app_takes_no_comparison(log: str) -> None:
    with pytest.raises(UserError, match="the app takes --preset"):
        resilience.opening(log, DataOptions(compare=True))


def test_a_compressed_log_is_named_as_what_it_is_not(tmp_path: Path) -> None:
    gzip = tmp_path / "calls.jsonl.gz"
    gzip.write_bytes(b"\x1f\x8b\x08\x00rest")
    with pytest.raises(UserError, match=r"line 1, column 2: byte 0x8b is not UTF-8"):
        resilience.report(str(gzip), DataOptions(), True)


# -- on the command line ---------------------------------------------------------------------------------------------


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """``dp-tui`` with these words: exit status, output, errors."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("tui.cli.PANELS", (panel.PANEL,))
        monkeypatch.setattr("sys.argv", ["dp-tui", *words])
        with pytest.raises(SystemExit) as left:
            main()
        assert isinstance(left.value.code, int)
        return left.value.code, *capsys.readouterr()

    return run


def test_a_log_without_a_broken_law_is_exit_0(cli: Callable[..., tuple[int, str, str]], log: str) -> None:
    status, out, err = cli("run", "resilience", log, "--preset", "resilience4j", "--json")
    assert (status, err) == (0, "")
    assert json.loads(out)["preset"] == "resilience4j"
    assert cli("run", "resilience", log, "--compare")[0] == 0


def test_a_broken_law_is_exit_1(
    cli: Callable[..., tuple[int, str, str]], log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engines.resilience.breaker.Breaker.acquire", lambda self, now_us: self.era)
    status, out, _ = cli("run", "resilience", log)
    assert status == 1
    assert "FAILED  open rejects: no call passed an open breaker" in out
    assert "passed an open breaker" in out.split("FAILED")[1].splitlines()[1], "with a witness"


FINE = '{"at_ms": 1, "ok": true, "duration_ms": 2}\n'


@pytest.mark.parametrize(
    ("data", "words", "message"),
    [
        ("", [], "holds no calls: one a line is needed"),
        (
            FINE + '{"at_ms": 0, "ok"',
            [],
            "line 2, column 18: the file ends in the",
        ),
        ('{"at_ms": -5, "ok": true, "duration_ms": 2}\n', ["--json"], "line 1, column 2: at_ms is -5: a number"),
        ("{}\n", ["--compare"], "line 1: ok is missing: true or false is accepted"),
        (
            FINE,
            ["--preset", "istio"],
            "unknown preset 'istio': one of article",
        ),
        (
            FINE,
            ["--compare", "--preset", "polly"],
            "one of the two is accepted",
        ),
        (FINE, ["--locate"], "--locate: dp-tui run resilience has no such option"),
    ],
)
def test_bad_input_is_exit_2_and_one_line(
    cli: Callable[..., tuple[int, str, str]], tmp_path: Path, data: str, words: list[str], message: str
) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text(data)
    status, out, err = cli("run", "resilience", str(path), *words)
    assert (status, out) == (2, "")
    assert err.startswith("dp-tui: ")
    assert err.count("\n") == 1
    assert message in err


def test_options_of_data_without_a_file_are_refused(cli: Callable[..., tuple[int, str, str]]) -> None:
    status, _, err = cli("run", "resilience", "--preset", "polly")
    assert status == 2
    assert "--preset is for a FILE of your own data, and none is named" in err


# -- in the app ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
def test_the_panel_draws_and_narrates_every_moment_of_a_log(preset: str, log: str) -> None:
    opening = resilience.opening(log, DataOptions(preset=preset))
    assert opening.variant is not None
    timeline: Any = Timeline(opening.variant, 0, opening.config)
    for until_us in range(0, 110_000_000, 10_000_000):
        timeline.advance(until_us)
        for columns, rows in ((80, 24), (120, 36)):
            panel.PANEL.view(timeline.snapshot(), Focus(), arrange(columns, rows).sizes(), BRAILLE)
        panel.PANEL.status(timeline.snapshot())
    events = timeline.engine.told(600)
    assert {"breaker_moved", "call_rejected"} <= {event.kind for event in events}
    assert all(panel.PANEL.narrate(event) for event in events)


def test_a_share_is_cut_off_in_the_heading_as_it_is_below(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "under.jsonl"
    path.write_text(lines([LoggedCall(i * 100_000, i < 12, 20_000) for i in range(21)]))
    assert resilience.report(str(path), DataOptions(), False)
    text = capsys.readouterr().out
    assert "9 (42.8 %) failed" in text
    assert "9 of 21 (42.8 %)" in text


def test_run_sorts_a_log_if_it_is_asked_to_and_says_how_if_not(
    cli: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    rows = [(0, True, 100), (5, True, 3), (3, False, 200), (4, False, 1)]
    path = tmp_path / "calls.jsonl"
    path.write_text("".join(json.dumps({"at_ms": a, "ok": ok, "duration_ms": d}) + "\n" for a, ok, d in rows))
    status, _, err = cli("run", "resilience", str(path))
    assert status == 2
    assert "line 3" in err
    assert "--sort" in err
    status, out, _ = cli("run", "resilience", str(path), "--sort", "--json")
    assert status == 0
    assert json.loads(out)["admitted"] == [True] * 4
    assert json.loads(out)["snapshot"]["failed"] == 2
