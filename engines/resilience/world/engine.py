"""The service world: clients, ``api``, four services and their databases, on the simulated network.

Besides all faults it understands what ``commands`` lists. Options and rules belong to the world and survive a crash, as
configuration does; breakers, lines and calls belong to a machine and do not.
"""

from collections import deque
from typing import Any, Final

from engines.resilience.states import State
from engines.resilience.world import messages as m
from engines.resilience.world import topology as t
from engines.resilience.world.caller import Caller
from engines.resilience.world.checks import Invariants
from engines.resilience.world.client import Client, Load, curve
from engines.resilience.world.ledger import SAMPLE_US, Ledger
from engines.resilience.world.node import ServiceNode
from engines.resilience.world.options import EdgeOptions, edge_options, read
from engines.resilience.world.orders import carry_out, check
from engines.resilience.world.records import InjectedFault
from engines.resilience.world.snapshot import Sample, Snapshot
from engines.resilience.world.view import take
from engines.resilience.world.watch import about, watched
from engines.sim import faults
from engines.sim.clock import US_PER_MS, US_PER_S
from engines.sim.node import Node
from engines.sim.pattern import Check, Config
from engines.sim.world import CRASHED, Host, World

SERIES_MAX: Final = 240
"""Two minutes."""


class Dials:
    """What a person has set at a service: kept by the world, so that a restarted machine gets it again."""

    __slots__ = ("newest_first", "queue_max", "shape", "shed_us", "usual_us", "workers")

    def __init__(self, workers: int, queue_max: int, shed_us: int, usual_us: int, shape: str) -> None:
        self.workers = workers
        self.queue_max = queue_max
        self.shed_us = shed_us
        self.newest_first = False
        self.usual_us = usual_us
        self.shape = shape


class ResilienceEngine(World):
    """The world of one variant."""

    def __init__(self, variant: str, seed: int, config: Config) -> None:
        options = read(variant, config)
        self.variant = variant
        self.preset = options.preset
        self.topology = t.plan(options.catalog_hosts, options.payment_hosts)
        super().__init__(seed, self.topology.machines(), (t.CLIENTS,), t.LINK)
        self.rules = options.rules
        rows = self.topology.services
        self.edges: dict[str, EdgeOptions] = {
            t.edge_id(row.id, dst): edge_options(options, variant, row.id) for row in rows for dst in row.needs
        }
        slow = dict(options.slow)
        self.dials = {
            row.id: Dials(
                options.api_workers if row.id == t.API else options.workers,
                options.queue,
                options.shed_ms * US_PER_MS,
                slow[row.id] * US_PER_MS if row.id in slow else t.USUAL_US[row.id],
                options.shape,
            )
            for row in rows
            if row.id != t.CLIENTS
        }
        self.slow = {host: 100 for row in rows for host in row.hosts}
        self.sick = {host: 0 for row in rows for host in row.hosts}
        self.ledger = Ledger(self.clock, tuple(self.edges), tuple(row.id for row in rows))
        self.ledger.count_waste = self.rules.count_waste
        self.istio = {edge: InjectedFault() for edge in self.edges}
        words = f"{options.rate} a second, {'at random' if options.poisson else 'evenly paced'}"
        self.load = Load(curve("steady", options.rate, 0, 1, 0), options.poisson, options.mix, words)
        self.invariants = Invariants(self.hosts, self.ledger)
        self.series: deque[Sample] = deque(maxlen=SERIES_MAX)
        self.sample_due_us = SAMPLE_US
        self.cue: tuple[int, str] | None = None
        self.watch = watched(options.mix)
        self.links = {
            t.edge_id(row.id, dst): tuple(
                link
                for a in row.hosts
                for b in self.topology.service(dst).hosts
                for link in (self.hosts[a].links[b], self.hosts[b].links[a])
            )
            for row in rows
            for dst in row.needs
        }
        """The links of every edge, both ways."""
        self.begin()

    # -- the world's hooks -------------------------------------------------------------------------------------

    def make_node(self, host: Host) -> Node:
        """A machine of a service, or the clients."""
        service = self.topology.of_host(host.id)
        given = (host.id, host.incarnation, service, self.topology, self.edges, self.rules, self.clock, self.ledger)
        node: Caller
        if service.id == t.CLIENTS:
            node = Client(*given)
            node.load = self.load
        else:
            node = ServiceNode(*given)
            dials = self.dials[service.id]
            usual = t.service_time(dials.usual_us, dials.shape)
            node.equip(dials.workers, dials.queue_max, dials.shed_us, dials.newest_first, usual)
            node.slow_percent, node.sick_percent = self.slow[host.id], self.sick[host.id]
        for edge in node.by_slot:
            edge.fault = self.istio[edge.id]
        return node

    def observe(self, host: Host) -> None:
        """Check what the event changed; sample the strip."""
        self.invariants.observe(host)
        while self.clock.now_us >= self.sample_due_us:
            self.sample(self.sample_due_us)
            self.sample_due_us += SAMPLE_US

    def sample(self, at_us: int) -> None:
        """A point of the strip."""
        grown = self.ledger.sample()
        edges = [grown[edge] for edge in self.edges]
        services = [grown[row.id] for row in self.topology.services]
        per_s = US_PER_S // SAMPLE_US
        whole = grown[""]
        latency = self.ledger.latency[t.edge_id(t.CLIENTS, t.API)]
        busiest = max(self.edges, key=lambda edge: self.ledger.edges[edge].recent("attempts"))
        self.series.append(Sample(
            at_us, whole["offered"] * per_s, sum(each["attempts"] for each in edges) * per_s, whole["good"] * per_s,
            whole["failed"] * per_s,
            (sum(each["rejected"] for each in edges) + sum(each["refused"] for each in services)) * per_s,
            sum(each["wasted"] for each in services) * per_s, latency.p50_us, latency.p99_us, self.open_breakers(),
            grown[busiest]["attempts"] * per_s,
        ))  # fmt: skip

    def open_breakers(self) -> int:
        """How many edges have an open breaker somewhere."""
        found = 0
        for host in self.hosts.values():
            for edge in self.caller(host.id).by_slot:
                breaker = edge.gear.breaker
                found += breaker is not None and breaker.state in (State.OPEN, State.FORCED_OPEN)
        return found

    def check(self) -> tuple[Check, ...]:
        """The guarantees."""
        return self.invariants.checks()

    def snapshot(self) -> Snapshot:
        """Everything there is to see."""
        return take(self)

    # -- who is who --------------------------------------------------------------------------------------------

    def caller(self, host: str) -> Caller:
        """The node of a host."""
        node = self.hosts[host].node
        assert isinstance(node, Caller)
        return node

    def client(self) -> Client:
        """The clients."""
        node = self.hosts[t.CLIENTS].node
        assert isinstance(node, Client)
        return node

    def machines(self, name: str) -> tuple[str, ...]:
        """The hosts of a service, or the one host of this name; KeyError if there is neither."""
        for service in self.topology.services:
            if name == service.id:
                return service.hosts
            if name in service.hosts:
                return (name,)
        raise KeyError(name)

    # -- faults that mean something else here ------------------------------------------------------------------

    def skew(self, host: Host, offset_us: int, drift_ppm: int) -> None:
        """Set the wall clock of a host. Everything here runs on monotonic clocks: no timer moves, and none drifts."""
        host.offset_us = offset_us
        host.now_base_us = self.clock.now_us
        host.skewed = offset_us != 0

    def crash(self, host: Host) -> None:
        """Whatever the machine waited for or worked on is gone."""
        if host.status == CRASHED:
            return
        super().crash(host)
        self.ledger.died(host.id)
        if host.id == t.CLIENTS:
            for root in tuple(self.ledger.running):
                self.ledger.returned(root, m.DIED)

    def heal(self) -> None:
        """Also end injected faults, slowness and sickness."""
        for fault in self.istio.values():
            fault.clear()
        for host in self.hosts:
            self.slow[host], self.sick[host] = 100, 0
            self.pass_on(host)
        super().heal()

    def pass_on(self, host: str) -> None:
        """Give a machine what is set for it."""
        node = self.hosts[host].node
        if isinstance(node, ServiceNode):
            node.slow_percent, node.sick_percent = self.slow[host], self.sick[host]

    # -- commands ----------------------------------------------------------------------------------------------

    def validate(self, command: Any) -> None:
        """Refuse what makes no sense here."""
        super().validate(command)
        check(self, command)

    def execute(self, command: Any) -> None:
        """Carry out a valid command."""
        if isinstance(command, faults.Narrate):
            self.cue = (self.now_us, command.text)
        self.watch = about(self.topology, command) or self.watch
        if not carry_out(self, command):
            super().execute(command)
