"""What happens in a Raft cluster besides what happens in every world: one record per kind.

``src`` is the other server or client; the node it happened to stands on the event itself.
"""

from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from engines.consensus.raft.change_events import ChangeEvent
from engines.consensus.raft.messages import Command, Content
from engines.consensus.raft.quorum import Configuration
from engines.consensus.raft.read_events import ReadEvent
from engines.consensus.raft.roles import Role
from engines.rules import RuleSwitched

NOBODY: Final = Configuration()

# -- elections -------------------------------------------------------------------------------------------------


class TimeoutReason(Enum):
    """Why an election timer ran out."""

    SILENCE = "silence"
    """A follower heard no leader and gave no vote."""
    NO_MAJORITY = "no_majority"
    """A candidate or pre-candidate did not get enough answers."""


class StepDownReason(Enum):
    """Why a server became a follower."""

    HIGHER_TERM = "higher_term"
    LEADER_EXISTS = "leader_exists"
    NO_QUORUM = "no_quorum"
    REMOVED = "removed"
    """A configuration without it has committed."""


class VoteReason(Enum):
    """Why a vote or pre-vote was not given."""

    OLD_TERM = "old_term"
    LEADER_ALIVE = "leader_alive"
    VOTED = "voted"
    LOG_BEHIND = "log_behind"
    LEARNER = "learner"
    """It is a learner, and the rule that learners vote is off."""


class TimedOut(NamedTuple):
    """The election timeout elapsed: the server stands for election."""

    why: TimeoutReason
    waited_us: int
    drawn_us: int
    term: int
    pre_vote: bool
    """Whether it asks first who would vote for it."""
    role: Role
    granted: int
    needed: int


class Campaigned(NamedTuple):
    """A candidate started a term and voted for itself."""

    term: int
    last_index: int
    quorum: int
    configuration: Configuration = NOBODY
    """By which it counts, here and below; ``quorum`` is the majority of its voters."""


class PreVoteWon(NamedTuple):
    """A majority would vote for the pre-candidate."""

    votes: tuple[str, ...]
    quorum: int
    configuration: Configuration = NOBODY


class PreVoteGranted(NamedTuple):
    """It would vote for ``src``."""

    src: str
    term: int
    hears: bool = False
    """Whether it hears a leader, and would all the same: the rule ``refuse_while_led`` is off."""


class PreVoteRefused(NamedTuple):
    """It would not vote for ``src``."""

    src: str
    why: VoteReason
    term: int
    own_term: int
    leader: str
    """Whom it follows, or nobody."""
    last_index: int
    last_term: int
    their_index: int
    their_term: int


class VoteGranted(NamedTuple):
    """It gave ``src`` its vote of this term."""

    src: str
    term: int


class VoteRefused(NamedTuple):
    """It refused ``src`` its vote."""

    src: str
    why: VoteReason
    term: int
    own_term: int
    voted_for: str
    """Whom it has voted for in its term, or nobody."""
    last_index: int
    last_term: int
    their_index: int
    their_term: int


class VoteIgnored(NamedTuple):
    """It hears a leader, so it neither answers ``src`` nor adopts its term (dissertation 4.2.3)."""

    src: str
    term: int
    own_term: int
    leader: str


class Elected(NamedTuple):
    """A majority voted for it: it leads this term."""

    term: int
    votes: tuple[str, ...]
    quorum: int
    last_index: int
    configuration: Configuration = NOBODY


class SteppedDown(NamedTuple):
    """It gave up its office or candidacy."""

    why: StepDownReason
    was: Role
    term: int
    src: str
    """Who made it, if somebody did."""


class QuorumLost(NamedTuple):
    """A leader heard no majority for an election timeout."""

    heard: int
    quorum: int
    within_us: int


class Followed(NamedTuple):
    """The first heartbeat of a leader it did not know came."""

    src: str
    term: int


# -- replication -----------------------------------------------------------------------------------------------


class Mismatch(Enum):
    """Why entries do not fit a follower's log."""

    GAP = "gap"
    """Its log ends before them."""
    TERM = "mismatch"
    """The entry before them has another term."""


class Appended(NamedTuple):
    """A leader appended an entry: a client's, a configuration, or (None) the first of its term."""

    entry: int
    term: int
    command: Content
    client: str


class Stored(NamedTuple):
    """A follower stored entries that ``src`` sent."""

    src: str
    first: int
    last: int
    prev: int
    prev_term: int


class AppendOutdated(NamedTuple):
    """A follower refused the AppendEntries of a leader of an old term."""

    src: str
    term: int
    own_term: int


class AppendRefused(NamedTuple):
    """A follower refused entries that do not fit its log."""

    src: str
    why: Mismatch
    prev: int
    prev_term: int
    last_index: int
    conflict_term: int
    conflict_index: int


class Backtracked(NamedTuple):
    """A leader goes back in the log of a follower that refused."""

    src: str
    refused: int
    before: int
    after: int
    conflict_term: int
    conflict_index: int


class MatchFound(NamedTuple):
    """A leader found where a follower's log agrees with its own."""

    src: str
    entry: int


class Truncated(NamedTuple):
    """A follower deleted entries that conflict with those of ``src``."""

    src: str
    first: int
    last: int
    old_term: int
    new_term: int
    commit: int


class Committed(NamedTuple):
    """A leader committed the entries from ``first`` to ``last``."""

    first: int
    last: int
    term: int
    entry_term: int
    holders: tuple[str, ...]
    """Who has confirmed them, besides the leader."""
    quorum: int
    configuration: Configuration = NOBODY


class CommitWithheld(NamedTuple):
    """A majority has the entry, but it is of an old term (paper 5.4.2)."""

    entry: int
    entry_term: int
    term: int


# -- snapshots -------------------------------------------------------------------------------------------------


class SnapshotTaken(NamedTuple):
    """A server wrote down what it has applied, and dropped the log before ``first``."""

    entry: int
    term: int
    rows: int
    first: int


class SnapshotSent(NamedTuple):
    """A leader begins to send ``src`` its snapshot, since the entry ``needed`` is before its ``first``."""

    src: str
    needed: int
    first: int
    entry: int
    rows: int


class SnapshotInstalled(NamedTuple):
    """A follower took the snapshot of ``src``; its log ended at ``before`` and ends at ``after`` now."""

    src: str
    entry: int
    term: int
    rows: int
    before: int
    after: int


class SnapshotIgnored(NamedTuple):
    """A snapshot says nothing new to a server that has committed as much."""

    src: str
    entry: int
    commit: int


# -- clients ---------------------------------------------------------------------------------------------------


class GiveUpReason(Enum):
    """Why a client forgot its command."""

    ASKS_ANOTHER = "asks for something else"
    REFUSED = "refused"
    NO_ANSWER = "no answer"


class Asked(NamedTuple):
    """A client sent its command to ``target``."""

    target: str
    command: Command
    attempt: int


class Answered(NamedTuple):
    """A client was told by ``src`` that its command is done."""

    src: str
    command: Command
    result: int | None
    attempts: int


class GaveUp(NamedTuple):
    """A client will never know what became of its command."""

    why: GiveUpReason
    command: Command
    attempts: int


class Redirected(NamedTuple):
    """A server that does not lead named the leader it knows, or none."""

    src: str
    leader: str
    serial: int


class AnsweredAgain(NamedTuple):
    """A leader answered a command that was applied before."""

    src: str
    serial: int


class Deduplicated(NamedTuple):
    """A leader skipped an entry whose command was applied before."""

    entry: int
    client: str
    serial: int


class SessionOpened(NamedTuple):
    """A leader applied the entry that opens a session for ``client``."""

    entry: int
    client: str
    open: int
    """How many such sessions there are."""


class SessionRefused(NamedTuple):
    """A leader skipped an entry: the session that its command belongs to is no more."""

    entry: int
    client: str
    serial: int
    session: int


class SessionAsked(NamedTuple):
    """A client asked ``target`` to open a session."""

    target: str
    attempt: int


class SessionGot(NamedTuple):
    """A client was told by ``src`` what its session is called."""

    src: str
    session: int


class SessionLost(NamedTuple):
    """A client was told by ``src`` that its session is no more: what became of its command it will never know."""

    src: str
    session: int
    command: Command


# -- a person --------------------------------------------------------------------------------------------------


class Proposed(NamedTuple):
    """A person asked for a command, of the named server or of the one believed to lead."""

    op: str
    key: str
    value: int
    target: str
    waiting: bool
    """Whether another command has to be answered first."""


class WorkloadSet(NamedTuple):
    """How fast the clients ask from now on."""

    level: str


class TimingSet(NamedTuple):
    """Other timeouts from now on."""

    heartbeat_us: int
    election_min_us: int
    election_max_us: int


ElectionEvent: TypeAlias = (
    TimedOut | Campaigned | PreVoteWon | PreVoteGranted | PreVoteRefused | VoteGranted | VoteRefused | VoteIgnored
    | Elected | SteppedDown | QuorumLost | Followed
)  # fmt: skip
ReplicationEvent: TypeAlias = (
    Appended | Stored | AppendOutdated | AppendRefused | Backtracked | MatchFound | Truncated | Committed
    | CommitWithheld
)  # fmt: skip
SnapshotEvent: TypeAlias = SnapshotTaken | SnapshotSent | SnapshotInstalled | SnapshotIgnored
ClientEvent: TypeAlias = Asked | Answered | GaveUp | Redirected | AnsweredAgain | Deduplicated
SessionEvent: TypeAlias = SessionOpened | SessionRefused | SessionAsked | SessionGot | SessionLost
PersonEvent: TypeAlias = Proposed | WorkloadSet | TimingSet | RuleSwitched
RaftEvent: TypeAlias = (
    ElectionEvent
    | ReplicationEvent
    | SnapshotEvent
    | ClientEvent
    | SessionEvent
    | ReadEvent
    | PersonEvent
    | ChangeEvent
)
