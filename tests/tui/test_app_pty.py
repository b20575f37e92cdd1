"""The app on a real pty: which codes go out, that stillness is silent, that a slow line is answered, how it ends."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.ptyscreen import PATIENCE_S, PtyApp, python
from tests.tui.test_driver import colour_codes
from tui.registry import PANELS
from tui.theme import THEMES

LONG = PATIENCE_S


@contextmanager
def toy(*options: str, env: Mapping[str, str | None] | None = None, **line: object) -> Iterator[PtyApp]:
    with PtyApp(python("-m", "tests.tui.toy_app", *options), env=env, **line) as app:  # type: ignore[arg-type]
        app.wait_for("scenarios", LONG)
        yield app


def names(title: str, app: PtyApp) -> bool:
    return title in app.line(1)


def lacks(text: str, app: PtyApp) -> bool:
    return text not in app.text()


def look_at_dialogues(app: PtyApp) -> bytes:
    """Open every kind of dialogue, and what has gone out by then."""
    for key, seen in (("f", "apply"), ("s", "choose"), ("?", "scroll"), ("S", "clear")):
        app.send(key)
        app.wait_for(seen, LONG)
        app.send("esc")
        app.wait_for(partial(lacks, seen), LONG)
    return bytes(app.raw)


def allowed(name: str) -> set[str]:
    """The codes of every colour of a theme."""
    theme = next(theme for theme in THEMES if theme.name == name)
    fronts = {*theme.inks.values(), *theme.chip_inks, *(front for front, _ in theme.lit.values())}
    backs = {*theme.inks.values(), *(back for _, back in theme.lit.values())}
    return {_code(n, 30) for n in fronts} | {_code(n, 40) for n in backs}


def _code(number: int, base: int) -> str:
    if number < 8:
        return str(base + number)
    return str(base + 60 + number - 8) if number < 16 else f"{base + 8};5;{number}"


@pytest.mark.parametrize("depth", [{}, {"COLORTERM": "truecolor"}], ids=["256", "truecolor"])
def test_only_the_colours_of_the_theme_go_out(depth: Mapping[str, str]) -> None:
    with toy(env=depth) as app:
        codes = colour_codes(look_at_dialogues(app))
    assert len(codes) > 5
    assert codes <= allowed("dark")


def test_on_sixteen_colours_there_are_sixteen() -> None:
    with toy(env={"TERM": "xterm"}) as app:
        codes = colour_codes(look_at_dialogues(app))
    assert len(codes) > 3
    assert codes <= allowed("ansi16")
    assert not any(code.startswith(("38", "48")) for code in codes)


def test_under_no_color_not_one_colour_code_goes_out() -> None:
    with toy(env={"NO_COLOR": "1", "COLORTERM": "truecolor"}) as app:
        raw = look_at_dialogues(app)
    assert colour_codes(raw) == set()
    assert b"\x1b[7m" in raw  # what is selected is reversed


def test_on_a_console_without_the_glyphs_all_is_ascii() -> None:
    with toy(env={"TERM": "linux", "LANG": "C"}) as app:
        raw = look_at_dialogues(app)
    assert not [byte for byte in raw if byte > 0x7E]


def test_a_paused_screen_costs_no_byte_and_a_dialogue_is_painted_alone() -> None:
    with toy() as app:
        app.send("space")
        app.wait_for("PAUSE", LONG)
        app.settle(0.6, LONG)
        before = app.bytes_out
        time.sleep(0.7)
        assert app.bytes_out == before
        app.send("S")
        app.wait_for("save the run", LONG)
        app.settle(0.3, LONG)
        opened = app.bytes_out - before
        app.send("esc")
        app.settle(0.3, LONG)
        assert opened < 1_600  # a whole screen is more
        assert app.bytes_out - before < 3_200


def test_on_a_slow_line_a_key_opens_its_dialogue_soon() -> None:
    with toy(throttle=8_000) as app:
        before = app.bytes_shown
        app.send("f")
        app.wait_for("apply", LONG)
        assert app.bytes_shown - before < 16_000  # a tenth of a second each 800; without a gate 32,000 are in front
        app.send("esc", "q")
        app.wait_for("BYE 0", LONG)


@pytest.mark.parametrize("keys", [("q",), ("ctrl+c",), ("ctrl+q",), ("S", "ctrl+c")])
def test_it_ends_with_status_0_a_farewell_and_a_restored_screen(keys: tuple[str, ...], tmp_path: Path) -> None:
    with toy("--state", str(tmp_path)) as app:
        for key in keys:
            app.send(key)
            if key == "S":
                app.wait_for("save the run", LONG)
        assert app.wait(LONG) == 0
        text = app.text()
        raw = bytes(app.raw)
    assert re.search(r"BYE 0 saved Ping; replay: .* replay /.*", text)
    assert raw.rindex(b"\x1b[?1049l") > raw.rindex(b"\x1b[?1049h")
    assert list((tmp_path / "runs").glob("*.json"))


def test_a_new_size_is_drawn_whole() -> None:
    with toy() as app:
        app.send("space")
        app.wait_for("PAUSE", LONG)
        for size in ((10, 3), (120, 36)):
            app.resize(*size)
        app.wait_for(lambda app: "quit" in app.line(-1) or "select" in app.line(-1), LONG)
        app.settle(0.3, LONG)
        assert "journal" in app.text()
        assert app.display()[-1].strip()


WHITE = b"\x1b]11;rgb:ffff/ffff/f0f0\x1b\\"
"""How a terminal tells that its background is nearly white."""


@contextmanager
def raft(*options: str, **line: object) -> Iterator[PtyApp]:
    with PtyApp(python("-m", "tui", "raft", "--sandbox", *options), **line) as app:  # type: ignore[arg-type]
        app.wait_for("scenarios", LONG)
        app.send("space")
        app.wait_for("PAUSED", LONG)
        app.settle(0.3, LONG)
        yield app


def test_a_light_terminal_gets_the_light_theme() -> None:
    with raft() as app:
        before = app.bytes_out
        assert b"]11;?" in app.raw
        os.write(app._master, WHITE)
        app.wait_for(lambda app: colour_codes(bytes(app.raw[before:])) & allowed("light"), LONG)
        app.settle(0.3, LONG)
        assert colour_codes(bytes(app.raw[before:])) <= allowed("light")


def test_a_theme_that_is_chosen_stays() -> None:
    with raft("--theme", "dark") as app:
        before = app.bytes_out
        os.write(app._master, WHITE)
        app.settle(0.5, LONG)
        assert app.bytes_out == before
        assert b"]11;?" not in app.raw


def test_a_console_of_sixteen_colours_is_not_asked() -> None:
    with raft(env={"TERM": "linux"}) as app:
        assert b"]11;?" not in app.raw


def test_on_a_poor_console_every_panel_and_every_dialogue_is_ascii_in_sixteen_colours() -> None:
    with PtyApp(python("-m", "tui", "raft", "--sandbox"), (120, 36), {"TERM": "linux", "LANG": "C"}) as app:
        app.wait_for("scenarios", LONG)
        for panel in PANELS:
            app.send(str(panel.pattern.number))
            app.wait_for(partial(names, panel.pattern.variants[0].title), LONG)
            for key in "fstbE?T":
                app.send(key)
                time.sleep(0.1)
                app.send("esc")
        app.send("space")
        app.settle(0.4, LONG)
        raw = bytes(app.raw)
    assert not [byte for byte in raw if byte > 0x7E]
    codes = colour_codes(raw)
    assert len(codes) > 5
    assert codes <= allowed("ansi16")


def test_letters_of_the_users_data_are_plain_where_only_ascii_is_shown(tmp_path: Path) -> None:
    keys = tmp_path / "keys.txt"
    keys.write_text("caf\u00e9-1\n\u03a9mega\n" * 20, encoding="utf-8")
    with PtyApp(python("-m", "tui", "sharding", str(keys), "--nodes", "3", "--glyphs", "ascii"), (120, 36)) as app:
        app.wait_for("scenarios", LONG)
        app.wait_for("cafe-1", LONG)
        app.send("/")
        app.wait_for("find in the journal", LONG)
        app.send("\u00e9")
        app.wait_for("> e", LONG)
        assert not [byte for byte in bytes(app.raw) if byte > 0x7E]
