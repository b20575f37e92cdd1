"""Ways out, on a real pty: whatever ends the app, the terminal is as it was, and what a person did is on the disk."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.ptyscreen import PATIENCE_S, ROOT, PtyApp, python

LONG = PATIENCE_S
MODES = ("?1049", "?1000", "?1003", "?1015", "?1006", "?1016", "?1004", "?2048", "?2026")
"""Private modes that must be off at the end; line wrap (7) and the cursor (25) must be on."""


@contextmanager
def toy(state: Path, *options: str, **line: Any) -> Iterator[PtyApp]:
    with PtyApp(python("-m", "tests.tui.toy_app", "--state", str(state), *options), **line) as app:
        app.wait_for("scenarios", LONG)
        yield app


def touch(app: PtyApp) -> None:
    """Do something that must not be lost: a crash, and another future."""
    app.wait_for("answered: p1", LONG)
    app.send("space")
    app.wait_for("PAUSE", LONG)
    app.send("k")
    app.wait_for("p1 crashed", LONG)
    app.send("<", "k")
    app.wait_for("branch 2 begins", LONG)


def left_on(raw: bytes) -> set[str]:
    """The modes that were switched on last."""
    on: set[str] = set()
    for name, how in re.findall(r"\x1b\[(\?\d+)([hl])", raw.decode("utf-8", "replace")):
        on = on | {name} if how == "h" else on - {name}
    return on


def assert_restored(raw: bytes) -> None:
    assert left_on(raw) & set(MODES) == set()
    assert {"?7", "?25"} <= left_on(raw)
    assert raw.rindex(b"\x1b[?2004l") > raw.rindex(b"\x1b[?1049h")  # a shell switches it on for itself
    assert raw.count(b"\x1b[>25u") == raw.count(b"\x1b[<u")


def saved(state: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted((state / "runs").glob("*.json"))]


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGQUIT", "SIGINT", "SIGALRM", "SIGUSR1"])
def test_a_signal_restores_the_terminal_saves_the_run_and_gives_its_status(name: str, tmp_path: Path) -> None:
    number = getattr(signal, name)
    with toy(tmp_path, in_band=True, sync=True) as app:
        before = None
        touch(app)
        os.kill(app.process.pid, number)
        assert app.wait(LONG) == 128 + number
        before = termios.tcgetattr(app._slave)
        raw, text = bytes(app.raw), app.text()
    assert before[3] & (termios.ECHO | termios.ICANON | termios.ISIG) == termios.ECHO | termios.ICANON | termios.ISIG
    assert_restored(raw)
    assert re.search(rf"BYE {128 + number} saved Ping \(2 branches\); replay: ", text)
    (run,) = saved(tmp_path)
    assert len(run["branches"]) == 2
    assert [each["command"]["kind"] for each in run["commands"]] == ["Crash"]


def test_a_terminal_that_stands_still_does_not_keep_it(tmp_path: Path) -> None:
    with toy(tmp_path) as app:
        termios.tcflow(app._slave, termios.TCOOFF)  # as ctrl+s does
        time.sleep(0.5)  # pictures are under way
        os.kill(app.process.pid, signal.SIGTERM)
        assert app.process.wait(2 * LONG) == 128 + signal.SIGTERM  # it gives up after three seconds
        termios.tcflow(app._slave, termios.TCOON)
    assert saved(tmp_path)


SLOWLY = """
import runpy, time
from textual.drivers.linux_driver import LinuxDriver
start = LinuxDriver.start_application_mode
def slowly(driver): start(driver); time.sleep(0.3)
LinuxDriver.start_application_mode = slowly
runpy.run_module("tests.tui.toy_app", run_name="__main__", alter_sys=True)
"""
"""The toy, slow to take the terminal: the input thread sees that it is gone before the app is told to listen."""


@pytest.mark.parametrize("state", ["running", "paused", "stopped", "resuming"])
def test_a_terminal_that_is_gone_ends_it_though_sighup_is_ignored(state: str, tmp_path: Path) -> None:
    master, slave = os.openpty()
    script = 'trap "" HUP; tty=$0; exec "$@" <>"$tty" >&0 2>&0'
    toy = ("-c", SLOWLY) if state == "resuming" else ("-m", "tests.tui.toy_app")
    command = python(*toy, "--state", str(tmp_path))
    environ = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(
        ["/bin/sh", "-c", script, os.ttyname(slave), *command], cwd=ROOT, env=environ, start_new_session=True
    )
    try:
        seen = b""
        while b"scenarios" not in seen:
            seen += os.read(master, 65536)
        os.close(slave)
        if state == "paused":
            os.write(master, b" ")
            while b"PAUSE" not in seen:
                seen += os.read(master, 65536)
        if state == "stopped":  # the SIGCONT of the hang-up wakes it
            child.send_signal(signal.SIGSTOP)
        os.close(master)
        assert child.wait(LONG) == 128 + signal.SIGHUP
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    assert saved(tmp_path)


def test_what_breaks_inside_is_one_line_status_1_a_restored_terminal_and_a_saved_run(tmp_path: Path) -> None:
    with toy(tmp_path, "--breaks-at", "!") as app:
        touch(app)
        app.send("!")
        assert app.wait(LONG) == 1
        raw, text = bytes(app.raw), app.text()
    assert_restored(raw)
    assert "Traceback" not in text
    assert re.search(r"BYE 1 saved Ping \(2 branches\)", text)
    assert "ZeroDivisionError: broken in two lines; see" in raw.decode().replace("\r\n", " ")
    assert "Traceback" in (tmp_path / "crash.log").read_text(encoding="utf-8")
    (run,) = saved(tmp_path)
    assert len(run["branches"]) == 2


REPLIES = (
    b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\", b"\x1b]10;rgb:00/00/00\x07", b"\x1b]4;1;rgb:cdcd/0000/0000\x1b\\",
    b"\x1b]52;c;a2trcmhS\x07", b"\x1bP>|XTerm(390)\x1b\\", b"\x1b_Gi=31;OK\x1b\\", b"\x1b[?64;1;2;6;22c",
    b"\x1b[?25u", b"\x1b[8;24;80t", b"\x1b[4;480;800t", b"\x1b[I", b"\x1b[O", b"\x1b[107;1:3u", b"\x1b[2;3R", b"\xe9",
)  # fmt: skip


def test_replies_of_every_sort_press_no_key(tmp_path: Path) -> None:
    """Late, foreign and torn (every place of every reply: `test_scanner`); here, that nothing behind it presses one."""
    with toy(tmp_path) as app:
        app.send("space")
        app.wait_for("PAUSE", LONG)
        app.settle(0.3, LONG)
        before, bytes_before = app.text(), app.bytes_out
        for reply in REPLIES:
            os.write(app._master, reply)
            cut = min(2, len(reply) - 1)
            os.write(app._master, reply[:cut])
            time.sleep(0.25)  # longer than an escape waits
            os.write(app._master, reply[cut:])
        app.settle(0.5, LONG)
        assert app.text() == before
        assert app.bytes_out == bytes_before
        app.send("q")
        assert app.wait(LONG) == 0


def test_a_function_key_that_arrives_in_three_pieces_opens_the_help_and_no_stage(tmp_path: Path) -> None:
    pictures = set(Path(ROOT).glob("dp-tui-*.svg"))
    with toy(tmp_path, mute=True) as app:
        app.send("space")
        app.wait_for("PAUSE", LONG)
        for piece in (b"\x1b", b"O", b"P"):
            os.write(app._master, piece)
            time.sleep(0.3)  # longer than an escape waits
        app.wait_for("help: Toy", LONG)
        app.send("esc")
        app.wait_for(lambda app: "help: Toy" not in app.text(), LONG)
        assert set(Path(ROOT).glob("dp-tui-*.svg")) == pictures
        app.send("q")
        assert app.wait(LONG) == 0


def test_pasted_text_with_escapes_in_it_is_text(tmp_path: Path) -> None:
    with toy(tmp_path) as app:
        app.send("space")
        app.wait_for("PAUSE", LONG)
        os.write(app._master, b"\x1b[200~kkq\x1bqR\r\x1b[201~")
        app.send("S", "ctrl+u")
        app.wait_for("save the run", LONG)
        os.write(app._master, b"\x1b[200~caf\xe9-\x1bq\x1b[201~")
        app.wait_for("> caf-q", LONG)
        app.send("esc")
        app.wait_for(lambda app: "save the run" not in app.text(), LONG)
        assert "PAUSE" in app.text()
    assert not saved(tmp_path)


def test_ctrl_z_and_fg_show_the_whole_picture_again(tmp_path: Path) -> None:
    program = " ".join(python("-m", "tests.tui.toy_app", "--state", str(tmp_path)))
    env = {"PS1": "READY> ", "HISTFILE": None, "INPUTRC": "/dev/null"}
    with PtyApp(["/bin/bash", "--norc", "--noprofile", "-i"], env=env) as app:
        app.wait_for("READY>", LONG)
        app.send(f"{program}\r")
        app.wait_for("scenarios", LONG)
        app.send("space")
        app.wait_for("PAUSE", LONG)
        app.settle(0.3, LONG)
        before = app.display()
        for _ in range(2):
            app.send("ctrl+z")
            app.wait_for("Stopped", LONG)
            assert_restored(bytes(app.raw))
            app.send("echo a shell\r")
            app.wait_for(lambda app: app.text().count("a shell") >= 2, LONG)
            app.send("fg\r")
            app.wait_for("PAUSE", LONG)
            app.settle(0.4, LONG)
            assert app.display() == before
        os.write(app._slave, b"\x1b[5;5Hsomebody else writes here")
        app.wait_for("somebody else", LONG)
        app.send("ctrl+l")
        app.wait_for(lambda app: "somebody" not in app.text(), LONG)
        app.settle(0.3, LONG)
        assert app.display() == before
        app.send("q")
        app.wait_for("BYE 0", LONG)


def test_a_stop_that_was_not_asked_for_is_survived(tmp_path: Path) -> None:
    with toy(tmp_path) as app:
        app.send("space")
        app.wait_for("PAUSE", LONG)
        app.settle(0.3, LONG)
        before = app.display()
        os.kill(app.process.pid, signal.SIGSTOP)
        os.write(app._slave, b"\x1b[5;5Hsomebody else writes here")
        app.wait_for("somebody else", LONG)
        os.kill(app.process.pid, signal.SIGCONT)
        app.wait_for(lambda app: "somebody" not in app.text(), LONG)
        app.settle(0.4, LONG)
        assert app.display() == before
        app.send("q")
        assert app.wait(LONG) == 0
        attributes = termios.tcgetattr(app._slave)
        raw = bytes(app.raw)
    assert attributes[3] & termios.ICANON
    assert_restored(raw)
