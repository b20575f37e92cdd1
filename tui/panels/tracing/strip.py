"""The strip: p50, p90 and p99 of what users saw, second by second, and what share of it failed. Of a FILE that lasts
for hours or months it is hour by hour, or day by day.

Latency is drawn on a scale that doubles: a p99 of ten times the p50 would leave it flat on the ground otherwise.
"""

from collections.abc import Sequence
from math import log2, nan
from typing import Final, TypeAlias

from engines.tracing.split import END_US, Choice, Failed, Where
from engines.tracing.world.snapshot import PACES, Pace, Sample, Snapshot, pace_of
from engines.units import PPM, US_PER_S, fixed, percent, stamp
from tui.canvas import Canvas, Ink
from tui.glyphs import Glyphs
from tui.kit.charts import Line, draw_ends, draw_lines
from tui.kit.words import plural
from tui.panels.tracing.details import tail
from tui.plot import sparkline
from tui.userdata.verdict_words import choice_words

LINES: Final[dict[str, Ink]] = {"p50": "good", "p90": "leader", "p99": "bad"}
LEFT: Final = 8
RIGHT: Final = 13
FLOOR_US: Final = 1_000

Window: TypeAlias = tuple[int, int]
"""From when to when; -1: not marked."""
NO_WINDOW: Final[Window] = (-1, -1)


def title(snapshot: Snapshot, window: Window = NO_WINDOW, choice: Choice | None = None) -> str:
    """What the strip shows, and which traces are set against which if they are no window."""
    of = "traces" if snapshot.recorded else "users"
    text = f"latency of {of} by {pace(snapshot).words}" if snapshot.series else f"latency of {of}"
    text += f", {len(snapshot.series)} s" if snapshot.series and pace(snapshot).us == US_PER_S else ""
    text += ", log scale" if snapshot.series else ""
    if isinstance(choice, (Where, Failed)):
        return f"{text}; {choice_words(choice)}"
    low, high = window
    if low < 0:
        return text
    ends = "the end" if high >= END_US else stamp(high) if high >= 0 else ".. (L on its last trace)"
    return f"{text}; window {stamp(low)} to {ends}"


def note(snapshot: Snapshot) -> str:
    """The figures of the newest point: those at the ends of the lines are of the same one."""
    last = newest(snapshot)
    if last is None:
        return ""
    if snapshot.recorded:
        many = f"{last.requests}/s" if pace(snapshot).us == US_PER_S else plural(last.requests, "trace")
        point = f"newest: {many}"
    else:
        point = f"newest whole second: {plural(last.requests, 'request')}"
    return f"{point}, {percent(last.errors * PPM // max(1, last.requests))} failed"


def nothing(snapshot: Snapshot) -> str:
    """Why there is no line yet: spans arrive before the first second of answers is over."""
    over = snapshot.traces and not snapshot.recorded
    return "No second with an answer in it is over yet." if over else "No request has been answered yet."


def pace(snapshot: Snapshot) -> Pace:
    """How much time a point stands for."""
    return pace_of(snapshot.now_us) if snapshot.recorded else PACES[0]


def newest(snapshot: Snapshot) -> Sample | None:
    """The newest point with a request."""
    return next((sample for sample in reversed(snapshot.series) if sample.requests), None)


def named(percentile: str, sample: Sample) -> str:
    """What a line is called at its end: of fewer than a hundred requests the 99th percentile is the slowest."""
    return tail(sample.requests) if percentile == "p99" else percentile


def draw(canvas: Canvas, snapshot: Snapshot, glyphs: Glyphs, window: Window = NO_WINDOW) -> None:
    """Three lines with their names at their ends, requests and errors below."""
    if canvas.height < 2 or canvas.width < 30:
        return
    series = snapshot.series
    if not any(sample.requests for sample in series):
        canvas.put(1, 0, nothing(snapshot), "dim")
        return
    low = 1 if canvas.height >= 4 else 0
    rows = canvas.height - low
    width = canvas.width - LEFT - RIGHT
    last = newest(snapshot)
    assert last is not None
    lines = [
        Line(named(name, last), tuple(_log(getattr(each, f"{name}_us")) for each in series),
             fixed(getattr(last, f"{name}_us")), ink) for name, ink in LINES.items()
    ]  # fmt: skip
    drawn = [value for line in lines for value in line.values if value == value] or [_log(FLOOR_US)]
    bottom, top = min(drawn) - 0.3, max(*drawn, min(drawn) + 1)
    draw_lines(canvas, LEFT, 0, width, rows, lines, glyphs, low=bottom, top=top)
    for at_us in window:
        if at_us >= 0:
            x = LEFT + _column(series, at_us, width)
            for y in range(rows):
                canvas.put(x, y, glyphs.vertical, "accent")
    for y in (0, rows - 1) if rows < 4 else (0, rows // 2, rows - 1):  # latencies, the highest that is drawn at the top
        us = 2 ** (bottom + (top - bottom) * (rows - 1 - y) / max(1, rows - 1))
        canvas.put_right(LEFT - 1, y, fixed(round(us)), "dim")
    draw_ends(canvas, LEFT + width + 1, 0, RIGHT - 2, rows, lines[::-1], low=bottom, top=top)
    if low:
        _errors(canvas, series, width, glyphs)


def _column(series: Sequence[Sample], at_us: int, width: int) -> int:
    """The column of a moment, among those of the seconds that are drawn."""
    place = sum(sample.at_us <= at_us for sample in series) - 1
    return max(0, min(width - 1, place * width // max(1, len(series))))


def _log(us: int) -> float:
    """Where a latency stands on the scale; nowhere, if there is none."""
    return log2(us) if us > 0 else nan


def _errors(canvas: Canvas, series: Sequence[Sample], width: int, glyphs: Glyphs) -> None:
    """The share of requests that failed, as one row."""
    y = canvas.height - 1
    shares = [sample.errors * PPM // sample.requests if sample.requests else 0 for sample in series]
    canvas.put_right(LEFT - 1, y, "errors", "dim")
    worst = max(shares)
    for x, char in enumerate(sparkline(shares, width, glyphs, 0, max(worst, 10_000)), LEFT):
        canvas.put(x, y, char, "error" if char not in glyphs.levels[:2] else "line")
    canvas.put(canvas.width - RIGHT + 1, y, "max", "dim")
    canvas.put_right(canvas.width - 1, y, percent(worst), "error" if worst else "good")
