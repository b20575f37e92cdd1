"""The inspector: the selected breaker and its edge, or the selected service, with the sums people would do."""

from typing import Final

from engines import units
from engines.resilience.policy import WindowKind, percent
from engines.resilience.world.snapshot import BreakerView, EdgeView, RetryView, ServiceView, Snapshot
from engines.resilience.world.topology import KINDS
from tui.canvas import Canvas, Ink
from tui.glyphs import Glyphs
from tui.kit.parts import part
from tui.kit.service_graph import into, out_of
from tui.kit.sheet import Fact, Facts, Section, fact, listed
from tui.kit.sheet import draw as draw_sheet
from tui.kit.words import plural
from tui.panel import Focus
from tui.panels.resilience import card, queries
from tui.panels.resilience.select import edge_of, service_of
from tui.panels.resilience.words import backoff, edge_faults, failure, host_faults, load, service_time

CARD: Final = 19
"""Rows that the breaker gets where there is room for more than it."""

SETTINGS: Final = {
    "window": "window of", "window_us": "length", "buckets": "buckets", "size": "size", "minimum": "minimum",
    "failure_ppm": "threshold", "failure_at": "met by", "slow_us": "slow from", "slow_ppm": "slow threshold",
    "judged_on": "judged on", "wait_us": "open for", "waiting": "ended by", "probes": "probes",
    "half_open": "half-open: judged by", "half_open_max_us": "for at most", "late": "a late result",
    "released": "without a result", "inner_rejections": "rejections further in count",
    "probe_counts": "the probe that closed it counts", "rejection_reopens": "a rejected call re-opens it",
}  # fmt: skip
"""The options of a breaker as they are said before their values."""


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, machine: bool) -> str:
    """Fill it; returns its title. ``machine``: the breaker's drawing belongs here, as the picture has no room."""
    service = service_of(snapshot, focus)
    failed = _failed(snapshot)
    if service is not None:
        draw_sheet(canvas, [*failed, *of_service(snapshot, service)])
        return f"service  {service.id}"
    edge = edge_of(snapshot, focus)
    if edge is None:
        return "nothing is here"
    sections = [*failed, *of_edge(snapshot, edge)]
    rows = 0
    if machine and canvas.height >= 8:
        room = min(CARD, canvas.height - 4 * (canvas.height > 18) - 3 * bool(failed))
        with part(canvas, 0, 0, canvas.width, room if canvas.height >= room + 4 else canvas.height) as above:
            used = card.draw(above, snapshot, edge, glyphs)
        rows = used + (canvas.height - used > 6)
    if canvas.height - rows >= 2:
        with part(canvas, 0, rows, canvas.width, canvas.height - rows) as rest:
            draw_sheet(rest, sections)
    return f"{edge.id}  {queries.look(edge).name}"


def _failed(snapshot: Snapshot) -> list[Section]:
    """Checks that failed come first, on every page."""
    failed = [check for check in snapshot.checks if not check.ok]
    rows = (fact("FAILED", f"{check.name}{units.when(check.at_us, ' ')}", "bad", (f": {check.detail}", "text"))
            for check in failed)  # fmt: skip
    return [Section(-1, rows)] if failed else []


# -- an edge ----------------------------------------------------------------------------------------------------------


def of_edge(snapshot: Snapshot, edge: EdgeView) -> list[Section]:
    """What goes over it, how calls multiply, and every layer of its pipeline with its numbers."""
    return [
        Section(0, (*_traffic(snapshot, edge), _multiplied(snapshot, edge))),
        Section(1, _pipeline(edge)),
        Section(2, _faults(edge)),
        Section(3, _hosts_seen(snapshot, edge)),
        Section(5, _calls(snapshot, 3, edge)),
        Section(6, (_all_settings(edge.breaker),) if edge.breaker is not None else ()),
    ]


def _traffic(snapshot: Snapshot, edge: EdgeView) -> Facts:
    """Asked, sent, turned away, failed, and how long it took."""
    rejected: tuple[str, Ink] = (f"; {edge.rejected_per_s}/s turned away", "half-open")
    yield fact("calls", f"{edge.calls_per_s}/s asked, {edge.attempts_per_s}/s sent", "bright",
               *((rejected,) if edge.rejected_per_s else ()), (f"; {edge.running} under way", "text"))  # fmt: skip
    away = "of all, those turned away included" if edge.rejected_per_s else ""
    yield fact("errors", *queries.errors(snapshot, edge), (away, "dim"))
    if edge.slowest_us:
        told = f"p50 {_ms(edge.median_us)}, p99 {_ms(edge.slowest_us)}"
        yield fact("latency", told, "text", ("of those that ended", "dim"))
    if edge.breaker is not None and edge.breaker.rejected:
        breaker = edge.breaker
        many = "all" if breaker.rejected_here == breaker.rejected else f"{breaker.rejected_here:,}"
        here = f", {many} of them in this state" if breaker.rejected_here else ""
        yield fact("rejected", f"{breaker.rejected:,} fast{here}", "text")


def _ms(span_us: int) -> str:
    return units.seconds(span_us) if span_us > 0 else "-"


def _multiplied(snapshot: Snapshot, edge: EdgeView) -> Fact:
    """(1+r)^L along the way to here, and what the retries really cost at present."""
    way = snapshot.way(edge)
    product, least = queries.amplification(way), queries.budgeted(way)
    if product == 1:
        return fact("amplifies", "nothing: no retries lead here", "good")
    sums = " x ".join(f"(1+{each.retry.retries})" for each in way if each.retry and each.retry.retries)
    capped = (f"; with budgets near {least:.1f}", "good") if least < product else ("", "dim")
    now = f", now {queries.times(edge.amplified_ppm)} here" if edge.amplified_ppm >= 0 else ""
    return fact("amplifies", f"up to {sums} = {product}", "warn", (now, "text"), capped)


def _pipeline(edge: EdgeView) -> Facts:
    """The order, what is off in brackets, and each layer that is on."""
    parts = tuple((f"{'> ' * (i > 0)}{layer}" if layer in edge.order else f"{'> ' * (i > 0)}({layer})",
                   "bright" if layer in edge.order else "dim") for i, layer in enumerate(edge.pipeline))  # fmt: skip
    yield Fact("pipeline", parts)
    if edge.retry is not None:
        yield from _retry(edge.retry)
    if edge.timeout_us:
        told = "the callee is told" if edge.deadline else "the callee is not told, and works on"
        yield fact("timeout", units.exact(edge.timeout_us), "bright", (f"; {told}", "text"))
    if edge.bulkhead is not None:
        walls = edge.bulkhead
        full: Ink = "bad" if walls.busy >= walls.size > 0 else "bright"
        others = f"; {walls.waiting}/{walls.queue_max} wait, {walls.refused:,} refused so far"
        yield fact("bulkhead", f"{walls.busy}/{walls.size} permits", full, (others, "text"))
    if edge.limiter is not None:
        bucket = edge.limiter
        left = f"; {bucket.tokens}/{bucket.burst} tokens, {bucket.refused:,} refused so far"
        yield fact("limiter", f"{bucket.per_s}/s", "bright", (left, "text"))
    if edge.hedge_ppm:
        after = f"after {_ms(edge.hedge_after_us)}" if edge.hedge_after_us > 0 else "not enough calls yet"
        yield fact("hedging", f"after p{edge.hedge_ppm // 10_000}, {after}", "bright",
                   (f"; {edge.hedges:,} sent, {edge.hedges_won:,} of them first, so far", "text"))  # fmt: skip
    if edge.fallback:
        yield fact("fallback", f"{edge.fallbacks:,} calls got another answer", "text")


def _retry(retry: RetryView) -> Facts:
    so_far = f"; {retry.retried:,} so far" if retry.retried or retry.denied else ""
    yield fact("retry", plural(retry.retries, "time") if retry.retries else "never", "bright",
               (f"; {backoff(retry)}" if retry.retries else "", "text"), (so_far, "text"))  # fmt: skip
    if retry.retries and retry.budget_ppm >= 0:
        left: Ink = "bad" if retry.budget_left <= 0 else "good"
        yield fact("budget", f"{percent(retry.budget_ppm)} of calls", "bright", (f"; {retry.budget_left} left", left),
                   (f", {retry.denied:,} denied so far", "text"))  # fmt: skip
    elif retry.retries:
        yield fact("budget", "none: every failure may be retried", "dim")


def _faults(edge: EdgeView) -> Facts:
    """What is wrong on the way, and Istio's part in it."""
    yield from listed("fault", edge_faults(edge), "slow")
    if edge.delay_percent or edge.abort_percent:
        yield fact("", "injected on purpose: a test tool (Istio)", "dim")


def _hosts_seen(snapshot: Snapshot, edge: EdgeView) -> Facts:
    """Envoy's caps, and what outlier detection thinks of each host."""
    for cap in edge.caps:
        over = f", {cap.overflows:,} over so far" if cap.overflows else ""
        yield fact(cap.name, f"{cap.used} of {cap.limit}", "bad" if cap.used >= cap.limit else "text", (over, "warn"))
    for each in edge.outliers:
        left = units.seconds(max(0, each.returns_us - snapshot.now_us)) if each.returns_us >= 0 else "?"
        if each.ejected:
            yield fact(each.host, f"ejected, back in {left}", "open", (f"; {plural(each.times, 'time')}", "text"))
        else:
            errors = f"{plural(each.consecutive, 'error')} in a row"
            yield fact(each.host, errors, "warn" if each.consecutive else "text")


def _all_settings(breaker: BreakerView) -> Fact:
    """Every option of the breaker in force that means something beside the others."""
    options = breaker.options
    counts = options.window is WindowKind.COUNT
    idle = {"window_us": counts, "buckets": counts, "size": not counts, "slow_ppm": not options.slow_us,
            "probe_counts": not options.probe_counts, "rejection_reopens": not options.rejection_reopens}  # fmt: skip
    said = [(SETTINGS[name], value) for name, value in options.words()
            if name in SETTINGS and value != "off" and not idle.get(name)]  # fmt: skip
    parts = [piece for name, value in said for piece in ((name, "dim"), (f"{value};", "text"))]
    return Fact("preset", ((f"{breaker.preset}:", "accent"), *parts))


# -- a service --------------------------------------------------------------------------------------------------------


def of_service(snapshot: Snapshot, service: ServiceView) -> list[Section]:
    """Its workers and its line with the sums of queueing, its machines, and the edges around it."""
    if service.layer == "client":
        return [Section(0, _of_clients(snapshot)), Section(1, _calls(snapshot, 12))]
    return [
        Section(0, _state(snapshot, service)),
        Section(1, _queueing(snapshot, service)),
        Section(2, _waste(service)),
        Section(3, _machines(snapshot, service)),
        Section(4, _around(snapshot, service)),
        Section(5, _calls(snapshot, 3)),
    ]


def _of_clients(snapshot: Snapshot) -> Facts:
    failed, ended = snapshot.failed, snapshot.good + snapshot.failed
    yield fact("load", load(snapshot), "bright", (f"; they ask for {snapshot.mix}", "text"))
    yield fact("so far", f"{snapshot.offered:,} calls", "text", (f"; {snapshot.good:,} ended well", "good"),
               (f", {failed:,} failed", "bad" if failed else "text"),
               (f"({queries.share(failed, ended)})", "dim"))  # fmt: skip


def _state(snapshot: Snapshot, service: ServiceView) -> Facts:
    held = "; a worker is held while its call waits elsewhere" if service.layer != "database" else ""
    busy = f"{service.busy} of {service.workers} busy"
    yield fact("workers", busy, queries.service_ink(service), (held, "dim"))
    shed = f"; refuses what would wait longer than {units.seconds(service.shed_us)}" if service.shed_us else ""
    order = "newest first" if service.newest_first else "oldest first"
    line = queries.line_ink(service, "bright")
    yield fact("line", f"{service.queue} of {service.queue_max}", line, (f", {order}{shed}", "text"))
    waits = max((host.wait_us for host in service.hosts), default=0)
    if service.queue:
        first = f"the first for {units.seconds(waits)}; " if waits > 0 else ""
        drain = units.seconds(snapshot.drain_us(service))
        yield fact("waits", f"{first}{drain} to work it off", "text")


def _queueing(snapshot: Snapshot, service: ServiceView) -> Facts:
    """Arrivals against what it can do, and Little's law."""
    yield fact("work", service_time(service), "text")
    most = snapshot.capacity(service)
    if most:
        sent = snapshot.sent_per_s(service)
        busy = sent * snapshot.held_us(service) // snapshot.working(service)
        ink: Ink = "bad" if busy >= 1_000_000 else "warn" if busy >= 800_000 else "good"
        yield fact("load", percent(busy), ink,
                   (f"= {sent}/s of {queries.rate(most)}: a call holds a worker for "
                    f"{units.seconds(snapshot.held_us(service))}", "text"))  # fmt: skip
    inside = service.queue + service.busy
    if service.done_per_s > 0:
        stay = inside * 1_000_000 // service.done_per_s
        yield fact("Little", f"{inside} inside = {service.done_per_s}/s x {units.seconds(stay)} each", "dim")


def _waste(service: ServiceView) -> Facts:
    """What comes of its work."""
    yield fact("done", f"{service.done_per_s}/s", "bright", (f"; {service.done:,} so far", "text"))
    if service.refused_per_s:
        yield fact("refused", f"{service.refused_per_s}/s", "warn", ("at once, which is cheap", "dim"))
    if service.wasted:
        yield fact("wasted", f"{service.wasted_per_s}/s", "bad" if service.wasted_per_s else "text",
                   (f"; {service.wasted:,} so far, {queries.share(service.wasted, service.done)} of its work: "
                    "the caller had given up", "text"))  # fmt: skip


def _machines(snapshot: Snapshot, service: ServiceView) -> Facts:
    """Each machine where they are several, or what ails the only one."""
    for host in service.hosts:
        wrong = host_faults(host)
        if len(service.hosts) == 1 and not wrong:
            continue
        _, ink = queries.host_sign(snapshot, service, host)
        told = ", ".join(wrong) or "well"
        does = f"; {host.busy}/{host.workers} busy, {host.queue} wait"
        yield fact(host.id, told, ink, (does, "text"))


def _around(snapshot: Snapshot, service: ServiceView) -> Facts:
    """The breakers before and behind it."""
    callers, callees = into(snapshot.edges, service.id), out_of(snapshot.edges, service.id)
    for label, edges, end in (("called by", callers, "src"), ("calls", callees, "dst")):
        for number, edge in enumerate(edges):
            yield fact(label if not number else "", f"{getattr(edge, end)}:", "text", queries.look(edge)[1:3],
                       (f", {edge.attempts_per_s}/s", "dim"))  # fmt: skip


def _calls(snapshot: Snapshot, count: int, over: EdgeView | None = None) -> Facts:
    """The newest calls of clients, and how they ended; ``over``: of those that go over this edge."""
    ended = [call for call in snapshot.calls if call.state != "running" or call.client == snapshot.you]
    if over is not None:
        way = {edge.dst for edge in snapshot.way(over)[1:2]}
        ended = [call for call in ended if way <= set(KINDS.get(call.kind, way))]
    for call in reversed(ended[-count:]):
        label = call.kind if call.client != snapshot.you else f"you {call.kind}"
        took = f" in {units.seconds(call.took_us)}" if call.took_us >= 0 else ""
        ended_so = f"{call.state}{took}, {plural(call.requests, 'request')}"
        yield fact(label, ended_so, queries.ENDS.get(call.state, "text"),
                   (f"; {failure(call.why, call.origin)}" if call.why else "", "text"))  # fmt: skip
