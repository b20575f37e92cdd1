"""The keymap: no key means two things, and everything shown to people comes from it."""

from dataclasses import replace
from typing import Any

import pytest

from engines.sim import faults
from engines.sim.timeline import Timeline
from tests.toy import KEYS, TOY, timeline
from tui.canvas import Canvas
from tui.chrome import footer as draw_footer
from tui.glyphs import ASCII
from tui.keys import FREE, GROUPS, SENSES, VERBS, Entry, footer, help_tables, keymap, palette
from tui.panel import Ask, Do, Focus, GoToPattern, Key, Refuse
from tui.registry import PANELS

NAMES = {
    *("space", "enter", "esc", "tab", "shift+tab", "left", "right", "up", "down", "home", "end", "pageup", "pagedown"),
    *("backspace", "f1", "ctrl+p", "ctrl+l", "ctrl+q", "ctrl+c"),
}
GLOBAL = (
    "1 2 3 4 5 6 7 m M space . , > < + - home end tab left right up down enter esc e s i r R ? f1 t / "
    "ctrl+p k z x X b h a A f S P q ctrl+q ctrl+c"
)
SNAPSHOT = timeline().snapshot()


def test_no_key_of_any_panel_collides() -> None:
    for panel in (TOY, *PANELS):
        table = keymap(panel, PANELS)
        assert all(name == key.key for name, key in table.items())
        assert {key.group for key in table.values()} <= {group for group, _ in GROUPS}


def test_only_keys_that_reach_every_terminal_are_used() -> None:
    for panel in (TOY, *PANELS):
        for name in keymap(panel):
            assert name in NAMES or (len(name) == 1 and name.isascii() and name.isprintable()), name


def test_the_table_of_the_design_is_there() -> None:
    table = keymap(TOY)
    for name in GLOBAL.split():
        assert name in table, name
    assert not FREE & set(VERBS)


@pytest.mark.parametrize("taken", ["s", "q", "space", "1", "e", "f"])
def test_a_pattern_cannot_give_a_global_key_another_meaning(taken: str) -> None:
    greedy = Key(taken, "mine", "mine", lambda snapshot, focus: Do.QUIT)
    with pytest.raises(AssertionError):
        keymap(replace(TOY, keys=(*KEYS, greedy)))


def test_a_pattern_cannot_give_one_key_two_meanings() -> None:
    with pytest.raises(AssertionError):
        keymap(replace(TOY, keys=(*KEYS, KEYS[0])))


def test_keys_that_open_dialogues() -> None:
    table, focus = keymap(TOY), Focus(node="p1")
    wanted = {"X": "sides", "f": "faults", "b": "rules", "A": "client", "s": "scenarios", "S": "save", "/": "find"}
    for key, what in {**wanted, "?": "help", "f1": "help", "ctrl+p": "palette"}.items():
        assert table[key].act(SNAPSHOT, focus) == Ask(what)
    assert table["t"].act(SNAPSHOT, focus) == Refuse("nothing to tune here")


def test_a_pattern_that_is_not_built_says_so() -> None:
    table = keymap(TOY, (TOY,))
    assert table["3"].act(SNAPSHOT, Focus()) == Refuse("3 Sharding is not built yet")
    assert table["8"].act(SNAPSHOT, Focus()) == GoToPattern(8)


def test_escape_undoes_the_newest_kind_of_looking_first() -> None:
    act = keymap(TOY)["esc"].act
    focus = Focus("journal", zoom=True, why=True, inspector=True, find="x", event=3)
    seen = []
    while focus != Focus():
        after = act(SNAPSHOT, focus)
        assert isinstance(after, Focus)
        seen += [name for name in ("zoom", "why", "inspector", "find", "event", "area")
                 if getattr(after, name) != getattr(focus, name)]  # fmt: skip
        focus = after
    assert seen == ["zoom", "why", "inspector", "find", "event", "area"]


def test_the_footer_dims_what_refuses_and_names_space_by_what_it_does() -> None:
    table = keymap(TOY)
    without = {entry.key: entry for entry in footer(table, SNAPSHOT, Focus(), True, ASCII)}
    assert without["k"].dim
    assert not without["h"].dim
    assert (without["space"].label, without["left"].shown) == ("pause", "arrows")
    with_node = {entry.key: entry for entry in footer(table, SNAPSHOT, Focus(node="p1"), False)}
    assert not with_node["k"].dim
    assert with_node["space"].label == "run"
    assert with_node["."].shown == ", ."


@pytest.mark.parametrize("width", [0, 5, 20, 60, 80, 120, 240])
def test_the_footer_shows_only_whole_keys_and_drops_high_ranks(width: int) -> None:
    entries = footer(keymap(TOY), SNAPSHOT, Focus(), True)
    canvas, spans = draw_footer(width, entries)
    assert isinstance(canvas, Canvas)
    by_key = {entry.key: entry for entry in entries}
    for span in spans:
        entry = by_key[span.key]
        assert canvas.text()[span.start : span.stop] == f"{entry.shown} {entry.label}"
    if width >= 60:
        assert {"left", "space"} <= {span.key for span in spans}


def test_a_low_rank_outlives_a_high_one() -> None:
    entries = [Entry("a", "a", "first but unimportant", False, 90), Entry("b", "b", "last", False, 1)]
    assert [span.key for span in draw_footer(12, entries)[1]] == ["b"]


def test_help_and_palette_name_every_key() -> None:
    table = keymap(TOY)
    rows = [row for _, group in help_tables(table) for row in group]
    assert len(rows) == len(table) - 3, "the arrows share a row"
    choices = palette(table, SNAPSHOT, Focus())
    assert len(choices) == len(table) - 8
    assert next(choice for choice in choices if choice.note == "k").outcome == Refuse("select a node first")


def test_the_free_letters_have_one_sense_in_every_panel() -> None:
    """The same letter is the same habit: what it does begins with the same words everywhere."""
    for panel in PANELS:
        table = keymap(panel, PANELS)
        for letter, sense in SENSES.items():
            if letter in table:
                assert table[letter].help.startswith(sense), f"{panel.pattern.name} {letter}: {table[letter].help}"


def test_whoever_goes_on_with_a_letter_goes_back_with_its_capital() -> None:
    for panel in PANELS:
        table = keymap(panel, PANELS)
        for one, other in (("n", "N"), ("v", "V")):
            assert (one in table) == (other in table), f"{panel.pattern.name} {one}"


def test_what_would_be_refused_gives_its_place_to_what_acts() -> None:
    """CQRS needs a machine for k: without one, a small screen offers what does something instead."""
    panel = next(each for each in PANELS if each.pattern.name == "cqrs")
    snapshot: Any = Timeline(panel.pattern.variants[0], 1).snapshot()
    table = keymap(panel, PANELS)
    for focus, there in ((Focus(), False), (Focus(node="p1"), True)):
        canvas, spans = draw_footer(80, footer(table, snapshot, focus, True))
        assert ("k" in [span.key for span in spans]) is there
        assert ("k crash" in canvas.text()) is there


def test_the_footer_names_the_machine_that_would_crash_or_restart() -> None:
    panel = next(each for each in PANELS if each.pattern.name == "consensus")
    run: Any = Timeline(panel.pattern.variants[0], 1)
    run.advance(1_000_000)
    table, leader = keymap(panel, PANELS), run.snapshot().leader
    focus = panel.fit(run.snapshot(), Focus())
    assert f"k crash {leader}" in draw_footer(80, footer(table, run.snapshot(), focus, True))[0].text()
    run.submit(faults.Isolate(leader))
    run.submit(faults.Freeze(leader))
    labels = {entry.key: entry.label for entry in footer(table, run.snapshot(), focus, True)}
    assert (labels["x"], labels["z"]) == ("reconnect", "thaw")
    run.submit(faults.Crash(leader))
    assert f"k restart {leader}" in draw_footer(80, footer(table, run.snapshot(), focus, True))[0].text()


def test_the_footer_says_what_j_and_k_are_now() -> None:
    table = keymap(TOY)
    labels = {entry.key: entry.label for entry in footer(table, SNAPSHOT, Focus(node="p1"), True)}
    assert labels["k"] == "crash p1"
    listed = {entry.key: entry for entry in footer(table, SNAPSHOT, Focus("journal"), True, listed=True)}
    assert (listed["k"].shown, listed["k"].label) == ("j k", "move")
    assert "j" not in listed
    assert table["k"].act(SNAPSHOT, Focus("journal")) == Do.UP
    assert table["j"].act(SNAPSHOT, Focus("journal")) == Do.DOWN
