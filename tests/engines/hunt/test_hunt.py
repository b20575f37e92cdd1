"""Hunts: what is drawn, what is judged, what is counted; the same whoever does the work, and nothing lost."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from engines.consensus.pattern import PATTERN
from engines.hunt import PROFILES, Given, Here, Pool, Search, Tally, hunt, request_for
from engines.hunt.bites import LOST_WRITES
from engines.hunt.coverage import NOTHING, reached
from engines.hunt.executors import Workers
from engines.hunt.jobs import batch
from engines.hunt.plan import Plan
from engines.hunt.trial import play
from engines.sim import faults
from engines.sim.pattern import Step
from engines.sim.world import World

RAFT = PATTERN.variant("raft")


def plan(*inputs: Step, end_us: int = 3_000_000, seed: int = 1, config: tuple[tuple[str, Any], ...] = ()) -> Plan:
    return Plan("raft", seed, config, inputs, 0, end_us)


# -- what is drawn -------------------------------------------------------------------------------------------------


def test_a_seed_is_a_plan_and_the_plan_is_the_seed_s() -> None:
    request = request_for(PATTERN, "raft")
    assert request.plan(7) == request.plan(7)
    assert len({request.plan(seed) for seed in range(20)}) == 20


def test_a_swarm_lets_some_seeds_know_no_fault_of_a_kind() -> None:
    plans = [request_for(PATTERN, "raft").plan(seed) for seed in range(60)]
    assert RAFT.chaos is not None
    for hazard in RAFT.chaos.hazards:
        with_it = sum(hazard.name in each.kinds for each in plans)
        assert 0 < with_it < len(plans), hazard.name
    assert len({each.config for each in plans}) > 20


def test_every_plan_ends_healed_and_with_time_to_recover() -> None:
    for seed in range(20):
        one = request_for(PATTERN, "raft", "hostile").plan(seed)
        assert one.rest[0].command == faults.Heal()
        assert RAFT.chaos is not None
        assert one.end_us == one.rest[0].at_us + RAFT.chaos.quiet_us
        assert all(step.at_us <= one.rest[0].at_us for step in one.chaos)


def test_a_calm_profile_draws_less_than_a_hostile_one() -> None:
    calm, hostile = (
        sum(len(request_for(PATTERN, "raft", name).plan(seed).chaos) for seed in range(30))
        for name in ("calm", "hostile")
    )
    assert calm * 4 < hostile


@pytest.mark.parametrize(
    ("profile", "kinds"),
    [
        ("partitions", (faults.Partition, faults.Isolate, faults.Reconnect, faults.Cut, faults.Mend)),
        ("machines", (faults.Crash, faults.Restart, faults.Freeze, faults.Thaw, faults.SlowDisk)),
    ],
)
def test_a_profile_of_one_kind_draws_no_other_fault(profile: str, kinds: tuple[type, ...]) -> None:
    assert profile in PROFILES
    seen: set[type] = set()
    for seed in range(30):
        seen |= {type(step.command) for step in request_for(PATTERN, "raft", profile).plan(seed).chaos}
    assert {each for each in seen if each in faults.FAULTS} == set(kinds)


def test_a_story_brings_its_settings_and_its_script() -> None:
    story = next(each for each in PATTERN.scenarios if each.variant == "raft" and each.config)
    drawn = request_for(PATTERN, "raft", scenario=story.name).plan(3)
    assert drawn.config == story.config
    for step in story.script:
        assert (step in drawn.inputs) != isinstance(step.command, faults.Narrate)


# -- what is judged ------------------------------------------------------------------------------------------------


def test_a_broken_rule_is_found_at_the_step_that_breaks_it() -> None:
    crashed = (Step(400_000, faults.Crash("n1")), Step(400_000, faults.Restart("n1")))
    trial = play(plan(*crashed, config=(("persist_vote", False),)), RAFT)
    assert trial.violation is not None
    assert trial.violation.check == "terms and votes survive"
    assert trial.violation.at_us == 400_000
    assert trial.steps == trial.violation.position
    assert play(plan(*crashed), RAFT).violation is None


def test_the_time_of_a_violation_does_not_depend_on_how_often_one_looks() -> None:
    request = request_for(PATTERN, "raft", broken=("pre_vote",))
    compared = 0
    for seed in range(12):
        watched = play(request.plan(seed), RAFT).violation
        assert watched == play(request.plan(seed), RAFT, watch=False).violation
        compared += watched is not None
    assert compared


def test_a_promise_that_is_not_kept_in_time_is_a_violation() -> None:
    drawn = request_for(PATTERN, "raft").plan(1)
    down = tuple(Step(0, faults.Crash(node)) for node in ("n1", "n2", "n3"))
    never_healed = Plan("raft", 1, (), (*down, *drawn.rest[1:]), len(drawn.rest) - 1, drawn.end_us)
    violation = play(never_healed, RAFT).violation
    assert violation is not None
    assert violation.at_end
    assert violation.check == "the cluster works again"


def test_commands_that_make_no_sense_in_a_world_are_left_out() -> None:
    trial = play(plan(Step(10, faults.Crash("n9")), Step(20, faults.Crash("n1"))), RAFT)
    assert trial.refused == 1
    assert trial.bites["crash"] == 1


# -- every fault proves that it bit ----------------------------------------------------------------------------------


def test_every_kind_of_fault_touches_something() -> None:
    tally = hunt(request_for(PATTERN, "raft", "hostile"), Here(), 0, 39).tally
    assert tally.inert == ()
    assert set(tally.injected) == {
        "crash", "freeze", "skew", "slow disk", "cut", "loss", "delay", "duplicate", "reorder", "clog", "timers",
    }  # fmt: skip
    assert min(tally.bites[family] for family in tally.injected) > 10
    assert tally.bites[LOST_WRITES], "what a slow disk did not have yet when a machine died"


@pytest.mark.parametrize(
    ("kind", "family"), [(faults.Lose, "loss"), (faults.Slow, "delay"), (faults.Clog, "clog"), (faults.Crash, "crash")]
)
def test_a_fault_that_does_nothing_is_reported(kind: type, family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = World.execute

    def execute(world: World, command: Any) -> None:
        if not isinstance(command, kind):
            honest(world, command)

    monkeypatch.setattr(World, "execute", execute)
    tally = hunt(request_for(PATTERN, "raft", "hostile"), Here(), 0, 31).tally
    assert tally.inert == (family,)


def test_a_seed_whose_faults_touched_nothing_does_not_count() -> None:
    quiet = plan(Step(10, faults.Lose("c1", "n1", 1)), end_us=100)
    trial = play(quiet, RAFT)
    assert trial.idle
    tally = Tally()
    found = batch(request_for(PATTERN, "raft"), (1,))[0]
    tally.fold(found._replace(idle=True))
    assert (tally.seeds, tally.idle, tally.next_seed) == (0, [1], 2)
    assert not play(plan(end_us=100), RAFT).idle, "without any fault there is nothing to prove"


# -- the same whoever works ------------------------------------------------------------------------------------------


def outcome(search: Search) -> Any:
    tally = search.tally
    shrunk = {kind: (each.plan, each.violation, each.runs) for kind, each in search.shrunk.items()}
    return (
        tally.seeds, tally.next_seed, tally.idle, tally.steps, tally.failures, tally.found, tally.counts, tally.bites,
        sorted(tally.situations), tally.last_new, shrunk,
    )  # fmt: skip


def test_one_process_several_and_threads_find_the_same() -> None:
    request = request_for(PATTERN, "raft", broken=("pre_vote",))
    alone = outcome(hunt(request, Here(), 0, 45))
    pool = Pool(2)
    try:
        assert outcome(hunt(request, pool, 0, 45)) == alone
    finally:
        pool.close()
    with ThreadPoolExecutor(3) as threads:
        assert outcome(hunt(request, Given(threads, 3), 0, 45)) == alone
    assert alone[4] > 3


@pytest.mark.parametrize("how", ["once", "always"])
def test_a_worker_that_dies_loses_no_seed(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.engines.hunt import deadly

    mark = tmp_path / "mark"
    monkeypatch.setenv("DEADLY", str(mark))
    request = request_for(deadly.PATTERN, "deadly", home="tests.engines.hunt.deadly")
    whole = outcome(hunt(request, Here(), 0, 30))
    mark.write_text(how, encoding="utf-8")
    pool = Pool(2)
    try:
        search = hunt(request, pool, 0, 30)
    finally:
        pool.close()
    if how == "once":
        assert outcome(search) == whole
        assert search.tally.deadly == []
    else:
        assert search.tally.deadly == [deadly.SEED]
        assert search.tally.seeds + len(search.tally.idle) == 30


def test_a_worker_with_another_engine_says_so() -> None:
    from engines.errors import UserError

    request = request_for(PATTERN, "raft")
    other = type(request)(request.pattern, request.variant, request.engine_version + 1)
    with pytest.raises(UserError, match="install the same dp-tui"):
        hunt(other, Here(), 0, 7)


# -- ends ------------------------------------------------------------------------------------------------------------


def test_a_hunt_without_an_end_stops_when_nothing_new_is_reached() -> None:
    search = Search(request_for(PATTERN, "raft", "calm", config=(("workload", "off"),)), Here(), 0, None, until_new=2)
    for _ in range(60):
        if not search.advance(None):
            break
    assert search.tally.seeds - search.tally.last_new == 2
    assert search.tally.next_seed < 480


def test_a_hunt_can_be_ended_and_goes_on_from_where_it_was() -> None:
    request = request_for(PATTERN, "raft")
    workers: Workers = Here()
    search = Search(request, workers, 0, 99)
    search.advance(0)
    search.advance(0)
    search.finish()
    while search.advance(None):
        pass
    first = search.tally.next_seed
    assert 0 < first < 100
    rest = hunt(request, workers, first, 40)
    assert search.tally.steps + rest.tally.steps == hunt(request, workers, 0, 40).tally.steps


def test_what_was_never_reached_is_named() -> None:
    assert RAFT.chaos is not None
    there = reached([("crashed", "leader", "crash"), ("elected", "leader", NOTHING)], RAFT.chaos)
    assert there.situations == 2
    assert "stored" in there.unseen
    assert "elected" not in there.unseen
    assert there.calm == ("elected",)


def test_an_engine_that_cannot_go_on_is_found_like_any_other_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    from engines.consensus.raft.engine import RaftEngine
    from engines.hunt.found import run_of

    honest = RaftEngine.observe

    def observe(engine: RaftEngine, host: Any) -> None:
        assert engine.position < 40 or engine.hosts["n2"].status == "up", "n2 is needed"
        honest(engine, host)

    monkeypatch.setattr(RaftEngine, "observe", observe)
    search = hunt(request_for(PATTERN, "raft", "machines"), Here(), 0, 7)
    assert [kind for kind, _ in search.tally.found] == ["the engine goes on"]
    shrunk = next(iter(search.shrunk.values()))
    assert shrunk.inputs == 1
    assert shrunk.violation.witness[0] == "AssertionError: n2 is needed"
    assert run_of("consensus", shrunk).line().startswith("dp-tui:consensus/raft@")
