"""The picture of a Raft cluster: the ring above, the logs below it, and who led when.

Logs are what Raft is about, so they are never far: where the picture is high they stand in it, below the ring; where it
is not, they take the strip, and the chart over time keeps what they leave.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, NamedTuple

from engines.consensus.raft.quorum import has_quorum
from engines.consensus.raft.snapshot import Snapshot
from tui.canvas import Canvas
from tui.glyphs import Glyphs
from tui.kit import clicks, layers
from tui.kit.layers import Layer
from tui.kit.parts import gathered
from tui.kit.words import names
from tui.panel import Focus, Frame, Sizes
from tui.panels.consensus import history, inspector, logs, members, ring
from tui.panels.consensus.members import majorities
from tui.panels.consensus.queries import role
from tui.panels.consensus.words import letter

RING_LOW: Final = 6
"""A ring of fewer rows is a list."""
RING_HIGH: Final = 13
"""Rows a ring is given before logs may stand below it."""
TITLES: Final = {"ring": "cluster", "logs": "logs", "chart": "leaders and commit index"}


class Part(NamedTuple):
    """A stretch of rows in one of the two canvases: ``ring``, ``logs`` or ``chart``."""

    what: str
    rows: int


Plan = tuple[tuple[Part, ...], tuple[Part, ...]]
"""The parts of the picture and of the strip, from the top."""


def plan(servers: int, picture: int, strip: int) -> Plan:
    """Who stands where, for canvases of these heights."""
    grid = servers + 1
    if not picture:
        return (), (Part("logs", min(grid, strip)), Part("chart", max(0, strip - grid - 1)))
    if picture >= RING_HIGH + 1 + grid:
        chart = 2 if not strip and picture >= RING_HIGH + grid + 4 else 0
        ring_rows = picture - 1 - grid - (1 + chart if chart else 0)
        return (Part("ring", ring_rows), Part("logs", grid), Part("chart", chart)), (Part("chart", strip),)
    if grid <= strip:
        rest = strip - grid
        if rest >= 2:
            return (Part("ring", picture),), (Part("logs", grid), Part("chart", rest))
        if picture >= RING_HIGH + 2:
            return (Part("ring", picture - 3), Part("chart", 3)), (Part("logs", strip),)
        return (Part("ring", picture),), (Part("logs", strip),)
    if picture >= RING_LOW + 1 + grid:  # more servers than the strip has rows
        return (Part("ring", picture - 1 - grid), Part("logs", grid)), (Part("chart", strip),)
    # all logs, and the cluster as a picture or a list below them
    if picture >= servers and (strip >= RING_LOW or servers > strip >= 4):
        return (Part("logs", picture),), (Part("ring", strip),)
    return (Part("ring", picture),), (Part("logs" if strip >= 4 else "chart", strip),)


def view(snapshot: Snapshot, focus: Focus, sizes: Sizes, glyphs: Glyphs) -> Frame:
    """Draw everything."""
    picture, strip, look = (Canvas(*size) for size in sizes)
    above, below = plan(len(snapshot.servers), picture.height, strip.height)
    layers.draw(picture, _layers(above, picture.width, snapshot, focus, glyphs), glyphs)
    layers.draw(strip, _layers(below, strip.width, snapshot, focus, glyphs), glyphs)
    titles = [TITLES[parts[0].what] if parts else "" for parts in (above, below)]
    notes = {
        "ring": _note(snapshot, max(picture.width, strip.width)),
        "logs": logs.note(snapshot, max(picture.width, strip.width)),
        "chart": history.NOTE,
    }
    chips = {server.id: replace(focus, node=server.id, pick=None) for server in snapshot.servers}
    return Frame(
        picture, strip, look,
        hits=clicks.named(picture, chips) + clicks.named(strip, chips, "strip"),
        picture_title=titles[0],
        picture_note=notes[above[0].what] if above else "",
        strip_title=titles[1],
        strip_note=notes[below[0].what] if below else "",
        inspector_title=inspector.draw(look, snapshot, focus, glyphs),
    )  # fmt: skip


def _layers(parts: tuple[Part, ...], width: int, snapshot: Snapshot, focus: Focus, glyphs: Glyphs) -> list[Layer]:
    """The parts with how each is drawn; the logs, and what stands below them, under a rule of their own."""
    draw: dict[str, Callable[[Canvas], None]] = {
        "ring": lambda canvas: ring.draw(canvas, snapshot, focus, glyphs),
        "logs": lambda canvas: logs.draw(canvas, snapshot, focus, glyphs),
        "chart": lambda canvas: history.draw(canvas, snapshot, glyphs),
    }
    notes = {"logs": logs.note(snapshot, width), "chart": history.NOTE}
    under_rule = any(each.what == "logs" for each in parts)
    return [
        Layer(each.rows, draw[each.what], TITLES[each.what] if under_rule else "", notes.get(each.what, ""))
        for each in parts
    ]


MEANINGS: Final = {
    "A": "A append", "V": "V vote", "P": "P pre-vote", "C": "C cmd", "a": "a reply", "S": "S snapshot",
    "T": "T take over", "R": "R read", "X": "X cut",
}  # fmt: skip
"""What flies, as far as there is room to say it; where there is not, what flies now goes first."""


def _note(snapshot: Snapshot, width: int) -> str:
    said = _standing(snapshot)
    letters = {letter(flight.message) for flight in snapshot.flights}
    flying = {each if each.isupper() else "a" for each in letters}
    flying |= {"X" for link in snapshot.links if link.cut}
    signs = sorted(MEANINGS, key=lambda each: each not in flying)
    told = gathered((MEANINGS[each] for each in signs), width - len(said) - len(TITLES["ring"]) - 8, gap=1)
    legend = " ".join(each for each in MEANINGS.values() if f"{each} " in told)
    return f"{legend}   {said}" if legend else said


def _standing(snapshot: Snapshot) -> str:
    configuration, up = snapshot.configuration, members.up(snapshot)
    wanted = members.wanted(configuration)
    if not has_quorum(snapshot.configuration, up):
        return f"{members.tally(configuration, up)} voters alive, quorum {wanted}: nothing can commit"
    leader = snapshot.server(snapshot.leader)
    word = "newest term" if leader and leader.term != snapshot.term else "term"
    joint = "joint: " if configuration.joint else ""
    return f"{word} {snapshot.term}  {joint}quorum {majorities(configuration)}{members.whose(snapshot)}"


def status(snapshot: Snapshot) -> str:
    """The facts of the top line."""
    count = members.summed_up(snapshot)
    leader = snapshot.server(snapshot.leader)
    if leader is None:
        return f"{count}  term {snapshot.term}  no leader"
    newest = f"  newest term {snapshot.term}" if snapshot.term != leader.term else ""
    same = [each.id for each in snapshot.servers if role(each) == "leader" and each.term == leader.term]
    who = f"leaders {names(same)}" if len(same) > 1 else f"leader {leader.id}"
    return f"{count}  {who} t{leader.term}{newest}"
