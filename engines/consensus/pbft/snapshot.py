"""What there is to see of a PBFT cluster: frozen records, the same for the screen, the digest and a test."""

from dataclasses import dataclass
from typing import NamedTuple

from engines.consensus.pbft.messages import Request
from engines.sim.pattern import Check
from engines.sim.views import Flight, HostView, LinkView


class Vote(NamedTuple):
    """A PREPARE or COMMIT that a replica has: of whom, for which digest."""

    i: str
    digest: str


@dataclass(frozen=True, slots=True)
class SlotView:
    """One number as one replica has it."""

    n: int
    view: int
    digest: str
    """What it accepted; empty: nothing yet."""
    request: Request | None
    """The request of that digest; None: null, or not known."""
    proposer: str
    prepares: tuple[Vote, ...]
    commits: tuple[Vote, ...]
    prepared: bool
    committed: bool
    executed: bool


@dataclass(frozen=True, slots=True)
class ReplicaView:
    """One replica."""

    id: str
    machine: HostView
    primary: bool
    """Whether it leads the view it is in or wants."""
    view: int
    changing: bool
    acts: tuple[str, ...]
    bites: int
    """How often its acts changed what was said."""
    low: int
    high: int
    stable: int
    executed: int
    values: tuple[tuple[str, int], ...]
    waiting: tuple[Request, ...]
    fetching: int
    """The checkpoint whose state it asks for; 0: none."""
    timer_left_us: int | None
    """Until it asks for another view: of the request timer, or that of a view change."""
    patience_us: int
    doublings: int
    slots: tuple[SlotView, ...]
    claims: tuple[tuple[int, tuple[tuple[str, str], ...]], ...]
    """n -> (replica, digest): the CHECKPOINTs it holds above the stable one."""
    view_changes: tuple[tuple[int, tuple[str, ...]], ...]
    """view -> who asked for it, as far as this replica knows."""
    certificates: tuple[tuple[int, int], ...]
    """(n, view) of what prepared here above the stable checkpoint."""

    @property
    def status(self) -> str:
        """``up``, ``crashed`` or ``frozen``."""
        return self.machine.status


@dataclass(frozen=True, slots=True)
class ClientView:
    """One client."""

    id: str
    target: str
    """The primary it believes in."""
    current: Request | None
    attempts: int
    replies: tuple[tuple[str, int | None], ...]
    """(replica, result): what it was told about the present request."""
    needed: int
    """Equal replies it believes."""
    queued: int
    done: int
    unknown: int
    open_us: int
    """Since when the present request is open; 0 if there is none."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The strip: at this time, the highest number a correct replica executed, and the newest view that is open."""

    at_us: int
    executed: int
    view: int
    changing: int
    """How many correct replicas are changing views."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Messages between replicas for one number, first sendings only, as each replica's algorithm gave them.

    What a traitor withholds of its own is counted: with traitors it is an upper bound.
    """

    n: int
    sent: int
    formula: int
    """2n(n-1)."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The cluster at one position."""

    at_us: int
    position: int
    seed: int
    f: int
    replicas: tuple[ReplicaView, ...]
    clients: tuple[ClientView, ...]
    flights: tuple[Flight, ...]
    links: tuple[LinkView, ...]
    rules: tuple[tuple[str, bool], ...]
    quorum: int
    weak: int
    view: int
    """The highest view that a correct replica takes part in."""
    primary: str
    traitors: tuple[str, ...]
    beyond: bool
    """More than f replicas are traitors or forgetful: nothing is promised any more."""
    every: int
    """K."""
    window: int
    """L."""
    timeout_us: int
    read_only: bool
    workload: str
    cost: Cost | None
    """Of the newest number that all correct replicas executed."""
    series: tuple[Sample, ...]
    cue: tuple[int, str] | None
    checks: tuple[Check, ...]
    events: int

    def replica(self, id: str) -> ReplicaView | None:
        """The replica of this name."""
        return next((each for each in self.replicas if each.id == id), None)
