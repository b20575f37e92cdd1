"""The user's own records, as the input of a run.

A source is immutable and may be large, so a checkpoint never copies it: it pickles as a reference that is looked up
among the sources this process has open. A saved run names it by path and SHA-256; whoever replays the run opens the
file again and compares.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final
from weakref import WeakValueDictionary

_open: Final[WeakValueDictionary[int, "Source"]] = WeakValueDictionary()
_numbers: Final = count()


def _known(number: int) -> "Source":
    """The source of this number. KeyError if it is not open any more."""
    return _open[number]


@dataclass(frozen=True, eq=False)
class Source:
    """Records in the order in which they are played."""

    name: str
    """How it is called on the screen: the path as given, or ``standard input``."""
    sha256: str
    """Of the bytes that were read, in hex."""
    records: Sequence[Any]
    path: str = ""
    """Where it can be read again; empty for standard input."""
    skipped: int = 0
    """Bad records that were left out, because that was asked for."""
    options: tuple[tuple[str, str], ...] = ()
    """How it was read, where that was said: (name of the option, its value). It is read again in the same way."""
    number: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "number", next(_numbers))
        _open[self.number] = self

    def __reduce__(self) -> tuple[Any, ...]:
        return _known, (self.number,)


__all__ = ["Source"]
