"""The rules of both roads that can be switched off, and what all machines of a world share."""

from dataclasses import dataclass, field
from typing import Final

from engines.cqrs.queries import Freshness
from engines.event_sourcing.subscriptions import CheckpointPolicy
from engines.sim.rules import Rules, rule

CAPACITY: Final = 2_000
"""Events the simulated store holds; then it refuses, as a full disk does."""
ATTEMPTS: Final = 5
"""How often a command is decided anew on conflicts, and how often a user sends one."""
LINE_MAX: Final = 200
"""How many may wait before a machine; those who come later are turned away."""
ROUNDING_US: Final = 2
"""A timer on a clock that is fast runs out that much early, for all its delay is rounded down."""
STORE: Final = "store"
BUS: Final = "bus"
SAGA: Final = "saga"
TWIN: Final = "crud"
SERVICES: Final = ("stock", "bank", "dispatch")
USERS: Final = ("u1", "u2", "u3")
STAGES: Final = ("commands", "projectors", "replicas")
"""What scales: the letter of a machine tells its stage."""
LETTERS: Final = {"commands": "c", "projectors": "p", "replicas": "r"}
MOST: Final = {"commands": 4, "projectors": 3, "replicas": 8}


@dataclass(frozen=True, slots=True)
class CqrsRules(Rules):
    """All on: read models are late, never wrong."""

    dedupe: bool = rule("a command id that was executed is answered, not executed again")
    idempotent: bool = rule("a projection ignores an event that it has applied")
    in_order: bool = rule("a projection waits for an event that is missing before it applies later ones")
    hold_stream: bool = rule("behind a parked event the rest of its stream is parked too")
    outbox: bool = rule("event and message are written in one transaction, and a relay sends what was not confirmed")
    inbox: bool = rule("a service remembers what it has done, and does it once")
    say_stale: bool = rule("an answer that could not be as fresh as asked for says so")
    ask_again: bool = rule("the saga takes silence for silence: it asks again, and compensates only what was refused")
    swap_whole: bool = rule("readers are moved to a new read model in one step")


@dataclass(slots=True)
class Control:
    """What all machines share, and a person may change while they run."""

    rules: CqrsRules
    nodes: dict[str, list[str]] = field(default_factory=dict)
    """Stage -> its machines, in the order in which they came: what users and machines find each other by."""
    count: dict[str, int] = field(default_factory=dict)
    """Stage -> how many machines it begins with."""
    homes: dict[str, str] = field(default_factory=dict)
    """Projection -> the projector that is to build it."""
    policy: CheckpointPolicy = CheckpointPolicy.TOGETHER
    freshness: Freshness = Freshness.ANY
    patience_us: int = 300_000
    """How long a query waits for a position."""
    writes: int = 2
    """Orders a second, of all users; 0: only what is asked for."""
    reads: int = 40
    """Queries a second, of all users."""
    customers: int = 4
    sagas: bool = True
    twin: bool = True
    declines_ppm: int = 100_000
    """How many payments the bank declines."""
    decide_us: int = 1_500
    """What a command costs a command node."""
    append_us: int = 2_000
    """What a transaction costs the store, with its sync."""
    load_us: int = 500
    apply_us: int = 2_000
    """What an event costs a projection."""
    copy_us: int = 200
    """What a change costs a replica."""
    read_us: int = 1_000
    """What a query costs a replica: one row by its key."""
    join_us: int = 6_000
    """What the same query costs the CRUD table: a join."""
    update_us: int = 4_000
    """What a command costs the CRUD table: one transaction on several tables."""
    service_us: int = 8_000
    """What a step of the saga costs a service."""
    timeout_us: int = 250_000
    """After which users, machines and the saga ask again."""
    generations: int = 0
    """Read models that were begun, ever."""
    swaps: int = 0
    """How often readers were moved, ever."""
    accepted_us: int = 500_000
    """Staleness that readers accept."""
    narrow: bool = True
    """Whether a column of the read models is too narrow for some names."""


__all__ = [
    "ATTEMPTS", "BUS", "CAPACITY", "LETTERS", "LINE_MAX", "MOST", "ROUNDING_US", "SAGA", "SERVICES", "STAGES", "STORE",
    "TWIN", "USERS", "Control", "CqrsRules",
]  # fmt: skip
