"""Load per node: a row a node with its part of the keys and of the requests, the mean as a line, and the figures."""

from collections.abc import Sequence
from typing import Final

from engines.sharding.world.events import UnitKind, UnitState
from engines.sharding.world.messages import Keys
from engines.sharding.world.snapshot import Lane, NodeState, Snapshot
from engines.units import PPM, PPM_PER_PERCENT, per_s, rounded
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.cluster import share
from tui.kit.parts import Piece, place_of, window
from tui.panels.sharding import queries as q
from tui.panels.sharding.queries import ink, ratio, shown

TWO_BARS: Final = 60
"""Columns from which keys and requests have a bar each."""
HOT_PPM: Final = 1_300_000
"""A node this much over the mean is too busy."""
FEW: Final = 6_000
"""With fewer requests in 1,000 s their spread is chance, and nothing to warn of."""


def chip_width(snapshot: Snapshot) -> int:
    """Columns of the widest chip."""
    return max(len(node.id) for node in snapshot.nodes) + 4


def draw_rows(canvas: Canvas, snapshot: Snapshot, selected: str, glyphs: Glyphs, rows: int) -> int:
    """A header and a row a node; with fewer rows, those around the selected one. Returns the row after the last."""
    nodes = shown(snapshot)
    if rows < 1:
        return 0
    header = rows >= 3
    tall = rows >= 2 * len(nodes) + 1 and canvas.width < TWO_BARS
    room = (rows - header) // (2 if tall else 1)
    numbers = window(len(nodes), place_of([node.id for node in nodes], selected), room)
    visible = _with_the_busy(snapshot, nodes, numbers.start, room)
    if header:
        _header(canvas, snapshot, [node.id for node in nodes if node not in visible], tall)
    high = 2 if tall else 1
    for place, node in enumerate(visible):
        draw = _tall_row if tall else _row
        draw(canvas, snapshot, node, node.id == selected, glyphs, header + high * place)
    return header + high * len(visible)


def _with_the_busy(snapshot: Snapshot, nodes: Sequence[NodeState], top: int, room: int) -> Sequence[NodeState]:
    """So many rows from one on; the node that is far too busy is never the one that is left out."""
    visible = nodes[top : top + room]
    busiest = max(nodes, key=lambda node: node.ops_ppm)
    if busiest in visible or len(visible) < 2 or not _too_busy(snapshot, busiest):
        return visible
    later = nodes.index(busiest) > top
    return (*visible[:-1], busiest) if later else (busiest, *visible[1:])


def _too_busy(snapshot: Snapshot, node: NodeState) -> bool:
    """Whether it answers far more than the mean, and that is no chance."""
    return snapshot.balance.ops_per_ks >= FEW and node.ops_ppm * PPM > HOT_PPM * _mean(snapshot)


def _columns(canvas: Canvas, snapshot: Snapshot) -> tuple[int, int, int]:
    """Where the bars begin, and how long those of keys and of requests are (0: none)."""
    start = chip_width(snapshot) + 3
    if canvas.width >= TWO_BARS:
        both = canvas.width - start - 18
        return start, both - both // 2, both // 2
    return start, max(0, canvas.width - start - 18), 0


def _header(canvas: Canvas, snapshot: Snapshot, hidden: list[str], tall: bool) -> None:
    start, first, second = _columns(canvas, snapshot)
    what = "data" if snapshot.sized else "keys"
    if tall:
        canvas.put(start, 0, clip(f"{what}, and below requests", canvas.width - start), "dim")
        return
    if hidden:
        canvas.put(1, 0, f"and {hidden[0]}" if len(hidden) == 1 else f"{len(hidden)} more", "dim")
    canvas.put(start, 0, clip(f"share of the {what}" if first >= 17 else what, max(0, first + 7)), "dim")
    if second:
        canvas.put(start + first + 9, 0, "share of the requests", "dim")
    else:
        canvas.put_right(canvas.width - 1, 0, "requests", "dim")


def _mean(snapshot: Snapshot) -> int:
    """What a node would have if all had the same, in ppm."""
    return PPM // max(1, sum(each.role in ("member", "leaving") for each in shown(snapshot)))


def _keys(canvas: Canvas, snapshot: Snapshot, node: NodeState, chosen: bool, glyphs: Glyphs, y: int, top: int) -> None:
    """The name of a node, between marks if it is selected, and its part of the keys on a scale up to ``top``."""
    width = chip_width(snapshot)
    if chosen:
        canvas.put(0, y, glyphs.mark_left, "bright")
        canvas.put(width + 1, y, glyphs.mark_right, "bright")
    canvas.put(1, y, f" {node.id} {q.letter(node)}".ljust(width), q.chip_ink(snapshot, node))
    start, first, _ = _columns(canvas, snapshot)
    if first >= 4:
        bar(canvas, start, y, first, node.share_ppm, _mean(snapshot), top, ink(snapshot, node.id), glyphs)
    canvas.put_right(start + first + 8, y, rounded(node.share_ppm), "bright" if chosen else "text")


def _row(canvas: Canvas, snapshot: Snapshot, node: NodeState, chosen: bool, glyphs: Glyphs, y: int) -> None:
    start, first, second = _columns(canvas, snapshot)
    nodes, mean = shown(snapshot), _mean(snapshot)
    _keys(canvas, snapshot, node, chosen, glyphs, y, max(mean, *(each.share_ppm for each in nodes), 1))
    trouble, trouble_ink = _trouble(snapshot, node)
    if second and trouble:
        canvas.put(start + first + 10, y, clip(trouble, second), trouble_ink)
    elif second:
        most = max(mean, *(each.ops_ppm for each in nodes), 1)
        bar(canvas, start + first + 9, y, second, node.ops_ppm, mean, most, ink(snapshot, node.id), glyphs)
    said, said_ink = rounded(node.ops_ppm), "text" if node.ops_ppm else "dim"
    if node.ops_ppm and node.status != "up":  # it served them before, and without them the others are no whole
        part = f"{node.ops_ppm // PPM_PER_PERCENT} %" if node.ops_ppm >= PPM_PER_PERCENT else "<1 %"
        said, said_ink = f"was {part}", "dim"
    elif trouble and not node.ops_ppm and not (second and node.status == "up"):
        said, said_ink = "" if second else clip(trouble, 8), trouble_ink
    elif _too_busy(snapshot, node):
        said_ink = "bad"
    canvas.put_right(canvas.width - 1, y, said, said_ink)


def _tall_row(canvas: Canvas, snapshot: Snapshot, node: NodeState, chosen: bool, glyphs: Glyphs, y: int) -> None:
    """Two rows: keys above, requests below."""
    start, first, _ = _columns(canvas, snapshot)
    mean = _mean(snapshot)
    top = max(mean, *(part for each in shown(snapshot) for part in (each.share_ppm, each.ops_ppm)))
    _keys(canvas, snapshot, node, chosen, glyphs, y, top)
    canvas.put_right(canvas.width - 1, y, f"{node.owned:,}", "dim")
    trouble, trouble_ink = _trouble(snapshot, node)
    canvas.put(2, y + 1, clip(trouble, start - 2), trouble_ink)
    bar(canvas, start, y + 1, first, node.ops_ppm, mean, top, ink(snapshot, node.id), glyphs, thin=True)
    busy = _too_busy(snapshot, node)
    canvas.put_right(start + first + 8, y + 1, rounded(node.ops_ppm), "bad" if busy else "text")
    canvas.put_right(canvas.width - 1, y + 1, per_s(node.ops_per_ks), "dim")


def _trouble(snapshot: Snapshot, node: NodeState) -> Piece:
    """What ails a node that its letter does not tell; it takes the place of its requests, which are few then."""
    if node.status != "up":
        return node.status, "dead" if node.status == "crashed" else "frozen"
    isolated = q.alone(snapshot)
    if node.id in isolated:
        return "cut off", "cut"
    if some := [each for each in node.cut_from if each not in isolated]:  # who is isolated says so in its own row
        return f"cut {some[0]}{'..' if len(some) > 1 else ''}", "cut"
    return ("no lease", "bad") if node.lease_left_us == 0 else ("", "dim")


def bar(
    canvas: Canvas, x: int, y: int, width: int, value: int, mean: int, top: int, ink_: Ink, glyphs: Glyphs,
    thin: bool = False,
) -> None:  # fmt: skip
    """A bar, and the mean as a line through or beyond it."""
    full = max(round(value / top * width), value > 0)
    canvas.put(x, y, (glyphs.bar_full if thin else glyphs.span) * full, ink_)
    at = min(width - 1, round(mean / top * width) - 1)
    if at >= 0:
        canvas.put(x + at, y, glyphs.vertical, "text" if at < full else "dim")


def figures(snapshot: Snapshot, width: int = 99) -> list[list[Piece]]:
    """How even it is, one line each, the most telling first; in fewer words where the width asks for it."""
    balance = snapshot.balance
    lines: list[list[Piece]] = []
    limit = 2 * balance.expected_cv_ppm if balance.expected_cv_ppm >= 0 else 200_000
    even = "good" if balance.cv_ppm <= limit else "warn"
    line: list[Piece] = [("spread cv " if width >= 36 else "cv ", "dim"), (ratio(balance.cv_ppm), even)]
    down = [node.id for node in shown(snapshot) if node.status != "up" and node.role in ("member", "leaving")]
    if down:  # it has no keys, and counts: what is expected is no measure of that
        said = f"{' '.join(down)} down" if len(down) < 3 else f"{len(down)} down"
        line += [(f"  with {said}" if width >= 36 else f"  {said}", "dim")]
    elif balance.expected_cv_ppm >= 0:
        line += [("  expected " if width >= 26 else " exp. ", "dim"), (ratio(balance.expected_cv_ppm), "text")]
    lines.append(line)
    busy = "dim" if balance.ops_per_ks < FEW else "bad" if balance.ops_peak_ppm > HOT_PPM else "good"
    requests = "  requests " if width >= 27 else " req. "
    what = "data" if snapshot.sized else "keys"
    peak = f"peak/mean {what} " if width >= 36 else "peak/mean " if width >= 26 else "peak "
    asked = ratio(balance.ops_peak_ppm, 2) if balance.ops_peak_ppm else "-"
    lines.append([(peak, "dim"), (ratio(balance.peak_ppm, 2), "text"), (requests, "dim"), (asked, busy)])
    if balance.hottest:
        owner = balance.hot[0].owner if balance.hot else ""
        too_hot = balance.ops_per_ks >= FEW and balance.hottest_ppm * max(1, len(snapshot.nodes)) > 500_000
        part = rounded(balance.hottest_ppm)
        label = "hottest " if width >= 32 else "hot "
        name = clip(balance.hottest, max(4, width - len(f" {label} {part} {owner}")))
        lines.append([(label, "dim"), (name, "bright"), (f" {part}", "bad" if too_hot else "text"),
                      (f" {owner}", ink(snapshot, owner) if owner else "dim")])  # fmt: skip
    fatal, pairs = snapshot.two_failures
    if pairs:
        told = "2 failures lose a range: " if width >= 36 else "fatal pairs: "
        lines.append([(told, "dim"), (f"{fatal} of {pairs}", "bad" if fatal else "good")])
    return lines


def travelling(snapshot: Snapshot, lane: Lane) -> list[float]:
    """How far on their way (0 to 1) the parcels of a lane are that fly now."""
    copies = lane.source == lane.target
    return [
        share(each.departs_us, each.arrives_us, snapshot.at_us)
        for each in snapshot.flights
        if isinstance(each.message, Keys) and each.src == lane.source and (copies or each.dst == lane.target)
    ]


def draw_lanes(canvas: Canvas, snapshot: Snapshot, chosen: str, glyphs: Glyphs, y: int, rows: int) -> None:
    """A row a moving unit: from, to, how many of its keys have arrived, and what it waits for."""
    found = snapshot.moving or snapshot.lanes
    if chosen and chosen not in [lane.id for lane in found]:
        found = snapshot.lanes
    ids = [lane.id for lane in found]
    for number in window(len(found), place_of(ids, chosen), rows):
        lane = found[number]
        name = "" if lane.unit.kind is UnitKind.LANE else f" {lane.id}"
        x = canvas.put(1, y, lane.source, ink(snapshot, lane.source))
        if lane.source != lane.target:
            x = canvas.put(x, y, ">", "dim")
            x = canvas.put(x, y, lane.target, ink(snapshot, lane.target))
        else:  # its keys stay with it, and somebody becomes their replica
            x = canvas.put(x, y, " copies", "dim")
        canvas.put(0, y, glyphs.mark_left if lane.id == chosen else " ", "bright")
        x = canvas.put(x, y, clip(name, max(0, canvas.width - x - 14)), "text") + 1
        told = f"{lane.moved}/{lane.total}" if lane.total else "no keys"
        ending, ink_ = told, "text"
        if lane.blocked_by:
            ending, ink_ = f"{told} waits: {q.blocked(snapshot, lane)}", "warn"
        elif lane.state is UnitState.PLANNED:
            ending, ink_ = f"{told} waits", "dim"
        elif lane.state is UnitState.DONE:
            ending, ink_ = f"{told} done", "good"
        room = canvas.width - 1 - x
        cells = max(0, min(16, room - len(ending) - 1))
        if cells >= 3:
            full = cells if lane.state is UnitState.DONE else 0
            if lane.total:
                full = round(lane.moved / lane.total * cells)
            canvas.put(x, y, glyphs.bar_full * full, ink(snapshot, lane.target))
            canvas.put(x + full, y, glyphs.bar_empty * (cells - full), "dim")
            for part in travelling(snapshot, lane):
                canvas.put(x + int(part * (cells - 1)), y, "K", ink(snapshot, lane.target) + "!")
            x += cells + 1
        canvas.put(x, y, clip(ending, max(0, canvas.width - x)), ink_)
        y += 1
