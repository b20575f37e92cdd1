"""A character canvas: cells with a character and an ink, drawn by pure functions and sent to the terminal row by row.

Why its own: a picture must be testable as plain text, so nothing here knows textual or rich; and only what changed may
reach the terminal, so `RowDiff` says which columns of which rows did. An ink is the *name* of a role, never a colour;
`tui.theme` gives it a look. One cell is always one column: characters of two columns are written as escapes, so that
names in them can be told apart (`legible`), others that are no column are replaced.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby

from tui.glyphs import BRAILLE, Glyphs
from tui.plot import BRAILLE_BASE, BRAILLE_BITS

Ink = str
"""The name of a role: "leader", "dim", "t3". A trailing "!" makes a chip: dark text on the role's colour."""

Row = tuple[tuple[str, Ink], ...]
"""One row of the screen as runs of equal ink; the texts add up to the whole width."""

_LINE_LIMIT = 4096  # dots; beyond it a line is cut to the canvas before it is walked


class Canvas:
    """A grid of `width` x `height` cells, all blank at first. Drawing outside of it is clipped, never an error."""

    __slots__ = ("_chars", "_dotted", "_inks", "height", "width")

    def __init__(self, width: int, height: int) -> None:
        self.width = max(0, width)
        self.height = max(0, height)
        self._chars = [[" "] * self.width for _ in range(self.height)]
        self._inks: list[list[Ink]] = [["text"] * self.width for _ in range(self.height)]
        self._dotted: set[tuple[int, int]] = set()  # cells whose dot was drawn by `line`, so that lines may share them

    # -- text ---------------------------------------------------------------------------------------------------------

    def put(self, x: int, y: int, text: str, ink: Ink = "text") -> int:
        """Write `text` from column `x`; returns the column after it, also where it was clipped."""
        if not (text.isascii() and text.isprintable()):
            text = "".join(map(_columns, text))
        end = x + len(text)
        if 0 <= y < self.height and end > 0 and x < self.width:
            start, stop = max(0, x), min(end, self.width)
            self._write(start, y, text[start - x : stop - x], ink)
        return end

    def put_right(self, x_end: int, y: int, text: str, ink: Ink = "text") -> None:
        """Write `text` so that it ends just before column `x_end`."""
        text = legible(text)
        self.put(x_end - len(text), y, text, ink)

    def center(self, y: int, text: str, ink: Ink = "text", x0: int = 0, x1: int | None = None) -> None:
        """Write `text` in the middle of columns `x0` up to `x1` (the width); one that is too long starts at `x0`."""
        text = legible(text)
        room = (self.width if x1 is None else x1) - x0
        self.put(x0 + max(0, room - len(text)) // 2, y, text, ink)

    def overlay(self, x: int, y: int, text: str, ink: Ink = "text") -> None:
        """Like `put`, but a blank in `text` leaves what is there, and braille joins braille: for charts upon charts."""
        for column, char in enumerate(text, x):
            if char == " ":
                continue
            if _is_braille(char) and self._inside(column, y) and _is_braille(self._chars[y][column]):
                char = chr(ord(char) | ord(self._chars[y][column]))
            self.put(column, y, char, ink)

    def fill(self, x: int, y: int, w: int, h: int, char: str = " ", ink: Ink = "text") -> None:
        """Fill a rectangle with one character."""
        start, stop = max(0, x), min(x + w, self.width)
        if stop > start:
            text = _one_column_each(char[:1] or " ") * (stop - start)
            for row in range(max(0, y), min(y + h, self.height)):
                self._write(start, row, text, ink)

    def recolor(self, x: int, y: int, w: int, ink: Ink) -> None:
        """Change the ink of `w` cells and leave their characters."""
        start, stop = max(0, x), min(x + w, self.width)
        if 0 <= y < self.height and stop > start:
            self._inks[y][start:stop] = [ink] * (stop - start)

    def char_at(self, x: int, y: int) -> str:
        """The character of a cell; a blank outside the canvas."""
        return self._chars[y][x] if self._inside(x, y) else " "

    def ink_at(self, x: int, y: int) -> Ink:
        """The ink of a cell; "text" outside the canvas."""
        return self._inks[y][x] if self._inside(x, y) else "text"

    # -- shapes -------------------------------------------------------------------------------------------------------

    def box(
        self,
        x: int,
        y: int,
        w: int,
        h: int,
        title: str = "",
        right: str = "",
        ink: Ink = "line",
        title_ink: Ink = "accent",
        glyphs: Glyphs = BRAILLE,
    ) -> None:
        """A frame with a title at its left and a dim note at its right; the inside is left alone.

        Too narrow for both, the note goes; too narrow for the title, the title is clipped. One row high, it is a rule.
        """
        if w < 2 or h < 1:
            return
        side = glyphs.horizontal
        if h == 1:
            self.put(x, y, side * w, ink)
        else:
            self.put(x, y, glyphs.top_left + side * (w - 2) + glyphs.top_right, ink)
            for row in range(max(y + 1, 0), min(y + h - 1, self.height)):
                self.put(x, row, glyphs.vertical, ink)
                self.put(x + w - 1, row, glyphs.vertical, ink)
            self.put(x, y + h - 1, glyphs.bottom_left + side * (w - 2) + glyphs.bottom_right, ink)
        # corner, one dash, " title ", at least one dash, " note ", corner
        title = clip(title, w - 6)
        used = len(title) + 4 if title else 2
        if title:
            self.put(x + 2, y, f" {title} ", title_ink)
        if right and used + 1 + len(right) + 2 + 1 <= w:
            self.put_right(x + w - 1, y, f" {right} ", "dim")

    def line(
        self, x0: int, y0: int, x1: int, y1: int, ink: Ink = "line", dashed: bool = False, glyphs: Glyphs = BRAILLE
    ) -> None:
        """A straight line between the middles of two cells, beneath everything: only blank and line cells take it.

        Where lines cross, braille dots add up and the later ink wins.
        """
        if glyphs.braille:
            for step, (x, y) in enumerate(self._walk(x0 * 2 + 1, y0 * 4 + 2, x1 * 2 + 1, y1 * 4 + 2, 2, 4)):
                if not (dashed and step // 3 % 2) and self._inside(x // 2, y // 4):
                    self._dot(x // 2, y // 4, BRAILLE_BITS[y % 4][x % 2], ink)
            return
        for step, (x, y) in enumerate(self._walk(x0, y0, x1, y1, 1, 1)):
            if (dashed and step % 2) or not self._inside(x, y):
                continue
            if (x, y) in self._dotted or self._blank(x, y):
                self._chars[y][x], self._inks[y][x] = glyphs.dot, ink
                self._dotted.add((x, y))

    def blit(self, other: Canvas, x: int, y: int) -> None:
        """Copy the whole of `other`, blanks too, with its upper left corner at (x, y)."""
        start, stop = max(0, -x), min(other.width, self.width - x)
        if stop <= start:
            return
        for row in range(max(0, -y), min(other.height, self.height - y)):
            self._undot(x + start, y + row, stop - start)
            self._chars[y + row][x + start : x + stop] = other._chars[row][start:stop]
            self._inks[y + row][x + start : x + stop] = other._inks[row][start:stop]
        self._dotted.update((x + a, y + b) for a, b in other._dotted if self._inside(x + a, y + b))

    # -- out ----------------------------------------------------------------------------------------------------------

    def fit(self, glyphs: Glyphs) -> Canvas:
        """The canvas itself, for a terminal that shows these glyphs: where that is ASCII alone, a letter of the user's
        data becomes the one it is made from, and what is made from none a question mark."""
        if glyphs.name == "ascii":
            for row in self._chars:
                if not "".join(row).isascii():
                    row[:] = map(_plain, row)
        return self

    def rows(self) -> tuple[Row, ...]:
        """The picture as runs of equal ink, row by row."""
        return tuple(map(_runs, self._chars, self._inks))

    def text(self) -> str:
        """The picture as plain text, without blanks at the ends of lines."""
        return "\n".join("".join(row).rstrip() for row in self._chars)

    # -- inside -------------------------------------------------------------------------------------------------------

    def _inside(self, x: int, y: int) -> bool:
        return 0 <= x < self.width and 0 <= y < self.height

    def _blank(self, x: int, y: int) -> bool:
        """Nothing is there; the padding of a chip is something."""
        return self._chars[y][x] == " " and not self._inks[y][x].endswith("!")

    def _write(self, x: int, y: int, text: str, ink: Ink) -> None:
        """Text known to be clean and inside."""
        if self._dotted:
            self._undot(x, y, len(text))
        self._chars[y][x : x + len(text)] = text
        self._inks[y][x : x + len(text)] = [ink] * len(text)

    def _undot(self, x: int, y: int, w: int) -> None:
        self._dotted.difference_update([(column, y) for column in range(x, x + w)])

    def _dot(self, x: int, y: int, bit: int, ink: Ink) -> None:
        char = self._chars[y][x]
        if _is_braille(char):
            self._chars[y][x] = chr(ord(char) | bit)
        elif self._blank(x, y):
            self._chars[y][x] = chr(BRAILLE_BASE + bit)
        else:
            return
        self._inks[y][x] = ink

    def _walk(self, x0: int, y0: int, x1: int, y1: int, sx: int, sy: int) -> Iterator[tuple[int, int]]:
        """The points of a line (Bresenham); `sx`, `sy` are points per cell. Absurdly long lines are cut first."""
        if max(abs(x1 - x0), abs(y1 - y0)) > _LINE_LIMIT:
            cut = _cut(x0, y0, x1, y1, self.width * sx, self.height * sy)
            if cut is None:
                return
            x0, y0, x1, y1 = cut
        dx, dy = abs(x1 - x0), -abs(y1 - y0)
        step_x, step_y = 1 if x0 < x1 else -1, 1 if y0 < y1 else -1
        error = dx + dy
        while True:
            yield x0, y0
            if x0 == x1 and y0 == y1:
                return
            twice = 2 * error
            if twice >= dy:
                error += dy
                x0 += step_x
            if twice <= dx:
                error += dx
                y0 += step_y


class RowDiff:
    """Remembers the rows it was given last and tells which cells differ now: what must be painted, and no more."""

    def __init__(self) -> None:
        self._rows: tuple[Row, ...] = ()
        self._size = (-1, -1)

    def reset(self) -> None:
        """Forget everything: the next `changed` is a full paint."""
        self._rows, self._size = (), (-1, -1)

    def changed(self, rows: Sequence[Row]) -> list[tuple[int, int, int]]:
        """(y, first changed column, last changed column) of each row that differs; every row after a size change."""
        before, self._rows = self._rows, tuple(rows)
        size = (len(rows), sum(len(text) for text, _ in rows[0]) if rows else 0)
        resized, self._size = size != self._size, size
        if resized:
            return [(y, 0, size[1] - 1) for y in range(size[0])] if size[1] else []
        spans = (
            (y, _span(old, new)) for y, (old, new) in enumerate(zip(before, self._rows, strict=True)) if old != new
        )
        return [(y, *span) for y, span in spans if span]


def legible(text: str) -> str:
    r"""`text` with characters of two columns as escapes: ``\u6f22``. Their width is one thing terminals agree on, but a
    picture in which a letter is a cell has no place for them; and as question marks all such names would be alike."""
    return text if text.isascii() else "".join(map(_legible, text))


@lru_cache(maxsize=4096)
def _legible(char: str) -> str:
    if char.isascii() or unicodedata.east_asian_width(char) not in "WF" or not char.isprintable():
        return char
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"


def clip(text: str, width: int) -> str:
    """`text`, or as much of it as fits with ".." at its end; never longer than `width`."""
    text = legible(text)
    if len(text) <= width:
        return text
    return text[: max(0, width - 2)] + ".."[: max(0, width)]


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` columns, broken between words; a longer word is cut, newlines are kept."""
    return list(_wrap(legible(text), width))


@lru_cache(maxsize=1024)
def _wrap(text: str, width: int) -> tuple[str, ...]:
    if width <= 0:
        return ()
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split():
            if line and len(line) + 1 + len(word) <= width:
                line += " " + word
                continue
            if line:
                lines.append(line)
            while len(word) > width:
                lines.append(word[:width])
                word = word[width:]
            line = word
        lines.append(line)
    return tuple(lines)


def _runs(chars: list[str], inks: list[Ink]) -> Row:
    """Runs of equal ink in one row."""
    if not chars:
        return ()
    text = "".join(chars)
    if inks.count(inks[0]) == len(inks):
        return ((text, inks[0]),)
    runs: list[tuple[str, Ink]] = []
    start = 0
    for ink, group in groupby(inks):
        stop = start + len(list(group))
        runs.append((text[start:stop], ink))
        start = stop
    return tuple(runs)


def _span(old: Row, new: Row) -> tuple[int, int] | None:
    """The first and the last column in which two rows of one width differ; None where only their runs are cut apart."""
    width = sum(len(text) for text, _ in new)
    first = _equal_cells(old, new)
    if first >= width:
        return None
    return first, width - 1 - _equal_cells(_mirrored(old), _mirrored(new))


def _mirrored(row: Row) -> Row:
    return tuple((text[::-1], ink) for text, ink in reversed(row))


def _equal_cells(old: Row, new: Row) -> int:
    """How many cells at the left are equal, however the rows are cut into runs."""
    olds, news = (run for run in old if run[0]), (run for run in new if run[0])
    left = right = left_ink = right_ink = ""
    count = 0
    while True:
        if not left:
            left, left_ink = next(olds, ("", ""))
        if not right:
            right, right_ink = next(news, ("", ""))
        size = min(len(left), len(right))
        if not size or left_ink != right_ink:
            return count
        if left[:size] != right[:size]:
            return count + next(i for i in range(size) if left[i] != right[i])
        left, right = left[size:], right[size:]
        count += size


@lru_cache(maxsize=4096)
def _plain(char: str) -> str:
    base = unicodedata.normalize("NFKD", char)[:1]
    return base if base.isascii() and base.isprintable() else "?"


def _is_braille(char: str) -> bool:
    return BRAILLE_BASE <= ord(char) <= BRAILLE_BASE + 0xFF


@lru_cache(maxsize=4096)
def _columns(char: str) -> str:
    """A character as it is written: itself, an escape of what is wide, or "?"."""
    return "".join(map(_one_column, _legible(char)))


def _one_column_each(text: str) -> str:
    """`text` with every character that is not exactly one column wide replaced by "?"."""
    return "".join(map(_one_column, text))


# Control, format, surrogate, private and unassigned; marks that join the cell before them; line separators.
_NO_COLUMN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me", "Mc", "Zl", "Zp"})

# Hangul that joins, flags that pair, and the signs that grew from one column to two with Unicode 16.
_DISPUTED = re.compile(
    r"[\u1160-\u11ff\ud7b0-\ud7ff\uffa0\U0001f1e6-\U0001f1ff]"
    r"|[\u2630-\u2637\u268a-\u268f\u4dc0-\u4dff\U0001d300-\U0001d37f]"
)


@lru_cache(maxsize=4096)
def _one_column(char: str) -> str:
    if char.isascii():
        return char if char.isprintable() else "?"
    if unicodedata.category(char) in _NO_COLUMN or unicodedata.east_asian_width(char) in "WF" or _DISPUTED.match(char):
        return "?"
    return char


def _cut(x0: int, y0: int, x1: int, y1: int, width: int, height: int) -> tuple[int, int, int, int] | None:
    """The part of a line inside 0..width-1 x 0..height-1 (Liang and Barsky), or None where there is none."""
    start, stop = 0.0, 1.0
    dx, dy = x1 - x0, y1 - y0
    for toward, room in ((-dx, x0), (dx, width - 1 - x0), (-dy, y0), (dy, height - 1 - y0)):
        if toward == 0:
            if room < 0:
                return None
        elif toward < 0:
            start = max(start, room / toward)
        else:
            stop = min(stop, room / toward)
    if start > stop:
        return None
    return round(x0 + start * dx), round(y0 + start * dy), round(x0 + stop * dx), round(y0 + stop * dy)
