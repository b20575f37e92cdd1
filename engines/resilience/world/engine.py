"""The service world: clients, ``api``, four services and their databases, on the simulated network.

Besides all faults it understands what ``commands`` lists. Options and rules belong to the world (``shop.py``) and
survive a crash, as configuration does; breakers, lines and calls belong to a machine and do not.
"""

from collections import deque
from typing import Any, Final

from engines.errors import UserError
from engines.resilience.states import State
from engines.resilience.world import commands as c
from engines.resilience.world import events as e
from engines.resilience.world import topology as t
from engines.resilience.world import view
from engines.resilience.world.caller import Caller, Place
from engines.resilience.world.checks import Invariants
from engines.resilience.world.client import YOU, Client
from engines.resilience.world.ledger import SAMPLE_US, Ledger
from engines.resilience.world.messages import Outcome
from engines.resilience.world.node import ServiceNode
from engines.resilience.world.options import options_of
from engines.resilience.world.shop import Change, Shop
from engines.resilience.world.snapshot import Sample, Snapshot
from engines.resilience.world.subject import first_subject, subject
from engines.sim import faults
from engines.sim.events import Skewed
from engines.sim.host import CRASHED, UP, Host
from engines.sim.node import Node
from engines.sim.pattern import Check, Config
from engines.sim.world import World
from engines.units import US_PER_S

FLIGHTS_MAX: Final = 200
SERIES_MAX: Final = 240
"""Two minutes."""


class ResilienceEngine(World):
    """The world of one variant."""

    def __init__(self, variant: str, seed: int, config: Config) -> None:
        options = options_of(variant, config)
        self.variant = variant
        self.topology = t.plan(options.catalog_hosts, options.payment_hosts)
        super().__init__(seed, self.topology.machines(), (t.CLIENTS,), t.LINK)
        self.shop = Shop(options, variant, self.topology)
        self.ledger = Ledger(self.clock, tuple(self.shop.edges), tuple(row.id for row in self.topology.services))
        self.ledger.count_waste = self.shop.rules.count_waste
        self.invariants = Invariants(self.hosts, self.ledger)
        self.series: deque[Sample] = deque(maxlen=SERIES_MAX)
        self.sample_due_us = SAMPLE_US
        self.watch = first_subject(options.mix)
        self.links = view.links_of(self.topology, self.hosts)
        self.begin()

    # -- the world's hooks -------------------------------------------------------------------------------------

    def make_node(self, host: Host) -> Node:
        """A machine of a service, or the clients."""
        service, shop = self.topology.of_host(host.id), self.shop
        place = Place(
            host.id, host.incarnation, service, self.topology, shop.edges, shop.rules, self.clock, self.ledger
        )
        node: Caller
        if service.id == t.CLIENTS:
            node = Client(place, shop.load)
        else:
            node = ServiceNode(place, shop.services[service.id], shop.slow[host.id], shop.sick[host.id])
        for edge in node.by_slot:
            edge.attempts.fault = shop.injected[edge.id]
        return node

    def observe(self, host: Host) -> None:
        """Check what the event changed; sample the strip."""
        self.invariants.observe(host)
        self._tell_due()
        while self.clock.now_us >= self.sample_due_us:
            self._sample(self.sample_due_us)
            self.sample_due_us += SAMPLE_US

    def _sample(self, at_us: int) -> None:
        """A point of the strip; now and then a word on what became of the calls."""
        ledger = self.ledger
        grown = ledger.sample()
        edges = [grown[edge] for edge in self.shop.edges]
        services = [grown[row.id] for row in self.topology.services]
        per_s = US_PER_S // SAMPLE_US
        whole = grown[""]
        latency = ledger.latency[t.edge_id(t.CLIENTS, t.API)]
        busiest = max(self.shop.edges, key=lambda edge: ledger.edges[edge].recent("attempts"))
        self.series.append(Sample(
            at_us, whole["offered"] * per_s, sum(each["attempts"] for each in edges) * per_s, whole["good"] * per_s,
            whole["failed"] * per_s,
            (sum(each["rejected"] for each in edges) + sum(each["refused"] for each in services)) * per_s,
            sum(each["wasted"] for each in services) * per_s, latency.p50_us, latency.p99_us, self._open_breakers(),
            grown[busiest]["attempts"] * per_s,
        ))  # fmt: skip
        if ledger.ceased():
            self._tell()
        if (served := ledger.served(at_us)) is not None:
            self.record(served)

    def _tell(self) -> None:
        """Tell the rest of what happens often."""
        for event, node in self.ledger.flush():
            self.record(event, node)

    def _tell_due(self) -> None:
        """Tell the sums if it is time, and of breakers that moved, behind the sums of before: else a breaker would seem
        to say no after it closed."""
        if self.ledger.due or self.ledger.moves:
            self._tell()
            for node, event in self.ledger.moves:
                self.record(event, node)
            self.ledger.moves.clear()

    def _open_breakers(self) -> int:
        """How many edges have an open breaker somewhere."""
        found = 0
        for host in self.hosts.values():
            for edge in self.caller(host.id).by_slot:
                breaker = edge.protection.breaker
                found += breaker is not None and breaker.state in (State.OPEN, State.FORCED_OPEN)
        return found

    def check(self) -> tuple[Check, ...]:
        """The guarantees."""
        return self.invariants.results()

    def snapshot(self) -> Snapshot:
        """Everything there is to see."""
        shop, ledger, counts = self.shop, self.ledger, self.ledger.whole.counts
        rows = self.topology.services
        return Snapshot(
            now_us=self.now_us,
            seed=self.seed,
            variant=self.variant,
            preset=shop.preset,
            you=YOU,
            services=tuple(view.service(shop, self.hosts, ledger, row) for row in rows),
            edges=tuple(
                view.edge(self.caller(row.hosts[0]).edges[dst], row.id, dst, self.links, ledger)
                for row in rows
                for dst in row.needs
            ),
            flights=self.flights()[:FLIGHTS_MAX],
            calls=view.newest_calls(ledger),
            series=tuple(self.series),
            load=shop.load.view,
            rate_per_s=shop.load.curve.at(self.now_us) // 1_000,
            mix=shop.load.mix,
            offered=counts["offered"],
            good=counts["good"],
            failed=counts["failed"],
            rules=shop.rules.items(),
            checks=self.check(),
            cue=self.cue,
            watch=self.watch,
            wasted_per_s=sum(meter.rates["wasted"] for meter in ledger.services.values()),
            peak_edge=ledger.peak,
            amplified_ppm=ledger.peak_ppm,
        )

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

    # -- faults that mean something else here ------------------------------------------------------------------

    def crash(self, host: Host) -> None:
        """Whatever the machine waited for or worked on is gone."""
        if host.status == CRASHED:
            return
        super().crash(host)
        self.ledger.died(host.id)
        if host.id == t.CLIENTS:
            for root in tuple(self.ledger.running):
                self.ledger.returned(root, Outcome.DIED)

    def skew(self, host: Host, offset_us: int) -> None:
        """Set the wall clock of a host. Everything here runs on monotonic clocks: no timer moves, and none drifts."""
        host.offset_us, host.drift_ppm, host.now_base_us = offset_us, 0, self.now_us
        host.skewed = offset_us != 0

    def heal(self) -> None:
        """Also end injected faults, slowness and sickness."""
        self.shop.heal()
        for host in self.hosts.values():
            self.skew(host, 0)
        self._pass_on(tuple(self.hosts))
        super().heal()

    def _pass_on(self, hosts: tuple[str, ...]) -> None:
        """Let machines be as slow and as sick as they are set."""
        for host in hosts:
            node = self.hosts[host].node
            if isinstance(node, ServiceNode):
                node.slow_percent, node.sick_percent = self.shop.slow[host], self.shop.sick[host]

    # -- commands ----------------------------------------------------------------------------------------------

    def validate(self, command: Any) -> None:
        """Refuse what makes no sense here."""
        super().validate(command)
        self.shop.validate(command)
        if isinstance(command, c.Call | c.Burst) and self.hosts[t.CLIENTS].status != UP:
            raise UserError(f"the clients are {self.hosts[t.CLIENTS].status}: they cannot call")

    def execute(self, command: Any) -> None:
        """Carry out a valid command."""
        if not isinstance(command, c.Call | c.Burst):
            self._tell()  # no sum reaches over a change, and where a story stops it is whole
        self.watch = subject(self.topology, command) or self.watch
        if isinstance(command, c.Call | c.Burst):
            self._call(command)
        elif isinstance(command, faults.Skew):
            self.skew(self.hosts[command.node], command.offset_us)
            self.record(Skewed(command.offset_us, 0), command.node)
        elif (change := self.shop.change(command, self.now_us)) is not None:
            clients = isinstance(change.event, e.LoadSet | e.MixSet)
            self.record(change.event, t.CLIENTS if clients else "")
            self._put_in_force(change)
        else:
            super().execute(command)
        self._tell_due()

    def _call(self, command: c.Call | c.Burst) -> None:
        """Calls at this moment."""
        host, client, mix = self.hosts[t.CLIENTS], self.client(), self.shop.load.mix
        if isinstance(command, c.Call):
            client.call(host, command.what or t.pick(mix, host.stream("your kinds")), YOU)
        else:
            self.record(e.BurstMade(command.count, command.what or mix), t.CLIENTS)
            for _ in range(command.count):
                client.call(host, command.what or t.pick(mix, host.stream("kinds")), t.CLIENTS)
        client.settle(host)

    def _put_in_force(self, change: Change) -> None:
        """Let every machine that runs work under what was changed."""
        shop = self.shop
        self._pass_on(change.hosts)
        if change.rules:
            self.ledger.count_waste = shop.rules.count_waste
            for id in self.hosts:
                self.caller(id).set_rules(shop.rules)
        for service in change.services:
            for id in self.topology.service(service).hosts:
                self._configure(self.hosts[id], service)
        for host in self.hosts.values():
            if host.status == CRASHED:
                continue
            caller = self.caller(host.id)
            mine = [edge for edge in caller.by_slot if edge.id in change.edges]
            for edge in mine:
                if change.order is not None:
                    edge.order_breaker(host, change.order)
                else:
                    edge.install(host, shop.edges[edge.id])
            if isinstance(caller, Client) and change.load:
                caller.next_arrival(host)
                caller.settle(host)
            elif mine and (host.status == UP or change.order is not None):
                caller.settle(host)

    def _configure(self, host: Host, service: str) -> None:
        node = host.node
        assert isinstance(node, ServiceNode)
        node.configure(self.shop.services[service])
        if host.status == UP:
            node.serve_next(host)
            node.settle(host)
