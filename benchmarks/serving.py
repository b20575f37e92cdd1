"""What visitors cost: ten apps over SSH on one server, fifty who watch a stage, and each panel's bytes a second.

The server is started as an operator starts it. The visitors are as cheap as they can be, since they share the machine:
they answer where the cursor is, and look for words in the bytes. What is counted is the server's side alone, from
`/proc`: the processor time of the server and its children, and the memory of each.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import asyncssh

from benchmarks.link import Size, traffic
from tests.ptyscreen import ROOT, PtyApp, python
from tui.registry import PANELS

SIZES: Final[tuple[Size, ...]] = ((80, 24), (200, 50))
VISITORS: Final = 10
WATCHERS: Final = 50
WATCHING: Final[tuple[Size, ...]] = ((80, 24), (120, 36), (200, 50))
COUNT_S: Final = 8.0
PRESSES: Final = 12
TICKS: Final = os.sysconf("SC_CLK_TCK")
QUESTION: Final = re.compile(rb"\x1b\[(\d+);(\d+)H\x1b\[6n")


class Visitor(asyncssh.SSHClientSession[bytes]):
    """A terminal that answers, and remembers what came last."""

    def __init__(self) -> None:
        self.came = bytearray()
        self.bytes = 0
        self.word = b""
        self.seen = asyncio.Event()
        self.chan: asyncssh.SSHClientChannel[bytes]

    def connection_made(self, chan: asyncssh.SSHClientChannel[bytes]) -> None:
        self.chan = chan

    def data_received(self, data: bytes, datatype: object) -> None:
        self.bytes += len(data)
        self.came += data
        last = 0
        for found in QUESTION.finditer(self.came):
            self.chan.write(b"\x1b[%s;%sR" % found.groups())
            last = found.end()
        if self.word and self.word in self.came:
            self.seen.set()
        del self.came[: max(last, len(self.came) - 65_536)]

    async def press(self, key: str, word: bytes) -> float:
        """Seconds from a key to a picture with a word that was not there."""
        self.came.clear()
        self.word = word
        self.seen.clear()
        begin = time.monotonic()
        self.chan.write(key.encode())
        async with asyncio.timeout(30):
            await self.seen.wait()
        return time.monotonic() - begin


def processes(pid: int) -> list[int]:
    """A process and its children."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [pid, *map(int, text.split())]


def cpu_s(pids: list[int]) -> float:
    """Processor time that these processes have used so far."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def memory_mb(pid: int) -> float:
    """Memory that a process does not share, and its part of what it does."""
    found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii"), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


@contextlib.contextmanager
def key_files() -> Iterator[tuple[asyncssh.SSHKey, list[str]]]:
    """A key, and the options of a server that knows it."""
    with tempfile.TemporaryDirectory() as folder:
        key = asyncssh.generate_private_key("ssh-ed25519")
        Path(folder, "keys").write_bytes(key.export_public_key())
        many = ["--sessions", "100", "--per-address", "100"]
        yield key, ["--port", "0", "--keys", f"{folder}/keys", "--host-key", f"{folder}/host", *many]


@contextlib.asynccontextmanager
async def visitors(port: int, key: asyncssh.SSHKey, sizes: list[Size]) -> AsyncIterator[list[Visitor]]:
    """So many terminals, each on a connection of its own."""
    options: dict[str, Any] = {"known_hosts": None, "config": None, "agent_path": None, "username": "demo"}
    async with contextlib.AsyncExitStack() as stack:
        made = []
        for size in sizes:
            conn = await asyncssh.connect("127.0.0.1", port, client_keys=[key], **options)
            await stack.enter_async_context(conn)
            visitor = Visitor()
            made.append(visitor)
            here = partial(_same, visitor)
            await conn.create_session(here, term_type="xterm-256color", term_size=size, encoding=None)
        yield made


def _same(visitor: Visitor) -> Visitor:
    return visitor


async def full_sessions() -> list[str]:
    """Ten people, each with an app."""
    with key_files() as (key, options):
        server = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tui", "serve", "raft", "--speed", "1/20", *options,
            cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            assert server.stdout is not None
            found = re.search(rb"ssh -p (\d+)", await server.stdout.readline())
            assert found is not None
            async with visitors(int(found[1]), key, [(120, 36)] * VISITORS) as people:
                async with asyncio.timeout(120):
                    while any(person.bytes < 4_000 for person in people):
                        await asyncio.sleep(0.1)
                await asyncio.sleep(3.0)
                took = await latencies(people[0])
                pids = processes(server.pid)
                before, sent = cpu_s(pids), sum(person.bytes for person in people)
                await asyncio.sleep(COUNT_S)
                busy = (cpu_s(pids) - before) / COUNT_S
                rate = (sum(person.bytes for person in people) - sent) / COUNT_S
                own = statistics.median(memory_mb(pid) for pid in pids[1:])
                return [
                    f"{VISITORS} apps over SSH, 120x36, all moving  a key {_ms(took)}; {own:.0f} MB each, server "
                    f"{memory_mb(pids[0]):.0f} MB; {busy * 100:.0f} % of a core; {rate / 1e3:.0f} kB/s"
                ]
        finally:
            server.terminate()
            await server.wait()


async def latencies(person: Visitor) -> list[float]:
    """Seconds from a key to its picture: a dialogue that opens."""
    took = []
    for _ in range(PRESSES):
        took.append(await person.press("f", b"apply"))
        person.chan.write(b"\x1b")
        await asyncio.sleep(0.6)
    return took


async def watched() -> list[str]:
    """Fifty people who watch one."""
    with key_files() as (key, options):
        argv = python("-m", "tui", "serve", "raft", "--speed", "1/20", "--stage", *options)
        with PtyApp(argv, (120, 36)) as app:
            await asyncio.to_thread(app.wait_for, "nobody watches", 30.0)
            found = re.search(rb"ssh -p (\d+)", bytes(app.raw))
            assert found is not None
            pid = app.process.pid
            idle = await presented(pid, 4.0)
            alone = await asyncio.to_thread(keys_of, app)
            memory = memory_mb(pid)
            async with visitors(int(found[1]), key, [WATCHING[n % len(WATCHING)] for n in range(WATCHERS)]) as people:
                await asyncio.to_thread(app.wait_for, f"{WATCHERS} watch", 60.0)
                await asyncio.sleep(2.0)
                sent = sum(person.bytes for person in people)
                busy = await presented(pid, COUNT_S)
                rate = (sum(person.bytes for person in people) - sent) / COUNT_S
                took = await asyncio.to_thread(keys_of, app)
                more = memory_mb(pid) - memory
            return [
                f"{WATCHERS} watch a stage in 3 sizes, all moving  the presenter's key {_ms(took)}, without them "
                f"{_ms(alone)}; {more / WATCHERS:.1f} MB each; {busy * 100:.0f} % of a core, without them "
                f"{idle * 100:.0f} %: {(busy - idle) * 100 / WATCHERS:.1f} % each; {rate / 1e3:.0f} kB/s"
            ]


def _ms(took: list[float]) -> str:
    return f"{statistics.median(took) * 1e3:.0f} ms median, {max(took) * 1e3:.0f} ms worst"


async def presented(pid: int, span_s: float) -> float:
    """The share of a core that the presenter's process takes."""
    before = cpu_s([pid])
    await asyncio.sleep(span_s)
    return (cpu_s([pid]) - before) / span_s


def keys_of(app: PtyApp) -> list[float]:
    """Seconds from the presenter's key to its picture."""
    took = []
    for _ in range(PRESSES):
        app.send("f")
        took.append(app.wait_for("apply", 30.0))
        app.send("esc")
        app.wait_for(lambda app: "apply" not in app.text(), 30.0)
        time.sleep(0.3)
    return took


def panels() -> list[str]:
    """Bytes a second of each panel in both sizes, everything moving, beside another program of the kind."""
    lines = []
    for panel in PANELS:
        variant = (panel.variants or tuple(each.name for each in panel.pattern.variants))[0]
        name = variant if panel.variants else panel.pattern.name
        argv = python("-m", "tui", panel.pattern.name, "--variant", variant, "--sandbox")
        flows = [traffic(argv, size=size, moving_s=4.0, paused_s=1.5) for size in SIZES]
        lines.append(f"panel {name:12} everything moves   {_rates(flows)}  (budgets 25 and 60)")
    if shutil.which("btop"):
        flows = [traffic(["btop"], size=size, moving_s=6.0, paused_s=0.1, pause="") for size in SIZES]
        lines.append(f"beside it btop, every 2 s         {_rates(flows)}")
    return lines


def _rates(flows: list[Any]) -> str:
    return ", ".join(
        f"{flow.size[0]}x{flow.size[1]} {flow.moving_bytes_per_s / 1e3:.1f} kB/s, paused {flow.paused_bytes}"
        for flow in flows
    )


def lines() -> list[str]:
    """All figures of serving."""
    return [*asyncio.run(full_sessions()), *asyncio.run(watched())]
