"""The snapshot: everything there is to see of an engine, frozen and bounded. Nothing here changes the world."""

from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from engines.sharding.balance import balance, expected_cv
from engines.sharding.batch import raw
from engines.sharding.hashing import crc16
from engines.sharding.hashing.fast import hash64
from engines.sharding.placement import Place
from engines.sharding.strategies.ring import CIRCLE
from engines.sharding.world import comparisons
from engines.sharding.world import messages as m
from engines.sharding.world import snapshot as s
from engines.sharding.world.client import Client
from engines.sharding.world.cluster import YOU, Cluster
from engines.sharding.world.comparisons import PPM, ppm
from engines.sharding.world.coordinator import CFG_ID, Coordinator
from engines.sharding.world.events import UnitState
from engines.sharding.world.key_counts import data, owned
from engines.sharding.world.keyspace import keyspace
from engines.sharding.world.messages import count_of
from engines.sharding.world.node import ShardNode
from engines.sharding.world.ownership import Placement, ShardMap
from engines.sharding.world.router import Router
from engines.sharding.world.rules import REDIRECTS_MAX
from engines.sim.host import UP, Host
from engines.sim.pattern import Check
from engines.sim.views import Flight, changed_links, host_view
from engines.sim.world import World

FLIGHTS_MAX: Final = 256
LINKS_MAX: Final = 64
LANES_MAX: Final = 32
RANK: Final = {UnitState.MIGRATING: 0, UnitState.IMPORTING: 1, UnitState.PLANNED: 2, UnitState.DONE: 3}
HOT_MAX: Final = 8
OPERATIONS_SHOWN: Final = 8


class View:
    """Everything that several parts of the snapshot need, looked up once."""

    def __init__(self, world: World, cluster: Cluster) -> None:
        self.world = world
        self.cluster = cluster
        self.cfg: Coordinator = cluster.cfg()
        self.map: ShardMap = self.cfg.map
        self.ledger = cluster.ledger
        self.names = cluster.machines
        self.pairs = self.ledger.ops()
        self.by_node = self.ledger.ops_by_node()
        self.by_key = self.ledger.ops_by_key()
        self.ops = sum(self.by_node.values())
        self.owned: dict[str, int] = {**dict.fromkeys(self.names, 0), **owned(cluster, self.map)}
        self.total = len(self.ledger.stored)
        self.data: dict[str, int] = {**dict.fromkeys(self.names, 0), **data(cluster, self.map)}
        self.picture = keyspace(self.data, self.map, cluster)
        self.pieces = dict(self.picture.pieces)
        self.hot = sorted(self.by_key.items(), key=lambda each: (-each[1], each[0]))[:HOT_MAX]

    def share(self, count: int, whole: int) -> int:
        """A part in ppm."""
        return count * PPM // whole if whole else 0


def take(
    world: World, cluster: Cluster, series: Iterable[s.Sample], cue: tuple[int, str] | None, checks: tuple[Check, ...]
) -> s.Snapshot:
    """The whole picture."""
    view = View(world, cluster)
    now = view.map
    strategy = now.placement.strategy
    picture = view.picture
    flights, links = _flights(world), changed_links(world.hosts.values())
    load = cluster.load
    return s.Snapshot(
        at_us=world.now_us, position=world.position, seed=world.seed, variant=cluster.variant,
        keys_stand_for=max(cluster.options.stand_for, view.total), sized=bool(cluster.sizes),
        nodes=tuple(_node(view, cluster.hosts[id]) for id in view.names),
        coordinator=_coordinator(view),
        clients=tuple(_client(view, cluster.hosts[id]) for id in world.clients),
        flights=flights, links=links[:LINKS_MAX], links_changed=len(links),
        rf=now.placement.rf, rack_aware=now.placement.rack_aware,
        vnodes=strategy.vnodes, bound=round(strategy.factor * 100),
        ring=picture.ring, tokens=picture.tokens, runs=picture.runs, runs_exact=picture.runs_exact,
        chunks=picture.chunks, shares=picture.shares,
        plan=_plan(view), keys=_keys(view), balance=_balance(view),
        comparison=_comparison(view),
        curves=_curves(now.placement),
        two_failures=now.placement.memo("fatal pairs", partial(fatal_pairs, now.placement)),
        series=tuple(series), workload=load.kind, skew=load.skew, rate=load.rate,
        salted=load.salted, rules=cluster.rules.items(), redirect_bound=REDIRECTS_MAX,
        keys_moved=cluster.ledger.moved, cue=cue,
        checks=checks, events=world.events_total,
    )  # fmt: skip


def _curves(placement: Placement) -> tuple[s.Curve, ...]:
    """Over the number of virtual nodes, of a ring; with a single copy it is told what two would be worth."""
    if placement.strategy.circle is None:
        return ()
    return comparisons.curves(placement.members, racks_of(placement), max(2, placement.copies))


def racks_of(placement: Placement) -> tuple[tuple[str, Place], ...]:
    """Where the members stand, if the copies are placed by it; else nothing."""
    return tuple((node, placement.places[node]) for node in placement.members) if placement.rack_aware else ()


def fatal_pairs(placement: Placement) -> tuple[int, int]:
    """With two copies on a ring: pairs of nodes whose failure together loses a range, and all pairs; else (0, 0)."""
    strategy = placement.strategy
    if strategy.circle is None or placement.copies != 2 or len(strategy.nodes) < 2:
        return 0, 0
    return comparisons.fatal_pairs(tuple(strategy.weights.items()), strategy.vnodes, racks_of(placement))


def _node(view: View, host: Host) -> s.NodeState:
    cluster, now = view.cluster, view.map
    machine = host_view(host, view.world.hosts, (*view.names, CFG_ID))
    node: ShardNode = host.node  # type: ignore[assignment]
    members, coming = now.placement.members, now.nodes
    target = now.plan.target.members if now.plan is not None else members
    role = "member" if host.id in members else "joining" if host.id in coming else "left"
    if role == "member" and host.id not in target:
        role = "leaving"
    heat = {key: count for (node_id, key), count in view.pairs.items() if node_id == host.id}
    hottest = max(heat, key=lambda key: (heat[key], key)) if heat else ""
    place = cluster.places[host.id]
    newest = now.plan.target if now.plan is not None else now.placement
    weights = newest.strategy.weights
    units = view.pieces.get(host.id, 0) if view.pieces else now.placement.strategy.pieces(host.id)
    lease = max(0, node.lease_until_us - host.now_us) if node.needs_lease() else -1
    return s.NodeState(
        id=host.id, status=machine.status, role=role, rack=place.rack, dc=place.datacenter,
        weight=round(weights.get(host.id, 1)), keys=len(node.store), owned=view.owned[host.id],
        share_ppm=view.share(view.data[host.id], sum(view.data.values())),
        ops_per_ks=view.ledger.per_ks(view.by_node.get(host.id, 0)),
        ops_ppm=view.share(view.by_node.get(host.id, 0), view.ops),
        hottest=hottest, hottest_ppm=view.share(heat.get(hottest, 0), sum(heat.values())), units=units,
        epoch=node.map.epoch, behind=now.epoch - node.map.epoch, dead=host.id in now.dead,
        stale=host.id in now.placement.stale, lease_left_us=lease,
        importing=node.importing[:8], migrating=node.migrating[:8], pending=len(node.pending),
        answers=tuple(sorted(node.answers.items(), key=lambda each: each[0].value)), unsynced=machine.unsynced,
        clock_off_us=machine.clock_off_us, drift_ppm=machine.drift_ppm, waiting=machine.waiting,
        fsync_us=machine.fsync_us,
        cut_from=machine.cut_from,
    )  # fmt: skip


def _coordinator(view: View) -> s.CoordinatorState:
    now, cfg = view.map, view.cfg
    nodes = now.nodes
    informed = sum(view.cluster.node(node).map.epoch >= now.epoch for node in nodes)
    return s.CoordinatorState(
        status=view.cluster.hosts[CFG_ID].status, epoch=now.epoch, term=now.term, full_coverage=now.full_coverage,
        reads_when_down=now.reads_when_down, covered=now.covered, uncovered=now.uncovered,
        balancer=cfg.balancing.by_size, split_for_heat=cfg.balancing.by_heat, bandwidth=cfg.pace,
        informed=informed, nodes=len(nodes),
    )  # fmt: skip


def _client(view: View, host: Host) -> s.ClientState:
    node: Any = host.node
    requests = node.requests
    under_way = list(requests.under_way.values())
    first = under_way[0] if under_way else None
    rate = view.cluster.load.rate if isinstance(node, Client) and node.works and view.cluster.load.kind != "off" else 0
    operations = () if isinstance(node, Router) else view.cluster.history.operations()
    return s.ClientState(
        id=host.id, epoch=requests.map.epoch, behind=view.map.epoch - requests.map.epoch, learned=len(requests.learned),
        rate=rate, current=f"{first.op} {' '.join(first.keys)}" if first else "",
        waiting_for=first.node if first else "", queued=len(node.queue), done=node.done, failed=node.failed,
        moved=requests.moved, asked=requests.asked, tried_again=requests.tried_again, hops=tuple(requests.newest),
        operations=tuple(each for each in operations if each.client == host.id)[-OPERATIONS_SHOWN:],
    )  # fmt: skip


def _plan(view: View) -> s.PlanState | None:
    progress = view.cfg.progress
    queued = tuple(change.cause for change in view.cfg.queue)
    if progress is None:
        return None
    lanes, keys_done = [], 0
    for each in progress.units.values():
        giving = view.cluster.node(each.unit.source).transfers.giving.get(each.unit.id)
        moved = (
            giving.moved
            if giving is not None
            else 0
            if each.state in (UnitState.PLANNED, UnitState.IMPORTING)
            else each.keys
        )
        keys_done += min(moved, each.keys)
        ends = (each.unit.source, each.unit.target)
        down = [end for end in ends if view.cluster.hosts[end].status != UP]
        blocked_by = down[0] if down and each.state is not UnitState.DONE else ""
        state = UnitState.MIGRATING if each.state is UnitState.EMPTY else each.state
        in_air = giving.in_air if giving is not None else 0
        lanes.append(s.Lane(each.unit.id, each.unit.name, state, each.keys, moved, in_air, blocked_by))
    lanes.sort(key=lambda lane: (RANK[lane.state], -lane.total))
    done = sum(lane.state is UnitState.DONE for lane in lanes)
    plan = progress.plan
    return s.PlanState(plan.number, plan.cause, len(lanes), done, progress.keys(), keys_done,
                       tuple(lanes[:LANES_MAX]), queued)  # fmt: skip


def _keys(view: View) -> tuple[s.KeyState, ...]:
    """Yours first, then what was lost, then the hottest."""
    why = dict.fromkeys(view.cluster.lost, s.Tracked.LOST)
    why.update((key, s.Tracked.YOURS) for key in reversed(view.ledger.touched) if key not in why)
    for key, _ in view.hot:
        why.setdefault(key, s.Tracked.HOT)
    return tuple(key_state(view, key, reason) for key, reason in why.items())


def key_state(view: View, key: str, why: s.Tracked) -> s.KeyState:
    """All about one key."""
    now, cluster = view.map, view.cluster
    strategy = now.placement.strategy
    slot = strategy.slot_of(key)
    at_ppm = hash64(raw(key)) * PPM // CIRCLE if strategy.circle is not None else -1
    hashed = hash64(raw(key))
    if slot >= 0:
        hashed = crc16.crc16(crc16.hash_tag(raw(key)))
    elif strategy.chunks:
        hashed = -1
    holders = [(id, cluster.version_at(id, key)) for id in view.names]
    return s.KeyState(
        key=key, why=why, slot=slot, hashed=hashed, at_ppm=at_ppm, owner=now.owner(key), group=now.group(key),
        holders=tuple((id, count_of(version)) for id, version in holders if version),
        acked=count_of(view.ledger.floor(key)), unit=now.moving(key),
        ops_ppm=view.share(view.by_key.get(key, 0), view.ops), salted=cluster.load.copies(key),
        hops=cluster.client(YOU).hops.get(key, ()),
    )  # fmt: skip


def _balance(view: View) -> s.BalanceState:
    members = view.map.placement.members
    keys = balance([view.data[node] for node in members])
    ops = balance([view.by_node.get(node, 0) for node in members])
    strategy = view.map.placement.strategy
    expected = -1
    if strategy.vnodes and not strategy.factor:
        expected = ppm(expected_cv(len(members), strategy.vnodes))
    hot = tuple(s.Hot(key, view.share(count, view.ops), view.map.owner(key)) for key, count in view.hot)
    return s.BalanceState(
        keys=view.total, mean_milli=view.total * 1_000 // len(members), cv_ppm=ppm(keys.cv), expected_cv_ppm=expected,
        peak_ppm=ppm(keys.peak_to_mean), ops_per_ks=view.ledger.per_ks(view.ops), ops_cv_ppm=ppm(ops.cv),
        ops_peak_ppm=ppm(ops.peak_to_mean) if view.ops else 0,
        hottest=hot[0].key if hot else "", hottest_ppm=hot[0].ppm if hot else 0,
        hot=hot,
    )  # fmt: skip


def _comparison(view: View) -> s.Comparison | None:
    compared = view.cluster.compared
    if compared is None:
        return None
    cause, before, after, vnodes = compared
    ideal, rows = comparisons.comparison(view.cluster.given, before, after, vnodes, view.cluster.variant)
    return s.Comparison(cause, len(before), len(after), len(view.cluster.given), ideal, rows,
                        any(weight != 1 for _, weight in view.cluster.given))  # fmt: skip


def _flights(world: World) -> tuple[Flight, ...]:
    """Keys on their way first, then all that is no routine, then the rest; each in the order it was sent."""
    return tuple(sorted(world.flights(), key=lambda each: (_rank(each.message), each.id))[:FLIGHTS_MAX])


def _rank(message: Any) -> int:
    if isinstance(message, m.Keys | m.KeysAck):
        return 0
    return 2 if m.is_routine(message) else 1
