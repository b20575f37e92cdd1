"""Many at once, and many one after the other: nothing is left of them. A twentieth of it in `make test`."""

from __future__ import annotations

import asyncio
import os
import random
import re
import sys
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tests.ptyscreen import ROOT
from tests.tui.serve.guests import LONG, Client, descriptors, serving
from tui.serve.limits import Limits

GROWTH_KB = 6_000
"""What a server may grow by from its first hundred visits to its last: caches of its libraries fill slowly."""


@pytest.mark.parametrize("count", [20, pytest.param(200, marks=pytest.mark.soak)])
async def test_connections_all_at_once_are_answered_or_turned_away_and_leave_nothing(count: int) -> None:
    async with serving(Limits(sessions=3, per_address=300, waiting=count // 2, login_s=60.0)) as server:
        before = descriptors()

        async def come() -> str:
            try:
                async with asyncio.timeout(3 * LONG), server.visit() as client:
                    if await client.ends() == 2:
                        return "full"
                    return "left"
            except (asyncssh.Error, OSError):
                return "turned away"

        coming = [asyncio.get_running_loop().create_task(come()) for _ in range(count)]
        while len(server.house.visits) < 3:
            await asyncio.sleep(0.05)
        while sum(task.done() for task in coming) < count - 3:
            await asyncio.sleep(0.05)
        async with asyncio.timeout(LONG):
            for visit in tuple(server.house.visits.values()):
                await visit.end("enough", 0)
        came = [await task for task in coming]
        assert came.count("left") == 3
        assert came.count("full") + came.count("turned away") == count - 3
        assert came.count("full") > 0
        await asyncio.sleep(0.2)
        assert server.house.book.waiting == 0
        assert descriptors() <= before + 2
        async with server.visit() as client:
            await client.shows("scenarios")


class Server:
    """`dp-tui serve` as a process of its own, looked at from outside."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.process, self.port = process, port
        self.proc = Path(f"/proc/{process.pid}")

    def memory_kb(self) -> int:
        found = re.search(r"VmRSS:\s+(\d+)", (self.proc / "status").read_text(encoding="ascii"))
        assert found is not None
        return int(found[1])

    def files(self) -> int:
        return len(os.listdir(self.proc / "fd"))

    def children(self) -> list[str]:
        return (self.proc / "task" / str(self.process.pid) / "children").read_text(encoding="ascii").split()


async def visit(server: Server, key: asyncssh.SSHKey, chance: random.Random) -> None:
    """One visitor: she comes, plays, and leaves in one of several ways."""
    size = (chance.randrange(60, 200), chance.randrange(16, 60))
    term = chance.choice(("xterm-256color", "linux", "vt220", "tmux-256color", "nonsense", "xterm-kitty"))
    options: dict[str, Any] = {"known_hosts": None, "config": None, "agent_path": None}
    conn = await asyncssh.connect("127.0.0.1", server.port, username="demo", client_keys=[key], **options)
    try:
        client = Client(size)
        await conn.create_session(lambda: client, term_type=term, term_size=size, encoding=None)
        if chance.random() < 0.85:
            await client.shows(lambda text: bool(text.strip()), 3 * LONG)
            for _ in range(chance.randrange(5)):
                client.send(chance.choice(("k", " ", "?", "\x1b", "2", "s", "\x1b[A", "x", "5", "\x0c")))
                await asyncio.sleep(0.02)
        match chance.randrange(4):
            case 0 | 1:
                client.send("\x03")
                await client.ends(3 * LONG)
            case 2:
                conn.abort()
            case _:
                client.chan.close()
    finally:
        conn.abort()
        await conn.wait_closed()


@pytest.mark.parametrize("count", [6, pytest.param(300, marks=pytest.mark.soak)])
async def test_visitors_that_come_and_go_leave_no_process_no_file_and_no_memory(count: int, tmp_path: Path) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    (tmp_path / "keys").write_bytes(key.export_public_key())
    argv = ("serve", "raft", "--port", "0", "--keys", str(tmp_path / "keys"), "--host-key", str(tmp_path / "host"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tui", *argv, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        found = re.search(rb"ssh -p (\d+)", await process.stdout.readline())
        assert found is not None
        server = Server(process, int(found[1]))
        files = server.files()
        memory_kb = 0
        chance = random.Random(7)
        done = 0
        while done < count:
            await asyncio.gather(*(visit(server, key, chance) for _ in range(min(3, count - done))))
            done += 3
            if done == 99:
                memory_kb = server.memory_kb()
        async with asyncio.timeout(LONG):
            while server.children() or server.files() > files + 2:
                await asyncio.sleep(0.1)
        if memory_kb:
            assert server.memory_kb() < memory_kb + GROWTH_KB
    finally:
        process.terminate()
        _, log = await process.communicate()
    assert process.returncode == 0
    assert b"Traceback" not in log, log[max(0, log.find(b"Traceback") - 400) :][:3_000].decode()
    assert log.count(b" over after ") == count
    assert f"stopped after {count} visits".encode() in log
