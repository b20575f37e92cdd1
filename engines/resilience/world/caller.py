"""A machine that calls others: its edges, its agenda, and the one place where outcomes come back to it."""

from typing import Any

from engines.resilience.world import messages as m
from engines.resilience.world.agenda import Agenda
from engines.resilience.world.edge import SLOTS, Edge
from engines.resilience.world.ledger import Ledger
from engines.resilience.world.options import EdgeOptions
from engines.resilience.world.rules import Rules
from engines.resilience.world.topology import Service, Topology, edge_id
from engines.resilience.world.watching import watch_hosts
from engines.sim.clock import Clock
from engines.sim.node import Context

SERIAL_BITS = 32
"""A restarted machine counts on from (lives << 32): answers to its former self find nobody."""


class Caller:
    """What clients and services have in common."""

    def __init__(
        self, host: str, lives: int, service: Service, topology: Topology, options: dict[str, EdgeOptions],
        rules: Rules, clock: Clock, ledger: Ledger,
    ) -> None:  # fmt: skip
        self.host = host
        self.service = service.id
        self.clock = clock
        self.ledger = ledger
        self.rules = rules
        self.agenda = Agenda()
        self.serial = lives << SERIAL_BITS
        self.edges: dict[str, Edge] = {}
        for slot, dst in enumerate(service.needs):
            id = edge_id(service.id, dst)
            hosts = topology.service(dst).hosts
            self.edges[dst] = Edge(
                id, slot, host, hosts, options[id], rules, lives << SERIAL_BITS, clock, self.agenda, ledger
            )
        self.by_slot = tuple(self.edges.values())

    def on_start(self, ctx: Context) -> None:
        """Begin."""
        for edge in self.by_slot:
            watch_hosts(edge, ctx)
        self.started(ctx)
        self.settle(ctx)

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """A request or an answer."""
        if isinstance(message, m.Answer):
            slot = message.id % SLOTS
            if slot < len(self.by_slot):
                self.by_slot[slot].answered(ctx, message.id, message.why)
        else:
            self.asked(ctx, src, message)
        self.settle(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Dates of the agenda."""
        for what, edge, id in self.agenda.due(self.clock.now_us):
            if edge:
                self._edge(edge).date(ctx, what, id)
            else:
                self.date(ctx, what, id)
            self.collect(ctx)
        self.settle(ctx)

    def on_synced(self, ctx: Context) -> None:
        """Nothing is kept on disk."""

    def settle(self, ctx: Context) -> None:
        """Take every outcome; ask to be woken for what comes next."""
        self.collect(ctx)
        self.agenda.wake(ctx, self.clock.now_us)

    def collect(self, ctx: Context) -> None:
        """Take the outcomes of the edges until there are none."""
        again = True
        while again:
            again = False
            for edge in self.by_slot:
                if edge.todo:
                    edge.pump(ctx)
                while edge.outcomes:
                    job, why = edge.outcomes.popleft()
                    self.returned(ctx, edge, job, why)
                    again = True

    def obey(self, rules: Rules) -> None:
        """Rules of a person."""
        self.rules = rules
        for edge in self.by_slot:
            edge.rules = rules

    def _edge(self, id: str) -> Edge:
        return next(edge for edge in self.by_slot if edge.id == id)

    # -- for the subclass --------------------------------------------------------------------------------------

    def started(self, ctx: Context) -> None:
        """The machine begins to live."""

    def asked(self, ctx: Context, src: str, request: m.Request) -> None:
        """Somebody wants something."""
        raise NotImplementedError

    def date(self, ctx: Context, what: str, id: int) -> None:
        """A date of its own is due."""
        raise NotImplementedError

    def returned(self, ctx: Context, edge: Edge, job: int, why: str) -> None:
        """A call it made has ended."""
        raise NotImplementedError
