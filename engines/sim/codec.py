"""Commands and snapshots as JSON, both ways, without ever trusting the input.

A command is a frozen dataclass; its JSON is ``{"kind": "Crash", "node": "n3"}``. Decoding checks every field
against its annotation and names the field that does not fit. Nothing is ever unpickled.
"""

from collections.abc import Iterable
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from typing import Any, get_args, get_origin, get_type_hints

from engines.errors import UserError


def to_json(value: Any) -> Any:
    """Records, named tuples, tuples and enums as what JSON knows."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {name: to_json(item) for name, item in zip(value._fields, value, strict=True)}
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no place in a snapshot or a command")


def encode_command(command: Any) -> dict[str, Any]:
    """A command as a JSON object."""
    return {"kind": type(command).__name__, **to_json(command)}


def decode_command(data: Any, accepted: Iterable[type], where: str) -> Any:
    """A command from a JSON object; UserError naming ``where`` and what would be accepted."""
    kinds = {kind.__name__: kind for kind in accepted}
    if not isinstance(data, dict) or not isinstance(data.get("kind"), str):
        raise UserError(f'{where}: not a command: an object with a "kind" is needed')
    name = data["kind"]
    if name not in kinds:
        raise UserError(f"{where}: unknown command {name!r}: one of {', '.join(sorted(kinds))} is accepted")
    kind = kinds[name]
    hints = get_type_hints(kind)
    values: dict[str, Any] = {}
    for field in fields(kind):
        if field.name in data:
            values[field.name] = _fit(data[field.name], hints[field.name], f"{where}: {name}.{field.name}")
        elif field.default is MISSING:
            raise UserError(f"{where}: {name} lacks its field {field.name!r}")
    for extra in data:
        if extra != "kind" and extra not in hints:
            raise UserError(f"{where}: {name} has no field {extra!r}: {', '.join(hints)} are accepted")
    return kind(**values)


def _fit(value: Any, hint: Any, where: str) -> Any:
    """The value as the annotation wants it."""
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise UserError(f"{where}: a list is needed, not {value!r}")
        item, *rest = get_args(hint)
        if rest == [...]:
            return tuple(_fit(each, item, f"{where}[{i}]") for i, each in enumerate(value))
        raise TypeError(f"{where}: unsupported annotation {hint!r}")
    if hint is int and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 63:
        return value
    if hint in (str, bool) and type(value) is hint:
        return value
    wanted = getattr(hint, "__name__", str(hint))
    raise UserError(f"{where}: a value of type {wanted} is needed, not {value!r}"[:300])
