"""The journal: what happened, and why, newest at the bottom.

Lines are narrated only when they are shown, and a line that is too long goes on in a second row where there is
room: the reason stands at its end, and it is what people come for.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engines import units
from engines.sim.events import Event
from engines.sim.pattern import Check
from tui.canvas import Canvas, Ink, clip, wrap
from tui.glyphs import Glyphs
from tui.panel import Line

WRAP_ROWS = 2
WHO_MIN, WHO_MAX = 6, 12
MINUTE_US = 60_000_000


def _unfolded(event: Event) -> str:
    return ""


class Fold(NamedTuple):
    """Events that share a line, by their numbers: from ``first`` to ``last``, most often one. It goes by its last."""

    first: int
    last: int
    check: Check | None = None
    """The line tells that this check failed at that event."""


@dataclass(frozen=True, slots=True)
class Told:
    """The events there are to tell: the first of them has number ``first``."""

    events: Sequence[Event]
    first: int
    narrate: Callable[[Event], Line]
    routine: Callable[[Event], str] = _unfolded
    """Events that follow each other with the same routine, unless it is empty, share a line."""
    fold: Callable[[Sequence[Event]], Line] | None = None
    failed: Sequence[Check] = ()
    """Checks that failed: each has a line where it happened."""

    def line(self, fold: Fold) -> Line:
        """The words for one event, or for those that share a line."""
        if fold.check is not None:
            return Line("check", f"FAILED: {fold.check.name}: {fold.check.detail}", "bad")
        if fold.first == fold.last or self.fold is None:
            return self.narrate(self.event(fold))
        return self.fold(self.events[fold.first - self.first : fold.last - self.first + 1])

    def event(self, fold: Fold) -> Event:
        """The event a line goes by."""
        return self.events[fold.last - self.first]

    def folds(self, find: str = "", skip: int | None = None, checks: bool = False) -> list[Fold]:
        """The lines, oldest first. With ``find`` those that contain it, and then every event has its own.

        ``checks``: also those that tell of checks, which cannot be selected.
        """
        folds: list[Fold] = []
        before = ""
        failed = sorted((check for check in self.failed if check.position), key=lambda check: -check.position)
        for number, event in enumerate(self.events, self.first):
            while checks and not find and failed and failed[-1].position < event.position and number > self.first:
                folds.append(Fold(number - 1, number - 1, failed.pop()))
                before = ""
            if number == skip:
                before = ""
                continue
            routine = "" if find else self.routine(event)
            if routine and routine == before:
                folds[-1] = Fold(folds[-1].first, number)
            elif not find or self._contains(event, find.lower()):
                folds.append(Fold(number, number))
            before = routine
        if checks and not find and self.events:
            last = self.first + len(self.events) - 1
            folds += [Fold(last, last, check) for check in reversed(failed)]
        return folds

    def _contains(self, event: Event, words: str) -> bool:
        line = self.narrate(event)
        return words in f"{line.who} {line.text}".lower()


def place_of(folds: Sequence[Fold], number: int | None) -> int | None:
    """Where among the lines an event stands; None: nowhere."""
    if number is None:
        return None
    return next((place for place, fold in enumerate(folds) if fold.first <= number <= fold.last), None)


class Page(NamedTuple):
    """The rows drawn, and which event each belongs to."""

    canvas: Canvas
    rows: tuple[int | None, ...]
    found: int


class _Row(NamedTuple):
    number: int
    time: str
    who: str
    ink: Ink
    text: str
    check: bool = False
    """Whether it tells of a check."""


def journal(
    width: int,
    height: int,
    told: Told,
    glyphs: Glyphs,
    *,
    selected: int | None = None,
    find: str = "",
    skip: int | None = None,
    notice: str = "",
    focused: bool = False,
    whole: bool = False,
) -> Page:
    """The newest lines, or those around the selected one. ``skip``: an event that is told elsewhere just now.

    ``whole``: lines are told to their end, however many rows they take.
    """
    canvas = Canvas(width, height)
    rows: list[int | None] = [None] * height
    warning = wrap(f"! {notice}", max(1, width - 2)) if notice else []
    if len(warning) > height:
        warning = [*warning[: height - 1], clip(" ".join(warning[height - 1 :]), width - 2)] if height else []
    for y, text in enumerate(warning, height - len(warning)):
        canvas.put(1, y, text, "warn")
    folds = told.folds(find, skip, checks=True)
    room = height - len(warning)
    if not folds:
        if room:
            canvas.put(1, room - 1, f'nothing here has "{clip(find, 30)}"' if find else "nothing to tell yet", "dim")
        return Page(canvas, tuple(rows), 0)
    place = place_of(folds, selected)
    chosen = folds[place].last if place is not None else None
    lead = len(stamp(told.events[-1].at_us, told.events[-1].at_us >= MINUTE_US))
    who, needed = 0, WHO_MIN
    shown: list[_Row] = []
    while needed > who:
        who = needed
        shown = _window(_Rows(width, room, told, folds, room if whole else WRAP_ROWS, lead, who), place)
        needed = min(WHO_MAX, max([WHO_MIN, *(len(row.who) for row in shown)]))
    for y, row in enumerate(shown, room - len(shown)):
        rows[y] = row.number
        canvas.put_right(1 + lead, y, row.time, "dim")
        canvas.put(2 + lead, y, clip(row.who, who), row.ink)
        canvas.put(3 + lead + who, y, row.text, "bad" if row.check else "text")
        if row.number == chosen and not row.check:
            canvas.recolor(0, y, width, "selected")
            canvas.put(0, y, glyphs.mark_left, "selected")
    if focused and selected is None and room:
        canvas.put(0, room - 1, glyphs.mark_left, "accent")
    return Page(canvas, tuple(rows), len(folds))


class _Rows(NamedTuple):
    """What the rows are made of."""

    width: int
    room: int
    told: Told
    folds: Sequence[Fold]
    most: int
    """Rows one line may take."""
    lead: int
    who: int
    """Columns for the time and for the names."""


def _window(given: _Rows, place: int | None) -> list[_Row]:
    """The rows that show the selected line, as near to the newest as it lets them be."""
    last = len(given.folds) - 1
    if place is None:
        return _upward(given, last)
    near = place + given.room // 3
    for anchor in (last, max(near, given.room - 1), near):
        shown = _upward(given, min(last, anchor))
        if any(row.number == given.folds[place].last for row in shown):
            return shown
    return _upward(given, place)


def _upward(given: _Rows, anchor: int) -> list[_Row]:
    """Rows from the line at ``anchor`` upwards until the room is used."""
    blocks: list[list[_Row]] = []
    left = given.room
    minutes = given.told.events[-1].at_us >= MINUTE_US
    for index in range(anchor, -1, -1):
        if left <= 0:
            break
        block = _block(given, min(left, given.most), given.folds[index], minutes)
        left -= len(block)
        blocks.append(block)
    return [row for block in reversed(blocks) for row in block]


def _block(given: _Rows, rows: int, fold: Fold, minutes: bool) -> list[_Row]:
    """One line in at most so many rows."""
    line = given.told.line(fold)
    broke_us = fold.check.at_us if fold.check is not None else None
    time = stamp(given.told.event(fold).at_us if broke_us is None else broke_us, minutes)
    room = max(1, given.width - 4 - given.lead - given.who)
    texts = wrap(line.text, room) or [""]
    if len(texts) > rows:
        texts = [*texts[: rows - 1], clip(" ".join(texts[rows - 1 :]), room)]
    check = fold.check is not None
    first = _Row(fold.last, time, line.who, line.ink, texts[0], check)
    return [first, *(_Row(fold.last, "", "", line.ink, text, check) for text in texts[1:])]


def stamp(at_us: int, minutes: bool) -> str:
    """``12.431``, or with minutes ``1:02.431``; after an hour as everywhere."""
    if at_us >= units.US_PER_HOUR:
        return units.stamp(at_us)
    ms = at_us // 1000
    if not minutes:
        return f"{ms // 1000:2d}.{ms % 1000:03d}"
    return f"{ms // 60_000}:{ms // 1000 % 60:02d}.{ms % 1000:03d}"
