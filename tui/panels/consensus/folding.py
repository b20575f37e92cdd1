"""What repeats in the journal, and how it is told in one line: copies of an entry, pre-votes, losses for one reason.

Only events that follow each other are told together, so nothing that matters is hidden behind another.
"""

from collections.abc import Sequence

from engines.consensus.raft.change_events import ConfigurationAdopted
from engines.consensus.raft.events import Appended, CommitWithheld, PreVoteGranted, Stored
from engines.consensus.raft.state_machine import describe
from engines.sim.events import Event, Lost
from tui.kit.folding import WHO_MAX, lost_together, nodes_of, routine_of_loss
from tui.kit.words import names
from tui.panel import Line
from tui.panels.consensus.words import narrate, proves_nothing, span, words


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
        case Lost() as lost:
            return routine_of_loss(lost)
    return ""


def fold(events: Sequence[Event]) -> Line:
    """One line for all of them."""
    last = events[-1]
    line = narrate(last)
    nodes = nodes_of(events)
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
        case Lost():
            return lost_together(events, line, words)
    raise AssertionError(f"nothing to tell together: {last.what!r}")


def _of_all(line: Line, nodes: Sequence[str], what: str, why: str) -> Line:
    who = names(nodes)
    if len(who) <= WHO_MAX:
        return line._replace(who=who, text=f"{what}: {why}")
    return line._replace(who=f"{len(nodes)} nodes", text=f"{who} {what}: {why}")
