"""Tabs, status line, journal, scrubber, narration: nothing cut in the middle of a word, the facts that matter stay."""

from fractions import Fraction
from typing import NamedTuple

import pytest

from engines.sim.events import Event
from engines.sim.pattern import Check
from tui import chrome
from tui.canvas import Canvas
from tui.chrome import Facts, Tab, status, tabs
from tui.glyphs import ASCII, BRAILLE
from tui.journal import Told, journal, stamp
from tui.panel import Line
from tui.scrubber import Mark, Tape, horizon, scrubber, span_name, thin, time_at, weight
from tui.theme import known

SEVEN = ("Consistency", "Consensus", "Sharding", "Resilience", "Events", "CQRS", "Tracing")
TABS = tuple(Tab(number, title) for number, title in enumerate(SEVEN, 1))
GOOD = tuple(Check(name, True, "") for name in "abcde")
BAD = (*GOOD, Check("leader completeness", False, "an entry is missing", ("entry 3",)))


def facts(**changes: object) -> Facts:
    values: dict[str, object] = {
        "variant": "Raft", "status": "5 nodes  term 5", "seed": 42, "playing": True, "past": False,
        "speed": Fraction(1, 50), "at_us": 12_480_000, "checks": GOOD,
    }  # fmt: skip
    return Facts(**{**values, **changes})  # type: ignore[arg-type]


def assert_known_inks(canvas: Canvas) -> None:
    assert all(known(ink) for row in canvas.rows() for _, ink in row)


# -- tabs ------------------------------------------------------------------------------------------------------------


def test_wide_tabs_have_titles_and_narrow_ones_numbers() -> None:
    assert tabs(120, TABS, 2)[0].text().startswith("  1 Consistency  2 Consensus  3 Sharding ")
    narrow, _ = tabs(80, TABS, 2)
    assert narrow.text().startswith("  1  2 Consensus  3  4  5  6  7 ")
    assert narrow.text().endswith("dp-tui")
    assert narrow.ink_at(6, 0) == "tab-active"


def test_patterns_that_are_not_built_are_absent_and_the_others_keep_their_numbers() -> None:
    canvas, spans = tabs(80, (TABS[1], TABS[6]), 7)
    assert canvas.text().startswith("  2 Consensus  7 Tracing ")
    assert [span.key for span in spans] == ["2", "7"]


def test_a_click_on_a_tab_finds_its_number() -> None:
    canvas, spans = tabs(120, TABS, 2)
    for span, title in zip(spans, SEVEN, strict=True):
        assert title in canvas.text()[span.start : span.stop]
        assert span.key == str(SEVEN.index(title) + 1)


# -- status ----------------------------------------------------------------------------------------------------------


def test_the_status_line_of_the_mock() -> None:
    text = status(120, facts()).text()
    assert "Raft  5 nodes  term 5  seed 42   RUN x1/50   t 00:12.480   checks 5/5 ok" in text
    assert text.endswith("? help  ^p menu")


WORDS = {"Raft", "5", "nodes", "term", "seed", "42", "RUN", "PAUSED", "PAST", "x1/50", "t", "00:12.480", "checks",
         "5/5", "ok", "?", "help", "^p", "menu", "CHECK", "FAILED:", "FAILED", "leader", "completeness", "e", "why",
         "branch", "3", "find", "vote", ".."}  # fmt: skip


@pytest.mark.parametrize("width", range(60, 160))
@pytest.mark.parametrize("checks", [GOOD, BAD])
def test_no_fact_is_cut_and_state_time_and_verdict_always_stay(width: int, checks: tuple[Check, ...]) -> None:
    canvas = status(width, facts(playing=False, past=True, branch=3, checks=checks, find="vote"))
    words = canvas.text().split()
    assert set(words) <= WORDS
    assert "PAST" in words
    assert "00:12.480" in words
    assert "Raft" in words
    assert ("5/5" in words) if checks is GOOD else ("CHECK" in words)
    assert_known_inks(canvas)


def test_a_failed_check_is_named_with_the_key_that_explains_it() -> None:
    assert "CHECK FAILED: leader completeness  e why" in status(120, facts(checks=BAD)).text()


def test_a_failed_check_says_since_when_also_on_a_small_screen() -> None:
    since = (*GOOD, Check("leader completeness", False, "an entry is missing", ("entry 3",), 7, 1_250_000))
    assert "CHECK FAILED: leader completeness at t 00:01.250" in status(120, facts(checks=since)).text()
    assert "CHECK FAILED at 00:01.250: leader completeness" in status(80, facts(checks=since)).text()
    also = (*since, Check("log matching", False, "", (), 9, 2_000_000))
    text = status(120, facts(checks=also)).text()
    assert "CHECK FAILED: leader completeness at t 00:01.250 and 1 more" in text


def test_a_failure_of_before_the_cure_has_its_time_at_80_columns_however_long_its_name() -> None:
    two = (
        Check("leader completeness", False, "", (), 7, 1_250_000),
        Check("log matching", False, "", (), 9, 2_000_000),
    )
    assert "CHECK FAILED at 1.250: leader completeness +1" in status(80, facts(checks=two, playing=False)).text()
    long = (Check("no campaign beside a leader", False, "", (), 7, 552_000),)
    assert " FAILED at 0.552: no campaign beside a leader" in status(80, facts(checks=long, playing=False)).text()


TWO = (*BAD, Check("state machine safety of the whole cluster", False, ""))


def test_the_top_line_says_how_many_checks_failed_and_the_time_stays() -> None:
    assert "CHECK FAILED: leader completeness and 1 more  e why" in status(120, facts(checks=TWO)).text()
    for width in range(60, 160):
        for failed in (TWO, TWO[::-1]):
            text = status(width, facts(playing=False, past=True, branch=3, checks=failed, find="vote")).text()
            assert "CHECK FAILED" in text
            assert "t 00:12.480" in text


def test_where_and_1_more_does_not_fit_the_first_check_is_still_named_whole() -> None:
    texts = [status(width, facts(checks=TWO)).text() for width in range(60, 121)]
    assert any("CHECK FAILED: leader completeness +1" in text for text in texts)
    assert not any("completeness and 1 .." in text or "completeness and .." in text for text in texts)


def test_run_paused_and_past() -> None:
    assert "RUN x1/50" in status(120, facts()).text()
    assert "PAUSED x1/50" in status(120, facts(playing=False)).text()
    assert "PAST RUN x1/50" in status(120, facts(past=True)).text()
    assert "PAST PAUSED x1/50" in status(120, facts(past=True, playing=False)).text()
    assert "branch" not in status(120, facts()).text()
    assert "branch 2" in status(120, facts(branch=2)).text()


# -- frames ----------------------------------------------------------------------------------------------------------


def test_a_failed_check_colours_the_frame_of_the_strip_and_leaves_its_legend() -> None:
    canvas = chrome.frame(60, 4, Canvas(58, 2), "logs", "colour = term", ASCII, failed=True)
    assert "logs" in canvas.text()
    assert "colour = term" in canvas.text()
    assert canvas.ink_at(0, 1) == "bad"


def test_picture_and_strip_can_share_a_border() -> None:
    above = chrome.frame(10, 2, Canvas(8, 1), "", "", BRAILLE, open_below=True).text().splitlines()
    below = chrome.frame(10, 3, Canvas(8, 1), "", "", BRAILLE, tee=True).text().splitlines()
    assert above == ["╭────────╮", "│        │"]
    assert below == ["├────────┤", "│        │", "╰────────╯"]


def test_a_long_explanation_says_how_much_is_below() -> None:
    canvas, last = chrome.reading(["one", "two", "three"], 20, 3, 0)
    assert canvas.text().splitlines() == [" one", "", "       3 more lines"]
    assert last == 2
    assert chrome.reading(["one", "two", "three"], 20, 3, 99)[0].text().splitlines()[-1] == " three"


# -- narration -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [60, 80, 120, 240])
@pytest.mark.parametrize("length", [1, 10, 14, 15, 16, 20, 40, 200])
def test_the_band_has_room_for_what_it_says(width: int, length: int) -> None:
    text = " ".join(["words"] * length)
    rows = chrome.cue_rows(text, width)
    canvas = chrome.cue(text, width, rows, True, BRAILLE)
    assert canvas.text().endswith(chrome.GO_ON) is not (chrome.hint_above(text, width) == chrome.GO_ON)
    if length <= 40:
        assert canvas.text().count("words") == length
    assert all("words" in line for line in canvas.text().splitlines()), "no row is spent on how to go on"
    assert chrome.cue_rows("", width) == 0


def test_a_frame_tells_in_its_lower_border_how_to_go_on() -> None:
    canvas = chrome.frame(40, 4, Canvas(38, 2), "title", "", BRAILLE, hint=chrome.GO_ON)
    assert f" {chrome.GO_ON} " in canvas.text().splitlines()[-1]


# -- journal ---------------------------------------------------------------------------------------------------------


class Said(NamedTuple):
    text: str


TEXTS = ("short", "a reason that is so long that it needs a second row", "third", "fourth", "fifth")


def told(texts: tuple[str, ...] = TEXTS, first: int = 10, start_us: int = 12_431_000) -> Told:
    events = [Event(n, start_us + n * 1000, "n3", Said(text)) for n, text in enumerate(texts)]
    return Told(events, first, lambda event: Line(event.node, event.what.text, "n1"))


def test_the_newest_line_is_at_the_bottom() -> None:
    page = journal(60, 3, told(), BRAILLE)
    assert page.canvas.text().splitlines() == [
        " 12.433 n3     third",
        " 12.434 n3     fourth",
        " 12.435 n3     fifth",
    ]
    assert page.rows == (12, 13, 14)


def test_a_long_line_goes_on_in_a_second_row_where_there_is_room() -> None:
    assert journal(44, 5, told(), BRAILLE).rows == (11, 11, 12, 13, 14)
    lines = journal(44, 4, told(), BRAILLE).canvas.text().splitlines()
    assert lines[0].endswith("..")
    assert all(len(line) <= 44 for line in lines)


def test_the_selected_line_is_always_shown_and_marked() -> None:
    many = told(tuple(f"line {n}" for n in range(100)), first=1)
    for room in range(1, 12):
        for selected in range(1, 101):
            page = journal(60, room, many, BRAILLE, selected=selected)
            assert selected in page.rows
            y = page.rows.index(selected)
            assert page.canvas.char_at(0, y) == BRAILLE.mark_left
            assert page.canvas.ink_at(30, y) == "selected"


def test_lines_can_be_filtered() -> None:
    page = journal(60, 3, told(), BRAILLE, find="F")
    assert page.rows == (None, 13, 14)
    assert page.found == 2
    assert 'nothing here has "zzz"' in journal(60, 3, told(), BRAILLE, find="zzz").canvas.text()


def test_a_notice_stands_where_the_newest_line_stood() -> None:
    lines = journal(60, 3, told(), BRAILLE, notice="p2 is down").canvas.text().splitlines()
    assert lines[-1] == " ! p2 is down"
    assert lines[-2].endswith("fifth")


def test_a_notice_that_is_long_is_told_whole_where_there_is_room() -> None:
    text = " ".join(f"word{n}" for n in range(40))
    lines = journal(60, 12, told(), BRAILLE, notice=text).canvas.text()
    assert " ".join(lines.split("! ")[1].split()) == text
    assert journal(60, 2, told(), BRAILLE, notice=text).canvas.text().endswith("..")
    assert chrome.notice(60, text).height == 2
    assert chrome.notice(60, text).text().endswith("..")


def test_a_long_name_beside_it_cuts_no_line() -> None:
    events = [Event(n, n, name, Said("said")) for n, name in enumerate(("n3", "n1 n2 n4 n5", "n3"))]
    text = "a line that is exactly as long as the row allows it"
    two = Told(events, 1, lambda event: Line(event.node, text))
    for width in range(50, 90):
        shown = journal(width, 9, two, BRAILLE).canvas.text()
        assert sum(line.split().count("row") for line in shown.splitlines()) == 3
        assert "".join(shown.split()).count("it") == 3


def test_a_zoomed_journal_tells_every_line_to_its_end() -> None:
    long = " ".join(f"word{n}" for n in range(40))
    many = told(("first", long, "last"))
    assert "word39" not in journal(60, 20, many, BRAILLE).canvas.text()
    text = journal(60, 20, many, BRAILLE, whole=True).canvas.text()
    assert " ".join(text.split("word0")[1].split("12.433")[0].split()) == long.removeprefix("word0 ")
    page = journal(60, 4, many, BRAILLE, whole=True, selected=11)
    assert 11 in page.rows
    assert page.canvas.text().splitlines()[-1].endswith("..") or page.rows[-1] == 12


@pytest.mark.parametrize(("width", "height"), [(w, h) for w in range(5, 60, 3) for h in range(1, 16)])
def test_a_screen_that_is_too_small_says_it_whole(width: int, height: int) -> None:
    texts = ("needs 60x16, is 10x3", "60x16 needed", "60x16")
    said = " ".join(chrome.sorry(width, height, texts).text().split())
    assert said in texts
    if (width, height) in ((11, 3), (20, 1)):
        assert said == texts[0]


def test_times_have_minutes_when_needed() -> None:
    assert stamp(12_431_000, False) == "12.431"
    assert stamp(2_431_000, False) == " 2.431"
    assert stamp(62_431_999, True) == "1:02.431"
    assert " 1:02.433 n3     third" in journal(60, 3, told(start_us=62_431_000), BRAILLE).canvas.text()


@pytest.mark.parametrize("room", range(4))
@pytest.mark.parametrize("width", [0, 1, 10, 14, 30])
def test_no_room_is_no_error(width: int, room: int) -> None:
    for selected in (None, 10, 14):
        assert journal(width, room, told(), BRAILLE, selected=selected, notice="x").canvas.width == width


# -- scrubber --------------------------------------------------------------------------------------------------------


def test_played_recorded_and_unplayed_are_told_apart() -> None:
    text = scrubber(40, Tape(2_500_000, 5_000_000, 10_000_000), ASCII).text()
    assert text == " ========^========---------------- 10 s"
    assert text.count("^") == 1
    live = scrubber(40, Tape(4_000_000, 4_000_000), ASCII)
    assert "^" not in live.text()
    assert live.ink_at(1, 0) == "played"
    assert live.ink_at(33, 0) == "unplayed"


def test_marks_forks_and_the_end_of_the_story_have_their_places() -> None:
    tape = Tape(20_000_000, 20_000_000, 15_000_000, (Mark(10_000_000, "k", "bad"),), (5_000_000,))
    text = scrubber(100, tape, ASCII).text()
    assert text.index("+") < text.index("k") < text.index("|")


def test_a_click_finds_the_time_of_its_column() -> None:
    tape = Tape(1_000_000, 5_000_000, 10_000_000)
    assert time_at(0, 80, tape) == 0
    assert time_at(1, 80, tape) == 0
    assert time_at(79, 80, tape) == 10_000_000


def test_the_horizon_is_round_and_leaves_air() -> None:
    for at_us in (0, 1, 4_499_999, 4_500_000, 60_000_000, 3_600_000_000, 40_000_000_000):
        assert horizon(at_us) * 9 >= at_us * 10
    assert [span_name(horizon(at_us)) for at_us in (0, 4_500_000, 60_000_000, 4_000_000_000)] == [
        "5 s", "10 s", "2 min", "2 h",
    ]  # fmt: skip


def test_marks_are_thinned_to_one_a_column_the_newest() -> None:
    marks = [Mark(at_us, "k", "bad") for at_us in range(0, 5_000_000, 100)]
    tape = Tape(5_000_000, 5_000_000, 5_000_000)
    kept = thin(marks, tape, 80)
    assert len(kept) <= 80
    assert kept[-1] == marks[-1]


def test_faults_outlast_what_is_automatic_in_a_cell() -> None:
    tape = Tape(5_000_000, 5_000_000, 5_000_000)
    story, workload = Mark(100, "f", "accent", weight("accent", True)), Mark(300, "w", "you", weight("you", True))
    crash, person = Mark(200, "k", "bad", weight("bad", True)), Mark(250, "x", "bad", weight("bad", False))
    assert thin([story, crash, workload], tape, 80) == (crash,)
    assert thin([person, crash, workload], tape, 80) == (person,)
    assert thin([story, workload], tape, 80) == (workload,)


@pytest.mark.parametrize("width", [0, 1, 5, 8, 9, 60, 240])
def test_a_scrubber_of_any_width(width: int) -> None:
    canvas = scrubber(width, Tape(10, 20, 0, (Mark(5, "k", "bad"),), (3,)), BRAILLE)
    assert (canvas.width, canvas.height) == (width, 1)
    assert_known_inks(canvas)


def test_a_variants_name_is_cut_between_words() -> None:
    failed = (Check("a trace is kept whole or not at all", False, ""), *GOOD)
    shown = status(80, facts(variant="Head sampling", playing=False, checks=failed)).text()
    assert "Head   PAUSED" in shown
    assert "sampl" not in shown
    assert "Head sampling" in status(120, facts(variant="Head sampling")).text()
