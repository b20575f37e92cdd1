"""The canvas: nothing drawn outside, one column a cell, and a diff that names exactly what changed."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcwidth import wcwidth

from tui.canvas import Canvas, Row, RowDiff, clip, legible, wrap
from tui.glyphs import ASCII, BLOCK, GLYPH_SETS, Glyphs

INKS = ("text", "dim", "leader", "t3!")
sizes = st.integers(0, 12)
places = st.integers(-15, 15)
texts = st.text(max_size=20) | st.text("ab .⠁─", max_size=20)
inks = st.sampled_from(INKS)


def cells(rows: tuple[Row, ...]) -> list[list[tuple[str, str]]]:
    return [[(char, ink) for text, ink in row for char in text] for row in rows]


def assert_whole(canvas: Canvas) -> None:
    rows = canvas.rows()
    assert len(rows) == canvas.height
    for row in rows:
        assert sum(len(text) for text, _ in row) == canvas.width
        assert all(text for text, _ in row)
        assert all(left[1] != right[1] for left, right in pairwise(row))
        assert all(wcwidth(char) == 1 for text, _ in row for char in text)


@st.composite
def pictures(draw: st.DrawFn, width: int | None = None, height: int | None = None) -> Canvas:
    """A canvas drawn on with every verb it has, mostly across its borders."""
    canvas = Canvas(draw(sizes) if width is None else width, draw(sizes) if height is None else height)
    for verb in draw(st.lists(st.integers(0, 8), max_size=6)):
        x, y, w, h = (draw(places) for _ in range(4))
        text, ink = draw(texts), draw(inks)
        glyphs = draw(st.sampled_from(GLYPH_SETS))
        match verb:
            case 0:
                canvas.put(x, y, text, ink)
            case 1:
                canvas.put_right(x, y, text, ink)
            case 2:
                canvas.center(y, text, ink, x, draw(st.none() | places))
            case 3:
                canvas.fill(x, y, w, h, text, ink)
            case 4:
                canvas.recolor(x, y, w, ink)
            case 5:
                canvas.box(x, y, w, h, text, text[:5], ink, glyphs=glyphs)
            case 6:
                canvas.line(x, y, w, h, ink, draw(st.booleans()), glyphs)
            case 7:
                canvas.overlay(x, y, text, ink)
            case _:
                other = Canvas(draw(sizes), draw(sizes))
                other.fill(0, 0, 9, 9, "#", ink)
                other.line(0, 0, 9, 9, ink, glyphs=glyphs)
                canvas.blit(other, x, y)
    return canvas


# -- clipping ---------------------------------------------------------------------------------------------------------


@given(pictures())
def test_whatever_is_drawn_every_row_has_the_whole_width(canvas: Canvas) -> None:
    assert_whole(canvas)


@given(sizes, sizes, places, places, texts, inks)
def test_put_writes_its_cells_and_no_others(w: int, h: int, x: int, y: int, text: str, ink: str) -> None:
    canvas = Canvas(w, h)
    canvas.fill(0, 0, w, h, "~", "line")
    said = canvas.put(x, y, text, ink)
    text = legible(text)
    assert said == x + len(text)
    assert_whole(canvas)
    for row in range(h):
        for column in range(w):
            written = row == y and x <= column < x + len(text)
            assert (canvas.ink_at(column, row) == ink) if written else (canvas.ink_at(column, row) == "line")
            if written:
                assert canvas.char_at(column, row) in (text[column - x], "?")
            else:
                assert canvas.char_at(column, row) == "~"


@given(st.characters())
def test_every_character_takes_one_column(char: str) -> None:
    canvas = Canvas(3, 1)
    canvas.put(1, 0, char)
    assert wcwidth(canvas.char_at(1, 0)) == 1


@pytest.mark.parametrize("char", ["\t", "\n", "\x1b", "\x7f", "\u0301", "\u200d", "\u202e", "\ud800", "ᅡ"])
def test_control_and_joining_characters_become_question_marks(char: str) -> None:
    canvas = Canvas(5, 1)
    assert canvas.put(0, 0, f"a{char}b") == 3
    assert canvas.text() == "a?b"


def test_names_in_wide_characters_can_be_told_apart() -> None:
    """As two columns they have no place in a picture of cells; as question marks all would be alike."""
    canvas = Canvas(40, 1)
    end = canvas.put(0, 0, "\u6f22 \u65e5")
    canvas.put(end, 0, "|")
    canvas.put_right(40, 0, "\U0001f600")
    assert canvas.text() == r"\u6f22 \u65e5|                \U0001f600"
    assert clip("\u6f22\u5b57", 8) == r"\u6f22.."
    assert wrap("a \u6f22\u5b57", 8) == ["a", r"\u6f22\u", "5b57"]
    assert legible("n1 caf\u00e9") == "n1 caf\u00e9"


def test_outside_reads_as_blank() -> None:
    canvas = Canvas(2, 2)
    canvas.fill(0, 0, 2, 2, "x", "bad")
    for x, y in ((-1, 0), (0, -1), (2, 0), (0, 2)):
        assert (canvas.char_at(x, y), canvas.ink_at(x, y)) == (" ", "text")


def test_a_canvas_without_cells_takes_everything() -> None:
    canvas = Canvas(0, -3)
    canvas.put(0, 0, "text")
    canvas.box(0, 0, 5, 5, "title")
    canvas.line(0, 0, 5, 5)
    assert (canvas.rows(), canvas.text()) == ((), "")


# -- text -------------------------------------------------------------------------------------------------------------


def test_text_is_placed_at_the_left_at_the_right_and_in_the_middle() -> None:
    canvas = Canvas(12, 4)
    assert canvas.put(1, 0, "left") == 5
    canvas.put_right(12, 1, "right")
    canvas.center(2, "mid")
    canvas.center(3, "mid", x0=6, x1=11)
    assert canvas.text() == " left\n       right\n    mid\n       mid"


def test_rows_are_runs_of_equal_ink() -> None:
    canvas = Canvas(9, 1)
    canvas.put(1, 0, "n3", "leader!")
    canvas.put(3, 0, " t5", "dim")
    assert canvas.rows() == (((" ", "text"), ("n3", "leader!"), (" t5", "dim"), ("   ", "text")),)


def test_recolor_changes_ink_only() -> None:
    canvas = Canvas(6, 1)
    canvas.put(0, 0, "abcdef")
    canvas.recolor(2, 0, 2, "bad")
    canvas.recolor(5, 0, 99, "good")
    assert canvas.rows() == ((("ab", "text"), ("cd", "bad"), ("e", "text"), ("f", "good")),)


@given(st.text("ab \n", max_size=60), st.integers(-1, 20))
def test_wrap_keeps_every_word_in_order_and_no_line_too_long(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(len(line) <= width for line in lines)
    if width > 0:
        assert "".join(lines).replace(" ", "") == "".join(text.split())


def test_wrap_breaks_between_words_and_cuts_only_what_cannot_fit() -> None:
    assert wrap("commits when n1 or n2 confirms", 12) == ["commits when", "n1 or n2", "confirms"]
    assert wrap("abcdefgh ij", 3) == ["abc", "def", "gh", "ij"]
    assert wrap("one\n\ntwo", 9) == ["one", "", "two"]
    assert wrap("", 9) == [""]


@given(st.text(max_size=20), st.integers(-2, 22))
def test_clip_is_never_longer_than_asked_and_says_when_it_cut(text: str, width: int) -> None:
    clipped = clip(text, width)
    assert len(clipped) <= max(0, width)
    text = legible(text)
    if len(text) <= width:
        assert clipped == text
    elif width >= 2:
        assert clipped == text[: width - 2] + ".."


# -- shapes -----------------------------------------------------------------------------------------------------------


def boxed(width: int, title: str = "cluster", right: str = "term 5", height: int = 3) -> str:
    canvas = Canvas(width, height)
    canvas.box(0, 0, width, height, title, right)
    return canvas.text().splitlines()[0]


def test_a_box_has_its_title_at_the_left_and_its_note_at_the_right() -> None:
    canvas = Canvas(24, 3)
    canvas.box(0, 0, 24, 3, "cluster", "term 5")
    assert canvas.text() == "╭─ cluster ──── term 5 ╮\n│                      │\n╰──────────────────────╯"
    assert [canvas.ink_at(x, 0) for x in (0, 3, 12, 16, 23)] == ["line", "accent", "line", "dim", "line"]


def test_in_a_narrow_box_the_note_goes_first_then_the_title_is_clipped() -> None:
    assert boxed(21) == "╭─ cluster ─ term 5 ╮"
    assert boxed(20) == "╭─ cluster ────────╮"
    assert boxed(13) == "╭─ cluster ─╮"
    assert boxed(12) == "╭─ clus.. ─╮"
    assert boxed(7) == "╭─ . ─╮"
    assert boxed(6) == "╭────╮"
    assert boxed(2) == "╭╮"
    assert boxed(1) == ""


def test_a_box_one_row_high_is_a_rule() -> None:
    assert boxed(20, "logs", "", height=1) == "── logs ────────────"


def test_a_box_leaves_its_inside_alone() -> None:
    canvas = Canvas(5, 3)
    canvas.put(1, 1, "abc")
    canvas.box(0, 0, 5, 3, glyphs=ASCII)
    assert canvas.text() == "+---+\n|abc|\n+---+"


@given(places, places, places, places, st.sampled_from(GLYPH_SETS))
def test_a_line_never_touches_text_or_a_chip(x0: int, y0: int, x1: int, y1: int, glyphs: Glyphs) -> None:
    canvas = Canvas(10, 10)
    canvas.put(2, 4, "1.5 s")
    canvas.put(3, 6, " n1 ", "leader!")
    canvas.line(x0, y0, x1, y1, "bad", glyphs=glyphs)
    assert [canvas.char_at(x, 4) for x in (2, 3, 4, 6)] == ["1", ".", "5", "s"]
    assert canvas.ink_at(3, 4) == "text"
    assert [(canvas.char_at(x, 6), canvas.ink_at(x, 6)) for x in range(3, 7)] == [(c, "leader!") for c in " n1 "]


@given(places, places, places, places, st.sampled_from(GLYPH_SETS))
def test_a_line_covers_both_its_ends(x0: int, y0: int, x1: int, y1: int, glyphs: Glyphs) -> None:
    canvas = Canvas(10, 10)
    canvas.line(x0, y0, x1, y1, "bad", glyphs=glyphs)
    for x, y in ((x0, y0), (x1, y1)):
        if 0 <= x < 10 and 0 <= y < 10:
            assert canvas.char_at(x, y) != " "
            assert canvas.ink_at(x, y) == "bad"


def test_braille_lines_share_a_cell_and_the_later_ink_wins() -> None:
    one, other, both = Canvas(1, 1), Canvas(1, 1), Canvas(1, 1)
    one.line(-1, 0, 1, 0)
    other.line(0, -1, 0, 1)
    both.line(-1, 0, 1, 0, "line")
    both.line(0, -1, 0, 1, "cut")
    assert ord(both.char_at(0, 0)) == ord(one.char_at(0, 0)) | ord(other.char_at(0, 0))
    assert both.char_at(0, 0) not in (one.char_at(0, 0), other.char_at(0, 0))
    assert both.ink_at(0, 0) == "cut"


@pytest.mark.parametrize("glyphs", [BLOCK, ASCII])
def test_dotted_lines_cross_like_braille_ones(glyphs: Glyphs) -> None:
    canvas = Canvas(3, 3)
    canvas.line(0, 1, 2, 1, "line", glyphs=glyphs)
    canvas.line(1, 0, 1, 2, "cut", glyphs=glyphs)
    assert canvas.text() == " d\nddd\n d".replace("d", glyphs.dot)
    assert [canvas.ink_at(x, 1) for x in range(3)] == ["line", "cut", "line"]
    canvas.put(1, 1, glyphs.dot, "text")
    canvas.line(1, 0, 1, 2, "cut", glyphs=glyphs)
    assert canvas.ink_at(1, 1) == "text", "a dot that is text is not a line"


def test_a_dashed_line_has_fewer_dots_and_the_same_course() -> None:
    whole, dashed = Canvas(20, 5), Canvas(20, 5)
    whole.line(0, 0, 19, 4)
    dashed.line(0, 0, 19, 4, dashed=True)
    dots = 0
    for y in range(5):
        for x in range(20):
            a, b = (ord(c.char_at(x, y)) & 0xFF if c.char_at(x, y) != " " else 0 for c in (whole, dashed))
            assert a | b == a
            dots += (a ^ b).bit_count()
    assert dots > 10


@pytest.mark.parametrize("glyphs", GLYPH_SETS)
def test_an_absurdly_long_line_is_cut_before_it_is_walked(glyphs: Glyphs) -> None:
    canvas = Canvas(10, 10)
    began = time.process_time()
    canvas.line(-(10**9), 5, 10**9, 5, glyphs=glyphs)
    canvas.line(-(10**9), 50, 10**9, 50, glyphs=glyphs)
    assert time.process_time() - began < 1
    assert canvas.text().splitlines()[5].count(" ") == 0
    assert_whole(canvas)


def test_a_level_line_is_level() -> None:
    canvas = Canvas(8, 1)
    canvas.line(0, 0, 7, 0)
    assert len(set(canvas.text()[1:-1])) == 1


def test_overlay_lets_through_what_is_beneath_its_blanks() -> None:
    canvas = Canvas(4, 1)
    canvas.put(0, 0, "ab⠁d", "dim")
    canvas.overlay(0, 0, "x ⠂ ", "good")
    assert canvas.rows() == ((("x", "good"), ("b", "dim"), ("⠃", "good"), ("d", "dim")),)


def test_blit_copies_characters_inks_and_the_nature_of_lines() -> None:
    small = Canvas(3, 1)
    small.line(0, 0, 2, 0, "line", glyphs=ASCII)
    canvas = Canvas(4, 2)
    canvas.fill(0, 0, 4, 2, "#", "bad")
    canvas.blit(small, 2, 1)
    assert canvas.text() == "####\n##.."
    canvas.line(2, 1, 3, 1, "cut", glyphs=ASCII)
    assert canvas.ink_at(3, 1) == "cut"


# -- the diff ---------------------------------------------------------------------------------------------------------


@given(st.data(), sizes, sizes)
def test_a_diff_names_the_first_and_the_last_changed_cell_of_each_row(data: st.DataObject, w: int, h: int) -> None:
    old, new = (data.draw(pictures(w, h)).rows() for _ in range(2))
    diff = RowDiff()
    diff.changed(old)
    changed = {y: (first, last) for y, first, last in diff.changed(new)}
    for y, (before, after) in enumerate(zip(cells(old), cells(new), strict=True)):
        different = [x for x in range(w) if before[x] != after[x]]
        assert changed.get(y) == ((different[0], different[-1]) if different else None)


@given(pictures())
def test_the_same_picture_again_changes_nothing(canvas: Canvas) -> None:
    diff = RowDiff()
    assert diff.changed(canvas.rows()) == [(y, 0, canvas.width - 1) for y in range(canvas.height) if canvas.width]
    assert diff.changed(canvas.rows()) == []


@given(st.data(), pictures())
def test_after_a_size_change_everything_has_changed(data: st.DataObject, canvas: Canvas) -> None:
    diff = RowDiff()
    diff.changed(canvas.rows())
    larger = data.draw(pictures(canvas.width + 1, canvas.height + 2))
    assert diff.changed(larger.rows()) == [(y, 0, larger.width - 1) for y in range(larger.height)]


def test_after_a_reset_everything_has_changed() -> None:
    canvas, diff = Canvas(4, 2), RowDiff()
    diff.changed(canvas.rows())
    diff.reset()
    assert diff.changed(canvas.rows()) == [(0, 0, 3), (1, 0, 3)]


def test_how_a_row_is_cut_into_runs_is_no_change() -> None:
    diff = RowDiff()
    diff.changed([(("abcd", "text"),)])
    assert diff.changed([(("ab", "text"), ("", "bad"), ("cd", "text"))]) == []
    assert diff.changed([(("a", "text"), ("bxd", "text"))]) == [(0, 2, 2)]


def test_a_full_screen_is_drawn_and_compared_in_a_blink() -> None:
    """The budget is 1 ms at 200 x 50; ten times that keeps a busy machine from failing the test."""
    diff, best = RowDiff(), 1.0
    for frame in range(20):
        began = time.process_time()
        canvas = Canvas(200, 50)
        for y in range(50):
            for part in range(8):
                canvas.put(part * 25, y, f"node{part} value {frame + part:08d}  ", INKS[part % 4])
        assert len(diff.changed(canvas.rows())) == 50
        best = min(best, time.process_time() - began)
    assert best < 0.010
