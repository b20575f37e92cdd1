"""The small parts of a span as OTLP JSON writes them: attribute values, ids, times; and back.

OTLP's JSON is not protobuf's own mapping: ids are hexadecimal digits in any case, only other bytes are base64.
64-bit integers are strings or numbers, enumerations are numbers, names are lowerCamelCase, and what is unknown is
ignored (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding).

Strings repeat a lot in a trace file, so equal ones are kept once.
"""

import base64
import binascii
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from engines.tracing.spans import Attributes, KeyValues, Value

DEPTH_MAX: Final = 64
"""Lists within lists of an attribute's value."""
UINT64: Final = 1 << 64
SHARED_MAX: Final = 1 << 17

_TRACE: Final = re.compile(r"[0-9a-fA-F]{32}")
_SPAN: Final = re.compile(r"[0-9a-fA-F]{16}")
_BASE64: Final = re.compile(r"[0-9A-Za-z+/]{11}=|[0-9A-Za-z+/]{22}==")


class Bad(Exception):
    """A part of a record that cannot be read: which field, and what is wrong with it."""

    def __init__(self, field: str, what: str) -> None:
        super().__init__(what)
        self.field = field


class Shared:
    """Equal strings and equal attributes are one object."""

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}

    def one(self, value: Any) -> Any:
        """The first equal one. Only for strings and tuples of strings: ``1 == True`` would mix up other types."""
        known = self._known
        found = known.get(value)
        if found is not None:
            return found
        if len(known) > SHARED_MAX:
            known.clear()
        known[value] = value
        return value

    def attributes(self, items: Any, field: str = "attributes") -> Attributes:
        """A list of ``{"key", "value"}``."""
        if not items:
            return ()
        found = []
        one = self.one
        try:
            for item in items:
                value = item.get("value")
                if value and len(value) == 1 and type(text := value.get("stringValue")) is str:
                    found.append(one((item["key"], text)))
                else:
                    found.append((one(text_of(item["key"], field)), any_value(value, field)))
        except (AttributeError, KeyError, TypeError):
            raise Bad(field, 'a list of {"key": ..., "value": {"stringValue": ...}} is accepted') from None
        return tuple(found)


def text_of(value: Any, field: str) -> str:
    """A string; null is empty."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Bad(field, f"{_short(value)} is no string")
    return value


def trace_id_of(value: Any, field: str) -> str:
    """32 hexadecimal digits, in lower case."""
    if type(value) is str and _TRACE.fullmatch(value):
        return value if value.islower() or value.isdigit() else value.lower()
    raise Bad(field, _not_an_id(value, 32))


def span_id_of(value: Any, field: str) -> str:
    """16 hexadecimal digits, in lower case."""
    if type(value) is str and _SPAN.fullmatch(value):
        return value if value.islower() or value.isdigit() else value.lower()
    raise Bad(field, _not_an_id(value, 16))


def parent_id_of(value: Any, field: str) -> str:
    """The same, or nothing."""
    return span_id_of(value, field) if value else ""


def _not_an_id(value: Any, digits: int) -> str:
    if value is None or value == "":
        return f"no id: {digits} hexadecimal digits are needed"
    hint = ", not base64" if isinstance(value, str) and _BASE64.fullmatch(value) else ""
    return f"{_short(value)} is no id: {digits} hexadecimal digits are accepted{hint}"


def integer_of(value: Any, field: str, bound: int = UINT64) -> int:
    """A number from 0 to below the bound, also as a string; null is 0."""
    number: int | None = None
    if type(value) is str and value.isdecimal() and len(value) <= 20:
        number = int(value)
    elif type(value) is int:
        number = value
    elif value is None:
        number = 0
    elif type(value) is float and value.is_integer():
        number = int(value)
    if number is None or not 0 <= number < bound:
        raise Bad(field, f"{_short(value)} is no whole number from 0 to {bound - 1}")
    return number


def any_value(value: Any, field: str, depth: int = 0) -> Value:
    """One attribute's value."""
    if not value:
        return None
    if depth > DEPTH_MAX:
        raise Bad(field, f"lists more than {DEPTH_MAX} deep")
    match value:
        case {"stringValue": str(text)}:
            return text
        case {"boolValue": bool(flag)}:
            return flag
        case {"intValue": int() | str() as number} if not isinstance(number, bool):
            return _int64(number, field)
        case {"doubleValue": int() | float() | str() as number} if not isinstance(number, bool):
            return _double(number, field)
        case {"arrayValue": Mapping() | None as inner}:
            return tuple(any_value(each, field, depth + 1) for each in _list((inner or {}).get("values"), field))
        case {"kvlistValue": Mapping() | None as inner}:
            pairs = _list((inner or {}).get("values"), field)
            return KeyValues(
                tuple((text_of(p["key"], field), any_value(p.get("value"), field, depth + 1)) for p in pairs)
            )
        case {"bytesValue": str(text)}:
            try:
                return base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError):
                raise Bad(field, f"{_short(text)} is not base64") from None
        case Mapping() if not any(key in value for key in _KINDS):
            return None
    raise Bad(field, f"{_short(value)} is no value: one of {' '.join(_KINDS)} is accepted")


_KINDS: Final = (
    "stringValue", "boolValue", "intValue", "doubleValue", "arrayValue", "kvlistValue", "bytesValue",
)  # fmt: skip


def _list(values: Any, field: str) -> Iterable[Any]:
    if values is None:
        return ()
    if not isinstance(values, list):
        raise Bad(field, f"{_short(values)} is no list")
    return values


def _int64(number: int | str, field: str) -> int:
    try:
        found = int(number) if len(str(number)) <= 20 else UINT64
    except ValueError:
        found = UINT64
    if not -(UINT64 >> 1) <= found < UINT64 >> 1:
        raise Bad(field, f"{_short(number)} is no integer of 64 bits")
    return found


def _double(number: float | str, field: str) -> float:
    try:
        return float(number)
    except (ValueError, OverflowError):
        raise Bad(field, f"{_short(number)} is no number") from None


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else str(value) if isinstance(value, int | float) else type(value).__name__
    return f"'{text[:40]}{'...' if len(text) > 40 else ''}'"


# -- out -------------------------------------------------------------------------------------------------------


def written_value(value: Value) -> dict[str, Any]:
    """An attribute's value as OTLP JSON."""
    if value is None:
        return {}
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value if math.isfinite(value) else _INFINITE.get(value, "NaN")}
    if isinstance(value, bytes):
        return {"bytesValue": base64.b64encode(value).decode("ascii")}
    if isinstance(value, KeyValues):
        return {"kvlistValue": {"values": written(value.pairs)}}
    return {"arrayValue": {"values": [written_value(each) for each in value]}}


_INFINITE: Final = {math.inf: "Infinity", -math.inf: "-Infinity"}


def written(attributes: Attributes) -> list[dict[str, Any]]:
    """Attributes as OTLP JSON."""
    return [{"key": key, "value": written_value(value)} for key, value in attributes]
