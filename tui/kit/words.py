"""Numbers and names as people say them."""

from collections.abc import Iterable
from typing import Final

from engines.units import PPM_PER_PERCENT, US_PER_MS, US_PER_S, percent, span
from tui.canvas import Ink


def ms(span_us: int) -> str:
    """A span as whole milliseconds, or seconds where those get long: ``143 ms``, ``2.41 s``. What is shorter than a
    millisecond is never said to be nothing: ``850 us``."""
    if abs(span_us) < US_PER_MS:
        return span(span_us)
    return f"{span_us // US_PER_MS} ms" if abs(span_us) < US_PER_S else f"{span_us / US_PER_S:.2f} s"


def names(nodes: Iterable[str]) -> str:
    """Nodes in a row; ``nobody`` for none."""
    return " ".join(nodes) or "nobody"


def plural(count: int, noun: str) -> str:
    """``1 key``, ``1,204 keys``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def by(who: str, text: str) -> str:
    """What stands behind a name, and begins with a verb: ``n1 asks``, but ``you ask``."""
    verb, space, rest = text.partition(" ")
    return f"{PLURALS.get(verb, verb.removesuffix('s'))}{space}{rest}" if who == "you" else text


PLURALS: Final = {"is": "are", "has": "have", "does": "do"}


def chip(ink: Ink) -> Ink:
    """Dark text on the role's colour."""
    return f"{ink}!"


__all__ = ["PPM_PER_PERCENT", "by", "chip", "ms", "names", "percent", "plural"]
