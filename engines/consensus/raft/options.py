"""The settings of a Raft cluster, and the logs it may begin with."""

from dataclasses import dataclass
from typing import Final

from engines.consensus.raft.rules import ALL_ON, RaftRules, Reading, ReadMode, Sizes
from engines.sim.options import option, settings_of
from engines.units import US_PER_MS

SERVERS_MAX: Final = 9
"""So many machines a cluster can have, members or not."""
WORKLOADS: Final = {"off": 0, "light": 400 * US_PER_MS, "busy": 60 * US_PER_MS, "flood": -1}
"""Mean time between the commands of a client; -1: the next as soon as the last is answered."""

FIGURE_7: Final = (
    (1, 1, 1, 4, 4, 5, 5, 6, 6, 6),
    (1, 1, 1, 4, 4, 5, 5, 6, 6),
    (1, 1, 1, 4),
    (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6),
    (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7),
    (1, 1, 1, 4, 4, 4, 4),
    (1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3),
)
"""Terms of the entries in the paper's Figure 7: the leader of term 8, then the followers (a) to (f)."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a run can be started with."""

    nodes: int = option(5, 1, SERVERS_MAX, help="servers")
    workload: str = option("light", choices=tuple(WORKLOADS), help="how fast the clients ask")
    clients: int = option(1, 0, 8, help="clients that work by themselves")
    noop: bool = option(True, help="a new leader appends an entry without command")
    window: int = option(16, 1, 256, help="messages with entries under way to one follower")
    compact: int = option(100, 0, 100_000, help="entries after which a server takes a snapshot; 0: never")
    factor: int = option(4, 1, 100, help="and the log must be so many times as long as the last snapshot")
    tail: int = option(50, 0, 100_000, help="entries before its snapshot that a log keeps")
    piece: int = option(8, 1, 1_000, help="rows of a snapshot in one message")
    sessions: str = option("named", choices=("named", "opened"), help="sessions bear names, or an entry opens them")
    expire: int = option(1_000, 1, 100_000, help="entries after which an opened session expires unused")
    logs: str = option("empty", choices=("empty", "figure-7"), help="the logs to start with")
    config_from: str = option("append", choices=("append", "apply"), help="when a configuration begins to count")
    reads: str = option("log", choices=tuple(mode.value for mode in ReadMode), help="how questions are answered")
    read_percent: int = option(0, 0, 100, help="how many of the clients' own requests are questions, in percent")
    drift_bound: int = option(125, 100, 1_000, help="how much faster a clock may run than another, in percent: leases")
    forward: bool = option(False, help="followers pass requests on to the leader instead of naming it")
    rules: RaftRules = ALL_ON

    @property
    def reading(self) -> Reading:
        """How questions are answered."""
        return Reading(ReadMode(self.reads), self.drift_bound, self.forward)

    @property
    def servers(self) -> tuple[str, ...]:
        """The names of the servers."""
        count = len(FIGURE_7) if self.logs == "figure-7" else self.nodes
        return tuple(f"n{i}" for i in range(1, count + 1))

    @property
    def sizes(self) -> Sizes:
        """How much at once, and how much is kept."""
        return Sizes(
            window=self.window,
            snapshot_entries=self.compact,
            snapshot_factor=self.factor,
            tail=self.tail,
            piece=self.piece,
            session_entries=self.expire,
        )


SETTINGS: Final = settings_of(Options)

__all__ = ["FIGURE_7", "SERVERS_MAX", "SETTINGS", "WORKLOADS", "Options"]
