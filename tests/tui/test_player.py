"""Wall time to virtual time: no drift, bounded work, cues, the end of a story, past and branches."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from engines.sim import faults
from tests import toy
from tui.player import SPEEDS, TICK_WALL_US, Player, speed_name


def player(scenario: str = "", speed: Fraction = Fraction(1)) -> Player:
    return Player(toy.timeline(7 if scenario else 42, scenario), speed)


@given(st.lists(st.integers(1, 200_000), max_size=40), st.sampled_from(SPEEDS))
def test_ticks_of_any_length_add_up_without_drift(ticks: list[int], speed: Fraction) -> None:
    runner = player(speed=speed)
    for wall_us in ticks:
        runner.tick(wall_us)
    assert runner.timeline.now_us == sum(ticks) * speed.numerator // speed.denominator


def test_how_it_was_watched_leaves_no_trace_in_the_run() -> None:
    slow, fast = player(speed=Fraction(1, 10)), player(speed=Fraction(10))
    for _ in range(100):
        slow.tick(100_000)
    fast.tick(100_000)
    assert slow.timeline.snapshot() == fast.timeline.snapshot()
    assert slow.timeline.digest() == fast.timeline.digest()


def test_the_work_of_a_tick_is_bounded_and_time_moves_less() -> None:
    runner = player(speed=Fraction(10))
    runner.tick(1_000_000, max_steps=5)
    assert runner.timeline.position == 5
    assert runner.timeline.now_us < 1_000_000


def test_a_suspended_process_does_not_race() -> None:
    runner = player()
    runner.tick(3_600_000_000)
    assert runner.timeline.now_us == TICK_WALL_US


def test_a_cue_pauses_and_playing_goes_on_behind_it() -> None:
    runner = player("fall")
    runner.tick(1_000_000)
    assert (runner.playing, runner.stopped_at, runner.timeline.now_us) == (False, "cue", 100_000)
    assert not runner.tick(1_000_000)
    runner.toggle()
    runner.tick(150_000)
    assert runner.playing
    assert runner.timeline.now_us == 250_000


def test_a_cue_that_does_not_wait_stops_nothing() -> None:
    runner = player("fall")
    runner.forward(100_000)
    runner.play()
    runner.tick(300_000)
    assert runner.playing
    assert runner.timeline.now_us == 400_000


def test_the_end_of_the_story_pauses_once() -> None:
    runner = player("fall")
    runner.forward()
    runner.play()
    runner.tick(1_000_000)
    assert (runner.playing, runner.stopped_at, runner.timeline.now_us) == (False, "end", 800_000)
    runner.play()
    runner.tick(500_000)
    assert runner.playing
    assert runner.timeline.now_us == 1_300_000
    runner.seek_time(700_000)
    runner.tick(500_000)
    assert runner.playing, "it was told once"


def test_a_step_and_a_step_back_pause_and_come_home() -> None:
    runner = player()
    runner.tick(500_000)
    before = runner.timeline.snapshot(), runner.timeline.position
    assert runner.step()
    assert not runner.playing
    assert runner.back()
    assert runner.timeline.position == before[1]
    runner.home()
    assert not runner.back()


def test_in_the_past_playing_replays_the_future_and_then_goes_on() -> None:
    runner = player()
    runner.tick(500_000)
    runner.submit(faults.Crash("p1"))
    runner.tick(500_000)
    end = runner.timeline.snapshot()
    runner.rewind(800_000)
    assert runner.timeline.in_past
    for _ in range(8):
        runner.tick(100_000)
    assert runner.timeline.snapshot() == end
    assert len(runner.timeline.branches) == 1
    runner.tick(100_000)
    assert runner.timeline.now_us == 1_100_000


def test_only_a_command_in_the_past_begins_a_branch() -> None:
    runner = player()
    runner.tick(500_000)
    runner.seek_time(200_000)
    runner.submit(faults.Crash("p1"))
    assert runner.timeline.branch.number == 1
    assert not runner.timeline.in_past
    runner.timeline.visit(0)
    assert runner.timeline.branch.end_us == 500_000


def test_home_end_and_seek_keep_it_playing() -> None:
    runner = player()
    runner.tick(900_000)
    runner.home()
    assert runner.timeline.now_us == 0
    runner.end()
    assert runner.timeline.now_us == 900_000
    assert runner.playing


def test_speeds_have_ends() -> None:
    runner = player(speed=Fraction(1, 20))
    assert [speed_name(level) for level in SPEEDS[:3]] == ["x1/100", "x1/50", "x1/20"]
    assert runner.faster()
    assert runner.speed == Fraction(1, 10)
    while runner.faster():
        pass
    assert runner.speed == 10
    while runner.slower():
        pass
    assert runner.speed == Fraction(1, 100)
