"""The way of the context, hop by hop: which headers left, which arrived, and what the service made of them.

A trace is one trace only because every service takes the parent out of the headers it gets and puts itself into the
headers it sends. The simulation shows the headers that were really on the wire; of a file only the spans are there, so
they are written as the spans say they must have been.
"""

from collections.abc import Iterator
from typing import Final
from weakref import WeakKeyDictionary

from engines import units
from engines.tracing.analysis import Analysis
from engines.tracing.spans import Kind
from engines.tracing.world.snapshot import Hop, Snapshot
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.parts import Piece, put_lines
from tui.kit.tables import listed
from tui.panel import Focus
from tui.panels.tracing.select import analysis_at, choose, select_span, span_of
from tui.panels.tracing.world_words import new_trace_words, oddness_words

CONTINUED: Final = "continued"
FROM_SPANS: Final = "as the spans tell"
OUTSIDE: Final = frozenset({"users", "you"})
"""Who has no spans: their requests begin traces."""
ENTERS: Final = frozenset({Kind.SERVER, Kind.CONSUMER})


def hops(snapshot: Snapshot, focus: Focus) -> tuple[Hop, ...]:
    """The calls of the selected trace in the order of time: as they were sent, else as the spans tell."""
    found = snapshot.store.hops(focus.node)
    if found:
        return found
    made = analysis_at(snapshot, focus)
    return _TOLD.get(made) or _TOLD.setdefault(made, tuple(_told(made)))


_TOLD: WeakKeyDictionary[Analysis, tuple[Hop, ...]] = WeakKeyDictionary()
"""What the spans of a trace tell of its headers, once somebody has asked."""


def _told(made: Analysis) -> list[Hop]:
    tree = made.tree
    found = []
    for index in tree.order:
        span, above = tree.spans[index], tree.parent[index]
        if above < 0 or tree.is_missing(index) or tree.is_missing(above):
            continue
        parent = tree.spans[above]
        if parent.service == span.service or (span.kind not in ENTERS and span.kind != Kind.UNSPECIFIED):
            continue
        flags = f"{span.flags & 0xFF:02x}" if span.flags else "01"
        sent = [("traceparent", f"00-{span.trace_id}-{span.parent_id}-{flags}")]
        if span.trace_state:
            sent.append(("tracestate", span.trace_state))
        at_us, way = tree.start_us[index], (parent.service, span.service)
        found.append(Hop(at_us, *way, span.name, tuple(sent), None, span.span_id, True))
    return sorted(found, key=lambda hop: hop.at_us)


def place(snapshot: Snapshot, focus: Focus) -> int:
    """The hop that led to the selected span or to its nearest ancestor that has one; -1: none did."""
    made = analysis_at(snapshot, focus)
    by_span = {hop.span_id: number for number, hop in enumerate(hops(snapshot, focus))}
    index = span_of(snapshot, focus)
    while index >= 0:
        found = by_span.get(made.tree.spans[index].span_id)
        if found is not None:
            return found
        index = made.tree.parent[index]
    return -1


def move(snapshot: Snapshot, focus: Focus, step: int) -> Focus:
    """The hop so many places further down, and the span it led to."""
    there = hops(snapshot, focus)
    made = analysis_at(snapshot, focus)
    at = place(snapshot, focus) + step
    while 0 <= at < len(there):
        index = made.find(there[at].span_id)
        if index >= 0:
            return select_span(focus, made, index)
        at += step
    return choose(focus)


def title(snapshot: Snapshot, focus: Focus) -> str:
    """Whose they are."""
    row = snapshot.trace(focus.node)
    return f"headers hop by hop  {row.operation}" if row else "headers"


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """A row a hop; below, the headers of the selected one in full."""
    there = hops(snapshot, focus)
    if canvas.height < 1 or canvas.width < 30:
        return
    if not there:
        _none(canvas, snapshot, focus)
        return
    at = max(0, place(snapshot, focus))
    detail = list(whole(there[at]))
    below = min(len(detail) + 1, canvas.height // 2) if canvas.height >= 5 else 0
    room = canvas.height - below
    start_us = analysis_at(snapshot, focus).start_us
    route = min(34, max(20, canvas.width * 2 // 5))
    for y, hop, selected in listed(canvas, there, at, glyphs, room=room):
        _hop(canvas, y, hop, selected, route, start_us, glyphs)
    put_lines(canvas, 1, room + 1, detail[: max(0, below - 1)], canvas.width)
    if below:
        canvas.put(0, room, glyphs.horizontal * canvas.width, "line")
        canvas.put(2, room, f" headers of {there[at].src} {glyphs.arrow_right} {there[at].dst} ", "accent")


def _none(canvas: Canvas, snapshot: Snapshot, focus: Focus) -> None:
    row = snapshot.trace(focus.node)
    text = "No call between services in this trace." if row is not None else "No trace yet."
    canvas.put(1, 0, clip(text, canvas.width - 1), "dim")
    if row is not None and row.note and canvas.height > 1:
        canvas.put(1, 1, clip(oddness_words(row.note), canvas.width - 1), "warn")


def _hop(canvas: Canvas, y: int, hop: Hop, selected: bool, route: int, start_us: int, glyphs: Glyphs) -> None:
    broken = is_broken(hop)
    canvas.put_right(9, y, f"+{units.fixed(hop.at_us - start_us)}" if hop.at_us >= start_us else "", "dim")
    ink: Ink = "selected" if selected else "text"
    x = canvas.put(10, y, clip(hop.src, route // 2), ink)
    x = canvas.put(x, y, f" {glyphs.arrow_right} ", "bad" if broken else "good")
    canvas.put(x, y, clip(hop.dst, max(0, 10 + route - x)), ink)
    x = 12 + route
    canvas.put(x, y, clip(told(hop, canvas.width - x), canvas.width - x), "bad" if broken else "dim")


def outcome(hop: Hop) -> str:
    """What became of the headers."""
    if hop.why is not None:
        return f"new trace: {new_trace_words(hop.why)}"
    return FROM_SPANS if hop.from_spans else CONTINUED


def is_broken(hop: Hop) -> bool:
    """Whether the trace should have gone on here and did not: only users call without headers."""
    return hop.why is not None and hop.src not in OUTSIDE


def told(hop: Hop, width: int) -> str:
    """What the headers said, as short as there is room for."""
    if is_broken(hop):
        return outcome(hop)
    if hop.src in OUTSIDE:
        return "the trace begins here"
    sent = {name.lower(): value for name, value in hop.headers}
    value = sent.get("traceparent") or sent.get("b3") or sent.get("x-b3-traceid") or "no trace header"
    return shortened(value, width)


def shortened(value: str, width: int) -> str:
    """A traceparent in so many columns: the middles of its ids go first."""
    if len(value) <= width or value.count("-") != 3:
        return value
    version, trace, span, flags = value.split("-")
    return f"{version}-{trace[:6]}..{trace[-4:]}-{span if width >= 35 else span[:6] + '..'}-{flags}"


def whole(hop: Hop) -> Iterator[list[Piece]]:
    """The headers in full, what they mean, and what became of them."""
    yield from ([(f"{name}: ", "key"), (value, "text")] for name, value in hop.headers)
    if not hop.headers and is_broken(hop):
        unknown = f"{hop.dst} cannot know that it is part of anything"
        yield [("no trace header was sent: ", "bad"), (unknown, "text")]
    value = next((value for name, value in hop.headers if name.lower() == "traceparent"), "")
    if value.count("-") == 3:
        _, _, span, flags = value.split("-")
        kept = "sampled" if flags[-1:] in "13579bdf" else "not sampled"
        of = f"the span of {hop.dst} has the parent "
        yield [(of, "dim"), (span, "text"), (f", {kept} (flags {flags})", "dim")]
    yield [("outcome: ", "dim"), (outcome(hop), "bad" if is_broken(hop) else "good")]
