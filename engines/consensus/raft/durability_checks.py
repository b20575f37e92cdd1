"""The guarantees of what is written down: entries before they are counted, and snapshots instead of entries.

An entry counts as committed only if a crash of everybody would leave it on the disks of a majority; and a snapshot must
be the fold of what was applied up to its index (folds.py). A snapshot whose entries are forgotten is not judged.
"""

from collections.abc import Mapping
from typing import Final

from engines.consensus.raft.folds import Applied, Folds
from engines.consensus.raft.messages import LogSnapshot, Row, SessionRow, ValueRow
from engines.consensus.raft.node import RaftNode
from engines.consensus.raft.quorum import has_quorum
from engines.consensus.raft.state_machine import describe
from engines.sim.checks import CheckBook

DURABLE: Final = "durable before counted"
SNAPSHOTS: Final = "snapshots are folds"

DEMANDS: Final = {
    DURABLE: "an entry is committed once the disks of a majority hold it",
    SNAPSHOTS: "a snapshot is what the log up to its index brought about: values, sessions, configuration",
}


def durable(book: CheckBook, leader: str, node: RaftNode, holders: list[str], at: str) -> None:
    """A leader has committed an entry just now, and these hold it, also after a crash.

    They were no quorum of the configuration before this event; they may be one of that which the event brought.
    """
    index = node.commit_index
    if not has_quorum(node.configuration, holders):
        book.fail(DURABLE, f"entry {index} was counted as committed, and no majority of the disks holds it",
                  f"{at} {leader}, leader of term {node.current_term}, committed entry {index}",
                  f"on disk it is on {', '.join(holders) or 'none'}, of {node.configuration}")  # fmt: skip


def snapshot(
    book: CheckBook, server: str, taken: LogSnapshot, folds: Folds, applied: Mapping[int, Applied], at: str
) -> None:
    """A server has a snapshot it did not have before."""
    index = taken.last_index
    fold = folds.at(index, applied)
    if fold is None or not index:
        return
    known = applied.get(index)
    if known is not None and known[0].term != taken.last_term:
        book.fail(SNAPSHOTS, f"the snapshot of {server} at {index} is of another history",
                  f"entry {index} was applied as {describe(known[0].command)} of term {known[0].term}",
                  f"{at} the snapshot of {server} ends in an entry of term {taken.last_term}")  # fmt: skip
    if fold.rows != taken.rows:
        book.fail(SNAPSHOTS, f"the snapshot of {server} at {index} is not what the log brought about",
                  f"the entries up to {index} make {_rows(fold.rows)}",
                  f"{at} the snapshot of {server} holds {_rows(taken.rows)}")  # fmt: skip
    if fold.configuration != taken.configuration:
        book.fail(SNAPSHOTS, f"the snapshot of {server} at {index} has another configuration than the log there",
                  f"the configuration at entry {index} is {fold.configuration}",
                  f"{at} the snapshot of {server} says {taken.configuration}")  # fmt: skip


def _rows(rows: tuple[Row, ...]) -> str:
    values = " ".join(f"{row.key}={row.value}" for row in rows if isinstance(row, ValueRow)) or "nothing"
    clients = ", ".join(f"{row.client} up to {row.serial}" for row in rows if isinstance(row, SessionRow))
    return f"{values}; of the clients {clients or 'nobody'}"


__all__ = ["DEMANDS", "DURABLE", "SNAPSHOTS", "durable", "snapshot"]
