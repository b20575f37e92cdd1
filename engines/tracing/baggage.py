"""W3C Baggage (https://www.w3.org/TR/baggage/): what an application sends along with a request, hop after hop.

Baggage names nothing in a trace; it rides beside the trace context. A value is any text, percent-encoded on the way;
octets that are no UTF-8 become U+FFFD. A member that cannot be read is left out, the others stay. At least 64
members and 8192 bytes are passed on, and what exceeds both limits is dropped whole, from the end.
"""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import quote, unquote

from engines.errors import UserError

MEMBERS_MAX: Final = 64
BYTES_MAX: Final = 8192

_OWS: Final = " \t"
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_OCTETS: Final = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")
_SAFE: Final = "!#$&'()*+-./:<=>?@[]^_`{|}~"
"""What may stand in a value as it is; the percent sign may not, it announces an encoded octet."""


class Member(NamedTuple):
    """One entry; a property is a key, or a key and its value, and means whatever its users agreed on."""

    key: str
    value: str
    properties: tuple[tuple[str, str | None], ...] = ()


Baggage = tuple[Member, ...]


def extract(headers: Iterable[tuple[str, str]]) -> Baggage:
    """The members of all ``baggage`` headers in order; of two with one key the last counts."""
    found: dict[str, Member] = {}
    for name, value in headers:
        if name.lower() == "baggage":
            for text in value.split(","):
                if member := _read(text):
                    found[member.key] = member
    return tuple(found.values())


def _read(text: str) -> Member | None:
    head, *rest = text.split(";")
    pair = _pair(head)
    if pair is None or pair[1] is None:
        return None
    properties = [_pair(each) for each in rest]
    if any(each is None for each in properties):
        return None
    return Member(pair[0], pair[1], tuple(each for each in properties if each is not None))


def _pair(text: str) -> tuple[str, str | None] | None:
    key, equals, value = text.partition("=")
    key, value = key.strip(_OWS), value.strip(_OWS)
    if not _TOKEN.fullmatch(key) or not _OCTETS.fullmatch(value):
        return None
    return key, unquote(value, errors="replace") if equals else None


def put(baggage: Baggage, key: str, value: str, properties: tuple[tuple[str, str | None], ...] = ()) -> Baggage:
    """Add a member at the end, or replace the one with this key where it stands. UserError for a key no header has."""
    for each in (key, *(name for name, _ in properties)):
        if not _TOKEN.fullmatch(each):
            raise UserError(f"baggage key {each!r}: letters, digits and !#$%&'*+-.^_`|~ are accepted")
    found = {member.key: member for member in baggage}
    found[key] = Member(key, value, properties)
    return tuple(found.values())


def drop(baggage: Baggage, key: str) -> Baggage:
    """Without this member."""
    return tuple(member for member in baggage if member.key != key)


def inject(baggage: Baggage) -> list[tuple[str, str]]:
    """The header, or none for empty baggage."""
    members = [_write(member) for member in baggage]
    length = sum(map(len, members)) + max(0, len(members) - 1)
    while len(members) > MEMBERS_MAX or length > BYTES_MAX:
        length -= len(members.pop()) + 1
    return [("baggage", ",".join(members))] if members else []


def _write(member: Member) -> str:
    parts = [f"{member.key}={_encode(member.value)}"]
    parts += [key if value is None else f"{key}={_encode(value)}" for key, value in member.properties]
    return ";".join(parts)


def _encode(text: str) -> str:
    return quote(text, safe=_SAFE, errors="replace")
