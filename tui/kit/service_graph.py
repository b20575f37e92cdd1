"""The service graph: services in layers from those that call to the data, the calls between them, what is selected.

Few services stand in columns, and every call is a wire with room for what it carries: ``draw_columns``. Seventy
services and three hundred calls drawn so are a ball of wool: there layers are rows of cells, and only the calls of the
selected one are drawn: ``draw_rows``. A panel says which services and calls there are, and how each is written.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit import clicks
from tui.kit.parts import Piece, put_lines
from tui.kit.words import chip
from tui.panel import Focus, Hit

GAP, GAP_MAX = 3, 30
"""Columns of a wire."""
ROOMY: Final = 9
"""Columns of a wire from which its chip has blanks around it."""
STEP_US: Final = 90_000
"""A mark runs one column in this time."""
FLOW: Final = ((200, 2), (100, 3), (50, 4), (20, 6), (5, 9), (0, 14))
"""From so many calls a second on marks follow each other in so many columns."""
WIRE: Final = frozenset("─━-=→> ▌▐<xCOHFDM*q")
"""What a wire is drawn with, and what may stand on it."""
HEAD: Final = 8
"""Columns that the name of a layer takes before its cells."""
CELL_MAX, NAMED, SPACED = 19, 9, 13
"""Columns of a cell at most, from which it has a name, and from which it has a blank before that."""


class Service(Protocol):
    """A node: it stands in a layer."""

    @property
    def layer(self) -> str: ...


class Call(Protocol):
    """An edge between two services, by their names."""

    @property
    def src(self) -> str: ...
    @property
    def dst(self) -> str: ...


S = TypeVar("S", bound=Service)
C = TypeVar("C", bound=Call)
Lines: TypeAlias = Sequence[Sequence[Piece]]


def layers(services: Iterable[S], order: Sequence[str]) -> dict[str, tuple[S, ...]]:
    """The services of each layer that has any: the layers in this order, and then whatever else there is."""
    every = tuple(services)
    names = dict.fromkeys((*order, *(each.layer for each in every)))
    found = {name: tuple(each for each in every if each.layer == name) for name in names}
    return {name: there for name, there in found.items() if there}


def into(calls: Iterable[C], name: str) -> tuple[C, ...]:
    """The calls that lead to a service."""
    return tuple(each for each in calls if each.dst == name)


def out_of(calls: Iterable[C], name: str) -> tuple[C, ...]:
    """The calls that it makes."""
    return tuple(each for each in calls if each.src == name)


def hits(
    canvas: Canvas, nodes: Mapping[str, Focus], call_to: Callable[[Focus], Focus | None] = lambda node: None
) -> tuple[Hit, ...]:
    """What can be clicked: services by their names, and by the wire before a name the call that leads to it."""
    found = clicks.named(canvas, nodes)
    wires = []
    for hit in found:
        start = hit.x
        while start > 0 and canvas.char_at(start, hit.y) in WIRE:
            start -= 1
        call = call_to(hit.focus)
        if call is not None and start < hit.x - 1:
            wires.append(Hit(start, hit.y, hit.x - start, 1, call))
    return (*wires, *found)


def put_chip(canvas: Canvas, x: int, y: int, text: str, ink: Ink, selected: bool, glyphs: Glyphs) -> None:
    """A name or letter as a chip, between marks if it is selected."""
    if text.strip():
        canvas.put(x, y, text, chip(ink))
    if selected:
        canvas.put(x - 1, y, glyphs.mark_left, "bright")
        canvas.put(x + len(text), y, glyphs.mark_right, "bright")


# -- in columns, with wires ------------------------------------------------------------------------------------------


class Node(NamedTuple):
    """A service in a column: its chip, and ``below(columns, rows)``, what is written beneath it."""

    id: str
    label: str
    ink: Ink
    below: Callable[[int, int], Lines]


class Wire(NamedTuple):
    """A call as it is drawn."""

    id: str
    src: str
    dst: str
    below: Callable[[int, int], Lines]
    """``below(columns, rows)``: what is written beneath it."""
    ink: Ink = "text"
    """Of the chip in its middle, and of the marks that run along it."""
    letter: str = ""
    """On that chip; empty: there is none."""
    asked: int = 0
    """Calls a second before the chip, and behind it."""
    sent: int = 0
    failing: bool = False
    """Whether many answers are errors: they come back as marks of their own."""
    cut: bool = False
    """Whether nothing gets through at all."""
    shut: bool = False
    """Whether it is interrupted behind the chip."""
    flights: tuple[tuple[Any, bool, Ink], ...] = ()
    """Messages that are on it now: each, whether it goes there rather than back, and its ink."""
    signs: Piece = ("", "text")
    """Letters behind the chip for what is wrong."""


class Spot(NamedTuple):
    """Where a service stands: the columns of its chip, and of what is beneath it."""

    x: int
    y: int
    width: int
    room: int


def draw_columns(
    canvas: Canvas, columns: Sequence[Sequence[Node]], wires: Iterable[Wire], selected: str, now_us: int,
    least: Sequence[int], glyphs: Glyphs,
) -> bool:  # fmt: skip
    """Everything, with ``least`` columns for each layer; False: there is no room for it, and nothing is drawn."""
    rows = max((len(column) for column in columns), default=0)
    rooms = [max(low, *(len(node.label) for node in column)) for low, column in zip(least, columns, strict=False)]
    gaps = _gaps(columns, canvas.width - sum(rooms) - 2)
    if not 0 < rows <= canvas.height or min(gaps, default=GAP) < GAP:
        return False
    drawing = _Columns(canvas, columns, rooms, gaps, min(5, canvas.height // rows), selected, now_us, glyphs)
    drawing.draw([wire for wire in wires if wire.src in drawing.spots and wire.dst in drawing.spots])
    return True


def _gaps(columns: Sequence[Sequence[Node]], free: int) -> list[int]:
    """How the free columns are shared out: a wire that branches needs two more."""
    count = len(columns) - 1
    if count < 1:
        return []
    more = [2 * (len(right) > len(left)) for left, right in pairwise(columns)]
    each, rest = divmod(free - sum(more), count)
    gaps = [each + extra for extra in more]
    gaps[-1] += rest
    return [min(gap, GAP_MAX) for gap in gaps]


class _Columns:
    """A graph on its canvas. ``pitch``: rows from one service to the next."""

    def __init__(
        self, canvas: Canvas, columns: Sequence[Sequence[Node]], rooms: list[int], gaps: list[int], pitch: int,
        selected: str, now_us: int, glyphs: Glyphs,
    ) -> None:  # fmt: skip
        self.canvas, self.columns, self.pitch = canvas, columns, pitch
        self.selected, self.now_us, self.glyphs = selected, now_us, glyphs
        self.spots: dict[str, Spot] = {}
        rows = max(len(column) for column in columns)
        top = max(0, (canvas.height - pitch * rows + (pitch > 3)) // 2)
        x = 1 + max(0, canvas.width - sum(rooms) - sum(gaps) - 2) // 2
        for column, room, gap in zip(columns, rooms, (*gaps, 0), strict=True):
            first = top + (rows - len(column)) * pitch // 2 - (len(column) < rows and pitch <= 2)
            for number, node in enumerate(column):
                self.spots[node.id] = Spot(x, max(0, first + number * pitch), len(node.label), room)
            x += room + gap

    def draw(self, wires: Sequence[Wire]) -> None:
        """Wires, and over them the services."""
        for wire in wires:
            self._bus(self.spots[wire.src], self.spots[wire.dst].y)
        for wire in wires:
            self._wire(wire, self.spots[wire.src], self.spots[wire.dst], len(out_of(wires, wire.src)) > 1)
        for column in self.columns:
            rows = max(self.pitch, 4) if len(column) == 1 and self.pitch > 1 else self.pitch
            for node in column:
                x, y, _, room = self.spots[node.id]
                put_chip(self.canvas, x, y, node.label, node.ink, node.id == self.selected, self.glyphs)
                below = node.below(room, min(rows, self.canvas.height - y) - 1)
                put_lines(self.canvas, x, y + 1, below, x + room)

    def _bus(self, src: Spot, y: int) -> None:
        """The upright part of a wire that leads to another row."""
        if y == src.y:
            return
        canvas, glyphs, start = self.canvas, self.glyphs, src.x + src.width
        x, step = start + 1, 1 if y > src.y else -1
        canvas.put(start, src.y, glyphs.horizontal, "line")
        for row in range(src.y + step, y, step):
            if canvas.char_at(x, row) == " ":
                canvas.put(x, row, glyphs.vertical, "line")
        canvas.put(x, src.y, glyphs.tee_right, "line")
        corner = glyphs.bottom_left if step > 0 else glyphs.top_left
        canvas.put(x, y, corner if canvas.char_at(x, y) == " " else glyphs.tee_left, "line")

    def _wire(self, wire: Wire, src: Spot, dst: Spot, branched: bool) -> None:
        canvas, glyphs, y = self.canvas, self.glyphs, dst.y
        start, stop = src.x + src.width + 2 * branched, dst.x - 1
        middle = stop - max(2, (stop + 1 - start) // 2)
        roomy = stop + 1 - start >= ROOMY
        selected = wire.id == self.selected
        line, ink = (glyphs.played, "bright") if selected else (glyphs.horizontal, "line")
        cells = [" " if wire.shut and x > middle and (x - middle) % 2 else line for x in range(start, stop)]
        canvas.put(start, y, "".join(cells), ink)
        canvas.put(stop, y, " " if wire.shut else glyphs.arrow_right, ink)
        self._marks(wire, start, middle, stop, y)
        letter = wire.letter or " "
        put_chip(canvas, middle - roomy, y, f" {letter} " if roomy else letter, wire.ink, selected, glyphs)
        signs, ink = wire.signs
        if signs:
            canvas.put(middle + 2 + roomy, y, signs[: max(1, stop - middle - 2 - roomy)], chip(ink))
        if self.pitch > 1:
            x = max(start, src.x + src.room + (self.pitch > 2) if src.y == y else 0)
            put_lines(canvas, x, y + 1, wire.below(stop + 1 - x, self.pitch - 1), stop + 1)

    def _marks(self, wire: Wire, start: int, middle: int, stop: int, y: int) -> None:
        """Marks for calls, behind the chip for those that get through, with failed answers coming back; and messages
        where they are at this very moment.
        """
        phase, canvas = self.now_us // STEP_US, self.canvas
        asked, sent = (next((step for least, step in FLOW if rate >= least), 0) for rate in (wire.asked, wire.sent))
        for x in range(start, stop):
            if x < middle and wire.asked and (x - phase) % asked == 0:
                canvas.put(x, y, ">", wire.ink)
            if x <= middle or not wire.sent:
                continue
            if wire.failing and (x + phase) % (sent + 1) == 0:
                canvas.put(x, y, "<", "error")
            elif not wire.cut and (x - phase) % sent == 0:
                canvas.put(x, y, ">", wire.ink)
        for flight, there, ink in wire.flights:
            whole = max(1, flight.arrives_us - flight.departs_us)
            flown = min(whole, max(0, self.now_us - flight.departs_us))
            x = start + (stop - start - 1) * (flown if there else whole - flown) // whole
            canvas.put(x, y, ">" if there else "<", ink)


# -- in rows of cells ------------------------------------------------------------------------------------------------


class Cell(NamedTuple):
    """A service in a row: a sign that tells how it fares, and its name."""

    sign: str
    glow: Ink
    """Of the sign."""
    ink: Ink
    """Of the name."""
    mark: str = ""
    """Before it, where it is not selected and not called."""


class Grid(NamedTuple, Generic[S]):
    """Rows of cells: columns of a cell, cells of a row, rows between layers."""

    cell: int
    per: int
    gap: int
    layers: dict[str, tuple[S, ...]]

    @property
    def rows(self) -> int:
        """Rows of all layers."""
        return sum(-(-len(each) // self.per) for each in self.layers.values()) + self.gap * (len(self.layers) - 1)


def grid_of(layers: dict[str, tuple[S, ...]], longest: int, width: int, height: int) -> Grid[S] | None:
    """The widest cells with which all services fit, whose longest name has so many letters; None: not even as single
    characters.
    """
    for cell in range(min(CELL_MAX, max(NAMED, longest + 4)), 1, -1):
        per = (width - HEAD) // cell
        if 2 < cell < NAMED or per < 1:
            continue
        grid = Grid(cell, per, 0, layers)
        if grid.rows <= height:
            return next((wider for gap in (3, 2, 1) if (wider := grid._replace(gap=gap)).rows <= height), grid)
    return None


def draw_rows(
    canvas: Canvas, grid: Grid[S], name: Callable[[S], str], cells: Mapping[str, Cell], calls: Sequence[Call],
    selected: str, glyphs: Glyphs,
) -> None:  # fmt: skip
    """The layers, and the calls of the selected service where there is room: an arrow marks who is at their ends."""
    callers, callees = ({each.src for each in into(calls, selected)}, {each.dst for each in out_of(calls, selected)})
    marks = ((glyphs.mark_left, {selected}), (glyphs.arrow_up, callers), (glyphs.arrow_down, callees))
    spots: dict[str, tuple[int, int]] = {}
    y = 0
    for title, services in grid.layers.items():
        canvas.put(1, y, clip(title, HEAD - 2), "dim")
        for number, each in enumerate(map(name, services)):
            x, row = HEAD + number % grid.per * grid.cell, y + number // grid.per
            spots[each] = x + grid.cell // 2, row
            mark = next((mark for mark, there in marks if each in there), cells[each].mark)
            _cell(canvas, x, row, grid.cell, each, cells[each], mark, each == selected)
        y += -(-len(services) // grid.per) + grid.gap
    if selected in spots and grid.cell >= NAMED and grid.gap:
        for other in sorted((callers | callees) & spots.keys()):
            canvas.line(*spots[selected], *spots[other], "accent" if other in callees else "line", True, glyphs)


def _cell(canvas: Canvas, x: int, y: int, width: int, name: str, cell: Cell, mark: str, selected: bool) -> None:
    if width < NAMED:
        canvas.put(x, y, cell.sign, "selected" if selected else cell.glow)
        return
    canvas.put(x, y, mark or " ", "bright" if selected else "accent")
    canvas.put(x + 1, y, cell.sign, cell.glow)
    at = 3 if width >= SPACED else 2
    canvas.put(x + at, y, shortened(name, width - at - 1), "selected" if selected else cell.ink)


def shortened(name: str, width: int) -> str:
    """A name in little room keeps the first letter of its last part: ``catalog-cache`` is ``catal-c``."""
    head, dash, tail = name.rpartition("-")
    if len(name) <= width or not dash or width < 5:
        return name[:width]
    return f"{head[: width - 2]}-{tail[: width - 1 - len(head[: width - 2])]}"
