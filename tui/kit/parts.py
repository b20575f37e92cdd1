"""What pictures are laid out with: a part of a canvas, a rule beside it, rows around a selected one, text in lines."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, TypeAlias

from tui.canvas import Canvas, Ink, clip, wrap
from tui.glyphs import Glyphs

Piece: TypeAlias = tuple[str, Ink]
HELD: Final = "\x01"
"""Stands for a blank at which no line is broken."""


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


def wrapped(text: str, width: int) -> list[str]:
    """Text in lines, with every number on the line of its unit."""
    held = re.sub(r"(?<=\d) (?=(?:%|us|ms|s)(?!\w))", HELD, text)
    return [line.replace(HELD, " ") for line in wrap(held, max(1, width))]


def paragraph(text: str, ink: Ink, width: int, head: Piece = ("", "text"), then: str = "") -> Iterator[list[Piece]]:
    """A text in lines; its first one stands behind a head, the others behind what comes then."""
    first, head_ink = head
    for row, line in enumerate(wrapped(text, width - len(first))):
        yield [(then.ljust(len(first)) if row else first, head_ink), (line, ink)]


def fitting(ways: Iterable[str], room: int) -> str:
    """The first of several ways to say it that fits; none does: empty."""
    return next((each for each in ways if len(each) <= room), "")


def gathered(texts: Iterable[str], room: int, gap: int = 2) -> str:
    """As many of these as fit beside each other, each with a gap behind it."""
    told = ""
    for each in texts:
        if len(told) + len(each) + gap <= room:
            told += each + " " * gap
    return told
