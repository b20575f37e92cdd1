"""The inspector's pages for a server of a trace: what its own lines say, and nothing that a trace does not tell."""

from engines.consensus.raft.snapshot import LogEntry, Server, Snapshot
from tui.kit import sheet
from tui.kit.sheet import Fact, Section, fact
from tui.kit.words import names
from tui.panels.consensus import members
from tui.panels.consensus.queries import holders


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


def entry(snapshot: Snapshot, server: Server, chosen: LogEntry) -> list[Section]:
    """What is known of an entry."""
    term = f"{chosen.term}" if chosen.term else "unknown: nothing in the trace tells it"
    on = list(holders(snapshot, chosen.number, chosen.term)) if chosen.term else []
    knows = [each.id for each in snapshot.servers if each.commit >= chosen.number]
    facts: list[Fact] = [
        fact("index", f"{chosen.number}", "bright", (f"in the log of {server.id}", "text")),
        fact("term", term, "bright" if chosen.term else "dim"),
        fact("command", "not written in a trace", "dim"),
    ]
    if on:
        facts.append(fact("on", names(on), "text"))
    facts.append(fact("committed", f"as {names(knows)} know" if knows else "nobody knows it committed", "text"))
    return [Section(0, tuple(facts))]


__all__ = ["entry", "sections"]
