"""Stale reads over time, and their share beside the closed form."""

from engines import units
from engines.consistency.vector import concurrent_pairs
from engines.consistency.world.snapshot import Snapshot
from engines.units import PPM, percent
from tui.canvas import Canvas, clip
from tui.glyphs import Glyphs
from tui.kit.words import plural
from tui.panels.consistency.queries import closed_form
from tui.plot import plot

NOTE = "one column = 100 ms"
GUTTER = 12


def draw(canvas: Canvas, snapshot: Snapshot, glyphs: Glyphs) -> None:
    """The sentence, then how old what was read was, and how much of it was stale."""
    if canvas.height < 1:
        return
    if snapshot.logged:
        canvas.put(1, 0, clip(concurrency(snapshot), canvas.width - 2), "text")
        return
    canvas.put(1, 0, clip(measured(snapshot), canvas.width - 2), "text")
    count = canvas.width - GUTTER - 1
    if canvas.height < 3 or count < 8 or not snapshot.series:
        return
    ages = [float(each.age_us) for each in snapshot.series[-count:]]
    high, rows = max(ages), canvas.height - 1
    canvas.put(1, 1, "stale by", "dim")
    if high:
        canvas.put(1, min(2, rows), f"max {units.span(int(high))}"[: GUTTER - 1], "stale")
    for y, line in enumerate(plot(ages, len(ages), rows, glyphs, low=0.0, high=max(high, 1.0)), 1):
        canvas.put(canvas.width - 1 - len(ages), y, line, "stale")


def concurrency(snapshot: Snapshot) -> str:
    """``12 of 45 pairs of the newest 10 events are concurrent: neither clock is before the other``."""
    concurrent, pairs = concurrent_pairs(tuple(each.clock for each in snapshot.logged))
    count = plural(len(snapshot.logged), "event")
    return f"{concurrent:,} of {pairs:,} pairs of the newest {count} are concurrent: neither clock is before the other"


def _share(part: int, whole: int) -> str:
    """To the nearest percent, with a tenth below ten; what is not all is not called all."""
    ppm = part * PPM // whole
    return percent(min((ppm + 5_000) // 10_000 * 10_000, 990_000) if 100_000 <= ppm < PPM else ppm)


def measured(snapshot: Snapshot) -> str:
    """``12 of 340 reads stale so far: 3.5 %; C(2,1)/C(3,1) = 67 % if nothing propagated``."""
    if not snapshot.reads:
        return "nothing was read yet"
    share = _share(snapshot.stale, snapshot.reads)
    text = f"{snapshot.stale} of {snapshot.reads} reads stale so far: {share}"
    if not snapshot.stale and any(each.name == "linearizable" and each.verdict.broken for each in snapshot.models):
        return f"0 of {plural(snapshot.reads, 'read')} missed an acknowledged write; others do not count"
    if snapshot.lost:
        text += f"; {snapshot.lost} acknowledged {'write' if snapshot.lost == 1 else 'writes'} lost"
    form = closed_form(snapshot)
    if form is not None:
        n, r, w = snapshot.n, snapshot.r, snapshot.w
        text += f"; C({n - w},{r})/C({n},{r}) = {_share(*form)} if nothing propagated"
    return text
