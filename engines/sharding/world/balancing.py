"""What the coordinator does by itself to even things out: MongoDB's balancer, slot balance, and splits for heat.

By size: chunks that grew beyond the limit are split (a chunk of one key cannot be: jumbo), and chunks move from the
fullest to the emptiest node once they differ by three chunks. By heat: the unit with the most requests is split where
its requests halve, and one half goes to the coolest node; a unit that is one key stays as hot as it is.
"""

from dataclasses import replace
from typing import Final

from engines.sharding.batch import text
from engines.sharding.strategies.balancer import plan_round
from engines.sharding.strategies.slots import plan
from engines.sharding.world import messages as m
from engines.sharding.world.changes import Known, PlacementChange, sized
from engines.sharding.world.events import Cause, ChangeKind, ChangeReason, Indivisible, StuckReason
from engines.sharding.world.ownership import Placement
from engines.sharding.world.rules import BALANCE_US
from engines.sim.node import Context

HOT_PPM: Final = 1_300_000
"""A node this much busier than the mean is cooled."""
OPS_MIN: Final = 20
"""Fewer requests than this say nothing."""
CHUNKS_MAX: Final = 200
CUTS_MAX: Final = 4


class Balancing:
    """Two switches, and what the heartbeats told."""

    def __init__(self, by_size: bool, by_heat: bool, chunk_keys: int, documents: bool = False) -> None:
        self.by_size = by_size
        self.by_heat = by_heat
        self.chunk_keys = chunk_keys
        """A chunk with more keys is split."""
        self.documents = documents
        """A chunk is measured in documents: a key has several."""
        self.heat: dict[str, dict[str, m.Heat]] = {}
        """By node, by unit."""
        self.hottest: dict[str, dict[str, int]] = {}
        self.ops: dict[str, int] = {}
        """Requests of each node, halved with every look."""
        self.jumbo: dict[str, None] = {}
        self.stuck: dict[str, None] = {}
        self.split_last = False
        """Splitting and moving take turns."""
        self.due_us = 0

    def forget(self) -> None:
        """After a crash of the coordinator: the next heartbeats tell it anew."""
        self.heat.clear()
        self.hottest.clear()
        self.ops.clear()

    def on_heartbeat(self, node: str, beat: m.Heartbeat) -> None:
        """Note what a heartbeat tells."""
        self.ops[node] = self.ops.get(node, 0) + beat.ops
        if beat.heat:
            self.heat[node] = {each.unit: each for each in beat.heat}
        if beat.hottest:
            self.hottest[node] = dict(beat.hottest)

    def known(self, keys: tuple[str, ...]) -> Known:
        """For planning."""
        hot = {key: count for counts in self.hottest.values() for key, count in counts.items()}
        sizes = {unit: each.keys for units in self.heat.values() for unit, each in units.items()}
        ops = sum(self.ops.values())
        return Known(keys, hot, max(ops, sum(hot.values())), sizes)

    def tick(self, ctx: Context, placement: Placement, all_live: bool) -> list[PlacementChange]:
        """Look at the cluster every 2 s while nothing else is going on; returns what should be changed."""
        if ctx.now_us < self.due_us:
            return []
        self.due_us = ctx.now_us + BALANCE_US
        found: list[PlacementChange] = []
        quiet = all_live and not placement.stale
        if quiet and placement.strategy.chunks:
            found = self.level_chunks(ctx, placement)
        elif quiet and placement.strategy.slot_table:
            found = self.level_slots(ctx, placement)
        self.ops = {node: count // 2 for node, count in self.ops.items()}
        return found

    # -- chunks ----------------------------------------------------------------------------------------------

    def level_chunks(self, ctx: Context, placement: Placement) -> list[PlacementChange]:
        """Split what is too large; cool what is too hot; level what is uneven. One thing at a time."""
        sizes = self.known(()).sizes
        table = placement.strategy.chunks
        large = [chunk for chunk in table
                 if sizes.get(text(chunk.low), 0) > self.chunk_keys and text(chunk.low) not in self.jumbo]  # fmt: skip
        self.split_last = self.by_size and bool(large) and not self.split_last and len(table) < CHUNKS_MAX
        if self.split_last:
            for chunk in large[:CUTS_MAX]:
                ctx.send(chunk.node, m.WantCut(text(chunk.low), False))
            return []
        if self.by_heat:
            cooled = self.cool_chunk(ctx, placement)
            if cooled is not None:
                return cooled
        if not self.by_size or any(chunk.node not in self.heat for chunk in table):  # silent yet is not empty
            return []
        marked = tuple(
            replace(each, jumbo=True) if text(each.low) in self.jumbo else each for each in sized(table, sizes)
        )
        mean = max(1.0, sum(sizes.values()) / len(table))
        moves = plan_round(marked, placement.strategy.weights, mean)
        if not moves:
            return []
        held: dict[str, int] = {}
        for chunk in marked:
            held[chunk.node] = held.get(chunk.node, 0) + int(chunk.size)
        first = moves[0]
        cause = Cause(
            ChangeKind.CHUNKS, ChangeReason.UNEVEN, first.source, held.get(first.source, 0), "", first.target,
            held.get(first.target, 0), self.documents,
        )  # fmt: skip
        pairs = tuple((text(table[move.chunk].low), move.target) for move in moves)
        return [PlacementChange(cause, moves=pairs)]

    def hot_node(self, placement: Placement) -> tuple[str, str] | None:
        """The hottest and the coolest node, if the hottest is too hot."""
        members = placement.members
        total = sum(self.ops.get(node, 0) for node in members)
        hottest = max(members, key=lambda node: (self.ops.get(node, 0), node))
        coolest = min(members, key=lambda node: (self.ops.get(node, 0), node))
        if total < OPS_MIN or self.ops.get(hottest, 0) * len(members) * 1_000_000 < HOT_PPM * total:
            return None
        return hottest, coolest

    def cool_chunk(self, ctx: Context, placement: Placement) -> list[PlacementChange] | None:
        """Ask where the hottest chunk could be split, or give a hot one away; None if there is nothing to cool."""
        ends = self.hot_node(placement)
        units = self.heat.get(ends[0], {}) if ends is not None else {}
        if ends is None or not units:
            return None
        hottest = max(units.values(), key=lambda each: (each.ops, each.unit))
        if hottest.ops * 4 < sum(each.ops for each in units.values()) or hottest.unit in self.stuck:
            return self.shed_chunk(ends, units)
        ctx.send(ends[0], m.WantCut(hottest.unit, True))
        return []

    def shed_chunk(self, ends: tuple[str, str], units: dict[str, m.Heat]) -> list[PlacementChange] | None:
        """No chunk stands out: give the hottest that can go to the coolest node."""
        there = self.ops.get(ends[1], 0)
        here = self.ops.get(ends[0], 0)
        movable = [each for each in units.values() if each.unit not in self.stuck and 0 < 2 * each.ops <= here - there]
        if not movable:
            return None
        best = max(movable, key=lambda each: (each.ops, each.unit))
        self.forget()
        cause = Cause(ChangeKind.CHUNKS, ChangeReason.HOT, ends[0], peer=ends[1])
        return [PlacementChange(cause, moves=((best.unit, ends[1]),))]

    def on_cut(self, ctx: Context, placement: Placement, cut: m.Cut) -> list[PlacementChange]:
        """A chunk can be split there, or nowhere."""
        if not cut.at:
            marks = self.stuck if cut.by_heat else self.jumbo
            if cut.low not in marks:
                marks[cut.low] = None
                why = StuckReason.TOO_HOT if cut.by_heat else StuckReason.TOO_LARGE
                ctx.note(Indivisible(-1, cut.low, cut.keys, cut.ops, self.chunk_keys, self.documents, why))
            return []
        if any(text(chunk.low) == cut.at for chunk in placement.strategy.chunks):
            return []
        why_split = ChangeReason.HOT if cut.by_heat else ChangeReason.UNEVEN
        number, limit = (cut.ops, 0) if cut.by_heat else (cut.keys, self.chunk_keys)
        cause = Cause(ChangeKind.SPLIT, why_split, number=number, low=cut.low, other=limit, documents=self.documents)
        found = [PlacementChange(cause, at=cut.at)]
        if cut.by_heat:
            ends = self.hot_node(placement)
            self.forget()
            if ends is not None:
                cause = Cause(ChangeKind.CHUNKS, ChangeReason.HOT, low=cut.low, peer=ends[1])
                found.append(PlacementChange(cause, moves=((cut.at, ends[1]),)))
        return found

    # -- slots -----------------------------------------------------------------------------------------------

    def level_slots(self, ctx: Context, placement: Placement) -> list[PlacementChange]:
        """Cool the hottest node by giving away a hot slot; level the numbers of slots."""
        table, weights = list(placement.strategy.slot_table), placement.strategy.weights
        ends = self.hot_node(placement) if self.by_heat else None
        if ends is not None:
            hot = sorted(self.heat.get(ends[0], {}).values(), key=lambda each: -each.ops)
            gap = self.ops.get(ends[0], 0) - self.ops.get(ends[1], 0)
            for each in hot:
                if table[int(each.unit)] == ends[0] and 0 < 2 * each.ops <= gap:
                    self.forget()
                    cause = Cause(ChangeKind.SLOTS, ChangeReason.HOT, ends[0], int(each.unit), peer=ends[1])
                    return [PlacementChange(cause, moves=((each.unit, ends[1]),))]
            if hot and hot[0].unit not in self.stuck and 2 * hot[0].ops > gap:
                self.stuck[hot[0].unit] = None
                unit = int(hot[0].unit)
                ctx.note(Indivisible(unit, "", hot[0].keys, hot[0].ops, 0, self.documents, StuckReason.TOO_HOT))
        moves = plan(table, weights) if self.by_size else ()
        if not moves:
            return []
        pairs = tuple((str(move.slot), move.target) for move in moves)
        return [PlacementChange(Cause(ChangeKind.SLOTS, ChangeReason.UNEVEN, number=len(moves)), moves=pairs)]
