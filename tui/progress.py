"""How far something long has come: one line on a terminal that is written over itself, and nothing anywhere else.

    with Progress("spans.json", "bytes", total) as progress:
        progress.at(done)                                    # as often as one likes
        progress.counted("traces judged", done, of)          # what comes of it, at a rate of its own

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
    """`what` is worked on, in `unit`, of which there are `total` if that is known; `bytes` are written as MB."""

    def __init__(self, what: str, unit: str, total: int = 0, *, stream: TextIO | None = None) -> None:
        self._what, self._unit, self._total = what, unit, total
        self._phase = ""
        self._phase_began = 0.0
        self._stream = sys.stderr if stream is None else stream
        self._on = self._stream is not None and self._stream.isatty()
        self._began = time.monotonic()
        self._next = self._began + SILENT_S
        self._shown = False

    def at(self, done: int, total: int = 0) -> None:
        """So much is done, of so much if that is known."""
        now = time.monotonic()
        if self._on and now >= self._next:
            self._show(self.line(done, total or self._total, now - self._began), now)

    def counted(self, what: str, done: int, total: int) -> None:
        """So many of the things that come of it are made; ``what`` says so: ``traces judged``."""
        now = time.monotonic()
        if what != self._phase:
            self._phase, self._phase_began = what, now
        if self._on and now >= self._next:
            rate = int(done / max(now - self._phase_began, 0.001))
            self._show(self._fitted(f": {done:,} of {total:,} {what}, {rate:,}/s, ctrl+c stops"), now)

    def say(self, line: str) -> None:
        """How far it is, in the words of whoever knows."""
        now = time.monotonic()
        if self._on and now >= self._next:
            self._show(line[:WIDTH], now)

    def close(self) -> None:
        """All is done: the line is taken away."""
        if self._shown:
            self._shown = False
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def _show(self, line: str, now: float) -> None:
        self._next = now + EVERY_S
        self._shown = True
        self._stream.write(f"\r{line}\x1b[K")
        self._stream.flush()

    def line(self, done: int, total: int, seconds: float) -> str:
        """The line, in at most `WIDTH` columns: the name gives way."""
        rate = self._amount(int(done / max(seconds, 0.001)))
        much = f"{min(100, 100 * done // total)} % of {self._amount(total)}" if total else self._amount(done)
        return self._fitted(f": {much}, {rate}/s, ctrl+c stops")

    def _fitted(self, tail: str) -> str:
        what = "".join(char if char.isprintable() else "?" for char in self._what)
        return what[-max(0, WIDTH - len(tail)) :] + tail

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _amount(self, number: int) -> str:
        if self._unit == "bytes":
            return f"{number / 1e6:,.1f} MB" if number < 10_000_000 else f"{number // 1_000_000:,} MB"
        return f"{number:,} {self._unit}"
