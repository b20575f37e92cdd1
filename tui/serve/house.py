"""The visits there are, their timers, and how each of them ends.

A `Visit` stands between a door (an SSH channel, a WebSocket) and a show (the visitor's own app, or the stage). It knows
neither kind: bytes go through as they are. What it adds is an end that everybody understands: whatever ends it, the
visitor's terminal is made itself again, and one line says why.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

import tui
from tui.serve.child import Child
from tui.serve.guest import Guest, safe_size
from tui.serve.limits import Book, Limits
from tui.serve.log import Log
from tui.terminal.modes import RESTORE

WATCH_S: Final = 1.0
"""How often timers are looked at."""
LEAVE_S: Final = 4.0
"""How long a stop waits for the visits to end."""
ROOT: Final = Path(tui.__file__).resolve().parent.parent
LEFT: Final = "left"
REPLIES: Final = re.compile(rb"\x1b\[[0-9;?>]*[Rcny$IO]+|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1bP[^\x1b]*\x1b\\")
"""What terminals answer to what they are asked: where the cursor is, which colours, what they can."""


class Door(Protocol):
    """A connection to a visitor's terminal."""

    def send(self, data: bytes) -> None:
        """Write to the terminal. `Visit.writable` tells when to stop, and when to go on."""
        ...

    def want(self, on: bool) -> None:
        """Whether input is wanted now."""
        ...

    def shut(self, status: int) -> None:
        """Send what was written, then close."""
        ...


class Show(Protocol):
    """What a visitor sees."""

    def write(self, data: bytes) -> None:
        """Input, as it was typed."""
        ...

    def resize(self, width: int, height: int) -> None:
        """The window's size, which is a safe one."""
        ...

    def hold(self, on: bool) -> None:
        """Show nothing for the moment: the visitor reads nothing."""
        ...

    async def stop(self) -> None:
        """End; nothing is left of it."""
        ...


class House:
    """All visits. `arguments`: the command line of a visitor's app, the operator's part of it."""

    def __init__(self, limits: Limits, log: Log, arguments: Sequence[str] = ()) -> None:
        self.limits, self.log, self.arguments = limits, log, tuple(arguments)
        self.book = Book(limits)
        self.visits: dict[int, Visit] = {}
        self.closing = ""
        """Why no more visitors are let in."""
        self.show: Callable[[Visit], Show] | None = None
        """What every visitor gets in place of an app of her own: the stage."""
        self._watcher: asyncio.Task[None] | None = None

    def now(self) -> float:
        """Seconds of the loop's clock."""
        return asyncio.get_running_loop().time()

    def enter(self, guest: Guest, door: Door, arguments: Sequence[str] = ()) -> Visit | str:
        """Begin a visit, or say why not. `arguments`: other ones than the operator's."""
        why = self.closing or self.book.enter(guest.address)
        if why:
            self.log(f"refused {guest.who} from {guest.address}: {why}")
            return why
        visit = Visit(self, self.book.opened, guest, door, tuple(arguments) or self.arguments)
        self.visits[visit.number] = visit
        width, height = guest.size
        self.log(f"#{visit.number} {guest.who} from {guest.address}: {guest.term} {width}x{height}")
        if self._watcher is None:
            self._watcher = asyncio.get_running_loop().create_task(self._watch())
        return visit

    def gone(self, visit: Visit) -> None:
        """A visit is over."""
        if self.visits.pop(visit.number, None) is not None:
            self.book.leave(visit.guest.address)
            passed_s = int(self.now() - visit.began_s)
            self.log(f"#{visit.number} over after {passed_s // 60}:{passed_s % 60:02}, {visit.sent} bytes: {visit.why}")

    def command(self, arguments: Sequence[str]) -> list[str]:
        """The command line of a visitor's process."""
        numbers = (str(self.limits.cpu_s), str(self.limits.memory_mb))
        return [sys.executable, "-P", "-s", "-m", "tui.serve.visitor", *numbers, *arguments]

    @staticmethod
    def environ(variables: Mapping[str, str]) -> dict[str, str]:
        """The environment of a visitor's process: the client's words about its terminal, and nothing of ours but what
        an interpreter needs."""
        return {
            **variables,
            "PATH": os.defpath,
            "HOME": "/nonexistent",
            "PYTHONPATH": str(ROOT),
            "PYTHONUTF8": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "MALLOC_ARENA_MAX": "2",
        }

    async def close(self, why: str) -> None:
        """Let nobody in any more and end every visit; each visitor is told why."""
        self.closing = why
        if self._watcher is not None:
            self._watcher.cancel()
        visits = tuple(self.visits.values())
        if visits:
            await asyncio.wait([asyncio.ensure_future(visit.end(why, 0)) for visit in visits], timeout=LEAVE_S)
            await asyncio.sleep(0.1)  # what was written leaves

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            for visit in tuple(self.visits.values()):
                why = visit.overdue(self.now())
                if why:
                    visit.finish(why, 0)


class Visit:
    """One visitor, from the first picture to the last line."""

    def __init__(self, house: House, number: int, guest: Guest, door: Door, arguments: tuple[str, ...]) -> None:
        self.house, self.number, self.guest, self.door, self.arguments = house, number, guest, door, arguments
        self.size = guest.size
        self.why = ""
        self.sent = 0
        self.began_s = self.typed_s = house.now()
        self.show: Show | None = None
        self._stalled_s: float | None = None
        self._ending: asyncio.Task[None] | None = None
        self._door_open = True

    # -- what the door tells

    async def start(self) -> None:
        """Give the visitor what there is to see."""
        if self.house.show is not None:
            self.show = self.house.show(self)
            return
        child = Child(self.send, self.left, self.door.want)
        try:
            await child.start(self.house.command(self.arguments), self.house.environ(self.guest.variables), self.size)
        except OSError as error:
            self.finish(f"the app cannot be started: {error.strerror or error}", 1)
            return
        self.show = child
        if self._ending is not None or not self._door_open:  # the visitor has left meanwhile
            await child.stop()

    def typed(self, data: bytes) -> None:
        """Input. What a terminal answers by itself is no key."""
        if REPLIES.sub(b"", data):
            self.typed_s = self.house.now()
        if self.show is not None and self._ending is None:
            self.show.write(data)

    def resized(self, width: int, height: int) -> None:
        """The window's size, as the client says."""
        self.size = safe_size(width, height)
        if self.show is not None:
            self.show.resize(*self.size)

    def writable(self, on: bool) -> None:
        """Whether the client takes what is written."""
        self._stalled_s = None if on else self.house.now()
        if self.show is not None:
            self.show.hold(not on)

    def lost(self, why: str = "the connection was lost") -> None:
        """The connection is gone."""
        self._door_open = False
        self.finish(why, 0)

    # -- what the show tells

    def send(self, data: bytes) -> None:
        """Output."""
        if self._door_open:
            self.sent += len(data)
            self.door.send(data)

    def left(self, status: int) -> None:
        """The app has ended, by itself or by force."""
        if status >= 0 or self._ending is not None:  # it has left the terminal as it was, and has said why
            self.finish(LEFT if status == 0 else f"left with status {status}", max(0, status))
        elif -status == signal.SIGXCPU:
            spent = _span(self.house.limits.cpu_s)
            self.finish(f"the app has used its {spent} of processor time; you are welcome to come again", 1)
        else:
            self.finish(f"the app was ended by signal {-status}", 1)

    # -- the end

    @property
    def ending(self) -> bool:
        """Whether it is over, or about to be."""
        return self._ending is not None or not self._door_open

    def overdue(self, now_s: float) -> str:
        """Why it is time to end, or nothing."""
        limits = self.house.limits
        if now_s - self.began_s >= limits.total_s:
            return f"a visit lasts {_span(limits.total_s)} at most; you are welcome to come again"
        if self.house.show is None and now_s - self.typed_s >= limits.idle_s:  # who watches a stage presses no keys
            return f"no key for {_span(limits.idle_s)}"
        if self._stalled_s is not None and now_s - self._stalled_s >= limits.stalled_s:
            return f"the client took nothing for {_span(limits.stalled_s)}"
        return ""

    def finish(self, why: str, status: int) -> None:
        """End, without waiting for it."""
        if self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._end(why, status))

    async def end(self, why: str, status: int) -> None:
        """End, and wait for it."""
        self.finish(why, status)
        assert self._ending is not None
        await asyncio.shield(self._ending)

    async def over(self) -> None:
        """Wait for the end, which has begun."""
        if self._ending is not None:
            await asyncio.shield(self._ending)

    async def _end(self, why: str, status: int) -> None:
        self.why = why
        try:
            if self.show is not None:
                await self.show.stop()
            if self._door_open:
                if why != LEFT:
                    self.send(RESTORE.encode() + f"\r\ndp-tui: {why}\r\n".encode())
                self._door_open = False
                self.door.shut(status)
        finally:
            self.house.gone(self)


def _span(seconds: float) -> str:
    """A length of time for people."""
    if seconds < 120:
        return f"{seconds:g} s"
    return f"{seconds / 60:g} min" if seconds < 7200 else f"{seconds / 3600:g} h"
