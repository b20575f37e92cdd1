"""A traced system in the simulated world: its machines, who is linked to whom, and what is wrong with any of them.

The call graph is sparse, so links are laid only where somebody calls somebody, and from every service to the collector.
What a person can ask of it stands in ``orders``, what there is to see of it in ``view``; ``engine`` runs all three.
"""

from collections import deque
from typing import Any, Final

from engines.sim.events import LossReason
from engines.sim.host import Host
from engines.sim.network import Link, LinkOptions
from engines.sim.node import Node
from engines.sim.options import read
from engines.sim.pattern import Check, Config
from engines.sim.world import World
from engines.tracing.topology import HIT_PPM, QUEUE, Topology
from engines.tracing.verdicts import Trouble
from engines.tracing.world.broker import Broker
from engines.tracing.world.checks import Checks
from engines.tracing.world.collector import Collector
from engines.tracing.world.events import Ordered, RequestSent
from engines.tracing.world.ledger import Ledger
from engines.tracing.world.messages import Export
from engines.tracing.world.node import ServiceNode
from engines.tracing.world.options import Options
from engines.tracing.world.rules import LINK_JITTER_US, LINK_LATENCY_US, TICK_US
from engines.tracing.world.scoring import NOTHING, Findings
from engines.tracing.world.snapshot import SERIES_MAX, Fault, MapEdge, Sample
from engines.tracing.world.telemetry import COLLECTOR
from engines.tracing.world.truth import fault_of
from engines.tracing.world.users import Users, entries

USERS: Final = "users"
YOU: Final = "you"
LINK: Final = LinkOptions(LINK_LATENCY_US, LINK_JITTER_US)
Rates = tuple[int, int, int, int]
"""Calls a second, errors (ppm), p50 and p99 (us)."""


def _links(topology: Topology) -> tuple[tuple[str, str], ...]:
    """Who has anything to say to each other."""
    pairs = [(edge.src, edge.dst) for edge in topology.edges]
    pairs += [(name, COLLECTOR) for name in topology.names if topology.by_name[name].role != QUEUE]
    edges = dict.fromkeys(entry.service for entry in topology.entries)
    pairs += [(client, name) for client in (USERS, YOU) for name in edges]
    return tuple(pairs)


class System(World):
    """The machines of one variant."""

    def __init__(self, variant: str, seed: int, config: Config) -> None:
        options = read(Options, config)
        topology = Topology(seed, options.services)
        servers = (*reversed(topology.names), COLLECTOR)
        super().__init__(seed, servers, (USERS, YOU), LINK, links=_links(topology))
        self.variant = variant
        self.options = options
        self.topology = topology
        self.control = options.control(variant)
        self.ledger = Ledger()
        self.checks = Checks()
        self.injected: dict[tuple[Trouble, str], Fault] = {}
        self.operations = tuple(entry.operation for entry in self.topology.entries)
        self.turn = 0
        self.tick_due_us = TICK_US
        self.ticks = 0
        self.calls_before = 0
        self.rates: dict[str, Rates] = {}
        self.map_edges: tuple[MapEdge, ...] = ()
        self.series: deque[Sample] = deque(maxlen=SERIES_MAX)
        self.findings: Findings = NOTHING
        self.named_before = ("", "")

    def make_node(self, host: Host) -> Node:
        """A service, a queue, the users or the collector."""
        if host.id == COLLECTOR:
            return Collector(self.control, self.ledger, self.options.store_spans)
        if host.id in self.clients:
            rate = self.options.rate if host.id == USERS else 0
            asks = entries(self.topology, self.options.traffic if host.id == USERS else "mixed")
            return Users(asks, self.options.load, rate, host.incarnation)
        service = self.topology.by_name[host.id]
        if service.role == QUEUE:
            return Broker(service, host.incarnation)
        return ServiceNode(service, self.topology, self.control, self.ledger, host.incarnation)

    def lost(self, link: Link, message: object, why: LossReason) -> None:
        """A message is gone. Spans that were in it will never reach the collector."""
        if type(message) is Export:
            for span in message.spans:
                self.ledger.lost(span.span_id, span.trace_id)
        super().lost(link, message, why)

    def crash(self, host: Host) -> None:
        """What a service had recorded and not sent is gone, and the spans that were open never end."""
        node: Any = host.node
        if isinstance(node, ServiceNode) and host.status != "crashed":
            for span in (*node.tracer.buffer, *(span for spans in node.held.values() for span in spans)):
                self.ledger.lost(span.span_id, span.trace_id)
            begun = [job.span for job in node.jobs.values()]
            begun += [out.span for out in node.calls.values() if out.span is not None]
            for open_span in begun:
                if open_span.context.sampled:
                    self.ledger.lost(open_span.context.span_id, open_span.context.trace_id)
        elif isinstance(node, Collector) and host.status != "crashed":
            self.ledger.forget((*node.store.trace_ids(), *node.store.evicted_ids(), *node.quiet, *node.dropped))
        super().crash(host)

    def check(self) -> tuple[Check, ...]:
        """The guarantees."""
        return self.checks.results()

    # -- who is who --------------------------------------------------------------------------------------------

    def node(self, name: str) -> ServiceNode | Broker:
        """The node of a service or a queue."""
        node = self.hosts[name].node
        assert isinstance(node, ServiceNode | Broker)
        return node

    def collector(self) -> Collector:
        """The collector."""
        node = self.hosts[COLLECTOR].node
        assert isinstance(node, Collector)
        return node

    def users(self, name: str = USERS) -> Users:
        """The users, or ``you``."""
        node = self.hosts[name].node
        assert isinstance(node, Users)
        return node

    # -- what befalls them --------------------------------------------------------------------------------------------

    def tell(self, command: Any) -> None:
        """A line in the journal: what was done."""
        fault = fault_of(command, self.topology, self.clock.now_us)
        self.record(Ordered(command, fault[0].usual if fault is not None else 0), getattr(command, "service", ""))

    def recover(self) -> None:
        """Nothing is wrong with any service any more."""
        self.injected.clear()
        for name, trouble in self.control.troubles.items():
            if trouble.cold_ppm or self.topology.by_name[name].hit_ppm:
                self.warm(name, HIT_PPM)
            trouble.clear()
            self.resize(name)
        self.control.attempts, self.control.backoff = self.options.attempts, self.options.backoff

    def resize(self, name: str) -> None:
        """A pool has another size."""
        node = self.node(name)
        if isinstance(node, ServiceNode):
            node.resize(self.hosts[name])

    def warm(self, name: str, ppm: int) -> None:
        """A cache has this share of what it is asked for."""
        node = self.node(name)
        assert isinstance(node, ServiceNode)
        node.hit_ppm = ppm

    def ask(self, operation: str) -> None:
        """``you`` send a request."""
        name = operation or self.operations[self.turn % len(self.operations)]
        self.turn += 0 if operation else 1
        entry = next(each for each in self.topology.entries if each.operation == name)
        host, node = self.hosts[YOU], self.users(YOU)
        self.record(RequestSent(entry.service, name), YOU)
        node.ask(host, entry)
        node.agenda.arm(host)
