"""Canvases as one picture, and a picture as SVG: what `P`, the screenshots script and the tests look at.

Not Textual's `export_screenshot`: it paints on one fixed dark ground, which a light theme cannot be read on.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.segment import Segment, Segments
from rich.terminal_theme import TerminalTheme

from tui.canvas import Canvas
from tui.theme import Theme, rgb


def compose(width: int, height: int, layers: Iterable[tuple[int, int, Canvas]]) -> Canvas:
    """Canvases put down at (x, y), later ones over earlier ones."""
    whole = Canvas(width, height)
    for x, y, canvas in layers:
        whole.blit(canvas, x, y)
    return whole


def svg(canvas: Canvas, theme: Theme, title: str) -> str:
    """A terminal window with the picture in it, on the theme's own ground."""
    console = Console(
        width=max(1, canvas.width),
        height=max(1, canvas.height),
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        record=True,
        legacy_windows=False,
        no_color=False,
        _environ={},
    )
    segments: list[Segment] = []
    for row in canvas.rows():
        segments += [Segment(text, theme.style(ink)) for text, ink in row]
        segments.append(Segment.line())
    console.print(Segments(segments), end="", no_wrap=True, crop=False, soft_wrap=True)
    text = console.export_svg(title=title, theme=_window(theme))
    return text.replace("<svg ", '<svg xml:space="preserve" ', 1)  # some viewers drop blanks at the start of a run


def write_new(folder: Path | None, text: str) -> Path | None:
    """Write a picture into a folder under a name that is free; None where that cannot be."""
    if folder is None:
        return None
    for number in range(1, 1000):
        path = folder / f"dp-tui-{number}.svg"
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            continue
        except OSError:
            return None
        return path
    return None


def _window(theme: Theme) -> TerminalTheme:
    """The theme's ground, its plain text, and the sixteen colours."""
    text = rgb(theme.inks["text"]) if theme.inks else (229, 229, 229)
    return TerminalTheme(theme.ground, text, [rgb(n) for n in range(8)], [rgb(n) for n in range(8, 16)])
