"""A Raft server, rule by rule as on the summary page of the paper (Figure 2).

Durable, on disk: the registers ``term`` and ``vote``, and the log. Everything else is volatile and gone after a
crash. A server changes its role only through the four ``become_*`` doors; behind all of them lies ``reset``, which
lets nobody pass along an edge that roles.py does not know. Indices are 1-based; the disk's log is 0-based, so entry
``i`` is ``log[i - 1]``.

Beyond Figure 2: pre-vote (dissertation 9.6), check-quorum (6.2), voters that hear a leader ignore RequestVote
(4.2.3), fast backtracking (end of paper 5.3), an entry without command at the start of a term (6.4), and
pipelining: the leader counts an entry as sent when it sends it, and falls back to one message at a time
(*probing*) for a follower that refuses.
"""

from collections.abc import Callable
from typing import Any, Final

from engines.consensus.raft import events as e
from engines.consensus.raft.messages import (
    AppendEntries,
    AppendReply,
    ClientReply,
    ClientRequest,
    Entry,
    PreVote,
    PreVoteReply,
    RequestVote,
    VoteReply,
)
from engines.consensus.raft.ports import Disk, Effects
from engines.consensus.raft.roles import EDGES, Role
from engines.consensus.raft.rules import ALL_ON, RaftRules, Timing
from engines.consensus.raft.state_machine import KeyValueStore

BATCH_MAX: Final = 64
"""Entries in one AppendEntries."""
NEVER: Final = -(1 << 60)


PAPER_TIMING: Final = Timing()


class RaftNode:
    """One server."""

    __slots__ = (
        "campaign_us", "commit_index", "current_term", "deposed_by", "disk", "election_timeout_us", "heard_at_us",
        "heard_leader", "heard_us", "id", "kv", "last_applied", "leader", "leader_since_us", "log", "match_index",
        "next_index", "noop", "peers", "probing", "quorum", "role", "rules", "timer_us", "timing", "unbroken_us",
        "voted_for", "votes",
    )  # fmt: skip

    def __init__(
        self,
        id: str,
        peers: tuple[str, ...],
        disk: Disk,
        rules: RaftRules = ALL_ON,
        timing: Timing = PAPER_TIMING,
        noop: bool = True,
    ) -> None:
        self.id = id
        self.peers = peers
        self.quorum = (len(peers) + 1) // 2 + 1
        self.rules = rules
        self.timing = timing
        self.noop = noop
        self.disk = disk
        self.log: list[Entry] = disk.log
        self.current_term: int = disk.registers.get("term", 0)
        self.voted_for: str | None = disk.registers.get("vote")
        self.role = Role.FOLLOWER
        self.leader: str | None = None
        self.commit_index = 0
        self.last_applied = 0
        self.kv = KeyValueStore()
        self.election_timeout_us = timing.election_max_us
        self.timer_us = 0
        """When the election timer was last started, but for the restarts by a leader's messages (``heard_us``)."""
        self.votes: dict[str, bool] = {}
        """Answers to this candidate: True granted, False refused."""
        self.campaign_us = 0
        self.next_index: dict[str, int] = {}
        self.match_index: dict[str, int] = {}
        self.probing: dict[str, bool] = {}
        self.heard_at_us: dict[str, int] = {}
        """As leader: when each peer last answered in this term. Whoever never did is absent."""
        self.leader_since_us = 0
        self.heard_us = NEVER
        """As follower: when a leader was last heard, on this server's clock."""
        self.unbroken_us = NEVER
        """Since when ``heard_leader`` was heard in every minimum election timeout."""
        self.heard_leader = ""
        self.deposed_by = ""

    # -- reading the log ---------------------------------------------------------------------------------------

    @property
    def last_index(self) -> int:
        """Index of the last entry."""
        return len(self.log)

    def term_at(self, index: int) -> int:
        """Term of an entry; 0 before the first."""
        return self.log[index - 1].term if index else 0

    def up_to_date(self, last_log_index: int, last_log_term: int) -> bool:
        """Whether a log that ends so is at least as up-to-date as ours (paper 5.4.1)."""
        mine = self.log[-1].term if self.log else 0
        return last_log_term > mine or (last_log_term == mine and last_log_index >= len(self.log))

    # -- life --------------------------------------------------------------------------------------------------

    def on_start(self, ctx: Effects) -> None:
        """Servers start up as followers (paper 5.2)."""
        self.reset_election_timer(ctx, redraw=True)

    def on_message(self, ctx: Effects, src: str, message: Any) -> None:
        """Every message type has its rule."""
        HANDLERS[type(message)](self, ctx, src, message)

    def on_timer(self, ctx: Effects, name: str) -> None:
        """The election timer of all but leaders, the two timers of leaders."""
        if name == "election":
            if self.role is not Role.LEADER:
                self.on_election_timeout(ctx)
        elif self.role is Role.LEADER:
            if name == "heartbeat":
                self.heartbeat(ctx)
            else:
                self.on_quorum_check(ctx)

    def on_synced(self, ctx: Effects) -> None:
        """Nothing to do: messages leave after the sync, so every answer to them comes later still."""

    # -- roles: the only four doors ----------------------------------------------------------------------------

    def become_follower(self, ctx: Effects, term: int, why: e.StepDownReason, src: str = "") -> None:
        """Adopt a term that is not older; give up any candidacy or office."""
        was = self.role
        self.reset(ctx, Role.FOLLOWER, term)
        if was is Role.LEADER:
            self.deposed_by = src
            ctx.cancel_timer("heartbeat")
            ctx.cancel_timer("quorum")
        if was is not Role.FOLLOWER:
            ctx.note(e.SteppedDown(why, was, self.current_term, src))
            self.reset_election_timer(ctx, redraw=True)

    def become_precandidate(self, ctx: Effects) -> None:
        """Ask whether an election could be won, changing nothing durable (dissertation 9.6)."""
        if self.role is not Role.PRECANDIDATE:
            self.campaign_us = ctx.now_us
        self.reset(ctx, Role.PRECANDIDATE, self.current_term)
        self.votes = {self.id: True}
        self.reset_election_timer(ctx, redraw=True)
        self.ask_all(ctx, PreVote(self.current_term + 1, len(self.log), self.term_at(len(self.log))))

    def become_candidate(self, ctx: Effects) -> None:
        """Increment currentTerm, vote for self, reset the timer, ask all others (paper, Rules for Candidates)."""
        self.reset(ctx, Role.CANDIDATE, self.current_term + 1)
        self.vote(ctx, self.id)
        self.votes = {self.id: True}
        self.reset_election_timer(ctx, redraw=True)
        ctx.note(e.Campaigned(self.current_term, len(self.log), self.quorum))
        self.ask_all(ctx, RequestVote(self.current_term, len(self.log), self.term_at(len(self.log))))

    def become_leader(self, ctx: Effects) -> None:
        """Upon election: nextIndex = last log index + 1, matchIndex = 0, and heartbeats at once (Figure 2)."""
        votes = self.votes
        self.reset(ctx, Role.LEADER, self.current_term)
        self.leader = self.id
        self.votes = votes
        self.leader_since_us = now = ctx.now_us
        ctx.cancel_timer("election")
        last = len(self.log)
        voters = tuple(peer for peer, granted in votes.items() if granted)
        ctx.note(e.Elected(self.current_term, voters, self.quorum, last))
        for peer in self.peers:
            self.next_index[peer] = last + 1
            self.match_index[peer] = 0
            self.probing[peer] = False
        self.heard_at_us = {peer: now for peer in voters if peer != self.id}
        if self.noop:
            self.disk.append(Entry(self.current_term, None))
            ctx.persist()
            ctx.note(e.Appended(last + 1, self.current_term, None, ""))
        ctx.set_timer("quorum", self.timing.election_max_us)
        self.heartbeat(ctx)

    def reset(self, ctx: Effects, role: Role, term: int) -> None:
        """Behind all doors: another role, a term that is not older, and nothing left of the role before."""
        assert role in EDGES[self.role], f"{self.id} in term {self.current_term}: {self.role.value} > {role.value}"
        assert term >= self.current_term, f"{self.id} in term {self.current_term} cannot go back to {term}"
        if term > self.current_term:
            self.adopt_term(ctx, term)
        self.role = role
        self.leader = None
        self.votes = {}
        self.deposed_by = ""

    def adopt_term(self, ctx: Effects, term: int) -> None:
        """A new term begins with no vote given; both are durable before anything is said."""
        self.current_term = term
        self.voted_for = None
        self.disk.write("term", term)
        if self.rules.persist_vote:
            self.disk.write("vote", None)
        ctx.persist()

    def vote(self, ctx: Effects, candidate: str) -> None:
        """Give this term's only vote. With the rule ``persist_vote`` off it is only in memory."""
        self.voted_for = candidate
        if self.rules.persist_vote:
            self.disk.write("vote", candidate)
            ctx.persist()

    def reset_election_timer(self, ctx: Effects, redraw: bool = False) -> None:
        """Start the countdown again; a new election draws a new timeout (paper 5.2)."""
        if redraw:
            timing = self.timing
            self.election_timeout_us = ctx.stream("election").between(timing.election_min_us, timing.election_max_us)
        self.timer_us = ctx.now_us
        ctx.set_timer("election", self.election_timeout_us)

    # -- election ----------------------------------------------------------------------------------------------

    def on_election_timeout(self, ctx: Effects) -> None:
        """Election timeout elapses without a leader or a vote given: start an election."""
        waited = max(0, ctx.now_us - max(self.timer_us, self.heard_us))
        why = e.TimeoutReason.SILENCE if self.role is Role.FOLLOWER else e.TimeoutReason.NO_MAJORITY
        ctx.note(e.TimedOut(why, waited, self.election_timeout_us, self.current_term, self.rules.pre_vote,
                            self.role, sum(self.votes.values()), self.quorum))  # fmt: skip
        if self.rules.pre_vote:
            self.become_precandidate(ctx)
        else:
            self.campaign_us = ctx.now_us
            self.become_candidate(ctx)

    def ask_all(self, ctx: Effects, request: PreVote | RequestVote) -> None:
        """Ask every peer in parallel."""
        for peer in self.peers:
            ctx.send(peer, request)

    def hears_leader(self, ctx: Effects) -> bool:
        """Whether a current leader was heard within the minimum election timeout (dissertation 4.2.3)."""
        return self.role is Role.LEADER or ctx.now_us - self.heard_us < self.timing.election_min_us

    def on_pre_vote(self, ctx: Effects, src: str, m: PreVote) -> None:
        """Grant if we would vote: newer term, log up-to-date, and no leader heard for a minimum election timeout."""
        if m.term <= self.current_term:
            why = e.VoteReason.OLD_TERM
        elif self.hears_leader(ctx):
            why = e.VoteReason.LEADER_ALIVE
        elif not self.up_to_date(m.last_log_index, m.last_log_term):
            why = e.VoteReason.LOG_BEHIND
        else:
            ctx.note(e.PreVoteGranted(src, m.term))
            ctx.send(src, PreVoteReply(m.term, True))
            return
        last = len(self.log)
        ctx.note(e.PreVoteRefused(src, why, m.term, self.current_term, self.leader or "", last, self.term_at(last),
                                  m.last_log_index, m.last_log_term))  # fmt: skip
        ctx.send(src, PreVoteReply(self.current_term, False))

    def on_pre_vote_reply(self, ctx: Effects, src: str, m: PreVoteReply) -> None:
        """A majority that would vote makes the real election worth its term."""
        if not m.granted and m.term > self.current_term:
            self.become_follower(ctx, m.term, e.StepDownReason.HIGHER_TERM, src)
        elif self.role is Role.PRECANDIDATE and (not m.granted or m.term == self.current_term + 1):
            self.votes[src] = m.granted
            if sum(self.votes.values()) >= self.quorum:
                granted = tuple(peer for peer, yes in self.votes.items() if yes)
                ctx.note(e.PreVoteWon(granted, self.quorum))
                self.become_candidate(ctx)

    def on_request_vote(self, ctx: Effects, src: str, m: RequestVote) -> None:
        """Reply false if term < currentTerm; grant if votedFor is null or the candidate, and its log is up-to-date."""
        if self.rules.check_quorum and m.term > self.current_term and self.hears_leader(ctx):
            ctx.note(e.VoteIgnored(src, m.term, self.current_term, self.leader or ""))
            return
        if m.term > self.current_term:
            self.become_follower(ctx, m.term, e.StepDownReason.HIGHER_TERM, src)
        if m.term < self.current_term:
            why = e.VoteReason.OLD_TERM
        elif self.voted_for not in (None, src):
            why = e.VoteReason.VOTED
        elif not self.up_to_date(m.last_log_index, m.last_log_term):
            why = e.VoteReason.LOG_BEHIND
        else:
            self.vote(ctx, src)
            self.reset_election_timer(ctx, redraw=True)
            ctx.note(e.VoteGranted(src, m.term))
            ctx.send(src, VoteReply(self.current_term, True))
            return
        last = len(self.log)
        ctx.note(e.VoteRefused(src, why, m.term, self.current_term, self.voted_for or "", last, self.term_at(last),
                               m.last_log_index, m.last_log_term))  # fmt: skip
        ctx.send(src, VoteReply(self.current_term, False))

    def on_vote_reply(self, ctx: Effects, src: str, m: VoteReply) -> None:
        """If votes are received from a majority of servers: become leader."""
        if m.term > self.current_term:
            self.become_follower(ctx, m.term, e.StepDownReason.HIGHER_TERM, src)
        elif self.role is Role.CANDIDATE and m.term == self.current_term:
            self.votes[src] = m.granted
            if m.granted and sum(self.votes.values()) >= self.quorum:
                self.become_leader(ctx)

    # -- replication: the leader ---------------------------------------------------------------------------------

    def heartbeat(self, ctx: Effects) -> None:
        """Say that the leader lives, and repeat to each follower what it has not confirmed in a while."""
        ctx.set_timer("heartbeat", self.timing.heartbeat_us)
        for peer in self.peers:
            self.send_append(ctx, peer)

    def send_append(self, ctx: Effects, peer: str) -> None:
        """AppendEntries with the log from nextIndex on (paper, Rules for Leaders), a bounded batch of it."""
        log = self.log
        previous = self.next_index[peer] - 1
        last = len(log)
        if previous == last:
            entries: tuple[Entry, ...] = ()
        elif self.probing[peer]:
            entries = (log[previous],)
        else:
            entries = tuple(log[previous : previous + BATCH_MAX])
            self.next_index[peer] = previous + len(entries) + 1
        term = log[previous - 1].term if previous else 0
        ctx.send(peer, AppendEntries(self.current_term, previous, term, entries, self.commit_index))

    def on_append_reply(self, ctx: Effects, src: str, m: AppendReply) -> None:
        """On success update nextIndex and matchIndex; on refusal go back and retry."""
        if m.term > self.current_term:
            self.become_follower(ctx, m.term, e.StepDownReason.HIGHER_TERM, src)
            return
        if self.role is not Role.LEADER or m.term < self.current_term:
            return
        self.heard_at_us[src] = ctx.now_us
        match = self.match_index
        if m.success:
            if m.match_index > match[src]:
                match[src] = m.match_index
                if m.match_index > self.commit_index:
                    self.advance_commit(ctx)
            if self.probing[src]:
                self.probing[src] = False
                self.next_index[src] = match[src] + 1
                ctx.note(e.MatchFound(src, match[src]))
            if self.next_index[src] <= len(self.log):
                self.send_append(ctx, src)
        elif m.prev_log_index > match[src] and (not self.probing[src] or m.prev_log_index == self.next_index[src] - 1):
            self.backtrack(ctx, src, m)

    def backtrack(self, ctx: Effects, src: str, m: AppendReply) -> None:
        """Skip back over a whole term per refusal (end of paper 5.3), then probe."""
        before = self.next_index[src]
        after = m.conflict_index
        if m.conflict_term:
            index = m.prev_log_index
            while index > 0 and self.log[index - 1].term > m.conflict_term:
                index -= 1
            if index > 0 and self.log[index - 1].term == m.conflict_term:
                after = index + 1
        after = max(self.match_index[src] + 1, min(after, m.prev_log_index))
        self.next_index[src] = after
        self.probing[src] = True
        ctx.note(e.Backtracked(src, m.prev_log_index, before, after, m.conflict_term, m.conflict_index))
        self.send_append(ctx, src)

    def advance_commit(self, ctx: Effects) -> None:
        """If N > commitIndex, a majority of matchIndex >= N, and log[N].term == currentTerm: commitIndex = N."""
        matches = sorted(self.match_index.values(), reverse=True)
        majority = matches[self.quorum - 2]
        if majority <= self.commit_index:
            return
        if self.rules.current_term_commit and self.log[majority - 1].term != self.current_term:
            ctx.note(e.CommitWithheld(majority, self.log[majority - 1].term, self.current_term))
            return
        holders = tuple(peer for peer, index in self.match_index.items() if index >= majority)
        entry_term = self.log[majority - 1].term
        ctx.note(e.Committed(self.commit_index + 1, majority, self.current_term, entry_term, holders, self.quorum))
        self.commit_index = majority
        self.apply_committed(ctx)

    def on_quorum_check(self, ctx: Effects) -> None:
        """A leader steps down if an election timeout elapses without hearing a majority (dissertation 6.2)."""
        timeout = self.timing.election_max_us
        ctx.set_timer("quorum", timeout)
        if not self.rules.check_quorum:
            return
        now = ctx.now_us
        heard = 1 + sum(now - at <= timeout for at in self.heard_at_us.values())
        if heard < self.quorum:
            ctx.note(e.QuorumLost(heard, self.quorum, timeout))
            self.become_follower(ctx, self.current_term, e.StepDownReason.NO_QUORUM)

    def on_client_request(self, ctx: Effects, src: str, m: ClientRequest) -> None:
        """The leader appends; another server names the leader it knows (paper section 8)."""
        command = m.command
        if self.role is not Role.LEADER:
            ctx.note(e.Redirected(src, self.leader or "", command.serial))
            ctx.send(src, ClientReply(command.serial, False, None, self.leader or ""))
            return
        session = self.kv.sessions.get(command.client)
        if session is not None and command.serial <= session[0]:
            ctx.note(e.AnsweredAgain(src, command.serial))
            ctx.send(src, ClientReply(command.serial, True, session[1], self.id))
            return
        self.disk.append(Entry(self.current_term, command))
        ctx.persist()
        index = len(self.log)
        ctx.note(e.Appended(index, self.current_term, command, src))
        for peer in self.peers:
            if not self.probing[peer] and self.next_index[peer] == index:
                self.send_append(ctx, peer)

    # -- replication: the follower --------------------------------------------------------------------------------

    def on_append_entries(self, ctx: Effects, src: str, m: AppendEntries) -> None:
        """AppendEntries RPC, receiver implementation 1 to 5 (Figure 2)."""
        if m.term < self.current_term:
            ctx.note(e.AppendOutdated(src, m.term, self.current_term))
            ctx.send(src, AppendReply(self.current_term, False, 0, m.prev_log_index))
            return
        if m.term > self.current_term or self.role is not Role.FOLLOWER:
            self.become_follower(ctx, m.term, e.StepDownReason.LEADER_EXISTS, src)
        now = ctx.now_us
        if src != self.heard_leader or now - self.heard_us >= self.timing.election_min_us:
            self.heard_leader = src
            self.unbroken_us = now
        self.heard_us = now
        if self.leader != src:
            self.leader = src
            ctx.note(e.Followed(src, m.term))
        ctx.set_timer("election", self.election_timeout_us)
        log = self.log
        previous = m.prev_log_index
        if previous > len(log) or (previous and log[previous - 1].term != m.prev_log_term):
            self.refuse_append(ctx, src, m)
            return
        if m.entries:
            self.store(ctx, src, m)
        match = previous + len(m.entries)
        if m.leader_commit > self.commit_index:
            commit = min(m.leader_commit, match)
            if commit > self.commit_index:
                self.commit_index = commit
                self.apply_committed(ctx)
        ctx.send(src, AppendReply(self.current_term, True, match, previous))

    def refuse_append(self, ctx: Effects, src: str, m: AppendEntries) -> None:
        """Reply false if the log has no entry at prevLogIndex with prevLogTerm, and say how far to go back."""
        log = self.log
        previous = m.prev_log_index
        if previous > len(log):
            term, index = 0, len(log) + 1
        else:
            term = log[previous - 1].term
            index = previous
            while index > 1 and log[index - 2].term == term:
                index -= 1
        why = e.Mismatch.TERM if term else e.Mismatch.GAP
        ctx.note(e.AppendRefused(src, why, previous, m.prev_log_term, len(log), term, index))
        ctx.send(src, AppendReply(self.current_term, False, 0, previous, term, index))

    def store(self, ctx: Effects, src: str, m: AppendEntries) -> None:
        """If an entry conflicts with a new one, delete it and all that follow it; append what is new."""
        log = self.log
        index = m.prev_log_index
        entries = m.entries
        if index < len(log):
            new = 0
            for entry in entries:
                if index + new >= len(log):
                    break
                if log[index + new].term != entry.term:
                    old_term = log[index + new].term
                    ctx.note(e.Truncated(src, index + new + 1, len(log), old_term, entry.term, self.commit_index))
                    self.disk.truncate(index + new)
                    break
                new += 1
            if new == len(entries):
                return
            index += new
            entries = entries[new:]
        self.disk.append(*entries)
        ctx.persist()
        ctx.note(e.Stored(src, index + 1, len(log), m.prev_log_index, m.prev_log_term))

    # -- both -----------------------------------------------------------------------------------------------------

    def apply_committed(self, ctx: Effects) -> None:
        """If commitIndex > lastApplied: apply (Figure 2). The leader answers the clients."""
        leading = self.role is Role.LEADER
        kv = self.kv
        for index in range(self.last_applied, self.commit_index):
            entry = self.log[index]
            command = entry.command
            if command is None:
                continue
            known = kv.deduplicated
            result = kv.apply(command)
            if leading:
                if kv.deduplicated != known:
                    ctx.note(e.Deduplicated(index + 1, command.client, command.serial))
                if ctx.knows(command.client):
                    ctx.send(command.client, ClientReply(command.serial, True, result, self.id))
        self.last_applied = self.commit_index


HANDLERS: Final[dict[type, Callable[[RaftNode, Effects, str, Any], None]]] = {
    PreVote: RaftNode.on_pre_vote,
    PreVoteReply: RaftNode.on_pre_vote_reply,
    RequestVote: RaftNode.on_request_vote,
    VoteReply: RaftNode.on_vote_reply,
    AppendEntries: RaftNode.on_append_entries,
    AppendReply: RaftNode.on_append_reply,
    ClientRequest: RaftNode.on_client_request,
}
