"""The call graph: services in columns from the clients to the databases, and on every edge its breaker.

An edge is a wire. Marks run along it as calls do, as many as there are; the letter in its middle is the breaker: C
closed, O open, H half-open. Behind an open one the wire is interrupted. Beneath a service stand its workers and its
line, beneath an edge its calls and errors.
"""

from itertools import pairwise
from typing import Final, NamedTuple

from engines import units
from engines.resilience.world.messages import Answer, Outcome
from engines.resilience.world.snapshot import EdgeView, ServiceView, Snapshot
from engines.resilience.world.topology import LINK
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.parts import fitting, place_of, window
from tui.kit.words import chip
from tui.panels.resilience import queries
from tui.plot import bar

WIDE: Final = 66
"""Columns from which databases have their whole names."""
GAP, GAP_MAX = 3, 30
"""Columns of an edge."""
STEP_US: Final = 90_000
"""A mark runs one column in this time."""
FLOW: Final = ((200, 2), (100, 3), (50, 4), (20, 6), (5, 9), (0, 14))
"""From so many calls a second on marks follow each other in so many columns."""

BREAKERS: Final = (("C", "closed"), ("O", "open"), ("H", "half-open"))
SIGNS: Final = (("X", "crashed"), ("Z", "frozen"), ("S", "slow"), ("E", "errors"), ("-", "ejected"))


class Spot(NamedTuple):
    """Where a service stands: the text of its chip, and the room beneath it."""

    x: int
    y: int
    label: str
    room: int


class Board(NamedTuple):
    """Where everything stands."""

    spots: dict[str, Spot]
    pitch: int
    """Rows from one service to the next."""
    rows: int
    """Rows in all."""


def draw(canvas: Canvas, snapshot: Snapshot, selected: str, glyphs: Glyphs) -> None:
    """Everything. ``selected``: an edge or a service."""
    board = laid_out(snapshot, canvas.width, canvas.height)
    if board is None:
        _list(canvas, snapshot, selected, glyphs)
        return
    edges = [edge for edge in snapshot.edges if edge.src in board.spots and edge.dst in board.spots]
    for edge in edges:
        _bus(canvas, board, edge, glyphs)
    for edge in edges:
        _edge(canvas, snapshot, board, edge, edge.id == selected, glyphs)
    for service in snapshot.services:
        if service.id in board.spots:
            _service(canvas, snapshot, board, service, service.id == selected, glyphs)


def laid_out(snapshot: Snapshot, width: int, height: int) -> Board | None:
    """The places of all services; None where there is no room for a graph."""
    layers = queries.columns(snapshot)
    rows = max((len(layer) for layer in layers), default=0)
    if not rows or height < rows:
        return None
    pitch = min(5, height // rows)
    wide = width >= WIDE
    labels = [[_label(snapshot, service, wide) for service in layer] for layer in layers]
    least = (0, 6, 12, 12) if wide else (0, 5, 4, 4)
    rooms = [max(low, *(len(label) for label in column)) for low, column in zip(least, labels, strict=False)]
    gaps = _gaps(layers, width - sum(rooms) - 2)
    if min(gaps, default=GAP) < GAP:
        return None
    high = pitch * rows - (pitch > 3)
    top = max(0, (height - high) // 2)
    spots = {}
    x = 1 + max(0, width - sum(rooms) - sum(gaps) - 2) // 2
    for layer, column, room, gap in zip(layers, labels, rooms, (*gaps, 0), strict=True):
        first = top + (rows - len(layer)) * pitch // 2 - (len(layer) < rows and pitch <= 2)
        for number, (service, label) in enumerate(zip(layer, column, strict=True)):
            spots[service.id] = Spot(x, max(0, first + number * pitch), label, room)
        x += room + gap
    return Board(spots, pitch, top + high)


def _gaps(layers: list[list[ServiceView]], free: int) -> list[int]:
    """How the free columns are shared out: an edge that branches needs two more."""
    count = len(layers) - 1
    if count < 1:
        return []
    more = [2 * (len(right) > len(left)) for left, right in pairwise(layers)]
    each, rest = divmod(free - sum(more), count)
    gaps = [each + extra for extra in more]
    gaps[-1] += rest
    return [min(gap, GAP_MAX) for gap in gaps]


def _label(snapshot: Snapshot, service: ServiceView, wide: bool) -> str:
    """What stands on the chip: the name, and a letter for what ails it."""
    callers = queries.into(snapshot, service.id)
    brief = not wide and service.layer == "database" and callers
    name = queries.short(callers[0].src, service.id) if brief else service.id
    sign = queries.status(service)
    return f" {name} {sign}{' ' * wide}" if sign else f" {name} "


# -- services ---------------------------------------------------------------------------------------------------------


def _service(
    canvas: Canvas, snapshot: Snapshot, board: Board, service: ServiceView, selected: bool, glyphs: Glyphs
) -> None:
    spot = board.spots[service.id]
    canvas.put(spot.x, spot.y, spot.label, chip(queries.service_ink(service)))
    if selected:
        canvas.put(spot.x - 1, spot.y, glyphs.mark_left, "bright")
        canvas.put(spot.x + len(spot.label), spot.y, glyphs.mark_right, "bright")
    alone = sum(each.layer == service.layer for each in snapshot.services) == 1
    rows = max(board.pitch, 4) if alone and board.pitch > 1 else board.pitch
    below = [y for y in range(spot.y + 1, spot.y + rows) if y < canvas.height]
    if not below:
        return
    if service.layer == "client":
        if not snapshot.recorded:
            mean = f"avg {snapshot.rate_per_s}/s" if snapshot.load is not None and snapshot.load.poisson else ""
            fits = 0 < len(mean) <= spot.room
            canvas.put(spot.x + (not fits), below[0], mean if fits else f"{snapshot.rate_per_s}/s", "text")
            if len(below) > 1:
                canvas.put(spot.x + 1, below[1], clip(f">{snapshot.mix}", spot.room - 1), "dim")
        return
    if snapshot.recorded:
        canvas.put(spot.x + 1, below[0], f"{service.busy} run", "text" if service.busy else "dim")
        return
    _meters(canvas, snapshot, service, spot, below, glyphs)


def _meters(
    canvas: Canvas, snapshot: Snapshot, service: ServiceView, spot: Spot, below: list[int], glyphs: Glyphs
) -> None:
    """Workers and line, and the hosts where they are several, in as many rows as there are."""
    rows = list(below)
    if len(service.hosts) > 1:
        y = rows.pop(min(2, len(rows) - 1))
        x = spot.x + 1
        for host in service.hosts[: spot.room - 1]:
            sign, sign_ink = queries.host_sign(snapshot, service, host)
            x = canvas.put(x, y, sign, chip(sign_ink) if sign_ink != "good" else sign_ink)
        line = f"q{service.queue}"
        gap = x + 1 + len(line) < spot.x + spot.room
        if not rows and (gap or (service.queue and x + len(line) < spot.x + spot.room)):
            canvas.put(x + gap, y, line, "warn" if service.queue else "dim")
    if not rows or not service.workers:
        return
    busy_ink: Ink = "warn" if service.busy >= service.workers else "good"
    line_ink: Ink = "bad" if service.queue * 10 >= service.queue_max * 8 > 0 else "warn" if service.queue else "dim"
    line = f"q{service.queue}"
    if len(rows) == 1:
        cells = max(2, min(6, spot.room - 3 - len(line)))
        x = canvas.put(spot.x + 1, rows[0], bar(service.busy / service.workers, cells, glyphs), busy_ink)
        if x + len(line) < spot.x + spot.room:
            canvas.put(x + 1, rows[0], line, line_ink)
        return
    if spot.room < 11:
        canvas.put(spot.x + 1, rows[0], bar(service.busy / service.workers, spot.room - 2, glyphs), busy_ink)
        of = f"{service.busy}/{service.workers}"
        busy = of if len(of) <= len(spot.label) else f"{service.busy}"
        told: list[tuple[str, Ink]] = [(busy, "text"), (line, line_ink)]
        for y, (text, text_ink) in zip(rows[1:], told[len(rows) < 3 :], strict=False):
            canvas.put(spot.x + (len(text) < len(spot.label)), y, clip(text, len(spot.label)), text_ink)
        return
    of = f"{service.busy}/{service.workers}"
    pairs = ((service.busy, service.workers, busy_ink, "w", of), (service.queue, service.queue_max, line_ink, "q",
             str(service.queue)))  # fmt: skip
    cells = max(2, min(5, spot.room - 9))
    for y, (now, most, meter_ink, sign, said) in zip(rows, pairs, strict=False):
        canvas.put(spot.x + 1, y, sign, "dim")
        x = canvas.put(spot.x + 3, y, bar(now / most if most else 0.0, cells, glyphs), meter_ink)
        canvas.put(x + 1, y, said, "text" if now else "dim")


# -- edges ------------------------------------------------------------------------------------------------------------


def _ends(board: Board, edge: EdgeView) -> tuple[int, int, int, int]:
    """Where an edge begins and ends on its row, that row, and the row of its source."""
    src, dst = board.spots[edge.src], board.spots[edge.dst]
    return src.x + len(src.label), dst.x - 1, dst.y, src.y


def _bus(canvas: Canvas, board: Board, edge: EdgeView, glyphs: Glyphs) -> None:
    """The upright part of an edge that leads to another row."""
    start, _, y, from_y = _ends(board, edge)
    if y == from_y:
        return
    x = start + 1
    canvas.put(start, from_y, glyphs.horizontal, "line")
    step = 1 if y > from_y else -1
    for row in range(from_y, y, step):
        if row != from_y and canvas.char_at(x, row) == " ":
            canvas.put(x, row, glyphs.vertical, "line")
    canvas.put(x, from_y, glyphs.tee_right, "line")
    corner = glyphs.bottom_left if step > 0 else glyphs.top_left
    canvas.put(x, y, corner if canvas.char_at(x, y) == " " else glyphs.tee_left, "line")


def _edge(canvas: Canvas, snapshot: Snapshot, board: Board, edge: EdgeView, selected: bool, glyphs: Glyphs) -> None:
    start, stop, y, _ = _ends(board, edge)
    branched = len(queries.out_of(snapshot, edge.src)) > 1
    if branched:
        start += 2
    gap = stop + 1 - start
    middle = stop - max(2, gap // 2)
    shut = queries.blocked(edge) or edge.cut
    wire: Ink = "bright" if selected else "line"
    line = glyphs.played if selected else glyphs.horizontal
    cells = [" " if shut and x > middle and (x - middle) % 2 else line for x in range(start, stop)]
    canvas.put(start, y, "".join(cells), wire)
    canvas.put(stop, y, " " if shut else glyphs.arrow_right, wire)
    _flow(canvas, snapshot, edge, start, stop, middle, y)
    _flights(canvas, snapshot, edge, start, stop, y)
    _breaker(canvas, edge, middle, y, selected, gap >= 9, glyphs)
    _troubles(canvas, edge, middle + 2 + (gap >= 9), stop, y)
    if board.pitch >= 2:
        _numbers(canvas, board, edge, start, stop, y)


def _flow(
    canvas: Canvas, snapshot: Snapshot, edge: EdgeView, start: int, stop: int, middle: int, y: int
) -> None:  # fmt: skip
    """Marks for calls; behind the breaker only for those that it lets through, with failed answers coming back."""
    if edge.attempts_per_s <= 0 and edge.calls_per_s <= 0:
        return
    phase = snapshot.now_us // STEP_US
    asked = next(step for least, step in FLOW if max(edge.calls_per_s, edge.attempts_per_s) >= least)
    for x in range(start, middle):
        if (x - phase) % asked == 0:
            canvas.put(x, y, ">", queries.ink(edge))
    if queries.blocked(edge) or edge.attempts_per_s <= 0:
        return
    sent = next(step for least, step in FLOW if edge.attempts_per_s >= least)
    failing = edge.errors_ppm >= queries.BAD_PPM
    for x in range(middle + 1, stop):
        if failing and (x + phase) % (sent + 1) == 0:
            canvas.put(x, y, "<", "error")
        elif not edge.cut and (x - phase) % sent == 0:
            canvas.put(x, y, ">", queries.ink(edge))


def _flights(canvas: Canvas, snapshot: Snapshot, edge: EdgeView, start: int, stop: int, y: int) -> None:
    """Messages that are on the way at this very moment: a request, an answer, an error."""
    ends = {edge.src: edge.dst, **dict.fromkeys(edge.hosts, edge.src)}
    for flight in snapshot.flights:
        there = flight.src == edge.src and flight.dst in edge.hosts
        if not there and not (flight.dst == edge.src and flight.src in ends):
            continue
        whole = max(1, flight.arrives_us - flight.departs_us)
        flown = min(whole, max(0, snapshot.now_us - flight.departs_us))
        x = start + (stop - start - 1) * (flown if there else whole - flown) // whole
        failed = isinstance(flight.message, Answer) and flight.message.why is not Outcome.OK
        back: Ink = "error" if failed else "dim"
        canvas.put(x, y, ">" if there else "<", queries.ink(edge) if there else back)


def _breaker(
    canvas: Canvas, edge: EdgeView, x: int, y: int, selected: bool, roomy: bool, glyphs: Glyphs
) -> None:  # fmt: skip
    """The letter of the breaker, as a chip; the selected one between marks."""
    if edge.breaker is not None:
        letter = queries.letter(edge)
        canvas.put(x - roomy, y, f" {letter} " if roomy else letter, chip(queries.ink(edge)))
    if selected:
        canvas.put(x - 1 - roomy, y, glyphs.mark_left, "bright")
        canvas.put(x + 1 + roomy, y, glyphs.mark_right, "bright")


def troubles(edge: EdgeView) -> tuple[tuple[str, str], ...]:
    """What is wrong with an edge, a letter and a few words each."""
    found = (
        ("x", "cut", edge.cut),
        ("l", f"loss {edge.loss_ppm // 10_000} %", edge.loss_ppm > 0),
        ("d", f"{edge.delay_percent} % +{edge.delay_us // 1000}", edge.delay_percent > 0),
        ("d", f"link {edge.latency_us // 1000}ms", edge.latency_us > LINK.latency_us),
        ("a", f"{edge.abort_percent} % {edge.abort_status}", edge.abort_percent > 0),
        ("u", "shuffled", edge.shuffled_ppm > 0),
    )  # fmt: skip
    return tuple((sign, said) for sign, said, there in found if there)


def _troubles(canvas: Canvas, edge: EdgeView, x: int, stop: int, y: int) -> None:
    """Those letters on the wire behind the breaker."""
    signs = "".join(dict.fromkeys(sign for sign, _ in troubles(edge)))
    if signs:
        canvas.put(x, y, signs[: max(1, stop - x)], chip("cut" if edge.cut else "slow"))


def _numbers(canvas: Canvas, board: Board, edge: EdgeView, start: int, stop: int, y: int) -> None:
    """Beneath an edge: attempts a second and errors; with more rows its latency, and what is wrong in words."""
    src = board.spots[edge.src]
    x = max(start, src.x + src.room + (board.pitch > 2) if src.y == y else 0)
    room = stop + 1 - x
    said = f"rej {edge.rejected_per_s}/s" if queries.blocked(edge) else f"{edge.attempts_per_s}/s"
    rate = queries.whole(edge.errors_ppm) if edge.errors_ppm and not queries.blocked(edge) else ""
    said_ink: Ink = "open" if queries.blocked(edge) else "dim"
    if rate and len(said) + 1 + len(rate) > room:
        said, rate, said_ink = _only_one(edge, said, rate, room)
    said = said if len(said) <= room else said.removesuffix("/s")
    end = canvas.put(x, y + 1, said, said_ink) + 1 if said and len(said) <= room else x
    if end + len(rate) <= stop + 1:
        canvas.put(end, y + 1, rate, queries.error_ink(edge.errors_ppm))
    lines: list[tuple[str, Ink]] = []
    if board.pitch >= 3:
        lines += [(words, "slow") for _, words in troubles(edge)[: board.pitch - 2]]
    if board.pitch >= 4 and edge.p99_us > 0:
        lines.insert(0, (latency(edge, room), "dim"))
    for row, (text, text_ink) in enumerate(lines, y + 2):
        if row < y + board.pitch:
            canvas.put(x, row, clip(text, room), text_ink)


def latency(edge: EdgeView, room: int) -> str:
    """The median and the slowest hundredth; the latter alone where there is no room for both; never half a number."""
    slow_us = queries.slowest_us(edge)
    if slow_us < 1_000_000:
        both = f"{edge.p50_us // 1000}/{slow_us // 1000} ms"
    else:
        both = f"{edge.p50_us / 1_000_000:.1f}/{slow_us / 1_000_000:.1f} s"
    slow = units.seconds(slow_us)
    return fitting((both, f"p99 {slow}", slow), room)


def _only_one(edge: EdgeView, said: str, rate: str, room: int) -> tuple[str, str, Ink]:
    """Attempts or errors, where there is no room for both: errors, unless there are more attempts than calls."""
    again = edge.attempts_per_s > edge.calls_per_s
    if edge.errors_ppm >= queries.GOOD_PPM and len(rate) <= room and not again:
        return "", rate, "dim"
    return said, "", queries.error_ink(edge.errors_ppm)


# -- what the signs mean ----------------------------------------------------------------------------------------------


def signs(snapshot: Snapshot) -> list[str]:
    """What ails edges and services, each sign with its meaning."""
    found = [f"{sign} {said}" for edge in snapshot.edges for sign, said in troubles(edge)]
    return list(dict.fromkeys([*found, *_of_services(snapshot)]))


def _of_services(snapshot: Snapshot) -> list[str]:
    """The letters on services and their hosts that are there now, each with its meaning."""
    there = {queries.status(service) for service in snapshot.services}
    there |= {queries.host_sign(snapshot, service, host)[0] for service in snapshot.services for host in service.hosts}
    return [f"{sign} {word}" for sign, word in SIGNS if sign in there]


def draw_legend(canvas: Canvas, y: int, snapshot: Snapshot) -> None:
    """The letters that stand in the graph now, each with its meaning, in one row that is free."""
    if snapshot.recorded or any(canvas.char_at(x, y) != " " for x in range(canvas.width)):
        return
    letters = {queries.letter(edge) for edge in snapshot.edges if edge.breaker is not None}
    several = any(len(service.hosts) > 1 for service in snapshot.services)
    found = [f"{letter} {word}" for letter, word in BREAKERS if letter in letters]
    found += _of_services(snapshot)
    found += ["w workers busy"] * (canvas.width >= WIDE) + ["q calls wait"] + ["1 2 .. its instances"] * several
    found += ["> call", "< answer"]
    x = 1
    for said in found:
        if x + len(said) >= canvas.width:
            break
        x = canvas.put(x, y, said, "dim") + 2


# -- without room for a graph -----------------------------------------------------------------------------------------


def _list(canvas: Canvas, snapshot: Snapshot, selected: str, glyphs: Glyphs) -> None:
    """One row an edge."""
    ids = [edge.id for edge in snapshot.edges]
    for y, number in enumerate(window(len(ids), place_of(ids, selected), canvas.height)):
        edge = snapshot.edges[number]
        canvas.put(0, y, glyphs.mark_left if edge.id == selected else " ", "bright")
        canvas.put(1, y, queries.letter(edge), chip(queries.ink(edge)) if edge.breaker else "dim")
        x = canvas.put(3, y, queries.name(edge.id), "bright" if edge.id == selected else "text")
        canvas.put(max(x + 1, 16), y, f"{edge.attempts_per_s}/s", "dim")
