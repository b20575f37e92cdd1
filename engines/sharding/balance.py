"""How even a load is, and how even it can be expected to be.

Floats are added with ``fsum``, here and in all of this package: ``sum`` rounds differently from Python 3.12 on.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import fsum, sqrt

from engines.sharding.strategies.ring import Ring


@dataclass(frozen=True, slots=True)
class Balance:
    """A load spread over nodes. Loads are keys, requests or bytes: any unit."""

    mean: float
    cv: float
    """Coefficient of variation: the standard deviation over all nodes, relative to the mean."""
    peak_to_mean: float
    """1 if all are equal."""


def balance(loads: Sequence[float]) -> Balance:
    """Measure the loads of at least one node. Without any load all is even."""
    mean = fsum(loads) / len(loads)
    if not mean:
        return Balance(0.0, 0.0, 1.0)
    deviation = sqrt(fsum((load - mean) * (load - mean) for load in loads) / len(loads))
    return Balance(mean, deviation / mean, max(loads) / mean)


def hottest_key_share(weights: Iterable[float]) -> float:
    """The heaviest key's part of the whole load; no placement of whole keys makes the peak less than this."""
    total = heaviest = 0.0
    for weight in weights:
        total += weight
        heaviest = max(heaviest, weight)
    return heaviest / total if total else 0.0


def expected_cv(nodes: int, vnodes: int) -> float:
    """Root mean square cv, over all rings, of the arcs of n nodes with v points: sqrt((n-1) / (n v + 1)).

    The gaps between N = n v random points are Dirichlet(1, ..., 1); a sum of v of them has mean v/N and
    variance v (N - v) / (N^2 (N + 1)). (With many keys; k keys add about n/k to the square.)
    """
    return sqrt((nodes - 1) / (nodes * vnodes + 1))


@dataclass(frozen=True, slots=True)
class Point:
    """One point of the curve of balance over virtual nodes."""

    vnodes: int
    cv: float
    """Root mean square over the rings."""
    peak_to_mean: float
    """Mean over the rings."""
    expected_cv: float


def ring_names(seed: int, nodes: int) -> tuple[str, ...]:
    """The nodes of the seed-th ring: other names, other points."""
    return tuple(f"s{seed}n{i}" for i in range(1, nodes + 1))


def curve(
    nodes: int, vnodes: Iterable[int], rings: int = 50, cancel: Callable[[], bool] = lambda: False
) -> tuple[Point, ...]:
    """Balance of the exact arcs for each number of virtual nodes, averaged over ``rings`` different rings.

    ``cancel`` is asked before every ring; if it says True, the points made so far are returned.
    """
    points: list[Point] = []
    for v in vnodes:
        squares = peaks = 0.0
        for seed in range(rings):
            if cancel():
                return tuple(points)
            measured = balance(tuple(Ring(ring_names(seed, nodes), v).shares().values()))
            squares += measured.cv * measured.cv
            peaks += measured.peak_to_mean
        points.append(Point(v, sqrt(squares / rings), peaks / rings, expected_cv(nodes, v)))
    return tuple(points)
