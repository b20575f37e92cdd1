"""What the README says about demos works as it is written there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import asyncssh
import pytest

from tests.ptyscreen import PATIENCE_S, ROOT, PtyApp, python

LONG = PATIENCE_S
SECTION = (ROOT / "README.md").read_text(encoding="utf-8").split("## Demos over SSH")[1].split("\n## ")[0]
BLOCKS = re.findall(r"```\n(.*?)```", SECTION, re.DOTALL)


def commands(block: str) -> list[str]:
    """The commands of a block, without what they are told to be for."""
    return [line.split("  #")[0].strip() for line in block.splitlines() if line.strip()]


SERVERS = [line for line in commands(BLOCKS[0]) if line.startswith("dp-tui serve")]


@pytest.fixture(name="home")
def _home(tmp_path: Path) -> Path:
    key = asyncssh.generate_private_key("ssh-ed25519")
    (tmp_path / ".ssh").mkdir()
    for name in (".ssh/authorized_keys", "class.pub"):
        (tmp_path / name).write_bytes(key.export_public_key())
    path = tmp_path / "id"
    path.touch(0o600)
    path.write_bytes(key.export_private_key())
    return tmp_path


def ours(line: str) -> list[str]:
    """The command line for a test: this interpreter, free ports, this machine alone."""
    words = shlex.split(line.replace("0.0.0.0", "127.0.0.1"))
    return python("-m", "tui", *words[1:], "--port", "0", *(("--web-port", "0") if "--web" in words else ()))


def test_there_are_such_commands() -> None:
    assert len(SERVERS) >= 6
    assert sum("--stage" in line for line in SERVERS) == 1


@pytest.mark.parametrize("line", [line for line in SERVERS if "--stage" not in line])
def test_a_server_starts_as_written_and_says_how_to_come_in(line: str, home: Path) -> None:
    environ = {**os.environ, "HOME": str(home), "XDG_STATE_HOME": str(home), "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(ours(line), cwd=home, env=environ, stdout=pipe, stderr=pipe, text=True) as server:
        try:
            assert server.stdout is not None
            said = server.stdout.readline()
            while "at a time" not in said:
                more = server.stdout.readline()
                assert more, server.stderr.read() if server.stderr else ""
                said += more
            server.send_signal(signal.SIGTERM)
            _, log = server.communicate(timeout=LONG)
        finally:
            server.kill()
    assert server.returncode == 0
    assert ("ssh -p" in said) == ("--web" not in line or "--ssh" in line)
    assert ("http://127.0.0.1:" in said) == ("--web" in line)
    assert "stopped after 0 visits" in log


def test_a_stage_opens_as_written(home: Path) -> None:
    (line,) = [line for line in SERVERS if "--stage" in line]
    env = {"HOME": str(home), "XDG_STATE_HOME": str(home)}
    with PtyApp(ours(line), (120, 36), env, cwd=home) as app:
        app.wait_for("nobody watches", LONG)
        app.send("O")
        app.wait_for("ssh -p", LONG)
        app.send("esc")
        app.wait_for(lambda app: "ssh -p" not in app.text(), LONG)
        app.send("q")
        assert app.wait(LONG) == 0


SSHD = shutil.which("sshd") or ("/usr/sbin/sshd" if Path("/usr/sbin/sshd").exists() else None)


@pytest.mark.soak
@pytest.mark.skipif(SSHD is None or shutil.which("ssh") is None, reason="OpenSSH's server is not installed")
def test_an_account_that_gets_the_app_and_nothing_else(home: Path) -> None:
    """The `ForceCommand` of the README, under a real sshd: for the user who runs this, on a port of loopback."""
    (config,) = [block for block in BLOCKS if "ForceCommand" in block]
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    app = " ".join(python("-m", "tui"))
    config = config.replace("User demo", f"User {user}").replace("dp-tui", f"cd {ROOT}; exec {app}")
    host = asyncssh.generate_private_key("ssh-ed25519")
    (home / "host").touch(0o600)
    (home / "host").write_bytes(host.export_private_key())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (home / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {home / 'host'}\nAuthorizedKeysFile {home / 'class.pub'}\n"
        f"StrictModes no\nUsePAM no\nPidFile none\nPermitRootLogin prohibit-password\n{config}",
        encoding="utf-8",
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    assert SSHD is not None
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(home / "sshd_config")], stderr=subprocess.DEVNULL)
    options = ["-F", "/dev/null", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no", "-o", "LogLevel=ERROR"]
    ssh = ["ssh", *options, "-o", "UserKnownHostsFile=/dev/null", "-i", str(home / "id"), "-p", str(port), "127.0.0.1"]
    try:
        deadline = time.monotonic() + LONG
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        with PtyApp([*ssh[:1], "-t", *ssh[1:], "id; echo not this"], (100, 30)) as visitor:
            visitor.wait_for("scenarios", LONG)
            visitor.send("q")
            assert visitor.wait(LONG) == 0
            assert "not this" not in visitor.text()
        forward = [*ssh[:1], "-N", "-o", "ExitOnForwardFailure=yes", "-R", "0:127.0.0.1:9", *ssh[1:]]
        refused = subprocess.run(forward, capture_output=True, text=True, timeout=LONG, check=False)
        assert "forwarding failed" in refused.stderr
    finally:
        server.kill()
        server.wait()


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_a_session_of_tmux_is_shared_as_written(home: Path) -> None:
    begin, attach = [line for line in commands(BLOCKS[1]) if line.startswith("tmux")]
    app = " ".join(python("-m", "tui"))
    change = {"/tmp/demo": str(home / "demo"), "dp-tui raft": f"'{app} raft --sandbox'"}

    def as_here(line: str) -> list[str]:
        for here, there in change.items():
            line = line.replace(here, there)
        return shlex.split(line)

    env = {"TMUX": None}
    try:
        with PtyApp(as_here(begin), (100, 30), env) as one:
            one.wait_for("scenarios", LONG)  # who attaches before there is a session is refused
            with PtyApp(as_here(attach), (100, 30), env) as two:
                two.wait_for("scenarios", LONG)
                two.send(" ")
                time.sleep(0.3)
                assert "RUN" in two.line(1), "read-only"
                one.send("space")
                two.wait_for("PAUSE", LONG)
    finally:
        subprocess.run(["tmux", "-S", str(home / "demo"), "kill-server"], check=False, capture_output=True)
