"""What is selected, and where the arrows lead.

The picture is walked as it is drawn: right from an edge to the service it leads to, right again to that service's own
edges, left back again; up and down go to the one above or below. In the strip left and right change the chart.

``Focus.node`` is an edge (``api>payment``) or a service, ``Focus.pick`` the ``Chart`` that the strip shows.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from engines.resilience.world.snapshot import EdgeView, ServiceView, Snapshot
from tui.kit.selection import after, reader
from tui.kit.service_graph import into, out_of
from tui.panel import Focus

CHARTS: Final = ("load", "breakers", "latency", "waste")
"""What the strip can show."""


class Chart(NamedTuple):
    """The chart that was chosen for the strip."""

    name: str = CHARTS[0]


read = reader(Chart)


USUAL: Final = "api>payment"
"""Selected until something more telling happens."""


def stirred(snapshot: Snapshot) -> list[EdgeView]:
    """The edges whose breaker is not closed."""
    return [edge for edge in snapshot.edges if edge.breaker is not None and edge.breaker.state != "closed"]


def telling(snapshot: Snapshot) -> str:
    """The edge that tells most: the breaker that moved last among those that are not closed; else what was acted on."""
    if moved := stirred(snapshot):
        return max(moved, key=lambda edge: edge.breaker.since_us if edge.breaker else 0).id
    if snapshot.edge(snapshot.watch) is not None:
        return snapshot.watch
    likely = (*into(snapshot.edges, snapshot.mix), *(edge for edge in snapshot.edges if edge.id == USUAL))
    return next((edge.id for edge in (*likely, *snapshot.edges)), "")


def fit(snapshot: Snapshot, focus: Focus) -> Focus:
    """The focus with what is not there replaced by what tells most."""
    if snapshot.edge(focus.node) is None and snapshot.service(focus.node) is None:
        focus = replace(focus, node=telling(snapshot))
    return focus


def chart_of(focus: Focus) -> str:
    """The chart that the strip shows."""
    return read(focus).name


def next_chart(step: int) -> Callable[[Snapshot, Focus], Focus]:
    """A key to the chart after that."""
    return lambda snapshot, focus: replace(focus, pick=Chart(after(CHARTS, chart_of(focus), step)))


def service_of(snapshot: Snapshot, focus: Focus) -> ServiceView | None:
    """The selected service; None while an edge is selected."""
    return snapshot.service(focus.node)


def edge_of(snapshot: Snapshot, focus: Focus) -> EdgeView | None:
    """The selected edge; of a selected service the edge that leads to it, or the first that leaves it."""
    around = (*into(snapshot.edges, focus.node), *out_of(snapshot.edges, focus.node))
    return snapshot.edge(focus.node) or next(iter(around), None)


def move(snapshot: Snapshot, focus: Focus, direction: str) -> Focus:
    """Where an arrow leads from here."""
    step = -1 if direction in ("left", "up") else 1
    if focus.area == "strip":
        return next_chart(step)(snapshot, focus)
    edge, service = snapshot.edge(focus.node), snapshot.service(focus.node)
    if direction in ("up", "down"):
        return replace(focus, node=_beside(snapshot, focus.node, step))
    if edge is not None:
        return replace(focus, node=edge.dst if step > 0 else edge.src)
    if service is None:
        return focus
    way = out_of(snapshot.edges, service.id) if step > 0 else into(snapshot.edges, service.id)[:1]
    return replace(focus, node=way[len(way) // 2].id) if way else focus


def _beside(snapshot: Snapshot, node: str, step: int) -> str:
    """The one above or below in the same column, round and round."""
    services, edges = {each.id: each.id for each in snapshot.services}, {each.id: each.dst for each in snapshot.edges}
    ends = edges if node in edges else services
    layers = {each.id: each.layer for each in snapshot.services}
    return after([id for id, end in ends.items() if layers[end] == layers[ends[node]]], node, step)
