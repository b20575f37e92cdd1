"""Which change a command orders, and which commands make no sense: every refusal says what would be accepted."""

import re
from typing import TYPE_CHECKING, Any, Final

from engines.errors import UserError
from engines.sharding.hashing.crc16 import SLOTS
from engines.sharding.placement import Place
from engines.sharding.strategies.range import Range
from engines.sharding.world import commands as c
from engines.sharding.world.changes import Change, changed, chunk_at
from engines.sharding.world.options import NODES_MAX, WORKLOADS
from engines.sharding.world.ownership import Placement
from engines.sharding.world.rules import RULE_NAMES
from engines.sim import faults
from engines.sim.world import UP

if TYPE_CHECKING:
    from engines.sharding.world.engine import ShardingEngine

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


def placement_to_be(engine: "ShardingEngine") -> Placement:
    """What the placement will be when the change under way is done."""
    plan = engine.cfg().map.plan
    return plan.target if plan is not None else engine.cfg().map.placement


def order_of(engine: "ShardingEngine", command: Any) -> Change | None:
    """The change of ownership that a command asks for, if it does."""
    match command:
        case c.AddNode(name=name, weight=weight):
            return Change("join", f"{name} joins", name, weight, place=new_place(engine, command))
        case c.RemoveNode(node=node):
            return Change("leave", f"{node} leaves", node)
        case c.SetVnodes(n=n):
            return Change("vnodes", f"{n} virtual nodes each", number=n)
        case c.SetReplication(rf=rf):
            return Change("rf", f"{rf} {'copy' if rf == 1 else 'copies'} of every key", number=rf)
        case c.SetRackAware(on=on):
            return Change("racks", f"copies on {'different racks' if on else 'the next nodes'}", number=int(on))
        case c.Bound(percent=percent):
            return Change("bound", f"at most {percent} % of the mean", number=percent)
        case c.MoveSlot(slot=slot, to=to):
            return Change("slot", f"slot {slot} goes to {to}", to, moves=((str(slot), to),))
        case c.MoveChunk(min=low, to=to):
            return Change("chunks", f"chunk {low or '-inf'} goes to {to}", to, moves=((low, to),))
        case c.SplitChunk(min=low, at=at):
            return Change("split", f"chunk {low or '-inf'} is split", at=at or middle(engine, low))
        case c.MergeChunks(min=low):
            return Change("merge", f"chunk {low or '-inf'} takes in the next one", at=low)
    return None


def new_place(engine: "ShardingEngine", command: c.AddNode) -> Place:
    """The rack asked for, written ``r2`` or ``dc2:r1``."""
    datacenter, _, rack = command.rack.rpartition(":")
    return Place(datacenter or "dc1", rack)


def middle(engine: "ShardingEngine", low: str) -> str:
    """The middle key of the chunk that begins at ``low``. UserError if it holds fewer than two."""
    strategy = placement_to_be(engine).strategy
    assert isinstance(strategy, Range)
    at = chunk_at(strategy.chunks, low)
    inside = sorted(
        key for key in engine.ledger.stored if strategy.locate(key.encode("utf-8", "surrogateescape")).slot == at
    )
    if len(inside) < 2:
        raise UserError(f"chunk {low or '-inf'} holds {len(inside)} keys: there is nothing to cut between")
    return inside[len(inside) // 2]


def check(engine: "ShardingEngine", command: Any) -> None:
    """UserError if the command makes no sense in this cluster now."""
    only = ONLY.get(type(command))
    if only is not None and engine.variant not in only:
        why = "" if engine.variant in ("range", "slots") else f": {WHY_NOT}"
        raise UserError(f"{type(command).__name__} belongs to {' and '.join(only)}, not to {engine.variant}{why}")
    if isinstance(command, TO_CFG) and engine.hosts["cfg"].status != UP:
        raise UserError(f"cfg is {engine.hosts['cfg'].status}: nobody takes the order; restart or thaw it first")
    _check_values(command)
    _check_names(engine, command)
    change = order_of(engine, command)
    if change is not None:
        changed(placement_to_be(engine), change, engine.cfg().known())


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
        case c.SetRule(rule=rule) if rule not in RULE_NAMES:
            raise UserError(f"no rule {rule!r}: one of {', '.join(RULE_NAMES)} can be switched")
        case c.Get(key=key) | c.Put(key=key) | c.Salt(key=key) if len(key) > KEY_MAX:
            raise UserError(f"a key of {len(key)} characters: at most {KEY_MAX} are accepted")
        case c.Put(value=value) if abs(value) >= 1 << 53:
            raise UserError(f"a value of {value}: less than 2**53 is accepted")
        case c.MultiGet(keys=keys) if not 1 <= len(keys) <= KEYS_MAX or any(len(key) > KEY_MAX for key in keys):
            raise UserError(f"a request for {len(keys)} keys: 1 to {KEYS_MAX}, of at most {KEY_MAX} characters each")


def plural_nodes(count: int) -> str:
    """``1 node``, ``2 nodes``."""
    return f"{count} node" + ("" if count == 1 else "s")


def _check_names(engine: "ShardingEngine", command: Any) -> None:
    members = placement_to_be(engine).members
    match command:
        case c.AddNode(name=name):
            _check_new(engine, name, members)
        case c.RemoveNode(node=node) if node not in members:
            raise UserError(f"{node} is no member: one of {', '.join(members)} can be removed")
        case c.RemoveNode() if len(members) == 1:
            raise UserError("the last node cannot leave: its keys would have no owner; add another first")
        case c.SetReplication(rf=rf) if rf > len(members):
            raise UserError(f"{rf} copies on {plural_nodes(len(members))}: every copy needs a node of its own; add one")
        case c.MoveSlot(to=to) | c.MoveChunk(to=to) if to not in members:
            raise UserError(f"{to} is no member: one of {', '.join(members)} can take it")
        case c.Get(node=node) | c.Put(node=node) | c.MultiGet(node=node):
            if engine.hosts[engine.you].status != UP:
                raise UserError(f"you are {engine.hosts[engine.you].status}: restart or thaw yourself first")
            if node and node not in engine.machines:
                raise UserError(f"{node} keeps no keys: one of {', '.join(engine.machines)} can be asked")
        case c.Salt() if engine.hosts[engine.you].status != UP:
            raise UserError(f"you are {engine.hosts[engine.you].status}: nobody could write the copies")
        case faults.Isolate(node=node) | faults.Reconnect(node=node) if node not in engine.servers:
            raise UserError(f"{node} is a client: cut its links one by one instead")


def _check_new(engine: "ShardingEngine", name: str, members: tuple[str, ...]) -> None:
    """A name for a newcomer."""
    taken = (*engine.clients, "cfg", "router")
    waiting = [change.node for change in engine.cfg().queue if change.kind == "join"]
    if not NAME.fullmatch(name) or name in taken:
        raise UserError(f"no node can be called {name!r}: up to 8 small letters and digits, such as n7")
    if name in members or name in waiting:
        raise UserError(f"{name} is a member already: choose another name")
    if len(members) + len(waiting) >= NODES_MAX:
        raise UserError(f"the cluster has {len(members) + len(waiting)} nodes: {NODES_MAX} are the most")
    if name not in engine.machines and len(engine.machines) >= HOSTS_MAX:
        raise UserError(f"{HOSTS_MAX} machines have taken part already: bring back one that left")
    if name in engine.machines and engine.hosts[name].status != UP:
        raise UserError(f"{name} is {engine.hosts[name].status}: restart or thaw it first")
