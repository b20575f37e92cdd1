"""A client of the replicas: it believes what f+1 of them say alike, since one of those is correct (paper 4.1).

It sends to the primary it believes in; without an answer in time, to all replicas, again and again. One request is
outstanding. The number of its newest request is durable: under a number that was used before, it would be answered
without anything being executed.

With ``read_only`` reads go to all replicas, which answer at once without an order; such a client needs 2f+1 equal
replies, *also to its writes*: else a read could miss a write that f+1 confirmed (paper 5.1; Berger, Reiser, Bessani
2021, who show that this costs liveness).
"""

from typing import Final, NamedTuple

from engines.consensus.asking import KEYS, Asking
from engines.consensus.pbft.certificates import Group
from engines.consensus.pbft.events import Answered, Asked, Waits
from engines.consensus.pbft.messages import Reply, Request, signed
from engines.consensus.pbft.rules import PbftRules
from engines.sim.disk import Disk
from engines.sim.history import OK, History
from engines.sim.node import Context
from engines.units import US_PER_MS

PATIENCE_US: Final = 250 * US_PER_MS
"""No result for so long: ask all replicas."""
FIRST_US: Final = 80 * US_PER_MS
"""The first request is made by then."""


class Believed(NamedTuple):
    """What a client took for the result of a request, and who said so."""

    request: Request
    result: int | None
    voters: tuple[str, ...]


class Client(Asking):
    """Makes requests at an interval, or only those it is told."""

    __slots__ = (
        "attempts", "believed", "current", "disk", "group", "read_only", "replies", "rules", "t", "view",
    )  # fmt: skip

    def __init__(
        self, id: str, group: Group, history: History, interval_us: int, disk: Disk, rules: PbftRules, read_only: bool
    ) -> None:
        super().__init__(id, history, interval_us)
        self.group = group
        self.disk = disk
        self.rules = rules
        self.read_only = read_only
        self.t: int = disk.registers.get("t", 0)
        self.view = 0
        """The view of the newest believed reply; its primary is asked first."""
        self.current: Request | None = None
        self.replies: dict[str, Reply] = {}
        """What each replica answered to the present request."""
        self.attempts = 0
        self.believed: Believed | None = None
        """The newest answer."""

    @property
    def needed(self) -> int:
        """How many equal replies it believes."""
        if not self.rules.wait_for_weak:
            return 1
        return self.group.quorum if self.read_only else self.group.weak

    def on_start(self, ctx: Context) -> None:
        """Begin to work. Who makes few requests makes the first one soon: at the usual speed its pause is seconds of
        waiting before an empty picture.
        """
        super().on_start(ctx)
        if self.interval_us > 4 * FIRST_US and not self.t:
            ctx.set_timer("think", ctx.stream("think").between(FIRST_US // 2, FIRST_US))

    def ask(self, ctx: Context, op: str, key: str, value: int) -> None:
        """Ask for this as soon as what was asked before is answered."""
        self.queue.append((op, key, value))
        if self.current is None:
            self._next(ctx)
        else:
            ctx.note(Waits(op, key, value, len(self.queue)))

    def _next(self, ctx: Context) -> None:
        op, key, value = self.queue.popleft()
        self.t += 1
        self.disk.write("t", self.t)
        ctx.persist()
        self.attempts = 0
        self.replies = {}
        read_only = self.read_only and op == "get"
        self.current = signed(Request(self.id, self.t, op, key, value, read_only), self.id)
        self.history.invoke(self.id, self.t, op, key, value)
        self._send(ctx)

    def _send(self, ctx: Context) -> None:
        assert self.current is not None
        self.attempts += 1
        everybody = self.attempts > 1 or self.current.read_only
        to = self.group.replicas if everybody else (self.group.primary(self.view),)
        ctx.note(Asked(self.current, self.attempts, to))
        for replica in to:
            ctx.send(replica, self.current)
        ctx.set_timer("patience", PATIENCE_US << min(self.attempts - 1, 3))

    def on_message(self, ctx: Context, src: str, m: Reply) -> None:
        """Count equal results of different replicas; views may differ. A reply counts once, whoever brings it."""
        request = self.current
        if request is None or m.sig != m.i or m.i not in self.group.replicas or (m.client, m.t) != (self.id, request.t):
            return
        self.replies[m.i] = m
        equal = tuple(each.i for each in self.replies.values() if each.result == m.result)
        if len(equal) < self.needed:
            return
        views = sorted((self.replies[each].view for each in equal), reverse=True)
        self.view = views[min(self.group.f, len(views) - 1)]  # f traitors cannot make it believe in a view to come
        outvoted = tuple(each.i for each in self.replies.values() if each.result != m.result)
        self.history.finish(self.id, request.t, OK, m.result)
        self.believed = Believed(request, m.result, equal)
        ctx.note(Answered(request, m.result, equal, self.attempts, outvoted))
        self.current = None
        ctx.cancel_timer("patience")
        self._goes_on(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Think, or lose patience and ask everybody."""
        if name == "think":
            if self.interval_us > 0:
                ctx.set_timer("think", self._pause(ctx))
            if self.current is None and self.interval_us:
                stream = ctx.stream("work")
                key = KEYS[stream.below(len(KEYS))]
                op = ("set", "set", "add", "get")[stream.below(4)]
                self.queue.append((op, key, stream.between(1, 99) if op != "get" else 0))
                self._next(ctx)
        elif self.current is not None:
            self.history.retry(self.id, self.current.t)
            if self.current.read_only:  # no 2f+1 equal answers: let it be ordered
                self.current = signed(self.current._replace(read_only=False), self.id)
                self.replies = {}
            self._send(ctx)


__all__ = ["Client"]
