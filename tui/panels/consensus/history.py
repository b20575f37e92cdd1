"""Who led when, and how far the cluster got: the chart over time.

One column is 100 ms, the newest last. A term is a stretch in its colour that begins with an upright line and the name
of its leader; dashes are a time without one, in which the cluster could accept nothing.
"""

from itertools import groupby
from typing import Final, NamedTuple

from engines.consensus.raft.snapshot import Snapshot
from tui.canvas import Canvas
from tui.glyphs import Glyphs
from tui.kit.parts import fitting
from tui.plot import plot

COLUMN_US: Final = 100_000
GUTTER: Final = 12
NOTE: Final = "one column = 100 ms"


class Moment(NamedTuple):
    """What one column tells."""

    column: int
    commit: int
    leader: str
    term: int
    """The one it leads: others may be in newer terms that nobody leads."""


def moments(snapshot: Snapshot, count: int) -> list[Moment]:
    """The newest ``count`` columns; a column without a sample is like the one before it."""
    latest = snapshot.at_us // COLUMN_US
    begin = max(0, latest - count + 1)
    known = {}
    before = Moment(begin, 0, "", 0)
    for sample in snapshot.series:
        moment = Moment(sample.at_us // COLUMN_US, sample.commit, sample.leader, sample.term)
        if moment.column < begin:
            before = moment
        else:
            known[moment.column] = moment
    leader = snapshot.server(snapshot.leader)
    known[latest] = Moment(latest, snapshot.commit, snapshot.leader, leader.term if leader else 0)
    found = []
    for column in range(begin, latest + 1):
        before = known.get(column, before)._replace(column=column)
        found.append(before)
    return found


def draw(canvas: Canvas, snapshot: Snapshot, glyphs: Glyphs) -> None:
    """The leaders; with two rows their time, with three and more the commit index between them."""
    count = canvas.width - GUTTER - 1
    if canvas.height < 1 or count < 8:
        return
    shown = moments(snapshot, count)
    _leaders(canvas, shown, glyphs)
    if canvas.height >= 3:
        _commits(canvas, shown, glyphs, canvas.height - 2)
    if canvas.height >= 2:
        _axis(canvas, shown, canvas.height - 1)


def _leaders(canvas: Canvas, shown: list[Moment], glyphs: Glyphs) -> None:
    canvas.put(1, 0, "leader", "dim")
    x = GUTTER
    for (term, leader), group in groupby(shown, key=lambda moment: (moment.term, moment.leader)):
        width = len(list(group))
        if leader:
            edge = glyphs.vertical
            text = fitting((f"{edge}{leader} t{term}", f"{edge}t{term}", edge), width)
            canvas.put(x, 0, f"{text:<{width}}", f"t{term}!")
        else:
            text = fitting((" no leader ", "none"), width)
            canvas.put(x, 0, f"{text:-^{width}}", "bad" if width > 3 else "dim")
        x += width


def _commits(canvas: Canvas, shown: list[Moment], glyphs: Glyphs, rows: int) -> None:
    """The commit index: a slope while clients are served, level while nothing can commit."""
    values = [float(moment.commit) for moment in shown]
    low, high = values[0], max(values)
    canvas.put(1, 1, "commit", "dim")
    if high > low or rows == 1:
        canvas.put_right(GUTTER - 1, 1, f"{high:.0f}", "committed")
    if rows > 1:
        canvas.put_right(GUTTER - 1, rows, f"{low:.0f}", "dim")
    for y, line in enumerate(plot(values, len(shown), rows, glyphs, low=low, high=max(high, low + 1)), 1):
        canvas.put(GUTTER, y, line, "committed")


def _axis(canvas: Canvas, shown: list[Moment], y: int) -> None:
    canvas.put(1, y, "time s", "dim")
    every = 10 if len(shown) < 150 else 20
    free = 0
    for place, moment in enumerate(shown):
        text = f"{moment.column // 10}"
        if moment.column % every == 0 and place >= free and GUTTER + place + len(text) < canvas.width:
            canvas.put(GUTTER + place, y, text, "dim")
            free = place + len(text) + 2
