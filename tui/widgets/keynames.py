"""Keys by the names of the session: what was typed, or `space enter esc tab left f1 ctrl+p` and the like."""

from __future__ import annotations

from typing import Final

from textual import events
from textual.keys import key_to_character

_NAMES: Final = {"escape": "esc", "return": "enter", "ctrl+m": "enter", "ctrl+i": "tab"}


def names_of(event: events.Key) -> tuple[str, ...]:
    """A key as the session names it: what was typed if that can be seen, else the name.

    `esc` and a key close behind it (a fast hand, a slow line) arrive as alt and that key; they are two again. Where
    the two make no known sequence, Textual spells them out with a circumflex for `esc`; see `DpTui.press`.
    """
    if event.key.startswith("alt+"):
        return ("esc", *names_of(events.Key(event.key.removeprefix("alt+"), None)))
    char = event.character if event.is_printable else key_to_character(event.key)
    if event.key == "space" or char == " ":
        return ("space",)
    if char is not None and len(char) == 1 and char.isprintable():
        return (char,)
    return (_NAMES.get(event.key, event.key),)
