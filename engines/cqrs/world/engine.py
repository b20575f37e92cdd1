"""A run of CQRS: users, command nodes, store, bus, projectors, replicas, a saga with three services, a CRUD table."""

import copy
from typing import Any, Final

from engines.cqrs.commands import ADD_NOTE
from engines.cqrs.queries import GET_CUSTOMER_HISTORY, GET_ORDER_SUMMARY, GET_REVENUE
from engines.cqrs.world import commands as c
from engines.cqrs.world import events as e
from engines.cqrs.world import options
from engines.cqrs.world.bus import BusNode
from engines.cqrs.world.checks import OUTBOX
from engines.cqrs.world.client import UserNode
from engines.cqrs.world.events import QUIET_HERE
from engines.cqrs.world.messages import Append, Publish, Saved
from engines.cqrs.world.node import CommandNode, StoreNode
from engines.cqrs.world.picture import Roads
from engines.cqrs.world.projector import ProjectorNode
from engines.cqrs.world.replica import ReplicaNode
from engines.cqrs.world.rules import BUS, LETTERS, MOST, SAGA, SERVICES, STAGES, STORE, TWIN, USERS
from engines.cqrs.world.saga import SagaNode
from engines.cqrs.world.services import ServiceNode
from engines.cqrs.world.table import NAMES, Table, code, releases
from engines.cqrs.world.twin import TwinNode
from engines.errors import UserError
from engines.sim.disk import Disk
from engines.sim.events import QUIET
from engines.sim.host import CRASHED, DELIVER, UP, Host
from engines.sim.network import LinkOptions
from engines.sim.node import Node
from engines.sim.pattern import Config
from engines.sim.rules import RuleSwitched, SetRule

LINK: Final = LinkOptions(latency_us=2_000, jitter_us=2_000)
QUERIES: Final = {"summary": GET_ORDER_SUMMARY, "history": GET_CUSTOMER_HISTORY, "revenue": GET_REVENUE}
LONG_NAME: Final = "collected letters, 12 vols"
"""Of an item: more than the narrow column takes."""


class CqrsEngine(Roads):
    """Both roads."""

    QUIET = QUIET | QUIET_HERE

    def __init__(self, variant: str, seed: int, config: Config) -> None:
        self.variant = variant
        control = self.control = options.control(config)
        for stage in STAGES:
            control.nodes[stage] = [f"{LETTERS[stage]}{1 + n}" for n in range(control.count[stage])]
        self.settle_homes()
        nodes = control.nodes
        servers = (
            *nodes["commands"], STORE, BUS, *nodes["projectors"], *nodes["replicas"], SAGA, *SERVICES, TWIN,
        )  # fmt: skip
        super().__init__(seed, servers, USERS, LINK)
        self.begin()

    def make_node(self, host: Host) -> Node:
        """What runs on a machine."""
        control, ledger, meter = self.control, self.ledger, self.meter
        match host.id:
            case "store":
                self.ledger.recovered(host.disk.log)
                return StoreNode(host.disk, control, ledger, meter)
            case "bus":
                return BusNode(host.disk, control)
            case "saga":
                return SagaNode(host.disk, control, ledger)
            case "crud":
                return TwinNode(host.disk, control, meter)
            case name if name in SERVICES:
                return ServiceNode(name, host.disk, control, ledger, meter)
            case name if name in USERS:
                return UserNode(name, host.incarnation, host.disk, control, ledger, meter)
        if host.id[0] == LETTERS["projectors"]:
            return ProjectorNode(host.id, host.disk, control, ledger, meter)
        if host.id[0] == LETTERS["replicas"]:
            return ReplicaNode(host.id, host.disk, control, ledger, meter)
        return CommandNode(host.id, host.incarnation, control, ledger, meter)

    # -- the checks ----------------------------------------------------------------------------------------------

    def observe(self, host: Host) -> None:
        """Look at what the last step changed."""
        if host.id in (STORE, BUS) or host.id[0] == "c":
            self.look_for_lost()
        if self.clock.now_us >= self.gap_due_us:
            self.note_gap()
        if self.ledger.failures:
            self.take()

    def take(self) -> None:
        """What came to light in the last step."""
        self.checks.position, self.checks.at_us = self.position, self.clock.now_us
        for name, detail, witness in self.ledger.failures:
            self.checks.fail(name, detail, *witness)
        self.ledger.failures.clear()
        self.checks.results()  # worked out now, so that looking at them later changes nothing

    def look_for_lost(self) -> None:
        """An event that is stored and not on the bus: somebody must have it in hand."""
        if self.hosts[STORE].status == CRASHED:
            return
        store, bus = self.store, self.bus
        if len(bus.events) >= store.memory.head() or OUTBOX in self.checks.failed:
            return
        missing = [event for event in store.memory.events[store.upto :]
                   if event.position not in bus.events and str(event.position) not in store.outbox.entries]  # fmt: skip
        if missing:
            held = self.in_hand()
            for event in missing:
                if event.position not in held:
                    said = f"position {event.position} ({event.stream}, {event.type}) is stored and will never be told"
                    self.ledger.fail(OUTBOX, said, f"event {event.id}", f"the bus has {len(bus.events)} of "
                                     f"{store.memory.head()}")  # fmt: skip
                    return

    def in_hand(self) -> dict[int, bool]:
        """Positions that are on their way to the bus, or that a command node will still learn of and tell."""
        held: dict[int, bool] = {}
        waiting = [entry for host in self.hosts.values() for entry in host.inbox]
        clogged = [message for host in self.hosts.values() for link in host.links.values() for message, _, _ in
                   link.held]  # fmt: skip
        messages = [entry[4] for entry in (*self.clock.heap, *waiting) if entry[2] == DELIVER]
        for message in (*messages, *clogged):
            match message:
                case Publish(event=event):
                    held[event.position] = True
                case Saved(events=events):
                    held.update((event.position, True) for event in events)
        asked: dict[str, bool] = {}
        for name in self.control.nodes["commands"]:
            host = self.hosts[name]
            if host.status != CRASHED:
                assert isinstance(host.node, CommandNode)
                for job in host.node.jobs.values():
                    if isinstance(job.outgoing, Append):
                        asked.update((draft.id, True) for draft in job.outgoing.batch)
        for event in self.store.memory.events[self.store.upto :]:
            if event.id in asked:
                held[event.position] = True
        return held

    # -- commands ----------------------------------------------------------------------------------------------

    def validate(self, command: Any) -> None:
        """Refuse what makes no sense here."""
        super().validate(command)
        if isinstance(getattr(command, "node", None), str) and command.node in self.retired:
            raise UserError(f"{command.node} was taken out of its stage")
        match command:
            case c.Create(user=user, quantity=quantity, price=price, item=item):
                self.need_user(user)
                self.need_line(quantity, price, item)
            case c.AddTo(user=user, quantity=quantity, price=price, item=item):
                self.need_order(user)
                self.need_line(quantity, price, item)
            case c.Note(user=user, text=text):
                self.need_order(user)
                if not 0 < len(text) <= 60 or not text.isprintable():
                    raise UserError(f"a note {text[:20]!r}: 1 to 60 printable characters are accepted")
            case c.Poison(user=user):
                self.need_order(user)
                if not self.control.narrow:
                    raise UserError("the column is wide enough already: no name is too long for it")
            case c.Resend(user=user):
                self.need_user(user)
                if self.user(user).newest is None:
                    raise UserError(f"{user} has sent no command yet")
            case c.Ask(user=user, query=query):
                self.need_user(user)
                if query not in QUERIES:
                    raise UserError(f"query {query!r}: one of {', '.join(QUERIES)} is accepted")
                if query == "summary":
                    self.need_order(user)
            case c.AddNode(stage=stage) | c.RemoveNode(stage=stage):
                self.need_stage(stage, isinstance(command, c.AddNode))
            case c.Decline(service=service, times=times):
                if service not in SERVICES:
                    raise UserError(f"service {service!r}: one of {', '.join(SERVICES)} is accepted")
                if not 0 <= times <= 100:
                    raise UserError(f"to decline {times} times: 0 to 100 is accepted")
            case c.Widen() if not self.control.narrow:
                raise UserError("the column is wide enough already")
            case c.SetOption(name=name, value=value):
                options.parse(name, value)
            case SetRule():
                self.control.rules.validate(command)
            case c.Deploy() | c.Rebuild() | c.Swap() | c.ReplayParked():
                self.validate_projection(command)

    def validate_projection(self, command: Any) -> None:
        """Refuse what a projection cannot be asked for now."""
        name = command.projection
        if name not in NAMES:
            raise UserError(f"projection {name!r}: one of {', '.join(NAMES)} is accepted")
        home = self.control.homes[name]
        if isinstance(command, c.ReplayParked):
            if not self.keepers(name):
                raise UserError(f"nobody who keeps {name} is up")
            return
        if self.hosts[home].status != UP:
            raise UserError(f"{home}, the home of {name}, is {self.hosts[home].status}")
        deployment = self.home(name).deployments.get(name)
        if deployment is None or not self.home(name).serves(name):
            raise UserError(f"{name} is moving to {home}: wait until it is there")
        match command:
            case c.Deploy(release=release) | c.Rebuild(release=release):
                accepted = [each for each in releases(name) if each != "v2" or isinstance(command, c.Rebuild)]
                if release not in accepted:
                    raise UserError(f"release {release!r} of {name}: one of {', '.join(accepted)} is accepted")
                if isinstance(command, c.Rebuild) and command.how not in ("in place", "beside"):
                    raise UserError(f"to rebuild {command.how!r}: in place or beside is accepted")
                live = deployment.live
                if isinstance(command, c.Deploy) and isinstance(live, Table) and live.release == "v2":
                    raise UserError(f"{name} runs v2: rebuild it to run another release")
            case c.Swap(back=back):
                trial = copy.copy(deployment)
                if back:
                    trial.back()
                else:
                    trial.swap(deployment.live.position)

    def need_user(self, name: str) -> None:
        """UserError unless a user of this name is there."""
        if name not in USERS:
            raise UserError(f"user {name!r}: one of {', '.join(USERS)} is accepted")
        if self.hosts[name].status != UP:
            raise UserError(f"{name} is {self.hosts[name].status}: it does nothing")

    def need_order(self, user: str) -> None:
        """UserError unless a user has an order."""
        self.need_user(user)
        if not self.user(user).own:
            raise UserError(f"{user} has no order yet")

    @staticmethod
    def need_line(quantity: int, price: int, item: str) -> None:
        """UserError unless it can be bought."""
        if not 0 < quantity <= 1_000 or not 0 <= price <= 1_000_000:
            raise UserError(f"{quantity} at {price}: a quantity from 1 to 1000, a price from 0 to 1000000 are accepted")
        if not 0 < len(item) <= 60 or not item.isprintable():
            raise UserError(f"an item {item[:20]!r}: 1 to 60 printable characters are accepted")

    def need_stage(self, stage: str, more: bool) -> None:
        """UserError unless a stage can have one machine more, or less."""
        if stage not in STAGES:
            raise UserError(f"stage {stage!r}: one of {', '.join(STAGES)} is accepted")
        there = len(self.control.nodes[stage])
        if more and there >= MOST[stage]:
            raise UserError(f"{stage}: {there} machines, that is the most")
        if not more and there <= 1:
            raise UserError(f"{stage}: one machine, and one is needed")

    def execute(self, command: Any) -> None:
        """Carry out a valid command."""
        match command:
            case c.Create(user=user, quantity=quantity, price=price, item=item, then_read=then_read):
                customer = f"customer {1 + USERS.index(user)}"
                self.user(user).create(self.hosts[user], customer, ((item, quantity, price),), then_read)
            case c.AddTo(user=user, quantity=quantity, price=price, item=item, then_read=then_read):
                node = self.user(user)
                node.add(self.hosts[user], next(reversed(node.own.values())), (item, quantity, price), then_read)
            case c.Poison(user=user):
                node = self.user(user)
                node.add(self.hosts[user], next(reversed(node.own.values())), (LONG_NAME, 1, 90), False)
            case c.Note(user=user, text=text):
                node = self.user(user)
                node.change(self.hosts[user], next(reversed(node.own.values())), ADD_NOTE, {"text": text}, False)
            case c.Resend(user=user):
                self.user(user).resend(self.hosts[user])
            case c.Ask(user=user, query=query):
                node = self.user(user)
                key = {"summary": next(reversed(node.own), ""), "revenue": ""}.get(
                    query, f"customer {1 + USERS.index(user)}"
                )
                node.ask(self.hosts[user], QUERIES[query], key)
            case c.AddNode(stage=stage):
                self.add_node(stage)
            case c.RemoveNode(stage=stage):
                self.remove_node(stage)
            case c.Decline(service=service, times=times):
                self.ledger.declines[service] = times
            case c.Widen():
                self.widen()
            case c.SetOption(name=name, value=value):
                options.change(self.control, name, value)
                self.record(e.OptionSet(name, value))
                if name in ("writes", "reads"):
                    for user in USERS:
                        if self.hosts[user].status == UP:
                            rate = self.control.writes if name == "writes" else self.control.reads
                            self.user(user).pause(self.hosts[user], name[:-1], rate)
            case SetRule(rule=rule, on=on):
                self.control.rules = self.control.rules.switched(command)
                self.record(RuleSwitched(rule, on))
            case c.Deploy() | c.Rebuild() | c.Swap() | c.ReplayParked():
                self.execute_projection(command)
            case _:
                super().execute(command)

    def keepers(self, projection: str) -> list[str]:
        """The projectors that are up and keep a projection: its home, and while it moves the one before."""
        return [name for name in self.control.nodes["projectors"]
                if self.hosts[name].status == UP and projection in self.projector(name).deployments]  # fmt: skip

    def execute_projection(self, command: Any) -> None:
        """What is asked of a projection's home."""
        name = command.projection
        node, host = self.home(name), self.hosts[self.control.homes[name]]
        match command:
            case c.Deploy(release=release):
                node.deploy(name, release)
                self.record(e.Deployed(name, release), host.id)
            case c.Rebuild(how=how, release=release):
                self.record(e.RebuildBegan(name, how == "beside", release), host.id)
                node.rebuild(host, name, how == "beside", release)
            case c.Swap(back=back):
                node.swap(host, name, back)
            case c.ReplayParked():
                for keeper in self.keepers(name):
                    self.projector(keeper).replay_parked(self.hosts[keeper], name)

    def widen(self) -> None:
        """The column takes all names from now on, in every read model."""
        self.control.narrow = False
        for name in self.all_projectors():
            disk = self.hosts[name].disk
            for deployment in disk.registers.get("deployments", {}).values():
                for table in deployment.models():
                    table.projection = code(table.projection.name, table.release, False)
        self.record(e.Widened())

    def all_projectors(self) -> list[str]:
        """Those in their stage, and those that were taken out."""
        return [name for name in self.hosts if name[0] == "p"]

    # -- scaling ---------------------------------------------------------------------------------------------------

    def settle_homes(self) -> None:
        """Spread the projections over the projectors, moving as few as possible."""
        control = self.control
        nodes = control.nodes["projectors"]
        most = -(-len(NAMES) // len(nodes))
        kept: dict[str, int] = dict.fromkeys(nodes, 0)
        homeless = []
        for name in NAMES:
            home = control.homes.get(name, "")
            if home in kept and kept[home] < most:
                kept[home] += 1
            else:
                homeless.append(name)
        for name in homeless:
            home = min(nodes, key=lambda each: kept[each])
            control.homes[name] = home
            kept[home] += 1

    def add_node(self, stage: str) -> None:
        """One machine more. It finds its work by itself."""
        nodes = self.control.nodes[stage]
        name = next(f"{LETTERS[stage]}{n}" for n in range(1, 100) if f"{LETTERS[stage]}{n}" not in nodes)
        nodes.append(name)
        if stage == "projectors":
            self.settle_homes()
        if name in self.retired:
            del self.retired[name]
            self.hosts[name].disk = Disk()
            self.restart(self.hosts[name])
        else:
            self.add_host(name)
        self.record(e.NodeAdded(stage, len(nodes)), name)

    def remove_node(self, stage: str) -> None:
        """The newest machine of a stage is switched off; what it did falls to the others."""
        nodes = self.control.nodes[stage]
        name = nodes.pop()
        self.retired[name] = True
        if self.hosts[name].status != CRASHED:
            self.hosts[name].crash()
        if stage == "projectors":
            self.settle_homes()
        self.record(e.NodeRemoved(stage, len(nodes)), name)

    def restart(self, host: Host) -> None:
        """A machine that was taken out stays out."""
        if host.id not in self.retired:
            super().restart(host)


__all__ = ["CqrsEngine"]
