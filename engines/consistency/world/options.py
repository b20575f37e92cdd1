"""What a run begins with."""

from dataclasses import dataclass
from typing import Any, Final

from engines.consistency.world.rules import (
    CAUSAL,
    EVENTUAL,
    LINEARIZABLE,
    MONGODB,
    SEQUENTIAL,
    WEAK,
    CausalRules,
    EventualRules,
    LinearizableRules,
    MongoRules,
    SequentialRules,
    WeakRules,
)
from engines.sim.options import option, settings_of
from engines.units import US_PER_MS

WORKLOADS: Final = {"off": 0, "light": 100 * US_PER_MS, "busy": 40 * US_PER_MS, "flood": 1}
"""Mean time between the operations of a client."""
KEYS: Final = "xyzuvwst"
PRESETS: Final = ("custom", "one", "quorum", "local_quorum", "each_quorum", "all", "any")
"""Cassandra's consistency levels, each for reads and writes (ANY writes only: its reads are ONE)."""
PREFERENCES: Final = ("primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest")
"""MongoDB's read preferences: where a read goes, which says nothing about what it may return."""


@dataclass(frozen=True, slots=True)
class Linearizable:
    """ABD."""

    nodes: int = option(3, 3, 7, help="replicas")
    clients: int = option(4, 0, 6, help="clients that work by themselves")
    keys: int = option(2, 1, 8, help="keys they work on")
    workload: str = option("light", choices=tuple(WORKLOADS), help="how fast they work")
    rules: LinearizableRules = LINEARIZABLE


@dataclass(frozen=True, slots=True)
class Sequential:
    """Total order broadcast."""

    nodes: int = option(3, 2, 7, help="replicas")
    clients: int = option(4, 0, 6, help="clients that work by themselves")
    keys: int = option(2, 1, 8, help="keys they work on")
    workload: str = option("light", choices=tuple(WORKLOADS), help="how fast they work")
    log_reads: bool = option(False, help="reads go through the order, too: linearizable")
    rules: SequentialRules = SEQUENTIAL


@dataclass(frozen=True, slots=True)
class Causal:
    """Causal broadcast."""

    nodes: int = option(3, 2, 7, help="replicas")
    clients: int = option(4, 0, 6, help="clients that work by themselves")
    keys: int = option(2, 1, 8, help="keys they work on")
    workload: str = option("light", choices=tuple(WORKLOADS), help="how fast they work")
    rules: CausalRules = CAUSAL


@dataclass(frozen=True, slots=True)
class Eventual:
    """Dynamo, Cassandra."""

    nodes: int = option(5, 2, 9, help="machines; each key lives on N of them")
    clients: int = option(4, 0, 6, help="clients that work by themselves")
    keys: int = option(2, 1, 8, help="keys they work on")
    workload: str = option("light", choices=tuple(WORKLOADS), help="how fast they work")
    n: int = option(3, 1, 9, help="replicas of a key")
    r: int = option(1, 1, 9, help="answers a read waits for")
    w: int = option(1, 1, 9, help="acknowledgements a write waits for")
    preset: str = option("custom", choices=PRESETS, help="Cassandra's consistency level; custom: N, R and W")
    centres: int = option(1, 1, 3, help="data centres; far links take 60 ms")
    conflict: str = option("lww", choices=("lww", "siblings"), help="last writer wins, or both stay")
    rules: EventualRules = EVENTUAL


@dataclass(frozen=True, slots=True)
class Weak:
    """A cache."""

    nodes: int = option(3, 2, 7, help="caches")
    clients: int = option(4, 0, 6, help="clients that work by themselves")
    keys: int = option(2, 1, 8, help="keys they work on")
    workload: str = option("light", choices=tuple(WORKLOADS), help="how fast they work")
    rules: WeakRules = WEAK


@dataclass(frozen=True, slots=True)
class Mongo:
    """A replica set."""

    nodes: int = option(5, 3, 7, help="members")
    clients: int = option(4, 0, 6, help="clients that work by themselves")
    keys: int = option(2, 1, 8, help="keys they work on")
    workload: str = option("light", choices=tuple(WORKLOADS), help="how fast they work")
    preference: str = option("primary", choices=PREFERENCES, help="where reads go")
    rules: MongoRules = MONGODB


OPTIONS: Final[dict[str, type[Any]]] = {
    "linearizable": Linearizable,
    "sequential": Sequential,
    "causal": Causal,
    "eventual": Eventual,
    "weak": Weak,
    "mongodb": Mongo,
}
SETTINGS: Final = {name: settings_of(kind) for name, kind in OPTIONS.items()}
