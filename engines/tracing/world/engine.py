"""A traced system in the simulated world: services, queues, users and the collector.

The call graph is sparse, so links are laid only where somebody calls somebody, and from every service to the collector.
"""

from collections import deque
from typing import Any, Final

from engines.sim import faults
from engines.sim.network import Link, LinkOptions
from engines.sim.node import Node
from engines.sim.pattern import Check, Config
from engines.sim.world import Host, World
from engines.tracing.topology import HIT_PPM, QUEUE, Topology
from engines.tracing.world import options as o
from engines.tracing.world import orders
from engines.tracing.world.broker import Broker
from engines.tracing.world.collector import Collector
from engines.tracing.world.invariants import Invariants
from engines.tracing.world.ledger import Ledger
from engines.tracing.world.messages import Export
from engines.tracing.world.node import ServiceNode
from engines.tracing.world.rules import LINK_JITTER_US, LINK_LATENCY_US, TICK_US, WINDOW_TICKS
from engines.tracing.world.scoring import NOTHING, Findings, find
from engines.tracing.world.snapshot import SERIES_MAX, Fault, MapEdge, Sample, Snapshot
from engines.tracing.world.telemetry import COLLECTOR
from engines.tracing.world.truth import fault_of
from engines.tracing.world.users import Users, entries
from engines.tracing.world.view import View

USERS: Final = "users"
YOU: Final = "you"
LINK: Final = LinkOptions(LINK_LATENCY_US, LINK_JITTER_US)
Rates = tuple[int, int, int, int]
"""Calls a second, errors (ppm), p50 and p99 (us)."""


class TracingEngine(World):
    """A system of one variant."""

    def __init__(self, variant: str, seed: int, config: Config) -> None:
        options = o.read(config)
        super().__init__(seed, (), (), LINK)
        self.variant = variant
        self.options = options
        self.topology = Topology(seed, options.services)
        self.control = options.control(variant)
        self.ledger = Ledger()
        self.invariants = Invariants()
        self.injected: dict[tuple[str, str], Fault] = {}
        self.operations = tuple(entry.operation for entry in self.topology.entries)
        self.turn = 0
        self.tick_due_us = TICK_US
        self.ticks = 0
        self.calls_before = 0
        self.rates: dict[str, Rates] = {}
        self.map_edges: tuple[MapEdge, ...] = ()
        self.series: deque[Sample] = deque(maxlen=SERIES_MAX)
        self.findings: Findings = NOTHING
        self.told_verdict = ("", "")
        self.cue: tuple[int, str] | None = None
        self.view = View()
        self.lay()
        self.begin()

    def lay(self) -> None:
        """Hosts, and the links between those who have anything to say to each other."""
        topology = self.topology
        self.servers = (*reversed(topology.names), COLLECTOR)
        self.clients = (USERS, YOU)
        self.hosts = {id: Host(self, id) for id in (*self.servers, *self.clients)}
        pairs = [(edge.src, edge.dst) for edge in topology.edges]
        pairs += [(name, COLLECTOR) for name in topology.names if topology.by_name[name].role != QUEUE]
        edges = dict.fromkeys(entry.service for entry in topology.entries)
        pairs += [(client, name) for client in self.clients for name in edges]
        for src, dst in pairs:
            for one, other in ((src, dst), (dst, src)):
                if other not in self.hosts[one].links:
                    self.hosts[one].links[other] = Link(self.seed, one, other, LINK)

    # -- the world's hooks -------------------------------------------------------------------------------------

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

    def observe(self, host: Host) -> None:
        """Take up what the event showed; once a second renew the figures."""
        self.view.touched(host.id)
        if self.ledger.violations:
            self.invariants.take(self.ledger.violations, self.position)
        if self.clock.now_us >= self.tick_due_us:
            self.tick()

    def lost(self, link: Link, message: object, why: str) -> None:
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
            self.ledger.forget((*node.store.trace_ids(), *node.quiet))
        super().crash(host)

    def check(self) -> tuple[Check, ...]:
        """The guarantees."""
        return self.invariants.checks()

    def snapshot(self) -> Snapshot:
        """Everything there is to see."""
        return self.view.take(self)

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

    # -- once a second -------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """A point of the strip, the figures of services and map, and what the tool makes of the spans."""
        now = self.clock.now_us
        self.ticks += 1
        window_us = ((self.ticks - 1) % WINDOW_TICKS + 1 + (WINDOW_TICKS if self.ticks > WINDOW_TICKS else 0)) * TICK_US
        self.tick_due_us = now // TICK_US * TICK_US + TICK_US
        collector = self.collector()
        seconds = [self.users(name).take_second() for name in self.clients]
        both = seconds[0].latencies
        both.add(seconds[1].latencies)
        calls = sum(node.served for node in map(self.node, self.topology.names))
        self.series.append(Sample(
            now, sum(each.requests for each in seconds), sum(each.errors for each in seconds),
            both.quantile_us(500_000), both.quantile_us(900_000), both.quantile_us(990_000),
            collector.received - collector.received_before, calls - self.calls_before,
        ))  # fmt: skip
        self.calls_before = calls
        collector.received_before = collector.received
        self.figure(window_us)
        if self.ticks % WINDOW_TICKS == 0:
            for name in self.topology.names:
                node = self.node(name)
                for figures in (node.figures, *node.edges.values()):
                    figures.roll()
            collector.fade()
        table = self.ticks % WINDOW_TICKS == 0
        self.findings = find(collector, now, tuple(self.injected.values()), self.findings, table)
        named = self.findings.verdicts[:1]
        if named and (named[0].kind, named[0].service) != self.told_verdict:
            self.told_verdict = (named[0].kind, named[0].service)
            self.record("verdict", named[0].service, why=named[0].sentence, what=named[0].kind,
                        score=self.findings.score)  # fmt: skip
        self.view.forget()

    def figure(self, window_us: int) -> None:
        """The figures of the last seconds, by service and by edge."""
        edges = []
        for name in self.topology.names:
            figures = self.node(name).figures
            if figures.total:
                self.rates[name] = (figures.per_s(window_us), figures.errors_ppm(),
                                    *figures.quantiles_us(500_000, 990_000))  # type: ignore[assignment]  # fmt: skip
        for edge in self.topology.edges:
            node = self.node(edge.src)
            breaker = (
                ""
                if isinstance(node, Broker) or edge.dst not in node.breakers
                else (str(node.breakers[edge.dst].state.value))
            )
            found = node.edges.get(edge.dst)
            if found is None:
                edges.append(MapEdge(edge.src, edge.dst, edge.asynchronous, breaker=breaker))
            else:
                edges.append(MapEdge(
                    edge.src, edge.dst, edge.asynchronous, found.per_s(window_us), found.errors_ppm(),
                    found.quantiles_us(990_000)[0], breaker, found.total,
                ))  # fmt: skip
        self.map_edges = tuple(edges)

    # -- commands ----------------------------------------------------------------------------------------------

    def resolve(self, command: Any) -> Any:
        """The command with symbolic names replaced by what they mean now."""
        return orders.resolved(self, command)

    def validate(self, command: Any) -> None:
        """Refuse what makes no sense here."""
        super().validate(command)
        orders.check(self, command)

    def execute(self, command: Any) -> None:
        """Carry out a valid command."""
        self.inject(command)
        self.view.forget()
        if orders.carry_out(self, command):
            return
        match command:
            case faults.Isolate(node=name) | faults.Reconnect(node=name):
                cut = isinstance(command, faults.Isolate)
                for other, link in self.hosts[name].links.items():
                    if other in self.servers:
                        link.cut = self.hosts[other].links[name].cut = cut
                self.record("isolate" if cut else "reconnect", name)
            case faults.Heal():
                self.recover()
                super().execute(command)
            case faults.Narrate(text=text):
                self.cue = (self.clock.now_us, text)
                super().execute(command)
            case _:
                super().execute(command)

    def partition(self, sides: tuple[tuple[str, ...], ...]) -> None:
        """Cut between sides, connect within them, where there are links."""
        side_of = {name: number for number, side in enumerate(sides) for name in side}
        for src in side_of:
            for dst, link in self.hosts[src].links.items():
                if dst in side_of:
                    link.cut = side_of[src] != side_of[dst]
        self.record("partition", sides=sides)

    def inject(self, command: Any) -> None:
        """Remember what is wrong, in words: the truth that the verdict is scored against."""
        found = fault_of(command, self.topology, self.clock.now_us)
        if found is not None:
            fault, on = found
            self.injected.pop((fault.kind, fault.service), None)
            if on:
                self.injected[fault.kind, fault.service] = fault

    def tell(self, command: Any) -> None:
        """A line in the journal: what was done, by its name, with all that was given."""
        fault = fault_of(command, self.topology, self.clock.now_us)
        detail = {field: getattr(command, field) for field in type(command).__slots__ if field != "service"}
        self.record(_snake(type(command).__name__), getattr(command, "service", ""),
                    why=fault[0].text if fault is not None else "", **detail)  # fmt: skip

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
        self.record("request", YOU, entry.service, operation=name)
        node.ask(host, entry)
        node.agenda.arm(host)


def _snake(name: str) -> str:
    """``SetLoad`` as ``set_load``."""
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in name).lstrip("_")
