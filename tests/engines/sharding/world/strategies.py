"""Random faults and random orders for a sharded cluster, for hypothesis."""

from typing import Any

from hypothesis import strategies as st

from engines.sharding.world import commands as c
from engines.sharding.world.options import WORKLOADS
from engines.sharding.world.rules import ShardRules
from engines.sim import faults
from engines.sim.rules import SetRule

NODES = ("n1", "n2", "n3", "n4", "n5", "n6")
SERVERS = (*NODES, "cfg")
EVERYONE = (*SERVERS, "c1", "you")
KEYS = ("cart:1", "{a}x", "{a}y", "user:7", "k")

servers = st.sampled_from(SERVERS)
nodes = st.sampled_from(NODES)
everyone = st.sampled_from((*EVERYONE, "*"))
ppm = st.sampled_from((0, 50_000, 300_000, 800_000))
span_us = st.integers(0, 1_500_000)


def _side(mask: int) -> tuple[tuple[str, ...], ...]:
    """Two sides of the servers, neither empty."""
    left = tuple(server for bit, server in enumerate(SERVERS) if mask >> bit & 1)
    return left, tuple(server for server in SERVERS if server not in left)


crashes = st.builds(faults.Crash, servers) | st.builds(faults.Restart, servers)
freezes = st.builds(faults.Freeze, servers) | st.builds(faults.Thaw, servers)
cuts = (
    st.builds(faults.Cut, everyone, everyone)
    | st.builds(faults.Mend, everyone, everyone)
    | st.builds(faults.Isolate, servers)
    | st.builds(faults.Reconnect, servers)
    | st.integers(1, 126).map(lambda mask: faults.Partition(_side(mask)))
)
links = (
    st.builds(faults.Lose, everyone, everyone, ppm)
    | st.builds(faults.Duplicate, everyone, everyone, ppm)
    | st.builds(faults.Reorder, everyone, everyone, ppm)
    | st.builds(faults.Slow, everyone, everyone, st.integers(0, 80_000), st.integers(0, 80_000))
    | st.builds(faults.Clog, everyone, everyone)
    | st.builds(faults.Unclog, everyone, everyone)
    | st.integers(1, 4_000).map(faults.Drop)
)
disks = st.builds(faults.SlowDisk, servers, st.sampled_from((0, 1_000, 20_000, 150_000)))
clocks = st.builds(faults.Skew, servers, st.integers(-400_000, 400_000), st.sampled_from((0, -500_000, 50_000)))
"""A lease trusts the clock, so a skewed one may break a guarantee: not among ``harm``."""

keys = st.sampled_from(KEYS)
requests = (
    st.builds(c.Get, keys, st.sampled_from(("", *NODES)))
    | st.builds(c.Put, keys, st.integers(0, 99), st.sampled_from(("", *NODES)))
    | st.builds(c.MultiGet, st.lists(keys, min_size=1, max_size=3).map(tuple))
)
members = st.builds(c.AddNode, st.sampled_from(("", "n2", "n7", "n8"))) | st.builds(c.RemoveNode, nodes)
shapes = (
    st.builds(c.SetVnodes, st.sampled_from((1, 8, 150)))
    | st.builds(c.SetReplication, st.integers(1, 3))
    | st.builds(c.SetRackAware, st.booleans())
    | st.builds(c.Bound, st.sampled_from((100, 125, 300)))
    | st.builds(c.SetBandwidth, st.sampled_from((5, 60, 2_000)))
    | st.builds(c.SetFullCoverage, st.booleans(), st.booleans())
    | st.builds(c.MoveSlot, st.sampled_from((0, 7629, 15495)), st.sampled_from(("cold", *NODES)))
    | st.builds(c.MoveChunk, st.sampled_from(("hot", "last", "")), nodes)
    | st.builds(c.SplitChunk, st.sampled_from(("hot", "last", "")))
    | st.builds(c.MergeChunks, st.sampled_from(("hot", "")))
    | st.builds(c.SetBalancer, st.booleans())
    | st.builds(c.SplitForHeat, st.booleans())
)
loads = st.builds(c.SetWorkload, st.sampled_from(WORKLOADS), st.sampled_from((50, 110, 200)), st.integers(1, 50))
salts = st.builds(c.Salt, st.sampled_from(("hot", *KEYS)), st.integers(1, 8))
rules = st.builds(SetRule, st.sampled_from(ShardRules.names()), st.booleans())

harm: st.SearchStrategy[Any] = crashes | freezes | cuts | links | disks | st.just(faults.Heal())
orders: st.SearchStrategy[Any] = members | shapes | loads | salts | requests
commands: st.SearchStrategy[Any] = harm | clocks | orders | rules
"""Everything a person may do."""

schedules = st.lists(st.tuples(span_us, harm | members | shapes | requests | loads), max_size=30)
"""What to do, and how long to wait before it; no broken rules and no skewed clocks: nothing may break."""

configs = st.fixed_dictionaries(
    {"keys": st.sampled_from((50, 200))},
    optional={
        "rf": st.integers(1, 3),
        "rack_aware": st.booleans(),
        "vnodes": st.sampled_from((1, 8, 150)),
        "workload": st.sampled_from(WORKLOADS),
        "rate": st.sampled_from((5, 30)),
        "router": st.booleans(),
        "bandwidth": st.sampled_from((5, 60, 2_000)),
        "datacenters": st.integers(1, 2),
    },
).map(lambda config: tuple(sorted(config.items())))
seeds = st.integers(0, 1 << 32)
