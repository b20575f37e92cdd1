"""Rules of Raft that can be switched off, to see why they are there, and the timing of a cluster."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from engines.rules import Rules, rule


@dataclass(frozen=True, slots=True)
class RaftRules(Rules):
    """All on: Raft. ``pre_vote`` and ``check_quorum`` keep a working leader in office; all others keep a guarantee."""

    current_term_commit: bool = rule(
        "count replicas only for entries of the own term",
        "safety, paper 5.4.2; off: the scenario Figure 8 breaks State Machine Safety",
    )
    persist_vote: bool = rule(
        "the vote is on disk before it is given",
        "safety, paper Figure 2; off: a crash lets a server vote twice in a term",
    )
    pre_vote: bool = rule(
        "ask whether an election can be won before it starts",
        "stability, dissertation 9.6; off: a server that rejoins deposes a working leader",
    )
    check_quorum: bool = rule(
        "a leader that hears no majority steps down",
        "stability, dissertation 6.2; off: a cut-off leader goes on accepting what it cannot commit",
    )
    refuse_while_led: bool = rule(
        "whoever hears a leader helps nobody to depose it",
        "stability, dissertation 4.2.3; off: a server that was removed deposes a working leader",
    )
    config_from_append: bool = rule(
        "the newest configuration in the log counts, committed or not",
        "safety, dissertation 4.1; off: it counts once applied, without etcd's guards",
    )
    one_change: bool = rule(
        "the next change of members waits until the former has committed",
        "safety, dissertation 4.1; off: two changes at once, whose majorities may be apart",
    )
    own_commit_first: bool = rule(
        "members change only after an entry of the leader's own term",
        "safety, the mend of 2015; off: two leaders change one configuration in two ways",
    )
    joint_consensus: bool = rule(
        "many changes at once go through a joint configuration",
        "safety, dissertation 4.3; off: straight over, and two majorities decide apart",
    )
    learners_vote: bool = rule(
        "a learner votes when it is asked",
        "progress, dissertation 4.2.1; off: a promotion it did not hear of leaves no leader",
    )
    snapshot_replaces_log: bool = rule(
        "a snapshot that ends in another entry replaces the log",
        "progress, paper 7; off: the follower refuses what follows, for ever (hashi #697)",
    )
    match_proved: bool = rule(
        "an answer counts for what its message proved",
        "safety, Figure 2; off: it counts for what was sent meanwhile (Ratis 2605)",
    )
    """matchIndex rises to what the answered message proved (Figure 2), not to what has been sent meanwhile."""
    ack_after_sync: bool = rule(
        "an answer leaves once the disk has what it is for",
        "safety, Figure 2; off: a repeated message is confirmed early (YugabyteDB #32875)",
    )
    """Also the answer to an empty or repeated message leaves after the sync of what that message found in the log."""
    term_when_decided: bool = rule(
        "an entry has the term in which it was decided",
        "safety, 5.3; off: it is written later, under a newer term (hashi #695)",
    )
    """An entry is appended when that is decided, by the leader of that term, and not later under another term."""
    once: bool = rule(
        "a command that stands in the log twice takes effect once",
        "safety, dissertation 6.3; off: whoever asks again after a missing answer is obeyed again",
    )
    confirm_reads: bool = rule(
        "a leader confirms that it leads before it answers a question",
        "safety, dissertation 6.4; off: whoever is asked answers from its own state, old or new",
    )
    read_after_commit: bool = rule(
        "a new leader answers questions only after an entry of its term",
        "safety, dissertation 6.4; off: it answers without what its predecessor committed",
    )
    match_rounds: bool = rule(
        "an acknowledgement counts for the round it answers",
        "safety, etcd #20418; off: acknowledgements of an old round confirm a repeated question",
    )
    refusal_resets: bool = rule(
        "a leader's message resets the timer though its entries are refused",
        "progress, redpanda #30817; off: a follower that is being repaired stands for election",
    )


ALL_ON: Final = RaftRules()


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much at once, and how much is kept."""

    batch: int = 64
    """Entries in one AppendEntries."""
    window: int = 16
    """Messages with entries that may be under way to one follower."""
    snapshot_entries: int = 100
    """A snapshot is taken after so many entries at least; 0: never."""
    snapshot_factor: int = 4
    """And not before the log grew to so many times the last snapshot, both counted in rows."""
    tail: int = 50
    """Entries before a snapshot that the log keeps, for followers that are a little behind."""
    piece: int = 8
    """Rows in one InstallSnapshot."""
    session_entries: int = 1_000
    """Entries after which a session that was opened by an entry expires, if nobody used it."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Election timeouts are drawn from [election_min_us, election_max_us] (paper 9.3: 150 to 300 ms)."""

    heartbeat_us: int = 50_000
    election_min_us: int = 150_000
    election_max_us: int = 300_000


class ReadMode(Enum):
    """How questions are answered."""

    LOG = "log"
    """As entries of the log, like commands."""
    INDEX = "index"
    """ReadIndex: a round of heartbeats confirms the leader."""
    LEASE = "lease"
    """A leader that was confirmed lately answers at once."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How questions are answered, and what servers do with requests that only a leader can serve."""

    mode: ReadMode = ReadMode.LOG
    drift_bound: int = 125
    """In percent: how much faster one clock may run than another, as far as leases trust them."""
    forward: bool = False
    """A follower passes requests on to the leader it knows, instead of naming it."""


__all__ = ["ALL_ON", "RaftRules", "ReadMode", "Reading", "Sizes", "Timing"]
