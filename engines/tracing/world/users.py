"""The users: requests by a load curve, and ``you``, who send one at a time. They are not traced; the edge begins.

What they see is what counts: the strip shows their latencies, not those of any span.
"""

from dataclasses import dataclass
from typing import Any, Final

from engines.sim.agenda import Agenda
from engines.sim.load import Constant, Curve, Pulse, Ramp, Sine, gap_us
from engines.sim.node import Context
from engines.sim.service import Latencies, exponential_ppm
from engines.tracing.baggage import Member
from engines.tracing.baggage import inject as baggage_headers
from engines.tracing.topology import Entry, Topology
from engines.tracing.world.events import Answered, UserGone
from engines.tracing.world.messages import Call, Reply
from engines.tracing.world.rules import TIMEOUT_OF_USERS_US
from engines.units import US_PER_S

SHAPES: Final = ("off", "steady", "bursts", "wave", "ramp")
PERIOD_US: Final = 20 * US_PER_S
TRAFFIC: Final = ("mixed", "checkout", "product", "home", "cart", "login")
FOCUS: Final = {
    "checkout": "POST /checkout", "product": "GET /product", "home": "GET /home", "cart": "GET /cart",
    "login": "POST /login",
}  # fmt: skip
GOLD_PPM: Final = 200_000


def curve(shape: str, rate: int, now_us: int) -> Curve | None:
    """A shape with this mean rate (requests a second), from now on; None: nobody comes."""
    per_ks = rate * 1_000
    match shape:
        case "steady":
            return Constant(per_ks)
        case "bursts":
            return Pulse(per_ks, 4 * per_ks, now_us + 3 * US_PER_S, US_PER_S)
        case "wave":
            return Sine(per_ks, per_ks * 8 // 10, PERIOD_US)
        case "ramp":
            return Ramp(per_ks // 2, 2 * per_ks, now_us, now_us + PERIOD_US)
    return None


def entries(topology: Topology, traffic: str) -> tuple[Entry, ...]:
    """What the users ask for: everything by its weight, or one kind of request only."""
    if traffic == "mixed":
        return topology.entries
    return tuple(entry for entry in topology.entries if entry.operation == FOCUS[traffic])


@dataclass(slots=True)
class Second:
    """What came back to the users since the last point of the strip."""

    requests: int
    errors: int
    latencies: Latencies


class Users:
    """A host that stands for all users, or for one (``you``)."""

    def __init__(self, asks: tuple[Entry, ...], shape: str, rate: int, life: int) -> None:
        self.asks = asks
        self.shape = shape
        self.rate = rate
        self.curve: Curve | None = None
        self.agenda: Agenda[tuple[str, int]] = Agenda()
        self.waiting: dict[int, tuple[str, int, int]] = {}
        """number -> (operation, when it was sent, the entry of its timeout)"""
        self.second = Second(0, 0, Latencies())
        self.number = life << 32
        self.sent = 0
        self.arrival = 0

    def on_start(self, ctx: Context) -> None:
        """The first request is due after a gap, as every other."""
        self.load(ctx, self.shape, self.rate)

    def on_synced(self, ctx: Context) -> None:
        """They write nothing to a disk."""

    def load(self, ctx: Context, shape: str, rate: int) -> None:
        """From now on requests come like this."""
        self.shape, self.rate = shape, rate
        self.curve = curve(shape, rate, ctx.now_us) if rate and self.asks else None
        self.agenda.cancel(self.arrival)
        if self.curve is not None:
            self.next(ctx)
        self.agenda.arm(ctx)

    def next(self, ctx: Context) -> None:
        """When the next request comes: a Poisson process under the curve."""
        assert self.curve is not None
        gap = gap_us(self.curve, ctx.now_us, exponential_ppm(ctx.stream("arrivals").next()))
        self.arrival = self.agenda.add(ctx.now_us + gap, ("arrive", 0))

    def on_timer(self, ctx: Context, name: str) -> None:
        """A request is due, or one was not answered in time."""
        for what, subject in self.agenda.due(ctx):
            if what == "timeout":
                operation, sent_us, _ = self.waiting.pop(subject)
                ctx.note(UserGone(operation))
                self.came(ctx.now_us - sent_us, True)
            else:
                self.ask(ctx, self.pick(ctx))
                self.next(ctx)
        self.agenda.arm(ctx)

    def pick(self, ctx: Context) -> Entry:
        """What is asked for, by weight."""
        left = ctx.stream("asks").below(sum(entry.weight for entry in self.asks))
        for entry in self.asks:
            if left < entry.weight:
                return entry
            left -= entry.weight
        raise AssertionError("the weights add up")

    def ask(self, ctx: Context, entry: Entry) -> None:
        """Send one request. The baggage says what kind of user it is; nobody but the edge writes it down."""
        self.number += 1
        self.sent += 1
        tier = "gold" if ctx.stream("tiers").chance(GOLD_PPM) else "free"
        headers = tuple(baggage_headers((Member("user.tier", tier),)))
        timeout = self.agenda.add(ctx.now_us + TIMEOUT_OF_USERS_US, ("timeout", self.number))
        self.waiting[self.number] = (entry.operation, ctx.now_us, timeout)
        ctx.send(entry.service, Call(self.number, entry.operation, headers))

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """An answer, perhaps to somebody who has left."""
        if type(message) is Reply and message.number in self.waiting:
            operation, sent_us, timeout = self.waiting.pop(message.number)
            self.agenda.cancel(timeout)
            if not self.rate:
                ctx.note(Answered(src, operation, message.status, ctx.now_us - sent_us))
            self.came(ctx.now_us - sent_us, message.status >= 500)
        self.agenda.arm(ctx)

    def came(self, us: int, failed: bool) -> None:
        """Count an answer, or that there was none."""
        self.second.requests += 1
        self.second.errors += failed
        self.second.latencies.record(max(0, us))

    def take_second(self) -> Second:
        """What there was since the last time."""
        second, self.second = self.second, Second(0, 0, Latencies())
        return second
