"""The picture of a service world, taken from its engine. Nothing here changes anything.

A picture may be taken after every step, so what needs computing (rates, percentiles) was computed by the ledger when
its half second was over; here it is only read.
"""

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from engines.resilience.breaker import Breaker
from engines.resilience.policy import BreakerOptions
from engines.resilience.world import messages as m
from engines.resilience.world import snapshot as s
from engines.resilience.world.edge import Edge
from engines.resilience.world.gear import Gear
from engines.resilience.world.ledger import CALLS_SHOWN, ClientCall, Meter
from engines.resilience.world.node import ServiceNode
from engines.resilience.world.options import EdgeOptions, numbers
from engines.resilience.world.topology import CLIENTS, LINK, Service
from engines.sim.clock import format_span
from engines.sim.network import Link
from engines.sim.world import describe_link

if TYPE_CHECKING:
    from engines.resilience.world.engine import ResilienceEngine

HISTORY_SHOWN = 16
SHARED = 4_096

_bucket = lru_cache(maxsize=SHARED)(s.BucketView)
_host_view = lru_cache(maxsize=SHARED)(s.HostView)
_call_view = lru_cache(maxsize=SHARED)(s.CallView)
_flight = lru_cache(maxsize=SHARED)(s.FlightView)
"""From one picture to the next nearly all of these are equal: equal ones are one object."""
FLIGHTS_MAX = 200


def take(engine: "ResilienceEngine") -> s.Snapshot:
    """Everything there is to see."""
    ledger = engine.ledger
    counts = ledger.whole.counts
    running = list(ledger.running.values())[-CALLS_SHOWN // 2 :]
    newest = [*list(ledger.ended)[len(running) - CALLS_SHOWN :], *running]
    client = engine.client()
    return s.Snapshot(
        now_us=engine.now_us,
        seed=engine.seed,
        variant=engine.variant,
        preset=engine.preset,
        you="you",
        services=tuple(_service(engine, row) for row in engine.topology.services),
        edges=tuple(_edge(engine, row, dst) for row in engine.topology.services for dst in row.needs),
        flights=_flights(engine),
        calls=tuple(_call(call) for call in sorted(newest, key=_number)),
        series=tuple(engine.series),
        load=engine.load.words,
        rate_per_s=client.load.curve.at(engine.now_us) // 1_000,
        mix=engine.load.mix,
        offered=counts["offered"],
        good=counts["good"],
        failed=counts["failed"],
        rules=engine.rules.items(),
        checks=engine.check(),
        cue=engine.cue,
        watch=engine.watch,
        wasted_per_s=sum(meter.rates["wasted"] for meter in ledger.services.values()),
        peak_edge=ledger.peak,
        amplified_ppm=ledger.peak_ppm,
    )


def _number(call: ClientCall) -> int:
    return call.root


def _call(call: ClientCall) -> s.CallView:
    why = m.WORDS[call.why] if call.state == "failed" else ""
    return _call_view(call.root, call.client, call.kind, call.at_us, call.state, call.took_us, call.attempts, why)


def _flights(engine: "ResilienceEngine") -> tuple[s.FlightView, ...]:
    found = []
    for flight in engine.flights()[:FLIGHTS_MAX]:
        message: Any = flight.message
        answer = isinstance(message, m.Answer)
        found.append(_flight(
            flight.id, flight.src, flight.dst, "answer" if answer else "request",
            message.why == m.OK if answer else True, False if answer else message.hedge, flight.departs_us,
            flight.arrives_us,
        ))  # fmt: skip
    return tuple(found)


# -- services --------------------------------------------------------------------------------------------------


def _service(engine: "ResilienceEngine", row: Service) -> s.ServiceView:
    hosts = tuple(_host(engine, id) for id in row.hosts)
    meter = engine.ledger.services[row.id]
    dials = engine.dials.get(row.id)
    return s.ServiceView(
        id=row.id,
        layer=row.layer,
        hosts=hosts,
        busy=sum(host.busy for host in hosts),
        workers=sum(host.workers for host in hosts),
        queue=sum(host.queue for host in hosts),
        queue_max=sum(host.queue_max for host in hosts),
        service_time=_service_time(dials.usual_us, dials.shape) if dials else "",
        mean_us=dials.usual_us if dials else 0,
        shed_us=dials.shed_us if dials else 0,
        newest_first=dials.newest_first if dials else False,
        arrived_per_s=meter.rates["arrived"],
        done_per_s=meter.rates["done"],
        refused_per_s=meter.rates["refused"],
        wasted_per_s=meter.rates["wasted"],
        wasted=meter.counts["wasted"],
        done=meter.counts["done"],
    )


def _host(engine: "ResilienceEngine", id: str) -> s.HostView:
    host = engine.hosts[id]
    node = host.node
    busy = workers = queue = queue_max = wait_us = 0
    if isinstance(node, ServiceNode):
        pool = node.pool
        busy, workers, queue, queue_max = pool.busy, pool.size, len(pool.line), pool.queue_max
        wait_us = pool.oldest_wait_us(engine.now_us)
    elif id == CLIENTS:
        busy = len(engine.ledger.running)
    return _host_view(
        id, host.status, busy, workers, queue, queue_max, wait_us, engine.slow[id], engine.sick[id],
        _faults_of_host(engine, id), host.now_us - engine.now_us, host.drift_ppm,
    )  # fmt: skip


def _faults_of_host(engine: "ResilienceEngine", id: str) -> tuple[str, ...]:
    host = engine.hosts[id]
    found = [] if host.status == "up" else [host.status]
    if engine.slow[id] != 100:
        found.append(f"takes {engine.slow[id]} % of its usual time")
    if engine.sick[id]:
        found.append(f"{engine.sick[id]} % of its answers are errors")
    if host.skewed:
        found.append(f"clock {format_span(host.now_us - engine.now_us)} off")
    return tuple(found)


# -- edges -----------------------------------------------------------------------------------------------------


def _edge(engine: "ResilienceEngine", row: Service, dst: str) -> s.EdgeView:
    """An edge as its first machine has it; counters are those of all."""
    edge = engine.caller(row.hosts[0]).edges[dst]
    meter, latency = edge.meter, engine.ledger.latency[edge.id]
    gear, options, fault = edge.gear, edge.options, edge.fault
    links = [link for link in engine.links[edge.id] if link.faulty or link.held]
    on = gear.layers(1 << 62)
    return s.EdgeView(
        id=edge.id,
        src=row.id,
        dst=dst,
        hosts=gear.names,
        order=on,
        pipeline=options.order,
        breaker=_breaker(edge, gear.breaker, engine.now_us) if gear.breaker is not None else None,
        retry=_retry(gear, meter, engine.now_us) if options.retries else None,
        bulkhead=_bulkhead(gear),
        limiter=_limiter(gear, engine.now_us),
        timeout_us=options.timeout_us,
        deadline=bool(options.deadline),
        hedge_ppm=options.hedge_ppm,
        hedge_after_us=_hedge_after_us(gear),
        hedges=meter.counts["hedges"],
        hedges_won=meter.counts["hedges_won"],
        fallback=bool(options.fallback),
        fallbacks=meter.counts["fallbacks"],
        outliers=_outliers(gear),
        caps=tuple(
            (cap.name, cap.used, cap.limit, cap.overflows) for cap in (gear.requests, gear.retries) if cap.limit
        ),
        delay_percent=fault.delay_percent,
        delay_us=fault.delay_us,
        abort_percent=fault.abort_percent,
        abort_status=fault.abort_status,
        running=len(edge.calls),
        calls_per_s=meter.rates["calls"],
        attempts_per_s=meter.rates["attempts"],
        errors_ppm=meter.share_ppm("failed", "ended"),
        rejected_per_s=meter.rates["rejected"],
        p50_us=latency.p50_us,
        p99_us=latency.p99_us,
        faults=_faults_of_edge(edge, links),
        options=_numbers(options),
        cut=any(link.cut for link in links),
        loss_ppm=max((link.loss_ppm for link in links), default=0),
        latency_us=max((link.latency_us for link in links), default=LINK.latency_us),
        shuffled_ppm=max((max(link.duplicate_ppm, link.reorder_ppm) for link in links), default=0),
        amplified_ppm=engine.ledger.amplified[edge.id],
    )


def _faults_of_edge(edge: Edge, links: list[Link]) -> tuple[str, ...]:
    fault = edge.fault
    found = []
    if fault.delay_percent:
        found.append(f"{fault.delay_percent} % delayed by {format_span(fault.delay_us)}")
    if fault.abort_percent:
        found.append(f"{fault.abort_percent} % aborted with {fault.abort_status}")
    for link in links:
        found.extend(f"{what} {link.src}>{link.dst}" for what in describe_link(link))
    return tuple(found)


def _breaker(edge: Edge, breaker: Breaker, now_us: int) -> s.BreakerView:
    why = breaker.why(now_us)
    options = breaker.options
    return s.BreakerView(
        preset=edge.options.preset,
        state=why.state.value,
        since_us=why.since_us,
        why=why.reason or "it has never moved",
        closes=why.closes,
        cause=why.cause.value if why.cause else "",
        rate_ppm=why.rate_ppm,
        threshold_ppm=options.failure_ppm,
        slow_ppm=max(0, why.slow_ppm),
        slow_threshold_ppm=options.slow_ppm if options.slow_us else -1,
        calls=why.calls,
        minimum=why.minimum,
        countdown_us=why.countdown_us if why.state == "open" or options.half_open_max_us else -1,
        probes_permitted=options.probes,
        probes_left=why.probes_left,
        rejected=edge.meter.counts["turned_away"],
        rejected_here=edge.rejected_here,
        buckets=tuple(_bucket(*bucket) for bucket in breaker.window.buckets(now_us)),
        history=_history(breaker, now_us),
        settings=_words(options),
    )


@lru_cache(maxsize=64)
def _service_time(us: int, shape: str) -> str:
    return f"{format_span(us)}, {shape}"


@lru_cache(maxsize=64)
def _words(options: BreakerOptions) -> tuple[tuple[str, str], ...]:
    return options.words()


@lru_cache(maxsize=64)
def _numbers(options: EdgeOptions) -> tuple[tuple[str, int], ...]:
    return numbers(options)


def _history(breaker: Breaker, now_us: int) -> tuple[s.Lasted, ...]:
    """How long each state lasted."""
    moves = tuple(breaker.history)
    found = [
        s.Lasted(move.dst.value, move.at_us, later.at_us - move.at_us, move.why) for move, later in pairwise(moves)
    ]
    if moves:
        found.append(s.Lasted(moves[-1].dst.value, moves[-1].at_us, -1, moves[-1].why))
    return tuple(found[-HISTORY_SHOWN:])


def _retry(gear: Gear, meter: Meter, now_us: int) -> s.RetryView:
    options = gear.options
    left = -1
    if gear.budget is not None:
        left = gear.budget.available(now_us)
    elif gear.active is not None:
        left = max(0, gear.active.allowed - gear.active.retries)
    return s.RetryView(
        options.retries, _backoff(options.backoff, options.base_us, options.cap_us), meter.counts["retried"],
        meter.counts["denied"], options.budget_ppm, left,
    )  # fmt: skip


@lru_cache(maxsize=64)
def _backoff(kind: str, base_us: int, cap_us: int) -> str:
    upper = "" if kind == "fixed" else f", up to {format_span(cap_us)}"
    return f"{kind}, {format_span(base_us)}{upper}"


def _bulkhead(gear: Gear) -> s.BulkheadView | None:
    found = gear.bulkhead
    return s.BulkheadView(found.used, found.limit, found.waiting, found.queue_max, found.refused) if found else None


def _limiter(gear: Gear, now_us: int) -> s.LimiterView | None:
    found = gear.limiter
    return s.LimiterView(found.tokens(now_us), found.burst, found.rate_per_s, found.refused) if found else None


def _hedge_after_us(gear: Gear) -> int:
    after_us = gear.hedge.delay_us() if gear.hedge is not None else None
    return -1 if after_us is None else after_us


def _outliers(gear: Gear) -> tuple[s.OutlierView, ...]:
    detector = gear.detector
    if detector is None:
        return ()
    return tuple(
        s.OutlierView(host.name, host.consecutive, host.out, detector.returns_us(host.name), host.backoff)
        for host in detector.hosts.values()
    )
