"""What may befall a message between two nodes, and what may not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.errors import UserError
from engines.sim import faults
from engines.sim.events import DropMissed, LossReason, Lost
from engines.sim.network import LinkOptions
from tests.sim.lab import Lab

LATENCY_US, JITTER_US = 15_000, 10_000


def flood(lab: Lab, count: int, src: str = "a", dst: str = "b", every_us: int = 0) -> list[int]:
    """Send numbered messages; return when each left."""
    left = []
    for number in range(count):
        lab.hosts[src].send(dst, number)
        left.append(lab.now_us)
        lab.wait(every_us)
    return left


def fates(lab: Lab, name: str) -> list[tuple[int, Any]]:
    return [(at_us, message) for at_us, _, message in lab.diary(name).heard]


# -- latency and order ---------------------------------------------------------------------------------------


def test_a_message_takes_latency_and_some_jitter() -> None:
    lab = Lab()
    left = flood(lab, 500, every_us=50_000)
    took = [at_us - left[message] for at_us, message in fates(lab, "b")]
    assert len(took) == 500
    assert LATENCY_US <= min(took) < LATENCY_US + 200
    assert LATENCY_US + JITTER_US - 200 < max(took) <= LATENCY_US + JITTER_US
    assert abs(sum(took) / 500 - (LATENCY_US + JITTER_US / 2)) < 5 * 130


@given(st.integers(0, 1 << 20), st.integers(0, 20_000), st.integers(0, 50_000))
def test_a_link_keeps_the_order(seed: int, every_us: int, jitter_us: int) -> None:
    lab = Lab(seed)
    lab.apply(faults.Slow("a", "b", 1_000, jitter_us))
    flood(lab, 40, every_us=every_us)
    lab.wait(200_000)
    assert lab.heard("b") == list(range(40))


def test_a_link_keeps_the_order_also_when_it_becomes_faster() -> None:
    lab = Lab()
    lab.apply(faults.Slow("a", "b", 500_000, 0))
    lab.hosts["a"].send("b", "slow")
    lab.apply(faults.Slow("a", "b", 0, 0))
    lab.hosts["a"].send("b", "fast")
    lab.wait(500_000)
    assert lab.heard("b") == ["slow", "fast"]


def test_reordering_lets_messages_overtake_and_loses_none() -> None:
    lab = Lab()
    lab.apply(faults.Reorder("a", "b", 300_000))
    flood(lab, 300, every_us=1_000)
    lab.wait(200_000)
    assert lab.heard("b") != sorted(lab.heard("b"))
    assert sorted(lab.heard("b")) == list(range(300))


# -- loss and duplication ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ppm", [0, 10_000, 300_000, 1_000_000])
def test_a_link_loses_the_share_it_was_told_to_lose(ppm: int) -> None:
    lab = Lab()
    lab.apply(faults.Lose("a", "b", ppm))
    flood(lab, 4_000)
    lab.wait(200_000)
    expected = 4_000 * ppm / 1_000_000
    deviation = (4_000 * ppm / 1_000_000 * (1 - ppm / 1_000_000)) ** 0.5
    assert abs(4_000 - len(lab.heard("b")) - expected) <= 5 * deviation
    if ppm == 1_000_000:
        assert (lab.newest(Lost).why, lab.newest(Lost).loss_ppm) == (LossReason.CHANCE, ppm)


def test_a_link_delivers_the_share_it_was_told_to_twice_and_never_thrice() -> None:
    lab = Lab()
    lab.apply(faults.Duplicate("a", "b", 250_000))
    flood(lab, 4_000)
    lab.wait(200_000)
    counts = [lab.heard("b").count(number) for number in set(lab.heard("b"))]
    assert set(counts) == {1, 2}
    assert len(counts) == 4_000
    assert abs(counts.count(2) - 1_000) < 5 * 27.4


def test_a_lost_message_dies_half_way() -> None:
    lab = Lab(link=LinkOptions(10_000, 0))
    lab.apply(faults.Lose("a", "b", 1_000_000))
    lab.hosts["a"].send("b", "hello")
    assert [(each.departs_us, each.arrives_us) for each in lab.flights()] == [(0, 10_000)]
    lab.wait(10_000)
    assert [event.at_us for event in lab.latest(99) if isinstance(event.what, Lost)] == [5_000]


def test_faults_of_one_link_leave_all_others_as_they_were() -> None:
    """And duplicates and reordering draw from streams of their own: they change no latency and no loss."""
    calm, stormy = Lab(9), Lab(9)
    stormy.apply(faults.Lose("a", "b", 500_000))
    stormy.apply(faults.Slow("b", "a", 1, 90_000))
    stormy.apply(faults.Duplicate("a", "c", 500_000))
    stormy.apply(faults.Reorder("c", "a", 500_000))
    for lab in (calm, stormy):
        for _ in range(50):
            for src in "abcd":
                for dst in "abcd":
                    if src != dst:
                        lab.hosts[src].send(dst, (src, dst, lab.now_us))
            lab.wait(40_000)
    for name in "abcd":
        for src in "abcd":
            if src + name not in ("ab", "ba", "ac", "ca"):
                one = [(at_us, message) for at_us, who, message in calm.diary(name).heard if who == src]
                assert one == [(at_us, message) for at_us, who, message in stormy.diary(name).heard if who == src]
    originals = [(at_us, message) for at_us, who, message in calm.diary("c").heard if who == "a"]
    assert set(originals) <= {(at_us, message) for at_us, who, message in stormy.diary("c").heard if who == "a"}


# -- cuts, clogs, partitions ---------------------------------------------------------------------------------


def test_a_cut_has_one_direction() -> None:
    lab = Lab()
    lab.apply(faults.Cut("a", "b"))
    lab.hosts["a"].send("b", "there")
    lab.hosts["b"].send("a", "back")
    lab.wait(100_000)
    assert lab.heard("b") == []
    assert lab.heard("a") == ["back"]
    assert lab.newest(Lost).why is LossReason.CUT


def test_a_cut_also_takes_what_was_on_its_way() -> None:
    lab = Lab()
    lab.hosts["a"].send("b", "hello")
    lab.wait(5_000)
    lab.apply(faults.Cut("a", "b"))
    lab.wait(100_000)
    lab.apply(faults.Mend("a", "b"))
    lab.wait(100_000)
    assert lab.heard("b") == []
    lab.hosts["a"].send("b", "again")
    lab.wait(100_000)
    assert lab.heard("b") == ["again"]


def test_an_isolated_node_is_cut_both_ways_from_all() -> None:
    lab = Lab()
    lab.apply(faults.Isolate("a"))
    for other in "bcde":
        lab.hosts["a"].send(other, "out")
        lab.hosts[other].send("a", "in")
    lab.hosts["b"].send("c", "among us")
    lab.wait(100_000)
    assert [lab.heard(name) for name in "abcde"] == [[], [], ["among us"], [], []]
    lab.apply(faults.Reconnect("a"))
    assert not lab.hosts["a"].links["b"].faulty


def test_a_star_is_every_node() -> None:
    lab = Lab()
    lab.apply(faults.Cut("*", "a"))
    assert {src for src, host in lab.hosts.items() if src != "a" and host.links["a"].cut} == set("bcde")
    assert not any(link.cut for link in lab.hosts["a"].links.values())
    lab.apply(faults.Cut("*", "*"))
    assert all(link.cut for host in lab.hosts.values() for link in host.links.values())


sides = st.lists(st.sampled_from((0, 1, 2, None)), min_size=5, max_size=5)


@given(sides)
def test_a_partition_cuts_between_sides_and_leaves_who_is_on_none(side_of: list[int | None]) -> None:
    lab = Lab()
    named = [tuple(name for name, side in zip("abcde", side_of, strict=True) if side == number) for number in range(3)]
    if sum(1 for side in named if side) < 2:
        return
    lab.apply(faults.Partition(tuple(side for side in named if side)))
    for src, one in zip("abcde", side_of, strict=True):
        for dst, other in zip("abcde", side_of, strict=True):
            if src != dst:
                cut = one is not None and other is not None and one != other
                assert lab.hosts[src].links[dst].cut == cut


def test_a_second_partition_replaces_the_first() -> None:
    lab = Lab()
    lab.apply(faults.Partition((("a", "b"), ("c", "d", "e"))))
    lab.apply(faults.Partition((("a", "c"), ("b", "d", "e"))))
    assert not lab.hosts["a"].links["c"].cut
    assert lab.hosts["a"].links["b"].cut


@given(st.integers(0, 1 << 20), st.integers(0, 5_000))
def test_a_clogged_link_holds_everything_back_and_releases_it_in_order(seed: int, every_us: int) -> None:
    lab = Lab(seed)
    lab.hosts["a"].send("b", -1)
    lab.apply(faults.Clog("a", "b"))
    flood(lab, 20, every_us=every_us)
    lab.wait(1_000_000)
    assert lab.heard("b") == [-1]
    lab.apply(faults.Unclog("a", "b"))
    lab.hosts["a"].send("b", 20)
    lab.wait(100_000)
    assert lab.heard("b") == list(range(-1, 21))


def test_a_clogged_link_that_is_lossy_loses_nothing() -> None:
    lab = Lab()
    lab.apply(faults.Lose("a", "b", 900_000))
    lab.apply(faults.Clog("a", "b"))
    flood(lab, 50)
    lab.apply(faults.Unclog("a", "b"))
    lab.wait(100_000)
    assert lab.heard("b") == list(range(50))


# -- one chosen message --------------------------------------------------------------------------------------


def test_one_message_in_flight_can_be_dropped() -> None:
    lab = Lab()
    flood(lab, 3)
    lab.apply(faults.Drop(lab.flights()[1].id))
    assert lab.newest(Lost).why is LossReason.DROPPED
    lab.wait(100_000)
    assert lab.heard("b") == [0, 2]


def test_a_message_that_arrived_or_never_was_cannot_be_dropped() -> None:
    lab = Lab()
    flood(lab, 1)
    (flight,) = lab.flights()
    lab.wait(100_000)
    lab.apply(faults.Drop(flight.id))
    assert lab.newest(DropMissed) == DropMissed(flight.id)


def test_a_timer_is_no_message_and_survives_the_attempt_to_drop_it() -> None:
    lab = Lab()
    lab.hosts["a"].set_timer("tick", 1_000)
    lab.apply(faults.Drop(lab.clock.seq))
    lab.wait(1_000)
    assert lab.diary("a").fired == [(1_000, "tick")]


# -- what makes no sense is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "complaint"),
    [
        (faults.Crash("x"), "no node 'x' in this cluster: it has a, b, c, d, e"),
        (faults.Crash("*"), r"no node '\*'"),
        (faults.Crash(""), "no node ''"),
        (faults.Cut("a", "x"), "no node 'x'"),
        (faults.Lose("a", "b", -1), "a share of -1 ppm"),
        (faults.Duplicate("a", "b", 1_000_001), "a share of 1000001 ppm"),
        (faults.Reorder("a", "b", 1_000_001), "between 0 and 1000000"),
        (faults.Slow("a", "b", -1, 0), "neither can be negative"),
        (faults.Slow("a", "b", 0, -1), "neither can be negative"),
        (faults.Skew("a", 0, -900_001), "a drift of -900001 ppm"),
        (faults.Skew("a", 0, 9_000_001), "a drift of 9000001 ppm"),
        (faults.SlowDisk("a", -1), "a disk sync of -1 us"),
        (faults.SlowDisk("a", 60_000_001), "a disk sync of 60000001 us"),
        (faults.ExpireTimers(("a",), "tick", -1), "cannot run out 1 us ago"),
        (faults.ExpireTimers(("a", "x"), "tick", 0), "no node 'x'"),
        (faults.Partition((("a", "b"),)), "two or more sides"),
        (faults.Partition((("a",), ("b", "a"))), "no node on two of them"),
    ],
    ids=str,
)
def test_a_fault_that_makes_no_sense_is_refused_before_anything_changes(command: faults.Fault, complaint: str) -> None:
    lab = Lab()
    with pytest.raises(UserError, match=complaint):
        lab.apply(command)
    assert (lab.position, lab.events_total) == (0, 0)
