"""The journal's sentences about questions, sessions and snapshots: what clients and disks may rely on; the lessons."""

from enum import Enum
from typing import Any, Final, get_args

from engines.consensus.raft import events as e
from engines.consensus.raft import messages as m
from engines.consensus.raft import read_events as r
from engines.consensus.raft.checks import ANSWERS, DURABLE, ONCE, QUIET, READS, SNAPSHOTS, UNDONE
from engines.consensus.raft.state_machine import describe
from tui.canvas import Ink
from tui.kit.words import names, plural

MODES: Final = {
    "log": "each goes through the log, like a command",
    "index": "the leader asks a majority whether it still leads (ReadIndex)",
    "lease": "a leader that was confirmed lately answers alone (lease)",
}
"""How questions are answered."""


def message(what: Any) -> str | None:
    """A message about a question, a session or a snapshot in a few words; None: it is none."""
    match what:
        case m.InstallSnapshot(last_index=index, offset=offset, rows=rows, done=done):
            part = f"rows {offset + 1}-{offset + len(rows)}" if rows else "no rows"
            return f"snapshot up to entry {index}, {part}{', the last' if done else ''}"
        case m.InstallReply(last_index=index, received=received, done=done):
            return f"holds all up to entry {index}" if done else f"has {plural(received, 'row')} of snapshot {index}"
        case m.Register():
            return "request for a session"
        case m.Registered(session=session, leader=leader):
            return f"session {session} is open" if session else f"no session here: ask {leader or 'another'}"
        case m.SessionExpired(serial=serial):
            return f"#{serial}: SESSION_EXPIRED"
        case m.AskReadIndex(command=command):
            return f"may I answer {describe(command)} of {command.client}?"
        case m.ReadIndexReply(command=command, read_index=upto):
            return f"answer {describe(command)} once entry {upto} is applied"
    return None


def of_snapshots(what: e.SnapshotEvent) -> tuple[str, Ink]:
    """What was written down, sent, taken or passed over."""
    match what:
        case e.SnapshotTaken(entry=entry, rows=rows, first=first):
            kept = f"its log begins with entry {first} now" if first > 1 else "its log still begins with entry 1"
            return f"takes a snapshot of all up to entry {entry}, {plural(rows, 'row')}; {kept}", "follower"
        case e.SnapshotSent(src=src, needed=needed, first=first, entry=entry, rows=rows):
            why = f"{src} needs entry {needed}, and its log begins with {first}"
            return f"sends {src} its snapshot up to entry {entry}, {plural(rows, 'row')}: {why}", "leader"
        case e.SnapshotInstalled(src=src, entry=entry, term=term, before=before, after=after):
            took = f"takes {src}'s snapshot up to entry {entry} of term {term}"
            if after > entry:
                return f"{took}: it holds that entry, and keeps what follows, up to {after}", "good"
            return f"{took}: its log, which ended at {before}, goes", "good"
        case e.SnapshotIgnored(src=src, entry=entry, commit=commit):
            return f"passes over {src}'s snapshot up to entry {entry}: it has committed up to {commit} itself", "stale"


def of_sessions(what: e.SessionEvent) -> tuple[str, Ink]:
    """What was asked for, opened, refused, lost."""
    match what:
        case e.SessionAsked(target=target, attempt=attempt):
            again = f", attempt {attempt}" if attempt > 1 else ""
            return f"asks {target} to open a session{again}: what it wants to ask waits", "client"
        case e.SessionGot(src=src, session=session):
            return f"is told by {src} that its session is {session}, after the entry that opened it", "client"
        case e.SessionLost(src=src, session=session, command=command):
            lost = f"session {session} is no more: SESSION_EXPIRED"
            return f"is told by {src} that its {lost}. What became of {describe(command)} is unknown", "warn"
        case e.SessionOpened(entry=entry, client=client, open=count):
            return f"opens session {entry} for {client}: {plural(count, 'session')} of the kind in the log", "leader"
        case e.SessionRefused(entry=entry, client=client, serial=serial, session=session):
            why = f"session {session} of {client} is no more"
            return f"skips entry {entry}: {why}, so #{serial} is not executed; every server decides alike", "warn"


def of_reads(what: r.ReadEvent) -> tuple[str, Ink]:
    """What happens to a question, and why."""
    match what:
        case r.ReadWaits(client=client, key=key, why=r.ReadWait.COMMIT):
            return (f"cannot answer {key}? of {client} yet: it has committed nothing in its term, so it does not know "
                    "what is committed", "warn")  # fmt: skip
        case r.ReadWaits(client=client, key=key, why=r.ReadWait.ROUND, round=number, needs=needs):
            return (f"will answer {key}? of {client} as of entry {needs}, once a majority acknowledges round {number} "
                    "of its heartbeats: so nobody else leads", "leader")  # fmt: skip
        case r.ReadWaits(client=client, key=key, needs=needs):
            return f"will answer {key}? of {client} once it has applied entry {needs}", "follower"
        case r.ReadServed():
            return _served(what), "bad" if what.how is r.ReadHow.ALONE else "good"
        case r.ReadGivenUp(client=client, key=key):
            return f"gives up {key}? of {client}: it leads no more, and was not confirmed in time", "warn"
        case r.Forwarded(client=client, leader=leader, command=command):
            return f"passes {describe(command)} of {client} on to {leader}, its leader", "follower"
        case r.ReadsSet(mode=mode):
            return f"questions from now on: {MODES[mode]}", "you"


def _served(what: r.ReadServed) -> str:
    value = "nothing" if what.result is None else f"{what.result}"
    told = f"answers {what.key}? of {what.client}: {value}, as of entry {what.applied}"
    match what.how:
        case r.ReadHow.LEASE:
            return f"{told}; its lease still runs, so nobody else can lead"
        case r.ReadHow.ALONE:
            return f"{told}; it asked nobody whether it is up to date"
        case r.ReadHow.ROUND:
            return f"{told}; round {what.round} was acknowledged by {names(what.acks)}" if what.acks else told


KINDS: Final[dict[type, tuple[str, str, str]]] = {
    m.AskReadIndex: ("R", "read index, please",
                     "asks the leader up to where the sender must have applied before it answers a question"),
    m.ReadIndexReply: ("r", "read index", "says up to where, and that nobody else led when the question came"),
}  # fmt: skip
"""Letters and titles of these messages, and what they are for."""

LESSONS: Final[dict[str, tuple[str, ...]]] = {
    "session": (
        "Rule: a client has a session opened by an entry, and the index of that entry is its name. Each command bears "
        "the session and a number; a number that was executed in it is answered from memory.",
        "Why by an entry, and why it expires by the log: memory is finite, so sessions must end, and all servers must "
        "end the same one at the same entry. If each went by its own clock, one would execute a repeated command.",
        "Whoever comes with a session that is no more is told SESSION_EXPIRED. To execute the command in silence "
        "could do it twice; the client must find out by itself what became of it.",
        "Source: dissertation, section 6.3.",
    ),
    "snapshot": (
        "Rule: each server by itself writes down what it has applied, up to some entry, and drops the log before it, "
        "but for a tail. The snapshot holds the values, the sessions of the clients, and the configuration there.",
        "Why: a log that only grows fills the disk, and a restart would apply all of it again. Why the sessions: a "
        "command that is repeated after the snapshot must still be known, or it would be executed twice.",
        "A follower that needs an entry its leader has dropped gets the snapshot instead, piece by piece. If it holds "
        "the snapshot's last entry, of that term, it keeps what follows; else its whole log goes.",
        "Source: paper, section 7 and Figure 13; dissertation, chapter 5.",
    ),
    "read": (
        "Rule (ReadIndex): a leader that has committed an entry of its term notes its commit index, lets a majority "
        "acknowledge heartbeats sent after the question, applies up to that index, and answers. One round serves many.",
        "Why: a leader that was cut off may have been replaced without knowing it. What it holds is then old, and an "
        "answer from it would take the clients back in time. A majority that still obeys it proves there is no other.",
        "Why after the question: acknowledgements of older heartbeats only prove that it led before. A leader that "
        "counts them for a repeated question can be wrong (etcd #20418).",
        "A question through the log needs no such care: its place in the log is its place in time. It costs an entry.",
        "Source: dissertation, section 6.4.",
    ),
    "lease": (
        "Rule (lease): a round that a majority acknowledged gives the leader a lease, from the moment that round was "
        "sent: the shortest election timeout, divided by how much faster one clock may run than another.",
        "Why it holds: whoever acknowledged refuses to vote for that long, so no other leader can be elected before.",
        "What it rests on: clocks. If the leader's runs slower than the bound allows, it believes in its lease after "
        "another leader was elected, and answers what is old.",
        "The lease ends when the leader steps down or tells a successor to stand.",
        "Source: dissertation, section 6.4.1.",
    ),
    "forward": (
        "A server that does not lead can name the leader, and the client asks again, or pass the request on itself "
        "(etcd does). One hop: a server that is passed a request by another does not pass it on.",
        "A follower may also ask the leader for the read index, wait until it has applied so much, and answer itself: "
        "the leader then confirms, and the followers share the work.",
        "Source: dissertation, sections 6.2 and 6.4.",
    ),
}

OF_KIND: Final[dict[type, str]] = {
    **dict.fromkeys(get_args(e.SnapshotEvent), "snapshot"), **dict.fromkeys(get_args(e.SessionEvent), "session"),
    r.ReadWaits: "read", r.ReadServed: "read", r.ReadGivenUp: "read", r.ReadsSet: "read", r.Forwarded: "forward",
}  # fmt: skip
"""Which lesson explains which kind of event."""

OF_REASON: Final[dict[Enum, str]] = {r.ReadHow.LEASE: "lease"}

IF_BROKEN: Final = {
    DURABLE: "Whoever confirms an entry promises that it survives a crash. If the disk does not have it yet, a crash "
             "of a few takes back what a client was told is done (Figure 2: before responding to RPCs).",
    SNAPSHOTS: "A snapshot stands for the entries that were dropped. If it says something else than they did, the "
               "machines part for ever, and no log is left to tell who is right (section 7).",
    ONCE: "A command that was asked again after a missing answer was executed again: the state machine must remember "
          "each client's newest serial (dissertation 6.3).",
    ANSWERS: "A client was told something else than its command did at its place in the log, or its place came before "
             "what was done already (dissertation 6.3).",
    READS: "A client was told something older than what was committed when it asked. Whoever answers must know that "
           "nobody else leads, and what is committed (dissertation 6.4).",
    UNDONE: "What was applied was committed, and what is committed stays; a log that lost it may vote for a leader "
            "that lacks it.",
    QUIET: "Nothing is lost; but a follower that times out beside a living leader asks for votes in vain, again and "
           "again, and in bad weather deposes it (redpanda #30817).",
}  # fmt: skip
