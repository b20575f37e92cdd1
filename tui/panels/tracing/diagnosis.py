"""The diagnosis in full: every contribution to the gap, the walk downstream, what differs, what else it could be.

The slow cohort and the fast one are compared by the mean time that each operation holds the critical path. The path is
a partition and a mean is linear, so the rows add up to the gap exactly: the last line says so.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from engines.tracing.diagnosis import Comparison, Diagnosis
from engines.tracing.waiting import CALL
from engines.tracing.world.snapshot import Snapshot
from engines.units import fixed, percent
from tui.canvas import Canvas, Ink, clip
from tui.glyphs import Glyphs
from tui.kit.parts import Piece, paragraph, part, put_lines, upright
from tui.kit.tables import put_cells
from tui.panels.tracing.details import WAITS
from tui.panels.tracing.verdict import lacking
from tui.plot import bar
from tui.userdata import verdict_words as say

BESIDE: Final = 110
"""Columns from which walk and differences stand beside the contributions."""
BARS: Final = 12
FIGURES: Final = (8, 9, 9, 7)
"""Columns of the figures of a contribution."""
VERDICTS: Final = 3
"""How many of those that come before latency are told in full."""
MANY: Final = (
    "p99 is a property of many requests: of a hundred, one is at it. One trace cannot show what it is made of."
)


def title(snapshot: Snapshot) -> str:
    """What is compared."""
    found = snapshot.diagnosis
    if found is None:
        return "verdict"
    if found.comparison is not Comparison.TAIL:
        which, others = say.WHEN[found.comparison], say.THAN[found.comparison]
        return f"verdict in full: {found.slow:,} {which} against {found.fast:,} {others}, {found.operation}"
    return f"verdict in full: {found.slow} slowest against {found.fast} fast of {found.traces:,} {found.operation}"


def draw(canvas: Canvas, snapshot: Snapshot, glyphs: Glyphs) -> None:
    """Contributions, and beside or below them the rest."""
    found = snapshot.diagnosis
    if canvas.height < 2 or canvas.width < 30:
        return
    if found is None:
        put_lines(canvas, 1, 0, _none(snapshot, canvas.width), canvas.width)
        return
    if urgent(snapshot):
        told = put_lines(canvas, 1, 0, _told(snapshot, canvas.width), canvas.width)
        with part(canvas, 0, told + 1, canvas.width, max(0, canvas.height - told - 1)) as rest:
            draw(rest, replace(snapshot, verdicts=()), glyphs)
        return
    left, rows = canvas.width, min(len(found.contributions) + 2, max(4, canvas.height * 3 // 5))
    low = max(0, canvas.height - rows - (canvas.height > 12))
    x, width = 0, canvas.width
    if canvas.width >= BESIDE:
        left, rows, low = canvas.width * 11 // 20, canvas.height, canvas.height
        x, width = left + 1, canvas.width - left - 1
        upright(canvas, left, glyphs)
    with part(canvas, 0, 0, left, min(canvas.height, rows)) as above:
        _contributions(above, found, glyphs)
    with part(canvas, x, canvas.height - low, width, low) as rest:
        _rest(rest, snapshot, found, glyphs)


def urgent(snapshot: Snapshot) -> bool:
    """Whether something is named before any latency: traces that are broken, calls that fail."""
    found = snapshot.diagnosis
    return bool(snapshot.verdicts) and (found is None or snapshot.verdicts[0].evidence != found.verdict)


def _told(snapshot: Snapshot, width: int) -> Iterator[list[Piece]]:
    """What is named, in full, and what else."""
    latency = snapshot.diagnosis.verdict if snapshot.diagnosis is not None else None
    for number, each in enumerate(snapshot.verdicts[:VERDICTS]):
        if number and each.evidence == latency:
            continue
        head, ink = ("and    ", "text") if number else ("named  ", "bright")
        yield from paragraph(say.sentence(each), ink, width - 2, (head, "accent"))


def _none(snapshot: Snapshot, width: int) -> Iterator[list[Piece]]:
    """What is named, why there is no diagnosis, and what fails."""
    lack, told = say.lack_words(lacking(snapshot)), list(_told(snapshot, width))
    yield from [*told, []] if told else []
    yield from paragraph(f"Of latency: {lack}" if told else lack or "No trace has arrived yet.", "text", width - 2)
    yield from paragraph(MANY, "dim", width - 2)
    yield from _failures(snapshot, width)


def _contributions(canvas: Canvas, found: Diagnosis, glyphs: Glyphs) -> None:
    """A row for each place and kind of time, the largest first, and the sum."""
    chart = BARS if canvas.width >= 76 else 0
    label = canvas.width - sum(FIGURES) - 2 - chart
    canvas.put(1, 0, clip("critical path of", label - 1), "dim")
    heads = ("p50", "p99", "adds") if found.comparison is Comparison.TAIL else ("others", "these", "adds")
    put_cells(canvas, label, 0, FIGURES, ((head, "dim") for head in heads))
    shown = found.contributions[: max(1, canvas.height - 2)]
    most = max((abs(each.ppm) for each in shown), default=1) or 1
    for y, each in enumerate(shown, 1):
        wait, loud = WAITS.get(each.kind), each.ppm >= 50_000
        ink: Ink = wait.ink if wait is not None else "leader"
        x = canvas.put(1, y, clip(each.service, label - 2), "bright" if loud else "text") + 1
        words = each.kind + (f" {each.peer}" if each.peer else "") if wait is not None else each.operation
        if each.kind == CALL:
            words = f"calls {each.peer}" if each.peer else f"{each.operation}, on the way"
        canvas.put(x, y, clip(words, max(0, label - x)), ink if wait is not None and loud else "dim")
        put_cells(canvas, label, y, FIGURES, (
            (fixed(each.fast_us), "dim"), (fixed(each.slow_us), "text"),
            (f"{'+' if each.us > 0 else ''}{fixed(each.us)}", ink if loud else "text"),
            (percent(each.ppm), "bright" if loud else "dim"),
        ))  # fmt: skip
        if chart and each.ppm > 0:
            canvas.put(label + 35, y, bar(each.ppm / most, chart, glyphs).replace(glyphs.bar_empty, " "), ink)
    y = min(canvas.height - 1, len(shown) + 1)
    rest = len(found.contributions) - len(shown)
    canvas.fill(0, y, canvas.width, 1)
    words = (f"{rest} more, and " if rest else "") + "all add up to the gap, exactly"
    canvas.put(1, y, words if len(words) < label else f"{rest} more; exactly the gap", "dim")
    put_cells(canvas, label, y, FIGURES, (
        (fixed(found.fast_mean_us), "dim"), (fixed(found.slow_mean_us), "text"), (f"+{fixed(found.gap_us)}", "good"),
        ("100 %", "good"),
    ))  # fmt: skip


def _failures(snapshot: Snapshot, width: int) -> Iterator[list[Piece]]:
    """What fails, and the way to where that begins."""
    for each in snapshot.failures[:2]:
        yield from ([], [("what fails", "accent")])
        yield from paragraph(say.failure_words(each), "text", width - 2)
        yield from ([(f"  {say.failure_step_words(step, each.failed)}", "dim")] for step in each.walk[1:])


def _rest(canvas: Canvas, snapshot: Snapshot, found: Diagnosis, glyphs: Glyphs) -> None:
    """The walk, what else it could be, and which attributes differ, as far as there is room."""
    lines = list(_told_beside(snapshot, found, canvas.width, glyphs))
    if len(lines) > canvas.height:
        lines = [line for line in lines if line]
    put_lines(canvas, 1, 0, lines[: canvas.height], canvas.width)


def _told_beside(snapshot: Snapshot, found: Diagnosis, width: int, glyphs: Glyphs) -> Iterator[list[Piece]]:
    yield [("the walk downstream", "accent")]
    for number, step in enumerate(found.walk, 1):
        last = number == len(found.walk)
        head, then = (glyphs.last, glyphs.gap) if last else (glyphs.branch, glyphs.rail)
        ink = "bright" if last else "text"
        yield from paragraph(say.step_words(step), ink, width - 2, (f"{head} ", "line"), f"{then} ")
    if not found.standing.stands_out:
        yield from paragraph(say.ordinary_words(found), "dim", width - 2)
    yield from paragraph(say.standing_words(found), "text", width - 2)
    if found.verdict.saved_us > 0:
        yield [("without it the slow ones save ", "dim"), (fixed(found.verdict.saved_us), "good"),
               (f" of {fixed(found.slow_mean_us)} on average", "dim")]  # fmt: skip
    if found.alternatives:
        yield from ([], [("what else it could be", "accent")])
    for each in found.alternatives:
        yield from paragraph(say.cause_words(each), "text", width - 3, (f"{percent(each.ppm):>6} ", "bright"))
    if found.differences:
        yield from ([], [("what differs", "accent"), ("   slow    fast", "dim")])
    for differs in found.differences:
        yield [(f"{percent(differs.slow_ppm):>8}{percent(differs.fast_ppm):>8}  ", "text"),
               (f"{differs.service} ", "bright"), (f"{differs.key} = {differs.value}", "dim")]  # fmt: skip
    yield from _failures(snapshot, width)
    tail = found.comparison is Comparison.TAIL
    ends = ("at p99 ", "   at p50 ") if tail else ("median of these ", "   of the others ")
    yield from ([], [(ends[0], "dim"), (f"trace {found.slow_trace[:8]} {fixed(found.p99_us)}", "bad"),
                     (ends[1], "dim"), (f"trace {found.median_trace[:8]} {fixed(found.p50_us)}", "good"),
                     ("   D compares", "dim")])  # fmt: skip
