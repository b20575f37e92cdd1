"""The traces, one row each: a narrow column beside the waterfall, a table of its own, and how their latency spreads."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from engines.tracing.spans import plain, said
from engines.tracing.world.control import HEAD
from engines.tracing.world.snapshot import Snapshot, TraceRow
from engines.units import PPM, fixed
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit import tables
from tui.kit.parts import fitting as said_first
from tui.kit.parts import part, put_pieces
from tui.kit.words import plural
from tui.panel import Focus
from tui.panels.tracing.details import brief, heat, level, scale
from tui.panels.tracing.select import listed, read
from tui.panels.tracing.words import sampling_words
from tui.panels.tracing.world_words import oddness_words
from tui.plot import bar

TITLED: Final = 6
"""Rows from which the column has a head."""
COUNTED: Final = 27
"""Columns from which it has room for the number of spans."""
KIND_MIN: Final = 20
"""A root operation with fewer traces is compared with all of them."""
SPREAD: Final = 9
"""Rows that the histogram takes at most, its head included."""
STEPS_US: Final = tuple(step * 10**power for power in range(2, 8) for step in (1, 2, 5))
"""Bounds of the histogram: 100 us, 200 us, 500 us, 1 ms ..."""


def heat_of(rows: Sequence[TraceRow]) -> Callable[[TraceRow], Ink]:
    """How hot each of these traces is: a slow one is slow against its own kind, where that has enough of them."""
    kinds: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        kinds.setdefault((row.service, row.operation), []).append(row.duration_us)
    every = scale([row.duration_us for row in rows])
    own = {kind: scale(values) for kind, values in kinds.items() if len(values) >= KIND_MIN}
    return lambda row: heat(row.duration_us, own.get((row.service, row.operation), every))


def marks(row: TraceRow) -> tuple[str, Ink]:
    """What is wrong with a trace, in one letter."""
    if row.errors:
        return "!", "error"
    if row.missing:
        return "?", "lost"
    if row.note:
        return "*", "warn"
    return (" ", "dim") if row.complete else (".", "dim")


MARKED: Final = {"?": "? holes", "*": "* odd", ".": ". open", "!": "! error"}
"""What a mark means, in the room that the head of a narrow column has; what is seldom there comes first."""


def _rows(
    canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, top: int, room: int
) -> Iterator[tuple[int, TraceRow, bool, Ink]]:
    """As many traces as there is room for, with their heat: row, trace, whether it is selected, and its ink."""
    rows, hot = listed(snapshot, focus), heat_of(snapshot.traces)
    spans = [row.duration_us for row in rows]
    at = next((place for place, row in enumerate(rows) if row.trace_id == focus.node), -1)
    for y, row, selected in tables.listed(canvas, rows, at, glyphs, top, room):
        canvas.put(1, y, level(row.duration_us, glyphs, min(spans), max(spans)), hot(row))
        yield y, row, selected, hot(row)


def draw_column(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """A head where there is room, the traces, and below them the histogram if rows are left over."""
    if canvas.height < 1 or canvas.width < 12:
        return
    head = canvas.height >= TITLED
    room = canvas.height - head
    spread = SPREAD if room >= SPREAD + 8 else 0
    there = set()
    for y, row, selected, ink in _rows(canvas, snapshot, focus, glyphs, head, room - spread):
        end, time = canvas.width - 1, brief(row.duration_us)
        if canvas.width >= COUNTED:
            canvas.put_right(end, y, str(row.spans), "dim")
            end -= 5
        canvas.put_right(end, y, time, ink)
        canvas.put(2, y, *marks(row))
        canvas.put(3, y, fitting(row.operation, end - len(time) - 4), "selected" if selected else "text")
        there.add(marks(row)[0])
    if head:
        told = [told for mark, told in MARKED.items() if mark in there]
        ways = (("traces", *told), told, ("traces", *told[:1]), told[:1], ("traces",))
        canvas.put(1, 0, said_first(map(" ".join, ways), canvas.width - len(f"  {read(focus).order} ")), "dim")
        canvas.put_right(canvas.width - 1, 0, read(focus).order, "dim")
    if spread:
        with part(canvas, 0, canvas.height - spread + 1, canvas.width, spread - 1) as below:
            draw_spread(below, snapshot, glyphs)


def fitting(operation: str, width: int) -> str:
    """The name of an operation; too long, without the HTTP method: the route tells more."""
    if len(operation) > width and " /" in operation:
        operation = operation[operation.index(" /") + 1 :]
    return clip(operation, width)


# -- how latency spreads ---------------------------------------------------------------------------------------------


def draw_spread(canvas: Canvas, snapshot: Snapshot, glyphs: Glyphs) -> None:
    """A histogram of the traces that are listed, on steps of 1, 2, 5."""
    values = [row.duration_us for row in snapshot.traces]
    if not values or canvas.height < 3:
        return
    canvas.put(1, 0, clip(f"latency of these {len(values)}", canvas.width - 2), "dim")
    bins = spread(values, canvas.height - 1)
    most = max(count for _, count in bins)
    usual = scale(values)
    room = canvas.width - 15
    for y, (bound, count) in enumerate(bins, 1):
        canvas.put_right(9, y, f"<{fixed(bound)}", "dim")
        ink = heat(bound // 2, usual)
        canvas.put(10, y, bar(count / most, room, glyphs).replace(glyphs.bar_empty, " "), ink)
        canvas.put_right(canvas.width - 1, y, str(count), "text")


def spread(values: list[int], rows: int) -> list[tuple[int, int]]:
    """(upper bound, how many below it and not below the one before), as many steps as there are rows, at most."""
    low, high = bisect_right(STEPS_US, min(values)), bisect_right(STEPS_US, max(values))
    last = len(STEPS_US) - 1
    places = sorted({min(last, low + (high - low) * i // max(1, rows - 1)) for i in range(rows)} | {min(last, high)})
    bounds = [STEPS_US[place] for place in places[-rows:]]
    counts = [0] * len(bounds)
    for value in values:
        counts[min(len(bounds) - 1, bisect_right(bounds, value))] += 1
    return list(zip(bounds, counts, strict=True))


# -- the table -------------------------------------------------------------------------------------------------------


def draw_table(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """All there is to know of each trace before it is opened."""
    if canvas.height < 2 or canvas.width < 30:
        return
    high = max((row.duration_us for row in listed(snapshot, focus)), default=1)
    name = max(14, min(34, canvas.width * 3 // 10))
    chart = max(0, min(40, canvas.width - name - 50))
    x, column = name + 2, read(focus).attribute
    widths, last = (8, chart + 7, 9), x + chart + 26
    canvas.put(3, 0, "root", "dim")
    tables.put_cells(canvas, x, 0, widths, ((head, "dim") for head in ("time", "spans", "services")))
    canvas.put(last, 0, clip(f"{column}, odd" if column else "odd", canvas.width - last), "dim")
    for y, row, selected, ink in _rows(canvas, snapshot, focus, glyphs, 1, canvas.height - 1):
        canvas.put(3, y, both(row, name - 2), "selected" if selected else "text")
        cells = ((fixed(row.duration_us), ink), (f"{row.spans:,}", "text"), (str(row.services), "text"))
        canvas.put(x + 9, y, bar(row.duration_us / max(1, high), chart, glyphs).replace(glyphs.bar_empty, " "), ink)
        tables.put_cells(canvas, x, y, widths, cells)
        words, odd_ink = odd(row)
        if row.extent_us * 10 > row.duration_us * 11:
            words = f"{fixed(row.extent_us)} with all its spans{f'; {words}' if words else ''}"
        value = f"{valued(snapshot, row, column)}  " if column else ""
        put_pieces(canvas, last, y, ((value, "bright"), (words, odd_ink)), canvas.width)


def valued(snapshot: Snapshot, row: TraceRow, key: str) -> str:
    """The first value of an attribute in a trace; ``-`` where no span has it."""
    found = (plain(said(span, key)) for span in snapshot.store.spans(row.trace_id))
    return next((value for value in found if value is not None), "-")


def both(row: TraceRow, width: int) -> str:
    """Operation and service of the root, or the operation alone."""
    whole = f"{row.operation}  {row.service}"
    return whole if len(whole) <= width else fitting(row.operation, width)


def odd(row: TraceRow) -> tuple[str, Ink]:
    """What a person should know of a trace, in words; else why it was kept."""
    if row.note:
        return oddness_words(row.note), "warn"
    if row.errors:
        return plural(row.errors, "error"), "error"
    if row.missing:
        return plural(row.missing, "missing span"), "lost"
    if not row.complete:
        return "spans still arrive", "dim"
    if row.kept is None or (row.kept.variant == HEAD and row.kept.ppm == PPM):
        return "", "dim"
    return f"kept: {sampling_words(row.kept)}", "dim"
