"""A small shop for tests."""

import random
from typing import Any

from engines.cqrs import Command, CommandBus
from engines.event_sourcing import MemoryStore
from engines.event_sourcing.events import RecordedEvent

LINES = [{"item": "book", "quantity": 2, "price": 1_900}, {"item": "pen", "quantity": 1, "price": 300}]
CUSTOMERS = ("ada", "grace", "edsger")
WAY = ("CREATE_ORDER", "ADD_LINE", "RESERVE_STOCK", "PAY_ORDER", "SHIP_ORDER")
OTHERS = ("RELEASE_STOCK", "CANCEL_ORDER", "ADD_NOTE", *WAY)
HOUR_US = 3_600_000_000


def create(id: str = "c1", order: str = "order-7", customer: str = "ada") -> Command:
    return Command(id, "CREATE_ORDER", order, {"customer": customer, "lines": LINES})


def step(id: str, name: str, version: int | None = None, order: str = "order-7") -> Command:
    return Command(id, name, order, {}, version)


def commands(seed: int, count: int) -> list[Command]:
    """Commands as they come: most are the next step of their order, some make no sense, some are repeats."""
    draw = random.Random(seed)
    found: list[Command] = []
    way: dict[str, int] = {}
    for number in range(count):
        order = f"order-{draw.randrange(2 + count // 8)}"
        at = way.get(order, 0)
        name = draw.choice(OTHERS)
        if draw.random() < 0.75:
            name = WAY[min(at, len(WAY) - 1)]
            way[order] = at + 1
        data: dict[str, Any] = {}
        if name == "CREATE_ORDER":
            data = {"customer": draw.choice(CUSTOMERS), "lines": LINES[: draw.randrange(3)]}
        elif name == "ADD_LINE":
            data = {"item": "lamp", "quantity": 1 + draw.randrange(3), "price": 4_500}
        elif name == "ADD_NOTE":
            data = {"text": f"note {number}"}
        found.append(Command(f"c{number}", name, order, data, correlation_id=order))
        if draw.random() < 0.1:
            found.append(draw.choice(found))
    return found


def log(seed: int, count: int = 120) -> tuple[RecordedEvent, ...]:
    """The events of a shop, an hour apart."""
    store = MemoryStore()
    bus = CommandBus(store)
    for command in commands(seed, count):
        store.now_us += HOUR_US
        bus.send(command)
    return tuple(store.events)
