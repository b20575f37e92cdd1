"""The options of a PBFT cluster."""

from dataclasses import dataclass
from typing import Final

from engines.consensus.pbft.rules import PbftRules
from engines.sim.options import option, settings_of
from engines.units import US_PER_MS

WORKLOADS: Final = {"off": 0, "light": 500 * US_PER_MS, "busy": 100 * US_PER_MS, "flood": -1}
"""Mean time between the requests of a client; -1: the next as soon as the last is answered."""


@dataclass(frozen=True, slots=True)
class PbftOptions:
    """What a run may begin with."""

    nodes: int = option(4, 4, 10, help="replicas: 4, 7 or 10, which survive 1, 2 or 3 traitors")
    workload: str = option("light", choices=tuple(WORKLOADS), help="how fast the clients ask")
    clients: int = option(2, 0, 8, help="clients that work by themselves")
    checkpoint: int = option(5, 1, 100, help="K: a checkpoint every so many requests")
    windows: int = option(4, 2, 10, help="L = this many K: how far numbers may run ahead of the stable checkpoint")
    timeout_ms: int = option(400, 50, 60_000, help="T: how long a backup waits before it asks for a new view")
    read_only: bool = option(False, help="reads are answered at once; clients need 2f+1 equal replies")
    rules: PbftRules = PbftRules()  # noqa: RUF009 - frozen


SETTINGS: Final = settings_of(PbftOptions)
