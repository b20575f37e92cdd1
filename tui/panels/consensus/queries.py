"""What the picture, the inspector and the keys all ask of a snapshot, answered in one place."""

from dataclasses import dataclass
from typing import Final

from engines.consensus.raft.snapshot import Server, Snapshot
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


@dataclass(frozen=True, slots=True)
class OnEntry:
    """A selected entry of the selected server's log."""

    index: int


def index_of(focus: Focus) -> int:
    """The index of the selected log entry; 0: none is."""
    return focus.pick.index if isinstance(focus.pick, OnEntry) else 0


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
