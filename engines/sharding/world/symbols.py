"""Symbolic names in commands, resolved when the command is applied: ``hot``, ``cold``, ``new``, ``owner:KEY``."""

from dataclasses import fields, replace
from typing import Any, Final

from engines.errors import UserError
from engines.sharding.batch import text
from engines.sharding.world import commands as c
from engines.sharding.world.cluster import Cluster

NODE_FIELDS: Final = ("node", "src", "dst", "nodes", "sides", "to")


def resolved(cluster: Cluster, command: Any) -> Any:
    """The command with real names in it."""
    if isinstance(command, c.AddNode):
        command = _newcomer(cluster, command)
    elif isinstance(command, c.Get | c.Put | c.Salt) and command.key == "hot":
        command = replace(command, key=hottest_key(cluster))
    elif isinstance(command, c.MoveChunk | c.SplitChunk | c.MergeChunks) and command.min in ("hot", "last"):
        command = replace(command, min=_chunk(cluster, command.min))
    changed = {
        field.name: _mean(cluster, getattr(command, field.name))
        for field in fields(command)
        if field.name in NODE_FIELDS
    }
    return replace(command, **changed) if changed else command


def _mean(cluster: Cluster, value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_mean(cluster, each) for each in value)
    if not isinstance(value, str):
        return value
    now = cluster.cfg().map
    members = now.placement.members
    ops = cluster.ledger.ops_by_node()

    def load(node: str) -> tuple[int, int, str]:
        return ops.get(node, 0), len(cluster.node(node).store), node

    if value == "hot":
        return max(members, key=load)
    if value == "cold":
        return min(members, key=load)
    if value == "new":
        return now.nodes[-1]
    if value.startswith("owner:"):
        return now.owner(value.removeprefix("owner:"))
    return value


def hottest_key(cluster: Cluster) -> str:
    """The key that was asked for most. UserError if none was."""
    ops = cluster.ledger.ops_by_key()
    if not ops:
        raise UserError("no key is hot: nobody asked for any; switch a workload on first")
    return max(ops, key=lambda key: (ops[key], key))


def _chunk(cluster: Cluster, which: str) -> str:
    """Where the last chunk begins, or that of the hottest key."""
    strategy = cluster.cfg().map.placement.strategy
    if not strategy.chunks:
        return which
    if which == "last":
        return text(strategy.chunks[-1].low)
    at = strategy.locate(hottest_key(cluster)).slot
    return text(strategy.chunks[at or 0].low)


def _newcomer(cluster: Cluster, command: c.AddNode) -> c.AddNode:
    """The next free name; of the racks the one with the fewest machines, the rack it had if it was here before."""
    name = command.name
    cfg = cluster.cfg()
    busy = {*cfg.map.nodes, *(change.cause.node for change in cfg.queue)}
    if not name:
        numbers = (f"n{i}" for i in range(1, 100))
        name = next(each for each in numbers if each not in busy)
    rack = command.rack
    if not rack and name in cluster.places:
        rack = f"{cluster.places[name].datacenter}:{cluster.places[name].rack}"
    elif not rack:
        counts = {f"{place.datacenter}:{place.rack}": 0 for place in cluster.places.values()}
        for node, place in cluster.places.items():
            counts[f"{place.datacenter}:{place.rack}"] += node in busy
        rack = min(counts, key=lambda each: (counts[each], each))
    return replace(command, name=name, rack=rack)
