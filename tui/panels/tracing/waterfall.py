"""The waterfall: the tree of spans at the left, their bars on the root's time axis, the critical path lit.

Every moment of the root's time is lit in exactly one row, the one that held it up: a full bar. Where the path only runs
through a span, further down the tree, its bar is a strong line; beside the path it is a thin one. Time in which nobody
computes (waiting for a connection, a worker, a lock) has a colour and a shape of its own, and says what it waited for.
"""

from collections.abc import Sequence
from typing import Final

from engines import units
from engines.tracing import waiting
from engines.tracing.analysis import Analysis
from engines.tracing.rows import Rows
from engines.tracing.spans import NS_PER_US, Kind
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.parts import Piece, fitting, put_lines, window
from tui.kit.words import chip, plural
from tui.panels.tracing.details import brief, saturation, wait_of

TIME: Final = 7
"""Columns of the duration at the right."""
AXIS: Final = 7
"""Rows from which the time axis has one."""
NAME_MIN, NAME_MAX = 18, 54
BARS_MIN: Final = 8
WAY: Final = 3
"""A call that spends a third of its time on the way there and back says so."""
EVENTS: Final = 20
"""Events of a span that are drawn on its bar ..."""
EVENTS_ON: Final = 4
"""... if it has so many columns: on a shorter one they would hide it."""
STUB: Final = 5
"""A name cut to fewer columns than this says nothing."""


def draw(canvas: Canvas, made: Analysis, rows: Rows, selected: int, glyphs: Glyphs, awaited: bool = False) -> None:
    """Draw the rows around the selected one. ``awaited``: spans of this trace may still come."""
    if canvas.height < 1 or canvas.width < 8:
        return
    if rows.items:
        _Waterfall(canvas, made, rows, glyphs, awaited).draw(selected)
        return
    lines: tuple[str, ...] = ("No span is shown: % and o hide what is small or off the path, / filters.",)
    if not made.tree.spans:
        lines = ("No trace yet.", "The first appears when its spans have arrived: spans travel after the fact.")
    put_lines(canvas, 1, 0, [[(line, "dim")] for line in lines], canvas.width)


class _Waterfall:
    """A waterfall on its canvas: where its columns are, and how time becomes columns."""

    def __init__(self, canvas: Canvas, made: Analysis, rows: Rows, glyphs: Glyphs, awaited: bool) -> None:
        self.canvas, self.made, self.tree, self.rows = canvas, made, made.tree, rows
        self.glyphs, self.awaited, width = glyphs, awaited, canvas.width
        self.name = min(NAME_MAX, max(NAME_MIN, width * (49 if width < 60 else 41) // 100))
        self.bars = width - self.name - TIME - 1
        if self.bars < BARS_MIN:
            self.bars = 0
            self.name = max(1, width - TIME)
        self.start_us, self.span_us = made.start_us, max(1, made.duration_us)

    def draw(self, selected: int) -> None:
        """The axis where there is room, and a row for each span."""
        head = self.canvas.height >= AXIS and self.bars > 0
        shown = window(len(self.rows.items), selected, self.canvas.height - head)
        if head:
            self._axis(len(shown))
        base, step = self._indent(shown)
        for y, row in enumerate(shown, head):
            self._row(y, row, row == selected, base, step)

    def _cells(self, start_us: int, end_us: int) -> tuple[int, int]:
        """First column of an interval and the one after its last: rounded, so that neighbours touch and do not overlap;
        at least one within the bars."""
        half = self.span_us // 2
        first = ((start_us - self.start_us) * self.bars + half) // self.span_us
        last = ((end_us - self.start_us) * self.bars + half) // self.span_us
        first = max(0, min(self.bars - 1, first))
        return first, max(first + 1, min(self.bars, last))

    def _axis(self, shown: int) -> None:
        """Times above the bars: the start, the middle, the end."""
        canvas, rows, spans = self.canvas, len(self.rows.items), self.tree.real
        of = f" of {spans:,} spans" if rows < spans else ""
        text = plural(rows, "row") if shown >= rows else f"{shown} of {plural(rows, 'row')}"
        canvas.put(1, 0, text + of if len(text + of) < self.name else clip(text, self.name - 1), "dim")
        canvas.put(self.name, 0, "0", "dim")
        parts = 4 if self.bars >= 48 else 2
        for part in range(1, parts):
            text = units.fixed(self.span_us * part // parts)
            canvas.put(self.name + self.bars * part // parts - len(text) // 2, 0, text, "dim")
        canvas.put_right(self.name + self.bars, 0, self.glyphs.vertical, "line")
        canvas.put_right(canvas.width - 1, 0, brief(self.span_us), "dim")

    def _indent(self, shown: range) -> tuple[int, int]:
        """The depth at the left edge and the columns a level, so that names keep most of the room."""
        depths = [self.rows.items[row].depth for row in shown]
        low, high = min(depths), max(depths)
        room = max(4, self.name // 2 - 2)
        if 2 * high <= room:
            return 0, 2
        base = max(0, low - 1)
        if 2 * (high - base) <= room:
            return base, 2
        if high <= room:
            return 0, 1
        return max(base, high - room), 1

    def _row(self, y: int, row: int, selected: bool, base: int, step: int) -> None:
        ink, right = self._ink(row), self.canvas.width - 1
        self.canvas.put(0, y, self.glyphs.mark_left if selected else " ", "bright")
        self._name(y, 1 + self._rails(y, row, base, step), row, selected, ink)
        if self.bars:
            self._bar(y, row, ink)
        start_us, end_us = self.rows.interval(self.tree, row)
        loud = row in self.rows.own or selected
        self.canvas.put_right(right, y, brief(end_us - start_us), ink if loud and ink != "text" else "dim")
        if self.tree.spans[self.rows.items[row].row].is_error:
            self.canvas.put(right, y, "!", "error")

    def _ink(self, row: int) -> Ink:
        """What a row is, as an ink: an error, waiting, on the path, missing, or none of these."""
        index = self.rows.items[row].row
        span = self.tree.spans[index]
        if self.tree.is_missing(index):
            return "lost"
        if span.is_error:
            return "error"
        wait = wait_of(span)
        return wait.ink if wait is not None else "leader" if row in self.rows.on else "text"

    # -- the name ----------------------------------------------------------------------------------------------------

    def _name(self, y: int, x: int, row: int, selected: bool, ink: Ink) -> None:
        canvas, item, end = self.canvas, self.rows.items[row], self.name - 1
        pieces = self._label(row, ink)
        if sum(len(text) for text, _ in pieces) > end - x and " /" in pieces[-1][0]:
            name, name_ink = pieces[-1]
            pieces[-1] = (name[name.index(" /") + 1 :], name_ink)  # the route tells more than the HTTP method
        pieces += [(f" x {item.times}", "bright")] if item.times > 1 else []
        pieces += [(f" +{item.hidden}", "dim")] if item.hidden else []
        if selected:
            canvas.put(x, y, clip("".join(text for text, _ in pieces), end - x), "selected")
            return
        for text, each in pieces:
            if end - x < min(len(text), STUB):
                break
            x = canvas.put(x, y, clip(text, end - x), each)

    def _label(self, row: int, ink: Ink) -> list[Piece]:
        """Service and operation; the service once, where it calls itself."""
        tree, index = self.tree, self.rows.items[row].row
        span = tree.spans[index]
        if tree.is_missing(index):
            if self.awaited:
                return [(". ", "dim"), (f"span {span.span_id[:6]}, not here yet", "dim")]
            return [("? ", "lost"), (f"missing span {span.span_id[:6]}", "lost")]
        name = span.name or "?"
        if span.kind == Kind.CLIENT and not tree.children[index] and waiting.callee(span):
            name += f" > {waiting.callee(span)}"  # who was called says nothing of it
        above = self.rows.up[row]
        parent = self.rows.items[above].row if above >= 0 else -1
        if parent >= 0 and tree.spans[parent].service == span.service and not tree.is_missing(parent):
            return [(name, ink if ink not in ("text", "leader") else "text")]
        return [(f"{span.service or '?'} ", ink if ink != "text" else "bright"), (name, "dim")]

    def _rails(self, y: int, row: int, base: int, step: int) -> int:
        """The lines of the tree; returns their columns. What is left of the base is only counted."""
        rows, glyphs = self.rows, self.glyphs
        levels = rows.items[row].depth - base
        if levels <= 0:
            return 0
        piece, at = glyphs.branch if rows.more[row] else glyphs.last, row
        for level in range(levels - 1, -1, -1):
            self.canvas.put(1 + level * step, y, piece[:step], "line")
            at = rows.up[at]
            if at < 0:
                break
            piece = glyphs.rail if rows.more[at] else glyphs.gap
        return levels * step

    # -- the bar -----------------------------------------------------------------------------------------------------

    def _bar(self, y: int, row: int, ink: Ink) -> None:
        canvas, rows, glyphs, x0 = self.canvas, self.rows, self.glyphs, self.name
        span = self.tree.spans[rows.items[row].row]
        wait, end_of_root = wait_of(span), self.start_us + self.span_us
        start_us, end_us = rows.interval(self.tree, row)
        first, last = self._cells(start_us, end_us)
        beside = ink if ink in ("lost", "error") else wait.ink if wait else "follower"
        canvas.put(x0 + first, y, glyphs.aside * (last - first), beside)
        if row in rows.on:
            left, right = self._cells(*rows.on[row])
            canvas.put(x0 + left, y, glyphs.through * (right - left), "leader")
            char = getattr(glyphs, wait.glyph) if wait else glyphs.span
            own: Ink = wait.ink if wait else "error" if span.is_error else "leader"
            for left, right in self._lit(rows.own.get(row, [])):
                canvas.put(x0 + left, y, char * (right - left), own)
            if wait is not None:
                seen = saturation(span)
                self._say(y, rows.own.get(row, []), (", ".join(seen), *seen[-1:]), own)
        for event in span.events[:EVENTS] if last - first >= EVENTS_ON else ():
            at_us = event.time_ns // NS_PER_US
            if self.start_us <= at_us <= end_of_root:
                canvas.put(x0 + self._cells(at_us, at_us)[0], y, glyphs.marker, "warn")
        way_us = rows.way_us(self.tree, row)
        if way_us * WAY >= end_us - start_us > 0:
            ways = (f"{brief(way_us)} on the way there and back", f"{brief(way_us)} on the way", brief(way_us))
            self._say(y, [(start_us, end_us)], ways, "leader" if row in rows.on else beside)
        if start_us < self.start_us:
            canvas.put(x0, y, glyphs.arrow_left, "warn")
        if end_us > end_of_root:
            canvas.put(x0 + self.bars - 1, y, glyphs.arrow_right, "dim" if row not in rows.on else "warn")

    def _lit(self, parts: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """The columns of the parts of the path: those that fill half a column or more, and the longest in any case."""
        longest = max(parts, key=lambda part: part[1] - part[0], default=None)
        half_us = self.span_us // max(1, 2 * self.bars)
        return [self._cells(*part) for part in parts if part is longest or part[1] - part[0] >= half_us]

    def _say(self, y: int, parts: Sequence[tuple[int, int]], ways: Sequence[str], ink: Ink) -> None:
        """What it waited for, in the bar itself, in the longest words there is room for."""
        left, right = self._cells(*max(parts, key=lambda part: part[1] - part[0])) if parts else (0, 0)
        if words := fitting(filter(None, ways), right - left - 4):
            self.canvas.put(self.name + left + (right - left - len(words) - 2) // 2, y, f" {words} ", chip(ink))


def legend(made: Analysis, glyphs: Glyphs) -> list[Piece]:
    """How to read the bars, and that the parts add up."""
    total, whole = made.path.total_us, made.duration_us
    return [
        ("critical path ", "dim"), (glyphs.span, "leader"), (" here ", "text"), (glyphs.through, "leader"),
        (" below ", "text"), (glyphs.block, "bad"), (" pool ", "text"), (glyphs.queued, "warn"), (" queue", "text"),
        (f"   parts {units.fixed(total)} = root {units.fixed(whole)}", "good" if total == whole else "bad"),
    ]  # fmt: skip
