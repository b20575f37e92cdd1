"""The three-state machine of a breaker, with the state it is in lit.

Every transition is an arrow that fills up as its condition comes nearer, so one sees not only where the breaker is but
how far it is from the next state. Conditions stand at the arrows in the breaker's own numbers. Drawn in three sizes:
one row, a loop, and boxes; which one fits decides ``draw``.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from tui.canvas import Canvas, Ink, clip, wrap
from tui.glyphs import Glyphs
from tui.kit.words import chip
from tui.panels.resilience.queries import STATES

LOOP: Final = (31, 4)
"""Columns and rows of the loop."""
BOXES: Final = (54, 10)
"""Columns and rows of the machine in boxes."""


class Arrow(NamedTuple):
    """A transition: its condition in words, long and short, how near it is (ppm), and whether it may fire now."""

    long: str
    short: str
    near_ppm: int
    live: bool

    @property
    def ink(self) -> Ink:
        """Of its condition."""
        return "text" if self.live else "dim"


class Machine(NamedTuple):
    """All that is drawn: the lit state, and the transitions. Inks: of closed, open, half-open."""

    state: str
    """``closed``, ``open``, ``half_open``; any other lights none of the three."""
    trip: Arrow
    wait: Arrow
    close: Arrow
    reopen: Arrow
    note: str = ""
    """A state beside the three: disabled, forced open, metrics only."""
    under: tuple[str, str, str] = ("", "", "")
    """What stands under each state's name in its box."""


BOXED: Final = ("closed", "open", "half_open")
"""The states that have a box."""


def draw(canvas: Canvas, x: int, y: int, width: int, height: int, machine: Machine, glyphs: Glyphs) -> int:
    """The largest drawing that fits; returns the rows it took."""
    drawing = _Drawing(canvas, x, y, width, machine, glyphs)
    if width >= BOXES[0] and height >= BOXES[1]:
        drawing.boxes()
        return BOXES[1]
    if width >= LOOP[0] and height >= LOOP[1]:
        drawing.loop()
        return LOOP[1]
    if height >= 1:
        drawing.row()
    return min(1, height)


class _Drawing:
    """A machine on its canvas, from a cell on."""

    def __init__(self, canvas: Canvas, x: int, y: int, width: int, machine: Machine, glyphs: Glyphs) -> None:
        self.canvas, self.x, self.y, self.width, self.machine, self.glyphs = canvas, x, y, width, machine, glyphs
        half = " HALF-OPEN " if width >= 36 else " HALF "
        self.names = (" CLOSED ", " OPEN ", half) if width >= 28 else (" C ", " O ", " H ")

    def row(self) -> None:
        """All in one row: the states and what lies between them."""
        spare = self.width - sum(map(len, self.names)) - 2
        first = min(spare // 2, 16)
        self._states(first + 1, min(spare - first, first) + 1)

    def loop(self) -> None:
        """The states in a row, the ways back below them."""
        machine, names, x, y = self.machine, self.names, self.x, self.y
        spare = self.width - sum(map(len, names))
        second = min(max(7, len(machine.wait.short) + 2), max(5, spare - 8))
        first = spare - second
        self._states(first, second)
        closed, opened = x + 2, x + len(names[0]) + first + 2
        half = x + len(names[0]) + first + len(names[1]) + second
        start, end = half + max(2, len(names[2]) // 2 - 1), half + len(names[2]) - 2
        trip = _fit(machine.trip.short, opened - closed - 3)
        at = min(closed + 2 + max(0, (opened - closed - 3 - len(trip)) // 2), opened - 1 - len(trip))
        self.canvas.put(at, y + 1, trip, machine.trip.ink)
        self.canvas.put(opened + 2, y + 1, _fit(machine.wait.short, start - opened - 3), machine.wait.ink)
        for to, begin, depth, arrow, ink in ((opened, start, 2, machine.reopen, "open"),
                                             (closed, end, 3, machine.close, "closed")):  # fmt: skip
            self._path([(begin, y + 1), (begin, y + depth), (to, y + depth), (to, y + 1)], arrow, ink)
            said = f" {_fit(arrow.short, begin - to - 3)} "
            if len(said) > 2:
                at = to + 2 + max(0, (begin - to - 3 - len(said)) // 2)
                self.canvas.put(at, y + depth, said, arrow.ink)

    def boxes(self) -> None:
        """Three boxes as one would draw them on a board: closed left, open right, half-open below between them."""
        canvas, machine, x, y = self.canvas, self.machine, self.x, self.y
        side, tall = 14, 4
        right, half = x + self.width - side, x + self.width - side - 19
        trip, wait, reopen, close = machine.trip, machine.wait, machine.reopen, machine.close
        self._shaft(x + side, y + 1, right - x - side, trip, "open")
        for row, text in enumerate(wrap(trip.long, right - x - side - 3)[:2], y + 2):
            canvas.center(row, text, trip.ink, x + side, right)
        down, up, home = right + side - 5, half + side - 1, x + 5
        self._path([(down, y + tall), (down, y + 8), (half + side + 2, y + 8)], wait, "half-open")
        canvas.put_right(down - 1, y + 7, clip(wait.short, down - half - side - 3), wait.ink)
        self._path([(up, y + 6), (up, y + 5), (right + 3, y + 5), (right + 3, y + tall)], reopen, "open")
        canvas.put_right(up - 1, y + 5, reopen.short, reopen.ink)
        self._path([(half - 1, y + 8), (home, y + 8), (home, y + tall)], close, "closed")
        canvas.put(home + 2, y + 7, clip(close.long, half - home - 3), close.ink)
        for at, row, width, index in ((x, y, side, 0), (right, y, side, 1), (half, y + 6, side + 2, 2)):
            self._box(at, row, width, index)

    def _states(self, first: int, second: int) -> None:
        """The three in a row, with so many columns between them."""
        canvas, y, machine = self.canvas, self.y, self.machine
        inks = [chip(STATES[state].ink) if machine.state == state else "dim" for state in BOXED]
        column = canvas.put(self.x, y, self.names[0], inks[0])
        self._shaft(column + 1, y, first - 2, machine.trip, "open")
        column = canvas.put(column + first, y, self.names[1], inks[1])
        self._shaft(column + 1, y, second - 2, machine.wait, "half-open")
        canvas.put(column + second, y, self.names[2], inks[2])

    def _shaft(self, x: int, y: int, length: int, arrow: Arrow, ink: Ink) -> None:
        """An arrow to the right that is filled as far as its condition is met."""
        canvas, glyphs, rest = self.canvas, self.glyphs, length - 1
        if length < 1:
            return
        full = min(rest, max(arrow.near_ppm > 0, rest * arrow.near_ppm // 1_000_000)) if arrow.live else 0
        canvas.put(x, y, glyphs.played * full, ink)
        canvas.put(x + full, y, glyphs.unplayed * (rest - full), "line")
        canvas.put(x + rest, y, glyphs.arrow_right, ink if arrow.live else "line")

    def _path(self, cells: Sequence[tuple[int, int]], arrow: Arrow, ink: Ink) -> None:
        """An arrow along right angles, from corner to corner; it comes to its end from the right or from below."""
        canvas, glyphs = self.canvas, self.glyphs
        ink = ink if arrow.live else "line"
        for (x, y), (to_x, to_y) in pairwise(cells):
            if y == to_y:
                canvas.put(min(x, to_x), y, glyphs.horizontal * (abs(to_x - x) + 1), ink)
            for row in range(min(y, to_y), max(y, to_y) + 1) if x == to_x else ():
                canvas.put(x, row, glyphs.vertical, ink)
        for before, (x, y), after in zip(cells, cells[1:], cells[2:], strict=False):
            left, low = max(before[0], after[0]) > x, min(before[1], after[1]) < y
            corners = (glyphs.bottom_left, glyphs.bottom_right) if low else (glyphs.top_left, glyphs.top_right)
            canvas.put(x, y, corners[not left], ink)
        canvas.put(*cells[-1], glyphs.arrow_left if cells[-1][1] == cells[-2][1] else glyphs.arrow_up, ink)

    def _box(self, x: int, y: int, width: int, index: int) -> None:
        """A state: its name, lit if it is the present one, and a number under it."""
        canvas, machine = self.canvas, self.machine
        _, name, ink, _ = STATES[BOXED[index]]
        lit = machine.state == BOXED[index]
        canvas.box(x, y, width, 4, ink=ink if lit else "line", glyphs=self.glyphs)
        if lit:
            canvas.fill(x + 1, y + 1, width - 2, 1, " ", chip(ink))
        canvas.center(y + 1, name, chip(ink) if lit else "dim", x + 1, x + width - 1)
        canvas.center(y + 2, clip(machine.under[index], width - 2), "bright" if lit else "dim", x + 1, x + width - 1)


def _fit(text: str, room: int) -> str:
    """A condition in the room there is: without blanks around signs before it is cut."""
    return text if len(text) <= room else clip(text.replace("= ", "=").replace("< ", "<").replace(" %", "%"), room)
