"""``dp-tui hunt``: what it prints, with which status, and what becomes of it when it is interrupted."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engines.consensus.pattern import PATTERN
from engines.errors import UserError
from engines.hunt import Here, Search
from tests.commandline import dp_tui, dp_tui_process
from tests.ptyscreen import PATIENCE_S, PtyApp, python
from tests.tui.test_cli import refused
from tui import files
from tui.hunt_options import Asked
from tui.hunting import Interrupt, Summary
from tui.terminal.signals import SIGNALS


def test_a_sound_engine_is_status_0_and_says_what_bit() -> None:
    done = dp_tui("hunt", "raft", "--seeds", "0..15", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    for said in ("seeds with usual faults", "checks evaluated", "0 seeds failed", "machines killed", "situations"):
        assert said in done.stdout, done.stdout
    assert done.stderr == ""


def test_what_is_found_is_saved_printed_and_replayed(tmp_path: Path) -> None:
    folder = tmp_path / "finds"
    done = dp_tui_process(
        "hunt", "raft", "--seeds", "0..7", "--jobs", "2", "--break", "persist_vote", "--save", str(folder), "--json"
    )
    assert done.returncode == 1, done.stderr
    data: dict[str, Any] = json.loads(done.stdout)
    assert (data["first_seed"], data["next_seed"]) == (0, 8)
    assert data["seeds"] + len(data["idle"]) == 8
    assert data["steps"] > 500
    found = data["found"][0]
    assert found["check"] == "terms and votes survive"
    assert found["inputs"] == 2
    assert found["drawn"]["config"]["persist_vote"] is False
    assert found["drawn"]["kinds"]
    assert found["witness"]
    for what in (found["file"], found["line"]):
        again = dp_tui("replay", "--headless", what)
        assert again.returncode == 1
        assert f"FAILED  {found['check']} at t " in again.stdout
        assert f": {found['detail']}" in again.stdout
        assert "breaks terms and votes survive" in again.stdout
    printed = dp_tui("replay", "--line", found["file"])
    assert (printed.returncode, printed.stdout.strip()) == (0, found["line"])
    text = dp_tui("hunt", "raft", "--seeds", "0..7", "--jobs", "1", "--break", "persist_vote").stdout
    assert "CHECK FAILED  terms and votes survive" in text
    assert found["line"] in text


def test_a_setting_that_is_given_is_not_drawn_and_fixed_draws_none() -> None:
    hunt = ("hunt", "raft", "--seeds", "0..5", "--jobs", "1", "--break", "persist_vote", "--json")
    drawn = json.loads(dp_tui(*hunt, "--set", "nodes=3", "--set", "noop=off").stdout)
    assert drawn["settings"] == {"nodes": 3, "noop": False, "persist_vote": False}
    assert drawn["found"][0]["drawn"]["config"]["nodes"] == 3
    fixed = json.loads(dp_tui(*hunt, "--fixed").stdout)
    assert fixed["found"][0]["drawn"]["config"] == {"persist_vote": False}
    ring = dp_tui("hunt", "sharding", "--seeds", "0..0", "--jobs", "1", "--set", 'user_keys=[["a", 1]]', "--json")
    assert json.loads(ring.stdout)["settings"] == {"user_keys": [["a", 1]]}


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("nodes=99", "it must lie between 1 and 9"),
        ("nodes=x", "takes a value of type int"),
        ("nodes", "write NAME=VALUE"),
        ("noddes=3", "one of nodes, workload"),
        ("pre_vote=3", "pre_vote is on or off"),
        ("workload=5", "one of off, light, busy, flood"),
    ],
)
def test_a_setting_that_makes_no_sense_is_one_clear_line(setting: str, said: str) -> None:
    line = refused("hunt", "raft", "--seeds", "0..1", "--set", setting)
    assert line.startswith(f"dp-tui: --set {setting}: ")
    assert said in line


def test_a_story_of_the_other_algorithm_is_said_to_be_its_own() -> None:
    line = refused("hunt", "pbft", "--scenario", "figure-8")
    assert "--scenario figure-8: this story is one of raft" in line
    assert "--variant" not in line


def test_one_is_not_several() -> None:
    one = dp_tui("hunt", "raft", "--seeds", "0..0", "--jobs", "1", "--break", "persist_vote").stdout
    assert ": 1 seed with usual faults" in one
    assert "1 seed failed" in one
    assert "in 1 seed, first in 0" in one
    assert "healed" not in one, "it is never seen while something is wrong, and that is no news"


def test_a_folder_that_goes_away_meanwhile_costs_no_find(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(path: Path, text: str) -> None:
        raise UserError(f"{path}: cannot be written: Not a directory")

    monkeypatch.setattr(files, "write", gone)
    hunt = ("hunt", "raft", "--seeds", "0..0", "--jobs", "1", "--break", "persist_vote", "--save", str(tmp_path))
    done = dp_tui(*hunt)
    assert done.returncode == 2
    assert "CHECK FAILED  terms and votes survive" in done.stdout
    assert "replay 'dp-tui:consensus/raft@" in done.stdout
    assert "open it" not in done.stdout
    assert done.stderr.rstrip().endswith("cannot be written: Not a directory")


def test_a_rule_that_is_named_twice_is_broken_once() -> None:
    twice = ("--break", "pre_vote", "--break", "check_quorum", "--break", "pre_vote")
    done = dp_tui("hunt", "raft", "--seeds", "0..1", "--jobs", "1", "--json", *twice)
    assert json.loads(done.stdout)["broken"] == ["pre_vote", "check_quorum"]
    text = dp_tui("hunt", "raft", "--seeds", "0..1", "--jobs", "1", *twice).stdout
    assert "faults, without pre_vote, check_quorum, " in text


def test_what_is_no_address_of_a_cluster_is_one_clear_line() -> None:
    assert "--cluster zzz: no address" in refused("hunt", "raft", "--seeds", "0..1", "--cluster", "zzz")
    assert "--cluster '': no address" in refused("hunt", "raft", "--seeds", "0..1", "--cluster", "")


def test_a_line_that_was_cut_is_one_clear_line() -> None:
    assert "cut or altered" in refused("replay", "dp-tui:consensus/raft@4:abc")
    assert "cut or altered" in refused("replay", "--line", "dp-tui:consensus/raft@4:abc:00000000")


def test_a_hunt_can_end_by_the_clock_or_when_nothing_is_new() -> None:
    began = time.monotonic()
    done = dp_tui("hunt", "raft", "--for", "2s", "--jobs", "1", "--json")
    assert done.returncode == 0
    assert time.monotonic() - began >= 2
    assert json.loads(done.stdout)["seconds"] < 5, "what is not done by then is given up"
    assert json.loads(done.stdout)["next_seed"] > 0
    done = dp_tui("hunt", "raft", "--until-new", "2", "--seeds", "0..400", "--faults", "calm", "--jobs", "1", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["next_seed"] < 400


def under_way(app: PtyApp) -> None:
    """Wait until the bar counts seeds: the workers are there, and at work."""
    app.wait_for(lambda app: re.search(r"\] [1-9][\d,]* seeds", app.text()))


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_prints_the_summary_and_how_to_go_on(jobs: str) -> None:
    with PtyApp(python("-m", "tui", "hunt", "raft", "--seeds", "3..999999", "--jobs", jobs), (160, 50)) as app:
        under_way(app)
        app.send("ctrl+c")
        status, out = app.wait(), app.text()
    assert status == 130, out
    assert "Traceback" not in out
    assert "interrupted before seed" in out
    again = out.rstrip().splitlines()[-1]
    assert f"hunt consensus --variant raft --seeds {_next(out)}..999999 --jobs {jobs}" in again


@pytest.fixture
def as_it_was() -> Iterator[None]:
    """Signals as at a terminal, and afterwards as before."""
    before = {each: signal.signal(each, signal.default_int_handler) for each in (getattr(signal, x) for x in SIGNALS)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class Finalized:
    """Is interrupted while it goes."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


@pytest.mark.usefixtures("as_it_was")
def test_a_ctrl_c_that_a_finalizer_swallows_is_not_lost(capsys: pytest.CaptureFixture[str]) -> None:
    with Interrupt() as interrupt:
        gone = Finalized()
        del gone
        assert interrupt.came
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("as_it_was")
@pytest.mark.parametrize("name", SIGNALS)
def test_a_signal_ends_the_work_at_hand_and_gives_its_status(name: str) -> None:
    went_on = False
    with Interrupt() as interrupt:
        signal.raise_signal(getattr(signal, name))
        went_on = True
    assert interrupt.status == 128 + getattr(signal, name)
    assert not went_on


def test_there_is_nothing_to_go_on_with_after_the_last_seed() -> None:
    asked = Asked(
        PATTERN.name, PATTERN.variant("raft"), None, (3, 4), None, 1, "usual", (), None, None, None, as_json=False
    )
    asked.check()
    search = Search(asked.request(), Here(), 3, 4)
    assert "--seeds 3..4" in Summary(asked, search, 1.0, True).go_on
    search.tally.next_seed = 5
    summary = Summary(asked, search, 1.0, True)
    assert summary.go_on == ""
    assert summary.as_text().endswith("interrupted after the last seed, while finds were made small")


def _next(out: str) -> str:
    line = next(line for line in out.splitlines() if line.startswith("interrupted before seed"))
    return line.removeprefix("interrupted before seed ").partition(";")[0].replace(",", "")


def test_workers_follow_a_hunt_that_is_killed() -> None:
    with PtyApp(python("-m", "tui", "hunt", "raft", "--seeds", "0..999999", "--jobs", "2"), (160, 50)) as app:
        under_way(app)
        children = [int(pid) for pid in _children(app.process.pid)]
        assert children
        app.process.kill()
        app.process.wait()
        deadline = time.monotonic() + PATIENCE_S  # closing the terminal would kill the whole group
        while any(_runs(pid) for pid in children):
            assert time.monotonic() < deadline, "workers are left"
            time.sleep(0.05)


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2][:4]
