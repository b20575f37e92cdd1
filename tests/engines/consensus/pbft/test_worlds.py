"""Random worlds: within the fault model nothing breaks and everybody is answered; each rule is there for a reason."""

import pytest

from engines.consensus.pattern import PATTERN, PBFT
from engines.consensus.pbft import checks as c
from engines.consensus.pbft.chaos import CHAOS
from engines.consensus.pbft.client import Client
from engines.consensus.pbft.commands import SetAct, SetWorkload
from engines.consensus.pbft.engine import ACTS, PbftEngine
from engines.consensus.pbft.rules import Act, PbftRules
from engines.hunt import Here, hunt, request_for
from engines.hunt.plan import Plan
from engines.hunt.trial import play
from engines.sim import faults
from engines.sim.pattern import Step

BREAKS = {
    "match_digests": (c.AGREEMENT, 27),
    "full_quorum": (CHAOS.promise, 4),
    "commit_phase": (c.SURVIVAL, 4),
    "one_digest": (c.ONE_DIGEST, 91),
    "remember": (c.ONE_DIGEST, 0),
    "recompute_o": (c.SURVIVAL, 30),
    "verify_proofs": (c.SURVIVAL, 189),
    "verify_state": (c.CHECKPOINTS, 38),
    "transfer_replies": (c.CHECKPOINTS, 1),
    "execute_once": (c.ONCE, 315),
    "wait_for_weak": (c.RESULTS, 2),
}
"""What fails where a rule is off, and the first seed of a hunt that shows it."""


def red(first: int, count: int, rule: str = "", profile: str = "usual") -> list[str]:
    """What fails in these seeds: up to f traitors and faults of every kind, then all is healed, and everybody who
    asked must be answered within the bound."""
    broken = (rule,) if rule else ()
    request = request_for(PATTERN, "pbft", profile, broken=broken)
    tally = hunt(request, Here(), first, first + count - 1, budget=0).tally
    assert rule or tally.bites["act"], "traitors have lied"
    return [f"{each.violation.check}, seed {each.seed}" for each in tally.found.values()]


@pytest.mark.parametrize("first", range(0, 100, 20))
def test_with_at_most_f_traitors_nothing_breaks_and_every_client_is_answered(first: int) -> None:
    assert red(first, 20) == []


@pytest.mark.soak
@pytest.mark.parametrize("first", range(0, 2_000, 200))
def test_two_thousand_worlds(first: int) -> None:
    assert red(first, 200, profile="hostile") == []


def test_every_rule_has_its_check() -> None:
    assert set(BREAKS) == set(PbftRules.names())


@pytest.mark.parametrize("rule", BREAKS)
def test_a_rule_that_is_off_is_noticed(rule: str) -> None:
    check, seed = BREAKS[rule]
    assert play(request_for(PATTERN, "pbft").plan(seed), PBFT, watch=False).violation is None
    assert red(seed, 1, rule) == [f"{check}, seed {seed}"]


@pytest.mark.parametrize("act", ACTS)
def test_every_act_does_something(act: str) -> None:
    """A traitor whose act changed nothing would prove nothing."""
    bites = 0
    for leads in ("r0", "r1"):
        engine = PbftEngine(5, (("workload", "busy"), ("checkpoint", 2), ("windows", 2)))
        engine.run(600_000, 1 << 30)
        engine.apply(SetAct(leads, act, True))
        engine.run(1_200_000, 1 << 30)
        engine.apply(faults.Isolate("r3"))
        engine.run(2_500_000, 1 << 30)
        engine.apply(faults.Reconnect("r3"))
        engine.apply(faults.Crash("r0" if leads == "r1" else "r2"))
        engine.run(4_000_000, 1 << 30)
        engine.apply(faults.Heal())
        if act == Act.FORGETFUL.value:
            engine.apply(faults.Crash(leads))
            engine.apply(faults.Restart(leads))
            bites += engine.forgot.get(leads, False)
        engine.run(6_000_000, 1 << 30)
        bites += engine.traitor(leads).bites
    assert bites, act


def test_a_crash_takes_back_a_promise_that_was_not_yet_on_disk() -> None:
    engine = PbftEngine(1, ())
    accepted = engine.checker.known.accepted
    accepted["r1", 0, 8], accepted["r1", 0, 9], accepted["r2", 0, 9] = ("a", 300), ("b", 500), ("b", 500)
    engine.checker.crashed("r1", 400)
    assert [key for key in accepted if key[2] > 7] == [("r1", 0, 8), ("r2", 0, 9)]


def test_a_request_outlives_the_crashes_of_all_who_have_it() -> None:
    """Two replicas executed it and died; the others hold it committed, by digest, and have to fetch it from those two:
    f+1 claims prove no checkpoint, so nothing else would bring them on."""
    times = (
        (1_156_203, faults.Crash("r2")), (1_366_203, faults.Crash("r1")), (1_823_662, faults.Restart("r1")),
        (2_054_172, faults.Restart("r2")), (2_221_358, faults.Crash("r0")), (2_408_690, faults.Crash("r3")),
        (3_556_555, faults.Crash("r1")), (3_678_288, faults.Restart("r0")), (3_713_822, faults.Crash("r2")),
        (3_808_591, faults.Restart("r1")), (5_128_502, faults.Crash("r0")), (7_061_155, faults.Heal()),
        (7_061_155, SetWorkload("off")),
    )  # fmt: skip
    inputs = tuple(Step(at_us, command) for at_us, command in times)
    config = (("workload", "flood"), ("checkpoint", 1), ("windows", 2))
    assert play(Plan("pbft", 121, config, inputs, 2, 19_061_155), PBFT).violation is None


def test_the_first_screen_does_not_wait_long_for_its_first_request() -> None:
    """At the usual speed, a twentieth, 80 ms are not two seconds of looking at an empty chart."""
    for seed in (1, 7, 42):
        engine = PbftEngine(seed, ())
        while not any(isinstance(host.node, Client) and host.node.t for host in engine.hosts.values()):
            engine.step()
            assert engine.now_us <= 80_000, seed
