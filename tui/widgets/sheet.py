"""How every dialogue looks: a box over the middle of the screen, drawn on a canvas like everything else.

A view (`pick`, `form`, `prompt`, `pages`) says *what* to show as a `Sheet`: rows above, rows that scroll, rows below.
`lay` makes a card of it that fits the screen. So four dialogues share one look, in any glyph set and theme, and a
dialogue is tested as text. Canvases instead of Textual's modal screens: opening one would paint the whole screen
twice, which on a slow line is a second of waiting; this paints a box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from tui.canvas import Canvas, Ink, clip, legible, wrap
from tui.glyphs import Glyphs
from tui.panel import Outcome
from tui.widgets.lineedit import Runs

LEAST = (24, 5)
"""Columns and rows below which no dialogue is drawn; it waits, with all that was typed."""

MARGIN = 1
"""Blank columns at both sides, so that the border stands apart from what it covers."""


@dataclass(frozen=True, slots=True)
class Close:
    """The dialogue is done and nothing came of it."""


@dataclass(frozen=True, slots=True)
class Give:
    """The dialogue's answer; it closes unless performing it fails."""

    outcome: Outcome


Answer: TypeAlias = Close | Give | None
"""None: the dialogue stays."""


@dataclass(slots=True)
class Sheet:
    """What a view shows at one width."""

    title: str
    head: list[Runs] = field(default_factory=list)
    body: list[Runs] = field(default_factory=list)
    foot: list[Runs] = field(default_factory=list)
    body_rows: int = 0
    """Rows to keep for the body even if it is shorter now, so that the box does not jump."""
    most_rows: int = 1000
    """Rows of the body to show at once, at most."""
    lit: int | None = None
    """The selected row of the body; it is kept in sight."""
    keys: tuple[tuple[str, str], ...] = ()
    """What the keys do, for the lower border."""
    scroll_keys: tuple[tuple[str, str], ...] = ()
    """The same, shown before them where there is something to scroll."""


class Card(NamedTuple):
    """A dialogue on the screen. `first` is the row of the canvas where the body's row `top` is; `page` rows follow."""

    x: int
    y: int
    canvas: Canvas
    first: int
    top: int
    page: int


class View:
    """A dialogue in use. Subclasses keep what is selected and typed; none of them knows the terminal."""

    wide = 76
    """The columns it would like inside its border."""

    def __init__(self) -> None:
        self.error = ""
        self.top = 0
        self.page = 1

    @property
    def typing(self) -> bool:
        """Whether printable keys are text now."""
        return False

    def press(self, key: str) -> Answer:
        """Answer a key, named as the session names keys."""
        raise NotImplementedError

    def paste(self, text: str) -> None:
        """Take pasted text; only where a line can be typed."""

    def choose(self, row: int) -> Answer:
        """A click on a row of the body."""
        return None

    def sheet(self, width: int, glyphs: Glyphs) -> Sheet:
        """What to show in `width` columns."""
        raise NotImplementedError


def lay(view: View, width: int, height: int, glyphs: Glyphs) -> Card | None:
    """The card of a view on a screen; None where there is no room for any."""
    if width < LEAST[0] or height < LEAST[1]:
        return None
    inner = min(view.wide, width - 4 - 2 * MARGIN - (0 if width < 80 else 2))
    sheet = view.sheet(inner, glyphs)
    most = max(1, height - (2 if height < 24 else 4) - 2)
    head, foot = _fit(sheet, most)
    rule = bool(foot)
    page = min(max(len(sheet.body), sheet.body_rows), sheet.most_rows, most - len(head) - len(foot) - rule)
    page = max(1, page)
    view.page = page
    view.top = _scrolled(view.top, page, len(sheet.body), sheet.lit)

    rows = len(head) + page + rule + len(foot)
    canvas = Canvas(inner + 4, rows + 2)
    canvas.box(0, 0, inner + 4, rows + 2, sheet.title, ink="line", glyphs=glyphs)
    for y, runs in enumerate(head, 1):
        _row(canvas, y, runs)
    first = 1 + len(head)
    for y, runs in enumerate(sheet.body[view.top : view.top + page], first):
        lit = view.top + y - first == sheet.lit
        _row(canvas, y, runs, lit)
        if lit:
            canvas.put(1, y, glyphs.mark_left, "accent")
    _more(canvas, view.top, page, len(sheet.body), first, glyphs)
    if rule:
        y = first + page
        canvas.put(0, y, glyphs.tee_left + glyphs.horizontal * (inner + 2) + glyphs.tee_right, "line")
        for row, runs in enumerate(foot, y + 1):
            _row(canvas, row, runs)
    _keys(canvas, sheet.scroll_keys + sheet.keys if len(sheet.body) > page else sheet.keys)
    card = Canvas(canvas.width + 2 * MARGIN, canvas.height)
    card.blit(canvas.fit(glyphs), MARGIN, 0)
    return Card((width - card.width) // 2, (height - card.height) // 2, card, first, view.top, page)


def paragraph(text: str, width: int, ink: Ink = "text", rows: int | None = None) -> list[Runs]:
    """Wrapped text; with `rows`, exactly that many, the last one clipped."""
    lines = wrap(text, width) if text else []
    if rows is not None:
        if len(lines) > rows:
            lines = [*lines[: rows - 1], clip(" ".join(lines[rows - 1 :]), width)] if rows else []
        lines += [""] * (rows - len(lines))
    return [((line, ink),) for line in lines]


def hint(text: str, width: int) -> list[Runs]:
    """A dim line and a blank one below it; its own spaces are kept if it fits."""
    if not text:
        return []
    rows: list[Runs] = [((text, "dim"),)] if len(text) <= width else paragraph(text, width, "dim")
    return [*rows, ()]


def columns(*cells: tuple[str, int, Ink]) -> Runs:
    """Cells of fixed widths; what is too long is clipped."""
    return tuple((clip(text, width).ljust(width), ink) for text, width, ink in cells if width > 0)


def arrows(glyphs: Glyphs, across: bool = False) -> str:
    """How the arrow keys are written in the border."""
    if glyphs.name == "ascii":
        return "left right" if across else "up down"
    return glyphs.arrow_left + glyphs.arrow_right if across else glyphs.arrow_up + glyphs.arrow_down


def _fit(sheet: Sheet, most: int) -> tuple[list[Runs], list[Runs]]:
    """Head and foot, cut where the screen is so low that the body would have no row: the foot goes first."""
    room = most - min(3, len(sheet.body) or 1)
    head = sheet.head[: max(0, room)]
    room -= len(head) + 1
    foot = sheet.foot[: max(0, room)]
    return head, foot


def _scrolled(top: int, page: int, length: int, lit: int | None) -> int:
    if lit is not None:
        top = min(max(top, lit - page + 1), lit)
    return max(0, min(top, length - page))


def _row(canvas: Canvas, y: int, runs: Sequence[tuple[str, Ink]], lit: bool = False) -> None:
    """A row between the borders; a lit one is lit all over, chips excepted."""
    inside = canvas.width - 4
    if lit:
        canvas.fill(1, y, inside + 2, 1, " ", "selected")
    x = 2
    for text, ink in runs:
        text = legible(text)[: max(0, 2 + inside - x)]
        x = canvas.put(x, y, text, "selected" if lit and not ink.endswith("!") else ink)


def _more(canvas: Canvas, top: int, page: int, length: int, first: int, glyphs: Glyphs) -> None:
    """What lies beyond the edges: arrows in the border, and how far one has come."""
    if length <= page:
        return
    x, y = canvas.width - 1, canvas.height - 1
    if top > 0:
        canvas.put(x, first, glyphs.arrow_up, "accent")
    if top + page < length:
        canvas.put(x, first + page - 1, glyphs.arrow_down, "accent")
    if canvas.width >= 40:  # below that the keys need the room
        canvas.put_right(x, y, f" {top + 1}-{min(top + page, length)} of {length} ", "dim")


def _keys(canvas: Canvas, keys: tuple[tuple[str, str], ...]) -> None:
    """The keys in the lower border: the last ones, how to choose and to leave, are dropped last."""
    y, x = canvas.height - 1, 2
    end = canvas.width - 2
    while end > x and canvas.ink_at(end - 1, y) == "dim":
        end -= 1
    while keys and x + 1 + sum(len(key) + len(label) + 3 for key, label in keys) > end:
        keys = keys[1:]
    if not keys:
        return
    rest = canvas.char_at(x, y)
    x = canvas.put(x, y, " ", "dim")
    for key, label in keys:
        x = canvas.put(x, y, key, "key")
        x = canvas.put(x, y, f" {label}  ", "dim")
    canvas.put(x - 1, y, rest, "line")
