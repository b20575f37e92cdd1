"""The guarantees of membership changes, per configuration and never by a constant.

One change at a time: a log holds at most one configuration that has not committed. Neighbouring configurations: every
quorum of the one shares a server with every quorum of the next (dissertation 4.1; quorum.py does the arithmetic).
"""

from typing import Final

from engines.consensus.raft.log import RaftLog
from engines.consensus.raft.quorum import overlap
from engines.sim.checks import CheckBook

ONE_CHANGE: Final = "one change at a time"
OVERLAP: Final = "quorums overlap"

DEMANDS: Final = {
    ONE_CHANGE: "a log holds at most one configuration that has not committed",
    OVERLAP: "any quorum of a configuration shares a server with any quorum of the next one",
}


def examine(book: CheckBook, server: str, log: RaftLog, committed: int, at: str) -> None:
    """Look at the configurations of a log, of which those up to the entry ``committed`` are decided."""
    known = log.configurations
    if len(known) == 1:
        return
    waiting = [each for each in known if each[0] > committed]
    if len(waiting) > 1:
        book.fail(ONE_CHANGE, f"{server} holds {len(waiting)} configurations that have not committed",
                  *(f"entry {index} is {configuration}" for index, configuration in waiting),
                  f"{at} only entries up to {committed} are committed")  # fmt: skip
    (_, before), (index, after) = known[-2:]
    if before.voters and not overlap(before, after):
        book.fail(OVERLAP, f"a quorum of {before} and one of {after} share no server",
                  f"{before} was in force before entry {index}",
                  f"{at} {server} goes by {after} from entry {index} on")  # fmt: skip


__all__ = ["DEMANDS", "ONE_CHANGE", "OVERLAP", "examine"]
