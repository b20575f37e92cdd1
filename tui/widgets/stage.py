"""A stage shows one canvas and repaints the rows of it that changed: the only way anything reaches the terminal.

Why not Textual's own rendering: its style cache adds a background to every segment and, under NO_COLOR, the codes of
the default colours; here a run of text costs the codes of its ink and nothing else. Textual crops a repaint at the
right only, so a row is given from its start to its last changed cell, and what moves and what stands still are apart.
"""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from tui.canvas import Canvas, Row, RowDiff
from tui.theme import Theme

_PLAIN = Style.null()


class Ground(Screen[None], inherit_bindings=False):
    """The screen under the stages: blank, in the terminal's own colours, with no keys of its own."""

    AUTO_FOCUS = ""
    ALLOW_SELECT = False

    def on_resize(self, event: events.Resize) -> None:
        """Tell the app before the new size is laid out, so that it is painted once."""
        resized = getattr(self.app, "screen_resized", None)
        if resized is not None:
            resized(event.size.width, event.size.height)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Blanks without a single code."""
        return [Strip.blank(crop.width, _PLAIN)] * crop.height


class Stage(Widget, can_focus=False, inherit_bindings=False):
    """One area of the screen. `show` puts a canvas on it; where it stands is set only when that changes."""

    ALLOW_SELECT = False

    def __init__(self, theme: Theme, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.look = theme
        self.repainted = 0
        """Rows that were asked to be painted again, ever: what a test of stillness reads."""
        self._rows: tuple[Row, ...] = ()
        self._strips: dict[int, Strip] = {}
        self._diff = RowDiff()
        self._place: tuple[int, int, int, int, str] | None = None
        self._owed: set[int] = set()
        """Rows that a layout is expected to paint, and has not yet."""

    def place(self, x: int, y: int, canvas: Canvas, layer: str) -> None:
        """Stand at (x, y) in `layer`, as large as `canvas`, and show it."""
        moved = self._stand(x, y, canvas.width, canvas.height, layer)
        self._take(canvas, paint=not (moved or self._owed))  # what moved is painted by being laid out
        if self._owed:
            self.call_after_refresh(self._settle)

    def show(self, canvas: Canvas) -> None:
        """Take a picture; only rows that differ are painted, each up to its last changed cell."""
        self._take(canvas, paint=True)

    def hide(self) -> None:
        """Leave the screen; what is beneath is painted again.

        By having no size: to change `display` would make Textual paint the whole screen.
        """
        if self._place is not None:
            self._stand(0, 0, 0, 0, self._place[4])

    def wear(self, theme: Theme) -> None:
        """Show everything in another theme; painted by `paint_anew`."""
        self.look = theme

    def paint_anew(self) -> None:
        """Every row again, whatever was painted before."""
        self._strips.clear()
        width, height = self.size
        if width and height:
            self.refresh(Region(0, 0, width, height))

    def render_line(self, y: int) -> Strip:
        """One row as a strip; every segment has a style."""
        strip = self._strips.get(y)
        if strip is None:
            row = self._rows[y] if 0 <= y < len(self._rows) else ()
            strip = self._strips[y] = Strip(_segments(row, self.look))
        return strip

    def render_lines(self, crop: Region) -> list[Strip]:
        """The rows of `crop`, past Textual's style cache; where the canvas is smaller, blanks."""
        self._owed.difference_update(range(crop.y, crop.bottom))
        strips = (self.render_line(y) for y in range(crop.y, crop.bottom))
        return [strip.adjust_cell_length(crop.right, _PLAIN).crop(crop.x, crop.right) for strip in strips]

    def _stand(self, x: int, y: int, width: int, height: int, layer: str) -> bool:
        """Set what changed of the place; whether anything did."""
        place = (x, y, width, height, layer)
        before, self._place = self._place, place
        if before is None or layer != before[4]:
            self.styles.layer = layer
        if before is None or (x, y) != before[:2]:
            self.styles.offset = (x, y)
        if before is None or (width, height) != before[2:4]:
            self.styles.width, self.styles.height = width, height
        return place != before

    def _take(self, canvas: Canvas, paint: bool) -> None:
        self._rows = canvas.rows()
        changed = self._diff.changed(self._rows)
        for y, _, _ in changed:
            self._strips.pop(y, None)
        self.repainted += len(changed)
        if changed and paint:
            self.refresh(*(Region(0, y, last + 1, 1) for y, _, last in changed))
        elif changed:
            self._owed.update(y for y, _, _ in changed)

    def _settle(self) -> None:
        """Paint what no layout has painted: a stage that went away and came back between two of them has not moved."""
        owed, self._owed = sorted(self._owed), set()
        width, height = self.size
        if owed and width and height:
            self.refresh(*(Region(0, y, width, 1) for y in owed if y < height))

    def _set_dirty(self, *regions: Region) -> None:
        """Only rows are ever dirty. Textual calls this without any after a layout, which has painted the stage by then;
        it would be painted twice."""
        if regions:
            super()._set_dirty(*regions)


def _segments(row: Row, look: Theme) -> list[Segment]:
    """Runs as segments with as few codes as can be: a blank has no colour of its own, so it joins its neighbour."""
    runs: list[tuple[str, Style]] = []
    for text, ink in row:
        style = look.style(ink)
        before, last = runs[-1] if runs else ("", None)
        if _unlit(style):
            if text.isspace():
                style = last if last is not None and _unlit(last) else _PLAIN
            elif last is _PLAIN and before.isspace():
                last = style
        if last == style:
            runs[-1] = (before + text, style)
        else:
            runs.append((text, style))
    return [Segment(text, style) for text, style in runs]


def _unlit(style: Style) -> bool:
    """Whether a blank looks the same in it as in any other."""
    return style.bgcolor is None and not style.reverse
