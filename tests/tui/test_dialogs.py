"""Dialogues as text: what each key does, what each shows, at every size and in every glyph set. No terminal, no app."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.errors import UserError
from tests.tui.fake_session import CLIENT, DIALOGUES, FAULTS, HELP, PALETTE, RULES, SCENARIOS
from tui.canvas import Canvas
from tui.dialogs import Choice, Form, Pages, Pick, Prompt
from tui.glyphs import ASCII, BRAILLE, GLYPH_SETS, Glyphs
from tui.panel import Ask, Offer, Outcome, Param, Press, Refuse
from tui.theme import known
from tui.widgets.dialogs import open_view
from tui.widgets.form import FormView
from tui.widgets.lineedit import LineEdit
from tui.widgets.sheet import Answer, Card, Close, Give, View, lay

KEYS = (*"aq 3-+/", "space", "enter", "esc", "tab", "shift+tab", "up", "down", "left", "right", "home", "end",
        "pageup", "pagedown", "backspace", "delete", "ctrl+u", "ctrl+w", "f1", "ctrl+p")  # fmt: skip


def press(view: View, *keys: str) -> Answer:
    """The answer to the last key."""
    answer: Answer = None
    for key in keys:
        answer = view.press(key)
    return answer


def card(view: View, width: int = 80, height: int = 24, glyphs: Glyphs = BRAILLE) -> Card:
    found = lay(view, width, height, glyphs)
    assert found is not None
    return found


def shown(view: View, width: int = 80, height: int = 24, glyphs: Glyphs = BRAILLE) -> str:
    return card(view, width, height, glyphs).canvas.text()


def inks(canvas: Canvas, text: str) -> set[str]:
    """The inks of the first place where `text` stands."""
    for y, line in enumerate(canvas.text().split("\n")):
        if (x := line.find(text)) >= 0:
            return {canvas.ink_at(x + n, y) for n in range(len(text))}
    raise AssertionError(f"{text!r} is not shown in\n{canvas.text()}")


# -- lists


def gives(outcome: Any) -> Give:
    """The answer; what the dialogues here come to are stand-ins for commands."""
    return Give(outcome)


def test_a_list_gives_the_outcome_of_the_row() -> None:
    assert press(open_view(SCENARIOS), "down", "enter") == gives(("s2",))
    assert press(open_view(SCENARIOS), "end", "up", "enter") == gives(("s3",))
    assert press(open_view(SCENARIOS), "up", "up", "home", "enter") == gives(("s1",))


@pytest.mark.parametrize("dialogue", [SCENARIOS, FAULTS, HELP, RULES])
def test_esc_and_q_close_a_dialogue_that_takes_no_typing(dialogue: Pick | Form | Pages) -> None:
    assert press(open_view(dialogue), "q") == Close()
    assert press(open_view(dialogue), "esc") == Close()


def test_a_refused_row_is_dim_cannot_be_chosen_and_says_why() -> None:
    view = open_view(SCENARIOS)
    assert press(view, "end", "enter") is None
    canvas = card(view).canvas
    assert "no: recorded data: faults need a simulation" in canvas.text()
    press(view, "home")
    canvas = card(view).canvas
    assert inks(canvas, "your file") == {"dim"}
    assert inks(canvas, "recorded data: faults need a simulation") == {"dim"}


def test_the_help_of_the_selected_row_stands_below_and_nothing_else_moves() -> None:
    view = open_view(SCENARIOS)
    before = card(view)
    assert "A quiet start" in before.canvas.text()
    press(view, "down")
    after = card(view)
    assert "Two candidates ask at once" in after.canvas.text()
    assert before[:2] == after[:2]
    assert (before.canvas.width, before.canvas.height) == (after.canvas.width, after.canvas.height)


def test_the_palette_is_filtered_by_words_and_titles_come_first() -> None:
    view = open_view(PALETTE)
    assert press(view, *"run save") is None
    assert "save the run" in shown(view)
    assert "thing number" not in shown(view)
    assert press(view, "enter") == gives(Ask("client"))
    view = open_view(PALETTE)
    view.paste("number 19\nand more")
    assert press(view, "enter") == gives(Press("t"))


def test_q_is_a_letter_in_a_filter_and_nothing_found_is_said() -> None:
    view = open_view(PALETTE)
    assert press(view, "q", "q", "q") is None
    assert "nothing here is called that" in shown(view)
    assert press(view, "enter") is None
    assert press(view, "backspace", "backspace", "backspace", "enter") == gives(Press("a"))


def test_a_long_list_scrolls_and_says_how_far() -> None:
    view = open_view(PALETTE)
    card(view, 60, 16)
    press(view, "up")
    text = shown(view, 60, 16)
    assert "crash the node" in text
    assert "of 22" in text
    assert "nothing is selected" in text


def test_an_empty_list_can_only_be_closed() -> None:
    view = open_view(DIALOGUES["empty"])
    assert press(view, "enter", "up", "down") is None
    assert press(view, "esc") == Close()


# -- forms


def test_left_and_right_change_a_number_by_its_step_within_its_range() -> None:
    assert press(open_view(FAULTS), "right", "enter") == gives(("crash", {"for": 300}))
    assert press(open_view(FAULTS), *["left"] * 9, "enter") == gives(("crash", {"for": 0}))
    assert press(open_view(FAULTS), *["right"] * 99, "enter") == gives(("crash", {"for": 2000}))


def test_tab_goes_to_the_next_value_and_a_choice_goes_round() -> None:
    built = press(open_view(FAULTS), "down", "tab", "right", "tab", "left", "enter")
    assert built == gives(("delay", {"by": 40, "jitter": 10, "way": "out"}))
    assert press(open_view(FAULTS), "tab", "enter") == gives(("delay", {"by": 40, "jitter": 5, "way": "both"}))


def test_a_number_can_be_typed_and_is_brought_into_its_range() -> None:
    assert press(open_view(FAULTS), *"425", "enter") == gives(("crash", {"for": 425}))
    assert press(open_view(FAULTS), *"99999", "enter") == gives(("crash", {"for": 2000}))
    assert press(open_view(FAULTS), "up", *"-300", "enter") == gives(("skew", {"by": -300}))
    assert press(open_view(FAULTS), *"70", "right", "enter") == gives(("crash", {"for": 120}))


def test_a_text_takes_letters_and_a_switch_flips() -> None:
    typed = press(open_view(FAULTS), *["down"] * 3, "backspace", "q", "space", "5", "tab", "right", "enter")
    assert typed == gives(("write", {"text": "y=q 5", "sure": False}))


def test_what_cannot_be_built_is_said_and_the_form_stays() -> None:
    view = open_view(FAULTS)
    assert press(view, *"13", "enter") is None
    assert "13 ms is bad luck" in shown(view)
    assert press(view, "right", "enter") == gives(("crash", {"for": 63}))


def test_a_form_shows_the_values_of_all_offers_and_unfolds_the_selected_one() -> None:
    view = open_view(FAULTS)
    text = shown(view)
    assert "for 250 ms" not in text
    assert "by 40 ms, jitter 5 ms, way both" in text
    assert "0 to 2000" in text
    press(view, "down")
    text = shown(view)
    assert "for 250 ms" in text
    assert "both in out" in text
    assert "Every message from and to it takes longer." in text


def test_switches_show_whether_they_are_on() -> None:
    text = shown(open_view(RULES))
    assert "[on]  check the term" in text
    assert "[off] vote once" in text


def test_an_empty_form_can_only_be_closed() -> None:
    view = open_view(Form("nothing", ()))
    assert "nothing to choose here" in shown(view)
    assert press(view, "up", "left", "tab") is None
    assert press(view, "enter") == Close()


def test_a_range_without_an_upper_end_has_only_a_lower_one() -> None:
    view = FormView(Form("f", (Offer("o", "", lambda values: values["n"], (Param("n", 3),)),)))
    assert press(view, *["right"] * 9, "enter") == gives(12)
    assert press(view, *["left"] * 99, "enter") == gives(0)


def test_a_refused_offer_says_why() -> None:
    view = FormView(Form("f", (Offer("o", "", lambda values: Refuse("not while it runs")),)))
    assert press(view, "enter") is None
    assert "not while it runs" in shown(view)


# -- lines


def test_a_prompt_is_prefilled_and_gives_what_was_typed() -> None:
    assert press(open_view(CLIENT), "enter") == gives(("client", "y=3"))
    assert press(open_view(CLIENT), "backspace", "4", "enter") == gives(("client", "y=4"))


def test_an_error_is_shown_inline_and_the_text_stays() -> None:
    view = open_view(CLIENT)
    assert press(view, "ctrl+u", *"yqz", "space", "enter") is None
    text = shown(view)
    assert "> yqz" in text
    assert "! 'yqz ' is no request; write it like y=3" in text
    assert press(view, "=", "enter") == gives(("client", "yqz ="))


def test_a_prompt_takes_the_first_line_of_a_paste() -> None:
    view = open_view(CLIENT)
    press(view, "ctrl+u")
    view.paste("x=\x1b[1\nrm -rf /")
    assert press(view, "enter") == gives(("client", "x=[1"))


def test_a_long_line_keeps_its_cursor_in_sight() -> None:
    def submit(text: str) -> Any:
        return text

    view = open_view(Prompt("save", "/a" * 60 + "/end", "", submit))
    assert "/end" in shown(view, 60, 16)
    press(view, "home", "x")
    assert "> x/a/a" in shown(view, 60, 16)


@given(st.lists(st.sampled_from([*KEYS, "ctrl+a", "ctrl+e", "ctrl+k", "ctrl+d"])))
def test_a_line_never_loses_its_cursor(keys: list[str]) -> None:
    line = LineEdit("dp tui")
    for key in keys:
        line.press(key)
        assert 0 <= line.at <= len(line.text)
        assert len("".join(text for text, _ in line.runs(10))) <= 10


def test_a_word_goes_at_once() -> None:
    line = LineEdit("put x 3  ")
    line.press("ctrl+w")
    assert line.text == "put x "
    line.press("home")
    line.press("ctrl+w")
    assert line.text == "put x "


# -- pages


def test_pages_stand_in_two_columns_where_there_is_room_and_scroll_where_not() -> None:
    view = open_view(HELP)
    wide = shown(view, 130, 40)
    assert any("this pattern" in line and "looking" in line for line in wide.split("\n"))
    assert "scroll" not in wide
    view = open_view(HELP)
    assert "scroll" in shown(view, 60, 16)
    assert "quit" not in shown(view, 60, 16)
    press(view, "end")
    assert "Five nodes" in shown(view, 60, 16)  # the keys stand first
    press(view, "home")
    assert "this pattern" in shown(view, 60, 16)


def typing(view: View) -> bool:
    return view.typing


def test_help_is_searched_and_esc_leaves_the_search_first() -> None:
    view = open_view(HELP)
    press(view, "/", *"quit")
    assert typing(view)
    found = shown(view, 80, 24)
    assert "quit" in found
    assert "Five nodes" not in found
    press(view, "enter")
    assert not typing(view)
    assert "Five nodes" not in shown(view, 80, 24)
    assert view.press("esc") is None
    assert "Five nodes" in shown(view, 130, 60)
    press(view, "/", *"zzz")
    assert "nothing here has 'zzz'" in shown(view, 80, 24)
    press(view, "esc")
    assert view.press("esc") == Close()


def test_in_lists_j_and_k_move_and_slash_searches() -> None:
    pick = Pick("p", tuple(Choice(title, "", "", Ask(title)) for title in ("jump", "kick", "third j")))
    view = open_view(pick)
    press(view, "j", "j", "k")
    assert view.press("enter") == Give(Ask("kick"))
    press(view, "/", "j")
    assert typing(view)
    assert view.press("enter") == Give(Ask("jump"))
    press(view, "down")
    assert view.press("enter") == Give(Ask("third j"))
    assert view.press("esc") is None
    assert not typing(view)
    assert view.press("q") == Close()


def test_the_palette_is_fuzzy_but_words_come_first() -> None:
    titles = ("split vote", "save the run", "theme: light", "speed: faster", "variant: Ring")
    view = open_view(Pick("p", tuple(Choice(title, "", "", Ask(title)) for title in titles), filterable=True))
    wanted = {"vring": 4, "thl": 2, "svr": 1, "spl": 0, "ring": 4}
    for typed, row in wanted.items():
        press(view, "ctrl+u", *typed)
        assert view.press("enter") == Give(Ask(titles[row])), typed
    press(view, "ctrl+u", *"xyz")
    assert "nothing here is called that" in shown(view, 80, 24)


def test_forms_move_by_j_and_k_and_by_pages() -> None:
    offers = tuple(Offer(f"offer {n}", "", lambda values, n=n: Ask(str(n))) for n in range(30))  # type: ignore[misc]
    view = open_view(Form("f", offers))
    shown(view, 80, 24)
    press(view, "j", "j", "k")
    assert view.press("enter") == Give(Ask("1"))
    press(view, "pagedown", "pagedown", "pagedown")
    assert view.press("enter") == Give(Ask("29"))
    press(view, "pageup")
    assert view.press("enter") == Give(Ask(str(29 - view.page)))


# -- all of them, everywhere


@pytest.mark.parametrize("glyphs", GLYPH_SETS, ids=lambda glyphs: glyphs.name)
@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 36), (240, 70), (24, 5), (41, 9)])
@pytest.mark.parametrize("name", sorted(DIALOGUES))
def test_every_dialogue_fits_every_screen(name: str, size: tuple[int, int], glyphs: Glyphs) -> None:
    view = open_view(DIALOGUES[name])
    for key in ("f1", "down", "right", "tab", "end"):
        found = card(view, *size, glyphs)
        canvas = found.canvas
        assert found.x >= 0
        assert found.y >= 0
        assert found.x + canvas.width <= size[0]
        assert found.y + canvas.height <= size[1]
        assert all(known(ink) for row in canvas.rows() for _, ink in row)
        assert "esc" in canvas.text()
        assert glyphs is not ASCII or canvas.text().isascii()
        if press(view, key) is not None:
            break


def test_where_there_is_no_room_a_dialogue_waits() -> None:
    view = open_view(CLIENT)
    press(view, "4")
    assert lay(view, 10, 3, BRAILLE) is None
    assert "> y=34" in shown(view)


@given(name=st.sampled_from(sorted(DIALOGUES)), keys=st.lists(st.sampled_from(KEYS), max_size=30))
def test_no_keys_break_a_dialogue(name: str, keys: list[str]) -> None:
    view = open_view(DIALOGUES[name])
    for key in keys:
        lay(view, 60, 16, BRAILLE)
        if view.press(key) is not None:
            return


def test_a_click_chooses_a_row_or_a_value() -> None:
    assert open_view(SCENARIOS).choose(1) == gives(("s2",))
    assert open_view(SCENARIOS).choose(9) is None
    view = open_view(FAULTS)
    assert view.choose(2) is None
    assert press(view, "enter") == gives(("delay", {"by": 40, "jitter": 5, "way": "both"}))
    assert view.choose(3) is None
    assert press(view, "right", "enter") == gives(("delay", {"by": 40, "jitter": 10, "way": "both"}))


def test_a_refused_answer_of_a_prompt_is_shown_too() -> None:
    def submit(text: str) -> Outcome:
        if text:
            raise UserError("no")
        return Refuse("say something")

    view = open_view(Prompt("p", "", "", submit))
    assert press(view, "enter") is None
    assert "say something" in shown(view)
    assert press(view, "a", "enter") is None


def test_the_highest_row_of_a_list_is_the_best_match() -> None:
    meanings: Any = ("unsave", "not safe", "save")
    pick = Pick("p", tuple(Choice(title, "", "", title) for title in meanings), filterable=True)
    assert press(open_view(pick), *"save", "enter") == gives("save")
