"""What there is to see, frozen. The picture is drawn from this and from nothing else."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from engines.consistency.history import History, Operation
from engines.consistency.vector import VectorClock
from engines.consistency.verdict import Verdict
from engines.consistency.world.messages import Tag
from engines.sim.pattern import Check
from engines.sim.views import Flight, HostView, LinkView

WHOLE_MAX: Final = 1_000
"""Operations up to which a history is at hand as a whole: it is judged anew at each step of a what-if, and that takes
half a second for so many."""


class ReplicaView(NamedTuple):
    """A replica."""

    machine: HostView
    centre: int
    vector: VectorClock
    values: tuple[tuple[str, int, Tag], ...]
    """(key, value, tag)."""
    pending: int
    leads: bool
    """It orders the writes: the sequencer, the primary."""
    suspects: tuple[str, ...]
    behind: int
    """Keys under which it holds something older than another replica."""


class ClientView(NamedTuple):
    """A client."""

    machine: HostView
    home: str
    busy: str
    """``read`` or ``write`` while an operation is open."""
    key: str
    value: int
    queued: int
    seen: VectorClock


class Arrow(NamedTuple):
    """A message between replicas, or from a client to one, as it was sent."""

    id: int
    src: str
    dst: str
    letter: str
    departs_us: int
    arrives_us: int
    lost: bool


class Mark(NamedTuple):
    """A fault on the time axis: what a command was, and whom it hit."""

    at_us: int
    what: str
    node: str


class Sample(NamedTuple):
    """One point of the strip: reads and stale reads since the one before, and the oldest age among them."""

    at_us: int
    reads: int
    stale: int
    age_us: int


class Logged(NamedTuple):
    """An event of a log with vector clocks."""

    number: int
    """Its place, from 0, in the order in which the log is played."""
    at_us: int
    host: str
    clock: VectorClock
    text: str
    causes: tuple[int, ...]
    """Events of other hosts whose messages arrived with it."""


class Model(NamedTuple):
    """A model, and whether the history satisfies it so far."""

    name: str
    verdict: Verdict
    promised: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The world at one position."""

    at_us: int
    position: int
    seed: int
    variant: str
    replicas: tuple[ReplicaView, ...]
    clients: tuple[ClientView, ...]
    flights: tuple[Flight, ...]
    links: tuple[LinkView, ...]
    rules: tuple[tuple[str, bool], ...]
    workload: str
    keys: str
    n: int
    r: int
    w: int
    preset: str
    conflict: str
    models: tuple[Model, ...]
    history: History
    """The newest operations; whole while they are few."""
    before: int
    """How many older ones are left out."""
    whole: tuple[Operation, ...]
    """All operations, while they are at most ``WHOLE_MAX``; then none."""
    witness: History | None
    """The operations that witnesses name, where they are not among the newest."""
    arrows: tuple[Arrow, ...]
    marks: tuple[Mark, ...]
    series: tuple[Sample, ...]
    operations: int
    unknown: int
    failed: int
    reads: int
    stale: int
    lost: int
    differing: tuple[str, ...]
    """Keys in which live replicas differ."""
    settled_us: int
    """For how long nothing was under way and nothing was wrong."""
    checks: tuple[Check, ...]
    cue: tuple[int, str] | None
    recorded: bool = False
    """Whether it is a FILE of the user: there are no machines."""
    logged: tuple[Logged, ...] = ()
    """Of a log with vector clocks: the newest events. It has no operations, and its replicas are the hosts."""

    def replica(self, name: str) -> ReplicaView | None:
        """A replica by name."""
        return next((each for each in self.replicas if each.machine.id == name), None)

    def client(self, name: str) -> ClientView | None:
        """A client by name."""
        return next((each for each in self.clients if each.machine.id == name), None)
