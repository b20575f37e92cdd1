"""What pictures are laid out with: a part of a canvas, a rule beside it, rows around a selected one, pieces of text."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs

Piece: TypeAlias = tuple[str, Ink]


@contextmanager
def part(canvas: Canvas, x: int, y: int, width: int, height: int) -> Iterator[Canvas]:
    """A canvas of its own to draw on, which then stands there."""
    own = Canvas(width, height)
    yield own
    canvas.blit(own, x, y)


def upright(canvas: Canvas, x: int, glyphs: Glyphs) -> None:
    """The rule between what stands at the left and at the right."""
    for y in range(canvas.height):
        canvas.put(x, y, glyphs.vertical, "line")


def window(count: int, at: int, room: int) -> range:
    """As many rows of a list as there is room for, the selected one in their middle as far as the ends allow."""
    top = max(0, min(at - room // 2, count - room))
    return range(top, min(count, top + max(0, room)))


def place_of(items: Sequence[object], wanted: object) -> int:
    """Where it stands among these; the first place, if it does not."""
    return items.index(wanted) if wanted in items else 0


def put_pieces(canvas: Canvas, x: int, y: int, pieces: Iterable[Piece], end: int) -> int:
    """Pieces one after the other up to a column; what does not fit is cut with two dots. The column after."""
    for text, ink in pieces:
        if x >= end:
            break
        x = canvas.put(x, y, clip(text, end - x), ink)
    return x


def put_lines(canvas: Canvas, x: int, y: int, lines: Iterable[Iterable[Piece]], end: int) -> int:
    """Rows of pieces, each in a row of its own as far as there are any. The row after."""
    for pieces in lines:
        put_pieces(canvas, x, y, pieces, end)
        y += 1
    return y


def fitting(ways: Iterable[str], room: int) -> str:
    """The first of several ways to say it that fits; none does: empty."""
    return next((each for each in ways if len(each) <= room), "")


def gathered(texts: Iterable[str], room: int) -> str:
    """As many of these as fit beside each other, each with a gap behind it."""
    told = ""
    for each in texts:
        if len(told) + len(each) + 2 <= room:
            told += f"{each}  "
    return told
