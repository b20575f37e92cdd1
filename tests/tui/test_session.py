"""The session without a screen: keys in, pictures out."""

import json
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from engines.consistency.world.commands import Perform, SetPreset
from engines.errors import UserError
from engines.sim import faults
from engines.sim.events import Cue, Thawed
from engines.sim.pattern import Check, Scenario, Step
from engines.sim.recording import read
from engines.sim.rules import SetRule
from engines.units import stamp
from tests.monkey import Monkey, check_picture, screen
from tests.toy import PATTERN, TOY, Greet
from tui import farewell, files
from tui.asking import DIALOGUES, command_words, parse_time
from tui.dialogs import Form, Pages, Pick, Prompt
from tui.glyphs import ASCII
from tui.journal import Fold
from tui.keys import FAR
from tui.panel import Ask, Do, Focus, Frame, Hit, Panel, Refuse, VisitBranch, Wear, Wish
from tui.registry import PANELS
from tui.session import Session
from tui.widgets.dialogs import open_view


def told(story: Scenario) -> Panel:
    """The toy with one story."""
    return replace(TOY, pattern=replace(PATTERN, scenarios=(story,)))


def session(scenario: str = "", **options: object) -> Session:
    return Session((TOY,), "toy", scenario=scenario, **options)  # type: ignore[arg-type]


def press(target: Session, *keys: str) -> Wish:
    wish = None
    for key in keys:
        wish = target.press(key)
    return wish


def run(target: Session, wall_ms: int) -> None:
    for _ in range(wall_ms // 100):
        target.tick(100_000)


# -- opening ---------------------------------------------------------------------------------------------------------


def test_the_first_picture_needs_no_tick_and_the_cluster_runs() -> None:
    one = session()
    assert "p1 up" in screen(one)
    assert "RUN x1/10" in screen(one)
    assert one.dirty is False
    one.tick(100_000)
    assert one.dirty


def test_one_line_in_a_registry_is_all_an_eighth_pattern_needs() -> None:
    registry = (TOY,)
    one = Session(registry, "toy")
    assert "8 Toy" in screen(one)
    press(one, "8")
    assert one.notice == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"pattern": "raft"}, "unknown pattern 'raft'; accepted: toy"),
        ({"pattern": "toy", "variant": "x"}, "unknown variant 'x'; accepted: ping, crowd"),
        ({"pattern": "toy", "scenario": "x"}, "unknown scenario 'x'; accepted: fall, lie"),
        ({"pattern": "toy", "scenario": "fall", "variant": "crowd"}, "belongs to the variant 'ping'"),
    ],
)
def test_what_does_not_exist_is_the_users_mistake(options: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said.replace("?", "\\?")):
        Session((TOY,), options.pop("pattern"), **options)  # type: ignore[arg-type]


def test_without_any_pattern_it_says_so() -> None:
    with pytest.raises(UserError, match="none is built"):
        Session((), "toy")


def test_a_scenario_brings_its_seed_unless_another_is_given() -> None:
    assert session("fall").scene.branch.seed == 7
    assert session("fall", seed=42).scene.branch.seed == 42
    assert session().scene.branch.seed == 42


# -- every size ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [(), ("i",), ("e",), ("enter",), ("tab", "enter"), ("g",), ("tab", "tab", "up")])
def test_pictures_of_every_size_fill_the_screen_and_nothing_else(keys: tuple[str, ...]) -> None:
    one = session("fall", glyphs=ASCII)
    one.resize(120, 36)
    run(one, 1_500)
    press(one, *keys)
    for width in range(10, 241, 23):
        for height in range(3, 71, 6):
            one.resize(width, height)
            check_picture(one)


def test_resizing_loses_no_state() -> None:
    one = session()
    one.resize(120, 36)
    press(one, "down", "tab", "tab", "tab", "up")
    run(one, 300)
    before = screen(one), one.scene.focus
    for size in ((40, 10), (80, 24), (120, 36)):
        one.resize(*size)
        screen(one)
    assert (screen(one), one.scene.focus) == before


# -- standing still --------------------------------------------------------------------------------------------------


def test_nothing_is_dirty_while_paused_and_the_picture_is_the_same() -> None:
    one = session()
    run(one, 2_000)
    press(one, "space")
    before = one.render()
    for _ in range(100):
        one.tick(100_000)
        assert not one.dirty
        assert one.render() is before


def test_the_journal_is_drawn_four_times_a_second_and_everything_else_at_every_tick() -> None:
    one = session(speed=Fraction(1))
    one.resize(120, 36)
    drawn = set()
    journals = set()
    for _ in range(40):
        one.tick(50_000)
        areas = {name: canvas.text() for name, _, _, canvas in one.render()}
        drawn.add(areas["status"])
        journals.add(areas["journal"])
    assert len(drawn) == 40
    assert len(journals) <= 9


def test_a_fault_answers_in_the_same_picture() -> None:
    one = session()
    run(one, 500)
    press(one, "down", "k")
    assert "p2 crashed" in screen(one)
    assert "crash" in screen(one).splitlines()[-3]


# -- running and going back ------------------------------------------------------------------------------------------


def test_a_cue_shows_its_words_until_space() -> None:
    one = session("fall")
    run(one, 3_000)
    assert "All three greet each other" in screen(one)
    assert "space goes on" in screen(one)
    assert "PAUSED" in screen(one)
    press(one, "space")
    run(one, 100)
    assert "All three" not in screen(one).replace("note   All three", "")


def test_a_story_that_a_person_has_changed_is_not_told_as_fact() -> None:
    one = session("fall")
    run(one, 3_000)
    assert "All three greet each other" in screen(one)
    assert "As the story was written" not in screen(one)
    one.perform(faults.Freeze("p1"))
    press(one, "space")
    run(one, 2_500)
    assert "As the story was written: Nobody waits for p2." in screen(one)
    press(one, "r")
    run(one, 3_000)
    assert "All three greet each other" in screen(one)
    assert "As the story was written" not in screen(one), "the new run is the story again"


def test_a_story_under_other_rules_is_not_told_as_fact() -> None:
    one = session("fall", config=(("nodes", 4),))
    run(one, 3_000)
    assert "As the story was written: All three greet each other" in screen(one)


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (80, 30), (120, 36)])
@pytest.mark.parametrize("keys", [(), ("i",), ("tab",), ("enter",), ("tab", "tab", "tab", "enter")])
def test_whatever_is_looked_at_a_cue_that_waits_says_how_to_go_on(size: tuple[int, int], keys: tuple[str, ...]) -> None:
    for words in (1, 8, 9, 10, 11, 12, 13, 17, 20):
        text = " ".join(["words"] * words)
        story = Scenario("tell", "", "", "ping", (Step(100_000, faults.Narrate(text)),), 500_000)
        panel = told(story)
        one = Session((panel,), "toy", scenario="tell")
        one.resize(*size)
        run(one, 3_000)
        press(one, *keys)
        assert screen(one).count("space goes on") == 1, words


def test_a_cue_that_does_not_wait_stays_for_a_while() -> None:
    one = session("fall", speed=Fraction(1, 10))
    press(one, ">", "space")
    run(one, 2_500)
    assert "Nobody waits for p2." in screen(one)
    assert "space goes on" not in screen(one)


def test_the_end_of_the_story_is_told() -> None:
    one = session("fall", speed=Fraction(10))
    run(one, 100)
    press(one, "space")
    run(one, 1_000)
    assert one.notice.startswith("the story ends here")
    assert "PAUSED" in screen(one)


def test_step_and_back_pause_and_say_where_it_ends() -> None:
    one = session()
    press(one, ".")
    assert "PAUSED" in screen(one)
    assert one.scene.timeline.position == 1
    press(one, ",", ",")
    assert one.notice == "this is the start"


def test_the_past_and_its_branches() -> None:
    one = session(speed=Fraction(1))
    run(one, 2_000)
    press(one, "<")
    assert "PAST RUN" in screen(one)
    press(one, "k")
    assert one.notice == "branch 2 begins here; the old future stays as branch 1"
    branches = one.dialogue("branches")
    assert isinstance(branches, Pick)
    assert branches.choices[1].title == "2  from branch 1 at 00:01.000"
    assert branches.choices[1].help == "It began with: crash p1."
    one.perform(branches.choices[0].outcome)
    assert one.scene.branch.number == 0
    assert one.scene.timeline.now_us == 2_000_000
    assert not one.scene.player.playing


def test_again_and_with_a_new_seed_keep_the_old_runs() -> None:
    one = session()
    run(one, 500)
    press(one, "space", "r")
    assert one.scene.timeline.now_us == 0
    assert one.scene.player.playing
    press(one, "R", "R")
    assert [branch.seed for branch in one.scene.timeline.branches] == [42, 42, 43, 44]


def test_a_scenario_starts_a_new_root_with_its_seed_and_plays() -> None:
    one = session()
    run(one, 500)
    picker = one.dialogue("scenarios")
    assert isinstance(picker, Pick)
    one.perform(picker.choices[0].outcome)
    assert (one.scene.branch.seed, one.scene.timeline.now_us, one.scene.player.playing) == (7, 0, True)
    one.perform(picker.choices[1].outcome)
    assert one.scene.variant.name == "crowd"
    one.perform(picker.choices[-1].outcome)
    assert one.scene.branch.scenario is None


def test_each_variant_keeps_its_own_run_and_stands_still_when_hidden() -> None:
    one = session()
    run(one, 500)
    here = one.scene.timeline.now_us
    press(one, "down", "m")
    assert "7 nodes" in screen(one)
    run(one, 500)
    press(one, "M")
    assert one.scene.timeline.now_us == here
    assert one.scene.focus.node == "p2"


def test_speed_keys_and_their_ends() -> None:
    one = session()
    press(one, "+")
    assert "x1/5" in screen(one)
    press(one, *"+" * 9)
    assert one.notice == "x10 is the fastest"


# -- saying things ---------------------------------------------------------------------------------------------------


def test_a_refused_key_says_why_for_some_seconds() -> None:
    one = session()
    press(one, "space")
    one.perform(Refuse("not here"))
    assert "! not here" in screen(one)
    one.tick(4_900_000)
    assert "! not here" in screen(one)
    one.tick(200_000)
    assert "! not here" not in screen(one)
    one.render()
    assert not one.dirty


def test_a_refused_command_says_why_and_changes_nothing() -> None:
    one = session()
    press(one, "k", "a")
    assert one.notice == "p1 is crashed: it hears no client"


def test_keys_without_a_meaning_say_so() -> None:
    one = session()
    press(one, "w")
    assert one.notice == "w means nothing in Toy: ? shows every key"
    press(one, "Q")
    assert one.notice == "Q has no meaning here: ? shows every key"
    press(one, "3")
    assert one.notice == "3 Sharding is not built yet"


def test_a_notice_is_seen_also_where_no_journal_is() -> None:
    one = session()
    press(one, "enter", "w")
    assert "! w means nothing" in screen(one)


def test_a_notice_goes_with_the_next_key_that_succeeds() -> None:
    one = session()
    press(one, "w", "Q")
    assert one.notice == "Q has no meaning here: ? shows every key"
    press(one, "down")
    assert one.notice == ""
    press(one, "w")
    one.click(500, 500)
    assert one.notice == ""


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 36)])
@pytest.mark.parametrize("length", [3, 14, 40])
def test_a_notice_is_told_whole_and_hides_no_line_of_the_journal(size: tuple[int, int], length: int) -> None:
    one = session()
    one.resize(*size)
    run(one, 1_000)
    press(one, "space")
    before = {area.name: area.canvas.text() for area in one.render()}["journal"].splitlines()
    words = " ".join(["four"] * length)
    for keys in ((), ("enter",)):
        press(one, *keys)
        one.notify(words)
        text = screen(one)
        check_picture(one)
        if length <= 14:
            assert words in " ".join(text.split("! ")[1].split())
        if not keys and length <= 14:
            assert all(line in text for line in before[:-1])


def test_several_commands_at_once_and_the_app_s_wishes() -> None:
    one = session()
    assert one.perform((faults.Crash("p1"), faults.Crash("p2"), Do.QUIT)) == Do.QUIT
    assert screen(one).count("crashed") == 2
    assert press(one, "q") == Do.QUIT
    assert press(one, "P") == Do.SCREENSHOT
    assert press(one, "X") == Ask("sides")


# -- looking ---------------------------------------------------------------------------------------------------------


def test_tab_walks_through_what_is_shown() -> None:
    one = session()
    one.resize(120, 36)
    seen = []
    for _ in range(5):
        press(one, "tab")
        seen.append(one.scene.focus.area)
    assert seen == ["strip", "inspector", "journal", "picture", "strip"]
    one.resize(80, 24)
    press(one, "tab")
    assert one.scene.focus.area == "inspector"


def test_tab_reaches_strip_and_inspector_where_they_have_no_room() -> None:
    one = session()
    one.resize(60, 16)
    shown = []
    for _ in range(4):
        shown.append({area.name for area in one.render()} & {"picture", "strip", "inspector"})
        press(one, "tab")
    assert shown == [{"picture"}, {"strip"}, {"picture", "inspector"}, {"picture"}]
    press(one, "tab", "esc")
    assert one.scene.focus.area == "picture"
    press(one, "tab", "tab", "i")
    assert (one.scene.focus.area, one.scene.focus.inspector) == ("picture", False)
    pages = one.dialogue("help")
    assert isinstance(pages, Pages)
    assert any(key == "tab" and "no room" in text for _, rows in pages.tables for key, text in rows)


def test_the_inspector_key_at_both_sizes() -> None:
    one = session()
    press(one, "i")
    assert any(area.name == "inspector" for area in one.render())
    press(one, "i")
    assert not any(area.name == "inspector" for area in one.render())
    one.resize(120, 36)
    press(one, "i")
    assert one.scene.focus.area == "inspector"


def test_why_explains_the_newest_event_and_keeps_it_while_time_goes_on() -> None:
    one = session()
    one.resize(120, 36)
    run(one, 1_000)
    press(one, "e")
    first = screen(one)
    assert "This is a answered." in first
    pinned = one.scene.focus.event
    run(one, 1_000)
    assert one.scene.focus.event == pinned
    press(one, "e")
    assert one.scene.focus == Focus(node="p1")


def test_a_line_of_the_journal_can_be_selected_and_explained() -> None:
    one = session()
    one.resize(120, 36)
    run(one, 1_000)
    press(one, "tab", "tab", "tab", "up", "up")
    newest = one.scene.timeline.engine.told_total
    assert one.scene.focus.event == newest - 1
    press(one, "e")
    assert "why: 00:00." in screen(one)
    press(one, "esc", "down", "down")
    assert one.scene.focus.event is None


def test_a_failed_check_is_everywhere_and_explained_with_its_witness() -> None:
    one = session("lie", speed=Fraction(1))
    one.resize(120, 36)
    run(one, 200)
    text = screen(one)
    assert text.count("CHECK FAILED: no answer without a question") == 1
    press(one, "e")
    assert "p1 heard" in screen(one)
    assert one.scene.focus.event is None


def test_failed_checks_are_explained_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = (Check("one", False, "a"), Check("two", True, "b"), Check("three", False, "c"))
    one = session()
    monkeypatch.setattr(one.scene.timeline, "check", lambda: checks)
    one.resize(120, 36)
    run(one, 200)
    assert "CHECK FAILED: one and 1 more" in screen(one)
    titles = []
    for _ in range(4):
        press(one, "e")
        titles.append(one.scene.explanation()[0] if one.scene.focus.why else "")
        screen(one)
    assert titles == ["why: one (1 of 2)", "why: three (2 of 2)", "", "why: one (1 of 2)"]
    assert "e next" in screen(one)
    press(one, "e", "e")
    assert one.scene.focus == Focus(node="p1")


PAGES = tuple(f"paragraph {n} " + "and so on " * 9 for n in range(20))
LENGTHY = replace(TOY, explain=lambda snapshot, event: PAGES)
"""The toy with much to say."""


@pytest.mark.parametrize("tabs", [0, 2, 3])
def test_a_long_explanation_takes_the_screen_and_scrolls(tabs: int) -> None:
    one = Session((LENGTHY,), "toy")
    press(one, *["tab"] * tabs, "e")
    over = one.render()[-1]
    assert (over.name, over.canvas.width, over.canvas.height) == ("inspector", 80, 20)
    node = one.scene.focus.node
    press(one, *["down"] * 3)
    assert one.scene.measured.scroll == 3
    press(one, "up", "right", "pagedown", "left")
    assert one.scene.measured.scroll == 2 + 17
    press(one, *["pagedown"] * 9)
    assert "paragraph 19" in screen(one)
    assert (one.scene.focus.node, one.scene.focus.why) == (node, True)
    check_picture(one)
    one.resize(120, 36)
    press(one, "e", "e", "tab", "tab")
    check_picture(one)


@pytest.mark.parametrize("keys", [("e",), ("esc",), ("i",), ("tab", "tab", "tab", "tab", "esc")])
def test_what_was_explained_is_let_go_with_the_explanation(keys: tuple[str, ...]) -> None:
    one = session()
    run(one, 500)
    press(one, "e", "down")
    assert one.scene.focus.why
    pinned = one.scene.focus.event
    press(one, *keys)
    assert one.scene.focus.event is None
    run(one, 1_000)
    press(one, "e")
    assert one.scene.focus.event != pinned


def test_find_filters_the_journal() -> None:
    one = session()
    run(one, 1_000)
    prompt = one.dialogue("find")
    assert isinstance(prompt, Prompt)
    one.perform(prompt.submit("begin"))
    lines = screen(one).splitlines()[-5:-2]
    assert all("begin" in line for line in lines)
    assert "find begin" in screen(one)
    press(one, "esc")
    assert one.scene.focus.find == ""


# -- clicks ----------------------------------------------------------------------------------------------------------


def test_clicks() -> None:
    one = session(speed=Fraction(1))
    one.resize(120, 36)
    run(one, 2_000)
    one.click(5, 30)
    assert (one.scene.focus.area, one.scene.focus.event is not None) == ("journal", True)
    one.click(100, 5)
    assert one.scene.focus.area == "inspector"
    one.click(1, 34)
    assert one.scene.timeline.now_us == 0
    one.press("1")
    assert one.notice == "1 Consistency is not built yet", "its tab is absent, its key says why"
    one.resize(160, 36)
    line = screen(one).splitlines()[-1]
    assert one.click(line.index("b break"), 35) == Ask("rules")
    assert one.click(500, 500) is None


# -- dialogues -------------------------------------------------------------------------------------------------------


def test_every_dialogue_can_be_opened() -> None:
    one = session()
    for what in DIALOGUES:
        assert isinstance(one.dialogue(what), Pick | Form | Prompt | Pages), what


def test_sides_are_offered_and_can_be_typed() -> None:
    one = session()
    sides = one.dialogue("sides")
    assert isinstance(sides, Pick)
    assert sides.choices[0].outcome == faults.Partition((("p1",), ("p2", "p3")))
    assert one.perform(sides.choices[-1].outcome) == Ask("split")
    prompt = one.dialogue("split")
    assert isinstance(prompt, Prompt)
    assert prompt.submit("p1 | p2,p3") == faults.Partition((("p1",), ("p2", "p3")))
    with pytest.raises(UserError):
        prompt.submit("p1 p2")
    one.perform(prompt.submit("p1 | p9"))
    assert "no node 'p9'" in one.notice


def test_the_palette_presses_keys() -> None:
    one = session()
    palette = one.dialogue("palette")
    assert isinstance(palette, Pick)
    assert palette.filterable
    by_title = {choice.title: choice.outcome for choice in palette.choices}
    one.perform(by_title["crash the node, or restart it"])
    assert "crashed" in screen(one)
    assert one.perform(by_title["choose a scenario"]) == Ask("scenarios")
    one.perform(by_title["variant: Crowd"])
    assert one.scene.variant.name == "crowd"


def test_help_says_what_common_wisdom_gets_wrong() -> None:
    pages = session().dialogue("help")
    assert isinstance(pages, Pages)
    assert "- A node that does not answer need not be dead." in pages.paragraphs
    assert {row[0] for _, rows in pages.tables for row in rows} >= {"k", "space", "^p", "g"}


def test_a_client_can_type() -> None:
    prompt = session().dialogue("client")
    assert isinstance(prompt, Prompt)
    assert prompt.submit("p2") == Greet("p2")


def test_going_to_a_time() -> None:
    one = session(speed=Fraction(1))
    run(one, 2_000)
    prompt = one.dialogue("goto")
    assert isinstance(prompt, Prompt)
    one.perform(prompt.submit("1.5"))
    assert one.scene.timeline.now_us == 1_500_000
    assert [parse_time(text) for text in ("12", "12.5", "1:02.500", ".5", "1:02")] == [
        12_000_000, 12_500_000, 62_500_000, 500_000, 62_000_000,
    ]  # fmt: skip
    for text in ("", "x", "1:", "-1", "1e3", "9" * 30, "²"):
        with pytest.raises(UserError):
            parse_time(text)


# -- files -----------------------------------------------------------------------------------------------------------


def test_a_saved_run_is_whole_and_opens_where_it_was(tmp_path: Path) -> None:
    one = session("fall", speed=Fraction(1))
    run(one, 200)
    press(one, "space", "k")
    run(one, 100)
    path = tmp_path / "run.json"
    assert one.save(path) == f"saved: {farewell.replay([path])}"
    assert [each.name for each in tmp_path.iterdir()] == ["run.json"]
    recording = read(path.read_text(), "run.json", [PATTERN])
    assert recording.verify()[0]
    again = Session((TOY,), "toy", recordings=(recording,))
    assert again.scene.timeline.snapshot() == one.scene.timeline.snapshot()
    assert not again.scene.player.playing
    one.save(path)


def test_saving_where_it_cannot_be_is_the_users_mistake(tmp_path: Path) -> None:
    one = session()
    foreign = tmp_path / "letter.txt"
    foreign.write_text("dear")
    for path in (tmp_path, tmp_path / "no" / "such" / "run.json", foreign, Path("nul\0.json")):
        with pytest.raises(UserError):
            one.save(path)
    assert foreign.read_text() == "dear"
    with pytest.raises(UserError, match="sandbox"):
        session(sandbox=True).save(tmp_path / "run.json")


def test_the_save_dialogue_keeps_the_text_when_it_fails_and_says_where_when_not(tmp_path: Path) -> None:
    one = session()
    prompt = one.dialogue("save")
    assert isinstance(prompt, Prompt)
    assert prompt.prefill == "toy-ping-seed42.json"
    with pytest.raises(UserError):
        prompt.submit(str(tmp_path))
    one.perform(prompt.submit(str(tmp_path / "a.json")))
    assert one.notice == f"saved: {farewell.replay([tmp_path / 'a.json'])}"
    assert isinstance(session(sandbox=True).dialogue("save"), Pages)


def test_leaving_saves_and_tells_the_command(tmp_path: Path) -> None:
    one = session(save_folder=tmp_path / "state")
    run(one, 500)
    kept = one.leave()
    ((_, path),) = kept.runs
    assert kept.text == f"saved Ping; replay: {farewell.replay([path])}"
    assert path.parent == tmp_path / "state"
    assert json.loads(path.read_text())["variant"] == "ping"
    assert json.loads(path.read_text())["digest"] is None
    kept.seal()
    assert json.loads(path.read_text())["digest"] == one.scene.timeline.digest()[0]
    assert one.leave().text != kept.text


def test_leaving_in_the_past_saves_the_whole_branch(tmp_path: Path) -> None:
    one = session("fall", speed=Fraction(1), save_folder=tmp_path)
    run(one, 200)
    press(one, "space", "k")
    run(one, 300)
    press(one, "space", "end")
    whole, end = one.scene.timeline.snapshot(), one.scene.timeline.now_us
    press(one, "home")
    assert one.scene.timeline.in_past
    one.save(tmp_path / "by hand.json")
    kept = one.leave()
    kept.seal()
    ((_, left),) = kept.runs
    assert one.scene.timeline.position == 0, "one stands where one stood"
    for path in (left, tmp_path / "by hand.json"):
        recording = read(path.read_text(), "run.json", [PATTERN])
        assert recording.verify()[0]
        again = Session((TOY,), "toy", recordings=(recording,))
        assert again.scene.timeline.now_us == end
        assert again.scene.timeline.snapshot() == whole
        assert not again.scene.timeline.in_past


def test_leaving_saves_every_run_that_was_touched_with_its_branches(tmp_path: Path) -> None:
    one = session("fall", speed=Fraction(1), save_folder=tmp_path)
    run(one, 200)
    press(one, "space", "k")
    press(one, "<", "k")
    press(one, "m")  # to the other variant, which is only looked at
    other = one.scene.variant.title
    press(one, "m")
    assert len(one.scene.timeline.branches) == 2
    press(one, "m", "space")
    kept = one.leave()
    assert [scene.variant.title for scene, _ in kept.runs] == [other, "Ping"]
    paths = [path for _, path in kept.runs]
    assert kept.text == f"saved {other}, Ping (2 branches); replay: {farewell.replay(paths)}"
    recordings = tuple(read(path.read_text(), "run.json", [PATTERN]) for path in paths)
    again = Session((TOY,), "toy", recordings=recordings)
    assert again.scene.variant.title == other
    press(again, "m")
    assert again.scene.variant.title == "Ping"
    assert len(again.scene.timeline.branches) == 2
    press(one, "m")
    assert again.scene.timeline.branch.log == one.scene.timeline.branch.log
    again.perform(VisitBranch(0))
    one.perform(VisitBranch(0))
    assert again.scene.timeline.branch.log == one.scene.timeline.branch.log


def test_the_command_to_see_a_run_again_runs_as_printed_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "my run's.json"
    said = shlex.split(session().save(path))
    assert said[0] == "saved:"
    assert shutil.which(said[1])
    assert said[2:] == ["replay", str(path)] or said[2:] == ["-m", "tui", "replay", str(path)]
    left = shlex.split(session(save_folder=tmp_path / "two words").leave().text)
    assert Path(left[-1]).exists()
    monkeypatch.chdir(tmp_path)
    assert shlex.split(farewell.replay([Path("~/a b"), Path("-x.json")]))[-2:] == [
        f"{Path.home()}/a b", f"{tmp_path}/-x.json"
    ]  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["/usr/bin/dp-tui"])
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert files.program() == "dp-tui"
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert files.program() in ("dp-tui", str(Path(sys.executable).with_name("dp-tui")))
    monkeypatch.setattr(sys, "argv", ["/somewhere/tui/__main__.py"])
    assert files.program() == f"{sys.executable} -m tui"


def test_leaving_without_a_folder_is_no_error(tmp_path: Path) -> None:
    why = "not saved: "
    assert session().leave().text == f"the run was {why}the folder for saved runs cannot be written"
    assert session(sandbox=True).leave().text == ""
    assert session(sandbox=True, save_folder=tmp_path).leave().text == ""
    (tmp_path / "file").write_text("")
    line = session(save_folder=tmp_path / "file").leave().text
    assert line == f"the run of Ping was {why}{tmp_path / 'file'}: cannot be written: File exists"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


# -- hands -----------------------------------------------------------------------------------------------------------


def test_backspace_takes_back_the_last_thing_a_person_did_and_the_one_before() -> None:
    one = session(speed=Fraction(1))
    run(one, 300)
    press(one, "k")
    run(one, 300)
    press(one, "right", "z")
    run(one, 300)
    timeline = one.scene.timeline
    before = [entry.at_us for entry in timeline.branch.log]
    assert len(before) == 2
    press(one, "backspace")
    assert one.notice.startswith("taken back: freeze p2 at ")
    assert one.notice.endswith("the other future stays as branch 1")
    assert (timeline.now_us, timeline.branch.number, len(timeline.branch.log)) == (before[1], 1, 1)
    run(one, 400)
    assert not timeline.in_past
    assert len(timeline.branch.log) == 1, "it does not happen again"
    press(one, "backspace")
    assert one.notice.startswith("taken back: crash p1")
    assert (timeline.now_us, timeline.branch.log) == (before[0], [])
    assert timeline.snapshot().nodes == session_at(300).scene.timeline.snapshot().nodes
    press(one, "backspace")
    assert one.notice == "nothing to take back: you have done nothing yet at this place of the run"
    one.perform(VisitBranch(0))
    assert len(timeline.branch.log) == 2


def session_at(ms: int) -> Session:
    one = session(speed=Fraction(1))
    run(one, ms)
    return one


def test_backspace_takes_back_all_that_one_key_did() -> None:
    """A key may give several commands (``u``: twice and out of order, both ways); they are one deed."""
    one = session(speed=Fraction(1))
    run(one, 300)
    press(one, "space")
    one.perform(faults.Crash("p1"))
    one.perform((faults.Freeze("p2"), faults.Freeze("p3"), faults.Isolate("p1")))
    timeline = one.scene.timeline
    assert len(timeline.branch.log) == 4
    press(one, "backspace")
    assert one.notice.startswith("taken back: freeze p2 and 2 more at ")
    assert [entry.command for entry in timeline.branch.log] == [faults.Crash("p1")]
    one.perform((replace(one.scene.focus), faults.Freeze("p2")))
    press(one, "backspace")
    assert one.notice.startswith("taken back: freeze p2 at "), "a focus beside it is no deed to be joined with"
    press(one, "backspace")
    assert one.notice.startswith("taken back: crash p1 at ")
    assert not timeline.branch.log


def test_backspace_goes_back_to_the_run_that_was_left_by_a_new_start() -> None:
    one = session(speed=Fraction(1))
    run(one, 300)
    press(one, "R")
    run(one, 100)
    assert one.scene.branch.seed == 43
    press(one, "backspace")
    assert one.scene.branch.seed == 42
    assert one.scene.timeline.now_us == 300_000


def test_what_came_with_a_file_is_no_deed() -> None:
    one = session(speed=Fraction(1))
    one.perform(faults.Crash("p1"))
    one.scene.given = 1
    run(one, 100)
    press(one, "backspace")
    assert "nothing to take back" in one.notice


def event(one: Session) -> int | None:
    return one.scene.focus.event


def test_the_journal_moves_as_any_list_does_and_its_verbs_wait() -> None:
    one = session(speed=Fraction(1))
    run(one, 2_000)
    press(one, "space", "shift+tab")
    assert one.scene.focus.area == "journal"
    at, total = one.scene.timeline.now_us, one.scene.timeline.engine.told_total
    press(one, "k")
    assert event(one) == total
    press(one, "k", "k", "j")
    assert event(one) == total - 1
    press(one, "home")
    first = event(one)
    assert first == one.scene.told().first
    press(one, "pagedown")
    paged = event(one)
    assert first is not None
    assert paged is not None
    assert 1 < paged - first < 30
    press(one, "pageup")
    assert event(one) == first
    press(one, "end")
    assert event(one) is None
    assert one.scene.timeline.now_us == at, "the run stands where it stood"
    assert not one.scene.timeline.branch.log, "nobody was crashed"
    assert " j k move " in screen(one).split("\n")[-1]
    press(one, "tab", "home")
    assert one.scene.timeline.now_us == 0, "elsewhere home is the start of the run"
    press(one, "pagedown")
    assert "pagedown moves in lists" in one.notice


def test_the_wheel_moves_what_it_is_over() -> None:
    one = session(speed=Fraction(1))
    run(one, 2_000)
    press(one, "space")
    one.render()
    layout = one.layout
    assert layout.journal is not None
    assert layout.picture is not None
    x, y = layout.journal.x + 2, layout.journal.y + 1
    one.wheel(x, y, -1)
    assert one.scene.focus.area == "journal"
    assert event(one) == one.scene.timeline.engine.told_total - 2
    one.wheel(x, y, 1)
    assert event(one) is None
    focus = one.scene.focus
    one.wheel(layout.picture.x + 2, layout.picture.y + 2, 1)
    assert one.scene.focus == focus, "the toy's picture is no list"


def test_in_a_picture_that_is_a_list_j_and_k_walk_and_else_they_are_verbs() -> None:
    def walk(snapshot: object, focus: Focus, rows: int) -> Focus | None:
        return replace(focus, node=f"row {rows}") if focus.area == "picture" else None

    listed = replace(TOY, walk=walk, fit=lambda snapshot, focus: focus)
    one = Session((listed,), "toy")
    for key, row in (("j", 1), ("k", -1), ("home", -FAR), ("end", FAR), ("pagedown", 0)):
        press(one, key)
        assert one.scene.focus.node == f"row {row or one._page()}"
    assert not one.scene.timeline.branch.log
    one.perform(Focus("strip", node="p1"))
    press(one, "k")
    assert one.scene.timeline.branch.log, "in the strip it is the verb"


def test_what_can_be_selected_can_be_clicked() -> None:
    def view(*args: Any) -> Frame:
        hit = Hit(2, 1, 4, 1, replace(Focus(), node="p3"))
        return TOY.view(*args)._replace(hits=(Hit(0, 0, 30, 3, Focus(node="p2")), hit))

    one = Session((replace(TOY, view=view),), "toy")
    picture = one.layout.picture
    assert picture is not None
    for (x, y), node in (((1 + 2, 1 + 1), "p3"), ((1 + 6, 1 + 1), "p2"), ((1 + 5, 1 + 1), "p3"), ((1, 1), "p2")):
        one.click(picture.x + x, picture.y + y)
        assert (one.scene.focus.node, one.scene.focus.chosen) == (node, True)
    one.click(picture.x + 40, picture.y + 1)
    assert one.scene.focus.node == "p2", "beside everything nothing changes"


def test_all_checks_can_be_listed_and_read() -> None:
    one = session()
    assert press(one, "E") == Ask("checks")
    listed = one.dialogue("checks")
    assert isinstance(listed, Pick)
    checks = one.scene.now().checks
    assert [choice.title for choice in listed.choices] == [check.name for check in checks]
    assert all(choice.note == "holds" and choice.help for choice in listed.choices)
    assert listed.hint == f"all {len(checks)} hold, examined after every event"
    one.perform(listed.choices[1].outcome)
    assert f"why: {checks[1].name}" in screen(one)


def test_the_branches_have_a_key() -> None:
    one = session(speed=Fraction(1))
    assert press(one, "U") == Ask("branches")
    assert "one so far" in str(one.dialogue("branches"))


def test_theme_and_glyphs_change_while_it_runs() -> None:
    one = session()
    assert press(one, "T") == Ask("looks")
    looks = one.dialogue("looks")
    assert isinstance(looks, Pick)
    assert [choice.title for choice in looks.choices if choice.outcome == Wear(theme="light")] == ["theme: light"]
    assert not screen(one).isascii()
    assert one.perform(Wear(glyphs="ascii")) == Wear(glyphs="ascii")
    assert screen(one).isascii()


def test_where_the_inspector_is_always_shown_its_key_says_what_it_does() -> None:
    one = session()
    one.resize(120, 36)
    press(one, "i")
    assert one.scene.focus.area == "inspector"
    assert "it has the focus now" in one.notice


# -- a monkey --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_person_does_nothing_breaks(seed: int) -> None:
    monkey = Monkey(session("fall" if seed % 2 else "", sandbox=True), seed)
    monkey.play(750)


def test_the_session_needs_neither_textual_nor_rich() -> None:
    """All below the screen stays testable, and fast to import, without one."""
    code = "import sys, tui.session; print(sorted({'textual', 'rich'} & {name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def at_the_first_cue() -> Session:
    """The story where it waits for the first time."""
    one = session("fall")
    one.resize(120, 36)
    while one.scene.player.playing:
        one.tick(100_000)
    return one


def test_at_a_cue_e_tells_what_there_is_to_see_the_rule_behind_it_and_what_to_try() -> None:
    one = at_the_first_cue()
    press(one, "e")
    title, paragraphs = one.scene.explanation()
    assert title.startswith("why: ")
    assert paragraphs[0].startswith("All three greet each other")
    assert paragraphs[1].startswith("On the screen: 3 nodes")
    assert paragraphs[2].startswith("To try: k: crash")
    assert paragraphs[3].startswith("Just before: p"), "what happened last, and then its rule"
    assert paragraphs[4].startswith("This is a ")
    assert paragraphs[-1].endswith("space goes on with the story.")
    assert "space goes on" in screen(one)


def test_going_on_lets_go_of_what_was_explained_and_the_journal_moves_on() -> None:
    one = at_the_first_cue()
    press(one, "e", "space")
    assert (one.scene.focus.why, one.scene.focus.event) == (False, None)
    run(one, 2_000)
    newest = [event for event in one.scene.timeline.engine.told(9) if not isinstance(event.what, Cue)][-1]
    assert " ".join(one.scene.narrate(newest).text.split()[:3]) in screen(one)


def test_why_is_told_in_the_words_of_the_journal_once() -> None:
    one = session()
    one.resize(120, 36)
    run(one, 2_000)
    press(one, "space", "e")
    _, paragraphs = one.scene.explanation()
    line = one.scene.told().line(one.scene.told().folds()[-1])
    assert paragraphs[0] == f"{line.who} {line.text}"
    assert not any(line.text in paragraph for paragraph in paragraphs[1:])


def test_the_time_of_a_line_for_several_is_told_from_the_first_to_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    one = session()
    run(one, 2_000)
    press(one, "space")
    told = one.scene.told()
    last = told.first + len(told.events) - 1
    monkeypatch.setattr(one.scene, "routine", lambda event: "all" if event in told.events[-3:] else "")
    assert one.scene.told().folds()[-1] == Fold(last - 2, last)
    times = [stamp(event.at_us) for event in (told.events[-3], told.events[-1])]
    for number in (last - 2, last):  # the line had been selected before it grew
        one.scene.look(replace(one.scene.focus, why=True, event=number))
        assert one.scene.explanation()[0] == f"why: {times[0]} to {times[1]}"


def test_a_check_that_fails_has_a_line_in_the_journal_where_it_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    one = session()
    one.resize(120, 36)
    run(one, 2_000)
    broke = one.scene.timeline.engine.told(3)[0]
    check = Check("one", False, "it broke", (), broke.position)
    monkeypatch.setattr(one.scene.timeline, "check", lambda: (check,))
    run(one, 100)
    folds = one.scene.told().folds(checks=True)
    place = next(place for place, fold in enumerate(folds) if fold.check)
    assert one.scene.told().event(folds[place]).position <= broke.position
    press(one, "tab", "tab", "tab", "enter")
    assert "check  FAILED: one: it broke" in screen(one)
    numbers = [fold.last for fold in one.scene.told().folds()]
    assert numbers == sorted(set(numbers)), "it cannot be selected"


def test_what_was_taken_back_is_said_in_words() -> None:
    said = {
        faults.Lose("p1", "*", 300_000): "lose p1 > all 30 %",
        faults.Slow("p1", "p2", 50_000, 1_000): "slow p1 > p2 latency 50 ms jitter 1 ms",
        faults.Partition((("p1",), ("p2", "p3"))): "partition ((p1) (p2 p3))",
        SetRule("store_back", False): "set rule store back off",
        SetRule("store_back", True): "set rule store back on",
        Perform("A", True, "x", "r1"): "perform A write x r1",
        Perform("A", False, "x"): "perform A no write x",
        SetPreset("each_quorum"): "set preset each quorum",
    }
    assert {command: command_words(command) for command in said} == said


def test_at_a_cue_e_explains_the_cue_though_something_is_told_behind_it() -> None:
    one = at_the_first_cue()
    engine = one.scene.timeline.engine
    engine.fresh.append((engine.position, engine.now_us, "p2", Thawed(2)))  # type: ignore[attr-defined]
    engine.drain()  # type: ignore[attr-defined]
    assert isinstance(engine.told(1)[0].what, Thawed)
    press(one, "e")
    assert one.scene.explanation()[1][0].startswith("All three greet each other")


def test_stories_of_the_variant_on_the_screen_stand_first() -> None:
    one = Session(PANELS, "consensus", variant="pbft", sandbox=True)
    picker = one.dialogue("scenarios")
    assert isinstance(picker, Pick)
    notes = [choice.note.split(",")[0] for choice in picker.choices[:-1]]
    assert notes == sorted(notes, key=lambda note: note != notes[0])
    assert notes[0] == "PBFT"


def test_the_help_dims_what_means_nothing_now_and_says_why() -> None:
    one = session()
    run(one, 500)
    pages = one.dialogue("help")
    assert isinstance(pages, Pages)
    refused = dict(pages.refused)
    live = {key: key_.act(one.scene.now().snapshot, one.scene.focus) for key, key_ in one.scene.keys.items()}
    assert {key for key, outcome in live.items() if isinstance(outcome, Refuse) and len(key) == 1} <= set(refused)
    assert refused, "a run without a second pattern has keys that lead nowhere"
    key, why = next(iter(refused.items()))
    view = open_view(pages)
    body = view.sheet(78, ASCII).body
    text = "\n".join("".join(part for part, _ in row) for row in body)
    assert f"not now: {why[:20]}" in " ".join(text.split())
    inks = {ink for row in body for part, ink in row if part.strip() == key}
    assert "dim" in inks
