"""Parts of the picture of a server."""

from engines.consensus.raft.node import RaftNode
from engines.consensus.raft.roles import Role
from engines.consensus.raft.snapshot import Acknowledged, Question


def questions(node: RaftNode) -> tuple[Question, ...]:
    """What waits for an answer."""
    return tuple(Question(each.command.client, each.command.key, each.round, each.needs) for each in node.reads)


def acknowledged(node: RaftNode, now_us: int) -> Acknowledged | None:
    """What a leader knows of its rounds of heartbeats; ``now_us``: its own clock. None: it does not lead."""
    if node.role is not Role.LEADER:
        return None
    left_us = max(0, node.lease_until_us - now_us)
    return Acknowledged(node.round, node.confirmed, tuple(node.acked.items()), left_us, node.lease_us)


__all__ = ["acknowledged", "questions"]
