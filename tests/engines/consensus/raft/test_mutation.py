"""Single-line mutants of the server, room by room, and of the state machine: each is noticed by a test of its rule.

What a slip of the hand would make of a line is made by script (tests/mutation.py), and the quick tests of the rooms run
against it. The few that are equal to the original are named here, each with the reason.
"""

from typing import Final

import pytest

from tests.mutation import chosen, excuses_of_nothing, survivors

RAFT: Final = "engines.consensus.raft."
HERE: Final = "tests/engines/consensus/raft/"
TESTS: Final = tuple(
    f"{HERE}test_{name}.py"
    for name in (
        "log", "progress", "rounds", "quorum", "roles", "election", "membership", "reads", "sessions", "snapshots",
        "replication", "administration",
    )
)  # fmt: skip
SERVER: Final = (
    "progress", "log", "quorum", "compaction", "replication", "election", "node", "state", "membership", "transfer",
    "reads",
)  # fmt: skip
STATE_MACHINE: Final = (
    (RAFT + "state_machine", ()),
    (RAFT + "state", ("apply_committed", "execute", "open_session")),
    ("engines.consensus.operations", ("execute",)),
)
"""Module and functions. There are no more mutants of it than these."""

BEFORE: Final = "it is set before anybody reads it"
AT_THE_BASE: Final = "to cut a log at its base cuts nothing"
QUORUM: Final = (
    "self.quorum = 0  # a majority of its voters: only for saying so, decisions ask the configuration (quorum.py)"
)
WATCHED: Final = "self.watched = self.exchanged = 0  # as leader: an entry, and the messages that were about it"
EQUAL: Final[dict[tuple[str, str, str], str]] = {
    # the log, and what a leader knows of others
    ("take_snapshot", "if first > log.first_index:", "Gt becomes GtE"): AT_THE_BASE,
    ("__init__", "self.offset = 0", "0 becomes 1"): BEFORE,
    ("__init__", "self.took_us = 0", "0 becomes 1"): BEFORE,
    ("__init__", "self.took_us = 0", "took_us is not set"): BEFORE,
    (
        "_natural",
        "return (len(server), server) if isinstance(server, str) else (0, server)",
        "0 becomes 1",
    ): "numbers are compared with numbers only",
    # the state of a server that has just begun
    ("__init__", QUORUM, "0 becomes 1"): BEFORE,
    ("__init__", QUORUM, "quorum is not set"): BEFORE,
    ("__init__", "self.election_timeout_us = timing.election_max_us", "election_timeout_us is not set"): BEFORE,
    ("__init__", "self.timer_us = 0", "0 becomes 1"): BEFORE,
    ("__init__", "self.timer_us = 0", "timer_us is not set"): BEFORE,
    ("__init__", "self.campaign_us = self.leader_since_us = 0", "0 becomes 1"): BEFORE,
    ("__init__", WATCHED, "0 becomes 1"): BEFORE,
    ("__init__", 'self.deposed_by = ""', "deposed_by is not set"): BEFORE,
    (
        "adopt_term",
        'if self.rules.persist_vote or self.disk.registers.get("vote") is not None:',
        "operand 0 is dropped",
    ): "where no vote is written down there is none to be erased",
    ("__init__", "self.snapshot_due = 0", "0 becomes 1"): BEFORE,
    ("__init__", "self.snapshot_due = 0", "snapshot_due is not set"): BEFORE,
    ("__init__", "self.configuration = self.log.configuration", "configuration is not set"): BEFORE,
    # reads
    ("__init__", "self.confirmed = 0", "0 becomes 1"): BEFORE,
    ("__init__", "self.lease_until_us = NEVER", "lease_until_us is not set"): BEFORE,
    ("__init__", "self.gave_up_lease = False", "gave_up_lease is not set"): BEFORE,
    ("__init__", "self.gave_up_lease = False", "False becomes True"): BEFORE,
    ("__init__", "self.started_us = NEVER", "started_us is not set"): BEFORE,
    (
        "confirm",
        "if confirmed > self.confirmed:",
        "Gt becomes GtE",
    ): "to extend a lease twice to the same time is nothing",
    (
        "confirm",
        "for old in [number for number in self.rounds if number < confirmed]:",
        "Lt becomes LtE",
    ): "when a round was sent is asked once, as it is confirmed",
    ("end_lease", "self.rounds.clear()", "the call of clear is dropped"): "none of them can be confirmed any more",
    ("office_ended", "super().office_ended(ctx)", "the call of office_ended is dropped"): "nothing lies below",
    (
        "office_ended",
        "self.confirmed = self.round",
        "confirmed is not set",
    ): "the first round of the next office is not confirmed yet, either way",
    ("office_ended", "self.acked = {}", "acked is not set"): "rounds grow as long as the server lives: these are over",
    ("ask_round", "if self.confirmed < self.round:", "Lt becomes LtE"): "what waited for that round was served with it",
    # transfer
    ("__init__", "self.hand_over_us = 0", "0 becomes 1"): BEFORE,
    ("__init__", "self.hand_over_us = 0", "hand_over_us is not set"): BEFORE,
    ("__init__", "self.told_us = NEVER", "told_us is not set"): BEFORE,
    (
        "__init__",
        "self.told_for = 0",
        "0 becomes 1",
    ): "nobody was told to stand, and a first term has no leader who could",
    # replication
    ("send_append", "newest = place + 1 == len(held)", "Add becomes its opposite"): (
        "all that follows the last entry but one is that entry: it is only quicker to say so"
    ),
    (
        "update_progress",
        "if proved > self.commit_index:",
        "Gt becomes GtE",
    ): "what is committed already commits nothing more",
    (
        "backtrack",
        "if m.conflict_term and m.prev_log_index > self.log.base_index:",
        "Gt becomes GtE",
    ): "whoever has that term at the base does not refuse it",
    (
        "on_append_reply",
        "if m.round > self.acked.get(src, 0):",
        "Gt becomes GtE",
    ): "a round that is acknowledged twice is no more so",
}
"""(function, line, change) -> why nothing behaves otherwise."""


def test_there_are_enough_of_them() -> None:
    assert sum(len(chosen(RAFT + room, EQUAL)) for room in SERVER) >= 60
    for room in SERVER:
        assert len(chosen(RAFT + room, EQUAL)) >= 30
    assert sum(len(chosen(module, EQUAL, functions=functions)) for module, functions in STATE_MACHINE) >= 50


@pytest.mark.soak
def test_what_is_said_to_be_equal_is_a_mutant() -> None:
    modules = [*(RAFT + room for room in SERVER), *(module for module, _ in STATE_MACHINE)]
    assert excuses_of_nothing(modules, EQUAL) == []


@pytest.mark.soak
@pytest.mark.parametrize("room", SERVER)
def test_a_mutant_of_a_room_of_the_server_is_noticed(room: str) -> None:
    assert survivors(RAFT + room, chosen(RAFT + room, EQUAL), TESTS) == []


@pytest.mark.soak
@pytest.mark.parametrize(("module", "functions"), STATE_MACHINE)
def test_a_mutant_of_the_state_machine_is_noticed(module: str, functions: tuple[str, ...]) -> None:
    assert survivors(module, chosen(module, EQUAL, functions=functions), TESTS) == []
