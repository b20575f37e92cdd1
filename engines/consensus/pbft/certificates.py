"""What a certificate proves, and what a new view must contain. Pure functions; the paper's section 4.4 in code.

    n = 3f + 1 replicas     up to f of them traitors
    quorum = 2f + 1         any two share f + 1 replicas, so at least one that is correct
    weak   = f + 1          at least one of them is correct

The primary of view v is replica v mod n.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from engines.consensus.pbft.messages import (
    NULL,
    Checkpoint,
    NewView,
    Prepare,
    Prepared,
    PrePrepare,
    ViewChange,
    genuine,
)


class Group(NamedTuple):
    """The replicas, and the numbers that follow from how many they are."""

    replicas: tuple[str, ...]

    @property
    def f(self) -> int:
        """How many traitors it survives."""
        return (len(self.replicas) - 1) // 3

    @property
    def quorum(self) -> int:
        """ceil((n + f + 1) / 2): 2f+1 where n = 3f+1."""
        return (len(self.replicas) + self.f + 2) // 2

    @property
    def weak(self) -> int:
        """f+1."""
        return self.f + 1

    def primary(self, view: int) -> str:
        """Who leads that view."""
        return self.replicas[view % len(self.replicas)]


class Plan(NamedTuple):
    """What V demands of a new view (paper 4.4)."""

    min_s: int
    """The highest stable checkpoint in V."""
    max_s: int
    """The highest number with a certificate in V; min_s if there is none."""
    digests: tuple[tuple[int, str], ...]
    """For every number in (min_s, max_s]: the digest with the highest view, or ``null``."""


def plan(view_changes: Iterable[ViewChange]) -> Plan:
    """What follows from these VIEW-CHANGEs, which are valid."""
    view_changes = tuple(view_changes)
    min_s = max(each.n for each in view_changes)
    best: dict[int, PrePrepare] = {}
    for view_change in view_changes:
        for certificate in view_change.p:
            found = certificate.pre_prepare
            if found.n > min_s and (found.n not in best or found.view > best[found.n].view):
                best[found.n] = found
    max_s = max(best, default=min_s)
    return Plan(min_s, max_s, tuple((n, best[n].digest if n in best else NULL) for n in range(min_s + 1, max_s + 1)))


def proves_checkpoint(group: Group, n: int, proof: Sequence[Checkpoint]) -> bool:
    """Whether these are 2f+1 equal, genuine CHECKPOINTs of different replicas for ``n``. Number 0 needs no proof."""
    if n == 0:
        return not proof
    return (
        len({each.i for each in proof if each.i in group.replicas}) == len(proof) >= group.quorum
        and all(each.n == n and each.digest == proof[0].digest and genuine(each) for each in proof)
    )  # fmt: skip


def proves_prepared(group: Group, certificate: Prepared) -> bool:
    """Whether it holds a genuine pre-prepare of its view's primary and 2f PREPAREs that match it, of other replicas."""
    pre_prepare, prepares = certificate
    primary = group.primary(pre_prepare.view)
    voters = {each.i for each in prepares if each.i in group.replicas and each.i != primary}
    return (
        pre_prepare.i == primary
        and genuine(pre_prepare)
        and len(voters) == len(prepares) >= 2 * group.f
        and all(matches(each, pre_prepare) and genuine(each) for each in prepares)
    )


def matches(prepare: Prepare, pre_prepare: PrePrepare) -> bool:
    """Whether they agree on view, number and digest."""
    return prepare[:3] == pre_prepare[:3]


def valid_view_change(group: Group, m: ViewChange, window: int) -> bool:
    """Whether everything in it is proven: its signature, its checkpoint, and each certificate, of a view below."""
    numbers = [each.n for each in m.p]
    return (
        genuine(m)
        and m.i in group.replicas
        and proves_checkpoint(group, m.n, m.c)
        and len(set(numbers)) == len(numbers)
        and all(m.n < each.n <= m.n + window and each.pre_prepare.view < m.view for each in m.p)
        and all(proves_prepared(group, each) for each in m.p)
    )


def valid_new_view(group: Group, m: NewView, window: int, *, recompute: bool = True) -> bool:
    """Whether 2f+1 valid VIEW-CHANGEs for this view stand behind it, and O is what follows from them."""
    senders = {each.i for each in m.v}
    return (
        genuine(m)
        and m.i == group.primary(m.view)
        and len(senders) == len(m.v) >= group.quorum
        and all(each.view == m.view and valid_view_change(group, each, window) for each in m.v)
        and all(each.view == m.view and each.i == m.i and genuine(each) for each in m.o)
        and (not recompute or tuple((each.n, each.digest) for each in m.o) == plan(m.v).digests)
    )


__all__ = [
    "Group", "Plan", "matches", "plan", "proves_checkpoint", "proves_prepared", "valid_new_view", "valid_view_change",
]  # fmt: skip
