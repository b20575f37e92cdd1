"""Where the replicas of a token range live, and what two failures cost.

``SimpleStrategy`` walks the ring clockwise and takes distinct nodes. ``NetworkTopologyStrategy`` makes the same
walk once for all data centres: in each, a node of a new rack is always taken, a node of a rack that was seen only
while repeats are left, and of those there are rf minus the number of racks.

Source: Cassandra, ``SimpleStrategy.calculateNaturalReplicas`` and ``NetworkTopologyStrategy`` (its inner class
``DatacenterEndpoints``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from math import comb

from engines.errors import UserError
from engines.sharding.strategies.circle import Circle


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node stands."""

    datacenter: str
    rack: str


def simple(circle: Circle, position: int, rf: int) -> tuple[str, ...]:
    """The first ``rf`` distinct nodes from a position on; all nodes if there are fewer, as Cassandra has it."""
    return circle.distinct(position, rf)


class _Datacenter:
    """What one data centre still needs during a walk."""

    def __init__(self, rf: int, nodes: int, racks: int) -> None:
        self.rf_left = min(rf, nodes)
        self.repeats_left = rf - racks
        self.racks: list[str] = []

    def takes(self, rack: str) -> bool:
        """Decide on a node that was not met before in this walk."""
        if self.rf_left == 0:
            return False
        if rack in self.racks:
            if self.repeats_left <= 0:
                return False
            self.repeats_left -= 1
        else:
            self.racks.append(rack)
        self.rf_left -= 1
        return True


class NetworkTopology:
    """Replicas by data centre and rack: ``rf`` by data centre, ``places`` of every node.

    A data centre with fewer nodes than its rf gives all of them. UserError if a wanted one has no node, or a node
    has no place.
    """

    def __init__(self, circle: Circle, rf: Mapping[str, int], places: Mapping[str, Place]) -> None:
        self.circle = circle
        self.places = places
        self._sizes: dict[str, tuple[int, int, int]] = {}
        """(rf, nodes, racks) of every data centre that holds replicas."""
        nodes = dict.fromkeys(circle.names)
        for node in nodes:
            if node not in places:
                raise UserError(f"placement: node {node!r} has no place: a data centre and a rack are needed")
        present = [places[node] for node in nodes]
        for name, count in rf.items():
            here = [place.rack for place in present if place.datacenter == name]
            if count < 0:
                raise UserError(f"placement: {count} replicas in {name!r}: 0 or more are accepted")
            if count and not here:
                known = ", ".join(dict.fromkeys(place.datacenter for place in present))
                raise UserError(f"placement: no node is in data centre {name!r}; there are {known}")
            if count:
                self._sizes[name] = (count, len(here), len(dict.fromkeys(here)))

    def replicas(self, position: int) -> tuple[str, ...]:
        """In the order of one clockwise walk from a position."""
        needs = {name: _Datacenter(*sizes) for name, sizes in self._sizes.items()}
        found: list[str] = []
        for node in self.circle.walk(position):
            if not any(need.rf_left for need in needs.values()):
                break
            place = self.places[node]
            need = needs.get(place.datacenter)
            if need is not None and node not in found and need.takes(place.rack):
                found.append(node)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Risk:
    """Of all ways in which ``failures`` nodes can fail together: how many take a range below ``needed`` replicas."""

    fatal: int
    ways: int

    @property
    def probability(self) -> float:
        """If every way is equally likely."""
        return self.fatal / self.ways if self.ways else 0.0


def risk(
    circle: Circle, rf: int, failures: int = 2, needed: int | None = None,
    replicas: Callable[[int], tuple[str, ...]] | None = None,
) -> Risk:  # fmt: skip
    """Count exactly. ``needed`` replicas must live, by default a majority of rf. ``replicas`` of a position: those of
    a ``NetworkTopology``, say; by default they are placed by ``simple``.

    With more tokens a node shares ranges with more others, so more pairs are fatal: 16 tokens instead of 256 is
    a compromise between the load's spread and this.
    """
    if not 1 <= rf <= len(dict.fromkeys(circle.names)):
        raise UserError(f"placement: {rf} replicas: 1 to the number of nodes are accepted")
    alive = rf // 2 + 1 if needed is None else needed
    if not 1 <= alive <= rf:
        raise UserError(f"placement: {alive} of {rf} replicas needed: 1 to {rf} are accepted")
    nodes = tuple(dict.fromkeys(circle.names))
    tolerated = rf - alive
    ways = comb(len(nodes), failures)
    if failures <= tolerated:
        return Risk(0, ways)
    fatal: set[tuple[str, ...]] = set()
    place = replicas or partial(simple, circle, rf=rf)
    for group in dict.fromkeys(tuple(sorted(place(token))) for token in circle.tokens):
        # any tolerated + 1 of the replicas are fatal, whoever else fails with them
        for core in combinations(group, tolerated + 1):
            for rest in combinations(nodes, failures - tolerated - 1):
                if not any(node in core for node in rest):
                    fatal.add(tuple(sorted(core + rest)))
    return Risk(len(fatal), ways)
