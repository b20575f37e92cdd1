"""The terminal the tests look through, looked at itself."""

from __future__ import annotations

import os
import time

import pytest

from tests.ptyscreen import PATIENCE_S, PtyApp, python

ECHO = """
import os, sys, termios, tty, signal
signal.signal(signal.SIGWINCH, lambda *_: os.write(1, b"\\x1b[2;1Hsize %dx%d" % os.get_terminal_size()))
tty.setraw(0)
os.write(1, b"\\x1b[2J\\x1b[1;1Hready")
while True:
    got = os.read(0, 100)
    if got == b"q":
        break
    os.write(1, b"\\x1b[3;1H" + repr(got).encode() + b"\\x1b[K")
    if got == b"?":
        os.write(1, b"\\x1b[5;7H\\x1b[6n")
    if got == b"m":
        os.write(1, b"\\x1b[?2026$p\\x1b[>25u\\x1b[<u")
"""

FLOOD = """
import os, sys
sent = 0
os.set_blocking(1, False)
import time
end = time.monotonic() + 300
while time.monotonic() < end:
    try:
        sent += os.write(1, b"x" * 64)
    except BlockingIOError:
        open(sys.argv[1], "w").write(str(sent))
        time.sleep(300)
"""


def test_keys_go_in_and_text_comes_out() -> None:
    with PtyApp(python("-c", ECHO), size=(40, 6)) as app:
        app.wait_for("ready")
        app.send("up")
        app.wait_for(r"b'\x1b[A'")
        app.send("ctrl+p")
        app.wait_for(r"b'\x10'")
        app.send("hello")
        app.wait_for("b'hello'")
        assert len(app.display()) == 6
        assert app.line(0).startswith("ready")
        app.send("q")
        assert app.wait() == 0


def test_queries_are_answered_as_a_terminal_does() -> None:
    with PtyApp(python("-c", ECHO), size=(40, 6)) as app:
        app.wait_for("ready")
        app.send("?")
        app.wait_for(r"b'\x1b[5;7R'")
        assert app.reports_answered == 1
        app.send("m")
        app.wait_for(r"b'\x1b[?2026;0$y'")
        assert "u" not in app.text()


def test_a_mute_terminal_answers_nothing() -> None:
    with PtyApp(python("-c", ECHO), size=(40, 6), mute=True) as app:
        app.wait_for("ready")
        app.send("?")
        app.wait_for("b'?'")
        app.settle(0.2)
        assert app.reports_answered == 0


def test_the_child_is_told_of_a_new_size() -> None:
    with PtyApp(python("-c", ECHO), size=(40, 6)) as app:
        app.wait_for("ready")
        app.resize(50, 10)
        app.wait_for("size 50x10")
        assert len(app.display()) == 10


def test_a_slow_line_blocks_its_writer_and_delays_the_picture(tmp_path: object) -> None:
    report = f"{tmp_path}/sent"
    with PtyApp(python("-c", FLOOD, report), throttle=4_000, buffer=8_192) as app:
        app.wait_for(lambda _: os.path.exists(report))
        assert app.queued <= 8_192
        shown, start = app.bytes_shown, time.monotonic()
        app.wait_for(lambda app: app.bytes_shown >= shown + 2_000)
        assert time.monotonic() - start > 0.3  # half a second at 4 kB/s


def test_the_childs_group_never_survives() -> None:
    with PtyApp(["/bin/sh", "-c", "sleep 300 & echo pid $!; wait"]) as app:
        app.wait_for("pid ")
        child = int(app.line(0).split()[1])
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{child}/stat", encoding="ascii") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    return
        except OSError:
            return
        time.sleep(0.02)
    pytest.fail("it lives")


def test_waiting_in_vain_shows_the_screen() -> None:
    with PtyApp(["/bin/sh", "-c", "echo here I am; sleep 300"]) as app:
        app.wait_for("here")
        with pytest.raises(AssertionError, match=r"(?s)nothing.*here I am"):
            app.wait_for("nothing", timeout=0.1)
