"""The picture of a service world, part by part. Nothing here changes anything.

A picture may be taken after every step, so what needs computing (rates, percentiles) was computed by the ledger when
its half second was over; here it is only read.
"""

from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise

from engines.resilience.breaker import Breaker
from engines.resilience.window import Bucket
from engines.resilience.world import snapshot as s
from engines.resilience.world import topology as t
from engines.resilience.world.edge import Edge
from engines.resilience.world.ledger import CALLS_SHOWN, ClientCall, Ledger, Meter
from engines.resilience.world.node import ServiceNode
from engines.resilience.world.options import EdgeOptions, numbers
from engines.resilience.world.protection import Protection
from engines.resilience.world.shop import Shop
from engines.sim.host import CRASHED, Host
from engines.sim.network import Link
from engines.sim.views import link_view

HISTORY_SHOWN = 16
SHARED = 4_096

_bucket = lru_cache(maxsize=SHARED)(Bucket)
_host_view = lru_cache(maxsize=SHARED)(s.HostView)
_call_view = lru_cache(maxsize=SHARED)(s.CallView)
"""From one picture to the next nearly all of these are equal: equal ones are one object."""

Links = Mapping[str, tuple[Link, ...]]


def links_of(topology: t.Topology, hosts: Mapping[str, Host]) -> dict[str, tuple[Link, ...]]:
    """The links of every edge, both ways."""
    return {
        t.edge_id(row.id, dst): tuple(
            link
            for a in row.hosts
            for b in topology.service(dst).hosts
            for link in (hosts[a].links[b], hosts[b].links[a])
        )
        for row in topology.services
        for dst in row.needs
    }


# -- calls -----------------------------------------------------------------------------------------------------


def newest_calls(ledger: Ledger) -> tuple[s.CallView, ...]:
    """The newest calls of clients, in their order."""
    running = list(ledger.running.values())[-CALLS_SHOWN // 2 :]
    newest = [*list(ledger.ended)[len(running) - CALLS_SHOWN :], *running]
    return tuple(_call(call) for call in sorted(newest, key=_number))


def _number(call: ClientCall) -> int:
    return call.root


def _call(call: ClientCall) -> s.CallView:
    failed = call.state == "failed"
    why, origin = (call.why, call.origin) if failed else (None, None)
    return _call_view(
        call.root, call.client, call.kind, call.at_us, call.state, call.took_us, call.requests, why, origin
    )


# -- services --------------------------------------------------------------------------------------------------


def service(shop: Shop, hosts: Mapping[str, Host], ledger: Ledger, row: t.Service) -> s.ServiceView:
    """A service with its machines."""
    found = tuple(_host(shop, hosts[id], ledger) for id in row.hosts)
    meter = ledger.services[row.id]
    settings = shop.services.get(row.id)
    return s.ServiceView(
        id=row.id,
        layer=row.layer,
        hosts=found,
        busy=sum(host.busy for host in found),
        workers=sum(host.workers for host in found),
        queue=sum(host.queue for host in found),
        queue_max=sum(host.queue_max for host in found),
        shape=settings.shape if settings else "",
        mean_us=settings.usual_us if settings else 0,
        shed_us=settings.shed_us if settings else 0,
        newest_first=settings.newest_first if settings else False,
        arrived_per_s=meter.rates["arrived"],
        done_per_s=meter.rates["done"],
        refused_per_s=meter.rates["refused"],
        wasted_per_s=meter.rates["wasted"],
        wasted=meter.counts["wasted"],
        done=meter.counts["done"],
    )


def _host(shop: Shop, host: Host, ledger: Ledger) -> s.HostView:
    node = host.node
    busy = workers = queue = queue_max = wait_us = 0
    if host.status == CRASHED:
        workers, queue_max = (node.pool.size, node.pool.queue_max) if isinstance(node, ServiceNode) else (0, 0)
    elif isinstance(node, ServiceNode):
        pool = node.pool
        busy, workers, queue, queue_max = pool.busy, pool.size, len(pool.line), pool.queue_max
        wait_us = pool.oldest_wait_us(host.clock.now_us)
    else:
        busy = len(ledger.running)
    return _host_view(
        host.id, host.status, busy, workers, queue, queue_max, wait_us, shop.slow[host.id], shop.sick[host.id],
        host.now_us - host.clock.now_us, host.drift_ppm,
    )  # fmt: skip


# -- edges -----------------------------------------------------------------------------------------------------


def edge(found: Edge, src: str, dst: str, links: Links, ledger: Ledger) -> s.EdgeView:
    """An edge as its first machine has it; counters are those of all."""
    meter, latency, now_us = found.meter, ledger.latency[found.id], found.clock.now_us
    protection, options, fault = found.protection, found.options, found.attempts.fault
    faulty = tuple(link_view(link) for link in links[found.id] if link.faulty or link.held)
    return s.EdgeView(
        id=found.id,
        src=src,
        dst=dst,
        hosts=protection.names,
        order=protection.layers(1 << 62),
        pipeline=options.order,
        breaker=breaker(found, protection.breaker) if protection.breaker is not None else None,
        retry=_retry(protection, meter, now_us) if options.retries else None,
        bulkhead=_bulkhead(protection),
        limiter=_limiter(protection, now_us),
        timeout_us=options.timeout_us,
        deadline=bool(options.deadline),
        hedge_ppm=options.hedge_ppm,
        hedge_after_us=_hedge_after_us(protection),
        hedges=meter.counts["hedges"],
        hedges_won=meter.counts["hedges_won"],
        fallback=bool(options.fallback),
        fallbacks=meter.counts["fallbacks"],
        outliers=_outliers(protection),
        caps=tuple(
            s.CapView(cap.name, cap.used, cap.limit, cap.overflows)
            for cap in (protection.requests, protection.retries)
            if cap.limit
        ),
        delay_percent=fault.delay_percent,
        delay_us=fault.delay_us,
        abort_percent=fault.abort_percent,
        abort_status=fault.abort_status,
        running=len(found.calls),
        calls_per_s=meter.rates["calls"],
        attempts_per_s=meter.rates["attempts"],
        errors_ppm=meter.share_ppm("failed", "ended"),
        rejected_per_s=meter.rates["rejected"],
        p50_us=latency.p50_us,
        p99_us=latency.p99_us,
        options=_numbers(options),
        links=faulty,
        amplified_ppm=ledger.amplified[found.id],
    )


def breaker(found: Edge, its: Breaker) -> s.BreakerView:
    """A breaker as it stands."""
    now_us = found.clock.now_us
    return s.BreakerView(
        preset=found.options.preset,
        why=its.why(now_us),
        rejected=found.meter.counts["turned_away"],
        rejected_here=found.rejected_here,
        buckets=tuple(_bucket(*bucket) for bucket in its.window.buckets(now_us)),
        history=history(its),
    )


def history(its: Breaker) -> tuple[s.Lasted, ...]:
    """How long each state lasted."""
    moves = tuple(its.history)
    found = [s.Lasted(move.dst.value, move.at_us, later.at_us - move.at_us, move) for move, later in pairwise(moves)]
    if moves:
        found.append(s.Lasted(moves[-1].dst.value, moves[-1].at_us, -1, moves[-1]))
    return tuple(found[-HISTORY_SHOWN:])


@lru_cache(maxsize=64)
def _numbers(options: EdgeOptions) -> tuple[tuple[str, int], ...]:
    return numbers(options)


def _retry(protection: Protection, meter: Meter, now_us: int) -> s.RetryView:
    options = protection.options
    left = -1
    if protection.budget is not None:
        left = protection.budget.available(now_us)
    elif protection.active is not None:
        left = max(0, protection.active.allowed - protection.active.retries)
    return s.RetryView(
        options.retries, options.backoff, options.base_us, options.cap_us, meter.counts["retried"],
        meter.counts["denied"], options.budget_ppm, left,
    )  # fmt: skip


def _bulkhead(protection: Protection) -> s.BulkheadView | None:
    found = protection.bulkhead
    return s.BulkheadView(found.used, found.limit, found.waiting, found.queue_max, found.refused) if found else None


def _limiter(protection: Protection, now_us: int) -> s.LimiterView | None:
    found = protection.limiter
    return s.LimiterView(found.tokens(now_us), found.burst, found.rate_per_s, found.refused) if found else None


def _hedge_after_us(protection: Protection) -> int:
    after_us = protection.hedge.delay_us() if protection.hedge is not None else None
    return -1 if after_us is None else after_us


def _outliers(protection: Protection) -> tuple[s.OutlierView, ...]:
    detector = protection.detector
    if detector is None:
        return ()
    return tuple(
        s.OutlierView(host.name, host.consecutive, host.out, detector.returns_us(host.name), host.backoff)
        for host in detector.hosts.values()
    )
