"""The app as a process of its own on a pty of its own: bytes in, bytes out, a size, an end.

The child leads a session and a process group (so that nothing it might leave behind survives it), has the pty as its
controlling terminal and no other file of ours. Nothing here waits: reading stops while the visitor does not read
(`hold`), writing says when the pty is full. An end is always an end: SIGHUP first, which the app takes as a lost
terminal, and SIGKILL to the group if it is still there after `GRACE_S`.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import struct
import termios
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

CHUNK: Final = 16_384
FULL: Final = 16_384
"""Bytes of input that wait for the app, from which on no more are wanted."""
GRACE_S: Final = 1.5
SETTLE_S: Final = 0.05
"""Sizes that come faster are one size: the last."""


class Child:
    """A running child. `deliver` is called with its output, `ended` once with its status: -N if signal N ended it.
    `room(wanted)` tells whether input is wanted."""

    def __init__(
        self, deliver: Callable[[bytes], None], ended: Callable[[int], None], room: Callable[[bool], None]
    ) -> None:
        self.deliver, self.ended, self.room = deliver, ended, room
        self.pid = 0
        self._loop = asyncio.get_running_loop()
        self._master = -1
        self._waiting = bytearray()
        self._full = False
        self._held = False
        self._reading = False
        self._resize: asyncio.TimerHandle | None = None
        self._size = (0, 0)
        self._process: asyncio.subprocess.Process | None = None
        self._over = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(
        self, argv: Sequence[str], environ: Mapping[str, str], size: tuple[int, int], give: int | None = None
    ) -> None:
        """Begin. The size is there before the child is, so its first picture fits. `give`: a descriptor it gets too, as
        number 3 or whatever it is; it is closed here."""
        self._master, slave = os.openpty()
        try:
            os.set_blocking(self._master, False)
            self._set_size(*size)
            _quieten(slave)
            self._process = await asyncio.create_subprocess_exec(
                *argv,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                cwd="/",
                env=dict(environ),
                start_new_session=True,
                pass_fds=() if give is None else (give,),
            )
        except BaseException:
            self._shut()
            raise
        finally:
            os.close(slave)
            if give is not None:
                os.close(give)
        self.pid = self._process.pid
        self._read(True)
        self._task = self._loop.create_task(self._wait())

    # -- in

    def write(self, data: bytes) -> None:
        """What the visitor typed. Nothing is lost; `room` tells when to send no more."""
        if self._master < 0:
            return
        self._waiting += data
        self._push()

    def resize(self, width: int, height: int) -> None:
        """The visitor's window has another size: the last one of a storm counts."""
        self._size = width, height
        if self._resize is None and self._master >= 0:
            self._resize = self._loop.call_later(SETTLE_S, self._resized)

    def hold(self, on: bool) -> None:
        """Read no more, or again: the visitor takes nothing at the moment."""
        self._held = on
        self._read(not on)

    # -- the end

    async def stop(self) -> None:
        """End it, and wait for that: nothing of it is left."""
        if self._process is None or self._over.is_set():
            return
        self._kill(signal.SIGHUP)
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._over.wait()), GRACE_S)
        self._kill(signal.SIGKILL)
        await self._over.wait()

    def _kill(self, number: int) -> None:
        """A signal for the whole group; that is ours for as long as its leader has not been waited for, and afterwards
        only if somebody is left in it."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, number)

    async def _wait(self) -> None:
        assert self._process is not None
        status = await self._process.wait()
        self._kill(signal.SIGKILL)
        if not self._held:
            self._drain()
        self._shut()
        self._over.set()
        self.ended(status)

    def _drain(self) -> None:
        """The last words, which may still be in the pty; no more than a pty holds, whoever still writes there."""
        with suppress(OSError):
            for _ in range(8):
                data = os.read(self._master, CHUNK)
                if not data:
                    return
                self.deliver(data)

    # -- the pty

    def _read(self, on: bool) -> None:
        if self._master >= 0 and on != self._reading:
            self._reading = on
            if on:
                self._loop.add_reader(self._master, self._readable)
            else:
                self._loop.remove_reader(self._master)

    def _readable(self) -> None:
        try:
            data = os.read(self._master, CHUNK)
        except BlockingIOError:
            return
        except OSError:  # nobody has the other side open
            data = b""
        if data:
            self.deliver(data)
        else:
            self._read(False)

    def _push(self) -> None:
        while self._waiting and self._master >= 0:
            try:
                written = os.write(self._master, self._waiting[:CHUNK])
            except BlockingIOError:
                break
            except OSError:
                self._waiting.clear()
                break
            del self._waiting[:written]
        if self._master >= 0:
            if self._waiting:
                self._loop.add_writer(self._master, self._push)
            else:
                self._loop.remove_writer(self._master)
        full = len(self._waiting) > FULL
        if full != self._full:
            self._full = full
            self.room(not full)

    def _resized(self) -> None:
        self._resize = None
        if self._master >= 0:
            self._set_size(*self._size)

    def _set_size(self, width: int, height: int) -> None:
        with suppress(OSError):  # the kernel sends SIGWINCH to the foreground group
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def _shut(self) -> None:
        if self._resize is not None:
            self._resize.cancel()
        if self._master >= 0:
            self._loop.remove_reader(self._master)
            self._loop.remove_writer(self._master)
            os.close(self._master)
            self._master = -1
            self._waiting.clear()


def _quieten(slave: int) -> None:
    """Keys that come before the app is there are kept for it: none is echoed, and ctrl+c, which nobody would get yet,
    is no signal."""
    attributes = termios.tcgetattr(slave)
    attributes[3] &= ~(termios.ICANON | termios.ECHO | termios.ISIG | termios.IEXTEN)
    termios.tcsetattr(slave, termios.TCSANOW, attributes)
