"""PBFT under load with events and all checks on, beside Raft in the same run, and how its messages grow with n."""

import time
from dataclasses import dataclass
from typing import Final

from engines.consensus.pbft.engine import PbftEngine
from engines.consensus.raft.engine import RaftEngine
from engines.units import US_PER_S

SIZES: Final = (4, 7, 10)
ROUNDS: Final = 3
SPAN_US: Final = 4 * US_PER_S


@dataclass(frozen=True, slots=True)
class Row:
    """One size: messages a second, and messages between replicas and clients for a request."""

    replicas: int
    messages: float
    a_request: float


def rate(engine: RaftEngine | PbftEngine) -> float:
    """Messages a second, the best of several rounds."""
    best = 0.0
    for _ in range(ROUNDS):
        before, start = engine.deliveries, time.perf_counter()
        until = engine.now_us + SPAN_US
        while engine.run(until, 512) == 512:
            pass
        best = max(best, (engine.deliveries - before) / (time.perf_counter() - start))
    assert all(check.ok for check in engine.check())
    return best


def row(replicas: int) -> Row:
    """PBFT of that size, with the next request sent as soon as the last is answered."""
    engine = PbftEngine(42, (("nodes", replicas), ("clients", 8), ("workload", "flood")))
    messages = rate(engine)
    executed = max(engine.replica(each).executed for each in engine.servers)
    return Row(replicas, messages, engine.deliveries / executed)


def lines() -> list[str]:
    """For people."""
    raft = rate(RaftEngine(42, (("clients", 8), ("workload", "flood"))))
    found = [f"PBFT beside Raft (n = 5)       {raft:>12,.0f} messages/s of Raft, all checks on"]
    for each in map(row, SIZES):
        n = each.replicas
        found.append(
            f"  PBFT, n = {n:<2}                 {each.messages:>12,.0f} messages/s, {each.messages / raft:.2f}x; "
            f"{each.a_request:.0f} messages a request in all, 2n(n-1) = {2 * n * (n - 1)} of three phases"
        )
    return found
