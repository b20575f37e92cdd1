"""What there is to see of the service world, frozen and bounded. The picture is drawn from this and nothing else.

Shares are parts per million (``_ppm``), rates calls a second of the last second and a half, -1 stands for "does not
apply". Words are plain English for people; every number a sentence uses is also there as a number.
"""

from typing import NamedTuple

from engines.sim.pattern import Check


class BucketView(NamedTuple):
    """One bucket of a window; a window that counts calls has one bucket for each stretch of calls."""

    start_us: int
    calls: int
    failures: int
    slow: int


class Lasted(NamedTuple):
    """A stretch of a breaker's life in one state."""

    state: str
    since_us: int
    lasted_us: int
    """-1 for the one that lasts."""
    why: str
    """Why it began."""


class BreakerView(NamedTuple):
    """A breaker: where it stands, why, and what would change it."""

    preset: str
    state: str
    """``closed open half_open disabled metrics_only forced_open``."""
    since_us: int
    why: str
    """Why it is in this state, with the numbers."""
    closes: str
    """What would close it (open it, if it is closed), with the numbers."""
    cause: str
    rate_ppm: int
    """Failures over calls as the window has them; -1 if it has none."""
    threshold_ppm: int
    slow_ppm: int
    slow_threshold_ppm: int
    """-1: this breaker has no rule about slow calls."""
    calls: int
    minimum: int
    countdown_us: int
    """Until half-open (or, half-open with a maximum wait, until open); -1 if no time runs."""
    probes_permitted: int
    probes_left: int
    rejected: int
    """Calls it turned away so far."""
    rejected_here: int
    """Calls it turned away since it entered this state."""
    buckets: tuple[BucketView, ...]
    history: tuple[Lasted, ...]
    """Newest last; at most 16."""
    settings: tuple[tuple[str, str], ...]
    """The options in force: name, value in words."""


class RetryView(NamedTuple):
    """The retries of an edge."""

    retries: int
    backoff: str
    """In words."""
    retried: int
    """Attempts after the first, so far."""
    denied: int
    """Retries the budget did not allow."""
    budget_ppm: int
    """-1: no budget."""
    budget_left: int
    """Retries the budget would allow now; -1: no budget."""


class BulkheadView(NamedTuple):
    """The permits of an edge."""

    busy: int
    size: int
    waiting: int
    queue_max: int
    refused: int


class LimiterView(NamedTuple):
    """The token bucket of an edge."""

    tokens: int
    burst: int
    per_s: int
    refused: int


class OutlierView(NamedTuple):
    """What an edge thinks of one host."""

    host: str
    consecutive: int
    """Errors in a row."""
    ejected: bool
    returns_us: int
    """When an ejected host may return; -1."""
    times: int
    """How often it was ejected."""


class EdgeView(NamedTuple):
    """One service calling another."""

    id: str
    """``api>catalog``."""
    src: str
    dst: str
    hosts: tuple[str, ...]
    """Who serves the calls."""
    order: tuple[str, ...]
    """The layers in force, outermost first: those of ``retry breaker limiter timeout bulkhead`` that are on."""
    pipeline: tuple[str, ...]
    """The order of all five, on or off."""
    breaker: BreakerView | None
    retry: RetryView | None
    bulkhead: BulkheadView | None
    limiter: LimiterView | None
    timeout_us: int
    """0: none."""
    deadline: bool
    """Whether the callee is told how long the caller will wait."""
    hedge_ppm: int
    """A second request after this quantile of the latency; 0: never."""
    hedge_after_us: int
    """What that quantile is at present; -1: not enough calls yet."""
    hedges: int
    hedges_won: int
    fallback: bool
    fallbacks: int
    outliers: tuple[OutlierView, ...]
    caps: tuple[tuple[str, int, int, int], ...]
    """Envoy's caps: (name, in use, cap, overflows so far)."""
    delay_percent: int
    delay_us: int
    abort_percent: int
    abort_status: int
    running: int
    """Calls under way."""
    calls_per_s: int
    attempts_per_s: int
    errors_ppm: int
    rejected_per_s: int
    p50_us: int
    p99_us: int
    faults: tuple[str, ...]
    """What is wrong on the way, in words: cut, loss, latency, Istio's faults."""
    options: tuple[tuple[str, int], ...]
    """Every option of the edge by its name in ``SetOption``."""
    cut: bool = False
    """Whether some link of the edge, either way, drops everything."""
    loss_ppm: int = 0
    """The worst loss of its links."""
    latency_us: int = 0
    """The longest latency of its links, without jitter."""
    shuffled_ppm: int = 0
    """The largest share of messages that come twice or out of order."""
    amplified_ppm: int = -1
    """Attempts per call, over the calls of this edge that ended in the last second and a half; -1: none did."""


class HostView(NamedTuple):
    """One machine of a service."""

    id: str
    status: str
    """``up crashed frozen``."""
    busy: int
    workers: int
    queue: int
    queue_max: int
    wait_us: int
    """How long the first in line has waited."""
    slow_percent: int
    sick_percent: int
    faults: tuple[str, ...]
    clock_off_us: int = 0
    drift_ppm: int = 0


class ServiceView(NamedTuple):
    """A service: all its machines together."""

    id: str
    layer: str
    """``client edge service database``."""
    hosts: tuple[HostView, ...]
    busy: int
    workers: int
    queue: int
    queue_max: int
    service_time: str
    """In words."""
    mean_us: int
    shed_us: int
    """0: it sheds nothing."""
    newest_first: bool
    arrived_per_s: int
    done_per_s: int
    refused_per_s: int
    """Turned away: the line was full, or it sheds."""
    wasted_per_s: int
    """Done for callers that had given up."""
    wasted: int
    done: int


class FlightView(NamedTuple):
    """A message on its way."""

    id: int
    src: str
    dst: str
    what: str
    """``request`` or ``answer``."""
    ok: bool
    hedge: bool
    departs_us: int
    arrives_us: int


class CallView(NamedTuple):
    """A call of a client, one of the newest."""

    id: int
    client: str
    kind: str
    at_us: int
    state: str
    """``running ok fallback failed``."""
    took_us: int
    """-1 while it runs."""
    attempts: int
    """Requests that were sent to any service on its behalf."""
    why: str
    """Why it failed."""


class Sample(NamedTuple):
    """Half a second of the whole: all but the times are rates a second."""

    at_us: int
    offered: int
    """Calls the clients made."""
    attempts: int
    """Requests that arrived at services, all layers together."""
    goodput: int
    """Calls of clients that ended well and in time."""
    errors: int
    rejected: int
    """Turned away by breakers, bulkheads, limiters and full lines."""
    wasted: int
    """Jobs done for callers that had given up."""
    p50_us: int
    p99_us: int
    open_breakers: int
    peak: int = 0
    """Attempts over the edge with the most of them: in health as many as calls of clients."""


class Snapshot(NamedTuple):
    """All there is to see."""

    now_us: int
    seed: int
    variant: str
    preset: str
    you: str
    services: tuple[ServiceView, ...]
    """From the clients to the databases."""
    edges: tuple[EdgeView, ...]
    flights: tuple[FlightView, ...]
    calls: tuple[CallView, ...]
    """Newest last; at most 12."""
    series: tuple[Sample, ...]
    """Newest last; at most 240."""
    load: str
    """In words."""
    rate_per_s: int
    mix: str
    offered: int
    """Calls of clients so far."""
    good: int
    failed: int
    rules: tuple[tuple[str, bool], ...]
    checks: tuple[Check, ...]
    cue: tuple[int, str] | None
    """The newest narration cue: when, and what."""
    recorded: bool = False
    watch: str = ""
    """The edge this run is about: that of the newest command, else the first that the calls need."""
    wasted_per_s: int = 0
    """Jobs done for callers that had given up, all services together."""
    peak_edge: str = ""
    """The edge that is reached most."""
    amplified_ppm: int = -1
    """Attempts there per call of a client, over the calls that ended in the last second and a half; -1: none did.
    At most the product of (1 + r) of the layers on the way."""

    def edge(self, id: str) -> EdgeView | None:
        """The edge of this name."""
        return next((edge for edge in self.edges if edge.id == id), None)

    def service(self, id: str) -> ServiceView | None:
        """The service of this name."""
        return next((service for service in self.services if service.id == id), None)
