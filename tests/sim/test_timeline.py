"""The run as its inputs: step, back, seek, branch."""

from itertools import pairwise
from typing import Any

import pytest

from engines.consensus.pattern import PATTERN, RAFT
from engines.consensus.raft.commands import Propose
from engines.errors import UserError
from engines.sim import faults, timeline
from engines.sim.pattern import Scenario, Step
from engines.sim.timeline import Timeline

Run = Timeline[Any, Any]

TALE = Scenario(
    "tale", "A tale", "words, a fall, words", "raft",
    (
        Step(100_000, faults.Narrate("Once upon a time.")),
        Step(200_000, faults.Narrate("Go on.", pause=False)),
        Step(300_000, faults.Crash("n1")),
        Step(400_000, faults.Narrate("The end.")),
    ),
    end_us=500_000,
)  # fmt: skip


@pytest.fixture(params=[1, 7, 2_000], ids="every{}".format)
def run(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A cluster with checkpoints at every so many positions."""
    monkeypatch.setattr(timeline, "CHECKPOINT_EVERY", request.param)
    return Timeline(RAFT, 42)


def commands(run: Run) -> list[Any]:
    return [entry.command for entry in run.branch.log]


def place(run: Run) -> tuple[Any, ...]:
    """All there is to see, and the journal."""
    return run.position, run.now_us, run.snapshot(), run.engine.told(1 << 20)


# -- forward and back ----------------------------------------------------------------------------------------


def test_time_goes_on_to_exactly_where_it_was_asked_to_go(run: Run) -> None:
    run.advance(12_345)
    assert run.now_us == 12_345
    run.advance(12_346)
    assert run.now_us == 12_346


def test_how_a_stretch_is_cut_into_frames_leaves_no_trace(run: Run) -> None:
    run.advance(1_000_000)
    other: Run = Timeline(RAFT, 42)
    for frame in range(0, 1_000_001, 1_250):
        other.advance(frame)
    assert place(other) == place(run)
    assert other.digest() == run.digest()


def test_a_step_is_one_position_and_back_undoes_it(run: Run) -> None:
    run.advance(400_000)
    run.submit(faults.Crash("n2"))
    run.advance(500_000)
    run.back()
    for _ in range(30):
        here = place(run)
        assert run.step()
        assert run.position == here[0] + 1
        assert run.back()
        assert place(run) == here
        run.step()


def test_there_is_nothing_before_the_start(run: Run) -> None:
    assert not run.back()
    run.seek(-5)
    assert run.position == 0


def test_a_seek_is_clamped_to_what_the_branch_holds(run: Run) -> None:
    run.advance(400_000)
    end = place(run)
    run.seek(3)
    run.seek(1 << 40)
    assert place(run) == end


def test_a_seek_to_a_position_shows_what_the_first_visit_showed(run: Run) -> None:
    visited = []
    for number in range(200):
        if number == 90:
            run.submit(faults.Isolate("n3"))
        else:
            run.step()
        visited.append(place(run))
    for position in (150, 3, 91, 90, 92, 199, 17, 1):
        run.seek(position)
        assert place(run) == visited[position - 1]


def test_a_seek_in_time_shows_what_stood_there_then(run: Run) -> None:
    visited = {}
    for at_us in range(0, 900_001, 30_000):
        run.advance(at_us)
        visited[at_us] = place(run)
        if at_us == 450_000:
            run.submit(faults.Crash("n1"))
            visited[at_us] = place(run)
    run.submit(faults.Restart("n1"))
    for at_us in (600_000, 30_000, 450_000, 480_000, 870_000, 0):
        run.seek_time(at_us)
        assert place(run) == visited[at_us]


def test_a_seek_in_time_reaches_the_empty_time_behind_the_last_event() -> None:
    run: Run = Timeline(RAFT, 42, (("clients", 0),))
    run.advance(100_000)
    assert run.position == 0
    run.seek_time(60_000)
    assert run.now_us == 60_000


def test_the_recorded_future_is_replayed_however_small_the_ticks_are(run: Run) -> None:
    """A tick that ends in the silence before a recorded command must still move time."""
    run.advance(100_000)
    run.submit(faults.Crash("n2"))
    run.advance(200_000)
    end = place(run)
    run.seek(0)
    for _ in range(2_000):
        run.advance(run.now_us + 100)
    assert place(run) == end


def test_seeking_and_looking_change_nothing(run: Run) -> None:
    run.advance(600_000)
    before = place(run)
    digest = run.digest()
    for position in (10, 200, 5):
        run.seek(position)
        run.snapshot()
        run.check()
    run.seek(before[0])
    assert place(run) == before
    assert run.digest() == digest


# -- branches ------------------------------------------------------------------------------------------------


def test_a_command_at_the_newest_end_starts_no_branch(run: Run) -> None:
    run.advance(300_000)
    run.submit(faults.Crash("n2"))
    assert len(run.branches) == 1


def test_a_command_in_the_past_starts_a_branch_and_the_old_future_stays(run: Run) -> None:
    run.advance(300_000)
    run.submit(faults.Crash("n2"))
    run.advance(600_000)
    old = place(run), run.digest()
    run.seek_time(200_000)
    run.submit(faults.Crash("n3"))
    run.advance(700_000)
    new = place(run), run.digest()
    assert commands(run) == [faults.Crash("n3")]
    assert (run.branch.number, run.branch.parent, run.branch.fork_us) == (1, 0, 200_000)

    run.visit(0)
    assert (place(run), run.digest()) == old
    assert commands(run) == [faults.Crash("n2")]
    run.visit(1)
    assert (place(run), run.digest()) == new


def test_a_branch_is_found_where_it_was_left(run: Run) -> None:
    run.advance(600_000)
    run.seek(40)
    left = place(run)
    run.start(7)
    run.advance(100_000)
    run.visit(0)
    assert place(run) == left
    assert run.in_past


def test_the_seek_in_a_fork_does_not_take_the_wrong_turn(run: Run) -> None:
    run.advance(300_000)
    run.submit(faults.Crash("n2"))
    run.advance(900_000)
    run.seek_time(300_000)
    run.back()
    run.submit(faults.Crash("n3"))
    run.advance(900_000)
    end = place(run)
    run.seek(5)
    run.seek(end[0])
    assert place(run) == end


def test_a_command_given_earlier_than_the_end_of_time_is_replayed_at_its_time(run: Run) -> None:
    """The last event is undone and done again, so time stands at the event, and the end behind it."""
    run.advance(400_000)
    run.back()
    run.step()
    assert run.now_us < 400_000
    run.submit(faults.Crash("n2"))
    at = run.now_us
    run.advance(800_000)
    end = place(run)
    for position in (3, run.position - 1, run.branch.log[0].position, run.branch.log[0].position + 1, 1 << 40):
        run.seek(position)
        if position == run.branch.log[0].position + 1:
            assert run.now_us == at
    assert place(run) == end
    fresh: Run = Timeline(RAFT, 42)
    fresh.branch.log = list(run.branch.log)
    fresh.advance(800_000)
    assert place(fresh) == end


def test_a_new_root_keeps_the_old_ones(run: Run) -> None:
    run.advance(500_000)
    old = place(run)
    run.start(7, (("nodes", 3),))
    assert (run.position, len(run.branches), run.branch.parent) == (0, 2, None)
    run.advance(500_000)
    new = place(run)
    run.visit(0)
    assert place(run) == old
    run.visit(1)
    assert place(run) == new


def test_a_refused_command_changes_nothing_and_starts_no_branch(run: Run) -> None:
    run.advance(300_000)
    run.seek(20)
    before = place(run)
    with pytest.raises(UserError, match="no node 'n77'"):
        run.submit(faults.Crash("n77"))
    assert place(run) == before
    assert len(run.branches) == 1
    assert commands(run) == []


def test_symbolic_names_are_recorded_as_what_they_meant() -> None:
    run: Run = Timeline(RAFT, 42)
    with pytest.raises(UserError, match="there is no leader at this moment"):
        run.submit(faults.Crash("leader"))
    run.advance(700_000)
    leader = run.snapshot().leader
    run.submit(faults.Crash("leader"))
    assert commands(run) == [faults.Crash(leader)]


# -- scripts -------------------------------------------------------------------------------------------------


def test_the_script_is_given_at_its_times_whatever_the_ticks_are() -> None:
    at_once: Run = Timeline(RAFT, 42, (), TALE)
    at_once.advance(500_000)
    in_steps: Run = Timeline(RAFT, 42, (), TALE)
    while in_steps.now_us < 500_000 and in_steps.step():
        pass
    assert [entry.at_us for entry in at_once.branch.log] == [100_000, 200_000, 300_000, 400_000]
    assert in_steps.branch.log == at_once.branch.log


def test_a_cue_stops_the_run_on_request_and_the_next_call_goes_on() -> None:
    run: Run = Timeline(RAFT, 42, (), TALE)
    stops = []
    while run.advance(500_000, stop_at_cues=True):
        stops.append((run.now_us, run.snapshot().cue))
    assert stops == [(100_000, (100_000, "Once upon a time.")), (400_000, (400_000, "The end."))]
    assert run.now_us == 500_000


def test_a_cue_stops_the_replay_too() -> None:
    run: Run = Timeline(RAFT, 42, (), TALE)
    run.advance(500_000)
    run.seek(0)
    assert run.advance(500_000, stop_at_cues=True)
    assert run.now_us == 100_000


def test_the_rest_of_the_script_goes_on_in_a_fork() -> None:
    run: Run = Timeline(RAFT, 42, (), TALE)
    run.advance(500_000)
    assert len(commands(run)) == 4
    run.seek_time(250_000)
    run.submit(faults.Freeze("n5"))
    assert [line.at_us for line in run.pending] == [300_000, 400_000]
    run.advance(500_000)
    assert [type(command).__name__ for command in commands(run)] == ["Narrate", "Narrate", "Freeze", "Crash", "Narrate"]
    assert [entry.scripted for entry in run.branch.log] == [True, True, False, True, True]


def test_the_script_is_not_given_twice_after_going_back() -> None:
    run: Run = Timeline(RAFT, 42, (), TALE)
    run.advance(350_000)
    run.seek(0)
    run.advance(500_000)
    assert len(commands(run)) == 4


def test_advance_does_at_most_so_many_steps(run: Run) -> None:
    run.advance(1_000_000, max_steps=25)
    assert run.position == 25
    run.seek(3)
    run.advance(1_000_000, max_steps=5)
    assert run.position == 8


# -- bounds --------------------------------------------------------------------------------------------------


def test_checkpoints_are_thinned_with_age_and_reach_back_to_the_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "CHECKPOINT_EVERY", 10)
    monkeypatch.setattr(timeline, "CHECKPOINTS_MAX", 12)
    run: Run = Timeline(RAFT, 42)
    visited = {}
    for at_us in range(0, 2_000_001, 10_000):
        run.advance(at_us)
        visited[run.position] = run.snapshot()
    kept = [checkpoint.position for checkpoint in run.branch.checkpoints]
    assert len(kept) == 12
    assert kept == sorted(kept)
    gaps = [after - before for before, after in pairwise(kept)]
    assert gaps[0] > gaps[-1]
    assert kept[0] < run.position // 2
    end = run.position
    run.seek(end // 3)
    run.seek(end)
    assert run.snapshot() == visited[end]


def test_the_bytes_of_checkpoints_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "CHECKPOINT_EVERY", 10)
    monkeypatch.setattr(timeline, "CHECKPOINT_BYTES_MAX", 100_000)
    run: Run = Timeline(RAFT, 42)
    for at_us in range(0, 3_000_001, 10_000):
        run.advance(at_us)
    assert sum(len(checkpoint.blob) for checkpoint in run.branch.checkpoints) <= 100_000


def test_no_checkpoints_where_none_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timeline, "CHECKPOINT_EVERY", 1)
    run: Run = Timeline(RAFT, 42, keep_checkpoints=False)
    run.advance(1_000_000)
    assert run.branch.checkpoints == []
    run.submit(Propose("set", "x", 1))
    end = place(run)
    run.seek(5)
    run.seek(end[0])
    assert place(run) == end


def test_every_scenario_ends_and_leaves_its_script_used_up() -> None:
    for scenario in PATTERN.scenarios:
        run: Run = Timeline(PATTERN.variant(scenario.variant), scenario.seed, scenario.config, scenario)
        run.advance(scenario.end_us)
        assert run.pending == ()
        assert run.now_us == scenario.end_us


def test_a_timer_that_runs_out_on_a_frozen_node_waits_there_at_once() -> None:
    run: Run = Timeline(RAFT, 42)
    run.submit(faults.Freeze("n1"))
    run.submit(faults.ExpireTimers(("n1",), "election", 0))
    end = place(run)
    assert run.snapshot().server("n1").waiting == 1
    run.seek(0)
    run.seek(2)
    assert place(run) == end
