"""Single-line mutants of the server, room by room, and of the state machine: each is noticed by the tests of its rules.

What a slip of the hand would make of a line is made by script (tests/mutation.py), and the quick tests of the rooms run
against it. A mutant that nobody notices must be known, with the reason why it is none.
"""

import os
import subprocess
import sys
from typing import Final

import pytest

from tests.mutation import Mutant, mutants

RAFT: Final = "engines.consensus.raft."
HERE: Final = "tests/engines/consensus/raft/"
TESTS: Final = tuple(
    f"{HERE}test_{name}.py"
    for name in ("log", "progress", "election", "replication", "sessions", "snapshots", "roles", "membership", "reads")
)
ROOMS: Final = ("state_machine", "progress", "log", "compaction", "replication", "election", "node", "state")
EVERY: Final = 6
"""So many mutants of a room pass by before the next is tried: 130 of 780."""

EQUAL: Final[dict[tuple[str, str, str], str]] = {
    ("compaction", "take_snapshot", "Gt becomes GtE"): "to cut a log at its base cuts nothing",
}
"""(room, function, change) -> why nothing behaves otherwise."""


def chosen(room: str) -> list[Mutant]:
    """Every sixth mutant of a room that is not known to be none."""
    found = mutants(RAFT + room)[::EVERY]
    return [each for each in found if (room, each.function, each.what) not in EQUAL]


@pytest.mark.parametrize("room", ROOMS)
def test_there_are_enough_of_them(room: str) -> None:
    assert len(chosen(room)) >= 4


@pytest.mark.soak
@pytest.mark.parametrize("room", ROOMS)
def test_a_mutant_of_a_room_is_noticed(room: str) -> None:
    survivors = []
    for mutant in chosen(room):
        command = [sys.executable, "-m", "tests.mutation", RAFT + room, str(mutant.number), *TESTS]
        try:
            done = subprocess.run(command, capture_output=True, timeout=120, check=False, env={**os.environ})
        except subprocess.TimeoutExpired:
            continue
        if done.returncode == 0:
            survivors.append(str(mutant))
    assert survivors == []
