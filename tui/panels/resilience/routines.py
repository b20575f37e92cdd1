"""Events that come by the dozen and share a line of the journal: rejections, retries, calls that end, losses."""

from collections.abc import Sequence
from typing import Final

from engines.sim.world import Event
from tui.panel import Line
from tui.panels.common.words import plural
from tui.panels.resilience.narration import narrate, who

COUNTED: Final = frozenset({"turned_away", "retry", "denied", "failed", "refused", "wasted", "hedge", "fallback"})
"""Told now and then with the number of their kind since the last time."""


def routine(event: Event) -> str:
    """What an event repeats; nothing: it has a line of its own, as all has that happens to ``you``."""
    kind = event.kind
    if kind in COUNTED:
        return f"{kind} {who(event)} {event.get('outcome', '')}"
    if kind in ("cut", "mend", "lose", "slow", "duplicate", "reorder", "clog", "unclog"):
        return f"{kind} {event.why}"
    return f"lost {event.why}" if kind == "lost" else ""


def fold(events: Sequence[Event]) -> Line:
    """One line for all of them."""
    last = narrate(events[-1])
    kind = events[-1].kind
    if kind in COUNTED:
        total = sum(count_of(each) for each in events)
        return narrate(events[-1], total)
    if kind == "lost":
        return last._replace(
            text=f"{last.text}; and {plural(len(events) - 1, 'message')} before it, for the same reason"
        )
    links = dict.fromkeys(narrate(each).who for each in events)
    if len(links) > 2:
        return last._replace(who=f"{len(links)} links")
    if len(links) == 2:
        one, other = links
        if one.partition(">")[0] == other.partition(">")[2]:
            return last._replace(text=f"{last.text}; and the way back too")
    return last


def count_of(event: Event) -> int:
    """How many of its kind an event stands for."""
    count = event.get("count", 1)
    return count if isinstance(count, int) and count > 0 else 1
