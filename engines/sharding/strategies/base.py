"""What every strategy can do, and the membership rules they share."""

from dataclasses import dataclass
from math import isfinite
from typing import Final, Protocol

from engines.errors import UserError
from engines.sharding.batch import Batch

WEIGHT_MAX: Final = 100.0
VNODES_MAX: Final = 1000
VNODES_DEFAULT: Final = 150


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a key lies before anybody owns it. What a strategy does not have is None."""

    slot: int | None = None
    """A slot, bucket, table entry or chunk number, from 0."""
    token: int | None = None
    """A position on a circle of hashes: signed 64 bits, of ketama unsigned 32 bits."""


class Strategy(Protocol):
    """Keys to nodes. The same nodes, joined in the same order, own the same keys, always and everywhere."""

    name: str

    @property
    def nodes(self) -> tuple[str, ...]:
        """The members, in the order they joined."""

    def owner(self, key: bytes) -> str:
        """The node that owns a key."""

    def owners(self, batch: Batch) -> list[str]:
        """The owner of every key of a batch, in order: what ``owner`` says, faster."""

    def replicas(self, key: bytes, rf: int) -> tuple[str, ...]:
        """``rf`` different nodes, the owner first. UserError if there are not so many."""

    def join(self, node: str, weight: float = 1) -> None:
        """Add a node. UserError if the name is taken or the weight is none."""

    def leave(self, node: str) -> None:
        """Remove a node. UserError if it is unknown or the last one."""

    def locate(self, key: bytes) -> Spot:
        """Where the key lies."""


class Members:
    """The names and weights of a cluster, and what may not be done to it."""

    takes_weights = True

    def __init__(self, name: str, nodes: tuple[str, ...]) -> None:
        if not nodes:
            raise UserError(f"{name}: a cluster without nodes owns no keys; at least one node is needed, such as n1")
        self.name = name
        self.weights: dict[str, float] = {}
        """In the order they joined; relative to each other, 1 is the usual."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """The members, in the order they joined."""
        return tuple(self.weights)

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


def listed(names: tuple[str, ...], limit: int = 12) -> str:
    """Names for a message, not too many."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def check_vnodes(name: str, vnodes: object) -> None:
    """UserError unless a node can have so many points."""
    if isinstance(vnodes, bool) or not isinstance(vnodes, int) or not 1 <= vnodes <= VNODES_MAX:
        raise UserError(f"{name}: {vnodes!r} virtual nodes: a whole number from 1 to {VNODES_MAX} is accepted")


def following(nodes: tuple[str, ...], start: int, count: int) -> tuple[str, ...]:
    """``count`` nodes from a place in the list on, wrapping."""
    return tuple(nodes[(start + i) % len(nodes)] for i in range(count))
