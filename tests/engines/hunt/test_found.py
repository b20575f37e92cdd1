"""What hunts have found in these engines, kept as the few commands that showed it: none of it breaks any more."""

from typing import Any

import pytest

from engines.consensus.pbft.commands import SetAct
from engines.consensus.raft.commands import AddServer, ChangeJoint, Propose
from engines.hunt.jobs import pattern_of
from engines.hunt.plan import Plan
from engines.hunt.trial import play
from engines.sharding.world.commands import SetWorkload
from engines.sim import faults
from engines.sim.pattern import Config, Step
from engines.units import US_PER_S

FOUND: list[tuple[str, str, str, int, Config, tuple[tuple[int, Any], ...], int, int]] = [
    (
        "a replica that had restarted was said to execute twice when an act of it ended",
        "consensus", "pbft", 17, (),
        ((0, faults.Crash("r2")), (0, faults.Restart("r2")), (400_000, SetAct("r2", "two_faced", False))),
        2 * US_PER_S, 0,
    ),
    (
        "what a client had asked before it crashed stayed open for ever",
        "sharding", "ring", 10, (),
        ((600_000, faults.Crash("c1")), (2 * US_PER_S, faults.Heal()), (12 * US_PER_S, SetWorkload("off"))),
        102 * US_PER_S, 1,
    ),
    (
        "a server that had joined took a snapshot without the configuration in which the cluster was founded",
        "consensus", "raft", 21, (("clients", 2), ("compact", 5)),
        (
            (880_000, faults.Cut("n4", "*")), (880_000, AddServer("n7", learner=True)),
            (990_000, ChangeJoint(("n7",), ("n5",))), (990_000, faults.Heal()),
        ),
        4 * US_PER_S, 0,
    ),
    (
        "one of two overlapping quorums had a leader, and a leader was missed in the other",
        "consensus", "raft", 381, (("nodes", 3),),
        ((280_000, faults.Cut("n3", "n1")), (280_000, Propose("del", "x", -5, "n2"))),
        8 * US_PER_S, 0,
    ),
    (
        "a leader talked to a quorum whose members could not all talk, and was missed in another quorum",
        "consensus", "raft", 474, (("clients", 0),),
        ((0, faults.Cut("n1", "n4")), (0, faults.Cut("n3", "n2")), (0, faults.Cut("n3", "n5"))),
        8 * US_PER_S, 0,
    ),
    (
        "a configuration that a later leader's entry will replace was taken for the one in force",
        "consensus", "raft", 5372, (("nodes", 4),),
        (
            (500_000, AddServer("n6", learner=False, node="n3")), (620_000, AddServer("n5", learner=False)),
            (760_000, faults.Isolate("n3")), (1_320_000, faults.Partition((("n1", "n4"), ("n2", "n3", "n6", "n5")))),
        ),
        8 * US_PER_S, 0,
    ),
    (
        "a coordinator numbered its operations anew after a crash, and counted an answer to its former life",
        "consistency", "eventual", 2971, (("nodes", 3), ("r", 2), ("w", 2)),
        (
            (800_000, faults.Clog("r1", "*")), (1_400_000, faults.Crash("r1")), (6_500_000, faults.Restart("r1")),
            (8_300_000, faults.Crash("r1")), (8_300_000, faults.Heal()),
        ),
        9 * US_PER_S, 0,
    ),
    (
        "a coordinator that had started twice took the value of another key for the one that was asked",
        "consistency", "eventual", 4425, (("nodes", 3),),
        (
            (470_000, faults.Slow("A", "r1", 700_000, 233_333)), (700_000, faults.Partition((("r3",), ("r1", "r2")))),
            (900_000, faults.Slow("D", "r1", 300_000, 100_000)), (1_300_000, faults.Slow("D", "r1", 100_000, 33_333)),
            (1_380_000, faults.Crash("r1")), (1_380_000, faults.Restart("r1")),
            (1_469_550, faults.Crash("r1")), (1_469_550, faults.Restart("r1")),
        ),
        2 * US_PER_S, 0,
    ),
    (
        "a trace that the store had evicted so long ago that it had forgotten it was to be whole when a late span came",
        "tracing", "head", 1701, (("services", 28), ("store_spans", 400)),
        ((0, faults.Freeze("images")), (53_500_000, faults.Heal())),
        55 * US_PER_S, 0,
    ),
    (
        "a trace that had been evicted before the collector crashed was to be whole when a late span came",
        "tracing", "head", 1533, (("services", 60), ("traffic", "checkout"), ("store_spans", 400)),
        ((2_650_000, faults.Cut("mailer", "*")), (6_200_000, faults.Crash("collector")), (7_100_000, faults.Heal())),
        13 * US_PER_S, 0,
    ),
    (
        "a write that the network repeated was done twice: the second time after writes that had seen the first",
        "consistency", "causal", 6515, (),
        (
            (950_000, faults.Slow("B", "r2", 100_000, 33_333)), (1_280_000, faults.Duplicate("*", "*", 500_000)),
            (1_900_000, faults.Slow("A", "r1", 700_000, 233_333)),
            (2_020_000, faults.Slow("A", "r1", 300_000, 100_000)),
        ),
        4 * US_PER_S, 0,
    ),
    (
        "a write that was repeated over one slow link came again after later writes",
        "consistency", "causal", 1308, (("nodes", 3), ("workload", "light")),
        (
            (900_000, faults.Crash("r1")), (916_000, faults.Restart("r1")),
            (1_080_000, faults.Slow("A", "r1", 100_000, 33_333)), (2_990_000, faults.Slow("D", "r1", 700_000, 233_333)),
            (3_060_000, faults.Duplicate("D", "r1", 300_000)),
        ),
        6 * US_PER_S, 0,
    ),
]  # fmt: skip


@pytest.mark.parametrize("found", FOUND, ids=lambda found: found[0])
def test_what_was_found_is_mended(
    found: tuple[str, str, str, int, Config, tuple[tuple[int, Any], ...], int, int],
) -> None:
    _, pattern, variant, seed, config, commands, end_us, tail = found
    inputs = tuple(Step(at_us, command) for at_us, command in commands)
    plan = Plan(variant, seed, config, inputs, tail, end_us)
    assert play(plan, pattern_of(pattern).variant(variant)).violation is None
