"""The strip: all strategies on the same keys, the price of virtual nodes, or the load over time."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from math import e, log, nan
from typing import Final

from engines.sharding.world.events import MembershipKind
from engines.sharding.world.snapshot import Comparison, Curve, Row, Sample, Snapshot
from engines.units import per_s, rounded
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit import layers
from tui.kit.charts import Line, draw_lines, draw_rows
from tui.kit.layers import Layer
from tui.kit.parts import part, upright
from tui.kit.words import plural
from tui.panel import Focus
from tui.panels.sharding.describe import membership
from tui.panels.sharding.queries import ratio, short
from tui.panels.sharding.select import chart_of, charts

TITLES: Final = {"compare": "the same keys", "curves": "virtual nodes", "time": "load over time"}
NAME: Final = 12
"""Columns of a strategy's name."""
WIDE: Final = 118
"""Columns from which two charts stand side by side."""
COLUMN: Final = 35
"""Columns of the narrowest table."""
ROWS: Final = {"compare": 10, "curves": 7, "time": 8}
"""Rows that each chart needs."""
HIGH: Final = 18
"""Rows from which charts stand one below the other."""


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """The chosen chart; where there is room for another, the next one beside or below it."""
    chart = chart_of(snapshot, focus)
    others = [each for each in charts(snapshot) if each != chart]
    second = "curves" if "curves" in others else others[0] if others else ""
    if second and canvas.height >= HIGH:
        _stack(canvas, snapshot, [chart, *others], glyphs)
        return
    if second and canvas.width >= WIDE and canvas.height >= 5:
        left = canvas.width * 11 // 20
        with part(canvas, 0, 0, left - 1, canvas.height) as one:
            DRAW[chart](one, snapshot, glyphs)
        upright(canvas, left, glyphs)
        with part(canvas, left + 1, 0, canvas.width - left - 1, canvas.height) as other:
            DRAW[second](other, snapshot, glyphs)
        return
    DRAW[chart](canvas, snapshot, glyphs)


def _stack(canvas: Canvas, snapshot: Snapshot, there: list[str], glyphs: Glyphs) -> None:
    """All charts one below the other, as far as there is room; what the lower ones need not, the curves get."""
    shown, used = [there[0]], ROWS[there[0]]
    for each in there[1:]:
        if used + 1 + ROWS[each] <= canvas.height:
            shown.append(each)
            used += 1 + ROWS[each]
    rows = {each: ROWS[each] for each in shown}
    rows["curves" if "curves" in rows else shown[0]] += min(canvas.height - used, 12)
    below = [
        Layer(rows[each], partial(DRAW[each], snapshot=snapshot, glyphs=glyphs), title(snapshot, each))
        for each in shown
    ]
    layers.draw(canvas, below, glyphs)


def title(snapshot: Snapshot, chart: str) -> str:
    """What a chart is called in the border."""
    if chart == "compare" and snapshot.comparison is not None:
        shown = snapshot.comparison
        what = "keys (cv by weight)" if shown.weighted else "keys"
        whose = "the same" if shown.keys == snapshot.balance.keys else "the"
        then = "" if whose == "the same" else " of then"
        change = f"{membership(shown.cause)}, {shown.before} -> {shown.after} nodes"
        if _of_layouts(shown):
            return f"{shown.keys:,} {what}{then} laid out anew: {change}"
        return f"{whose} {shown.keys:,} {what}{then}: {change}"
    return TITLES[chart]


def _of_layouts(comparison: Comparison) -> bool:
    """Whether it compares layouts with and without a node that died or is back: the map itself may stay as it is."""
    return comparison.cause.kind in (MembershipKind.CRASHED, MembershipKind.IS_BACK)


def note(snapshot: Snapshot, chart: str) -> str:
    """What stands at the right end of the border."""
    if chart == "compare" and snapshot.comparison is not None:
        return f"even share {rounded(snapshot.comparison.ideal_ppm)}"
    if chart == "curves":
        return f"{plural(len(snapshot.nodes), 'node')}, {snapshot.vnodes} tokens each"
    return "v next chart" if len(charts(snapshot)) > 1 else ""


def draw_comparison(canvas: Canvas, snapshot: Snapshot, glyphs: Glyphs) -> None:
    """A row a strategy; in two columns where the rows do not suffice; the present one and hash mod n first."""
    comparison = snapshot.comparison
    if comparison is None or canvas.height < 2 or canvas.width < 24:
        return
    rows = list(comparison.rows)
    room = canvas.height - 1
    two = len(rows) > room and canvas.width >= 2 * COLUMN
    if len(rows) > room * (1 + two):
        rows.sort(key=lambda row: (not row.current, row.strategy != "modulo"))
    per = min(-(-len(rows) // 2) if two else len(rows), room)
    width = canvas.width // 2 if two else canvas.width
    for column in range(1 + two):
        x = column * width
        moved = "would move" if _of_layouts(comparison) else "moved"
        _table_head(canvas, x, width, "new owner" if snapshot.rf > 1 else moved)
        for y, row in enumerate(rows[column * per : (column + 1) * per], 1):
            _table_row(canvas, x, y, width, row, comparison.ideal_ppm, glyphs)
    if per + 1 < canvas.height:
        _verdict(canvas, comparison, per + 1 + (per + 2 < canvas.height))


def _verdict(canvas: Canvas, comparison: Comparison, y: int) -> None:
    """What the table says, in a sentence: against the even share, the present strategy and the worst."""
    current = next((row for row in comparison.rows if row.current), None)
    worst = max(comparison.rows, key=lambda row: row.moved_ppm)
    ideal = max(1, comparison.ideal_ppm)
    long = canvas.width >= 68
    x = canvas.put(1, y, "against the even share:  " if long else "of the share:  ", "dim")
    if current is not None and current is not worst:
        x = canvas.put(x, y, f"{current.title} x{current.moved_ppm / ideal:.1f}   ", "text")
    x = canvas.put(x, y, f"{worst.title} x{worst.moved_ppm / ideal:.1f}", "bad")
    rest = f", {rounded(worst.between_survivors_ppm)} for nothing"
    canvas.put(x, y, rest if x + len(rest) < canvas.width else "", "dim")


def _table_head(canvas: Canvas, x: int, width: int, moved: str) -> None:
    """``moved``: with several copies of a key, that its owner changes is not all that is copied."""
    canvas.put(x + 1, 0, "strategy", "dim")
    canvas.put(x + 1 + NAME, 0, moved, "dim")
    canvas.put_right(x + width - 6, 0, "others" if width < 44 else "between others", "dim")
    canvas.put_right(x + width - 1, 0, "cv", "dim")


def _table_row(canvas: Canvas, x: int, y: int, width: int, row: Row, ideal_ppm: int, glyphs: Glyphs) -> None:
    canvas.put(x, y, glyphs.mark_left if row.current else " ", "bright")
    canvas.put(x + 1, y, row.title[: NAME - 1], "leader" if row.current else "text")
    wasteful = row.moved_ppm > 2 * ideal_ppm
    between = rounded(row.between_survivors_ppm)
    space = width - NAME - 1 - 20
    full = max(1, round(row.moved_ppm / 1_000_000 * space)) if row.moved_ppm and space >= 3 else 0
    canvas.put(x + 1 + NAME, y, glyphs.span * full, "bad" if wasteful else "good")
    start = x + 1 + NAME + full + (full > 0)
    canvas.put(start, y, rounded(row.moved_ppm), "bad" if wasteful else "text")
    canvas.put_right(x + width - 6, y, between, "bad" if row.between_survivors_ppm > 10_000 else "text")
    canvas.put_right(x + width - 1, y, short(row.cv_ppm), "warn" if row.cv_ppm > 200_000 else "text")


def draw_curves(canvas: Canvas, snapshot: Snapshot, glyphs: Glyphs) -> None:
    """Over the number of virtual nodes: how uneven the load is, and how likely two failures lose some range."""
    curves = snapshot.curves
    if len(curves) < 2 or canvas.height < 3 or canvas.width < 24:
        return
    half = canvas.width // 2 if canvas.width >= 48 else canvas.width
    spread = "cv, mean of rings" if half >= 26 else "cv of rings"
    _curve(canvas, 0, half, snapshot, glyphs, spread, lambda point: point.cv_ppm,
           lambda point: point.expected_ppm, "good")  # fmt: skip
    if half < canvas.width and any(point.loss_ppm >= 0 for point in curves):
        copies = max(2, min(snapshot.rf, len(snapshot.nodes)))
        fatal = f"{copies} failures lose a range"
        if canvas.width - half - 7 >= len(f"RF 2: {fatal}"):
            fatal = f"RF {copies}: {fatal}"
        _curve(canvas, half, canvas.width - half, snapshot, glyphs, fatal,
               lambda point: max(0, point.loss_ppm), None, "bad")  # fmt: skip


def _curve(
    canvas: Canvas, x: int, width: int, snapshot: Snapshot, glyphs: Glyphs, name: str,
    measure: Callable[[Curve], int], expect: Callable[[Curve], int] | None, ink: Ink,
) -> None:  # fmt: skip
    curves, gutter = snapshot.curves, 7
    rows, columns = canvas.height - 2, width - gutter - 1
    if rows < 1 or columns < 8:
        return
    canvas.put(x + gutter, 0, clip(name, width - gutter), "dim")
    top = max(*(measure(point) for point in curves), *((expect(point) for point in curves) if expect else (0,)), 1)
    both = [(each, look) for each, look in ((expect, "line"), (measure, ink)) if each is not None]
    lines = [Line("", _spread(curves, each, columns * 2), "", look) for each, look in both]
    draw_lines(canvas, x + gutter, 1, columns, rows, lines, glyphs, top=float(top))
    say = rounded if expect is None else short
    label = say(top)
    canvas.put_right(x + gutter - 1, 1, label, "text")
    canvas.put_right(x + gutter - 1, rows, "0" if rows > 1 else "", "dim")
    start = end = x + gutter
    if snapshot.vnodes:
        here = _at(curves, measure, snapshot.vnodes)
        told = f"{glyphs.arrow_up}{snapshot.vnodes}: {say(here)}"
        if expect is not None:
            wanted = say(_at(curves, expect, snapshot.vnodes))
            told += f" (expected {wanted})" if columns >= 34 else f" exp. {wanted}"
        at = x + gutter + round(_place(curves, snapshot.vnodes) * (columns - 1))
        start = max(x + gutter, min(at, x + width - len(told)))
        end = canvas.put(start, rows + 1, told, "leader") + 1
    _ticks(canvas, curves, x + gutter, columns, rows + 1, (start, end))


def _ticks(canvas: Canvas, curves: Sequence[Curve], x: int, columns: int, y: int, taken: tuple[int, int]) -> None:
    """Numbers of virtual nodes below a curve, where nothing else is written."""
    free = x
    for point in curves:
        text = str(point.vnodes)
        begin = min(x + round(_place(curves, point.vnodes) * (columns - 1)) - len(text) // 2, x + columns - len(text))
        begin = max(x, begin)
        clear = begin + len(text) < taken[0] or begin >= taken[1]
        if begin >= free and clear and point.vnodes in (1, 4, 16, 64, 150, 1_000):
            canvas.put(begin, y, text, "dim")
            free = begin + len(text) + 1


def _place(curves: Sequence[Curve], vnodes: int) -> float:
    """Where on a logarithmic axis, 0 to 1."""
    low, high = log(curves[0].vnodes), log(curves[-1].vnodes)
    return min(1.0, max(0.0, (log(max(1, vnodes)) - low) / max(0.001, high - low)))


def _at(curves: Sequence[Curve], measure: Callable[[Curve], int], vnodes: float) -> int:
    """The value of a curve between its points."""
    for left, right in pairwise(curves):
        if left.vnodes <= vnodes <= right.vnodes:
            part = (log(vnodes) - log(left.vnodes)) / (log(right.vnodes) - log(left.vnodes))
            return round(measure(left) + (measure(right) - measure(left)) * part)
    return measure(curves[-1] if vnodes > curves[-1].vnodes else curves[0])


def _spread(curves: Sequence[Curve], measure: Callable[[Curve], int], count: int) -> tuple[float, ...]:
    """A curve at so many places, equally far apart on the logarithmic axis."""
    low, high = log(curves[0].vnodes), log(curves[-1].vnodes)
    last = max(1, count - 1)
    return tuple(float(_at(curves, measure, e ** (low + (high - low) * i / last))) for i in range(count))


Measure = tuple[str, Callable[[Sample], int], Callable[[int], str], Ink]

MEASURES: Final[tuple[Measure, ...]] = (
    ("requests", lambda each: each.ops_per_ks, per_s, "client"),
    ("busiest/mean", lambda each: each.peak_ppm, lambda ppm: ratio(ppm, 2) if ppm else "-", "warn"),
    ("to move", lambda each: each.moving, lambda keys: f"{keys:,}", "accent"),
    ("redirects", lambda each: each.redirects, str, "leader"),
    ("given up", lambda each: each.failed, str, "bad"),
    ("hottest key", lambda each: each.hottest_ppm, rounded, "stale"),
    ("fullest/mean", lambda each: each.keys_peak_ppm, lambda ppm: ratio(ppm, 2), "good"),
    ("epoch", lambda each: each.epoch, str, "dim"),
)


def draw_time(canvas: Canvas, snapshot: Snapshot, glyphs: Glyphs) -> None:
    """A row a measure, the newest value in words at its right."""
    if not snapshot.series:
        canvas.put(1, 0, "nothing measured yet", "dim")
        return
    lines = []
    for name, get, say, ink in MEASURES:
        idle = nan if name == "busiest/mean" else 0.0  # without a request nobody is the busiest: a hole
        values = tuple(float(get(each)) or idle for each in snapshot.series)
        low = 900_000.0 if "mean" in name else 0.0
        lines.append(Line(name, values, say(get(snapshot.series[-1])), ink, low=low))
    draw_rows(canvas, lines, glyphs)


DRAW: Final[dict[str, Callable[..., None]]] = {
    "compare": draw_comparison, "curves": draw_curves, "time": draw_time,
}  # fmt: skip
