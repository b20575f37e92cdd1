"""The picture: the space-time diagram, the lattice beside it, staleness below."""

from engines.consistency.world.snapshot import Snapshot
from tui.canvas import Canvas
from tui.glyphs import Glyphs
from tui.kit.words import plural
from tui.panel import Focus, Frame, Hit, Sizes
from tui.panels.consistency import inspector, lattice, spacetime, strip
from tui.panels.consistency.queries import TITLES, chosen, rows_of

WIDE = 60
"""Columns from which the lattice stands beside the diagram."""


def view(snapshot: Snapshot, focus: Focus, sizes: Sizes, glyphs: Glyphs) -> Frame:
    """Draw everything."""
    picture, below, look = (Canvas(*size) for size in sizes)
    now = chosen(focus)
    title = "space and time"
    note = _note(snapshot, focus)
    hits: list[Hit] = []
    if now.pair >= 0:
        lattice.matrix(picture, focus, glyphs)
        one, other = lattice.pair_at(now.pair)
        title = f"smallest: {TITLES[one]}, not {TITLES[other]}"
    elif snapshot.logged:
        note += _hidden(snapshot, focus, picture.height)
        hits += spacetime.draw(picture, snapshot, focus, glyphs, picture.width)
        title = f"events and clocks  {spacetime.RELATIONS}"
    elif picture.width >= WIDE and picture.height >= 6:
        note += _hidden(snapshot, focus, picture.height)
        hits += spacetime.draw(picture, snapshot, focus, glyphs, picture.width - lattice.WIDTH - 2)
        hits += lattice.draw(picture, snapshot, focus, glyphs, picture.width - lattice.WIDTH)
    elif picture.height:
        top = Canvas(picture.width, picture.height - 1)
        note += _hidden(snapshot, focus, top.height)
        hits += spacetime.draw(top, snapshot, focus, glyphs, picture.width)
        picture.blit(top, 0, 0)
        lattice.line(picture, snapshot, focus, picture.height - 1)
    if not snapshot.logged and now.pair < 0:
        across = picture.width - (lattice.WIDTH + 2) * (picture.width >= WIDE and picture.height >= 6)
        seen, _ = spacetime.parts(snapshot, focus, across)
        if focus.why:  # the explanation stands over the lattice where room is short
            title = lattice.broken(snapshot, focus)
        letters = spacetime.legend(snapshot, seen, picture.width - len(title) - len(note) - 9)
        title += f"  {letters}" if letters else ""
    strip.draw(below, snapshot, glyphs)
    return Frame(
        picture, below, look,
        hits=tuple(hits),
        picture_title=title,
        picture_note=note,
        strip_title="what is concurrent" if snapshot.logged else "freshness of reads",
        strip_note=strip.NOTE if below.height >= 3 and not snapshot.logged else "",
        inspector_title=inspector.draw(look, snapshot, focus, glyphs),
    )  # fmt: skip


def _hidden(snapshot: Snapshot, focus: Focus, height: int) -> str:
    """How many clients and replicas there is no room for."""
    count = len(rows_of(snapshot)) - len(spacetime.visible(snapshot, focus, height))
    return f"  {plural(count, 'row')} not shown" if count else ""


def _note(snapshot: Snapshot, focus: Focus) -> str:
    now = chosen(focus)
    if now.pair >= 0:
        return "v: back"
    if now.held >= 0:
        return "what if: arrows move the return"
    if now.model:
        broken = any(each.name == now.model and each.verdict.broken for each in snapshot.models)
        return f"{'witness' if broken else 'selected'}: {TITLES[now.model]}"
    return _numbers(snapshot)


def _numbers(snapshot: Snapshot) -> str:
    if snapshot.logged:
        return plural(snapshot.logged[-1].number + 1, "event")
    if snapshot.recorded:
        return plural(snapshot.operations, "operation")
    if snapshot.variant == "eventual":
        if snapshot.preset != "custom":
            return f"level {snapshot.preset}"
        return f"N={snapshot.n} R={snapshot.r} W={snapshot.w}"
    reads = f", reads {snapshot.preset}" if snapshot.variant == "mongodb" and snapshot.preset != "primary" else ""
    return f"{len(snapshot.replicas)} replicas{reads}"


def status(snapshot: Snapshot) -> str:
    """The facts of the top line."""
    if snapshot.logged:
        return f"{plural(snapshot.logged[-1].number + 1, 'event')}  {plural(len(snapshot.replicas), 'host')}"
    if snapshot.recorded:
        return f"{plural(snapshot.operations, 'operation')}  {len(snapshot.clients)} processes"
    broken = [each.name for each in snapshot.models if each.verdict.broken]
    strongest = next((each.name for each in snapshot.models if not each.verdict.broken), "nothing")
    said = f"{_numbers(snapshot)}  {snapshot.operations} ops"
    return f"{said}  strongest left: {strongest}" if broken else f"{said}  linearizable so far"
