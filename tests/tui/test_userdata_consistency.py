"""``dp-tui run consistency FILE`` and the same in the app: verdicts, formats, bad input."""

import json
from pathlib import Path
from typing import Any

import pytest

from engines.consistency.pattern import PATTERN
from engines.errors import UserError
from engines.sim import recording
from engines.sim.timeline import Timeline
from tests.commandline import dp_tui
from tui.options import DataOptions
from tui.userdata import reopen
from tui.userdata.consistency import opening

INVERSION = """{:process 0, :type :invoke, :f :write, :value 1, :time 1000000}
{:process 1, :type :invoke, :f :read, :value nil, :time 2000000}
{:process 1, :type :ok, :f :read, :value 1, :time 4000000}
{:process :nemesis, :type :info, :f :kill, :value "n1", :time 4500000}
{:process 2, :type :invoke, :f :read, :value nil, :time 5000000}
{:process 2, :type :ok, :f :read, :value 0, :time 7000000}
{:process 0, :type :ok, :f :write, :value 1, :time 9000000}
"""


def judged(text: str, *options: str) -> dict[str, Any]:
    done = dp_tui("run", "consistency", "-", "--json", *options, given=text)
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if all(check["ok"] for check in found["checks"]) else 1)
    return found


def test_a_history_is_judged_as_the_contract_says() -> None:
    found = judged(INVERSION)
    assert found["pattern"] == "consistency"
    assert found["seed"] is None
    assert found["operations"] == 3
    assert found["virtual_time_us"] == 8_000
    assert set(found["models"]) == {
        "linearizable", "regular", "sequential", "causal", "ccv", "cm", "pram", "ryw", "mr", "mw", "wfr", "convergence",
    }  # fmt: skip
    broken = found["models"]["linearizable"]
    assert broken["verdict"] == "violation"
    assert broken["witness"][-1] == "first impossible return: p2 r 0"
    assert found["models"]["sequential"] == {"verdict": "ok", "witness": None, "why": None}
    assert found["models"]["convergence"]["verdict"] == "unknown"
    assert found["snapshot"]["faults"] == 1
    assert judged(INVERSION)["digest"] == found["digest"]


def test_models_can_be_named_and_must_fit() -> None:
    assert judged(INVERSION, "--model", "multi-register")["variant"] == "multi-register"
    assert judged(INVERSION, "--model", "cas-register")["models"]["linearizable"]["verdict"] == "violation"
    done = dp_tui("run", "consistency", "-", "--model", "mutex", given=INVERSION)
    assert done.returncode == 2
    assert "the model mutex knows acquire, release" in done.stderr


def test_a_history_is_written_as_a_timeline_and_as_a_shiviz_log() -> None:
    drawn = dp_tui("run", "consistency", "-", "--to", "ascii", given=INVERSION).stdout
    assert [line[0] for line in drawn.splitlines()] == ["0", "1", "2"]
    again = judged(drawn)
    assert again["models"]["linearizable"]["verdict"] == "violation"
    log = dp_tui("run", "consistency", "-", "--to", "shiviz", given=drawn).stdout
    found = judged(log)
    assert found["variant"] == "shiviz"
    assert found["models"]["linearizable"]["verdict"] == "unknown"
    assert found["events"] == 6


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "empty"),
        ("hello\n", "line 1: no client history"),
        (INVERSION + "{:process 9, :type :ok, :f :read, :value 1}\n", "line 8: process 9 returns ok without"),
        ('event\nA {"A": 2}\n', "line 2: A counts 2 where 1 is next"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(text: str, what: str) -> None:
    done = dp_tui("run", "consistency", "-", given=text)
    assert done.returncode == 2
    assert what in done.stderr
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_options_of_others_are_refused() -> None:
    done = dp_tui("run", "consistency", "-", "--seed", "3", given=INVERSION)
    assert done.returncode == 2


def test_a_history_opens_as_a_run_and_a_verdict_falls_where_it_shows(tmp_path: Path) -> None:
    path = tmp_path / "history.edn"
    path.write_text(INVERSION)
    begin = opening(str(path), DataOptions())
    assert begin.variant is not None
    run: Timeline[Any, Any] = Timeline(begin.variant, 0, ())
    broken = []
    while run.step():
        snapshot = run.snapshot()
        broken.append([model.name for model in snapshot.models if model.verdict.broken])
    assert broken == [[], [], [], [], ["linearizable"], ["linearizable"]]
    assert run.snapshot().recorded
    assert [mark.what for mark in run.snapshot().marks] == ["nemesis kill n1"]
    assert [check.name for check in run.check() if not check.ok] == ["linearizable"]
    run.seek(2)
    assert [each.status.value for each in run.snapshot().history.operations] == ["info", "info"]


CLOCKS = """one\na {"a": 1}\ntwo\nb {"b": 1, "a": 1}\n"""


def test_a_log_with_vector_clocks_opens_in_the_app(tmp_path: Path) -> None:
    file = tmp_path / "log.txt"
    file.write_text(CLOCKS)
    turned = tmp_path / "turned.txt"
    turned.write_text('a | {"a": 1} | one\nb | {"b": 1, "a": 1} | two\n')
    parser = r"(?<host>\S+) \| (?<clock>{.*}) \| (?<event>.*)"
    for path, options in ((file, DataOptions()), (turned, DataOptions(parser=parser))):
        variant = opening(str(path), options).variant
        assert variant is not None
        run: Timeline[Any, Any] = Timeline(variant, 0)
        run.advance(1 << 40)
        assert [(each.host, each.text) for each in run.snapshot().logged] == [("a", "one"), ("b", "two")]
    broken = tmp_path / "broken.txt"
    broken.write_text("""one\na {"a": 2}\n""")
    with pytest.raises(UserError, match="line 2"):
        opening(str(broken), DataOptions())


def test_a_saved_run_reads_the_file_again_as_it_was_read(tmp_path: Path) -> None:
    turned = tmp_path / "turned.txt"
    turned.write_text('a | {"a": 1} | one\nb | {"b": 1, "a": 1} | two\n')
    variant = opening(str(turned), DataOptions(parser=r"(?<host>\S+) \| (?<clock>{.*}) \| (?<event>.*)")).variant
    assert variant is not None
    run: Timeline[Any, Any] = Timeline(variant, 0)
    run.advance(1 << 40)
    saved = recording.record(PATTERN, run)
    again = recording.read(saved, "run.json", [PATTERN], reopen).open()
    assert again.digest() == run.digest()
    assert again.snapshot().logged == run.snapshot().logged
    with pytest.raises(UserError, match="read with an option 'shell': one of model, parser is accepted"):
        recording.read(saved.replace('"parser"', '"shell"'), "run.json", [PATTERN], reopen)
