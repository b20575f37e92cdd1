"""Questions that need no entry, as the dissertation states it (6.4): one test, one sentence."""

import pytest

from engines.consensus.pattern import PATTERN
from engines.consensus.raft.checks import READS
from engines.consensus.raft.commands import Propose, SetReads
from engines.consensus.raft.engine import RaftEngine
from engines.consensus.raft.messages import (
    AppendEntries,
    AppendReply,
    AskReadIndex,
    ClientReply,
    ClientRequest,
    Command,
    ReadIndexReply,
    RequestVote,
    TimeoutNow,
    TransferRequest,
    VoteReply,
)
from engines.consensus.raft.read_events import Forwarded, ReadGivenUp, ReadHow, ReadServed, ReadWait, ReadWaits
from engines.consensus.raft.reads import ROUNDS_MAX
from engines.consensus.raft.roles import Role
from engines.consensus.raft.rules import RaftRules, Reading, ReadMode
from engines.errors import UserError
from engines.sim import faults
from engines.sim.history import CLIENT_HISTORY
from engines.sim.rules import SetRule
from tests.engines.consensus.raft.server import TIMING, Sent, Server, append, command, entries

MS = 1_000
INDEX = Reading(ReadMode.INDEX)
LEASE = Reading(ReadMode.LEASE)


def question(serial: int = 9, key: str = "y") -> Command:
    return Command("c1", serial, "get", key, 0)


def leader(reading: Reading = INDEX, size: int = 3, rules: RaftRules | None = None, committed: bool = True) -> Server:
    """n1 leads; with ``committed`` an entry of its term is, and y is 7."""
    server = Server(size=size, rules=rules or RaftRules(pre_vote=False))
    server.node.reading = reading
    server.ctx.rounds = True
    server.lead()
    if committed:
        server.hear("c1", ClientRequest(command(1, 7)))
        for peer in server.peers:
            server.hear(peer, AppendReply(server.term, True, 1, 0, round=server.node.round))
    server.ctx.sent.clear()
    return server


def ask(server: Server, serial: int = 9, key: str = "y", seen: int = 0) -> list[Sent]:
    return server.hear("c1", ClientRequest(question(serial, key), seen))


def ack(server: Server, peer: str, number: int) -> list[Sent]:
    """A follower acknowledges a round."""
    return server.hear(peer, AppendReply(server.term, True, server.node.log.last_index, 0, round=number))


def ack_alone(server: Server, number: int) -> list[Sent]:
    """n2 acknowledges a round, and confirms no entry."""
    return server.hear("n2", AppendReply(server.term, False, 0, 0, round=number))


def answers(sent: list[Sent]) -> list[tuple[int, int | None]]:
    """Serial and result of the answers among these messages."""
    return [(each.message.serial, each.message.result) for each in sent if isinstance(each.message, ClientReply)]


def rounds(sent: list[Sent]) -> list[int]:
    return [each.message.round for each in sent if isinstance(each.message, AppendEntries)]


# -- ReadIndex -----------------------------------------------------------------------------------------------------


def test_a_round_of_heartbeats_is_sent_after_the_request_and_only_a_majority_of_its_acks_answers_it() -> None:
    server = leader(size=5)
    before = server.node.round
    sent = ask(server)
    assert rounds(sent) == [before + 1] * 4
    assert answers(sent) == []
    assert answers(ack(server, "n2", before + 1)) == []
    assert answers(ack(server, "n3", before + 1)) == [(9, 7)]
    assert server.ctx.notes[-1] == ReadServed("c1", "y", 7, ReadHow.ROUND, 1, before + 1, ("n2", "n3"))


def test_acks_of_an_older_round_do_not_count() -> None:
    server = leader()
    before = server.node.round
    ask(server)
    assert answers(ack(server, "n2", before)) == []
    assert answers(ack(server, "n2", before + 1)) == [(9, 7)]


def test_one_round_serves_many() -> None:
    server = leader(size=5)
    server.ctx.clients = ("c1", "c2")
    number = server.node.round + 1
    ask(server, 9)
    ack(server, "n2", number)
    later = server.hear("c2", ClientRequest(Command("c2", 4, "get", "y", 0)))
    assert rounds(later) == [], "the one that is under way was sent before it was asked"
    done = ack(server, "n3", number)
    assert [each.dst for each in done if isinstance(each.message, ClientReply)] == ["c1"]
    assert rounds(done) == [number + 1] * 4, "so the next begins as soon as that one is done"
    ask(server, 10)
    ack(server, "n2", number + 1)
    served = ack(server, "n3", number + 1)
    assert [each.dst for each in served if isinstance(each.message, ClientReply)] == ["c2"]
    assert rounds(served) == [number + 2] * 4


def test_before_the_first_commit_of_its_term_it_waits_and_does_not_answer() -> None:
    server = leader(committed=False)
    server.hear("c1", ClientRequest(command(1, 7)))
    ask(server)
    assert server.ctx.notes[-1] == ReadWaits("c1", "y", ReadWait.COMMIT, 2, 0)
    for number in (1, 2, 3):
        assert answers(ack_alone(server, number)) == [], "a majority obeys it, and it still does not know what is so"
    assert answers(ack(server, "n2", 3)) == [(1, 7), (9, 7)]


def test_with_that_rule_off_it_answers_without_what_its_predecessor_committed() -> None:
    server = Server(1, rules=RaftRules(pre_vote=False, read_after_commit=False))
    server.node.reading = INDEX
    server.lead()
    ask(server, key="x")
    told = [*ack_alone(server, 1), *ack_alone(server, 2)]
    assert answers(told) == [(9, None)], "and x is 1 in its log"


def test_what_was_committed_when_it_was_asked_must_be_applied_before_the_answer() -> None:
    """``applied >= r``: here a follower has the index, and lacks the entry."""
    server = Server(1, rules=RaftRules(pre_vote=False))
    server.node.reading = Reading(ReadMode.INDEX, forward=True)
    server.hear("n2", append(1, 1, 1))
    (sent,) = ask(server, key="x")
    assert sent == Sent("n2", AskReadIndex(1, question(9, "x")))
    assert server.hear("n2", ReadIndexReply(question(9, "x"), 2)) == []
    new = entries(1, first=2)
    told = server.hear("n2", append(1, 1, 1, *new, commit=2))
    assert answers(told) == [(9, 1)]


def test_a_follower_may_ask_the_leader_who_confirms_and_tells_the_index() -> None:
    server = leader()
    sent = server.hear("n2", AskReadIndex(server.term, question()))
    assert rounds(sent) == [server.node.round] * 2
    told = ack(server, "n3", server.node.round)
    assert Sent("n2", ReadIndexReply(question(), 1)) in told
    assert answers(told) == []


def test_the_index_is_what_was_committed_when_it_was_asked() -> None:
    """'The leader saves its current commit index in a local variable readIndex' (6.4)."""
    server = leader()
    old = server.node.round
    server.hear("n2", AskReadIndex(server.term, question()))
    server.hear("c1", ClientRequest(command(2, 8)))
    server.hear("n3", AppendReply(server.term, True, 2, 1, round=old))
    assert server.node.commit_index == 2
    assert Sent("n2", ReadIndexReply(question(), 1)) in ack(server, "n3", server.node.round)


def test_who_does_not_lead_leaves_such_a_question_alone() -> None:
    server = Server(1)
    assert server.hear("n2", AskReadIndex(1, question())) == []


def test_a_refused_append_entries_acknowledges_its_round_as_well() -> None:
    server = leader()
    ask(server)
    refusal = AppendReply(server.term, False, 0, 1, 0, 1, server.node.round)
    assert answers(server.hear("n2", refusal)) == [(9, 7)]


def test_a_leader_that_steps_down_gives_up_its_questions_and_says_so() -> None:
    server = leader()
    ask(server)
    told = server.hear("n2", RequestVote(server.term + 9, 99, 99, True))
    assert Sent("c1", ClientReply(9, False, None, "")) in told
    assert ReadGivenUp("c1", "y") in server.ctx.notes
    assert not server.node.reads


def test_a_cluster_of_one_needs_nobody() -> None:
    server = Server(size=1, rules=RaftRules(pre_vote=False))
    server.node.reading = INDEX
    server.timer("election")
    if server.role is not Role.LEADER:
        pytest.skip("a single server is not elected by itself yet")
    server.hear("c1", ClientRequest(command(1, 7)))
    assert answers(ask(server)) == [(9, 7)]


# -- worked example 8: the retry -------------------------------------------------------------------------------------


def test_acks_of_the_round_before_a_retry_must_not_confirm_the_retry() -> None:
    """R1 leads; read A out, acks held; R1 asked again (B); A's acks arrive, then B must not be answered."""
    server = leader()
    ask(server, 9)
    first = server.node.round
    ask(server, 10)
    told = ack(server, "n2", first)
    assert answers(told) == [(9, 7)]
    assert rounds(told) == [first + 1] * 2
    assert answers(ack(server, "n2", first + 1)) == [(10, 7)]


def test_with_rounds_matched_by_an_id_that_a_retry_uses_again_they_do() -> None:
    server = leader(rules=RaftRules(pre_vote=False, match_rounds=False))
    ask(server, 9)
    first = server.node.round
    ask(server, 10)
    assert answers(ack(server, "n2", first)) == [(9, 7), (10, 7)]
    assert rounds(ask(server, 11)) == [first + 1] * 2, "what was answered is no retry any more"


# -- who asks, and who is told -----------------------------------------------------------------------------------------


def test_who_neither_knows_a_leader_nor_is_one_passes_nothing_on() -> None:
    server = Server(1)
    server.node.reading = Reading(ReadMode.INDEX, forward=True)
    for asked in (command(3), question(3)):
        assert server.hear("c1", ClientRequest(asked)) == [Sent("c1", ClientReply(3, False, None, ""))]


def test_a_follower_that_does_not_pass_on_names_the_leader() -> None:
    server = Server(1)
    server.node.reading = INDEX
    server.hear("n2", append(1, 1, 1))
    assert ask(server) == [Sent("c1", ClientReply(9, False, None, "n2"))]


def test_the_answer_names_the_leader_and_what_was_applied() -> None:
    server = leader()
    ask(server)
    assert Sent("c1", ClientReply(9, True, 7, "n1", 1)) in ack(server, "n2", server.node.round)


def test_with_the_rule_confirm_reads_off_a_server_answers_alone_and_names_the_leader_only_if_it_knows_one() -> None:
    server = Server(1, rules=RaftRules(confirm_reads=False))
    server.ctx.rounds = True
    assert ask(server) == [Sent("c1", ClientReply(9, True, None, "", 0))]
    server.hear("n2", append(1, 1, 1, commit=1))
    assert ask(server, key="x") == [Sent("c1", ClientReply(9, True, 1, "n2", 1))]


def test_a_client_that_cannot_be_reached_is_told_nothing() -> None:
    server = leader()
    server.hear("gone", ClientRequest(Command("gone", 9, "get", "y", 0)))
    told = server.hear("n2", RequestVote(server.term + 9, 99, 99, True))
    assert ReadGivenUp("gone", "y") in server.ctx.notes
    assert [each.dst for each in told] == ["n2"]


def test_an_answer_of_an_older_term_acknowledges_nothing_whatever_its_round() -> None:
    """Rounds begin anew with a crash: an answer to the server that was there before may bear a higher one."""
    server = leader()
    ask(server)
    assert answers(server.hear("n2", AppendReply(server.term - 1, True, 0, 0, round=99))) == []
    assert server.node.acked["n2"] == 1


def test_so_many_rounds_are_remembered_and_an_older_one_gives_no_lease() -> None:
    server = leader(LEASE)
    for _ in range(ROUNDS_MAX + 6):
        server.timer("heartbeat")
        assert len(server.node.rounds) <= ROUNDS_MAX
    assert len(server.node.rounds) == ROUNDS_MAX
    before = server.node.lease_until_us
    ack(server, "n2", 3)
    assert (server.node.confirmed, server.node.lease_until_us) == (3, before)


def test_a_leader_is_not_asked_by_who_knows_a_later_term() -> None:
    server = leader()
    assert server.hear("n2", AskReadIndex(server.term + 1, question())) == []


def test_a_follower_is_told_no_index_before_the_first_commit_of_the_term() -> None:
    server = leader(committed=False)
    server.hear("c1", ClientRequest(command(1, 7)))
    server.hear("n2", AskReadIndex(server.term, question()))
    for number in (1, 2):
        assert ReadIndexReply not in {type(each.message) for each in ack_alone(server, number)}
    assert Sent("n2", ReadIndexReply(question(), 1)) in ack(server, "n3", 2)


def test_a_follower_that_asked_a_leader_that_steps_down_is_not_answered_like_a_client() -> None:
    server = leader()
    server.ctx.clients = ("c1", "n3")
    server.hear("n3", AskReadIndex(server.term, question()))
    assert [each.dst for each in server.hear("n2", RequestVote(server.term + 9, 99, 99, True))] == ["n2"]


def test_only_a_leader_takes_an_answer_for_an_acknowledgement() -> None:
    server = Server(1)
    server.hear("n2", AppendReply(1, True, 1, 0, round=3))
    assert server.node.acked == {}


def test_with_rounds_matched_by_id_a_retry_begins_no_round_and_is_forgotten_with_the_office() -> None:
    server = leader(rules=RaftRules(pre_vote=False, match_rounds=False), committed=False)
    ask(server, 9)
    assert rounds(ack_alone(server, 1)) == [2, 2]
    assert rounds(ack_alone(server, 2)) == [], "the round is there, and only the commit is missing"
    assert (server.node.round, server.node.confirmed) == (2, 2)
    assert rounds(ask(server, 10)) == []
    server.hear("n2", RequestVote(server.term + 9, 99, 99, True))
    assert server.node.same_question == {}


# -- leases ------------------------------------------------------------------------------------------------------------


def test_worked_example_7_a_lease_counts_from_the_sending_of_its_round() -> None:
    """T 1000, bound 1.25, round sent 0, acked 40: local until 800, not 840."""
    from engines.consensus.raft.rules import Timing

    server = leader(LEASE)
    server.node.timing = Timing(50 * MS, 1_000 * MS, 2_000 * MS)
    server.ctx.now_us = zero = 10_000 * MS
    server.timer("heartbeat")
    zero = server.ctx.now_us
    server.ctx.now_us = zero + 40 * MS
    ack(server, "n2", server.node.round)
    assert server.node.lease_until_us == zero + 800 * MS
    server.ctx.now_us = zero + 799 * MS
    assert answers(ask(server)) == [(9, 7)]
    assert server.ctx.notes[-1].how is ReadHow.LEASE
    server.ctx.now_us = zero + 800 * MS
    assert answers(ask(server, 10)) == []


def test_a_lease_is_not_used_before_the_first_commit_of_the_term() -> None:
    server = leader(LEASE, committed=False)
    server.hear("n2", AppendReply(server.term, False, 0, 0, round=server.node.round))
    assert server.node.lease_until_us > server.ctx.now_us
    assert answers(ask(server)) == []
    assert server.ctx.notes[-1].why is ReadWait.COMMIT


def test_who_has_just_started_may_have_acknowledged_a_lease_before_and_refuses_votes() -> None:
    server = Server(1)
    server.ctx.now_us = 1_000 * MS
    server.node.on_start(server.ctx)
    for reading, refuses in ((LEASE, True), (INDEX, False)):
        server.node.reading = reading
        assert server.node.hears_leader(server.ctx) is refuses
    server.node.reading = LEASE
    server.wait(TIMING.election_min_us - 1)
    assert server.node.hears_leader(server.ctx)
    server.wait(1)
    assert not server.node.hears_leader(server.ctx)


def test_a_lease_is_nobodys_acknowledgement() -> None:
    server = leader(LEASE)
    server.timer("heartbeat")
    ack(server, "n2", server.node.round)
    ask(server)
    assert server.ctx.notes[-1] == ReadServed("c1", "y", 7, ReadHow.LEASE, 1, 0, ())


def test_who_may_be_bound_by_a_lease_does_not_stand() -> None:
    """Who would refuse to vote does not stand for election either."""
    server = Server(1)
    server.node.reading = LEASE
    server.wait(TIMING.election_max_us)
    server.hear("n2", append(1, 1, 1))
    server.ctx.timers["election"] = server.ctx.now_us + TIMING.election_min_us - 1
    assert server.timer("election") == []
    assert server.role is Role.FOLLOWER
    assert server.ctx.timers["election"] == server.ctx.now_us + server.node.election_timeout_us


def test_in_its_next_term_a_leader_that_handed_over_gives_leases_again() -> None:
    server = leader(LEASE)
    server.hear("c1", TransferRequest("n2"))
    assert server.node.gave_up_lease
    server.hear("n2", AppendEntries(server.term + 1, 1, 1, (), 0))
    server.wait(TIMING.election_max_us)
    server.lead()
    ack_alone(server, server.node.round)
    assert server.node.lease_until_us > server.ctx.now_us


def test_a_lease_ends_at_step_down() -> None:
    server = leader(LEASE)
    ack(server, "n2", server.node.round)
    server.hear("n2", AppendEntries(server.term + 1, 1, 1, (), 0))
    assert server.node.lease_until_us < server.ctx.now_us


def test_a_lease_ends_before_a_transfer_and_none_is_given_afterwards_in_that_term() -> None:
    server = leader(LEASE)
    server.timer("heartbeat")
    ack(server, "n2", server.node.round)
    assert server.node.lease_until_us > server.ctx.now_us
    sent = server.hear("c1", TransferRequest("n2"))
    assert any(isinstance(each.message, TimeoutNow) for each in sent)
    assert server.node.lease_until_us < server.ctx.now_us
    server.timer("heartbeat")
    ack(server, "n3", server.node.round)
    assert server.node.lease_until_us < server.ctx.now_us


def test_who_heard_the_leader_within_the_shortest_timeout_refuses_to_vote() -> None:
    server = Server(1, rules=RaftRules(pre_vote=False))
    server.hear("n2", append(1, 1, 1))
    server.wait(TIMING.election_min_us - 1)
    assert server.hear("n3", RequestVote(2, 9, 9)) == []
    assert server.term == 1
    server.wait(1)
    assert server.hear("n3", RequestVote(2, 9, 9)) == [Sent("n3", VoteReply(2, True))]


def test_a_server_that_restarts_may_have_acknowledged_a_lease_and_waits_as_long() -> None:
    server = Server(1, rules=RaftRules(pre_vote=False))
    server.boot()
    server.node.reading = LEASE
    assert server.hear("n3", RequestVote(2, 9, 9)) == []
    server.wait(TIMING.election_min_us)
    assert server.hear("n3", RequestVote(2, 9, 9)) == [Sent("n3", VoteReply(2, True))]


# -- answered alone, passed on -----------------------------------------------------------------------------------------


def test_with_confirmation_off_whoever_is_asked_answers_at_once() -> None:
    server = leader(rules=RaftRules(pre_vote=False, confirm_reads=False))
    assert answers(ask(server)) == [(9, 7)]
    assert server.ctx.notes[-1].how is ReadHow.ALONE


def test_only_a_story_that_declares_what_it_breaks_reads_locally() -> None:
    """Answers that nobody confirmed are for show: who plays them says which checks will find them."""
    stories = [scenario for scenario in PATTERN.scenarios if scenario.variant == "raft"]
    local = [
        scenario for scenario in stories
        if ("confirm_reads", False) in scenario.config
        or any(step.command == SetRule("confirm_reads", False) for step in scenario.script)
    ]  # fmt: skip
    assert local
    assert all({READS, CLIENT_HISTORY} <= set(scenario.breaks) for scenario in local)


def test_to_read_locally_is_a_rule_that_is_off_and_no_way_to_read() -> None:
    with pytest.raises(UserError, match=r"'local'.* with the rule confirm_reads off"):
        RaftEngine(1, ()).apply(SetReads("local"))


def test_a_client_that_carries_the_last_index_it_saw_never_goes_back() -> None:
    server = Server(1, rules=RaftRules(pre_vote=False, confirm_reads=False))
    server.hear("n2", append(1, 1, 1, commit=1))
    assert answers(ask(server, 9, "x", seen=1)) == [(9, 1)]
    assert ask(server, 10, "x", seen=2) == []
    told = server.hear("n2", append(1, 1, 1, *entries(1, first=2), commit=2))
    assert answers(told) == [(10, 1)]


def test_a_follower_passes_a_command_on_and_the_leader_answers_the_client_itself() -> None:
    follower = Server(1)
    follower.node.reading = Reading(forward=True)
    follower.hear("n2", append(1, 1, 1))
    request = ClientRequest(command(3, 4))
    assert follower.hear("c1", request) == [Sent("n2", request)]
    assert follower.ctx.notes[-1] == Forwarded("c1", "n2", command(3, 4))
    server = leader()
    server.hear("n3", request)
    assert Sent("c1", ClientReply(3, True, 4, "n1", 2)) in server.accept("n2", 2)


def test_what_another_server_passed_on_is_not_passed_on_again() -> None:
    server = Server(1)
    server.node.reading = Reading(forward=True)
    server.hear("n2", append(1, 1, 1))
    assert server.hear("n3", ClientRequest(command())) == [Sent("c1", ClientReply(1, False, None, "n2"))]


def test_a_question_through_the_log_is_an_entry() -> None:
    server = leader(Reading(ReadMode.LOG))
    ask(server)
    assert server.node.log.last_index == 2
    assert (9, 7) in answers(server.accept("n2", 2))


# -- a refused AppendEntries -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("resets", [True, False])
def test_a_refused_append_entries_of_the_current_leader_resets_the_timer(resets: bool) -> None:
    """redpanda #30817: without it a follower that is being repaired stands for election."""
    server = Server(1, rules=RaftRules(refusal_resets=resets))
    due = server.ctx.timers["election"]
    server.wait(100 * MS)
    server.hear("n2", append(1, 5, 1))
    assert (server.ctx.timers["election"] > due) == resets
    assert server.node.heard_us == server.ctx.now_us


# -- what a request takes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [3, 5, 7])
def test_an_entry_costs_one_message_to_each_other_server_and_one_back(size: int) -> None:
    """Cost 2(n-1) messages per entry; the commit index rides along with the next message."""
    engine = RaftEngine(42, (("nodes", size),))
    engine.run(3_000_000, 1 << 60)
    cost = engine.snapshot().cost
    assert cost is not None
    assert cost.entry > 3
    assert cost.messages == cost.formula == 2 * (size - 1)


def test_what_has_to_be_sent_again_costs_more() -> None:
    engine = RaftEngine(42, (("nodes", 5), ("workload", "off")))
    engine.run(1_000_000, 1 << 60)
    leader = engine.leader()
    other = next(each for each in engine.servers if each != leader)
    engine.apply(faults.Cut(leader, other))
    engine.apply(Propose("set", "x", 1, leader))
    engine.run(1_100_000, 1 << 60)
    before = engine.snapshot().cost
    engine.apply(faults.Heal())
    engine.run(1_500_000, 1 << 60)
    cost = engine.snapshot().cost
    assert cost is not None
    assert (cost.entry, cost.formula) == (2, 8)
    assert cost.messages > 8
    assert before is None or before.entry < cost.entry


def test_one_that_never_confirms_does_not_stop_the_count() -> None:
    engine = RaftEngine(42, (("nodes", 5), ("workload", "busy")))
    engine.run(1_000_000, 1 << 60)
    other = next(each for each in engine.servers if each != engine.leader())
    engine.apply(faults.Crash(other))
    engine.run(9_000_000, 1 << 60)
    engine.apply(faults.Restart(other))
    engine.run(15_000_000, 1 << 60)
    cost = engine.snapshot().cost
    assert cost is not None
    assert cost.entry > engine.snapshot().commit - 150


def test_the_picture_shows_the_lease_and_what_waits() -> None:
    engine = RaftEngine(42, (("reads", "lease"), ("workload", "off")))
    engine.run(1_200_000, 1 << 60)
    leader = engine.leader()
    rounds = next(each.rounds for each in engine.snapshot().servers if each.id == leader)
    assert rounds is not None
    assert 0 < rounds.lease_left_us <= rounds.lease_us == 120_000
    for other in engine.servers:
        if other != leader:
            engine.apply(faults.Cut(other, leader))
    engine.run(1_400_000, 1 << 60)
    engine.apply(Propose("get", "x", 0, leader))
    engine.run(1_440_000, 1 << 60)
    server = next(each for each in engine.snapshot().servers if each.id == leader)
    assert server.rounds is not None
    assert server.rounds.lease_left_us == 0
    assert [(each.client, each.key) for each in server.questions] == [("you", "x")]
