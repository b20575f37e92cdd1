"""The panels of the program, one line each: a new pattern is a folder in engines, one in panels, and a line here."""

from tui.panel import Panel
from tui.panels import consensus, sharding, tracing

PANELS: tuple[Panel, ...] = (consensus.PANEL, sharding.PANEL, tracing.PANEL)
