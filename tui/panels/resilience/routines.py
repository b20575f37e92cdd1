"""Events that come by the dozen and share a line of the journal: retries, failures, refusals, waste, losses."""

from collections.abc import Sequence
from typing import Final

from engines.sim.world import Event
from tui.kit.words import plural
from tui.panel import Line
from tui.panels.resilience.narration import narrate, who

COUNTED: Final = {
    "failed": "failed", "retry": "tried again", "denied": "not tried again", "turned_away": "turned away",
    "refused": "refused", "wasted": "done for nobody", "hedge": "asked twice", "fallback": "answered otherwise",
}  # fmt: skip
"""Told now and then with the number of their kind since the last time; what became of the calls."""


def routine(event: Event) -> str:
    """What an event repeats; nothing: it has a line of its own, as all has that happens to ``you``."""
    kind = event.kind
    if kind in COUNTED:
        return "calls"
    if kind in ("cut", "mend", "lose", "slow", "duplicate", "reorder", "clog", "unclog"):
        return f"{kind} {event.why}"
    return f"lost {event.why}" if kind == "lost" else ""


def fold(events: Sequence[Event]) -> Line:
    """One line for all of them."""
    last = narrate(events[-1])
    kind = events[-1].kind
    if kind in COUNTED:
        return _calls(events, last)
    if kind == "lost":
        return last._replace(
            text=f"{last.text}; and {plural(len(events) - 1, 'message')} before it, for the same reason"
        )
    links = list(dict.fromkeys((each.peer, each.node) for each in events))
    if len(links) > 2:
        return last._replace(who=f"{len(links)} links")
    if len(links) == 2 and links[0] == links[1][::-1]:
        return narrate(events[0])._replace(text=f"{last.text}; and the way back too")
    return last


def _calls(events: Sequence[Event], last: Line) -> Line:
    """What became of how many calls: of one kind in one place its sentence; the more kinds, the less of the newest."""
    places = {(each.kind, who(each), each.get("outcome", "")) for each in events}
    if len(places) == 1:
        return narrate(events[-1], sum(count_of(each) for each in events))
    counts: dict[str, int] = {}
    for each in events:
        counts[each.kind] = counts.get(each.kind, 0) + count_of(each)
    told = ", ".join(f"{count} {COUNTED[kind]}" for kind, count in counts.items())
    newest = ("", f"; newest: {last.who} {last.text}", f"; newest: {last.who}")
    return Line("calls", told + (newest[len(counts)] if len(counts) < len(newest) else ""), last.ink)


def count_of(event: Event) -> int:
    """How many of its kind an event stands for."""
    count = event.get("count", 1)
    return count if isinstance(count, int) and count > 0 else 1
