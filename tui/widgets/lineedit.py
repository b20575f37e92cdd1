"""A line of text with a cursor, as plain data: prompts and filters type into it.

Why not Textual's Input: it takes a key only after a round through the focused widget, so a fast hand (or a paste, or a
slow link) types the first letters into the cluster; it repaints in colours of its own; and it needs a screen to test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from tui.canvas import Ink

Runs = tuple[tuple[str, Ink], ...]
"""Part of a row: texts with their inks."""

_WORD_LEFT: Final = re.compile(r"\S*\s*\Z")
_MOST: Final = 4096  # characters; what is pasted by mistake ends somewhere


class LineEdit:
    """What was typed, and where the cursor stands: 0 to len(text)."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.at = len(text)

    def press(self, key: str) -> bool:
        """Whether the key meant something here. Printable keys come as the character they type, blank as `space`."""
        char = " " if key == "space" else key
        if len(char) == 1 and char.isprintable():
            self.insert(char)
            return True
        edit = _EDITS.get(key)
        if edit is None:
            return False
        edit(self)
        return True

    def insert(self, text: str) -> None:
        """Type or paste; only the first line, and nothing unprintable."""
        line = "".join(char for char in (text.splitlines() or [""])[0] if char.isprintable())
        line = line[: max(0, _MOST - len(self.text))]
        self.text = self.text[: self.at] + line + self.text[self.at :]
        self.at += len(line)

    def runs(self, width: int) -> Runs:
        """The text in `width` columns, scrolled so that the cursor, a lit cell, is among them."""
        if width < 1:
            return ()
        start = max(0, self.at - width + 1)
        shown = self.text[start : start + width].ljust(self.at - start + 1)
        here = self.at - start
        return ((shown[:here], "bright"), (shown[here], "bright!"), (shown[here + 1 :], "bright"))

    def _move(self, at: int) -> None:
        self.at = max(0, min(len(self.text), at))

    def _delete(self, start: int, stop: int) -> None:
        start = max(0, start)
        self.text = self.text[:start] + self.text[stop:]
        self.at = start

    def _delete_word(self) -> None:
        found = _WORD_LEFT.search(self.text, 0, self.at)
        self._delete(found.start() if found else 0, self.at)


_EDITS: Final[Mapping[str, Callable[[LineEdit], None]]] = {
    "left": lambda line: line._move(line.at - 1),
    "right": lambda line: line._move(line.at + 1),
    "home": lambda line: line._move(0),
    "end": lambda line: line._move(len(line.text)),
    "ctrl+a": lambda line: line._move(0),
    "ctrl+e": lambda line: line._move(len(line.text)),
    "backspace": lambda line: line._delete(line.at - 1, line.at),
    "ctrl+h": lambda line: line._delete(line.at - 1, line.at),
    "delete": lambda line: line._delete(line.at, line.at + 1),
    "ctrl+d": lambda line: line._delete(line.at, line.at + 1),
    "ctrl+u": lambda line: line._delete(0, line.at),
    "ctrl+k": lambda line: line._delete(line.at, len(line.text)),
    "ctrl+w": LineEdit._delete_word,
}
