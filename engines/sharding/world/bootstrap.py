"""What a cluster begins with: its keys, who holds them, and what is on every disk.

It depends on the variant, the seed and the settings alone, and a seek to the start, a branch or a replay asks for it
again and again: so the last few are kept. Nobody changes what he gets here; disks are copied.
"""

from functools import lru_cache
from typing import NamedTuple

from engines.sharding.placement import Place
from engines.sharding.world.changes import Known, build, directory
from engines.sharding.world.options import Options, first_keys, place_of
from engines.sharding.world.ownership import Placement
from engines.sharding.world.store import KEY, Cell


class Bootstrap(NamedTuple):
    """The initial state of a cluster."""

    machines: tuple[str, ...]
    places: dict[str, Place]
    weighted: tuple[tuple[str, int], ...]
    keys: tuple[str, ...]
    placement: Placement
    disks: dict[str, dict[str, Cell]]
    """By node: the registers of its disk."""


@lru_cache(maxsize=8)
def bootstrap(variant: str, seed: int, options: Options) -> Bootstrap:
    """The initial state of this cluster."""
    machines = tuple(f"n{i}" for i in range(1, options.nodes + 1))
    places = {id: place_of(i, options) for i, id in enumerate(machines)}
    weighted = first_keys(options, seed)
    keys = tuple(key for key, _ in weighted)
    strategy = build(variant, machines, options.vnodes, options.bound, weighted, options.chunks)
    placement = Placement(strategy, options.rf, options.rack_aware, places,
                          directory=directory(strategy, Known(keys, {}, 0, {})))  # fmt: skip
    disks: dict[str, dict[str, Cell]] = {id: {} for id in machines}
    for number, key in enumerate(keys):
        cell = Cell(1, number % 100)
        for node in placement.group(key):
            disks[node][KEY + key] = cell
    return Bootstrap(machines, places, weighted, keys, placement, disks)
