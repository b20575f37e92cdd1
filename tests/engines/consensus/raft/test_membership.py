"""Members and transfers, sentence by sentence (dissertation, chapter 4 and section 3.10): one server as a black box."""

from typing import Any

import pytest

from engines.consensus.raft import change_events as c
from engines.consensus.raft.events import StepDownReason, SteppedDown, VoteReason, VoteRefused
from engines.consensus.raft.membership import SILENCE
from engines.consensus.raft.messages import (
    AppendEntries,
    AppendReply,
    ChangeReply,
    ChangeRequest,
    ClientReply,
    ClientRequest,
    Entry,
    InstallSnapshot,
    PreVote,
    PreVoteReply,
    Refusal,
    RequestVote,
    TimeoutNow,
    TransferReply,
    TransferRequest,
    VoteReply,
)
from engines.consensus.raft.quorum import Change, Configuration, add, enter_joint, learn, leave_joint, remove
from engines.consensus.raft.rules import RaftRules
from tests.engines.consensus.raft.server import TIMING, Sent, Server, append, command

THREE = Configuration(("n1", "n2", "n3"))
FOUR = Configuration(("n1", "n2", "n3", "n4"))


def leader(size: int = 3, **rules: bool) -> Server:
    """n1 leads term 1 of so many servers, and has committed its first entry."""
    server = Server(size=size, rules=RaftRules(**{"check_quorum": False, "pre_vote": False, **rules}), noop=True)
    server.lead()
    for peer in server.peers[: size // 2]:
        server.accept(peer, 1)
    assert server.node.commit_index == 1
    return server


def ask(server: Server, *changes: Change, joint: bool = False, auto: bool = True) -> list[Sent]:
    return server.hear("you", ChangeRequest(changes, joint, joint and auto))


def refused(sent: list[Sent]) -> Refusal | None:
    """Why the person was told no."""
    return next(each.message.why for each in sent if isinstance(each.message, ChangeReply | TransferReply))


def appended(sent: list[Sent]) -> set[str]:
    """Who is sent AppendEntries."""
    return {each.dst for each in sent if isinstance(each.message, AppendEntries)}


def notes(server: Server, kind: type) -> list[Any]:
    return [each for each in server.ctx.notes if isinstance(each, kind)]


# -- which configuration rules -----------------------------------------------------------------------------------


def test_a_server_always_uses_the_latest_configuration_in_its_log_regardless_of_whether_it_is_committed() -> None:
    server = Server(1, term=1)
    server.hear("n2", append(1, 1, 1, Entry(1, FOUR)))
    assert server.node.configuration == FOUR
    assert server.node.commit_index == 0


def test_a_server_must_be_prepared_to_fall_back_to_the_previous_configuration_in_its_log() -> None:
    server = Server(1, term=1)
    server.hear("n2", append(1, 1, 1, Entry(1, FOUR)))
    server.hear("n3", append(2, 1, 1, Entry(2, None)))
    assert server.node.configuration == THREE
    assert notes(server, c.ConfigurationFellBack) == [c.ConfigurationFellBack(2, FOUR, THREE)]


def test_a_restarted_server_finds_its_configuration_in_its_log() -> None:
    server = Server(1, term=1)
    server.hear("n2", append(1, 1, 1, Entry(1, FOUR)))
    server.boot()
    assert server.node.configuration == FOUR


def test_with_the_option_apply_a_configuration_rules_once_it_is_committed() -> None:
    server = Server(1, term=1)
    server.node.from_apply = True
    server.hear("n2", append(1, 1, 1, Entry(1, FOUR)))
    assert server.node.configuration == THREE
    server.hear("n2", append(1, 2, 1, commit=2))
    assert server.node.configuration == FOUR
    assert server.disk.registers["configured"] == 2, "a restarted server must not count by the old one again"


def test_servers_process_incoming_requests_without_consulting_their_current_configurations() -> None:
    server = Server(1, term=1)
    assert server.hear("n9", RequestVote(2, 1, 1)) == [Sent("n9", VoteReply(2, True))]
    assert server.hear("n9", append(2, 1, 1)) == [Sent("n9", AppendReply(2, True, 1, 1))]
    assert server.node.leader == "n9"


def test_with_the_option_apply_the_first_entry_is_not_taken_for_applied() -> None:
    server = Server(term=1)
    server.node.from_apply = True
    server.hear("n2", append(1, 0, 0, Entry(1, FOUR)))
    assert server.node.configuration == THREE
    assert server.node.configured_at == 0


def test_a_snapshot_brings_the_configuration_at_its_end() -> None:
    server = Server(1, term=1)
    server.hear("n2", InstallSnapshot(1, 5, 1, FOUR, 0, (), True, 5))
    assert server.node.configuration == FOUR
    assert notes(server, c.ConfigurationAdopted) == [c.ConfigurationAdopted(5, THREE, FOUR)]


def test_a_snapshot_with_the_same_configuration_changes_nothing() -> None:
    server = Server(1, term=1)
    server.hear("n2", InstallSnapshot(1, 5, 1, THREE, 0, (), True))
    assert notes(server, c.ConfigurationAdopted) == []


@pytest.mark.parametrize(
    ("voters", "commit", "tail", "stands"),
    [
        (("n1", "n2"), 2, False, True), (("n2", "n3"), 2, False, False), (("n2", "n3"), 2, True, True),
        (("n2", "n3"), 1, False, True),
    ],
)  # fmt: skip
def test_with_the_option_apply_a_removed_server_stands_only_to_finish_what_it_holds(
    voters: tuple[str, ...], commit: int, tail: bool, stands: bool
) -> None:
    server = Server(1, term=1)
    server.node.from_apply = True
    more = (Entry(1, None),) if tail else ()
    server.hear("n2", append(1, 1, 1, Entry(1, Configuration(voters)), *more, commit=commit))
    assert server.node.may_stand() is stands


def test_with_the_option_apply_a_server_that_never_counted_never_stands() -> None:
    server = Server(1, term=1)
    server.node.log.configurations = [(0, Configuration(("n2", "n3")))]
    server.node.from_apply = True
    server.node.configure()
    server.hear("n2", append(1, 1, 1, Entry(1, None)))
    assert not server.node.may_stand()


# -- one change at a time ----------------------------------------------------------------------------------------


def test_the_next_change_waits_until_the_former_has_committed() -> None:
    server = leader()
    ask(server, remove("n3"))
    assert refused(ask(server, learn("n4"))) is Refusal.PENDING
    server.accept("n2", 2)
    ask(server, learn("n4"))
    assert server.node.configuration.learners == ("n4",)


def test_a_change_waits_for_an_entry_of_the_leaders_own_term() -> None:
    server = Server(1, term=1)
    server.lead()
    assert refused(ask(server, remove("n3"))) is Refusal.EARLY
    server.hear("c1", ClientRequest(command()))
    server.accept("n2", 2)
    ask(server, remove("n3"))
    assert server.node.configuration == Configuration(("n1", "n2"))


def test_with_the_mend_of_2015_off_it_does_not_wait() -> None:
    server = Server(1, term=1, rules=RaftRules(check_quorum=False, pre_vote=False, own_commit_first=False))
    server.lead()
    ask(server, remove("n3"))
    assert server.node.configuration == Configuration(("n1", "n2"))


@pytest.mark.parametrize(
    ("change", "joint"), [(add("n2"), False), (remove("n9"), False), (learn("n3"), True), (add("n1"), True)]
)
def test_what_the_configuration_does_not_allow_is_refused_and_nothing_is_appended(change: Change, joint: bool) -> None:
    server = leader()
    if change == learn("n3"):
        ask(server, learn("n3"))
        server.accept("n2", 2)
    last = server.node.log.last_index
    assert refused(ask(server, change, joint=joint)) is Refusal.IMPOSSIBLE
    assert server.node.log.last_index == last


def test_the_last_voter_is_never_removed() -> None:
    server = leader(size=1)
    assert refused(ask(server, remove("n1"))) is Refusal.IMPOSSIBLE
    assert refused(ask(server, learn("n1"), joint=True)) is Refusal.IMPOSSIBLE


def test_who_does_not_lead_says_who_does() -> None:
    server = Server(1, term=1)
    server.hear("n2", append(1, 1, 1))
    assert ask(server, add("n4")) == [Sent("you", ChangeReply(False, Refusal.NOT_LEADER, "n2"))]


# -- adding ------------------------------------------------------------------------------------------------------


def test_a_new_server_joins_as_a_non_voting_member_until_it_has_caught_up() -> None:
    server = leader()
    assert appended(ask(server, add("n4"))) == {"n4"}
    assert server.node.configuration == THREE
    server.wait(1_000)
    server.accept("n4", 1)
    assert server.node.configuration == FOUR
    assert server.disk.log[-1] == Entry(1, FOUR)


def test_a_round_that_takes_an_election_timeout_is_followed_by_another() -> None:
    server = leader()
    ask(server, add("n4"))
    server.hear("c1", ClientRequest(command()))
    server.wait(TIMING.election_min_us)
    server.accept("n4", 1)
    assert server.node.configuration == THREE
    assert server.node.catching is not None
    assert server.node.catching.rounds.goal == 2
    server.accept("n4", 2)
    assert server.node.configuration == FOUR


def test_after_ten_rounds_it_is_turned_away_with_timeout() -> None:
    server = leader()
    ask(server, add("n4"))
    sent: list[Sent] = []
    for _ in range(10):
        server.wait(TIMING.election_min_us)
        sent = server.accept("n4", server.node.log.last_index)
    assert refused(sent) is Refusal.TIMEOUT
    assert server.node.configuration == THREE
    assert "n4" not in server.node.peers
    assert "n4" not in appended(server.timer("heartbeat")), "it gets nothing more"


def test_a_new_server_that_does_not_answer_is_given_up() -> None:
    server = leader()
    ask(server, add("n4"))
    server.wait(10 * TIMING.election_max_us + 1)
    assert refused(server.timer("heartbeat")) is Refusal.TIMEOUT
    assert server.node.catching is None


def test_a_server_that_catches_up_gets_heartbeats_like_the_others() -> None:
    server = leader()
    ask(server, add("n4"))
    assert appended(server.timer("heartbeat")) == {"n2", "n3", "n4"}


def test_one_server_catches_up_at_a_time() -> None:
    server = leader()
    ask(server, add("n4"))
    assert refused(ask(server, add("n5"))) is Refusal.PENDING


def test_whoever_asked_is_told_when_the_change_has_committed() -> None:
    server = leader()
    ask(server, add("n4"))
    server.accept("n4", 1)
    assert not [each for each in server.accept("n2", 2) if each.dst == "you"], "2 of 4: three are needed"
    assert Sent("you", ChangeReply(True, None, "n1")) in server.accept("n3", 2)


def test_that_is_said_once() -> None:
    server = leader()
    ask(server, remove("n3"))
    assert Sent("you", ChangeReply(True, None, "n1")) in server.accept("n2", 2)
    server.hear("c1", ClientRequest(command()))
    assert not [each for each in server.accept("n2", 3) if each.dst == "you"]
    assert len(notes(server, c.ConfigurationCommitted)) == 1


def test_the_next_server_may_come_when_the_last_one_counts() -> None:
    server = leader()
    ask(server, add("n4"))
    server.accept("n4", 1)
    server.accept("n2", 2)
    server.accept("n3", 2)
    ask(server, add("n5"))
    server.accept("n5", 2)
    assert server.node.configuration.voters == ("n1", "n2", "n3", "n4", "n5")


def test_a_new_server_that_answers_is_not_given_up_and_others_do_not_answer_for_it() -> None:
    for src, stays in (("n4", True), ("n2", False)):
        server = leader()
        server.hear("c1", ClientRequest(command()))
        ask(server, add("n4"))
        server.wait(10 * TIMING.election_max_us)
        server.accept(src, 0)
        server.wait(1)
        server.timer("heartbeat")
        assert (server.node.catching is not None) is stays, src


def test_with_the_option_apply_a_change_is_pending_until_it_has_committed() -> None:
    server = leader()
    server.node.from_apply = True
    ask(server, remove("n3"))
    assert refused(ask(server, learn("n4"))) is Refusal.PENDING
    server.accept("n2", 2)
    server.hear("c1", ClientRequest(command()))
    ask(server, learn("n4"))
    assert len([entry for entry in server.disk.log if isinstance(entry.command, Configuration)]) == 2


def test_whoever_asked_is_told_that_the_leader_was_deposed() -> None:
    server = leader()
    ask(server, remove("n3"))
    assert refused(server.hear("n2", append(2, 1, 1))) is Refusal.DEPOSED


# -- removing ----------------------------------------------------------------------------------------------------


def test_the_leader_stops_sending_to_a_server_that_its_newest_configuration_does_not_name() -> None:
    server = leader()
    assert appended(ask(server, remove("n3"))) == {"n2"}
    assert appended(server.timer("heartbeat")) == {"n2"}


def test_a_leader_that_removes_itself_does_not_count_itself_and_steps_down_at_the_commit() -> None:
    server = leader()
    ask(server, remove("n1"))
    server.accept("n2", 2)
    assert (server.role.name, server.node.commit_index) == ("LEADER", 1), "n2 alone is not a majority of n2 and n3"
    server.accept("n3", 2)
    assert (server.role.name, server.node.commit_index) == ("FOLLOWER", 2)
    assert notes(server, SteppedDown)[-1].why is StepDownReason.REMOVED


def test_a_removed_server_stands_for_election_until_it_knows_that_its_removal_is_committed() -> None:
    server = Server(1, term=1, size=2)
    server.hear("n2", append(1, 1, 1, Entry(1, Configuration(("n2",)))))
    assert [each.dst for each in server.timer("election")] == ["n2"]
    assert not server.node.won(), "its own vote does not count"
    server.hear("n2", VoteReply(2, True))
    assert server.role.name == "LEADER"
    server.accept("n2", 2)
    assert server.role.name == "LEADER", "an entry of an old term"
    server.hear("c1", ClientRequest(command()))
    server.accept("n2", 3)
    assert server.role.name == "FOLLOWER"
    assert server.timer("election") == [], "it knows now"


def test_a_server_without_a_configuration_never_stands() -> None:
    server = Server()
    server.node.log.configurations = [(0, Configuration())]
    server.node.configure()
    assert server.timer("election") == []
    assert server.role.name == "FOLLOWER"
    assert "election" in server.ctx.timers


# -- learners ----------------------------------------------------------------------------------------------------


def learning() -> Server:
    """n1 is a learner of n2 and n3."""
    server = Server(1, term=1)
    server.hear("n2", append(1, 1, 1, Entry(1, Configuration(("n2", "n3"), learners=("n1",))), commit=2))
    return server


def test_a_learner_gets_entries_and_does_not_count() -> None:
    server = leader()
    assert "n4" in appended(ask(server, learn("n4")))
    server.accept("n4", 2)
    assert server.node.commit_index == 1
    server.accept("n2", 2)
    assert server.node.commit_index == 2


def test_a_learner_does_not_stand() -> None:
    assert learning().timer("election") == []


def test_a_learner_votes_when_asked_for_its_promotion_may_be_committed_elsewhere() -> None:
    server = learning()
    assert server.hear("n3", RequestVote(2, 3, 1)) == [Sent("n3", VoteReply(2, True))]
    server = learning()
    server.wait(TIMING.election_min_us)
    assert server.hear("n3", PreVote(2, 3, 1)) == [Sent("n3", PreVoteReply(2, True))]


def test_with_the_rule_off_it_refuses() -> None:
    server = learning()
    server.node.rules = RaftRules(check_quorum=False, pre_vote=False, learners_vote=False)
    assert server.hear("n3", RequestVote(2, 3, 1)) == [Sent("n3", VoteReply(2, False))]
    assert notes(server, VoteRefused)[-1].why is VoteReason.LEARNER


# -- joint consensus ---------------------------------------------------------------------------------------------

JOINT = enter_joint(THREE, add("n4"), add("n5"), remove("n1"), auto_leave=True)


def joint(**rules: bool) -> Server:
    """A leader that has just appended the joint configuration as entry 2."""
    server = leader(**rules)
    sent = ask(server, add("n4"), add("n5"), remove("n1"), joint=True)
    if server.node.configuration.joint:
        assert appended(sent) == {"n2", "n3", "n4", "n5"}
    return server


def test_log_entries_are_replicated_to_all_servers_in_both_configurations() -> None:
    server = joint()
    assert server.node.configuration == JOINT
    assert appended(server.timer("heartbeat")) == {"n2", "n3", "n4", "n5"}


def test_agreement_requires_separate_majorities_from_both_the_old_and_new_configurations() -> None:
    server = joint()
    server.accept("n2", 2)
    assert server.node.commit_index == 1, "2 of n1 n2 n3, 1 of n2 n3 n4 n5"
    server.accept("n4", 2)
    assert server.node.commit_index == 1, "2 of 4 are no majority"
    server.accept("n5", 2)
    assert server.node.commit_index == 2


def test_once_it_has_committed_the_leader_appends_the_new_configuration_alone() -> None:
    server = joint()
    sent = [each for peer in ("n2", "n4", "n5") for each in server.accept(peer, 2)]
    assert not [each for each in sent if each.dst == "you"], "only half of the change has committed"
    assert server.disk.log[-1] == Entry(1, leave_joint(JOINT))
    assert server.node.configuration == leave_joint(JOINT)
    assert server.role.name == "LEADER", "it manages a cluster of which it is no part"
    for peer in ("n2", "n4", "n5"):
        server.accept(peer, 3)
    assert server.role.name == "FOLLOWER"


def test_a_leader_does_not_announce_what_had_committed_before_it_led() -> None:
    server = Server(1, term=1, noop=True)
    server.hear("n2", append(1, 1, 1, Entry(1, Configuration(("n1", "n2"))), commit=2))
    server.lead()
    server.accept("n2", 3)
    assert notes(server, c.ConfigurationCommitted) == []


def test_without_auto_leave_it_waits_to_be_told() -> None:
    server = leader()
    ask(server, add("n4"), joint=True, auto=False)
    server.accept("n2", 2)
    server.accept("n4", 2)
    assert server.node.configuration.joint
    ask(server)
    assert server.node.configuration == FOUR


def test_an_election_in_a_joint_configuration_needs_both_majorities() -> None:
    server = Server(1, term=1)
    server.hear("n2", append(1, 1, 1, Entry(1, JOINT)))
    assert {each.dst for each in server.timer("election")} == {"n2", "n3", "n4", "n5"}
    server.hear("n2", VoteReply(2, True))
    assert server.role.name == "CANDIDATE"
    server.hear("n4", VoteReply(2, True))
    assert server.role.name == "CANDIDATE", "2 of the 4 new ones"
    server.hear("n5", VoteReply(2, True))
    assert server.role.name == "LEADER"


def test_a_new_leader_leaves_the_joint_configuration_that_it_inherits() -> None:
    server = Server(1, term=1, noop=True)
    server.hear("n2", append(1, 1, 1, Entry(1, JOINT)))
    server.timer("election")
    for peer in ("n2", "n4", "n5"):
        server.hear(peer, VoteReply(2, True))
    for peer in ("n2", "n4", "n5"):
        server.accept(peer, 3)
    assert server.disk.log[-1] == Entry(2, leave_joint(JOINT))


def test_with_the_rule_off_it_goes_straight_to_the_new_configuration() -> None:
    assert joint(joint_consensus=False).node.configuration == leave_joint(JOINT)


def test_check_quorum_counts_by_configuration() -> None:
    server = leader(size=3, check_quorum=True)
    ask(server, add("n4"), add("n5"), remove("n1"), joint=True)
    server.wait(TIMING.election_max_us + 1)
    for peer in ("n2", "n3"):
        server.accept(peer, 1)
    server.timer("quorum")
    assert server.role.name == "FOLLOWER", "all of the old, 2 of the 4 new"


# -- transfer ----------------------------------------------------------------------------------------------------


def test_the_prior_leader_stops_accepting_new_client_requests() -> None:
    server = leader()
    server.hear("you", TransferRequest("n3"))
    last = server.node.log.last_index
    assert server.hear("c1", ClientRequest(command())) == [Sent("c1", ClientReply(1, False, None, ""))]
    assert refused(ask(server, learn("n4"))) is Refusal.TRANSFERRING
    assert server.node.log.last_index == last


def test_it_fully_updates_the_targets_log_and_then_sends_timeout_now() -> None:
    server = leader()
    assert Sent("n3", TimeoutNow(1)) not in server.hear("you", TransferRequest("n3"))
    assert Sent("n3", TimeoutNow(1)) in server.accept("n3", 1)


def test_a_target_that_has_everything_is_told_at_once() -> None:
    server = leader()
    assert server.hear("you", TransferRequest("n2")) == [Sent("n2", TimeoutNow(1))]


def test_timeout_now_has_the_effect_of_the_targets_election_timer_firing_without_pre_vote() -> None:
    server = Server(1, term=1, rules=RaftRules())
    server.hear("n2", append(1, 1, 1))
    asked = RequestVote(2, 1, 1, transfer=True)
    assert server.hear("n2", TimeoutNow(1)) == [Sent("n2", asked), Sent("n3", asked)]


@pytest.mark.parametrize("term", [0, 2])
def test_timeout_now_of_another_term_is_ignored(term: int) -> None:
    server = Server(1, term=1)
    assert server.hear("n2", TimeoutNow(term)) == []
    assert server.role.name == "FOLLOWER"


def test_the_flag_overrides_the_refusal_of_who_hears_a_leader() -> None:
    server = Server(1, term=1, rules=RaftRules())
    server.hear("n2", append(1, 1, 1))
    assert server.hear("n3", RequestVote(2, 1, 1)) == []
    assert server.hear("n3", RequestVote(2, 1, 1, transfer=True)) == [Sent("n3", VoteReply(2, True))]


def test_if_the_transfer_does_not_complete_within_an_election_timeout_it_resumes() -> None:
    server = leader()
    server.hear("you", TransferRequest("n3"))
    assert server.ctx.timers["transfer"] == server.ctx.now_us + TIMING.election_max_us
    assert server.timer("transfer") == [Sent("you", TransferReply("n3", Refusal.TIMEOUT, "n1"))]
    server.hear("c1", ClientRequest(command()))
    assert server.disk.log[-1].command == command()


def test_it_follows_when_the_target_stands() -> None:
    server = leader()
    server.hear("you", TransferRequest("n2"))
    sent = server.hear("n2", RequestVote(2, 1, 1, transfer=True))
    assert sent == [Sent("you", TransferReply("n2", None, "")), Sent("n2", VoteReply(2, True))]
    assert notes(server, c.HandedOver) == [c.HandedOver("n2", 2)]
    assert "transfer" not in server.ctx.timers


@pytest.mark.parametrize(("to", "why"), [("n4", Refusal.NO_VOTER), ("n9", Refusal.NO_VOTER), ("n1", Refusal.NO_VOTER)])
def test_only_another_voter_can_be_the_target(to: str, why: Refusal) -> None:
    server = leader()
    ask(server, learn("n4"))
    server.accept("n2", 2)
    assert refused(server.hear("you", TransferRequest(to))) is why


def test_one_transfer_at_a_time() -> None:
    server = leader()
    server.hear("you", TransferRequest("n3"))
    assert refused(server.hear("you", TransferRequest("n2"))) is Refusal.TRANSFERRING


def test_a_transfer_is_given_up_when_the_target_is_no_voter_any_more() -> None:
    server = leader()
    server.node.from_apply = True
    ask(server, remove("n3"))
    server.hear("you", TransferRequest("n3"))
    assert Sent("you", TransferReply("n3", Refusal.CHANGED, "n1")) in server.accept("n2", 2)


def test_a_joint_configuration_is_not_left_during_a_transfer_but_after_it() -> None:
    server = joint()
    server.hear("you", TransferRequest("n3"))
    for peer in ("n2", "n4", "n5"):
        server.accept(peer, 2)
    assert server.node.configuration.joint
    server.timer("transfer")
    server.timer("heartbeat")
    assert not server.node.configuration.joint


# -- worked examples ---------------------------------------------------------------------------------------------


def test_figure_8_a_term_2_entry_on_3_of_5_does_not_commit_before_one_of_term_4_above_it_does() -> None:
    server = Server(1, 2, term=3, size=5)
    server.lead()
    assert server.term == 4
    for peer in ("n2", "n3"):
        server.accept(peer, 2)
    assert server.node.commit_index == 0
    server.hear("c1", ClientRequest(command()))
    for peer in ("n2", "n3"):
        server.accept(peer, 3)
    assert server.node.commit_index == 3


def test_a_new_leader_takes_it_that_a_change_may_be_pending_up_to_its_last_index() -> None:
    server = Server(1, term=1, noop=True)
    server.node.from_apply = True
    server.hear("n2", append(1, 1, 1, Entry(1, Configuration(("n1", "n2")))))
    server.lead()
    server.node.rules = RaftRules(check_quorum=False, pre_vote=False, own_commit_first=False)
    assert refused(ask(server, remove("n2"))) is Refusal.PENDING


def test_without_the_guards_it_does_not_look_into_its_log() -> None:
    off = RaftRules(check_quorum=False, pre_vote=False, own_commit_first=False, config_from_append=False)
    server = Server(1, term=1, noop=True, rules=off)
    server.hear("n2", append(1, 1, 1, Entry(1, Configuration(("n1", "n2")))))
    server.lead()
    ask(server, remove("n2"))
    assert [entry.command for entry in server.disk.log[-2:]] == [None, Configuration(("n1", "n3"))]


# -- what is told, and when ----------------------------------------------------------------------------------------


def test_a_follower_adopts_a_configuration_as_it_is_appended_and_says_so() -> None:
    server = Server(1, term=1)
    server.hear("n2", append(1, 1, 1, Entry(1, FOUR)))
    assert notes(server, c.ConfigurationAdopted) == [c.ConfigurationAdopted(2, THREE, FOUR)]


def test_a_server_that_does_not_lead_knows_of_no_pending_change() -> None:
    server = Server(1, term=1)
    server.node.from_apply = True
    assert refused(ask(server, remove("n3"))) is Refusal.NOT_LEADER
    assert [note.entry for note in notes(server, c.ChangeDenied)] == [0]


def test_a_new_server_that_became_a_member_another_way_is_refused_when_it_has_caught_up() -> None:
    """With the rule ``one_change`` off two changes may want the same."""
    server = leader(one_change=False)
    ask(server, add("n4"))
    ask(server, add("n4"), joint=True, auto=False)
    assert server.node.peers == ("n2", "n3", "n4"), "it is sent everything once"
    sent = server.accept("n4", server.node.log.last_index)
    assert Sent("you", ChangeReply(False, Refusal.IMPOSSIBLE, "n1")) in sent
    assert server.node.catching is None


def test_whoever_was_told_that_a_change_has_committed_is_not_told_that_the_leader_was_deposed() -> None:
    server = leader()
    ask(server, remove("n3"))
    assert Sent("you", ChangeReply(True, None, "n1")) in server.accept("n2", 2)
    assert "you" not in {each.dst for each in server.hear("n2", append(9, 1, 1))}


def test_a_deposed_leader_says_that_the_outcome_is_unknown_and_forgets_who_was_catching_up() -> None:
    server = leader()
    ask(server, add("n4"))
    assert Sent("you", ChangeReply(False, Refusal.DEPOSED, "")) in server.hear("n2", append(9, 1, 1))
    assert server.node.peers == ("n2", "n3")


def test_a_round_ends_when_all_of_it_is_there() -> None:
    server = leader()
    ask(server, add("n4"))
    server.accept("n4", 0)
    assert notes(server, c.RoundEnded) == []


def test_a_new_server_may_be_silent_for_ten_longest_election_timeouts() -> None:
    server = leader()
    ask(server, add("n4"))
    server.wait(SILENCE * TIMING.election_max_us)
    server.timer("heartbeat")
    assert notes(server, c.CatchUpFailed) == []
    server.timer("heartbeat")
    assert [note.server for note in notes(server, c.CatchUpFailed)] == ["n4"]


# -- transfer, to the letter ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("knows", [True, False])
def test_who_does_not_lead_names_the_leader_that_could_hand_over_if_it_knows_one(knows: bool) -> None:
    server = Server(1, term=1)
    if knows:
        server.hear("n2", append(1, 1, 1))
    named = "n2" if knows else ""
    assert server.hear("you", TransferRequest("n3")) == [Sent("you", TransferReply("n3", Refusal.NOT_LEADER, named))]


def test_the_target_is_sent_what_it_lacks_at_once_and_told_when_it_holds_the_whole_log() -> None:
    server = Server(1, 1, 1, term=1, rules=RaftRules(check_quorum=False, pre_vote=False))
    server.lead()
    assert appended(server.hear("you", TransferRequest("n3"))) == {"n3"}
    assert Sent("n3", TimeoutNow(2)) not in server.accept("n3", 2)
    assert Sent("n3", TimeoutNow(2)) in server.accept("n3", 3)


def test_the_target_is_told_again_after_a_heartbeat_and_not_before() -> None:
    server = leader()
    server.hear("you", TransferRequest("n2"))
    assert Sent("n2", TimeoutNow(1)) not in server.accept("n2", 1)
    server.wait(TIMING.heartbeat_us - 1)
    assert Sent("n2", TimeoutNow(1)) not in server.accept("n2", 1)
    server.wait(1)
    assert Sent("n2", TimeoutNow(1)) in server.accept("n2", 1)
    assert Sent("n2", TimeoutNow(1)) not in server.accept("n2", 1)


def test_a_transfer_that_is_given_up_leaves_no_timer() -> None:
    server = leader()
    server.node.from_apply = True
    ask(server, remove("n3"))
    server.hear("you", TransferRequest("n3"))
    server.accept("n2", 2)
    assert "transfer" not in server.ctx.timers


@pytest.mark.parametrize("to", ["n2", ""])
def test_a_change_of_members_gives_up_no_transfer_to_somebody_who_stays(to: str) -> None:
    server = leader()
    server.node.from_apply = True
    ask(server, remove("n3"))
    if to:
        server.hear("you", TransferRequest(to))
    server.accept("n2", 2)
    assert server.node.configuration == Configuration(("n1", "n2"))
    assert server.node.hand_over_to == to
    assert notes(server, c.TransferAborted) == []


def test_who_is_told_to_stand_campaigns_from_then_on_and_for_the_next_term() -> None:
    server = Server(1, term=1)
    server.wait(70_000)
    server.hear("n2", TimeoutNow(1))
    assert (server.term, server.node.told_for, server.node.campaign_us) == (2, 2, 70_000)


def test_who_stands_already_or_does_not_count_is_not_told_to_stand() -> None:
    candidate = Server(1, term=1)
    candidate.timer("election")
    assert candidate.hear("n2", TimeoutNow(2)) == []
    outside = Server(1, term=1)
    outside.hear("n2", append(1, 1, 1, Entry(1, Configuration(("n2", "n3"), (), ("n1",))), commit=2))
    assert outside.hear("n2", TimeoutNow(1)) == []
    assert outside.role.name == "FOLLOWER"


# -- with the option apply -----------------------------------------------------------------------------------------


def retiring(size: int = 4, **rules: bool) -> Server:
    """n1 leads, and its own removal is in the log of all; n3 confirmed it last, and no majority yet."""
    server = leader(size, **rules)
    server.node.from_apply = True
    ask(server, remove("n1"))
    server.accept("n2", 1)
    return server


def test_with_the_option_apply_a_leader_that_is_no_voter_hands_over_to_the_voter_that_holds_most() -> None:
    """It must not just go: the others may not know the commit, and may need its vote."""
    server = retiring()
    for peer in ("n3", "n4"):
        sent = server.accept(peer, 2)
    assert server.role.name == "LEADER"
    assert Sent("n3", TimeoutNow(1)) in sent
    assert refused(ask(server, remove("n4"))) is Refusal.TRANSFERRING
    assert server.hear("c1", ClientRequest(command())) == [Sent("c1", ClientReply(1, False, None, ""))]
    server.timer("heartbeat")
    server.accept("n2", 2)
    assert len(notes(server, c.TransferBegan)) == 1, "it is under way"


def test_with_the_option_apply_a_leader_that_is_no_voter_takes_nothing_new_though_nobody_took_over() -> None:
    """etcd drops proposals of a leader that is out of its configuration."""
    server = retiring()
    for peer in ("n3", "n4"):
        server.accept(peer, 2)
    server.timer("transfer")
    assert server.node.hand_over_to == ""
    assert server.hear("c1", ClientRequest(command())) == [Sent("c1", ClientReply(1, False, None, ""))]
    server.timer("heartbeat")
    assert len(notes(server, c.TransferBegan)) == 2, "it tries again"


def test_without_the_guards_a_removed_server_does_not_stand_whatever_it_holds() -> None:
    server = Server(1, term=1, rules=RaftRules(check_quorum=False, pre_vote=False, config_from_append=False))
    more = (Entry(1, Configuration(("n2", "n3"))), Entry(1, None))
    server.hear("n2", append(1, 1, 1, *more, commit=2))
    assert not server.node.may_stand()


def test_who_knows_no_leader_names_none() -> None:
    assert ask(Server(1, term=1), remove("n3")) == [Sent("you", ChangeReply(False, Refusal.NOT_LEADER, ""))]


def test_with_the_rule_off_it_steps_down_at_once() -> None:
    server = retiring(config_from_append=False)
    for peer in ("n3", "n4"):
        server.accept(peer, 2)
    assert server.role.name == "FOLLOWER"


def test_with_the_option_apply_a_leader_that_counts_takes_commands() -> None:
    server = leader()
    server.node.from_apply = True
    server.hear("c1", ClientRequest(command()))
    assert server.disk.log[-1].command == command()


def test_with_the_option_apply_a_learner_that_does_not_lead_says_so() -> None:
    server = Server(1, term=1)
    server.node.from_apply = True
    server.hear("n2", append(1, 1, 1, Entry(1, Configuration(("n2", "n3"), (), ("n1",))), commit=2))
    assert refused(ask(server, remove("n3"))) is Refusal.NOT_LEADER
