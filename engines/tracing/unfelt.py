"""What takes longer than before although requests hardly feel it.

A service that is slow beside a slower one is on no critical path, and one that takes two milliseconds instead of one
moves no percentile of the whole: no diagnosis of latency names them, and rightly so. But their own time is in their
spans. So where nothing else is to be said, the own time of every operation, and what its service waits, is followed
through the traces: a stretch in which it ranks higher than outside it (`split.stretch_of`), by far more than chance
explains for as many operations as there are, and by a size that matters. With a baseline it is now against before.

Of several the one that has grown most is named first. A queue is named last, for it grows with whatever its workers
do; and where a lock is waited for, the time it is held is its holder's own work, and is called lock.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from engines.tracing.aggregate import narrow
from engines.tracing.spans import Kind
from engines.tracing.standing import mean, shift_of, stretch_of
from engines.tracing.tree import Tree
from engines.tracing.waiting import BACKOFF, LOCK, QUEUE, SELF, Time, spent_on

SAMPLE_MIN: Final = 20
SURE: Final = 18_000
"""Thousandths of a nat: once in 30 million times by chance, and there may be a thousand operations."""
GROWN: Final = ((5, 4, 400), (4, 1, 4_000))
"""Own work, and waits: a / b times as long as outside the stretch, and so many microseconds more."""
NAMED_MAX: Final = 3


class Site(NamedTuple):
    """Where own time is spent."""

    service: str
    operation: str
    """Of a wait the name of its span."""
    kind: Time


class Own(NamedTuple):
    """The own time of one trace: the longest span of every site."""

    sites: tuple[Site, ...]
    us: Sequence[int]


NO_OWN: Final = Own((), ())


class Grown(NamedTuple):
    """It takes so long in so many traces, instead of so long in the others."""

    site: Site
    traces: int
    others: int
    us: int
    usual_us: int


def own_of(tree: Tree, self_us: Sequence[int], known: dict[tuple[Site, ...], tuple[Site, ...]]) -> Own:
    """The own time in a tree. ``known``: the sites of the trees before it, which are shared. What a call spends on
    its way belongs to neither end, and a back-off is no time of whoever is slow."""
    found: dict[Site, int] = {}
    for row in range(tree.real):
        span = tree.spans[row]
        kind = spent_on(span).kind
        if kind == BACKOFF or (kind == SELF and span.kind in (Kind.CLIENT, Kind.PRODUCER)):
            continue
        site = Site(span.service, span.name, kind)
        found[site] = max(found.get(site, 0), self_us[row])
    sites = tuple(found)
    return Own(known.setdefault(sites, sites), narrow(found.values()))


def grown(now: Iterable[Own], before: Iterable[Own] | None = None) -> tuple[Grown, ...]:
    """What has grown in these traces, which come in the order of time; with ``before``: what takes longer than there.
    What matters most first, one of a service."""
    series, old = _series(now), None if before is None else _series(before)
    found = []
    for site, values in series.items():
        made = _stretched(site, values) if old is None else _compared(site, values, old.get(site, []))
        if made is not None:
            found.append(made)
    locked = {each.site.service: each for each in found if each.site.kind == LOCK}
    best: dict[str, Grown] = {}
    for each in sorted(found, key=lambda each: (each.site.kind == QUEUE, each.usual_us - each.us, each.site)):
        best.setdefault(each.site.service, locked.get(each.site.service, each))
    return tuple(list(best.values())[:NAMED_MAX])


def _series(traces: Iterable[Own]) -> dict[Site, list[int]]:
    """Own work in the traces where there is such; waits in all where their service works, 0 where it did not wait."""
    own = [dict(zip(each.sites, each.us, strict=True)) for each in traces]
    waits: dict[str, dict[Site, None]] = {}
    for each in own:
        for site in each:
            if site.kind != SELF:
                waits.setdefault(site.service, {})[site] = None
    found: dict[Site, list[int]] = {}
    for each in own:
        for site, us in each.items():
            if site.kind == SELF:
                found.setdefault(site, []).append(us)
        for service in dict.fromkeys(site.service for site in each):
            for site in waits.get(service, ()):
                found.setdefault(site, []).append(each.get(site, 0))
    return found


def _stretched(site: Site, values: Sequence[int]) -> Grown | None:
    stretch = stretch_of(values)
    if stretch is None or stretch.evidence < SURE:
        return None
    inside = values[stretch.first : stretch.end]
    return _worth(site, inside, [*values[: stretch.first], *values[stretch.end :]])


def _compared(site: Site, now: Sequence[int], before: Sequence[int]) -> Grown | None:
    return _worth(site, now, before) if shift_of(before, now).evidence >= SURE else None


def _worth(site: Site, inside: Sequence[int], outside: Sequence[int]) -> Grown | None:
    """As it is told, if there are enough traces of both and it has grown by a size that matters."""
    us, usual_us = mean(inside), mean(outside)
    a, b, more_us = GROWN[site.kind != SELF]
    if min(len(inside), len(outside)) < SAMPLE_MIN or us * b < usual_us * a or us - usual_us < more_us:
        return None
    return Grown(site, len(inside), len(outside), us, usual_us)


__all__ = ["NO_OWN", "Grown", "Own", "Site", "grown", "own_of"]
