"""The clients: a load that does not wait for answers, as a crowd of people is, and ``you``.

They stand for many machines but share one pipeline, so that their breaker, their retries and their budget can be seen.
"""

from typing import Final

from engines.resilience.deadline import NEVER
from engines.resilience.world import events as e
from engines.resilience.world.agenda import Due
from engines.resilience.world.caller import Caller, Place
from engines.resilience.world.edge import Edge, Ended
from engines.resilience.world.ledger import RUNNING_MAX
from engines.resilience.world.load import Load
from engines.resilience.world.messages import Origin, Outcome
from engines.resilience.world.topology import API, pick
from engines.sim.load import gap_us
from engines.sim.node import Context
from engines.sim.service import exponential_ppm
from engines.units import PPM, US_PER_S

YOU: Final = "you"
LOOK_AGAIN_US: Final = US_PER_S
"""Without load, clients look again after this time."""
LONGEST_US: Final = 20 * US_PER_S
"""No call is planned further ahead than this."""


class Client(Caller):
    """All clients together."""

    def __init__(self, place: Place, load: Load) -> None:
        super().__init__(place)
        self.load = load
        self.arrival = 0
        """The scheduled next call."""

    def started(self, ctx: Context) -> None:
        """The first call comes within its gap."""
        self.next_arrival(ctx)

    def next_arrival(self, ctx: Context) -> None:
        """Schedule the next call; anew whenever the load changes."""
        self.agenda.cancel(self.arrival)
        now, load = self.clock.now_us, self.load
        if not load.curve.at(now):
            self.arrival = self.agenda.add(now + LOOK_AGAIN_US, Due("look"))
            return
        area = exponential_ppm(ctx.stream("arrivals").next()) if load.view.poisson else PPM
        wait_us = gap_us(load.curve, now, area, LONGEST_US)
        self.arrival = self.agenda.add(now + wait_us, Due("arrive" if wait_us < LONGEST_US else "look"))

    def due(self, ctx: Context, what: str, id: int) -> None:
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
            self._answered(ctx, root, Outcome.CAPPED, None)
        else:
            if client == YOU:
                ctx.note(e.YouCalled(root, kind))
            self.edges[API].begin(ctx, root, root, kind, NEVER)
        return root

    def returned(self, ctx: Context, edge: Edge, ended: Ended) -> None:
        """A call has its answer."""
        self._answered(ctx, ended.job, ended.why, ended.origin)

    def _answered(self, ctx: Context, root: int, why: Outcome, origin: Origin | None) -> None:
        call = self.ledger.returned(root, why, origin)
        if call is not None and call.client == YOU:
            ctx.note(e.YouAnswered(root, why, origin, call.took_us, call.requests))
