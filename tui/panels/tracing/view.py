"""The picture of a traced system: the traces, one of them as a waterfall, and the verdict over all of them."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from engines import units
from engines.tracing.world.snapshot import Snapshot
from tui.canvas import Canvas
from tui.glyphs import Glyphs
from tui.kit import clicks
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
from tui.panels.tracing.details import brief, put_pieces
from tui.panels.tracing.select import analysis_at, choose, fit, read, rows_of, view_of
from tui.panels.tracing.verdict_words import oddness_words

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
    """A view other than the waterfall: its picture, and what stands in the border above it."""

    draw: Callable[[Canvas, Snapshot, Focus, Glyphs], None]
    title: Callable[[Snapshot, Focus], str]
    note: Callable[[Snapshot, Focus], str] = lambda snapshot, focus: ""


def view(snapshot: Snapshot, focus: Focus, sizes: Sizes, glyphs: Glyphs) -> Frame:
    """Draw everything."""
    focus = fit(snapshot, focus)
    snapshot = s.seen(snapshot, focus)
    picture, below, look = (Canvas(*size) for size in sizes)
    if picture.height and picture.width:
        draw_picture(picture, snapshot, focus, glyphs, told=look.height >= TOLD)
    strip.draw(below, snapshot, glyphs, s.window_of(focus))
    return Frame(
        picture, below, look,
        picture_title=title(snapshot, focus),
        picture_note=note(snapshot, focus),
        strip_title=strip.title(snapshot, s.window_of(focus), read(focus).choice),
        strip_note=strip.note(snapshot),
        inspector_title=inspector.draw(look, snapshot, focus, glyphs),
        hits=hits(picture, snapshot, focus, glyphs),
    )  # fmt: skip


def hits(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> tuple[Hit, ...]:
    """Traces and spans by their rows, services of the map by their names."""
    if view_of(focus) == "map":
        names = {service.name: choose(focus, service=service.name) for service in snapshot.services}
        return clicks.named(canvas, names)
    traces = [row.trace_id for row in s.listed(snapshot, focus)]
    made, items = rows_of(snapshot, focus)
    trace, span = traces.index(focus.node) if focus.node in traces else -1, s.row_of(snapshot, focus)

    def a_trace(step: int) -> Focus | None:
        there = trace + step
        return choose(replace(focus, node=traces[there]), span="") if trace >= 0 and 0 <= there < len(traces) else None

    def a_span(step: int) -> Focus | None:
        there = span + step
        return s.select_span(focus, made, items.items[there].row) if 0 <= there < len(items.items) else None

    if view_of(focus) == "list":
        return clicks.rows(canvas, glyphs, 0, canvas.width, a_trace)
    if view_of(focus) != "waterfall":
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


def title(snapshot: Snapshot, focus: Focus) -> str:
    """What the picture shows."""
    row = snapshot.trace(focus.node)
    name = f"{row.operation}  {plural(row.spans, 'span')}, {plural(row.services, 'service')}" if row else "traces"
    if row and read(focus).root:
        made = analysis_at(snapshot, focus)
        top = made.tree.spans[made.tree.root]
        name = f"{top.service} {top.name} as root  {plural(made.tree.real, 'span')} of {row.spans:,}"
    page = PAGES.get(view_of(focus))
    return page.title(snapshot, focus) if page is not None else name


def note(snapshot: Snapshot, focus: Focus) -> str:
    """What is hidden or changed, and the time of the root."""
    if view_of(focus) in PAGES:
        return PAGES[view_of(focus)].note(snapshot, focus)
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
    """How far the correction moved the spans of whom: ``clocks corrected: cart +60 ms``."""
    made = analysis_at(snapshot, focus)
    moved = {span.service: made.deltas[span.span_id] for span in made.tree.spans if span.span_id in made.deltas}
    if not moved:
        return "clocks corrected"
    name = max(moved, key=lambda each: (abs(moved[each]), each))
    more = f" and {len(moved) - 1} more" if len(moved) > 1 else ""
    return f"clocks corrected: {name} {'+' if moved[name] > 0 else ''}{units.fixed(moved[name])}{more}"


# -- the parts -------------------------------------------------------------------------------------------------------


def draw_picture(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, told: bool) -> None:
    """The chosen view, and at its foot the verdict; it gives way where the view needs the rows."""
    part = verdict.SHARE_OF_PICTURE if view_of(focus) == "waterfall" else OTHERS
    told_above = view_of(focus) == "verdict" and diagnosis.urgent(snapshot)
    rows = 0 if told_above else verdict.height(snapshot, canvas.width, canvas.height, part)
    foot = Canvas(canvas.width, rows)
    main = Canvas(canvas.width, canvas.height - foot.height)
    verdict.draw(foot, snapshot, glyphs)
    if view_of(focus) == "map":
        servicemap.draw(main, snapshot, focus, glyphs, told)
    elif view_of(focus) in PAGES:
        PAGES[view_of(focus)].draw(main, snapshot, focus, glyphs)
    else:
        _waterfall(main, snapshot, focus, glyphs)
    canvas.blit(main, 0, 0)
    canvas.blit(foot, 0, main.height)


def column_of(width: int) -> int:
    """Columns of the list of traces beside a waterfall; 0: there is no room for it."""
    return min(LIST_MAX, max(LIST_MIN + 2 * (width > 75), width * 24 // 100)) if width >= BESIDE else 0


def _waterfall(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """The traces at the left where there is room, the waterfall of the selected one, and how to read it."""
    left = column_of(canvas.width) if snapshot.traces else 0
    if left:
        column = Canvas(left, canvas.height)
        tracelist.draw_column(column, snapshot, focus, glyphs)
        canvas.blit(column, 0, 0)
        for y in range(canvas.height):
            canvas.put(left, y, glyphs.vertical, "line")
        left += 1
    explained = canvas.height >= LEGEND and bool(snapshot.traces)
    part = Canvas(canvas.width - left, canvas.height - explained)
    made, rows = rows_of(snapshot, focus)
    trace = snapshot.trace(focus.node)
    awaited = trace is not None and not trace.complete
    waterfall.draw(part, made, rows, s.row_of(snapshot, focus), glyphs, awaited)
    canvas.blit(part, left, 0)
    if explained:
        pieces = waterfall.legend(analysis_at(snapshot, focus), glyphs)
        if sum(len(words) for words, _ in pieces) > part.width - 1:
            pieces = pieces[:-1]
        put_pieces(canvas, left + 1, canvas.height - 1, pieces, canvas.width)


# -- the other views -------------------------------------------------------------------------------------------------


def _traces(snapshot: Snapshot) -> str:
    return plural(len(snapshot.traces), "trace")


def _of_aggregates(snapshot: Snapshot, focus: Focus) -> str:
    column = aggregates.column_of(focus)
    return f"services and operations by {column}: {aggregates.MEANINGS[column]}"


def _of_map(snapshot: Snapshot, focus: Focus) -> str:
    return f"service map  {plural(len(snapshot.services), 'service')}, {plural(len(snapshot.map_edges), 'call')}"


def _of_headers(snapshot: Snapshot, focus: Focus) -> str:
    row = snapshot.trace(focus.node)
    return f"headers hop by hop  {row.operation}" if row else "headers"


def _differs(snapshot: Snapshot, focus: Focus) -> str:
    known = snapshot.trace(read(focus).other) is not None
    return compare.summary(compare.diff_of(snapshot, focus)) if known else ""


PAGES: Final = {
    "list": Page(tracelist.draw_table, lambda snapshot, focus: f"{_traces(snapshot)} by {s.order_of(focus)}",
                 lambda snapshot, focus: "right opens"),
    "aggregates": Page(aggregates.draw, _of_aggregates, lambda snapshot, focus: _traces(snapshot)),
    "map": Page(servicemap.draw, _of_map, s.service_of),
    "headers": Page(headers.draw, _of_headers,
                    lambda snapshot, focus: plural(len(headers.hops(snapshot, focus)), "hop")),
    "compare": Page(compare.draw, compare.title, _differs),
    "verdict": Page(lambda canvas, snapshot, focus, glyphs: diagnosis.draw(canvas, snapshot, glyphs),
                    lambda snapshot, focus: diagnosis.title(snapshot)),
}  # fmt: skip
"""By the names that views have in a focus."""
