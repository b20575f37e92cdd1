"""A picture of the whole screen, without a terminal and with time standing still."""

from __future__ import annotations

from collections.abc import Sequence

from tui.app import DpTui
from tui.company import SessionLike
from tui.picture import svg
from tui.theme import Theme


async def snapshot_svg(
    session: SessionLike, size: tuple[int, int], theme: Theme | str = "dark", keys: Sequence[str] = ()
) -> str:
    """The screen as SVG, without a terminal and with time standing still; `keys` are pressed first."""
    app = DpTui(session, theme=theme, fps=0, strict=True)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for key in keys:
            app.press(key)
        app._draw()
        return svg(app.picture, app.look, app.TITLE)
