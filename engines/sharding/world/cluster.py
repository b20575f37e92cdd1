"""The cluster from outside: its machines, and what orders, checks and the snapshot may know of all of them at once."""

from typing import Final

from engines.sharding.placement import Place
from engines.sharding.world.balancing import Balancing
from engines.sharding.world.bootstrap import Bootstrap
from engines.sharding.world.client import Client, Load, make_load
from engines.sharding.world.coordinator import CFG_ID, Coordinator
from engines.sharding.world.events import Membership, UnitState
from engines.sharding.world.ledger import Ledger
from engines.sharding.world.node import ShardNode
from engines.sharding.world.options import Options, given_keys
from engines.sharding.world.ownership import Atlas, ShardMap
from engines.sharding.world.store import KEY
from engines.sim.clock import Clock
from engines.sim.history import RecentHistory
from engines.sim.host import CRASHED, Host

YOU: Final = "you"
ROUTER: Final = "router"
LOST_MAX: Final = 8


class Cluster:
    """The machines of one world. ``hosts`` is the world's own table: it grows as machines join."""

    def __init__(self, variant: str, options: Options, base: Bootstrap, hosts: dict[str, Host], clock: Clock) -> None:
        self.variant = variant
        self.options = options
        self.hosts = hosts
        self.machines = base.machines
        """All that ever took part, in the order in which they came."""
        self.places: dict[str, Place] = dict(base.places)
        self.rules = options.rules
        self.weighted = base.weighted
        self.keys = base.keys
        self.given = given_keys(options, base.keys)
        """What the strategies are compared on: keys with weights."""
        self.sizes = {key: weight for key, weight in base.weighted if weight > 1} if options.sized(variant) else {}
        """How large the data of a key is, where it is more than 1."""
        self.load: Load = make_load(
            options.workload, options.skew, options.rate, base.weighted, poisson=options.poisson
        )
        self.history = RecentHistory(clock)
        self.ledger = Ledger(clock)
        self.ledger.begin(base.keys)
        chunk_keys = 2 * sum(weight for _, weight in base.weighted) // (max(1, options.chunks) * options.nodes) + 8
        balanced = options.balancer and bool(base.placement.strategy.chunks)
        self.balancing = Balancing(balanced, False, chunk_keys, documents=bool(self.sizes))
        self.atlas = Atlas()
        self.first_map = ShardMap(1, 1, base.placement, full_coverage=options.full_coverage)
        self.lost: dict[str, None] = {}
        """Keys of which an acknowledged write is gone, as the checks found."""
        self.compared: tuple[Membership, tuple[str, ...], tuple[str, ...], int] | None = None
        """What happened to whom, members before and after, virtual nodes: what the strategies are compared on."""

    def cfg(self) -> Coordinator:
        """The coordinator's node."""
        node = self.hosts[CFG_ID].node
        assert isinstance(node, Coordinator)
        return node

    def node(self, id: str) -> ShardNode:
        """The node of a machine."""
        node = self.hosts[id].node
        assert isinstance(node, ShardNode)
        return node

    def client(self, id: str) -> Client:
        """A client."""
        node = self.hosts[id].node
        assert isinstance(node, Client)
        return node

    @property
    def members(self) -> tuple[str, ...]:
        """Who takes part, as the coordinator has it."""
        return self.cfg().map.placement.members

    @property
    def chunked(self) -> bool:
        """Whether there are chunks."""
        return bool(self.cfg().map.placement.strategy.chunks)

    def alive(self) -> tuple[str, ...]:
        """The members that run."""
        return tuple(id for id in self.members if self.hosts[id].status != CRASHED)

    def stored_on(self, node: str) -> int:
        """How much is stored there: keys, or data where keys have sizes."""
        store = self.node(node).store
        return sum(self.sizes.get(key, 1) for key in store) if self.sizes else len(store)

    def to_move(self) -> int:
        """Keys that still have to move in the plan under way."""
        progress = self.cfg().progress
        left = 0
        for each in progress.units.values() if progress is not None else ():
            giving = self.node(each.unit.source).transfers.giving.get(each.unit.id)
            gone = (
                giving.moved
                if giving is not None
                else each.keys
                if each.state in (UnitState.EMPTY, UnitState.DONE)
                else 0
            )
            left += max(0, each.keys - gone)
        return left

    def version_at(self, node: str, key: str) -> int:
        """The version of a key that a node has on disk, whatever state the node is in; 0: none."""
        cell = self.hosts[node].disk.registers.get(KEY + key)
        return cell.version if cell is not None else 0

    def lose(self, key: str) -> None:
        """A check found that an acknowledged write of this key is gone."""
        self.lost[key] = None
        while len(self.lost) > LOST_MAX:
            del self.lost[next(iter(self.lost))]

    def compare(self, cause: Membership, before: tuple[str, ...], after: tuple[str, ...]) -> None:
        """From now on all strategies are compared on this change."""
        vnodes = self.cfg().map.placement.strategy.vnodes or self.options.vnodes
        self.compared = (cause, before, after, vnodes) if self.keys else None
