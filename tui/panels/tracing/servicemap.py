"""The service map: every service in its layer, hot ones lit, and for the selected one who calls it and whom it calls.

Seventy services and three hundred calls drawn as lines are a ball of wool. So the layers are rows, each service a cell
that says how it fares, and only the calls of the selected service are drawn. Up goes to the busiest caller, down to the
busiest of those it calls: walking down from the edge one walks a request.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from engines.tracing.world.snapshot import MapEdge, ServiceView, Snapshot
from engines.units import fixed, percent
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.parts import Piece, put_lines
from tui.kit.selection import after
from tui.kit.service_graph import NAMED, Cell, Grid, draw_rows, grid_of, into, layers, out_of
from tui.kit.words import chip, plural
from tui.panel import Focus
from tui.panels.tracing.details import level, middle, tail
from tui.panels.tracing.select import analysis_at, choose, service_of

LAYERS: Final = ("edge", "domain", "data")
NAMED_BY_VERDICT: Final = "V"
"""The mark of the service that the verdict names."""
ERRORS_PPM: Final = 50_000
HOT: Final = 8
"""A service is slow when its p99 is so many times that of its layer's middle one."""


class State(NamedTuple):
    """How a service fares: a letter that tells it without colour, an ink, and words."""

    letter: str
    ink: Ink
    words: str


def state(service: ServiceView) -> State:
    """What is worth knowing of it before all else; an empty letter: nothing is."""
    if service.status == "crashed":
        return State("X", "dead", "crashed")
    if service.status == "frozen":
        return State("Z", "frozen", f"frozen, {service.waiting} messages wait")
    if service.cut_from:
        return State("x", "cut", f"cut from {len(service.cut_from)}")
    if service.pool_waiting:
        return State("P", "bad", f"pool {service.pool_in_use}/{service.pool_max}, {service.pool_waiting} waiting")
    if service.queue_depth and service.workers_busy >= service.workers_max > 0:
        return State("Q", "warn", f"workers {service.workers_busy}/{service.workers_max}, {service.queue_depth} queued")
    if service.errors_ppm >= ERRORS_PPM:
        return State("!", "error", f"{percent(service.errors_ppm)} errors")
    return State("", "text", "")


def title(snapshot: Snapshot, focus: Focus) -> str:
    """How much of it there is."""
    return f"service map  {plural(len(snapshot.services), 'service')}, {plural(len(snapshot.map_edges), 'call')}"


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, told: bool = False) -> None:
    """The layers, and below them the selected service among those it talks to, unless that is ``told`` beside."""
    if not snapshot.services:
        canvas.put(1, 0, clip("No service is known yet: they are learned from spans.", canvas.width - 1), "dim")
        return
    name = service_of(snapshot, focus)
    grid, lines = _fitted(canvas, snapshot, name, told)
    if grid is not None:
        cells = _cells(snapshot, focus, glyphs)
        draw_rows(canvas, grid, lambda service: service.name, cells, snapshot.map_edges, name, glyphs)
    put_lines(canvas, 1, canvas.height - len(lines), lines, canvas.width)


def _fitted(
    canvas: Canvas, snapshot: Snapshot, name: str, told: bool
) -> tuple[Grid[ServiceView] | None, list[list[Piece]]]:
    """Cells with names go before lines below; where even so none fit, the names are in the lines."""
    callers, self, callees = about(snapshot, name)
    hot = hot_line(snapshot)
    ways: list[tuple[list[list[Piece]], int]] = [([], NAMED)] if told else [
        ([callers, self, callees], NAMED), ([self], NAMED), ([], NAMED)]  # fmt: skip
    ways += [(lines, 1) for lines in ([hot, callers, self, callees], [callers, self, callees], [self, callees],
                                      [self], [])]  # fmt: skip
    longest = max(len(each.name) for each in snapshot.services)
    for lines, least in ways:
        blank = least == NAMED and len(lines) > 1
        grid = grid_of(layers(snapshot.services, LAYERS), longest, canvas.width, canvas.height - len(lines) - blank)
        if grid is not None and grid.cell >= least:
            return grid, lines
    return None, [hot, self][: canvas.height]


def _cells(snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> dict[str, Cell]:
    """How each service is written: what is wrong with it or how hot it is, whether it is on the path of the trace."""
    made = analysis_at(snapshot, focus)
    lit = {made.tree.spans[index].service for index in made.on_path}
    named = snapshot.verdicts[0].service if snapshot.verdicts else ""
    hot = hot_services(snapshot) | {named}
    usual = middle([each.p99_us for each in snapshot.services if each.p99_us])
    cells = {}
    for each in snapshot.services:
        now, unwell = state(each), each.name in hot
        heat = level(each.p99_us, glyphs, max(1, usual // 4), max(2, usual * 16)) if each.calls_per_s else "."
        glow = now.ink if now.letter else "bad" if unwell else "good" if each.calls_per_s else "dim"
        ink = chip(glow) if now.letter or unwell else "leader" if each.name in lit else "text"
        cells[each.name] = Cell(now.letter or heat, glow, ink, NAMED_BY_VERDICT if each.name == named else "")
    return cells


def hot_services(snapshot: Snapshot) -> set[str]:
    """Services that are much slower than the others of their layer."""
    found: set[str] = set()
    for services in layers(snapshot.services, LAYERS).values():
        usual = middle([each.p99_us for each in services if each.calls_per_s])
        found |= {each.name for each in services if usual and each.calls_per_s and each.p99_us >= HOT * usual}
    return found


# -- words -----------------------------------------------------------------------------------------------------------


def hot_line(snapshot: Snapshot) -> list[Piece]:
    """Which services are not well, where cells have no room for names."""
    hot = hot_services(snapshot)
    pieces: list[Piece] = [("not well: ", "dim")]
    for service in snapshot.services:
        now = state(service)
        if now.letter or service.name in hot:
            words = now.words or f"{tail(measured_of(snapshot, service))} {fixed(service.p99_us)}"
            pieces += [(f"{service.name} ", now.ink if now.letter else "bad"), (f"{words}  ", "text")]
    return pieces if len(pieces) > 1 else [("all services are well", "good")]


def about(snapshot: Snapshot, name: str) -> list[list[Piece]]:
    """Three lines: who calls it, how it fares, whom it calls."""
    callers, callees = calls_of(snapshot, name)
    return [
        [("called by ", "dim"), *_calls(snapshot, callers, "src", "nobody: requests come in here")],
        [(f"{name}  ", "bright"), *figures(snapshot, name)],
        [("calls     ", "dim"), *_calls(snapshot, callees, "dst", "nobody")],
    ]


def measured_of(snapshot: Snapshot, found: ServiceView) -> int:
    """How many calls the figures of a service come from: those of the last ten seconds, of a FILE all."""
    return found.called if snapshot.recorded else min(found.called, 10 * found.calls_per_s)


def slowest_of(edge: MapEdge, recorded: bool) -> str:
    """The slowest calls over an edge, by the same rule; empty: none was measured."""
    count = edge.calls if recorded else min(edge.calls, 10 * edge.calls_per_s)
    return f"{tail(count)} {fixed(edge.p99_us)}" if edge.p99_us else ""


def figures(snapshot: Snapshot, name: str) -> list[Piece]:
    """What is measured of it."""
    service = snapshot.service(name)
    if service is None:
        return [("not a service of this system", "dim")]
    now = state(service)
    pieces: list[Piece] = [(f"{now.words}  ", now.ink)] if now.words else []
    pieces += [
        (f"{service.calls_per_s}/s  ", "text"), ("p50 ", "dim"), (f"{fixed(service.p50_us)}  ", "text"),
        (f"{tail(measured_of(snapshot, service))} ", "dim"), (f"{fixed(service.p99_us)}  ", "text"),
        ("errors ", "dim"), (f"{percent(service.errors_ppm)}  ", "error" if service.errors_ppm else "good"),
    ]  # fmt: skip
    if service.workers_max:
        pieces += [("workers ", "dim"), (f"{service.workers_busy}/{service.workers_max}  ", "text")]
    if service.pool_max:
        full = service.pool_in_use >= service.pool_max
        pieces += [("pool ", "dim"), (f"{service.pool_in_use}/{service.pool_max}", "bad" if full else "text")]
    return pieces


def _calls(snapshot: Snapshot, edges: Sequence[MapEdge], end: str, nobody: str) -> list[Piece]:
    pieces: list[Piece] = []
    for edge in edges:
        rate = f"{edge.calls_per_s}/s {slowest_of(edge, snapshot.recorded)}".rstrip()
        words = breaker(edge.breaker) or rate + (" async" if edge.asynchronous else "")
        pieces.append((f"{getattr(edge, end)} ", "error" if edge.errors_ppm >= ERRORS_PPM else "text"))
        pieces.append((f"{words}   ", "open" if breaker(edge.breaker) else "dim"))
    return pieces or [(nobody, "dim")]


def breaker(state: str) -> str:
    """A breaker worth a word: one that is not closed."""
    return f"breaker {state.replace('_', '-')}" if state in ("open", "half_open") else ""


def busiest(snapshot: Snapshot) -> list[MapEdge]:
    """All calls, the most frequent first."""
    return sorted(snapshot.map_edges, key=lambda edge: (-edge.calls_per_s, -edge.calls, edge.src, edge.dst))


def calls_of(snapshot: Snapshot, name: str) -> tuple[tuple[MapEdge, ...], tuple[MapEdge, ...]]:
    """Those to a service, and those it makes, the most frequent first."""
    every = busiest(snapshot)
    return into(every, name), out_of(every, name)


# -- where the arrows lead -------------------------------------------------------------------------------------------


def move(snapshot: Snapshot, focus: Focus, direction: str) -> Focus:
    """Left and right within the layer; up to the busiest caller, down to the busiest of those it calls."""
    name = service_of(snapshot, focus)
    if direction in ("left", "right"):
        rows = [[each.name for each in services] for services in layers(snapshot.services, LAYERS).values()]
        row = next((names for names in rows if name in names), [each.name for each in snapshot.services][:1])
        return choose(focus, service=after(row, name, 1 if direction == "right" else -1)) if row else focus
    callers, callees = calls_of(snapshot, name)
    ways = [each.src for each in callers] if direction == "up" else [each.dst for each in callees]
    there = next((each for each in ways if each != name), "")
    return choose(focus, service=there) if there else focus
