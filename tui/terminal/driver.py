"""Textual's Linux driver, with frame acknowledgement, an input of our own, and a way out that always works.

Where it is attached (Textual 8.2.8): `App._display` writes one string per repaint and then calls `flush`, which does
nothing in `LinuxDriver`; a `flush` after a `write` is therefore the end of a paint (the rules are in `gate`). Writing
is done by a thread with a queue of 30 strings, so the bytes the *system* has taken are counted below it, in `line`.

Input is read by `scanner` instead of Textual's parser, which presses what it does not know as keys, gives a torn
sequence up after 100 ms, and ends the app at a byte that is not UTF-8. Cursor reports answer the gate, the colour of
the background is told to `on_background`, a terminal that is gone to `on_lost`; only keys, pastes, the mouse and
the size reach Textual.

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
import select
import termios
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Final, TextIO, cast

from textual import constants, events, messages
from textual._xterm_parser import IS_ITERM, XTermParser
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from tui.terminal.gate import NUMBERS, Admission, Gate, answer, question
from tui.terminal.line import Line
from tui.terminal.modes import RESTORE, RESTORED
from tui.terminal.scanner import HELD_S, STATUS, Key, Paste, Report, Scanner, Token

if TYPE_CHECKING:
    from textual.app import App

POLL_S: Final = 0.05
"""How often a withheld picture looks for the end of its hold when no answer comes."""
FAREWELL_S: Final = 1.0
"""How long leaving waits for an outstanding answer, which would otherwise be typed into the shell."""
LEAVING_S: Final = 3.0
"""How long leaving waits for a terminal to take what was written, the restored modes among it."""
PATIENCE_S: Final = 0.2
"""How long an `ESC` waits for the rest of a sequence before it is a key ..."""
PATIENCE_ASKED_S: Final = 1.0
"""... and while an answer of the terminal is on its way."""
HELD_ASKED_S: Final = 10.0
"""How long a byte behind such a key is held until the terminal has said whose it is, if it is known to answer."""
READ_MOST: Final = 4096
BACKGROUND: Final = "\x1b]11;?\x1b\\"
"""What colour is the background? Terminals that do not know say nothing."""


def _now_us() -> int:
    return time.monotonic_ns() // 1000


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
        self._app_context = contextvars.copy_context()  # before the first signal can come
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.gate = Gate(asking=self.acknowledge)
        self.on_ready: Callable[[], None] | None = None
        self.on_lost: Callable[[], None] | None = None
        """Called on the event loop when the terminal is gone."""
        self.on_background: Callable[[int, int, int], None] | None = None
        """Called on the event loop with the colour of the terminal's background, of 65535, if it tells."""
        self.bytes_written = 0
        self.line = Line(cast(TextIO, self._file))
        self._file = cast(Any, self.line)
        if not self.input_tty:  # data comes through standard input, keys from the terminal itself
            with suppress(OSError):
                self.fileno = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
                self.input_tty = True
        self._first_attrs: list[Any] | None = None
        self._mouse_reader = XTermParser()
        self._written = 0
        self._painted_bytes = 0
        self._last = 0
        """The question put last, modulo `NUMBERS`."""
        self._counting = threading.RLock()  # the input thread writes too; a signal may stop the app while it writes
        self._unpainted = False
        self._live = False
        self._polling = False
        self._answered = threading.Event()

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
        return self._written - self.line.taken

    @property
    def ready(self) -> bool:
        return not self.acknowledge or self.gate.ready(_now_us(), self.backlog)

    def admit(self, urgent: bool = False) -> bool:
        if not self.acknowledge:
            return True
        if self.gate.admit(_now_us(), self.backlog, urgent):
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
            size, self._painted_bytes = self.bytes_written - self._painted_bytes, self.bytes_written
            self._ask(self.gate.painted(_now_us(), size))

    def _ask(self, number: int | None) -> None:
        if number is not None:
            self._last = number % NUMBERS
            self._answered.clear()
            self.write(question(number))
            self._unpainted = False

    def _ask_status(self) -> None:
        """Ask anything at all: the answer cannot overtake what the terminal was saying."""
        if self._live:
            self.write(STATUS)
            self._unpainted = False

    def _acknowledged(self, number: int, now_us: int) -> None:
        """An answer was read at `now_us`, which may be a while ago where the app is busy."""
        if self._live and self.acknowledge:
            self._ask(self.gate.answered(number, now_us))
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

    # -- input: on a thread of its own

    def run_input_thread(self) -> None:
        """Read, scan and post until the app leaves or the terminal is gone."""
        scanner = Scanner()
        while not self.exit_event.is_set():
            try:
                if select.select((self.fileno,), (), (), POLL_S if scanner.waiting else 0.1)[0]:
                    data = os.read(self.fileno, READ_MOST)
                    if not data:
                        raise OSError
                    doubted = scanner.doubts
                    self._post(scanner.feed(data, time.monotonic()))
                    if scanner.doubts and not doubted and self.acknowledge:
                        self._loop.call_soon_threadsafe(self._ask_status, context=self._app_context)
            except (OSError, ValueError):
                self._hung_up()
                return
            asked = self.gate.outstanding is not None and not self.gate.silences
            answers = self.acknowledge and self.gate.answers and not self.gate.silences
            patience_s, held_s = PATIENCE_ASKED_S if asked else PATIENCE_S, HELD_ASKED_S if answers else HELD_S
            self._post(scanner.tick(time.monotonic(), patience_s, held_s))

    def _hung_up(self) -> None:
        self.line.lost = True
        self._answered.set()
        if self._live and self.on_lost is not None:
            self._loop.call_soon_threadsafe(self.on_lost, context=self._app_context)

    def _post(self, tokens: Iterable[Token]) -> None:
        for token in tokens:
            match token:
                case Key(name, character):
                    self.process_message(events.Key(name, character or None))
                case Paste(text):
                    self.process_message(events.Paste(text.replace("\0", "")))
                case Report(kind="cursor", values=(row, column)):
                    number = answer(column - 1, row - 1)
                    if number is not None:
                        if number == self._last:
                            self._answered.set()
                        self._loop.call_soon_threadsafe(
                            self._acknowledged, number, _now_us(), context=self._app_context
                        )
                case Report(kind="colour", values=(11, red, green, blue)):
                    if self.on_background is not None:
                        self._loop.call_soon_threadsafe(self.on_background, red, green, blue, context=self._app_context)
                case Report():
                    message = self._reported(token)
                    if message is not None:
                        self.process_message(message)

    def _reported(self, report: Report) -> Message | None:
        """A report as the message that Textual's own parser would make of it. Not so for the focus of the window: that
        changes no picture of ours, but Textual would paint for it."""
        match report:
            case Report(kind="mouse"):
                return self._mouse_reader.parse_mouse_code(report.raw)
            case Report(kind="size", values=(rows, columns, height, width)) if rows and columns:
                if height < rows or width < columns:  # a terminal that does not know its pixels says 0
                    return events.Resize.from_dimensions((columns, rows), None)
                resize = events.Resize.from_dimensions((columns, rows), (width, height))
                self._mouse_reader.terminal_size = resize.size
                self._mouse_reader.terminal_pixel_size = resize.pixel_size
                self._mouse_reader.mouse_pixels = True
                return resize
            case Report(kind="mode", values=(2026, 1 | 2 | 3)):  # 4: known, and off for good
                return messages.TerminalSupportsSynchronizedOutput()
            case Report(kind="mode", values=(2048, state)) if constants.SMOOTH_SCROLL and not IS_ITERM:
                return messages.InBandWindowResize.from_setting_parameter(state)
        return None

    # -- coming and going

    def start_application_mode(self) -> None:
        self.line.patient()
        self._written = self.line.taken
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._first_attrs is None:
            self._first_attrs = self.attrs_before
        self.gate.reset(asking=self.acknowledge)
        self._live = True
        if self.line.lost:  # seen by the input thread before anything was live: a hang-up sends SIGCONT as well
            self._hung_up()
        self._ask(self.gate.probe(_now_us()))
        self._painted_bytes, self._unpainted = self.bytes_written, False
        if self.on_background is not None:
            self.ask_background()

    def ask_background(self) -> None:
        """Ask for the colour of the background; `on_background` is told."""
        if self.acknowledge:
            self.write(BACKGROUND)
            self._unpainted = False

    def stop_application_mode(self) -> None:
        if self._first_attrs is not None:
            self.attrs_before = self._first_attrs
        self.line.hurry(LEAVING_S)
        super().stop_application_mode()
        self.write(RESTORED)

    def disable_input(self) -> None:
        if self._live:
            self._live = False
            if self.gate.outstanding is not None and not self.gate.silences and not self.line.lost:
                self._answered.wait(FAREWELL_S)
        super().disable_input()

    def _sigtstp_application(self, *_: object) -> None:
        """Stop, from the event loop: a handler runs in the middle of anything, and if that is a write, the handler's
        own would wait for the lock that its thread holds."""
        self._from_loop(super()._sigtstp_application)

    def _sigcont_application(self, *_: object) -> None:
        self._from_loop(self._go_on)

    def _from_loop(self, what: Callable[[], object]) -> None:
        loop = self._loop
        if loop.is_running():
            loop.call_soon_threadsafe(what, context=self._app_context)
        else:
            what()

    def _go_on(self) -> None:
        """Go on. A process that was stopped without being asked (SIGSTOP) has left nothing: it leaves now, since the
        shell has set the terminal to its own liking meanwhile."""
        if not self._auto_restart:
            return
        if self._live:
            self.suspend_application_mode()
            self._must_signal_resume = True
        self.resume_application_mode()

    def restore(self) -> None:
        """The last resort, for when leaving itself has failed: modes and attributes as they were, if that can be."""
        if self._first_attrs is not None:
            with suppress(termios.error, OSError):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self._first_attrs)
        if self._live:
            self._live = False
            self.line.hurry(LEAVING_S)
            self.line.write(RESTORE)
            self.line.flush()


class PlainDriver(AckDriver):
    """The same driver with acknowledgement switched off: Textual as it is, with counters."""

    acknowledge = False


class _Open:
    """Admission where nothing can be asked: tests without a terminal, another driver."""

    ready: Final = True

    def admit(self, urgent: bool = False) -> bool:
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
