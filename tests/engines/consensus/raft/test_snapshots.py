"""Snapshots, as the paper (section 7, Figure 13) and the dissertation (chapter 5) state them."""

from typing import Any

import pytest

from engines.consensus.raft.checks import CATCHES_UP, DURABLE, LOG_MATCHING, SNAPSHOTS
from engines.consensus.raft.commands import Propose, SetWorkload
from engines.consensus.raft.engine import RaftEngine
from engines.consensus.raft.events import SnapshotIgnored, SnapshotTaken
from engines.consensus.raft.messages import (
    AppendEntries,
    AppendReply,
    ClientReply,
    ClientRequest,
    Command,
    Entry,
    InstallReply,
    InstallSnapshot,
    LogSnapshot,
    Row,
    SessionRow,
    ValueRow,
)
from engines.consensus.raft.progress import ProgressState
from engines.consensus.raft.quorum import Configuration
from engines.consensus.raft.rules import RaftRules, Sizes
from engines.consensus.raft.state_machine import KeyValueStore
from engines.sim import faults
from engines.units import US_PER_MS, US_PER_S
from tests.engines.consensus.raft.server import Sent, Server, append, command, entries

THREE = Configuration(("n1", "n2", "n3"))
QUIET = RaftRules(check_quorum=False, pre_vote=False)
ROWS: tuple[Row, ...] = (ValueRow("x", 5), ValueRow("y", 7), SessionRow("c1", 4, 7))


def install(
    index: int, term: int, rows: tuple[Row, ...] = ROWS, offset: int = 0, done: bool = True, leads: int = 3
) -> InstallSnapshot:
    return InstallSnapshot(leads, index, term, THREE, offset, rows, done)


def small(entries: int = 4, tail: int = 1, piece: int = 2, window: int = 16) -> Sizes:
    return Sizes(snapshot_entries=entries, snapshot_factor=1, tail=tail, piece=piece, window=window)


# -- taking one ----------------------------------------------------------------------------------------------


def test_a_snapshot_is_what_was_applied_and_the_log_goes_on_behind_a_tail() -> None:
    """'Each server takes snapshots independently, covering just the committed entries in its log' (section 7)."""
    server = Server(sizes=small(entries=4, tail=1))
    for number in range(1, 7):
        entry = Entry(1, Command("c1", number, "add", "x", 1))
        server.hear("n2", append(1, number - 1, min(1, number - 1), entry, commit=number - 1))
    node = server.node
    assert node.snapshot == (4, 1, THREE, (ValueRow("x", 4), SessionRow("c1", 4, 4)), 0)
    assert (node.log.first_index, node.log.last_index, node.log.base_term) == (4, 6, 1)
    assert server.disk.registers["snapshot"] == node.snapshot
    assert (node.commit_index, node.kv.values) == (5, {"x": 5})


def test_a_snapshot_waits_until_the_log_is_a_multiple_of_the_one_before() -> None:
    server = Server(sizes=Sizes(snapshot_entries=2, snapshot_factor=3, tail=0))
    taken = []
    for number in range(1, 30):
        entry = Entry(1, Command("c1", number, "set", f"k{min(number, 4)}", 1))
        server.hear("n2", append(1, number - 1, min(1, number - 1), entry, commit=number))
        taken.append(server.node.snapshot.last_index)
    assert sorted(set(taken)) == [0, 2, 2 + 3 * 3, 11 + 3 * 5]


def test_never_means_never() -> None:
    server = Server(*[1] * 300, sizes=Sizes(snapshot_entries=0))
    server.hear("n2", append(1, 300, 1, commit=300))
    server.hear("n2", append(1, 300, 1, *entries(1, first=301), commit=301))
    assert (server.node.last_applied, server.node.snapshot.last_index, server.node.log.first_index) == (301, 0, 1)


def test_the_configuration_in_a_snapshot_is_the_one_at_its_index() -> None:
    four = Configuration(("n1", "n2", "n3", "n4"))
    server = Server(sizes=small(entries=2, tail=0))
    log = (*entries(1), Entry(1, four), *entries(1, first=3), Entry(1, THREE))
    server.hear("n2", append(1, 0, 0, *log, commit=2))
    server.hear("n2", append(1, 4, 1, commit=3))
    assert (server.node.snapshot.last_index, server.node.snapshot.configuration) == (2, four)
    assert (server.node.configuration, server.node.log.configuration_at(3)) == (THREE, four)
    server.boot()
    assert (server.node.configuration, server.node.log.configuration_at(3)) == (THREE, four)


def test_a_crash_in_the_middle_keeps_the_old_one() -> None:
    """Written to another file, synced, renamed: one durable step; and the log is cut in the same breath."""
    server = Server(*[1] * 9, term=1, sizes=small(entries=3, tail=1))
    for commit in (3, 4):
        server.hear("n2", append(1, 9, 1, commit=commit))
    assert (server.node.snapshot.last_index, server.node.log.first_index) == (3, 3)
    server.disk.fsync_us = 10_000
    for commit in (6, 7):
        server.hear("n2", append(1, 9, 1, commit=commit))
    assert (server.node.snapshot.last_index, server.node.log.first_index) == (6, 6)
    server.disk.crash()
    server.boot()
    assert (server.node.snapshot.last_index, server.node.log.first_index, server.node.log.last_index) == (3, 3, 9)
    assert (server.node.commit_index, server.node.last_applied) == (3, 3)


# -- receiving one -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("index", "term", "first", "last", "commit"),
    [(7, 2, 8, 10, 7), (7, 3, 8, 7, 7), (12, 3, 13, 12, 12), (3, 1, 1, 10, 4)],
    ids=["keeps 8-10", "drops all", "drops all, longer", "ignored"],
)
def test_an_own_entry_of_that_term_keeps_what_follows_else_all_goes(
    index: int, term: int, first: int, last: int, commit: int
) -> None:
    """'If existing log entry has same index and term as snapshot's last included entry, retain log entries following
    it and reply. Discard the entire log' (Figure 13). Entries 1-4 of term 1, 5-10 of term 2, commit 4."""
    server = Server(1, 1, 1, 1, 2, 2, 2, 2, 2, 2, term=3)
    server.hear("n2", append(3, 4, 1, commit=4))
    assert server.hear("n2", install(index, term)) == [Sent("n2", InstallReply(3, index, 3, True))]
    log = server.node.log
    assert (log.first_index, log.last_index, server.node.commit_index, server.node.last_applied) == (
        first, last, commit, commit,
    )  # fmt: skip
    if index > 4 and last == index:
        assert (server.node.kv.values, server.node.kv.sessions) == ({"x": 5, "y": 7}, {"c1": (4, 7)})
        assert log.base_term == term
    server.boot()
    log = server.node.log
    assert (log.first_index, log.last_index) == (first, last)
    assert server.node.last_applied == (commit if index > 4 else 0)


def test_a_snapshot_of_an_old_term_is_refused() -> None:
    """'Reply immediately if term < currentTerm' (Figure 13)."""
    server = Server(1, term=4)
    before = server.state()
    assert server.hear("n2", install(7, 2)) == [Sent("n2", InstallReply(4, 7, 0, False))]
    assert server.state() == before


def test_pieces_are_gathered_in_their_order_and_each_sets_the_election_timer_back() -> None:
    """'Create new snapshot file if first chunk; write data at given offset; reply and wait for more if done is
    false' (Figure 13)."""
    server = Server(term=3)
    for number, (offset, done) in enumerate(((0, False), (1, False), (1, False), (2, True)), 1):
        server.wait(100 * US_PER_MS)
        (sent,) = server.hear("n2", install(9, 3, ROWS[offset : offset + 1], offset, done))
        assert sent.message == InstallReply(3, 9, (1, 2, 2, 3)[number - 1], done)
        assert server.ctx.timers["election"] == server.ctx.now_us + server.node.election_timeout_us
        assert server.node.last_applied == (9 if done else 0)
    assert server.node.snapshot == (9, 3, THREE, ROWS, 0)


def test_a_piece_that_does_not_follow_is_not_kept() -> None:
    server = Server(term=3)
    assert server.hear("n2", install(9, 3, ROWS[1:], 1)) == [Sent("n2", InstallReply(3, 9, 0, False))]
    server.hear("n2", install(9, 3, ROWS[:1], 0, False))
    assert server.hear("n2", install(12, 3, ROWS[1:], 1)) == [Sent("n2", InstallReply(3, 12, 0, False))]
    assert server.node.last_applied == 0


def test_pieces_of_another_leader_are_not_put_together() -> None:
    """Two leaders may have written one index down in different rows; only equal index and term say the same, and a
    server that changes its term begins anew."""
    server = Server(term=3)
    server.hear("n2", install(9, 3, ROWS[:1], 0, False))
    server.hear("n3", append(4, 0, 0))
    assert server.hear("n3", install(9, 3, ROWS[1:], 1, leads=4)) == [Sent("n3", InstallReply(4, 9, 0, False))]


def test_what_lies_before_the_base_is_there_and_is_not_stored_again() -> None:
    server = Server(term=3)
    server.hear("n2", install(9, 2))
    assert server.hear("n2", append(3, 7, 1, *entries(1, 2, 3, first=8))) == [Sent("n2", AppendReply(3, True, 10, 7))]
    assert (server.terms, server.node.log.first_index) == ((3,), 10)
    assert server.hear("n2", append(3, 9, 2)) == [Sent("n2", AppendReply(3, True, 9, 9))]


def test_a_restart_from_a_snapshot_alone_still_knows_what_was_executed() -> None:
    """'The state machine's sessions are part of the snapshot' (dissertation 6.3): the retry of an old command, after
    the snapshot and a crash, is applied once."""
    server = Server(term=3)
    server.hear("n2", install(9, 3))
    server.boot()
    assert (server.node.kv.values, server.node.last_applied, server.terms) == ({"x": 5, "y": 7}, 9, ())
    old = Entry(3, Command("c1", 4, "add", "y", 3))
    server.hear("n2", append(3, 9, 3, old, commit=10))
    assert (server.node.kv.values["y"], server.node.kv.deduplicated) == (7, 1)
    server.lead()
    assert server.hear("c1", ClientRequest(Command("c1", 4, "add", "y", 3))) == [
        Sent("c1", ClientReply(4, True, 7, "n1"))
    ]


# -- the leader ----------------------------------------------------------------------------------------------


def leader(count: int = 6, sizes: Sizes | None = None) -> Server:
    """A leader of term 1 that has dropped the log up to entry 3; n2 is as far as it is, n3 answers nothing."""
    server = Server(sizes=sizes or small(entries=4, tail=1))
    server.lead()
    for number in range(1, count + 1):
        server.hear("c1", ClientRequest(Command("c1", number, "add", "xyz"[number % 3], 1)))
        server.accept("n2", number)
    assert server.node.log.first_index > 1
    return server


def refuses(server: Server, last: int = 0) -> list[Sent]:
    """n3 says that its log ends there."""
    asked = server.node.progress["n3"].next_index - 1
    return server.hear("n3", AppendReply(1, False, 0, asked, 0, last + 1))


def test_a_follower_whose_next_entry_is_gone_gets_the_snapshot_in_pieces_and_then_the_rest() -> None:
    server = leader()
    (first,) = refuses(server)
    snapshot = server.node.snapshot
    assert first == Sent("n3", InstallSnapshot(1, 4, 1, THREE, 0, snapshot.rows[:2], False))
    (second,) = server.hear("n3", InstallReply(1, 4, 2, False))
    assert second == Sent("n3", InstallSnapshot(1, 4, 1, THREE, 2, snapshot.rows[2:], True))
    (probe,) = server.hear("n3", InstallReply(1, 4, 4, True))
    assert (probe.message.prev_log_index, len(probe.message.entries)) == (4, 1)
    (rest,) = server.accept("n3", 5)
    assert (rest.message.prev_log_index, len(rest.message.entries)) == (5, 1)


def test_while_it_gets_a_snapshot_it_gets_no_entries_and_each_heartbeat_repeats_the_piece() -> None:
    server = leader()
    (first,) = refuses(server)
    assert [each.dst for each in server.hear("c1", ClientRequest(command(7)))] == ["n2"]
    assert refuses(server) == []
    beats = server.timer("heartbeat")
    assert [each.message for each in beats if each.dst == "n3"] == [first.message]
    assert server.hear("n3", InstallReply(1, 4, 0, False)) == []


def test_a_snapshot_is_sent_only_to_a_server_that_was_heard_lately() -> None:
    server = leader()
    refuses(server)
    server.wait(400 * US_PER_MS)
    (beat,) = (each.message for each in server.timer("heartbeat") if each.dst == "n3")
    assert (beat.prev_log_index, len(beat.entries)) == (server.node.log.base_index, 1)
    (piece,) = server.hear("n3", AppendReply(1, False, 0, beat.prev_log_index, 0, 1))
    assert isinstance(piece.message, InstallSnapshot)


def test_a_follower_that_holds_the_base_needs_no_snapshot() -> None:
    server = leader()
    refuses(server)
    server.hear("n3", AppendReply(1, True, 3, 3))
    assert server.node.progress["n3"].snapshot is None
    assert server.node.progress["n3"].next_index == 7


def test_an_answer_about_another_snapshot_counts_for_nothing() -> None:
    server = leader()
    refuses(server)
    assert server.hear("n3", InstallReply(1, 3, 4, True)) == []
    assert server.hear("n3", InstallReply(0, 4, 4, True)) == []
    assert server.node.progress["n3"].offset == 0


def test_an_installed_snapshot_proves_nothing_about_what_follows() -> None:
    """matchIndex is what an AppendEntries proved; after a snapshot the leader asks before it counts."""
    server = leader()
    refuses(server)
    server.hear("n3", InstallReply(1, 4, 4, True))
    assert (server.node.progress["n3"].match_index, server.node.progress["n3"].next_index) == (0, 5)


# -- the window ----------------------------------------------------------------------------------------------


def test_no_more_messages_are_under_way_than_the_window_holds() -> None:
    server = Server(sizes=Sizes(window=3))
    server.lead()
    sent = [each for number in range(1, 8) for each in server.hear("c1", ClientRequest(command(number)))]
    assert [each.dst for each in sent].count("n2") == 3
    (beat,) = (each.message for each in server.timer("heartbeat") if each.dst == "n2")
    assert (beat.prev_log_index, beat.entries) == (3, ())
    (rest,) = (each for each in server.accept("n2", 1) if each.dst == "n2")
    assert (rest.message.prev_log_index, len(rest.message.entries)) == (3, 4)
    assert server.node.progress["n2"].inflight == [2, 3, 7]
    server.accept("n2", 7)
    assert server.node.progress["n2"].inflight == []


# -- whole clusters ------------------------------------------------------------------------------------------

SMALL = (("clients", 0), ("compact", 6), ("factor", 1), ("piece", 2), ("tail", 2))


def laggard(rules: tuple[tuple[str, Any], ...] = ()) -> RaftEngine:
    """n5 was away while the others wrote more than their logs keep, and is back."""
    engine = RaftEngine(5, tuple(sorted((*SMALL, *rules))))
    engine.run(1_500_000, 1 << 60)
    engine.apply(faults.Crash("n5"))
    for number in range(20):
        engine.apply(Propose("add", "xyz"[number % 3], 1))
        engine.run(engine.now_us + 200_000, 1 << 60)
    engine.apply(faults.Restart("n5"))
    engine.run(engine.now_us + 2_000_000, 1 << 60)
    return engine


def test_a_laggard_becomes_equal_by_a_snapshot_and_what_follows_it() -> None:
    engine = laggard()
    mine, other = engine.raft("n5"), engine.raft(engine.leader())
    assert mine.log.base_index > 6
    assert (mine.kv.values, mine.kv.sessions) == (other.kv.values, other.kv.sessions)
    assert mine.kv.values == {"x": 7, "y": 7, "z": 6}
    assert [each.name for each in engine.check() if not each.ok] == []


def test_the_log_does_not_grow_with_time() -> None:
    engine = RaftEngine(1, (("clients", 4), ("workload", "flood")))
    sizes = []
    for _ in range(3):
        engine.run(engine.now_us + 20 * US_PER_S, 1 << 60)
        sizes.append(max(len(engine.hosts[each].disk.log) for each in engine.servers))
        checks = engine.checks
        books = (checks.entries, checks.committed, checks.applied, checks.states)
        assert max(len(book) for book in books) <= 3_000
    assert max(sizes) <= 250
    assert engine.raft("n1").commit_index > 2_500


# -- what each rule is for -----------------------------------------------------------------------------------


def failed(engine: RaftEngine) -> list[str]:
    return [check.name for check in engine.check() if not check.ok]


def conflicting_snapshot(rules: tuple[tuple[str, Any], ...] = ()) -> RaftEngine:
    """n1 leads alone and writes much that is never committed; the others commit as much, and drop it."""
    config = (*SMALL, ("check_quorum", False), ("nodes", 3), *rules)
    engine = RaftEngine(3, tuple(sorted(config)))
    engine.run(1_500_000, 1 << 60)
    old = engine.leader()
    engine.apply(faults.Isolate(old))
    for number in range(30):
        engine.apply(Propose("set", "lost", number, old, insist=False))
        engine.run(engine.now_us + 20_000, 1 << 60)
    engine.run(engine.now_us + 1_000_000, 1 << 60)
    for number in range(15):
        engine.apply(Propose("set", "kept", number))
        engine.run(engine.now_us + 500_000, 1 << 60)
    engine.apply(faults.Reconnect(old))
    engine.run(engine.now_us + 10_000_000, 1 << 60)
    return engine


def test_a_snapshot_whose_last_entry_is_another_replaces_the_log() -> None:
    engine = conflicting_snapshot()
    assert failed(engine) == []
    assert len({engine.raft(each).log.last_term for each in engine.servers}) == 1


def test_with_that_rule_off_the_follower_is_refused_for_ever() -> None:
    """hashicorp/raft #697: a snapshot at K that kept an own entry K of another term."""
    engine = conflicting_snapshot((("snapshot_replaces_log", False),))
    assert failed(engine) == [CATCHES_UP]


def test_a_success_counts_for_what_its_message_proved() -> None:
    """Ratis 2605: the answer to a heartbeat must not count for entries that were sent after it."""
    for rule, match in ((True, 0), (False, 1)):
        rules = RaftRules(match_proved=rule, check_quorum=False, pre_vote=False)
        server = Server(size=5, rules=rules)
        server.lead()
        server.hear("c1", ClientRequest(command()))
        server.accept("n2", 0)
        assert server.node.progress["n2"].match_index == match


def test_with_that_rule_off_an_entry_commits_that_no_majority_has() -> None:
    engine = RaftEngine(1, (("clients", 0), ("match_proved", False)))
    engine.run(1_500_000, 1 << 60)
    leader = engine.leader()
    for other in engine.servers:
        if other != leader:
            engine.apply(faults.Slow(other, leader, 120_000, 0))
            engine.apply(faults.Lose(leader, other, 500_000))
    for number in range(20):
        engine.apply(Propose("set", "x", number, leader, insist=False))
        engine.run(engine.now_us + 30_000, 1 << 60)
    assert DURABLE in failed(engine)


def repeated(rule: bool) -> RaftEngine:
    """Disks sync for 200 ms, and messages are repeated: the second copy finds the entry in the log, not on the disk."""
    config = (("ack_after_sync", rule), ("check_quorum", False), ("clients", 0), ("nodes", 3))
    engine = RaftEngine(2, config)
    engine.run(1_500_000, 1 << 60)
    leader = engine.leader()
    for other in engine.servers:
        if other != leader:
            engine.apply(faults.SlowDisk(other, 200_000))
    engine.apply(faults.Duplicate(leader, "*", 1_000_000))
    engine.apply(Propose("set", "x", 1))
    engine.run(engine.now_us + 1_000_000, 1 << 60)
    return engine


def test_an_answer_to_a_repeated_message_waits_for_the_disk_as_well() -> None:
    assert failed(repeated(True)) == []


def test_with_that_rule_off_an_entry_counts_that_no_majority_of_disks_has() -> None:
    """YugabyteDB #32875."""
    assert failed(repeated(False)) == [DURABLE]


def late_stamp(rule: bool) -> RaftEngine:
    """A leader takes a command and learns of a newer term before it is written."""
    config = (("check_quorum", False), ("clients", 4), ("nodes", 3), ("term_when_decided", rule), ("workload", "busy"))
    engine = RaftEngine(4, config)
    engine.run(1_500_000, 1 << 60)
    old = engine.leader()
    engine.apply(faults.Isolate(old))
    engine.run(engine.now_us + 3_000_000, 1 << 60)
    engine.apply(faults.Reconnect(old))
    for _ in range(30):
        engine.apply(Propose("set", "x", 2, old, insist=False))
        engine.run(engine.now_us + 4_000, 1 << 60)
    engine.run(engine.now_us + 1_000_000, 1 << 60)
    return engine


def test_an_entry_carries_the_term_in_which_it_was_decided() -> None:
    assert failed(late_stamp(True)) == []


def test_with_that_rule_off_two_entries_share_an_index_and_a_term() -> None:
    """hashicorp/raft #695."""
    assert LOG_MATCHING in failed(late_stamp(False))


# -- the check of snapshots can fail -------------------------------------------------------------------------


def test_a_snapshot_that_is_no_fold_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = KeyValueStore.rows

    def rows(store: KeyValueStore) -> tuple[Row, ...]:
        return tuple(row for row in honest(store) if not isinstance(row, SessionRow))

    engine = RaftEngine(1, (("clients", 1), ("compact", 4), ("factor", 1), ("workload", "busy")))
    for server in engine.servers[1:2]:
        node = engine.raft(server)
        monkeypatch.setattr(
            type(node.kv), "rows", lambda store, mine=node: rows(store) if store is mine.kv else honest(store)
        )
    engine.apply(SetWorkload("busy"))
    engine.run(5_000_000, 1 << 60)
    assert failed(engine) == [SNAPSHOTS]


def test_a_disk_remembers_the_base_of_a_log() -> None:
    server = Server(*[1] * 9, term=1, sizes=small(entries=3, tail=1))
    for commit in (3, 4):
        server.hear("n2", append(1, 9, 1, commit=commit))
    assert tuple(server.disk.registers["base"]) == (2, 1, THREE, 0)


# -- while a snapshot is under way ---------------------------------------------------------------------------


def test_a_refusal_says_nothing_to_a_leader_that_sends_a_snapshot() -> None:
    """What it refuses was sent before: the pieces go on, and no entry is tried meanwhile."""
    server = leader()
    (piece,) = refuses(server, last=1)
    progress = server.node.progress["n3"]
    assert isinstance(piece.message, InstallSnapshot)
    assert (progress.state, progress.next_index) == (ProgressState.SNAPSHOT, 2)
    assert server.hear("n3", AppendReply(1, False, 0, 1, 0, 1)) == []
    assert (progress.state, progress.next_index) == (ProgressState.SNAPSHOT, 2)


def test_a_late_success_below_the_base_does_not_end_the_transfer() -> None:
    server = leader()
    refuses(server)
    progress = server.node.progress["n3"]
    server.hear("n3", InstallReply(1, 4, 2, False))
    assert server.hear("n3", AppendReply(1, True, 1, 1)) == []
    assert (progress.state, progress.match_index, progress.offset) == (ProgressState.SNAPSHOT, 1, 2)


def test_the_last_piece_is_the_one_that_ends_with_the_last_row() -> None:
    server = leader(sizes=small(entries=4, tail=1, piece=4))
    (piece,) = refuses(server)
    assert (len(piece.message.rows), piece.message.done) == (4, True)


@pytest.mark.parametrize(("silent_us", "kind"), [(300_000, InstallSnapshot), (300_001, AppendEntries)])
def test_lately_is_within_the_longest_election_timeout(silent_us: int, kind: type) -> None:
    server = leader()
    refuses(server)
    server.wait(silent_us)
    (beat,) = (each.message for each in server.timer("heartbeat") if each.dst == "n3")
    assert type(beat) is kind


def test_a_refusal_from_before_the_log_was_cut_leads_to_what_the_follower_says() -> None:
    """The leader cannot look for a term in what it has dropped."""
    server = leader()
    progress = server.node.progress["n3"]
    (piece,) = server.hear("n3", AppendReply(1, False, 0, 2, 1, 1))
    assert isinstance(piece.message, InstallSnapshot)
    assert progress.next_index == 1


def test_a_server_that_comes_back_takes_no_snapshot_that_it_has() -> None:
    server = Server(*[1] * 9, term=1, sizes=small(entries=4, tail=1))
    for commit in (4, 5):
        server.hear("n2", append(1, 9, 1, commit=commit))
    server.boot()
    before = server.disk.writes
    server.hear("n2", append(1, 9, 1, commit=5))
    assert [note for note in server.ctx.notes if isinstance(note, SnapshotTaken)] == []
    assert (server.disk.writes, server.node.snapshot.last_index) == (before, 4)


def test_a_follower_that_lost_the_pieces_gets_them_again_with_the_next_heartbeat() -> None:
    server = leader()
    (first,) = refuses(server)
    server.hear("n3", InstallReply(1, 4, 2, False))
    assert server.hear("n3", InstallReply(1, 4, 0, False)) == []
    assert [each.message for each in server.timer("heartbeat") if each.dst == "n3"] == [first.message]


def test_a_snapshot_that_ends_at_the_own_commit_index_brings_nothing() -> None:
    """'Not above own commit: ignore' (Figure 13, 6)."""
    server = Server(1, 1, 1, term=3)
    server.hear("n2", append(3, 3, 1, commit=3))
    assert server.hear("n2", install(3, 1)) == [Sent("n2", InstallReply(3, 3, 3, True))]
    assert server.node.log.base_index == 0
    assert [note for note in server.ctx.notes if isinstance(note, SnapshotIgnored)] == [SnapshotIgnored("n2", 3, 3)]


def test_a_transfer_that_begins_anew_begins_with_the_first_piece() -> None:
    """'Create new snapshot file if first chunk (offset is 0)' (Figure 13, 2)."""
    server = Server(term=3)
    server.hear("n2", install(7, 2, ROWS[:1], 0, done=False))
    server.hear("n2", install(7, 2, ROWS[1:2], 1, done=False))
    (again,) = server.hear("n2", install(7, 2, ROWS[:1], 0, done=False))
    assert again.message == InstallReply(3, 7, 1, False)


def compacted() -> Server:
    """n1 leads with entries 4 to 6, and n3 has not been heard yet."""
    server = Server(1, 1, 1, 1, 1, 1, term=1)
    server.hear("n2", append(1, 6, 1, commit=5))
    server.node.log.compact(3)
    server.node.keep(server.node.snapshot._replace(last_index=3, last_term=1))
    server.ctx.persist()
    server.lead()
    return server


def test_who_needs_the_very_last_entry_that_was_dropped_gets_the_snapshot() -> None:
    server = compacted()
    server.node.progress["n2"].probe(3)
    sent = [each.message for each in server.timer("heartbeat") if each.dst == "n2"]
    assert [type(each) for each in sent] == [InstallSnapshot]


def test_who_was_never_heard_is_asked_first_whether_it_is_there() -> None:
    """'Send only to a peer heard lately' (etcd: RecentActive)."""
    server = compacted()
    server.node.progress["n3"].probe(1)
    sent = [each.message for each in server.timer("heartbeat") if each.dst == "n3"]
    assert [(type(each), each.prev_log_index) for each in sent] == [(AppendEntries, 3)]


@pytest.mark.parametrize(("terms", "base"), [((1, 2, 2), 2), ((1, 2, 2, 2), 2), ((1,), 3)])
def test_with_the_rule_off_an_own_entry_of_another_term_stays_at_the_end_of_a_snapshot(
    terms: tuple[int, ...], base: int
) -> None:
    """hashicorp/raft #697. Where there is no such entry the log is replaced all the same."""
    off = RaftRules(check_quorum=False, pre_vote=False, snapshot_replaces_log=False)
    server = Server(*terms, term=3, rules=off)
    server.hear("n2", install(3, 3))
    assert (server.node.log.base_index, server.terms) == (base, terms[2:] if base == 2 else ())


def test_before_any_snapshot_there_is_one_of_nothing() -> None:
    assert Server().node.snapshot == LogSnapshot(0, 0, THREE, ())
