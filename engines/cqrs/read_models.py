"""The three read models of the shop, each shaped for one question.

    order_summary      GET_ORDER_SUMMARY       what is with this order?
    customer_history   GET_CUSTOMER_HISTORY    what has this customer bought?
    revenue_by_day     GET_REVENUE             what was taken in, day by day?

No join is made on reading: whatever a question needs stands in one row. Days are of UTC.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from engines.cqrs.errors import UnknownProjection
from engines.cqrs.projections import Get, Projection
from engines.event_sourcing.events import RecordedEvent
from engines.event_sourcing.order import (
    CANCELLED,
    CREATED,
    LINE_ADDED,
    NOTED,
    ORDER,
    PAID,
    RELEASED,
    RESERVED,
    SHIPPED,
    SILENT,
)

DAY_US: Final = 86_400_000_000
_EPOCH: Final = date(1970, 1, 1).toordinal()


class OrderSummary(NamedTuple):
    """An order at a glance."""

    order: str
    customer: str = ""
    status: str = ""
    lines: int = 0
    items: int = 0
    total: int = 0
    placed_us: int = 0
    changed_us: int = 0
    version: int = -1
    """The revision of the newest event that changed the order: what a command carries that must not be decided on
    less."""


class NotedSummary(NamedTuple):
    """An order at a glance, with what was written on it: version 2."""

    order: str
    customer: str = ""
    status: str = ""
    lines: int = 0
    items: int = 0
    total: int = 0
    placed_us: int = 0
    changed_us: int = 0
    version: int = -1
    note: str = ""


class Purchase(NamedTuple):
    """One order in a customer's history."""

    order: str
    customer: str = ""
    status: str = ""
    total: int = 0
    placed_us: int = 0
    paid_us: int = 0


class Revenue(NamedTuple):
    """What was paid on one day."""

    day: str
    orders: int = 0
    amount: int = 0


def _summaries(row: Any, *, quantities: bool = True, notes: bool = False) -> dict[str, Any]:
    """What each type changes in an order's summary. ``quantities`` off is a bug somebody might make."""

    def touched(get: Get, event: RecordedEvent) -> Any:
        before = get(event.stream) or row(event.stream)
        return before._replace(changed_us=event.at_us, version=event.revision)

    def created(get: Get, event: RecordedEvent, data: Any) -> Iterator[Any]:
        yield touched(get, event)._replace(customer=data["customer"], status="created", placed_us=event.at_us)

    def line(get: Get, event: RecordedEvent, data: Any) -> Iterator[Any]:
        before = touched(get, event)
        cost = data["price"] * (data["quantity"] if quantities else 1)
        items, total = before.items + data["quantity"], before.total + cost
        yield before._replace(lines=before.lines + 1, items=items, total=total)

    def becomes(status: str) -> Any:
        def change(get: Get, event: RecordedEvent, data: Any) -> Iterator[Any]:
            yield touched(get, event)._replace(status=status)

        return change

    def released(get: Get, event: RecordedEvent, data: Any) -> Iterator[Any]:
        before = touched(get, event)
        yield before._replace(status="created") if before.status == "reserved" else before

    def noted(get: Get, event: RecordedEvent, data: Any) -> Iterator[Any]:
        before = get(event.stream) or row(event.stream)
        yield before._replace(note=data["text"], changed_us=event.at_us)

    changes: dict[str, Any] = {
        CREATED: created, LINE_ADDED: line, RESERVED: becomes("reserved"), RELEASED: released,
        PAID: becomes("paid"), SHIPPED: becomes("shipped"), CANCELLED: becomes("cancelled"),
    }  # fmt: skip
    return changes | {NOTED: noted} if notes else changes


def _purchase_created(get: Get, event: RecordedEvent, data: Any) -> Iterator[Purchase]:
    yield Purchase(event.stream, data["customer"], "created", 0, event.at_us)


def _purchase_line(get: Get, event: RecordedEvent, data: Any) -> Iterator[Purchase]:
    before = get(event.stream) or Purchase(event.stream)
    yield before._replace(total=before.total + data["price"] * data["quantity"])


def _purchase_status(status: str) -> Any:
    def change(get: Get, event: RecordedEvent, data: Any) -> Iterator[Purchase]:
        before = get(event.stream) or Purchase(event.stream)
        yield before._replace(status=status, paid_us=event.at_us if status == "paid" else before.paid_us)

    return change


def _purchase_released(get: Get, event: RecordedEvent, data: Any) -> Iterator[Purchase]:
    before = get(event.stream) or Purchase(event.stream)
    yield before._replace(status="created") if before.status == "reserved" else before


def day_of(at_us: int) -> str:
    """``2026-01-01``, of UTC."""
    return date.fromordinal(_EPOCH + at_us // DAY_US).isoformat()


def _revenue_paid(get: Get, event: RecordedEvent, data: Any) -> Iterator[Revenue]:
    day = day_of(event.at_us)
    before = get(day) or Revenue(day)
    yield Revenue(day, before.orders + 1, before.amount + data["amount"])


ORDER_SUMMARY: Final = Projection("order_summary", 1, OrderSummary, _summaries(OrderSummary))
ORDER_SUMMARY_V2: Final = Projection("order_summary", 2, NotedSummary, _summaries(NotedSummary, notes=True))
"""Knows one type more, NoteAdded, which version 1 skips."""
ORDER_SUMMARY_BUGGY: Final = Projection("order_summary", 1, OrderSummary, _summaries(OrderSummary, quantities=False))
"""Version 1 as somebody might have shipped it: the total leaves out quantities."""
CUSTOMER_HISTORY: Final = Projection(
    "customer_history",
    1,
    Purchase,
    {
        CREATED: _purchase_created,
        LINE_ADDED: _purchase_line,
        RESERVED: _purchase_status("reserved"),
        RELEASED: _purchase_released,
        PAID: _purchase_status("paid"),
        SHIPPED: _purchase_status("shipped"),
        CANCELLED: _purchase_status("cancelled"),
    },
    by="customer",
)
REVENUE_BY_DAY: Final = Projection("revenue_by_day", 1, Revenue, {PAID: _revenue_paid})

PROJECTIONS: Final = {each.name: each for each in (ORDER_SUMMARY, CUSTOMER_HISTORY, REVENUE_BY_DAY)}


def projection(name: str) -> Projection:
    """A projection by name. UnknownProjection."""
    found = PROJECTIONS.get(name)
    if found is None:
        raise UnknownProjection(f"no projection {name!r}: one of {', '.join(PROJECTIONS)} is there")
    return found


def summary_of(events: Sequence[RecordedEvent]) -> OrderSummary | None:
    """What the *write model* says of an order, from all its events: what a summary has to agree with."""
    first = next((event for event in events if event.type == CREATED), None)
    if first is None:
        return None
    order = ORDER.fold(events)
    last = [event for event in events if event.type not in SILENT][-1]
    items = sum(line.quantity for line in order.lines)
    return OrderSummary(
        first.stream, order.customer, order.status, len(order.lines), items, order.total, first.at_us, last.at_us,
        last.revision,
    )  # fmt: skip


__all__ = [
    "CUSTOMER_HISTORY",
    "ORDER_SUMMARY",
    "ORDER_SUMMARY_BUGGY",
    "ORDER_SUMMARY_V2",
    "PROJECTIONS",
    "REVENUE_BY_DAY",
    "NotedSummary",
    "OrderSummary",
    "Purchase",
    "Revenue",
    "day_of",
    "projection",
    "summary_of",
]
