"""A PBFT cluster with clients in the simulated world.

Replicas are ``r0 r1 ...``, counted from 0 as in the paper: the primary of view v is replica v mod n. In commands
``primary`` means whoever leads the newest view, ``b1 b2 ...`` the other replicas in order.
"""

from collections import deque
from dataclasses import replace
from typing import Any, Final

from engines.consensus.operations import OPERATIONS
from engines.consensus.pbft import commands as c
from engines.consensus.pbft.acts import Traitor, forget
from engines.consensus.pbft.certificates import Group
from engines.consensus.pbft.checks import DEMANDS, Checker, Finding
from engines.consensus.pbft.client import Client
from engines.consensus.pbft.events import (
    ActSwitched,
    Asked,
    Forgot,
    Relayed,
    TimeoutSet,
    ViewChangeSeen,
    WorkloadSet,
)
from engines.consensus.pbft.node import Replica
from engines.consensus.pbft.options import WORKLOADS, PbftOptions
from engines.consensus.pbft.rules import Act, PbftRules, Sizes, Timing
from engines.consensus.pbft.snapshot import Cost, ReplicaView, Sample, Snapshot
from engines.consensus.pbft.views import client_view, replica_view
from engines.errors import UserError
from engines.sim import faults
from engines.sim.checks import CheckBook
from engines.sim.events import QUIET
from engines.sim.history import History
from engines.sim.host import CRASHED, UP, Host
from engines.sim.network import LinkOptions
from engines.sim.node import Node
from engines.sim.options import read
from engines.sim.pattern import Check, Config
from engines.sim.rules import RuleSwitched, SetRule
from engines.sim.symbols import resolve
from engines.sim.views import changed_links, host_view
from engines.sim.world import World
from engines.units import US_PER_MS, US_PER_S

YOU: Final = "you"
"""The client that does what a person asks."""
SERIES_EVERY_US: Final = 100 * US_PER_MS
SERIES_MAX: Final = 600
ACTS: Final = tuple(act.value for act in Act)

COMMANDS: Final = (*faults.FAULTS, c.Ask, c.SetAct, SetRule, c.SetWorkload, c.SetTimeout)


class PbftEngine(World):
    """The cluster."""

    QUIET = QUIET | {Asked, Relayed, ViewChangeSeen}

    def __init__(self, seed: int, config: Config) -> None:
        options = read(PbftOptions, config)
        if options.nodes % 3 != 1:
            raise UserError(f"nodes {options.nodes}: PBFT takes 3f+1 replicas, so 4, 7 or 10 are accepted")
        self.group = Group(tuple(f"r{i}" for i in range(options.nodes)))
        clients = (*(f"c{i}" for i in range(1, options.clients + 1)), YOU)
        super().__init__(seed, self.group.replicas, clients, LinkOptions(15 * US_PER_MS, 10 * US_PER_MS))
        self.rules = options.rules
        self.sizes = Sizes(options.checkpoint, options.windows * options.checkpoint)
        self.timing = Timing(timeout_us=options.timeout_ms * US_PER_MS)
        self.read_only = options.read_only
        self.workload = options.workload
        self.acts: dict[str, tuple[Act, ...]] = dict.fromkeys(self.group.replicas, ())
        self.forgot: dict[str, bool] = {}
        """Replicas that came back without their promises: they stay excused."""
        self.history = History(self.clock)
        self.checker = Checker(self.group, self.timing)
        self.book = CheckBook(DEMANDS)
        self.well_since_us: int | None = 0
        """Since when at most f replicas are at fault and all links work; None: they do not."""
        self.series: deque[Sample] = deque(maxlen=SERIES_MAX)
        self.sample_due_us = 0
        self.begin()

    # -- the world's hooks -----------------------------------------------------------------------------------------

    def make_node(self, host: Host) -> Node:
        """A replica behind its mask, or a client."""
        if host.id in self.clients:
            interval = 0 if host.id == YOU else WORKLOADS[self.workload]
            return Client(host.id, self.group, self.history, interval, host.disk, self.rules, self.read_only)
        if (Act.FORGETFUL in self.acts[host.id] or not self.rules.remember) and host.incarnation:
            forget(host.disk)
            self.forgot[host.id] = self.rules.remember
            self.record(Forgot(), host.id)
        replica = Replica(host.id, self.group, host.disk, self.rules, self.sizes, self.timing)
        traitor = Traitor(replica, self.acts[host.id], self.clients[0])
        traitor.fellows = self.traitors
        return traitor

    def observe(self, host: Host) -> None:
        """Check what the event changed; sample the strip."""
        node = host.node
        if isinstance(node, Client):
            self.fail(self.checker.client(node))
            self.watch_patience(node)
        elif host.status == CRASHED:
            self.checker.crashed(host.id, self.clock.now_us)
        elif self.is_correct(host.id):
            self.fail(self.checker.replica(self.replica(host.id), host.incarnation, host.barrier_us))
        if self.clock.now_us >= self.sample_due_us:
            self.sample()

    def sample(self) -> None:
        """A point of the strip."""
        correct = [self.replica(each) for each in self.group.replicas if self.is_correct(each)]
        self.series.append(Sample(
            self.clock.now_us,
            max((each.executed for each in correct), default=0),
            self.newest_view(),
            sum(each.changing for each in correct),
        ))  # fmt: skip
        self.sample_due_us = self.clock.now_us // SERIES_EVERY_US * SERIES_EVERY_US + SERIES_EVERY_US

    def watch_patience(self, client: Client) -> None:
        """Whether a request has been open for too long while all was well."""
        if client.current is None or self.well_since_us is None:
            return
        asked = self.history.open.get((client.id, client.current.t))
        if asked is not None:
            since = max(asked.invoked_us, self.well_since_us)
            self.fail(self.checker.late(client.id, self.clock.now_us - since))

    def fail(self, findings: list[Finding]) -> None:
        """A check that has failed stays failed."""
        self.book.position, self.book.at_us = self.position, self.clock.now_us
        for name, detail, witness in findings:
            self.book.fail(name, detail, *witness)

    def check(self) -> tuple[Check, ...]:
        """The guarantees, in a fixed order."""
        return self.book.results()

    # -- who is who --------------------------------------------------------------------------------------------------

    def traitor(self, id: str) -> Traitor:
        """The node of a replica."""
        node = self.hosts[id].node
        assert isinstance(node, Traitor)
        return node

    def replica(self, id: str) -> Replica:
        """The replica behind the mask."""
        return self.traitor(id).replica

    def is_correct(self, id: str) -> bool:
        """Whether it does as the paper says and keeps its promises."""
        return not self.acts[id] and not self.forgot.get(id, False)

    @property
    def traitors(self) -> tuple[str, ...]:
        """Who misbehaves or has forgotten."""
        return tuple(each for each in self.group.replicas if not self.is_correct(each))

    def newest_view(self) -> int:
        """The highest view that a correct replica takes part in."""
        views = [node.view for each in self.group.replicas if self.is_correct(each)
                 if not (node := self.replica(each)).changing and self.hosts[each].status != CRASHED]  # fmt: skip
        return max(views, default=max(self.replica(each).view for each in self.group.replicas))

    def measure_health(self) -> None:
        """Whether at most f replicas are at fault, and everything else is as it was laid."""
        down = [each for each in self.group.replicas if self.hosts[each].status != UP]
        at_fault = dict.fromkeys((*down, *self.traitors))
        well = len(at_fault) <= self.group.f and not any(
            host.skewed or host.disk.fsync_us or any(link.faulty for link in host.links.values())
            for host in self.hosts.values()
        )
        if not well:
            self.well_since_us = None
        elif self.well_since_us is None:
            self.well_since_us = self.clock.now_us

    # -- commands ----------------------------------------------------------------------------------------------------

    def resolve(self, command: Any) -> Any:
        """Replace ``primary`` and ``b1 b2 ...`` by the replicas they mean now."""
        primary = self.group.primary(self.newest_view())
        backups = [each for each in self.group.replicas if each != primary]
        names: dict[str, str] = {"primary": primary, **{f"b{i}": each for i, each in enumerate(backups, 1)}}
        return resolve(command, names)

    def validate(self, command: Any) -> None:
        """Refuse what makes no sense in a PBFT cluster."""
        super().validate(command)
        match command:
            case c.Ask(op=op, key=key) if op not in OPERATIONS or not key.isidentifier():
                raise UserError(f"no such operation of the store: {op!r} {key!r}")
            case c.Ask() if self.hosts[YOU].status != UP:
                raise UserError(f"{YOU} is {self.hosts[YOU].status}: nobody is there to ask")
            case c.SetAct(node=node) if node not in self.group.replicas:
                raise UserError(f"{node} is no replica: one of {', '.join(self.group.replicas)} can misbehave")
            case c.SetAct(act=act) if act not in ACTS:
                raise UserError(f"no act {act!r}: one of {', '.join(ACTS)} is accepted")
            case c.SetAct(client=client) if client and client not in self.clients:
                raise UserError(f"{client} is no client: one of {', '.join(self.clients)} can be ignored")
            case SetRule():
                self.rules.validate(command)
            case c.SetWorkload(level=level) if level not in WORKLOADS:
                raise UserError(f"no workload {level!r}: one of {', '.join(WORKLOADS)} is accepted")
            case c.SetTimeout(timeout_us=timeout) if not 50 * US_PER_MS <= timeout <= 60 * US_PER_S:
                raise UserError(f"a timeout of {timeout} us: 50 ms to 60 s are accepted")
            case faults.Isolate(node=node) | faults.Reconnect(node=node) if node not in self.servers:
                raise UserError(f"{node} is a client: cut its links one by one instead")

    def execute(self, command: Any) -> None:
        """Carry out a valid command."""
        match command:
            case c.Ask(op=op, key=key, value=value):
                host = self.hosts[YOU]
                client = host.node
                assert isinstance(client, Client)
                client.ask(host, op, key, value)
            case c.SetAct(node=node, act=act, on=on, client=client):
                self.set_act(node, Act(act), on, client)
            case SetRule(rule=rule, on=on):
                self.set_rules(self.rules.switched(command))
                self.record(RuleSwitched(rule, on))
            case c.SetWorkload(level=level):
                self.set_workload(level)
            case c.SetTimeout(timeout_us=timeout_us):
                self.timing = replace(self.timing, timeout_us=timeout_us)
                self.checker.timing = self.timing
                for each in self.group.replicas:
                    self.replica(each).timing = self.timing
                self.record(TimeoutSet(timeout_us))
            case _:
                super().execute(command)
        self.measure_health()

    def set_act(self, node: str, act: Act, on: bool, client: str) -> None:
        """Once a replica was a traitor, nothing is demanded of what it had promised before it becomes correct again."""
        acts = tuple(each for each in Act if (each in self.acts[node] and each is not act) or (each is act and on))
        self.acts[node] = acts
        traitor = self.traitor(node)
        traitor.acts = acts
        traitor.victim = client or self.clients[0]
        for each in self.group.replicas:
            self.traitor(each).fellows = self.traitors
        self.record(ActSwitched(act, on, len(self.traitors), self.group.f), node)
        self.checker.excuse(node)

    def set_rules(self, rules: PbftRules) -> None:
        """On every replica and client at once."""
        self.rules = rules
        for id, host in self.hosts.items():
            if id in self.clients:
                assert isinstance(host.node, Client)
                host.node.rules = rules
            else:
                self.replica(id).rules = rules

    def set_workload(self, level: str) -> None:
        """How fast the clients ask."""
        self.workload = level
        for id in self.clients:
            client = self.hosts[id].node
            if id != YOU and isinstance(client, Client) and self.hosts[id].status != CRASHED:
                client.set_interval(self.hosts[id], WORKLOADS[level])
        self.record(WorkloadSet(level))

    # -- the picture ---------------------------------------------------------------------------------------------------

    def cost(self) -> Cost | None:
        """First sendings between replicas for the newest number that every correct replica executed."""
        correct = [self.replica(each) for each in self.group.replicas if self.is_correct(each)]
        n = min((each.executed for each in correct), default=0)
        if not n:
            return None
        sent = sum(self.replica(each).sendings.get(n, 0) for each in self.group.replicas)
        count = len(self.group.replicas)
        return Cost(n, sent, 2 * count * (count - 1))

    def snapshot(self) -> Snapshot:
        """Everything there is to see."""
        view = self.newest_view()
        return Snapshot(
            at_us=self.now_us,
            position=self.position,
            seed=self.seed,
            f=self.group.f,
            replicas=tuple(self._replica(self.hosts[each]) for each in self.group.replicas),
            clients=tuple(client_view(self.client(each), self.history) for each in self.clients),
            flights=self.flights(),
            links=changed_links(self.hosts.values()),
            rules=self.rules.items(),
            quorum=self.group.quorum,
            weak=self.group.weak,
            view=view,
            primary=self.group.primary(view),
            traitors=self.traitors,
            beyond=len(self.traitors) > self.group.f,
            every=self.sizes.every,
            window=self.sizes.window,
            timeout_us=self.timing.timeout_us,
            read_only=self.read_only,
            workload=self.workload,
            cost=self.cost(),
            series=tuple(self.series),
            cue=self.cue,
            checks=self.check(),
            events=self.events_total,
        )

    def _replica(self, host: Host) -> ReplicaView:
        traitor = self.traitor(host.id)
        timer = host.timer_left_us("new view" if traitor.replica.changing else "request")
        return replica_view(traitor, host_view(host, self.hosts, self.servers), timer)

    def client(self, id: str) -> Client:
        """The node of a client."""
        node = self.hosts[id].node
        assert isinstance(node, Client)
        return node
