"""Every pattern that is built: the contract is tested on each of them. Only the standard library is needed here."""

from dataclasses import dataclass

from engines.consensus import pattern as consensus
from engines.consistency import pattern as consistency
from engines.cqrs import pattern as cqrs
from engines.event_sourcing import pattern as events
from engines.resilience import pattern as resilience
from engines.sharding import pattern as sharding
from engines.sim.pattern import Config, Pattern
from engines.tracing import pattern as tracing


@dataclass(frozen=True)
class Specimen:
    """A pattern, and what its tests need to know of it."""

    pattern: Pattern
    busiest: Config
    """The settings under which the most happens."""
    small: Config = ()
    """A world that is quick to build and to look at: a random walk begins it anew after every one of its steps."""
    lively: Config = ()
    """A world in which enough messages travel within three seconds, also while a tenth of them is lost."""
    open_at_once: int = 1
    """How many operations a client may have open at once."""


SPECIMENS = (
    Specimen(
        consistency.PATTERN,
        (("clients", 6), ("workload", "flood")),
        (("nodes", 3), ("workload", "busy")),
        (("clients", 6), ("nodes", 7), ("workload", "flood")),
    ),
    Specimen(consensus.PATTERN, (("clients", 8), ("workload", "flood"))),
    Specimen(sharding.PATTERN, (("rate", 50), ("workload", "monotonic")), (("keys", 200),), open_at_once=16 + 64),
    Specimen(
        resilience.PATTERN,
        (("budget", 20), ("client_timeout_ms", 300), ("rate", 6), ("retry_at", "everywhere"), ("timeout_ms", 40)),
        (("mix", "catalog"), ("payment_hosts", 1), ("rate", 4)),
    ),
    Specimen(tracing.PATTERN, (("services", 12), ("rate", 60)), (("services", 12), ("rate", 8))),
    Specimen(
        events.PATTERN,
        (("accounts", 9), ("rate", 60), ("transfers", False)),
        (("accounts", 2), ("poll_ms", 100), ("rate", 4)),
    ),
    Specimen(
        cqrs.PATTERN,
        (("reads", 200), ("replicas", 4), ("writes", 20)),
        (("reads", 4), ("replicas", 1), ("twin", False), ("writes", 1)),
        (("reads", 100), ("writes", 10)),
    ),
)
PATTERNS = tuple(specimen.pattern for specimen in SPECIMENS)
