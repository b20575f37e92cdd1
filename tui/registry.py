"""The panels of the program, one line each: a new pattern is a folder in engines, one in panels, and a line here."""

from tui.deferred import deferred
from tui.panel import Panel

PANELS: tuple[Panel, ...] = (
    deferred("tui.panels.consistency", 1, "Consistency"),
    deferred("tui.panels.consensus", 2, "Consensus", ("raft", "raft")),
    deferred("tui.panels.sharding", 3, "Sharding"),
    deferred("tui.panels.resilience", 4, "Resilience", ("faults", "breaker")),
    deferred("tui.panels.events", 5, "Events"),
    deferred("tui.panels.tracing", 7, "Tracing"),
)
