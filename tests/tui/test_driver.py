"""The driver on a real pty: slow lines, mute terminals, modal screens, colours."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from textual.drivers.linux_driver import LinuxDriver

from tests.ptyscreen import PATIENCE_S, PtyApp, python
from tui.terminal.driver import AckDriver, PlainDriver, driver_class_for

QUESTION = b"\x1b[6n"
LONG = PATIENCE_S

Start = Callable[..., PtyApp]


@pytest.fixture(name="start")
def _start(tmp_path: Path) -> Start:
    def start(env: Mapping[str, str | None] | None = None, **line: Any) -> PtyApp:
        return PtyApp(python("-m", "tests.tui.moving_app", str(tmp_path / "report")), env=env, **line)

    return start


def left(app: PtyApp, tmp_path: Path) -> dict[str, Any]:
    """Leave the app; what it reports."""
    app.send("q")
    assert app.wait(LONG) == 0
    report: dict[str, Any] = json.loads((tmp_path / "report").read_text(encoding="utf-8"))
    return report


def press_and_see(app: PtyApp, count: int) -> int:
    """Press `k`; how many pictures arrived until its effect was seen, that one included."""
    before = app.raw.count(QUESTION)
    app.send("k")
    app.wait_for(f"keys={count}.", LONG)
    return app.raw.count(QUESTION) - before + 1


def test_on_a_slow_line_a_key_waits_for_one_picture_and_the_rest_are_not_made(start: Start, tmp_path: Path) -> None:
    with start(throttle=8_000) as app:
        app.wait_for("RUNNING", LONG)
        for count in range(1, 4):
            app.send("shift+f3")  # reads as a cursor report; must release nothing
            # the picture on its way, the one the key arrived too late for, the answer
            assert press_and_see(app, count) <= 3
            assert app.queued < 8_000  # less than two pictures, whatever the line's buffer holds
        report = left(app, tmp_path)
    assert report["frames_skipped"] > 0
    assert 0 <= report["questions"] - report["answers"] <= 2
    assert report["frames_sent"] <= report["questions"] + 2


def test_on_a_long_road_the_frame_rate_stays(start: Start, tmp_path: Path) -> None:
    with start(latency=0.5) as app:
        app.wait_for("RUNNING", LONG)
        deadline, shown = time.monotonic() + LONG, 0.0
        while (shown <= 5 or app.raw.count(QUESTION) < 25) and time.monotonic() < deadline:  # it opens by one an answer
            before, since = app.raw.count(QUESTION), time.monotonic()
            time.sleep(1.5)
            shown = (app.raw.count(QUESTION) - before) / (time.monotonic() - since)
        assert left(app, tmp_path)["answers"] > 10
    assert shown > 5, "ten a second are wanted, a window of one picture gives two"


def test_a_still_screen_costs_nothing_and_lacks_nothing(start: Start, tmp_path: Path) -> None:
    with start(throttle=32_000) as app:
        app.wait_for("RUNNING", LONG)
        app.send("m")
        app.wait_for("a modal screen", LONG)
        app.send("hello")
        app.wait_for("hello", LONG)
        app.send("esc")
        app.wait_for(lambda app: "modal" not in app.text(), LONG)
        app.send("k", "space")
        app.wait_for("PAUSED keys=1.", LONG)
        app.settle(0.5, LONG)
        before = app.bytes_out
        time.sleep(0.5)
        assert app.bytes_out == before
        shown = [line.rstrip() for line in app.display()]
        report = left(app, tmp_path)
    assert shown == [line.rstrip() for line in report["picture"]]


def test_a_terminal_that_never_answers_keeps_working_and_is_soon_left_in_peace(start: Start, tmp_path: Path) -> None:
    with start({"MOVING_HOLD_US": "100000"}, mute=True) as app:
        app.wait_for("RUNNING", LONG)
        for count in range(1, 4):
            press_and_see(app, count)
        app.wait_for(lambda app: app.raw.count(QUESTION) == 4, LONG)  # the first is put before any picture
        shown = app.bytes_shown
        app.wait_for(lambda app: app.bytes_shown > shown + 10_000, LONG)
        press_and_see(app, 4)
        report = left(app, tmp_path)
    assert (report["questions"], report["answers"], report["asking"]) == (4, 0, False)


def test_a_new_size_is_drawn_whole_however_it_is_reported(start: Start, tmp_path: Path) -> None:
    with start(in_band=True, sync=True) as app:
        app.wait_for("RUNNING", LONG)
        for size in ((100, 30), (70, 20)):
            app.resize(*size)
            app.wait_for(lambda app: bool(app.line(-1).strip()), LONG)
        app.send("k", "space")
        app.wait_for("PAUSED keys=1.", LONG)
        app.settle(0.3, LONG)
        shown = [line.rstrip() for line in app.display()]
        report = left(app, tmp_path)
    assert shown == [line.rstrip() for line in report["picture"]]
    assert len(shown) == 20
    assert report["answers"] > 0


@pytest.mark.parametrize("size", ["24;80;0;0", "0;0;0;0", "24;80;1;1"])
def test_a_terminal_that_does_not_know_its_pixels_can_still_be_clicked(size: str, start: Start, tmp_path: Path) -> None:
    with start(sync=True) as app:
        app.wait_for("RUNNING", LONG)
        app.send(f"\x1b[48;{size}t\x1b[<35;5;5M\x1b[<0;5;5M\x1b[<0;5;5m", "k", "space")
        app.wait_for("PAUSED keys=1.", LONG)
        left(app, tmp_path)


def test_it_comes_back_from_a_suspension(start: Start, tmp_path: Path) -> None:
    with start() as app:
        app.wait_for("RUNNING", LONG)
        os.kill(app.process.pid, signal.SIGTSTP)
        app.wait_for(lambda app: b"\x1b[?1049l" in app.raw, LONG)
        app.settle(0.2, LONG)
        os.kill(app.process.pid, signal.SIGCONT)
        assert press_and_see(app, 1)
        assert left(app, tmp_path)["asking"]


def test_it_can_be_suspended_in_the_middle_of_a_write(start: Start, tmp_path: Path) -> None:
    with start() as app:
        app.wait_for("RUNNING", LONG)
        app.send("z")
        app.wait_for(lambda app: b"\x1b[?1049l" in app.raw, LONG)
        app.settle(0.2, LONG)
        os.kill(app.process.pid, signal.SIGCONT)
        assert press_and_see(app, 1)
        assert left(app, tmp_path)["asking"]


def test_leaving_waits_for_the_answer_that_would_be_typed_into_the_shell() -> None:
    program = " ".join(python("-m", "tests.tui.moving_app"))
    with PtyApp(["/bin/sh", "-c", f"{program}; echo back; exec sleep 60"], latency=0.2) as app:
        app.wait_for("RUNNING", LONG)
        app.send("q")
        app.wait_for("back", LONG)
        app.settle(0.4, LONG)
        assert not re.search(r"\[\d+;\d+R", app.text())


def test_switched_off_it_is_textual_as_it_is(start: Start, tmp_path: Path) -> None:
    with start({"DP_TUI_ACK": "0"}) as app:
        app.wait_for("RUNNING", LONG)
        press_and_see(app, 1)
        assert QUESTION not in app.raw
        report = left(app, tmp_path)
    assert report["frames_skipped"] == 0
    assert report["bytes_written"] > 0


def test_the_driver_is_chosen_from_the_environment() -> None:
    assert driver_class_for({}) is AckDriver
    assert driver_class_for({"DP_TUI_ACK": "0"}) is PlainDriver
    assert driver_class_for({"TEXTUAL_DRIVER": "some.other:Driver"}) is None
    assert issubclass(AckDriver, LinuxDriver)


def colour_codes(raw: bytes | bytearray) -> set[str]:
    """Every colour selection among the SGR codes: `38;5;n`, `48;2;r;g;b`, `31`..."""
    found: set[str] = set()
    for sequence in re.findall(rb"\x1b\[([\d;]*)m", raw):
        codes = sequence.decode().split(";")
        while codes:
            code = codes.pop(0)
            if code in ("38", "48"):
                taken = 2 if codes[0] == "5" else 4
                found.add(";".join([code, *codes[:taken]]))
                del codes[:taken]
            elif code.isdigit() and (30 <= int(code) <= 49 or 90 <= int(code) <= 107):
                found.add(code)
    return found


@pytest.mark.parametrize("depth", [{"COLORTERM": None}, {"COLORTERM": "truecolor"}])
def test_indexed_colours_go_out_as_they_are(start: Start, depth: Mapping[str, str | None]) -> None:
    with start(depth) as app:
        app.wait_for("RUNNING", LONG)
        press_and_see(app, 1)
        app.close()
        seen = colour_codes(app.raw)
    ours = {f"38;5;{n}" for n in (*range(160, 190), 250)} | {"48;5;234"}
    assert "48;5;234" in seen
    assert len(seen & ours) > 10
    assert {code for code in seen - ours if code not in ("39", "49")} == set()


@pytest.mark.parametrize("depth", [{"COLORTERM": None}, {"COLORTERM": "truecolor"}])
def test_under_no_color_no_colour_goes_out_not_even_from_a_modal_screen(
    start: Start, depth: Mapping[str, str | None]
) -> None:
    with start({"NO_COLOR": "1", **depth}) as app:
        app.wait_for("RUNNING", LONG)
        app.send("m")
        app.wait_for("a modal screen", LONG)
        app.close()
        assert colour_codes(app.raw) <= {"39", "49"}
