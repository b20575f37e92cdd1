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
from tui.canvas import Canvas, Ink, clip, wrap
from tui.glyphs import Glyphs
from tui.kit.parts import Piece, part, put_lines, upright
from tui.panels.tracing import verdict_words as say
from tui.panels.tracing.details import WAITS
from tui.plot import bar

BESIDE: Final = 110
"""Columns from which walk and differences stand beside the contributions."""
BARS: Final = 12
VERDICTS: Final = 3
"""How many of those that come before latency are told in full."""


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
        _none(canvas, snapshot)
        return
    told = _told(canvas, snapshot) if urgent(snapshot) else 0
    if told:
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


def _told(canvas: Canvas, snapshot: Snapshot) -> int:
    """What is named, in full, and what else; the rows it took."""
    y = 0
    latency = snapshot.diagnosis.verdict if snapshot.diagnosis is not None else None
    for number, each in enumerate(snapshot.verdicts[:VERDICTS]):
        if number and each.evidence == latency:
            continue
        canvas.put(1, y, "named" if not number else "and", "accent")
        for line in wrap(say.sentence(each), canvas.width - 9):
            canvas.put(8, y, line, "bright" if not number else "text")
            y += 1
    return y


def _none(canvas: Canvas, snapshot: Snapshot) -> None:
    y = _told(canvas, snapshot)
    y += y > 0
    lack = say.lack_words(snapshot.no_diagnosis)
    text = (
        f"Of latency: {lack}" if y else lack or "No trace has arrived yet.",
        "p99 is a property of many requests: of a hundred, one is at it. One trace cannot show what it is made of.",
    )
    for paragraph in text:
        for line in wrap(paragraph, canvas.width - 2):
            canvas.put(1, y, line, "text" if paragraph is text[0] else "dim")
            y += 1
    put_lines(canvas, 1, y, _failures(snapshot, canvas.width), canvas.width)


def _contributions(canvas: Canvas, found: Diagnosis, glyphs: Glyphs) -> None:
    """A row for each place and kind of time, the largest first, and the sum."""
    chart = BARS if canvas.width >= 76 else 0
    label = canvas.width - 35 - chart
    canvas.put(1, 0, clip("critical path of", label - 1), "dim")
    tail = found.comparison is Comparison.TAIL
    for x, head in ((label + 8, "p50" if tail else "others"), (label + 17, "p99" if tail else "these"),
                    (label + 26, "adds")):  # fmt: skip
        canvas.put_right(x, 0, head, "dim")
    room = max(1, canvas.height - 2)
    shown = found.contributions[:room]
    most = max((abs(each.ppm) for each in shown), default=1) or 1
    for y, each in enumerate(shown, 1):
        wait = WAITS.get(each.kind)
        ink: Ink = wait.ink if wait is not None else "leader"
        loud = each.ppm >= 50_000
        x = canvas.put(1, y, clip(each.service, label - 2), "bright" if loud else "text") + 1
        words = each.kind + (f" {each.peer}" if each.peer else "") if wait is not None else each.operation
        if each.kind == CALL:
            words = f"calls {each.peer}" if each.peer else f"{each.operation}, on the way"
        canvas.put(x, y, clip(words, max(0, label - x)), ink if wait is not None and loud else "dim")
        canvas.put_right(label + 8, y, fixed(each.fast_us), "dim")
        canvas.put_right(label + 17, y, fixed(each.slow_us), "text")
        canvas.put_right(label + 26, y, ("+" if each.us > 0 else "") + fixed(each.us), ink if loud else "text")
        canvas.put_right(label + 33, y, percent(each.ppm), "bright" if loud else "dim")
        if chart and each.ppm > 0:
            canvas.put(label + 35, y, bar(each.ppm / most, chart, glyphs).replace(glyphs.bar_empty, " "), ink)
    y = min(canvas.height - 1, len(shown) + 1)
    rest = len(found.contributions) - len(shown)
    canvas.fill(0, y, canvas.width, 1)
    more = f"{rest} more, and " if rest > 0 else ""
    words = f"{more}all add up to the gap, exactly"
    canvas.put(1, y, words if len(words) < label else f"{rest} more; exactly the gap", "dim")
    canvas.put_right(label + 8, y, fixed(found.fast_mean_us), "dim")
    canvas.put_right(label + 17, y, fixed(found.slow_mean_us), "text")
    canvas.put_right(label + 26, y, f"+{fixed(found.gap_us)}", "good")
    canvas.put_right(label + 33, y, "100 %", "good")


def _failures(snapshot: Snapshot, width: int) -> Iterator[list[Piece]]:
    """What fails, and the way to where that begins."""
    for each in snapshot.failures[:2]:
        yield from ([], [("what fails", "accent")])
        yield from ([(words, "text")] for words in wrap(say.failure_words(each), max(1, width - 2)))
        yield from ([(f"  {say.failure_step_words(step, each.failed)}", "dim")] for step in each.walk[1:])


def _rest(canvas: Canvas, snapshot: Snapshot, found: Diagnosis, glyphs: Glyphs) -> None:
    """The walk, what else it could be, and which attributes differ, as far as there is room."""
    lines: list[list[Piece]] = [[("the walk downstream", "accent")]]
    for number, step in enumerate(found.walk):
        last = number == len(found.walk) - 1
        for line, words in enumerate(wrap(say.step_words(step), max(1, canvas.width - 5))):
            rail = glyphs.gap if last else glyphs.rail
            rail = (glyphs.last if last else glyphs.branch) if not line else rail
            lines.append([(f"{rail} ", "line"), (words, "bright" if last else "text")])
    if not found.standing.stands_out:
        lines += [[(words, "dim")] for words in wrap(say.ordinary_words(found), max(1, canvas.width - 2))]
    lines += [[(words, "text")] for words in wrap(say.standing_words(found), max(1, canvas.width - 2))]
    if found.verdict.saved_us > 0:
        lines.append([("without it the slow ones save ", "dim"), (fixed(found.verdict.saved_us), "good"),
                      (f" of {fixed(found.slow_mean_us)} on average", "dim")])  # fmt: skip
    if found.alternatives:
        lines += [[], [("what else it could be", "accent")]]
        for each in found.alternatives:
            for n, words in enumerate(wrap(say.cause_words(each), max(1, canvas.width - 10))):
                lines.append([(f"{percent(each.ppm) if not n else '':>6} ", "bright"), (words, "text")])
    if found.differences:
        lines += [[], [("what differs", "accent"), ("   slow    fast", "dim")]]
        for differs in found.differences:
            lines.append([
                (f"{percent(differs.slow_ppm):>8}{percent(differs.fast_ppm):>8}  ", "text"),
                (f"{differs.service} ", "bright"), (f"{differs.key} = {differs.value}", "dim"),
            ])  # fmt: skip
    lines += _failures(snapshot, canvas.width)
    tail = found.comparison is Comparison.TAIL
    ends = ("at p99 ", "   at p50 ") if tail else ("median of these ", "   of the others ")
    lines += [[], [(ends[0], "dim"), (f"trace {found.slow_trace[:8]} {fixed(found.p99_us)}", "bad"),
                   (ends[1], "dim"), (f"trace {found.median_trace[:8]} {fixed(found.p50_us)}", "good"),
                   ("   D compares", "dim")]]  # fmt: skip
    if len(lines) > canvas.height:
        lines = [line for line in lines if line]
    put_lines(canvas, 1, 0, lines[: canvas.height], canvas.width)
