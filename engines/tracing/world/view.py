"""The snapshot, built from what changed since the last one.

A ``SnapshotBuilder`` belongs to an engine but is no part of its state: a checkpoint leaves it out, and what it returns
depends on the engine alone. It only saves building the same tuples again.
"""

from typing import Any

from engines.sim.host import UP, Host
from engines.sim.views import LinkView, link_view
from engines.tracing.spans import Kind, Span
from engines.tracing.world.broker import Broker
from engines.tracing.world.collector import Judged
from engines.tracing.world.control import Sampling
from engines.tracing.world.node import ServiceNode
from engines.tracing.world.snapshot import (
    TRACES_MAX,
    WELL,
    Ailing,
    CollectorView,
    Hop,
    MapEdge,
    Retries,
    ServiceView,
    Snapshot,
    SpanTable,
    Strayed,
    TraceEntry,
    TraceRow,
)
from engines.tracing.world.system import System

PPM = 1_000_000
Known = tuple[TraceRow, TraceEntry]


class SnapshotBuilder:
    """What is already built."""

    def __init__(self) -> None:
        self.services: dict[str, ServiceView] = {}
        self.all: tuple[ServiceView, ...] = ()
        self.restless: tuple[Host, ...] | None = None
        """Hosts that change without an event of theirs: frozen ones, and those whose clock drifts."""
        self.links: tuple[Any, ...] | None = None
        self.version = -1
        self.known: dict[str, Known] = {}
        self.rows: tuple[TraceRow, ...] = ()
        self.table = SpanTable()

    def __reduce__(self) -> tuple[type, tuple[()]]:
        return SnapshotBuilder, ()

    def touched(self, name: str) -> None:
        """Something happened at this host."""
        self.services.pop(name, None)

    def forget(self) -> None:
        """Everything may have changed, but for the traces."""
        self.services.clear()
        self.restless = self.links = None

    def take(self, system: System) -> Snapshot:
        """The picture now."""
        control, found, users = system.control, system.findings, system.users()
        self.take_traces(system)
        return Snapshot(
            now_us=system.now_us, seed=system.seed, variant=system.variant, recorded=False,
            services=self.take_services(system), map_edges=system.map_edges, traces=self.rows, store=self.table,
            series=tuple(system.series), aggregates=found.aggregates, diagnosis=found.diagnosis,
            no_diagnosis=found.lack, root_operation=found.root, verdicts=found.verdicts,
            injected=tuple(system.injected.values()), score=found.score, collector=_collector(system),
            sampling=control.sampling(), correction=control.correct, load=users.shape, rate_per_s=users.rate,
            retries=Retries(control.attempts, control.backoff),
            operations=system.operations, rules=control.rules.items(), checks=system.check(),
            flights=system.flights(), links=self.take_links(system), cue=system.cue,
        )  # fmt: skip

    def take_services(self, system: System) -> tuple[ServiceView, ...]:
        """All services; those that nothing happened to are the same objects as before."""
        if self.restless is None:
            self.restless = tuple(host for host in system.hosts.values() if host.status != UP or host.skewed)
        for host in self.restless:
            self.services.pop(host.id, None)
        names = system.topology.names
        services = self.services
        if len(services) < len(names):
            for name in names:
                if name not in services:
                    services[name] = _service(system, name, bool(self.take_links(system)))
            self.all = tuple(services[name] for name in names)
        return self.all

    def take_links(self, system: System) -> tuple[LinkView, ...]:
        """The links that are not as they were laid."""
        if self.links is None:
            self.links = tuple(link for host in system.hosts.values() for link in host.links.values() if link.faulty)
        return tuple(map(link_view, self.links))

    def take_traces(self, system: System) -> None:
        """The newest traces. A trace that has not changed keeps its row and its spans."""
        ledger = system.ledger
        news = ledger.version - self.version
        if not news:
            return
        known = self.known
        ids = system.collector().store.trace_ids()[-TRACES_MAX:][::-1]
        if news > len(ledger.changes) or self.version < 0:
            touched = list(ids)
            known.clear()
        else:
            touched = [ledger.changes[-number] for number in range(1, news + 1)]
        self.version = ledger.version
        listed = dict.fromkeys(ids)
        judged = False
        for trace_id in dict.fromkeys(touched):
            if trace_id in listed:
                old = known.get(trace_id)
                known[trace_id] = _known(system, trace_id)
                judged = judged or old is None or old[0].complete or known[trace_id][0].complete
        if len(known) != len(ids) or any(trace_id not in known for trace_id in ids):
            judged = True
            self.known = known = {id: known[id] if id in known else _known(system, id) for id in ids}
        if judged:
            _rank(known)
        self.rows = tuple([known[trace_id][0] for trace_id in ids])
        self.table = SpanTable(tuple([known[trace_id][1] for trace_id in ids]))


def _known(system: System, trace_id: str) -> Known:
    """Row and spans of one trace."""
    collector = system.collector()
    spans, hops = collector.store.trace(trace_id), system.ledger.hops.get(trace_id, ())
    row = _row(trace_id, spans, hops, collector.judged.get(trace_id), collector.why.get(trace_id))
    return row, TraceEntry(trace_id, spans, tuple(hops))


def _rank(known: dict[str, Known]) -> None:
    """Give every complete trace its rank by duration."""
    done = sorted((row.duration_us, trace_id) for trace_id, (row, _) in known.items() if row.complete)
    last = max(1, len(done) - 1)
    for rank, (_, trace_id) in enumerate(done):
        row, entry = known[trace_id]
        heat = rank * PPM // last
        if row.heat_ppm != heat:
            known[trace_id] = (row._replace(heat_ppm=heat), entry)


def _row(trace_id: str, spans: tuple[Span, ...], hops: Any, done: Judged | None, kept: Sampling | None) -> TraceRow:
    """A row of the list: what was found when the trace was judged, or what is there so far."""
    note = _strange(hops)
    if done is not None:
        return TraceRow(trace_id, done.service, done.operation, done.start_us, done.duration_us, len(spans),
                        done.services, done.errors, done.missing, True, kept, 0, done.note or note)  # fmt: skip
    first = min(spans, key=lambda span: (span.parent_id != "", span.start_ns))
    waited_for = [first] if not first.parent_id else [span for span in spans if span.kind != Kind.CONSUMER] or spans
    begin, end = min(span.start_us for span in waited_for), max(span.end_us for span in waited_for)
    services = len(dict.fromkeys(span.service for span in spans))
    errors = sum(span.is_error for span in spans)
    return TraceRow(trace_id, first.service, first.name, begin, end - begin, len(spans), services, errors, 0, False,
                    kept, 0, note)  # fmt: skip


def _strange(hops: tuple[Hop, ...]) -> Strayed | None:
    """A hop that should have continued a trace and did not: only users call without headers."""
    for hop in hops:
        if hop.why is not None and hop.src not in ("users", "you"):
            return Strayed(hop.src, hop.dst, hop.why)
    return None


def _service(system: System, name: str, linked: bool) -> ServiceView:
    """One service as it is now."""
    host, service = system.hosts[name], system.topology.by_name[name]
    node: Any = system.node(name)
    rates = system.rates.get(name, (0, 0, 0, 0))
    cut = tuple(
        other for other, link in host.links.items() if link.cut or system.hosts[other].links[name].cut
    ) if linked else ()  # fmt: skip
    common = (name, service.layer, service.role, host.status, cut, host.now_us - system.now_us if host.skewed else 0,
              host.drift_ppm if host.skewed else 0, len(host.inbox))  # fmt: skip
    if isinstance(node, Broker):
        busy = sum(node.busy.values())
        return ServiceView(*common, busy, 0, node.depth, 0, "", 0, 0, 0, *rates, WELL, node.served)
    workers, pool = node.workers, node.pool
    pools: tuple[str, int, int, int] = ("", 0, 0, 0)
    if pool is not None:
        pools = (service.pool_of, pool.busy, pool.size, len(pool.line))
    return ServiceView(
        *common, workers.busy, workers.size, len(workers.line), workers.queue_max, *pools, *rates,
        _ailing(node), node.served,
    )  # fmt: skip


def _ailing(node: ServiceNode) -> Ailing:
    """What was done to a service."""
    trouble, service = node.trouble, node.service
    cold = service.hit_ppm and (trouble.cold_ppm or node.hit_ppm < service.hit_ppm)
    return Ailing(
        trouble.slow_percent, service.pool_size if trouble.pool_size else 0, trouble.pool_size, trouble.lock_us,
        (trouble.cold_ppm or node.hit_ppm) if cold else -1, trouble.fail_ppm, trouble.drops_header, trouble.lose_ppm,
        trouble.late_us,
    )  # fmt: skip


def _collector(system: System) -> CollectorView:
    """The store in figures."""
    collector = system.collector()
    store = collector.store
    return CollectorView(
        len(collector.arrived), len(store), store.max_spans, collector.received, store.evicted_traces,
        store.evicted_spans, store.refused_spans, system.ledger.lost_spans, collector.late,
        collector.unsampled, len(collector.pending),
    )  # fmt: skip


__all__ = ["Hop", "MapEdge", "SnapshotBuilder"]
