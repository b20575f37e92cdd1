"""One replica as a black box: feed it a message, look at what it sent, wrote and noted, and at nothing else."""

from typing import Any, NamedTuple

from engines.consensus.pbft.certificates import Group
from engines.consensus.pbft.messages import (
    Checkpoint,
    Commit,
    NewView,
    Prepare,
    Prepared,
    PrePrepare,
    Request,
    ViewChange,
    digest_of,
    digest_of_state,
    signed,
)
from engines.consensus.pbft.node import Replica
from engines.consensus.pbft.rules import PbftRules, Sizes, Timing
from engines.sim.disk import Disk
from engines.sim.random import Stream

FOUR = Group(("r0", "r1", "r2", "r3"))
SEVEN = Group(tuple(f"r{i}" for i in range(7)))


class Sent(NamedTuple):
    dst: str
    message: Any


class FakeContext:
    """Writes down every effect; nothing may leave before what was written is durable."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.now_us = 0
        self.sent: list[Sent] = []
        self.timers: dict[str, int] = {}
        self.notes: list[Any] = []
        self.durable = disk.writes

    def send(self, dst: str, message: object) -> None:
        assert self.disk.writes == self.durable, "a message leaves before what was written is durable"
        self.sent.append(Sent(dst, message))

    def send_at_once(self, dst: str, message: object) -> None:
        raise AssertionError("no replica sends before its disk has what it tells")

    def set_timer(self, name: str, delay_us: int) -> None:
        self.timers[name] = self.now_us + delay_us

    def cancel_timer(self, name: str) -> None:
        self.timers.pop(name, None)

    def persist(self) -> bool:
        self.durable = self.disk.writes
        return True

    def knows(self, name: str) -> bool:
        return True

    def stream(self, purpose: str) -> Stream:
        return Stream(0, purpose)

    def note(self, what: Any, /, why: str = "", **detail: object) -> None:
        self.notes.append(what)


def request(t: int = 1, client: str = "c1", value: int = 7, op: str = "set") -> Request:
    return signed(Request(client, t, op, "x", value), client)


def pre_prepare(n: int, what: Request | None, view: int = 0, i: str = "", group: Group = FOUR) -> PrePrepare:
    i = i or group.primary(view)
    return signed(PrePrepare(view, n, digest_of(what), i, what), i)


def prepare(n: int, digest: str, i: str, view: int = 0) -> Prepare:
    return signed(Prepare(view, n, digest, i), i)


def commit(n: int, digest: str, i: str, view: int = 0) -> Commit:
    return signed(Commit(view, n, digest, i), i)


def checkpoint(n: int, digest: str, i: str) -> Checkpoint:
    return signed(Checkpoint(n, digest, i), i)


def certificate(n: int, digest: str, view: int = 0, group: Group = FOUR) -> Prepared:
    primary = group.primary(view)
    backups = [each for each in group.replicas if each != primary][: 2 * group.f]
    return Prepared(
        signed(PrePrepare(view, n, digest, primary), primary), tuple(prepare(n, digest, each, view) for each in backups)
    )


def proof(n: int, digest: str = "d", group: Group = FOUR) -> tuple[Checkpoint, ...]:
    return tuple(checkpoint(n, digest, each) for each in group.replicas[: group.quorum]) if n else ()


def view_change(view: int, i: str, n: int = 0, p: tuple[Prepared, ...] = (), group: Group = FOUR) -> ViewChange:
    return signed(ViewChange(view, n, proof(n, group=group), p, i), i)


def new_view(view: int, v: tuple[ViewChange, ...], o: tuple[tuple[int, str], ...], group: Group = FOUR) -> NewView:
    i = group.primary(view)
    return signed(NewView(view, v, tuple(signed(PrePrepare(view, n, d, i), i) for n, d in o), i), i)


class Bench:
    """Replica ``id`` on a bench."""

    def __init__(
        self,
        id: str,
        group: Group = FOUR,
        *,
        rules: PbftRules = PbftRules(),  # noqa: B008 - frozen
        sizes: Sizes = Sizes(),  # noqa: B008 - frozen
        disk: Disk | None = None,
    ) -> None:
        self.group = group
        self.disk = disk or Disk()
        self.replica = Replica(id, group, self.disk, rules, sizes, Timing())
        self.ctx = FakeContext(self.disk)
        self.replica.on_start(self.ctx)

    def hears(self, *messages: Any, src: str = "") -> list[Any]:
        """What it multicasts or sends on hearing these, each once, in order."""
        before = len(self.ctx.sent)
        for message in messages:
            self.replica.on_message(self.ctx, src or getattr(message, "i", getattr(message, "client", "")), message)
        return self.said(before)

    def said(self, since: int) -> list[Any]:
        """Each message once. (Named tuples of different kinds can be equal.)"""
        return [message for _, message in dict.fromkeys((type(m), m) for _, m in self.ctx.sent[since:])]

    def fires(self, timer: str) -> list[Any]:
        """What it sends when a timer that runs goes off."""
        self.ctx.now_us = max(self.ctx.now_us, self.ctx.timers.pop(timer))
        before = len(self.ctx.sent)
        self.replica.on_timer(self.ctx, timer)
        return self.said(before)

    def orders(self, n: int, what: Request | None, view: int = 0) -> None:
        """The three phases of a number, as all the others tell of them."""
        digest = digest_of(what)
        others = [each for each in self.group.replicas if each != self.replica.id]
        primary = self.group.primary(view)
        if primary == self.replica.id:
            assert what is not None
            self.hears(what)
        else:
            self.hears(pre_prepare(n, what, view, group=self.group))
        self.hears(*(prepare(n, digest, each, view) for each in others if each != primary))
        self.hears(*(commit(n, digest, each, view) for each in others))

    def noted(self, kind: type) -> list[Any]:
        return [each for each in self.ctx.notes if isinstance(each, kind)]

    def restarted(self) -> "Bench":
        """The same machine after a crash."""
        replica = self.replica
        return Bench(replica.id, self.group, rules=replica.rules, sizes=replica.sizes, disk=self.disk)

    def state_digest(self, n: int) -> str:
        state = self.replica.state(n)
        return digest_of_state(n, state.values, state.replies)
