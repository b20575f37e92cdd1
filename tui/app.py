"""The app: it carries keys and time to the session, and the session's pictures to the terminal. It decides nothing.

    wall clock -> Session.tick        key, click, size -> Session.press, click, resize
    Session.render -> a Stage an area -> the rows that changed
    Ask -> a dialogue over the picture -> its outcome -> Session.perform

A picture is made only if something changed and the terminal has seen the last one (`tui.terminal`); otherwise it is
left out, and the newest is drawn as soon as the terminal is ready. So a still screen costs no byte, and a slow line is
never behind by more than one picture. Textual's own keys, palette and toasts are switched off: all keys are ours.
"""

from __future__ import annotations

import contextvars
import os
import signal
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar, Final

from textual import events
from textual.app import App, ComposeResult
from textual.binding import BindingType

from engines.errors import UserError
from tui.canvas import Canvas, clip
from tui.company import Alone, Company, SessionLike
from tui.farewell import Kept
from tui.painter import Placed
from tui.panel import Ask, Copy, Do, ThrowOut, Wear, Wish
from tui.picture import compose, svg, write_new
from tui.state import State
from tui.terminal.capability import Capability
from tui.terminal.driver import AckDriver, admission, driver_class_for
from tui.terminal.gate import Admission
from tui.terminal.pace import Pace
from tui.terminal.signals import Signals, status_of
from tui.theme import Theme, look_for, luminance
from tui.widgets.dialogs import open_view
from tui.widgets.keynames import names_of
from tui.widgets.sheet import MARGIN, Answer, Card, Close, Give, View, lay
from tui.widgets.stage import Ground, Stage

FPS: Final = 10
LONGEST_TICK_US: Final = 1_000_000
"""A laptop that slept does not make the cluster race through the night."""
LEAVING_S: Final = 3.0
"""How long a terminal may take for what was written when a signal comes."""
LIGHT: Final = 0.5
"""The luminance from which on a background is a light one."""
WIPE: Final = "\x1b[0m\x1b[2J"
QUIT: Final = frozenset({"ctrl+c", "ctrl+q"})
DIALOGUE: Final = "dialogue"
ALARM: Final = "alarm"
LAYERS: Final = 16
"""Areas there can ever be, by name. Each paint order has a layer of its own (dp.tcss)."""


class DpTui(App[None], inherit_bindings=False):
    """A session on a terminal. After `run` returns, `kept` says what was saved, and `return_code` how it ended: 0, or
    128 and the number of a signal, or 1 for a `failure`, which is one line."""

    CSS_PATH = Path(__file__).with_name("dp.tcss")
    TITLE = "dp-tui"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(
        self,
        session: SessionLike,
        *,
        theme: Theme | str = "dark",
        fps: float = FPS,
        pace: Pace | None = None,
        capability: Capability | None = None,
        mouse: bool = True,
        state: State | None = None,
        strict: bool | None = None,
        guess: bool = False,
        company: Company | None = None,
    ) -> None:
        """`fps` 0: time stands still, for pictures; `pace` goes before it. `strict` (or `DP_TUI_STRICT`): an exception
        ends the app. `guess`: nobody chose the theme, so the terminal is asked whether it is a light one.
        """
        super().__init__(driver_class=driver_class_for(os.environ), ansi_color=True)
        self.session = session
        self.depth = 256 if capability is None else capability.colors
        self.guess = guess
        self.company: Company = company or Alone()
        self.look = look_for(theme, self.depth)
        self.fps = pace.fps if pace is not None else fps
        self.pace = pace
        self.mouse = mouse
        self.state = state or State(sandbox=True)
        self.strict = bool(os.environ.get("DP_TUI_STRICT")) if strict is None else strict
        self.kept = Kept("")
        self.failure = ""
        self.view: View | None = None
        self.frames = 0
        """Pictures that were pushed to the stages."""
        self._stages: dict[str, Stage] = {}
        self._spare: list[Stage] = []
        self._areas: tuple[Placed, ...] = ()
        self._card: Card | None = None
        self._view_changed = False
        self._gate: Admission | None = None
        self._wall_us = 0
        self._clock_held = False
        self._picture_held = False
        self._alarmed = False
        self._leaving = False
        self._context_of_app = contextvars.copy_context()

    # -- coming up

    def run(self, **options: Any) -> None:
        """Run until the person leaves, a signal comes, the terminal is gone or something breaks."""
        try:
            with Signals(self._signalled):
                super().run(**options)
        finally:
            if isinstance(self._driver, AckDriver):
                self._driver.restore()
                self._driver.line.close()

    async def run_async(self, *args: Any, **options: Any) -> None:
        """As Textual does; whoever keeps company is told when it is over."""
        try:
            await super().run_async(*args, **options)
        finally:
            await self.company.close()

    def get_default_screen(self) -> Ground:
        """A screen without keys and colours of its own."""
        return Ground(id="_default")

    def compose(self) -> ComposeResult:
        """The first picture: it needs no tick and no key."""
        self.session.resize(*self.size)
        self._areas = tuple(self.session.render())
        for index, area in enumerate(self._areas):
            stage = self._stages[area.name] = Stage(self.look)
            stage.place(area.x, area.y, area.canvas, _layer(index))
            yield stage
        for name in (DIALOGUE, ALARM):
            self._stages[name] = Stage(self.look)
            yield self._stages[name]
        self._spare = [Stage(self.look) for _ in range(LAYERS - len(self._areas))]
        yield from self._spare

    async def on_mount(self) -> None:
        """Start the clock."""
        await self.company.open()
        self._context_of_app = contextvars.copy_context()
        self._gate = admission(self, self._draw_guarded)
        if isinstance(self._driver, AckDriver):
            self._driver.on_lost = self._hung_up
            if self._driver.line.lost:
                self._hung_up()
            if self.guess and self.look.name == "dark":  # consoles of sixteen colours would print the question
                self._driver.on_background = self._background
                self._driver.ask_background()
        self.app_resume_signal.subscribe(self, lambda _: self.paint_anew())
        self._wall_us = _wall_us()
        if self.pace is not None:
            self.pace.start(self._wall_us, _cpu_us())
        if self.fps > 0:
            self._timer = self.set_interval(1 / self.fps, self._tick)

    # -- what comes in

    def _tick(self) -> None:
        """Time passes. If something is broken in it, time is held until a key is pressed."""
        now_us = _wall_us()
        passed_us, self._wall_us = now_us - self._wall_us, now_us
        if not self._clock_held:
            self._clock_held = True
            with self._guarded("the clock"):
                self.session.tick(min(passed_us, LONGEST_TICK_US))
                self._clock_held = False
        wanted = self.session.dirty
        drawn = self._show()
        if self.pace is not None and self.pace.tick(now_us, _cpu_us(), wanted, wanted and not drawn):
            self.fps = self.pace.fps
            self._timer.stop()
            self._timer = self.set_interval(1 / self.fps, self._tick)

    def on_key(self, event: events.Key) -> None:
        """Every key, before Textual looks at it."""
        event.stop()
        event.prevent_default()
        self._clock_held = self._picture_held = False
        if self._alarmed:
            self.alarm("")
        for key in names_of(event):
            with self._guarded(f"key {key}"):
                self.press(key)
        self._show(urgent=True)

    def press(self, key: str) -> None:
        """A key for the dialogue if there is one, else for the session."""
        if key == "^" and not (self.view is not None and self.view.typing):
            key = "esc"
        if key in QUIT:
            self.leave()
        elif key == "ctrl+l":  # in a dialogue too
            self.paint_anew()
        elif key == "ctrl+z" and not self.state.sandbox:
            self.action_suspend_process()
        elif self.view is None:
            self._follow(self.session.press(key))
        else:
            self._view_changed = True
            self._answer(self.view.press(key))

    def on_paste(self, event: events.Paste) -> None:
        """Pasted text is for a line that can be typed; the cluster takes no keys from it."""
        event.stop()
        if self.view is not None:
            with self._guarded("paste"):
                self.view.paste(event.text)
                self._view_changed = True
            self._show()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """A click: a row of the dialogue, or whatever the session shows there."""
        if not self.mouse:
            return
        with self._guarded("click"):
            if self.view is None:
                self._follow(self.session.click(int(event.screen_x), int(event.screen_y)))
            else:
                self._view_changed = True
                self._answer(self._clicked(int(event.screen_x), int(event.screen_y)))
        self._show()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the selection of a dialogue, or of the list it is over."""
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel moves the selection of a dialogue, or of the list it is over."""
        self._wheel(event, -1)

    def screen_resized(self, width: int, height: int) -> None:
        """The terminal has a new size. Textual repaints all of it anyway, so the picture is made at once."""
        if not self._stages:
            return
        with self._guarded("resize"):
            self.session.resize(width, height)
            self._draw()

    def _wheel(self, event: events.MouseEvent, step: int) -> None:
        if not self.mouse:
            return
        with self._guarded("wheel"):
            if self.view is None:
                self.session.wheel(int(event.screen_x), int(event.screen_y), step)
            else:
                self._view_changed = True
                self._answer(self.view.press("down" if step > 0 else "up"))
        self._show()

    # -- what comes of it

    def _follow(self, wish: Wish) -> None:
        """What only the app can do: open a dialogue, take a picture, leave."""
        match wish:
            case Ask(what):
                self.view = open_view(self.session.dialogue(what))
                self._view_changed = True
            case Do.QUIT:
                self.leave()
            case Do.SCREENSHOT:
                self.save_picture()
            case Do.REPAINT:
                self.paint_anew()
            case Do.STAGE:
                self._stage_key()
            case ThrowOut(number):
                self.session.notify(self.company.throw_out(number))
            case Wear(theme, _):
                self.wear(theme)
            case Copy(text):
                self.copy_to_clipboard(text)
            case _:
                pass

    def _stage_key(self) -> None:
        """`O`: whatever it comes to here."""
        match self.company.stage():
            case str(said):
                self.session.notify(said)
            case Do() as wish:
                self._follow(wish)
            case dialogue:
                self.view = open_view(dialogue)
                self._view_changed = True

    def _answer(self, answer: Answer) -> None:
        """Perform what a dialogue gave; it closes, unless that is refused, which it then shows."""
        match answer:
            case Close():
                self.view = None
            case Give(outcome):
                try:
                    wish = self.session.perform(outcome)
                except UserError as error:
                    assert self.view is not None
                    self.view.error = str(error)
                    return
                self.view = None
                self._follow(wish)

    def _clicked(self, x: int, y: int) -> Answer:
        card = self._card
        if self.view is None or card is None:
            return None
        column, row = x - card.x, y - card.y
        if not (0 <= column < card.canvas.width and 0 <= row < card.canvas.height):
            return Close()
        if MARGIN < column < card.canvas.width - 1 - MARGIN and card.first <= row < card.first + card.page:
            return self.view.choose(card.top + row - card.first)
        return None

    def leave(self, status: int = 0) -> None:
        """Quit; what is to be saved is saved before anything else can go wrong."""
        if self._leaving:
            return
        self._leaving = True
        try:
            self.kept = self.session.leave()
        except Exception as error:
            self._failed(error, "saving")
        self.exit(return_code=status)

    def _signalled(self, status: int) -> None:
        """Between any two steps of the main thread: only what is safe there."""
        if self._loop is None:
            raise SystemExit(status)
        if isinstance(self._driver, AckDriver):
            self._driver.line.hurry(LEAVING_S)
        self._loop.call_soon_threadsafe(self.leave, status, context=self._context_of_app)

    def _hung_up(self) -> None:
        """The terminal is gone, whether or not a signal said so."""
        self.leave(status_of(signal.SIGHUP))

    def _failed(self, error: Exception, doing: str) -> None:
        path = self.state.log(f"{doing}\n{''.join(traceback.format_exception(error))}\n")
        where = f"; see {path}" if path else ""
        text = " ".join(f"{error}".split())[:200]
        self.failure = f"a bug in dp-tui at {doing}: {type(error).__name__}: {text}{where}"

    def _handle_exception(self, error: Exception) -> None:
        """What breaks outside of our own guards ends the app: in one line, with the runs saved."""
        if self.strict or self.is_headless:
            super()._handle_exception(error)
            return
        self._failed(error, "the screen")
        self._return_code = 1
        if not self._leaving:
            self._leaving = True
            with suppress(Exception):
                self.kept = self.session.leave()
        self._close_messages_no_wait()

    def wear(self, theme: str) -> None:
        """Another theme, as far as the terminal has colours for it; empty: the one it has, drawn anew."""
        if theme:
            self.look = look_for(theme, self.depth)
            for stage in (*self._stages.values(), *self._spare):
                stage.wear(self.look)
        self.paint_anew()

    def _background(self, red: int, green: int, blue: int) -> None:
        """The terminal told the colour of its background: a light one gets the light theme, unless one was chosen."""
        if self.guess and luminance((red >> 8, green >> 8, blue >> 8)) > LIGHT and self.look.name == "dark":
            self.wear("light")

    def paint_anew(self) -> None:
        """Draw everything again, whatever the terminal shows now."""
        self._picture_held = False
        with self._guarded("the picture"):
            self._draw()
            if self._driver is not None and not self.is_headless:
                self._driver.write(WIPE)
            for stage in (*self._stages.values(), *self._spare):
                stage.paint_anew()
            self.screen.refresh()

    def alarm(self, text: str) -> None:
        """A line at the lower right that no broken session can take away: until the next key; empty: none."""
        self._alarmed = bool(text)
        stage = self._stages.get(ALARM)
        if stage is None:
            return
        if not text or self.size.width < 10:
            stage.hide()
            return
        line = f" {clip(text, self.size.width - 2)} "
        canvas = Canvas(len(line), 1)
        canvas.put(0, 0, line, "bad!")
        stage.place(self.size.width - len(line), self.size.height - 1, canvas, ALARM)

    # -- pictures

    @property
    def picture(self) -> Canvas:
        """The whole screen as it was drawn last, dialogue included."""
        width, height = self.size
        layers = [(area.x, area.y, area.canvas) for area in self._areas]
        if self.view is not None and self._card is not None:
            layers.append(self._card[:3])
        return compose(width, height, layers)

    def save_picture(self) -> Path | None:
        """Save the screen as SVG in the working directory, else in the state folder; says where."""
        if self.state.sandbox:
            self.session.notify("no picture was saved: --sandbox writes no files")
            return None
        self._draw()
        text = svg(self.picture, self.look, self.TITLE)
        for folder in (Path.cwd(), self.state.save_folder):
            path = write_new(folder, text)
            if path is not None:
                self.session.notify(f"picture saved as {path.name if folder == Path.cwd() else path}")
                return path
        self.session.notify("no picture was saved: neither this folder nor the state folder can be written")
        return None

    def _show(self, urgent: bool = False) -> bool:
        """Draw if there is something new and the terminal is ready for it; ``urgent``: a key waits for it."""
        new = (self.session.dirty or self._view_changed) and not self._picture_held
        if not (new and self._gate is not None and self._gate.admit(urgent)):
            return False
        self._draw_guarded()
        return True

    def _draw_guarded(self) -> None:
        """A picture that cannot be drawn is not tried again before the next key."""
        self._picture_held = True
        with self._guarded("the picture"):
            self._draw()
            self._picture_held = False

    def _draw(self) -> None:
        """Push the newest picture to the stages; those without an area are hidden."""
        self.frames += 1
        self._areas = tuple(self.session.render())
        for index, area in enumerate(self._areas):
            self._stage(area.name).place(area.x, area.y, area.canvas, _layer(index))
        names = {area.name for area in self._areas}
        for name, stage in self._stages.items():
            if name not in names and name not in (DIALOGUE, ALARM):
                stage.hide()
        self._view_changed = False
        self._card = lay(self.view, *self.size, self.session.glyphs) if self.view is not None else None
        if self._card is None:
            self._stages[DIALOGUE].hide()
        else:
            self._stages[DIALOGUE].place(self._card.x, self._card.y, self._card.canvas, DIALOGUE)

    def _stage(self, name: str) -> Stage:
        """The stage of an area; a new one is a spare that stands ready, as mounting would repaint the whole screen."""
        stage = self._stages.get(name)
        if stage is None:
            stage = self._stages[name] = self._spare.pop()
        return stage

    # -- when something of ours is broken

    @contextmanager
    def _guarded(self, doing: str) -> Iterator[None]:
        """No key and no size ends the app: what went wrong is said and logged. Tests (`strict`) see it."""
        try:
            yield
        except UserError as error:
            self.session.notify(str(error))
        except Exception as error:
            if self.strict:
                raise
            path = self.state.log(f"{doing}\n{traceback.format_exc()}\n")
            where = f"; see {path}" if path else ""
            self.alarm(f"a bug in dp-tui at {doing}: {type(error).__name__}: {error}{where}")


def _layer(index: int) -> str:
    return f"area-{min(index, LAYERS - 1)}"


def _wall_us() -> int:
    return time.monotonic_ns() // 1000


def _cpu_us() -> int:
    return time.process_time_ns() // 1000
