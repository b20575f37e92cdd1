"""The clients: a load that does not wait for answers, as a crowd of people is, and ``you``.

They stand for many machines but share one pipeline, so that their breaker, their retries and their budget can be seen.
"""

from typing import Final

from engines.resilience.deadline import NEVER
from engines.resilience.world import messages as m
from engines.resilience.world.caller import Caller
from engines.resilience.world.edge import Edge
from engines.resilience.world.ledger import RUNNING_MAX
from engines.resilience.world.topology import API, pick
from engines.sim.clock import US_PER_S
from engines.sim.network import PPM
from engines.sim.node import Context
from engines.sim.service import Constant, Curve, Pulse, Ramp, Sine, exponential_ppm, gap_us

YOU: Final = "you"
LOOK_AGAIN_US: Final = US_PER_S
"""Without load, clients look again after this time."""
LONGEST_US: Final = 20 * US_PER_S
"""No call is planned further ahead than this."""


def curve(shape: str, per_s: int, to_per_s: int, span_s: int, now_us: int) -> Curve:
    """A load that begins now."""
    low, high, span_us = per_s * 1_000, to_per_s * 1_000, span_s * US_PER_S
    match shape:
        case "ramp":
            return Ramp(low, high, now_us, now_us + span_us)
        case "pulse":
            return Pulse(low, high, now_us, span_us)
        case "sine":
            return Sine((low + high) // 2, (high - low) // 2, span_us)
        case "off":
            return Constant(0)
        case _:
            return Constant(low)


class Load:
    """What the clients do at present, and in words."""

    __slots__ = ("curve", "mix", "poisson", "words")

    def __init__(self, curve: Curve, poisson: bool, mix: str, words: str) -> None:
        self.curve = curve
        self.poisson = poisson
        self.mix = mix
        self.words = words


class Client(Caller):
    """All clients together."""

    load: Load

    def started(self, ctx: Context) -> None:
        """The first call comes within its gap."""
        self.arrival = 0
        self.next_arrival(ctx)

    def next_arrival(self, ctx: Context) -> None:
        """Put the next call down; anew whenever the load changes."""
        self.agenda.cancel(self.arrival)
        now, load = self.clock.now_us, self.load
        if not load.curve.at(now):
            self.arrival = self.agenda.add(now + LOOK_AGAIN_US, "look")
            return
        area = exponential_ppm(ctx.stream("arrivals").next()) if load.poisson else PPM
        wait_us = gap_us(load.curve, now, area, LONGEST_US)
        self.arrival = self.agenda.add(now + wait_us, "arrive" if wait_us < LONGEST_US else "look")

    def date(self, ctx: Context, what: str, id: int) -> None:
        """The next call is due, or the time to look again."""
        if what == "arrive":
            self.call(ctx, pick(self.load.mix, ctx.stream("kinds")), "clients")
        self.next_arrival(ctx)

    def call(self, ctx: Context, kind: str, client: str) -> int:
        """Make a call now; its number."""
        self.serial += 1
        root = self.serial
        self.ledger.offered(root, client, kind)
        if len(self.ledger.running) > RUNNING_MAX:
            self._told(ctx, root, m.CAPPED)
        else:
            if client == YOU:
                ctx.note("called", kind, call=root)
            self.edges[API].begin(ctx, root, root, kind, NEVER)
        return root

    def returned(self, ctx: Context, edge: Edge, job: int, why: str) -> None:
        """A call has its answer."""
        self._told(ctx, job, why)

    def _told(self, ctx: Context, root: int, why: str) -> None:
        call = self.ledger.returned(root, why)
        if call is not None and call.client == YOU:
            ctx.note("answered", m.WORDS[why], call=root, outcome=why, took_us=call.took_us, attempts=call.attempts)
