"""The app on the toy pattern, for tests through a pty: `python -m tests.tui.toy_app [--theme NAME] [--glyphs NAME]`.

Leaving prints the farewell and what the driver counted.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual import events

    from tui.app import DpTui


def breaking_at(wanted: str) -> type[DpTui]:
    """An app in which a key breaks something that none of our own guards is around."""
    from tui.app import DpTui

    class Breaking(DpTui):
        def on_key(self, event: events.Key) -> None:
            if event.character == wanted:
                raise ZeroDivisionError("broken\nin two lines")
            super().on_key(event)

    return Breaking


def main() -> None:
    from tui.terminal.capability import detect

    capability = detect(os.environ, True, True, True, sys.stderr.encoding)
    for name, value in capability.textual_environ().items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))

    from tests.toy import TOY
    from tui.app import DpTui
    from tui.farewell import sealed
    from tui.glyphs import glyphs_for
    from tui.session import Session
    from tui.state import State
    from tui.terminal.driver import AckDriver
    from tui.terminal.line import say
    from tui.theme import theme_for

    state = State(folder=Path(options["--state"])) if "--state" in options else State(sandbox=True)
    glyphs = glyphs_for(options.get("--glyphs", capability.glyphs))
    session = Session((TOY,), TOY.pattern.name, glyphs=glyphs, save_folder=state.save_folder)
    theme = theme_for(options.get("--theme"), capability.colors, os.environ)
    kind = breaking_at(options["--breaks-at"]) if "--breaks-at" in options else DpTui
    app = kind(session, theme=theme, capability=capability, state=state, strict="--breaks-at" not in options)
    app.run()
    say(f"BYE {app.return_code} {app.kept.text} {app.failure}", sys.stdout)
    if app.return_code:
        raise SystemExit(app.return_code)
    sealed(app.kept, print)
    if isinstance(driver := app._driver, AckDriver):
        print("SENT", driver.frames_sent, "SKIPPED", driver.frames_skipped, "DRAWN", app.frames)
    raise SystemExit(app.return_code)


if __name__ == "__main__":
    main()
