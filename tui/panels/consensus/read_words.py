"""The journal's sentences about questions, and about what clients and disks may rely on."""

from enum import Enum
from typing import Any, Final

from engines.consensus.raft import messages as m
from engines.consensus.raft import read_events as e
from engines.consensus.raft.checks import ANSWERS, ONCE, QUIET, READS, UNDONE
from engines.consensus.raft.state_machine import describe
from tui.canvas import Ink
from tui.kit.words import names

MODES: Final = {
    "log": "each goes through the log, like a command",
    "index": "the leader asks a majority whether it still leads (ReadIndex)",
    "lease": "a leader that was confirmed lately answers alone (lease)",
}
"""How questions are answered."""


def message(what: Any) -> str | None:
    """A message about a question in a few words; None: it is none."""
    match what:
        case m.AskReadIndex(command=command):
            return f"may I answer {describe(command)} of {command.client}?"
        case m.ReadIndexReply(command=command, read_index=upto):
            return f"answer {describe(command)} once entry {upto} is applied"
    return None


def of_reads(what: e.ReadEvent) -> tuple[str, Ink]:
    """What happens to a question, and why."""
    match what:
        case e.ReadWaits(client=client, key=key, why=e.ReadWait.COMMIT):
            return (f"cannot answer {key}? of {client} yet: it has committed nothing in its term, so it does not know "
                    "what is committed", "warn")  # fmt: skip
        case e.ReadWaits(client=client, key=key, why=e.ReadWait.ROUND, round=number, needs=needs):
            return (f"will answer {key}? of {client} as of entry {needs}, once a majority acknowledges round {number} "
                    "of its heartbeats: so nobody else leads", "leader")  # fmt: skip
        case e.ReadWaits(client=client, key=key, needs=needs):
            return f"will answer {key}? of {client} once it has applied entry {needs}", "follower"
        case e.ReadServed():
            return _served(what), "bad" if what.how is e.ReadHow.ALONE else "good"
        case e.ReadGivenUp(client=client, key=key):
            return f"gives up {key}? of {client}: it leads no more, and was not confirmed in time", "warn"
        case e.Forwarded(client=client, leader=leader, command=command):
            return f"passes {describe(command)} of {client} on to {leader}, its leader", "follower"
        case e.ReadsSet(mode=mode):
            return f"questions from now on: {MODES[mode]}", "you"


def _served(what: e.ReadServed) -> str:
    value = "nothing" if what.result is None else f"{what.result}"
    told = f"answers {what.key}? of {what.client}: {value}, as of entry {what.applied}"
    match what.how:
        case e.ReadHow.LEASE:
            return f"{told}; its lease still runs, so nobody else can lead"
        case e.ReadHow.ALONE:
            return f"{told}; it asked nobody whether it is up to date"
        case e.ReadHow.ROUND:
            return f"{told}; round {what.round} was acknowledged by {names(what.acks)}" if what.acks else told


KINDS: Final[dict[type, tuple[str, str, str]]] = {
    m.AskReadIndex: ("R", "read index, please",
                     "asks the leader up to where the sender must have applied before it answers a question"),
    m.ReadIndexReply: ("r", "read index", "says up to where, and that nobody else led when the question came"),
}  # fmt: skip
"""Letters and titles of these messages, and what they are for."""

LESSONS: Final[dict[str, tuple[str, ...]]] = {
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
    e.ReadWaits: "read", e.ReadServed: "read", e.ReadGivenUp: "read", e.ReadsSet: "read", e.Forwarded: "forward",
}  # fmt: skip

OF_REASON: Final[dict[Enum, str]] = {e.ReadHow.LEASE: "lease"}

IF_BROKEN: Final = {
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

SUSPECTS: Final = {ONCE: "once", ANSWERS: "once", READS: "confirm reads", QUIET: "refusal resets"}

RULES: Final = {
    "once": ("a command that stands in the log twice takes effect once",
             "safety, dissertation 6.3; off: whoever asks again after a missing answer is obeyed again"),
    "confirm_reads": ("a leader confirms that it leads before it answers a question",
                      "safety, dissertation 6.4; off: whoever is asked answers from its own state, old or new"),
    "read_after_commit": ("a new leader answers questions only after an entry of its term",
                          "safety, dissertation 6.4; off: it answers without what its predecessor committed"),
    "match_rounds": ("an acknowledgement counts for the round it answers",
                     "safety, etcd #20418; off: acknowledgements of an old round confirm a repeated question"),
    "refusal_resets": ("a leader's message resets the timer though its entries are refused",
                       "progress, redpanda #30817; off: a follower that is being repaired stands for election"),
}  # fmt: skip
