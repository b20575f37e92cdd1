"""Fallbacks: what a caller gets when a call fails, and how honest it is about it.

Three kinds: a value that is always there, the last good answer as long as it is not too old, and nothing. Every
served value says where it comes from and how old it is: a fallback that nobody can tell from an answer hides outages.
"""

from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from engines.errors import UserError
from engines.resilience.policy import TIME_MAX_US, time_word

T = TypeVar("T")


class Kind(StrEnum):
    """Where a fallback comes from."""

    NONE = "none"
    CONSTANT = "constant"
    CACHED = "cached"


class Served(NamedTuple, Generic[T]):
    """What the caller gets instead of an answer."""

    ok: bool
    value: T | None
    age_us: int
    """Of a cached answer; 0 for others."""
    why: str


class Fallback(Generic[T]):
    """Keeps the last good answer if it is of that kind."""

    __slots__ = ("at_us", "kind", "served", "stale_us", "value")

    def __init__(self, kind: Kind, value: T | None = None, stale_us: int = 60_000_000) -> None:
        if not 0 <= stale_us <= TIME_MAX_US:
            raise UserError(f"fallback: {stale_us} us: 0 to {TIME_MAX_US} is accepted")
        self.kind = kind
        self.value = value
        self.at_us = -1
        self.stale_us = stale_us
        self.served = 0

    def remember(self, now_us: int, value: T) -> None:
        """A good answer came."""
        if self.kind is Kind.CACHED:
            self.value, self.at_us = value, now_us

    def serve(self, now_us: int, cause: str) -> Served[T]:
        """The call failed because of this; what now?"""
        match self.kind:
            case Kind.NONE:
                return Served(False, None, 0, cause)
            case Kind.CONSTANT:
                self.served += 1
                return Served(True, self.value, 0, f"{cause}: a fixed value instead")
        if self.at_us < 0:
            return Served(False, None, 0, f"{cause}: no good answer was ever seen")
        age_us = now_us - self.at_us
        if age_us > self.stale_us:
            why = f"{cause}: the last good answer is {time_word(age_us)} old, at most {time_word(self.stale_us)}"
            return Served(False, None, age_us, why)
        self.served += 1
        return Served(True, self.value, age_us, f"{cause}: the answer of {time_word(age_us)} ago instead")
