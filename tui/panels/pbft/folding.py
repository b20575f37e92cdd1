"""What repeats in the journal, and how it is told in one line: the same step of a number at several replicas."""

from collections.abc import Sequence
from typing import Final

from engines.consensus.pbft import events as e
from engines.sim.events import Event, Lost
from tui.kit.folding import WHO_MAX, lost_together, nodes_of, routine_of_loss
from tui.kit.words import names
from tui.panel import Line
from tui.panels.pbft.words import asked, narrate, words

PLURALS: Final = {
    "accepts": "accept", "asks": "ask", "enters": "enter", "has": "have", "hears": "hear", "is": "are",
    "knows": "know", "rejects": "reject", "takes": "take",
}  # fmt: skip
"""The verbs with which such a line begins."""


def routine(event: Event) -> str:
    """Events with the same one follow each other in one line; empty: a line of its own."""
    match event.what:
        case e.Accepted(view=view, n=n, digest=digest):
            return f"accept {view} {n} {digest}"
        case e.BecamePrepared(view=view, n=n, digest=digest):
            return f"prepared {view} {n} {digest}"
        case e.Committed(n=n, digest=digest) | e.Executed(n=n, digest=digest):
            return f"final {n} {digest}"
        case e.CheckpointTaken(n=n, digest=digest):
            return f"checkpoint {n} {digest}"
        case e.Stable(n=n):
            return f"stable {n}"
        case e.ViewEntered(view=view):
            return f"entered {view}"
        case e.ViewChangeStarted(view=view, cause=cause):
            return f"asks {view} {cause.value}"
        case e.Rejected(what=what, why=why):
            return f"rejects {what} {why.value}"
        case e.Contradicted(src=src, phase=phase):
            return f"contradicts {src} {phase}"
        case Lost() as lost:
            return routine_of_loss(lost)
    return ""


def together(what: object, text: str) -> str:
    """What one did, of several: each has votes of its own for its certificate."""
    if isinstance(what, e.BecamePrepared):
        return f"are prepared at {what.n}: pre-prepare and 2f PREPAREs, a certificate each"
    if isinstance(what, e.Committed):
        return f"number {what.n} is final for them: each has heard from {len(what.voters)} that they are prepared"
    verb, _, rest = text.partition(" ")
    rest = rest.replace(" and tells all", " and tell all").replace(": it will accept", ": they will accept")
    return f"{PLURALS[verb]} {rest}" if verb in PLURALS else text


def fold(events: Sequence[Event]) -> Line:
    """One line for all of them: who, and the newest one's words."""
    last = narrate(events[-1])
    if isinstance(events[-1].what, Lost):
        return lost_together(events, last, words)
    nodes = nodes_of(events)
    who = names(nodes)
    final = next((event.what for event in events if isinstance(event.what, e.Committed)), None)
    done = next((event.what for event in events if isinstance(event.what, e.Executed)), None)
    if final is not None and done is not None:
        what = f"execute number {final.n}: {asked(done.request)}; {len(final.voters)} are prepared, so it is final"
        last = last._replace(text=what, ink="good")
        if len(nodes) == 1:
            return last._replace(who=who, text=what.replace("execute", "executes", 1))
    elif len(nodes) == 1:
        return last._replace(text=f"{last.text} ({len(events)} times)")
    elif len(nodes) > 1:
        last = last._replace(text=together(events[-1].what, last.text))
    if len(who) > WHO_MAX:
        return last._replace(who=f"{len(nodes)} replicas", text=f"{last.text} [{who}]")
    return last._replace(who=who)
