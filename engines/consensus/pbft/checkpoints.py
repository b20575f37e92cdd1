"""Who claims which state at which number, what is proven by it, and whom to ask for a state one lacks (paper 4.3)."""

from typing import Final, NamedTuple

from engines.consensus.pbft.certificates import Group
from engines.consensus.pbft.messages import Checkpoint

CLAIMS_MAX: Final = 8
"""Claims kept of one replica: a traitor that claims many states displaces its own only."""


class Target(NamedTuple):
    """A state worth fetching: its number and digest, and who certifies it, in the order in which they are asked."""

    n: int
    digest: str
    holders: tuple[str, ...]


class Checkpoints:
    """The CHECKPOINTs of all replicas above the stable one, and the proof of that."""

    __slots__ = ("certified", "claims", "group", "proof", "stable")

    def __init__(self, group: Group) -> None:
        self.group = group
        self.stable = 0
        self.proof: tuple[Checkpoint, ...] = ()
        """2f+1 equal CHECKPOINTs for ``stable``; none for 0."""
        self.certified: tuple[Checkpoint, ...] = ()
        """2f+1 equal CHECKPOINTs for a number above ``stable`` that came as one proof. They stand for themselves: a
        traitor among them may have claimed something else to me."""
        self.claims: dict[int, dict[str, Checkpoint]] = {}
        """n -> replica -> what it claims. The first claim of a replica for a number stands."""

    def add(self, claim: Checkpoint) -> bool:
        """Keep a claim above the stable checkpoint; whether it is new."""
        if claim.n <= self.stable or claim.i not in self.group.replicas or claim.i in self.claims.get(claim.n, ()):
            return False
        self.claims.setdefault(claim.n, {})[claim.i] = claim
        mine = sorted(n for n, claims in self.claims.items() if claim.i in claims)
        for n in mine[:-CLAIMS_MAX]:
            self._remove(n, claim.i)
        return True

    def adopt(self, proof: tuple[Checkpoint, ...]) -> bool:
        """Keep a proof that is valid, if it is of a higher number than what I have; whether it was."""
        known = self.certified[0].n if self.certified else self.stable
        if not proof or proof[0].n <= known:
            return False
        self.certified = proof
        return True

    def _remove(self, n: int, replica: str) -> None:
        del self.claims[n][replica]
        if not self.claims[n]:
            del self.claims[n]

    def agreed(self, n: int, least: int) -> tuple[Checkpoint, ...]:
        """The claims for a number that agree, if there are so many; else none."""
        claims = self.claims.get(n, {})
        for claim in claims.values():
            equal = tuple(each for each in claims.values() if each.digest == claim.digest)
            if len(equal) >= least:
                return equal
        return ()

    def proven(self) -> Target | None:
        """The highest number above the stable one with 2f+1 equal claims."""
        found = self._highest(self.group.quorum, 0)
        if self.certified and (found is None or found.n < self.certified[0].n):
            first = self.certified[0]
            return Target(first.n, first.digest, tuple(each.i for each in self.certified))
        return found

    def ahead(self, high: int) -> Target | None:
        """What f+1 replicas have that are beyond my window: at least one of them is correct, so I am behind."""
        return self._highest(self.group.weak, high)

    def _highest(self, least: int, above: int) -> Target | None:
        for n in sorted(self.claims, reverse=True):
            if n > above and (equal := self.agreed(n, least)):
                return Target(n, equal[0].digest, tuple(each.i for each in equal))
        return None

    def stabilise(self, n: int) -> None:
        """2f+1 claims for ``n`` are at hand: it is the stable checkpoint now, and older claims go."""
        certified, self.certified = self.certified, ()
        if certified and certified[0].n >= n:
            self.proof = certified
        else:
            self.proof = self.agreed(n, self.group.quorum)[: self.group.quorum]
        self.stable = n
        for old in [each for each in self.claims if each <= n]:
            del self.claims[old]


__all__ = ["Checkpoints", "Target"]
