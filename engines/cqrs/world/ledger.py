"""What was promised and done, against which the checks compare. Machines write into it, and never read it."""

from collections import deque
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from engines.cqrs.projections import Row
from engines.cqrs.queries import GET_ORDER_SUMMARY, Freshness, Outcome, Reply
from engines.cqrs.read_models import OrderSummary, summary_of
from engines.cqrs.saga import Phase
from engines.cqrs.world.checks import FOLD, MIX, ONCE, RYW, SAGA_WHOLE, SAID
from engines.cqrs.world.messages import Question
from engines.cqrs.world.rules import SERVICES
from engines.cqrs.world.table import Table
from engines.event_sourcing.errors import UnknownEvent
from engines.event_sourcing.events import RecordedEvent
from engines.event_sourcing.order import SILENT

SIDES: Final = 12
"""Answers that are kept beside the truth."""
AGES: Final = 400
COMPLETE: Final = {"stock": 1, "bank": 1, "dispatch": 1}


class Side(NamedTuple):
    """An answer of the read model beside what the write model said at that moment."""

    at_us: int
    order: str
    read: OrderSummary | None
    write: OrderSummary | None
    outcome: Outcome
    age_us: int
    """How long ago the first thing happened that it does not show; 0: it shows all."""


class Ledger:
    """The truth."""

    def __init__(self) -> None:
        self.events: list[RecordedEvent] = []
        """As the store has them."""
        self.streams: dict[str, list[RecordedEvent]] = {}
        self.summaries: dict[str, dict[int, OrderSummary]] = {}
        """Order -> version -> what the write model said then."""
        self.commands: dict[str, bool] = {}
        """Ids of commands that were executed."""
        self.stands: dict[str, dict[str, int]] = {}
        """Order -> service -> how often it stands done."""
        self.ended: dict[str, Phase] = {}
        self.declines: dict[str, int] = {}
        """Service -> how many of its next requests it declines."""
        self.folds: dict[int, Table] = {}
        """Generation -> the same read model, folded here."""
        self.failures: list[tuple[str, str, tuple[str, ...]]] = []
        """What came to light since the checks last looked: (check, detail, witness)."""
        self.sides: deque[Side] = deque(maxlen=SIDES)
        self.ages: deque[tuple[int, int]] = deque(maxlen=AGES)
        """(when, how old) of the newest answers about orders."""
        self.judged = self.stale = 0
        """Answers about orders, and how many of them did not show everything."""

    def fail(self, check: str, detail: str, *witness: str) -> None:
        """A guarantee does not hold."""
        self.failures.append((check, detail, witness))

    # -- the write side --------------------------------------------------------------------------------------------

    def wrote(self, events: Sequence[RecordedEvent]) -> None:
        """The store wrote what a command decided."""
        for id in dict.fromkeys(event.causation_id for event in events):
            if id in self.commands:
                mine = next(event for event in events if event.causation_id == id)
                self.fail(ONCE, f"command {id} ({mine.command}) was executed again", _name(mine))
            self.commands[id] = True
        for event in events:
            self.events.append(event)
            stream = self.streams.setdefault(event.stream, [])
            stream.append(event)
            if event.type not in SILENT:
                said = summary_of(stream)
                assert said is not None
                self.summaries.setdefault(event.stream, {})[event.revision] = said

    def recovered(self, transactions: Sequence[tuple[RecordedEvent, ...]]) -> None:
        """The store read its log again: what it had not synced has never been."""
        if sum(map(len, transactions)) == len(self.events):
            return
        self.events, self.streams, self.summaries, self.commands = [], {}, {}, {}
        for events in transactions:
            self.wrote(events)

    def newest(self, order: str) -> OrderSummary | None:
        """What the write model says of an order now."""
        known = self.summaries.get(order)
        return known[next(reversed(known))] if known else None

    # -- the read side -----------------------------------------------------------------------------------------------

    def applied(self, name: str, table: Table, changed: Sequence[Row], resumed: bool = False) -> None:
        """A read model has taken an event or a page: is it still a fold? Compared are the rows that were touched.

        ``resumed``: its machine came up. Then only rows of events that it claims to be past are compared, since the
        effect of one more may be there already."""
        aside = first_parked(table)
        fold = self.folds.get(table.generation)
        if resumed and (fold is None or fold.code != table.code or fold.held != aside):
            return
        keys: dict[Any, bool] = {row[0]: True for row in changed}
        if fold is None or fold.code != table.code or fold.position > table.position or fold.held != aside:
            fold = self.folds[table.generation] = Table(table.projection)
            fold.held = aside
            keys.update((row[0], True) for row in table.rows())
        while fold.position < table.position:
            event = self.events[fold.position]
            keys.update((row[0], True) for row in step(fold, event))
            fold.advance(event.position)
        for key in keys:
            if table.get(key) != fold.get(key):
                said = f"{name}, {key}: the read model at {table.position} has {_short(table.get(key))}"
                self.fail(FOLD, f"{said}, the fold {_short(fold.get(key))}", f"{name} at position {table.position}")
                return

    def forget(self, generations: Sequence[int]) -> None:
        """Only these generations are left."""
        for gone in [each for each in self.folds if each not in generations]:
            del self.folds[gone]

    def shown(self, replica: str, name: str, table: Table) -> None:
        """A replica serves this table from now on."""
        found = tuple(dict.fromkeys(table.origin.values()))
        if len(found) > 1:
            said = f"{replica} serves rows of generations {' and '.join(map(str, found))} of {name}"
            first = next(key for key, generation in table.origin.items() if generation == found[0])
            other = next(key for key, generation in table.origin.items() if generation == found[1])
            self.fail(MIX, said, f"{first} of generation {found[0]}", f"{other} of generation {found[1]}")

    def answered(self, now_us: int, question: Question, reply: Reply) -> None:
        """A replica answers: compare with the truth of this moment."""
        if question.name != GET_ORDER_SUMMARY or reply.outcome is Outcome.REBUILDING:
            return
        order = question.key
        row = reply.rows[0] if reply.rows else None
        shown = row.version if row is not None else -1
        known = self.summaries.get(order, {})
        if row is not None and (shown not in known or _said(row) != _said(known[shown])):
            said = f"{order} was shown as {_short(row)}; at version {shown} it was {_short(known.get(shown))}"
            self.fail(SAID, said, f"answer to {question.id}", f"position {reply.position}")
        if question.freshness is not Freshness.ANY and reply.outcome is Outcome.OK:
            asked = max(
                (event.revision for event in self.streams.get(order, ())
                 if event.position <= question.position and event.type not in SILENT), default=-1,
            )  # fmt: skip
            if shown < asked:
                said = f"{order} was asked for with position {question.position}, version {asked}"
                self.fail(RYW, f"{said}; shown was version {shown}, and it did not say so", f"answer to {question.id}")
        self.compare(now_us, order, row, reply.outcome)

    def compare(self, now_us: int, order: str, row: Any, outcome: Outcome) -> None:
        """How old an answer is."""
        shown = row.version if row is not None else -1
        known = self.summaries.get(order, {})
        unseen = next((event.at_us for event in self.streams.get(order, ())
                       if event.revision > shown and event.revision in known), 0)  # fmt: skip
        age = max(0, now_us - unseen) if unseen and outcome is Outcome.OK else 0
        if outcome is Outcome.OK:
            self.judged += 1
            self.stale += unseen > 0
            self.ages.append((now_us, age))
        read = OrderSummary(*row[:9]) if row is not None else None
        self.sides.append(Side(now_us, order, read, self.newest(order), outcome, age))

    # -- the saga ----------------------------------------------------------------------------------------------------

    def served(self, order: str, service: str, change: int) -> None:
        """A service did something for an order, or took it back."""
        stands = self.stands.setdefault(order, {})
        stands[service] = stands.get(service, 0) + change
        self.judge(order)

    def saga_ended(self, order: str, phase: Phase) -> None:
        """A saga says that it has ended."""
        self.ended[order] = phase
        self.judge(order)

    def judge(self, order: str) -> None:
        """Whether what has ended is whole."""
        phase = self.ended.get(order)
        if phase is None:
            return
        stands = self.stands.get(order, {})
        wanted = COMPLETE if phase is Phase.COMPLETED else {}
        summary = self.newest(order)
        status = summary.status if summary is not None else "absent"
        if status != ("shipped" if phase is Phase.COMPLETED else "cancelled"):
            self.fail(SAGA_WHOLE, f"the saga of {order} is {phase.value}, the order is {status}", f"saga of {order}")
        for service in SERVICES:
            if stands.get(service, 0) != wanted.get(service, 0):
                said = f"the saga of {order} is {phase.value}, and at the {service} it stands"
                self.fail(SAGA_WHOLE, f"{said} {stands.get(service, 0)} times", f"saga of {order}", f"{service}")


def first_parked(table: Table) -> dict[str, int]:
    """Stream -> the first revision that a read model has put aside."""
    aside: dict[str, int] = {}
    for parked in table.parked:
        event = parked.event
        aside[event.stream] = min(event.revision, aside.get(event.stream, event.revision))
    return aside


def step(fold: Table, event: RecordedEvent) -> tuple[Row, ...]:
    """One step of a fold that leaves out what is put aside."""
    if event.revision >= fold.held.get(event.stream, event.revision + 1):
        return ()
    try:
        rows = fold.projection.rows_after(fold.get, event)
    except UnknownEvent:
        return ()
    for row in rows:
        fold.put(row)
    return rows


def _said(row: Any) -> tuple[Any, ...]:
    """What a summary says of an order, whatever release made it. A note changes when it was changed, and no more."""
    return (*row[:7], row.version)


def _name(event: RecordedEvent) -> str:
    return f"position {event.position}: {event.stream} revision {event.revision}, {event.type}"


def _short(row: Any) -> str:
    if row is None:
        return "nothing"
    fields = row._asdict()
    shown = [f"{name} {fields[name]}" for name in ("status", "total", "orders", "amount", "version") if name in fields]
    return ", ".join(shown)


__all__ = ["Ledger", "Side", "first_parked"]
