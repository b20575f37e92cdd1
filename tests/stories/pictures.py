"""One moment of each pattern's panel, drawn for four screens: what a change of the drawing code must not change.

The canvases of the panel alone, without the frame around them, with the inspector shown.
"""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from engines.sim.timeline import Timeline
from tests.stories.played import GOLDEN
from tui.canvas import Canvas
from tui.glyphs import BRAILLE
from tui.layout import arrange
from tui.panel import Focus, Panel
from tui.registry import PANELS

SIZES = ((60, 16), (80, 24), (120, 36), (200, 50))
MOMENTS = {
    "consistency": ("store-back", 850_000),
    "consensus": ("minority-leader", 1_900_000),
    "pbft": ("pbft-f-plus-1", 1_400_000),
    "sharding": ("virtual-nodes", 7_000_000),
    "resilience": ("trip-and-recover", 20_000_000),
    "events": ("poison", 3_000_000),
    "cqrs": ("write-burst", 3_000_000),
    "tracing": ("auth-pool-p99", 6_000_000),
}
"""A story of each, and a time in the middle of it."""


class Picture(NamedTuple):
    """A pattern's moment on a screen of this size."""

    pattern: str
    width: int
    height: int

    @property
    def id(self) -> str:
        """For people: ``consensus-80x24``."""
        return f"{self.pattern}-{self.width}x{self.height}"

    @property
    def path(self) -> Path:
        """Its file."""
        return GOLDEN / "pictures" / f"{self.id}.txt"

    @property
    def panel(self) -> Panel:
        """Who draws it."""
        return next(panel for panel in PANELS if self.pattern in (panel.pattern.name, *panel.variants))


PICTURES = tuple(Picture(pattern, *size) for pattern in MOMENTS for size in SIZES)


@cache
def _moment(pattern: str) -> Any:
    name, at_us = MOMENTS[pattern]
    known = Picture(pattern, 0, 0).panel.pattern
    story = known.scenario(name)
    run: Timeline[Any, Any] = Timeline(known.variant(story.variant), story.seed, story.config, story)
    run.advance(at_us)
    return run.snapshot()


def drawn(picture: Picture) -> str:
    """Picture, strip and inspector as text, with their titles and the facts of the top line."""
    panel, snapshot = picture.panel, _moment(picture.pattern)
    layout = arrange(picture.width, picture.height, inspector=True, strip_least=panel.strip_least)
    frame = panel.view(snapshot, panel.fit(snapshot, Focus()), layout.sizes(), BRAILLE)

    def part(canvas: Canvas, title: str, note: str = "") -> str:
        head = f"---- {title}  ({note})" if note else f"---- {title}"
        return "\n".join([head, *(row.rstrip() for row in canvas.text().splitlines())])

    parts = (
        panel.status(snapshot),
        part(frame.picture, frame.picture_title, frame.picture_note),
        part(frame.strip, frame.strip_title, frame.strip_note),
        part(frame.inspector, frame.inspector_title),
    )
    return "\n".join(parts) + "\n"
