"""Small charts as text: a line over time, a one-row sparkline, a bar.

All of them are pure: numbers in, rows of equal width out. A value that is not a finite number is a hole, not an error:
a chart of measurements has holes.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from tui.glyphs import BRAILLE, Glyphs

# The bit of each dot in a braille cell, by [row][column]: U+2800 + bits is the character.
BRAILLE_BASE = 0x2800
BRAILLE_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))


def plot(
    values: Sequence[float],
    width: int,
    height: int,
    glyphs: Glyphs = BRAILLE,
    low: float | None = None,
    high: float | None = None,
) -> list[str]:
    """A line chart of `height` rows and `width` columns, the oldest value at the left.

    The values are stretched over the whole width; `low` and `high` fix the scale (default: 0, or the lowest value when
    that is negative, up to the highest), so that several series share one. What lies outside is drawn on the border.
    """
    if width <= 0 or height <= 0:
        return [""] * max(0, height)
    columns, steps = (2, 4) if glyphs.braille else (1, len(glyphs.strokes))
    levels = _levels(_stretch(values, width * columns), height * steps, low, high)
    if glyphs.braille:
        return _dots(levels, width, height)
    return _strokes(levels, width, height, glyphs)


def sparkline(
    values: Sequence[float], width: int, glyphs: Glyphs = BRAILLE, low: float | None = None, high: float | None = None
) -> str:
    """One row, one level glyph a column; a hole is blank, and the lowest real value still shows."""
    levels = _levels(_stretch(values, width), len(glyphs.levels) - 1, low, high)
    return "".join(" " if level is None else glyphs.levels[level + 1] for level in levels)


def bar(fraction: float, width: int, glyphs: Glyphs = BRAILLE) -> str:
    """`width` cells of which `fraction` (0 to 1, clamped) are full; anything above zero fills at least one."""
    if width <= 0:
        return ""
    share = min(1.0, max(0.0, fraction)) if isfinite(fraction) else 0.0
    full = max(1, round(share * width)) if share > 0 else 0
    return glyphs.bar_full * full + glyphs.bar_empty * (width - full)


def _stretch(values: Sequence[float], columns: int) -> list[float | None]:
    """The values over exactly `columns` columns: joined by lines when few, each column's last one when many."""
    if not values or columns <= 0:
        return [None] * max(0, columns)
    last = len(values) - 1
    stretched: list[float | None] = []
    for column in range(columns):
        place = column * last / max(1, columns - 1)
        left, right = values[int(place)], values[min(last, int(place) + 1)]
        share = place - int(place)
        value = left if share == 0 or last >= columns else left + (right - left) * share
        stretched.append(value if isfinite(value) else None)
    return stretched


def _levels(values: Sequence[float | None], steps: int, low: float | None, high: float | None) -> list[int | None]:
    """Each value as a step from 0 (bottom) to `steps - 1` (top)."""
    real = [value for value in values if value is not None]
    bottom = min(0.0, *real, 0.0) if low is None else low
    top = max(real, default=1.0) if high is None else high
    reach = top - bottom
    if not reach > 0:  # a flat line at zero lies on the ground
        reach = 1.0
    return [
        None if value is None else min(steps - 1, max(0, round((value - bottom) / reach * (steps - 1))))
        for value in values
    ]


def _dots(levels: Sequence[int | None], width: int, height: int) -> list[str]:
    """Braille: each column of dots joined to the one before it."""
    cells = [[0] * width for _ in range(height)]
    before: int | None = None
    for column, level in enumerate(levels):
        if level is not None:
            start = level if before is None else before + (1 if level > before else -1 if level < before else 0)
            for step in range(min(start, level), max(start, level) + 1):
                y = height * 4 - 1 - step
                cells[y // 4][column // 2] |= BRAILLE_BITS[y % 4][column % 2]
        before = level
    return ["".join(chr(BRAILLE_BASE + bits) if bits else " " for bits in row) for row in cells]


def _strokes(levels: Sequence[int | None], width: int, height: int, glyphs: Glyphs) -> list[str]:
    """One stroke a column at its height inside the cell; a jump is joined by a vertical."""
    steps = len(glyphs.strokes)
    cells = [[" "] * width for _ in range(height)]
    before: int | None = None
    for column, level in enumerate(levels):
        if level is not None:
            row = level // steps
            if before is not None:
                for between in range(min(before // steps, row) + 1, max(before // steps, row)):
                    cells[height - 1 - between][column] = glyphs.vertical
            cells[height - 1 - row][column] = glyphs.strokes[level % steps]
        before = level
    return ["".join(row) for row in cells]
