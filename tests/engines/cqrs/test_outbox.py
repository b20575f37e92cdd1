"""Outbox and inbox: "event and message in one transaction; relay sends at least once; (consumer, message id) in the
effect's transaction"."""

import random

import pytest

from engines.cqrs import Inbox, Message, Outbox, Relay, save_with_messages
from engines.cqrs.outbox import OUTBOX, RESEND_US
from engines.event_sourcing import NO_STREAM, Conflict, MemoryStore, NewEvent, SqliteStore

MAIL = Message("m1", "OrderPlaced", {"order": "order-7"})


def test_a_message_is_sent_until_it_is_acknowledged() -> None:
    outbox = Outbox()
    outbox.put(MAIL)
    outbox.put(MAIL)
    assert outbox.send(0) == (MAIL,)
    assert outbox.send(RESEND_US - 1) == ()
    assert outbox.send(RESEND_US) == (MAIL,)
    assert outbox.entries["m1"].sent == 2
    assert (outbox.acknowledge("m1"), outbox.acknowledge("m1")) == (True, False)
    assert (outbox.send(10 * RESEND_US), outbox.acknowledged) == ((), 1)


def test_at_most_so_many_are_sent_at_once_the_oldest_first() -> None:
    outbox = Outbox()
    for number in range(5):
        outbox.put(Message(f"m{number}", "t", {}))
    assert [message.id for message in outbox.send(0, 2)] == ["m0", "m1"]
    assert [message.id for message in outbox.send(0, 9)] == ["m2", "m3", "m4"]


def test_a_message_has_its_effect_once_for_each_consumer() -> None:
    inbox = Inbox()
    assert [inbox.take("mail", "m1"), inbox.take("mail", "m1"), inbox.take("books", "m1")] == [True, False, True]


@pytest.mark.parametrize("disk", [False, True])
def test_event_and_message_are_written_together_or_not_at_all(disk: bool, tmp_path: object) -> None:
    store = SqliteStore(f"{tmp_path}/shop.db") if disk else MemoryStore()
    created = NewEvent("e1", "OrderCreated", {"customer": "ada"})
    save_with_messages(store, "order-7", [created], NO_STREAM, [MAIL])
    with pytest.raises(Conflict):
        save_with_messages(store, "order-7", [NewEvent("e2", "OrderPaid", {})], 5, [MAIL._replace(id="m2")])
    save_with_messages(store, "order-7", [NewEvent("e3", "StockReserved", {})], 0, [])
    assert [event.id for event in store.get_events(OUTBOX)] == ["m1"]
    assert store.head() == 3


def test_a_relay_goes_on_behind_what_has_arrived_and_repeats_what_may_not_have() -> None:
    store = MemoryStore()
    for number in range(4):
        event = NewEvent(f"e{number}", "NoteAdded", {"text": "x"})
        save_with_messages(store, f"order-{number}", [event], NO_STREAM, [Message(f"m{number}", "t", number)])
    sent: list[str] = []

    def send(message: Message) -> bool:
        sent.append(message.id)
        return sent != ["m0", "m1"]

    relay = Relay(store, send)
    assert (relay.run(), sent) == (1, ["m0", "m1"])
    assert relay.run() == 3
    assert Relay(store, send, relay.after).run() == 0
    assert sent == ["m0", "m1", "m1", "m2", "m3"]


def test_every_message_has_one_effect_whatever_is_lost() -> None:
    for seed in range(20):
        draw = random.Random(seed)
        outbox, inbox, effects = Outbox(), Inbox(), []
        for number in range(30):
            outbox.put(Message(f"m{number}", "t", {}))
        now = 0
        while outbox.entries:
            now += RESEND_US
            for message in outbox.send(now):
                if draw.random() < 0.4:
                    continue
                if inbox.take("mail", message.id):
                    effects.append(message.id)
                if draw.random() < 0.6:
                    outbox.acknowledge(message.id)
        assert sorted(effects) == sorted(f"m{number}" for number in range(30))
