"""What the operator reads: one line an event, with the time in UTC.

Secrets never get here: what a visitor types, names of users (people type passwords there), tokens and keys. Whatever
comes from a client is printable ASCII and short by the time it is written.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypeAlias

LONGEST: Final = 300
Log: TypeAlias = Callable[[str], None]


def to_stderr(text: str) -> None:
    """Write a line."""
    print(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {plain(text)}", file=sys.stderr, flush=True)


def plain(text: str) -> str:
    """One line of printable ASCII, so that nobody writes to the operator's terminal."""
    text = " ".join(text.split())
    return "".join(char if char.isascii() and char.isprintable() else "?" for char in text)[:LONGEST]
