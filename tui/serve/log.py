"""What the operator reads: one line an event, with the time in UTC.

Secrets never get here: what a visitor types, names of users (people type passwords there), tokens and keys. Whatever
comes from a client is printable ASCII and short by the time it is written.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

LONGEST: Final = 300
Log: TypeAlias = Callable[[str], None]


def to_stderr(text: str) -> None:
    """Write a line."""
    print(stamped(text), file=sys.stderr, flush=True)


def to_file(path: Path) -> Log:
    """A log at the end of a file that only its owner reads. OSError if it cannot be written."""
    descriptor = os.open(path.expanduser(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def log(text: str) -> None:
        with suppress(OSError):
            os.write(descriptor, f"{stamped(text)}\n".encode())

    return log


def stamped(text: str) -> str:
    """A line with its time."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {plain(text)}"


def plain(text: str) -> str:
    """One line of printable ASCII, so that nobody writes to the operator's terminal."""
    text = " ".join(text.split())
    return "".join(char if char.isascii() and char.isprintable() else "?" for char in text)[:LONGEST]
