"""The other pictures: answers beside the truth, the rows of a read model now or at a date, and the causation tree."""

from collections.abc import Sequence
from typing import Any, Final

from engines.cqrs.world.snapshot import Snapshot
from engines.units import stamp
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.dates import day_and_time
from tui.kit.words import plain, plural
from tui.panel import Focus
from tui.panels.cqrs.queries import SHORT, answer, brief, rows_at, story
from tui.panels.cqrs.roads import draw_newest, draw_sides
from tui.panels.cqrs.select import order_of, projection_of, read

TIMES: Final = ("placed_us", "changed_us", "paid_us")
"""Columns that are times."""


def draw_answers(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """What readers were told, newest at the bottom, beside what the write model said at that moment."""
    costs = snapshot.costs
    said = f"{plural(costs.judged, 'answer')}, {costs.stale} behind the truth; "
    said += f"own writes missed: {costs.misses}; timed out: {costs.waited_out}"
    canvas.put(1, 0, clip(said, canvas.width - 2), "bright")
    low = 4 if canvas.height >= 12 else 0
    draw_newest(canvas, snapshot, 1, canvas.height - 1 - low)
    if low:
        draw_sides(canvas, snapshot, focus, canvas.height - low)


# -- rows --------------------------------------------------------------------------------------------------------------


def draw_rows(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """The rows of the selected read model, the newest at the bottom; at a date, folded from the events until then."""
    view = projection_of(snapshot, focus)
    at = read(focus).at
    if view is None:
        canvas.put(1, 0, "no projection here", "dim")
        return
    x = 1
    for each in snapshot.projections:
        mine = each.name == view.name
        x = canvas.put(x, 0, f"{glyphs.mark_left if mine else ' '}{each.name} ", "selected" if mine else "dim")
    key = read(focus).key
    rows: Sequence[Any]
    if key:
        rows = answer(snapshot, view, key, at)
        when = f"right after event {at} of {len(snapshot.events)}" if at else f"now, at position {view.position}"
        canvas.put(1, 1, clip(f"{key}, {when}: {plural(len(rows), 'row')}", canvas.width - 2), "accent")
    elif at:
        event = snapshot.events[at - 1]
        rows = rows_at(snapshot, view, at)
        when = f"right after event {at} of {len(snapshot.events)}, {_when(event.at_us, snapshot.recorded)}"
        canvas.put(1, 1, clip(f"{when}: {event.stream} {event.type}", canvas.width - 2), "accent")
    else:
        rows = view.tables[0].rows if view.tables else ()
        parked = f", {view.parked} parked" if view.parked else ""
        canvas.put(1, 1, f"now: position {view.position}, {view.behind} behind{parked}; y stops at a date", "dim")
    if not rows:
        canvas.put(1, 3, "no row" if key else "no rows yet", "dim")
        return
    columns = rows[0]._fields
    rows = sorted(rows, key=lambda row: (getattr(row, "placed_us", 0), row[0])) if at or key else rows
    _table(canvas, snapshot, columns, rows[-max(0, canvas.height - 3) :], 2)


def _when(at_us: int, recorded: bool) -> str:
    return day_and_time(at_us) if recorded else f"t {stamp(at_us)}"


def _cell(name: str, value: Any, recorded: bool) -> str:
    if name in TIMES:
        return "-" if not value else day_and_time(value) if recorded else stamp(value)
    return plain(value)


def _table(canvas: Canvas, snapshot: Snapshot, columns: Sequence[str], rows: Sequence[Any], y: int) -> None:
    """A header and the rows below it, as many columns as fit."""
    cells = [[_cell(name, value, snapshot.recorded) for name, value in zip(columns, row, strict=True)] for row in rows]
    x = 1
    for place, name in enumerate(columns):
        width = min(24, max(len(name), *(len(line[place]) for line in cells)))
        if x + width > canvas.width - 1:
            break
        canvas.put(x, y, name.removesuffix("_us"), "dim")
        for row, line in enumerate(cells, y + 1):
            numeric = isinstance(rows[0][place], int) and name not in TIMES
            text = clip(line[place], width)
            canvas.put(x, row, text.rjust(width) if numeric else text, "bright" if not place else "text")
        if isinstance(rows[0][place], int) and name not in TIMES:
            canvas.put(x, y, name.rjust(width), "dim")
        x += width + 2


# -- the tree ----------------------------------------------------------------------------------------------------------


def draw_tree(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """Command, event, command, event ... and the rows that each event changed: from the wish to what a reader sees."""
    order = order_of(snapshot, focus)
    if not order:
        canvas.put(1, 0, "no order yet: a creates one", "dim")
        return
    at = read(focus).at
    told = story(snapshot, order)
    lines: list[tuple[str, Ink, str, Ink]] = []
    command = ""
    for each in told:
        node = each.node
        if node.event is None:
            command = f"{'  ' * (node.depth // 2)}{node.label} > "
            continue
        ink: Ink = "dim" if at and node.event.position > at else "bright"
        pad = command or "  " * (node.depth // 2) + "and "
        lines.append((f"{pad}{node.label} #{node.event.position}", ink, _rows(each.rows), "dim" if ink == "dim" else
                      "text"))  # fmt: skip
        command = ""
    head = f"command > event, and the rows that it changed: {plural(len(told), 'message')} of one story"
    canvas.put(1, 0, clip(head, canvas.width - 2), "dim")
    deepest = max(len(line[0]) for line in lines) if lines else 0
    split = min(deepest + 2, canvas.width * 3 // 5)
    room = canvas.height - 1
    if len(lines) > room > 2:  # where the story began, and what happened last
        lines = [lines[0], *lines[1 - room :]]
    for row, (left, ink, right, right_ink) in enumerate(lines[: max(0, room)], 1):
        canvas.put(1, row, clip(left, split - 1), ink)
        canvas.put(1 + split, row, clip(right, max(0, canvas.width - split - 2)), right_ink)


def _rows(rows: Sequence[Any]) -> str:
    if not rows:
        return "changes no row"
    return "  ".join(f"{SHORT.get(change.projection, change.projection)}: {brief(change.after)}" for change in rows)
