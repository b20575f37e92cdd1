"""What is selected: a machine for the verbs, a projection, an order that is followed, a way to look, and a date.

Left and right walk along the roads. Up and down choose a projection, or an order where orders are listed. ``y`` stops
at a date: then left and right walk through time, event by event.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from engines.cqrs.world.snapshot import ProjectionView, Snapshot
from engines.units import US_PER_S
from tui.kit.selection import after, beyond, chooser, reader
from tui.panel import Focus

VIEWS: Final = ("roads", "sides", "rows", "tree")
OF_FILES: Final = ("rows", "tree")
STAGES: Final = {"c": "commands", "p": "projectors", "r": "replicas"}
"""What scales, by the first letter of its machines."""
ALONE: Final = ("crud",)
"""A machine whose letter is a stage's, and which does not scale."""


ORDER: Final = re.compile(r"\border-\d+\b")
"""An order, in words."""
SPOKEN_US: Final = US_PER_S
"""How long an order that a story named is followed: then something else is going on."""


class Chosen(NamedTuple):
    """What is looked at, and how."""

    view: str = "roads"
    projection: str = ""
    """Empty: the first."""
    order: str = ""
    """The order that is followed; empty: the one that a story speaks of, else the newest."""
    at: int = 0
    """The position at which the read models are shown; 0: now."""
    key: str = ""
    """Of a file: what was asked for; the rows that answer. Empty: the newest rows."""


read: Final = reader(Chosen)
choose: Final = chooser(Chosen)


def machines(snapshot: Snapshot) -> tuple[str, ...]:
    """The machines in the order of the roads: up with a command, down with a row, then the saga and the table."""
    by = {"users": 0, "commands": 1, "store": 2, "bus": 3, "projectors": 4, "replicas": 5, "saga": 6, "services": 7}
    every = sorted(snapshot.machines, key=lambda each: by.get(each.stage, 8))
    return tuple(each.name for each in every)


def stage_of(name: str) -> str:
    """The stage a machine scales with; empty: it is one of a kind."""
    return "" if name in ALONE or not name[1:].isdecimal() else STAGES.get(name[:1], "")


def views(snapshot: Snapshot) -> tuple[str, ...]:
    """The pictures there are."""
    return OF_FILES if snapshot.recorded else VIEWS


def view_of(snapshot: Snapshot, focus: Focus) -> str:
    """The picture that is shown."""
    chosen = read(focus)
    there = views(snapshot)
    if chosen.at and chosen.view not in ("rows", "tree"):
        return "rows"
    return chosen.view if chosen.view in there else there[0]


def projection_of(snapshot: Snapshot, focus: Focus) -> ProjectionView | None:
    """The projection that is selected."""
    wanted = read(focus).projection
    found = [view for view in snapshot.projections if view.name == wanted]
    return found[0] if found else snapshot.projections[0] if snapshot.projections else None


def follow(snapshot: Snapshot, focus: Focus, order: str) -> Focus:
    """Follow an order; none by its name, if it is followed anyway."""
    free = choose(focus, order="")
    return free if order_of(snapshot, free) == order else choose(focus, order=order)


def orders(snapshot: Snapshot) -> Sequence[str]:
    """All orders, in the order in which they were created."""
    return tuple(dict.fromkeys(event.stream for event in snapshot.events if event.category == "order"))


def order_of(snapshot: Snapshot, focus: Focus) -> str:
    """The order that is followed; empty: there is none yet."""
    return read(focus).order or spoken_of(snapshot) or newest(snapshot)


def newest(snapshot: Snapshot) -> str:
    """The order that something happened to last."""
    return next((event.stream for event in reversed(snapshot.events) if event.category == "order"), "")


def spoken_of(snapshot: Snapshot) -> str:
    """The order that the story's newest words name; empty: none that is there."""
    if snapshot.cue is None or snapshot.now_us > snapshot.cue[0] + SPOKEN_US:
        return ""
    named = ORDER.findall(snapshot.cue[1])
    return next((each for each in named if any(event.stream == each for event in snapshot.events)), "")


def fit(snapshot: Snapshot, focus: Focus) -> Focus:
    """The focus with what is gone replaced by what is nearest."""
    if focus.node and focus.node not in machines(snapshot):
        focus = replace(focus, node="")
    chosen = read(focus)
    if chosen.view not in views(snapshot):
        focus = choose(focus, view=views(snapshot)[0] if snapshot.recorded else "roads")
    if chosen.order and not any(event.stream == chosen.order for event in snapshot.events):
        focus = choose(focus, order="")
    if chosen.at > len(snapshot.events):
        focus = choose(focus, at=0)
    if chosen.key and not snapshot.recorded:
        focus = choose(focus, key="")
    if chosen.projection and chosen.projection not in [view.name for view in snapshot.projections]:
        focus = choose(focus, projection="")
    return focus


def move(snapshot: Snapshot, focus: Focus, direction: str) -> Focus:
    """Where an arrow leads."""
    by = 1 if direction in ("right", "down") else -1
    chosen = read(focus)
    if direction in ("left", "right"):
        if chosen.at:
            return choose(focus, at=min(len(snapshot.events), max(1, chosen.at + by)))
        names = ("", *machines(snapshot))
        return replace(focus, node=after(names, focus.node, by), chosen=True) if len(names) > 1 else focus
    if view_of(snapshot, focus) == "tree":
        order = beyond(orders(snapshot), order_of(snapshot, focus), by)
        return focus if order is None else follow(snapshot, focus, order)
    names = tuple(view.name for view in snapshot.projections)
    here = projection_of(snapshot, focus)
    if here is None:
        return focus
    chosen_name = after(names, here.name, by)
    return choose(focus, projection="" if chosen_name == names[0] else chosen_name, key="")
