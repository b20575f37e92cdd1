"""What the stories say is what happens in them: each number of a cue is held against the snapshot beside it."""

from __future__ import annotations

import functools
from typing import Any

from engines.cqrs.pattern import PATTERN
from engines.cqrs.queries import Outcome
from engines.cqrs.verdict import Why
from engines.cqrs.world import events as e
from engines.cqrs.world.checks import FOLD, OUTBOX, SAID
from engines.cqrs.world.snapshot import ProjectionView, Snapshot, TableView
from engines.sim.faults import Narrate
from engines.sim.timeline import Timeline
from engines.units import US_PER_S, span


@functools.cache
def run(name: str, cue: int) -> Timeline[Any, Any]:
    """A story at its n-th cue."""
    scenario = PATTERN.scenario(name)
    times = [step.at_us for step in scenario.script if isinstance(step.command, Narrate)]
    timeline: Timeline[Any, Any] = Timeline(PATTERN.variant(scenario.variant), scenario.seed, scenario.config, scenario)
    timeline.advance(times[cue])
    return timeline


def seen(name: str, cue: int) -> Snapshot:
    snapshot: Snapshot = run(name, cue).snapshot()
    return snapshot


def said(name: str, cue: int) -> str:
    scenario = PATTERN.scenario(name)
    return [step.command.text for step in scenario.script if isinstance(step.command, Narrate)][cue]


def told(name: str, cue: int, kind: type) -> list[Any]:
    return [event.what for event in run(name, cue).engine.told(1 << 20) if type(event.what) is kind]


def quiet(name: str, cue: int, kind: type) -> list[Any]:
    """Also what the journal leaves out."""
    return [event.what for event in run(name, cue).engine.latest(1 << 20) if type(event.what) is kind]


def summaries(snapshot: Snapshot) -> ProjectionView:
    return snapshot.projections[0]


def live(snapshot: Snapshot) -> TableView:
    return summaries(snapshot).tables[0]


def total(snapshot: Snapshot, order: str) -> int:
    found: int = next(row.total for row in live(snapshot).rows if row.order == order)
    return found


def red(snapshot: Snapshot) -> list[str]:
    return [check.name for check in snapshot.checks if not check.ok]


def paces(snapshot: Snapshot) -> dict[str, Any]:
    return {pace.road: pace for pace in snapshot.paces}


def test_an_own_write_is_missed_and_then_read_by_each_cure() -> None:
    missed = told("own-write", 1, e.OwnWriteMissed)
    assert [(each.order, each.wrote, each.saw) for each in missed] == [("order-101", 1, -1)]
    first = seen("own-write", 1)
    assert "version 1, position 2" in said("own-write", 1)
    assert first.users[0].orders == (("order-101", "customer 1", 1, 2),)
    assert [row.order for row in first.crud] == ["order-101"]
    for cue, version in ((2, 2), (3, 3)):
        read = quiet("own-write", cue, e.OwnWriteSeen)[-1]
        assert read.saw == version
        assert f"after {span(read.waited_us)}" in said("own-write", cue)
    late = told("own-write", 4, e.QueryTimedOut)
    assert [(each.wanted, each.position) for each in late] == [(5, 4)]
    assert "not passed position 5" in said("own-write", 4)
    assert seen("own-write", 4).sides[-1].outcome is Outcome.TIMED_OUT


def test_a_crash_between_row_and_checkpoint_four_times() -> None:
    name = "checkpoint-policies"
    assert [total(seen(name, cue), "order-101") for cue in range(6)] == [10, 10, 70, 110, 160, 150]
    assert [live(seen(name, cue)).position for cue in range(6)] == [2, 3, 4, 5, 6, 6]
    assert live(seen(name, 5)).rows[0].lines == 5
    assert red(seen(name, 0)) == []
    assert red(seen(name, 1)) == [FOLD]
    for cue, words in (
        (2, "The row says 70"),
        (3, "Total 110"),
        (4, "160 instead of 150"),
        (5, "5 lines, total 150"),
    ):
        assert words in said(name, cue)


def test_what_comes_twice_or_late() -> None:
    name = "delivery"
    totals = [{row.order: row.total for row in live(seen(name, cue)).rows} for cue in range(4)]
    assert totals[0] == {"order-101": 55, "order-201": 15}
    assert totals[1]["order-101"] == 115
    assert totals[2] == {"order-101": 85, "order-201": 15, "order-301": 113}
    assert totals[3] == {"order-101": 85, "order-201": 15, "order-301": 115}
    assert seen(name, 0).store.head == 7
    assert seen(name, 0).bus.twice == 0
    early = told(name, 2, e.EventEarly)
    assert (early[-1].position, early[-1].missing, early[-1].order) == (13, 12, "order-301")
    assert '"price":2' in str(seen(name, 2).events[11].body)


def test_a_bug_is_mended_in_place_and_beside() -> None:
    name = "bug-and-rebuild"
    assert [total(seen(name, cue), "order-101") for cue in (0, 1, 3)] == [10, 10, 30]
    assert red(seen(name, 0)) == [SAID]
    assert red(seen(name, 1)) == [FOLD, SAID]
    hole = live(seen(name, 2))
    assert (hole.catching, hole.percent) == (True, 69)
    assert "at 69 %" in said(name, 2)
    began = [event for event in run(name, 3).engine.told(1 << 20) if type(event.what) is e.RebuildBegan][-1]
    done = [event for event in run(name, 3).engine.told(1 << 20) if type(event.what) is e.CaughtUp][-1]
    assert span(done.at_us - began.at_us) in said(name, 3)
    assert f"{done.what.position} events" in said(name, 3)
    days = (done.at_us - began.at_us) * 100_000_000 / done.what.position / (24 * 3_600 * US_PER_S)
    assert 3 < days < 4
    assert "a hundred million take more than three days" in said(name, 3)
    beside = summaries(seen(name, 4)).tables
    assert [(each.role, each.generation) for each in beside] == [("live", 4), ("next", 5)]
    assert f"at {beside[1].percent} %" in said(name, 4)
    assert [each.type for each in seen(name, 4).events].count("NoteAdded") == 1
    assert [each.position for each in summaries(seen(name, 5)).tables] == [seen(name, 5).store.head] * 2
    swapped = live(seen(name, 6))
    assert (swapped.generation, swapped.release) == (5, "v2")
    assert [row.order for row in swapped.rows if row.note] == ["order-103"]
    assert (live(seen(name, 7)).generation, live(seen(name, 7)).release) == (4, "right")
    assert len(told(name, 7, e.Swapped)) == 2


def test_poison_is_parked_live_and_stops_a_rebuild() -> None:
    name = "poison"
    parked = told(name, 1, e.EventParked)
    assert {(each.position, each.held) for each in parked} == {(5, False), (6, True)}
    assert total(seen(name, 1), "order-201") == 25
    assert [each.what.waited_us // 1_000 for each in run(name, 2).engine.told(1 << 20)
            if type(each.what) is e.AnswerStale] == [306]  # fmt: skip
    beside = summaries(seen(name, 3)).tables[1]
    assert (beside.generation, beside.stopped_at, beside.percent) == (4, 5, 57)
    end = seen(name, 4)
    assert total(end, "order-101") == 105
    assert [view.parked for view in end.projections] == [0, 0, 0]
    assert next(row.lines for row in live(end).rows if row.order == "order-101") == 3


def test_reads_stay_fast_in_a_burst_of_writes() -> None:
    name = "write-burst"
    calm, burst, scaled, after = (seen(name, cue) for cue in range(4))
    for snapshot, cue in ((calm, 0), (burst, 1)):
        assert span(paces(snapshot)["query"].p50_us) in said(name, cue)
        assert span(paces(snapshot)["crud query"].p50_us) in said(name, cue)
    assert f"{paces(calm)['query'].per_s} queries and {paces(calm)['command'].per_s} orders" in said(name, 0)
    crud = next(machine for machine in calm.machines if machine.name == "crud")
    assert f"{(crud.work.busy_ppm + 5_000) // 10_000} %" in said(name, 0)
    gap = burst.projections[1]
    assert f"{gap.name} is {gap.behind} events behind, the oldest {span(gap.age_us)} old" in said(name, 1)
    assert [view.home for view in scaled.projections] == ["p1", "p3", "p2"]
    assert f"{summaries(scaled).behind} event behind, {span(summaries(scaled).age_us)}" in said(name, 2)
    assert span(paces(scaled)["crud query"].p50_us) in said(name, 2)
    assert summaries(after).behind == 0
    assert span(paces(after)["crud query"].p50_us) in said(name, 3)
    assert burst.costs.verdict.why is Why.SCALES


def test_the_saga_turns_round_at_the_pivot_asks_again_in_silence_and_retries_behind_it() -> None:
    name = "saga-compensates"
    statuses = [{row.order: row.status for row in live(seen(name, cue)).rows} for cue in range(5)]
    assert statuses[0] == {"order-101": "shipped"}
    assert seen(name, 0).store.head == 5
    assert statuses[1]["order-201"] == "cancelled"
    assert statuses[2]["order-301"] == "reserved"
    assert [each.asked for each in told(name, 2, e.SagaAsksAgain)] == [2]
    assert statuses[3]["order-301"] == "shipped"
    assert [each.asked for each in told(name, 3, e.SagaAsksAgain)] == [2, 3]
    assert statuses[4]["order-102"] == "shipped"
    assert dict(seen(name, 4).ended) == {"completed": 3, "compensated": 1}


def test_a_small_shop_does_not_need_it() -> None:
    name = "small-crud"
    for cue, why in ((0, Why.DEARER), (1, Why.CHEAPER)):
        costs = seen(name, cue).costs
        assert costs.verdict.why is why
        assert f"{costs.verdict.crud_us // 1_000}" in said(name, cue)
        assert f"{costs.verdict.cqrs_us // 1_000}" in said(name, cue)
        assert f"{costs.load.reads} queries" in said(name, cue)
    crud = next(machine for machine in seen(name, 0).machines if machine.name == "crud")
    assert f"at {(crud.work.busy_ppm + 5_000) // 10_000} %" in said(name, 0)


def test_without_an_outbox_a_message_is_lost() -> None:
    name = "outbox-off"
    waiting = seen(name, 1)
    assert (waiting.store.outbox, summaries(waiting).behind) == (1, 1)
    assert span(summaries(waiting).age_us) in said(name, 1)
    assert total(seen(name, 2), "order-101") == 35
    lost = seen(name, 3)
    assert (summaries(lost).behind, lost.bus.events, lost.store.head) == (2, 4, 5)
    assert span(summaries(lost).age_us) in said(name, 3)
    assert red(lost) == [OUTBOX]
    assert total(seen(name, 4), "order-101") == 51
