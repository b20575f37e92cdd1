"""16384 hash slots, as in Redis Cluster: keys to slots never changes, slots to nodes is a table.

The table is data that people and tools edit, so a change moves as little as arithmetic allows: a join takes slots
from the nodes above their new quota, a leave deals the leaver's slots to those below.

Source: Redis Cluster specification; ``redis-cli --cluster create`` for the first assignment.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Self

from engines.errors import UserError
from engines.sharding.batch import Batch, Key, raw
from engines.sharding.hashing import crc16
from engines.sharding.hashing.crc16 import SLOTS
from engines.sharding.strategies.base import Names, PieceMove, Spot, Strategy, following


@dataclass(frozen=True, slots=True)
class SlotMove:
    """One slot changes hands."""

    slot: int
    source: str
    target: str


def first_assignment(weights: dict[str, float]) -> list[str]:
    """Contiguous ranges in the order of the nodes, cut as ``redis-cli`` cuts them: three get 5461, 5462, 5461."""
    table: list[str] = []
    total, reached = sum(map(Fraction, weights.values())), Fraction(0)
    for node, weight in weights.items():
        reached += Fraction(weight)
        table += [node] * (_rounded(SLOTS * reached / total) - len(table))
    return table


def quotas(table: list[str], weights: dict[str, float]) -> dict[str, int]:
    """How many slots each node should have, in proportion to its weight; the sum is 16384.

    A share's fraction is rounded up where that is fairest, and among equals where it moves least.
    """
    total = sum(map(Fraction, weights.values()))
    shares = {node: SLOTS * Fraction(weight) / total for node, weight in weights.items()}
    floors = {node: int(share) for node, share in shares.items()}
    held = _held(table, weights)
    order = {node: i for i, node in enumerate(weights)}
    fairest = sorted(
        weights, key=lambda node: (floors[node] - shares[node], min(floors[node] - held[node], 0), order[node])
    )
    for node in fairest[: SLOTS - sum(floors.values())]:
        floors[node] += 1
    return floors


def plan(table: list[str], weights: dict[str, float]) -> tuple[SlotMove, ...]:
    """The fewest moves that give every node its quota; those who are not in ``weights`` give all.

    Of a node's slots the highest go, in ascending order; receivers are served in the order of the nodes.
    """
    goal = quotas(table, weights)
    held = _held(table, weights)
    surplus = {node: held[node] - goal.get(node, 0) for node in held}
    given: list[int] = []
    for slot in range(SLOTS - 1, -1, -1):
        if surplus[table[slot]] > 0:
            surplus[table[slot]] -= 1
            given.append(slot)
    targets = (node for node in weights for _ in range(-min(surplus[node], 0)))
    return tuple(SlotMove(slot, table[slot], target) for slot, target in zip(reversed(given), targets, strict=True))


class Slots(Strategy):
    """The slot table of a cluster."""

    name = "slots"

    def __init__(self, nodes: tuple[str, ...]) -> None:
        super().__init__(nodes)
        for node in nodes:
            self.check_join(node, 1)
            self.weights[node] = 1
        self.slot_table: list[str] = first_assignment(self.weights)

    def owner(self, key: Key) -> str:
        """Who has the key's slot."""
        return self.slot_table[crc16.slot(raw(key))]

    def owners(self, batch: Batch) -> list[str]:
        """The owner of every key."""
        return list(map(self.slot_table.__getitem__, batch.slots))

    def replicas(self, key: Key, rf: int) -> tuple[str, ...]:
        """The owner and the nodes behind it in the list, who hold copies of all its slots."""
        self.check_rf(rf)
        nodes = self.nodes
        return following(nodes, nodes.index(self.owner(key)), rf)

    def join(self, node: str, weight: float = 1) -> None:
        """Take slots for the node from those who have more than their new quota."""
        self.check_join(node, weight)
        self.weights[node] = weight
        self._balance()

    def leave(self, node: str) -> None:
        """Deal the node's slots to the others."""
        self.check_leave(node)
        del self.weights[node]
        self._balance()

    def assign(self, slot: int, node: str) -> None:
        """CLUSTER SETSLOT slot NODE node. UserError if there is no such slot or node."""
        if not 0 <= slot < SLOTS:
            raise UserError(f"slots: there is no slot {slot}; 0 to {SLOTS - 1} are accepted")
        if node not in self.weights:
            raise UserError(f"slots: no node is called {node!r}; the members are {', '.join(self.weights)}")
        self.slot_table[slot] = node

    def locate(self, key: Key) -> Spot:
        """The key's slot."""
        return Spot(slot=crc16.slot(raw(key)))

    def shares(self) -> dict[str, float]:
        """The part of the slots that each node has."""
        return {node: count / SLOTS for node, count in _held(self.slot_table, self.weights).items()}

    def pieces(self, node: str) -> int:
        """Its slots."""
        return self.slot_table.count(node)

    def owns_any(self, node: str) -> bool:
        """Whether it has a slot."""
        return node in self.slot_table

    def moves_least(self, leave: Names) -> bool:
        """From an even table; slots that were moved by hand may go back."""
        return True

    def plan_kind(self, change: str) -> str:
        """Slot by slot, as long as only the table changes."""
        return "slots" if change in ("slots", "join", "leave") else "lane"

    def piece_moves(self, target: Self) -> tuple[PieceMove, ...]:
        """The slots of every pair (old owner, new owner)."""
        lanes: dict[tuple[str, str], list[int]] = {}
        for slot, pair in enumerate(zip(self.slot_table, target.slot_table, strict=True)):
            if pair[0] != pair[1]:
                lanes.setdefault(pair, []).append(slot)
        return tuple(PieceMove(*pair, slots=tuple(slots)) for pair, slots in lanes.items())

    def slot_of(self, key: Key) -> int:
        """CRC16 of the key or its hash tag, mod 16384."""
        return crc16.slot(raw(key))

    def _balance(self) -> None:
        for move in plan(self.slot_table, self.weights):
            self.slot_table[move.slot] = move.target


def _held(table: list[str], weights: dict[str, float]) -> dict[str, int]:
    held = dict.fromkeys(weights, 0)
    for node in table:
        held[node] = held.get(node, 0) + 1
    return held


def _rounded(share: Fraction) -> int:
    """Half up, as C's lround does for positive numbers."""
    return int(share + Fraction(1, 2))
