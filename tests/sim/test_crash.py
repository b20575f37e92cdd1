"""Crash, freeze and slow disks: three faults that must not be mistaken for one another."""

import pytest

from engines.sim import faults
from engines.sim.events import Crashed, LossReason, Lost
from engines.sim.kernel import FROZEN_INBOX
from engines.sim.views import changed_links, host_view
from tests.sim.lab import Lab

LATENCY_MAX_US = 25_000


def test_a_crash_loses_the_node_and_keeps_the_disk() -> None:
    lab = Lab()
    host, before = lab.hosts["a"], lab.diary("a")
    host.disk.write("term", 7)
    host.disk.append("entry")
    host.set_timer("tick", 10_000)
    lab.apply(faults.Crash("a"))
    lab.apply(faults.Restart("a"))
    lab.wait(100_000)
    assert lab.diary("a") is not before
    assert lab.diary("a").started == 1
    assert lab.diary("a").fired == []
    assert (host.disk.registers, host.disk.log) == ({"term": 7}, ["entry"])


def test_a_dead_node_hears_nothing_and_what_was_sent_to_it_is_lost() -> None:
    lab = Lab()
    lab.hosts["b"].send("a", "hello")
    lab.apply(faults.Crash("a"))
    lab.wait(LATENCY_MAX_US)
    assert lab.newest(Lost).why is LossReason.CRASHED
    lab.apply(faults.Restart("a"))
    lab.wait(LATENCY_MAX_US)
    assert lab.heard("a") == []


def test_what_a_node_had_sent_before_it_died_still_arrives() -> None:
    lab = Lab()
    lab.hosts["a"].send("b", "last words")
    lab.wait(1)
    lab.apply(faults.Crash("a"))
    lab.wait(LATENCY_MAX_US)
    assert lab.heard("b") == ["last words"]


def test_a_message_leaves_only_after_the_sync_of_what_was_written_before_it() -> None:
    lab = Lab()
    host = lab.hosts["a"]
    lab.apply(faults.SlowDisk("a", 50_000))
    host.disk.write("vote", "b")
    assert not host.persist()
    host.send("b", "my vote")
    assert lab.flights() == ()
    lab.wait(50_000)
    assert lab.diary("a").synced == [50_000]
    assert [flight.departs_us for flight in lab.flights()] == [50_000]
    lab.wait(LATENCY_MAX_US)
    assert lab.heard("b") == ["my vote"]


def test_syncs_queue_up_behind_each_other() -> None:
    lab = Lab()
    host = lab.hosts["a"]
    lab.apply(faults.SlowDisk("a", 50_000))
    host.disk.append(1)
    host.persist()
    host.disk.append(2)
    host.persist()
    lab.wait(60_000)
    assert host.disk.crash() == 1
    assert host.disk.log == [1]


def test_one_sync_covers_all_that_was_written_before_it_began() -> None:
    """Group commit: ten writes during one sync are durable with the next one, not with the tenth."""
    lab = Lab()
    host = lab.hosts["a"]
    lab.apply(faults.SlowDisk("a", 50_000))
    host.disk.append(0)
    host.persist()
    for number in range(1, 11):
        lab.wait(4_000)
        host.disk.append(number)
        host.persist()
        host.send("b", number)
    lab.wait(10_000)
    assert (host.disk.durable_length(), lab.heard("b")) == (1, [])
    lab.wait(50_000)
    assert (host.disk.durable_length(), host.disk.undo) == (11, [])
    assert lab.diary("a").synced == [50_000, 100_000]
    lab.wait(LATENCY_MAX_US)
    assert lab.heard("b") == list(range(1, 11))


def test_a_disk_that_becomes_slower_keeps_the_time_of_the_sync_that_waits() -> None:
    """A message that was told when it may leave never leaves before what it tells of is durable."""
    lab = Lab()
    host = lab.hosts["a"]
    lab.apply(faults.SlowDisk("a", 50_000))
    for number in range(3):
        host.disk.append(number)
        host.persist()
        host.send("b", number)
        lab.apply(faults.SlowDisk("a", 50_000 + 40_000 * number))
    lab.wait(100_000 - 1)
    assert [flight.message for flight in lab.flights() if flight.departs_us >= 100_000] == []
    assert host.disk.durable_length() == 1
    lab.wait(1)
    assert host.disk.durable_length() == 3


def test_heal_heals_the_queue_of_the_disk() -> None:
    lab = Lab()
    host = lab.hosts["a"]
    lab.apply(faults.SlowDisk("a", 1_000_000))
    lab.apply(faults.Clog("a", "c"))
    for number in range(3):
        host.disk.append(number)
        host.persist()
        host.send("b", number)
        host.send("c", number)
        lab.wait(5_000)
    lab.apply(faults.Heal())
    assert (host.disk.undo, lab.diary("a").synced) == ([], [15_000])
    lab.wait(LATENCY_MAX_US)
    assert (lab.heard("b"), lab.heard("c")) == ([0, 1, 2], [0, 1, 2])
    lab.wait(3_000_000)
    assert lab.diary("a").synced == [15_000]
    assert host.persist()


@pytest.mark.parametrize("clogged", [False, True])
def test_a_crash_before_the_sync_takes_the_write_and_the_message_that_told_of_it(clogged: bool) -> None:
    lab = Lab()
    host = lab.hosts["a"]
    lab.apply(faults.SlowDisk("a", 50_000))
    if clogged:
        lab.apply(faults.Clog("a", "b"))
    host.disk.write("vote", "b")
    host.persist()
    host.send("b", "my vote")
    lab.wait(20_000)
    lab.apply(faults.Crash("a"))
    assert lab.newest(Crashed).unsent == 1
    lab.apply(faults.Heal())
    lab.wait(500_000)
    assert "vote" not in host.disk.registers
    assert lab.heard("b") == []


def test_a_clogged_link_keeps_what_had_left_a_node_that_dies() -> None:
    lab = Lab()
    lab.apply(faults.Clog("a", "b"))
    lab.hosts["a"].send("b", "hello")
    lab.wait(10_000)
    lab.apply(faults.Crash("a"))
    lab.apply(faults.Unclog("a", "b"))
    lab.wait(LATENCY_MAX_US)
    assert lab.heard("b") == ["hello"]


def test_a_message_that_leaves_at_the_microsecond_of_the_crash_has_its_write_behind_it() -> None:
    """The sync is due now and not yet executed: either it is done and the message left, or neither."""
    lab = Lab()
    host = lab.hosts["a"]
    lab.apply(faults.SlowDisk("a", 50_000))
    host.disk.write("vote", "b")
    host.persist()
    host.send("b", "my vote")
    lab.wait(49_999)
    lab.settle(50_000)
    lab.apply(faults.Crash("a"))
    lab.wait(LATENCY_MAX_US)
    assert (host.disk.registers.get("vote") == "b") == (lab.heard("b") == ["my vote"])


def test_a_disk_that_is_fast_again_still_finishes_what_was_under_way() -> None:
    lab = Lab()
    host = lab.hosts["a"]
    lab.apply(faults.SlowDisk("a", 50_000))
    host.disk.append(1)
    host.persist()
    lab.apply(faults.SlowDisk("a", 0))
    host.disk.append(2)
    assert not host.persist()
    host.send("b", "both")
    lab.wait(49_000)
    assert len(host.disk.undo) == 2
    lab.wait(1_000)
    assert host.disk.undo == []
    assert host.persist()
    lab.wait(LATENCY_MAX_US)
    assert lab.heard("b") == ["both"]


def test_a_freeze_keeps_everything_and_a_thaw_finds_it_in_the_order_in_which_it_came() -> None:
    lab = Lab()
    host, before = lab.hosts["a"], lab.diary("a")
    host.set_timer("tick", 30_000)
    lab.apply(faults.Freeze("a"))
    for number in range(5):
        lab.hosts["b"].send("a", number)
        lab.wait(LATENCY_MAX_US)
    assert lab.heard("a") == []
    lab.apply(faults.Thaw("a"))
    lab.wait(1)
    assert lab.diary("a") is before
    assert lab.heard("a") == [0, 1, 2, 3, 4]
    assert before.fired == [(125_000, "tick")]
    assert lab.kinds()[-6:] == ["delivered", "timer_fired", *["delivered"] * 4]


def test_what_had_reached_a_frozen_node_cannot_be_cut_off_any_more() -> None:
    lab = Lab()
    lab.apply(faults.Freeze("a"))
    lab.hosts["b"].send("a", "hello")
    lab.wait(LATENCY_MAX_US)
    lab.apply(faults.Cut("b", "a"))
    lab.apply(faults.Thaw("a"))
    lab.wait(1)
    assert lab.heard("a") == ["hello"]


def test_a_frozen_node_that_dies_loses_what_waited() -> None:
    lab = Lab()
    lab.apply(faults.Freeze("a"))
    lab.hosts["b"].send("a", "hello")
    lab.wait(LATENCY_MAX_US)
    lab.apply(faults.Crash("a"))
    lab.apply(faults.Restart("a"))
    lab.wait(LATENCY_MAX_US)
    assert lab.heard("a") == []


def test_the_buffers_of_a_frozen_node_are_bounded() -> None:
    lab = Lab()
    lab.apply(faults.Freeze("a"))
    for number in range(FROZEN_INBOX + 10):
        lab.hosts["b"].send("a", number)
    lab.wait(LATENCY_MAX_US)
    assert len(lab.hosts["a"].inbox) == FROZEN_INBOX
    assert lab.newest(Lost).why is LossReason.OVERFLOW


def test_a_crash_of_the_dead_a_restart_of_the_living_and_a_thaw_of_the_warm_do_nothing() -> None:
    lab = Lab()
    before = lab.diary("a")
    for command in (faults.Restart("a"), faults.Thaw("a")):
        assert lab.apply(command) == ()
    lab.apply(faults.Crash("a"))
    for order in (faults.Crash("a"), faults.Freeze("a"), faults.Thaw("a")):
        assert lab.apply(order) == ()
    assert lab.diary("a") is before


def test_heal_undoes_every_fault() -> None:
    lab = Lab()
    for command in (
        faults.Crash("a"), faults.Freeze("b"), faults.Isolate("c"), faults.Cut("d", "e"), faults.Clog("e", "d"),
        faults.Lose("*", "d", 500_000), faults.Slow("d", "*", 1, 1), faults.Duplicate("a", "b", 9),
        faults.Reorder("a", "b", 9), faults.Skew("d", 5_000, 100), faults.SlowDisk("e", 1_000),
    ):  # fmt: skip
        lab.apply(command)
        lab.wait(1_000)
    well = Lab()
    shown = [host_view(lab.hosts[name], lab.hosts, lab.servers) for name in lab.servers]
    assert all(view != host_view(well.hosts[view.id], well.hosts, well.servers) for view in shown)
    assert len(changed_links(lab.hosts.values())) >= 8
    lab.hosts["e"].send("d", "held")
    lab.apply(faults.Heal())
    assert [host_view(lab.hosts[name], lab.hosts, lab.servers) for name in lab.servers] == [
        host_view(well.hosts[name], well.hosts, well.servers)._replace(waiting=0) for name in lab.servers
    ]
    assert changed_links(lab.hosts.values()) == ()
    assert {host.status for host in lab.hosts.values()} == {"up"}
    assert not any(link.faulty for host in lab.hosts.values() for link in host.links.values())
    lab.wait(LATENCY_MAX_US)
    assert lab.heard("d") == ["held"]
