"""The world around the spans: commands, figures, loss, and a picture that depends on the state alone."""

import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.errors import UserError
from engines.sim import faults
from engines.sim.rules import SetRule
from engines.tracing.pattern import PATTERN
from engines.tracing.world import commands as c
from engines.tracing.world.rules import TICK_US
from engines.tracing.world.view import SnapshotBuilder
from tests.engines.tracing.world import strategies
from tests.engines.tracing.world.system import S, System


@settings(max_examples=8, deadline=None)
@given(strategies.seeds, st.lists(st.tuples(st.integers(0, 400_000), strategies.commands), max_size=5))
def test_a_picture_built_from_changes_is_the_picture_built_from_nothing(seed: int, plan: list[tuple[int, Any]]) -> None:
    system = System(seed=seed, rate=20, traffic="product", store_spans=300).run(1 * S)
    for wait_us, command in plan:
        system.run(wait_us)
        try:
            system.do(command)
        except UserError:
            continue
        for _ in range(3):
            system.engine.step()
            engine = system.engine
            assert engine.snapshot() == SnapshotBuilder().take(engine) == pickle.loads(pickle.dumps(engine)).snapshot()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (c.SlowService("nobody", 200), "no service 'nobody'"),
        (c.SlowService("auth", 0), "between 1 and"),
        (c.SlowService("orders-queue", 200), "is a queue"),
        (c.ShrinkPool("gateway", 1), "has no pool"),
        (c.Lock("auth", 1_000), "only the tables of a database"),
        (c.ColdCache("auth-db"), "only a cache"),
        (c.Amplify("auth", 2_000_000), "between 0 and 1000000"),
        (c.Amplify("auth", 1, 9), "between 1 and 5"),
        (c.SetRetries(0), "between 1 and 5"),
        (c.LoseSpans("auth", -1), "between 0 and"),
        (c.LateSpans("auth", 61 * S), "between 0 and"),
        (c.SetSampling(1_000_001), "between 0 and"),
        (c.SetLoad("waves", 3), "off, steady"),
        (c.SetLoad("wave", 501), "between 0 and 500"),
        (SetRule("honesty", False), "no rule"),
        (c.Request("GET /nothing"), "nobody answers"),
    ],
)
def test_a_command_that_makes_no_sense_is_refused_and_changes_nothing(command: Any, words: str) -> None:
    system = System().run(1 * S)
    before = system.snapshot
    with pytest.raises(UserError, match=words):
        system.do(command)
    assert system.snapshot == before


def test_slowest_is_who_has_the_highest_p99_and_can_have_the_fault() -> None:
    system = System(rate=10).run(3 * S)
    views = {view.name: view for view in system.snapshot.services}
    slowest = max(views, key=lambda name: views[name].p99_us)
    assert system.engine.resolve(c.SlowService("slowest", 300)) == c.SlowService(slowest, 300)
    assert system.engine.resolve(c.ColdCache("slowest")) == c.ColdCache("catalog-cache")
    with pytest.raises(UserError, match="no service has answered"):
        System().engine.resolve(c.SlowService("slowest", 300))


@pytest.mark.parametrize("shape", ["steady", "bursts", "wave", "ramp"])
def test_a_load_has_about_the_rate_that_was_asked_for(shape: str) -> None:
    system = System(load=shape, rate=8, traffic="login").run(20 * S)
    assert 100 < system.engine.users().sent < 320


def test_no_load_sends_nothing_and_a_new_load_begins_once() -> None:
    system = System(rate=20).run(2 * S).do(c.SetLoad("off", 0))
    sent = system.engine.users().sent
    assert system.run(3 * S).engine.users().sent == sent
    system.do(c.SetLoad("steady", 20), c.SetLoad("off", 0), c.SetLoad("steady", 20)).run(10 * S)
    assert 140 < system.engine.users().sent - sent < 260


def test_spans_that_are_lost_on_the_wire_leave_a_hole_that_is_shown_and_accounted_for() -> None:
    system = System().do(faults.Cut("cart", "collector"), c.Request("GET /cart")).run(3 * S)
    (row,) = system.snapshot.traces
    assert row.missing > 0
    assert system.snapshot.collector.lost_spans > 0
    assert system.broken() == []


def test_a_crashed_service_takes_the_spans_it_had_not_sent_with_it() -> None:
    system = System(rate=20).do(c.LateSpans("auth", 3 * S)).run(2 * S).do(faults.Crash("auth")).run(3 * S)
    assert system.snapshot.collector.lost_spans > 10
    assert system.broken() == []
    system.do(faults.Heal()).run(3 * S)
    assert system.snapshot.traces[1].errors == 0


def test_a_collector_that_crashed_begins_with_an_empty_store() -> None:
    system = System(rate=10).run(3 * S).do(faults.Crash("collector"), faults.Restart("collector"))
    assert len(system.snapshot.traces) == 0
    assert len(system.run(3 * S).snapshot.traces) > 0
    assert system.broken() == []


def test_the_strip_counts_what_the_users_saw_every_second() -> None:
    system = System(rate=10).run(5 * S + TICK_US // 2)
    series = system.snapshot.series
    assert len(series) == 5
    assert abs(sum(sample.requests for sample in series) - system.engine.users().sent) < 12
    assert all(sample.p50_us <= sample.p90_us <= sample.p99_us for sample in series)


def test_the_figures_of_a_service_and_of_its_edges_are_those_of_the_last_seconds() -> None:
    system = System(rate=20, traffic="login").run(8 * S)
    auth = system.snapshot.service("auth")
    assert auth is not None
    assert 14 <= auth.calls_per_s <= 26
    edge = next(edge for edge in system.snapshot.map_edges if (edge.src, edge.dst) == ("gateway", "auth"))
    assert abs(edge.calls_per_s - auth.calls_per_s) <= 1
    assert edge.p99_us > auth.p50_us > 0


def test_the_list_holds_the_newest_traces_one_row_each() -> None:
    system = System(rate=100, traffic="login", store_spans=3_000).run(6 * S)
    snapshot = system.snapshot
    ids = [row.trace_id for row in snapshot.traces]
    assert len(ids) == len(set(ids)) == 200
    assert ids == [entry.trace_id for entry in snapshot.store.entries]
    assert snapshot.collector.evicted_traces > 0
    ranks = sorted(row.heat_ppm for row in snapshot.traces if row.complete)
    assert (ranks[0], ranks[-1]) == (0, 1_000_000)
    assert snapshot.trace(ids[3]) == snapshot.traces[3]
    assert snapshot.store.spans("0" * 32) == ()


def test_every_variant_says_what_it_leaves_out() -> None:
    for variant in PATTERN.variants:
        assert {kind for kind, _ in variant.fidelity} == {"modelled", "simplified", "left out"}
