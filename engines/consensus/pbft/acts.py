"""What a traitor does: acts that may be switched on, several at once, on any replica, while the cluster runs.

A traitor is a correct replica behind a mask: what it sends goes through ``Mask.send``, which may withhold, delay, alter
or add messages. It signs as itself and repeats what others signed; it can do nothing else, and so these acts show what
PBFT stands up to, and what it does not where more than f replicas do them.
"""

from collections.abc import Callable
from typing import Any, Final

from engines.consensus.pbft.messages import (
    NULL,
    Body,
    Checkpoint,
    Commit,
    NewView,
    Prepare,
    Prepared,
    PrePrepare,
    Reply,
    Request,
    State,
    ViewChange,
    digest_of,
    signed,
)
from engines.consensus.pbft.node import Replica
from engines.consensus.pbft.rules import Act
from engines.sim.disk import Disk
from engines.sim.node import Context
from engines.sim.random import Stream

OUTCOME: Final = {
    Act.EQUIVOCATE: ("as primary gives one number to two requests, one to each half",
                     "at most one of them prepares; it may stall, then the view changes"),
    Act.SILENT: ("says nothing to anybody",
                 "a silent primary: timers, view change; a silent backup: nothing but fewer messages"),
    Act.SILENT_TO_SOME: ("says nothing to half of the replicas", "those follow by checkpoints or a view change"),
    Act.CENSOR: ("ignores one client", "the client asks all, their timers run out, the view changes"),
    Act.DELAY: ("as primary waits until just before the timeout",
                "no view change, a slow system: the known weakness of PBFT"),
    Act.BAD_DIGEST: ("sends a digest that is not the request's", "rejected by every backup"),
    Act.BEYOND_WINDOW: ("as primary uses a number beyond the window", "rejected: h < n <= H"),
    Act.SKIP_NUMBERS: ("as primary leaves numbers out, to use them up",
                       "nothing above a hole executes; after the view change null requests fill it"),
    Act.WRONG_VOTES: ("votes for another digest", "counted for nothing"),
    Act.EARLY_COMMIT: ("commits without being prepared", "one of 2f+1; the others are prepared"),
    Act.TWO_FACED: ("votes for whatever the other one believes", "f of them complete no certificate alone"),
    Act.WRONG_REPLY: ("tells clients a wrong result", "outvoted by f+1 equal replies"),
    Act.WRONG_STATE: ("sends a wrong state to who fell behind", "the digest shows it; another is asked"),
    Act.WITHHOLD_BODY: ("as primary sends the digest without the request to half", "rejected there; fetched later"),
    Act.REPLAY: ("repeats messages of older views", "dropped by their view"),
    Act.FORGE_PROOF: ("forges a certificate in its VIEW-CHANGE", "invalid: the signatures are not the voters'"),
    Act.OMIT_PROOF: ("leaves its certificates out of its VIEW-CHANGE",
                     "harmless: any 2f+1 hold a correct replica that prepared what committed"),
    Act.LOW_CHECKPOINT: ("claims the stable checkpoint 0", "harmless: the highest in V counts"),
    Act.WRONG_O: ("as new primary changes what the view takes over", "worked out again and rejected; the next view"),
    Act.NEW_VIEW_TO_SOME: ("as new primary opens the view for half only", "the others time out or are told later"),
    Act.WRONG_CHECKPOINT: ("claims a wrong state digest", "no part of 2f+1; the others still make it stable"),
    Act.SPAM_VIEWS: ("asks for one view after the other", "f+1 are needed to move anybody"),
    Act.FORGETFUL: ("comes back from a crash without what it promised", "counts as a traitor"),
}  # fmt: skip
"""What it does, and what must happen as long as no more than f replicas are traitors."""

KEPT: Final = 12
"""Messages that a replaying traitor keeps."""
ECHOES: Final = 512


class Mask:
    """The context of a traitor: everything passes through it."""

    def __init__(self, actor: "Traitor", ctx: Context) -> None:
        self._actor = actor
        self._ctx = ctx
        self.set_timer = ctx.set_timer
        self.cancel_timer = ctx.cancel_timer
        self.persist = ctx.persist
        self.knows = ctx.knows
        self.note = ctx.note

    @property
    def now_us(self) -> int:
        """The clock is not lied about."""
        return self._ctx.now_us

    def stream(self, purpose: str) -> Stream:
        """As ever."""
        return self._ctx.stream(purpose)

    def send(self, dst: str, message: Any) -> None:
        """What a traitor makes of it."""
        actor = self._actor
        if actor.does(Act.SILENT) or (actor.does(Act.SILENT_TO_SOME) and actor.in_second_half(dst)):
            actor.bit()
            return
        if actor.does(Act.TWO_FACED) and isinstance(message, Prepare | Commit) and dst not in actor.fellows:
            actor.bit()  # it votes only once it knows what the other believes
            return
        mine = message.sig == actor.replica.id  # what others signed can be withheld and repeated, not altered
        for act, alter in ALTER.get(type(message), ()):
            if mine and actor.does(act):
                altered = alter(actor, dst, message)
                if altered is not message:
                    actor.bit()
                if altered is None:
                    return
                message = altered
        if actor.does(Act.DELAY) and isinstance(message, PrePrepare):
            actor.bit()
            actor.held.append((self._ctx.now_us + actor.replica.timing.timeout_us * 7 // 8, dst, message))
            self._ctx.set_timer("held", max(0, actor.held[0][0] - self._ctx.now_us))
            return
        if actor.does(Act.REPLAY) and len(actor.kept) < KEPT and isinstance(message, PrePrepare | Prepare | Commit):
            actor.kept.append((dst, message))
        self._ctx.send(dst, message)


class Traitor:
    """A replica with its acts; with none of them switched on it is just the replica."""

    __slots__ = ("acts", "bites", "echoed", "fellows", "held", "kept", "replica", "spammed", "victim")

    def __init__(self, replica: Replica, acts: tuple[Act, ...], victim: str) -> None:
        self.replica = replica
        self.acts = acts
        self.fellows: tuple[str, ...] = ()
        """The traitors: they need not be deceived."""
        self.victim = victim
        """The client that a censor ignores."""
        self.held: list[tuple[int, str, Any]] = []
        self.kept: list[tuple[str, Any]] = []
        self.echoed: dict[tuple[int, int, str, str], None] = {}
        """What a two-faced traitor has told whom: once is enough, and two of them would echo each other for ever."""
        self.spammed = 0
        self.bites = 0
        """How often an act changed what was said."""

    def does(self, act: Act) -> bool:
        """Whether it does this now."""
        return act in self.acts

    def bit(self) -> None:
        """An act had an effect."""
        self.bites += 1

    def in_second_half(self, dst: str) -> bool:
        """Whether the other is among those that are told otherwise: the second half of those that are no traitors."""
        others = [each for each in self.replica.others if each not in self.fellows]
        return dst in others[(len(others) + 1) // 2 :]

    def on_start(self, ctx: Context) -> None:
        """Begin."""
        self.replica.on_start(self.masked(ctx))
        if self.held:
            ctx.set_timer("held", 0)

    def masked(self, ctx: Context) -> Any:
        """The context the replica is given."""
        return Mask(self, ctx) if self.acts else ctx

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """Listen, and do what is added to it."""
        if self.does(Act.CENSOR) and isinstance(message, Request) and message.client == self.victim:
            self.bit()
            return
        self.replica.on_message(self.masked(ctx), src, message)
        if self.acts:
            self.add_to(ctx, src, message)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Release what was held, or what the replica does; a tick is the time for spam and repetitions."""
        if name == "held":
            self.release(ctx)
            return
        self.replica.on_timer(self.masked(ctx), name)
        if name == "status" and self.acts:
            self.on_tick(ctx)

    def on_synced(self, ctx: Context) -> None:
        """Nothing to do."""
        self.replica.on_synced(self.masked(ctx))

    def release(self, ctx: Context) -> None:
        """Send what was held back until now."""
        due = [each for each in self.held if each[0] <= ctx.now_us or not self.does(Act.DELAY)]
        self.held = [each for each in self.held if each not in due]
        for _, dst, message in due:
            ctx.send(dst, message)
        if self.held:
            ctx.set_timer("held", max(0, self.held[0][0] - ctx.now_us))

    def add_to(self, ctx: Context, src: str, message: Any) -> None:
        """Votes that no correct replica would cast."""
        replica = self.replica
        me = replica.id
        if (
            self.does(Act.TWO_FACED)
            and isinstance(message, PrePrepare | Prepare | Commit)
            and message.i in replica.others
        ):
            self.bit()
            view, n, digest, i = message[:4]
            if (view, n, digest, i) in self.echoed:
                return
            self.echoed[view, n, digest, i] = None
            if len(self.echoed) > ECHOES:
                del self.echoed[next(iter(self.echoed))]
            if me != replica.group.primary(view):
                ctx.send(i, signed(Prepare(view, n, digest, me), me))
            ctx.send(i, signed(Commit(view, n, digest, me), me))
        if self.does(Act.EARLY_COMMIT) and isinstance(message, PrePrepare):
            self.bit()
            for other in replica.others:
                ctx.send(other, signed(Commit(message.view, message.n, message.digest, me), me))

    def on_tick(self, ctx: Context) -> None:
        """Ask for views nobody else wants; repeat what is long over."""
        replica = self.replica
        if self.does(Act.SPAM_VIEWS):
            self.bit()
            self.spammed = max(self.spammed, replica.view) + 1
            mine = replica.my_view_change()
            spam = signed(mine._replace(view=self.spammed), replica.id)
            for other in replica.others:
                ctx.send(other, spam)
        if self.does(Act.REPLAY) and self.kept:
            self.bit()
            dst, message = self.kept.pop(0)
            ctx.send(dst, message)

    def other_request(self, request: Request) -> Request | None:
        """A genuine request that is not this one, to tell the other half about."""
        known = [each for each in (*self.replica.waiting.values(), *self.replica.bodies.values()) if each != request]
        return known[0] if known else None


Alter = Callable[[Traitor, str, Any], Any]
"""(traitor, receiver, message) -> what is sent instead; None: nothing."""


def _wrong(digest: str) -> str:
    return digest[::-1] if digest[::-1] != digest else NULL


def _sign(actor: Traitor, message: Any) -> Any:
    return signed(message, actor.replica.id)


def _equivocate(actor: Traitor, dst: str, m: PrePrepare) -> PrePrepare | None:
    """The second half is told about another request."""
    if not actor.in_second_half(dst) or m.request is None:
        return m
    other = actor.other_request(m.request)
    if other is None:
        return None
    altered: PrePrepare = _sign(actor, m._replace(digest=digest_of(other), request=other))
    return altered


def _skip(actor: Traitor, dst: str, m: PrePrepare) -> PrePrepare:
    """Every number it gives is followed by a hole."""
    replica = actor.replica
    if dst == replica.others[-1] and m.n + 1 == replica.next_n and m.i == replica.id:
        replica.next_n += 2
        actor.bit()
    return m


def _forge(actor: Traitor, dst: str, m: ViewChange) -> ViewChange:
    """A certificate for a request of its choice, with votes that it signed in the others' names."""
    replica = actor.replica
    view, n = max(0, m.view - 1), m.n + 1
    me = replica.id
    primary = replica.group.primary(view)
    votes = tuple(
        Prepare(view, n, "f0f0f0f0f0f0", each, sig=me) for each in replica.group.replicas if each != primary
    )  # fmt: skip
    certificate = Prepared(PrePrepare(view, n, "f0f0f0f0f0f0", primary, sig=me), votes[: 2 * replica.group.f])
    altered: ViewChange = _sign(actor, m._replace(p=(certificate,)))
    return altered


def _wrong_o(actor: Traitor, dst: str, m: NewView) -> NewView:
    """What the view takes over becomes null; a view that takes over nothing gets a number."""
    me = actor.replica.id
    low = max(each.n for each in m.v)
    o = m.o or (PrePrepare(m.view, low + 1, NULL, me),)
    changed = NULL if m.o else "f0f0f0f0f0f0"
    altered: NewView = _sign(actor, m._replace(o=tuple(signed(each._replace(digest=changed), me) for each in o)))
    return altered


ALTER: Final[dict[type, tuple[tuple[Act, Alter], ...]]] = {
    PrePrepare: (
        (Act.EQUIVOCATE, _equivocate),
        (Act.BAD_DIGEST, lambda actor, dst, m: _sign(actor, m._replace(digest=_wrong(m.digest)))),
        (Act.BEYOND_WINDOW, lambda actor, dst, m: _sign(actor, m._replace(n=m.n + actor.replica.sizes.window))),
        (Act.SKIP_NUMBERS, _skip),
        (Act.WITHHOLD_BODY, lambda actor, dst, m: m._replace(request=None) if actor.in_second_half(dst) else m),
    ),
    Prepare: ((Act.WRONG_VOTES, lambda actor, dst, m: _sign(actor, m._replace(digest=_wrong(m.digest)))),),
    Commit: ((Act.WRONG_VOTES, lambda actor, dst, m: _sign(actor, m._replace(digest=_wrong(m.digest)))),),
    Reply: ((Act.WRONG_REPLY, lambda actor, dst, m: _sign(actor, m._replace(result=(m.result or 0) + 1))),),
    State: ((Act.WRONG_STATE, lambda actor, dst, m: _sign(actor, m._replace(values=(("x", 666), *m.values[1:])))),),
    Body: ((Act.WITHHOLD_BODY, lambda actor, dst, m: None),),
    ViewChange: (
        (Act.FORGE_PROOF, _forge),
        (Act.OMIT_PROOF, lambda actor, dst, m: _sign(actor, m._replace(p=()))),
        (Act.LOW_CHECKPOINT, lambda actor, dst, m: _sign(actor, m._replace(n=0, c=()))),
    ),
    NewView: (
        (Act.WRONG_O, _wrong_o),
        (Act.NEW_VIEW_TO_SOME, lambda actor, dst, m: None if actor.in_second_half(dst) else m),
    ),
    Checkpoint: ((Act.WRONG_CHECKPOINT, lambda actor, dst, m: _sign(actor, m._replace(digest=_wrong(m.digest)))),),
}
"""For each kind of message the acts that change it, in the order in which they are applied."""


def forget(disk: Disk) -> None:
    """What a forgetful replica finds after a crash: nothing."""
    disk.registers.clear()
    disk.undo.clear()


__all__ = ["OUTCOME", "Traitor", "forget"]
