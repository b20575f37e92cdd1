"""Canvases as the bytes a terminal takes, without Textual: for recordings, and for whoever watches a stage.

A `Brush` remembers what it painted last and writes only the cells that differ, with the codes that they need: the
palette numbers of the theme, as the app sends them. A picture of another size is painted whole.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from tui.canvas import Canvas, Row, RowDiff
from tui.theme import LIT, Theme, canonical

CLEAR: Final = "\x1b[0m\x1b[2J\x1b[H"


class Brush:
    """Paints one screen, in one theme."""

    def __init__(self, look: Theme) -> None:
        self.look = look
        self._diff = RowDiff()
        self._size = (-1, -1)

    def wear(self, look: Theme) -> None:
        """Another theme: the next picture is painted whole."""
        self.look = look
        self.forget()

    def forget(self) -> None:
        """The next picture is painted whole, whatever the screen shows."""
        self._diff.reset()
        self._size = (-1, -1)

    def paint(self, canvas: Canvas) -> str:
        """What to write so that the screen shows the canvas; empty if it does."""
        rows = canvas.rows()
        size = (canvas.width, canvas.height)
        head = "" if size == self._size else CLEAR
        self._size = size
        return head + "".join(
            f"\x1b[{y + 1};{first + 1}H{write(cut(rows[y], first, last + 1), self.look)}"
            for y, first, last in self._diff.changed(rows)
        )


def cut(row: Row, start: int, stop: int) -> Row:
    """The columns from `start` up to `stop`."""
    runs = []
    at = 0
    for text, ink in row:
        piece = text[max(0, start - at) : max(0, stop - at)]
        at += len(text)
        if piece:
            runs.append((piece, ink))
    return tuple(runs)


def write(row: Row, look: Theme) -> str:
    """Runs with their codes, plain at the end. A blank that is not lit has no colour, so it takes its neighbour's."""
    parts = []
    now, now_lit = "", False
    for text, ink in row:
        code, is_lit = sgr(look, ink)
        if code != now and not (text.isspace() and not is_lit and not now_lit):
            parts.append(f"\x1b[0;{code}m" if code else "\x1b[0m")
            now, now_lit = code, is_lit
        parts.append(text)
    if now:
        parts.append("\x1b[0m")
    return "".join(parts)


@lru_cache(maxsize=4096)
def sgr(look: Theme, ink: str) -> tuple[str, bool]:
    """The parameters that select an ink, after a reset (empty: none is needed), and whether a blank in it is lit."""
    role = canonical(ink.removesuffix("!"))
    if not look.inks:
        reverse = ink.endswith("!") or role in LIT
        bold = role in ("bright", "title", "key")
        return ";".join(code for code, on in (("7", reverse), ("1", bold)) if on), reverse
    front, back = look.colours(ink)
    codes = (_colour(number, base) for number, base in ((front, 30), (back, 40)) if number is not None)
    return ";".join(codes), back is not None


def _colour(number: int, base: int) -> str:
    if number < 8:
        return str(base + number)
    return str(base + 60 + number - 8) if number < 16 else f"{base + 8};5;{number}"
