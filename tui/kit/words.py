"""Numbers and names as people say them."""

from collections.abc import Iterable
from typing import Final

from tui.canvas import Ink

PPM_PER_PERCENT: Final = 10_000


def ms(span_us: int) -> str:
    """A span as whole milliseconds, or seconds where those get long: ``143 ms``, ``2.41 s``."""
    return f"{span_us // 1000} ms" if abs(span_us) < 1_000_000 else f"{span_us / 1_000_000:.2f} s"


def percent(ppm: int) -> str:
    """Parts per million as people say it: ``30 %``."""
    return f"{ppm // PPM_PER_PERCENT} %"


def names(nodes: Iterable[str]) -> str:
    """Nodes in a row; ``nobody`` for none."""
    return " ".join(nodes) or "nobody"


def plural(count: int, noun: str) -> str:
    """``1 key``, ``1,204 keys``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def chip(ink: Ink) -> Ink:
    """Dark text on the role's colour."""
    return f"{ink}!"
