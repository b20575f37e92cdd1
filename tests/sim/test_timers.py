"""Timers: a reset costs nothing and changes nothing, and every clock is its node's own."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.sim import faults
from engines.sim.events import TimersExpired
from tests.sim.lab import Lab


def test_a_timer_fires_once_at_its_deadline() -> None:
    lab = Lab()
    lab.hosts["a"].set_timer("tick", 5_000)
    lab.wait(50_000)
    assert lab.diary("a").fired == [(5_000, "tick")]
    assert lab.hosts["a"].timer_left_us("tick") is None


@pytest.mark.parametrize("delay_us", [1, 3_000, 5_000, 9_000])
def test_a_reset_timer_fires_at_its_new_deadline_be_it_earlier_or_later(delay_us: int) -> None:
    lab = Lab()
    lab.hosts["a"].set_timer("tick", 5_000)
    lab.wait(1_000)
    lab.hosts["a"].set_timer("tick", delay_us)
    lab.wait(50_000)
    assert lab.diary("a").fired == [(1_000 + delay_us, "tick")]


def test_a_timer_that_is_put_off_again_and_again_fires_exactly_once_at_the_end() -> None:
    lab = Lab()
    for _ in range(100):
        lab.hosts["a"].set_timer("tick", 5_000)
        lab.wait(3_333)
    lab.wait(50_000)
    assert lab.diary("a").fired == [(99 * 3_333 + 5_000, "tick")]


def test_a_cancelled_timer_is_silent_and_can_be_set_again() -> None:
    lab = Lab()
    host = lab.hosts["a"]
    host.cancel_timer("never set")
    host.set_timer("tick", 5_000)
    host.cancel_timer("tick")
    assert host.timer_left_us("tick") is None
    lab.wait(2_000)
    host.set_timer("tick", 1_000)
    lab.wait(50_000)
    host.set_timer("tick", 1_000)
    lab.wait(500)
    host.cancel_timer("tick")
    lab.wait(50_000)
    assert lab.diary("a").fired == [(3_000, "tick")]


def test_the_timers_of_a_dead_node_die_with_it() -> None:
    lab = Lab()
    lab.hosts["a"].set_timer("tick", 5_000)
    lab.apply(faults.Crash("a"))
    lab.apply(faults.Restart("a"))
    lab.hosts["a"].set_timer("tick", 9_000)
    lab.wait(50_000)
    assert lab.diary("a").fired == [(9_000, "tick")]


# -- clocks that are wrong -----------------------------------------------------------------------------------


def test_a_clock_that_jumps_forward_brings_its_timers_nearer() -> None:
    lab = Lab()
    lab.hosts["a"].set_timer("tick", 50_000)
    lab.apply(faults.Skew("a", 30_000, 0))
    assert lab.hosts["a"].now_us == 30_000
    lab.wait(100_000)
    assert lab.diary("a").fired == [(20_000, "tick")]


def test_a_clock_that_jumps_beyond_a_deadline_fires_it_at_once() -> None:
    lab = Lab()
    lab.hosts["a"].set_timer("tick", 50_000)
    lab.apply(faults.Skew("a", 80_000, 0))
    lab.wait(1)
    assert lab.diary("a").fired == [(0, "tick")]


def test_a_clock_that_jumps_back_puts_its_timers_off() -> None:
    lab = Lab()
    lab.hosts["a"].set_timer("tick", 50_000)
    lab.wait(10_000)
    lab.apply(faults.Skew("a", -30_000, 0))
    assert lab.hosts["a"].now_us == -20_000
    lab.wait(100_000)
    assert lab.diary("a").fired == [(80_000, "tick")]


@pytest.mark.parametrize(("drift_ppm", "fires_us"), [(1_000_000, 25_000), (-500_000, 100_000), (0, 50_000)])
def test_a_clock_that_drifts_measures_its_delays_in_its_own_time(drift_ppm: int, fires_us: int) -> None:
    lab = Lab()
    lab.hosts["b"].set_timer("tick", 50_000)
    lab.apply(faults.Skew("a", 0, drift_ppm))
    lab.apply(faults.Skew("b", 0, drift_ppm))
    lab.hosts["a"].set_timer("tick", 50_000)
    lab.wait(200_000)
    assert lab.diary("a").fired == lab.diary("b").fired == [(fires_us, "tick")]


def test_a_clock_that_is_put_right_again_takes_its_timers_along() -> None:
    lab = Lab()
    lab.apply(faults.Skew("a", 0, 1_000_000))
    lab.hosts["a"].set_timer("tick", 50_000)
    lab.wait(10_000)
    assert lab.hosts["a"].now_us == 20_000
    lab.apply(faults.Skew("a", 0, 0))
    assert lab.hosts["a"].now_us == 10_000
    lab.wait(200_000)
    assert lab.diary("a").fired == [(50_000, "tick")]


def test_a_skewed_clock_touches_nobody_else() -> None:
    lab = Lab()
    lab.hosts["b"].set_timer("tick", 50_000)
    lab.apply(faults.Skew("a", 30_000, 500_000))
    assert lab.hosts["b"].now_us == 0
    lab.wait(100_000)
    assert lab.diary("b").fired == [(50_000, "tick")]


# -- timers that a person lets run out -----------------------------------------------------------------------


def test_the_timers_of_several_nodes_run_out_at_one_moment() -> None:
    lab = Lab()
    for name, delay_us in zip("abc", (10_000, 70_000, 90_000), strict=True):
        lab.hosts[name].set_timer("tick", delay_us)
    lab.hosts["d"].set_timer("other", 90_000)
    lab.apply(faults.Crash("c"))
    lab.apply(faults.ExpireTimers(("a", "b", "c", "d"), "tick", 40_000))
    assert lab.newest(TimersExpired).nodes == ("a", "b")
    lab.wait(80_000)
    assert [lab.diary(name).fired for name in "abcd"] == [[(40_000, "tick")], [(40_000, "tick")], [], []]


# -- against a naive model -----------------------------------------------------------------------------------

ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(("set", "set", "set", "cancel", "freeze", "thaw", "expire")),
        st.sampled_from(("t1", "t2")),
        st.integers(0, 40),
        st.integers(0, 30),
    ),
    max_size=40,
)


@given(ACTIONS)
def test_lazy_timers_do_what_a_list_of_deadlines_would_do(actions: list[tuple[str, str, int, int]]) -> None:
    lab = Lab()
    host = lab.hosts["a"]
    deadlines: dict[str, int] = {}
    fired: list[tuple[int, str]] = []
    frozen = False

    def let_pass(until_us: int) -> None:
        for name, at_us in sorted(deadlines.items(), key=lambda item: item[1]):
            if at_us <= until_us and not frozen:
                fired.append((max(at_us, lab.now_us), name))
                del deadlines[name]

    for what, name, delay_us, wait_us in actions:
        if what == "set" and not frozen:
            host.set_timer(name, delay_us)
            deadlines[name] = lab.now_us + delay_us
        elif what == "cancel" and not frozen:
            host.cancel_timer(name)
            deadlines.pop(name, None)
        elif what == "freeze":
            lab.apply(faults.Freeze("a"))
            frozen = True
        elif what == "thaw":
            lab.apply(faults.Thaw("a"))
            frozen = False
        elif what == "expire":
            lab.apply(faults.ExpireTimers(("a",), name, delay_us))
            if name in deadlines:
                deadlines[name] = lab.now_us + delay_us
        let_pass(lab.now_us + wait_us)
        lab.wait(wait_us)
        left: dict[str, Any] = {each: host.timer_left_us(each) for each in ("t1", "t2")}
        assert left == {each: max(0, deadlines[each] - lab.now_us) if each in deadlines else None for each in left}
    assert sorted(lab.diary("a").fired) == sorted(fired)
