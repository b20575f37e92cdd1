"""The panels of the program, one line each: a new pattern is a folder in engines, one in panels, and a line here."""

from collections.abc import Iterable

from engines.sim.pattern import Pattern
from tui.deferred import deferred
from tui.panel import Panel

PANELS: tuple[Panel, ...] = (
    deferred("tui.panels.consistency", 1, "Consistency"),
    deferred("tui.panels.consensus", 2, "Consensus", ("raft", "raft"), ("pbft", "pbft")),
    deferred("tui.panels.pbft", 2, "Consensus", ("raft", "raft"), ("pbft", "pbft")),
    deferred("tui.panels.sharding", 3, "Sharding"),
    deferred("tui.panels.resilience", 4, "Resilience", ("faults", "breaker")),
    deferred("tui.panels.events", 5, "Events"),
    deferred("tui.panels.cqrs", 6, "CQRS"),
    deferred("tui.panels.tracing", 7, "Tracing"),
)


def drawing(panels: Iterable[Panel], pattern: str, variant: str) -> Panel:
    """The panel that draws a variant of a pattern; the pattern's first for one that none of them names."""
    own = [panel for panel in panels if panel.pattern.name == pattern]
    return next((panel for panel in own if not panel.variants or variant in panel.variants), own[0])


def patterns() -> tuple[Pattern, ...]:
    """The patterns, each once: Raft and PBFT have a panel each, and are one pattern."""
    return tuple({panel.pattern.number: panel.pattern for panel in reversed(PANELS)}.values())[::-1]
