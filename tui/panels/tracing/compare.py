"""Two traces side by side: where the selected one's critical path spends more than the other's, and where less.

Both paths are partitions, so the differences of all operations add up to the difference of the two durations, exactly.
"""

from typing import Final

from engines.tracing.analysis import analysis_of, difference
from engines.tracing.compare import Diff, DiffRow
from engines.tracing.world.snapshot import Snapshot
from engines.units import fixed, share
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.tables import put_cells
from tui.panel import Focus
from tui.panels.tracing.details import brief
from tui.panels.tracing.select import analysis_at, read, skew
from tui.plot import bar

SIDES: Final = (9, 9, 9)
"""Columns of times."""
CHART: Final = 64
"""Columns from which there are bars."""


def diff_of(snapshot: Snapshot, focus: Focus) -> Diff:
    """The other trace against the selected one: positive where the selected one takes longer."""
    other = read(focus).other
    there = analysis_of(other, snapshot.store.spans(other), skew(snapshot, focus))
    return difference(there, analysis_at(snapshot, focus))


def title(snapshot: Snapshot, focus: Focus) -> str:
    """Both traces and their times."""
    mine, other = snapshot.trace(focus.node), snapshot.trace(read(focus).other)
    if mine is None or other is None:
        return "compare"
    against = "" if other.operation == mine.operation else f"{other.operation} "
    return f"{mine.operation}  {fixed(mine.duration_us)} against {against}{fixed(other.duration_us)}"


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """The largest differences first, and their sum."""
    if canvas.height < 2 or canvas.width < 30:
        return
    if snapshot.trace(read(focus).other) is None:
        nothing = "Nothing to compare with: K marks a trace, D compares another with it."
        canvas.put(1, 0, clip(nothing, canvas.width - 1), "dim")
        return
    diff = diff_of(snapshot, focus)
    rows = diff.largest()
    chart = min(40, canvas.width - CHART + 8) // 2 * 2 if canvas.width >= CHART else 0
    label = canvas.width - sum(SIDES) - chart - 1
    canvas.put(1, 0, clip("time on the critical path", label - 1), "dim")
    put_cells(canvas, label, 0, SIDES, (("this", "bright"), ("other", "dim"), ("differs", "dim")))
    room = canvas.height - 2
    most = max((abs(row.path_diff_us) for row in rows), default=1)
    for y, row in enumerate(rows[:room], 1):
        _row(canvas, y, row, label, chart, most, glyphs)
    rest = len(rows) - room
    y = min(canvas.height - 1, len(rows[:room]) + 1)
    words = (f"{rest} smaller ones, and " if rest > 0 else "") + "all add up to the difference, exactly"
    canvas.put(1, y, words if len(words) < label else f"{max(0, rest)} more; exactly", "dim")
    put_cells(canvas, label, y, SIDES, (
        (brief(diff.other_us), "text"), (brief(diff.one_us), "dim"), (_signed(diff.diff_us), "good")
    ))  # fmt: skip


def _row(canvas: Canvas, y: int, row: DiffRow, label: int, chart: int, most: int, glyphs: Glyphs) -> None:
    more = row.path_diff_us > 0
    ink: Ink = "bad" if more else "good"
    x = canvas.put(1, y, clip(row.service, label - 2), "bright") + 1
    x = canvas.put(x, y, clip(row.operation, max(0, label - x)), "dim")
    words = counts(row)
    if words and x + len(words) + 1 < label:
        canvas.put(x + 1, y, words, "warn")
    put_cells(canvas, label, y, SIDES, (
        (brief(row.other.path_us), "text"), (brief(row.one.path_us), "dim"), (_signed(row.path_diff_us), ink)
    ))  # fmt: skip
    if chart:
        middle = label + sum(SIDES) + 1 + chart // 2
        filled = bar(abs(row.path_diff_us) / most, chart // 2, glyphs).replace(glyphs.bar_empty, "")
        canvas.put(middle - (0 if more else len(filled)), y, filled, ink)


def counts(row: DiffRow) -> str:
    """How often it was called, where that differs."""
    here, there = row.other.spans, row.one.spans
    if here and there:
        return f"{here} x, there {there} x" if here != there else ""
    return "only there" if there else "only here"


def _signed(us: int) -> str:
    return f"+{brief(us)}" if us > 0 else brief(us)


def summary(diff: Diff) -> str:
    """The largest difference in words."""
    rows = diff.largest()
    if not rows or not diff.diff_us:
        return "both take the same time"
    first = rows[0]
    return f"{first.service} {first.operation}: {share(first.path_diff_us, diff.diff_us)} of the difference"
