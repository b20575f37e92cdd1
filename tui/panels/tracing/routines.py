"""Events that come by the dozen and share a line of the journal: complete traces, waits, retries, losses.

While something is wrong they come mixed, so all of a second share a line: what happens most, what else, and how the
traces fared that were complete by then.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from engines.sim.world import Event
from tui.kit.words import plural
from tui.panel import Line
from tui.panels.tracing.facts import middle, span_time
from tui.panels.tracing.narration import narrate

TRAFFIC: Final = "traffic"
EPOCH_US: Final = 2_000_000
"""What shares a line happened within so long."""
OTHERS: Final = 2
KINDS: Final = 3
"""Root operations that are named in a line: those with the most traces."""
NOUNS: Final = {
    "pool_wait": "wait for a connection", "queue_wait": "wait for a worker", "lock_wait": "wait for a lock",
    "overload": "refusal", "timeout": "timeout", "retry": "retry", "redelivered": "redelivery", "gave_up": "user gone",
}  # fmt: skip
"""What repeats itself while something is wrong, and what one of it is called."""
MANY: Final = {
    "pool_wait": "waits for a connection", "queue_wait": "waits for a worker", "lock_wait": "waits for a lock",
    "retry": "retries", "redelivered": "redeliveries", "gave_up": "users gone",
}  # fmt: skip
"""Plurals that take more than an s."""


def routine(event: Event) -> str:
    """What an event repeats; nothing: it has a line of its own."""
    match event.kind:
        case "trace":
            odd = event.why or event.get("missing")
            return "" if odd else f"{TRAFFIC} {event.at_us // EPOCH_US}"
        case "lost":
            return f"lost {event.why}"
        case "new_trace":
            return f"new_trace {event.node} {event.get('src')}"
        case kind if kind in NOUNS:
            return f"{TRAFFIC} {event.at_us // EPOCH_US}"
    return ""


def fold(events: Sequence[Event]) -> Line:
    """One line for all of them."""
    last = narrate(events[-1])
    count = len(events) - 1
    match events[-1].kind:
        case "lost":
            return last._replace(text=f"{last.text}; and {plural(count, 'message')} before it, for the same reason")
        case "new_trace":
            return last._replace(text=f"{last.text}; {plural(count, 'time')} before it, too")
    traces = [event for event in events if event.kind == "trace"]
    rest = [event for event in events if event.kind != "trace"]
    if not rest:
        return narrate(traces[-1])._replace(text=_traces(traces))
    return _troubles(rest, traces)


def _troubles(rest: Sequence[Event], traces: Sequence[Event]) -> Line:
    """What happens most and where, what else, and the traces."""
    counts = Counter((event.kind, event.node) for event in rest)
    groups = sorted(counts, key=lambda group: (-counts[group], group))
    kind, node = groups[0]
    last = narrate(next(event for event in reversed(rest) if (event.kind, event.node) == (kind, node)))
    parts = [last.text]
    if counts[kind, node] > 1:
        parts.append(f" ({counts[kind, node]} x)")
    others = [f"{node} {_count(kind, counts[kind, node])}" for kind, node in groups[1 : 1 + OTHERS]]
    if others:
        more = len(groups) - 1 - len(others)
        parts.append(f"; {', '.join(others)}" + (f", {more} more" if more else ""))
    if traces:
        spans = [event.get("duration_us", 0) for event in traces]
        parts.append(f"; {plural(len(traces), 'trace')} complete, median {span_time(middle(spans))}")
    return last._replace(text="".join(parts))


def _count(kind: str, count: int) -> str:
    noun = NOUNS[kind]
    return f"1 {noun}" if count == 1 else f"{count} {MANY.get(kind, noun + 's')}"


def _traces(events: Sequence[Event]) -> str:
    """How many are complete, how long each kind took, and the slowest of all."""
    kinds: dict[str, list[int]] = {}
    for event in events:
        kinds.setdefault(str(event.get("operation")), []).append(event.get("duration_us", 0))
    often = sorted(kinds, key=lambda kind: (-len(kinds[kind]), kind))[:KINDS]
    told = ", ".join(f"{kind} {span_time(middle(kinds[kind]))}" for kind in often)
    wrong = [event.get("errors") for event in events if event.get("errors")]
    errors = f"; {plural(sum(wrong), 'error')} in {len(wrong)} of them" if wrong else ""
    slowest = max(event.get("duration_us", 0) for event in events)
    return f"{plural(len(events), 'trace')} complete, medians {told}; slowest {span_time(slowest)}{errors}"
