"""The parts around plain functions, in real time: each of them is a decorator, and can be called through.

    @Retrying(Retry(3), sleep_us, randint)
    @guard(Breaker.of("article"), clock=monotonic_ns)
    def fetch(url): ...

What is written first stands outside, so the nesting is the order (``order.py`` says what that means). Clock and sleep
are passed in, since nothing here fetches the time. A plain call cannot be interrupted: ``Timing`` finds out when the
call returns, and counts it as failed then.

The parts do not lock. A program with threads holds a lock around ``acquire`` and ``result``, or a breaker for each.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeAlias, TypeVar

from engines.resilience.breaker import Breaker
from engines.resilience.bulkhead import Bulkhead
from engines.resilience.explain import Rejection
from engines.resilience.limiter import TokenBucket
from engines.resilience.retry import Draw, Retry
from engines.resilience.states import Permit

P = ParamSpec("P")
R = TypeVar("R")
Clock: TypeAlias = Callable[[], int]
"""Nanoseconds that never decrease, as ``time.monotonic_ns`` tells them."""


class Rejected(Exception):
    """A layer turned the call away: it was never made. ``layer`` is its name, ``reason`` what it returned."""

    def __init__(self, layer: str, why: str, reason: Any = None) -> None:
        super().__init__(f"{layer}: {why}")
        self.layer = layer
        self.reason = reason


class TimedOut(Exception):
    """The call returned after its time."""


class Layer:
    """Something around a call. As a decorator it wraps a function; ``call`` makes one call through it."""

    __slots__ = ()

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """The function, with this around it."""
        call = self.call

        @wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
            return call(function, *args, **kwargs)

        return wrapped

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call it once, through this."""
        raise NotImplementedError


class Guard(Layer):
    """A breaker around calls.

    The clock is read once where once is enough: a breaker that lets every call start and does not judge slowness
    need not know when one started.
    """

    __slots__ = ("breaker", "clock", "result")

    def __init__(self, breaker: Breaker, clock: Clock) -> None:
        self.breaker = breaker
        self.clock = clock
        self.result = breaker.result

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """The function, which is not called while the breaker is open."""
        return wraps(function)(self._around(function))

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call it, unless the breaker is open. An exception is a failure; what was turned away inside is refused."""
        return self._around(function)(*args, **kwargs)

    def _around(self, function: Callable[P, R]) -> Callable[P, R]:
        """One frame between caller and function: this is the part that every call of a program runs."""
        breaker, clock, result = self.breaker, self.clock, self.result

        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            if breaker.timeless:
                permit, start_us = breaker.era, 0
            else:
                start_us = clock() // 1_000
                got = breaker.acquire(start_us)
                if isinstance(got, Rejection):
                    raise Rejected("breaker", got.why, got)
                permit = got
            try:
                value = function(*args, **kwargs)
            except BaseException as error:
                self._failed(permit, start_us, error)
                raise
            now_us = clock() // 1_000
            result(permit, now_us, False, now_us - start_us if start_us else 0)
            return value

        return guarded

    def _failed(self, permit: Permit, start_us: int, error: BaseException) -> None:
        now_us = self.clock() // 1_000
        if isinstance(error, Rejected):
            self.breaker.refused(permit, now_us)
        elif isinstance(error, Exception):
            self.result(permit, now_us, True, now_us - start_us if start_us else 0)
        else:
            self.breaker.release(permit, now_us)


class Retrying(Layer):
    """Attempts until one succeeds, or the policy says no."""

    __slots__ = ("draw", "policy", "sleep_us")

    def __init__(self, policy: Retry, sleep_us: Callable[[int], None], draw: Draw) -> None:
        self.policy = policy
        self.sleep_us = sleep_us
        self.draw = draw

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """The first value, or the last exception."""
        try:
            return function(*args, **kwargs)
        except Exception as error:
            last = error
        attempt, delay_us = 1, 0
        while True:
            decision = self.policy.decide(attempt, delay_us, self.draw)
            if not decision.again:
                raise last
            delay_us = decision.delay_us
            self.sleep_us(delay_us)
            try:
                return function(*args, **kwargs)
            except Exception as error:
                last = error
            attempt += 1


class Limiting(Layer):
    """A token for each call."""

    __slots__ = ("bucket", "clock")

    def __init__(self, bucket: TokenBucket, clock: Clock) -> None:
        self.bucket = bucket
        self.clock = clock

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call it if there is a token."""
        taken = self.bucket.take(self.clock() // 1_000)
        if not taken.ok:
            raise Rejected("limiter", taken.why, taken)
        return function(*args, **kwargs)


class Timing(Layer):
    """A call that returns too late has failed."""

    __slots__ = ("clock", "timeout_us")

    def __init__(self, timeout_us: int, clock: Clock) -> None:
        self.timeout_us = timeout_us
        self.clock = clock

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Its value, if it came in time."""
        start_ns = self.clock()
        value = function(*args, **kwargs)
        took_us = (self.clock() - start_ns) // 1_000
        if took_us > self.timeout_us:
            raise TimedOut(f"took {took_us} us, {self.timeout_us} allowed")
        return value


class Walling(Layer):
    """A permit of a bulkhead for each call; nobody waits in a single thread."""

    __slots__ = ("bulkhead",)

    def __init__(self, bulkhead: Bulkhead) -> None:
        self.bulkhead = bulkhead

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call it if there is a permit."""
        entry = self.bulkhead.acquire()
        if entry.queued:
            self.bulkhead.give_up()
        if not entry.ok:
            raise Rejected("bulkhead", entry.why, entry)
        try:
            return function(*args, **kwargs)
        finally:
            self.bulkhead.release()


def guard(breaker: Breaker, clock: Clock) -> Guard:
    """A breaker around a function: ``guard(breaker, clock=time.monotonic_ns)``."""
    return Guard(breaker, clock)
