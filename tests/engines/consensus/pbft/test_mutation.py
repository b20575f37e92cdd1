"""Single-line mutants of the replica, room by room: each is noticed by a test of its rule.

See the same of Raft: what is equal to the original is named here, each with the reason.
"""

from typing import Final

import pytest

from tests.mutation import chosen, excuses_of_nothing, survivors

PBFT: Final = "engines.consensus.pbft."
TESTS: Final = tuple(
    f"tests/engines/consensus/pbft/test_{name}.py"
    for name in ("certificates", "phases", "checkpoints", "view_change", "retransmission")
)
ROOMS: Final = ("certificates", "checkpoints", "log", "view_changes", "node")

BEFORE: Final = "it is set before anybody reads it"
ALIKE: Final = "there are at least two of them, and they agree"
COMPARED: Final = "it is only compared with what it was before"
EQUAL: Final[dict[tuple[str, str, str], str]] = {
    (
        "plan",
        "if found.n > min_s and (found.n not in best or found.view > best[found.n].view):",
        "Gt becomes GtE",
    ): "O begins above min-s",
    (
        "proves_checkpoint",
        "and all(each.n == n and each.digest == proof[0].digest and genuine(each) for each in proof)",
        "0 becomes 1",
    ): ALIKE,
    ("adopt", "known = self.certified[0].n if self.certified else self.stable", "0 becomes 1"): ALIKE,
    ("adopt", "if not proof or proof[0].n <= known:", "0 becomes 1"): ALIKE,
    ("proven", "if self.certified and (found is None or found.n < self.certified[0].n):", "0 becomes 1"): ALIKE,
    ("proven", "first = self.certified[0]", "0 becomes 1"): ALIKE,
    ("_highest", "return Target(n, equal[0].digest, tuple(each.i for each in equal))", "0 becomes 1"): ALIKE,
    ("stabilise", "if certified and certified[0].n >= n:", "0 becomes 1"): ALIKE,
    ("raise_low", "if low > self.low:", "Gt becomes GtE"): "where the window is it holds nothing below itself",
    ("__init__", "self.changing_since_us = 0", "0 becomes 1"): BEFORE,
    ("__init__", "self.changing_since_us = 0", "changing_since_us is not set"): BEFORE,
    ("__init__", "self.armed = -1", "1 becomes 2"): "there is no view -2 either",
    ("__init__", "self.changes = 0", "0 becomes 1"): COMPARED,
    ("save", "self.changes += 1", "1 becomes 2"): COMPARED,
    ("__init__", "self.timer_since_us = 0", "0 becomes 1"): BEFORE,
    (
        "start_timer",
        "if self.timer_for is None and self.waiting and not self.changing and not self.is_primary:",
        "operand 2 is dropped",
    ): "nobody starts it before the new view is open",
}
"""(function, line, change) -> why nothing behaves otherwise."""


def test_there_are_enough_of_them() -> None:
    assert sum(len(chosen(PBFT + room, EQUAL)) for room in ROOMS) >= 600


@pytest.mark.soak
def test_what_is_said_to_be_equal_is_a_mutant() -> None:
    assert excuses_of_nothing([PBFT + room for room in ROOMS], EQUAL) == []


@pytest.mark.soak
@pytest.mark.parametrize("room", ROOMS)
def test_a_mutant_of_a_room_of_the_replica_is_noticed(room: str) -> None:
    assert survivors(PBFT + room, chosen(PBFT + room, EQUAL), TESTS) == []
