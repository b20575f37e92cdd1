"""Every pattern that is built: the contract is tested on each of them. Only the standard library is needed here."""

from dataclasses import dataclass

from engines import consensus
from engines.sim.pattern import Config, Pattern


@dataclass(frozen=True)
class Specimen:
    """A pattern, and what its tests need to know of it."""

    pattern: Pattern
    busiest: Config
    """The settings under which the most happens."""


SPECIMENS = (Specimen(consensus.PATTERN, (("clients", 8), ("workload", "flood"))),)
PATTERNS = tuple(specimen.pattern for specimen in SPECIMENS)
