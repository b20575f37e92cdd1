"""The persistent group alive: at least once, in no order, and what a restart hands out again."""

from __future__ import annotations

import pytest

from engines.event_sourcing.world import checks
from engines.event_sourcing.world import commands as c
from engines.event_sourcing.world import events as e
from engines.event_sourcing.world.group_world import GroupEngine
from engines.sim import faults
from tests.engines.event_sourcing.world.lab import MS, S, failed, go


def group(seed: int = 1, **config: object) -> GroupEngine:
    engine = GroupEngine("group", seed, tuple(sorted({"rate": 0, "handle_ms": 50, **config}.items())))
    go(engine, S)
    return engine


def handed_again(engine: GroupEngine) -> list[int]:
    return [each.what.position for each in engine.told(400) if isinstance(each.what, e.HandedAgain)]


def deposits(engine: GroupEngine, *accounts: int) -> None:
    for teller, account in zip(("t1", "t2", "t3"), accounts, strict=False):
        engine.apply(c.Act(teller, "deposit", account, 10))


@pytest.mark.parametrize(("idempotent", "red"), [(True, []), (False, [checks.ONCE])])
def test_ten_to_fourteen_delivered_eleven_unacked_a_restart_redelivers_from_eleven(
    idempotent: bool, red: list[str]
) -> None:
    """ "10..14 delivered, 11 unacked: checkpoint stays 10, restart redelivers 11..14." """
    engine = group(idempotent=idempotent)
    deposits(engine, 1, 2)
    go(engine, 1_500 * MS)
    assert engine.snapshot().group is not None
    assert engine.group.group.checkpoint == 10
    engine.apply(faults.Lose("mail", "store", 1_000_000))
    deposits(engine, 1, 2, 3)
    go(engine, 90 * MS)
    engine.apply(faults.Lose("mail", "store", 0))
    deposits(engine, 4)
    go(engine, 600 * MS)
    view = engine.snapshot().group
    assert view is not None
    assert (view.checkpoint, view.done_to, [each[0] for each in view.handed]) == (10, 10, [11])
    engine.apply(faults.Crash("store"))
    engine.apply(faults.Restart("store"))
    go(engine, S)
    assert handed_again(engine) == [11, 12, 13, 14]
    assert set(engine.letters.done) == set(range(1, 15))
    assert failed(engine) == red
    assert {engine.letters.done[n] for n in range(11, 15)} == ({1} if idempotent else {2})


def test_an_event_that_nobody_answers_for_comes_again_after_its_time() -> None:
    engine = group(ack_ms=400)
    engine.apply(faults.Freeze("mail"))
    engine.apply(faults.Freeze("post"))
    deposits(engine, 1)
    go(engine, 100 * MS)
    assert handed_again(engine) == []
    go(engine, 500 * MS)
    assert handed_again(engine)[:1] == [9]
    engine.apply(faults.Heal())
    go(engine, 3 * S)
    assert engine.group.group.done_to == 9
    assert failed(engine) == []


def test_what_a_dead_consumer_held_goes_to_the_other_one() -> None:
    engine = group(handle_ms=300)
    go(engine, 2 * S)
    deposits(engine, 1, 2, 3)
    go(engine, 100 * MS)
    held = {who: position for position, who, _, _ in engine.snapshot().group.handed}  # type: ignore[union-attr]
    assert set(held) == {"mail", "post"}
    engine.apply(faults.Crash("post"))
    go(engine, 4 * S)
    assert engine.group.group.consumers == ["mail"]
    assert held["post"] in handed_again(engine)
    assert engine.group.group.done_to == 11
    assert failed(engine) == []


@pytest.mark.parametrize(("poison", "tries"), [("park it and the rest of its stream, go on", 4), ("park it, go on", 1)])
def test_poison_is_retried_or_parked_and_survives_a_restart_parked(poison: str, tries: int) -> None:
    engine = group(retries=3, poison=poison)
    engine.apply(c.Poison(2, 60))
    go(engine, 200 * MS)
    deposits(engine, 1, 2)
    go(engine, 2 * S)
    parked = engine.group.group.parked
    assert [(each.event.position, each.attempts) for each in parked] == [(9, tries)]
    assert engine.group.group.done_to == 10, "it does not hold its stream: no order is promised"
    engine.apply(faults.Crash("store"))
    engine.apply(faults.Restart("store"))
    go(engine, S)
    assert [each.event.position for each in engine.group.group.parked] == [9]
    assert 9 not in engine.letters.done
    engine.apply(c.Release())
    engine.apply(c.ReplayParked("post"))
    go(engine, S)
    assert engine.group.group.parked == []
    assert engine.letters.done[9] == 1
    assert failed(engine) == []


def test_a_stop_is_a_stop_until_it_is_replayed() -> None:
    engine = group(poison="stop", ack_ms=300)
    engine.apply(c.Poison(2, 60))
    go(engine, 300 * MS)
    deposits(engine, 1)
    go(engine, S)
    assert engine.group.group.stopped
    assert 10 not in engine.letters.done
    engine.apply(c.Release())
    engine.apply(c.ReplayParked("mail"))
    go(engine, 2 * S)
    assert engine.group.group.done_to == 10
    assert failed(engine) == []


def test_a_checkpoint_past_an_event_nobody_did_is_seen() -> None:
    engine = group()
    deposits(engine, 1, 2)
    go(engine, 200 * MS)
    del engine.letters.done[9]
    go(engine, 2 * S)
    assert failed(engine) == [checks.SKIPPED]
