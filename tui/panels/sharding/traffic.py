"""Who talks to whom now: nodes on an ellipse, clients in the corners, and every message as a letter on its way.

In the ring variants the ellipse lies inside the ring. A line is drawn where keys travel, so that a migration is seen
also between two parcels.
"""

from math import cos, pi, sin
from typing import Final, NamedTuple

from engines.sharding.world.events import UnitState
from engines.sharding.world.messages import Keys, KeysAck, is_routine
from engines.sharding.world.snapshot import Snapshot
from engines.sim.views import Flight
from tui.canvas import Canvas, Ink
from tui.glyphs import Glyphs
from tui.kit.cluster import share
from tui.panels.sharding.describe import message_letter
from tui.panels.sharding.queries import CFG, MESSAGE_INKS, chip_ink, ink, letter, moving, shown

ROUTINE: Final = "HhEer"
"""Letters that are not drawn: they say little and come all the time."""

Cell = tuple[int, int]


class Board(NamedTuple):
    """Where everybody stands: the middle of each name."""

    spots: dict[str, Cell]
    width: int
    """Columns of a node's chip."""


def place_nodes(snapshot: Snapshot, x: int, y: int, width: int, height: int) -> Board | None:
    """Nodes clockwise on an ellipse within a rectangle, or along its edges if two would touch; None if there, too."""
    ids = [node.id for node in shown(snapshot)]
    if not ids:
        return None
    chip = max(len(name) for name in ids) + 2 + any(letter(node) for node in shown(snapshot))
    rx, ry = (width - chip) / 2, (height - 1) / 2
    if rx < 1 or ry < 1:
        return None
    spots: dict[str, Cell] = {}
    for i, name in enumerate(ids):
        angle = 2 * pi * i / len(ids)
        at = round(x + chip // 2 + rx + rx * sin(angle)), round(y + ry - ry * cos(angle))
        if any(abs(at[0] - other[0]) <= chip and at[1] == other[1] for other in spots.values()):
            edges = along_edges(len(ids), x, y, width, height, chip)
            return Board(dict(zip(ids, edges, strict=True)), chip) if edges else None
        spots[name] = at
    return Board(spots, chip)


def along_edges(count: int, x: int, y: int, width: int, height: int, chip: int) -> list[Cell]:
    """So many places clockwise along the edges of a rectangle, from the top left; none if they do not fit."""
    across = (width + 1) // (chip + 1)
    if across < 2 or height < 2:
        return []
    columns = [x + chip // 2 + round(i * (width - chip) / (across - 1)) for i in range(across)]
    top = [(column, y) for column in columns]
    right = [(columns[-1], y + row) for row in range(1, height - 1)]
    bottom = [(column, y + height - 1) for column in reversed(columns)]
    left = [(columns[0], y + row) for row in range(height - 2, 0, -1)]
    places = [*top, *right, *bottom, *left]
    return [places[i * len(places) // count] for i in range(count)] if count <= len(places) else []


def place_clients(snapshot: Snapshot, board: Board, canvas: Canvas, x0: int, x1: int) -> Board:
    """Clients in the corners of a rectangle of columns: left and right, top and bottom, then further in."""
    spots = dict(board.spots)
    names = [client.id for client in snapshot.clients]
    names.sort(key=lambda name: (name in ("you", "router"), name))
    deep = range(max(1, canvas.height // 2))
    corners = [(x, y) for depth in deep for y in (depth, canvas.height - 1 - depth) for x in (x0, x1)]
    if any(client.id == "you" for client in snapshot.clients) and len(corners) >= 4:
        spots["you"] = corners[3][0] - 1, corners[3][1]
        names.remove("you")
    for name, (x, y) in zip(names[: len(corners) - 1], [each for each in corners if each != corners[3]], strict=False):
        at = (x + len(name) // 2, y) if x == x0 else (x - len(name) + 1 + len(name) // 2, y)
        if all(canvas.char_at(column, y) == " " for column in range(at[0] - 2, at[0] + 3)):
            spots[name] = at
    return Board(spots, board.width)


def draw(canvas: Canvas, snapshot: Snapshot, board: Board, focus_node: str, chosen: Flight | None,
         glyphs: Glyphs) -> None:  # fmt: skip
    """Lines where keys travel, names, letters."""
    spots = board.spots
    beneath = Canvas(canvas.width, canvas.height)
    for lane in moving(snapshot):
        if lane.state is UnitState.MIGRATING and lane.source in spots and lane.target in spots:
            beneath.line(*spots[lane.source], *spots[lane.target], ink(snapshot, lane.target), True, glyphs)
    for flight in _worth(snapshot, chosen):
        if flight.src in spots and flight.dst in spots and not isinstance(flight.message, Keys | KeysAck):
            beneath.line(*spots[flight.src], *spots[flight.dst], "line", True, glyphs)
    for y in range(canvas.height):
        for x in range(canvas.width):
            if beneath.char_at(x, y) != " " and canvas.char_at(x, y) == " ":
                canvas.put(x, y, beneath.char_at(x, y), beneath.ink_at(x, y))
    for node in shown(snapshot):
        if node.id in spots:
            x, y = spots[node.id]
            mark = letter(node)
            text = f" {node.id}{mark} " if mark else f" {node.id} "
            start = x - board.width // 2
            canvas.put(start, y, text, chip_ink(snapshot, node))
            if node.id == focus_node:
                canvas.put(start - 1, y, glyphs.mark_left, "bright")
                canvas.put(start + len(text), y, glyphs.mark_right, "bright")
    for client in snapshot.clients:
        if client.id in spots:
            x, y = spots[client.id]
            canvas.put(x - len(client.id) // 2, y, client.id, "you" if client.id == "you" else "client")
    _letters(canvas, snapshot, spots, chosen, glyphs)


def _worth(snapshot: Snapshot, chosen: Flight | None) -> list[Flight]:
    """Messages that are drawn: the selected one whatever it is, then keys, then the rest."""
    found = [each for each in snapshot.flights if each is chosen or _drawn(each)]
    return sorted(found, key=lambda each: (each is not chosen, not isinstance(each.message, Keys), each.id))[:64]


def _drawn(flight: Flight) -> bool:
    """Not what comes all the time, and not what only ``cfg`` is told or says."""
    return message_letter(flight.message) not in ROUTINE and CFG not in (flight.src, flight.dst)


def _letters(canvas: Canvas, snapshot: Snapshot, spots: dict[str, Cell], chosen: Flight | None, glyphs: Glyphs) -> None:
    taken = {(x + dx, y) for x, y in spots.values() for dx in range(-3, 4)}
    for flight in _worth(snapshot, chosen):
        if flight.src not in spots or flight.dst not in spots:
            continue
        (x0, y0), (x1, y1) = spots[flight.src], spots[flight.dst]
        part = 0.16 + 0.68 * share(flight.departs_us, flight.arrives_us, snapshot.at_us)
        x, y = round(x0 + (x1 - x0) * part), round(y0 + (y1 - y0) * part)
        cell = next(((x + dx, y) for dx in (0, 1, -1, 2, -2, 3, -3) if (x + dx, y) not in taken), None)
        if cell is None or not (0 <= cell[0] < canvas.width and 0 <= cell[1] < canvas.height):
            continue
        taken.add(cell)
        canvas.put(*cell, message_letter(flight.message), message_ink(snapshot, flight))
        if flight is chosen:
            canvas.put(cell[0] - 1, y, glyphs.mark_left, "bright")
            canvas.put(cell[0] + 1, y, glyphs.mark_right, "bright")


def message_ink(snapshot: Snapshot, flight: Flight) -> Ink:
    """Keys travel in the colour of their new owner; what is routine is plain."""
    if isinstance(flight.message, Keys):
        return ink(snapshot, flight.dst) + "!"
    base = "you" if "you" in (flight.src, flight.dst) else MESSAGE_INKS.get(message_letter(flight.message), "text")
    return base if is_routine(flight.message) or base == "dim" or message_letter(flight.message) == "v" else base + "!"
