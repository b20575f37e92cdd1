"""What every part of the panel needs to know: letters and inks of states, names of edges, sums people would do."""

from collections.abc import Sequence
from math import prod
from typing import Final, NamedTuple

from engines import units
from engines.resilience.policy import percent
from engines.resilience.world.snapshot import BreakerView, EdgeView, HostView, Lasted, ServiceView, Snapshot
from tui.canvas import Ink
from tui.kit.service_graph import into, layers
from tui.kit.words import STATUS
from tui.panel import Figure

LAYERS: Final = ("client", "edge", "service", "database")
"""From the left to the right."""


class Look(NamedTuple):
    """A state of a breaker: its letter, its name, its ink, and how heavy it is in a band."""

    letter: str
    name: str
    ink: Ink
    weight: int = 0


STATES: Final = {
    "closed": Look("C", "CLOSED", "closed"), "open": Look("O", "OPEN", "open", 2),
    "half_open": Look("H", "HALF-OPEN", "half-open", 1), "disabled": Look("D", "DISABLED", "dim"),
    "metrics_only": Look("M", "METRICS ONLY", "accent"), "forced_open": Look("F", "FORCED OPEN", "open", 2),
}  # fmt: skip
UNPROTECTED: Final = Look("-", "no breaker", "text")
HISTORY: Final = 16
"""Stretches that a breaker remembers at most."""
STORM_SAMPLES, STORM_TIMES, STORM_GOOD = 8, 1.5, 50
"""A storm: over so many samples attempts are so many times what was offered, and goodput is below so many percent."""
ENDS: Final[dict[str, Ink]] = {"ok": "good", "fallback": "warn", "failed": "bad", "running": "text"}
"""The inks of how a call of a client ended."""
GOOD_PPM, BAD_PPM = 10_000, 200_000
"""Error rates up to the first are nothing to worry about, from the second on they are bad."""


# -- numbers as people say them ---------------------------------------------------------------------------------------


def rate(per_s: float) -> str:
    """Calls a second, with a tenth where there are few: ``6.7/s``, ``40/s``."""
    return f"{per_s:.1f}/s" if per_s < 10 else f"{per_s:,.0f}/s"


def storm(snapshot: Snapshot) -> str:
    """A metastable failure in words: nothing is broken any more, and yet attempts multiply and goodput stays away."""
    newest = snapshot.series[-STORM_SAMPLES:]
    offered = sum(each.offered for each in newest)
    if snapshot.recorded or len(newest) < STORM_SAMPLES or not offered:
        return ""
    ailing = any(edge.ailing for edge in snapshot.edges) or any(host.ailing for host in snapshot.hosts)
    times = sum(each.peak for each in newest) / offered
    good = sum(each.goodput for each in newest) * 100 // offered
    each_call = snapshot.amplified_ppm // 1_000_000  # of the calls that ended last: behind an open breaker it is one
    if ailing or times < STORM_TIMES or good >= STORM_GOOD or each_call in (0, 1):
        return ""
    attempts = f"x{each_call} a call" if each_call > 1 else "many"  # nothing has ended, so nobody can say
    return f"a storm, and no fault now: attempts {attempts}, goodput {good} %"


def share(part: int, whole: int) -> str:
    """``67 %``; nothing of nothing is 0."""
    return percent(part * 100 // whole * 10_000) if whole > 0 else "0 %"


def whole(ppm: int) -> str:
    """Parts per million as whole percent, cut off: ``66 %``; what is above 0 never reads like 0."""
    return "<1 %" if 0 < ppm < 10_000 else f"{ppm // 10_000} %"


def error_ink(ppm: int) -> Ink:
    """The ink of an error rate."""
    return "bad" if ppm >= BAD_PPM else "warn" if ppm >= GOOD_PPM else "dim"


def errors(snapshot: Snapshot, edge: EdgeView) -> tuple[str, Ink]:
    """The share of calls that failed, of those that ended: while all of them hang there is none."""
    if edge.hanging and not snapshot.recorded:
        return "no call ended in 1.5 s", "warn"
    return percent(max(0, edge.errors_ppm)), error_ink(edge.errors_ppm)


# -- edges ------------------------------------------------------------------------------------------------------------


def look(edge: EdgeView) -> Look:
    """The state of its breaker."""
    return STATES[edge.breaker.state] if edge.breaker else UNPROTECTED


def name(edge_id: str) -> str:
    """An edge in few characters: ``payment>db`` for ``payment>payment-db``."""
    src, _, dst = edge_id.partition(">")
    return f"{src}>{short(src, dst)}" if dst else src


def short(src: str, dst: str) -> str:
    """What a service is called beside the one that calls it."""
    return dst.removeprefix(f"{src}-") or dst


def here(snapshot: Snapshot, breaker: BreakerView) -> str:
    """How long it is in its state."""
    return units.seconds(max(0, snapshot.now_us - breaker.since_us))


def standing(snapshot: Snapshot, breaker: BreakerView) -> str:
    """``OPEN, for 3.2 s``."""
    return f"{STATES[breaker.state].name}, for {here(snapshot, breaker)}"


def lives(snapshot: Snapshot, breaker: BreakerView) -> tuple[Lasted, ...]:
    """The states it was in, oldest first; before its first transition it was closed."""
    if not breaker.history:
        return (Lasted(breaker.state, breaker.since_us, -1, None),)
    first = breaker.history[0]
    if len(breaker.history) < HISTORY and first.since_us > 0 and first.state != "closed":
        began_us = max(0, first.since_us - first.moved.lasted_us) if first.moved else 0
        return (Lasted("closed", began_us, first.since_us - began_us, None), *breaker.history)
    return breaker.history


def times(ppm: int) -> str:
    """A factor: ``x4``, ``x1.2``; nothing where there is none."""
    tenths = round(ppm / 100_000)
    return "" if ppm < 0 else f"x{tenths // 10}.{tenths % 10}" if tenths % 10 else f"x{tenths // 10}"


def columns(snapshot: Snapshot) -> tuple[tuple[ServiceView, ...], ...]:
    """The services column by column, without empty ones."""
    return tuple(layers(snapshot.services, LAYERS).values())


def amplification(edges: Sequence[EdgeView]) -> int:
    """Attempts at the end of a way for one call at its start if every attempt fails: the product of (1 + r)."""
    return prod(1 + edge.retry.retries for edge in edges if edge.retry)


def budgeted(edges: Sequence[EdgeView]) -> float:
    """The same with retry budgets: each layer makes 1 + budget attempts in the long run, if that is less."""
    retries = (edge.retry for edge in edges if edge.retry)
    return prod(1 + (min(r.retries, r.budget_ppm / 1_000_000) if r.budget_ppm >= 0 else r.retries) for r in retries)


# -- services ---------------------------------------------------------------------------------------------------------


def status(service: ServiceView) -> str:
    """A letter for what ails it: X crashed, Z frozen, S slow, E answers errors; empty: nothing."""
    hosts = service.hosts
    for word, (sign, _) in STATUS.items():
        if hosts and all(host.status == word for host in hosts):
            return sign
    if any(host.slow_percent > 100 for host in hosts):
        return "S"
    return "E" if any(host.sick_percent > 0 for host in hosts) else ""


def service_ink(service: ServiceView) -> Ink:
    """Dead, frozen, ill, its line full, all its workers busy, or well."""
    if sign := status(service):
        return dict(STATUS.values()).get(sign, "slow")
    if service.queue_max and service.queue * 10 >= service.queue_max * 9:
        return "bad"
    return "warn" if service.workers and service.busy >= service.workers else "follower"


def line_ink(service: ServiceView, usual: Ink) -> Ink:
    """Of its line: full, or nearly so."""
    return "bad" if service.queue * 10 >= service.queue_max * 8 > 0 else usual


def host_sign(snapshot: Snapshot, service: ServiceView, host: HostView) -> tuple[str, Ink]:
    """One host in one character: its number, or X crashed, Z frozen, - ejected, S slow, E errors."""
    if host.status in STATUS:
        return STATUS[host.status]
    seen = (each for edge in into(snapshot.edges, service.id) for each in edge.outliers)
    if any(each.ejected and each.host == host.id for each in seen):
        return "-", "open"
    if host.sick_percent:
        return "E", "bad"
    return ("S", "slow") if host.slow_percent > 100 else (host.id.rpartition("-")[2][:1] or "?", "good")


# -- a run in a few numbers -------------------------------------------------------------------------------------------


def figures(snapshot: Snapshot) -> tuple[Figure, ...]:
    """The numbers that sum a run up. Latencies are those of the last ten seconds, the rest is of the whole run."""
    ended = snapshot.good + snapshot.failed
    first = snapshot.edges[0] if snapshot.edges else None
    guarded = [edge.breaker for edge in snapshot.edges if edge.breaker is not None]
    trips = sum(each.state == "open" for breaker in guarded for each in breaker.history)
    found = [
        Figure("calls", snapshot.offered),
        Figure("answered", snapshot.good),
        Figure("failed", snapshot.failed),
        Figure("answered_share", snapshot.good / ended if ended else 0.0, units.share(snapshot.good, ended)),
        Figure("goodput_per_s", snapshot.good * 1_000_000 / snapshot.now_us if snapshot.now_us else 0.0,
               units.per_s(snapshot.good * 1_000_000_000 // snapshot.now_us if snapshot.now_us else 0)),
        Figure("p50_us", first.median_us if first else 0, units.span(first.median_us) if first else "-"),
        Figure("p99_us", first.slowest_us if first else 0, units.span(first.slowest_us) if first else "-"),
        Figure("breakers_opened", trips),
        Figure("rejected_by_breakers", sum(breaker.rejected for breaker in guarded)),
    ]  # fmt: skip
    if not snapshot.recorded:
        done, wasted = (sum(getattr(each, name) for each in snapshot.services) for name in ("done", "wasted"))
        found += [
            Figure("retries", sum(edge.retry.retried for edge in snapshot.edges if edge.retry is not None)),
            Figure("jobs_done", done),
            Figure("jobs_for_nobody", wasted, f"{wasted:,} ({units.share(wasted, done)})"),
        ]
    return tuple(found)
