"""Faults that wait for their moment: they strike there, whom they mean, and the plan as it happened is a plan again."""

from dataclasses import replace

import pytest

from engines.consensus.pattern import PATTERN
from engines.consensus.raft.commands import Propose
from engines.consensus.raft.events import Elected, VoteGranted
from engines.hunt import PROFILES, request_for
from engines.hunt.nemesis import IT, OTHERS, PEER, REST, STRATEGIES, Ambush, bound, peer_of
from engines.hunt.plan import Plan
from engines.hunt.trial import play
from engines.sim import faults
from engines.sim.chaos import After
from engines.sim.pattern import Step

RAFT = PATTERN.variant("raft")
SERVERS = ("n1", "n2", "n3")


def in_wait(*chain: Ambush, heal_us: int = 3_000_000) -> Plan:
    return Plan("raft", 3, (("nodes", 3),), (Step(heal_us, faults.Heal()),), 1, heal_us + 2_000_000, chains=(chain,))


def ambush(moment: str, *commands: object, after_us: int = 0, skip: int = 0, late_us: int = 0) -> Ambush:
    return Ambush("test", moment, after_us, skip, tuple(After(late_us, each) for each in commands))


def test_it_strikes_in_the_very_moment_and_where_that_was() -> None:
    trial = play(in_wait(ambush("elected", faults.Crash(IT))), RAFT)
    strike = trial.plan.chaos[0]
    engine = RAFT.make(3, (("nodes", 3),))
    engine.run(strike.at_us - 1, 1 << 60)
    assert not engine.leader()
    engine.run(strike.at_us, 1 << 60)
    assert strike.command == faults.Crash(engine.leader())
    assert trial.bites["crash"] == 1


def test_a_chain_goes_on_from_one_moment_to_the_next() -> None:
    """The first leader is cut off, and the one after it is killed 7 ms after its election."""
    chain = ambush("elected", faults.Isolate(IT)), ambush("elected", faults.Crash(IT), late_us=7_000)
    cut, killed = play(in_wait(*chain), RAFT).plan.chaos
    assert isinstance(cut.command, faults.Isolate)
    assert isinstance(killed.command, faults.Crash)
    assert cut.command.node != killed.command.node
    engine = RAFT.make(3, (("nodes", 3),))
    engine.run(cut.at_us, 1 << 60)
    engine.apply(cut.command)
    engine.run(killed.at_us - 7_000, 1 << 60)
    assert engine.leader() == killed.command.node


def test_it_lets_some_pass_and_waits_before_it_is_laid() -> None:
    struck = ambush("elected", faults.Crash(IT)), ambush("elected", faults.Crash(IT), skip=2)
    first, third = (play(in_wait(each), RAFT).plan.chaos for each in struck)
    assert first
    assert not third, "nobody else was elected while all was well"
    late = play(in_wait(ambush("committed", faults.Crash(IT), after_us=1_200_000)), RAFT).plan.chaos
    assert late[0].at_us > 1_200_000


def test_nobody_lies_in_wait_once_all_is_healed() -> None:
    assert play(in_wait(ambush("elected", faults.Crash(IT)), heal_us=20_000), RAFT).plan.chaos == ()
    late = ambush("elected", faults.Crash(IT), late_us=2_990_000)
    assert play(in_wait(late), RAFT).plan.chaos == (), "what would come after the heal is left out"


@pytest.mark.parametrize("broken", [(), ("current_term_commit", "persist_vote")])
def test_the_plan_as_it_happened_breaks_the_same_at_the_same_step(broken: tuple[str, ...]) -> None:
    request = request_for(PATTERN, "raft", broken=broken)
    plans = [plan for plan in map(request.plan, range(60)) if plan.chains][:16]
    sprung = found = 0
    for plan in plans:
        trial = play(plan, RAFT, watch=False)
        assert not trial.plan.chains
        sprung += len(trial.plan.inputs) - len(plan.inputs)
        again = play(trial.plan, RAFT, watch=False)
        assert (again.violation, again.steps) == (trial.violation, trial.steps)
        assert again.plan == trial.plan
        assert play(plan, RAFT).violation == trial.violation, "it does not matter who watches"
        found += trial.violation is not None
    assert sprung > 20
    assert bool(found) == bool(broken)


def test_whoever_is_meant_is_called_by_name() -> None:
    assert bound(faults.Cut(IT, PEER), "n2", "n3", SERVERS) == (faults.Cut("n2", "n3"),)
    assert bound(faults.Slow(OTHERS, IT, 5, 0), "n2", "n3", SERVERS) == (
        faults.Slow("n1", "n2", 5, 0),
        faults.Slow("n3", "n2", 5, 0),
    )
    assert bound(faults.Partition(((IT, PEER), (REST,))), "n1", "n2", SERVERS) == (
        faults.Partition((("n1", "n2"), ("n3",))),
    )
    assert bound(faults.Cut(IT, REST), "n2", "n3", (*SERVERS, "n4")) == (faults.Cut("n2", "n1"), faults.Cut("n2", "n4"))
    assert bound(faults.Cut(REST, IT), "n1", "n2", SERVERS[:2]) == ()
    assert bound(faults.Partition(((IT, PEER), (REST,))), "n1", "n2", SERVERS[:2]) == (), "nobody is left"
    asked = Propose("get", "x", 0, IT)
    assert bound(asked, "n3", "n1", SERVERS) == (replace(asked, node="n3"),)


def test_the_other_machine_is_the_one_that_the_event_names_or_one_that_was_drawn() -> None:
    assert peer_of(VoteGranted("n3", 4), "n1", SERVERS) == "n3"
    assert peer_of(VoteGranted("n9", 4), "n3", SERVERS, 3) == "n2"
    assert "src" not in Elected._fields
    assert peer_of(None, "n1", ("n1",)) == "n1"


def test_no_more_is_done_than_the_profile_allows() -> None:
    asks = {each.name for each in STRATEGIES if each.asks}
    for name, most in (
        ("partitions", {"isolate", "mute", "deafen", "one link", "one ally", "one bridge", "hazard"}),
        ("calm", set()),
    ):
        request = request_for(PATTERN, "raft", name)
        plans = [request.plan(seed) for seed in range(80)]
        ways = {way for plan in plans for chain in plan.chains for each in chain for way in each.name.split(" and ")}
        assert ways <= most | asks, name
        assert bool(ways) == bool(most)
    assert PROFILES["usual"].themes_ppm


def test_every_theme_and_every_strategy_is_drawn() -> None:
    assert RAFT.chaos is not None
    plans = [request_for(PATTERN, "raft").plan(seed) for seed in range(700)]
    assert {each.name for each in RAFT.chaos.themes} <= {plan.note for plan in plans}
    ways = {way for plan in plans for chain in plan.chains for each in chain for way in each.name.split(" and ")}
    assert ways == {each.name for each in STRATEGIES}
    assert 250 < sum(bool(plan.chains) for plan in plans) < 450
    parameters = next(plan for plan in plans if plan.chains).parameters()
    assert parameters["ambushes"][0][0]["at"]
