"""Runs of a Raft cluster for the tests of its panel."""

from typing import Any

from engines.consensus import PATTERN
from engines.consensus.raft.snapshot import Snapshot
from engines.sim.clock import US_PER_MS
from engines.sim.pattern import Config
from engines.sim.timeline import Timeline
from tui.glyphs import BRAILLE, Glyphs
from tui.panel import Focus, Frame, Size, Sizes
from tui.panels.consensus import PANEL

FOCUS = Focus()
SMALL = Sizes(Size(78, 8), Size(78, 6), Size(44, 14))
"""As on a screen of 80x24, with the inspector."""
USUAL = Sizes(Size(72, 15), Size(72, 6), Size(44, 23))
"""As on a screen of 120x36."""


def run(until_ms: int, *inputs: tuple[int, Any], config: Config = (), seed: int = 42) -> Timeline[Any, Snapshot]:
    """A run with these commands at these milliseconds."""
    timeline: Timeline[Any, Snapshot] = Timeline(PATTERN.variant("raft"), seed, config)
    for at_ms, command in inputs:
        timeline.advance(at_ms * US_PER_MS)
        timeline.submit(command)
    timeline.advance(until_ms * US_PER_MS)
    return timeline


def story(name: str, until_ms: int) -> Timeline[Any, Snapshot]:
    """A scenario up to this time."""
    scenario = PATTERN.scenario(name)
    timeline: Timeline[Any, Snapshot] = Timeline(
        PATTERN.variant(scenario.variant), scenario.seed, scenario.config, scenario
    )
    timeline.advance(until_ms * US_PER_MS)
    return timeline


def draw(snapshot: Snapshot, focus: Focus = FOCUS, sizes: Sizes = USUAL, glyphs: Glyphs = BRAILLE) -> Frame:
    """The panel's frame."""
    return PANEL.view(snapshot, focus, sizes, glyphs)


def text(frame: Frame) -> str:
    """All of a frame as text."""
    head = f"{frame.picture_title} / {frame.picture_note} / {frame.strip_title} / {frame.inspector_title}"
    return "\n".join((head, frame.picture.text(), frame.strip.text(), frame.inspector.text()))
