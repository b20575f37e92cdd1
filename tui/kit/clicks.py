"""What can be clicked, found in a picture that is drawn: names wherever they are shown, and the rows of lists.

A panel returns it as ``Frame.hits``. Names are looked for as whole words, so a click on a node's chip, on its row of a
table or on its name in a legend selects it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from tui.canvas import Canvas
from tui.glyphs import Glyphs
from tui.panel import Focus, Hit


def named(canvas: Canvas, names: Mapping[str, Focus], area: str = "picture") -> tuple[Hit, ...]:
    """A hit for every place where one of the names stands, one cell wider at both sides, as chips are."""
    if not names:
        return ()
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    words = re.compile(rf"(?<![\w.>-])({'|'.join(map(re.escape, longest_first))})(?![\w>-])")
    hits = []
    for y, line in enumerate(canvas.text().split("\n")):
        for found in words.finditer(line):
            start = max(0, found.start() - 1)
            hits.append(Hit(start, y, found.end() + 1 - start, 1, names[found[1]], area))
    return tuple(hits)


def rows(
    canvas: Canvas,
    glyphs: Glyphs,
    x: int,
    width: int,
    of: Callable[[int], Focus | None],
    *,
    until: int | None = None,
    area: str = "picture",
) -> tuple[Hit, ...]:
    """The rows of a list whose selected row has the mark in column ``x``: ``of(step)`` is the focus of the row so many
    further down, None beyond the ends. ``until``: the row of the canvas below the list.
    """
    height = canvas.height if until is None else until
    here = next((y for y in range(height) if canvas.char_at(x, y) == glyphs.mark_left), None)
    if here is None:
        return ()
    found = ((y, of(y - here)) for y in range(height))
    return tuple(Hit(x, y, width, 1, focus, area) for y, focus in found if focus is not None)
