"""A sharded cluster in the simulated world: nodes, ``cfg``, clients, perhaps a router.

Besides all faults it understands what ``commands`` lists. Orders go to ``cfg`` as an operator's would: if it is down,
they are refused. Everything else is said in messages.
"""

from collections import deque
from dataclasses import replace
from typing import Any, Final

from engines.sharding.balance import balance
from engines.sharding.world import commands as c
from engines.sharding.world import events as e
from engines.sharding.world import options as o
from engines.sharding.world.bootstrap import bootstrap
from engines.sharding.world.capture import take
from engines.sharding.world.checks import ClusterChecks
from engines.sharding.world.client import Client, Load, make_load
from engines.sharding.world.cluster import ROUTER, YOU, Cluster
from engines.sharding.world.coordinator import CFG_ID, Coordinator
from engines.sharding.world.node import ShardNode
from engines.sharding.world.orders import check, order_of
from engines.sharding.world.requests import Requests
from engines.sharding.world.router import Router
from engines.sharding.world.snapshot import Sample, Snapshot
from engines.sharding.world.symbols import resolved
from engines.sim import faults
from engines.sim.host import UP, Host
from engines.sim.network import LinkOptions
from engines.sim.node import Node
from engines.sim.pattern import Check, Config
from engines.sim.rules import RuleSwitched, SetRule
from engines.sim.world import World
from engines.units import US_PER_MS

LINK: Final = LinkOptions(50 * US_PER_MS, 30 * US_PER_MS)
SERIES_EVERY_US: Final = 250 * US_PER_MS
SERIES_MAX: Final = 600
SERIAL_BITS: Final = 32
"""A restarted client counts on from (lives << 32): answers to its former self find nobody."""


class ShardingEngine(World):
    """The cluster of one variant."""

    def __init__(self, variant: str, seed: int, config: Config) -> None:
        options = o.read(config)
        self.variant = variant
        self.options = options
        base = bootstrap(variant, seed, options)
        workers = tuple(f"c{i}" for i in range(1, options.clients + 1))
        clients = (*workers, YOU, *((ROUTER,) if options.router else ()))
        super().__init__(seed, (*base.machines, CFG_ID), clients, LINK)
        self.cluster = Cluster(variant, options, base, self.hosts, self.clock)
        for id, registers in base.disks.items():
            self.hosts[id].disk.registers.update(registers)
        self.checks = ClusterChecks(self.cluster)
        self.series: deque[Sample] = deque(maxlen=SERIES_MAX)
        self.sample_due_us = 0
        self.sampled = (0, 0)
        self.begin()

    # -- the world's hooks -------------------------------------------------------------------------------------

    def make_node(self, host: Host) -> Node:
        """A machine, ``cfg``, a client or the router."""
        it = self.cluster
        if host.id == CFG_ID:
            it.balancing.forget()
            node = Coordinator(host.disk, it.first_map, it.atlas, it.keys, it.balancing)
            node.pace = node.pace or self.options.bandwidth
            return node
        if host.id in it.machines:
            first = it.first_map if host.id in it.first_map.nodes else it.cfg().map
            machine = ShardNode(host.id, host.disk, first, it.atlas, it.rules, it.ledger, it.sizes)
            machine.pace = self.options.bandwidth
            return machine
        home = ROUTER if self.options.router and host.id != ROUTER else ""
        requests = Requests(host.id, it.first_map, it.atlas, it.ledger, home)
        requests.serial = host.incarnation << SERIAL_BITS
        if host.id == ROUTER:
            return Router(host.id, requests)
        client = Client(host.id, requests, it.load, it.ledger, it.history)
        client.serial = host.incarnation << SERIAL_BITS
        return client

    def add_machine(self, id: str) -> None:
        """A new host with links to all others; it waits to be told of a plan."""
        self.cluster.machines = (*self.cluster.machines, id)
        self.add_host(id)
        self.servers = (*self.cluster.machines, CFG_ID)

    def observe(self, host: Host) -> None:
        """Check what the event changed; sample the strip."""
        self.checks.observe(host)
        if self.clock.now_us >= self.sample_due_us:
            self.sample_due_us = self.clock.now_us // SERIES_EVERY_US * SERIES_EVERY_US + SERIES_EVERY_US
            self.sample()

    def sample(self) -> None:
        """A point of the strip, and a look at the numbers of copies."""
        it = self.cluster
        ledger, cfg, members = it.ledger, it.cfg(), it.members
        ledger.roll()
        ops = ledger.ops_by_node()
        total = sum(ops.values())
        busy = balance([ops.get(node, 0) for node in members])
        stored = balance([it.stored_on(node) for node in members])
        hottest = max(ledger.ops_by_key().values(), default=0)
        redirects, failed = ledger.redirects, ledger.failed
        self.series.append(Sample(
            self.clock.now_us, ledger.per_ks(total), round(busy.peak_to_mean * 1_000_000) if total else 0,
            hottest * 1_000_000 // total if total else 0, round(stored.peak_to_mean * 1_000_000), it.to_move(),
            redirects - self.sampled[0], failed - self.sampled[1], cfg.map.epoch,
        ))  # fmt: skip
        self.sampled = (redirects, failed)
        all_up = all(self.hosts[node].status == UP for node in members)
        self.checks.settled(cfg, tuple(it.node(node) for node in members), all_up)

    def check(self) -> tuple[Check, ...]:
        """The guarantees."""
        return self.checks.results()

    def snapshot(self) -> Snapshot:
        """Everything there is to see."""
        return take(self, self.cluster, self.series, self.cue, self.check())

    # -- commands ----------------------------------------------------------------------------------------------

    def resolve(self, command: Any) -> Any:
        """Replace symbolic names by what they mean now."""
        return resolved(self.cluster, command)

    def validate(self, command: Any) -> None:
        """Refuse what makes no sense here."""
        super().validate(command)
        check(self.cluster, command)

    def execute(self, command: Any) -> None:
        """Carry out a valid command."""
        change = order_of(self.cluster, command)
        if change is not None:
            if isinstance(command, c.AddNode) and change.place is not None:
                self.cluster.places[command.name] = change.place
                if command.name not in self.cluster.machines:
                    self.add_machine(command.name)
            self.record(e.ChangeOrdered(change.cause), CFG_ID)
            if isinstance(command, c.AddNode | c.RemoveNode):
                self.compare_members(change.cause)
            self.cluster.cfg().order(self.hosts[CFG_ID], change)
            return
        match command:
            case c.Get() | c.Put() | c.MultiGet():
                self.act(command)
            case c.SetWorkload(pattern=kind, skew=skew, rate=rate):
                self.record(e.WorkloadSet(kind, skew, rate))
                it = self.cluster
                self.set_load(make_load(kind, skew, rate, it.weighted, it.load.salted, it.load.poisson))
            case c.Salt():
                self.salt(command)
            case SetRule(rule=rule, on=on):
                self.cluster.rules = self.cluster.rules.switched(command)
                for id in self.cluster.machines:
                    self.cluster.node(id).rules = self.cluster.rules
                self.record(RuleSwitched(rule, on))
            case c.SetBandwidth(keys_per_s=pace):
                cfg = self.cluster.cfg()
                cfg.pace = pace
                cfg.disk.write("pace", pace)
                self.record(e.BandwidthSet(pace), CFG_ID)
            case c.SetFullCoverage(on=on, reads=reads):
                cfg = self.cluster.cfg()
                self.record(e.CoverageSet(on, reads), CFG_ID)
                cfg.publish(self.hosts[CFG_ID], cfg.next_map(full_coverage=on, reads_when_down=reads))
            case c.SetBalancer(on=on):
                self.cluster.balancing.by_size = on
                self.record(e.BalancerSet(on), CFG_ID)
            case c.SplitForHeat(on=on):
                self.cluster.balancing.by_heat = on
                self.cluster.balancing.stuck.clear()
                self.record(e.HeatSplitSet(on), CFG_ID)
            case faults.Crash() | faults.Restart() | faults.Heal():
                before = self.cluster.alive()
                super().execute(command)
                self.compare_alive(before)
            case _:
                super().execute(command)

    def compare_alive(self, before: tuple[str, ...]) -> None:
        """Who died or came back makes a change to compare, too: from those that ran before to those that run now."""
        after = self.cluster.alive()
        gone = [id for id in before if id not in after]
        back = [id for id in after if id not in before]
        if before and after and (gone or back):
            kind = e.MembershipKind.CRASHED if gone else e.MembershipKind.IS_BACK
            self.cluster.compare(e.Membership(kind, tuple(gone or back)), before, after)

    def compare_members(self, cause: e.Cause) -> None:
        """From now on compare all strategies on this join or leave."""
        before, node = self.cluster.members, cause.node
        joins = cause.kind is e.ChangeKind.JOIN
        after = (*before, node) if joins else tuple(each for each in before if each != node)
        kind = e.MembershipKind.JOINS if joins else e.MembershipKind.LEAVES
        self.cluster.compare(e.Membership(kind, (node,)), before, after)

    def act(self, command: c.Get | c.Put | c.MultiGet) -> None:
        """``you`` ask."""
        host = self.hosts[YOU]
        you = self.cluster.client(YOU)
        match command:
            case c.Get(key=key, node=node):
                you.ask(host, "get", (key,), 0, node, False)
            case c.Put(key=key, value=value, node=node):
                you.ask(host, "put", (key,), value, node, False)
            case c.MultiGet(keys=keys, node=node):
                you.ask(host, "mget" if len(keys) > 1 else "get", keys, 0, node, False)

    def set_load(self, load: Load) -> None:
        """All clients work differently from now on."""
        self.cluster.load = load
        for id in self.clients:
            client = self.hosts[id].node
            if isinstance(client, Client):
                client.set_load(self.hosts[id], load)

    def salt(self, command: c.Salt) -> None:
        """The clients know the copies from now on, and ``you`` write them once, with the value that is stored."""
        others = tuple(each for each in self.cluster.load.salted if each[0] != command.key)
        salted = (*others, (command.key, command.n)) if command.n > 1 else others
        self.record(e.Salted(command.key, command.n))
        self.set_load(replace(self.cluster.load, salted=salted))
        if command.n > 1:
            cell = self.cluster.node(self.cluster.cfg().map.owner(command.key)).store.get(command.key)
            self.cluster.client(YOU).ask(self.hosts[YOU], "put", (command.key,), cell.value if cell else 0, "", False)
