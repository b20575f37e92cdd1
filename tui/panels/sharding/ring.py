"""The ring: a band in the colours of its owners, thicker where the selected node owns; a selected key and its walk.

A cell holds 2 x 4 dots of braille, and dots are square, so a band twice as many columns wide as it is rows high is
round. Every dot knows its degree, and the snapshot knows who owns that. Block and ASCII glyphs draw whole cells.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import atan2, cos, hypot, pi, sin
from typing import Final, NamedTuple

from engines.sharding.world.snapshot import KeyState, Snapshot
from tui.canvas import Canvas, Ink
from tui.glyphs import Glyphs
from tui.panels.sharding.queries import NUMBERED, ink
from tui.plot import BRAILLE_BASE, BRAILLE_BITS

DEGREES: Final = 360
TICKS_MAX: Final = 160
"""With more virtual nodes than this, ticks would touch each other."""
PPM: Final = 1_000_000

Cell = tuple[int, int]


class Dot(NamedTuple):
    """One dot of the band: its cell, its bit there, its degree, and how deep under the rim it lies."""

    x: int
    y: int
    bit: int
    degree: int
    depth: float


class Shape(NamedTuple):
    """How thick the band is, in dots, for a ring of some height."""

    rim: int
    """Dots kept free outside, for the ticks of virtual nodes."""
    band: int
    bulge: int
    """How thick where the selected node owns."""


def shape(height: int, ticks: bool) -> Shape:
    """Thicker for larger rings."""
    band = max(3, height * 4 // 11)
    return Shape(2 if ticks else 0, band, band + max(1, band // 2))


@lru_cache(maxsize=32)
def dots(width: int, height: int, bulge: int, rim: int) -> tuple[Dot, ...]:
    """All dots that a band could have on a canvas of this size."""
    rx, ry = width - 0.5 - rim, height * 2 - 0.5 - rim
    found = []
    for py in range(height * 4):
        for px in range(width * 2):
            dx, dy = px + 0.5 - width, py + 0.5 - height * 2
            reach = hypot(dx / rx, dy / ry)
            depth = (1 - reach) * min(rx, ry)
            if reach <= 1.0 and depth < bulge:
                degree = int(atan2(dx / rx, -dy / ry) / (2 * pi) * DEGREES) % DEGREES
                found.append(Dot(px // 2, py // 4, BRAILLE_BITS[py % 4][px % 2], degree, depth))
    return tuple(found)


def place(width: int, height: int, ppm: int, inside: float) -> Cell:
    """The cell at a place of the ring (ppm of the way round, clockwise from the top), so many dots under the rim."""
    angle = 2 * pi * ppm / PPM
    rx, ry = width - 0.5, height * 2 - 0.5
    part = max(0.0, 1 - inside / min(rx, ry))
    x, y = width + rx * part * sin(angle), height * 2 - ry * part * cos(angle)
    return max(0, min(width - 1, int(x / 2))), max(0, min(height - 1, int(y / 4)))


def draw(canvas: Canvas, snapshot: Snapshot, selected: str, glyphs: Glyphs) -> None:
    """The band, on the whole canvas."""
    ticks = 0 < len(snapshot.tokens) <= TICKS_MAX and canvas.height >= 10
    form = shape(canvas.height, ticks)
    owners = [segment.owner for segment in snapshot.ring]
    if glyphs.braille:
        _band(canvas, snapshot, owners, selected, form)
        if ticks:
            _ticks(canvas, snapshot)
    else:
        _cells(canvas, snapshot, owners, selected, form, glyphs)


def _band(canvas: Canvas, snapshot: Snapshot, owners: Sequence[str], selected: str, form: Shape) -> None:
    bits: dict[Cell, int] = {}
    votes: dict[Cell, dict[str, int]] = {}
    for x, y, bit, degree, depth in dots(canvas.width, canvas.height, form.bulge, form.rim):
        owner = owners[degree]
        if depth < (form.bulge if owner == selected else form.band):
            cell = x, y
            bits[cell] = bits.get(cell, 0) | bit
            tally = votes.setdefault(cell, {})
            tally[owner] = tally.get(owner, 0) + 1
    inks: dict[str, Ink] = {}
    for (x, y), mask in bits.items():
        tally = votes[x, y]
        owner = max(tally, key=lambda name: (tally[name], name == selected, name))
        if owner not in inks:
            inks[owner] = ink(snapshot, owner)
        canvas.put(x, y, chr(BRAILLE_BASE + mask), inks[owner])


def _ticks(canvas: Canvas, snapshot: Snapshot) -> None:
    """Where the virtual nodes lie: a tick outside of the band each."""
    for token in snapshot.tokens:
        angle = 2 * pi * token.at_ppm / PPM
        for depth in (0.0, 1.0):
            rx, ry = canvas.width - 0.5 - depth, canvas.height * 2 - 0.5 - depth
            px = min(canvas.width * 2 - 1, max(0, int(canvas.width + rx * sin(angle))))
            py = min(canvas.height * 4 - 1, max(0, int(canvas.height * 2 - ry * cos(angle))))
            text = chr(BRAILLE_BASE + BRAILLE_BITS[py % 4][px % 2])
            x, y = px // 2, py // 4
            blank = canvas.char_at(x, y) == " "
            canvas.overlay(x, y, text, ink(snapshot, token.owner) if blank else canvas.ink_at(x, y))


def _cells(
    canvas: Canvas, snapshot: Snapshot, owners: Sequence[str], selected: str, form: Shape, glyphs: Glyphs
) -> None:
    """Whole cells: a block each, or in ASCII the last digit of the owner's number."""
    votes: dict[Cell, dict[str, int]] = {}
    for x, y, _, degree, depth in dots(canvas.width, canvas.height, form.bulge, form.rim):
        owner = owners[degree]
        tally = votes.setdefault((x, y), {})
        if depth < (form.bulge if owner == selected else form.band):
            tally[owner] = tally.get(owner, 0) + 1
    for (x, y), tally in votes.items():
        if sum(tally.values()) < 3:
            continue
        owner = max(tally, key=lambda name: (tally[name], name == selected, name))
        canvas.put(x, y, sign(owner, glyphs), ink(snapshot, owner))


def sign(owner: str, glyphs: Glyphs) -> str:
    """What stands for a node's part of the key space in one cell."""
    if glyphs.name != "ascii":
        return glyphs.block
    numbered = NUMBERED.fullmatch(owner)
    if numbered is None:
        return owner[:1] or "?"
    number = int(numbered[1])
    return str(number) if number < 10 else "abcdefghijklmnopqrstuvwxyz"[(number - 10) % 26]


# -- a key on the ring -----------------------------------------------------------------------------------------------


def walk(snapshot: Snapshot, key: KeyState) -> list[tuple[int, str]]:
    """Where on the ring the walk from the key first meets each node of its group: (ppm, node), clockwise."""
    found: list[tuple[int, str]] = []
    for name in key.group:
        if snapshot.tokens:
            ways = [((token.at_ppm - key.at_ppm) % PPM, token.at_ppm) for token in snapshot.tokens
                    if token.owner == name]  # fmt: skip
            if ways:
                found.append((min(ways)[1], name))
            continue
        start = key.at_ppm * DEGREES // PPM
        for step in range(DEGREES):
            degree = (start + step) % DEGREES
            if snapshot.ring[degree].owner == name:
                found.append(((degree * PPM + PPM // 2) // DEGREES, name))
                break
    return found


def draw_key(canvas: Canvas, snapshot: Snapshot, key: KeyState, glyphs: Glyphs, spoke: bool = True) -> None:
    """A spoke to the key's place, its walk along the inner side of the band, a number at each replica."""
    if key.at_ppm < 0 or not snapshot.ring:
        return
    form = shape(canvas.height, 0 < len(snapshot.tokens) <= TICKS_MAX and canvas.height >= 10)
    inside = form.rim + form.bulge + 2.5
    at = place(canvas.width, canvas.height, key.at_ppm, inside)
    if spoke:
        canvas.line(canvas.width // 2, canvas.height // 2, *at, "bright", glyphs=glyphs)
    stops = walk(snapshot, key)
    if stops:
        whole = max((stop - key.at_ppm) % PPM for stop, _ in stops)
        for step in range(whole // 4_000):
            x, y = place(canvas.width, canvas.height, key.at_ppm + step * 4_000, inside)
            canvas.line(x, y, x, y, "bright", glyphs=glyphs)
    taken = {at}
    canvas.put(*at, "*", "bright")
    for number, (stop, name) in enumerate(stops, 1):
        cell = place(canvas.width, canvas.height, stop, inside)
        for deeper in range(1, 4):
            if cell not in taken:
                break
            cell = place(canvas.width, canvas.height, stop, inside + 4 * deeper)
        if cell not in taken:
            taken.add(cell)
            canvas.put(*cell, str(number), ink(snapshot, name) + "!")
