"""Numbers and names as people say them."""

from collections.abc import Iterable
from typing import Final

from engines.units import PPM_PER_PERCENT, percent
from tui.canvas import Ink


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


STATUS: Final[dict[str, tuple[str, Ink]]] = {"crashed": ("X", "dead"), "frozen": ("Z", "frozen")}
"""Letter and ink of a machine that is not up."""


def holding(found: Iterable[tuple[object, str]]) -> tuple[str, ...]:
    """What is said of all that is so."""
    return tuple(said for so, said in found if so)


def plain(value: object) -> str:
    """Any value in characters that every terminal has."""
    return "".join(char if " " <= char <= "~" else ascii(char)[1:-1] for char in str(value))


__all__ = ["PPM_PER_PERCENT", "STATUS", "by", "chip", "holding", "names", "percent", "plain", "plural"]
