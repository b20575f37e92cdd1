"""Events that come by the dozen and share a line of the journal: complete traces, waits, retries, losses."""

from collections.abc import Sequence
from typing import Final

from engines.sim.world import Event
from tui.panel import Line
from tui.panels.common.words import plural
from tui.panels.tracing.facts import middle, span_time
from tui.panels.tracing.narration import WHO, narrate

SHARED: Final = frozenset(
    {"pool_wait", "queue_wait", "lock_wait", "overload", "timeout", "retry", "redelivered", "gave_up"}
)
"""What repeats itself while something is wrong: a line for the service, not for each request."""


def routine(event: Event) -> str:
    """What an event repeats; nothing: it has a line of its own."""
    match event.kind:
        case "trace":
            return "" if event.why or event.get("errors") or event.get("missing") else "trace"
        case "lost":
            return f"lost {event.why}"
        case "new_trace":
            return f"new_trace {event.node} {event.get('src')}"
        case kind if kind in SHARED:
            return kind
    return ""


def fold(events: Sequence[Event]) -> Line:
    """One line for all of them."""
    last = narrate(events[-1])
    count = len(events) - 1
    match events[-1].kind:
        case "trace":
            return last._replace(text=_traces(events))
        case "lost":
            return last._replace(text=f"{last.text}; and {plural(count, 'message')} before it, for the same reason")
        case "new_trace":
            return last._replace(text=f"{last.text}; {plural(count, 'time')} before it, too")
    names = list(dict.fromkeys(event.node for event in events))
    more = f" (and {count} more before it" + (f", at {plural(len(names), 'service')}" if len(names) > 1 else "") + ")"
    return Line(last.who[:WHO], last.text + more, last.ink)


def _traces(events: Sequence[Event]) -> str:
    """How many are complete, and how long they took."""
    spans = [event.get("duration_us", 0) for event in events]
    slowest = max(events, key=lambda event: event.get("duration_us", 0))
    return (
        f"{len(events)} traces are complete: median {span_time(middle(spans))}, slowest {span_time(max(spans))} "
        f"({slowest.get('operation')})"
    )
