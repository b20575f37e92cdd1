"""Signals that end a program, as requests to leave by the door.

Without this, SIGTERM, SIGHUP, SIGQUIT and whatever else ends a program by default leave the terminal in raw mode with
the mouse reported, and the run unsaved. A signal that is ignored when the program starts (`nohup`, a job in the
background) stays ignored.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Final

SIGNALS: Final = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGINT", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGXCPU")


def status_of(signum: int) -> int:
    """The exit status by which a shell knows that a signal ended a program."""
    return 128 + signum


class Signals:
    """While entered, `leave(status)` is called when a signal comes: between any two steps of the main thread."""

    def __init__(self, leave: Callable[[int], None]) -> None:
        self.leave = leave
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():
            for name in SIGNALS:
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._came)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before.clear()

    def _came(self, signum: int, frame: FrameType | None) -> None:
        self.leave(status_of(signum))
