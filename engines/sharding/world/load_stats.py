"""A node's load statistics: requests by key, and what its heartbeats report of them to the coordinator."""

from typing import Final

from engines.sharding.batch import raw, text
from engines.sharding.hashing import crc16
from engines.sharding.strategies.base import Strategy
from engines.sharding.strategies.chunks import Chunks, find, split_key
from engines.sharding.world import messages as m
from engines.sharding.world.store import Store

REPORT_EVERY: Final = 4
"""Chunks and slots are reported with every so many heartbeats: every 2 s."""
HOTTEST: Final = 4
SLOTS_REPORTED: Final = 8


class LoadStats:
    """Counts that halve with every report, so that what was hot cools down."""

    __slots__ = ("beats", "keys", "ops")

    def __init__(self) -> None:
        self.beats = 0
        self.ops = 0
        self.keys: dict[str, int] = {}

    def record(self, key: str) -> None:
        """Count one request."""
        self.ops += 1
        self.keys[key] = self.keys.get(key, 0) + 1

    def report(
        self, id: str, strategy: Strategy, store: Store, sizes: dict[str, int]
    ) -> tuple[int, tuple[m.Heat, ...], tuple[tuple[str, int], ...]]:
        """Requests, heat of chunks or slots, the hottest keys; the last two only with every fourth heartbeat."""
        ops, self.ops = self.ops, 0
        self.beats += 1
        if self.beats % REPORT_EVERY:
            return ops, (), ()
        heat = self.chunk_heat(id, strategy.chunks, store, sizes)
        if strategy.slot_table:
            heat = self.slot_heat()
        hottest = sorted(self.keys.items(), key=lambda each: (-each[1], each[0]))[:HOTTEST]
        self.keys = {key: count // 2 for key, count in self.keys.items() if count > 1}
        return ops, heat, tuple(hottest)

    def chunk_heat(self, id: str, chunks: Chunks, store: Store, sizes: dict[str, int]) -> tuple[m.Heat, ...]:
        """Keys and requests of every chunk it owns."""
        keys = {text(chunk.low): 0 for chunk in chunks if chunk.node == id}
        ops = dict.fromkeys(keys, 0)
        for key in store if keys else ():
            low = text(chunks[find(chunks, raw(key))].low)
            if low in keys:
                keys[low] += sizes.get(key, 1)
                ops[low] += self.keys.get(key, 0)
        return tuple(m.Heat(low, keys[low], ops[low]) for low in keys)

    def slot_heat(self) -> tuple[m.Heat, ...]:
        """The hottest slots."""
        ops: dict[int, int] = {}
        keys: dict[int, int] = {}
        for key, count in self.keys.items():
            slot = crc16.slot(raw(key))
            ops[slot] = ops.get(slot, 0) + count
            keys[slot] = keys.get(slot, 0) + 1
        hottest = sorted(ops, key=lambda slot: (-ops[slot], slot))[:SLOTS_REPORTED]
        return tuple(m.Heat(str(slot), keys[slot], ops[slot]) for slot in hottest)

    def cut(self, want: m.WantCut, chunks: Chunks, store: Store, sizes: dict[str, int]) -> m.Cut:
        """Where to split the chunk that begins at ``low`` so that keys, or requests, are halved."""
        chunk = chunks[find(chunks, raw(want.low))]
        inside = sorted(
            (raw(key), self.keys.get(key, 0) if want.by_heat else sizes.get(key, 1))
            for key in store
            if chunk.low <= raw(key) and (chunk.high is None or raw(key) < chunk.high)
        )
        at = split_key(inside)
        total = sum(count for _, count in inside)
        keys, ops = (len(inside), total) if want.by_heat else (total, 0)
        return m.Cut(want.low, text(at or b""), keys, ops, want.by_heat)
