"""Visitors for tests: a real SSH server in this process, real clients with terminals that can be read."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import asyncssh
import pyte

from tests.ptyscreen import PATIENCE_S
from tui.serve.entrance import bound
from tui.serve.house import House
from tui.serve.limits import Limits
from tui.serve.ssh import Keys, listen

LONG: Final = PATIENCE_S
APP: Final = ("raft", "--speed", "1/20")
HOST_KEY: Final = asyncssh.generate_private_key("ssh-ed25519")
KEY: Final = asyncssh.generate_private_key("ssh-ed25519")


class Screen(pyte.Screen):
    """A terminal that answers."""

    def __init__(self, size: tuple[int, int], reply: Callable[[bytes], None]) -> None:
        self._reply = reply
        super().__init__(*size)

    def write_process_input(self, data: str) -> None:
        self._reply(data.encode())


class Client(asyncssh.SSHClientSession[bytes]):
    """A visitor's terminal on an SSH channel."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.raw = bytearray()
        self.errors = bytearray()
        self.status: int | None = None
        self.over = asyncio.Event()
        self.deaf = False
        self._changed = asyncio.Event()
        self.screen = Screen((min(size[0] or 80, 500), min(size[1] or 24, 200)), self._answer)
        self.stream = pyte.ByteStream(self.screen)
        self.chan: asyncssh.SSHClientChannel[bytes]

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self.chan = chan

    def data_received(self, data: bytes, datatype: object) -> None:
        if datatype is not None:
            self.errors += data
            return
        self.raw += data
        text = data.replace(b"\x1b[>", b"\x1b[").replace(b"\x1b[<", b"\x1b[")  # pyte does not know these
        self.stream.feed(text)
        self._changed.set()

    def exit_status_received(self, status: int) -> None:
        self.status = status

    def connection_lost(self, exc: Exception | None) -> None:
        self.over.set()
        self._changed.set()

    def _answer(self, data: bytes) -> None:
        with suppress(OSError):
            self.chan.write(data)

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.screen.display)

    def send(self, data: str | bytes) -> None:
        self.chan.write(data.encode() if isinstance(data, str) else data)

    async def shows(self, wanted: str | Callable[[str], bool], timeout: float = LONG) -> float:
        """Wait for a text; how long it took."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        try:
            async with asyncio.timeout(timeout):
                while not (wanted in self.text() if isinstance(wanted, str) else wanted(self.text())):
                    assert not self.over.is_set(), f"over with {self.status}: {self.errors!r}\n{self.text()}"
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"waited for {wanted!r}; the screen is\n{self.text()}") from None
        return loop.time() - begin

    async def ends(self, timeout: float = LONG) -> int | None:
        """Wait for the end; the status."""
        async with asyncio.timeout(timeout):
            await self.over.wait()
        return self.status


class Server:
    """A server on a port of its own."""

    def __init__(self, house: House, port: int, log: list[str]) -> None:
        self.house, self.port, self.log = house, port, log

    async def login(self, **options: Any) -> asyncssh.SSHClientConnection:
        """A connection that has logged in."""
        given = {"username": "demo", "client_keys": [KEY], "known_hosts": None, "config": None, "agent_path": None}
        return await asyncssh.connect("127.0.0.1", self.port, **{**given, **options})

    @asynccontextmanager
    async def visit(
        self,
        size: tuple[int, int] = (80, 24),
        term: str = "xterm-256color",
        environ: dict[str, str] | None = None,
        window: int = 2 << 20,
        **options: Any,
    ) -> AsyncIterator[Client]:
        """A visitor in front of the app. `window`: bytes that her client takes before it is read."""
        async with await self.login(**options) as conn:
            client = Client(size)
            await conn.create_session(
                lambda: client,
                term_type=term,
                term_size=size,
                env=[f"{name}={value}" for name, value in (environ or {}).items()],
                encoding=None,
                window=window,
            )
            yield client

    def children(self) -> list[int]:
        """The processes of all visits."""
        return [pid for visit in self.house.visits.values() if (pid := getattr(visit.show, "pid", 0))]


@asynccontextmanager
async def serving(
    limits: Limits | None = None, *, arguments: Sequence[str] = APP, keys: Keys | bool | None = True
) -> AsyncIterator[Server]:
    """A server, which leaves no process behind. `keys`: who may log in; true: who has `KEY`."""
    log: list[str] = []
    house = House(limits or Limits(), log.append, arguments)
    known = None if keys is None else (lambda: only(KEY)) if isinstance(keys, bool) else keys
    acceptor = await listen(house, bound("127.0.0.1", 0), HOST_KEY, known, frozenset({"raft", "tracing"}))
    server = Server(house, acceptor.get_port(), log)
    before: list[int] = []
    try:
        yield server
    finally:
        before = server.children()
        acceptor.close()
        await house.close("the test is over")
        await acceptor.wait_closed()
        assert not [pid for pid in before if alive(pid)]
        assert house.book.present == 0


def only(*keys: asyncssh.SSHKey) -> asyncssh.SSHAuthorizedKeys:
    """Those who have one of these keys."""
    return asyncssh.import_authorized_keys("".join(key.export_public_key().decode() for key in keys))


def alive(pid: int) -> bool:
    """Whether there is such a process; one that waits to be collected counts."""
    return Path(f"/proc/{pid}").exists()


async def gone(pids: Sequence[int], timeout: float = LONG) -> None:
    """Wait until none of these processes is left."""
    async with asyncio.timeout(timeout):
        while any(map(alive, pids)):
            await asyncio.sleep(0.02)


def environ_of(pid: int) -> dict[str, str]:
    """The environment that a process was started with."""
    pairs = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if pair)


def descriptors() -> int:
    """Open files of this process."""
    return len(os.listdir("/proc/self/fd"))
