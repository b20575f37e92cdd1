"""Which change a command orders, and which commands make no sense: every refusal says what would be accepted."""

import re
from typing import Any, Final

from engines.errors import UserError
from engines.sharding.hashing.crc16 import SLOTS
from engines.sharding.placement import Place
from engines.sharding.world import commands as c
from engines.sharding.world.changes import PlacementChange, changed, chunk_at
from engines.sharding.world.cluster import ROUTER, YOU, Cluster
from engines.sharding.world.events import Cause
from engines.sharding.world.events import ChangeKind as K
from engines.sharding.world.options import NODES_MAX, WORKLOADS
from engines.sharding.world.ownership import Placement
from engines.sharding.world.rules import ShardRules
from engines.sim import faults
from engines.sim.host import CRASHED, UP
from engines.sim.rules import SetRule

NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,7}")
HOSTS_MAX: Final = 24
KEY_MAX: Final = 200
KEYS_MAX: Final = 8
COPIES_MAX: Final = 32
TO_CFG: Final = (
    c.AddNode, c.RemoveNode, c.SetVnodes, c.SetReplication, c.SetRackAware, c.Bound, c.MoveSlot, c.MoveChunk,
    c.SplitChunk, c.MergeChunks, c.SetBandwidth, c.SetFullCoverage, c.SetBalancer, c.SplitForHeat,
)  # fmt: skip
"""Orders that ``cfg`` has to hear."""
ONLY: Final[dict[type, tuple[str, ...]]] = {
    c.SetVnodes: ("ring", "bounded"),
    c.Bound: ("bounded",),
    c.MoveSlot: ("slots",),
    c.SetFullCoverage: ("slots",),
    c.MoveChunk: ("range",),
    c.SplitChunk: ("range",),
    c.MergeChunks: ("range",),
    c.SplitForHeat: ("range", "slots"),
    c.SetBalancer: ("range", "slots"),
}
"""Variants that a command belongs to."""
WHY_NOT: Final = "keys are placed by their hash alone there"


def placement_to_be(cluster: Cluster) -> Placement:
    """What the placement will be when the change under way is done."""
    plan = cluster.cfg().map.plan
    return plan.target if plan is not None else cluster.cfg().map.placement


def order_of(cluster: Cluster, command: Any) -> PlacementChange | None:
    """The change of ownership that a command asks for, if it does."""
    match command:
        case c.AddNode(name=name, weight=weight):
            return PlacementChange(Cause(K.JOIN, node=name, number=weight), place=new_place(cluster, command))
        case c.RemoveNode(node=node):
            return PlacementChange(Cause(K.LEAVE, node=node))
        case c.SetVnodes(n=n):
            return PlacementChange(Cause(K.VNODES, number=n))
        case c.SetReplication(rf=rf):
            return PlacementChange(Cause(K.COPIES, number=rf))
        case c.SetRackAware(on=on):
            return PlacementChange(Cause(K.RACKS, number=int(on)))
        case c.Bound(percent=percent):
            return PlacementChange(Cause(K.BOUND, number=percent))
        case c.MoveSlot(slot=slot, to=to):
            return PlacementChange(Cause(K.SLOTS, node=to, number=slot), moves=((str(slot), to),))
        case c.MoveChunk(min=low, to=to):
            return PlacementChange(Cause(K.CHUNKS, node=to, low=low), moves=((low, to),))
        case c.SplitChunk(min=low, at=at):
            return PlacementChange(Cause(K.SPLIT, low=low), at=at or middle(cluster, low))
        case c.MergeChunks(min=low):
            return PlacementChange(Cause(K.MERGE, low=low))
    return None


def new_place(cluster: Cluster, command: c.AddNode) -> Place:
    """The rack asked for, written ``r2`` or ``dc2:r1``."""
    datacenter, _, rack = command.rack.rpartition(":")
    return Place(datacenter or "dc1", rack)


def middle(cluster: Cluster, low: str) -> str:
    """The middle key of the chunk that begins at ``low``. UserError if it holds fewer than two."""
    strategy = placement_to_be(cluster).strategy
    at = chunk_at(strategy.chunks, low)
    inside = sorted(key for key in cluster.ledger.stored if strategy.locate(key).slot == at)
    if len(inside) < 2:
        raise UserError(f"chunk {low or '-inf'} holds {len(inside)} keys: there is nothing to cut between")
    return inside[len(inside) // 2]


def check(cluster: Cluster, command: Any) -> None:
    """UserError if the command makes no sense in this cluster now."""
    only = ONLY.get(type(command))
    if only is not None and cluster.variant not in only:
        why = "" if cluster.variant in ("range", "slots") else f": {WHY_NOT}"
        raise UserError(f"{type(command).__name__} belongs to {' and '.join(only)}, not to {cluster.variant}{why}")
    if isinstance(command, TO_CFG) and cluster.hosts["cfg"].status != UP:
        raise UserError(f"cfg is {cluster.hosts['cfg'].status}: nobody takes the order; restart or thaw it first")
    _check_values(command)
    _check_names(cluster, command)
    change = order_of(cluster, command)
    if change is not None:
        changed(placement_to_be(cluster), change, cluster.cfg().known())


def _check_values(command: Any) -> None:
    match command:
        case c.AddNode(weight=weight) if not 1 <= weight <= 10:
            raise UserError(f"a weight of {weight}: 1 to 10 is accepted")
        case c.SetVnodes(n=n) if not 1 <= n <= 1_000:
            raise UserError(f"{n} virtual nodes: 1 to 1000 are accepted")
        case c.SetReplication(rf=rf) if not 1 <= rf <= 3:
            raise UserError(f"{rf} copies: 1 to 3 are accepted")
        case c.Bound(percent=percent) if not 100 <= percent <= 400:
            raise UserError(f"a bound of {percent} % of the mean: 100 to 400 is accepted")
        case c.SetWorkload(pattern=kind) if kind not in WORKLOADS:
            raise UserError(f"no workload {kind!r}: one of {', '.join(WORKLOADS)} is accepted")
        case c.SetWorkload(skew=skew) if not 0 <= skew <= 300:
            raise UserError(f"a skew of {skew} hundredths: 0 to 300 is accepted")
        case c.SetWorkload(rate=rate) if not 1 <= rate <= 50:
            raise UserError(f"{rate} requests a second: 1 to 50 of every client are accepted")
        case c.Salt(n=n) if not 1 <= n <= COPIES_MAX:
            raise UserError(f"{n} salted copies: 1 (none) to {COPIES_MAX} are accepted")
        case c.SetBandwidth(keys_per_s=pace) if not 1 <= pace <= 5_000:
            raise UserError(f"{pace} keys a second: 1 to 5000 are accepted")
        case c.MoveSlot(slot=slot) if not 0 <= slot < SLOTS:
            raise UserError(f"no slot {slot}: 0 to {SLOTS - 1} are accepted")
        case SetRule():
            ShardRules().validate(command)
        case c.Get(key=key) | c.Put(key=key) | c.Salt(key=key) if len(key) > KEY_MAX:
            raise UserError(f"a key of {len(key)} characters: at most {KEY_MAX} are accepted")
        case c.Put(value=value) if abs(value) >= 1 << 53:
            raise UserError(f"a value of {value}: less than 2**53 is accepted")
        case c.MultiGet(keys=keys) if not 1 <= len(keys) <= KEYS_MAX or any(len(key) > KEY_MAX for key in keys):
            raise UserError(f"a request for {len(keys)} keys: 1 to {KEYS_MAX}, of at most {KEY_MAX} characters each")


def plural_nodes(count: int) -> str:
    """``1 node``, ``2 nodes``."""
    return f"{count} node" + ("" if count == 1 else "s")


def _check_names(cluster: Cluster, command: Any) -> None:
    members = placement_to_be(cluster).members
    match command:
        case c.AddNode(name=name):
            _check_new(cluster, name, members)
        case c.RemoveNode(node=node) if node not in members:
            raise UserError(f"{node} is no member: one of {', '.join(members)} can be removed")
        case c.RemoveNode(node=node) if any(
            change.kind is K.LEAVE and change.cause.node == node for change in cluster.cfg().queue
        ):
            raise UserError(f"{node} is to leave already: that waits for the change under way")
        case c.RemoveNode(node=node) if cluster.hosts[node].status == CRASHED and placement_to_be(cluster).rf == 1:
            raise UserError(
                f"{node} is down and has the only copy of its keys: nobody could give them away; restart it first "
                "(k), or keep more copies"
            )
        case c.RemoveNode() if len(members) == 1:
            raise UserError("the last node cannot leave: its keys would have no owner; add another first")
        case c.SetReplication(rf=rf) if rf > len(members):
            raise UserError(f"{rf} copies on {plural_nodes(len(members))}: every copy needs a node of its own; add one")
        case c.MoveSlot(to=to) | c.MoveChunk(to=to) if to not in members:
            raise UserError(f"{to} is no member: one of {', '.join(members)} can take it")
        case c.Get(node=node) | c.Put(node=node) | c.MultiGet(node=node):
            if cluster.hosts[YOU].status != UP:
                raise UserError(f"you are {cluster.hosts[YOU].status}: restart or thaw yourself first")
            if node and node not in cluster.machines:
                raise UserError(f"{node} keeps no keys: one of {', '.join(cluster.machines)} can be asked")
        case c.Salt() if cluster.hosts[YOU].status != UP:
            raise UserError(f"you are {cluster.hosts[YOU].status}: nobody could write the copies")
        case faults.Isolate(node=node) | faults.Reconnect(node=node) if node != "cfg" and node not in cluster.machines:
            raise UserError(f"{node} is a client: cut its links one by one instead")


def _check_new(cluster: Cluster, name: str, members: tuple[str, ...]) -> None:
    """A name for a newcomer."""
    taken = (*cluster.hosts, "cfg", ROUTER)
    waiting = [change.cause.node for change in cluster.cfg().queue if change.kind is K.JOIN]
    if not NAME.fullmatch(name) or (name in taken and name not in cluster.machines):
        raise UserError(f"no node can be called {name!r}: up to 8 small letters and digits, such as n7")
    if name in members or name in waiting:
        raise UserError(f"{name} is a member already: choose another name")
    if len(members) + len(waiting) >= NODES_MAX:
        raise UserError(f"the cluster has {len(members) + len(waiting)} nodes: {NODES_MAX} are the most")
    if name not in cluster.machines and len(cluster.machines) >= HOSTS_MAX:
        raise UserError(f"{HOSTS_MAX} machines have taken part already: bring back one that left")
    if name in cluster.machines and cluster.hosts[name].status != UP:
        raise UserError(f"{name} is {cluster.hosts[name].status}: restart or thaw it first")
