"""The strip: what was asked for, what was sent, what came of it, how long it took, and which breaker was open when.

Offered load, attempts and goodput share one scale: in health the three are one line, and a retry storm is the gap
between them. Attempts are those over the edge that was busiest at each moment. Latency stands beside or below on the
same time axis, and so do the states of breakers.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from engines import units
from engines.resilience.world.snapshot import BreakerView, EdgeView, Snapshot
from tui.canvas import Canvas, clip
from tui.glyphs import Glyphs
from tui.kit import charts
from tui.kit.charts import LEGEND, SCALE, SIGNS, Line, Piece, draw_spark
from tui.kit.parts import upright
from tui.kit.words import chip
from tui.panel import Focus
from tui.panels.resilience import queries
from tui.panels.resilience.select import chart_of, edge_of

TITLES: Final = {"load": "load", "latency": "latency", "breakers": "breakers", "waste": "where attempts go"}
SAMPLE_US: Final = 500_000
HEADROOM: Final = 1.12
"""The scale goes a little beyond the highest value, so that its number has room."""
SMOOTH: Final = 3
"""Samples that a rate is the mean of: a second and a half, as everywhere else on the screen."""
WIDE: Final = 112
"""Columns from which load and latency stand side by side."""
GUTTER: Final = 13
"""Columns for the name of an edge before its band."""


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """The chosen chart."""
    if canvas.height < 1 or canvas.width < 30:
        return
    if not snapshot.series:
        canvas.put(1, 0, "nothing measured yet", "dim")
        return
    DRAW[chart_of(focus)](canvas, snapshot, focus, glyphs)


def title(snapshot: Snapshot, focus: Focus) -> str:
    """What the chart is called in the border."""
    chart = chart_of(focus)
    if chart == "load" and (storm := queries.storm(snapshot)):
        return storm
    if chart == "load" and not snapshot.recorded:
        edge = snapshot.busiest
        return f"load   busy edge: {queries.name(edge.id)}" if edge else "load"
    return TITLES[chart]


def note(snapshot: Snapshot, focus: Focus, width: int) -> str:
    """What stands at the right end of the border."""
    if not snapshot.series:
        return "v next chart"
    chart = chart_of(focus)
    rates = ", rates over 1.5 s" if chart in ("load", "waste") else ""
    return f"{axis(snapshot, max(1, room(width))) // 1_000_000} s{rates}   v next"


def room(width: int) -> int:
    """Columns of a chart without its scale, the signs of its lines and its legend."""
    return width - SCALE - SIGNS - LEGEND - 1


def axis(snapshot: Snapshot, columns: int) -> int:
    """How much time a chart covers: what there is so far in round numbers, and no more than two minutes."""
    wanted = max(1, snapshot.now_us // SAMPLE_US)
    most = 240 if columns >= 60 else 120
    return min(most, next((count for count in (40, 80, 120, 240) if count >= wanted), 240)) * SAMPLE_US


MEASURES: Final = {
    "offered": ("offered", "follower", "o"), "attempts": ("peak", "warn", "a"), "goodput": ("goodput", "good", "g"),
    "rejected": ("rejected", "half-open", ""), "errors": ("errors", "error", ""), "for nobody": ("wasted", "stale", ""),
    "p99": ("p99_us", "candidate", "9"), "p50": ("p50_us", "accent", "5"),
}  # fmt: skip
"""What is measured: a field of a sample, its ink, and the sign at the end of its line."""


def line(snapshot: Snapshot, span_us: int, name: str) -> Line:
    """One measure over the axis, a rate as the mean of the newest samples: calls at random are jagged."""
    field, ink, sign = MEASURES[name]
    if name == "attempts" and snapshot.recorded:
        field = "attempts"
    over = 1 if field.endswith("_us") else SMOOTH
    exact = [getattr(each, field) for each in snapshot.series if each.at_us > snapshot.now_us - span_us]
    means = [sum(exact[max(0, at - over + 1) : at + 1]) / min(over, at + 1) for at in range(len(exact))]
    newest = round(means[-1]) if means else 0
    said = _rate(newest) if over > 1 and means else units.seconds(newest) if newest else "-"
    return Line(name, charts.fitted(means, span_us // SAMPLE_US), said, ink, sign)


def _rate(value: int) -> str:
    return f"{value:,}/s"


def load_lines(snapshot: Snapshot, span_us: int) -> list[Line]:
    """Offered, attempts, goodput; the last is drawn above the others.

    Attempts are those over the busy edge: in health every call passes it once, and all three are one line.
    """
    edge = snapshot.busiest
    offered, attempts, goodput = (line(snapshot, span_us, name) for name in ("offered", "attempts", "goodput"))
    if edge is not None and not snapshot.recorded:
        attempts = attempts._replace(said=_rate(edge.attempts_per_s))
    return [offered, attempts, goodput]


def latency_lines(snapshot: Snapshot, span_us: int) -> list[Line]:
    """The median and the slowest hundredth."""
    return [line(snapshot, span_us, "p99"), line(snapshot, span_us, "p50")]


# -- breaker states over time -----------------------------------------------------------------------------------------


def pieces(snapshot: Snapshot, breaker: BreakerView, span_us: int) -> list[Piece]:
    """The states of a breaker as parts of the axis."""
    begin = snapshot.now_us - span_us
    found = []
    for each in queries.lives(snapshot, breaker):
        end = each.since_us + each.lasted_us if each.lasted_us >= 0 else snapshot.now_us
        if end <= begin:
            continue
        start = max(0.0, (each.since_us - begin) / span_us)
        letter, _, ink, weight = queries.STATES[each.state]
        found.append(Piece(start, (end - begin) / span_us, letter, ink, weight))
    return found


Guarded: TypeAlias = tuple[EdgeView, BreakerView]
"""An edge and its breaker."""


def ranked(snapshot: Snapshot, focus: Focus) -> list[Guarded]:
    """The edges with a breaker: the selected one, then those that are or were open, then the rest."""
    chosen = edge_of(snapshot, focus)
    guarded = [(edge, edge.breaker) for edge in snapshot.edges if edge.breaker is not None]
    return sorted(guarded, key=lambda each: (each[0] is not chosen, each[1].state == "closed", not each[1].history))


# -- the charts -------------------------------------------------------------------------------------------------------


def draw_load(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """Load above; latency beside it, or in one row; the bands of as many breakers as there is room for."""
    found = ranked(snapshot, focus)[: max(1, (canvas.height - 4) // 2)] if canvas.height >= 4 else []
    bands = [each for place, each in enumerate(found) if not place or each[1].history]
    high = canvas.height - len(bands)
    if canvas.width >= WIDE:
        left = canvas.width * 11 // 20
        _chart(canvas, snapshot, 0, left - 1, high, load_lines, bands, glyphs)
        upright(canvas, left, glyphs)
        _chart(canvas, snapshot, left + 2, canvas.width - left - 3, high, latency_lines, bands, glyphs)
        return
    spark = high >= (5 if snapshot.wasted_per_s else 4)
    _chart(canvas, snapshot, 0, canvas.width - 1, high - spark, load_lines, bands, glyphs, spark)
    if spark:
        _latency_row(canvas, snapshot, high - 1, glyphs)


def _chart(
    canvas: Canvas, snapshot: Snapshot, x: int, width: int, high: int,
    measure: Callable[[Snapshot, int], list[Line]], bands: Sequence[Guarded], glyphs: Glyphs, spark: bool = False,
) -> None:  # fmt: skip
    """Lines with their names, and below them bands on the same axis."""
    columns, start, end = room(width), x + SCALE, x + width - LEGEND
    span_us = axis(snapshot, columns)
    lines = measure(snapshot, span_us)
    most = HEADROOM * max([1.0, *(value for each in lines for value in each.values if value == value)])
    say = units.seconds if measure is latency_lines else _rate
    canvas.put_right(start - 1, 0, say(int(most)) if high > 1 else "", "dim")
    charts.draw_lines(canvas, start, 0, columns, high, lines, glyphs, top=most)
    if measure is load_lines and snapshot.wasted_per_s and high > len(lines):
        lines.append(Line("for nobody", (-1.0,), _rate(snapshot.wasted_per_s), "stale"))
    charts.draw_ends(canvas, end, 0, LEGEND - 1, high, lines, top=most)
    for y, (edge, breaker) in enumerate(bands, high + spark):
        charts.draw_band(canvas, start, y, columns, pieces(snapshot, breaker, span_us), glyphs)
        canvas.put(end, y, clip(queries.name(edge.id), LEGEND), queries.look(edge).ink)


def _latency_row(canvas: Canvas, snapshot: Snapshot, y: int, glyphs: Glyphs) -> None:
    """p99 as a row of levels, and the median in numbers."""
    columns = room(canvas.width - 1)
    slow, median = latency_lines(snapshot, axis(snapshot, columns))
    draw_spark(canvas, SCALE, y, columns, slow, glyphs)
    whose = "p99 " if snapshot.recorded else "users p99 "  # the card beside the picture has that of an edge
    x = canvas.put(canvas.width - 1 - LEGEND, y, whose, slow.ink)
    x = canvas.put(x, y, slow.said, "bright")
    if median.said != "-" and x + 5 + len(median.said) <= canvas.width:
        canvas.put_right(canvas.width, y, f"50 {median.said}", "dim")


def draw_latency(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """p50 and p99 on one scale, and the selected breaker below."""
    bands = ranked(snapshot, focus)[:1] if canvas.height >= 3 else []
    _chart(canvas, snapshot, 0, canvas.width - 1, canvas.height - len(bands), latency_lines, bands, glyphs)


def draw_breakers(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """A row for every breaker: its states over time, and its error rate now."""
    columns = canvas.width - GUTTER - 13
    span_us = axis(snapshot, columns)
    shown = ranked(snapshot, focus)
    if not shown:
        canvas.put(1, 0, "no edge has a breaker: p gives the selected one a preset", "dim")
    chosen = edge_of(snapshot, focus)
    for y, (edge, breaker) in enumerate(shown[: canvas.height]):
        if edge is chosen:
            canvas.put(0, y, glyphs.mark_left, "bright")
        canvas.put(1, y, clip(queries.name(edge.id), GUTTER - 1), "bright" if edge is chosen else "text")
        charts.draw_band(canvas, GUTTER + 1, y, columns, pieces(snapshot, breaker, span_us), glyphs)
        x = canvas.put(GUTTER + columns + 2, y, queries.look(edge).letter, chip(queries.look(edge).ink)) + 1
        canvas.put(x, y, queries.here(snapshot, breaker), "text")
    hidden = len(shown) - canvas.height
    if hidden > 0:
        canvas.put_right(canvas.width - 1, canvas.height - 1, f"+{hidden}", "dim")


def draw_waste(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """Attempts by what came of them, a row each: rejected early, failed, done for nobody, and calls that went well."""
    columns = canvas.width - GUTTER - 12
    span_us = axis(snapshot, columns)
    names = ("offered", "attempts", "rejected", "errors", "for nobody", "goodput")
    rows = [line(snapshot, span_us, name) for name in names]
    most = max([1.0, *(value for row in rows for value in row.values if value == value)])
    order = rows if canvas.height >= len(rows) else [rows[place] for place in (1, 4, 5, 2, 3, 0)]
    for y, row in enumerate(order[: canvas.height]):
        canvas.put(1, y, row.name, row.ink)
        draw_spark(canvas, GUTTER + 1, y, columns, row, glyphs, top=most)
        canvas.put_right(canvas.width - 1, y, row.said, "bright")


DRAW: Final[dict[str, Callable[[Canvas, Snapshot, Focus, Glyphs], None]]] = {
    "load": draw_load, "latency": draw_latency, "breakers": draw_breakers, "waste": draw_waste,
}  # fmt: skip
