"""Clocks of different hosts disagree: a span can seem to start before it was called. This takes the offsets out.

It is off by default, because a guess that looks like a measurement is worse than an odd picture: nothing here runs
unless it is asked for, the originals are never changed, and every shift is told.

A host has one clock, so it gets one shift. A call bounds it from both sides: the work cannot start before it was
called, and cannot end after the caller got its answer (a caller that gave up, with an error, bounds nothing at the end:
the work may well go on). If the bounds of all calls into a host allow no shift, it is left alone. If not, it is shifted
into the middle of what they allow, which is right if the way there takes as long as the way back (Cristian, 1989).
Where the bounds contradict each other, nothing starts before it was called, and that is all. The root's host is taken
to be right.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from engines.tracing.spans import NS_PER_US, Kind, Span
from engines.tracing.tree import Tree, build

HOSTS: Final = ("host.id", "host.name", "service.instance.id", "k8s.pod.uid", "ip")


class Shift(NamedTuple):
    """By how much the spans of one host were shifted."""

    host: str
    delta_us: int
    calls: int
    """How many calls into it were looked at."""


class Corrected(NamedTuple):
    """Shifted copies of the spans, in the same order, and the shifts; hosts that were not shifted are left out."""

    spans: tuple[Span, ...]
    shifts: tuple[Shift, ...]

    def delta_us(self, span: Span) -> int:
        """By how much a span, of before or after, was shifted."""
        host = host_of(span)
        return next((shift.delta_us for shift in self.shifts if shift.host == host), 0)


def host_of(span: Span) -> str:
    """Whose clock the span was timed with: its host if the resource names one, or else its service."""
    for name in HOSTS:
        for key, value in span.resource:
            if key == name and value:
                return str(value)
    return span.service


def corrected(spans: Iterable[Span]) -> Corrected:
    """The spans of one trace with the clocks' offsets taken out."""
    given = tuple(spans)
    tree = build(given)
    hosts = [host_of(span) for span in tree.spans]
    calls = _calls(tree, hosts)
    delta: dict[str, int] = {}
    shifts: list[Shift] = []
    rows = [tree.root, *tree.order] if tree.root >= 0 else []
    for row in rows:
        host = hosts[row]
        if host in delta:
            continue
        into = [call for call in calls.get(host, []) if hosts[call.parent] in delta]
        delta[host] = _shift(tree, into, [delta[hosts[call.parent]] for call in into])
        if delta[host]:
            shifts.append(Shift(host, delta[host], len(into)))
    return Corrected(tuple(_shifted(span, delta.get(host_of(span), 0)) for span in given), tuple(shifts))


class _Call(NamedTuple):
    """A call from one host into another."""

    parent: int
    child: int


def _calls(tree: Tree, hosts: list[str]) -> dict[str, list[_Call]]:
    """The calls into every host. What is missing has no clock."""
    calls: dict[str, list[_Call]] = {}
    for row in range(tree.real):
        above = tree.parent[row]
        if 0 <= above < tree.real and hosts[above] != hosts[row]:
            calls.setdefault(hosts[row], []).append(_Call(above, row))
    return calls


def _shift(tree: Tree, calls: list[_Call], parents_us: list[int]) -> int:
    """The shift of a host, from the calls into it and the shifts of the hosts they came from."""
    least: int | None = None
    most: int | None = None
    for (parent, child), shifted in zip(calls, parents_us, strict=True):
        low = tree.start_us[parent] + shifted - tree.start_us[child]
        least = low if least is None else max(least, low)
        if _answered(tree.spans[parent], tree.spans[child]):
            high = tree.end_us[parent] + shifted - tree.end_us[child]
            most = high if most is None else min(most, high)
    if least is None or (least <= 0 and (most is None or most >= 0)):
        return 0
    if most is None or most < least:
        return max(least, 0)
    return (least + most) // 2


def _answered(parent: Span, child: Span) -> bool:
    """Whether the caller waited for the end of the child and got it."""
    return parent.kind != Kind.PRODUCER and child.kind != Kind.CONSUMER and not parent.is_error


def _shifted(span: Span, delta_us: int) -> Span:
    if not delta_us:
        return span
    delta_ns = delta_us * NS_PER_US
    return span._replace(
        start_ns=span.start_ns + delta_ns,
        end_ns=span.end_ns + delta_ns,
        events=tuple(event._replace(time_ns=event.time_ns + delta_ns) for event in span.events),
    )


__all__ = ["Corrected", "Shift", "corrected", "host_of"]
