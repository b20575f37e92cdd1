"""Random faults and random worlds, for hypothesis."""

from typing import Any

from hypothesis import strategies as st

from engines.consensus.raft.commands import Propose, SetWorkload
from engines.consensus.raft.options import WORKLOADS
from engines.sim import faults

SERVERS = ("n1", "n2", "n3", "n4", "n5")
EVERYONE = (*SERVERS, "c1", "you")


def _side(mask: int) -> tuple[tuple[str, ...], ...]:
    """Two sides of the five servers, neither empty."""
    left = tuple(server for bit, server in enumerate(SERVERS) if mask >> bit & 1)
    return left, tuple(server for server in SERVERS if server not in left)


servers = st.sampled_from(SERVERS)
everyone = st.sampled_from((*EVERYONE, "*"))
ppm = st.sampled_from((0, 50_000, 300_000, 800_000))
span_us = st.integers(0, 400_000)

machines = servers | st.sampled_from(("c1", "you"))
crashes = st.builds(faults.Crash, machines) | st.builds(faults.Restart, machines)
freezes = st.builds(faults.Freeze, machines) | st.builds(faults.Thaw, machines)
cuts = (
    st.builds(faults.Cut, everyone, everyone)
    | st.builds(faults.Mend, everyone, everyone)
    | st.builds(faults.Isolate, servers)
    | st.builds(faults.Reconnect, servers)
    | st.integers(1, 30).map(lambda mask: faults.Partition(_side(mask)))
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
clocks = st.builds(
    faults.Skew, servers, st.integers(-400_000, 400_000), st.sampled_from((0, -500_000, -50_000, 50_000, 1_000_000))
)
disks = st.builds(faults.SlowDisk, servers, st.sampled_from((0, 1_000, 20_000, 150_000)))
timers = st.builds(
    faults.ExpireTimers,
    st.lists(servers, min_size=1, max_size=5, unique=True).map(tuple),
    st.sampled_from(("election", "heartbeat", "quorum")),
    st.sampled_from((0, 1_000, 30_000)),
)
proposals = st.builds(
    Propose,
    st.sampled_from(("set", "add", "del", "get")),
    st.sampled_from(("x", "y")),
    st.integers(-9, 9),
    st.sampled_from(("", *SERVERS)),
    st.booleans(),
)
workloads = st.builds(SetWorkload, st.sampled_from(tuple(WORKLOADS)))

commands: st.SearchStrategy[Any] = (
    crashes | freezes | cuts | links | clocks | disks | timers | proposals | workloads | st.just(faults.Heal())
)

schedules = st.lists(st.tuples(span_us, commands), max_size=30)
"""What to do, and how long to wait before it."""

configs = st.fixed_dictionaries(
    {},
    optional={
        "noop": st.booleans(),
        "workload": st.sampled_from(tuple(WORKLOADS)),
        "compact": st.sampled_from((0, 1, 3, 20)),
        "factor": st.just(1),
        "nodes": st.integers(3, 9),
        "sessions": st.sampled_from(("named", "opened")),
        "tail": st.integers(0, 3),
        "piece": st.integers(1, 3),
        "window": st.integers(1, 3),
        "reads": st.sampled_from(("log", "index")),
        "read_percent": st.just(50),
        "clients": st.integers(1, 3),
        "forward": st.booleans(),
    },
).map(lambda config: tuple(sorted(config.items())))
"""Leases trust clocks, which these worlds set at will: they have worlds of their own."""
seeds = st.integers(0, 1 << 32)
