"""The panels of the program, one line each: a new pattern is a folder in engines, one in panels, and a line here."""

from tui.panel import Panel
from tui.panels import consensus, resilience, sharding, tracing

PANELS: tuple[Panel, ...] = (consensus.PANEL, sharding.PANEL, resilience.PANEL, tracing.PANEL)
