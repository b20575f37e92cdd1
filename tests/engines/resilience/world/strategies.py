"""Random commands for the service world, for hypothesis."""

from typing import Any

from hypothesis import strategies as st

from engines.resilience.order import ORDER
from engines.resilience.world import commands as c
from engines.resilience.world import topology as t
from engines.resilience.world.options import BREAKER_NUMBERS, NUMBERS, PRESET_NAMES
from engines.resilience.world.rules import ResilienceRules
from engines.sim import faults
from engines.sim.rules import SetRule

HOSTS = ("api", "auth", "catalog", "catalog-db", "cart", "payment-db", "clients", "nobody")
EDGES = ("clients>api", "api>auth", "api>catalog", "api>payment", "catalog>catalog-db", "*", "api>nobody")
NAMES = ("api", "auth", "catalog", "payment", "payment-db", "payment-2", "nobody")

hosts = st.sampled_from(HOSTS)
ends = st.sampled_from((*HOSTS, "*"))
edges = st.sampled_from(EDGES)
names = st.sampled_from(NAMES)
percent = st.sampled_from((0, 30, 100, 101))
ppm = st.sampled_from((0, 50_000, 300_000, 800_000))

machines = (
    st.builds(faults.Crash, hosts)
    | st.builds(faults.Restart, hosts)
    | st.builds(faults.Freeze, hosts)
    | st.builds(faults.Thaw, hosts)
    | st.builds(faults.Isolate, hosts)
    | st.builds(faults.Reconnect, hosts)
    | st.builds(faults.Skew, hosts, st.integers(-400_000, 400_000), st.sampled_from((0, -500_000, 1_000_000)))
)
links = (
    st.builds(faults.Cut, ends, ends)
    | st.builds(faults.Mend, ends, ends)
    | st.builds(faults.Lose, ends, ends, ppm)
    | st.builds(faults.Duplicate, ends, ends, ppm)
    | st.builds(faults.Reorder, ends, ends, ppm)
    | st.builds(faults.Slow, ends, ends, st.integers(0, 80_000), st.integers(0, 80_000))
    | st.builds(faults.Clog, ends, ends)
    | st.builds(faults.Unclog, ends, ends)
    | st.integers(1, 4_000).map(faults.Drop)
    | st.builds(faults.ExpireTimers, st.just(("api", "catalog")), st.just("agenda"), st.integers(0, 30_000))
)
calls = (
    st.builds(c.Call, st.sampled_from(("", *t.KINDS, "steal")))
    | st.builds(c.Burst, st.integers(0, 30), st.sampled_from(("", "buy")))
    | st.builds(
        c.SetLoad,
        st.sampled_from(("steady", "ramp", "pulse", "wave", "off", "flood")),
        st.integers(0, 60),
        st.integers(0, 60),
        st.integers(1, 3),
        st.booleans(),
    )
    | st.builds(c.SetMix, st.sampled_from((*t.MIXES, "none")))
)
trouble = (
    st.builds(c.Delay, edges, percent, st.integers(0, 2_000_000))
    | st.builds(c.Abort, edges, percent, st.sampled_from((500, 503, 200)))
    | st.builds(c.SlowService, names, st.sampled_from((0, 50, 1_000, 10_000)))
    | st.builds(c.SickHost, names, percent)
    | st.builds(
        c.SetService,
        names,
        st.sampled_from(("workers", "queue_max", "shed_us", "newest_first", "colour")),
        st.sampled_from((0, 1, 2, 100_000)),
    )
)
tuning = (
    st.builds(c.SetPreset, edges, st.sampled_from((*PRESET_NAMES, "best")))
    | st.builds(c.SetBreaker, edges, st.sampled_from(("reset", "disable", "metrics_only", "force_open", "break")))
    | st.builds(
        c.SetOption,
        edges,
        st.sampled_from((*NUMBERS, *(f"breaker.{name}" for name in BREAKER_NUMBERS), "colour")),
        st.sampled_from((-1, 0, 1, 2, 3, 50_000, 200_000, 1_000_000)),
    )
    | st.builds(
        c.SetBackoff,
        edges,
        st.sampled_from(("fixed", "exponential", "full-jitter", "equal-jitter", "decorrelated", "none")),
        st.sampled_from((0, 1_000, 200_000)),
    )
    | st.builds(c.SetOrder, edges, st.permutations(ORDER).map(tuple))
    | st.builds(c.Cure, names, st.sampled_from(("breaker", "budget", "shedding", "deadline", "prayer")))
)
rules = st.builds(SetRule, st.sampled_from((*ResilienceRules.names(), "fairness")), st.booleans())

kind_commands: st.SearchStrategy[Any] = machines | links | calls | trouble | tuning | st.just(faults.Heal())
"""Whatever these do, every check holds."""
commands: st.SearchStrategy[Any] = kind_commands | rules

schedules = st.lists(st.tuples(st.integers(0, 400_000), kind_commands), max_size=40)
"""What to do, and how long to wait before it."""
