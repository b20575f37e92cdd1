"""A small app that moves as the real one does: a picture of which many rows change, taken only when it is admitted.

    python -m tests.tui.moving_app [REPORT]

`space` pauses, `k` counts a key, `m` opens a modal screen, `z` stops in the middle of a write, `q` leaves and writes
the driver's counters and the picture as it should be on the screen to REPORT. `MOVING_HOLD_US` shortens the hold, for
terminals that never answer.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, Label

from tui.terminal.driver import AckDriver, admission, driver_class_for

FPS = 10
SHADES = [Style(color=f"color({n})", bgcolor="color(234)") for n in range(160, 190)]
PLAIN = Style(color="color(250)", bgcolor="color(234)", bold=True)


class Picture(Widget):
    """Every row a run of coloured words, shifted by the frame number; the first row answers keys."""

    lines: tuple[tuple[Segment, ...], ...] = ()

    def show(self, lines: tuple[tuple[Segment, ...], ...]) -> None:
        """Push the rows that differ."""
        changed = [y for y, line in enumerate(lines) if y >= len(self.lines) or line != self.lines[y]]
        self.lines = lines
        self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        segments: Iterable[Segment] = self.lines[y] if y < len(self.lines) else (Segment("", PLAIN),)
        return Strip(segments).adjust_cell_length(self.size.width, PLAIN)


class Ask(ModalScreen[None]):
    """A screen of Textual's own widgets, over the picture."""

    BINDINGS = [("escape", "dismiss", "close")]  # noqa: RUF012

    def compose(self) -> ComposeResult:
        yield Label("a modal screen")
        yield Input(placeholder="type")


class MovingApp(App[None]):
    """See the module."""

    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [("space", "pause"), ("k", "count"), ("m", "ask"), ("z", "stop"), ("q", "leave")]  # noqa: RUF012

    def __init__(self) -> None:
        super().__init__(driver_class=driver_class_for(os.environ), ansi_color=True)
        self.paused = False
        self.keys = 0
        self.frame = 0

    def compose(self) -> ComposeResult:
        yield Picture()

    def on_mount(self) -> None:
        self.admission = admission(self, self.draw)
        if (hold := os.environ.get("MOVING_HOLD_US")) and isinstance(driver := self._driver, AckDriver):
            driver.gate.hold_us = int(hold)
        self.set_interval(1 / FPS, self.tick)
        self.call_after_refresh(self.draw)  # the first picture waits for no tick

    def tick(self) -> None:
        if not self.paused:
            self.frame += 1
            self.ask_to_draw()

    def ask_to_draw(self) -> None:
        if self.admission.admit():
            self.draw()

    def draw(self) -> None:
        picture = self.screen_stack[0].query_one(Picture)
        picture.show(tuple(self.row(y) for y in range(picture.size.height)))

    def row(self, y: int) -> tuple[Segment, ...]:
        if y == 0:
            state = "PAUSED" if self.paused else "RUNNING"
            return (Segment(f"{state} keys={self.keys}. ", PLAIN),)
        step = self.frame // (1 + y % 4)
        words = range(self.size.width // 10)
        return tuple(Segment(f"{(step * 7 + x * y) % 9973:<10d}", SHADES[(step + x + y) % 30]) for x in words)

    def action_pause(self) -> None:
        self.paused = not self.paused
        self.ask_to_draw()

    def action_count(self) -> None:
        self.keys += 1
        self.ask_to_draw()

    def action_ask(self) -> None:
        self.push_screen(Ask())

    def action_stop(self) -> None:
        """Ctrl+Z at the worst moment: whoever writes holds the lock of the writer's queue."""
        writer = getattr(self._driver, "_writer_thread", None)
        assert writer is not None
        with writer._queue.mutex:
            os.kill(os.getpid(), signal.SIGTSTP)

    def action_leave(self) -> None:
        if len(sys.argv) > 1 and isinstance(driver := self._driver, AckDriver):
            report: dict[str, object] = {
                name: getattr(driver, name) for name in ("frames_sent", "frames_skipped", "bytes_written")
            }
            report |= {name: getattr(driver.gate, name) for name in ("questions", "answers", "asking")}
            size = self.query_one(Picture).size
            report["picture"] = ["".join(part.text for part in self.row(y)) for y in range(size.height)]
            Path(sys.argv[1]).write_text(json.dumps(report), encoding="utf-8")
        self.exit()


if __name__ == "__main__":
    MovingApp().run()
