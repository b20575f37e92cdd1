"""What happens in the service world besides what happens in every world: a record per kind.

What comes by the hundred is told now and then: ``times`` is how often it has happened since it was told last, this
time included, and ``since_us`` when the first of these was; -1: nobody says. ``edge`` is the edge it happened on, where
it did on one.
"""

from typing import NamedTuple, TypeAlias

from engines.resilience.explain import Rejection, Transition
from engines.resilience.outlier import Ejection
from engines.resilience.retry import Grant
from engines.resilience.states import Cause
from engines.resilience.world.messages import Origin, Outcome
from engines.resilience.world.snapshot import LoadView
from engines.sim.rules import RuleSwitched

# -- calls -----------------------------------------------------------------------------------------------------


class BreakerMoved(NamedTuple):
    """A breaker changed its state."""

    edge: str
    moved: Transition


class CallRejected(NamedTuple):
    """The breaker turned a call away: the first one since it entered its state, or (in a log) so many."""

    edge: str
    rejection: Rejection
    times: int = 1


class CallTurnedAway(NamedTuple):
    """Limiter, bulkhead or cap turned a call away."""

    edge: str
    why: Outcome
    times: int = 1
    since_us: int = -1


class CallRetried(NamedTuple):
    """A failed call will be tried again."""

    edge: str
    why: Outcome
    delay_us: int
    attempt: int
    times: int = 1
    since_us: int = -1


class RetryDenied(NamedTuple):
    """A failed call is not tried again: a budget or a cap does not allow it."""

    edge: str
    grant: Grant
    times: int = 1
    since_us: int = -1


class CallFailed(NamedTuple):
    """A call over an edge is given up."""

    edge: str
    why: Outcome
    origin: Origin | None
    attempts: int
    times: int = 1
    took_us: int = -1
    """How long the log says it took; -1: no log says so."""
    late: bool = False
    """In a log: it started before the last transition."""
    since_us: int = -1


class FallbackServed(NamedTuple):
    """Another answer was served in the place of a failed call's."""

    edge: str
    why: Outcome
    age_us: int
    """Of that answer."""
    times: int = 1
    since_us: int = -1


class CallHedged(NamedTuple):
    """A call that takes longer than most was asked for a second time."""

    edge: str
    quantile_ppm: int
    delay_us: int
    times: int = 1
    since_us: int = -1


class HostEjected(NamedTuple):
    """The outlier detector took a host out."""

    edge: str
    ejection: Ejection


class HostKept(NamedTuple):
    """It would have, but for the share of hosts that may be out."""

    edge: str
    ejection: Ejection


class HostReturned(NamedTuple):
    """It took a host back."""

    edge: str
    ejection: Ejection


# -- services and clients --------------------------------------------------------------------------------------


class RequestRefused(NamedTuple):
    """A machine does not do what it is asked for."""

    why: Outcome
    waiting: int
    """Calls in its line."""
    times: int = 1
    since_us: int = -1


class WorkWasted(NamedTuple):
    """A machine has done work for a caller that had given up."""

    caller: str
    times: int = 1
    since_us: int = -1


class YouCalled(NamedTuple):
    """``you`` make a call."""

    call: int
    what: str


class YouAnswered(NamedTuple):
    """``your`` call ended."""

    call: int
    why: Outcome
    origin: Origin | None
    took_us: int
    requests: int
    """Sent to any service on its behalf."""


class ShopServed(NamedTuple):
    """What became of the calls of clients since this was told last."""

    span_us: int
    offered: int
    good: int
    failed: int
    p50_us: int
    p99_us: int


# -- what a person does ----------------------------------------------------------------------------------------


class LoadSet(NamedTuple):
    """Another load."""

    load: LoadView


class MixSet(NamedTuple):
    """The clients ask for something else."""

    mix: str


class BurstMade(NamedTuple):
    """So many calls at one moment."""

    calls: int
    what: str


class DelayInjected(NamedTuple):
    """Istio's delay on an edge; 0 ends it."""

    edge: str
    percent: int
    delay_us: int


class AbortInjected(NamedTuple):
    """Istio's abort on an edge; 0 ends it."""

    edge: str
    percent: int
    status: int


class ServiceSlowed(NamedTuple):
    """A service, or a host of it, takes so many percent of its usual time."""

    service: str
    percent: int


class HostSickened(NamedTuple):
    """A service, or a host of it, answers so many percent of its calls with an error."""

    service: str
    percent: int


class ServiceTuned(NamedTuple):
    """A setting of a service was changed."""

    service: str
    name: str
    value: int


class PresetChosen(NamedTuple):
    """The breaker of an edge follows another preset."""

    edge: str
    preset: str


class BreakerOrdered(NamedTuple):
    """An operator's hand on a breaker."""

    edge: str
    order: Cause


class OptionSet(NamedTuple):
    """A number of an edge was changed."""

    edge: str
    name: str
    value: int


class BackoffSet(NamedTuple):
    """Retries wait otherwise."""

    edge: str
    backoff: str
    base_us: int
    cap_us: int


class OrderSet(NamedTuple):
    """The layers of an edge stand in another order."""

    edge: str
    order: tuple[str, ...]


class CureApplied(NamedTuple):
    """A cure for a retry storm against a service; ``number`` is the budget in PPM, or the longest wait in us."""

    service: str
    cure: str
    number: int


Setting: TypeAlias = (
    LoadSet | MixSet | BurstMade | DelayInjected | AbortInjected | ServiceSlowed | HostSickened | ServiceTuned
    | PresetChosen | BreakerOrdered | OptionSet | BackoffSet | OrderSet | CureApplied | RuleSwitched
)  # fmt: skip
"""What a person does."""

ResilienceEvent: TypeAlias = (
    BreakerMoved | CallRejected | CallTurnedAway | CallRetried | RetryDenied | CallFailed | FallbackServed | CallHedged
    | HostEjected | HostKept | HostReturned | RequestRefused | WorkWasted | YouCalled | YouAnswered | ShopServed
    | Setting
)  # fmt: skip
