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
from tui.kit.words import plural
from tui.panel import Focus
from tui.panels.tracing.details import level, middle
from tui.panels.tracing.select import analysis_at, choose, service_of

LAYERS: Final = ("edge", "domain", "data")
LABEL: Final = 8
CELL_MAX: Final = 19
NAMED_BY_VERDICT: Final = "V"
"""The mark of the service that the verdict names."""
NAMED: Final = 9
"""Columns of a cell from which it has a name."""
ROOMY: Final = 13
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


class Grid(NamedTuple):
    """Where the cells are."""

    cell: int
    per: int
    gap: int
    layers: tuple[tuple[str, tuple[ServiceView, ...]], ...]

    @property
    def rows(self) -> int:
        """Rows of all layers."""
        return sum(-(-len(each) // self.per) for _, each in self.layers) + self.gap * (len(self.layers) - 1)


def title(snapshot: Snapshot, focus: Focus) -> str:
    """How much of it there is."""
    return f"service map  {plural(len(snapshot.services), 'service')}, {plural(len(snapshot.map_edges), 'call')}"


def layers(snapshot: Snapshot) -> tuple[tuple[str, tuple[ServiceView, ...]], ...]:
    """The services by layer, in the order of the snapshot."""
    names = (*LAYERS, *dict.fromkeys(each.layer for each in snapshot.services if each.layer not in LAYERS))
    found = ((name, tuple(each for each in snapshot.services if each.layer == name)) for name in names)
    return tuple((name, each) for name, each in found if each)


def plan(snapshot: Snapshot, width: int, height: int) -> Grid | None:
    """The widest cells with which all services fit; None: not even as single characters."""
    there = layers(snapshot)
    longest = max((len(each.name) for each in snapshot.services), default=0) + 4
    for cell in range(min(CELL_MAX, longest), 1, -1):
        if 2 < cell < NAMED:
            continue
        per = (width - LABEL) // cell
        if per < 1:
            continue
        grid = Grid(cell, per, 0, there)
        if grid.rows <= height:
            return next((wider for gap in (3, 2, 1) if (wider := grid._replace(gap=gap)).rows <= height), grid)
    return None


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs, told: bool = False) -> None:
    """The layers, and below them the selected service among those it talks to, unless that is ``told`` beside."""
    if not snapshot.services:
        canvas.put(1, 0, clip("No service is known yet: they are learned from spans.", canvas.width - 1), "dim")
        return
    name = service_of(snapshot, focus)
    grid, lines = _fitted(canvas, snapshot, name, told)
    if grid is not None:
        _cells(canvas, grid, snapshot, focus, name, glyphs)
    put_lines(canvas, 1, canvas.height - len(lines), lines, canvas.width)


def _fitted(canvas: Canvas, snapshot: Snapshot, name: str, told: bool) -> tuple[Grid | None, list[list[Piece]]]:
    """Cells with names go before lines below; where even so none fit, the names are in the lines."""
    callers, self, callees = about(snapshot, name)
    ways: list[list[list[Piece]]] = [[]] if told else [[callers, self, callees], [self], []]
    for lines in ways:
        grid = plan(snapshot, canvas.width, canvas.height - len(lines) - (len(lines) > 1))
        if grid is not None and grid.cell >= NAMED:
            return grid, lines
    hot = hot_line(snapshot)
    for lines in ([hot, callers, self, callees], [callers, self, callees], [self, callees], [self], []):
        grid = plan(snapshot, canvas.width, canvas.height - len(lines))
        if grid is not None:
            return grid, lines
    return None, [hot, self][: canvas.height]


def _cells(canvas: Canvas, grid: Grid, snapshot: Snapshot, focus: Focus, name: str, glyphs: Glyphs) -> None:
    spots: dict[str, tuple[int, int]] = {}
    callers = {edge.src for edge in snapshot.map_edges if edge.dst == name}
    callees = {edge.dst for edge in snapshot.map_edges if edge.src == name}
    made = analysis_at(snapshot, focus)
    lit = {made.tree.spans[index].service for index in made.on_path}
    named = snapshot.verdicts[0].service if snapshot.verdicts else ""
    hot = hot_services(snapshot) | {named}
    marks = ((glyphs.mark_left, {name}), (glyphs.arrow_up, callers), (glyphs.arrow_down, callees),
             (NAMED_BY_VERDICT, {named}))  # fmt: skip
    usual = middle([each.p99_us for each in snapshot.services if each.p99_us])
    y = 0
    for title, services in grid.layers:
        canvas.put(1, y, clip(title, LABEL - 2), "dim")
        for number, service in enumerate(services):
            x = LABEL + number % grid.per * grid.cell
            spots[service.name] = x + grid.cell // 2, y + number // grid.per
            mark = next((mark for mark, there in marks if service.name in there), "")
            _cell(canvas, *spots[service.name], grid.cell, service, mark, lit, hot, usual, glyphs)
        y += -(-len(services) // grid.per) + grid.gap
    if name in spots and grid.cell >= NAMED and grid.gap:
        for other in sorted(callers | callees):
            if other in spots:
                canvas.line(*spots[name], *spots[other], "accent" if other in callees else "line", True, glyphs)


def _cell(
    canvas: Canvas, x: int, y: int, width: int, service: ServiceView, mark: str, lit: set[str], hot: set[str],
    usual: int, glyphs: Glyphs,
) -> None:  # fmt: skip
    x -= width // 2
    now = state(service)
    heat = level(service.p99_us, glyphs, max(1, usual // 4), max(2, usual * 16)) if service.calls_per_s else "."
    glow: Ink = now.ink if now.letter else "bad" if service.name in hot else "good" if service.calls_per_s else "dim"
    if width < NAMED:
        selected = mark == glyphs.mark_left
        canvas.put(x, y, now.letter or heat, "selected" if selected else glow)
        return
    canvas.put(x, y, mark or " ", "bright" if mark == glyphs.mark_left else "accent")
    canvas.put(x + 1, y, now.letter or heat, glow)
    ink: Ink = "leader" if service.name in lit else "text"
    if mark == glyphs.mark_left:
        ink = "selected"
    elif now.letter or service.name in hot:
        ink = f"{glow}!"
    at = 3 if width >= ROOMY else 2
    canvas.put(x + at, y, shortened(service.name, width - at - 1), ink)


def shortened(name: str, width: int) -> str:
    """A name in little room keeps the first letter of its last part: ``catalog-cache`` is ``catal-c``."""
    head, dash, tail = name.rpartition("-")
    if len(name) <= width or not dash or width < 5:
        return name[:width]
    return f"{head[: width - 2]}-{tail[: width - 1 - len(head[: width - 2])]}"


def hot_services(snapshot: Snapshot) -> set[str]:
    """Services that are much slower than the others of their layer."""
    found: set[str] = set()
    for _, services in layers(snapshot):
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
            words = now.words or f"p99 {fixed(service.p99_us)}"
            pieces += [(f"{service.name} ", now.ink if now.letter else "bad"), (f"{words}  ", "text")]
    return pieces if len(pieces) > 1 else [("all services are well", "good")]


def about(snapshot: Snapshot, name: str) -> list[list[Piece]]:
    """Three lines: who calls it, how it fares, whom it calls."""
    callers, callees = calls_of(snapshot, name)
    return [
        [("called by ", "dim"), *_calls(callers, "src", "nobody: requests come in here")],
        [(f"{name}  ", "bright"), *figures(snapshot.service(name))],
        [("calls     ", "dim"), *_calls(callees, "dst", "nobody")],
    ]


def figures(service: ServiceView | None) -> list[Piece]:
    """What is measured of it."""
    if service is None:
        return [("not a service of this system", "dim")]
    now = state(service)
    pieces: list[Piece] = [(f"{now.words}  ", now.ink)] if now.words else []
    pieces += [
        (f"{service.calls_per_s}/s  ", "text"), ("p50 ", "dim"), (f"{fixed(service.p50_us)}  ", "text"),
        ("p99 ", "dim"), (f"{fixed(service.p99_us)}  ", "text"),
        ("errors ", "dim"), (f"{percent(service.errors_ppm)}  ", "error" if service.errors_ppm else "good"),
    ]  # fmt: skip
    if service.workers_max:
        pieces += [("workers ", "dim"), (f"{service.workers_busy}/{service.workers_max}  ", "text")]
    if service.pool_max:
        full = service.pool_in_use >= service.pool_max
        pieces += [("pool ", "dim"), (f"{service.pool_in_use}/{service.pool_max}", "bad" if full else "text")]
    return pieces


def _calls(edges: Sequence[MapEdge], end: str, nobody: str) -> list[Piece]:
    pieces: list[Piece] = []
    for edge in edges:
        rate = f"{edge.calls_per_s}/s" + (f" p99 {fixed(edge.p99_us)}" if edge.p99_us else "")
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


def calls_of(snapshot: Snapshot, name: str) -> tuple[list[MapEdge], list[MapEdge]]:
    """Those to a service, and those it makes, the most frequent first."""
    every = busiest(snapshot)
    return [edge for edge in every if edge.dst == name], [edge for edge in every if edge.src == name]


# -- where the arrows lead -------------------------------------------------------------------------------------------


def move(snapshot: Snapshot, focus: Focus, direction: str) -> Focus:
    """Left and right within the layer; up to the busiest caller, down to the busiest of those it calls."""
    name = service_of(snapshot, focus)
    if direction in ("left", "right"):
        rows = [[each.name for each in services] for _, services in layers(snapshot)]
        row = next((names for names in rows if name in names), [each.name for each in snapshot.services][:1])
        return choose(focus, service=after(row, name, 1 if direction == "right" else -1)) if row else focus
    for edge in busiest(snapshot):
        if direction == "up" and edge.dst == name and edge.src != name:
            return choose(focus, service=edge.src)
        if direction == "down" and edge.src == name and edge.dst != name:
            return choose(focus, service=edge.dst)
    return focus
