"""The key space as a picture can show it: a ring in 360 degrees, slots in runs, chunks, and each node's share."""

from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Final, NamedTuple

from engines.sharding.batch import raw, text
from engines.sharding.strategies.base import Spec, Strategy
from engines.sharding.strategies.chunks import Chunk, find
from engines.sharding.strategies.circle import Circle
from engines.sharding.strategies.ring import CIRCLE, Ring
from engines.sharding.world import snapshot as s
from engines.sharding.world.cluster import Cluster
from engines.sharding.world.comparisons import PPM, ppm
from engines.sharding.world.events import UnitKind
from engines.sharding.world.key_counts import chunk_keys
from engines.sharding.world.ownership import ShardMap

DEGREES: Final = 360
TOKENS_MAX: Final = 512
RUNS_MAX: Final = 512
CHUNKS_MAX: Final = 256


class Keyspace(NamedTuple):
    """All parts; those that a variant has not are empty."""

    ring: tuple[s.Segment, ...] = ()
    tokens: tuple[s.Token, ...] = ()
    runs: tuple[s.Run, ...] = ()
    runs_exact: bool = True
    chunks: tuple[s.ChunkState, ...] = ()
    shares: tuple[s.Share, ...] = ()
    pieces: tuple[tuple[str, int], ...] = ()
    """Slots and chunks by owner."""


def keyspace(data: dict[str, int], now: ShardMap, cluster: Cluster) -> Keyspace:
    """The map as ``cfg`` has it; slots and chunks assigned in the middle of a plan are drawn with their new owners."""
    strategy = now.placement.strategy
    if strategy.circle is not None:
        return ring_picture(tuple(strategy.weights.items()), strategy.vnodes)
    if strategy.slot_table:
        return (now if now.done else now.placement).memo("slots", partial(slots_picture, now))
    if strategy.chunks:
        total = max(1, sum(data.values()))
        shares = tuple(s.Share(node, data.get(node, 0) * PPM // total) for node in strategy.nodes)
        pieces: dict[str, int] = {}
        for chunk in strategy.chunks:
            owner = chunk_owner(now, chunk)
            pieces[owner] = pieces.get(owner, 0) + 1
        return Keyspace(chunks=chunk_list(now, cluster), shares=shares, pieces=tuple(pieces.items()))
    return now.placement.memo("shares", partial(shares_picture, strategy))


def shares_picture(strategy: Strategy) -> Keyspace:
    """How much of the space everybody has."""
    return Keyspace(shares=tuple(s.Share(node, ppm(part)) for node, part in strategy.shares().items()))


def slots_picture(now: ShardMap) -> Keyspace:
    """The table in runs, and how much of it everybody has."""
    table = list(now.placement.strategy.slot_table)
    if now.plan is not None and now.plan.kind is UnitKind.SLOTS:
        target = now.plan.target.strategy.slot_table
        for unit in now.done:
            for slot in now.plan.unit(unit).slots:
                table[slot] = target[slot]
    counts: dict[str, int] = dict.fromkeys(now.placement.members, 0)
    for node in table:
        counts[node] = counts.get(node, 0) + 1
    runs, exact = slot_runs(table)
    shares = tuple(s.Share(node, count * PPM // len(table)) for node, count in counts.items())
    return Keyspace(runs=runs, runs_exact=exact, shares=shares, pieces=tuple(counts.items()))


@lru_cache(maxsize=8)
def ring_picture(weights: tuple[tuple[str, float], ...], vnodes: int) -> Keyspace:
    """360 segments clockwise from the top, each with the owner of most of it; and the tokens, if they are not too many.

    A ring is a function of its members, so the picture can be kept.
    """
    ring = Ring.of(dict(weights), Spec(vnodes))
    circle = ring.circle
    counts = [0] * DEGREES
    for token in circle.tokens:
        counts[token * DEGREES // CIRCLE] += 1
    segments = tuple(s.Segment(_most(circle, degree), counts[degree]) for degree in range(DEGREES))
    tokens: tuple[s.Token, ...] = ()
    if len(circle) <= TOKENS_MAX:
        named = zip(circle.tokens, circle.names, strict=False)
        tokens = tuple(s.Token(token * PPM // CIRCLE, node) for token, node in named)
    shares = tuple(s.Share(node, ppm(part)) for node, part in ring.shares().items())
    return Keyspace(ring=segments, tokens=tokens, shares=shares)


def _most(circle: Circle, degree: int) -> str:
    """Who owns most of a degree."""
    at, end = degree * CIRCLE // DEGREES, (degree + 1) * CIRCLE // DEGREES
    parts: dict[str, int] = {}
    i = circle.index(at)
    while at < end:
        token = circle.tokens[i]
        upto = token + 1 if token >= at else CIRCLE
        upto = min(upto, end)
        parts[circle.names[i]] = parts.get(circle.names[i], 0) + upto - at
        at = upto
        i = (i + 1) % len(circle)
    return max(parts, key=lambda node: (parts[node], node))


def slot_runs(table: Sequence[str]) -> tuple[tuple[s.Run, ...], bool]:
    """Neighbouring slots of one owner; if there are too many runs, equal cells with the owner of most of each."""
    runs: list[s.Run] = []
    first = 0
    for slot in range(1, len(table) + 1):
        if slot == len(table) or table[slot] != table[first]:
            runs.append(s.Run(first, slot - 1, table[first]))
            first = slot
    if len(runs) <= RUNS_MAX:
        return tuple(runs), True
    size = len(table) // RUNS_MAX
    cells = []
    for start in range(0, len(table), size):
        part = table[start : start + size]
        cells.append(s.Run(start, start + size - 1, max(dict.fromkeys(part), key=part.count)))
    return tuple(cells), False


def chunk_list(now: ShardMap, cluster: Cluster) -> tuple[s.ChunkState, ...]:
    """The chunks with what is in them."""
    table = now.placement.strategy.chunks
    keys, ops = chunk_keys(cluster, now, table), [0] * len(table)
    for key, count in cluster.ledger.ops_by_key().items():
        ops[find(table, raw(key))] += count
    rate = cluster.ledger.per_ks
    jumbo = cluster.balancing.jumbo
    chunks = []
    for at, chunk in enumerate(table[:CHUNKS_MAX]):
        low, owner = text(chunk.low), chunk_owner(now, chunk)
        chunks.append(s.ChunkState(low, text(chunk.high or b""), owner, keys[at], rate(ops[at]), low in jumbo))
    return tuple(chunks)


def chunk_owner(now: ShardMap, chunk: Chunk) -> str:
    """Its node, or the new one where a plan has assigned it already."""
    return now.owner(text(chunk.low)) if now.plan is not None and now.plan.kind is UnitKind.CHUNK else chunk.node
