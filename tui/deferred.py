"""A panel that is imported when it is first looked at: the first picture needs one of them, and pays for one.

Until then only the cover of its pattern is known, enough for the tabs and the names on the command line. A test holds
every cover to what its pattern says of itself.
"""

from importlib import import_module
from typing import Any, cast

from engines import QUESTIONS
from tui.panel import Panel


class _Cover:
    """A pattern: its number and names at once, everything else from its module."""

    def __init__(self, panel: "_Deferred", number: int, title: str, aliases: tuple[tuple[str, str], ...]) -> None:
        self._panel = panel
        self.number = number
        self.name = title.lower()
        self.title = title
        self.aliases = aliases
        self.question = QUESTIONS[number - 1]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._panel.load().pattern, name)


class _Deferred:
    """Stands for the ``PANEL`` of a module."""

    def __init__(self, module: str, number: int, title: str, aliases: tuple[tuple[str, str], ...]) -> None:
        self._module = module
        self._loaded: Panel | None = None
        self.pattern = _Cover(self, number, title, aliases)

    def load(self) -> Panel:
        """The panel itself."""
        if self._loaded is None:
            self._loaded = cast(Panel, import_module(self._module).PANEL)
        return self._loaded

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.load(), name)


def deferred(module: str, number: int, title: str, *aliases: tuple[str, str]) -> Panel:
    """The panel of a module, not imported yet; ``aliases``: other names on the command line, and their variants."""
    return cast(Panel, _Deferred(module, number, title, aliases))


__all__ = ["deferred"]
