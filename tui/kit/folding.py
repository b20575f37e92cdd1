"""What repeats in every journal, told in one line: whom it happened to, and messages that were lost for one reason."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from engines.sim.events import Event, LossReason, Lost
from tui.kit.words import names, percent, plural
from tui.panel import Line

WHO_MAX: Final = 11
"""Names that find no room before the line move into it."""
PAIRS_MAX: Final = 30
"""Links that are longer than this are not named."""


def once(found: Iterable[str]) -> tuple[str, ...]:
    """Each of these names once, in their order."""
    return tuple(dict.fromkeys(found))


def nodes_of(events: Iterable[Event]) -> tuple[str, ...]:
    """Who these events happened to."""
    return once(event.node for event in events)


def routine_of_loss(lost: Lost) -> str:
    """What a lost message repeats; nothing, if somebody dropped it by hand."""
    return "" if lost.why is LossReason.DROPPED else f"lost {lost.why.value} {lost.loss_ppm}"


def lost_together(events: Sequence[Event], newest: Line, words: Callable[[Any], str]) -> Line:
    """One line for messages that were lost for one reason: how many, on which links, and why. ``words``: a message."""
    sources, targets = once(event.what.src for event in events), nodes_of(events)
    kinds = once(words(event.what.message) for event in events)
    what = plural(len(events), "message") if len(kinds) > 1 else f"{len(events)} x {kinds[0]}"
    way = f"{names(sources)}>{names(targets)}"
    are = "is" if len(targets) == 1 else "are"
    last: Lost = events[-1].what
    reason = {
        LossReason.CUT: "these links are cut; more of the kind are lost in silence",
        LossReason.CHANCE: f"the links drop {percent(last.loss_ppm)} of their messages",
        LossReason.CRASHED: f"{names(targets)} {are} crashed; more are lost in silence",
        LossReason.OVERFLOW: f"{names(targets)} {are} frozen, with a full buffer",
        LossReason.DROPPED: "you dropped them",
    }[last.why]
    if len(sources) == 1 or len(targets) == 1:
        if len(way) <= WHO_MAX:
            return newest._replace(who=way, text=f"{what} lost: {reason}")
        return newest._replace(who="network", text=f"{what} lost on {way}: {reason}")
    pairs = names(once(f"{event.what.src}>{event.node}" for event in events))
    where = f" on {pairs}" if len(pairs) <= PAIRS_MAX else ""
    return newest._replace(who="network", text=f"{what} lost{where}: {reason}")
