"""What repeats in the journal, and how it is told in one line: copies of an entry, pre-votes, losses for one reason.

Only events that follow each other are told together, so nothing that matters is hidden behind another.
"""

from collections.abc import Sequence
from typing import Final

from engines.consensus.raft.change_events import ConfigurationAdopted
from engines.consensus.raft.events import Appended, CommitWithheld, PreVoteGranted, Stored
from engines.consensus.raft.state_machine import describe
from engines.sim.events import Event, LossReason, Lost
from tui.kit.words import names, percent
from tui.panel import Line
from tui.panels.consensus.words import narrate, proves_nothing, span, words

WHO_MAX: Final = 11
"""Names that find no room before the line move into it."""
LASTING: Final = (LossReason.CUT, LossReason.CHANCE, LossReason.CRASHED)


def routine(event: Event) -> str:
    """Events with the same one follow each other in one line; empty: a line of its own."""
    match event.what:
        case Stored(src=src, first=first, last=last, prev_term=term):
            return f"store {src} {first} {last} {term}"
        case Appended(term=term, command=command) if command is not None:
            return f"append {event.node} {term}"
        case ConfigurationAdopted(entry=entry, after=after) if after.votes(event.node):
            return f"adopt {entry} {after}"
        case PreVoteGranted(src=src, term=term, hears=False):
            return f"prevote {src} {term}"
        case CommitWithheld(entry=entry):
            return f"withheld {event.node} {entry}"
        case Lost(why=why, loss_ppm=ppm) if why in LASTING:
            return f"lost {why.value} {ppm}"
    return ""


def fold(events: Sequence[Event]) -> Line:
    """One line for all of them."""
    last = events[-1]
    line = narrate(last)
    nodes = list(dict.fromkeys(event.node for event in events))
    match last.what:
        case Stored(first=first, last=end, prev=previous, prev_term=term):
            since = f"their entry {previous} has term {term}, as the leader says"
            return _of_all(line, nodes, f"append {span(first, end)}", since if previous else "their logs begin with it")
        case Appended(entry=end, term=term):
            asked = " ".join(describe(event.what.command) for event in events)
            what = asked if len(asked) <= 30 else f"{len(events)} commands"
            entries = span(events[0].what.entry, end)
            return line._replace(
                text=f"appends {what} as {entries} of term {term}: not committed, only {last.node} has them"
            )
        case ConfigurationAdopted(entry=entry, after=after):
            return _of_all(line, nodes, f"go by {after} from now on", f"entry {entry} says so")
        case PreVoteGranted(src=src, term=term):
            return _of_all(line, nodes, f"would vote for {src} in term {term}",
                           "hear no leader, and their logs are not ahead")  # fmt: skip
        case CommitWithheld() as withheld:
            return line._replace(text=f"withheld {len(events)} times: {proves_nothing(withheld)}")
        case Lost() as lost:
            return _lost(events, lost, line)
    raise AssertionError(f"nothing to tell together: {last.what!r}")


def _of_all(line: Line, nodes: Sequence[str], what: str, why: str) -> Line:
    who = names(nodes)
    if len(who) <= WHO_MAX:
        return line._replace(who=who, text=f"{what}: {why}")
    return line._replace(who=f"{len(nodes)} nodes", text=f"{who} {what}: {why}")


def _lost(events: Sequence[Event], last: Lost, line: Line) -> Line:
    sources = list(dict.fromkeys(event.what.src for event in events))
    targets = list(dict.fromkeys(event.node for event in events))
    kinds = list(dict.fromkeys(words(event.what.message) for event in events))
    what = f"{len(events)} messages" if len(kinds) > 1 else f"{len(events)} x {kinds[0]}"
    way = f"{names(sources)}>{names(targets)}"
    are = "is" if len(targets) == 1 else "are"
    reason = {
        LossReason.CUT: "these links are cut; more of the kind are lost in silence",
        LossReason.CHANCE: f"the links drop {percent(last.loss_ppm)} of their messages",
        LossReason.CRASHED: f"{names(targets)} {are} crashed; more are lost in silence",
    }[last.why]
    if len(sources) == 1 or len(targets) == 1:
        if len(way) <= WHO_MAX:
            return line._replace(who=way, text=f"{what} lost: {reason}")
        return line._replace(who="network", text=f"{what} lost on {way}: {reason}")
    pairs = names(dict.fromkeys(f"{event.what.src}>{event.node}" for event in events))
    where = f" on {pairs}" if len(pairs) <= 24 else ""
    return line._replace(who="network", text=f"{what} lost{where}: {reason}")
