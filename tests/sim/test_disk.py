"""What a crash takes from a disk, and what it must leave."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from engines.sim.disk import Disk

State = tuple[dict[str, Any], list[Any]]


def contents(disk: Disk) -> State:
    return dict(disk.registers), list(disk.log)


def slow_disk() -> Disk:
    disk = Disk()
    disk.fsync_us = 10_000
    return disk


def test_a_fast_disk_makes_every_write_durable_when_it_is_made() -> None:
    disk = Disk()
    disk.write("term", 1)
    disk.append("a", "b")
    disk.truncate(1)
    assert disk.crash() == 0
    assert contents(disk) == ({"term": 1}, ["a"])


def test_a_crash_takes_unsynced_writes_back_newest_first() -> None:
    disk = Disk()
    disk.write("term", 1)
    disk.append("a", "b", "c")
    disk.fsync_us = 10_000
    disk.write("term", 2)
    disk.truncate(1)
    disk.append("x")
    disk.truncate(0)
    assert disk.crash() == 4
    assert contents(disk) == ({"term": 1}, ["a", "b", "c"])


def test_a_node_reads_its_own_unsynced_writes() -> None:
    disk = slow_disk()
    disk.write("term", 2)
    disk.append("a")
    assert contents(disk) == ({"term": 2}, ["a"])


def test_the_synced_part_stays_and_only_the_rest_is_lost() -> None:
    disk = slow_disk()
    disk.append("a")
    disk.write("term", 2)
    asked = disk.writes
    disk.append("b")
    disk.write("term", 3)
    disk.synced(asked)
    assert disk.crash() == 2
    assert contents(disk) == ({"term": 2}, ["a"])


def test_a_register_that_never_reached_the_disk_is_absent_after_the_crash() -> None:
    disk = slow_disk()
    disk.write("term", 1)
    disk.crash()
    assert "term" not in disk.registers
    assert disk.registers.get("term", 0) == 0


def test_a_register_that_held_none_holds_none_again() -> None:
    disk = Disk()
    disk.write("vote", None)
    disk.fsync_us = 10_000
    disk.write("vote", "n2")
    disk.crash()
    assert disk.registers == {"vote": None}


def test_a_write_behind_an_unsynced_one_waits_for_it_though_the_disk_is_fast_again() -> None:
    disk = Disk()
    disk.append("a", "b", "c")
    disk.fsync_us = 10_000
    disk.truncate(1)
    disk.fsync_us = 0
    disk.append("x")
    assert disk.crash() == 2
    assert disk.log == ["a", "b", "c"]


def test_a_second_crash_takes_nothing_more() -> None:
    disk = slow_disk()
    disk.append("a")
    assert disk.crash() == 1
    assert disk.crash() == 0


def test_the_watcher_learns_the_lowest_position_that_changed() -> None:
    disk = Disk()
    disk.append("a", "b", "c", "d")
    disk.changed_from = len(disk.log)
    disk.append("e")
    assert disk.changed_from == 4
    disk.truncate(2)
    disk.append("x")
    assert disk.changed_from == 2


def test_the_watcher_learns_what_a_crash_brought_back() -> None:
    disk = Disk()
    disk.append("a", "b", "c")
    disk.fsync_us = 10_000
    disk.truncate(1)
    disk.append("x", "y")
    disk.changed_from = len(disk.log)
    disk.crash()
    assert disk.changed_from == 1


def test_dropping_the_front_moves_the_rest_and_a_crash_takes_it_back() -> None:
    disk = Disk()
    disk.append("a", "b", "c")
    disk.changed_from = len(disk.log)
    disk.fsync_us = 10_000
    disk.append("d")
    disk.drop(2)
    assert (disk.log, disk.changed_from, disk.durable_length()) == (["c", "d"], 1, 1)
    disk.truncate(0)
    assert disk.durable_length() == 0
    assert disk.crash() == 3
    assert (disk.log, disk.durable_length()) == (["a", "b", "c"], 3)
    disk.changed_from = len(disk.log)
    disk.fsync_us = 0
    disk.drop(2)
    assert (disk.log, disk.changed_from) == (["c"], 1)


actions = st.lists(
    st.tuples(st.just("write"), st.sampled_from(("term", "vote")), st.integers(0, 3) | st.none())
    | st.tuples(st.just("append"), st.integers(1, 3), st.none())
    | st.tuples(st.just("truncate"), st.integers(0, 6), st.none())
    | st.tuples(st.just("drop"), st.integers(0, 4), st.none())
    | st.tuples(st.just("fsync"), st.sampled_from((0, 10_000)), st.none())
    | st.tuples(st.just("ask"), st.none(), st.none())
    | st.tuples(st.just("sync"), st.none(), st.none())
    | st.tuples(st.just("crash"), st.none(), st.none()),
    max_size=40,
)


@given(actions)
def test_it_is_a_list_of_states_of_which_a_crash_keeps_the_last_durable_one(todo: list[tuple[str, Any, Any]]) -> None:
    disk = Disk()
    states: dict[int, State] = {0: contents(disk)}
    durable = 0
    asked: list[int] = []
    for what, where, value in todo:
        before = disk.writes
        at_once = not disk.fsync_us and durable == before
        if what == "write":
            disk.write(where, value)
        elif what == "append":
            disk.append(*((disk.writes, number) for number in range(where)))
        elif what == "truncate":
            disk.truncate(min(where, len(disk.log)))
        elif what == "drop":
            disk.drop(min(where, len(disk.log)))
        elif what == "fsync":
            disk.fsync_us = where
        elif what == "ask":
            asked.append(disk.writes)
        elif what == "sync" and asked:
            durable = max(durable, asked[0])
            disk.synced(asked.pop(0))
        elif what == "crash":
            left, log = disk.durable_length(), list(disk.log)
            disk.crash()
            assert contents(disk) == states[durable]
            assert all(entry in disk.log for entry in log[:left])
            assert all(entry not in disk.log for entry in log[left:])
            durable = disk.writes
            asked.clear()
        states[disk.writes] = copy.deepcopy(contents(disk))
        if at_once and disk.writes > before:
            durable = disk.writes
