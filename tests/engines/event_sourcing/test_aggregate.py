"""Folding, deciding, retrying, snapshots, upcasters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.event_sourcing import (
    ACCOUNT,
    ANY,
    NO_STREAM,
    ORDER,
    Appended,
    Conflict,
    MemorySnapshots,
    MemoryStore,
    Metadata,
    NewEvent,
    Refused,
    Repository,
    UnknownEvent,
)
from engines.event_sourcing.account import Account, CloseAccount, Deposit, OpenAccount, Withdraw
from engines.event_sourcing.order import (
    AddLine,
    CancelOrder,
    CreateOrder,
    Order,
    PayOrder,
    ReleaseStock,
    ReserveStock,
    ShipOrder,
)


class Racing(MemoryStore):
    """A store in which somebody else writes right before the next append."""

    def __init__(self) -> None:
        super().__init__()
        self.race: list[Callable[[], object]] = []

    def save_events(self, aggregate_id: str, events: Sequence[NewEvent], expected: Any = ANY) -> Appended:
        if self.race:
            self.race.pop()()
        return super().save_events(aggregate_id, events, expected)


def account(store: MemoryStore, balance: int = 100) -> Repository[Account]:
    repository = Repository(store, ACCOUNT)
    repository.execute("account-1", OpenAccount("Ada"), "c1")
    repository.execute("account-1", Deposit(balance), "c2")
    return repository


def test_two_tellers_leave_20_and_never_minus_60() -> None:
    """Both read revision 3 and withdraw 80: one writes 4, the other gets a conflict, reloads, refuses."""
    store = Racing()
    repository = account(store, 50)
    repository.execute("account-1", Deposit(25), "c3")
    repository.execute("account-1", Deposit(25), "c4")
    assert repository.load("account-1")[:2] == (Account("Ada", 100, "open", 3), 3)
    other: Repository[Account] = Repository(store, ACCOUNT)
    store.race.append(lambda: other.execute("account-1", Withdraw(80), "teller-2"))
    with pytest.raises(Refused, match="80 with a balance of 20"):
        repository.execute("account-1", Withdraw(80), "teller-1")
    assert repository.load("account-1").state.balance == 20
    assert store.revision("account-1") == 4


def test_a_conflict_is_retried_a_bounded_number_of_times() -> None:
    store = Racing()
    repository = account(store)
    store.race.append(lambda: store.save_events("account-1", [NewEvent("x", "MoneyDeposited", {"amount": 1}, 3)]))
    done = repository.execute("account-1", Withdraw(100), "c9")
    assert (done.attempts, done.state.balance) == (2, 1)
    assert "expected revision 1, actual revision 2" in done.conflicts[0]
    number = iter(range(100))

    def meddle() -> None:
        i = next(number)
        store.race.append(meddle)
        MemoryStore.save_events(store, "account-1", [NewEvent(f"m{i}", "MoneyDeposited", {"amount": 1}, 3)])

    store.race.append(meddle)
    with pytest.raises(Conflict):
        repository.execute("account-1", Deposit(5), "c10", attempts=3)
    assert next(number) == 3


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (Withdraw(101), "with a balance of 100"),
        (Withdraw(0), "positive"),
        (Deposit(-5), "positive"),
        (OpenAccount("Eve"), "does not exist"),
        (CloseAccount(), "only an empty one"),
        (PayOrder(), "knows no command PayOrder"),
    ],
)
def test_an_account_refuses(command: Any, why: str) -> None:
    store = MemoryStore()
    with pytest.raises(Refused, match=why):
        account(store).execute("account-1", command, "c3")
    assert store.head() == 2


@given(st.lists(st.integers(-60, 60).filter(bool), max_size=60), st.integers(1, 12), st.integers(0, 59))
@settings(max_examples=60)
def test_fold_from_a_snapshot_is_fold_from_zero_always(amounts: list[int], every: int, lose: int) -> None:
    store, snapshots = MemoryStore(), MemorySnapshots()
    kept: Repository[Account] = Repository(store, ACCOUNT, snapshots, every)
    bare: Repository[Account] = Repository(store, ACCOUNT)
    kept.execute("account-1", OpenAccount("Ada"), "open")
    for index, amount in enumerate(amounts):
        command = Deposit(amount) if amount > 0 else Withdraw(-amount)
        with suppress(Refused):
            kept.execute("account-1", command, f"c{index}")
        if index == lose:
            snapshots.kept.clear()
        loaded = kept.load("account-1")
        assert loaded.state == bare.load("account-1").state
        assert loaded.state.balance == sum(
            event.data["amount"] * (1 if event.type == "MoneyDeposited" else -1)
            for event in store.get_events("account-1", 1)
        )


def test_with_snapshots_every_100_at_most_99_events_are_replayed_at_revision_1000() -> None:
    store, snapshots = MemoryStore(), MemorySnapshots()
    repository: Repository[Account] = Repository(store, ACCOUNT, snapshots, 100)
    repository.execute("account-1", OpenAccount("Ada"), "open")
    replayed = []
    for number in range(1_000):
        repository.execute("account-1", Deposit(1), f"c{number}")
        replayed.append(repository.load("account-1").replayed)
    assert store.revision("account-1") == 1_000
    assert (min(replayed), max(replayed)) == (0, 99)
    assert Repository(store, ACCOUNT).load("account-1").replayed == 1_001


def test_a_snapshot_of_an_old_schema_is_ignored() -> None:
    store, snapshots = MemoryStore(), MemorySnapshots()
    repository: Repository[Account] = Repository(store, ACCOUNT, snapshots, 1)
    repository.execute("account-1", OpenAccount("Ada"), "open")
    kept = snapshots.kept["account-1"]
    snapshots.kept["account-1"] = kept._replace(schema=0, state='["Mallory",1000000,"open",0]')
    loaded = repository.load("account-1")
    assert (loaded.state.balance, loaded.snapshot, loaded.replayed) == (0, -1, 1)


def test_upcasters_chain_and_never_rewrite() -> None:
    store = MemoryStore()
    store.save_events("account-1", [NewEvent("o", "AccountOpened", {"owner": "Ada"})], NO_STREAM)
    store.save_events("account-1", [NewEvent("d", "MoneyDeposited", {"sum": 40}, 1)], 0)
    event = store.get_events("account-1")[1]
    assert ACCOUNT.upcasters.lift(event) == ({"amount": 40, "currency": "EUR"}, (1, 2, 3))
    assert Repository(store, ACCOUNT).load("account-1").state.balance == 40
    assert store.get_events("account-1")[1].data == {"sum": 40}


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (NewEvent("x", "MoneyStolen", {}), "stream 'account-1' revision 1: nobody knows .* 'MoneyStolen'"),
        (NewEvent("x", "MoneyDeposited", {"amount": 1}, 4), "revision 1: MoneyDeposited version 4 is newer"),
        (NewEvent("x", "MoneyDeposited", {"amount": 1}, 0), "revision 1: .* no upcaster from version 0 to 1"),
        (NewEvent("x", "MoneyWithdrawn", {}), "revision 1: MoneyWithdrawn without a usable 'amount'"),
        (NewEvent("x", "MoneyWithdrawn", []), "revision 1: MoneyWithdrawn without a usable"),
    ],
)
def test_an_event_that_nobody_can_read_names_stream_and_revision(event: NewEvent, said: str) -> None:
    store = MemoryStore()
    store.save_events("account-1", [NewEvent("o", "AccountOpened", {"owner": "Ada"}), event])
    with pytest.raises(UnknownEvent, match=said):
        Repository(store, ACCOUNT).load("account-1")


def test_a_command_leaves_its_name_its_id_and_the_story_with_its_events() -> None:
    store = MemoryStore()
    repository = Repository(store, ACCOUNT)
    repository.execute("account-1", OpenAccount("Ada"), "c1", Metadata("teller", 5, correlation_id="story"))
    event = store.get_events("account-1")[0]
    assert event.metadata == Metadata("teller", 5, "c1", "story", "OpenAccount")
    assert event.id == "c1/0"


def test_a_command_that_is_repeated_after_a_lost_answer_is_recognised_by_the_store() -> None:
    store = MemoryStore()
    first = store.save_events("account-1", [NewEvent("c1/0", "AccountOpened", {"owner": "Ada"})], NO_STREAM)
    again = store.save_events("account-1", [NewEvent("c1/0", "AccountOpened", {"owner": "Ada"})], NO_STREAM)
    assert again.repeated
    assert again.positions == first.positions


def test_an_order_goes_its_way() -> None:
    store = MemoryStore()
    orders: Repository[Order] = Repository(store, ORDER, MemorySnapshots(), 2)
    way = [CreateOrder("Ada"), AddLine("book", 2, 15), ReserveStock(), PayOrder(), ShipOrder()]
    for index, command in enumerate(way):
        orders.execute("order-1", command, f"c{index}")
    order = orders.load("order-1").state
    assert (order.status, order.total, order.reserved) == ("shipped", 30, False)
    assert store.get_events("order-1")[3].data == {"amount": 30}


def test_an_order_refuses_what_its_state_does_not_allow() -> None:
    """Payment is the pivot: what is paid is shipped, not cancelled."""
    orders: Repository[Order] = Repository(MemoryStore(), ORDER)
    with pytest.raises(Refused, match="the order is absent, it must be created"):
        orders.execute("order-1", AddLine("book", 1, 1), "c0")
    orders.execute("order-1", CreateOrder("Ada"), "c1")
    with pytest.raises(Refused, match="no lines"):
        orders.execute("order-1", ReserveStock(), "c2")
    with pytest.raises(Refused, match="a quantity from 1"):
        orders.execute("order-1", AddLine("book", 0, 1), "c3")
    orders.execute("order-1", AddLine("book", 1, 1), "c4")
    orders.execute("order-1", ReserveStock(), "c5")
    orders.execute("order-1", ReleaseStock(), "c6")
    orders.execute("order-1", ReserveStock(), "c7")
    orders.execute("order-1", PayOrder(), "c8")
    with pytest.raises(Refused, match="the order is paid, it must be created or reserved"):
        orders.execute("order-1", CancelOrder(), "c9")


def test_a_cancelled_order_gives_its_stock_back_once() -> None:
    store = MemoryStore()
    orders: Repository[Order] = Repository(store, ORDER)
    for index, command in enumerate(
        [CreateOrder("Ada"), AddLine("book", 1, 1), ReserveStock(), CancelOrder("changed")]
    ):
        orders.execute("order-1", command, f"c{index}")
    assert orders.load("order-1").state.reserved
    orders.execute("order-1", ReleaseStock(), "r1")
    assert orders.execute("order-1", ReleaseStock(), "r2").appended.positions == ()
    assert orders.load("order-1").state.status == "cancelled"
