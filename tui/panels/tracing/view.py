"""The picture of a traced system: the traces, one of them as a waterfall, and the verdict over all of them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from engines import units
from engines.tracing.world.snapshot import Snapshot
from tui.canvas import Canvas
from tui.glyphs import Glyphs
from tui.kit import clicks, service_graph
from tui.kit.parts import fitting, part, put_pieces, upright
from tui.kit.words import plural
from tui.panel import Focus, Frame, Hit, Sizes
from tui.panels.tracing import (
    aggregates,
    compare,
    diagnosis,
    headers,
    inspector,
    servicemap,
    strip,
    tracelist,
    verdict,
    waterfall,
)
from tui.panels.tracing import select as s
from tui.panels.tracing.details import brief
from tui.panels.tracing.select import analysis_at, choose, read, rows_of
from tui.panels.tracing.world_words import oddness_words

BESIDE: Final = 66
"""Columns from which the list of traces stands beside the waterfall."""
LIST_MIN, LIST_MAX = 22, 34
TOLD: Final = 10
"""Rows of the inspector from which it tells all about a service."""
OTHERS: Final = 7
"""In other views than the waterfall the verdict takes one part in so many of the picture."""
LEGEND: Final = 12
"""Rows of a waterfall from which its last one explains the bars."""


class Page(NamedTuple):
    """A view: its picture, and what stands in the border above it."""

    draw: Callable[[Canvas, Snapshot, Focus, Glyphs], None]
    title: Callable[[Snapshot, Focus], str]
    note: Callable[[Snapshot, Focus], str] = lambda snapshot, focus: ""


def view(snapshot: Snapshot, focus: Focus, sizes: Sizes, glyphs: Glyphs) -> Frame:
    """Draw everything."""
    snapshot = s.seen(snapshot, focus)
    picture, below, look = (Canvas(*size) for size in sizes)
    page = PAGES.get(read(focus).view, PAGES["waterfall"])
    if picture.height and picture.width:
        draw_picture(picture, snapshot, focus, glyphs, told=look.height >= TOLD)
    strip.draw(below, snapshot, glyphs, s.window_of(focus))
    return Frame(
        picture, below, look,
        picture_title=page.title(snapshot, focus),
        picture_note=noted(snapshot, focus, picture, page, glyphs),
        strip_title=strip.title(snapshot, s.window_of(focus), read(focus).choice),
        strip_note=strip.note(snapshot),
        inspector_title=inspector.draw(look, snapshot, focus, glyphs),
        hits=hits(picture, snapshot, focus, glyphs),
    )  # fmt: skip


def noted(snapshot: Snapshot, focus: Focus, picture: Canvas, page: Page, glyphs: Glyphs) -> str:
    """What stands at the right end of the border; before it what a small waterfall has no row to explain."""
    said = page.note(snapshot, focus)
    if page is not PAGES["waterfall"] or not snapshot.traces:
        return said
    room = picture.width - len(page.title(snapshot, focus)) - 6
    while len(said) > room and "  " in said:  # what is odd gives way to the time of the root
        said = said.partition("  ")[2]
    signs = (f"{glyphs.span} critical here", f"{glyphs.through} below", f"{glyphs.levels[1]}{glyphs.levels[-1]} time")
    small = main_rows(snapshot, picture) < LEGEND
    return fitting(("  ".join((*signs[:count], said)) for count in range(len(signs) * small, -1, -1)), room) or said


def main_rows(snapshot: Snapshot, picture: Canvas) -> int:
    """Rows of a waterfall above its verdict."""
    return picture.height - verdict.height(snapshot, picture.width, picture.height)


def hits(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> tuple[Hit, ...]:
    """Traces and spans by their rows, services of the map by their names."""
    if read(focus).view == "map":
        names = {service.name: choose(focus, service=service.name) for service in snapshot.services}
        return service_graph.hits(canvas, names)
    traces = [row.trace_id for row in s.listed(snapshot, focus)]
    made, items = rows_of(snapshot, focus)
    trace, span = traces.index(focus.node) if focus.node in traces else -1, s.row_of(snapshot, focus)

    def a_trace(step: int) -> Focus | None:
        there = trace + step
        return choose(replace(focus, node=traces[there]), span="") if trace >= 0 and 0 <= there < len(traces) else None

    def a_span(step: int) -> Focus | None:
        there = span + step
        return s.select_span(focus, made, items.items[there].row) if 0 <= there < len(items.items) else None

    if read(focus).view == "list":
        return clicks.rows(canvas, glyphs, 0, canvas.width, a_trace)
    if read(focus).view != "waterfall":
        return ()
    left = column_of(canvas.width) if snapshot.traces else 0
    beside = clicks.rows(canvas, glyphs, 0, left, a_trace) if left else ()
    start = left + 1 if left else 0
    return beside + clicks.rows(canvas, glyphs, start, canvas.width - start, a_span)


def status(snapshot: Snapshot) -> str:
    """The facts of the top line."""
    last = strip.newest(snapshot)
    figures = ""
    if last is not None:
        count = plural(last.requests, "request")
        figures = f"  last {strip.pace(snapshot).words}, {count}: p50 {brief(last.p50_us)}"
        figures += f" {strip.named('p99', last)} {brief(last.p99_us)}"
    kept = f"  {plural(snapshot.collector.traces, 'trace')}" if snapshot.recorded or last is None else ""
    return f"{plural(len(snapshot.services), 'service')}{kept}{figures}"


def _of_trace(snapshot: Snapshot, focus: Focus) -> str:
    """What the waterfall shows."""
    row = snapshot.trace(focus.node)
    if row is None:
        return "traces"
    if not read(focus).root:
        return f"{row.operation}  {plural(row.spans, 'span')}, {plural(row.services, 'service')}"
    made = analysis_at(snapshot, focus)
    top = made.tree.spans[made.tree.root]
    return f"{top.service} {top.name} as root  {plural(made.tree.real, 'span')} of {row.spans:,}"


def _changed(snapshot: Snapshot, focus: Focus) -> str:
    """What is hidden or changed, and the time of the root."""
    row = snapshot.trace(focus.node)
    if row is None:
        return ""
    look = s.look_of(focus)
    parts = []
    if row.note and not look.text:
        parts.append(oddness_words(row.note))
    left_out = analysis_at(snapshot, focus).left_out
    if left_out:
        parts.append(f"{left_out:,} short spans left out")
    if look.only_critical:
        parts.append("only critical")
    if look.at_least_ppm:
        parts.append(f">= {read(focus).hide} %")
    if look.plumbing:
        parts.append("plumbing shown")
    if s.skew(snapshot, focus):
        parts.append(_moved(snapshot, focus))
    if look.text:
        parts.append(f"filter {look.text}")
    return "  ".join((*parts, units.fixed(analysis_at(snapshot, focus).duration_us)))


def _moved(snapshot: Snapshot, focus: Focus) -> str:
    """How far the correction moved the spans of whom: ``corrected: cart +60 ms``."""
    made = analysis_at(snapshot, focus)
    moved = {span.service: made.deltas[span.span_id] for span in made.tree.spans if span.span_id in made.deltas}
    if not moved:
        return "clocks corrected"
    name = max(moved, key=lambda each: (abs(moved[each]), each))
    more = f" and {len(moved) - 1} more" if len(moved) > 1 else ""
    return f"corrected: {name} {'+' if moved[name] > 0 else ''}{units.fixed(moved[name])}{more}"


# -- the parts -------------------------------------------------------------------------------------------------------


def draw_picture(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, told: bool) -> None:
    """The chosen view, and at its foot the verdict; it gives way where the view needs the rows."""
    most = verdict.SHARE_OF_PICTURE if read(focus).view == "waterfall" else OTHERS
    told_above = read(focus).view == "verdict" and (snapshot.diagnosis is None or diagnosis.urgent(snapshot))
    rows = 0 if told_above else verdict.height(snapshot, canvas.width, canvas.height, most)
    with part(canvas, 0, canvas.height - rows, canvas.width, rows) as foot:
        verdict.draw(foot, snapshot, glyphs)
    with part(canvas, 0, 0, canvas.width, canvas.height - rows) as main:
        if read(focus).view == "map":
            servicemap.draw(main, snapshot, focus, glyphs, told)
        else:
            PAGES.get(read(focus).view, PAGES["waterfall"]).draw(main, snapshot, focus, glyphs)


def column_of(width: int) -> int:
    """Columns of the list of traces beside a waterfall; 0: there is no room for it."""
    return min(LIST_MAX, max(LIST_MIN + 2 * (width > 75), width * 24 // 100)) if width >= BESIDE else 0


def _waterfall(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """The traces at the left where there is room, the waterfall of the selected one, and how to read it."""
    left = column_of(canvas.width) if snapshot.traces else 0
    if left:
        with part(canvas, 0, 0, left, canvas.height) as column:
            tracelist.draw_column(column, snapshot, focus, glyphs)
        upright(canvas, left, glyphs)
        left += 1
    explained = canvas.height >= LEGEND and bool(snapshot.traces)
    made, rows = rows_of(snapshot, focus)
    trace = snapshot.trace(focus.node)
    awaited = trace is not None and not trace.complete
    with part(canvas, left, 0, canvas.width - left, canvas.height - explained) as main:
        waterfall.draw(main, made, rows, s.row_of(snapshot, focus), glyphs, awaited)
    if explained:
        pieces = waterfall.legend(made, glyphs)
        fits = sum(len(words) for words, _ in pieces) <= canvas.width - left - 1
        put_pieces(canvas, left + 1, canvas.height - 1, pieces if fits else pieces[:-1], canvas.width)


# -- the views -------------------------------------------------------------------------------------------------------


def _of_aggregates(snapshot: Snapshot, focus: Focus) -> str:
    column = read(focus).column
    return f"services and operations by {column}: {aggregates.TABLE[column].meaning}"


def _differs(snapshot: Snapshot, focus: Focus) -> str:
    known = snapshot.trace(read(focus).other) is not None
    return compare.summary(compare.diff_of(snapshot, focus)) if known else ""


PAGES: Final = {
    "waterfall": Page(_waterfall, _of_trace, _changed),
    "list": Page(tracelist.draw_table,
                 lambda snapshot, focus: f"{plural(len(snapshot.traces), 'trace')} by {read(focus).order}",
                 lambda snapshot, focus: "right opens"),
    "aggregates": Page(aggregates.draw, _of_aggregates,
                       lambda snapshot, focus: plural(len(snapshot.traces), "trace")),
    "map": Page(servicemap.draw, servicemap.title, s.service_of),
    "headers": Page(headers.draw, headers.title,
                    lambda snapshot, focus: plural(len(headers.hops(snapshot, focus)), "hop")),
    "compare": Page(compare.draw, compare.title, _differs),
    "verdict": Page(lambda canvas, snapshot, focus, glyphs: diagnosis.draw(canvas, snapshot, glyphs),
                    lambda snapshot, focus: diagnosis.title(snapshot)),
}  # fmt: skip
"""By the names that views have in a focus."""
