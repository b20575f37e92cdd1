"""A real process that appends to a real store, and the one who kills it and counts what was acknowledged.

    python -m engines.live.writer FILE.db

appends one event after the other and writes ``position id`` to its standard output for each that ``save_events``
acknowledged; the line is out before the next append begins. ``LiveWriter`` runs it, reads along, kills it with SIGKILL,
and then opens the file, which verifies every checksum, and looks for every event that was acknowledged.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from typing import Final, NamedTuple

from engines.errors import UserError
from engines.event_sourcing.errors import EventStoreError
from engines.event_sourcing.events import Metadata, NewEvent
from engines.event_sourcing.sqlite_store import SqliteStore

STREAMS: Final = 4
PREFIX: Final = "writer-"
PAUSE_S: Final = 0.004
"""Between two appends, so that a laptop stays cool and a person can follow."""
EVENTS_MAX: Final = 200_000
"""So many acknowledgements are remembered; then it rests."""


class Recount(NamedTuple):
    """What the file says after a death."""

    acknowledged: int
    found: int
    """Of those, how many are in the file where they were acknowledged."""
    more: int
    """Events of the file that nobody was told of: written, and the answer never came."""
    detail: str
    """The store's own integrity report."""
    took_us: int

    @property
    def whole(self) -> bool:
        """Whether nothing that was acknowledged is missing."""
        return self.found == self.acknowledged


def check_file(path: str) -> None:
    """UserError unless the file is new, or a store that holds nothing but what such writers wrote."""
    if not os.path.exists(path):
        folder = os.path.dirname(os.path.abspath(path))
        if not os.path.isdir(folder):
            raise UserError(f"{path}: there is no folder {folder}: name a file in one that exists")
        return
    with SqliteStore(path, read_only=True) as store:
        others = [name for name, _ in store.streams() if not name.startswith(PREFIX)]
    if others:
        raise UserError(f"{path}: it holds other events (stream {others[0]!r}): name a file that does not exist yet")


class LiveWriter:
    """One writer process after the other, on one file."""

    def __init__(self, path: str) -> None:
        check_file(path)
        self.path = path
        self.acknowledged: list[tuple[int, str]] = []
        """Position and id of every event that was acknowledged, of all processes so far."""
        self.kills = 0
        self.failed = ""
        self.before = self._head()
        """Events that were in the file when this began."""
        self._child: subprocess.Popen[bytes] | None = None
        self._rest = b""

    def _head(self) -> int:
        if not os.path.exists(self.path):
            return 0
        with SqliteStore(self.path, read_only=True, verify="none") as store:
            return store.head()

    @property
    def pid(self) -> int:
        """Of the process that runs; 0: none."""
        return self._child.pid if self._child is not None else 0

    def start(self) -> None:
        """Start a writer."""
        if self._child is not None:
            return
        self.failed = ""
        command = [sys.executable, "-m", "engines.live.writer", self.path]
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        self._child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=None,
            env={**os.environ, "PYTHONPATH": root}, start_new_session=True,
        )  # fmt: skip
        assert self._child.stdout is not None
        os.set_blocking(self._child.stdout.fileno(), False)

    def poll(self) -> int:
        """Read along; how many events were acknowledged since the last look."""
        child = self._child
        if child is None:
            return 0
        fresh = self._read(child)
        if child.poll() is not None:
            fresh += self._read(child)
            error = child.stderr.read().decode(errors="replace").strip() if child.stderr is not None else ""
            self.failed = error.splitlines()[-1] if error else f"it ended with status {child.returncode}"
            self._forget(child)
        return fresh

    def _read(self, child: "subprocess.Popen[bytes]") -> int:
        assert child.stdout is not None
        with contextlib.suppress(BlockingIOError):
            while part := os.read(child.stdout.fileno(), 1 << 16):
                self._rest += part
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            position, _, id = line.decode().partition(" ")
            self.acknowledged.append((int(position), id))
        return len(lines)

    def kill(self) -> None:
        """SIGKILL: it does not get to say anything any more."""
        child = self._child
        if child is None:
            raise UserError("no writer runs: start one first")
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        self._read(child)
        self._rest = b""  # half a line was never said
        self.kills += 1
        self._forget(child)

    def stop(self) -> None:
        """End the writer, if one runs. Also a way out in a hurry."""
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child.pid, signal.SIGKILL)
            self._child.wait()
            self._forget(self._child)

    def _forget(self, child: "subprocess.Popen[bytes]") -> None:
        for pipe in (child.stdout, child.stderr):
            if pipe is not None:
                pipe.close()
        self._child = None
        self._rest = b""

    def recount(self) -> Recount:
        """Open the file as any reader would, verify all of it, and look for every acknowledged event."""
        begun = time.monotonic_ns()
        with SqliteStore(self.path, read_only=True, verify="none") as store:
            report = store.integrity()
            ids = {event.position: event.id for event in store.replay(self.before)}
        found = sum(1 for position, id in self.acknowledged if ids.get(position) == id)
        took_us = (time.monotonic_ns() - begun) // 1_000
        return Recount(len(self.acknowledged), found, len(ids) - found, report.detail, took_us)


def write(path: str) -> None:
    """Append until somebody ends it."""
    with SqliteStore(path) as store:
        run = f"{os.getpid()}-{store.head()}"
        for number in range(EVENTS_MAX):
            stream = f"{PREFIX}{number % STREAMS}"
            meta = Metadata(f"pid {os.getpid()}", causation_id=f"{run}-{number}", correlation_id=run, command="Count")
            event = NewEvent(f"{run}-{number}", "Counted", {"number": number}, metadata=meta)
            position = store.save_events(stream, [event]).position
            os.write(1, f"{position} {event.id}\n".encode())
            time.sleep(PAUSE_S)


def main(path: str) -> int:
    """The process; its exit status."""
    try:
        write(path)
    except EventStoreError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except BrokenPipeError:  # whoever read along is gone
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
