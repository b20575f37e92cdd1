"""The snapshot, built from what changed since the last one.

A ``View`` belongs to an engine but is no part of its state: a checkpoint leaves it out, and what it returns depends on
the engine alone. It only saves building the same tuples again.
"""

from typing import TYPE_CHECKING, Any

from engines.sim.world import UP, Host
from engines.tracing.spans import Span
from engines.tracing.world.broker import Broker
from engines.tracing.world.collector import Judged
from engines.tracing.world.messages import Ack, Call, Deliver, Export, Reply
from engines.tracing.world.snapshot import (
    TRACES_MAX,
    ChangedLink,
    Collector,
    Flight,
    Hop,
    MapEdge,
    ServiceView,
    Snapshot,
    SpanTable,
    TraceEntry,
    TraceRow,
)
from engines.tracing.world.truth import percent

if TYPE_CHECKING:
    from engines.tracing.world.engine import TracingEngine
    from engines.tracing.world.node import ServiceNode

PPM = 1_000_000
Known = tuple[int, int, Judged | None, TraceRow, TraceEntry]


class View:
    """What is already built."""

    def __init__(self) -> None:
        self.services: dict[str, ServiceView] = {}
        self.all: tuple[ServiceView, ...] = ()
        self.restless: tuple[Host, ...] | None = None
        """Hosts that change without an event of theirs: frozen ones, and those whose clock drifts."""
        self.links: tuple[Any, ...] | None = None
        self.version = (-1, -1)
        self.known: dict[str, Known] = {}
        self.rows: tuple[TraceRow, ...] = ()
        self.table = SpanTable()

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return View, ()

    def touched(self, name: str) -> None:
        """Something happened at this host."""
        self.services.pop(name, None)

    def forget(self) -> None:
        """Everything may have changed, but for the traces."""
        self.services.clear()
        self.restless = self.links = None

    def take(self, engine: "TracingEngine") -> Snapshot:
        """The picture now."""
        control, found, users = engine.control, engine.findings, engine.users()
        self.take_traces(engine)
        wait = "with backoff" if control.backoff else "at once"
        return Snapshot(
            now_us=engine.now_us, seed=engine.seed, variant=engine.variant, recorded=False,
            services=self.take_services(engine), map_edges=engine.map_edges, traces=self.rows, store=self.table,
            series=tuple(engine.series), aggregates=found.aggregates, diagnosis=found.diagnosis,
            no_diagnosis=found.reason, root_operation=found.root, verdicts=found.verdicts,
            injected=tuple(engine.injected.values()), score=found.score, collector=_collector(engine),
            sampling=control.sampling(), correction=control.correct, load=users.shape, rate_per_s=users.rate,
            retries="1 attempt" if control.attempts == 1 else f"{control.attempts} attempts {wait}",
            operations=engine.operations, rules=control.rules.items(), checks=engine.check(),
            flights=_flights(engine), links=self.take_links(engine), cue=engine.cue,
        )  # fmt: skip

    def take_services(self, engine: "TracingEngine") -> tuple[ServiceView, ...]:
        """All services; those that nothing happened to are the same objects as before."""
        if self.restless is None:
            self.restless = tuple(host for host in engine.hosts.values() if host.status != UP or host.skewed)
        for host in self.restless:
            self.services.pop(host.id, None)
        names = engine.topology.names
        services = self.services
        if len(services) < len(names):
            for name in names:
                if name not in services:
                    services[name] = _service(engine, name)
            self.all = tuple(services[name] for name in names)
        return self.all

    def take_links(self, engine: "TracingEngine") -> tuple[ChangedLink, ...]:
        """The links that are not as they were laid."""
        if self.links is None:
            self.links = tuple(link for host in engine.hosts.values() for link in host.links.values() if link.faulty)
        return tuple(
            ChangedLink(link.src, link.dst, link.cut, len(link.held) if link.clogged else 0, link.loss_ppm,
                        link.latency_us, link.jitter_us, link.duplicate_ppm, link.reorder_ppm)
            for link in self.links
        )  # fmt: skip

    def take_traces(self, engine: "TracingEngine") -> None:
        """The newest traces. A trace that has not changed keeps its row and its spans."""
        collector, ledger = engine.collector(), engine.ledger
        version = (collector.version, ledger.hops_total)
        if version == self.version:
            return
        store, judged = collector.store, collector.judged
        ids = store.trace_ids()[-TRACES_MAX:][::-1]
        known: dict[str, Known] = {}
        anew = len(ids) != len(self.known)
        for trace_id in ids:
            spans, hops, done = store.trace(trace_id), ledger.hops.get(trace_id, ()), judged.get(trace_id)
            old = self.known.get(trace_id)
            if old is not None and old[0] == len(spans) and old[1] == len(hops) and old[2] is done:
                known[trace_id] = old
                continue
            anew = anew or old is None or old[2] is not done
            by = collector.why.get(trace_id) or engine.control.sampling()
            row = _row(trace_id, spans, hops, done, by)
            entry = TraceEntry(trace_id, spans, tuple(hops))
            known[trace_id] = (len(spans), len(hops), done, row, entry)
        heat = _heat(known)
        self.known, self.version = known, version
        self.rows = tuple(_warm(row, heat.get(trace_id, 0)) for trace_id, (*_, row, _) in known.items())
        self.table = SpanTable(tuple(entry for *_, entry in known.values()))


def _warm(row: TraceRow, heat: int) -> TraceRow:
    return row if row.heat_ppm == heat else row._replace(heat_ppm=heat)


def _heat(known: dict[str, Known]) -> dict[str, int]:
    """The rank of every complete trace by its duration."""
    done = sorted((row.duration_us, trace_id) for trace_id, (*_, row, _) in known.items() if row.complete)
    last = max(1, len(done) - 1)
    return {trace_id: rank * PPM // last for rank, (_, trace_id) in enumerate(done)}


def _row(trace_id: str, spans: tuple[Span, ...], hops: Any, done: Judged | None, sampled_by: str) -> TraceRow:
    """A row of the list: what was found when the trace was judged, or what is there so far."""
    note = _strange(hops)
    if done is not None:
        return TraceRow(trace_id, done.service, done.operation, done.start_us, done.duration_us, len(spans),
                        done.services, done.errors, done.missing, True, sampled_by, 0, done.note or note)  # fmt: skip
    first = min(spans, key=lambda span: (span.parent_id != "", span.start_ns))
    begin, end = min(span.start_us for span in spans), max(span.end_us for span in spans)
    services = len(dict.fromkeys(span.service for span in spans))
    errors = sum(span.is_error for span in spans)
    return TraceRow(trace_id, first.service, first.name, begin, end - begin, len(spans), services, errors, 0, False,
                    sampled_by, 0, note)  # fmt: skip


def _strange(hops: Any) -> str:
    """A hop that should have continued a trace and did not: only users call without headers."""
    for hop in hops:
        if hop.outcome != "continued" and hop.src not in ("users", "you"):
            return f"{hop.dst} starts a {hop.outcome}, called by {hop.src}"
    return ""


def _service(engine: "TracingEngine", name: str) -> ServiceView:
    """One service as it is now."""
    host, service = engine.hosts[name], engine.topology.by_name[name]
    node: Any = engine.node(name)
    rates = engine.rates.get(name, (0, 0, 0, 0))
    cut = tuple(
        other for other, link in host.links.items() if link.cut or engine.hosts[other].links[name].cut
    ) if engine.view.take_links(engine) else ()  # fmt: skip
    common = (name, service.layer, service.role, host.status, cut, host.now_us - engine.now_us if host.skewed else 0,
              host.drift_ppm if host.skewed else 0, len(host.inbox))  # fmt: skip
    if isinstance(node, Broker):
        busy = sum(node.busy.values())
        return ServiceView(*common, busy, 0, node.depth, 0, "", 0, 0, 0, *rates, (), node.served)
    workers, pool = node.workers, node.pool
    pools: tuple[str, int, int, int] = ("", 0, 0, 0)
    if pool is not None:
        pools = (service.pool_of, pool.busy, pool.size, len(pool.line))
    return ServiceView(
        *common, workers.busy, workers.size, len(workers.line), workers.queue_max, *pools, *rates,
        _troubles(node), node.served,
    )  # fmt: skip


def _troubles(node: "ServiceNode") -> tuple[str, ...]:
    """What is wrong with a service, in words."""
    trouble, service = node.trouble, node.service
    found = []
    if trouble.slow_percent != 100:
        found.append(f"slow x{trouble.slow_percent // 100}.{trouble.slow_percent % 100 // 10}")
    if trouble.pool_size:
        found.append(f"pool {service.pool_size} > {trouble.pool_size}")
    if trouble.lock_us:
        found.append(f"lock held {trouble.lock_us // 1_000} ms")
    if service.hit_ppm and (trouble.cold_ppm or node.hit_ppm < service.hit_ppm):
        found.append(f"cold cache, {percent((trouble.cold_ppm or node.hit_ppm) // 10_000 * 10_000)} hits")
    if trouble.fail_ppm:
        found.append(f"fails {percent(trouble.fail_ppm)}")
    if trouble.drops_header:
        found.append("drops the trace headers")
    if trouble.lose_ppm:
        found.append(f"loses {percent(trouble.lose_ppm)} of its spans")
    if trouble.late_us:
        found.append(f"exports {trouble.late_us // 1_000} ms late")
    return tuple(found)


def _collector(engine: "TracingEngine") -> Collector:
    """The store in figures."""
    collector = engine.collector()
    store = collector.store
    return Collector(
        len(collector.arrived), len(store), store.max_spans, collector.received, store.evicted_traces,
        store.evicted_spans, store.refused_spans, engine.ledger.lost_spans, collector.late,
        collector.unsampled, len(collector.pending),
    )  # fmt: skip


def _flights(engine: "TracingEngine") -> tuple[Flight, ...]:
    """Messages on their way."""
    return tuple(
        Flight(seq, src, dst, *_words(message), departs, arrives)
        for seq, src, dst, message, departs, arrives in engine.flights()
    )


def _words(message: Any) -> tuple[str, str, str]:
    """Letter, words and trace of a message."""
    match message:
        case Call(operation=operation, headers=headers):
            return "P" if operation.startswith("publish ") else "C", operation, _trace_of(headers)
        case Deliver(operation=operation, headers=headers):
            return "D", operation, _trace_of(headers)
        case Reply(status=status):
            return "x" if status >= 500 else "c", f"answer {status}", ""
        case Ack():
            return "d", "done", ""
        case Export(spans=spans):
            return "S", f"{len(spans)} spans", spans[0].trace_id
    raise AssertionError(f"no words for {message!r}")


def _trace_of(headers: tuple[tuple[str, str], ...]) -> str:
    """The trace id in a traceparent."""
    return headers[0][1][3:35] if headers and headers[0][0] == "traceparent" else ""


__all__ = ["Hop", "MapEdge", "View"]
