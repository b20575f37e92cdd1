"""The inspector's page for a message in flight and for a log entry."""

from typing import Any

from engines.consensus.raft import messages as m
from engines.consensus.raft.quorum import has_quorum
from engines.consensus.raft.snapshot import Flight, LogEntry, Server, Snapshot
from engines.consensus.raft.state_machine import describe
from tui.canvas import Ink
from tui.kit import flights
from tui.kit.sheet import Fact, Facts, Section, fact
from tui.kit.words import names
from tui.panels.consensus import members, outlook
from tui.panels.consensus.queries import network_of
from tui.panels.consensus.words import KINDS, in_full, is_news


def title(flight: Flight) -> str:
    """What kind of message it is."""
    beat = isinstance(flight.message, m.AppendEntries) and not flight.message.entries
    return "heartbeat" if beat else KINDS[type(flight.message)][1]


def message(snapshot: Snapshot, flight: Flight) -> list[Section]:
    """What it carries, how far it is, and what the receiver will do with it."""
    says = fact("purpose", KINDS[type(flight.message)][2]), *_fields(flight.message)
    return flights.page(flight, snapshot.at_us, network_of(snapshot), says, Fact("then", (_effect(snapshot, flight),)))


def _fields(message: Any) -> Facts:
    """The message field by field, with what each is for."""
    if (term := getattr(message, "term", None)) is not None:
        yield fact("term", f"{term}", "bright", ("the sender's", "dim"))
    match message:
        case m.AppendEntries(_, previous, previous_term, entries, commit, number):
            after = f"{previous} of term {previous_term}"
            yield fact("after", after, "bright", ("must match the receiver's log", "dim"))
            first, last = previous + 1, previous + len(entries)
            what = f"{first}" if first == last else f"{first} to {last}"
            yield fact("entries", what if entries else "none: a heartbeat", "bright")
            yield fact("commit", f"{commit}", "bright", ("the leader's commit index", "dim"))
            yield fact("round", f"{number}", "bright", ("of its heartbeats; the answer names it", "dim"))
        case m.RequestVote(_, index, index_term) | m.PreVote(_, index, index_term):
            ends = f"{index} of term {index_term}"
            yield fact("log ends", ends, "bright", ("so the voter can compare", "dim"))
        case _:
            yield fact("says", in_full(message), "bright")


def _effect(snapshot: Snapshot, flight: Flight) -> tuple[str, Ink]:
    """What the receiver would do with it if it arrived now."""
    server, message = snapshot.server(flight.dst), flight.message
    if server is None:
        done = "finishes its command" if is_news(message) else "asks another server"
        return f"{flight.dst} {done}", "text"
    if server.status == "crashed":
        return f"{flight.dst} is crashed: the message is lost on arrival", "dead"
    if server.status == "frozen":
        return f"{flight.dst} is frozen: it waits in its inbox", "frozen"
    term: int = getattr(message, "term", server.term)
    if term < server.term:
        return f"{flight.dst} is in term {server.term} already: an old term is refused or ignored", "warn"
    asks = isinstance(message, m.PreVote | m.PreVoteReply)
    newer = f"; its term rises to {term} first" if term > server.term and not asks else ""
    return _reaction(server, flight.src, message) + newer, "text"


def _reaction(server: Server, src: str, message: Any) -> str:
    match message:
        case m.AppendEntries(_, previous, term, entries):
            held = next((entry.term for entry in server.log if entry.number == previous), None)
            if previous > server.last_index:
                return f"{server.id} refuses: its log ends at {server.last_index}, entry {previous} is missing"
            if previous and held is not None and held != term:
                return f"{server.id} refuses: its entry {previous} has term {held}, not {term}"
            if not entries:
                return f"{server.id} sets its election timer back and answers"
            return f"{server.id} stores what is new, answers with its last matching index, and resets its timer"
        case m.RequestVote(term, index, index_term) | m.PreVote(term, index, index_term):
            if (index_term, index) < (server.last_term, server.last_index):
                return f"{server.id} refuses: its own log ends at {server.last_index} of term {server.last_term}, later"
            voted = isinstance(message, m.RequestVote) and term == server.term
            if voted and server.voted_for not in (None, src):
                return f"{server.id} refuses: it voted for {server.voted_for} in term {term}"
            return f"{server.id} may say yes: the log it is shown is not behind its own"
        case m.VoteReply(granted=granted) | m.PreVoteReply(granted=granted):
            if server.role not in ("candidate", "precandidate"):
                return f"{server.id} is no candidate any more: the answer changes nothing"
            return f"{server.id} counts it" + ("" if granted else " as a no")
        case m.InstallSnapshot(last_index=index, done=done):
            if index <= server.commit:
                return f"{server.id} passes over it: it has committed up to {server.commit} itself"
            return f"{server.id} {'takes the snapshot' if done else 'keeps the piece'}, answers, and resets its timer"
        case m.InstallReply(done=done):
            if server.role != "leader":
                return f"{server.id} leads no more: the answer changes nothing"
            return f"{server.id} sends {src} what follows the snapshot" if done else f"{server.id} sends the next piece"
        case m.AppendReply(success=success, match_index=match):
            if server.role != "leader":
                return f"{server.id} leads no more: the answer changes nothing"
            if not success:
                return f"{server.id} goes back in {src}'s log and sends from there"
            return f"{server.id} counts {src} for all entries up to {match}"
        case m.TimeoutNow():
            return f"{server.id} stands for election in the next term, without waiting and without pre-vote"
        case m.AskReadIndex():
            does = "lets a round confirm that it leads" if server.role == "leader" else "does not lead: no answer"
            return f"{server.id} {does}"
        case m.ReadIndexReply(command=command, read_index=upto):
            now = "at once" if server.applied >= upto else f"once it has applied entry {upto}"
            return f"{server.id} answers {command.client} {now}"
        case m.ChangeRequest() | m.TransferRequest():
            return f"{server.id} begins" if server.role == "leader" else f"{server.id} refuses: it does not lead"
    leads = server.role == "leader"
    if isinstance(message, m.ClientRequest) and message.command.op == "get" and leads:
        return f"{server.id} answers, as questions are answered here: see its inspector"
    return f"{server.id} appends the command to its log" if leads else f"{server.id} names the leader it knows"


def entry(snapshot: Snapshot, server: Server, chosen: LogEntry) -> list[Section]:
    """What it is, who has it, whether it is decided, and what may still become of it."""
    on = snapshot.holders(chosen)
    configuration = snapshot.configuration
    without = [each.id for each in snapshot.servers if each.id not in on]
    copies = f": {members.tally(configuration, on)}, quorum {members.wanted(configuration)}"
    return [
        Section(0, (
            fact("index", f"{chosen.number}", "bright", (f"in the log of {server.id}", "text")),
            fact("term", f"{chosen.term}", f"t{chosen.term}", ("the term of the leader that made it", "dim")),
            fact("command", describe(chosen.command), "bright",
                 ("", "dim") if chosen.command else ("empty: a new leader's first entry", "dim")),
        )),
        Section(1, (
            fact("on", names(on), "text", (copies, "text" if has_quorum(snapshot.configuration, on) else "warn")),
            fact("not on", names(without), "dim") if without else fact("not on", "nobody lacks it", "dim"),
        )),
        Section(2, (
            Fact("committed", outlook.committed(snapshot, chosen)),
            Fact("applied", outlook.applied(snapshot, chosen)),
        )),
        Section(3, (Fact("fate", (outlook.outlook(snapshot, server, chosen),)),)),
    ]  # fmt: skip
