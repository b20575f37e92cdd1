"""What a person may do to a world of event sourcing, at random."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from engines.event_sourcing.world import commands as c
from engines.event_sourcing.world.options import LIVE
from engines.event_sourcing.world.rules import StoreRules
from engines.sim import faults
from engines.sim.rules import SetRule

MACHINES = ("mail", "books", "post", "desk", "store", "t1", "t2", "t3")
machine = st.sampled_from(MACHINES)
ends = st.sampled_from((*MACHINES, "*"))
ppm = st.sampled_from((0, 100_000, 400_000))
amount = st.integers(0, 120)
account = st.integers(0, 5)

commands: st.SearchStrategy[Any] = st.one_of(
    st.builds(faults.Crash, machine),
    st.builds(faults.Restart, machine),
    st.builds(faults.Freeze, machine),
    st.builds(faults.Thaw, machine),
    st.builds(faults.Isolate, machine),
    st.builds(faults.Reconnect, machine),
    st.builds(faults.Cut, ends, ends),
    st.builds(faults.Mend, ends, ends),
    st.builds(faults.Lose, ends, ends, ppm),
    st.builds(faults.Duplicate, ends, ends, ppm),
    st.builds(faults.Reorder, ends, ends, ppm),
    st.builds(faults.Slow, ends, ends, st.sampled_from((1_000, 40_000)), st.sampled_from((0, 30_000))),
    st.builds(faults.Skew, machine, st.sampled_from((-50_000, 0, 900_000)), st.sampled_from((0, 200_000))),
    st.builds(faults.Heal),
    st.builds(faults.Narrate, st.text(max_size=20), st.booleans()),
    st.builds(c.Act, machine, st.sampled_from(("deposit", "withdraw", "transfer", "steal")), account, amount, account),
    st.builds(c.Race, account, amount),
    st.builds(c.Kill, machine),
    st.builds(c.Poison, account, amount),
    st.builds(c.Release),
    st.builds(c.ReplayParked, machine),
    st.builds(c.ChangeSchema),
    st.builds(c.Tamper, st.integers(-1, 20), amount),
    st.builds(c.Verify),
    st.builds(c.Compact),
    st.builds(c.HoldCommit, st.integers(-1, 400_000), st.booleans()),
    st.builds(
        c.SetOption,
        st.sampled_from((*LIVE, "depth")),
        st.sampled_from(("0", "5", "on", "off", "naive", "gap-aware token", "effect first", "stop", "-1")),
    ),
    st.builds(SetRule, st.sampled_from((*StoreRules.names(), "gravity")), st.booleans()),
)
