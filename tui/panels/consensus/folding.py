"""What repeats in the journal, and how it is told in one line: copies of an entry, pre-votes, losses for one reason.

Only events that follow each other are told together, so nothing that matters is hidden behind another.
"""

from collections.abc import Sequence

from engines.consensus.raft.state_machine import describe
from engines.sim.world import Event
from tui.kit.words import names, percent
from tui.panel import Line
from tui.panels.consensus.words import narrate, span, words

WHO_MAX = 11
"""Names that find no room before the line move into it."""
REASONS = ("cut", "loss", "crashed")


def routine(event: Event) -> str:
    """Events with the same one follow each other in one line; empty: a line of its own."""
    match event.kind:
        case "store":
            return f"store {event.get('src')} {event.get('first')} {event.get('last')} {event.get('prev_term')}"
        case "append" if event.why == "client":
            return f"append {event.node} {event.get('term')}"
        case "prevote_granted":
            return f"prevote {event.get('src')} {event.get('term')}"
        case "commit_withheld":
            return f"withheld {event.node} {event.get('index')}"
        case "lost" if event.why in REASONS:
            return f"lost {event.why} {event.get('loss_ppm', 0)}"
    return ""


def fold(events: Sequence[Event]) -> Line:
    """One line for all of them."""
    last = events[-1]
    line = narrate(last)
    nodes = list(dict.fromkeys(event.node for event in events))
    match last.kind:
        case "store":
            entries, previous = span(last.get("first"), last.get("last")), last.get("prev")
            since = f"their entry {previous} has term {last.get('prev_term')}, as the leader says"
            return _of_all(line, nodes, f"store {entries}", since if previous else "their logs begin with it")
        case "append":
            first, index = events[0].get("index"), last.get("index")
            asked = " ".join(describe(event.get("command")) for event in events)
            what = asked if len(asked) <= 30 else f"{len(events)} commands"
            tail = f"as {span(first, index)} of term {last.get('term')}: not committed, only {last.node} has them"
            return line._replace(text=f"appends {what} {tail}")
        case "prevote_granted":
            what = f"would vote for {last.get('src')} in term {last.get('term')}"
            return _of_all(line, nodes, what, "hear no leader, and their logs are not ahead")
        case "commit_withheld":
            return line._replace(text=line.text.replace("commit withheld", f"withheld {len(events)} times", 1))
    return _lost(events, line)


def _of_all(line: Line, nodes: Sequence[str], what: str, why: str) -> Line:
    who = names(nodes)
    if len(who) <= WHO_MAX:
        return line._replace(who=who, text=f"{what}: {why}")
    return line._replace(who=f"{len(nodes)} nodes", text=f"{who} {what}: {why}")


def _lost(events: Sequence[Event], line: Line) -> Line:
    last = events[-1]
    sources = list(dict.fromkeys(event.peer for event in events))
    targets = list(dict.fromkeys(event.node for event in events))
    kinds = list(dict.fromkeys(words(event.message) for event in events))
    what = f"{len(events)} messages" if len(kinds) > 1 else f"{len(events)} x {kinds[0]}"
    way = f"{names(sources)}>{names(targets)}"
    reason = {
        "cut": "these links are cut; more of the kind are lost in silence",
        "loss": f"the links drop {percent(last.get('loss_ppm', 0))} of their messages",
        "crashed": f"{names(targets)} {'is' if len(targets) == 1 else 'are'} crashed; more are lost in silence",
    }[last.why]
    if len(sources) == 1 or len(targets) == 1:
        if len(way) <= WHO_MAX:
            return line._replace(who=way, text=f"{what} lost: {reason}")
        return line._replace(who="network", text=f"{what} lost on {way}: {reason}")
    pairs = names(dict.fromkeys(f"{event.peer}>{event.node}" for event in events))
    where = f" on {pairs}" if len(pairs) <= 24 else ""
    return line._replace(who="network", text=f"{what} lost{where}: {reason}")
