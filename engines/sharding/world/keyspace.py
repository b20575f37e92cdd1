"""The key space as a picture can show it: a ring in 360 degrees, slots in runs, chunks, and each node's share."""

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from engines.sharding.strategies.chunks import find
from engines.sharding.strategies.circle import Circle
from engines.sharding.strategies.maglev import Maglev, fill
from engines.sharding.strategies.range import Range
from engines.sharding.strategies.ring import CIRCLE, Ring
from engines.sharding.strategies.slots import Slots
from engines.sharding.world import snapshot as s
from engines.sharding.world.comparisons import PPM, ppm
from engines.sharding.world.key_counts import chunk_keys
from engines.sharding.world.ownership import ShardMap, raw, text

if TYPE_CHECKING:
    from engines.sharding.world.engine import ShardingEngine

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
    chunks: tuple[s.Chunk, ...] = ()
    shares: tuple[s.Share, ...] = ()


def keyspace(data: dict[str, int], now: ShardMap, engine: "ShardingEngine") -> Keyspace:
    """The map as ``cfg`` has it; slots and chunks assigned in the middle of a plan are drawn with their new owners."""
    strategy = now.placement.strategy
    if isinstance(strategy, Ring):
        return ring_picture(strategy.nodes, strategy.vnodes, tuple(strategy.weights.values()))
    if isinstance(strategy, Slots):
        return (now if now.done else now.placement).memo("slots", partial(slots_picture, now, strategy))
    if isinstance(strategy, Range):
        total = max(1, sum(data.values()))
        shares = tuple(s.Share(node, data.get(node, 0) * PPM // total) for node in strategy.nodes)
        return Keyspace(chunks=chunk_list(now, strategy, engine), shares=shares)
    if isinstance(strategy, Maglev):
        return Keyspace(shares=maglev_shares(tuple(strategy.weights.items()), strategy.size))
    weights: Any = strategy.weights  # type: ignore[attr-defined]
    whole = sum(weights.values())
    return Keyspace(shares=tuple(s.Share(node, ppm(weights[node] / whole)) for node in strategy.nodes))


def slots_picture(now: ShardMap, strategy: Slots) -> Keyspace:
    """The table in runs, and how much of it everybody has."""
    runs, exact = slot_runs(now, strategy)
    counts: dict[str, int] = dict.fromkeys(strategy.nodes, 0)
    for run in slot_runs(now, strategy, everything=True)[0]:
        counts[run.owner] = counts.get(run.owner, 0) + run.last - run.first + 1
    shares = tuple(s.Share(node, count * PPM // len(strategy.table)) for node, count in counts.items())
    return Keyspace(runs=runs, runs_exact=exact, shares=shares)


@lru_cache(maxsize=8)
def maglev_shares(weights: tuple[tuple[str, float], ...], size: int) -> tuple[s.Share, ...]:
    """Its table, counted."""
    table = fill(dict(weights), size)
    return tuple(s.Share(node, table.count(node) * PPM // size) for node, _ in weights)


@lru_cache(maxsize=8)
def ring_picture(nodes: tuple[str, ...], vnodes: int, weights: tuple[float, ...]) -> Keyspace:
    """360 segments clockwise from the top, each with the owner of most of it; and the tokens, if they are not too many.

    A ring is a function of its members, so the picture can be kept.
    """
    ring = Ring(("-",), vnodes)
    for node, weight in zip(nodes, weights, strict=True):
        ring.join(node, weight)
    ring.leave("-")
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


def slot_runs(now: ShardMap, strategy: Slots, everything: bool = False) -> tuple[tuple[s.Run, ...], bool]:
    """Neighbouring slots of one owner; if there are too many runs, equal cells with the owner of most of each."""
    table = strategy.table
    if now.plan is not None and now.done and isinstance(now.plan.target.strategy, Slots):
        table = list(table)
        for unit in now.done:
            for slot in now.plan.unit(unit).slots:
                table[slot] = now.plan.target.strategy.table[slot]
    runs: list[s.Run] = []
    first = 0
    for slot in range(1, len(table) + 1):
        if slot == len(table) or table[slot] != table[first]:
            runs.append(s.Run(first, slot - 1, table[first]))
            first = slot
    if len(runs) <= RUNS_MAX or everything:
        return tuple(runs), True
    size = len(table) // RUNS_MAX
    cells = []
    for start in range(0, len(table), size):
        part = table[start : start + size]
        cells.append(s.Run(start, start + size - 1, max(dict.fromkeys(part), key=part.count)))
    return tuple(cells), False


def chunk_list(now: ShardMap, strategy: Range, engine: "ShardingEngine") -> tuple[s.Chunk, ...]:
    """The chunks with what is in them."""
    table = strategy.chunks
    keys, ops = chunk_keys(engine, now, table), [0] * len(table)
    for key, count in engine.ledger.ops_by_key().items():
        ops[find(table, raw(key))] += count
    span = engine.ledger.span_s()
    jumbo = engine.balancing.jumbo
    chunks = []
    for at, chunk in enumerate(table[:CHUNKS_MAX]):
        low = text(chunk.low)
        moved = now.plan is not None and now.plan.kind == "chunk" and now.owner(low) != chunk.node
        owner = now.owner(low) if moved else chunk.node
        chunks.append(s.Chunk(low, text(chunk.high or b""), owner, keys[at], ops[at] // span, low in jumbo))
    return tuple(chunks)
