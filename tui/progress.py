"""How far something long has come: one line on a terminal that is written over itself, and nothing anywhere else.

    with Progress("spans.json", "bytes") as progress:
        progress.at(done, total)        # as often as one likes

Nothing is shown in the first half second, so what is quick is silent. The line names the rate and that ctrl+c stops it;
it is gone when the work is done.
"""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Final, TextIO

SILENT_S: Final = 0.5
EVERY_S: Final = 0.25
WIDTH: Final = 79


class Progress:
    """`what` is worked on, in `unit`; `bytes` are written as MB."""

    def __init__(self, what: str, unit: str, stream: TextIO | None = None) -> None:
        self._what, self._unit = what, unit
        self._stream = sys.stderr if stream is None else stream
        self._on = self._stream is not None and self._stream.isatty()
        self._began = time.monotonic()
        self._next = self._began + SILENT_S
        self._shown = False

    def at(self, done: int, total: int = 0) -> None:
        """So much is done, of so much if that is known."""
        if not self._on or (now := time.monotonic()) < self._next:
            return
        self._next = now + EVERY_S
        self._shown = True
        self._stream.write(f"\r{self.line(done, total, now - self._began)}\x1b[K")
        self._stream.flush()

    def line(self, done: int, total: int, seconds: float) -> str:
        """The line, in at most `WIDTH` columns: the name gives way."""
        rate = self._amount(int(done / max(seconds, 0.001)))
        much = f"{min(100, 100 * done // total)} % of {self._amount(total)}" if total else self._amount(done)
        tail = f": {much}, {rate}/s, ctrl+c stops"
        what = "".join(char if char.isprintable() else "?" for char in self._what)
        return what[-max(0, WIDTH - len(tail)) :] + tail

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def _amount(self, number: int) -> str:
        if self._unit == "bytes":
            return f"{number / 1e6:,.1f} MB" if number < 10_000_000 else f"{number // 1_000_000:,} MB"
        return f"{number:,} {self._unit}"
