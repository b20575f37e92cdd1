"""How a question is answered without writing it into the log (dissertation 6.4), and who passes it on.

ReadIndex  the leader has committed an entry of its term; it notes its commit index; a round of heartbeats that was
           *sent after the request* is acknowledged by a majority, so nobody else led when the question came; once the
           index is applied, it answers. One round serves all that wait for it. A follower may ask the leader for the
           index and answer itself.
lease      a round that a majority acknowledged forbids another leader for a minimum election timeout, counted from the
           *sending of that very round*, since its voters refuse to vote that long (4.2.3). Divided by a bound on how
           much faster one clock may run than another, it lets the leader answer at once.

Acknowledgements are matched to rounds by a number that grows. A leader that matched them by an id that a retry uses
again took the old round's for the new one's (etcd #20418).

A server that is asked what only the leader can do names it, or (``forward``) passes the request on to it.
"""

from typing import Final, NamedTuple

from engines.consensus.raft import read_events as e
from engines.consensus.raft.messages import (
    AppendReply,
    AskReadIndex,
    ClientReply,
    ClientRequest,
    Command,
    ReadIndexReply,
)
from engines.consensus.raft.ports import Disk, Effects
from engines.consensus.raft.quorum import Configuration, committed_index
from engines.consensus.raft.roles import LEADER
from engines.consensus.raft.rules import ALL_ON, RaftRules, Reading, ReadMode, Sizes, Timing
from engines.consensus.raft.state import NEVER, PAPER_TIMING, USUAL
from engines.consensus.raft.transfer import Transfers

ROUNDS_MAX: Final = 64
"""Rounds whose sending is remembered: an acknowledgement that is older proves too little to be worth it."""
UNKNOWN: Final = -1


class Waiting(NamedTuple):
    """A question that cannot be answered yet."""

    command: Command
    src: str
    """Who is told: the client, or the follower that asked for the index."""
    round: int
    """The round that must be acknowledged; 0: none, the index is enough."""
    needs: int
    """The index that must be applied; ``UNKNOWN`` until the leader has committed in its term."""


class Reads(Transfers):
    """Answers questions."""

    __slots__ = (
        "acked",
        "confirmed",
        "cost",
        "gave_up_lease",
        "lease_until_us",
        "reading",
        "reads",
        "rounds",
        "same_question",
        "started_us",
    )

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
        super().__init__(id, peers, disk, rules, timing, noop, sizes)
        self.reading = Reading()
        self.reads: list[Waiting] = []
        self.acked: dict[str, int] = {}
        """As leader: the newest round each peer acknowledged."""
        self.confirmed = 0
        """The newest round that a majority acknowledged."""
        self.cost: tuple[int, int] | None = None
        """The newest entry whose messages were counted until all had confirmed it, and how many there were."""
        self.rounds: dict[int, int] = {}
        """When each round was sent, on this server's clock, from the confirmed one on."""
        self.lease_until_us = NEVER
        self.gave_up_lease = False
        """It told a successor to stand, whom voters obey although they hear the leader: no lease in this term."""
        self.started_us = NEVER
        self.same_question: dict[tuple[str, str], int] = {}
        """With the rule ``match_rounds`` off: the round of each question that waits, by who asked for which key."""

    # -- rounds ------------------------------------------------------------------------------------------------------

    def heartbeat(self, ctx: Effects) -> None:
        """Every round of heartbeats has a number; whatever is sent until the next one carries it."""
        self.round += 1
        self.rounds[self.round] = ctx.now_us
        if len(self.rounds) > ROUNDS_MAX:
            del self.rounds[next(iter(self.rounds))]
        super().heartbeat(ctx)

    def acknowledged(self, ctx: Effects, src: str, m: AppendReply) -> None:
        """Any answer in this term, also a refusal, acknowledges the round it answers."""
        if self.role is LEADER and m.term == self.current_term:
            self.acked[src] = m.round
            if self.reads or self.reading.mode is ReadMode.LEASE:
                self.confirm(ctx)

    def count(self) -> None:
        """An answer to a message with the entry that is watched; once all have confirmed it the next is watched."""
        self.exchanged += 1
        watched = self.watched
        for each in self.progress.values():
            if each.match_index < watched:
                return
        self.cost = watched, self.exchanged
        self.watched = 0

    def confirm(self, ctx: Effects) -> None:
        """A round that a majority acknowledged proves that nobody else led when it was sent."""
        confirmed = min(self.round, committed_index(self.configuration, {**self.acked, self.id: self.round}))
        if confirmed > self.confirmed:
            self.confirmed = confirmed
            self.extend_lease()
            for old in [number for number in self.rounds if number < confirmed]:
                del self.rounds[old]
        self.serve(ctx)

    def extend_lease(self) -> None:
        """From the sending of the confirmed round, a minimum election timeout, less what clocks may differ."""
        sent_us = self.rounds.get(self.confirmed)
        if sent_us is not None and self.reading.mode is ReadMode.LEASE and not self.gave_up_lease:
            self.lease_until_us = max(self.lease_until_us, sent_us + self.lease_us)

    @property
    def lease_us(self) -> int:
        """How long a lease lasts from the sending of its round: voters refuse that long, by the fastest clock."""
        return self.timing.election_min_us * 100 // self.reading.drift_bound

    def end_lease(self) -> None:
        """Another leader may come now: nothing is answered alone until a later round is acknowledged."""
        self.lease_until_us = NEVER
        self.rounds.clear()

    def tell_to_stand(self, ctx: Effects) -> None:
        """The lease ends before a transfer: voters will obey the successor's flag, however late it stands."""
        self.gave_up_lease = True
        self.end_lease()
        super().tell_to_stand(ctx)

    def hears_leader(self, ctx: Effects) -> bool:
        """Whether a leader may hold a lease; one that was acknowledged before a crash counts, so wait after a start."""
        if self.reading.mode is ReadMode.LEASE and ctx.now_us - self.started_us < self.timing.election_min_us:
            return True
        return super().hears_leader(ctx)

    def on_election_timeout(self, ctx: Effects) -> None:
        """Where leases are given, who would refuse to vote does not stand for election either."""
        if self.reading.mode is ReadMode.LEASE and self.hears_leader(ctx):
            self.reset_election_timer(ctx)
            return
        super().on_election_timeout(ctx)

    def office_ended(self, ctx: Effects) -> None:
        """With the office goes the lease, and whatever waited for a round."""
        super().office_ended(ctx)
        self.acked = {}
        self.confirmed = self.round
        self.gave_up_lease = False
        self.cost, self.watched = None, 0
        self.end_lease()
        self.same_question = {}
        lost = [read for read in self.reads if read.round]
        self.reads = [read for read in self.reads if not read.round]
        for read in lost:
            ctx.note(e.ReadGivenUp(read.command.client, read.command.key))
            if read.src == read.command.client and ctx.knows(read.src):
                ctx.send(read.src, ClientReply(read.command.serial, False, None, ""))

    # -- questions ---------------------------------------------------------------------------------------------------

    def on_read(self, ctx: Effects, m: ClientRequest) -> bool:
        """Answer a question beside the log, now or later; False if it must go into the log or to somebody else."""
        command = m.command
        if not self.rules.confirm_reads:
            self.wait(ctx, Waiting(command, command.client, 0, max(m.seen, self.last_applied)), e.ReadWait.APPLIED)
            return True
        if self.reading.mode is ReadMode.LOG:
            return False
        if self.role is LEADER:
            self.ask_round(ctx, command, command.client)
            return True
        if self.reading.forward and self.leader:
            ctx.note(e.Forwarded(command.client, self.leader, command))
            ctx.send(self.leader, AskReadIndex(self.current_term, command))
            return True
        return False

    def ask_round(self, ctx: Effects, command: Command, src: str) -> None:
        """Wait for the next round; begin it at once unless one is under way."""
        early = self.rules.read_after_commit and self.log.term_at(self.commit_index) != self.current_term
        index = UNKNOWN if early else self.commit_index
        if not early and ctx.now_us < self.lease_until_us:
            self.wait(ctx, Waiting(command, src, 0, index), e.ReadWait.APPLIED, e.ReadHow.LEASE)
            return
        if self.confirmed < self.round:
            self.confirm(ctx)
        number = self.round + 1
        if not self.rules.match_rounds:
            number = self.same_question.setdefault((command.client, command.key), number)
        idle = self.confirmed >= self.round
        self.wait(ctx, Waiting(command, src, number, index), e.ReadWait.COMMIT if early else e.ReadWait.ROUND)
        if number > self.round and idle:
            self.heartbeat(ctx)
            self.confirm(ctx)

    def on_ask_read_index(self, ctx: Effects, src: str, m: AskReadIndex) -> None:
        """A follower asks for the index; whoever does not lead leaves it to the client to ask again."""
        if m.term > self.current_term:
            return
        if self.role is LEADER:
            self.ask_round(ctx, m.command, src)

    def on_read_index_reply(self, ctx: Effects, src: str, m: ReadIndexReply) -> None:
        """Nobody led but the one who said so: what is applied up to the index may be told."""
        self.wait(ctx, Waiting(m.command, m.command.client, 0, m.read_index), e.ReadWait.APPLIED)

    # -- answers -----------------------------------------------------------------------------------------------------

    def wait(self, ctx: Effects, read: Waiting, why: e.ReadWait, how: e.ReadHow = e.ReadHow.ROUND) -> None:
        """Answer it if nothing is missing; else say what it waits for."""
        if not self.rules.confirm_reads:
            how = e.ReadHow.ALONE
        if not read.round and self.ready(read):
            self.answer(ctx, read, how)
            return
        self.reads.append(read)
        ctx.note(e.ReadWaits(read.command.client, read.command.key, why, read.round, max(0, read.needs)))

    def ready(self, read: Waiting) -> bool:
        """Whether its index is known and applied."""
        return read.needs != UNKNOWN and self.last_applied >= read.needs

    def applied(self, ctx: Effects) -> None:
        """What was just applied may be what a question waited for."""
        if self.reads:
            self.serve(ctx)

    def serve(self, ctx: Effects) -> None:
        """Answer whatever has its round and its index, and begin the round that the rest waits for."""
        waiting, self.reads = self.reads, []
        committed = self.log.term_at(self.commit_index) == self.current_term
        for read in waiting:
            if read.needs == UNKNOWN and committed:
                read = read._replace(needs=self.commit_index)
            if read.round <= self.confirmed and self.ready(read):
                self.same_question.pop((read.command.client, read.command.key), None)
                self.answer(ctx, read, e.ReadHow.ROUND)
            else:
                self.reads.append(read)
        if self.confirmed >= self.round and any(read.round > self.round for read in self.reads):
            self.heartbeat(ctx)

    def answer(self, ctx: Effects, read: Waiting, how: e.ReadHow) -> None:
        """Tell the client what stands in the state machine, or the follower up to where it must have applied."""
        command = read.command
        if read.src != command.client:
            ctx.send(read.src, ReadIndexReply(command, read.needs))
            return
        result = self.kv.values.get(command.key)
        acks = tuple(peer for peer, number in self.acked.items() if read.round and number >= read.round)
        ctx.note(e.ReadServed(command.client, command.key, result, how, self.last_applied, read.round, acks))
        if ctx.knows(command.client):
            ctx.send(command.client, ClientReply(command.serial, True, result, self.leader or "", self.last_applied))


__all__ = ["ROUNDS_MAX", "UNKNOWN", "Reads", "Waiting"]
