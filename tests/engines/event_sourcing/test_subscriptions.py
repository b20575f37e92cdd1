"""Catch-up, checkpoints and crashes, poison; persistent groups; stores with gaps; compaction; audit."""

from __future__ import annotations

import pytest

from engines.event_sourcing import (
    ACCOUNT,
    CatchUp,
    CheckpointPolicy,
    CompactedLog,
    Cure,
    Durable,
    EventStoreError,
    Group,
    GroupOptions,
    MemoryStore,
    Metadata,
    Nack,
    NewEvent,
    NumberedStore,
    OnPoison,
    Poller,
    RecordedEvent,
    Strategy,
    Subscriber,
    at_date,
    balances,
    causation_tree,
    difference,
)
from engines.event_sourcing.account import Account
from engines.event_sourcing.gaps import View
from engines.event_sourcing.subscriptions import Moment, Stopped
from tests.engines.event_sourcing.stores import filled, new


def five() -> tuple[RecordedEvent, ...]:
    return filled(MemoryStore(), tuple("12345")).read_all()


def nothing(_: RecordedEvent) -> None:
    """A handler."""


# -- catch-up and checkpoints --------------------------------------------------------------------------------


def test_history_then_live_without_a_hole_between() -> None:
    store = filled(MemoryStore())
    reader = CatchUp(store)
    got = [event.id for event in reader.pull(2)]
    store.save_events("s", new("d"), 2)
    while page := reader.pull(2):
        got += [event.id for event in page]
    store.save_events("t", new("e"))
    got += [event.id for event in reader.pull()]
    assert got == list("abcde")
    assert reader.behind == 0


def test_a_filter_moves_the_position_over_what_is_not_wanted() -> None:
    store = filled(MemoryStore())
    reader = CatchUp(store, wants=lambda event: event.stream == "t")
    assert reader.pull() == ()
    assert (reader.position, reader.behind) == (3, 0)


@pytest.mark.parametrize(
    ("policy", "idempotent", "effects"),
    [
        (CheckpointPolicy.CHECKPOINT_FIRST, False, [1, 2, 4, 5]),
        (CheckpointPolicy.EFFECT_FIRST, False, [1, 2, 3, 3, 4, 5]),
        (CheckpointPolicy.EFFECT_FIRST, True, [1, 2, 3, 4, 5]),
        (CheckpointPolicy.TOGETHER, False, [1, 2, 3, 4, 5]),
    ],
)
def test_events_1_to_5_with_a_crash_while_on_3(policy: CheckpointPolicy, idempotent: bool, effects: list[int]) -> None:
    events, durable = five(), Durable()
    first = Subscriber(nothing, policy, idempotent=idempotent, durable=durable)
    first.take(events[:2])
    for moment in first.moments(events[2]):
        if moment is Moment.BETWEEN:
            break  # the process dies here; what is durable stays
    Subscriber(nothing, policy, idempotent=idempotent, durable=durable).take(events)
    assert [each.position for each in durable.effects] == effects
    assert durable.checkpoint == 5


def poison(event: RecordedEvent) -> None:
    if event.id == "bad":
        raise EventStoreError("cannot be read")


def poisoned() -> tuple[RecordedEvent, ...]:
    store = filled(MemoryStore(), ("a", "bad", "c"))
    store.save_events("t", new("x"))
    store.save_events("s", new("d"), 2)
    return store.read_all()


def test_live_a_poison_event_is_parked_with_error_revision_and_count() -> None:
    subscriber = Subscriber(poison, poison=OnPoison.PARK, attempts=3)
    subscriber.take(poisoned())
    (parked,) = subscriber.durable.parked
    assert (parked.event.revision, parked.error, parked.attempts) == (1, "cannot be read", 3)
    assert [each.position for each in subscriber.durable.effects] == [1, 3, 4, 5]


def test_a_handler_that_keeps_order_parks_the_rest_of_that_stream_too() -> None:
    subscriber = Subscriber(poison, poison=OnPoison.PARK_STREAM)
    subscriber.take(poisoned())
    assert [parked.event.id for parked in subscriber.durable.parked] == ["bad", "c", "d"]
    assert [each.position for each in subscriber.durable.effects] == [1, 4], "the other stream goes on"
    subscriber.handle = nothing
    assert subscriber.replay_parked() == 3
    assert [each.position for each in subscriber.durable.effects] == [1, 4, 2, 3, 5]
    assert subscriber.durable.held == {}


def test_a_rebuild_stops_at_a_poison_event_and_says_where() -> None:
    subscriber = Subscriber(poison)
    with pytest.raises(Stopped, match="position 2, stream 's' revision 1: cannot be read"):
        subscriber.take(poisoned())
    assert subscriber.durable.checkpoint == 1


# -- persistent groups ---------------------------------------------------------------------------------------


def events_10_to_14() -> list[RecordedEvent]:
    return [RecordedEvent(n, f"s-{n % 3}", n, str(n), "T", 1, "{}") for n in range(10, 15)]


def group(**options: object) -> Group:
    made = Group(GroupOptions(checkpoint_least=1, checkpoint_after_us=0, **options), 9)  # type: ignore[arg-type]
    made.join("a")
    return made


def test_the_checkpoint_says_that_all_below_it_are_acknowledged() -> None:
    """10..14 delivered, 11 unacknowledged: the checkpoint stays 10, a restart redelivers 11..14."""
    first = group()
    first.feed(events_10_to_14())
    assert len(first.dispatch(0)) == 5
    for position in (10, 12, 13, 14):
        first.ack(position, 1)
    assert first.checkpoint == 10
    again = Group(first.options, first.checkpoint)
    again.join("a")
    again.feed(events_10_to_14())
    assert [delivery.event.position for delivery in again.dispatch(2)] == [11, 12, 13, 14]


def test_no_ack_in_30_s_is_a_retry_and_after_10_retries_it_is_parked() -> None:
    one = group()
    one.feed(events_10_to_14()[:1])
    attempts = []
    for turn in range(12):
        attempts += [delivery.attempt for delivery in one.dispatch(turn * 30_000_000)]
        one.tick(turn * 30_000_000 + 29_999_999)
        assert len(one.unacknowledged()) == (1 if turn < 11 else 0)
        one.tick((turn + 1) * 30_000_000)
    assert attempts == list(range(11))
    (parked,) = one.parked
    assert (parked.event.position, parked.error, parked.attempts) == (10, "no answer in time", 11)
    assert one.checkpoint == 10


def test_parked_ones_are_replayed_before_new_ones() -> None:
    one = group()
    events = events_10_to_14()
    one.feed(events[:2])
    one.dispatch(0)
    one.nack(10, Nack.PARK, "bad", 1)
    one.nack(11, Nack.PARK, "bad", 1)
    one.feed(events[2:])
    assert one.replay_parked() == 2
    assert [delivery.event.position for delivery in one.dispatch(2)] == [10, 11, 12, 13, 14]


@pytest.mark.parametrize(
    ("what", "parked", "out", "stopped", "done"),
    [
        (Nack.PARK, 1, (), False, 10),
        (Nack.SKIP, 0, (), False, 10),
        (Nack.RETRY, 0, (10,), False, 9),
        (Nack.STOP, 0, (10,), True, 9),
    ],
)
def test_what_a_consumer_may_ask_for(what: Nack, parked: int, out: tuple[int, ...], stopped: bool, done: int) -> None:
    one = group()
    one.feed(events_10_to_14()[:1])
    one.dispatch(0)
    one.nack(10, what, "no", 1)
    one.dispatch(2)
    assert (len(one.parked), one.unacknowledged(), one.stopped, one.done_to) == (parked, out, stopped, done)


def test_the_checkpoint_is_written_after_2_s_of_at_least_10_and_at_1000() -> None:
    one = Group(GroupOptions(buffer=5_000))
    one.join("a")
    one.feed(RecordedEvent(n, "s", n, str(n), "T", 1, "{}") for n in range(1, 2_001))
    one.dispatch(0)
    for position in range(1, 10):
        one.ack(position, 3_000_000)
    assert one.checkpoint == 0
    one.ack(10, 1_999_999)
    assert one.checkpoint == 0
    one.tick(2_000_000)
    assert one.checkpoint == 10
    for position in range(11, 1_010):
        one.ack(position, 2_000_001)
    assert one.checkpoint == 10
    one.ack(1_010, 2_000_002)
    assert one.checkpoint == 1_010


def test_strategies() -> None:
    for strategy, consumers in (
        (Strategy.ROUND_ROBIN, ["a", "b", "a", "b", "a"]),
        (Strategy.ONE_CONSUMER, ["a"] * 5),
    ):
        one = group(strategy=strategy)
        one.join("b")
        one.feed(events_10_to_14())
        assert [delivery.consumer for delivery in one.dispatch(0)] == consumers
    pinned = group(strategy=Strategy.PINNED)
    pinned.join("b")
    pinned.feed(RecordedEvent(n, f"s-{n % 20}", n, str(n), "T", 1, "{}") for n in range(10, 200))
    chosen: dict[str, set[str]] = {}
    for now in range(200):
        for delivery in pinned.dispatch(now):
            chosen.setdefault(delivery.event.stream, set()).add(delivery.consumer)
            pinned.ack(delivery.event.position, now)
    assert len(chosen) == 20
    assert all(len(names) == 1 for names in chosen.values()), "a stream has one consumer"
    assert {name for names in chosen.values() for name in names} == {"a", "b"}


def test_what_a_consumer_held_goes_to_others_when_it_leaves() -> None:
    one = group(strategy=Strategy.ROUND_ROBIN)
    one.join("b")
    one.feed(events_10_to_14()[:2])
    one.dispatch(0)
    one.leave("a", 1)
    assert [(each.consumer, each.event.position, each.attempt) for each in one.dispatch(1)] == [("b", 10, 1)]
    with pytest.raises(EventStoreError, match="in the group already"):
        one.join("b")
    with pytest.raises(EventStoreError, match="no consumer holds it"):
        one.nack(99, Nack.RETRY, "", 1)


# -- stores that take numbers before they commit -------------------------------------------------------------


def race() -> tuple[NumberedStore, int, int]:
    """1 and 2 are there; T1 takes 3, T2 takes 4."""
    store = NumberedStore()
    for _ in range(2):
        before = store.begin()
        store.take(before)
        store.commit(before)
    one, two = store.begin(), store.begin()
    assert (store.take(one), store.take(two)) == (3, 4)
    return store, one, two


@pytest.mark.parametrize(
    ("cure", "at_12", "at_20", "lost"),
    [
        (Cure.NAIVE, (1, 2, 4), (), True),
        (Cure.HIGH_WATER, (1, 2), (3, 4), False),
        (Cure.GAP_AWARE, (1, 2, 4), (3,), False),
        (Cure.SKIP_BY_TIME, (1, 2), (3, 4), False),
        (Cure.RESTARTED_TIMER, (1, 2), (3, 4), False),
    ],
)
def test_t2_commits_at_10_poll_at_12_t1_commits_at_20(
    cure: Cure, at_12: tuple[int, ...], at_20: tuple[int, ...], lost: bool
) -> None:
    store, one, two = race()
    poller = Poller(cure, patience_us=100)
    store.commit(two)
    assert poller.poll(store.view(), 12) == at_12
    store.commit(one)
    assert poller.poll(store.view(), 20) == at_20
    assert (3 not in poller.seen) == lost


def test_skipping_by_time_loses_a_commit_that_is_slower() -> None:
    store, one, two = race()
    slow, safe = Poller(Cure.SKIP_BY_TIME, 5), Poller(Cure.HIGH_WATER, 5)
    store.commit(two)
    for now in (12, 17, 22):
        slow.poll(store.view(), now)
        safe.poll(store.view(), now)
    store.commit(one)
    slow.poll(store.view(), 30)
    safe.poll(store.view(), 30)
    assert (slow.seen, slow.passed) == ([1, 2, 4], [3])
    assert (safe.seen, safe.passed) == ([1, 2, 3, 4], [])


def test_a_timer_that_each_poll_restarts_never_passes_a_burnt_number() -> None:
    store, one, two = race()
    stuck, safe = Poller(Cure.RESTARTED_TIMER, 5), Poller(Cure.HIGH_WATER)
    store.rollback(one)
    store.commit(two)
    for now in range(0, 1_000, 10):
        stuck.poll(store.view(), now)
        safe.poll(store.view(), now)
    assert stuck.mark == 2
    assert (safe.mark, safe.seen, safe.passed) == (4, [1, 2, 4], [3])


def test_the_high_water_mark_waits_for_everyone_who_could_fill_the_gap_and_for_nobody_else() -> None:
    store, one, two = race()
    poller = Poller(Cure.HIGH_WATER)
    store.rollback(one)
    store.commit(two)
    older = store.begin()  # began before the gap was first seen: it may own it, for all the poller knows
    assert poller.poll(store.view(), 1) == (1, 2)
    assert poller.poll(store.view(), 2) == ()
    store.begin()  # younger: it cannot
    store.rollback(older)
    assert poller.poll(store.view(), 3) == (4,)


def test_the_gap_aware_token_drops_a_hole_when_it_is_too_old_and_loses_what_comes_then() -> None:
    poller = Poller(Cure.GAP_AWARE, patience_us=5)
    assert poller.poll(View((1, 2, 4), 4, (1,), 2), 0) == (1, 2, 4)
    assert poller.poll(View((1, 2, 4), 4, (1,), 2), 5) == ()
    assert poller.passed == [3]
    assert poller.poll(View((1, 2, 3, 4), 4, (), 2), 6) == ()


# -- Kafka's log ---------------------------------------------------------------------------------------------


def test_compaction_keeps_the_last_value_of_a_key_its_order_and_its_offset() -> None:
    """k1=a, k2=b, k1=c, k2=null at 0..3: after: 2 k1=c, 3 k2 null; later only 2."""
    log = CompactedLog()
    for key, value in (("k1", "a"), ("k2", "b"), ("k1", "c"), ("k2", None)):
        log.append(key, value)
    assert log.compact(0) == 0, "the active segment is spared"
    log.roll()
    table = log.table()
    assert log.compact(0) == 2
    assert [each[:3] for each in log.read(0)] == [(2, "k1", "c"), (3, "k2", None)]
    log.compact(log.delete_retention_us - 1)
    assert [each.offset for each in log.read(0)] == [2, 3]
    log.compact(log.delete_retention_us)
    assert [each.offset for each in log.read(0)] == [2]
    assert log.table() == table == {"k1": "c"}
    assert log.append("k3", "d") == 4
    assert [each.offset for each in log.read(1)] == [2, 4]


def test_a_reader_that_is_slower_than_the_retention_misses_the_delete() -> None:
    log = CompactedLog(delete_retention_us=10)
    log.append("k", "a")
    read = {each.key: each.value for each in log.read(0)}
    log.append("k", None)
    log.roll()
    log.compact(0)
    log.compact(10)
    for each in log.read(1):
        read[each.key] = each.value
    assert read == {"k": "a"}
    assert log.table() == {}


def test_a_full_segment_is_closed() -> None:
    log = CompactedLog(segment_records=2)
    for number in range(5):
        log.append("k", str(number))
    assert [segment.base for segment in log.segments] == [0, 2, 4]
    with pytest.raises(EventStoreError, match="0 to 5"):
        log.read(6)


# -- audit ---------------------------------------------------------------------------------------------------


def test_the_difference_an_event_made() -> None:
    before = Account("Ada", 100, "open", 1)
    assert [tuple(each) for each in difference(before, Account("Ada", 20, "open", 2))] == [
        ("balance", 100, 20),
        ("movements", 1, 2),
    ]
    assert difference({"a": 1}, {"a": 1, "b": 2})[0] == ("b", None, 2)
    assert difference(before, before) == ()


def test_the_state_at_a_date_is_a_prefix_though_clocks_run_back() -> None:
    store = MemoryStore()
    for id, at in (("a", 100), ("b", 300), ("c", 200), ("d", 400)):
        store.save_events("s", [NewEvent(id, "T", {}, metadata=Metadata(at_us=at))])
    events = store.get_events("s")
    assert at_date(events, 99) == (0, 0)
    assert at_date(events, 250) == (3, 1), "b is before c, whatever its clock said"
    assert at_date(events, 1_000) == (4, 0)


def test_balances_are_a_projection_that_can_be_folded_to_any_date() -> None:
    store = MemoryStore()
    for number, (stream, amount) in enumerate((("account-1", 5), ("account-2", 7), ("account-1", 3))):
        event = NewEvent(str(number), "MoneyDeposited", {"amount": amount}, 3, Metadata(at_us=number + 1))
        store.save_events(stream, [event])
    events = store.read_all()
    seen = balances(events[: at_date(events, 2).events], lambda event: event.data["amount"])
    assert tuple(seen) == (2, (("account-1", 5), ("account-2", 7)))
    assert (seen.total, balances(events, lambda event: event.data["amount"]).total) == (12, 15)
    assert ACCOUNT.fold(store.get_events("account-1")).balance == 8


def test_the_causation_tree_command_event_command() -> None:
    store = MemoryStore()

    def put(stream: str, id: str, cause: str, command: str = "", because: str = "", story: str = "s1") -> None:
        store.save_events(
            stream, [NewEvent(id, id.upper(), {}, metadata=Metadata("w", 1, cause, story, command, because))]
        )

    put("order-1", "placed", "c1", "PlaceOrder")
    put("stock-1", "reserved", "c2", "Reserve", "placed")
    put("pay-1", "paid", "c3", "Pay", "placed")
    put("other-1", "elsewhere", "c9", "Other", story="s2")
    put("order-1", "noted", "paid")
    tree = causation_tree(store.read_all(), "s1")
    assert [(node.depth, node.label) for node in tree] == [
        (0, "PlaceOrder"),
        (1, "PLACED"),
        (2, "Reserve"),
        (3, "RESERVED"),
        (2, "Pay"),
        (3, "PAID"),
        (4, "NOTED"),
    ]
    assert [node.event is None for node in tree] == [True, False, True, False, True, False, False]


def test_a_forged_circle_of_causes_is_shown_and_does_not_hang() -> None:
    store = MemoryStore()
    for id, cause in (("a", "b"), ("b", "a")):
        store.save_events("s", [NewEvent(id, id, {}, metadata=Metadata("", 1, cause, "x"))])
    assert sorted(node.id for node in causation_tree(store.read_all(), "x") if node.event) == ["a", "b"]
