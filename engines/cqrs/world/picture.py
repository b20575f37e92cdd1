"""The machines of a run by their names, and the picture of all of them: what the snapshot holds."""

from collections import deque
from collections.abc import Iterable
from functools import partial
from itertools import islice
from typing import Final

from engines.cqrs.projections import lag
from engines.cqrs.queries import GET_ORDER_SUMMARY, Query
from engines.cqrs.read_models import OrderSummary
from engines.cqrs.saga import STEPS
from engines.cqrs.verdict import Load, weigh
from engines.cqrs.world import options
from engines.cqrs.world.bus import BusNode
from engines.cqrs.world.checks import book
from engines.cqrs.world.client import UserNode
from engines.cqrs.world.ledger import Ledger
from engines.cqrs.world.meter import ROADS, WINDOW_US, Meter
from engines.cqrs.world.node import StoreNode
from engines.cqrs.world.projector import ProjectorNode
from engines.cqrs.world.replica import ReplicaNode
from engines.cqrs.world.rules import BUS, CAPACITY, SAGA, SERVICES, STAGES, STORE, TWIN, USERS, Control
from engines.cqrs.world.saga import SagaNode
from engines.cqrs.world.server import Server
from engines.cqrs.world.snapshot import (
    BusView,
    Costs,
    Gap,
    MachineView,
    ProjectionView,
    SagaView,
    Snapshot,
    StoreView,
    TableView,
    UserView,
)
from engines.cqrs.world.table import NAMES, Table
from engines.cqrs.world.twin import TwinNode
from engines.event_sourcing.events import RecordedEvent
from engines.sim.network import LinkOptions
from engines.sim.pattern import Check
from engines.sim.views import changed_links, host_view
from engines.sim.world import World

GAPS: Final = 240
GAP_US: Final = 50_000
"""How often the gap is written down."""
SAGAS_SHOWN: Final = 12
ROWS_SHOWN: Final = 60
"""Rows of a read model that are shown, the newest."""


class Roads(World):
    """Both roads, as they are seen."""

    control: Control
    variant: str

    def __init__(self, seed: int, servers: Iterable[str], clients: Iterable[str], link: LinkOptions) -> None:
        self.ledger = Ledger()
        self.meter = Meter()
        self.checks = book()
        self.gaps: deque[Gap] = deque(maxlen=GAPS)
        self.gap_due_us = 0
        self.retired: dict[str, bool] = {}
        """Machines that were taken out of their stage."""
        super().__init__(seed, servers, clients, link)

    # -- machines by name --------------------------------------------------------------------------------------------

    @property
    def store(self) -> StoreNode:
        """The store's node."""
        node = self.hosts[STORE].node
        assert isinstance(node, StoreNode)
        return node

    @property
    def bus(self) -> BusNode:
        """The bus's node."""
        node = self.hosts[BUS].node
        assert isinstance(node, BusNode)
        return node

    @property
    def twin(self) -> TwinNode:
        """The CRUD table's node."""
        node = self.hosts[TWIN].node
        assert isinstance(node, TwinNode)
        return node

    @property
    def saga(self) -> SagaNode:
        """The saga's node."""
        node = self.hosts[SAGA].node
        assert isinstance(node, SagaNode)
        return node

    def user(self, name: str) -> UserNode:
        """A user's node."""
        node = self.hosts[name].node
        assert isinstance(node, UserNode)
        return node

    def projector(self, name: str) -> ProjectorNode:
        """A projector's node."""
        node = self.hosts[name].node
        assert isinstance(node, ProjectorNode)
        return node

    def replica(self, name: str) -> ReplicaNode:
        """A replica's node."""
        node = self.hosts[name].node
        assert isinstance(node, ReplicaNode)
        return node

    def home(self, projection: str) -> ProjectorNode:
        """Where a projection is to be built."""
        return self.projector(self.control.homes[projection])

    def builder(self, projection: str) -> ProjectorNode:
        """Where the read model is built that readers see: at its home, or while it moves where it was."""
        home = self.home(projection)
        if home.serves(projection):
            return home
        others = [self.projector(name) for name in self.hosts if name[0] == "p"]
        return next((node for node in others if node.serves(projection)), home)

    # -- the gap -------------------------------------------------------------------------------------------------

    def lag_of(self, position: int) -> tuple[int, int]:
        """Events behind a position, and the age of the oldest of them."""
        events = self.ledger.events
        oldest = events[position].at_us if position < len(events) else 0
        found = lag(position, len(events), oldest, self.now_us)
        return found.events, found.age_us

    def live(self, projection: str) -> Table | None:
        """The read model that is live."""
        deployment = self.builder(projection).deployments.get(projection)
        if deployment is None:
            return None
        assert isinstance(deployment.live, Table)
        return deployment.live

    def note_gap(self) -> None:
        """Write the gap of every projection down."""
        self.gap_due_us = self.clock.now_us + GAP_US
        tables = [self.live(name) for name in NAMES]
        gaps = tuple(self.lag_of(table.position if table is not None else 0) for table in tables)
        self.gaps.append(Gap(self.clock.now_us, gaps))

    def check(self) -> tuple[Check, ...]:
        """Every guarantee."""
        return self.checks.results()

    # -- the picture -----------------------------------------------------------------------------------------------

    def snapshot(self) -> Snapshot:
        """Everything there is to see."""
        control, ledger, store, bus, saga = self.control, self.ledger, self.store, self.bus, self.saga
        store_host = self.hosts[STORE]
        ended: dict[str, int] = {}
        for phase in ledger.ended.values():
            ended[phase.value] = ended.get(phase.value, 0) + 1
        hosts = [host for host in self.hosts.values() if host.id not in self.retired]
        reach = [name for name in self.servers if name not in self.retired]
        return Snapshot(
            self.now_us,
            self.seed,
            self.variant,
            tuple(ledger.events),
            self.machines(),
            StoreView(
                store_host.status, store.memory.head(), store.conflicts, len(store.outbox.entries),
                len(store_host.disk.undo), CAPACITY,
            ),
            BusView(self.hosts[BUS].status, len(bus.events), bus.twice, bus.again, tuple(bus.taken.items())),
            tuple(self.projection(name) for name in NAMES),
            tuple(self.gaps),
            tuple(ledger.sides),
            self.crud_rows(),
            tuple(self.user_view(name) for name in USERS),
            tuple(self.saga_view(order) for order in list(saga.sagas)[-SAGAS_SHOWN:]),
            tuple(ended.items()),
            tuple(self.meter.pace(road, self.now_us) for road in ROADS),
            self.costs(),
            control.freshness,
            control.narrow,
            self.flights(),
            changed_links(hosts),
            tuple(host_view(host, self.hosts, reach) for host in hosts),
            options.show(control),
            control.rules.items(),
            self.check(),
            self.cue,
        )  # fmt: skip

    def stages(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """The stages in the order of the roads, and their machines."""
        return (
            ("users", USERS),
            *((stage, tuple(self.control.nodes[stage])) for stage in STAGES),
            ("store", (STORE,)), ("bus", (BUS,)), ("saga", (SAGA,)), ("services", SERVICES), ("crud", (TWIN,)),
        )  # fmt: skip

    def machines(self) -> tuple[MachineView, ...]:
        """Every machine, in the order of the roads."""
        found = []
        for stage, names in self.stages():
            for name in names:
                node = self.hosts[name].node
                waiting = node.waiting if isinstance(node, Server) else 0
                if isinstance(node, ProjectorNode):
                    waiting = len(node.tasks) + (node.task is not None)
                meter = self.meter
                found.append(MachineView(
                    name, stage, self.hosts[name].status, waiting, meter.work(name, self.now_us),
                    meter.busy_us.get(name, 0), meter.turned_away.get(name, 0),
                ))  # fmt: skip
        return tuple(found)

    def projection(self, name: str) -> ProjectionView:
        """A projection, its generations and its copies."""
        node = self.builder(name)
        deployment = node.deployments.get(name)
        tables: list[TableView] = []
        if deployment is not None:
            for role, model in (("live", deployment.live), ("next", deployment.next), ("old", deployment.old)):
                if isinstance(model, Table):
                    percent = deployment.percent if role == "live" else 100
                    if model.catching and role == "next":
                        percent = model.position * 100 // max(1, len(self.ledger.events))
                    tables.append(self.table_view(name, model, role, node.name, percent))
        copies = []
        for replica in self.control.nodes["replicas"]:
            served = self.replica(replica).served.get(name)
            live = served.live if served is not None else None
            copies.append((
                replica, live.position if live is not None else 0, live.generation if isinstance(live, Table) else 0,
            ))  # fmt: skip
        position = tables[0].position if tables else 0
        behind, age = self.lag_of(position)
        parked = len(tables[0].parked) if tables else 0
        moving = not self.home(name).serves(name) and len(self.ledger.events) > 0
        return ProjectionView(
            name, node.name, self.hosts[node.name].status, position, behind, age, parked, tuple(tables), tuple(copies),
            moving,
        )  # fmt: skip

    def table_view(self, name: str, table: Table, role: str, home: str, percent: int) -> TableView:
        """One generation."""
        newest = list(table.changed)[-ROWS_SHOWN:]
        parked: tuple[RecordedEvent, ...] = tuple(each.event for each in table.parked)
        return TableView(
            name, table.generation, table.release, role, home, table.position,
            tuple(table.get(key) for key in newest), parked, table.catching, table.stopped_at, percent,
        )  # fmt: skip

    def crud_rows(self) -> tuple[OrderSummary, ...]:
        """The newest orders as the CRUD table has them."""
        store = self.twin.store
        newest = list(islice(reversed(store.orders.values()), ROWS_SHOWN))
        query = partial(Query, "", GET_ORDER_SUMMARY)
        return tuple(store.query(query({"order": row.order}))[0][0] for row in reversed(newest))

    def user_view(self, name: str) -> UserView:
        """A user as it is seen."""
        node = self.user(name)
        orders = tuple((own.order, own.customer, own.version, own.position) for own in node.own.values())
        waiting = (*(sent.submit.name for sent in node.sent.values()),
                   *(asked.question.name for asked in node.asked.values()))  # fmt: skip
        return UserView(name, self.hosts[name].status, orders, waiting[:8], node.missed)

    def saga_view(self, order: str) -> SagaView:
        """A saga as it is seen."""
        state = self.saga.sagas[order]
        return SagaView(order, state.phase, STEPS[state.step].name, state.asked, state.waiting, state.why)

    def costs(self) -> Costs:
        """The window as the verdict's formula takes it: rates and prices that were counted, not assumed."""
        control, ledger, meter, now = self.control, self.ledger, self.meter, self.now_us
        ages = sorted(age for at, age in ledger.ages if at > now - WINDOW_US)
        commands = meter.window([name for name in meter.jobs if name[0] == "c" and name[1:].isdecimal()], now)
        load = Load(
            meter.pace("query", now).per_s, commands, len(NAMES), control.join_us, control.update_us,
            control.decide_us + control.append_us + control.load_us, control.apply_us, control.read_us,
            ages[(len(ages) * 99 - 1) // 100] if ages else 0, control.accepted_us, len(control.nodes["commands"]),
            len(control.nodes["replicas"]),
        )  # fmt: skip
        return Costs(load, weigh(load), ledger.judged, ledger.stale, meter.misses, meter.waited_out)


__all__ = ["Roads"]
