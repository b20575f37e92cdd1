"""A run of a traced system: what each event showed, the figures of every second, and the commands of a person."""

from typing import Any, Final

from engines.sim import events, faults
from engines.sim.host import Host
from engines.sim.pattern import Config
from engines.tracing.verdicts import Trouble
from engines.tracing.world import orders
from engines.tracing.world.broker import Broker
from engines.tracing.world.events import VerdictChanged
from engines.tracing.world.rules import TICK_US, WINDOW_TICKS
from engines.tracing.world.scoring import find
from engines.tracing.world.snapshot import MapEdge, Sample, Snapshot
from engines.tracing.world.system import System
from engines.tracing.world.truth import fault_of
from engines.tracing.world.view import SnapshotBuilder
from engines.units import US_PER_S

SHOWN_AFTER: Final = (Trouble.CRASH, Trouble.FREEZE)
"""What the spans show only when it is over, or long after."""
REMEMBERED_US: Final = 20 * US_PER_S
"""So long after its end such a fault still counts."""


class TracingEngine(System):
    """A system of one variant."""

    def __init__(self, variant: str, seed: int, config: Config) -> None:
        super().__init__(variant, seed, config)
        self.view = SnapshotBuilder()
        self.begin()

    # -- the world's hooks -------------------------------------------------------------------------------------

    def observe(self, host: Host) -> None:
        """Take up what the event showed; once a second renew the figures."""
        self.view.touched(host.id)
        if self.ledger.violations:
            self.checks.take(self.ledger.violations, self.position, self.clock.now_us)
        if self.clock.now_us >= self.tick_due_us:
            self.tick()

    def snapshot(self) -> Snapshot:
        """Everything there is to see."""
        return self.view.take(self)

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
        for key, fault in tuple(self.injected.items()):
            if 0 <= fault.over_us < now - REMEMBERED_US:
                del self.injected[key]
        table = self.ticks % WINDOW_TICKS == 0
        self.findings = find(collector, now, tuple(self.injected.values()), self.findings, table)
        named = self.findings.verdicts[:1]
        if named and (named[0].kind, named[0].service) != self.named_before:
            self.named_before = (named[0].kind, named[0].service)
            self.record(VerdictChanged(named[0], self.findings.score), named[0].service)
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
                self.record(events.Isolated() if cut else events.Reconnected(), name)
            case faults.Heal():
                self.recover()
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
        self.record(events.Partitioned(sides))

    def inject(self, command: Any) -> None:
        """Remember what is wrong, in words: the truth that the verdict is scored against."""
        found = fault_of(command, self.topology, self.clock.now_us)
        if found is not None:
            fault, on = found
            before = self.injected.pop((fault.kind, fault.service), None)
            if on:
                self.injected[fault.kind, fault.service] = fault
            elif before is not None and fault.kind in SHOWN_AFTER:
                self.injected[fault.kind, fault.service] = before._replace(over_us=fault.at_us)
