"""A store of orders as a run: one event a step, every read model as it was right after it."""

import pickle
from typing import Any

import pytest

from engines.cqrs import PROJECTIONS, fold
from engines.cqrs.demo import batches
from engines.cqrs.recorded import VARIANT, OrderRecords, source
from engines.cqrs.world import events as e
from engines.errors import UserError
from engines.event_sourcing import ANY, Integrity, MemoryStore
from engines.event_sourcing.events import RecordedEvent
from engines.sim.faults import Crash
from engines.sim.pattern import Check
from engines.sim.timeline import Timeline
from tests.engines.cqrs.test_projections import poisoned

CHECKS = (Check("integrity", True, "intact", ()),)


def demo(count: int = 300) -> list[RecordedEvent]:
    store = MemoryStore()
    for stream, events in batches(count):
        store.save_events(stream, events, ANY)
    return store.events


def opened(events: list[RecordedEvent], park: bool = False) -> Timeline[Any, Any]:
    records = OrderRecords(events, "event store", Integrity(True, "intact", len(events)), CHECKS, park)
    return Timeline(VARIANT.on(source(records, "shop.db", "0" * 64, "shop.db")), 0, ())


def test_every_read_model_is_the_fold_of_the_events_so_far() -> None:
    events = demo()
    run = opened(events)
    run.advance(10**16)
    for position in (1, 40, 150, 90, len(events)):
        run.seek(position)
        seen = run.snapshot()
        assert (len(seen.events), seen.store.head, seen.recorded) == (position, position, True)
        for view in seen.projections:
            right = fold(PROJECTIONS[view.name], events[:position])
            assert (view.position, view.behind, view.age_us) == (position, 0, 0)
            assert set(view.tables[0].rows) == set(right.rows()[-60:]) or len(view.tables[0].rows) == 60
            assert set(view.tables[0].rows) <= set(right.rows())
    assert run.snapshot().checks == CHECKS


def test_its_time_begins_with_the_first_event_and_sagas_end_in_it() -> None:
    events = demo()
    run = opened(events)
    run.advance(10**16)
    seen = run.snapshot()
    assert seen.now_us == events[-1].at_us - events[0].at_us
    ends = [event.type for event in events if event.type in ("SagaCompleted", "SagaCompensated")]
    assert sum(count for _, count in seen.ended) == len(ends) > 5
    assert {view.phase.value for view in seen.sagas} >= {"running", "completed"}
    assert seen.source.events_total == len(events)


def test_a_read_model_stands_still_at_an_event_it_cannot_read_and_the_gap_opens() -> None:
    events = poisoned()
    bad = next(event.position for event in events if event.id == "bad")
    records = OrderRecords(events, "event store", Integrity(True, "intact", len(events)))
    engine = VARIANT.on(source(records, "shop.db", "0" * 64)).make(0, ())
    told = [event[3] for _ in events for event in engine.step()]
    seen = engine.snapshot()
    found = {view.name: (view.position, view.behind, view.tables[0].stopped_at) for view in seen.projections}
    assert found["order_summary"] == (bad - 1, len(events) - bad + 1, bad)
    assert found["revenue_by_day"] == (len(events), 0, 0)
    assert [each for each in told if isinstance(each, e.RebuildStopped)] == [
        e.RebuildStopped("order_summary", bad, 0), e.RebuildStopped("customer_history", bad, 0),
    ]  # fmt: skip


def test_or_puts_it_aside_with_what_follows() -> None:
    events = poisoned()
    run = opened(events, park=True)
    run.advance(10**16)
    summary = run.snapshot().projections[0]
    assert (summary.position, summary.parked) == (len(events), 2)
    assert [event.id for event in summary.tables[0].parked] == ["bad", "later"]


def test_what_happened_has_happened() -> None:
    run = opened(poisoned())
    with pytest.raises(UserError, match="recorded data"):
        run.submit(Crash("file"))
    assert pickle.loads(pickle.dumps(run.snapshot())) == run.snapshot()
