"""Textual's Linux driver, with frame acknowledgement. The rules are in `gate`; here is only the plumbing.

Where it is attached (Textual 8.2.8): `App._display` writes one string per repaint and then calls `flush`, which does
nothing in `LinuxDriver`; a `flush` after a `write` is therefore the end of a paint. Answers arrive in
`process_message` as `CursorPosition`, on the input thread; full-screen Textual has no other use for them. Writing is
done by a thread with a queue of 30 strings, so the bytes the *system* has taken are counted below it, in the file it
writes to.

Colour in 8.2.8, measured on a pty (`tests/tui/test_driver.py`):

- Left alone, Textual turns every indexed colour into 24-bit RGB (`ANSIToTruecolor`). `App(ansi_color=True)` switches
  that off: 256-colour indices and the 16 names go out as they are. Textual's own widgets still mix RGB from the theme,
  so a screen without any needs `TEXTUAL_COLOR_SYSTEM=256` in the environment before Textual is imported.
- `NO_COLOR` (even empty) removes colour only if `ansi_color` is true *when the App is constructed* (`NoColor`: 39 and
  49 are all that is left). Otherwise `Monochrome` is used, which emits grey RGB and dies on a segment without style.
"""

from __future__ import annotations

import contextvars
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, TextIO, cast

from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.events import CursorPosition
from textual.message import Message

from tui.terminal.gate import Admission, Gate, answer, question

if TYPE_CHECKING:
    from textual.app import App

POLL_S: Final = 0.05
"""How often a withheld picture looks for the end of its hold when no answer comes."""
FAREWELL_S: Final = 1.0
"""How long leaving waits for an outstanding answer, which would otherwise be typed into the shell."""


def _now_us() -> int:
    return time.monotonic_ns() // 1000


class _Tally:
    """The file the writer thread writes to: `taken` is what has gone through a `flush`, in characters."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._written = 0
        self.taken = 0

    def write(self, text: str) -> int:
        self._written += len(text)
        return self._file.write(text)

    def flush(self) -> None:
        self._file.flush()
        self.taken = self._written

    def fileno(self) -> int:
        return self._file.fileno()

    def isatty(self) -> bool:
        return self._file.isatty()


class AckDriver(LinuxDriver):
    """A `LinuxDriver` that can be asked whether the last picture has been seen.

    It is an `Admission`. `on_ready` is called on the event loop, in the app's context, as soon as a picture that
    `admit` refused may be drawn; never otherwise, so a still screen causes no calls.
    """

    acknowledge: ClassVar[bool] = True
    """`False`: ask nothing, admit everything, as Textual does by itself. For measuring the difference."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.gate = Gate(asking=self.acknowledge)
        self.on_ready: Callable[[], None] | None = None
        self.bytes_written = 0
        self._tally = _Tally(cast(TextIO, self._file))
        self._file = cast(Any, self._tally)
        self._written = 0
        self._counting = threading.RLock()  # the input thread writes too; a signal may stop the app while it writes
        self._unpainted = False
        self._live = False
        self._polling = False
        self._answered = threading.Event()
        self._app_context = contextvars.copy_context()

    @property
    def frames_sent(self) -> int:
        """Paints that went to the terminal, Textual's own among them."""
        return self.gate.frames_sent

    @property
    def frames_skipped(self) -> int:
        """Pictures that were refused by `admit`."""
        return self.gate.frames_skipped

    @property
    def backlog(self) -> int:
        """Characters written that the system has not taken yet."""
        return self._written - self._tally.taken

    @property
    def ready(self) -> bool:
        return not self.acknowledge or self.gate.ready(_now_us(), self.backlog)

    def admit(self) -> bool:
        if not self.acknowledge:
            return True
        if self.gate.admit(_now_us(), self.backlog):
            return True
        self._poll()
        return False

    # -- painting: on the event loop

    def write(self, data: str) -> None:
        with self._counting:
            self._written += len(data)
            self.bytes_written += len(data.encode("utf-8", "replace"))
        self._unpainted = True
        super().write(data)

    def flush(self) -> None:
        super().flush()
        if self._live and self._unpainted:
            self._unpainted = False
            self._ask(self.gate.painted(_now_us()))

    def _ask(self, number: int | None) -> None:
        if number is not None:
            self._answered.clear()
            self.write(question(number))
            self._unpainted = False

    def _acknowledged(self, number: int) -> None:
        if self._live and self.acknowledge:
            self._ask(self.gate.answered(number, _now_us()))
            self._call_back()

    def _poll(self) -> None:
        if not self._polling:
            self._polling = True
            self._loop.call_later(POLL_S, self._polled, context=self._app_context)

    def _polled(self) -> None:
        self._polling = False
        if not self._call_back() and self._live and self.gate.withheld:
            self._poll()

    def _call_back(self) -> bool:
        """Fetch the picture that was withheld, if there is one and it may be drawn."""
        if not (self._live and self.gate.withheld and self.ready):
            return False
        self.gate.withheld = False
        if self.on_ready is not None:
            self.on_ready()
        return True

    # -- answers: on the input thread

    def process_message(self, message: Message) -> None:
        if isinstance(message, CursorPosition) and (number := answer(message.x, message.y)) is not None:
            self._answered.set()
            self._loop.call_soon_threadsafe(self._acknowledged, number, context=self._app_context)
            return
        super().process_message(message)

    # -- coming and going

    def start_application_mode(self) -> None:
        self._written = self._tally.taken
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self.gate.reset(asking=self.acknowledge)
        self._unpainted = False
        self._live = True

    def disable_input(self) -> None:
        if self._live:
            self._live = False
            if self.gate.outstanding is not None and not self.gate.silences:
                self._answered.wait(FAREWELL_S)
        super().disable_input()


class PlainDriver(AckDriver):
    """The same driver with acknowledgement switched off: Textual as it is, with counters."""

    acknowledge = False


class _Open:
    """Admission where nothing can be asked: tests without a terminal, another driver."""

    ready: Final = True

    def admit(self) -> bool:
        return True


def driver_class_for(environ: Mapping[str, str]) -> type[Driver] | None:
    """The driver to construct the `App` with; `None` leaves the choice to Textual (`TEXTUAL_DRIVER` is set).

    `DP_TUI_ACK=0` switches acknowledgement off.
    """
    if environ.get("TEXTUAL_DRIVER") or os.name != "posix":
        return None
    return PlainDriver if environ.get("DP_TUI_ACK") == "0" else AckDriver


def admission(app: App[Any], on_ready: Callable[[], None]) -> Admission:
    """What a running `app` asks before it draws; `on_ready` draws the newest picture after a refusal.

    Call it once the app runs (`on_mount`). Any other driver, a headless one too, admits everything.
    """
    driver = app._driver
    if not isinstance(driver, AckDriver):
        return _Open()
    driver.on_ready = on_ready
    return driver
