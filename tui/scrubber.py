"""The scrubber: the whole run on one row, with what was done to it and where it forks.

The row ends a little after the run does, at a round time, so that it grows now and then instead of sliding at every
frame: what has not changed need not be sent.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from engines.units import US_PER_S
from tui.canvas import Canvas, Ink
from tui.glyphs import Glyphs


class Mark(NamedTuple):
    """A letter at a moment."""

    at_us: int
    letter: str
    ink: Ink
    weight: int = 0
    """How much it tells: where marks fall on one another, the heaviest is seen."""


def weight(ink: Ink, scripted: bool) -> int:
    """What breaks something tells most, then what mends or strains it, then the rest; a person's before a story's."""
    return 2 * WEIGHTS.get(ink, 0) + (not scripted)


WEIGHTS: Final = {
    "bad": 3, "dead": 3, "cut": 3, "frozen": 3, "lost": 3, "warn": 2, "slow": 2, "good": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tape:
    """What the scrubber shows."""

    now_us: int
    end_us: int
    """Where the recorded part of this branch ends."""
    scenario_end_us: int = 0
    """Where the story ends; 0: there is none."""
    marks: tuple[Mark, ...] = ()
    forks: tuple[int, ...] = ()
    """When branches begin here, and when this one began."""

    @property
    def horizon_us(self) -> int:
        """The time at the right end."""
        if self.scenario_end_us >= self.end_us:
            return max(1, self.scenario_end_us)
        return horizon(max(self.end_us, self.now_us))


def horizon(at_us: int) -> int:
    """The next round time, with some air: 5, 10, 20, 30 s, 1, 2, 5, 10 ... min."""
    for seconds in (5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600):
        if at_us < seconds * US_PER_S * 9 // 10:
            return seconds * US_PER_S
    hours = at_us * 10 // (9 * 3_600 * US_PER_S) + 1
    return hours * 3_600 * US_PER_S


def scrubber(width: int, tape: Tape, glyphs: Glyphs) -> Canvas:
    """One row: played, recorded ahead, and the rest up to the horizon."""
    canvas = Canvas(width, 1)
    label = span_name(tape.horizon_us)
    room = bar_width(width, tape)
    if room <= 0:
        return canvas
    canvas.put_right(width - 1, 0, label, "dim")
    now, end = _column(tape.now_us, tape, room), _column(tape.end_us, tape, room)
    canvas.put(1, 0, glyphs.unplayed * room, "unplayed")
    canvas.put(1, 0, glyphs.played * min(room, end + 1), "dim")
    canvas.put(1, 0, glyphs.played * min(room, now + 1), "played")
    if tape.scenario_end_us and tape.scenario_end_us < tape.horizon_us:
        canvas.put(1 + _column(tape.scenario_end_us, tape, room), 0, glyphs.vertical, "bright")
    for at_us in tape.forks:
        canvas.put(1 + _column(at_us, tape, room), 0, glyphs.tee_left, "warn")
    for mark in tape.marks:
        canvas.put(1 + _column(mark.at_us, tape, room), 0, mark.letter, mark.ink)
    if tape.now_us < tape.end_us:
        canvas.put(1 + now, 0, glyphs.marker, "bright")
    return canvas


def time_at(x: int, width: int, tape: Tape) -> int:
    """The time a column stands for."""
    room = max(1, bar_width(width, tape))
    return min(max(0, x - 1), room - 1) * tape.horizon_us // max(1, room - 1)


def bar_width(width: int, tape: Tape) -> int:
    """Columns of the bar itself."""
    return width - 3 - len(span_name(tape.horizon_us))


def thin(marks: Iterable[Mark], tape: Tape, width: int) -> tuple[Mark, ...]:
    """At most one mark a column, the newest of the heaviest; so what is kept is bounded however long the run."""
    room = max(1, bar_width(width, tape))
    kept: dict[int, Mark] = {}
    for mark in marks:
        column = _column(mark.at_us, tape, room)
        if column not in kept or mark.weight >= kept[column].weight:
            kept[column] = mark
    return tuple(kept.values())


def span_name(span_us: int) -> str:
    """``30 s``, ``2.5 s``, ``10 min``, ``2 h``."""
    if span_us >= 7_200 * US_PER_S or span_us == 3_600 * US_PER_S:
        return f"{span_us // (3_600 * US_PER_S)} h"
    if span_us >= 60 * US_PER_S and span_us % (60 * US_PER_S) == 0:
        return f"{span_us // (60 * US_PER_S)} min"
    if span_us >= US_PER_S:
        return f"{span_us / US_PER_S:g} s"
    return f"{span_us / 1000:g} ms"


def _column(at_us: int, tape: Tape, room: int) -> int:
    return min(room - 1, max(0, at_us) * (room - 1) // tape.horizon_us)
