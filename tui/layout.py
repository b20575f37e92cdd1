"""Where everything stands: a pure function from the size of the screen to rectangles.

From the top: tabs, status line, picture over strip with the inspector beside them, narration, journal, scrubber,
footer. Where it gets narrow the inspector lies over the picture; where it gets low, picture and strip share a
border, the journal loses its frame, and at last the strip goes. Rectangles never overlap, except the inspector that
lies over the others on purpose.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from tui.panel import Size, Sizes

MIN_WIDTH: Final = 60
MIN_HEIGHT: Final = 16
BESIDE_WIDTH: Final = 110
"""From here on the inspector has a place of its own."""
FRAMED_HEIGHT: Final = 30
"""From here on strip and journal have frames of their own."""
INSPECTOR_MAX: Final = 56
OVERLAY_WIDTH: Final = 46
PICTURE_LEAST, PICTURE_MIN = 7, 8
"""Rows of the picture: with less it is none; with more the strip gets what is left, unless it needs it."""
STRIP_LEAST: Final = 3
STRIP_ROWS: Final = 6
STRIP_MAX: Final = 14
JOURNAL_MAX: Final = 16
CUE_MAX: Final = 5


class Rect(NamedTuple):
    """Columns and rows, borders included."""

    x: int
    y: int
    width: int
    height: int

    def holds(self, x: int, y: int) -> bool:
        """Whether a cell lies inside."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


@dataclass(frozen=True, slots=True)
class Layout:
    """The rectangles of one screen; None: not shown."""

    width: int
    height: int
    message: str = ""
    """If set, nothing but this is shown: the screen is too small."""
    tabs: Rect | None = None
    status: Rect | None = None
    picture: Rect | None = None
    strip: Rect | None = None
    inspector: Rect | None = None
    cue: Rect | None = None
    journal: Rect | None = None
    scrubber: Rect | None = None
    footer: Rect | None = None
    overlay: bool = False
    """The inspector lies over picture and strip."""
    shared: bool = False
    """Picture and strip share the border between them, which is the strip's first row."""
    framed: bool = True
    """The journal has a frame."""

    def sizes(self) -> Sizes:
        """The room inside the borders of the panel's three canvases."""
        picture = _inside(self.picture, 1 if self.shared else 2)
        return Sizes(picture, _inside(self.strip, 2), _inside(self.inspector, 2))

    def areas(self) -> tuple[str, ...]:
        """The areas that are shown."""
        named = (("picture", self.picture), ("strip", self.strip), ("inspector", self.inspector))
        return tuple(name for name, rect in (*named, ("journal", self.journal)) if rect is not None)


def arrange(
    width: int,
    height: int,
    *,
    zoom: bool = False,
    area: str = "picture",
    inspector: bool = False,
    cue: int = 0,
    strip_least: int = STRIP_LEAST,
    needs: Callable[[int], int] | None = None,
) -> Layout:
    """The layout of a screen.

    ``inspector``: show it also where it must lie over the picture. ``cue``: rows the narration band asks for; it
    takes them from the journal, which keeps two lines if the others can spare a row, else one. ``strip_least``: rows
    that the strip needs to say what it has to say. ``needs``: the rows that a text in the inspector needs in so many
    columns; where it lies over the picture it gets them, if need be all there are.
    The area that has the focus is always shown: the strip in place of the picture where it has no room.
    """
    if width < MIN_WIDTH or height < MIN_HEIGHT:
        return Layout(width, height, message=f"needs {MIN_WIDTH}x{MIN_HEIGHT}, is {width}x{height}")
    tabs, status = Rect(0, 0, width, 1), Rect(0, 1, width, 1)
    scrubber, footer = Rect(0, height - 2, width, 1), Rect(0, height - 1, width, 1)
    rows = height - 4
    cue = min(cue, CUE_MAX)
    framed = height >= FRAMED_HEIGHT
    if zoom:
        band = Rect(0, height - 2 - cue, width, cue) if cue else None
        whole = Rect(0, 2, width, rows - cue)
        return Layout(
            width, height, "", tabs, status, cue=band, scrubber=scrubber, footer=footer,
            picture=whole if area == "picture" else None, strip=whole if area == "strip" else None,
            inspector=whole if area == "inspector" else None, journal=whole if area == "journal" else None,
        )  # fmt: skip

    journal_rows = _journal_rows(height, cue, strip_least)
    top = rows - cue - journal_rows
    band = Rect(0, 2 + top, width, cue) if cue else None
    journal = Rect(0, height - 2 - journal_rows, width, journal_rows)

    beside = width >= BESIDE_WIDTH
    panel_width = min(INSPECTOR_MAX, max(40, width * 46 // 120)) if beside else 0
    left = width - panel_width
    strip_rows = _strip_rows(height, top, strip_least)
    picture_rows = top - strip_rows
    shared = bool(strip_rows) and not framed
    look = Rect(left, 2, panel_width, top) if beside else None
    if (inspector or area == "inspector") and not beside:
        look = _over(width, top, cue, rows, needs)
    instead = area == "strip" and not strip_rows
    picture = Rect(0, 2, left, picture_rows)
    return Layout(
        width, height, "", tabs, status,
        picture=None if instead else picture,
        strip=picture if instead else Rect(0, 2 + picture_rows, left, strip_rows) if strip_rows else None,
        inspector=look, cue=band, journal=journal, scrubber=scrubber, footer=footer,
        overlay=look is not None and not beside, shared=shared, framed=framed,
    )  # fmt: skip


def _over(width: int, top: int, cue: int, rows: int, needs: Callable[[int], int] | None) -> Rect:
    """The inspector over the picture; a text that is too long for that gets the width, then the height, and leaves no
    half of a narration."""
    over = min(OVERLAY_WIDTH, width - 16)
    if needs is None or needs(over - 2) <= top - 2:
        return Rect(width - over, 2, over, top)
    height = max(top, min(rows, needs(width - 2) + 2))
    return Rect(0, 2, width, max(height, top + cue) if height > top else top)


def _journal_rows(height: int, cue: int, strip_least: int) -> int:
    """The journal's rows, its frame included, beside a narration of ``cue`` rows.

    The line that a narration is about is seldom the last one, so two stay if picture and strip together can give one.
    """
    framed = height >= FRAMED_HEIGHT
    if not framed:
        alone = 2 if height < 20 else 3
    else:
        alone = 2 + min(JOURNAL_MAX, 5 + (height - 36) // 3 if height >= 36 else 4)
    one = 3 if framed else 1
    kept = max(one, alone - cue)
    if not cue or kept > one:
        return kept
    rows = height - 4
    top = rows - cue - one - 1
    strip, before = _strip_rows(height, top, strip_least), _strip_rows(height, rows - alone, strip_least)
    picture = top - strip - (2 if framed or not strip else 1)
    return one + (picture >= PICTURE_LEAST and strip >= min(before, max(before - 1, strip_least + 2)))


def _strip_rows(height: int, top: int, least: int) -> int:
    """The strip's rows, its frame included; 0 where the picture needs them."""
    framed = height >= FRAMED_HEIGHT
    inside = top - (4 if framed else 3)
    wanted = min(STRIP_MAX, STRIP_ROWS + max(0, height - 36) // 5)
    rows = min(wanted, inside - PICTURE_MIN)
    if rows < least > STRIP_LEAST:
        rows = min(least, inside - PICTURE_LEAST)
    return rows + 2 if rows >= min(least, STRIP_LEAST + 1) else 0


def _inside(rect: Rect | None, borders: int) -> Size:
    return Size(rect.width - 2, max(0, rect.height - borders)) if rect else Size(0, 0)
