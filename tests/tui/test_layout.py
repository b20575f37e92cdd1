"""Rectangles at every size: inside the screen, apart from each other, no hole between them."""

from itertools import combinations, product

import pytest

from tui.layout import INSPECTOR_MAX, PICTURE_MIN, Layout, Rect, arrange
from tui.panel import AREAS

NAMES = ("tabs", "status", "picture", "strip", "inspector", "cue", "journal", "scrubber", "footer")
EVERY = [(width, height) for width in range(10, 241) for height in range(3, 71)]
SOME = [(width, height) for width in range(10, 241, 11) for height in range(3, 71, 3)]


def rects(layout: Layout) -> dict[str, Rect]:
    found = {name: getattr(layout, name) for name in NAMES}
    return {name: rect for name, rect in found.items() if rect is not None}


def assert_whole(layout: Layout) -> None:
    if layout.message:
        assert not rects(layout)
        return
    area = 0
    flat = {name: rect for name, rect in rects(layout).items() if not (layout.overlay and name == "inspector")}
    for name, rect in rects(layout).items():
        assert rect.width > 0, name
        assert rect.height > 0, name
        assert rect.x >= 0, name
        assert rect.y >= 0, name
        assert rect.x + rect.width <= layout.width, name
        assert rect.y + rect.height <= layout.height, name
    for (one, a), (other, b) in combinations(flat.items(), 2):
        apart = a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y
        assert apart, (one, other)
    area = sum(rect.width * rect.height for rect in flat.values())
    assert area == layout.width * layout.height
    for size in layout.sizes():
        assert size.width >= 0
        assert size.height >= 0


def test_every_size() -> None:
    for width, height in EVERY:
        assert_whole(arrange(width, height))


@pytest.mark.parametrize(("zoom", "inspector", "cue"), [*product((False, True), (False, True), (0, 1, 3, 9))])
def test_every_state(zoom: bool, inspector: bool, cue: int) -> None:
    for (width, height), area in product(SOME, AREAS):
        layout = arrange(width, height, zoom=zoom, area=area, inspector=inspector, cue=cue)
        assert_whole(layout)
        if zoom and not layout.message:
            assert layout.areas() == (area,)


def test_too_small_says_what_is_needed() -> None:
    assert arrange(42, 10).message == "needs 60x16, is 42x10"
    assert arrange(59, 16).message
    assert arrange(60, 15).message
    assert not arrange(60, 16).message


def test_the_area_with_the_focus_is_always_shown() -> None:
    for (width, height), area, beside in product(SOME, AREAS, (False, True)):
        layout = arrange(width, height, area=area, inspector=beside)
        assert_whole(layout)
        assert layout.message or area in layout.areas()
    low = arrange(60, 16)
    assert (low.strip, low.inspector) == (None, None)
    assert arrange(60, 16, area="strip").strip == low.picture
    assert arrange(60, 16, area="strip").journal == low.journal
    assert arrange(60, 16, area="inspector").overlay


def test_a_text_over_the_picture_gets_the_room_it_needs() -> None:
    for needed in range(40):
        layout = arrange(80, 24, inspector=True, needs=lambda columns, rows=needed: rows)  # type: ignore[misc]
        assert_whole(layout)
        assert layout.inspector is not None
        assert layout.inspector.height >= min(20, needed + 2)
        assert layout.inspector.width == (46 if needed <= 15 else 80)
    assert arrange(120, 36, needs=lambda columns: 99) == arrange(120, 36)


def test_80x24_is_the_mock() -> None:
    layout = arrange(80, 24)
    assert layout.inspector is None
    assert layout.journal == Rect(0, 19, 80, 3)
    assert layout.sizes() == ((78, 8), (78, 6), (0, 0))
    over = arrange(80, 24, inspector=True)
    assert over.overlay
    assert over.picture == layout.picture


def test_120x36_is_the_mock() -> None:
    layout = arrange(120, 36)
    assert not layout.overlay
    assert layout.inspector == Rect(74, 2, 46, 25)
    assert layout.sizes() == ((72, 15), (72, 6), (44, 23))
    assert layout.journal == Rect(0, 27, 120, 7)


def test_great_screens_go_to_the_picture() -> None:
    layout = arrange(240, 70)
    assert layout.inspector is not None
    assert layout.inspector.width == INSPECTOR_MAX
    sizes = layout.sizes()
    assert sizes.picture.width == 240 - INSPECTOR_MAX - 2
    assert sizes.picture.height > sizes.strip.height
    assert layout.journal is not None
    assert layout.journal.height <= 18


def test_the_picture_keeps_its_rows() -> None:
    for width, height in EVERY:
        layout = arrange(width, height)
        if not layout.message:
            assert layout.sizes().picture.height >= PICTURE_MIN, (width, height)


def test_a_narration_takes_its_rows_from_the_journal_first() -> None:
    for cue in (1, 2):
        assert arrange(80, 24, cue=cue).picture == arrange(80, 24).picture
    assert arrange(120, 36, cue=3).picture == arrange(120, 36).picture
    tall = arrange(80, 24, cue=5)
    assert tall.journal is not None
    assert tall.journal.height == 1


@pytest.mark.parametrize("strip_least", [3, 6])
def test_two_lines_of_the_journal_stay_beside_a_short_narration(strip_least: int) -> None:
    for (width, height), cue in product(((80, 24), (80, 30), (120, 36), (200, 50)), (1, 2)):
        layout = arrange(width, height, cue=cue, strip_least=strip_least)
        assert layout.journal is not None
        assert layout.journal.height - (2 if layout.framed else 0) >= 2, (width, height, cue)


@pytest.mark.parametrize("cue", [0, 1, 2, 3])
def test_a_strip_that_needs_its_rows_keeps_them_beside_a_narration(cue: int) -> None:
    assert arrange(80, 24, cue=cue, strip_least=6).sizes().strip.height == 6
    assert arrange(80, 24, cue=cue).sizes().picture.height == PICTURE_MIN


def test_the_inspector_stays_from_110_columns_on() -> None:
    assert arrange(109, 40).inspector is None
    assert arrange(110, 40).inspector is not None
