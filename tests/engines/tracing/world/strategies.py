"""Random faults and commands for a traced system, for hypothesis."""

from typing import Any

from hypothesis import strategies as st

from engines.sim import faults
from engines.sim.rules import SetRule
from engines.tracing.world import commands as c
from engines.tracing.world.rules import TracingRules
from engines.tracing.world.users import SHAPES

SERVICES = ("gateway", "auth", "catalog", "cart", "payment", "orders", "mailer")
STORES = ("auth-db", "catalog-db", "catalog-cache", "orders-queue")
SERVERS = (*SERVICES, *STORES, "collector")
EVERYONE = (*SERVERS, "users", "you", "*")

services = st.sampled_from((*SERVICES, *STORES, "slowest"))
servers = st.sampled_from(SERVERS)
everyone = st.sampled_from(EVERYONE)
ppm = st.sampled_from((0, 100_000, 500_000, 1_000_000))

world: st.SearchStrategy[Any] = (
    st.builds(faults.Crash, servers)
    | st.builds(faults.Restart, servers)
    | st.builds(faults.Freeze, servers)
    | st.builds(faults.Thaw, servers)
    | st.builds(faults.Cut, everyone, everyone)
    | st.builds(faults.Mend, everyone, everyone)
    | st.builds(faults.Isolate, servers)
    | st.builds(faults.Reconnect, servers)
    | st.just(faults.Partition((("gateway", "auth"), ("catalog", "collector"))))
    | st.builds(faults.Lose, everyone, everyone, ppm)
    | st.builds(faults.Duplicate, everyone, everyone, ppm)
    | st.builds(faults.Reorder, everyone, everyone, ppm)
    | st.builds(faults.Slow, everyone, everyone, st.integers(0, 80_000), st.integers(0, 80_000))
    | st.builds(faults.Clog, everyone, everyone)
    | st.builds(faults.Unclog, everyone, everyone)
    | st.integers(1, 4_000).map(faults.Drop)
    | st.builds(faults.SlowDisk, servers, st.sampled_from((0, 20_000)))
    | st.just(faults.Heal())
)
clocks = st.builds(faults.Skew, servers, st.integers(-400_000, 400_000), st.sampled_from((0, -500_000, 50_000)))
injected: st.SearchStrategy[Any] = (
    st.builds(c.SlowService, services, st.sampled_from((50, 100, 800)))
    | st.builds(c.ShrinkPool, services, st.integers(0, 3))
    | st.builds(c.Lock, services, st.sampled_from((0, 20_000, 200_000)))
    | st.builds(c.ColdCache, services, ppm)
    | st.builds(c.Amplify, services, ppm, st.integers(1, 5))
    | st.builds(c.LoseSpans, services, ppm)
    | st.builds(c.LateSpans, services, st.sampled_from((0, 200_000, 3_000_000)))
)
asked: st.SearchStrategy[Any] = (
    st.builds(c.Request, st.sampled_from(("", "POST /checkout", "GET /home", "GET /nothing")))
    | st.builds(c.SetLoad, st.sampled_from(SHAPES), st.sampled_from((0, 2, 20)))
    | st.builds(c.SetRetries, st.integers(1, 5), st.booleans())
    | st.builds(c.SetBreakers, st.booleans())
    | st.builds(c.SetSampling, ppm)
    | st.builds(c.Correct, st.booleans())
)
headers = st.builds(c.DropHeader, services, st.booleans())
rules = st.builds(SetRule, st.sampled_from(TracingRules.names()), st.booleans())

harm: st.SearchStrategy[Any] = world | injected | asked
"""Nothing of this may break a check."""
commands: st.SearchStrategy[Any] = harm | clocks | headers | rules
"""Everything a person may do."""
seeds = st.integers(0, 1 << 32)
