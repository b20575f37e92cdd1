"""Single-line mutants of the server, room by room, and of the state machine: each is noticed by the tests of its rules.

What a slip of the hand would make of a line is made by script (tests/mutation.py), and the quick tests of the rooms run
against it. Some mutants are equal to the original: a first value that nobody reads, a comparison whose equal case does
nothing. The known ones are named here; a few more of a room may go by, and are printed when there are too many.
"""

import os
import subprocess
import sys
from pathlib import Path
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

EQUAL_SHARE_MAX: Final = 0.15
BEFORE: Final = "it is set before anybody reads it"
EQUAL: Final[dict[tuple[str, str], str]] = {
    ("if first > log.first_index:", "Gt becomes GtE"): "to cut a log at its base cuts nothing",
    ("self.timer_us = 0", "0 becomes 1"): BEFORE,
    ("self.campaign_us = 0", "0 becomes 1"): BEFORE,
    ("self.leader_since_us = 0", "0 becomes 1"): BEFORE,
    ("self.snapshot_due = 0", "0 becomes 1"): BEFORE,
    ("self.round = 0", "0 becomes 1"): "rounds are compared with each other, whatever they begin with",
}
"""(line, change) -> why nothing behaves otherwise."""


def chosen(room: str) -> list[Mutant]:
    """Every sixth mutant of a room that is not known to be none."""
    lines = Path(*(RAFT + room).split(".")).with_suffix(".py").read_text(encoding="utf-8").splitlines()
    found = mutants(RAFT + room)[::EVERY]
    return [each for each in found if (lines[each.line - 1].strip(), each.what) not in EQUAL]


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
    assert len(survivors) <= len(chosen(room)) * EQUAL_SHARE_MAX, survivors
