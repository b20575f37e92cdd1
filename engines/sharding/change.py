"""A change of the cluster, and how little of a load it could move."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from engines.errors import UserError

NODES_MAX: Final = 1000


@dataclass(frozen=True, slots=True)
class Change:
    """The members before and after, in order. Leaves happen first, so that a newcomer can take a leaver's place."""

    nodes: tuple[str, ...]
    join: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()

    @property
    def after(self) -> tuple[str, ...]:
        """The members afterwards."""
        return tuple(node for node in self.nodes if node not in self.leave) + self.join

    @property
    def survivors(self) -> tuple[str, ...]:
        """Members before and after."""
        return tuple(node for node in self.nodes if node not in self.leave)

    @property
    def ideal(self) -> float:
        """The part of a load that moves if it is even before and after: the even share, and no minimum.

        A strategy that gives a newcomer less than its even share moves less, and is less even for it.
        """
        before, after = len(self.nodes), len(self.after)
        grows = max(Fraction(0), Fraction(1, after) - Fraction(1, before))
        return float(Fraction(len(self.join), after) + grows * len(self.survivors))


def change(
    nodes: int, join: int = 0, leave: int = 0, join_names: Sequence[str] = (), leave_names: Sequence[str] = ()
) -> Change:
    """A change of the cluster n1..nN by counts, names or both.

    By count the last nodes leave and the next numbers join. UserError for a count out of bounds, a name that is
    taken or unknown, or a cluster left empty.
    """
    if not 1 <= nodes <= NODES_MAX:
        raise UserError(f"{nodes} nodes: 1 to {NODES_MAX} are accepted")
    if not 0 <= join <= NODES_MAX - nodes:
        room = NODES_MAX - nodes
        accepted = f"0 to {room} are accepted" if room else "there is no room; start with fewer nodes"
        raise UserError(f"{join} to join {nodes} nodes: a cluster has at most {NODES_MAX}, so {accepted}")
    members = tuple(f"n{i}" for i in range(1, nodes + 1))
    for name in leave_names:
        if name not in members:
            raise UserError(f"no node is called {name!r}, so it cannot leave; the members are n1 to n{nodes}")
    left = list(dict.fromkeys(leave_names))
    remaining = [node for node in members if node not in left]
    if not 0 <= leave < max(1, len(remaining)) or not remaining:
        raise UserError(
            f"{leave + len(left)} of {nodes} nodes to leave: the last one cannot go, its keys would have no owner; "
            f"at most {nodes - 1} are accepted"
        )
    left += remaining[len(remaining) - leave :]
    joined: list[str] = []
    for name in (*(f"n{nodes + i}" for i in range(1, join + 1)), *join_names):
        if not name:
            raise UserError("a node that joins needs a name")
        if name in members or name in joined:
            raise UserError(f"{name!r} cannot join: it is already a member; choose another name")
        joined.append(name)
    return Change(members, tuple(joined), tuple(left))
