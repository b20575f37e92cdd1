"""A store to play with: some thousand events of accounts and orders, with stories, clocks and conflicts as in life.

The events are a function of the seed. Whoever writes them brings the store.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from engines.event_sourcing.account import ACCOUNT, Deposit, OpenAccount, Withdraw
from engines.event_sourcing.aggregate import Aggregate, Refused
from engines.event_sourcing.append import NO_STREAM, ExpectedRevision
from engines.event_sourcing.events import Metadata, NewEvent
from engines.event_sourcing.order import (
    ORDER,
    AddLine,
    CancelOrder,
    CreateOrder,
    PayOrder,
    ReserveStock,
    ShipOrder,
)

EVENTS: Final = 3_000
BEGIN_US: Final = 1_767_258_000_000_000
"""1 January 2026, nine in the morning."""
PEOPLE: Final = ("ada", "grace", "edsger", "barbara", "leslie", "nancy")
ITEMS: Final = (("book", 1_900), ("lamp", 4_500), ("chair", 12_900), ("pen", 300))


class Batch(NamedTuple):
    """One append."""

    stream: str
    events: tuple[NewEvent, ...]
    expected: ExpectedRevision


class Draw:
    """Numbers from a seed: a linear congruence is enough for a demonstration."""

    def __init__(self, seed: int) -> None:
        self.state = seed & 0xFFFFFFFF

    def below(self, bound: int) -> int:
        """A number in [0, bound)."""
        self.state = (self.state * 1_664_525 + 1_013_904_223) & 0xFFFFFFFF
        return (self.state >> 8) % bound


class _Writer:
    """Decides on aggregates and keeps their states, as a repository would."""

    def __init__(self, seed: int) -> None:
        self.draw = Draw(seed)
        self.now_us = BEGIN_US
        self.states: dict[str, Any] = {}
        self.revisions: dict[str, int] = {}
        self.commands = 0

    def command(
        self, kind: Aggregate[Any], stream: str, command: Any, who: str, story: str = "", cause: str = ""
    ) -> Batch | None:
        """The batch that a command decides on; None if it is refused."""
        self.now_us += self.draw.below(5_000) * 1_000_000 + self.draw.below(1_000_000)
        state = self.states.get(stream, kind.initial)
        try:
            decided = kind.decide(state, command)
        except Refused:
            return None
        self.commands += 1
        id = f"c{self.commands}"
        meta = Metadata(who, self.now_us, id, story or f"s{self.commands}", type(command).__name__, cause)
        events = tuple(
            NewEvent(f"{id}-{index}", type_, data, kind.upcasters.types[type_], meta)
            for index, (type_, data) in enumerate(decided)
        )
        if not events:
            return None
        for type_, data in decided:
            state = kind.evolve(state, type_, data)
        self.states[stream] = state
        head = self.revisions.get(stream, -1)
        self.revisions[stream] = head + len(events)
        return Batch(stream, events, head if head >= 0 else NO_STREAM)


def batches(events: int = EVENTS, seed: int = 7) -> Iterator[Batch]:
    """Appends of about so many events in all."""
    writer = _Writer(seed)
    draw = writer.draw
    written = 0
    accounts = [f"account-{number}" for number in range(1, 41)]
    orders = 0
    for account in accounts:
        for first in (OpenAccount(PEOPLE[draw.below(len(PEOPLE))]), Deposit(10_000 + draw.below(50_000))):
            batch = writer.command(ACCOUNT, account, first, "branch")
            if batch is not None:
                written += len(batch.events)
                yield batch
    while written < events:
        if draw.below(4):
            amount = 100 + draw.below(9_000)
            command = Deposit(amount) if draw.below(2) else Withdraw(amount)
            steps: list[tuple[Aggregate[Any], str, Any, str]] = [
                (ACCOUNT, accounts[draw.below(len(accounts))], command, PEOPLE[draw.below(len(PEOPLE))])
            ]
        else:
            orders += 1
            steps = _order(f"order-{orders}", PEOPLE[draw.below(len(PEOPLE))], draw)
        story = cause = ""
        for kind, stream, asked, who in steps:
            batch = writer.command(kind, stream, asked, who, story, cause)
            if batch is None:
                break
            story, cause = batch.events[0].metadata.correlation_id, batch.events[-1].id
            written += len(batch.events)
            yield batch


def _order(stream: str, who: str, draw: Draw) -> list[tuple[Aggregate[Any], str, Any, str]]:
    """An order from its beginning to its end."""
    commands: list[tuple[Any, str]] = [(CreateOrder(who), who)]
    for _ in range(1 + draw.below(3)):
        item, price = ITEMS[draw.below(len(ITEMS))]
        commands.append((AddLine(item, 1 + draw.below(3), price), who))
    commands.append((ReserveStock(), "stock"))
    if draw.below(5):
        commands += [(PayOrder(), "payments"), (ShipOrder(), "warehouse")]
    else:
        commands.append((CancelOrder("changed my mind"), who))
    return [(ORDER, stream, command, actor) for command, actor in commands]


__all__ = ["BEGIN_US", "EVENTS", "ITEMS", "PEOPLE", "Batch", "Draw", "batches"]
