"""A trace: what a real server wrote down, line by line, in the journal; and what its lines tell, in the inspector."""

from typing import Final

from engines.consensus.etcd_servers import MAJORITY, OWN_TERM
from engines.consensus.etcd_trace import NOBODY, TraceEvent, TraceMessage
from engines.consensus.raft.snapshot import LogEntry, Server, Snapshot
from engines.consensus.recorded import Traced
from tui.canvas import Ink
from tui.kit import sheet
from tui.kit.sheet import Facts, Section, fact
from tui.kit.words import names
from tui.panels.consensus import members

MESSAGES: Final = {
    "MsgApp": "AppendEntries", "MsgAppResp": "its answer to AppendEntries", "MsgHeartbeat": "a heartbeat",
    "MsgHeartbeatResp": "its answer to a heartbeat", "MsgSnap": "a snapshot", "MsgVote": "RequestVote",
    "MsgVoteResp": "its vote",
}  # fmt: skip


def told(what: Traced) -> tuple[str, Ink]:
    """A sentence, and the ink of the name before it."""
    event = what.event
    text, ink = _said(event, what.was)
    return f"{text}  (line {event.line})", ink


def _said(event: TraceEvent, was: str) -> tuple[str, Ink]:
    match event.name:
        case "InitState" if not event.term and event.vote == NOBODY:
            return f"starts, its log to {event.last}; its term and its vote are read next", "follower"
        case "InitState":
            vote = "for nobody" if event.vote == NOBODY else f"for {event.vote}"
            return f"starts in term {event.term} with its vote {vote}, its log to {event.last}", "follower"
        case "BecomeCandidate":
            votes = "votes for itself; its log ends at"
            return f"starts an election for term {event.term}: {votes} {event.last}", "candidate"
        case "BecomeLeader":
            return f"leads term {event.term}; its log ends at {event.last}", "leader"
        case "BecomeFollower":
            before = f", and was {was}" if was in ("leader", "candidate") else ""
            return f"is a follower in term {event.term}{before}", "follower"
        case "Replicate":
            return f"appends a command behind entry {event.last}, in term {event.term}", "leader"
        case "Commit":
            return f"has looked what a majority holds: committed up to {event.commit}", "good"
        case "ChangeConf":
            return f"appends a change of the configuration: {' '.join(event.changes)}", "leader"
        case "ApplyConfChange":
            return f"applies a configuration: the voters are {names(event.changes) or 'nobody'}", "follower"
        case "Ready":
            return f"has something to persist and send: term {event.term}, commit {event.commit}", "follower"
    if event.message is not None:
        return _of_message(event, event.message), "follower"
    return f"{event.name} in term {event.term}", "follower"


def _of_message(event: TraceEvent, m: TraceMessage) -> str:
    what = MESSAGES.get(m.type, m.type)
    carries = ""
    if m.type == "MsgApp":
        count = f"entries {m.prev + 1} to {m.prev + m.entries}" if m.entries else "no entry"
        carries = f" with {count} behind {m.prev} of term {m.prev_term}"
    elif m.type == "MsgSnap":
        carries = f" up to entry {m.entries}"
    elif m.type == "MsgVote":
        carries = f", its log ends at {m.prev} of term {m.prev_term}"
    elif m.reject:
        carries = ": no"
    elif m.type == "MsgAppResp":
        carries = f": up to {m.prev}"
    elif m.type == "MsgVoteResp":
        carries = ": yes"
    sends = event.name.startswith("Send")
    if m.src == m.dst:
        return f"{'notes' if sends else 'counts'} {what} to itself in term {m.term}{carries}"
    return f"{'sends ' + m.dst if sends else 'hears from ' + m.src} {what} in term {m.term}{carries}"


LESSON: Final = (
    "This is a real cluster: a line that a server of etcd-io/raft wrote while it ran. What it says of term, vote, "
    "commit index, role and log holds at that moment.",
    "Terms of entries are not written. A leader appends entries of its own term, a follower holds what the leader "
    "held when it sent it; from this the logs are rebuilt. A 0 in a cell says that nothing tells its term.",
    "The checks are Raft's guarantees, held against every line. What a trace does not show cannot be judged.",
)

IF_BROKEN: Final = {
    MAJORITY: "Whoever decides without a majority decides alone: another majority may decide otherwise (5.2, 5.3).",
    OWN_TERM: "Counting copies of an entry of an older term proves nothing: Figure 8 of the paper (5.4.2).",
}  # fmt: skip


# -- in the inspector --------------------------------------------------------------------------------------------------


def sections(snapshot: Snapshot, server: Server) -> list[Section]:
    """Role, vote, log, who counts, and what a leader has sent and heard."""
    if server.status == "crashed":
        return [Section(0, (fact("state", "no line of it yet", "dim"),)), sheet.of_checks(snapshot.checks, 7)]
    yes = [peer for peer, granted in server.votes if granted]
    standing = server.role in ("candidate", "leader") and yes
    unknown = sum(not entry.term for entry in server.log)
    return [
        Section(0, (
            fact("role", f"{server.role} in term {server.term}", "bright"),
            fact("vote", server.voted_for or "nobody", "text"),
            *((fact("votes", names(yes), "text"),) if standing else ()),
            fact("follows", server.leader or "nobody that it has heard", "text"),
        )),
        Section(1, (
            fact("log", f"to {server.last_index}, committed to {server.commit}", "text"),
            *((fact("terms", f"of {unknown} of those shown nothing tells the term: 0", "dim"),) if unknown else ()),
            fact("voters", f"{server.configuration}", "text"),
            fact("needs", members.wanted(server.configuration), "text"),
        )),
        Section(5, tuple(
            fact(each.peer, f"sent up to {each.next_index - 1}, confirmed up to {each.match_index}"
                 if each.next_index else "nothing sent in this trace", "text")
            for each in server.progress
        )),
        Section(6, (fact("source", f"{snapshot.recorded}: recorded, so nothing can be done to it", "dim"),)),
        sheet.of_checks(snapshot.checks, 7),
    ]  # fmt: skip


def entry(snapshot: Snapshot, server: Server, chosen: LogEntry) -> Facts:
    """What is known of an entry."""
    knows = [each.id for each in snapshot.servers if each.commit >= chosen.number]
    term = f"{chosen.term}" if chosen.term else "unknown: nothing in the trace tells it"
    yield fact("index", f"{chosen.number}", "bright", (f"in the log of {server.id}", "text"))
    yield fact("term", term, "bright" if chosen.term else "dim")
    yield fact("command", "not written in a trace", "dim")
    if chosen.term and (on := snapshot.holders(chosen)):
        yield fact("on", names(on), "text")
    yield fact("committed", f"as {names(knows)} know" if knows else "nobody knows it committed", "text")
