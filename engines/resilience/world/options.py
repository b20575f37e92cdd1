"""The settings of the service world, and the options of every edge and service that follow from them."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from engines.errors import UserError
from engines.resilience.order import ORDER
from engines.resilience.policy import BreakerOptions
from engines.resilience.presets import PRESETS
from engines.resilience.retry import BACKOFFS
from engines.resilience.world.rules import ResilienceRules
from engines.resilience.world.topology import API, CLIENTS, MIXES, SHAPES
from engines.sim.options import option, read, settings_of
from engines.sim.pattern import Config
from engines.units import US_PER_MS, US_PER_S

NO_BREAKER: Final = "none"
PRESET_NAMES: Final = (*PRESETS, NO_BREAKER)
RETRY_AT: Final = ("clients", "api", "services", "everywhere", "nowhere")

ALL_ON: Final = ResilienceRules()
ENVOY: Final[Config] = (("preset", NO_BREAKER), ("outlier", True), ("payment_hosts", 3), ("budget", 20))
"""What the variant without a state machine begins with."""


@dataclass(frozen=True, slots=True)
class EdgeOptions:
    """What protects one edge. 0 switches a part off; flags are 0 or 1, so that all can be set by one command."""

    preset: str = NO_BREAKER
    breaker: BreakerOptions | None = None
    order: tuple[str, ...] = ORDER
    retries: int = 0
    backoff: str = "full-jitter"
    base_us: int = 100 * US_PER_MS
    cap_us: int = 10 * US_PER_S
    budget_ppm: int = -1
    """Retries as a share of calls; -1: no budget."""
    budget_min: int = 0
    """Retries that are always allowed: a second, or at once if the budget is of the active ones."""
    budget_active: int = 0
    """1: Envoy's, a share of the requests under way; 0: Finagle's, a share of the calls of the last ten seconds."""
    timeout_us: int = 0
    deadline: int = 0
    bulkhead: int = 0
    bulkhead_queue: int = 0
    limit_per_s: int = 0
    limit_burst: int = 1
    hedge_ppm: int = 0
    """A second request after this quantile of the latency."""
    hedge_cap_ppm: int = 100_000
    """Of the calls at most hedged."""
    fallback: int = 0
    outlier: int = 0
    outlier_errors: int = 5
    """Errors in a row that eject a host."""
    eject_percent: int = 10
    eject_one: int = 0
    eject_us: int = 30 * US_PER_S
    max_requests: int = 0
    """Envoy's cap on requests under way."""
    max_retries: int = 0
    """Envoy's cap on retries under way. In Envoy a budget takes its place: set one of the two."""


SPAN_US: Final = (0, 600 * US_PER_S)
FLAG: Final = (0, 1)
COUNT: Final = (0, 10_000)
NUMBERS: Final[dict[str, tuple[int, int]]] = {
    "retries": (0, 10), "base_us": SPAN_US, "cap_us": SPAN_US, "budget_ppm": (-1, 1_000_000), "budget_min": COUNT,
    "budget_active": FLAG, "timeout_us": SPAN_US, "deadline": FLAG, "bulkhead": COUNT, "bulkhead_queue": COUNT,
    "limit_per_s": COUNT, "limit_burst": (1, 10_000), "hedge_ppm": (0, 999_999), "hedge_cap_ppm": (0, 1_000_000),
    "fallback": FLAG, "outlier": FLAG, "outlier_errors": (1, 1_000), "eject_percent": (0, 100), "eject_one": FLAG,
    "eject_us": (1, 600 * US_PER_S), "max_requests": COUNT, "max_retries": COUNT,
}  # fmt: skip
"""The options that ``SetOption`` sets, and what is accepted."""
BREAKER_NUMBERS: Final = (
    "window_us", "buckets", "size", "minimum", "failure_ppm", "slow_us", "slow_ppm", "wait_us", "probes",
    "half_open_max_us", "rejection_reopens", "probe_counts",
)  # fmt: skip
BREAKER_FLAGS: Final = ("rejection_reopens", "probe_counts")
"""Those of them that are only on (1) or off (0)."""
SERVICE_NUMBERS: Final = {
    "workers": (1, 500), "queue_max": (0, 1_000), "shed_us": (0, 60 * US_PER_S), "newest_first": (0, 1),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a run."""

    preset: str = option("article", choices=PRESET_NAMES, help="what the breakers are like")
    rate: int = option(15, 0, 200, help="calls a second of the clients")
    poisson: bool = option(True, help="calls come at random; off: evenly paced")
    mix: str = option("shop", choices=MIXES, help="what the clients ask for")
    retry_at: str = option("api", choices=RETRY_AT, help="who retries")
    retries: int = option(2, 0, 10, help="attempts after the first")
    backoff: str = option("full-jitter", choices=tuple(BACKOFFS), help="how long retries wait")
    backoff_ms: int = option(100, 0, 60_000, help="the base of the backoff")
    budget: int = option(0, 0, 100, help="retries in percent of calls; 0: no budget")
    timeout_ms: int = option(1_000, 0, 60_000, help="of every edge behind api; 0: none")
    client_timeout_ms: int = option(4_000, 0, 60_000, help="of the clients; 0: none")
    deadline: bool = option(False, help="callees are told how long the caller waits")
    bulkhead: int = option(0, 0, 1_000, help="calls at once over every edge behind api; 0: any number")
    limit: int = option(0, 0, 10_000, help="calls a second over every edge behind api; 0: any number")
    hedge: int = option(0, 0, 99, help="a second request after this percentile of the latency; 0: never")
    fallback: bool = option(False, help="api serves something else where a service fails")
    outlier: bool = option(False, help="hosts that answer with errors are ejected (Envoy)")
    eject_percent: int = option(10, 0, 100, help="of the hosts of a service at most ejected")
    eject_one: bool = option(False, help="one host may be ejected whatever the percentage says")
    catalog_hosts: int = option(1, 1, 5, help="machines of catalog")
    payment_hosts: int = option(1, 1, 5, help="machines of payment")
    api_workers: int = option(32, 1, 500, help="threads of api")
    workers: int = option(8, 1, 500, help="threads of every other machine")
    queue: int = option(32, 0, 1_000, help="calls that may wait at every machine")
    shed_ms: int = option(0, 0, 60_000, help="machines refuse calls that would wait longer; 0: never")
    shape: str = option("heavy", choices=SHAPES, help="spread of service times")
    slow: tuple[tuple[str, int], ...] = option((), help="services with another service time, as (name, milliseconds)")
    rules: ResilienceRules = ALL_ON

    def __post_init__(self) -> None:
        """UserError for service times that are none."""
        slow: tuple[Any, ...] = self.slow
        for pair in slow:
            if not (isinstance(pair, tuple) and [type(each) for each in pair] == [str, int] and 0 < pair[1] <= 60_000):
                raise UserError(f"slow: {pair!r}: pairs of a service and 1 to 60000 milliseconds are accepted"[:300])


SETTINGS: Final = settings_of(Options)


def options_of(variant: str, config: Config) -> Options:
    """The defaults of the variant, but for what is given."""
    return read(Options, config, ENVOY if variant == "envoy" else ())


def retries_at(options: Options, src: str) -> int:
    """How often the callers at this place retry."""
    place = {CLIENTS: "clients", API: "api"}.get(src, "services")
    return options.retries if options.retry_at in (place, "everywhere") else 0


@lru_cache(maxsize=256)
def edge_options(options: Options, variant: str, src: str) -> EdgeOptions:
    """What an edge begins with. Breakers, bulkheads, limiters and fallbacks stand between ``api`` and the services."""
    inner = src == API
    found = EdgeOptions(
        retries=retries_at(options, src),
        backoff=options.backoff,
        base_us=options.backoff_ms * US_PER_MS,
        cap_us=max(10_000, options.backoff_ms) * US_PER_MS,
        budget_ppm=options.budget * 10_000 or -1,
        timeout_us=(options.client_timeout_ms if src == CLIENTS else options.timeout_ms) * US_PER_MS,
        deadline=int(options.deadline),
    )
    if variant == "envoy":
        found = replace(
            found, budget_active=1, budget_min=3, max_requests=1_024, max_retries=0 if options.budget else 3
        )
    if not inner:
        return found
    return replace(
        found,
        preset=options.preset,
        breaker=None if options.preset == NO_BREAKER else PRESETS[options.preset].options,
        bulkhead=options.bulkhead,
        limit_per_s=options.limit,
        limit_burst=max(1, options.limit),
        hedge_ppm=options.hedge * 10_000,
        fallback=int(options.fallback),
        outlier=int(options.outlier),
        eject_percent=options.eject_percent,
        eject_one=int(options.eject_one),
    )


def with_number(options: EdgeOptions, name: str, value: int) -> EdgeOptions:
    """The options with one of them changed; UserError if there is none of this name or the value is out of range."""
    if name.startswith("breaker."):
        field = name.removeprefix("breaker.")
        if options.breaker is None:
            raise UserError("this edge has no breaker: give it one with a preset first")
        if field not in BREAKER_NUMBERS:
            raise UserError(f"option {name!r}: breaker.{' breaker.'.join(BREAKER_NUMBERS)} are accepted")
        if field in BREAKER_FLAGS and value not in FLAG:
            raise UserError(f"breaker.{field} {value}: 0 (off) or 1 (on) is accepted")
        new = bool(value) if field in BREAKER_FLAGS else value
        return replace(options, breaker=replace(options.breaker, **{field: new}))  # type: ignore[arg-type]
    bounds = NUMBERS.get(name)
    if bounds is None:
        raise UserError(f"option {name!r}: one of {', '.join(NUMBERS)} or breaker.NAME is accepted")
    if not bounds[0] <= value <= bounds[1]:
        raise UserError(f"{name} {value}: it must lie between {bounds[0]} and {bounds[1]}")
    changed = replace(options, **{name: value})  # type: ignore[arg-type]
    if changed.base_us > changed.cap_us:
        raise UserError(f"{name} {value}: the base of the backoff must not exceed its cap")
    return changed


def with_preset(options: EdgeOptions, preset: str) -> EdgeOptions:
    """The options with another breaker, or none."""
    if preset not in PRESET_NAMES:
        raise UserError(f"unknown preset {preset!r}: one of {', '.join(PRESET_NAMES)} is accepted")
    return replace(options, preset=preset, breaker=None if preset == NO_BREAKER else PRESETS[preset].options)


def numbers(options: EdgeOptions) -> tuple[tuple[str, int], ...]:
    """Every option that ``SetOption`` can set, by its name."""
    found = [(name, int(getattr(options, name))) for name in NUMBERS]
    if options.breaker is not None:
        found += [(f"breaker.{name}", int(getattr(options.breaker, name))) for name in BREAKER_NUMBERS]
    return tuple(found)
