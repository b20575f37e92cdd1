"""What an edge learns while it works: its breaker moves, a host answers badly, the time for a look has come."""

from typing import TYPE_CHECKING, Final

from engines.resilience.outlier import Ejection
from engines.resilience.world import messages as m
from engines.resilience.world.records import Attempt
from engines.sim.node import Context

if TYPE_CHECKING:
    from engines.resilience.world.edge import Edge

BAD_HOST: Final = (m.ERROR, m.DOWNSTREAM, m.FULL, m.SHED, m.ABORTED)
"""Answers that speak against the host."""


def learn(edge: "Edge", ctx: Context, attempt: Attempt, why: str) -> None:
    """What an answer says about the host that gave it, and about how long answers take."""
    if why == m.OK and edge.gear.hedge is not None:
        edge.gear.hedge.record(edge.clock.now_us - attempt.sent_us)
    if why == m.OK or why in BAD_HOST:
        judge_host(edge, ctx, attempt.host, why != m.OK)


def judge_host(edge: "Edge", ctx: Context, host: str, failed: bool) -> None:
    """Tell the outlier detector of an answer, or of none; perhaps it throws the host out."""
    detector = edge.gear.detector
    if detector is not None and (found := detector.record(host, failed, edge.clock.now_us)) is not None:
        _tell_host(edge, ctx, found, "not_ejected")


def sweep(edge: "Edge", ctx: Context) -> None:
    """The detector's regular look at all hosts: who returns, and who is far worse than the others."""
    edge.swept = 0
    detector = edge.gear.detector
    if detector is not None:
        out = tuple(host.name for host in detector.hosts.values() if host.out)
        for each in detector.sweep(edge.clock.now_us):
            _tell_host(edge, ctx, each, "returned" if each.host in out else "not_ejected")
    watch_hosts(edge, ctx)


def _tell_host(edge: "Edge", ctx: Context, found: Ejection, otherwise: str) -> None:
    ctx.note("ejected" if found.out else otherwise, found.why, edge=edge.id, host=found.host)


def watch_hosts(edge: "Edge", ctx: Context) -> None:
    """Put the next sweep of the outlier detector down."""
    detector = edge.gear.detector
    if detector is not None and not edge.swept:
        edge.swept = edge.agenda.add(detector.next_us(), "sweep", edge.id, 0)


def moved(edge: "Edge", ctx: Context) -> None:
    """Tell of every transition of the breaker, and see to it that it is polled when time moves it."""
    breaker = edge.gear.breaker
    if breaker is None or not breaker.fresh:
        return
    for each in breaker.drain():
        edge.told, edge.rejected_here = "", 0
        edge.ledger.facts.append(("moved", edge.id, edge.src, each.dst.value, breaker.era, each.at_us, each.cause))
        ctx.note("breaker", each.why, edge=edge.id, src=each.src.value, dst=each.dst.value, cause=each.cause.value)
    watch_breaker(edge)


def watch_breaker(edge: "Edge") -> None:
    """See to it that the breaker is polled when time alone may move it: an open one, or one that judges at ticks."""
    edge.agenda.cancel(edge.polled)
    breaker = edge.gear.breaker
    due_us = breaker.next_us() if breaker is not None else None
    edge.polled = 0 if due_us is None else edge.agenda.add(due_us, "poll", edge.id, 0)
