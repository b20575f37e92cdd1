"""The stage: one run, watched by everybody, each in her own size, colours and glyphs.

A watcher is no app. What she sees is drawn here, from the presenter's scene, with what draws the presenter's own
screen: `Painter` for the picture, `ansi` for the bytes. Watchers of one size and one set of glyphs share a drawing;
those of one theme among them who have seen the same picture share its bytes; so fifty people in three sizes cost three
drawings a frame, not fifty. Each has a gate of her own (`tui.terminal.gate`): a slow line drops pictures, hers alone.

Nothing a watcher does reaches the run. Her keys are `q`, `ctrl+l`, and `O`, which hands her a process with the run as
it is at that moment: a private branch (`takeover`), from which `O` returns.

Drawing takes at most a third of the loop's time, since the presenter's keys wait for it: after a round that took
long, the next one comes later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tui.ansi import CLEAR, cut, write
from tui.canvas import Canvas, Row, RowDiff
from tui.glyphs import Glyphs, glyphs_for
from tui.painter import Painter
from tui.panel import Panel
from tui.serve.house import LEFT, Visit
from tui.serve.takeover import take_over
from tui.session import Session
from tui.terminal.capability import detect
from tui.terminal.gate import Gate, answer, question
from tui.terminal.modes import RESTORE
from tui.terminal.scanner import STATUS, Key, Report, Scanner
from tui.theme import Theme, look_for, luminance, theme_for

FPS: Final = 10
SHARE: Final = 3
"""A round of drawing is followed by so many times its length at least, itself included."""
LIGHT: Final = 0.5
QUIT: Final = frozenset({"q", "ctrl+c", "ctrl+q", "ctrl+d"})
BEGIN: Final = "\x1b[?1049h\x1b[?25l\x1b[?7l"
BACKGROUND: Final = "\x1b]11;?\x1b\\"
ESCAPE_S: Final = 0.2
BADGE: Final = "watching"
HINT: Final = (
    " you are watching: O try it yourself in a branch of your own   ctrl+l redraw   q leave",
    " watching: O your own branch   q leave",
    " O try  q leave",
)

Rows = tuple[Row, ...]


@dataclass(slots=True)
class Drawing:
    """The picture for one size and one set of glyphs, and how it is written."""

    painter: Painter
    rows: Rows = ()
    number: int = 0
    """How many pictures there have been."""
    written: dict[tuple[str, int], str] = field(default_factory=dict)
    """Bytes of the newest picture, by theme and the number of the picture that is on the screen."""

    def text(self, look: Theme, seen: int, before: Rows | None) -> str:
        """What turns a screen with picture `seen`, which was `before`, into the newest one."""
        key = (look.name, seen if before is not None else -1)
        text = self.written.get(key)
        if text is None:
            text = self.written[key] = difference(before, self.rows, look)
        return text


def difference(before: Rows | None, after: Rows, look: Theme) -> str:
    """What to write over a screen with these rows; None: over anything."""
    diff = RowDiff()
    if before is not None:
        diff.changed(before)
    changed = diff.changed(after)
    return ("" if before is not None else CLEAR) + "".join(
        f"\x1b[{y + 1};{first + 1}H{write(cut(after[y], first, last + 1), look)}" for y, first, last in changed
    )


class Stage:
    """Everybody who watches one session. `draw` is called in its loop."""

    def __init__(self, session: Session, panels: tuple[Panel, ...]) -> None:
        self.session, self.panels = session, panels
        self.watchers: dict[int, Watcher] = {}
        self.spent_s = 0.0
        """Time taken by drawing, for measuring."""
        self._drawings: dict[tuple[tuple[int, int], str], Drawing] = {}
        self._shown: object = None
        self._task: asyncio.Task[None] | None = None

    # -- who is there

    def watch(self, visit: Visit) -> Watcher:
        """Somebody comes: she gets the present state at once."""
        watcher = self.watchers[visit.number] = Watcher(self, visit)
        self._count()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._play())
        return watcher

    def gone(self, visit: Visit) -> None:
        """She has left."""
        if self.watchers.pop(visit.number, None) is not None:
            self._count()

    @property
    def smallest(self) -> tuple[int, int] | None:
        """The fewest columns and the fewest rows that anybody has."""
        sizes = [watcher.size for watcher in self.watchers.values()]
        return (min(width for width, _ in sizes), min(height for _, height in sizes)) if sizes else None

    def _count(self) -> None:
        """Tell the presenter."""
        count, least = len(self.watchers), self.smallest
        self.session.badge = f"{count} watch, least {least[0]}x{least[1]}" if least else "nobody watches"

    # -- drawing

    async def _play(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            begin = loop.time()
            self.draw()
            took = loop.time() - begin
            self.spent_s += took
            await asyncio.sleep(max(1 / FPS - took, (SHARE - 1) * took))

    def draw(self) -> None:
        """Show everybody the newest picture whose line is ready for one."""
        state = self._state()
        if state != self._shown:
            self._shown = state
            for drawing in self._drawings.values():
                drawing.rows = ()
        wanted = {watcher.form for watcher in self.watchers.values() if watcher.drawing}
        for form in [form for form in self._drawings if form not in wanted]:
            del self._drawings[form]
        for watcher in tuple(self.watchers.values()):
            watcher.draw()

    def drawing(self, size: tuple[int, int], glyphs: Glyphs) -> Drawing:
        """What is shown in this form; its rows are empty while the newest picture is not drawn."""
        form = (size, glyphs.name)
        drawing = self._drawings.get(form)
        if drawing is None:
            drawing = self._drawings[form] = Drawing(Painter(self.panels, glyphs, ""))
            drawing.painter.badge = BADGE
        return drawing

    def render(self, drawing: Drawing, width: int, height: int) -> None:
        """Draw the newest picture, if nobody has yet."""
        if not drawing.rows:
            drawing.rows = self._picture(drawing.painter, width, height).rows()
            drawing.number += 1
            drawing.written.clear()

    def _picture(self, painter: Painter, width: int, height: int) -> Canvas:
        """The presenter's scene on a screen of this size, with the watchers' line at its foot."""
        session, still = self.session, not self.session.scene.player.playing
        canvas = Canvas(width, height)
        areas = painter.paint(session.scene, width, height, session.wall_us, notice=session.notice, fresh=still)
        for area in areas:
            canvas.blit(area.canvas, area.x, area.y)
        if len(areas) > 1:
            hint = next((each for each in HINT if len(each) < width), "")
            canvas.put(0, height - 1, hint.ljust(width), "dim")
        return canvas

    def _state(self) -> object:
        """What tells whether a picture differs from the last one."""
        session, scene = self.session, self.session.scene
        timeline, player = scene.timeline, scene.player
        return (
            id(scene), timeline.branch.number, timeline.position, timeline.now_us, scene.focus, scene.measured.scroll,
            player.playing, player.speed, session.notice, scene.cue(), timeline.branch.end_us,
        )  # fmt: skip

    def stop(self) -> None:
        """Draw no more."""
        if self._task is not None:
            self._task.cancel()


class Watcher:
    """Somebody who watches: what her terminal is, what it shows, what she presses."""

    def __init__(self, stage: Stage, visit: Visit) -> None:
        self.stage, self.visit = stage, visit
        self.size = visit.size
        capability = detect(visit.guest.variables, True, True, True, "utf-8")
        self.glyphs = glyphs_for(capability.glyphs)
        self.colors = capability.colors
        self.look = theme_for(None, self.colors, visit.guest.variables)
        self.gate = Gate()
        self.private: Any = None
        """The process of her private branch, while she is in it."""
        self.leaving: asyncio.Task[None] | None = None
        self._scanner = Scanner()
        self._rows: Rows | None = None
        self._seen = 0
        self._held = False
        self._tick: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        if not capability.usable:
            visit.finish(capability.reason, 2)
            return
        self._begin()

    @property
    def form(self) -> tuple[tuple[int, int], str]:
        """What she shares a drawing by."""
        return self.size, self.glyphs.name

    @property
    def drawing(self) -> bool:
        """Whether she looks at the stage."""
        return self.private is None

    def draw(self) -> None:
        """Write the newest picture, if she has not seen it and her line is ready."""
        if not self.drawing:
            return
        drawing = self.stage.drawing(self.size, self.glyphs)
        if drawing.rows and self._rows is drawing.rows:
            return
        if not self.gate.admit(self._now_us(), int(self._held)):
            return
        self.stage.render(drawing, *self.size)
        text = drawing.text(self.look, self._seen, self._rows)
        self._rows, self._seen = drawing.rows, drawing.number
        if text:
            self._send(text)
            number = self.gate.painted(self._now_us(), len(text))
            if number is not None:
                self._send(question(number))

    def anew(self) -> None:
        """The next picture is written whole."""
        self._rows = None

    # -- a show

    def write(self, data: bytes) -> None:
        """What she typed, and what her terminal answered."""
        if self.private is not None:
            self.private.write(data)
            return
        doubted = self._scanner.doubts
        self._take(self._scanner.feed(data, self._loop.time()))
        if self._scanner.doubts and not doubted:
            self._send(STATUS)
        self._wait()

    def resize(self, width: int, height: int) -> None:
        """Her window has another size; the stage has not."""
        self.size = width, height
        self.stage._count()
        self.anew()
        if self.private is not None:
            self.private.resize(width, height)

    def hold(self, on: bool) -> None:
        """She reads nothing for the moment."""
        self._held = on
        if self.private is not None:
            self.private.hold(on)

    async def stop(self) -> None:
        """The end of it."""
        self.stage.gone(self.visit)
        if self._tick is not None:
            self._tick.cancel()
        if self.private is not None:
            await self.private.stop()
        self._send(RESTORE)

    # -- from a private branch, and back

    def returned(self) -> None:
        """The private branch is over: watch again."""
        self.private = None
        self._scanner = Scanner()
        self._begin()

    def _begin(self) -> None:
        self.anew()
        self._send(BEGIN)
        self.gate.reset(asking=True)
        number = self.gate.probe(self._now_us())
        if number is not None:
            self._send(question(number))
        if self.look.name == "dark":
            self._send(BACKGROUND)

    # -- inside

    def _send(self, text: str) -> None:
        self.visit.send(text.encode())

    def _now_us(self) -> int:
        return int(self._loop.time() * 1_000_000)

    def _wait(self) -> None:
        """Look again soon while time alone decides what a byte was."""
        if self._scanner.waiting and self._tick is None and self.private is None:
            self._tick = self._loop.call_later(ESCAPE_S, self._ticked)

    def _ticked(self) -> None:
        self._tick = None
        self._take(self._scanner.tick(self._loop.time(), ESCAPE_S))
        self._wait()

    def _take(self, tokens: Sequence[object]) -> None:
        for token in tokens:
            match token:
                case Key(name) if name in QUIT:
                    self.visit.finish(LEFT, 0)
                case Key("O"):
                    self._take_over()
                case Key("ctrl+l"):
                    self.anew()
                case Report(kind="cursor", values=(row, column)):
                    number = answer(column - 1, row - 1)
                    chase = self.gate.answered(number, self._now_us()) if number is not None else None
                    if chase is not None:
                        self._send(question(chase))
                case Report(kind="colour", values=(11, red, green, blue)):
                    if luminance((red >> 8, green >> 8, blue >> 8)) > LIGHT and self.look.name == "dark":
                        self.look = look_for("light", self.colors)
                        self.anew()
                case _:
                    pass

    def _take_over(self) -> None:
        """A process of her own, with the run as it is now."""
        if self.private is None:
            take_over(self, self.stage.session.scene)
