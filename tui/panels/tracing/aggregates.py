"""Time per service and operation over all stored traces, sorted by any column: where the time goes, not when."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from engines.tracing.world.snapshot import Snapshot
from engines.units import PPM, fixed, percent
from tui.canvas import Canvas, clip
from tui.glyphs import Glyphs
from tui.kit.parts import Piece
from tui.kit.tables import listed, put_cells
from tui.panel import Focus
from tui.panels.tracing.details import tail
from tui.panels.tracing.select import choose, read
from tui.plot import bar

BARS, BAR = 70, 7
"""Columns from which times on paths have a bar, and the columns that it takes."""


class Column(NamedTuple):
    """What rows can be sorted by, the largest first."""

    meaning: str
    width: int
    by: Callable[[Any], int]
    said: Callable[[Any], Piece]


TABLE: Final = {
    "path": Column("time on critical paths", 9, lambda row: row.path_us,
                   lambda row: (fixed(row.path_us), "leader" if row.path_us else "dim")),
    "self": Column("time in the operation itself", 9, lambda row: row.self_us,
                   lambda row: (fixed(row.self_us), "text")),
    "p99": Column("its 99th percentile, of fewer than 100 the longest", 13, lambda row: row.p99_us,
                  lambda row: (f"{'' if tail(row.spans) == 'p99' else 'max '}{fixed(row.p99_us)}",
                               "bad" if row.p50_us and row.p99_us >= 8 * row.p50_us else "text")),
    "calls": Column("how often", 8, lambda row: row.spans, lambda row: (f"{row.spans:,}", "text")),
    "errors": Column("failures", 8, lambda row: row.errors,
                     lambda row: (percent(row.errors * PPM // max(1, row.spans)), "error" if row.errors else "dim")),
    "total": Column("time from start to end, what it called included", 10, lambda row: row.total_us,
                    lambda row: (fixed(row.total_us), "text")),
}  # fmt: skip
"""By the names of ``select.COLUMNS``."""


def sorted_rows(snapshot: Snapshot, focus: Focus) -> list[Any]:
    """The rows as they are shown: those the search names, if it names any."""
    wanted, rows = focus.find.lower(), list(snapshot.aggregates)
    rows = [row for row in rows if wanted in f"{row.service} {row.operation}".lower()] or rows
    by = TABLE[read(focus).column].by
    return sorted(rows, key=lambda row: (-by(row), row.service, row.operation))


def name(row: Any) -> str:
    """How a selection names a row."""
    return f"{row.service}\t{row.operation}"


def place(rows: list[Any], focus: Focus) -> int:
    """The selected row: the chosen one, else the first of the chosen service, else the first."""
    part = read(focus)
    for number, row in enumerate(rows):
        if part.row == name(row):
            return number
    return next((number for number, row in enumerate(rows) if row.service == part.service), 0)


def move(snapshot: Snapshot, focus: Focus, step: int) -> Focus:
    """The row so many places further down; its service is what the verbs act on."""
    rows = sorted_rows(snapshot, focus)
    if not rows:
        return focus
    row = rows[max(0, min(len(rows) - 1, place(rows, focus) + step))]
    return choose(focus, service=row.service, row=name(row))


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """A head and a row for each service and operation."""
    rows = sorted_rows(snapshot, focus)
    if canvas.height < 2 or canvas.width < 40:
        return
    order = read(focus).column
    if not rows:
        canvas.put(1, 0, "Nothing to add up yet: no trace is stored.", "dim")
        return
    bars = BAR if canvas.width >= BARS else 0
    shown = dict(TABLE)
    for each in ("total", "self", "calls"):
        if sum(column.width for column in shown.values()) + bars > canvas.width - 30 and each != order:
            del shown[each]
    widths = [column.width + bars * (each == "path") for each, column in shown.items()]
    label = canvas.width - sum(widths) - 2
    canvas.put(2, 0, "service  operation", "dim")
    put_cells(canvas, label + 1, 0, widths, (
        (f"{each}{glyphs.arrow_down}", "key") if each == order else (each, "dim") for each in shown
    ))  # fmt: skip
    whole = max(1, *(row.path_us for row in rows))
    for y, row, selected in listed(canvas, rows, place(rows, focus), glyphs, top=1):
        service = clip(row.service, label - 4)
        end = canvas.put(2, y, service, "selected" if selected else "bright") + 1
        canvas.put(end, y, clip(row.operation, label - end), "dim")
        if bars and row.path_us:
            part = bar(row.path_us / whole, BAR - 1, glyphs).replace(glyphs.bar_empty, " ")
            canvas.put(label + 2, y, part, "leader")
        put_cells(canvas, label + 1, y, widths, (column.said(row) for column in shown.values()))
