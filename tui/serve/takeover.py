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
from typing import Any, Final, Protocol

from engines.errors import UserError
from engines.sim.recording import record
from tui.serve.child import Child
from tui.serve.house import Visit
from tui.terminal.modes import RESTORE

FLAG: Final = "--take-over"


class Watcher(Protocol):
    """Who takes over."""

    visit: Visit
    size: tuple[int, int]
    private: Any
    leaving: asyncio.Task[None] | None

    def returned(self) -> None:
        """She looks at the stage again."""
        ...


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


def take_over(watcher: Watcher, scene: Any) -> None:
    """Begin it, from this scene; the watcher looks at the stage again when it is over."""
    visit = watcher.visit
    try:
        text = present(scene)
    except UserError as error:
        visit.send(f"\x1b[{watcher.size[1]};1H\x1b[0m\x1b[2K {error}".encode())
        return

    def ended(status: int) -> None:
        if watcher.private is child and not visit.ending:
            visit.send(RESTORE.encode())
            watcher.returned()

    child = Child(visit.send, ended, visit.door.want)
    watcher.private = child
    visit.send(RESTORE.encode())
    speed = str(scene.player.speed)
    watcher.leaving = asyncio.get_running_loop().create_task(_start(watcher, child, text, speed))


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
