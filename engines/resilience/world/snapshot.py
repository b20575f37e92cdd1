"""What there is to see of the service world, frozen and bounded. The picture is drawn from this and nothing else.

Shares are parts per million (``_ppm``), rates calls a second of the last second and a half, -1 stands for "does not
apply". There are no sentences here: numbers, codes and messages, which the panel puts into words.
"""

from typing import NamedTuple

from engines.resilience.explain import Transition, Why
from engines.resilience.policy import BreakerOptions
from engines.resilience.window import Bucket
from engines.resilience.world.messages import Origin, Outcome
from engines.resilience.world.topology import KINDS, LINK, SHOP
from engines.sim.pattern import Check
from engines.sim.views import Flight, LinkView
from engines.units import PPM

# -- breakers --------------------------------------------------------------------------------------------------


class Lasted(NamedTuple):
    """A stretch of a breaker's life in one state."""

    state: str
    since_us: int
    lasted_us: int
    """-1 for the one that lasts."""
    moved: Transition | None
    """How it began; None: it began that way."""


class Pressing(NamedTuple):
    """The rule of a breaker that is nearest to its threshold."""

    name: str
    """``rate``: failed calls; ``slow``: slow ones."""
    ppm: int
    threshold_ppm: int
    calls: int
    """How many in the window."""


class BreakerView(NamedTuple):
    """A breaker: where it stands, why, and what would change it."""

    preset: str
    why: Why
    rejected: int
    """Calls it turned away so far."""
    rejected_here: int
    """Calls it turned away since it entered this state."""
    buckets: tuple[Bucket, ...]
    """A window that counts calls has one bucket for each stretch of calls, without a time."""
    history: tuple[Lasted, ...]
    """Newest last; at most 16."""

    @property
    def options(self) -> BreakerOptions:
        """Those in force."""
        return self.why.options

    @property
    def state(self) -> str:
        """``closed open half_open disabled metrics_only forced_open``."""
        return self.why.state.value

    @property
    def since_us(self) -> int:
        """When it entered this state."""
        return self.why.since_us

    @property
    def calls(self) -> int:
        """In its window."""
        return self.why.calls

    @property
    def minimum(self) -> int:
        """Calls below which it does not judge."""
        return self.why.minimum

    @property
    def rate_ppm(self) -> int:
        """Failures over calls as the window has them; -1 if it has none."""
        return self.why.rate_ppm

    @property
    def countdown_us(self) -> int:
        """Until half-open (or, half-open with a maximum wait, until open); -1 if no time runs."""
        runs = self.state == "open" or (self.state == "half_open" and self.options.half_open_max_us > 0)
        return self.why.countdown_us if runs else -1

    @property
    def pressing(self) -> Pressing:
        """Failed calls or slow ones, whichever are nearer to opening it; failed ones if they are equally near."""
        why, options = self.why, self.options
        failed = Pressing("rate", why.rate_ppm, options.failure_ppm, sum(each.failures for each in self.buckets))
        if not options.slow_us or max(0, why.slow_ppm) * options.failure_ppm <= max(0, failed.ppm) * options.slow_ppm:
            return failed
        return Pressing("slow", why.slow_ppm, options.slow_ppm, sum(each.slow for each in self.buckets))


# -- the other layers ------------------------------------------------------------------------------------------


class RetryView(NamedTuple):
    """The retries of an edge."""

    retries: int
    backoff: str
    base_us: int
    cap_us: int
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


class CapView(NamedTuple):
    """One of Envoy's caps."""

    name: str
    used: int
    limit: int
    overflows: int


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
    caps: tuple[CapView, ...]
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
    options: tuple[tuple[str, int], ...]
    """Every option of the edge by its name in ``SetOption``."""
    links: tuple[LinkView, ...] = ()
    """Its links that are not as they should be, either way."""
    amplified_ppm: int = -1
    """Attempts per call, over the calls of this edge that ended in the last second and a half; -1: none did."""

    @property
    def ailing(self) -> bool:
        """Whether anything is wrong on the way."""
        return bool(self.delay_percent or self.abort_percent or self.links)

    @property
    def blocked(self) -> bool:
        """Whether its breaker lets nobody through."""
        return self.breaker is not None and self.breaker.state in ("open", "forced_open")

    @property
    def slowest_us(self) -> int:
        """Its p99. A percentile is the upper bound of its bucket, and no single attempt outlasts its timeout."""
        return self._at_most(self.p99_us)

    @property
    def median_us(self) -> int:
        """Its p50, by the same rule: no half of the calls takes longer than the slowest hundredth."""
        return self._at_most(self.p50_us)

    def _at_most(self, percentile_us: int) -> int:
        single = self.timeout_us and not self.hedge_ppm and (self.retry is None or not self.retry.retries)
        return min(percentile_us, self.timeout_us) if single else percentile_us

    @property
    def hanging(self) -> bool:
        """Whether calls are under way and none has ended of late: then no share of errors says anything."""
        return self.running > 0 and not self.errors_ppm and self.amplified_ppm < 0

    @property
    def cut(self) -> bool:
        """Whether some link of the edge, either way, drops everything."""
        return any(link.cut for link in self.links)

    @property
    def loss_ppm(self) -> int:
        """The worst loss of its links."""
        return max((link.loss_ppm for link in self.links if link.lossy), default=0)

    @property
    def latency_us(self) -> int:
        """The longest latency of its links, without jitter."""
        return max((link.latency_us for link in self.links if link.slow), default=LINK.latency_us)

    @property
    def shuffled_ppm(self) -> int:
        """The largest share of messages that come twice or out of order."""
        return max((max(link.duplicate_ppm, link.reorder_ppm) for link in self.links if link.shuffled), default=0)


# -- services --------------------------------------------------------------------------------------------------


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
    clock_off_us: int = 0
    drift_ppm: int = 0

    @property
    def ailing(self) -> bool:
        """Whether anything is wrong with it."""
        return self.status != "up" or self.slow_percent != 100 or self.sick_percent > 0 or self.clock_off_us != 0


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
    shape: str
    """How its service times are spread; empty: it does no work of its own."""
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


# -- calls and loads -------------------------------------------------------------------------------------------


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
    requests: int
    """Sent to any service on its behalf, by everybody on the way."""
    why: Outcome | None
    """How it failed; None: it did not."""
    origin: Origin | None
    """Where that began."""


class LoadView(NamedTuple):
    """What the clients do."""

    shape: str
    """``off steady ramp pulse wave``."""
    per_s: int
    to_per_s: int
    span_s: int
    poisson: bool
    """The calls come at random; else evenly paced."""


class Sample(NamedTuple):
    """Half a second of the whole: all but the times are rates a second."""

    at_us: int
    offered: int
    """Calls the clients made."""
    attempts: int
    """Requests over all edges, all layers together."""
    goodput: int
    """Calls of clients that ended well and in time."""
    errors: int
    rejected: int
    """Turned away by breakers, bulkheads, limiters and full lines."""
    wasted: int
    """Jobs done for callers that had given up, at all services together."""
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
    flights: tuple[Flight, ...]
    """At most 200."""
    calls: tuple[CallView, ...]
    """Newest last; at most 12."""
    series: tuple[Sample, ...]
    """Newest last; at most 240."""
    load: LoadView | None
    """None: the calls of a log."""
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
    log: str = ""
    """The name of the user's log that is played; empty: a simulation."""
    watch: str = ""
    """The edge this run is about: that of the newest command, else the first that the calls need."""
    wasted_per_s: int = 0
    """Jobs done for callers that had given up, all services together."""
    peak_edge: str = ""
    """The edge that is reached most."""
    amplified_ppm: int = -1
    """Attempts there per call of a client, over the calls that ended in the last second and a half; -1: none did.
    At most the product of (1 + r) of the layers on the way."""

    @property
    def recorded(self) -> bool:
        """Whether it is a log of the user's."""
        return bool(self.log)

    def edge(self, id: str) -> EdgeView | None:
        """The edge of this name."""
        return next((edge for edge in self.edges if edge.id == id), None)

    def service(self, id: str) -> ServiceView | None:
        """The service of this name."""
        return next((service for service in self.services if service.id == id), None)

    @property
    def hosts(self) -> tuple[HostView, ...]:
        """All machines."""
        return tuple(host for service in self.services for host in service.hosts)

    @property
    def busiest(self) -> EdgeView | None:
        """The edge with the most attempts; of those within a tenth, which is chance, the first on the way."""
        most = max((edge.attempts_per_s for edge in self.edges), default=0)
        return next((edge for edge in self.edges if edge.attempts_per_s * 10 >= most * 9), None)

    def way(self, edge: EdgeView) -> tuple[EdgeView, ...]:
        """The edges a call passes up to and with this one, from the client on."""
        path = [edge]
        while before := next((each for each in self.edges if each.dst == path[0].src), None):
            if before in path:
                break
            path.insert(0, before)
        return tuple(path)

    # -- the sums of queueing --------------------------------------------------------------------------------------

    def held_us(self, service: ServiceView) -> int:
        """How long a job holds a worker at present: its own work, and what it calls and waits for meanwhile."""
        slow = sum(host.slow_percent for host in service.hosts)
        own = service.mean_us * slow // (100 * max(1, len(service.hosts)))
        edges = [edge for edge in self.edges if edge.src == service.id]
        return own + sum(self._asked_ppm(service, edge) * self._answer_us(edge) // PPM for edge in edges)

    def _asked_ppm(self, service: ServiceView, edge: EdgeView) -> int:
        """How many of the jobs of a service need this edge."""
        if service.layer != "edge":
            return PPM
        kinds = SHOP if self.mix == "shop" else (self.mix,)
        return sum(edge.dst in KINDS.get(kind, ()) for kind in kinds) * PPM // len(kinds)

    def _answer_us(self, edge: EdgeView) -> int:
        """How long an answer over an edge takes, the line there included; no longer than its timeouts allow."""
        service = self.service(edge.dst)
        if service is None or edge.blocked:
            return 0
        there = self.held_us(service)
        took = 2 * edge.latency_us + LINK.jitter_us + edge.delay_percent * edge.delay_us // 100
        took += there + self._line_us(service, there)
        if not 0 < edge.timeout_us < took:
            return took
        return edge.timeout_us * (1 + (edge.retry.retries if edge.retry else 0))

    def sent_per_s(self, service: ServiceView) -> int:
        """Attempts a second that its callers send it: what its edges show."""
        return sum(edge.attempts_per_s for edge in self.edges if edge.dst == service.id)

    def working(self, service: ServiceView) -> int:
        """Its workers on machines that are up."""
        return sum(host.workers for host in service.hosts if host.status == "up")

    def capacity(self, service: ServiceView) -> float:
        """Calls a second that a service can work off as it is."""
        held = self.held_us(service)
        return self.working(service) * 1_000_000 / held if held > 0 else 0.0

    def drain_us(self, service: ServiceView) -> int:
        """How long its line takes to be worked off."""
        return self._line_us(service, self.held_us(service))

    def _line_us(self, service: ServiceView, held_us: int) -> int:
        workers = self.working(service) or service.workers  # none is up: as long as it would take all of them
        return service.queue * held_us // workers if workers else 0
