"""Every character beyond plain ASCII that a picture may use, in three sets: braille, block and ASCII.

Why a table: fonts differ. A console without braille takes `block`, a serial line or a non-UTF-8 locale takes `ascii`,
and no drawing code has to know. Each glyph is one column wide in every terminal: no emoji, no character that has an
emoji form, nothing of East Asian width W or F.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engines.errors import UserError


@dataclass(frozen=True, slots=True)
class Glyphs:
    """One set of drawing characters. Every field but `name` and the tree pieces is a single column."""

    name: str
    top_left: str
    top_right: str
    bottom_left: str
    bottom_right: str
    horizontal: str
    vertical: str
    tee_left: str  # a junction on the left frame: the line goes on to the right
    tee_right: str
    bar_full: str  # timers and counters that fill up
    bar_empty: str
    block: str  # a solid bar of a chart
    span: str  # a bar a little lower than its row, so that neighbours stay apart
    thin: str  # the same where it matters less
    through: str  # a bar that only holds others that matter
    aside: str  # a bar that does not matter now
    queued: str  # waiting, of another kind than a solid bar's
    commit: str  # stands between the committed and the uncommitted part of a log
    played: str
    unplayed: str
    mark_left: str  # around the selected thing
    mark_right: str
    arrow_left: str
    arrow_right: str
    arrow_up: str
    arrow_down: str
    marker: str  # points up at a moment on a time axis
    branch: str  # tree: a child with younger siblings, the last child, the rail past a subtree
    last: str
    rail: str
    gap: str
    levels: str  # sparkline, from nothing to full
    strokes: str  # a chart's line inside one cell, from its bottom to its top; braille draws dots instead
    dot: str  # one step of a line; empty where lines are braille dots

    @property
    def braille(self) -> bool:
        """Whether lines are made of 2 x 4 dots per cell."""
        return not self.dot


BRAILLE: Final = Glyphs(
    name="braille",
    top_left="╭",
    top_right="╮",
    bottom_left="╰",
    bottom_right="╯",
    horizontal="─",
    vertical="│",
    tee_left="├",
    tee_right="┤",
    bar_full="▰",
    bar_empty="▱",
    block="█",
    span="▆",
    thin="─",
    through="━",
    aside="─",
    queued="▓",
    commit="│",
    played="━",
    unplayed="─",
    mark_left="▌",
    mark_right="▐",
    arrow_left="←",
    arrow_right="→",
    arrow_up="↑",
    arrow_down="↓",
    marker="▲",
    branch="├─",
    last="└─",
    rail="│ ",
    gap="  ",
    levels=" ▁▂▃▄▅▆▇█",
    strokes="",
    dot="",
)

BLOCK: Final = Glyphs(
    name="block",
    top_left="┌",
    top_right="┐",
    bottom_left="└",
    bottom_right="┘",
    horizontal="─",
    vertical="│",
    tee_left="├",
    tee_right="┤",
    bar_full="▄",
    bar_empty="▁",
    block="█",
    span="▆",
    thin="─",
    through="━",
    aside="─",
    queued="▓",
    commit="│",
    played="═",
    unplayed="─",
    mark_left="▌",
    mark_right="▐",
    arrow_left="←",
    arrow_right="→",
    arrow_up="↑",
    arrow_down="↓",
    marker="▲",
    branch="├─",
    last="└─",
    rail="│ ",
    gap="  ",
    levels=" ▁▂▃▄▅▆▇█",
    strokes="▁─▔",
    dot="·",
)

ASCII: Final = Glyphs(
    name="ascii",
    top_left="+",
    top_right="+",
    bottom_left="+",
    bottom_right="+",
    horizontal="-",
    vertical="|",
    tee_left="+",
    tee_right="+",
    bar_full="#",
    bar_empty="-",
    block="#",
    span="=",
    thin="-",
    through="-",
    aside=".",
    queued="%",
    commit="|",
    played="=",
    unplayed="-",
    mark_left=">",
    mark_right="<",
    arrow_left="<",
    arrow_right=">",
    arrow_up="^",
    arrow_down="v",
    marker="^",
    branch="|-",
    last="`-",
    rail="| ",
    gap="  ",
    levels=" .:-=+*#",
    strokes="_-'",
    dot=".",
)

GLYPH_SETS: Final[tuple[Glyphs, ...]] = (BRAILLE, BLOCK, ASCII)


def glyphs_for(name: str) -> Glyphs:
    """The set called `name`; an unknown name is the user's mistake and says what would be accepted."""
    for glyphs in GLYPH_SETS:
        if glyphs.name == name:
            return glyphs
    accepted = ", ".join(glyphs.name for glyphs in GLYPH_SETS)
    raise UserError(f"--glyphs: unknown glyph set {name!r}; accepted: {accepted}")
