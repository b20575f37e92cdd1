"""How fast the service world runs: simulated calls a second of wall time, healthy and in a retry storm.

There is no peer to compare with; SimPy's event loop (``kernel``) is the floor. A call of a client to the shop is 5 to
7 requests through as many pipelines, with all checks after every event.
"""

import gc
import time
from typing import Final

from engines.resilience.pattern import PATTERN
from engines.resilience.world.ledger import Ledger
from engines.sim.pattern import Config
from engines.units import US_PER_S

HEALTHY: Final[Config] = (("rate", 60), ("workers", 100), ("api_workers", 200))
HEALTHY_S: Final = 60
STORM_S: Final = 60
ROUNDS: Final = 3


def run(config: Config, span_s: int, seed: int = 42) -> tuple[float, int, int, Ledger]:
    """The best of several runs: seconds, steps, requests to services; and the ledger."""
    best = float("inf")
    for _ in range(ROUNDS):
        engine = PATTERN.variant("breaker").make(seed, config)
        gc.collect()
        start = time.perf_counter()
        engine.run(span_s * US_PER_S, 1 << 60)
        best = min(best, time.perf_counter() - start)
        assert all(check.ok for check in engine.check())
    requests = sum(meter.counts["attempts"] for meter in engine.ledger.edges.values())
    return best, engine.position, requests, engine.ledger


def lines() -> list[str]:
    """The figures."""
    seconds, steps, requests, ledger = run(HEALTHY, HEALTHY_S)
    calls = ledger.whole.counts["good"]
    found = [
        f"service world, healthy: {calls / seconds:,.0f} calls of clients/s, {requests / seconds:,.0f} requests/s, "
        f"{steps / seconds:,.0f} steps/s ({HEALTHY_S / seconds:,.0f} times real time at 60 calls/s)"
    ]
    storm = PATTERN.scenario("retry-storm")
    config = (*storm.config, ("queue", 0))
    seconds, steps, requests, _ = run(tuple(dict(config).items()), STORM_S)
    found.append(
        f"service world, overloaded: {requests / seconds:,.0f} attempts/s, {steps / seconds:,.0f} steps/s "
        f"({STORM_S / seconds:,.0f} times real time)"
    )
    return found
