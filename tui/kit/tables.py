"""Lists and tables: the rows around the selected one, which is marked, and cells that end where their columns do."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from tui.canvas import Canvas
from tui.glyphs import Glyphs
from tui.kit.parts import Piece, window

T = TypeVar("T")


def listed(
    canvas: Canvas, items: Sequence[T], at: int, glyphs: Glyphs, top: int = 0, room: int | None = None
) -> Iterator[tuple[int, T, bool]]:
    """As many items as there is room for below row ``top``, with the mark before the selected one: row, item, and
    whether it is that one.
    """
    for y, place in enumerate(window(len(items), at, canvas.height - top if room is None else room), top):
        canvas.put(0, y, glyphs.mark_left if place == at else " ", "bright")
        yield y, items[place], place == at


def put_cells(canvas: Canvas, x: int, y: int, widths: Iterable[int], cells: Iterable[Piece]) -> None:
    """Cells of these widths side by side, each with its text at its right end."""
    for width, (text, ink) in zip(widths, cells, strict=False):
        x += width
        canvas.put_right(x, y, text, ink)
