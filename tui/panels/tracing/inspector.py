"""Everything about the selected span or service, and the arithmetic people otherwise do in their heads."""

from collections.abc import Sequence
from typing import Final

from engines.tracing.aggregate import P50, P99, percentile
from engines.tracing.analysis import Analysis
from engines.tracing.spans import Kind, Span
from engines.tracing.waiting import waited_for
from engines.tracing.whatif import what_if
from engines.tracing.world.control import TAIL
from engines.tracing.world.snapshot import MapEdge, ServiceView, Snapshot
from engines.units import fixed, percent, share
from tui.canvas import Canvas, Ink
from tui.glyphs import Glyphs
from tui.kit.sheet import Facts, Section, fact, listed, of_checks
from tui.kit.sheet import draw as draw_sheet
from tui.kit.words import plural
from tui.panel import Focus
from tui.panels.tracing.details import KINDS, saturation, tail, wait_of
from tui.panels.tracing.headers import is_broken, outcome, shortened
from tui.panels.tracing.select import analysis_at, read, service_of, skew, span_of
from tui.panels.tracing.servicemap import breaker, calls_of, measured_of, slowest_of, state
from tui.panels.tracing.words import ailing_words, sampling_words
from tui.panels.tracing.world_words import oddness_words
from tui.userdata.verdict_words import flaw_words

ATTRIBUTES: Final = 8
"""How many attributes are shown; the others are counted."""
NOTES: Final = 4
WINDOW: Final = "the last 10 s"
"""What the figures of services and calls cover."""
HEADER: Final = 31
"""Columns of a traceparent."""
EXPLAINED: Final = frozenset({
    "pool.name", "pool.in_use", "pool.max", "pool.waiting", "queue.depth", "workers.busy", "workers.max", "lock.name",
    "lock.waiting",
})  # fmt: skip
"""Attributes that the line of the wait says already."""


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> str:
    """Draw what is selected; returns the title."""
    if read(focus).view in ("map", "aggregates"):
        name = service_of(snapshot, focus)
        draw_sheet(canvas, of_service(snapshot, name))
        return name
    made, index = analysis_at(snapshot, focus), span_of(snapshot, focus)
    if index < 0:
        draw_sheet(canvas, [Section(0, whole(snapshot)), of_checks(snapshot.checks, 1)])
        return "no trace yet"
    draw_sheet(canvas, of_span(snapshot, focus, made, index))
    span = made.tree.spans[index]
    return f"{span.service}  {span.name}" if not made.tree.is_missing(index) else "missing span"


# -- a span ----------------------------------------------------------------------------------------------------------


def of_span(snapshot: Snapshot, focus: Focus, made: Analysis, index: int) -> list[Section]:
    """The facts of a span, in reading order."""
    span, row = made.tree.spans[index], snapshot.trace(focus.node)
    if made.tree.is_missing(index):
        awaited = row is not None and not row.complete
        return [Section(0, missing(made, index, awaited)), Section(2, of_trace(snapshot, focus, made)),
                of_checks(snapshot.checks, 3)]  # fmt: skip
    return [
        Section(0, (*kind(span), *times(made, index), *usually(snapshot, span))),
        Section(1, evidence(span)),
        Section(2, context(snapshot, span, whole=not read(focus).root)),
        Section(4, attributes(span)),
        Section(3, (*events(span, made, index), *links(snapshot, span))),
        Section(2, of_trace(snapshot, focus, made)),
        Section(3, machine(snapshot, span.service)),
        Section(7, whole(snapshot)),
        of_checks(snapshot.checks, 8),
    ]


def kind(span: Span) -> Facts:
    """What it is and how it went."""
    wait = wait_of(span)
    yield fact("kind", KINDS.get(Kind(span.kind), "no kind"), "text",
               (f"waiting: {wait.kind}" if wait else "", wait.ink if wait else "text"),
               ("a guess, by its name" if wait and wait.guess else "", "dim"))  # fmt: skip
    if span.is_error:
        yield fact("status", "Error", "error", (span.status_message, "text"))
    elif span.status:
        yield fact("status", "Ok", "good")


def times(made: Analysis, index: int) -> Facts:
    """How long, how much of that is its own, how much of it held the root up."""
    tree = made.tree
    took = tree.end_us[index] - tree.start_us[index]
    own, on_path = made.self_us[index], made.on_path.get(index, 0)
    above = tree.parent[index]
    called = above >= 0 and tree.spans[above].kind == Kind.CLIENT and tree.spans[index].kind == Kind.SERVER
    if called:
        saw = f"as {tree.spans[above].service} saw it: {fixed(made.self_us[above])} on the way"
        yield fact("call", fixed(tree.end_us[above] - tree.start_us[above]), "text", (saw, "dim"))
    yield fact("served" if called else "took", fixed(took), "bright",
               (f"from {since(tree.start_us[index] - made.start_us)}", "text"),
               (f"{share(took, made.duration_us)} of the trace", "dim"))  # fmt: skip
    yield fact("self", fixed(own), "bright", (f"{share(own, took)} of it, the rest is in children", "dim")
               if own < took else ("all of it", "dim"))  # fmt: skip
    if on_path:
        yield fact("critical", fixed(on_path), "leader",
                   (f"on the path: {share(on_path, made.duration_us)} of the trace", "text"))  # fmt: skip
        saved = what_if(tree, {index: took // 2}).saved_us
        whole = "half as long:" if own == took else "half as long, and what it calls:"
        yield fact("what if", whole, "text", (f"the trace saves {fixed(saved)}", "good"))
    else:
        yield fact("critical", "not on the path:", "dim", ("shorter, it would save nothing", "dim"))
    delta = made.deltas.get(tree.spans[index].span_id, 0)
    if delta:
        yield fact("clock", f"moved by {fixed(delta)}", "warn", ("to lie within its parent", "text"))
    elif tree.parent[index] >= 0 and tree.start_us[index] < tree.start_us[tree.parent[index]]:
        early = tree.start_us[tree.parent[index]] - tree.start_us[index]
        yield fact("clock", f"starts {fixed(early)} before its parent:", "warn",
                   ("two hosts, two clocks; C corrects", "text"))  # fmt: skip


def usually(snapshot: Snapshot, span: Span) -> Facts:
    """The same operation over all stored traces."""
    found = stored(snapshot, span)
    if found is not None:
        count, p50_us, p99_us, max_us = found
        slow = p50_us > 0 and span.duration_us >= 8 * p50_us
        times = f"{span.duration_us // p50_us:,} x the median" if slow else ""
        chosen = snapshot.sampling is not None and snapshot.sampling.variant == TAIL
        name = tail(0 if chosen else count)
        of = f"of {count:,}{', no fair sample' if chosen else ''}{';' if times else ''}"
        slowest = f"{name} {fixed(p99_us if name == 'p99' else max_us)}"
        yield fact("stored", f"p50 {fixed(p50_us)}", "good", (slowest, "text"), (of, "dim"), (times, "bad"))


def stored(snapshot: Snapshot, span: Span) -> tuple[int, int, int, int] | None:
    """How many of its operation are stored, their median, 99th percentile and longest; None: nobody has counted yet.

    The table of a living run is some seconds old; what stands beside the traces on the screen is counted from them.
    """
    if snapshot.recorded:
        rows = (row for row in snapshot.aggregates if (row.service, row.operation) == (span.service, span.name))
        return next(((row.spans, row.p50_us, row.p99_us, row.max_us) for row in rows), None)
    found = sorted(each.duration_us for entry in snapshot.store.entries for each in entry.spans
                   if each.name == span.name and each.service == span.service)  # fmt: skip
    return (len(found), percentile(found, P50), percentile(found, P99), found[-1]) if found else None


def evidence(span: Span) -> Facts:
    """What a wait saw when it began."""
    words, wait = ", ".join(saturation(span)), wait_of(span)
    if words and wait is not None:
        name = waited_for(span, wait.kind)
        yield fact("saw", words, wait.ink, (f"at {name}" if name else "", "text"))


def context(snapshot: Snapshot, span: Span, whole: bool = True) -> Facts:
    """The context as it was on the wire: the header that led here, and the ids. Not ``whole``: what is above a
    span that stands for the root is not shown, and so its parent is not known here."""
    hop = next((each for each in snapshot.store.hops(span.trace_id) if each.span_id == span.span_id), None)
    parent = f"parent {span.parent_id}" if span.parent_id else "no parent" if whole else "shown as the root"
    yield fact("span", span.span_id, "text", (parent, "dim"))
    if hop is not None:
        value = next((value for name, value in hop.headers if name.lower() == "traceparent"), "")
        yield fact("header", shortened(value, HEADER) or "no traceparent", "bad" if is_broken(hop) else "text")
        if is_broken(hop):
            yield fact("", outcome(hop), "bad")
    elif whole and not span.parent_id:
        yield fact("", "it starts the trace: no header led here", "dim")
    if span.trace_state:
        yield fact("state", span.trace_state, "text")


def attributes(span: Span) -> Facts:
    """The first of its attributes, and how many more there are."""
    shown = [(name, value) for name, value in span.attributes if name not in EXPLAINED]
    for number, (name, value) in enumerate(shown[:ATTRIBUTES]):
        yield fact("with" if not number else "", name, "dim", (f"{value}"[:200] or "(empty)", "text"))
    rest = len(shown) - ATTRIBUTES
    if rest > 0 or span.dropped_attributes:
        dropped = f"{span.dropped_attributes} dropped by the exporter" if span.dropped_attributes else ""
        yield fact("", f"{rest} more" if rest > 0 else "", "dim", (dropped, "warn"))


def events(span: Span, made: Analysis, index: int) -> Facts:
    """What happened during it."""
    start_ns = made.tree.spans[index].start_ns
    for each in span.events[:3]:
        yield fact("event", since((each.time_ns - start_ns) // 1000), "dim", (each.name, "text"))
    rest = len(span.events) - 3 + span.dropped_events
    if rest > 0:
        yield fact("", f"{plural(rest, 'event')} more", "dim")


def since(us: int) -> str:
    """A moment against another: ``+9.0 ms`` after it, ``-9.0 ms`` before it."""
    return f"{'+' if us >= 0 else '-'}{fixed(abs(us))}"


def links(snapshot: Snapshot, span: Span) -> Facts:
    """What it is linked to: no parenthood, and perhaps another trace."""
    for link in span.links[:2]:
        where = "this trace" if link.trace_id == span.trace_id else f"trace {link.trace_id[:8]}"
        there = where == "this trace" or snapshot.trace(link.trace_id) is not None
        stored = "" if there else "not stored"
        yield fact("link", f"span {link.span_id[:8]} of {where}", "accent", (stored, "dim"))


def missing(made: Analysis, index: int, awaited: bool) -> Facts:
    """A span that nobody sent, but others name as their parent."""
    tree = made.tree
    orphans = plural(len(tree.children[index]), "span")
    yield fact("missing", f"{orphans} {'names' if orphans == '1 span' else 'name'} it as parent;", "lost",
               ("its trace still arrives" if awaited else "it is lost, late, or was not sampled", "text"))  # fmt: skip
    yield fact("span", tree.spans[index].span_id, "text")
    yield fact("seen", since(tree.start_us[index] - made.start_us), "text",
               (f"to {since(tree.end_us[index] - made.start_us)}: what its children took", "dim"))  # fmt: skip


# -- the trace, the machine, the whole -------------------------------------------------------------------------------


def of_trace(snapshot: Snapshot, focus: Focus, made: Analysis) -> Facts:
    """The trace it belongs to, and whatever was odd about it."""
    tree, row = made.tree, snapshot.trace(focus.node)
    yield fact("trace", tree.trace_id, "text")
    yield fact("", f"{plural(tree.real, 'span')}, {plural(made.services, 'service')},", "text",
               (plural(made.errors, "error"), "error" if made.errors else "good"))  # fmt: skip
    yield fact("path", f"{plural(len(made.path.segments), 'segment')},", "leader",
               (f"sum {fixed(made.path.total_us)} = root {fixed(made.duration_us)}",
                "good" if made.path.total_us == made.duration_us else "bad"))  # fmt: skip
    if made.path.reason:
        yield fact("", oddness_words(made.path.reason), "warn")
    if row is not None and row.note and row.note not in tree.notes and row.note is not made.path.reason:
        yield fact("odd", oddness_words(row.note), "warn")
    yield from listed("odd", map(flaw_words, tree.notes[:NOTES]), "warn")
    if skew(snapshot, focus):
        moved = sum(1 for delta in made.deltas.values() if delta)
        corrected = f"corrected: {plural(moved, 'span')} moved;"
        yield fact("clocks", corrected, "accent", ("C shows them as sent", "dim"))


def machine(snapshot: Snapshot, name: str) -> Facts:
    """How the service of the span is now."""
    service = snapshot.service(name)
    if service is None:
        return
    now = state(service)
    words = now.words or (f"{service.calls_per_s}/s" if service.calls_per_s else "no call lately")
    slowest = f"{tail(measured_of(snapshot, service))} {fixed(service.p99_us)} of {WINDOW}" if service.p99_us else ""
    yield fact("now", service.name, "bright", (words, now.ink), (slowest, "text"))
    yield from troubles(service)


def troubles(service: ServiceView) -> Facts:
    """What was done to it."""
    yield from listed("trouble", ailing_words(service.ailing), "warn")
    if service.clock_off_us or service.drift_ppm:
        drift = f"and {percent(service.drift_ppm)} wrong" if service.drift_ppm else ""
        yield fact("clock", f"off by {fixed(service.clock_off_us)}", "warn", (drift, "warn"))


def of_service(snapshot: Snapshot, name: str) -> list[Section]:
    """The facts of a service of the map."""
    service = snapshot.service(name)
    callers, callees = calls_of(snapshot, name)
    return [
        Section(0, measured(snapshot, service) if service is not None else ()),
        Section(1, (*limits(service), *troubles(service)) if service is not None else ()),
        Section(2, neighbours(snapshot, "callers", callers, "src")),
        Section(2, neighbours(snapshot, "calls", callees, "dst")),
        Section(3, operations(snapshot, name)),
        Section(5, whole(snapshot)),
        of_checks(snapshot.checks, 6),
    ]


def measured(snapshot: Snapshot, service: ServiceView) -> Facts:
    """What it is, and how it serves."""
    now = state(service)
    ink: Ink = now.ink if now.letter else "good"
    yield fact("is", f"{service.role} of the {service.layer} layer", "text", (now.words or "well", ink))
    yield fact("serves", f"{service.calls_per_s}/s", "bright", (f"{service.called:,} in all", "dim"))
    slowest = f"{tail(measured_of(snapshot, service))} {fixed(service.p99_us)}"
    yield fact("latency", f"p50 {fixed(service.p50_us)}", "text", (slowest, "bright"),
               (f"of {'all so far' if snapshot.recorded else WINDOW}", "dim"))  # fmt: skip
    yield fact("errors", percent(service.errors_ppm), "error" if service.errors_ppm else "good")


def neighbours(snapshot: Snapshot, label: str, edges: Sequence[MapEdge], end: str) -> Facts:
    """Those at the other ends of its calls."""
    for number, edge in enumerate(edges[:8]):
        yield fact(label if not number else "", getattr(edge, end), "text",
                   (f"{edge.calls_per_s}/s", "dim"), (slowest_of(edge, snapshot.recorded), "dim"),
                   ("async" if edge.asynchronous else "", "accent"), (breaker(edge.breaker), "open"),
                   (f"{percent(edge.errors_ppm)} errors" if edge.errors_ppm else "", "error"))  # fmt: skip


def limits(service: ServiceView) -> Facts:
    """Its workers, its queue and its pool, against what they can hold."""
    if service.workers_max:
        busy = service.workers_busy >= service.workers_max
        line = f"{service.queue_depth} of {service.queue_max} queued" if service.queue_depth else ""
        load = f"{service.workers_busy}/{service.workers_max} busy"
        yield fact("workers", load, "warn" if busy else "text", (line, "warn"))
    if service.pool_max:
        full = service.pool_in_use >= service.pool_max
        line = f"{service.pool_waiting} waiting" if service.pool_waiting else ""
        load = f"{service.pool_name} {service.pool_in_use}/{service.pool_max}"
        yield fact("pool", load, "bad" if full else "text", (line, "bad"))


def operations(snapshot: Snapshot, name: str) -> Facts:
    """Its operations in the stored traces, those with most time of their own first."""
    rows = sorted((row for row in snapshot.aggregates if row.service == name), key=lambda row: -row.self_us)
    for number, row in enumerate(rows[:6]):
        own = fixed(row.self_us // max(1, row.spans))
        yield fact("does" if not number else "", row.operation, "text", (f"{row.spans:,}x", "dim"),
                   (f"self {own}", "dim"), (f"{tail(row.spans)} {fixed(row.p99_us)}", "dim"))  # fmt: skip


def whole(snapshot: Snapshot) -> Facts:
    """The collector: what is kept, and what is not."""
    store = snapshot.collector
    yield fact("store", f"{plural(store.traces, 'trace')},", "text",
               (f"{store.spans:,}{f' of {store.spans_max:,}' if store.spans_max else ''} spans", "text"),
               (f"evicted {store.evicted_traces:,} whole traces" if store.evicted_traces else "", "dim"))  # fmt: skip
    if snapshot.sampling:
        gone = f"{plural(store.unsampled_traces, 'trace')} not kept" if store.unsampled_traces else ""
        yield fact("sampling", sampling_words(snapshot.sampling), "text", (gone, "warn"))
    if store.lost_spans or store.late_spans:
        yield fact("spans", f"{store.lost_spans:,} lost,", "lost" if store.lost_spans else "dim",
                   (f"{store.late_spans:,} late" if store.late_spans else "", "warn"))  # fmt: skip
