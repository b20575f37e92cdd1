"""A PBFT replica, rule by rule as in the paper's section 4: three phases, checkpoints, state transfer, view changes.

Durable, on disk, *before* the message that promises it leaves: view and whether it is being changed, the accepted
pre-prepares, the certificates, the requests of both, the stable checkpoint with its proof, the state with the last
reply to each client. Everything else is volatile: votes of others are sent again to whoever lacks them (``Status``).

What the paper leaves open and this replica adds: retransmission, by a STATUS per tick while something is unfinished;
a client's request is relayed to the new primary after a view change; bodies known by digest only are fetched.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from engines.consensus.operations import execute
from engines.consensus.pbft.certificates import Group, plan, proves_checkpoint, valid_new_view, valid_view_change
from engines.consensus.pbft.checkpoints import Checkpoints, Target
from engines.consensus.pbft.events import (
    Accepted,
    BecamePrepared,
    BodyMissing,
    Cause,
    CheckpointTaken,
    Committed,
    Contradicted,
    Equivocated,
    Executed,
    FellBehind,
    NewViewSent,
    Proposed,
    Rejected,
    Relayed,
    Stable,
    StateInstalled,
    ViewChangeSeen,
    ViewChangeStarted,
    ViewEntered,
    Why,
    WindowFull,
    WrongState,
)
from engines.consensus.pbft.log import CONTRADICTS, Log, Slot
from engines.consensus.pbft.messages import (
    NULL,
    Body,
    Checkpoint,
    Commit,
    FetchBody,
    FetchState,
    NewView,
    Prepare,
    PrePrepare,
    Proof,
    Reply,
    Request,
    State,
    Status,
    ViewChange,
    digest_of,
    digest_of_state,
    genuine,
    signed,
)
from engines.consensus.pbft.rules import DOUBLINGS_MAX, STATUS_ANYWAY, PbftRules, Sizes, Timing
from engines.consensus.pbft.view_changes import VIEWS_MAX, ViewChanges
from engines.sim.disk import Disk
from engines.sim.node import Context


class Done(NamedTuple):
    """A number that was executed here. ``ran``: the request changed the state; a repetition and null do not."""

    n: int
    view: int
    digest: str
    request: Request | None
    result: int | None
    ran: bool


DONE_MAX: Final = 64
"""What is remembered of it, for whoever watches; more than a window."""


class Replica:
    """One replica."""

    __slots__ = (
        "armed", "asked", "bodies", "changes", "changing", "changing_since_us", "checkpoints", "disk", "done",
        "done_total", "doublings", "executed", "fetching", "group", "id", "log", "new_view", "next_n", "progressed",
        "quiet_ticks", "replies", "rules", "sendings", "sizes", "stands", "states", "stood_at", "timer_for",
        "timer_since_us", "timing", "values", "view", "view_changes", "waiting",
    )  # fmt: skip

    def __init__(self, id: str, group: Group, disk: Disk, rules: PbftRules, sizes: Sizes, timing: Timing) -> None:
        self.id = id
        self.group = group
        self.disk = disk
        self.rules = rules
        self.sizes = sizes
        self.timing = timing
        self.view = 0
        self.changing = False
        self.changing_since_us = 0
        self.asked: dict[int, ViewChange] = {}
        """My VIEW-CHANGEs from the newest view I took part in on: whoever still waits in one of those needs it."""
        self.armed = -1
        """The view whose NEW-VIEW the timer waits for."""
        self.log = Log(sizes.window)
        self.checkpoints = Checkpoints(group)
        self.view_changes = ViewChanges(group)
        self.new_view: NewView | None = None
        """What opened the newest view I took part in; None for view 0."""
        self.next_n = 1
        """As primary: the next number to give."""
        self.values: dict[str, int] = {}
        self.replies: dict[str, tuple[int, int | None]] = {}
        """client -> (t, result) of its last request."""
        self.stands: State | None = None
        """What these come to, until they change: it is asked for at every save."""
        self.executed = 0
        """The highest number executed; all below are."""
        self.done: deque[Done] = deque(maxlen=DONE_MAX)
        self.done_total = 0
        self.sendings: dict[int, int] = {}
        """n -> messages of its three phases that were first sent from here, in all views; of the newest numbers."""
        self.changes = 0
        """Counts what was promised: whoever watches compares it to know that something changed."""
        self.states: dict[int, State] = {}
        """My states at checkpoints from the stable one on."""
        self.waiting: dict[str, Request] = {}
        """client -> a valid request of it that is not executed yet."""
        self.bodies: dict[str, Request] = {}
        """digest -> the request, for what is in progress."""
        self.fetching: Target | None = None
        self.timer_for: Request | None = None
        """The request that the timer waits for; None: it is not running."""
        self.timer_since_us = 0
        self.doublings = 0
        """How many views in a row brought nothing: T is doubled for each."""
        self.progressed = True
        """Whether a new request was executed since the present view was entered."""
        self.quiet_ticks = 0
        self.stood_at: tuple[int, bool, int, int] | None = None
        """View, whether it changes, executed, stable: at the tick before."""

    # -- sizes ---------------------------------------------------------------------------------------------------

    @property
    def primary(self) -> str:
        """Who leads the present view."""
        return self.group.primary(self.view)

    @property
    def is_primary(self) -> bool:
        """Whether it is me, and the view is open."""
        return self.primary == self.id and not self.changing

    @property
    def others(self) -> tuple[str, ...]:
        """All replicas but me."""
        return tuple(each for each in self.group.replicas if each != self.id)

    @property
    def patience_us(self) -> int:
        """T, doubled for each view in a row that brought nothing (paper 4.5.2)."""
        return self.timing.timeout_us << min(self.doublings, DOUBLINGS_MAX)

    @property
    def quorum(self) -> int:
        """How many COMMITs make a request committed."""
        return self.group.quorum if self.rules.full_quorum else self.group.weak

    # -- life ----------------------------------------------------------------------------------------------------

    def on_start(self, ctx: Context) -> None:
        """Begin where the disk says."""
        self.load()
        self.changing_since_us = ctx.now_us
        self.stood_at = (self.view, self.changing, self.executed, self.checkpoints.stable)
        ctx.set_timer("status", self.timing.status_us)

    def load(self) -> None:
        """Take up what was promised."""
        registers = self.disk.registers
        if "view" not in registers:
            return
        self.view, self.changing, self.new_view = registers["view"]
        self.checkpoints.stable, self.checkpoints.proof = registers["stable"]
        self.install(registers["state"])
        for state in registers["states"]:
            self.states[state.n] = state
        self.log.raise_low(registers["low"])
        self.log.certificates = {each.n: each for each in registers["certificates"]}
        self.bodies = {digest_of(each): each for each in registers["bodies"]}
        for pre_prepare in registers["accepted"]:
            self.take(pre_prepare)
        self.asked = {each.view: each for each in registers["asked"]}
        if self.changing:
            self.view_changes.add(self.asked[self.view])
        self.next_n = max((*self.log.slots, self.log.low, self.executed)) + 1

    def save(self, ctx: Context) -> None:
        """Put on disk what the next messages promise; they leave after the sync."""
        self.changes += 1
        if not self.rules.remember:
            return
        write = self.disk.write
        write("view", (self.view, self.changing, self.new_view))
        write("stable", (self.checkpoints.stable, self.checkpoints.proof))
        write("asked", tuple(self.asked.values()))
        write("low", self.log.low)
        write("certificates", tuple(self.log.certificates.values()))
        write("accepted", tuple([slot.pre_prepare for slot in self.log.slots.values() if slot.pre_prepare]))
        write("bodies", tuple([body for each in self.log.digests() if (body := self.bodies.get(each)) is not None]))
        write("states", tuple(self.states.values()))
        write("state", self.state())
        ctx.persist()

    def state(self, n: int | None = None) -> State:
        """All that executing requests has made of me."""
        if n is not None or self.stands is None:
            made = self._made(self.executed if n is None else n)
            if n is not None:
                return made
            self.stands = made
        return self.stands

    def _made(self, n: int) -> State:
        replies = tuple((client, t, result) for client, (t, result) in sorted(self.replies.items()))
        return State(n, tuple(sorted(self.values.items())), replies, self.id)

    def install(self, state: State) -> None:
        """Be in that state."""
        self.executed = state.n
        self.values = dict(state.values)
        self.replies = {client: (t, result) for client, t, result in state.replies}
        self.stands = None

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """Every message type has its rule; what is not genuine has none."""
        if not genuine(message):
            ctx.note(Rejected(type(message).__name__, src, Why.FORGED))
            return
        HANDLERS[type(message)](self, ctx, src, message)

    def on_timer(self, ctx: Context, name: str) -> None:
        """The timer of a waiting request, that of a view change, and the tick."""
        if name == "status":
            self.on_tick(ctx)
        elif name == "request":
            self.on_request_timeout(ctx)
        elif self.changing:
            self.doublings += 1
            self.start_view_change(ctx, self.view + 1, Cause.NO_NEW_VIEW)

    def on_synced(self, ctx: Context) -> None:
        """Nothing to do: messages leave after the sync."""

    def multicast(self, ctx: Context, message: Any) -> None:
        """To all other replicas, with my signature."""
        for other in self.others:
            ctx.send(other, message)

    def say(self, ctx: Context, m: PrePrepare | Prepare | Commit) -> None:
        """A message of the three phases for the first time; the paper counts these."""
        self.sendings[m.n] = self.sendings.get(m.n, 0) + len(self.others)
        if len(self.sendings) > DONE_MAX:
            del self.sendings[min(self.sendings)]
        self.multicast(ctx, m)

    # -- requests ------------------------------------------------------------------------------------------------

    def on_request(self, ctx: Context, src: str, m: Request) -> None:
        """Resend the reply to what was executed; else let the primary order it, and watch that it does (paper 4.1)."""
        if m.read_only:
            self.answer(ctx, m, self.values.get(m.key))
            return
        t, result = self.replies.get(m.client, (0, None))
        if m.t < t:
            return
        if m.t == t:
            self.answer(ctx, m, result)
            return
        known = self.waiting.get(m.client)
        if known is None or known.t < m.t:
            self.waiting[m.client] = m
            self.bodies[digest_of(m)] = m
        if self.is_primary:
            self.propose(ctx)
        elif not self.changing:
            if src == m.client:
                ctx.note(Relayed(m, self.primary))
                ctx.send(self.primary, m)
            self.start_timer(ctx)

    def answer(self, ctx: Context, m: Request, result: int | None) -> None:
        """REPLY to the client itself."""
        if ctx.knows(m.client):
            ctx.send(m.client, signed(Reply(self.view, m.t, m.client, self.id, result), self.id))

    def propose(self, ctx: Context) -> None:
        """Give each waiting request the next number, if that is not above H, and tell all (paper 4.2, pre-prepare)."""
        for request in tuple(self.waiting.values()):
            digest = digest_of(request)
            if self.log.number_of(digest) is not None:
                continue
            if not self.log.admits(self.next_n):
                ctx.note(WindowFull(self.next_n, self.log.high))
                return
            pre_prepare = signed(PrePrepare(self.view, self.next_n, digest, self.id, request), self.id)
            self.next_n += 1
            self.take(pre_prepare)
            self.save(ctx)
            ctx.note(Proposed(self.view, pre_prepare.n, request))
            self.say(ctx, pre_prepare)
            self.advance(ctx, self.log.slot(pre_prepare.n))

    # -- the three phases ----------------------------------------------------------------------------------------

    def on_pre_prepare(self, ctx: Context, src: str, m: PrePrepare) -> None:
        """Accept it iff it is the primary's, of this view, inside the window, and no other was accepted (paper 4.2)."""
        why = self.objection(m)
        if why is not None:
            if why is not Why.OLD_VIEW:
                ctx.note(Rejected("PrePrepare", src, why, m.view, m.n))
            return
        slot = self.log.slot(m.n)
        if m.request is not None:
            self.bodies[m.digest] = m.request
        if slot.pre_prepare is not None:
            if slot.digest != m.digest:
                ctx.note(Equivocated(m.view, m.n, slot.digest, m.digest, m.i))
                if not self.rules.one_digest:
                    self.replace(ctx, slot, m)
            elif slot.committed:
                self.execute_ready(ctx)
            return
        self.accept(ctx, m)
        self.advance(ctx, slot)

    def objection(self, m: PrePrepare) -> Why | None:
        """Why a pre-prepare must not be accepted; None: it may."""
        if m.view != self.view or self.changing:
            return Why.OLD_VIEW
        if m.i != self.primary:
            return Why.NOT_PRIMARY
        if not self.log.admits(m.n):
            return Why.OUTSIDE_WINDOW
        if m.request is None:
            known = m.digest == self.log.slot(m.n).digest
            return None if known else Why.NO_BODY
        if digest_of(m.request) != m.digest:
            return Why.WRONG_DIGEST
        return None if genuine(m.request) and not m.request.read_only else Why.FORGED

    def accept(self, ctx: Context, m: PrePrepare) -> None:
        """Log it, promise it to the disk, and PREPARE."""
        self.take(m)
        self.save(ctx)
        ctx.note(Accepted(m.view, m.n, m.digest, m.i))
        request = m.request
        assert request is not None, "what has no body is objected to"
        if request.t > self.replies.get(request.client, (0, None))[0]:
            known = self.waiting.get(request.client)
            if known is None or known.t < request.t:
                self.waiting[request.client] = request
            self.start_timer(ctx)
        self.say(ctx, self.my_prepare(m))

    def replace(self, ctx: Context, slot: Slot, m: PrePrepare) -> None:
        """What must not be done: forget what was accepted for a number, and accept another."""
        self.log.slots[slot.n] = Slot(slot.n)
        self.accept(ctx, m)

    def take(self, m: PrePrepare) -> None:
        """Put a pre-prepare in its slot, with my own PREPARE if I am a backup."""
        slot = self.log.slot(m.n)
        slot.pre_prepare = m
        if m.request is not None:
            self.bodies[m.digest] = m.request
        if m.i != self.id:
            slot.prepares[self.id] = self.my_prepare(m)

    def my_prepare(self, m: PrePrepare) -> Prepare:
        """PREPARE(v, n, d, i)."""
        return signed(Prepare(m.view, m.n, m.digest, self.id), self.id)

    def my_commit(self, slot: Slot) -> Commit:
        """COMMIT(v, n, d, i)."""
        return signed(Commit(self.view, slot.n, slot.digest, self.id), self.id)

    def on_prepare(self, ctx: Context, src: str, m: Prepare) -> None:
        """Of backups only: the primary's pre-prepare is its vote (paper 4.2)."""
        if m.i != self.group.primary(m.view):
            self.on_vote(ctx, "prepare", m)

    def on_commit(self, ctx: Context, src: str, m: Commit) -> None:
        """Keep it, though it may come before this replica is prepared itself."""
        self.on_vote(ctx, "commit", m)

    def on_vote(self, ctx: Context, phase: str, m: Prepare | Commit) -> None:
        """Keep a vote of this view inside the window; see whether it completes a certificate."""
        if m.view != self.view or not self.log.admits(m.n) or m.i not in self.group.replicas:
            return
        slot = self.log.slot(m.n)
        if slot.add(m) == CONTRADICTS:
            ctx.note(Contradicted(phase, m.view, m.n, m.i))
        elif not self.changing:
            self.advance(ctx, slot)

    def advance(self, ctx: Context, slot: Slot) -> None:
        """*prepared*: pre-prepare and 2f matching PREPAREs. *committed-local*: that, and 2f+1 matching COMMITs."""
        if slot.pre_prepare is None:
            return
        if not slot.prepared and self.is_prepared(slot):
            slot.prepared = True
            voters = tuple(each.i for each in slot.matching_prepares(slot.digest))
            ctx.note(BecamePrepared(self.view, slot.n, slot.digest, voters))
            slot.commits[self.id] = self.my_commit(slot)
            self.save(ctx)
            self.say(ctx, slot.commits[self.id])
        if slot.prepared and not slot.committed and (len(slot.commits) >= self.quorum or not self.rules.commit_phase):
            commits = slot.matching_commits(slot.digest) if self.rules.match_digests else tuple(slot.commits.values())
            if len(commits) >= self.quorum or not self.rules.commit_phase:
                slot.committed = True
                ctx.note(Committed(self.view, slot.n, slot.digest, tuple(each.i for each in commits)))
                self.execute_ready(ctx)

    def is_prepared(self, slot: Slot) -> bool:
        """Whether there is a certificate; if so it is kept for the next VIEW-CHANGE."""
        least = self.quorum - 1
        if len(slot.prepares) < least:
            return False
        certificate = self.log.certify(slot, least)
        if certificate is not None:
            self.log.certificates[slot.n] = certificate
        elif not self.rules.match_digests:
            return len(slot.prepares) >= least
        return certificate is not None

    # -- execution -----------------------------------------------------------------------------------------------

    def execute_ready(self, ctx: Context) -> None:
        """Execute what is committed, in the order of the numbers (paper 4.2)."""
        while (slot := self.log.slots.get(self.executed + 1)) is not None and slot.committed:
            if slot.digest != NULL and slot.digest not in self.bodies:
                ctx.note(BodyMissing(slot.n, slot.digest))
                self.multicast(ctx, signed(FetchBody(slot.digest, self.id), self.id))
                return
            self.execute(ctx, slot.n, slot.digest)

    def execute(self, ctx: Context, n: int, digest: str) -> None:
        """Once per (client, t); the null request changes nothing."""
        self.executed = n
        self.stands = None
        request = None if digest == NULL else self.bodies[digest]
        result: int | None = None
        repeated = False
        if request is not None:
            t, last = self.replies.get(request.client, (0, None))
            repeated = request.t <= t
            if repeated and self.rules.execute_once:
                result = last if request.t == t else None
            else:
                result = execute(self.values, request.op, request.key, request.value)
                self.replies[request.client] = (max(t, request.t), result)
                repeated = False
        self.done.append(Done(n, self.view, digest, request, result, request is not None and not repeated))
        self.done_total += 1
        ctx.note(Executed(n, digest, request, result, repeated))
        if n % self.sizes.every == 0:
            self.states[n] = self.state(n)
        self.save(ctx)
        if request is not None and not repeated:
            self.answer(ctx, request, result)
            self.done_with(ctx, request)
        if n % self.sizes.every == 0:
            self.take_checkpoint(ctx, n)

    def done_with(self, ctx: Context, request: Request) -> None:
        """It waits no longer; the timer stops, or starts again for another (paper 4.5.2). This is progress."""
        self.doublings = 0
        self.progressed = True
        self.drop_answered(ctx)

    def drop_answered(self, ctx: Context) -> None:
        """Forget the requests that the state has a reply to, and let the timer follow."""
        for client, request in tuple(self.waiting.items()):
            if request.t <= self.replies.get(client, (0, None))[0]:
                del self.waiting[client]
        watched = self.timer_for
        if watched is not None and self.waiting.get(watched.client) != watched:
            self.stop_timer(ctx)
            self.start_timer(ctx)

    # -- the timer -----------------------------------------------------------------------------------------------

    def start_timer(self, ctx: Context) -> None:
        """A backup that knows an unexecuted request runs it; it never fires while a view change is on."""
        if self.timer_for is None and self.waiting and not self.changing and not self.is_primary:
            self.timer_for = next(iter(self.waiting.values()))
            self.timer_since_us = ctx.now_us
            ctx.set_timer("request", self.patience_us)

    def stop_timer(self, ctx: Context) -> None:
        """Nothing is waited for."""
        self.timer_for = None
        ctx.cancel_timer("request")

    def on_request_timeout(self, ctx: Context) -> None:
        """The primary did not get the request executed in time: ask for the next view."""
        if not self.progressed:
            self.doublings += 1
        self.start_view_change(ctx, self.view + 1, Cause.TIMEOUT)

    # -- checkpoints and state transfer --------------------------------------------------------------------------

    def my_checkpoint(self, n: int) -> Checkpoint:
        """CHECKPOINT(n, d, i)."""
        state = self.states[n]
        return signed(Checkpoint(n, digest_of_state(n, state.values, state.replies), self.id), self.id)

    def take_checkpoint(self, ctx: Context, n: int) -> None:
        """Tell all the digest of my state (paper 4.3)."""
        checkpoint = self.my_checkpoint(n)
        ctx.note(CheckpointTaken(n, checkpoint.digest))
        self.multicast(ctx, checkpoint)
        self.checkpoints.add(checkpoint)
        self.settle(ctx)

    def on_checkpoint(self, ctx: Context, src: str, m: Checkpoint) -> None:
        """Keep the claim; it may make a checkpoint stable, or show that I am behind."""
        if self.checkpoints.add(m):
            self.settle(ctx)

    def on_proof(self, ctx: Context, src: str, m: Proof) -> None:
        """A stable checkpoint of others, proven at one stroke."""
        if m.c and proves_checkpoint(self.group, m.c[0].n, m.c) and self.checkpoints.adopt(m.c):
            self.settle(ctx)

    def settle(self, ctx: Context) -> None:
        """Stable: 2f+1 equal claims and my own state covers them. Behind: f+1 claim states above my H (paper 4.3)."""
        proven = self.checkpoints.proven()
        if proven is not None and proven.n <= self.executed:
            self.stabilise(ctx, proven)
        elif proven is not None and proven.n > self.log.high and self.fetching is None:
            self.fetch(ctx, proven)
        ahead = self.checkpoints.ahead(self.log.high)
        if ahead is not None and self.fetching is None:
            self.fetch(ctx, ahead)

    def stabilise(self, ctx: Context, proven: Target) -> None:
        """h = n: everything at or below is dropped, and the window moves."""
        self.checkpoints.stabilise(proven.n)
        self.log.raise_low(proven.n)
        self.log.drop_certificates(proven.n)
        self.states = {n: state for n, state in self.states.items() if n >= proven.n}
        needed = {*self.log.digests(), *(digest_of(each) for each in self.waiting.values())}
        self.bodies = {digest: body for digest, body in self.bodies.items() if digest in needed}
        self.save(ctx)
        ctx.note(Stable(proven.n, self.log.high, proven.holders))
        if self.is_primary:
            self.propose(ctx)

    def fetch(self, ctx: Context, target: Target) -> None:
        """Ask one who certifies that state; whoever it is, the digest will show whether it lies."""
        holders = tuple(each for each in target.holders if each != self.id)
        self.fetching = target._replace(holders=holders)
        ctx.note(FellBehind(target.n, self.executed, holders[0]))
        ctx.send(holders[0], signed(FetchState(target.n, self.id), self.id))

    def fetch_elsewhere(self, ctx: Context) -> None:
        """No answer, or a wrong one: ask the next."""
        target = self.fetching
        if target is not None:
            newest = self.checkpoints.ahead(self.log.high) or self.checkpoints.proven()
            if newest is not None and newest.n > target.n:
                self.fetch(ctx, newest)
            else:
                self.fetch(ctx, target._replace(holders=(*target.holders[1:], target.holders[0])))

    def on_fetch_state(self, ctx: Context, src: str, m: FetchState) -> None:
        """Send the state, or if it is gone, the claim for the present one."""
        state = self.states.get(m.n)
        if state is not None:
            replies = state.replies if self.rules.transfer_replies else ()
            ctx.send(m.i, signed(state._replace(replies=replies, i=self.id, sig=""), self.id))
        else:
            self.repeat_checkpoints(ctx, m.i, m.n)

    def on_state(self, ctx: Context, src: str, m: State) -> None:
        """Verify by digest, then take it over: values, and the last reply to each client."""
        target = self.fetching
        if target is None or m.n != target.n:
            return
        right = digest_of_state(m.n, m.values, m.replies) == target.digest
        if not right and self.rules.verify_state and self.rules.transfer_replies:
            ctx.note(WrongState(m.n, m.i))
            self.fetch_elsewhere(ctx)
            return
        self.fetching = None
        if m.n <= self.executed:
            return
        before = self.executed
        self.install(m)
        self.states[m.n] = self.state()
        self.log.raise_low(m.n)
        self.next_n = max(self.next_n, m.n + 1)
        self.drop_answered(ctx)
        self.save(ctx)
        ctx.note(StateInstalled(m.n, m.i, before))
        self.multicast(ctx, self.my_checkpoint(m.n))
        self.checkpoints.add(self.my_checkpoint(m.n))
        self.settle(ctx)
        self.execute_ready(ctx)

    def on_fetch_body(self, ctx: Context, src: str, m: FetchBody) -> None:
        """Send the request of that digest, if I have it."""
        request = self.bodies.get(m.digest)
        if request is not None:
            ctx.send(m.i, signed(Body(request, self.id), self.id))

    def on_body(self, ctx: Context, src: str, m: Body) -> None:
        """Its digest proves it; whoever sent it."""
        digest = digest_of(m.request)
        if genuine(m.request) and digest in self.log.digests():
            self.bodies[digest] = m.request
            self.execute_ready(ctx)

    # -- view changes --------------------------------------------------------------------------------------------

    def my_view_change(self) -> ViewChange:
        """VIEW-CHANGE(v, n, C, P, i) for the view I am in or want."""
        stable = self.checkpoints.stable
        certificates = tuple(self.log.certificates[n] for n in sorted(self.log.certificates))
        return signed(ViewChange(self.view, stable, self.checkpoints.proof, certificates, self.id), self.id)

    def start_view_change(self, ctx: Context, view: int, cause: Cause, wanted_by: tuple[str, ...] = ()) -> None:
        """Stop accepting all but CHECKPOINT, VIEW-CHANGE and NEW-VIEW, and tell all what I hold (paper 4.4)."""
        since = self.changing_since_us if self.changing else self.timer_since_us
        waited_us = ctx.now_us - since if cause is not Cause.OTHERS else 0
        self.view, self.changing = view, True
        self.changing_since_us = ctx.now_us
        self.stop_timer(ctx)
        ctx.cancel_timer("new view")
        self.log.begin_view()
        self.view_changes.forget_below(view)
        mine = self.asked[view] = self.my_view_change()
        if len(self.asked) > VIEWS_MAX:
            del self.asked[min(self.asked)]
        self.view_changes.add(mine)
        self.save(ctx)
        ctx.note(ViewChangeStarted(view, cause, waited_us, mine.n, tuple(each.n for each in mine.p), wanted_by))
        self.multicast(ctx, mine)
        self.open_view(ctx)

    def on_view_change(self, ctx: Context, src: str, m: ViewChange) -> None:
        """Keep it if it is proven; f+1 of others above my view make me join, 2f+1 let the new primary begin."""
        if m.view < self.view or (m.view == self.view and not self.changing):
            return
        if m.i in self.view_changes.at(m.view):
            return
        if self.rules.verify_proofs and not valid_view_change(self.group, m, self.sizes.window):
            ctx.note(Rejected("ViewChange", src, Why.UNPROVEN, m.view))
            return
        self.view_changes.add(m)
        ctx.note(ViewChangeSeen(m.view, m.i, len(self.view_changes.at(m.view))))
        join = self.view_changes.to_join(self.view, self.id)
        if join is not None:
            self.start_view_change(ctx, join, Cause.OTHERS, tuple(self.view_changes.at(join)))
        else:
            self.open_view(ctx)

    def open_view(self, ctx: Context) -> None:
        """2f+1 want this view: its primary opens it, the others wait T for that, then 2T for the next ..."""
        count = len(self.view_changes.at(self.view))
        if not self.changing or count < self.group.quorum:
            return
        if self.primary != self.id:
            if self.armed != self.view:
                self.armed = self.view
                ctx.set_timer("new view", self.patience_us)
            return
        chosen = self.view_changes.chosen(self.view, self.id)
        o = tuple(
            signed(PrePrepare(self.view, n, digest, self.id), self.id) for n, digest in plan(chosen).digests
        )  # fmt: skip
        new_view = signed(NewView(self.view, chosen, o, self.id), self.id)
        ctx.note(NewViewSent(self.view, plan(chosen).min_s, _pairs(o), tuple(each.i for each in chosen)))
        self.multicast(ctx, new_view)
        self.enter(ctx, new_view)

    def on_new_view(self, ctx: Context, src: str, m: NewView) -> None:
        """Check the signature, each member of V, and O by working it out again; then enter (paper 4.4)."""
        if m.view < self.view or (m.view == self.view and not self.changing):
            return
        if not valid_new_view(self.group, m, self.sizes.window, recompute=False) and self.rules.verify_proofs:
            ctx.note(Rejected("NewView", src, Why.UNPROVEN, m.view))
        elif self.rules.recompute_o and not valid_new_view(self.group, m, self.sizes.window):
            ctx.note(Rejected("NewView", src, Why.WRONG_O, m.view))
        else:
            self.enter(ctx, m)

    def enter(self, ctx: Context, m: NewView) -> None:
        """Take part in a view: adopt its checkpoint, log O, PREPARE each entry; new requests start above it."""
        if m.view != self.view:
            self.log.begin_view()
        self.view, self.changing, self.new_view = m.view, False, m
        self.asked = {view: mine for view, mine in self.asked.items() if view >= m.view}
        self.progressed = False
        self.stop_timer(ctx)
        ctx.cancel_timer("new view")
        self.view_changes.forget_below(m.view)
        agreed = plan(m.v)
        self.checkpoints.adopt(next(each.c for each in m.v if each.n == agreed.min_s))
        logged = [each for each in m.o if self.log.admits(each.n)]
        for pre_prepare in logged:
            self.take(pre_prepare)
        self.next_n = max(agreed.max_s, self.log.low, *(each.n for each in m.o)) + 1
        self.save(ctx)
        ctx.note(ViewEntered(m.view, m.i, _pairs(m.o)))
        if m.i != self.id:
            for pre_prepare in logged:
                self.say(ctx, self.my_prepare(pre_prepare))
            for request in self.waiting.values():
                ctx.send(self.primary, request)
        self.settle(ctx)
        proven = self.checkpoints.proven()
        if proven is not None and self.fetching is None:  # else it would be stable
            self.fetch(ctx, proven)
        for n in sorted(self.log.slots):
            if n in self.log.slots:
                self.advance(ctx, self.log.slots[n])
        if self.is_primary:
            self.propose(ctx)
        self.start_timer(ctx)

    # -- retransmission, which the paper leaves to us --------------------------------------------------------------

    @property
    def unfinished(self) -> bool:
        """Whether I lack something that others could send again."""
        return bool(
            self.changing
            or self.waiting
            or self.fetching
            or any(not slot.committed for slot in self.log.slots.values())
            or max(self.log.slots, default=0) > self.executed
            or any(n > self.executed for n in self.checkpoints.claims)
        )

    def on_tick(self, ctx: Context) -> None:
        """Say how far I am, at once where nothing has moved for a tick; ask again for what was asked for in vain."""
        ctx.set_timer("status", self.timing.status_us)
        self.quiet_ticks += 1
        stands_at = (self.view, self.changing, self.executed, self.checkpoints.stable)
        stalled = self.unfinished and stands_at == self.stood_at
        self.stood_at = stands_at
        if not stalled and self.quiet_ticks < STATUS_ANYWAY:
            return
        self.quiet_ticks = 0
        status = Status(self.view, self.changing, self.checkpoints.stable, self.executed, self.id)
        self.multicast(ctx, signed(status, self.id))
        if self.fetching is not None:
            self.fetch_elsewhere(ctx)
        else:
            proven = self.checkpoints.proven()
            if proven is not None:
                self.fetch(ctx, proven)
        self.execute_ready(ctx)

    def on_status(self, ctx: Context, src: str, m: Status) -> None:
        """Send again what the other lacks: only what I said myself, and the NEW-VIEW of this view.

        Whoever waits in a view below mine for 2f+1 to ask for it is told that I did: else it might wait for ever.
        """
        if self.changing:
            if m.changing and m.view < self.view and m.view in self.asked:
                ctx.send(m.i, self.asked[m.view])
            if m.view <= self.view:
                ctx.send(m.i, self.asked[self.view])
            if self.new_view is not None and m.changing and m.view <= self.new_view.view:
                ctx.send(m.i, self.new_view)
        elif self.new_view is not None and (m.view < self.view or (m.view == self.view and m.changing)):
            ctx.send(m.i, self.new_view)
        elif m.view == self.view and not m.changing:
            self.repeat_phases(ctx, m.i, m.executed)
        if m.stable < self.checkpoints.stable or m.executed < self.executed:
            self.repeat_checkpoints(ctx, m.i, m.stable)

    def repeat_phases(self, ctx: Context, dst: str, executed: int) -> None:
        """My part in every number that the other has not executed; of what is final here, everybody's COMMIT."""
        for n, slot in self.log.slots.items():
            if n <= executed or slot.pre_prepare is None:
                continue
            if slot.pre_prepare.i == self.id:
                request = self.bodies.get(slot.digest)
                if request is not None:
                    ctx.send(dst, slot.pre_prepare._replace(request=request))
            else:
                ctx.send(dst, self.my_prepare(slot.pre_prepare))
            if slot.committed:  # whoever has the 2f+1 COMMITs passes them on: signed, they prove that it is final
                for vote in slot.commits.values():
                    if vote.i != dst:
                        ctx.send(dst, vote)
            elif self.id in slot.commits:
                ctx.send(dst, slot.commits[self.id])

    def repeat_checkpoints(self, ctx: Context, dst: str, above: int) -> None:
        """My claims, for whoever has an older stable checkpoint; and the proof of mine, which anybody may pass on."""
        for n in self.states:
            if n > above:
                ctx.send(dst, self.my_checkpoint(n))
        if self.checkpoints.stable > above:
            ctx.send(dst, signed(Proof(self.checkpoints.proof, self.id), self.id))


def _pairs(o: tuple[PrePrepare, ...]) -> tuple[tuple[int, str], ...]:
    """Numbers and digests of O."""
    return tuple((each.n, each.digest) for each in o)


HANDLERS: Final[dict[type, Callable[[Replica, Context, str, Any], None]]] = {
    Request: Replica.on_request,
    PrePrepare: Replica.on_pre_prepare,
    Prepare: Replica.on_prepare,
    Commit: Replica.on_commit,
    Checkpoint: Replica.on_checkpoint,
    Proof: Replica.on_proof,
    ViewChange: Replica.on_view_change,
    NewView: Replica.on_new_view,
    Status: Replica.on_status,
    FetchState: Replica.on_fetch_state,
    State: Replica.on_state,
    FetchBody: Replica.on_fetch_body,
    Body: Replica.on_body,
}

__all__ = ["Replica"]
