"""The glyph sets and the small charts drawn with them."""

from __future__ import annotations

from dataclasses import fields
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcswidth, wcwidth

from engines.errors import UserError
from tui.glyphs import ASCII, BLOCK, BRAILLE, GLYPH_SETS, Glyphs, glyphs_for
from tui.plot import bar, plot, sparkline

AS_EMOJI = "\ufe0f"  # makes the character before it an emoji, two columns wide, if it has that form
TREE = ("branch", "last", "rail", "gap")
every_set = pytest.mark.parametrize("glyphs", GLYPH_SETS, ids=lambda glyphs: glyphs.name)
numbers = st.lists(st.floats(-100, 100) | st.sampled_from([nan, inf, -inf]), max_size=40)


def pieces(glyphs: Glyphs) -> dict[str, str]:
    return {field.name: getattr(glyphs, field.name) for field in fields(glyphs) if field.name != "name"}


@every_set
def test_every_glyph_is_one_column_in_every_terminal(glyphs: Glyphs) -> None:
    for name, text in pieces(glyphs).items():
        assert all(wcwidth(char) == 1 for char in text), name
        assert all(wcswidth(char + AS_EMOJI) == 1 for char in text if not char.isascii()), name
        if name in TREE:
            assert len(text) == 2, name
        elif name not in ("levels", "strokes", "dot"):
            assert len(text) == 1, name


def test_the_ascii_set_is_ascii() -> None:
    assert all(text.isascii() and text.isprintable() for text in pieces(ASCII).values())


def test_what_must_be_told_apart_is() -> None:
    for glyphs in GLYPH_SETS:
        assert glyphs.bar_full != glyphs.bar_empty
        assert glyphs.played != glyphs.unplayed
        assert glyphs.mark_left != glyphs.mark_right
        assert len(set(glyphs.levels)) == len(glyphs.levels)
        assert glyphs.levels[0] == " "


def test_only_the_braille_set_draws_with_dots() -> None:
    assert [glyphs.braille for glyphs in (BRAILLE, BLOCK, ASCII)] == [True, False, False]


def test_a_set_is_found_by_its_name() -> None:
    assert [glyphs_for(name) for name in ("braille", "block", "ascii")] == list(GLYPH_SETS)
    with pytest.raises(UserError, match=r"--glyphs.*'emoji'.*braille, block, ascii"):
        glyphs_for("emoji")


# -- charts -----------------------------------------------------------------------------------------------------------


@every_set
@given(values=numbers, width=st.integers(-1, 30), height=st.integers(-1, 6), scale=st.none() | st.floats(-9, 9))
def test_a_plot_fills_its_rectangle(
    glyphs: Glyphs, values: list[float], width: int, height: int, scale: float | None
) -> None:
    rows = plot(values, width, height, glyphs, low=scale, high=scale)
    assert [len(row) for row in rows] == [max(0, width)] * max(0, height)
    assert len(sparkline(values, width, glyphs)) == max(0, width)
    assert len(bar(nan if scale is None else scale, width, glyphs)) == max(0, width)


@every_set
def test_a_plot_has_the_lowest_value_at_its_bottom_and_the_highest_at_its_top(glyphs: Glyphs) -> None:
    rows = plot([0, 0, 0, 9, 9, 9], 6, 3, glyphs)
    assert rows[2][0] != " "
    assert rows[0][0] == " "
    assert rows[0][5] != " "
    assert rows[2][5] == " "


def test_a_braille_plot_is_one_connected_line() -> None:
    assert plot([0, 1, 2, 3, 4, 5, 6, 7], 4, 2) == ["  ⡠⠊", "⡠⠊  "]


def test_a_jump_is_joined_by_a_vertical() -> None:
    assert plot([0, 0, 9, 9], 4, 3, ASCII) == ["  ''", "  | ", "__  "]


def test_two_series_share_a_scale_when_it_is_given() -> None:
    assert plot([5, 5], 2, 2, BLOCK, low=0, high=10) != plot([5, 5], 2, 2, BLOCK)
    assert plot([50, 50], 2, 2, BLOCK, low=0, high=10) == plot([10, 10], 2, 2, BLOCK, low=0, high=10)


def test_a_hole_in_the_data_is_a_hole_in_the_line() -> None:
    assert plot([1, nan, 1], 3, 1, ASCII) == ["' '"]
    assert sparkline([1, nan, 1], 3, ASCII) == "# #"


def test_a_sparkline_rises_with_its_values() -> None:
    assert sparkline(range(8), 8) == "▁▂▃▄▅▆▇█"
    assert sparkline(range(7), 7, ASCII) == ".:-=+*#"
    assert sparkline([0, 0], 2) == "▁▁"
    assert sparkline([], 3) == "   "


def test_a_bar_is_as_full_as_its_share_and_shows_the_smallest_one() -> None:
    assert bar(0.5, 6) == "▰▰▰▱▱▱"
    assert bar(0.001, 6, ASCII) == "#-----"
    assert (bar(0, 3, ASCII), bar(7, 3, ASCII), bar(-7, 3, ASCII), bar(nan, 3, ASCII)) == ("---", "###", "---", "---")
