"""Resilience: what keeps a service useful while the services behind it are not.

>>> from time import monotonic_ns
>>> from engines.resilience import Breaker, Rejected, guard
>>> breaker = Breaker.of("article")
>>> @guard(breaker, clock=monotonic_ns)
... def fetch(url: str) -> str:
...     raise OSError("connection refused")
>>> for attempt in range(21):
...     try:
...         fetch("http://payment/")
...     except (OSError, Rejected) as error:
...         said = str(error)
>>> print(breaker.state, "after", breaker.history[-1].why)
open after 20 of 20 (100 %) failed, threshold >= 50 %
>>> print(said.partition(",")[0])
breaker: open: failure rate

Every part is a plain object that is told the time, in microseconds: nothing here reads a clock, starts a thread or
sleeps. ``PRESETS`` makes one breaker behave as any of the common ones; ``layers`` puts the parts around functions.

    breaker states explain policy presets window   the breaker: its machine, its words, its options, what it remembers
    retry hedge bulkhead limiter deadline          what else stands around a call
    shed fallback outlier                          what a server, a caller and a balancer do about trouble
    layers order                                   the parts around a function, and what their nesting means
    calllog laws                                   a recorded log through any preset, and what must hold for any breaker
    pattern recorded                               what the program shows: the pattern, and a log as a run
    world/                                         the same parts alive, in a simulated shop
"""

from engines.resilience.breaker import Breaker
from engines.resilience.bulkhead import Bulkhead
from engines.resilience.explain import Rejection, Transition, Why
from engines.resilience.fallback import Fallback
from engines.resilience.hedge import Hedge
from engines.resilience.layers import Guard, Limiting, Rejected, Retrying, TimedOut, Timing, Walling, guard
from engines.resilience.limiter import TokenBucket
from engines.resilience.outlier import Cap, OutlierDetector, OutlierOptions
from engines.resilience.policy import BreakerOptions
from engines.resilience.presets import PRESETS, Preset, preset
from engines.resilience.retry import (
    BACKOFFS,
    ActiveBudget,
    Decorrelated,
    EqualJitter,
    ExponentialBackoff,
    FixedBackoff,
    FullJitter,
    Retry,
    RetryBudget,
)
from engines.resilience.shed import ControlledDelay, WaitLimit
from engines.resilience.states import ORDERS, TRANSITIONS, Cause, State

__all__ = [
    "BACKOFFS",
    "ORDERS",
    "PRESETS",
    "TRANSITIONS",
    "ActiveBudget",
    "Breaker",
    "BreakerOptions",
    "Bulkhead",
    "Cap",
    "Cause",
    "ControlledDelay",
    "Decorrelated",
    "EqualJitter",
    "ExponentialBackoff",
    "Fallback",
    "FixedBackoff",
    "FullJitter",
    "Guard",
    "Hedge",
    "Limiting",
    "OutlierDetector",
    "OutlierOptions",
    "Preset",
    "Rejected",
    "Rejection",
    "Retry",
    "RetryBudget",
    "Retrying",
    "State",
    "TimedOut",
    "Timing",
    "TokenBucket",
    "Transition",
    "WaitLimit",
    "Walling",
    "Why",
    "guard",
    "preset",
]
