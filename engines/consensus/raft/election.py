"""How a leader is found and kept: the box "RequestVote RPC" of Figure 2, and the doors to candidacy and office.

Beyond Figure 2: pre-vote (dissertation 9.6), check-quorum (6.2), and voters that hear a leader ignore RequestVote
(4.2.3).
"""

from engines.consensus.raft import events as e
from engines.consensus.raft.messages import Entry, PreVote, PreVoteReply, RequestVote, VoteReply
from engines.consensus.raft.ports import Effects
from engines.consensus.raft.progress import PeerProgress
from engines.consensus.raft.quorum import Vote, has_quorum, vote_result
from engines.consensus.raft.replication import Replication
from engines.consensus.raft.roles import CANDIDATE, FOLLOWER, LEADER, PRECANDIDATE


class Elections(Replication):
    """Campaigns, votes, takes office."""

    __slots__ = ()

    # -- the doors (become_follower is in state.py) ------------------------------------------------------------------

    def become_precandidate(self, ctx: Effects) -> None:
        """Ask whether an election could be won, changing nothing durable (dissertation 9.6)."""
        if self.role is not PRECANDIDATE:
            self.campaign_us = ctx.now_us
        self.reset(ctx, PRECANDIDATE, self.current_term)
        self.votes = {self.id: True}
        self.reset_election_timer(ctx, redraw=True)
        self.ask_all(ctx, PreVote(self.current_term + 1, self.log.last_index, self.log.last_term))
        if self.won():
            self.become_candidate(ctx)

    def become_candidate(self, ctx: Effects, transfer: bool = False) -> None:
        """Increment currentTerm, vote for self, reset the timer, ask all others (paper, Rules for Candidates).

        ``transfer``: the leader told it to (dissertation 3.10).
        """
        self.reset(ctx, CANDIDATE, self.current_term + 1)
        self.by_order = transfer
        self.vote(ctx, self.id)
        self.votes = {self.id: True}
        self.reset_election_timer(ctx, redraw=True)
        ctx.note(e.Campaigned(self.current_term, self.log.last_index, self.quorum, self.configuration))
        self.ask_all(ctx, RequestVote(self.current_term, self.log.last_index, self.log.last_term, transfer))
        if self.won():
            self.become_leader(ctx)

    def become_leader(self, ctx: Effects) -> None:
        """Upon election: nextIndex = last log index + 1, matchIndex = 0, and heartbeats at once (Figure 2)."""
        votes = self.votes
        self.reset(ctx, LEADER, self.current_term)
        self.leader = self.id
        self.votes = votes
        self.leader_since_us = now = ctx.now_us
        ctx.cancel_timer("election")
        last = self.log.last_index
        voters = tuple(peer for peer, granted in votes.items() if granted)
        ctx.note(e.Elected(self.current_term, voters, self.quorum, last, self.configuration))
        self.progress = {peer: PeerProgress(last + 1, now if votes.get(peer) else None) for peer in self.peers}
        if self.noop:
            self.append(ctx, (Entry(self.current_term, None),))
            ctx.note(e.Appended(last + 1, self.current_term, None, ""))
        ctx.set_timer("quorum", self.timing.election_max_us)
        self.heartbeat(ctx)
        self.decide_alone(ctx)

    # -- candidates --------------------------------------------------------------------------------------------------

    def on_election_timeout(self, ctx: Effects) -> None:
        """Election timeout elapses without a leader or a vote given: start an election."""
        waited = max(0, ctx.now_us - max(self.timer_us, self.heard_us))
        why = e.TimeoutReason.SILENCE if self.role is FOLLOWER else e.TimeoutReason.NO_MAJORITY
        ctx.note(e.TimedOut(why, waited, self.election_timeout_us, self.current_term, self.rules.pre_vote,
                            self.role, sum(self.votes.values()), self.quorum))  # fmt: skip
        if self.rules.pre_vote:
            self.become_precandidate(ctx)
        else:
            self.campaign_us = ctx.now_us
            self.become_candidate(ctx)

    def ask_all(self, ctx: Effects, request: PreVote | RequestVote) -> None:
        """Ask every other voter in parallel."""
        for peer in self.peers:
            if self.configuration.votes(peer):
                ctx.send(peer, request)

    def won(self) -> bool:
        """Whether a majority has granted what was asked: of both sides while the configuration is joint."""
        return vote_result(self.configuration, self.votes) is Vote.WON

    def on_pre_vote_reply(self, ctx: Effects, src: str, m: PreVoteReply) -> None:
        """A majority that would vote makes the real election worth its term."""
        if not m.granted and m.term > self.current_term:
            self.become_follower(ctx, m.term, e.StepDownReason.HIGHER_TERM, src)
        elif self.role is PRECANDIDATE and (not m.granted or m.term == self.current_term + 1):
            self.votes[src] = m.granted or self.votes.get(src, False)
            if self.won():
                granted = tuple(peer for peer, yes in self.votes.items() if yes)
                ctx.note(e.PreVoteWon(granted, self.quorum, self.configuration))
                self.become_candidate(ctx)

    def on_vote_reply(self, ctx: Effects, src: str, m: VoteReply) -> None:
        """If votes are received from a majority of servers: become leader."""
        if m.term > self.current_term:
            self.become_follower(ctx, m.term, e.StepDownReason.HIGHER_TERM, src)
        elif self.role is CANDIDATE and m.term == self.current_term:
            self.votes[src] = m.granted
            if self.won():
                self.become_leader(ctx)

    def keeps_silent(self) -> bool:
        """With the rule ``learners_vote`` off: a learner that would vote does not."""
        return not self.rules.learners_vote and self.configuration.is_learner(self.id)

    # -- voters ------------------------------------------------------------------------------------------------------

    def up_to_date(self, last_log_index: int, last_log_term: int) -> bool:
        """Whether a log that ends so is at least as up-to-date as ours (paper 5.4.1)."""
        return self.log.is_up_to_date(last_log_index, last_log_term)

    def on_pre_vote(self, ctx: Effects, src: str, m: PreVote) -> None:
        """Grant if we would vote: newer term, log up-to-date, and no leader heard for a minimum election timeout."""
        if m.term <= self.current_term:
            why = e.VoteReason.OLD_TERM
        elif self.rules.refuse_while_led and self.hears_leader(ctx):
            why = e.VoteReason.LEADER_ALIVE
        elif not self.up_to_date(m.last_log_index, m.last_log_term):
            why = e.VoteReason.LOG_BEHIND
        elif self.keeps_silent():
            why = e.VoteReason.LEARNER
        else:
            ctx.note(e.PreVoteGranted(src, m.term, self.hears_leader(ctx)))
            ctx.send(src, PreVoteReply(m.term, True))
            return
        ctx.note(e.PreVoteRefused(src, why, m.term, self.current_term, self.leader or "", self.log.last_index,
                                  self.log.last_term, m.last_log_index, m.last_log_term))  # fmt: skip
        ctx.send(src, PreVoteReply(self.current_term, False))

    def on_request_vote(self, ctx: Effects, src: str, m: RequestVote) -> None:
        """Reply false if term < currentTerm; grant if votedFor is null or the candidate, and its log is up-to-date."""
        refuses = self.rules.check_quorum and self.rules.refuse_while_led and not m.transfer
        if refuses and m.term > self.current_term and self.hears_leader(ctx):
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
        elif self.keeps_silent():
            why = e.VoteReason.LEARNER
        else:
            self.vote(ctx, src)
            self.reset_election_timer(ctx, redraw=True)
            ctx.note(e.VoteGranted(src, m.term))
            ctx.send(src, VoteReply(self.current_term, True))
            return
        ctx.note(e.VoteRefused(src, why, m.term, self.current_term, self.voted_for or "", self.log.last_index,
                               self.log.last_term, m.last_log_index, m.last_log_term))  # fmt: skip
        ctx.send(src, VoteReply(self.current_term, False))

    # -- leaders -----------------------------------------------------------------------------------------------------

    def on_quorum_check(self, ctx: Effects) -> None:
        """A leader steps down if an election timeout elapses without hearing a majority (dissertation 6.2)."""
        timeout = self.timing.election_max_us
        ctx.set_timer("quorum", timeout)
        if not self.rules.check_quorum:
            return
        now = ctx.now_us
        heard = [self.id]
        for peer, progress in self.progress.items():
            if progress.heard_at_us is not None and now - progress.heard_at_us <= timeout:
                heard.append(peer)
        if not has_quorum(self.configuration, heard):
            ctx.note(e.QuorumLost(len(heard), self.quorum, timeout))
            self.become_follower(ctx, self.current_term, e.StepDownReason.NO_QUORUM)


__all__ = ["Elections"]
