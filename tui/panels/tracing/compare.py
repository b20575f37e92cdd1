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
from tui.panel import Focus
from tui.panels.tracing.details import brief
from tui.panels.tracing.select import analysis_at, read, skew
from tui.plot import bar

SIDES: Final = 9
"""Columns of a time."""
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
    label = canvas.width - 3 * SIDES - chart - 1
    canvas.put(1, 0, clip("time on the critical path", label - 1), "dim")
    for column, (head, ink) in enumerate((("this", "bright"), ("other", "dim"), ("differs", "dim")), 1):
        canvas.put_right(label + column * SIDES, 0, head, ink)
    room = canvas.height - 2
    most = max((abs(row.path_diff_us) for row in rows), default=1)
    for y, row in enumerate(rows[:room], 1):
        _row(canvas, y, row, label, chart, most, glyphs)
    rest = rows[room:]
    y = min(canvas.height - 1, len(rows[:room]) + 1)
    words = (f"{len(rest)} smaller ones, and " if rest else "") + "all add up to the difference, exactly"
    canvas.put(1, y, words if len(words) < label else f"{len(rest)} more; exactly", "dim")
    canvas.put_right(label + SIDES, y, brief(diff.other_us), "text")
    canvas.put_right(label + 2 * SIDES, y, brief(diff.one_us), "dim")
    canvas.put_right(label + 3 * SIDES, y, _signed(diff.diff_us), "good")


def _row(canvas: Canvas, y: int, row: DiffRow, label: int, chart: int, most: int, glyphs: Glyphs) -> None:
    more = row.path_diff_us > 0
    ink: Ink = "bad" if more else "good"
    x = canvas.put(1, y, clip(row.service, label - 2), "bright") + 1
    x = canvas.put(x, y, clip(row.operation, max(0, label - x)), "dim")
    words, count_ink = counts(row)
    if words and x + len(words) + 1 < label:
        canvas.put(x + 1, y, words, count_ink)
    canvas.put_right(label + SIDES, y, brief(row.other.path_us), "text")
    canvas.put_right(label + 2 * SIDES, y, brief(row.one.path_us), "dim")
    canvas.put_right(label + 3 * SIDES, y, _signed(row.path_diff_us), ink)
    if chart:
        middle = label + 3 * SIDES + 1 + chart // 2
        filled = bar(abs(row.path_diff_us) / most, chart // 2, glyphs).replace(glyphs.bar_empty, "")
        canvas.put(middle - (0 if more else len(filled)), y, filled, ink)


def counts(row: DiffRow) -> tuple[str, Ink]:
    """How often it was called, where that differs."""
    if not row.one.spans:
        return "only here", "warn"
    if not row.other.spans:
        return "only there", "warn"
    if row.one.spans != row.other.spans:
        return f"{row.other.spans} x, there {row.one.spans} x", "warn"
    return "", "dim"


def _signed(us: int) -> str:
    return f"+{brief(us)}" if us > 0 else brief(us)


def summary(diff: Diff) -> str:
    """The largest difference in words."""
    rows = diff.largest()
    if not rows or not diff.diff_us:
        return "both take the same time"
    first = rows[0]
    return f"{first.service} {first.operation}: {share(first.path_diff_us, diff.diff_us)} of the difference"
