"""What a person may do to a world of CQRS, at random."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from engines.cqrs.world import commands as c
from engines.cqrs.world.options import LIVE
from engines.cqrs.world.rules import STAGES, CqrsRules
from engines.cqrs.world.table import NAMES
from engines.sim import faults
from engines.sim.rules import SetRule

MACHINES = ("c1", "c2", "store", "bus", "p1", "r1", "r2", "saga", "stock", "bank", "dispatch", "crud", "u1", "u2", "u3")
machine = st.sampled_from(MACHINES)
ends = st.sampled_from((*MACHINES, "*"))
ppm = st.sampled_from((0, 100_000, 400_000))
user = st.sampled_from(("u1", "u2", "u3", "u9", "c1"))
projection = st.sampled_from((*NAMES, "stock_levels"))
stage = st.sampled_from((*STAGES, "store"))
number = st.integers(-1, 60)

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
    st.builds(faults.SlowDisk, machine, st.sampled_from((0, 20_000))),
    st.builds(faults.Heal),
    st.builds(faults.Narrate, st.text(max_size=20), st.booleans()),
    st.builds(c.Create, user, number, number, st.sampled_from(("book", "", "x" * 70)), st.booleans()),
    st.builds(c.AddTo, user, number, number, st.sampled_from(("pen", "\n")), st.booleans()),
    st.builds(c.Note, user, st.text(max_size=5)),
    st.builds(c.Resend, user),
    st.builds(c.Ask, user, st.sampled_from(("summary", "history", "revenue", "weather"))),
    st.builds(c.AddNode, stage),
    st.builds(c.RemoveNode, stage),
    st.builds(c.Deploy, projection, st.sampled_from(("right", "buggy", "v2", "v9"))),
    st.builds(
        c.Rebuild,
        projection,
        st.sampled_from(("in place", "beside", "upside down")),
        st.sampled_from(("right", "buggy", "v2", "v9")),
    ),
    st.builds(c.Swap, projection, st.booleans()),
    st.builds(c.Poison, user),
    st.builds(c.Widen),
    st.builds(c.ReplayParked, projection),
    st.builds(c.Decline, st.sampled_from(("stock", "bank", "dispatch", "post")), number),
    st.builds(
        c.SetOption,
        st.sampled_from((*LIVE, "depth")),
        st.sampled_from(("0", "5", "40", "any", "read your writes", "version token", "effect first", "-1")),
    ),
    st.builds(SetRule, st.sampled_from((*CqrsRules.names(), "gravity")), st.booleans()),
)
