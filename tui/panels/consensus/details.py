"""The inspector's page for a message in flight and for a log entry."""

from engines.consensus.raft.snapshot import Flight, LogEntry, Server, Snapshot
from tui.canvas import Ink
from tui.kit.sheet import Fact, Section, fact
from tui.kit.words import ms, names, percent
from tui.panels.consensus import outlook
from tui.panels.consensus.queries import holders, network_of

TITLES = {
    "V": "RequestVote", "v": "answer to RequestVote", "P": "PreVote", "p": "answer to PreVote", "A": "AppendEntries",
    "a": "answer to AppendEntries", "C": "client request", "c": "answer to a client",
}  # fmt: skip

PURPOSE = {
    "V": "asks for the one vote the receiver has in this term",
    "v": "says whether the sender votes for the receiver",
    "P": "asks whether the receiver would vote, before any term is raised",
    "p": "says whether the sender would vote; binds it to nothing",
    "A": "brings log entries, or only says that the leader lives",
    "a": "confirms how far the sender's log agrees, or refuses",
    "C": "asks for a command to be executed",
    "c": "tells the client the result, or where to ask",
}  # fmt: skip


def title(flight: Flight) -> str:
    """What kind of message it is."""
    return "heartbeat" if flight.letter == "A" and flight.empty else TITLES.get(flight.letter, "message")


def message(snapshot: Snapshot, flight: Flight) -> list[Section]:
    """What it carries, how far it is, and what the receiver will do with it."""
    flown = max(0, snapshot.at_us - flight.departs_us)
    whole = flight.arrives_us - flight.departs_us
    link = network_of(snapshot).between(flight.src, flight.dst)
    way: list[Fact] = [
        fact("from", flight.src, "bright", (f"to {flight.dst}", "bright")),
        fact("way", f"{ms(flown)} of {ms(whole)} flown, {ms(max(0, whole - flown))} to go"),
    ]
    if link and link.cut:
        way.append(fact("link", "cut: it will be lost", "cut"))
    elif link and link.loss_ppm:
        way.append(fact("link", f"loses {percent(link.loss_ppm)}; nobody knows yet whether this one", "lost"))
    return [
        Section(0, (fact("purpose", PURPOSE.get(flight.letter, "")),)),
        Section(1, _fields(flight)),
        Section(3, tuple(way)),
        Section(2, (Fact("then", _effect(snapshot, flight)),)),
        Section(4, (fact("keys", "k drop it   x cut this link   l loss   d delay", "dim"),)),
    ]


def numbers(text: str) -> dict[str, int]:
    """The numbers in the words of a message, by what stands before them: ``t5`` and ``prev 7/t5``."""
    found: dict[str, int] = {}
    words = text.replace(",", "").replace(":", "").split()
    for before, word in zip(["", *words], words, strict=False):
        index, slash, term = word.partition("/t")
        if slash and index.isdigit() and term.isdigit():
            found["index"], found["index_term"] = int(index), int(term)
        elif word[:1] == "t" and word[1:].isdigit():
            found.setdefault("term", int(word[1:]))
        elif word[:1] in "+#" and word[1:].isdigit():
            found[{"+": "entries", "#": "serial"}[word[0]]] = int(word[1:])
        elif word.isdigit():
            found[before] = int(word)
    return found


def _fields(flight: Flight) -> tuple[Fact, ...]:
    """The message field by field, with what each is for."""
    carried = numbers(flight.what)
    facts = []
    if "term" in carried:
        facts.append(fact("term", f"{carried['term']}", "bright", ("the sender's", "dim")))
    match flight.letter:
        case "A":
            previous = f"{carried.get('index', 0)} of term {carried.get('index_term', 0)}"
            facts.append(fact("after", previous, "bright", ("must match the receiver's log", "dim")))
            count = carried.get("entries", 0)
            first = carried.get("index", 0) + 1
            what = f"{first}" if count == 1 else f"{first} to {first + count - 1}"
            facts.append(fact("entries", what if count else "none: a heartbeat", "bright"))
            facts.append(fact("commit", f"{carried.get('commit', 0)}", "bright", ("the leader's commit index", "dim")))
        case "V" | "P":
            ends = f"{carried.get('index', 0)} of term {carried.get('index_term', 0)}"
            facts.append(fact("log ends", ends, "bright", ("so the voter can compare", "dim")))
        case _:
            facts.append(fact("says", flight.what, "bright"))
    return tuple(facts)


def _effect(snapshot: Snapshot, flight: Flight) -> tuple[tuple[str, Ink], ...]:
    """What the receiver would do with it if it arrived now."""
    server = snapshot.server(flight.dst)
    if server is None:
        done = "finishes its command" if not flight.empty else "asks another server"
        return ((f"{flight.dst} {done}", "text"),)
    if server.status == "crashed":
        return ((f"{flight.dst} is crashed: the message is lost on arrival", "dead"),)
    if server.status == "frozen":
        return ((f"{flight.dst} is frozen: it waits in its inbox", "frozen"),)
    carried = numbers(flight.what)
    term = carried.get("term", server.term)
    if term < server.term and flight.letter != "C":
        return ((f"{flight.dst} is in term {server.term} already: an old term is refused or ignored", "warn"),)
    newer = f"; its term rises to {term} first" if term > server.term and flight.letter not in "Pp" else ""
    return ((_reaction(server, flight, carried, term) + newer, "text"),)


def _reaction(server: Server, flight: Flight, carried: dict[str, int], term: int) -> str:
    index, index_term = carried.get("index", 0), carried.get("index_term", 0)
    match flight.letter:
        case "A":
            held = next((entry.term for entry in server.log if entry.number == index), None)
            if index > server.last_index:
                return f"{server.id} refuses: its log ends at {server.last_index}, entry {index} is missing"
            if index and held is not None and held != index_term:
                return f"{server.id} refuses: its entry {index} has term {held}, not {index_term}"
            if flight.empty:
                return f"{server.id} sets its election timer back and answers"
            return f"{server.id} stores what is new, answers with its last matching index, and resets its timer"
        case "V" | "P":
            if (index_term, index) < (server.last_term, server.last_index):
                return f"{server.id} refuses: its own log ends at {server.last_index} of term {server.last_term}, later"
            if flight.letter == "V" and term == server.term and server.voted_for not in (None, flight.src):
                return f"{server.id} refuses: it voted for {server.voted_for} in term {term}"
            return f"{server.id} may say yes: the log it is shown is not behind its own"
        case "v" | "p":
            if server.role not in ("candidate", "precandidate"):
                return f"{server.id} is no candidate any more: the answer changes nothing"
            return f"{server.id} counts it" + ("" if not flight.empty else " as a no")
        case "a":
            if server.role != "leader":
                return f"{server.id} leads no more: the answer changes nothing"
            if "refused" in flight.what:
                return f"{server.id} goes back in {flight.src}'s log and sends from there"
            return f"{server.id} counts {flight.src} for all entries up to {carried.get('to', 0)}"
        case _:
            leads = server.role == "leader"
            return f"{server.id} appends the command to its log" if leads else f"{server.id} names the leader it knows"


# -- a log entry -----------------------------------------------------------------------------------------------------


def entry(snapshot: Snapshot, server: Server, chosen: LogEntry) -> list[Section]:
    """What it is, who has it, whether it is decided, and what may still become of it."""
    on = holders(snapshot, chosen.number, chosen.term)
    count, needed = len(snapshot.servers), snapshot.quorum
    without = [each.id for each in snapshot.servers if each.id not in on]
    copies = f": {len(on)} of {count}, quorum {needed}"
    return [
        Section(0, (
            fact("index", f"{chosen.number}", "bright", (f"in the log of {server.id}", "text")),
            fact("term", f"{chosen.term}", f"t{chosen.term}", ("the term of the leader that made it", "dim")),
            fact("command", chosen.what, "bright",
                 ("empty: a new leader's first entry", "dim") if chosen.what == "no-op" else ("", "dim")),
        )),
        Section(1, (
            fact("on", names(on), "text", (copies, "text" if len(on) >= needed else "warn")),
            fact("not on", names(without), "dim") if without else fact("not on", "nobody lacks it", "dim"),
        )),
        Section(2, (
            Fact("committed", outlook.committed(snapshot, chosen)),
            Fact("applied", outlook.applied(snapshot, chosen)),
        )),
        Section(3, (Fact("fate", (outlook.outlook(snapshot, server, chosen),)),)),
    ]  # fmt: skip
