"""What a server knows, and how its role changes: the box "State" of the paper's Figure 2, and "All Servers" below it.

Durable, on disk: the registers ``term`` and ``vote``, the log, and a snapshot of what stood before it. Everything else
is volatile and gone after a crash. A server changes its role only through the four ``become_*`` doors, of which
``become_follower`` is here; behind all of them lies ``reset``, which lets nobody pass along an edge that roles.py does
not know.
"""

from typing import Final

from engines.consensus.raft import events as e
from engines.consensus.raft.log import RaftLog
from engines.consensus.raft.messages import (
    ClientReply,
    ClientRequest,
    Command,
    Entry,
    LogSnapshot,
    Registered,
    Registration,
    Row,
    SessionExpired,
    new,
)
from engines.consensus.raft.ports import Disk, Effects
from engines.consensus.raft.progress import PeerProgress
from engines.consensus.raft.quorum import Configuration, majority
from engines.consensus.raft.roles import EDGES, FOLLOWER, LEADER, Role
from engines.consensus.raft.rules import ALL_ON, RaftRules, Sizes, Timing
from engines.consensus.raft.state_machine import KeyValueStore

NEVER: Final = -(1 << 60)
PAPER_TIMING: Final = Timing()
NEVER_DUE: Final = 1 << 60
USUAL: Final = Sizes()
SNAPSHOT: Final = "snapshot"
NOTHING: Final[tuple[tuple[int, int], tuple[Row, ...]]] = ((0, 0), ())


class ServerState:
    """The state of one server, and the rules that hold in every role."""

    __slots__ = (
        "by_order",
        "campaign_us",
        "commit_index",
        "configuration",
        "current_term",
        "deposed_by",
        "disk",
        "election_timeout_us",
        "exchanged",
        "from_apply",
        "heard_leader",
        "heard_us",
        "id",
        "incoming",
        "kv",
        "last_applied",
        "leader",
        "leader_since_us",
        "log",
        "noop",
        "peers",
        "progress",
        "quorum",
        "role",
        "round",
        "rules",
        "sizes",
        "snapshot",
        "snapshot_due",
        "timer_us",
        "timing",
        "unbroken_us",
        "undecided",
        "voted_for",
        "votes",
        "watched",
    )  # fmt: skip

    def __init__(
        self,
        id: str,
        peers: tuple[str, ...] | Configuration,
        disk: Disk,
        rules: RaftRules = ALL_ON,
        timing: Timing = PAPER_TIMING,
        noop: bool = True,
        sizes: Sizes = USUAL,
    ) -> None:
        """``peers``: the other voters, or a configuration; either holds until the log names another one."""
        self.id = id
        self.rules = rules
        self.timing = timing
        self.sizes = sizes
        self.noop = noop
        self.disk = disk
        self.from_apply = False
        """Whether a configuration rules once it is applied, with guards, and not from the append on."""
        first = peers if isinstance(peers, Configuration) else Configuration((id, *peers))
        self.log = RaftLog(disk, first)
        self.snapshot: LogSnapshot = disk.registers.get(SNAPSHOT) or LogSnapshot(0, 0, first, ())
        """What replaces the entries up to its index; the log may still keep a tail of them."""
        self.snapshot_due = 0
        """How far entries may be applied before the next one is taken."""
        self.incoming = NOTHING
        """The snapshot that is being received: its last index and term, and the rows so far."""
        self.configuration = self.log.configuration
        """The newest in the log, committed or not: every decision counts by it."""
        self.quorum = 0  # a majority of its voters: only for saying so, decisions ask the configuration (quorum.py)
        self.peers: tuple[str, ...] = ()
        """All others that receive the log."""
        self.progress: dict[str, PeerProgress] = {}
        """As leader: what is known of each of them."""
        self.current_term: int = disk.registers.get("term", 0)
        self.voted_for: str | None = disk.registers.get("vote")
        self.role = FOLLOWER
        self.leader: str | None = None
        self.commit_index = self.last_applied = self.snapshot.last_index
        self.kv = KeyValueStore(sizes.session_entries)
        self.kv.load(self.snapshot.rows)
        self.round = 0  # of heartbeats, as leader; it grows as long as the server lives
        self.election_timeout_us = timing.election_max_us
        self.timer_us = 0
        """When the election timer was last started, but for the restarts by a leader's messages (``heard_us``)."""
        self.votes: dict[str, bool] = {}
        """Answers to this candidate: True granted, False refused."""
        self.campaign_us = self.leader_since_us = 0
        self.watched = self.exchanged = 0  # as leader: an entry, and the messages that were about it
        self.by_order = False  # as candidate: its leader told it to stand
        self.heard_us = NEVER
        """As follower: when a leader was last heard, on this server's clock."""
        self.unbroken_us = NEVER
        """Since when ``heard_leader`` was heard in every minimum election timeout."""
        self.heard_leader = ""
        self.deposed_by = ""
        self.undecided: list[ClientRequest] = []
        """With the rule ``term_when_decided`` off: what is to be appended in a moment."""
        self.schedule_snapshot()
        self.configure()

    # -- who decides -----------------------------------------------------------------------------------------------

    def ruling(self) -> Configuration:
        """The configuration that rules: the newest in the log."""
        return self.log.configuration

    def configure(self) -> None:
        """Obey the configuration that rules. Called whenever that is another one than before."""
        self.configuration = configuration = self.ruling()
        self.quorum = majority(len(configuration.voters))
        self.peers = tuple(str(each) for each in configuration.everyone if each != self.id)
        if self.role is LEADER:
            next_index = max(self.log.first_index, self.log.last_index)  # so a new one is sent the newest entry
            self.progress = {peer: self.progress.get(peer) or PeerProgress(next_index) for peer in self.peers}

    def append(self, ctx: Effects, entries: tuple[Entry, ...]) -> None:
        """Append entries to the log, durably before anything is said. A configuration among them rules from here on."""
        log = self.log
        log.append(entries)
        ctx.persist()
        before = self.configuration
        if log.configurations[-1][1] is not before:
            self.configure()
            if self.configuration is not before:
                self.reconfigured(ctx, before)

    def truncate(self, ctx: Effects, first: int) -> None:
        """Delete the entry ``first`` and all that follow it; a configuration among them rules no more."""
        self.log.truncate(first)
        if self.log.configuration is not self.configuration:
            self.configure()

    def committed(self, ctx: Effects) -> None:
        """More has been committed and applied. Called of leaders, and where configurations rule once applied."""

    def applied(self, ctx: Effects) -> None:
        """More has been applied."""

    def reconfigured(self, ctx: Effects, before: Configuration) -> None:
        """Another configuration rules than before."""

    def schedule_snapshot(self) -> None:
        """The next one is due when the log has grown to a multiple of this one."""
        sizes = self.sizes
        growth = max(sizes.snapshot_entries, sizes.snapshot_factor * len(self.snapshot.rows))
        self.snapshot_due = self.snapshot.last_index + growth if sizes.snapshot_entries else NEVER_DUE

    # -- roles -----------------------------------------------------------------------------------------------------

    def become_follower(self, ctx: Effects, term: int, why: e.StepDownReason, src: str = "") -> None:
        """Adopt a term that is not older; give up any candidacy or office."""
        was = self.role
        self.reset(ctx, FOLLOWER, term)
        if was is LEADER:
            self.deposed_by = src
            ctx.cancel_timer("heartbeat")
            ctx.cancel_timer("quorum")
        if was is not FOLLOWER:
            ctx.note(e.SteppedDown(why, was, self.current_term, src))
            self.reset_election_timer(ctx, redraw=True)

    def reset(self, ctx: Effects, role: Role, term: int) -> None:
        """Behind all doors: another role, a term that is not older, and nothing left of the role before."""
        assert role in EDGES[self.role], f"{self.id} in term {self.current_term}: {self.role.value} > {role.value}"
        assert term >= self.current_term, f"{self.id} in term {self.current_term} cannot go back to {term}"
        if term > self.current_term:
            self.adopt_term(ctx, term)
        self.role = role
        self.leader = None
        self.votes = {}
        self.progress = {}
        self.incoming = NOTHING
        self.deposed_by = ""
        if role is not LEADER:  # who needs only its own vote stands and leads in one step
            self.by_order = False
        self.office_ended(ctx)

    def office_ended(self, ctx: Effects) -> None:
        """What a leader had promised to do ends with its office. Other rooms extend it."""

    def adopt_term(self, ctx: Effects, term: int) -> None:
        """A new term begins with no vote given; both are durable before anything is said."""
        self.current_term = term
        self.voted_for = None
        self.disk.write("term", term)
        if self.rules.persist_vote or self.disk.registers.get("vote") is not None:
            self.disk.write("vote", None)  # with the rule off nothing of an earlier term may be found there either
        ctx.persist()

    def vote(self, ctx: Effects, candidate: str) -> None:
        """Give this term's only vote. With the rule ``persist_vote`` off it is only in memory."""
        self.voted_for = candidate
        if self.rules.persist_vote:
            self.disk.write("vote", candidate)
            ctx.persist()

    # -- the election timer, and what a leader's message does to it --------------------------------------------------

    def reset_election_timer(self, ctx: Effects, redraw: bool = False) -> None:
        """Start the countdown again; a new election draws a new timeout (paper 5.2)."""
        if redraw:
            timing = self.timing
            self.election_timeout_us = ctx.stream("election").between(timing.election_min_us, timing.election_max_us)
        self.timer_us = ctx.now_us
        ctx.set_timer("election", self.election_timeout_us)

    def hear_leader(self, ctx: Effects, src: str, term: int, fits: bool = True) -> None:
        """A message of the leader of this term came: obey it, and wait for the next, even if its entries do not fit."""
        if term > self.current_term or self.role is not FOLLOWER:
            self.become_follower(ctx, term, e.StepDownReason.LEADER_EXISTS, src)
        now = ctx.now_us
        if src != self.heard_leader or now - self.heard_us >= self.timing.election_min_us:
            self.heard_leader = src
            self.unbroken_us = now
        self.heard_us = now
        if self.leader != src:
            self.leader = src
            ctx.note(e.Followed(src, term))
        if fits or self.rules.refusal_resets:
            ctx.set_timer("election", self.election_timeout_us)

    def hears_leader(self, ctx: Effects) -> bool:
        """Whether a current leader was heard within the minimum election timeout (dissertation 4.2.3)."""
        return self.role is LEADER or ctx.now_us - self.heard_us < self.timing.election_min_us

    # -- the state machine -------------------------------------------------------------------------------------------

    def apply_committed(self, ctx: Effects) -> None:
        """If commitIndex > lastApplied: apply (Figure 2). The leader answers the clients."""
        index = self.last_applied
        for entry in self.log.slice(index + 1, self.commit_index):
            command = entry.command
            index += 1
            if type(command) is Command:
                if self.role is LEADER:
                    self.execute(ctx, command, index)
                else:
                    self.kv.apply(command, index, self.rules.once)
            elif isinstance(command, Registration):
                self.open_session(ctx, command, index)
        self.last_applied = self.commit_index

    def execute(self, ctx: Effects, command: Command, index: int) -> None:
        """As leader: apply the command, the entry ``index``, and tell its client the result."""
        kv = self.kv
        known, expired = kv.deduplicated, kv.expired
        result = kv.apply(command, index, self.rules.once)
        client, serial = command.client, command.serial
        if kv.deduplicated != known:
            ctx.note(e.Deduplicated(index, client, serial))
        reply: ClientReply | SessionExpired = new(ClientReply, (serial, True, result, self.id, index))
        if kv.expired != expired:
            ctx.note(e.SessionRefused(index, client, serial, command.session))
            reply = SessionExpired(serial)
        if ctx.knows(client):
            ctx.send(client, reply)

    def open_session(self, ctx: Effects, registration: Registration, index: int) -> None:
        """The entry ``index`` opens a session, and names it."""
        self.kv.register(registration.client, index)
        if self.role is LEADER:
            ctx.note(e.SessionOpened(index, registration.client, len(self.kv.used)))
            if ctx.knows(registration.client):
                ctx.send(registration.client, Registered(registration.number, index, self.id))


__all__ = ["NEVER", "PAPER_TIMING", "SNAPSHOT", "USUAL", "ServerState"]
