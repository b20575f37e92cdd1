"""Deadlines that travel: whoever works for a call knows when its answer is no longer wanted.

A timeout alone stops the waiting, not the work: the callee goes on for a caller that has left. A deadline is passed
on as the time that is *left*, since clocks of two machines differ, and every hop takes the shorter of it and its own
timeout. Work past the deadline is waste, and is not begun.

Source: the gRPC protocol over HTTP/2, ``grpc-timeout``: at most eight digits and a unit of ``H M S m u n``.
"""

from dataclasses import dataclass
from typing import Final

from engines.errors import UserError

HEADER: Final = "grpc-timeout"
DIGITS_MAX: Final = 8
UNITS_NS: Final = {"n": 1, "u": 1_000, "m": 1_000_000, "S": 10**9, "M": 60 * 10**9, "H": 3_600 * 10**9}


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the clock of the machine that holds it."""

    at_us: int

    def left_us(self, now_us: int) -> int:
        """What is left, never below 0."""
        return max(0, self.at_us - now_us)

    def expired(self, now_us: int) -> bool:
        """An answer at this moment is too late already: nothing is left."""
        return now_us >= self.at_us

    def narrowed(self, now_us: int, timeout_us: int) -> "Deadline":
        """The sooner of this one and a timeout that starts now."""
        return Deadline(min(self.at_us, now_us + timeout_us))

    def header(self, now_us: int) -> str:
        """What is left, for the next hop."""
        return encode(self.left_us(now_us))


def after(now_us: int, timeout_us: int) -> Deadline:
    """A deadline for a call that starts now."""
    return Deadline(now_us + timeout_us)


def received(header: str, now_us: int) -> Deadline:
    """The deadline of a call that arrived now; the time it spent on the way is the caller's loss."""
    return Deadline(now_us + decode(header))


def encode(left_us: int) -> str:
    """The value of the header; in the finest unit from microseconds up that needs at most eight digits."""
    assert left_us >= 0
    for unit in ("u", "m", "S", "M", "H"):
        value = left_us * 1_000 // UNITS_NS[unit]
        if len(str(value)) <= DIGITS_MAX:
            return f"{value}{unit}"
    return f"{'9' * DIGITS_MAX}H"


def decode(header: str) -> int:
    """Microseconds. UserError for what is no value of this header."""
    digits, unit = header[:-1], header[-1:]
    if unit not in UNITS_NS or not (digits.isascii() and digits.isdecimal()) or len(digits) > DIGITS_MAX:
        raise UserError(f"{HEADER}: {header!r}: one to eight digits and one of H M S m u n are accepted")
    return int(digits) * UNITS_NS[unit] // 1_000
