"""``dp-tui events --writer FILE.db``: a real process writes, ``k`` kills it, and the file is counted.

A screen of its own, on the app's frame: there is no timeline here, because a process that died cannot be asked to die
again the same way. Everything it shows was read from a pipe or from the file.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final

from engines.errors import UserError
from engines.live.writer import LiveWriter, Recount
from engines.units import span
from tui.canvas import Canvas, Ink, clip, wrap
from tui.dialogs import Choice, Dialogue, Pages, Pick
from tui.farewell import Kept
from tui.glyphs import Glyphs
from tui.painter import Placed
from tui.panel import Ask, Do, Outcome, Press
from tui.plot import sparkline

SECOND_US: Final = 1_000_000
RATES_KEPT: Final = 60
RECOUNTS_KEPT: Final = 200
REAL: Final = (
    "not simulated: a real process on a real file. It cannot be replayed, and nothing of it is saved as a run."
)
KEYS: Final = (
    ("k", "kill the writer with SIGKILL (it asks first)"),
    ("a", "start the writer again"),
    ("c", "count the file now, while it is written"),
    ("?", "what this is"),
    ("q", "quit; the writer is ended, the file stays"),
)
HELP: Final = (
    "A writer process appends events to a SQLite store of this program (WAL, synchronous=FULL). Each append that it "
    "was told is durable it reports through a pipe, before it begins the next one: those are the acknowledged ones.",
    "k ends it with SIGKILL, at whatever moment that happens to be. Then the file is opened as any reader would: its "
    "structure and every checksum of the chain are verified, and every acknowledged event is looked for at its place.",
    "There may be more in the file than was acknowledged: an event that was committed, and the process died before it "
    "could say so. There may never be less.",
    "SIGKILL proves the death of a process only. The loss of power is tried on the simulated disk: k on the store, "
    "in dp-tui events.",
)  # fmt: skip


class WriterSession:
    """What the app needs of a session: keys and time go in, pictures come out."""

    def __init__(self, writer: LiveWriter, glyphs: Glyphs) -> None:
        self.writer = writer
        self.glyphs = glyphs
        self.dirty = True
        self.width, self.height = 80, 24
        self.rates: deque[int] = deque(maxlen=RATES_KEPT)
        self.recounts: deque[tuple[str, Recount]] = deque(maxlen=RECOUNTS_KEPT)
        self.notice = ""
        self._in_second_us = 0
        self._in_second = 0
        writer.start()

    # -- keys ----------------------------------------------------------------------------------------------------

    def press(self, key: str) -> Ask | Do | None:
        """One key."""
        self.dirty = True
        match key:
            case "q":
                return Do.QUIT
            case "k":
                if self.writer.pid:
                    return Ask("kill")
                self.notice = "no writer runs: a starts one"
            case "kill":
                self.kill()
            case "a":
                self.notice = "" if not self.writer.pid else "it runs already"
                self.writer.start()
            case "c":
                self.count("counted while it is written")
            case "?" | "f1":
                return Ask("help")
            case "P":
                return Do.SCREENSHOT
        return None

    def perform(self, outcome: Outcome) -> Ask | Do | None:
        """The answer of a dialogue."""
        if isinstance(outcome, Press):
            return self.press(outcome.key)
        return outcome if isinstance(outcome, Ask | Do) else None

    def kill(self) -> None:
        """End the process, then count."""
        pid = self.writer.pid
        try:
            self.writer.kill()
        except UserError as error:
            self.notice = str(error)
            return
        self.count(f"SIGKILL to {pid}")

    def count(self, why: str) -> None:
        """Count what was acknowledged in the file."""
        self.writer.poll()
        try:
            self.recounts.append((why, self.writer.recount()))
            self.notice = ""
        except UserError as error:
            self.notice = str(error)

    def dialogue(self, what: str) -> Dialogue:
        """What is asked."""
        if what == "kill":
            choices = (
                Choice("yes, kill it", f"pid {self.writer.pid}", "SIGKILL, at once; then the file is counted.",
                       Press("kill")),
                Choice("no", "", "It goes on writing.", None),
            )  # fmt: skip
            return Pick(f"kill the writer process {self.writer.pid} with SIGKILL?", choices)
        return Pages("a real writer", (REAL, *HELP), (("keys", KEYS),))

    # -- time ----------------------------------------------------------------------------------------------------

    def tick(self, wall_us: int) -> None:
        """Read along."""
        fresh = self.writer.poll()
        self._in_second += fresh
        self._in_second_us += wall_us
        if self._in_second_us >= SECOND_US:
            self.rates.append(self._in_second * SECOND_US // self._in_second_us)
            self._in_second = self._in_second_us = 0
            self.dirty = True
        if fresh or self.writer.failed:
            self.dirty = True

    def resize(self, width: int, height: int) -> None:
        """The terminal has this size now."""
        if (width, height) != (self.width, self.height):
            self.width, self.height, self.dirty = width, height, True

    def click(self, x: int, y: int) -> Ask | Do | None:
        """Nothing here takes a click."""
        return None

    def notify(self, text: str) -> None:
        """Something to say."""
        self.notice, self.dirty = text, True

    def leave(self) -> Kept:
        """End the writer and say what the file holds."""
        self.writer.stop()
        return Kept(f"{self.writer.path} stays. Look at it with: dp-tui events {self.writer.path}")

    # -- pictures ------------------------------------------------------------------------------------------------

    def render(self) -> Sequence[Placed]:
        """The whole screen."""
        self.dirty = False
        canvas = Canvas(self.width, self.height)
        if self.width < 60 or self.height < 16:
            canvas.center(self.height // 2, "at least 60 columns and 16 rows are needed", "warn")
            return (Placed("message", 0, 0, canvas),)
        canvas.put(1, 0, "Events", "bright")
        canvas.put(9, 0, "a real writer", "accent")
        canvas.put_right(self.width - 1, 0, "? help", "dim")
        for row, line in enumerate(wrap(REAL, self.width - 2)[:2]):
            canvas.put(1, 1 + row, line, "warn")
        for row, (label, text, ink) in enumerate(self._facts()):
            canvas.put(1, 4 + row, label, "dim")
            canvas.put(14, 4 + row, clip(text, self.width - 15), ink)
        self._counts(canvas, 11)
        if self.notice:
            canvas.put(1, self.height - 2, clip(self.notice, self.width - 2), "warn")
        x = 1
        for key, label in (("k", "kill"), ("a", "start"), ("c", "count"), ("?", "help"), ("q", "quit")):
            x = canvas.put(x, self.height - 1, key, "key")
            x = canvas.put(x + 1, self.height - 1, label, "text") + 2
        return (Placed("picture", 0, 0, canvas),)

    def _facts(self) -> list[tuple[str, str, Ink]]:
        writer = self.writer
        state = (f"pid {writer.pid}, writing", "good") if writer.pid else ("none runs: a starts one", "dead")
        if writer.failed and not writer.pid:
            state = (f"ended by itself: {writer.failed}", "bad")
        rate = f"{self.rates[-1]}/s " if self.rates else ""
        return [
            ("file", writer.path, "bright"),
            ("process", *state),
            ("acknowledged", f"{len(writer.acknowledged):,} events since this began, {writer.before:,} before it",
             "bright"),
            ("rate", rate + sparkline(list(self.rates), min(RATES_KEPT, self.width - 30), self.glyphs, 0), "accent"),
            ("killed", f"{writer.kills} time{'' if writer.kills == 1 else 's'}", "text"),
        ]  # fmt: skip

    def _counts(self, canvas: Canvas, y: int) -> None:
        canvas.put(1, y - 1, "counted again from the file", "dim")
        rows = max(0, self.height - 2 - y)
        if not self.recounts:
            canvas.put(1, y, "not yet: k kills the writer, c counts while it writes", "dim")
        for row, (why, found) in enumerate(list(self.recounts)[-rows:] if rows else []):
            lost = found.acknowledged - found.found
            verdict = "all there" if found.whole else f"{lost} MISSING"
            text = f"{found.found:,} of {found.acknowledged:,} told: {verdict}; {found.more} more; {found.detail}"
            canvas.put(1, y + row, clip(f"{why} ({span(found.took_us)}): {text}", self.width - 2),
                       "good" if found.whole else "bad")  # fmt: skip


__all__ = ["WriterSession"]
