"""What happens in a traced system, a record a kind. What befalls machines and links is in ``engines.sim.events``."""

from enum import Enum
from typing import NamedTuple, TypeAlias

from engines.resilience import Transition
from engines.sim.events import KernelEvent
from engines.tracing.context import NewTrace
from engines.tracing.diagnosis import NoDiagnosis
from engines.tracing.tree import Note
from engines.tracing.verdicts import Verdict
from engines.tracing.world.commands import Order

# -- requests ------------------------------------------------------------------------------------------------------


class RequestSent(NamedTuple):
    """``you`` send a request to a service at the edge."""

    dst: str
    operation: str


class Answered(NamedTuple):
    """``you`` have the answer."""

    src: str
    operation: str
    status: int
    duration_us: int


class UserGone(NamedTuple):
    """A user was not answered in time and left."""

    operation: str


class TraceStarted(NamedTuple):
    """A call from another service did not continue its trace: this begins a new one."""

    src: str
    trace_id: str
    why: NewTrace


# -- waiting and failing -------------------------------------------------------------------------------------------


class PoolWait(NamedTuple):
    """Somebody waits for a connection, the first in line."""

    pool: str
    in_use: int
    size: int


class QueueWait(NamedTuple):
    """A request waits for a worker, the first in line."""

    operation: str
    workers: int


class LockWait(NamedTuple):
    """A query waits for the lock, the first in line."""

    operation: str


class Overloaded(NamedTuple):
    """A request was refused: so many wait already."""

    operation: str
    waiting: int


class TimedOut(NamedTuple):
    """A caller gave up after so long."""

    dst: str
    operation: str
    attempt: int
    waited_us: int


class Failure(Enum):
    """Why an attempt failed."""

    TIMEOUT = "no answer in time"
    STATUS = "an error was answered"
    POOL_FULL = "too many wait for a connection"
    CIRCUIT_OPEN = "the breaker is open"


class Retried(NamedTuple):
    """A call will be made again, after so long; ``status`` is what was answered, 0 if nothing was."""

    dst: str
    attempt: int
    delay_us: int
    why: Failure
    status: int


class BreakerMoved(NamedTuple):
    """The breaker in front of a service has another state."""

    dst: str
    moved: Transition


class Redelivered(NamedTuple):
    """A message that was not acknowledged for so long is handed out again."""

    dst: str
    after_us: int


# -- what the tool sees --------------------------------------------------------------------------------------------


class Most(NamedTuple):
    """The span that holds a trace's critical path longest."""

    service: str
    operation: str
    path_us: int


class TraceJudged(NamedTuple):
    """A trace is complete, as far as one can know; of a FILE it is told which span holds it up most."""

    trace_id: str
    service: str
    operation: str
    duration_us: int
    spans: int
    services: int
    errors: int
    missing: int
    note: Note | None = None
    most: Most | None = None


class Score(Enum):
    """The first verdict against the newest fault that was injected."""

    NONE = ""
    """Nothing was injected, or it cannot be known."""
    NO_VERDICT = "no verdict yet"
    RIGHT = "right"
    MISSES = "its misses"
    """The misses of the cache that is cold."""
    UNFELT = "not felt"
    """The fault takes less than a twentieth of the extra time."""
    OTHER_KIND = "another kind"
    OTHER_SERVICE = "another service"


class VerdictChanged(NamedTuple):
    """The tool names something else first than before."""

    verdict: Verdict
    score: Score


class AllRead(NamedTuple):
    """All traces of a FILE are read, and this is said of them first, or why nothing is."""

    verdict: Verdict | None
    lack: NoDiagnosis | None


class Noticed(NamedTuple):
    """Something about a FILE is odd; its reader says so in words, with the place."""

    text: str


# -- what people do ------------------------------------------------------------------------------------------------


class Ordered(NamedTuple):
    """A person's command was carried out. ``usual`` is what the number it sets was before all faults; 0: no matter."""

    command: Order
    usual: int = 0


TracingEvent: TypeAlias = (
    RequestSent | Answered | UserGone | TraceStarted
    | PoolWait | QueueWait | LockWait | Overloaded | TimedOut | Retried | BreakerMoved | Redelivered
    | TraceJudged | VerdictChanged | AllRead | Noticed | Ordered
)  # fmt: skip
AnyEvent: TypeAlias = KernelEvent | TracingEvent
