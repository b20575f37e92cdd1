"""The same shop without the pattern: one store, tables ``orders`` and ``lines``, changed in place.

The rules are those of the same aggregate. What it costs is counted in rows touched: a write reads and writes the
order's rows; a read joins an order with its lines, and the more it has to put together the more it touches. What it
gives: every read is fresh. What it does not keep: history.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from engines.cqrs.bus import Answer, Status
from engines.cqrs.commands import Command, parse
from engines.cqrs.queries import GET_CUSTOMER_HISTORY, GET_ORDER_SUMMARY, Query, spec_of
from engines.cqrs.read_models import OrderSummary, Purchase, Revenue, day_of
from engines.event_sourcing.aggregate import Refused
from engines.event_sourcing.order import CREATED, LINE_ADDED, ORDER, PAID, Line, Order


class OrderRow(NamedTuple):
    """A row of ``orders``."""

    order: str
    customer: str
    status: str
    reserved: bool
    placed_us: int
    changed_us: int
    paid_us: int
    version: int


class Touched(NamedTuple):
    """Rows that an operation read and wrote."""

    read: int
    written: int

    @property
    def all(self) -> int:
        """Together."""
        return self.read + self.written


@dataclass(slots=True)
class CrudStore:
    """The tables."""

    orders: dict[str, OrderRow] = field(default_factory=dict)
    lines: dict[str, tuple[Line, ...]] = field(default_factory=dict)
    by_customer: dict[str, list[str]] = field(default_factory=dict)
    """The index on ``orders.customer``."""
    answers: dict[str, Answer] = field(default_factory=dict)
    """The table of command ids: dedupe is needed here too."""

    def execute(self, command: Command, now_us: int, declined: str = "") -> tuple[Answer, Touched]:
        """Change the rows of an order. UnknownCommand or BadFields if the command cannot be understood."""
        intent = parse(command)
        known = self.answers.get(command.id)
        if known is not None:
            return known._replace(repeated=True), Touched(1, 0)
        row, lines = self.orders.get(command.order), self.lines.get(command.order, ())
        read = (1 if row is not None else 0) + len(lines)
        version = row.version if row is not None else -1
        state = Order(row.customer, row.status, lines, row.reserved) if row is not None else Order()
        status, why, written = Status.ACCEPTED, declined, 0
        if command.version is not None and command.version != version:
            status, why = Status.STALE, f"{command.name}: sent for version {command.version}, it is at {version}"
        elif declined:
            status = Status.REFUSED
        else:
            try:
                decided = ORDER.decide(state, intent)
            except Refused as refused:
                status, why = Status.REFUSED, str(refused)
            else:
                status = Status.ACCEPTED if decided else Status.NOTHING
                for type_, data in decided:
                    state = ORDER.evolve(state, type_, data)
                    written += type_ == LINE_ADDED
                if decided:
                    version += 1
                    written += 1
                    self._write(command.order, row, state, now_us, version, [type_ for type_, _ in decided])
        answer = Answer(command.id, command.name, command.order, status, version, 0, why)
        self.answers[command.id] = answer
        return answer, Touched(read, written + 1)

    def _write(
        self, name: str, before: OrderRow | None, state: Order, now_us: int, version: int, types: list[str]
    ) -> None:
        placed = before.placed_us if before is not None else now_us
        paid = now_us if PAID in types else before.paid_us if before is not None else 0
        self.orders[name] = OrderRow(name, state.customer, state.status, state.reserved, placed, now_us, paid, version)
        self.lines[name] = state.lines
        if CREATED in types:
            self.by_customer.setdefault(state.customer, []).append(name)

    def query(self, query: Query) -> tuple[tuple[Any, ...], Touched]:
        """Rows as the read models have them, put together on reading. UnknownQuery, or BadFields."""
        _, key = spec_of(query)
        if query.name == GET_ORDER_SUMMARY:
            row = self.orders.get(key)
            if row is None:
                return (), Touched(1, 0)
            return (self._summary(row),), Touched(1 + len(self.lines[key]), 0)
        if query.name == GET_CUSTOMER_HISTORY:
            rows = [self.orders[name] for name in sorted(self.by_customer.get(key, ()))]
            read = 1 + sum(1 + len(self.lines[row.order]) for row in rows)
            return tuple(self._purchase(row) for row in rows), Touched(read, 0)
        return self._revenue(key)

    def _total(self, row: OrderRow) -> int:
        return sum(line.quantity * line.price for line in self.lines[row.order])

    def _summary(self, row: OrderRow) -> OrderSummary:
        lines = self.lines[row.order]
        return OrderSummary(
            row.order, row.customer, row.status, len(lines), sum(line.quantity for line in lines), self._total(row),
            row.placed_us, row.changed_us, row.version,
        )  # fmt: skip

    def _purchase(self, row: OrderRow) -> Purchase:
        return Purchase(row.order, row.customer, row.status, self._total(row), row.placed_us, row.paid_us)

    def _revenue(self, day: str) -> tuple[tuple[Revenue, ...], Touched]:
        days: dict[str, Revenue] = {}
        read = 0
        for row in self.orders.values():
            read += 1
            if row.status not in ("paid", "shipped"):
                continue
            read += len(self.lines[row.order])
            paid = day_of(row.paid_us)
            before = days.get(paid, Revenue(paid))
            days[paid] = Revenue(paid, before.orders + 1, before.amount + self._total(row))
        found = tuple(days[each] for each in sorted(days) if not day or each == day)
        return found, Touched(read, 0)


__all__ = ["CrudStore", "OrderRow", "Touched"]
