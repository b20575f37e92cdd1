"""The log with the indices of the paper, and the configurations in it."""

import pytest

from engines.consensus.raft.log import Base, RaftLog
from engines.consensus.raft.messages import Entry
from engines.consensus.raft.ports import MemoryDisk
from engines.consensus.raft.quorum import Configuration
from engines.sim.disk import Disk
from tests.engines.consensus.raft.server import entries

THREE = Configuration(("n1", "n2", "n3"))
FOUR = Configuration(("n1", "n2", "n3", "n4"))


def log(*terms: int) -> RaftLog:
    disk = MemoryDisk()
    disk.extend(entries(*terms))
    return RaftLog(disk, THREE)


def test_indices_are_those_of_the_paper() -> None:
    one = log(1, 1, 2)
    assert (one.first_index, one.last_index, one.last_term) == (1, 3, 2)
    assert [one.term_at(index) for index in range(4)] == [0, 1, 1, 2]
    assert one[3] == entries(1, 1, 2)[2]
    assert one.slice(2, 99) == list(entries(1, 1, 2)[1:])
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


def cut() -> RaftLog:
    """Entries 4 to 6 of terms 3, 4, 4, behind a base of term 3."""
    one = log(1, 2, 3, 3, 4, 4)
    one.compact(3)
    return one


def test_a_log_that_was_cut_keeps_the_indices_of_its_entries() -> None:
    one = cut()
    assert (one.first_index, one.last_index, one.base_index, one.base_term) == (4, 6, 3, 3)
    assert [one[index].term for index in (4, 5, 6)] == [3, 4, 4]
    assert [one.term_at(index) for index in (3, 4, 5, 6)] == [3, 3, 4, 4]
    assert one.slice(5, 5) == [one[5]]
    assert RaftLog(one.disk, THREE).term_at(3) == 3
    with pytest.raises(AssertionError, match="entry 3 is gone"):
        one[3]


def test_a_log_that_was_cut_is_truncated_at_the_index_of_an_entry() -> None:
    one = cut()
    one.truncate(6)
    assert (one.last_index, one.last_term, len(one.disk.log)) == (5, 4, 2)
    one.append(entries(5, first=6))
    assert (one.last_index, one.term_at(6)) == (6, 5)
    one.truncate(4)
    assert (one.last_index, one.last_term, one.disk.log) == (3, 3, [])


def test_going_back_over_a_term_ends_at_the_base() -> None:
    one = cut()
    assert [one.last_of_term(6, term) for term in (4, 3, 2)] == [6, 4, 3]
    assert [one.first_of_term(index) for index in (6, 5, 4)] == [5, 5, 4]


def test_what_lies_before_the_base_was_committed_and_is_there() -> None:
    one = cut()
    assert [one.holds(*each) for each in ((2, 9), (3, 3), (4, 3), (6, 4))] == [True] * 4
    assert [one.holds(*each) for each in ((3, 2), (5, 3), (7, 4))] == [False] * 3
    assert (one.holds_durably(1, 9), one.holds_durably(6, 4), one.holds_durably(7, 4)) == (True, True, False)


def test_a_longer_log_of_the_last_term_is_more_up_to_date_also_behind_a_base() -> None:
    one = cut()
    assert [one.is_up_to_date(*each) for each in ((6, 4), (7, 4), (1, 5))] == [True] * 3
    assert [one.is_up_to_date(*each) for each in ((5, 4), (9, 3))] == [False] * 2
    one.restart_at(Base(9, 7, FOUR))
    assert (one.last_index, one.last_term, one.configuration, one.disk.log) == (9, 7, FOUR, [])
    assert [one.is_up_to_date(*each) for each in ((9, 7), (8, 7))] == [True, False]


def test_what_brought_the_configuration_at_the_base_is_known_when_it_is_gone() -> None:
    one = log(1)
    assert one.configured_at(1) == (0, THREE)
    one.append((Entry(1, FOUR), *entries(1, 1, first=3)))
    one.compact(3)
    assert (one.configured_at(4), RaftLog(one.disk, THREE).configurations) == ((2, FOUR), [(2, FOUR)])
    one.restart_at(Base(9, 7, THREE, 8))
    assert one.configured_at(9) == (8, THREE)


def test_what_a_log_holds_durably_would_be_there_after_a_crash() -> None:
    disk = Disk()
    disk.fsync_us = 1
    one = RaftLog(disk, THREE)
    one.append(entries(1))
    assert not one.holds_durably(1, 1)
    assert one.holds_durably(0, 0), "what lies before was committed"
    disk.synced(disk.writes)
    one.append(entries(1, 2, first=2))
    assert [one.holds_durably(*each) for each in ((1, 1), (1, 2), (2, 1))] == [True, False, False]
    assert one.durable_index() == 1


def test_configurations_that_were_cut_off_are_forgotten_but_for_the_one_at_the_base() -> None:
    one = log(1)
    one.append((Entry(1, FOUR), Entry(1, None), Entry(1, THREE)))
    one.compact(3)
    assert one.configurations == [(2, FOUR), (4, THREE)]
