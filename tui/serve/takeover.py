"""From the stage into a private branch: the run as it is now, as a recording, in a process of the watcher's own.

The recording goes through a pipe, so nothing is written to a disk; it ends where the presenter stands, and holds
nothing of futures she has not shown. The process is the same confined child that every visitor of an ordinary server
has.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from engines.errors import UserError
from engines.sim.recording import record
from tui.serve.child import Child
from tui.terminal.modes import RESTORE

if TYPE_CHECKING:
    from tui.serve.stage import Watcher

FLAG: Final = "--take-over"


def present(scene: Any) -> str:
    """The run up to where it stands, as a recording without branches. UserError where it cannot leave the presenter."""
    timeline = scene.timeline
    if timeline.variant.source is not None:
        raise UserError("this run plays data of the presenter's own, which stays with her")
    document = json.loads(record(scene.panel.pattern, timeline, haste=True))
    document.pop("branches", None)
    document["commands"] = [each for each in document["commands"] if each["position"] < timeline.position]
    document["end"] = {"position": timeline.position, "at_us": timeline.now_us}
    return json.dumps(document)


def take_over(watcher: Watcher) -> None:
    """Begin it; the watcher looks at the stage again when it is over."""
    visit = watcher.visit
    try:
        text = present(watcher.stage.session.scene)
    except UserError as error:
        visit.send(f"\x1b[{watcher.size[1]};1H\x1b[0m\x1b[2K {error}".encode())
        return
    over = asyncio.Event()

    def ended(status: int) -> None:
        over.set()
        if visit.show is watcher and watcher.private is child and not visit.ending:
            visit.send(RESTORE.encode())
            watcher.returned()

    child = Child(visit.send, ended, visit.door.want)
    watcher.private = child
    visit.send(RESTORE.encode())
    speed = str(watcher.stage.session.scene.player.speed)
    asyncio.get_running_loop().create_task(_start(watcher, child, text, speed))


async def _start(watcher: Watcher, child: Child, text: str, speed: str) -> None:
    visit, house = watcher.visit, watcher.visit.house
    reading, writing = os.pipe()
    feeder = threading.Thread(target=_feed, args=(writing, text.encode()), daemon=True)
    feeder.start()  # a pipe holds less than a long run
    argv = house.command((FLAG, str(reading), speed))
    try:
        await child.start(argv, house.environ(visit.guest.variables), watcher.size, give=reading)
    except OSError as error:
        watcher.private = None
        visit.finish(f"a private branch cannot be started: {error.strerror or error}", 1)
        return
    if visit.ending:
        await child.stop()


def _feed(writing: int, data: bytes) -> None:
    with suppress(OSError), os.fdopen(writing, "wb") as pipe:
        pipe.write(data)


# -- in the child ----------------------------------------------------------------------------------------------------


def open_private(descriptor: int, speed: str) -> int:
    """The app on what comes through a pipe. Returns the exit status."""
    from fractions import Fraction

    from engines.sim.recording import read
    from tui import __version__, cli
    from tui.company import Private
    from tui.glyphs import glyphs_for
    from tui.registry import PANELS, patterns
    from tui.session import Session
    from tui.state import State

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
