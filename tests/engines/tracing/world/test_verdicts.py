"""The tool finds the fault in the spans, and in the spans only."""

import pytest

from benchmarks.tracing_world import PLANS, trial
from engines.sim import faults
from engines.tracing.world import commands as c
from engines.tracing.world.scoring import Findings, find, names, score
from engines.tracing.world.snapshot import Fault, Verdict
from engines.tracing.world.truth import KINDS, LATE, LOST, POOL, SKEW
from tests.engines.tracing.world.system import MS, S, System

TIME_ONLY = {"slow", "pool", "queue", "lock", "network", "extra"}


@pytest.mark.parametrize("number", range(len(PLANS)), ids=[plan.kind for plan in PLANS])
def test_the_first_verdict_names_the_service_and_the_kind_of_an_injected_fault(number: int) -> None:
    _, _, right, said = trial(number, 3)
    assert right, said


def test_there_is_a_trial_for_every_kind_of_fault() -> None:
    assert tuple(plan.kind for plan in PLANS) == KINDS


@pytest.mark.parametrize("seed", range(3))
def test_a_sound_system_is_accused_of_nothing_but_where_its_time_goes(seed: int) -> None:
    system = System(seed=seed, services=16, rate=25, traffic="product").run(8 * S)
    system.engine.tick()
    found = system.engine.findings
    assert found.diagnosis is not None
    assert {verdict.kind for verdict in found.verdicts} <= TIME_ONLY
    assert found.score == ""


def test_below_a_hundred_traces_there_is_no_diagnosis_but_a_reason() -> None:
    system = System(rate=10, traffic="login").run(5 * S)
    snapshot = system.snapshot
    assert snapshot.diagnosis is None
    assert "100" in snapshot.no_diagnosis
    assert snapshot.root_operation == "gateway POST /login"


def test_the_verdict_does_not_depend_on_what_was_injected() -> None:
    system = System(rate=20, traffic="product").run(3 * S).do(c.DropHeader("catalog")).run(4 * S)
    collector, now = system.engine.collector(), system.engine.now_us
    before = Findings()
    blind = find(collector, now, (), before, False)
    lied_to = find(collector, now, (Fault(LATE, "mailer", "", 0),), before, False)
    assert blind.verdicts == lied_to.verdicts
    assert (blind.verdicts[0].kind, blind.verdicts[0].service) == ("header", "catalog")
    assert lied_to.score == "the verdict names catalog (header) instead of mailer (late)"


def test_the_score_says_what_is_right_and_what_is_not() -> None:
    fault = Fault(POOL, "auth", "", 0)
    assert names(Verdict(POOL, "auth", ""), fault)
    assert score((Verdict(POOL, "auth", ""),), (fault,)) == "the verdict names it"
    assert "as slow instead of pool" in score((Verdict("slow", "auth", ""),), (fault,))
    assert "cart (pool) instead of auth (pool)" in score((Verdict(POOL, "cart", ""),), (fault,))
    assert score((), (fault,)) == "the tool has no verdict yet"
    assert score((Verdict(POOL, "auth", ""),), ()) == ""


def test_a_database_that_is_skewed_is_told_from_the_service_that_calls_it() -> None:
    for victim in ("auth", "auth-db"):
        system = System(rate=15, traffic="product").do(faults.Skew(victim, 70 * MS, 0)).run(5 * S)
        assert system.first_verdict() == (SKEW, victim)


def test_spans_that_are_late_are_not_taken_for_lost_ones() -> None:
    late = System(rate=15, traffic="product").do(c.LateSpans("catalog", 2 * S)).run(9 * S)
    assert late.first_verdict() == (LATE, "catalog")
    lost = System(rate=15, traffic="product").do(c.LoseSpans("catalog", 400_000)).run(9 * S)
    assert lost.first_verdict() == (LOST, "catalog")


def test_healing_ends_every_fault_and_the_list_of_them() -> None:
    system = System().do(
        c.SlowService("cart", 500), c.ShrinkPool("auth", 2), c.Lock("auth-db", 9_000), c.ColdCache("catalog-cache"),
        c.Amplify("payment", 100_000, 4), c.DropHeader("cart"), c.LoseSpans("auth", 5_000), c.LateSpans("auth", 5_000),
        faults.Lose("*", "auth", 100_000), faults.Skew("cart", 5_000, 0),
    )  # fmt: skip
    assert [fault.kind for fault in system.snapshot.injected] == [
        "slow", "pool", "lock", "cache", "retries", "header", "lost", "late", "loss", "skew",
    ]  # fmt: skip
    assert all(system.snapshot.service(name).troubles for name in ("cart", "auth", "auth-db", "catalog-cache"))  # type: ignore[union-attr]
    system.do(faults.Heal())
    snapshot = system.snapshot
    assert (snapshot.injected, snapshot.links, snapshot.retries) == ((), (), "2 attempts with backoff")
    assert not any(view.troubles or view.clock_off_us for view in snapshot.services)


def test_a_fault_that_costs_nothing_is_said_not_to_be_felt() -> None:
    system = System(rate=15, traffic="product").do(c.ShrinkPool("auth", 15)).run(12 * S)
    system.engine.tick()
    assert system.engine.findings.diagnosis is not None
    assert system.engine.findings.score == (
        "what was injected (pool of auth) is not felt: under 5 % of the extra time"
    )  # fmt: skip


def test_a_query_that_only_a_miss_needs_is_extra_work_and_no_slow_database() -> None:
    system = System(rate=25, traffic="product").run(12 * S)
    system.engine.tick()
    first = system.engine.findings.verdicts[0]
    assert (first.kind, first.service) == ("extra", "catalog-db")
    assert "a hit in catalog-cache would have spared" in first.sentence


def test_where_everybody_starts_traces_no_single_service_is_accused() -> None:
    system = System(rate=10, continue_trace=False).run(6 * S)
    assert system.first_verdict() == ("header", "every service")


def test_a_hole_is_no_root_operation() -> None:
    system = System(rate=10, keep_ppm=500_000, parent_decides=False).run(6 * S)
    assert "missing" not in system.snapshot.root_operation
