"""The session: everything between a key and a picture. It knows no terminal and no Textual.

Keys, clicks, answers of dialogues and passing time come in; placed canvases go out. What only the app can do
(open a dialogue, quit, take a picture) is returned to it. Each variant of each pattern has its own scene, made when
it is first looked at; scenes that are not looked at stand still.
"""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from engines.errors import UserError
from engines.sim.line import LINE_MAX, line_of
from engines.sim.pattern import Config, Pattern, Scenario, Variant
from engines.sim.recording import Breaks, Recording, record
from engines.sim.timeline import Timeline
from engines.units import stamp
from tui import asking, farewell, files
from tui.dialogs import Dialogue
from tui.farewell import Kept
from tui.glyphs import BRAILLE, Glyphs, glyphs_for
from tui.keys import FAR, VERBS
from tui.layout import Layout
from tui.painter import Painter, Placed
from tui.panel import (
    AREAS,
    Ask,
    Copy,
    Do,
    Focus,
    GoToPattern,
    GoToVariant,
    Outcome,
    Panel,
    PlayScenario,
    Press,
    Refuse,
    SeekTime,
    ThrowOut,
    VisitBranch,
    Wear,
    Wish,
)
from tui.player import speed_name
from tui.registry import drawing
from tui.scene import SCROLLS, Find, Scene, toggled

if TYPE_CHECKING:  # loaded by whoever hunts: a first picture needs none of it
    from engines.hunt import Workers
    from engines.hunt.found import Run
    from tui.hunter import Hunter

SEED: Final = 42
NOTICE_WALL_US: Final = 5_000_000
FOR_EVER: Final = 1 << 60
WHEEL_ROWS: Final = 3
OVER: Final = {"end": "the story ends here: space goes on without it", "data": "the recorded data ends here"}
"""What is said where a run stops by itself."""


class Session:
    """One person at one screen."""

    def __init__(
        self,
        panels: tuple[Panel, ...],
        pattern: str,
        *,
        variant: str = "",
        scenario: str = "",
        seed: int | None = None,
        config: Config = (),
        speed: Fraction | None = None,
        glyphs: Glyphs = BRAILLE,
        sandbox: bool = False,
        save_folder: Path | None = None,
        recordings: tuple[Recording, ...] = (),
        recorded: Variant | None = None,
        version: str = "",
        make_workers: "Callable[[], Workers] | None" = None,
    ) -> None:
        """Open a pattern by name. UserError if it, its variant or its scenario does not exist.

        ``seed``: None is the scenario's own, or 42. ``recordings`` open at their ends, paused, the first of them on the
        screen, and go before ``variant``, ``scenario``, ``seed`` and ``config``. So does ``recorded``, a variant that
        plays the user's data.
        ``save_folder``: where ``leave`` saves. ``make_workers``: who hunts; None: a process of its own.
        """
        self.panels = panels
        self.glyphs = glyphs
        self.sandbox = sandbox
        self.save_folder = save_folder
        self.width, self.height = 80, 24
        self.notice = ""
        self._speed = speed
        self._scenes: dict[tuple[str, str], Scene] = {}
        self._latest: dict[int, str] = {}
        self._painter = Painter(panels, glyphs, version)
        self._placed: tuple[Placed, ...] = ()
        self._wall_us = 0
        self.hunter: Hunter | None = None
        """A hunt that runs beside."""
        self._make_workers = make_workers
        self._given = 0
        """Commands that were given so far, in whatever run."""
        self._notice_until_us = 0
        self._dirty = True
        self._fresh = True
        if recorded is not None:
            self.scene = self._play_data(pattern, recorded, config)
        elif recordings:
            for recording in reversed(recordings):
                panel = self._panel(recording.pattern, recording.variant.name)
                self.scene = self._open(panel, recording)
        else:
            self.scene = self._first(pattern, variant, scenario, seed, config)

    # -- what comes in ---------------------------------------------------------------------------------------

    def press(self, key: str) -> Wish:
        """A key. Returns what only the app can do. What was said before is taken back: it is about the past."""
        self._hush()
        if key in SCROLLS and self._reading():
            self._touch()
            self.scene.turn(key)
            return None
        if key not in self.scene.keys and key in VERBS:
            return self.perform(Refuse(f"{key} means nothing in {self.scene.panel.pattern.title}: ? shows every key"))
        try:
            outcome = self.scene.act(key)
        except UserError as error:
            outcome = Refuse(str(error))
        return self.perform(outcome)

    def perform(self, outcome: Outcome, joined: bool = False) -> Wish:
        """What a key or a dialogue came to. Returns what only the app can do. ``joined``: one deed with what was
        given before it.
        """
        self._touch()
        match outcome:
            case None:
                return None
            case Ask():
                return outcome
            case Refuse(why):
                self.notify(why)
            case Focus():
                self.scene.look(outcome)
            case Do.COPY_LINE:
                return self._copy_line()
            case Do():
                return self._do(outcome)
            case GoToPattern(number):
                self._pattern(number)
            case GoToVariant(name):
                self._visit(self.scene.panel.pattern, name)
            case PlayScenario(name):
                self._play(self.scene.panel.pattern.scenario(name))
            case VisitBranch(number):
                self.scene.timeline.visit(number)
                self.scene.player.pause()
            case SeekTime(at_us):
                self.scene.player.seek_time(at_us)
            case Press(key):
                return self.press(key)
            case ThrowOut():
                return outcome
            case Wear(_, glyphs):
                if glyphs:
                    self.wear(glyphs_for(glyphs))
                return outcome
            case tuple():
                wish, before = None, self._given
                for each in outcome:
                    wish = self.perform(each, self._given > before) or wish
                return wish
            case _:
                self._submit(outcome, joined)
        return None

    def dialogue(self, what: str) -> Dialogue:
        """The dialogue that an ``Ask`` names."""
        return asking.dialogue(self, what)

    def tick(self, wall_us: int) -> None:
        """``wall_us`` microseconds of wall time have passed since the last tick."""
        self._wall_us += max(0, wall_us)
        if self.notice and self._wall_us >= self._notice_until_us:
            self._hush()
        if self.hunter is not None and self.hunter.poll(wall_us):
            self._hear_hunter(self.hunter)
        player = self.scene.player
        was_playing = player.playing
        if player.tick(wall_us):
            self._dirty = True
            if was_playing and not player.playing:
                self._touch()
                if player.stopped_at in OVER:
                    self.notify(OVER[player.stopped_at])

    def resize(self, width: int, height: int) -> None:
        """The screen has this size now."""
        if (width, height) != (self.width, self.height):
            self.width, self.height = max(0, width), max(0, height)
            self._touch()

    def click(self, x: int, y: int) -> Wish:
        """A click: a tab, a key of the footer, a moment of the scrubber, a line of the journal, an area."""
        self._hush()
        self.render()
        for area in reversed(self._placed):
            if _holds(area, x, y):
                return self._clicked(area.name, x, y)
        return None

    def wheel(self, x: int, y: int, step: int) -> None:
        """The wheel over a cell, down for 1: it moves what is there, if that is something that moves."""
        self.render()
        scene, layout = self.scene, self._painter.layout
        over = next((area for area in reversed(self._placed) if _holds(area, x, y)), None)
        if over is None:
            return
        self._touch()
        if over.name == "inspector" and scene.focus.why:
            for _ in range(WHEEL_ROWS):
                scene.turn("down" if step > 0 else "up")
        elif over.name == "journal" and layout.journal is not None:
            scene.look(replace(scene.focus, area="journal"))
            self._scroll(step * WHEEL_ROWS)
        elif over.name == "picture":
            there = scene.panel.walk(scene.now().snapshot, replace(scene.focus, area="picture"), step * WHEEL_ROWS)
            if there is not None:
                scene.look(there)

    def wear(self, glyphs: Glyphs) -> None:
        """Draw with other glyphs from now on."""
        self.glyphs = self._painter.glyphs = glyphs
        self._touch()

    def notify(self, text: str) -> None:
        """Say something for some seconds, or until the next key; no line of the journal gives way if others can."""
        self.notice = text
        self._notice_until_us = self._wall_us + NOTICE_WALL_US
        self._touch()

    # -- what goes out ---------------------------------------------------------------------------------------

    @property
    def dirty(self) -> bool:
        """Whether a new picture may differ from the last one. Never while nothing moves and nobody acts."""
        return self._dirty

    def render(self) -> tuple[Placed, ...]:
        """The picture of now: areas in paint order, of which only the inspector may lie over others."""
        if not self._dirty:
            return self._placed
        self._placed = self._painter.paint(
            self.scene, self.width, self.height, self._wall_us, notice=self.notice, fresh=self._fresh
        )
        self.scene.measured = self._painter.measured
        self._dirty = self._fresh = False
        return self._placed

    @property
    def wall_us(self) -> int:
        """Wall time that has passed here."""
        return self._wall_us

    @property
    def badge(self) -> str:
        """What stands at the right of the top line in place of the program's name; empty: nothing does."""
        return self._painter.badge

    @badge.setter
    def badge(self, text: str) -> None:
        if text != self._painter.badge:
            self._painter.badge = text
            self._touch()

    @property
    def layout(self) -> Layout:
        """Where everything stands now."""
        return self._painter.arrange(self.scene, self.width, self.height, self.scene.cue())

    # -- files -----------------------------------------------------------------------------------------------

    def save(self, path: Path) -> str:
        """Save the current branch to its end, whole or not at all; returns what to say. UserError if it cannot be."""
        if self.sandbox:
            raise UserError("this session runs in a sandbox: it writes no files")
        files.write(path, record(self.scene.panel.pattern, self.scene.timeline))
        return f"saved: {farewell.replay([path])}"

    def save_path(self) -> Path:
        """A name for a run that is saved by hand."""
        scene = self.scene
        stem = f"{scene.panel.pattern.name}-{scene.variant.name}-seed{scene.branch.seed}"
        return files.free(Path(), stem)

    def leave(self) -> Kept:
        """Save the run on the screen and every other that a person has touched, in haste, if that may be."""
        if self.hunter is not None:
            self.hunter.stop()
        if self.sandbox:
            return Kept("")
        kept = farewell.keep(tuple(self._scenes.values()), self.scene, self.save_folder)
        found = self.hunter.run if self.hunter is not None else None
        return kept if found is None else farewell.keep_find(kept, found, self.save_folder)

    def _copy_line(self) -> Wish:
        """The whole branch as one line of text, for the clipboard."""
        scene = self.scene
        try:
            breaks = scene.breaks[1] if scene.breaks is not None and scene.breaks[0] == scene.branch.number else None
            line = line_of(scene.panel.pattern, scene.timeline, breaks)
        except UserError as error:
            self.notify(str(error))
            return None
        if len(line) > LINE_MAX:
            self.notify(f"this run is {len(line):,} characters long, too many for a clipboard: S saves it")
            return None
        self.notify(
            f"copied, {len(line):,} characters: dp-tui replay 'LINE' opens it (if your terminal allows: OSC 52)"
        )
        return Copy(line)

    # -- a hunt beside ---------------------------------------------------------------------------------------

    def _hunt(self) -> None:
        """Begin a hunt, end it, or open what it found."""
        hunter = self.hunter
        if hunter is not None and hunter.run is not None:
            self._forget_hunter()
            self._open_find(hunter.run, hunter.find)
        elif hunter is not None:
            hunter.stop()
            self._forget_hunter()
            self.notify(f"the hunt was ended: {hunter.verdict.removeprefix('the hunt is over: ')}")
        elif self.sandbox:
            raise UserError("this session runs in a sandbox: it starts no process, so H does not hunt here")
        else:
            from tui.hunter import Hunter

            self.hunter = Hunter(self.scene, self._make_workers)
            self._painter.hunt = self.hunter.said
            self.notify("hunting with these settings, on other seeds, in a process beside; H ends it")

    def _forget_hunter(self) -> None:
        self.hunter = None
        self._painter.hunt = ""
        self._touch()

    def _hear_hunter(self, hunter: "Hunter") -> None:
        """The hunt has come further."""
        self._painter.hunt = hunter.said
        self._dirty = True
        if hunter.over:
            self.notify(hunter.verdict)
            self._notice_until_us = FOR_EVER
            if hunter.run is None:
                self._forget_hunter()

    def _open_find(self, run: "Run", find: Find) -> None:
        """What was found becomes a root of its own, beside the runs there are; they stay."""
        self._visit(run.pattern, run.timeline.variant.name)
        found = run.timeline.branch
        self._start(found.seed, found.config, None)
        branch = self.scene.branch
        branch.log = list(found.log)
        branch.end_position, branch.end_us = found.end_position, found.end_us
        self.scene.player.pause()
        self.scene.timeline.seek(found.end_position)
        self.scene.finds[branch.number] = find
        self._show_break(run.breaks, f"seed {find.seed} of the hunt from seed {find.first} on: ")

    # -- scenes ----------------------------------------------------------------------------------------------

    def _first(self, name: str, variant: str, scenario: str, seed: int | None, config: Config) -> Scene:
        patterns = {panel.pattern.name: panel.pattern for panel in self.panels}
        aliases = {alias: (each, way) for each in patterns.values() for alias, way in each.aliases}
        if name not in patterns and name in aliases:
            pattern, variant = aliases[name][0], variant or aliases[name][1]
        else:
            pattern = _known(patterns, name, "pattern")
        story = _known({each.name: each for each in pattern.scenarios}, scenario, "scenario") if scenario else None
        variants = {each.name: each for each in pattern.variants}
        chosen = _known(variants, variant or (story.variant if story else pattern.variants[0].name), "variant")
        if story is not None and story.variant != chosen.name:
            raise UserError(f"scenario {story.name!r} belongs to the variant {story.variant!r}, not {chosen.name!r}")
        if seed is None:
            seed = story.seed if story else SEED
        timeline: Timeline[Any, Any] = Timeline(chosen, seed, config or (story.config if story else ()), story)
        return self._enter(self._panel(pattern, chosen.name), timeline)

    def _play_data(self, pattern: str, recorded: Variant, config: Config) -> Scene:
        """The user's data, paused at its end."""
        panel = next(panel for panel in self.panels if panel.pattern.name == pattern)
        timeline: Timeline[Any, Any] = Timeline(recorded, 0, config)
        timeline.advance(timeline.engine.end_us)  # type: ignore[attr-defined]
        return self._enter(panel, timeline, playing=False)

    def _open(self, panel: Panel, recording: Recording) -> Scene:
        """A saved run at its end, paused; what a hunt has found, one step before it breaks."""
        scene = self._enter(panel, recording.open(), playing=False)
        if recording.breaks is not None:
            self._show_break(recording.breaks)
        return scene

    def _show_break(self, breaks: Breaks, whence: str = "") -> None:
        """Stand one step before the branch breaks, and say what will."""
        scene = self.scene
        scene.breaks = scene.branch.number, breaks
        what = "; ".join((f"{breaks.check}: {breaks.detail}", *breaks.witness))
        if breaks.position:
            scene.timeline.seek(breaks.position - 1)
        when = "the next step" if breaks.position else "at its end this run"
        self.notify(f"{whence}{when} breaks {what}")
        self._notice_until_us = FOR_EVER  # until the next key

    def _enter(self, panel: Panel, timeline: Timeline[Any, Any], playing: bool = True) -> Scene:
        """A new scene, as the one to look at."""
        speed = self._speed or Fraction(*panel.pattern.speed)
        scene = Scene(panel, self.panels, timeline, speed, playing)
        self._scenes[panel.pattern.name, timeline.variant.name] = scene
        return self._show(scene)

    def _show(self, scene: Scene) -> Scene:
        self.scene = scene
        self._latest[scene.panel.pattern.number] = scene.variant.name
        self._touch()
        return scene

    def _panel(self, pattern: Pattern, variant: str) -> Panel:
        """The panel that draws a variant."""
        return drawing(self.panels, pattern.name, variant)

    def _visit(self, pattern: Pattern, variant: str) -> None:
        """Look at a variant of a pattern, where it was left or from its start."""
        scene = self._scenes.get((pattern.name, variant))
        if scene is not None:
            self._show(scene)
        else:
            self._enter(self._panel(pattern, variant), Timeline(pattern.variant(variant), SEED))

    def _neighbour(self, by: int) -> None:
        pattern = self.scene.panel.pattern
        names = [variant.name for variant in pattern.variants]
        names += [name for number, name in self._scenes if number == pattern.name and name not in names]
        self._visit(pattern, names[(names.index(self.scene.variant.name) + by) % len(names)])

    # -- deeds -----------------------------------------------------------------------------------------------

    def _submit(self, command: Any, joined: bool) -> None:
        timeline = self.scene.timeline
        branches = len(timeline.branches)
        self.scene.focus = replace(self.scene.focus, chosen=True)
        try:
            self.scene.player.submit(command, joined)
        except UserError as error:
            self.notify(str(error))
            return
        self._given += 1
        if len(timeline.branches) > branches:
            old = timeline.branch.parent or 0
            self.notify(f"branch {timeline.branch.number + 1} begins here; the old future stays as branch {old + 1}")

    def _do(self, what: Do) -> Do | None:
        """Carry out what the frame does itself; what is not ours goes to the app."""
        act = self._acts().get(what)
        if act is None:
            return what
        try:
            act()
        except UserError as error:
            self.notify(str(error))
        return None

    def _acts(self) -> dict[Do, Callable[[], Any]]:
        """What each of them comes to."""
        player, scene = self.scene.player, self.scene
        return {
            Do.RUN_PAUSE: scene.toggle,
            Do.STEP: lambda: self._unless(player.step(), "nothing is left to happen"),
            Do.BACK: lambda: self._unless(player.back(), "this is the start"),
            Do.SECOND_FORWARD: player.forward,
            Do.SECOND_BACK: player.rewind,
            Do.FASTER: lambda: self._unless(player.faster(), f"{speed_name(player.speed)} is the fastest"),
            Do.SLOWER: lambda: self._unless(player.slower(), f"{speed_name(player.speed)} is the slowest"),
            Do.START: player.home,
            Do.NEWEST: player.end,
            Do.RESTART: lambda: self._again(0),
            Do.RESEED: self._reseed,
            Do.FREE: lambda: self._anew(scene.branch.seed, None),
            Do.VARIANT_NEXT: lambda: self._neighbour(1),
            Do.VARIANT_BACK: lambda: self._neighbour(-1),
            Do.NEXT_AREA: lambda: self._next_area(1),
            Do.PREVIOUS_AREA: lambda: self._next_area(-1),
            Do.TAKE_BACK: self._take_back,
            Do.WHY: scene.why,
            Do.INSPECTOR: self._inspect,
            Do.LEFT: lambda: self._scroll(-1),
            Do.UP: lambda: self._scroll(-1),
            Do.RIGHT: lambda: self._scroll(1),
            Do.DOWN: lambda: self._scroll(1),
            Do.PAGE_UP: lambda: self._scroll(-self._page()),
            Do.PAGE_DOWN: lambda: self._scroll(self._page()),
            Do.FIRST: lambda: self._scroll(-FAR),
            Do.LAST: lambda: self._scroll(FAR),
            Do.HUNT: self._hunt,
        }

    def _unless(self, done: bool, text: str) -> None:
        """Say why nothing was done."""
        if not done:
            self.notify(text)

    def _pattern(self, number: int) -> None:
        pattern = next(panel.pattern for panel in self.panels if panel.pattern.number == number)
        self._visit(pattern, self._latest.get(number, pattern.variants[0].name))

    def _play(self, scenario: Scenario) -> None:
        self._visit(self.scene.panel.pattern, scenario.variant)
        self.scene.focus = replace(self.scene.focus, node="", chosen=False)  # a story selects what it speaks of
        self._start(scenario.seed, scenario.config, scenario)

    def _reseed(self) -> None:
        if self.scene.variant.source is not None:
            raise UserError("recorded data has no seed: what happened has happened; r plays it from its start")
        self._again(1)

    def _again(self, by: int) -> None:
        branch = self.scene.branch
        self._anew(branch.seed + by, branch.scenario)

    def _anew(self, seed: int, scenario: Scenario | None) -> None:
        """From the start, with the rules as they are; it is said if they are not those of the story, or not all on."""
        scene = self.scene
        config = scene.timeline.config
        own = dict(scenario.config) if scenario else {}
        settings = {setting.name: setting for setting in scene.variant.settings}
        other = [
            f"{name.replace('_', ' ')} {'on' if on else 'off'}"
            for name, on in config
            if isinstance(on, bool) and on != own.get(name, settings[name].default)
        ]
        self._start(seed, config, scenario)
        if other:
            story = "; the story is told for the rules of its own" if scenario else ""
            self.notify(f"from the start with {', '.join(other)}{story}")

    def _start(self, seed: int, config: Config, scenario: Scenario | None) -> None:
        scene = self.scene
        before = scene.timeline.branch.number
        scene.timeline.start(seed, config, scenario)
        scene.came_from[scene.timeline.branch.number] = before
        scene.renew()
        scene.player.play()

    # -- looking ---------------------------------------------------------------------------------------------

    def _scroll(self, rows: int) -> None:
        """Move in the list that has the focus; where an explanation is read, keys never come here."""
        scene = self.scene
        if scene.focus.area == "journal":
            scene.select(rows)
            return
        there = scene.panel.walk(scene.now().snapshot, scene.focus, rows)
        if there is not None:
            scene.look(replace(there, why=False))

    def _page(self) -> int:
        """The rows of the list that has the focus, less one that stays in sight."""
        self.render()
        layout = self._painter.layout
        shown = self._painter.page
        if self.scene.focus.area == "journal" and layout.journal is not None:
            shown = layout.journal.height - (2 if layout.framed else 0)
        return max(1, shown - 1)

    @staticmethod
    def _root(scene: Scene) -> int:
        """The number of the branch that the watched one goes back to."""
        branch = scene.branch
        while branch.parent is not None:
            branch = scene.timeline.branches[branch.parent]
        return branch.number

    def _take_back(self) -> None:
        """Undo the last thing the person did: a command, or a new start."""
        scene = self.scene
        deed = scene.player.take_back(scene.given if self._root(scene) == 0 else 0)
        if deed:
            old = scene.timeline.branch.parent or 0
            more = f" and {len(deed) - 1} more" if len(deed) > 1 else ""
            said = f"{asking.command_words(deed[0].command)}{more} at {stamp(deed[0].at_us)}"
            self.notify(f"taken back: {said}; the other future stays as branch {old + 1}")
            scene.look(replace(scene.focus, event=None, why=False))
        elif scene.timeline.branch.number in scene.came_from:
            scene.timeline.visit(scene.came_from[scene.timeline.branch.number])
            self.notify(f"back on branch {scene.timeline.branch.number + 1}; the new start stays a branch")
        else:
            raise UserError("nothing to take back: you have done nothing yet at this place of the run")

    def _reading(self) -> bool:
        """Whether arrows scroll an explanation: it has the focus, or lies over what has it. Lines of the journal can
        be walked through all the same while each fits.
        """
        if not self.scene.focus.why:
            return False
        self.render()
        layout = self._painter.layout
        area = self.scene.focus.area
        over = layout.overlay and (area != "journal" or self.scene.measured.below > 0)
        return layout.inspector is not None and (over or area == "inspector")

    def _next_area(self, step: int) -> None:
        focus = self.scene.focus
        here = AREAS.index(focus.area)
        self.scene.look(replace(focus, zoom=False, area=AREAS[(here + step) % len(AREAS)]))

    def _inspect(self) -> None:
        """Show or hide the inspector; where it is beside the picture, go to it and back."""
        scene, beside = self.scene, self._beside()
        scene.look(toggled(scene.focus, beside))
        if beside and scene.focus.area == "inspector":
            self.notify("the inspector is always shown here: it has the focus now, i or esc goes back")

    def _beside(self) -> bool:
        layout = self.layout
        return layout.inspector is not None and not layout.overlay and not self.scene.focus.zoom

    def _clicked(self, name: str, x: int, y: int) -> Wish:
        scene = self.scene
        match name:
            case "tabs" | "footer":
                key = self._painter.key_at(name, x)
                return self.press(key) if key else None
            case "scrubber":
                scene.player.seek_time(self._painter.time_at(scene, x))
                self._touch()
            case "journal":
                event = self._painter.event_at(y)
                if event is not None:
                    return self.perform(replace(scene.focus, area="journal", event=event))
                return self.perform(replace(scene.focus, area="journal"))
            case "picture" | "strip" | "inspector":
                hit = self._painter.hit_at(name, x, y)
                if hit is not None:
                    return self.perform(replace(hit, area=name, chosen=True, why=False))
                return self.perform(replace(scene.focus, area=name))
        return None

    def _hush(self) -> None:
        if self.notice:
            self.notice = ""
            self._touch()

    def _touch(self) -> None:
        """Something was done: the next picture is a new one, the journal included."""
        self._dirty = self._fresh = True


def _holds(area: Placed, x: int, y: int) -> bool:
    return area.x <= x < area.x + area.canvas.width and area.y <= y < area.y + area.canvas.height


def _known(table: dict[str, Any], name: str, kind: str) -> Any:
    """An entry of a table, or a UserError that says what there is."""
    if name not in table:
        accepted = ", ".join(table) or "none is built"
        raise UserError(f"unknown {kind} {name!r}; accepted: {accepted}")
    return table[name]


__all__ = ["Placed", "Session"]
