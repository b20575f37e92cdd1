"""A check that never turns red proves nothing: every rule of Raft is broken here, and its check says so."""

from collections.abc import Callable
from typing import Any

import pytest

from engines.consensus.operations import execute
from engines.consensus.raft import checks as check
from engines.consensus.raft.commands import Propose
from engines.consensus.raft.engine import RaftEngine
from engines.consensus.raft.messages import AppendEntries, ClientRequest, Command, RequestVote
from engines.consensus.raft.node import HANDLERS, RaftNode
from engines.consensus.raft.roles import Role
from engines.consensus.raft.state_machine import KeyValueStore
from engines.sim import faults
from engines.sim.host import Host
from engines.sim.node import Context
from engines.sim.pattern import Check
from engines.sim.random import Stream
from tests.engines.consensus.raft.test_worlds import storm

Patch = pytest.MonkeyPatch


def votes_twice(patch: Patch) -> None:
    """'Each server will vote for at most one candidate in a given term' (5.2)."""
    honest = HANDLERS[RequestVote]

    def on_request_vote(node: RaftNode, ctx: Context, src: str, m: RequestVote) -> None:
        if m.term == node.current_term and node.role is not Role.LEADER:
            node.voted_for = None
        honest(node, ctx, src, m)

    patch.setitem(HANDLERS, RequestVote, on_request_vote)


def votes_for_anybody(patch: Patch) -> None:
    """'The voter denies its vote if its own log is more up-to-date' (5.4.1)."""
    patch.setattr(RaftNode, "up_to_date", lambda node, index, term: True)


def leads_without_a_majority(patch: Patch) -> None:
    """'Votes from a majority of the servers' (5.2)."""
    honest = RaftNode.become_candidate

    def become_candidate(node: RaftNode, ctx: Context) -> None:
        honest(node, ctx)
        node.become_leader(ctx)

    patch.setattr(RaftNode, "become_candidate", become_candidate)


def commits_without_a_majority(patch: Patch) -> None:
    """'A majority of matchIndex[i] >= N' (Figure 2)."""

    def advance_commit(node: RaftNode, ctx: Context) -> None:
        node.commit_index = max(each.match_index for each in node.progress.values())
        node.apply_committed(ctx)

    patch.setattr(RaftNode, "advance_commit", advance_commit)


def checks_no_consistency(patch: Patch) -> None:
    """'Reply false if log doesn't contain an entry at prevLogIndex whose term matches' (5.3)."""
    honest = HANDLERS[AppendEntries]

    def on_append_entries(node: RaftNode, ctx: Context, src: str, m: AppendEntries) -> None:
        previous = min(m.prev_log_index, node.log.last_index)
        honest(node, ctx, src, m._replace(prev_log_index=previous, prev_log_term=node.log.term_at(previous)))

    patch.setitem(HANDLERS, AppendEntries, on_append_entries)


def truncates_nothing(patch: Patch) -> None:
    """'Delete the existing entry and all that follow it' (Figure 2)."""

    def store(node: RaftNode, ctx: Context, src: str, m: AppendEntries) -> None:
        node.log.append(m.entries[max(0, node.log.last_index - m.prev_log_index) :])
        ctx.persist()

    patch.setattr(RaftNode, "store", store)


def overwrites_its_own_log(patch: Patch) -> None:
    """'A leader never overwrites or deletes entries in its log' (5.3)."""
    honest = HANDLERS[ClientRequest]

    def on_client_request(node: RaftNode, ctx: Context, src: str, m: ClientRequest) -> None:
        if node.role is Role.LEADER and node.log.last_index > 3:
            node.truncate(ctx, node.log.last_index)
        honest(node, ctx, src, m)

    patch.setitem(HANDLERS, ClientRequest, on_client_request)


def loses_its_vote(patch: Patch) -> None:
    """votedFor is 'updated on stable storage before responding to RPCs' (Figure 2)."""
    patch.setattr(RaftNode, "vote", lambda node, ctx, candidate: setattr(node, "voted_for", candidate))


def loses_its_term(patch: Patch) -> None:
    """currentTerm is persistent and 'increases monotonically' (Figure 2)."""

    def adopt_term(node: RaftNode, ctx: Context, term: int) -> None:
        node.current_term, node.voted_for = term, None

    patch.setattr(RaftNode, "adopt_term", adopt_term)


def goes_back_in_term(patch: Patch) -> None:
    """'If one server's current term is smaller than the other's, then it updates its current term to the larger'."""
    honest = HANDLERS[AppendEntries]

    def on_append_entries(node: RaftNode, ctx: Context, src: str, m: AppendEntries) -> None:
        if m.term < node.current_term:
            node.adopt_term(ctx, m.term)
        honest(node, ctx, src, m)

    patch.setitem(HANDLERS, AppendEntries, on_append_entries)


def applies_what_is_not_committed(patch: Patch) -> None:
    """'If commitIndex > lastApplied' (Figure 2)."""
    honest = RaftNode.apply_committed

    def apply_committed(node: RaftNode, ctx: Context) -> None:
        honest(node, ctx)
        node.last_applied = node.log.last_index

    patch.setattr(RaftNode, "apply_committed", apply_committed)


def takes_a_commitment_back(patch: Patch) -> None:
    """commitIndex 'increases monotonically' (Figure 2)."""
    honest = HANDLERS[AppendEntries]

    def on_append_entries(node: RaftNode, ctx: Context, src: str, m: AppendEntries) -> None:
        honest(node, ctx, src, m)
        node.commit_index = node.last_applied = min(node.commit_index, m.leader_commit)

    patch.setitem(HANDLERS, AppendEntries, on_append_entries)


def applies_in_another_order(patch: Patch) -> None:
    """'each state machine processes the same sequence of commands' (section 2), and one server does not."""
    honest = RaftNode.apply_committed

    def apply_committed(node: RaftNode, ctx: Context) -> None:
        if node.id == "n2":
            for entry in reversed(node.log.slice(node.last_applied + 1, node.commit_index)):
                if isinstance(entry.command, Command):
                    node.kv.apply(entry.command)
            node.last_applied = node.commit_index
        else:
            honest(node, ctx)

    patch.setattr(RaftNode, "apply_committed", apply_committed)


def forgets_sessions(patch: Patch) -> None:
    """'If it receives a command whose serial number has already been executed' it must not (section 8): n2 does."""
    honest = RaftNode.apply_committed

    def apply_committed(node: RaftNode, ctx: Context) -> None:
        if node.id == "n2":
            node.kv.sessions.clear()
        honest(node, ctx)

    patch.setattr(RaftNode, "apply_committed", apply_committed)


def acknowledges_before_the_disk(patch: Patch) -> None:
    """'Updated on stable storage before responding to RPCs' (Figure 2)."""
    patch.setattr(Host, "persist", lambda host: True)


def deletes_what_it_applied(patch: Patch) -> None:
    """'Delete the existing entry and all that follow it' if it *conflicts* (Figure 2), and no other."""
    honest = HANDLERS[AppendEntries]

    def on_append_entries(node: RaftNode, ctx: Context, src: str, m: AppendEntries) -> None:
        if not m.entries and m.term >= node.current_term and node.last_applied > 3 and node.role is Role.FOLLOWER:
            node.truncate(ctx, node.last_applied)
        honest(node, ctx, src, m)

    patch.setitem(HANDLERS, AppendEntries, on_append_entries)


def takes_a_late_copy_for_a_new_command(patch: Patch) -> None:
    """'A serial number that has already been executed' (section 8): also one older than the newest."""

    def apply(store: KeyValueStore, command: Command, index: int = 0, once: bool = True) -> int | None:
        session = store.sessions.get(command.client)
        if session is not None and command.serial == session[0]:
            return session[1]
        result = execute(store.values, command.op, command.key, command.value)
        store.sessions[command.client] = (command.serial, result)
        return result

    patch.setattr(KeyValueStore, "apply", apply)


def tells_the_asked_value(patch: Patch) -> None:
    """'The state machine's result' is what the client is told (section 8), not what it asked for."""
    honest = KeyValueStore.apply

    def apply(store: KeyValueStore, command: Command, index: int = 0, once: bool = True) -> int | None:
        honest(store, command, index, once)
        return command.value

    patch.setattr(KeyValueStore, "apply", apply)


def forgets_what_it_answered(patch: Patch) -> None:
    """'It responds immediately without re-executing the request' (section 8): every server executes it again."""
    honest = KeyValueStore.apply
    patch.setattr(
        KeyValueStore, "apply", lambda store, command, index=0, once=True: honest(store, command, index, False)
    )


FIRST: dict[Callable[[Patch], None], int] = {forgets_sessions: 100}
"""Where to begin to look: a command that stands in the log twice, with another of its key between, is rare."""


def red(config: tuple[tuple[str, Any], ...], name: str, worlds: int = 60, first: int = 0) -> Check | None:
    """The named check, from the first of some random worlds in which it turns red."""
    for seed in range(first, first + worlds):
        engine = RaftEngine(seed, (("workload", "busy"), *config))
        stream = Stream(seed, "mutant")
        for _ in range(40):
            engine.run(engine.now_us + stream.below(150_000), 1 << 60)
            engine.apply(storm(stream))
            for each in engine.check():
                if each.name == name and not each.ok:
                    return each
    return None


MUTANTS: list[tuple[Callable[[Patch], None], str]] = [
    (votes_twice, check.TERMS),
    (votes_twice, check.ELECTION_SAFETY),
    (votes_for_anybody, check.COMPLETENESS),
    (votes_for_anybody, check.STATE_MACHINE),
    (leads_without_a_majority, check.ELECTION_SAFETY),
    (commits_without_a_majority, check.COMPLETENESS),
    (commits_without_a_majority, check.STATE_MACHINE),
    (checks_no_consistency, check.LOG_MATCHING),
    (truncates_nothing, check.STATE_MACHINE),
    (overwrites_its_own_log, check.APPEND_ONLY),
    (loses_its_vote, check.TERMS),
    (loses_its_term, check.TERMS),
    (goes_back_in_term, check.TERMS),
    (applies_what_is_not_committed, check.ORDER),
    (takes_a_commitment_back, check.ORDER),
    (applies_in_another_order, check.STATE_MACHINE),
    (tells_the_asked_value, check.ANSWERS),
    (acknowledges_before_the_disk, check.DURABLE),
    (deletes_what_it_applied, check.UNDONE),
]


def late_copies() -> RaftEngine:
    """Every request arrives twice, the second time perhaps behind the next ones: each adds one to x."""
    engine = RaftEngine(7, (("clients", 0),))
    engine.run(800_000, 1 << 60)
    engine.apply(faults.Duplicate("you", "*", 1_000_000))
    engine.apply(faults.Reorder("you", "*", 500_000))
    for _ in range(60):
        engine.apply(Propose("add", "x", 1, "", insist=False))
        engine.run(engine.now_us + 40_000, 1 << 60)
    return engine


@pytest.mark.parametrize(
    ("mutate", "name"),
    [
        (forgets_what_it_answered, check.ONCE),
        (takes_a_late_copy_for_a_new_command, check.ONCE),
        (forgets_sessions, check.STATE_MACHINE),
    ],
)
def test_a_command_that_comes_twice_and_is_executed_twice_is_noticed(
    mutate: Callable[[Patch], None], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutate(monkeypatch)
    assert name in {each.name for each in late_copies().check() if not each.ok}


def test_late_copies_do_no_harm_to_a_cluster_that_remembers() -> None:
    engine = late_copies()
    assert all(each.ok for each in engine.check())
    assert sum(engine.raft(server).kv.deduplicated for server in engine.servers) > 10


SWITCHES: list[tuple[str, str, tuple[tuple[str, Any], ...]]] = [
    ("once", check.ONCE, ()),
    ("confirm_reads", check.READS, (("reads", "index"),)),
    ("read_after_commit", check.READS, (("reads", "index"), ("noop", False))),
    ("refusal_resets", check.QUIET, ()),
]


@pytest.mark.parametrize(("rule", "name", "config"), SWITCHES, ids=lambda value: value if type(value) is str else "")
def test_a_rule_that_is_switched_off_turns_its_check_red(
    rule: str, name: str, config: tuple[tuple[str, Any], ...]
) -> None:
    found = red((("clients", 3), ("read_percent", 50), *config, (rule, False)), name, worlds=100)
    assert found is not None
    assert found.witness
    assert red((("clients", 3), ("read_percent", 50), *config), name, worlds=8) is None


@pytest.mark.parametrize(("mutate", "name"), MUTANTS, ids=lambda value: getattr(value, "__name__", value))
def test_a_broken_rule_turns_its_check_red(
    mutate: Callable[[Patch], None], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutate(monkeypatch)
    found = red((("pre_vote", False), ("check_quorum", False)), name, first=FIRST.get(mutate, 0))
    assert found is not None
    assert found.detail
    assert found.witness
    assert all(line.strip() and line.isascii() for line in found.witness)
    assert found.position > 0


@pytest.mark.parametrize("name", list(check.DEMANDS))
def test_without_a_mutation_the_same_worlds_stay_green(name: str) -> None:
    config = () if name == check.STABILITY else (("pre_vote", False), ("check_quorum", False))
    assert red(config, name, worlds=20) is None
