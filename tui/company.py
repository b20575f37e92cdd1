"""Who the app deals with: the session it shows, and whoever keeps it company while it runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tui.dialogs import Dialogue
from tui.farewell import Kept
from tui.glyphs import Glyphs
from tui.painter import Placed
from tui.panel import Do, Outcome, Wish


class SessionLike(Protocol):
    """What the app needs of `tui.session.Session`."""

    @property
    def glyphs(self) -> Glyphs: ...
    @property
    def dirty(self) -> bool: ...
    def press(self, key: str) -> Wish: ...
    def perform(self, outcome: Outcome) -> Wish: ...
    def dialogue(self, what: str) -> Dialogue: ...
    def tick(self, wall_us: int) -> None: ...
    def resize(self, width: int, height: int) -> None: ...
    def render(self) -> Sequence[Placed]: ...
    def click(self, x: int, y: int) -> Wish: ...
    def wheel(self, x: int, y: int, step: int) -> None: ...
    def notify(self, text: str) -> None: ...
    def leave(self) -> Kept: ...


class Company(Protocol):
    """What runs beside the app, in its loop: the stage of a presenter, or the place a private branch came from."""

    async def open(self) -> None:
        """The app is up."""
        ...

    async def close(self) -> None:
        """The app is over, and the terminal is itself again."""
        ...

    def stage(self) -> Dialogue | Do | str:
        """What `O` comes to: a dialogue, something the app does, or a line to say."""
        ...

    def throw_out(self, number: int) -> str:
        """End a visit; what to say."""
        ...


class Alone:
    """No stage."""

    async def open(self) -> None:
        """Nothing opens."""

    async def close(self) -> None:
        """Nothing closes."""

    def stage(self) -> Dialogue | Do | str:
        """There is none."""
        return "no stage here: dp-tui serve --stage opens one"

    def throw_out(self, number: int) -> str:
        """Nobody is there."""
        return "nobody is watching"


class Private(Alone):
    """A private branch of somebody else's run: `O` goes back to the stage."""

    def stage(self) -> Dialogue | Do | str:
        """Leave it."""
        return Do.QUIT
