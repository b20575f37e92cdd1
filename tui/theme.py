"""Roles to looks. Drawing code names a role ("leader", "stale", "t3"); a theme gives it a colour.

Why palette numbers and not RGB: over ssh a terminal seldom says that it knows more than 256 colours, and a palette
number costs fewer bytes. Why the background stays the terminal's own: the program should look at home in it; only chips
and the few lit areas bring one. Colour is never the only sign of a state: every role is drawn with a letter or a shape
as well, so `mono` (NO_COLOR) loses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rich.color import Color
from rich.style import Style

from engines.errors import UserError

Rgb = tuple[int, int, int]

ROLES: Final[tuple[str, ...]] = (
    *("text", "dim", "bright", "accent", "line", "title", "good", "bad", "warn", "selected"),
    *("leader", "candidate", "precandidate", "follower", "dead", "frozen", "cut"),
    *("committed", "stale", "lost", "open", "half-open", "closed", "error", "slow"),
    *("key", "tab", "tab-active", "you", "client", "played", "unplayed", "cue"),
    *(f"t{n}" for n in range(8)),
    *(f"n{n}" for n in range(1, 9)),
)
"""Every role. Terms `t0`, `t1`... and series `n1`, `n2`... go round: `t9` looks like `t1`, `n9` like `n1`."""

FAINT: Final = frozenset({"dim", "line", "unplayed"})
"""The roles that may recede: decoration and labels, never a fact."""

LIT: Final = frozenset({"selected", "tab-active", "cue"})
"""The roles that bring a background of their own."""

_CYCLIC = re.compile(r"([tn])(\d+)")

# The colours 16 to 255 are the same everywhere; 0 to 15 are the user's own, here xterm's defaults.
_XTERM_16: Final[tuple[Rgb, ...]] = (
    *((0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229)),
    *((127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255), (255, 0, 255), (0, 255, 255)),
    (255, 255, 255),
)


@dataclass(frozen=True, slots=True, eq=False)
class Theme:
    """A look for every role. `ground` is the background assumed for contrast; it is never painted."""

    name: str
    ground: Rgb
    inks: Mapping[str, int]  # role -> palette number; empty in the theme without colour
    lit: Mapping[str, tuple[int, int]]  # role -> (foreground, background)
    chip_inks: tuple[int, int]  # what is written on chips, dark and light: whichever reads better on the role's colour
    _styles: dict[str, Style] = field(default_factory=dict, repr=False)

    def style(self, ink: str) -> Style:
        """The look of an ink; never None, and an unknown one looks like plain text rather than failing a frame."""
        style = self._styles.get(ink)
        if style is None:
            style = self._styles[ink] = self._make(ink)
        return style

    def colours(self, ink: str) -> tuple[int | None, int | None]:
        """Foreground and background palette numbers; None is the terminal's own."""
        role = canonical(ink.removesuffix("!"))
        if role in self.lit:
            return self.lit[role]
        colour = self.inks.get(role, self.inks.get("text"))
        if colour is None or not ink.endswith("!"):
            return colour, None
        return max(self.chip_inks, key=lambda number: contrast(rgb(number), rgb(colour))), colour

    def _make(self, ink: str) -> Style:
        role = canonical(ink.removesuffix("!"))
        if not self.inks:
            return Style(reverse=ink.endswith("!") or role in LIT, bold=role in ("bright", "title", "key"))
        front, back = self.colours(ink)
        return Style(
            color=None if front is None else Color.from_ansi(front),
            bgcolor=None if back is None else Color.from_ansi(back),
        )


def canonical(role: str) -> str:
    """The role whose look is used: `t9` is `t1`, `n9` is `n1`; any other name is itself."""
    cyclic = _CYCLIC.fullmatch(role)
    if cyclic is None:
        return role
    number = int(cyclic[2])
    return f"t{number % 8}" if cyclic[1] == "t" else f"n{(number - 1) % 8 + 1}"


def known(ink: str) -> bool:
    """Whether an ink names a role: a test asks this of every ink a panel draws with."""
    return canonical(ink.removesuffix("!")) in ROLES


def rgb(number: int) -> Rgb:
    """What xterm shows for a palette number."""
    if number < 16:
        return _XTERM_16[number]
    if number >= 232:
        grey = 8 + 10 * (number - 232)
        return grey, grey, grey
    steps = (0, 95, 135, 175, 215, 255)
    return steps[(number - 16) // 36], steps[(number - 16) // 6 % 6], steps[(number - 16) % 6]


def luminance(colour: Rgb) -> float:
    """Relative luminance, 0 to 1 (WCAG 2.2)."""
    red, green, blue = (linear(channel) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linear(channel: int) -> float:
    """An sRGB channel, 0 to 255, as an amount of light, 0 to 1."""
    share = channel / 255
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _inks(terms: tuple[int, ...], series: tuple[int, ...], **roles: int) -> dict[str, int]:
    """A full table: the named roles, those that follow from them, the terms and the series."""
    table = {role.replace("_", "-"): number for role, number in roles.items()}
    follows = {
        **{"title": "accent", "you": "accent", "played": "accent", "unplayed": "line", "tab": "text", "key": "leader"},
        **{"dead": "bad", "lost": "bad", "open": "bad", "error": "bad", "cut": "warn", "slow": "warn"},
        **{"half-open": "leader", "closed": "good", "committed": "good", "client": "text"},
    }
    table = {role: table[source] for role, source in follows.items()} | table
    table |= {f"t{n}": number for n, number in enumerate(terms)}
    return table | {f"n{n}": number for n, number in enumerate(series, 1)}


_DARK = Theme(
    name="dark",
    ground=(30, 30, 30),
    inks=_inks(
        terms=(75, 114, 177, 221, 209, 80, 218, 149),
        series=(75, 114, 221, 177, 215, 80, 218, 149),
        **{"text": 252, "dim": 245, "bright": 231, "accent": 80, "line": 242},
        **{"good": 114, "bad": 203, "warn": 215, "dead": 174},
        **{"leader": 221, "candidate": 177, "precandidate": 183, "follower": 75, "frozen": 153, "stale": 179},
    ),
    lit={"selected": (231, 237), "tab-active": (16, 80), "cue": (231, 24)},
    chip_inks=(16, 231),
)

_LIGHT = Theme(
    name="light",
    ground=(250, 250, 250),
    inks=_inks(
        terms=(26, 28, 91, 94, 160, 23, 125, 58),
        series=(26, 28, 94, 91, 130, 23, 125, 58),
        **{"text": 236, "dim": 243, "bright": 16, "accent": 24, "line": 245},
        **{"good": 28, "bad": 160, "warn": 130, "dead": 88},
        **{"leader": 94, "candidate": 91, "precandidate": 97, "follower": 26, "frozen": 60, "stale": 58},
    ),
    lit={"selected": (16, 253), "tab-active": (231, 24), "cue": (16, 153)},
    chip_inks=(16, 231),
)

# Only the bright half and two of the dim one are readable on black whatever the palette; the letter tells the rest.
_ANSI16 = Theme(
    name="ansi16",
    ground=(0, 0, 0),
    inks=_inks(
        terms=(14, 10, 13, 11, 15, 6, 2, 9),
        series=(14, 10, 11, 13, 9, 6, 2, 15),
        **{"text": 15, "dim": 7, "bright": 15, "accent": 14, "line": 8},
        **{"good": 10, "bad": 9, "warn": 11},
        **{"leader": 11, "candidate": 13, "precandidate": 13, "follower": 14, "frozen": 6, "stale": 7},
    ),
    lit={"selected": (0, 7), "tab-active": (0, 14), "cue": (0, 11)},
    chip_inks=(0, 15),
)

_CONTRAST = Theme(
    name="contrast",
    ground=(0, 0, 0),
    inks=_inks(
        terms=(117, 120, 219, 226, 215, 51, 225, 154),
        series=(117, 120, 226, 219, 215, 51, 225, 154),
        **{"text": 231, "dim": 252, "bright": 231, "accent": 51, "line": 248},
        **{"good": 120, "bad": 210, "warn": 215},
        **{"leader": 226, "candidate": 219, "precandidate": 225, "follower": 117, "frozen": 195, "stale": 222},
    ),
    lit={"selected": (16, 231), "tab-active": (16, 51), "cue": (16, 226)},
    chip_inks=(16, 231),
)

# After Okabe and Ito (2008): no two signs that must be told apart differ in red against green alone.
_DEUTERANOPIA = Theme(
    name="deuteranopia",
    ground=(30, 30, 30),
    inks=_inks(
        terms=(33, 227, 170, 43, 209, 159, 222, 252),
        series=(33, 222, 43, 170, 209, 159, 227, 252),
        **{"text": 252, "dim": 245, "bright": 231, "accent": 117, "line": 242},
        **{"good": 43, "bad": 202, "warn": 222},
        **{"leader": 227, "candidate": 170, "precandidate": 182, "follower": 33, "frozen": 153, "stale": 179},
    ),
    lit={"selected": (231, 237), "tab-active": (16, 117), "cue": (231, 24)},
    chip_inks=(16, 231),
)

_MONO = Theme(name="mono", ground=(0, 0, 0), inks={}, lit={}, chip_inks=(0, 15))

THEMES: Final[tuple[Theme, ...]] = (_DARK, _LIGHT, _ANSI16, _CONTRAST, _DEUTERANOPIA, _MONO)


def theme_for(name: str | None, colors: int, environ: Mapping[str, str] | None = None) -> Theme:
    """The theme called `name`; None is dark, or light where COLORFGBG tells of a light ground.

    The terminal has the last word: without colours it gets `mono`, with fewer than 256 `ansi16` (how many it has:
    `tui.terminal.capability`). An unknown name is a `UserError`.
    """
    chosen = _named(name) if name else _LIGHT if _light_ground(environ or {}) else _DARK
    if not colors or chosen is _MONO:
        return _MONO
    return chosen if colors >= 256 else _ANSI16


def look_for(theme: Theme | str, colors: int = 256) -> Theme:
    """This theme, or the one called so; less where the terminal has fewer colours."""
    return theme_for(theme if isinstance(theme, str) else theme.name, colors)


def _named(name: str) -> Theme:
    for theme in THEMES:
        if theme.name == name:
            return theme
    raise UserError(f"--theme: unknown theme {name!r}; accepted: {', '.join(theme.name for theme in THEMES)}")


def _light_ground(environ: Mapping[str, str]) -> bool:
    """COLORFGBG is "foreground;background" in the sixteen colours, of which 7 and 15 are the whites."""
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    return background in ("7", "15")
