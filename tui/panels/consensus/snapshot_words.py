"""The journal's sentences about snapshots and about sessions that an entry opens, and the lesson behind them."""

from typing import Any, Final, get_args

from engines.consensus.raft import events as e
from engines.consensus.raft import messages as m
from engines.consensus.raft.checks import DURABLE, SNAPSHOTS
from engines.consensus.raft.state_machine import describe
from tui.canvas import Ink
from tui.kit.words import plural


def message(what: Any) -> str:
    """A message about a snapshot, or its answer, in a few words."""
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
    raise AssertionError(f"no words for {what!r}")


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


LESSONS: Final = {
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
}

OF_KIND: Final[dict[type, str]] = {
    **dict.fromkeys(get_args(e.SnapshotEvent), "snapshot"), **dict.fromkeys(get_args(e.SessionEvent), "session"),
}  # fmt: skip
"""Which lesson explains which kind of event."""

IF_BROKEN: Final = {
    DURABLE: "Whoever confirms an entry promises that it survives a crash. If the disk does not have it yet, a crash "
             "of a few takes back what a client was told is done (Figure 2: before responding to RPCs).",
    SNAPSHOTS: "A snapshot stands for the entries that were dropped. If it says something else than they did, the "
               "machines part for ever, and no log is left to tell who is right (section 7).",
}  # fmt: skip

SUSPECTS: Final = {DURABLE: "ack after sync"}
"""The rule whose absence breaks a check."""

RULES: Final = {
    "snapshot_replaces_log": ("a snapshot that ends in another entry replaces the log",
                              "progress, paper 7; off: the follower refuses what follows, for ever (hashi #697)"),
    "match_proved": ("an answer counts for what its message proved",
                     "safety, Figure 2; off: it counts for what was sent meanwhile (Ratis 2605)"),
    "ack_after_sync": ("an answer leaves once the disk has what it is for",
                       "safety, Figure 2; off: a repeated message is confirmed early (YugabyteDB #32875)"),
    "term_when_decided": ("an entry has the term in which it was decided",
                          "safety, 5.3; off: it is written later, under a newer term (hashi #695)"),
}  # fmt: skip
"""What the dialogue of rules says of each."""
