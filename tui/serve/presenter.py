"""The stage beside the presenter's app, in its loop: it listens while the app runs, and tells who watches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tui.dialogs import Choice, Dialogue, Pick
from tui.panel import Do, Panel, Refuse, ThrowOut
from tui.serve.entrance import Entrance, shut
from tui.serve.house import House
from tui.serve.stage import Stage
from tui.session import Session

CLOSED: Final = "the presenter has closed the stage"
THROWN_OUT: Final = "the presenter has ended your visit"


class Presenter:
    """The company of a presenter's app."""

    def __init__(
        self, house: House, session: Session, panels: tuple[Panel, ...], entrances: Sequence[Entrance]
    ) -> None:
        self.house, self.entrances = house, entrances
        self.where = "   ".join(entrance.line for entrance in entrances)
        self.the_stage = Stage(session, panels)
        house.show = self.the_stage.watch
        session.badge = "nobody watches"

    async def open(self) -> None:
        """Let people in."""
        for entrance in self.entrances:
            await entrance.open(self.house)

    async def close(self) -> None:
        """Everybody is told that it is over."""
        await shut(self.house, self.entrances, CLOSED)
        self.the_stage.stop()

    def stage(self) -> Dialogue | Do | str:
        """Who watches."""
        choices = []
        for watcher in self.the_stage.watchers.values():
            width, height = watcher.size
            doing = "in a branch of her own" if watcher.private is not None else "watching"
            guest = watcher.visit.guest
            help = f"{guest.who}, {guest.term}, {watcher.glyphs.name} glyphs, theme {watcher.look.name}; {doing}."
            choices.append(
                Choice(f"throw out #{watcher.visit.number}", f"{width}x{height}", help, ThrowOut(watcher.visit.number))
            )
        least = self.the_stage.smallest
        many = f"{len(choices)} watch, the smallest screen is {least[0]}x{least[1]}" if least else "nobody watches yet"
        if not choices:
            choices.append(
                Choice("nobody", "", f"They come with: {self.where}", Refuse("there is nobody to throw out"))
            )
        return Pick("the stage", tuple(choices), hint=f"{many}; {self.where}")

    def throw_out(self, number: int) -> str:
        """End somebody's visit."""
        visit = self.house.visits.get(number)
        if visit is None:
            return f"#{number} has left"
        visit.finish(THROWN_OUT, 0)
        return f"#{number} is out"
