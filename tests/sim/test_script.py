"""A script and a person in one run: lines that have become impossible, and rules that were switched by either."""

from typing import Any

from engines.consensus.pattern import RAFT
from engines.consensus.raft.commands import SetRule
from engines.sim import faults
from engines.sim.pattern import Scenario, Step
from engines.sim.timeline import Timeline
from tests import toy


def test_a_refused_line_of_the_script_becomes_words_and_the_story_goes_on() -> None:
    timeline = toy.timeline(seed=7, scenario="fall")
    timeline.advance(800_000)
    said = [entry.command for entry in timeline.branch.log if isinstance(entry.command, faults.Narrate)]
    assert "The story wanted Greet here, but it cannot be: p2 is crashed" in said[-1].text
    assert not timeline.pending
    assert timeline.now_us == 800_000


def test_such_a_run_seeks_and_replays_like_any_other() -> None:
    timeline = toy.timeline(seed=7, scenario="fall")
    timeline.advance(800_000)
    end = timeline.snapshot(), timeline.position, timeline.digest()
    timeline.seek(3)
    timeline.seek(1 << 40)
    assert (timeline.snapshot(), timeline.position, timeline.digest()) == end


SWITCHED = Scenario(
    "switched", "", "", "raft", (Step(200_000, SetRule("pre_vote", False)),), 500_000, config=(("clients", 0),)
)


def test_a_run_is_started_anew_with_the_rules_that_a_person_has_switched_so_far() -> None:
    run: Timeline[Any, Any] = Timeline(RAFT, 1, (("nodes", 3), ("check_quorum", False)))
    assert list(run.config) == [("nodes", 3), ("check_quorum", False)]
    run.submit(SetRule("check_quorum", True))
    run.submit(SetRule("persist_vote", True))
    run.advance(300_000)
    run.submit(SetRule("persist_vote", False))
    assert list(run.config) == [("nodes", 3), ("check_quorum", True), ("persist_vote", False)]
    run.seek(1)
    assert list(run.config) == [("nodes", 3), ("check_quorum", True)]
    run.seek(0)
    assert run.config == run.branch.config


def test_what_the_script_switches_it_switches_again_by_itself() -> None:
    run: Timeline[Any, Any] = Timeline(RAFT, SWITCHED.seed, SWITCHED.config, SWITCHED)
    run.submit(SetRule("pre_vote", False))
    assert dict(run.config)["pre_vote"] is False
    run.advance(400_000)
    assert dict(run.snapshot().rules)["pre_vote"] is False
    assert run.config == SWITCHED.config
