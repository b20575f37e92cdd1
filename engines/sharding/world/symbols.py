"""Symbolic names in commands, resolved when the command is applied: ``hot``, ``cold``, ``new``, ``owner:KEY``."""

from collections.abc import Callable
from dataclasses import fields, replace
from functools import partial
from typing import Any, Final

from engines.errors import UserError
from engines.sharding.batch import text
from engines.sharding.world import commands as c
from engines.sharding.world.cluster import Cluster
from engines.sim.symbols import NODE_FIELDS, resolve

OWNER: Final = "owner:"
NAMING: Final = (*NODE_FIELDS, "to")
"""The fields of commands that name nodes."""


def resolved(cluster: Cluster, command: Any) -> Any:
    """The command with real names in it."""
    if isinstance(command, c.AddNode):
        command = _newcomer(cluster, command)
    elif isinstance(command, c.Get | c.Put | c.Salt):
        command = resolve(command, {"hot": partial(hottest_key, cluster)}, ("key",))
    elif isinstance(command, c.MoveChunk | c.SplitChunk | c.MergeChunks) and cluster.chunked:
        hot, last = partial(_chunk, cluster, "hot"), partial(_chunk, cluster, "last")
        command = resolve(command, {"hot": hot, "last": last}, ("min",))
    names = (getattr(command, each.name) for each in fields(command) if each.name in NAMING)
    owners = [name for name in names if isinstance(name, str) and name.startswith(OWNER)]
    now = cluster.cfg().map
    meanings: dict[str, str | Callable[[], str]] = {
        "hot": partial(_by_load, cluster, max), "cold": partial(_by_load, cluster, min), "new": now.nodes[-1],
        **{name: now.owner(name.removeprefix(OWNER)) for name in owners},
    }  # fmt: skip
    return resolve(command, meanings, NAMING)


def _by_load(cluster: Cluster, choose: Callable[..., str]) -> str:
    """The most or least loaded member: by requests, then by keys."""
    ops = cluster.ledger.ops_by_node()
    return choose(cluster.members, key=lambda node: (ops.get(node, 0), len(cluster.node(node).store), node))


def hottest_key(cluster: Cluster) -> str:
    """The key that was asked for most. UserError if none was."""
    ops = cluster.ledger.ops_by_key()
    if not ops:
        raise UserError("no key is hot: nobody asked for any; switch a workload on first")
    return max(ops, key=lambda key: (ops[key], key))


def _chunk(cluster: Cluster, which: str) -> str:
    """Where the last chunk begins, or that of the hottest key."""
    strategy = cluster.cfg().map.placement.strategy
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
