"""The picture of a sharded cluster: the key space at the left, the load at the right, what moves wherever it fits."""

from dataclasses import replace
from typing import Final

from engines import units
from engines.sharding.world.snapshot import KeyState, Snapshot, Tracked
from tui.canvas import Canvas, clip
from tui.glyphs import Glyphs
from tui.kit import clicks
from tui.kit.parts import Piece, gathered, part, place_of, put_lines, put_pieces, window
from tui.kit.words import names, plural
from tui.panel import Focus, Frame, Sizes
from tui.panels.sharding import inspector, load, maps, ring, strip, traffic
from tui.panels.sharding.describe import MESSAGES, cause
from tui.panels.sharding.queries import STANDINGS, cuts, ink, shown, state, travels
from tui.panels.sharding.select import OnKey, chart_of, choose, key_of, lane_of

TITLES: Final = {
    "ring": "ring", "bounded": "ring with bounded load", "slots": "16384 slots", "range": "key ranges",
    "modulo": "hash mod n", "jump": "jump hash", "rendezvous": "rendezvous", "maglev": "maglev",
}  # fmt: skip
SHORT: Final = 26
"""Columns of a figure where three of them share a row."""
LOW: Final = 8
"""A picture of fewer rows, or of fewer columns than NARROW, has the key space in one row above the nodes."""
NARROW: Final = 58
LOAD: Final = 36
"""Columns that the load is given at least."""


def view(snapshot: Snapshot, focus: Focus, sizes: Sizes, glyphs: Glyphs) -> Frame:
    """Draw everything."""
    picture, below, look = (Canvas(*size) for size in sizes)
    talks = bool(picture.height and picture.width) and draw_picture(picture, snapshot, focus, glyphs)
    strip.draw(below, snapshot, focus, glyphs)
    chart = chart_of(snapshot, focus)
    nodes = {node.id: choose(replace(focus, node=node.id), what=None) for node in snapshot.nodes}
    keys = {key.key: choose(focus, what=OnKey(key.key)) for key in snapshot.keys}
    return Frame(
        picture, below, look,
        hits=clicks.named(picture, {**keys, **nodes}),
        picture_title=TITLES.get(snapshot.variant, snapshot.variant),
        picture_note=_with_legend(snapshot, talks, key_of(snapshot, focus) is not None, picture.width),
        strip_title=strip.title(snapshot, chart),
        strip_note=strip.note(snapshot, chart),
        inspector_title=inspector.draw(look, snapshot, focus, glyphs),
    )  # fmt: skip


def status(snapshot: Snapshot) -> str:
    """The facts of the top line."""
    tokens = f"  {snapshot.vnodes} vnodes" if snapshot.vnodes else ""
    return f"{len(snapshot.members)} nodes{tokens}  RF {snapshot.rf}  {snapshot.balance.keys:,} keys"


def note(snapshot: Snapshot) -> str:
    """What is going on, for the border."""
    plan, cfg = snapshot.plan, snapshot.coordinator
    if cfg.uncovered:
        down = "cluster down" if cfg.full_coverage and snapshot.variant == "slots" else "no owner"
        return f"{down}: keys of {names(cfg.uncovered)}"
    if plan is not None:
        if not plan.keys:
            return f"{cause(plan.cause)}: counting keys" if not plan.units_done else cause(plan.cause)
        done = "made" if snapshot.rf > 1 else "moved"
        return f"{cause(plan.cause)}: {plan.keys_done:,} of {plan.keys:,} {travels(snapshot)} {done}"
    behind = sum(node.behind > 0 for node in snapshot.nodes if node.role != "left")
    return f"map of epoch {cfg.epoch}" + (f", {plural(behind, 'node')} behind" if behind else "")


def _with_legend(snapshot: Snapshot, talks: bool, key: bool, width: int) -> str:
    """What is going on, and before it what the letters mean, as many as there is room for."""
    end = note(snapshot)
    room = width - len(TITLES.get(snapshot.variant, "")) - len(end) - 10
    states = dict.fromkeys(filter(None, map(state, shown(snapshot))))
    meanings = [f"{STANDINGS[each].letter} {STANDINGS[each].word}" for each in states]
    meanings += filter(None, [cuts(snapshot)])
    meanings += ["* the key"] if key and snapshot.ring else []
    meanings += ["! busiest chunk"] if any(chunk.ops_per_ks for chunk in snapshot.chunks) else []
    if talks:
        meanings += [f"{each} {kind.legend}" for each, kind in MESSAGES.items() if kind.legend]
    elif any(load.travelling(snapshot, lane) for lane in snapshot.moving):
        meanings.append("K keys")
    told = gathered(meanings, room)
    return f"{told} {end}" if told else end


def draw_picture(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> bool:
    """Key space and load side by side; in little room one above the other. Returns whether messages are seen."""
    if canvas.height < LOW or canvas.width < NARROW:
        _compact(canvas, snapshot, focus, glyphs)
        return False
    left = min(canvas.height * 2 + 2 if snapshot.ring else canvas.width * 9 // 20, canvas.width - LOAD)
    low = canvas.height < len(shown(snapshot)) + 6
    rest = canvas.width - left - 1
    wide = rest >= (LOAD + 20 if low else 2 * LOAD + 8)
    with part(canvas, 0, 0, left, canvas.height) as first:
        talks = (_ring if snapshot.ring else _bands)(first, snapshot, focus, glyphs)
    width = max(LOAD - 3, rest * 11 // 20) if wide else rest
    with part(canvas, left + 1, 0, width, canvas.height) as second:
        end = _load(second, snapshot, focus, glyphs, 0 if wide or talks else 2, figures=not (wide and low))
    if wide:
        with part(canvas, left + width + 2, 0, rest - width - 1, canvas.height) as third:
            y = 0
            if low:
                y = _figures(third, snapshot, 0, canvas.height if not snapshot.moving else canvas.height - 5)
                y += canvas.height - y >= 5
            _side(third, snapshot, focus, glyphs, y)
    elif end < canvas.height - 1:
        with part(canvas, left + 1, end + 1, rest, canvas.height - end - 1) as lower:
            _side(lower, snapshot, focus, glyphs, 0)
    return talks


def _ring(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> bool:
    """The ring, and inside it the selected key, or the nodes and what flies between them. Whether these are seen."""
    height = canvas.height
    width = min(canvas.width, 2 * height)
    shape = Canvas(width, height)
    ring.draw(shape, snapshot, focus.node, glyphs)
    key = key_of(snapshot, focus)
    inner = ring.shape(snapshot, height).bulge
    margin_x, margin_y = inner // 2 + 2, inner // 4 + 1
    if key is not None and height >= 20:  # the walk needs room of its own
        margin_x, margin_y = margin_x + 4, margin_y + 2
    room_x, room_y = width - 2 * margin_x, height - 2 * margin_y
    left = (canvas.width - width) // 2
    canvas.blit(shape, left, 0)
    talk = room_y >= 3 and room_x >= 10
    talk = talk and (key is None or height >= 20 or bool(snapshot.moving))
    nodes = traffic.place_nodes(snapshot, left + margin_x, margin_y, room_x, room_y) if talk else {}
    if key is not None:
        ring.draw_key(shape, snapshot, key, glyphs, spoke=not nodes or height >= 20)
        canvas.blit(shape, left, 0)
    if nodes:
        clients = traffic.place_clients(snapshot, canvas, 0, canvas.width - 1)
        traffic.draw(canvas, snapshot, nodes, clients, focus, glyphs)
    if key is not None and (not nodes or height >= 20):
        slim = height >= 10
        _words_inside(canvas, snapshot, key, left + margin_x - 1 + 2 * slim, room_x + 2 - 4 * slim)
    elif not nodes and room_x >= 6:  # nothing is selected that could stand in the middle: how much there is in all
        canvas.center(height // 2 - 1, f"{snapshot.balance.keys:,}", "bright")
        canvas.center(height // 2, "keys", "dim")
    return bool(nodes)


def _words_inside(canvas: Canvas, snapshot: Snapshot, key: KeyState, x: int, width: int) -> None:
    """The selected key in the middle."""
    lines = maps.key_lines(snapshot, key)
    if canvas.height < 10:
        lines = [[(key.key, "bright")], [(" ".join(key.group), ink(snapshot, key.owner))]]
    y = (canvas.height - len(lines)) // 2
    for pieces in lines:
        length = sum(len(text) for text, _ in pieces)
        if length > width and len(pieces) > 2:
            pieces = [(f"{name} ", ink(snapshot, name)) for name in key.group]
            length = sum(len(text) for text, _ in pieces)
        start = x + max(0, width - length) // 2
        canvas.fill(start - 1, y, min(width, length) + 2, 1)
        put_pieces(canvas, start, y, pieces, start + width)
        y += 1


def _bands(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> bool:
    """The key space as a band above, the nodes and what flies between them below."""
    key = key_of(snapshot, focus)
    rows = canvas.height
    below = 2 if not snapshot.chunks else 1 if snapshot.moving else 0
    if rows < len(shown(snapshot)) + 4 and below:  # the nodes leave no room for these at the right
        rows -= below
        with part(canvas, 0, rows, canvas.width, below) as lower:
            if snapshot.moving:
                lane = lane_of(snapshot, focus)
                load.draw_lanes(lower, snapshot, lane.id if lane else "", glyphs, 0, below)
            else:
                _figures(lower, snapshot, 0, below)
    band_rows = band_height(snapshot, canvas.width, rows)
    talk = rows - band_rows - 1
    nodes = traffic.place_nodes(snapshot, 4, 0, canvas.width - 9, talk) if talk >= 5 else {}
    if nodes:
        with part(canvas, 0, rows - talk, canvas.width, talk) as lower:
            clients = traffic.place_clients(snapshot, lower, 1, canvas.width - 2)
            traffic.draw(lower, snapshot, nodes, clients, focus, glyphs)
        rows = band_rows
    told = key is not None and rows >= 4
    draw = maps.draw_slots if snapshot.runs else maps.draw_chunks if snapshot.chunks else maps.draw_shares
    with part(canvas, 0, 0, canvas.width, rows - told) as band:
        draw(band, snapshot, focus.node, key, glyphs)
    if key is not None and told:
        put_pieces(canvas, 1, rows - 1, maps.key_line(snapshot, key), canvas.width)
    return bool(nodes)


def band_height(snapshot: Snapshot, width: int, rows: int) -> int:
    """Rows of the band: what it takes to be read, and not more than leaves room for the nodes below."""
    if snapshot.chunks:
        wanted = -(-len(snapshot.chunks) * 6 // max(1, width - 2)) + 1
    elif snapshot.runs:
        wanted = 6
    else:
        wanted = -(-len(snapshot.shares) // maps.share_columns(snapshot, width)) + 1
    return max(min(wanted, rows - 6), rows * 2 // 5)


def _load(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, keep: int, figures: bool) -> int:
    """Nodes, then the figures, of which the last give way; ``keep`` rows stay free while keys move. The end."""
    nodes, count = len(shown(snapshot)), len(load.figures(snapshot))
    if not figures or canvas.height < nodes + 4:
        return load.draw_rows(canvas, snapshot, focus.node, glyphs, canvas.height)
    end = canvas.height - (min(keep, len(snapshot.moving)) + 1 if snapshot.moving and keep else 0)
    twice = 2 * nodes + 1 <= canvas.height - count - 2
    rows = min(2 * nodes + 1 if twice else nodes + 1, max(3, end - min(2, count)))
    y = load.draw_rows(canvas, snapshot, focus.node, glyphs, rows)
    return _figures(canvas, snapshot, y + (y + count < end), end)


def _figures(canvas: Canvas, snapshot: Snapshot, y: int, end: int) -> int:
    """The figures from row ``y`` on, as many as there is room for. The row after the last."""
    lines = load.figures(snapshot, canvas.width)[: max(0, end - y)]
    return put_lines(canvas, 1, y, lines, canvas.width)


def _side(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, y: int) -> None:
    """What moves, then the keys that get the most requests."""
    lanes = snapshot.moving
    plan = snapshot.plan
    if plan is not None and lanes and canvas.height - y >= 1:
        if canvas.height - y >= 3:
            canvas.put(1, y, clip(f"moving: {cause(plan.cause)}", canvas.width - 2), "accent")
            y += 1
        rows = min(len(lanes), max(1, (canvas.height - y) * 2 // 3 if canvas.height - y > 8 else canvas.height - y))
        chosen = lane_of(snapshot, focus)
        load.draw_lanes(canvas, snapshot, chosen.id if chosen else "", glyphs, y, rows)
        y += rows
        for queued in plan.queued[: max(0, canvas.height - y - 1)]:
            canvas.put(1, y, clip(f"then: {cause(queued)}", canvas.width - 2), "dim")
            y += 1
        y += 1
    _keys(canvas, snapshot, focus, glyphs, y)


def _keys(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, y: int) -> None:
    """The tracked keys: share of the requests, owner and replicas."""
    room = canvas.height - y - 1
    if room < 1 or not snapshot.keys:
        return
    canvas.put(1, y, "keys", "dim")
    canvas.put_right(canvas.width - 1, y, "requests", "dim")
    chosen = key_of(snapshot, focus)
    for number in window(len(snapshot.keys), place_of(snapshot.keys, chosen), room):
        y, key = y + 1, snapshot.keys[number]
        selected = key is chosen
        canvas.put(0, y, glyphs.mark_left if selected else " ", "bright")
        used = sum(len(name) + 1 for name in key.group[:3]) + 9
        x = canvas.put(1, y, clip(key.key, max(4, canvas.width - used - 1)), "bright" if selected else "text") + 1
        x = max(x, min(14, canvas.width - used))
        for name in key.group[:3]:
            x = canvas.put(x, y, name, ink(snapshot, name)) + 1
        share = units.rounded(key.ops_ppm)
        free = canvas.width - 2 - len(share) - x
        if key.salted:
            salted = f"x{key.salted} salted"
            canvas.put(x, y, salted if len(salted) <= free else f"x{key.salted}"[: max(0, free)], "good")
        elif key.why is not Tracked.HOT:
            why = key.why.value
            canvas.put(x, y, why if len(why) <= free else "", "bad" if key.why is Tracked.LOST else "you")
        hot = snapshot.balance.ops_per_ks >= load.FEW and key.ops_ppm * max(1, len(snapshot.nodes)) > 500_000
        canvas.put_right(canvas.width - 1, y, share, "bad" if hot else "text")


def _compact(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> None:
    """The key space in one row, nodes in as many columns as there must be, and a last row of figures or progress."""
    height = canvas.height
    key = key_of(snapshot, focus)
    maps.draw_line(canvas, snapshot, focus.node, key, glyphs, 0)
    if height < 2:
        return
    last = 1 if height >= 4 else 0
    rows = height - 1 - last
    two = len(shown(snapshot)) > rows and canvas.width >= 52
    nodes = shown(snapshot)
    middle = -(-len(nodes) // 2)
    x = 0
    for half in (nodes[:middle], nodes[middle:]) if two else (snapshot.nodes,):  # the figures stay those of all
        width = canvas.width - x if x else canvas.width // 2 if two else canvas.width
        with part(canvas, x, 1, width, rows) as column:
            load.draw_rows(column, replace(snapshot, nodes=half), focus.node, glyphs, rows)
        x += width
    if last:
        canvas.fill(0, height - 1, canvas.width, 1)
        put_pieces(canvas, 1, height - 1, _one_line(snapshot, key), canvas.width)


def _one_line(snapshot: Snapshot, key: KeyState | None) -> list[Piece]:
    """The most telling line: the selected key, what moves, or how even it is."""
    if key is not None:
        return maps.key_line(snapshot, key)
    lanes = snapshot.moving
    if lanes and snapshot.plan is not None:
        first = lanes[0]
        done = f"{snapshot.plan.keys_done}/{snapshot.plan.keys} keys  "
        way = f"{first.source}>{first.target}" if first.source != first.target else f"copies of {first.source}"
        lane = f"{way} {first.moved}/{first.total}"
        return [(f"{cause(snapshot.plan.cause)}  ", "accent"), (done, "text"), (lane, ink(snapshot, first.target))]
    return [piece for line in load.figures(snapshot, SHORT)[:3] for piece in (*line, ("  ", "dim"))]
