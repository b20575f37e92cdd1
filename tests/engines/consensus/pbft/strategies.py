"""Random faults, acts and requests, for hypothesis."""

from typing import Any

from hypothesis import strategies as st

from engines.consensus.pbft.commands import Ask, SetAct, SetTimeout, SetWorkload
from engines.consensus.pbft.options import WORKLOADS
from engines.consensus.pbft.rules import Act
from engines.sim import faults

REPLICAS = ("r0", "r1", "r2", "r3")

replicas = st.sampled_from(REPLICAS)
everyone = st.sampled_from((*REPLICAS, "c1", "you", "*"))
ppm = st.sampled_from((0, 50_000, 300_000, 800_000))
machines = replicas | st.sampled_from(("c1", "you"))

commands: st.SearchStrategy[Any] = (
    st.builds(faults.Crash, machines) | st.builds(faults.Restart, machines)
    | st.builds(faults.Freeze, machines) | st.builds(faults.Thaw, machines)
    | st.builds(faults.Cut, everyone, everyone) | st.builds(faults.Mend, everyone, everyone)
    | st.builds(faults.Isolate, replicas) | st.builds(faults.Reconnect, replicas)
    | st.builds(faults.Lose, everyone, everyone, ppm) | st.builds(faults.Duplicate, everyone, everyone, ppm)
    | st.builds(faults.Reorder, everyone, everyone, ppm)
    | st.builds(faults.Slow, everyone, everyone, st.integers(0, 80_000), st.integers(0, 80_000))
    | st.builds(faults.Clog, everyone, everyone) | st.builds(faults.Unclog, everyone, everyone)
    | st.integers(1, 4_000).map(faults.Drop)
    | st.builds(faults.Skew, replicas, st.integers(-400_000, 400_000), st.sampled_from((0, -500_000, 50_000)))
    | st.builds(faults.SlowDisk, replicas, st.sampled_from((0, 1_000, 20_000)))
    | st.builds(Ask, st.sampled_from(("set", "add", "del", "get")), st.sampled_from(("x", "y")), st.integers(-9, 9))
    | st.builds(SetAct, replicas, st.sampled_from([act.value for act in Act]), st.booleans())
    | st.builds(SetWorkload, st.sampled_from(tuple(WORKLOADS))) | st.builds(SetTimeout, st.integers(50_000, 900_000))
    | st.just(faults.Heal())
)  # fmt: skip
"""What a person may do to a cluster of four replicas."""
