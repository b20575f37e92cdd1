"""Users: they create orders, add lines, and ask; each question and each command goes to the CRUD table as well.

A user that gets no answer sends the same command, under the same id, to the next command node, and asks the next
replica. It remembers the version of its own orders, so it notices when an answer does not show what it has written.
"""

from dataclasses import dataclass
from typing import Any, Final

from engines.cqrs.bus import Status
from engines.cqrs.commands import ADD_LINE, ADD_NOTE, CREATE_ORDER
from engines.cqrs.queries import GET_CUSTOMER_HISTORY, GET_ORDER_SUMMARY, GET_REVENUE, Freshness, Outcome
from engines.cqrs.world import events as e
from engines.cqrs.world.ledger import Ledger
from engines.cqrs.world.messages import Question, Reply, Submit, Told, plain
from engines.cqrs.world.meter import Meter
from engines.cqrs.world.rules import ATTEMPTS, TWIN, USERS, Control
from engines.sim.disk import Disk
from engines.sim.node import Context
from engines.sim.service import exponential_ppm
from engines.units import PPM, US_PER_S

REMEMBERED: Final = 8
"""Own orders a user asks about."""
PENDING_MAX: Final = 200
"""What a user waits for at once; more is not begun."""
ELSEWHERE_US: Final = 15_000
"""After which a user asks the next replica, when the last one had only an older version."""
ITEMS: Final = ("book", "pen", "lamp", "chair", "mug")


Bought = tuple[str, int, int]
"""Item, quantity, price."""


@dataclass(slots=True)
class Own:
    """An order of this user."""

    order: str
    customer: str
    created_by: str = ""
    version: int = -1
    position: int = 0


@dataclass(slots=True)
class Sent:
    """A command on its way."""

    submit: Submit
    since_us: int
    then_read: bool
    attempts: int = 1


@dataclass(slots=True)
class Asked:
    """A question on its way."""

    question: Question
    since_us: int
    attempts: int = 1


class UserNode:
    """A user with a browser, or many of them."""

    def __init__(self, name: str, incarnation: int, disk: Disk, control: Control, ledger: Ledger, meter: Meter) -> None:
        self.name = name
        self.incarnation = incarnation
        self.control = control
        self.ledger = ledger
        self.meter = meter
        self.count: dict[str, int] = disk.registers.setdefault("count", {"orders": 0, "commands": 0})
        self.own: dict[str, Own] = {}
        """Its newest orders, oldest first."""
        self.sent: dict[str, Sent] = {}
        self.asked: dict[str, Asked] = {}
        self.mirrored: dict[str, int] = {}
        """What the CRUD table was asked, and when."""
        self.newest: Submit | None = None
        self.turn = USERS.index(name)
        self.questions = 0
        self.missed = 0
        """Own writes it did not see."""

    def on_start(self, ctx: Context) -> None:
        """Begin."""
        self.pause(ctx, "write", self.control.writes)
        self.pause(ctx, "read", self.control.reads)

    def on_synced(self, ctx: Context) -> None:
        """A user keeps nothing that could be lost."""

    def pause(self, ctx: Context, what: str, rate: int) -> None:
        """Until the next order or question: a Poisson process of this rate, of all users together."""
        if rate:
            gap = len(USERS) * US_PER_S // rate * exponential_ppm(ctx.stream(what).next()) // PPM
            ctx.set_timer(what, max(1, gap))
        else:
            ctx.cancel_timer(what)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Time for something, or no answer."""
        kind, _, id = name.partition(":")
        match kind:
            case "write":
                draw = ctx.stream("order")
                lines = [(ITEMS[draw.below(len(ITEMS))], 1 + draw.below(3), 5 + draw.below(40)) for _ in range(2)]
                customer, count, read = draw.below(self.control.customers), 1 + draw.below(2), draw.below(2)
                self.create(ctx, f"customer {1 + customer}", tuple(lines[:count]), bool(read))
                self.pause(ctx, "write", self.control.writes)
            case "read":
                self.wonder(ctx)
                self.pause(ctx, "read", self.control.reads)
            case "sent":
                self.again(ctx, id)
            case "elsewhere" if id in self.asked:
                self.send_question(ctx, self.asked[id])
            case "asked":
                self.ask_again(ctx, id)

    # -- writing -------------------------------------------------------------------------------------------------

    def create(self, ctx: Context, customer: str, lines: tuple[Bought, ...], then_read: bool) -> None:
        """An order with its lines."""
        self.count["orders"] += 1
        order = f"order-{100 * (1 + USERS.index(self.name)) + self.count['orders']}"
        id = self.command_id()
        self.own[order] = Own(order, customer, id)
        while len(self.own) > REMEMBERED:
            del self.own[next(iter(self.own))]
        data = {"customer": customer, "lines": [_line(each) for each in lines]}
        self.send(ctx, Submit(id, CREATE_ORDER, order, plain(data), self.name, id), then_read)

    def change(self, ctx: Context, own: Own, name: str, data: Any, then_read: bool) -> None:
        """A line or a note more on an order."""
        cause = f"{own.created_by}/0"
        self.send(ctx, Submit(self.command_id(), name, own.order, plain(data), self.name, own.created_by, cause),
                  then_read)  # fmt: skip

    def add(self, ctx: Context, own: Own, line: "Bought", then_read: bool) -> None:
        """A line to an order."""
        self.change(ctx, own, ADD_LINE, _line(line), then_read)

    def command_id(self) -> str:
        """A new one."""
        self.count["commands"] += 1
        return f"{self.name}-{self.count['commands']}"

    def send(self, ctx: Context, submit: Submit, then_read: bool) -> None:
        """To a command node, and to the table beside it."""
        if len(self.sent) >= PENDING_MAX:
            return
        self.newest = submit
        self.sent[submit.id] = Sent(submit, ctx.now_us, then_read)
        self.forward(ctx, submit)
        if self.control.twin:
            self.mirror(ctx, submit)

    def forward(self, ctx: Context, submit: Submit) -> None:
        """To the next command node."""
        nodes = self.control.nodes["commands"]
        self.turn += 1
        ctx.send(nodes[self.turn % len(nodes)], submit)
        ctx.set_timer(f"sent:{submit.id}", self.control.timeout_us)

    def mirror(self, ctx: Context, message: Submit | Question) -> None:
        """The same to the CRUD table. What it never answers is forgotten in time."""
        if len(self.mirrored) >= PENDING_MAX:
            del self.mirrored[next(iter(self.mirrored))]
        self.mirrored[message.id] = ctx.now_us
        ctx.send(TWIN, message)

    def resend(self, ctx: Context) -> None:
        """The newest command once more, as a person does who believes that it was lost."""
        assert self.newest is not None
        if self.newest.id not in self.sent:
            self.sent[self.newest.id] = Sent(self.newest, ctx.now_us, False)
        self.forward(ctx, self.newest)

    def again(self, ctx: Context, id: str) -> None:
        """No answer: the same command, to another node."""
        sent = self.sent.get(id)
        if sent is None:
            return
        if sent.attempts >= ATTEMPTS:
            del self.sent[id]
            ctx.note(e.GaveUp(sent.submit.order, sent.submit.name, sent.attempts))
            return
        sent.attempts += 1
        ctx.note(e.SentAgain(sent.submit.order, sent.submit.name, sent.attempts))
        self.forward(ctx, sent.submit)

    def replied(self, ctx: Context, reply: Reply) -> None:
        """A command was answered."""
        answer = reply.answer
        sent = self.sent.pop(answer.command_id, None)
        if sent is None:
            return
        ctx.cancel_timer(f"sent:{answer.command_id}")
        self.meter.called("command", ctx.now_us - sent.since_us, ctx.now_us)
        own = self.own.get(answer.order)
        if answer.status is not Status.ACCEPTED or own is None:
            return
        if sent.submit.name != ADD_NOTE:  # only release 2 of the summaries shows notes
            own.version, own.position = max(own.version, answer.version), max(own.position, answer.position)
        if sent.then_read:
            self.ask(ctx, GET_ORDER_SUMMARY, own.order)

    # -- reading -------------------------------------------------------------------------------------------------

    def wonder(self, ctx: Context) -> None:
        """A question about something."""
        draw = ctx.stream("question")
        kind, which = draw.below(10), draw.below(REMEMBERED)
        if kind < 7 and self.own:
            names = tuple(self.own)
            self.ask(ctx, GET_ORDER_SUMMARY, names[which % len(names)])
        elif kind < 9:
            self.ask(ctx, GET_CUSTOMER_HISTORY, f"customer {1 + which % self.control.customers}")
        else:
            self.ask(ctx, GET_REVENUE, "")

    def ask(self, ctx: Context, name: str, key: str) -> None:
        """Ask a replica, as fresh as is asked for now, and the table beside it."""
        if len(self.asked) >= PENDING_MAX:
            return
        self.questions += 1
        id = f"{self.name}.{self.incarnation}?{self.questions}"
        own = self.own.get(key) if name == GET_ORDER_SUMMARY else None
        freshness, position = Freshness.ANY, 0
        if own is not None and own.position and self.control.freshness is not Freshness.ANY:
            freshness, position = self.control.freshness, own.position
        asked = Asked(Question(id, name, key, freshness, position, self.control.patience_us), ctx.now_us)
        self.asked[id] = asked
        self.send_question(ctx, asked)
        if self.control.twin:
            self.mirror(ctx, asked.question)

    def send_question(self, ctx: Context, asked: Asked) -> None:
        """To the next replica."""
        nodes = self.control.nodes["replicas"]
        self.turn += 1
        ctx.send(nodes[self.turn % len(nodes)], asked.question)
        ctx.set_timer(f"asked:{asked.question.id}", self.control.timeout_us + self.control.patience_us)

    def ask_again(self, ctx: Context, id: str) -> None:
        """No answer: another replica."""
        asked = self.asked.get(id)
        if asked is None:
            return
        if asked.attempts >= ATTEMPTS:
            del self.asked[id]
            ctx.note(e.QueryFailed(asked.question.key, asked.question.name))
            return
        asked.attempts += 1
        self.send_question(ctx, asked)

    def told(self, ctx: Context, told: Told) -> None:
        """A question was answered. Who learns that a replica is behind asks the next one, for a while."""
        reply = told.reply
        asked = self.asked.get(reply.query_id)
        if asked is None:
            return
        question = asked.question
        ctx.cancel_timer(f"asked:{question.id}")
        waited = ctx.now_us - asked.since_us
        if reply.outcome is Outcome.BEHIND and waited < self.control.patience_us:
            ctx.set_timer(f"elsewhere:{question.id}", ELSEWHERE_US)
            return
        del self.asked[question.id]
        self.meter.called("query", waited, ctx.now_us)
        if reply.outcome in (Outcome.BEHIND, Outcome.TIMED_OUT):
            self.meter.waited_out += 1
            ctx.note(e.AnswerStale(question.key, question.freshness, waited))
        own = self.own.get(question.key)
        if question.name != GET_ORDER_SUMMARY or own is None or reply.outcome is not Outcome.OK:
            return
        shown = version_in(told)
        if shown < own.version:
            self.missed += 1
            self.meter.misses += 1
            ctx.note(e.OwnWriteMissed(question.key, own.version, shown, question.freshness))
        elif question.freshness is not Freshness.ANY:
            ctx.note(e.OwnWriteSeen(question.key, shown, question.freshness, waited))

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """An answer, of the roads or of the table."""
        if src == TWIN:
            id = message.answer.command_id if isinstance(message, Reply) else message.reply.query_id
            since = self.mirrored.pop(id, None)
            if since is not None:
                road = "crud command" if isinstance(message, Reply) else "crud query"
                self.meter.called(road, ctx.now_us - since, ctx.now_us)
        elif isinstance(message, Reply):
            self.replied(ctx, message)
        elif isinstance(message, Told):
            self.told(ctx, message)


def _line(bought: Bought) -> dict[str, str | int]:
    item, quantity, price = bought
    return {"item": item, "quantity": quantity, "price": price}


def version_in(told: Told) -> int:
    """The version of the order that a summary shows; -1: it is not there."""
    return next((row.version for row in told.reply.rows if row.order == told.key), -1)


__all__ = ["Asked", "Own", "Sent", "UserNode", "version_in"]
