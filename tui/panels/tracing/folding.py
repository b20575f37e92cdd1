"""Events that come by the dozen and share a line of the journal: complete traces, waits, retries, losses.

While something is wrong they come mixed, so all of a second share a line: what happens most, what else, and how the
traces fared that were complete by then.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from engines import units
from engines.sim.events import Event, Lost
from engines.tracing.world import events as t
from tui.kit.folding import lost_together, routine_of_loss
from tui.kit.words import plural
from tui.panel import Line
from tui.panels.tracing.details import middle
from tui.panels.tracing.words import narrate, words

TRAFFIC: Final = "traffic"
EPOCH_US: Final = 2_000_000
"""What shares a line happened within so long."""
OTHERS: Final = 2
KINDS: Final = 3
"""Root operations that are named in a line: those with the most traces."""
NOUNS: Final[dict[type, tuple[str, str]]] = {
    t.UserGone: ("user gone", "users gone"),
    t.LockWait: ("wait for a lock", "waits for a lock"),
    t.Overloaded: ("refusal", "refusals"),
    t.PoolWait: ("wait for a connection", "waits for a connection"),
    t.QueueWait: ("wait for a worker", "waits for a worker"),
    t.Redelivered: ("redelivery", "redeliveries"),
    t.Retried: ("retry", "retries"),
    t.TimedOut: ("timeout", "timeouts"),
}  # fmt: skip
"""What repeats itself while something is wrong, and what one of it is called, and several."""


def routine(event: Event) -> str:
    """What an event repeats; nothing: it has a line of its own."""
    match event.what:
        case t.TraceJudged(note=None, missing=0, most=None):
            return f"{TRAFFIC} {event.at_us // EPOCH_US}"
        case Lost() as lost:
            return routine_of_loss(lost)
        case t.TraceStarted(src=src):
            return f"new_trace {event.node} {src}"
        case what if type(what) in NOUNS:
            return f"{TRAFFIC} {event.at_us // EPOCH_US}"
    return ""


def fold(events: Sequence[Event]) -> Line:
    """One line for all of them."""
    last = narrate(events[-1])
    match events[-1].what:
        case Lost():
            return lost_together(events, last, words)
        case t.TraceStarted():
            return last._replace(text=f"{last.text}; {plural(len(events) - 1, 'time')} before it, too")
    traces = [event.what for event in events if isinstance(event.what, t.TraceJudged)]
    rest = [event for event in events if not isinstance(event.what, t.TraceJudged)]
    if not rest:
        return last._replace(text=_traces(traces))
    return _troubles(rest, traces)


def _troubles(rest: Sequence[Event], traces: Sequence[t.TraceJudged]) -> Line:
    """What happens most and where, what else, and the traces."""
    counts = Counter((type(event.what), event.node) for event in rest)
    groups = sorted(counts, key=lambda group: (-counts[group], tuple(NOUNS).index(group[0]), group[1]))
    kind, node = groups[0]
    last = narrate(next(event for event in reversed(rest) if (type(event.what), event.node) == (kind, node)))
    parts = [last.text]
    if counts[kind, node] > 1:
        parts.append(f" ({counts[kind, node]} x)")
    others = [f"{node} {_count(kind, counts[kind, node])}" for kind, node in groups[1 : 1 + OTHERS]]
    if others:
        more = len(groups) - 1 - len(others)
        parts.append(f"; {', '.join(others)}" + (f", {more} more" if more else ""))
    if traces:
        spans = [each.duration_us for each in traces]
        parts.append(f"; {plural(len(traces), 'trace')} complete, median {units.fixed(middle(spans))}")
    return last._replace(text="".join(parts))


def _count(kind: type, count: int) -> str:
    one, many = NOUNS[kind]
    return f"1 {one}" if count == 1 else f"{count} {many}"


def _traces(traces: Sequence[t.TraceJudged]) -> str:
    """How many are complete, how long each kind took, and the slowest of all."""
    kinds: dict[str, list[int]] = {}
    for each in traces:
        kinds.setdefault(each.operation, []).append(each.duration_us)
    often = sorted(kinds, key=lambda kind: (-len(kinds[kind]), kind))[:KINDS]
    medians = ", ".join(f"of {kind} {units.fixed(middle(kinds[kind]))}" for kind in often)
    wrong = [each.errors for each in traces if each.errors]
    errors = f", {plural(sum(wrong), 'error')} in {len(wrong)} of them" if wrong else ""
    slowest = max(each.duration_us for each in traces)
    return f"{plural(len(traces), 'trace')} complete{errors}, slowest {units.fixed(slowest)}; median {medians}"
