"""Each check has been seen red: a rule or a policy is off, something befalls the world, and just this check notices."""

from __future__ import annotations

from typing import Any, Final

import pytest

from engines.cqrs.queries import Outcome
from engines.cqrs.saga import Phase
from engines.cqrs.world import commands as c
from engines.cqrs.world import events as e
from engines.cqrs.world.checks import FOLD, MIX, ONCE, OUTBOX, RYW, SAGA_WHOLE, SAID
from engines.cqrs.world.engine import CqrsEngine
from engines.cqrs.world.rules import SERVICES, CqrsRules
from engines.sim import faults as f
from tests.engines.cqrs.world.lab import MS, QUIET, failed, go, told, world

Deeds = tuple[tuple[int, Any], ...]
"""(milliseconds, command)."""
SLOW: Final = {"apply_us": 40_000}
"""A projector that takes so long that a crash can be aimed between its two halves."""
EXPERIMENTS: Final[dict[str, tuple[str, dict[str, Any], Deeds]]] = {
    "dedupe": (ONCE, {}, ((100, c.Create("u1", 1, 10)), (300, c.Resend("u1")))),
    "idempotent": (FOLD, {}, (
        (50, f.Duplicate("bus", "p1", 900_000)), (100, c.Create("u1", 1, 10)), (200, c.AddTo("u1", 1, 5)),
        (300, c.AddTo("u1", 1, 5)),
    )),
    "in_order": (FOLD, {}, (
        (50, f.Slow("bus", "p1", 60_000, 0)), (60, f.Reorder("bus", "p1", 500_000)), (100, c.Create("u1", 1, 10)),
        *((200 + 40 * n, c.AddTo("u1", 1, 1 + n)) for n in range(6)),
    )),
    "hold_stream": (FOLD, {}, (
        (100, c.Create("u1", 1, 10)), (200, c.Poison("u1")), (300, c.AddTo("u1", 1, 5)), (500, c.Ask("u1")),
    )),
    "outbox": (OUTBOX, {}, ((50, f.Cut("c1", "bus")), (50, f.Cut("c2", "bus")), (100, c.Create("u1", 1, 10)))),
    "inbox": (SAGA_WHOLE, {"sagas": True, "declines": 0}, (
        (50, f.Duplicate("saga", "bank", 900_000)), (100, c.Create("u1", 1, 10)), (150, c.Create("u2", 1, 10)),
        (200, c.Create("u3", 1, 10)),
    )),
    "say_stale": (RYW, {**SLOW, "freshness": "read your writes"}, ((100, c.Create("u1", 1, 10, then_read=True)),)),
    "ask_again": (SAGA_WHOLE, {"sagas": True, "declines": 0}, (
        (50, f.Cut("bank", "saga")), (100, c.Create("u1", 1, 10)), (3_000, f.Heal()),
    )),
    "swap_whole": (MIX, {}, (
        *((100 + n, c.Create("u1", 1, n)) for n in range(1, 6)), (400, c.Rebuild("customer_history", "beside")),
        (800, c.Swap("customer_history")),
    )),
}  # fmt: skip
"""Rule -> the check that its absence is caught by, the world, and what befalls it."""


def undergo(deeds: Deeds, **config: Any) -> CqrsEngine:
    engine = world(**{**QUIET, **config})
    for at_ms, command in deeds:
        go(engine, at_ms * MS - engine.now_us)
        engine.apply(command)
    return go(engine, 3_000 * MS)


def test_every_rule_has_an_experiment() -> None:
    assert set(EXPERIMENTS) == set(CqrsRules.names())


@pytest.mark.parametrize("rule", EXPERIMENTS)
def test_a_rule_that_is_off_is_caught_by_the_check_its_row_names(rule: str) -> None:
    check, config, deeds = EXPERIMENTS[rule]
    assert failed(undergo(deeds, **config)) == [], "with the rule on, the same does no harm"
    engine = undergo(deeds, **config, **{rule: False})
    assert check in failed(engine)
    red = next(each for each in engine.check() if each.name == check)
    assert red.detail
    assert red.witness
    assert red.position


CRASH: Final[Deeds] = (
    (100, c.Create("u1", 1, 10)), (700, c.AddTo("u1", 1, 20)), (754, f.Crash("p1")), (930, f.Restart("p1")),
)  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "idempotent", "total"),
    [("checkpoint first", True, 10), ("effect first", False, 50), ("effect first", True, 30),
     ("one transaction", True, 30)],
)  # fmt: skip
def test_crash_between_checkpoint_first_lost_effect_first_repeated_same_transaction_once(
    policy: str, idempotent: bool, total: int
) -> None:
    engine = undergo(CRASH, **SLOW, policy=policy, idempotent=idempotent)
    assert [row.total for row in engine.snapshot().projections[0].tables[0].rows] == [total]
    assert failed(engine) == ([] if total == 30 else [FOLD])


def test_a_bug_in_a_projection_is_shown_by_what_no_event_said() -> None:
    deeds = ((50, c.Deploy("order_summary", "buggy")), (100, c.Create("u1", 3, 10)), (300, c.Ask("u1")))
    assert failed(undergo(deeds)) == [SAID]


def test_an_answer_that_lacks_what_is_parked_says_so_although_the_position_is_past() -> None:
    deeds = ((100, c.Create("u1", 1, 10)), (200, c.Poison("u1")), (400, c.Ask("u1")))
    engine = undergo(deeds, freshness="read your writes")
    assert [side.outcome for side in engine.snapshot().sides] == [Outcome.TIMED_OUT]
    assert [each.freshness.value for each in told(engine, e.AnswerStale)] == ["read your writes"]


def test_a_saga_ends_completed_or_compensated_and_order_and_services_agree() -> None:
    engine = undergo(((100, c.Create("u1", 1, 10)),))
    engine.ledger.saga_ended("order-101", Phase.COMPLETED)
    assert [said for _, said, _ in engine.ledger.failures] == [
        "the saga of order-101 is completed, the order is created",
        *(f"the saga of order-101 is completed, and at the {name} it stands 0 times" for name in SERVICES),
    ]


def test_lag_is_two_figures_and_age_is_of_the_oldest() -> None:
    engine = undergo(((100, c.Create("u1", 1, 10)), (500, f.Crash("p1")), (600, c.AddTo("u1", 1, 5))))
    view = engine.snapshot().projections[0]
    stored = engine.ledger.events[2].at_us
    assert (view.behind, view.age_us) == (1, engine.now_us - stored)


def test_a_side_is_scaled_by_itself_and_a_projection_moves_by_being_built_anew() -> None:
    deeds = ((100, c.Create("u1", 1, 10)), (400, c.AddNode("projectors")), (600, c.AddTo("u1", 1, 5)))
    engine = undergo(deeds)
    homes = [view.home for view in engine.snapshot().projections]
    assert homes == ["p1", "p1", "p2"]
    assert {view.position for view in engine.snapshot().projections} == {3}
    engine.apply(c.RemoveNode("projectors"))
    go(engine, 500 * MS)
    assert [view.home for view in engine.snapshot().projections] == ["p1", "p1", "p1"]
    assert failed(engine) == []


def test_the_swap_is_one_step_and_the_way_back_is_another() -> None:
    deeds = (
        (100, c.Create("u1", 1, 10)), (300, c.Note("u1", "ring twice")),
        (500, c.Rebuild("order_summary", "beside", "v2")), (900, c.Swap("order_summary")),
    )  # fmt: skip
    engine = undergo(deeds)
    live = engine.snapshot().projections[0].tables[0]
    assert (live.release, [row.note for row in live.rows]) == ("v2", ["ring twice"])
    assert len({generation for _, _, generation in engine.snapshot().projections[0].replicas}) == 1
    engine.apply(c.Swap("order_summary", back=True))
    go(engine, 100 * MS)
    assert engine.snapshot().projections[0].tables[0].release == "right"


def test_a_rebuild_in_place_shows_a_hole_and_says_how_far_it_is() -> None:
    deeds: Deeds = (
        *((100 + 20 * n, c.Create("u1", 1, n)) for n in range(12)), (800, c.SetOption("apply_us", "40000")),
        (801, c.Rebuild("order_summary", "in place")), (1_100, c.Ask("u1")),
    )  # fmt: skip
    assert failed(undergo(deeds)) == []
    engine = world(**QUIET)
    for at_ms, command in deeds:
        go(engine, at_ms * MS - engine.now_us)
        engine.apply(command)
    table = engine.snapshot().projections[0].tables[0]
    assert (table.catching, 0 < table.percent < 100) == (True, True)
    before = engine.meter.totals["query"]
    go(engine, 20 * MS)
    assert engine.meter.totals["query"] == before + 1, "readers are answered, and told"
