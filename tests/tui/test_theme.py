"""The themes: every role has a look, every look can be read, and no state is told by red against green."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.style import Style

from engines.errors import UserError
from tui.theme import FAINT, LIT, ROLES, THEMES, Rgb, Theme, canonical, contrast, known, linear, rgb, theme_for

BY_NAME = {theme.name: theme for theme in THEMES}
COLOURED = [theme for theme in THEMES if theme.name != "mono"]
SIGNS = ("good", "bad", "warn", "leader", "candidate", "follower")

every_theme = pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
coloured_theme = pytest.mark.parametrize("theme", COLOURED, ids=lambda theme: theme.name)

# Deuteranopia at full strength, on linear light: Machado, Oliveira and Fernandes (2009), table 1.
DEUTERANOPIA = ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881))


def drawn(style: Style) -> str:
    return style.render("x", color_system=ColorSystem.TRUECOLOR)


def lab(light: Iterable[float]) -> tuple[float, float, float]:
    """CIE L*a*b* of linear sRGB light under D65."""
    red, green, blue = light
    white = (0.9505, 1.0, 1.089)
    xyz = (
        0.4124 * red + 0.3576 * green + 0.1805 * blue,
        0.2126 * red + 0.7152 * green + 0.0722 * blue,
        0.0193 * red + 0.1192 * green + 0.9505 * blue,
    )
    x, y, z = (
        t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (v / w for v, w in zip(xyz, white, strict=True))
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def seen(colour: Rgb, deuteranopia: bool = False) -> tuple[float, float, float]:
    light = [linear(channel) for channel in colour]
    if deuteranopia:
        light = [min(1.0, max(0.0, sum(m * v for m, v in zip(row, light, strict=True)))) for row in DEUTERANOPIA]
    return lab(light)


def distance(theme: Theme, one: str, other: str, deuteranopia: bool = False) -> float:
    """CIE 1976 colour difference; about 2.3 is just noticeable side by side."""
    a, b = (seen(rgb(theme.inks[role]), deuteranopia) for role in (one, other))
    return float(sum((p - q) ** 2 for p, q in zip(a, b, strict=True)) ** 0.5)


def front_and_ground(theme: Theme, ink: str) -> tuple[Rgb, Rgb]:
    front, back = theme.colours(ink)
    assert front is not None
    return rgb(front), theme.ground if back is None else rgb(back)


# -- every role has a look --------------------------------------------------------------------------------------------


@coloured_theme
def test_a_theme_names_every_role_and_no_other(theme: Theme) -> None:
    assert set(theme.lit) == LIT
    assert set(theme.inks) | LIT == set(ROLES)


@every_theme
@given(ink=st.sampled_from(ROLES) | st.sampled_from([f"{role}!" for role in ROLES]) | st.text(max_size=5))
def test_style_is_never_none_and_never_fails(theme: Theme, ink: str) -> None:
    style = theme.style(ink)
    assert isinstance(style, Style)
    assert theme.style(ink) is style


@every_theme
def test_an_unknown_ink_looks_like_text(theme: Theme) -> None:
    assert drawn(theme.style("no such role")) == drawn(theme.style("text"))
    assert not known("no such role")
    assert not known("no such role!")


def test_terms_and_series_go_round() -> None:
    assert [canonical(role) for role in ("t0", "t7", "t8", "t19", "n1", "n8", "n9", "n72")] == (
        ["t0", "t7", "t0", "t3", "n1", "n8", "n1", "n8"]
    )
    assert canonical("tab") == "tab"
    assert all(known(role) and known(f"{role}!") for role in (*ROLES, "t99", "n99"))
    for theme in THEMES:
        assert drawn(theme.style("t13!")) == drawn(theme.style("t5!"))


# -- every look can be read -------------------------------------------------------------------------------------------


@coloured_theme
def test_a_role_stands_out_from_its_ground(theme: Theme) -> None:
    for role in ROLES:
        wanted = 7.0 if theme.name == "contrast" else 3.0 if role in FAINT else 4.5
        assert contrast(*front_and_ground(theme, role)) >= wanted, role


@coloured_theme
def test_the_text_on_a_chip_can_be_read(theme: Theme) -> None:
    for role in ROLES:
        wanted = 7.0 if theme.name == "contrast" else 4.5
        assert contrast(*front_and_ground(theme, f"{role}!")) >= wanted, role


@coloured_theme
def test_only_chips_and_lit_roles_paint_a_background(theme: Theme) -> None:
    for role in ROLES:
        assert (theme.style(role).bgcolor is not None) == (role in LIT)
        assert theme.style(f"{role}!").bgcolor is not None


def test_a_dark_theme_writes_dark_on_its_chips() -> None:
    for name in ("dark", "ansi16", "contrast", "deuteranopia"):
        assert BY_NAME[name].colours("leader!")[0] in (0, 16)


def test_contrast_is_the_ratio_of_the_web_guidelines() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast((255, 255, 255), (119, 119, 119)) == pytest.approx(4.48, abs=0.01)
    assert contrast((1, 2, 3), (1, 2, 3)) == 1


def test_palette_numbers_are_those_of_xterm() -> None:
    assert [rgb(n) for n in (0, 15, 16, 75, 231, 232, 255)] == [
        *((0, 0, 0), (255, 255, 255), (0, 0, 0), (95, 175, 255), (255, 255, 255), (8, 8, 8), (238, 238, 238)),
    ]


# -- looks differ where states do -------------------------------------------------------------------------------------


@coloured_theme
def test_the_roles_of_a_node_differ(theme: Theme) -> None:
    looks = [theme.colours(role) for role in ("leader", "candidate", "follower", "dead", "frozen")]
    assert len(set(looks)) == len(looks)
    assert len({theme.colours(role) for role in ("good", "bad", "warn")}) == 3


@coloured_theme
def test_neighbouring_terms_and_series_differ(theme: Theme) -> None:
    for names in ([f"t{n}" for n in range(8)], [f"n{n}" for n in range(1, 9)]):
        for one, other in pairwise([*names, names[0]]):
            assert distance(theme, one, other) >= 20


def test_a_deuteranope_can_tell_the_signs_apart() -> None:
    theme = BY_NAME["deuteranopia"]
    for one, other in combinations(SIGNS, 2):
        assert distance(theme, one, other, deuteranopia=True) >= 25, (one, other)
        assert distance(theme, one, other) >= 25, (one, other)


def test_a_deuteranope_can_tell_neighbouring_terms_apart() -> None:
    theme = BY_NAME["deuteranopia"]
    for names in ([f"t{n}" for n in range(8)], [f"n{n}" for n in range(1, 9)]):
        for one, other in pairwise([*names, names[0]]):
            assert distance(theme, one, other, deuteranopia=True) >= 20, (one, other)


def test_the_simulation_sees_what_a_deuteranope_does() -> None:
    """Grey stays grey; the red and the green that everyone uses come together."""
    grey, same = seen((128, 128, 128), deuteranopia=True), seen((128, 128, 128))
    assert grey == pytest.approx(same, abs=0.5)
    dark = BY_NAME["dark"]
    assert distance(dark, "good", "bad", deuteranopia=True) < 20 < distance(dark, "good", "bad")


# -- without colour ---------------------------------------------------------------------------------------------------


def test_mono_sends_no_colour_at_all() -> None:
    mono = BY_NAME["mono"]
    for ink in (*ROLES, *(f"{role}!" for role in ROLES)):
        codes = re.findall(r"\x1b\[([\d;]*)m", drawn(mono.style(ink)))
        assert {code for group in codes for code in group.split(";")} <= {"", "0", "1", "7"}, ink


def test_mono_shows_chips_and_lit_roles_by_reversing_them() -> None:
    mono = BY_NAME["mono"]
    for role in ROLES:
        assert mono.style(f"{role}!").reverse
        assert bool(mono.style(role).reverse) == (role in LIT)
    assert "\x1b" not in drawn(mono.style("dim"))


@pytest.mark.parametrize("theme", [BY_NAME["dark"], BY_NAME["light"], BY_NAME["contrast"], BY_NAME["deuteranopia"]])
def test_colours_are_numbers_of_the_fixed_palette(theme: Theme) -> None:
    assert all(number >= 16 for number in theme.inks.values())
    assert "38;5;" in drawn(theme.style("leader"))
    assert "2;" not in drawn(theme.style("leader!")).replace("5;2", "")


def test_sixteen_colours_are_sixteen_colours() -> None:
    for ink in (*ROLES, *(f"{role}!" for role in ROLES)):
        assert "8;5;" not in drawn(BY_NAME["ansi16"].style(ink))


# -- the choice -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [theme.name for theme in THEMES])
def test_a_capable_terminal_gets_what_was_asked_for(name: str) -> None:
    assert theme_for(name, 256).name == name
    assert theme_for(name, 16_777_216).name == name


@pytest.mark.parametrize(
    ("colors", "environ", "name"),
    [
        (16, {}, "ansi16"),
        (16, {"COLORFGBG": "0;15"}, "ansi16"),
        (256, {}, "dark"),
        (0, {}, "mono"),
        (256, {"COLORFGBG": "0;15"}, "light"),
        (256, {"COLORFGBG": "15;default;0"}, "dark"),
        (256, {"COLORFGBG": "what?"}, "dark"),
    ],
)
def test_without_a_wish_the_terminal_decides(colors: int, environ: dict[str, str], name: str) -> None:
    assert theme_for(None, colors, environ).name == name


def test_few_colours_and_none_have_the_last_word() -> None:
    assert theme_for("light", 0).name == "mono"
    assert theme_for("light", 16).name == "ansi16"
    assert theme_for("mono", 16).name == "mono"


def test_an_unknown_theme_is_told_with_what_would_be_accepted() -> None:
    with pytest.raises(UserError, match=r"--theme.*'solarised'.*dark, light, ansi16, contrast, deuteranopia, mono"):
        theme_for("solarised", 0)
