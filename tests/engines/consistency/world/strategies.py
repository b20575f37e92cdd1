"""Random faults and commands, for hypothesis."""

from typing import Any

from hypothesis import strategies as st

from engines.consistency.world.commands import Perform, SetPreset, SetQuorum, SetWorkload
from engines.consistency.world.options import OPTIONS, PREFERENCES, PRESETS, WORKLOADS
from engines.sim import faults
from engines.sim.rules import SetRule

SERVERS = ("r1", "r2", "r3")
EVERYONE = (*SERVERS, "A", "B", "you")

servers = st.sampled_from(SERVERS)
everyone = st.sampled_from((*EVERYONE, "*"))
ppm = st.sampled_from((0, 50_000, 300_000, 800_000))
machines = servers | st.sampled_from(("A", "you"))
rules = st.sampled_from(
    tuple(
        dict.fromkeys(name for kind in OPTIONS.values() for name in kind.__dataclass_fields__["rules"].default.names())
    )
)

commands: st.SearchStrategy[Any] = (
    st.builds(faults.Crash, machines)
    | st.builds(faults.Restart, machines)
    | st.builds(faults.Freeze, machines)
    | st.builds(faults.Thaw, machines)
    | st.builds(faults.Cut, everyone, everyone)
    | st.builds(faults.Mend, everyone, everyone)
    | st.builds(faults.Isolate, servers)
    | st.builds(faults.Reconnect, servers)
    | st.just(faults.Partition((("r1",), ("r2", "r3"))))
    | st.builds(faults.Lose, everyone, everyone, ppm)
    | st.builds(faults.Duplicate, everyone, everyone, ppm)
    | st.builds(faults.Reorder, everyone, everyone, ppm)
    | st.builds(faults.Slow, everyone, everyone, st.integers(0, 80_000), st.integers(0, 80_000))
    | st.builds(faults.Clog, everyone, everyone)
    | st.builds(faults.Unclog, everyone, everyone)
    | st.integers(1, 4_000).map(faults.Drop)
    | st.builds(faults.Skew, servers, st.integers(-400_000, 400_000), st.sampled_from((0, -500_000, 50_000)))
    | st.builds(faults.SlowDisk, servers, st.sampled_from((0, 1_000, 20_000, 150_000)))
    | st.builds(faults.ExpireTimers, servers.map(lambda each: (each,)), st.sampled_from(("compare", "election")),
                st.sampled_from((0, 30_000)))
    | st.builds(SetRule, rules, st.booleans())
    | st.builds(Perform, st.sampled_from(("A", "B", "you")), st.booleans(), st.sampled_from(("x", "y")),
                st.sampled_from(("", *SERVERS)))
    | st.builds(SetQuorum, st.integers(1, 5), st.integers(1, 5), st.integers(1, 5))
    | st.builds(SetPreset, st.sampled_from((*PRESETS, *PREFERENCES)))
    | st.builds(SetWorkload, st.sampled_from(tuple(WORKLOADS)))
    | st.just(faults.Heal())
)  # fmt: skip
