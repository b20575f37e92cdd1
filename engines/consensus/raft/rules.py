"""Rules of Raft that can be switched off, to see why they are there, and the timing of a cluster."""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from engines.rules import Rules, rule


@dataclass(frozen=True, slots=True)
class RaftRules(Rules):
    """All on: Raft. ``pre_vote`` and ``check_quorum`` keep a working leader in office; all others keep a guarantee."""

    current_term_commit: bool = rule("count replicas only for entries of the own term")
    """A leader counts replicas only for entries of its own term (paper 5.4.2)."""
    persist_vote: bool = rule("the vote is on disk before it is given")
    """The vote is on disk before it is given (paper, Figure 2)."""
    pre_vote: bool = rule("ask whether an election could be won before it is started")
    """Ask first whether an election could be won at all (dissertation 9.6)."""
    check_quorum: bool = rule("a leader that hears no quorum steps down")
    """A leader that hears no quorum steps down (dissertation 6.2); voters who hear one ignore RequestVote (4.2.3)."""
    refuse_while_led: bool = rule("whoever hears a leader helps nobody to depose it")
    """Also a server with a good log, that is no member any more, must not depose a leader that works (4.2.3)."""
    config_from_append: bool = rule("the newest configuration in the log counts, committed or not")
    """The newest configuration in the log rules from its append on (4.1); off: once applied, and without guards."""
    one_change: bool = rule("the next change of members waits until the former has committed")
    """One change at a time (dissertation 4.1)."""
    own_commit_first: bool = rule("a leader changes members only after an entry of its own term has committed")
    """The mend of 2015 to dissertation 4.1."""
    joint_consensus: bool = rule("many changes at once go through a joint configuration")
    """Off: straight from the old configuration to the new one (dissertation 4.3, Figure 4.2)."""
    learners_vote: bool = rule("a learner votes when it is asked")
    """Its promotion may have committed elsewhere (dissertation 4.2.1)."""
    snapshot_replaces_log: bool = rule("a snapshot whose last entry is another than the own one replaces the whole log")
    """A snapshot that ends in another entry than the own log has there replaces the whole log (paper, section 7)."""
    match_proved: bool = rule("an answer counts for what its message proved, and for no more")
    """matchIndex rises to what the answered message proved (Figure 2), not to what has been sent meanwhile."""
    ack_after_sync: bool = rule("an answer leaves once the disk has what it answers for")
    """Also the answer to an empty or repeated message leaves after the sync of what that message found in the log."""
    term_when_decided: bool = rule("an entry carries the term in which its leader decided to append it")
    """An entry is appended when that is decided, by the leader of that term, and not later under another term."""
    once: bool = rule("a command that stands in the log twice takes effect once")
    """A command is executed unless its session shows that it was (dissertation 6.3)."""
    confirm_reads: bool = rule("a leader confirms that it still leads before it answers a question")
    """Off: whoever is asked answers from its own state, at once (dissertation 6.4)."""
    read_after_commit: bool = rule("a new leader commits an entry of its term before it answers a question")
    """It does not know before what is committed (dissertation 6.4; etcd #7331)."""
    match_rounds: bool = rule("an acknowledgement counts for the round it answers, by its number")
    """Off: rounds are told apart by an id that a retry uses again (etcd #20418)."""
    refusal_resets: bool = rule("a leader's message resets the timer also if its entries are refused")
    """Off: a follower whose log does not fit stands for election beside a living leader (redpanda #30817)."""


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
