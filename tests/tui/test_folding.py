"""Routine lines of the journal share a row, and what matters is not pushed out."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from engines.sim.events import Event
from engines.sim.pattern import Check
from tests.toy import TOY, Answered, Begin
from tui.glyphs import BRAILLE
from tui.journal import Fold, Told, journal
from tui.panel import Line
from tui.session import Session


def _all(events: Sequence[Event]) -> Line:
    return Line("all", f"{len(events)} things from {events[0].node} to {events[-1].node}")


LOUD = replace(TOY, routine=lambda event: "all" if event.node else "", fold=_all)
"""The toy, to whom all that nodes tell is the same."""


class Said(NamedTuple):
    text: str


KINDS = ("a", "b", "b", "b", "c", "b", "a")
EVENTS = [Event(n, n * 1000, f"n{n}", Said(kind)) for n, kind in enumerate(KINDS)]


def told() -> Told:
    return Told(
        EVENTS, 10, lambda event: Line(event.node, f"does {event.what.text}"),
        lambda event: "bees" if event.what.text == "b" else "",
        lambda events: Line("all", f"{len(events)} bees"),
    )  # fmt: skip


def test_events_that_follow_each_other_with_one_routine_share_a_line() -> None:
    assert told().folds() == [Fold(10, 10), Fold(11, 13), Fold(14, 14), Fold(15, 15), Fold(16, 16)]
    page = journal(60, 6, told(), BRAILLE)
    assert page.rows == (None, 10, 13, 14, 15, 16)
    assert " 0.003 all    3 bees" in page.canvas.text()
    assert "n5     does b" in page.canvas.text(), "alone it is told as ever"


def test_what_is_told_elsewhere_parts_them_and_a_search_tells_each() -> None:
    assert told().folds(skip=12) == [Fold(n, n) for n in (10, 11, 13, 14, 15, 16)]
    assert told().folds("DOES B") == [Fold(n, n) for n in (11, 12, 13, 15)]


def test_a_line_is_selected_by_any_of_its_events() -> None:
    for event in (11, 12, 13):
        page = journal(60, 6, told(), BRAILLE, selected=event)
        assert page.canvas.char_at(0, page.rows.index(13)) == BRAILLE.mark_left


def test_by_default_names_are_joined_where_all_say_the_same_and_others_are_counted() -> None:
    same = [Event(n, n, name, Begin()) for n, name in enumerate(("p1", "p2", "p1"), 1)]
    panel = TOY
    alone = panel.narrate(same[-1])
    assert panel.fold(same) == alone._replace(who="p1 p2")
    other = [*same, Event(9, 9, "p3", Answered("p9", 1))]
    assert panel.fold(other).text == panel.narrate(other[-1]).text + " (and 3 more before it)"


def test_arrows_walk_over_shared_lines_and_e_explains_their_last() -> None:
    one = Session((LOUD,), "toy")
    one.resize(120, 36)
    for _ in range(10):
        one.tick(100_000)
    one.press("space")
    for _ in range(3):
        one.press("tab")
    one.press("up")
    total = one.scene.timeline.engine.told_total
    assert one.scene.focus.event == total
    told = one.scene.told()
    assert told.folds() == [Fold(1, total)]
    one.press("up")
    assert one.scene.focus.event == total, "there is nothing above it"
    text = "\n".join(area.canvas.text() for area in one.render())
    assert f"{total} things from p" in text
    one.press("e")
    title, paragraphs = one.scene.explanation()
    assert title.startswith("why: 00:00.")
    assert paragraphs[0].startswith(f"all {total} things"), "the words of the line that was selected"
    one.press("e")
    one.press("down")
    assert one.scene.focus.event is None


def test_a_failed_check_has_its_own_time_in_the_journal_as_it_has_in_the_top_line() -> None:
    broken = Check("bees", False, "one too many", (), 4, 3_500)
    page = journal(60, 8, replace(told(), failed=(broken,)), BRAILLE)
    row = next(row for row in page.canvas.text().split("\n") if "FAILED" in row)
    assert row.split()[:2] == ["0.003", "check"], row
    page = journal(60, 8, replace(told(), failed=(replace(broken, at_us=4_200),)), BRAILLE)
    assert "0.004 check  FAILED: bees: one too many" in page.canvas.text()
