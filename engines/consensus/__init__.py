"""Consensus: several servers agree on one sequence of commands, though some of them fail.

A Raft server is a plain object: it is handed a message or told that a timer ran out, changes its state, and asks for
effects. ``Outbox`` keeps what it asks for, so that one server can be driven by hand:

>>> from engines.consensus import MemoryDisk, Outbox, RaftNode, RequestVote
>>> disk, out = MemoryDisk(), Outbox()
>>> server = RaftNode("n1", ("n2", "n3"), disk)
>>> server.on_start(out)
>>> server.on_message(out, "n2", RequestVote(term=1, last_log_index=0, last_log_term=0))
>>> out.take(), disk.registers
([('n2', VoteReply(term=1, granted=True))], {'term': 1, 'vote': 'n2'})
>>> server.on_message(out, "n3", RequestVote(term=1, last_log_index=0, last_log_term=0))
>>> out.take(), out.notes[-1].why
([('n3', VoteReply(term=1, granted=False))], <VoteReason.VOTED: 'voted'>)

    asking      what the clients of both share: their pace, and what waits
    operations  the store both agree on, as operations that every replica executes alike
    raft/       Raft: messages, server, state machine, and a cluster of them in the simulated world
    pbft/       PBFT: the same among replicas of which some lie
    etcd_trace etcd_servers     the trace of a real etcd-io/raft node set; its servers, rebuilt and judged
    recorded    such a trace as a run
    pattern     what the program shows
"""

from engines.consensus.operations import parse
from engines.consensus.raft.events import RaftEvent
from engines.consensus.raft.messages import (
    AppendEntries,
    AppendReply,
    ClientReply,
    ClientRequest,
    Command,
    Entry,
    PreVote,
    PreVoteReply,
    RequestVote,
    VoteReply,
)
from engines.consensus.raft.node import RaftNode
from engines.consensus.raft.ports import Disk, Effects, MemoryDisk, Outbox
from engines.consensus.raft.roles import EDGES, Role
from engines.consensus.raft.rules import RaftRules, Timing
from engines.consensus.raft.state_machine import KeyValueStore, describe

__all__ = [
    "EDGES",
    "AppendEntries",
    "AppendReply",
    "ClientReply",
    "ClientRequest",
    "Command",
    "Disk",
    "Effects",
    "Entry",
    "KeyValueStore",
    "MemoryDisk",
    "Outbox",
    "PreVote",
    "PreVoteReply",
    "RaftEvent",
    "RaftNode",
    "RaftRules",
    "RequestVote",
    "Role",
    "Timing",
    "VoteReply",
    "describe",
    "parse",
]
