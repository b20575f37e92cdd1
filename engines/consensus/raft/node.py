"""A Raft server, rule by rule as on the summary page of the paper (Figure 2). What stands where:

State                   state.py        what is durable and what is volatile; the roles; "All Servers"
InstallSnapshot RPC     compaction.py   taking snapshots, receiver (Figure 13)
AppendEntries RPC       replication.py  receiver 1 to 5, sending, backtracking, the commit rule of leaders
RequestVote RPC         election.py     receiver 1 and 2, candidates, pre-vote, check-quorum
AddServer, RemoveServer membership.py   dissertation, Figure 4.1; joint consensus, learners
TimeoutNow              transfer.py     dissertation 3.10
read-only queries       reads.py        dissertation 6.4: ReadIndex, leases; and requests that followers pass on
Rules for Servers       below           what comes in, and whose rule it is

The rooms stand on each other in this order, each a class that adds its rules to the one below: a server is one object,
and its rules are read one box at a time. Indices are 1-based, as in the paper (log.py).

Beyond Figure 2: an entry without command at the start of a term (6.4), and client sessions (section 8).
"""

from collections.abc import Callable
from typing import Any, Final

from engines.consensus.raft import change_events as c
from engines.consensus.raft import events as e
from engines.consensus.raft.messages import (
    AppendEntries,
    AppendReply,
    AskReadIndex,
    ChangeRequest,
    ClientReply,
    ClientRequest,
    Entry,
    InstallReply,
    InstallSnapshot,
    PreVote,
    PreVoteReply,
    ReadIndexReply,
    Refusal,
    Register,
    Registered,
    Registration,
    RequestVote,
    TimeoutNow,
    TransferRequest,
    VoteReply,
    new,
)
from engines.consensus.raft.ports import Effects
from engines.consensus.raft.read_events import Forwarded
from engines.consensus.raft.reads import Reads
from engines.consensus.raft.roles import LEADER
from engines.consensus.raft.state_machine import session_of

WRITE_US: Final = 5_000
"""From the decision to the log, for a leader whose rule ``term_when_decided`` is off."""


class RaftNode(Reads):
    """One server."""

    __slots__ = ()

    def on_start(self, ctx: Effects) -> None:
        """Servers start up as followers (paper 5.2)."""
        self.started_us = ctx.now_us
        self.reset_election_timer(ctx, redraw=True)

    def on_message(self, ctx: Effects, src: str, message: Any) -> None:
        """Every message type has its rule."""
        HANDLERS[type(message)](self, ctx, src, message)

    def on_timer(self, ctx: Effects, name: str) -> None:
        """The election timer of all but leaders, the two timers of leaders."""
        if name == "write":
            self.write_undecided(ctx)
        elif name == "election":
            if self.role is not LEADER:
                self.on_election_timeout(ctx)
        elif self.role is LEADER:
            if name == "heartbeat":
                self.heartbeat(ctx)
            elif name == "transfer":
                self.give_up_transfer(ctx, Refusal.TIMEOUT)
            else:
                self.on_quorum_check(ctx)

    def on_synced(self, ctx: Effects) -> None:
        """Messages leave after the sync, so every answer to them comes later still; a server alone waits for none."""
        if self.role is LEADER:
            self.decide_alone(ctx)

    def on_append_reply(self, ctx: Effects, src: str, m: AppendReply) -> None:
        """What every leader does; and what waits for an answer: a question, a server that catches up, a transfer."""
        self.update_progress(ctx, src, m)
        if m.prev_log_index < self.watched <= m.match_index:
            self.count()
        if m.round > self.acked.get(src, 0):
            self.acknowledged(ctx, src, m)
        if self.catching is not None or self.hand_over_to:
            self.attend(ctx, src)

    def on_client_request(self, ctx: Effects, src: str, m: ClientRequest) -> None:
        """The leader appends; another server names the leader it knows (paper section 8)."""
        command = m.command
        client = command.client
        if command.op == "get" and self.on_read(ctx, m):
            return
        if self.role is not LEADER:
            if self.reading.forward and self.leader and src == client:
                ctx.note(Forwarded(client, self.leader, command))
                ctx.send(self.leader, m)
                return
            ctx.note(e.Redirected(client, self.leader or "", command.serial))
            ctx.send(client, ClientReply(command.serial, False, None, self.leader or ""))
            return
        if self.retires:
            ctx.note(c.Held(client, command.serial, self.hand_over_to))
            ctx.send(client, ClientReply(command.serial, False, None, ""))
            return
        session = self.kv.sessions.get(session_of(client, command.session))
        if session is not None and command.serial <= session[0] and self.rules.once:
            ctx.note(e.AnsweredAgain(client, command.serial))
            ctx.send(client, ClientReply(command.serial, True, session[1], self.id, self.last_applied))
            return
        if self.rules.term_when_decided:
            self.propose(ctx, new(Entry, (self.current_term, command)), src)
        else:
            self.undecided.append(m)
            ctx.set_timer("write", WRITE_US)

    def on_register(self, ctx: Effects, src: str, m: Register) -> None:
        """The leader appends an entry, whose index is what the session is called (dissertation 6.3)."""
        if self.role is LEADER and not self.retires:
            self.propose(ctx, Entry(self.current_term, Registration(src, m.number)), src)
        else:
            ctx.send(src, Registered(m.number, 0, (self.leader or "") if self.leader != self.id else ""))

    def write_undecided(self, ctx: Effects) -> None:
        """With the rule ``term_when_decided`` off: append what was asked, under the term that is known by now."""
        requests, self.undecided = self.undecided, []
        for request in requests:
            self.append(ctx, (Entry(self.current_term, request.command),))
            index = self.log.last_index
            ctx.note(e.Appended(index, self.current_term, request.command, request.command.client))


HANDLERS: Final[dict[type, Callable[[RaftNode, Effects, str, Any], None]]] = {
    PreVote: RaftNode.on_pre_vote,
    PreVoteReply: RaftNode.on_pre_vote_reply,
    RequestVote: RaftNode.on_request_vote,
    VoteReply: RaftNode.on_vote_reply,
    AppendEntries: RaftNode.on_append_entries,
    AppendReply: RaftNode.on_append_reply,
    InstallSnapshot: RaftNode.on_install_snapshot,
    InstallReply: RaftNode.on_install_reply,
    ClientRequest: RaftNode.on_client_request,
    Register: RaftNode.on_register,
    ChangeRequest: RaftNode.on_change_request,
    TransferRequest: RaftNode.on_transfer_request,
    TimeoutNow: RaftNode.on_timeout_now,
    AskReadIndex: RaftNode.on_ask_read_index,
    ReadIndexReply: RaftNode.on_read_index_reply,
}

__all__ = ["HANDLERS", "RaftNode"]
