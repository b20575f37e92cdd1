"""A slow checker that looks at every server after every event, written from the paper and not from the engine.

It shares nothing with ``engines.consensus.raft.checks`` but the names of the guarantees.
"""

from engines.consensus.raft.checks import (
    APPEND_ONLY,
    COMPLETENESS,
    ELECTION_SAFETY,
    LOG_MATCHING,
    ORDER,
    STATE_MACHINE,
    TERMS,
)
from engines.consensus.raft.engine import RaftEngine
from engines.consensus.raft.log import RaftLog
from engines.consensus.raft.messages import Command, Entry, Registration
from engines.consensus.raft.node import RaftNode
from engines.consensus.raft.roles import Role
from engines.consensus.raft.state_machine import KeyValueStore
from engines.sim.host import CRASHED


class Oracle:
    """The whole history of a cluster, kept and compared in full."""

    def __init__(self, engine: RaftEngine) -> None:
        self.engine = engine
        self.broken: set[str] = set()
        self.leaders: dict[int, str] = {}
        self.leader_logs: dict[tuple[str, int], dict[int, Entry]] = {}
        self.committed: dict[int, tuple[Entry, int]] = {}
        """index -> (entry, the lowest term in which it is known to be committed)"""
        self.applied: dict[int, Entry] = {}
        self.last: dict[str, tuple[int, int, str | None, int]] = {}

    def look(self) -> None:
        """Examine everything, as it is now."""
        nodes = {server: self.engine.raft(server) for server in self.engine.servers}
        living = {server: node for server, node in nodes.items() if self.engine.hosts[server].status != CRASHED}
        for server, node in living.items():
            self._one(server, node)
        logs = [node.log for node in nodes.values()]
        for number, one in enumerate(logs):
            for other in logs[:number]:
                self._matching(one, other)
        for node in living.values():
            if node.role is Role.LEADER:
                self._complete(node)

    def _one(self, server: str, node: RaftNode) -> None:
        incarnation = self.engine.hosts[server].incarnation
        was_incarnation, was_term, was_vote, was_commit = self.last.get(server, (0, 0, None, 0))
        term, vote, commit = node.current_term, node.voted_for, node.commit_index
        same_life = incarnation == was_incarnation
        if same_life and (term < was_term or (term == was_term and was_vote is not None and vote != was_vote)):
            self.broken.add(TERMS)
        if not node.last_applied <= commit <= node.log.last_index or (same_life and commit < was_commit):
            self.broken.add(ORDER)
        self.last[server] = (incarnation, term, vote, commit)
        if node.role is Role.LEADER:
            if self.leaders.setdefault(term, server) != server:
                self.broken.add(ELECTION_SAFETY)
            before = self.leader_logs.get((server, term), {})
            held = dict(enumerate(node.log, node.log.first_index))
            if any(held.get(index) != entry for index, entry in before.items() if index >= node.log.first_index):
                self.broken.add(APPEND_ONLY)
            self.leader_logs[server, term] = held
            for index in range(node.log.first_index, commit + 1):
                self.committed.setdefault(index, (node.log[index], term))
        for index in range(node.log.first_index, node.last_applied + 1):
            if self.applied.setdefault(index, node.log[index]) != node.log[index]:
                self.broken.add(STATE_MACHINE)
        store = KeyValueStore()
        for index in range(1, node.last_applied + 1):
            entry = self.applied[index]
            if isinstance(entry.command, Command):
                store.apply(entry.command, index)
            elif isinstance(entry.command, Registration):
                store.register(entry.command.client, index)
        if (store.values, store.sessions) != (node.kv.values, node.kv.sessions):
            self.broken.add(STATE_MACHINE)

    def _matching(self, one: RaftLog, other: RaftLog) -> None:
        """'If two logs contain an entry with the same index and term, then the logs are identical up to there.'"""
        first = max(one.first_index, other.first_index)
        for index in range(min(one.last_index, other.last_index), first - 1, -1):
            if one[index].term == other[index].term:
                if one.slice(first, index) != other.slice(first, index):
                    self.broken.add(LOG_MATCHING)
                return

    def _complete(self, node: RaftNode) -> None:
        for index, (entry, term) in self.committed.items():
            if (
                index >= node.log.first_index
                and node.current_term > term
                and (index > node.log.last_index or node.log[index] != entry)
            ):
                self.broken.add(COMPLETENESS)
