"""The tool finds the fault in the spans, and in the spans only."""

import pytest

from benchmarks.tracing_world import PLANS, trial
from engines.sim import faults
from engines.tracing.diagnosis import Lack
from engines.tracing.tree import MISSING_NAME
from engines.tracing.verdicts import LateSpans, Trouble, Verdict
from engines.tracing.world import commands as c
from engines.tracing.world.events import Score
from engines.tracing.world.scoring import Findings, find, names, score
from engines.tracing.world.snapshot import WELL, Fault, Retries
from engines.tracing.world.truth import KINDS
from tests.engines.tracing.world.system import MS, S, System


@pytest.mark.parametrize("number", range(len(PLANS)), ids=[plan.kind for plan in PLANS])
def test_the_first_verdict_names_the_service_and_the_kind_of_an_injected_fault(number: int) -> None:
    _, _, right, said = trial(number, 3)
    assert right, said


def test_there_is_a_trial_for_every_kind_of_fault() -> None:
    assert [plan.kind for plan in PLANS] == list(KINDS)


@pytest.mark.parametrize("seed", range(3))
def test_a_sound_system_is_accused_of_nothing(seed: int) -> None:
    system = System(seed=seed, services=16, rate=25, traffic="product").run(8 * S)
    system.engine.tick()
    found = system.engine.findings
    assert found.diagnosis is not None
    assert found.verdicts == ()
    assert not found.diagnosis.standing.stands_out
    assert found.score is Score.NONE


def test_below_a_hundred_traces_there_is_no_diagnosis_but_a_reason() -> None:
    system = System(rate=10, traffic="login").run(5 * S)
    snapshot = system.snapshot
    assert snapshot.diagnosis is None
    assert snapshot.no_diagnosis is not None
    assert snapshot.no_diagnosis.why is Lack.FEW
    assert snapshot.root_operation == ("gateway", "POST /login")


def test_the_verdict_does_not_depend_on_what_was_injected() -> None:
    system = System(rate=20, traffic="product").run(3 * S).do(c.DropHeader("catalog")).run(4 * S)
    collector, now = system.engine.collector(), system.engine.now_us
    before = Findings()
    blind = find(collector, now, (), before, False)
    lied_to = find(collector, now, (Fault(Trouble.LATE, "mailer", 0, None),), before, False)
    assert blind.verdicts == lied_to.verdicts
    assert (blind.verdicts[0].kind, blind.verdicts[0].service) == ("header", "catalog")
    assert lied_to.score is Score.OTHER_SERVICE


def test_the_score_says_what_is_right_and_what_is_not() -> None:
    fault, shown = Fault(Trouble.POOL, "auth", 0, None), LateSpans(5)
    assert names(Verdict(Trouble.POOL, "auth", shown), fault)
    assert score((Verdict(Trouble.POOL, "auth", shown),), (fault,)) is Score.RIGHT
    assert score((Verdict(Trouble.SLOW, "auth", shown),), (fault,)) is Score.OTHER_KIND
    assert score((Verdict(Trouble.POOL, "cart", shown),), (fault,)) is Score.OTHER_SERVICE
    assert score((), (fault,)) is Score.NO_VERDICT
    assert score((Verdict(Trouble.POOL, "auth", shown),), ()) is Score.NONE


def test_a_database_that_is_skewed_is_told_from_the_service_that_calls_it() -> None:
    for victim in ("auth", "auth-db"):
        system = System(rate=15, traffic="product").do(faults.Skew(victim, 70 * MS, 0)).run(5 * S)
        assert system.first_verdict() == (Trouble.SKEW, victim)


def test_spans_that_are_late_are_not_taken_for_lost_ones() -> None:
    late = System(rate=15, traffic="product").do(c.LateSpans("catalog", 2 * S)).run(9 * S)
    assert late.first_verdict() == (Trouble.LATE, "catalog")
    lost = System(rate=15, traffic="product").do(c.LoseSpans("catalog", 400_000)).run(9 * S)
    assert lost.first_verdict() == (Trouble.LOST, "catalog")


def test_healing_ends_every_fault_and_the_list_of_them() -> None:
    system = System().do(
        c.SlowService("cart", 500), c.ShrinkPool("auth", 2), c.Lock("auth-db", 9_000), c.ColdCache("catalog-cache"),
        c.Amplify("payment", 100_000, 4), c.DropHeader("cart"), c.LoseSpans("auth", 5_000), c.LateSpans("auth", 5_000),
        faults.Lose("*", "auth", 100_000), faults.Skew("cart", 5_000, 0),
    )  # fmt: skip
    assert [fault.kind for fault in system.snapshot.injected] == [
        "slow", "pool", "lock", "cache", "retries", "header", "lost", "late", "loss", "skew",
    ]  # fmt: skip
    assert all(view.ailing != WELL for view in system.snapshot.services if view.name in ("cart", "auth", "auth-db"))
    system.do(faults.Heal())
    snapshot = system.snapshot
    assert (snapshot.injected, snapshot.links, snapshot.retries) == ((), (), Retries(2, True))
    assert not any(view.ailing != WELL or view.clock_off_us for view in snapshot.services)


def test_a_fault_that_costs_nothing_is_said_not_to_be_felt() -> None:
    system = System(rate=15, traffic="product").do(c.ShrinkPool("auth", 15)).run(12 * S)
    system.engine.tick()
    assert system.engine.findings.diagnosis is not None
    assert system.engine.findings.score is Score.UNFELT


def test_a_query_that_only_a_miss_needs_is_extra_work_and_no_slow_database() -> None:
    system = System(rate=25, traffic="product").run(12 * S)
    system.engine.tick()
    found = system.engine.findings.diagnosis
    assert found is not None
    assert (found.verdict.kind, found.verdict.service, found.verdict.peer) == ("extra", "catalog-db", "catalog-cache")
    assert not found.standing.stands_out
    assert system.engine.findings.verdicts == ()


def test_where_everybody_starts_traces_no_single_service_is_accused() -> None:
    system = System(rate=10, continue_trace=False).run(6 * S)
    assert system.first_verdict() == ("header", "every service")


def test_a_hole_is_no_root_operation() -> None:
    system = System(rate=10, keep_ppm=500_000, parent_decides=False).run(6 * S)
    assert MISSING_NAME not in system.snapshot.root_operation
