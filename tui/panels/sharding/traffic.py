"""Who talks to whom now: nodes on an ellipse, clients in the corners, and every message as a letter on its way.

In the ring variants the ellipse lies inside the ring. A line in colour is drawn where keys travel, so that a migration
is seen also between two parcels.
"""

from typing import Final

from engines.sharding.world.events import UnitState
from engines.sharding.world.messages import Keys, KeysAck, is_routine
from engines.sharding.world.snapshot import Snapshot
from engines.sim.views import Flight
from tui.canvas import Canvas
from tui.glyphs import Glyphs
from tui.kit import cluster
from tui.kit.cluster import Block, Look
from tui.kit.selection import message_of
from tui.panel import Focus
from tui.panels.sharding.describe import MESSAGES, message_letter
from tui.panels.sharding.queries import CFG, chip_ink, ink, letter, shown

LETTERS_MAX: Final = 64

Blocks = dict[str, Block]
"""Where everybody stands."""


def place_nodes(snapshot: Snapshot, x: int, y: int, width: int, height: int) -> Blocks:
    """Nodes clockwise on an ellipse within a rectangle, or along its edges if two would touch; none if there, too."""
    nodes = shown(snapshot)
    chip = max((len(node.id) for node in nodes), default=0) + 2 + any(map(letter, nodes))
    if not nodes or width < chip + 2 or height < 3:
        return {}
    spots = cluster.ellipse(len(nodes), chip, 1, width, height) or along_edges(len(nodes), chip, width, height)
    return {node.id: _block(x + spot.x, y + spot.y, chip) for node, spot in zip(nodes, spots, strict=False)}


def along_edges(count: int, chip: int, width: int, height: int) -> list[Block]:
    """So many places clockwise along the edges of a rectangle, from the top left; none if they do not fit."""
    across = (width + 1) // (chip + 1)
    if across < 2 or height < 2:
        return []
    columns = [round(i * (width - chip) / (across - 1)) for i in range(across)]
    top = [(column, 0) for column in columns]
    right = [(columns[-1], row) for row in range(1, height - 1)]
    bottom = [(column, height - 1) for column in reversed(columns)]
    left = [(columns[0], row) for row in range(height - 2, 0, -1)]
    places = [*top, *right, *bottom, *left]
    return [_block(*places[i * len(places) // count], chip) for i in range(count)] if count <= len(places) else []


def place_clients(snapshot: Snapshot, canvas: Canvas, x0: int, x1: int) -> Blocks:
    """Clients in the corners between two columns, then further in, where nothing is; ``you`` at the bottom right."""
    names = sorted((client.id for client in snapshot.clients), key=lambda name: (name in ("you", "router"), name))
    deep = range(max(1, canvas.height // 2))
    corners = [(x, y) for depth in deep for y in (depth, canvas.height - 1 - depth) for x in (x0, x1)]
    found = {}
    yours = corners.pop(3)
    for name, (x, y) in [("you", yours), *zip((name for name in names if name != "you"), corners, strict=False)]:
        start = x if x == x0 else x - len(name) + 1
        middle = start + len(name) // 2
        free = all(canvas.char_at(column, y) == " " for column in range(middle - 2, middle + 3))
        if name in names and (free or name == "you"):
            found[name] = _block(start, y, len(name))
    return found


def _block(x: int, y: int, width: int) -> Block:
    return Block(x, y, width, 1, spans=((x, x + width - 1),))


def draw(canvas: Canvas, snapshot: Snapshot, nodes: Blocks, clients: Blocks, focus: Focus, glyphs: Glyphs) -> None:
    """Lines where keys travel and messages fly, beneath all that is there; names; letters."""
    chosen = message_of(snapshot, focus)
    blocks = {**nodes, **clients}
    drawn = [each for each in snapshot.flights if each is chosen or _drawn(each)]
    drawn.sort(key=lambda each: (each is not chosen, not isinstance(each.message, Keys), each.id))
    letters = cluster.letters(drawn[:LETTERS_MAX], snapshot.at_us, lambda each: look(snapshot, each))
    parcels = {each.id for each in drawn if isinstance(each.message, Keys | KeysAck)}
    beneath = Canvas(canvas.width, canvas.height)
    cluster.draw_roads(beneath, [each for each in letters if each.id not in parcels], blocks, glyphs)
    for lane in snapshot.moving:
        if lane.state is UnitState.MIGRATING and lane.source in nodes and lane.target in nodes:
            ends = (*nodes[lane.source].middle, *nodes[lane.target].middle)
            beneath.line(*ends, ink(snapshot, lane.target), True, glyphs)
    for y in range(canvas.height):
        for x in range(canvas.width):
            if beneath.char_at(x, y) != " " and canvas.char_at(x, y) == " ":
                canvas.put(x, y, beneath.char_at(x, y), beneath.ink_at(x, y))
    for node in shown(snapshot):
        if node.id in nodes:
            text = f" {node.id}{letter(node)} "
            block = _block(nodes[node.id].x, nodes[node.id].y, len(text))
            cluster.draw_block(canvas, block, [[(text, chip_ink(snapshot, node))]], node.id == focus.node, glyphs)
    for name, block in clients.items():
        canvas.put(block.x, block.y, name, "you" if name == "you" else "client")
    cluster.draw_letters(canvas, letters, chosen.id if chosen else None, blocks, glyphs)


def _drawn(flight: Flight) -> bool:
    """Not what comes all the time, and not what only ``cfg`` is told or says."""
    return not is_routine(flight.message) and CFG not in (flight.src, flight.dst)


def look(snapshot: Snapshot, flight: Flight) -> Look:
    """Keys travel in the colour of their new owner; what is routine is plain."""
    written = message_letter(flight.message)
    if isinstance(flight.message, Keys):
        return Look(written, ink(snapshot, flight.dst))
    base = "you" if "you" in (flight.src, flight.dst) else MESSAGES[written].ink
    return Look(written, base, news=not is_routine(flight.message) and base != "dim" and written != "v")
