"""Time per service and operation over all stored traces, sorted by any column: where the time goes, not when."""

from collections.abc import Callable
from typing import Any, Final

from engines.tracing.world.snapshot import Snapshot
from engines.units import PPM, fixed, percent
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.parts import window
from tui.panel import Focus
from tui.panels.tracing.select import COLUMNS, choose, read
from tui.plot import bar

BY: Final[dict[str, Callable[[Any], int]]] = {
    "path": lambda row: row.path_us,
    "self": lambda row: row.self_us,
    "p99": lambda row: row.p99_us,
    "calls": lambda row: row.spans,
    "errors": lambda row: row.errors,
    "total": lambda row: row.total_us,
}
"""What each column sorts by, the largest first."""
MEANINGS: Final = {
    "path": "time on critical paths", "self": "time in the operation itself", "p99": "its 99th percentile",
    "calls": "how often", "errors": "failures",
    "total": "time from start to end, what it called included",
}  # fmt: skip


def sorted_rows(snapshot: Snapshot, focus: Focus) -> list[Any]:
    """The rows as they are shown: those the search names, if it names any."""
    wanted, rows = focus.find.lower(), list(snapshot.aggregates)
    rows = [row for row in rows if wanted in f"{row.service} {row.operation}".lower()] or rows
    by = BY[read(focus).column]
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
    room = canvas.width - 30
    width = {"path": 16 if canvas.width >= 70 else 9, "self": 9, "p99": 9, "calls": 8, "errors": 8, "total": 10}
    shown = list(COLUMNS)
    for each in ("total", "self", "calls"):
        if sum(width[name] for name in shown) > room and each != order:
            shown.remove(each)
    label = canvas.width - sum(width[each] for each in shown) - 2
    canvas.put(2, 0, "service  operation", "dim")
    x = label + 1
    for each in shown:
        x += width[each]
        head, ink = (f"{each}{glyphs.arrow_down}", "key") if each == order else (each, "dim")
        canvas.put_right(x, 0, head, ink)
    at = place(rows, focus)
    whole = max(1, *(row.path_us for row in rows))
    for y, number in enumerate(window(len(rows), at, canvas.height - 1), 1):
        row, selected = rows[number], number == at
        canvas.put(0, y, glyphs.mark_left if selected else " ", "bright")
        service = clip(row.service, label - 4)
        end = canvas.put(2, y, service, "selected" if selected else "bright") + 1
        canvas.put(end, y, clip(row.operation, label - end), "dim")
        _figures(canvas, y, label + 1, row, shown, width, whole, glyphs)


def _figures(
    canvas: Canvas, y: int, x: int, row: Any, shown: list[str], width: dict[str, int], whole: int, glyphs: Glyphs
) -> None:
    if width["path"] >= 16 and row.path_us:
        part = bar(row.path_us / whole, 6, glyphs)
        canvas.put(x + width["path"] - 15, y, part.replace(glyphs.bar_empty, " "), "leader")
    tail: Ink = "bad" if row.p50_us and row.p99_us >= 8 * row.p50_us else "text"
    figures: dict[str, tuple[str, Ink]] = {
        "path": (fixed(row.path_us), "leader" if row.path_us else "dim"),
        "self": (fixed(row.self_us), "text"),
        "p99": (fixed(row.p99_us), tail),
        "calls": (f"{row.spans:,}", "text"),
        "errors": (percent(row.errors * PPM // max(1, row.spans)), "error" if row.errors else "dim"),
        "total": (fixed(row.total_us), "text"),
    }
    for each in shown:
        x += width[each]
        canvas.put_right(x, y, *figures[each])
