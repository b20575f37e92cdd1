"""The ring: a band in the colours of its owners, thicker where the selected node owns; a selected key and its walk.

A cell holds 2 x 4 dots of braille, and dots are square, so a band twice as many columns wide as it is rows high is
round. Every dot knows its degree, and the snapshot knows who owns that. Block and ASCII glyphs draw whole cells.
"""

from functools import lru_cache
from math import atan2, cos, hypot, pi, sin
from typing import Final, NamedTuple

from engines.sharding.world.snapshot import KeyState, Snapshot
from engines.units import PPM
from tui.canvas import Canvas
from tui.glyphs import Glyphs
from tui.panels.sharding.queries import NUMBERED, ink
from tui.plot import BRAILLE_BASE, BRAILLE_BITS

DEGREES: Final = 360
TICKS_MAX: Final = 160
"""With more virtual nodes than this, ticks would touch each other."""

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
    """Dots kept free outside, for the ticks of virtual nodes; 0: no ticks."""
    band: int
    bulge: int
    """How thick where the selected node owns."""


def shape(snapshot: Snapshot, height: int) -> Shape:
    """Thicker for larger rings."""
    band = max(3, height * 4 // 11)
    ticks = 0 < len(snapshot.tokens) <= TICKS_MAX and height >= 10
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
    """The dot at a place of the ring (ppm of the way round, clockwise from the top), so many dots under the rim."""
    angle = 2 * pi * ppm / PPM
    rx, ry = width - 0.5, height * 2 - 0.5
    part = max(0.0, 1 - inside / min(rx, ry))
    x, y = width + rx * part * sin(angle), height * 2 - ry * part * cos(angle)
    return max(0, min(2 * width - 1, int(x))), max(0, min(4 * height - 1, int(y)))


def draw(canvas: Canvas, snapshot: Snapshot, selected: str, glyphs: Glyphs) -> None:
    """The band, on the whole canvas; without braille in whole cells: a block each, or in ASCII a sign of the owner."""
    form = shape(snapshot, canvas.height)
    bits: dict[Cell, int] = {}
    votes: dict[Cell, dict[str, int]] = {}
    for x, y, bit, degree, depth in dots(canvas.width, canvas.height, form.bulge, form.rim):
        owner = snapshot.ring[degree].owner
        if depth < (form.bulge if owner == selected else form.band):
            cell = x, y
            bits[cell] = bits.get(cell, 0) | bit
            tally = votes.setdefault(cell, {})
            tally[owner] = tally.get(owner, 0) + 1
    for cell, tally in votes.items():
        owner = max(tally, key=lambda name: (tally[name], name == selected, name))
        if glyphs.braille:
            canvas.put(*cell, chr(BRAILLE_BASE + bits[cell]), ink(snapshot, owner))
        elif sum(tally.values()) >= 3:
            canvas.put(*cell, sign(owner, glyphs), ink(snapshot, owner))
    if form.rim and glyphs.braille:
        _ticks(canvas, snapshot)


def _ticks(canvas: Canvas, snapshot: Snapshot) -> None:
    """Where the virtual nodes lie: a tick outside of the band each."""
    for token in snapshot.tokens:
        for depth in (0.0, 1.0):
            px, py = place(canvas.width, canvas.height, token.at_ppm, depth)
            x, y = px // 2, py // 4
            blank = canvas.char_at(x, y) == " "
            text = chr(BRAILLE_BASE + BRAILLE_BITS[py % 4][px % 2])
            canvas.overlay(x, y, text, ink(snapshot, token.owner) if blank else canvas.ink_at(x, y))


def sign(owner: str, glyphs: Glyphs) -> str:
    """What stands for a node's part of the key space in one cell."""
    if glyphs.name != "ascii":
        return glyphs.block
    numbered = NUMBERED.fullmatch(owner)
    if numbered is None:
        return owner[:1] or "?"
    number = int(numbered[1])
    return str(number) if number < 10 else "abcdefghijklmnopqrstuvwxyz"[(number - 10) % 26]


def walk(snapshot: Snapshot, key: KeyState) -> list[tuple[int, str]]:
    """Where on the ring the walk from the key first meets each node of its group: (ppm, node), clockwise."""
    begin = key.at_ppm
    stops = [(token.at_ppm, token.owner) for token in snapshot.tokens]
    if not stops:  # nobody tells where they lie: from degree to degree
        begin = key.at_ppm * DEGREES // PPM * PPM // DEGREES
        stops = [((2 * at + 1) * PPM // (2 * DEGREES), each.owner) for at, each in enumerate(snapshot.ring)]
    found = []
    for name in key.group:
        ways = [((at - begin) % PPM, at) for at, owner in stops if owner == name]
        found += [(at, name) for _, at in sorted(ways)[:1]]
    return found


def draw_key(canvas: Canvas, snapshot: Snapshot, key: KeyState, glyphs: Glyphs, spoke: bool = True) -> None:
    """A spoke to the key's place, its walk along the inner side of the band, a number at each replica."""
    if key.at_ppm < 0 or not snapshot.ring:
        return
    form = shape(snapshot, canvas.height)

    def inner(ppm: int, deeper: int = 0) -> Cell:
        x, y = place(canvas.width, canvas.height, ppm, form.rim + form.bulge + 2.5 + 4 * deeper)
        return x // 2, y // 4

    at = inner(key.at_ppm)
    if spoke:
        canvas.line(canvas.width // 2, canvas.height // 2, *at, "bright", glyphs=glyphs)
    stops = walk(snapshot, key)
    whole = max(((stop - key.at_ppm) % PPM for stop, _ in stops), default=0)
    for step in range(whole // 4_000):
        cell = inner(key.at_ppm + step * 4_000)
        canvas.line(*cell, *cell, "bright", glyphs=glyphs)
    taken = {at}
    canvas.put(*at, "*", "bright")
    for number, (stop, name) in enumerate(stops, 1):
        free = [cell for cell in (inner(stop, deeper) for deeper in range(4)) if cell not in taken]
        if free:
            taken.add(free[0])
            canvas.put(*free[0], str(number), ink(snapshot, name) + "!")
