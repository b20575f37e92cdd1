"""Charts over time on one axis: several lines with their newest values beside them, bands of states, rows of measures.

The newest moment stands at the right. A series shorter than the axis leaves its left part empty rather than being
stretched: the same second stands in the same column of every chart, so that a cause above meets its effect below.
"""

from collections.abc import Sequence
from math import isfinite, nan
from typing import Final, NamedTuple

from tui.canvas import Canvas, Ink
from tui.glyphs import Glyphs
from tui.kit.words import chip
from tui.plot import plot, sparkline

LEGEND: Final = 16
"""Columns that names and newest values take at the right of a chart."""
SCALE: Final = 7
"""Columns that the top of the scale takes at the left of a chart."""
SIGNS: Final = 3
"""Columns for the signs at the ends of lines."""


class Line(NamedTuple):
    """One series: what it is, its values with the oldest first, how the newest is said, and its ink."""

    name: str
    values: tuple[float, ...]
    said: str
    ink: Ink
    sign: str = ""
    """Stands at its end, so that lines can be told apart without colours."""
    low: float = 0.0
    """Where its scale begins, if it has one of its own."""


class Piece(NamedTuple):
    """A stretch of a band: from and to as parts of the axis (0 to 1), a letter, and how it looks."""

    start: float
    stop: float
    letter: str
    ink: Ink
    weight: int
    """0: thin, 1: a bar, 2: a solid block."""


def fitted(values: Sequence[float], count: int) -> tuple[float, ...]:
    """The newest ``count`` values, with holes before them where there are fewer."""
    newest = tuple(values[-count:])
    return (nan,) * (count - len(newest)) + newest


def draw_lines(
    canvas: Canvas, x: int, y: int, width: int, height: int, lines: Sequence[Line], glyphs: Glyphs,
    *, low: float = 0.0, top: float = 0.0,
) -> None:  # fmt: skip
    """Lines on one scale from ``low``, the later ones above; behind its end each has its sign."""
    if width < 4 or height < 1:
        return
    most = max([top, low + 1.0, *(value for line in lines for value in line.values if value == value)])
    ends = [0] * height
    for line in lines:
        rows = plot(line.values, width, height, glyphs, low=low, high=most)
        for row, text in enumerate(rows, y):
            canvas.overlay(x, row, text, line.ink)
        end = next((row for row, text in enumerate(rows) if text[-1] != " "), -1)
        if line.sign and end >= 0:
            canvas.put(x + width + ends[end], y + end, line.sign, line.ink)
            ends[end] += 1


def draw_ends(
    canvas: Canvas, x: int, y: int, width: int, height: int, lines: Sequence[Line], *, low: float = 0.0, top: float
) -> None:  # fmt: skip
    """Names and newest values where the lines end, one below the other; where rows are few the highest stay."""
    newest = [next((value for value in reversed(line.values) if value == value), low) for line in lines]
    order = sorted(zip(newest, lines, strict=True), key=lambda each: -each[0])[:height]
    row = -1
    for place, (value, line) in enumerate(order):
        level = round((value - low) / (top - low) * (4 * height - 1)) // 4 if value > low else 0
        row = min(max(height - 1 - level, row + 1), height - len(order) + place)
        canvas.put(x, y + row, line.name, line.ink)
        canvas.put_right(x + width, y + row, line.said, "bright")


def draw_spark(canvas: Canvas, x: int, y: int, width: int, line: Line, glyphs: Glyphs, top: float = 0.0) -> None:
    """One series in one row."""
    if width > 0:
        high = max([top, 1.0, *(value for value in line.values if value == value)])
        canvas.overlay(x, y, sparkline(line.values, width, glyphs, low=0.0, high=high), line.ink)


def draw_band(canvas: Canvas, x: int, y: int, width: int, pieces: Sequence[Piece], glyphs: Glyphs) -> None:
    """States over time: each stretch begins with its letter, and its body tells the state by its weight too."""
    if width < 1:
        return
    body = (glyphs.thin, glyphs.span, glyphs.block)
    for piece in pieces:
        start = max(0, min(width - 1, int(piece.start * width)))
        stop = max(start + 1, min(width, round(piece.stop * width)))
        canvas.put(x + start, y, body[piece.weight] * (stop - start), piece.ink)
    for piece in pieces:
        start = max(0, min(width - 1, int(piece.start * width)))
        canvas.put(x + start, y, piece.letter, chip(piece.ink))


def draw_rows(canvas: Canvas, lines: Sequence[Line], glyphs: Glyphs, left: int = 14, right: int = 9) -> None:
    """A row a measure, each on its own scale: its name, its course, the newest value in words at its right.

    ``Line.low`` is where its scale begins. Where rows are few the first measures stay.
    """
    width = canvas.width - left - right - 1
    if width < 6:
        return
    for y, line in enumerate(lines[: canvas.height]):
        values = line.values[-width:]
        top = max(line.low + 1.0, *(value for value in values if isfinite(value)), 0.0)
        canvas.put(1, y, line.name, "dim")
        canvas.put(left, y, sparkline(values, len(values), glyphs, low=line.low, high=top), line.ink)
        canvas.put_right(canvas.width - 1, y, line.said, "text")
