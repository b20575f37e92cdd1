"""What each design promises, watched while it runs.

Most promises are models: the judges read the clients' history, and a check fails when they find a violation. Two are
about what only the world can see: whether a quorum met an acknowledged write, and whether replicas are equal once all
is quiet.
"""

from typing import Final

from engines.consistency.explain import SENSES, named, sentence, witness_lines
from engines.consistency.judge import NAMES
from engines.consistency.verdict import Verdict, Why
from engines.consistency.world.ledger import Ledger
from engines.sim.checks import CheckBook
from engines.units import US_PER_S, span

SESSIONS: Final = ("ryw", "mr", "mw", "wfr")
PROMISES: Final[dict[str, tuple[str, ...]]] = {
    "linearizable": NAMES[:11],
    "sequential": ("sequential", "causal", "ccv", "cm", "pram", *SESSIONS),
    "causal": ("causal", "ccv", *SESSIONS),
    "eventual": ("overlap", "no lost write", "converged", "no thin air"),
    "weak": ("no thin air",),
    "mongodb": (*SESSIONS, "no lost write", "no thin air"),
}
"""Of a replica set the session guarantees are promised while all reads go to the primary, and not any more after."""
OTHERS: Final = {
    "overlap": "with R + W > N every read's quorum meets the newest write acknowledged before it",
    "no lost write": "no acknowledged write is overwritten by one that was over before it began, or rolled back",
    "converged": "once writes stop and the net is whole, all replicas of a key are equal within 4 s",
    "no thin air": "every value that is read was written by somebody",
}
DEMANDS: Final = {**SENSES, **OTHERS}
SETTLE_US: Final = 4 * US_PER_S


class Checks(CheckBook):
    """The promises of one variant."""

    def __init__(self, variant: str) -> None:
        super().__init__({name: DEMANDS[name] for name in PROMISES[variant]})
        self.looked = -1
        self.broken: dict[str, Why] = {}

    def look(self, book: Ledger) -> list[tuple[str, Verdict]]:
        """After a return: the models that do not hold any more, promised or not, each told once."""
        if book.changed == self.looked:
            return []
        self.looked = book.changed
        found = []
        for name, verdict in book.judge.verdicts().items():
            if verdict.broken and verdict.why is not None and name not in self.broken:
                self.broken[name] = verdict.why
                found.append((name, verdict))
                if name in self.demands:
                    self._fail_model(name, verdict, book)
        if "no thin air" in self.demands and self.broken.get("causal") is Why.THIN_AIR:
            self._fail_model("no thin air", book.judge.causal.verdicts["causal"], book)
        if book.lost_total and "no lost write" in self.demands and "no lost write" not in self.failed:
            lost = book.lost[0]
            if lost.by < 0:
                self.fail("no lost write", f"{lost.key}={lost.value} was acknowledged and rolled back",
                          f"acknowledged: {lost.key}={lost.value}")  # fmt: skip
            else:
                self.fail(
                    "no lost write",
                    f"{lost.key}={lost.value} was acknowledged; the older {lost.key}={lost.by} has the larger stamp",
                    f"{lost.key}={lost.value} has the stamp {_stamp(lost.tag)}",
                    f"{lost.key}={lost.by} was over before it began, and has {_stamp(lost.by_tag)}",
                )
        if book.missed is not None and "overlap" in self.demands:
            read, tag, due = book.missed
            self.fail(
                "overlap",
                f"{named(read)} missed the newest acknowledged write of {read.key}",
                f"it returned the version {_stamp(tag)}",
                f"acknowledged before it began was {_stamp(due)}",
            )
        return found

    def _fail_model(self, name: str, verdict: Verdict, book: Ledger) -> None:
        history = book.judge.history()
        self.fail(name, sentence(verdict, history), *witness_lines(verdict, history))

    def settled(self, for_us: int, differing: tuple[str, ...], where: tuple[str, ...]) -> None:
        """All is quiet since then, and replicas still differ in these keys."""
        if for_us >= SETTLE_US and differing and "converged" in self.demands:
            self.fail("converged", f"replicas differ in {', '.join(differing)} after {span(for_us)} of quiet", *where)


def _stamp(tag: tuple[int, str]) -> str:
    return f"{tag[0]} by {tag[1]}" if tag[1] else "none"


__all__ = ["DEMANDS", "PROMISES", "SESSIONS", "SETTLE_US", "Checks"]
