"""Numbers that take a moment to compute, kept by their arguments: pure functions, so nothing of a run depends on it."""

from functools import lru_cache
from typing import Final, TypeAlias

from engines.sharding.balance import curve
from engines.sharding.batch import KeySet
from engines.sharding.change import Change
from engines.sharding.compare import compare
from engines.sharding.placement import NetworkTopology, Place, Risk, risk
from engines.sharding.strategies.base import Spec
from engines.sharding.strategies.ring import Ring
from engines.sharding.world.snapshot import Curve, Row

PPM: Final = 1_000_000
VNODES: Final = (1, 2, 4, 8, 16, 32, 64, 150, 300, 1_000)
RINGS_MIN: Final = 6
RINGS_MAX: Final = 40
POINTS_MAX: Final = 6_000
"""Points that each node may spend on one number of virtual nodes: a first picture must be quick."""
TITLES: Final = {
    "modulo": "hash mod n", "range": "even ranges", "ring": "ring", "slots": "slots", "jump": "jump",
    "rendezvous": "rendezvous", "maglev": "maglev", "bounded": "bounded",
}  # fmt: skip


def ppm(value: float) -> int:
    """A share or ratio as parts per million."""
    return round(value * PPM)


@lru_cache(maxsize=16)
def comparison(
    keys: tuple[tuple[str, float], ...], before: tuple[str, ...], after: tuple[str, ...], vnodes: int, current: str
) -> tuple[int, tuple[Row, ...]]:
    """The ideal share of keys to move, and every strategy on the same keys.

    Ranges are cut evenly here. Those of a run lie where they were split and moved to: no row is the present one then.
    """
    change = Change(
        before,
        join=tuple(node for node in after if node not in before),
        leave=tuple(node for node in before if node not in after),
    )
    outcomes = compare(_key_set(keys), change, vnodes=vnodes)
    current = "" if current == "range" else current
    rows = tuple(
        Row(name, TITLES[name] + (f" {vnodes}" if name == "ring" else ""), ppm(outcome.moved),
            ppm(outcome.moved_between_survivors), ppm(outcome.cv), ppm(outcome.peak_to_mean), name == current)
        for name, outcome in outcomes.items()
    )  # fmt: skip
    return ppm(change.ideal), rows


def _key_set(keys: tuple[tuple[str, float], ...]) -> KeySet:
    found = KeySet()
    for key, weight in keys:
        found.add(key, weight)
    return found


@lru_cache(maxsize=16)
def spreads(count: int) -> tuple[tuple[int, int], ...]:
    """For every number of virtual nodes: the cv of so many nodes on other rings, measured and expected.

    With few points rings differ much and are cheap, so more of them are averaged.
    """
    rings = [max(RINGS_MIN, min(RINGS_MAX, POINTS_MAX // vnodes)) for vnodes in VNODES]
    points = [curve(count, (vnodes,), rings=number)[0] for vnodes, number in zip(VNODES, rings, strict=True)]
    return tuple((ppm(point.cv), ppm(point.expected_cv)) for point in points)


Racks: TypeAlias = tuple[tuple[str, Place], ...]
"""Where the nodes stand, if copies are placed by it; else empty."""


@lru_cache(maxsize=16)
def curves(nodes: tuple[str, ...], racks: Racks, copies: int = 2) -> tuple[Curve, ...]:
    """The spread of the load, and the share of the groups of so many of these nodes whose failure is fatal."""
    found = []
    for vnodes, (cv, expected) in zip(VNODES, spreads(len(nodes)), strict=True):
        loss = -1
        if len(nodes) >= copies:
            loss = ppm(_risk(Ring(nodes, vnodes), racks, copies).probability)
        found.append(Curve(vnodes, cv, expected, loss))
    return tuple(found)


@lru_cache(maxsize=16)
def fatal_pairs(weights: tuple[tuple[str, float], ...], vnodes: int, racks: Racks) -> tuple[int, int]:
    """With two copies of every range: pairs whose failure together loses one, and all pairs."""
    found = _risk(Ring.of(dict(weights), Spec(vnodes)), racks, 2)
    return found.fatal, found.ways


def _risk(ring: Ring, racks: Racks, count: int) -> Risk:
    """That as many failures as there are copies take all of them: on the next nodes, or on different racks."""
    if not racks:
        return risk(ring.circle, count, count, needed=1)
    centres = sorted({place.datacenter for _, place in racks})
    copies = {name: count // len(centres) + (i < count % len(centres)) for i, name in enumerate(centres)}
    return risk(
        ring.circle, count, count, needed=1, replicas=NetworkTopology(ring.circle, copies, dict(racks)).replicas
    )
