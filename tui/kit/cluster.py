"""The cluster: machines on an ellipse, what flies between them, and what is wrong with their links.

Links are invisible while nothing happens on them. A message is a letter at its place between departure and arrival:
in this picture nothing moves that the snapshot does not hold. Where an ellipse does not fit, machines stand in two
rows, and where those do not, one below the other.

A panel makes a ``Cluster`` of its snapshot: for each machine how its block is written, for each message its letter. It
knows nothing of cells.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, hypot, pi, sin
from typing import Any, Final, NamedTuple, TypeAlias

from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.link_faults import Link, held_by
from tui.kit.words import chip, percent

FLAT: Final = 5.2
"""How many times wider than high an ellipse may get: beyond, the eye sees a line."""
WIDE_BLOCK, NARROW_BLOCK = 15, 11
MANY: Final = 7
"""So many machines are easier to tell apart in two rows, if the picture is low."""
TALL: Final = 12
"""From this many rows on a machine has a third row, for what is special about it."""
LEGEND_WIDTH, LEGEND_HEIGHT = 100, 14
"""From this size on the picture has corners to explain itself in."""
LIST_NAME: Final = 27
"""Where in a list the remark stands, after chip and state."""
STEPS: Final = (0.15, 0.3, 0.45, 0.6, 0.8, 1.0, 1.2)
"""How far a link may be pulled: 1 is to the middle of the picture, or half its own length aside."""


Cell: TypeAlias = tuple[int, int]
Pieces: TypeAlias = list[tuple[str, Ink]]
Text: TypeAlias = list[Pieces]
"""Rows of a block, in pieces of one ink each."""


# -- what a panel gives ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Node:
    """A machine."""

    id: str
    text: Callable[[int, int], Text]
    """``text(columns, rows)``: what is written on its block, the chip first; at least two rows of room."""
    row: Callable[[], tuple[Pieces, Pieces]]
    """The same in a list: chip and state, and the remark beside them."""


class Client(NamedTuple):
    """Somebody at the edge: a name, and in a few words what it is about."""

    id: str
    doing: str = ""
    ink: Ink = "client"
    right: bool = False
    """Whether it stands at the right."""


class Letter(NamedTuple):
    """A message in flight."""

    id: int
    src: str
    dst: str
    letter: str
    ink: Ink
    share: float
    """How much of its way is behind it, 0 to 1."""
    news: bool = True
    """Whether it says more than that somebody lives: it stands out, and is drawn before what does not."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """All that is drawn."""

    nodes: tuple[Node, ...]
    clients: tuple[Client, ...] = ()
    letters: tuple[Letter, ...] = ()
    links: Sequence[Link] = ()
    """Links that are not as they were laid."""
    selected: str = ""
    """The selected machine."""
    chosen: int | None = None
    """The selected message."""
    legend: tuple[str, ...] = ()
    """What the signs mean, a line each, the most needed first: written in the corners of a large picture."""


class Look(NamedTuple):
    """How a message is written."""

    letter: str
    ink: Ink
    news: bool = True


def letters(flights: Iterable[Any], now_us: int, look: Callable[[Any], Look]) -> tuple[Letter, ...]:
    """The messages of a snapshot, the next to arrive first: those with news as chips of their ink."""
    found = []
    for each in sorted(flights, key=lambda each: (each.arrives_us, each.id)):
        letter, ink, news = look(each)
        way = share(each.departs_us, each.arrives_us, now_us)
        found.append(Letter(each.id, each.src, each.dst, letter, chip(ink) if news else ink, way, news))
    return tuple(found)


def share(departs_us: int, arrives_us: int, now_us: int) -> float:
    """How much of its way a message has behind it."""
    whole = arrives_us - departs_us
    return min(1.0, max(0.0, (now_us - departs_us) / whole)) if whole > 0 else 1.0


def draw(canvas: Canvas, cluster: Cluster, glyphs: Glyphs) -> None:
    """The whole cluster, on the whole canvas."""
    ids = tuple(node.id for node in cluster.nodes)
    placed = place(ids, canvas.width, canvas.height)
    if placed is None:
        draw_list(canvas, cluster, glyphs)
        return
    texts = {node.id: node.text(placed[node.id].w, placed[node.id].h) for node in cluster.nodes}
    blocks = {name: fitted(placed[name], texts[name], canvas.height) for name in placed}
    clients = place_clients(cluster.clients, placed, canvas.width, canvas.height)
    everyone = {**blocks, **clients}
    draw_links(canvas, cluster, everyone, glyphs)
    for name, block in blocks.items():
        draw_block(canvas, block, texts[name], name == cluster.selected, glyphs)
    for client in cluster.clients:
        if client.id in clients:
            (x, _), y = clients[client.id].spans[0], clients[client.id].y
            end = canvas.put(x, y, client.id, client.ink)
            canvas.put(end + 1, y, client.doing, "dim")
    draw_legend(canvas, cluster.legend, everyone.values())
    draw_letters(canvas, cluster.letters, cluster.chosen, everyone, glyphs)


# -- where everything stands -----------------------------------------------------------------------------------------


class Block(NamedTuple):
    """The room of a server or client, and what of it is written on."""

    x: int
    y: int
    w: int
    h: int
    aim: int = 0
    """The row that links aim at."""
    spans: tuple[tuple[int, int], ...] = ()
    """First and last column of the text in each row; none: all of it."""

    @property
    def middle(self) -> Cell:
        """Where links aim at."""
        x0, x1 = self.spans[0] if self.spans else (self.x, self.x + self.w - 1)
        return (x0 + x1 + 1) // 2, self.y + self.aim

    def holds(self, x: int, y: int) -> bool:
        """Whether a cell is taken by its text, or would touch it."""
        if not self.spans:
            return self.x <= x < self.x + self.w and self.y <= y < self.y + self.h
        row = y - self.y
        return 0 <= row < len(self.spans) and self.spans[row][0] - 1 <= x <= self.spans[row][1] + 1


def place(ids: Sequence[str], width: int, height: int) -> dict[str, Block] | None:
    """A block for every machine, none over another: an ellipse, else two rows; None: there is no room for either."""
    rows = 3 if height >= TALL else 2
    found = [ellipse(len(ids), w, h, width, height) for w, h in ((WIDE_BLOCK, rows), (NARROW_BLOCK, rows))]
    found = [spots for spots in (*found, ellipse(len(ids), NARROW_BLOCK, 2, width, height)) if spots]
    lines = _two_rows(len(ids), width, height)
    crowded = len(ids) >= MANY and height < TALL
    spots = next((spots for spots in ([lines, *found] if crowded else [*found, lines]) if spots), None)
    return dict(zip(ids, spots, strict=True)) if spots else None


def _two_rows(count: int, width: int, height: int) -> list[Block]:
    """Clockwise, too; empty if there is no room."""
    across, below = (count + 1) // 2, count // 2
    w = min(WIDE_BLOCK, width // across)
    if w < NARROW_BLOCK or height < 6:
        return []
    top = [Block((2 * i + 1) * width // (2 * across) - w // 2, 0, w, 2) for i in range(across)]
    low = [Block((2 * i + 1) * width // (2 * below) - w // 2, height - 2, w, 2) for i in reversed(range(below))]
    return [*top, *low]


def ellipse(count: int, w: int, h: int, width: int, height: int) -> list[Block]:
    """Clockwise from the top; empty if two would touch."""
    ry = (height - h) / 2
    rx = min((width - w) / 2, max(32.0, FLAT * ry))
    angles = [2 * pi * i / count for i in range(count)]
    lowest = max(1 - cos(angle) for angle in angles) or 1.0  # an odd number has nobody at the very bottom: stretched
    spots = [
        Block(round((width - w) / 2 + rx * sin(angle)), round((height - h) * (1 - cos(angle)) / lowest), w, h)
        for angle in angles
    ]
    return spots if _apart(spots, width, height) else []


def _apart(spots: list[Block], width: int, height: int) -> bool:
    """Whether all are inside, and there is air between any two."""
    inside = all(b.x >= 0 and b.y >= 0 and b.x + b.w <= width and b.y + b.h <= height for b in spots)
    return inside and not any(
        a.x < b.x + b.w + 1 and b.x < a.x + a.w + 1 and a.y < b.y + b.h and b.y < a.y + a.h
        for i, a in enumerate(spots)
        for b in spots[:i]
    )


def place_clients(clients: Iterable[Client], blocks: dict[str, Block], width: int, height: int) -> dict[str, Block]:
    """Clients at the edges, where no machine stands."""
    taken = list(blocks.values())
    found: dict[str, Block] = {}
    for client in clients:
        w = min(12, max(3, width // 6))
        text = f"{client.id} {client.doing}".rstrip()
        rights = [Block(width - w, y, w, 1, 0, ((width - 1 - len(text), width - 2),)) for y in range(height)]
        lefts = [Block(1, y, w, 1, 0, ((1, len(text)),)) for y in range(height)]
        for spot in (*rights, *lefts) if client.right else (*lefts, *rights):
            if not any(_touch(spot, other) for other in taken):
                found[client.id] = spot
                taken.append(spot)
                break
    return found


def _touch(a: Block, b: Block) -> bool:
    return a.x <= b.x + b.w and b.x <= a.x + a.w and a.y < b.y + b.h and b.y < a.y + a.h


def path(src: str, dst: str, blocks: dict[str, Block], width: int, height: int) -> list[Cell]:
    """The free cells from one block to another: straight, or bent to the middle as little as passes a server."""
    (x0, y0), (x1, y1) = blocks[src].middle, blocks[dst].middle
    others = [block for name, block in blocks.items() if name not in (src, dst) and block.h > 1]
    for control in _controls((x0, y0), (x1, y1), width, height):
        cells = _curve((x0, y0), control, (x1, y1))
        free = [cell for cell in cells if not any(block.holds(*cell) for block in blocks.values())]
        inside = all(0 <= x < width and 0 <= y < height for x, y in cells)
        if inside and not any(block.holds(*cell) for cell in cells for block in others):
            break
    return free


def _controls(start: Cell, end: Cell, width: int, height: int) -> list[tuple[float, float]]:
    """Where a link may be pulled to: towards the middle of the picture or to either side, the least bent first.

    Distances are as the eye sees them: a cell is twice as high as it is wide.
    """
    (x0, y0), (x1, y1) = start, end
    x, y, across, up = (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, 2 * (y1 - y0)
    length = max(1.0, hypot(across, up))
    aside = (across * (height - 2 * y) - up * (width / 2 - x)) / length
    pulls = [(abs(aside) * step, x + (width / 2 - x) * step, y + (height / 2 - y) * step) for step in STEPS]
    sides = [(step * length / 2, step * side) for step in STEPS for side in (1, -1)]
    pulls += [(far, x - up / 2 * step, y + across / 4 * step) for far, step in sides]
    return [(x, y), *((there, level) for _, there, level in sorted(pulls))]


def _curve(start: Cell, control: tuple[float, float], end: Cell) -> list[Cell]:
    """The cells of a quadratic curve, in order, each once."""
    steps = max(2, abs(start[0] - end[0]) + 2 * abs(start[1] - end[1]))
    cells: list[Cell] = []
    for step in range(steps + 1):
        t = step / steps
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
        cell = round(a * start[0] + b * control[0] + c * end[0]), round(a * start[1] + b * control[1] + c * end[1])
        if not cells or cells[-1] != cell:
            cells.append(cell)
    return cells


# -- links -----------------------------------------------------------------------------------------------------------


def draw_links(canvas: Canvas, cluster: Cluster, blocks: dict[str, Block], glyphs: Glyphs) -> None:
    """Lines where something flies or something is wrong; what is wrong is written on them."""
    ids = [node.id for node in cluster.nodes]
    wrong = {(link.src, link.dst): link for link in cluster.links}
    draw_roads(canvas, cluster.letters, blocks, glyphs)
    labels: list[tuple[Cell, str, Ink]] = []
    for i, one in enumerate(ids):
        for other in ids[i + 1 :]:
            text, ink = _trouble(wrong.get((one, other)), wrong.get((other, one)), blocks, glyphs)
            if not text:
                continue
            cells = path(one, other, blocks, canvas.width, canvas.height)
            _trace(canvas, cells, ink, True, glyphs)
            if cells:
                labels.append((cells[len(cells) // 2], text, ink))
    for (x, y), text, ink in labels:
        canvas.put(max(0, min(canvas.width - len(text), x - len(text) // 2)), y, text, ink)


def draw_roads(canvas: Canvas, letters: Iterable[Letter], blocks: dict[str, Block], glyphs: Glyphs) -> None:
    """A line for every two between whom something flies."""
    busy = {(min(each.src, each.dst), max(each.src, each.dst)) for each in letters}
    for one, other in sorted(busy):
        if one in blocks and other in blocks:
            _trace(canvas, path(one, other, blocks, canvas.width, canvas.height), "line", False, glyphs)


def _trouble(there: Link | None, back: Link | None, blocks: dict[str, Block], glyphs: Glyphs) -> tuple[str, Ink]:
    """What is wrong between two machines, in as few letters as possible, and its ink; nothing: empty."""
    both = [link for link in (there, back) if link]
    cut = [link for link in both if link.cut]
    if len(cut) == 2:
        return "X", "cut"
    if cut:
        return "X" + _arrow(blocks[cut[0].src].middle, blocks[cut[0].dst].middle, glyphs), "cut"
    if held := sum(held_by(link) for link in both):
        return f"{held} held", "slow"
    if loss := max((link.loss_ppm for link in both), default=0):
        return percent(loss).replace(" ", ""), "lost"
    if not both:
        return "", "line"
    shuffled = any(link.duplicate_ppm or link.reorder_ppm for link in both)
    return ("2x", "warn") if shuffled else (f"{max(link.latency_us for link in both) // 1000}ms", "slow")


def _arrow(src: Cell, dst: Cell, glyphs: Glyphs) -> str:
    dx, dy = dst[0] - src[0], 2 * (dst[1] - src[1])
    if abs(dx) >= abs(dy):
        return glyphs.arrow_right if dx > 0 else glyphs.arrow_left
    return glyphs.arrow_down if dy > 0 else glyphs.arrow_up


def _trace(canvas: Canvas, cells: list[Cell], ink: Ink, dashed: bool, glyphs: Glyphs) -> None:
    """A line through cells: straight from end to end if they are, else along them."""
    if len(cells) < 2:
        return
    (x0, y0), (x1, y1) = cells[0], cells[-1]
    x, y = cells[len(cells) // 2]
    straight = abs((x1 - x0) * (y - y0) - (y1 - y0) * (x - x0)) <= 2 * max(abs(x1 - x0), abs(y1 - y0))
    pieces = 1 if straight else min(6, len(cells) - 1)
    knots = [cells[piece * (len(cells) - 1) // pieces] for piece in range(pieces + 1)]
    for (ax, ay), (bx, by) in pairwise(knots):
        canvas.line(ax, ay, bx, by, ink, dashed, glyphs)


# -- machines --------------------------------------------------------------------------------------------------------


def fitted(block: Block, text: Text, height: int) -> Block:
    """The block with the extent of what is written in it; links of the upper half leave below it."""
    spans = []
    for row, pieces in enumerate(text):
        length = sum(len(piece) for piece, _ in pieces)
        # Room for the longest timer is kept, so that nothing moves when a number loses a digit.
        x = block.x + (block.w - (12 if row == 1 and 8 < length < 12 and block.w > 12 else length)) // 2
        spans.append((x, x + length - 1))
    return block._replace(spans=tuple(spans), aim=1 if block.y + 1 < height // 2 else 0)


def draw_block(canvas: Canvas, block: Block, text: Text, selected: bool, glyphs: Glyphs) -> None:
    """A server, between marks if it is selected."""
    for y, ((x, last), pieces) in enumerate(zip(block.spans, text, strict=True), block.y):
        canvas.fill(x - 1, y, last - x + 3, 1)
        for piece, ink in pieces:
            x = canvas.put(x, y, piece, ink)
    if selected:
        x, last = block.spans[0]
        canvas.put(x - 1, block.y, glyphs.mark_left, "bright")
        canvas.put(last + 1, block.y, glyphs.mark_right, "bright")


# -- messages --------------------------------------------------------------------------------------------------------


def draw_letters(
    canvas: Canvas, letters: Iterable[Letter], chosen: int | None, blocks: dict[str, Block], glyphs: Glyphs
) -> None:
    """Every message at its place; what carries news stands out over what only says *I am here*."""
    taken: set[Cell] = set()
    for each in sorted(letters, key=lambda each: (each.id != chosen, not each.news, each.id)):
        if each.src not in blocks or each.dst not in blocks:
            continue
        cells = path(each.src, each.dst, blocks, canvas.width, canvas.height)
        if not cells:
            continue
        cell = _free(cells[round(each.share * (len(cells) - 1))], taken, blocks, canvas)
        if cell is None:
            continue
        taken.add(cell)
        x, y = cell
        canvas.put(x, y, each.letter, each.ink)
        if each.id == chosen:
            for at, mark in ((x - 1, glyphs.mark_left), (x + 1, glyphs.mark_right)):
                if 0 <= at < canvas.width and not any(block.holds(at, y) for block in blocks.values()):
                    canvas.put(at, y, mark, "bright")
                    taken.add((at, y))


def _free(cell: Cell, taken: set[Cell], blocks: dict[str, Block], canvas: Canvas) -> Cell | None:
    """The cell itself, or the next free one beside it."""
    x, y = cell
    for dx, dy in ((0, 0), (1, 0), (-1, 0), (2, 0), (-2, 0), (0, 1), (0, -1), (3, 0), (-3, 0)):
        at = x + dx, y + dy
        inside = 0 <= at[0] < canvas.width and 0 <= at[1] < canvas.height
        if inside and at not in taken and not any(block.holds(*at) for block in blocks.values()):
            return at
    return None


# -- what the signs mean ---------------------------------------------------------------------------------------------


def draw_legend(canvas: Canvas, lines: Sequence[str], blocks: Iterable[Block]) -> None:
    """The lines in the corners of a large picture, where no machine stands: always at the same places."""
    if canvas.width < LEGEND_WIDTH or canvas.height < LEGEND_HEIGHT:
        return
    taken = [(block.x - 2, block.x + block.w + 2, block.y, block.y + block.h) for block in blocks]
    rows = range(canvas.height // 3)
    corners = [(right, y) for right in (False, True) for y in rows]
    for line in lines:
        for place, (right, y) in enumerate(corners):
            x = canvas.width - 1 - len(line) if right else 1
            if not any(x < x1 and x0 < x + len(line) and y0 <= y < y1 for x0, x1, y0, y1 in taken):
                canvas.put(x, y, line, "dim")
                del corners[place]
                break


# -- where there is no room for a picture ----------------------------------------------------------------------------


def draw_list(canvas: Canvas, cluster: Cluster, glyphs: Glyphs) -> None:
    """One machine a row, with the same facts: chip, state, remark, and what flies to and from it."""
    ids = [node.id for node in cluster.nodes]
    at = ids.index(cluster.selected) if cluster.selected in ids else 0
    first = max(0, min(at - canvas.height // 2, len(ids) - canvas.height))
    hidden = len(ids) - canvas.height
    for y, node in enumerate(cluster.nodes[first : first + canvas.height]):
        mark = node.id == cluster.selected
        canvas.put(0, y, glyphs.mark_left if mark else " ", "bright")
        (head, *rest), remark = node.row()
        x = canvas.put(1, y, *head)
        canvas.put(x, y, glyphs.mark_right if mark else " ", "bright")
        x += 2
        for text, ink in rest:
            x = canvas.put(x, y, text, ink)
        x = max(x + 1, LIST_NAME)
        for text, ink in remark:
            x = canvas.put(x, y, clip(text, 10), ink) + 1
        for each in _touching(cluster, node.id):
            out = each.src == node.id
            text = f"{each.letter}{'>' if out else '<'}{each.dst if out else each.src}"
            if x + len(text) > canvas.width:
                break
            x = canvas.put(x, y, text, "selected" if each.id == cluster.chosen else each.ink) + 1
    if hidden > 0:
        canvas.put_right(canvas.width - 1, canvas.height - 1, f" +{hidden} more ", "dim")


def _touching(cluster: Cluster, node: str) -> list[Letter]:
    """Messages from or to this machine, in the order they are given: the next to arrive first."""
    return [each for each in cluster.letters if node in (each.src, each.dst)]
