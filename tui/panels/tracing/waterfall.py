"""The waterfall: the tree of spans at the left, their bars on the root's time axis, the critical path lit.

Every moment of the root's time is lit in exactly one row, the one that held it up: a full bar. Where the path only runs
through a span, further down the tree, its bar is a strong line; beside the path it is a thin one. Time in which nobody
computes (waiting for a connection, a worker, a lock) has a colour and a shape of its own, and says what it waited for.
"""

from typing import Final

from engines import units
from engines.tracing import waiting
from engines.tracing.analysis import Analysis
from engines.tracing.rows import Rows
from engines.tracing.spans import NS_PER_US, Kind
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.parts import window
from tui.kit.words import plural
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


class Plan:
    """Where the columns of a waterfall are, and how time becomes columns."""

    def __init__(self, made: Analysis, width: int) -> None:
        self.width = width
        self.name = min(NAME_MAX, max(NAME_MIN, width * (49 if width < 60 else 41) // 100))
        self.bars = width - self.name - TIME - 1
        if self.bars < BARS_MIN:
            self.bars = 0
            self.name = max(1, width - TIME)
        self.start_us = made.start_us
        self.span_us = max(1, made.duration_us)

    def cells(self, start_us: int, end_us: int) -> tuple[int, int]:
        """First column of an interval and the one after its last: rounded, so that neighbours touch and do not overlap;
        at least one within the bars."""
        half = self.span_us // 2
        first = ((start_us - self.start_us) * self.bars + half) // self.span_us
        last = ((end_us - self.start_us) * self.bars + half) // self.span_us
        first = max(0, min(self.bars - 1, first))
        return first, max(first + 1, min(self.bars, last))


def draw(canvas: Canvas, made: Analysis, rows: Rows, selected: int, glyphs: Glyphs, awaited: bool = False) -> None:
    """Draw the rows around the selected one. ``awaited``: spans of this trace may still come."""
    if canvas.height < 1 or canvas.width < 8:
        return
    if not rows.items:
        _nothing(canvas, made)
        return
    plan = Plan(made, canvas.width)
    head = canvas.height >= AXIS and plan.bars > 0
    if head:
        _axis(canvas, plan, len(rows.items), made.tree.real, glyphs)
    shown = window(len(rows.items), selected, canvas.height - head)
    indent = _indent(rows, shown, plan.name)
    for y, row in enumerate(shown, head):
        _row(canvas, y, made, rows, row, row == selected, plan, indent, glyphs, awaited)


def _nothing(canvas: Canvas, made: Analysis) -> None:
    lines: tuple[str, ...] = ("No span is shown: % and o hide what is small or off the path, / filters.",)
    if not made.tree.spans:
        lines = ("No trace yet.", "The first appears when its spans have arrived: spans travel after the fact.")
    for y, line in enumerate(lines[: canvas.height]):
        canvas.put(1, y, clip(line, canvas.width - 1), "dim")


def _axis(canvas: Canvas, plan: Plan, rows: int, spans: int, glyphs: Glyphs) -> None:
    """Times above the bars: the start, the middle, the end."""
    of = f" of {spans:,} spans" if rows < spans else ""
    text = plural(rows, "row")
    canvas.put(1, 0, text + of if len(text + of) < plan.name else clip(text, plan.name - 1), "dim")
    x0 = plan.name
    canvas.put(x0, 0, "0", "dim")
    parts = 4 if plan.bars >= 48 else 2
    for part in range(1, parts):
        text = units.fixed(plan.span_us * part // parts)
        at = x0 + plan.bars * part // parts
        canvas.put(at - len(text) // 2, 0, text, "dim")
    canvas.put_right(x0 + plan.bars, 0, glyphs.vertical, "line")
    canvas.put_right(canvas.width - 1, 0, brief(plan.span_us), "dim")


def _indent(rows: Rows, shown: range, width: int) -> tuple[int, int]:
    """The depth at the left edge and the columns a level, so that names keep most of the room."""
    depths = [rows.items[row].depth for row in shown]
    low, high = min(depths), max(depths)
    room = max(4, width // 2 - 2)
    if 2 * high <= room:
        return 0, 2
    base = max(0, low - 1)
    if 2 * (high - base) <= room:
        return base, 2
    if high <= room:
        return 0, 1
    return max(base, high - room), 1


def _row(
    canvas: Canvas, y: int, made: Analysis, rows: Rows, row: int, selected: bool, plan: Plan,
    indent: tuple[int, int], glyphs: Glyphs, awaited: bool,
) -> None:  # fmt: skip
    index = rows.items[row].row
    ink = row_ink(made, rows, row)
    _name(canvas, y, made, rows, row, selected, plan.name, indent, ink, glyphs, awaited)
    if plan.bars:
        _bar(canvas, y, made, rows, row, plan, ink, glyphs)
    start_us, end_us = rows.interval(made.tree, row)
    right = canvas.width - 1
    loud = row in rows.own or selected
    canvas.put_right(right, y, brief(end_us - start_us), ink if loud and ink != "text" else "dim")
    if made.tree.spans[index].is_error:
        canvas.put(right, y, "!", "error")


def row_ink(made: Analysis, rows: Rows, row: int) -> Ink:
    """What a row is, as an ink: an error, waiting, on the path, missing, or none of these."""
    index = rows.items[row].row
    span = made.tree.spans[index]
    wait = wait_of(span)
    if made.tree.is_missing(index):
        return "lost"
    if span.is_error:
        return "error"
    if wait is not None:
        return wait.ink
    return "leader" if row in rows.on else "text"


# -- the name --------------------------------------------------------------------------------------------------------


def _name(
    canvas: Canvas, y: int, made: Analysis, rows: Rows, row: int, selected: bool, width: int,
    indent: tuple[int, int], ink: Ink, glyphs: Glyphs, awaited: bool,
) -> None:  # fmt: skip
    canvas.put(0, y, glyphs.mark_left if selected else " ", "bright")
    x = 1 + _rails(canvas, y, rows, row, indent, glyphs)
    item = rows.items[row]
    pieces = _label(made, rows, row, ink, awaited)
    if sum(len(text) for text, _ in pieces) > width - 1 - x and " /" in pieces[-1][0]:
        name, name_ink = pieces[-1]
        pieces[-1] = (name[name.index(" /") + 1 :], name_ink)  # the route tells more than the HTTP method
    if item.times > 1:
        pieces.append((f" x {item.times}", "bright"))
    if item.hidden:
        pieces.append((f" +{item.hidden}", "dim"))
    if selected:
        whole = clip("".join(text for text, _ in pieces), width - 1 - x)
        canvas.put(x, y, whole, "selected")
        return
    for text, each in pieces:
        room = width - 1 - x
        if room < min(len(text), STUB):
            break
        x = canvas.put(x, y, clip(text, room), each)


def _label(made: Analysis, rows: Rows, row: int, ink: Ink, awaited: bool) -> list[tuple[str, Ink]]:
    """Service and operation; the service once, where it calls itself."""
    index = rows.items[row].row
    span = made.tree.spans[index]
    if made.tree.is_missing(index):
        if awaited:
            return [(". ", "dim"), (f"span {span.span_id[:6]}, not here yet", "dim")]
        return [("? ", "lost"), (f"missing span {span.span_id[:6]}", "lost")]
    name = span.name or "?"
    if span.kind == Kind.CLIENT and not made.tree.children[index] and waiting.callee(span):
        name += f" > {waiting.callee(span)}"  # who was called says nothing of it
    above = rows.up[row]
    parent = made.tree.spans[rows.items[above].row] if above >= 0 else None
    loud = ink if ink != "text" else "bright"
    if parent is not None and parent.service == span.service and not made.tree.is_missing(rows.items[above].row):
        return [(name, ink if ink not in ("text", "leader") else "text")]
    return [(f"{span.service or '?'} ", loud), (name, "dim")]


def _rails(canvas: Canvas, y: int, rows: Rows, row: int, indent: tuple[int, int], glyphs: Glyphs) -> int:
    """The lines of the tree; returns their columns. What is left of the base is only counted."""
    base, step = indent
    depth = rows.items[row].depth
    levels = depth - base
    if levels <= 0:
        return 0
    x, at = 1 + (levels - 1) * step, row
    piece = glyphs.branch if rows.more[row] else glyphs.last
    canvas.put(x, y, piece[:step], "line")
    at = rows.up[at]
    for level in range(levels - 2, -1, -1):
        if at < 0:
            break
        canvas.put(1 + level * step, y, (glyphs.rail if rows.more[at] else glyphs.gap)[:step], "line")
        at = rows.up[at]
    return levels * step


# -- the bar ---------------------------------------------------------------------------------------------------------


def _bar(
    canvas: Canvas, y: int, made: Analysis, rows: Rows, row: int, plan: Plan, ink: Ink, glyphs: Glyphs
) -> None:  # fmt: skip
    index = rows.items[row].row
    tree = made.tree
    span = tree.spans[index]
    wait = wait_of(span)
    x0 = plan.name
    start_us, end_us = rows.interval(tree, row)
    first, last = plan.cells(start_us, end_us)
    beside: Ink = {"lost": "lost", "error": "error"}.get(ink, wait.ink if wait else "follower")
    canvas.put(x0 + first, y, glyphs.aside * (last - first), beside)
    if row in rows.on:
        lit: Ink = "leader"
        on = plan.cells(*rows.on[row])
        canvas.put(x0 + on[0], y, glyphs.through * (on[1] - on[0]), lit)
        char = getattr(glyphs, wait.glyph) if wait else glyphs.span
        own: Ink = wait.ink if wait else "error" if span.is_error else lit
        for left, right in _lit(plan, rows.own.get(row, [])):
            canvas.put(x0 + left, y, char * (right - left), own)
        if wait is not None:
            seen = saturation(span)
            _say(canvas, x0, y, plan, rows.own.get(row, []), (", ".join(seen), *seen[-1:]), own)
    for event in span.events[:EVENTS] if last - first >= EVENTS_ON else ():
        at_us = event.time_ns // NS_PER_US
        if plan.start_us <= at_us <= plan.start_us + plan.span_us:
            canvas.put(x0 + plan.cells(at_us, at_us)[0], y, glyphs.marker, "warn")
    way_us = rows.way_us(tree, row)
    if way_us * WAY >= end_us - start_us > 0:
        ways = (f"{brief(way_us)} on the way there and back", f"{brief(way_us)} on the way", brief(way_us))
        _say(canvas, x0, y, plan, [(start_us, end_us)], ways, "leader" if row in rows.on else beside)
    if start_us < plan.start_us:
        canvas.put(x0, y, glyphs.arrow_left, "warn")
    if end_us > plan.start_us + plan.span_us:
        canvas.put(x0 + plan.bars - 1, y, glyphs.arrow_right, "dim" if row not in rows.on else "warn")


def _lit(plan: Plan, parts: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The columns of the parts of the path: those that fill half a column or more, and the longest in any case."""
    if not parts:
        return []
    longest = max(parts, key=lambda part: part[1] - part[0])
    half_us = plan.span_us // max(1, 2 * plan.bars)
    return [plan.cells(*part) for part in parts if part is longest or part[1] - part[0] >= half_us]


def _say(
    canvas: Canvas, x0: int, y: int, plan: Plan, parts: list[tuple[int, int]], ways: tuple[str, ...], ink: Ink
) -> None:  # fmt: skip
    """What it waited for, in the bar itself, in the longest words there is room for."""
    if not parts:
        return
    left, right = plan.cells(*max(parts, key=lambda part: part[1] - part[0]))
    for words in ways:
        if words and right - left >= len(words) + 4:
            canvas.put(x0 + left + (right - left - len(words) - 2) // 2, y, f" {words} ", f"{ink}!")
            return


def legend(made: Analysis, glyphs: Glyphs) -> list[tuple[str, Ink]]:
    """How to read the bars, and that the parts add up."""
    total, whole = made.path.total_us, made.duration_us
    return [
        ("critical path ", "dim"), (glyphs.span, "leader"), (" here ", "text"), (glyphs.through, "leader"),
        (" below ", "text"), (glyphs.block, "bad"), (" pool ", "text"), (glyphs.queued, "warn"), (" queue", "text"),
        (f"   parts {units.fixed(total)} = root {units.fixed(whole)}", "good" if total == whole else "bad"),
    ]  # fmt: skip
