"""The order: created, lines added, stock reserved, paid, shipped; or cancelled, with what was taken given back.

Amounts are whole units of the smallest coin.
"""

from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from engines.event_sourcing.aggregate import Aggregate, Decided, Refused
from engines.event_sourcing.upcast import Upcasters

CREATED: Final = "OrderCreated"
LINE_ADDED: Final = "LineAdded"
RESERVED: Final = "StockReserved"
RELEASED: Final = "StockReleased"
PAID: Final = "OrderPaid"
SHIPPED: Final = "OrderShipped"
CANCELLED: Final = "OrderCancelled"
NOTED: Final = "NoteAdded"
ANSWERED: Final = "CommandAnswered"
"""A command that changed nothing: it was refused, or there was nothing to do. Recorded so that a repeat of the command
gets the same answer, also once the order would allow it."""

SILENT: Final = (NOTED, ANSWERED)
"""Types that no rule asks about: they change what readers see, and nobody's version."""


class Line(NamedTuple):
    """Some of an item."""

    item: str
    quantity: int
    price: int


@dataclass(frozen=True, slots=True)
class Order:
    """The state of an order."""

    customer: str = ""
    status: str = "absent"
    """``absent created reserved paid shipped cancelled``."""
    lines: tuple[Line, ...] = ()
    reserved: bool = False

    @property
    def total(self) -> int:
        """What it costs."""
        return sum(line.quantity * line.price for line in self.lines)


@dataclass(frozen=True, slots=True)
class CreateOrder:
    """Begin an order, empty or with its lines."""

    customer: str
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class AddLine:
    """Add some of an item."""

    item: str
    quantity: int
    price: int


@dataclass(frozen=True, slots=True)
class ReserveStock:
    """Put the goods aside."""


@dataclass(frozen=True, slots=True)
class ReleaseStock:
    """Give the goods back."""


@dataclass(frozen=True, slots=True)
class PayOrder:
    """Take the money."""


@dataclass(frozen=True, slots=True)
class ShipOrder:
    """Send the goods."""


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Call it off."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class AddNote:
    """Write something on it. No rule asks for notes, so the state has none: only readers do."""

    text: str


def evolve(state: Order, type: str, data: Any) -> Order:
    """The fold."""
    match type:
        case "OrderCreated":
            return Order(customer=data["customer"], status="created")
        case "LineAdded":
            return replace(state, lines=(*state.lines, Line(data["item"], data["quantity"], data["price"])))
        case "StockReserved":
            return replace(state, status="reserved", reserved=True)
        case "StockReleased":
            return replace(state, status="created" if state.status == "reserved" else state.status, reserved=False)
        case "OrderPaid":
            return replace(state, status="paid")
        case "OrderShipped":
            return replace(state, status="shipped", reserved=False)
        case "NoteAdded" | "CommandAnswered":
            return state
        case _:
            return replace(state, status="cancelled")


_ALLOWED: Final = {
    CreateOrder: ("absent",),
    AddLine: ("created",),
    ReserveStock: ("created",),
    ReleaseStock: ("created", "reserved", "cancelled"),
    PayOrder: ("reserved",),
    ShipOrder: ("paid",),
    CancelOrder: ("created", "reserved"),
    AddNote: ("created", "reserved", "paid", "shipped"),
}
"""In which states a command makes sense. Payment is the pivot: what is paid is shipped, not cancelled."""


def decide(state: Order, command: Any) -> tuple[Decided, ...]:
    """The rules."""
    allowed = _ALLOWED.get(type(command))
    if allowed is None:
        raise Refused(f"an order knows no command {type(command).__name__}")
    if state.status not in allowed:
        raise Refused(f"{type(command).__name__}: the order is {state.status}, it must be {' or '.join(allowed)}")
    match command:
        case CreateOrder(customer=customer, lines=lines):
            return (Decided(CREATED, {"customer": customer}), *(_added(*line) for line in lines))
        case AddLine(item=item, quantity=quantity, price=price):
            return (_added(item, quantity, price),)
        case ReserveStock():
            if not state.lines:
                raise Refused("the order has no lines: there is nothing to put aside")
            return (Decided(RESERVED, {}),)
        case ReleaseStock():
            return (Decided(RELEASED, {}),) if state.reserved else ()
        case PayOrder():
            return (Decided(PAID, {"amount": state.total}),)
        case ShipOrder():
            return (Decided(SHIPPED, {}),)
        case AddNote(text=text):
            return (Decided(NOTED, {"text": text}),)
        case _:
            return (Decided(CANCELLED, {"reason": command.reason}),)


def _added(item: str, quantity: int, price: int) -> Decided:
    if quantity <= 0 or price < 0:
        raise Refused(f"{quantity} of {item!r} at {price}: a quantity from 1 and a price from 0 are accepted")
    return Decided(LINE_ADDED, {"item": item, "quantity": quantity, "price": price})


ORDER: Final[Aggregate[Order]] = Aggregate(
    "order",
    Order(),
    evolve,
    decide,
    Upcasters(dict.fromkeys((CREATED, LINE_ADDED, RESERVED, RELEASED, PAID, SHIPPED, CANCELLED, NOTED, ANSWERED), 1)),
    schema=1,
    to_plain=lambda state: [state.customer, state.status, list(map(list, state.lines)), state.reserved],
    from_plain=lambda plain: Order(plain[0], plain[1], tuple(Line(*line) for line in plain[2]), plain[3]),
)

__all__ = [
    "ORDER",
    "AddLine",
    "AddNote",
    "CancelOrder",
    "CreateOrder",
    "Line",
    "Order",
    "PayOrder",
    "ReleaseStock",
    "ReserveStock",
    "ShipOrder",
]
