"""Deadlines that travel: whoever works for a call knows when its answer is no longer wanted.

A timeout alone stops the waiting, not the work: the callee goes on for a caller that has left. A deadline is passed
on as the time that is *left*, since clocks of two machines differ, and every hop takes the sooner of it and its own
timeout. Work past the deadline is waste, and is not begun.

A deadline is a moment in microseconds on the clock of the machine that holds it; ``NEVER`` is none.

Source: the gRPC protocol over HTTP/2, ``grpc-timeout``: at most eight digits and a unit of ``H M S m u n``.
"""

from typing import Final

from engines.errors import UserError

HEADER: Final = "grpc-timeout"
DIGITS_MAX: Final = 8
UNITS_NS: Final = {"n": 1, "u": 1_000, "m": 1_000_000, "S": 10**9, "M": 60 * 10**9, "H": 3_600 * 10**9}
NEVER: Final = 1 << 62
"""A time that does not come."""


def after(now_us: int, timeout_us: int, deadline_us: int = NEVER) -> int:
    """The deadline of a call that starts now: the sooner of its own timeout (0: none) and that of whom it serves."""
    return min(deadline_us, now_us + timeout_us) if timeout_us else deadline_us


def left_us(deadline_us: int, now_us: int) -> int:
    """What is left, never below 0."""
    return max(0, deadline_us - now_us)


def expired(deadline_us: int, now_us: int) -> bool:
    """An answer at this moment is too late already: nothing is left."""
    return now_us >= deadline_us


def header(deadline_us: int, now_us: int) -> str:
    """What is left, for the next hop, in the finest unit from microseconds up that needs at most eight digits.

    Empty for no deadline.
    """
    if deadline_us >= NEVER:
        return ""
    left = left_us(deadline_us, now_us)
    for unit in ("u", "m", "S", "M", "H"):
        value = left * 1_000 // UNITS_NS[unit]
        if len(str(value)) <= DIGITS_MAX:
            return f"{value}{unit}"
    return f"{'9' * DIGITS_MAX}H"


def received(value: str, now_us: int) -> int:
    """The deadline of a call that arrived now with this header; the time on the way is the caller's loss. UserError."""
    if not value:
        return NEVER
    digits, unit = value[:-1], value[-1:]
    if unit not in UNITS_NS or not (digits.isascii() and digits.isdecimal()) or len(digits) > DIGITS_MAX:
        raise UserError(f"{HEADER}: {value!r}: one to eight digits and one of H M S m u n are accepted")
    return now_us + int(digits) * UNITS_NS[unit] // 1_000
