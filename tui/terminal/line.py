"""The line to the terminal: where bytes are written, how many it has taken, and how to leave when it takes none.

The terminal is opened anew by its name, so that writing can be given up: a terminal that is gone (`EIO`), or that has
stood still since ctrl+s, must not keep a program from ending. The descriptors that a shell shares with us stay as
they are.
"""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress
from typing import Final, TextIO

SLICE_S: Final = 0.1
"""How long one wait for room takes: after that it is looked whether the rest is given up."""


FAREWELL_S: Final = 2.0
"""How long the last words wait for a terminal."""


def say(text: str, stream: TextIO) -> None:
    """Print a line on a terminal that may be gone or stand still: in that case nobody reads it."""
    line = Line(stream)
    line.hurry(FAREWELL_S)
    line.write(f"{text}\n")
    line.flush()
    line.close()


class Line:
    """The file that Textual's writer thread writes to. `taken`: characters that the system has taken, or that are given
    up."""

    def __init__(self, file: TextIO) -> None:
        self.encoding = file.encoding or "utf-8"
        self.lost = False
        """The terminal is gone; whatever is written goes nowhere."""
        self.taken = 0
        self._written = 0
        self._waiting: list[str] = []
        self._give_up_at = float("inf")
        self._fd = _opened(file)
        self._own = self._fd != file.fileno()

    def write(self, text: str) -> int:
        """Put text in line."""
        self._written += len(text)
        self._waiting.append(text)
        return len(text)

    def flush(self) -> None:
        """Write what is in line; returns once the system has it all, or it was given up."""
        data = memoryview("".join(self._waiting).encode(self.encoding, "replace"))
        self._waiting.clear()
        while data and not self.lost and time.monotonic() < self._give_up_at:
            data = data[self._some(data) :]
        self.taken = self._written

    def hurry(self, seconds: float) -> None:
        """From now on give up what the terminal has not taken within so many seconds."""
        self._give_up_at = min(self._give_up_at, time.monotonic() + seconds)

    def patient(self) -> None:
        """Give nothing up, as at the start."""
        self._give_up_at = float("inf")

    def fileno(self) -> int:
        return self._fd

    def isatty(self) -> bool:
        return True

    def close(self) -> None:
        """Close what was opened here."""
        if self._own:
            self._own = False
            with suppress(OSError):
                os.close(self._fd)

    def _some(self, data: memoryview) -> int:
        try:
            if not select.select((), (self._fd,), (), SLICE_S)[1]:
                return 0
            return os.write(self._fd, data)
        except BlockingIOError:
            return 0
        except (OSError, ValueError):
            self.lost = True
            return 0


def _opened(file: TextIO) -> int:
    """A descriptor of our own that never blocks; the file's, if it has no name."""
    try:
        return os.open(os.ttyname(file.fileno()), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return file.fileno()
