"""A client of the cluster: it retries until it is answered, under the same number (paper section 8).

It sends to the server it believes to lead. A refusal may name the leader; silence makes it try the next server.
One command is outstanding at a time; what is asked meanwhile waits in a queue. The number of its newest command is
durable: under a number that was used before, a restarted client would be answered without anything being executed.
"""

from typing import Final, NamedTuple

from engines.consensus.asking import KEYS, Asking
from engines.consensus.raft.change_events import ChangeAnswered, ChangeAsked, TransferAnswered, TransferAsked
from engines.consensus.raft.events import (
    Answered,
    Asked,
    GaveUp,
    GiveUpReason,
    SessionAsked,
    SessionGot,
    SessionLost,
)
from engines.consensus.raft.messages import (
    ChangeReply,
    ChangeRequest,
    ClientReply,
    ClientRequest,
    Command,
    Refusal,
    Register,
    Registered,
    SessionExpired,
    TransferReply,
    TransferRequest,
)
from engines.records import new
from engines.sim.disk import Disk
from engines.sim.history import OK, UNKNOWN, History
from engines.sim.node import Context
from engines.units import US_PER_MS

PATIENCE_US: Final = 400 * US_PER_MS
"""No answer for so long: ask the next server."""
BACKOFF_US: Final = 60 * US_PER_MS
"""A server that knows no leader: ask the next one after this."""


class Errand(NamedTuple):
    """A change of the cluster that a person asks for, and of whom."""

    message: ChangeRequest | TransferRequest
    target: str
    tries: int = 0


class Client(Asking):
    """Makes commands at an interval, or only those it is told."""

    __slots__ = (
        "answered_at", "around", "attempts", "current", "disk", "errand", "hints", "insists", "opening", "opens",
        "read_percent", "seen", "serial", "servers", "session", "target",
    )  # fmt: skip

    def __init__(self, id: str, servers: tuple[str, ...], history: History, interval_us: int, disk: Disk) -> None:
        super().__init__(id, history, interval_us)
        self.servers = servers
        self.disk = disk
        self.serial: int = disk.registers.get("serial", 0)
        self.target = servers[0]
        self.current: Command | None = None
        self.around = servers[0]
        """Where it is on its way around the servers. Hints lead away from there, and back when they lead nowhere."""
        self.hints = 0
        """How many it followed since."""
        self.attempts = 0
        self.insists = True
        self.opens = False
        """Whether it has a session opened before its first command; else the session bears its name."""
        self.session: int = disk.registers.get("session", 0)
        self.opening = 0
        """Which of its requests for a session waits for an answer; 0: none."""
        self.read_percent = 0
        """How many of its own requests are questions."""
        self.seen = 0
        """The last index it saw: a server that has applied less must not answer its questions."""
        self.errand: Errand | None = None
        """The change of the cluster itself that it asks for."""
        self.answered_at = 0
        """The index of the newest answer."""

    def ask(self, ctx: Context, op: str, key: str, value: int, target: str = "", insist: bool = True) -> None:
        """Ask for this as soon as the command before it is answered, at ``target`` first if one is named.

        Without insisting: at once and only once. What was asked before stays unknown, and so may this.
        """
        if target:
            self.target = target
        if not insist:
            self.queue.clear()
            self._forget(ctx, GiveUpReason.ASKS_ANOTHER)
            self.queue.append((op, key, value))
            self._next(ctx)
            self.insists = False
            return
        self.queue.append((op, key, value))
        if self.current is None:
            self._next(ctx)

    def _next(self, ctx: Context) -> None:
        if self.opens and not self.session:
            if not self.opening:
                self.attempts = 0
                self._open(ctx)
            return
        op, key, value = self.queue.popleft()
        self.serial += 1
        self.disk.write("serial", self.serial)
        ctx.persist()
        self.attempts = 0
        self.insists = True
        self.current = new(Command, (self.id, self.serial, op, key, value, self.session))
        self.history.invoke(self.id, self.serial, op, key, value)
        self._send(ctx)

    def _open(self, ctx: Context) -> None:
        """Ask for a session; what is to be asked in it waits."""
        self.opening += 1
        self.attempts += 1
        ctx.note(SessionAsked(self.target, self.attempts))
        ctx.send(self.target, Register(self.opening))
        ctx.set_timer("patience", PATIENCE_US)

    def _opened(self, ctx: Context, src: str, m: Registered) -> None:
        """A session, or a hint where to ask for one."""
        if not self.opening or m.number > self.opening:
            return
        if not m.session:
            if src == self.target:
                self._goes_elsewhere(ctx, src, m.leader)
            return
        self.target, self.session, self.opening = src, m.session, 0
        self.disk.write("session", self.session)
        ctx.persist()
        ctx.note(SessionGot(src, m.session))
        ctx.cancel_timer("patience")
        ctx.cancel_timer("backoff")
        if self.queue:
            self._next(ctx)

    def _lost(self, ctx: Context, src: str, m: SessionExpired) -> None:
        """The session is no more: whether an earlier copy of the command was executed in it, nobody will say."""
        if self.current is None or m.serial != self.current.serial:
            return
        ctx.note(SessionLost(src, self.session, self.current))
        self.history.finish(self.id, m.serial, UNKNOWN)
        self.current = None
        self.session = 0
        ctx.cancel_timer("patience")
        ctx.cancel_timer("backoff")
        self._goes_on(ctx)

    def _goes_elsewhere(self, ctx: Context, src: str, leader: str) -> None:
        """Follow a hint, or ask the next server after a pause."""
        follows = leader and leader != src and self.hints < len(self.servers)
        self.hints += 1
        self.target = leader if follows else self._next_server()
        ctx.set_timer("backoff", 0 if leader else BACKOFF_US)

    def _give_up(self, ctx: Context, why: GiveUpReason) -> None:
        """Forget the question that was asked once, and go on with what waits behind it."""
        self._forget(ctx, why)
        if self.queue:
            self._next(ctx)

    def _forget(self, ctx: Context, why: GiveUpReason) -> None:
        if self.current is not None:
            self.history.finish(self.id, self.current.serial, UNKNOWN)
            ctx.note(GaveUp(why, self.current, self.attempts))
            self.current = None
            ctx.cancel_timer("patience")
            ctx.cancel_timer("backoff")

    def _send(self, ctx: Context) -> None:
        assert self.current is not None
        self.attempts += 1
        ctx.note(new(Asked, (self.target, self.current, self.attempts)))
        ctx.send(self.target, new(ClientRequest, (self.current, self.seen)))
        ctx.set_timer("patience", PATIENCE_US)

    def _retry(self, ctx: Context) -> None:
        if self.current is not None:
            self.history.retry(self.id, self.current.serial)
            self._send(ctx)
        elif self.opening:
            self._open(ctx)

    def _next_server(self) -> str:
        self.hints = 0
        self.around = self.servers[(self.servers.index(self.around) + 1) % len(self.servers)]
        return self.around

    # -- the cluster itself ------------------------------------------------------------------------------------------

    def administer(self, ctx: Context, target: str, message: ChangeRequest | TransferRequest) -> None:
        """Ask for a change of the cluster itself. It is asked of another server only if this one does not lead: whether
        a question without an answer did something is unknown, and a change made twice is another change."""
        self.errand = Errand(message, target)
        self._ask_for_change(ctx)

    def _ask_for_change(self, ctx: Context) -> None:
        errand = self.errand
        if errand is not None:
            if isinstance(errand.message, TransferRequest):
                ctx.note(TransferAsked(errand.target, errand.message.to))
            else:
                ctx.note(ChangeAsked(errand.target, errand.message.changes, errand.message.joint))
            ctx.send(errand.target, errand.message)

    def _told_of_change(self, ctx: Context, src: str, m: ChangeReply | TransferReply) -> None:
        """It is done, or it is not; who does not lead may say who does."""
        errand = self.errand
        if m.why is Refusal.NOT_LEADER and errand is not None and errand.tries < len(self.servers):
            if src == errand.target:
                after = self.servers[(self.servers.index(src) + 1) % len(self.servers)]
                self.errand = Errand(errand.message, m.leader or after, errand.tries + 1)
                ctx.set_timer("errand", 0 if m.leader else BACKOFF_US)
            return
        self.errand = None
        if isinstance(m, ChangeReply):
            ctx.note(ChangeAnswered(src, m.why, m.leader))
            self.target = m.leader or self.target
        else:
            ctx.note(TransferAnswered(src, m.to, m.why))
            self.target = m.leader or (self.target if m.why else m.to)

    def on_message(
        self, ctx: Context, src: str, m: ClientReply | Registered | SessionExpired | ChangeReply | TransferReply
    ) -> None:
        """An answer, or a hint where to ask."""
        if isinstance(m, ClientReply):
            self._answered(ctx, src, m)
        elif isinstance(m, Registered):
            self._opened(ctx, src, m)
        elif isinstance(m, SessionExpired):
            self._lost(ctx, src, m)
        else:
            self._told_of_change(ctx, src, m)

    def _answered(self, ctx: Context, src: str, m: ClientReply) -> None:
        if self.current is None or m.serial != self.current.serial:
            return
        if m.ok:
            self.target = self.around = src
            self.hints = 0
            self.answered_at = m.applied
            self.seen = max(self.seen, m.applied)
            self.history.finish(self.id, m.serial, OK, m.result)
            ctx.note(new(Answered, (src, self.current, m.result, self.attempts)))
            self.current = None
            ctx.cancel_timer("patience")
            ctx.cancel_timer("backoff")
            self._goes_on(ctx)
        elif not self.insists:
            self._give_up(ctx, GiveUpReason.REFUSED)
        elif src == self.target:
            self._goes_elsewhere(ctx, src, m.leader)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Think, lose patience, or try again after a pause."""
        if name == "think":
            if self.interval_us > 0:
                ctx.set_timer("think", self._pause(ctx))
            if self.current is None and self.interval_us:
                stream = ctx.stream("work")
                key = KEYS[stream.below(len(KEYS))]
                if self.read_percent and ctx.stream("questions").below(100) < self.read_percent:
                    self.queue.append(("get", key, 0))
                else:
                    self.queue.append(("set", key, stream.between(1, 99)))
                self._next(ctx)
        elif name == "backoff":
            self._retry(ctx)
        elif name == "errand":
            self._ask_for_change(ctx)
        elif not self.insists and not self.opening:
            self._give_up(ctx, GiveUpReason.NO_ANSWER)
        else:
            self.target = self._next_server()
            self._retry(ctx)
