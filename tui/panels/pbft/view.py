"""The picture of PBFT: the sequence chart, the message grid, and how far the cluster got over time."""

from dataclasses import replace
from typing import Final

from engines.consensus.pbft.snapshot import Snapshot
from tui.canvas import Canvas
from tui.glyphs import Glyphs
from tui.kit import clicks
from tui.kit.words import names, plural
from tui.panel import Focus, Frame, Sizes
from tui.panels.pbft import chart, grid, inspector
from tui.panels.pbft.queries import role

CHART_LEAST: Final = 44
"""Columns below which a sequence chart says nothing."""


def view(snapshot: Snapshot, focus: Focus, sizes: Sizes, glyphs: Glyphs) -> Frame:
    """Draw everything."""
    picture, strip, look = (Canvas(*size) for size in sizes)
    beside = picture.width - grid.width(snapshot) - 2
    whole = picture.height >= grid.height(snapshot) and beside >= CHART_LEAST
    left = Canvas(beside if whole else picture.width, picture.height)
    chart.draw(left, snapshot, focus, glyphs)
    picture.blit(left, 0, 0)
    if whole:
        right = Canvas(grid.width(snapshot), picture.height)
        grid.draw(right, snapshot, focus, glyphs)
        picture.blit(right, beside + 2, 0)
    grid.draw_rows(strip, snapshot, focus, glyphs)
    replicas = {replica.id: replace(focus, node=replica.id, pick=None) for replica in snapshot.replicas}
    return Frame(
        picture, strip, look,
        hits=clicks.named(picture, replicas) + clicks.named(strip, replicas, "strip"),
        picture_title="three phases",
        picture_note=_note(snapshot, focus, picture.width),
        strip_title="messages",
        strip_note=_legend(strip.width),
        inspector_title=inspector.draw(look, snapshot, focus, glyphs),
    )  # fmt: skip


def _legend(width: int) -> str:
    full = "filled: arrived  ~ on its way  x contradicts  o its own"
    return full if width >= len(full) + 16 else "~ on its way  x contradicts"


def _note(snapshot: Snapshot, focus: Focus, width: int) -> str:
    """The number that is shown, and how the cluster stands."""
    room = width - len("three phases") - 6
    notes = (f"{chart.note(snapshot, focus)}  {_standing(snapshot, brief)}".strip() for brief in (False, True))
    return next((each for each in notes if len(each) <= room), _standing(snapshot, True))


def _standing(snapshot: Snapshot, brief: bool) -> str:
    if snapshot.beyond:
        what = "f" if brief else "the fault model"
        return f"beyond {what}: {len(snapshot.traitors)} at fault, f = {snapshot.f}"
    return f"view {snapshot.view}  f = {snapshot.f}  quorum {snapshot.quorum} of {len(snapshot.replicas)}"


def status(snapshot: Snapshot) -> str:
    """The facts of the top line."""
    count = f"{len(snapshot.replicas)} replicas"
    changing = [each.id for each in snapshot.replicas if role(each) == "candidate"]
    lead = f"view {snapshot.view} of {snapshot.primary}"
    liars = f"  {plural(len(snapshot.traitors), 'traitor')} {names(snapshot.traitors)}" if snapshot.traitors else ""
    beyond = "  beyond f" if snapshot.beyond else ""
    moving = f"  {names(changing)} changing" if changing and not snapshot.traitors else ""
    return f"{count}  {lead}{liars}{beyond}{moving}"
