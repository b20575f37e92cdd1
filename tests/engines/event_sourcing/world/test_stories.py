"""What the stories say is what happens in them: each number of a cue is held against the snapshot beside it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

from engines.event_sourcing.pattern import PATTERN
from engines.event_sourcing.world import events as e
from engines.event_sourcing.world.checks import fold_of
from engines.event_sourcing.world.commands import Act
from engines.event_sourcing.world.rules import NEWER_ACCOUNT
from engines.event_sourcing.world.snapshot import Snapshot
from engines.sim.faults import Narrate
from engines.sim.pattern import Scenario
from engines.sim.timeline import Timeline
from tests.transcripts import golden, quiet_events_told, transcript

GOLDEN = Path(__file__).parent / "golden"


@functools.cache
def run(name: str, cue: int | None = None) -> Timeline[Any, Any]:
    """A story at its n-th cue, or at its end."""
    scenario = PATTERN.scenario(name)
    times = [step.at_us for step in scenario.script if isinstance(step.command, Narrate)]
    timeline: Timeline[Any, Any] = Timeline(PATTERN.variant(scenario.variant), scenario.seed, scenario.config, scenario)
    timeline.advance(scenario.end_us if cue is None else times[cue])
    return timeline


def seen(name: str, cue: int | None = None) -> Snapshot:
    snapshot: Snapshot = run(name, cue).snapshot()
    return snapshot


def said(name: str, cue: int) -> str:
    scenario = PATTERN.scenario(name)
    return [step.command.text for step in scenario.script if isinstance(step.command, Narrate)][cue]


def account(snapshot: Snapshot, number: int, upto: int | None = None) -> tuple[int, int]:
    """(revision, balance) of an account, folded from what readers see, up to a revision."""
    events = [each for each in snapshot.events if each.stream == f"account-{number}"]
    if upto is not None:
        events = [each for each in events if each.revision <= upto]
    return events[-1].revision, fold_of(NEWER_ACCOUNT, events).balance


def told(name: str, kind: type, cue: int | None = None) -> list[Any]:
    return [event.what for event in run(name, cue).engine.told(1 << 20) if type(event.what) is kind]


def test_an_account_is_the_sum_of_what_happened() -> None:
    assert {account(seen("account-replayed", 0), n) for n in range(1, 5)} == {(1, 100)}
    assert account(seen("account-replayed", 1), 1) == (4, 125)
    assert "revision 4" in said("account-replayed", 1)
    transfer = seen("account-replayed", 2).events[-2:]
    assert [event.who for event in transfer] == ["t1", "desk"]
    assert transfer[0].correlation_id == transfer[1].correlation_id
    assert transfer[1].command_cause == transfer[0].id
    end = seen("account-replayed", 3)
    assert (len(end.events), account(end, 1)[1], account(end, 2)[1]) == (13, 100, 125)
    assert told("account-replayed", e.StoreRecovered) == [e.StoreRecovered(13, 0, False)]


def test_two_tellers_leave_20() -> None:
    assert account(seen("two-tellers", 0), 1) == (1, 100)
    assert account(seen("two-tellers", 1), 1) == (2, 20)
    assert [(each.expected, each.actual) for each in told("two-tellers", e.Conflicted, 1)] == [(1, 2)]
    assert [(each.balance, each.why) for each in told("two-tellers", e.CommandRefused)] == [(20, e.RefusalReason.FUNDS)]
    assert account(seen("two-tellers", 2), 2)[1] == 160
    assert len(told("two-tellers", e.Conflicted)) == 4


def test_the_error_is_found_where_it_happened() -> None:
    first = seen("time-travel", 0)
    mine = [event for event in first.events if event.stream == "account-3"]
    assert (len(first.events), len(mine), account(first, 3)[1]) == (14, 6, 80)
    wrong = mine[3]
    assert (wrong.who, wrong.data["amount"], wrong.at_us // 1_000_000) == ("t3", 90, 2)
    assert account(first, 3, 2)[1] == 140
    assert account(seen("time-travel", 2), 3)[1] == 161


def test_snapshots_bound_what_a_load_folds() -> None:
    off = seen("snapshots", 0).cost.newest
    assert [each.folded for each in off] == [each.revision + 1 for each in off]
    on = [each.folded for each in seen("snapshots", 1).cost.newest]
    assert max(on) < 15
    assert min(on) == 0
    renewed = [each.folded for each in seen("snapshots", 2).cost.newest]
    assert len([each for each in renewed if each > 100]) == 1
    assert len(told("snapshots", e.SnapshotIgnored)) == 1
    assert [each.folded for each in seen("snapshots", 3).cost.newest][-1] > 200


def test_the_same_crash_loses_repeats_or_does_once() -> None:
    def mail(cue: int) -> tuple[int, int, int]:
        found = seen("checkpoint-policies", cue).subscribers[0]
        return found.checkpoint, found.effects, found.twice

    assert [mail(cue) for cue in range(4)] == [(2, 2, 0), (3, 2, 0), (4, 4, 1), (5, 5, 1)]
    assert told("checkpoint-policies", e.EventSkipped) == [e.EventSkipped(3, "account-1", 2)]
    assert told("checkpoint-policies", e.EffectRepeated) == [e.EffectRepeated(4, "account-1", 3, 2)]


def test_a_group_hands_out_again_what_lies_behind_its_checkpoint() -> None:
    def group(cue: int) -> tuple[int, int, list[int], tuple[int, ...]]:
        found = seen("persistent-group", cue).group
        assert found is not None
        return found.checkpoint, found.done_to, [each[0] for each in found.handed], found.parked

    def letters(cue: int) -> list[int]:
        return [each.effects for each in seen("persistent-group", cue).subscribers]

    assert (group(0), letters(0)) == ((0, 8, [], ()), [8, 0])
    assert (group(1), letters(1)) == ((10, 10, [], ()), [9, 1])
    assert group(2) == (10, 10, [11], ())
    assert sum(letters(2)) == 14
    assert group(3) == (10, 14, [], ())
    assert sum(letters(3)) == 14
    known = [each.position for each in told("persistent-group", e.EffectKnown, 3)]
    assert known == [11, 12, 13, 14]
    again = told("persistent-group", e.HandedAgain, 3)
    assert [(each.position, each.attempt) for each in again] == [(11, 0), (12, 0), (13, 0), (14, 0)]
    checkpoint, done_to, handed, _ = group(4)
    assert (checkpoint, done_to, handed) == (10, 14, [15])
    assert sum(letters(4)) == 15, "16 is done"
    assert group(5) == (10, 16, [], (15,))
    assert told("persistent-group", e.EventParked) == [e.EventParked(15, "account-2", 4, False, 11)]
    assert group(6) == (10, 19, [], ())
    assert told("persistent-group", e.ConsumerGone) == [e.ConsumerGone("post", 1)]


def test_the_gap_is_skipped_and_two_cures_are_none() -> None:
    def state(cue: int) -> tuple[tuple[int, ...], set[int], tuple[int, ...]]:
        found = seen("skipped-gap", cue)
        numbers = tuple(event.position for event in found.events[-3:])
        return numbers, {each.checkpoint for each in found.subscribers}, found.store.burnt

    open_now = [number for number, _ in seen("skipped-gap", 1).store.open_transactions]
    assert (state(1), open_now) == (((5, 6, 8), {8}, ()), [7])
    assert state(2) == ((6, 7, 8), {8}, ())
    assert state(3)[:2] == ((7, 8, 10), {8})
    assert state(4)[:2] == ((8, 9, 10), {10})
    assert state(5)[:2] == ((10, 11, 12), {12})
    skipped = {each.position for each in told("skipped-gap", e.EventSkipped)}
    assert skipped == {7, 11}
    numbers, stands, burnt = state(6)
    assert (numbers, stands, burnt) == ((12, 14, 15), {12}, (13,))
    assert state(7)[1] == {15}


def test_tampering_is_found_at_its_place() -> None:
    assert account(seen("tampering", 1), 1)[1] == 5_100
    assert all(check.ok for check in run("tampering", 1).check())
    broken = next(check for check in run("tampering", 2).check() if not check.ok)
    assert broken.detail.startswith("position 5 (stream 'account-1' revision 2)")
    assert told("tampering", e.ChainVerified) == [
        e.ChainVerified(6, 0, "", 0),
        e.ChainVerified(6, 5, "account-1", 2),
    ]


def test_an_old_event_is_lifted_and_stays_old() -> None:
    first = next(event for event in seen("upcasting", 0).events if event.stream == "account-3" and event.revision == 1)
    assert (first.version, first.data) == (1, {"sum": 100})
    assert account(seen("upcasting", 1), 3)[1] == 105
    end = seen("upcasting", 2)
    assert account(end, 3)[1] == 112
    assert [event.version for event in end.events if event.stream == "account-3"] == [1, 1, 3, 4]
    engine: Any = PATTERN.variant("store").make(42, (("accounts", 3), ("rate", 0), ("snapshots", 0)))
    engine.apply(Act("t1", "deposit", 3, 5))
    engine.run(60_000, 1 << 20)
    lifted = [event.what for event in engine.latest(1 << 20) if type(event.what) is e.EventLifted]
    assert lifted == [e.EventLifted("account-3", 1, "MoneyDeposited", 1, 3)]


def test_compaction_keeps_two_of_seven() -> None:
    before, after = seen("compaction", 0), seen("compaction", 1)
    assert (len(before.events), len(after.events)) == (7, 2)
    assert (account(before, 1)[1], account(before, 2)[1]) == (120, 105)
    assert account(after, 1)[1] == -30
    assert {each.checkpoint for each in after.subscribers} == {7}
    assert [event.position for event in after.events] == [6, 7]


def test_poison_is_parked_with_what_follows_in_its_stream() -> None:
    for subscriber in seen("poison", 1).subscribers:
        assert subscriber.parked == ((8, "account-2", 2, False), (10, "account-2", 3, True))
        assert subscriber.behind == 0
    assert {each.attempts for each in told("poison", e.EventParked)} == {3, 0}
    assert [(each.stream, each.revision) for each in told("poison", e.CommandFailed)] == [("account-2", 2)]
    end = seen("poison", 3)
    assert [subscriber.parked for subscriber in end.subscribers] == [(), ()]
    assert dict(end.subscribers[1].balances)["account-2"] == 175


def _words(value: Any) -> str:
    if isinstance(value, tuple):
        name = type(value).__name__ if hasattr(value, "_fields") else ""
        return f"{name}({', '.join(map(_words, value))})"
    return str(getattr(value, "value", value))


@pytest.mark.parametrize("scenario", PATTERN.scenarios, ids=lambda scenario: scenario.name)
def test_a_story_is_told_as_before(scenario: Scenario) -> None:
    text = transcript(PATTERN, scenario, message=_words, value=_words)
    assert golden(GOLDEN, scenario, text) == text


def test_no_transcript_is_left_over_and_routine_is_not_told() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {scenario.name for scenario in PATTERN.scenarios}
    for scenario in PATTERN.scenarios:
        assert not quiet_events_told(PATTERN, scenario)
