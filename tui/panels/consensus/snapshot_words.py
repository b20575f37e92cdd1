"""The journal's sentences about snapshots, and the lesson behind them."""

from typing import Any, Final, assert_never

from engines.consensus.raft import events as e
from engines.consensus.raft import messages as m
from engines.consensus.raft.checks import DURABLE, SNAPSHOTS
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
        case _:
            assert_never(what)


LESSONS: Final = {
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
    e.SnapshotTaken: "snapshot", e.SnapshotSent: "snapshot", e.SnapshotInstalled: "snapshot",
    e.SnapshotIgnored: "snapshot",
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
