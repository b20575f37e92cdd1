"""What a client says of its terminal, made safe: its name, its size, a few variables.

All of it is the client's word and none of it is trusted. A name that is no name of a terminal becomes `xterm`, a size
is brought into bounds that a picture can be made for, and of the environment only what tells of language and colours is
taken, if it looks like that. What the server's own environment says of colours is nobody's business: it is about
another screen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

WIDTH_MAX: Final = 500
HEIGHT_MAX: Final = 200
"""More cells than any screen has that people read; a picture of more costs others their share of the machine."""
DEFAULT: Final = (80, 24)
"""The size of a client that tells none (0x0 is how they say that)."""
TERM: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}", re.ASCII)
ALLOWED: Final[Mapping[str, re.Pattern[str]]] = {
    **dict.fromkeys(("LANG", "LC_ALL", "LC_CTYPE"), re.compile(r"[A-Za-z0-9_.@-]{0,64}", re.ASCII)),
    **dict.fromkeys(("COLORTERM", "NO_COLOR"), re.compile(r"[A-Za-z0-9_-]{0,32}", re.ASCII)),
    "COLORFGBG": re.compile(r"[0-9a-z;]{0,32}", re.ASCII),
}


@dataclass(frozen=True, slots=True)
class Guest:
    """A client's terminal. `address`: where the connection comes from; `who`: what the log calls it."""

    address: str
    who: str
    term: str
    size: tuple[int, int] = DEFAULT
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> dict[str, str]:
        """Its environment, `TERM` included."""
        return {"TERM": self.term, **self.environ}


def safe_size(width: int, height: int) -> tuple[int, int]:
    """A size that a picture can be made for."""
    width, height = width or DEFAULT[0], height or DEFAULT[1]
    return max(1, min(width, WIDTH_MAX)), max(1, min(height, HEIGHT_MAX))


def safe_term(name: str) -> str:
    """The name of a terminal."""
    return name if TERM.fullmatch(name) else "xterm"


def safe_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Of an environment what may cross."""
    return {
        name: value
        for name, form in ALLOWED.items()
        if (value := environ.get(name)) is not None and form.fullmatch(value)
    }


class Sieve(dict[bytes, bytes]):
    """A dictionary that takes only names that may cross, and values that are short: a client may send as many variables
    as it likes, and they cost nothing."""

    def __setitem__(self, name: bytes, value: bytes) -> None:
        if name.decode("latin-1") in ALLOWED and len(value) <= 64:
            super().__setitem__(name, value)
