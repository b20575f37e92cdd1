"""One server as a black box: feed it a message, look at what it sent, wrote and noted, and at nothing else."""

from typing import Any, NamedTuple

from engines.consensus.raft.messages import AppendEntries, AppendReply, ClientReply, Command, Entry
from engines.consensus.raft.node import RaftNode
from engines.consensus.raft.roles import Role
from engines.consensus.raft.rules import RaftRules, Sizes, Timing
from engines.sim.disk import Disk
from engines.sim.random import Stream

TIMING = Timing()


class Sent(NamedTuple):
    """A message, to whom, and what the disk held when it left."""

    dst: str
    message: Any


class FakeContext:
    """Writes down every effect the server asks for."""

    def __init__(self, disk: Disk, clients: tuple[str, ...] = ("c1",)) -> None:
        self.disk = disk
        self.clients = clients
        self.now_us = 0
        self.sent: list[Sent] = []
        self.timers: dict[str, int] = {}
        self.notes: list[Any] = []
        self.rounds = False
        """Whether messages show the number of their round of heartbeats, and answers what was applied."""
        self.unsaid_writes = 0
        """Writes that were made durable so far; a message must not leave before them."""

    def send(self, dst: str, message: object) -> None:
        assert self.disk.writes == self.unsaid_writes, "a message leaves before what was written is durable"
        if not self.rounds and isinstance(message, AppendEntries | AppendReply):
            message = message._replace(round=0)
        if not self.rounds and isinstance(message, ClientReply):
            message = message._replace(applied=0)
        self.sent.append(Sent(dst, message))

    def send_at_once(self, dst: str, message: object) -> None:
        self.sent.append(Sent(dst, message))

    def set_timer(self, name: str, delay_us: int) -> None:
        assert delay_us >= 0
        self.timers[name] = self.now_us + delay_us

    def cancel_timer(self, name: str) -> None:
        self.timers.pop(name, None)

    def persist(self) -> bool:
        self.unsaid_writes = self.disk.writes
        return True

    def knows(self, name: str) -> bool:
        return name in self.clients

    def stream(self, purpose: str) -> Stream:
        return Stream(self.now_us, purpose)

    def note(self, what: Any, /, why: str = "", **detail: object) -> None:
        self.notes.append(what)


def entries(*terms: int, first: int = 1) -> tuple[Entry, ...]:
    """Entries of these terms; equal (index, term) means equal commands."""
    return tuple(
        Entry(term, Command("past", 100 * term + index, "set", "x", term)) for index, term in enumerate(terms, first)
    )


def command(serial: int = 1, value: int = 7) -> Command:
    return Command("c1", serial, "set", "y", value)


class Server:
    """The server n1 of a cluster, with a log of these terms."""

    def __init__(
        self,
        *terms: int,
        term: int | None = None,
        vote: str | None = None,
        size: int = 3,
        rules: RaftRules = RaftRules(check_quorum=False, pre_vote=False),  # noqa: B008 - frozen
        noop: bool = False,
        sizes: Sizes = Sizes(),  # noqa: B008 - frozen
    ) -> None:
        self.disk = Disk()
        self.disk.append(*entries(*terms))
        self.disk.write("term", (terms[-1] if terms else 0) if term is None else term)
        self.disk.write("vote", vote)
        self.peers = tuple(f"n{number}" for number in range(2, size + 1))
        self.rules, self.noop, self.sizes = rules, noop, sizes
        self.boot()

    def boot(self) -> None:
        """Start a new node on the disk, as after a crash."""
        self.ctx = FakeContext(self.disk)
        self.ctx.persist()
        self.node = RaftNode("n1", self.peers, self.disk, self.rules, TIMING, self.noop, self.sizes)
        self.node.on_start(self.ctx)

    # -- what happens to it ----------------------------------------------------------------------------------

    def hear(self, src: str, message: object) -> list[Sent]:
        """Receive a message; return what was sent because of it."""
        before = len(self.ctx.sent)
        self.node.on_message(self.ctx, src, message)
        return self.ctx.sent[before:]

    def timer(self, name: str) -> list[Sent]:
        """Let a timer run out at its deadline."""
        self.ctx.now_us = max(self.ctx.now_us, self.ctx.timers.pop(name))
        before = len(self.ctx.sent)
        self.node.on_timer(self.ctx, name)
        return self.ctx.sent[before:]

    def wait(self, span_us: int) -> None:
        self.ctx.now_us += span_us

    def lead(self) -> list[Sent]:
        """Be elected, by its first peers."""
        from engines.consensus.raft.messages import VoteReply

        self.timer("election")
        sent: list[Sent] = []
        for peer in self.peers:
            if self.role is not Role.LEADER:
                sent = self.hear(peer, VoteReply(self.term, True))
        assert self.role is Role.LEADER
        return sent

    def accept(self, peer: str, match: int) -> list[Sent]:
        """A follower confirms that its log equals the leader's up to ``match``."""
        return self.hear(peer, AppendReply(self.term, True, match, match))

    # -- what there is to see --------------------------------------------------------------------------------

    @property
    def role(self) -> Role:
        return self.node.role

    @property
    def term(self) -> int:
        return self.node.current_term

    @property
    def terms(self) -> tuple[int, ...]:
        """The terms of its log."""
        return tuple(entry.term for entry in self.disk.log)

    @property
    def durable(self) -> tuple[int, str | None]:
        """Term and vote on its disk."""
        return self.disk.registers["term"], self.disk.registers["vote"]

    def state(self) -> tuple[Any, ...]:
        """Everything a message that must change nothing must not change."""
        node = self.node
        return (
            node.role, node.current_term, node.voted_for, tuple(self.disk.log), dict(self.disk.registers),
            node.commit_index, node.last_applied, dict(node.kv.values), dict(self.ctx.timers), node.leader,
        )  # fmt: skip


def append(term: int, prev: int, prev_term: int, *new: Entry, commit: int = 0) -> AppendEntries:
    return AppendEntries(term, prev, prev_term, new, commit)
