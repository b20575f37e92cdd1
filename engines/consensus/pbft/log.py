"""The message log of one replica: who said what about each number of the present view (paper 4.2).

Votes that arrive before their pre-prepare are kept: they count once it is there. Of each sender the first vote for a
number stands; a second one that says something else is a contradiction, and is told apart from a repetition.
"""

from typing import Final, TypeVar

from engines.consensus.pbft.messages import Commit, Prepare, Prepared, PrePrepare

V = TypeVar("V", Prepare, Commit)

NEW: Final = "new"
AGAIN: Final = "again"
CONTRADICTS: Final = "contradicts"


class Slot:
    """One number in one view."""

    __slots__ = ("commits", "committed", "n", "pre_prepare", "prepared", "prepares")

    def __init__(self, n: int) -> None:
        self.n = n
        self.pre_prepare: PrePrepare | None = None
        self.prepares: dict[str, Prepare] = {}
        self.commits: dict[str, Commit] = {}
        self.prepared = False
        self.committed = False

    @property
    def digest(self) -> str:
        """What was accepted here; nothing so far: empty."""
        return self.pre_prepare.digest if self.pre_prepare else ""

    def matching_prepares(self, digest: str) -> tuple[Prepare, ...]:
        """The PREPAREs for this digest, in the order in which they came."""
        return tuple([each for each in self.prepares.values() if each.digest == digest])

    def matching_commits(self, digest: str) -> tuple[Commit, ...]:
        """The COMMITs for this digest, in the order in which they came."""
        return tuple([each for each in self.commits.values() if each.digest == digest])

    def add(self, vote: Prepare | Commit) -> str:
        """Keep a vote: ``new``, ``again``, or ``contradicts`` an earlier one of that sender, which stands."""
        votes: dict[str, Prepare] | dict[str, Commit]
        votes = self.prepares if isinstance(vote, Prepare) else self.commits
        known = votes.get(vote.i)
        if known is None:
            votes[vote.i] = vote  # type: ignore[assignment]
            return NEW
        return AGAIN if known.digest == vote.digest else CONTRADICTS


class Log:
    """The slots of the present view, and the certificates of this view and those before it."""

    __slots__ = ("certificates", "high", "low", "slots", "window")

    def __init__(self, window: int) -> None:
        self.window = window
        """L: how many numbers above the low water mark may be in progress."""
        self.low = 0
        """h: everything up to here is done with."""
        self.high = window
        """H = h + L."""
        self.slots: dict[int, Slot] = {}
        self.certificates: dict[int, Prepared] = {}
        """n -> the certificate of the highest view in which it prepared here."""

    def admits(self, n: int) -> bool:
        """h < n <= H."""
        return self.low < n <= self.high

    def slot(self, n: int) -> Slot:
        """The slot of a number inside the window; a new one if there is none yet."""
        slot = self.slots.get(n)
        if slot is None:
            slot = self.slots[n] = Slot(n)
        return slot

    def begin_view(self) -> None:
        """Nothing was said in the new view yet. Certificates stay: they are what a VIEW-CHANGE carries."""
        self.slots.clear()

    def number_of(self, digest: str) -> int | None:
        """Where the request of this digest stands in this view."""
        return next((n for n, slot in self.slots.items() if slot.digest == digest), None)

    def certify(self, slot: Slot, least: int) -> Prepared | None:
        """*prepared(m, v, n, i)*: the pre-prepare and ``least`` PREPAREs that match it (paper 4.2)."""
        assert slot.pre_prepare is not None
        prepares = slot.matching_prepares(slot.digest)
        if len(prepares) < least:
            return None
        return Prepared(slot.pre_prepare._replace(request=None), prepares[:least])

    def raise_low(self, low: int) -> None:
        """Move the window up and drop the slots below it."""
        if low > self.low:
            self.low, self.high = low, low + self.window
            for n in [n for n in self.slots if n <= low]:
                del self.slots[n]

    def drop_certificates(self, stable: int) -> None:
        """2f+1 replicas prove the state up to here: no certificate below is needed any more."""
        for n in [n for n in self.certificates if n <= stable]:
            del self.certificates[n]

    def digests(self) -> list[str]:
        """The digests whose requests may still be asked for."""
        asked = [slot.digest for slot in self.slots.values() if slot.pre_prepare]
        return asked + [certificate.pre_prepare.digest for certificate in self.certificates.values()]


__all__ = ["AGAIN", "CONTRADICTS", "NEW", "Log", "Slot"]
