"""Where the arrows lead: up and down in what is shown, left and right to the next trace, column or service."""

from engines.tracing.world.snapshot import Snapshot
from tui.panel import Focus
from tui.panels.tracing import aggregates, headers, servicemap
from tui.panels.tracing.select import choose, fit, next_column, next_row, next_trace, read


def move(snapshot: Snapshot, focus: Focus, direction: str) -> Focus:
    """The focus after an arrow."""
    step = 1 if direction in ("down", "right") else -1
    across = direction in ("left", "right")
    match read(focus).view:
        case "map":
            return servicemap.move(snapshot, focus, direction)
        case "aggregates":
            return next_column(focus, step) if across else aggregates.move(snapshot, focus, step)
        case "list":
            if direction == "right":
                return choose(focus, view="waterfall")
            return focus if across else next_trace(snapshot, focus, step)
        case "headers":
            return next_trace(snapshot, focus, step) if across else headers.move(snapshot, focus, step)
    return next_trace(snapshot, focus, step) if across else next_row(snapshot, focus, step)


__all__ = ["fit", "move"]
