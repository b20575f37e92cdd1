"""A machine that calls others: its edges, its agenda, and the one place where outcomes come back to it."""

from typing import Any, NamedTuple

from engines.resilience.world.agenda import Schedule
from engines.resilience.world.attempts import SLOTS
from engines.resilience.world.edge import Edge, Ended
from engines.resilience.world.ledger import Ledger
from engines.resilience.world.messages import Answer, Request
from engines.resilience.world.options import EdgeOptions
from engines.resilience.world.rules import ResilienceRules
from engines.resilience.world.topology import Service, Topology, edge_id
from engines.sim.clock import Clock
from engines.sim.node import Context

SERIAL_BITS = 32
"""A restarted machine counts on from (lives << 32): answers to its former self find nobody."""


class Place(NamedTuple):
    """Where a machine stands, and what it works under."""

    host: str
    lives: int
    """How often it was started before."""
    service: Service
    topology: Topology
    edges: dict[str, EdgeOptions]
    rules: ResilienceRules
    clock: Clock
    ledger: Ledger


class Caller:
    """What clients and services have in common."""

    def __init__(self, place: Place) -> None:
        self.host = place.host
        self.service = place.service.id
        self.clock = place.clock
        self.ledger = place.ledger
        self.rules = place.rules
        self.agenda = Schedule(place.clock)
        self.serial = place.lives << SERIAL_BITS
        self.edges: dict[str, Edge] = {}
        for slot, dst in enumerate(place.service.needs):
            id = edge_id(self.service, dst)
            hosts = place.topology.service(dst).hosts
            self.edges[dst] = Edge(
                id, slot, self.host, hosts, place.edges[id], self.rules, self.serial, self.clock, self.agenda,
                self.ledger,
            )  # fmt: skip
        self.by_slot = tuple(self.edges.values())

    def on_start(self, ctx: Context) -> None:
        """Begin."""
        for edge in self.by_slot:
            edge.schedule_sweep()
        self.started(ctx)
        self.settle(ctx)

    def on_message(self, ctx: Context, src: str, message: Any) -> None:
        """A request or an answer."""
        if isinstance(message, Answer):
            slot = message.id % SLOTS
            if slot < len(self.by_slot):
                self.by_slot[slot].answered(ctx, message)
        else:
            self.asked(ctx, src, message)
        self.settle(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Something in the agenda is due."""
        for due in self.agenda.due(ctx):
            if due.edge:
                next(each for each in self.by_slot if each.id == due.edge).due(ctx, due.what, due.id)
            else:
                self.due(ctx, due.what, due.id)
            self.collect(ctx)
        self.settle(ctx)

    def on_synced(self, ctx: Context) -> None:
        """Nothing is kept on disk."""

    def settle(self, ctx: Context) -> None:
        """Take every outcome; ask to be woken for what comes next."""
        self.collect(ctx)
        self.agenda.arm(ctx)

    def collect(self, ctx: Context) -> None:
        """Take the outcomes of the edges until there are none."""
        again = True
        while again:
            again = False
            for edge in self.by_slot:
                if edge.todo:
                    edge.pump(ctx)
                while edge.outcomes:
                    self.returned(ctx, edge, edge.outcomes.popleft())
                    again = True

    def set_rules(self, rules: ResilienceRules) -> None:
        """Work under other rules from now on."""
        self.rules = rules
        for edge in self.by_slot:
            edge.rules = rules

    # -- for the subclass --------------------------------------------------------------------------------------

    def started(self, ctx: Context) -> None:
        """The machine begins to live."""

    def asked(self, ctx: Context, src: str, request: Request) -> None:
        """Somebody wants something."""
        raise NotImplementedError

    def due(self, ctx: Context, what: str, id: int) -> None:
        """Something that it scheduled itself is due."""
        raise NotImplementedError

    def returned(self, ctx: Context, edge: Edge, ended: Ended) -> None:
        """A call it made has ended."""
        raise NotImplementedError
