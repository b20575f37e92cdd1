"""Parts of the picture of a server."""

from engines.consensus.raft.node import RaftNode
from engines.consensus.raft.quorum import committed_index
from engines.consensus.raft.roles import LEADER
from engines.consensus.raft.snapshot import Acknowledged, Cost, Question


def questions(node: RaftNode) -> tuple[Question, ...]:
    """What waits for an answer."""
    return tuple(Question(each.command.client, each.command.key, each.round, each.needs) for each in node.reads)


def acknowledged(node: RaftNode, now_us: int) -> Acknowledged | None:
    """What a leader knows of its rounds of heartbeats; ``now_us``: its own clock. None: it does not lead."""
    if node.role is not LEADER:
        return None
    left_us = max(0, node.lease_until_us - now_us)
    confirmed = min(node.round, committed_index(node.configuration, {**node.acked, node.id: node.round}))
    return Acknowledged(node.round, confirmed, tuple(node.acked.items()), left_us, node.lease_us)


def cost(node: RaftNode) -> Cost | None:
    """What an entry took, of those the newest that a leader counted to its end."""
    return Cost(*node.cost, 2 * len(node.progress)) if node.cost is not None else None


__all__ = ["acknowledged", "cost", "questions"]
