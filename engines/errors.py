"""The one exception class for mistakes of the user.

A broken *check* is shown, never raised; a bug of ours is an ``assert``. What is left is input that cannot
be used, and its message says what is wrong, where, and what would be accepted.
"""

import re
from typing import Final

DIGITS_MAX: Final = 4_300
"""Digits that Python takes for one whole number."""
_DIGITS: Final = re.compile(rf"[0-9]{{{DIGITS_MAX + 1},}}")


class UserError(Exception):
    """A mistake of the user: what, where, and what would be accepted."""


def too_many_digits(text: str | bytes) -> str:
    """What is wrong with a text whose number Python refused, and in which column; empty if no number is that long."""
    plain = text.decode("latin-1") if isinstance(text, bytes) else text
    found = _DIGITS.search(plain)
    if found is None:
        return ""
    column = found.start() - plain.rfind("\n", 0, found.start())
    return f"column {column}: a number of {found.end() - found.start():,} digits: at most {DIGITS_MAX:,} are accepted"
