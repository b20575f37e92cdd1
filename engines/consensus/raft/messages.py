"""What servers and clients say to each other: the paper's two remote calls, the pre-vote, and client requests.

Indices are 1-based, 0 stands for "before the first entry". Records are named tuples: they are immutable, compare
and print by value, and are made a hundred thousand times a second.
"""

from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from engines.consensus.raft.quorum import Change, Configuration

new: Final = tuple.__new__
"""Makes a record past the function that knows the names of its fields (``engines/records.py``, which a server alone
need not load)."""


class Refusal(Enum):
    """Why a leader, or who was taken for one, does not make a change or hand over."""

    NOT_LEADER = "not_leader"
    PENDING = "pending"
    """A change is under way."""
    EARLY = "early"
    """It has committed nothing in its term yet."""
    TRANSFERRING = "transferring"
    """It hands its office over."""
    IMPOSSIBLE = "impossible"
    """The configuration does not allow it (``quorum.Refused``)."""
    TIMEOUT = "timeout"
    """The new server does not catch up, or the target did not take over."""
    NO_VOTER = "no_voter"
    """The target of a transfer must be a voter."""
    CHANGED = "changed"
    """The target left the voters while the transfer was under way."""
    DEPOSED = "deposed"
    """The leader stepped down before it was done."""


class Command(NamedTuple):
    """A client's command to the state machine, numbered within its session."""

    client: str
    serial: int
    op: str
    key: str
    value: int
    session: int = 0
    """The session it belongs to: the index of the entry that opened it; 0: the one that bears the client's name."""


class Registration(NamedTuple):
    """A client opens a session; the index of this entry is what it is called (dissertation 6.3)."""

    client: str
    number: int
    """Which of the client's requests this was: it may ask again."""


class ValueRow(NamedTuple):
    """One key of the state machine, as a row of a snapshot."""

    key: str
    value: int


class SessionRow(NamedTuple):
    """One client's session: its newest command that was executed, and what came of it."""

    client: str
    serial: int
    result: int | None
    used: int = 0
    """The entry that used it last. Of a session that bears its client's name nobody counts: 0."""


Row: TypeAlias = ValueRow | SessionRow


class LogSnapshot(NamedTuple):
    """What replaces the log up to an index (dissertation, chapter 5). Its rows are the whole state machine."""

    last_index: int
    last_term: int
    configuration: Configuration
    rows: tuple[Row, ...]
    configured_at: int = 0
    """The entry that brought the configuration; 0: it is the first."""


Content: TypeAlias = Command | Configuration | Registration | None
"""What an entry is about. None: the entry a new leader appends to commit those of its predecessors."""


class Entry(NamedTuple):
    """A log entry."""

    term: int
    command: Content


class PreVote(NamedTuple):
    """Would you vote for me in ``term``? Changes no state at all (dissertation 9.6)."""

    term: int
    last_log_index: int
    last_log_term: int


class PreVoteReply(NamedTuple):
    """``term`` is the asked one if granted, else the voter's own."""

    term: int
    granted: bool


class RequestVote(NamedTuple):
    """RequestVote RPC (paper, Figure 2)."""

    term: int
    last_log_index: int
    last_log_term: int
    transfer: bool = False
    """Whether the leader told the candidate to stand: then voters who hear that leader answer all the same (3.10)."""


class VoteReply(NamedTuple):
    """Its result."""

    term: int
    granted: bool


class AppendEntries(NamedTuple):
    """AppendEntries RPC (paper, Figure 2); without entries it is a heartbeat."""

    term: int
    prev_log_index: int
    prev_log_term: int
    entries: tuple[Entry, ...]
    leader_commit: int
    round: int = 0
    """The newest round of heartbeats of this leader; it grows."""


class AppendReply(NamedTuple):
    """Its result.

    On success ``match_index`` is the last index known to agree with the leader. On refusal ``prev_log_index``
    echoes the request, and ``conflict_term`` and ``conflict_index`` say where to go on (end of paper 5.3).
    """

    term: int
    success: bool
    match_index: int
    prev_log_index: int
    conflict_term: int = 0
    conflict_index: int = 0
    round: int = 0
    """That of the request: whose sending this answer acknowledges."""


class AskReadIndex(NamedTuple):
    """A follower asks its leader: up to where must I have applied before I may answer this?"""

    term: int
    command: Command


class ReadIndexReply(NamedTuple):
    """Up to here; and nobody else led when you asked."""

    command: Command
    read_index: int


class InstallSnapshot(NamedTuple):
    """InstallSnapshot RPC (paper, Figure 13): the state machine as it was after ``last_index``, piece by piece.

    ``rows`` is the part of it that begins at ``offset``; the configuration is the one in force there.
    """

    term: int
    last_index: int
    last_term: int
    configuration: Configuration
    offset: int
    rows: tuple[Row, ...]
    done: bool
    """Whether this is the last piece."""
    configured_at: int = 0
    """The entry that brought the configuration."""


class InstallReply(NamedTuple):
    """Its result: how many rows of it are there, and whether everything up to ``last_index`` is."""

    term: int
    last_index: int
    received: int
    done: bool


class ClientRequest(NamedTuple):
    """Please execute this."""

    command: Command
    seen: int = 0
    """The last index the client saw: whoever answers a question must have applied as much."""


class ClientReply(NamedTuple):
    """Executed, with its result; or refused by a server that is not the leader, with the leader it knows."""

    serial: int
    ok: bool
    result: int | None
    leader: str
    applied: int = 0
    """What had been applied when the result was computed."""


class Register(NamedTuple):
    """Please open a session for me (RegisterClient RPC, dissertation, Figure 6.1)."""

    number: int


class Registered(NamedTuple):
    """Its result: the session, or 0 and the leader to ask."""

    number: int
    session: int
    leader: str


class SessionExpired(NamedTuple):
    """That command belongs to a session which is no more: it was not executed now, and may have been before."""

    serial: int


class ChangeRequest(NamedTuple):
    """Please change the members: by one voter, or by a joint configuration; nothing named: leave the joint one."""

    changes: tuple[Change, ...]
    joint: bool
    auto_leave: bool


class ChangeReply(NamedTuple):
    """Committed; or not made, why, and whom to ask instead if it knows."""

    ok: bool
    why: Refusal | None
    leader: str


class TransferRequest(NamedTuple):
    """Please hand your leadership to this server."""

    to: str


class TransferReply(NamedTuple):
    """It takes over (no ``why``); or it does not."""

    to: str
    why: Refusal | None
    leader: str


class TimeoutNow(NamedTuple):
    """The leader of ``term`` tells its successor to stand for election at once (dissertation 3.10)."""

    term: int
