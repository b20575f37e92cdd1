"""Events that come by the dozen and share a line of the journal: retries, failures, refusals, waste, losses."""

from collections.abc import Sequence
from typing import Final

from engines.resilience.world import events as e
from engines.sim import events as k
from engines.sim.events import Event
from engines.units import US_PER_S, seconds
from tui.kit.folding import lost_together, routine_of_loss
from tui.panel import Line
from tui.panels.resilience.words import message, narrate, who

COUNTED: Final[dict[type, tuple[str, str]]] = {
    e.CallFailed: ("failure", "failures"), e.CallRetried: ("retry", "retries"),
    e.RetryDenied: ("retry denied", "retries denied"), e.CallTurnedAway: ("turned away", "turned away"),
    e.RequestRefused: ("refusal", "refusals"), e.WorkWasted: ("job for nobody", "for nobody"),
    e.CallHedged: ("hedge", "hedges"), e.FallbackServed: ("fallback", "fallbacks"),
}  # fmt: skip
"""Told now and then with the number of their kind since the last time, in this order: of one, and of several."""


OF_LINKS: Final = (
    k.LinkCut, k.LinkMended, k.LossSet, k.LatencySet, k.DuplicationSet, k.ReorderingSet, k.Clogged, k.Unclogged,
)  # fmt: skip


def routine(event: Event) -> str:
    """What an event repeats; nothing: it has a line of its own, as all has that happens to ``you``."""
    if type(event.what) in COUNTED:
        return "calls"
    if type(event.what) is e.ShopServed:
        return "served"
    if type(event.what) in OF_LINKS:
        return event.kind
    return routine_of_loss(event.what) if isinstance(event.what, k.Lost) else ""


def fold(events: Sequence[Event]) -> Line:
    """One line for all of them."""
    newest = events[-1]
    last = narrate(newest)
    if type(newest.what) in COUNTED:
        return _calls(events, last)
    if type(newest.what) is e.ShopServed:
        return _served(events)
    if isinstance(newest.what, k.Lost):
        return lost_together(events, last, message)
    links = list(dict.fromkeys((each.what.src, each.node) for each in events))
    if len(links) > 2:
        return last._replace(who=f"{len(links)} links")
    if len(links) == 2 and links[0] == links[1][::-1]:
        return narrate(events[0])._replace(text=f"{last.text}; and the way back too")
    return last


def _served(events: Sequence[Event]) -> Line:
    """The calls of all these stretches, and the latency of the last."""
    newest = events[-1]
    whole = newest.what._replace(
        span_us=sum(each.what.span_us for each in events), offered=sum(each.what.offered for each in events),
        good=sum(each.what.good for each in events), failed=sum(each.what.failed for each in events),
    )  # fmt: skip
    return narrate(newest._replace(what=whole))


def _calls(events: Sequence[Event], last: Line) -> Line:
    """What became of how many calls: of one kind in one place its sentence; the more kinds, the less of the newest."""
    places = {(type(each.what), who(each), getattr(each.what, "why", None)) for each in events}
    if len(places) == 1:
        return narrate(events[-1], sum(times(each) for each in events))
    counts: dict[type, int] = {}
    for each in events:
        counts[type(each.what)] = counts.get(type(each.what), 0) + times(each)
    said = ", ".join(
        f"{counts[kind]:,} {names[counts[kind] != 1]}" for kind, names in COUNTED.items() if kind in counts
    )
    span_us = events[-1].at_us - min(map(since_us, events))
    said = f"in {seconds(span_us)}: {said}" if span_us >= US_PER_S else said
    newest = ("", f"; newest: {last.who} {last.text}", f"; the newest at {last.who}")
    return Line("calls", said + (newest[len(counts)] if len(counts) < len(newest) else ""), last.ink)


def times(event: Event) -> int:
    """How many of its kind an event stands for."""
    found: int = getattr(event.what, "times", 1)
    return found


def since_us(event: Event) -> int:
    """When the first of those it stands for happened."""
    found: int = getattr(event.what, "since_us", -1)
    return event.at_us if found < 0 else found
