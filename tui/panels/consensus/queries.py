"""What the picture, the inspector and the keys all ask of a snapshot, answered in one place."""

from dataclasses import dataclass
from typing import Final

from engines.consensus.raft.snapshot import LogEntry, Server, Snapshot
from tui.kit import explain
from tui.kit.link_faults import networks
from tui.panel import Figure, Focus

LETTERS: Final = {
    "leader": "L", "candidate": "C", "precandidate": "P", "follower": "F", "dead": "X", "frozen": "Z",
}  # fmt: skip
"""A role in one letter: who sees no colour loses nothing."""


network_of: Final = networks("servers")


def role(server: Server) -> str:
    """The role it plays now, named as its ink: ``dead`` and ``frozen`` hide the role it had."""
    return {"crashed": "dead", "frozen": "frozen"}.get(server.status, server.role)


def letter(server: Server) -> str:
    """F P C L, X crashed, Z frozen."""
    return LETTERS[role(server)]


def entry_at(server: Server, index: int) -> LogEntry | None:
    """The entry of this index, if the snapshot's window shows it."""
    if not server.log or not server.log[0].number <= index <= server.log[-1].number:
        return None
    return server.log[index - server.log[0].number]


def holders(snapshot: Snapshot, entry: LogEntry) -> tuple[str, ...]:
    """The servers that hold this very entry: where a term has two leaders, its index and term do not say so.

    What a snapshot replaced was committed: it is there, though the log does not show it any more.
    """
    return tuple(server.id for server in snapshot.servers
                 if entry.number < server.first_index or entry_at(server, entry.number) == entry)  # fmt: skip


def confirmed(server: Server, index: int) -> tuple[str, ...]:
    """Who has confirmed the entry to this leader; it counts itself."""
    return (server.id, *(each.peer for each in server.progress if each.match_index >= index))


def heard(server: Server, within_us: int) -> tuple[str, ...]:
    """The servers, itself included, that answered this leader lately."""
    lately = (each.peer for each in server.progress if each.heard_ago_us is not None and each.heard_ago_us <= within_us)
    return server.id, *lately


def rules_off(snapshot: Snapshot, among: tuple[str, ...] = ()) -> list[str]:
    """The rules that are switched off (of these), as people write them."""
    return explain.rules_off(snapshot.rules, among)


def divergent(snapshot: Snapshot, server: Server, index: int) -> bool:
    """Whether this entry is not the one the leader holds at its index: the leader will have it deleted.

    In a trace a term may be unknown (0): then nobody can say.
    """
    leader = snapshot.server(snapshot.leader)
    entry = entry_at(server, index)
    if leader is None or entry is None or server.term > leader.term or leader is server:
        return False
    theirs = entry_at(leader, index)
    if theirs is None:
        return index > leader.last_index
    return theirs.term != entry.term and bool(theirs.term and entry.term)


def first_divergent(snapshot: Snapshot, server: Server) -> int:
    """The first index at which the log departs from the leader's; 0: nowhere."""
    return next((entry.number for entry in server.log if divergent(snapshot, server, entry.number)), 0)


@dataclass(frozen=True, slots=True)
class OnEntry:
    """A selected entry of the selected server's log."""

    index: int


# -- messages and links ----------------------------------------------------------------------------------------------


def index_of(focus: Focus) -> int:
    """The index of the selected log entry; 0: none is."""
    return focus.pick.index if isinstance(focus.pick, OnEntry) else 0


def ails(snapshot: Snapshot, server: Server) -> bool:
    """Whether anything is wrong with it or its links."""
    machine = server.status != "up" or server.clock_off_us or server.drift_ppm or server.fsync_us
    return bool(machine or network_of(snapshot).of(server.id))


def figures(snapshot: Snapshot) -> tuple[Figure, ...]:
    """The numbers that sum a run up, beside how many elections there were."""
    return (
        Figure("term", snapshot.term),
        Figure("leader", snapshot.leader, snapshot.leader or "none"),
        Figure("committed", snapshot.commit),
        Figure("commands_done", sum(client.done for client in snapshot.clients)),
        Figure("commands_unknown", sum(client.unknown for client in snapshot.clients)),
        Figure("messages_a_request", snapshot.cost.messages if snapshot.cost else 0),
    )
