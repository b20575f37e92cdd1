"""What there is to see of a sharded cluster, frozen and bounded. The picture is drawn from this and from nothing else.

Shares, coefficients and ratios are whole numbers: parts per million (``_ppm``), so 0.073 is 73_000 and a peak of 1.13
times the mean is 1_130_000. -1 stands for "not known" or "does not apply".
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from engines.sharding.world.events import Cause, Hop, Membership, Said, UnitName, UnitState
from engines.sim.history import Operation
from engines.sim.pattern import Check
from engines.sim.views import Flight, LinkView

WINDOW_S: Final = 5
"""Requests are counted over so many seconds, of which the last is still running."""


class Segment(NamedTuple):
    """One of the 360 degrees of the ring: who owns most of it, and how many tokens lie in it."""

    owner: str
    tokens: int


class Token(NamedTuple):
    """A virtual node: where on the ring (ppm of the way round) and whose."""

    at_ppm: int
    owner: str


class Run(NamedTuple):
    """Neighbouring slots of one owner, both ends included."""

    first: int
    last: int
    owner: str


class ChunkState(NamedTuple):
    """Keys from ``min`` (included) to ``max`` (excluded; "" stands for the end). A key counts with its weight."""

    min: str
    max: str
    owner: str
    keys: int
    ops_per_ks: int
    jumbo: bool


class Share(NamedTuple):
    """How much of the key space a node owns, where the space has no picture of its own."""

    owner: str
    ppm: int


class Lane(NamedTuple):
    """A unit that moves."""

    id: str
    """``n2>n7``, ``slot 3443``, ``slots 0-63``, ``chunk m``."""
    unit: UnitName
    state: UnitState
    total: int
    moved: int
    in_flight: int
    blocked_by: str
    """The end that is down, so that it makes no progress; or nothing."""

    @property
    def source(self) -> str:
        """Who gives."""
        return self.unit.source

    @property
    def target(self) -> str:
        """Who takes; the same: it goes on owning the keys, and somebody becomes their replica."""
        return self.unit.target


class PlanState(NamedTuple):
    """The change of ownership that is under way, as a whole."""

    number: int
    cause: Cause
    units: int
    units_done: int
    keys: int
    keys_done: int
    lanes: tuple[Lane, ...]
    """The units in work first, then the next planned ones; at most 32."""
    queued: tuple[Cause, ...]
    """Causes of changes that wait for this one."""


class Hot(NamedTuple):
    """A key and its share of all requests."""

    key: str
    ppm: int
    owner: str


class Tracked(Enum):
    """Why a key is listed."""

    HOT = "hot"
    YOURS = "yours"
    LOST = "lost"


class KeyState(NamedTuple):
    """One tracked key."""

    key: str
    why: Tracked
    slot: int
    """Redis slot; -1 elsewhere."""
    hashed: int
    """CRC16 of the key or its hash tag where there are slots, else the 64-bit hash; -1 where keys lie in order."""
    at_ppm: int
    """Position on the ring; -1 if the strategy has no ring."""
    owner: str
    group: tuple[str, ...]
    """Owner and replicas, as the authoritative map has them."""
    holders: tuple[tuple[str, int], ...]
    """(node, version) of every node that stores it. Versions count the writes of a key."""
    acked: int
    """The newest version some client was told to be written."""
    unit: str
    """The moving unit it belongs to, or nothing."""
    ops_ppm: int
    salted: int
    hops: tuple[Hop, ...]
    """The way of the newest request for it."""


class NodeState(NamedTuple):
    """One machine of the cluster."""

    id: str
    status: str
    """``up crashed frozen``."""
    role: str
    """``member joining leaving left``."""
    rack: str
    dc: str
    weight: int
    keys: int
    """Copies it stores, whatever their role."""
    owned: int
    """Keys it owns by the authoritative map."""
    share_ppm: int
    """Owned keys over all keys; where keys have sizes, owned data over all data."""
    ops_per_ks: int
    ops_ppm: int
    """Its share of all requests of the last seconds."""
    hottest: str
    hottest_ppm: int
    """Share of its hottest key in *its* requests."""
    units: int
    """Tokens, slots or chunks it owns; 0 where there is no such thing."""
    epoch: int
    behind: int
    """How many epochs its map is old."""
    dead: bool
    """Missed by the coordinator's heartbeats."""
    stale: bool
    """It missed writes and is no replica until it has caught up."""
    lease_left_us: int
    """How long it may serve without hearing the coordinator; -1: it needs no lease (RF 1)."""
    importing: tuple[str, ...]
    migrating: tuple[str, ...]
    pending: int
    """Writes that wait for replicas."""
    answers: tuple[tuple[Said, int], ...]
    """How often it gave which answer, since it started."""
    unsynced: int
    clock_off_us: int
    drift_ppm: int
    waiting: int
    fsync_us: int
    cut_from: tuple[str, ...]


class CoordinatorState(NamedTuple):
    """``cfg``: who owns the authoritative map."""

    status: str
    epoch: int
    term: int
    """Grows whenever a node is declared dead or taken back: a write of an older term is refused by replicas."""
    full_coverage: bool
    reads_when_down: bool
    covered: bool
    """Every unit has a live owner."""
    uncovered: tuple[str, ...]
    """The dead owners of what has none."""
    balancer: bool
    split_for_heat: bool
    bandwidth: int
    informed: int
    """How many nodes have the newest map."""
    nodes: int


class ClientState(NamedTuple):
    """One client, or the router."""

    id: str
    epoch: int
    """Of the map it has cached."""
    behind: int
    learned: int
    """Slots it learned by MOVED on top of that map."""
    rate: int
    current: str
    waiting_for: str
    queued: int
    done: int
    failed: int
    moved: int
    asked: int
    tried_again: int
    hops: tuple[Hop, ...]
    """The redirects of its newest requests, newest last; at most 8."""
    operations: tuple[Operation, ...]


class BalanceState(NamedTuple):
    """How even the load is."""

    keys: int
    mean_milli: int
    """Keys for each member, in thousandths."""
    cv_ppm: int
    expected_cv_ppm: int
    """What theory expects of this strategy; -1 if it says nothing."""
    peak_ppm: int
    """Fullest node over the mean."""
    ops_per_ks: int
    ops_cv_ppm: int
    ops_peak_ppm: int
    """Busiest node over the mean; 0 if nobody was asked anything."""
    hottest: str
    hottest_ppm: int
    """Share of the hottest key in all requests."""
    hot: tuple[Hot, ...]
    """The hottest keys, at most 8."""


class Row(NamedTuple):
    """One strategy in the comparison."""

    strategy: str
    title: str
    moved_ppm: int
    between_survivors_ppm: int
    cv_ppm: int
    peak_ppm: int
    current: bool


class Comparison(NamedTuple):
    """All strategies on the same keys at the last join, leave, crash or return.

    A join or leave is compared among all members, a crash or return among those that run before and after it.
    """

    cause: Membership
    before: int
    after: int
    keys: int
    ideal_ppm: int
    rows: tuple[Row, ...]
    weighted: bool
    """Keys have weights: cv and peak are those of the weights, what moves is counted in keys."""


class Curve(NamedTuple):
    """A curve over the number of virtual nodes: measured and expected."""

    vnodes: int
    cv_ppm: int
    expected_ppm: int
    loss_ppm: int
    """Chance that two failures at once lose some range (RF 2); -1 where there are no two nodes."""


class Sample(NamedTuple):
    """One point of the strip."""

    at_us: int
    ops_per_ks: int
    peak_ppm: int
    """Busiest node over the mean, by requests; 0 if there were none."""
    hottest_ppm: int
    keys_peak_ppm: int
    moving: int
    """Keys that still have to move."""
    redirects: int
    """Since the sample before."""
    failed: int
    """Requests given up since the sample before."""
    epoch: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The cluster at one position."""

    at_us: int
    position: int
    seed: int
    variant: str
    keys_stand_for: int
    """How many keys the world's stand for: a file may hold more than live here."""
    sized: bool
    """Keys have sizes of their own: shares, cv and peak are those of the data."""
    nodes: tuple[NodeState, ...]
    coordinator: CoordinatorState
    clients: tuple[ClientState, ...]
    """``c1 ..``, ``you`` and, if there is one, ``router``."""
    flights: tuple[Flight, ...]
    """At most 256, keys on their way first."""
    links: tuple[LinkView, ...]
    """At most 64."""
    links_changed: int
    rf: int
    rack_aware: bool
    vnodes: int
    """Tokens for each node; 0 where the strategy has none."""
    bound: int
    """Percent of the mean a node may take (bounded); 0 elsewhere."""
    ring: tuple[Segment, ...]
    """360 segments clockwise from the top (ring, bounded), else empty."""
    tokens: tuple[Token, ...]
    """Every token while there are at most 512 of them, else empty."""
    runs: tuple[Run, ...]
    """slots: at most 512, else empty."""
    runs_exact: bool
    """False: there are more than 512 runs, and these are 512 cells with the owner of most of each."""
    chunks: tuple[ChunkState, ...]
    """range: at most 256, else empty."""
    shares: tuple[Share, ...]
    """Every variant: parts of the key space by owner."""
    plan: PlanState | None
    keys: tuple[KeyState, ...]
    """At most 24 tracked keys: yours, lost ones, the hottest."""
    balance: BalanceState
    comparison: Comparison | None
    curves: tuple[Curve, ...]
    """cv and loss over 1 .. 1000 virtual nodes (ring, bounded), else empty."""
    two_failures: tuple[int, int]
    """(pairs of nodes whose failure together loses some key, all pairs) for the present placement; (0, 0) unknown."""
    series: tuple[Sample, ...]
    """At most 600, newest last."""
    workload: str
    skew: int
    rate: int
    salted: tuple[tuple[str, int], ...]
    rules: tuple[tuple[str, bool], ...]
    redirect_bound: int
    keys_moved: int
    """Keys handed over to another owner since the run began."""
    cue: tuple[int, str] | None
    checks: tuple[Check, ...]
    events: int

    @property
    def members(self) -> tuple[NodeState, ...]:
        """Nodes that take part now."""
        return tuple(node for node in self.nodes if node.role in ("member", "leaving"))

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """The units of the plan that is under way, if one is."""
        return self.plan.lanes if self.plan is not None else ()

    @property
    def moving(self) -> tuple[Lane, ...]:
        """Those that are not done."""
        return tuple(lane for lane in self.lanes if lane.state is not UnitState.DONE)

    def chunk_of(self, key: str) -> int:
        """The number of the chunk that holds a key; -1 where there are none."""
        return max((number for number, chunk in enumerate(self.chunks) if chunk.min <= key), default=-1)

    def node(self, id: str) -> NodeState | None:
        """The machine of this name."""
        for node in self.nodes:
            if node.id == id:
                return node
        return None

    def key(self, name: str) -> KeyState | None:
        """The tracked key of this name."""
        for key in self.keys:
            if key.key == name:
                return key
        return None
