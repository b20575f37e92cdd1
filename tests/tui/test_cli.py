"""The command line is a contract: what it prints, with which status, and what it says of bad input."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engines import NAMES
from engines.consensus.pattern import PATTERN
from tests.commandline import dp_tui, dp_tui_process
from tests.ptyscreen import PATIENCE_S, ROOT, PtyApp, python

Run = Callable[..., subprocess.CompletedProcess[str]]


def report(*args: str, run: Run = dp_tui, **options: Any) -> dict[str, Any]:
    """The JSON of a run that went well."""
    done = run("run", *args, "--json", **options)
    assert done.returncode == 0, done.stderr
    data: dict[str, Any] = json.loads(done.stdout)
    return data


def refused(*args: str, run: Run = dp_tui, **options: Any) -> str:
    """The one line that says what was wrong."""
    done = run(*args, **options)
    assert done.returncode == 2, done.stdout
    assert done.stdout == ""
    assert done.stderr.startswith("dp-tui: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


# -- run -----------------------------------------------------------------------------------------------------------


def test_a_run_reports_what_the_contract_names() -> None:
    data = report("raft", "--seed", "7", "--until", "5s")
    assert data["pattern"] == "consensus"
    assert data["variant"] == "raft"
    assert data["seed"] == 7
    assert data["virtual_time_us"] == 5_000_000
    assert isinstance(data["events"], int)
    assert len(data["digest"]) == 32
    assert {check["name"] for check in data["checks"]} >= {"election safety", "log matching", "leader completeness"}
    assert all(set(check) == {"name", "ok", "detail", "witness"} for check in data["checks"])
    assert [server["id"] for server in data["snapshot"]["servers"]] == ["n1", "n2", "n3", "n4", "n5"]


def test_equal_runs_have_equal_digests_whatever_the_hash_seed() -> None:
    here = report("raft", "--until", "10s")  # under the hash seed that this process drew
    for seed in ("0", "77"):
        assert report("raft", "--until", "10s", run=dp_tui_process, env={"PYTHONHASHSEED": seed}) == here
    assert report("raft", "--until", "10s", "--seed", "43")["digest"] != here["digest"]


def test_a_run_lasts_a_minute_or_as_long_as_its_story() -> None:
    assert report("consensus")["virtual_time_us"] == 60_000_000
    story = PATTERN.scenario("figure-7")
    assert report("raft", "--scenario", "figure-7")["virtual_time_us"] == story.end_us


@pytest.mark.parametrize(
    ("text", "us"), [("1500ms", 1_500_000), ("2", 2_000_000), ("0.5s", 500_000), ("0.05m", 3_000_000)]
)
def test_lengths_of_time(text: str, us: int) -> None:
    assert report("raft", "--until", text)["virtual_time_us"] == us


def test_a_failed_check_is_status_1_and_says_whether_the_story_wanted_it() -> None:
    done = dp_tui("run", "raft", "--scenario", "figure-8-broken", "--json")
    assert done.returncode == 1
    failed = [check for check in json.loads(done.stdout)["checks"] if not check["ok"]]
    assert {check["name"] for check in failed} == {
        "leader completeness",
        "state machine safety",
        "applied entries stay",
    }
    assert all(check["expected"] is True and check["witness"] for check in failed)


def test_the_report_for_people_names_the_broken_check_and_its_witness() -> None:
    done = dp_tui("run", "raft", "--scenario", "disruptive-server")
    assert done.returncode == 1
    assert "FAILED  leader stability" in done.stdout
    assert "the scenario shows this" in done.stdout
    assert dp_tui("run", "raft", "--scenario", "pre-vote").returncode == 0


@pytest.mark.parametrize("nodes", [3, 9])
def test_clusters_of_other_sizes(nodes: int) -> None:
    assert len(report("raft", "--nodes", str(nodes), "--until", "3s")["snapshot"]["servers"]) == nodes


# -- list ----------------------------------------------------------------------------------------------------------


def test_list_names_patterns_variants_scenarios_and_nothing_unbuilt() -> None:
    data = json.loads(dp_tui("list", "--json").stdout)
    consensus = next(each for each in data["patterns"] if each["name"] == "consensus")
    assert [each["name"] for each in consensus["variants"]] == [each.name for each in PATTERN.variants]
    assert [each["name"] for each in consensus["scenarios"]] == [each.name for each in PATTERN.scenarios]
    assert [each["name"] for each in data["patterns"]] == list(NAMES)
    assert "scenario figure-8:" in dp_tui("list").stdout


def test_fidelity_says_what_is_left_out_and_where_common_wisdom_is_wrong() -> None:
    text = dp_tui("list", "--fidelity").stdout
    assert "left out" in text
    assert "simplified" in text
    assert "3f+1" in text


# -- bad usage -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("run", "nonsense"), ("'nonsense'", "consensus", "raft")),
        (("run", "raft", "--scenario", "nope"), ("'nope'", "figure-8")),
        (("run", "raft", "--variant", "pbft2"), ("'pbft2'", "raft")),
        (("run", "pbft", "--scenario", "election"), ("pbft", "election", "raft")),
        (("run", "raft", "--nodes", "0"), ("nodes", "between 1 and 9")),
        (("run", "raft", "--nodes", "many"), ("--nodes", "many")),
        (("run", "raft", "--nodes", "5", "--scenario", "election"), ("--nodes", "election")),
        (("run", "raft", "--until", "soon"), ("'soon'", "60s")),
        (("run", "raft", "--until", "-3s"), ("-3s",)),
        (("run", "raft", "--until", "99999999"), ("longer than a day",)),
        (("run", "raft", "--seed", "1.5"), ("--seed", "1.5")),
        (("run", "raft", "data.txt"), ("data.txt", "cannot be read")),
        (("run",), ("PATTERN",)),
        (("run", "raft", "--frobnicate"), ("--frobnicate",)),
        (("nonsense",), ("'nonsense'", "raft")),
        (("raft", "--speed", "0"), ("'0'", "1/100")),
        (("raft", "--speed", "fast"), ("'fast'", "1/20")),
        (("raft", "--fps", "99"), ("--fps", "99")),
        (("raft", "--glyphs", "emoji"), ("emoji", "braille")),
        (("replay", "/nowhere/at/all.json"), ("/nowhere/at/all.json", "cannot be read")),
        (("replay",), ("FILE",)),
        (("serve", "nonsense"), ("'nonsense'", "raft")),
        (("serve", "raft", "--scenario", "nonsense"), ("nonsense", "election")),
        (("serve", "--host", "example.org"), ("--host example.org", "127.0.0.1")),
        (("serve", "--keys", "/nowhere/keys"), ("/nowhere/keys", "authorized_keys")),
        (("serve", "--keys", "/nowhere/keys", "--anonymous"), ("--anonymous", "--keys")),
        (("serve", "--anonymous", "--host-key", "/"), ("--host-key /", "a file of your own")),
        (("serve", "--anonymous", "--glyphs", "ascii"), ("--glyphs", "--stage")),
        (("serve", "--web", "--public-url", "demo"), ("--public-url demo", "https://")),
        (("serve", "--anonymous", "--public-url", "https://x"), ("--public-url", "--web")),
        (("serve", "--port", "99999"), ("99999", "65535")),
        (("hunt",), ("PATTERN", "consensus")),
        (("hunt", "raft", "--seeds", "9..3"), ("9..3", "3..9")),
        (("hunt", "raft", "--seeds", "many"), ("many", "0..999")),
        (("hunt", "raft", "--seeds", "0..9", "--for", "10s"), ("--for", "--seeds")),
        (("hunt", "raft", "--seeds", "5.."), ("--seeds 5..", "--for")),
        (("hunt", "raft", "--for", "0s"), ("--for 0s", "10m")),
        (("hunt", "raft", "--break", "gravity"), ("gravity", "persist_vote")),
        (("hunt", "raft", "--faults", "wild"), ("wild", "hostile")),
        (("hunt", "raft", "--jobs", "0"), ("0", "1 to 256")),
        (("hunt", "raft", "--save", "/dev/null/x"), ("--save", "/dev/null/x", "another folder")),
        (("hunt", "raft", "--cluster", "tcp://127.0.0.1:1", "--jobs", "2"), ("--jobs", "--cluster")),
    ],
)
def test_bad_usage_is_one_line_and_status_2(args: tuple[str, ...], said: tuple[str, ...]) -> None:
    line = refused(*args)
    assert all(word in line for word in said), line


@pytest.mark.parametrize(
    "env", [{}, {"TERM": "dumb"}, {"TERM": ""}, {"NO_COLOR": "1"}, {"LC_ALL": "C"}], ids=lambda env: str(env)
)
def test_without_a_terminal_the_app_points_to_run(env: dict[str, str]) -> None:
    assert "dp-tui run" in refused("raft", env=env)


@pytest.mark.parametrize("env", [{}, {"LC_ALL": "C"}], ids=lambda env: str(env))
def test_a_process_without_a_terminal_points_to_run(env: dict[str, str]) -> None:
    assert "dp-tui run" in refused("raft", run=dp_tui_process, env=env)


def test_help_and_version_are_no_errors() -> None:
    assert "PATTERN" in dp_tui("--help").stdout
    assert dp_tui("--version").stdout.startswith("dp-tui ")


# -- replay --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with faults, saved by a session."""
    from tests.monkey import screen
    from tui.registry import PANELS
    from tui.session import Session

    session = Session(PANELS, "consensus")
    session.resize(120, 36)
    for keys in ("gk", "a", "zx", "h"):
        for _ in range(60):
            session.tick(100_000)
        for key in keys:
            session.press(key)
    assert re.search(r"checks (\d+)/\1 ok", screen(session))
    path: Path = tmp_path_factory.mktemp("runs") / "run.json"
    session.save(path)
    return path


def test_a_saved_run_replays_to_the_same_digest(saved: Path) -> None:
    done = dp_tui("replay", str(saved), "--headless")
    assert done.returncode == 0, done.stderr
    assert json.loads(saved.read_text())["digest"] in done.stdout
    assert dp_tui("replay", "-", "--headless", given=saved.read_bytes()).returncode == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 43}, "digest"),
        ({"digest": "0" * 32}, "digest"),
        ({"format": 99}, "format 99"),
        ({"engine_version": 999}, "version 999"),
        ({"pattern": "astrology"}, "'astrology'"),
        ({"variant": "paxos"}, "'paxos'"),
        ({"scenario": "none such"}, "'none such'"),
        ({"config": {"nodes": 50}}, "between 1 and 9"),
        ({"config": {"wheels": 4}}, "'wheels'"),
        ({"seed": "many"}, '"seed"'),
        ({"commands": [{"position": 5, "at_us": 1, "command": {"kind": "Explode"}}]}, "'Explode'"),
        ({"commands": [{"position": 5, "at_us": 1, "command": {"kind": "Crash"}}]}, "'node'"),
        ({"commands": [{"position": 0, "at_us": 1, "command": {"kind": "Crash", "node": "n77"}}]}, "n77"),
        ({"commands": 7}, '"commands"'),
        ({"end": {"position": 10**5, "at_us": 10}}, "the recording does not fit this engine"),
        ({"end": {"position": 10**12, "at_us": 10**15}}, "lies beyond the recording"),
        ({"end": {"position": 100, "at_us": 10**15}, "commands": []}, "digest"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_recording_that_was_changed_is_refused(
    saved: Path, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    data = json.loads(saved.read_text())
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(data | change))
    line = refused("replay", str(path), "--headless")
    assert "changed.json" in line
    assert said in line


def test_a_run_that_is_made_too_long_to_wait_for_shows_its_progress_and_can_be_stopped(
    saved: Path, tmp_path: Path
) -> None:
    data = json.loads(saved.read_text())
    end = {"position": 10**9, "at_us": 10**15}  # no file can ask for more: see tests/sim/test_recording.py
    path = tmp_path / "endless.json"
    path.write_text(json.dumps(data | {"end": end, "events": 10**9}))
    with PtyApp(python("-m", "tui", "replay", str(path), "--headless")) as app:
        app.wait_for("0 % of 1,000,000,000 steps, ")
        app.wait_for("/s, ctrl+c stops")
        app.send("ctrl+c")
        assert app.wait() == 130


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("run", "raft", "--nodes", "zz"), "'zz' is no whole number"),
        (("run", "raft", "--seed", "1.5"), "'1.5' is no whole number: write one from -"),
        (("raft", "--fps", "99"), "99: a whole number from 1 to 30 is accepted"),
        (("run", "sharding", "-", "--join", "x"), "'x' is no whole number"),
    ],
)
def test_a_number_that_is_none_is_refused_in_plain_words(args: tuple[str, ...], said: str) -> None:
    assert said in refused(*args)


@pytest.mark.parametrize("command", [("run", "sharding"), ("sharding",)], ids=lambda command: command[0])
def test_a_story_is_not_played_on_a_variant_that_it_does_not_belong_to(command: tuple[str, ...]) -> None:
    line = refused(*command, "--scenario", "mod-n", "--variant", "ring")
    assert "'mod-n' is one of 'modulo'" in line
    assert "--variant ring" in line


def test_a_report_without_anything_to_tell_has_no_heading_for_it() -> None:
    assert "the last of the journal" not in dp_tui("run", "raft", "--until", "0").stdout
    assert "the last of the journal" in dp_tui("run", "raft", "--until", "1").stdout


def test_a_truncated_recording_names_the_place(saved: Path, tmp_path: Path) -> None:
    text = saved.read_text()
    path = tmp_path / "short.json"
    for length in (0, 1, 40, len(text) // 2, len(text) - 3):
        path.write_text(text[:length])
        line = refused("replay", str(path), "--headless")
        assert "line " in line
        assert "column " in line


@pytest.mark.parametrize("piped", [False, True])
def test_a_recording_behind_a_byte_order_mark_is_read(saved: Path, piped: bool, tmp_path: Path) -> None:
    marked = b"\xef\xbb\xbf" + saved.read_bytes()
    path = tmp_path / "marked.json"
    path.write_bytes(marked)
    done = dp_tui("replay", "-" if piped else str(path), "--headless", given=marked)
    assert (done.returncode, done.stderr) == (0, "")
    assert "the same run" in done.stdout


def test_no_name_is_no_recording() -> None:
    for more in ((), ("--headless",), ("--line",)):
        said = refused("replay", "", *more)
        assert said.startswith("dp-tui: '': the name of a saved run")
        assert "is needed" in said


def test_noise_is_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "noise"
    path.write_bytes(bytes(range(256)))
    assert "not UTF-8" in refused("replay", str(path), "--headless")
    assert "not a dp-tui recording" in refused("replay", "-", "--headless", given="[1, 2]")
    assert "deeply" in refused("replay", "-", "--headless", given="[" * 100_000)
    assert "cannot be read" in refused("replay", str(tmp_path), "--headless")


# -- the user's own data -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "option", [("--scenario", "mod-n"), ("--until", "5s"), ("--seed", "7"), ("--variant", "ring")], ids=lambda o: o[0]
)
def test_what_is_for_the_simulation_is_refused_beside_a_file(option: tuple[str, str], tmp_path: Path) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text("a\nb\n")
    said = refused("run", "sharding", str(keys), *option)
    assert f"{option[0]} is for the simulation" in said
    assert "keys.txt brings its own data" in said


# -- help ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_the_help_names_patterns_commands_and_options(flag: str) -> None:
    text = dp_tui(flag).stdout
    for word in ("2 consensus, raft", "7 tracing", "replay", "list", "--theme", "--sandbox", "dp-tui PATTERN --help"):
        assert word in text


def test_the_help_of_a_pattern_lists_what_it_takes_and_nothing_else() -> None:
    sharding = dp_tui("run", "sharding", "-h").stdout
    for word in ("ring, modulo", "slot-migration", "--join-name", "--locate", "--until", "[FILE]", "--nodes"):
        assert word in sharding
    assert "--preset" not in sharding
    assert "--to " not in sharding
    raft = dp_tui("raft", "-h").stdout
    for word in ("figure-8-broken", "--speed", "--seed", "--skip-bad", "[FILE]"):
        assert word in raft
    for word in ("--join", "--preset", "--until"):
        assert word not in raft
    tracing = " ".join(dp_tui("7", "-h").stdout.split())
    assert "OTLP JSON" in tracing
    assert "--nodes" not in tracing
    assert "--to" not in tracing
    assert "--to [otlp-json|" in dp_tui("run", "7", "-h").stdout


def test_every_preset_is_in_the_help() -> None:
    from engines.resilience.presets import PRESETS

    text = " ".join(dp_tui("run", "resilience", "-h").stdout.replace("-\n", "-").split()).replace("- ", "-")
    assert all(name in text for name in PRESETS)


def test_a_pattern_is_known_by_its_number_too() -> None:
    one, two = (json.loads(dp_tui("run", name, "--until", "1s", "--json").stdout) for name in ("2", "raft"))
    assert one["digest"] == two["digest"]
    assert json.loads(dp_tui("run", "--until", "1s", "--json", "raft").stdout)["digest"] == one["digest"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("run", "sharding", "f", "--preset", "x"), "it is one of resilience"),
        (("run", "raft", "--join", "2"), "it is one of sharding"),
        (("tracing", "f", "--to", "zipkin"), "it is one of dp-tui run tracing"),
        (("sharding", "f", "--to", "zipkin"), "it is one of dp-tui run tracing"),
        (("run", "sharding", "--speed", "2"), "dp-tui run sharding has no such option; it has --variant"),
        (("run", "9"), "'9'"),
        (("5x",), "'5x'"),
    ],
)
def test_an_option_of_somebody_else_is_refused_with_whose_it_is(args: tuple[str, ...], said: str) -> None:
    assert said in refused(*args)


def test_fidelity_says_each_thing_once() -> None:
    lines = [line.strip() for line in dp_tui("list", "--fidelity").stdout.splitlines()]
    told = [line for line in lines if line.startswith(("modelled ", "simplified ", "left out "))]
    assert len(told) > 20
    assert len(told) == len(set(told))


def test_the_stream_that_is_redirected_is_named() -> None:
    with PtyApp(["/bin/sh", "-c", f"{' '.join(python('-m', 'tui', 'raft'))} 2>/dev/null; echo status $?"]) as app:
        app.wait_for("status 2")
    with PtyApp(["/bin/sh", "-c", f"{' '.join(python('-m', 'tui', 'raft'))} >/dev/null; echo status $?"]) as app:
        app.wait_for("status 2")
        assert "standard output is not a terminal" in app.text()


def test_a_run_comes_from_standard_input_as_a_file_or_as_a_line(saved: Path, tmp_path: Path) -> None:
    line = dp_tui("replay", "--line", str(saved)).stdout
    (tmp_path / "run.txt").write_text(line)
    for file, given in (("-", saved.read_text()), ("-", line), (str(tmp_path / "run.txt"), "")):
        done = dp_tui("replay", file, "--headless", given=given)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith(f"{file}: ")
    cut = dp_tui("replay", "-", "--headless", given=line[:-9])
    assert cut.returncode == 2
    assert "this line was cut or altered" in cut.stderr


def test_data_comes_through_a_pipe_and_keys_from_the_terminal(saved: Path) -> None:
    program = " ".join(python("-m", "tui", "--sandbox"))
    with PtyApp(["/bin/sh", "-c", f"cat {saved} | {program.replace('--sandbox', '')} replay - --sandbox"]) as app:
        app.wait_for("PAUSED")
        app.send("?")
        app.wait_for("help: Consensus")
        app.send("ctrl+c")
        assert app.wait() == 0


# -- figures -------------------------------------------------------------------------------------------------------


def test_a_report_has_figures_not_only_checks() -> None:
    data = json.loads(dp_tui("run", "raft", "--scenario", "election", "--json").stdout)
    figures, snapshot = data["figures"], data["snapshot"]
    assert figures["committed"] == snapshot["commit"] > 0
    assert figures["term"] == snapshot["term"]
    assert figures["elections_won"] == 2, "the first one, and that after the crash of the leader"
    assert figures["elections_begun"] >= figures["elections_won"]
    assert figures["commands_done"] == sum(client["done"] for client in snapshot["clients"])
    text = dp_tui("run", "raft", "--scenario", "election").stdout
    assert f"committed {figures['committed']}" in text
    assert "elections won 2" in text


# -- output --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("args", [("list", "--fidelity"), ("run", "raft", "--until", "1s"), ("run", "raft", "--json")])
def test_a_closed_pipe_is_no_failed_check(args: tuple[str, ...]) -> None:
    with subprocess.Popen(
        python("-m", "tui", *args), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "koi8-r"])
def test_text_never_fails_for_its_encoding(encoding: str, tmp_path: Path) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text("schl\u00fcssel\n\u6f22\u5b57\n", encoding="utf-8")
    args = ("run", "sharding", str(keys), "--locate", "--nodes", "3")
    here = dp_tui(*args, encoding=encoding)
    if encoding == "latin-1":
        process = dp_tui_process(*args, env={"PYTHONIOENCODING": encoding}, encoding=encoding)
        assert (process.returncode, process.stdout, process.stderr) == (0, here.stdout, "")
    assert here.returncode == 0
    assert here.stderr == ""
    assert "\\u6f22\\u5b57" in here.stdout


def test_two_runs_of_a_kind_are_not_opened_together_but_compared(saved: Path) -> None:
    assert "a second run of Raft" in refused("replay", str(saved), str(saved), env={"TERM": "dumb"})
    done = dp_tui("replay", str(saved), str(saved), "--headless")
    assert done.returncode == 0
    assert done.stdout.count("the same run") == 2


def test_every_pattern_says_what_a_run_came_to_in_figures() -> None:
    from tui import report
    from tui.registry import PANELS

    for panel in PANELS:
        variant = panel.pattern.variant(panel.variants[0] if panel.variants else panel.pattern.variants[0].name)
        figures = report.run(panel, variant, 1, (), None, 2_000_000).figures
        assert len(figures) >= 5, panel.pattern.name
        assert len({each.name for each in figures}) == len(figures)
        assert all(each.name.replace("_", "").isalnum() for each in figures)


def test_what_is_accepted_is_listed_in_the_order_of_the_tabs() -> None:
    said = dp_tui("run", "rafft").stderr
    names = said.partition("one of ")[2].partition(" is accepted")[0].split(", ")
    assert names[:3] == ["consistency", "consensus", "sharding"]
    assert names.index("tracing") < names.index("raft") < names.index("pbft")


def test_the_help_of_a_variant_lists_its_own_stories_first() -> None:
    said = " ".join(dp_tui("pbft", "--help").stdout.split()).replace("- ", "-")
    assert "Play this story: pbft-request," in said
    said = " ".join(dp_tui("raft", "--help").stdout.split()).replace("- ", "-")
    assert "Play this story: election," in said


def test_a_name_never_breaks_the_line_or_commands_the_terminal() -> None:
    done = dp_tui("run", "consensus", "no\nsuch\x1b[31m file")
    assert (done.returncode, done.stderr) == (
        2,
        "dp-tui: no\\nsuch\\x1b[31m file: cannot be read: No such file or directory\n",
    )


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that opens and cannot be read: /proc")
def test_a_disk_that_fails_is_the_trouble_of_the_file_and_not_of_the_output() -> None:
    done = dp_tui("run", "consensus", "/proc/self/mem")
    assert (done.returncode, done.stderr) == (2, "dp-tui: /proc/self/mem: cannot be read: Input/output error\n")


@pytest.mark.parametrize(
    ("arguments", "end"),
    [
        (("run", "tracing", "--scenario", "x" * 5_000), " is accepted"),
        (("run", "raft", "--until", "9x" * 3_000), "write 60s, 1500ms or 2m"),
    ],
)
def test_what_is_very_long_is_cut_where_it_is_quoted(arguments: tuple[str, ...], end: str) -> None:
    """The line still says what, and what would be accepted."""
    said = refused(*arguments)
    assert len(said) < 600
    assert "..." in said
    assert said.rstrip().endswith(end)


def test_standard_input_holds_one_run() -> None:
    assert "standard input holds one saved run" in refused("replay", "-", "-")


@pytest.mark.parametrize("pattern", ["events", "cqrs"])
def test_a_demo_store_that_cannot_be_written_is_named_itself(tmp_path: Path, pattern: str) -> None:
    said = refused(pattern, "--demo-store", str(tmp_path / "none" / "x.db"))
    assert f"{tmp_path}/none/x.db: No such file or directory: a writer needs a folder that exists" in said
    assert "x.db-lock" not in said
    assert refused(pattern, "--demo-store", "") == "dp-tui: --demo-store '': name a file that does not exist\n"


def test_a_folder_without_a_name_is_asked_for() -> None:
    assert refused("hunt", "raft", "--seeds", "0..0", "--save", "").startswith("dp-tui: --save '': name a folder")
