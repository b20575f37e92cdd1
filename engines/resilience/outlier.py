"""What Envoy calls circuit breaking, and what it does about bad hosts: two different things.

*Circuit breaking* there is a set of caps on what is under way (connections, pending requests, requests, retries):
nothing opens and nothing closes. The thing like a breaker is *outlier detection*, one judgement for each host:

    five errors (5xx) in a row eject a host at once
    every 10 s a sweep takes hosts back whose time is over, and ejects those whose success rate in that interval is
    below mean - 1.9 sigma of all (if 5 hosts had 100 requests each)
    a host stays out 30 s times the times it was ejected lately, 300 s at most; a quiet interval takes one off
    no more than 10 % of the hosts may be out: of two to nine hosts that is nobody, unless ``always_eject_one``
    if fewer than half are left, the balancer panics and uses all of them again

Source: the Envoy documentation (Outlier detection, Circuit breaking, Panic threshold) and its DetectorImpl.
"""

from dataclasses import dataclass
from enum import Enum
from math import isqrt
from typing import Final, NamedTuple

from engines.errors import UserError
from engines.resilience.policy import PPM, percent, time_word

SECOND: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class OutlierOptions:
    """Envoy's defaults."""

    consecutive: int = 5
    interval_us: int = 10 * SECOND
    base_us: int = 30 * SECOND
    max_us: int = 300 * SECOND
    max_percent: int = 10
    """Of the hosts that may be out at once."""
    always_eject_one: bool = False
    """One host may be out, whatever the percentage says."""
    rate_hosts: int = 5
    """Hosts with enough requests below which success rates are not compared."""
    rate_requests: int = 100
    """Requests in an interval below which a host has no success rate."""
    sigma_thousandths: int = 1_900
    panic_percent: int = 50
    """Fewer hosts than this: all are used. 0: never."""

    def __post_init__(self) -> None:
        """UserError for numbers that make no detector."""
        limits = (
            ("consecutive", 1, 1_000_000),
            ("interval_us", 1, 3_600 * SECOND),
            ("base_us", 1, 3_600 * SECOND),
            ("max_us", 1, 24 * 3_600 * SECOND),
            ("max_percent", 0, 100),
            ("rate_hosts", 1, 10_000),
            ("rate_requests", 1, 1_000_000),
            ("sigma_thousandths", 0, 100_000),
            ("panic_percent", 0, 100),
        )
        for name, low, high in limits:
            if not low <= getattr(self, name) <= high:
                raise UserError(f"outlier: {name} {getattr(self, name)}: {low} to {high} is accepted")


class EjectionCause(Enum):
    """What befell a host."""

    ERRORS = "errors in a row"
    RATE = "success rate"
    TIME_OVER = "time over"
    """It was out long enough, and the sweep takes it back."""
    HEALTH_CHECK = "health check"


class Ejection(NamedTuple):
    """A host was thrown out or taken back, or could have been, with the numbers that decided it."""

    at_us: int
    host: str
    out: bool
    """Whether it is out now."""
    cause: EjectionCause
    errors: int = 0
    """In a row."""
    rate_ppm: int = 0
    """Of its requests that succeeded, and the limit below which a host is far worse than the others."""
    limit_ppm: int = 0
    span_us: int = 0
    """How long it is out at least, or was out."""
    max_percent: int = 0
    """Of the hosts that may be out, how many hosts there are, and how many are out."""
    hosts: int = 0
    others_out: int = 0

    @property
    def why(self) -> str:
        """In words."""
        match self.cause:
            case EjectionCause.TIME_OVER:
                return f"{time_word(self.span_us)} are over"
            case EjectionCause.HEALTH_CHECK:
                return "a health check passed"
            case EjectionCause.ERRORS:
                why = f"{self.errors} errors in a row"
            case EjectionCause.RATE:
                why = f"{percent(self.rate_ppm)} succeeded, below {percent(self.limit_ppm)}"
        if self.out:
            return f"{why}: out for {time_word(self.span_us)}"
        limit = f"{self.max_percent} % of {self.hosts} hosts"
        return f"{why}, but no more than {limit} may be out, {self.others_out} are"


class WatchedHost:
    """What the detector knows of one host."""

    __slots__ = ("back_us", "backoff", "consecutive", "good", "name", "out_us", "total")

    def __init__(self, name: str) -> None:
        self.name = name
        self.consecutive = 0
        self.good = 0
        self.total = 0
        self.backoff = 0
        """Times it was ejected lately."""
        self.out_us = -1
        """Since when it is out; -1: it is in."""
        self.back_us = -1
        """When it last came back; -1: it was never out."""

    @property
    def out(self) -> bool:
        """Whether it is ejected."""
        return self.out_us >= 0


class OutlierDetector:
    """All hosts of one service."""

    __slots__ = ("denied", "ejections", "hosts", "options", "sweep_us")

    def __init__(self, options: OutlierOptions, hosts: tuple[str, ...], now_us: int = 0) -> None:
        self.options = options
        self.hosts = {name: WatchedHost(name) for name in hosts}
        self.sweep_us = now_us + options.interval_us
        self.ejections = 0
        self.denied = 0
        """Ejections that the percentage did not allow."""

    def record(self, host: str, failed: bool, now_us: int) -> Ejection | None:
        """A request to a host ended (``failed``: 5xx, which a timeout and a refused connection are too)."""
        found = self.hosts[host]
        found.total += 1
        if not failed:
            found.good += 1
            found.consecutive = 0
            return None
        found.consecutive += 1
        if found.consecutive < self.options.consecutive or found.out:
            return None
        found.consecutive = 0
        return self._eject(found, Ejection(now_us, host, True, EjectionCause.ERRORS, self.options.consecutive))

    def _eject(self, host: WatchedHost, wanted: Ejection) -> Ejection:
        out = sum(1 for each in self.hosts.values() if each.out)
        allowed = (out + 1) * 100 <= self.options.max_percent * len(self.hosts)
        if not allowed and not (self.options.always_eject_one and out == 0):
            self.denied += 1
            return wanted._replace(
                out=False, max_percent=self.options.max_percent, hosts=len(self.hosts), others_out=out
            )
        host.out_us = wanted.at_us
        if host.backoff * self.options.base_us < self._max_us + self.options.base_us:
            host.backoff += 1
        self.ejections += 1
        return wanted._replace(span_us=self.out_for_us(host.name))

    @property
    def _max_us(self) -> int:
        return max(self.options.max_us, self.options.base_us)

    def out_for_us(self, host: str) -> int:
        """How long an ejection of this host lasts at least; the sweep after that takes it back."""
        return min(self.options.base_us * self.hosts[host].backoff, self._max_us)

    def returns_us(self, host: str) -> int:
        """The sweep at which an ejected host returns; -1 for one that is in."""
        found = self.hosts[host]
        if not found.out:
            return -1
        over_us = found.out_us + self.out_for_us(host) - self.sweep_us
        return self.sweep_us + max(0, -(-over_us // self.options.interval_us)) * self.options.interval_us

    def next_us(self) -> int:
        """When the next sweep is due."""
        return self.sweep_us

    def sweep(self, now_us: int) -> tuple[Ejection, ...]:
        """Make the sweeps that are due."""
        found: list[Ejection] = []
        while self.sweep_us <= now_us:
            at_us = self.sweep_us
            for host in self.hosts.values():
                if host.out and at_us - host.out_us >= self.out_for_us(host.name):
                    found.append(self._back(host, at_us, EjectionCause.TIME_OVER))
            found.extend(self._compare(at_us))
            for host in self.hosts.values():
                host.good = host.total = 0
                if not host.out and host.backoff and at_us - host.back_us >= self.options.interval_us:
                    host.backoff -= 1
            self.sweep_us = at_us + self.options.interval_us
        return tuple(found)

    def _back(self, host: WatchedHost, at_us: int, cause: EjectionCause) -> Ejection:
        was_out_us = at_us - host.out_us
        host.out_us = -1
        host.back_us = at_us
        host.consecutive = 0
        return Ejection(at_us, host.name, False, cause, span_us=was_out_us)

    def _compare(self, at_us: int) -> list[Ejection]:
        """Eject hosts whose success rate in the interval is far below the others'."""
        rates = [
            (host, host.good * PPM // host.total)
            for host in self.hosts.values()
            if not host.out and host.total >= self.options.rate_requests
        ]
        if len(rates) < self.options.rate_hosts:
            return []
        mean = sum(rate for _, rate in rates) // len(rates)
        sigma = isqrt(sum((rate - mean) ** 2 for _, rate in rates) // len(rates))
        limit = mean - sigma * self.options.sigma_thousandths // 1_000
        return [
            self._eject(host, Ejection(at_us, host.name, True, EjectionCause.RATE, 0, rate, max(0, limit)))
            for host, rate in rates
            if rate < limit
        ]

    def healthy(self, host: str, now_us: int) -> Ejection | None:
        """An active health check of the host passed: an ejected one returns at once."""
        found = self.hosts[host]
        return self._back(found, now_us, EjectionCause.HEALTH_CHECK) if found.out else None

    def usable(self) -> tuple[str, ...]:
        """The hosts that requests go to: those that are in, or in panic all of them."""
        inside = tuple(host.name for host in self.hosts.values() if not host.out)
        return tuple(self.hosts) if self.panics else inside

    @property
    def panics(self) -> bool:
        """Fewer hosts are in than the panic threshold allows."""
        inside = sum(1 for host in self.hosts.values() if not host.out)
        return inside * 100 < self.options.panic_percent * len(self.hosts)


class Cap:
    """One of Envoy's limits: what is under way, at most, and how often there was more."""

    __slots__ = ("limit", "name", "overflows", "used")

    def __init__(self, name: str, limit: int) -> None:
        if not 0 <= limit <= 1 << 32:
            raise UserError(f"cap {name}: {limit}: 0 or more is accepted")
        self.name = name
        self.limit = limit
        self.used = 0
        self.overflows = 0

    def take(self) -> bool:
        """One more, if there is room."""
        if self.used >= self.limit:
            self.overflows += 1
            return False
        self.used += 1
        return True

    def give(self) -> None:
        """One less."""
        assert self.used > 0, self.name
        self.used -= 1


class ConcurrencyCaps:
    """Envoy's circuit breakers of one cluster; its defaults."""

    __slots__ = ("connections", "pending", "requests", "retries")

    def __init__(self, connections: int = 1_024, pending: int = 1_024, requests: int = 1_024, retries: int = 3) -> None:
        self.connections = Cap("connections", connections)
        self.pending = Cap("pending", pending)
        self.requests = Cap("requests", requests)
        self.retries = Cap("retries", retries)

    def all(self) -> tuple[Cap, ...]:
        """In Envoy's order."""
        return self.connections, self.pending, self.requests, self.retries
