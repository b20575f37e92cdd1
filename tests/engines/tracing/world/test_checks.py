"""Every guarantee: it holds under all faults of the world, and a broken rule turns it red."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import UserError
from engines.sim import faults
from engines.sim.rules import SetRule
from engines.tracing.critical import Segment
from engines.tracing.tree import build
from engines.tracing.world import checks as law
from engines.tracing.world import commands as c
from engines.tracing.world.checks import DEMANDS
from engines.tracing.world.rules import TracingRules
from tests.engines.tracing.world import strategies
from tests.engines.tracing.world.system import MS, S, System


@settings(max_examples=12, deadline=None)
@given(
    strategies.seeds,
    st.sampled_from(("head", "tail")),
    st.sampled_from((100_000, 500_000, 1_000_000)),
    st.lists(st.tuples(st.integers(0, 800 * MS), strategies.harm), max_size=12),
)
def test_no_fault_of_the_world_breaks_a_guarantee(
    seed: int, variant: str, keep_ppm: int, plan: list[tuple[int, object]]
) -> None:
    system = System(variant, seed, rate=4, keep_ppm=keep_ppm, store_spans=400)
    for wait_us, command in plan:
        system.run(wait_us)
        try:
            system.do(command)
        except UserError:
            continue
    system.run(4 * S)
    assert system.broken() == []


def test_a_collector_that_died_has_forgotten_also_what_it_had_decided_against() -> None:
    """Random world 50013 of the tail under hostile faults: a span came late, to a collector that began anew."""
    system = System("tail", 3, rate=12, keep_ppm=300_000).run(6 * S)
    collector = system.engine.collector()
    dropped = tuple(collector.dropped)
    assert dropped
    assert not any(system.engine.ledger.accounts_for("0" * 16, trace_id) for trace_id in dropped)
    system.do(faults.Crash("collector"))
    assert all(system.engine.ledger.accounts_for("0" * 16, trace_id) for trace_id in dropped)


@pytest.mark.parametrize(
    ("rule", "variant", "config", "check"),
    [
        ("continue_trace", "head", {}, law.ONE_TRACE),
        ("fresh_span_id", "head", {}, law.UNIQUE),
        ("inject_own", "head", {}, law.CAUSE),
        ("own_context", "head", {"rate": 40}, law.CAUSE),
        ("parent_decides", "head", {"keep_ppm": 500_000}, law.ALL_OR_NONE),
        ("same_coin", "head", {"keep_ppm": 500_000}, law.SUBSET),
        ("whole_traces", "head", {"store_spans": 100}, law.EVICTION),
    ],
)
def test_a_broken_rule_turns_its_check_red(rule: str, variant: str, config: dict[str, int], check: str) -> None:
    settings_ = {"rate": 12, **config}
    assert System(variant, **settings_).run(5 * S).broken() == []
    system = System(variant, **settings_).do(SetRule(rule, False)).run(5 * S)
    assert check in system.broken()
    failed = system.check(check)
    assert failed.witness
    assert failed.position > 0


def test_a_rule_that_is_broken_from_the_start_is_as_broken() -> None:
    assert law.ONE_TRACE in System(rate=5, continue_trace=False).run(2 * S).broken()
    assert law.EVICTION in System(rate=12, store_spans=100, whole_traces=False).run(5 * S).broken()


def test_a_collector_that_throws_late_spans_away_is_found_out() -> None:
    late = (c.LateSpans("auth", 2_500 * MS), c.SetLoad("steady", 5))
    assert System().do(*late).run(8 * S).broken() == []
    assert law.WHOLE in System().do(*late, SetRule("late_joins", False)).run(8 * S).broken()


def test_a_tail_sampler_that_does_not_wait_drops_errors() -> None:
    failing = (c.Amplify("payment", 300_000, 1), c.SetLoad("steady", 10))
    config: dict[str, Any] = {"keep_ppm": 0, "slow_ms": 60_000, "traffic": "checkout"}
    assert System("tail", **config).do(*failing).run(6 * S).broken() == []
    system = System("tail", **config).do(SetRule("tail_waits", False), *failing).run(6 * S)
    assert law.KEEPS_ERRORS in system.broken()


def test_a_service_that_drops_the_headers_breaks_the_trace_and_the_check() -> None:
    assert System(rate=5).do(c.DropHeader("cart")).run(4 * S).broken() == [law.ONE_TRACE]


def test_a_path_that_leaves_time_out_is_found_out() -> None:
    system = System().do(c.Request("GET /cart")).run(3 * S)
    collector, trace = system.engine.collector(), system.only()
    tree = build(trace)
    begin, end = tree.start_us[tree.root], tree.end_us[tree.root]
    whole = (Segment(tree.root, "", begin, end),)
    collector.check_path("t", tree, end - begin, whole)
    assert not collector.ledger.violations
    gap = (Segment(tree.root, "", begin, begin + 5), Segment(tree.root, "", begin + 6, end + 1))
    collector.check_path("t", tree, end - begin, gap)
    collector.check_path("t", tree, end - begin - 1, (Segment(tree.root, "", begin, end - 1),))
    assert [each.check for each in collector.ledger.violations] == [law.ADDS_UP, law.ADDS_UP]


def test_a_hole_that_nobody_can_explain_is_found_out() -> None:
    system = System().do(c.Request("GET /cart")).run(3 * S)
    collector, trace = system.engine.collector(), system.only()
    parent = next(span for span in trace if span.service == "cart").parent_id
    holed = build(span for span in trace if span.span_id != parent)
    collector.check_missing(trace[0].trace_id, holed)
    (violation,) = collector.ledger.violations
    assert violation.check == law.WHOLE
    assert parent in violation.detail
    collector.ledger.violations.clear()
    collector.ledger.lost(parent, trace[0].trace_id)
    collector.check_missing(trace[0].trace_id, holed)
    assert not collector.ledger.violations


def test_all_rules_are_settings_and_all_checks_have_a_demand() -> None:
    system = System()
    assert [name for name, _ in system.snapshot.rules] == list(TracingRules.names())
    assert [check.name for check in system.engine.check()] == list(DEMANDS)
