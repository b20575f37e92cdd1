"""Random faults in random worlds: with all rules on no guarantee breaks, and a healed cluster works again."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.consensus.pattern import RAFT
from engines.consensus.raft.chaos import MARK
from engines.consensus.raft.checks import QUIET, STABILITY
from engines.consensus.raft.commands import AddServer, Propose, SetWorkload
from engines.consensus.raft.engine import RaftEngine
from engines.errors import UserError
from engines.hunt.plan import Plan
from engines.hunt.trial import play as play_plan
from engines.sim import faults
from engines.sim.history import OK
from engines.sim.pattern import Config, Step
from engines.sim.random import Stream
from engines.units import US_PER_S
from tests.engines.consensus.raft.oracle import Oracle
from tests.engines.consensus.raft.strategies import SERVERS, configs, schedules, seeds
from tui.judging import judged

Schedule = list[tuple[int, Any]]


def play(engine: RaftEngine, schedule: Schedule) -> None:
    """Carry out what can be carried out of a schedule, with a third of a second behind it."""
    for wait_us, command in schedule:
        engine.run(engine.now_us + wait_us, 1 << 60)
        with suppress(UserError):
            engine.apply(command)
    engine.run(engine.now_us + 300_000, 1 << 60)


def broken(engine: RaftEngine) -> list[tuple[str, tuple[str, ...]]]:
    return [(check.name, check.witness) for check in (*engine.check(), *judged(engine)) if not check.ok]


def heals(engine: RaftEngine) -> None:
    """After Heal, five seconds with a proposal in them, and a leader at their end."""
    engine.apply(faults.Heal())
    engine.apply(SetWorkload("off"))
    engine.run(engine.now_us + 2 * US_PER_S, 1 << 60)
    engine.apply(Propose("set", "q", 77))
    engine.run(engine.now_us + 3 * US_PER_S, 1 << 60)
    assert engine.leader()


def recovers(engine: RaftEngine) -> None:
    """After Heal a leader exists, and a proposal is committed everywhere, within five seconds."""
    heals(engine)
    assert {engine.raft(server).kv.values.get("q") for server in engine.servers} == {77}
    logs = [engine.raft(server).log for server in engine.servers]
    assert len({(log.last_index, log.last_term) for log in logs}) == 1


@settings(max_examples=400)
@given(seeds, configs, schedules)
def test_no_guarantee_breaks_whatever_fails_and_a_healed_cluster_works(
    seed: int, config: Config, schedule: Schedule
) -> None:
    engine = RaftEngine(seed, config)
    play(engine, schedule)
    assert broken(engine) == []
    recovers(engine)
    assert broken(engine) == []


def storm(stream: Stream, servers: tuple[str, ...] = SERVERS) -> Any:
    """One fault, of every kind that a cluster must survive."""
    a, b = (servers[stream.below(len(servers))] for _ in range(2))
    some = stream.between(1, len(servers) - 1)
    sides = servers[:some], servers[some:]
    kinds = (
        faults.Crash(a), faults.Crash(b), faults.Crash(a), faults.Restart(a), faults.Restart(b), faults.Freeze(a),
        faults.Thaw(a), faults.Cut(a, b), faults.Mend("*", "*"), faults.Partition(sides), faults.Isolate(a),
        faults.Reconnect(a), faults.Lose("*", a, 300_000), faults.Duplicate(a, "*", 400_000),
        faults.Reorder("*", "*", 300_000), faults.Slow(a, b, 90_000, 90_000), faults.Clog(a, "*"),
        faults.Unclog("*", "*"), faults.Skew(a, stream.between(-300_000, 300_000), 500_000),
        faults.Skew(b, 0, -500_000), faults.SlowDisk(a, 60_000), faults.SlowDisk("n3", 5_000),
        faults.ExpireTimers((a, b) if a != b else (a,), "election", 1_000), faults.Drop(stream.between(1, 3_000)),
        Propose("add", "x", 1, a, stream.chance(500_000)), SetWorkload(("light", "busy", "flood")[stream.below(3)]),
        faults.Heal(),
    )  # fmt: skip
    return kinds[stream.below(len(kinds))]


def any_cluster(seed: int) -> Config:
    """3 to 9 servers; logs that are cut now and then, or at every turn; sessions of either kind."""
    stream = Stream(seed, "cluster")
    config = {
        "nodes": 3 + seed % 7, "compact": (100, 1, 5, 20)[stream.below(4)], "factor": 1, "tail": stream.below(4),
        "piece": stream.between(1, 8), "window": (16, 1, 3)[stream.below(3)], "expire": (1_000, 30)[stream.below(2)],
        "sessions": ("named", "opened")[stream.below(2)],
    }  # fmt: skip
    return tuple(sorted(config.items()))


@pytest.mark.parametrize("block", range(4))
def test_long_storms(block: int) -> None:
    for seed in range(100 * block, 100 * block + 100):
        engine = RaftEngine(seed, any_cluster(seed))
        stream = Stream(seed, "storm")
        for _ in range(60):
            engine.run(engine.now_us + stream.below(150_000), 1 << 60)
            engine.apply(storm(stream, engine.servers))
        recovers(engine)
        assert broken(engine) == [], seed


def reading_world(seed: int) -> RaftEngine:
    """A storm over a cluster of any size whose clients ask about what others change, answered in one way or another."""
    stream = Stream(seed, "reading")
    mode = ("index", "lease", "log")[stream.below(3)]
    config = (
        ("clients", 3), ("read_percent", 60), ("workload", "busy"), ("reads", mode),
        ("forward", bool(stream.below(2))), ("nodes", stream.between(3, 9)),
    )  # fmt: skip
    engine = RaftEngine(seed, config)
    for _ in range(60):
        engine.run(engine.now_us + stream.below(150_000), 1 << 60)
        fault = storm(stream)
        if mode == "lease" and isinstance(fault, faults.Skew):  # within what a lease allows for
            fault = faults.Skew(fault.node, 0, max(-50_000, min(50_000, fault.drift_ppm)))
        with suppress(UserError):
            engine.apply(fault)
    return engine


@pytest.mark.parametrize("block", range(2))
def test_whoever_asks_is_told_what_is_so_however_questions_are_answered(block: int) -> None:
    asked = 0
    for seed in range(50 * block, 50 * block + 50):
        engine = reading_world(seed)
        assert broken(engine) == [], seed
        asked += sum(each.f == "get" and each.status == OK for each in engine.history.operations())
    assert asked > 500


@pytest.mark.soak
@pytest.mark.parametrize("block", range(20))
def test_whoever_asks_in_very_many_worlds_is_told_what_is_so(block: int) -> None:
    for seed in range(1_000 + 200 * block, 1_200 + 200 * block):
        assert broken(reading_world(seed)) == [], seed


@pytest.mark.soak
@pytest.mark.parametrize("block", range(20))
def test_very_many_long_storms(block: int) -> None:
    for seed in range(1_000 + 500 * block, 1_500 + 500 * block):
        engine = RaftEngine(seed, (*any_cluster(seed), ("workload", "busy")))
        stream = Stream(seed, "storm")
        for _ in range(200):
            engine.run(engine.now_us + stream.below(150_000), 1 << 60)
            engine.apply(storm(stream, engine.servers))
        recovers(engine)
        assert broken(engine) == [], seed


# -- what was found by hunts ------------------------------------------------------------------------------------


def test_a_leader_without_an_empty_entry_owes_nothing_that_nobody_asks_it_for() -> None:
    """The leader that was asked is demoted, and steps down once it has answered; its successor waits for a command."""
    inputs = (
        Step(300_000, Propose("add", "y", 6, "n2")), Step(370_000, AddServer("n3")),
        Step(470_000, AddServer("n3", learner=True)), Step(490_000, faults.Crash("n2")),
        Step(490_000, faults.Heal()), Step(490_000, SetWorkload("off")), Step(490_000, Propose("set", "q", MARK)),
    )  # fmt: skip
    config = (("nodes", 2), ("clients", 0), ("noop", False))
    assert play_plan(Plan("raft", 1358, config, inputs, 3, 7_000_000), RAFT).violation is None


# -- the checks against a slow checker that looks at everything ------------------------------------------------

RULES_OFF = st.fixed_dictionaries(
    {}, optional={rule: st.just(False) for rule in ("current_term_commit", "persist_vote", "pre_vote", "check_quorum")}
)


@settings(max_examples=60)
@given(seeds, configs, RULES_OFF, schedules)
def test_the_checks_find_what_a_slow_checker_finds(
    seed: int, config: Config, rules: dict[str, bool], schedule: Schedule
) -> None:
    engine = RaftEngine(seed, tuple(sorted({**dict(config), **rules}.items())))
    oracle = Oracle(engine)
    for wait_us, command in schedule:
        until = engine.now_us + wait_us // 2
        while (due := engine.next_us()) is not None and due <= until:
            engine.step()
            oracle.look()
        engine.run(until, 1 << 60)
        with suppress(UserError):
            engine.apply(command)
        oracle.look()
    found = {name for name, _ in broken(engine)}
    assert oracle.broken <= found
    if "persist_vote" not in rules:
        assert found - {STABILITY, QUIET} == oracle.broken
