"""The picture: the roads, or answers beside the truth, rows, causes."""

from typing import Final

from engines.cqrs.world.snapshot import Snapshot
from tui.canvas import Canvas
from tui.glyphs import Glyphs
from tui.kit import clicks
from tui.kit.words import plural
from tui.panel import Focus, Frame, Sizes
from tui.panels.cqrs import inspector, pictures, roads, strip
from tui.panels.cqrs.queries import worst
from tui.panels.cqrs.select import choose, machines, order_of, projection_of, read, view_of, views

TITLES: Final = {
    "roads": "two roads", "sides": "answers beside the truth", "rows": "rows of a read model",
    "tree": "causes and rows",
}  # fmt: skip


def view(snapshot: Snapshot, focus: Focus, sizes: Sizes, glyphs: Glyphs) -> Frame:
    """Draw everything."""
    picture, chart, side = (Canvas(*size) for size in sizes)
    shown = view_of(snapshot, focus)
    match shown:
        case "sides":
            pictures.draw_answers(picture, snapshot, focus, glyphs)
        case "rows":
            pictures.draw_rows(picture, snapshot, focus, glyphs)
        case "tree":
            pictures.draw_tree(picture, snapshot, focus, glyphs)
        case _:
            roads.draw(picture, snapshot, focus, glyphs)
    strip_title, strip_note = strip.draw(chart, snapshot, focus, glyphs)
    title = inspector.draw(side, snapshot, focus) if side.width and side.height else ""
    there = views(snapshot)
    following = there[(there.index(shown) + 1) % len(there)]
    at = read(focus).at
    name = TITLES[shown]
    if shown == "roads" and not snapshot.recorded:
        name += "   figures of the last 2 s"
    here = projection_of(snapshot, focus)
    if shown == "rows" and here is not None:
        name = f"{here.name} at event {at}" if at else here.name
    elif shown == "tree":
        name = f"causes of {order_of(snapshot, focus) or 'nothing'}"
    note = "left right: the date, y: now" if at else f"v: {TITLES[following]}"
    hits = clicks.named(picture, {each: Focus(node=each, chosen=True, pick=focus.pick) for each in machines(snapshot)})
    hits += clicks.named(picture, {each.name: choose(focus, projection=each.name) for each in snapshot.projections})
    return Frame(picture, chart, side, name, note, strip_title, strip_note, title, 0, hits)


def status(snapshot: Snapshot) -> str:
    """The facts of the top line."""
    late = worst(snapshot)
    said = plural(len(snapshot.events), "event")
    if not snapshot.recorded:
        said += f"  {plural(len({event.stream for event in snapshot.events}), 'order')}"
    return f"{said}  {late.behind} behind" if late is not None else said
