"""Log replication and commitment, as the paper states them (sections 5.3, 5.4.2, 8; Figures 2 and 7)."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.consensus.raft.commands import Propose
from engines.consensus.raft.engine import RaftEngine
from engines.consensus.raft.events import Appended, Committed, CommitWithheld, Stored
from engines.consensus.raft.messages import (
    AppendEntries,
    AppendReply,
    ClientReply,
    ClientRequest,
    Entry,
)
from engines.consensus.raft.options import FIGURE_7
from engines.consensus.raft.quorum import Configuration
from engines.consensus.raft.replication import WATCHED_LONG
from engines.consensus.raft.roles import Role
from engines.consensus.raft.rules import RaftRules, Sizes
from engines.sim import faults
from engines.sim.events import Delivered
from tests.engines.consensus.raft.server import Sent, Server, append, command, entries

BATCH = Sizes().batch

# -- the follower --------------------------------------------------------------------------------------------


def test_a_follower_appends_what_it_lacks() -> None:
    """'Append any new entries not already in the log' (Figure 2)."""
    server = Server(1, term=1)
    new = entries(1, 1, first=2)
    assert server.hear("n2", append(1, 1, 1, *new)) == [Sent("n2", AppendReply(1, True, 3, 1))]
    assert tuple(server.disk.log) == entries(1, 1, 1)
    server.hear("n2", append(1, 3, 1, *entries(1, first=4)))
    told = [note for note in server.ctx.notes if isinstance(note, Stored)]
    assert told == [Stored("n2", 2, 3, 1, 1), Stored("n2", 4, 4, 3, 1)]


@pytest.mark.parametrize(
    ("mine", "prev", "prev_term", "conflict_term", "conflict_index"),
    [((1,), 3, 1, 0, 2), ((), 1, 1, 0, 1), ((1, 2, 2, 2), 3, 3, 2, 2), ((1, 1, 1), 3, 2, 1, 1), ((1, 2), 2, 9, 2, 2)],
)
def test_a_follower_refuses_what_does_not_follow_its_log(
    mine: tuple[int, ...], prev: int, prev_term: int, conflict_term: int, conflict_index: int
) -> None:
    """'Reply false if log doesn't contain an entry at prevLogIndex whose term matches prevLogTerm'; 'the follower can
    include the term of the conflicting entry and the first index it stores for that term' (5.3)."""
    server = Server(*mine, term=9)
    reply = AppendReply(9, False, 0, prev, conflict_term, conflict_index)
    assert server.hear("n2", append(9, prev, prev_term, *entries(9, first=prev + 1), commit=prev)) == [
        Sent("n2", reply)
    ]
    assert server.terms == mine
    assert server.node.commit_index == 0


def test_a_conflicting_entry_and_all_that_follow_it_are_deleted() -> None:
    """'If an existing entry conflicts with a new one (same index but different terms), delete the existing entry and
    all that follow it' (Figure 2)."""
    server = Server(1, 2, 2, 2, term=3)
    server.hear("n2", append(3, 1, 1, *entries(3, first=2)))
    assert tuple(server.disk.log) == entries(1, 3)


def test_an_old_message_deletes_nothing() -> None:
    """Only a conflict deletes: an AppendEntries that was overtaken holds a prefix of what is there."""
    server = Server(1, 1, 1, 1, term=1)
    assert server.hear("n2", append(1, 1, 1, *entries(1, first=2))) == [Sent("n2", AppendReply(1, True, 2, 1))]
    assert server.terms == (1, 1, 1, 1)


def test_a_repeated_message_changes_nothing() -> None:
    """'Raft RPCs are idempotent' (5.5)."""
    server = Server(1, term=2)
    message = append(2, 1, 1, *entries(2, 2, first=2), commit=2)
    first = server.hear("n2", message)
    before, truncations = server.state(), server.disk.truncations
    assert server.hear("n2", message) == first
    assert (server.state(), server.disk.truncations) == (before, truncations)


@pytest.mark.parametrize(("leader_commit", "expected"), [(0, 0), (1, 1), (2, 2), (9, 2)], ids="leaderCommit={}".format)
def test_the_commit_index_is_bounded_by_the_last_new_entry(leader_commit: int, expected: int) -> None:
    """'If leaderCommit > commitIndex, set commitIndex = min(leaderCommit, index of last new entry)' (Figure 2). The
    entries behind it, of an older leader, are not meant."""
    server = Server(1, 1, 1, 1, term=2)
    server.hear("n2", append(2, 1, 1, *entries(1, first=2), commit=leader_commit))
    assert (server.node.commit_index, server.node.last_applied) == (expected, expected)


def test_the_commit_index_never_goes_back() -> None:
    """'initialized to 0, increases monotonically' (Figure 2)."""
    server = Server(1, 1, 1, term=1)
    server.hear("n2", append(1, 3, 1, commit=3))
    server.hear("n2", append(1, 3, 1, commit=1))
    assert server.node.commit_index == 3


def test_what_is_committed_is_applied_in_order() -> None:
    """'If commitIndex > lastApplied: increment lastApplied, apply log[lastApplied] to state machine' (Figure 2)."""
    server = Server(1, 2, 3, term=3)
    server.hear("n2", append(3, 3, 3, commit=2))
    assert server.node.kv.values == {"x": 2}
    server.hear("n2", append(3, 3, 3, commit=3))
    assert server.node.kv.values == {"x": 3}


def test_every_message_of_the_leader_resets_the_election_timer() -> None:
    server = Server(term=1)
    for message in (append(1, 0, 0), append(1, 5, 1)):
        server.wait(100_000)
        server.hear("n2", message)
        assert server.ctx.timers["election"] == server.ctx.now_us + server.node.election_timeout_us


def test_an_empty_message_is_no_write_that_an_answer_waits_for() -> None:
    """With the rule ``ack_after_sync`` off it is answered past the disk."""
    server = Server(1, rules=RaftRules(check_quorum=False, pre_vote=False, ack_after_sync=False))
    server.hear("n2", append(1, 1, 1))
    server.disk.write("something", 1)
    assert server.hear("n2", append(1, 1, 1)) == [Sent("n2", AppendReply(1, True, 1, 1))]


def test_with_that_rule_off_only_an_answer_to_what_was_stored_waits_for_the_disk() -> None:
    """YugabyteDB #32875: a repeated message is answered before the disk has its entries."""
    server = Server(1, rules=RaftRules(check_quorum=False, pre_vote=False, ack_after_sync=False))
    message = append(1, 1, 1, *entries(1, first=2))
    past: list[str] = []
    server.ctx.send_at_once = lambda dst, message: past.append(dst)  # type: ignore[method-assign]
    assert server.hear("n2", message) == [Sent("n2", AppendReply(1, True, 2, 1))]
    assert past == []
    assert server.hear("n2", message) == []
    assert past == ["n2"]


LOGS = st.lists(st.integers(1, 3), max_size=6).map(lambda terms: sorted(terms))


@given(LOGS, LOGS, st.data())
def test_appending_is_what_the_five_steps_of_figure_2_say(
    mine: list[int], theirs: list[int], data: st.DataObject
) -> None:
    server = Server(*mine, term=3)
    leader = entries(*theirs)
    prev = data.draw(st.integers(0, len(leader)))
    count = data.draw(st.integers(0, len(leader) - prev))
    commit = data.draw(st.integers(0, len(leader)))
    prev_term = leader[prev - 1].term if prev else 0
    (reply,) = server.hear("n2", append(3, prev, prev_term, *leader[prev : prev + count], commit=commit))

    expected = list(entries(*mine))
    if prev and (prev > len(expected) or expected[prev - 1].term != prev_term):
        assert (reply.message.success, list(server.disk.log)) == (False, expected)
        return
    for index, entry in enumerate(leader[prev : prev + count], prev):
        if index < len(expected) and expected[index].term != entry.term:
            del expected[index:]
        if index == len(expected):
            expected.append(entry)
    assert (reply.message.success, reply.message.match_index) == (True, prev + count)
    assert list(server.disk.log) == expected
    assert server.node.commit_index == min(commit, prev + count)


# -- the leader ----------------------------------------------------------------------------------------------


def test_a_command_is_appended_and_sent_to_all() -> None:
    """'If command received from client: append entry to local log, respond after entry applied' (Figure 2)."""
    server = Server()
    server.lead()
    entry = Entry(1, command())
    assert server.hear("c1", ClientRequest(command())) == [Sent(peer, append(1, 0, 0, entry)) for peer in server.peers]
    assert server.disk.log == [entry]


def test_a_follower_sends_the_client_on_to_the_leader_it_knows() -> None:
    """'If a client first contacts a follower, the follower redirects it to the leader' (5.1)."""
    server = Server(term=1)
    assert server.hear("c1", ClientRequest(command(4))) == [Sent("c1", ClientReply(4, False, None, ""))]
    server.hear("n2", append(1, 0, 0))
    assert server.hear("c1", ClientRequest(command(4))) == [Sent("c1", ClientReply(4, False, None, "n2"))]
    assert server.disk.log == []


@pytest.mark.parametrize("size", range(3, 10))
def test_an_entry_is_committed_once_a_majority_holds_it(size: int) -> None:
    """'A log entry is committed once the leader that created the entry has replicated it on a majority' (5.3)."""
    server = Server(size=size)
    server.lead()
    server.hear("c1", ClientRequest(command()))
    for number, peer in enumerate(server.peers, 1):
        sent = server.accept(peer, 1)
        if number < size // 2:
            assert (sent, server.node.commit_index, server.node.kv.values) == ([], 0, {})
        elif number == size // 2:
            assert sent == [Sent("c1", ClientReply(1, True, 7, "n1"))]
            assert (server.node.commit_index, server.node.kv.values) == (1, {"y": 7})
        else:
            assert sent == []


def test_the_same_follower_twice_is_no_majority() -> None:
    server = Server(size=5)
    server.lead()
    server.hear("c1", ClientRequest(command()))
    server.accept("n2", 1)
    server.accept("n2", 1)
    assert server.node.commit_index == 0


def test_entries_of_old_terms_are_not_committed_by_counting_replicas() -> None:
    """'Raft never commits log entries from previous terms by counting replicas. Only log entries from the leader's
    current term are committed by counting replicas' (5.4.2)."""
    server = Server(1, 2, term=2)
    server.lead()
    server.accept("n2", 2)
    server.accept("n3", 2)
    assert server.node.commit_index == 0


def test_an_entry_of_the_current_term_commits_all_before_it() -> None:
    """'Once an entry from the current term has been committed in this way, then all prior entries are committed
    indirectly because of the Log Matching Property' (5.4.2)."""
    server = Server(1, 2, term=2)
    server.lead()
    server.hear("c1", ClientRequest(command()))
    server.accept("n2", 3)
    assert (server.node.commit_index, server.node.last_applied) == (3, 3)


def test_with_the_rule_off_replicas_of_old_entries_count() -> None:
    server = Server(1, 2, term=2, rules=RaftRules(current_term_commit=False, check_quorum=False, pre_vote=False))
    server.lead()
    server.accept("n2", 2)
    assert server.node.commit_index == 2


def test_an_answer_that_was_overtaken_takes_nothing_back() -> None:
    """matchIndex 'increases monotonically' (Figure 2)."""
    server = Server()
    server.lead()
    for serial in (1, 2):
        server.hear("c1", ClientRequest(command(serial)))
    server.accept("n2", 2)
    server.hear("n2", AppendReply(1, True, 1, 0))
    assert server.hear("n2", AppendReply(1, False, 0, 1, 0, 1)) == []
    assert not server.node.progress["n2"].probing
    assert server.node.progress["n2"].match_index == 2
    assert server.node.progress["n2"].next_index == 3
    assert server.node.commit_index == 2


def test_the_followers_learn_of_the_commitment_with_the_next_message() -> None:
    """'The leader keeps track of the highest index it knows to be committed, and it includes that index in future
    AppendEntries RPCs (including heartbeats)' (5.3)."""
    server = Server()
    server.lead()
    server.hear("c1", ClientRequest(command()))
    server.accept("n2", 1)
    assert {each.message.leader_commit for each in server.timer("heartbeat")} == {1}


def test_a_long_log_goes_in_batches() -> None:
    server = Server(*[1] * (3 * BATCH))
    server.lead()
    server.hear("n2", AppendReply(2, False, 0, 3 * BATCH, 0, 1))
    (sent,) = server.accept("n2", 1)
    assert len(sent.message.entries) == BATCH
    assert sent.message.prev_log_index == 1


def test_a_server_that_lost_its_office_answers_nobody() -> None:
    server = Server()
    server.lead()
    server.hear("c1", ClientRequest(command()))
    server.hear("n2", append(5, 0, 0))
    assert server.hear("n3", AppendReply(1, True, 1, 0)) == []
    assert server.node.commit_index == 0


# -- finding the place where logs agree (end of 5.3, Figure 7) -----------------------------------------------


def repair(leader: Server, peer: str, follower: Server, message: AppendEntries) -> int:
    """Carry messages between a leader and one follower until both are quiet; return the number of refusals."""
    refusals = 0
    messages: list[Any] = [message]
    while messages:
        for answer in follower.hear("n1", messages.pop(0)):
            refusals += not answer.message.success
            messages += [each.message for each in leader.hear(peer, answer.message) if each.dst == peer]
        assert refusals < 50
    return refusals


@pytest.mark.parametrize(
    ("letter", "terms", "refusals"),
    [("a", 1, 1), ("b", 2, 1), ("c", 3, 0), ("d", 4, 0), ("e", 5, 2), ("f", 6, 2)],
)
def test_the_followers_of_figure_7_become_equal_to_the_leader(letter: str, terms: int, refusals: int) -> None:
    """'With this optimization, one AppendEntries RPC will be required for each term with conflicting entries' (5.3)."""
    leader, follower = Server(*FIGURE_7[0], term=7), Server(*FIGURE_7[terms], term=7)
    assert leader.lead() == [Sent(peer, append(8, 10, 6)) for peer in leader.peers]
    assert repair(leader, "n2", follower, append(8, 10, 6)) == refusals, letter
    sent = leader.hear("c1", ClientRequest(command()))
    repair(leader, "n2", follower, sent[0].message)
    assert follower.terms == leader.terms == (*FIGURE_7[0], 8)
    assert leader.node.progress["n2"].match_index == 11


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Two logs that one cluster may hold: the leader of each term goes on from a log of an earlier one."""
    logs: list[list[int]] = [[]]
    for term in range(1, 6):
        log = draw(st.sampled_from(logs))
        logs.append(log[: draw(st.integers(0, len(log)))] + [term] * draw(st.integers(0, 4)))
    mine, theirs = draw(st.sampled_from(logs)), draw(st.sampled_from(logs))
    return mine, theirs[: draw(st.integers(0, len(theirs)))]


@given(histories())
def test_any_two_logs_become_equal_within_one_refusal_per_term(logs: tuple[list[int], list[int]]) -> None:
    mine, theirs = logs
    leader, follower = Server(*mine, term=5), Server(*theirs, term=5)
    start = next(each.message for each in leader.lead() if each.dst == "n2")
    refusals = repair(leader, "n2", follower, start)
    assert refusals <= 1 + len(set(mine) | set(theirs))
    sent = leader.hear("c1", ClientRequest(command()))
    repair(leader, "n2", follower, next(each.message for each in sent if each.dst == "n2"))
    assert follower.disk.log == leader.disk.log


def test_a_leader_that_is_refused_probes_with_one_message_at_a_time() -> None:
    """Until the logs are known to agree, nothing is pipelined."""
    server = Server(1, 1, 1, 1)
    server.lead()
    (probe,) = server.hear("n2", AppendReply(2, False, 0, 4, 0, 3))
    assert (probe.message.prev_log_index, len(probe.message.entries)) == (2, 1)
    assert [each.dst for each in server.hear("c1", ClientRequest(command()))] == ["n3"]
    assert server.hear("n2", AppendReply(2, False, 0, 4, 0, 3)) == []
    (rest,) = server.accept("n2", 3)
    assert (rest.message.prev_log_index, len(rest.message.entries)) == (3, 2)


# -- clients (section 8, dissertation 6.3) -------------------------------------------------------------------


def test_a_command_that_is_in_the_log_twice_takes_effect_once() -> None:
    """'If it receives a command whose serial number has already been executed, it responds immediately without
    re-executing the request' (section 8)."""
    server = Server()
    server.lead()
    add = command()._replace(op="add", value=5)
    server.hear("c1", ClientRequest(add))
    server.hear("c1", ClientRequest(add))
    assert len(server.disk.log) == 2
    assert server.accept("n2", 2) == [Sent("c1", ClientReply(1, True, 5, "n1"))] * 2
    assert (server.node.kv.values, server.node.kv.deduplicated) == ({"y": 5}, 1)
    assert server.hear("c1", ClientRequest(add)) == [Sent("c1", ClientReply(1, True, 5, "n1"))]
    assert len(server.disk.log) == 2


def test_sessions_are_part_of_the_replicated_state() -> None:
    """A follower that becomes leader knows which commands were executed."""
    server = Server(term=1)
    server.hear("n2", append(1, 0, 0, Entry(1, command()), commit=1))
    server.lead()
    assert server.hear("c1", ClientRequest(command())) == [Sent("c1", ClientReply(1, True, 7, "n1"))]
    assert len(server.disk.log) == 1


# -- whole clusters ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", range(3, 10))
def test_clusters_of_every_size_elect_and_commit(size: int) -> None:
    for seed in range(5):
        engine = RaftEngine(seed, (("nodes", size), ("clients", 0)))
        engine.run(1_500_000, 1 << 60)
        assert engine.leader()
        engine.apply(Propose("set", "q", 9))
        engine.run(2_500_000, 1 << 60)
        assert all(engine.raft(server).kv.values == {"q": 9} for server in engine.servers)
        assert all(check.ok for check in engine.check())


@pytest.mark.parametrize("size", range(3, 10))
def test_a_cluster_survives_the_failure_of_a_minority_and_not_of_a_majority(size: int) -> None:
    """'They are fully functional as long as any majority of the servers are operational' (section 2)."""
    engine = RaftEngine(2, (("nodes", size), ("clients", 0)))
    engine.run(1_500_000, 1 << 60)
    for server in engine.servers[: (size - 1) // 2]:
        engine.apply(faults.Crash(server))
    engine.apply(Propose("set", "q", 1))
    engine.run(6_000_000, 1 << 60)
    assert engine.raft(engine.servers[-1]).kv.values == {"q": 1}
    engine.apply(faults.Crash(engine.servers[-1]))
    if size % 2 == 0:
        engine.apply(faults.Crash(engine.servers[-2]))
    engine.apply(Propose("set", "q", 2))
    engine.run(12_000_000, 1 << 60)
    assert all(engine.raft(server).kv.values.get("q") != 2 for server in engine.servers)


@pytest.mark.parametrize("size", range(3, 10))
def test_an_entry_costs_two_messages_per_follower(size: int) -> None:
    """Fault-free, an entry is one AppendEntries and one answer for each of the n-1 followers: 2(n-1) messages."""
    engine = RaftEngine(3, (("nodes", size), ("clients", 0)))
    engine.run(1_500_000, 1 << 60)
    counts: Counter[str] = Counter()
    for number in range(10):
        engine.apply(Propose("set", "q", number))
        until = engine.now_us + 220_000
        while (due := engine.next_us()) is not None and due <= until:
            for event in engine.step():
                if isinstance(event.what, Delivered):
                    message = event.what.message
                    if isinstance(message, AppendEntries) and message.entries:
                        counts["entries"] += len(message.entries)
                        counts["messages"] += 1
                    elif isinstance(message, AppendReply) and message.match_index > message.prev_log_index:
                        counts["messages"] += 1
    assert engine.snapshot().commit == 11
    assert counts == {"entries": 10 * (size - 1), "messages": 10 * 2 * (size - 1)}


def test_a_leader_stays_leader_in_a_quiet_cluster() -> None:
    engine = RaftEngine(4, ())
    engine.run(1_500_000, 1 << 60)
    leader, term = engine.leader(), engine.snapshot().term
    engine.run(30_000_000, 1 << 60)
    assert (engine.leader(), engine.snapshot().term) == (leader, term)
    assert engine.raft(leader).role is Role.LEADER


def test_a_leader_that_its_own_commit_took_out_of_office_sends_nothing_more() -> None:
    """'It steps down once it has committed the C_new log entry' (dissertation 4.2.2), in the middle of an answer."""
    server = Server(sizes=Sizes(window=1))
    server.lead()
    server.node.propose(server.ctx, Entry(1, Configuration(("n2", "n3"))), "")
    assert [each.dst for each in server.hear("c1", ClientRequest(command()))] == []
    server.accept("n2", 1)
    sent = server.accept("n3", 1)
    assert [each for each in sent if isinstance(each.message, AppendEntries)] == []
    assert (server.role, server.node.commit_index, server.node.progress) == (Role.FOLLOWER, 1, {})


@pytest.mark.parametrize("at_once", [True, False])
def test_a_configuration_rules_a_follower_from_append_on_or_without_that_rule_once_applied(at_once: bool) -> None:
    four = Configuration(("n1", "n2", "n3", "n4"))
    server = Server(term=1, rules=RaftRules(config_from_append=at_once, check_quorum=False, pre_vote=False))
    server.hear("n2", append(1, 0, 0, Entry(1, four)))
    assert (server.node.configuration == four) == at_once
    assert [note for note in server.ctx.notes if isinstance(note, Stored)] == [], "it is told as what it is"
    server.hear("n2", append(1, 1, 1, commit=1))
    assert server.node.configuration == four
    server.hear("n2", append(1, 1, 1, *entries(1, first=2), Entry(1, four)))
    assert Stored("n2", 2, 3, 1, 1) in server.ctx.notes


def test_a_commitment_says_who_holds_the_entry() -> None:
    server = Server(size=5)
    server.lead()
    for serial in (1, 2):
        server.hear("c1", ClientRequest(command(serial)))
    server.accept("n2", 1)
    server.accept("n4", 2)
    server.accept("n5", 2)
    said = [note for note in server.ctx.notes if isinstance(note, Committed)]
    assert [(each.first, each.last, each.holders, each.quorum) for each in said] == [
        (1, 1, ("n2", "n4"), 3), (2, 2, ("n4", "n5"), 3),
    ]  # fmt: skip


def test_a_configuration_that_is_truncated_rules_no_more() -> None:
    """'It always uses the latest configuration in its log' (dissertation 4.1): the one before, if that entry goes."""
    four = Configuration(("n1", "n2", "n3", "n4"))
    server = Server(term=2)
    server.hear("n2", append(2, 0, 0, Entry(1, four)))
    server.hear("n3", append(3, 0, 0, *entries(3)))
    assert (server.terms, server.node.configuration.voters) == ((3,), ("n1", "n2", "n3"))


def test_what_is_known_of_a_follower_outlives_a_change_of_members() -> None:
    server = Server()
    server.lead()
    server.hear("c1", ClientRequest(command()))
    server.accept("n2", 1)
    server.node.propose(server.ctx, Entry(1, Configuration(("n1", "n2", "n4"))), "")
    progress = server.node.progress
    assert sorted(progress) == ["n2", "n4"]
    assert (progress["n2"].match_index, progress["n4"].match_index) == (1, 0)


@pytest.mark.parametrize("size", [3, 5, 9])
def test_a_leader_counts_the_messages_of_one_entry(size: int) -> None:
    """2(n-1): one AppendEntries and one answer for each follower. An entry that nobody answers is watched no longer."""
    server = Server(size=size, sizes=Sizes(window=2 * WATCHED_LONG))
    server.lead()
    server.hear("c1", ClientRequest(command()))
    for peer in server.peers:
        server.hear(peer, AppendReply(1, True, 1, 0))
    assert server.node.cost == (1, 2 * (size - 1))
    for serial in range(2, 2 + WATCHED_LONG):
        server.hear("c1", ClientRequest(command(serial)))
    assert server.node.watched == 2
    server.hear("c1", ClientRequest(command(99)))
    assert server.node.watched == 2
    server.hear("c1", ClientRequest(command(100)))
    assert (server.node.watched, server.node.exchanged) == (3 + WATCHED_LONG, size - 1)


# -- what a leader tells and counts --------------------------------------------------------------------------


def test_a_command_that_is_appended_is_told_and_a_configuration_tells_itself() -> None:
    server = Server(noop=False)
    server.lead()
    server.hear("c1", ClientRequest(command()))
    server.node.propose(server.ctx, Entry(1, Configuration(("n1", "n2", "n3"))), "you")
    assert [note for note in server.ctx.notes if isinstance(note, Appended)] == [Appended(1, 1, command(), "c1")]


def test_a_new_entry_is_sent_at_once_only_to_who_was_sent_all_before_it() -> None:
    server = Server(*[1] * (2 * BATCH))
    server.lead()
    server.hear("n2", AppendReply(2, False, 0, 2 * BATCH, 0, 1))
    server.accept("n2", 1)
    assert server.node.progress["n2"].next_index == BATCH + 2
    assert [each.dst for each in server.hear("c1", ClientRequest(command()))] == ["n3"]


def test_only_messages_with_the_watched_entry_are_counted() -> None:
    server = Server(1, 1)
    server.lead()
    server.hear("c1", ClientRequest(command()))
    assert (server.node.watched, server.node.exchanged) == (3, 2)
    server.hear("n2", AppendReply(2, False, 0, 2, 0, 2))
    assert server.ctx.sent[-1].message.prev_log_index == 1
    assert server.node.exchanged == 2, "a probe with the entry before it"
    server.accept("n2", 2)
    assert server.ctx.sent[-1].message.entries == (Entry(2, command()),)
    assert server.node.exchanged == 3, "the watched entry, sent when the logs were found to agree"


def test_what_was_confirmed_already_is_no_news() -> None:
    """An entry of an older term on a majority: the leader says once that it does not commit (5.4.2)."""
    server = Server(1, 1)
    server.lead()
    server.accept("n2", 2)
    server.accept("n2", 2)
    assert [note for note in server.ctx.notes if isinstance(note, CommitWithheld)] == [CommitWithheld(2, 1, 2)]


def test_what_one_follower_confirms_commits_nothing_that_a_majority_lacks_and_nothing_twice() -> None:
    server = Server(size=5)
    server.lead()
    for serial in (1, 2):
        server.hear("c1", ClientRequest(command(serial)))
    server.accept("n2", 1)
    server.accept("n3", 1)
    server.accept("n4", 2)
    assert [(note.first, note.last) for note in server.ctx.notes if isinstance(note, Committed)] == [(1, 1)]


# -- probing, and going back ---------------------------------------------------------------------------------


def test_who_is_probed_gets_one_message_per_heartbeat_and_no_new_entry_at_once() -> None:
    server = Server(1)
    server.lead()
    server.node.progress["n2"].probe(2)
    assert [each.dst for each in server.hear("c1", ClientRequest(command()))] == ["n3"]


def test_a_refusal_of_what_is_confirmed_by_now_is_old() -> None:
    server = Server(1, 1, 1)
    server.lead()
    server.accept("n2", 2)
    server.node.progress["n2"].probe(3)
    assert server.hear("n2", AppendReply(2, False, 0, 2, 0, 1)) == []


@pytest.mark.parametrize(("match", "conflict", "previous"), [(0, (2, 3), 4), (0, (0, 2), 1), (3, (0, 1), 3)])
def test_a_leader_goes_back_to_the_last_entry_of_the_conflicting_term_and_never_below_what_is_confirmed(
    match: int, conflict: tuple[int, int], previous: int
) -> None:
    """'The leader can decrement nextIndex to bypass all of the conflicting entries in that term' (5.3)."""
    server = Server(1, 1, 2, 2, 3)
    server.lead()
    if match:
        server.accept("n2", match)
    (sent,) = server.hear("n2", AppendReply(4, False, 0, 5, *conflict))
    assert sent.message.prev_log_index == previous
