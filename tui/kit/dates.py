"""Dates that people type to go to, and how the time of a FILE reads."""

from datetime import UTC, datetime

from engines.errors import UserError
from engines.units import US_PER_S

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DIGITS = 12
"""More of them are no number that anybody means."""


def place(text: str) -> int | None:
    """The 12 of ``#12``; None: that is no place in a list."""
    digits = text[1:]
    return int(digits) if text[:1] == "#" and digits.isascii() and digits.isdecimal() and len(digits) < DIGITS else None


def moment(text: str, recorded: bool) -> int:
    """``3.5s`` of a run, ``2026-01-05`` or ``2026-01-05T12:00`` of a file, in microseconds. UserError if it is none."""
    if recorded:
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            raise _unclear(text, "a date as 2026-01-05 or 2026-01-05T12:00") from None
        since = (found if found.tzinfo else found.replace(tzinfo=UTC)) - EPOCH
        return (since.days * 86_400 + since.seconds) * US_PER_S
    whole, _, part = text.removesuffix("s").strip().partition(".")
    digits = whole + part
    if not digits.isascii() or not digits.isdecimal() or len(whole) > DIGITS:
        raise _unclear(text, "seconds as 3.5s")
    return int(whole or "0") * US_PER_S + int(f"{part:0<6}"[:6])


def _unclear(text: str, accepted: str) -> UserError:
    return UserError(f"at {text[:30]!r}: {accepted}, or #12 for a position, is accepted")


def day_and_time(at_us: int) -> str:
    """A moment of a file: ``2026-01-01 09:04``, of UTC (Howard Hinnant, civil_from_days: any clock has a year)."""
    days, rest = divmod(at_us // US_PER_S, 86_400)
    era, day_of_era = divmod(days + 719_468, 146_097)
    year = (day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_of_year = day_of_era - (365 * year + year // 4 - year // 100)
    month = (5 * day_of_year + 2) // 153
    day = day_of_year - (153 * month + 2) // 5 + 1
    month = month + 3 if month < 10 else month - 9
    return f"{year + era * 400 + (month <= 2):04d}-{month:02d}-{day:02d} {rest // 3_600:02d}:{rest // 60 % 60:02d}"
