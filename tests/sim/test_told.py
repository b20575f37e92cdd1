"""The count of told events, by which a line of the journal keeps its number."""

from engines.sim import faults
from engines.sim.events import JOURNAL_EVENTS
from tests import toy


def test_every_told_event_is_counted_also_those_the_ring_has_dropped() -> None:
    timeline = toy.timeline()
    for _ in range(JOURNAL_EVENTS):
        timeline.submit(faults.Freeze("p1"))
        timeline.submit(faults.Thaw("p1"))
    engine = timeline.engine
    assert len(engine.told(10_000)) == JOURNAL_EVENTS
    assert engine.told_total >= 2 * JOURNAL_EVENTS


def test_the_count_is_part_of_the_state_and_goes_back_with_it() -> None:
    timeline = toy.timeline()
    timeline.submit(faults.Crash("p1"))
    told = timeline.engine.told_total
    timeline.submit(faults.Restart("p1"))
    timeline.back()
    assert timeline.engine.told_total == told
