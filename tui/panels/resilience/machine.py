"""The three-state machine of a breaker, with the state it is in lit.

Every transition is an arrow that fills up as its condition comes nearer, so one sees not only where the breaker is but
how far it is from the next state. Conditions stand at the arrows in the breaker's own numbers. Drawn in three sizes:
one row, a loop, and boxes; which one fits decides ``draw``.
"""

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
    if width >= BOXES[0] and height >= BOXES[1]:
        _boxes(canvas, x, y, width, machine, glyphs)
        return BOXES[1]
    if width >= LOOP[0] and height >= LOOP[1]:
        _loop(canvas, x, y, width, machine, glyphs)
        return LOOP[1]
    if height >= 1:
        _row(canvas, x, y, width, machine, glyphs)
        return 1
    return 0


def look(machine: Machine, index: int) -> Ink:
    """A lit state is a chip, the others are dim."""
    state = BOXED[index]
    return chip(STATES[state].ink) if machine.state == state else "dim"


def _shaft(canvas: Canvas, x: int, y: int, length: int, arrow: Arrow, ink: Ink, glyphs: Glyphs) -> None:
    """An arrow to the right that is filled as far as its condition is met."""
    if length < 1:
        return
    full = min(length - 1, max(arrow.near_ppm > 0, (length - 1) * arrow.near_ppm // 1_000_000)) if arrow.live else 0
    canvas.put(x, y, glyphs.played * full, ink)
    canvas.put(x + full, y, glyphs.unplayed * (length - 1 - full), "line")
    canvas.put(x + length - 1, y, glyphs.arrow_right, ink if arrow.live else "line")


def _names(machine: Machine, room: int) -> tuple[str, str, str]:
    """The names of the states as chips, as long as the room lets them be."""
    half = " HALF-OPEN " if room >= 36 else " HALF "
    return (" CLOSED ", " OPEN ", half) if room >= 28 else (" C ", " O ", " H ")


def _row(canvas: Canvas, x: int, y: int, width: int, machine: Machine, glyphs: Glyphs) -> None:
    """All in one row: the states and what lies between them."""
    names = _names(machine, width)
    spare = width - sum(map(len, names)) - 2
    first = min(spare // 2, 16)
    _row_of(canvas, x, y, machine, names, first + 1, min(spare - first, first) + 1, glyphs)


def _loop(canvas: Canvas, x: int, y: int, width: int, machine: Machine, glyphs: Glyphs) -> None:
    """The states in a row, the ways back below them."""
    names = _names(machine, width)
    spare = width - sum(map(len, names))
    second = min(max(7, len(machine.wait.short) + 2), max(5, spare - 8))
    first = spare - second
    _row_of(canvas, x, y, machine, names, first, second, glyphs)
    closed, opened = x + 2, x + len(names[0]) + first + 2
    half = x + len(names[0]) + first + len(names[1]) + second
    start, end = half + max(2, len(names[2]) // 2 - 1), half + len(names[2]) - 2
    trip = _fit(machine.trip.short, opened - closed - 3)
    at = min(closed + 2 + max(0, (opened - closed - 3 - len(trip)) // 2), opened - 1 - len(trip))
    canvas.put(at, y + 1, trip, "text" if machine.trip.live else "dim")
    canvas.put(opened + 2, y + 1, _fit(machine.wait.short, start - opened - 3), "text" if machine.wait.live else "dim")
    _back(canvas, opened, start, y, 2, machine.reopen, "open", glyphs)
    _back(canvas, closed, end, y, 3, machine.close, "closed", glyphs)


def _fit(text: str, room: int) -> str:
    """A condition in the room there is: without blanks around signs before it is cut."""
    return text if len(text) <= room else clip(text.replace("= ", "=").replace("< ", "<").replace(" %", "%"), room)


def _row_of(
    canvas: Canvas, x: int, y: int, machine: Machine, names: tuple[str, str, str], first: int, second: int,
    glyphs: Glyphs,
) -> None:  # fmt: skip
    column = canvas.put(x, y, names[0], look(machine, 0))
    _shaft(canvas, column + 1, y, first - 2, machine.trip, "open", glyphs)
    column = canvas.put(column + first, y, names[1], look(machine, 1))
    _shaft(canvas, column + 1, y, second - 2, machine.wait, "half-open", glyphs)
    canvas.put(column + second, y, names[2], look(machine, 2))


def _back(
    canvas: Canvas, to: int, start: int, y: int, depth: int, arrow: Arrow, ink: Ink, glyphs: Glyphs
) -> None:  # fmt: skip
    """A way back below the states: down from one, to the left, and up to the other."""
    line = ink if arrow.live else "line"
    canvas.put(to, y + 1, glyphs.arrow_up, line)
    for row in range(y + 1, y + depth):
        if row > y + 1:
            canvas.put(to, row, glyphs.vertical, line)
        canvas.put(start, row, glyphs.vertical, line)
    canvas.put(to, y + depth, glyphs.bottom_left + glyphs.horizontal * (start - to - 1) + glyphs.bottom_right, line)
    said = f" {_fit(arrow.short, start - to - 3)} "
    if len(said) > 2:
        canvas.put(to + 2 + max(0, (start - to - 3 - len(said)) // 2), y + depth, said,
                   "text" if arrow.live else "dim")  # fmt: skip


def _boxes(canvas: Canvas, x: int, y: int, width: int, machine: Machine, glyphs: Glyphs) -> None:
    """Three boxes as one would draw them on a board: closed left, open right, half-open below between them."""
    side, tall = 14, 4
    right = x + width - side
    _box(canvas, x, y, side, machine, 0, glyphs)
    _box(canvas, right, y, side, machine, 1, glyphs)
    half_x = x + width - side - 19
    _box(canvas, half_x, y + 6, side + 2, machine, 2, glyphs)
    length = right - x - side
    _shaft(canvas, x + side, y + 1, length, machine.trip, "open", glyphs)
    for row, text in enumerate(wrap(machine.trip.long, length - 3)[:2], y + 2):
        canvas.center(row, text, "text" if machine.trip.live else "dim", x + side, right)
    _down(canvas, right + side - 5, y + tall, half_x + side + 2, y + 8, machine.wait, glyphs)
    _up(canvas, half_x + side - 1, right + 3, y + tall, y + 6, machine.reopen, glyphs)
    _home(canvas, x + 5, y + tall, half_x, y + 8, machine.close, glyphs)


def _box(canvas: Canvas, x: int, y: int, width: int, machine: Machine, index: int, glyphs: Glyphs) -> None:
    """A state: its name, lit if it is the present one, and a number under it."""
    _, name, ink, _ = STATES[BOXED[index]]
    lit = machine.state == BOXED[index]
    canvas.box(x, y, width, 4, ink=ink if lit else "line", glyphs=glyphs)
    if lit:
        canvas.fill(x + 1, y + 1, width - 2, 1, " ", chip(ink))
    canvas.center(y + 1, name, chip(ink) if lit else "dim", x + 1, x + width - 1)
    canvas.center(y + 2, clip(machine.under[index], width - 2), "bright" if lit else "dim", x + 1, x + width - 1)


def _down(canvas: Canvas, x: int, y: int, to_x: int, to_y: int, arrow: Arrow, glyphs: Glyphs) -> None:
    """From open down and to the left, into half-open."""
    ink = "half-open" if arrow.live else "line"
    for row in range(y, to_y):
        canvas.put(x, row, glyphs.vertical, ink)
    canvas.put(to_x, to_y, glyphs.arrow_left + glyphs.horizontal * (x - to_x - 1) + glyphs.bottom_right, ink)
    canvas.put_right(x - 1, to_y - 1, clip(arrow.short, x - to_x - 1), "text" if arrow.live else "dim")


def _up(canvas: Canvas, x: int, to_x: int, to_y: int, y: int, arrow: Arrow, glyphs: Glyphs) -> None:
    """From half-open up and to the right, back into open."""
    ink = "open" if arrow.live else "line"
    canvas.put(to_x, to_y, glyphs.arrow_up, ink)
    canvas.put(x, y - 1, glyphs.top_left + glyphs.horizontal * (to_x - x - 1) + glyphs.bottom_right, ink)
    canvas.put_right(x - 1, y - 1, arrow.short, "text" if arrow.live else "dim")


def _home(canvas: Canvas, x: int, y: int, from_x: int, from_y: int, arrow: Arrow, glyphs: Glyphs) -> None:
    """From half-open to the left and up, into closed."""
    ink = "closed" if arrow.live else "line"
    canvas.put(x, y, glyphs.arrow_up, ink)
    for row in range(y + 1, from_y):
        canvas.put(x, row, glyphs.vertical, ink)
    canvas.put(x, from_y, glyphs.bottom_left + glyphs.horizontal * (from_x - x - 1), ink)
    canvas.put(x + 2, from_y - 1, clip(arrow.long, from_x - x - 3), "text" if arrow.live else "dim")
