"""The picture of resilience: the call graph with a breaker on every edge, and the selected breaker at length."""

from dataclasses import replace
from typing import Final

from engines import units
from engines.resilience.world.snapshot import CallView, EdgeView, Snapshot
from tui.canvas import Canvas, clip
from tui.glyphs import Glyphs
from tui.kit import service_graph
from tui.kit.parts import gathered, part, upright
from tui.kit.service_graph import into
from tui.kit.words import plural
from tui.layout import BESIDE_WIDTH, arrange
from tui.panel import Focus, Frame, Hit, Sizes
from tui.panels.resilience import card, graph, inspector, queries, strip
from tui.panels.resilience.select import edge_of, service_of
from tui.panels.resilience.words import failure, load

WHOLE: Final = 110
"""A picture of so many columns has room for the machine in boxes beside the graph."""
BOTH: Final = 74
"""One of so many has room for a small one."""
CARD: Final = 33
"""Columns of the small one."""


def view(snapshot: Snapshot, focus: Focus, sizes: Sizes, glyphs: Glyphs) -> Frame:
    """Draw everything."""
    picture, below, look = (Canvas(*size) for size in sizes)
    edge = edge_of(snapshot, focus)
    aside = card_columns(sizes)
    if picture.height and picture.width:
        draw_picture(picture, snapshot, focus, edge, aside, glyphs)
    strip.draw(below, snapshot, focus, glyphs)
    title = inspector.draw(look, snapshot, focus, glyphs, machine=not aside or not beside(sizes)) if look.height else ""
    return Frame(
        picture, below, look,
        hits=hits(picture, snapshot, focus),
        picture_title="calls",
        picture_note=clip(_with_signs(picture, snapshot, note(snapshot, focus, edge)), max(0, picture.width - 14)),
        strip_title=strip.title(snapshot, focus),
        strip_note=strip.note(snapshot, focus, below.width),
        inspector_title=title,
    )  # fmt: skip


def _with_signs(canvas: Canvas, snapshot: Snapshot, said: str) -> str:
    """Before what is selected the signs in the graph that are no words there, as many as there is room for."""
    if spare_rows(canvas.height, snapshot) >= 2:
        return said
    told = gathered(graph.signs(canvas, snapshot), canvas.width - len(said) - 16)
    return f"{told} {said}" if told else said


def spare_rows(height: int, snapshot: Snapshot) -> int:
    """Rows that the graph leaves."""
    rows = max((len(column) for column in queries.columns(snapshot)), default=1)
    return height - rows * min(5, height // max(1, rows))


def hits(canvas: Canvas, snapshot: Snapshot, focus: Focus) -> tuple[Hit, ...]:
    """Services by their names, and the edge that leads to one by the wire before its name."""

    def call_to(service: Focus) -> Focus | None:
        edges = into(snapshot.edges, service.node)
        return replace(focus, node=edges[0].id) if edges else None

    names = {service.id: replace(focus, node=service.id) for service in snapshot.services}
    return service_graph.hits(canvas, names, call_to)


def beside(sizes: Sizes) -> bool:
    """Whether the inspector has a place of its own, rather than lying over the picture."""
    width = sizes.picture.width + sizes.inspector.width + 4
    return sizes.inspector.height > 0 and width >= BESIDE_WIDTH and arrange(width, 36).sizes()[2][0] == sizes[2][0]


def card_columns(sizes: Sizes) -> int:
    """Columns of the picture that the breaker takes; 0: it stands in the inspector."""
    width = sizes.picture.width
    if width >= WHOLE:
        return min(72, width * 44 // 100)
    return 0 if beside(sizes) or width < BOTH else max(CARD, width * 43 // 100)


def draw_picture(
    canvas: Canvas, snapshot: Snapshot, focus: Focus, edge: EdgeView | None, aside: int, glyphs: Glyphs
) -> None:  # fmt: skip
    """The graph; the breaker beside it where there is room; below it the newest calls if rows are left."""
    width = canvas.width - aside - bool(aside)
    spare = spare_rows(canvas.height, snapshot)
    ended = tuple(call for call in snapshot.calls if call.state != "running")
    calls = ended[-min(spare - 1, 3) :] if spare >= 2 and width >= 50 else ()
    with part(canvas, 0, 0, width, canvas.height - len(calls)) as main:
        graph.draw(main, snapshot, focus.node, glyphs)
        if spare >= 2 and width >= 50:
            graph.draw_legend(main, main.height - 1, snapshot)
    for y, call in enumerate(calls, canvas.height - len(calls)):
        draw_call(canvas, y, width, call)
    if aside and edge is not None:
        upright(canvas, width, glyphs)
        with part(canvas, width + 1, 0, aside, canvas.height) as beside_it:
            card.draw(beside_it, snapshot, edge, glyphs)


def draw_call(canvas: Canvas, y: int, width: int, call: CallView) -> None:
    """One call of a client in one row: who, what, how it ended and why."""
    x = canvas.put(1, y, clip(f"{call.client} {call.kind}", 16), "you" if call.client == "you" else "dim")
    x = canvas.put(max(x + 1, 17), y, call.state, queries.ENDS.get(call.state, "text"))
    took = units.seconds(call.took_us) if call.took_us >= 0 else ""
    why = failure(call.why, call.origin) if call.why else ""
    told = ": ".join(filter(None, (took, why)))
    said = ", ".join(filter(None, (told, plural(call.requests, "request"))))
    canvas.put(x + 1, y, clip(said, width - x - 2), "text")


def note(snapshot: Snapshot, focus: Focus, edge: EdgeView | None) -> str:
    """The selected breaker or service in one line, for the border."""
    service = service_of(snapshot, focus)
    if service is not None:
        if service.layer == "client" or not service.workers:
            return f"{service.id}: {load(snapshot)}"
        return f"{service.id}: {service.busy}/{service.workers} workers busy, {service.queue} calls wait"
    if edge is None:
        return ""
    name = queries.name(edge.id)
    if edge.outliers:
        out = sum(each.ejected for each in edge.outliers)
        return f"{name}: {out or 'none'} of {len(edge.outliers)} hosts out"
    if edge.breaker is None:
        return f"{name}: no breaker"
    state, here = queries.look(edge).name, queries.here(snapshot, edge.breaker)
    return f"{name} {state} {here}: {card.next_words(edge.breaker)}"


def status(snapshot: Snapshot) -> str:
    """The facts of the top line: what was set, and how many breakers are open."""
    guarded = [edge for edge in snapshot.edges if edge.breaker is not None]
    shut = sum(edge.blocked for edge in guarded)
    half = sum(edge.breaker is not None and edge.breaker.state == "half_open" for edge in guarded)
    states = f"  {shut} open" * (shut > 0) + f"  {half} half-open" * (half > 0)
    presets = list(dict.fromkeys(edge.breaker.preset for edge in guarded if edge.breaker is not None))
    head = f"preset {' '.join(presets[:2])}{' ...' * (len(presets) > 2)}" if guarded else "no breakers"
    return f"{head}  {snapshot.rate_per_s}/s{states}" if not snapshot.recorded else f"{head}{states}"
