"""The log with the indices of the paper, and the configurations in it."""

from engines.consensus.raft.log import RaftLog
from engines.consensus.raft.messages import Entry
from engines.consensus.raft.ports import MemoryDisk
from engines.consensus.raft.quorum import Configuration
from tests.engines.consensus.raft.server import entries

THREE = Configuration(("n1", "n2", "n3"))
FOUR = Configuration(("n1", "n2", "n3", "n4"))


def log(*terms: int) -> RaftLog:
    disk = MemoryDisk()
    disk.append(*entries(*terms))
    return RaftLog(disk, THREE)


def test_indices_are_those_of_the_paper() -> None:
    one = log(1, 1, 2)
    assert (one.first_index, one.last_index, one.last_term) == (1, 3, 2)
    assert [one.term_at(index) for index in range(4)] == [0, 1, 1, 2]
    assert one[3] == entries(1, 1, 2)[2]
    assert one.slice(2, 99) == entries(1, 1, 2)[1:]
    assert (log().last_index, log().last_term) == (0, 0)


def test_a_log_holds_an_entry_if_index_and_term_are_equal() -> None:
    one = log(1, 1, 2)
    assert [one.holds(*each) for each in ((0, 0), (2, 1), (3, 2))] == [True] * 3
    assert [one.holds(*each) for each in ((3, 1), (4, 2), (1, 2))] == [False] * 3


def test_the_newest_configuration_rules_from_append_on_and_falls_back_on_truncation() -> None:
    """'A server always uses the latest configuration in its log, regardless of whether it is committed' (4.1)."""
    one = log(1)
    one.append((Entry(1, FOUR), *entries(1, first=3)))
    assert (one.configuration, one.configuration_at(1), one.configuration_at(2)) == (FOUR, THREE, FOUR)
    assert RaftLog(one.disk, THREE).configuration == FOUR
    one.truncate(3)
    assert one.configuration == FOUR
    one.truncate(2)
    assert (one.configuration, one.last_index) == (THREE, 1)
