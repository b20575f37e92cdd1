"""A shop to play with: orders, their sagas, notes, refusals and repeated commands over some days, as in life.

Everything went through the command bus and the saga, so every event has its command and every command its cause. The
events are a function of the seed. Whoever writes them brings the store.
"""

from collections.abc import Iterator
from typing import Final

from engines.cqrs.bus import Answer, CommandBus
from engines.cqrs.commands import ADD_LINE, ADD_NOTE, CREATE_ORDER, PAY_ORDER, SHIP_ORDER, Command
from engines.cqrs.saga import SAGA, Answered, Start, Tick, due_us, request, saga_of
from engines.event_sourcing.aggregate import Repository
from engines.event_sourcing.demo import BEGIN_US, ITEMS, PEOPLE, Draw
from engines.event_sourcing.events import Metadata, NewEvent
from engines.event_sourcing.memory_store import MemoryStore
from engines.event_sourcing.order import Order

EVENTS: Final = 2_000
OPEN: Final = 12
"""Orders that are under way at a time."""
NOTES: Final = ("ring twice", "leave it with the neighbour", "a present", "no hurry")


class _Shop:
    """People, a bank that has doubts, a carrier that is late."""

    def __init__(self, seed: int) -> None:
        self.draw = Draw(seed)
        self.store = MemoryStore()
        self.store.now_us = BEGIN_US
        self.bus = CommandBus(self.store, {PAY_ORDER: self._bank, SHIP_ORDER: self._carrier})
        self.sagas = Repository(self.store, SAGA)
        self.orders = 0
        self.commands = 0
        self.open: list[str] = []
        self.created: dict[str, Command] = {}

    def _bank(self, order: Order, command: Command) -> str:
        return "" if self.draw.below(6) else f"the bank declines {order.total}"

    def _carrier(self, order: Order, command: Command) -> str:
        return "" if self.draw.below(5) else "no carrier today"

    def send(self, name: str, order: str, data: dict[str, object], who: str) -> Answer:
        """A command of a person."""
        self.commands += 1
        command = Command(f"c{self.commands}", name, order, data, None, who, order)
        if name == CREATE_ORDER:
            self.created[order] = command
        answer = self.bus.send(command)
        if not self.draw.below(12):
            self.bus.send(command)  # its answer was slow: sent again, answered again, executed once
        return answer

    def turn(self) -> None:
        """Something happens."""
        self.store.now_us += 1_000_000 * (20 + self.draw.below(400))
        if len(self.open) < OPEN:
            self.begin()
            return
        order = self.open[self.draw.below(len(self.open))]
        who = str(self.created[order].data["customer"])
        match self.draw.below(8):
            case 0:
                self.send(ADD_NOTE, order, {"text": NOTES[self.draw.below(len(NOTES))]}, who)
            case 1:
                item, price = ITEMS[self.draw.below(len(ITEMS))]
                self.send(ADD_LINE, order, {"item": item, "quantity": 1, "price": price}, who)
            case _:
                self.proceed(order)

    def begin(self) -> None:
        """Somebody orders something."""
        self.orders += 1
        order = f"order-{self.orders}"
        who = PEOPLE[self.draw.below(len(PEOPLE))]
        lines = []
        for _ in range(1 + self.draw.below(3)):
            item, price = ITEMS[self.draw.below(len(ITEMS))]
            lines.append({"item": item, "quantity": 1 + self.draw.below(3), "price": price})
        self.send(CREATE_ORDER, order, {"customer": who, "lines": lines}, who)
        self.open.append(order)

    def proceed(self, order: str) -> None:
        """The saga of an order, one step on."""
        stream, now = saga_of(order), self.store.now_us
        meta = Metadata("saga", 0, "", order)
        saga = self.sagas.load(stream).state
        id = f"{stream}/{self.store.head()}"
        if not saga.order:
            self.sagas.execute(stream, Start(order, self.created[order].id, now), id, meta)
            return
        wanted = request(saga)
        if wanted is None:
            self.sagas.execute(stream, Tick(max(now, due_us(saga) or 0)), id, meta)
            return
        cause = self.store.get_events(stream)[-1].id
        answer = self.bus.send(wanted.command._replace(cause=cause, correlation_id=order))
        told = Answered(answer.command_id, answer.ok, answer.why, now)
        if self.sagas.execute(stream, told, id, meta).state.over:
            self.open.remove(order)


def batches(events: int = EVENTS, seed: int = 7) -> Iterator[tuple[str, tuple[NewEvent, ...]]]:
    """(stream, events) of appends, at least so many events in all."""
    shop = _Shop(seed)
    while shop.store.head() < events:
        shop.turn()
    for event in shop.store.events:
        meta = event.metadata
        yield event.stream, (NewEvent(event.id, event.type, event.data, event.version, meta),)


__all__ = ["EVENTS", "batches"]
