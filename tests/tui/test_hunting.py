"""Hunting and copying in the app: H and Y, and what opens one step before it breaks."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engines.consensus.pattern import PATTERN
from engines.hunt import Here, hunt, request_for
from engines.hunt.found import run_of
from engines.hunt.search import Shrinking, Tally
from engines.sim.line import read_line
from engines.sim.recording import read
from engines.sim.rules import SetRule
from tests.commandline import dp_tui
from tui.dialogs import Pick
from tui.files import program
from tui.hunting import bar
from tui.panel import Copy
from tui.progress import WIDTH
from tui.registry import PANELS
from tui.session import Session

NIGHT_US = 4_000_000


def session(**options: Any) -> Session:
    made = Session(PANELS, "consensus", variant="raft", make_workers=Here, **options)
    made.resize(120, 36)
    return made


def shown(of: Session) -> str:
    rows = [" " * of.width for _ in range(of.height)]
    for area in of.render():
        for y in range(area.canvas.height):
            text = "".join(area.canvas.char_at(x, y) for x in range(area.canvas.width))
            row = rows[area.y + y]
            rows[area.y + y] = row[: area.x] + text + row[area.x + area.canvas.width :]
    return "\n".join(rows)


def hunting(of: Session) -> bool:
    return of.hunter is not None


def wait_for(of: Session, what: str, ticks: int = 60) -> None:
    for _ in range(ticks):
        of.tick(400_000)
        if of.hunter is None or of.hunter.over:
            return
    raise AssertionError(f"{what} did not come")


# -- Y -------------------------------------------------------------------------------------------------------------


def test_y_copies_the_run_as_a_line_that_replays() -> None:
    one = session()
    one.tick(500_000)
    one.perform(SetRule("pre_vote", False))
    one.tick(500_000)
    wish = one.press("Y")
    assert isinstance(wish, Copy)
    assert "copied" in one.notice
    recording = read_line(wish.text, [PATTERN])
    assert recording.verify()[0]
    assert [each.command for each in recording.log] == [SetRule("pre_vote", False)]


def test_a_run_over_recorded_data_is_no_line(tmp_path: Path) -> None:
    from tui.options import DataOptions
    from tui.userdata import reader

    calls = tmp_path / "calls.jsonl"
    calls.write_text('{"at_ms": 0, "ok": true, "duration_ms": 5}\n', encoding="utf-8")
    begin = reader("resilience").opening(str(calls), DataOptions())
    one = Session(PANELS, "resilience", recorded=begin.variant, config=begin.config)
    assert one.press("Y") is None
    assert "S saves it" in one.notice
    one.press("H")
    assert "recorded data cannot be hunted" in one.notice


# -- H -------------------------------------------------------------------------------------------------------------


def test_h_hunts_from_the_present_settings_and_opens_what_it_finds() -> None:
    one = session()
    one.tick(500_000)
    one.perform(SetRule("persist_vote", False))
    before = one.scene.timeline.branch
    one.press("H")
    one.tick(400_000)
    assert "hunt" in shown(one).splitlines()[1] or one.hunter is not None
    wait_for(one, "a find")
    assert "terms and votes survive" in one.notice
    assert "H opens it" in one.notice
    assert "found: H" in shown(one).splitlines()[1]
    one.press("H")
    assert one.hunter is None
    find = one.scene.finds[one.scene.branch.number]
    assert find.first == before.seed + 1
    said = f"seed {find.seed} of the hunt from seed {find.first} on: the next step breaks terms and votes survive"
    assert one.notice.startswith(said)
    assert one.scene.timeline.branches[before.number] is before
    assert all(check.ok for check in one.scene.timeline.check())
    one.press(".")
    assert [check.name for check in one.scene.timeline.check() if not check.ok] == ["terms and votes survive"]
    wish = one.press("Y")
    assert isinstance(wish, Copy)
    breaks = read_line(wish.text, [PATTERN]).breaks
    assert breaks is not None
    assert breaks.check == "terms and votes survive"


def test_a_find_that_nobody_has_opened_is_saved_on_leaving(tmp_path: Path) -> None:
    one = session(save_folder=tmp_path)
    one.tick(500_000)
    one.perform(SetRule("persist_vote", False))
    one.press("H")
    wait_for(one, "a find")
    kept = one.leave()
    (path,) = tmp_path.glob("hunt-consensus-raft-*.json")
    assert f"; what the hunt found: {program()} replay {path}" in kept.text
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["breaks"]["check"] == "terms and votes survive"


def test_what_h_found_is_marked_among_the_branches_with_the_command_that_finds_it_again() -> None:
    one = session()
    one.tick(500_000)
    one.perform(SetRule("persist_vote", False))
    one.press("H")
    wait_for(one, "a find")
    one.press("H")
    find = one.scene.finds[one.scene.branch.number]
    line = one.press("Y")
    assert isinstance(line, Copy)
    listed = one.dialogue("branches")
    assert isinstance(listed, Pick)
    marked = [each for each in listed.choices if "found by a hunt" in each.title]
    assert [each.title for each in marked] == [f"{one.scene.branch.number + 1}  found by a hunt, seed {find.seed}"]
    assert "It breaks terms and votes survive." in marked[0].help
    assert marked[0].help.endswith(find.command)
    words = find.command.split()
    seeds = f"{find.seed}..{find.seed}"
    assert words[-7:] == ["--variant", "raft", "--seeds", seeds, "--set", "persist_vote=off", "--fixed"]
    again = dp_tui("hunt", *words[words.index("hunt") + 1 :], "--jobs", "1")
    assert again.returncode == 1
    assert line.text in again.stdout, "the same run, made as small"


def test_h_again_ends_the_hunt_and_leaving_does_too() -> None:
    one = session()
    one.press("H")
    for _ in range(3):
        one.tick(400_000)
    one.press("H")
    assert not hunting(one)
    assert "the hunt was ended: no check failed in" in one.notice
    assert "hunt" not in shown(one).splitlines()[1]
    one.press("H")
    hunter = one.hunter
    assert hunter is not None
    one.leave()
    assert hunter.over


def test_in_a_sandbox_nothing_is_hunted_and_a_line_may_be_copied() -> None:
    one = session(sandbox=True)
    one.press("H")
    assert one.hunter is None
    assert "sandbox" in one.notice
    assert isinstance(one.press("Y"), Copy)


def test_a_hunt_in_a_process_beside_never_holds_the_screen_up() -> None:
    import time

    one = Session(PANELS, "consensus", variant="raft")
    one.perform(SetRule("persist_vote", False))
    one.press("H")
    slowest, ticks = 0.0, 0
    try:
        while one.hunter is not None and not one.hunter.over and ticks < 600:
            began = time.process_time()
            one.tick(400_000)
            slowest, ticks = max(slowest, time.process_time() - began), ticks + 1
            time.sleep(0.05)
        assert one.hunter is not None
        assert one.hunter.run is not None
        assert slowest < 0.5
    finally:
        one.leave()


# -- what opens before it breaks -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found() -> Any:
    search = hunt(request_for(PATTERN, "raft", broken=("pre_vote",)), Here(), 0, 15)
    return run_of("consensus", next(iter(search.shrunk.values())))


def test_a_find_opens_one_step_before_it_breaks(found: Any) -> None:
    for recording in (read(found.recording(), "here", [PATTERN]), read_line(found.line(), [PATTERN])):
        one = Session(PANELS, "consensus", recordings=(recording,))
        one.resize(120, 36)
        assert one.notice.startswith("the next step breaks leader stability: ")
        one.tick(60_000_000)
        assert one.notice, "until the next key"
        assert found.breaks.detail in shown(one)
        assert all(check.ok for check in one.scene.timeline.check())
        one.press(".")
        assert [check.name for check in one.scene.timeline.check() if not check.ok] == ["leader stability"]


@pytest.mark.parametrize(
    ("shortening", "left", "said"),
    [
        (True, None, "shrinking"),
        (True, Shrinking(1_024, 600, -1), "1,024 commands left, try 600"),
        (True, Shrinking(1, 7, -1), "1 command left, try 7"),
        (True, Shrinking(3, 90, 2), "3 left, breadth first with 2"),
        (False, None, "/min"),
    ],
)
def test_the_line_of_a_long_hunt_fits_and_ends_with_the_key_that_ends_it(
    shortening: bool, left: Shrinking | None, said: str
) -> None:
    tally = Tally(next_seed=99_999, checks=99_900_000, failures=9_999)
    asked: Any = SimpleNamespace(span=None, first=0, last=99_999)
    search: Any = SimpleNamespace(tally=tally, shortening=shortening, shrinking=left)
    line = bar(search, asked, 600.0)
    assert line.endswith("ctrl+c")
    assert len(line) <= WIDTH
    assert ("shrinking" in line) == shortening
    assert said in line
