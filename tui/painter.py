"""From a scene and the size of the screen to placed canvases; and back from a cell to what stands there."""

from dataclasses import replace
from typing import Final, NamedTuple

from tui import chrome
from tui.canvas import Canvas
from tui.glyphs import Glyphs
from tui.journal import Page, journal
from tui.keys import footer, in_list
from tui.layout import MIN_HEIGHT, MIN_WIDTH, Layout, Rect, arrange
from tui.panel import Focus, Frame, Hit, Panel
from tui.scene import Cue, Measured, Scene
from tui.scrubber import scrubber, thin, time_at

JOURNAL_US: Final = 250_000
"""While the run plays the journal is drawn this often at most: nobody reads faster."""
SHORTER: Final = (f"{MIN_WIDTH}x{MIN_HEIGHT} needed", f"{MIN_WIDTH}x{MIN_HEIGHT}")
"""What a screen says that is too small to say how large it is."""
PAPER: Final = "what happened, and why"


class Placed(NamedTuple):
    """An area of the screen and its picture; a later one lies over an earlier one."""

    name: str
    x: int
    y: int
    canvas: Canvas


class Painter:
    """Draws one scene after another on one screen."""

    def __init__(self, panels: tuple[Panel, ...], glyphs: Glyphs, version: str) -> None:
        built = {panel.pattern.number: panel.pattern.title for panel in panels}
        self.tabs = tuple(chrome.Tab(number, title) for number, title in sorted(built.items()))
        self.glyphs = glyphs
        self.version = version
        self.badge = ""
        """What stands in place of the program's name."""
        self.layout = Layout(0, 0)
        self.measured = Measured()
        """What was found out while the last picture was drawn; the session gives it to the scene."""
        self.rows: tuple[int | None, ...] = ()
        """Which event stands in each row of the journal's room."""
        self.page = 0
        """Rows of the picture's list; 0: it is none."""
        self.hunt = ""
        """How far a hunt is that runs beside."""
        self._hits: tuple[Hit, ...] = ()
        self._spans: dict[str, tuple[chrome.Span, ...]] = {}
        self._journal: tuple[int, Rect, Page] | None = None
        self._hint: tuple[Rect | None, str] = (None, "")

    def paint(
        self, scene: Scene, width: int, height: int, wall_us: int, *, notice: str = "", fresh: bool = True
    ) -> tuple[Placed, ...]:
        """Every area. ``fresh``: draw the journal now, however lately it was drawn."""
        moment = scene.now()
        cue = scene.cue()
        self.measured = Measured(scene.measured.scroll)
        self.layout = layout = self.arrange(scene, width, height, cue)
        if layout.message:
            return (Placed("message", 0, 0, chrome.sorry(width, height, (layout.message, *SHORTER))),)
        teller = self._teller(layout, notice)
        focus = scene.focus
        if focus.area not in layout.areas():
            focus = replace(focus, area="picture")
        frame = scene.panel.view(moment.snapshot, focus, layout.sizes(), self.glyphs)
        self._hits, self.page = frame.hits, frame.page
        self._hint = self._hints(layout, cue)
        placed: list[Placed] = []

        def place(name: str, rect: Rect | None, canvas: Canvas) -> None:
            assert rect is not None, name
            assert (canvas.width, canvas.height) == (rect.width, rect.height), name
            placed.append(Placed(name, rect.x, rect.y, canvas.fit(self.glyphs)))

        tabs, self._spans["tabs"] = chrome.tabs(width, self.tabs, scene.panel.pattern.number, self.version, self.badge)
        place("tabs", layout.tabs, tabs)
        place("status", layout.status, chrome.status(width, self.facts(scene)))
        if layout.picture:
            place("picture", layout.picture, self._picture(frame, layout, focus.area == "picture"))
        if layout.strip:
            place("strip", layout.strip, self._strip(frame, layout, focus.area == "strip", bool(scene.failed())))
        if layout.cue and cue:
            band = chrome.cue(cue.text, layout.cue.width, layout.cue.height, cue.waits, self.glyphs)
            place("cue", layout.cue, band)
        if layout.journal:
            page = self._page(scene, layout, wall_us, notice if teller == "journal" else "", cue, fresh)
            border = notice if teller == "border" else ""
            place("journal", layout.journal, self._framed(scene, layout, page, border))
        placed.extend(self._bottom(scene, layout, notice if teller == "footer" else ""))
        if layout.inspector:
            place("inspector", layout.inspector, self._inspector(scene, frame, layout, focus.area == "inspector"))
        return tuple(placed)

    def arrange(self, scene: Scene, width: int, height: int, cue: Cue | None) -> Layout:
        """The layout for what the scene shows now."""
        focus = scene.focus

        def needs(columns: int) -> int:
            return chrome.reading_rows(scene.explanation()[1], columns)

        return arrange(
            width, height, zoom=focus.zoom, area=focus.area, inspector=focus.inspector or focus.why,
            cue=chrome.cue_rows(cue.text, width) if cue else 0, strip_least=scene.panel.strip_least,
            needs=needs if focus.why else None,
        )  # fmt: skip

    def facts(self, scene: Scene) -> chrome.Facts:
        """What the status line tells."""
        timeline, player = scene.timeline, scene.player
        moment, source = scene.now(), scene.variant.source
        checks = (*scene.failed(), *(check for check in moment.checks if check.ok))
        return chrome.Facts(
            variant=scene.variant.title, status=scene.panel.status(moment.snapshot), seed=scene.branch.seed,
            playing=player.playing, past=timeline.in_past, speed=player.speed, at_us=timeline.now_us,
            checks=checks, branch=scene.branch.number + 1 if len(timeline.branches) > 1 else 0,
            find=scene.focus.find, source=source.name.rpartition("/")[2] if source else "",
            hunt=self.hunt,
        )  # fmt: skip

    # -- what stands where -----------------------------------------------------------------------------------

    def key_at(self, name: str, x: int) -> str:
        """The key that a click in the tabs or the footer presses; empty: none."""
        return next((span.key for span in self._spans.get(name, ()) if span.start <= x < span.stop), "")

    def hit_at(self, name: str, x: int, y: int) -> Focus | None:
        """What a click on a cell of an area selects; None: nothing in particular."""
        rect: Rect | None = getattr(self.layout, name)
        if rect is None:
            return None
        x, y = x - rect.x - 1, y - rect.y - 1
        found = (hit.focus for hit in reversed(self._hits) if hit.area == name and hit.holds(x, y))
        return next(found, None)

    def event_at(self, y: int) -> int | None:
        """The event whose line stands in this row of the screen."""
        rect = self.layout.journal
        if rect is None:
            return None
        row = y - rect.y - (1 if self._has_frame(self.layout) else 0)
        return self.rows[row] if 0 <= row < len(self.rows) else None

    def time_at(self, scene: Scene, x: int) -> int:
        """The time that a column of the scrubber stands for."""
        return time_at(x, self.layout.width, scene.tape())

    # -- areas -----------------------------------------------------------------------------------------------

    def _teller(self, layout: Layout, notice: str) -> str:
        """Who tells a notice: the journal's lower border, the footer, or if it is too long for them the journal."""
        journal = layout.journal
        look = layout.inspector
        if journal is not None and look is not None and look.y + look.height > journal.y:
            journal = None if layout.overlay else journal
        if journal is not None and self._has_frame(layout) and len(notice) + 8 <= journal.width:
            return "border"
        fits = len(chrome.notice_lines(layout.width, notice)) <= chrome.NOTICE_ROWS
        return "footer" if fits or journal is None else "journal"

    @staticmethod
    def _hints(layout: Layout, cue: Cue | None) -> tuple[Rect | None, str]:
        """The area whose lower border tells how to go on, and the words: that above the right end of the narration."""
        if cue is None or layout.cue is None or not cue.waits:
            return None, ""
        areas = (layout.picture, layout.strip, layout.journal, layout.inspector)
        above = [rect for rect in areas if rect is not None and rect.y + rect.height == layout.cue.y]
        rect = max(reversed(above), key=lambda rect: rect.x + rect.width, default=None)
        return rect, chrome.hint_above(cue.text, layout.cue.width)

    def _hinted(self, rect: Rect) -> str:
        return self._hint[1] if rect is self._hint[0] else ""

    def _bottom(self, scene: Scene, layout: Layout, notice: str) -> list[Placed]:
        """Scrubber and footer, or a notice in their place."""
        width, bottom = layout.width, layout.height
        if notice:
            self._spans["footer"] = ()
            last = chrome.notice(width, notice)
        else:
            snapshot = scene.now().snapshot
            listed = in_list(scene.panel, snapshot, scene.focus)
            entries = footer(scene.keys, snapshot, scene.focus, scene.player.playing, self.glyphs, listed)
            last, self._spans["footer"] = chrome.footer(width, entries)
        placed = [Placed("footer", 0, bottom - last.height, last.fit(self.glyphs))]
        if last.height == 1:
            tape = scene.tape()
            tape = replace(tape, marks=thin(tape.marks, tape, width))
            placed.insert(0, Placed("scrubber", 0, bottom - 2, scrubber(width, tape, self.glyphs)))
        return placed

    def _picture(self, frame: Frame, layout: Layout, focused: bool) -> Canvas:
        assert layout.picture is not None
        return chrome.frame(
            layout.picture.width, layout.picture.height, frame.picture, frame.picture_title, frame.picture_note,
            self.glyphs, focused=focused, hint=self._hinted(layout.picture), open_below=layout.shared,
        )  # fmt: skip

    def _strip(self, frame: Frame, layout: Layout, focused: bool, failed: bool) -> Canvas:
        assert layout.strip is not None
        return chrome.frame(
            layout.strip.width, layout.strip.height, frame.strip, frame.strip_title, frame.strip_note,
            self.glyphs, focused=focused, failed=failed, hint=self._hinted(layout.strip), tee=layout.shared,
        )  # fmt: skip

    def _inspector(self, scene: Scene, frame: Frame, layout: Layout, focused: bool) -> Canvas:
        rect = layout.inspector
        assert rect is not None
        inner, title, note = frame.inspector, frame.inspector_title, ""
        if scene.focus.why:
            title, paragraphs = scene.explanation()
            inner, last = chrome.reading(paragraphs, rect.width - 2, rect.height - 2, scene.measured.scroll)
            self.measured = Measured(min(scene.measured.scroll, last), last, max(1, rect.height - 3))
            note = "e next" if scene.pages_left() else "e back"
            if scene.at_cue():
                note = f"{chrome.GO_ON}  {note}"
            if last and (focused or layout.overlay):
                note = f"arrows scroll  {note}"
        hint = self._hinted(rect)
        return chrome.frame(rect.width, rect.height, inner, title, note, self.glyphs, focused=focused, hint=hint)

    def _page(self, scene: Scene, layout: Layout, wall_us: int, notice: str, cue: Cue | None, fresh: bool) -> Page:
        """The journal's room; the one drawn last while it is too early for another."""
        rect = layout.journal
        assert rect is not None
        last = self._journal
        if last is not None and not fresh and last[1] == rect and wall_us - last[0] < JOURNAL_US:
            return last[2]
        border = 2 if self._has_frame(layout) else 0
        page = journal(
            rect.width - border, rect.height - border, scene.told(), self.glyphs, selected=scene.focus.event,
            find=scene.focus.find, skip=cue.number if cue else None, notice=notice,
            focused=scene.focus.area == "journal", whole=scene.focus.zoom,
        )  # fmt: skip
        self.rows = page.rows
        self._journal = (wall_us, rect, page)
        return page

    def _framed(self, scene: Scene, layout: Layout, page: Page, notice: str) -> Canvas:
        rect = layout.journal
        assert rect is not None
        if not self._has_frame(layout):
            return page.canvas
        focus = scene.focus
        note = f'{page.found} lines with "{focus.find}"' if focus.find else PAPER
        focused = focus.area == "journal"
        return chrome.frame(
            rect.width,
            rect.height,
            page.canvas,
            "journal",
            note,
            self.glyphs,
            focused=focused,
            notice=notice,
            hint=self._hinted(rect),
        )

    @staticmethod
    def _has_frame(layout: Layout) -> bool:
        """A journal alone on the screen has one even where it is low."""
        return layout.framed or (layout.picture is None and layout.strip is None)
