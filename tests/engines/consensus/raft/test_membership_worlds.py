"""Random changes of members and leaders among random faults: no guarantee breaks, and a healed cluster works again."""

from collections import Counter
from contextlib import suppress
from typing import Any

import pytest

from engines.consensus.pattern import PATTERN
from engines.consensus.raft import change_events as c
from engines.consensus.raft import events as e
from engines.consensus.raft.checks import ONE_CHANGE, OVERLAP
from engines.consensus.raft.commands import (
    AddServer,
    ChangeJoint,
    LeaveJoint,
    Propose,
    RemoveServer,
    Transfer,
)
from engines.consensus.raft.engine import RaftEngine
from engines.consensus.raft.messages import Refusal
from engines.errors import UserError
from engines.sim import events as k
from engines.sim import faults
from engines.sim.pattern import Config
from engines.sim.random import Stream
from engines.sim.timeline import Timeline
from engines.units import US_PER_S
from tests.engines.consensus.raft.test_worlds import heals

NAMES = tuple(f"n{number}" for number in range(1, 8))


def deed(engine: RaftEngine, stream: Stream) -> Any:
    """A change of members, a transfer, or a fault."""
    a, b, d = (NAMES[stream.below(len(NAMES))] for _ in range(3))
    there = engine.servers[stream.below(len(engine.servers))]
    other = engine.servers[stream.below(len(engine.servers))]
    cut = stream.between(1, max(1, len(engine.servers) - 1))
    sides = engine.servers[:cut], engine.servers[cut:]
    kinds = (
        AddServer(a), AddServer(a), AddServer(b, learner=True), RemoveServer(a), RemoveServer("leader"),
        ChangeJoint((a,), (b,)), ChangeJoint((a, b), (d,), auto_leave=stream.chance(700_000)),
        ChangeJoint((a,), (), (b,)),
        ChangeJoint((), ("leader",), (a,)), LeaveJoint(), Transfer(a), Transfer("f1"), Transfer("f2"),
        faults.Crash(there), faults.Crash("leader"), faults.Restart(there), faults.Restart(other),
        faults.Freeze(there), faults.Thaw(there), faults.Cut(there, other), faults.Mend("*", "*"),
        faults.Partition(sides), faults.Isolate(there), faults.Reconnect(there), faults.Lose("*", there, 300_000),
        faults.Duplicate(there, "*", 400_000), faults.Reorder("*", "*", 300_000), faults.Clog(there, "*"),
        faults.Unclog("*", "*"), faults.Skew(there, 0, 500_000), faults.SlowDisk(there, 30_000),
        faults.ExpireTimers((there,), "election", 1_000), Propose("add", "x", 1), faults.Heal(), faults.Heal(),
    )  # fmt: skip
    return kinds[stream.below(len(kinds))]


def broken(engine: RaftEngine) -> list[tuple[str, tuple[str, ...]]]:
    return [(check.name, check.witness) for check in engine.check() if not check.ok]


def storm(seed: int, config: Config, deeds: int) -> RaftEngine:
    """A cluster, and what befalls it."""
    engine = RaftEngine(seed, (("nodes", 1 + seed % 5), *config))
    stream = Stream(seed, "members")
    for _ in range(deeds):
        engine.run(engine.now_us + stream.below(200_000), 1 << 60)
        with suppress(UserError):
            engine.apply(engine.resolve(deed(engine, stream)))
    return engine


def recovers(engine: RaftEngine) -> None:
    """After Heal a leader exists, and a proposal is applied by all members, within five seconds."""
    heals(engine)
    configuration = engine.configuration()
    assert not (configuration.joint and configuration.auto_leave)
    for member in configuration.everyone:
        assert engine.raft(str(member)).kv.values.get("q") == 77, member


def world(seed: int, config: Config, deeds: int) -> RaftEngine:
    """A storm, and the calm after it."""
    engine = storm(seed, config, deeds)
    assert broken(engine) == [], seed
    recovers(engine)
    assert broken(engine) == [], seed
    return engine


@pytest.mark.parametrize("config", [(), (("config_from", "apply"),)], ids=["append", "apply"])
@pytest.mark.parametrize("block", range(2))
def test_members_change_in_the_middle_of_everything(block: int, config: Config) -> None:
    for seed in range(25 * block, 25 * block + 25):
        world(seed, config, 50)


@pytest.mark.soak
@pytest.mark.parametrize("config", [(), (("config_from", "apply"),)], ids=["append", "apply"])
@pytest.mark.parametrize("block", range(10))
def test_members_change_in_very_many_worlds(block: int, config: Config) -> None:
    for seed in range(1_000 + 100 * block, 1_100 + 100 * block):
        world(seed, config, 80)


SWITCHES = [("one_change", ONE_CHANGE), ("joint_consensus", OVERLAP)]


@pytest.mark.parametrize(("rule", "name"), SWITCHES)
def test_a_rule_of_membership_that_is_off_turns_its_check_red(rule: str, name: str) -> None:
    found = (name for seed in range(60) for name, witness in broken(storm(seed, ((rule, False),), 60)) if witness)
    assert name in found


@pytest.mark.parametrize("story", ["bug-2015", "config-from-apply", "learner-refuses"])
def test_a_rule_whose_absence_takes_a_schedule_to_matter_has_a_story(story: str) -> None:
    """``own_commit_first``, ``config_from_append``, ``learners_vote``: random worlds find them seldom, a story does."""
    scenario = PATTERN.scenario(story)
    run: Timeline[Any, Any] = Timeline(PATTERN.variant("raft"), scenario.seed, scenario.config, scenario)
    run.advance(scenario.end_us)
    assert {check.name for check in run.check() if not check.ok} == set(scenario.breaks)
    assert scenario.breaks


def test_a_storm_of_single_changes_breaks_nothing_without_joint_consensus() -> None:
    """The rule is about many changes at once: as long as nobody asks for them, nothing depends on it."""
    engine = RaftEngine(3, (("joint_consensus", False),))
    for command in (AddServer(), RemoveServer("n1"), AddServer("n1"), Transfer("n4")):
        engine.run(engine.now_us + US_PER_S, 1 << 60)
        engine.apply(engine.resolve(command))
    recovers(engine)
    assert broken(engine) == []


def test_what_is_done_to_the_worlds_bites() -> None:
    seen: Counter[Any] = Counter()
    for seed in range(100, 140):
        for event in world(seed, (), 50).told(1 << 30):
            seen[type(event.what)] += 1
            seen[getattr(event.what, "why", None)] += 1
    for kind in (c.ConfigurationCommitted, c.ConfigurationFellBack, c.RoundEnded, c.HandedOver, c.TransferAborted,
                 c.ChangeDenied, k.Crashed, k.Frozen, k.Partitioned, k.Lost, e.Truncated,
                 e.StepDownReason.REMOVED, Refusal.PENDING, Refusal.TIMEOUT):  # fmt: skip
        assert seen[kind], kind
