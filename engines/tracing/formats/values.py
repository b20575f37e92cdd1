"""The small parts of a span as OTLP JSON writes them: attribute values, ids, times; and back.

OTLP's JSON is not protobuf's own mapping: ids are hexadecimal digits in any case, only other bytes are base64. Tempo
and whoever else uses a plain protobuf library write ids as base64 all the same; by their length the two are never
mistaken for each other, so both are read.
64-bit integers are strings or numbers, enumerations are numbers, names are lowerCamelCase, and what is unknown is
ignored (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding).

Strings repeat a lot in a trace file, so equal ones are kept once.
"""

import base64
import contextlib
import math
import re
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

from engines.tracing.spans import Attributes, KeyValues, Value

DEPTH_MAX: Final = 32
"""Lists within lists of an attribute's value; protobuf's own limit is not far above."""
UINT64: Final = 1 << 64
INT64: Final = 1 << 63
SHARED_MAX: Final = 1 << 17
_HASHED: Final = frozenset({str, int, bool, float})

_TRACE: Final = re.compile(r"[0-9a-fA-F]{32}").fullmatch
_SPAN: Final = re.compile(r"[0-9a-fA-F]{16}").fullmatch
_LOWER: Final = re.compile(r"[0-9a-f]{16}").fullmatch
_HEX: Final = re.compile(r"[0-9a-fA-F]+")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BASE64: Final = {
    32: re.compile(r"([0-9A-Za-z+/]{22}|[0-9A-Za-z_-]{22})(==)?"),
    16: re.compile(r"([0-9A-Za-z+/]{11}|[0-9A-Za-z_-]{11})=?"),
}
"""Bytes of an id by its number of hexadecimal digits, in both alphabets of RFC 4648, padded or not."""


H = TypeVar("H", bound=Hashable)


class Bad(Exception):
    """A part of a record that cannot be read: which field, and what is wrong with it."""

    def __init__(self, field: str, what: str) -> None:
        super().__init__(what)
        self.field = field


class Shared:
    """Equal strings and equal attributes are one object."""

    def __init__(self) -> None:
        self._known: dict[Any, Any] = {}
        self._scalars: dict[tuple[str, str, Any, type], tuple[str, Value]] = {}
        """By key, kind, how the value was written and the type of that: 1 is no true, though they are equal."""

    def one(self, value: H) -> H:
        """The first equal one. Only for strings and tuples of strings: ``1 == True`` would mix up other types."""
        known = self._known
        found: H | None = known.get(value)
        if found is not None:
            return found
        if len(known) > SHARED_MAX:
            known.clear()
        known[value] = value
        return value

    def whole(self, attributes: Attributes) -> Attributes:
        """Attributes that come again and again as they are, such as a resource's."""
        return self.one(attributes) if all(type(value) is str for _, value in attributes) else attributes

    def attributes(self, items: Any, field: str = "attributes") -> Attributes:
        """A list of ``{"key", "value"}``."""
        if not items:
            return ()
        found = []
        known, scalars = self._known.get, self._scalars.get
        try:
            for item in items:
                key, value = item["key"], item.get("value")
                if not value:
                    pair = None
                elif type(text := value.get("stringValue")) is str:
                    pair = known((key, text))
                elif len(value) == 1 and type(value) is dict:
                    [(kind, raw)] = value.items()
                    pair = scalars((key, kind, raw, type(raw))) if type(raw) in _HASHED else None
                else:
                    pair = None
                found.append(pair or self._pair(key, value, field))
        except (AttributeError, KeyError, TypeError):
            raise Bad(field, 'a list of {"key": ..., "value": {"stringValue": ...}} is accepted') from None
        return tuple(found)

    def _pair(self, key: Any, value: Any, field: str) -> tuple[str, Value]:
        """An attribute that was not met before, or that is not worth keeping."""
        if type(key) is not str:
            raise TypeError
        found = self.one(key), any_value(value, field)
        if type(found[1]) is str:
            return self.one(found)
        if value and len(value) == 1:
            [(kind, raw)] = value.items()
            if type(raw) in _HASHED:
                if len(self._scalars) > SHARED_MAX:
                    self._scalars.clear()
                self._scalars[key, kind, raw, type(raw)] = found
        return found


def text_of(value: Any, field: str) -> str:
    """A string; null is empty."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Bad(field, f"{_short(value)} is no string")
    return value


def trace_id_of(value: Any, field: str) -> str:
    """32 hexadecimal digits, in lower case; they may come as 16 bytes in base64, or with the dashes of a UUID."""
    if type(value) is str and _TRACE(value):
        return value.lower()
    return _id_of_bytes(value, field, 32)


def span_id_of(value: Any, field: str) -> str:
    """16 hexadecimal digits, in lower case; they may come as 8 bytes in base64."""
    if type(value) is str:
        if _LOWER(value):
            return value
        if _SPAN(value):
            return value.lower()
    return _id_of_bytes(value, field, 16)


def padded_trace_id_of(value: Any, field: str) -> str:
    """Up to 32 hexadecimal digits, as Jaeger and Zipkin write them: without leading zeros."""
    return trace_id_of(_padded(value, 32), field)


def padded_span_id_of(value: Any, field: str) -> str:
    """Up to 16 of them."""
    return span_id_of(_padded(value, 16), field)


def _padded(value: Any, digits: int) -> Any:
    return value.zfill(digits) if type(value) is str and len(value) < digits and _HEX.fullmatch(value) else value


def _id_of_bytes(value: Any, field: str, digits: int) -> str:
    """The id where it is not plain digits."""
    if type(value) is str:
        if digits == 32 and _UUID.fullmatch(value):
            return value.replace("-", "").lower()
        if _BASE64[digits].fullmatch(value):
            return bytes_of(value).hex()
    if value is None or value == "":
        raise Bad(field, f"no id: {digits} hexadecimal digits are needed")
    raise Bad(field, f"{_short(value)} is no id: {digits} hexadecimal digits are accepted, or their bytes as base64")


def integer_of(value: Any, field: str, bound: int = UINT64) -> int:
    """A number from 0 to below the bound, also as a string; null is 0."""
    if value is None:
        return 0
    number: int | None = None
    if type(value) is str and value.isdecimal() and len(value) <= 20:
        number = int(value)
    elif type(value) is int:
        number = value
    elif type(value) is float and value.is_integer():
        number = int(value)
    if number is None or not 0 <= number < bound:
        raise Bad(field, f"{_short(value)} is no whole number from 0 to {bound - 1}")
    return number


def ended_ns(start_ns: int, lasted_ns: int) -> int:
    """When a span ended. Where its exporter let a duration run below zero, the last moment that 64 bits hold."""
    end_ns = start_ns + lasted_ns
    return UINT64 - 1 if start_ns < UINT64 <= end_ns else end_ns


def any_value(value: Any, field: str, depth: int = 0) -> Value:
    """One attribute's value; none of the known kinds is None."""
    if not value:
        return None
    if not isinstance(value, dict):
        raise Bad(field, f"{_short(value)} is no value: one of {' '.join(_DECODERS)} is accepted")
    if depth > DEPTH_MAX:
        raise Bad(field, f"lists more than {DEPTH_MAX} deep")
    for kind, inner in value.items():
        if inner is not None and (decode := _DECODERS.get(kind)):
            return decode(inner, field, depth)
    return None


def _string(value: Any, field: str, depth: int) -> Value:
    return text_of(value, field)


def _bool(value: Any, field: str, depth: int) -> Value:
    if not isinstance(value, bool):
        raise Bad(field, f"{_short(value)} is neither true nor false")
    return value


def _int64(value: Any, field: str, depth: int) -> Value:
    found: int | None = None
    if type(value) is int:
        found = value
    elif type(value) is str and len(value) <= 20:
        with contextlib.suppress(ValueError):
            found = int(value)
    elif type(value) is float and value.is_integer():
        found = int(value)
    if found is None or not -INT64 <= found < INT64:
        raise Bad(field, f"{_short(value)} is no integer of 64 bits")
    return found


def _double(value: Any, field: str, depth: int) -> Value:
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        with contextlib.suppress(ValueError, OverflowError):
            return float(value)
    raise Bad(field, f"{_short(value)} is no number")


def _array(value: Any, field: str, depth: int) -> Value:
    return tuple(any_value(each, field, depth + 1) for each in _inner(value, field))


def _kvlist(value: Any, field: str, depth: int) -> Value:
    pairs = _inner(value, field)
    return KeyValues(
        tuple((text_of(each["key"], field), any_value(each.get("value"), field, depth + 1)) for each in pairs)
    )


def _bytes(value: Any, field: str, depth: int) -> Value:
    try:
        return bytes_of(value)
    except (AttributeError, TypeError, ValueError):
        raise Bad(field, f"{_short(value)} is not base64") from None


def bytes_of(text: str) -> bytes:
    """Base64 as protobuf's JSON reads it: of both alphabets, with padding or without. ValueError if it is none."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


_DECODERS: Final[dict[str, Callable[[Any, str, int], Value]]] = {
    "stringValue": _string,
    "boolValue": _bool,
    "intValue": _int64,
    "doubleValue": _double,
    "arrayValue": _array,
    "kvlistValue": _kvlist,
    "bytesValue": _bytes,
}


def list_of(value: Any, field: str) -> list[Any]:
    """A list; null is empty."""
    if value is not None and not isinstance(value, list):
        raise Bad(field, f"{_short(value)} is no list")
    return value or []


def _inner(value: Any, field: str) -> list[Any]:
    """What stands in an array or a list of pairs."""
    return list_of(value.get("values") if isinstance(value, dict) else value, field)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else str(value) if isinstance(value, int | float) else type(value).__name__
    return repr(text if len(text) <= 40 else f"{text[:40]}...")


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
