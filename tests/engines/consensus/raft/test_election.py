"""Elections, as the paper states them (sections 5.1, 5.2, 5.4.1; dissertation 4.2.3, 6.2, 9.6)."""

import pytest

from engines.consensus.raft.events import TimedOut, TimeoutReason, VoteReason, VoteRefused
from engines.consensus.raft.messages import (
    AppendEntries,
    AppendReply,
    ClientRequest,
    Entry,
    PreVote,
    PreVoteReply,
    RequestVote,
    TimeoutNow,
    VoteReply,
)
from engines.consensus.raft.node import RaftNode
from engines.consensus.raft.quorum import Configuration
from engines.consensus.raft.roles import Role
from engines.consensus.raft.rules import RaftRules
from engines.sim.disk import Disk
from engines.sim.random import Stream
from tests.engines.consensus.raft.server import TIMING, Sent, Server, append, command

ALL_ON = RaftRules()


# -- terms (5.1) ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "message",
    [RequestVote(5, 9, 9), VoteReply(5, False), append(5, 0, 0), AppendReply(5, False, 0, 0)],
    ids=lambda message: type(message).__name__,
)
@pytest.mark.parametrize("role", ["follower", "candidate", "leader"])
def test_a_higher_term_is_adopted_by_everybody(message: object, role: str) -> None:
    """'If RPC request or response contains term T > currentTerm: set currentTerm = T, convert to follower' (5.1)."""
    server = Server(1, term=1)
    if role == "candidate":
        server.timer("election")
    elif role == "leader":
        server.lead()
    server.hear("n2", message)
    assert (server.role, server.term, server.durable[0]) == (Role.FOLLOWER, 5, 5)
    assert "election" in server.ctx.timers
    assert not {"heartbeat", "quorum"} & set(server.ctx.timers)


def test_a_request_of_an_old_term_is_refused() -> None:
    """'Reply false if term < currentTerm' (5.1)."""
    server = Server(1, term=3)
    before = server.state()
    assert server.hear("n2", RequestVote(2, 9, 9)) == [Sent("n2", VoteReply(3, False))]
    assert server.hear("n2", append(2, 1, 1, commit=1)) == [Sent("n2", AppendReply(3, False, 0, 1))]
    assert server.state() == before


@pytest.mark.parametrize("message", [VoteReply(1, True), AppendReply(1, True, 9, 0)])
def test_an_answer_of_an_old_term_is_ignored(message: object) -> None:
    """'If a server receives a request with a stale term number, it rejects'; stale answers count for nothing (5.1)."""
    server = Server(1, term=1)
    server.timer("election")
    assert server.term == 2
    before = server.state()
    assert server.hear("n2", message) == []
    assert server.state() == before


# -- candidates (5.2) ----------------------------------------------------------------------------------------


def test_servers_start_up_as_followers() -> None:
    """'When servers start up, they begin as followers' (5.2), also with a disk of somebody who once led."""
    server = Server(1, 2, term=4, vote="n1")
    assert (server.role, server.term, server.node.voted_for) == (Role.FOLLOWER, 4, "n1")
    assert (server.ctx.sent, set(server.ctx.timers)) == ([], {"election"})


def test_an_election_timeout_is_drawn_from_a_fixed_interval() -> None:
    """'Election timeouts are chosen randomly from a fixed interval (e.g., 150-300ms)' (5.2)."""
    drawn = set()
    server = Server()
    for _ in range(50):
        before = server.ctx.now_us
        drawn.add(server.ctx.timers["election"] - before)
        server.timer("election")
    assert min(drawn) >= TIMING.election_min_us
    assert max(drawn) <= TIMING.election_max_us
    assert len(drawn) > 40


def test_to_begin_an_election_a_follower_increments_its_term_votes_for_itself_and_asks_all() -> None:
    """'Increment currentTerm, vote for self, reset election timer, send RequestVote RPCs to all other servers'."""
    server = Server(1, 2, 2, term=2, size=5)
    sent = server.timer("election")
    assert sent == [Sent(peer, RequestVote(3, 3, 2)) for peer in ("n2", "n3", "n4", "n5")]
    assert (server.role, server.durable) == (Role.CANDIDATE, (3, "n1"))
    assert "election" in server.ctx.timers


@pytest.mark.parametrize("size", range(3, 10))
def test_a_majority_elects_and_no_less(size: int) -> None:
    """'If votes received from majority of servers: become leader' (5.2)."""
    server = Server(size=size)
    server.timer("election")
    needed = size // 2
    for number, peer in enumerate(server.peers, 1):
        sent = server.hear(peer, VoteReply(1, True))
        if number == needed:
            assert server.role is Role.LEADER
            assert sent == [Sent(each, append(1, 0, 0)) for each in server.peers]
            return
        assert (server.role, sent) == (Role.CANDIDATE, [])


def test_a_vote_counts_once_and_a_refusal_not_at_all() -> None:
    """'A candidate wins an election if it receives votes from a majority of the servers': different servers (5.2)."""
    server = Server(size=5)
    server.timer("election")
    server.hear("n2", VoteReply(1, True))
    server.hear("n2", VoteReply(1, True))
    server.hear("n3", VoteReply(1, False))
    roles = [server.role]
    server.hear("n4", VoteReply(1, True))
    assert [*roles, server.role] == [Role.CANDIDATE, Role.LEADER]


def test_a_candidate_recognises_a_legitimate_leader() -> None:
    """'If the leader's term is at least as large as the candidate's current term, the candidate returns to follower
    state' (5.2)."""
    server = Server()
    server.timer("election")
    assert server.hear("n2", append(1, 0, 0)) == [Sent("n2", AppendReply(1, True, 0, 0))]
    assert (server.role, server.node.leader, server.term) == (Role.FOLLOWER, "n2", 1)


def test_a_candidate_ignores_an_illegitimate_leader() -> None:
    """'If the term in the RPC is smaller, the candidate rejects the RPC and continues in candidate state' (5.2)."""
    server = Server(1, term=3)
    server.timer("election")
    server.hear("n2", append(3, 0, 0))
    assert (server.role, server.term) == (Role.CANDIDATE, 4)


def test_a_candidate_that_times_out_starts_a_new_election() -> None:
    """'If election timeout elapses: start new election' (Figure 2, Candidates)."""
    server = Server()
    server.timer("election")
    sent = server.timer("election")
    assert sent == [Sent(peer, RequestVote(2, 0, 0)) for peer in server.peers]
    assert server.durable == (2, "n1")
    server.hear("n2", VoteReply(1, True))
    assert server.role is Role.CANDIDATE


def test_votes_that_come_too_late_change_nothing() -> None:
    server = Server(size=5)
    server.lead()
    before = server.state()
    assert server.hear("n5", VoteReply(1, True)) == []
    assert server.state() == before


def test_a_leader_sends_heartbeats_at_once_and_again() -> None:
    """'Upon election: send initial empty AppendEntries RPCs; repeat during idle periods' (5.2)."""
    server = Server(1, 1)
    assert server.lead() == [Sent(peer, append(2, 2, 1)) for peer in server.peers]
    assert "election" not in server.ctx.timers
    for number in range(1, 4):
        at_us = server.ctx.now_us
        assert server.timer("heartbeat") == [Sent(peer, append(2, 2, 1)) for peer in server.peers], number
        assert server.ctx.now_us - at_us == TIMING.heartbeat_us


def test_an_election_timer_of_old_does_not_depose_a_leader() -> None:
    server = Server()
    server.lead()
    server.ctx.timers["election"] = server.ctx.now_us
    assert server.timer("election") == []
    assert server.role is Role.LEADER


@pytest.mark.parametrize("name", ["heartbeat", "quorum"])
def test_the_timers_of_a_leader_mean_nothing_to_others(name: str) -> None:
    server = Server()
    server.ctx.timers[name] = 0
    before = server.role, server.term
    assert server.timer(name) == []
    assert (server.role, server.term) == before


# -- voters (5.2, 5.4.1) -------------------------------------------------------------------------------------


def test_a_vote_is_on_disk_before_it_is_given() -> None:
    """'Persistent state: updated on stable storage before responding to RPCs' (Figure 2)."""
    server = Server(term=1)
    assert server.hear("n2", RequestVote(2, 0, 0)) == [Sent("n2", VoteReply(2, True))]
    assert server.durable == (2, "n2")


def test_each_server_votes_for_at_most_one_candidate_in_a_term() -> None:
    """'Each server will vote for at most one candidate in a given term, on a first-come-first-served basis' (5.2)."""
    server = Server(term=1)
    server.hear("n2", RequestVote(2, 0, 0))
    assert server.hear("n3", RequestVote(2, 9, 1)) == [Sent("n3", VoteReply(2, False))]
    assert server.hear("n2", RequestVote(2, 0, 0)) == [Sent("n2", VoteReply(2, True))]
    assert server.hear("n3", RequestVote(3, 0, 0)) == [Sent("n3", VoteReply(3, True))]


def test_a_vote_survives_a_crash() -> None:
    """votedFor is persistent state (Figure 2): a restarted server does not vote twice."""
    server = Server(term=1)
    server.hear("n2", RequestVote(2, 0, 0))
    server.boot()
    assert server.hear("n3", RequestVote(2, 0, 0)) == [Sent("n3", VoteReply(2, False))]


def test_with_the_rule_off_a_vote_does_not_survive_a_crash() -> None:
    server = Server(term=1, rules=RaftRules(persist_vote=False, check_quorum=False, pre_vote=False))
    server.hear("n2", RequestVote(2, 0, 0))
    server.boot()
    assert server.hear("n3", RequestVote(2, 0, 0)) == [Sent("n3", VoteReply(2, True))]


@pytest.mark.parametrize(
    ("mine", "index", "term", "granted"),
    [
        ((), 0, 0, True),
        ((1, 1), 2, 1, True),
        ((1, 1), 3, 1, True),
        ((1, 1), 1, 1, False),
        ((1, 1), 1, 2, True),
        ((1, 2), 9, 1, False),
        ((1, 2), 0, 0, False),
        ((1, 1, 3), 2, 3, False),
    ],
)
def test_a_voter_denies_its_vote_if_its_own_log_is_more_up_to_date(
    mine: tuple[int, ...], index: int, term: int, granted: bool
) -> None:
    """'If the logs have last entries with different terms, then the log with the later term is more up-to-date. If the
    logs end with the same term, then whichever log is longer' (5.4.1)."""
    server = Server(*mine, term=7)
    assert server.hear("n2", RequestVote(8, index, term)) == [Sent("n2", VoteReply(8, granted))]
    assert server.durable == (8, "n2" if granted else None)


def test_only_a_granted_vote_resets_the_election_timer() -> None:
    """'If election timeout elapses without receiving AppendEntries RPC or granting vote to candidate' (Figure 2)."""
    server = Server(1, 1, term=1)
    before = server.ctx.timers["election"]
    server.wait(100_000)
    server.hear("n2", RequestVote(2, 0, 0))
    assert server.ctx.timers["election"] == before
    server.hear("n3", RequestVote(2, 2, 1))
    assert server.ctx.timers["election"] >= server.ctx.now_us + TIMING.election_min_us


# -- voters that hear a leader (4.2.3) -----------------------------------------------------------------------


def test_a_server_that_hears_a_leader_ignores_requestvote() -> None:
    """'If a server receives a RequestVote request within the minimum election timeout of hearing from a current leader,
    it does not update its term or grant its vote' (dissertation 4.2.3)."""
    server = Server(term=1, rules=RaftRules(pre_vote=False))
    server.hear("n2", append(1, 0, 0))
    server.wait(TIMING.election_min_us - 1)
    before = server.state()
    assert server.hear("n3", RequestVote(9, 9, 9)) == []
    assert server.state() == before
    server.wait(1)
    assert server.hear("n3", RequestVote(9, 9, 9)) == [Sent("n3", VoteReply(9, True))]


# -- check-quorum (6.2) --------------------------------------------------------------------------------------


def test_a_leader_steps_down_if_it_hears_no_majority() -> None:
    """'A leader steps down if an election timeout elapses without a successful round of heartbeats to a majority of its
    cluster' (dissertation 6.2)."""
    server = Server(size=5, rules=RaftRules(pre_vote=False))
    server.lead()
    server.timer("quorum")
    assert server.role is Role.LEADER
    for peer in ("n2", "n3"):
        server.accept(peer, 0)
    server.timer("quorum")
    assert server.role is Role.LEADER
    server.accept("n2", 0)
    server.wait(1)
    assert server.timer("quorum") == []
    assert (server.role, server.term, server.node.leader) == (Role.FOLLOWER, 1, None)
    assert set(server.ctx.timers) == {"election"}


def test_without_the_rule_it_stays() -> None:
    server = Server(size=5)
    server.lead()
    for _ in range(3):
        server.timer("quorum")
    assert server.role is Role.LEADER


# -- pre-vote (9.6) ------------------------------------------------------------------------------------------


def test_a_precandidate_asks_for_the_next_term_and_changes_nothing() -> None:
    """'A candidate only increments its term if it first learns from a majority of the cluster that they would be
    willing to grant the candidate their votes' (dissertation 9.6)."""
    server = Server(1, term=4, vote="n3", rules=ALL_ON)
    assert server.timer("election") == [Sent(peer, PreVote(5, 1, 1)) for peer in server.peers]
    assert (server.role, server.term, server.durable) == (Role.PRECANDIDATE, 4, (4, "n3"))
    assert server.timer("election") == [Sent(peer, PreVote(5, 1, 1)) for peer in server.peers]
    assert server.durable == (4, "n3")


@pytest.mark.parametrize(
    ("request_", "granted"),
    [(PreVote(5, 2, 3), True), (PreVote(5, 1, 3), False), (PreVote(4, 2, 3), False), (PreVote(99, 9, 9), True)],
    ids=["would vote", "log behind", "old term", "far ahead"],
)
def test_a_pre_vote_changes_no_state_at_all(request_: PreVote, granted: bool) -> None:
    server = Server(1, 3, term=4, vote="n3", rules=ALL_ON)
    server.wait(TIMING.election_max_us)
    before = server.state()
    reply = PreVoteReply(request_.term if granted else 4, granted)
    assert server.hear("n2", request_) == [Sent("n2", reply)]
    assert server.state() == before


def test_a_pre_vote_is_refused_by_who_hears_a_leader_and_by_the_leader() -> None:
    """'Servers grant it if they have not received heartbeats from a valid leader for at least a baseline election
    timeout' (dissertation 9.6)."""
    server = Server(term=1, rules=ALL_ON)
    server.hear("n2", append(1, 0, 0))
    assert server.hear("n3", PreVote(2, 9, 9)) == [Sent("n3", PreVoteReply(1, False))]
    server.wait(TIMING.election_min_us)
    assert server.hear("n3", PreVote(2, 9, 9)) == [Sent("n3", PreVoteReply(2, True))]
    leader = Server()
    leader.lead()
    assert leader.hear("n3", PreVote(9, 9, 9)) == [Sent("n3", PreVoteReply(1, False))]


def test_a_majority_of_pre_votes_starts_the_election() -> None:
    server = Server(size=5, rules=ALL_ON)
    server.timer("election")
    assert server.hear("n2", PreVoteReply(1, True)) == []
    assert server.hear("n2", PreVoteReply(1, True)) == []
    assert server.hear("n3", PreVoteReply(1, True)) == [Sent(peer, RequestVote(1, 0, 0)) for peer in server.peers]
    assert (server.role, server.durable) == (Role.CANDIDATE, (1, "n1"))


def test_pre_votes_for_another_term_do_not_count() -> None:
    server = Server(size=5, rules=ALL_ON)
    server.timer("election")
    server.hear("n2", PreVoteReply(7, True))
    server.hear("n3", PreVoteReply(7, True))
    assert (server.role, server.term) == (Role.PRECANDIDATE, 0)


def test_a_refusal_from_a_higher_term_is_news_of_that_term() -> None:
    server = Server(rules=ALL_ON)
    server.timer("election")
    server.hear("n2", PreVoteReply(6, False))
    assert (server.role, server.durable) == (Role.FOLLOWER, (6, None))


def test_a_precandidate_that_hears_a_leader_gives_up() -> None:
    server = Server(term=1, rules=ALL_ON)
    server.timer("election")
    server.hear("n2", append(1, 0, 0))
    assert (server.role, server.node.leader) == (Role.FOLLOWER, "n2")
    server.hear("n3", PreVoteReply(2, True))
    server.hear("n2", PreVoteReply(2, True))
    assert (server.role, server.term) == (Role.FOLLOWER, 1)


# -- the entry at the start of a term (6.4) ------------------------------------------------------------------


def test_a_new_leader_appends_an_entry_without_command() -> None:
    """'Each leader commits a blank no-op entry into the log at the start of its term' (section 8)."""
    server = Server(1, noop=True)
    sent = server.lead()
    assert server.terms == (1, 2)
    assert server.disk.log[-1].command is None
    assert [each.message for each in sent] == [AppendEntries(2, 1, 1, (server.disk.log[-1],), 0)] * 2


# -- every decision asks the configuration -------------------------------------------------------------------


def test_the_newest_configuration_in_the_log_decides_elections_and_commitment() -> None:
    """'A server always uses the latest configuration in its log' (dissertation 4.1): here the log says 5, not 3."""
    five = Configuration(("n1", "n2", "n3", "n4", "n5"))
    server = Server()
    server.hear("n2", append(1, 0, 0, Entry(1, five)))
    assert server.timer("election") == [Sent(peer, RequestVote(2, 1, 1)) for peer in ("n2", "n3", "n4", "n5")]
    roles = []
    for voter in ("n2", "n5"):
        server.hear(voter, VoteReply(2, True))
        roles.append(server.role)
    assert roles == [Role.CANDIDATE, Role.LEADER]
    server.hear("c1", ClientRequest(command()))
    server.accept("n2", 2)
    assert server.node.commit_index == 0
    server.accept("n4", 2)
    assert server.node.commit_index == 2


# -- a cluster of one ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pre_vote", [True, False])
def test_the_only_voter_elects_itself_and_commits_by_itself(pre_vote: bool) -> None:
    """'A majority of the servers' (5.2): of one, it is one."""
    server = Server(size=1, noop=True, rules=RaftRules(pre_vote=pre_vote))
    server.timer("election")
    assert (server.role, server.term, server.node.commit_index) == (Role.LEADER, 1, 1)
    assert [each.dst for each in server.hear("c1", ClientRequest(command()))] == ["c1"]
    assert (server.node.commit_index, server.node.kv.values) == (2, {"y": 7})


def test_the_only_voter_commits_what_its_disk_has_and_nothing_before() -> None:
    server = Server(size=1)
    server.timer("election")
    server.disk.fsync_us = 10_000
    assert server.hear("c1", ClientRequest(command())) == []
    assert server.node.commit_index == 0
    server.disk.synced(server.disk.writes)
    server.node.on_synced(server.ctx)
    assert server.node.commit_index == 1


# -- what is said is what was -------------------------------------------------------------------------------------


def test_a_refused_pre_vote_is_none_and_takes_no_granted_one_back() -> None:
    """Only a majority of yes starts an election; a yes counts, whatever came before it or comes late."""
    server = Server(size=5, rules=ALL_ON)
    server.timer("election")
    for peer in ("n2", "n3", "n4", "n5"):
        server.hear(peer, PreVoteReply(0, False))
    assert (server.role, sum(server.node.votes.values())) == (Role.PRECANDIDATE, 1)
    server.hear("n2", PreVoteReply(1, True))
    server.hear("n2", PreVoteReply(0, False))
    assert server.node.votes["n2"]
    server.hear("n3", PreVoteReply(1, True))
    assert server.term == 1


def test_a_timeout_says_how_long_nobody_was_heard() -> None:
    server = Server(term=1)
    server.wait(40_000)
    server.hear("n2", append(1, 0, 0))
    server.wait(90_000)
    server.ctx.timers["election"] = server.ctx.now_us
    server.timer("election")
    (said,) = (note for note in server.ctx.notes if isinstance(note, TimedOut))
    assert (said.why, said.waited_us, said.term, said.pre_vote) == (TimeoutReason.SILENCE, 90_000, 1, False)
    assert (said.role, said.granted, said.needed) == (Role.FOLLOWER, 0, 2)
    since_us = server.ctx.now_us
    server.wait(200_000)
    server.timer("election")
    said = [note for note in server.ctx.notes if isinstance(note, TimedOut)][-1]
    assert (said.why, said.role, said.granted) == (TimeoutReason.NO_MAJORITY, Role.CANDIDATE, 1)
    assert said.waited_us == server.ctx.now_us - since_us


def test_a_new_term_begins_with_no_vote_also_on_disk() -> None:
    """A vote of an old term must not come back as one of the new term after a crash (Figure 2)."""
    server = Server(term=1, vote="n3")
    server.hear("n2", append(2, 0, 0))
    assert server.durable == (2, None)
    server.boot()
    assert server.hear("n2", RequestVote(2, 0, 0)) == [Sent("n2", VoteReply(2, True))]


def test_another_leader_is_heard_from_its_first_message_on() -> None:
    """How long one leader was heard without a gap is what Leader Stability asks (dissertation 4.2.3)."""
    server = Server(term=1)
    spans = []
    for src, term, wait_us in (("n2", 1, 0), ("n2", 1, 100_000), ("n3", 2, 100_000), ("n3", 2, 150_000)):
        server.wait(wait_us)
        server.hear(src, append(term, 0, 0))
        spans.append(server.ctx.now_us - server.node.unbroken_us)
    assert spans == [0, 100_000, 0, 0]


def test_a_campaign_begins_with_the_first_pre_vote_and_goes_on_through_the_next() -> None:
    """Leader Stability asks who was heard since the campaign began, however often it asked (dissertation 9.6)."""
    server = Server(rules=ALL_ON)
    server.timer("election")
    began_us = server.ctx.now_us
    assert server.node.campaign_us == began_us > 0
    server.timer("election")
    assert (server.node.campaign_us, server.ctx.now_us > began_us) == (began_us, True)


def test_a_leader_remembers_who_voted_for_it() -> None:
    server = Server(size=5)
    server.timer("election")
    for peer, granted in (("n2", False), ("n3", True), ("n4", True)):
        server.hear(peer, VoteReply(1, granted))
    assert server.role is Role.LEADER
    assert server.node.votes == {"n1": True, "n2": False, "n3": True, "n4": True}


def drawn(server: Server) -> bool:
    """Whether its election timeout was drawn at this moment. (The draws of the bench depend on the time.)"""
    stream = Stream(server.ctx.now_us, "election")
    return server.node.election_timeout_us == stream.between(TIMING.election_min_us, TIMING.election_max_us)


def test_a_new_timeout_is_drawn_after_a_vote_after_an_office_and_by_who_does_not_stand() -> None:
    """'Election timeouts are chosen randomly ... each candidate restarts its randomized timeout' (5.2)."""
    voter = Server(1, term=1)
    voter.wait(7_000)
    assert not drawn(voter)
    voter.hear("n2", RequestVote(2, 1, 1))
    assert drawn(voter)
    leader = Server(1, term=1)
    leader.lead()
    leader.wait(7_000)
    leader.hear("n2", append(9, 1, 1))
    assert drawn(leader)
    asks = Server(1, term=1, rules=ALL_ON)
    asks.timer("election")
    assert asks.role is Role.PRECANDIDATE
    assert drawn(asks)
    outside = Server(1, term=1)
    outside.hear("n2", append(1, 1, 1, Entry(1, Configuration(("n2", "n3"))), commit=2))
    outside.timer("election")
    assert outside.role is Role.FOLLOWER
    assert drawn(outside)


def test_after_a_clock_went_back_nobody_was_waited_for() -> None:
    server = Server(term=1)
    server.wait(500_000)
    server.hear("n2", append(1, 0, 0))
    server.ctx.now_us = 1_000
    server.node.on_timer(server.ctx, "election")
    assert [note.waited_us for note in server.ctx.notes if isinstance(note, TimedOut)] == [0]


@pytest.mark.parametrize(("term", "why"), [(1, VoteReason.VOTED), (0, VoteReason.OLD_TERM)])
def test_who_hears_a_leader_still_answers_a_candidate_of_its_own_or_an_older_term(term: int, why: VoteReason) -> None:
    """'A message of a lower term is answered with the current term', or a cut-off node never gets back in."""
    server = Server(1, term=1, vote="n2", rules=ALL_ON)
    server.hear("n2", append(1, 1, 1))
    assert server.hear("n3", RequestVote(term, 9, 9)) == [Sent("n3", VoteReply(1, False))]
    assert [note.why for note in server.ctx.notes if isinstance(note, VoteRefused)] == [why]


def test_a_campaign_without_pre_vote_begins_as_the_timer_runs_out_and_is_nobodys_order() -> None:
    server = Server(1, term=1)
    server.hear("n2", TimeoutNow(1))
    assert server.node.by_order
    server.timer("election")
    assert (server.node.campaign_us, server.node.by_order) == (server.ctx.now_us, False)
    asks = Server(1, term=1, rules=ALL_ON)
    asks.hear("n2", TimeoutNow(1))
    asks.hear("n3", append(2, 1, 1))
    asks.wait(TIMING.election_max_us)
    asks.timer("election")
    assert (asks.role, asks.node.by_order) == (Role.PRECANDIDATE, False), "this time it is its own wish"


def test_an_order_to_stand_is_remembered_through_the_victory_and_forgotten_with_the_office() -> None:
    """Who needs only its own vote stands and leads in one step: whoever looks then must see that it was told to."""
    alone = Server(1, term=1, size=1)
    alone.hear("n2", TimeoutNow(1))
    assert (alone.role, alone.node.by_order) == (Role.LEADER, True)
    alone.hear("n2", append(3, 1, 1))
    assert (alone.role, alone.node.by_order) == (Role.FOLLOWER, False)
    loses = Server(1, term=1)
    loses.hear("n2", TimeoutNow(1))
    loses.hear("n3", append(2, 1, 1))
    assert (loses.role, loses.node.by_order) == (Role.FOLLOWER, False)


def test_a_refused_pre_vote_of_its_own_term_is_remembered_as_one() -> None:
    server = Server(1, term=1, rules=ALL_ON)
    server.timer("election")
    server.hear("n2", PreVoteReply(1, False))
    assert server.node.votes == {"n1": True, "n2": False}


def test_pre_votes_that_come_after_it_gave_up_elect_nobody() -> None:
    server = Server(1, term=1, rules=ALL_ON)
    server.timer("election")
    server.hear("n2", append(1, 1, 1))
    for peer in ("n2", "n3"):
        server.hear(peer, PreVoteReply(2, True))
    assert (server.role, server.term) == (Role.FOLLOWER, 1)


def test_with_the_rule_learners_vote_off_voters_still_vote() -> None:
    server = Server(1, term=1, rules=RaftRules(check_quorum=False, pre_vote=False, learners_vote=False))
    assert server.hear("n2", RequestVote(2, 1, 1)) == [Sent("n2", VoteReply(2, True))]


def test_with_the_rule_refuse_while_led_off_a_server_votes_though_it_hears_a_leader() -> None:
    server = Server(1, term=1, rules=RaftRules(refuse_while_led=False))
    server.hear("n2", append(1, 1, 1))
    assert server.hear("n3", PreVote(2, 1, 1)) == [Sent("n3", PreVoteReply(2, True))]
    assert server.hear("n3", RequestVote(2, 1, 1)) == [Sent("n3", VoteReply(2, True))]


def test_with_the_rule_persist_vote_off_no_vote_of_an_earlier_term_stays_on_disk() -> None:
    server = Server(1, term=1, vote="n2", rules=RaftRules(check_quorum=False, pre_vote=False, persist_vote=False))
    server.hear("n3", RequestVote(2, 1, 1))
    assert server.durable == (2, None)


def test_who_deposed_a_leader_is_known_until_its_next_role() -> None:
    server = Server(1, term=1)
    server.lead()
    server.hear("n3", append(9, 1, 1))
    assert server.node.deposed_by == "n3"
    server.timer("election")
    assert server.node.deposed_by == ""


def test_a_server_that_never_ran_is_in_term_0_and_nobody_told_it_to_stand() -> None:
    node = RaftNode("n1", ("n2", "n3"), Disk())
    assert (node.current_term, node.voted_for, node.by_order) == (0, None, False)


def test_a_leader_is_heard_without_a_break_as_long_as_no_gap_is_a_shortest_election_timeout() -> None:
    server = Server(term=1)
    server.wait(10_000)
    server.hear("n2", append(1, 0, 0))
    server.wait(TIMING.election_min_us - 1)
    server.hear("n2", append(1, 0, 0))
    assert server.node.unbroken_us == 10_000
    server.wait(TIMING.election_min_us)
    server.hear("n2", append(1, 0, 0))
    assert server.node.unbroken_us == server.ctx.now_us


def test_with_the_rule_refusal_resets_off_only_what_fits_puts_the_election_timer_off() -> None:
    """Redpanda #30817: a leader whose entries do not fit yet is a leader all the same."""
    server = Server(1, term=1, rules=RaftRules(check_quorum=False, pre_vote=False, refusal_resets=False))
    due = server.ctx.timers["election"]
    server.wait(5_000)
    server.hear("n2", append(1, 7, 1))
    assert server.ctx.timers["election"] == due
    server.hear("n2", append(1, 1, 1))
    assert server.ctx.timers["election"] == server.ctx.now_us + server.node.election_timeout_us
