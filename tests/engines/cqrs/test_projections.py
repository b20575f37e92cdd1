"""Projections: "a projection = fold of events to its position, idempotent. Lag is two figures"."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.cqrs import (
    CUSTOMER_HISTORY,
    ORDER_SUMMARY,
    ORDER_SUMMARY_BUGGY,
    ORDER_SUMMARY_V2,
    PROJECTIONS,
    REVENUE_BY_DAY,
    CommandBus,
    Effect,
    Lag,
    MemoryModel,
    OrderSummary,
    Projector,
    Purchase,
    Revenue,
    UnknownProjection,
    changes_at,
    changes_of,
    fold,
    lag,
    model_at,
    projection,
    rebuilder,
)
from engines.cqrs.read_models import DAY_US, day_of, summary_of
from engines.event_sourcing import CheckpointPolicy, MemoryStore, NewEvent, OnPoison, UnknownEvent
from engines.event_sourcing.events import RecordedEvent
from engines.event_sourcing.subscriptions import Moment, Parked, Stopped
from tests.engines.cqrs.shop import HOUR_US, create, log, step

FIRST = CheckpointPolicy.CHECKPOINT_FIRST
EFFECT = CheckpointPolicy.EFFECT_FIRST
TOGETHER = CheckpointPolicy.TOGETHER


def same(model: MemoryModel, other: MemoryModel) -> bool:
    return (model.rows(), model.position) == (other.rows(), other.position)


# -- rows --------------------------------------------------------------------------------------------------------------


def test_an_order_summary_agrees_with_the_write_model() -> None:
    for seed in range(10):
        events = log(seed)
        model = fold(ORDER_SUMMARY, events)
        for name in sorted({event.stream for event in events}):
            assert model.get(name) == summary_of([event for event in events if event.stream == name])
        assert model.count() > 5


def test_a_summary_with_a_bug_does_not() -> None:
    events = log(0)
    wrong = fold(ORDER_SUMMARY_BUGGY, events)
    assert [row for row in fold(ORDER_SUMMARY, events).rows() if row.total != wrong.get(row.order).total]


def test_version_two_knows_notes_which_version_one_skips() -> None:
    store = MemoryStore()
    bus = CommandBus(store)
    bus.send(create())
    bus.send(step("c2", "ADD_NOTE")._replace(data={"text": "ring twice"}))
    one, two = fold(ORDER_SUMMARY, store.events).get("order-7"), fold(ORDER_SUMMARY_V2, store.events).get("order-7")
    assert not ORDER_SUMMARY.handles("NoteAdded")
    assert two == (*one, "ring twice")


def test_the_three_read_models_of_one_order() -> None:
    store = MemoryStore()
    bus = CommandBus(store)
    for hour, command in enumerate(
        [create(), *(step(f"c{n}", name) for n, name in ((2, "RESERVE_STOCK"), (3, "PAY_ORDER")))]
    ):
        store.now_us = 5 * DAY_US + hour * HOUR_US
        bus.send(command)
    day = 5 * DAY_US
    models = {name: fold(each, store.events) for name, each in PROJECTIONS.items()}
    assert models["order_summary"].rows() == (
        OrderSummary("order-7", "ada", "paid", 2, 3, 4_100, day, day + 2 * HOUR_US, 4),
    )
    assert models["customer_history"].find("ada") == (
        Purchase("order-7", "ada", "paid", 4_100, day, day + 2 * HOUR_US),
    )
    assert models["customer_history"].find("nobody") == ()
    assert models["revenue_by_day"].rows() == (Revenue("1970-01-06", 1, 4_100),)


def test_days_are_of_utc() -> None:
    assert [day_of(0), day_of(DAY_US - 1), day_of(DAY_US), day_of(1_767_258_000_000_000)] == [
        "1970-01-01", "1970-01-01", "1970-01-02", "2026-01-01",
    ]  # fmt: skip


def test_a_row_moves_in_the_index_when_its_second_key_changes() -> None:
    model = MemoryModel(CUSTOMER_HISTORY)
    model.put(Purchase("order-1", "ada"))
    model.put(Purchase("order-1", "grace"))
    assert (model.find("ada"), model.find("grace")) == ((), (Purchase("order-1", "grace"),))


def test_a_projection_that_does_not_exist() -> None:
    with pytest.raises(UnknownProjection, match="no projection 'orders': one of order_summary, customer_history, rev"):
        projection("orders")
    assert projection("revenue_by_day") is REVENUE_BY_DAY


# -- lag, dates, causes ------------------------------------------------------------------------------------------------


def test_three_unprocessed_the_oldest_400_ms_old() -> None:
    assert lag(7, 10, 1_600_000, 2_000_000) == Lag(3, 400_000)
    assert lag(10, 10, 1_600_000, 2_000_000) == Lag(0, 0)
    assert lag(9, 10, 3_000_000, 2_000_000) == Lag(1, 0), "a clock that ran back makes nothing younger than now"


def test_a_projection_at_a_date() -> None:
    events = log(3)
    middle = events[len(events) // 2]
    model = model_at(ORDER_SUMMARY, events, middle.at_us)
    assert model.position >= middle.position
    assert same(model, fold(ORDER_SUMMARY, events[: model.position]))
    assert model_at(ORDER_SUMMARY, events, events[0].at_us - 1).count() == 0


def test_the_row_that_an_event_changed() -> None:
    events = log(3)
    for event in events:
        changes = changes_of(ORDER_SUMMARY, events, event.position)
        before, after = fold(ORDER_SUMMARY, events[: event.position - 1]), fold(ORDER_SUMMARY, events[: event.position])
        assert [(change.before, change.after) for change in changes] == (
            [(before.get(event.stream), after.get(event.stream))] if ORDER_SUMMARY.handles(event.type) else []
        )
    every = changes_at(PROJECTIONS.values(), events, [event.position for event in events])
    assert [each.projection for each in every[1]] == ["order_summary", "customer_history"]
    for name, each in PROJECTIONS.items():
        last = {change.after[0]: change.after for all in every.values() for change in all if change.projection == name}
        assert tuple(last[key] for key in sorted(last)) == fold(each, events).rows()
    assert changes_of(ORDER_SUMMARY, events, len(events) + 1) == ()
    assert changes_of(ORDER_SUMMARY, events, 0) == ()


# -- duplicates and reordering -----------------------------------------------------------------------------------------


@given(st.integers(0, 200), st.integers(0, 10_000), st.sampled_from(sorted(PROJECTIONS)))
def test_whatever_a_bus_repeats_and_reorders_the_model_is_the_fold(seed: int, shuffle: int, name: str) -> None:
    events = log(seed, 40)
    draw = random.Random(shuffle)
    delivered = [*events, *draw.choices(events, k=20)] if events else []
    draw.shuffle(delivered)
    projector = Projector(MemoryModel(PROJECTIONS[name]))
    for count, event in enumerate(delivered):
        projector.deliver(event)
        if count % 7 == 0:
            assert same(projector.model, fold(PROJECTIONS[name], events[: projector.model.position]))  # type: ignore[arg-type]
    assert same(projector.model, fold(PROJECTIONS[name], events))  # type: ignore[arg-type]
    assert projector.early == {}


def test_applying_twice_is_applying_once() -> None:
    events = log(1)
    once, twice = MemoryModel(REVENUE_BY_DAY), MemoryModel(REVENUE_BY_DAY)
    for event in events:
        Projector(once).handle(event)
        Projector(twice).handle(event)
        assert Projector(twice).handle(event) is Effect.REPEATED
    assert same(once, twice)


def test_who_is_not_idempotent_counts_a_duplicate_twice() -> None:
    events = log(1)
    paid = [event for event in events if event.type == "OrderPaid"]
    projector = Projector(MemoryModel(REVENUE_BY_DAY), idempotent=False)
    for event in [*events, paid[0]]:
        projector.deliver(event)
    right = fold(REVENUE_BY_DAY, events)
    assert sum(row.amount for row in projector.model.rows()) == sum(
        row.amount for row in right.rows()
    ) + paid[0].data["amount"]  # fmt: skip


def test_who_takes_events_as_they_come_loses_what_comes_late() -> None:
    events = log(1)
    stream = next(event.stream for event in events if event.type == "OrderPaid")
    mine = [event for event in events if event.stream == stream]
    hasty = Projector(MemoryModel(ORDER_SUMMARY), ordered=False)
    for event in [mine[1], mine[0], *mine[2:]]:
        hasty.deliver(event)
    assert hasty.model.get(stream) != fold(ORDER_SUMMARY, mine).get(stream)


def test_an_event_ahead_of_its_turn_waits_and_says_what_is_missing() -> None:
    events = log(1)
    projector = Projector(MemoryModel(ORDER_SUMMARY))
    assert projector.deliver(events[2]) == (Effect.EARLY,)
    assert (projector.missing(), projector.model.position) == (1, 0)
    assert projector.deliver(events[0]) != (Effect.EARLY,)
    assert len(projector.deliver(events[1])) == 2
    assert (projector.missing(), projector.model.position) == (0, 3)
    assert projector.deliver(events[1]) == (Effect.OLD,)


# -- checkpoints -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "idempotent", "times"),
    [(FIRST, True, 0), (EFFECT, False, 2), (EFFECT, True, 1), (TOGETHER, False, 1)],
)
def test_a_crash_between_effect_and_checkpoint(policy: CheckpointPolicy, idempotent: bool, times: int) -> None:
    """ "checkpoint first = lost; effect first = repeated; same transaction = once"."""
    store = MemoryStore()
    for number in range(1, 6):
        paid = NewEvent(f"e{number}", "OrderPaid", {"amount": 10**number})
        store.save_events(f"order-{number}", [paid])
    model = MemoryModel(REVENUE_BY_DAY)
    projector = Projector(model, policy, idempotent=idempotent)
    for event in store.events[:2]:
        projector.handle(event)
    for moment in projector.moments(store.events[2]):
        if moment is Moment.BETWEEN:
            break
    projector = Projector(model, policy, idempotent=idempotent)
    for event in store.read_all(model.position):
        projector.handle(event)
    wanted = [10**number for number in (1, 2, 4, 5)] + times * [1_000]
    assert model.rows() == (Revenue("1970-01-01", len(wanted), sum(wanted)),)
    assert model.position == 5


@pytest.mark.parametrize("policy", list(CheckpointPolicy))
def test_with_no_crash_the_policies_are_the_same(policy: CheckpointPolicy) -> None:
    events = log(1)
    model = MemoryModel(REVENUE_BY_DAY)
    projector = Projector(model, policy)
    for event in events:
        assert list(projector.moments(event)) == list(Moment)
    assert same(model, fold(REVENUE_BY_DAY, events))


# -- poison ------------------------------------------------------------------------------------------------------------


def poisoned() -> list[RecordedEvent]:
    store = MemoryStore()
    bus = CommandBus(store)
    bus.send(create("c1", "order-1"))
    bus.send(create("c2", "order-2"))
    store.save_events("order-1", [NewEvent("bad", "LineAdded", {"item": "pen", "quantity": 1})])
    bus.send(step("c4", "ADD_NOTE", order="order-2")._replace(data={"text": "x"}))
    store.save_events("order-1", [NewEvent("later", "OrderCancelled", {"reason": ""})])
    bus.send(step("c5", "RESERVE_STOCK", order="order-2"))
    return store.events


def test_live_poison_is_parked_with_the_rest_of_its_stream_and_everything_else_goes_on() -> None:
    events = poisoned()
    projector = Projector(MemoryModel(ORDER_SUMMARY))
    effects = [effect for event in events for effect in projector.deliver(event)]
    assert effects.count(Effect.PARKED) == 2
    model = projector.model
    assert [(each.event.id, each.attempts) for each in model.parked] == [("bad", 3), ("later", 0)]
    assert "LineAdded" in model.parked[0].error
    assert "'price'" in model.parked[0].error
    assert (model.held, model.position) == ({"order-1": 3}, len(events))
    assert (model.get("order-1").status, model.get("order-2").status) == ("created", "reserved")
    assert same(model, fold(ORDER_SUMMARY, events, model.held))  # type: ignore[arg-type]
    with pytest.raises(UnknownEvent):
        fold(ORDER_SUMMARY, events)


def test_parked_events_go_through_once_the_projection_is_mended() -> None:
    events = poisoned()
    projector = Projector(MemoryModel(ORDER_SUMMARY))
    for event in events:
        projector.deliver(event)
    assert projector.replay_parked() == 0
    assert [each.event.id for each in projector.model.parked] == ["bad", "later"]
    forgiving = {**ORDER_SUMMARY.changes, "LineAdded": lambda get, event, data: [get(event.stream)._replace(lines=3)]}
    projector.model.projection = type(ORDER_SUMMARY)("order_summary", 1, OrderSummary, forgiving)
    assert projector.replay_parked() == 2
    row = projector.model.get("order-1")
    assert (row.status, row.lines, projector.model.parked, projector.model.held) == ("cancelled", 3, [], {})


def test_what_was_parked_and_came_again_meanwhile_is_not_applied_twice() -> None:
    store = MemoryStore()
    for number in (1, 2):
        store.save_events(f"order-{number}", [NewEvent(f"e{number}", "OrderPaid", {"amount": 10})])
    for idempotent, paid in ((True, 20), (False, 30)):
        projector = Projector(MemoryModel(REVENUE_BY_DAY), idempotent=idempotent)
        assert projector.take(store.events) == 2
        projector.model.park(Parked(store.events[0], "it was slow", 1), hold=False)
        assert projector.replay_parked() == (0 if idempotent else 1)
        assert sum(row.amount for row in projector.model.rows()) == paid


def test_what_changed_is_told_of_the_last_event_alone() -> None:
    events = log(1)
    projector = Projector(MemoryModel(ORDER_SUMMARY))
    for event in events:
        projector.handle(event)
        written = [projector.model.get(event.stream)] if ORDER_SUMMARY.handles(event.type) else []
        assert list(projector.changed) == written
    projector.handle(events[0])
    assert (projector.effect, projector.changed) == (Effect.REPEATED, ())


def test_parking_the_event_alone_lets_its_stream_go_on() -> None:
    projector = Projector(MemoryModel(ORDER_SUMMARY), poison=OnPoison.PARK, attempts=1)
    for event in poisoned():
        projector.deliver(event)
    assert projector.model.get("order-1").status == "cancelled"
    assert [each.event.id for each in projector.model.parked] == ["bad"]


def test_a_rebuild_stops_at_poison_and_keeps_what_came_before() -> None:
    events = poisoned()
    bad = next(event for event in events if event.id == "bad")
    model = MemoryModel(ORDER_SUMMARY)
    with pytest.raises(Stopped, match=f"order_summary stops at position {bad.position}: stream 'order-1' revision 3"):
        rebuilder(model).take(events)
    assert same(model, fold(ORDER_SUMMARY, events[: bad.position - 1]))


def test_a_failing_projector_never_blocks_the_write_side() -> None:
    events = poisoned()
    store = MemoryStore.of(events)
    projector = rebuilder(MemoryModel(ORDER_SUMMARY))
    with pytest.raises(Stopped):
        projector.take(store.replay())
    assert CommandBus(store).send(step("c9", "PAY_ORDER", order="order-2")).ok


@pytest.mark.parametrize("type_", ["OrderTeleported", "$hidden"])
def test_types_of_tomorrow_and_of_the_store_are_skipped(type_: str) -> None:
    store = MemoryStore()
    store.save_events("order-1", [NewEvent("e1", type_, {})])
    projector = Projector(MemoryModel(ORDER_SUMMARY))
    assert projector.deliver(store.events[0]) == (Effect.SKIPPED,)
    assert projector.model.position == 1
