"""Runs of a sharded cluster for the tests of its panel, and that they are what their names say."""

from functools import cache
from typing import Any

from engines.sharding.pattern import PATTERN
from engines.sharding.world import commands as c
from engines.sharding.world.snapshot import Snapshot
from engines.sim import faults
from engines.sim.pattern import Config
from engines.sim.rules import SetRule
from engines.sim.timeline import Timeline
from engines.units import US_PER_MS
from tui.glyphs import BRAILLE, Glyphs
from tui.panel import Focus, Frame, Size, Sizes
from tui.panels.sharding import PANEL

FOCUS = Focus()
SMALL = Sizes(Size(78, 8), Size(78, 6), Size(44, 14))
"""As on a screen of 80x24, with the inspector."""
USUAL = Sizes(Size(72, 15), Size(72, 6), Size(44, 23))
"""As on a screen of 120x36."""
LARGE = Sizes(Size(142, 27), Size(142, 8), Size(54, 36))
"""As on a screen of 200x50."""
VARIANTS = tuple(variant.name for variant in PATTERN.variants)

Run = Timeline[Any, Snapshot]


def run(until_ms: int, *inputs: tuple[int, Any], variant: str = "ring", config: Config = (), seed: int = 42) -> Run:
    """A run with these commands at these milliseconds."""
    timeline: Run = Timeline(PATTERN.variant(variant), seed, config)
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


@cache
def standing(name: str) -> Snapshot:
    """Moments that the tests look at again and again; a snapshot never changes."""
    if name in VARIANTS:
        return run(3_000, variant=name).snapshot()
    if name.startswith("join "):
        return run(4_300, (3_000, c.AddNode()), variant=name.removeprefix("join ")).snapshot()
    return MOMENTS[name]().snapshot()


MOMENTS = {
    "start": lambda: run(0),
    "few tokens": lambda: run(2_500, config=(("vnodes", 3), ("rf", 3), ("rack_aware", True))),
    "crashed": lambda: run(6_000, (2_000, faults.Crash("n2")), config=(("rf", 2),)),
    "down": lambda: run(6_000, (2_000, faults.Crash("n2")), variant="slots"),
    "mess": lambda: run(
        4_000,
        (500, c.Get("cart:1")), (600, c.Put("cart:1", 5)), (900, faults.Lose("n3", "*", 300_000)),
        (1_000, c.AddNode()), (1_200, faults.Freeze("n4")), (1_400, faults.Isolate("n1")),
        (1_500, c.RemoveNode("n2")), (1_600, faults.Skew("n5", 200_000, 0)), (1_700, SetRule("lease", False)),
        (1_800, faults.Cut("n6", "cfg")), (2_000, faults.Crash("n6")),
        config=(("rf", 2), ("vnodes", 16)),
    ),
    "many": lambda: run(3_500, (3_000, c.RemoveNode("n5")), config=(("nodes", 12),)),
    "one": lambda: run(2_000, config=(("nodes", 1), ("clients", 0))),
    "salted": lambda: run(3_000, (1_000, c.SetWorkload("hot", 110, 20)), (2_000, c.Salt("hot", 4))),
    "monotonic": lambda: run(8_000, (500, c.SetWorkload("monotonic", 110, 50)), variant="range"),
    "cfg crashed": lambda: run(5_000, (1_000, faults.Crash("cfg")), config=(("rf", 2),)),
    "racks": lambda: run(2_000, variant="maglev", config=(("datacenters", 2), ("rack_aware", True), ("rf", 3))),
}  # fmt: skip
ALL = (*VARIANTS, *(f"join {name}" for name in VARIANTS), *MOMENTS)


def draw(snapshot: Snapshot, focus: Focus = FOCUS, sizes: Sizes = USUAL, glyphs: Glyphs = BRAILLE) -> Frame:
    """The panel's frame."""
    return PANEL.view(snapshot, PANEL.fit(snapshot, focus), sizes, glyphs)


def text(frame: Frame) -> str:
    """All of a frame as text."""
    head = f"{frame.picture_title} / {frame.picture_note} / {frame.strip_title} / {frame.strip_note}"
    parts = (head, frame.inspector_title, frame.picture.text(), frame.strip.text(), frame.inspector.text())
    return "\n".join(parts)


def flat(words: str) -> str:
    """Wrapped text on one line."""
    return " ".join(words.split())


def test_the_moments_are_what_they_are_called() -> None:
    assert standing("join ring").plan is not None
    assert standing("down").coordinator.uncovered == ("n2",)
    assert standing("crashed").node("n2").status == "crashed"  # type: ignore[union-attr]
    assert len(standing("many").nodes) == 12
    assert standing("salted").salted
