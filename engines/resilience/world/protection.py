"""The parts that protect one edge, as its options want them: made, retuned and taken away while calls are under way.

Each is the library's own (``engines.resilience``). What survives a change of options is what a person would expect: a
breaker keeps its state when a number of it is tuned and begins anew under another preset; a budget begins anew.

Nothing here sends or waits: it decides, and the edge acts on what it returns.
"""

from collections import deque
from typing import Final, NamedTuple

from engines.resilience.breaker import Breaker
from engines.resilience.bulkhead import Bulkhead
from engines.resilience.deadline import NEVER
from engines.resilience.fallback import Fallback, Kind
from engines.resilience.hedge import Hedge
from engines.resilience.limiter import TokenBucket
from engines.resilience.outlier import Cap, Ejection, OutlierDetector, OutlierOptions
from engines.resilience.retry import BACKOFFS, ActiveBudget, Denial, Draw, Grant, Retry, RetryBudget
from engines.resilience.world.calls import PendingCall
from engines.resilience.world.ledger import Ledger
from engines.resilience.world.messages import Outcome
from engines.resilience.world.options import EdgeOptions
from engines.units import US_PER_MS


class RetryDecision(NamedTuple):
    """Whether a failed call is tried again, and when; what denies it, if it would have been."""

    again: bool
    delay_us: int = 0
    denied: Grant | None = None


GIVE_UP: Final = RetryDecision(False)
UNLIMITED_US: Final = 50 * US_PER_MS
"""Between attempts that no rule limits."""


class Protection:
    """Everything between a caller and the hosts of a service."""

    def __init__(self, edge: str, src: str, hosts: tuple[str, ...], options: EdgeOptions, ledger: Ledger) -> None:
        self.edge = edge
        self.src = src
        self.names = hosts
        self.ledger = ledger
        self.options = options
        self.breaker: Breaker | None = None
        self.budget: RetryBudget | None = None
        self.active: ActiveBudget | None = None
        self.limiter: TokenBucket | None = None
        self.bulkhead: Bulkhead | None = None
        self.line: deque[int] = deque()
        """Calls that wait for a permit of the bulkhead."""
        self.held: dict[int, None] = {}
        """Calls that have one."""
        self.hedge: Hedge | None = None
        self.detector: OutlierDetector | None = None
        self.turn = 0
        self.requests = Cap("requests", 0)
        self.retries = Cap("retries", 0)
        self.retry = Retry(0)
        self.fallback: Fallback[int] = Fallback(Kind.NONE)
        self._install(None, options, ledger.clock.now_us)

    def install(self, options: EdgeOptions, now_us: int) -> tuple[int, ...]:
        """Work under these options from now on; the calls that may leave the line of the bulkhead because of it."""
        old, self.options = self.options, options
        return self._install(old, options, now_us)

    def _install(self, old: EdgeOptions | None, new: EdgeOptions, now_us: int) -> tuple[int, ...]:
        self._breaker(old, new, now_us)
        self.retry = Retry(new.retries, BACKOFFS[new.backoff](new.base_us, new.cap_us))
        budget = (new.budget_ppm, new.budget_min, new.budget_active)
        if old is None or budget != (old.budget_ppm, old.budget_min, old.budget_active):
            on = new.budget_ppm >= 0
            self.budget = RetryBudget(new.budget_ppm, new.budget_min, now_us=now_us) if on else None
            if new.budget_active:
                self.budget = None
            self.active = ActiveBudget(new.budget_ppm, new.budget_min) if on and new.budget_active else None
            self.ledger.facts.append(("budget", self.edge, self.src, *budget, now_us))
        self.ledger.facts.append(("limits", self.edge, self.src, self.most_attempts()))
        if not new.limit_per_s:
            self.limiter = None
        elif self.limiter is None:
            self.limiter = TokenBucket(new.limit_per_s, new.limit_burst, now_us)
        else:
            self.limiter.retune(new.limit_per_s, new.limit_burst, now_us)
        if not new.hedge_ppm:
            self.hedge = None
        elif self.hedge is None or old is None or old.hedge_ppm != new.hedge_ppm:
            self.hedge = Hedge(new.hedge_ppm, 200, cap_ppm=new.hedge_cap_ppm)
        else:
            self.hedge.cap_ppm = new.hedge_cap_ppm
        self._detector(old, new, now_us)
        self.requests.limit, self.retries.limit = new.max_requests, new.max_retries
        if (old is None or old.fallback != new.fallback) and (new.fallback or old is not None):
            self.fallback = Fallback(Kind.CACHED if new.fallback else Kind.NONE)
        return self._bulkhead(new)

    def _breaker(self, old: EdgeOptions | None, new: EdgeOptions, now_us: int) -> None:
        if new.breaker is None:
            self.breaker = None
        elif self.breaker is None or old is None or old.preset != new.preset:
            self.breaker = Breaker(new.breaker, now_us)
            self.ledger.facts.append(("breaker", self.edge, self.src))
        elif old.breaker != new.breaker:
            self.breaker.retune(new.breaker, now_us)
            self.ledger.facts.append(("retuned", self.edge, self.src))

    def _detector(self, old: EdgeOptions | None, new: EdgeOptions, now_us: int) -> None:
        if not new.outlier:
            self.detector = None
            return
        options = OutlierOptions(
            consecutive=new.outlier_errors,
            base_us=new.eject_us,
            max_percent=new.eject_percent,
            always_eject_one=bool(new.eject_one),
        )
        if self.detector is None:
            self.detector = OutlierDetector(options, self.names, now_us)
        else:
            self.detector.options = options

    def _bulkhead(self, new: EdgeOptions) -> tuple[int, ...]:
        """Another size; without one whoever waits may go."""
        if not new.bulkhead:
            self.bulkhead = None
            self.held.clear()
            free = tuple(self.line)
            self.line.clear()
            return free
        if self.bulkhead is None:
            self.bulkhead = Bulkhead(new.bulkhead, new.bulkhead_queue)
            return ()
        count = self.bulkhead.retune(new.bulkhead, new.bulkhead_queue)
        return tuple(self.next_in_line() for _ in range(count))

    def next_in_line(self) -> int:
        """The first in line has a permit now."""
        call = self.line.popleft()
        self.held[call] = None
        return call

    def most_attempts(self) -> int:
        """How often one call may be sent at most: (1 + r), twice that with hedging."""
        return (1 + self.options.retries) * (2 if self.options.hedge_ppm else 1)

    def layers(self, deadline_us: int) -> tuple[str, ...]:
        """The layers that are on, for a call that begins now."""
        options = self.options
        on = {
            "retry": options.retries > 0,
            "breaker": self.breaker is not None,
            "limiter": self.limiter is not None,
            "timeout": options.timeout_us > 0 or deadline_us < NEVER,
            "bulkhead": self.bulkhead is not None,
        }
        return tuple(layer for layer in options.order if on[layer])

    def pick(self) -> str:
        """The host for the next attempt: those that are in take turns."""
        hosts = self.detector.usable() if self.detector is not None else self.names
        self.turn += 1
        return hosts[self.turn % len(hosts)]

    # -- decisions ---------------------------------------------------------------------------------------------

    def retry_after(self, call: PendingCall, why: Outcome, now_us: int, draw: Draw, strict: bool) -> RetryDecision:
        """Whether a call that ended so is tried again. Unless ``strict`` no limit holds: it is, until it works."""
        if why in (Outcome.OK, Outcome.OPEN):
            return GIVE_UP
        left_us = call.deadline_us - now_us if call.deadline_us < NEVER else None
        decision = self.retry.decide(call.tries, call.delay_us, draw, left_us)
        if strict and not decision.again:
            return GIVE_UP
        denied = self._denied(call, now_us)
        if strict and denied is not None:
            return RetryDecision(False, 0, denied)
        return RetryDecision(True, decision.delay_us if decision.again else max(self.options.base_us, UNLIMITED_US))

    def _denied(self, call: PendingCall, now_us: int) -> Grant | None:
        """The cap or budget that does not allow another retry; None if they do, and it is paid for."""
        if self.retries.limit and not call.capped:
            if not self.retries.take():
                return Grant(False, Denial.CAP, self.retries.used, self.retries.limit)
            call.capped = True
        if call.active is not None:
            call.active.end(call.retrying)
            grant = call.active.withdraw()
            call.retrying = grant.ok
            if not grant.ok:
                call.active.begin()
            return None if grant.ok else grant
        if self.budget is not None:
            grant = self.budget.withdraw(now_us)
            return None if grant.ok else grant
        return None

    def judge_host(self, host: str, failed: bool, now_us: int) -> Ejection | None:
        """Tell the outlier detector of an answer, or of none; perhaps it throws the host out."""
        return self.detector.record(host, failed, now_us) if self.detector is not None else None

    def sweep(self, now_us: int) -> tuple[tuple[Ejection, bool], ...]:
        """The detector's regular look at all hosts: what it did, and whether the host was out before."""
        if self.detector is None:
            return ()
        out = tuple(host.name for host in self.detector.hosts.values() if host.out)
        return tuple((each, each.host in out) for each in self.detector.sweep(now_us))
