"""Runs of a Raft cluster for the tests of its panel."""

from collections.abc import Callable
from functools import cache
from typing import Any

from engines.consensus.pattern import PATTERN
from engines.consensus.raft.commands import Propose
from engines.consensus.raft.snapshot import Snapshot
from engines.sim import faults
from engines.sim.pattern import Config
from engines.sim.timeline import Timeline
from engines.units import US_PER_MS
from tui.glyphs import BRAILLE, Glyphs
from tui.panel import Focus, Frame, Size, Sizes
from tui.panels.consensus import PANEL

FOCUS = Focus()
SMALL = Sizes(Size(78, 8), Size(78, 6), Size(44, 14))
"""As on a screen of 80x24, with the inspector."""
USUAL = Sizes(Size(72, 15), Size(72, 6), Size(44, 23))
"""As on a screen of 120x36."""

Run = Timeline[Any, Snapshot]


def run(until_ms: int, *inputs: tuple[int, Any], config: Config = (), seed: int = 42) -> Run:
    """A run with these commands at these milliseconds."""
    timeline: Run = Timeline(PATTERN.variant("raft"), seed, config)
    for at_ms, command in inputs:
        timeline.advance(at_ms * US_PER_MS)
        timeline.submit(command)
    timeline.advance(until_ms * US_PER_MS)
    return timeline


def story(name: str, until_ms: int) -> Run:
    """A scenario up to this time."""
    scenario = PATTERN.scenario(name)
    timeline: Run = Timeline(PATTERN.variant(scenario.variant), scenario.seed, scenario.config, scenario)
    timeline.advance(until_ms * US_PER_MS)
    return timeline


def draw(snapshot: Snapshot, focus: Focus = FOCUS, sizes: Sizes = USUAL, glyphs: Glyphs = BRAILLE) -> Frame:
    """The panel's frame."""
    return PANEL.view(snapshot, focus, sizes, glyphs)


def text(frame: Frame) -> str:
    """All of a frame as text."""
    head = f"{frame.picture_title} / {frame.picture_note} / {frame.strip_title} / {frame.inspector_title}"
    return "\n".join((head, frame.picture.text(), frame.strip.text(), frame.inspector.text()))


MOMENTS: dict[str, Callable[[], Run]] = {
    "leaderless": lambda: run(120),
    "steady": lambda: run(2_000),
    "cut": lambda: run(3_210, (1_500, faults.Isolate("n4")), (2_500, Propose("set", "y", 3))),
    "mess": lambda: run(
        2_000,
        (900, faults.Lose("n3", "*", 300_000)), (901, faults.Slow("*", "n1", 150_000, 1_000)),
        (1_200, faults.Cut("n5", "n3")), (1_300, faults.Duplicate("n1", "n2", 300_000)),
        (1_301, faults.Clog("n2", "n4")), (1_400, faults.Skew("n4", 200_000, 0)), (1_500, faults.Freeze("n2")),
        (1_600, faults.Crash("n5")),
    ),
    "many": lambda: run(3_000, config=(("nodes", 9), ("clients", 8), ("workload", "busy"))),
}  # fmt: skip
"""Runs that the tests look at again and again."""


@cache
def standing(name: str) -> Run:
    """One of them; nobody moves it."""
    return MOMENTS[name]()
