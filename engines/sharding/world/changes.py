"""What can be changed about a placement, as data, and what comes out: pure functions.

Strategies are changed on a copy: a published placement never changes.
"""

import pickle
from dataclasses import replace
from fractions import Fraction
from typing import Any, NamedTuple

from engines.errors import UserError
from engines.sharding.batch import raw, text
from engines.sharding.compare import kind
from engines.sharding.placement import Place
from engines.sharding.strategies import chunks as chunk_table
from engines.sharding.strategies.base import Spec, Strategy
from engines.sharding.strategies.chunks import Chunks
from engines.sharding.strategies.range import Range
from engines.sharding.world.events import Cause, ChangeKind, UnitKind
from engines.sharding.world.ownership import Placement


class PlacementChange(NamedTuple):
    """One thing to change, and why."""

    cause: Cause
    place: Place | None = None
    """Of a newcomer."""
    moves: tuple[tuple[str, str], ...] = ()
    """(slot or chunk's low, to)."""
    at: str = ""
    """Where a chunk is split."""

    @property
    def kind(self) -> ChangeKind:
        """What is changed."""
        return self.cause.kind


class Known(NamedTuple):
    """What the coordinator knows of the keys."""

    keys: tuple[str, ...]
    hot: dict[str, int]
    """Requests of the hottest keys, as the nodes tell."""
    ops: int
    """All requests in the same time."""
    sizes: dict[str, int]
    """Keys by the low end of their chunk."""


def build(
    variant: str, nodes: tuple[str, ...], vnodes: int, bound: int, keys: tuple[tuple[str, int], ...], chunks: int
) -> Strategy:
    """A fresh strategy. ``keys`` with their sizes, for the chunks; no ``chunks``: the letters A to Z, cut evenly."""
    sample = [(raw(key), size) for key, size in keys]
    spec = Spec(vnodes, Fraction(bound, 100), sample if chunks else (), chunks * len(nodes))
    strategy = kind(variant).build(nodes, spec)
    if strategy.chunks:
        table = strategy.chunks if chunks else weighed(strategy.chunks, sample)
        ranges = Range(nodes, tuple(replace(chunk, jumbo=False, size=round(chunk.size)) for chunk in table))
        ranges.chunk_size = max(1, round(ranges.chunk_size))
        return ranges
    return strategy


def directory(strategy: Strategy, known: Known) -> dict[str, str]:
    """Bounded load: who owns which key, if a key weighs one plus its share of the requests. The heavy ones go first.

    A key with a share of 10 % of all requests weighs a tenth of all keys, and so leaves its node less room for others.
    """
    if not strategy.needs_whole_load or not known.keys:
        return {}
    weights = {raw(key): 1 + known.hot.get(key, 0) * len(known.keys) // max(1, known.ops) for key in known.keys}
    return {text(key): owner for key, owner in strategy.directory(weights).items()}


def weighed(table: Chunks, sample: list[tuple[bytes, int]]) -> Chunks:
    """The chunks with as much as these keys weigh in them."""
    sizes = [0] * len(table)
    for key, size in sample:
        sizes[chunk_table.find(table, key)] += size
    return tuple(replace(chunk, size=size) for chunk, size in zip(table, sizes, strict=True))


def sized(table: Chunks, sizes: dict[str, int]) -> Chunks:
    """The chunks with as many keys as were reported."""
    return tuple(replace(chunk, size=sizes.get(text(chunk.low), 0)) for chunk in table)


def changed(placement: Placement, change: PlacementChange, known: Known) -> Placement:
    """The placement after the change. UserError if it cannot be made."""
    simple = _simple(placement, change)
    if simple is not None:
        return simple
    strategy: Any = pickle.loads(pickle.dumps(placement.strategy, protocol=5))  # a deep copy, and a fast one
    places = dict(placement.places)
    strategy.learn_sizes({raw(low): size for low, size in known.sizes.items()})
    match change.kind:
        case ChangeKind.JOIN:
            assert change.place is not None
            places[change.cause.node] = change.place
            strategy.join(change.cause.node, change.cause.number)
        case ChangeKind.LEAVE:
            strategy.leave(change.cause.node)
            placement = placement.without_stale(change.cause.node)
        case ChangeKind.VNODES:
            strategy = strategy.with_vnodes(change.cause.number)
        case ChangeKind.BOUND:
            strategy.factor = Fraction(change.cause.number, 100)
        case ChangeKind.SLOTS:
            for slot, to in change.moves:
                strategy.assign(int(slot), to)
        case ChangeKind.CHUNKS:
            for low, to in change.moves:
                if to not in strategy.weights:
                    raise UserError(f"{to} is no member any more: it cannot take chunk {low or '-inf'}")
                strategy.chunks = chunk_table.move(strategy.chunks, chunk_at(strategy.chunks, low), to)
        case ChangeKind.SPLIT:
            whole = strategy.chunks[chunk_table.find(strategy.chunks, raw(change.at))]
            strategy.chunks = chunk_table.split(strategy.chunks, raw(change.at), whole.size // 2)
        case ChangeKind.MERGE:
            strategy.chunks = chunk_table.merge(strategy.chunks, chunk_at(strategy.chunks, change.cause.low))
        case _:
            raise AssertionError(change)
    return placement.but(strategy=strategy, places=places, directory=directory(strategy, known))


def _simple(placement: Placement, change: PlacementChange) -> Placement | None:
    """Changes that leave the strategy as it is."""
    match change.kind:
        case ChangeKind.COPIES:
            return placement.but(rf=change.cause.number)
        case ChangeKind.RACKS:
            return placement.but(rack_aware=bool(change.cause.number))
        case ChangeKind.RECOVER:
            return placement.without_stale(change.cause.node)
    return None


def chunk_at(table: Chunks, low: str) -> int:
    """The number of the chunk that begins at ``low``. UserError if none does."""
    at = chunk_table.find(table, raw(low))
    if table[at].low != raw(low):
        begins = table[at].low.decode("utf-8", "replace") or "-inf"
        raise UserError(f"no chunk begins at {low!r}: the one that holds this key begins at {begins!r}")
    return at


def plan_kind(placement: Placement, change: PlacementChange) -> UnitKind:
    """In which units the change is made: slots and chunks if nobody but their owner is concerned, else whole lanes."""
    return UnitKind(placement.strategy.plan_kind(change.kind.value)) if placement.rf == 1 else UnitKind.LANE
