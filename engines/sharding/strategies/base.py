"""What every strategy can do, what it can be asked about itself, and the membership rules they share."""

from abc import ABC, abstractmethod
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import ClassVar, Final, NamedTuple, Protocol, Self, TypeAlias

from engines.errors import UserError
from engines.sharding.batch import Batch, Key
from engines.sharding.strategies.chunks import Chunks
from engines.sharding.strategies.circle import Circle

WEIGHT_MAX: Final = 100.0
VNODES_MAX: Final = 1000
VNODES_DEFAULT: Final = 150
FACTOR: Final = Fraction(5, 4)
"""c = 1.25 of bounded loads, the paper's example and HAProxy's recommendation."""

Names: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a key lies before anybody owns it. What a strategy does not have is None."""

    slot: int | None = None
    """A slot, bucket, table entry or chunk number, from 0."""
    token: int | None = None
    """A position on a circle of hashes: signed 64 bits, of ketama unsigned 32 bits."""


class Spec(NamedTuple):
    """What some strategies take besides their nodes; the others ignore it."""

    vnodes: int = VNODES_DEFAULT
    """Points of a node on a ring."""
    factor: Fraction = FACTOR
    """Bounded loads: no node takes more than this times its fair share."""
    sample: Sequence[tuple[bytes, float]] = ()
    """Range: keys with their weights to cut chunks by; none: the alphabet is cut."""
    chunks: int | None = None
    """Range: into how many chunks the sample is cut; None: 64 a node."""


class PieceMove(NamedTuple):
    """What changes hands from one table to another, whole: slots, or the chunk [low, high)."""

    source: str
    target: str
    slots: tuple[int, ...] = ()
    low: bytes = b""
    high: bytes | None = None


class Assignment(Protocol):
    """Owners given out one key after the other, for a strategy that has to know the whole load first."""

    def place(self, position: int, weight: float = 1) -> str:
        """The owner of the key with this hash."""

    def owners(self, batch: Batch) -> list[str]:
        """The owner of every key of a batch, in order."""


class Strategy(ABC):
    """Keys to nodes. The same nodes, joined in the same order, own the same keys, always and everywhere.

    Keys are bytes, or text, which stands for its UTF-8 bytes.
    """

    name: ClassVar[str]
    takes_weights: ClassVar[bool] = True
    needs_whole_load: ClassVar[bool] = False
    """``owner`` is of a key alone: the owners of many keys come from an ``assignment``."""

    vnodes: int = 0
    """Points of a node of weight 1; 0 where there is no ring."""
    factor: Fraction = Fraction(0)
    """The bound on the load of a node relative to its fair share; 0: none."""
    circle: Circle | None = None
    """The ring, where there is one."""
    slot_table: Sequence[str] = ()
    """slot_table[slot] is the slot's owner; empty where there are no hash slots."""
    chunks: Chunks = ()
    """The ranges of keys in order; empty where there are none."""

    def __init__(self, nodes: Names) -> None:
        if not nodes:
            raise UserError(
                f"{self.name}: a cluster without nodes owns no keys; at least one node is needed, such as n1"
            )
        self.weights: dict[str, float] = {}
        """In the order they joined; relative to each other, 1 is the usual."""

    @classmethod
    def build(cls, nodes: Names, spec: Spec) -> Self:
        """A fresh strategy of these nodes."""
        return cls(nodes)

    # -- keys to nodes ---------------------------------------------------------------------------------------

    @abstractmethod
    def owner(self, key: Key) -> str:
        """The node that owns a key."""

    @abstractmethod
    def owners(self, batch: Batch) -> list[str]:
        """The owner of every key of a batch, in order: what ``owner`` says, faster."""

    @abstractmethod
    def replicas(self, key: Key, rf: int) -> Names:
        """``rf`` different nodes, the owner first. UserError if there are not so many."""

    @abstractmethod
    def locate(self, key: Key) -> Spot:
        """Where the key lies."""

    def assignment(self, total: float, *, whole: bool, repeats: Mapping[int, float]) -> Assignment | None:
        """Empty nodes that wait for keys weighing ``total``; None where every key has an owner of its own.

        ``whole``: all weights are whole numbers. ``repeats``: keys that come more than once, by hash, with the sum
        of their weights.
        """
        return None

    # -- members ---------------------------------------------------------------------------------------------

    @property
    def nodes(self) -> Names:
        """The members, in the order they joined."""
        return tuple(self.weights)

    @abstractmethod
    def join(self, node: str, weight: float = 1) -> None:
        """Add a node. UserError if the name is taken or the weight is none."""

    @abstractmethod
    def leave(self, node: str) -> None:
        """Remove a node. UserError if it is unknown or the last one."""

    # -- about itself ----------------------------------------------------------------------------------------

    def shares(self) -> dict[str, float]:
        """The part of the key space that each node owns; the sum is 1."""
        total = sum(self.weights.values())
        return {node: weight / total for node, weight in self.weights.items()}

    def mark(self) -> Hashable:
        """What decides all its answers, where that is little: of equal marks are equal answers. None elsewhere."""
        return None

    def pieces(self, node: str) -> int:
        """How many tokens, slots or chunks a node owns; 0 where there is no such thing."""
        return 0

    def owns_any(self, node: str) -> bool:
        """Whether a node owns any part of the key space."""
        return node in self.weights

    def walks(self) -> Iterator[Names] | None:
        """All orders in which ``replicas`` may list all nodes; None where they are too many."""
        nodes = self.nodes
        return (following(nodes, start, len(nodes)) for start in range(len(nodes)))

    def moves_least(self, leave: Names) -> bool:
        """Whether it is a law that a change moves keys only to those that join and off those that leave."""
        return False

    def plan_kind(self, change: str) -> str:
        """In which units a change (``join leave slots chunks`` ...) is made: ``slots chunk lane``."""
        return "lane"

    def piece_moves(self, target: Self) -> tuple[PieceMove, ...]:
        """What changes hands from this table to that one; nothing where there is no table."""
        return ()

    def probes(self) -> tuple[bytes, ...]:
        """One key of every piece, where pieces can be listed; else none."""
        return ()

    def slot_of(self, key: Key) -> int:
        """The hash slot of a key; -1 where there are none."""
        return -1

    def learn_sizes(self, sizes: Mapping[bytes, float]) -> None:  # noqa: B027 -- most have no chunks
        """How much data lies in every chunk, by its low end. Nothing changes hands by it."""

    def directory(self, weights: Mapping[bytes, int]) -> dict[bytes, str]:
        """The owners of these keys together, where they are not those of each alone; else empty."""
        return {}

    # -- what may not be done --------------------------------------------------------------------------------

    def check_join(self, node: str, weight: object) -> None:
        """UserError unless this node may join."""
        if not node:
            raise UserError(f"{self.name}: a node needs a name; n{len(self.weights) + 1} would do")
        if node in self.weights:
            raise UserError(f"{self.name}: {node!r} is already a member; choose a name other than {listed(self.nodes)}")
        accepted = f"a number above 0, at most {WEIGHT_MAX:g}, is accepted"
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise UserError(f"{self.name}: the weight of {node!r} is {weight!r}: {accepted}")
        if not isfinite(weight) or not 0 < weight <= WEIGHT_MAX:
            raise UserError(f"{self.name}: the weight of {node!r} is {weight}: {accepted}")
        if weight != 1 and not self.takes_weights:
            raise UserError(
                f"{self.name}: the weight of {node!r} is {weight}, but {self.name} gives every node the same share: "
                "leave it at 1, or take ring, slots, rendezvous, maglev, bounded or range"
            )

    def check_leave(self, node: str) -> None:
        """UserError unless this node may leave."""
        if node not in self.weights:
            raise UserError(f"{self.name}: no node is called {node!r}; the members are {listed(self.nodes)}")
        if len(self.weights) == 1:
            raise UserError(
                f"{self.name}: {node!r} is the last node and its keys would have no owner; join another first"
            )

    def check_rf(self, rf: object) -> None:
        """UserError unless there are so many replicas to be had."""
        if isinstance(rf, bool) or not isinstance(rf, int) or not 1 <= rf <= len(self.weights):
            raise UserError(
                f"{self.name}: {rf!r} replicas on {len(self.weights)} nodes: every replica needs a node of its own; "
                f"1 to {len(self.weights)} are accepted"
            )


def listed(names: Names, limit: int = 12) -> str:
    """Names for a message, not too many."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def check_vnodes(name: str, vnodes: object) -> None:
    """UserError unless a node can have so many points."""
    if isinstance(vnodes, bool) or not isinstance(vnodes, int) or not 1 <= vnodes <= VNODES_MAX:
        raise UserError(f"{name}: {vnodes!r} virtual nodes: a whole number from 1 to {VNODES_MAX} is accepted")


def following(nodes: Names, start: int, count: int) -> Names:
    """``count`` nodes from a place in the list on, wrapping."""
    return tuple(nodes[(start + i) % len(nodes)] for i in range(count))
