"""Pictures one below the other in one canvas, each under a rule with its title if it wants one."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from tui.canvas import Canvas
from tui.glyphs import Glyphs
from tui.kit.parts import part


class Layer(NamedTuple):
    """A picture, the rows it is given, and what stands in the rule above it; no title: no rule."""

    rows: int
    draw: Callable[[Canvas], object]
    title: str = ""
    note: str = ""


def draw(canvas: Canvas, layers: Iterable[Layer], glyphs: Glyphs) -> None:
    """All that have rows, from the top. The first has no rule: its title stands in the border."""
    y = 0
    for place, layer in enumerate(each for each in layers if each.rows > 0):
        if place and layer.title and y + layer.rows < canvas.height:
            canvas.box(-1, y, canvas.width + 1, 1, layer.title, layer.note, glyphs=glyphs)
            y += 1
        with part(canvas, 0, y, canvas.width, layer.rows) as own:
            layer.draw(own)
        y += layer.rows
