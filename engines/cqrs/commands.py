"""Commands: what somebody wants to happen, and whether it can be understood at all.

A command names one order and carries an id. Validation looks at the command alone, so it needs no store and gives the
same answer at any time; whether the *order* allows it is decided later, on the events (``bus``).
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from engines.cqrs.errors import BadFields, UnknownCommand
from engines.event_sourcing.order import (
    AddLine,
    AddNote,
    CancelOrder,
    CreateOrder,
    Line,
    PayOrder,
    ReleaseStock,
    ReserveStock,
    ShipOrder,
)

CREATE_ORDER: Final = "CREATE_ORDER"
ADD_LINE: Final = "ADD_LINE"
RESERVE_STOCK: Final = "RESERVE_STOCK"
RELEASE_STOCK: Final = "RELEASE_STOCK"
PAY_ORDER: Final = "PAY_ORDER"
SHIP_ORDER: Final = "SHIP_ORDER"
CANCEL_ORDER: Final = "CANCEL_ORDER"
ADD_NOTE: Final = "ADD_NOTE"
STREAM: Final = "order-"
"""What the name of an order begins with; its stream has the same name."""
NAME_MAX: Final = 200


class Command(NamedTuple):
    """Something that somebody wants."""

    id: str
    """The same id is the same command: it is executed once, and every repeat gets the same answer."""
    name: str
    order: str
    """Its stream: ``order-7``."""
    data: dict[str, Any]
    version: int | None = None
    """The version of the order its sender has seen; refused as stale if the order has changed since. None: any."""
    who: str = ""
    correlation_id: str = ""
    """The story it belongs to; empty: it begins one."""
    cause: str = ""
    """The id of the event somebody reacted to."""
    goal: bool = False
    """If what it wants is so already, whoever did it, that is its success and not a refusal. Sagas send such."""
    undoes: str = ""
    """Of a compensation: the id of the command it undoes. If that one comes later, it is refused."""


class Field(NamedTuple):
    """One thing a command or query must or may carry."""

    name: str
    type: type
    default: Any = None
    """None: it is needed."""


class Spec(NamedTuple):
    """How a command is made from its fields."""

    make: Callable[..., Any]
    fields: tuple[Field, ...]


_LINE: Final = (Field("item", str), Field("quantity", int), Field("price", int))


def _create(customer: str, lines: list[Any]) -> CreateOrder:
    found = []
    for number, line in enumerate(lines, 1):
        what = f"{CREATE_ORDER}: line {number}"
        if not isinstance(line, dict):
            raise BadFields(f"{what} is {line!r}: a mapping with item, quantity and price is needed")
        found.append(Line(**check_fields(what, _LINE, line)))
    return CreateOrder(customer, tuple(found))


SPECS: Final[Mapping[str, Spec]] = {
    CREATE_ORDER: Spec(_create, (Field("customer", str), Field("lines", list, []))),
    ADD_LINE: Spec(AddLine, _LINE),
    RESERVE_STOCK: Spec(ReserveStock, ()),
    RELEASE_STOCK: Spec(ReleaseStock, ()),
    PAY_ORDER: Spec(PayOrder, ()),
    SHIP_ORDER: Spec(ShipOrder, ()),
    CANCEL_ORDER: Spec(CancelOrder, (Field("reason", str, ""),)),
    ADD_NOTE: Spec(AddNote, (Field("text", str),)),
}
_KINDS: Final = {str: "a text", int: "a whole number", list: "a list of lines"}


def check_fields(what: str, fields: tuple[Field, ...], data: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all fields. BadFields names the first that is missing, unknown or of another type."""
    wanted = ", ".join(f"{field.name} ({_KINDS[field.type]})" for field in fields) or "no fields"
    found: dict[str, Any] = {}
    for field in fields:
        if field.name not in data:
            if field.default is None:
                raise BadFields(f"{what}: the field {field.name!r} is missing: {wanted} must be given")
            found[field.name] = field.default
            continue
        value = data[field.name]
        if type(value) is not field.type:
            raise BadFields(f"{what}: the field {field.name!r} is {value!r}: {_KINDS[field.type]} is needed")
        if isinstance(value, str) and (not value.isprintable() or len(value) > NAME_MAX):
            raise BadFields(
                f"{what}: the field {field.name!r} is {value[:40]!r}: at most {NAME_MAX} printable characters are "
                "accepted"
            )
        if field.default is None and value == "":
            raise BadFields(f"{what}: the field {field.name!r} is empty: {wanted} must be given")
        found[field.name] = value
    unknown = [name for name in data if name not in found]
    if unknown:
        raise BadFields(f"{what}: unknown field {unknown[0]!r}: {wanted} is accepted")
    return found


def parse(command: Command) -> Any:
    """What an aggregate decides on. UnknownCommand, or BadFields."""
    spec = SPECS.get(command.name)
    if spec is None:
        raise UnknownCommand(f"unknown command {command.name!r}: one of {', '.join(SPECS)} is accepted")
    for name, value in (("id", command.id), ("order", command.order)):
        if not value or not value.isprintable() or len(value) > NAME_MAX:
            raise BadFields(f"{command.name}: {name} {value[:40]!r}: 1 to {NAME_MAX} printable characters are needed")
    if not command.order.startswith(STREAM) or len(command.order) == len(STREAM):
        raise BadFields(f"{command.name}: order {command.order!r}: a name that begins with {STREAM!r} is needed")
    if command.version is not None and command.version < 0:
        raise BadFields(f"{command.name}: version {command.version}: a version from 0 is accepted")
    return spec.make(**check_fields(command.name, spec.fields, command.data))


__all__ = [
    "ADD_LINE",
    "ADD_NOTE",
    "CANCEL_ORDER",
    "CREATE_ORDER",
    "PAY_ORDER",
    "RELEASE_STOCK",
    "RESERVE_STOCK",
    "SHIP_ORDER",
    "SPECS",
    "STREAM",
    "Command",
    "Field",
    "Spec",
    "check_fields",
    "parse",
]
