"""A terminal for tests: a command on a real pty, a screen that can be read, and if wished a slow line between them.

    with PtyApp(["dp-tui", "raft"], size=(80, 24), throttle=8_000) as app:
        app.wait_for("Raft")
        app.send("space")
        app.wait_for(lambda app: "PAUSE" in app.line(1))

The line is what ssh over a modem is: the child writes to the pty, at most `buffer` bytes wait in the sender's socket
(then nobody reads the pty any more, and the child's writes block), and `throttle` bytes a second come out on the other
side. A query is answered when its bytes *arrive*, so answers are as late as the picture in front of them.
"""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, TypeAlias

import pyte

ROOT: Final = Path(__file__).resolve().parent.parent

PATIENCE_S: Final = 120.0
"""How long a test waits for what must come, so that none fails because a machine is slow or busy."""
LOOK_S: Final = 0.02

KEYS: Final[Mapping[str, str]] = {
    "enter": "\r", "tab": "\t", "esc": "\x1b", "escape": "\x1b", "space": " ", "backspace": "\x7f", "delete": "\x1b[3~",
    "up": "\x1b[A", "down": "\x1b[B", "right": "\x1b[C", "left": "\x1b[D", "home": "\x1b[H", "end": "\x1b[F",
    "pageup": "\x1b[5~", "pagedown": "\x1b[6~", "shift+tab": "\x1b[Z",
    "f1": "\x1bOP", "f2": "\x1bOQ", "f3": "\x1bOR", "f4": "\x1bOS", "shift+f3": "\x1b[1;2R",
    **{f"ctrl+{letter}": chr(ord(letter) - 96) for letter in "abcdefghijklmnopqrstuvwxyz"},
}  # fmt: skip

_STARTS: Final = re.compile(r"\x1b(?:[78=>HDEM]|\[[\d;:?<>=$ ]*)?\Z")
"""A chunk that ends like this may end inside a sequence."""
_SPECIAL: Final = re.compile(r"\x1b\[(?:\?(\d+)\$p|\?(2048)[hl]|([<>=])[\d;]*([a-zA-Z]))")
"""What pyte does not know: mode queries, in-band resize, private sequences (the keyboard protocol, XTVERSION)."""

Wanted: TypeAlias = "str | Callable[[PtyApp], object]"


class _Screen(pyte.HistoryScreen):
    """A pyte screen whose answers go back to the child."""

    def __init__(self, columns: int, lines: int, reply: Callable[[str], None]) -> None:
        self._reply = reply
        super().__init__(columns, lines, history=200, ratio=0.5)

    def write_process_input(self, data: str) -> None:
        self._reply(data)


class PtyApp:
    """A command on a pty of `size` (columns, lines).

    `env` is laid over a small clean environment; `None` takes a variable out. `throttle` is in bytes a second. `mute`:
    a terminal that answers nothing. `sync`, `in_band`: it knows synchronized output, in-band resize reports.
    `latency`: seconds an answer or key is under way towards the child.
    """

    def __init__(
        self,
        argv: Sequence[str],
        size: tuple[int, int] = (80, 24),
        env: Mapping[str, str | None] | None = None,
        *,
        cwd: str | Path = ROOT,
        throttle: float | None = None,
        buffer: int = 32_768,
        latency: float = 0.0,
        mute: bool = False,
        sync: bool = False,
        in_band: bool = False,
        keep: int = 4_000_000,
    ) -> None:
        self.argv = list(argv)
        self.size = size
        self.throttle = throttle
        self.mute = mute
        self.bytes_out = 0
        """Bytes read from the child."""
        self.bytes_shown = 0
        """Bytes that have arrived at the screen."""
        self.reports_answered = 0
        """Cursor reports sent back."""
        self.raw = bytearray()
        """What has arrived, the first `keep` bytes."""
        self._buffer_limit, self._latency, self._keep = buffer, latency, keep
        self._sync, self._in_band, self._in_band_on = sync, in_band, False
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._tail = ""
        self._changed = threading.Condition()
        self._closing = False
        self._ended = False
        self._inbox: list[tuple[float, bytes]] = []
        self._screen = _Screen(*size, self._reply)
        self._stream = pyte.Stream(self._screen)
        self._master, self._slave = os.openpty()
        self._set_size(size)
        os.set_blocking(self._master, False)
        self.started = time.monotonic()
        self.process = self._spawn(env or {}, cwd)
        self._thread = threading.Thread(target=self._run, name="ptyscreen", daemon=True)
        self._thread.start()

    # -- what is on the screen

    def display(self) -> list[str]:
        """The lines as shown, blanks at their ends included."""
        with self._changed:
            return list(self._screen.display)

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.display())

    def line(self, y: int) -> str:
        return self.display()[y]

    def contains(self, text: str) -> bool:
        return any(text in line for line in self.display())

    def wait_for(self, wanted: Wanted, timeout: float = PATIENCE_S) -> float:
        """Wait until a text is shown or a predicate holds. Returns the seconds it took."""
        start = time.monotonic()
        deadline = start + timeout
        while True:
            ended = self._ended  # before looking: what came last must be seen
            if self.contains(wanted) if isinstance(wanted, str) else wanted(self):
                return time.monotonic() - start
            left = deadline - time.monotonic()
            if left <= 0 or ended:
                why = f"not within {timeout} s" if left <= 0 else f"the command ended with {self.process.poll()}"
                raise AssertionError(f"waited for {wanted!r}: {why}; the screen is\n{self.text()}")
            with self._changed:
                self._changed.wait(min(left, 0.05))

    def settle(self, quiet: float = 0.5, timeout: float = PATIENCE_S) -> None:
        """Wait until for `quiet` seconds nothing has come from the child though nothing kept it from working.

        Time in which it waits for a processor does not count: on a busy machine silence means nothing.
        """
        deadline = time.monotonic() + timeout
        seen, still, before = -1, 0.0, time.monotonic()
        while still < quiet:
            now = time.monotonic()
            assert now < deadline, f"not quiet within {timeout} s; the screen is\n{self.text()}"
            if self.bytes_shown != seen or self.queued or self._inbox:
                seen, still = self.bytes_shown, 0.0
            elif not _busy(self.process.pid):
                still += min(now - before, 2 * LOOK_S)
            before = now
            time.sleep(LOOK_S)

    @property
    def queued(self) -> int:
        """Bytes on the line: written by the child, not yet shown."""
        return self.bytes_out - self.bytes_shown

    # -- what is done to it

    def send(self, *keys: str) -> None:
        """Press keys, by name (`up`, `ctrl+p`, `f1`) or as the text they type."""
        self._queue_input("".join(KEYS.get(key, key) for key in keys).encode())

    def resize(self, columns: int, lines: int) -> None:
        with self._changed:
            self.size = columns, lines
            self._screen.resize(lines, columns)
        self._set_size(self.size)  # the kernel sends SIGWINCH to the foreground group
        if self._in_band_on:
            self._reply(f"\x1b[48;{lines};{columns};{lines * 20};{columns * 10}t")

    def wait(self, timeout: float = PATIENCE_S) -> int:
        """Wait for the command to end by itself; returns its status."""
        status = self.process.wait(timeout)
        self._thread.join(timeout)
        return status

    def close(self) -> None:
        """Kill the command's process group, always."""
        self._closing = True
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._thread.join()
        for fd in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(fd)

    def __enter__(self) -> PtyApp:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- the child

    def _spawn(self, env: Mapping[str, str | None], cwd: str | Path) -> subprocess.Popen[bytes]:
        """Start the command as leader of a session of its own, with the pty as its controlling terminal.

        The leader gets it by opening it by name, which a shell can do: no code of ours runs between fork and exec.
        """
        clean = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        clean |= {"TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        chosen = {name: value for name, value in {**clean, **env}.items() if value is not None}
        script = 'tty=$0; exec "$@" <>"$tty" >&0 2>&0'
        with nothing_ignored():
            return subprocess.Popen(
                ["/bin/sh", "-c", script, os.ttyname(self._slave), *self.argv],
                env=chosen, cwd=cwd, start_new_session=True, stdin=self._slave, stdout=self._slave, stderr=self._slave,
            )  # fmt: skip

    def _set_size(self, size: tuple[int, int]) -> None:
        columns, lines = size
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    # -- the line: one thread carries both directions

    def _run(self) -> None:
        line = bytearray()
        allowance, before = 0.0, time.monotonic()
        while not self._closing:
            ended = self.process.poll() is not None
            room = self._buffer_limit - len(line)
            read = self._read(min(room, 65_536), wait=0.0 if line and not self.throttle else 0.01) if room > 0 else b""
            if room <= 0:
                time.sleep(0.005)
            line += read
            self.bytes_out += len(read)
            now = time.monotonic()
            if self.throttle is None:
                arrived = len(line)
            else:
                allowance = min(allowance + (now - before) * self.throttle, self.throttle * 0.05)
                arrived = min(len(line), int(allowance))
                allowance -= arrived
            before = now
            if arrived:
                self._show(bytes(line[:arrived]))
                del line[:arrived]
            self._deliver(now)
            if ended and not read and not line:
                break
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _read(self, size: int, wait: float) -> bytes:
        if not select.select([self._master], [], [], wait)[0]:
            return b""
        try:
            return os.read(self._master, size)
        except OSError:
            return b""

    def _show(self, data: bytes) -> None:
        with self._changed:
            if len(self.raw) < self._keep:
                self.raw += data
            text = self._tail + self._decode(data)
            cut = match.start() if (match := _STARTS.search(text)) else len(text)
            text, self._tail = text[:cut], text[cut:]
            at = 0
            for found in _SPECIAL.finditer(text):
                self._stream.feed(text[at : found.start()])
                self._answer_special(found)
                at = found.end()
            self._stream.feed(text[at:])
            self.bytes_shown += len(data)
            self._changed.notify_all()

    def _answer_special(self, found: re.Match[str]) -> None:
        mode, in_band, private, final = found.groups()
        if mode is not None:
            known = (mode == "2026" and self._sync) or (mode == "2048" and self._in_band)
            self._reply(f"\x1b[?{mode};{2 if known else 0}$y")
        elif in_band is not None:
            self._in_band_on = self._in_band and found.group().endswith("h")
            if self._in_band_on:
                columns, lines = self.size
                self._reply(f"\x1b[48;{lines};{columns};{lines * 20};{columns * 10}t")
        elif private == ">" and final == "c":
            self._reply("\x1b[>41;354;0c")

    def _reply(self, data: str) -> None:
        if not self.mute:
            self.reports_answered += data.endswith("R")
            self._queue_input(data.encode())

    def _queue_input(self, data: bytes) -> None:
        with self._changed:
            self._inbox.append((time.monotonic() + self._latency, data))

    def _deliver(self, now: float) -> None:
        with self._changed:
            due = b"".join(data for at, data in self._inbox if at <= now)
            self._inbox = [(at, data) for at, data in self._inbox if at > now]
        if due:
            with contextlib.suppress(OSError):
                written = os.write(self._master, due)
                if written < len(due):
                    with self._changed:
                        self._inbox.insert(0, (now, due[written:]))


@contextlib.contextmanager
def nothing_ignored() -> Iterator[None]:
    """A child inherits which signals are ignored: one that starts here gets them as under a person's terminal.

    Whoever runs the tests in the background ignores SIGINT. A signal that is caught here is not ignored there.
    """
    numbers = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)
    ignored = [number for number in numbers if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


def _busy(pid: int) -> bool:
    """Whether a process, or one that it has started, has something to do at this moment."""
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):  # it has just ended
            if (task / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] in "RD":
                return True
            if any(_busy(int(child)) for child in (task / "children").read_text(encoding="utf-8").split()):
                return True
    return False


def python(*argv: str) -> list[str]:
    """The command line of this interpreter."""
    return [sys.executable, *argv]
