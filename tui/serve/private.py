"""The app on a private branch of the stage's run: what a visitor's process is after `O`."""

from __future__ import annotations

import os
from fractions import Fraction

from engines.sim.recording import read
from tui import __version__, cli
from tui.company import Private
from tui.glyphs import glyphs_for
from tui.registry import PANELS, patterns
from tui.session import Session
from tui.state import State


def open_private(descriptor: int, speed: str) -> int:
    """The app on what comes through a pipe. Returns the exit status."""
    with os.fdopen(descriptor, encoding="utf-8") as pipe:
        recording = read(pipe.read(), "the stage", patterns())
    capability = cli.terminal()
    session = Session(
        PANELS,
        recording.pattern.name,
        glyphs=glyphs_for(capability.glyphs),
        speed=Fraction(speed),
        sandbox=True,
        recordings=(recording,),
        version=__version__,
    )
    session.scene.given = len(session.scene.branch.log)
    session.badge = "private branch: O returns"
    session.notify("a branch of your own: break it, step back, run it; O returns to the stage")
    screen = {"theme": None, "fps": 10, "no_mouse": False}
    app = cli.show(session, screen, capability, State(sandbox=True), Private())
    return app.return_code or 0
