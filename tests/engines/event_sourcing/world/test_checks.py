"""Each check is turned red by the rule, policy or person its name speaks of, and by nothing else."""

from __future__ import annotations

import pytest

from engines.event_sourcing.world import checks
from engines.event_sourcing.world import commands as c
from engines.event_sourcing.world.engine import EventEngine
from engines.sim import faults
from tests.engines.event_sourcing.world.lab import MS, S, failed, go, world


def quiet(variant: str = "store", seed: int = 1, **config: object) -> EventEngine:
    """A world in which only the test asks for anything."""
    return go(world(variant, seed, rate=0, **config), 200 * MS)


def test_an_acknowledgement_before_the_sync_is_lost_with_the_power() -> None:
    engine = quiet(sync_first=False, sync_ms=50)
    engine.apply(c.Act("t1", "deposit", 1, 10))
    go(engine, 40 * MS)
    engine.apply(faults.Crash("store"))
    engine.apply(faults.Restart("store"))
    assert failed(engine) in ([checks.DURABLE], [])
    lost = 0
    for seed in range(12):
        other = go(world(seed=seed, sync_first=False, rate=30), S)
        other.apply(faults.Crash("store"))
        other.apply(faults.Restart("store"))
        lost += checks.DURABLE in failed(other)
        sound = go(world(seed=seed, rate=30), S)
        sound.apply(faults.Crash("store"))
        sound.apply(faults.Restart("store"))
        assert failed(sound) == []
    assert lost >= 8


def test_two_tellers_without_an_expected_revision_overdraw_the_account() -> None:
    engine = quiet(check_expected=False)
    engine.apply(c.Race(1, 80))
    go(engine, S)
    assert failed(engine) == [checks.BALANCE]
    assert "account-1 holds -60" in next(each.detail for each in engine.check() if not each.ok)
    sound = quiet()
    sound.apply(c.Race(1, 80))
    go(sound, S)
    assert failed(sound) == []
    assert sound.ledger.states["account-1"][-1].balance == 20


def test_a_repeat_that_is_not_recognised_is_written_twice() -> None:
    def lose_the_answer(engine: EventEngine) -> EventEngine:
        engine.apply(c.Act("t1", "withdraw", 1, 10))
        go(engine, 12 * MS)
        engine.apply(faults.Cut("store", "t1"))
        go(engine, 300 * MS)
        engine.apply(faults.Heal())
        return go(engine, S)

    spoiled, sound = lose_the_answer(quiet(recognise_repeats=False)), lose_the_answer(quiet())
    assert failed(spoiled) == [checks.COMMANDS]
    assert spoiled.ledger.states["account-1"][-1].balance == 80
    assert failed(sound) == []
    assert sound.ledger.states["account-1"][-1].balance == 90


def test_a_snapshot_of_the_old_layout_is_a_wrong_state() -> None:
    for drop, red in ((False, [checks.SNAPSHOTS]), (True, [])):
        engine = quiet(snapshots=1, drop_old_snapshots=drop)
        engine.apply(c.Act("t1", "deposit", 1, 10))
        go(engine, 300 * MS)
        engine.apply(c.ChangeSchema())
        engine.apply(c.Act("t1", "deposit", 1, 10))
        go(engine, 300 * MS)
        assert failed(engine) == red


@pytest.mark.parametrize(
    ("policy", "idempotent", "red"),
    [
        ("checkpoint first", False, [checks.SKIPPED]),
        ("checkpoint first", True, [checks.SKIPPED]),
        ("effect first", False, [checks.ONCE]),
        ("effect first", True, []),
        ("one transaction", False, []),
    ],
)
def test_a_crash_between_effect_and_checkpoint(policy: str, idempotent: bool, red: list[str]) -> None:
    engine = quiet(policy=policy, idempotent=idempotent)
    go(engine, S)
    engine.apply(c.Act("t1", "deposit", 1, 10))
    while not engine.subscriber("mail").half:
        engine.step()
    engine.apply(faults.Crash("mail"))
    engine.apply(faults.Restart("mail"))
    go(engine, S)
    assert failed(engine) == red


def test_pages_that_come_twice_are_handled_twice_by_whoever_takes_any() -> None:
    for ignore, red in ((False, [checks.ONCE]), (True, [])):
        engine = world(rate=20, ignore_stale_pages=ignore, idempotent=False)
        engine.apply(faults.Duplicate("store", "mail", 900_000))
        engine.apply(faults.Reorder("store", "mail", 500_000))
        assert failed(go(engine, 4 * S)) == red


@pytest.mark.parametrize("cure", ["naive", "skip by time"])
def test_a_poller_that_goes_past_a_gap_loses_an_event(cure: str) -> None:
    for chosen, red in ((cure, [checks.SKIPPED]), ("high-water mark", []), ("gap-aware token", [])):
        engine = quiet("numbered", cure=chosen)
        go(engine, 500 * MS)
        engine.apply(c.HoldCommit(400 * MS if cure == "skip by time" and chosen == cure else 100 * MS))
        engine.apply(c.Act("t1", "deposit", 1, 10))
        go(engine, 20 * MS)
        engine.apply(c.Act("t2", "deposit", 2, 10))
        go(engine, 2 * S)
        assert failed(engine) == red, chosen


def test_a_timer_that_each_poll_restarts_waits_for_ever_behind_a_burnt_number() -> None:
    for cure, behind in (("restarted timer", True), ("high-water mark", False), ("skip by time", False)):
        engine = quiet("numbered", cure=cure)
        go(engine, 500 * MS)
        engine.apply(c.HoldCommit(30 * MS, True))
        engine.apply(c.Act("t1", "deposit", 1, 10))
        go(engine, 20 * MS)
        engine.apply(c.Act("t2", "deposit", 2, 10))
        go(engine, 3 * S)
        assert (engine.snapshot().subscribers[0].behind > 0) == behind, cure
        assert failed(engine) == []


def test_half_a_batch_is_served_by_a_recovery_that_takes_it() -> None:
    """The only batches of two events are the openings; their device is cut within the last one."""
    for whole, red in ((False, [checks.DURABLE, checks.BATCHES]), (True, [checks.DURABLE])):
        engine = quiet(whole_batches=whole)
        device = engine.hosts["store"].disk.registers["device"]
        engine.ledger.acked[8] = engine.store.memory.events[7].id
        del device.durable[max(device.durable)]
        engine.apply(faults.Crash("store"))
        engine.apply(faults.Restart("store"))
        assert sorted(failed(engine)) == sorted(red)


def test_a_charge_is_two_events_of_one_batch() -> None:
    engine = go(quiet(), S)
    engine.apply(c.Act("t1", "charge", 1, 10))
    amount, fee = go(engine, S).store.memory.events[-2:]
    assert {amount.type, fee.type} == {"MoneyWithdrawn"}
    assert [amount.data["amount"], fee.data["amount"]] == [10, 1]
    assert amount.causation_id == fee.causation_id
    assert engine.ledger.batches[fee.causation_id] == 2
    engine.apply(c.Act("t1", "charge", 1, 89))
    assert go(engine, S).ledger.states["account-1"][-1].balance == 89, "the fee is not there any more"


def test_a_changed_event_is_found_when_the_chain_is_verified() -> None:
    engine = quiet()
    engine.apply(c.Tamper(4, 1_000_000))
    assert failed(engine) == []
    engine.apply(c.Verify())
    assert failed(engine) == [checks.CHAIN]
    check = next(each for each in engine.check() if not each.ok)
    assert check.detail.startswith("position 4 (stream 'account-2' revision 1): its checksum does not fit")


def test_compaction_leaves_gaps_and_a_sum_that_is_no_balance() -> None:
    engine = quiet("log")
    for _ in range(3):
        engine.apply(c.Act("t1", "deposit", 1, 10))
        go(engine, 200 * MS)
    assert failed(engine) == []
    engine.apply(c.Compact())
    assert failed(engine) == [checks.GAPLESS, checks.BALANCE]


def test_a_poison_event_is_parked_and_its_stream_held_until_a_release_can_read_it() -> None:
    engine = quiet()
    engine.apply(c.Poison(2, 7))
    go(engine, 300 * MS)
    engine.apply(c.Act("t1", "deposit", 1, 10))
    engine.apply(c.Act("t2", "deposit", 2, 10))
    go(engine, 600 * MS)
    mail = engine.snapshot().subscribers[0]
    assert [(stream, held) for _, stream, _, held in mail.parked] == [("account-2", False)]
    assert mail.behind == 0
    assert [each.kind for each in engine.told(50) if each.node == "t2"][-1] == "command_failed"
    engine.apply(c.Release())
    for name in ("mail", "books"):
        engine.apply(c.ReplayParked(name))
    engine.apply(c.Act("t2", "deposit", 2, 10))
    go(engine, 600 * MS)
    mail = engine.snapshot().subscribers[0]
    assert (mail.parked, mail.behind) == ((), 0)
    assert engine.ledger.states["account-2"][-1].balance == 117
    assert failed(engine) == []


def test_sigkill_loses_nothing_that_was_written_and_power_loss_may() -> None:
    engine = quiet(sync_ms=500)
    engine.apply(c.Act("t1", "deposit", 1, 10))
    go(engine, 100 * MS)
    assert engine.snapshot().store.waiting_pages > 0
    engine.apply(c.Kill("store"))
    engine.apply(faults.Restart("store"))
    assert engine.store.memory.head() == 9
    assert failed(engine) == []


def test_the_desk_carries_money_on_once_though_it_dies() -> None:
    for seed in range(6):
        engine = quiet(seed=seed)
        engine.apply(c.Act("t1", "transfer", 1, 30, 2))
        go(engine, 40 * MS + seed * 5 * MS)
        engine.apply(faults.Crash("desk"))
        engine.apply(faults.Restart("desk"))
        go(engine, 2 * S)
        assert [engine.ledger.states[f"account-{n}"][-1].balance for n in (1, 2)] == [70, 130]
        assert failed(engine) == []
