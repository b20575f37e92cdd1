"""`dp-tui serve` as a person starts it, OpenSSH as a person has it, tmux as a person sits in it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.ptyscreen import PATIENCE_S, ROOT, PtyApp, python

LONG = PATIENCE_S
needs_ssh = pytest.mark.skipif(shutil.which("ssh") is None, reason="OpenSSH's client is not installed")
needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@pytest.fixture(name="home", scope="module")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a key that may log in."""
    folder = tmp_path_factory.mktemp("home")
    asyncssh = pytest.importorskip("asyncssh")
    key = asyncssh.generate_private_key("ssh-ed25519")
    descriptor = os.open(folder / "id", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key.export_private_key())
    (folder / "keys").write_bytes(key.export_public_key())
    return folder


@contextmanager
def serve(home: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The server and its port; its log is in `home/log`."""
    argv = python("-m", "tui", "serve", "raft", "--port", "0", "--host-key", str(home / "host_key"))
    with (home / "log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen([*argv, *options], cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert server.stdout is not None
        found = re.search(r"ssh -p (\d+) demo@127\.0\.0\.1", server.stdout.readline())
        assert found, (home / "log").read_text(encoding="utf-8")
        yield server, int(found[1])
    finally:
        server.terminate()
        with server:  # closes its pipe
            server.wait(LONG)


def ssh(home: Path, port: int, *rest: str) -> list[str]:
    """OpenSSH's command line."""
    options = (
        *("-F", "/dev/null", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=accept-new"),
        *("-o", f"UserKnownHostsFile={home / 'known_hosts'}", "-o", "LogLevel=ERROR", "-o", "BatchMode=yes"),
    )
    return ["ssh", *options, "-i", str(home / "id"), "-p", str(port), "demo@127.0.0.1", *rest]


@needs_ssh
def test_openssh_gets_the_app_and_nothing_else_and_a_stop_says_why(home: Path) -> None:
    with serve(home, "--keys", str(home / "keys")) as (server, port):
        with PtyApp(ssh(home, port), (100, 30)) as app:
            app.wait_for("scenarios", LONG)
            refused = subprocess.run(ssh(home, port, "id"), capture_output=True, text=True, timeout=LONG, check=False)
            assert refused.returncode == 2
            assert "runs no commands" in refused.stderr
            assert refused.stdout == ""
            files = subprocess.run(
                ssh(home, port, "-s", "sftp"), capture_output=True, text=True, timeout=LONG, check=False, input=""
            )
            assert files.returncode != 0
            forward = ssh(home, port, "-N", "-R", "0:127.0.0.1:9")
            forward[1:1] = ["-o", "ExitOnForwardFailure=yes"]
            forwarded = subprocess.run(forward, capture_output=True, text=True, timeout=LONG, check=False)
            assert "remote port forwarding failed" in forwarded.stderr
            server.send_signal(signal.SIGTERM)
            assert app.wait(LONG) == 0
            assert "dp-tui: the server was stopped by its operator" in app.text()
        assert server.wait(LONG) == 0
    log = (home / "log").read_text(encoding="utf-8")
    assert re.search(
        r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ #1 a key by ssh from 127.0.0.1: xterm-256color 100x30$", log, re.M
    )
    assert "Traceback" not in log


def until(look: Callable[[], str], wanted: Callable[[str], object]) -> str:
    """Look again and again until what is there is as wanted."""
    deadline = time.monotonic() + LONG
    while not wanted(text := look()):
        assert time.monotonic() < deadline, text
        time.sleep(0.1)
    return text


@needs_ssh
@needs_tmux
def test_the_demo_of_a_talk_works_from_end_to_end(home: Path) -> None:
    """Serve on loopback, log in with OpenSSH inside tmux, kill the leader, see the new one."""
    tmux = ["tmux", "-f", "/dev/null", "-S", str(home / "tmux")]

    def screen() -> str:
        return subprocess.run([*tmux, "capture-pane", "-p"], capture_output=True, text=True, check=False).stdout

    def press(*keys: str) -> None:
        subprocess.run([*tmux, "send-keys", *keys], check=True)

    def leader(text: str) -> str:
        found = re.search(r"nodes +leader (n\d) t", text)
        return found[1] if found else ""

    with serve(home, "--keys", str(home / "keys"), "--speed", "1/4") as (_, port):
        subprocess.run([*tmux, "new-session", "-d", "-x", "120", "-y", "36", *ssh(home, port)], check=True)
        try:
            until(screen, lambda text: "Raft" in text and "scenarios" in text)  # it stands without a resize
            first = leader(until(screen, leader))
            press("g")
            press("k")
            text = until(screen, lambda text: leader(text) not in ("", first))
            assert f"{first} X" in text
            assert re.search(r"checks (\d+)/\1 ok", text)
            press("q")
            until(screen, lambda text: "Raft" not in text)
        finally:
            subprocess.run([*tmux, "kill-server"], check=False, capture_output=True)
