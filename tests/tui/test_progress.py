"""The line that says how far something is."""

from __future__ import annotations

import io
import time

import pytest

from tui.progress import SILENT_S, WIDTH, Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_it_names_the_share_the_rate_and_the_way_out() -> None:
    progress = Progress("spans.json", "bytes")
    assert progress.line(95_000_000, 280_000_000, 5.0) == "spans.json: 33 % of 280 MB, 19 MB/s, ctrl+c stops"
    assert progress.line(1_500_000, 0, 1.0) == "spans.json: 1.5 MB, 1.5 MB/s, ctrl+c stops"
    assert Progress("a", "steps").line(500, 1_000, 0.0) == "a: 50 % of 1,000 steps, 500,000 steps/s, ctrl+c stops"


def test_it_fits_into_a_line_and_forges_none() -> None:
    line = Progress("x" * 100 + "\n\x1b[2J.json", "steps").line(1, 10**9, 3.0)
    assert len(line) <= WIDTH
    assert line.isprintable()


def test_what_is_quick_is_silent_and_what_is_slow_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    terminal = Terminal()
    with Progress("a", "steps", stream=terminal) as progress:
        progress.at(1, 10)
        assert terminal.getvalue() == ""
        clock[0] = SILENT_S
        progress.at(5, 10)
        progress.at(6, 10)
    assert terminal.getvalue() == "\ra: 50 % of 10 steps, 10 steps/s, ctrl+c stops\x1b[K\r\x1b[K"
    with Progress("a", "steps", stream=io.StringIO()) as progress:
        clock[0] = 9.0
        progress.at(5, 10)
    assert terminal.getvalue().count("50 %") == 1
