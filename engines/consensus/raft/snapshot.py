"""What there is to see of a Raft cluster, frozen. The picture is drawn from this and from nothing else."""

from dataclasses import dataclass
from typing import NamedTuple

from engines.consensus.raft.messages import Command, Content
from engines.consensus.raft.quorum import Configuration
from engines.sim.history import Operation
from engines.sim.pattern import Check
from engines.sim.views import Flight, LinkView


class Progress(NamedTuple):
    """What a leader knows of a peer."""

    peer: str
    next_index: int
    match_index: int
    state: str
    """``probe``, ``replicate`` or ``snapshot``."""
    inflight: int
    """Messages with entries that it has not answered."""
    full: bool
    """Whether no more may be under way."""
    sent_rows: int
    """Rows of the snapshot that it is known to have."""
    rows: int
    """Rows of the snapshot that is being sent to it; 0: none is."""
    heard_ago_us: int | None
    """None: it has not answered in this term yet."""

    @property
    def probing(self) -> bool:
        """Whether it gets one entry at a time."""
        return self.state == "probe"


class CatchingUp(NamedTuple):
    """A new server that a leader brings up to date."""

    server: str
    round: int
    goal: int
    """The round ends when it holds this entry."""
    match: int
    round_us: int
    """How long this round takes already."""


class Question(NamedTuple):
    """A question that waits at a server."""

    client: str
    key: str
    round: int
    """The round that must be acknowledged; 0: none."""
    needs: int
    """The index that must be applied; -1: not known before an entry of the term commits."""


class Acknowledged(NamedTuple):
    """What a leader knows of its rounds of heartbeats, and the lease that follows from them."""

    newest: int
    confirmed: int
    """The newest that a majority acknowledged."""
    acked: tuple[tuple[str, int], ...]
    lease_left_us: int
    """On its own clock; 0: it has none."""
    lease_us: int
    """How long a lease lasts from the sending of its round."""


class Cost(NamedTuple):
    """What one request took: messages between servers that carried its entry or confirmed it, as they were counted."""

    entry: int
    messages: int
    formula: int
    """2(n-1): each other server gets the entry once and confirms it once."""


class LogEntry(NamedTuple):
    """One cell of the log grid; ``number`` is its index."""

    number: int
    term: int
    command: Content
    """None: the entry with which a leader begins its term."""


class Sample(NamedTuple):
    """One point of the strip."""

    at_us: int
    commit: int
    leader: str
    """The working leader of the highest term, or nothing."""
    term: int
    """The term it leads; 0 without a leader. Servers without one may be in newer terms."""


@dataclass(frozen=True, slots=True)
class Server:
    """One server."""

    id: str
    status: str
    """``up``, ``crashed`` or ``frozen``."""
    role: str
    """``follower``, ``precandidate``, ``candidate`` or ``leader``; of a crashed server: what it was."""
    term: int
    voted_for: str | None
    votes: tuple[tuple[str, bool], ...]
    leader: str | None
    log: tuple[LogEntry, ...]
    """The part of the log inside the window of the snapshot."""
    first_index: int
    """Of the first entry that its log keeps."""
    last_index: int
    last_term: int
    commit: int
    applied: int
    snapshot_index: int
    """The last entry that its snapshot stands for; 0: it has taken none."""
    snapshot_term: int
    snapshot_rows: int
    values: tuple[tuple[str, int], ...]
    timer_left_us: int | None
    """Election timer; of a leader the time to its next heartbeat."""
    timer_total_us: int
    leader_for_us: int
    progress: tuple[Progress, ...]
    configuration: Configuration
    """Who counts, as this server has it."""
    configured_at: int
    """The entry that says so; 0: the first configuration."""
    catching_up: CatchingUp | None
    """As leader: who is brought up to date."""
    hands_over_to: str
    """As leader: its successor, while it hands over."""
    heard_ago_us: int | None
    """Since when, on its own clock, it has not heard its leader."""
    deduplicated: int
    questions: tuple[Question, ...]
    rounds: Acknowledged | None
    """Of a leader."""
    durable_term: int
    durable_vote: str | None
    fsync_us: int
    """What a sync of its disk takes."""
    unsynced: int
    """Writes that a crash now would lose."""
    clock_off_us: int
    drift_ppm: int
    waiting: int
    """Messages and timers that wait for a frozen server."""
    cut_from: tuple[str, ...]
    """Servers it cannot reach in at least one direction."""

    def entry(self, index: int) -> LogEntry | None:
        """The entry of this index, if the window shows it."""
        if not self.log or not self.log[0].number <= index <= self.log[-1].number:
            return None
        return self.log[index - self.log[0].number]

    def confirmed(self, index: int) -> tuple[str, ...]:
        """Who has confirmed the entry to this leader; it counts itself."""
        return (self.id, *(each.peer for each in self.progress if each.match_index >= index))

    def heard(self, within_us: int) -> tuple[str, ...]:
        """The servers, itself included, that answered this leader lately."""
        known = ((each.peer, each.heard_ago_us) for each in self.progress)
        return (self.id, *(peer for peer, ago in known if ago is not None and ago <= within_us))


@dataclass(frozen=True, slots=True)
class ClientState:
    """One client."""

    id: str
    target: str
    interval_us: int
    current: Command | None
    """What it waits for."""
    attempts: int
    queued: int
    done: int
    """Commands it was told are done."""
    unknown: int
    """Commands it gave up on: they may have happened, or may yet."""
    operations: tuple[Operation, ...]
    """The newest."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The cluster at one position."""

    at_us: int
    position: int
    seed: int
    servers: tuple[Server, ...]
    clients: tuple[ClientState, ...]
    flights: tuple[Flight, ...]
    links: tuple[LinkView, ...]
    """Links that are not as they were laid."""
    rules: tuple[tuple[str, bool], ...]
    reads: str
    """How questions are answered: ``log``, ``index`` or ``lease``."""
    noop: bool
    """Whether a new leader appends an entry without command."""
    heartbeat_us: int
    election_min_us: int
    election_max_us: int
    quorum: int
    """The majority of the voters; of the new ones while the configuration is joint."""
    configuration: Configuration
    """Who counts, as the working leader has it; without one, as whoever could be elected has it."""
    configured_at: int
    configured: bool
    """Whether that is committed."""
    leader: str
    """The working leader of the highest term, or nothing."""
    term: int
    commit: int
    window: tuple[int, int]
    """First and last index of the log grid."""
    series: tuple[Sample, ...]
    workload: str
    cue: tuple[int, str] | None
    """Time and text of the newest narration."""
    checks: tuple[Check, ...]
    events: int
    cost: Cost | None = None
    """Of the newest entry that all have confirmed; None: there is none in this term."""
    recorded: str = ""
    """The name of the FILE that is played; empty: a simulated cluster."""

    def server(self, id: str) -> Server | None:
        """The server of this name."""
        for server in self.servers:
            if server.id == id:
                return server
        return None

    def holders(self, entry: LogEntry) -> tuple[str, ...]:
        """The servers that hold this very entry: where a term has two leaders, its index and term do not say so.

        What a snapshot replaced was committed: it is there, though the log does not show it any more.
        """
        there = (each for each in self.servers if entry.number < each.first_index or each.entry(entry.number) == entry)
        return tuple(each.id for each in there)

    def divergent(self, server: Server, index: int) -> bool:
        """Whether this entry is not the one the leader holds at its index: the leader will have it deleted.

        In a trace a term may be unknown (0): then nobody can say.
        """
        leader, entry = self.server(self.leader), server.entry(index)
        if leader is None or entry is None or server.term > leader.term or leader is server:
            return False
        theirs = leader.entry(index)
        if theirs is None:
            return index > leader.last_index
        return theirs.term != entry.term and bool(theirs.term and entry.term)

    def first_divergent(self, server: Server) -> int:
        """The first index at which the log departs from the leader's; 0: nowhere."""
        return next((entry.number for entry in server.log if self.divergent(server, entry.number)), 0)


__all__ = ["CatchingUp", "ClientState", "Flight", "LinkView", "LogEntry", "Progress", "Sample", "Server", "Snapshot"]
