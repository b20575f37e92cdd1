"""What the environment says about the terminal, case by case."""

from __future__ import annotations

import pytest

from tui.terminal.capability import POINTER, Capability, detect

XTERM = {"TERM": "xterm-256color", "LANG": "en_US.UTF-8"}


def on_a_tty(**environ: str) -> Capability:
    return detect({**XTERM, **environ}, True, True, True, "utf-8")


def test_an_ordinary_terminal_gets_everything() -> None:
    assert on_a_tty() == Capability(usable=True, reason="", glyphs="braille", colors=256, no_color=False)


@pytest.mark.parametrize(
    ("environ", "stdin_tty", "stdout_tty", "names"),
    [
        ({**XTERM, "TERM": "dumb"}, True, True, "TERM=dumb"),
        ({**XTERM, "TERM": "DUMB "}, True, True, "TERM=dumb"),
        ({**XTERM, "TERM": ""}, True, True, "TERM is not set"),
        ({"LANG": "C.UTF-8"}, True, True, "TERM is not set"),
        (XTERM, False, True, "standard input"),
        (XTERM, True, False, "standard output"),
        (XTERM, True, None, "standard error"),
    ],
)
def test_what_cannot_be_painted_on_is_refused_in_one_line_that_says_what_to_do(
    environ: dict[str, str], stdin_tty: bool, stdout_tty: bool | None, names: str
) -> None:
    found = detect(environ, stdin_tty, stdout_tty is not False, stdout_tty is not None, "utf-8")
    assert not found.usable
    assert names in found.reason
    assert found.reason.endswith(POINTER)
    assert "\n" not in found.reason
    assert found.reason.isascii()


@pytest.mark.parametrize(
    ("environ", "encoding", "glyphs"),
    [
        ({"TERM": "linux"}, "utf-8", "ascii"),
        ({"TERM": "vt220"}, "utf-8", "ascii"),
        ({"TERM": "putty-256color"}, "utf-8", "block"),
        ({"TERM": "tmux-256color"}, "UTF8", "braille"),
        ({"LANG": "de_DE.ISO-8859-1"}, "utf-8", "ascii"),
        ({"LANG": "en_US.UTF-8"}, "iso-8859-1", "ascii"),
        ({"LANG": "en_US.UTF-8"}, "no-such-codec", "ascii"),
        ({"LANG": "en_US.UTF-8"}, None, "ascii"),
        ({"LC_ALL": "C"}, "utf-8", "ascii"),
        ({"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"}, "utf-8", "ascii"),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, "utf-8", "ascii"),  # PEP 538 has been here
        ({"LC_CTYPE": "C.UTF-8", "LANG": ""}, "utf-8", "braille"),  # and here, but nobody chose C
        ({"LANG": ""}, "utf-8", "braille"),
        ({"LANG": "ca_ES.utf8@valencia"}, "utf-8", "braille"),
        ({"LC_CTYPE": "UTF-8", "LANG": ""}, "utf-8", "braille"),  # macOS
        ({"LANG": "sv_SE"}, "utf-8", "braille"),
    ],
)
def test_glyphs_follow_the_font_and_the_locale(environ: dict[str, str], encoding: str | None, glyphs: str) -> None:
    assert detect({**XTERM, **environ}, True, True, True, encoding).glyphs == glyphs


@pytest.mark.parametrize(
    ("environ", "colors"),
    [
        ({"TERM": "xterm"}, 16),
        ({"TERM": "linux"}, 16),
        ({"TERM": "screen"}, 16),
        ({"TERM": "screen-256color"}, 256),
        ({"TERM": "xterm-kitty"}, 256),
        ({"TERM": "alacritty"}, 256),
        ({"TERM": "foot-extra"}, 256),
        ({"TERM": "xterm-ghostty"}, 256),
        ({"TERM": "ghostty"}, 256),
        ({"TERM": "wezterm"}, 256),
        ({"TERM": "konsole"}, 256),
        ({"TERM": "tmux"}, 16),
        ({"TERM": "tmux-256color"}, 256),
        ({"TERM": "screen.xterm-256color"}, 256),
        ({"TERM": "never-heard-of"}, 16),
        ({"TERM": "stterm"}, 16),  # not st
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, 16777216),
        ({"TERM": "xterm", "COLORTERM": "24bit"}, 16777216),
        ({"TERM": "xterm", "COLORTERM": "yes"}, 16),
        ({"TERM": "xterm-direct"}, 16777216),
        ({"TERM": "vt220"}, 0),
        ({"TERM": "dumb"}, 0),
    ],
)
def test_colours_are_counted_from_the_names(environ: dict[str, str], colors: int) -> None:
    assert on_a_tty(**environ).colors == colors


def test_no_color_counts_only_when_it_is_not_empty() -> None:
    off, on = on_a_tty(NO_COLOR=""), on_a_tty(NO_COLOR="1", COLORTERM="truecolor")
    assert (off.no_color, off.colors) == (False, 256)
    assert (on.no_color, on.colors) == (True, 0)
    assert on.usable


def test_textual_is_told_the_same_story() -> None:
    assert on_a_tty(NO_COLOR="").textual_environ() == {"NO_COLOR": None, "TEXTUAL_COLOR_SYSTEM": "256"}
    assert on_a_tty(COLORTERM="truecolor").textual_environ()["TEXTUAL_COLOR_SYSTEM"] == "256"
    assert on_a_tty(TERM="xterm").textual_environ()["TEXTUAL_COLOR_SYSTEM"] == "standard"
    assert on_a_tty(NO_COLOR="1").textual_environ()["NO_COLOR"] == "1"
    assert on_a_tty(TERM="vt220").textual_environ()["NO_COLOR"] == "1"
