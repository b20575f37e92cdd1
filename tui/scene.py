"""A scene: one variant of a pattern as one person watches it.

It joins a panel, a player and the focus, and remembers what was worked out for the present moment, so that a
snapshot is taken once however many areas are drawn from it.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final, NamedTuple

from engines.sim import events
from engines.sim.events import Event
from engines.sim.faults import Narrate
from engines.sim.history import CLIENT_HISTORY
from engines.sim.pattern import Check, Variant
from engines.sim.recording import Breaks
from engines.sim.timeline import Branch, Timeline
from engines.units import US_PER_S, stamp
from tui.journal import Told, place_of
from tui.judging import Verdicts, explained
from tui.keys import keymap
from tui.panel import Focus, Key, Line, Outcome, Panel, Refuse
from tui.player import Player
from tui.scrubber import Mark, Tape, weight

TOLD: Final = 512
"""How far back the journal goes."""
LINGER_WALL_US: Final = 4_000_000
"""A narration that does not pause stays for so much wall time."""
AS_WRITTEN: Final = "As the story was written: "
MARKS_MAX: Final = 2_000
"""Marks looked at for one drawing of the scrubber: the newest."""
WORDS_MAX: Final = 1_024
LONGEST: Final = 1 << 20
"""Rows beyond those of any explanation."""
SCROLLS: Final[dict[str, Callable[[int], int]]] = {
    "up": lambda page: -1, "down": lambda page: 1,
    "left": lambda page: -page, "right": lambda page: page,
    "pageup": lambda page: -page, "pagedown": lambda page: page,
    "k": lambda page: -1, "j": lambda page: 1, "home": lambda page: -LONGEST, "end": lambda page: LONGEST,
}  # fmt: skip
"""How far a key scrolls an explanation of which so many rows are shown."""


WAY_ON: Final = "What you do begins a future of its own beside the story; space goes on with the story."


class Moment(NamedTuple):
    """What there is to see now."""

    snapshot: Any
    checks: tuple[Check, ...]


class Measured(NamedTuple):
    """How an explanation lay on the screen when it was last drawn, which cannot be known before."""

    scroll: int = 0
    """The first row that is shown."""
    below: int = 0
    """The last row it can be scrolled to."""
    page: int = 1
    """How many rows are shown."""


class Cue(NamedTuple):
    """What the lecturer says now; ``number``: its line of the journal."""

    text: str
    number: int
    waits: bool


class Find(NamedTuple):
    """Where a run that a hunt has found is from."""

    seed: int
    first: int
    """The seed that the hunt began with."""
    check: str
    command: str
    """What finds it again on the command line."""


class Scene:
    """One variant, its player, and what is looked at."""

    def __init__(
        self, panel: Panel, panels: tuple[Panel, ...], timeline: Timeline[Any, Any], speed: Fraction, playing: bool
    ) -> None:
        self.panel = panel
        self.variant: Variant = timeline.variant
        self.player = Player(timeline, speed, playing)
        self.focus = Focus()
        self.given = 0
        """Commands at the start of the run that are no deed of a person: what came with a FILE."""
        self.breaks: tuple[int, Breaks] | None = None
        """The branch that a hunt has found, and what breaks in it."""
        self.finds: dict[int, Find] = {}
        """Branches that a hunt from here has found, and where."""
        self.came_from: dict[int, int] = {}
        """Which branch a new root was begun from."""
        self.measured = Measured()
        self.keys: dict[str, Key] = keymap(panel, panels)
        self.verdicts = Verdicts()
        self._moment: tuple[object, Moment] | None = None
        self._words: dict[object, Line] = {}

    @property
    def timeline(self) -> Timeline[Any, Any]:
        """The run."""
        return self.player.timeline

    @property
    def branch(self) -> Branch:
        """The branch that is watched."""
        return self.timeline.branch

    def now(self) -> Moment:
        """The present moment; taken once until something moves. The focus is made to fit it."""
        timeline = self.timeline
        key = (timeline.branch.number, timeline.position, timeline.now_us, self.player.playing)
        if self._moment is None or self._moment[0] != key:
            verdicts = self.verdicts.of(timeline.engine, self.player.playing)
            snapshot = timeline.snapshot()
            if verdicts:  # judged beside the engine, and counted on every part of the screen
                snapshot = replace(snapshot, checks=snapshot.checks + verdicts)
            self._moment = key, Moment(snapshot, timeline.check() + verdicts)
            self._fit()
        return self._moment[1]

    def look(self, focus: Focus) -> None:
        """Set the focus."""
        snapshot = self.now().snapshot
        if self.focus.why and not focus.why:  # what was read about is let go, but in the journal
            stays = focus.area == "journal" or focus.event != self.focus.event
            focus = replace(focus, check="", event=focus.event if stays else None)
        if (focus.why, focus.event, focus.check) != (self.focus.why, self.focus.event, self.focus.check):
            self.measured = self.measured._replace(scroll=0)
        if focus.node != self.focus.node or focus.pick is not None:
            focus = replace(focus, chosen=True)
        self.focus = self.panel.fit(snapshot, focus)

    def renew(self) -> None:
        """Look at another run: what a person chose stays chosen, and nothing becomes so that was the panel's choice."""
        self.measured = self.measured._replace(scroll=0)
        self.focus = replace(self.focus, event=None, why=False, check="", pick=None)
        self.now()

    def act(self, key: str) -> Outcome:
        """What a key means now."""
        meaning = self.keys.get(key)
        if meaning is None:
            return Refuse(f"{key} has no meaning here: ? shows every key")
        return meaning.act(self.now().snapshot, self.focus)

    # -- the journal -----------------------------------------------------------------------------------------

    def told(self) -> Told:
        """The events of the journal, numbered."""
        engine = self.timeline.engine
        told = engine.told(TOLD)
        return Told(told, engine.told_total - len(told) + 1, self.narrate, self.routine, self.fold, self.failed())

    def narrate(self, event: Event) -> Line:
        """The words for an event; remembered, since a line is drawn many times."""
        return self._remembered(event, lambda: self.panel.narrate(event))

    def routine(self, event: Event) -> str:
        """The routine an event belongs to; what the lecturer says belongs to none."""
        return "" if isinstance(event.what, events.Cue) else self.panel.routine(event)

    def fold(self, events: Sequence[Event]) -> Line:
        """The words for events that share a line."""
        return self._remembered((events[0], events[-1], len(events)), lambda: self.panel.fold(events))

    def _remembered(self, key: object, words: Callable[[], Line]) -> Line:
        try:
            line = self._words.get(key)
        except TypeError:
            return words()
        if line is None:
            line = words()
            if len(self._words) >= WORDS_MAX:
                self._words.clear()
            self._words[key] = line
        return line

    def select(self, lines: int) -> None:
        """Move the selected line of the journal so far down; below the newest there is nothing selected."""
        cue = self.cue()
        folds = self.told().folds(self.focus.find, cue.number if cue else None)
        if not folds:
            return
        here = place_of(folds, self.focus.event)
        there = max(0, (len(folds) if here is None else here) + lines)
        self.look(replace(self.focus, event=folds[there].last if there < len(folds) else None))

    def selected(self) -> Event | None:
        """The event of the selected line, or the newest."""
        engine = self.timeline.engine
        back = 1 if self.focus.event is None else engine.told_total - self.focus.event + 1
        events = engine.told(back) if back > 0 else ()
        return events[0] if events else None

    # -- why -------------------------------------------------------------------------------------------------

    def failed(self) -> tuple[Check, ...]:
        """The checks that do not hold: first those that broke since the story last spoke, then those of before."""
        failed = [check for check in self.now().checks if not check.ok]
        if len(failed) < 2:
            return tuple(failed)
        spoke = self._spoke()
        return tuple(sorted(failed, key=lambda check: (check.position <= spoke, check.position)))

    def _spoke(self) -> int:
        """The position of the last line of the story but one: what came after it is what the last one speaks of."""
        said = [each.position for each in self.branch.log
                if isinstance(each.command, Narrate) and each.position < self.timeline.position]  # fmt: skip
        return said[-2] if len(said) > 1 else 0

    def why(self) -> None:
        """Explain the selected event, else one thing after the other (``pages``); then no more.

        An event stays selected while it is read about.
        """
        focus = self.focus
        pages = [""] if self._chosen() else self.pages()
        left = self.pages_left() if focus.why else pages
        if not left:
            self.look(replace(focus, why=False))
            return
        event = focus.event
        if not left[0] and event is None:
            cue = self.cue()
            event = cue.number if cue is not None and cue.waits else self.timeline.engine.told_total or None
        zoom = focus.zoom and (focus.why or focus.area == "inspector")
        self.look(replace(focus, why=True, event=event, zoom=zoom, check=left[0]))

    def pages(self) -> list[str]:
        """What ``why`` explains, page by page: failed checks by name, and ``""``, the line of the story that is told.

        What has been broken since before the line waits behind it. Nothing failed: the newest event.
        """
        failed, cue = self.failed(), self.cue()
        if cue is None or not cue.waits:
            return [check.name for check in failed] or [""]
        spoke = self._spoke()
        fresh = [check.name for check in failed if check.position > spoke]
        return [*fresh, "", *(check.name for check in failed[len(fresh) :])]

    def pages_left(self) -> list[str]:
        """The pages behind the one that is read. Whoever chose an event in the journal reads it alone."""
        pages, check = self.pages(), self.focus.check
        alone = check not in pages or (not check and self._chosen())
        return [] if alone else pages[pages.index(check) + 1 :]

    def _chosen(self) -> bool:
        """Whether an event is selected that is not the line of the story at which the run waits."""
        cue = self.cue()
        return self.focus.event is not None and not (cue is not None and cue.waits and cue.number == self.focus.event)

    def turn(self, key: str) -> None:
        """Scroll the explanation."""
        now = self.measured
        self.measured = now._replace(scroll=max(0, now.scroll + SCROLLS[key](now.page)))

    def explanation(self) -> tuple[str, tuple[str, ...]]:
        """Title and paragraphs of what ``why`` explains: a check, else the selected event."""
        snapshot = self.now().snapshot
        check = next((each for each in self.now().checks if each.name == self.focus.check), None)
        if check is not None:
            names = [each.name for each in self.failed()]
            count = f" ({names.index(check.name) + 1} of {len(names)})" if check.name in names[:-1] + names[1:] else ""
            said = explained(check) if check.name == CLIENT_HISTORY else self._about_check(check)
            return f"why: {check.name}{count}", said
        event = self.selected()
        if event is None:
            return "why", ("Nothing has happened yet.",)
        if isinstance(event.what, events.Cue):
            return f"why: {stamp(event.at_us)}", self._about_cue(event)
        line, when = self._line_of(event)
        return f"why: {when}", (f"{line.who} {line.text}", *self.panel.explain(snapshot, event))

    def _about_check(self, check: Check) -> tuple[str, ...]:
        """What a check demands; which rules had been off when it broke, only the run knows."""
        snapshot = self.now().snapshot
        rules = (name for name, _ in getattr(snapshot, "rules", ()))
        return self.panel.explain_check(snapshot, replace(check, off=self.timeline.off_before(check.position, rules)))

    def _line_of(self, event: Event) -> tuple[Line, str]:
        """The line of the journal that an event goes by: the same words, with the same sums; and when that was. A line
        for several goes by the time of the last: here it is told from when on."""
        number = self.focus.event or self.timeline.engine.told_total
        told = self.told()
        folds = told.folds(self.focus.find, None)
        place = place_of(folds, number)
        if place is None:
            return self.narrate(event), stamp(event.at_us)
        fold = folds[place]
        first, last = told.events[fold.first - told.first], told.event(fold)
        since = f"{stamp(first.at_us)} to " if first.at_us < last.at_us else ""
        return told.line(fold), f"{since}{stamp(last.at_us)}"

    def _about_cue(self, cue: Event) -> tuple[str, ...]:
        """At a cue: what is on the screen, the rule behind what happened last, what to try, and the way on."""
        snapshot = self.now().snapshot
        number = self.focus.event or self.timeline.engine.told_total
        told = self.told()
        before = [
            fold for fold in told.folds() if fold.last < number and not isinstance(told.event(fold).what, events.Cue)
        ]
        now = self.panel.present(snapshot, self.focus)
        if not now:
            now = (f"On the screen: {self.panel.status(snapshot)}.", f"To try: {self._verbs()}.")
        rule: tuple[str, ...] = ()
        if before:
            line = told.line(before[-1])
            passed_us = cue.at_us - told.event(before[-1]).at_us
            when = "Just before" if passed_us < US_PER_S else f"Last before, at {stamp(told.event(before[-1]).at_us)}"
            rule = (f"{when}: {line.who} {line.text}.", *self.panel.explain(snapshot, told.event(before[-1])))
        return (self._words_of(cue), *now, *rule, WAY_ON)

    def _verbs(self) -> str:
        """A few verbs of the pattern that mean something now, the most telling first."""
        snapshot = self.now().snapshot
        keys = sorted(self.panel.keys, key=lambda key: key.rank)
        able = [key for key in keys if not isinstance(key.act(snapshot, self.focus), Refuse)]
        return "; ".join(f"{key.key}: {key.help.partition(';')[0].partition(':')[0]}" for key in able[:4])

    def at_cue(self) -> bool:
        """Whether a cue is explained."""
        event = self.selected() if self.focus.why and not self.focus.check else None
        return event is not None and isinstance(event.what, events.Cue)

    def toggle(self) -> None:
        """Run or pause. What was explained by itself, and not chosen in the journal, is let go when the run goes on."""
        if not self.player.playing and self.focus.why and self.focus.area != "journal":
            self.look(replace(self.focus, why=False, event=None))
        self.player.toggle()

    def cue(self) -> Cue | None:
        """The newest narration while the run waits at it, or for a while if it does not wait."""
        engine = self.timeline.engine
        linger_us = LINGER_WALL_US * self.player.speed.numerator // self.player.speed.denominator
        for back, event in enumerate(reversed(engine.told(8))):
            if not isinstance(event.what, events.Cue):
                continue
            number = engine.told_total - back
            if event.what.pause:
                if event.position == engine.position and not self.player.playing:
                    return Cue(self._words_of(event), number, True)
            elif engine.now_us - event.at_us < linger_us:
                return Cue(self._words_of(event), number, False)
            return None
        return None

    def _words_of(self, cue: Event) -> str:
        """A line of the story; marked where a person has made another run of it before, by a command or by rules."""
        text: str = cue.what.text
        branch = self.branch
        story = branch.scenario
        if story is None or not any(isinstance(each.command, Narrate) and each.command.text == text
                                    for each in story.script):  # fmt: skip
            return text
        theirs = any(
            not (entry.scripted or isinstance(entry.command, Narrate)) and entry.position < cue.position
            for entry in branch.log
        )
        return f"{AS_WRITTEN}{text}" if theirs or dict(branch.config) != dict(story.config) else text

    # -- the scrubber ----------------------------------------------------------------------------------------

    def tape(self) -> Tape:
        """The run as the scrubber shows it."""
        branch, now_us = self.branch, self.timeline.now_us
        marks = []
        for entry in branch.log[-MARKS_MAX:]:
            mark = self.panel.mark(entry.command)
            if mark is not None:
                marks.append(Mark(entry.at_us, *mark, weight(mark[1], entry.scripted)))
        forks = [each.fork_us for each in self.timeline.branches if each.parent == branch.number]
        if branch.parent is not None:
            forks.append(branch.fork_us)
        end_us = branch.scenario.end_us if branch.scenario else 0
        return Tape(now_us, max(now_us, branch.end_us), end_us, tuple(marks), tuple(forks))

    # -- inside ----------------------------------------------------------------------------------------------

    def _fit(self) -> None:
        """Let go of a line that the journal no longer holds, or that lies in a future that was left."""
        engine, event = self.timeline.engine, self.focus.event
        focus = self.focus
        if event is not None and not max(0, engine.told_total - TOLD) < event <= engine.told_total:
            focus = replace(focus, event=None)
        if not (focus.chosen or focus.pick is not None):
            focus = replace(focus, node="")
        assert self._moment is not None
        self.focus = self.panel.fit(self._moment[1].snapshot, focus)


def toggled(focus: Focus, beside: bool) -> Focus:
    """The inspector key: show or hide it where it lies over the picture, else go to it and back."""
    if not beside:
        shown = focus.inspector or focus.why or focus.area == "inspector"
        area = "picture" if focus.area == "inspector" else focus.area
        return replace(focus, inspector=not shown, why=False, area=area)
    return replace(focus, area="picture" if focus.area == "inspector" else "inspector", zoom=False)
