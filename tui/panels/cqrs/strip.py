"""The chart over time: the gap of every projection; below it the same order on both models, costs and the verdict."""

from typing import Final

from engines.cqrs.world.snapshot import Snapshot
from engines.units import exact, span
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.charts import Line, draw_rows, fitted
from tui.panel import Focus
from tui.panels.cqrs.queries import SHORT, work_us
from tui.panels.cqrs.roads import one_line, verdict_line

SAID: Final = 21
NAME: Final = 10
INKS: Final = ("n1", "n2", "n3")
FAILING: Final[dict[str, Ink]] = {"stale": "warn", "wrong": "bad"}
"""In which ink it is said how a read model fails."""


def draw(canvas: Canvas, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> tuple[str, str]:
    """Draw what there is room for; returns title and note."""
    if not canvas.height:
        return "", ""
    if snapshot.recorded:
        return _file(canvas, snapshot)
    count = len(snapshot.projections)
    width = max(1, canvas.width - NAME - SAID - 1)
    drawn = snapshot.gaps[-width:]
    lines = []
    for place, view in enumerate(snapshot.projections):
        values = tuple(float(gap.gaps[place][0]) for gap in drawn)
        age = f"{view.behind} behind, {span(view.age_us) if view.behind else '0 ms'}"
        lines.append(Line(SHORT.get(view.name, view.name), fitted(values, width), age, INKS[place % 3]))
    draw_rows(canvas, lines, glyphs, NAME, SAID)
    if canvas.height >= 2 * count + 3:
        older = []
        for place in range(count):
            values = tuple(float(gap.gaps[place][1]) for gap in drawn)
            top = max((gap.gaps[place][1] for gap in drawn), default=0)
            said = f"oldest at most {span(top) if top else '0 ms'}"
            older.append(Line("  age", fitted(values, width), said, INKS[place % 3]))
        part = Canvas(canvas.width, count)
        draw_rows(part, older, glyphs, NAME, SAID)
        canvas.blit(part, 0, count)
    said, failing = one_line(snapshot, focus)
    text, ink = verdict_line(snapshot)
    if not snapshot.costs.verdict.crud_us:
        text = f"verdict: {text}"
    if canvas.width > 110 and snapshot.costs.verdict.crud_us:
        text += f": {snapshot.costs.verdict.why.value}"
    below = [(text, ink), (said, FAILING.get(failing, "text")), (_costs(snapshot), "dim")]
    below = below[: max(0, canvas.height - count)]
    for row, (words, role) in enumerate((*below[1:], *below[:1]), canvas.height - len(below)):  # the verdict comes last
        canvas.put(1, row, clip(words, canvas.width - 2), role)
    covers_us = drawn[-1].at_us - drawn[0].at_us if drawn else 0
    return "the gap: events behind", f"last {exact(covers_us)}" if covers_us else ""


def _costs(snapshot: Snapshot) -> str:
    """What each side works, a second. Commands are those that were decided, so also what the saga asked for."""
    load, verdict = snapshot.costs.load, snapshot.costs.verdict
    return (f"{load.writes}/s commands (saga's too) {work_us(verdict.write_us)} + {load.projections} projections "
            f"{work_us(verdict.project_us)} + {load.reads}/s reads {work_us(verdict.read_us)}")  # fmt: skip


def _file(canvas: Canvas, snapshot: Snapshot) -> tuple[str, str]:
    source = snapshot.source
    assert source is not None
    canvas.put(1, 0, clip(f"{source.kind}, {source.events_total:,} events; {source.integrity}", canvas.width - 2),
               "text" if source.integrity_ok else "bad")  # fmt: skip
    for row, view in enumerate(snapshot.projections, 1):
        stopped = view.tables[0].stopped_at if view.tables else 0
        said = f"stopped at {stopped}" if stopped else f"{view.behind} behind"
        canvas.put(1, row, f"{view.name:17} at {view.position:,}, {said}, {view.parked} parked", "text")
    return "the read models of the file", ""
