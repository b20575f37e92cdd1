"""What the terminal can do, read off the environment alone: nothing is asked of it, nothing is imported to find out.

Three answers are needed before Textual is: may a full screen start at all, which glyphs will not turn into boxes, and
how many colours arrive. Terminals have no honest way to say the last two, so these are the customs of the trade:

- `TERM` unset or `dumb`, or no tty: no full screen. (Textual itself would start, and paint in 24-bit colour.)
- `TERM=linux` (the console: 512 glyphs, no braille), serial terminals, a locale that is not UTF-8: ASCII.
- PuTTY and the Cygwin console use fonts without braille: block elements.
- `NO_COLOR` set and not empty means no colour (no-color.org). `COLORTERM` names 24-bit colour; sshd seldom forwards it,
  so over ssh the name in `TERM` is what is left.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Glyphs = Literal["braille", "block", "ascii"]
Colors = Literal[0, 16, 256, 16777216]

POINTER: Final = "`dp-tui run PATTERN` prints a report and needs no terminal"

_NO_SCREEN: Final = frozenset({"dumb", "unknown", "emacs"})
_SERIAL: Final = ("vt52", "vt1", "vt2", "vt3", "vt4", "vt5", "ansi", "cons25", "sun", "wyse", "hurd")
_MONOCHROME: Final = ("vt52", "vt1", "vt2", "vt3", "vt4", "vt5", "sun", "wyse", "xterm-mono")
_NO_BRAILLE: Final = ("putty", "cygwin")
_RICH: Final = (
    *("alacritty", "contour", "foot", "ghostty", "iterm", "iterm2", "kitty", "konsole"),
    *("mintty", "mlterm", "rio", "st", "vte", "warp", "wezterm", "zellij"),
)
"""Terminals whose `TERM` does not say `256color` though they all have them."""


@dataclass(frozen=True, slots=True)
class Capability:
    """`reason` is one line, empty when `usable`; `colors` is 0 under `NO_COLOR` and on monochrome terminals."""

    usable: bool
    reason: str
    glyphs: Glyphs
    colors: Colors
    no_color: bool

    def textual_environ(self) -> dict[str, str | None]:
        """What to put into the environment *before* Textual is imported; `None` means: take it out.

        Textual believes an empty `NO_COLOR` and gives 16 colours to a `TERM` it has not heard of. The depth is capped
        at 256: that is what the themes are made for, and a 24-bit code costs twice the bytes.
        """
        depth = {0: "standard", 16: "standard"}.get(self.colors, "256")
        return {"NO_COLOR": None if self.colors else "1", "TEXTUAL_COLOR_SYSTEM": depth}


def detect(
    environ: Mapping[str, str], stdin_tty: bool, stdout_tty: bool, stderr_tty: bool, encoding: str | None
) -> Capability:
    """Judge the terminal.

    `encoding` is that of the stream painted on: Textual paints on standard error, so that must be a terminal too.
    """
    reason = _refusal(environ, stdin_tty, stdout_tty, stderr_tty)
    no_color = bool(environ.get("NO_COLOR"))
    return Capability(
        usable=not reason,
        reason=reason,
        glyphs=_glyphs(environ, encoding),
        colors=0 if no_color else _colors(environ),
        no_color=no_color,
    )


def _term(environ: Mapping[str, str]) -> str:
    return environ.get("TERM", "").strip().lower()


def _refusal(environ: Mapping[str, str], stdin_tty: bool, stdout_tty: bool, stderr_tty: bool) -> str:
    for name, tty in (("input", stdin_tty), ("output", stdout_tty), ("error", stderr_tty)):
        if not tty:
            return f"standard {name} is not a terminal; {POINTER}"
    term = _term(environ)
    if not term:
        return f"TERM is not set, so the terminal's abilities are unknown; {POINTER}"
    if term in _NO_SCREEN:
        return f"TERM={term} cannot place text on the screen; {POINTER}"
    return ""


def _glyphs(environ: Mapping[str, str], encoding: str | None) -> Glyphs:
    term = _term(environ)
    if term in _NO_SCREEN or term.startswith(("linux", *_SERIAL)) or not _speaks_utf8(environ, encoding):
        return "ascii"
    return "block" if term.startswith(_NO_BRAILLE) else "braille"


def _speaks_utf8(environ: Mapping[str, str], encoding: str | None) -> bool:
    """The stream's encoding must be UTF-8, and so must a locale that names one.

    Python repairs the C locale: it writes UTF-8 and sets `LC_CTYPE=C.UTF-8` in its own environment (PEP 538). That says
    nothing about the terminal, so a `C` somebody chose still counts; no locale at all does not (ssh forwards none).
    """
    try:
        if codecs.lookup(encoding or "ascii").name != "utf-8":
            return False
    except LookupError:
        return False
    chosen = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    if chosen == "C.UTF-8" and not environ.get("LC_ALL") and environ.get("LANG") in ("C", "POSIX"):
        return False
    if chosen in ("C", "POSIX"):
        return False
    charset = chosen.partition("@")[0].rpartition(".")[2] if "." in chosen else "utf-8"
    return charset.lower().replace("-", "") == "utf8"


def _colors(environ: Mapping[str, str]) -> Colors:
    term = _term(environ)
    if not term or term in _NO_SCREEN or term.startswith(_MONOCHROME) or term.endswith("-m"):
        return 0
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit") or term.endswith("-direct"):
        return 16777216
    name = term.removeprefix("xterm-")
    if "256" in term or any(name == known or name.startswith(f"{known}-") for known in _RICH):
        return 256
    return 16
